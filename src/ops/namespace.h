/* Functions of torch, torch.nn.functional and torch.ops.aten as datums of the forward language. */
#ifndef OPS_NAMESPACE_H
#define OPS_NAMESPACE_H

#include "ops/record.h"

/* The method x.name, bound to x. */
bool bound_method(struct interp *in, struct datum self, const char *name, struct datum *out, bool *found, nns_error *err);

bool namespace_getattr(struct interp *in, const char *space, const char *name, struct datum *out, bool *found, nns_error *err);

/* Attributes of namespaces and of packets: torch.relu, aten.add.Tensor. */
bool namespace_object_getattr(struct interp *in, struct datum obj, const char *name, struct datum *out, bool *found, nns_error *err);

/* A host object of that kind, in the arena; NULL data is allowed. */
bool host_object_new(struct arena *a, const char *kind, const void *data, struct datum *out, nns_error *err);

/* The kind of a D_HOST datum, "" otherwise. */
const char *host_kind(struct datum d);

/* What torch.dtype(...) and its kin are made from: one table of small functions, torchlib.c. */
struct torch_function {
	const char *name;
	bool (*call)(struct interp *in, const struct function *self, const struct lang_args *args, struct datum *out, nns_error *err);
};
extern const struct torch_function torch_functions[]; /* ends with a NULL name */

#endif
