/*
 * Windows that slide over images: what convolutions and poolings share.  Works
 * on an op_call like every rule (op.h) and owns nothing.
 */
#ifndef OPS_WINDOW_H
#define OPS_WINDOW_H

#include "ops/op.h"

/* a * b for b >= 0, false when it does not fit 62 bits. */
bool times(int64_t a, int64_t b, int64_t *out);

/* Makes list (n numbers as op_ints() gave them) spatial numbers long: one number counts for every dimension. */
bool window_spread(struct op_call *c, const char *name, int spatial, int n, const int64_t **list);

/* Each number is at least `least` and small enough to be computed with. */
bool window_numbers(struct op_call *c, const char *name, int spatial, const int64_t *list, int64_t least);

/*
 * How many windows fit: pooling_output_shape() in aten/src/ATen/native/Pool.h.
 * With ceil_mode the last one may reach over the end, but must start inside.
 */
int64_t window_extent(int64_t in, int64_t kernel, int64_t padding, int64_t stride, int64_t dilation, bool ceil_mode);

#endif
