/*
 * The graph: the operations of a forward pass in the order they ran.
 *
 * A struct value is a tensor as Python sees it: one object, which in-place
 * operators change and hand back.  A struct node is one call of an ATen
 * operator.  A composite operator (linear, lstm) has `parts`: the nodes it
 * runs as, recorded below it; what has no parts is a leaf.  A struct call is
 * one call of a module's forward, a tree below the root module.
 *
 * Everything is owned by the arena of the model.
 */
#ifndef IR_GRAPH_H
#define IR_GRAPH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/datum.h"
#include "ir/dtype.h"

struct node;
struct op;
struct module;

enum { MAX_DIMS = 64 }; /* as PyTorch's dispatcher; more is an error */

struct value {
	const char *name;        /* an input's or parameter's own name, or NULL */
	enum dtype dtype;
	int ndim;                /* -1: the shape is unknown (its operator has no shape rule) */
	int64_t *size, *stride;  /* ndim each; strides in elements */
	int64_t offset;          /* elements into the storage */
	struct value *base;      /* the tensor whose memory this view shares (never itself a view), or NULL */
	struct node *producer;   /* the node that first made it, NULL for inputs and parameters */
	int output;              /* which of its outputs */
	bool requires_grad;
	bool is_parameter;       /* an nn.Parameter */
	bool is_scalar;          /* a Python number wrapped into a 0-d tensor: promotes as a number does */
	int version;             /* in-place writes so far (to the base, when it is a view) */
	void *constant;          /* struct datum * when the content is known while tracing (torch.tensor(3)), or NULL */
	const unsigned char *storage; /* the bytes of its storage in a mapped file, which the model owns; NULL: none */
	size_t storage_bytes;
	const char *layout;      /* "sparse_coo", ...: such a tensor is named and has no strides; NULL: strided */
	void *note;              /* for the stage that is at work (autograd's function), NULL between stages */
};

struct node {
	int id;                  /* position in order of execution, leaves and composites */
	const struct op *op;
	struct datum *args;      /* op->n_args of them, in the order of the schema, defaults filled in */
	struct value **outputs;  /* every tensor returned, lists flattened; in-place: the input itself */
	int n_outputs;
	struct datum result;     /* as the caller sees it: a tensor, tuple, list, number */
	struct call *call;       /* the module call it ran in */
	struct node *parent;     /* the composite it is a part of, or NULL */
	struct node *parts, *last_part;
	struct node *next;       /* the next node with the same parent */
	bool composite;          /* ran as its parts, which may be none: dropout in eval mode hands its argument on */
	bool grad_enabled;       /* outside of torch.no_grad() */
	struct value *before;    /* squeeze_() and the like: their argument as it was, NULL for all others */
	int code_line;           /* line of the forward code, 0 when unknown */
};

struct call {
	struct module *module;
	const char *path;        /* dotted path of the module as it was called, "" for the root */
	struct call *parent, *children, *last_child, *next;
	struct datum args;       /* tuple of the positional arguments */
	struct datum output;
	bool returns_state;      /* of a program: its last operator gives an output and a state */
	int depth;               /* 0 for the root */
	int serial;              /* order in which calls began */
};

struct graph_input {
	const char *name;
	struct value *value;
	const struct value *given;   /* the sizes and strides it came with; operators in place change those of value */
	bool is_default;         /* came from the description, not from the command line */
	const char *symbols;     /* of a program whose sizes are free: "s0 x 3"; else NULL */
	const struct value *content; /* an array of that shape and dtype that is known while tracing, or NULL */
};

/* What is known while tracing of the content of a value that hangs on inputs. */
struct graph_content {
	struct value *value;
	const struct value *content; /* of its shape, with storage */
	int version;             /* of the value's memory when it was so */
};

struct graph {
	struct arena *arena;
	struct node *nodes, *last; /* the top level */
	int n_nodes;               /* all, parts too */
	struct call *root;
	int n_calls;
	struct graph_input *inputs;
	size_t n_inputs;
	struct datum output;       /* what the root module returned */
	bool training;
	struct graph_content *contents; size_t n_contents, cap_contents; /* inputs first */
	double work;               /* that their computation took: multiply-adds and elements */
	bool content_used;         /* sizes or numbers of it hang on the content of its inputs */
};

/* Iteration over leaves in order of execution: for (n = graph_first(g); n; n = graph_next(n)). */
struct node *graph_first(const struct graph *g);
struct node *graph_next(const struct node *n);

struct value *value_new(struct arena *a, enum dtype dtype, int ndim, const int64_t *size); /* contiguous; NULL: out of memory */
bool value_is_contiguous(const struct value *v);
struct datum value_number(const struct value *v, int64_t i); /* the element i places into the content, which it has: float, int or bool */
bool value_has_sizes(const struct value *v, int n, const int64_t *size);
int64_t value_numel(const struct value *v);        /* -1 when the shape is unknown */
int64_t value_bytes(const struct value *v);        /* numel times the element's size, -1 when unknown */
/* True when the product of sizes, times the element size, fits 63 bits. */
bool shape_fits(int ndim, const int64_t *size, enum dtype dtype);
void contiguous_strides(int ndim, const int64_t *size, int64_t *stride);

/* Calls fn for every tensor in d, in order, through tuples, lists and dicts' values. False as soon as fn is. */
bool datum_each_tensor(struct datum d, bool (*fn)(struct value *v, void *data), void *data);
size_t datum_count_tensors(struct datum d);

/* Shapes as text: "10x3x224x224" (scalar: ""), "[10, 3]" , "(10, 3)" as Python prints a tuple. */
void shape_add_x(struct text *t, const struct value *v);
void shape_add_list(struct text *t, const struct value *v);
void shape_add_tuple(struct text *t, const struct value *v);

#endif
