/*
 * What is made of the factors of matrices: P, L and U, solutions of equations, Q from reflectors, products with Q
 * (aten/src/ATen/native/BatchLinearAlgebra.cpp).
 */
#include <string.h>

#include "exec/batches.h"
#include "exec/decompose.h"

/* ---- P, L, U ---- */

/* Where each row of the matrix comes from after the exchanges that LAPACK noted. */
static void rows_of_pivots(const int64_t *pivot, int64_t n_pivots, int64_t m, int64_t *row)
{
	for (int64_t i = 0; i < m; i++)
		row[i] = i;
	for (int64_t i = 0; i < n_pivots && i < m; i++) {
		int64_t other = pivot[i] - 1, t = row[i];
		if (other < 0 || other >= m)
			continue;
		row[i] = row[other];
		row[other] = t;
	}
}

/* One matrix of factors [m, n] apart: l[m, least], u[least, n]. */
static void split_factors(const double *lu, int64_t m, int64_t n, double *l, double *u)
{
	int64_t least = m < n ? m : n;
	for (int64_t i = 0; i < m; i++)
		for (int64_t j = 0; j < least; j++)
			l[i * least + j] = i == j ? 1 : i > j ? lu[i * n + j] : 0;
	for (int64_t i = 0; i < least; i++)
		for (int64_t j = 0; j < n; j++)
			u[i * n + j] = j >= i ? lu[i * n + j] : 0;
}

struct parts {
	double *p, *l, *u;               /* NULL: not asked for */
	int64_t *row;
};

static double *out_part(struct kernel_call *k, const struct batch *a, bool wanted, int64_t rows, int64_t columns, bool *ok)
{
	int64_t none = 0;
	struct tensor *t = !*ok ? NULL : wanted ? batch_out(k, a->t, a->t->dtype, rows, columns, false) : out_new(k, a->t->dtype, 1, &none);
	double *v = t && wanted ? doubles_for(k, t) : NULL;
	*ok = t && (v || !wanted);
	return v;
}

static bool out_parts(struct kernel_call *k, const struct batch *a, bool with_p, bool with_factors, struct parts *out)
{
	int64_t least = a->m < a->n ? a->m : a->n;
	bool ok = true;
	out->p = out_part(k, a, with_p, a->m, a->m, &ok);
	out->l = out_part(k, a, with_factors, a->m, least, &ok);
	out->u = out_part(k, a, with_factors, least, a->n, &ok);
	out->row = ok ? scratch_alloc(k, a->m, sizeof *out->row) : NULL;
	return out->row != NULL;
}

/* Matrix i: P has a 1 in column r of the row that r went to. */
static void fill_parts(const struct batch *a, const struct parts *out, int64_t i, const double *lu, const int64_t *pivot, int64_t n_pivots)
{
	int64_t m = a->m, n = a->n, least = m < n ? m : n;
	rows_of_pivots(pivot, n_pivots, m, out->row);
	for (int64_t r = 0; out->p && r < m; r++)
		out->p[i * m * m + out->row[r] * m + r] = 1;
	if (out->l)
		split_factors(lu, m, n, out->l + i * m * least, out->u + i * least * n);
}

static bool k_lu(struct kernel_call *k)
{
	struct batch a = { .n = 0 };
	struct parts out;
	if (!arg_bool(k, "pivot", true))
		return kernel_fail(k, "there is no LU without pivoting on a CPU");
	if (!batch_read(k, arg_tensor(k, "A"), false, &a) || !out_parts(k, &a, true, true, &out))
		return false;
	double *lu = batch_room(k, a.m * a.n);
	int64_t least = a.m < a.n ? a.m : a.n, *pivot = lu ? scratch_alloc(k, least, sizeof *pivot) : NULL;
	for (int64_t i = 0; pivot && i < a.count; i++) {
		memcpy(lu, a.v + i * a.m * a.n, (size_t)(a.m * a.n) * sizeof *lu);
		lu_factor(lu, a.m, a.n, pivot);
		fill_parts(&a, &out, i, lu, pivot, least);
	}
	return pivot != NULL;
}

