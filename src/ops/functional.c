/*
 * Functions of torch.nn.functional that PyTorch writes in Python (torch/nn/functional.py), down to the operators they
 * call.  Losses are in functional_loss.c, attention in functional_attention.c, functions of torch in functional_torch.c.
 */
#include "ops/functional.h"

#include <string.h>

static const struct function_rule *const tables[] = {
	functional_rules, functional_loss_rules, functional_attention_rules, functional_torch_rules, functional_init_rules, method_rules };

const struct function_rule *function_rule_find(const char *name)
{
	for (size_t i = 0; i < sizeof tables / sizeof *tables; i++)
		for (const struct function_rule *r = tables[i]; r->name; r++)
			if (strcmp(r->name, name) == 0)
				return r;
	return NULL;
}

/* ---- Patterns ---- */

/* What works in place when asked to. */
#define OR_INPLACE(op, op_, args) "if inplace:\n    return aten." op_ "(input" args ")\nreturn aten." op "(input" args ")\n"

#define PROBABILITY \
	"if p < 0.0 or p > 1.0:\n" \
	"    raise ValueError(f'dropout probability has to be between 0 and 1, but got {p}')\n"

/* Dropout of whole channels; without a batch dimension one is added for the while. */
#define CHANNEL_DROPOUT(batched) \
	PROBABILITY \
	"lone = input.dim() != " batched "\n" \
	"if lone:\n" \
	"    input = aten.unsqueeze_(input, 0) if inplace else aten.unsqueeze(input, 0)\n" \
	"out = aten.feature_dropout_(input, p, training) if inplace else aten.feature_dropout(input, p, training)\n" \
	"if lone:\n" \
	"    out = aten.squeeze_.dim(out, 0) if inplace else aten.squeeze.dim(out, 0)\n" \
	"return out\n"

/* softmax() without dim: 0 for scalars, vectors and three dimensions, 1 for others. */
#define SOFTMAX_DIM \
	"if dim is None:\n" \
	"    dim = 0 if input.dim() in (0, 1, 3) else 1\n"

#define MAX_POOL(d) \
	"if stride is None:\n" \
	"    stride = []\n" \
	"if return_indices:\n" \
	"    return aten.max_pool" d "_with_indices(input, kernel_size, stride, padding, dilation, ceil_mode)\n" \
	"return aten.max_pool" d "(input, kernel_size, stride, padding, dilation, ceil_mode)\n"

#define MAX_POOL_SIGNATURE "input, kernel_size, stride=None, padding=0, dilation=1, ceil_mode=False, return_indices=False"

#define MAX_POOL_INDICES(d) \
	"return aten.max_pool" d "_with_indices(input, kernel_size, [] if stride is None else stride, padding, dilation, ceil_mode)\n"

/* None in output_size keeps the input's size. */
#define KEEP_SIZES(spatial) \
	"if isinstance(output_size, (list, tuple)):\n" \
	"    n = input.dim() - " spatial "\n" \
	"    output_size = [input.size(n + i) if output_size[i] is None else output_size[i] for i in range(len(output_size))]\n"

#define ADAPTIVE_MAX(d, spatial) \
	KEEP_SIZES(spatial) \
	"out, indices = aten.adaptive_max_pool" d "(input, output_size)\n" \
	"return (out, indices) if return_indices else out\n"

#define ADAPTIVE_MAX_INDICES(d, spatial) KEEP_SIZES(spatial) "return aten.adaptive_max_pool" d "(input, output_size)\n"

/* Sizes are given, or ratios of the image's; windows start at random places. */
#define FRACTIONAL(d, spatial) \
	"if output_size is None:\n" \
	"    if output_ratio is None:\n" \
	"        raise ValueError('fractional_max_pool" d " requires specifying either an output_size or an output_ratio')\n" \
	"    ratio = output_ratio if isinstance(output_ratio, (list, tuple)) else [output_ratio for i in range(" spatial ")]\n" \
	"    n = input.dim() - " spatial "\n" \
	"    output_size = [int(input.size(n + i) * ratio[i]) for i in range(" spatial ")]\n" \
	"if _random_samples is None:\n" \
	"    batch = input.size(0) if input.dim() == " spatial " + 2 else 1\n" \
	"    _random_samples = torch.rand(batch, input.size(-" spatial " - 1), " spatial ", dtype=input.dtype)\n" \
	"out, indices = aten.fractional_max_pool" d "(input, kernel_size, output_size, _random_samples)\n"

