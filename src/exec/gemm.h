/*
 * The product of matrices below convolutions, linear layers and the rest.
 * Row-major; everything belongs to the caller and nothing is allocated.
 */
#ifndef EXEC_GEMM_H
#define EXEC_GEMM_H

#include "exec/kernel.h"

/*
 * c[m, n] = alpha * a[m, p] b[p, n] + beta * c.  Rows are lda, ldb, ldc elements apart; with ta, a is stored [p, m], with
 * tb, b is stored [n, p].  With beta = 0 what c holds is not read.  Runs on k's threads, or with k = NULL on the caller's
 * alone; the numbers are the same either way.
 */
void gemm_float(struct kernel_call *k, bool ta, bool tb, int64_t m, int64_t n, int64_t p, float alpha, const float *a, int64_t lda,
                const float *b, int64_t ldb, float beta, float *c, int64_t ldc);
void gemm_double(struct kernel_call *k, bool ta, bool tb, int64_t m, int64_t n, int64_t p, double alpha, const double *a, int64_t lda,
                 const double *b, int64_t ldb, double beta, double *c, int64_t ldc);

#endif
