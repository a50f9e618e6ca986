/*
 * Operators that join, repeat and move elements into new memory
 * (aten/src/ATen/native/{TensorShape,TensorTransformations,TriangularOps,
 * Repeat}.cpp).
 */
#include <string.h>

#include "ops/op.h"
#include "ops/shapes.h"

/* ---- Joining ---- */

/* A vector of no elements may stand anywhere in a list for cat(), for old times' sake. */
static bool is_skipped(const struct value *v)
{
	return v->ndim == 1 && v->size[0] == 0;
}

/* The format that all of them have, contiguous when they differ (cat_compute_output_memory_format). */
static enum memory_format common_format(struct value *const *in, int n)
{
	enum memory_format f = value_format(in[0]);
	for (int i = 1; i < n; i++)
		if (value_format(in[i]) != f)
			return FORMAT_CONTIGUOUS;
	return f;
}

static bool add_sizes(struct op_call *c, const struct value *first, const struct value *v, int d, int64_t *size)
{
	if (v->ndim != first->ndim)
		return op_fail(c, "tensors must have the same number of dimensions: got %V and %V", first, v);
	for (int i = 0; i < v->ndim; i++)
		if (i != d && v->size[i] != first->size[i])
			return op_fail(c, "sizes of tensors must match except in dimension %d: got %V and %V", d, first, v);
	if (__builtin_add_overflow(size[d], v->size[d], &size[d]))
		return op_fail(c, "the result has more elements than can be counted");
	return true;
}

static bool shape_cat(struct op_call *c)
{
	int n, d;
	struct value **in = op_tensors(c, "tensors", &n), *first = NULL;
	int64_t size[MAX_DIMS];
	if (n == 0)
		return op_fail(c, "expected a non-empty list of tensors");
	for (int i = 0; i < n; i++) {
		if (in[i]->ndim == 0)
			return op_fail(c, "zero-dimensional tensor (at position %d) cannot be concatenated", i);
		if (!first && !is_skipped(in[i]))
			first = in[i];
	}
	enum dtype dtype = op_result_type(c, in, n);
	if (!first)
		return op_out(c, dtype, 1, in[0]->size) != NULL;
	if (!op_dim(c, op_int(c, "dim", 0), first->ndim, &d))
		return false;
	memcpy(size, first->size, (size_t)first->ndim * sizeof *size);
	size[d] = 0;
	for (int i = 0; i < n; i++)
		if (!is_skipped(in[i]) && !add_sizes(c, first, in[i], d, size))
			return false;
	return op_out_format(c, dtype, first->ndim, size, common_format(in, n)) != NULL;
}

/* Each tensor in as many parts along dim, the last ones filled up with zeros; parts of the same number side by side (TensorShape.cpp: _chunk_cat). */
static bool shape_chunk_cat(struct op_call *c)
{
	int n, d = (int)op_int(c, "dim", 0);
	struct value **in = op_tensors(c, "tensors", &n);
	int64_t chunks = op_int(c, "num_chunks", 1), size[MAX_DIMS], width = 0;
	if (n == 0 || chunks < 1)
		return op_fail(c, "expected tensors, and at least one part of each");
	d += d < 0 ? in[0]->ndim : 0;
	for (int i = 0; i < n; i++) {
		if (d < 0 || d >= in[i]->ndim || memcmp(in[i]->size, in[0]->size, (size_t)d * sizeof *size) != 0 || in[i]->dtype != in[0]->dtype)
			return op_fail(c, "%V and %V differ before dimension %d, or in type", in[0], in[i], d);
		int64_t each = in[i]->size[d] / chunks + (in[i]->size[d] % chunks != 0);
		for (int j = d + 1; j < in[i]->ndim; j++)
			each *= in[i]->size[j];
		width += each;
	}
	memcpy(size, in[0]->size, (size_t)d * sizeof *size);
	size[d] = chunks;
	size[d + 1] = width;
	return d + 2 <= MAX_DIMS && op_out(c, in[0]->dtype, d + 2, size);
}

