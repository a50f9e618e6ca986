/*
 * Paddings: torch/nn/modules/padding.py.
 */
#include "nn/nn.h"

#include <stddef.h>

/* One number stands for both sides of every dimension; n = 2 * dimensions. */
#define SIDES(n) "self.padding = tuple(padding) if isinstance(padding, (list, tuple)) else (padding,) * " n "\n"

#define PAD(name_, n, mode) \
	{ .name = name_, .signature = "padding", .build = SIDES(n), .repr = "f'{padding}'", \
	  .forward_signature = "input", .forward = "return F.pad(input, self.padding, '" mode "')\n" }

#define CONSTANT(name_, n) \
	{ .name = name_, .signature = "padding, value", .build = SIDES(n), .repr = "f'padding={padding}, value={value}'", \
	  .forward_signature = "input", .forward = "return F.pad(input, self.padding, 'constant', self.value)\n" }

/* ZeroPad2d printed as ConstantPad2d does until 1.10, and until 1.2 its zero was an int. */
#define ZERO(name_, base_, n) \
	{ .name = name_, .base = base_, .signature = "padding", .build = SIDES(n) "self.value = 0.0\n", \
	  .repr = "f'{padding}' if torch_version >= 110 else f'padding={padding}, value={0 if torch_version < 102 else 0.0}'", \
	  .printed = "padding, value=0" }

#define CIRCULAR(n_dims, least, most, n) \
	{ .name = "CircularPad" n_dims "d", .signature = "padding", .build = SIDES(n), .repr = "f'{padding}'", \
	  .forward_signature = "input", .forward = \
	  "if input.dim() != " least " and input.dim() != " most ":\n" \
	  "    raise ValueError(f'expected " least "D or " most "D input (got {input.dim()}D input)')\n" \
	  "return F.pad(input, self.padding, 'circular')\n" }

const struct nn_class pad_classes[] = {
	PAD("ReflectionPad1d", "2", "reflect"),
	PAD("ReflectionPad2d", "4", "reflect"),
	PAD("ReflectionPad3d", "6", "reflect"),
	PAD("ReplicationPad1d", "2", "replicate"),
	PAD("ReplicationPad2d", "4", "replicate"),
	PAD("ReplicationPad3d", "6", "replicate"),
	CIRCULAR("1", "2", "3", "2"),
	CIRCULAR("2", "3", "4", "4"),
	CIRCULAR("3", "4", "5", "6"),
	CONSTANT("ConstantPad1d", "2"),
	CONSTANT("ConstantPad2d", "4"),
	CONSTANT("ConstantPad3d", "6"),
	ZERO("ZeroPad1d", "ConstantPad1d", "2"),
	ZERO("ZeroPad2d", "ConstantPad2d", "4"),
	ZERO("ZeroPad3d", "ConstantPad3d", "6"),
	{ .name = NULL },
};
