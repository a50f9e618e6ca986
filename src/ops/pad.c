/*
 * Padding (aten/src/ATen/native/{PadNd,ReflectionPad,ReplicationPadding}.cpp).
 * Paddings are pairs, the last dimension's first.
 */
#include <string.h>

#include "ops/op.h"
#include "ops/shapes.h"

static bool padded_sizes(struct op_call *c, const struct value *self, const int64_t *pad, int n, int64_t *size)
{
	memcpy(size, self->size, (size_t)self->ndim * sizeof *size);
	for (int i = 0; i < n / 2; i++) {
		int d = self->ndim - 1 - i;
		if (__builtin_add_overflow(size[d], pad[2 * i], &size[d]) || __builtin_add_overflow(size[d], pad[2 * i + 1], &size[d]))
			return op_fail(c, "padding is too large");
		if (size[d] < 0)
			return op_fail(c, "the input size %lld, plus negative padding %lld and %lld, resulted in a negative output size, at dimension %d of %V",
			               (long long)self->size[d], (long long)pad[2 * i], (long long)pad[2 * i + 1], d, self);
	}
	return true;
}

static bool shape_constant_pad(struct op_call *c)
{
	struct value *self = op_tensor(c, "self");
	int n;
	const int64_t *pad = op_ints(c, "pad", &n);
	int64_t size[MAX_DIMS];
	bool all_negative = true;
	if (n % 2 != 0)
		return op_fail(c, "length of pad must be even but instead it equals %d", n);
	if (n > 2 * self->ndim)
		return op_fail(c, "length of pad should be no more than twice the number of dimensions of the input: pad has %d, input is %V", n, self);
	for (int i = 0; i < n; i++)
		all_negative = all_negative && pad[i] <= 0;
	if (!padded_sizes(c, self, pad, n, size))
		return false;
	if (all_negative) { /* a clone of the slice that is left */
		struct value slice = { .dtype = self->dtype, .ndim = self->ndim, .size = size, .stride = self->stride };
		return op_out_like(c, &slice, self->dtype) != NULL;
	}
	return op_out_format(c, self->dtype, self->ndim, size, value_format(self)) != NULL;
}

/* variant: the dimensions that are padded, with or without a batch before them. */
static bool border_pad(struct op_call *c, bool reflects)
{
	struct value *self = op_tensor(c, "self");
	int n, dims = c->op->rule->variant;
	const int64_t *pad = op_ints(c, "padding", &n);
	int64_t size[MAX_DIMS];
	if (n != 2 * dims || (self->ndim != dims + 1 && self->ndim != dims + 2))
		return op_fail(c, "expected %dD or %dD input and %d paddings, but got input %V and %d", dims + 1, dims + 2, 2 * dims, self, n);
	for (int i = 0; i < dims && reflects; i++) {
		int64_t extent = self->size[self->ndim - 1 - i];
		if (pad[2 * i] >= extent || pad[2 * i + 1] >= extent)
			return op_fail(c, "padding size should be less than the corresponding input dimension, but got: padding (%lld, %lld) at dimension %d of input %V",
			               (long long)pad[2 * i], (long long)pad[2 * i + 1], self->ndim - 1 - i, self);
	}
	if (!padded_sizes(c, self, pad, n, size))
		return false;
	for (int i = self->ndim - dims; i < self->ndim; i++)
		if (size[i] < 1)
			return op_fail(c, "input %V is too small: dimension %d of the result would be %lld", self, i, (long long)size[i]);
	bool keeps_format = dims == 2 || (dims == 3 && !reflects);
	return op_out_format(c, self->dtype, self->ndim, size, keeps_format ? value_format(self) : FORMAT_CONTIGUOUS) != NULL;
}

static bool shape_reflection_pad(struct op_call *c)
{
	return border_pad(c, true);
}

static bool shape_replication_pad(struct op_call *c)
{
	return border_pad(c, false);
}

#define BORDER(mode, op) \
	"if mode == '" mode "':\n" \
	"    if n == 2 and (k == 2 or k == 3):\n" \
	"        return aten." op "1d(self, pad)\n" \
	"    if n == 4 and (k == 3 or k == 4):\n" \
	"        return aten." op "2d(self, pad)\n" \
	"    if n == 6 and (k == 4 or k == 5):\n" \
	"        return aten." op "3d(self, pad)\n"

