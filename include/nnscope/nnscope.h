/*
 * nnscope: neural networks, loaded, traced, reported on and drawn.
 *
 * An nns_model owns everything that comes of it, its graphs too, and
 * nns_model_free() frees all of it.  Texts and bytes that a function returns
 * as char * or void * belong to the caller, who frees them with free().
 * Functions return false or NULL after filling in the nns_error, which may be
 * NULL (see nnscope/error.h).  Different models may be used in different
 * threads at once; one model is for one thread at a time.  Pictures that
 * Graphviz draws are made one after the other, whatever threads ask.
 */
#ifndef NNSCOPE_NNSCOPE_H
#define NNSCOPE_NNSCOPE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "nnscope/error.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct nns_model nns_model;
typedef struct nns_graph nns_graph;   /* a traced forward pass; owned by its model */
typedef struct nns_plan nns_plan;     /* a forward pass made ready to run: nnscope/run.h */

NNS_API const char *nns_version(void);

/* ---- Models ---- */

typedef struct nns_load_options {
	const char *const *class_files;   /* descriptions whose classes are known too */
	size_t n_class_files;
	size_t max_modules;               /* 0: 2,000,000 */
	const char *program;              /* of an archive that holds several exported programs; NULL: the first */
	bool initialise;                  /* nns_run() shall make parameters as their constructors do */
	/*
	 * Memory of the model, its graphs and drawings: resize(data, p, size) behaves as realloc, and frees when size is 0.  NULL: the C
	 * library's, which plans always take, since they may run in other threads.
	 */
	void *(*resize)(void *data, void *p, size_t size);
	void *allocator_data;
} nns_load_options;

/*
 * A file of any kind that nnscope reads, known by its first bytes: a description, the text of print(model), what torch.save,
 * torch.jit.save and torch.export.save write, safetensors, arrays of numpy.  "-" is standard input.  options may be NULL.
 */
NNS_API nns_model *nns_model_load(const char *path, const nns_load_options *options, nns_error *err);
/* The same from memory; name is for messages. */
NNS_API nns_model *nns_model_load_memory(const void *data, size_t len, const char *name, const nns_load_options *options, nns_error *err);
/* A constructor expression: "Conv2d(3, 64, 7)". */
NNS_API nns_model *nns_model_from_expression(const char *expression, const nns_load_options *options, nns_error *err);
NNS_API void nns_model_free(nns_model *m);

/* Both belong to the model. */
NNS_API const char *nns_model_name(const nns_model *m);   /* of its file, without folders and suffix */
NNS_API const char *nns_model_note(const nns_model *m);   /* something its user should be told, or NULL */

/* "fc=Linear(fc.in_features, 100)" */
NNS_API bool nns_model_set(nns_model *m, const char *assignment, nns_error *err);

/* Whose printing: "2.13" (the default), "1.13", "0.4".  NULL: a printed tree as it came. */
NNS_API bool nns_model_set_torch(nns_model *m, const char *version, nns_error *err);

/* Every parameter (and buffer), in the order of named_parameters(); visit returns false to stop. */
typedef struct nns_tensor_info {
	const char *name, *dtype;
	bool is_buffer, requires_grad;
	int ndim;                         /* -1: unknown */
	const int64_t *shape;             /* ndim sizes */
} nns_tensor_info;
NNS_API bool nns_model_parameters(nns_model *m, bool (*visit)(const nns_tensor_info *t, void *data), void *data, nns_error *err);

/* ---- Tracing ---- */

/*
 * A symbolic forward pass.  inputs are written as "10x3x224x224",
 * "x=10x3x224x224" or "ids=2x7:int64" and replace the model's own; n_inputs
 * may be 0.  Tracing again makes a new graph; the old one stays.
 */
enum nns_trace_flags {
	NNS_TRAIN = 1,                    /* train mode; otherwise eval */
	NNS_NO_GRAD = 2                   /* as under torch.no_grad(); such a graph has no backward graph */
};
NNS_API nns_graph *nns_trace(nns_model *m, unsigned flags, const char *const *inputs, size_t n_inputs, nns_error *err);

typedef struct nns_node_info {
	const char *op;                   /* "conv2d.default" */
	const char *module;               /* path of the module that called it */
	int n_outputs;
	int ndim;                         /* of the first output; -1: none, or unknown */
	const int64_t *shape;
} nns_node_info;
/* The operators in the order they ran. */
NNS_API bool nns_graph_nodes(const nns_graph *g, bool (*visit)(const nns_node_info *n, void *data), void *data);

/* ---- Reports ---- */

