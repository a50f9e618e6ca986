/*
 * Convolutions and the sliding windows im2col and col2im
 * (aten/src/ATen/native/{Convolution,ConvolutionTBC,Im2Col,Col2Im}.cpp).
 */
#include <string.h>

#include "ops/flops.h"
#include "ops/op.h"
#include "ops/shapes.h"
#include "ops/window.h"

/* ---- convolution: what every conv_nd() becomes ---- */

struct conv {
	struct value *input, *weight, *bias;
	int spatial;                  /* 1 to 3 */
	const int64_t *stride, *padding, *dilation, *output_padding;
	bool transposed;
	int64_t groups, channels;     /* of the output */
};

static bool check_numbers(struct op_call *c, const struct conv *v)
{
	return window_numbers(c, "stride", v->spatial, v->stride, 1) &&
	       window_numbers(c, "padding", v->spatial, v->padding, 0) &&
	       window_numbers(c, "dilation", v->spatial, v->dilation, 1) &&
	       window_numbers(c, "output_padding", v->spatial, v->output_padding, 0);
}

static bool check_types(struct op_call *c, const struct conv *v)
{
	if (v->input->dtype != v->weight->dtype)
		return op_fail(c, "input is %s and weight is %s; they must be of one type", dtype_name(v->input->dtype), dtype_name(v->weight->dtype));
	if (v->bias && v->bias->dtype != v->input->dtype)
		return op_fail(c, "input is %s and bias is %s; they must be of one type", dtype_name(v->input->dtype), dtype_name(v->bias->dtype));
	return true;
}

/* weight is [out, in / groups, kernel...], transposed [in, out / groups, kernel...] */
static bool check_channels(struct op_call *c, struct conv *v)
{
	int64_t expected, has = v->input->size[1];
	if (v->groups <= 0 || v->groups > v->weight->size[0] || v->weight->size[0] % v->groups != 0)
		return op_fail(c, "weight %V cannot be split into %lld groups", v->weight, (long long)v->groups);
	if (v->transposed) {
		expected = v->weight->size[0];
		v->channels = v->weight->size[1] * v->groups;
	} else {
		expected = v->weight->size[1] * v->groups;
		v->channels = v->weight->size[0];
	}
	if (has != expected && v->groups == 1)
		return op_fail(c, "input %V has %lld channels, weight %V expects %lld", v->input, (long long)has, v->weight, (long long)expected);
	if (has != expected)
		return op_fail(c, "input %V has %lld channels, weight %V with groups=%lld expects %lld", v->input, (long long)has, v->weight,
		               (long long)v->groups, (long long)expected);
	if (v->bias && (v->bias->ndim != 1 || v->bias->size[0] != v->channels))
		return op_fail(c, "bias %V does not fit %lld output channels", v->bias, (long long)v->channels);
	return true;
}

static bool conv_read(struct op_call *c, struct conv *v)
{
	int n[4];
	v->input = op_tensor(c, "input");
	v->weight = op_tensor(c, "weight");
	v->bias = op_tensor(c, "bias");
	v->stride = op_ints(c, "stride", &n[0]);
	v->padding = op_ints(c, "padding", &n[1]);
	v->dilation = op_ints(c, "dilation", &n[2]);
	v->output_padding = op_ints(c, "output_padding", &n[3]);
	v->transposed = op_bool(c, "transposed", false);
	v->groups = op_int(c, "groups", 1);
	v->spatial = v->weight->ndim - 2;
	if (v->spatial < 1 || v->spatial > 3)
		return op_fail(c, "weight %V has %d dimensions; expected 3 to 5", v->weight, v->weight->ndim);
	if (v->input->ndim != v->weight->ndim)
		return op_fail(c, "input %V has %d dimensions, weight %V expects %d", v->input, v->input->ndim, v->weight, v->weight->ndim);
	static const char *const names[] = { "stride", "padding", "dilation", "output_padding" };
	const int64_t **lists[] = { &v->stride, &v->padding, &v->dilation, &v->output_padding };
	for (int i = 0; i < 4; i++)
		if (!window_spread(c, names[i], v->spatial, n[i], lists[i]))
			return false;
	return check_numbers(c, v) && check_types(c, v) && check_channels(c, v);
}

