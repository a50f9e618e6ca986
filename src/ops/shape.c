/*
 * Views: the same memory under other sizes, strides and an offset
 * (aten/src/ATen/native/TensorShape.cpp).  Strides and offsets count elements.
 */
#include <string.h>

#include "ops/op.h"
#include "ops/shapes.h"

/* The geometry of a view while a rule works on it. */
struct geometry {
	int ndim;
	int64_t size[MAX_DIMS], stride[MAX_DIMS], offset;
};

static void geometry_of(const struct value *v, struct geometry *g)
{
	g->ndim = v->ndim;
	g->offset = v->offset;
	memcpy(g->size, v->size, (size_t)v->ndim * sizeof *g->size);
	memcpy(g->stride, v->stride, (size_t)v->ndim * sizeof *g->stride);
}

static void drop_dim(struct geometry *g, int d)
{
	g->ndim--;
	memmove(g->size + d, g->size + d + 1, (size_t)(g->ndim - d) * sizeof *g->size);
	memmove(g->stride + d, g->stride + d + 1, (size_t)(g->ndim - d) * sizeof *g->stride);
}

static void insert_dim(struct geometry *g, int d, int64_t size, int64_t stride)
{
	memmove(g->size + d + 1, g->size + d, (size_t)(g->ndim - d) * sizeof *g->size);
	memmove(g->stride + d + 1, g->stride + d, (size_t)(g->ndim - d) * sizeof *g->stride);
	g->size[d] = size;
	g->stride[d] = stride;
	g->ndim++;
}

/* A view of self; an in-place rule gives self itself the new geometry. */
static bool view_result(struct op_call *c, struct value *self, const struct geometry *g)
{
	if (!c->op->inplace)
		return op_out_view(c, self, g->ndim, g->size, g->stride, g->offset) != NULL;
	size_t n = (size_t)g->ndim;
	int64_t *size = arena_array(c->arena, n + 1, sizeof *size), *stride = arena_array(c->arena, n + 1, sizeof *stride);
	if (!size || !stride)
		return fail_memory(c->err);
	memcpy(size, g->size, n * sizeof *size);
	memcpy(stride, g->stride, n * sizeof *stride);
	self->ndim = g->ndim;
	self->size = size;
	self->stride = stride;
	self->offset = g->offset;
	return op_out_same(c, self);
}

/* ---- Sizes anew ---- */

static bool shape_view(struct op_call *c)
{
	struct value *self = op_tensor(c, "self");
	struct geometry g = { .offset = self->offset };
	const int64_t *size = op_ints(c, "size", &g.ndim);
	if (!infer_sizes(c, self, g.ndim, size, g.size))
		return false;
	if (!view_strides(self, g.ndim, g.size, g.stride))
		return op_fail(c, "view size is not compatible with the strides of input %V (at least one dimension spans across "
		               "two contiguous subspaces); use .reshape(...) instead", self);
	return view_result(c, self, &g);
}

/* For a tensor nobody else looks at: the result shares memory but is no view. */
static bool shape_unsafe_view(struct op_call *c)
{
	struct value *self = op_tensor(c, "self");
	int n;
	const int64_t *given = op_ints(c, "size", &n);
	int64_t size[MAX_DIMS], stride[MAX_DIMS];
	if (!infer_sizes(c, self, n, given, size))
		return false;
	if (!view_strides(self, n, size, stride))
		return op_fail(c, "view size is not compatible with the strides of input %V", self);
	return op_out_strided(c, self->dtype, n, size, stride) != NULL;
}

static bool given_geometry(struct op_call *c, const struct value *self, struct geometry *g)
{
	int n;
	const int64_t *size = op_ints(c, "size", &g->ndim), *stride = op_ints(c, "stride", &n);
	if (n != g->ndim || n > MAX_DIMS)
		return op_fail(c, "%d sizes but %d strides", g->ndim, n);
	memcpy(g->size, size, (size_t)n * sizeof *size);
	memcpy(g->stride, stride, (size_t)n * sizeof *stride);
	g->offset = op_int(c, "storage_offset", self->offset);
	return true;
}

static bool shape_as_strided(struct op_call *c)
{
	struct value *self = op_tensor(c, "self");
	struct geometry g;
	return given_geometry(c, self, &g) && view_result(c, self, &g);
}

