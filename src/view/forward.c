/*
 * The forward graph: operators with the sizes they make, in frames of the
 * modules that called them.  With a depth, a call deeper than that is one box.
 */
#include <string.h>

#include "view/view.h"

#include "ops/op.h"

/* A box: an operator, a folded call, an input or an output. */
struct unit {
	int box;
	const struct node *node;     /* NULL for folded calls */
	const struct call *call;     /* the folded call, or the one around the operator */
	struct unit *next;           /* in the same call */
	double ms;                   /* of what it stands for, when times are shown; negative: none of its own */
};

struct link {
	int from, to;
	const char *label;
};

struct forward {
	const struct graph *graph;
	const struct view_options *options;
	struct drawing *drawing;
	struct unit **first, **last;     /* by a call's serial */
	struct unit **folded;            /* by a call's serial */
	struct map makers;               /* a value's address -> the unit that made it */
	struct map links;                /* "from to" of arrows that are there */
	struct link *arrows; size_t n_arrows, cap;
	double total, longest;           /* ms, of units */
	bool failed;
};

/* ---- Colours ---- */

static const char *colour_of(const struct op *op)
{
	static const char *const colours[] = { [OP_OTHER] = "#fce5cd", [OP_PRODUCT] = "#cfe2f3", [OP_NORM] = "#d9ead3",
		[OP_SAMPLING] = "#f4cccc", [OP_ACTIVATION] = "#fff2cc", [OP_DROPOUT] = "#f3f3f3" };
	return op->view ? "#f3f3f3" : colours[op_kind(op)];
}

/* From white over yellow to red, by the share of the longest. */
static const char *heat(struct forward *f, double ms)
{
	static const double stops[3][3] = { { 255, 255, 255 }, { 255, 209, 102 }, { 235, 87, 87 } };
	double at = f->longest > 0 && ms > 0 ? 2 * ms / f->longest : 0;
	int from = at >= 1, c[3];
	for (int i = 0; i < 3; i++)
		c[i] = (int)(stops[from][i] + (stops[from + 1][i] - stops[from][i]) * (at - from) + 0.5);
	const char *colour = arena_printf(f->graph->arena, "#%02x%02x%02x", c[0], c[1], c[2]);
	f->failed = f->failed || !colour;
	return colour ? colour : "#ffffff";
}

/* ---- Text ---- */

static const char *keep(struct forward *f, struct text *t)
{
	char *s = t->failed ? NULL : arena_strndup(f->graph->arena, t->data ? t->data : "", t->len);
	text_release(t);
	f->failed = f->failed || !s;
	return s ? s : "";
}

static void add_sizes(struct text *t, const struct value *v)
{
	if (v->ndim < 0) {
		text_addc(t, '?');
		return;
	}
	for (int i = 0; i < v->ndim; i++)
		text_addf(t, "%s%lld", i ? "×" : "", (long long)v->size[i]);
	if (v->ndim == 0)
		text_add(t, "scalar");
}

static const char *sizes_text(struct forward *f, const struct value *v)
{
	struct text t;
	text_init(&t);
	add_sizes(&t, v);
	return keep(f, &t);
}

/* The operator, and below it the parameters it reads. */
static const char *operator_label(struct forward *f, const struct node *n)
{
	struct text t;
	text_init(&t);
	text_add(&t, n->op->base_name);
	for (int i = 0; i < n->op->n_args; i++) {
		const struct value *v = n->args[i].kind == D_TENSOR ? n->args[i].u.p : NULL;
		if (!v || !v->is_parameter)
			continue;
		text_addf(&t, "\n%s ", n->op->args[i].name);
		add_sizes(&t, v);
	}
	return keep(f, &t);
}

/* A name of the model's on one line of a label: Graphviz reads what follows a backslash as a command. */
static void add_name(struct text *t, const char *name)
{
	for (; *name; name++) {
		if (*name == '\\' || *name == '\n' || *name == '\t')
			text_add(t, *name == '\n' ? "\\\\n" : *name == '\t' ? "\\\\t" : "\\\\");
		else
			text_addc(t, *name);
	}
}

static const char *name_label(struct forward *f, const char *name)
{
	struct text t;
	text_init(&t);
	add_name(&t, name);
	return keep(f, &t);
}

static const char *call_label(struct forward *f, const struct call *c)
{
	struct text t;
	text_init(&t);
	add_name(&t, c->path);
	text_add(&t, *c->path ? "\n" : "");
	add_name(&t, c->module->class_name);
	return keep(f, &t);
}

/* ---- Units ---- */

static const char *value_key(struct forward *f, const struct value *v)
{
	const char *key = arena_printf(f->graph->arena, "%p", (const void *)v);
	f->failed = f->failed || !key;
	return key ? key : "";
}

static struct unit *unit_new(struct forward *f, const struct node *n, const struct call *c)
{
	struct unit *u = arena_alloc(f->graph->arena, sizeof *u);
	if (!u) {
		f->failed = true;
		return NULL;
	}
	*u = (struct unit){ drawing_reserve(f->drawing), n, c, NULL, -1 };
	return u;
}

