#include <math.h>
#include <string.h>

#include "api/api.h"
#include "api/difference.h"
#include "exec/plan.h"
#include "nn/nn.h"
#include "ops/flops.h"
#include "ops/op.h"
#include "trace/trace.h"

char *api_take(struct text *t, bool ok, nns_error *err)
{
	if (ok && !t->data && !t->failed)
		text_add(t, "");
	char *s = ok && !t->failed ? text_take(t) : NULL;
	if (ok && !s)
		fail_memory(err);
	if (!s)
		text_release(t);
	return s;
}

char *api_take_text(struct text *t, bool ok, nns_error *err)
{
	if (ok)
		text_make_visible(t, "\n\t");
	return api_take(t, ok, err);
}

/* A table's cells are visible, and its heading may be bold. */
static char *take_table(struct text *t, const struct report_options *o, bool ok, nns_error *err)
{
	return o->colour ? api_take(t, ok, err) : api_take_text(t, ok, err);
}

/* ---- What reports ask ---- */

static bool source_repr(void *data, const struct module *m, struct text *out, nns_error *err)
{
	nns_model *n = data;
	if (m->printed && !n->torch_version) {
		text_add(out, m->printed);
		return true;
	}
	return module_repr(n->model->runtime, m, n->torch_version ? n->torch_version : TORCH_DEFAULT, out, err);
}

/* Lists fold since PyTorch 2.0; a printed tree that did not fold is from before. */
static bool source_folds(void *data, const struct module *m)
{
	nns_model *n = data;
	if (!m->class || !m->class->container)
		return false;
	return n->torch_version ? n->torch_version >= 200 : !n->model->unfolded;
}

static bool source_flops(void *data, const struct node *n, double *count, bool *counted, const char **name)
{
	(void)data;
	return flops_of(n, count, counted, name);
}

static int source_n_args(const struct node *n)
{
	return n->op->n_args;
}

/* "12 of 512 values, by 0.5 at most" */
static bool source_contents(void *data, const struct value *a, const struct value *b, struct text *how, nns_error *err)
{
	struct arena *scratch = arena_beside(((nns_model *)data)->model->arena, err);
	struct heap heap = { 0 };
	struct difference d = { 0 };
	struct tensor *x = scratch ? tensor_of_value(scratch, &heap, a, err) : NULL, *y = x ? tensor_of_value(scratch, &heap, b, err) : NULL;
	if (y) {
		difference_of(x, y, 0, 0, &d);
		if (!d.equal)
			text_addf(how, "%lld of %lld values, ", (long long)d.beyond, (long long)d.n);
		if (!d.equal && isfinite(d.largest))
			text_addf(how, "by %.4g at most", d.largest);
		else if (!d.equal)
			text_add(how, "some finite in one alone");
		storage_drop(y->storage);
	}
	if (x)
		storage_drop(x->storage);
	arena_free(scratch);
	return y != NULL;
}

static struct report_source api_source(nns_model *m)
{
	int version = m->torch_version ? m->torch_version : TORCH_DEFAULT;
	return (struct report_source){ m, version, source_repr, source_folds, source_n_args, source_flops, source_contents };
}

/* ---- Reports ---- */

struct report_row {
	const char *name;
	bool needs_graph, table;
	bool (*write)(nns_model *m, nns_graph *g, const struct report_options *o, struct text *out, nns_error *err);
};

static bool write_tree(nns_model *m, nns_graph *g, const struct report_options *o, struct text *out, nns_error *err)
{
	struct report_source s = api_source(m);
	(void)g, (void)o;
	return report_tree(m->model, &s, out, err);
}

static bool write_overview(nns_model *m, nns_graph *g, const struct report_options *o, struct text *out, nns_error *err)
{
	(void)g, (void)o;
	return report_overview(m->model, out, err);
}

static bool write_params(nns_model *m, nns_graph *g, const struct report_options *o, struct text *out, nns_error *err)
{
	(void)g;
	return report_params(m->model, o, out, err);
}

