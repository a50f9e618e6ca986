/*
 * Convolutions and their transposes, one to three dimensions, and the lazy ones: torch/nn/modules/conv.py.
 */
#include "nn/nn.h"

#include <stddef.h>

/* One number stands for every dimension. */
#define SIZE(n, name) \
	"self." name " = tuple(" name ") if isinstance(" name ", (list, tuple)) else (" name ",) * " n "\n"

#define CHECKS \
	"if groups <= 0:\n" \
	"    raise ValueError('groups must be a positive integer')\n" \
	"if in_channels % groups != 0:\n" \
	"    raise ValueError('in_channels must be divisible by groups')\n" \
	"if out_channels % groups != 0:\n" \
	"    raise ValueError('out_channels must be divisible by groups')\n"

#define CHECK_PADDING \
	"if isinstance(padding, str):\n" \
	"    if padding not in ('same', 'valid'):\n" \
	"        raise ValueError(f'Invalid padding string {padding!r}, should be one of same, valid')\n" \
	"    if padding == 'same':\n" \
	"        for s in self.stride:\n" \
	"            if s != 1:\n" \
	"                raise ValueError(\"padding='same' is not supported for strided convolutions\")\n" \
	"if padding_mode not in ('zeros', 'reflect', 'replicate', 'circular'):\n" \
	"    raise ValueError(f'padding_mode must be one of zeros, reflect, replicate, circular, but got padding_mode={padding_mode!r}')\n"

/* What F.pad gets when zeros are not what is wanted: sizes from the last dimension to the first, left and right. */
#define EDGES \
	"edges = []\n" \
	"for i in range(len(self.kernel_size if isinstance(padding, str) else self.padding) - 1, -1, -1):\n" \
	"    total = 2 * self.padding[i] if not isinstance(padding, str) else" \
	" self.dilation[i] * (self.kernel_size[i] - 1) if padding == 'same' else 0\n" \
	"    edges += [total // 2, total - total // 2]\n" \
	"self._edges = edges\n"

#define BIAS \
	"if bias:\n" \
	"    self.bias = Parameter(torch.empty(out_channels, dtype=dtype))\n" \
	"else:\n" \
	"    self.register_parameter('bias', None)\n"

#define SIZES(n) SIZE(n, "kernel_size") SIZE(n, "stride") SIZE(n, "dilation")

#define CONV_SIZES(n) \
	SIZES(n) \
	"if not isinstance(padding, str):\n" \
	"    self.padding = tuple(padding) if isinstance(padding, (list, tuple)) else (padding,) * " n "\n" \
	"self.output_padding = (0,) * " n "\n"

#define CONV_BUILD(n) \
	CHECKS CONV_SIZES(n) CHECK_PADDING EDGES \
	"self.weight = Parameter(torch.empty((out_channels, in_channels // groups) + self.kernel_size, dtype=dtype))\n" BIAS

#define TRANSPOSED_SIZES(n) \
	"if padding_mode != 'zeros':\n" \
	"    raise ValueError('Only \"zeros\" padding mode is supported for ConvTranspose" n "d')\n" \
	SIZES(n) SIZE(n, "padding") SIZE(n, "output_padding")

#define TRANSPOSED_BUILD(n) \
	CHECKS TRANSPOSED_SIZES(n) \
	"self.weight = Parameter(torch.empty((in_channels, out_channels // groups) + self.kernel_size, dtype=dtype))\n" BIAS

#define CONV_FORWARD(n) \
	"if self.padding_mode != 'zeros':\n" \
	"    input = F.pad(input, self._edges, mode=self.padding_mode)\n" \
	"    return F.conv" n "d(input, self.weight, self.bias, self.stride, (0,) * " n ", self.dilation, self.groups)\n" \
	"return F.conv" n "d(input, self.weight, self.bias, self.stride, self.padding, self.dilation, self.groups)\n"

/*
 * A strided convolution maps several input sizes to one, so that its transpose may be told which it shall give; the rest
 * over the smallest becomes the output padding.
 */
#define TRANSPOSED_FORWARD(n) \
	"extra = self.output_padding\n" \
	"if output_size is not None:\n" \
	"    lead = input.dim() - " n "\n" \
	"    if len(output_size) == lead + " n ":\n" \
	"        output_size = output_size[lead:]\n" \
	"    if len(output_size) != " n ":\n" \
	"        raise ValueError(f'ConvTranspose" n "D: for {input.dim()}D input, output_size must have " n " or {lead + " n "} elements" \
	" (got {len(output_size)})')\n" \
	"    least = [(input.size(lead + d) - 1) * self.stride[d] - 2 * self.padding[d] + self.dilation[d] * (self.kernel_size[d] - 1) + 1" \
	" for d in range(" n ")]\n" \
	"    most = [least[d] + self.stride[d] - 1 for d in range(" n ")]\n" \
	"    for d in range(" n "):\n" \
	"        if output_size[d] < least[d] or output_size[d] > most[d]:\n" \
	"            raise ValueError(f'requested an output size of {list(output_size)}, but valid sizes range from {least} to {most}')\n" \
	"    extra = [output_size[d] - least[d] for d in range(" n ")]\n" \
	"return F.conv_transpose" n "d(input, self.weight, self.bias, self.stride, self.padding, extra, self.groups, self.dilation)\n"

