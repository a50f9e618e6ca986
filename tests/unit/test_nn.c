/*
 * Modules against PyTorch: every line of the .txt files in tests/nn is constructed, printed, asked for its parameters and
 * called, and compared with what PyTorch answered (tools/module-cases.py tells the columns).  The files in tests/nn/old hold
 * what older versions printed; their names are the version.  One TAP line a file.
 */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "nn/nn.h"
#include "report/report.h"

/* ---- T(2, 3), I(2, 3), Z(2, 3), B(2, 3): new tensors ---- */

struct maker {
	enum dtype dtype;
};

static bool make_tensor(struct interp *in, const struct function *self, const struct lang_args *args, struct datum *out, nns_error *err)
{
	enum dtype dtype = ((const struct maker *)self->data)->dtype;
	int64_t size[MAX_DIMS];
	for (size_t i = 0; i < args->n && i < MAX_DIMS; i++)
		size[i] = datum_as_int(args->items[i]);
	for (size_t i = 0; i < args->n_named; i++)
		if (strcmp(args->names[i], "dtype") == 0)
			dtype = (enum dtype)args->values[i].u.i;
	struct value *v = value_new(in->arena, dtype, (int)args->n, size);
	if (!v)
		return fail_memory(err);
	*out = datum_pointer(D_TENSOR, v);
	return true;
}

static bool add_makers(struct arena *a, struct scope *s)
{
	static const struct maker makers[] = { { DT_FLOAT32 }, { DT_INT64 }, { DT_BOOL } };
	static const struct function functions[] = {
		{ .name = "T", .call = make_tensor, .data = &makers[0] }, { .name = "I", .call = make_tensor, .data = &makers[1] },
		{ .name = "Z", .call = make_tensor, .data = &makers[1] }, { .name = "B", .call = make_tensor, .data = &makers[2] } };
	for (size_t i = 0; i < sizeof functions / sizeof *functions; i++)
		if (!scope_set(a, s, functions[i].name, datum_pointer(D_FUNCTION, &functions[i])))
			return false;
	return true;
}

/* ---- What a module prints and holds, what a call gives, as text ---- */

struct printing {
	struct runtime *runtime;
	int version;
};

static bool print_repr(void *data, const struct module *m, struct text *out, nns_error *err)
{
	const struct printing *p = data;
	return module_repr(p->runtime, m, p->version, out, err);
}

static bool folds(void *data, const struct module *m)
{
	const struct printing *p = data;
	return p->version >= 200 && m->class && m->class->container;
}

/* The tree with its line breaks as \n. */
static bool add_tree(struct text *t, struct runtime *rt, struct module *m, int version, nns_error *err)
{
	struct printing printing = { rt, version };
	struct report_source source = { .data = &printing, .torch_version = version, .repr = print_repr, .folds = folds };
	struct model model = { .arena = rt->arena, .root = m, .name = "case", .source = "case", .kind = "expression", .runtime = rt };
	struct text tree;
	text_init(&tree);
	bool good = report_tree(&model, &source, &tree, err);
	for (size_t i = 0; good && i + 1 < tree.len; i++) {
		if (tree.data[i] == '\n')
			text_add(t, "\\n");
		else
			text_addc(t, tree.data[i]);
	}
	text_release(&tree);
	return good;
}

static void add_size(struct text *t, const struct value *v)
{
	if (v->ndim < 0)
		text_addc(t, '?');
	else if (v->ndim == 0)
		text_add(t, "1[]");
	else
		shape_add_x(t, v);
	if (v->ndim >= 0 && v->dtype != DT_FLOAT32)
		text_add(t, dtype_name(v->dtype));
}

static void add_name(struct text *t, const char *path, const char *name, char mark)
{
	text_addf(t, "%s%s%s%s%c", t->len ? " " : "", path, *path ? "." : "", name, mark);
}

static bool add_state(struct text *t, struct module *root)
{
	struct walk w;
	for (walk_begin(&w, root, true); walk_next(&w); )
		for (size_t i = 0; i < w.module->n_parameters; i++) {
			const struct parameter *p = &w.module->parameters[i];
			if (!p->value)
				continue;
			add_name(t, w.path, p->name, ':');
			add_size(t, p->value);
			if (!p->value->requires_grad)
				text_addc(t, '!');
		}
	walk_end(&w);
	bool good = !w.failed;
	for (walk_begin(&w, root, true); walk_next(&w); )
		for (size_t i = 0; i < w.module->n_buffers; i++) {
			const struct parameter *p = &w.module->buffers[i];
			if (!p->value)
				continue;
			add_name(t, w.path, p->name, '=');
			add_size(t, p->value);
			if (!p->persistent)
				text_addc(t, '~');
		}
	walk_end(&w);
	return good && !w.failed;
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
	if (v->ndim < 0)
		text_addc(t, '?');
	else if (v->ndim == 0)
		text_add(t, "()");
	else
		shape_add_x(t, v);
}