static bool write_shapes(nns_model *m, nns_graph *g, const struct report_options *o, struct text *out, nns_error *err)
{
	return report_shapes(m->model, g->graph, o, out, err);
}

static bool write_summary(nns_model *m, nns_graph *g, const struct report_options *o, struct text *out, nns_error *err)
{
	return report_summary(m->model, g->graph, o, out, err);
}

static bool write_flops(nns_model *m, nns_graph *g, const struct report_options *o, struct text *out, nns_error *err)
{
	struct report_source s = api_source(m);
	return report_flops(m->model, g->graph, &s, o, out, err);
}

static const struct report_row rows[] = {
	{ "overview", false, false, write_overview }, { "tree", false, false, write_tree }, { "params", false, true, write_params },
	{ "shapes", true, true, write_shapes }, { "summary", true, false, write_summary }, { "flops", true, true, write_flops },
};

static bool convert(const nns_report_options *in, struct report_options *out, nns_error *err)
{
	*out = (struct report_options){ .format = FORMAT_TABLE, .depth = 3 };
	if (!in)
		return true;
	out->width = in->width;
	out->colour = in->colour;
	out->depth = in->depth < 0 ? 0 : in->depth ? in->depth : 3;
	out->columns = in->columns;
	out->rows = in->rows;
	out->format = in->format ? report_format_from_name(in->format) : FORMAT_TABLE;
	return out->format != FORMAT_NONE || fail(err, NNS_USAGE, "unknown format '%s'; table, tsv, csv, json and markdown are known", in->format);
}

char *nns_report(nns_model *m, nns_graph *g, const char *what, const nns_report_options *options, nns_error *err)
{
	struct report_options o;
	struct text t;
	if (!convert(options, &o, err))
		return NULL;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		if (strcmp(rows[i].name, what) != 0)
			continue;
		if (rows[i].needs_graph && !g)
			return fail(err, NNS_USAGE, "the report '%s' needs a traced graph", what), NULL;
		text_init(&t);
		bool ok = rows[i].write(m, g, &o, &t, err);
		return rows[i].table ? take_table(&t, &o, ok, err) : api_take_text(&t, ok, err);
	}
	return fail(err, NNS_USAGE, "unknown report '%s'", what), NULL;
}

char *nns_diff(nns_model *a, nns_graph *ga, nns_model *b, nns_graph *gb, const nns_report_options *options, bool *differ, nns_error *err)
{
	struct report_source sa = api_source(a), sb = api_source(b);
	struct report_options o;
	struct text t;
	if (!convert(options, &o, err))
		return NULL;
	text_init(&t);
	bool ok = report_diff(a->model, ga ? ga->graph : NULL, &sa, b->model, gb ? gb->graph : NULL, &sb, &o, differ, &t, err);
	return take_table(&t, &o, ok, err);
}

/* ---- Expressions ---- */

char *nns_get(nns_model *m, nns_graph *g, const char *expression, nns_error *err)
{
	struct text t;
	const struct module *module = NULL;
	text_init(&t);
	bool ok = query_get(m->model, g ? g->graph : NULL, expression, &module, &t, err);
	if (ok && module) {
		struct report_source s = api_source(m);
		struct model shell = { .root = (struct module *)(uintptr_t)module };
		ok = report_tree(&shell, &s, &t, err);
		t.len -= ok && !t.failed && t.len > 0;   /* the caller ends the line */
		if (t.data)
			t.data[t.len] = 0;
	}
	return api_take_text(&t, ok, err);
}

bool nns_check(nns_model *m, nns_graph *g, const char *expression, bool *holds, char **left, char **right, nns_error *err)
{
	struct text a, b;
	text_init(&a);
	text_init(&b);
	*left = *right = NULL;
	bool ok = query_check(m->model, g ? g->graph : NULL, expression, holds, &a, &b, err);
	if (ok && !*holds && a.len) {
		*left = text_take(&a);
		*right = text_take(&b);
	}
	text_release(&a);
	text_release(&b);
	return ok;
}
