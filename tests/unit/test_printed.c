/*
 * Printed text is a model again: what the cases of tests/nn print is read, printed once more and compared, as it came and
 * in its own version, and the parameters are those of the expression that printed it.  One TAP line a file.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "case_files.h"
#include "nnscope/nnscope.h"

/* What makes the parameters another's than the text says: types, a mode, tensors that are given. */
static const char *const not_printed[] = { "torch.float", "=torch.", "Loss(torch.", "RNNBase", "kdim=", "add_bias_kv" };

static bool prints_all(const char *expression)
{
	for (size_t i = 0; i < sizeof not_printed / sizeof *not_printed; i++)
		if (strstr(expression, not_printed[i]))
			return false;
	return true;
}

/* \n becomes a line break; one more at the end. */
static void unescape(char *text)
{
	char *to = text;
	for (char *p = text; *p; p++) {
		bool escaped = p[0] == '\\' && p[1] == 'n';
		*to++ = escaped ? '\n' : *p;
		p += escaped;
	}
	*to++ = '\n';
	*to = 0;
}

static bool check_tree(const char *expression, const char *tree, const char *version)
{
	nns_error err = { 0 };
	nns_model *m = nns_model_load_memory(tree, strlen(tree), "case", NULL, &err);
	char *again = NULL;
	if (m && nns_model_set_torch(m, version, &err))
		again = nns_report(m, NULL, "tree", NULL, &err);
	bool good = case_same(version ? "tree of its version" : "tree", expression, tree, again ? again : err.message);
	free(again);
	nns_model_free(m);
	return good;
}

static bool check_parameters(const char *expression, const char *tree)
{
	nns_error err = { 0 };
	nns_report_options tsv = { .format = "tsv" };
	nns_model *read = nns_model_load_memory(tree, strlen(tree), "case", NULL, &err);
	nns_model *made = nns_model_from_expression(expression, NULL, &err);
	char *got = read ? nns_report(read, NULL, "params", &tsv, &err) : NULL;
	char *expected = made ? nns_report(made, NULL, "params", &tsv, &err) : NULL;
	bool good = case_same("parameters", expression, expected ? expected : "(nothing)", got ? got : err.message);
	free(got);
	free(expected);
	nns_model_free(read);
	nns_model_free(made);
	return good;
}

static bool check_case(const char *expression, char *tree, const char *version)
{
	unescape(tree);
	bool good = check_tree(expression, tree, NULL) && check_tree(expression, tree, version);
	if (good && strcmp(version, "2.13") == 0 && prints_all(expression))
		good = check_parameters(expression, tree);
	return good;
}

static enum case_result check(char *line, const char *version)
{
	char tree[16384 + 2], *text = strchr(line, '\t');
	if (!text || text[1] == '!')
		return CASE_SKIPPED;
	*text++ = 0;
	snprintf(tree, sizeof tree - 2, "%.*s", (int)strcspn(text, "\t"), text);
	return check_case(line, tree, version) ? CASE_PASSED : CASE_FAILED;
}

static enum case_result check_line(char *line, const char *file_name)
{
	(void)file_name;
	return check(line, "2.13");
}

static enum case_result check_old(char *line, const char *file_name)
{
	return check(line, strcmp(file_name, "4.txt") == 0 ? "0.4" : "1.13");
}

int main(void)
{
	static const struct case_folder folders[] = { { "tests/nn", "", NULL, check_line }, { "tests/nn/old", "old/", NULL, check_old } };
	return case_folders_run(folders, 2);
}
