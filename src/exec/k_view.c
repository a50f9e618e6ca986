/*
 * Views: results that share the memory of their argument
 * (aten/src/ATen/native/TensorShape.cpp).  An in-place one (unsqueeze_) finds
 * its own row here, and kernel_run() gives its shape to the argument.
 */

#include "exec/kernel.h"

/* A view that starts as t and is changed from there. */
struct shape {
	int ndim;
	int64_t size[MAX_DIMS], stride[MAX_DIMS], offset;
};

static struct shape shape_of(const struct tensor *t)
{
	struct shape s = { .ndim = t->ndim, .offset = t->offset };
	for (int i = 0; i < t->ndim; i++) {
		s.size[i] = t->size[i];
		s.stride[i] = t->stride[i];
	}
	return s;
}

static bool out_shape(struct kernel_call *k, const struct tensor *t, const struct shape *s)
{
	return out_view(k, t, s->ndim, s->size, s->stride, s->offset) != NULL;
}

static void remove_dim(struct shape *s, int dim)
{
	s->ndim--;
	for (int i = dim; i < s->ndim; i++) {
		s->size[i] = s->size[i + 1];
		s->stride[i] = s->stride[i + 1];
	}
}

static bool k_alias(struct kernel_call *k)
{
	struct tensor *t = arg_tensor(k, "self");
	struct shape s = shape_of(t);
	return out_shape(k, t, &s);
}

/* ---- Other sizes over the same elements ---- */

/* The one size of -1, and that all of them multiply to n. */
static bool complete_sizes(struct kernel_call *k, int64_t numel, int n, const int64_t *in, int64_t *out)
{
	int open = -1;
	int64_t known = 1;
	for (int i = 0; i < n; i++) {
		out[i] = in[i];
		if (in[i] == -1 && open < 0)
			open = i;
		else if (in[i] < 0 || __builtin_mul_overflow(known, in[i], &known))
			return kernel_fail(k, "size %lld is not possible", (long long)in[i]);
	}
	if (open >= 0) {
		if (known == 0 || numel % known)
			return kernel_fail(k, "%lld elements do not fill these sizes", (long long)numel);
		out[open] = numel / known;
	} else if (known != numel) {
		return kernel_fail(k, "%lld elements do not fill sizes of %lld", (long long)numel, (long long)known);
	}
	return true;
}

/* computeStride_impl() of aten/src/ATen/TensorUtils.cpp: blocks of old dimensions that lie without a gap become new ones. */
static bool view_strides(const struct tensor *t, struct shape *s)
{
	if (tensor_numel(t) == 0) {
		contiguous_strides(s->ndim, s->size, s->stride);
		return true;
	}
	int view = s->ndim - 1;
	int64_t block = t->ndim ? t->stride[t->ndim - 1] : 1, n = 1, m = 1;
	for (int d = t->ndim - 1; d >= 0; d--) {
		n *= t->size[d];
		if (d > 0 && (t->size[d - 1] == 1 || t->stride[d - 1] == n * block))
			continue;
		for (; view >= 0 && (m < n || s->size[view] == 1); view--) {
			s->stride[view] = m * block;
			m *= s->size[view];
		}
		if (m != n)
			return false;
		if (d > 0) {
			block = t->stride[d - 1];
			n = m = 1;
		}
	}
	for (; view >= 0 && t->ndim == 0; view--)
		s->stride[view] = 1;
	return view == -1;
}

static bool k_view(struct kernel_call *k)
{
	struct tensor *t = arg_tensor(k, "self");
	struct shape s = shape_of(t);
	int n;
	const int64_t *size = arg_ints(k, "size", &n);
	if (!size)
		return false;
	if (n > MAX_DIMS)
		return kernel_fail(k, "%d dimensions are too many", n);
	if (!complete_sizes(k, tensor_numel(t), n, size, s.size))
		return false;
	s.ndim = n;
	if (!view_strides(t, &s))
		return kernel_fail(k, "no view has these sizes over the strides of the tensor; reshape() copies");
	return out_shape(k, t, &s);
}

