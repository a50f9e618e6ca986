/* Modules of torch.nn whose constructor the file does not tell, made again from the arguments of the operator that they call. */
#ifndef LOAD_CLASS_ROWS_H
#define LOAD_CLASS_ROWS_H

#include "nn/runtime.h"

struct class_row;

/* op: "conv2d", "softmax.int", "conv2d.default".  NULL: that operator tells nothing of that class. */
const struct class_row *class_row_find(const char *class, const char *op);
/* For a class that is not torch.nn's: the row of the class that it is derived from, as its name and its weight tell (Conv3DSimple, StdConv2d). */
const struct class_row *class_row_find_derived(const struct module *m, const char *op);
/* The same by the name without its overload. */
const struct class_row *class_row_find_base(const char *class, const char *base);
const char *class_row_operator(const struct class_row *row);

/*
 * Gives m the class and the attributes that the arguments tell, by their names in the schema; what is not among them has its default.
 * Arguments that the constructor would not take leave m as it is.
 */
bool class_row_construct(struct runtime *rt, const struct class_row *row, struct scope *arguments, struct module *m, nns_error *err);

#endif
