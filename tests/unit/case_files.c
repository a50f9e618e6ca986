#include "case_files.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tap.h"

enum { LINE = 16384 };

bool case_same(const char *what, const char *expression, const char *expected, const char *got)
{
	got = got ? got : "";
	if (strcmp(expected, got) == 0)
		return true;
	printf("# %s\n#   %s expected: %s\n#   %s got:      %s\n", expression, what, expected, what, got);
	return false;
}

static bool check_file(const struct case_folder *f, const char *path, const char *name, int *n, int *failed)
{
	char line[LINE];
	FILE *file = fopen(path, "r");
	if (!file)
		return false;
	while (fgets(line, sizeof line, file)) {
		line[strcspn(line, "\n")] = 0;
		enum case_result result = line[0] == '#' || !line[0] ? CASE_SKIPPED : f->check(line, name);
		*n += result != CASE_SKIPPED;
		*failed += result == CASE_FAILED;
	}
	fclose(file);
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

/* A test a file; false when there are none. */
static bool run_folder(const struct case_folder *f)
{
	const char *root = getenv("srcdir");
	struct dirent **files;
	char folder[1024], path[2048];
	snprintf(folder, sizeof folder, "%s/%s", root ? root : ".", f->folder);
	int n_files = scandir(folder, &files, is_case_file, by_name);
	for (int i = 0; i < n_files; i++) {
		int n = 0, failed = 0;
		const char *name = files[i]->d_name;
		snprintf(path, sizeof path, "%s/%s", folder, name);
		bool skipped = f->chosen && strcmp(f->chosen, name) != 0;
		bool good = skipped || (check_file(f, path, name, &n, &failed) && failed == 0 && n > 0);
		tap(good, "%s%s: %d cases, %d failed", f->prefix, name, n, failed);
		free(files[i]);
	}
	if (n_files > 0)
		free(files);
	return n_files > 0;
}

int case_folders_run(const struct case_folder *folders, int n)
{
	for (int i = 0; i < n; i++)
		if (!run_folder(&folders[i]))
			tap_bail("no cases in %s", folders[i].folder);
	return tap_end();
}
