/* Activations (aten/src/ATen/native/Activation.cpp, cpu/Activation.cpp). */
#include <math.h>
#include <string.h>

#include "exec/operands.h"
#include "exec/pairs.h"

static double clamped(double x, double low, double high)
{
	return isnan(x) ? x : x < low ? low : x > high ? high : x;
}

static double softplus(double x, double beta, double threshold)
{
	return x * beta > threshold ? x : log1p(exp(x * beta)) / beta;
}

REAL(relu, x <= 0 ? 0 : x) WHOLE(relu, x <= 0 ? 0 : x)
REAL(hardtanh, clamped(x, p[0], p[1]))
REAL(threshold, x <= p[0] ? p[1] : x) WHOLE(threshold, x <= p[0] ? p[1] : x)
REAL(gelu, x / 2 * (1 + erf(x / sqrt(2))))
REAL(gelu_tanh, x / 2 * (1 + tanh(0.7978845608028654 * (x + 0.044715 * x * x * x))))
/* alpha, scale, input_scale */
REAL(elu, x < 0 ? expm1(x * p[2]) * p[0] * p[1] : x * p[1])
REAL(celu, x < 0 ? expm1(x / p[0]) * p[0] : x)
REAL(silu, x / (1 + exp(-x)))
REAL(mish, x * tanh(x > 30 ? x : log1p(exp(x))))
REAL(softplus, softplus(x, p[0], p[1]))
REAL(leaky_relu, x > 0 ? x : x * p[0])
REAL(hardsigmoid, clamped(x + 3, 0, 6) / 6)
REAL(hardswish, x * clamped(x + 3, 0, 6) / 6)
REAL(hardshrink, x >= -p[0] && x <= p[0] ? 0 : x)
REAL(softshrink, isnan(x) ? x : x > p[0] ? x - p[0] : x < -p[0] ? x + p[0] : 0)

static void real_prelu(double *out, const double *const *in, int64_t n, const double *p)
{
	(void)p;
	for (int64_t i = 0; i < n; i++)
		out[i] = in[0][i] > 0 ? in[0][i] : in[0][i] * in[1][i];
}

static bool k_gelu(struct kernel_call *k)
{
	static const struct kernel_row exact = { .real = real_gelu }, by_tanh = { .real = real_gelu_tanh };
	const char *how = arg_str(k, "approximate");
	return kernel_pointwise(k, how && strcmp(how, "tanh") == 0 ? &by_tanh : &exact);
}

/* The first half times the sigmoid of the second. */
static bool k_glu(struct kernel_call *k)
{
	struct tensor *self = arg_tensor(k, "self");
	int64_t size[MAX_DIMS];
	int dim;
	if (self->ndim == 0 || !arg_dim(k, "dim", self->ndim, &dim))
		return kernel_fail(k, "no such dimension to halve");
	if (self->size[dim] % 2)
		return kernel_fail(k, "a dimension of %lld cannot be halved", (long long)self->size[dim]);
	memcpy(size, self->size, (size_t)self->ndim * sizeof *size);
	size[dim] /= 2;
	struct tensor *out = out_new(k, self->dtype, self->ndim, size);
	const double *x = out ? doubles_of(k, self) : NULL;
	double *y = x ? doubles_for(k, out) : NULL;
	int64_t outer = sizes_product(size, 0, dim), inner = sizes_product(size, dim, self->ndim);
	for (int64_t i = 0; y && i < outer; i++)
		for (int64_t j = 0; j < inner; j++)
			y[i * inner + j] = x[2 * i * inner + j] / (1 + exp(-x[(2 * i + 1) * inner + j]));
	return y != NULL;
}

/* The result and what backward needs of it, exp(-|x|); both contiguous, whatever the layout of self. */
static bool k_log_sigmoid(struct kernel_call *k)
{
	struct tensor *self = arg_tensor(k, "self"), *out = out_new(k, self->dtype, self->ndim, self->size);
	struct tensor *buffer = out ? out_new(k, self->dtype, self->ndim, self->size) : NULL;
	const double *x = buffer ? doubles_of(k, self) : NULL;
	double *y = x ? doubles_for(k, out) : NULL, *b = y ? doubles_for(k, buffer) : NULL;
	for (int64_t i = 0, n = tensor_numel(self); b && i < n; i++) {
		b[i] = exp(-fabs(x[i]));
		y[i] = (x[i] < 0 ? x[i] : 0) - log1p(b[i]);
	}
	return b != NULL;
}

#define ROW(f, p) { .name = #f, .real = real_##f, .scalars = p }
#define ROW_WHOLE(f, p) { .name = #f, .real = real_##f, .whole = whole_##f, .scalars = p }

const struct kernel_row activation_kernels[] = {
	ROW_WHOLE(relu, NULL), ROW(hardtanh, "min_val,max_val"), ROW_WHOLE(threshold, "threshold,value"),
	{ .name = "silu", .real = real_silu, .pairs = pairs_silu },
	ROW(elu, "alpha,scale,input_scale"), ROW(celu, "alpha"), ROW(mish, NULL), ROW(softplus, "beta,threshold"),
	ROW(leaky_relu, "negative_slope"), ROW(hardsigmoid, NULL), ROW(hardswish, NULL), ROW(hardshrink, "lambd"), ROW(softshrink, "lambd"),
	{ .name = "gelu", .run = k_gelu },
	{ .name = "glu", .run = k_glu },
	{ .name = "log_sigmoid_forward", .run = k_log_sigmoid },
	{ .name = "_prelu_kernel", .real = real_prelu, .operands = "self,weight" },
	{ 0 }
};
