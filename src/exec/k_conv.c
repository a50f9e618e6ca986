/*
 * Convolutions as products with the columns of their input, and im2col and
 * col2im themselves (aten/src/ATen/native/{Convolution,ConvolutionMM2d,ConvolutionTBC,
 * Im2Col,Col2Im,NaiveConvolutionTranspose2d}.cpp).
 */
#include <string.h>

#include "exec/gemm.h"
#include "exec/slide.h"
#include "ops/window.h"

struct conv {
	struct tensor *input, *weight, *bias;
	int spatial;
	struct slide slide;
	int64_t output_padding[3];
	int64_t groups, in, out;         /* channels of one group */
	bool direct;                     /* the input is its own matrix of columns */
	const void *images, *weights, *biases;
	void *result, *columns;
	/* an item is `piece` output positions of one image and group; an image has `pieces` of them */
	int64_t piece, pieces, items, workers;
};

static bool conv_channels(struct kernel_call *k, struct conv *v)
{
	int64_t first = v->weight->size[0], second = v->weight->size[1];
	if (v->groups <= 0 || first % v->groups != 0)
		return kernel_fail(k, "%lld groups do not divide a weight of %lld", (long long)v->groups, (long long)first);
	v->in = v->slide.transposed ? first / v->groups : second;
	v->out = v->slide.transposed ? second : first / v->groups;
	if (v->input->size[1] / v->groups != v->in || v->input->size[1] % v->groups != 0)
		return kernel_fail(k, "input has %lld channels, weight expects %lld for each of %lld groups", (long long)v->input->size[1], (long long)v->in,
		                   (long long)v->groups);
	if (v->bias && tensor_numel(v->bias) != v->out * v->groups)
		return kernel_fail(k, "bias has %lld elements for %lld channels", (long long)tensor_numel(v->bias), (long long)(v->out * v->groups));
	return true;
}

static bool conv_extent(struct kernel_call *k, struct conv *v, int a)
{
	struct slide *s = &v->slide;
	int64_t reach, steps;
	if (s->kernel[a] < 1 || !times(s->dilation[a], s->kernel[a] - 1, &reach) || !times(s->in[a], s->stride[a], &steps))
		return kernel_fail(k, "a kernel of %lld with dilation %lld cannot be used", (long long)s->kernel[a], (long long)s->dilation[a]);
	int64_t inside = s->in[a] + 2 * s->padding[a] - reach - 1;
	s->out[a] = s->transposed ? steps - s->stride[a] - 2 * s->padding[a] + reach + v->output_padding[a] + 1 : inside / s->stride[a] + 1;
	if (s->transposed ? s->out[a] <= 0 : inside < 0)
		return kernel_fail(k, "a kernel that reaches over %lld does not fit an input of %lld with padding %lld", (long long)(reach + 1),
		                   (long long)s->in[a], (long long)s->padding[a]);
	return true;
}

static bool conv_read(struct kernel_call *k, struct conv *v)
{
	struct slide *s = &v->slide;
	v->input = arg_tensor(k, "input");
	v->weight = arg_tensor(k, "weight");
	v->bias = arg_tensor(k, "bias");
	s->transposed = arg_bool(k, "transposed", false);
	v->groups = arg_int(k, "groups", 1);
	v->spatial = v->weight->ndim - 2;
	if (v->spatial < 1 || v->spatial > 3 || v->input->ndim != v->weight->ndim)
		return kernel_fail(k, "input has %d dimensions, weight has %d", v->input->ndim, v->weight->ndim);
	for (int a = 0; a < 3; a++)
		s->in[a] = s->kernel[a] = s->stride[a] = s->dilation[a] = 1;
	for (int i = 0; i < v->spatial; i++) {
		s->in[3 - v->spatial + i] = v->input->size[i + 2];
		s->kernel[3 - v->spatial + i] = v->weight->size[i + 2];
	}
	if (!arg_extents(k, "stride", v->spatial, 1, s->stride) || !arg_extents(k, "padding", v->spatial, 0, s->padding) ||
	    !arg_extents(k, "dilation", v->spatial, 1, s->dilation) || !arg_extents(k, "output_padding", v->spatial, 0, v->output_padding))
		return false;
	for (int a = 0; a < 3; a++)
		if (!conv_extent(k, v, a))
			return false;
	return conv_channels(k, v);
}