static bool shape_stack(struct op_call *c)
{
	int n, d;
	struct value **in = op_tensors(c, "tensors", &n);
	int64_t size[MAX_DIMS];
	if (n == 0)
		return op_fail(c, "expected a non-empty list of tensors");
	for (int i = 1; i < n; i++)
		if (!same_sizes(in[0], in[i]))
			return op_fail(c, "expects each tensor to be equal size, but got %V at entry 0 and %V at entry %d", in[0], in[i], i);
	if (in[0]->ndim >= MAX_DIMS)
		return op_fail(c, "a tensor cannot have more than %d dimensions", MAX_DIMS);
	if (!op_dim(c, op_int(c, "dim", 0), in[0]->ndim + 1, &d))
		return false;
	for (int i = 0, j = 0; i <= in[0]->ndim; i++)
		size[i] = i == d ? n : in[0]->size[j++];
	return op_out(c, op_result_type(c, in, n), in[0]->ndim + 1, size) != NULL;
}

static bool shape_block_diag(struct op_call *c)
{
	int n;
	struct value **in = op_tensors(c, "tensors", &n);
	int64_t size[2] = { 0, 0 };
	for (int i = 0; i < n; i++) {
		if (in[i]->ndim > 2)
			return op_fail(c, "input tensors must have 2 or fewer dimensions, got %V", in[i]);
		size[0] += in[i]->ndim == 2 ? in[i]->size[0] : 1;
		size[1] += in[i]->ndim == 0 ? 1 : in[i]->size[in[i]->ndim - 1];
	}
	if (n == 0)
		size[0] = 1;
	return op_out(c, n ? op_result_type(c, in, n) : DT_FLOAT32, 2, size) != NULL;
}

/* ---- Repeating ---- */

static bool shape_repeat(struct op_call *c)
{
	struct value *self = op_tensor(c, "self");
	int n;
	const int64_t *times = op_ints(c, "repeats", &n);
	int64_t size[MAX_DIMS];
	int skip = n - self->ndim;
	if (skip < 0 || n > MAX_DIMS)
		return op_fail(c, "number of dimensions of repeat dims (%d) can not be smaller than number of dimensions of tensor %V", n, self);
	for (int i = 0; i < n; i++) {
		if (times[i] < 0)
			return op_fail(c, "trying to create tensor with negative dimension %lld", (long long)times[i]);
		if (__builtin_mul_overflow(times[i], i < skip ? 1 : self->size[i - skip], &size[i]))
			return op_fail(c, "the result has more elements than can be counted");
	}
	return op_out(c, self->dtype, n, size) != NULL;
}

/* The sum of the repeats is known only when output_size says it. */
static bool shape_repeat_interleave(struct op_call *c)
{
	struct value *repeats = op_tensor(c, "repeats");
	int64_t n = op_int(c, "output_size", -1);
	if (repeats->ndim != 1)
		return op_fail(c, "repeat_interleave only accept 1D vector as repeat, got %V", repeats);
	return (n < 0 ? out_unknown(c, repeats->dtype) : op_out(c, repeats->dtype, 1, &n)) != NULL;
}

/* ---- Moving ---- */

static bool shape_flip(struct op_call *c)
{
	struct value *self = op_tensor(c, "self");
	bool marked[MAX_DIMS];
	return dims_marked(c, "dims", self->ndim, false, marked) && op_out_like(c, self, self->dtype);
}

static bool shape_roll(struct op_call *c)
{
	struct value *self = op_tensor(c, "self");
	int shifts, dims, d;
	op_ints(c, "shifts", &shifts);
	const int64_t *at = op_ints(c, "dims", &dims);
	if (dims != shifts && !(dims == 0 && shifts == 1))
		return op_fail(c, "shifts and dimensions must align: %d shifts, %d dims", shifts, dims);
	for (int i = 0; i < dims; i++)
		if (!op_dim(c, at[i], self->ndim, &d))
			return false;
	return op_out(c, self->dtype, self->ndim, self->size) != NULL;
}