static bool conv_extent(struct op_call *c, const struct conv *v, int i, int64_t *out)
{
	int64_t in = v->input->size[i + 2], kernel = v->weight->size[i + 2];
	int64_t padded = in + 2 * v->padding[i], reach;
	if (kernel < 1)
		return op_fail(c, "weight %V has an empty kernel", v->weight);
	if (!times(v->dilation[i], kernel - 1, &reach))
		return op_fail(c, "dilation %lld is too large", (long long)v->dilation[i]);
	if (!v->transposed) {
		if (padded < reach + 1)
			return op_fail(c, "input %V has, padded, %lld elements in dimension %d, fewer than the %lld that kernel %V reaches over",
			               v->input, (long long)padded, i + 2, (long long)(reach + 1), v->weight);
		*out = (padded - reach - 1) / v->stride[i] + 1;
		return true;
	}
	if (v->output_padding[i] >= v->stride[i] && v->output_padding[i] >= v->dilation[i])
		return op_fail(c, "output padding %lld must be smaller than either stride %lld or dilation %lld", (long long)v->output_padding[i],
		               (long long)v->stride[i], (long long)v->dilation[i]);
	int64_t steps;
	if (!times(in - 1, v->stride[i], &steps))
		return op_fail(c, "stride %lld is too large for input %V", (long long)v->stride[i], v->input);
	*out = steps - 2 * v->padding[i] + reach + v->output_padding[i] + 1;
	return *out > 0 || op_fail(c, "input %V would give an output of %lld elements in dimension %d", v->input, (long long)*out, i + 2);
}

/* Channels-last when input or weight is; one-dimensional convolutions never are (conv backends in Convolution.cpp). */
static enum memory_format conv_format(const struct conv *v)
{
	enum memory_format f = value_format(v->input);
	return f == FORMAT_CONTIGUOUS ? value_format(v->weight) : f;
}

static bool shape_convolution(struct op_call *c)
{
	struct conv v;
	int64_t size[5];
	if (!conv_read(c, &v))
		return false;
	size[0] = v.input->size[0];
	size[1] = v.channels;
	for (int i = 0; i < v.spatial; i++)
		if (!conv_extent(c, &v, i, &size[i + 2]))
			return false;
	return op_out_format(c, v.input->dtype, v.spatial + 2, size, conv_format(&v)) != NULL;
}

/* batch x product of the weight x output positions (input positions when transposed); fvcore's conv_flop_count */
static bool flops_convolution(const struct node *n, double *out)
{
	struct value *input = node_tensor(n, "input"), *weight = node_tensor(n, "weight"), *output = n->outputs[0];
	struct datum *transposed = node_arg(n, "transposed");
	const struct value *over = transposed && datum_truth(*transposed) ? input : output;
	double flops = (double)input->size[0];
	for (int i = 0; i < weight->ndim; i++)
		flops *= (double)weight->size[i];
	for (int i = 2; i < over->ndim; i++)
		flops *= (double)over->size[i];
	*out = flops;
	return true;
}

/* ---- conv1d(), conv2d(), conv3d() and their transposes ---- */

/* variant: spatial dimensions; 0: as many as the weight has. */
static bool check_batched(struct op_call *c)
{
	struct value *input = op_tensor(c, "input"), *weight = op_tensor(c, "weight");
	int ndim = c->op->rule->variant ? c->op->rule->variant + 2 : weight->ndim;
	if (weight->ndim != ndim)
		return op_fail(c, "weight %V has %d dimensions; expected %d", weight, weight->ndim, ndim);
	if (input->ndim == ndim || input->ndim == ndim - 1)
		return true;
	return op_fail(c, "input %V has %d dimensions; expected %d (unbatched) or %d (batched)", input, input->ndim, ndim - 1, ndim);
}

/* padding='same' keeps the sizes, which no stride but 1 can. */
static bool check_mode(struct op_call *c)
{
	const char *mode = op_str(c, "padding");
	int n;
	const int64_t *stride = op_ints(c, "stride", &n);
	if (!check_batched(c))
		return false;
	if (!mode || (strcmp(mode, "same") != 0 && strcmp(mode, "valid") != 0))
		return op_fail(c, "padding must be 'valid', 'same' or numbers, not '%s'", mode ? mode : "None");
	for (int i = 0; i < n && strcmp(mode, "same") == 0; i++)
		if (stride[i] != 1)
			return op_fail(c, "padding='same' is not supported for strided convolutions");
	return true;
}

