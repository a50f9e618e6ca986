/*
 * Pooling: torch/nn/modules/pooling.py.  Some keep one number as it was given and print it so, some make it a tuple.
 */
#include "nn/nn.h"

#include <stddef.h>

#define KEEP_STRIDE "self.stride = stride if stride is not None else kernel_size\n"

#define TUPLE(n, name, value) \
	"size = " value "\n" \
	"self." name " = tuple(size) if isinstance(size, (list, tuple)) else (size,) * " n "\n"

#define TUPLES(n) \
	TUPLE(n, "kernel_size", "kernel_size") \
	TUPLE(n, "stride", "stride if stride is not None else kernel_size") \
	TUPLE(n, "padding", "padding")

#define SIZES_REPR "f'kernel_size={kernel_size}, stride={stride}, padding={padding}'"

#define MAX_POOL(n) \
	{ .name = "MaxPool" n "d", \
	  .signature = "kernel_size, stride=None, padding=0, dilation=1, return_indices=False, ceil_mode=False", \
	  .build = KEEP_STRIDE, \
	  .repr = "f'kernel_size={kernel_size}, stride={stride}, padding={padding}, dilation={dilation}, ceil_mode={ceil_mode}'", \
	  .forward_signature = "input", \
	  .forward = "return F.max_pool" n "d(input, self.kernel_size, self.stride, self.padding, self.dilation," \
	  " ceil_mode=self.ceil_mode, return_indices=self.return_indices)\n" }

#define MAX_UNPOOL(n) \
	{ .name = "MaxUnpool" n "d", \
	  .signature = "kernel_size, stride=None, padding=0", \
	  .build = TUPLES(n), .repr = SIZES_REPR, \
	  .forward_signature = "input, indices, output_size=None", \
	  .forward = "return F.max_unpool" n "d(input, indices, self.kernel_size, self.stride, self.padding, output_size)\n" }

#define AVG_POOL(n) \
	{ .name = "AvgPool" n "d", \
	  .signature = "kernel_size, stride=None, padding=0, ceil_mode=False, count_include_pad=True, divisor_override=None", \
	  .build = KEEP_STRIDE, .repr = SIZES_REPR, \
	  .forward_signature = "input", \
	  .forward = "return F.avg_pool" n "d(input, self.kernel_size, self.stride, self.padding, self.ceil_mode," \
	  " self.count_include_pad, self.divisor_override)\n" }

#define LP_POOL(n) \
	{ .name = "LPPool" n "d", \
	  .signature = "norm_type, kernel_size, stride=None, ceil_mode=False", \
	  .repr = "f'norm_type={norm_type}, kernel_size={kernel_size}, stride={stride}, ceil_mode={ceil_mode}'", \
	  .forward_signature = "input", \
	  .forward = "return F.lp_pool" n "d(input, float(self.norm_type), self.kernel_size, self.stride, self.ceil_mode)\n" }

#define ADAPTIVE_MAX(n) \
	{ .name = "AdaptiveMaxPool" n "d", \
	  .signature = "output_size, return_indices=False", \
	  .repr = "f'output_size={output_size}'", \
	  .forward_signature = "input", \
	  .forward = "return F.adaptive_max_pool" n "d(input, self.output_size, self.return_indices)\n" }

#define ADAPTIVE_AVG(n) \
	{ .name = "AdaptiveAvgPool" n "d", \
	  .signature = "output_size", \
	  .repr = "f'output_size={output_size}'", \
	  .forward_signature = "input", \
	  .forward = "return F.adaptive_avg_pool" n "d(input, self.output_size)\n" }

#define OPTIONAL_TUPLE(n, name) \
	"if " name " is not None and not isinstance(" name ", (list, tuple)):\n" \
	"    self." name " = (" name ",) * " n "\n"

#define FRACTIONAL(n) \
	{ .name = "FractionalMaxPool" n "d", \
	  .signature = "kernel_size, output_size=None, output_ratio=None, return_indices=False, _random_samples=None", \
	  .build = \
	  TUPLE(n, "kernel_size", "kernel_size") \
	  "for k in self.kernel_size:\n" \
	  "    if " n " == 3 and k <= 0:\n" \
	  "        raise ValueError(f'kernel_size must be greater than 0, but got {kernel_size}')\n" \
	  "self.register_buffer('_random_samples', _random_samples)\n" \
	  OPTIONAL_TUPLE(n, "output_size") OPTIONAL_TUPLE(n, "output_ratio") \
	  "if output_size is None and output_ratio is None:\n" \
	  "    raise ValueError('FractionalMaxPool" n "d requires specifying either an output size, or a pooling ratio')\n" \
	  "if output_size is not None and output_ratio is not None:\n" \
	  "    raise ValueError('only one of output_size and output_ratio may be specified')\n" \
	  "if output_ratio is not None:\n" \
	  "    for r in self.output_ratio:\n" \
	  "        if not 0 < r < 1:\n" \
	  "            raise ValueError(f'output_ratio must be between 0 and 1 (got {output_ratio})')\n", \
	  .forward_signature = "input", \
	  .forward = "return F.fractional_max_pool" n "d(input, self.kernel_size, self.output_size, self.output_ratio," \
	  " self.return_indices, _random_samples=self._random_samples)\n" }

const struct nn_class pool_classes[] = {
	MAX_POOL("1"),
	MAX_POOL("2"),
	MAX_POOL("3"),
	MAX_UNPOOL("1"),
	MAX_UNPOOL("2"),
	MAX_UNPOOL("3"),
	{ .name = "AvgPool1d",
	  .signature = "kernel_size, stride=None, padding=0, ceil_mode=False, count_include_pad=True",
	  .build = TUPLES("1"), .repr = SIZES_REPR,
	  .forward_signature = "input",
	  .forward = "return F.avg_pool1d(input, self.kernel_size, self.stride, self.padding, self.ceil_mode, self.count_include_pad)\n" },
	AVG_POOL("2"),
	AVG_POOL("3"),
	LP_POOL("1"),
	LP_POOL("2"),
	LP_POOL("3"),
	ADAPTIVE_MAX("1"),
	ADAPTIVE_MAX("2"),
	ADAPTIVE_MAX("3"),
	ADAPTIVE_AVG("1"),
	ADAPTIVE_AVG("2"),
	ADAPTIVE_AVG("3"),
	FRACTIONAL("2"),
	FRACTIONAL("3"),
	{ .name = NULL },
};
