/* Functions of torch that PyTorch writes in Python (torch/functional.py), down to their operators. */
#include "ops/functional.h"

/* f(a, b) and f([a, b]) */
#define TENSORS \
	"if len(tensors) == 1 and isinstance(tensors[0], (list, tuple)):\n" \
	"    tensors = tensors[0]\n"

static const char tensordot_body[] =
	"if isinstance(dims, int):\n"
	"    if dims < 0 or dims > a.dim() or dims > b.dim():\n"
	"        raise ValueError(f'tensordot: dims={dims} does not fit tensors of {a.dim()} and {b.dim()} dimensions')\n"
	"    dims = [[i - dims for i in range(dims)], [i for i in range(dims)]]\n"
	"first, second = dims\n"
	"first = list(first) if isinstance(first, (list, tuple)) else [first]\n"
	"second = list(second) if isinstance(second, (list, tuple)) else [second]\n"
	"return aten.tensordot(a, b, first, second)\n";

static const char cdist_body[] =
	"modes = {'use_mm_for_euclid_dist_if_necessary': None, 'use_mm_for_euclid_dist': 1, 'donot_use_mm_for_euclid_dist': 2}\n"
	"if compute_mode not in modes:\n"
	"    raise ValueError(f'{compute_mode} is not a valid value for compute_mode')\n"
	"return aten.cdist(x1, x2, p, modes[compute_mode])\n";

static const char norm_body[] =
	"if isinstance(dim, int):\n"
	"    dim = [dim]\n"
	"if p == 'fro' and (dim is None or len(dim) <= 2):\n"
	"    return aten.linalg_vector_norm(input, 2, dim, keepdim, dtype=dtype)\n"
	"if isinstance(p, str):\n"
	"    if dim is None:\n"
	"        dim = [i for i in range(input.dim())]\n"
	"    return aten.linalg_matrix_norm.str_ord(input, p, dim, keepdim, dtype=dtype)\n"
	"return aten.linalg_vector_norm(input, 2.0 if p is None else p, dim, keepdim, dtype=dtype)\n";

static const char unique_body[] =
	"if dim is not None:\n"
	"    out, inverse, counts = aten.unique_dim(input, dim, sorted, return_inverse, return_counts)\n"
	"else:\n"
	"    out, inverse, counts = aten._unique2(input, sorted, return_inverse, return_counts)\n"
	"if return_inverse and return_counts:\n"
	"    return out, inverse, counts\n"
	"if return_inverse:\n"
	"    return out, inverse\n"
	"return (out, counts) if return_counts else out\n";

static const char unique_consecutive_body[] =
	"out, inverse, counts = aten.unique_consecutive(input, return_inverse, return_counts, dim)\n"
	"if return_inverse and return_counts:\n"
	"    return out, inverse, counts\n"
	"if return_inverse:\n"
	"    return out, inverse\n"
	"return (out, counts) if return_counts else out\n";

static const char broadcast_shapes_body[] =
	"out = []\n"
	"for s in shapes:\n"
	"    s = [s] if isinstance(s, int) else list(s)\n"
	"    s = [1 for i in range(len(out) - len(s))] + s\n"
	"    out = [1 for i in range(len(s) - len(out))] + out\n"
	"    for i in range(len(s)):\n"
	"        if s[i] != out[i] and s[i] != 1 and out[i] != 1:\n"
	"            raise ValueError(f'broadcast_shapes: {s} and {out} cannot be broadcast together')\n"
	"    out = [s[i] if out[i] == 1 else out[i] for i in range(len(s))]\n"
	"return tuple(out)\n";

/* Operands and lists of dimension numbers in turn stand for an equation. */
static const char einsum_body[] =
	"equation = args[0]\n"
	"operands = list(args[1:])\n"
	"if not isinstance(equation, str):\n"
	"    letters = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz'\n"
	"    equation = ''\n"
	"    operands = []\n"
	"    for i in range(len(args)):\n"
	"        if i % 2 == 0 and i + 1 < len(args):\n"
	"            operands = operands + [args[i]]\n"
	"            continue\n"
	"        equation = equation + ('->' if i % 2 == 0 else ',' if i > 1 else '')\n"
	"        for n in args[i]:\n"
	"            equation = equation + ('...' if n is ... else letters[n])\n"
	"if len(operands) == 1 and isinstance(operands[0], (list, tuple)):\n"
	"    operands = list(operands[0])\n"
	"return aten.einsum(equation, operands)\n";

const struct function_rule functional_torch_rules[] = {
	{ "torch.broadcast_tensors", "*tensors", TENSORS "return aten.broadcast_tensors(list(tensors))\n" },
	{ "torch.broadcast_shapes", "*shapes", broadcast_shapes_body },
	{ "torch.einsum", "*args", einsum_body },
	{ "torch.meshgrid", "*tensors, indexing=None",
	  TENSORS
	  "if indexing is None:\n"
	  "    return tuple(aten.meshgrid.default(list(tensors)))\n"
	  "return tuple(aten.meshgrid.indexing(list(tensors), indexing=indexing))\n" },
	{ "torch.tensordot", "a, b, dims=2, out=None", tensordot_body },
	{ "torch.cartesian_prod", "*tensors", TENSORS "return aten.cartesian_prod(list(tensors))\n" },
	{ "torch.block_diag", "*tensors", TENSORS "return aten.block_diag(list(tensors))\n" },
	{ "torch.cdist", "x1, x2, p=2.0, compute_mode='use_mm_for_euclid_dist_if_necessary'", cdist_body },
	{ "torch.atleast_1d", "*tensors",
	  "if len(tensors) == 1:\n    tensors = tensors[0]\n"
	  "return tuple(aten.atleast_1d.Sequence(list(tensors))) if isinstance(tensors, (list, tuple)) else aten.atleast_1d.default(tensors)\n" },
	{ "torch.atleast_2d", "*tensors",
	  "if len(tensors) == 1:\n    tensors = tensors[0]\n"
	  "return tuple(aten.atleast_2d.Sequence(list(tensors))) if isinstance(tensors, (list, tuple)) else aten.atleast_2d.default(tensors)\n" },
	{ "torch.atleast_3d", "*tensors",
	  "if len(tensors) == 1:\n    tensors = tensors[0]\n"
	  "return tuple(aten.atleast_3d.Sequence(list(tensors))) if isinstance(tensors, (list, tuple)) else aten.atleast_3d.default(tensors)\n" },
	{ "torch.norm", "input, p='fro', dim=None, keepdim=False, out=None, dtype=None", norm_body },
	{ "torch.chain_matmul", "*matrices, out=None", "return aten.chain_matmul(list(matrices))\n" },
	{ "torch.nonzero", "input, *, as_tuple=False", "return aten.nonzero_numpy(input) if as_tuple else aten.nonzero(input)\n" },
	{ "torch.unique", "input, sorted=True, return_inverse=False, return_counts=False, dim=None", unique_body },
	{ "torch.unique_consecutive", "input, return_inverse=False, return_counts=False, dim=None", unique_consecutive_body },
	{ "torch.split", "tensor, split_size_or_sections, dim=0", "return tensor.split(split_size_or_sections, dim)\n" },
	{ 0 },
};
