/* Padding (aten/src/ATen/native/{PadNd,ReflectionPad,ReplicationPadding}.cpp).  Paddings are pairs, the last dimension's first. */
#include <string.h>

#include "exec/layout.h"

static bool padded_sizes(struct kernel_call *k, const struct tensor *self, const int64_t *pad, int n, int64_t *size)
{
	if (n < 0 || n % 2 || n > 2 * self->ndim)
		return kernel_fail(k, "%d paddings for %d dimensions", n, self->ndim);
	memcpy(size, self->size, (size_t)self->ndim * sizeof *size);
	for (int i = 0; i < n / 2; i++) {
		int64_t *s = &size[self->ndim - 1 - i];
		if (__builtin_add_overflow(*s, pad[2 * i], s) || __builtin_add_overflow(*s, pad[2 * i + 1], s) || *s < 0)
			return kernel_fail(k, "padding %lld and %lld does not fit dimension %d", (long long)pad[2 * i], (long long)pad[2 * i + 1],
			                   self->ndim - 1 - i);
	}
	return true;
}

/* The parts of self and of the result that correspond; what negative padding takes away is in neither. */
static bool padded_parts(const struct tensor *self, const int64_t *pad, int n, struct window *from, struct window *to)
{
	for (int i = 0; i < n / 2; i++) {
		int d = self->ndim - 1 - i;
		int64_t before = pad[2 * i], cut = (before < 0 ? -before : 0) + (pad[2 * i + 1] < 0 ? -pad[2 * i + 1] : 0);
		int64_t rest = self->size[d] - cut;
		if (rest <= 0)
			return false;
		window_slice(from, d, before < 0 ? -before : 0, rest);
		window_slice(to, d, before > 0 ? before : 0, rest);
	}
	return true;
}

static bool k_constant_pad(struct kernel_call *k)
{
	struct tensor *self = arg_tensor(k, "self"), *value = arg_operand(k, "value");
	int n;
	const int64_t *pad = arg_ints(k, "pad", &n);
	if (!pad)
		return false;
	int64_t size[MAX_DIMS];
	bool only_cuts = true;
	struct window from, to;
	if (!value || !padded_sizes(k, self, pad, n, size))
		return false;
	for (int i = 0; i < n; i++) {
		only_cuts = only_cuts && pad[i] <= 0;
		if (pad[i] < -self->size[self->ndim - 1 - i / 2])
			return kernel_fail(k, "padding %lld takes away more than there is", (long long)pad[i]);
	}
	struct tensor left = *self;                          /* what is left when all paddings are negative is cloned */
	left.size = size;
	struct tensor *out = only_cuts ? out_like(k, &left, self->dtype) : out_format(k, self->dtype, self->ndim, size, tensor_format(self));
	double number;
	tensor_to_doubles(value, &number);
	if (!out || (number != 0 && !copy_into(k, out, value)))
		return false;
	window_of(&from, self);
	window_of(&to, out);
	return !padded_parts(self, pad, n, &from, &to) || copy_into(k, &to.t, &from.t);
}

/* ---- Reflections and repeated borders ---- */

/* Element i of a padded dimension of n comes from here (reflection_pad*d_out_frame, ReplicationPad's kernels). */
static int64_t source(bool reflects, int64_t i, int64_t n, int64_t before)
{
	int64_t at = i - before;
	if (at < 0)
		at = reflects ? -at : 0;
	else if (at >= n)
		at = reflects ? 2 * (n - 1) - at : n - 1;
	return at;
}

/* Every element of out from the element of in whose offsets are listed by dimension. */
static void gather(const struct tensor *out, const struct tensor *in, int64_t *const *offset)
{
	int64_t index[MAX_DIMS] = { 0 }, size = (int64_t)dtype_size(out->dtype), n = tensor_numel(out);
	int last = out->ndim - 1;
	for (int64_t done = 0; done < n; done += out->size[last]) {
		int64_t to = 0, from = 0;
		for (int d = 0; d < last; d++) {
			to += index[d] * out->stride[d];
			from += offset[d][index[d]];
		}
		for (int64_t i = 0; i < out->size[last]; i++)
			memcpy(tensor_data(out) + (to + i * out->stride[last]) * size, tensor_data(in) + (from + offset[last][i]) * size, (size_t)size);
		for (int d = last - 1; d >= 0 && ++index[d] == out->size[d]; d--)
			index[d] = 0;
	}
}

static bool border_fits(struct kernel_call *k, const struct tensor *self, const int64_t *pad, int dims, bool reflects, const int64_t *size)
{
	for (int i = 0; i < dims; i++) {
		int d = self->ndim - 1 - i;
		if (reflects && (pad[2 * i] >= self->size[d] || pad[2 * i + 1] >= self->size[d]))
			return kernel_fail(k, "padding %lld and %lld must be less than dimension %d, which is %lld", (long long)pad[2 * i],
			                   (long long)pad[2 * i + 1], d, (long long)self->size[d]);
		if (self->size[d] < 1 || size[d] < 1)
			return kernel_fail(k, "dimension %d of %lld is too small to be padded", d, (long long)self->size[d]);
	}
	return true;
}

/* variant: the dimensions that are padded. */
static bool border_pad(struct kernel_call *k, bool reflects)
{
	struct tensor *self = arg_tensor(k, "self");
	int n, dims = k->row->variant;
	const int64_t *pad = arg_ints(k, "padding", &n);
	if (!pad)
		return false;
	int64_t size[MAX_DIMS], *offset[MAX_DIMS];
	if (n != 2 * dims || (self->ndim != dims + 1 && self->ndim != dims + 2))
		return kernel_fail(k, "%d paddings for %d dimensions", n, self->ndim);
	if (!padded_sizes(k, self, pad, n, size) || !border_fits(k, self, pad, dims, reflects, size))
		return false;
	bool keeps_format = dims == 2 || (dims == 3 && !reflects);
	struct tensor *out = out_format(k, self->dtype, self->ndim, size, keeps_format ? tensor_format(self) : FORMAT_CONTIGUOUS);
	if (!out)
		return false;
	for (int d = 0; d < self->ndim; d++) {
		int pair = self->ndim - 1 - d;
		if (!(offset[d] = scratch_alloc(k, size[d], sizeof **offset)))
			return false;
		for (int64_t i = 0; i < size[d]; i++)
			offset[d][i] = self->stride[d] * (pair < dims ? source(reflects, i, self->size[d], pad[2 * pair]) : i);
	}
	gather(out, self, offset);
	return true;
}

static bool k_reflection_pad(struct kernel_call *k)
{
	return border_pad(k, true);
}

static bool k_replication_pad(struct kernel_call *k)
{
	return border_pad(k, false);
}

const struct kernel_row pad_kernels[] = {
	{ .name = "constant_pad_nd", .run = k_constant_pad },
	{ .name = "reflection_pad1d", .variant = 1, .run = k_reflection_pad },
	{ .name = "reflection_pad2d", .variant = 2, .run = k_reflection_pad },
	{ .name = "reflection_pad3d", .variant = 3, .run = k_reflection_pad },
	{ .name = "replication_pad1d", .variant = 1, .run = k_replication_pad },
	{ .name = "replication_pad2d", .variant = 2, .run = k_replication_pad },
	{ .name = "replication_pad3d", .variant = 3, .run = k_replication_pad },
	{ 0 },
};