static bool k_lu_unpack(struct kernel_call *k)
{
	struct batch a = { .n = 0 };
	struct parts out;
	struct tensor *pivots = arg_tensor(k, "LU_pivots");
	if (!batch_read(k, arg_tensor(k, "LU_data"), false, &a))
		return false;
	int64_t n_pivots = pivots->ndim ? pivots->size[pivots->ndim - 1] : 0;
	if (pivots->ndim != a.t->ndim - 1 || tensor_numel(pivots) != a.count * n_pivots)
		return kernel_fail(k, "the pivots do not fit the factors");
	const int64_t *pivot = ints_of(k, pivots);
	if (!pivot || !out_parts(k, &a, arg_bool(k, "unpack_pivots", true), arg_bool(k, "unpack_data", true), &out))
		return false;
	for (int64_t i = 0; i < a.count; i++)
		fill_parts(&a, &out, i, a.v + i * a.m * a.n, pivot + i * n_pivots, n_pivots);
	return true;
}

/* ---- Equations ---- */

/* A pair of a square matrix and a right side, batches broadcast. */
struct system {
	struct window wa, wb;
	struct batch a, b;
	double *x;                       /* an output, like b */
};

static bool system_read(struct kernel_call *k, struct tensor *ta, struct tensor *tb, bool left, bool by_column, struct system *s)
{
	int64_t size[MAX_DIMS];
	int ndim;
	if (!batch_read(k, ta, true, &s->a) || !batch_read(k, tb, false, &s->b) || !batches_broadcast(k, ta, tb, &s->wa, &s->wb, &ndim, size))
		return false;
	if (s->a.n != (left ? s->b.m : s->b.n) || ta->dtype != tb->dtype)
		return kernel_fail(k, "the right side does not fit the matrices");
	struct tensor *out = batch_solution(k, tb->dtype, ndim, size, by_column);
	s->x = out && batch_read(k, &s->wa.t, true, &s->a) && batch_read(k, &s->wb.t, false, &s->b) ? doubles_for(k, out) : NULL;
	return s->x != NULL;
}

/* lu x = b, or its adjoint: U^T L^T P x = b. */
static void solve_factored(const double *lu, const double *turned, const int64_t *pivot, int64_t n, bool adjoint, double *x, int64_t columns)
{
	if (!adjoint) {
		lu_solve(lu, n, pivot, x, columns);
		return;
	}
	triangular_solve(turned, n, false, false, x, columns);
	triangular_solve(turned, n, true, true, x, columns);
	for (int64_t i = n - 1; i >= 0; i--)
		for (int64_t c = 0; c < columns && pivot[i] - 1 != i && pivot[i] >= 1 && pivot[i] <= n; c++) {
			double t = x[i * columns + c];
			x[i * columns + c] = x[(pivot[i] - 1) * columns + c];
			x[(pivot[i] - 1) * columns + c] = t;
		}
}

/* From the right, x a = b is a^T x^T = b^T. */
static bool k_lu_solve(struct kernel_call *k)
{
	struct system s = { .x = NULL };
	struct tensor *lu = arg_tensor(k, "LU"), *pivots = arg_tensor(k, "pivots"), column = *pivots;
	struct window wp;
	int64_t size[MAX_DIMS];
	bool left = arg_bool(k, "left", true), adjoint = arg_bool(k, "adjoint", false);
	if (!system_read(k, lu, arg_tensor(k, "B"), left, left, &s))
		return false;
	int64_t n = s.a.n, m = s.b.m, columns = s.b.n;
	if (pivots->ndim != lu->ndim - 1 || pivots->size[pivots->ndim - 1] != n)
		return kernel_fail(k, "the pivots do not fit the factors");
	window_of(&wp, &column);
	memcpy(size, s.wa.size, (size_t)(s.wa.t.ndim - 2) * sizeof *size);
	size[s.wa.t.ndim - 2] = n;
	window_expand(&wp, s.wa.t.ndim - 1, size);
	const int64_t *pivot = ints_of(k, &wp.t);
	double *turned = pivot ? batch_room(k, n * n) : NULL, *work = turned ? batch_room(k, m * columns) : NULL;
	for (int64_t i = 0; work && i < s.b.count; i++) {
		const double *factors = s.a.v + i * n * n, *b = s.b.v + i * m * columns;
		double *x = s.x + i * m * columns;
		matrix_transpose(factors, n, n, turned);
		if (left) {
			memcpy(x, b, (size_t)(m * columns) * sizeof *x);
			solve_factored(factors, turned, pivot + i * n, n, adjoint, x, columns);
		} else {
			matrix_transpose(b, m, columns, work);
			solve_factored(factors, turned, pivot + i * n, n, !adjoint, work, m);
			matrix_transpose(work, columns, m, x);
		}
	}
	return work != NULL;
}

