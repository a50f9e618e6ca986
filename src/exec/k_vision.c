/*
 * Sampling at the points of a grid and shuffling of pixels and channels
 * (aten/src/ATen/native/{GridSampler.h,GridSampler.cpp,AffineGridGenerator.cpp,PixelShuffle.cpp,ChanelShuffle.cpp}).
 */
#include <math.h>
#include <string.h>

#include "exec/layout.h"

/* ---- Grid sampling ---- */

enum { BILINEAR, NEAREST_POINT, BICUBIC };
enum { PAD_ZEROS, PAD_BORDER, PAD_REFLECTION };

struct sampler {
	int spatial, interpolation, padding;
	bool align, narrow;      /* narrow: places are computed in float32 */
	enum dtype dtype;        /* of halves every step rounds: Vectorized<Half> computes one operation at a time */
	int64_t size[3];         /* of the image, x first */
};

static double step(const struct sampler *s, double v) { return half_rounded(s->dtype, v); }

/* Back and forth between the two ends, which are given doubled. */
static double reflected(double x, int64_t low2, int64_t high2)
{
	if (low2 == high2)
		return 0;
	double low = (double)low2 / 2, span = (double)(high2 - low2) / 2, extra;
	x = fabs(x - low);
	extra = fmod(x, span);
	return fmod(floor(x / span), 2) == 0 ? extra + low : span - extra + low;
}

/* The same in the steps of reflect_coordinates() (cpu/GridSamplerKernel.cpp). */
static double reflected_half(const struct sampler *s, double x, int64_t size)
{
	double low = s->align ? 0 : -0.5, twice = step(s, 2 * (double)(s->align ? size - 1 : size));
	if (twice == 0)
		return 0;
	double from_low = fabs(step(s, x - low)), flips = trunc(step(s, from_low / twice)), extra = step(s, from_low - step(s, flips * twice));
	return step(s, fmin(extra, step(s, twice - extra)) + low);
}

static double placed(const struct sampler *s, double x, int64_t size)
{
	if (s->padding == PAD_REFLECTION && dtype_is_half(s->dtype))
		x = reflected_half(s, x, size);
	else if (s->padding == PAD_REFLECTION)
		x = s->align ? reflected(x, 0, 2 * (size - 1)) : reflected(x, -1, 2 * size - 1);
	if (s->padding != PAD_ZEROS)
		x = x < 0 ? 0 : x > (double)(size - 1) ? (double)(size - 1) : x;
	return isfinite(x) && fabs(x) < 1e9 ? x : -100;
}

/* Two dimensions are computed by ComputeLocation of cpu/GridSamplerKernel.cpp, three by grid_sampler_unnormalize(). */
static double unnormalised(const struct sampler *s, double x, int64_t size)
{
	float f = (float)x + 1;
	double n = (double)(s->align ? size - 1 : size), one = step(s, x + 1);
	if (dtype_is_half(s->dtype) && s->spatial == 2)
		return step(s, step(s, one * step(s, n / 2)) - (s->align ? 0 : 0.5));
	if (dtype_is_half(s->dtype))
		return s->align ? step(s, step(s, one / 2) * n) : step(s, step(s, step(s, one * n) - 1) / 2);
	if (s->narrow && s->spatial == 2)
		return s->align ? f * ((float)(size - 1) / 2) : f * ((float)size / 2) - 0.5f;
	if (s->narrow)
		return s->align ? f / 2 * (float)(size - 1) : (f * (float)size - 1) / 2;
	return s->align ? (x + 1) / 2 * (double)(size - 1) : ((x + 1) * (double)size - 1) / 2;
}

static double pixel(const struct sampler *s, const double *image, const int64_t *at)
{
	int64_t index = 0;
	for (int d = s->spatial - 1; d >= 0; d--) {
		if (at[d] < 0 || at[d] >= s->size[d])
			return 0;
		index = index * s->size[d] + at[d];
	}
	return image[index];
}

static double sample_linear(const struct sampler *s, const double *image, const double *point)
{
	double sum = 0;
	for (int corner = 0; corner < 1 << s->spatial; corner++) {
		int64_t at[3] = { 0 };
		double weight = 1;
		for (int d = 0; d < s->spatial; d++) {
			double low = floor(point[d]), right = step(s, point[d] - low);
			bool upper = corner >> d & 1;
			at[d] = (int64_t)low + upper;
			weight = step(s, weight * (upper ? right : step(s, 1 - right)));
		}
		sum = step(s, sum + step(s, weight * pixel(s, image, at)));
	}
	return sum;
}

static void cubic_weights(const struct sampler *s, double x, double *w)
{
	const double a = -0.75;
	for (int i = 0; i < 4; i++) {
		double d = step(s, fabs(x + 1 - i));
		if (i == 1 || i == 2)
			w[i] = step(s, step(s, step(s, step(s, step(s, (a + 2) * d) - (a + 3)) * d) * d) + 1);
		else
			w[i] = step(s, step(s, step(s, step(s, step(s, step(s, a * d) - 5 * a) * d) + 8 * a) * d) - 4 * a);
	}
}

