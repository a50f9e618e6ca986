/*
 * Decompositions and solvers (aten/src/ATen/native/BatchLinearAlgebra.cpp,
 * LinearAlgebra.cpp).  Matrices are the last two dimensions; results of LAPACK
 * lie in memory by columns.
 */
#include <string.h>

#include "ops/op.h"
#include "ops/shapes.h"

static bool check_matrix(struct op_call *c, const struct value *a)
{
	if (a->ndim < 2)
		return op_fail(c, "the input tensor must have at least 2 dimensions, got %V", a);
	if (!dtype_can_require_grad(a->dtype))
		return op_fail(c, "expected a floating point or complex tensor as input, got %s", dtype_name(a->dtype));
	return true;
}

static bool check_square(struct op_call *c, const struct value *a)
{
	if (!check_matrix(c, a))
		return false;
	int64_t rows = a->size[a->ndim - 2], columns = a->size[a->ndim - 1];
	if (rows != columns)
		return op_fail(c, "A must be batches of square matrices, but they are %lld by %lld matrices", (long long)rows, (long long)columns);
	return true;
}

static enum dtype real_type(enum dtype d)
{
	return d == DT_COMPLEX64 ? DT_FLOAT32 : d == DT_COMPLEX128 ? DT_FLOAT64 : d;
}

/* Matrices of rows x columns for each of a's batch, by columns. */
static bool out_matrices(struct op_call *c, const struct value *a, enum dtype d, int64_t rows, int64_t columns)
{
	int64_t size[MAX_DIMS], stride[MAX_DIMS];
	int n = a->ndim;
	memcpy(size, a->size, (size_t)n * sizeof *size);
	size[n - 2] = rows;
	size[n - 1] = columns;
	contiguous_strides(n, size, stride);
	stride[n - 2] = 1;
	stride[n - 1] = rows > 1 ? rows : 1;
	return op_out_strided(c, d, n, size, stride) != NULL;
}

static bool out_vectors(struct op_call *c, const struct value *a, enum dtype d, int64_t length)
{
	int64_t size[MAX_DIMS];
	memcpy(size, a->size, (size_t)(a->ndim - 2) * sizeof *size);
	size[a->ndim - 2] = length;
	return op_out(c, d, a->ndim - 1, size) != NULL;
}

static bool out_numbers(struct op_call *c, const struct value *a, enum dtype d)
{
	return op_out(c, d, a->ndim - 2, a->size) != NULL;
}

static bool out_nothing(struct op_call *c, enum dtype d)
{
	int64_t none = 0;
	return op_out(c, d, 1, &none) != NULL;
}

static int64_t smaller_side(const struct value *a)
{
	int64_t rows = a->size[a->ndim - 2], columns = a->size[a->ndim - 1];
	return rows < columns ? rows : columns;
}

/* ---- Rules ---- */

/* A matrix and whether it went well. */
static bool shape_square_ex(struct op_call *c)
{
	struct value *a = first_tensor(c);
	return a && check_square(c, a) && out_matrices(c, a, a->dtype, a->size[a->ndim - 2], a->size[a->ndim - 1]) && out_numbers(c, a, DT_INT32);
}

static bool shape_square(struct op_call *c)
{
	struct value *a = first_tensor(c);
	return a && check_square(c, a) && out_matrices(c, a, a->dtype, a->size[a->ndim - 2], a->size[a->ndim - 1]);
}

static bool out_lu(struct op_call *c, const struct value *a)
{
	return out_matrices(c, a, a->dtype, a->size[a->ndim - 2], a->size[a->ndim - 1]) && out_vectors(c, a, DT_INT32, smaller_side(a));
}

static bool shape_lu_factor(struct op_call *c)
{
	struct value *a = op_tensor(c, "A");
	return check_matrix(c, a) && out_lu(c, a) && out_numbers(c, a, DT_INT32);
}

static bool shape_det(struct op_call *c)
{
	struct value *a = op_tensor(c, "A");
	return check_square(c, a) && out_numbers(c, a, a->dtype) && out_lu(c, a);
}

static bool shape_slogdet(struct op_call *c)
{
	struct value *a = op_tensor(c, "A");
	return check_square(c, a) && out_numbers(c, a, a->dtype) && out_numbers(c, a, real_type(a->dtype)) && out_lu(c, a);
}

/* B is a batch of vectors when it has one dimension, or the shape of A without its last one. */
static bool shape_solve(struct op_call *c)
{
	struct value *a = op_tensor(c, "A"), *b = op_tensor(c, "B");
	if (!check_square(c, a))
		return false;
	bool vectors = b->ndim == 1 || (b->ndim == a->ndim - 1 && memcmp(a->size, b->size, (size_t)b->ndim * sizeof *b->size) == 0);
	int at = vectors ? b->ndim - 1 : op_bool(c, "left", true) ? b->ndim - 2 : b->ndim - 1;
	if (at < 0 || b->size[at] != a->size[a->ndim - 1])
		return op_fail(c, "incompatible shapes of A and B for the equation AX = B: %V and %V", a, b);
	if (b->ndim == 1 ? !op_out(c, b->dtype, 1, b->size) : !out_matrices(c, b, b->dtype, b->size[b->ndim - 2], b->size[b->ndim - 1]))
		return false;
	return out_lu(c, a) && out_numbers(c, a, DT_INT32);
}

