#include "exec/decompose.h"

#include <math.h>
#include <string.h>

#include "exec/gemm.h"

static void swap_rows(double *a, int64_t n, int64_t i, int64_t j)
{
	for (int64_t c = 0; c < n && i != j; c++) {
		double t = a[i * n + c];
		a[i * n + c] = a[j * n + c];
		a[j * n + c] = t;
	}
}

static void swap_columns(double *a, int64_t m, int64_t n, int64_t i, int64_t j)
{
	for (int64_t r = 0; r < m; r++) {
		double t = a[r * n + i];
		a[r * n + i] = a[r * n + j];
		a[r * n + j] = t;
	}
}

/* ---- Triangles ---- */

int64_t lu_factor(double *a, int64_t m, int64_t n, int64_t *pivot)
{
	int64_t info = 0;
	for (int64_t i = 0; i < m && i < n; i++) {
		int64_t best = i;
		for (int64_t r = i + 1; r < m; r++)
			if (fabs(a[r * n + i]) > fabs(a[best * n + i]))
				best = r;
		pivot[i] = best + 1;
		swap_rows(a, n, i, best);
		if (a[i * n + i] == 0) {
			info = info ? info : i + 1;
			continue;
		}
		for (int64_t r = i + 1; r < m; r++) {
			double f = a[r * n + i] /= a[i * n + i];
			for (int64_t c = i + 1; c < n && f != 0; c++)
				a[r * n + c] -= f * a[i * n + c];
		}
	}
	return info;
}

void triangular_solve(const double *a, int64_t n, bool upper, bool unit, double *x, int64_t columns)
{
	for (int64_t step = 0; step < n; step++) {
		int64_t i = upper ? n - 1 - step : step;
		for (int64_t j = upper ? i + 1 : 0; j < (upper ? n : i); j++)
			for (int64_t c = 0; c < columns; c++)
				x[i * columns + c] -= a[i * n + j] * x[j * columns + c];
		for (int64_t c = 0; c < columns && !unit; c++)
			x[i * columns + c] /= a[i * n + i];
	}
}

void lu_solve(const double *a, int64_t n, const int64_t *pivot, double *x, int64_t columns)
{
	for (int64_t i = 0; i < n; i++)
		swap_rows(x, columns, i, pivot[i] - 1);
	triangular_solve(a, n, false, true, x, columns);
	triangular_solve(a, n, true, false, x, columns);
}

int64_t cholesky_factor(double *a, int64_t n)
{
	for (int64_t j = 0; j < n; j++) {
		double d = a[j * n + j];
		for (int64_t q = 0; q < j; q++)
			d -= a[j * n + q] * a[j * n + q];
		if (!(d > 0))
			return j + 1;
		a[j * n + j] = sqrt(d);
		for (int64_t i = j + 1; i < n; i++) {
			double sum = a[i * n + j];
			for (int64_t q = 0; q < j; q++)
				sum -= a[i * n + q] * a[j * n + q];
			a[i * n + j] = sum / a[j * n + j];
		}
		for (int64_t i = 0; i < j; i++)
			a[i * n + j] = 0;
	}
	return 0;
}

/* ---- Rotations and reflections ---- */

/* Rows [from, m) of x[m, n] are reflected, in the columns from `first` on: x -= tau v (v^T x); v[from] is 1. */
static void reflect(double *x, int64_t m, int64_t n, int64_t from, int64_t first, const double *v, double tau)
{
	for (int64_t c = first; c < n; c++) {
		double sum = 0;
		for (int64_t r = from; r < m; r++)
			sum += v[r] * x[r * n + c];
		for (int64_t r = from; r < m; r++)
			x[r * n + c] -= tau * sum * v[r];
	}
}

/* The reflection that clears column i of a below the diagonal (LAPACK's larfg); returns tau. */
static double reflector(const double *a, int64_t m, int64_t n, int64_t i, double *v)
{
	double rest = 0, alpha = a[i * n + i];
	for (int64_t r = i + 1; r < m; r++)
		rest = hypot(rest, a[r * n + i]);
	if (rest == 0)
		return 0;
	double beta = -copysign(hypot(alpha, rest), alpha);
	v[i] = 1;
	for (int64_t r = i + 1; r < m; r++)
		v[r] = a[r * n + i] / (alpha - beta);
	return (beta - alpha) / beta;
}

