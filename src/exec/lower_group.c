/* Groups as primitives, or step by step. */
#include "exec/guard.h"

#include <string.h>

/* Images go through pools and norms in blocks of channels. */
static bool wants_blocks(const struct group *g)
{
	enum work_kind k = g->work.kind;
	return k == WORK_MAX_POOL || k == WORK_AVERAGE_POOL || k == WORK_AVERAGE_POOL_PADDED || (k == WORK_BATCH_NORM && g->work.size[1] >= 8);
}

static bool bring_blocked(struct lowering *l, int slot, struct operand *out)
{
	const struct value *v = lower_value(l, slot);
	if (l->slots[slot].place >= 0) {
		*out = (struct operand){ slot, l->slots[slot].place };
		return true;
	}
	const struct layout *wanted = l->f->backend->blocked(l->f->backend, l->f->arena, v->ndim, v->size, false);
	return wanted && lower_need_layout(l, slot, wanted, out);
}

static bool bring_plain(struct lowering *l, int slot, struct operand *out)
{
	*out = (struct operand){ slot, -1 };
	return lower_need_plain(l, slot);
}

/* Several operands in blocks when one is, and when all fill their blocks. */
static bool bring_alike(struct lowering *l, const struct group *g, struct operand *in)
{
	bool any = false, all = g->work.ndim >= 3 && g->work.ndim <= 5 && (g->work.kind != WORK_CONCAT || g->work.axis == 1);
	for (int i = 0; i < g->n_in; i++) {
		const struct value *v = lower_value(l, g->in[i]);
		any = any || l->slots[g->in[i]].place >= 0;
		all = all && v->ndim == g->work.ndim && v->size[1] % 16 == 0;
	}
	for (int i = 0; i < g->n_in; i++) {
		const struct value *v = lower_value(l, g->in[i]);
		if (!any || !all) {
			if (!bring_plain(l, g->in[i], &in[i]))
				return false;
			continue;
		}
		const struct layout *wanted = l->f->backend->blocked(l->f->backend, l->f->arena, v->ndim, v->size, l->f->options.half);
		if (!wanted || !lower_need_layout(l, g->in[i], wanted, &in[i]))
			return false;
	}
	return true;
}

static bool wants_plain(enum work_kind k)
{
	return k == WORK_MATMUL || k == WORK_LAYER_NORM || k == WORK_SOFTMAX || k == WORK_LSTM || k == WORK_ATTENTION;
}

/* It pays for what is in blocks already. */
static bool bring_statistics(struct lowering *l, const struct group *g, struct operand *in)
{
	in[0] = (struct operand){ g->in[0], l->slots[g->in[0]].place };
	for (int i = 1; i < g->n_in; i++)
		if (!bring_plain(l, g->in[i], &in[i]))
			return false;
	return in[0].place >= 0;
}

static bool bring_inputs(struct lowering *l, const struct group *g, struct operand *in)
{
	if (g->work.kind == WORK_BATCH_STATS)
		return bring_statistics(l, g, in);
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
	const struct value *v = lower_value(l, o.slot);
	int64_t size[BACKEND_ARRAY], stride[BACKEND_ARRAY];
	int more = ndim - v->ndim;
	if (o.place >= 0)
		return l->f->places[o.place].layout;
	if (more <= 0)
		return lower_plain_layout(l, o.slot);
	for (int i = 0; i < ndim; i++) {
		size[i] = i < more ? 1 : v->size[i - more];
		stride[i] = i < more ? value_numel(v) : v->stride[i - more];
	}
	return l->f->backend->plain(l->f->backend, l->f->arena, ndim, size, stride);
}

static int reads(const struct group *g, int slot)
{
	int n = 0;
	for (int i = 0; i < g->n_in; i++)
		n += g->in[i] == slot;
	return n;
}

/* Nobody wants it as it was after the group. */
static bool dies(const struct lowering *l, const struct group *g, int slot)
{
	return g->out == slot || !used_after(&l->f->fusion, slot, g->steps[g->n_steps - 1]);
}

