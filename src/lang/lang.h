/*
 * The forward language: a small subset of Python.  Text is parsed once into a
 * syntax tree (struct code) that lives in an arena; an interp evaluates it.
 * What tensors, modules and library names mean is not known here: the host
 * says it through struct lang_host.
 *
 * Statements: expression, assignment (names, attributes, subscripts, tuple
 * unpacking with a starred name, chained), augmented assignment, if/elif/else,
 * for/else over sequences, while, break, continue, pass, return, raise, assert,
 * with (a host's context manager), del, and def (nested functions).
 * Expressions: Python's operators and comparisons with their precedence and
 * chaining, conditional expressions, calls with * and **, attributes,
 * subscripts with slices, tuples, lists, dicts, lambda, comprehensions of
 * lists, dicts and generators, f-strings with !r and format specs, strings,
 * numbers, None, True, False, `...`, and `is`, `in`.
 */
#ifndef LANG_LANG_H
#define LANG_LANG_H

#include "base/arena.h"
#include "base/datum.h"
#include "base/map.h"

struct code;    /* a parsed block or expression; immutable, may be evaluated many times */
struct interp;

/*
 * Parses text (length n; it is copied).  where is what an error calls the
 * text: "samples/x.json: BasicBlock.forward".  Depth of nesting is limited.
 */
struct code *lang_parse_block(struct arena *a, const char *text, size_t n, const char *where, nns_error *err);
struct code *lang_parse_expression(struct arena *a, const char *text, size_t n, const char *where, nns_error *err);

/* A signature: "in_channels, out_channels, *, stride=1, **kwargs". */
struct lang_param {
	const char *name;
	const char *type;             /* the annotation as written, NULL when there is none */
	const struct code *fallback;  /* the default, NULL when required */
	bool keyword_only, star, double_star;
};
struct signature {
	const char *text;             /* as written, for messages */
	struct lang_param *params;
	size_t n;
};
bool lang_parse_signature(struct arena *a, const char *text, const char *where, struct signature *out, nns_error *err);

/* Arguments of a call as written: positional ones, then keywords by name. */
struct lang_args {
	struct datum *items; size_t n, cap;
	const char **names;  struct datum *values; size_t n_named, cap_named;
};

/* A variable scope: names to datums. */
struct scope {
	const char **names; struct datum *values; size_t n, cap;
	struct scope *outer;
};
bool scope_set(struct arena *a, struct scope *s, const char *name, struct datum v);
struct datum *scope_get(const struct scope *s, const char *name); /* looks outwards; NULL when absent */

/*
 * Python's calling rules.  Binds args to sig in scope out, which gets one
 * entry per parameter in the order of the signature.  what names the callee:
 * "Conv2d() missing 1 required argument: 'kernel_size'".  The error shows the
 * signature.
 */
bool lang_bind(struct interp *in, const struct signature *sig, const char *what,
               const struct lang_args *args, struct scope *out, nns_error *err);

/* A function of the host. */
struct function {
	const char *name;
	bool (*call)(struct interp *in, const struct function *self, const struct lang_args *args, struct datum *out, nns_error *err);
	const void *data;             /* the host's */
	struct datum self;            /* what a method is bound to */
};

/* A copy of f in the arena, as a value of the language. */
bool lang_function(struct arena *a, struct function f, struct datum *out, nns_error *err);

/* Another object of the host, such as the namespace torch.nn. */
struct host_object {
	const char *kind;             /* "namespace", "context", "size", ... for messages and isinstance */
	const void *data;
};

enum lang_op {
	OP_ADD, OP_SUB, OP_MUL, OP_DIV, OP_FLOORDIV, OP_MOD, OP_POW, OP_MATMUL,
	OP_AND, OP_OR, OP_XOR, OP_SHL, OP_SHR,
	OP_NEG, OP_POS, OP_INVERT,
	OP_EQ, OP_NE, OP_LT, OP_LE, OP_GT, OP_GE
};