/* Q is the product of the reflections, so each is applied to Q from the right: to the rows of its transpose. */
void qr_factor(double *a, int64_t m, int64_t n, double *q, double *work)
{
	memset(q, 0, (size_t)(m * m) * sizeof *q);
	for (int64_t i = 0; i < m; i++)
		q[i * m + i] = 1;
	for (int64_t i = 0; i < m && i < n; i++) {
		double tau = reflector(a, m, n, i, work);
		if (tau == 0)
			continue;
		reflect(a, m, n, i, 0, work, tau);
		reflect(q, m, m, i, 0, work, tau);
		for (int64_t r = i + 1; r < m; r++)
			a[r * n + i] = 0;
	}
	for (int64_t i = 0; i < m; i++)
		for (int64_t j = 0; j < i; j++) {
			double t = q[i * m + j];
			q[i * m + j] = q[j * m + i];
			q[j * m + i] = t;
		}
}

void qr_reflections(double *a, int64_t m, int64_t n, double *tau, double *work)
{
	for (int64_t i = 0; i < m && i < n; i++) {
		tau[i] = reflector(a, m, n, i, work);
		if (tau[i] == 0)
			continue;
		reflect(a, m, n, i, i, work, tau[i]);
		for (int64_t r = i + 1; r < m; r++)
			a[r * n + i] = work[r];
	}
}

/* Columns i and j of x[m, n] are rotated. */
static void rotate(double *x, int64_t m, int64_t n, int64_t i, int64_t j, double c, double s)
{
	for (int64_t r = 0; r < m; r++) {
		double p = x[r * n + i], q = x[r * n + j];
		x[r * n + i] = c * p - s * q;
		x[r * n + j] = s * p + c * q;
	}
}

/* cos and sin of the rotation that makes the off-diagonal element of [[p, d], [d, q]] zero */
static void rotation(double p, double q, double d, double *c, double *s)
{
	double theta = (q - p) / (2 * d), t = copysign(1, theta) / (fabs(theta) + hypot(theta, 1));
	*c = 1 / hypot(t, 1);
	*s = t * *c;
}

enum { SWEEPS = 60 };

void svd_factor(double *a, int64_t m, int64_t n, double *s, double *v)
{
	memset(v, 0, (size_t)(n * n) * sizeof *v);
	for (int64_t i = 0; i < n; i++)
		v[i * n + i] = 1;
	bool moved = true;
	for (int sweep = 0; sweep < SWEEPS && moved; sweep++) {
		moved = false;
		for (int64_t i = 0; i < n; i++)
			for (int64_t j = i + 1; j < n; j++) {
				double p = 0, q = 0, d = 0, co, si;
				for (int64_t r = 0; r < m; r++) {
					p += a[r * n + i] * a[r * n + i];
					q += a[r * n + j] * a[r * n + j];
					d += a[r * n + i] * a[r * n + j];
				}
				if (!(fabs(d) > 1e-15 * sqrt(p) * sqrt(q)) || d == 0)
					continue;
				rotation(p, q, d, &co, &si);
				rotate(a, m, n, i, j, co, si);
				rotate(v, n, n, i, j, co, si);
				moved = true;
			}
	}
	for (int64_t i = 0; i < n; i++) {
		s[i] = 0;
		for (int64_t r = 0; r < m; r++)
			s[i] = hypot(s[i], a[r * n + i]);
	}
	for (int64_t i = 0; i < n; i++)
		for (int64_t j = n - 1; j > i; j--)
			if (s[j] > s[j - 1]) {
				double t = s[j];
				s[j] = s[j - 1];
				s[j - 1] = t;
				swap_columns(a, m, n, j, j - 1);
				swap_columns(v, n, n, j, j - 1);
			}
}