static bool k_view_dtype(struct kernel_call *k)
{
	struct tensor *t = arg_tensor(k, "self");
	enum dtype d = arg_dtype(k, "dtype", t->dtype);
	struct shape s = shape_of(t);
	size_t from = dtype_size(t->dtype), to = dtype_size(d);
	if (from != to) {
		if (t->ndim == 0 || t->stride[t->ndim - 1] != 1)
			return kernel_fail(k, "the last dimension must be contiguous to be seen as %s", dtype_name(d));
		int64_t bytes = (int64_t)from * s.size[s.ndim - 1];
		if (bytes % (int64_t)to)
			return kernel_fail(k, "the last dimension does not divide into %s", dtype_name(d));
		s.size[s.ndim - 1] = bytes / (int64_t)to;
		s.offset = s.offset * (int64_t)from / (int64_t)to;
		for (int i = 0; i + 1 < s.ndim; i++)
			s.stride[i] = s.stride[i] * (int64_t)from / (int64_t)to;
	}
	struct tensor seen = *t;
	seen.dtype = d;
	return out_shape(k, &seen, &s);
}

static bool k_as_strided(struct kernel_call *k)
{
	struct tensor *t = arg_tensor(k, "self");
	struct shape s;
	int n, m;
	const int64_t *size = arg_ints(k, "size", &n), *stride = arg_ints(k, "stride", &m);
	if (!size || !stride)
		return false;
	s.offset = arg_int(k, "storage_offset", t->offset);
	if (n < 0 || n > MAX_DIMS || m != n)
		return kernel_fail(k, "sizes and strides must be as many");
	s.ndim = n;
	for (int i = 0; i < n; i++) {
		s.size[i] = size[i];
		s.stride[i] = stride[i];
	}
	return out_shape(k, t, &s);
}

static bool k_expand(struct kernel_call *k)
{
	struct tensor *t = arg_tensor(k, "self");
	struct shape s = { .offset = t->offset };
	int n;
	const int64_t *size = arg_ints(k, "size", &n);
	if (!size)
		return false;
	if (n < t->ndim || n > MAX_DIMS)
		return kernel_fail(k, "%d sizes for %d dimensions", n, t->ndim);
	s.ndim = n;
	for (int i = 0; i < n; i++) {
		int own = i - (n - t->ndim);
		int64_t have = own < 0 ? 1 : t->size[own];
		s.size[i] = size[i] == -1 && own >= 0 ? have : size[i];
		if (s.size[i] < 0 || (have != 1 && have != s.size[i]))
			return kernel_fail(k, "size %lld does not expand to %lld", (long long)have, (long long)s.size[i]);
		s.stride[i] = own < 0 || (have == 1 && s.size[i] != 1) ? 0 : t->stride[own];
	}
	for (int i = n - t->ndim - 1; i >= 0; i--)      /* inferExpandGeometry() in aten/src/ATen/ExpandUtils.cpp */
		s.stride[i] = s.size[i] != 1 ? 0 : i + 1 < n ? s.size[i + 1] * s.stride[i + 1] : 1;
	return out_shape(k, t, &s);
}

/* ---- Dimensions in another order ---- */

static bool k_permute(struct kernel_call *k)
{
	struct tensor *t = arg_tensor(k, "self");
	struct shape s = shape_of(t);
	bool seen[MAX_DIMS] = { false };
	int n;
	const int64_t *dims = arg_ints(k, "dims", &n);
	if (!dims)
		return false;
	if (n != t->ndim)
		return kernel_fail(k, "%d dimensions are named of %d", n, t->ndim);
	for (int i = 0; i < n; i++) {
		int64_t d = dims[i] < 0 ? dims[i] + n : dims[i];
		if (d < 0 || d >= n || seen[d])
			return kernel_fail(k, "dimension %lld is out of range or named twice", (long long)dims[i]);
		seen[d] = true;
		s.size[i] = t->size[d];
		s.stride[i] = t->stride[d];
	}
	return out_shape(k, t, &s);
}

