/*
 * Reductions and scans (aten/src/ATen/native/{ReduceOps,ReduceAllOps,
 * TensorCompare,LinearAlgebra,SummaryOps}.cpp).  A reduced result is always
 * contiguous, however its input was laid out.
 */
#include <string.h>

#include "ops/op.h"
#include "ops/shapes.h"

/* ---- Over some dimensions ---- */

static struct value *reduce_to(struct op_call *c, enum dtype dtype, bool empty_is_all)
{
	struct value *self = first_tensor(c);
	bool marked[MAX_DIMS];
	if (!self || !dims_marked(c, "dim", self->ndim, empty_is_all, marked))
		return NULL;
	return out_reduced(c, self, dtype, marked, op_bool(c, "keepdim", false));
}

/* sum, prod, nansum: integers are summed in int64. */
static bool shape_sum(struct op_call *c)
{
	struct value *self = first_tensor(c);
	return self && reduce_to(c, op_dtype(c, "dtype", as_sum(self->dtype)), true);
}

static bool shape_mean(struct op_call *c)
{
	struct value *self = op_tensor(c, "self");
	enum dtype d = op_dtype(c, "dtype", self->dtype);
	if (!dtype_can_require_grad(d))
		return op_fail(c, "expected a floating-point or complex tensor, got %s", dtype_name(d));
	return reduce_to(c, d, true) != NULL;
}

static enum dtype real_type(enum dtype d)
{
	return d == DT_COMPLEX64 ? DT_FLOAT32 : d == DT_COMPLEX128 ? DT_FLOAT64 : d;
}

/* std and var are real, also of complex numbers. */
static bool shape_var(struct op_call *c)
{
	struct value *self = op_tensor(c, "self");
	if (!dtype_can_require_grad(self->dtype))
		return op_fail(c, "expected a floating-point or complex tensor, got %s", dtype_name(self->dtype));
	return reduce_to(c, real_type(self->dtype), true) != NULL;
}

static bool shape_var_mean(struct op_call *c)
{
	return shape_var(c) && reduce_to(c, op_tensor(c, "self")->dtype, true);
}

static bool shape_norm(struct op_call *c)
{
	struct value *self = op_tensor(c, "self");
	enum dtype d = op_dtype(c, "dtype", self->dtype);
	if (!dtype_can_require_grad(self->dtype))
		return op_fail(c, "expected a floating-point or complex tensor, got %s", dtype_name(self->dtype));
	return reduce_to(c, real_type(d), true) != NULL;
}

static bool shape_logsumexp(struct op_call *c)
{
	return reduce_to(c, as_float(op_tensor(c, "self")->dtype), true) != NULL;
}

/* Truth values, but uint8 stays uint8. */
static bool shape_all(struct op_call *c)
{
	struct value *self = op_tensor(c, "self");
	return reduce_to(c, self->dtype == DT_UINT8 ? DT_UINT8 : DT_BOOL, false) != NULL;
}

static bool shape_count_nonzero(struct op_call *c)
{
	return reduce_to(c, DT_INT64, true) != NULL;
}

/* ---- Extremes ---- */

/* A dimension of no elements has no largest one; nothing is known when dim is None and there are none. */
static bool has_elements(struct op_call *c, const struct value *self)
{
	int d, n;
	const int64_t *dims = op_ints(c, "dim", &n);
	for (int i = 0; i < n; i++) {
		if (!op_dim(c, dims[i], self->ndim, &d))
			return false;
		if (self->ndim > 0 && self->size[d] == 0)
			return op_fail(c, "expected reduction dim %d of %V to have non-zero size", d, self);
	}
	if (n <= 0 && value_numel(self) == 0)
		return op_fail(c, "input %V has no elements; specify the dimension with the 'dim' argument", self);
	return true;
}

static bool shape_extreme(struct op_call *c)
{
	struct value *self = op_tensor(c, "self");
	return has_elements(c, self) && reduce_to(c, self->dtype, true);
}

