/*
 * Normalisation (aten/src/ATen/native/{Normalization,layer_norm,group_norm,WeightNorm}.cpp).  Running statistics are
 * written by the kernels without the schema saying so.
 */
#include <string.h>

#include "ops/op.h"
#include "ops/shapes.h"

/* ---- Batch norm ---- */

static bool per_channel(struct op_call *c, const char *name, const struct value *v, int64_t channels)
{
	if (!v || value_numel(v) == channels)
		return true;
	return op_fail(c, "%s %V has %lld elements; expected one for each of the %lld channels", name, v, (long long)value_numel(v),
	               (long long)channels);
}

static bool check_batch_norm(struct op_call *c)
{
	static const char *const names[] = { "weight", "bias", "running_mean", "running_var" };
	struct value *input = op_tensor(c, "input");
	const char *mode = op_arg_index(c->op, "use_input_stats") >= 0 ? "use_input_stats" : "training";
	bool training = op_arg_index(c->op, mode) >= 0 && op_bool(c, mode, false);
	if (input->ndim < 2)
		return value_numel(input) == 0 || op_fail(c, "input %V has %d dimensions; expected at least 2", input, input->ndim);
	if (!dtype_can_require_grad(input->dtype))
		return op_fail(c, "is not defined for %s", dtype_name(input->dtype));
	for (int i = 0; i < 4; i++)
		if (op_arg_index(c->op, names[i]) >= 0 && !per_channel(c, names[i], op_tensor(c, names[i]), input->size[1]))
			return false;
	if (op_arg_index(c->op, "running_mean") < 0)
		return true;
	if (!training && (!op_tensor(c, "running_mean") || !op_tensor(c, "running_var")))
		return op_fail(c, "running_mean and running_var must be given in evaluation mode");
	return true;
}

/* Statistics are kept in float32 when parameters are and the input is of half precision (is_mixed_type in mixed_data_type.h). */
static enum dtype statistics_type(struct op_call *c)
{
	static const char *const names[] = { "weight", "bias", "running_mean" };
	enum dtype d = op_tensor(c, "input")->dtype;
	for (int i = 0; i < 3; i++) {
		const struct value *v = op_arg_index(c->op, names[i]) < 0 ? NULL : op_tensor(c, names[i]);
		if (v)
			return dtype_promote(d, v->dtype);
	}
	return d;
}

static bool batch_norm_outputs(struct op_call *c, bool training)
{
	struct value *input = op_tensor(c, "input");
	enum dtype d = statistics_type(c);
	int64_t saved = training ? input->size[1] : 0;
	return op_out_format(c, input->dtype, input->ndim, input->size, value_format(input)) && op_out(c, d, 1, &saved) && op_out(c, d, 1, &saved);
}

static bool shape_batch_norm(struct op_call *c)
{
	return check_batch_norm(c) && batch_norm_outputs(c, op_bool(c, "training", false));
}

static bool shape_batch_norm_eval(struct op_call *c)
{
	return check_batch_norm(c) && batch_norm_outputs(c, false);
}

/* Nothing is saved for the CPU's backward pass. */
static bool out_reserve(struct op_call *c)
{
	int64_t none = 0;
	return op_out(c, DT_UINT8, 1, &none) != NULL;
}

static bool shape_batch_norm_train(struct op_call *c)
{
	return check_batch_norm(c) && batch_norm_outputs(c, true) && out_reserve(c);
}

static bool shape_batch_norm_no_update(struct op_call *c)
{
	return shape_batch_norm_eval(c) && out_reserve(c);
}

/* The running statistics that would have been written. */
static bool out_running(struct op_call *c)
{
	struct value *mean = op_tensor(c, "running_mean"), *variance = op_tensor(c, "running_var");
	return op_out(c, mean->dtype, mean->ndim, mean->size) && op_out(c, variance->dtype, variance->ndim, variance->size);
}

static bool shape_batch_norm_functional(struct op_call *c)
{
	return shape_batch_norm(c) && out_running(c);
}

static bool shape_batch_norm_train_functional(struct op_call *c)
{
	return shape_batch_norm_train(c) && out_running(c);
}

static const char batch_norm_index_parts[] =
	"if input.numel() == 0:\n"
	"    out = aten.clone(input)\n"
	"    if weight is not None:\n"
	"        out = aten.mul.Tensor(out, weight[0])\n"
	"    if bias is not None:\n"
	"        out = aten.add.Tensor(out, bias[0])\n"
	"    return out, running_mean, running_var, None, 0\n"
	"reserve = aten.empty([0], dtype=torch.uint8)\n"
	"out, mean, invstd = aten.native_batch_norm(input, weight, bias, running_mean, running_var, training, momentum, eps)\n"
	"return out, mean, invstd, reserve, 0\n";

static const char batch_norm_parts[] =
	"return aten._batch_norm_impl_index(input, weight, bias, running_mean, running_var, training, momentum, eps, cudnn_enabled)[0]\n";

