/*
 * Orthogonal decompositions of batches of matrices and what is made of them
 * (aten/src/ATen/native/{BatchLinearAlgebra,LinearAlgebra}.cpp).  Signs of
 * singular vectors and eigenvectors are not determined.
 */
#include <float.h>
#include <math.h>
#include <string.h>

#include "exec/batches.h"
#include "exec/decompose.h"

static bool k_qr(struct kernel_call *k)
{
	struct batch a = { .n = 0 };
	const char *mode = arg_str(k, "mode");
	if (!batch_read(k, arg_tensor(k, "A"), false, &a))
		return false;
	bool complete = mode && strcmp(mode, "complete") == 0, only_r = mode && strcmp(mode, "r") == 0;
	int64_t m = a.m, n = a.n, wide = complete || m < n ? m : n, none = 0;
	struct tensor *q = only_r ? out_new(k, a.t->dtype, 1, &none) : batch_out(k, a.t, a.t->dtype, m, wide, true);
	struct tensor *r = q ? batch_out(k, a.t, a.t->dtype, wide, n, true) : NULL;
	double *to_q = r ? doubles_for(k, q) : NULL, *to_r = to_q ? doubles_for(k, r) : NULL;
	double *work = batch_room(k, m + n), *rest = batch_room(k, m * n), *all = batch_room(k, m * m);
	if (!to_r || !work || !rest || !all)
		return false;
	for (int64_t i = 0; i < a.count; i++) {
		memcpy(rest, a.v + i * m * n, (size_t)(m * n) * sizeof *rest);
		qr_factor(rest, m, n, all, work);
		memcpy(to_r + i * wide * n, rest, (size_t)(wide * n) * sizeof *rest);
		for (int64_t row = 0; row < m && !only_r; row++)
			memcpy(to_q + (i * m + row) * wide, all + row * m, (size_t)wide * sizeof *all);
	}
	return true;
}

/* Room for the decomposition of one [m, n] matrix, high side first. */
struct svd {
	int64_t high, low;
	bool turned;                     /* the transposed matrix is decomposed */
	double *us, *s, *v;              /* [high, low], [low], [low, low] */
	double *basis;                   /* [high, high]: U and what completes it */
};

static bool svd_room(struct kernel_call *k, int64_t m, int64_t n, struct svd *d)
{
	d->turned = m < n;
	d->high = m < n ? n : m;
	d->low = m < n ? m : n;
	d->us = batch_room(k, d->high * d->low);
	d->s = batch_room(k, d->low);
	d->v = batch_room(k, d->low * d->low);
	d->basis = batch_room(k, d->high * d->high);
	return d->us && d->s && d->v && d->basis;
}

static void svd_one(struct svd *d, const double *a, bool vectors)
{
	int64_t m = d->turned ? d->low : d->high, n = d->turned ? d->high : d->low, rank = 0;
	if (d->turned)
		matrix_transpose(a, m, n, d->us);
	else
		memcpy(d->us, a, (size_t)(m * n) * sizeof *a);
	svd_factor(d->us, d->high, d->low, d->s, d->v);
	if (!vectors)
		return;
	while (rank < d->low && d->s[rank] > 1e-14 * d->s[0])
		rank++;
	for (int64_t r = 0; r < d->high; r++)
		for (int64_t c = 0; c < rank; c++)
			d->basis[r * d->high + c] = d->us[r * d->low + c] / d->s[c];
	complete_basis(d->basis, d->high, rank);
}

/* Element [r, c] of the left vectors, and of the right ones */
static double svd_left(const struct svd *d, int64_t r, int64_t c)
{
	return d->turned ? d->v[r * d->low + c] : d->basis[r * d->high + c];
}

static double svd_right(const struct svd *d, int64_t r, int64_t c)
{
	return d->turned ? d->basis[r * d->high + c] : d->v[r * d->low + c];
}

