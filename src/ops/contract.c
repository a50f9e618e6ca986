/*
 * Contractions: tensordot(), bilinear(), chains of matrices, outer products
 * (aten/src/ATen/native/{Linear,LinearAlgebra,Cross}.cpp).
 */
#include <string.h>

#include "ops/flops.h"
#include "ops/op.h"

/* ---- tensordot, inner ---- */

static const char tensordot_parts[] =
	"t1, t2 = self, other\n"
	"n1, n2 = self.dim(), other.dim()\n"
	"if len(dims_self) != len(dims_other):\n"
	"    raise ValueError('tensordot: both dimension lists should have the same length')\n"
	"if self.dtype != other.dtype:\n"
	"    raise ValueError('tensordot: both inputs should have the same dtype')\n"
	"d1 = [d + n1 if d < 0 else d for d in dims_self]\n"
	"d2 = [d + n2 if d < 0 else d for d in dims_other]\n"
	"inner = 1\n"
	"for i in range(len(d1)):\n"
	"    s1, s2 = self.size(d1[i]), other.size(d2[i])\n"
	"    if s2 == 1:\n"
	"        t1 = aten.sum.dim_IntList(t1, [dims_self[i]], True)\n"
	"    elif s1 == 1:\n"
	"        t2 = aten.sum.dim_IntList(t2, [dims_other[i]], True)\n"
	"    elif s1 != s2:\n"
	"        raise ValueError(f'tensordot: dimension {d1[i]} of {list(self.shape)} and dimension {d2[i]} of {list(other.shape)} have {s1} and {s2} elements')\n"
	"    else:\n"
	"        inner = inner * s1\n"
	"free1 = [i for i in range(n1) if i not in d1]\n"
	"free2 = [i for i in range(n2) if i not in d2]\n"
	"shape = [t1.size(i) for i in free1] + [t2.size(i) for i in free2]\n"
	"rows, columns = 1, 1\n"
	"for i in free1:\n"
	"    rows = rows * t1.size(i)\n"
	"for i in free2:\n"
	"    columns = columns * t2.size(i)\n"
	"t1 = aten.permute(t1, free1 + dims_self)\n"
	"t2 = aten.permute(t2, dims_other + free2)\n"
	"if rows == 1 and columns == 1:\n"
	"    if t1.is_contiguous() and t2.is_contiguous():\n"
	"        return aten.reshape(aten.dot(aten.flatten(t1), aten.flatten(t2)), shape)\n"
	"    return aten.reshape(aten.sum(aten.mul.Tensor(aten.squeeze(t1), aten.squeeze(t2))), shape)\n"
	"product = aten.mm(aten.reshape(t1, [rows, inner]), aten.reshape(t2, [inner, columns]))\n"
	"return aten.reshape(product, shape)\n";

static const char inner_parts[] =
	"if self.dim() == 0 or other.dim() == 0:\n"
	"    return aten.mul.Tensor(self, other)\n"
	"if self.size(-1) != other.size(-1):\n"
	"    raise ValueError(f'inner: the last dimensions of {list(self.shape)} and {list(other.shape)} must match')\n"
	"return aten.tensordot(self, other, [-1], [-1])\n";

/* ---- Outer products ---- */

static bool check_outer(struct op_call *c)
{
	struct value *a = op_tensor(c, "self"), *b = op_tensor(c, "vec2");
	return (a->ndim == 1 && b->ndim == 1) || op_fail(c, "expected two vectors, not %V and %V", a, b);
}

static const char outer_parts[] = "return aten.mul.Tensor(aten.reshape(self, [self.size(0), 1]), vec2)\n";

static const char kron_parts[] =
	"n = self.dim() if self.dim() > other.dim() else other.dim()\n"
	"s1 = [1 for i in range(n - self.dim())] + list(self.shape)\n"
	"s2 = [1 for i in range(n - other.dim())] + list(other.shape)\n"
	"a = aten._unsafe_view(self, [s1[i // 2] if i % 2 == 0 else 1 for i in range(2 * n)])\n"
	"b = aten._unsafe_view(other, [s2[i // 2] if i % 2 == 1 else 1 for i in range(2 * n)])\n"
	"return aten._unsafe_view(aten.mul.Tensor(a, b), [s1[i] * s2[i] for i in range(n)])\n";

/* ---- Chains of matrices ---- */