static bool swapped(struct kernel_call *k, struct tensor *t, int a, int b)
{
	struct shape s = shape_of(t);
	if (t->ndim > 0) {
		s.size[a] = t->size[b];
		s.stride[a] = t->stride[b];
		s.size[b] = t->size[a];
		s.stride[b] = t->stride[a];
	}
	return out_shape(k, t, &s);
}

static bool k_transpose(struct kernel_call *k)
{
	struct tensor *t = arg_tensor(k, "self");
	int a, b;
	return arg_dim(k, "dim0", t->ndim, &a) && arg_dim(k, "dim1", t->ndim, &b) && swapped(k, t, a, b);
}

static bool k_t(struct kernel_call *k)
{
	struct tensor *t = arg_tensor(k, "self");
	if (t->ndim > 2)
		return kernel_fail(k, "%d dimensions; t() takes two at most", t->ndim);
	return swapped(k, t, 0, t->ndim == 2);
}

static bool k_unsqueeze(struct kernel_call *k)
{
	struct tensor *t = arg_tensor(k, "self");
	struct shape s = shape_of(t);
	int dim;
	if (t->ndim >= MAX_DIMS || !arg_dim(k, "dim", t->ndim + 1, &dim))
		return kernel_fail(k, "there is no place for a dimension");
	for (int i = s.ndim; i > dim; i--) {
		s.size[i] = s.size[i - 1];
		s.stride[i] = s.stride[i - 1];
	}
	s.stride[dim] = dim < t->ndim ? t->size[dim] * t->stride[dim] : 1;
	s.size[dim] = 1;
	s.ndim++;
	return out_shape(k, t, &s);
}

static bool squeezed(struct kernel_call *k, struct tensor *t, const bool *marked)
{
	struct shape s = shape_of(t);
	for (int i = t->ndim - 1; i >= 0; i--)
		if (marked[i] && t->size[i] == 1)
			remove_dim(&s, i);
	return out_shape(k, t, &s);
}

static bool k_squeeze(struct kernel_call *k)
{
	struct tensor *t = arg_tensor(k, "self");
	bool marked[MAX_DIMS] = { false };
	int n;
	n = arg_count(k, "dim");
	if (n == 0)
		return squeezed(k, t, marked);
	return arg_dims(k, "dim", t->ndim, marked) && squeezed(k, t, marked);
}

/* ---- Parts ---- */

static bool k_select(struct kernel_call *k)
{
	struct tensor *t = arg_tensor(k, "self");
	struct shape s = shape_of(t);
	int64_t index = arg_int(k, "index", 0);
	int dim;
	if (t->ndim == 0 || !arg_dim(k, "dim", t->ndim, &dim))
		return kernel_fail(k, "no such dimension to select from");
	if (index < -t->size[dim] || index >= t->size[dim])
		return kernel_fail(k, "index %lld is out of range for size %lld", (long long)index, (long long)t->size[dim]);
	s.offset += (index < 0 ? index + t->size[dim] : index) * t->stride[dim];
	remove_dim(&s, dim);
	return out_shape(k, t, &s);
}

static int64_t clamped(int64_t i, int64_t low, int64_t high)
{
	return i < low ? low : i > high ? high : i;
}

static bool k_slice(struct kernel_call *k)
{
	struct tensor *t = arg_tensor(k, "self");
	struct shape s = shape_of(t);
	int dim;
	if (t->ndim == 0 || !arg_dim(k, "dim", t->ndim, &dim))
		return kernel_fail(k, "no such dimension to slice");
	int64_t n = t->size[dim], step = arg_int(k, "step", 1), start = arg_int(k, "start", 0), end = arg_int(k, "end", n);
	if (step <= 0)
		return kernel_fail(k, "the step of a slice must be positive, not %lld", (long long)step);
	start = clamped(start < 0 ? start + n : start, 0, n);
	end = clamped(end < 0 ? end + n : end, start, n);
	s.offset += start * s.stride[dim];
	s.size[dim] = end - start == 0 ? 0 : (end - start - 1) / step + 1;
	s.stride[dim] *= step;
	return out_shape(k, t, &s);
}