/* L L^T x = b from L, or U^T U x = b from U. */
static bool k_cholesky_solve(struct kernel_call *k)
{
	struct system s = { .x = NULL };
	bool upper = arg_bool(k, "upper", false);
	if (!system_read(k, arg_tensor(k, "input2"), arg_tensor(k, "self"), true, true, &s))
		return false;
	int64_t n = s.a.n;
	double *turned = batch_room(k, n * n);
	for (int64_t i = 0; turned && i < s.b.count; i++) {
		const double *own = s.a.v + i * n * n;
		double *x = s.x + i * n * s.b.n;
		matrix_transpose(own, n, n, turned);
		memcpy(x, s.b.v + i * n * s.b.n, (size_t)(n * s.b.n) * sizeof *x);
		triangular_solve(upper ? turned : own, n, false, false, x, s.b.n);
		triangular_solve(upper ? own : turned, n, true, false, x, s.b.n);
	}
	return turned != NULL;
}

/* The solution, and a copy of the matrices that were solved. */
static bool k_triangular_solve(struct kernel_call *k)
{
	struct system s = { .x = NULL };
	bool upper = arg_bool(k, "upper", true), turn = arg_bool(k, "transpose", false), unit = arg_bool(k, "unitriangular", false);
	if (!system_read(k, arg_tensor(k, "A"), arg_tensor(k, "self"), true, true, &s))
		return false;
	int64_t n = s.a.n;
	struct tensor *copy = batch_solution(k, s.wa.t.dtype, s.wa.t.ndim, s.wa.size, true);
	double *turned = copy ? batch_room(k, n * n) : NULL;
	if (!turned)
		return false;
	tensor_copy(copy, &s.wa.t);
	for (int64_t i = 0; i < s.b.count; i++) {
		double *x = s.x + i * n * s.b.n;
		matrix_transpose(s.a.v + i * n * n, n, n, turned);
		memcpy(x, s.b.v + i * n * s.b.n, (size_t)(n * s.b.n) * sizeof *x);
		triangular_solve(turn ? turned : s.a.v + i * n * n, n, upper != turn, unit, x, s.b.n);
	}
	return true;
}

/* ---- Reflectors ---- */

/* x[m, n] becomes (I - tau v v^T) x, v being column c of a[m, k] below a 1. */
static void apply_reflector(const double *a, int64_t m, int64_t columns, int64_t c, double tau, double *x, int64_t n)
{
	for (int64_t j = 0; j < n; j++) {
		double sum = x[c * n + j];
		for (int64_t i = c + 1; i < m; i++)
			sum += a[i * columns + c] * x[i * n + j];
		sum *= tau;
		x[c * n + j] -= sum;
		for (int64_t i = c + 1; i < m; i++)
			x[i * n + j] -= sum * a[i * columns + c];
	}
}

