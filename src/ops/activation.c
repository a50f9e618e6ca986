/*
 * Activation functions and softmax (aten/src/ATen/native/{Activation,SoftMax,
 * GatedLinearUnit}.cpp).
 */
#include <string.h>

#include "ops/op.h"
#include "ops/shapes.h"

/* Those whose kernels take integers too: relu, hardtanh, threshold. */
static bool shape_number(struct op_call *c)
{
	struct value *self = op_tensor(c, "self");
	if (self->dtype == DT_BOOL)
		return op_fail(c, "bool inputs are not supported");
	return op_out_pointwise(c, self->dtype, &self, 1) != NULL;
}

/* Scalar arguments (slopes, limits) do not change the type. */
static bool shape_float(struct op_call *c)
{
	struct value *self = op_tensor(c, "self");
	if (!dtype_can_require_grad(self->dtype))
		return op_fail(c, "is not defined for %s", dtype_name(self->dtype));
	return op_out_pointwise(c, self->dtype, &self, 1) != NULL;
}

static bool shape_float_written(struct op_call *c)
{
	struct value *self = op_tensor(c, "self");
	if (!dtype_can_require_grad(self->dtype))
		return op_fail(c, "is not defined for %s", dtype_name(self->dtype));
	return shape_written(c);
}

static bool shape_gelu(struct op_call *c)
{
	const char *how = op_str(c, "approximate");
	if (how && strcmp(how, "none") != 0 && strcmp(how, "tanh") != 0)
		return op_fail(c, "approximate argument must be either none or tanh.");
	return shape_float(c);
}

/* One half gates the other. */
static bool shape_glu(struct op_call *c)
{
	struct value *self = op_tensor(c, "self");
	int64_t size[MAX_DIMS];
	int d;
	if (self->ndim == 0)
		return op_fail(c, "does not support 0-dimensional tensors");
	if (!op_dim(c, op_int(c, "dim", -1), self->ndim, &d))
		return false;
	if (self->size[d] % 2 != 0)
		return op_fail(c, "halving dimension must be even, but dimension %d is size %lld", d, (long long)self->size[d]);
	memcpy(size, self->size, (size_t)self->ndim * sizeof *size);
	size[d] /= 2;
	struct value half = { .dtype = self->dtype, .ndim = self->ndim, .size = size, .stride = self->stride }, *in = &half;
	return op_out_pointwise(c, self->dtype, &in, 1) != NULL;
}

static bool shape_log_sigmoid(struct op_call *c)
{
	struct value *self = op_tensor(c, "self");
	if (!dtype_is_float(self->dtype))
		return op_fail(c, "is not defined for %s", dtype_name(self->dtype));
	return op_out(c, self->dtype, self->ndim, self->size) && op_out(c, self->dtype, self->ndim, self->size);
}

static bool shape_prelu_kernel(struct op_call *c)
{
	struct value *in[2] = { op_tensor(c, "self"), op_tensor(c, "weight") };
	if (in[0]->dtype != in[1]->dtype)
		return op_fail(c, "type promoting not supported: got %s and %s", dtype_name(in[0]->dtype), dtype_name(in[1]->dtype));
	return op_out_pointwise(c, in[0]->dtype, in, 2) != NULL;
}

static bool shape_rrelu(struct op_call *c)
{
	struct value *self = op_tensor(c, "self");
	return op_float(c, "lower", 0) <= op_float(c, "upper", 0) ? op_out(c, self->dtype, self->ndim, self->size) != NULL
	       : op_fail(c, "lower bound should be less than or equal to the upper bound");
}

static bool shape_rrelu_functional(struct op_call *c)
{
	struct value *noise = op_tensor(c, "noise");
	return shape_rrelu(c) && op_out(c, noise->dtype, noise->ndim, noise->size);
}

/* Contiguous, whatever the layout of self. */
static bool shape_softmax(struct op_call *c)
{
	struct value *self = op_tensor(c, "self");
	enum dtype d = op_dtype(c, "dtype", self->dtype);
	int dim;
	if (!op_dim(c, op_int(c, "dim", -1), self->ndim, &dim))
		return false;
	if (!dtype_is_float(d))
		return op_fail(c, "is not defined for %s", dtype_name(d));
	if (op_bool(c, "half_to_float", false))
		d = DT_FLOAT32;
	return op_out(c, d, self->ndim, self->size) != NULL;
}

/* ---- Rows ---- */

