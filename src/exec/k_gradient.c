/*
 * Gradients: of activations, softmax, pooling, lookups and views (aten/src/ATen/native/cpu/{BinaryOpsKernel,Activation,SoftMaxKernel,
 * MaxPoolKernel,AvgPoolKernel,AdaptiveAvgPoolKernel}.cpp, native/Embedding.cpp).  In what is element-wise g is the gradient of the result.
 */
#include <math.h>
#include <string.h>

#include "exec/layout.h"

#define GRADIENT(name, expression) \
	static void name(double *out, const double *const *in, int64_t n, const double *p) \
	{ \
		(void)p; \
		for (int64_t i = 0; i < n; i++) { \
			double g = in[0][i], x = in[1][i]; \
			out[i] = expression; \
		} \
	}

static double sigmoid(double x) { return 1 / (1 + exp(-x)); }

/* x = tanh(softplus(v)) and its slope */
static double mish_slope(double x)
{
	double t = tanh(x > 20 ? x : log1p(exp(x)));
	return t + x * sigmoid(x) * (1 - t * t);
}

static double gelu_slope(double x)
{
	return 0.5 * (1 + erf(x * 0.70710678118654752440)) + x * exp(-0.5 * x * x) * 0.39894228040143267794;
}

/* beta = sqrt(2 / pi) */
static double gelu_tanh_slope(double x)
{
	double beta = 0.79788456080286535588, t = tanh(beta * (x + 0.044715 * x * x * x));
	return 0.5 * (1 + t) + 0.5 * x * (1 - t * t) * beta * (1 + 3 * 0.044715 * x * x);
}

/* x is the result where is_result (p[3]) says so. */
static double elu_slope(double x, const double *p)
{
	if (x > 0)
		return p[1];
	return p[3] != 0 ? p[2] * (x + p[0] * p[1]) : p[2] * p[0] * p[1] * exp(x * p[2]);
}

/* eps is NaN when there is none. */
static double logit_slope(double x, double eps)
{
	if (!(eps >= 0))
		return x < 0 || x > 1 ? NAN : 1 / (x * (1 - x));
	return x < eps || x > 1 - eps ? 0 : 1 / (x * (1 - x));
}

GRADIENT(r_sigmoid, g * (1 - x) * x)
GRADIENT(r_tanh, g * (1 - x * x))
GRADIENT(r_silu, g * sigmoid(x) * (1 + x * (1 - sigmoid(x))))
GRADIENT(r_mish, g * mish_slope(x))
GRADIENT(r_gelu, g * gelu_slope(x))
GRADIENT(r_gelu_tanh, g * gelu_tanh_slope(x))
GRADIENT(r_threshold, x <= p[0] ? 0 : g)
GRADIENT(r_hardtanh, x <= p[0] || x >= p[1] ? 0 : g)
GRADIENT(r_hardsigmoid, x > -3 && x < 3 ? g / 6 : 0)
GRADIENT(r_hardswish, x <= -3 ? 0 : x < 3 ? g * (x / 3 + 0.5) : g)
GRADIENT(r_leaky, x > 0 ? g : g * p[0])
GRADIENT(r_elu, g * elu_slope(x, p))
GRADIENT(r_softplus, x * p[0] > p[1] ? g : g * sigmoid(x * p[0]))
GRADIENT(r_shrink, x >= -p[0] && x <= p[0] ? 0 : g)
GRADIENT(r_logit, g * logit_slope(x, p[0]))
GRADIENT(r_dropout, g * x * p[0])

static bool k_gelu(struct kernel_call *k)
{
	static const struct kernel_row exact = { .real = r_gelu, .operands = "grad_output,self" }, tanh_row = { .real = r_gelu_tanh, .operands = "grad_output,self" };
	const char *approximate = arg_str(k, "approximate");
	return kernel_pointwise(k, approximate && strcmp(approximate, "tanh") == 0 ? &tanh_row : &exact);
}

/* ---- Softmax ---- */

static bool same_shape(const struct tensor *a, const struct tensor *b)
{
	return a->ndim == b->ndim && memcmp(a->size, b->size, (size_t)a->ndim * sizeof *a->size) == 0;
}

