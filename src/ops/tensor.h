/* What the files behind the tensor host share; record.h says what the host answers.  Nothing here owns anything. */
#ifndef OPS_TENSOR_H
#define OPS_TENSOR_H

#include "ops/record.h"

/* The argument at that position or of that name, NULL when it was not given. */
const struct datum *arg_at(const struct lang_args *args, size_t i, const char *name);

/* False with an error that names `what` when the shape of v is not known. */
bool shape_is_known(const struct value *v, const char *what, nns_error *err);

/* Calls an operator of one argument. */
bool record_unary(struct interp *in, const char *name, struct datum x, struct datum *out, nns_error *err);

/* Binds a method that answers without recording; found stays false when there is none of that name. */
bool tensor_method(struct interp *in, struct datum self, const char *name, struct datum *out, bool *found, nns_error *err);
size_t tensor_method_count(void);
const char *tensor_method_name(size_t i);

/* x.requires_grad = on */
bool tensor_require_grad(struct value *v, bool on, nns_error *err);

/* Attributes of namespaces, packets, devices. */
bool host_getattr(struct interp *in, struct datum obj, const char *name, struct datum *out, bool *found, nns_error *err);

/* Candidates for suggestions: operators' base names for tensors and namespaces, globals for None. */
const char *namespace_names(struct datum obj, size_t index);
const char *tensor_names(struct interp *in, struct datum obj, size_t index);

#endif
