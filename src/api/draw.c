#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "api/run.h"
#include "base/file.h"
#include "base/nearest.h"
#include "nn/nn.h"
#include "ops/op.h"
#include "render/render.h"
#include "view/view.h"

static const struct view *find_view(const char *name, nns_error *err)
{
	const char *names[16];
	size_t n = 0;
	for (const struct view *v = views; v->name; v++) {
		if (strcmp(v->name, name) == 0)
			return v;
		if (n < 16)
			names[n++] = v->name;
	}
	fail(err, NNS_USAGE, "unknown view '%s'; ", name);
	for (size_t i = 0; i < n; i++)
		fail_add(err, "%s%s", names[i], i + 2 < n ? ", " : i + 2 == n ? " and " : " are known");
	return NULL;
}

/* By node, the ms of the last pass.  What is done with an operator before it counts there, and so do layouts. */
static bool times_of(const nns_plan *p, const nns_graph *g, struct arena *a, const double **out, nns_error *err)
{
	if (!p->run.arena || g != &p->graph)
		return fail(err, NNS_USAGE, "times are those of the plan's own graph, after a pass");
	int n = g->graph->n_nodes;
	double *ms = arena_array(a, (size_t)n + 1, sizeof *ms);
	if (!ms)
		return fail_memory(err);
	for (int i = 0; i < n; i++)
		ms[i] = -1;
	for (size_t i = 0; i < p->run.n_events; i++) {
		const struct run_event *e = &p->run.events[i];
		for (const struct node *at = p->plan->steps[e->head].node; at; at = at->parent)
			if (at->id >= 0 && at->id < n)
				ms[at->id] = (ms[at->id] < 0 ? 0 : ms[at->id]) + e->ms;
	}
	*out = ms;
	return true;
}

/* a holds the drawing and all that views make for it: the graph is lent to them with that arena in place of the model's. */
static bool draw_in(struct arena *a, nns_model *m, nns_graph *g, const nns_draw_options *in, const char *format, struct text *out, nns_error *err)
{
	struct view_options o = { .max_attr_chars = 50, .depth = -1 };
	struct graph graph = *g->graph;
	const struct view *view = find_view(in && in->view ? in->view : "autograd", err);
	struct drawing *d = view ? drawing_new(a) : NULL;
	graph.arena = a;
	if (!view)
		return false;
	if (!d)
		return fail_memory(err);
	if (in) {
		o.show_attrs = in->show_attrs;
		o.show_saved = in->show_saved;
		o.max_attr_chars = in->max_attr_chars ? in->max_attr_chars : 50;
		o.depth = in->depth > 0 ? in->depth : in->depth < 0 ? 0 : -1;
		o.direction = in->direction;
	}
	if (in && in->times && !times_of(in->times, g, a, &o.times, err))
		return false;
	return view->draw(m->model, &graph, &o, d, err) && render(d, format, out, err);
}

static bool draw(nns_model *m, nns_graph *g, const nns_draw_options *in, const char *format, struct text *out, nns_error *err)
{
	struct arena *a = arena_new(m->allocator.resize ? &m->allocator : NULL, err);
	bool ok = a && draw_in(a, m, g, in, format, out, err);
	arena_free(a);
	return ok;
}

void *nns_draw(nns_model *m, nns_graph *g, const nns_draw_options *options, const char *format, size_t *len, nns_error *err)
{
	struct text t;
	text_init(&t);
	bool ok = draw(m, g, options, format, &t, err);
	*len = t.len;
	return api_take(&t, ok, err);
}

static const char *format_for(const char *format, const char *path, nns_error *err)
{
	const char *f = format ? format : render_format_of(path);
	if (!f)
		fail(err, NNS_USAGE, "'%s' does not end in .pdf, .svg, .png, .dot or .gv; say the format", path);
	return f;
}

bool nns_draw_file(nns_model *m, nns_graph *g, const nns_draw_options *options, const char *format, const char *path, nns_error *err)
{
	size_t len;
	const char *f = format_for(format, path, err);
	void *data = f ? nns_draw(m, g, options, f, &len, err) : NULL;
	bool ok = data && file_write(path, data, len, err);
	free(data);
	return ok;
}

/* ---- Beside other work ---- */