static bool k_diagonal(struct kernel_call *k)
{
	struct tensor *t = arg_tensor(k, "self");
	struct shape s = shape_of(t);
	int64_t by = arg_int(k, "offset", 0), n;
	int a, b;
	if (!arg_dim(k, "dim1", t->ndim, &a) || !arg_dim(k, "dim2", t->ndim, &b))
		return false;
	if (a == b || t->ndim < 2)
		return kernel_fail(k, "a diagonal lies between two dimensions");
	n = by >= 0 ? (t->size[a] < t->size[b] - by ? t->size[a] : t->size[b] - by) : (t->size[a] + by < t->size[b] ? t->size[a] + by : t->size[b]);
	n = n < 0 ? 0 : n;
	if (n > 0)
		s.offset += by >= 0 ? by * t->stride[b] : -by * t->stride[a];
	remove_dim(&s, a > b ? a : b);
	remove_dim(&s, a > b ? b : a);
	s.size[s.ndim] = n;
	s.stride[s.ndim++] = t->stride[a] + t->stride[b];
	return out_shape(k, t, &s);
}

static bool k_unfold(struct kernel_call *k)
{
	struct tensor *t = arg_tensor(k, "self");
	struct shape s = shape_of(t);
	int64_t size = arg_int(k, "size", 1), step = arg_int(k, "step", 1);
	int dim;
	if (!arg_dim(k, "dimension", t->ndim, &dim))
		return false;
	int64_t have = t->ndim ? t->size[dim] : 1, stride = t->ndim ? t->stride[dim] : 1;
	if (t->ndim >= MAX_DIMS || size < 0 || size > have || step <= 0)
		return kernel_fail(k, "windows of %lld by steps of %lld do not fit into %lld", (long long)size, (long long)step, (long long)have);
	if (t->ndim) {
		s.size[dim] = (have - size) / step + 1;
		s.stride[dim] = step * stride;
	}
	s.size[s.ndim] = size;
	s.stride[s.ndim++] = stride;
	return out_shape(k, t, &s);
}

static bool part(struct kernel_call *k, struct tensor *t, int dim, int64_t start, int64_t length)
{
	struct shape s = shape_of(t);
	s.offset += start * s.stride[dim];
	s.size[dim] = length;
	return out_shape(k, t, &s);
}

static bool k_split(struct kernel_call *k)
{
	struct tensor *t = arg_tensor(k, "self");
	int64_t size = arg_int(k, "split_size", 0);
	int dim;
	if (t->ndim == 0 || !arg_dim(k, "dim", t->ndim, &dim))
		return kernel_fail(k, "no such dimension to split");
	int64_t n = t->size[dim];
	if (size < 0 || (size == 0 && n != 0))
		return kernel_fail(k, "parts of %lld of a dimension of %lld", (long long)size, (long long)n);
	if (n == 0)
		return part(k, t, dim, 0, 0);
	for (int64_t at = 0; at < n; at += size)
		if (!part(k, t, dim, at, n - at < size ? n - at : size))
			return false;
	return true;
}

static bool k_split_sizes(struct kernel_call *k)
{
	struct tensor *t = arg_tensor(k, "self");
	int dim, n;
	const int64_t *size = arg_ints(k, "split_sizes", &n);
	if (!size)
		return false;
	int64_t at = 0;
	if (t->ndim == 0 || !arg_dim(k, "dim", t->ndim, &dim))
		return kernel_fail(k, "no such dimension to split");
	for (int i = 0; i < n; at += size[i], i++)
		if (size[i] < 0 || size[i] > t->size[dim] - at || !part(k, t, dim, at, size[i]))
			return kernel_fail(k, "the parts are larger than the dimension of %lld", (long long)t->size[dim]);
	return at == t->size[dim] || kernel_fail(k, "the parts sum to %lld, the dimension is %lld", (long long)at, (long long)t->size[dim]);
}