const struct op_rule activation_rules[] = {
	{ .name = "relu", .shape = shape_number },
	{ .name = "relu_", .shape = shape_inplace },
	{ .name = "hardtanh", .shape = shape_number },
	{ .name = "hardtanh_", .shape = shape_inplace },
	{ .name = "threshold", .shape = shape_number },
	{ .name = "threshold_", .shape = shape_written },
	{ .name = "gelu", .shape = shape_gelu },
	{ .name = "gelu_", .shape = shape_float_written },
	{ .name = "elu", .shape = shape_float },
	{ .name = "elu_", .shape = shape_float_written },
	{ .name = "celu", .shape = shape_float },
	{ .name = "celu_", .shape = shape_float_written },
	{ .name = "silu", .shape = shape_float },
	{ .name = "silu_", .shape = shape_float_written },
	{ .name = "mish", .shape = shape_float },
	{ .name = "mish_", .shape = shape_float_written },
	{ .name = "softplus", .shape = shape_float },
	{ .name = "leaky_relu", .shape = shape_float },
	{ .name = "leaky_relu_", .shape = shape_float_written },
	{ .name = "hardsigmoid", .shape = shape_float },
	{ .name = "hardsigmoid_", .shape = shape_float_written },
	{ .name = "hardswish", .shape = shape_float },
	{ .name = "hardswish_", .shape = shape_float_written },
	{ .name = "hardshrink", .shape = shape_float },
	{ .name = "softshrink", .shape = shape_float },
	{ .name = "glu", .shape = shape_glu },
	{ .name = "log_sigmoid_forward", .shape = shape_log_sigmoid },
	{ .name = "_prelu_kernel", .shape = shape_prelu_kernel },
	{ .name = "rrelu_with_noise", .shape = shape_rrelu },
	{ .name = "rrelu_with_noise_", .shape = shape_written },
	{ .name = "rrelu_with_noise_functional", .shape = shape_rrelu_functional },
	{ .name = "_softmax", .shape = shape_softmax },
	{ .name = "_log_softmax", .shape = shape_softmax },
	{ .name = "_safe_softmax", .shape = shape_softmax },
	{ .name = "_masked_softmax", .shape = shape_softmax },

	/* composites */
	{ .name = "relu6", .parts = "return aten.hardtanh(self, 0, 6)" },
	{ .name = "relu6_", .parts = "return aten.hardtanh_(self, 0, 6)" },
	{ .name = "selu", .parts = "return aten.elu(self, 1.6732632423543772848170429916717, 1.0507009873554804934193349852946)" },
	{ .name = "selu_", .parts = "return aten.elu_(self, 1.6732632423543772848170429916717, 1.0507009873554804934193349852946)" },
	{ .name = "log_sigmoid", .parts = "return aten.log_sigmoid_forward(self)[0]" },
	{ .name = "prelu", .parts =
		"w = weight\n"
		"if w.numel() != 1:\n"
		"    if self.dim() == 0:\n"
		"        raise ValueError('Not allow zero-dim input tensor.')\n"
		"    channels = self.size(1) if self.dim() >= 2 else 1\n"
		"    if channels != w.numel():\n"
		"        raise ValueError(f'Mismatch of parameter numbers and input channel size. Found parameter numbers = {w.numel()} and channel size = {channels}.')\n"
		"if w.dim() > 1:\n"
		"    raise ValueError(f'prelu: Expected `weight` to be a scalar or 1D tensor, but got: ndim = {w.dim()}')\n"
		"if self.dim() != w.dim():\n"
		"    w = aten.reshape(w, [w.numel() if i == 1 else 1 for i in range(self.dim())])\n"
		"return aten._prelu_kernel(self, w)" },
	{ .name = "rrelu", .parts =
		"return aten.rrelu_with_noise(self, aten.empty_like(self, memory_format=torch.contiguous_format), lower, upper, training, generator)" },
	{ .name = "rrelu_", .parts =
		"return aten.rrelu_with_noise_(self, aten.empty_like(self, memory_format=torch.contiguous_format), lower, upper, training, generator)" },
	{ .name = "softmax.int", .parts =
		"return aten._softmax(self if dtype is None else aten.to.dtype(self, dtype), dim, False)" },
	{ .name = "log_softmax.int", .parts =
		"return aten._log_softmax(self if dtype is None else aten.to.dtype(self, dtype), dim, False)" },
	{ .name = "special_softmax", .parts = "return aten.softmax.int(self, dim, dtype)" },
	{ .name = "special_log_softmax", .parts = "return aten.log_softmax.int(self, dim, dtype)" },
	{ 0 },
};
