/*
 * The backward graph as torchviz's make_dot draws it: the same boxes, labels,
 * colours and arrows in the order of its traversal (torchviz/dot.py).
 */

#include "ops/record.h"
#include "view/backward.h"
#include "view/saved.h"
#include "view/view.h"

struct painter {
	const struct graph *graph;
	struct following *following;
	const struct view_options *options;
	struct drawing *drawing;
	struct map numbers;       /* a value's address -> the number of its box; "seen " + address: an output that is drawn */
	int statements;
	bool some_gradient;       /* some output has a gradient */
	nns_error *err;
};

/* ---- Boxes of tensors ---- */

static const char *value_key(struct painter *p, const struct value *v)
{
	return arena_printf(p->graph->arena, "%p", (const void *)v);
}

/* The number of the box of v, the same each time. */
static int value_box(struct painter *p, const struct value *v)
{
	const char *key = value_key(p, v);
	const int *known = key ? map_get(&p->numbers, key) : NULL;
	if (known)
		return *known;
	int *number = arena_alloc(p->graph->arena, sizeof *number);
	if (!key || !number || !map_put(&p->numbers, p->graph->arena, key, number)) {
		p->drawing->failed = true;
		return 0;
	}
	*number = drawing_reserve(p->drawing);
	return *number;
}

static void add_shape(struct text *t, const struct value *v)
{
	text_addc(t, '(');
	for (int i = 0; i < v->ndim; i++)
		text_addf(t, "%s%lld", i ? ", " : "", (long long)v->size[i]);
	text_add(t, v->ndim < 0 ? "?)" : ")");
}

/* A name, a line break, a blank and the sizes. */
static const char *tensor_label(struct painter *p, const struct value *v, const char *name)
{
	struct text t;
	text_init(&t);
	text_addf(&t, "%s\n ", name ? name : "");
	add_shape(&t, v);
	char *label = t.failed ? NULL : arena_strndup(p->graph->arena, t.data, t.len);
	text_release(&t);
	if (!label)
		p->drawing->failed = true;
	return label;
}

/* make_dot's params: the parameters of the model and its inputs. */
static const char *given_name(const struct painter *p, const struct value *v)
{
	for (size_t i = 0; i < p->graph->n_inputs; i++)
		if (p->graph->inputs[i].value == v)
			return p->graph->inputs[i].name;
	return v->is_parameter ? v->name : NULL;
}

static void box(struct painter *p, int number, const char *label, const char *colour)
{
	struct style styles[] = { { "label", label }, { colour ? "fillcolor" : NULL, colour }, { NULL, NULL } };
	if (label)
		drawing_box(p->drawing, number, styles);
	p->statements++;
}

static void arrow(struct painter *p, int from, int to, const char *key, const char *value)
{
	struct style styles[] = { { key, value }, { NULL, NULL } };
	drawing_arrow(p->drawing, from, to, styles);
	p->statements++;
}

/* ---- Nodes ---- */

static int backward_box(struct painter *p, struct backward *b)
{
	if (b->box == 0)
		b->box = drawing_reserve(p->drawing) + 1;
	return b->box - 1;
}

/* Whether make_dot has drawn v as a tensor of its own before; from now on it has. */
static bool mark_seen(struct painter *p, const struct value *v)
{
	const char *key = value_key(p, v);
	char *seen = key ? arena_printf(p->graph->arena, "seen %s", key) : NULL;
	if (seen && map_has(&p->numbers, seen))
		return true;
	if (!seen || !map_put(&p->numbers, p->graph->arena, seen, seen))
		p->drawing->failed = true;
	return false;
}

static void draw_saved(struct painter *p, struct backward *b)
{
	struct saved *all;
	size_t n;
	if (!saved_of(p->graph->arena, b, &all, &n)) {
		p->drawing->failed = true;
		return;
	}
	for (size_t i = 0; i < n; i++)
		for (size_t k = 0; k < all[i].n_tensors; k++) {
			const struct value *v = all[i].tensors[k];
			const char *name = all[i].is_list ? arena_printf(p->graph->arena, "%s[%zu]", all[i].name, k) : all[i].name;
			if (!v)
				continue;
			int node = backward_box(p, b), number = all[i].is_own ? drawing_reserve(p->drawing) : value_box(p, v);
			arrow(p, node, number, "dir", "none");
			box(p, number, tensor_label(p, v, name), "orange");
			if (!all[i].is_own && !all[i].is_list)
				mark_seen(p, v);        /* an output that was saved before it is come to is not drawn as one */
		}
}

/* The tensors that a function of Python's own (torch.autograd.Function) saved: behind its edges, without names, always. */
static void draw_saved_tensors(struct painter *p, struct backward *b)
{
	struct saved *all;
	size_t n;
	if (!saved_of(p->graph->arena, b, &all, &n))
		p->drawing->failed = true;
	for (size_t i = 0; !p->drawing->failed && i < n; i++)
		for (size_t k = 0; k < all[i].n_tensors; k++) {
			const struct value *v = all[i].tensors[k];
			if (!v)
				continue;
			int number = value_box(p, v);
			arrow(p, number, backward_box(p, b), "dir", "none");
			box(p, number, tensor_label(p, v, given_name(p, v)), "orange");
			mark_seen(p, v);
		}
}