/* inferExpandGeometry() in aten/src/ATen/ExpandUtils.cpp */
static bool shape_expand(struct op_call *c)
{
	struct value *self = op_tensor(c, "self");
	struct geometry g = { .offset = self->offset };
	const int64_t *size = op_ints(c, "size", &g.ndim);
	int skip = g.ndim - self->ndim;
	if (skip < 0 || g.ndim > MAX_DIMS)
		return op_fail(c, "the number of sizes provided (%d) must be greater or equal to the number of dimensions in the tensor %V", g.ndim, self);
	for (int i = g.ndim - 1; i >= 0; i--) {
		int64_t old = i >= skip ? self->size[i - skip] : 1;
		int64_t stride = i >= skip ? self->stride[i - skip] : i + 1 < g.ndim ? g.size[i + 1] * g.stride[i + 1] : 1;
		if (size[i] == -1 && i < skip)
			return op_fail(c, "the expanded size of the tensor (-1) isn't allowed in a leading, non-existing dimension %d", i);
		g.size[i] = size[i] == -1 ? old : size[i];
		if (g.size[i] != old && old != 1)
			return op_fail(c, "the expanded size %lld must match the existing size %lld at non-singleton dimension %d of %V",
			               (long long)size[i], (long long)old, i, self);
		g.stride[i] = g.size[i] == old && self->ndim > 0 ? stride : 0; /* a scalar is broadcast everywhere */
	}
	return view_result(c, self, &g);
}

/* The same bytes as another type: the last dimension grows or shrinks by the ratio of the types' sizes. */
static bool shape_view_dtype(struct op_call *c)
{
	struct value *self = op_tensor(c, "self");
	enum dtype d = op_dtype(c, "dtype", self->dtype);
	struct geometry g;
	int64_t from = (int64_t)dtype_size(self->dtype), to = (int64_t)dtype_size(d);
	geometry_of(self, &g);
	if (from != to) {
		int last = g.ndim - 1;
		if (g.ndim == 0 || g.stride[last] != 1 || g.size[last] * from % to != 0)
			return op_fail(c, "the last dimension of %V cannot be seen as %s", self, dtype_name(d));
		g.size[last] = g.size[last] * from / to;
		for (int i = 0; i < last; i++)
			g.stride[i] = g.stride[i] * from / to;
		g.offset = g.offset * from / to;
	}
	struct value *v = op_out_view(c, self, g.ndim, g.size, g.stride, g.offset);
	if (v)
		v->dtype = d;
	return v != NULL;
}

/* ---- Dimensions in another order ---- */

static bool shape_permute(struct op_call *c)
{
	struct value *self = op_tensor(c, "self");
	struct geometry g = { .offset = self->offset };
	bool seen[MAX_DIMS] = { false };
	int d;
	const int64_t *dims = op_ints(c, "dims", &g.ndim);
	if (g.ndim != self->ndim)
		return op_fail(c, "number of dimensions in the tensor input does not match the length of the desired ordering of dimensions, "
		               "i.e. input.dim() = %d is not equal to len(dims) = %d", self->ndim, g.ndim);
	for (int i = 0; i < g.ndim; i++) {
		if (!op_dim(c, dims[i], self->ndim, &d))
			return false;
		if (seen[d])
			return op_fail(c, "duplicate dims are not allowed");
		seen[d] = true;
		g.size[i] = self->size[d];
		g.stride[i] = self->stride[d];
	}
	return view_result(c, self, &g);
}

static bool swapped(struct op_call *c, struct value *self, int a, int b)
{
	struct geometry g;
	geometry_of(self, &g);
	if (g.ndim > 0) {
		g.size[a] = self->size[b];
		g.size[b] = self->size[a];
		g.stride[a] = self->stride[b];
		g.stride[b] = self->stride[a];
	}
	return view_result(c, self, &g);
}

static bool shape_transpose(struct op_call *c)
{
	struct value *self = op_tensor(c, "self");
	int a, b;
	return op_dim(c, op_int(c, "dim0", 0), self->ndim, &a) && op_dim(c, op_int(c, "dim1", 0), self->ndim, &b) && swapped(c, self, a, b);
}

static bool shape_t(struct op_call *c)
{
	struct value *self = op_tensor(c, "self");
	if (self->ndim > 2)
		return op_fail(c, "expected a tensor with at most 2 dimensions, got %V", self);
	return swapped(c, self, 0, self->ndim == 2 ? 1 : 0);
}

/* ---- Parts of a dimension ---- */