/* y (g - sum(g y)); of its logarithm g - exp(y) sum(g) */
static bool softmax_gradient(struct kernel_call *k, bool logarithm)
{
	struct tensor *grad = arg_tensor(k, "grad_output"), *output = arg_tensor(k, "output");
	int dim;
	if (!arg_dim(k, "dim", grad->ndim, &dim))
		return false;
	if (!same_shape(grad, output))
		return kernel_fail(k, "the gradient and the result have different sizes");
	struct tensor *out = out_new(k, arg_dtype(k, "input_dtype", grad->dtype), grad->ndim, grad->size);
	const double *g = out ? doubles_of(k, grad) : NULL, *y = g ? doubles_of(k, output) : NULL;
	double *to = y ? doubles_for(k, out) : NULL;
	int64_t n = grad->ndim ? grad->size[dim] : 1, inner = grad->ndim ? sizes_product(grad->size, dim + 1, grad->ndim) : 1, lines = n ? tensor_numel(grad) / n : 0;
	for (int64_t l = 0; to && l < lines; l++) {
		int64_t first = l / inner * inner * n + l % inner;
		double sum = 0;
		for (int64_t i = 0; i < n; i++)
			sum += logarithm ? g[first + i * inner] : g[first + i * inner] * y[first + i * inner];
		for (int64_t i = 0; i < n; i++) {
			int64_t at = first + i * inner;
			to[at] = logarithm ? g[at] - exp(y[at]) * sum : y[at] * (g[at] - sum);
		}
	}
	return to != NULL;
}

static bool k_softmax(struct kernel_call *k)
{
	return softmax_gradient(k, false);
}

static bool k_log_softmax(struct kernel_call *k)
{
	return softmax_gradient(k, true);
}

/* ---- Pooling ---- */

/* Planes of self that get the gradient of planes of the result. */
struct planes {
	const double *g;
	double *to;
	int64_t count, area, result_area;        /* planes; elements of one of self, of one of the result */
	int64_t height, width, result_height, result_width;
};

static bool planes_read(struct kernel_call *k, int spatial, struct planes *p)
{
	struct tensor *grad = arg_tensor(k, "grad_output"), *self = arg_tensor(k, "self");
	int n = self->ndim, lead = n - spatial;
	if (lead < 1 || grad->ndim != n || memcmp(grad->size, self->size, (size_t)lead * sizeof *grad->size) != 0)
		return kernel_fail(k, "the gradient does not fit the input");
	struct tensor *out = out_format(k, self->dtype, n, self->size, tensor_format(self));
	*p = (struct planes){ .count = sizes_product(self->size, 0, lead), .area = sizes_product(self->size, lead, n),
	                     .result_area = sizes_product(grad->size, lead, n),
		.height = self->size[n - 2], .width = self->size[n - 1], .result_height = grad->size[n - 2], .result_width = grad->size[n - 1] };
	p->g = out ? doubles_of(k, grad) : NULL;
	p->to = p->g ? doubles_for(k, out) : NULL;
	return p->to != NULL;
}

/* Where each largest element came from is known. */
static bool max_pool(struct kernel_call *k, int spatial)
{
	struct planes p;
	struct tensor *grad = arg_tensor(k, "grad_output"), *indices = arg_tensor(k, "indices");
	if (!same_shape(indices, grad))
		return kernel_fail(k, "there must be an index for each element of the gradient");
	const int64_t *at = planes_read(k, spatial, &p) ? ints_of(k, indices) : NULL;
	for (int64_t i = 0; at && i < p.count * p.result_area; i++) {
		if (at[i] < 0 || at[i] >= p.area)
			return kernel_fail(k, "index %lld is not one of the %lld elements of a plane", (long long)at[i], (long long)p.area);
		p.to[i / p.result_area * p.area + at[i]] += p.g[i];
	}
	return at != NULL;
}

static bool k_max_pool2d(struct kernel_call *k)
{
	return max_pool(k, 2);
}

static bool k_max_pool3d(struct kernel_call *k)
{
	return max_pool(k, 3);
}

/* Rows [top, bottom), columns [left, right) get an equal part of one gradient. */
static void spread(const struct planes *p, int64_t plane, int64_t top, int64_t bottom, int64_t left, int64_t right, double part)
{
	for (int64_t y = top; y < bottom; y++)
		for (int64_t x = left; x < right; x++)
			p->to[plane * p->area + y * p->width + x] += part;
}

