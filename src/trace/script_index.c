/* Python's brackets in TorchScript code: slices of whole dimensions. */
#include <string.h>

#include "trace/script.h"

static bool is_int(const struct lang_args *args, size_t i, int64_t v)
{
	return i < args->n && args->items[i].kind == D_INT && args->items[i].u.i == v;
}

const struct value *script_first(const struct lang_args *args)
{
	return args->n && args->items[0].kind == D_TENSOR ? args->items[0].u.p : NULL;
}

static int64_t dim_of(const struct lang_args *args)
{
	const struct value *v = script_first(args);
	int64_t dim = args->n > 1 && args->items[1].kind == D_INT ? args->items[1].u.i : 0;
	return v && dim < 0 ? dim + v->ndim : dim;
}

/* slice(x, dim, start, end, step) of a whole dimension */
bool script_is_whole(const char *name, const struct lang_args *args)
{
	const struct value *v = script_first(args);
	int64_t dim = dim_of(args);
	if (strcmp(name, "slice") != 0 || !v || v->ndim <= dim || dim < 0)
		return false;
	bool from_start = args->n < 3 || args->items[2].kind == D_NONE || is_int(args, 2, 0);
	bool to_end = args->n < 4 || args->items[3].kind == D_NONE || is_int(args, 3, INT64_MAX) || is_int(args, 3, v->size[dim]);
	return from_start && to_end && (args->n < 5 || is_int(args, 4, 1));
}

static bool is_index(const char *name)
{
	return strcmp(name, "select") == 0 || strcmp(name, "slice") == 0 || strcmp(name, "unsqueeze") == 0 || strcmp(name, "index") == 0;
}

/*
 * x[:, 0] is select() where Python runs it, and x[:, :] is alias(): slices of whole dimensions are left out
 * (ATen/TensorIndexing.h: applySlice; python_variable_indexing.cpp).  The file has each as an operator.  The first of them becomes an
 * alias, which is taken back when the rest of the brackets does more.
 */
bool script_whole_slice(struct script_run *run, const struct lang_args *given, struct datum *out, nns_error *err)
{
	struct script_whole *w = &run->last_whole;
	struct datum x = given->items[0];
	struct lang_args args = { .items = &x, .n = 1 };
	int64_t dim = dim_of(given);
	struct node *before = run->rt->recorder.graph->last;
	const struct value *v = x.u.p;
	if (w->whole == v && dim > w->dim)
		return w->dim = dim, *out = x, true;
	if (v->producer && is_index(v->producer->op->base_name))
		return *out = x, true;   /* x[:, 1:, :] */
	if (!record_call(&run->rt->recorder, "alias", &args, out, err))
		return false;
	*w = (struct script_whole){ x.u.p, out->u.p, dim, before };
	return true;
}

void script_index_further(struct script_run *run, const char *name, struct lang_args *args)
{
	struct script_whole *w = &run->last_whole;
	struct graph *g = run->rt->recorder.graph;
	if (!w->whole || script_first(args) != w->whole || !is_index(name) || (strcmp(name, "index") != 0 && dim_of(args) <= w->dim))
		return;
	/* a slice that a line of its own named may be read again */
	if (g->last && g->last == w->whole->producer && g->last->code_line == run->rt->interp.line) {
		if (w->before)
			w->before->next = NULL;
		else
			g->nodes = NULL;
		g->last = w->before;
		g->n_nodes--;
	}
	args->items[0].u.p = w->value;
	w->whole = NULL;
}
