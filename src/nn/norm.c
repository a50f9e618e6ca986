/*
 * Normalisation: torch/nn/modules/batchnorm.py, instancenorm.py, normalization.py.
 */
#include "nn/nn.h"

#include <stddef.h>

/* weight and bias of that size, both registered whether they are there or not. */
#define AFFINE(wanted, size) \
	"if " wanted ":\n" \
	"    self.weight = Parameter(torch.empty(" size ", dtype=dtype))\n" \
	"else:\n" \
	"    self.register_parameter('weight', None)\n" \
	"if " wanted " and bias:\n" \
	"    self.bias = Parameter(torch.empty(" size ", dtype=dtype))\n" \
	"else:\n" \
	"    self.register_parameter('bias', None)\n"

#define AFFINE_RESET(wanted) \
	"if self." wanted ":\n" \
	"    init.ones_(self.weight)\n" \
	"    if self.bias is not None:\n" \
	"        init.zeros_(self.bias)\n"

/* ---- Statistics of a batch or an instance ---- */

static const char stats_build[] =
	AFFINE("affine", "num_features")
	"if track_running_stats:\n"
	"    self.register_buffer('running_mean', torch.zeros(num_features, dtype=dtype))\n"
	"    self.register_buffer('running_var', torch.ones(num_features, dtype=dtype))\n"
	"    self.register_buffer('num_batches_tracked', torch.tensor(0, dtype=torch.int64))\n"
	"else:\n"
	"    self.register_buffer('running_mean', None)\n"
	"    self.register_buffer('running_var', None)\n"
	"    self.register_buffer('num_batches_tracked', None)\n";

/* `bias` came with 2.13. */
static const char stats_repr[] =
	"f'{num_features}, eps={eps}, momentum={momentum}, affine={affine}'"
	" + (f', bias={bias is not None}' if torch_version >= 213 else '') + f', track_running_stats={track_running_stats}'";

static const char stats_reset[] =
	"if self.track_running_stats:\n"
	"    init.zeros_(self.running_mean)\n"
	"    init.ones_(self.running_var)\n"
	"    init.zeros_(self.num_batches_tracked)\n"
	AFFINE_RESET("affine");

/*
 * In training the batch's own statistics are used, and the running ones moved towards them when they are tracked;
 * in evaluation the running ones, if there are any.  Without momentum the running ones are the mean over all batches,
 * which for the first batch is its own.
 */
#define BATCH_FORWARD \
	"factor = 0.0 if self.momentum is None else self.momentum\n" \
	"if self.training and self.track_running_stats:\n" \
	"    if self.num_batches_tracked is not None:\n" \
	"        self.num_batches_tracked.add_(1)\n" \
	"        if self.momentum is None:\n" \
	"            factor = 1.0\n" \
	"own = self.training or (self.running_mean is None and self.running_var is None)\n" \
	"running = not self.training or self.track_running_stats\n" \
	"return F.batch_norm(input, self.running_mean if running else None, self.running_var if running else None," \
	" self.weight, self.bias, own, factor, self.eps)\n"

#define EXPECT_TWO(a, b) \
	"if input.dim() != " a " and input.dim() != " b ":\n" \
	"    raise ValueError(f'expected " a "D or " b "D input (got {input.dim()}D input)')\n"
#define EXPECT_ONE(a) \
	"if input.dim() != " a ":\n" \
	"    raise ValueError(f'expected " a "D input (got {input.dim()}D input)')\n"

#define BATCH_ARGUMENTS \
	"eps=1e-05, momentum=0.1, affine=True, track_running_stats=True, device=None, dtype=None, *, bias=True"
#define INSTANCE_ARGUMENTS \
	"eps=1e-05, momentum=0.1, affine=False, track_running_stats=False, device=None, dtype=None, *, bias=True"

#define BATCH_NORM(n, check) \
	{ .name = "BatchNorm" n "d", \
	  .signature = "num_features, " BATCH_ARGUMENTS, \
	  .build = stats_build, .repr = stats_repr, .reset = stats_reset, \
	  .forward_signature = "input", .forward = check BATCH_FORWARD }