/* A function of Python's own has no saved attributes. */
static bool is_function(const struct backward *b)
{
	return b->node && b->node->op->function;
}

static const char *node_label(struct painter *p, const struct backward *b)
{
	struct text t;
	if (!p->options->show_attrs || is_function(b))
		return b->name;
	text_init(&t);
	char *label = saved_label(p->graph->arena, b, p->options->max_attr_chars, &t) && !t.failed ? arena_strndup(p->graph->arena, t.data, t.len) : NULL;
	text_release(&t);
	if (!label)
		p->drawing->failed = true;
	return label;
}

/* What stands before a node's edges. */
static void draw_node(struct painter *p, struct backward *b)
{
	b->mark = 1;
	if (p->options->show_saved && !is_function(b))
		draw_saved(p, b);
	if (b->variable) {
		int leaf = value_box(p, b->variable);
		box(p, leaf, tensor_label(p, b->variable, given_name(p, b->variable)), "lightblue");
		mark_seen(p, b->variable);
		arrow(p, leaf, backward_box(p, b), NULL, NULL);
	}
	box(p, backward_box(p, b), node_label(p, b), NULL);
}

struct step {
	struct backward *b;
	size_t next;
};

/* Depth first, with a stack of its own: a network may be deep. */
static bool draw_nodes(struct painter *p, struct backward *first)
{
	struct step *stack = NULL;
	size_t n = 0, cap = 0;
	struct arena *a = p->graph->arena;
	if (first->mark)
		return true;
	if (!(stack = arena_grow(a, stack, n, &cap, sizeof *stack)))
		return fail_memory(p->err);
	draw_node(p, first);
	stack[n++] = (struct step){ first, 0 };
	while (n > 0) {
		struct step *s = &stack[n - 1];
		if (s->next == s->b->n_next) {
			if (is_function(s->b))
				draw_saved_tensors(p, s->b);
			n--;
			continue;
		}
		struct backward *next = s->b->next[s->next++];
		if (!next)
			continue;
		arrow(p, backward_box(p, next), backward_box(p, s->b), NULL, NULL);
		if (next->mark)
			continue;
		draw_node(p, next);
		if (!(stack = arena_grow(a, stack, n, &cap, sizeof *stack)))
			return fail_memory(p->err);
		stack[n++] = (struct step){ next, 0 };
	}
	return true;
}

/* ---- Outputs ---- */

static bool draw_output(struct painter *p, struct value *v, const char *colour)
{
	struct backward *fn;
	if (mark_seen(p, v))
		return true;
	int number = value_box(p, v);
	box(p, number, tensor_label(p, v, given_name(p, v)), colour);
	if (!backward_of(p->following, v, &fn, p->err))
		return false;
	if (fn && !fn->variable) {
		if (!draw_nodes(p, fn))
			return false;
		arrow(p, backward_box(p, fn), number, NULL, NULL);
	}
	if (!v->base)
		return true;
	if (!draw_output(p, v->base, "darkolivegreen3"))
		return false;
	arrow(p, value_box(p, v->base), number, "style", "dotted");
	return true;
}

static bool has_no_gradient(struct value *v, void *data)
{
	(void)data;
	return !value_tracks_grad(v);
}

/* Beside outputs that have a gradient those that have none (indices of a maximum) are no part of it. */
static bool draw_each(struct value *v, void *data)
{
	const struct painter *p = data;
	if (p->some_gradient && has_no_gradient(v, NULL))
		return true;
	return draw_output(data, v, "darkolivegreen1");
}

/* resize_graph(): as large as its text is long, in Python's spelling of the number. */
static bool resize(struct painter *p)
{
	double size = p->statements * 0.15;
	struct text t;
	text_init(&t);
	if (size <= 12)
		text_add(&t, "12,12");
	else
		text_add_float(&t, size), text_addc(&t, ','), text_add_float(&t, size);
	char *s = t.failed ? NULL : arena_strndup(p->graph->arena, t.data, t.len);
	text_release(&t);
	if (!s)
		return fail_memory(p->err);
	drawing_graph_style(p->drawing, "size", s);
	return true;
}

static bool draw(struct painter *p)
{
	if (datum_count_tensors(p->graph->output) == 0)
		return fail(p->err, NNS_MODEL, "the model returns no tensor, so there is nothing to differentiate");
	p->some_gradient = !datum_each_tensor(p->graph->output, has_no_gradient, NULL);
	return datum_each_tensor(p->graph->output, draw_each, p) && resize(p);
}

bool view_autograd(const struct model *m, const struct graph *g, const struct view_options *o, struct drawing *d, nns_error *err)
{
	static const struct style box_styles[] = { { "align", "left" }, { "fontname", "monospace" }, { "fontsize", "10" }, { "height", "0.2" },
		{ "ranksep", "0.1" }, { "shape", "box" }, { "style", "filled" } };
	struct painter p = { .graph = g, .options = o, .drawing = d, .err = err };
	(void)m;
	if (!backward_follow(g, &p.following, err))
		return false;
	for (size_t i = 0; i < sizeof box_styles / sizeof *box_styles; i++)
		drawing_box_style(d, box_styles[i].key, box_styles[i].value);
	bool ok = draw(&p);
	backward_end(p.following);
	return ok && (!d->failed || fail_memory(err));
}
