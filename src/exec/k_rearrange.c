/*
 * Operators that join, repeat and move elements into new memory
 * (aten/src/ATen/native/{TensorShape,TensorTransformations,
 * Repeat}.cpp).  Elements are moved by windows over the result, whatever they
 * are.
 */
#include <string.h>

#include "exec/layout.h"

/* ---- Joining ---- */

/* A vector of no elements may stand anywhere in a list for cat(), for old times' sake. */
static bool is_skipped(const struct tensor *t)
{
	return t->ndim == 1 && t->size[0] == 0;
}

static struct tensor **listed(struct kernel_call *k, int *n)
{
	struct tensor **in = arg_tensors(k, "tensors", n);
	for (int i = 0; in && i < *n; i++)
		if (!in[i])
			return kernel_fail(k, "item %d of the list is no tensor", i), NULL;
	return *n > 0 ? in : (kernel_fail(k, "the list of tensors is empty"), NULL);
}

/* The sizes of the result: all agree but in dimension dim. */
static bool joined_sizes(struct kernel_call *k, struct tensor *const *in, int n, const struct tensor *first, int dim, int64_t *size)
{
	memcpy(size, first->size, (size_t)first->ndim * sizeof *size);
	size[dim] = 0;
	for (int i = 0; i < n; i++) {
		if (is_skipped(in[i]))
			continue;
		bool fits = in[i]->ndim == first->ndim;
		for (int d = 0; d < first->ndim && fits; d++)
			fits = d == dim || in[i]->size[d] == first->size[d];
		if (!fits || __builtin_add_overflow(size[dim], in[i]->size[dim], &size[dim]))
			return kernel_fail(k, "tensor %d of the list does not fit the others outside of dimension %d", i, dim);
	}
	return true;
}

/* The format that all of them have (cat_compute_output_memory_format). */
static enum memory_format common_format(struct tensor *const *in, int n)
{
	enum memory_format f = tensor_format(in[0]);
	for (int i = 1; i < n; i++)
		if (tensor_format(in[i]) != f)
			return FORMAT_CONTIGUOUS;
	return f;
}

/* The number of elements that a part of t has, all dimensions from dim on. */
static int64_t chunk_width(const struct tensor *t, int dim, int64_t chunks)
{
	return (t->size[dim] / chunks + (t->size[dim] % chunks != 0)) * sizes_product(t->size, dim + 1, t->ndim);
}

/* One tensor's part of every row of the result: [outer, chunks, width of all], each of its parts at `at`. */
static bool copy_chunks(struct kernel_call *k, struct tensor *t, int dim, int64_t chunks, struct tensor *out, int64_t at)
{
	struct tensor *rows = converted(k, t, t->dtype);
	int64_t outer = sizes_product(t->size, 0, dim), inner = sizes_product(t->size, dim + 1, t->ndim), length = t->size[dim] * inner;
	int64_t each = chunk_width(t, dim, chunks), width = out->size[dim + 1];
	size_t item = dtype_size(t->dtype);
	for (int64_t o = 0; rows && o < outer; o++)
		for (int64_t i = 0; i < chunks; i++) {
			int64_t from = i * each, n = from >= length ? 0 : length - from < each ? length - from : each;
			if (n > 0)
				memcpy(tensor_data(out) + (size_t)((o * chunks + i) * width + at) * item, tensor_data(rows) + (size_t)(o * length + from) * item, (size_t)n * item);
		}
	return rows != NULL;
}

static bool k_chunk_cat(struct kernel_call *k)
{
	int n, dim;
	struct tensor **in = listed(k, &n);
	int64_t chunks = arg_int(k, "num_chunks", 1), size[MAX_DIMS], width = 0, at = 0;
	if (!in || n == 0 || chunks < 1 || !arg_dim(k, "dim", in[0]->ndim, &dim))
		return in && (n == 0 || chunks < 1) ? kernel_fail(k, "expected tensors, and at least one part of each") : false;
	for (int i = 0; i < n; i++) {
		if (dim >= in[i]->ndim || dim + 2 > MAX_DIMS || in[i]->dtype != in[0]->dtype || memcmp(in[i]->size, in[0]->size, (size_t)dim * sizeof *size) != 0)
			return kernel_fail(k, "tensor %d of the list does not fit the first", i);
		width += chunk_width(in[i], dim, chunks);
	}
	memcpy(size, in[0]->size, (size_t)dim * sizeof *size);
	size[dim] = chunks;
	size[dim + 1] = width;
	struct tensor *out = out_new(k, in[0]->dtype, dim + 2, size);
	for (int i = 0; out && i < n; i++) {
		if (!copy_chunks(k, in[i], dim, chunks, out, at))
			return false;
		at += chunk_width(in[i], dim, chunks);
	}
	return out != NULL;
}

