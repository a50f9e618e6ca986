/* Making modules of what a printed tree says of them: printed_module.c. */
#ifndef LOAD_PRINTED_H
#define LOAD_PRINTED_H

#include "load/format.h"

/*
 * The module of class `name` that printed `own` (n bytes) between its brackets
 * and has the children of holder.  A class nobody knows keeps its text.
 */
struct module *printed_module(struct model *m, const char *name, const char *own, size_t n, const struct module *holder, nns_error *err);

/* Gives m the parameters that the text it printed lists, printed_tensor.c.  *n_read: how many. */
bool printed_tensors(struct arena *a, struct module *m, const char *own, size_t *n_read, nns_error *err);

#endif
