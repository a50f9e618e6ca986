/*
 * Modules against PyTorch: every line of the .txt files in tests/nn is constructed, printed, asked for its parameters and
 * called, and compared with what PyTorch answered (tools/module-cases.py tells the columns).  The files in tests/nn/old hold
 * what older versions printed; their names are the version.  One TAP line a file.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "case_files.h"
#include "case_tensors.h"
#include "nn/nn.h"
#include "report/report.h"

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

static void add_tensor(struct text *t, const struct value *v)
{
	text_addf(t, "%s ", dtype_name(v->dtype));
	if (v->ndim < 0)
		text_addc(t, '?');
	else if (v->ndim == 0)
		text_add(t, "()");
	else
		shape_add_x(t, v);
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
	return case_same(what, l->columns[EXPRESSION], expected, got->data);
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
		case_add_result(&result, out, add_tensor);
		good = same(l, "result", l->columns[RESULT], &result);
		case_add_operators(&operators, &g);
		case_add_expected_operators(&wanted, l->columns[OPERATORS]);
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

static bool check_case(const struct line *l)
{
	nns_error err = { 0 };
	struct scope scope = { 0 };
	struct arena *a = arena_new(NULL, &err);
	struct runtime *rt = a ? runtime_new(a, &err) : NULL;
	bool good = rt && case_add_makers(a, &scope);
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

static void split(char *text, struct line *l)
{
	for (int i = 0; i < N_COLUMNS; i++) {
		l->columns[i] = text;
		text += strcspn(text, "\t");
		if (*text)
			*text++ = 0;
	}
}

static enum case_result check(char *text, int version, bool only_tree)
{
	struct line l = { .version = version, .only_tree = only_tree };
	split(text, &l);
	return check_case(&l) ? CASE_PASSED : CASE_FAILED;
}

static enum case_result check_line(char *text, const char *file_name)
{
	(void)file_name;
	return check(text, TORCH_DEFAULT, false);
}

/* Files of old versions are named by them. */
static enum case_result check_old(char *text, const char *file_name)
{
	return check(text, atoi(file_name), true);
}

int main(int argc, char **argv)
{
	const char *chosen = argc > 1 ? argv[1] : NULL;
	struct case_folder folders[] = { { "tests/nn", "", chosen, check_line }, { "tests/nn/old", "old/", chosen, check_old } };
	return case_folders_run(folders, 2);
}