static void add_to_call(struct forward *f, struct unit *u, const struct call *c)
{
	if (f->last[c->serial])
		f->last[c->serial]->next = u;
	else
		f->first[c->serial] = u;
	f->last[c->serial] = u;
}

/* The call at the depth where folding begins that c is part of, or NULL. */
static const struct call *fold_of(const struct forward *f, const struct call *c)
{
	if (f->options->depth < 0 || !c || c->depth < f->options->depth)
		return NULL;
	while (c->depth > f->options->depth)
		c = c->parent;
	return c;
}

static struct unit *unit_of(struct forward *f, const struct node *n)
{
	const struct call *fold = fold_of(f, n->call);
	struct unit *u = fold ? f->folded[fold->serial] : NULL;
	if (u)
		return u;
	u = unit_new(f, fold ? NULL : n, fold ? fold : n->call);
	if (!u)
		return NULL;
	if (fold)
		f->folded[fold->serial] = u;
	const struct call *holder = fold ? fold->parent ? fold->parent : fold : n->call;
	add_to_call(f, u, holder);
	return u;
}

/* ---- Arrows ---- */

static void add_arrow(struct forward *f, int from, int to, const struct value *v)
{
	const char *key = arena_printf(f->graph->arena, "%d %d %p", from, to, (const void *)v);
	struct link *arrows = arena_grow(f->graph->arena, f->arrows, f->n_arrows, &f->cap, sizeof *arrows);
	if (!key || !arrows) {
		f->failed = true;
		return;
	}
	f->arrows = arrows;
	if (from == to || map_has(&f->links, key))
		return;
	if (!map_put(&f->links, f->graph->arena, key, (void *)key))
		f->failed = true;
	arrows[f->n_arrows++] = (struct link){ from, to, sizes_text(f, v) };
}

struct reading {
	struct forward *f;
	int to;
};

static bool read_value(struct value *v, void *data)
{
	struct reading *r = data;
	const struct unit *u = map_get(&r->f->makers, value_key(r->f, v));
	if (u)
		add_arrow(r->f, u->box, r->to, v);
	return true;
}

static bool made(struct forward *f, const struct value *v, struct unit *u)
{
	return map_put(&f->makers, f->graph->arena, value_key(f, v), u);
}

/* Whether the operator only keeps a module's state, as batch norm's count of batches: that is no part of the data's way. */
static bool keeps_state(struct forward *f, const struct node *n)
{
	const struct value *v = n->op->inplace && n->op->n_args && n->args[0].kind == D_TENSOR ? n->args[0].u.p : NULL;
	return v && !v->producer && !v->is_parameter && !map_has(&f->makers, value_key(f, v));
}

static void follow(struct forward *f, const struct node *n)
{
	struct unit *u = n->call && !keeps_state(f, n) ? unit_of(f, n) : NULL;
	if (!u)
		return;
	struct reading r = { f, u->box };
	double ms = f->options->times ? f->options->times[n->id] : -1;
	if (ms >= 0)
		u->ms = (u->ms < 0 ? 0 : u->ms) + ms;
	for (int i = 0; i < n->op->n_args; i++)
		datum_each_tensor(n->args[i], read_value, &r);
	for (int i = 0; i < n->n_outputs; i++)
		if (n->outputs[i] && !made(f, n->outputs[i], u))
			f->failed = true;
}

/* ---- Drawing ---- */

static void draw_box(struct forward *f, int number, const char *label, const char *colour, const char *shape, const char *tooltip)
{
	struct style styles[] = { { "label", label }, { "fillcolor", colour }, { "shape", shape }, { "tooltip", tooltip }, { NULL, NULL } };
	drawing_box(f->drawing, number, styles);
}

/* Three digits, and no exponent. */
static const char *ms_text(struct forward *f, double ms)
{
	const char *text = arena_printf(f->graph->arena, ms >= 999.5 ? "%.0f ms" : "%.3g ms", ms);
	return text ? text : "";
}

static const char *with_time(struct forward *f, const char *label, double ms)
{
	struct text t;
	if (!f->options->times || ms < 0)
		return label;
	text_init(&t);
	text_addf(&t, "%s\n%s, %.1f %%", label, ms_text(f, ms), f->total > 0 ? 100 * ms / f->total : 0);
	return keep(f, &t);
}

static void draw_unit(struct forward *f, const struct unit *u)
{
	const char *label = u->node ? operator_label(f, u->node) : call_label(f, u->call), *colour = u->node ? colour_of(u->node->op) : "#d9d2e9";
	if (f->options->times)
		colour = heat(f, u->ms);
	draw_box(f, u->box, with_time(f, label, u->ms), colour, "box",
	         name_label(f, u->node && *u->call->path ? u->call->path : u->call->module->class_name));
}

