/*
 * Upsampling (aten/src/ATen/native/UpSample*.cpp).  The .vec overloads, which torch.nn.functional.interpolate calls,
 * turn scale factors into sizes.
 */
#include <string.h>

#include "ops/flops.h"
#include "ops/op.h"
#include "ops/shapes.h"
#include "ops/window.h"

static bool upsample(struct op_call *c, int spatial)
{
	struct value *self = op_tensor(c, "self");
	int n;
	int64_t size[5];
	const int64_t *out = op_ints(c, "output_size", &n);
	if (self->ndim != spatial + 2)
		return op_fail(c, "input %V has %d dimensions; expected %d", self, self->ndim, spatial + 2);
	if (!window_spread(c, "output_size", spatial, n, &out) || !window_numbers(c, "output_size", spatial, out, 1))
		return false;
	for (int i = 1; i < self->ndim; i++)
		if (self->size[i] == 0)
			return op_fail(c, "input %V is empty in dimension %d", self, i);
	size[0] = self->size[0];
	size[1] = self->size[1];
	memcpy(size + 2, out, (size_t)spatial * sizeof *size);
	return op_out_format(c, self->dtype, self->ndim, size, value_format(self)) != NULL;
}

static bool shape_upsample1d(struct op_call *c)
{
	return upsample(c, 1);
}

static bool shape_upsample2d(struct op_call *c)
{
	return upsample(c, 2);
}

static bool shape_upsample3d(struct op_call *c)
{
	return upsample(c, 3);
}

/* variant: spatial dimensions. */
static bool check_vec(struct op_call *c)
{
	struct value *input = op_tensor(c, "input");
	int n, spatial = c->op->rule->variant;
	if (input->ndim != spatial + 2)
		return op_fail(c, "input %V has %d dimensions; expected %d", input, input->ndim, spatial + 2);
	op_ints(c, "output_size", &n);
	if ((n < 0) == op_is_none(c, "scale_factors"))
		return op_fail(c, "exactly one of output_size and scale_factors must be given");
	if (n >= 0 && n != spatial)
		return op_fail(c, "output_size has %d numbers; expected %d", n, spatial);
	const struct datum *scales = &c->args[op_arg_index(c->op, "scale_factors")];
	if (datum_is_seq(*scales) && scales->u.seq->n != (size_t)spatial)
		return op_fail(c, "scale_factors has %zu numbers; expected %d", scales->u.seq->n, spatial);
	return true;
}

/* compute_output_size() in UpSample.cpp: the product is cut, not rounded */
#define SIZES \
	"size = output_size if output_size is not None else [int(input.size(i + 2) * s) for i, s in enumerate(scale_factors)]\n" \
	"by = scale_factors if scale_factors is not None else [None for n in size]\n"

const struct op_rule resize_rules[] = {
	{ .name = "upsample_nearest1d", .shape = shape_upsample1d },
	{ .name = "upsample_nearest2d", .shape = shape_upsample2d, .flops = flops_output, .flops_name = "upsample_nearest2d" },
	{ .name = "upsample_nearest3d", .shape = shape_upsample3d },
	{ .name = "_upsample_nearest_exact1d", .shape = shape_upsample1d },
	{ .name = "_upsample_nearest_exact2d", .shape = shape_upsample2d },
	{ .name = "_upsample_nearest_exact3d", .shape = shape_upsample3d },
	{ .name = "upsample_linear1d", .shape = shape_upsample1d },
	{ .name = "upsample_bilinear2d", .shape = shape_upsample2d, .flops = flops_output_4, .flops_name = "upsample_bilinear2d" },
	{ .name = "upsample_bicubic2d", .shape = shape_upsample2d },
	{ .name = "upsample_trilinear3d", .shape = shape_upsample3d },
	{ .name = "_upsample_bilinear2d_aa", .shape = shape_upsample2d },
	{ .name = "_upsample_bicubic2d_aa", .shape = shape_upsample2d },
	{ .name = "_upsample_lanczos2d_aa", .shape = shape_upsample2d },
	{ .name = "upsample_nearest1d.vec", .variant = 1, .shape = check_vec, .parts = SIZES "return aten.upsample_nearest1d.default(input, size, by[0])" },
	{ .name = "upsample_nearest2d.vec", .variant = 2, .shape = check_vec, .flops = flops_output, .flops_name = "upsample_nearest2d",
	  .parts = SIZES "return aten.upsample_nearest2d.default(input, size, by[0], by[1])" },
	{ .name = "upsample_nearest3d.vec", .variant = 3, .shape = check_vec,
	  .parts = SIZES "return aten.upsample_nearest3d.default(input, size, by[0], by[1], by[2])" },
	{ .name = "_upsample_nearest_exact1d.vec", .variant = 1, .shape = check_vec,
	  .parts = SIZES "return aten._upsample_nearest_exact1d.default(input, size, by[0])" },
	{ .name = "_upsample_nearest_exact2d.vec", .variant = 2, .shape = check_vec,
	  .parts = SIZES "return aten._upsample_nearest_exact2d.default(input, size, by[0], by[1])" },
	{ .name = "_upsample_nearest_exact3d.vec", .variant = 3, .shape = check_vec,
	  .parts = SIZES "return aten._upsample_nearest_exact3d.default(input, size, by[0], by[1], by[2])" },
	{ .name = "upsample_linear1d.vec", .variant = 1, .shape = check_vec,
	  .parts = SIZES "return aten.upsample_linear1d.default(input, size, align_corners, by[0])" },
	{ .name = "upsample_bilinear2d.vec", .variant = 2, .shape = check_vec, .flops = flops_output_4, .flops_name = "upsample_bilinear2d",
	  .parts = SIZES "return aten.upsample_bilinear2d.default(input, size, align_corners, by[0], by[1])" },
	{ .name = "upsample_bicubic2d.vec", .variant = 2, .shape = check_vec,
	  .parts = SIZES "return aten.upsample_bicubic2d.default(input, size, align_corners, by[0], by[1])" },
	{ .name = "upsample_trilinear3d.vec", .variant = 3, .shape = check_vec,
	  .parts = SIZES "return aten.upsample_trilinear3d.default(input, size, align_corners, by[0], by[1], by[2])" },
	{ .name = "_upsample_bilinear2d_aa.vec", .variant = 2, .shape = check_vec,
	  .parts = SIZES "return aten._upsample_bilinear2d_aa.default(input, size, align_corners, by[0], by[1])" },
	{ .name = "_upsample_bicubic2d_aa.vec", .variant = 2, .shape = check_vec,
	  .parts = SIZES "return aten._upsample_bicubic2d_aa.default(input, size, align_corners, by[0], by[1])" },
	{ .name = "_upsample_lanczos2d_aa.vec", .variant = 2, .shape = check_vec,
	  .parts = SIZES "return aten._upsample_lanczos2d_aa.default(input, size, align_corners, by[0], by[1])" },
	{ 0 },
};
