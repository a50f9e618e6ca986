/* What the files of built-in functions share.  Each ends with its rows, the last without a name. */
#ifndef LANG_BUILTINS_H
#define LANG_BUILTINS_H

#include "lang/eval.h"

#define BUILTIN(name) static bool name(struct interp *in, const struct function *self, const struct lang_args *args, struct datum *out, nns_error *err)

extern const struct function builtins_items[], builtins_numbers[], builtins_objects[];

bool takes(const struct function *self, const struct lang_args *args, size_t least, size_t most, nns_error *err);
/* A keyword argument, NULL when it is not given. */
const struct datum *named(const struct lang_args *args, const char *name);
bool call_one(struct interp *in, struct datum f, struct datum x, struct datum *out, nns_error *err);
/* Appends a tuple. */
bool push_tuple(struct interp *in, struct datum list, const struct datum *items, size_t n, nns_error *err);

#endif
