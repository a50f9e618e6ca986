#include "exec/fuse.h"

#include <string.h>

/* ---- What every step mentions ---- */

struct mention {
	struct fusion *f;
	size_t step;
	size_t *count;           /* by slot; counting, or filling in */
	bool fill;
};

static void each_slot(struct datum d, void (*fn)(int slot, void *data), void *data)
{
	if (d.kind == D_TENSOR)
		fn((int)d.u.i, data);
	for (size_t i = 0; datum_is_seq(d) && i < d.u.seq->n; i++)
		each_slot(d.u.seq->items[i], fn, data);
}

void step_each_slot(const struct plan_step *s, void (*fn)(int slot, void *data), void *data)
{
	for (int i = 0; i < s->node->op->n_args; i++)
		each_slot(s->args[i], fn, data);
}

static void see(int slot, void *data)
{
	struct mention *m = data;
	if (m->fill)
		m->f->uses[m->f->first_use[slot] + m->count[slot]] = m->step;
	m->count[slot]++;
}

static void see_steps(struct mention *m)
{
	const struct plan *p = m->f->plan;
	memset(m->count, 0, (p->n_values + 1) * sizeof *m->count);
	for (m->step = 0; m->step < p->n_steps; m->step++)
		step_each_slot(&p->steps[m->step], see, m);
}

/* Steps that read a slot; what an operator makes is not a use. */
static bool find_uses(struct fusion *f)
{
	size_t n = f->plan->n_values;
	struct mention m = { .f = f, .count = arena_array(f->arena, n + 1, sizeof *m.count) };
	f->first_use = arena_array(f->arena, n + 2, sizeof *f->first_use);
	if (!m.count || !f->first_use)
		return false;
	see_steps(&m);
	for (size_t i = 0; i < n; i++)
		f->first_use[i + 1] = f->first_use[i] + m.count[i];
	f->uses = arena_array(f->arena, f->first_use[n] + 1, sizeof *f->uses);
	m.fill = true;
	if (f->uses)
		see_steps(&m);
	return f->uses != NULL;
}

static bool is_output(const struct fusion *f, int slot)
{
	for (size_t i = 0; i < f->plan->n_outputs; i++)
		if (f->plan->outputs[i] == slot)
			return true;
	return false;
}

size_t step_next_use(const struct fusion *f, int slot, size_t after)
{
	size_t low = f->first_use[slot], high = f->first_use[slot + 1];
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (f->uses[middle] <= after)
			low = middle + 1;
		else
			high = middle;
	}
	return low < f->first_use[slot + 1] ? f->uses[low] : SIZE_MAX;
}

bool used_after(const struct fusion *f, int slot, size_t step)
{
	return is_output(f, slot) || step_next_use(f, slot, step) != SIZE_MAX;
}

/* ---- Memory that slots may share ---- */

static int root(struct fusion *f, int slot)
{
	while (f->family[slot] != slot)
		slot = f->family[slot] = f->family[f->family[slot]];
	return slot;
}

static void join(struct fusion *f, int x, int y)
{
	f->family[root(f, x)] = root(f, y);
}

struct sharing {
	struct fusion *f;
	int out;
	bool view;               /* the kernel gives a view; those of unsafe_split have no base */
};

static void share(int slot, void *data)
{
	struct sharing *s = data;
	const struct value *in = s->f->plan->values[slot], *out = s->f->plan->values[s->out];
	if (s->view || in == out->base || out == in->base || (in->base && in->base == out->base) || (in->dtype == out->dtype && value_numel(in) == value_numel(out)))
		join(s->f, slot, s->out);
}

/* An element-wise operator, and one that a backend knows, makes memory of its own. */
static bool makes_own(struct fusion *f, size_t step)
{
	const struct plan_step *s = &f->plan->steps[step];
	return !s->row || s->row->real || group_known(s);
}

static bool find_alone(struct fusion *f)
{
	const struct plan *p = f->plan;
	int *members = arena_array(f->arena, p->n_values + 1, sizeof *members);
	f->alone = arena_array(f->arena, p->n_values + 1, sizeof *f->alone);
	if (!members || !f->alone)
		return false;
	for (size_t i = 0; i < p->n_values; i++)
		members[f->family[i]]++;
	for (size_t i = 0; i < p->n_values; i++)
		f->alone[i] = members[f->family[i]] == 1;
	for (size_t i = 0; i < p->n_sources; i++)
		f->alone[p->sources[i].slot] = false;
	return true;
}

