/*
 * Sums and differences of samples: integrals by the trapezoid rule, gradients by finite differences
 * (aten/src/ATen/native/{Integration,ReduceOps}.cpp).
 */
#include "ops/op.h"

/* Samples at the same distance: the sum without half of both ends. */
#define EVEN \
	"if y.size(dim) == 0:\n" \
	"    return aten.zeros([y.size(i) for i in range(y.dim()) if i != dim % y.dim()], dtype=y.dtype)\n" \
	"ends = aten.mul.Scalar(aten.add.Tensor(aten.select.int(y, dim, 0), aten.select.int(y, dim, -1)), 0.5)\n" \
	"return aten.mul.Scalar(aten.sub.Tensor(aten.sum.dim_IntList(y, [dim]), ends), float(dx))"

/* Samples at x: the distances, in the dimensions of y where x has fewer. */
#define DISTANCES \
	"d = dim % y.dim()\n" \
	"if x.dim() == 1:\n" \
	"    if x.size(0) != y.size(d):\n" \
	"        raise ValueError('trapezoid: There must be one `x` value for each sample point')\n" \
	"    x = aten.view(x, [x.size(0) if i == d else 1 for i in range(y.dim())])\n" \
	"elif x.dim() < y.dim():\n" \
	"    x = aten.view(x, [1] * (y.dim() - x.dim()) + list(x.shape))\n" \
	"before = aten.slice.Tensor(x, d, 0, -1)\n" \
	"steps = aten.sub.Tensor(aten.slice.Tensor(x, d, 1), before)\n" \
	"left = aten.slice.Tensor(y, d, 0, -1)\n" \
	"areas = aten.mul.Tensor(aten.add.Tensor(left, aten.slice.Tensor(y, d, 1)), steps)\n"

#define UNEVEN \
	"if y.size(dim) == 0:\n" \
	"    return aten.zeros([y.size(i) for i in range(y.dim()) if i != dim % y.dim()], dtype=y.dtype)\n" \
	DISTANCES \
	"return aten.div.Scalar(aten.sum.dim_IntList(areas, [d]), 2.0)"

/* Neighbours' differences inside, and of edge_order at both ends, for each of dims (gradient_helper_float). */
#define GRADIENT(dims, spacing) \
	"if edge_order != 1 and edge_order != 2:\n" \
	"    raise ValueError('torch.gradient only supports edge_order=1 and edge_order=2.')\n" \
	"dims = " dims "\n" \
	"spacing = " spacing "\n" \
	"if len(spacing) != len(dims):\n" \
	"    raise ValueError(f'torch.gradient expected spacing to be unspecified, a scalar, or a list of {len(dims)} numbers')\n" \
	"out = []\n" \
	"for i in range(len(dims)):\n" \
	"    d, dx = dims[i] % self.dim(), spacing[i]\n" \
	"    if self.size(d) < edge_order + 1:\n" \
	"        raise ValueError('torch.gradient expected each dimension size to be at least edge_order+1')\n" \
	"    if edge_order == 1:\n" \
	"        first = aten.sub.Tensor(aten.slice.Tensor(self, d, 1, 2), aten.slice.Tensor(self, d, 0, 1))\n" \
	"        last = aten.sub.Tensor(aten.slice.Tensor(self, d, -1), aten.slice.Tensor(self, d, -2, -1))\n" \
	"    else:\n" \
	"        first = aten.add.Tensor(aten.mul.Scalar(aten.slice.Tensor(self, d, 0, 1), -1.5), aten.mul.Scalar(aten.slice.Tensor(self, d, 1, 2), 2))\n" \
	"        first = aten.sub.Tensor(first, aten.mul.Scalar(aten.slice.Tensor(self, d, 2, 3), 0.5))\n" \
	"        last = aten.mul.Scalar(aten.slice.Tensor(self, d, -3, -2), 0.5)\n" \
	"        last = aten.sub.Tensor(last, aten.mul.Scalar(aten.slice.Tensor(self, d, -2, -1), 2))\n" \
	"        last = aten.add.Tensor(last, aten.mul.Scalar(aten.slice.Tensor(self, d, -1), 1.5))\n" \
	"    first, last = aten.div.Scalar(first, dx), aten.div.Scalar(last, dx)\n" \
	"    inner = aten.sub.Tensor(aten.slice.Tensor(self, d, 2), aten.slice.Tensor(self, d, 0, -2))\n" \
	"    inner = aten.div.Scalar(aten.div.Scalar(inner, dx), 2)\n" \
	"    out.append(aten.cat([first, inner, last], d))\n" \
	"return out"

#define ALL_OR_ONE "list(range(self.dim())) if dim is None else [dim]"