static bool shape_aminmax(struct op_call *c)
{
	return shape_extreme(c) && shape_extreme(c);
}

static bool shape_arg_extreme(struct op_call *c)
{
	return has_elements(c, op_tensor(c, "self")) && reduce_to(c, DT_INT64, true);
}

/* Values and where they were. */
static bool shape_extreme_at(struct op_call *c)
{
	return shape_extreme(c) && reduce_to(c, DT_INT64, true);
}

static bool shape_kthvalue(struct op_call *c)
{
	struct value *self = op_tensor(c, "self");
	int64_t k = op_int(c, "k", 1);
	int d;
	if (!op_dim(c, op_int(c, "dim", -1), self->ndim, &d))
		return false;
	int64_t size = self->ndim ? self->size[d] : 1;
	if (k < 1 || k > size)
		return op_fail(c, "selected number k = %lld out of range for dimension %d of %V", (long long)k, d, self);
	return shape_extreme_at(c);
}

/* ---- Scans: the shape stays, the result is contiguous ---- */

static bool valid_dim(struct op_call *c, const struct value *self)
{
	int d;
	return op_dim(c, op_int(c, "dim", 0), self->ndim, &d);
}

static bool shape_cumsum(struct op_call *c)
{
	struct value *self = op_tensor(c, "self");
	return valid_dim(c, self) && op_out(c, op_dtype(c, "dtype", as_sum(self->dtype)), self->ndim, self->size);
}

static bool shape_logcumsumexp(struct op_call *c)
{
	struct value *self = op_tensor(c, "self");
	return valid_dim(c, self) && op_out(c, self->dtype, self->ndim, self->size);
}

static bool shape_cummax(struct op_call *c)
{
	struct value *self = op_tensor(c, "self");
	return shape_logcumsumexp(c) && op_out(c, DT_INT64, self->ndim, self->size);
}

static bool shape_scan_inplace(struct op_call *c)
{
	return valid_dim(c, op_tensor(c, "self")) && shape_inplace(c);
}

/* ---- Others ---- */

static bool shape_dist(struct op_call *c)
{
	struct value *in[2] = { op_tensor(c, "self"), op_tensor(c, "other") };
	int n;
	int64_t size[MAX_DIMS];
	return op_broadcast(c, in[0]->ndim, in[0]->size, in[1]->ndim, in[1]->size, &n, size) &&
		op_out(c, real_type(op_result_type(c, in, 2)), 0, NULL);
}

static bool shape_trace(struct op_call *c)
{
	struct value *self = op_tensor(c, "self");
	if (self->ndim != 2)
		return op_fail(c, "expected a matrix, got %V", self);
	return op_out(c, as_sum(self->dtype), 0, NULL) != NULL;
}

static bool shape_hash_tensor(struct op_call *c)
{
	return reduce_to(c, DT_UINT64, true) != NULL;
}

/* The last dimension of lengths or offsets lies where data is reduced. */
static bool shape_segment_reduce(struct op_call *c)
{
	const struct value *data = op_tensor(c, "data"), *lengths = op_tensor(c, "lengths"), *marks = lengths ? lengths : op_tensor(c, "offsets");
	int64_t size[MAX_DIMS];
	int axis = marks ? marks->ndim - 1 : -1;
	if (axis < 0 || axis >= data->ndim || memcmp(marks->size, data->size, (size_t)axis * sizeof *size) != 0 || (!lengths && marks->size[axis] < 1))
		return marks ? op_fail(c, "segments %V do not fit data %V", marks, data) : op_fail(c, "either lengths or offsets must be given");
	memcpy(size, data->size, (size_t)data->ndim * sizeof *size);
	size[axis] = marks->size[axis] - (lengths ? 0 : 1);
	return op_out(c, data->dtype, data->ndim, size) != NULL;
}