/* Takes from column c of q what lies along the columns before; returns what is left of its length. */
static double orthogonalise(double *q, int64_t m, int64_t c)
{
	double length = 0;
	for (int twice = 0; twice < 2; twice++)
		for (int64_t b = 0; b < c; b++) {
			double dot = 0;
			for (int64_t r = 0; r < m; r++)
				dot += q[r * m + b] * q[r * m + c];
			for (int64_t r = 0; r < m; r++)
				q[r * m + c] -= dot * q[r * m + b];
		}
	for (int64_t r = 0; r < m; r++)
		length = hypot(length, q[r * m + c]);
	return length;
}

/* Unit vectors are tried in turn: of those that remain one is at least 1 / sqrt(m) away from the columns so far. */
void complete_basis(double *q, int64_t m, int64_t from)
{
	int64_t next = 0;
	for (int64_t c = from; c < m; c++)
		for (int64_t tries = 0; tries < m; tries++, next = (next + 1) % m) {
			for (int64_t r = 0; r < m; r++)
				q[r * m + c] = r == next;
			double length = orthogonalise(q, m, c);
			if (length < 0.5 / sqrt((double)m))
				continue;
			for (int64_t r = 0; r < m; r++)
				q[r * m + c] /= length;
			break;
		}
}

void eigen_symmetric(double *a, int64_t n, double *w, double *v)
{
	memset(v, 0, (size_t)(n * n) * sizeof *v);
	for (int64_t i = 0; i < n; i++)
		v[i * n + i] = 1;
	bool moved = true;
	for (int sweep = 0; sweep < SWEEPS && moved; sweep++) {
		moved = false;
		for (int64_t i = 0; i < n; i++)
			for (int64_t j = i + 1; j < n; j++) {
				double d = a[i * n + j], p = a[i * n + i], q = a[j * n + j], co, si;
				if (!(fabs(d) > 1e-17 * (fabs(p) + fabs(q))) || d == 0)
					continue;
				rotation(p, q, d, &co, &si);
				rotate(a, n, n, i, j, co, si);
				for (int64_t c = 0; c < n; c++) {        /* the same of the rows */
					double x = a[i * n + c], y = a[j * n + c];
					a[i * n + c] = co * x - si * y;
					a[j * n + c] = si * x + co * y;
				}
				a[i * n + j] = a[j * n + i] = 0;
				rotate(v, n, n, i, j, co, si);
				moved = true;
			}
	}
	for (int64_t i = 0; i < n; i++)
		w[i] = a[i * n + i];
	for (int64_t i = 0; i < n; i++)
		for (int64_t j = n - 1; j > i; j--)
			if (w[j] < w[j - 1]) {
				double t = w[j];
				w[j] = w[j - 1];
				w[j - 1] = t;
				swap_columns(v, n, n, j, j - 1);
			}
}

/* Halved until the norm is small, summed by Taylor's series (Horner), squared as often as halved. */
void matrix_exponential(const double *a, int64_t n, double *e, double *work)
{
	double *small = work, *next = work + n * n, norm = 0;
	int halved = 0;
	for (int64_t i = 0; i < n; i++) {
		double sum = 0;
		for (int64_t j = 0; j < n; j++)
			sum += fabs(a[i * n + j]);
		norm = sum > norm ? sum : norm;
	}
	for (; norm > 0.5 && halved < 1100; norm /= 2)
		halved++;
	for (int64_t i = 0; i < n * n; i++) {
		small[i] = ldexp(a[i], -halved);
		e[i] = i % (n + 1) == 0;
	}
	for (int term = 18; term > 0; term--) {
		gemm_double(NULL, false, false, n, n, n, 1.0 / term, small, n, e, n, 0, next, n);
		for (int64_t i = 0; i < n * n; i++)
			e[i] = next[i] + (i % (n + 1) == 0);
	}
	for (int i = 0; i < halved; i++) {
		gemm_double(NULL, false, false, n, n, n, 1, e, n, e, n, 0, next, n);
		memcpy(e, next, (size_t)(n * n) * sizeof *e);
	}
}
