/*
 * Decompositions and solvers (aten/src/ATen/native/BatchLinearAlgebra.cpp).  LAPACK's results are stored column by
 * column: the strides of a matrix with m rows are [1, m].
 */
#include <string.h>

#include "ops/flops.h"
#include "ops/op.h"

enum { ROWS = -2, COLUMNS = -1 };

static int64_t extent(const struct value *v, int dim)
{
	return v->size[v->ndim + dim];
}

static int64_t smaller(const struct value *v)
{
	return extent(v, ROWS) < extent(v, COLUMNS) ? extent(v, ROWS) : extent(v, COLUMNS);
}

static bool is_matrix(struct op_call *c, const struct value *v, bool square)
{
	if (v->ndim < 2)
		return op_fail(c, "%V has %d dimensions; expected at least 2", v, v->ndim);
	if (!dtype_can_require_grad(v->dtype))
		return op_fail(c, "is not defined for %s", dtype_name(v->dtype));
	if (square && extent(v, ROWS) != extent(v, COLUMNS))
		return op_fail(c, "%V must be a batch of square matrices", v);
	return true;
}

static enum dtype real_of(enum dtype d)
{
	return d == DT_COMPLEX64 ? DT_FLOAT32 : d == DT_COMPLEX128 ? DT_FLOAT64 : d;
}

/* Column by column in the last two dimensions, also where those are a batch and its vectors (linalg_solve). */
static bool out_by_column(struct op_call *c, enum dtype dtype, int ndim, const int64_t *size, bool by_column)
{
	int64_t stride[MAX_DIMS];
	if (!by_column || ndim < 2)
		return op_out(c, dtype, ndim, size) != NULL;
	contiguous_strides(ndim, size, stride);
	stride[ndim - 2] = 1;
	stride[ndim - 1] = size[ndim - 2] > 1 ? size[ndim - 2] : 1;
	return op_out_strided(c, dtype, ndim, size, stride) != NULL;
}

/* A batch like v's of matrices, or of vectors when columns is -1. */
static bool out_batch(struct op_call *c, const struct value *v, enum dtype dtype, int64_t rows, int64_t columns, bool by_column)
{
	int64_t size[MAX_DIMS];
	int n = v->ndim - 2;
	memcpy(size, v->size, (size_t)n * sizeof *size);
	size[n++] = rows;
	if (columns >= 0)
		size[n++] = columns;
	return out_by_column(c, dtype, n, size, by_column && columns >= 0);
}

static bool out_numbers(struct op_call *c, const struct value *v, enum dtype dtype)
{
	return op_out(c, dtype, v->ndim - 2, v->size) != NULL;
}

static bool out_empty(struct op_call *c, enum dtype dtype)
{
	int64_t none = 0;
	return op_out(c, dtype, 1, &none) != NULL;
}

static bool shape_inv(struct op_call *c)
{
	struct value *a = op_tensor(c, "A");
	return is_matrix(c, a, true) && out_batch(c, a, a->dtype, extent(a, ROWS), extent(a, ROWS), true) && out_numbers(c, a, DT_INT32);
}

static bool shape_cholesky(struct op_call *c)
{
	struct value *a = op_tensor(c, "self");
	return is_matrix(c, a, true) && out_batch(c, a, a->dtype, extent(a, ROWS), extent(a, ROWS), true);
}

static bool shape_cholesky_ex(struct op_call *c)
{
	return shape_cholesky(c) && out_numbers(c, op_tensor(c, "self"), DT_INT32);
}

/* The factors that the determinants are read from. */
static bool out_lu(struct op_call *c, const struct value *a)
{
	return out_batch(c, a, a->dtype, extent(a, ROWS), extent(a, COLUMNS), true) && out_batch(c, a, DT_INT32, smaller(a), -1, false);
}

static bool shape_det(struct op_call *c)
{
	struct value *a = op_tensor(c, "A");
	return is_matrix(c, a, true) && out_numbers(c, a, a->dtype) && out_lu(c, a);
}

static bool shape_slogdet(struct op_call *c)
{
	struct value *a = op_tensor(c, "A");
	return is_matrix(c, a, true) && out_numbers(c, a, a->dtype) && out_numbers(c, a, real_of(a->dtype)) && out_lu(c, a);
}

static bool shape_lu_factor(struct op_call *c)
{
	struct value *a = op_tensor(c, "A");
	return is_matrix(c, a, false) && out_lu(c, a) && out_numbers(c, a, DT_INT32);
}