/* Padding counts for each of the 16 pixels. */
static double sample_cubic(const struct sampler *s, const double *image, const double *point)
{
	double wx[4], wy[4], sum = 0, x0 = floor(point[0]), y0 = floor(point[1]);
	cubic_weights(s, step(s, point[0] - x0), wx);
	cubic_weights(s, step(s, point[1] - y0), wy);
	for (int i = 0; i < 4; i++) {
		double row = 0;
		for (int j = 0; j < 4; j++) {
			int64_t at[3] = { (int64_t)placed(s, x0 - 1 + j, s->size[0]), (int64_t)placed(s, y0 - 1 + i, s->size[1]) };
			row = step(s, row + step(s, wx[j] * pixel(s, image, at)));
		}
		sum = step(s, sum + step(s, wy[i] * row));
	}
	return sum;
}

static double sample(const struct sampler *s, const double *image, const double *grid)
{
	double point[3];
	int64_t at[3] = { 0 };
	for (int d = 0; d < s->spatial; d++) {
		point[d] = unnormalised(s, grid[d], s->size[d]);
		if (s->interpolation != BICUBIC)
			point[d] = placed(s, point[d], s->size[d]);
		else if (!isfinite(point[d]) || fabs(point[d]) > 1e9)
			point[d] = -100;
		at[d] = (int64_t)nearbyint(point[d]);
	}
	if (s->interpolation == NEAREST_POINT)
		return pixel(s, image, at);
	return s->interpolation == BICUBIC ? sample_cubic(s, image, point) : sample_linear(s, image, point);
}

static bool grid_sample(struct kernel_call *k, int spatial)
{
	struct tensor *input = arg_tensor(k, "input"), *grid = arg_tensor(k, "grid");
	struct sampler s = { .spatial = spatial, .interpolation = (int)arg_int(k, "interpolation_mode", 0), .padding = (int)arg_int(k, "padding_mode", 0),
		.align = arg_bool(k, "align_corners", false), .narrow = input->dtype != DT_FLOAT64, .dtype = input->dtype };
	int64_t size[5];
	if (input->ndim != spatial + 2 || grid->ndim != spatial + 2 || grid->size[spatial + 1] != spatial || grid->size[0] != input->size[0])
		return kernel_fail(k, "the grid does not fit an image of %d dimensions", spatial);
	size[0] = input->size[0];
	size[1] = input->size[1];
	for (int d = 0; d < spatial; d++) {
		size[2 + d] = grid->size[1 + d];
		s.size[d] = input->size[input->ndim - 1 - d];
	}
	struct tensor *out = out_new(k, input->dtype, spatial + 2, size);
	const double *x = out ? doubles_of(k, input) : NULL, *points = x ? doubles_of(k, grid) : NULL;
	double *y = points ? doubles_for(k, out) : NULL;
	int64_t area = sizes_product(input->size, 2, input->ndim), places = sizes_product(size, 2, spatial + 2);
	for (int64_t plane = 0; y && plane < size[0] * size[1]; plane++)
		for (int64_t i = 0; i < places; i++)
			y[plane * places + i] = sample(&s, x + plane * area, points + (plane / size[1] * places + i) * spatial);
	return y != NULL;
}

static bool k_grid2(struct kernel_call *k) { return grid_sample(k, 2); }
static bool k_grid3(struct kernel_call *k) { return grid_sample(k, 3); }

/* linspace_from_neg_one() */
static double grid_line(int64_t i, int64_t n, bool align)
{
	if (n <= 1)
		return 0;
	double x = -1 + 2 * (double)i / (double)(n - 1);
	return align ? x : x * (double)(n - 1) / (double)n;
}

/* Each point (x, y, 1) or (x, y, z, 1) of a regular grid times theta. */
static bool k_affine_grid(struct kernel_call *k)
{
	struct tensor *theta = arg_tensor(k, "theta");
	bool align = arg_bool(k, "align_corners", false);
	int n;
	const int64_t *size = arg_ints(k, "size", &n);
	if (!size)
		return false;
	int spatial = n - 2;
	if ((n != 4 && n != 5) || theta->ndim != 3 || theta->size[1] != spatial || theta->size[2] != spatial + 1 || theta->size[0] != size[0])
		return kernel_fail(k, "theta does not fit a size of %d dimensions", n);
	int64_t out_size[5] = { size[0] };
	for (int d = 0; d < spatial; d++)
		out_size[1 + d] = size[2 + d];
	out_size[1 + spatial] = spatial;
	struct tensor *out = out_new(k, theta->dtype, spatial + 2, out_size);
	const double *t = out ? doubles_of(k, theta) : NULL;
	double *y = t ? doubles_for(k, out) : NULL;
	int64_t places = sizes_product(out_size, 1, 1 + spatial);
	for (int64_t i = 0; y && i < size[0] * places; i++) {
		double point[4] = { [0] = 1, 1, 1, 1 };
		int64_t rest = i % places;
		for (int d = 0; d < spatial; d++) {      /* x is the last dimension */
			int64_t extent = size[n - 1 - d];
			point[d] = grid_line(rest % extent, extent, align);
			rest /= extent;
		}
		point[spatial] = 1;
		for (int row = 0; row < spatial; row++) {
			double sum = 0;
			for (int c = 0; c <= spatial; c++)
				sum += t[(i / places * spatial + row) * (spatial + 1) + c] * point[c];
			y[i * spatial + row] = sum;
		}
	}
	return y != NULL;
}

