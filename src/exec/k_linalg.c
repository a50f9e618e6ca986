/*
 * Factors, inverses and solvers of batches of matrices
 * (aten/src/ATen/native/{BatchLinearAlgebra,LinearAlgebra}.cpp).  Results are
 * stored column by column, as LAPACK leaves them.
 */
#include <math.h>
#include <string.h>

#include "exec/batches.h"
#include "exec/decompose.h"
#include "exec/layout.h"

/* With check_errors a matrix that cannot be worked on is an error. */
static bool infos_hold(struct kernel_call *k, const int64_t *info, int64_t n)
{
	for (int64_t i = 0; i < n && arg_bool(k, "check_errors", false); i++)
		if (info[i] != 0)
			return kernel_fail(k, "matrix %lld is singular or not positive definite (at %lld)", (long long)i, (long long)info[i]);
	return true;
}
/* ---- LU ---- */

struct factors {
	double *lu;
	int64_t *pivot;
	int64_t *info;
	bool transposed;                 /* of the transposed matrices */
	int64_t least;                   /* pivots of each */
};

/* Contiguous matrices are factored transposed where PyTorch does (linalg_det, linalg_solve): it saves LAPACK a copy. */
static bool factor(struct kernel_call *k, const struct batch *a, bool may_transpose, struct factors *f)
{
	f->transposed = may_transpose && tensor_is_contiguous(a->t);
	f->least = a->m < a->n ? a->m : a->n;
	f->lu = batch_room(k, a->count * a->m * a->n);
	f->pivot = scratch_alloc(k, a->count * f->least, sizeof *f->pivot);
	f->info = scratch_alloc(k, a->count, sizeof *f->info);
	if (!f->lu || !f->pivot || !f->info)
		return false;
	for (int64_t i = 0; i < a->count; i++) {
		double *lu = f->lu + i * a->m * a->n;
		if (f->transposed)
			matrix_transpose(a->v + i * a->m * a->n, a->m, a->n, lu);
		else
			memcpy(lu, a->v + i * a->m * a->n, (size_t)(a->m * a->n) * sizeof *lu);
		f->info[i] = lu_factor(lu, a->m, a->n, f->pivot + i * f->least);
	}
	return true;
}

static bool out_factors(struct kernel_call *k, const struct batch *a, const struct factors *f)
{
	struct tensor *lu = batch_out(k, a->t, a->t->dtype, a->m, a->n, true);
	struct tensor *pivots = lu ? batch_out(k, a->t, DT_INT32, f->least, -1, false) : NULL;
	if (!pivots)
		return false;
	tensor_from_doubles(lu, f->lu);
	tensor_from_ints(pivots, f->pivot);
	return true;
}

static bool out_infos(struct kernel_call *k, const struct batch *a, const int64_t *info)
{
	struct tensor *out = batch_numbers(k, a->t, DT_INT32);
	if (out)
		tensor_from_ints(out, info);
	return out && infos_hold(k, info, a->count);
}

static bool k_lu_factor(struct kernel_call *k)
{
	struct batch a = { .n = 0 };
	struct factors f;
	if (!arg_bool(k, "pivot", true))
		return kernel_fail(k, "there is no LU without pivoting on a CPU");
	return batch_read(k, arg_tensor(k, "A"), false, &a) && factor(k, &a, false, &f) && out_factors(k, &a, &f) && out_infos(k, &a, f.info);
}

/* The diagonal's signs and exchanges, and the log of its size; or the product. */
static void determinant(const struct batch *a, const struct factors *f, int64_t i, double *sign, double *log_size, double *product)
{
	*sign = *product = 1;
	*log_size = 0;
	for (int64_t j = 0; j < a->n; j++) {
		double d = f->lu[i * a->n * a->n + j * a->n + j] * (f->pivot[i * a->n + j] != j + 1 ? -1 : 1);
		*product *= d;
		*sign *= d > 0 ? 1 : d < 0 ? -1 : 0;
		*log_size += log(fabs(d));
	}
}

/* _linalg_det() and _linalg_slogdet() */
static bool det(struct kernel_call *k, bool logs)
{
	struct batch a = { .n = 0 };
	struct factors f;
	if (!batch_read(k, arg_tensor(k, "A"), true, &a) || !factor(k, &a, true, &f))
		return false;
	double *sign = batch_room(k, a.count), *size = batch_room(k, a.count), *product = batch_room(k, a.count);
	if (!sign || !size || !product)
		return false;
	for (int64_t i = 0; i < a.count; i++)
		determinant(&a, &f, i, &sign[i], &size[i], &product[i]);
	struct tensor *first = batch_numbers(k, a.t, a.t->dtype), *second = first && logs ? batch_numbers(k, a.t, a.t->dtype) : NULL;
	if (!first || (logs && !second))
		return false;
	tensor_from_doubles(first, logs ? sign : product);
	if (logs)
		tensor_from_doubles(second, size);
	return out_factors(k, &a, &f);
}