static bool k_svd(struct kernel_call *k)
{
	struct batch a = { .n = 0 };
	struct svd d = { .high = 0 };
	bool full = arg_bool(k, "full_matrices", false), vectors = arg_bool(k, "compute_uv", true);
	if (!batch_read(k, arg_tensor(k, "A"), false, &a) || !svd_room(k, a.m, a.n, &d))
		return false;
	int64_t m = a.m, n = a.n, left = full ? m : d.low, right = full ? n : d.low, none = 0;
	enum dtype t = a.t->dtype;
	struct tensor *u = vectors ? batch_out(k, a.t, t, m, left, true) : out_new(k, t, 1, &none), *s = u ? batch_out(k, a.t, t, d.low, -1, false) : NULL;
	struct tensor *vh = !s ? NULL : vectors ? batch_out(k, a.t, t, right, n, true) : out_new(k, t, 1, &none);
	double *pu = vh ? doubles_for(k, u) : NULL, *ps = pu ? doubles_for(k, s) : NULL, *pv = ps ? doubles_for(k, vh) : NULL;
	for (int64_t i = 0; pv && i < a.count; i++) {
		svd_one(&d, a.v + i * m * n, vectors);
		memcpy(ps + i * d.low, d.s, (size_t)d.low * sizeof *ps);
		for (int64_t r = 0; r < m && vectors; r++)
			for (int64_t c = 0; c < left; c++)
				pu[(i * m + r) * left + c] = svd_left(&d, r, c);
		for (int64_t r = 0; r < right && vectors; r++)
			for (int64_t c = 0; c < n; c++)
				pv[(i * right + r) * n + c] = svd_right(&d, c, r);
	}
	return pv != NULL;
}

/* A tolerance of each matrix, or one for all. */
static bool tolerance(struct kernel_call *k, const char *name, int64_t count, double none, const double **v, int64_t *step)
{
	struct tensor *t = arg_tensor(k, name);
	double *one = batch_room(k, 1);
	*step = t && tensor_numel(t) == count && count > 1;
	*v = t ? doubles_of(k, t) : one;
	if (t && tensor_numel(t) != 1 && tensor_numel(t) != count)
		return kernel_fail(k, "%s must be one number, or one for each matrix", name);
	if (one)
		*one = none;
	return one && *v;
}

/* The inverse of the singular values that exceed max(atol, rtol * the largest) (linalg_pinv). */
/* A symmetric matrix is read from its lower triangle, as eigh() does. */
static const double *lower_mirrored(struct kernel_call *k, const struct batch *a)
{
	double *v = a->m == a->n ? batch_room(k, a->count * a->n * a->n) : NULL;
	for (int64_t i = 0; v && i < a->count * a->n; i++)
		for (int64_t j = 0, row = i % a->n, from = (i - row) * a->n; j < a->n; j++)
			v[i * a->n + j] = a->v[from + (j > row ? j * a->n + row : row * a->n + j)];
	return v;
}

static bool k_pinv(struct kernel_call *k)
{
	struct batch a = { .n = 0 };
	struct svd d = { .high = 0 };
	const double *atol, *rtol;
	int64_t atol_step, rtol_step;
	if (!batch_read(k, arg_tensor(k, "self"), false, &a) || !svd_room(k, a.m, a.n, &d))
		return false;
	if (arg_bool(k, "hermitian", false) && !(a.v = lower_mirrored(k, &a)))
		return kernel_fail(k, "%lld x %lld matrices are not square", (long long)a.m, (long long)a.n);
	double eps = a.t->dtype == DT_FLOAT64 ? DBL_EPSILON : FLT_EPSILON, usual = arg_is_none(k, "atol") ? eps * (double)d.high : 0;
	struct tensor *out = batch_out(k, a.t, a.t->dtype, a.n, a.m, false);
	double *v = out ? doubles_for(k, out) : NULL;
	if (!v || !tolerance(k, "atol", a.count, 0, &atol, &atol_step) || !tolerance(k, "rtol", a.count, usual, &rtol, &rtol_step))
		return false;
	for (int64_t i = 0; i < a.count && d.low > 0; i++) {
		svd_one(&d, a.v + i * a.m * a.n, true);
		double least = fmax(atol[i * atol_step], rtol[i * rtol_step] * d.s[0]);
		for (int64_t q = 0; q < d.low && d.s[q] > least; q++)
			for (int64_t r = 0; r < a.n; r++)
				for (int64_t c = 0; c < a.m; c++)
					v[(i * a.n + r) * a.m + c] += svd_right(&d, r, q) * svd_left(&d, c, q) / d.s[q];
	}
	return true;
}

