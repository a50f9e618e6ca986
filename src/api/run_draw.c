/*
 * Inputs that nobody gave: torch.randn() of their shape, torch.randint() for integers.  What the graph looks up in a table
 * must lie in it: bounds are followed from the input through what is computed of it to the operators that index.
 */
#include <stdlib.h>
#include <string.h>

#include "api/run.h"
#include "exec/draw.h"

/* A value is at most scale * x + shift, x being the largest number in the input. */
struct bound {
	double scale, shift;
};

struct drawing_range {
	struct arena *arena;
	double limit;            /* the input shall stay below; 0: none known */
	bool failed;
};

static const struct bound *bound_of(const struct value *v)
{
	return v ? v->note : NULL;
}

static void set_bound(struct drawing_range *r, struct value *v, double scale, double shift)
{
	struct bound *b = arena_alloc(r->arena, sizeof *b);
	if (b)
		*b = (struct bound){ scale, shift };
	v->note = b;
	r->failed = r->failed || !b;
}

/* ---- What is computed ---- */

static double number_arg(const struct node *n, const char *name, double none)
{
	int i = op_arg_index(n->op, name);
	return i >= 0 && datum_is_number(n->args[i]) ? datum_as_float(n->args[i]) : none;
}

static bool sum_up(struct value *v, void *data)
{
	struct bound *sum = data;
	const struct bound *b = bound_of(v);
	if (b) {
		sum->scale += b->scale;
		sum->shift += b->shift;
	}
	return true;
}

static bool take_larger(struct value *v, void *data)
{
	struct bound *most = data;
	const struct bound *b = bound_of(v);
	if (b) {
		most->scale = b->scale > most->scale ? b->scale : most->scale;
		most->shift = b->shift > most->shift ? b->shift : most->shift;
	}
	return true;
}

static bool is_named(const struct node *n, const char *name)
{
	size_t len = strlen(name);
	return strncmp(n->op->base_name, name, len) == 0 && (!n->op->base_name[len] || strcmp(n->op->base_name + len, "_") == 0);
}

/* Sums grow, products with a number scale, everything else passes on what it reads. */
static struct bound result_bound(const struct node *n)
{
	struct bound b = { 0, 0 };
	bool adds = is_named(n, "add"), many = is_named(n, "cumsum") || is_named(n, "sum");
	for (int i = 0; i < n->op->n_args; i++)
		datum_each_tensor(n->args[i], adds ? sum_up : take_larger, &b);
	if (adds)
		b.shift += number_arg(n, "other", 0) * number_arg(n, "alpha", 1);
	double factor = is_named(n, "mul") ? number_arg(n, "other", 1) : 1;
	const struct value *self = node_tensor(n, "self");
	if (many && self && value_numel(self) > 0)
		factor = (double)value_numel(self);
	return (struct bound){ b.scale * factor, b.shift * factor };
}

static bool reads_bounded(const struct node *n)
{
	struct bound any = { 0, 0 };
	for (int i = 0; i < n->op->n_args; i++)
		datum_each_tensor(n->args[i], sum_up, &any);
	return any.scale != 0 || any.shift != 0;
}

static void follow(struct drawing_range *r, const struct node *n)
{
	if (!reads_bounded(n))
		return;
	struct bound b = result_bound(n);
	for (int i = 0; i < n->n_outputs; i++) {
		struct value *v = n->outputs[i];
		if (v && v->dtype == DT_BOOL)
			set_bound(r, v, 0, 1);
		else if (v && dtype_is_integral(v->dtype))
			set_bound(r, v, b.scale, b.shift);
	}
}

/* ---- What indexes ---- */

static void keep_below(struct drawing_range *r, const struct value *index, int64_t rows)
{
	const struct bound *b = bound_of(index);
	if (!b || b->scale <= 0 || rows <= 0)
		return;
	double limit = ((double)rows - 1 - b->shift) / b->scale + 1;
	limit = limit < 1 ? 1 : (double)(int64_t)limit;
	if (r->limit == 0 || limit < r->limit)
		r->limit = limit;
}