/* As many counts as the largest value says, unless there are no values. */
static bool shape_bincount(struct op_call *c)
{
	struct value *self = op_tensor(c, "self"), *weights = op_tensor(c, "weights");
	int64_t least = op_int(c, "minlength", 0);
	if (self->ndim != 1)
		return op_fail(c, "expected a vector, got %V", self);
	enum dtype d = !weights ? DT_INT64 : weights->dtype == DT_FLOAT32 ? DT_FLOAT32 : DT_FLOAT64;
	return self->size[0] == 0 ? op_out(c, d, 1, &least) != NULL : out_unknown(c, d) != NULL;
}

static bool shape_renorm(struct op_call *c)
{
	struct value *self = op_tensor(c, "self");
	if (self->ndim < 2)
		return op_fail(c, "expected a tensor of 2 or more dimensions, got %V", self);
	return valid_dim(c, self) && op_out(c, self->dtype, self->ndim, self->size);
}

/* ---- Rows ---- */

#define RANKS_BELOW_AND_ABOVE \
	"if interpolation == 'lower':\n" \
	"    ranks = aten.floor_(ranks)\n" \
	"elif interpolation == 'higher':\n" \
	"    ranks = aten.ceil_(ranks)\n" \
	"elif interpolation == 'nearest':\n" \
	"    ranks = aten.round_(ranks)\n" \
	"below = aten.to.dtype(ranks, torch.int64)\n" \
	"values = aten.gather(s, -1, below)\n" \
	"if interpolation == 'linear' or interpolation == 'midpoint':\n" \
	"    weights = aten.full_like(ranks, 0.5) if interpolation == 'midpoint' else aten.sub.Tensor(ranks, below)\n" \
	"    above = aten.to.dtype(aten.ceil_(ranks), torch.int64)\n" \
	"    values = aten.lerp_.Tensor(values, aten.gather(s, -1, above), weights)\n" \
	"if q.dim() == 0:\n" \
	"    return aten.squeeze_.dim(values, -1)\n" \
	"return aten.squeeze_.dim(aten.transpose_(aten.unsqueeze_(values, 0), 0, -1), -1)"

/* The dimension to reduce sorted and last, all others as they are kept (quantile_compute in Sorting.cpp). */
#define SORTED_LAST \
	"kept = []\n" \
	"d = 0\n" \
	"if dim is not None and self.dim() > 0:\n" \
	"    d = dim % self.dim()\n" \
	"    for i in range(self.dim()):\n" \
	"        if i != d:\n" \
	"            kept.append(self.size(i))\n" \
	"        elif keepdim:\n" \
	"            kept.append(1)\n" \
	"elif keepdim:\n" \
	"    kept = [1] * self.dim()\n" \
	"if dim is None:\n" \
	"    s = aten.sort(aten.flatten(self))[0]\n" \
	"elif self.dim() > 0 and d == self.dim() - 1:\n" \
	"    s = aten.sort(self)[0]\n" \
	"else:\n" \
	"    s = aten.sort(aten.transpose(aten.unsqueeze(self, -1), d, -1))[0]\n" \
	"s = aten.view(s, kept + [s.size(-1)])\n"


