/*
 * What rearranges: torch/nn/modules/flatten.py, fold.py, pixelshuffle.py, channelshuffle.py.
 */
#include "nn/nn.h"

#include <stddef.h>

static const char unflatten_build[] =
	"if not isinstance(unflattened_size, (list, tuple)):\n"
	"    raise TypeError(f'unflattened_size must be a tuple of ints, but found type {type(unflattened_size).__name__}')\n"
	"for i in range(len(unflattened_size)):\n"
	"    if not isinstance(unflattened_size[i], int):\n"
	"        raise TypeError(f'unflattened_size must be tuple of ints, but found element of type"
	" {type(unflattened_size[i]).__name__} at pos {i}')\n";

const struct nn_class shape_classes[] = {
	{ .name = "Flatten",
	  .signature = "start_dim=1, end_dim=-1",
	  .repr = "f'start_dim={start_dim}, end_dim={end_dim}'",
	  .forward_signature = "input",
	  .forward = "return input.flatten(self.start_dim, self.end_dim)\n" },
	{ .name = "Unflatten",
	  .signature = "dim, unflattened_size",
	  .build = unflatten_build,
	  .repr = "f'dim={dim}, unflattened_size={unflattened_size}'",
	  .forward_signature = "input",
	  .forward = "return input.unflatten(self.dim, self.unflattened_size)\n" },
	{ .name = "Fold",
	  .signature = "output_size, kernel_size, dilation=1, padding=0, stride=1",
	  .repr = "f'output_size={output_size}, kernel_size={kernel_size}, dilation={dilation}, padding={padding}, stride={stride}'",
	  .forward_signature = "input",
	  .forward = "return F.fold(input, self.output_size, self.kernel_size, self.dilation, self.padding, self.stride)\n" },
	{ .name = "Unfold",
	  .signature = "kernel_size, dilation=1, padding=0, stride=1",
	  .repr = "f'kernel_size={kernel_size}, dilation={dilation}, padding={padding}, stride={stride}'",
	  .forward_signature = "input",
	  .forward = "return F.unfold(input, self.kernel_size, self.dilation, self.padding, self.stride)\n" },
	{ .name = "PixelShuffle",
	  .signature = "upscale_factor",
	  .repr = "f'upscale_factor={upscale_factor}'",
	  .forward_signature = "input",
	  .forward = "return F.pixel_shuffle(input, self.upscale_factor)\n" },
	{ .name = "PixelUnshuffle",
	  .signature = "downscale_factor",
	  .repr = "f'downscale_factor={downscale_factor}'",
	  .forward_signature = "input",
	  .forward = "return F.pixel_unshuffle(input, self.downscale_factor)\n" },
	{ .name = "ChannelShuffle",
	  .signature = "groups",
	  .repr = "f'groups={groups}'",
	  .forward_signature = "input",
	  .forward = "return F.channel_shuffle(input, self.groups)\n" },
	{ .name = NULL },
};