/* A quarter turn is flip() and a transposed copy; both keep the layout. */
static bool shape_rot90(struct op_call *c)
{
	struct value *self = op_tensor(c, "self");
	int n, a, b;
	const int64_t *dims = op_ints(c, "dims", &n);
	int64_t turns = op_int(c, "k", 1) % 4;
	if (n != 2)
		return op_fail(c, "expected total rotation dims == 2, but got dims = %d", n);
	if (self->ndim < 2 || !op_dim(c, dims[0], self->ndim, &a) || !op_dim(c, dims[1], self->ndim, &b))
		return self->ndim < 2 ? op_fail(c, "expected total dims >= 2, but got %V", self) : false;
	if (a == b)
		return op_fail(c, "expected rotation dims to be different, but got dim0 = %d and dim1 = %d", a, b);
	if (turns % 2 == 0)
		return op_out_like(c, self, self->dtype) != NULL;
	struct value *like = value_new(c->arena, self->dtype, self->ndim, self->size);
	if (!like)
		return fail_memory(c->err);
	memcpy(like->stride, self->stride, (size_t)self->ndim * sizeof *like->stride);
	like->size[a] = self->size[b];
	like->size[b] = self->size[a];
	like->stride[a] = self->stride[b];
	like->stride[b] = self->stride[a];
	return op_out_like(c, like, self->dtype) != NULL;
}

/* ---- Diagonals and triangles ---- */

static bool shape_triangle(struct op_call *c)
{
	struct value *self = op_tensor(c, "self");
	if (self->ndim < 2)
		return op_fail(c, "input tensor must have at least 2 dimensions, got %V", self);
	return shape_same_contiguous(c);
}

static bool shape_diag_embed(struct op_call *c)
{
	struct value *self = op_tensor(c, "self");
	int64_t offset = op_int(c, "offset", 0), size[MAX_DIMS];
	int n = self->ndim + 1, a, b;
	if (self->ndim < 1 || n > MAX_DIMS)
		return op_fail(c, "expected a tensor of at least one dimension, got %V", self);
	if (!op_dim(c, op_int(c, "dim1", -2), n, &a) || !op_dim(c, op_int(c, "dim2", -1), n, &b))
		return false;
	if (a == b)
		return op_fail(c, "diagonal dimensions cannot be identical: %d, %d", a, b);
	int64_t side = self->size[self->ndim - 1];
	if (offset == INT64_MIN || __builtin_add_overflow(side, offset < 0 ? -offset : offset, &side))
		return op_fail(c, "a diagonal at %lld is longer than 63 bits can count", (long long)offset);
	for (int i = 0, j = 0; i < n; i++)
		size[i] = i == a || i == b ? side : self->size[j++];
	return op_out(c, self->dtype, n, size) != NULL;
}

static bool shape_diagonal_copy(struct op_call *c)
{
	struct value *self = op_tensor(c, "self");
	int64_t offset = op_int(c, "offset", 0), size[MAX_DIMS];
	int a, b, n = 0;
	if (!op_dim(c, op_int(c, "dim1", 0), self->ndim, &a) || !op_dim(c, op_int(c, "dim2", 1), self->ndim, &b))
		return false;
	if (a == b)
		return op_fail(c, "diagonal dimensions cannot be identical: %d, %d", a, b);
	int64_t rows = self->size[a] + (offset < 0 ? offset : 0), columns = self->size[b] - (offset > 0 ? offset : 0);
	for (int i = 0; i < self->ndim; i++)
		if (i != a && i != b)
			size[n++] = self->size[i];
	size[n] = rows < columns ? rows : columns;
	if (size[n] < 0)
		size[n] = 0;
	return op_out(c, self->dtype, n + 1, size) != NULL;
}

/* ---- Rows ---- */