/* B is a batch of vectors when it has A's sizes without the last, or one dimension. */
static bool shape_solve(struct op_call *c)
{
	struct value *a = op_tensor(c, "A"), *b = op_tensor(c, "B");
	if (!is_matrix(c, a, true))
		return false;
	bool vector = b->ndim == 1 || (b->ndim == a->ndim - 1 && memcmp(a->size, b->size, (size_t)b->ndim * sizeof *a->size) == 0);
	int64_t n = extent(a, ROWS), size[MAX_DIMS];
	bool left = op_bool(c, "left", true);
	if (b->ndim == 0 || extent(b, vector || !left ? COLUMNS : ROWS) != n)
		return op_fail(c, "%V and %V do not fit", a, b);
	if (a->dtype != b->dtype)
		return op_fail(c, "operands are %s and %s; they must be of one type", dtype_name(a->dtype), dtype_name(b->dtype));
	int ndim, rows = vector ? 1 : 2;
	if (!op_broadcast(c, a->ndim - 2, a->size, vector ? 0 : b->ndim - 2, b->size, &ndim, size))
		return op_fail(c, "the batches of %V and %V cannot be broadcast together", a, b);
	memcpy(size + ndim, b->size + b->ndim - rows, (size_t)rows * sizeof *size);
	return out_by_column(c, a->dtype, ndim + rows, size, left) && out_lu(c, a) && out_numbers(c, a, DT_INT32);
}

static bool shape_qr(struct op_call *c)
{
	struct value *a = op_tensor(c, "A");
	const char *mode = op_str(c, "mode");
	if (!is_matrix(c, a, false))
		return false;
	if (!mode || (strcmp(mode, "reduced") != 0 && strcmp(mode, "complete") != 0 && strcmp(mode, "r") != 0))
		return op_fail(c, "mode must be 'reduced', 'complete' or 'r', not '%s'", mode ? mode : "None");
	int64_t k = strcmp(mode, "complete") == 0 ? extent(a, ROWS) : smaller(a);
	bool q = strcmp(mode, "r") == 0 ? out_empty(c, a->dtype) : out_batch(c, a, a->dtype, extent(a, ROWS), k, true);
	return q && out_batch(c, a, a->dtype, k, extent(a, COLUMNS), true);
}

static bool shape_svd(struct op_call *c)
{
	struct value *a = op_tensor(c, "A");
	bool full = op_bool(c, "full_matrices", false), vectors = op_bool(c, "compute_uv", true);
	if (!is_matrix(c, a, false))
		return false;
	int64_t m = extent(a, ROWS), n = extent(a, COLUMNS), k = smaller(a);
	bool u = vectors ? out_batch(c, a, a->dtype, m, full ? m : k, true) : out_empty(c, a->dtype);
	return u && out_batch(c, a, real_of(a->dtype), k, -1, false) &&
	       (vectors ? out_batch(c, a, a->dtype, full ? n : k, n, true) : out_empty(c, a->dtype));
}

static bool shape_eigh(struct op_call *c)
{
	struct value *a = op_tensor(c, "A");
	int64_t n;
	if (!is_matrix(c, a, true))
		return false;
	n = extent(a, ROWS);
	return out_batch(c, a, real_of(a->dtype), n, -1, false) &&
	       (op_bool(c, "compute_v", true) ? out_batch(c, a, a->dtype, n, n, true) : out_empty(c, a->dtype));
}

static bool shape_eig(struct op_call *c)
{
	struct value *a = op_tensor(c, "self");
	if (!is_matrix(c, a, true))
		return false;
	enum dtype d = a->dtype == DT_FLOAT64 || a->dtype == DT_COMPLEX128 ? DT_COMPLEX128 : DT_COMPLEX64;
	return out_batch(c, a, d, extent(a, ROWS), -1, false) && out_batch(c, a, d, extent(a, ROWS), extent(a, ROWS), true);
}

static bool shape_pinv(struct op_call *c)
{
	struct value *a = op_tensor(c, "self");
	return is_matrix(c, a, false) && out_batch(c, a, a->dtype, extent(a, COLUMNS), extent(a, ROWS), false);
}

static bool shape_matrix_exp(struct op_call *c)
{
	struct value *a = op_tensor(c, "self");
	return is_matrix(c, a, true) && op_out(c, a->dtype, a->ndim, a->size);
}

