/*
 * torchvision's operators for finding objects (torchvision/csrc/ops/cpu/{nms,roi_align,roi_pool,ps_roi_align,ps_roi_pool,deform_conv2d}_kernel.cpp).
 * Places are computed in the type of the images, since they are cut to whole ones.
 */
#include <float.h>
#include <math.h>
#include <stdlib.h>

#include "exec/kernel.h"

static double in_type(enum dtype d, double x) { return d == DT_FLOAT64 ? x : (float)x; }

/* ---- Boxes that overlap better ones are dropped ---- */

struct scored { double score; int64_t at; };

/* The best first, of equal ones the one that comes first; NaN is better than all. */
static int by_score(const void *a, const void *b)
{
	const struct scored *x = a, *y = b;
	if (isnan(x->score) != isnan(y->score))
		return isnan(x->score) ? -1 : 1;
	if (x->score != y->score && !isnan(x->score))
		return x->score > y->score ? -1 : 1;
	return x->at < y->at ? -1 : x->at > y->at;
}

/* The part that two boxes share of what they cover. */
static double overlap(enum dtype d, const double *a, const double *b)
{
	double w = fmax(0, in_type(d, fmin(a[2], b[2]) - fmax(a[0], b[0]))), h = fmax(0, in_type(d, fmin(a[3], b[3]) - fmax(a[1], b[1])));
	double own = in_type(d, in_type(d, a[2] - a[0]) * in_type(d, a[3] - a[1])), other = in_type(d, in_type(d, b[2] - b[0]) * in_type(d, b[3] - b[1]));
	double shared = in_type(d, w * h);
	return in_type(d, shared / in_type(d, in_type(d, own + other) - shared));
}

static bool k_nms(struct kernel_call *k)
{
	struct tensor *dets = arg_tensor(k, "dets"), *scores = arg_tensor(k, "scores");
	double limit = arg_real(k, "iou_threshold", 0);
	if (dets->ndim != 2 || dets->size[1] != 4 || scores->ndim != 1 || scores->size[0] != dets->size[0])
		return kernel_fail(k, "boxes must be rows of four corners, with a score each");
	int64_t n = dets->size[0], kept = 0;
	const double *box = doubles_of(k, dets), *score = box ? doubles_of(k, scores) : NULL;
	struct scored *order = score ? scratch_alloc(k, n, sizeof *order) : NULL;
	bool *dropped = order ? scratch_alloc(k, n, sizeof *dropped) : NULL;
	int64_t *keep = dropped ? scratch_alloc(k, n, sizeof *keep) : NULL;
	for (int64_t i = 0; keep && i < n; i++)
		order[i] = (struct scored){ score[i], i };
	if (keep)
		qsort(order, (size_t)n, sizeof *order, by_score);
	for (int64_t i = 0; keep && i < n; i++) {
		const double *own = box + 4 * order[i].at;
		if (dropped[i])
			continue;
		keep[kept++] = order[i].at;
		for (int64_t j = i + 1; j < n; j++)
			dropped[j] = dropped[j] || overlap(dets->dtype, own, box + 4 * order[j].at) > limit;
	}
	int64_t *out = keep ? ints_for(k, out_new(k, DT_INT64, 1, &kept)) : NULL;
	for (int64_t i = 0; out && i < kept; i++)
		out[i] = keep[i];
	return out != NULL;
}

/* ---- Regions ---- */

struct regions {
	struct kernel_call *k;
	enum dtype d;
	const double *x, *rois;          /* [images, channels, height, width], [count, 5] */
	int64_t images, channels, height, width, count, pooled_height, pooled_width;
	double scale;
	int64_t out_channels;
	double *y, *place;               /* results; where each came from, or NULL */
};