/* Each mean gives its gradient to what it was made of, padding too when that was counted. */
static bool k_avg_pool2d(struct kernel_call *k)
{
	struct planes p;
	int n;
	const int64_t *size = arg_ints(k, "kernel_size", &n), *padding = arg_ints(k, "padding", &n), *stride = arg_ints(k, "stride", &n);
	if (!size || !padding || !stride)
		return false;
	int64_t divisor = arg_int(k, "divisor_override", 0);
	bool counts_padding = arg_bool(k, "count_include_pad", true);
	stride = n > 0 ? stride : size;
	if (!planes_read(k, 2, &p))
		return false;
	for (int64_t i = 0; i < p.count * p.result_area; i++) {
		int64_t top = i % p.result_area / p.result_width * stride[0] - padding[0], left = i % p.result_width * stride[1] - padding[1];
		int64_t bottom = top + size[0] < p.height + padding[0] ? top + size[0] : p.height + padding[0];
		int64_t right = left + size[1] < p.width + padding[1] ? left + size[1] : p.width + padding[1];
		double all = (double)((bottom - top) * (right - left));
		top = top < 0 ? 0 : top;
		left = left < 0 ? 0 : left;
		bottom = bottom < p.height ? bottom : p.height;
		right = right < p.width ? right : p.width;
		double inside = (double)((bottom - top) * (right - left));
		spread(&p, i / p.result_area, top, bottom, left, right, p.g[i] / (divisor ? (double)divisor : counts_padding ? all : inside));
	}
	return true;
}

static bool k_adaptive_avg_pool2d(struct kernel_call *k)
{
	struct planes p;
	if (!planes_read(k, 2, &p))
		return false;
	for (int64_t i = 0; i < p.count * p.result_area; i++) {
		int64_t y = i % p.result_area / p.result_width, x = i % p.result_width;
		int64_t top = y * p.height / p.result_height, bottom = ((y + 1) * p.height + p.result_height - 1) / p.result_height;
		int64_t left = x * p.width / p.result_width, right = ((x + 1) * p.width + p.result_width - 1) / p.result_width;
		spread(&p, i / p.result_area, top, bottom, left, right, p.g[i] / (double)((bottom - top) * (right - left)));
	}
	return true;
}

/* ---- Lookups and views ---- */

/* Each row of the table gets what was made of it; scaled: divided by how often it was looked up. */
static bool k_embedding(struct kernel_call *k)
{
	struct tensor *grad = arg_tensor(k, "grad_output"), *indices = arg_tensor(k, "indices");
	int64_t rows = arg_int(k, "num_weights", 0), padding = arg_int(k, "padding_idx", -1), n = tensor_numel(indices);
	int64_t size[2] = { rows, grad->ndim ? grad->size[grad->ndim - 1] : 0 };
	if (rows < 0 || tensor_numel(grad) != n * size[1])
		return kernel_fail(k, "there must be a gradient for each of %lld indices", (long long)n);
	struct tensor *out = out_new(k, grad->dtype, 2, size);
	const double *g = out ? doubles_of(k, grad) : NULL;
	const int64_t *at = g ? ints_of(k, indices) : NULL;
	double *to = at ? doubles_for(k, out) : NULL, *count = to ? scratch_alloc(k, rows, sizeof *count) : NULL;
	for (int64_t i = 0; count && i < n; i++) {
		if (at[i] < 0 || at[i] >= rows)
			return kernel_fail(k, "index %lld is not one of %lld rows", (long long)at[i], (long long)rows);
		count[at[i]]++;
	}
	for (int64_t i = 0; count && i < n; i++)
		for (int64_t j = 0; at[i] != padding && j < size[1]; j++)
			to[at[i] * size[1] + j] += g[i * size[1] + j] / (arg_bool(k, "scale_grad_by_freq", false) ? count[at[i]] : 1);
	return count != NULL;
}

/* Zeros of the sizes that a view was made of; NULL after an error. */
static struct tensor *view_source(struct kernel_call *k, int *dim)
{
	int n;
	const int64_t *size = arg_ints(k, "input_sizes", &n);
	if (!size)
		return NULL;
	if (n < 1 || n > MAX_DIMS || !arg_dim(k, "dim", n, dim))
		return n < 1 || n > MAX_DIMS ? (kernel_fail(k, "input_sizes has %d dimensions", n), NULL) : NULL;
	return out_new(k, arg_tensor(k, "grad_output")->dtype, n, size);
}