static bool shape_solve_triangular(struct op_call *c)
{
	struct value *a = op_tensor(c, "self"), *b = op_tensor(c, "B");
	if (!is_matrix(c, a, true) || !is_matrix(c, b, false))
		return false;
	if (extent(a, ROWS) != extent(b, op_bool(c, "left", true) ? ROWS : COLUMNS))
		return op_fail(c, "%V and %V do not fit", a, b);
	return out_batch(c, a->ndim > b->ndim ? a : b, a->dtype, extent(b, ROWS), extent(b, COLUMNS), true);
}

/* P, L and U of a matrix, or of its factors; P, or L and U, may be left out. */
static bool out_plu(struct op_call *c, const struct value *a, bool with_p, bool with_factors)
{
	int64_t m = extent(a, ROWS), n = extent(a, COLUMNS), k = smaller(a);
	return (with_p ? out_batch(c, a, a->dtype, m, m, false) : out_empty(c, a->dtype)) &&
	       (with_factors ? out_batch(c, a, a->dtype, m, k, false) : out_empty(c, a->dtype)) &&
	       (with_factors ? out_batch(c, a, a->dtype, k, n, false) : out_empty(c, a->dtype));
}

static bool shape_lu(struct op_call *c)
{
	struct value *a = op_tensor(c, "A");
	return is_matrix(c, a, false) && out_plu(c, a, op_bool(c, "pivot", true), true);
}

static bool shape_lu_unpack(struct op_call *c)
{
	struct value *a = op_tensor(c, "LU_data");
	return is_matrix(c, a, false) && out_plu(c, a, op_bool(c, "unpack_pivots", true), op_bool(c, "unpack_data", true));
}

/* The right side, in as many batches as both have. */
static bool out_solution(struct op_call *c, const struct value *a, const struct value *b, bool by_column)
{
	int64_t size[MAX_DIMS];
	int n;
	if (!is_matrix(c, a, true) || !is_matrix(c, b, false))
		return false;
	if (!op_broadcast(c, a->ndim - 2, a->size, b->ndim - 2, b->size, &n, size))
		return op_fail(c, "the batches of %V and %V cannot be broadcast together", a, b);
	memcpy(size + n, b->size + b->ndim - 2, 2 * sizeof *size);
	return out_by_column(c, b->dtype, n + 2, size, by_column);
}

static bool shape_lu_solve(struct op_call *c)
{
	return out_solution(c, op_tensor(c, "LU"), op_tensor(c, "B"), op_bool(c, "left", true));
}

static bool shape_cholesky_solve(struct op_call *c)
{
	return out_solution(c, op_tensor(c, "input2"), op_tensor(c, "self"), true);
}

static bool shape_geqrf(struct op_call *c)
{
	struct value *a = op_tensor(c, "self");
	return is_matrix(c, a, false) && out_batch(c, a, a->dtype, extent(a, ROWS), extent(a, COLUMNS), true) && out_batch(c, a, a->dtype, smaller(a), -1, false);
}

static bool shape_ormqr(struct op_call *c)
{
	struct value *a = op_tensor(c, "self"), *tau = op_tensor(c, "input2"), *other = op_tensor(c, "input3");
	if (!is_matrix(c, a, false) || !is_matrix(c, other, false))
		return false;
	if (extent(other, op_bool(c, "left", true) ? ROWS : COLUMNS) != extent(a, ROWS) || other->ndim != a->ndim || tau->ndim != a->ndim - 1)
		return op_fail(c, "%V, %V and %V do not fit", a, tau, other);
	return out_batch(c, other, other->dtype, extent(other, ROWS), extent(other, COLUMNS), true);
}

static bool shape_ldl_factor(struct op_call *c)
{
	struct value *a = op_tensor(c, "self");
	return is_matrix(c, a, true) && out_batch(c, a, a->dtype, extent(a, ROWS), extent(a, ROWS), true) && out_batch(c, a, DT_INT32, extent(a, ROWS), -1, false) &&
	       out_numbers(c, a, DT_INT32);
}

static bool shape_ldl_solve(struct op_call *c)
{
	return out_solution(c, op_tensor(c, "LD"), op_tensor(c, "B"), true);
}

