/*
 * Reports: text about a model or a traced graph.  A report writes into a
 * caller's struct text and keeps nothing.  What only the module and operator
 * tables know is asked through struct report_source, so that reports depend on
 * ir/ alone.
 */
#ifndef REPORT_REPORT_H
#define REPORT_REPORT_H

#include "base/text.h"
#include "ir/graph.h"
#include "ir/module.h"

struct report_source {
	void *data;
	int torch_version;       /* 213, 113, 4 */
	/* what prints between the brackets of a module */
	bool (*repr)(void *data, const struct module *m, struct text *out, nns_error *err);
	/* repeated children are folded: "(0-2): 3 x Linear(...)" */
	bool (*folds)(void *data, const struct module *m);
	/* how many arguments a node has */
	int (*n_args)(const struct node *n);
	/* fvcore's count of a node.  counted: false when fvcore has no rule for it; name: fvcore's or the operator's */
	bool (*flops)(void *data, const struct node *n, double *count, bool *counted, const char **name);
	/* Adds to `how` in what the contents of two tensors of one shape and type differ, nothing when they are equal. */
	bool (*contents)(void *data, const struct value *a, const struct value *b, struct text *how, nns_error *err);
};

enum report_format { FORMAT_TABLE, FORMAT_TSV, FORMAT_CSV, FORMAT_JSON, FORMAT_MARKDOWN, FORMAT_NONE = -1 };
enum report_format report_format_from_name(const char *name);

/* str(model), with a newline at its end. */
bool report_tree(const struct model *m, const struct report_source *s, struct text *out, nns_error *err);

/* Kind and origin of the file, counts, bytes, dtypes, and which commands work. */
bool report_overview(const struct model *m, struct text *out, nns_error *err);

struct report_options {
	enum report_format format;
	int width;               /* of the terminal in columns; 0: do not fit */
	bool colour;
	int depth;               /* summary: 3 by default; -1 elsewhere: all */
	const char *columns;     /* summary: torchinfo's col_names, comma separated; NULL: its default */
	const char *rows;        /* summary: torchinfo's row_settings; NULL: depth */
};
bool report_params(const struct model *m, const struct report_options *o, struct text *out, nns_error *err);
bool report_shapes(const struct model *m, const struct graph *g, const struct report_options *o, struct text *out, nns_error *err);
bool report_summary(const struct model *m, const struct graph *g, const struct report_options *o, struct text *out, nns_error *err);
bool report_flops(const struct model *m, const struct graph *g, const struct report_source *s, const struct report_options *o, struct text *out,
                  nns_error *err);
/* Modules (class and what prints between the brackets), parameters, shapes.  Graphs may be NULL. */
bool report_diff(const struct model *a, const struct graph *ga, const struct report_source *sa,
                 const struct model *b, const struct graph *gb, const struct report_source *sb,
                 const struct report_options *o, bool *differ, struct text *out, nns_error *err);

#endif
