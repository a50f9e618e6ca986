/* Making a fast plan: groups become primitives, what is between them becomes reorders and reference kernels. */
#include "exec/fast_plan.h"
#include "exec/rows.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Where the content of a slot is, while the plan is made. */
struct whereabouts {
	int place;               /* -1: in none */
	bool plain;              /* in a tensor of the inferred strides */
};

struct lowering {
	struct fast_plan *f;
	struct whereabouts *slots;
	size_t step;             /* at work */
	nns_error *err;
};

bool fast_available(void)
{
	struct backend *b = backend_new(0);
	if (b)
		b->free(b);
	return b != NULL;
}

bool fast_has_half(void)
{
	return backend_has_half();
}

/* ---- Actions and places ---- */

static const struct value *value_of(const struct lowering *l, int slot)
{
	return l->f->plan->values[slot];
}

static const struct layout *plain_layout(struct lowering *l, int slot)
{
	const struct value *v = value_of(l, slot);
	return l->f->backend->plain(l->f->backend, l->f->arena, v->ndim, v->size, v->stride);
}

static const struct layout *layout_now(struct lowering *l, int slot)
{
	int place = l->slots[slot].place;
	return place >= 0 ? l->f->places[place].layout : plain_layout(l, slot);
}

static struct action *add_action(struct lowering *l)
{
	struct fast_plan *f = l->f;
	struct action *grown = arena_grow(f->arena, f->actions, f->n_actions, &f->cap_actions, sizeof *grown);
	if (!grown)
		return fail_memory(l->err), NULL;
	f->actions = grown;
	grown[f->n_actions] = (struct action){ .step = l->step, .head = l->step, .out = { -1, -1 } };
	return &grown[f->n_actions++];
}

/* A place that the next action fills; -1: no memory. */
static int add_place(struct lowering *l, const struct layout *layout)
{
	struct fast_plan *f = l->f;
	struct place *grown = arena_grow(f->arena, f->places, f->n_places, &f->cap_places, sizeof *grown);
	if (!grown)
		return fail_memory(l->err), -1;
	f->places = grown;
	grown[f->n_places] = (struct place){ .layout = layout, .bytes = f->backend->bytes(layout), .first = f->n_actions, .last = f->n_actions };
	return (int)f->n_places++;
}

/* An operand is read, or written, by the action that comes next. */
static void mark_use(struct lowering *l, struct operand o)
{
	if (o.place >= 0)
		l->f->places[o.place].last = l->f->n_actions;
	else
		l->f->loaded[o.slot] = true;
}

static bool add_primitive(struct lowering *l, struct primitive *p, const struct primitive_needs *needs, const struct operand *in, int n_in, struct operand out)
{
	struct fast_plan *f = l->f;
	struct operand *kept = arena_array(f->arena, (size_t)n_in + 1, sizeof *kept);
	for (int i = 0; kept && i < n_in; i++) {
		mark_use(l, in[i]);
		kept[i] = in[i];
	}
	mark_use(l, out);
	struct action *a = kept ? add_action(l) : NULL;
	if (!a) {
		f->backend->drop(p);
		return fail_memory(l->err);
	}
	a->primitive = p;
	a->name = needs->name;
	a->in = kept;
	a->n_in = n_in;
	a->out = out;
	f->scratch = needs->scratch > f->scratch ? needs->scratch : f->scratch;
	f->made = f->weights + needs->tried > f->made ? f->weights + needs->tried : f->made;
	f->weights += needs->weights;
	struct memory_plan m = { .packed = f->weights };
	return memory_allowed(&m, f->options.memory, l->err);
}

/* ---- Layouts ---- */

static bool add_reorder(struct lowering *l, struct operand from, const struct layout *from_layout, struct operand to, const struct layout *to_layout)
{
	struct primitive_needs needs;
	const struct layout *in[] = { from_layout };
	struct work w = { .kind = WORK_REORDER, .in = in, .n_in = 1, .out = to_layout };
	struct primitive *p = from_layout && to_layout ? l->f->backend->make(l->f->backend, l->f->arena, &w, &needs) : NULL;
	if (!p)
		return fail(l->err, NNS_MODEL, "a tensor cannot be brought into the layout that a fast kernel wants");
	return add_primitive(l, p, &needs, &from, 1, to);
}

