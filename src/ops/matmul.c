/*
 * Products of matrices (aten/src/ATen/native/{Linear,LinearAlgebra,Blas,Distance}.cpp).  einsum() and its kin are in
 * contract.c, decompositions in linalg.c.
 */
#include <string.h>

#include "ops/flops.h"
#include "ops/op.h"
#include "ops/shapes.h"

/* ---- Checks ---- */

static bool same_type(struct op_call *c, const struct value *a, const struct value *b)
{
	if (a->dtype == b->dtype)
		return true;
	return op_fail(c, "operands are %s and %s; they must be of one type", dtype_name(a->dtype), dtype_name(b->dtype));
}

static bool has_dims(struct op_call *c, const struct value *v, int ndim, const char *what)
{
	return v->ndim == ndim || op_fail(c, "%s %V has %d dimensions; expected %d", what, v, v->ndim, ndim);
}

static int64_t last(const struct value *v)
{
	return v->size[v->ndim - 1];
}

/* The last dimension of a against the rows of b. */
static bool multiplies(struct op_call *c, const struct value *a, const struct value *b)
{
	int64_t rows = b->size[b->ndim > 1 ? b->ndim - 2 : 0];
	if (last(a) != rows)
		return op_fail(c, "%V and %V cannot be multiplied: %lld columns against %lld rows", a, b, (long long)last(a), (long long)rows);
	return same_type(c, a, b);
}

/* What addmm() and its kin add: it must broadcast to the product. */
static bool check_added(struct op_call *c, int ndim, const int64_t *size)
{
	struct value *self = op_tensor(c, "self");
	int64_t shape[MAX_DIMS];
	int n;
	if (!op_broadcast(c, self->ndim, self->size, ndim, size, &n, shape) || n != ndim || memcmp(shape, size, (size_t)n * sizeof *size) != 0) {
		struct value product = { .ndim = ndim, .size = (int64_t *)size };
		return op_fail(c, "%V cannot be added to the product, which is %V", self, &product);
	}
	return true;
}

/* The product, or what it is written into: addmm_(). */
static bool product(struct op_call *c, const struct value *like, int ndim, const int64_t *size)
{
	if (!c->op->inplace)
		return op_out(c, like->dtype, ndim, size) != NULL;
	struct value *self = op_tensor(c, "self");
	if (!sizes_equal(self, ndim, size))
		return op_fail(c, "the product does not fit into %V, which is written in place", self);
	return op_out_same(c, self);
}

/* ---- Leaves ---- */

static bool shape_mm(struct op_call *c)
{
	struct value *a = op_tensor(c, "self"), *b = op_tensor(c, "mat2");
	if (!has_dims(c, a, 2, "operand") || !has_dims(c, b, 2, "operand") || !multiplies(c, a, b))
		return false;
	return op_out(c, op_dtype(c, "out_dtype", a->dtype), 2, (int64_t[]){ a->size[0], b->size[1] }) != NULL;
}

static bool shape_addmm(struct op_call *c)
{
	struct value *a = op_tensor(c, "mat1"), *b = op_tensor(c, "mat2"), *self = op_tensor(c, "self");
	if (!has_dims(c, a, 2, "mat1") || !has_dims(c, b, 2, "mat2") || !multiplies(c, a, b) || !same_type(c, self, a))
		return false;
	int64_t size[2] = { a->size[0], b->size[1] };
	return check_added(c, 2, size) && product(c, a, 2, size);
}

static bool batches(struct op_call *c, const struct value *a, const struct value *b)
{
	if (!has_dims(c, a, 3, "operand") || !has_dims(c, b, 3, "operand"))
		return false;
	if (a->size[0] != b->size[0])
		return op_fail(c, "%V and %V have %lld and %lld matrices", a, b, (long long)a->size[0], (long long)b->size[0]);
	return multiplies(c, a, b);
}

