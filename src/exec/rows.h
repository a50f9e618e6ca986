/* Products of a batch with one matrix, seen as a product of two dimensions. */
#ifndef EXEC_ROWS_H
#define EXEC_ROWS_H

#include "exec/backend.h"

/* Whether w is [.., rows, p] times weights of which there is one matrix for all. */
bool rows_share(const struct work *w);
/* Whether the rows of a tensor lie at even distances. */
bool rows_even(int ndim, const int64_t *size, const int64_t *stride);
/* Makes w, and the sizes and strides of its first operand, whose rows are even, two dimensions. */
void rows_flatten(struct work *w, int64_t *size, int64_t *stride);

#endif
