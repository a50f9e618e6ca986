/* Sampling on grids and moving between pixels and channels (aten/src/ATen/native/{GridSampler,AffineGridGenerator,PixelShuffle,ChanelShuffle}.cpp). */
#include <string.h>

#include "ops/flops.h"
#include "ops/op.h"
#include "ops/shapes.h"
#include "ops/window.h"

/* ---- Grids ---- */

/* input [N, C, (D,) H, W], grid [N, (d,) h, w, 2 or 3] */
static bool check_grid_sampler(struct op_call *c)
{
	struct value *input = op_tensor(c, "input"), *grid = op_tensor(c, "grid");
	if (input->ndim != 4 && input->ndim != 5)
		return op_fail(c, "input %V has %d dimensions; expected 4 or 5", input, input->ndim);
	if (grid->ndim != input->ndim)
		return op_fail(c, "input %V and grid %V must have the same number of dimensions", input, grid);
	if (input->size[0] != grid->size[0])
		return op_fail(c, "input %V and grid %V have different batch sizes", input, grid);
	if (grid->size[grid->ndim - 1] != input->ndim - 2)
		return op_fail(c, "grid %V has %lld coordinates; input %V expects %d", grid, (long long)grid->size[grid->ndim - 1], input, input->ndim - 2);
	if (input->dtype != grid->dtype)
		return op_fail(c, "input is %s and grid is %s; they must be of one type", dtype_name(input->dtype), dtype_name(grid->dtype));
	for (int i = 2; i < input->ndim; i++)
		if (input->size[i] == 0)
			return op_fail(c, "input %V is empty in dimension %d", input, i);
	if (input->ndim == 5 && op_int(c, "interpolation_mode", 0) == 2)
		return op_fail(c, "bicubic interpolation only supports 4 dimensions, not input %V", input);
	return true;
}

static bool shape_grid_sampler(struct op_call *c)
{
	struct value *input = op_tensor(c, "input"), *grid = op_tensor(c, "grid");
	int64_t size[5] = { input->size[0], input->size[1] };
	if (!check_grid_sampler(c))
		return false;
	for (int i = 2; i < input->ndim; i++)
		size[i] = grid->size[i - 1];
	return op_out(c, input->dtype, input->ndim, size) != NULL;
}

static const char grid_sampler_parts[] =
	"if input.dim() == 4:\n"
	"    return aten.grid_sampler_2d(input, grid, interpolation_mode, padding_mode, align_corners)\n"
	"return aten.grid_sampler_3d(input, grid, interpolation_mode, padding_mode, align_corners)\n";

/* theta [N, 2, 3] and size [N, C, H, W] -> [N, H, W, 2]; the same one dimension up */
static bool shape_affine_grid(struct op_call *c)
{
	struct value *theta = op_tensor(c, "theta");
	int n, spatial;
	const int64_t *size = op_ints(c, "size", &n);
	int64_t out[5];
	if (n != 4 && n != 5)
		return op_fail(c, "size has %d numbers; expected 4 or 5", n);
	spatial = n - 2;
	if (!window_numbers(c, "size", n, size, 1))
		return false;
	if (theta->ndim != 3 || theta->size[0] != size[0] || theta->size[1] != spatial || theta->size[2] != spatial + 1)
		return op_fail(c, "theta %V; expected [%lld, %d, %d]", theta, (long long)size[0], spatial, spatial + 1);
	out[0] = size[0];
	memcpy(out + 1, size + 2, (size_t)spatial * sizeof *out);
	out[n - 1] = spatial;
	return op_out(c, theta->dtype, n, out) != NULL;
}

/* ---- Shuffles ---- */

static bool shape_pixel_shuffle(struct op_call *c)
{
	struct value *self = op_tensor(c, "self");
	int64_t r = op_int(c, "upscale_factor", 1), size[MAX_DIMS];
	int n = self->ndim;
	if (n < 3)
		return op_fail(c, "input %V has %d dimensions; expected at least 3", self, n);
	if (!window_numbers(c, "upscale_factor", 1, &r, 1))
		return false;
	if (self->size[n - 3] % (r * r) != 0)
		return op_fail(c, "input %V has %lld channels, which the square of upscale_factor, %lld, does not divide", self,
		               (long long)self->size[n - 3], (long long)(r * r));
	memcpy(size, self->size, (size_t)n * sizeof *size);
	size[n - 3] /= r * r;
	if (!times(size[n - 2], r, &size[n - 2]) || !times(size[n - 1], r, &size[n - 1]))
		return op_fail(c, "the result has more elements than can be counted");
	return op_out_format(c, self->dtype, n, size, value_format(self)) != NULL;
}

static bool shape_pixel_unshuffle(struct op_call *c)
{
	struct value *self = op_tensor(c, "self");
	int64_t r = op_int(c, "downscale_factor", 1), size[MAX_DIMS];
	int n = self->ndim;
	if (n < 3)
		return op_fail(c, "input %V has %d dimensions; expected at least 3", self, n);
	if (!window_numbers(c, "downscale_factor", 1, &r, 1))
		return false;
	if (self->size[n - 2] % r != 0 || self->size[n - 1] % r != 0)
		return op_fail(c, "input %V: downscale_factor %lld must divide height and width", self, (long long)r);
	memcpy(size, self->size, (size_t)n * sizeof *size);
	size[n - 2] /= r;
	size[n - 1] /= r;
	if (!times(size[n - 3], r * r, &size[n - 3]))
		return op_fail(c, "the result has more elements than can be counted");
	return op_out_format(c, self->dtype, n, size, value_format(self)) != NULL;
}

static bool shape_channel_shuffle(struct op_call *c)
{
	struct value *self = op_tensor(c, "self");
	int64_t groups = op_int(c, "groups", 1);
	if (self->ndim < 3)
		return op_fail(c, "input %V has %d dimensions; expected at least 3", self, self->ndim);
	if (groups <= 0 || self->size[1] % groups != 0)
		return op_fail(c, "input %V has %lld channels, which %lld groups do not divide", self, (long long)self->size[1], (long long)groups);
	return op_out_format(c, self->dtype, self->ndim, self->size, value_format(self)) != NULL;
}

const struct op_rule vision_rules[] = {
	{ .name = "grid_sampler", .shape = check_grid_sampler, .flops = flops_output_4, .flops_name = "grid_sampler", .parts = grid_sampler_parts },
	{ .name = "grid_sampler_2d", .shape = shape_grid_sampler },
	{ .name = "grid_sampler_3d", .shape = shape_grid_sampler },
	{ .name = "affine_grid_generator", .shape = shape_affine_grid },
	{ .name = "pixel_shuffle", .shape = shape_pixel_shuffle },
	{ .name = "pixel_unshuffle", .shape = shape_pixel_unshuffle },
	{ .name = "channel_shuffle", .shape = shape_channel_shuffle },
	{ .name = "native_channel_shuffle", .parts = "return aten.channel_shuffle(self, groups)" },
	{ 0 },
};