/* Three are multiplied in the cheaper of two orders, more in the order that dynamic programming finds. */
static const char multi_dot_parts[] =
	"n = len(tensors)\n"
	"if n < 2:\n"
	"    raise ValueError('multi_dot: expected at least 2 tensors')\n"
	"shape = []\n"
	"ts = list(tensors)\n"
	"if ts[0].dim() == 1:\n"
	"    ts[0] = aten.unsqueeze(ts[0], 0)\n"
	"else:\n"
	"    shape = shape + [ts[0].size(0)]\n"
	"if ts[n - 1].dim() == 1:\n"
	"    ts[n - 1] = aten.unsqueeze(ts[n - 1], -1)\n"
	"else:\n"
	"    shape = shape + [ts[n - 1].size(1)]\n"
	"for t in ts:\n"
	"    if t.dim() != 2:\n"
	"        raise ValueError(f'multi_dot: expected matrices, not a tensor of shape {list(t.shape)}')\n"
	"if n == 2:\n"
	"    return aten.view.default(aten.mm(ts[0], ts[1]), shape)\n"
	"if n == 3:\n"
	"    a, b, c, d = ts[0].size(0), ts[1].size(0), ts[2].size(0), ts[2].size(1)\n"
	"    if (a * c) * (b + d) > (b * d) * (a + c):\n"
	"        return aten.view.default(aten.mm(ts[0], aten.mm(ts[1], ts[2])), shape)\n"
	"    return aten.view.default(aten.mm(aten.mm(ts[0], ts[1]), ts[2]), shape)\n"
	"p = [t.size(0) for t in ts] + [ts[n - 1].size(1)]\n"
	"cost = [[0 for j in range(n)] for i in range(n)]\n"
	"cut = [[0 for j in range(n)] for i in range(n)]\n"
	"for length in range(1, n):\n"
	"    for i in range(n - length):\n"
	"        j = i + length\n"
	"        best = -1\n"
	"        for k in range(i, j):\n"
	"            q = cost[i][k] + cost[k + 1][j] + p[i] * p[k + 1] * p[j + 1]\n"
	"            if best < 0 or q < best:\n"
	"                best = q\n"
	"                cut[i][j] = k\n"
	"        cost[i][j] = best\n"
	"def multiply(i, j):\n"
	"    if i == j:\n"
	"        return ts[i]\n"
	"    left = multiply(i, cut[i][j])\n"
	"    return aten.mm(left, multiply(cut[i][j] + 1, j))\n"
	"return aten.view.default(multiply(0, n - 1), shape)\n";

static const char chain_matmul_parts[] =
	"for t in matrices:\n"
	"    if t.dim() != 2:\n"
	"        raise ValueError(f'chain_matmul: expected matrices, not a tensor of shape {list(t.shape)}')\n"
	"if len(matrices) == 1:\n"
	"    return aten.clone(matrices[0])\n"
	"return aten.linalg_multi_dot(matrices)\n";

/* ---- bilinear ---- */

static bool check_bilinear(struct op_call *c)
{
	struct value *a = op_tensor(c, "input1"), *b = op_tensor(c, "input2"), *w = op_tensor(c, "weight"), *bias = op_tensor(c, "bias");
	if (a->ndim != b->ndim || a->ndim < 1)
		return op_fail(c, "inputs %V and %V have different dimensions", a, b);
	if (w->ndim != 3)
		return op_fail(c, "weight %V has %d dimensions; expected 3", w, w->ndim);
	for (int i = 0; i < a->ndim - 1; i++)
		if (a->size[i] != b->size[i])
			return op_fail(c, "inputs %V and %V do not match in dimension %d", a, b, i);
	if (a->size[a->ndim - 1] != w->size[1] || b->size[b->ndim - 1] != w->size[2])
		return op_fail(c, "inputs %V and %V do not fit weight %V, which expects %lld and %lld features", a, b, w, (long long)w->size[1],
		               (long long)w->size[2]);
	if (bias && (bias->ndim != 1 || bias->size[0] != w->size[0]))
		return op_fail(c, "bias %V does not fit weight %V", bias, w);
	return true;
}

static const char bilinear_parts[] =
	"shape = list(input1.shape)[:-1] + [weight.size(0)]\n"
	"a = aten.reshape(input1, [-1, input1.size(-1)])\n"
	"b = aten.reshape(input2, [-1, input2.size(-1)])\n"
	"out = aten.reshape(aten._trilinear(a, weight, b, [1, 3], [0], [1, 2], [2, 3]), shape)\n"
	"if bias is not None:\n"
	"    out = aten.add.Tensor(out, bias)\n"
	"return out\n";