static bool find_families(struct fusion *f)
{
	const struct plan *p = f->plan;
	f->family = arena_array(f->arena, p->n_values + 1, sizeof *f->family);
	f->written = arena_array(f->arena, p->n_values + 1, sizeof *f->written);
	if (!f->family || !f->written)
		return false;
	for (size_t i = 0; i < p->n_values; i++)
		f->family[i] = (int)i;
	for (size_t i = 0; i < p->n_steps; i++)
		for (int k = 0; k < p->steps[i].n_outputs; k++) {
			struct sharing s = { f, p->steps[i].outputs[k], kernel_reshapes(p->steps[i].row) };
			if (s.out >= 0 && !makes_own(f, i))
				step_each_slot(&p->steps[i], share, &s);
		}
	for (size_t i = 0; i < p->n_values; i++)
		f->family[i] = root(f, (int)i);
	return find_alone(f);
}

bool step_writes(const struct fusion *f, size_t step, int family)
{
	const struct plan_step *s = &f->plan->steps[step];
	for (int i = 0; i < s->node->op->n_args; i++)
		if (s->args[i].kind == D_TENSOR && step_writes_argument(s, i) && (family < 0 || f->family[s->args[i].u.i] == family))
			return true;
	return false;
}

static void find_written(struct fusion *f)
{
	const struct plan *p = f->plan;
	for (size_t i = 0; i < p->n_steps; i++)
		for (int a = 0; a < p->steps[i].node->op->n_args; a++)
			if (p->steps[i].args[a].kind == D_TENSOR && step_writes_argument(&p->steps[i], a))
				f->written[f->family[p->steps[i].args[a].u.i]] = true;
	for (size_t i = 0; i < p->n_values; i++)
		f->written[i] = f->written[f->family[i]];
}

/* ---- Constants ---- */

static void see_variable(int slot, void *data)
{
	struct mention *m = data;
	if (!m->f->constant[slot])
		m->fill = true;
}

static bool draws(const struct op *op)
{
	static const char *const words[] = { "rand", "dropout", "normal", "bernoulli", "rrelu", "multinomial", "poisson", "exponential" };
	for (int i = 0; i < op->n_args; i++)
		if (op->args[i].type == ARG_GENERATOR)
			return true;
	for (size_t i = 0; i < sizeof words / sizeof *words; i++)
		if (strstr(op->name, words[i]))
			return true;
	return false;
}

static bool foldable(struct fusion *f, size_t step)
{
	const struct plan_step *s = &f->plan->steps[step];
	struct mention m = { .f = f };
	step_each_slot(s, see_variable, &m);
	if (m.fill || draws(s->node->op) || !s->row || step_writes(f, step, -1))
		return false;
	for (int i = 0; i < s->n_outputs; i++)
		if (s->outputs[i] >= 0 && f->written[s->outputs[i]])
			return false;
	return true;
}

/* Parameters that nobody writes, and what is made of them alone. */
static bool find_constants(struct fusion *f)
{
	const struct plan *p = f->plan;
	f->constant = arena_array(f->arena, p->n_values + 1, sizeof *f->constant);
	f->folded = arena_array(f->arena, p->n_steps + 1, sizeof *f->folded);
	if (!f->constant || !f->folded)
		return false;
	for (size_t i = 0; i < p->n_sources; i++)
		f->constant[p->sources[i].slot] = p->sources[i].input < 0 && !f->written[p->sources[i].slot];
	for (size_t i = 0; i < p->n_steps; i++) {
		f->folded[i] = foldable(f, i);
		for (int k = 0; f->folded[i] && k < p->steps[i].n_outputs; k++)
			if (p->steps[i].outputs[k] >= 0)
				f->constant[p->steps[i].outputs[k]] = true;
	}
	return true;
}

/* ---- Chains ---- */

struct reading {
	const struct fusion *f;
	const struct group *g;
	bool found;
};

static void see_updated(int slot, void *data)
{
	struct reading *r = data;
	for (int k = 1; k < r->g->n_in; k++)
		r->found = r->found || r->f->family[slot] == r->f->family[r->g->in[k]];
}

/* Whether a step reads what the group writes in place. */
static bool reads_updated(const struct fusion *f, const struct group *g, size_t step)
{
	struct reading r = { f, g, false };
	if (g->updates)
		step_each_slot(&f->plan->steps[step], see_updated, &r);
	return r.found;
}

bool group_may_wait(const struct fusion *f, const struct group *g, size_t until)
{
	for (size_t i = g->steps[g->n_steps - 1] + 1; i < until; i++) {
		if (reads_updated(f, g, i))
			return false;
		if (g->add >= 0 && step_writes(f, i, f->family[g->add]))
			return false;
		for (int k = 0; k < g->n_in; k++)
			if (step_writes(f, i, f->family[g->in[k]]))
				return false;
	}
	return true;
}

/* A step that takes the group's result further: nobody else may want that. */
static bool takes_over(struct fusion *f, const struct group *g, size_t step)
{
	const struct plan_step *s = &f->plan->steps[step];
	int out = s->n_outputs > 0 ? s->outputs[0] : -1;
	if (out < 0 || !plain_value(f, out, step) || g->n_steps == GROUP_STEPS)
		return false;
	return out == g->out || !used_after(f, g->out, step);
}