static bool shape_eigvals(struct op_call *c)
{
	struct value *a = op_tensor(c, "self");
	enum dtype d = a->dtype == DT_FLOAT64 || a->dtype == DT_COMPLEX128 ? DT_COMPLEX128 : DT_COMPLEX64;
	return is_matrix(c, a, true) && out_batch(c, a, d, extent(a, ROWS), -1, false);
}

static bool shape_nothing(struct op_call *c)
{
	(void)c;
	return true;
}

/* ---- Composites ---- */

static const char matrix_power_parts[] =
	"if self.dim() < 2 or self.size(-1) != self.size(-2):\n"
	"    raise ValueError(f'matrix_power: {list(self.shape)} must be a batch of square matrices')\n"
	"if n == 0:\n"
	"    return aten.copy_(aten.clone(self), aten.eye(self.size(-1), dtype=self.dtype))\n"
	"if n == 1:\n"
	"    return aten.clone(self)\n"
	"x = aten.linalg_inv(self) if n < 0 else self\n"
	"n = abs(n)\n"
	"if n == 3:\n"
	"    return aten.matmul(aten.matmul(x, x), x)\n"
	"z = None\n"
	"out = None\n"
	"while n > 0:\n"
	"    z = x if z is None else aten.matmul(z, z)\n"
	"    if n % 2 == 1:\n"
	"        out = z if out is None else aten.matmul(out, z)\n"
	"    n = n // 2\n"
	"return out\n";

static const char inv_parts[] =
	"out, info = aten.linalg_inv_ex(A)\n"
	"aten._linalg_check_errors(info, 'linalg.inv', is_matrix=A.dim() == 2)\n"
	"return out\n";

static const char solve_parts[] =
	"out, lu, pivots, info = aten._linalg_solve_ex(A, B, left=left)\n"
	"aten._linalg_check_errors(info, 'torch.linalg.solve', is_matrix=A.dim() == 2)\n"
	"return out\n";

/* B's dimensions against A's first ones, as one system of equations. */
static const char tensorsolve_parts[] =
	"a = self\n"
	"if dims is not None:\n"
	"    d = [i % self.dim() for i in dims]\n"
	"    a = aten.permute(self, [i for i in range(self.dim()) if i not in d] + d)\n"
	"shape = list(a.shape)[other.dim():]\n"
	"n = 1\n"
	"for s in shape:\n"
	"    n = n * s\n"
	"a = aten.reshape(a, [n, n])\n"
	"x = aten.linalg_solve(a, aten.flatten(other))\n"
	"return aten.reshape(x, shape)\n";

static const char tensorinv_parts[] =
	"shape = list(self.shape)\n"
	"n, m = 1, 1\n"
	"for s in shape[ind:]:\n"
	"    n = n * s\n"
	"for s in shape[:ind]:\n"
	"    m = m * s\n"
	"if n != m or ind <= 0:\n"
	"    raise ValueError('linalg.tensorinv: the dimensions before and from ind must have the same product')\n"
	"return aten.reshape(aten.linalg_inv(aten.reshape(self, [n, n])), shape[ind:] + shape[:ind])\n";

/* Singular values beyond atol, or rtol times the largest one; only matrices that are not empty have any. */
#define RANK(tolerance) \
	"if self.numel() == 0:\n" \
	"    return aten.zeros(list(self.shape)[:-2], dtype=torch.int64)\n" \
	"eps = 2.220446049250313e-16 if self.dtype == torch.float64 else 1.1920928955078125e-07\n" \
	"usual = eps * max(self.size(-1), self.size(-2))\n" \
	"if hermitian:\n" \
	"    s = aten.abs(aten.linalg_eigvalsh(self))\n" \
	"    most = aten.amax(s, [-1], True)\n" \
	"else:\n" \
	"    s = aten.linalg_svdvals(self)\n" \
	"    most = aten.narrow(s, -1, 0, 1)\n" \
	tolerance \
	"return aten.sum.dim_IntList(aten.gt.Tensor(s, least), [-1])\n"
#define RANK_OF_NUMBERS RANK( \
	"r = rtol if rtol is not None else (0.0 if atol is not None and atol > 0 else usual)\n" \
	"least = aten.clamp_min(aten.mul.Scalar(most, r), 0.0 if atol is None else atol)\n")
