/*
 * How tensors with content lie in memory: memory formats, and windows, which
 * are views that live on the stack.  A window shares the storage of its tensor
 * without counting as a user; it must not outlive the call.
 */
#ifndef EXEC_LAYOUT_H
#define EXEC_LAYOUT_H

#include "exec/kernel.h"
#include "ops/shapes.h"

/* ---- Memory formats ---- */

enum memory_format tensor_format(const struct tensor *t);
/* The argument memory_format; none when it is None. */
enum memory_format arg_format(struct kernel_call *k, enum memory_format none);
/* A new output in that format; FORMAT_PRESERVE counts as contiguous. */
struct tensor *out_format(struct kernel_call *k, enum dtype dtype, int ndim, const int64_t *size, enum memory_format f);
/* The same with t's sizes; FORMAT_PRESERVE: out_like(). */
struct tensor *out_like_format(struct kernel_call *k, const struct tensor *t, enum dtype dtype, enum memory_format f);

/* ---- Windows ---- */

struct window {
	struct tensor t;                 /* its size and stride are the arrays below */
	int64_t size[MAX_DIMS], stride[MAX_DIMS];
};
void window_of(struct window *w, const struct tensor *t);
void window_slice(struct window *w, int dim, int64_t start, int64_t length);
/* Removes the dimension. */
void window_select(struct window *w, int dim, int64_t index);
/* The two dimensions become one at the end; false when there are no two. */
bool window_diagonal(struct window *w, int64_t offset, int dim1, int dim2);
/* Broadcast to these sizes, which must be possible. */
void window_expand(struct window *w, int ndim, const int64_t *size);
/* Complex numbers as pairs in a last dimension of 2; t itself when it is not complex.  Fewer than MAX_DIMS dimensions. */
const struct tensor *window_of_parts(struct window *w, const struct tensor *t);
void window_flip(struct window *w, int dim);

/* tensor_copy() of what may be of any two dtypes: fails where there is no conversion. */
bool copy_into(struct kernel_call *k, const struct tensor *to, const struct tensor *from);
/* The elements as another dtype, contiguous; t itself when it is that already. */
struct tensor *converted(struct kernel_call *k, struct tensor *t, enum dtype dtype);

#endif