/* Only narrow_copy() comes here; narrow() is a slice. */
static bool k_narrow(struct kernel_call *k)
{
	struct tensor *t = arg_tensor(k, "self");
	int64_t start = arg_int(k, "start", 0), length = arg_int(k, "length", 0);
	int dim;
	if (t->ndim == 0 || !arg_dim(k, "dim", t->ndim, &dim))
		return kernel_fail(k, "no such dimension to narrow");
	start = start < 0 ? start + t->size[dim] : start;
	if (start < 0 || length < 0 || start > t->size[dim] - length)
		return kernel_fail(k, "%lld elements from %lld on are not in a dimension of %lld", (long long)length, (long long)start, (long long)t->size[dim]);
	return part(k, t, dim, start, length);
}

/* Sections, or where they end, are in a tensor. */
static bool k_tensor_split(struct kernel_call *k)
{
	struct tensor *t = arg_tensor(k, "self"), *where = arg_tensor(k, "tensor_indices_or_sections");
	int dim;
	if (t->ndim == 0 || !arg_dim(k, "dim", t->ndim, &dim))
		return kernel_fail(k, "no such dimension to split");
	const int64_t *v = where->ndim <= 1 && where->dtype == DT_INT64 ? ints_of(k, where) : NULL;
	if (!v)
		return kernel_fail(k, "expected int64 sections or indices of at most one dimension");
	int64_t n = t->size[dim], count = where->ndim == 0 ? v[0] : where->size[0] + 1, at = 0;
	if (count <= 0 || count > 1 << 20)
		return kernel_fail(k, "%lld parts are not possible", (long long)count);
	for (int64_t i = 0; i < count; i++) {
		int64_t end = where->ndim == 0 ? at + n / count + (i < n % count) : i < count - 1 ? v[i] : n;
		end = end < 0 ? end + n : end;
		end = end < 0 ? 0 : end > n ? n : end;
		if (!part(k, t, dim, at < end ? at : end, at < end ? end - at : 0))
			return false;
		at = end;
	}
	return true;
}

static bool k_unbind(struct kernel_call *k)
{
	struct tensor *t = arg_tensor(k, "self");
	int dim;
	if (t->ndim == 0 || !arg_dim(k, "dim", t->ndim, &dim))
		return kernel_fail(k, "no such dimension to unbind");
	for (int64_t i = 0; i < t->size[dim]; i++) {
		struct shape s = shape_of(t);
		s.offset += i * s.stride[dim];
		remove_dim(&s, dim);
		if (!out_shape(k, t, &s))
			return false;
	}
	return true;
}

const struct kernel_row view_kernels[] = {
	{ .name = "alias", .run = k_alias, .whole_view = true },
	{ .name = "detach", .run = k_alias, .whole_view = true },
	{ .name = "lift", .run = k_alias },
	{ .name = "lift_fresh", .run = k_alias, .whole_view = true },
	{ .name = "view", .run = k_view },
	{ .name = "view.dtype", .run = k_view_dtype },
	{ .name = "_unsafe_view", .run = k_view },
	{ .name = "_reshape_alias", .run = k_as_strided },
	{ .name = "as_strided", .run = k_as_strided },
	{ .name = "expand", .run = k_expand },
	{ .name = "permute", .run = k_permute },
	{ .name = "transpose.int", .run = k_transpose },
	{ .name = "transpose", .run = k_transpose },
	{ .name = "t", .run = k_t },
	{ .name = "unsqueeze", .run = k_unsqueeze },
	{ .name = "squeeze", .run = k_squeeze },
	{ .name = "select.int", .run = k_select },
	{ .name = "slice.Tensor", .run = k_slice },
	{ .name = "diagonal", .run = k_diagonal },
	{ .name = "unfold", .run = k_unfold },
	{ .name = "tensor_split.tensor_indices_or_sections", .run = k_tensor_split },
	{ .name = "narrow", .run = k_narrow },
	{ .name = "split.Tensor", .run = k_split },
	{ .name = "unsafe_split.Tensor", .run = k_split },
	{ .name = "split_with_sizes", .run = k_split_sizes },
	{ .name = "unsafe_split_with_sizes", .run = k_split_sizes },
	{ .name = "unbind.int", .run = k_unbind },
	{ 0 }
};
