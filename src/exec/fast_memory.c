/* The memory of the fast executor: what is known of it before it is made, and what it came to be. */
#include <stdint.h>

#include "exec/fast_plan.h"

static size_t value_size(const struct value *v)
{
	int64_t n = v->ndim < 0 ? 0 : value_bytes(v);
	return n < 0 ? 0 : (size_t)n;
}

/* ---- Before: by the groups, a tensor for what each of them makes ---- */

static void follow_group(struct liveness *l, const struct fusion *f, const struct group *g)
{
	if (g->add >= 0 && !used_after(f, g->add, g->steps[g->n_steps - 1]))
		liveness_go(l, g->add);  /* its memory becomes the result's */
	liveness_come(l, g->out);
	if (g->second) {
		liveness_come(l, g->second->out);
		liveness_go(l, g->out);
	}
	for (int i = 0; i < g->n_more; i++)
		liveness_come(l, g->more[i]);
}

static void follow(struct liveness *l, const struct fusion *f, struct memory_plan *m)
{
	for (size_t i = 0; i < l->plan->n_steps; i++) {
		const struct plan_step *s = &l->plan->steps[i];
		const struct group *g = f->at[i];
		if (g && g->weights >= 0)
			m->packed += value_size(l->plan->values[g->weights]);
		if (g)
			follow_group(l, f, g);
		else if (!f->absorbed[i] && !f->folded[i])
			liveness_step(l, s);
		for (int k = 0; k < s->n_drop; k++)
			liveness_go(l, s->drop[k]);
	}
}

bool fast_memory_estimate(const struct plan *p, int threads, struct memory_plan *m, nns_error *err)
{
	struct arena *a = arena_new(NULL, err);
	struct liveness l;
	struct fusion f;
	bool ok = a && memory_of_plan(p, threads, m, err) && fuse(&f, p, a, err) && liveness_begin(&l, a, p, threads, err);
	if (ok) {
		follow(&l, &f, m);
		m->activations = l.peak;
	}
	arena_free(a);
	return ok;
}

/* ---- After: places in the workspace, and plain tensors beside it ---- */

static void follow_action(struct liveness *l, const struct fast_plan *f, const struct action *a)
{
	if (!a->primitive)
		liveness_step(l, &f->plan->steps[a->step]);
	else if (a->out.place < 0)
		liveness_come(l, a->out.slot);
	for (int i = 0; i < a->n_more; i++)
		liveness_come(l, a->more[i]);
	for (int k = 0; k < a->n_drop; k++)
		liveness_go(l, a->drop[k]);
}

bool fast_plan_memory(const struct fast_plan *f, struct memory_plan *m, nns_error *err)
{
	struct arena *a = arena_new(NULL, err);
	struct liveness l;
	bool ok = a && memory_of_plan(f->plan, f->options.threads, m, err) && liveness_begin(&l, a, f->plan, f->options.threads, err);
	for (size_t i = 0; ok && i < f->n_actions; i++)
		follow_action(&l, f, &f->actions[i]);
	if (ok) {
		m->activations = l.peak + f->activations;
		m->packed = f->weights + f->constants.heap.used;
		m->workspace = f->scratch;
		size_t run = m->activations + m->packed + m->workspace;
		m->workspace += f->made > run ? f->made - run : 0;
	}
	arena_free(a);
	return ok;
}