static bool need_plain(struct lowering *l, int slot)
{
	struct whereabouts *w = &l->slots[slot];
	if (w->plain || w->place < 0)
		return true;
	struct operand from = { slot, w->place };
	w->plain = true;
	return add_reorder(l, from, l->f->places[w->place].layout, (struct operand){ slot, -1 }, plain_layout(l, slot));
}

/* The slot in a layout, wherever that is. */
static bool need_layout(struct lowering *l, int slot, const struct layout *wanted, struct operand *out)
{
	struct whereabouts *w = &l->slots[slot];
	struct backend *b = l->f->backend;
	if (w->place >= 0 && b->same(l->f->places[w->place].layout, wanted)) {
		*out = (struct operand){ slot, w->place };
		return true;
	}
	const struct layout *plain = w->plain ? plain_layout(l, slot) : NULL;
	*out = (struct operand){ slot, -1 };
	if (plain && b->same(plain, wanted))
		return true;
	struct operand from = { slot, plain ? -1 : w->place };
	const struct layout *now = plain ? plain : layout_now(l, slot);
	int place = add_place(l, wanted);
	if (place < 0)
		return false;
	*out = (struct operand){ slot, place };
	w->place = place;
	return add_reorder(l, from, now, *out, wanted);
}

static void now_in(struct lowering *l, struct operand o)
{
	l->slots[o.slot] = (struct whereabouts){ .place = o.place, .plain = o.place < 0 };
}

/* ---- Weights ---- */

static const struct tensor *constant(struct lowering *l, int slot)
{
	return slot < 0 ? NULL : l->f->constants.tensors[slot];
}

static float *floats(struct lowering *l, struct arena *a, int slot, float none, int64_t n)
{
	const struct tensor *t = constant(l, slot);
	float *out = arena_array(a, (size_t)n + 1, sizeof *out);
	if (!out || (t && tensor_numel(t) != n))
		return NULL;
	if (t)
		tensor_to_floats(t, out);
	for (int64_t i = 0; !t && i < n; i++)
		out[i] = none;
	return out;
}

/* A batch norm in eval mode is x * scale + shift. */
static bool norm_factors(struct lowering *l, struct arena *a, const struct plan_step *s, int64_t n, float **scale, float **shift)
{
	const struct datum *eps = step_arg(s, "eps");
	*scale = floats(l, a, step_slot(s, "weight"), 1, n);
	*shift = floats(l, a, step_slot(s, "bias"), 0, n);
	const float *mean = floats(l, a, step_slot(s, "running_mean"), 0, n), *var = floats(l, a, step_slot(s, "running_var"), 1, n);
	if (!*scale || !*shift || !mean || !var)
		return false;
	for (int64_t i = 0; i < n; i++) {
		double factor = (*scale)[i] / sqrt((double)var[i] + (eps ? datum_as_float(*eps) : 0));
		(*scale)[i] = (float)factor;
		(*shift)[i] = (float)((*shift)[i] - mean[i] * factor);
	}
	return true;
}

static void set_weights(struct work *w, const struct tensor *t)
{
	w->weights = (const float *)(const void *)tensor_data(t);
	w->weights_ndim = t->ndim;
	memcpy(w->weights_size, t->size, (size_t)t->ndim * sizeof *t->size);
	memcpy(w->weights_stride, t->stride, (size_t)t->ndim * sizeof *t->stride);
	for (int i = 0; i < t->ndim - 2; i++)    /* one matrix for a whole batch */
		if (w->weights_stride[i] == 0)
			w->weights_size[i] = w->weights_stride[i] = 1;
}

/* The norm's factors scale what makes a channel of the result. */
static bool fold_norm(struct lowering *l, struct arena *a, const struct group *g, struct work *w)
{
	int64_t n = w->size[1];
	float *scale, *shift, *bias = floats(l, a, g->bias, 0, n);
	if (!bias || !norm_factors(l, a, &l->f->plan->steps[g->steps[g->norm]], n, &scale, &shift))
		return false;
	for (int64_t i = 0; i < n; i++)
		bias[i] = bias[i] * scale[i] + shift[i];
	w->scale = scale;
	w->bias = bias;
	return true;
}