static void take(struct group *g, size_t step, int out)
{
	g->steps[g->n_steps++] = step;
	g->out = out;
}

static bool take_norm(struct fusion *f, struct group *g, size_t step)
{
	struct group norm;
	if (g->work.kind != WORK_CONVOLUTION || g->work.n_posts || g->add >= 0 || g->norm >= 0 ||
	    !group_read(f, step, &norm) || norm.work.kind != WORK_BATCH_NORM || norm.in[0] != g->out)
		return false;
	g->norm = g->n_steps;
	take(g, step, norm.out);
	return true;
}

static bool take_add(struct fusion *f, struct group *g, size_t step)
{
	struct group add;
	if (g->work.kind != WORK_CONVOLUTION || g->work.n_posts || g->add >= 0 || !group_read(f, step, &add) || add.work.kind != WORK_ADD)
		return false;
	int other = add.in[0] == g->out ? add.in[1] : add.in[0];
	const struct value *v = f->plan->values[other];
	if (other == g->out || v->ndim != g->work.ndim || memcmp(v->size, g->work.size, (size_t)v->ndim * sizeof *v->size) != 0 || f->constant[other])
		return false;
	if (add.out == other && !f->alone[other])
		return false;
	g->add = other;
	g->work.posts[g->work.n_posts++] = (struct post){ POST_SUM, 0, 0 };
	take(g, step, add.out);
	return true;
}

static bool is_norm(enum work_kind k)
{
	return k == WORK_BATCH_NORM || k == WORK_BATCH_STATS;
}

static bool takes_posts(enum work_kind k)
{
	return k == WORK_CONVOLUTION || k == WORK_DECONVOLUTION || k == WORK_MATMUL || is_norm(k);
}

/* A ReLU; and with statistics of the batch, between limits that 0 is between. */
static bool norm_takes(enum work_kind k, const struct post *p)
{
	if (p->kind == POST_CLIP)
		return k == WORK_BATCH_STATS && p->alpha <= 0 && p->beta >= 0;
	return p->kind == POST_RELU && p->alpha == 0;
}

/* oneDNN's depthwise convolutions do the second of two posts of a kind with the numbers of the first. */
static bool repeats_kind(const struct work *w, const struct post *posts, int n)
{
	for (int i = 0; i < w->n_posts; i++)
		for (int k = 0; k < n; k++)
			if (w->posts[i].kind == posts[k].kind)
				return true;
	return false;
}

static bool take_post(struct fusion *f, struct group *g, size_t step)
{
	struct post posts[2];
	int n, slot;
	if (!takes_posts(g->work.kind) || !post_read(&f->plan->steps[step], posts, &n, &slot) || slot != g->out || g->work.n_posts + n > BACKEND_POSTS ||
	    repeats_kind(&g->work, posts, n))
		return false;
	if (is_norm(g->work.kind) && (g->work.n_posts || n != 1 || !norm_takes(g->work.kind, posts)))
		return false;
	memcpy(&g->work.posts[g->work.n_posts], posts, (size_t)n * sizeof *posts);
	g->work.n_posts += n;
	take(g, step, f->plan->steps[step].outputs[0]);
	return true;
}

/* Reshaping what lies row by row does nothing. */
static bool take_view(struct fusion *f, struct group *g, size_t step)
{
	const struct plan_step *s = &f->plan->steps[step];
	if (g->work.kind != WORK_MATMUL || (!step_is(s, "view") && !step_is(s, "_unsafe_view")) || step_slot(s, "self") != g->out)
		return false;
	const struct value *v = plain_value(f, s->outputs[0], step);
	if (!v || !value_is_contiguous(v) || v->size[v->ndim - 1] != g->work.size[g->work.ndim - 1])
		return false;
	take(g, step, s->outputs[0]);
	return true;
}

/* A constant along the last dimension, added to a matmul: its bias. */
static bool take_bias(struct fusion *f, struct group *g, size_t step)
{
	const struct plan_step *s = &f->plan->steps[step];
	if (g->work.kind != WORK_MATMUL || g->work.n_posts || g->bias >= 0 || (!step_is(s, "add.Tensor") && !step_is(s, "add_.Tensor")))
		return false;
	int x = step_slot(s, "self"), y = step_slot(s, "other"), bias = x == g->out ? y : x;
	const struct value *v = plain_value(f, bias, step);
	const struct datum *alpha = step_arg(s, "alpha");
	if ((x != g->out && y != g->out) || !v || !f->constant[bias] || v->ndim != 1 || v->size[0] != g->work.size[g->work.ndim - 1] ||
	    (alpha && datum_is_number(*alpha) && datum_as_float(*alpha) != 1))
		return false;
	g->bias = bias;
	take(g, step, s->outputs[0]);
	return true;
}

