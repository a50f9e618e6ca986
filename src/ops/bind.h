/*
 * Binding: the arguments of a Python call to the schema of an operator, under
 * the conversions of PyTorch's own binding (torch/csrc/utils/python_arg_parser.cpp).
 */
#ifndef OPS_BIND_H
#define OPS_BIND_H

#include "ops/record.h"

/*
 * Fills bound (op->n_args datums) from args.  False when they do not fit; err says why and may be NULL, as it is
 * while overloads are tried.
 */
bool bind_args(struct recorder *r, const struct op *op, const struct lang_args *args, struct datum *bound, nns_error *err);

/* The overload of base that fits args; bound is allocated.  NULL after setting the error. */
const struct op *bind_overload(struct recorder *r, const char *base, const struct lang_args *args, struct datum **bound, nns_error *err);


#endif