/* Only the triangle that UPLO names is read. */
static bool k_eigh(struct kernel_call *k)
{
	struct batch a = { .n = 0 };
	const char *uplo = arg_str(k, "UPLO");
	bool upper = uplo && (uplo[0] == 'U' || uplo[0] == 'u'), vectors = arg_bool(k, "compute_v", true);
	if (!batch_read(k, arg_tensor(k, "A"), true, &a))
		return false;
	int64_t n = a.n, none = 0;
	struct tensor *w = batch_out(k, a.t, a.t->dtype, n, -1, false);
	struct tensor *v = !w ? NULL : vectors ? batch_out(k, a.t, a.t->dtype, n, n, true) : out_new(k, a.t->dtype, 1, &none);
	double *pw = v ? doubles_for(k, w) : NULL, *pv = pw ? doubles_for(k, v) : NULL, *work = batch_room(k, n * n), *each = batch_room(k, n * n);
	if (!pv || !work || !each)
		return false;
	for (int64_t i = 0; i < a.count; i++) {
		for (int64_t r = 0; r < n; r++)
			for (int64_t c = 0; c < n; c++)
				work[r * n + c] = a.v[i * n * n + ((c <= r) != upper || r == c ? r * n + c : c * n + r)];
		eigen_symmetric(work, n, pw + i * n, each);
		if (vectors)
			memcpy(pv + i * n * n, each, (size_t)(n * n) * sizeof *each);
	}
	return true;
}

/* Complex numbers as pairs, row by row, into an output. */
static void store_pairs(struct tensor *out, const double *v)
{
	struct window w;
	tensor_from_doubles(window_of_parts(&w, out), v);
}

/* Eigenvalues, and vectors where they are asked for, of any square matrices: complex whatever comes. */
static bool eigen(struct kernel_call *k, bool vectors)
{
	struct batch a = { .n = 0 };
	if (!batch_read(k, arg_tensor(k, "self"), true, &a))
		return false;
	int64_t n = a.n;
	enum dtype d = a.t->dtype == DT_FLOAT64 ? DT_COMPLEX128 : DT_COMPLEX64;
	struct tensor *w = batch_out(k, a.t, d, n, -1, false), *v = w && vectors ? batch_out(k, a.t, d, n, n, true) : NULL;
	double *values = w ? batch_room(k, 2 * a.count * n) : NULL, *rows = vectors ? batch_room(k, 2 * a.count * n * n) : NULL;
	double *one = batch_room(k, n * n), *work = batch_room(k, n * n + 7 * n);
	if (!values || !one || !work || (vectors && (!v || !rows)))
		return false;
	for (int64_t i = 0; i < a.count * n * n; i++)
		if (!isfinite(a.v[i]))
			return kernel_fail(k, "the input must not contain infs or NaNs");
	for (int64_t i = 0; i < a.count; i++) {
		memcpy(one, a.v + i * n * n, (size_t)(n * n) * sizeof *one);
		if (!eigen_general(one, n, d == DT_COMPLEX64, values + 2 * i * n, vectors ? rows + 2 * i * n * n : NULL, work))
			return kernel_fail(k, "matrix %lld has too many eigenvalues that are the same: no convergence", (long long)i);
	}
	store_pairs(w, values);
	if (vectors)
		store_pairs(v, rows);
	return true;
}

static bool k_eig(struct kernel_call *k)
{
	return eigen(k, true);
}

static bool k_eigvals(struct kernel_call *k)
{
	return eigen(k, false);
}

static bool k_matrix_exp(struct kernel_call *k)
{
	struct batch a = { .n = 0 };
	if (!batch_read(k, arg_tensor(k, "self"), true, &a))
		return false;
	struct tensor *out = out_new(k, a.t->dtype, a.t->ndim, a.t->size);
	double *v = out ? doubles_for(k, out) : NULL, *work = batch_room(k, 2 * a.n * a.n);
	for (int64_t i = 0; v && work && i < a.count; i++)
		matrix_exponential(a.v + i * a.n * a.n, a.n, v + i * a.n * a.n, work);
	return v && work;
}

const struct kernel_row orthogonal_kernels[] = {
	{ .name = "linalg_qr", .run = k_qr },
	{ .name = "_linalg_svd", .run = k_svd },
	{ .name = "linalg_pinv.atol_rtol_tensor", .run = k_pinv },
	{ .name = "_linalg_eigh", .run = k_eigh },
	{ .name = "linalg_eig", .run = k_eig },
	{ .name = "_linalg_eigvals", .run = k_eigvals },
	{ .name = "linalg_matrix_exp", .run = k_matrix_exp },
	{ 0 },
};
