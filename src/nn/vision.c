/*
 * Making images larger: torch/nn/modules/upsampling.py.
 */
#include "nn/nn.h"

#include <stddef.h>

/* Scale factors are floats; before 1.2 they stayed, and printed, as they were given. */
#define SCALE \
	"self._given = scale_factor\n" \
	"if isinstance(scale_factor, tuple):\n" \
	"    self.scale_factor = tuple([float(f) for f in scale_factor])\n" \
	"else:\n" \
	"    self.scale_factor = float(scale_factor) if scale_factor else None\n"

/* The mode has quotes since 2.1. */
static const char upsample_repr[] =
	"(f'scale_factor={scale_factor if torch_version >= 102 else _given}' if scale_factor is not None else f'size={size}')"
	" + f', mode={repr(mode) if torch_version >= 201 else mode}'";

const struct nn_class vision_classes[] = {
	{ .name = "Upsample",
	  .signature = "size=None, scale_factor=None, mode='nearest', align_corners=None, recompute_scale_factor=None",
	  .build = SCALE,
	  .repr = upsample_repr,
	  .forward_signature = "input",
	  .forward = "return F.interpolate(input, self.size, self.scale_factor, self.mode, self.align_corners,"
	  " recompute_scale_factor=self.recompute_scale_factor)\n" },
	{ .name = "UpsamplingNearest2d", .base = "Upsample",
	  .signature = "size=None, scale_factor=None",
	  .build = SCALE "self.mode = 'nearest'\nself.align_corners = None\nself.recompute_scale_factor = None\n",
	  .printed = "size=None, scale_factor=None, mode=None" },
	{ .name = "UpsamplingBilinear2d", .base = "Upsample",
	  .signature = "size=None, scale_factor=None",
	  .build = SCALE "self.mode = 'bilinear'\nself.align_corners = True\nself.recompute_scale_factor = None\n",
	  .printed = "size=None, scale_factor=None, mode=None" },
	{ .name = NULL },
};