#define RANK_OF_TENSORS RANK( \
	"a = aten.zeros([], dtype=s.dtype) if atol is None else atol\n" \
	"r = rtol\n" \
	"if r is None:\n" \
	"    r = aten.full([], usual, dtype=s.dtype)\n" \
	"    if atol is not None:\n" \
	"        r = aten.where.self(aten.gt.Scalar(atol, 0), aten.zeros([], dtype=s.dtype), r)\n" \
	"least = aten.maximum(aten.unsqueeze(a, -1), aten.mul.Tensor(aten.unsqueeze(r, -1), most))\n")

/* Powers of x, from ones. */
static const char vander_parts[] =
	"x = aten.unsqueeze(x, -1) if x.dim() == 0 else x\n"
	"y = x if x.is_floating_point() or x.is_complex() else aten.to.dtype(x, torch.int64)\n"
	"n = x.size(-1) if N is None else N\n"
	"if n <= 1:\n"
	"    raise ValueError('N must be greater than 1.')\n"
	"powers = aten.cumprod(aten.expand(aten.unsqueeze(y, -1), list(y.shape) + [n - 1]), -1)\n"
	"return aten.cat([aten.new_ones(powers, list(y.shape) + [1]), powers], -1)\n";

static const char cond_parts[] =
	"if p is None or abs(p) == 2:\n"
	"    s = aten.linalg_svdvals(self)\n"
	"    large, small = aten.narrow(s, -1, 0, 1), aten.narrow(s, -1, -1, 1)\n"
	"    out = aten.div.Tensor(small, large) if p == -2 else aten.div.Tensor(large, small)\n"
	"    return aten.squeeze.dim(out, -1)\n"
	"inverse, info = aten.linalg_inv_ex(self)\n"
	"info = aten.unsqueeze_(aten.unsqueeze_(info, -1), -1)\n"
	"inverse = aten.masked_fill_.Scalar(inverse, aten.gt.Scalar(info, 0), math.inf)\n"
	"n = aten.linalg_matrix_norm(self, p)\n"
	"return aten.nan_to_num_(aten.mul.Tensor(n, aten.linalg_matrix_norm(inverse, p)), math.inf, math.inf, -math.inf)\n";

static const char cholesky_parts[] =
	"out, info = aten.linalg_cholesky_ex(self, upper=upper)\n"
	"aten._linalg_check_errors(info, 'linalg.cholesky', is_matrix=self.dim() == 2)\n"
	"return out\n";

static const char logdet_parts[] =
	"sign, out, lu, pivots = aten._linalg_slogdet(self)\n"
	"return aten.where.ScalarSelf(aten.eq.Scalar(sign, -1.0), math.nan, out)\n";

static const char svd_parts[] =
	"if not compute_uv:\n"
	"    raise ValueError('svd: compute_uv=False is not supported; use linalg.svdvals')\n"
	"u, s, vh = aten._linalg_svd(self, not some)\n"
	"return u, s, aten.mH(vh) if self.is_complex() else aten.transpose.int(vh, -2, -1)\n";

