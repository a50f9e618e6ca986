/* What stands behind the public types. */
#ifndef API_API_H
#define API_API_H

#include "nnscope/nnscope.h"
#include "ir/graph.h"
#include "ir/module.h"
#include "report/report.h"

struct nns_model {
	struct model *model;
	struct allocator allocator;
	int torch_version;       /* 0: as it came, or the default */
};

struct nns_graph {
	struct graph *graph;
};

/* A text's bytes for the caller, or NULL and an error; releases the text when ok is false. */
char *api_take(struct text *t, bool ok, nns_error *err);
/* The same of a text that a file's names stand in, on its way to a terminal: what would steer that is escaped. */
char *api_take_text(struct text *t, bool ok, nns_error *err);

#endif