static bool k_select(struct kernel_call *k)
{
	struct window w;
	struct tensor *grad = arg_tensor(k, "grad_output");
	int dim;
	struct tensor *out = view_source(k, &dim);
	if (!out)
		return false;
	int64_t i = arg_int(k, "index", 0), n = out->size[dim];
	if (i < -n || i >= n)
		return kernel_fail(k, "index %lld is out of range for %lld elements", (long long)i, (long long)n);
	window_of(&w, out);
	window_select(&w, dim, i < 0 ? i + n : i);
	return same_shape(&w.t, grad) ? copy_into(k, &w.t, grad) : kernel_fail(k, "the gradient does not fit what was selected");
}

static int64_t bound(int64_t at, int64_t n)
{
	at += at < 0 ? n : 0;
	return at < 0 ? 0 : at > n ? n : at;
}

static bool k_slice(struct kernel_call *k)
{
	struct window w;
	struct tensor *grad = arg_tensor(k, "grad_output");
	int dim;
	struct tensor *out = view_source(k, &dim);
	if (!out)
		return false;
	int64_t n = out->size[dim], from = bound(arg_int(k, "start", 0), n), to = bound(arg_int(k, "end", INT64_MAX), n), step = arg_int(k, "step", 1);
	if (step < 1)
		return kernel_fail(k, "slice step must be positive");
	window_of(&w, out);
	window_slice(&w, dim, from, to > from ? (to - from - 1) / step + 1 : 0);
	w.stride[dim] *= step;
	return same_shape(&w.t, grad) ? copy_into(k, &w.t, grad) : kernel_fail(k, "the gradient does not fit the slice");
}

const struct kernel_row gradient_kernels[] = {
	{ .name = "sigmoid_backward", .real = r_sigmoid, .operands = "grad_output,output" },
	{ .name = "tanh_backward", .real = r_tanh, .operands = "grad_output,output" },
	{ .name = "silu_backward", .real = r_silu, .operands = "grad_output,self" },
	{ .name = "mish_backward", .real = r_mish, .operands = "grad_output,self" },
	{ .name = "gelu_backward", .run = k_gelu },
	{ .name = "threshold_backward", .real = r_threshold, .operands = "grad_output,self", .scalars = "threshold" },
	{ .name = "hardtanh_backward", .real = r_hardtanh, .operands = "grad_output,self", .scalars = "min_val,max_val" },
	{ .name = "hardsigmoid_backward", .real = r_hardsigmoid, .operands = "grad_output,self" },
	{ .name = "hardswish_backward", .real = r_hardswish, .operands = "grad_output,self" },
	{ .name = "leaky_relu_backward", .real = r_leaky, .operands = "grad_output,self", .scalars = "negative_slope" },
	{ .name = "elu_backward", .real = r_elu, .operands = "grad_output,self_or_result", .scalars = "alpha,scale,input_scale,is_result" },
	{ .name = "softplus_backward", .real = r_softplus, .operands = "grad_output,self", .scalars = "beta,threshold" },
	{ .name = "softshrink_backward", .real = r_shrink, .operands = "grad_output,self", .scalars = "lambd" },
	{ .name = "hardshrink_backward", .real = r_shrink, .operands = "grad_out,self", .scalars = "lambd" },
	{ .name = "logit_backward", .real = r_logit, .operands = "grad_output,self", .scalars = "eps" },
	{ .name = "native_dropout_backward", .real = r_dropout, .operands = "grad_output,mask", .scalars = "scale", .result = RESULT_FLOAT },
	{ .name = "_softmax_backward_data", .run = k_softmax },
	{ .name = "_log_softmax_backward_data", .run = k_log_softmax },
	{ .name = "max_pool2d_with_indices_backward", .run = k_max_pool2d },
	{ .name = "max_pool3d_with_indices_backward", .run = k_max_pool3d },
	{ .name = "avg_pool2d_backward", .run = k_avg_pool2d },
	{ .name = "_adaptive_avg_pool2d_backward", .run = k_adaptive_avg_pool2d },
	{ .name = "embedding_dense_backward", .run = k_embedding },
	{ .name = "slice_backward", .run = k_slice },
	{ .name = "select_backward", .run = k_select },
	{ 0 }
};