/* padding and padding_mode print without quotes; padding_mode since 1.5. */
#define CONV_REPR \
	"f'{in_channels}, {out_channels}, kernel_size={kernel_size}, stride={stride}'" \
	" + (f', padding={padding}' if padding != (0,) * len(padding) else '')" \
	" + (f', dilation={dilation}' if dilation != (1,) * len(dilation) else '')" \
	" + (f', output_padding={output_padding}' if output_padding != (0,) * len(output_padding) else '')" \
	" + (f', groups={groups}' if groups != 1 else '')" \
	" + (', bias=False' if bias is None else '')" \
	" + (f', padding_mode={padding_mode}' if padding_mode != 'zeros' and torch_version >= 105 else '')"

#define CONV_ARGUMENTS "stride=1, padding=0, dilation=1, groups=1, bias=True, padding_mode='zeros', device=None, dtype=None"
#define TRANSPOSED_ARGUMENTS \
	"stride=1, padding=0, output_padding=0, groups=1, bias=True, dilation=1, padding_mode='zeros', device=None, dtype=None"

/* fan_in is what one output sums over: the second dimension of the weight and the kernel. */
static const char conv_reset[] =
	"init.kaiming_uniform_(self.weight, a=math.sqrt(5))\n"
	"if self.bias is not None:\n"
	"    fan_in = self.weight.size(1)\n"
	"    for k in self.kernel_size:\n"
	"        fan_in = fan_in * k\n"
	"    bound = 1 / math.sqrt(fan_in) if fan_in > 0 else 0\n"
	"    init.uniform_(self.bias, -bound, bound)\n";

#define LAZY_PARAMETERS \
	"self.in_channels = 0\n" \
	"self.weight = UninitializedParameter(dtype=dtype)\n" \
	"if bias:\n" \
	"    self.bias = UninitializedParameter(dtype=dtype)\n" \
	"else:\n" \
	"    self.register_parameter('bias', None)\n"

#define LAZY_GROUPS "if groups <= 0:\n    raise ValueError('groups must be a positive integer')\n"

#define LAZY_CHANNELS(n) \
	"if input.dim() not in (" n " + 1, " n " + 2):\n" \
	"    raise RuntimeError(f'Expected {" n " + 1}D (unbatched) or {" n " + 2}D (batched) input, but got input of size: {list(input.shape)}')\n" \
	"self.in_channels = input.size(input.dim() - " n " - 1)\n" \
	"if self.in_channels % self.groups != 0:\n" \
	"    raise ValueError('in_channels must be divisible by groups')\n"

#define LAZY_BIAS \
	"if self.bias is not None:\n" \
	"    self.bias = Parameter(torch.empty(self.out_channels, dtype=self.bias.dtype))\n"

#define LAZY_CONV_INFER(n) \
	LAZY_CHANNELS(n) \
	"self.weight = Parameter(torch.empty((self.out_channels, self.in_channels // self.groups) + self.kernel_size," \
	" dtype=self.weight.dtype))\n" LAZY_BIAS

#define LAZY_TRANSPOSED_INFER(n) \
	LAZY_CHANNELS(n) \
	"self.weight = Parameter(torch.empty((self.in_channels, self.out_channels // self.groups) + self.kernel_size," \
	" dtype=self.weight.dtype))\n" LAZY_BIAS

#define CONV(n) \
	{ .name = "Conv" n "d", \
	  .signature = "in_channels, out_channels, kernel_size, " CONV_ARGUMENTS, \
	  .build = CONV_BUILD(n), .repr = CONV_REPR, \
	  .forward_signature = "input", .forward = CONV_FORWARD(n), .reset = conv_reset }

#define TRANSPOSED(n) \
	{ .name = "ConvTranspose" n "d", \
	  .signature = "in_channels, out_channels, kernel_size, " TRANSPOSED_ARGUMENTS, \
	  .build = TRANSPOSED_BUILD(n), .repr = CONV_REPR, \
	  .forward_signature = "input, output_size=None", .forward = TRANSPOSED_FORWARD(n), .reset = conv_reset }

#define LAZY_CONV(n) \
	{ .name = "LazyConv" n "d", .base = "Conv" n "d", \
	  .signature = "out_channels, kernel_size, " CONV_ARGUMENTS, \
	  .build = LAZY_GROUPS CONV_SIZES(n) CHECK_PADDING EDGES LAZY_PARAMETERS, \
	  .infer = LAZY_CONV_INFER(n), .becomes = "Conv" n "d", \
	  .printed = "in_channels, out_channels, kernel_size, stride, padding=0, dilation=1, output_padding=0, groups=1, bias=True," \
	  " padding_mode='zeros'" }

#define LAZY_TRANSPOSED(n) \
	{ .name = "LazyConvTranspose" n "d", .base = "ConvTranspose" n "d", \
	  .signature = "out_channels, kernel_size, " TRANSPOSED_ARGUMENTS, \
	  .build = LAZY_GROUPS TRANSPOSED_SIZES(n) LAZY_PARAMETERS, \
	  .infer = LAZY_TRANSPOSED_INFER(n), .becomes = "ConvTranspose" n "d", \
	  .printed = "in_channels, out_channels, kernel_size, stride, padding=0, dilation=1, output_padding=0, groups=1, bias=True" }

const struct nn_class conv_classes[] = {
	CONV("1"),
	CONV("2"),
	CONV("3"),
	TRANSPOSED("1"),
	TRANSPOSED("2"),
	TRANSPOSED("3"),
	LAZY_CONV("1"),
	LAZY_CONV("2"),
	LAZY_CONV("3"),
	LAZY_TRANSPOSED("1"),
	LAZY_TRANSPOSED("2"),
	LAZY_TRANSPOSED("3"),
	{ .name = NULL },
};
