/* Where a command writes: not over what it reads, nor twice to one place. */
#ifndef _XOPEN_SOURCE
#define _XOPEN_SOURCE 700 /* stat */
#endif
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "cli/cli.h"

/* A file of the command line: "--save", "x.npz". */
struct named_file {
	const char *option, *path;
};

/* The folder of a path, and its name there; freed by the caller. */
static char *split_path(const char *path, const char **name)
{
	const char *slash = strrchr(path, '/');
	*name = slash ? slash + 1 : path;
	return slash ? strndup(path, (size_t)(slash - path) + 1) : strdup(".");
}

static bool same_inode(const struct stat *a, const struct stat *b)
{
	return a->st_dev == b->st_dev && a->st_ino == b->st_ino;
}

/* Neither is there yet: the same name in the same folder. */
static bool same_place(const char *a, const char *b)
{
	const char *name_a, *name_b;
	struct stat s, t;
	char *folder_a = split_path(a, &name_a), *folder_b = split_path(b, &name_b);
	bool same = folder_a && folder_b && strcmp(name_a, name_b) == 0 && stat(folder_a, &s) == 0 && stat(folder_b, &t) == 0 && same_inode(&s, &t);
	free(folder_a);
	free(folder_b);
	return same;
}

/* Devices and pipes are written to, not replaced, and may be named twice. */
static bool same_file(const char *a, const char *b)
{
	struct stat s, t;
	bool has_a = stat(a, &s) == 0, has_b = stat(b, &t) == 0;
	if (has_a && has_b)
		return S_ISREG(s.st_mode) && same_inode(&s, &t);
	return has_a == has_b && same_place(a, b);
}

static bool apart(const struct named_file *out, const struct named_file *other)
{
	if (!out->path || !other->path || strcmp(other->path, "-") == 0 || !same_file(out->path, other->path))
		return true;
	return complain_usage("%s %s would overwrite %s %s", out->option, out->path, other->option, other->path), false;
}

bool files_apart(const struct options *o, const char *output)
{
	const struct named_file outputs[] = { { "--output", output }, { "--save", o->save }, { "--save-weights", o->save_weights } };
	const struct named_file inputs[] = { { "the model", o->expr || !o->operands.n ? NULL : o->operands.items[0] }, { "--weights", o->weights },
		{ "--inputs", o->inputs_file }, { "--expect", o->expect } };
	enum { OUTPUTS = sizeof outputs / sizeof *outputs, INPUTS = sizeof inputs / sizeof *inputs };
	for (size_t i = 0; i < OUTPUTS; i++) {
		for (size_t k = 0; k < INPUTS; k++)
			if (!apart(&outputs[i], &inputs[k]))
				return false;
		for (size_t k = 0; k < i; k++)
			if (!apart(&outputs[i], &outputs[k]))
				return false;
		for (size_t k = 0; k < o->classes.n; k++)
			if (!apart(&outputs[i], &(struct named_file){ "--classes", o->classes.items[k] }))
				return false;
	}
	return true;
}

int files_writable(const struct options *o, const char *output)
{
	const char *const paths[] = { output, o->save, o->save_weights };
	for (size_t i = 0; i < sizeof paths / sizeof *paths; i++) {
		nns_error err = { 0 };
		if (paths[i] && !nns_file_writable(paths[i], &err))
			return complain(&err);
	}
	return EXIT_OK;
}
