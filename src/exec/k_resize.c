/*
 * Resizing (aten/src/ATen/native/UpSample.h, cpu/UpSampleKernel.cpp).  Every output coordinate of a dimension is a
 * weighted sum of input coordinates; an image is resized one dimension after another.
 */
#include <math.h>
#include <string.h>

#include "exec/spatial.h"

enum method { NEAREST, NEAREST_EXACT, LINEAR, CUBIC };

/*
 * Taps of one dimension: output o reads `count` places from `from`, or the places in `index` when they are clamped.
 * Their weights are kept in the type of the image (compute_indices_weights()).
 */
struct taps {
	enum dtype dtype;
	int64_t in, out;
	int most;
	int64_t *index;          /* out * most */
	double *weight;          /* out * most; 0 beyond the last */
};

/* area_pixel_compute_scale(): input elements for an output element. */
static double scale_of(int64_t in, int64_t out, bool align, double given, bool narrow)
{
	double scale = align ? (out > 1 ? (double)(in - 1) / (double)(out - 1) : 0) : given > 0 ? 1 / given : (double)in / (double)out;
	return narrow ? (float)scale : scale;
}

static int64_t limited(int64_t i, int64_t in)
{
	return i < 0 ? 0 : i >= in ? in - 1 : i;
}

static double near_one(double x, double a) { return ((a + 2) * x - (a + 3)) * x * x + 1; }
static double near_two(double x, double a) { return ((a * x - 5 * a) * x + 8 * a) * x - 4 * a; }

static void nearest_tap(struct taps *t, int64_t o, double scale, bool exact, bool narrow)
{
	double at = ((double)o + (exact ? 0.5 : 0)) * scale;
	t->index[o] = limited((int64_t)floor(narrow ? (float)at : at), t->in);
	t->weight[o] = 1;
}

/* area_pixel_compute_source_index(), in the type of the image. */
static double source_of(int64_t o, double scale, bool align, bool narrow)
{
	if (narrow)
		return align ? (float)scale * (float)o : (float)scale * ((float)o + 0.5f) - 0.5f;
	return align ? scale * (double)o : scale * ((double)o + 0.5) - 0.5;
}

static void linear_taps(struct taps *t, int64_t o, double at)
{
	at = at < 0 ? 0 : at;
	int64_t first = limited((int64_t)floor(at), t->in);
	double right = at - (double)first;
	right = right > 1 ? 1 : right;
	t->index[2 * o] = first;
	t->index[2 * o + 1] = limited(first + 1, t->in);
	right = half_rounded(t->dtype, right);
	t->weight[2 * o] = half_rounded(t->dtype, 1 - right);
	t->weight[2 * o + 1] = right;
}

static void cubic_taps(struct taps *t, int64_t o, double at)
{
	double floored = floor(at), x = at - floored;
	double weights[4] = { near_two(x + 1, -0.75), near_one(x, -0.75), near_one(1 - x, -0.75), near_two(2 - x, -0.75) };
	for (int i = 0; i < 4; i++) {
		t->index[4 * o + i] = limited((int64_t)floored - 1 + i, t->in);
		t->weight[4 * o + i] = half_rounded(t->dtype, weights[i]);
	}
}

static double filter(enum method m, double x)
{
	x = fabs(x);
	if (m == LINEAR)
		return x < 1 ? 1 - x : 0;
	return x < 1 ? near_one(x, -0.5) : x < 2 ? near_two(x, -0.5) : 0;
}

/* With antialiasing the filter is as wide as an output element (_compute_weights_aa). */
static void wide_taps(struct taps *t, int64_t o, enum method m, double scale)
{
	double support = (m == LINEAR ? 1 : 2) * (scale >= 1 ? scale : 1), center = scale * ((double)o + 0.5), inverse = scale >= 1 ? 1 / scale : 1, total = 0;
	int64_t from = (int64_t)(center - support + 0.5), to = (int64_t)(center + support + 0.5);
	from = from < 0 ? 0 : from;
	to = to > t->in ? t->in : to;
	for (int64_t i = from; i < to && i - from < t->most; i++) {
		double w = filter(m, ((double)i - center + 0.5) * inverse);
		t->index[o * t->most + i - from] = i;
		t->weight[o * t->most + i - from] = w;
		total += w;
	}
	for (int i = 0; i < t->most && total != 0; i++)
		t->weight[o * t->most + i] /= total;
}

struct resizing {
	enum method method;
	bool align, wide, narrow;
	enum dtype dtype;
};

static bool taps_init(struct kernel_call *k, struct taps *t, const struct resizing *r, int64_t in, int64_t out, double given)
{
	double scale = scale_of(in, out, r->align, given, r->narrow), reach = (r->method == LINEAR ? 1 : 2) * (scale >= 1 ? scale : 1);
	*t = (struct taps){ .dtype = r->dtype, .in = in, .out = out, .most = r->method < LINEAR ? 1 : r->method == LINEAR ? 2 : 4 };
	if (r->wide)
		t->most = (int)ceil(reach) * 2 + 1;
	t->index = scratch_alloc(k, out * t->most, sizeof *t->index);
	t->weight = t->index ? scratch_alloc(k, out * t->most, sizeof *t->weight) : NULL;
	for (int64_t o = 0; t->weight && o < out; o++) {
		if (r->wide)
			wide_taps(t, o, r->method, scale);
		else if (r->method < LINEAR)
			nearest_tap(t, o, scale_of(in, out, false, given, r->narrow), r->method == NEAREST_EXACT, r->narrow);
		else if (r->method == LINEAR)
			linear_taps(t, o, source_of(o, scale, r->align, r->narrow));
		else
			cubic_taps(t, o, source_of(o, scale, r->align, r->narrow));
	}
	return t->weight != NULL;
}

