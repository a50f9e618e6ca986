/*
 * Multiply-adds against fvcore: every line of the .txt files in tests/flops is evaluated by the recorder, and the sums of
 * `nnscope flops` by operator are compared with what fvcore counted (tools/flop-cases.py).  One TAP line a file.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "case_files.h"
#include "case_tensors.h"
#include "ops/flops.h"
#include "report/report.h"

enum { MAX_NAMES = 16 };

static bool count(void *data, const struct node *n, double *count, bool *counted, const char **name)
{
	(void)data;
	return flops_of(n, count, counted, name);
}

static int argument_count(const struct node *n)
{
	return n->op->n_args;
}

static int by_text(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* "conv 8640; linear 24" from the lines "operator<tab>conv<tab>8640" of the table, which is changed. */
static void add_operators(struct text *t, char *table)
{
	static const char section[] = "operator\t";
	char *rows[MAX_NAMES];
	size_t n = 0;
	for (char *line = strtok(table, "\n"); line; line = strtok(NULL, "\n"))
		if (strncmp(line, section, sizeof section - 1) == 0 && n < MAX_NAMES) {
			rows[n++] = line + sizeof section - 1;
			*strchr(rows[n - 1], '\t') = ' ';
		}
	qsort(rows, n, sizeof *rows, by_text);
	for (size_t i = 0; i < n; i++)
		text_addf(t, "%s%s", i ? "; " : "", rows[i]);
	if (n == 0)
		text_add(t, "-");
}

static bool evaluate(struct arena *a, const char *expression, struct text *out, nns_error *err)
{
	struct interp in;
	struct recorder r;
	struct graph g = { .arena = a };
	struct scope scope = { 0 };
	struct datum result;
	struct module root = { 0 };
	struct model model = { .arena = a, .root = &root, .name = "case", .source = "case", .kind = "expression" };
	struct report_source source = { .n_args = argument_count, .flops = count };
	struct report_options options = { .format = FORMAT_TSV, .depth = -1 };
	struct text table;
	interp_init(&in, a, &tensor_host, &r);
	if (!recorder_init(&r, a, &in, err) || !case_add_makers(a, &scope))
		return false;
	r.graph = &g;
	struct code *code = lang_parse_expression(a, expression, strlen(expression), "case", err);
	if (!code || !lang_eval(&in, code, &scope, &result, err))
		return false;
	g.output = result;       /* what no output hangs on is not counted */
	text_init(&table);
	bool good = report_flops(&model, &g, &source, &options, &table, err);
	if (good)
		add_operators(out, table.data);
	text_release(&table);
	return good;
}

static enum case_result check_line(char *line, const char *file_name)
{
	nns_error err = { 0 };
	struct text got;
	char *expected = strchr(line, '\t');
	struct arena *a = arena_new(NULL, &err);
	(void)file_name;
	if (!expected || !a || strcmp(expected, "\t?") == 0) {
		arena_free(a);
		return CASE_SKIPPED;
	}
	*expected++ = 0;
	text_init(&got);
	bool good = evaluate(a, line, &got, &err);
	if (!good)
		printf("# %s\n#   error: %s\n", line, err.message);
	good = good && case_same("multiply-adds", line, expected, got.data);
	text_release(&got);
	arena_free(a);
	return good ? CASE_PASSED : CASE_FAILED;
}

int main(int argc, char **argv)
{
	struct case_folder folder = { "tests/flops", "", argc > 1 ? argv[1] : NULL, check_line };
	return case_folders_run(&folder, 1);
}
