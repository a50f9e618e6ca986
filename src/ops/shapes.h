/*
 * Shape rules and helpers that several families share.  They work on an
 * op_call like every rule (op.h) and own nothing.
 */
#ifndef OPS_SHAPES_H
#define OPS_SHAPES_H

#include "ops/op.h"

/* Element-wise, floating point only: integers are an error. */
bool shape_float_only(struct op_call *c);
/* In place; the result of integers would be floating point and has no room. */
bool shape_float_inplace(struct op_call *c);
/* The written argument, whatever the other arguments are. */
bool shape_written(struct op_call *c);
/* A view with the same sizes and strides. */
bool shape_alias(struct op_call *c);
/* The same sizes, contiguous. */
bool shape_same_contiguous(struct op_call *c);
/* A result whose size depends on values: its shape is unknown. */
bool shape_unknown(struct op_call *c);

/* A new output whose shape is not known. */
struct value *out_unknown(struct op_call *c, enum dtype dtype);

/* float32 for integers and bool, d otherwise. */
enum dtype as_float(enum dtype d);
/* int64 for bool and integers, d otherwise: what sum() and prod() count in. */
enum dtype as_sum(enum dtype d);
bool is_complex(const struct value *v);

/* Sizes of v are equal to the n sizes given. */
bool sizes_equal(const struct value *v, int n, const int64_t *size);
bool same_sizes(const struct value *a, const struct value *b);

/* The first tensor argument. */
struct value *first_tensor(struct op_call *c);

/*
 * Marks the dimensions that int list `name` says; all of them when it is None,
 * or empty and empty_is_all.  Repeated dimensions are an error
 * (aten/src/ATen/WrapDimUtilsMulti.h).
 */
bool dims_marked(struct op_call *c, const char *name, int ndim, bool empty_is_all, bool *marked);
/* Contiguous output of v's sizes without the marked dimensions, or with them as 1. */
struct value *out_reduced(struct op_call *c, const struct value *v, enum dtype dtype, const bool *marked, bool keepdim);

#endif