static bool give_lstm(struct lowering *l, struct arena *a, const struct group *g, struct lstm_shape *s)
{
	int64_t wide = 4 * s->n;
	float *b_ih = floats(l, a, g->lstm[2], 0, wide), *b_hh = floats(l, a, g->lstm[3], 0, wide);
	s->w_ih = floats(l, a, g->lstm[0], 0, wide * s->in);
	s->w_hh = floats(l, a, g->lstm[1], 0, wide * s->n);
	for (int64_t i = 0; b_ih && b_hh && i < wide; i++)
		b_ih[i] += b_hh[i];
	s->bias = b_ih;
	return s->w_ih && s->w_hh && b_ih && b_hh;
}

static bool give_weights(struct lowering *l, struct arena *a, const struct group *g, struct work *w)
{
	float *scale, *shift;
	bool ok = true;
	if (w->kind == WORK_LSTM)
		return give_lstm(l, a, g, &w->lstm);
	if (w->kind == WORK_BATCH_NORM) {
		ok = norm_factors(l, a, &l->f->plan->steps[g->steps[0]], w->size[1], &scale, &shift);
		w->weights = scale;
		w->bias = shift;
		return ok;
	}
	if (g->weights >= 0)
		set_weights(w, constant(l, g->weights));
	if (g->bias >= 0) {
		w->bias_length = value_numel(value_of(l, g->bias));
		w->bias = floats(l, a, g->bias, 0, w->bias_length);
		ok = w->bias != NULL;
	}
	return ok && (g->norm < 0 || fold_norm(l, a, g, w));
}

/* ---- Groups ---- */

/* Images go through pools and norms in blocks of channels. */
static bool wants_blocks(const struct group *g)
{
	enum work_kind k = g->work.kind;
	return k == WORK_MAX_POOL || k == WORK_AVERAGE_POOL || k == WORK_AVERAGE_POOL_PADDED || (k == WORK_BATCH_NORM && g->work.size[1] >= 8);
}

static bool bring_blocked(struct lowering *l, int slot, struct operand *out)
{
	const struct value *v = value_of(l, slot);
	if (l->slots[slot].place >= 0) {
		*out = (struct operand){ slot, l->slots[slot].place };
		return true;
	}
	const struct layout *wanted = l->f->backend->blocked(l->f->backend, l->f->arena, v->ndim, v->size, false);
	return wanted && need_layout(l, slot, wanted, out);
}

static bool bring_plain(struct lowering *l, int slot, struct operand *out)
{
	*out = (struct operand){ slot, -1 };
	return need_plain(l, slot);
}

/* Several operands in blocks when one is, and when all fill their blocks. */
static bool bring_alike(struct lowering *l, const struct group *g, struct operand *in)
{
	bool any = false, all = g->work.ndim >= 3 && g->work.ndim <= 5;
	for (int i = 0; i < g->n_in; i++) {
		const struct value *v = value_of(l, g->in[i]);
		any = any || l->slots[g->in[i]].place >= 0;
		all = all && v->ndim == g->work.ndim && v->size[1] % 16 == 0;
	}
	for (int i = 0; i < g->n_in; i++) {
		const struct value *v = value_of(l, g->in[i]);
		if (!any || !all) {
			if (!bring_plain(l, g->in[i], &in[i]))
				return false;
			continue;
		}
		const struct layout *wanted = l->f->backend->blocked(l->f->backend, l->f->arena, v->ndim, v->size, l->f->options.half);
		if (!wanted || !need_layout(l, g->in[i], wanted, &in[i]))
			return false;
	}
	return true;
}

static bool wants_plain(enum work_kind k)
{
	return k == WORK_MATMUL || k == WORK_LAYER_NORM || k == WORK_SOFTMAX || k == WORK_LSTM || k == WORK_ATTENTION;
}

static bool bring_inputs(struct lowering *l, const struct group *g, struct operand *in)
{
	if (wants_plain(g->work.kind)) {
		for (int i = 0; i < g->n_in; i++)
			if (!bring_plain(l, g->in[i], &in[i]))
				return false;
		return true;
	}
	if (g->n_in > 1)
		return bring_alike(l, g, in);
	if (wants_blocks(g))
		return bring_blocked(l, g->in[0], &in[0]);
	in[0] = (struct operand){ g->in[0], l->slots[g->in[0]].place };
	return true;
}

