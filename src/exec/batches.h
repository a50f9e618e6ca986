/*
 * Batches of matrices, as the kernels of linear algebra read and make them:
 * float64, row by row, one matrix after the other.
 */
#ifndef EXEC_BATCHES_H
#define EXEC_BATCHES_H

#include "exec/layout.h"

struct batch {
	struct tensor *t;
	const double *v;
	int64_t count, m, n;             /* [count, m, n] */
};

/* Reads t, of two dimensions at least and of floating point; an error otherwise. */
bool batch_read(struct kernel_call *k, struct tensor *t, bool square, struct batch *b);
/* An output: a batch like t's of rows x columns, or of vectors when columns is -1; by_column: as LAPACK stores it. */
struct tensor *batch_out(struct kernel_call *k, const struct tensor *t, enum dtype d, int64_t rows, int64_t columns, bool by_column);
/* An output: one number for each matrix of t. */
struct tensor *batch_numbers(struct kernel_call *k, const struct tensor *t, enum dtype d);
/* Windows of a and b whose batches are broadcast to each other, and the sizes of b's; both have two dimensions at least. */
bool batches_broadcast(struct kernel_call *k, struct tensor *a, struct tensor *b, struct window *wa, struct window *wb, int *ndim, int64_t *size);
/* An output of these sizes, the last two by column when by_column. */
struct tensor *batch_solution(struct kernel_call *k, enum dtype d, int ndim, const int64_t *size, bool by_column);
/* n doubles of scratch memory. */
double *batch_room(struct kernel_call *k, int64_t n);
/* [m, n] to [n, m] */
void matrix_transpose(const double *from, int64_t m, int64_t n, double *to);

#endif