/* Autograd copies what the next operator writes into, and detaches what it saves: those two are no operators of the module. */
static bool is_ignored(const char *name, size_t n, const char *next)
{
	size_t m = next ? strcspn(next, ". ") : 0;
	if (n == 6 && memcmp(name, "detach", n) == 0)
		return true;
	return n == 5 && memcmp(name, "clone", n) == 0 && m > 0 && next[m - 1] == '_';
}

static void add_operators(struct text *t, const struct graph *g)
{
	for (const struct node *n = graph_first(g); n; n = graph_next(n)) {
		const struct node *next = graph_next(n);
		if (n->op->parts && !n->parts)
			continue; /* a composite that had nothing to do: dropout in evaluation, contiguous() of what is contiguous */
		if (!is_ignored(n->op->name, strlen(n->op->name), next ? next->op->name : NULL))
			text_addf(t, "%s%s", t->len ? " " : "", strcmp(n->op->name, "_reshape_alias") == 0 ? "view" : n->op->name); /* as test_ops.c says */
	}
}

static void add_expected_operators(struct text *t, const char *names)
{
	for (const char *p = names; *p; ) {
		size_t n = strcspn(p, " ");
		const char *next = p[n] ? p + n + 1 : p + n;
		if (!is_ignored(p, n, *next ? next : NULL)) {
			if (t->len)
				text_addc(t, ' ');
			text_addn(t, p, n);
		}
		p = next;
	}
}

/* ---- One line ---- */

enum { EXPRESSION, TREE, STATE, CALL, RESULT, OPERATORS, N_COLUMNS };

struct line {
	char *columns[N_COLUMNS]; /* "" when missing */
	int version;
	bool only_tree;
};

static bool same(const struct line *l, const char *what, const char *expected, const struct text *got)
{
	const char *text = got->data ? got->data : "";
	if (strcmp(expected, text) == 0)
		return true;
	printf("# %s\n#   %s expected: %s\n#   %s got:      %s\n", l->columns[EXPRESSION], what, expected, what, text);
	return false;
}

static bool call(struct runtime *rt, struct module *m, const char *arguments, struct scope *scope, struct graph *g, struct datum *out,
                 nns_error *err)
{
	char *expression = arena_printf(rt->arena, "module(%s)", arguments);
	if (!expression || !scope_set(rt->arena, scope, "module", datum_pointer(D_MODULE, m)))
		return fail_memory(err);
	struct code *code = lang_parse_expression(rt->arena, expression, strlen(expression), "case", err);
	g->arena = rt->arena;
	g->training = true;
	rt->recorder.graph = g;
	rt->recorder.training = true;
	return code && lang_eval(&rt->interp, code, scope, out, err);
}

static bool check_call(const struct line *l, struct runtime *rt, struct module *m, struct scope *scope)
{
	nns_error err = { 0 };
	struct graph g = { 0 };
	struct datum out;
	struct text result, operators, wanted;
	text_init(&result);
	text_init(&operators);
	text_init(&wanted);
	bool good = call(rt, m, l->columns[CALL], scope, &g, &out, &err);
	if (strcmp(l->columns[RESULT], "!") == 0) {
		if (good)
			printf("# %s called with %s: expected an error\n", l->columns[EXPRESSION], l->columns[CALL]);
		good = !good && err.code != NNS_UNSUPPORTED;
	} else if (!good) {
		printf("# %s called with %s: error: %s\n", l->columns[EXPRESSION], l->columns[CALL], err.message);
	} else {
		add_result(&result, out);
		good = same(l, "result", l->columns[RESULT], &result);
		add_operators(&operators, &g);
		add_expected_operators(&wanted, l->columns[OPERATORS]);
		if (strcmp(l->columns[OPERATORS], "-") != 0)
			good = same(l, "operators", wanted.data ? wanted.data : "", &operators) && good;
	}
	text_release(&result);
	text_release(&operators);
	text_release(&wanted);
	return good;
}