const struct op_rule rearrange_rules[] = {
	{ .name = "cat", .shape = shape_cat },
	{ .name = "_chunk_cat", .shape = shape_chunk_cat },
	{ .name = "stack", .shape = shape_stack },
	{ .name = "block_diag", .shape = shape_block_diag },
	{ .name = "repeat", .shape = shape_repeat },
	{ .name = "repeat_interleave.Tensor", .shape = shape_repeat_interleave },
	{ .name = "flip", .shape = shape_flip },
	{ .name = "roll", .shape = shape_roll },
	{ .name = "rot90", .shape = shape_rot90 },
	{ .name = "tril", .shape = shape_triangle },
	{ .name = "triu", .shape = shape_triangle },
	{ .name = "tril_", .shape = shape_inplace },
	{ .name = "triu_", .shape = shape_inplace },
	{ .name = "diag_embed", .shape = shape_diag_embed },
	{ .name = "diagonal_copy", .shape = shape_diagonal_copy },
	{ .name = "slice_scatter", .shape = shape_same },
	{ .name = "select_scatter", .shape = shape_same },
	{ .name = "diagonal_scatter", .shape = shape_same },
	{ .name = "as_strided_scatter", .shape = shape_same },

	/* composites */
	{ .name = "concat", .parts = "return aten.cat(tensors, dim)" },
	{ .name = "concatenate", .parts = "return aten.cat(tensors, dim)" },
	{ .name = "hstack", .parts =
		"parts = [aten.atleast_1d(t) for t in tensors]\n"
		"return aten.cat(parts, 0 if parts[0].dim() == 1 else 1)" },
	{ .name = "vstack", .parts = "return aten.cat([aten.atleast_2d(t) for t in tensors], 0)" },
	{ .name = "row_stack", .parts = "return aten.vstack(tensors)" },
	{ .name = "dstack", .parts = "return aten.cat([aten.atleast_3d(t) for t in tensors], 2)" },
	{ .name = "column_stack", .parts =
		"return aten.cat([aten.reshape(t, [t.numel(), 1]) if t.dim() <= 1 else t for t in tensors], 1)" },
	{ .name = "broadcast_tensors", .parts =
		"n = max([t.dim() for t in tensors])\n"
		"size = [1] * n\n"
		"for t in tensors:\n"
		"    for i in range(t.dim()):\n"
		"        s, k = t.size(i), n - t.dim() + i\n"
		"        if s != 1 and size[k] != 1 and s != size[k]:\n"
		"            raise ValueError(f'The size of tensor a ({size[k]}) must match the size of tensor b ({s}) at non-singleton dimension {k}')\n"
		"        size[k] = s if size[k] == 1 else size[k]\n"
		"return [t if list(t.shape) == size else aten.expand(t, size) for t in tensors]" },
	{ .name = "meshgrid", .parts = "return aten.meshgrid.indexing(tensors, indexing='ij')" },
	{ .name = "meshgrid.indexing", .parts =
		"swap = indexing == 'xy' and len(tensors) >= 2\n"
		"if indexing != 'xy' and indexing != 'ij':\n"
		"    raise ValueError(f'torch.meshgrid: indexing must be one of \"xy\" or \"ij\", but received: {indexing}')\n"
		"order = list(tensors)\n"
		"if swap:\n"
		"    order[0], order[1] = order[1], order[0]\n"
		"size = [t.numel() for t in order]\n"
		"grids = []\n"
		"for i in range(len(order)):\n"
		"    grids.append(aten.expand(aten.view(order[i], [1] * i + [-1] + [1] * (len(order) - i - 1)), size))\n"
		"if swap:\n"
		"    grids[0], grids[1] = grids[1], grids[0]\n"
		"return grids" },
	{ .name = "cartesian_prod", .parts =
		"for t in tensors:\n"
		"    if t.dim() != 1:\n"
		"        raise ValueError(f'Expect a 1D vector, but got shape {t.shape}')\n"
		"if len(tensors) == 1:\n"
		"    return tensors[0]\n"
		"grids = aten.meshgrid.indexing(tensors, indexing='ij')\n"
		"return aten.stack([aten.flatten(g) for g in grids], 1)" },
	/* aten/src/ATen/native/Itertools.cpp; the mask is that of _triu_mask() */
	{ .name = "combinations", .parts =
		"if self.dim() != 1:\n"
		"    raise ValueError(f'Expect a 1D vector, but got shape {self.shape}')\n"
		"if r < 0:\n"
		"    raise ValueError(f'Expect a non-negative number, but got {r}')\n"
		"if r == 0:\n"
		"    return aten.empty.memory_format([0], dtype=self.dtype)\n"
		"grids = aten.meshgrid.indexing([self] * r, indexing='ij')\n"
		"places = aten.meshgrid.indexing([aten.arange(self.numel(), dtype=torch.int64)] * r, indexing='ij')\n"
		"mask = aten.full([self.numel()] * r, True, dtype=torch.bool)\n"
		"for i in range(r - 1):\n"
		"    ordered = aten.le.Tensor(places[i], places[i + 1]) if with_replacement else aten.lt.Tensor(places[i], places[i + 1])\n"
		"    mask = aten.mul_.Tensor(mask, ordered)\n"
		"return aten.stack([aten.masked_select(g, mask) for g in grids], 1)" },
	{ .name = "tile", .parts = "return aten.repeat(self, [1] * (self.dim() - len(dims)) + list(dims))" },
	{ .name = "repeat_interleave.self_int", .parts =
		"if repeats < 0:\n"
		"    raise ValueError('Repeats must be non-negative')\n"
		"x = aten.flatten(self) if dim is None else self\n"
		"d = 0 if dim is None else dim % max(x.dim(), 1)\n"
		"if x.dim() == 0:\n"
		"    x = aten.view(x, [1])\n"
		"x = aten.unsqueeze(x, d + 1)\n"
		"x = aten.expand(x, list(x.shape[:d + 1]) + [repeats] + list(x.shape[d + 2:]))\n"
		"x = aten.clone(x, memory_format=torch.contiguous_format)\n"
		"return aten.view(x, list(x.shape[:d]) + [x.size(d) * repeats] + list(x.shape[d + 2:]))" },
	{ .name = "repeat_interleave.self_Tensor", .parts =
		"x = aten.flatten(self) if dim is None else self\n"
		"d = 0 if dim is None else dim\n"
		"times = repeats\n"
		"if times.dim() == 0 or times.size(0) == 1:\n"
		"    times = aten.expand(aten.reshape(times, [1]), [x.size(d)])\n"
		"elif times.size(0) != x.size(d):\n"
		"    raise ValueError(f'repeats must have the same size as input along dim, but got repeats.size(0) = {times.size(0)} and input.size({d}) = {x.size(d)}')\n"
		"return aten.index_select(x, d, aten.repeat_interleave.Tensor(times, output_size=output_size))" },
	{ .name = "fliplr", .parts =
		"if self.dim() < 2:\n"
		"    raise ValueError('Input must be >= 2-d.')\n"
		"return aten.flip(self, [1])" },
	{ .name = "flipud", .parts =
		"if self.dim() < 1:\n"
		"    raise ValueError('Input must be >= 1-d.')\n"
		"return aten.flip(self, [0])" },
	{ .name = "diag", .parts =
		"if self.dim() == 1:\n"
		"    return aten.diag_embed(self, diagonal)\n"
		"if self.dim() != 2:\n"
		"    raise ValueError(f'diag(): Supports 1D or 2D tensors. Got {self.dim()}D')\n"
		"return aten.diagonal_copy(self, diagonal)" },
	{ .name = "diagflat", .parts = "return aten.diag(aten.view(aten.contiguous(self), [-1]), offset)" },
	{ .name = "pad_sequence", .parts =
		"longest = max([s.size(0) for s in sequences])\n"
		"rest = list(sequences[0].shape[1:])\n"
		"n = len(sequences)\n"
		"out = aten.full([n, longest] + rest if batch_first else [longest, n] + rest, padding_value, dtype=sequences[0].dtype)\n"
		"for i in range(n):\n"
		"    m = sequences[i].size(0)\n"
		"    a = longest - m if padding_side == 'left' else 0\n"
		"    if batch_first:\n"
		"        place = aten.slice.Tensor(aten.select.int(out, 0, i), 0, a, a + m)\n"
		"    else:\n"
		"        place = aten.select.int(aten.slice.Tensor(out, 0, a, a + m), 1, i)\n"
		"    aten.copy_(place, sequences[i])\n"
		"return out" },
	{ .name = "flatten_dense_tensors", .parts = "return aten.cat([aten.reshape(aten.contiguous(t), [-1]) for t in tensors])" },
	{ 0 },
};