/* The same at the places that are given, one vector a dimension (gradient_helper): weights of three neighbours from the two distances between them. */
#define AT_PLACES(dims) \
	"if edge_order != 1 and edge_order != 2:\n" \
	"    raise ValueError('torch.gradient only supports edge_order=1 and edge_order=2.')\n" \
	"dims = " dims "\n" \
	"if len(spacing) != len(dims):\n" \
	"    raise ValueError(f'torch.gradient expected spacing to be a list of {len(dims)} tensors')\n" \
	"out = []\n" \
	"for i in range(len(dims)):\n" \
	"    d = dims[i] % self.dim()\n" \
	"    if spacing[i].dim() != 1:\n" \
	"        raise ValueError('torch.gradient expected each coordinates tensor to be one-dimensional')\n" \
	"    if self.size(d) < edge_order + 1:\n" \
	"        raise ValueError('torch.gradient expected each dimension size to be at least edge_order+1')\n" \
	"    shape = [-1 if j == d else 1 for j in range(self.dim())]\n" \
	"    h = aten.diff(spacing[i], 1, 0)\n" \
	"    h1, h2 = aten.slice.Tensor(h, 0, 0, -1), aten.slice.Tensor(h, 0, 1)\n" \
	"    a = aten.reshape(-h2 / (h1 * (h1 + h2)), shape)\n" \
	"    b = aten.reshape((h2 - h1) / (h1 * h2), shape)\n" \
	"    c = aten.reshape(h1 / (h2 * (h1 + h2)), shape)\n" \
	"    inner = a * aten.slice.Tensor(self, d, 0, -2) + b * aten.slice.Tensor(self, d, 1, -1) + c * aten.slice.Tensor(self, d, 2)\n" \
	"    if edge_order == 1:\n" \
	"        first = (aten.slice.Tensor(self, d, 1, 2) - aten.slice.Tensor(self, d, 0, 1)) / aten.select.int(h, 0, 0)\n" \
	"        last = (aten.slice.Tensor(self, d, -1) - aten.slice.Tensor(self, d, -2, -1)) / aten.select.int(h, 0, -1)\n" \
	"    else:\n" \
	"        a = -(aten.mul.Scalar(aten.select.int(h, 0, 0), 2.0) + aten.select.int(h, 0, 1))\n" \
	"        a = a / (aten.select.int(h, 0, 0) * (aten.select.int(h, 0, 0) + aten.select.int(h, 0, 1)))\n" \
	"        b = (aten.select.int(h, 0, 0) + aten.select.int(h, 0, 1)) / (aten.select.int(h, 0, 0) * aten.select.int(h, 0, 1))\n" \
	"        c = -aten.select.int(h, 0, 0) / (aten.select.int(h, 0, 1) * (aten.select.int(h, 0, 0) + aten.select.int(h, 0, 1)))\n" \
	"        first = a * aten.slice.Tensor(self, d, 0, 1) + b * aten.slice.Tensor(self, d, 1, 2)\n" \
	"        first = first + c * aten.slice.Tensor(self, d, 2, 3)\n" \
	"        a = aten.select.int(h, 0, -1) / (aten.select.int(h, 0, -2) * (aten.select.int(h, 0, -1) + aten.select.int(h, 0, -2)))\n" \
	"        b = -(aten.select.int(h, 0, -1) + aten.select.int(h, 0, -2)) / (aten.select.int(h, 0, -1) * aten.select.int(h, 0, -2))\n" \
	"        c = aten.mul.Scalar(aten.select.int(h, 0, -1), 2) + aten.select.int(h, 0, -2)\n" \
	"        c = c / (aten.select.int(h, 0, -1) * (aten.select.int(h, 0, -1) + aten.select.int(h, 0, -2)))\n" \
	"        last = a * aten.slice.Tensor(self, d, -3, -2) + b * aten.slice.Tensor(self, d, -2, -1) + c * aten.slice.Tensor(self, d, -1)\n" \
	"    out.append(aten.cat([first, inner, last], d))\n" \
	"return out"

const struct op_rule integrate_rules[] = {
	{ .name = "trapezoid.dx", .parts = EVEN },
	{ .name = "trapz.dx", .parts = EVEN },
	{ .name = "trapezoid.x", .parts = UNEVEN },
	{ .name = "trapz.x", .parts = UNEVEN },
	{ .name = "cumulative_trapezoid.dx", .parts =
		"left = aten.slice.Tensor(y, dim, 0, -1)\n"
		"ends = aten.add.Tensor(left, aten.slice.Tensor(y, dim, 1))\n"
		"return aten.cumsum(aten.mul.Scalar(ends, dx / 2.0), dim)" },
	{ .name = "cumulative_trapezoid.x", .parts = DISTANCES "return aten.div.Scalar(aten.cumsum(areas, d), 2.0)" },
	{ .name = "gradient.scalarint", .parts = GRADIENT(ALL_OR_ONE, "[1.0 if spacing is None else spacing] * len(dims)") },
	{ .name = "gradient.scalararray", .parts = GRADIENT("dim", "[spacing] * len(dims)") },
	{ .name = "gradient.array", .parts = GRADIENT("dim", "[1.0] * len(dims)") },
	{ .name = "gradient.scalarrayint", .parts = GRADIENT(ALL_OR_ONE, "spacing") },
	{ .name = "gradient.scalarrayarray", .parts = GRADIENT("dim", "spacing") },
	{ .name = "gradient.tensorarrayint", .parts = AT_PLACES(ALL_OR_ONE) },
	{ .name = "gradient.tensorarray", .parts = AT_PLACES("dim") },
	{ 0 },
};