static bool shape_select(struct op_call *c)
{
	struct value *self = op_tensor(c, "self");
	int64_t index = op_int(c, "index", 0);
	struct geometry g;
	int d;
	if (self->ndim == 0)
		return op_fail(c, "a tensor without dimensions has nothing to select");
	if (!op_dim(c, op_int(c, "dim", 0), self->ndim, &d))
		return false;
	if (index < -self->size[d] || index >= self->size[d])
		return op_fail(c, "index %lld is out of range for dimension %d of %V", (long long)index, d, self);
	geometry_of(self, &g);
	g.offset += (index < 0 ? index + self->size[d] : index) * g.stride[d];
	drop_dim(&g, d);
	return view_result(c, self, &g);
}

static int64_t clamped(int64_t i, int64_t size, int64_t least)
{
	if (i < 0)
		i += size;
	return i < least ? least : i > size ? size : i;
}

static bool shape_slice(struct op_call *c)
{
	struct value *self = op_tensor(c, "self");
	int64_t step = op_int(c, "step", 1);
	struct geometry g;
	int d;
	if (self->ndim == 0)
		return op_fail(c, "a tensor without dimensions cannot be sliced");
	if (!op_dim(c, op_int(c, "dim", 0), self->ndim, &d))
		return false;
	if (step <= 0)
		return op_fail(c, "slice step must be positive, got %lld", (long long)step);
	geometry_of(self, &g);
	int64_t start = clamped(op_int(c, "start", 0), g.size[d], 0), end = clamped(op_int(c, "end", g.size[d]), g.size[d], start);
	g.offset += start * g.stride[d];
	g.size[d] = (end - start) / step + ((end - start) % step != 0);
	if (__builtin_mul_overflow(g.stride[d], step, &g.stride[d]))
		return op_fail(c, "slice step %lld is too large", (long long)step);
	return view_result(c, self, &g);
}

static bool shape_narrow_copy(struct op_call *c)
{
	struct value *self = op_tensor(c, "self");
	int64_t start = op_int(c, "start", 0), length = op_int(c, "length", 0), size[MAX_DIMS];
	int d;
	if (self->ndim == 0 || !op_dim(c, op_int(c, "dim", 0), self->ndim, &d))
		return op_fail(c, "cannot be applied to dimension %lld of %V", (long long)op_int(c, "dim", 0), self);
	memcpy(size, self->size, (size_t)self->ndim * sizeof *size);
	start = start < 0 ? start + size[d] : start;
	if (length < 0 || start < 0 || start > size[d] - length)
		return op_fail(c, "start (%lld) + length (%lld) exceeds dimension size (%lld)", (long long)start, (long long)length, (long long)size[d]);
	size[d] = length;
	return op_out(c, self->dtype, self->ndim, size) != NULL;
}

/* diagonal: the two dimensions become one, the last (TensorShape.cpp). */
static bool shape_diagonal(struct op_call *c)
{
	struct value *self = op_tensor(c, "self");
	int64_t offset = op_int(c, "offset", 0), length;
	struct geometry g;
	int a, b;
	if (!op_dim(c, op_int(c, "dim1", 0), self->ndim, &a) || !op_dim(c, op_int(c, "dim2", 1), self->ndim, &b))
		return false;
	if (a == b)
		return op_fail(c, "diagonal dimensions cannot be identical: %d, %d", a, b);
	geometry_of(self, &g);
	int64_t rows = g.size[a] + (offset < 0 ? offset : 0), columns = g.size[b] - (offset > 0 ? offset : 0);
	length = rows < columns ? rows : columns;
	if (length < 0)
		length = 0;
	if (length > 0)
		g.offset += offset >= 0 ? offset * g.stride[b] : -offset * g.stride[a];
	int64_t stride = g.stride[a] + g.stride[b];
	drop_dim(&g, a > b ? a : b);
	drop_dim(&g, a > b ? b : a);
	insert_dim(&g, g.ndim, length, stride);
	return view_result(c, self, &g);
}

/* Windows of a dimension; the window becomes the last dimension. */
static bool shape_unfold(struct op_call *c)
{
	struct value *self = op_tensor(c, "self");
	int64_t size = op_int(c, "size", 1), step = op_int(c, "step", 1);
	struct geometry g;
	int d;
	if (!op_dim(c, op_int(c, "dimension", 0), self->ndim, &d))
		return false;
	int64_t extent = self->ndim == 0 ? 1 : self->size[d], stride = self->ndim == 0 ? 1 : self->stride[d];
	if (size < 0 || size > extent)
		return op_fail(c, "maximum size for tensor at dimension %d is %lld but size is %lld", d, (long long)extent, (long long)size);
	if (step <= 0)
		return op_fail(c, "step is %lld but must be > 0", (long long)step);
	geometry_of(self, &g);
	if (g.ndim > 0) {
		g.size[d] = (extent - size) / step + 1;
		if (__builtin_mul_overflow(step, stride, &g.stride[d]))
			return op_fail(c, "a step of %lld is longer than 63 bits can count", (long long)step);
	}
	insert_dim(&g, g.ndim, size, stride);
	return view_result(c, self, &g);
}