/* The operand's layout; a plain one with fewer dimensions gets ones in front. */
static const struct layout *operand_layout(struct lowering *l, struct operand o, int ndim)
{
	const struct value *v = value_of(l, o.slot);
	int64_t size[BACKEND_ARRAY], stride[BACKEND_ARRAY];
	int more = ndim - v->ndim;
	if (o.place >= 0)
		return l->f->places[o.place].layout;
	if (more <= 0)
		return plain_layout(l, o.slot);
	for (int i = 0; i < ndim; i++) {
		size[i] = i < more ? 1 : v->size[i - more];
		stride[i] = i < more ? value_numel(v) : v->stride[i - more];
	}
	return l->f->backend->plain(l->f->backend, l->f->arena, ndim, size, stride);
}

/* A product reads and writes plain tensors, in as few dimensions as they allow. */
static bool set_product_layouts(struct lowering *l, const struct group *g, struct work *w)
{
	struct backend *b = l->f->backend;
	struct rows_view v;
	rows_gather(w, value_of(l, g->in[0]), &v);
	w->in[0] = b->plain(b, l->f->arena, w->ndim, v.in_size, v.in_stride);
	w->out = b->plain(b, l->f->arena, w->ndim, w->size, v.out_stride);
	return w->in[0] && w->out;
}

/* Memory that holds what will be added to, and may be written over. */
static bool bring_sum(struct lowering *l, const struct group *g, const struct layout *layout, struct operand *out)
{
	struct operand now;
	int slot = g->add;
	if (!need_layout(l, slot, layout, &now))
		return false;
	bool dies = g->out == slot || !used_after(&l->f->fusion, slot, g->steps[g->n_steps - 1]);
	*out = (struct operand){ g->out, now.place };
	if (now.place >= 0 && dies) {
		l->slots[slot].place = -1;
		return true;
	}
	out->place = add_place(l, layout);
	return out->place >= 0 && add_reorder(l, now, layout, *out, layout);
}

static bool place_result(struct lowering *l, const struct group *g, const struct layout *layout, struct operand *out)
{
	const struct layout *plain = g->work.kind == WORK_MATMUL ? layout : plain_layout(l, g->out);
	*out = (struct operand){ g->out, -1 };
	if (plain && l->f->backend->same(plain, layout))
		return true;
	out->place = add_place(l, layout);
	return out->place >= 0;
}

static bool lower_with(struct lowering *l, struct arena *scratch, const struct group *g)
{
	struct fast_plan *f = l->f;
	struct work w = g->work;
	struct primitive_needs needs;
	struct operand *in = arena_array(scratch, (size_t)g->n_in + 1, sizeof *in), out;
	size_t first = f->n_actions;
	w.in = arena_array(scratch, (size_t)g->n_in + 1, sizeof *w.in);
	w.n_in = g->n_in;
	w.half = f->options.half;
	w.fixed = f->options.deterministic;
	if (!in || !w.in || !give_weights(l, scratch, g, &w) || !bring_inputs(l, g, in))
		return false;
	for (int i = 0; i < g->n_in; i++)
		if (!(w.in[i] = operand_layout(l, in[i], w.kind >= WORK_ADD && w.kind <= WORK_DIV ? w.ndim : 0)) && (w.kind != WORK_ATTENTION || i == 0))
			return false; /* attention knows the strides of the others */
	if (w.kind == WORK_MATMUL && !set_product_layouts(l, g, &w))
		return false;
	if ((w.kind == WORK_LSTM || w.kind == WORK_ATTENTION) && !(w.out = plain_layout(l, g->out)))
		return false;
	struct primitive *p = f->backend->make(f->backend, f->arena, &w, &needs);
	if (!p)
		return false;
	bool ok = f->backend->same(needs.in, w.in[0]) || need_layout(l, g->in[0], needs.in, &in[0]);
	ok = ok && (g->add >= 0 ? bring_sum(l, g, needs.out, &out) : place_result(l, g, needs.out, &out));
	if (!ok)
		return f->backend->drop(p), false;
	if (!add_primitive(l, p, &needs, in, g->n_in, out))
		return false;
	f->actions[f->n_actions - 1].ends = true;
	f->actions[f->n_actions - 1].more = g->more;
	f->actions[f->n_actions - 1].n_more = g->n_more;
	for (size_t i = first; i < f->n_actions; i++)
		f->actions[i].head = g->steps[0];
	now_in(l, out);
	for (int i = 0; i < g->n_more; i++)
		now_in(l, (struct operand){ g->more[i], -1 });
	return true;
}

