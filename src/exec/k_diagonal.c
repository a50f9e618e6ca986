/*
 * Triangles, diagonals, and copies of a tensor with another in a part of it
 * (aten/src/ATen/native/{TriangularOps,TensorShape}.cpp).
 */
#include <string.h>

#include "exec/layout.h"

/* ---- Diagonals and triangles ---- */

/* What is on the other side of the diagonal becomes 0. */
static bool triangle(struct kernel_call *k, bool lower)
{
	struct tensor *self = arg_tensor(k, "self");
	int64_t diagonal = arg_int(k, "diagonal", 0), size = (int64_t)dtype_size(self->dtype);
	if (self->ndim < 2)
		return kernel_fail(k, "a triangle is cut out of two dimensions at least");
	struct tensor *out = out_new(k, self->dtype, self->ndim, self->size);
	if (!out || !copy_into(k, out, self))
		return false;
	int64_t rows = self->size[self->ndim - 2], columns = self->size[self->ndim - 1], all = sizes_product(self->size, 0, self->ndim - 1);
	for (int64_t i = 0; i < all && columns > 0; i++) {
		int64_t row = i % rows, edge = diagonal > columns ? columns : diagonal < -rows ? 0 : row + diagonal + (lower ? 1 : 0);
		edge = edge < 0 ? 0 : edge > columns ? columns : edge;
		unsigned char *p = tensor_data(out) + i * columns * size;
		if (lower)
			memset(p + edge * size, 0, (size_t)((columns - edge) * size));
		else
			memset(p, 0, (size_t)(edge * size));
	}
	return true;
}

static bool k_tril(struct kernel_call *k)
{
	return triangle(k, true);
}

static bool k_triu(struct kernel_call *k)
{
	return triangle(k, false);
}

static bool k_diag_embed(struct kernel_call *k)
{
	struct tensor *self = arg_tensor(k, "self");
	int64_t offset = arg_int(k, "offset", 0), size[MAX_DIMS], side;
	int n = self->ndim + 1, a, b;
	if (self->ndim < 1 || n > MAX_DIMS || !arg_dim(k, "dim1", n, &a) || !arg_dim(k, "dim2", n, &b) || a == b)
		return kernel_fail(k, "a diagonal lies between two dimensions");
	if (offset == INT64_MIN || __builtin_add_overflow(self->size[self->ndim - 1], offset < 0 ? -offset : offset, &side))
		return kernel_fail(k, "has more elements than can be counted");
	for (int i = 0, j = 0; i < n; i++)
		size[i] = i == a || i == b ? side : self->size[j++];
	struct tensor *out = out_new(k, self->dtype, n, size);
	struct window w;
	if (!out)
		return false;
	window_of(&w, out);
	return window_diagonal(&w, offset, a, b) && copy_into(k, &w.t, self);
}

/* The diagonal that the arguments name. */
static bool diagonal_of(struct kernel_call *k, struct window *w, const struct tensor *t)
{
	int a, b;
	if (!arg_dim(k, "dim1", t->ndim, &a) || !arg_dim(k, "dim2", t->ndim, &b))
		return false;
	window_of(w, t);
	return window_diagonal(w, arg_int(k, "offset", 0), a, b) || kernel_fail(k, "a diagonal lies between two dimensions");
}

static bool k_diagonal_copy(struct kernel_call *k)
{
	struct tensor *self = arg_tensor(k, "self");
	struct window w;
	struct tensor *out = diagonal_of(k, &w, self) ? out_new(k, self->dtype, w.t.ndim, w.size) : NULL;
	return out && copy_into(k, out, &w.t);
}

/* ---- Copies of self with src in a part of it ---- */

static struct tensor *cloned(struct kernel_call *k)
{
	struct tensor *self = arg_tensor(k, "self"), *out = out_like(k, self, self->dtype);
	return out && copy_into(k, out, self) ? out : NULL;
}