/* The first columns of Q = H1 H2 ... (LAPACK's orgqr). */
static bool k_householder_product(struct kernel_call *k)
{
	struct batch a = { .n = 0 };
	struct tensor *tau = arg_tensor(k, "tau");
	if (!batch_read(k, arg_tensor(k, "input"), false, &a))
		return false;
	int64_t count = tau->ndim ? tau->size[tau->ndim - 1] : 0;
	if (tau->ndim != a.t->ndim - 1 || count > a.n || a.n > a.m || tensor_numel(tau) != a.count * count)
		return kernel_fail(k, "the reflectors' lengths do not fit the matrices");
	struct tensor *out = batch_out(k, a.t, a.t->dtype, a.m, a.n, true);
	double *q = out ? doubles_for(k, out) : NULL;
	const double *t = q ? doubles_of(k, tau) : NULL;
	for (int64_t i = 0; t && i < a.count; i++) {
		double *x = q + i * a.m * a.n;
		for (int64_t j = 0; j < a.n; j++)
			x[j * a.n + j] = 1;
		for (int64_t c = count - 1; c >= 0; c--)
			apply_reflector(a.v + i * a.m * a.n, a.m, a.n, c, t[i * count + c], x, a.n);
	}
	return t != NULL;
}

/* R, and below it the reflections whose product is Q; and their lengths. */
static bool k_geqrf(struct kernel_call *k)
{
	struct batch a = { .n = 0 };
	if (!batch_read(k, arg_tensor(k, "self"), false, &a))
		return false;
	int64_t size = a.m * a.n, least = a.m < a.n ? a.m : a.n;
	struct tensor *out = batch_out(k, a.t, a.t->dtype, a.m, a.n, true), *tau = out ? batch_out(k, a.t, a.t->dtype, least, -1, false) : NULL;
	double *r = tau ? doubles_for(k, out) : NULL, *t = r ? doubles_for(k, tau) : NULL, *work = batch_room(k, a.m);
	if (!t || !work)
		return false;
	memcpy(r, a.v, (size_t)(a.count * size) * sizeof *r);
	for (int64_t i = 0; i < a.count; i++)
		qr_reflections(r + i * size, a.m, a.n, t + i * least, work);
	return true;
}

/* c[m, n] becomes Q c, or Q^T c: the reflections a[m, count] one after the other. */
static void apply_reflectors(const double *a, const double *tau, int64_t m, int64_t columns, int64_t count, bool transpose, double *c, int64_t n)
{
	for (int64_t i = 0; i < count; i++) {
		int64_t at = transpose ? i : count - 1 - i;
		apply_reflector(a, m, columns, at, tau[at], c, n);
	}
}

/* Q other, or other Q, which is (Q^T other^T)^T. */
static bool k_ormqr(struct kernel_call *k)
{
	struct batch a = { .n = 0 }, c = { .n = 0 };
	struct tensor *tau = arg_tensor(k, "input2");
	bool left = arg_bool(k, "left", true), transpose = arg_bool(k, "transpose", false);
	if (!batch_read(k, arg_tensor(k, "self"), false, &a) || !batch_read(k, arg_tensor(k, "input3"), false, &c))
		return false;
	int64_t count = tau->ndim ? tau->size[tau->ndim - 1] : 0, size = c.m * c.n, order = left ? c.m : c.n;
	if (a.count != c.count || tau->ndim != a.t->ndim - 1 || count > a.n || count > a.m || a.m != order || tensor_numel(tau) != a.count * count)
		return kernel_fail(k, "the reflections do not fit what they are applied to");
	struct tensor *out = batch_out(k, c.t, c.t->dtype, c.m, c.n, true);
	double *y = out ? doubles_for(k, out) : NULL, *turned = batch_room(k, size);
	const double *t = y && turned ? doubles_of(k, tau) : NULL;
	for (int64_t i = 0; t && i < c.count; i++) {
		const double *reflections = a.v + i * a.m * a.n, *lengths = t + i * count;
		memcpy(y + i * size, c.v + i * size, (size_t)size * sizeof *y);
		if (left) {
			apply_reflectors(reflections, lengths, a.m, a.n, count, transpose, y + i * size, c.n);
			continue;
		}
		matrix_transpose(c.v + i * size, c.m, c.n, turned);
		apply_reflectors(reflections, lengths, a.m, a.n, count, !transpose, turned, c.m);
		matrix_transpose(turned, c.n, c.m, y + i * size);
	}
	return t != NULL;
}