static bool k_det(struct kernel_call *k)
{
	return det(k, false);
}

static bool k_slogdet(struct kernel_call *k)
{
	return det(k, true);
}

static bool k_inv(struct kernel_call *k)
{
	struct batch a = { .n = 0 };
	struct factors f;
	if (!batch_read(k, arg_tensor(k, "A"), true, &a) || !factor(k, &a, false, &f))
		return false;
	int64_t n = a.n;
	struct tensor *out = batch_out(k, a.t, a.t->dtype, n, n, true);
	double *v = out ? doubles_for(k, out) : NULL;
	for (int64_t i = 0; v && i < a.count; i++) {
		for (int64_t j = 0; j < n * n; j++)
			v[i * n * n + j] = j % (n + 1) == 0;
		if (f.info[i] == 0)
			lu_solve(f.lu + i * n * n, n, f.pivot + i * n, v + i * n * n, n);
	}
	return v && out_infos(k, &a, f.info);
}

/* ---- Equations ---- */

/* a x = b, or x a = b, which is a^T x^T = b^T; b is [m, n]. */
static void solve_one(const double *lu, const int64_t *pivot, int64_t size, bool left, const double *b, int64_t m, int64_t n, double *x, double *work)
{
	if (left) {
		memcpy(x, b, (size_t)(m * n) * sizeof *x);
		lu_solve(lu, size, pivot, x, n);
		return;
	}
	matrix_transpose(b, m, n, work);
	lu_solve(lu, size, pivot, work, m);
	matrix_transpose(work, n, m, x);
}

/* B is a batch of vectors when it has A's sizes without the last, or one dimension. */
static bool k_solve(struct kernel_call *k)
{
	struct tensor *ta = arg_tensor(k, "A"), *tb = arg_tensor(k, "B");
	struct batch a = { .n = 0 }, wide = { .n = 0 };
	struct factors f, g;
	struct window wa, wb, column;
	int64_t size[MAX_DIMS];
	int ndim;
	bool left = arg_bool(k, "left", true);
	if (!batch_read(k, ta, true, &a) || !factor(k, &a, true, &f))
		return false;
	bool vector = tb->ndim == 1 || (tb->ndim == ta->ndim - 1 && memcmp(ta->size, tb->size, (size_t)tb->ndim * sizeof *size) == 0);
	window_of(&column, tb);
	if (vector) {
		column.size[tb->ndim] = column.stride[tb->ndim] = 1;
		column.t.ndim++;
	}
	if (tb->ndim < 1 || tb->dtype != ta->dtype || column.size[column.t.ndim - (left ? 2 : 1)] != a.n)
		return kernel_fail(k, "the right side does not fit the matrices");
	if (!batches_broadcast(k, ta, &column.t, &wa, &wb, &ndim, size) || !batch_read(k, &wa.t, true, &wide))
		return false;
	/* the factors of what is solved: of the matrices themselves, or of the transposed ones for the right side */
	if (!left) {
		int64_t swap = wide.t->stride[ndim - 1];
		wide.t->stride[ndim - 1] = wide.t->stride[ndim - 2];
		wide.t->stride[ndim - 2] = swap;
		if (!batch_read(k, &wa.t, true, &wide))
			return false;
	}
	int64_t m = size[ndim - 2], n = size[ndim - 1];
	const double *b = doubles_of(k, &wb.t);
	struct tensor *out = b ? batch_solution(k, ta->dtype, vector ? ndim - 1 : ndim, size, left) : NULL;
	double *x = out && factor(k, &wide, false, &g) ? doubles_for(k, out) : NULL, *work = batch_room(k, m * n);
	for (int64_t i = 0; x && work && i < wide.count; i++)
		if (g.info[i] == 0)
			solve_one(g.lu + i * a.n * a.n, g.pivot + i * a.n, a.n, left, b + i * m * n, m, n, x + i * m * n, work);
	return x && work && out_factors(k, &a, &f) && out_infos(k, &a, f.info);
}

