/*
 * torchvision's operators for finding objects (torchvision/csrc/ops/cpu, _meta_registrations.py).  A region is a row of rois:
 * the number of an image and the corners x1, y1, x2, y2.
 */
#include "ops/op.h"
#include "ops/shapes.h"

static bool shape_nms(struct op_call *c)
{
	const struct value *boxes = op_tensor(c, "dets"), *scores = op_tensor(c, "scores");
	if (boxes->ndim != 2 || boxes->size[1] != 4 || scores->ndim != 1 || scores->size[0] != boxes->size[0])
		return op_fail(c, "boxes %V must be rows of four corners, with as many scores, not %V", boxes, scores);
	return out_unknown(c, DT_INT64) != NULL;
}

/* [regions, channels, pooled_height, pooled_width]; where every place has channels of its own, so many fewer of them. */
static bool regions_size(struct op_call *c, bool by_place, int64_t size[4])
{
	const struct value *input = op_tensor(c, "input"), *rois = op_tensor(c, "rois");
	int64_t height = op_int(c, "pooled_height", 1), width = op_int(c, "pooled_width", 1);
	if (input->ndim != 4 || rois->ndim != 2 || rois->size[1] != 5)
		return op_fail(c, "expected images [N, C, H, W] and regions [K, 5], got %V and %V", input, rois);
	if (input->dtype != rois->dtype)
		return op_fail(c, "images are %s and regions %s; they must be of one type", dtype_name(input->dtype), dtype_name(rois->dtype));
	if (height < 1 || width < 1 || height > INT32_MAX || width > INT32_MAX || (by_place && input->size[1] % (height * width) != 0))
		return op_fail(c, "%lld x %lld places do not fit images %V", (long long)height, (long long)width, input);
	size[0] = rois->size[0];
	size[1] = by_place ? input->size[1] / (height * width) : input->size[1];
	size[2] = height;
	size[3] = width;
	return true;
}

static bool shape_roi_align(struct op_call *c)
{
	int64_t size[4];
	return regions_size(c, false, size) && op_out(c, op_tensor(c, "input")->dtype, 4, size);
}

/* The result, and where each element came from. */
static bool out_pooled(struct op_call *c, bool by_place)
{
	int64_t size[4];
	return regions_size(c, by_place, size) && op_out(c, op_tensor(c, "input")->dtype, 4, size) && op_out(c, DT_INT32, 4, size);
}

static bool shape_roi_pool(struct op_call *c)
{
	return out_pooled(c, false);
}

static bool shape_ps_roi(struct op_call *c)
{
	return out_pooled(c, true);
}

static int64_t out_extent(struct op_call *c, int64_t in, int64_t kernel, const char *stride, const char *pad, const char *dilation)
{
	int64_t step = op_int(c, stride, 1), reach = op_int(c, dilation, 1) * (kernel - 1) + 1, room = in + 2 * op_int(c, pad, 0) - reach;
	return step < 1 || reach < 1 || room < 0 ? 0 : room / step + 1;
}

static bool shape_deform_conv2d(struct op_call *c)
{
	const struct value *input = op_tensor(c, "input"), *weight = op_tensor(c, "weight"), *offset = op_tensor(c, "offset");
	if (input->ndim != 4 || weight->ndim != 4 || offset->ndim != 4)
		return op_fail(c, "expected 4 dimensions each, got %V, %V and %V", input, weight, offset);
	int64_t groups = op_int(c, "groups", 1), offset_groups = op_int(c, "offset_groups", 1);
	int64_t size[4] = { input->size[0], weight->size[0], out_extent(c, input->size[2], weight->size[2], "stride_h", "pad_h", "dilation_h"),
		out_extent(c, input->size[3], weight->size[3], "stride_w", "pad_w", "dilation_w") };
	if (groups < 1 || input->size[1] % groups != 0 || weight->size[1] != input->size[1] / groups || weight->size[0] % groups != 0)
		return op_fail(c, "input %V and weight %V do not fit in %lld groups", input, weight, (long long)groups);
	if (offset_groups < 1 || input->size[1] % offset_groups != 0 || offset->size[0] != size[0] || offset->size[2] != size[2] || offset->size[3] != size[3] ||
	    offset->size[1] != offset_groups * 2 * weight->size[2] * weight->size[3])
		return op_fail(c, "offset %V does not fit %lld places of weight %V", offset, (long long)(size[2] * size[3]), weight);
	return op_out(c, input->dtype, 4, size) != NULL;
}

const struct op_rule detection_rules[] = {
	{ .name = "torchvision::nms", .shape = shape_nms },
	{ .name = "torchvision::roi_align", .shape = shape_roi_align },
	{ .name = "torchvision::roi_pool", .shape = shape_roi_pool },
	{ .name = "torchvision::ps_roi_align", .shape = shape_ps_roi },
	{ .name = "torchvision::ps_roi_pool", .shape = shape_ps_roi },
	{ .name = "torchvision::deform_conv2d", .shape = shape_deform_conv2d },
	{ 0 }
};