/* Pieces whose columns fit a cache of about a megabyte. */
static void conv_divide(struct kernel_call *k, struct conv *v)
{
	const struct slide *s = &v->slide;
	int64_t depth = v->in * s->taps, most = depth > 0 ? (1 << 18) / depth : 1 << 18;
	double cost = (double)v->input->size[0] * (double)v->groups * (double)v->out * (double)depth * (double)s->out_area;
	v->direct = s->taps == 1 && !s->transposed;
	for (int a = 0; a < 3; a++)
		v->direct = v->direct && s->stride[a] == 1 && s->padding[a] == 0;
	v->piece = most < 64 ? 64 : most & ~(int64_t)7;
	v->piece = v->piece > s->out_area ? s->out_area : v->piece;
	v->pieces = v->piece > 0 ? (s->out_area + v->piece - 1) / v->piece : 0;
	v->items = v->input->size[0] * v->groups * v->pieces;
	v->workers = cost < 2e5 || k->threads < 1 ? 1 : k->threads < v->items ? k->threads : v->items;
}

#define REAL float
#define NAME(x) x##_float
#define READ floats_of
#define ROOM floats_for
#include "exec/conv.inc"
#undef REAL
#undef NAME
#undef READ
#undef ROOM

#define REAL double
#define NAME(x) x##_double
#define READ doubles_of
#define ROOM doubles_for
#include "exec/conv.inc"

static bool k_convolution(struct kernel_call *k)
{
	struct conv v = { 0 };
	int64_t size[5];
	if (!conv_read(k, &v) || !slide_prepare(k, &v.slide))
		return false;
	size[0] = v.input->size[0];
	size[1] = v.out * v.groups;
	memcpy(size + 2, v.slide.out + 3 - v.spatial, (size_t)v.spatial * sizeof *size);
	enum memory_format f = tensor_format(v.input);
	struct tensor *out = out_format(k, v.input->dtype, v.spatial + 2, size, f == FORMAT_CONTIGUOUS ? tensor_format(v.weight) : f);
	if (!out)
		return false;
	conv_divide(k, &v);
	enum dtype d = v.input->dtype;
	return d == DT_FLOAT32 || d == DT_FLOAT16 || d == DT_BFLOAT16 ? conv_run_float(k, &v, out) : conv_run_double(k, &v, out);
}

/* self [time, batch, in], weight [kernel, in, out]: one product for each element of the kernel. */
static bool k_conv_tbc(struct kernel_call *k)
{
	struct tensor *self = arg_tensor(k, "self"), *weight = arg_tensor(k, "weight"), *bias = arg_tensor(k, "bias");
	int64_t pad = arg_int(k, "pad", 0);
	if (self->ndim != 3 || weight->ndim != 3 || self->size[2] != weight->size[1] || tensor_numel(bias) != weight->size[2] || pad < 0 || pad > INT32_MAX)
		return kernel_fail(k, "input, weight, bias and pad do not fit");
	int64_t size[3] = { self->size[0] + 2 * pad - weight->size[0] + 1, self->size[1], weight->size[2] };
	if (size[0] < 0)
		return kernel_fail(k, "a kernel of %lld does not fit %lld steps", (long long)weight->size[0], (long long)self->size[0]);
	struct tensor *out = out_new(k, self->dtype, 3, size);
	const double *x = doubles_of(k, self), *w = doubles_of(k, weight), *b = doubles_of(k, bias);
	double *y = out ? doubles_for(k, out) : NULL;
	if (!x || !w || !b || !y)
		return false;
	int64_t in = self->size[2], n = size[2], line = size[1];
	for (int64_t i = 0; i < size[0] * line * n; i++)
		y[i] = b[i % n];
	for (int64_t t = 0; t < weight->size[0]; t++) {
		int64_t from = pad > t ? pad - t : 0, to = self->size[0] + pad - t;
		to = to < size[0] ? to : size[0];
		if (to > from)
			gemm_double(k, false, false, (to - from) * line, n, in, 1, x + (from + t - pad) * line * in, in, w + t * in * n, n, 1, y + from * line * n, n);
	}
	return true;
}