const struct op_rule linalg_rules[] = {
	{ .name = "linalg_inv_ex", .shape = shape_inv },
	{ .name = "linalg_inv", .parts = inv_parts },
	{ .name = "inverse", .parts = "return aten.linalg_inv(self)" },
	{ .name = "linalg_cholesky_ex", .shape = shape_cholesky_ex },
	{ .name = "linalg_cholesky", .parts = cholesky_parts },
	{ .name = "cholesky", .shape = shape_cholesky },
	{ .name = "cholesky_inverse", .shape = shape_cholesky },
	{ .name = "_linalg_det", .shape = shape_det },
	{ .name = "linalg_det", .parts = "return aten._linalg_det(A)[0]" },
	{ .name = "det", .parts = "return aten.linalg_det(self)" },
	{ .name = "_linalg_slogdet", .shape = shape_slogdet },
	{ .name = "linalg_slogdet", .parts = "sign, out, lu, pivots = aten._linalg_slogdet(A)\nreturn sign, out" },
	{ .name = "slogdet", .parts = "return aten.linalg_slogdet(self)" },
	{ .name = "logdet", .parts = logdet_parts },
	{ .name = "linalg_lu_factor_ex", .shape = shape_lu_factor },
	{ .name = "linalg_lu_factor", .parts = "lu, pivots, info = aten.linalg_lu_factor_ex(A, pivot=pivot)\n"
	  "aten._linalg_check_errors(info, 'torch.linalg.lu_factor', is_matrix=A.dim() == 2)\nreturn lu, pivots" },
	{ .name = "_lu_with_info", .parts = "return aten.linalg_lu_factor_ex(self, pivot=pivot, check_errors=check_errors)" },
	{ .name = "linalg_lu", .shape = shape_lu },
	{ .name = "lu_unpack", .shape = shape_lu_unpack },
	{ .name = "linalg_lu_solve", .shape = shape_lu_solve },
	{ .name = "lu_solve", .parts = "return aten.linalg_lu_solve(LU_data, LU_pivots, self)" },
	{ .name = "cholesky_solve", .shape = shape_cholesky_solve },
	{ .name = "linalg_solve_ex", .parts = "out, lu, pivots, info = aten._linalg_solve_ex(A, B, left=left, check_errors=check_errors)\nreturn out, info" },
	{ .name = "linalg_tensorsolve", .parts = tensorsolve_parts },
	{ .name = "linalg_tensorinv", .parts = tensorinv_parts },
	{ .name = "linalg_vander", .parts = vander_parts },
	{ .name = "linalg_cond", .parts = cond_parts },
	{ .name = "linalg_matrix_rank.atol_rtol_float", .parts = RANK_OF_NUMBERS },
	{ .name = "linalg_matrix_rank.atol_rtol_tensor", .parts = "self = input\n" RANK_OF_TENSORS },
	{ .name = "pinverse", .parts = "return aten.linalg_pinv.atol_rtol_float(self, atol=0.0, rtol=rcond)" },
	{ .name = "_linalg_solve_ex", .shape = shape_solve },
	{ .name = "linalg_solve", .parts = solve_parts },
	{ .name = "linalg_solve_triangular", .shape = shape_solve_triangular },
	{ .name = "linalg_qr", .shape = shape_qr },
	{ .name = "qr", .parts = "return aten.linalg_qr(self, 'reduced' if some else 'complete')" },
	{ .name = "_linalg_svd", .shape = shape_svd },
	{ .name = "linalg_svd", .parts = "return aten._linalg_svd(A, full_matrices, driver=driver)" },
	{ .name = "linalg_svdvals", .parts = "return aten._linalg_svd(A, False, A.requires_grad, driver=driver)[1]" },
	{ .name = "svd", .parts = svd_parts },
	{ .name = "_linalg_eigh", .shape = shape_eigh },
	{ .name = "linalg_eigh", .parts = "return aten._linalg_eigh(self, UPLO, True)" },
	{ .name = "linalg_eigvalsh", .parts = "return aten._linalg_eigh(self, UPLO, self.requires_grad)[0]" },
	{ .name = "linalg_eig", .shape = shape_eig },
	{ .name = "_linalg_eigvals", .shape = shape_eigvals },
	{ .name = "linalg_eigvals", .parts = "return aten.linalg_eig(self)[0] if self.requires_grad else aten._linalg_eigvals(self)" },
	{ .name = "geqrf", .shape = shape_geqrf },
	{ .name = "ormqr", .shape = shape_ormqr },
	{ .name = "linalg_ldl_factor_ex", .shape = shape_ldl_factor },
	{ .name = "linalg_ldl_factor", .parts = "ld, pivots, info = aten.linalg_ldl_factor_ex(self, hermitian=hermitian)\n"
	  "aten._linalg_check_errors(info, 'torch.linalg.ldl_factor', is_matrix=self.dim() == 2)\nreturn ld, pivots" },
	{ .name = "linalg_ldl_solve", .shape = shape_ldl_solve },
	{ .name = "linalg_pinv.atol_rtol_tensor", .shape = shape_pinv },
	{ .name = "linalg_pinv.atol_rtol_float",
	  .parts = "a = None if atol is None else aten.full([], atol, dtype=torch.float64)\n"
	           "r = None if rtol is None else aten.full([], rtol, dtype=torch.float64)\n"
	           "return aten.linalg_pinv.atol_rtol_tensor(self, atol=a, rtol=r, hermitian=hermitian)" },
	{ .name = "linalg_matrix_exp", .shape = shape_matrix_exp },
	{ .name = "matrix_exp", .parts = "return aten.linalg_matrix_exp(self)" },
	{ .name = "linalg_matrix_power", .flops = flops_uncounted, .parts = matrix_power_parts },
	{ .name = "matrix_power", .flops = flops_uncounted, .parts = matrix_power_parts },
	{ .name = "_linalg_check_errors", .shape = shape_nothing },
	{ 0 },
};