static bool check_module(const struct line *l, struct runtime *rt, struct module *m, struct scope *scope)
{
	nns_error err = { 0 };
	struct text tree, state;
	text_init(&tree);
	text_init(&state);
	bool good = add_tree(&tree, rt, m, l->version, &err);
	if (!good)
		printf("# %s: does not print: %s\n", l->columns[EXPRESSION], err.message);
	good = good && same(l, "tree", l->columns[TREE], &tree);
	if (!l->only_tree) {
		good = add_state(&state, m) && same(l, "state", l->columns[STATE], &state) && good;
		if (strcmp(l->columns[CALL], "-") != 0)
			good = check_call(l, rt, m, scope) && good;
	}
	text_release(&tree);
	text_release(&state);
	return good;
}

static bool check_error(const struct line *l, const struct module *m, const nns_error *err)
{
	const char *fragment = l->columns[TREE] + 1;
	if (!m && err->code != NNS_UNSUPPORTED && strstr(err->message, fragment))
		return true;
	printf("# %s\n#   error expected: ...%s...\n#   got: %s\n", l->columns[EXPRESSION], fragment, m ? "a module" : err->message);
	return false;
}

static bool check_line(const struct line *l)
{
	nns_error err = { 0 };
	struct scope scope = { 0 };
	struct arena *a = arena_new(NULL, &err);
	struct runtime *rt = a ? runtime_new(a, &err) : NULL;
	bool good = rt && add_makers(a, &scope);
	if (good) {
		struct module *m = runtime_construct(rt, l->columns[EXPRESSION], "case", &scope, &err);
		if (l->columns[TREE][0] == '!')
			good = check_error(l, m, &err);
		else if (m)
			good = check_module(l, rt, m, &scope);
		else
			good = (printf("# %s\n#   error: %s\n", l->columns[EXPRESSION], err.message), false);
	}
	arena_free(a);
	return good;
}

/* ---- One file ---- */

static void split(char *text, struct line *l)
{
	for (int i = 0; i < N_COLUMNS; i++) {
		l->columns[i] = text;
		text += strcspn(text, "\t");
		if (*text)
			*text++ = 0;
	}
}

static bool check_file(const char *path, int version, bool only_tree, int *n, int *failed)
{
	char text[16384];
	FILE *f = fopen(path, "r");
	if (!f)
		return false;
	while (fgets(text, sizeof text, f)) {
		struct line l = { .version = version, .only_tree = only_tree };
		text[strcspn(text, "\n")] = 0;
		if (!text[0] || text[0] == '#')
			continue;
		split(text, &l);
		++*n;
		*failed += !check_line(&l);
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

/* Checks the files of a folder, numbered from *number on.  Returns how many failed, -1 when there are none. */
static int check_folder(const char *folder, bool old, const char *chosen, int *number)
{
	struct dirent **files;
	char path[2048];
	int failures = 0, n_files = scandir(folder, &files, is_case_file, by_name);
	for (int i = 0; i < n_files; i++) {
		int n = 0, failed = 0;
		const char *name = files[i]->d_name;
		snprintf(path, sizeof path, "%s/%s", folder, name);
		bool skipped = chosen && strcmp(chosen, name) != 0;
		bool good = skipped || (check_file(path, old ? atoi(name) : TORCH_DEFAULT, old, &n, &failed) && failed == 0 && n > 0);
		printf("%s %d - %s%s: %d cases, %d failed\n", good ? "ok" : "not ok", ++*number, old ? "old/" : "", name, n, failed);
		failures += !good;
		free(files[i]);
	}
	if (n_files > 0)
		free(files);
	return n_files > 0 ? failures : -1;
}

int main(int argc, char **argv)
{
	const char *root = getenv("srcdir");
	char folder[1024];
	int number = 0;
	snprintf(folder, sizeof folder, "%s/tests/nn", root ? root : ".");
	int failures = check_folder(folder, false, argc > 1 ? argv[1] : NULL, &number);
	snprintf(folder, sizeof folder, "%s/tests/nn/old", root ? root : ".");
	int old_failures = check_folder(folder, true, argc > 1 ? argv[1] : NULL, &number);
	printf("1..%d\n", number);
	if (failures < 0 || old_failures < 0) {
		printf("Bail out! no cases in %s\n", folder);
		return 99;
	}
	return failures + old_failures > 0;
}