static bool reference(struct lowering *l, size_t step);

/* When results are to be seen, a step is done when its own is plain. */
static bool show(struct lowering *l, int slot)
{
	size_t last = l->f->n_actions - 1;
	if (!l->f->options.visible)
		return true;
	if (!need_plain(l, slot))
		return false;
	l->f->actions[last].ends = false;
	l->f->actions[l->f->n_actions - 1].ends = true;
	return true;
}

/* What the backend does not do after all runs step by step, at the same point. */
static bool lower_group(struct lowering *l, const struct group *g)
{
	struct arena *scratch = arena_new(NULL, l->err);
	nns_error *err = l->err, quiet = { 0 };
	if (!scratch)
		return false;
	l->err = &quiet;
	bool ok = lower_with(l, scratch, g);
	l->err = err;
	arena_free(scratch);
	if (quiet.code == NNS_MEMORY)
		return fail(err, quiet.code, "%s", quiet.message);
	for (int i = 0; !ok && i < g->n_steps; i++)
		if (!reference(l, g->steps[i]))
			return false;
	return show(l, g->out);
}

/* ---- The steps ---- */

static void see_reference_input(int slot, void *data)
{
	struct lowering *l = data;
	if (!l->err->code && need_plain(l, slot))
		mark_use(l, (struct operand){ slot, -1 });
}

static void forget_places(struct lowering *l, int family)
{
	for (size_t i = 0; i < l->f->plan->n_values; i++)
		if (l->f->fusion.family[i] == family)
			l->slots[i].place = -1;
}

static bool reference(struct lowering *l, size_t step)
{
	const struct plan_step *s = &l->f->plan->steps[step];
	size_t at = l->step;
	nns_error local = { 0 }, *err = l->err;
	l->err = &local;
	step_each_slot(s, see_reference_input, l);
	l->err = err;
	if (local.code)
		return fail(err, local.code, "%s", local.message);
	l->step = step;
	struct action *a = add_action(l);
	l->step = at;
	if (!a)
		return false;
	a->ends = true;
	for (int i = 0; i < s->node->op->n_args; i++)
		if (s->args[i].kind == D_TENSOR && step_writes(&l->f->fusion, step, l->f->fusion.family[s->args[i].u.i]))
			forget_places(l, l->f->fusion.family[s->args[i].u.i]);
	for (int i = 0; i < s->n_outputs; i++)
		if (s->outputs[i] >= 0)
			now_in(l, (struct operand){ s->outputs[i], -1 });
	return true;
}

/* ---- Chains ---- */

/* Operands in blocks of channels: those of the first link, and what the last one adds. */
static bool find_blocks(struct lowering *l, const int *slots, int n, const struct layout **layouts)
{
	for (int i = 0; i < n; i++) {
		const struct value *v = value_of(l, slots[i]);
		layouts[i] = l->f->backend->blocked(l->f->backend, l->f->arena, v->ndim, v->size, false);
		if (!layouts[i])
			return false;
	}
	return true;
}

static bool make_links(struct lowering *l, struct arena *scratch, const struct chain *c, const struct layout **layouts, int n, struct primitive **p, struct primitive_needs *needs)
{
	struct work w[CHAIN_LINKS];
	for (int i = 0; i < c->n; i++) {
		w[i] = c->links[i]->work;
		w[i].before = i ? &w[i - 1] : NULL;
		if (!give_weights(l, scratch, c->links[i], &w[i]))
			return false;
	}
	w[0].in = w[c->n - 1].in = layouts;
	w[0].n_in = c->links[0]->n_in;
	w[c->n - 1].n_in = n;
	*p = l->f->backend->make(l->f->backend, l->f->arena, &w[c->n - 1], needs);
	return *p != NULL;
}

