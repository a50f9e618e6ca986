/*
 * Operators of the backward pass, as programs hold them that were exported with their gradients
 * (aten/src/ATen/native/{Activation,SoftMax,DilatedMaxPool2d,AveragePool2d,AdaptiveAveragePooling,Embedding}.cpp).
 */
#include <string.h>

#include "ops/op.h"
#include "ops/shapes.h"

/* The gradient has self's sizes; images keep their memory format. */
static bool shape_image_gradient(struct op_call *c)
{
	struct value *self = op_tensor(c, "self"), *grad = op_tensor(c, "grad_output");
	if (grad->dtype != self->dtype)
		return op_fail(c, "expected grad_output of %s, got %s", dtype_name(self->dtype), dtype_name(grad->dtype));
	if (grad->ndim != self->ndim || self->ndim < 3)
		return op_fail(c, "grad_output %V does not fit self %V", grad, self);
	return op_out_format(c, self->dtype, self->ndim, self->size, value_format(self)) != NULL;
}

static bool shape_softmax_gradient(struct op_call *c)
{
	struct value *grad = op_tensor(c, "grad_output"), *output = op_tensor(c, "output");
	int dim;
	if (!same_sizes(grad, output))
		return op_fail(c, "grad_output %V and output %V differ", grad, output);
	return op_dim(c, op_int(c, "dim", 0), grad->ndim, &dim) && op_out(c, op_dtype(c, "input_dtype", grad->dtype), grad->ndim, grad->size);
}

static bool shape_embedding_gradient(struct op_call *c)
{
	struct value *grad = op_tensor(c, "grad_output"), *indices = op_tensor(c, "indices");
	if (grad->ndim != indices->ndim + 1 || memcmp(grad->size, indices->size, (size_t)indices->ndim * sizeof *grad->size) != 0)
		return op_fail(c, "grad_output %V does not fit indices %V", grad, indices);
	int64_t size[2] = { op_int(c, "num_weights", 0), grad->size[grad->ndim - 1] };
	return size[0] < 0 ? op_fail(c, "the table has %lld rows", (long long)size[0]) : op_out(c, grad->dtype, 2, size) != NULL;
}

/* What a view was made of: zeros of its sizes, the gradient where the view lay. */
static bool shape_view_gradient(struct op_call *c)
{
	int n;
	const int64_t *size = op_ints(c, "input_sizes", &n);
	return op_out(c, op_tensor(c, "grad_output")->dtype, n, size) != NULL;
}

const struct op_rule gradient_rules[] = {
	{ .name = "sigmoid_backward", .shape = shape_pointwise },
	{ .name = "tanh_backward", .shape = shape_pointwise },
	{ .name = "silu_backward", .shape = shape_pointwise },
	{ .name = "mish_backward", .shape = shape_pointwise },
	{ .name = "gelu_backward", .shape = shape_pointwise },
	{ .name = "threshold_backward", .shape = shape_pointwise },
	{ .name = "hardtanh_backward", .shape = shape_pointwise },
	{ .name = "hardsigmoid_backward", .shape = shape_pointwise },
	{ .name = "hardswish_backward", .shape = shape_pointwise },
	{ .name = "leaky_relu_backward", .shape = shape_pointwise },
	{ .name = "elu_backward", .shape = shape_pointwise },
	{ .name = "softplus_backward", .shape = shape_pointwise },
	{ .name = "softshrink_backward", .shape = shape_pointwise },
	{ .name = "hardshrink_backward", .shape = shape_pointwise },
	{ .name = "logit_backward", .shape = shape_pointwise },
	{ .name = "native_dropout_backward", .shape = shape_pointwise_float },
	{ .name = "_softmax_backward_data", .shape = shape_softmax_gradient },
	{ .name = "_log_softmax_backward_data", .shape = shape_softmax_gradient },
	{ .name = "max_pool2d_with_indices_backward", .shape = shape_image_gradient },
	{ .name = "max_pool3d_with_indices_backward", .shape = shape_image_gradient },
	{ .name = "avg_pool2d_backward", .shape = shape_image_gradient },
	{ .name = "_adaptive_avg_pool2d_backward", .shape = shape_image_gradient },
	{ .name = "embedding_dense_backward", .shape = shape_embedding_gradient },
	{ .name = "slice_backward", .shape = shape_view_gradient },
	{ .name = "select_backward", .shape = shape_view_gradient },
	{ 0 }
};