static bool shape_bmm(struct op_call *c)
{
	struct value *a = op_tensor(c, "self"), *b = op_tensor(c, "mat2");
	return batches(c, a, b) &&
	       op_out(c, op_dtype(c, "out_dtype", a->dtype), 3, (int64_t[]){ a->size[0], a->size[1], b->size[2] }) != NULL;
}

/*
 * Groups of rows (2 and 3 dimensions), of columns (3 and 2), or of what is summed over (2 and 2); 3 and 3 is bmm().  Rows of the result
 * lie 16 bytes or a multiple apart (GroupedMMUtils.h: create_grouped_gemm_output_tensor).
 */
static bool shape_grouped_mm(struct op_call *c)
{
	struct value *a = op_tensor(c, "self"), *b = op_tensor(c, "mat2"), *offs = op_tensor(c, "offs");
	enum dtype d = op_dtype(c, "out_dtype", a->dtype);
	if (a->ndim < 2 || a->ndim > 3 || b->ndim < 2 || b->ndim > 3)
		return op_fail(c, "%V and %V; both need 2 or 3 dimensions", a, b);
	if ((a->ndim == 2 || b->ndim == 2) && (!offs || offs->ndim != 1))
		return op_fail(c, "offs must be a vector that says where the groups end");
	if (!multiplies(c, a, b))
		return false;
	int64_t groups = a->ndim == 3 ? a->size[0] : b->ndim == 3 ? b->size[0] : offs->size[0];
	int64_t size[3] = { groups, a->size[a->ndim - 2], b->size[b->ndim - 1] }, unit = 16 / (int64_t)dtype_size(d), row = (size[2] + unit - 1) / unit * unit;
	if (a->ndim == b->ndim)
		return op_out_strided(c, d, 3, size, (int64_t[]){ size[1] * row, row, 1 }) != NULL;
	return op_out_strided(c, d, 2, size + 1, (int64_t[]){ row, 1 }) != NULL;
}

static bool shape_baddbmm(struct op_call *c)
{
	struct value *a = op_tensor(c, "batch1"), *b = op_tensor(c, "batch2");
	if (!batches(c, a, b) || !same_type(c, op_tensor(c, "self"), a))
		return false;
	int64_t size[3] = { a->size[0], a->size[1], b->size[2] };
	return check_added(c, 3, size) && product(c, a, 3, size);
}

static bool shape_addbmm(struct op_call *c)
{
	struct value *a = op_tensor(c, "batch1"), *b = op_tensor(c, "batch2");
	if (!batches(c, a, b) || !same_type(c, op_tensor(c, "self"), a))
		return false;
	int64_t size[2] = { a->size[1], b->size[2] };
	return check_added(c, 2, size) && product(c, a, 2, size);
}

static bool shape_mv(struct op_call *c)
{
	struct value *a = op_tensor(c, "self"), *b = op_tensor(c, "vec");
	return has_dims(c, a, 2, "operand") && has_dims(c, b, 1, "vector") && multiplies(c, a, b) && op_out(c, a->dtype, 1, a->size);
}

static bool shape_addmv(struct op_call *c)
{
	struct value *a = op_tensor(c, "mat"), *b = op_tensor(c, "vec");
	return has_dims(c, a, 2, "mat") && has_dims(c, b, 1, "vec") && multiplies(c, a, b) && check_added(c, 1, a->size) &&
	       product(c, a, 1, a->size);
}

static bool dot(struct op_call *c, struct value *b)
{
	struct value *a = op_tensor(c, "self");
	if (!has_dims(c, a, 1, "operand") || !has_dims(c, b, 1, "operand"))
		return false;
	if (a->size[0] != b->size[0])
		return op_fail(c, "%V and %V have different numbers of elements", a, b);
	return same_type(c, a, b) && op_out(c, a->dtype, 0, NULL);
}

static bool shape_dot(struct op_call *c)
{
	return dot(c, op_tensor(c, "tensor"));
}

static bool shape_vdot(struct op_call *c)
{
	return dot(c, op_tensor(c, "other"));
}