static bool regions_read(struct kernel_call *k, bool by_place, bool places, struct regions *r)
{
	struct tensor *input = arg_tensor(k, "input"), *rois = arg_tensor(k, "rois");
	if (input->ndim != 4 || rois->ndim != 2 || rois->size[1] != 5 || input->dtype != rois->dtype)
		return kernel_fail(k, "expected images of four dimensions and regions of five numbers, of one type");
	*r = (struct regions){ .k = k, .d = input->dtype, .images = input->size[0], .channels = input->size[1], .height = input->size[2], .width = input->size[3],
		.count = rois->size[0], .pooled_height = arg_int(k, "pooled_height", 1), .pooled_width = arg_int(k, "pooled_width", 1),
		.scale = in_type(input->dtype, arg_real(k, "spatial_scale", 1)) };
	if (r->height < 1 || r->width < 1)
		return kernel_fail(k, "the images have no pixels");
	if (r->pooled_height < 1 || r->pooled_width < 1 || r->pooled_height > INT32_MAX || r->pooled_width > INT32_MAX ||
	    (by_place && r->channels % (r->pooled_height * r->pooled_width)))
		return kernel_fail(k, "%lld x %lld places do not fit", (long long)r->pooled_height, (long long)r->pooled_width);
	r->out_channels = by_place ? r->channels / (r->pooled_height * r->pooled_width) : r->channels;
	int64_t size[4] = { r->count, r->out_channels, r->pooled_height, r->pooled_width };
	struct tensor *out = out_new(k, r->d, 4, size), *where = out && places ? out_new(k, DT_INT32, 4, size) : NULL;
	r->y = out ? doubles_for(k, out) : NULL;
	r->place = where ? doubles_for(k, where) : NULL;
	r->x = r->y && (!places || r->place) ? doubles_of(k, input) : NULL;
	r->rois = r->x ? doubles_of(k, rois) : NULL;
	for (int64_t i = 0; r->rois && i < r->count; i++)
		for (int j = 0; j < 5; j++)
			if (!isfinite(r->rois[5 * i + j]) || fabs(r->rois[5 * i + j]) > 1e9 || (j == 0 && !(r->rois[5 * i] > -1 && r->rois[5 * i] < (double)r->images)))
				return kernel_fail(k, "region %lld is not within one of %lld images", (long long)i, (long long)r->images);
	return r->rois != NULL;
}

static const double *image_plane(const struct regions *r, int64_t roi, int64_t channel)
{
	return r->x + ((int64_t)r->rois[5 * roi] * r->channels + channel) * r->height * r->width;
}

/* Between four pixels; 0 more than one pixel outside. */
static double sample(const double *x, int64_t height, int64_t width, double row, double column)
{
	if (!(row >= -1 && row <= (double)height && column >= -1 && column <= (double)width))
		return 0;
	row = fmin(fmax(row, 0), (double)(height - 1));
	column = fmin(fmax(column, 0), (double)(width - 1));
	int64_t top = (int64_t)row, left = (int64_t)column, bottom = top + (top < height - 1), right = left + (left < width - 1);
	double v = row - (double)top, h = column - (double)left;
	return (1 - v) * ((1 - h) * x[top * width + left] + h * x[top * width + right]) + v * ((1 - h) * x[bottom * width + left] + h * x[bottom * width + right]);
}

/* A region in pixels of the images, and the grid of samples in each of its places. */
struct grid {
	double top, left, height, width; /* height and width of a place */
	int64_t rows, columns;
};

/* The size of places and grids; regions have at least one pixel unless they are aligned to pixels' middles. */
static bool grid_of(const struct regions *r, int64_t roi, bool aligned, struct grid *g)
{
	const double *box = r->rois + 5 * roi;
	double shift = aligned ? 0.5 : 0, at[4];
	int64_t ratio = arg_int(r->k, "sampling_ratio", 0);
	for (int i = 0; i < 4; i++)
		at[i] = in_type(r->d, in_type(r->d, box[i + 1] * r->scale) - shift);
	double width = in_type(r->d, at[2] - at[0]), height = in_type(r->d, at[3] - at[1]);
	if (!aligned) {
		width = fmax(width, 1);
		height = fmax(height, 1);
	}
	*g = (struct grid){ .top = at[1], .left = at[0], .height = in_type(r->d, height / (double)r->pooled_height),
	                   .width = in_type(r->d, width / (double)r->pooled_width) };
	g->rows = ratio > 0 ? ratio : (int64_t)ceil(g->height);
	g->columns = ratio > 0 ? ratio : (int64_t)ceil(g->width);
	if (g->rows > 1 << 20 || g->columns > 1 << 20)
		return kernel_fail(r->k, "region %lld needs %lld x %lld samples in each place", (long long)roi, (long long)g->rows, (long long)g->columns);
	return true;
}

