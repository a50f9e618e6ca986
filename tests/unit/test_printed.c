/*
 * Printed text is a model again: what the cases of tests/nn print is read, printed once more and compared, as it came and
 * in its own version, and the parameters are those of the expression that printed it.  One TAP line a file.
 */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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

static bool same(const char *what, const char *expression, const char *expected, const char *got)
{
	if (expected && got && strcmp(expected, got) == 0)
		return true;
	printf("# %s: %s\n# expected: %s\n# got: %s\n", expression, what, expected ? expected : "(nothing)", got ? got : "(nothing)");
	return false;
}

static bool check_tree(const char *expression, const char *tree, const char *version)
{
	nns_error err = { 0 };
	nns_model *m = nns_model_load_memory(tree, strlen(tree), "case", NULL, &err);
	char *again = NULL;
	if (m && nns_model_set_torch(m, version, &err))
		again = nns_report(m, NULL, "tree", NULL, &err);
	bool good = same(version ? "tree of its version" : "tree", expression, tree, again ? again : err.message);
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
	bool good = same("parameters", expression, expected, got ? got : err.message);
	free(got);
	free(expected);
	nns_model_free(read);
	nns_model_free(made);
	return good;
}

static bool check_line(const char *expression, char *tree, const char *version)
{
	unescape(tree);
	bool good = check_tree(expression, tree, NULL) && check_tree(expression, tree, version);
	if (good && strcmp(version, "2.13") == 0 && prints_all(expression))
		good = check_parameters(expression, tree);
	return good;
}

static bool check_file(const char *path, const char *version, int *n, int *failed)
{
	static char line[16384];
	char tree[16384 + 2];
	FILE *f = fopen(path, "r");
	if (!f)
		return false;
	while (fgets(line, sizeof line, f)) {
		line[strcspn(line, "\n")] = 0;
		char *text = strchr(line, '\t');
		if (line[0] == '#' || !text || text[1] == '!')
			continue;
		*text++ = 0;
		snprintf(tree, sizeof tree - 2, "%.*s", (int)strcspn(text, "\t"), text);
		++*n;
		*failed += !check_line(line, tree, version);
	}
	fclose(f);
	return true;
}

static int is_case_file(const struct dirent *d)
{
	size_t n = strlen(d->d_name);
	return n > 4 && strcmp(d->d_name + n - 4, ".txt") == 0;
}

static int by_name(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

/* Returns how many files failed, -1 when there are none. */
static int check_folder(const char *folder, bool old, int *number)
{
	struct dirent **files;
	char path[2048];
	int failures = 0, n_files = scandir(folder, &files, is_case_file, by_name);
	for (int i = 0; i < n_files; i++) {
		int n = 0, failed = 0;
		const char *name = files[i]->d_name;
		const char *version = !old ? "2.13" : strcmp(name, "4.txt") == 0 ? "0.4" : "1.13";
		snprintf(path, sizeof path, "%s/%s", folder, name);
		bool good = check_file(path, version, &n, &failed) && failed == 0 && n > 0;
		printf("%s %d - %s%s: %d cases, %d failed\n", good ? "ok" : "not ok", ++*number, old ? "old/" : "", name, n, failed);
		failures += !good;
		free(files[i]);
	}
	if (n_files > 0)
		free(files);
	return n_files > 0 ? failures : -1;
}

int main(void)
{
	const char *root = getenv("srcdir");
	char folder[1024];
	int number = 0;
	snprintf(folder, sizeof folder, "%s/tests/nn", root ? root : ".");
	int failures = check_folder(folder, false, &number);
	snprintf(folder, sizeof folder, "%s/tests/nn/old", root ? root : ".");
	int old_failures = check_folder(folder, true, &number);
	printf("1..%d\n", number);
	if (failures < 0 || old_failures < 0) {
		printf("Bail out! no cases in %s\n", folder);
		return 99;
	}
	return failures + old_failures > 0;
}