static bool shape_addr(struct op_call *c)
{
	struct value *a = op_tensor(c, "vec1"), *b = op_tensor(c, "vec2");
	if (!has_dims(c, a, 1, "vec1") || !has_dims(c, b, 1, "vec2"))
		return false;
	int64_t size[2] = { a->size[0], b->size[0] }, column_size[2] = { a->size[0], 1 }, column_stride[2] = { 1, 1 };
	struct value *self = op_tensor(c, "self"), column = { .dtype = a->dtype, .ndim = 2, .size = column_size, .stride = column_stride };
	if (!check_added(c, 2, size))
		return false;
	if (c->op->inplace)
		return product(c, self, 2, size);
	struct value *in[3] = { self, &column, b };
	return op_out_pointwise(c, op_result_type(c, in, 3), in, 3) != NULL;
}

/* ---- linear() and matmul() ---- */

static bool check_linear(struct op_call *c)
{
	struct value *input = op_tensor(c, "input"), *weight = op_tensor(c, "weight"), *bias = op_tensor(c, "bias");
	if (input->ndim == 0 || weight->ndim == 0 || weight->ndim > 2)
		return op_fail(c, "input %V and weight %V; expected at least 1 dimension and 1 or 2", input, weight);
	if (last(input) != last(weight))
		return op_fail(c, "input %V has %lld features, weight %V expects %lld", input, (long long)last(input), weight, (long long)last(weight));
	if (bias && weight->ndim == 2 && bias->ndim == 1 && bias->size[0] != weight->size[0] && bias->size[0] != 1)
		return op_fail(c, "bias %V does not fit weight %V", bias, weight);
	return same_type(c, input, weight) && (!bias || same_type(c, input, bias));
}

static bool check_matmul(struct op_call *c)
{
	struct value *a = op_tensor(c, "self"), *b = op_tensor(c, "other");
	int64_t shape[MAX_DIMS];
	int n;
	if (a->ndim == 0 || b->ndim == 0)
		return op_fail(c, "%V and %V; both need at least 1 dimension", a, b);
	if (!multiplies(c, a, b))
		return false;
	if (a->ndim > 2 && b->ndim > 2 && !op_broadcast(c, a->ndim - 2, a->size, b->ndim - 2, b->size, &n, shape))
		return op_fail(c, "the batches of %V and %V cannot be broadcast together", a, b);
	return true;
}

/* A contiguous input is flattened for addmm() (Linear.cpp: _flatten_nd_linear). */
static const char linear_parts[] =
	"if bias is not None:\n"
	"    if input.dim() == 2:\n"
	"        return aten.addmm(bias, input, aten.t(weight))\n"
	"    if input.is_contiguous() and bias.dim() == 1 and weight.dim() == 2:\n"
	"        rows = 1\n"
	"        for i in range(input.dim() - 1):\n"
	"            rows = rows * input.size(i)\n"
	"        flat = aten.view.default(input, [rows, input.size(-1)])\n"
	"        out = aten.addmm(bias, flat, aten.t(weight))\n"
	"        return aten.view.default(out, [input.size(i) for i in range(input.dim() - 1)] + [out.size(1)])\n"
	"out = aten.matmul(input, aten.t(weight))\n"
	"if bias is not None:\n"
	"    out = aten.add_.Tensor(out, bias)\n"
	"return out\n";

/*
 * The larger operand is folded into one matrix when the smaller is a matrix or vector that requires grad, or when that
 * needs no copy (should_fold() in LinearAlgebra.cpp); otherwise both are expanded for bmm().
 */
