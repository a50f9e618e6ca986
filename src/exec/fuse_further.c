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

/* ---- Rows of a product: turned and added to others, and normalised ---- */

enum { STAGES = 4 };

/* A view of the slot of which row r % turn * (rows / turn) + r / turn is the slot's row r; 0: it is something else. */
static int64_t turned_by(const struct fusion *f, int slot, int view)
{
	const struct value *v = f->plan->values[view];
	if (!value_is_contiguous(f->plan->values[slot]) || v->ndim != 3 || v->stride[2] != 1 || v->stride[0] != v->size[2]
	    || v->stride[1] != v->size[0] * v->size[2] ||
	    value_numel(v) != value_numel(f->plan->values[slot]))
		return 0;
	return v->size[0];
}

static void add_stage(struct group *g, struct group *does, size_t step)
{
	g->instead[g->n_instead++] = (struct stage){ does, step };
}

static bool take_turned(struct fusion *f, struct group *g)
{
	size_t turns = step_next_use(f, g->out, g->steps[g->n_steps - 1]), at;
	struct group add, *kept;
	int view = turns == SIZE_MAX || f->absorbed[turns] ? -1 : view_of(f, turns, g->out);
	int64_t turn = view < 0 ? 0 : turned_by(f, g->out, view);
	if (turn < 2 || g->work.n_posts || (at = step_next_use(f, view, turns)) == SIZE_MAX || f->absorbed[at] || used_after(f, view, at) ||
	    !group_read(f, at, &add) || add.work.kind != WORK_ADD || !group_may_wait(f, g, at))
		return false;
	int other = add.in[0] == view ? add.in[1] : add.in[0];
	const struct value *v = f->plan->values[other], *now = f->plan->values[view];
	if (other == view || v->ndim != 3 || memcmp(v->size, now->size, 3 * sizeof *v->size) != 0 || !value_is_contiguous(v)
	    || (add.out == other && !f->alone[other]) ||
	    !(kept = arena_alloc(f->arena, sizeof *kept)))
		return false;
	*kept = add;
	add_stage(g, NULL, turns);
	add_stage(g, kept, at);
	g->work.turn = turn;
	g->work.posts[g->work.n_posts++] = (struct post){ POST_ADD, 0, 0 };
	g->in[g->n_in++] = other;
	g->adds = true;
	g->steps[g->n_steps++] = turns;
	g->steps[g->n_steps++] = at;
	g->out = add.out;
	return true;
}

static bool take_row_norm(struct fusion *f, struct group *g, struct group *last)
{
	size_t at = step_next_use(f, last->out, last->steps[last->n_steps - 1]);
	struct group norm, *kept;
	if (at == SIZE_MAX || f->absorbed[at] || used_after(f, last->out, at) || !group_read(f, at, &norm) || norm.work.kind != WORK_LAYER_NORM
	    || norm.in[0] != last->out ||
	    !group_may_wait(f, g, at) || !group_may_wait(f, last, at) || !(kept = arena_alloc(f->arena, sizeof *kept)))
		return false;
	*kept = norm;
	add_stage(g, kept, at);
	last->work.norms = true;
	last->work.epsilon = norm.work.epsilon;
	last->norm_weights = norm.weights;
	last->norm_bias = norm.bias;
	last->steps[last->n_steps++] = at;
	last->out = norm.out;
	return true;
}

bool take_rows(struct fusion *f, struct group *g)
{
	struct group *last = g->second ? g->second : g, *before, *second = NULL;
	if (last->work.kind != WORK_MATMUL || last->weights < 0 || last->work.planes > 1 || last->n_steps + 3 > GROUP_STEPS)
		return true;
	before = arena_alloc(f->arena, sizeof *before);
	g->instead = arena_array(f->arena, STAGES, sizeof *g->instead);
	if (g->second && (second = arena_alloc(f->arena, sizeof *second)))
		*second = *g->second;
	if (!before || !g->instead || (g->second && !second))
		return false;
	*before = *g;
	before->second = second;
	before->instead = NULL;
	before->in = arena_array(f->arena, 3, sizeof *before->in);
	if (!before->in)
		return false;
	memcpy(before->in, g->in, (size_t)g->n_in * sizeof *g->in);
	add_stage(g, before, last->steps[last->n_steps - 1]);
	if (!g->second && !g->adds)
		take_turned(f, g);
	take_row_norm(f, g, last);
	g->n_instead = g->n_instead > 1 ? g->n_instead : 0;
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
