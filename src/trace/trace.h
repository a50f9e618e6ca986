/*
 * Tracing: a symbolic forward pass.  It runs the forward code of the modules
 * and records the operators they call; no tensor has content.  The graph lives
 * in the arena of the model and is freed with it.
 */
#ifndef TRACE_TRACE_H
#define TRACE_TRACE_H

#include "ir/graph.h"
#include "ir/module.h"
#include "base/text.h"

struct trace_options {
	bool training;                       /* train mode; otherwise eval */
	bool no_grad;                        /* as under torch.no_grad(): nothing requires grad */
	const struct graph_input *inputs;    /* these replace the model's default inputs, by name or by position */
	size_t n_inputs;
	bool drawn;                          /* the default inputs will be random numbers: the examples of a file tell nothing */
};
struct graph *trace(struct model *m, const struct trace_options *o, nns_error *err);

/*
 * An input as the command line writes it: "10x3x224x224", "x=10x3x224x224",
 * "ids=2x7:int64", "scalar" or "" for no dimensions.  name is NULL when none was given.  Floating-point
 * inputs require grad.
 */
bool trace_parse_input(struct arena *a, const char *text, struct graph_input *out, nns_error *err);

/*
 * An expression of the forward language over the model: attributes and
 * children of the root module are plain names, and so are `model`, `input(s)`,
 * `output`, `parameters()`, `buffers()`, `modules()` and their named_ forms.  graph may be NULL; then an expression
 * that asks for `output` traces first.  Writes Python's repr.
 */
/* *module: set in place of the text when the value is a module, which only a report can print. */
bool query_get(struct model *m, struct graph *g, const char *expression, const struct module **module, struct text *out, nns_error *err);

/*
 * Whether the expression is true.  For a comparison, left and right become the reprs of its two
 * sides (empty otherwise) so that a failed check can show them.
 */
bool query_check(struct model *m, struct graph *g, const char *expression, bool *holds, struct text *left, struct text *right, nns_error *err);

#endif
