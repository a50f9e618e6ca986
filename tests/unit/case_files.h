/*
 * Cases as data: folders of .txt files, a case a line, a TAP line a file.
 * Lines that begin with # are comments.
 */
#ifndef CASE_FILES_H
#define CASE_FILES_H

#include <stdbool.h>

enum case_result { CASE_SKIPPED, CASE_PASSED, CASE_FAILED };

struct case_folder {
	const char *folder;      /* below the source folder: "tests/ops" */
	const char *prefix;      /* of the names that are printed */
	const char *chosen;      /* only this file, NULL: all */
	/* One line of the file of that name, without its line break; may be changed.  Says on a TAP comment what failed. */
	enum case_result (*check)(char *line, const char *file_name);
};

/* Checks the files of folders one after the other and prints the plan.  Returns main's status: 0, 1, or 99 without cases. */
int case_folders_run(const struct case_folder *folders, int n);

/* Whether the text that came out (NULL: none) is what a column expects; says so when it is not. */
bool case_same(const char *what, const char *expression, const char *expected, const char *got);

#endif
