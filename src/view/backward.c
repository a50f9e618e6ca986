/*
 * Values keep their grad_fn as a struct tracked in value->note.  In-place
 * operators and views follow torch/csrc/autograd/variable.cpp: writing into a
 * view rebases the history of its base (CopySlices), and a view of something
 * that was written since is seen through AsStridedBackward0.
 */
#include "view/backward.h"

#include <string.h>

struct tracked {
	struct backward *fn;
	int seen;                /* version of the storage when fn was set */
	int version;             /* of the storage; counts on the owner */
	struct tracked *previous; /* all of them, so that notes can be taken away again */
	struct value *value;
};

struct following {
	const struct graph *graph;
	struct tracked *all;
};

static struct tracked *track(struct following *f, struct value *v)
{
	struct tracked *t = v->note;
	if (t)
		return t;
	t = arena_alloc(f->graph->arena, sizeof *t);
	if (!t)
		return NULL;
	t->previous = f->all;
	t->value = v;
	f->all = t;
	v->note = t;
	return t;
}

static struct backward *backward_new(struct following *f, const char *name, size_t n_next)
{
	struct backward *b = arena_alloc(f->graph->arena, sizeof *b);
	struct backward **next = arena_array(f->graph->arena, n_next + 1, sizeof *next);
	if (!b || !next)
		return NULL;
	b->name = name;
	b->next = next;
	b->n_next = n_next;
	return b;
}

/* ---- The grad_fn of a value ---- */

static bool is_input(const struct graph *g, const struct value *v)
{
	for (size_t i = 0; i < g->n_inputs; i++)
		if (g->inputs[i].value == v)
			return true;
	return false;
}

/* A leaf: nothing made it, and it was not written into before it came to require grad. */
static bool is_leaf(const struct graph *g, const struct value *v)
{
	return !v->producer && !v->base && v->requires_grad && (v->is_parameter || v->version == 0 || is_input(g, v));
}

static bool leaf_gradient(struct following *f, struct value *v, struct tracked *t, struct backward **out)
{
	*out = NULL;
	if (!is_leaf(f->graph, v))
		return true;
	t->fn = backward_new(f, "AccumulateGrad", 0);
	if (!t->fn)
		return false;
	t->fn->variable = v;
	*out = t->fn;
	return true;
}

static bool gradient_of(struct following *f, struct value *v, struct backward **out)
{
	struct tracked *t = track(f, v), *owner = v->base ? track(f, v->base) : NULL;
	struct backward *base;
	*out = NULL;
	if (!t || (v->base && !owner))
		return false;
	if (!v->base || t->seen == owner->version || !dtype_can_require_grad(v->dtype)) {
		*out = t->fn;
		return *out || v->base || leaf_gradient(f, v, t, out);
	}
	if (!gradient_of(f, v->base, &base))
		return false;
	*out = t->fn;
	if (!base)
		return true;
	struct backward *fn = backward_new(f, "AsStridedBackward0", 1);
	if (!fn)
		return false;
	fn->view = v;
	fn->next[0] = base;
	t->fn = *out = fn;
	t->seen = owner->version;
	return true;
}

/* ---- Edges of an operator ---- */

struct edges {
	struct following *f;
	struct backward **items;
	size_t n, cap;
	bool any;
};

static bool add_edge(struct value *v, void *data)
{
	struct edges *e = data;
	struct backward *fn;
	struct backward **items = arena_grow(e->f->graph->arena, e->items, e->n, &e->cap, sizeof *items);
	if (!items || !gradient_of(e->f, v, &fn))
		return false;
	e->items = items;
	items[e->n++] = fn;
	e->any = e->any || fn;
	return true;
}

static bool add_none(struct edges *e)
{
	struct backward **items = arena_grow(e->f->graph->arena, e->items, e->n, &e->cap, sizeof *items);
	if (!items)
		return false;
	e->items = items;
	items[e->n++] = NULL;
	return true;
}

/* One edge for each differentiable input, in the order of the facts; one for each item of a list. */
static bool collect_edges(struct edges *e, const struct node *n)
{
	char name[64];
	for (const char *p = n->op->fact->edges; *p; ) {
		size_t len = strcspn(p, ",");
		int i = -1;
		if (len < sizeof name) {
			memcpy(name, p, len);
			name[len] = 0;
			i = op_arg_index(n->op, name);
		}
		bool empty = i < 0 || datum_count_tensors(n->args[i]) == 0;
		if (empty ? !add_none(e) : !datum_each_tensor(n->args[i], add_edge, e))
			return false;
		p += len;
		p += *p == ',';
	}
	return true;
}