#define FRACTIONAL_SIGNATURE "input, kernel_size, output_size=None, output_ratio=None, return_indices=False, _random_samples=None"

/* The size that pooling came from, or the one asked for when it lies less than a stride away. */
#define UNPOOL(spatial) \
	"n = " spatial "\n" \
	"kernel = list(kernel_size) if isinstance(kernel_size, (list, tuple)) else [kernel_size for i in range(n)]\n" \
	"step = kernel if stride is None else (list(stride) if isinstance(stride, (list, tuple)) else [stride for i in range(n)])\n" \
	"edge = list(padding) if isinstance(padding, (list, tuple)) else [padding for i in range(n)]\n" \
	"size = [(input.size(input.dim() - n + i) - 1) * step[i] + kernel[i] - 2 * edge[i] for i in range(n)]\n" \
	"if output_size is not None:\n" \
	"    wanted = list(output_size)\n" \
	"    if len(wanted) == n + 2:\n" \
	"        wanted = wanted[2:]\n" \
	"    if len(wanted) != n:\n" \
	"        raise ValueError(f'output_size should be a sequence containing {n} or {n + 2} elements, but it has a length of {len(wanted)}')\n" \
	"    for i in range(n):\n" \
	"        if not size[i] - step[i] < wanted[i] < size[i] + step[i]:\n" \
	"            raise ValueError(f'invalid output_size {wanted} (dim {i} must be between {size[i] - step[i]} and {size[i] + step[i]})')\n" \
	"    size = wanted\n"

#define UNPOOL_SIGNATURE "input, indices, kernel_size, stride=None, padding=0, output_size=None"

/* The p-norm over windows: a mean of powers, times the window's elements. */
#define LP_POOL(d, elements) \
	"if norm_type == math.inf:\n" \
	"    return F.max_pool" d "(input.abs(), kernel_size, stride, 0, 1, ceil_mode)\n" \
	"if norm_type == -math.inf:\n" \
	"    return -F.max_pool" d "(-input.abs(), kernel_size, stride, 0, 1, ceil_mode)\n" \
	"out = aten.avg_pool" d "(input.pow(norm_type), kernel_size, [] if stride is None else stride, 0, ceil_mode)\n" \
	elements \
	"return (torch.sign(out) * F.relu(torch.abs(out))).mul(count).pow(1.0 / norm_type)\n"

#define LP_COUNT(spatial) \
	"count = 1\n" \
	"for k in (kernel_size if isinstance(kernel_size, (list, tuple)) else [kernel_size for i in range(" spatial ")]):\n" \
	"    count = count * k\n"

#define AVG_POOL(d, more) "return aten.avg_pool" d "(input, kernel_size, [] if stride is None else stride, padding, ceil_mode, count_include_pad" more ")\n"

/* One value per channel has no variance. */
#define BATCH_SIZE(first) \
	"n = " first "\n" \
	"for i in range(2, input.dim()):\n" \
	"    n = n * input.size(i)\n" \
	"if n == 1:\n" \
	"    raise ValueError(f'Expected more than 1 value per channel when training, got input size torch.Size({list(input.shape)})')\n"

/* ---- Longer bodies ---- */

static const char embedding_body[] =
	"if padding_idx is None:\n"
	"    padding_idx = -1\n"
	"else:\n"
	"    n = weight.size(0)\n"
	"    if padding_idx >= n or padding_idx < -n:\n"
	"        raise ValueError('Padding_idx must be within num_embeddings')\n"
	"    if padding_idx < 0:\n"
	"        padding_idx = n + padding_idx\n"
	"if max_norm is not None:\n"
	"    input = input.contiguous()\n"
	"    with torch.no_grad():\n"
	"        aten.embedding_renorm_(weight.detach(), input, max_norm, norm_type)\n"
	"return aten.embedding(weight, input, padding_idx, scale_grad_by_freq, sparse)\n";