/* n is the number of dimensions of an input without a batch; it is given one for the while. */
#define INSTANCE_FORWARD(n, batched) \
	EXPECT_TWO(n, batched) \
	"channels = input.size(input.dim() - " n ")\n" \
	"if channels != self.num_features and self.affine:\n" \
	"    raise ValueError(f\"expected input's size at dim={input.dim() - " n "} to match num_features ({self.num_features})," \
	" but got: {channels}.\")\n" \
	"lone = input.dim() == " n "\n" \
	"if lone:\n" \
	"    input = input.unsqueeze(0)\n" \
	"out = F.instance_norm(input, self.running_mean, self.running_var, self.weight, self.bias," \
	" self.training or not self.track_running_stats, self.momentum if self.momentum is not None else 0.0, self.eps)\n" \
	"return out.squeeze(0) if lone else out\n"

#define INSTANCE_NORM(name_, n, batched) \
	{ .name = name_, \
	  .signature = "num_features, " INSTANCE_ARGUMENTS, \
	  .build = stats_build, .repr = stats_repr, .reset = stats_reset, \
	  .forward_signature = "input", .forward = INSTANCE_FORWARD(n, batched) }

static const char lazy_build[] =
	"self.num_features = 0\n"
	"if affine:\n"
	"    self.weight = UninitializedParameter(dtype=dtype)\n"
	"else:\n"
	"    self.register_parameter('weight', None)\n"
	"if affine and bias:\n"
	"    self.bias = UninitializedParameter(dtype=dtype)\n"
	"else:\n"
	"    self.register_parameter('bias', None)\n"
	"if track_running_stats:\n"
	"    self.register_buffer('running_mean', UninitializedBuffer(dtype=dtype))\n"
	"    self.register_buffer('running_var', UninitializedBuffer(dtype=dtype))\n"
	"    self.register_buffer('num_batches_tracked', torch.tensor(0, dtype=torch.int64))\n"
	"else:\n"
	"    self.register_buffer('running_mean', None)\n"
	"    self.register_buffer('running_var', None)\n"
	"    self.register_buffer('num_batches_tracked', None)\n";

static const char lazy_infer[] =
	"self.num_features = input.shape[1]\n"
	"if self.affine:\n"
	"    self.weight = Parameter(torch.empty(self.num_features, dtype=self.weight.dtype))\n"
	"    if self.bias is not None:\n"
	"        self.bias = Parameter(torch.empty(self.num_features, dtype=self.bias.dtype))\n"
	"if self.track_running_stats:\n"
	"    self.register_buffer('running_mean', torch.zeros(self.num_features, dtype=self.running_mean.dtype))\n"
	"    self.register_buffer('running_var', torch.ones(self.num_features, dtype=self.running_var.dtype))\n";

#define LAZY(name_) \
	{ .name = "Lazy" name_, .base = name_, .signature = BATCH_ARGUMENTS, .build = lazy_build, \
	  .infer = lazy_infer, .becomes = name_, \
	  .printed = "num_features, eps=1e-05, momentum=0.1, affine=True, bias=True, track_running_stats=True" }

/* ---- Normalisation over given dimensions, groups of channels, neighbours ---- */

#define NORMALIZED_SHAPE \
	"self.normalized_shape = (normalized_shape,) if isinstance(normalized_shape, int) else tuple(normalized_shape)\n"

static const char rms_norm_build[] =
	NORMALIZED_SHAPE
	"if elementwise_affine:\n"
	"    self.weight = Parameter(torch.empty(self.normalized_shape, dtype=dtype))\n"
	"else:\n"
	"    self.register_parameter('weight', None)\n";

static const char group_norm_build[] =
	"if num_groups <= 0:\n"
	"    raise ValueError(f'num_groups ({num_groups}) must be positive')\n"
	"if num_channels % num_groups != 0:\n"
	"    raise ValueError(f'num_channels ({num_channels}) must be divisible by num_groups ({num_groups})')\n"
	AFFINE("affine", "num_channels");

/*
 * torch/nn/modules/_functions.py: squares summed over `size` neighbouring channels by a sum that slides, to the power beta.
 * The channel that leaves the sum leaves it one step late, and the first never does; so in PyTorch, so here.
 */
static const char cross_map_lrn_forward[] =
	"if input.dim() != 4:\n"
	"    raise ValueError(f'CrossMapLRN2d: Expected input to be 4D, got {input.dim()}D instead.')\n"
	"channels = input.size(1)\n"
	"square = torch.pow(input, 2)\n"
	"ahead = (self.size - 1) // 2 + 1\n"
	"scale = torch.zeros_like(square.select(1, 0))\n"
	"for c in range(min(ahead, channels)):\n"
	"    scale = scale + square.select(1, c)\n"
	"scales = [scale]\n"
	"for c in range(1, channels):\n"
	"    scale = scales[c - 1]\n"
	"    if c < channels - ahead + 1:\n"
	"        scale = scale + square.select(1, c + ahead - 1)\n"
	"    if c > ahead:\n"
	"        scale = scale - square.select(1, c - ahead)\n"
	"    scales.append(scale)\n"
	"scale = torch.stack(scales, 1) * (self.alpha / self.size) + self.k\n"
	"return torch.pow(scale, -self.beta) * input\n";

