/*
 * Operators against PyTorch: every line of the .txt files in tests/ops is evaluated by the
 * recorder and compared with what PyTorch answered (tools/op-cases.py), results
 * and the operators that autograd sees.  Writes one TAP line a file.
 */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "ops/record.h"

/* ---- T(2, 3), G(2, 3), I(2, 3), Z(2, 3), B(2, 3), C(2, 3): new tensors ---- */

struct maker {
	enum dtype dtype;
	bool requires_grad;
};

static bool make_tensor(struct interp *in, const struct function *self, const struct lang_args *args, struct datum *out, nns_error *err)
{
	const struct maker *m = self->data;
	enum dtype dtype = m->dtype;
	int64_t size[MAX_DIMS];
	for (size_t i = 0; i < args->n && i < MAX_DIMS; i++)
		size[i] = datum_as_int(args->items[i]);
	for (size_t i = 0; i < args->n_named; i++)
		if (strcmp(args->names[i], "dtype") == 0)
			dtype = (enum dtype)args->values[i].u.i;
	struct value *v = value_new(in->arena, dtype, (int)args->n, size);
	if (!v)
		return fail_memory(err);
	v->requires_grad = m->requires_grad;
	*out = datum_pointer(D_TENSOR, v);
	return true;
}

static bool add_makers(struct arena *a, struct scope *s)
{
	static const struct maker makers[] = { { DT_FLOAT32, false }, { DT_FLOAT32, true }, { DT_INT64, false }, { DT_INT64, false },
		{ DT_BOOL, false }, { DT_COMPLEX64, false } };
	static const struct function functions[] = {
		{ .name = "T", .call = make_tensor, .data = &makers[0] }, { .name = "G", .call = make_tensor, .data = &makers[1] },
		{ .name = "I", .call = make_tensor, .data = &makers[2] }, { .name = "Z", .call = make_tensor, .data = &makers[3] },
		{ .name = "B", .call = make_tensor, .data = &makers[4] }, { .name = "C", .call = make_tensor, .data = &makers[5] } };
	for (size_t i = 0; i < sizeof functions / sizeof *functions; i++)
		if (!scope_set(a, s, functions[i].name, datum_pointer(D_FUNCTION, &functions[i])))
			return false;
	return true;
}

/* ---- What came out, as text ---- */

static void add_ints(struct text *t, int n, const int64_t *v)
{
	text_addc(t, '[');
	for (int i = 0; i < n; i++)
		text_addf(t, "%s%lld", i ? ", " : "", (long long)v[i]);
	text_addc(t, ']');
}

static void add_result(struct text *t, struct datum d)
{
	if (datum_is_seq(d)) {
		for (size_t i = 0; i < d.u.seq->n; i++) {
			if (i)
				text_add(t, "; ");
			add_result(t, d.u.seq->items[i]);
		}
		return;
	}
	if (d.kind != D_TENSOR) {
		datum_repr(t, d, NULL);
		return;
	}
	const struct value *v = d.u.p;
	text_addf(t, "%s ", dtype_name(v->dtype));
	if (v->ndim < 0) {
		text_addc(t, '?');
		return;
	}
	add_ints(t, v->ndim, v->size);
	text_add(t, " strides ");
	add_ints(t, v->ndim, v->stride);
}

/* Whether n is a copy made because the next operator writes into it: autograd makes such copies for itself too. */
static bool is_saved_copy(const char *name, const char *next)
{
	size_t n = next ? strcspn(next, ". ") : 0;
	return strcmp(name, "clone") == 0 && n > 0 && next[n - 1] == '_';
}

static bool is_ignored(const char *name, const char *next)
{
	return strcmp(name, "detach") == 0 || is_saved_copy(name, next);
}

static void add_leaves(struct text *t, const struct graph *g)
{
	for (const struct node *n = graph_first(g); n; n = graph_next(n)) {
		const struct node *next = graph_next(n);
		if (n->op->parts && !n->parts)
			continue; /* a composite that had nothing to do: contiguous() of what is contiguous */
		if (is_ignored(n->op->name, next ? next->op->name : NULL))
			continue;
		/* below autograd, where PyTorch was listened to, _reshape_alias is a view */
		const char *name = strcmp(n->op->name, "_reshape_alias") == 0 ? "view" : n->op->name;
		text_addf(t, "%s%s", t->len ? " " : "", name);
	}
}