static bool k_cat(struct kernel_call *k)
{
	int n, dim;
	struct tensor **in = listed(k, &n), *first = NULL;
	int64_t size[MAX_DIMS], at = 0;
	for (int i = 0; in && i < n; i++) {
		if (in[i]->ndim == 0)
			return kernel_fail(k, "tensor %d of the list has no dimensions to join", i);
		first = first || is_skipped(in[i]) ? first : in[i];
	}
	if (!in || !first)
		return in && out_new(k, tensors_result_type(in, n), 1, in[0]->size);
	if (!arg_dim(k, "dim", first->ndim, &dim) || !joined_sizes(k, in, n, first, dim, size))
		return false;
	struct tensor *out = out_format(k, tensors_result_type(in, n), first->ndim, size, common_format(in, n));
	for (int i = 0; out && i < n; i++) {
		struct window w;
		if (is_skipped(in[i]))
			continue;
		window_of(&w, out);
		window_slice(&w, dim, at, in[i]->size[dim]);
		if (!copy_into(k, &w.t, in[i]))
			return false;
		at += in[i]->size[dim];
	}
	return out != NULL;
}

static bool k_stack(struct kernel_call *k)
{
	int n, dim;
	struct tensor **in = listed(k, &n);
	int64_t size[MAX_DIMS];
	if (!in || !arg_dim(k, "dim", in[0]->ndim + 1, &dim))
		return false;
	int ndim = in[0]->ndim;
	if (ndim >= MAX_DIMS)
		return kernel_fail(k, "there is no place for a dimension");
	for (int i = 1; i < n; i++)
		if (in[i]->ndim != ndim || (ndim && memcmp(in[i]->size, in[0]->size, (size_t)ndim * sizeof *size) != 0))
			return kernel_fail(k, "tensor %d of the list has other sizes than the first", i);
	for (int i = 0, j = 0; i <= ndim; i++)
		size[i] = i == dim ? n : in[0]->size[j++];
	struct tensor *out = out_new(k, tensors_result_type(in, n), ndim + 1, size);
	for (int i = 0; out && i < n; i++) {
		struct window w;
		window_of(&w, out);
		window_select(&w, dim, i);
		if (!copy_into(k, &w.t, in[i]))
			return false;
	}
	return out != NULL;
}

/* Rows and columns of a block: a vector is a row. */
static void block_sizes(const struct tensor *t, int64_t *rows, int64_t *columns)
{
	*rows = t->ndim == 2 ? t->size[0] : 1;
	*columns = t->ndim == 0 ? 1 : t->size[t->ndim - 1];
}

static bool k_block_diag(struct kernel_call *k)
{
	int n;
	struct tensor **in = arg_tensors(k, "tensors", &n);
	int64_t size[2] = { 0, 0 }, at[2] = { 0, 0 }, rows, columns;
	for (int i = 0; in && i < n; i++) {
		if (!in[i] || in[i]->ndim > 2)
			return kernel_fail(k, "a block has two dimensions at most");
		block_sizes(in[i], &rows, &columns);
		size[0] += rows;
		size[1] += columns;
	}
	if (n == 0)
		size[0] = 1;
	struct tensor *out = in ? out_new(k, n ? tensors_result_type(in, n) : DT_FLOAT32, 2, size) : NULL;
	for (int i = 0; out && i < n; i++) {
		struct window w;
		window_of(&w, out);
		block_sizes(in[i], &rows, &columns);
		window_slice(&w, 0, at[0], rows);
		window_slice(&w, 1, at[1], columns);
		if (!copy_into(k, &w.t, in[i]))
			return false;
		at[0] += rows;
		at[1] += columns;
	}
	return out != NULL;
}

/* ---- Repeating ---- */