/* Memory that holds what will be added to, and may be written over: nobody reads it later, nor the group itself meanwhile. */
static bool bring_sum(struct lowering *l, const struct group *g, const struct layout *layout, struct operand *out)
{
	struct operand now;
	int slot = g->add;
	if (!lower_need_layout(l, slot, layout, &now))
		return false;
	*out = (struct operand){ g->out, now.place };
	if (now.place >= 0 && !reads(g, slot) && dies(l, g, slot)) {
		l->slots[slot].place = -1;
		return true;
	}
	out->place = lower_add_place(l, layout);
	return out->place >= 0 && lower_add_reorder(l, now, layout, *out, layout);
}

bool lower_place_result(struct lowering *l, const struct group *g, const struct layout *layout, struct operand *out)
{
	const struct layout *plain = g->work.kind == WORK_MATMUL ? layout : lower_plain_layout(l, g->out);
	*out = (struct operand){ g->out, -1 };
	if (plain && l->f->backend->same(plain, layout))
		return true;
	out->place = lower_add_place(l, layout);
	return out->place >= 0;
}

/* The result takes the place of the first operand when it may, and nobody else reads that. */
static bool place_over(struct lowering *l, const struct group *g, const struct primitive_needs *needs, struct operand in, struct operand *out)
{
	bool may = needs->over && in.place >= 0 && reads(g, in.slot) == 1 && dies(l, g, in.slot) && l->f->backend->same(l->f->places[in.place].layout, needs->out);
	if (!may)
		return lower_place_result(l, g, needs->out, out);
	l->slots[in.slot].place = -1;
	*out = (struct operand){ g->out, in.place };
	return true;
}

/* The layer norm that a product ends in, as a work by itself; another kind when it does not. */
static struct work norm_of(const struct work *w)
{
	struct work norm = { .kind = w->norms ? WORK_LAYER_NORM : WORK_NONE, .ndim = w->ndim, .weights = w->norm_weights, .bias = w->norm_bias };
	memcpy(norm.size, w->size, sizeof norm.size);
	return norm;
}

bool lower_add_group(struct lowering *l, const struct group *g, const struct work *w, struct operand *in)
{
	struct fast_plan *f = l->f;
	struct primitive_needs needs;
	struct operand out;
	bool copies = w->kind == WORK_MATMUL || w->kind == WORK_MLP;
	struct primitive *p = f->backend->make(f->backend, f->arena, w, &needs);
	if (!p)
		return false;
	bool ok = f->backend->same(needs.in, w->in[0]) ||
		(copies ? lower_bring_copy(l, &in[0], w->in[0], needs.in) : lower_need_layout(l, g->in[0], needs.in, &in[0]));
	ok = ok && (g->add >= 0 ? bring_sum(l, g, needs.out, &out) : place_over(l, g, &needs, in[0], &out));
	if (!ok)
		return f->backend->drop(p), false;
	if (!lower_add_primitive(l, p, &needs, in, w->n_in, out))
		return false;
	struct action *a = &f->actions[f->n_actions - 1];
	const struct work norm = norm_of(w->second ? w->second : w), *works[] = { w, w->second ? w->second : &norm, &norm };
	int n = 1 + (w->second != NULL) + (norm.kind == WORK_LAYER_NORM);
	if (!guard_add(l, works, n, &needs, g->add, g->adds))
		return false;
	a->ends = true;
	a->more = g->more;
	a->n_more = g->n_more;
	for (int i = 1; g->updates && i < g->n_in; i++)
		lower_forget_places(l, g->in[i]);
	lower_now_in(l, out);
	for (int i = 0; i < g->n_more; i++)
		lower_now_in(l, (struct operand){ g->more[i], -1 });
	return true;
}

static bool is_binary(enum work_kind k)
{
	return k >= WORK_ADD && k <= WORK_DIV;
}

/* An operand of a sum that lies in another order than the result is copied. */
static bool bring_even(struct lowering *l, const struct work *w, struct operand *o)
{
	const struct value *v = lower_value(l, o->slot);
	const struct layout *now = lower_plain_layout(l, o->slot);
	if (o->place >= 0 || !now || v->ndim != w->ndim || memcmp(v->size, w->size, (size_t)v->ndim * sizeof *v->size) != 0 || value_is_contiguous(v))
		return true;
	return lower_bring_copy(l, o, now, lower_row_by_row(l, v->ndim, v->size));
}

