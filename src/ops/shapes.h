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
/*
 * The end of an in-place rule: what the out-of-place rule has just made must
 * fit into the written argument, its type too, and is replaced by that.
 */
bool write_result(struct op_call *c);
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

/* ---- Memory formats (c10/core/MemoryFormat.h) ---- */

enum memory_format { FORMAT_PRESERVE, FORMAT_CONTIGUOUS, FORMAT_CHANNELS_LAST, FORMAT_CHANNELS_LAST_3D };

/* The argument memory_format; none when it is None. */
enum memory_format op_memory_format(struct op_call *c, const char *name, enum memory_format none);
/* What the strides of v look like: suggest_memory_format(). */
enum memory_format value_format(const struct value *v);
bool value_is_in_format(const struct value *v, enum memory_format f);
/* A new output in that format; preserve: like v. */
struct value *out_in_format(struct op_call *c, const struct value *v, enum dtype dtype, enum memory_format f);
struct value *op_out_format(struct op_call *c, enum dtype dtype, int ndim, const int64_t *size, enum memory_format f);

/* Bytes that oneDNN saves of a float32 LSTM layer for the backward pass. */
double lstm_workspace(double steps, double batch, double in, double hidden_size);

/*
 * The strides of a view of v with other sizes, or false when there is none
 * (computeStride in aten/src/ATen/TensorUtils.cpp).
 */
bool view_strides(const struct value *v, int ndim, const int64_t *size, int64_t *stride);
/* Fills in the one -1 among the sizes and checks their product (infer_size in aten/src/ATen/InferSize.h). */
bool infer_sizes(struct op_call *c, const struct value *v, int ndim, const int64_t *in, int64_t *out);

#endif