/* The result with each repeated dimension as two, [times, size]; false when those are too many. */
static bool split_repeats(struct window *to, struct window *from, const struct tensor *out, const struct tensor *self, const int64_t *times)
{
	int skip = out->ndim - self->ndim, n = 0;
	to->t.ndim = from->t.ndim = 0;
	for (int i = 0; i < out->ndim; i++) {
		int64_t own = i < skip ? 1 : self->size[i - skip];
		if (times[i] != 1 && n < MAX_DIMS) {
			to->size[n] = from->size[n] = times[i];
			to->stride[n] = own * out->stride[i];
			from->stride[n++] = 0;
		}
		if (own != 1 && n < MAX_DIMS) {
			to->size[n] = from->size[n] = own;
			to->stride[n] = out->stride[i];
			from->stride[n++] = self->stride[i - skip];
		}
		if (n == MAX_DIMS)
			return false;
	}
	to->t.ndim = from->t.ndim = n;
	return true;
}

static bool k_repeat(struct kernel_call *k)
{
	struct tensor *self = arg_tensor(k, "self");
	int n;
	const int64_t *times = arg_ints(k, "repeats", &n);
	if (!times)
		return false;
	int64_t size[MAX_DIMS];
	if (n < self->ndim || n > MAX_DIMS)
		return kernel_fail(k, "%d numbers of repeats for %d dimensions", n, self->ndim);
	for (int i = 0; i < n; i++) {
		int own = i - (n - self->ndim);
		if (times[i] < 0 || __builtin_mul_overflow(times[i], own < 0 ? 1 : self->size[own], &size[i]))
			return kernel_fail(k, "%lld repeats are not possible", (long long)times[i]);
	}
	struct tensor *out = out_new(k, self->dtype, n, size);
	struct window to, from;
	if (!out)
		return false;
	window_of(&to, out);
	window_of(&from, self);
	return split_repeats(&to, &from, out, self, times) ? copy_into(k, &to.t, &from.t) : kernel_fail(k, "has too many dimensions");
}

/* Index i as often as repeats[i] says. */
static bool k_repeat_interleave(struct kernel_call *k)
{
	struct tensor *repeats = arg_tensor(k, "repeats");
	int64_t n = 0, expected = arg_int(k, "output_size", -1);
	if (repeats->ndim != 1 || !dtype_is_integral(repeats->dtype))
		return kernel_fail(k, "repeats must be a vector of integers");
	const int64_t *times = ints_of(k, repeats);
	for (int64_t i = 0; times && i < repeats->size[0]; i++)
		if (times[i] < 0 || __builtin_add_overflow(n, times[i], &n))
			return kernel_fail(k, "%lld repeats are not possible", (long long)times[i]);
	if (times && expected >= 0 && expected != n)
		return kernel_fail(k, "the repeats sum to %lld, not to %lld", (long long)n, (long long)expected);
	struct tensor *out = times ? out_new(k, repeats->dtype, 1, &n) : NULL;
	int64_t *v = out ? ints_for(k, out) : NULL;
	for (int64_t i = 0, at = 0; v && i < repeats->size[0]; i++)
		for (int64_t j = 0; j < times[i]; j++)
			v[at++] = i;
	return v != NULL;
}

/* ---- Moving ---- */

/* self with the marked dimensions turned round, in a new output. */
static struct tensor *flipped(struct kernel_call *k, struct tensor *self, const bool *marked)
{
	struct tensor *out = out_like(k, self, self->dtype);
	struct window w;
	if (!out)
		return NULL;
	window_of(&w, out);
	for (int i = 0; i < self->ndim; i++)
		if (marked[i])
			window_flip(&w, i);
	return copy_into(k, &w.t, self) ? out : NULL;
}

static bool k_flip(struct kernel_call *k)
{
	struct tensor *self = arg_tensor(k, "self");
	bool marked[MAX_DIMS] = { false };
	int n;
	n = arg_count(k, "dims");
	return (n == 0 || arg_dims(k, "dims", self->ndim, marked)) && flipped(k, self, marked);
}

/* A quarter turn is a flip and a transposition. */
static bool k_rot90(struct kernel_call *k)
{
	struct tensor *self = arg_tensor(k, "self");
	int n, turns = (int)((arg_int(k, "k", 1) % 4 + 4) % 4);
	const int64_t *dims = arg_ints(k, "dims", &n);
	if (!dims)
		return false;
	bool marked[MAX_DIMS] = { false };
	if (n != 2 || self->ndim < 2 || !arg_dims(k, "dims", self->ndim, marked))
		return kernel_fail(k, "a tensor is turned in two of its dimensions");
	int a = (int)(dims[0] < 0 ? dims[0] + self->ndim : dims[0]), b = (int)(dims[1] < 0 ? dims[1] + self->ndim : dims[1]);
	if (a == b)
		return kernel_fail(k, "a tensor is turned in two different dimensions");
	marked[a] = turns == 2 || turns == 3;
	marked[b] = turns == 1 || turns == 2;
	struct tensor *out = flipped(k, self, marked);
	if (!out || turns % 2 == 0)
		return out != NULL;
	int64_t size = out->size[a], stride = out->stride[a];
	out->size[a] = out->size[b];
	out->stride[a] = out->stride[b];
	out->size[b] = size;
	out->stride[b] = stride;
	return true;
}