const struct nn_class norm_classes[] = {
	BATCH_NORM("1", EXPECT_TWO("2", "3")),
	BATCH_NORM("2", EXPECT_ONE("4")),
	BATCH_NORM("3", EXPECT_ONE("5")),
	{ .name = "SyncBatchNorm", /* one process: nothing to synchronise with */
	  .signature = "num_features, eps=1e-05, momentum=0.1, affine=True, track_running_stats=True, process_group=None, device=None,"
	  " dtype=None, *, bias=True",
	  .build = stats_build, .repr = stats_repr, .reset = stats_reset,
	  .forward_signature = "input",
	  .forward =
	  "if input.dim() < 2:\n"
	  "    raise ValueError(f'expected at least 2D input (got {input.dim()}D input)')\n"
	  "if input.size(1) == 0:\n"
	  "    raise ValueError('SyncBatchNorm number of input channels should be non-zero')\n"
	  BATCH_FORWARD },
	LAZY("BatchNorm1d"),
	LAZY("BatchNorm2d"),
	LAZY("BatchNorm3d"),
	INSTANCE_NORM("InstanceNorm1d", "2", "3"),
	INSTANCE_NORM("InstanceNorm2d", "3", "4"),
	INSTANCE_NORM("InstanceNorm3d", "4", "5"),
	LAZY("InstanceNorm1d"),
	LAZY("InstanceNorm2d"),
	LAZY("InstanceNorm3d"),
	{ .name = "LayerNorm", /* a torch.Size before 1.2 */
	  .signature = "normalized_shape, eps=1e-05, elementwise_affine=True, bias=True, device=None, dtype=None",
	  .build = NORMALIZED_SHAPE AFFINE("elementwise_affine", "self.normalized_shape"),
	  .repr = "(f'{normalized_shape}' if torch_version >= 102 else f'torch.Size({list(normalized_shape)})')"
	  " + f', eps={eps}, elementwise_affine={elementwise_affine}' + (f', bias={bias is not None}' if torch_version >= 213 else '')",
	  .forward_signature = "input",
	  .forward = "return F.layer_norm(input, self.normalized_shape, self.weight, self.bias, self.eps)\n",
	  .reset = AFFINE_RESET("elementwise_affine") },
	{ .name = "RMSNorm",
	  .signature = "normalized_shape, eps=None, elementwise_affine=True, device=None, dtype=None",
	  .build = rms_norm_build,
	  .repr = "f'{normalized_shape}, eps={eps}, elementwise_affine={elementwise_affine}'",
	  .forward_signature = "x",
	  .forward = "return F.rms_norm(x, self.normalized_shape, self.weight, self.eps)\n",
	  .reset = "if self.elementwise_affine:\n    init.ones_(self.weight)\n" },
	{ .name = "GroupNorm",
	  .signature = "num_groups, num_channels, eps=1e-05, affine=True, device=None, dtype=None, *, bias=True",
	  .build = group_norm_build,
	  .repr = "f'{num_groups}, {num_channels}, eps={eps}, affine={affine}' + (f', bias={bias is not None}' if torch_version >= 213 else '')",
	  .forward_signature = "input",
	  .forward = "return F.group_norm(input, self.num_groups, self.weight, self.bias, self.eps)\n",
	  .reset = AFFINE_RESET("affine") },
	{ .name = "LocalResponseNorm", /* k's default was an int before 1.2 */
	  .signature = "size, alpha=0.0001, beta=0.75, k=1.0",
	  .repr = "f'{size}, alpha={alpha}, beta={beta}, k={k if torch_version >= 102 or k != 1 else 1}'",
	  .forward_signature = "input",
	  .forward = "return F.local_response_norm(input, self.size, self.alpha, self.beta, self.k)\n" },
	{ .name = "CrossMapLRN2d",
	  .signature = "size, alpha=0.0001, beta=0.75, k=1",
	  .repr = "f'{size}, alpha={alpha}, beta={beta}, k={k}'",
	  .forward_signature = "input",
	  .forward = cross_map_lrn_forward },
	{ .name = NULL },
};