static const char conv_parts[] =
	"zeros = [0 for i in range(weight.dim() - 2)]\n"
	"if input.dim() < weight.dim():\n"
	"    return aten.convolution(aten.unsqueeze(input, 0), weight, bias, stride, padding, dilation, False, zeros, groups).squeeze(0)\n"
	"return aten.convolution(input, weight, bias, stride, padding, dilation, False, zeros, groups)\n";

static const char conv_transpose_parts[] =
	"if input.dim() < weight.dim():\n"
	"    return aten.convolution(aten.unsqueeze(input, 0), weight, bias, stride, padding, dilation, True, output_padding, groups).squeeze(0)\n"
	"return aten.convolution(input, weight, bias, stride, padding, dilation, True, output_padding, groups)\n";

static const char conv_padding_parts[] =
	"if input.dim() < weight.dim():\n"
	"    return aten._convolution_mode(aten.unsqueeze(input, 0), weight, bias, stride, padding, dilation, groups).squeeze(0)\n"
	"return aten._convolution_mode(input, weight, bias, stride, padding, dilation, groups)\n";

/*
 * An odd padding is put on the right first, so that what convolution() pads is symmetric.  fvcore counts
 * _convolution and not this.
 */
static const char conv_mode_parts[] =
	"n = weight.dim() - 2\n"
	"zeros = [0 for i in range(n)]\n"
	"if padding == 'valid':\n"
	"    return aten.convolution(input, weight, bias, stride, [0], dilation, False, [0], groups)\n"
	"total = [dilation[i] * (weight.size(i + 2) - 1) for i in range(n)]\n"
	"left = [t // 2 for t in total]\n"
	"odd = [t % 2 for t in total]\n"
	"if sum(odd) > 0:\n"
	"    input = aten.constant_pad_nd(input, [odd[n - 1 - i // 2] * (i % 2) for i in range(2 * n)], 0)\n"
	"return aten.convolution(input, weight, bias, stride, left, dilation, False, zeros, groups)\n";

static const char convolution_parts[] =
	"return aten.convolution(input, weight, bias, stride, padding, dilation, transposed, output_padding, groups)\n";

/* ---- conv_tbc: time, batch, channels ---- */

static bool shape_conv_tbc(struct op_call *c)
{
	struct value *self = op_tensor(c, "self"), *weight = op_tensor(c, "weight"), *bias = op_tensor(c, "bias");
	int64_t pad = op_int(c, "pad", 0);
	if (self->ndim != 3 || weight->ndim != 3 || bias->ndim != 1)
		return op_fail(c, "expected input, weight and bias of 3, 3 and 1 dimensions, not %V, %V and %V", self, weight, bias);
	if (self->size[2] != weight->size[1])
		return op_fail(c, "input %V has %lld channels, weight %V expects %lld", self, (long long)self->size[2], weight, (long long)weight->size[1]);
	if (bias->size[0] != weight->size[2])
		return op_fail(c, "bias %V does not fit weight %V", bias, weight);
	if (!window_numbers(c, "pad", 1, &pad, 0))
		return false;
	int64_t size[3] = { self->size[0] + 2 * pad - weight->size[0] + 1, self->size[1], weight->size[2] };
	return op_out(c, self->dtype, 3, size) != NULL;
}

/* ---- Sliding windows ---- */

struct windows {
	const int64_t *kernel, *dilation, *padding, *stride;
};

static bool windows_read(struct op_call *c, struct windows *w)
{
	int n;
	w->kernel = op_ints(c, "kernel_size", &n);
	if (!window_spread(c, "kernel_size", 2, n, &w->kernel))
		return false;
	w->dilation = op_ints(c, "dilation", &n);
	if (!window_spread(c, "dilation", 2, n, &w->dilation))
		return false;
	w->padding = op_ints(c, "padding", &n);
	if (!window_spread(c, "padding", 2, n, &w->padding))
		return false;
	w->stride = op_ints(c, "stride", &n);
	return window_spread(c, "stride", 2, n, &w->stride) &&
	       window_numbers(c, "kernel_size", 2, w->kernel, 1) && window_numbers(c, "dilation", 2, w->dilation, 1) &&
	       window_numbers(c, "padding", 2, w->padding, 0) && window_numbers(c, "stride", 2, w->stride, 1);
}

