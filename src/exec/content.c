#include "exec/content.h"

#include <stdlib.h>

enum { MAX_NODES = 512, MAX_ELEMENTS = 1 << 24 };

/* The leaves that made a value, while they are collected. */
struct origin {
	const struct node *nodes[MAX_NODES];
	size_t n, looked_at;
};

static bool was_written(const struct value *v)
{
	return v->version != 0 || (v->base && v->base->version != 0);
}

static bool add_origin(struct value *v, void *data)
{
	struct origin *o = data;
	const struct node *n = v->producer;
	if (was_written(v) || v->ndim < 0)
		return false;
	if (!n)
		return !v->is_parameter && (v->storage || v->constant);
	for (size_t i = 0; i < o->n; i++)
		if (o->nodes[i] == n)
			return true;
	if (n->composite || o->n == MAX_NODES)
		return false;
	o->nodes[o->n++] = n;
	return true;
}

static bool collect(struct origin *o, struct value *v)
{
	if (!add_origin(v, o))
		return false;
	for (; o->looked_at < o->n; o->looked_at++) {
		const struct node *n = o->nodes[o->looked_at];
		for (int i = 0; i < n->op->n_args; i++)
			if (!datum_each_tensor(n->args[i], add_origin, o))
				return false;
	}
	return true;
}

static int by_order(const void *a, const void *b)
{
	return (*(const struct node *const *)a)->id - (*(const struct node *const *)b)->id;
}

/* A graph of these leaves alone, whose output is v. */
static bool make_graph(struct origin *o, struct value *v, struct arena *a, struct graph *g)
{
	struct node *copies = arena_array(a, o->n + 1, sizeof *copies);
	*g = (struct graph){ .arena = a, .output = datum_pointer(D_TENSOR, v) };
	if (!copies)
		return false;
	qsort(o->nodes, o->n, sizeof *o->nodes, by_order);
	for (size_t i = 0; i < o->n; i++) {
		copies[i] = *o->nodes[i];
		copies[i].parent = NULL;
		copies[i].next = i + 1 < o->n ? &copies[i + 1] : NULL;
	}
	g->nodes = o->n ? copies : NULL;
	return true;
}

static double *run_for(const struct graph *g, struct arena *a)
{
	nns_error ignored = { 0 };
	struct run r = { 0 };
	struct run_options options = { .threads = 1 };
	double *out = NULL;
	struct plan *p = plan_new(g, &ignored);
	if (p && run_init(&r, p, &ignored) && run_execute(&r, &options, &ignored)) {
		const struct tensor *t = r.tensors[p->outputs[0]];
		out = arena_array(a, (size_t)tensor_numel(t) + 1, sizeof *out);
		if (out)
			tensor_to_doubles(t, out);
	}
	if (r.arena)
		run_release(&r);
	plan_free(p);
	return out;
}

const double *value_content(const struct value *v, struct arena *a)
{
	struct origin o = { .n = 0 };
	struct graph g;
	int64_t numel = value_numel(v);
	if (numel < 0 || numel > MAX_ELEMENTS || !collect(&o, (struct value *)v) || !make_graph(&o, (struct value *)v, a, &g))
		return NULL;
	return run_for(&g, a);
}