/* Marks dims in a set of total dimensions. */
static bool mark(struct op_call *c, const char *name, int total, bool *set)
{
	int n, d;
	const int64_t *dims = op_ints(c, name, &n);
	memset(set, 0, MAX_DIMS * sizeof *set);
	for (int i = 0; i < n; i++) {
		if (!op_dim(c, dims[i], total, &d))
			return false;
		set[d] = true;
	}
	return true;
}

/* The three operands unsqueezed at their expanded dimensions, multiplied, and summed over sumdim. */
static bool shape_trilinear(struct op_call *c)
{
	static const char *const operands[] = { "i1", "i2", "i3" }, *const expands[] = { "expand1", "expand2", "expand3" };
	bool expand[MAX_DIMS], sum[MAX_DIMS];
	int64_t size[MAX_DIMS], out[MAX_DIMS];
	int n, total, kept = 0;
	op_ints(c, "expand1", &n);
	total = op_tensor(c, "i1")->ndim + n;
	if (total > MAX_DIMS || !mark(c, "sumdim", total, sum))
		return op_fail(c, "too many dimensions");
	for (int k = 0; k < 3; k++) {
		struct value *v = op_tensor(c, operands[k]);
		if (!mark(c, expands[k], total, expand))
			return false;
		for (int i = 0, d = 0; i < total; i++) {
			if (expand[i])
				continue;
			if (d >= v->ndim)
				return op_fail(c, "operand %V has too few dimensions", v);
			size[i] = v->size[d++];
		}
	}
	for (int i = 0; i < total; i++)
		if (!sum[i])
			out[kept++] = size[i];
	return op_out(c, op_tensor(c, "i1")->dtype, kept, out) != NULL;
}

/* ---- Vectors ---- */

static bool shape_cross(struct op_call *c)
{
	struct value *a = op_tensor(c, "self"), *b = op_tensor(c, "other"), *in[2] = { a, b };
	int dim;
	if (a->ndim != b->ndim)
		return op_fail(c, "%V and %V must have the same number of dimensions", a, b);
	if (!op_dim(c, op_int(c, "dim", -1), a->ndim, &dim))
		return false;
	if (a->ndim == 0 || a->size[dim] != 3 || b->size[dim] != 3)
		return op_fail(c, "%V and %V must have 3 elements in dimension %d", a, b, dim);
	int64_t size[MAX_DIMS];
	int n;
	return op_broadcast(c, a->ndim, a->size, b->ndim, b->size, &n, size) && op_out(c, op_result_type(c, in, 2), n, size);
}

/* Without dim: the first dimension of 3 elements. */
static const char cross_parts[] =
	"if dim is None:\n"
	"    for i in range(self.dim() - 1, -1, -1):\n"
	"        if self.size(i) == 3:\n"
	"            dim = i\n"
	"    if dim is None:\n"
	"        raise ValueError(f'cross: no dimension of size 3 in {list(self.shape)}')\n"
	"return aten.linalg_cross(self, other, dim=dim)\n";

static const char vecdot_parts[] =
	"if x.dim() == 1 and y.dim() == 1:\n"
	"    return aten.vdot(x, y)\n"
	"return aten.sum.dim_IntList(aten.mul.Tensor(x, y), [dim])\n";

const struct op_rule contract_rules[] = {
	{ .name = "tensordot", .flops = flops_uncounted, .parts = tensordot_parts },
	{ .name = "inner", .flops = flops_uncounted, .parts = inner_parts },
	{ .name = "outer", .shape = check_outer, .parts = outer_parts },
	{ .name = "ger", .shape = check_outer, .parts = outer_parts },
	{ .name = "kron", .parts = kron_parts },
	{ .name = "linalg_multi_dot", .flops = flops_uncounted, .parts = multi_dot_parts },
	{ .name = "chain_matmul", .flops = flops_uncounted, .parts = chain_matmul_parts },
	{ .name = "bilinear", .shape = check_bilinear, .parts = bilinear_parts },
	{ .name = "_trilinear", .shape = shape_trilinear },
	{ .name = "linalg_cross", .shape = shape_cross },
	{ .name = "cross", .parts = cross_parts },
	{ .name = "linalg_vecdot", .parts = vecdot_parts },
	{ 0 },
};