static const char matmul_parts[] =
	"n1, n2 = self.dim(), other.dim()\n"
	"if n1 == 1 and n2 == 1:\n"
	"    return aten.dot(self, other)\n"
	"if n1 == 2 and n2 == 1:\n"
	"    return aten.mv(self, other)\n"
	"if n1 == 1 and n2 == 2:\n"
	"    return aten.squeeze_.dim(aten.mm(aten.unsqueeze(self, 0), other), 0)\n"
	"if n1 == 2 and n2 == 2:\n"
	"    return aten.mm(self, other)\n"
	"if n1 == 3 and n2 == 3 and self.size(0) != other.size(0):\n"
	"    if self.size(0) == 1 and self.requires_grad:\n"
	"        return aten.matmul(aten.squeeze.dim(self, 0), other)\n"
	"    if other.size(0) == 1 and other.requires_grad:\n"
	"        return aten.matmul(self, aten.squeeze.dim(other, 0))\n"
	"flip = n2 > n1\n"
	"large, small = (other, self) if flip else (self, other)\n"
	"sizes = list(large.shape)\n"
	"steps = list(large.stride())\n"
	"if flip:\n"
	"    sizes = sizes[:-2] + [sizes[-1], sizes[-2]]\n"
	"    steps = steps[:-2] + [steps[-1], steps[-2]]\n"
	"fold = False\n"
	"if len(sizes) >= 3 and small.dim() <= 2:\n"
	"    fold = small.requires_grad\n"
	"    if not fold and n1 != 2:\n"
	"        fold = large.numel() == 0 or all([steps[i] == steps[i + 1] * sizes[i + 1] for i in range(len(sizes) - 2)])\n"
	"if fold:\n"
	"    large = aten.transpose.int(large, -2, -1) if flip else large\n"
	"    small = aten.t(small) if flip and n1 == 2 else small\n"
	"    out = sizes[:-1]\n"
	"    rows = 1\n"
	"    for n in out:\n"
	"        rows = rows * n\n"
	"    flat = aten.reshape(large, [rows, sizes[-1]])\n"
	"    if small.dim() == 1:\n"
	"        return aten._unsafe_view(aten.mv(flat, small), out)\n"
	"    result = aten._unsafe_view(aten.mm(flat, small), out + [small.size(1)])\n"
	"    return aten.contiguous(aten.transpose.int(result, -2, -1)) if flip else result\n"
	"n = self.size(-2) if n1 > 1 else 1\n"
	"m1 = self.size(-1)\n"
	"m2 = other.size(-2) if n2 > 1 else other.size(0)\n"
	"p = other.size(-1) if n2 > 1 else 1\n"
	"batch1 = list(self.shape)[:-2] if n1 > 2 else []\n"
	"batch2 = list(other.shape)[:-2] if n2 > 2 else []\n"
	"batch1 = [1 for i in range(len(batch2) - len(batch1))] + batch1\n"
	"batch2 = [1 for i in range(len(batch1) - len(batch2))] + batch2\n"
	"batch = [batch2[i] if batch1[i] == 1 else batch1[i] for i in range(len(batch1))]\n"
	"count = 1\n"
	"for b in batch:\n"
	"    count = count * b\n"
	"a = aten.reshape(aten.expand(self, batch + [n, m1]), [count, n, m1])\n"
	"out = batch + ([n] if n1 > 1 else []) + ([p] if n2 > 1 else [])\n"
	"if n2 == 1:\n"
	"    b = aten.unsqueeze(aten.reshape(aten.expand(other, batch + [m2]), [count, m2]), 2)\n"
	"    return aten._unsafe_view(aten.squeeze.dim(aten.bmm(a, b), -1), out)\n"
	"b = aten.reshape(aten.expand(other, batch + [m2, p]), [count, m2, p])\n"
	"return aten._unsafe_view(aten.bmm(a, b), out)\n";

/* ---- Multiply-adds ---- */

static double numel(const struct value *v)
{
	return (double)value_numel(v);
}

static bool flops_linear(const struct node *n, double *out)
{
	*out = numel(node_tensor(n, "input")) * (double)node_tensor(n, "weight")->size[0];
	return true;
}

static bool flops_addmm(const struct node *n, double *out)
{
	*out = numel(node_tensor(n, "mat1")) * (double)last(node_tensor(n, "mat2"));
	return true;
}

/* mm() and bmm() */
static bool flops_mm(const struct node *n, double *out)
{
	*out = numel(node_tensor(n, "self")) * (double)last(node_tensor(n, "mat2"));
	return true;
}