/* Another tensor, of the sizes that the result has now, added to a product. */
static bool take_other(struct fusion *f, struct group *g, size_t step)
{
	struct group add;
	if (g->work.kind != WORK_MATMUL || g->weights < 0 || g->adds || g->work.n_posts == BACKEND_POSTS || !group_read(f, step, &add) || add.work.kind != WORK_ADD)
		return false;
	int other = add.in[0] == g->out ? add.in[1] : add.in[0];
	const struct value *v = f->plan->values[other], *now = f->plan->values[g->out];
	if (other == g->out || v->ndim != now->ndim || memcmp(v->size, now->size, (size_t)v->ndim * sizeof *v->size) != 0 || !value_is_contiguous(v) ||
	    (add.out == other && !f->alone[other]))
		return false;
	g->in[g->n_in++] = other;
	g->adds = true;
	g->work.posts[g->work.n_posts++] = (struct post){ POST_ADD, 0, 0 };
	take(g, step, add.out);
	return true;
}

static bool extend(struct fusion *f, struct group *g)
{
	size_t step = step_next_use(f, g->out, g->steps[g->n_steps - 1]);
	if (step == SIZE_MAX || f->absorbed[step] || g->work.planes > 1 || !takes_over(f, g, step) || !group_may_wait(f, g, step))
		return false;
	return take_norm(f, g, step) || take_add(f, g, step) || take_post(f, g, step) || take_bias(f, g, step) || take_view(f, g, step)
	    || take_other(f, g, step) || take_planes(f, g, step);
}

enum { HIDDEN = 1024, WORTH_PARTS = 1 << 18 };   /* features, elements */

/* A product that takes the result of a large one further is done with it. */
static bool take_second(struct fusion *f, struct group *g)
{
	struct group second;
	size_t step = step_next_use(f, g->out, g->steps[g->n_steps - 1]);
	int64_t hidden = g->work.size[g->work.ndim - 1];
	if (g->work.kind != WORK_MATMUL || g->weights < 0 || g->adds || g->work.planes > 1 || step == SIZE_MAX || f->absorbed[step] || hidden < HIDDEN ||
	    value_numel(f->plan->values[g->out]) < WORTH_PARTS || used_after(f, g->out, step))
		return false;
	if (!group_read(f, step, &second) || second.work.kind != WORK_MATMUL || second.weights < 0 || second.in[0] != g->out || second.n_in != 1)
		return false;
	while (extend(f, &second))
		;
	if (second.adds && second.work.posts[0].kind != POST_ADD)
		return false;
	g->second = arena_alloc(f->arena, sizeof *g->second);
	if (!g->second || !group_may_wait(f, g, second.steps[second.n_steps - 1]))
		return g->second = NULL, false;
	*g->second = second;
	return true;
}

/* A step in place alone needs memory that nobody else looks at. */
static bool may_begin(const struct fusion *f, const struct group *g)
{
	return !f->plan->steps[g->steps[0]].node->op->inplace || f->alone[g->out];
}

static size_t group_end(const struct group *g)
{
	const struct group *last = g->second ? g->second : g;
	return last->steps[last->n_steps - 1];
}

static bool find_groups(struct fusion *f)
{
	for (size_t i = 0; i < f->plan->n_steps; i++) {
		struct group g, *kept;
		if (f->absorbed[i] || f->folded[i] || !group_read(f, i, &g) || !may_begin(f, &g))
			continue;
		while (extend(f, &g))
			;
		if (!take_second(f, &g))
			take_pool(f, &g);
		if (!take_rows(f, &g))
			return false;
		kept = arena_alloc(f->arena, sizeof *kept);
		if (!kept)
			return false;
		*kept = g;
		for (int k = 0; k < g.n_steps; k++)
			f->absorbed[g.steps[k]] = true;
		for (int k = 0; g.second && k < g.second->n_steps; k++)
			f->absorbed[g.second->steps[k]] = true;
		f->at[group_end(&g)] = kept;
	}
	return true;
}

bool fuse(struct fusion *f, const struct plan *p, struct arena *a, nns_error *err)
{
	*f = (struct fusion){ .plan = p, .arena = a };
	f->at = arena_array(a, p->n_steps + 1, sizeof *f->at);
	f->absorbed = arena_array(a, p->n_steps + 1, sizeof *f->absorbed);
	f->constant = arena_array(a, p->n_values + 1, sizeof *f->constant);
	if (f->at && f->absorbed && f->constant && find_uses(f) && find_families(f)) {
		find_written(f);
		if (find_constants(f) && find_groups(f) && find_chains(f))
			return true;
	}
	return fail_memory(err);
}
