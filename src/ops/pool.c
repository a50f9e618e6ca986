/*
 * Pooling (aten/src/ATen/native/{Pool.h,Pooling,AveragePool2d,AveragePool3d,DilatedMaxPool2d,DilatedMaxPool3d,
 * AdaptiveAveragePooling,AdaptiveMaxPooling2d,FractionalMaxPool2d,MaxUnpooling}.cpp).
 */
#include <string.h>

#include "ops/flops.h"
#include "ops/op.h"
#include "ops/shapes.h"
#include "ops/window.h"

/* ---- Windows ---- */

struct pool {
	struct value *self;
	int spatial;                 /* 2 or 3 */
	int lead;                    /* dimensions before the image: 1 unbatched, 2 batched */
	const int64_t *kernel, *stride, *padding, *dilation;
	bool ceil_mode;
};

static const int64_t ones[3] = { 1, 1, 1 };

static bool pool_image(struct op_call *c, struct pool *p, int spatial)
{
	p->self = op_tensor(c, "self");
	p->spatial = spatial;
	p->lead = p->self->ndim - spatial;
	if (p->lead != 1 && p->lead != 2)
		return op_fail(c, "input %V has %d dimensions; expected %d or %d", p->self, p->self->ndim, spatial + 1, spatial + 2);
	for (int i = p->lead - 1; i < p->self->ndim; i++)
		if (p->self->size[i] == 0)
			return op_fail(c, "input %V is empty in dimension %d", p->self, i);
	return true;
}

static bool pool_read(struct op_call *c, struct pool *p, int spatial)
{
	int n;
	if (!pool_image(c, p, spatial))
		return false;
	p->kernel = op_ints(c, "kernel_size", &n);
	if (!window_spread(c, "kernel_size", spatial, n, &p->kernel))
		return false;
	p->stride = op_ints(c, "stride", &n);
	if (n <= 0)
		p->stride = p->kernel;
	else if (!window_spread(c, "stride", spatial, n, &p->stride))
		return false;
	p->padding = op_ints(c, "padding", &n);
	if (!window_spread(c, "padding", spatial, n, &p->padding))
		return false;
	p->dilation = op_ints(c, "dilation", &n);
	if (n < 0)
		p->dilation = ones; /* averages have none */
	else if (!window_spread(c, "dilation", spatial, n, &p->dilation))
		return false;
	p->ceil_mode = op_bool(c, "ceil_mode", false);
	return window_numbers(c, "kernel_size", spatial, p->kernel, 1) && window_numbers(c, "stride", spatial, p->stride, 1) &&
	       window_numbers(c, "padding", spatial, p->padding, 0) && window_numbers(c, "dilation", spatial, p->dilation, 1);
}

static bool pool_size(struct op_call *c, const struct pool *p, int64_t *size)
{
	for (int i = 0; i < p->lead; i++)
		size[i] = p->self->size[i];
	for (int i = 0; i < p->spatial; i++) {
		int64_t in = p->self->size[p->lead + i], reach = p->dilation[i] * (p->kernel[i] - 1) + 1;
		if (p->padding[i] > p->kernel[i] / 2) /* whatever the dilation: pool2d_shape_check() */
			return op_fail(c, "padding %lld is more than half of the kernel's %lld", (long long)p->padding[i], (long long)p->kernel[i]);
		int64_t n = window_extent(in, p->kernel[i], p->padding[i], p->stride[i], p->dilation[i], p->ceil_mode);
		if (n < 1)
			return op_fail(c, "input %V is too small in dimension %d: a kernel that reaches over %lld elements fits %lld with padding %lld no time",
			               p->self, p->lead + i, (long long)reach, (long long)in, (long long)p->padding[i]);
		size[p->lead + i] = n;
	}
	return true;
}

static bool pool_outputs(struct op_call *c, const struct pool *p, const int64_t *size, enum memory_format f, bool indices)
{
	int ndim = p->self->ndim;
	return op_out_format(c, p->self->dtype, ndim, size, f) && (!indices || op_out_format(c, DT_INT64, ndim, size, f));
}

static bool shape_max_pool2d(struct op_call *c)
{
	struct pool p;
	int64_t size[5];
	return pool_read(c, &p, 2) && pool_size(c, &p, size) && pool_outputs(c, &p, size, value_format(p.self), true);
}

static bool shape_max_pool3d(struct op_call *c)
{
	struct pool p;
	int64_t size[5];
	return pool_read(c, &p, 3) && pool_size(c, &p, size) && pool_outputs(c, &p, size, value_format(p.self), true);
}

static bool check_divisor(struct op_call *c)
{
	return op_int(c, "divisor_override", 1) != 0 || op_fail(c, "divisor_override must not be zero");
}

static bool shape_avg_pool2d(struct op_call *c)
{
	struct pool p;
	int64_t size[5];
	return check_divisor(c) && pool_read(c, &p, 2) && pool_size(c, &p, size) &&
	       pool_outputs(c, &p, size, value_format(p.self), false);
}