/* fvcore asserts that the second operand is a matrix at least */
static bool flops_matmul(const struct node *n, double *out)
{
	struct value *other = node_tensor(n, "other");
	if (other->ndim < 2)
		return false;
	*out = numel(node_tensor(n, "self")) * (double)last(other);
	return true;
}

/* ---- Distances ---- */

static bool check_cdist(struct op_call *c)
{
	struct value *a = op_tensor(c, "x1"), *b = op_tensor(c, "x2");
	int64_t shape[MAX_DIMS];
	int n;
	if (a->ndim < 2 || b->ndim < 2)
		return op_fail(c, "%V and %V; both need at least 2 dimensions", a, b);
	if (last(a) != last(b))
		return op_fail(c, "%V and %V must have the same number of columns", a, b);
	if (!dtype_is_float(a->dtype) || !dtype_is_float(b->dtype))
		return op_fail(c, "operands are %s and %s; expected floating point", dtype_name(a->dtype), dtype_name(b->dtype));
	if (op_float(c, "p", 2) < 0)
		return op_fail(c, "p must not be negative");
	return op_broadcast(c, a->ndim - 2, a->size, b->ndim - 2, b->size, &n, shape) ||
	       op_fail(c, "the batches of %V and %V cannot be broadcast together", a, b);
}

/* [..., P, M] and [..., R, M] -> [..., P, R] */
static bool shape_cdist_forward(struct op_call *c)
{
	struct value *a = op_tensor(c, "x1"), *b = op_tensor(c, "x2");
	int64_t shape[MAX_DIMS];
	int n;
	if (!check_cdist(c) || !op_broadcast(c, a->ndim - 2, a->size, b->ndim - 2, b->size, &n, shape))
		return false;
	shape[n] = a->size[a->ndim - 2];
	shape[n + 1] = b->size[b->ndim - 2];
	return op_out(c, dtype_promote(a->dtype, b->dtype), n + 2, shape) != NULL;
}

/* More than 25 rows are worth the product of matrices (mode None or 1). */
static const char cdist_parts[] =
	"r1, r2 = x1.size(-2), x2.size(-2)\n"
	"mode = 0 if compute_mode is None else compute_mode\n"
	"if x1.numel() == 0 or x2.numel() == 0 or not (p == 2 and (mode == 1 or (mode == 0 and (r1 > 25 or r2 > 25)))):\n"
	"    return aten._cdist_forward(x1, x2, p, compute_mode)\n"
	"b1, b2 = list(x1.shape)[:-2], list(x2.shape)[:-2]\n"
	"b1 = [1 for i in range(len(b2) - len(b1))] + b1\n"
	"b2 = [1 for i in range(len(b1) - len(b2))] + b2\n"
	"batch = [b2[i] if b1[i] == 1 else b1[i] for i in range(len(b1))]\n"
	"count = 1\n"
	"for b in batch:\n"
	"    count = count * b\n"
	"if count > 1:\n"
	"    x1 = aten.contiguous(aten.expand(x1, batch + [r1, x1.size(-1)])).view([count, r1, x1.size(-1)])\n"
	"    x2 = aten.contiguous(aten.expand(x2, batch + [r2, x2.size(-1)])).view([count, r2, x2.size(-1)])\n"
	"return aten._euclidean_dist(x1, x2).view(batch + [r1, r2])\n";

static bool shape_pdist(struct op_call *c)
{
	struct value *self = op_tensor(c, "self");
	int64_t n, pairs;
	if (!has_dims(c, self, 2, "input"))
		return false;
	n = self->size[0];
	if (n > INT32_MAX)
		return op_fail(c, "input %V has too many rows", self);
	pairs = n * (n - 1) / 2;
	return op_out(c, self->dtype, 1, &pairs) != NULL;
}