static bool lower_links(struct lowering *l, struct arena *scratch, const struct chain *c)
{
	const struct group *first = c->links[0], *last = c->links[c->n - 1];
	struct primitive_needs needs;
	struct primitive *p;
	int n = first->n_in, *slots = arena_array(scratch, (size_t)n + 1, sizeof *slots);
	struct operand *in = arena_array(scratch, (size_t)n + 1, sizeof *in), out;
	const struct layout **layouts = arena_array(scratch, (size_t)n + 1, sizeof *layouts);
	if (!slots || !in || !layouts)
		return false;
	memcpy(slots, first->in, (size_t)n * sizeof *slots);
	if (last->add >= 0)
		slots[n++] = last->add;
	if (!find_blocks(l, slots, n, layouts) || !make_links(l, scratch, c, layouts, n, &p, &needs))
		return false;
	bool ok = true;
	for (int i = 0; ok && i < n; i++)
		ok = need_layout(l, slots[i], layouts[i], &in[i]);
	if (!ok || !place_result(l, last, needs.out, &out))
		return l->f->backend->drop(p), false;
	if (!add_primitive(l, p, &needs, in, n, out))
		return false;
	l->f->actions[l->f->n_actions - 1].ends = true;
	l->f->actions[l->f->n_actions - 1].head = first->steps[0];
	now_in(l, out);
	return true;
}

/* All links where the last one stands; one by one when the backend does not do them together. */
static bool lower_chain(struct lowering *l, const struct chain *c)
{
	struct arena *scratch = arena_new(NULL, l->err);
	nns_error *err = l->err, quiet = { 0 };
	size_t at = l->step;
	if (!scratch)
		return false;
	l->err = &quiet;
	bool done = !l->f->options.half && lower_links(l, scratch, c);
	l->err = err;
	arena_free(scratch);
	if (quiet.code == NNS_MEMORY)
		return fail_memory(err);
	bool ok = !done || show(l, c->links[c->n - 1]->out);
	for (int i = 0; ok && !done && i < c->n; i++) {
		l->step = c->links[i]->steps[c->links[i]->n_steps - 1];
		ok = lower_group(l, c->links[i]);
	}
	l->step = at;
	return ok;
}

static bool lower_steps(struct lowering *l)
{
	struct fast_plan *f = l->f;
	for (l->step = 0; l->step < f->plan->n_steps; l->step++) {
		const struct group *g = f->fusion.at[l->step];
		if (!run_progress(&f->making, l->step, f->plan->n_steps, l->err))
			return false;
		if (f->fusion.folded[l->step] || (f->fusion.absorbed[l->step] && !g))
			continue;
		const struct chain *c = f->fusion.chain[l->step];
		if (c && c->links[c->n - 1] != g)
			continue;
		if (c ? !lower_chain(l, c) : g ? !lower_group(l, g) : !reference(l, l->step))
			return false;
	}
	for (size_t i = 0; i < f->plan->n_outputs; i++) {
		if (!need_plain(l, f->plan->outputs[i]))
			return false;
		f->loaded[f->plan->outputs[i]] = true;
	}
	return true;
}

struct last_reads {
	size_t *last;            /* by slot: 1 + the action, 0: none */
	size_t at;
};

static void see_read(int slot, void *data)
{
	struct last_reads *l = data;
	l->last[slot] = l->at + 1;
}

static void see_action(const struct fast_plan *f, const struct action *a, struct last_reads *l)
{
	const struct plan_step *s = &f->plan->steps[a->step];
	if (a->primitive) {
		for (int i = 0; i < a->n_in; i++)
			if (a->in[i].place < 0)
				see_read(a->in[i].slot, l);
		if (a->out.place < 0)
			see_read(a->out.slot, l);
		for (int i = 0; i < a->n_more; i++)
			see_read(a->more[i], l);
		return;
	}
	step_each_slot(s, see_read, l);
	for (int i = 0; i < s->n_outputs; i++)
		if (s->outputs[i] >= 0)
			see_read(s->outputs[i], l);
}

