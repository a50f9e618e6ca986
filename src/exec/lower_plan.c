/* All steps of a fast plan in order, and which tensors go when. */
#include "exec/lower.h"

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
		if (c ? !lower_chain(l, c) : g ? !lower_group(l, g) : !lower_reference(l, l->step))
			return false;
	}
	l->step = f->plan->n_steps ? f->plan->n_steps - 1 : 0;   /* what results are brought from */
	for (size_t i = 0; i < f->plan->n_outputs; i++) {
		if (!lower_need_plain(l, f->plan->outputs[i]))
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

bool lower_plan(struct fast_plan *f, nns_error *err)
{
	struct lowering l = { .f = f, .slots = arena_array(f->arena, f->plan->n_values + 1, sizeof *l.slots), .err = err };
	f->loaded = arena_array(f->arena, f->plan->n_values + 1, sizeof *f->loaded);
	f->known = arena_array(f->arena, f->plan->n_values + 1, sizeof *f->known);
	if (!l.slots || !f->loaded || !f->known)
		return fail_memory(err);
	for (size_t i = 0; i < f->plan->n_values; i++)
		l.slots[i].place = -1;
	for (size_t i = 0; i < f->plan->n_sources; i++)
		l.slots[f->plan->sources[i].slot].plain = true;
	for (size_t i = 0; i < f->plan->n_values; i++)
		l.slots[i].plain = l.slots[i].plain || f->fusion.constant[i];
	return lower_steps(&l) && find_drops(f, err) && arrange(f, err);
}