static const char embedding_bag_body[] =
	"if weight.dim() != 2:\n"
	"    raise ValueError(f'weight has to be a 2D Tensor, but got Tensor of dimension {weight.dim()}')\n"
	"if per_sample_weights is not None and input.shape != per_sample_weights.shape:\n"
	"    raise ValueError('embedding_bag: per_sample_weights must have the same shape as the input')\n"
	"if input.dim() == 2:\n"
	"    if offsets is not None:\n"
	"        raise ValueError('if input is 2D, then offsets has to be None: each row is a bag')\n"
	"    offsets = torch.arange(0, input.numel(), input.size(1), dtype=input.dtype)\n"
	"    include_last_offset = False\n"
	"    input = input.reshape(-1)\n"
	"    if per_sample_weights is not None:\n"
	"        per_sample_weights = per_sample_weights.reshape(-1)\n"
	"elif input.dim() != 1:\n"
	"    raise ValueError(f'input has to be 1D or 2D Tensor, but got Tensor of dimension {input.dim()}')\n"
	"elif offsets is None or offsets.dim() != 1:\n"
	"    raise ValueError('offsets has to be a 1D Tensor')\n"
	"if mode not in ('sum', 'mean', 'max'):\n"
	"    raise ValueError('mode has to be one of sum, mean or max')\n"
	"if mode == 'max' and (scale_grad_by_freq or sparse):\n"
	"    raise ValueError('max mode supports neither scaling the gradient by the frequency nor sparse weights')\n"
	"if per_sample_weights is not None and mode != 'sum':\n"
	"    raise ValueError(f'embedding_bag: per_sample_weights is only supported for mode=sum (got mode={mode!r})')\n"
	"if max_norm is not None:\n"
	"    with torch.no_grad():\n"
	"        aten.embedding_renorm_(weight.detach(), input, max_norm, norm_type)\n"
	"kind = {'sum': 0, 'mean': 1, 'max': 2}[mode]\n"
	"if padding_idx is None:\n"
	"    return aten.embedding_bag(weight, input, offsets, scale_grad_by_freq, kind, sparse, per_sample_weights, include_last_offset)[0]\n"
	"return aten.embedding_bag.padding_idx(weight, input, offsets, scale_grad_by_freq, kind, sparse, per_sample_weights,"
	" include_last_offset, padding_idx)[0]\n";

static const char local_response_norm_body[] =
	"dim = input.dim()\n"
	"if dim < 3:\n"
	"    raise ValueError(f'Expected 3D or higher dimensionality input (got {dim} dimensions)')\n"
	"if input.numel() == 0:\n"
	"    return input\n"
	"div = input.mul(input)\n"
	"before, after = size // 2, (size - 1) // 2\n"
	"if dim == 3:\n"
	"    div = F.pad(div.unsqueeze(1), [0, 0, before, after])\n"
	"    div = F.avg_pool2d(div, (size, 1), stride=1).squeeze(1)\n"
	"else:\n"
	"    shape = list(input.shape)\n"
	"    div = F.pad(div.view(shape[0], 1, shape[1], shape[2], -1), [0, 0, 0, 0, before, after])\n"
	"    div = F.avg_pool3d(div, (size, 1, 1), stride=1).squeeze(1)\n"
	"    div = div.view(shape)\n"
	"return input / div.mul(alpha).add(k).pow(beta)\n";

static const char gumbel_softmax_body[] =
	"noise = -torch.empty_like(logits).exponential_().log()\n"
	"soft = ((logits + noise) / tau).softmax(dim)\n"
	"if not hard:\n"
	"    return soft\n"
	"index = soft.max(dim, keepdim=True)[1]\n"
	"one = torch.zeros_like(logits).scatter_(dim, index, 1.0)\n"
	"return one - soft.detach() + soft\n";

