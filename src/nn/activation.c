/*
 * Activations: torch/nn/modules/activation.py.  MultiheadAttention is in transformer.c.
 */
#include "nn/nn.h"

#include <stddef.h>

/* Before 1.2 a set `inplace` printed as one bare word. */
#define INPLACE "('' if not inplace else 'inplace=True' if torch_version >= 102 else 'inplace')"
#define COMMA_INPLACE " + ('' if not inplace else ', inplace=True' if torch_version >= 102 else ', inplace')"

/* Their signature reads (*args, **kwargs) in Python, but Module.__init__ takes none. */
#define PLAIN(name_, call) \
	{ .name = name_, .signature = "", .forward_signature = "input", .forward = "return " call "\n" }

/* Works in place when told to. */
#define SIMPLE(name_, repr_, call) \
	{ .name = name_, .signature = "inplace=False", .repr = repr_, .forward_signature = "input", \
	  .forward = "return F." call "(input, self.inplace)\n" }

/* Softmax and its kin printed nothing before 1.5. */
#define ALONG(name_, call) \
	{ .name = name_, .signature = "dim=None", .repr = "f'dim={dim}' if torch_version >= 105 else ''", .forward_signature = "input", \
	  .forward = "return F." call "(input, self.dim)\n" }

static const char hardtanh_build[] =
	"if min_value is not None:\n"
	"    self.min_val = min_value\n"
	"if max_value is not None:\n"
	"    self.max_val = max_value\n"
	"if self.max_val <= self.min_val:\n"
	"    raise AssertionError(f'max_val ({self.max_val}) must be greater than min_val ({self.min_val})')\n";

static const char softmax2d_forward[] =
	"if input.dim() not in (3, 4):\n"
	"    raise ValueError(f'Softmax2d: expected input to be 3D or 4D, got {input.dim()}D instead')\n"
	"return F.softmax(input, -3)\n";

const struct nn_class activation_classes[] = {
	SIMPLE("ReLU", INPLACE, "relu"),
	{ .name = "ReLU6", .base = "Hardtanh",
	  .signature = "inplace=False",
	  .build = "self.min_val = 0.0\nself.max_val = 6.0\n",
	  .repr = INPLACE },
	SIMPLE("SELU", INPLACE, "selu"),
	SIMPLE("SiLU", INPLACE, "silu"),
	SIMPLE("Mish", INPLACE, "mish"),
	SIMPLE("Hardsigmoid", NULL, "hardsigmoid"),
	SIMPLE("Hardswish", NULL, "hardswish"),
	{ .name = "ELU",
	  .signature = "alpha=1.0, inplace=False",
	  .repr = "f'alpha={alpha}'" COMMA_INPLACE,
	  .forward_signature = "input",
	  .forward = "return F.elu(input, self.alpha, self.inplace)\n" },
	{ .name = "CELU",
	  .signature = "alpha=1.0, inplace=False",
	  .repr = "f'alpha={alpha}'" COMMA_INPLACE,
	  .forward_signature = "input",
	  .forward = "return F.celu(input, self.alpha, self.inplace)\n" },
	{ .name = "LeakyReLU",
	  .signature = "negative_slope=0.01, inplace=False",
	  .repr = "f'negative_slope={negative_slope}'" COMMA_INPLACE,
	  .forward_signature = "input",
	  .forward = "return F.leaky_relu(input, self.negative_slope, self.inplace)\n" },
	{ .name = "RReLU",
	  .signature = "lower=0.125, upper=0.3333333333333333, inplace=False",
	  .repr = "f'lower={lower}, upper={upper}'" COMMA_INPLACE,
	  .forward_signature = "input",
	  .forward = "return F.rrelu(input, self.lower, self.upper, self.training, self.inplace)\n" },
	{ .name = "Threshold",
	  .signature = "threshold, value, inplace=False",
	  .repr = "f'threshold={threshold}, value={value}'" COMMA_INPLACE,
	  .forward_signature = "input",
	  .forward = "return F.threshold(input, self.threshold, self.value, self.inplace)\n" },
	{ .name = "Hardtanh",
	  .signature = "min_val=-1.0, max_val=1.0, inplace=False, min_value=None, max_value=None",
	  .build = hardtanh_build,
	  .repr = "f'min_val={min_val}, max_val={max_val}'" COMMA_INPLACE,
	  .forward_signature = "input",
	  .forward = "return F.hardtanh(input, self.min_val, self.max_val, self.inplace)\n" },
	{ .name = "PReLU",
	  .signature = "num_parameters=1, init=0.25, device=None, dtype=None",
	  .build = "self.weight = Parameter(torch.empty(num_parameters, dtype=dtype))\n",
	  .repr = "f'num_parameters={num_parameters}'",
	  .forward_signature = "input",
	  .forward = "return F.prelu(input, self.weight)\n",
	  .reset = "init.constant_(self.weight, self.init)\n" },
	{ .name = "GELU", /* approximate since 1.12 */
	  .signature = "approximate='none'",
	  .repr = "f'approximate={approximate!r}' if torch_version >= 112 else ''",
	  .forward_signature = "input",
	  .forward = "return F.gelu(input, approximate=self.approximate)\n" },
	{ .name = "GLU",
	  .signature = "dim=-1",
	  .repr = "f'dim={dim}'",
	  .forward_signature = "input",
	  .forward = "return F.glu(input, self.dim)\n" },
	{ .name = "Hardshrink",
	  .signature = "lambd=0.5",
	  .repr = "f'{lambd}'",
	  .forward_signature = "input",
	  .forward = "return F.hardshrink(input, self.lambd)\n" },
	{ .name = "Softshrink",
	  .signature = "lambd=0.5",
	  .repr = "f'{lambd}'",
	  .forward_signature = "input",
	  .forward = "return F.softshrink(input, self.lambd)\n" },
	{ .name = "Softplus", /* its defaults were ints before 2.1 */
	  .signature = "beta=1.0, threshold=20.0",
	  .repr = "f'beta={beta if torch_version >= 201 or beta != 1 else 1}, "
	  "threshold={threshold if torch_version >= 201 or threshold != 20 else 20}'",
	  .forward_signature = "input",
	  .forward = "return F.softplus(input, self.beta, self.threshold)\n" },
	ALONG("Softmax", "softmax"),
	ALONG("Softmin", "softmin"),
	ALONG("LogSoftmax", "log_softmax"),
	{ .name = "Softmax2d",
	  .signature = "",
	  .forward_signature = "input",
	  .forward = softmax2d_forward },
	PLAIN("Sigmoid", "torch.sigmoid(input)"),
	PLAIN("Tanh", "torch.tanh(input)"),
	PLAIN("LogSigmoid", "F.logsigmoid(input)"),
	PLAIN("Softsign", "F.softsign(input)"),
	PLAIN("Tanhshrink", "F.tanhshrink(input)"),
	{ .name = NULL },
};