/* How many windows lie in an image of height x width. */
static bool windows_count(struct op_call *c, const struct windows *w, const int64_t *image, int64_t *count)
{
	int64_t n[2];
	for (int i = 0; i < 2; i++) {
		n[i] = window_extent(image[i], w->kernel[i], w->padding[i], w->stride[i], w->dilation[i], false);
		if (n[i] < 1)
			return op_fail(c, "no window of %lld x %lld fits an image of %lld x %lld", (long long)w->kernel[0], (long long)w->kernel[1],
			               (long long)image[0], (long long)image[1]);
	}
	return times(n[0], n[1], count) || op_fail(c, "the result has more elements than can be counted");
}

/* [N, C, H, W] -> [N, C * kernel, windows] */
static bool shape_im2col(struct op_call *c)
{
	struct value *self = op_tensor(c, "self");
	struct windows w;
	if (self->ndim != 3 && self->ndim != 4)
		return op_fail(c, "input %V has %d dimensions; expected 3 or 4", self, self->ndim);
	if (!windows_read(c, &w))
		return false;
	int batched = self->ndim - 3;
	int64_t size[3] = { self->size[0] }, window;
	if (!windows_count(c, &w, self->size + batched + 1, &size[batched + 1]))
		return false;
	if (!times(w.kernel[0], w.kernel[1], &window) || !times(self->size[batched], window, &size[batched]))
		return op_fail(c, "the result has more elements than can be counted");
	return op_out(c, self->dtype, 2 + batched, size) != NULL;
}

static bool shape_col2im(struct op_call *c)
{
	struct value *self = op_tensor(c, "self");
	int n, batched = self->ndim - 2;
	struct windows w;
	const int64_t *image = op_ints(c, "output_size", &n);
	if (self->ndim != 2 && self->ndim != 3)
		return op_fail(c, "input %V has %d dimensions; expected 2 or 3", self, self->ndim);
	if (!window_spread(c, "output_size", 2, n, &image) || !window_numbers(c, "output_size", 2, image, 1) || !windows_read(c, &w))
		return false;
	int64_t window, windows, columns = self->size[batched];
	if (!times(w.kernel[0], w.kernel[1], &window) || !windows_count(c, &w, image, &windows))
		return false;
	if (columns % window != 0)
		return op_fail(c, "input %V has %lld rows, which the kernel's %lld elements do not divide", self, (long long)columns, (long long)window);
	if (self->size[batched + 1] != windows)
		return op_fail(c, "input %V has %lld windows, an image of %lld x %lld has %lld", self, (long long)self->size[batched + 1],
		               (long long)image[0], (long long)image[1], (long long)windows);
	int64_t size[4] = { self->size[0] };
	size[batched] = columns / window;
	size[batched + 1] = image[0];
	size[batched + 2] = image[1];
	return op_out(c, self->dtype, batched + 3, size) != NULL;
}

const struct op_rule conv_rules[] = {
	{ .name = "convolution", .shape = shape_convolution, .flops = flops_convolution, .flops_name = "conv" },
	{ .name = "_convolution", .shape = shape_convolution, .flops = flops_convolution, .flops_name = "conv" },
	{ .name = "_convolution.deprecated", .parts = convolution_parts },
	{ .name = "convolution_overrideable", .shape = shape_convolution },
	{ .name = "conv1d", .variant = 1, .shape = check_batched, .parts = conv_parts },
	{ .name = "conv2d", .variant = 2, .shape = check_batched, .parts = conv_parts },
	{ .name = "conv3d", .variant = 3, .shape = check_batched, .parts = conv_parts },
	{ .name = "conv1d.padding", .variant = 1, .shape = check_mode, .parts = conv_padding_parts },
	{ .name = "conv2d.padding", .variant = 2, .shape = check_mode, .parts = conv_padding_parts },
	{ .name = "conv3d.padding", .variant = 3, .shape = check_mode, .parts = conv_padding_parts },
	{ .name = "_convolution_mode", .shape = check_mode, .flops = flops_uncounted, .parts = conv_mode_parts },
	{ .name = "conv_transpose1d", .variant = 1, .shape = check_batched, .parts = conv_transpose_parts },
	{ .name = "conv_transpose2d.input", .variant = 2, .shape = check_batched, .parts = conv_transpose_parts },
	{ .name = "conv_transpose3d.input", .variant = 3, .shape = check_batched, .parts = conv_transpose_parts },
	{ .name = "conv_tbc", .shape = shape_conv_tbc },
	{ .name = "im2col", .shape = shape_im2col },
	{ .name = "col2im", .shape = shape_col2im },
	{ 0 },
};