/* ---- Symmetric matrices ---- */

static bool k_ldl_factor(struct kernel_call *k)
{
	struct batch a = { .n = 0 };
	if (!batch_read(k, arg_tensor(k, "self"), true, &a))
		return false;
	int64_t n = a.n, *pivot = scratch_alloc(k, a.count * n, sizeof *pivot), *info = pivot ? scratch_alloc(k, a.count, sizeof *info) : NULL;
	struct tensor *out = info ? batch_out(k, a.t, a.t->dtype, n, n, true) : NULL, *pivots = out ? batch_out(k, a.t, DT_INT32, n, -1, false) : NULL;
	struct tensor *infos = pivots ? batch_numbers(k, a.t, DT_INT32) : NULL;
	double *ld = infos ? doubles_for(k, out) : NULL;
	if (!ld)
		return false;
	for (int64_t i = 0; i < a.count * n * n; i++)
		ld[i] = i % n <= i / n % n ? a.v[i] : 0;         /* the lower triangle */
	for (int64_t i = 0; i < a.count; i++) {
		info[i] = ldl_factor(ld + i * n * n, n, pivot + i * n);
		if (info[i] && arg_bool(k, "check_errors", false))
			return kernel_fail(k, "matrix %lld is singular (at %lld)", (long long)i, (long long)info[i]);
	}
	tensor_from_ints(pivots, pivot);
	tensor_from_ints(infos, info);
	return true;
}

static bool k_ldl_solve(struct kernel_call *k)
{
	struct system s = { .x = NULL };
	struct tensor *ld = arg_tensor(k, "LD"), *pivots = arg_tensor(k, "pivots");
	struct window w;
	int64_t size[MAX_DIMS];
	if (!system_read(k, ld, arg_tensor(k, "B"), true, true, &s))
		return false;
	int64_t n = s.a.n, each = n * s.b.n;
	if (pivots->ndim != ld->ndim - 1 || memcmp(pivots->size, ld->size, (size_t)pivots->ndim * sizeof *size) != 0)
		return kernel_fail(k, "the pivots do not fit the factors");
	window_of(&w, pivots);
	memcpy(size, s.wa.size, (size_t)(s.wa.t.ndim - 1) * sizeof *size);
	window_expand(&w, s.wa.t.ndim - 1, size);
	const int64_t *pivot = ints_of(k, &w.t);
	for (int64_t i = 0; pivot && i < s.b.count * n; i++)
		if (pivot[i] == 0 || pivot[i] > n || pivot[i] < -n)
			return kernel_fail(k, "pivot %lld is not one of %lld rows", (long long)pivot[i], (long long)n);
	for (int64_t i = 0; pivot && i < s.b.count; i++) {
		memcpy(s.x + i * each, s.b.v + i * each, (size_t)each * sizeof *s.x);
		ldl_solve(s.a.v + i * n * n, n, pivot + i * n, s.x + i * each, s.b.n);
	}
	return pivot != NULL;
}

const struct kernel_row factors_kernels[] = {
	{ .name = "linalg_lu", .run = k_lu },
	{ .name = "lu_unpack", .run = k_lu_unpack },
	{ .name = "linalg_lu_solve", .run = k_lu_solve },
	{ .name = "cholesky_solve", .run = k_cholesky_solve },
	{ .name = "triangular_solve", .run = k_triangular_solve },
	{ .name = "linalg_householder_product", .run = k_householder_product },
	{ .name = "geqrf", .run = k_geqrf },
	{ .name = "ormqr", .run = k_ormqr },
	{ .name = "linalg_ldl_factor_ex", .run = k_ldl_factor },
	{ .name = "linalg_ldl_solve", .run = k_ldl_solve },
	{ 0 }
};