/* avg_pool3d() of a channels-last input is contiguous all the same. */
static bool shape_avg_pool3d(struct op_call *c)
{
	struct pool p;
	int64_t size[5];
	return check_divisor(c) && pool_read(c, &p, 3) && pool_size(c, &p, size) &&
	       pool_outputs(c, &p, size, FORMAT_CONTIGUOUS, false);
}

/* ---- Adaptive ---- */

static bool adaptive_size(struct op_call *c, struct pool *p, int spatial, int64_t *size)
{
	int n;
	const int64_t *out = op_ints(c, "output_size", &n);
	if (!pool_image(c, p, spatial) || !window_spread(c, "output_size", spatial, n, &out) || !window_numbers(c, "output_size", spatial, out, 0))
		return false;
	memcpy(size, p->self->size, (size_t)p->lead * sizeof *size);
	memcpy(size + p->lead, out, (size_t)spatial * sizeof *size);
	return true;
}

static bool shape_adaptive_avg_pool2d(struct op_call *c)
{
	struct pool p;
	int64_t size[5];
	return adaptive_size(c, &p, 2, size) && pool_outputs(c, &p, size, value_format(p.self), false);
}

static bool shape_adaptive_avg_pool3d(struct op_call *c)
{
	struct pool p;
	int64_t size[5];
	return adaptive_size(c, &p, 3, size) && pool_outputs(c, &p, size, FORMAT_CONTIGUOUS, false);
}

static bool shape_adaptive_max_pool2d(struct op_call *c)
{
	struct pool p;
	int64_t size[5];
	return adaptive_size(c, &p, 2, size) && pool_outputs(c, &p, size, value_format(p.self), true);
}

static bool shape_adaptive_max_pool3d(struct op_call *c)
{
	struct pool p;
	int64_t size[5];
	return adaptive_size(c, &p, 3, size) && pool_outputs(c, &p, size, FORMAT_CONTIGUOUS, true);
}

/* fvcore: one for each element of the input */
static bool flops_adaptive_avg_pool2d(const struct node *n, double *out)
{
	*out = (double)value_numel(node_tensor(n, "self"));
	return true;
}

/* One-dimensional pooling is two-dimensional pooling of images one row high. */
static bool check_rows(struct op_call *c)
{
	struct value *self = op_tensor(c, "self");
	if (self->ndim != 2 && self->ndim != 3)
		return op_fail(c, "input %V has %d dimensions; expected 2 or 3", self, self->ndim);
	return true;
}

/* ---- Fractional and un-pooling ---- */

static bool fractional(struct op_call *c, int spatial)
{
	struct pool p;
	int n;
	int64_t size[5];
	const int64_t *kernel = op_ints(c, "kernel_size", &n);
	if (!window_spread(c, "kernel_size", spatial, n, &kernel) || !window_numbers(c, "kernel_size", spatial, kernel, 1) ||
	    !adaptive_size(c, &p, spatial, size))
		return false;
	for (int i = 0; i < spatial; i++)
		if (size[p.lead + i] + kernel[i] - 1 > p.self->size[p.lead + i])
			return op_fail(c, "an output of %lld by windows of %lld is too large for input %V", (long long)size[p.lead + i],
			               (long long)kernel[i], p.self);
	return pool_outputs(c, &p, size, FORMAT_CONTIGUOUS, true);
}

static bool shape_fractional_max_pool2d(struct op_call *c)
{
	return fractional(c, 2);
}

static bool shape_fractional_max_pool3d(struct op_call *c)
{
	return fractional(c, 3);
}

static bool max_unpool(struct op_call *c, int spatial)
{
	struct pool p;
	int64_t size[5];
	struct value *indices = op_tensor(c, "indices");
	if (!adaptive_size(c, &p, spatial, size))
		return false;
	if (indices->dtype != DT_INT64)
		return op_fail(c, "indices are %s; expected int64", dtype_name(indices->dtype));
	if (!same_sizes(p.self, indices))
		return op_fail(c, "indices %V do not have the shape of input %V", indices, p.self);
	return pool_outputs(c, &p, size, spatial == 2 ? value_format(p.self) : FORMAT_CONTIGUOUS, false);
}

static bool shape_max_unpool2d(struct op_call *c)
{
	return max_unpool(c, 2);
}

static bool shape_max_unpool3d(struct op_call *c)
{
	return max_unpool(c, 3);
}

/* ---- Composites ---- */

/*
 * An output of one element is the mean of the image; a channels-last input (suggest_memory_format(): strides that grow
 * in the order of channels, width, height, batch) gives a channels-last mean.
 */
