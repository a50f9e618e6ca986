/* What differs between two models: modules, parameters and what they hold, shapes. */
#include <stdlib.h>
#include <string.h>

#include "report/table.h"

struct side {
	const struct model *model;
	const struct graph *graph;
	const struct report_source *source;
	struct map modules, tensors, shapes;  /* path -> text */
	struct map contents;                  /* path of a tensor -> its value */
};

static const struct column columns[] = { { "what", false, false, false }, { "name", false, false, true }, { "before", false, false, true },
                                        { "after", false, false, true } };

static bool put(struct arena *a, struct map *m, const char *path, const struct text *t, nns_error *err)
{
	char *key = arena_strdup(a, path), *value = t->failed ? NULL : arena_strndup(a, t->data ? t->data : "", t->len);
	return (key && value && map_put(m, a, key, value)) || fail_memory(err);
}

static int compare_lines(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* On one line.  The keys of a checkpoint, which stand in lines of their own, have no order that tells anything. */
static bool one_line(struct arena *a, struct text *t, bool sorted)
{
	size_t n = 1, at = 0;
	char *copy = t->data ? arena_strndup(a, t->data, t->len) : NULL;
	for (size_t i = 0; i < t->len; i++)
		n += t->data[i] == '\n';
	char **lines = copy ? arena_array(a, n, sizeof *lines) : NULL;
	if (!lines)
		return t->len == 0;
	for (char *line = copy, *end; line; line = end ? end + 1 : NULL) {
		lines[at++] = line;
		if ((end = strchr(line, '\n')))
			*end = 0;
	}
	if (sorted)
		qsort(lines, at, sizeof *lines, compare_lines);
	text_clear(t);
	for (size_t i = 0; i < at; i++) {
		text_add(t, i ? " " : "");
		text_add(t, lines[i]);
	}
	return !t->failed;
}

static bool describe_module(struct side *s, const struct walk *w, struct text *t, nns_error *err)
{
	text_clear(t);
	if (!s->source->repr(s->source->data, w->module, t, err))
		return false;
	if (!one_line(s->model->arena, t, !w->module->class))
		return fail_memory(err);
	char *text = arena_printf(s->model->arena, "%s(%s)", w->module->class_name, t->len ? t->data : "");
	return (text && map_put(&s->modules, s->model->arena, arena_strdup(s->model->arena, w->path), text)) || fail_memory(err);
}

static bool describe_tensors(struct side *s, const struct walk *w, bool buffers, struct text *t, nns_error *err)
{
	const struct parameter *all = buffers ? w->module->buffers : w->module->parameters;
	size_t n = buffers ? w->module->n_buffers : w->module->n_parameters;
	for (size_t i = 0; i < n; i++) {
		const struct value *v = all[i].value;
		if (!v)
			continue;
		text_clear(t);
		text_addf(t, "%s %s", dtype_name(v->dtype), v->ndim < 0 ? "?" : "");
		if (v->ndim >= 0)
			shape_add_list(t, v);
		text_add(t, !buffers && !v->requires_grad ? " frozen" : "");
		const char *name = arena_printf(s->model->arena, "%s%s%s", w->path, *w->path ? "." : "", all[i].name);
		if (!name)
			return fail_memory(err);
		if (!put(s->model->arena, &s->tensors, name, t, err))
			return false;
		if (!map_put(&s->contents, s->model->arena, name, (void *)(uintptr_t)v))
			return fail_memory(err);
	}
	return true;
}

static bool describe_shapes(struct side *s, const struct call *c, struct text *t, int depth, nns_error *err)
{
	text_clear(t);
	if (c->output.kind == D_TENSOR && ((const struct value *)c->output.u.p)->ndim >= 0)
		shape_add_list(t, c->output.u.p);
	if (!put(s->model->arena, &s->shapes, c->path, t, err))
		return false;
	for (const struct call *child = c->children; child && depth < 500; child = child->next)
		if (!describe_shapes(s, child, t, depth + 1, err))
			return false;
	return true;
}

static bool describe(struct side *s, nns_error *err)
{
	struct walk w;
	struct text t;
	bool ok = true;
	text_init(&t);
	for (walk_begin(&w, s->model->root, true); ok && walk_next(&w); )
		ok = describe_module(s, &w, &t, err) && describe_tensors(s, &w, false, &t, err) && describe_tensors(s, &w, true, &t, err);
	ok = ok && (!w.failed || fail_memory(err));
	walk_end(&w);
	ok = ok && (!s->graph || !s->graph->root || describe_shapes(s, s->graph->root, &t, 0, err));
	text_release(&t);
	return ok;
}

static void add_row(struct table *t, const char *what, const char *name, const char *before, const char *after)
{
	table_cell(t, what);
	table_cell(t, name);
	table_cell(t, before);
	table_cell(t, after);
}

static void compare(struct table *t, const char *what, const struct map *a, const struct map *b)
{
	for (size_t i = 0; i < a->n; i++) {
		const char *after = map_get(b, a->entries[i].key);
		if (!after || strcmp(after, a->entries[i].value) != 0)
			add_row(t, what, a->entries[i].key, a->entries[i].value, after ? after : "-");
	}
	for (size_t i = 0; i < b->n; i++)
		if (!map_has(a, b->entries[i].key))
			add_row(t, what, b->entries[i].key, "-", b->entries[i].value);
}

/* Tensors that both files hold, of the same shape and type. */
static bool compare_contents(struct table *t, const struct side *x, const struct side *y, nns_error *err)
{
	struct text how;
	bool ok = true;
	text_init(&how);
	for (size_t i = 0; ok && i < x->contents.n; i++) {
		const char *path = x->contents.entries[i].key, *before = map_get(&x->tensors, path), *after = map_get(&y->tensors, path);
		const struct value *a = x->contents.entries[i].value, *b = map_get(&y->contents, path);
		if (!b || !a->storage || !b->storage || a->ndim < 0 || strcmp(before, after) != 0)
			continue;
		text_clear(&how);
		ok = x->source->contents(x->source->data, a, b, &how, err) || fail_within(err, "%s: ", path);
		if (ok && how.len)
			add_row(t, "values", path, before, how.data);
	}
	ok = ok && (!how.failed || fail_memory(err));
	text_release(&how);
	return ok;
}

bool report_diff(const struct model *a, const struct graph *ga, const struct report_source *sa,
                 const struct model *b, const struct graph *gb, const struct report_source *sb,
                 const struct report_options *o, bool *differ, struct text *out, nns_error *err)
{
	struct side x = { .model = a, .graph = ga, .source = sa }, y = { .model = b, .graph = gb, .source = sb };
	struct table t;
	if (!describe(&x, err) || !describe(&y, err))
		return false;
	table_init(&t, a->arena, columns, sizeof columns / sizeof *columns);
	compare(&t, "module", &x.modules, &y.modules);
	compare(&t, "tensor", &x.tensors, &y.tensors);
	if (!compare_contents(&t, &x, &y, err))
		return false;
	if (ga && gb)
		compare(&t, "output", &x.shapes, &y.shapes);
	*differ = t.n_cells > 0;
	return (!*differ && o->format == FORMAT_TABLE) || table_write(&t, o, out, err);
}
