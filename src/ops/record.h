/*
 * Recording: calling operators.  A recorder binds arguments by the operator's
 * schema, infers the outputs, runs the parts of a composite operator, and adds
 * nodes to a graph.  Without a graph it only infers (module construction).
 *
 * It also answers for tensors, torch, torch.nn.functional and torch.ops.aten
 * in the forward language: struct lang_host of nn/ passes those on to
 * tensor_getattr() and its kin.
 */
#ifndef OPS_RECORD_H
#define OPS_RECORD_H

#include "ops/op.h"

struct recorder {
	struct arena *arena;
	struct optable *table;
	struct interp *interp;      /* evaluates parts */
	struct graph *graph;        /* NULL: nothing is recorded */
	struct call *call;          /* the module call at work */
	struct node *parent;        /* the composite whose parts are being recorded */
	bool grad_enabled;
	bool training;
	bool parts_only;            /* inside of parts: python-level wrappers are off */
};

/* Calls operator name ("add.Tensor") with Python arguments. */
bool record_call(struct recorder *r, const char *name, const struct lang_args *args, struct datum *out, nns_error *err);

/* Calls the overload of base ("add") that the arguments fit, as PyTorch's Python binding chooses it. */
bool record_overload(struct recorder *r, const char *base, const struct lang_args *args, struct datum *out, nns_error *err);

/*
 * A function of torch.nn.functional or torch that PyTorch writes in Python
 * (interpolate, multi_head_attention_forward): its signature and its body in
 * the forward language.  Functions that are operators need no row.
 */
struct function_rule {
	const char *name;       /* "F.interpolate", "torch.einsum" */
	const char *signature;
	const char *body;
};
extern const struct function_rule functional_rules[];  /* ends with { 0 } */

/* Host hooks for tensors, dtypes, namespaces (torch, F, aten, math) and no_grad contexts. */
bool tensor_global(struct interp *in, const char *name, struct datum *out, bool *found, nns_error *err);
bool tensor_getattr(struct interp *in, struct datum obj, const char *name, struct datum *out, bool *found, nns_error *err);
bool tensor_setattr(struct interp *in, struct datum obj, const char *name, struct datum v, nns_error *err);
bool tensor_binary(struct interp *in, enum lang_op op, struct datum a, struct datum b, bool inplace, struct datum *out, nns_error *err);
bool tensor_unary(struct interp *in, enum lang_op op, struct datum a, struct datum *out, nns_error *err);
bool tensor_getitem(struct interp *in, struct datum obj, struct datum index, struct datum *out, nns_error *err);
bool tensor_setitem(struct interp *in, struct datum obj, struct datum index, struct datum v, nns_error *err);
bool tensor_items(struct interp *in, struct datum obj, struct datum *out, nns_error *err);
bool context_enter(struct interp *in, struct datum obj, struct datum *out, nns_error *err);
void context_leave(struct interp *in, struct datum obj);

/* The recorder behind an interp: what interp->data points to starts with one. */
static inline struct recorder *recorder_of(struct interp *in) { return in->data; }

#endif