/* Sizes or factors for each dimension; area and recompute_scale_factor turn factors into sizes first. */
static const char interpolate_body[] =
	"linear = mode in ('linear', 'bilinear', 'trilinear', 'bicubic', 'lanczos')\n"
	"if not linear and align_corners is not None:\n"
	"    raise ValueError('align_corners option can only be set with the interpolating modes: linear | bilinear | bicubic | trilinear')\n"
	"if align_corners is None:\n"
	"    align_corners = False\n"
	"n = input.dim() - 2\n"
	"if size is not None and scale_factor is not None:\n"
	"    raise ValueError('only one of size or scale_factor should be defined')\n"
	"if size is None and scale_factor is None:\n"
	"    raise ValueError('either size or scale_factor should be defined')\n"
	"sizes = list(size) if isinstance(size, (list, tuple)) else (None if size is None else [size for i in range(n)])\n"
	"scales = list(scale_factor) if isinstance(scale_factor, (list, tuple)) else (None if scale_factor is None else [scale_factor for i in range(n)])\n"
	"given = scales if sizes is None else sizes\n"
	"if len(given) != n:\n"
	"    raise ValueError(f'interpolate: input {list(input.shape)} has {n} spatial dimensions, but {given} has {len(given)} numbers')\n"
	"if recompute_scale_factor and size is not None:\n"
	"    raise ValueError('recompute_scale_factor is not meaningful with an explicit size.')\n"
	"if sizes is None and (recompute_scale_factor or mode == 'area'):\n"
	"    sizes = [int(input.size(i + 2) * scales[i]) for i in range(n)]\n"
	"    scales = None\n"
	"if antialias and not (mode in ('bilinear', 'bicubic', 'lanczos') and input.dim() == 4):\n"
	"    raise ValueError('Anti-alias option is restricted to bilinear, bicubic, and lanczos modes and requires a 4-D tensor as input')\n"
	"if mode == 'nearest' and n == 1:\n"
	"    return aten.upsample_nearest1d.vec(input, sizes, scales)\n"
	"if mode == 'nearest' and n == 2:\n"
	"    return aten.upsample_nearest2d.vec(input, sizes, scales)\n"
	"if mode == 'nearest' and n == 3:\n"
	"    return aten.upsample_nearest3d.vec(input, sizes, scales)\n"
	"if mode == 'nearest-exact' and n == 1:\n"
	"    return aten._upsample_nearest_exact1d.vec(input, sizes, scales)\n"
	"if mode == 'nearest-exact' and n == 2:\n"
	"    return aten._upsample_nearest_exact2d.vec(input, sizes, scales)\n"
	"if mode == 'nearest-exact' and n == 3:\n"
	"    return aten._upsample_nearest_exact3d.vec(input, sizes, scales)\n"
	"if mode == 'area' and n == 1:\n"
	"    return aten.adaptive_avg_pool1d(input, sizes)\n"
	"if mode == 'area' and n == 2:\n"
	"    return aten.adaptive_avg_pool2d(input, sizes)\n"
	"if mode == 'area' and n == 3:\n"
	"    return aten.adaptive_avg_pool3d(input, sizes)\n"
	"if mode == 'linear' and n == 1:\n"
	"    return aten.upsample_linear1d.vec(input, sizes, align_corners, scales)\n"
	"if mode == 'bilinear' and n == 2 and antialias:\n"
	"    return aten._upsample_bilinear2d_aa.vec(input, sizes, align_corners, scales)\n"
	"if mode == 'bilinear' and n == 2:\n"
	"    return aten.upsample_bilinear2d.vec(input, sizes, align_corners, scales)\n"
	"if mode == 'bicubic' and n == 2 and antialias:\n"
	"    return aten._upsample_bicubic2d_aa.vec(input, sizes, align_corners, scales)\n"
	"if mode == 'bicubic' and n == 2:\n"
	"    return aten.upsample_bicubic2d.vec(input, sizes, align_corners, scales)\n"
	"if mode == 'trilinear' and n == 3:\n"
	"    return aten.upsample_trilinear3d.vec(input, sizes, align_corners, scales)\n"
	"if mode == 'lanczos' and n == 2 and antialias and not align_corners:\n"
	"    return aten._upsample_lanczos2d_aa.vec(input, sizes, align_corners, scales)\n"
	"raise ValueError(f'interpolate: mode {mode!r} is not known for an input of {input.dim()} dimensions')\n";

static const char grid_sample_body[] =
	"if mode not in ('bilinear', 'nearest', 'bicubic'):\n"
	"    raise ValueError(f'grid_sample: mode must be bilinear, nearest or bicubic, not {mode!r}')\n"
	"if padding_mode not in ('zeros', 'border', 'reflection'):\n"
	"    raise ValueError(f'grid_sample: padding_mode must be zeros, border or reflection, not {padding_mode!r}')\n"
	"by = {'bilinear': 0, 'nearest': 1, 'bicubic': 2}[mode]\n"
	"edge = {'zeros': 0, 'border': 1, 'reflection': 2}[padding_mode]\n"
	"return aten.grid_sampler(input, grid, by, edge, False if align_corners is None else align_corners)\n";