static bool shape_solve_triangular(struct op_call *c)
{
	struct value *a = op_tensor(c, "self"), *b = op_tensor(c, "B");
	int64_t size[MAX_DIMS];
	int n;
	if (!check_square(c, a) || !check_matrix(c, b))
		return false;
	if (b->size[b->ndim - (op_bool(c, "left", true) ? 2 : 1)] != a->size[a->ndim - 1])
		return op_fail(c, "incompatible shapes of A and B: %V and %V", a, b);
	if (!op_broadcast(c, a->ndim - 2, a->size, b->ndim - 2, b->size, &n, size))
		return false;
	memcpy(size + n, b->size + b->ndim - 2, 2 * sizeof *size);
	struct value batch = { .ndim = n + 2, .size = size };
	return out_matrices(c, &batch, b->dtype, size[n], size[n + 1]);
}

static bool shape_svd(struct op_call *c)
{
	struct value *a = op_tensor(c, "A");
	if (!check_matrix(c, a))
		return false;
	int64_t rows = a->size[a->ndim - 2], columns = a->size[a->ndim - 1], k = smaller_side(a);
	bool full = op_bool(c, "full_matrices", false), vectors = op_bool(c, "compute_uv", true);
	if (!(vectors ? out_matrices(c, a, a->dtype, rows, full ? rows : k) : out_nothing(c, a->dtype)))
		return false;
	if (!out_vectors(c, a, real_type(a->dtype), k))
		return false;
	return vectors ? out_matrices(c, a, a->dtype, full ? columns : k, columns) : out_nothing(c, a->dtype);
}

static bool shape_qr(struct op_call *c)
{
	struct value *a = op_tensor(c, "A");
	const char *mode = op_str(c, "mode");
	if (!check_matrix(c, a))
		return false;
	int64_t rows = a->size[a->ndim - 2], columns = a->size[a->ndim - 1], k = smaller_side(a);
	bool complete = mode && strcmp(mode, "complete") == 0;
	bool q = !mode || strcmp(mode, "r") != 0;
	if (!(q ? out_matrices(c, a, a->dtype, rows, complete ? rows : k) : out_nothing(c, a->dtype)))
		return false;
	return out_matrices(c, a, a->dtype, complete ? rows : k, columns);
}

static bool shape_eigh(struct op_call *c)
{
	struct value *a = op_tensor(c, "A");
	if (!check_square(c, a) || !out_vectors(c, a, real_type(a->dtype), a->size[a->ndim - 1]))
		return false;
	return op_bool(c, "compute_v", true) ? out_matrices(c, a, a->dtype, a->size[a->ndim - 1], a->size[a->ndim - 1]) : out_nothing(c, a->dtype);
}

static bool shape_eig(struct op_call *c)
{
	struct value *a = op_tensor(c, "self");
	if (!check_square(c, a))
		return false;
	enum dtype d = a->dtype == DT_FLOAT64 || a->dtype == DT_COMPLEX128 ? DT_COMPLEX128 : DT_COMPLEX64;
	return out_vectors(c, a, d, a->size[a->ndim - 1]) && out_matrices(c, a, d, a->size[a->ndim - 1], a->size[a->ndim - 1]);
}

/* The inverse of rows x columns is columns x rows. */
static bool shape_pinv(struct op_call *c)
{
	struct value *a = op_tensor(c, "self");
	int64_t size[MAX_DIMS];
	if (!check_matrix(c, a))
		return false;
	memcpy(size, a->size, (size_t)a->ndim * sizeof *size);
	size[a->ndim - 2] = a->size[a->ndim - 1];
	size[a->ndim - 1] = a->size[a->ndim - 2];
	return op_out(c, a->dtype, a->ndim, size) != NULL;
}

static bool shape_matrix_exp(struct op_call *c)
{
	struct value *a = op_tensor(c, "self");
	return check_square(c, a) && op_out(c, a->dtype, a->ndim, a->size);
}

static bool shape_householder(struct op_call *c)
{
	struct value *a = op_tensor(c, "input");
	return check_matrix(c, a) && out_matrices(c, a, a->dtype, a->size[a->ndim - 2], a->size[a->ndim - 1]);
}

/* A check at run time: no result. */
static bool shape_nothing(struct op_call *c)
{
	return op_return(c, datum_none());
}

/* ---- Rows ---- */