/* ---- Following one operator ---- */

static bool is_written(const struct node *n, const struct value *v)
{
	for (int i = 0; i < n->op->n_args; i++)
		if (n->op->args[i].writes && n->args[i].kind == D_TENSOR && n->args[i].u.p == v)
			return true;
	return false;
}

static bool is_passed_on(const struct node *n, const struct value *v)
{
	for (int i = 0; i < n->op->n_args; i++)
		if (n->args[i].kind == D_TENSOR && n->args[i].u.p == v)
			return true;
	return false;
}

/* rebase_history() */
static bool rebase(struct following *f, struct value *v, struct tracked *owner, struct backward *fn)
{
	struct backward *before, *slices = backward_new(f, "CopySlices", fn->n_next > 1 ? fn->n_next : 1);
	if (!slices || !gradient_of(f, v->base, &before))
		return false;
	slices->next[0] = before;
	for (size_t i = 1; i < fn->n_next; i++)
		slices->next[i] = fn->next[i];
	owner->fn = slices;
	return true;
}

static bool settle_written(struct following *f, struct value *v, struct backward *fn)
{
	struct tracked *t = track(f, v), *owner = track(f, v->base ? v->base : v);
	if (!t || !owner)
		return false;
	if (fn && v->base && !rebase(f, v, owner, fn))
		return false;
	owner->version++;
	if (fn && !v->base)
		t->fn = fn;
	t->seen = v->base ? t->seen : owner->version;
	return true;
}

static bool settle_output(struct following *f, struct value *v, struct backward *fn)
{
	struct tracked *t = track(f, v), *owner = v->base ? track(f, v->base) : t;
	if (!t || !owner)
		return false;
	t->fn = dtype_can_require_grad(v->dtype) ? fn : NULL;
	t->seen = owner->version;
	return true;
}

/* Arguments written without being handed back count as written only. */
static bool settle_arguments(struct following *f, const struct node *n, struct backward *fn)
{
	for (int i = 0; i < n->op->n_args; i++) {
		if (!n->op->args[i].writes || n->args[i].kind != D_TENSOR)
			continue;
		struct value *v = n->args[i].u.p;
		bool returned = false;
		for (int k = 0; k < n->n_outputs; k++)
			returned = returned || n->outputs[k] == v;
		if (!settle_written(f, v, returned ? fn : NULL))
			return false;
	}
	return true;
}

static bool follow(struct following *f, const struct node *n)
{
	const struct op_fact *fact = n->op->fact;
	struct edges e = { .f = f };
	struct backward *fn = NULL;
	if (n->composite)        /* without parts: it handed its argument on */
		return true;
	if (fact->backward[0] && n->grad_enabled && !collect_edges(&e, n))
		return false;
	if (e.any) {
		if (!(fn = backward_new(f, fact->backward, 0)))
			return false;
		fn->node = n;
		fn->next = e.items;
		fn->n_next = e.n;
	}
	if (!settle_arguments(f, n, fn))
		return false;
	for (int i = 0; i < n->n_outputs; i++)
		if (n->outputs[i] && !is_written(n, n->outputs[i]) && !is_passed_on(n, n->outputs[i])
		    && !settle_output(f, n->outputs[i], op_output_is_constant(n->op, (size_t)i) ? NULL : fn))
			return false;
	return true;
}

static void forget(struct following *f)
{
	for (struct tracked *t = f->all; t; t = t->previous)
		t->value->note = NULL;
	f->all = NULL;
}

bool backward_follow(const struct graph *g, struct following **out, nns_error *err)
{
	struct following *f = arena_alloc(g->arena, sizeof *f);
	if (!f)
		return fail_memory(err);
	f->graph = g;
	*out = f;
	for (const struct node *n = graph_first(g); n; n = graph_next(n))
		if (!follow(f, n)) {
			forget(f);
			return fail_memory(err);
		}
	return true;
}

bool backward_of(struct following *f, struct value *v, struct backward **out, nns_error *err)
{
	return gradient_of(f, v, out) || fail_memory(err);
}

void backward_end(struct following *f)
{
	forget(f);
}