const struct op_rule reduce_rules[] = {
	{ .name = "sum", .shape = shape_sum },
	{ .name = "sum.dim_IntList", .shape = shape_sum },
	{ .name = "nansum", .shape = shape_sum },
	{ .name = "prod", .shape = shape_sum },
	{ .name = "prod.dim_int", .shape = shape_sum },
	{ .name = "mean", .shape = shape_mean },
	{ .name = "mean.dim", .shape = shape_mean },
	{ .name = "std.correction", .shape = shape_var },
	{ .name = "var.correction", .shape = shape_var },
	{ .name = "std_mean.correction", .shape = shape_var_mean },
	{ .name = "var_mean.correction", .shape = shape_var_mean },
	{ .name = "linalg_vector_norm", .shape = shape_norm },
	{ .name = "norm.Scalar", .shape = shape_norm },
	{ .name = "norm.ScalarOpt_dtype", .shape = shape_norm },
	{ .name = "norm.ScalarOpt_dim", .shape = shape_norm },
	{ .name = "norm.ScalarOpt_dim_dtype", .shape = shape_norm },
	{ .name = "logsumexp", .shape = shape_logsumexp },
	{ .name = "all", .shape = shape_all },
	{ .name = "all.dim", .shape = shape_all },
	{ .name = "all.dims", .shape = shape_all },
	{ .name = "any", .shape = shape_all },
	{ .name = "any.dim", .shape = shape_all },
	{ .name = "any.dims", .shape = shape_all },
	{ .name = "count_nonzero", .shape = shape_count_nonzero },
	{ .name = "count_nonzero.dim_IntList", .shape = shape_count_nonzero },

	{ .name = "amax", .shape = shape_extreme },
	{ .name = "amin", .shape = shape_extreme },
	{ .name = "aminmax", .shape = shape_aminmax },
	{ .name = "max", .shape = shape_extreme },
	{ .name = "min", .shape = shape_extreme },
	{ .name = "max.dim", .shape = shape_extreme_at },
	{ .name = "min.dim", .shape = shape_extreme_at },
	{ .name = "argmax", .shape = shape_arg_extreme },
	{ .name = "argmin", .shape = shape_arg_extreme },
	{ .name = "median", .shape = shape_extreme },
	{ .name = "nanmedian", .shape = shape_extreme },
	{ .name = "median.dim", .shape = shape_extreme_at },
	{ .name = "nanmedian.dim", .shape = shape_extreme_at },
	{ .name = "mode", .shape = shape_extreme_at },
	{ .name = "kthvalue", .shape = shape_kthvalue },

	{ .name = "cumsum", .shape = shape_cumsum },
	{ .name = "cumsum_", .shape = shape_scan_inplace },
	{ .name = "cumprod", .shape = shape_cumsum },
	{ .name = "cumprod_", .shape = shape_scan_inplace },
	{ .name = "logcumsumexp", .shape = shape_logcumsumexp },
	{ .name = "cummax", .shape = shape_cummax },
	{ .name = "cummin", .shape = shape_cummax },

	{ .name = "dist", .shape = shape_dist },
	{ .name = "trace", .shape = shape_trace },
	{ .name = "hash_tensor", .shape = shape_hash_tensor },
	{ .name = "segment_reduce", .shape = shape_segment_reduce },
	{ .name = "bincount", .shape = shape_bincount },
	{ .name = "renorm", .shape = shape_renorm },
	{ .name = "renorm_", .shape = shape_inplace },

	/* composites */
	{ .name = "std", .parts = "return aten.std.correction(self, None, correction=1 if unbiased else 0)" },
	{ .name = "var", .parts = "return aten.var.correction(self, None, correction=1 if unbiased else 0)" },
	{ .name = "std.dim", .parts = "return aten.std.correction(self, dim, correction=1 if unbiased else 0, keepdim=keepdim)" },
	{ .name = "var.dim", .parts = "return aten.var.correction(self, dim, correction=1 if unbiased else 0, keepdim=keepdim)" },
	{ .name = "std_mean", .parts = "return aten.std_mean.correction(self, None, correction=1 if unbiased else 0)" },
	{ .name = "var_mean", .parts = "return aten.var_mean.correction(self, None, correction=1 if unbiased else 0)" },
	{ .name = "std_mean.dim", .parts = "return aten.std_mean.correction(self, dim, correction=1 if unbiased else 0, keepdim=keepdim)" },
	{ .name = "var_mean.dim", .parts = "return aten.var_mean.correction(self, dim, correction=1 if unbiased else 0, keepdim=keepdim)" },
	{ .name = "nanmean", .parts =
		"x = aten.detach(self)\n"
		"count = aten.sum.dim_IntList(aten.logical_not_(aten.ne.Tensor(x, x)), dim, keepdim)\n"
		"return aten.div.Tensor(aten.nansum(self, dim, keepdim, dtype=dtype), count)" },
	{ .name = "special_logsumexp", .parts = "return aten.logsumexp(self, dim, keepdim)" },
	{ .name = "frobenius_norm.dim", .parts =
		"if len(dim) > 2:\n"
		"    raise ValueError('expected at most 2 dimensions')\n"
		"return aten.norm.ScalarOpt_dim(self, 2, dim, keepdim)" },
	{ .name = "linalg_norm", .parts =
		"if ord is not None and (len(dim) == 2 if dim is not None else self.dim() == 2):\n"
		"    return aten.linalg_matrix_norm(self, ord, dim if dim is not None else [0, 1], keepdim, dtype=dtype)\n"
		"return aten.linalg_vector_norm(self, 2.0 if ord is None else ord, dim, keepdim, dtype=dtype)" },
	{ .name = "linalg_norm.ord_str", .parts =
		"return aten.linalg_matrix_norm.str_ord(self, ord, dim if dim is not None else [0, 1], keepdim, dtype=dtype)" },
	{ .name = "linalg_matrix_norm.str_ord", .parts =
		"a, b = dim[0] % self.dim(), dim[1] % self.dim()\n"
		"if ord == 'fro':\n"
		"    return aten.linalg_vector_norm(self, 2, [a, b], keepdim, dtype=dtype)\n"
		"x = self if dtype is None else aten.to.dtype(self, dtype)\n"
		"order = [i for i in range(x.dim()) if i != a and i != b] + [a, b]\n"
		"s = aten.sum.dim_IntList(aten.linalg_svdvals(aten.permute(x, order)), [-1], keepdim)\n"
		"if keepdim:\n"
		"    s = aten.permute(aten.unsqueeze(s, -1), [order.index(i) for i in range(x.dim())])\n"
		"return s" },
	{ .name = "linalg_matrix_norm", .parts =
		"a, b = dim[0] % self.dim(), dim[1] % self.dim()\n"
		"if abs(ord) == 2:\n"
		"    x = self if dtype is None else aten.to.dtype(self, dtype)\n"
		"    order = [i for i in range(x.dim()) if i != a and i != b] + [a, b]\n"
		"    s = aten.linalg_svdvals(aten.permute(x, order))\n"
		"    s = aten.amax(s, [-1], keepdim) if ord > 0 else aten.amin(s, [-1], keepdim)\n"
		"    if keepdim:\n"
		"        s = aten.permute(aten.unsqueeze(s, -1), [order.index(i) for i in range(x.dim())])\n"
		"    return s\n"
		"if abs(ord) == math.inf:\n"
		"    a, b = b, a\n"
		"if not keepdim and a < b:\n"
		"    b = b - 1\n"
		"s = aten.linalg_vector_norm(self, 1.0, [a], keepdim, dtype=dtype)\n"
		"return aten.amax(s, [b], keepdim) if ord > 0 else aten.amin(s, [b], keepdim)" },
	{ .name = "nuclear_norm", .parts = "return aten.linalg_matrix_norm.str_ord(self, 'nuc', [0, 1], keepdim)" },
	{ .name = "nuclear_norm.dim", .parts = "return aten.linalg_matrix_norm.str_ord(self, 'nuc', dim, keepdim)" },
	{ .name = "norm_except_dim", .parts =
		"if dim == -1:\n"
		"    return aten.norm.Scalar(v, pow)\n"
		"n = v.dim()\n"
		"if dim == 0:\n"
		"    x = aten.norm.ScalarOpt_dim(aten.view(aten.contiguous(v), [v.size(0), -1]), pow, [1])\n"
		"    return aten.view(x, [v.size(0)] + [1] * (n - 1))\n"
		"if dim == n - 1:\n"
		"    x = aten.norm.ScalarOpt_dim(aten.view(aten.contiguous(v), [-1, v.size(n - 1)]), pow, [0])\n"
		"    return aten.view(x, [1] * (n - 1) + [v.size(n - 1)])\n"
		"return aten.transpose(aten.norm_except_dim(aten.transpose(v, 0, dim), pow, 0), 0, dim)" },
	{ .name = "quantile", .parts = SORTED_LAST
		"last = s.size(-1) - 1\n"
		"r, m = aten.broadcast_tensors([aten.mul.Scalar(q, last), aten.any.dim(aten.isnan(s), -1, True)])\n"
		"ranks = aten.masked_fill.Scalar(r, m, last)\n"
		RANKS_BELOW_AND_ABOVE },
	{ .name = "quantile.scalar", .parts =
		"return aten.quantile(self, aten.scalar_tensor(q, dtype=self.dtype), dim, keepdim, interpolation=interpolation)" },
	{ .name = "nanquantile", .parts = SORTED_LAST
		"count = aten.sum.dim_IntList(aten.logical_not_(aten.isnan(s)), [-1], True)\n"
		"ranks = aten.mul.Tensor(q, aten.sub.Scalar(count, 1))\n"
		"ranks = aten.masked_fill_.Scalar(ranks, aten.lt.Scalar(ranks, 0), 0)\n"
		RANKS_BELOW_AND_ABOVE },
	{ .name = "nanquantile.scalar", .parts =
		"return aten.nanquantile(self, aten.scalar_tensor(q, dtype=self.dtype), dim, keepdim, interpolation=interpolation)" },
	{ .name = "diff", .parts =
		"x = self\n"
		"if n == 0:\n"
		"    return aten.copy_(aten.zeros_like(self), self)\n"
		"if prepend is not None or append is not None:\n"
		"    x = aten.cat([t for t in (prepend, self, append) if t is not None], dim)\n"
		"for i in range(min(n, x.size(dim))):\n"
		"    m = x.size(dim)\n"
		"    after = aten.slice(x, dim, 1, m)\n"
		"    before = aten.slice(x, dim, 0, m - 1)\n"
		"    x = aten.logical_xor(after, before) if x.dtype == torch.bool else aten.sub.Tensor(after, before)\n"
		"return x" },
	{ .name = "sum_to_size", .parts =
		"skip = self.dim() - len(size)\n"
		"if skip < 0:\n"
		"    raise ValueError(f'size {size} is not expandable to size {list(self.shape)}.')\n"
		"dims = list(range(skip))\n"
		"for i in range(len(size)):\n"
		"    if size[i] != self.size(skip + i):\n"
		"        if size[i] != 1:\n"
		"            raise ValueError(f'size {size} is not expandable to size {list(self.shape)}.')\n"
		"        dims.append(skip + i)\n"
		"if len(size) == 0:\n"
		"    return aten.sum(self)\n"
		"x = aten.sum.dim_IntList(self, dims, True) if dims else self\n"
		"return aten.view(x, size) if skip > 0 else x" },
	{ .name = "cov", .parts =
		"x = aten.view(self, [1, -1]) if self.dim() < 2 else self\n"
		"if fweights is not None or aweights is not None:\n"
		"    raise ValueError('weights are not supported')\n"
		"mean = aten.div.Tensor(aten.sum.dim_IntList(x, [1]), aten.scalar_tensor(x.size(1), dtype=torch.int64))\n"
		"count = aten.scalar_tensor(x.size(1) - correction, dtype=torch.int64)\n"
		"x = aten.sub.Tensor(x, aten.unsqueeze(mean, 1))\n"
		"return aten.squeeze(aten.div.Tensor(aten.mm(x, aten.t(x)), count))" },
	{ .name = "corrcoef", .parts =
		"c = aten.cov(self)\n"
		"if c.dim() == 0:\n"
		"    return aten.div.Tensor(c, c)\n"
		"d = aten.sqrt(aten.diagonal(c))\n"
		"c = aten.div.Tensor(c, aten.view(d, [-1, 1]))\n"
		"return aten.clamp(aten.div.Tensor(c, aten.view(d, [1, -1])), -1, 1)" },
	{ 0 },
};
