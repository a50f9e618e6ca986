/*
 * Operators against PyTorch: every line of the .txt files in tests/ops is evaluated by the
 * recorder and compared with what PyTorch answered (tools/op-cases.py), results
 * and the operators that autograd sees.  Writes one TAP line a file.
 */
#include <stdio.h>
#include <string.h>

#include "case_files.h"
#include "case_tensors.h"

/* ---- What came out, as text ---- */

static void add_ints(struct text *t, int n, const int64_t *v)
{
	text_addc(t, '[');
	for (int i = 0; i < n; i++)
		text_addf(t, "%s%lld", i ? ", " : "", (long long)v[i]);
	text_addc(t, ']');
}

static void add_tensor(struct text *t, const struct value *v)
{
	text_addf(t, "%s ", dtype_name(v->dtype));
	if (v->ndim < 0) {
		text_addc(t, '?');
		return;
	}
	add_ints(t, v->ndim, v->size);
	text_add(t, " strides ");
	add_ints(t, v->ndim, v->stride);
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
	if (!recorder_init(&r, a, &in, err) || !case_add_makers(a, &scope))
		return false;
	r.graph = &g;
	struct code *code = lang_parse_expression(a, expression, strlen(expression), "case", err);
	if (!code || !lang_eval(&in, code, &scope, &out, err))
		return false;
	case_add_result(result, out, add_tensor);
	case_add_operators(leaves, &g);
	return true;
}

static bool check_case(const char *expression, const char *expected, const char *names)
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
		case_add_expected_operators(&wanted, names);
		good = case_same("result", expression, expected, result.data);
		if (strcmp(names, "-") != 0)
			good = case_same("operators", expression, wanted.data ? wanted.data : "", leaves.data) && good;
	}
	text_release(&result);
	text_release(&leaves);
	text_release(&wanted);
	arena_free(a);
	return good;
}

static enum case_result check_line(char *line, const char *file_name)
{
	char *expected = strchr(line, '\t'), *names = expected ? strchr(expected + 1, '\t') : NULL;
	(void)file_name;
	if (!names)
		return CASE_SKIPPED;
	*expected++ = 0;
	*names++ = 0;
	return check_case(line, expected, names) ? CASE_PASSED : CASE_FAILED;
}

int main(int argc, char **argv)
{
	struct case_folder folder = { "tests/ops", "", argc > 1 ? argv[1] : NULL, check_line };
	return case_folders_run(&folder, 1);
}
