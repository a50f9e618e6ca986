/* Groups that a backend may do in one go, so that what is between them never leaves the cache. */

#include "exec/fuse.h"

/* ---- Links of a chain ---- */

static bool is_concat(const struct group *g)
{
	return g->work.kind == WORK_CONCAT && g->work.ndim == 4 && g->work.axis == 1;
}

static bool is_norm(const struct group *g)
{
	return g->work.kind == WORK_BATCH_NORM && g->work.ndim == 4;
}

static bool is_convolution(const struct group *g, int64_t kernel)
{
	return g->work.kind == WORK_CONVOLUTION && g->work.ndim == 4 && (kernel == 0 || (g->work.kernel[0] == kernel && g->work.kernel[1] == kernel));
}

static bool is_pointwise(const struct group *g)
{
	const struct work *w = &g->work;
	return is_convolution(g, 1) && w->groups == 1 && w->stride[0] == 1 && w->stride[1] == 1 && w->padding[0] == 0 && w->padding[1] == 0;
}

static bool is_depthwise(const struct group *g)
{
	return is_convolution(g, 0) && g->work.groups > 1 && g->work.groups == g->work.size[1] && g->add < 0;
}

/* Nothing is added to it. */
static bool is_bare_pointwise(const struct group *g)
{
	return is_pointwise(g) && g->add < 0;
}

/* Links may be missing, but for one and down to two of them. */
static const struct pattern {
	bool (*is[CHAIN_LINKS])(const struct group *g);
	int needed;
} patterns[] = {
	{ { is_concat, is_norm, is_bare_pointwise }, 2 },            /* a dense layer */
	{ { is_bare_pointwise, is_depthwise, is_pointwise }, 1 },    /* an inverted residual */
};

/* ---- Finding them ---- */

struct chains {
	struct fusion *f;
	struct group **of;       /* by step: the group that it is part of */
};

static size_t last_step(const struct group *g)
{
	return g->steps[g->n_steps - 1];
}

/* The group that reads this one's result, first of all, when nobody else does. */
static struct group *reader(const struct chains *c, const struct group *g)
{
	size_t step = step_next_use(c->f, g->out, last_step(g));
	if (step == SIZE_MAX || used_after(c->f, g->out, step))
		return NULL;
	struct group *next = c->of[step];
	return next && next->n_in == 1 && next->in[0] == g->out && next->add != g->out && next->steps[0] == step ? next : NULL;
}

static bool may_wait(const struct chains *c, const struct chain *x)
{
	for (int i = 0; i + 1 < x->n; i++)
		if (!group_may_wait(c->f, x->links[i], last_step(x->links[x->n - 1])))
			return false;
	return true;
}

static bool match(const struct chains *c, struct group *g, const struct pattern *p, struct chain *x)
{
	bool has = false;
	*x = (struct chain){ .n = 0 };
	for (int i = 0; i < CHAIN_LINKS && g; i++)
		if (p->is[i](g)) {
			has = has || i == p->needed;
			x->links[x->n++] = g;
			g = reader(c, g);
		}
	return has && x->n > 1 && may_wait(c, x);
}

static bool keep_chain(struct chains *c, const struct chain *x)
{
	struct chain *kept = arena_alloc(c->f->arena, sizeof *kept);
	if (!kept)
		return false;
	*kept = *x;
	for (int i = 0; i < x->n; i++) {
		c->f->chain[last_step(x->links[i])] = kept;
		for (int k = 0; k < x->links[i]->n_steps; k++)
			c->of[x->links[i]->steps[k]] = NULL;
	}
	return true;
}

bool find_chains(struct fusion *f)
{
	size_t n = f->plan->n_steps;
	struct chains c = { f, arena_array(f->arena, n + 1, sizeof *c.of) };
	struct chain x;
	f->chain = arena_array(f->arena, n + 1, sizeof *f->chain);
	if (!c.of || !f->chain)
		return false;
	for (size_t i = 0; i < n; i++)
		for (int k = 0; f->at[i] && k < f->at[i]->n_steps; k++)
			c.of[f->at[i]->steps[k]] = f->at[i];
	for (size_t i = 0; i < n; i++)
		for (size_t p = 0; p < sizeof patterns / sizeof *patterns && c.of[i]; p++)
			if (c.of[i]->steps[0] == i && match(&c, c.of[i], &patterns[p], &x) && !keep_chain(&c, &x))
				return false;
	return true;
}