static bool k_solve_triangular(struct kernel_call *k)
{
	struct tensor *ta = arg_tensor(k, "self"), *tb = arg_tensor(k, "B");
	struct batch a = { .n = 0 }, b = { .n = 0 };
	struct window wa, wb;
	int64_t size[MAX_DIMS];
	int ndim;
	bool left = arg_bool(k, "left", true), upper = arg_bool(k, "upper", false), unit = arg_bool(k, "unitriangular", false);
	if (!batch_read(k, ta, true, &a) || !batch_read(k, tb, false, &b) || !batches_broadcast(k, ta, tb, &wa, &wb, &ndim, size))
		return false;
	if (a.n != (left ? b.m : b.n) || ta->dtype != tb->dtype)
		return kernel_fail(k, "the right side does not fit the matrices");
	if (!batch_read(k, &wa.t, true, &a) || !batch_read(k, &wb.t, false, &b))
		return false;
	struct tensor *out = batch_solution(k, ta->dtype, ndim, size, true);
	double *x = out ? doubles_for(k, out) : NULL, *at = batch_room(k, a.n * a.n), *bt = batch_room(k, b.m * b.n);
	if (!x || !at || !bt)
		return false;
	for (int64_t i = 0; i < b.count; i++) {
		double *to = x + i * b.m * b.n;
		if (left) {
			memcpy(to, b.v + i * b.m * b.n, (size_t)(b.m * b.n) * sizeof *to);
			triangular_solve(a.v + i * a.n * a.n, a.n, upper, unit, to, b.n);
			continue;
		}
		matrix_transpose(a.v + i * a.n * a.n, a.n, a.n, at);
		matrix_transpose(b.v + i * b.m * b.n, b.m, b.n, bt);
		triangular_solve(at, a.n, !upper, unit, bt, b.m);
		matrix_transpose(bt, b.n, b.m, to);
	}
	return true;
}

/* ---- Cholesky ---- */

/* One triangle of the matrix is read, and the factor is in it. */
static bool cholesky(struct kernel_call *k, bool strict)
{
	struct batch a = { .n = 0 };
	bool upper = arg_bool(k, "upper", false);
	if (!batch_read(k, arg_tensor(k, "self"), true, &a))
		return false;
	int64_t n = a.n, *info = scratch_alloc(k, a.count, sizeof *info);
	struct tensor *out = info ? batch_out(k, a.t, a.t->dtype, n, n, true) : NULL;
	double *v = out ? doubles_for(k, out) : NULL, *work = batch_room(k, n * n);
	if (!v || !work)
		return false;
	for (int64_t i = 0; i < a.count; i++) {
		if (upper)
			matrix_transpose(a.v + i * n * n, n, n, work);
		else
			memcpy(work, a.v + i * n * n, (size_t)(n * n) * sizeof *work);
		info[i] = cholesky_factor(work, n);
		if (info[i] && strict)
			return kernel_fail(k, "matrix %lld is not positive definite: its minor of order %lld", (long long)i, (long long)info[i]);
		if (upper)
			matrix_transpose(work, n, n, v + i * n * n);
		else
			memcpy(v + i * n * n, work, (size_t)(n * n) * sizeof *work);
	}
	return strict || out_infos(k, &a, info);
}

static bool k_cholesky_ex(struct kernel_call *k)
{
	return cholesky(k, false);
}

static bool k_cholesky(struct kernel_call *k)
{
	return cholesky(k, true);
}

/* (L L^T)^-1 from L, or (U^T U)^-1 from U */
static bool k_cholesky_inverse(struct kernel_call *k)
{
	struct batch a = { .n = 0 };
	bool upper = arg_bool(k, "upper", false);
	if (!batch_read(k, arg_tensor(k, "self"), true, &a))
		return false;
	int64_t n = a.n;
	struct tensor *out = batch_out(k, a.t, a.t->dtype, n, n, true);
	double *v = out ? doubles_for(k, out) : NULL, *other = batch_room(k, n * n);
	if (!v || !other)
		return false;
	for (int64_t i = 0; i < a.count; i++) {
		const double *own = a.v + i * n * n;
		matrix_transpose(own, n, n, other);
		for (int64_t j = 0; j < n * n; j++)
			v[i * n * n + j] = j % (n + 1) == 0;
		triangular_solve(upper ? other : own, n, false, false, v + i * n * n, n);
		triangular_solve(upper ? own : other, n, true, false, v + i * n * n, n);
	}
	return true;
}
/* What the composites ask after each decomposition. */
static bool k_check_errors(struct kernel_call *k)
{
	struct tensor *info = arg_tensor(k, "info");
	const char *name = arg_str(k, "api_name");
	const int64_t *v = ints_of(k, info);
	for (int64_t i = 0; v && i < tensor_numel(info); i++)
		if (v[i] != 0)
			return kernel_fail(k, "%s: matrix %lld is %s (at %lld)", name ? name : "linalg", (long long)i,
			                   name && strstr(name, "cholesky") ? "not positive definite" : "singular", (long long)v[i]);
	return v != NULL;
}

const struct kernel_row linalg_kernels[] = {
	{ .name = "linalg_inv_ex", .run = k_inv },
	{ .name = "linalg_cholesky_ex", .run = k_cholesky_ex },
	{ .name = "cholesky", .run = k_cholesky },
	{ .name = "cholesky_inverse", .run = k_cholesky_inverse },
	{ .name = "_linalg_det", .run = k_det },
	{ .name = "_linalg_slogdet", .run = k_slogdet },
	{ .name = "linalg_lu_factor_ex", .run = k_lu_factor },
	{ .name = "_linalg_solve_ex", .run = k_solve },
	{ .name = "linalg_solve_triangular", .run = k_solve_triangular },
	{ .name = "_linalg_check_errors", .run = k_check_errors },
	{ 0 },
};