static bool lower_with(struct lowering *l, struct arena *scratch, const struct group *g)
{
	struct fast_plan *f = l->f;
	struct work w = g->work;
	struct operand *in = arena_array(scratch, (size_t)g->n_in + 1, sizeof *in);
	w.in = arena_array(scratch, (size_t)g->n_in + 1, sizeof *w.in);
	w.n_in = g->n_in;
	w.half = f->options.half;
	w.fixed = f->options.deterministic;
	if (!in || !w.in || !lower_give_weights(l, scratch, g, &w) || !bring_inputs(l, g, in))
		return false;
	for (int i = 0; i < g->n_in && is_binary(w.kind); i++)
		if (!bring_even(l, &w, &in[i]))
			return false;
	for (int i = 0; i < g->n_in; i++)
		if (!(w.in[i] = operand_layout(l, in[i], is_binary(w.kind) ? w.ndim : 0)) && (w.kind != WORK_ATTENTION || i == 0))
			return false; /* attention knows the strides of the others */
	if (w.kind == WORK_MATMUL && lower_uneven(l, g, &w, in))
		return true;
	if (w.kind == WORK_MATMUL && !lower_product_layouts(l, g, &w, in))
		return false;
	if ((w.kind == WORK_LSTM || w.kind == WORK_ATTENTION || w.kind == WORK_REORDER) && !(w.out = lower_plain_layout(l, g->out)))
		return false;
	return lower_add_group(l, g, &w, in);
}

/* A convolution of a picture, which is read as it lies, and the pool after it. */
static bool lower_pooled(struct lowering *l, struct arena *scratch, const struct group *g)
{
	const struct layout *layout;
	struct work w = g->work;
	struct operand in = { g->in[0], -1 };
	if (!l->f->options.half || !lower_give_weights(l, scratch, g, &w) || !lower_need_plain(l, g->in[0]) || !(layout = lower_plain_layout(l, g->in[0])))
		return false;
	w.in = &layout;
	w.n_in = 1;
	w.half = true;
	w.second = &g->second->work;
	return lower_add_group(l, g->second, &w, &in);
}

bool lower_show(struct lowering *l, int slot)
{
	size_t last = l->f->n_actions - 1;
	if (!l->f->options.visible)
		return true;
	if (!lower_need_plain(l, slot))
		return false;
	l->f->actions[last].ends = false;
	l->f->actions[l->f->n_actions - 1].ends = true;
	return true;
}

/* False: no memory. */
static bool try_to(struct lowering *l, bool (*lower)(struct lowering *l, struct arena *scratch, const struct group *g), const struct group *g, bool *ok)
{
	struct arena *scratch = arena_new(NULL, l->err);
	nns_error *err = l->err, quiet = { 0 };
	size_t first = l->f->n_actions;
	if (!scratch)
		return false;
	l->err = &quiet;
	*ok = lower(l, scratch, g);
	l->err = err;
	arena_free(scratch);
	for (size_t i = first; *ok && i < l->f->n_actions; i++)
		l->f->actions[i].head = g->steps[0];
	return quiet.code != NNS_MEMORY || fail(err, quiet.code, "%s", quiet.message) || fail_hint(err, quiet.hint);
}

static bool lower_stage(struct lowering *l, const struct stage *s)
{
	size_t at = l->step;
	l->step = s->step;
	bool ok = s->group ? lower_group(l, s->group) : lower_reference(l, s->step);
	l->step = at;
	return ok;
}

/* What the backend does not do after all runs step by step, at the same point. */
bool lower_group(struct lowering *l, const struct group *g)
{
	bool ok = false;
	if (!try_to(l, !g->second ? lower_with : g->work.kind == WORK_CONVOLUTION ? lower_pooled : lower_two, g, &ok))
		return false;
	for (int i = 0; !ok && i < g->n_instead; i++)
		if (!lower_stage(l, &g->instead[i]))
			return false;
	if (!ok && g->n_instead)
		return true;
	if (!ok && g->second) {
		struct group first = *g;
		size_t at = l->step;
		first.second = NULL;
		l->step = first.steps[first.n_steps - 1];
		ok = lower_group(l, &first);
		l->step = at;
		return ok && lower_group(l, g->second);
	}
	if (g->second)
		g = g->second;
	for (int i = 0; !ok && i < g->n_steps; i++)
		if (!lower_reference(l, g->steps[i]))
			return false;
	return lower_show(l, g->out);
}