/* The images of a batch are channels of one image; the running statistics are averages over the batch. */
static const char instance_norm_parts[] =
	"b, c = input.size(0), input.size(1)\n"
	"shape = [1, b * c] + list(input.shape)[2:]\n"
	"w = aten.repeat(weight, [b]) if weight is not None else None\n"
	"s = aten.repeat(bias, [b]) if bias is not None else None\n"
	"m = aten.repeat(running_mean, [b]) if running_mean is not None else None\n"
	"v = aten.repeat(running_var, [b]) if running_var is not None else None\n"
	"flat = aten.view.default(aten.contiguous(input), shape)\n"
	"out = aten.batch_norm(flat, w, s, m, v, use_input_stats, momentum, eps, cudnn_enabled)\n"
	"if running_mean is not None:\n"
	"    aten.copy_(aten.alias(running_mean), aten.mean.dim(aten.view.default(m, [b, c]), [0], False))\n"
	"if running_var is not None:\n"
	"    aten.copy_(aten.alias(running_var), aten.mean.dim(aten.view.default(v, [b, c]), [0], False))\n"
	"return aten.view.default(out, list(input.shape))\n";

/* ---- Layer norm and RMS norm ---- */

static bool check_normalized(struct op_call *c)
{
	static const char *const names[] = { "weight", "bias" };
	struct value *input = op_tensor(c, "input");
	int n;
	const int64_t *shape = op_ints(c, "normalized_shape", &n);
	struct value wanted = { .ndim = n, .size = (int64_t *)shape };
	if (n < 1)
		return op_fail(c, "normalized_shape must have at least one dimension");
	for (int i = 0; i < 2; i++) {
		struct value *v = op_tensor(c, names[i]);
		if (v && !sizes_equal(v, n, shape))
			return op_fail(c, "%s %V does not have normalized_shape %V", names[i], v, &wanted);
	}
	if (input->ndim < n || memcmp(input->size + input->ndim - n, shape, (size_t)n * sizeof *shape) != 0)
		return op_fail(c, "input %V does not end in normalized_shape %V", input, &wanted);
	return true;
}

static bool shape_layer_norm(struct op_call *c)
{
	struct value *input = op_tensor(c, "input");
	int64_t size[MAX_DIMS];
	int n;
	if (!check_normalized(c))
		return false;
	op_ints(c, "normalized_shape", &n);
	for (int i = 0; i < input->ndim; i++)
		size[i] = i < input->ndim - n ? input->size[i] : 1;
	enum dtype d = statistics_type(c);
	return op_out(c, input->dtype, input->ndim, input->size) && op_out(c, d, input->ndim, size) && op_out(c, d, input->ndim, size);
}

/* Half precision is computed in float32. */
static const char rms_norm_parts[] =
	"d = torch.float32 if input.dtype == torch.float16 or input.dtype == torch.bfloat16 else input.dtype\n"
	"x = aten.to.dtype(input, d) if d != input.dtype else input\n"
	"if eps is None:\n"
	"    eps = 2.220446049250313e-16 if d == torch.float64 else 1.1920928955078125e-07\n"
	"dims = [input.dim() - i - 1 for i in range(len(normalized_shape))]\n"
	"mean = aten.mean.dim(aten.pow.Tensor_Scalar(x, 2), dims, True)\n"
	"out = aten.mul.Tensor(x, aten.rsqrt(aten.add_.Scalar(mean, eps)))\n"
	"if weight is not None:\n"
	"    out = aten.mul.Tensor(out, weight)\n"
	"return aten.to.dtype(out, input.dtype) if out.dtype != input.dtype else out\n";

/* ---- Group norm ---- */

static bool check_group_norm(struct op_call *c)
{
	struct value *input = op_tensor(c, "input");
	int64_t groups = op_int(c, "num_groups", 1);
	if (input->ndim < 2)
		return op_fail(c, "input %V has %d dimensions; expected at least 2", input, input->ndim);
	if (groups <= 0 || input->size[1] % groups != 0)
		return op_fail(c, "input %V has %lld channels, which %lld groups do not divide", input, (long long)input->size[1], (long long)groups);
	return per_channel(c, "weight", op_tensor(c, "weight"), input->size[1]) && per_channel(c, "bias", op_tensor(c, "bias"), input->size[1]);
}

static bool shape_group_norm(struct op_call *c)
{
	struct value *input = op_tensor(c, "input");
	int64_t size[2] = { op_int(c, "N", 0), op_int(c, "group", 1) };
	enum dtype d = statistics_type(c);
	return op_out_format(c, input->dtype, input->ndim, input->size, value_format(input)) && op_out(c, d, 2, size) && op_out(c, d, 2, size);
}