static double sum_place(const struct regions *r, const struct grid *g, const double *x, int64_t row, int64_t column)
{
	double sum = 0;
	for (int64_t i = 0; i < g->rows; i++) {
		double y = in_type(r->d, g->top + (double)row * g->height + ((double)i + 0.5) * g->height / (double)g->rows);
		for (int64_t j = 0; j < g->columns; j++)
			sum += sample(x, r->height, r->width, y, in_type(r->d, g->left + (double)column * g->width + ((double)j + 0.5) * g->width / (double)g->columns));
	}
	return sum;
}

/* Means of samples; each place reads channels of its own when by_place. */
static bool align(struct kernel_call *k, bool by_place)
{
	struct regions r;
	struct grid g;
	if (!regions_read(k, by_place, by_place, &r))
		return false;
	int64_t places = r.pooled_height * r.pooled_width, at = 0;
	for (int64_t n = 0; n < r.count; n++) {
		if (!grid_of(&r, n, by_place || arg_bool(k, "aligned", false), &g))
			return false;
		int64_t samples = (g.rows > 0 ? g.rows : 0) * (g.columns > 0 ? g.columns : 0);
		double count = by_place ? (double)(g.rows * g.columns) : (double)(samples > 1 ? samples : 1);
		for (int64_t c = 0; c < r.out_channels; c++)
			for (int64_t p = 0; p < places; p++, at++) {
				int64_t channel = by_place ? c * places + p : c;
				r.y[at] = sum_place(&r, &g, image_plane(&r, n, channel), p / r.pooled_width, p % r.pooled_width) / count;
				if (by_place)
					r.place[at] = (double)channel;
			}
	}
	return true;
}

static bool k_roi_align(struct kernel_call *k)
{
	return align(k, false);
}

static bool k_ps_roi_align(struct kernel_call *k)
{
	return align(k, true);
}

/* ---- Regions of whole pixels ---- */

/* Pixels [from, to) of one place along one axis; the region begins at `start` and has `length` of them. */
static void place_span(const struct regions *r, int64_t place, int64_t places, int64_t start, int64_t length, int64_t last, int64_t *from, int64_t *to)
{
	double size = in_type(r->d, (double)length / (double)places);
	int64_t low = start + (int64_t)floor(in_type(r->d, (double)place * size)), high = start + (int64_t)ceil(in_type(r->d, (double)(place + 1) * size));
	*from = low < 0 ? 0 : low > last ? last : low;
	*to = high < 0 ? 0 : high > last ? last : high;
}

static void pool_largest(const struct regions *r, const double *x, const int64_t span[4], int64_t at)
{
	double most = span[1] <= span[0] || span[3] <= span[2] ? 0 : -FLT_MAX;
	int64_t best = -1;
	for (int64_t i = span[0]; i < span[1]; i++)
		for (int64_t j = span[2]; j < span[3]; j++)
			if (x[i * r->width + j] > most) {
				most = x[i * r->width + j];
				best = i * r->width + j;
			}
	r->y[at] = most;
	r->place[at] = (double)best;
}

static void pool_mean(const struct regions *r, const double *x, const int64_t span[4], int64_t at)
{
	double sum = 0;
	for (int64_t i = span[0]; i < span[1]; i++)
		for (int64_t j = span[2]; j < span[3]; j++)
			sum += x[i * r->width + j];
	bool empty = span[1] <= span[0] || span[3] <= span[2];
	r->y[at] = empty ? 0 : sum / (double)((span[1] - span[0]) * (span[3] - span[2]));
}