/* Operators that look `index` up in a dimension of `table`, by the names in their schemas. */
static const struct { const char *index, *table, *dim; int fixed; } lookups[] = {
	{ "indices", "weight", NULL, 0 },        /* embedding, embedding_bag */
	{ "index", "self", "dim", 0 },           /* gather, index_select, scatter, index_add, ... */
	{ "target", "self", NULL, 1 },           /* nll_loss: the classes */
};

static void see_lookups(struct drawing_range *r, const struct node *n)
{
	for (size_t i = 0; i < sizeof lookups / sizeof *lookups; i++) {
		const struct value *index = node_tensor(n, lookups[i].index), *table = node_tensor(n, lookups[i].table);
		if (!index || !table || table->ndim <= 0)
			continue;
		int64_t dim = lookups[i].dim ? (int64_t)number_arg(n, lookups[i].dim, 0) : lookups[i].fixed;
		dim = dim < 0 ? dim + table->ndim : dim >= table->ndim ? table->ndim - 1 : dim;
		if (dim >= 0)
			keep_below(r, index, table->size[dim]);
	}
	int list = op_arg_index(n->op, "indices");
	const struct value *self = node_tensor(n, "self");
	for (size_t i = 0; list >= 0 && self && datum_is_seq(n->args[list]) && i < n->args[list].u.seq->n && (int)i < self->ndim; i++)
		if (n->args[list].u.seq->items[i].kind == D_TENSOR)
			keep_below(r, n->args[list].u.seq->items[i].u.p, self->size[i]);
}

static void forget_bounds(const struct graph *g, struct value *input)
{
	input->note = NULL;
	for (const struct node *n = graph_first(g); n; n = graph_next(n))
		for (int i = 0; i < n->n_outputs; i++)
			if (n->outputs[i])
				n->outputs[i]->note = NULL;
}

enum { ELSE_BELOW = 10 };

static int64_t index_limit(const struct graph *g, struct value *input, nns_error *err)
{
	struct drawing_range r = { .arena = arena_new(NULL, err) };
	if (!r.arena)
		return -1;
	set_bound(&r, input, 1, 0);
	for (const struct node *n = graph_first(g); n && !r.failed; n = graph_next(n)) {
		see_lookups(&r, n);
		follow(&r, n);
	}
	forget_bounds(g, input);
	arena_free(r.arena);
	if (r.failed)
		return fail_memory(err), -1;
	return r.limit > 0 ? (int64_t)r.limit : ELSE_BELOW;
}

bool inputs_ranges(struct nns_plan *p, nns_error *err)
{
	const struct graph *g = p->graph.graph;
	p->limits = arena_array(p->arena, g->n_inputs + 1, sizeof *p->limits);
	if (!p->limits)
		return fail_memory(err);
	for (size_t i = 0; i < g->n_inputs && !p->options.inputs; i++)
		if (dtype_is_integral(g->inputs[i].value->dtype) && (p->limits[i] = index_limit(g, g->inputs[i].value, err)) < 0)
			return false;
	return true;
}

/* ---- Drawing ---- */

bool input_drawn(struct nns_plan *p, size_t index, struct tensor **out, nns_error *err)
{
	const struct value *v = p->graph.graph->inputs[index].given;
	struct tensor *t = tensor_new_strided(p->run.arena, &p->run.heap, v->dtype, v->ndim, v->size, v->stride, err);
	size_t n = t ? (size_t)tensor_numel(t) : 0;
	if (!t)
		return false;
	*out = t;
	if (!dtype_has_elements(v->dtype))
		return fail(err, NNS_UNSUPPORTED, "an input of %s cannot be drawn; give its values", dtype_name(v->dtype)), fail_hint(err, NNS_HINT_ARRAYS);
	if (v->dtype == DT_FLOAT32 && tensor_is_contiguous(t))
		return random_normal_float(&p->generator, (float *)(void *)tensor_data(t), n, 0, 1), true;
	void *values = calloc(n + 1, sizeof(double) + sizeof(float));
	if (!values)
		return fail_memory(err);
	if (dtype_is_float(v->dtype)) {
		draw_normal(&p->generator, v->dtype, values, (int64_t)n, 0, 1, (float *)((double *)values + n + 1));
		tensor_from_doubles(t, values);
	} else {
		random_int(&p->generator, values, n, 0, v->dtype == DT_BOOL ? 2 : p->limits[index]);
		tensor_from_ints(t, values);
	}
	free(values);
	return true;
}