/* The input is made contiguous unless it is channels-last. */
static const char group_norm_parts[] =
	"n, ch = input.size(0), input.size(1)\n"
	"inner = 1\n"
	"for i in range(2, input.dim()):\n"
	"    inner = inner * input.size(i)\n"
	"x = input\n"
	"s = x.stride()\n"
	"last = False\n"
	"if x.dim() == 4:\n"
	"    h, w = x.size(2), x.size(3)\n"
	"    last = s[1] > 0 and s[3] >= s[1] * ch and s[2] >= s[3] * w and s[0] >= s[2] * h and s[2] * h != s[1]\n"
	"    x = aten.contiguous(x, memory_format=torch.channels_last) if last else x\n"
	"if x.dim() == 5:\n"
	"    d, h, w = x.size(2), x.size(3), x.size(4)\n"
	"    last = s[1] > 0 and s[4] >= s[1] * ch and s[3] >= s[4] * w and s[2] >= s[3] * h and s[0] >= s[2] * d and s[2] * d != s[1]\n"
	"    x = aten.contiguous(x, memory_format=torch.channels_last_3d) if last else x\n"
	"if not last:\n"
	"    x = aten.contiguous(x)\n"
	"weight = aten.contiguous(weight) if weight is not None else None\n"
	"bias = aten.contiguous(bias) if bias is not None else None\n"
	"return aten.native_group_norm(x, weight, bias, n, ch, inner, num_groups, eps)[0]\n";

/* ---- Weight norm ---- */

static bool shape_weight_norm(struct op_call *c)
{
	struct value *v = op_tensor(c, "v"), *g = op_tensor(c, "g");
	enum dtype norms = g->dtype == DT_FLOAT16 || g->dtype == DT_BFLOAT16 ? DT_FLOAT32 : g->dtype;
	return op_out(c, v->dtype, v->ndim, v->size) && op_out(c, norms, g->ndim, g->size);
}

static const char weight_norm_parts[] =
	"if dim == 0 or dim == v.dim() - 1:\n"
	"    return aten._weight_norm_interface(v, g, dim)[0]\n"
	"return aten.mul.Tensor(v, aten.div.Tensor(g, aten.norm_except_dim(v, 2, dim)))\n";

/* ---- Multiply-adds: fvcore's norm_flop_counter and batchnorm_flop_jit ---- */

static bool flops_norm(const struct node *n, const char *affine, double *out)
{
	struct value *input = node_tensor(n, "input");
	if (input->ndim < 2 || input->ndim > 5)
		return false;
	*out = (double)value_numel(input) * (node_tensor(n, affine) ? 5 : 4);
	return true;
}

static bool flops_weighted_norm(const struct node *n, double *out)
{
	return flops_norm(n, "weight", out);
}

static bool flops_batch_norm(const struct node *n, double *out)
{
	const struct datum *training = node_arg(n, "training");
	if (training && datum_truth(*training))
		return flops_norm(n, "weight", out);
	*out = (double)value_numel(node_tensor(n, "input")) * (node_tensor(n, "weight") ? 2 : 1);
	return true;
}

const struct op_rule norm_rules[] = {
	{ .name = "native_batch_norm", .shape = shape_batch_norm },
	{ .name = "_native_batch_norm_legit", .shape = shape_batch_norm },
	{ .name = "_native_batch_norm_legit.no_stats", .shape = shape_batch_norm },
	{ .name = "_native_batch_norm_legit_no_training", .shape = shape_batch_norm_eval },
	{ .name = "_native_batch_norm_legit_functional", .shape = shape_batch_norm_functional },
	{ .name = "_batch_norm_with_update", .shape = shape_batch_norm_train },
	{ .name = "_batch_norm_with_update_functional", .shape = shape_batch_norm_train_functional },
	{ .name = "_batch_norm_no_update", .shape = shape_batch_norm_no_update },
	{ .name = "_batch_norm_impl_index", .shape = check_batch_norm, .parts = batch_norm_index_parts },
	{ .name = "batch_norm", .shape = check_batch_norm, .flops = flops_batch_norm, .flops_name = "batch_norm", .parts = batch_norm_parts },
	{ .name = "instance_norm", .shape = check_batch_norm, .flops = flops_weighted_norm, .flops_name = "instance_norm", .parts = instance_norm_parts },
	{ .name = "native_layer_norm", .shape = shape_layer_norm },
	{ .name = "layer_norm", .shape = check_normalized, .flops = flops_weighted_norm, .flops_name = "layer_norm",
	  .parts = "return aten.native_layer_norm(input, normalized_shape, weight, bias, eps)[0]" },
	{ .name = "rms_norm", .shape = check_normalized, .parts = rms_norm_parts },
	{ .name = "native_group_norm", .shape = shape_group_norm },
	{ .name = "group_norm", .shape = check_group_norm, .flops = flops_weighted_norm, .flops_name = "group_norm", .parts = group_norm_parts },
	{ .name = "_weight_norm_interface", .shape = shape_weight_norm },
	{ .name = "_weight_norm", .parts = weight_norm_parts },
	{ 0 },
};