/* ---- Dimensions of size 1 ---- */

static bool shape_unsqueeze(struct op_call *c)
{
	struct value *self = op_tensor(c, "self");
	struct geometry g;
	int d;
	if (self->ndim >= MAX_DIMS)
		return op_fail(c, "a tensor cannot have more than %d dimensions", MAX_DIMS);
	if (!op_dim(c, op_int(c, "dim", 0), self->ndim + 1, &d))
		return false;
	geometry_of(self, &g);
	insert_dim(&g, d, 1, d < self->ndim ? g.size[d] * g.stride[d] : 1);
	return view_result(c, self, &g);
}

static bool shape_squeeze(struct op_call *c)
{
	struct value *self = op_tensor(c, "self");
	struct geometry g;
	bool marked[MAX_DIMS];
	if (op_arg_index(c->op, "dim") < 0)
		memset(marked, 1, sizeof marked);
	else if (!dims_marked(c, "dim", self->ndim, false, marked))
		return false;
	geometry_of(self, &g);
	for (int i = self->ndim - 1; i >= 0; i--)
		if (marked[i] && self->size[i] == 1)
			drop_dim(&g, i);
	return view_result(c, self, &g);
}

/* ---- Many views at once ---- */

enum { PIECES_VIEW, PIECES_COPY };      /* variants */

static bool add_piece(struct op_call *c, struct value *self, int d, int64_t start, int64_t length)
{
	struct geometry g;
	geometry_of(self, &g);
	g.size[d] = length;
	g.offset += start * g.stride[d];
	if (c->op->rule->variant == PIECES_COPY)
		return op_out_strided(c, self->dtype, g.ndim, g.size, g.stride) != NULL;
	return op_out_view(c, self, g.ndim, g.size, g.stride, g.offset) != NULL;
}

enum { MAX_PIECES = 1 << 20 };

static bool shape_split(struct op_call *c)
{
	struct value *self = op_tensor(c, "self");
	int64_t piece = op_int(c, "split_size", 0);
	int d;
	if (self->ndim == 0)
		return op_fail(c, "expects at least a 1-dimensional tensor");
	if (!op_dim(c, op_int(c, "dim", 0), self->ndim, &d))
		return false;
	int64_t size = self->size[d];
	if (piece < 0 || (piece == 0 && size != 0))
		return op_fail(c, "split_size can only be 0 if dimension size is 0, but got %lld for dimension %d of %V", (long long)piece, d, self);
	if (piece > 0 && size / piece > MAX_PIECES)
		return op_fail(c, "more than %d pieces", MAX_PIECES);
	int64_t start = 0;
	do {
		if (!add_piece(c, self, d, start, size - start < piece ? size - start : piece))
			return false;
		start += piece;
	} while (start < size);
	return op_return_list(c);
}

static bool shape_split_with_sizes(struct op_call *c)
{
	struct value *self = op_tensor(c, "self");
	int d, n;
	const int64_t *sizes = op_ints(c, "split_sizes", &n);
	int64_t start = 0;
	if (self->ndim == 0)
		return op_fail(c, "expects at least a 1-dimensional tensor");
	if (!op_dim(c, op_int(c, "dim", 0), self->ndim, &d))
		return false;
	for (int i = 0; i < n; i++) {
		if (sizes[i] < 0 || sizes[i] > self->size[d] - start)
			break;
		if (!add_piece(c, self, d, start, sizes[i]))
			return false;
		start += sizes[i];
	}
	if ((int)c->n_outputs != n || start != self->size[d])
		return op_fail(c, "split_sizes must sum exactly to %lld, the size of dimension %d of %V", (long long)self->size[d], d, self);
	return op_return_list(c);
}

static bool shape_unbind(struct op_call *c)
{
	struct value *self = op_tensor(c, "self");
	struct geometry g;
	int d;
	if (self->ndim == 0)
		return op_fail(c, "dimension specified as 0 but tensor has no dimensions");
	if (!op_dim(c, op_int(c, "dim", 0), self->ndim, &d))
		return false;
	if (self->size[d] > MAX_PIECES)
		return op_fail(c, "more than %d pieces", MAX_PIECES);
	geometry_of(self, &g);
	drop_dim(&g, d);
	for (int64_t i = 0; i < self->size[d]; i++)
		if (!op_out_view(c, self, g.ndim, g.size, g.stride, self->offset + i * self->stride[d]))
			return false;
	return op_return_list(c);
}

