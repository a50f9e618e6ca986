/* What the files of the runtime share: classes and their parsed columns, members of modules. */
#ifndef NN_RUNTIME_H
#define NN_RUNTIME_H

#include "nn/nn.h"

/* Columns of a class that hold code; see nn.h. */
enum column { COLUMN_BUILD, COLUMN_REPR, COLUMN_FORWARD, COLUMN_RESET, COLUMN_INFER, COLUMN_ADOPT, COLUMN_COUNT };

struct nn_parsed {
	bool has_signature, has_forward_signature;
	struct signature signature, forward_signature;
	const struct code *code[COLUMN_COUNT];
};

/* The runtime behind an interp. */
static inline struct runtime *runtime_of(struct interp *in) { return (struct runtime *)in->data; }

/* The same, parsed.  *out is NULL when there is none. */
bool class_code(struct runtime *rt, const struct nn_class *c, enum column column, const struct code **out, nns_error *err);
bool class_signature(struct runtime *rt, const struct nn_class *c, bool forward, const struct signature **out, nns_error *err);
/* Whether c is name or comes of it. */
bool class_is(struct runtime *rt, const struct nn_class *c, const char *name);
const char *class_name_at(struct runtime *rt, size_t index); /* NULL at the end */

struct module *module_new(struct runtime *rt, const struct nn_class *c, const char *name, nns_error *err);

/* forward.c: a record of a call below the one at work; NULL: out of memory. */
struct call *call_new(struct runtime *rt, struct module *m, const char *path, const struct lang_args *args);

/* members.c */
bool module_getattr(struct interp *in, struct module *m, const char *name, struct datum *out, bool *found, nns_error *err);
bool module_setattr(struct interp *in, struct module *m, const char *name, struct datum v, nns_error *err);
bool module_member(const struct module *m, const char *name, struct datum *out); /* without methods */
const char *module_member_name(const struct module *m, size_t index);            /* NULL at the end */
bool module_items(struct interp *in, struct module *m, struct datum *out, nns_error *err);
bool module_getitem(struct interp *in, struct module *m, struct datum index, struct datum *out, nns_error *err);
/* methods.c: NULL when there is none */
const struct function *module_method(const char *name);

/* copy.c */
struct module *module_deepcopy(struct runtime *rt, struct module *m, nns_error *err);

extern const struct lang_host nn_host;

#endif