static const char affine_grid_body[] =
	"if not theta.is_floating_point():\n"
	"    raise ValueError(f'affine_grid: theta must be floating point, not {theta.dtype}')\n"
	"return aten.affine_grid_generator(theta, list(size), False if align_corners is None else align_corners)\n";

/* ---- Rows ---- */

const struct function_rule functional_rules[] = {
	/* activations */
	{ "F.relu", "input, inplace=False", OR_INPLACE("relu", "relu_", "") },
	{ "F.relu6", "input, inplace=False", OR_INPLACE("relu6", "relu6_", "") },
	{ "F.threshold", "input, threshold, value, inplace=False", OR_INPLACE("threshold", "threshold_", ", threshold, value") },
	{ "F.hardtanh", "input, min_val=-1.0, max_val=1.0, inplace=False",
	  "if min_val > max_val:\n"
	  "    raise ValueError('min_val cannot be greater than max_val')\n"
	  OR_INPLACE("hardtanh", "hardtanh_", ", min_val, max_val") },
	{ "F.elu", "input, alpha=1.0, inplace=False", OR_INPLACE("elu", "elu_", ", alpha") },
	{ "F.selu", "input, inplace=False", OR_INPLACE("selu", "selu_", "") },
	{ "F.celu", "input, alpha=1.0, inplace=False", OR_INPLACE("celu", "celu_", ", alpha") },
	{ "F.leaky_relu", "input, negative_slope=0.01, inplace=False", OR_INPLACE("leaky_relu", "leaky_relu_", ", negative_slope") },
	{ "F.rrelu", "input, lower=1.0 / 8, upper=1.0 / 3, training=False, inplace=False", OR_INPLACE("rrelu", "rrelu_", ", lower, upper, training") },
	{ "F.hardsigmoid", "input, inplace=False", OR_INPLACE("hardsigmoid", "hardsigmoid_", "") },
	{ "F.hardswish", "input, inplace=False", OR_INPLACE("hardswish", "hardswish_", "") },
	{ "F.silu", "input, inplace=False", OR_INPLACE("silu", "silu_", "") },
	{ "F.mish", "input, inplace=False", OR_INPLACE("mish", "mish_", "") },
	{ "F.glu", "input, dim=-1",
	  "if input.dim() == 0:\n"
	  "    raise ValueError('glu does not support scalars because halving size must be even')\n"
	  "return aten.glu(input, dim)\n" },
	{ "F.logsigmoid", "input", "return aten.log_sigmoid(input)\n" },
	{ "F.tanhshrink", "input", "return input - input.tanh()\n" },
	{ "F.softsign", "input", "return input / (input.abs() + 1)\n" },
	{ "F.softmax", "input, dim=None, _stacklevel=3, dtype=None", SOFTMAX_DIM "return aten.softmax.int(input, dim, dtype)\n" },
	{ "F.softmin", "input, dim=None, _stacklevel=3, dtype=None", SOFTMAX_DIM "return aten.softmax.int(-input, dim, dtype)\n" },
	{ "F.log_softmax", "input, dim=None, _stacklevel=3, dtype=None", SOFTMAX_DIM "return aten.log_softmax.int(input, dim, dtype)\n" },
	{ "F.gumbel_softmax", "logits, tau=1, hard=False, eps=1e-10, dim=-1", gumbel_softmax_body },

	/* pooling */
	{ "F.max_pool1d", MAX_POOL_SIGNATURE, MAX_POOL("1d") },
	{ "F.max_pool2d", MAX_POOL_SIGNATURE, MAX_POOL("2d") },
	{ "F.max_pool3d", MAX_POOL_SIGNATURE, MAX_POOL("3d") },
	{ "F.max_pool1d_with_indices", MAX_POOL_SIGNATURE, MAX_POOL_INDICES("1d") },
	{ "F.max_pool2d_with_indices", MAX_POOL_SIGNATURE, MAX_POOL_INDICES("2d") },
	{ "F.max_pool3d_with_indices", MAX_POOL_SIGNATURE, MAX_POOL_INDICES("3d") },
	{ "F.avg_pool1d", "input, kernel_size, stride=None, padding=0, ceil_mode=False, count_include_pad=True", AVG_POOL("1d", "") },
	{ "F.avg_pool2d", "input, kernel_size, stride=None, padding=0, ceil_mode=False, count_include_pad=True, divisor_override=None",
	  AVG_POOL("2d", ", divisor_override") },
	{ "F.avg_pool3d", "input, kernel_size, stride=None, padding=0, ceil_mode=False, count_include_pad=True, divisor_override=None",
	  AVG_POOL("3d", ", divisor_override") },
	{ "F.lp_pool1d", "input, norm_type, kernel_size, stride=None, ceil_mode=False", LP_POOL("1d", LP_COUNT("1")) },
	{ "F.lp_pool2d", "input, norm_type, kernel_size, stride=None, ceil_mode=False", LP_POOL("2d", LP_COUNT("2")) },
	{ "F.lp_pool3d", "input, norm_type, kernel_size, stride=None, ceil_mode=False", LP_POOL("3d", LP_COUNT("3")) },
	{ "F.adaptive_avg_pool2d", "input, output_size", KEEP_SIZES("2") "return aten.adaptive_avg_pool2d(input, output_size)\n" },
	{ "F.adaptive_avg_pool3d", "input, output_size", KEEP_SIZES("3") "return aten.adaptive_avg_pool3d(input, output_size)\n" },
	{ "F.adaptive_max_pool1d", "input, output_size, return_indices=False", ADAPTIVE_MAX("1d", "1") },
	{ "F.adaptive_max_pool2d", "input, output_size, return_indices=False", ADAPTIVE_MAX("2d", "2") },
	{ "F.adaptive_max_pool3d", "input, output_size, return_indices=False", ADAPTIVE_MAX("3d", "3") },
	{ "F.adaptive_max_pool1d_with_indices", "input, output_size, return_indices=False", ADAPTIVE_MAX_INDICES("1d", "1") },
	{ "F.adaptive_max_pool2d_with_indices", "input, output_size, return_indices=False", ADAPTIVE_MAX_INDICES("2d", "2") },
	{ "F.adaptive_max_pool3d_with_indices", "input, output_size, return_indices=False", ADAPTIVE_MAX_INDICES("3d", "3") },
	{ "F.fractional_max_pool2d", FRACTIONAL_SIGNATURE, FRACTIONAL("2d", "2") "return (out, indices) if return_indices else out\n" },
	{ "F.fractional_max_pool3d", FRACTIONAL_SIGNATURE, FRACTIONAL("3d", "3") "return (out, indices) if return_indices else out\n" },
	{ "F.fractional_max_pool2d_with_indices", FRACTIONAL_SIGNATURE, FRACTIONAL("2d", "2") "return out, indices\n" },
	{ "F.fractional_max_pool3d_with_indices", FRACTIONAL_SIGNATURE, FRACTIONAL("3d", "3") "return out, indices\n" },
	{ "F.max_unpool1d", UNPOOL_SIGNATURE,
	  UNPOOL("1") "return aten.max_unpool2d(input.unsqueeze(-1), indices.unsqueeze(-1), size + [1]).squeeze(-1)\n" },
	{ "F.max_unpool2d", UNPOOL_SIGNATURE, UNPOOL("2") "return aten.max_unpool2d(input, indices, size)\n" },
	{ "F.max_unpool3d", UNPOOL_SIGNATURE, UNPOOL("3") "return aten.max_unpool3d(input, indices, size, step, edge)\n" },

	/* dropout */
	{ "F.dropout", "input, p=0.5, training=True, inplace=False", PROBABILITY OR_INPLACE("dropout", "dropout_", ", p, training") },
	{ "F.alpha_dropout", "input, p=0.5, training=False, inplace=False", PROBABILITY OR_INPLACE("alpha_dropout", "alpha_dropout_", ", p, training") },
	{ "F.dropout1d", "input, p=0.5, training=True, inplace=False",
	  "if input.dim() not in (2, 3):\n"
	  "    raise ValueError(f'dropout1d: expected an input of 2 or 3 dimensions, not {input.dim()}')\n"
	  CHANNEL_DROPOUT("3") },
	{ "F.dropout2d", "input, p=0.5, training=True, inplace=False", PROBABILITY OR_INPLACE("feature_dropout", "feature_dropout_", ", p, training") },
	{ "F.dropout3d", "input, p=0.5, training=True, inplace=False", CHANNEL_DROPOUT("5") },
	{ "F.feature_alpha_dropout", "input, p=0.5, training=False, inplace=False",
	  PROBABILITY OR_INPLACE("feature_alpha_dropout", "feature_alpha_dropout_", ", p, training") },

	/* normalisation */
	{ "F.batch_norm", "input, running_mean, running_var, weight=None, bias=None, training=False, momentum=0.1, eps=1e-05",
	  "if training:\n"
	  "    n = input.size(0)\n"
	  "    for i in range(2, input.dim()):\n"
	  "        n = n * input.size(i)\n"
	  "    if n == 1:\n"
	  "        raise ValueError(f'Expected more than 1 value per channel when training, got input size torch.Size({list(input.shape)})')\n"
	  "return aten.batch_norm(input, weight, bias, running_mean, running_var, training, momentum, eps, True)\n" },
	{ "F.instance_norm",
	  "input, running_mean=None, running_var=None, weight=None, bias=None, use_input_stats=True, momentum=0.1, eps=1e-05",
	  "if use_input_stats:\n"
	  "    n = 1\n"
	  "    for i in range(2, input.dim()):\n"
	  "        n = n * input.size(i)\n"
	  "    if n == 1:\n"
	  "        raise ValueError(f'Expected more than 1 spatial element when training, got input size torch.Size({list(input.shape)})')\n"
	  "return aten.instance_norm(input, weight, bias, running_mean, running_var, use_input_stats, momentum, eps, True)\n" },
	{ "F.layer_norm", "input, normalized_shape, weight=None, bias=None, eps=1e-05",
	  "return aten.layer_norm(input, normalized_shape, weight, bias, eps)\n" },
	{ "F.group_norm", "input, num_groups, weight=None, bias=None, eps=1e-05",
	  "if input.dim() < 2:\n"
	  "    raise ValueError(f'Expected at least 2 dimensions for input tensor but received {input.dim()}')\n"
	  BATCH_SIZE("input.size(0) * input.size(1) // num_groups")
	  "return aten.group_norm(input, num_groups, weight, bias, eps)\n" },
	{ "F.local_response_norm", "input, size, alpha=0.0001, beta=0.75, k=1.0", local_response_norm_body },
	{ "F.normalize", "input, p=2.0, dim=1, eps=1e-12, out=None",
	  "return input / torch.norm(input, p, dim, keepdim=True).clamp_min(eps).expand_as(input)\n" },

	/* images */
	{ "F.interpolate", "input, size=None, scale_factor=None, mode='nearest', align_corners=None, recompute_scale_factor=None, antialias=False",
	  interpolate_body },
	{ "F.upsample", "input, size=None, scale_factor=None, mode='nearest', align_corners=None",
	  "return F.interpolate(input, size, scale_factor, mode, align_corners)\n" },
	{ "F.upsample_nearest", "input, size=None, scale_factor=None", "return F.interpolate(input, size, scale_factor, mode='nearest')\n" },
	{ "F.upsample_bilinear", "input, size=None, scale_factor=None",
	  "return F.interpolate(input, size, scale_factor, mode='bilinear', align_corners=True)\n" },
	{ "F.grid_sample", "input, grid, mode='bilinear', padding_mode='zeros', align_corners=None", grid_sample_body },
	{ "F.affine_grid", "theta, size, align_corners=None", affine_grid_body },
	{ "F.unfold", "input, kernel_size, dilation=1, padding=0, stride=1", "return aten.im2col(input, kernel_size, dilation, padding, stride)\n" },
	{ "F.fold", "input, output_size, kernel_size, dilation=1, padding=0, stride=1",
	  "return aten.col2im(input, output_size, kernel_size, dilation, padding, stride)\n" },

	/* embeddings */
	{ "F.embedding", "input, weight, padding_idx=None, max_norm=None, norm_type=2.0, scale_grad_by_freq=False, sparse=False", embedding_body },
	{ "F.embedding_bag",
	  "input, weight, offsets=None, max_norm=None, norm_type=2, scale_grad_by_freq=False, mode='mean', sparse=False,"
	  " per_sample_weights=None, include_last_offset=False, padding_idx=None", embedding_bag_body },
	{ "F.one_hot", "tensor, num_classes=-1", "return aten.one_hot(tensor, num_classes)\n" },
	{ 0 },
};