/* ---- Complex numbers as pairs ---- */

static bool shape_view_as_real(struct op_call *c)
{
	struct value *self = op_tensor(c, "self");
	struct geometry g;
	if (!is_complex(self))
		return op_fail(c, "expected a complex tensor, got %s", dtype_name(self->dtype));
	geometry_of(self, &g);
	for (int i = 0; i < g.ndim; i++)
		g.stride[i] *= 2;
	g.offset *= 2;
	insert_dim(&g, g.ndim, 2, 1);
	struct value *v = op_out_view(c, self, g.ndim, g.size, g.stride, g.offset);
	if (v)
		v->dtype = self->dtype == DT_COMPLEX128 ? DT_FLOAT64 : DT_FLOAT32;
	return v != NULL;
}

static bool shape_view_as_complex(struct op_call *c)
{
	struct value *self = op_tensor(c, "self");
	struct geometry g;
	if (!dtype_is_float(self->dtype) || self->ndim == 0 || self->size[self->ndim - 1] != 2 || self->stride[self->ndim - 1] != 1)
		return op_fail(c, "expected a floating-point tensor whose last dimension is 2 and has stride 1, got %V", self);
	geometry_of(self, &g);
	g.ndim--;
	for (int i = 0; i < g.ndim; i++)
		g.stride[i] /= 2;
	g.offset /= 2;
	struct value *v = op_out_view(c, self, g.ndim, g.size, g.stride, g.offset);
	if (v)
		v->dtype = self->dtype == DT_FLOAT64 ? DT_COMPLEX128 : DT_COMPLEX64;
	return v != NULL;
}

/* ---- Rows ---- */

const struct op_rule shape_rules[] = {
	{ .name = "view", .shape = shape_view },
	{ .name = "_unsafe_view", .shape = shape_unsafe_view },
	{ .name = "_reshape_alias", .shape = shape_as_strided },
	{ .name = "as_strided", .shape = shape_as_strided },
	{ .name = "as_strided_", .shape = shape_as_strided },
	{ .name = "expand", .shape = shape_expand },
	{ .name = "view.dtype", .shape = shape_view_dtype },
	{ .name = "permute", .shape = shape_permute },
	{ .name = "transpose.int", .shape = shape_transpose },
	{ .name = "transpose_", .shape = shape_transpose },
	{ .name = "t", .shape = shape_t },
	{ .name = "t_", .shape = shape_t },
	{ .name = "select.int", .shape = shape_select },
	{ .name = "slice.Tensor", .shape = shape_slice },
	{ .name = "narrow_copy", .shape = shape_narrow_copy },
	{ .name = "diagonal", .shape = shape_diagonal },
	{ .name = "unfold", .shape = shape_unfold },
	{ .name = "unsqueeze", .shape = shape_unsqueeze },
	{ .name = "unsqueeze_", .shape = shape_unsqueeze },
	{ .name = "squeeze", .shape = shape_squeeze },
	{ .name = "squeeze.dim", .shape = shape_squeeze },
	{ .name = "squeeze.dims", .shape = shape_squeeze },
	{ .name = "squeeze_", .shape = shape_squeeze },
	{ .name = "squeeze_.dim", .shape = shape_squeeze },
	{ .name = "squeeze_.dims", .shape = shape_squeeze },
	{ .name = "split.Tensor", .shape = shape_split },
	{ .name = "unsafe_split.Tensor", .variant = PIECES_COPY, .shape = shape_split },
	{ .name = "split_with_sizes", .shape = shape_split_with_sizes },
	{ .name = "unsafe_split_with_sizes", .variant = PIECES_COPY, .shape = shape_split_with_sizes },
	{ .name = "unbind.int", .shape = shape_unbind },
	{ .name = "view_as_real", .shape = shape_view_as_real },
	{ .name = "view_as_complex", .shape = shape_view_as_complex },
	{ .name = "detach", .shape = shape_alias },
	{ .name = "detach_", .shape = shape_written },
	{ .name = "alias", .shape = shape_alias },
	{ .name = "lift_fresh", .shape = shape_alias },
	{ .name = "lift", .shape = shape_alias },
	{ 0 },
};