/* What the colours mean. */
static void draw_legend(struct forward *f)
{
	enum { STEPS = 5 };
	if (!f->options->times)
		return;
	const char *label = arena_printf(f->graph->arena, "time of a pass: %s; white: done with another operator, or nothing to do", ms_text(f, f->total));
	struct style frame[] = { { "label", label ? label : "" }, { "labeljust", "l" }, { "style", "dashed" }, { "color", "#999999" },
	                        { "fontcolor", "#555555" }, { NULL, NULL } };
	drawing_begin_cluster(f->drawing, frame);
	for (int i = 0; i < STEPS; i++) {
		double ms = f->longest * i / (STEPS - 1);
		draw_box(f, drawing_reserve(f->drawing), ms_text(f, ms), heat(f, ms), "box", "colours");
	}
	drawing_end_cluster(f->drawing);
}

static void add_up(struct forward *f)
{
	for (int i = 0; i < f->graph->n_calls; i++)
		for (const struct unit *u = f->first[i]; u; u = u->next) {
			f->total += u->ms > 0 ? u->ms : 0;
			f->longest = u->ms > f->longest ? u->ms : f->longest;
		}
}

/* A frame for every call that has something in it; the root has none. */
static void draw_call(struct forward *f, const struct call *c)
{
	struct style frame[] = { { "label", call_label(f, c) }, { "labeljust", "l" }, { "style", "rounded" }, { "color", "#999999" },
		{ "fontcolor", "#555555" }, { NULL, NULL } };
	if (c->parent)
		drawing_begin_cluster(f->drawing, frame);
	for (const struct unit *u = f->first[c->serial]; u; u = u->next)
		draw_unit(f, u);
	for (const struct call *child = c->children; child; child = child->next)
		if (!fold_of(f, child))
			draw_call(f, child);
	if (c->parent)
		drawing_end_cluster(f->drawing);
}

static void draw_inputs(struct forward *f)
{
	for (size_t i = 0; i < f->graph->n_inputs; i++) {
		const struct graph_input *in = &f->graph->inputs[i];
		struct unit *u = unit_new(f, NULL, NULL);
		if (!u || !made(f, in->value, u)) {
			f->failed = true;
			return;
		}
		draw_box(f, u->box, in->name ? name_label(f, in->name) : "input", "#ead1dc", "ellipse", "input");
	}
}

static bool draw_output(struct value *v, void *data)
{
	struct forward *f = data;
	int box = drawing_reserve(f->drawing);
	struct reading r = { f, box };
	draw_box(f, box, "output", "#ead1dc", "ellipse", "output");
	return read_value(v, &r);
}

static void draw_arrows(struct forward *f)
{
	for (size_t i = 0; i < f->n_arrows; i++) {
		struct style styles[] = { { "label", f->arrows[i].label }, { NULL, NULL } };
		drawing_arrow(f->drawing, f->arrows[i].from, f->arrows[i].to, styles);
	}
}

static void set_styles(struct drawing *d, const struct view_options *o)
{
	static const struct style graph[] = { { "fontname", "Helvetica" }, { "fontsize", "10" }, { "nodesep", "0.2" }, { "ranksep", "0.3" } };
	static const struct style box[] = { { "color", "#666666" }, { "fontname", "Helvetica" }, { "fontsize", "10" }, { "height", "0.3" },
	                                   { "style", "filled,rounded" } };
	static const struct style arrow[] = { { "arrowsize", "0.6" }, { "color", "#666666" }, { "fontcolor", "#555555" }, { "fontname", "Helvetica" },
	                                     { "fontsize", "8" } };
	drawing_graph_style(d, "rankdir", o->direction ? o->direction : "TB");
	for (size_t i = 0; i < sizeof graph / sizeof *graph; i++)
		drawing_graph_style(d, graph[i].key, graph[i].value);
	for (size_t i = 0; i < sizeof box / sizeof *box; i++)
		drawing_box_style(d, box[i].key, box[i].value);
	for (size_t i = 0; i < sizeof arrow / sizeof *arrow; i++)
		drawing_arrow_style(d, arrow[i].key, arrow[i].value);
}

static bool is_direction(const char *s)
{
	return strcmp(s, "TB") == 0 || strcmp(s, "LR") == 0 || strcmp(s, "BT") == 0 || strcmp(s, "RL") == 0;
}

bool view_forward(const struct model *m, const struct graph *g, const struct view_options *o, struct drawing *d, nns_error *err)
{
	struct forward f = { .graph = g, .options = o, .drawing = d };
	size_t n = (size_t)g->n_calls + 1;
	(void)m;
	if (o->direction && !is_direction(o->direction))
		return fail(err, NNS_USAGE, "unknown direction '%s'; TB, LR, BT and RL are known", o->direction);
	f.first = arena_array(g->arena, n, sizeof *f.first);
	f.last = arena_array(g->arena, n, sizeof *f.last);
	f.folded = arena_array(g->arena, n, sizeof *f.folded);
	if (!f.first || !f.last || !f.folded)
		return fail_memory(err);
	set_styles(d, o);
	draw_inputs(&f);
	for (const struct node *node = g->nodes; node; node = node->next)
		follow(&f, node);
	add_up(&f);
	draw_legend(&f);
	if (g->root)
		draw_call(&f, g->root);
	if (!datum_each_tensor(g->output, draw_output, &f))
		f.failed = true;
	draw_arrows(&f);
	return (!f.failed && !d->failed) || fail_memory(err);
}
