/*
 * Loading: bytes to a model.  Every format bids on the first bytes and the
 * highest bid reads the file.  The caller owns the model and frees it with
 * model_free(), which frees its arena and everything in it.
 */
#ifndef LOAD_LOAD_H
#define LOAD_LOAD_H

#include "base/arena.h"
#include "ir/module.h"

struct load_options {
	const struct allocator *allocator;   /* NULL: malloc */
	const char *const *class_files;      /* descriptions whose classes are known too */
	size_t n_class_files;
	size_t max_modules;                  /* 0: the default, 2000000 */
	const char *program;                 /* of an archive that holds several; NULL: the first */
	bool initialise;                     /* record how parameters are made, for graph_materialise() */
};

struct load_file {
	const char *path;                    /* as the user wrote it; "<stdin>" for "-" */
	const char *name;                    /* without folders and suffix */
	const char *data; size_t len;        /* NUL-terminated beyond len; lives as long as the model */
	const struct load_options *options;
};

/* A row of the table of formats. */
struct load_format {
	const char *name;                    /* "description" */
	const char *help;
	bool binary;                         /* of any size: nothing of it is copied */
	/* 0: not mine, to 100: surely mine. */
	int (*bid)(const struct load_file *f);
	/* Fills m (arena and name are set). */
	bool (*load)(const struct load_file *f, struct model *m, nns_error *err);
};
extern const struct load_format load_formats[]; /* ends with a NULL name */

struct model *load_path(const char *path, const struct load_options *o, nns_error *err);
struct model *load_memory(const char *data, size_t len, const char *name, const struct load_options *o, nns_error *err);
struct model *load_expression(const char *expression, const struct load_options *o, nns_error *err);
void model_free(struct model *m);        /* NULL is allowed */
/* The model closes the file in the end; when there is no memory for that, it is closed at once. */
bool model_keep_file(struct model *m, struct mapping *file, nns_error *err);

#endif