/* The largest pixel; or the mean, of channels of each place's own, without the last row and column of the image. */
static bool pool(struct kernel_call *k, bool by_place)
{
	struct regions r;
	if (!regions_read(k, by_place, true, &r))
		return false;
	int64_t places = r.pooled_height * r.pooled_width, at = 0;
	for (int64_t n = 0; n < r.count; n++) {
		int64_t corner[4], span[4];
		for (int i = 0; i < 4; i++)
			corner[i] = (int64_t)round(in_type(r.d, r.rois[5 * n + 1 + i] * r.scale));
		int64_t width = corner[2] - corner[0] + !by_place, height = corner[3] - corner[1] + !by_place;
		for (int64_t c = 0; c < r.out_channels; c++)
			for (int64_t p = 0; p < places; p++, at++) {
				int64_t channel = by_place ? c * places + p : c;
				place_span(&r, p / r.pooled_width, r.pooled_height, corner[1], height > 1 ? height : 1, r.height - by_place, &span[0], &span[1]);
				place_span(&r, p % r.pooled_width, r.pooled_width, corner[0], width > 1 ? width : 1, r.width - by_place, &span[2], &span[3]);
				(by_place ? pool_mean : pool_largest)(&r, image_plane(&r, n, channel), span, at);
				if (by_place)
					r.place[at] = (double)channel;
			}
	}
	return true;
}

static bool k_roi_pool(struct kernel_call *k)
{
	return pool(k, false);
}

static bool k_ps_roi_pool(struct kernel_call *k)
{
	return pool(k, true);
}

/* ---- Convolution that reads where offsets say ---- */

struct deform {
	const double *x, *w, *offset, *mask; /* mask: NULL when it is not used */
	int64_t channels, height, width, out_channels, kernel[2], stride[2], pad[2], dilation[2], out[2], groups, offset_groups;
};

/* Between four pixels; those outside are 0. */
static double sample_padded(const double *x, int64_t height, int64_t width, double row, double column)
{
	if (!(row > -1 && row < (double)height && column > -1 && column < (double)width))
		return 0;
	int64_t top = (int64_t)floor(row), left = (int64_t)floor(column);
	double v = row - (double)top, h = column - (double)left, sum = 0;
	for (int64_t i = 0; i < 2; i++)
		for (int64_t j = 0; j < 2; j++)
			if (top + i >= 0 && top + i < height && left + j >= 0 && left + j < width)
				sum += (i ? v : 1 - v) * (j ? h : 1 - h) * x[(top + i) * width + left + j];
	return sum;
}

/* What the kernel reads of channel c of image b at place (i, j) for the output's place at = y * out_w + x. */
static double deformed(const struct deform *d, int64_t b, int64_t c, int64_t i, int64_t j, int64_t at)
{
	int64_t area = d->out[0] * d->out[1], taps = d->kernel[0] * d->kernel[1], tap = i * d->kernel[1] + j;
	int64_t group = b * d->offset_groups + c / (d->channels / d->offset_groups);
	const double *offset = d->offset + (group * 2 * taps + 2 * tap) * area + at;
	double row = (double)(at / d->out[1] * d->stride[0] - d->pad[0] + i * d->dilation[0]) + offset[0];
	double column = (double)(at % d->out[1] * d->stride[1] - d->pad[1] + j * d->dilation[1]) + offset[area];
	double value = sample_padded(d->x + (b * d->channels + c) * d->height * d->width, d->height, d->width, row, column);
	return d->mask ? value * d->mask[(group * taps + tap) * area + at] : value;
}

static double deform_one(const struct deform *d, int64_t b, int64_t oc, int64_t at)
{
	int64_t each = d->channels / d->groups, first = oc / (d->out_channels / d->groups) * each;
	const double *w = d->w + oc * each * d->kernel[0] * d->kernel[1];
	double sum = 0;
	for (int64_t c = first; c < first + each; c++)
		for (int64_t i = 0; i < d->kernel[0]; i++)
			for (int64_t j = 0; j < d->kernel[1]; j++)
				sum += *w++ * deformed(d, b, c, i, j, at);
	return sum;
}