/* ---- im2col() and col2im() ---- */

static bool windows_read(struct kernel_call *k, struct slide *s)
{
	for (int a = 0; a < 3; a++)
		s->stride[a] = s->dilation[a] = s->kernel[a] = 1;
	if (!arg_extents(k, "kernel_size", 2, 1, s->kernel) || !arg_extents(k, "dilation", 2, 1, s->dilation) ||
	    !arg_extents(k, "padding", 2, 0, s->padding) || !arg_extents(k, "stride", 2, 1, s->stride))
		return false;
	s->out[0] = 1;
	for (int a = 1; a < 3; a++) {
		int64_t inside = s->in[a] + 2 * s->padding[a] - s->dilation[a] * (s->kernel[a] - 1) - 1;
		if (inside < 0)
			return kernel_fail(k, "no window of %lld fits an image of %lld", (long long)s->kernel[a], (long long)s->in[a]);
		s->out[a] = inside / s->stride[a] + 1;
	}
	return true;
}

static bool k_im2col(struct kernel_call *k)
{
	struct tensor *self = arg_tensor(k, "self");
	int batched = self->ndim - 3;
	struct slide s = { .in = { 1 } };
	if (batched < 0 || batched > 1)
		return kernel_fail(k, "input has %d dimensions; expected 3 or 4", self->ndim);
	memcpy(s.in + 1, self->size + batched + 1, 2 * sizeof *s.in);
	if (!windows_read(k, &s) || !slide_prepare(k, &s))
		return false;
	int64_t channels = self->size[batched], batch = batched ? self->size[0] : 1, size[3] = { batch };
	size[batched + 1] = s.out_area;
	if (!times(channels, s.taps, &size[batched]))
		return kernel_fail(k, "needs more memory than can be counted");
	struct tensor *out = out_new(k, self->dtype, 2 + batched, size);
	const double *in = doubles_of(k, self);
	double *to = out ? doubles_for(k, out) : NULL;
	if (!in || !to)
		return false;
	unfold_double(&s, batch * channels, in, 0, s.out_area, to);
	return true;
}

static bool k_col2im(struct kernel_call *k)
{
	struct tensor *self = arg_tensor(k, "self");
	int batched = self->ndim - 2;
	struct slide s = { .in = { 1 } };
	if (batched < 0 || batched > 1)
		return kernel_fail(k, "input has %d dimensions; expected 2 or 3", self->ndim);
	if (!arg_extents(k, "output_size", 2, 1, s.in) || !windows_read(k, &s))
		return false;
	int64_t taps = s.kernel[1] * s.kernel[2], rows = self->size[batched], batch = batched ? self->size[0] : 1;
	if (rows % taps != 0 || self->size[batched + 1] / s.out[1] != s.out[2] || self->size[batched + 1] % s.out[1] != 0)
		return kernel_fail(k, "columns of %lld rows and %lld windows do not fit the image", (long long)rows, (long long)self->size[batched + 1]);
	if (!slide_prepare(k, &s))
		return false;
	int64_t size[4] = { batch };
	size[batched] = rows / taps;
	size[batched + 1] = s.in[1];
	size[batched + 2] = s.in[2];
	struct tensor *out = out_new(k, self->dtype, 3 + batched, size);
	const double *in = doubles_of(k, self);
	double *to = out ? doubles_for(k, out) : NULL;
	if (!in || !to)
		return false;
	fold_double(&s, batch * (rows / taps), in, to);
	return true;
}

const struct kernel_row conv_kernels[] = {
	{ .name = "convolution", .run = k_convolution, .scratch = SCRATCH_OWN_TYPE },
	{ .name = "_convolution", .run = k_convolution, .scratch = SCRATCH_OWN_TYPE },
	{ .name = "convolution_overrideable", .run = k_convolution, .scratch = SCRATCH_OWN_TYPE },
	{ .name = "conv_tbc", .run = k_conv_tbc },
	{ .name = "im2col", .run = k_im2col },
	{ .name = "col2im", .run = k_col2im },
	{ 0 },
};
