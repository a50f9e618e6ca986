/* What comes after a group and is done with it, besides posts: planes of columns, and a pool. */
#include <string.h>

#include "exec/fuse.h"

/* ---- A product whose columns are packed queries, keys and values: views pull them apart, and a copy lays them down ---- */

/* A view of the slot that nobody else reads; its result, -1: it is none. */
static int view_of(const struct fusion *f, size_t step, int slot)
{
	const struct plan_step *s = &f->plan->steps[step];
	if (!kernel_reshapes(s->row) || s->node->op->inplace || step_slot(s, "self") != slot || s->n_outputs != 1 || used_after(f, slot, step))
		return -1;
	return s->outputs[0];
}

/* Whether v is [planes, rows..., columns] of a tensor [rows..., planes * columns]. */
static bool is_planes(const struct value *v, int64_t rows, int64_t columns)
{
	int64_t wide = v->ndim > 1 ? v->size[v->ndim - 1] : 0, step = columns;
	if (v->ndim < 3 || v->size[0] < 2 || v->size[0] * wide != columns || v->stride[v->ndim - 1] != 1 || v->stride[0] != wide || value_numel(v) != rows * columns)
		return false;
	for (int i = v->ndim - 2; i > 0; i--) {
		if (v->size[i] != 1 && v->stride[i] != step)
			return false;
		step *= v->size[i];
	}
	return true;
}

/* One matrix for all rows. */
static bool shares_weights(const struct value *v)
{
	for (int i = 0; i < v->ndim - 2; i++)
		if (v->size[i] != 1 && v->stride[i] != 0)
			return false;
	return true;
}

bool take_planes(struct fusion *f, struct group *g, size_t step)
{
	size_t steps[GROUP_STEPS], at = step;
	int n = 0, slot = g->out, next;
	int64_t columns = g->work.size[g->work.ndim - 1];
	struct group copy;
	if (g->work.kind != WORK_MATMUL || g->weights < 0 || g->adds || !shares_weights(f->plan->values[g->weights]))
		return false;
	while (at != SIZE_MAX && !f->absorbed[at] && g->n_steps + n + 1 < GROUP_STEPS && (next = view_of(f, at, slot)) >= 0) {
		steps[n++] = at;
		slot = next;
		at = step_next_use(f, slot, at);
	}
	if (n == 0 || at == SIZE_MAX || f->absorbed[at] || used_after(f, slot, at) || !step_is(&f->plan->steps[at], "clone") || !group_read(f, at, &copy) ||
	    !group_may_wait(f, g, at) || !is_planes(f->plan->values[slot], value_numel(f->plan->values[g->out]) / columns, columns))
		return false;
	steps[n++] = at;
	memcpy(g->steps + g->n_steps, steps, (size_t)n * sizeof *steps);
	g->n_steps += n;
	g->work.planes = f->plan->values[slot]->size[0];
	g->out = copy.out;
	return true;
}

/* ---- A pool ---- */

enum { PICTURE = 4 };        /* channels at most */

/* A max pool of a picture's convolution, which nobody else reads, is done with it. */
bool take_pool(struct fusion *f, struct group *g)
{
	struct group pool;
	size_t step = step_next_use(f, g->out, g->steps[g->n_steps - 1]);
	if (g->work.kind != WORK_CONVOLUTION || g->work.ndim != 4 || g->work.groups != 1 || g->work.kernel[0] < 2 || g->add >= 0 ||
	    f->plan->values[g->in[0]]->size[1] > PICTURE || step == SIZE_MAX || f->absorbed[step] || used_after(f, g->out, step))
		return false;
	if (!group_read(f, step, &pool) || pool.work.kind != WORK_MAX_POOL || pool.in[0] != g->out || !group_may_wait(f, g, step))
		return false;
	g->second = arena_alloc(f->arena, sizeof *g->second);
	if (g->second)
		*g->second = pool;
	return g->second != NULL;
}
