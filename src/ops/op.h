/*
 * The op table.  An operator is known by three things:
 *
 *   facts   a row of aten.tsv, compiled in: schema, kind, backward node, its
 *           edges, what it saves.  Every ATen operator has one.
 *   rule    a row of a family file (conv.c, pool.c, ...): what data cannot say.
 *           Shape inference, multiply-adds, the parts of a composite operator.
 *   op      both, with the schema parsed: made on first use, owned by an optable.
 *
 * A NULL column in a rule means "unknown".
 */
#ifndef OPS_OP_H
#define OPS_OP_H

#include "base/map.h"
#include "ir/graph.h"
#include "lang/lang.h"

struct op_fact {
	const char *name;      /* "add.Tensor"; the default overload has no dot: "conv2d" */
	const char *schema;
	/* words: plain, composite, view, inplace, out; function: its gradient is written in Python; differentiable:0,1: only these outputs are */
	const char *kind;
	const char *backward;  /* "AddBackward0", "" when not differentiable */
	const char *edges;     /* "self,other" */
	const char *saved;     /* "self:Tensor,result1:Tensor,dim:int" */
};
extern const struct op_fact op_facts[]; /* sorted by name (strcmp) */
extern const size_t op_facts_count;

enum arg_type {
	ARG_TENSOR, ARG_INT, ARG_FLOAT, ARG_BOOL, ARG_STR, ARG_SCALAR, ARG_DTYPE,
	ARG_LAYOUT, ARG_DEVICE, ARG_MEMORY_FORMAT, ARG_GENERATOR, ARG_OTHER
};

struct op_arg {
	const char *name;
	enum arg_type type;
	bool optional;         /* T? */
	bool list;             /* T[], and int[2] */
	int list_size;         /* 2 of int[2]: one int is broadcast; 0 when open */
	bool optional_items;   /* Tensor?[] */
	bool keyword_only;
	bool writes;           /* Tensor(a!) */
	char alias;            /* 'a' of Tensor(a), 0 when none */
	bool has_default;
	struct datum fallback;
};

struct op_return {
	enum arg_type type;
	bool list;
	bool writes;
	char alias;
};

struct op_call;
/* What an operator does in a network; pictures colour it so. */
enum op_kind { OP_OTHER, OP_PRODUCT, OP_NORM, OP_SAMPLING, OP_ACTIVATION, OP_DROPOUT };

struct op_rule {
	const char *name;                       /* as in the facts */
	int variant;                            /* what a family's function tells its rows apart by: dimensions, or an enum of its file */
	enum op_kind kind;                      /* OP_OTHER: its family's, in families.def */
	bool (*shape)(struct op_call *c);       /* makes the outputs; false after op_fail() */
	bool (*flops)(const struct node *n, double *out); /* multiply-adds by fvcore's rules; false: unknown */
	const char *flops_name;                 /* fvcore's name in by_operator: "conv" */
	/*
	 * A composite operator: body of a function over the schema's arguments,
	 * in the forward language, that calls what PyTorch's implementation
	 * calls under the same conditions: "return aten.addmm(bias, input, input.t())".
	 * When a rule has both shape and parts, shape runs first as a check of the
	 * arguments and its outputs are dropped.
	 */
	const char *parts;
	const char *reads;                      /* the tensor argument whose numbers the parts read: without them the operator is a leaf */
};

/* A family file ends with its rows: const struct op_rule conv_rules[] = { ..., { 0 } }; */
#define OP_FAMILY(family, kind) extern const struct op_rule family##_rules[];
#include "ops/families.def"
#undef OP_FAMILY

struct op {
	const char *name;      /* "conv2d", "add.Tensor" */
	const char *base_name; /* "conv2d", "add" */
	const char *overload;  /* "default", "Tensor" */
	const struct op_fact *fact;
	const struct op_rule *rule; /* NULL when there is none */
	const struct code *parts;   /* parsed rule->parts */
	struct op_arg *args;
	int n_args;
	struct op_return *returns;
	int n_returns;
	bool composite, view, inplace;
	bool function;         /* its gradient is a function written in Python (torch.library.register_autograd) */
	bool unknown;          /* not ATen's, or called with what its rule does not take: no rule, no kernel */
	bool copies;           /* unfold_copy: the rule and the kernel are unfold's, and the results are contiguous copies */
	uint64_t constant;     /* bit i: output i has no gradient although the operator has (indices, saved statistics) */
};

/* Parsed operators of one model.  No operator of that name: NULL, *err says so. */
struct optable;
struct optable *optable_new(struct arena *a, nns_error *err);
const struct op *optable_get(struct optable *t, const char *name, nns_error *err);
/* An operator from facts of the caller's; NULL: out of memory. */
const struct op *optable_make(struct optable *t, const struct op_fact *fact);
/* Whether output i never has a gradient. */
static inline bool op_output_is_constant(const struct op *op, size_t i)
{
	return i < 64 && (op->constant >> i & 1);
}
/* The index of argument name, or -1. */
int op_arg_index(const struct op *op, const char *name);