/*
 * What the host answers for D_TENSOR, D_MODULE, D_CLASS, D_DTYPE, D_HOST
 * datums.  Any member may be NULL: then the language's own error is given.
 * getattr and global return true with *found = false when there is no such
 * name; the interp then writes the error, with the nearest name from names().
 */
struct lang_host {
	bool (*global)(struct interp *in, const char *name, struct datum *out, bool *found, nns_error *err);
	bool (*getattr)(struct interp *in, struct datum obj, const char *name, struct datum *out, bool *found, nns_error *err);
	bool (*setattr)(struct interp *in, struct datum obj, const char *name, struct datum v, nns_error *err);
	bool (*call)(struct interp *in, struct datum callee, const struct lang_args *args, struct datum *out, nns_error *err);
	/* operators; inplace: x += y, where the host may write into a */
	bool (*binary)(struct interp *in, enum lang_op op, struct datum a, struct datum b, bool inplace, struct datum *out, nns_error *err);
	bool (*unary)(struct interp *in, enum lang_op op, struct datum a, struct datum *out, nns_error *err);
	bool (*getitem)(struct interp *in, struct datum obj, struct datum index, struct datum *out, nns_error *err);
	bool (*setitem)(struct interp *in, struct datum obj, struct datum index, struct datum v, nns_error *err);
	bool (*length)(struct interp *in, struct datum obj, int64_t *out, nns_error *err);
	/* everything that iterating over obj yields, as a list */
	bool (*items)(struct interp *in, struct datum obj, struct datum *out, nns_error *err);
	bool (*truth)(struct interp *in, struct datum obj, bool *out, nns_error *err);
	bool (*contains)(struct interp *in, struct datum obj, struct datum item, bool *out, nns_error *err);
	bool (*isinstance)(struct interp *in, struct datum obj, struct datum class, bool *out, nns_error *err);
	/* with obj: ... ; leave is called however the block ends */
	bool (*enter)(struct interp *in, struct datum obj, struct datum *out, nns_error *err);
	void (*leave)(struct interp *in, struct datum obj);
	void (*repr)(struct text *t, struct datum obj);
	/* candidates for "did you mean": attributes of obj, or global names when obj is D_NONE; index counts up, NULL ends */
	const char *(*names)(struct interp *in, struct datum obj, size_t index);
};

struct interp {
	struct arena *arena;
	const struct lang_host *host;
	void *data;                   /* the host's */
	int depth;                    /* of nested evaluation; limited */
	long steps, max_steps;        /* evaluated nodes; limited, so that nothing hangs */
	int line;                     /* line of the statement at work, within its code */
};

void interp_init(struct interp *in, struct arena *a, const struct lang_host *host, void *data);

/* Evaluates an expression. */
bool lang_eval(struct interp *in, const struct code *code, struct scope *scope, struct datum *out, nns_error *err);

/* Runs a block; *out is what it returned, None when it fell off its end. */
bool lang_run(struct interp *in, const struct code *code, struct scope *scope, struct datum *out, nns_error *err);

/* Calls any callable datum: host functions, classes, modules, lambdas. */
bool lang_call(struct interp *in, struct datum callee, const struct lang_args *args, struct datum *out, nns_error *err);

/* Python's getattr, without an error when absent. */
bool lang_getattr(struct interp *in, struct datum obj, const char *name, struct datum *out, bool *found, nns_error *err);

/* The binary operator for any two datums, host's or not. */
bool lang_binary(struct interp *in, enum lang_op op, struct datum a, struct datum b, struct datum *out, nns_error *err);

/* For a comparison at the top of an expression (`a == b`, `a < b`): its two sides as code, so that a failed check can show both.  False when it is not one. */
bool lang_comparison_sides(const struct code *code, const struct code **left, const char **op, const struct code **right);

/* As lang_eval, for a call expression: evaluates only its arguments.  False with an error when code is not a call. */
bool lang_eval_args(struct interp *in, const struct code *code, struct scope *scope, struct lang_args *out, nns_error *err);

#endif