static const char adaptive_avg_pool2d_parts[] =
	"if output_size[0] != 1 or output_size[1] != 1:\n"
	"    return aten._adaptive_avg_pool2d(self, output_size)\n"
	"out = aten.mean.dim(self, [-1, -2], True)\n"
	"if self.dim() == 4:\n"
	"    n, c, h, w = self.shape\n"
	"    s = self.stride()\n"
	"    if s[1] > 0 and s[3] >= s[1] * c and s[2] >= s[3] * w and s[0] >= s[2] * h and s[2] * h != s[1]:\n"
	"        return aten.as_strided_(out, [n, c, 1, 1], [c, 1, c, c])\n"
	"return out\n";

static const char adaptive_avg_pool3d_parts[] =
	"if output_size[0] != 1 or output_size[1] != 1 or output_size[2] != 1:\n"
	"    return aten._adaptive_avg_pool3d(self, output_size)\n"
	"out = aten.mean.dim(self, [-1, -2, -3], True)\n"
	"if self.dim() == 5:\n"
	"    n, c, d, h, w = self.shape\n"
	"    s = self.stride()\n"
	"    if s[1] > 0 and s[4] >= s[1] * c and s[3] >= s[4] * w and s[2] >= s[3] * h and s[0] >= s[2] * d and s[2] * d != s[1]:\n"
	"        return aten.as_strided_(out, [n, c, 1, 1, 1], [c, 1, c, c, c])\n"
	"return out\n";

static const char max_pool1d_with_indices_parts[] =
	"step = [1, stride[0] if len(stride) > 0 else kernel_size[0]]\n"
	"out, indices = aten.max_pool2d_with_indices(aten.unsqueeze(self, -2), [1, kernel_size[0]], step, [0, padding[0]],"
	" [1, dilation[0]], ceil_mode)\n"
	"return out.squeeze(-2), indices.squeeze(-2)\n";

static const char avg_pool1d_parts[] =
	"step = [1, stride[0] if len(stride) > 0 else kernel_size[0]]\n"
	"return aten.avg_pool2d(aten.unsqueeze(self, -2), [1, kernel_size[0]], step, [0, padding[0]], ceil_mode,"
	" count_include_pad).squeeze(-2)\n";

static const char adaptive_max_pool1d_parts[] =
	"out, indices = aten.adaptive_max_pool2d(aten.unsqueeze(self, -2), [1, output_size[0]])\n"
	"return out.squeeze(-2), indices.squeeze(-2)\n";

const struct op_rule pool_rules[] = {
	{ .name = "max_pool2d_with_indices", .shape = shape_max_pool2d },
	{ .name = "max_pool3d_with_indices", .shape = shape_max_pool3d },
	{ .name = "avg_pool2d", .shape = shape_avg_pool2d },
	{ .name = "avg_pool3d", .shape = shape_avg_pool3d },
	{ .name = "_adaptive_avg_pool2d", .shape = shape_adaptive_avg_pool2d },
	{ .name = "_adaptive_avg_pool3d", .shape = shape_adaptive_avg_pool3d },
	{ .name = "adaptive_max_pool2d", .shape = shape_adaptive_max_pool2d },
	{ .name = "adaptive_max_pool3d", .shape = shape_adaptive_max_pool3d },
	{ .name = "fractional_max_pool2d", .shape = shape_fractional_max_pool2d },
	{ .name = "fractional_max_pool3d", .shape = shape_fractional_max_pool3d },
	{ .name = "max_unpool2d", .shape = shape_max_unpool2d },
	{ .name = "max_unpool3d", .shape = shape_max_unpool3d },
	{ .name = "max_pool1d_with_indices", .shape = check_rows, .parts = max_pool1d_with_indices_parts },
	{ .name = "max_pool1d", .shape = check_rows,
	  .parts = "return aten.max_pool1d_with_indices(self, kernel_size, stride, padding, dilation, ceil_mode)[0]" },
	{ .name = "max_pool2d", .parts = "return aten.max_pool2d_with_indices(self, kernel_size, stride, padding, dilation, ceil_mode)[0]" },
	{ .name = "max_pool3d", .parts = "return aten.max_pool3d_with_indices(self, kernel_size, stride, padding, dilation, ceil_mode)[0]" },
	{ .name = "avg_pool1d", .shape = check_rows, .parts = avg_pool1d_parts },
	{ .name = "adaptive_avg_pool1d", .shape = check_rows, .flops = flops_uncounted,
	  .parts = "return aten.adaptive_avg_pool2d(aten.unsqueeze(self, -2), [1, output_size[0]]).squeeze(-2)" },
	{ .name = "adaptive_avg_pool2d", .flops = flops_adaptive_avg_pool2d, .flops_name = "adaptive_avg_pool2d", .parts = adaptive_avg_pool2d_parts },
	{ .name = "adaptive_avg_pool3d", .parts = adaptive_avg_pool3d_parts },
	{ .name = "adaptive_max_pool1d", .shape = check_rows, .parts = adaptive_max_pool1d_parts },
	{ 0 },
};