const struct op_rule *op_rule_find(const char *name);
enum op_kind op_kind(const struct op *op);
const struct op_fact *op_fact_find(const char *name);
/* Facts whose base name is base: first index and count.  Overloads in order of name. */
size_t op_fact_overloads(const char *base, size_t *count);

/* ---- What a shape rule works with ---------------------------------------------------------------------------- */

struct op_call {
	const struct op *op;
	const struct datum *args;   /* bound: op->n_args */
	struct arena *arena;
	nns_error *err;
	bool training;              /* not the op's own argument; rarely needed */
	int list_length;            /* of a list that only values tell the length of: what a file says it is, or 0 */
	const char *label;          /* what errors call the operator: the composite that the user wrote */
	/* results, filled in by the op_out functions */
	struct value **outputs; size_t n_outputs, cap_outputs;
	struct datum result;        /* when not simply the outputs: set by op_return_*() */
	bool has_result;
};

/* Arguments by their name in the schema; asking for a name the schema lacks is a failed call. */
struct value *op_tensor(struct op_call *c, const char *name);            /* NULL when None */
int64_t op_int(struct op_call *c, const char *name, int64_t none);       /* none: what None reads as */
double op_float(struct op_call *c, const char *name, double none);       /* numbers of any kind */
bool op_bool(struct op_call *c, const char *name, bool none);
const char *op_str(struct op_call *c, const char *name);                 /* NULL when None */
enum dtype op_dtype(struct op_call *c, const char *name, enum dtype none);
bool op_is_none(struct op_call *c, const char *name);
/* An int list; *n = -1 when None.  When the schema says int[N] a single int comes N times. */
const int64_t *op_ints(struct op_call *c, const char *name, int *n);
struct value **op_tensors(struct op_call *c, const char *name, int *n);  /* Tensor[]; items may be NULL for Tensor?[] */

/* The same for a recorded node, for flops rules. */
struct datum *node_arg(const struct node *n, const char *name);          /* NULL when the schema lacks it */
struct value *node_tensor(const struct node *n, const char *name);

/* Outputs.  Each returns NULL after setting the error. */
struct value *op_out(struct op_call *c, enum dtype dtype, int ndim, const int64_t *size);   /* new, contiguous */
struct value *op_out_strided(struct op_call *c, enum dtype dtype, int ndim, const int64_t *size, const int64_t *stride);
/* New, same sizes as v, strides kept when v is dense and does not overlap (torch.empty_like). */
struct value *op_out_like(struct op_call *c, const struct value *v, enum dtype dtype);
/* A view of v. offset in elements, absolute. */
struct value *op_out_view(struct op_call *c, struct value *v, int ndim, const int64_t *size, const int64_t *stride, int64_t offset);
bool op_out_same(struct op_call *c, struct value *v);        /* v itself: in-place, or a composite that returns its input */
/* All outputs so far become one list, for operators that return Tensor[]. */
bool op_return_list(struct op_call *c);
/* A number or None instead of tensors. */
bool op_return(struct op_call *c, struct datum d);

/*
 * A shape error: "conv2d: input [10, 64, 56, 56] has 64 channels, ...".  The
 * operator's name is put in front; %V in fmt writes a struct value *'s shape
 * as [10, 64], the other conversions are printf's (d, s, g, lld, zu).
 * Always returns false.
 */
bool op_fail(struct op_call *c, const char *fmt, ...);

/* A dimension counted from the end made positive: false with PyTorch's message when out of range. */
bool op_dim(struct op_call *c, int64_t dim, int ndim, int *out);
/* Broadcasts two shapes. */
bool op_broadcast(struct op_call *c, int na, const int64_t *a, int nb, const int64_t *b, int *n, int64_t *out);
/* TensorIterator: broadcast of the inputs, output strides as PyTorch computes them (aten/src/ATen/TensorIterator.cpp). */
struct value *op_out_pointwise(struct op_call *c, enum dtype dtype, struct value *const *in, int n);
/* torch.result_type over tensors and wrapped numbers (c10/core/ScalarType, TypeProperties.cpp). */
enum dtype op_result_type(struct op_call *c, struct value *const *in, int n);

/* Ready-made shape rules for whole classes of operators. */
bool shape_pointwise(struct op_call *c);        /* all tensor arguments, promoted */
bool shape_pointwise_float(struct op_call *c);  /* the same, integers become float32 */
bool shape_pointwise_bool(struct op_call *c);   /* comparisons */
bool shape_same(struct op_call *c);             /* the first tensor's shape, strides and dtype */
bool shape_inplace(struct op_call *c);          /* returns the written argument after checking the broadcast */

#endif