/* Plain tensors go when nobody reads them any more; views hold on to the memory by themselves. */
static bool find_drops(struct fast_plan *f, nns_error *err)
{
	size_t n = f->plan->n_values;
	struct last_reads l = { .last = arena_array(f->arena, n + 1, sizeof *l.last) };
	size_t *last = l.last;
	if (!last)
		return fail_memory(err);
	for (; l.at < f->n_actions; l.at++)
		see_action(f, &f->actions[l.at], &l);
	for (size_t i = 0; i < f->plan->n_outputs; i++)
		last[f->plan->outputs[i]] = 0;
	for (size_t i = 0; i < f->plan->n_sources; i++)
		if (f->plan->sources[i].written)
			last[f->plan->sources[i].slot] = 0;
	for (size_t i = 0; i < n; i++)
		if (last[i])
			f->actions[last[i] - 1].n_drop++;
	for (size_t a = 0; a < f->n_actions; a++) {
		f->actions[a].drop = arena_array(f->arena, (size_t)f->actions[a].n_drop + 1, sizeof *f->actions[a].drop);
		if (!f->actions[a].drop)
			return fail_memory(err);
		f->actions[a].n_drop = 0;
	}
	for (size_t i = 0; i < n; i++)
		if (last[i]) {
			struct action *x = &f->actions[last[i] - 1];
			x->drop[x->n_drop++] = (int)i;
		}
	return true;
}

/* Constant slots get their tensors: parameters as they are, what is folded from its kernel. */
static bool make_constants(struct fast_plan *f, nns_error *err)
{
	const struct plan *p = f->plan;
	struct run_options o = { .threads = f->options.threads, .check = true };
	f->making = (struct run_options){ .progress = f->options.progress, .progress_data = f->options.progress_data };
	if (!run_init(&f->constants, p, err))
		return false;
	for (size_t i = 0; i < p->n_sources; i++)
		if (f->fusion.constant[p->sources[i].slot] && !run_source(&f->constants, &p->sources[i], &o, err))
			return false;
	for (size_t i = 0; i < p->n_steps; i++)
		if (f->fusion.folded[i] && !run_step(&f->constants, i, &o, err))
			return false;
	return true;
}

static bool lower(struct fast_plan *f, nns_error *err)
{
	struct lowering l = { .f = f, .slots = arena_array(f->arena, f->plan->n_values + 1, sizeof *l.slots), .err = err };
	f->loaded = arena_array(f->arena, f->plan->n_values + 1, sizeof *f->loaded);
	if (!l.slots || !f->loaded)
		return fail_memory(err);
	for (size_t i = 0; i < f->plan->n_values; i++)
		l.slots[i].place = -1;
	for (size_t i = 0; i < f->plan->n_sources; i++)
		l.slots[f->plan->sources[i].slot].plain = true;
	for (size_t i = 0; i < f->plan->n_values; i++)
		l.slots[i].plain = l.slots[i].plain || f->fusion.constant[i];
	return lower_steps(&l) && find_drops(f, err) && arrange(f, err);
}

static bool refuse_size(const struct fast_plan *f, nns_error *err)
{
	struct memory_plan m;
	return fast_plan_memory(f, &m, err) && memory_allowed(&m, f->options.memory, err);
}

struct fast_plan *fast_plan_new(const struct plan *p, const struct fast_options *o, nns_error *err)
{
	nns_error local = { 0 };
	struct arena *a = arena_new(NULL, err);
	struct fast_plan *f = a ? arena_alloc(a, sizeof *f) : NULL;
	err = err ? err : &local;
	if (!f) {
		arena_free(a);
		return fail_memory(err), NULL;
	}
	*f = (struct fast_plan){ .arena = a, .plan = p, .options = *o, .backend = backend_new(o->threads) };
	if (!f->backend)
		fail(err, NNS_UNSUPPORTED, "this nnscope was built without oneDNN");
	else if (fuse(&f->fusion, p, a, err) && make_constants(f, err) && lower(f, err) && refuse_size(f, err))
		return f;
	fast_plan_free(f);
	return NULL;
}

void fast_plan_free(struct fast_plan *f)
{
	if (!f)
		return;
	for (size_t i = 0; i < f->n_actions; i++)
		f->backend->drop(f->actions[i].primitive);
	if (f->constants.arena)
		run_release(&f->constants);
	if (f->backend)
		f->backend->free(f->backend);
	free(f->memory);
	pool_release(&f->pool);
	arena_free(f->arena);
}
