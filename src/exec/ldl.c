/* Symmetric matrices in factors L D L^T, D of blocks of one and two (Bunch and Kaufman; LAPACK's sytf2 and sytrs with the lower triangle). */
#include <math.h>

#include "exec/decompose.h"

#define A(r, c) a[(r) * n + (c)]

static void swap(double *x, double *y)
{
	double t = *x;
	*x = *y;
	*y = t;
}

/* The row below k (from: in column k; across: in row and column i) with the largest element, and how large that is. */
static int64_t largest_below(const double *a, int64_t n, int64_t k, double *size)
{
	int64_t best = k + 1;
	*size = 0;
	for (int64_t r = k + 1; r < n; r++)
		if (fabs(A(r, k)) > *size) {
			*size = fabs(A(r, k));
			best = r;
		}
	return best;
}

/* Which row comes to the diagonal at k, and whether as the second of a block of two. */
static int64_t choose_pivot(const double *a, int64_t n, int64_t k, bool *two)
{
	static const double alpha = 0.64038820320220756872;  /* (1 + sqrt(17)) / 8 */
	double own = fabs(A(k, k)), column, row = 0, below;
	int64_t i = largest_below(a, n, k, &column);
	*two = false;
	if (own >= alpha * column)
		return k;
	for (int64_t c = k; c < i; c++)
		row = fmax(row, fabs(A(i, c)));
	largest_below(a, n, i, &below);
	row = fmax(row, below);
	if (own >= alpha * column * (column / row))
		return k;
	*two = fabs(A(i, i)) < alpha * row;
	return i;
}

/* Rows and columns k and p > k of the lower triangle that is left change places. */
static void exchange(double *a, int64_t n, int64_t k, int64_t p)
{
	for (int64_t r = p + 1; r < n; r++)
		swap(&A(r, k), &A(r, p));
	for (int64_t r = k + 1; r < p; r++)
		swap(&A(r, k), &A(p, r));
	swap(&A(k, k), &A(p, p));
}

static void eliminate_one(double *a, int64_t n, int64_t k)
{
	double d = 1 / A(k, k);
	for (int64_t c = k + 1; c < n; c++)
		for (int64_t r = c; r < n; r++)
			A(r, c) -= d * A(r, k) * A(c, k);
	for (int64_t r = k + 1; r < n; r++)
		A(r, k) *= d;
}

static void eliminate_two(double *a, int64_t n, int64_t k)
{
	double d21 = A(k + 1, k), d11 = A(k + 1, k + 1) / d21, d22 = A(k, k) / d21, by = 1 / (d11 * d22 - 1) / d21;
	for (int64_t c = k + 2; c < n; c++) {
		double first = by * (d11 * A(c, k) - A(c, k + 1)), second = by * (d22 * A(c, k + 1) - A(c, k));
		for (int64_t r = c; r < n; r++)
			A(r, c) -= A(r, k) * first + A(r, k + 1) * second;
		A(c, k) = first;
		A(c, k + 1) = second;
	}
}

int64_t ldl_factor(double *a, int64_t n, int64_t *pivot)
{
	int64_t info = 0;
	for (int64_t k = 0, step; k < n; k += step) {
		double below;
		bool two = false;
		largest_below(a, n, k, &below);
		step = 1;
		pivot[k] = k + 1;
		if (!(fmax(fabs(A(k, k)), below) > 0)) {     /* nothing to divide by */
			info = info ? info : k + 1;
			continue;
		}
		int64_t p = choose_pivot(a, n, k, &two), last = k + two;
		step += two;
		if (p != last) {
			exchange(a, n, last, p);
			if (two)
				swap(&A(k + 1, k), &A(p, k));
		}
		pivot[k] = two ? -(p + 1) : p + 1;
		if (two)
			pivot[k + 1] = pivot[k];
		(two ? eliminate_two : eliminate_one)(a, n, k);
	}
	return info;
}

static void swap_rows(double *x, int64_t columns, int64_t n, int64_t i, int64_t j)
{
	for (int64_t c = 0; c < columns && i != j && j >= 0 && j < n; c++)
		swap(&x[i * columns + c], &x[j * columns + c]);
}

/* x's rows from `from` on lose what column k of L says of row k, or give it back to row k. */
static void subtract_below(const double *a, int64_t n, int64_t from, int64_t k, double *x, int64_t columns)
{
	for (int64_t r = from; r < n; r++)
		for (int64_t c = 0; c < columns; c++)
			x[r * columns + c] -= A(r, k) * x[k * columns + c];
}

static void subtract_from(const double *a, int64_t n, int64_t from, int64_t k, double *x, int64_t columns)
{
	for (int64_t r = from; r < n; r++)
		for (int64_t c = 0; c < columns; c++)
			x[k * columns + c] -= A(r, k) * x[r * columns + c];
}

static void divide_two(const double *a, int64_t n, int64_t k, double *x, int64_t columns)
{
	double d = A(k + 1, k), first = A(k, k) / d, second = A(k + 1, k + 1) / d, det = first * second - 1;
	for (int64_t c = 0; c < columns; c++) {
		double p = x[k * columns + c] / d, q = x[(k + 1) * columns + c] / d;
		x[k * columns + c] = (second * p - q) / det;
		x[(k + 1) * columns + c] = (first * q - p) / det;
	}
}

void ldl_solve(const double *a, int64_t n, const int64_t *pivot, double *x, int64_t columns)
{
	for (int64_t k = 0; k < n; k++) {
		bool two = pivot[k] < 0 && k + 1 < n;
		swap_rows(x, columns, n, k + two, (two ? -pivot[k] : pivot[k]) - 1);
		subtract_below(a, n, k + 1 + two, k, x, columns);
		if (two)
			subtract_below(a, n, k + 2, k + 1, x, columns);
		if (two)
			divide_two(a, n, k, x, columns);
		for (int64_t c = 0; c < columns && !two; c++)
			x[k * columns + c] /= A(k, k);
		k += two;
	}
	for (int64_t k = n - 1; k >= 0; k--) {
		bool two = pivot[k] < 0 && k > 0;
		subtract_from(a, n, k + 1, k, x, columns);
		if (two)
			subtract_from(a, n, k + 1, k - 1, x, columns);
		swap_rows(x, columns, n, k, (two ? -pivot[k] : pivot[k]) - 1);
		k -= two;
	}
}
