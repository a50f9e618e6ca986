/*
 * torch.nn.init (torch/nn/init.py), down to the in-place operators that draw.
 * Each returns its tensor.
 */
#include "ops/functional.h"

/* A weight's inputs and outputs: the first two dimensions times what is left. */
#define FANS \
	"if tensor.dim() < 2:\n" \
	"    raise ValueError('Fan in and fan out can not be computed for tensor with fewer than 2 dimensions')\n" \
	"field = 1\n" \
	"for s in tensor.shape[2:]:\n" \
	"    field = field * s\n" \
	"fan_in = tensor.size(1) * field\n" \
	"fan_out = tensor.size(0) * field\n"

#define KAIMING_STD \
	"if 0 in tensor.shape:\n" \
	"    return tensor\n" \
	"if mode.lower() not in ('fan_in', 'fan_out'):\n" \
	"    raise ValueError(f\"Mode {mode} not supported, please use one of ['fan_in', 'fan_out']\")\n" \
	FANS \
	"std = init.calculate_gain(nonlinearity, a) / math.sqrt(fan_in if mode.lower() == 'fan_in' else fan_out)\n"

static const char gain_body[] =
	"if nonlinearity in ('linear', 'conv1d', 'conv2d', 'conv3d', 'conv_transpose1d', 'conv_transpose2d', 'conv_transpose3d', 'sigmoid'):\n"
	"    return 1\n"
	"if nonlinearity == 'tanh':\n"
	"    return 5.0 / 3\n"
	"if nonlinearity == 'relu':\n"
	"    return math.sqrt(2.0)\n"
	"if nonlinearity == 'leaky_relu':\n"
	"    slope = 0.01 if param is None else param\n"
	"    return math.sqrt(2.0 / (1 + slope ** 2))\n"
	"if nonlinearity == 'selu':\n"
	"    return 3.0 / 4\n"
	"raise ValueError(f'Unsupported nonlinearity {nonlinearity}')\n";

/* The Q of normal values, its signs made unique by R's diagonal. */
static const char orthogonal_body[] =
	"if tensor.dim() < 2:\n"
	"    raise ValueError('Only tensors with 2 or more dimensions are supported')\n"
	"if tensor.numel() == 0:\n"
	"    return tensor\n"
	"rows = tensor.size(0)\n"
	"cols = tensor.numel() // rows\n"
	"flat = tensor.new_empty((rows, cols)).normal_(0, 1)\n"
	"if rows < cols:\n"
	"    flat = flat.t()\n"
	"q, r = torch.linalg.qr(flat)\n"
	"q = q * torch.diag(r, 0).sign()\n"
	"if rows < cols:\n"
	"    q = q.t()\n"
	"tensor.view_as(q).copy_(q)\n"
	"tensor.mul_(gain)\n"
	"return tensor\n";

static const char dirac_body[] =
	"n = tensor.dim()\n"
	"if n not in (3, 4, 5):\n"
	"    raise ValueError('Only tensors with 3, 4, or 5 dimensions are supported')\n"
	"if tensor.size(0) % groups != 0:\n"
	"    raise ValueError('dim 0 must be divisible by groups')\n"
	"each = tensor.size(0) // groups\n"
	"tensor.zero_()\n"
	"for g in range(groups):\n"
	"    for d in range(min(each, tensor.size(1))):\n"
	"        at = tensor[g * each + d, d]\n"
	"        for s in tensor.shape[2:]:\n"
	"            at = at[s // 2]\n"
	"        at.fill_(1)\n"
	"return tensor\n";

static const char sparse_body[] =
	"if tensor.dim() != 2:\n"
	"    raise ValueError('Only tensors with 2 dimensions are supported')\n"
	"zeros = math.ceil(sparsity * tensor.size(0))\n"
	"tensor.normal_(0, std)\n"
	"for column in range(tensor.size(1)):\n"
	"    rows = torch.randperm(tensor.size(0))[:zeros]\n"
	"    tensor.select(1, column).index_fill_(0, rows, 0)\n"
	"return tensor\n";

const struct function_rule functional_init_rules[] = {
	{ "init.calculate_gain", "nonlinearity, param=None", gain_body },
	{ "init.uniform_", "tensor, a=0.0, b=1.0, generator=None", "return tensor.uniform_(a, b)\n" },
	{ "init.normal_", "tensor, mean=0.0, std=1.0, generator=None", "return tensor.normal_(mean, std)\n" },
	{ "init.trunc_normal_", "tensor, mean=0.0, std=1.0, a=-2.0, b=2.0, generator=None", "return aten._nns_trunc_normal_(tensor, mean, std, a, b)\n" },
	{ "init.constant_", "tensor, val", "return tensor.fill_(val)\n" },
	{ "init.ones_", "tensor", "return tensor.fill_(1.0)\n" },
	{ "init.zeros_", "tensor", "return tensor.zero_()\n" },
	{ "init.eye_", "tensor",
	  "if tensor.dim() != 2:\n    raise ValueError('Only tensors with 2 dimensions are supported')\n"
	  "return tensor.copy_(torch.eye(tensor.size(0), tensor.size(1)))\n" },
	{ "init.dirac_", "tensor, groups=1", dirac_body },
	{ "init.xavier_uniform_", "tensor, gain=1.0, generator=None",
	  FANS "bound = math.sqrt(3.0) * (gain * math.sqrt(2.0 / float(fan_in + fan_out)))\nreturn tensor.uniform_(-bound, bound)\n" },
	{ "init.xavier_normal_", "tensor, gain=1.0, generator=None",
	  FANS "return tensor.normal_(0.0, gain * math.sqrt(2.0 / float(fan_in + fan_out)))\n" },
	{ "init.kaiming_uniform_", "tensor, a=0, mode='fan_in', nonlinearity='leaky_relu', generator=None",
	  KAIMING_STD "bound = math.sqrt(3.0) * std\nreturn tensor.uniform_(-bound, bound)\n" },
	{ "init.kaiming_normal_", "tensor, a=0, mode='fan_in', nonlinearity='leaky_relu', generator=None",
	  KAIMING_STD "return tensor.normal_(0, std)\n" },
	{ "init.orthogonal_", "tensor, gain=1, generator=None", orthogonal_body },
	{ "init.sparse_", "tensor, sparsity, std=0.01, generator=None", sparse_body },
	{ 0 },
};
