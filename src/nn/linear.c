/*
 * Linear layers: torch/nn/modules/linear.py.
 */
#include "nn/nn.h"

#include <stddef.h>

static const char linear_build[] =
	"self.weight = Parameter(torch.empty(out_features, in_features, dtype=dtype))\n"
	"if bias:\n"
	"    self.bias = Parameter(torch.empty(out_features, dtype=dtype))\n"
	"else:\n"
	"    self.register_parameter('bias', None)\n";

/* kaiming_uniform_ with a = sqrt(5) draws from +-1/sqrt(in_features), as the bias does. */
static const char linear_reset[] =
	"init.kaiming_uniform_(self.weight, a=math.sqrt(5))\n"
	"if self.bias is not None:\n"
	"    fan_in = self.weight.size(1)\n"
	"    bound = 1 / math.sqrt(fan_in) if fan_in > 0 else 0\n"
	"    init.uniform_(self.bias, -bound, bound)\n";

static const char lazy_linear_build[] =
	"self.in_features = 0\n"
	"self.weight = UninitializedParameter(dtype=dtype)\n"
	"if bias:\n"
	"    self.bias = UninitializedParameter(dtype=dtype)\n"
	"else:\n"
	"    self.register_parameter('bias', None)\n";

static const char lazy_linear_infer[] =
	"self.in_features = input.shape[-1]\n"
	"self.weight = Parameter(torch.empty(self.out_features, self.in_features, dtype=self.weight.dtype))\n"
	"if self.bias is not None:\n"
	"    self.bias = Parameter(torch.empty(self.out_features, dtype=self.bias.dtype))\n";

static const char bilinear_build[] =
	"if in1_features <= 0:\n"
	"    raise ValueError(f'in1_features must be > 0, but got (in1_features={in1_features})')\n"
	"self.weight = Parameter(torch.empty(out_features, in1_features, in2_features, dtype=dtype))\n"
	"if bias:\n"
	"    self.bias = Parameter(torch.empty(out_features, dtype=dtype))\n"
	"else:\n"
	"    self.register_parameter('bias', None)\n";

static const char bilinear_reset[] =
	"bound = 1 / math.sqrt(self.weight.size(1))\n"
	"init.uniform_(self.weight, -bound, bound)\n"
	"if self.bias is not None:\n"
	"    init.uniform_(self.bias, -bound, bound)\n";

const struct nn_class linear_classes[] = {
	{ .name = "Linear",
	  .signature = "in_features, out_features, bias=True, device=None, dtype=None",
	  .build = linear_build,
	  .repr = "f'in_features={in_features}, out_features={out_features}, bias={bias is not None}'",
	  .forward_signature = "input",
	  .forward = "return F.linear(input, self.weight, self.bias)\n",
	  .reset = linear_reset },
	/* What attention projects its output with: a Linear under a name that quantisation passes by. */
	{ .name = "NonDynamicallyQuantizableLinear", .base = "Linear" },
	{ .name = "LazyLinear", .base = "Linear",
	  .signature = "out_features, bias=True, device=None, dtype=None",
	  .build = lazy_linear_build,
	  .infer = lazy_linear_infer, .becomes = "Linear",
	  .printed = "in_features, out_features, bias=True" },
	{ .name = "Bilinear",
	  .signature = "in1_features, in2_features, out_features, bias=True, device=None, dtype=None",
	  .build = bilinear_build,
	  .repr = "f'in1_features={in1_features}, in2_features={in2_features}, out_features={out_features}, bias={bias is not None}'",
	  .forward_signature = "input1, input2",
	  .forward = "return F.bilinear(input1, input2, self.weight, self.bias)\n",
	  .reset = bilinear_reset },
	{ .name = "Identity",
	  .signature = "*args, **kwargs",
	  .forward_signature = "input",
	  .forward = "return input\n" },
	{ .name = NULL },
};