struct roll {
	int ndim, dim[MAX_DIMS];         /* the dimensions that move */
	int64_t by[MAX_DIMS];            /* 0 < by < size */
};

/* By how much each dimension moves in all; one named twice moves twice. */
static bool roll_read(struct kernel_call *k, const struct tensor *t, struct roll *r)
{
	int n, m;
	const int64_t *shifts = arg_ints(k, "shifts", &n), *dims = arg_ints(k, "dims", &m);
	if (!shifts || !dims)
		return false;
	int64_t by[MAX_DIMS] = { 0 };
	if (n != m)
		return kernel_fail(k, "%d shifts for %d dimensions", n, m);
	for (int i = 0; i < n; i++) {
		int64_t d = dims[i] < 0 ? dims[i] + t->ndim : dims[i];
		if (d < 0 || d >= t->ndim)
			return kernel_fail(k, "dimension %lld is out of range for %d dimensions", (long long)dims[i], t->ndim);
		if (t->size[d] > 0)
			by[d] = ((by[d] + shifts[i] % t->size[d]) % t->size[d] + t->size[d]) % t->size[d];
	}
	r->ndim = 0;
	for (int i = 0; i < t->ndim; i++)
		if (by[i]) {
			r->dim[r->ndim] = i;
			r->by[r->ndim++] = by[i];
		}
	return true;
}

/* Each moving dimension falls into two pieces: 2^n blocks, of an element at least. */
static bool roll_blocks(struct kernel_call *k, const struct tensor *out, const struct tensor *in, const struct roll *r)
{
	if (tensor_numel(in) == 0)
		return true;
	for (int64_t block = 0; block < (int64_t)1 << r->ndim; block++) {
		struct window to, from;
		window_of(&to, out);
		window_of(&from, in);
		for (int i = 0; i < r->ndim; i++) {
			int d = r->dim[i];
			int64_t rest = in->size[d] - r->by[i];
			bool wraps = block >> i & 1;
			window_slice(&to, d, wraps ? 0 : r->by[i], wraps ? r->by[i] : rest);
			window_slice(&from, d, wraps ? rest : 0, wraps ? r->by[i] : rest);
		}
		if (!copy_into(k, &to.t, &from.t))
			return false;
	}
	return true;
}

/* Without dimensions the elements move as one long row. */
static bool k_roll(struct kernel_call *k)
{
	struct tensor *self = arg_tensor(k, "self");
	struct roll r = { .ndim = 0 };
	int n, m;
	const int64_t *shifts = arg_ints(k, "shifts", &n);
	if (!shifts)
		return false;
	m = arg_count(k, "dims");
	struct tensor *out = out_new(k, self->dtype, self->ndim, self->size);
	if (!out || m > 0 || n != 1)
		return out && roll_read(k, self, &r) && roll_blocks(k, out, self, &r);
	struct tensor *in = converted(k, self, self->dtype);
	if (!in)
		return false;
	int64_t numel = tensor_numel(self), one = 1;
	struct tensor row_out = *out, row_in = *in;
	row_out.ndim = row_in.ndim = 1;
	row_out.size = row_in.size = &numel;
	row_out.stride = row_in.stride = &one;
	int64_t by = numel ? (shifts[0] % numel + numel) % numel : 0;
	if (by)
		r = (struct roll){ .ndim = 1, .dim = { 0 }, .by = { by } };
	return roll_blocks(k, &row_out, &row_in, &r);
}

const struct kernel_row rearrange_kernels[] = {
	{ .name = "_chunk_cat", .run = k_chunk_cat },
	{ .name = "cat", .run = k_cat },
	{ .name = "stack", .run = k_stack },
	{ .name = "block_diag", .run = k_block_diag },
	{ .name = "repeat", .run = k_repeat },
	{ .name = "repeat_interleave.Tensor", .run = k_repeat_interleave },
	{ .name = "flip", .run = k_flip },
	{ .name = "rot90", .run = k_rot90 },
	{ .name = "roll", .run = k_roll },
	{ 0 },
};