/* The same operators left out of PyTorch's list. */
static void add_expected_leaves(struct text *t, char *names)
{
	for (char *p = names, *end; p && *p; p = end) {
		end = strchr(p, ' ');
		if (end)
			*end++ = 0;
		if (!is_ignored(p, end))
			text_addf(t, "%s%s", t->len ? " " : "", p);
	}
}

/* ---- One line ---- */

static bool evaluate(struct arena *a, const char *expression, struct text *result, struct text *leaves, nns_error *err)
{
	struct interp in;
	struct recorder r;
	struct graph g = { .arena = a };
	struct scope scope = { 0 };
	struct datum out;
	interp_init(&in, a, &tensor_host, &r);
	if (!recorder_init(&r, a, &in, err) || !add_makers(a, &scope))
		return false;
	r.graph = &g;
	struct code *code = lang_parse_expression(a, expression, strlen(expression), "case", err);
	if (!code || !lang_eval(&in, code, &scope, &out, err))
		return false;
	add_result(result, out);
	add_leaves(leaves, &g);
	return true;
}

static bool same(const char *what, const char *expression, const char *expected, const struct text *got)
{
	const char *text = got->data ? got->data : "";
	if (strcmp(expected, text) == 0)
		return true;
	printf("# %s\n#   %s expected: %s\n#   %s got:      %s\n", expression, what, expected, what, text);
	return false;
}

static bool check_line(char *expression, char *expected, char *names)
{
	nns_error err = { 0 };
	struct text result, leaves, wanted;
	struct arena *a = arena_new(NULL, &err);
	if (!a)
		return false;
	text_init(&result);
	text_init(&leaves);
	text_init(&wanted);
	bool good = evaluate(a, expression, &result, &leaves, &err);
	if (strcmp(expected, "!") == 0) {
		if (good)
			printf("# %s\n#   expected an error, got: %s\n", expression, result.data ? result.data : "");
		good = !good && err.code != NNS_UNSUPPORTED;
	} else if (!good) {
		printf("# %s\n#   error: %s\n", expression, err.message);
	} else {
		add_expected_leaves(&wanted, names);
		good = same("result", expression, expected, &result);
		if (strcmp(names, "-") != 0)
			good = same("operators", expression, wanted.data ? wanted.data : "", &leaves) && good;
	}
	text_release(&result);
	text_release(&leaves);
	text_release(&wanted);
	arena_free(a);
	return good;
}

/* ---- One file ---- */

static bool check_file(const char *path, int *n, int *failed)
{
	char line[4096];
	FILE *f = fopen(path, "r");
	if (!f)
		return false;
	while (fgets(line, sizeof line, f)) {
		line[strcspn(line, "\n")] = 0;
		char *expected = strchr(line, '\t'), *names = expected ? strchr(expected + 1, '\t') : NULL;
		if (line[0] == '#' || !names)
			continue;
		*expected++ = 0;
		*names++ = 0;
		++*n;
		*failed += !check_line(line, expected, names);
	}
	fclose(f);
	return true;
}

static int by_name(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

static int is_case_file(const struct dirent *d)
{
	size_t n = strlen(d->d_name);
	return n > 4 && strcmp(d->d_name + n - 4, ".txt") == 0;
}

int main(int argc, char **argv)
{
	const char *root = getenv("srcdir");
	char folder[1024], path[2048];
	struct dirent **files;
	int failures = 0;
	snprintf(folder, sizeof folder, "%s/tests/ops", root ? root : ".");
	int n_files = scandir(folder, &files, is_case_file, by_name);
	if (n_files <= 0) {
		printf("Bail out! no cases in %s\n", folder);
		return 99;
	}
	printf("1..%d\n", n_files);
	for (int i = 0; i < n_files; i++) {
		int n = 0, failed = 0;
		snprintf(path, sizeof path, "%s/%s", folder, files[i]->d_name);
		bool chosen = argc < 2 || strcmp(argv[1], files[i]->d_name) == 0;
		bool good = !chosen || (check_file(path, &n, &failed) && failed == 0 && n > 0);
		printf("%s %d - %s: %d cases, %d failed\n", good ? "ok" : "not ok", i + 1, files[i]->d_name, n, failed);
		failures += !good;
		free(files[i]);
	}
	free(files);
	return failures > 0;
}