/* ---- Shuffling: elements of any dtype in another order ---- */

/* Copies in as [size] permuted by order into out, both contiguous. */
static bool permuted(struct kernel_call *k, const struct tensor *in, const struct tensor *out, int ndim, const int64_t *size, const int *order)
{
	struct tensor *flat = temporary(k, in->dtype, in->ndim, in->size);
	int64_t stride[MAX_DIMS], moved_size[MAX_DIMS], moved_stride[MAX_DIMS], out_stride[MAX_DIMS];
	if (!flat)
		return false;
	tensor_copy(flat, in);
	contiguous_strides(ndim, size, stride);
	for (int i = 0; i < ndim; i++) {
		moved_size[i] = size[order[i]];
		moved_stride[i] = stride[order[i]];
	}
	contiguous_strides(ndim, moved_size, out_stride);
	struct tensor from = { .dtype = in->dtype, .ndim = ndim, .size = moved_size, .stride = moved_stride, .storage = flat->storage };
	struct tensor *whole = temporary(k, in->dtype, out->ndim, out->size);
	if (!whole)
		return false;
	struct tensor to = { .dtype = in->dtype, .ndim = ndim, .size = moved_size, .stride = out_stride, .storage = whole->storage };
	tensor_copy(&to, &from);
	tensor_copy(out, whole);
	return true;
}

static bool pixel_shuffle(struct kernel_call *k, bool back)
{
	struct tensor *self = arg_tensor(k, "self");
	int64_t r = arg_int(k, back ? "downscale_factor" : "upscale_factor", 1), size[MAX_DIMS];
	int n = self->ndim;
	if (n < 3 || r < 1)
		return kernel_fail(k, "an input of %d dimensions, a factor of %lld", n, (long long)r);
	int64_t c = self->size[n - 3], h = self->size[n - 2], w = self->size[n - 1], lead = sizes_product(self->size, 0, n - 3);
	if (back ? h % r || w % r : c % (r * r))
		return kernel_fail(k, "%lld channels of %lldx%lld do not divide by %lld", (long long)c, (long long)h, (long long)w, (long long)r);
	memcpy(size, self->size, (size_t)n * sizeof *size);
	size[n - 3] = back ? c * r * r : c / (r * r);
	size[n - 2] = back ? h / r : h * r;
	size[n - 1] = back ? w / r : w * r;
	struct tensor *out = out_format(k, self->dtype, n, size, tensor_format(self));
	if (!out)
		return false;
	if (back) {
		int64_t split[] = { lead, c, h / r, r, w / r, r };
		return permuted(k, self, out, 6, split, (int[]){ 0, 1, 3, 5, 2, 4 });
	}
	int64_t split[] = { lead, c / (r * r), r, r, h, w };
	return permuted(k, self, out, 6, split, (int[]){ 0, 1, 4, 2, 5, 3 });
}

static bool k_pixel_shuffle(struct kernel_call *k) { return pixel_shuffle(k, false); }
static bool k_pixel_unshuffle(struct kernel_call *k) { return pixel_shuffle(k, true); }

static bool k_channel_shuffle(struct kernel_call *k)
{
	struct tensor *self = arg_tensor(k, "self");
	int64_t g = arg_int(k, "groups", 1);
	if (self->ndim < 3 || g < 1 || self->size[1] % g)
		return kernel_fail(k, "%lld channels do not divide into %lld groups", self->ndim > 1 ? (long long)self->size[1] : 0, (long long)g);
	int64_t split[] = { self->size[0], g, self->size[1] / g, sizes_product(self->size, 2, self->ndim) };
	struct tensor *out = out_format(k, self->dtype, self->ndim, self->size, tensor_format(self));
	return out && permuted(k, self, out, 4, split, (int[]){ 0, 2, 1, 3 });
}

const struct kernel_row vision_kernels[] = {
	{ .name = "grid_sampler_2d", .run = k_grid2 }, { .name = "grid_sampler_3d", .run = k_grid3 },
	{ .name = "affine_grid_generator", .run = k_affine_grid },
	{ .name = "pixel_shuffle", .run = k_pixel_shuffle }, { .name = "pixel_unshuffle", .run = k_pixel_unshuffle },
	{ .name = "channel_shuffle", .run = k_channel_shuffle }, { .name = "native_channel_shuffle", .run = k_channel_shuffle },
	{ 0 }
};