/* Each is divided by its norm first; only the lower bound of the norms is not differentiated. */
static const char cosine_similarity_parts[] =
	"d = torch.promote_types(x1.dtype, x2.dtype)\n"
	"if not (x1.is_floating_point() or x1.is_complex()):\n"
	"    x1 = aten.to.dtype(x1, d)\n"
	"if not (x2.is_floating_point() or x2.is_complex()):\n"
	"    x2 = aten.to.dtype(x2, d)\n"
	"s1, s2 = list(x1.shape), list(x2.shape)\n"
	"if s1 != s2:\n"
	"    s1 = [1 for i in range(len(s2) - len(s1))] + s1\n"
	"    s2 = [1 for i in range(len(s1) - len(s2))] + s2\n"
	"    both = [s2[i] if s1[i] == 1 else s1[i] for i in range(len(s1))]\n"
	"    x1, x2 = aten.expand(x1, both), aten.expand(x2, both)\n"
	"n1 = aten.clone(aten.linalg_vector_norm(x1, 2, [dim], True))\n"
	"n2 = aten.clone(aten.linalg_vector_norm(x2, 2, [dim], True))\n"
	"with torch.no_grad():\n"
	"    least = aten.scalar_tensor(eps, dtype=n1.dtype)\n"
	"    aten.clamp_min_.Tensor(n1, least)\n"
	"    aten.clamp_min_.Tensor(n2, least)\n"
	"return aten.sum.dim_IntList(aten.mul.Tensor(aten.div.Tensor(x1, n1), aten.div.Tensor(x2, n2)), [dim])\n";

static const char pairwise_distance_parts[] =
	"inner = (x1.dim() if x1.dim() > x2.dim() else x2.dim()) - 1\n"
	"return aten.norm.ScalarOpt_dim(aten.add.Scalar(aten.sub.Tensor(x1, x2), eps), p, [inner], keepdim)\n";

const struct op_rule matmul_rules[] = {
	{ .name = "linear", .shape = check_linear, .flops = flops_linear, .flops_name = "linear", .parts = linear_parts },
	{ .name = "matmul", .shape = check_matmul, .flops = flops_matmul, .flops_name = "matmul", .parts = matmul_parts },
	{ .name = "linalg_matmul", .flops = flops_uncounted, .parts = "return aten.matmul(self, other)" },
	{ .name = "mm", .shape = shape_mm, .flops = flops_mm, .flops_name = "mm" },
	{ .name = "mm.dtype", .shape = shape_mm },
	{ .name = "bmm", .shape = shape_bmm, .flops = flops_mm, .flops_name = "bmm" },
	{ .name = "_grouped_mm", .shape = shape_grouped_mm },
	{ .name = "bmm.dtype", .shape = shape_bmm },
	{ .name = "addmm", .shape = shape_addmm, .flops = flops_addmm, .flops_name = "addmm" },
	{ .name = "addmm_", .shape = shape_addmm },
	{ .name = "_addmm_activation", .shape = shape_addmm },
	{ .name = "baddbmm", .shape = shape_baddbmm },
	{ .name = "baddbmm_", .shape = shape_baddbmm },
	{ .name = "addbmm", .shape = shape_addbmm },
	{ .name = "addbmm_", .shape = shape_addbmm },
	{ .name = "mv", .shape = shape_mv },
	{ .name = "addmv", .shape = shape_addmv },
	{ .name = "addmv_", .shape = shape_addmv },
	{ .name = "dot", .shape = shape_dot },
	{ .name = "vdot", .shape = shape_vdot },
	{ .name = "addr", .shape = shape_addr },
	{ .name = "addr_", .shape = shape_addr },
	{ .name = "cdist", .shape = check_cdist, .parts = cdist_parts },
	{ .name = "_cdist_forward", .shape = shape_cdist_forward },
	{ .name = "_euclidean_dist", .shape = shape_cdist_forward },
	{ .name = "pdist", .parts = "return aten._pdist_forward(aten.contiguous(self), p)" },
	{ .name = "_pdist_forward", .shape = shape_pdist },
	{ .name = "cosine_similarity", .parts = cosine_similarity_parts },
	{ .name = "pairwise_distance", .parts = pairwise_distance_parts },
	{ 0 },
};