const struct op_rule linalg_rules[] = {
	{ .name = "linalg_inv_ex", .shape = shape_square_ex },
	{ .name = "linalg_cholesky_ex", .shape = shape_square_ex },
	{ .name = "cholesky", .shape = shape_square },
	{ .name = "cholesky_inverse", .shape = shape_square },
	{ .name = "linalg_lu_factor_ex", .shape = shape_lu_factor },
	{ .name = "_linalg_det", .shape = shape_det },
	{ .name = "_linalg_slogdet", .shape = shape_slogdet },
	{ .name = "_linalg_solve_ex", .shape = shape_solve },
	{ .name = "linalg_solve_triangular", .shape = shape_solve_triangular },
	{ .name = "_linalg_svd", .shape = shape_svd },
	{ .name = "linalg_qr", .shape = shape_qr },
	{ .name = "_linalg_eigh", .shape = shape_eigh },
	{ .name = "linalg_eig", .shape = shape_eig },
	{ .name = "linalg_pinv.atol_rtol_tensor", .shape = shape_pinv },
	{ .name = "linalg_matrix_exp", .shape = shape_matrix_exp },
	{ .name = "linalg_householder_product", .shape = shape_householder },
	{ .name = "_linalg_check_errors", .shape = shape_nothing },
	{ .name = "_assert_async", .shape = shape_nothing },
	{ .name = "_assert_scalar", .shape = shape_nothing },
	{ .name = "_assert_tensor_metadata", .shape = shape_nothing },

	/* composites */
	{ .name = "linalg_inv", .parts =
		"x, info = aten.linalg_inv_ex(A)\n"
		"aten._linalg_check_errors(info, 'linalg.inv', is_matrix=A.dim() == 2)\n"
		"return x" },
	{ .name = "inverse", .parts = "return aten.linalg_inv(self)" },
	{ .name = "linalg_det", .parts = "return aten._linalg_det(A)[0]" },
	{ .name = "det", .parts = "return aten.linalg_det(self)" },
	{ .name = "linalg_slogdet", .parts = "return aten._linalg_slogdet(A)[:2]" },
	{ .name = "slogdet", .parts = "return aten.linalg_slogdet(self)" },
	{ .name = "logdet", .parts =
		"sign, x = aten.linalg_slogdet(self)\n"
		"return aten.where.ScalarSelf(aten.eq.Scalar(sign, -1), math.nan, x)" },
	{ .name = "linalg_solve_ex", .parts =
		"x, lu, pivots, info = aten._linalg_solve_ex(A, B, left=left, check_errors=check_errors)\n"
		"return x, info" },
	{ .name = "linalg_solve", .parts =
		"x, info = aten.linalg_solve_ex(A, B, left=left)\n"
		"aten._linalg_check_errors(info, 'torch.linalg.solve', is_matrix=A.dim() == 2)\n"
		"return x" },
	{ .name = "linalg_cholesky", .parts =
		"x, info = aten.linalg_cholesky_ex(self, upper=upper)\n"
		"aten._linalg_check_errors(info, 'linalg.cholesky', is_matrix=self.dim() == 2)\n"
		"return x" },
	{ .name = "linalg_lu_factor", .parts =
		"lu, pivots, info = aten.linalg_lu_factor_ex(A, pivot=pivot)\n"
		"aten._linalg_check_errors(info, 'torch.linalg.lu_factor', is_matrix=A.dim() == 2)\n"
		"return lu, pivots" },
	{ .name = "linalg_svd", .parts = "return aten._linalg_svd(A, full_matrices, True, driver=driver)" },
	{ .name = "linalg_svdvals", .parts = "return aten._linalg_svd(A, False, A.requires_grad, driver=driver)[1]" },
	{ .name = "svd", .parts =
		"u, s, v = aten._linalg_svd(self, not some, compute_uv)\n"
		"return u, s, aten.transpose.int(v, -2, -1)" },
	{ .name = "linalg_eigh", .parts = "return aten._linalg_eigh(self, UPLO, True)" },
	{ .name = "linalg_eigvalsh", .parts = "return aten._linalg_eigh(self, UPLO, self.requires_grad)[0]" },
	{ .name = "matrix_exp", .parts = "return aten.linalg_matrix_exp(self)" },
	{ .name = "linalg_matrix_power", .parts =
		"if n == 0:\n"
		"    raise ValueError('matrix_power: an exponent of 0 is not supported')\n"
		"x = aten.linalg_inv(self) if n < 0 else self\n"
		"m = abs(n)\n"
		"if m == 1:\n"
		"    return aten.clone(x) if n > 0 else x\n"
		"if m == 2:\n"
		"    return aten.matmul(x, x)\n"
		"if m == 3:\n"
		"    return aten.matmul(aten.matmul(x, x), x)\n"
		"z = None\n"
		"out = None\n"
		"while m > 0:\n"
		"    z = x if z is None else aten.matmul(z, z)\n"
		"    if m % 2 == 1:\n"
		"        out = z if out is None else aten.matmul(out, z)\n"
		"    m = m // 2\n"
		"return out" },
	{ .name = "matrix_power", .parts = "return aten.linalg_matrix_power(self, n)" },
	{ 0 },
};