const struct op_rule pad_rules[] = {
	{ .name = "constant_pad_nd", .shape = shape_constant_pad },
	{ .name = "reflection_pad1d", .variant = 1, .shape = shape_reflection_pad },
	{ .name = "reflection_pad2d", .variant = 2, .shape = shape_reflection_pad },
	{ .name = "reflection_pad3d", .variant = 3, .shape = shape_reflection_pad },
	{ .name = "replication_pad1d", .variant = 1, .shape = shape_replication_pad },
	{ .name = "replication_pad2d", .variant = 2, .shape = shape_replication_pad },
	{ .name = "replication_pad3d", .variant = 3, .shape = shape_replication_pad },

	/* composites */
	{ .name = "pad", .parts =
		"n, k = len(pad), self.dim()\n"
		"if n % 2 != 0:\n"
		"    raise ValueError('Padding length must be divisible by 2')\n"
		"if n > 2 * k:\n"
		"    raise ValueError(f'Padding length should be less than or equal to two times the input dimension but got padding length {n} and input "
		"of dimension {k}')\n"
		"if mode == 'constant':\n"
		"    return aten.constant_pad_nd(self, pad, 0.0 if value is None else value)\n"
		"if value is not None and value != 0:\n"
		"    raise ValueError(f'Padding mode \"{mode}\" doesn\\'t take in value argument')\n"
		BORDER("reflect", "reflection_pad")
		BORDER("replicate", "replication_pad")
		"if mode == 'circular' and (n == 2 and (k == 2 or k == 3) or n == 4 and (k == 3 or k == 4) or n == 6 and (k == 4 or k == 5)):\n"
		"    return aten._pad_circular(self, pad)\n"
		"if mode not in ('reflect', 'replicate', 'circular'):\n"
		"    raise ValueError(f'Unrecognised padding mode {mode}')\n"
		"raise NotImplementedError(f'Padding size {n} is not supported for {k}D input tensor.')" },
	/* the middle is copied, then each border from the opposite side, dimension by dimension */
	{ .name = "_pad_circular", .parts =
		"m = len(pad) // 2\n"
		"first = self.dim() - m\n"
		"size = list(self.shape)\n"
		"for i in range(m):\n"
		"    l, r = pad[2 * (m - i - 1)], pad[2 * (m - i - 1) + 1]\n"
		"    s = size[first + i]\n"
		"    if l > s or r > s:\n"
		"        raise ValueError('Padding value causes wrapping around more than once.')\n"
		"    if s + l + r < 0:\n"
		"        raise ValueError('Negative padding value is resulting in an empty dimension')\n"
		"    size[first + i] = s + l + r\n"
		"out = aten.new_empty(self, size)\n"
		"a, b = out, self\n"
		"for i in range(m - 1, -1, -1):\n"
		"    d = first + i\n"
		"    l, r = pad[2 * (m - i - 1)], pad[2 * (m - i - 1) + 1]\n"
		"    a = aten.slice.Tensor(a, d, max(l, 0), size[d] - max(r, 0))\n"
		"    b = aten.slice.Tensor(b, d, max(-l, 0), self.size(d) - max(-r, 0))\n"
		"aten.copy_(a, b)\n"
		"for i in range(m - 1, -1, -1):\n"
		"    d = first + i\n"
		"    l, r = pad[2 * (m - i - 1)], pad[2 * (m - i - 1) + 1]\n"
		"    if l > 0:\n"
		"        to = aten.slice.Tensor(out, d, 0, l)\n"
		"        aten.copy_(to, aten.slice.Tensor(out, d, size[d] - l - max(r, 0), size[d] - max(r, 0)))\n"
		"    if r > 0:\n"
		"        to = aten.slice.Tensor(out, d, size[d] - r, size[d])\n"
		"        aten.copy_(to, aten.slice.Tensor(out, d, max(l, 0), max(l, 0) + r))\n"
		"return out" },
	{ 0 },
};