/* [outer, in, inner] -> [outer, out, inner] */
static void apply(const struct taps *t, int64_t outer, int64_t inner, const double *x, double *y)
{
	for (int64_t a = 0; a < outer; a++)
		for (int64_t o = 0; o < t->out; o++)
			for (int64_t b = 0; b < inner; b++) {
				double sum = 0;
				for (int i = 0; i < t->most; i++) {
					double w = t->weight[o * t->most + i];
					sum += w != 0 ? w * x[(a * t->in + t->index[o * t->most + i]) * inner + b] : 0;
				}
				y[(a * t->out + o) * inner + b] = sum;
			}
}

static bool resize(struct kernel_call *k, int spatial, struct resizing r)
{
	static const char *const scales[3][3] = { { "scales" }, { "scales_h", "scales_w" }, { "scales_d", "scales_h", "scales_w" } };
	struct tensor *self = arg_tensor(k, "self");
	int64_t size[MAX_DIMS];
	int n;
	const int64_t *out_size = arg_ints(k, "output_size", &n);
	if (!out_size)
		return false;
	if (self->ndim != spatial + 2 || n != spatial)
		return kernel_fail(k, "an input of %d dimensions and %d output sizes", self->ndim, n);
	r.align = arg_bool(k, "align_corners", false);
	r.narrow = self->dtype != DT_FLOAT64;
	r.dtype = r.method == LINEAR && spatial == 2 ? DT_FLOAT32 : self->dtype; /* of bilinear ones, float32 for halves */
	memcpy(size, self->size, (size_t)self->ndim * sizeof *size);
	int64_t left = self->size[0] * self->size[1];
	const double *x = doubles_of(k, self);
	for (int d = 0; x && d < spatial; d++) {
		struct taps t;
		if (out_size[d] < 1 || self->size[d + 2] < 1)
			return kernel_fail(k, "sizes must be positive, not %lld from %lld", (long long)out_size[d], (long long)self->size[d + 2]);
		int64_t inner = sizes_product(self->size, d + 3, self->ndim);
		double *y = taps_init(k, &t, &r, self->size[d + 2], out_size[d], arg_real(k, scales[spatial - 1][d], 0))
		    ? scratch_alloc(k, left * t.out * inner, sizeof *y) : NULL;
		if (!y)
			return false;
		apply(&t, left, inner, x, y);
		x = y;
		left *= t.out;
		size[d + 2] = t.out;
	}
	struct tensor *out = x ? out_format(k, self->dtype, self->ndim, size, tensor_format(self)) : NULL;
	double *y = out ? doubles_for(k, out) : NULL;
	if (y)
		memcpy(y, x, (size_t)tensor_numel(out) * sizeof *y);
	return y != NULL;
}

#define RESIZE(name, spatial, m) static bool name(struct kernel_call *k) { return resize(k, spatial, (struct resizing){ .method = m }); }
#define RESIZE_WIDE(name, spatial, m) static bool name(struct kernel_call *k) { return resize(k, spatial, (struct resizing){ .method = m, .wide = true }); }
RESIZE(k_nearest1, 1, NEAREST) RESIZE(k_nearest2, 2, NEAREST) RESIZE(k_nearest3, 3, NEAREST)
RESIZE(k_exact1, 1, NEAREST_EXACT) RESIZE(k_exact2, 2, NEAREST_EXACT) RESIZE(k_exact3, 3, NEAREST_EXACT)
RESIZE(k_linear1, 1, LINEAR) RESIZE(k_linear2, 2, LINEAR) RESIZE(k_linear3, 3, LINEAR) RESIZE(k_cubic2, 2, CUBIC)
RESIZE_WIDE(k_wide_linear2, 2, LINEAR) RESIZE_WIDE(k_wide_cubic2, 2, CUBIC)

const struct kernel_row resize_kernels[] = {
	{ .name = "upsample_nearest1d", .run = k_nearest1 }, { .name = "upsample_nearest2d", .run = k_nearest2 }, { .name = "upsample_nearest3d", .run = k_nearest3 },
	{ .name = "_upsample_nearest_exact1d", .run = k_exact1 }, { .name = "_upsample_nearest_exact2d", .run = k_exact2 },
	{ .name = "_upsample_nearest_exact3d", .run = k_exact3 },
	{ .name = "upsample_linear1d", .run = k_linear1 }, { .name = "upsample_bilinear2d", .run = k_linear2 }, { .name = "upsample_trilinear3d", .run = k_linear3 },
	{ .name = "upsample_bicubic2d", .run = k_cubic2 },
	{ .name = "_upsample_bilinear2d_aa", .run = k_wide_linear2 }, { .name = "_upsample_bicubic2d_aa", .run = k_wide_cubic2 },
	{ 0 }
};
