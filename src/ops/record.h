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
	bool numbered;              /* numbers stand for dtypes, layouts and memory formats, as in TorchScript */
	const char *label;          /* the outermost composite at work, which errors name; NULL outside of one */
	int list_length;            /* how many tensors the file says that the operator at work returns, 0 when nobody does */
	/*
	 * Finds the content of values that g makes, all of whose leaves have content: they become leaves that have it too.
	 * NULL: nobody can.
	 */
	bool (*evaluate)(struct graph *g, struct value **values, size_t n, nns_error *err);
	/*
	 * The content of values that g made, when it hangs on inputs whose content is known: elements of g->contents, each of its real
	 * shape, in order.  False: it is not known.  NULL: nobody can.
	 */
	bool (*compute)(struct graph *g, struct value *const *values, size_t n, const struct value **contents);
	struct map functions;       /* functions of namespaces used so far: "F.relu" -> struct function * */
};

bool recorder_init(struct recorder *r, struct arena *a, struct interp *in, nns_error *err);


/* Notes that an operator of one tensor ("alias", "clone") made `to`, a value that is there already; without a graph nothing. */
bool record_made(struct recorder *r, const char *name, struct value *from, struct value *to, nns_error *err);

/* Calls operator name ("add.Tensor") with Python arguments. */
bool record_call(struct recorder *r, const char *name, const struct lang_args *args, struct datum *out, nns_error *err);

/* Calls an operator that ATen does not have: n results of unknown shape, without a gradient. */
bool record_unknown(struct recorder *r, const char *name, const struct lang_args *args, int n, struct datum *out, nns_error *err);

/* Calls the overload of base ("add") that the arguments fit, as PyTorch's Python binding chooses it. */
bool record_overload(struct recorder *r, const char *base, const struct lang_args *args, struct datum *out, nns_error *err);

/* The same for TorchScript, where numbers stand for dtypes and their kin. */
bool record_script(struct recorder *r, const char *base, const struct lang_args *args, struct datum *out, nns_error *err);

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
extern const struct function_rule method_rules[];      /* "Tensor.split": methods that PyTorch writes in Python; self comes first */

/* Host hooks for tensors, dtypes, namespaces (torch, F, aten, math) and no_grad contexts. */
bool tensor_global(struct interp *in, const char *name, struct datum *out, bool *found, nns_error *err);
bool tensor_getattr(struct interp *in, struct datum obj, const char *name, struct datum *out, bool *found, nns_error *err);
bool tensor_setattr(struct interp *in, struct datum obj, const char *name, struct datum v, nns_error *err);
bool tensor_binary(struct interp *in, enum lang_op op, struct datum a, struct datum b, bool inplace, struct datum *out, nns_error *err);
bool tensor_unary(struct interp *in, enum lang_op op, struct datum a, struct datum *out, nns_error *err);
bool tensor_getitem(struct interp *in, struct datum obj, struct datum index, struct datum *out, nns_error *err);
bool tensor_setitem(struct interp *in, struct datum obj, struct datum index, struct datum v, nns_error *err);
bool tensor_items(struct interp *in, struct datum obj, struct datum *out, nns_error *err);
bool tensor_length(struct interp *in, struct datum obj, int64_t *out, nns_error *err);
bool tensor_truth(struct interp *in, struct datum obj, bool *out, nns_error *err);
bool tensor_call(struct interp *in, struct datum callee, const struct lang_args *args, struct datum *out, nns_error *err);
bool tensor_isinstance(struct interp *in, struct datum obj, struct datum class, bool *out, nns_error *err);
void tensor_repr(struct text *t, struct datum obj);
bool context_enter(struct interp *in, struct datum obj, struct datum *out, nns_error *err);
void context_leave(struct interp *in, struct datum obj);

/* All of these together: a host that knows tensors and no modules. */
extern const struct lang_host tensor_host;

/* Whether autograd follows v now: a view does when its base was written with something that requires grad. */
bool value_tracks_grad(const struct value *v);

/* The recorder behind an interp: what interp->data points to starts with one. */
static inline struct recorder *recorder_of(struct interp *in) { return in->data; }

#endif