/* Sizes along axis a; false when they do not make sense. */
static bool deform_axis(struct kernel_call *k, struct deform *d, int a, int64_t in, const char *stride, const char *pad, const char *dilation)
{
	d->stride[a] = arg_int(k, stride, 1);
	d->pad[a] = arg_int(k, pad, 0);
	d->dilation[a] = arg_int(k, dilation, 1);
	if (d->stride[a] < 1 || d->dilation[a] < 1 || d->pad[a] < 0 || d->pad[a] > INT32_MAX || d->dilation[a] > INT32_MAX || d->kernel[a] > INT32_MAX)
		return false;
	int64_t room = in + 2 * d->pad[a] - d->dilation[a] * (d->kernel[a] - 1) - 1;
	d->out[a] = room < 0 ? 0 : room / d->stride[a] + 1;
	return d->out[a] > 0;
}

static bool deform_read(struct kernel_call *k, struct tensor *input, struct tensor *weight, struct deform *d)
{
	struct tensor *offset = arg_tensor(k, "offset"), *mask = arg_tensor(k, "mask");
	if (input->ndim != 4 || weight->ndim != 4)
		return kernel_fail(k, "expected images and weights of four dimensions");
	*d = (struct deform){ .channels = input->size[1], .height = input->size[2], .width = input->size[3], .out_channels = weight->size[0],
		.kernel = { weight->size[2], weight->size[3] }, .groups = arg_int(k, "groups", 1), .offset_groups = arg_int(k, "offset_groups", 1) };
	if (d->groups < 1 || d->channels % d->groups || d->out_channels % d->groups || weight->size[1] != d->channels / d->groups || d->offset_groups < 1 ||
	    d->channels % d->offset_groups)
		return kernel_fail(k, "%lld channels do not fit the groups and the weights", (long long)d->channels);
	if (!deform_axis(k, d, 0, d->height, "stride_h", "pad_h", "dilation_h") || !deform_axis(k, d, 1, d->width, "stride_w", "pad_w", "dilation_w"))
		return kernel_fail(k, "the kernel does not fit the images");
	int64_t places = input->size[0] * d->offset_groups * d->kernel[0] * d->kernel[1] * d->out[0] * d->out[1];
	bool masked = arg_bool(k, "use_mask", false);
	if (tensor_numel(offset) != 2 * places || (masked && tensor_numel(mask) != places))
		return kernel_fail(k, "there must be two offsets, and a mask where it is used, for each of %lld places", (long long)places);
	d->x = doubles_of(k, input);
	d->w = d->x ? doubles_of(k, weight) : NULL;
	d->offset = d->w ? doubles_of(k, offset) : NULL;
	d->mask = d->offset && masked ? doubles_of(k, mask) : NULL;
	return d->offset && (d->mask || !masked);
}

static bool k_deform_conv2d(struct kernel_call *k)
{
	struct tensor *input = arg_tensor(k, "input"), *weight = arg_tensor(k, "weight"), *bias = arg_tensor(k, "bias");
	struct deform d;
	if (!deform_read(k, input, weight, &d))
		return false;
	if (tensor_numel(bias) != d.out_channels)
		return kernel_fail(k, "there must be a bias for each of %lld channels", (long long)d.out_channels);
	int64_t size[4] = { input->size[0], d.out_channels, d.out[0], d.out[1] }, area = d.out[0] * d.out[1];
	struct tensor *out = out_new(k, input->dtype, 4, size);
	const double *added = out ? doubles_of(k, bias) : NULL;
	double *y = added ? doubles_for(k, out) : NULL;
	for (int64_t i = 0; y && i < size[0] * d.out_channels * area; i++)
		y[i] = deform_one(&d, i / area / d.out_channels, i / area % d.out_channels, i % area) + added[i / area % d.out_channels];
	return y != NULL;
}

const struct kernel_row detection_kernels[] = {
	{ .name = "torchvision::nms", .run = k_nms },
	{ .name = "torchvision::roi_align", .run = k_roi_align },
	{ .name = "torchvision::roi_pool", .run = k_roi_pool },
	{ .name = "torchvision::ps_roi_align", .run = k_ps_roi_align },
	{ .name = "torchvision::ps_roi_pool", .run = k_ps_roi_pool },
	{ .name = "torchvision::deform_conv2d", .run = k_deform_conv2d },
	{ 0 }
};
