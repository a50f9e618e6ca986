/* Actions, places and layouts of a fast plan. */
#include "exec/lower.h"

/* ---- Actions and places ---- */

const struct value *lower_value(const struct lowering *l, int slot)
{
	return l->f->plan->values[slot];
}

const struct layout *lower_plain_layout(struct lowering *l, int slot)
{
	const struct value *v = lower_value(l, slot);
	return l->f->backend->plain(l->f->backend, l->f->arena, v->ndim, v->size, v->stride);
}

static const struct layout *layout_now(struct lowering *l, int slot)
{
	int place = l->slots[slot].place;
	return place >= 0 ? l->f->places[place].layout : lower_plain_layout(l, slot);
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

int lower_add_place(struct lowering *l, const struct layout *layout)
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

bool lower_add_primitive(struct lowering *l, struct primitive *p, const struct primitive_needs *needs, const struct operand *in, int n_in, struct operand out)
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
	f->later += needs->later;
	struct memory_plan m = { .packed = f->weights };
	return memory_allowed(&m, f->options.memory, l->err);
}

/* ---- Layouts ---- */

bool lower_add_reorder(struct lowering *l, struct operand from, const struct layout *from_layout, struct operand to, const struct layout *to_layout)
{
	struct primitive_needs needs;
	const struct layout *in[] = { from_layout };
	struct work w = { .kind = WORK_REORDER, .in = in, .n_in = 1, .out = to_layout };
	struct primitive *p = from_layout && to_layout ? l->f->backend->make(l->f->backend, l->f->arena, &w, &needs) : NULL;
	if (!p)
		return fail(l->err, NNS_MODEL, "a tensor cannot be brought into the layout that a fast kernel wants");
	return lower_add_primitive(l, p, &needs, &from, 1, to);
}

bool lower_need_plain(struct lowering *l, int slot)
{
	struct whereabouts *w = &l->slots[slot];
	if (w->plain || w->place < 0)
		return true;
	struct operand from = { slot, w->place };
	w->plain = true;
	return lower_add_reorder(l, from, l->f->places[w->place].layout, (struct operand){ slot, -1 }, lower_plain_layout(l, slot));
}

bool lower_need_layout(struct lowering *l, int slot, const struct layout *wanted, struct operand *out)
{
	struct whereabouts *w = &l->slots[slot];
	struct backend *b = l->f->backend;
	if (w->place >= 0 && b->same(l->f->places[w->place].layout, wanted)) {
		*out = (struct operand){ slot, w->place };
		return true;
	}
	const struct layout *plain = w->plain ? lower_plain_layout(l, slot) : NULL;
	*out = (struct operand){ slot, -1 };
	if (plain && b->same(plain, wanted))
		return true;
	struct operand from = { slot, plain ? -1 : w->place };
	const struct layout *now = plain ? plain : layout_now(l, slot);
	int place = lower_add_place(l, wanted);
	if (place < 0)
		return false;
	*out = (struct operand){ slot, place };
	w->place = place;
	return lower_add_reorder(l, from, now, *out, wanted);
}

void lower_now_in(struct lowering *l, struct operand o)
{
	l->slots[o.slot] = (struct whereabouts){ .place = o.place, .plain = o.place < 0 };
}

/* ---- Reference kernels ---- */

static void see_reference_input(int slot, void *data)
{
	struct lowering *l = data;
	if (!l->err->code && lower_need_plain(l, slot))
		mark_use(l, (struct operand){ slot, -1 });
}

void lower_forget_places(struct lowering *l, int slot)
{
	int family = l->f->fusion.family[slot];
	for (size_t i = 0; i < l->f->plan->n_values; i++)
		if (l->f->fusion.family[i] == family)
			l->slots[i].place = -1;
}

bool lower_reference(struct lowering *l, size_t step)
{
	const struct plan_step *s = &l->f->plan->steps[step];
	size_t at = l->step;
	nns_error local = { 0 }, *err = l->err;
	l->err = &local;
	step_each_slot(s, see_reference_input, l);
	l->err = err;
	if (local.code)
		return fail(err, local.code, "%s", local.message), fail_hint(err, local.hint);
	l->step = step;
	struct action *a = add_action(l);
	l->step = at;
	if (!a)
		return false;
	a->ends = true;
	for (int i = 0; i < s->node->op->n_args; i++)
		if (s->args[i].kind == D_TENSOR && step_writes(&l->f->fusion, step, l->f->fusion.family[s->args[i].u.i]))
			lower_forget_places(l, (int)s->args[i].u.i);
	for (int i = 0; i < s->n_outputs; i++)
		if (s->outputs[i] >= 0)
			lower_now_in(l, (struct operand){ s->outputs[i], -1 });
	return true;
}