typedef struct nns_report_options {
	const char *format;               /* "table" (NULL), "tsv", "csv", "json", "markdown" */
	int width;                        /* columns of the terminal; 0: any */
	bool colour;
	int depth;                        /* summary; 0: its default, 3; -1: the model alone */
	const char *columns, *rows;       /* summary: torchinfo's col_names and row_settings, comma separated */
} nns_report_options;

/* what: "overview", "tree", "params", "shapes", "summary", "flops".  g may be NULL for the first three. */
NNS_API char *nns_report(nns_model *m, nns_graph *g, const char *what, const nns_report_options *options, nns_error *err);

/* The rows in which two models differ; both graphs, or NULL.  *differ: whether there are any. */
NNS_API char *nns_diff(nns_model *a, nns_graph *ga, nns_model *b, nns_graph *gb, const nns_report_options *options, bool *differ, nns_error *err);

/* ---- Files that are not trusted ---- */

/*
 * What loading the files in Python would run, and what they hide; nothing of them is executed.  format: "table" (NULL),
 * "json", "sarif".  *dangerous: a finding is.  What cannot be read is told to unread, with its data, and left out; NULL: it is an
 * error of the call.
 */
NNS_API char *nns_audit(const char *const *paths, size_t n, const char *format, void (*unread)(void *data, const nns_error *why), void *data, bool *dangerous,
                        nns_error *err);

/* The code in a TorchScript file: every part whose name has `part` in it, NULL for all. */
NNS_API char *nns_code(const char *path, const char *part, nns_error *err);

/* ---- Expressions ---- */

/* Python's repr of an expression over the model: "fc.out_features". g may be NULL. */
NNS_API char *nns_get(nns_model *m, nns_graph *g, const char *expression, nns_error *err);
/*
 * Whether it holds.  When it does not and is a comparison, *left and *right
 * become the reprs of its sides (the caller frees them), otherwise NULL.
 */
NNS_API bool nns_check(nns_model *m, nns_graph *g, const char *expression, bool *holds, char **left, char **right, nns_error *err);

/* ---- Pictures ---- */

typedef struct nns_draw_options {
	const char *view;                 /* "autograd" (NULL), "forward" */
	bool show_attrs, show_saved;
	int max_attr_chars;               /* 0: 50 */
	int depth;                        /* forward: modules deeper than this fold; 0: none; -1: all, into the model */
	const char *direction;            /* forward: "TB" (NULL), "LR", ... */
	const nns_plan *times;            /* forward: colours and times by its last pass; draw nns_plan_graph() of it.  NULL: none */
} nns_draw_options;

/* format: "pdf", "svg", "png", "gv", "dot". */
NNS_API void *nns_draw(nns_model *m, nns_graph *g, const nns_draw_options *options, const char *format, size_t *len, nns_error *err);
/* Writes the whole file or nothing. */
NNS_API bool nns_draw_file(nns_model *m, nns_graph *g, const nns_draw_options *options, const char *format, const char *path, nns_error *err);
/*
 * The same in two steps: what comes of the graph is known after the first, and laid out and drawn while the caller does something
 * else.  The second writes the file, or, when it is not wanted, forgets it.
 */
typedef struct nns_drawing nns_drawing;
NNS_API nns_drawing *nns_draw_begin(nns_model *m, nns_graph *g, const nns_draw_options *options, const char *format, const char *path, nns_error *err);
NNS_API bool nns_draw_end(nns_drawing *d, bool wanted, nns_error *err);
/* The format that a path's suffix asks for, NULL when there is none of that name. */
NNS_API const char *nns_draw_format(const char *path);
/* Whether a file could be written there, before the work that makes it: nothing is made or changed. */
NNS_API bool nns_file_writable(const char *path, nns_error *err);

/* ---- What is known ---- */

/* Names of classes, operators, views; NULL at the end. */
NNS_API const char *nns_class_name(size_t index);
NNS_API const char *nns_class_signature(size_t index);
NNS_API const char *nns_operator_schema(size_t index);
NNS_API bool nns_operator_has_rule(size_t index);
NNS_API const char *nns_view_name(size_t index);
NNS_API const char *nns_view_help(size_t index);

/* text as a terminal may be given it: control characters, but for line breaks and tabs, as escapes such as \x1b.  NULL: no memory. */
NNS_API char *nns_visible(const char *text);
/* The nearest of n words, or NULL: for "did you mean". */
NNS_API const char *nns_nearest(const char *word, const char *const *words, size_t n);

#ifdef __cplusplus
}
#endif

#include "nnscope/run.h"

#endif