struct nns_drawing {
	const char *format;      /* as render_known() has it */
	char *path;
	struct text dot, picture;
	nns_error err;
	bool ok, started;
	pthread_t thread;
};

static void *lay_out(void *data)
{
	nns_drawing *d = data;
	d->ok = render_picture(d->dot.data, d->format, &d->picture, &d->err);
	return NULL;
}

/* Graphviz goes as deep as the graph is: as much stack as a process has, or more. */
static void start(nns_drawing *d)
{
	enum { STACK = 1 << 26 };
	pthread_attr_t attr;
	if (pthread_attr_init(&attr) != 0)
		return;
	d->started = pthread_attr_setstacksize(&attr, STACK) == 0 && pthread_create(&d->thread, &attr, lay_out, d) == 0;
	pthread_attr_destroy(&attr);
}

nns_drawing *nns_draw_begin(nns_model *m, nns_graph *g, const nns_draw_options *options, const char *format, const char *path, nns_error *err)
{
	const char *asked = format_for(format, path, err), *known = asked ? render_known(asked, err) : NULL;
	nns_drawing *d = known ? calloc(1, sizeof *d) : NULL;
	if (!d || !(d->path = strdup(path))) {
		free(d);
		return known ? fail_memory(err) : false, NULL;
	}
	d->format = known;
	text_init(&d->dot);
	text_init(&d->picture);
	if (!draw(m, g, options, "gv", &d->dot, err))
		return nns_draw_end(d, false, NULL), NULL;
	if (!render_is_text(known))
		start(d);
	return d;
}

bool nns_draw_end(nns_drawing *d, bool wanted, nns_error *err)
{
	const struct text *result = render_is_text(d->format) ? &d->dot : &d->picture;
	if (d->started)
		pthread_join(d->thread, NULL);
	else if (wanted && result == &d->picture)
		lay_out(d);
	bool ok = wanted && (result == &d->dot || d->ok || fail(err, d->err.code, "%s", d->err.message)) && file_write(d->path, result->data, result->len, err);
	text_release(&d->dot);
	text_release(&d->picture);
	free(d->path);
	free(d);
	return ok;
}

bool nns_file_writable(const char *path, nns_error *err)
{
	return file_writable(path, err);
}

const char *nns_draw_format(const char *path)
{
	return render_format_of(path);
}

/* ---- What is known ---- */

static const struct nn_class *class_at(size_t index)
{
	static const struct nn_class *const families[] = {
#define NN_FAMILY(family) family##_classes,
#include "nn/families.def"
#undef NN_FAMILY
	};
	for (size_t f = 0; f < sizeof families / sizeof *families; f++)
		for (const struct nn_class *c = families[f]; c->name; c++)
			if (index-- == 0)
				return c;
	return NULL;
}

static const struct nn_class *class_named(const char *name)
{
	const struct nn_class *c;
	for (size_t i = 0; (c = class_at(i)) && strcmp(c->name, name) != 0; i++)
		;
	return c;
}

const char *nns_class_name(size_t index)
{
	const struct nn_class *c = class_at(index);
	return c ? c->name : NULL;
}

const char *nns_class_signature(size_t index)
{
	const struct nn_class *c = class_at(index);
	while (c && !c->signature && c->base)
		c = class_named(c->base);
	return c && c->signature ? c->signature : "";
}

const char *nns_operator_schema(size_t index)
{
	return index < op_facts_count ? op_facts[index].schema : NULL;
}

bool nns_operator_has_rule(size_t index)
{
	return index < op_facts_count && op_rule_find(op_facts[index].name) != NULL;
}

const char *nns_view_name(size_t index)
{
	for (const struct view *v = views; v->name; v++)
		if (index-- == 0)
			return v->name;
	return NULL;
}

const char *nns_view_help(size_t index)
{
	for (const struct view *v = views; v->name; v++)
		if (index-- == 0)
			return v->help;
	return NULL;
}

char *nns_visible(const char *text)
{
	struct text t;
	text_init(&t);
	text_add(&t, text);
	return api_take_text(&t, true, NULL);
}

const char *nns_nearest(const char *word, const char *const *words, size_t n)
{
	return nearest_of(word, words, n);
}
