/* Chains of groups as one primitive, or group by group. */
#include "exec/guard.h"

#include <string.h>

/* Operands in blocks of channels: those of the first link, and what the last one adds. */
static bool find_blocks(struct lowering *l, const int *slots, int n, const struct layout **layouts)
{
	for (int i = 0; i < n; i++) {
		const struct value *v = lower_value(l, slots[i]);
		layouts[i] = l->f->backend->blocked(l->f->backend, l->f->arena, v->ndim, v->size, false);
		if (!layouts[i])
			return false;
	}
	return true;
}

static bool make_links(struct lowering *l, struct arena *scratch, const struct chain *c, const struct layout **layouts, int n, struct work *w,
                       struct primitive **p, struct primitive_needs *needs)
{
	for (int i = 0; i < c->n; i++) {
		w[i] = c->links[i]->work;
		w[i].before = i ? &w[i - 1] : NULL;
		if (!lower_give_weights(l, scratch, c->links[i], &w[i]))
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
	struct work w[CHAIN_LINKS];
	const struct work *works[] = { &w[0], &w[1], &w[2] };
	size_t begun = l->f->n_actions;
	int n = first->n_in, *slots = arena_array(scratch, (size_t)n + 1, sizeof *slots);
	struct operand *in = arena_array(scratch, (size_t)n + 1, sizeof *in), out;
	const struct layout **layouts = arena_array(scratch, (size_t)n + 1, sizeof *layouts);
	if (!slots || !in || !layouts)
		return false;
	memcpy(slots, first->in, (size_t)n * sizeof *slots);
	if (last->add >= 0)
		slots[n++] = last->add;
	if (!find_blocks(l, slots, n, layouts) || !make_links(l, scratch, c, layouts, n, w, &p, &needs))
		return false;
	bool ok = true;
	for (int i = 0; ok && i < n; i++)
		ok = lower_need_layout(l, slots[i], layouts[i], &in[i]);
	if (!ok || !lower_place_result(l, last, needs.out, &out))
		return l->f->backend->drop(p), false;
	if (!lower_add_primitive(l, p, &needs, in, n, out) || !guard_add(l, works, c->n, &needs, -1, last->add >= 0))
		return false;
	l->f->actions[l->f->n_actions - 1].ends = true;
	for (size_t i = begun; i < l->f->n_actions; i++)
		l->f->actions[i].head = first->steps[0];
	lower_now_in(l, out);
	return true;
}

/* All links where the last one stands; one by one when the backend does not do them together. */
bool lower_chain(struct lowering *l, const struct chain *c)
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
		return fail(err, quiet.code, "%s", quiet.message), fail_hint(err, quiet.hint);
	bool ok = !done || lower_show(l, c->links[c->n - 1]->out);
	for (int i = 0; ok && !done && i < c->n; i++) {
		l->step = c->links[i]->steps[c->links[i]->n_steps - 1];
		ok = lower_group(l, c->links[i]);
	}
	l->step = at;
	return ok;
}