static bool place(struct kernel_call *k, const struct window *w)
{
	struct tensor *src = arg_tensor(k, "src");
	bool fits = src->ndim == w->t.ndim;
	for (int i = 0; i < src->ndim && fits; i++)
		fits = src->size[i] == w->size[i];
	return fits ? copy_into(k, &w->t, src) : kernel_fail(k, "src does not have the sizes of the part that it replaces");
}

static int64_t clamped(int64_t i, int64_t low, int64_t high)
{
	return i < low ? low : i > high ? high : i;
}

static bool k_slice_scatter(struct kernel_call *k)
{
	struct tensor *out = cloned(k);
	struct window w;
	int dim;
	if (!out || out->ndim == 0 || !arg_dim(k, "dim", out->ndim, &dim))
		return out && kernel_fail(k, "no such dimension to slice");
	int64_t n = out->size[dim], step = arg_int(k, "step", 1), start = arg_int(k, "start", 0), end = arg_int(k, "end", n);
	if (step <= 0)
		return kernel_fail(k, "the step of a slice must be positive, not %lld", (long long)step);
	start = clamped(start < 0 ? start + n : start, 0, n);
	end = clamped(end < 0 ? end + n : end, start, n);
	window_of(&w, out);
	window_slice(&w, dim, start, end == start ? 0 : (end - start - 1) / step + 1);
	w.stride[dim] *= w.size[dim] > 1 ? step : 1;
	return place(k, &w);
}

static bool k_select_scatter(struct kernel_call *k)
{
	struct tensor *out = cloned(k);
	int64_t index = arg_int(k, "index", 0);
	struct window w;
	int dim;
	if (!out || out->ndim == 0 || !arg_dim(k, "dim", out->ndim, &dim))
		return out && kernel_fail(k, "no such dimension to select from");
	if (index < -out->size[dim] || index >= out->size[dim])
		return kernel_fail(k, "index %lld is out of range for size %lld", (long long)index, (long long)out->size[dim]);
	window_of(&w, out);
	window_select(&w, dim, index < 0 ? index + out->size[dim] : index);
	return place(k, &w);
}

static bool k_diagonal_scatter(struct kernel_call *k)
{
	struct tensor *out = cloned(k);
	struct window w;
	return out && diagonal_of(k, &w, out) && place(k, &w);
}

static bool k_as_strided_scatter(struct kernel_call *k)
{
	struct tensor *self = arg_tensor(k, "self"), *out = cloned(k);
	int n, m;
	const int64_t *size = arg_ints(k, "size", &n), *stride = arg_ints(k, "stride", &m);
	if (!size || !stride)
		return false;
	struct window w;
	if (!out)
		return false;
	if (n < 0 || n > MAX_DIMS || n != m)
		return kernel_fail(k, "%d sizes but %d strides", n, m);
	window_of(&w, out);
	w.t.ndim = n;
	w.t.offset = arg_int(k, "storage_offset", self->offset) - self->offset;
	for (int i = 0; i < n; i++) {
		w.size[i] = size[i];
		w.stride[i] = stride[i];
		if (size[i] < 0 || stride[i] < 0)
			return kernel_fail(k, "size %lld and stride %lld must not be negative", (long long)size[i], (long long)stride[i]);
	}
	return tensor_fits(&w.t) ? place(k, &w) : kernel_fail(k, "the sizes and strides reach beyond the memory of the tensor");
}

const struct kernel_row diagonal_kernels[] = {
	{ .name = "tril", .run = k_tril },
	{ .name = "triu", .run = k_triu },
	{ .name = "diag_embed", .run = k_diag_embed },
	{ .name = "diagonal_copy", .run = k_diagonal_copy },
	{ .name = "slice_scatter", .run = k_slice_scatter },
	{ .name = "select_scatter", .run = k_select_scatter },
	{ .name = "diagonal_scatter", .run = k_diagonal_scatter },
	{ .name = "as_strided_scatter", .run = k_as_strided_scatter },
	{ 0 },
};
