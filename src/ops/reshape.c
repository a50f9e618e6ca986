/*
 * Operators that are made of views (aten/src/ATen/native/TensorShape.cpp):
 * reshape, flatten, chunk, movedim and their kin.  A view that would change
 * nothing is the tensor itself.
 */
#include "ops/op.h"

/* Pieces of nearly one size: the first ones are one longer (tensor_split in TensorShape.cpp). */
#define TENSOR_SPLIT \
	"dim = dim % self.dim()\n" \
	"n = self.size(dim)\n" \
	"if sections <= 0:\n" \
	"    raise ValueError('number of sections must be larger than 0')\n" \
	"pieces = []\n" \
	"start = 0\n" \
	"for i in range(sections):\n" \
	"    length = n // sections + (1 if i < n % sections else 0)\n" \
	"    pieces.append(aten.slice.Tensor(self, dim, start, start + length))\n" \
	"    start = start + length\n" \
	"return pieces"

const struct op_rule reshape_rules[] = {
	{ .name = "reshape", .parts =
		"if self.is_contiguous():\n"
		"    return aten.view(self, shape)\n"
		"if self._can_view(shape):\n"
		"    sizes, strides = self._viewed(shape)\n"
		"    return aten._reshape_alias(self, sizes, strides)\n"
		"return aten._unsafe_view(aten.clone(self, memory_format=torch.contiguous_format), shape)" },
	{ .name = "reshape_as", .parts = "return aten.reshape(self, other.shape)" },
	{ .name = "view_as", .parts = "return aten.view(self, other.shape)" },
	{ .name = "flatten.using_ints", .parts =
		"n = max(self.dim(), 1)\n"
		"for d in (start_dim, end_dim):\n"
		"    if d < -n or d >= n:\n"
		"        raise IndexError(f'Dimension out of range (expected to be in range of [{-n}, {n - 1}], but got {d})')\n"
		"a, b = start_dim % n, end_dim % n\n"
		"if a > b:\n"
		"    raise ValueError('flatten() has invalid args: start_dim cannot come after end_dim')\n"
		"if self.dim() == 0:\n"
		"    return aten.reshape(self, [1])\n"
		"if a == b:\n"
		"    return self\n"
		"m = 1\n"
		"for d in range(a, b + 1):\n"
		"    m = m * self.size(d)\n"
		"return aten.reshape(self, list(self.shape[:a]) + [m] + list(self.shape[b + 1:]))" },
	{ .name = "ravel", .parts = "return aten.view(aten.contiguous(self), [-1])" },
	{ .name = "unflatten.int", .parts =
		"d = dim % self.dim()\n"
		"known = 1\n"
		"for s in sizes:\n"
		"    known = known * s if s != -1 else known\n"
		"full = [self.size(d) // known if s == -1 and known else s for s in sizes]\n"
		"m = 1\n"
		"for s in full:\n"
		"    m = m * s\n"
		"if m != self.size(d):\n"
		"    raise ValueError(f'unflatten: Provided sizes {sizes} don\\'t multiply up to the size of dim {d} ({self.size(d)}) in the input tensor')\n"
		"return aten.view(self, list(self.shape[:d]) + full + list(self.shape[d + 1:]))" },
	{ .name = "expand_as", .parts = "return aten.expand(self, other.shape)" },
	{ .name = "broadcast_to", .parts = "return aten.expand(self, size)" },
	{ .name = "split.sizes", .parts = "return aten.split_with_sizes(self, split_size, dim)" },
	{ .name = "chunk", .parts =
		"if self.dim() == 0:\n"
		"    raise ValueError('chunk expects at least a 1-dimensional tensor')\n"
		"if chunks <= 0:\n"
		"    raise ValueError(f'chunk expects `chunks` to be greater than 0, got: {chunks}')\n"
		"n = self.size(dim)\n"
		"if n == 0:\n"
		"    return aten.split_with_sizes(self, [0] * chunks, dim)\n"
		"return aten.split.Tensor(self, (n + chunks - 1) // chunks, dim)" },
	{ .name = "unsafe_chunk", .parts =
		"n = self.size(dim)\n"
		"if n == 0:\n"
		"    return aten.unsafe_split_with_sizes(self, [0] * chunks, dim)\n"
		"return aten.unsafe_split.Tensor(self, (n + chunks - 1) // chunks, dim)" },
	{ .name = "tensor_split.sections", .parts = TENSOR_SPLIT },
	{ .name = "tensor_split.indices", .parts =
		"dim = dim % self.dim()\n"
		"pieces = []\n"
		"start = 0\n"
		"for end in indices:\n"
		"    pieces.append(aten.slice.Tensor(self, dim, start, end))\n"
		"    start = end\n"
		"pieces.append(aten.slice.Tensor(self, dim, start, self.size(dim)))\n"
		"return pieces" },
	{ .name = "tensor_split.tensor_indices_or_sections", .reads = "tensor_indices_or_sections", .parts =
		"where = tensor_indices_or_sections.tolist()\n"
		"if tensor_indices_or_sections.dim() == 0:\n"
		"    return aten.tensor_split.sections(self, where, dim)\n"
		"return aten.tensor_split.indices(self, where, dim)" },
	{ .name = "hsplit.int", .parts = "return aten.tensor_split.sections(self, sections, 0 if self.dim() == 1 else 1)" },
	{ .name = "hsplit.array", .parts = "return aten.tensor_split.indices(self, indices, 0 if self.dim() == 1 else 1)" },
	{ .name = "vsplit.int", .parts = "return aten.tensor_split.sections(self, sections, 0)" },
	{ .name = "vsplit.array", .parts = "return aten.tensor_split.indices(self, indices, 0)" },
	{ .name = "dsplit.int", .parts = "return aten.tensor_split.sections(self, sections, 2)" },
	{ .name = "dsplit.array", .parts = "return aten.tensor_split.indices(self, indices, 2)" },
	{ .name = "narrow", .parts =
		"n = self.size(dim)\n"
		"if length < 0:\n"
		"    raise ValueError('narrow(): length must be non-negative.')\n"
		"if start < -n or start > n:\n"
		"    raise IndexError(f'start out of range (expected to be in range of [{-n}, {n}], but got {start})')\n"
		"s = start + n if start < 0 else start\n"
		"if s + length > n:\n"
		"    raise ValueError(f'start ({s}) + length ({length}) exceeds dimension size ({n}).')\n"
		"return aten.slice.Tensor(self, dim, s, s + length, 1)" },
	{ .name = "movedim.intlist", .parts =
		"n = self.dim()\n"
		"if len(source) != len(destination):\n"
		"    raise ValueError('movedim: Invalid source or destination dims: source and destination must have the same number of dims')\n"
		"if n == 0:\n"
		"    return aten.alias(self)\n"
		"to = [d % n for d in destination]\n"
		"of = [d % n for d in source]\n"
		"rest = [d for d in range(n) if d not in of]\n"
		"order = []\n"
		"for i in range(n):\n"
		"    if i in to:\n"
		"        order.append(of[to.index(i)])\n"
		"    else:\n"
		"        order.append(rest[i - len([d for d in to if d < i])])\n"
		"return aten.permute(self, order)" },
	{ .name = "movedim.int", .parts = "return aten.movedim.intlist(self, [source], [destination])" },
	{ .name = "moveaxis.intlist", .parts = "return aten.movedim.intlist(self, source, destination)" },
	{ .name = "moveaxis.int", .parts = "return aten.movedim.intlist(self, [source], [destination])" },
	{ .name = "swapaxes", .parts = "return aten.transpose.int(self, axis0, axis1)" },
	{ .name = "swapaxes_", .parts = "return aten.transpose_(self, axis0, axis1)" },
	{ .name = "swapdims", .parts = "return aten.transpose.int(self, dim0, dim1)" },
	{ .name = "swapdims_", .parts = "return aten.transpose_(self, dim0, dim1)" },
	{ .name = "numpy_T", .parts = "return aten.permute(self, list(range(self.dim() - 1, -1, -1)))" },
	{ .name = "mT", .parts =
		"if self.dim() < 2:\n"
		"    raise ValueError('tensor.mT is only supported on matrices or batches of matrices')\n"
		"return aten.transpose.int(self, -2, -1)" },
	{ .name = "matrix_H", .parts = "return aten.adjoint(self)" },
	{ .name = "mH", .parts = "return aten.adjoint(self)" },
	{ .name = "adjoint", .parts =
		"if self.dim() < 2:\n"
		"    raise ValueError('tensor.adjoint() is only supported on matrices or batches of matrices')\n"
		"x = aten.transpose.int(self, -2, -1)\n"
		"return aten._conj(x) if self.is_complex() else x" },
	{ .name = "atleast_1d", .parts = "return aten.reshape(self, [1]) if self.dim() == 0 else self" },
	{ .name = "atleast_2d", .parts =
		"if self.dim() == 0:\n"
		"    return aten.reshape(self, [1, 1])\n"
		"return aten.unsqueeze(self, 0) if self.dim() == 1 else self" },
	{ .name = "atleast_3d", .parts =
		"if self.dim() == 0:\n"
		"    return aten.reshape(self, [1, 1, 1])\n"
		"if self.dim() == 1:\n"
		"    return aten.unsqueeze(aten.unsqueeze(self, 0), -1)\n"
		"return aten.unsqueeze(self, -1) if self.dim() == 2 else self" },
	{ .name = "atleast_1d.Sequence", .parts = "return [aten.atleast_1d(t) for t in tensors]" },
	{ .name = "atleast_2d.Sequence", .parts = "return [aten.atleast_2d(t) for t in tensors]" },
	{ .name = "atleast_3d.Sequence", .parts = "return [aten.atleast_3d(t) for t in tensors]" },
	{ .name = "linalg_diagonal", .parts = "return aten.diagonal(A, offset, dim1, dim2)" },
	{ .name = "data", .parts = "return aten.detach(self)" },
	{ 0 },
};
