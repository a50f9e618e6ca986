/* Decompositions of one dense matrix, row by row in float64.  Everything belongs to the caller. */
#ifndef EXEC_DECOMPOSE_H
#define EXEC_DECOMPOSE_H

#include <stdbool.h>
#include <stdint.h>

/*
 * a[m, n] becomes L below the diagonal and U above, with rows exchanged: row i with row pivot[i] - 1 (LAPACK's getrf).
 * Returns 0, or the number of the first pivot that is 0.
 */
int64_t lu_factor(double *a, int64_t m, int64_t n, int64_t *pivot);
/* x[n, columns] becomes the solution of a x = (what it was), a factored. */
void lu_solve(const double *a, int64_t n, const int64_t *pivot, double *x, int64_t columns);
/* The same of a triangle of a. */
void triangular_solve(const double *a, int64_t n, bool upper, bool unit, double *x, int64_t columns);
/* The lower triangle of a[n, n] becomes L, what is above 0.  Returns 0, or the order of the minor that is not positive. */
int64_t cholesky_factor(double *a, int64_t n);
/* a[m, n] becomes R; q[m, m] is filled with Q.  Signs as LAPACK's geqrf leaves them. */
void qr_factor(double *a, int64_t m, int64_t n, double *q, double *work); /* work: m + n */
/*
 * a[m, n], m >= n, becomes U diag(s) with s falling; v[n, n] is filled with V, so that a = U diag(s) V^T.
 * One-sided Jacobi.
 */
void svd_factor(double *a, int64_t m, int64_t n, double *s, double *v);
/* Columns [from, m) of q[m, m] become orthonormal to those before. */
void complete_basis(double *q, int64_t m, int64_t from);
/* Symmetric a[n, n]: w its eigenvalues, rising; v[n, n] its eigenvectors by column.  a is destroyed.  Jacobi. */
void eigen_symmetric(double *a, int64_t n, double *w, double *v);
/*
 * a[n, n]: w its n eigenvalues, v[n, n] its eigenvectors by column, both complex, of length 1; v may be NULL.  a is destroyed.
 * single: as float32 does it.  work: n n + 7 n.  False: the steps did not converge.
 */
bool eigen_general(double *a, int64_t n, bool single, double *w, double *v, double *work);
/*
 * The lower triangle of symmetric a[n, n] becomes L and D of P L D L^T P^T (LAPACK's sytrf, lower): pivot[i] - 1 is the row that row i was
 * exchanged with; a block of two has the negative of its second row's twice.  Returns 0, or the number of the first pivot that is 0.
 */
int64_t ldl_factor(double *a, int64_t n, int64_t *pivot);
/* x[n, columns] becomes the solution of a x = (what it was), a factored. */
void ldl_solve(const double *a, int64_t n, const int64_t *pivot, double *x, int64_t columns);
/* a[m, n] becomes R with the reflections below its diagonal, their lengths in tau (LAPACK's geqrf); work: m */
void qr_reflections(double *a, int64_t m, int64_t n, double *tau, double *work);
/* e[n, n] = exp(a); work: 2 n n */
void matrix_exponential(const double *a, int64_t n, double *e, double *work);

#endif
