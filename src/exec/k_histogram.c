/*
 * Histograms over points of several dimensions, with the borders between bins as tensors
 * (aten/src/ATen/native/{Histogram,cpu/HistogramKernel}.cpp).  A bin holds its left border; the last one both.
 */
#include <math.h>

#include "exec/kernel.h"

/* The borders along one dimension of the points. */
struct axis {
	const double *edges;             /* bins + 1, rising */
	int64_t bins, step;              /* step: of the bins in the result, row by row */
};

struct histogram {
	struct kernel_call *k;
	enum dtype dtype;
	const double *x, *weight;        /* x: [points, n]; weight: [points], or NULL */
	int64_t points;
	int n;
	struct axis *axes;
	int64_t size[MAX_DIMS];          /* bins along each */
};

/* Points of n coordinates, the last dimension of self; of one for histogram(). */
static bool histogram_read(struct kernel_call *k, int64_t n, struct histogram *h)
{
	const struct tensor *self = arg_tensor(k, "self"), *weight = arg_tensor(k, "weight");
	int64_t all = tensor_numel(self);
	if (!dtype_is_float(self->dtype))
		return kernel_fail(k, "is not implemented for %s", dtype_name(self->dtype));
	if (n < 1 || n > MAX_DIMS || all % n)
		return kernel_fail(k, "points of %lld coordinates cannot be sorted into bins", (long long)n);
	*h = (struct histogram){ .k = k, .dtype = self->dtype, .points = all / n, .n = (int)n, .x = doubles_of(k, self) };
	h->axes = h->x ? scratch_alloc(k, n, sizeof *h->axes) : NULL;
	if (weight && tensor_numel(weight) != h->points)
		return kernel_fail(k, "there are %lld weights for %lld points", (long long)tensor_numel(weight), (long long)h->points);
	return h->axes && (!weight || (h->weight = doubles_of(k, weight)));
}

static bool axis_read(struct histogram *h, int d, const struct tensor *edges)
{
	int64_t n = edges->ndim == 1 ? edges->size[0] : 0;
	if (n < 2)
		return kernel_fail(h->k, "the borders of the bins must be a vector of two or more");
	h->size[d] = n - 1;
	h->axes[d] = (struct axis){ .bins = n - 1, .edges = doubles_of(h->k, edges) };
	return h->axes[d].edges != NULL;
}

/* ---- Borders at the same distance ---- */

/* What is given, or the least and the largest coordinate; one value gets half of one on both sides. */
static bool outer_edges(struct histogram *h, int d, double *low, double *high)
{
	int given;
	const double *range = arg_reals(h->k, "range", &given);
	if (!range)
		return false;
	if (given >= 0 && given != 2 * h->n)
		return kernel_fail(h->k, "range should have %d elements, got %d", 2 * h->n, given);
	*low = given > 0 ? range[2 * d] : h->points ? h->x[d] : 0;
	*high = given > 0 ? range[2 * d + 1] : h->points ? h->x[d] : 1;
	for (int64_t i = 0; given < 0 && i < h->points; i++) {
		double x = h->x[i * h->n + d];
		*low = x < *low || isnan(x) ? x : *low;
		*high = x > *high || isnan(x) ? x : *high;
	}
	if (!isfinite(*low) || !isfinite(*high) || *low > *high)
		return kernel_fail(h->k, "the range [%g, %g] is not finite, or falls", *low, *high);
	if (*low == *high) {
		*low -= 0.5;
		*high += 0.5;
	}
	return true;
}

/* An output of the borders, as linspace() makes them. */
static bool axis_even(struct histogram *h, int d, int64_t bins, struct tensor *out)
{
	double low = 0, high = 0, *v = out ? doubles_for(h->k, out) : NULL;
	if (!v || !outer_edges(h, d, &low, &high))
		return false;
	if (h->dtype != DT_FLOAT64) {
		low = (float)low;
		high = (float)high;
	}
	double step = (high - low) / (double)bins;
	if (h->dtype != DT_FLOAT64)
		step = (float)step;
	for (int64_t i = 0; i <= bins; i++) {
		v[i] = i < (bins + 1) / 2 ? low + step * (double)i : high - step * (double)(bins - i);
		if (h->dtype != DT_FLOAT64)
			v[i] = (float)v[i];
	}
	h->size[d] = bins;
	h->axes[d] = (struct axis){ .bins = bins, .edges = v };
	return true;
}

static bool bins_hold(struct kernel_call *k, int64_t bins)
{
	return (bins > 0 && bins < INT64_MAX / 16) || kernel_fail(k, "bins must be positive, got %lld", (long long)bins);
}

/* ---- Counting ---- */

/* -1: outside, or not a number */
static int64_t bin_of(const struct axis *a, double x)
{
	int64_t low = 0, high = a->bins;         /* edges[low] <= x < edges[high], but at the end */
	if (!(x >= a->edges[0] && x <= a->edges[a->bins]))
		return -1;
	while (high - low > 1) {
		int64_t middle = low + (high - low) / 2;
		if (x < a->edges[middle])
			high = middle;
		else
			low = middle;
	}
	return low;
}

/* Shares of the whole, for each unit of a bin's volume. */
static void make_density(const struct histogram *h, double *count, int64_t total)
{
	double sum = 0;
	for (int64_t i = 0; i < total; i++)
		sum += count[i];
	for (int64_t i = 0; i < total; i++) {
		count[i] /= sum;
		for (int d = 0; d < h->n; d++) {
			const double *edge = h->axes[d].edges + i / h->axes[d].step % h->axes[d].bins;
			count[i] /= edge[1] - edge[0];
		}
	}
}

static bool fill(struct histogram *h, struct tensor *out)
{
	double *count = out ? doubles_for(h->k, out) : NULL;
	int64_t step = 1;
	for (int d = h->n - 1; d >= 0; d--) {
		h->axes[d].step = step;
		step *= h->axes[d].bins;
	}
	for (int64_t i = 0; count && i < h->points; i++) {
		int64_t at = 0, bin = 0;
		for (int d = 0; d < h->n && bin >= 0; d++) {
			bin = bin_of(&h->axes[d], h->x[i * h->n + d]);
			at += bin * h->axes[d].step;
		}
		if (bin >= 0)
			count[at] += h->weight ? h->weight[i] : 1;
	}
	if (count && arg_bool(h->k, "density", false))
		make_density(h, count, step);
	return count != NULL;
}

/* ---- Kernels ---- */

static bool k_histogram_even(struct kernel_call *k)
{
	struct histogram h;
	int64_t bins = arg_int(k, "bins", 100), n = bins + 1;
	if (!bins_hold(k, bins) || !histogram_read(k, 1, &h))
		return false;
	struct tensor *out = out_new(k, h.dtype, 1, &bins);
	return out && axis_even(&h, 0, bins, out_new(k, h.dtype, 1, &n)) && fill(&h, out);
}

static bool k_histogram_edges(struct kernel_call *k)
{
	struct histogram h;
	struct tensor *bins = arg_tensor(k, "bins"), *edges;
	if (!histogram_read(k, 1, &h) || !axis_read(&h, 0, bins))
		return false;
	struct tensor *out = out_new(k, h.dtype, 1, h.size);
	if (!out || !fill(&h, out) || !(edges = out_new(k, h.dtype, 1, bins->size)))
		return false;
	tensor_copy(edges, bins);
	return true;
}

static int64_t coordinates_of(struct kernel_call *k)
{
	const struct tensor *self = arg_tensor(k, "self");
	return self->ndim >= 2 ? self->size[self->ndim - 1] : 0;
}

/* The bins along each dimension, borders at the same distance: outputs, or for the kernel's own use. */
static bool axes_even(struct histogram *h, bool are_outputs)
{
	int n;
	const int64_t *bins = arg_ints(h->k, "bins", &n);
	if (!bins)
		return false;
	if (n != h->n)
		return kernel_fail(h->k, "there are bins for %d dimensions of points of %d", n, h->n);
	for (int d = 0; d < n; d++) {
		int64_t size = bins[d] + 1;
		if (!bins_hold(h->k, bins[d]) ||
		    !axis_even(h, d, bins[d], are_outputs ? out_new(h->k, h->dtype, 1, &size) : temporary(h->k, h->dtype, 1, &size)))
			return false;
	}
	return true;
}

static bool k_histogramdd_bin_edges(struct kernel_call *k)
{
	struct histogram h;
	return histogram_read(k, coordinates_of(k), &h) && axes_even(&h, true);
}

static bool k_histogramdd_even(struct kernel_call *k)
{
	struct histogram h;
	return histogram_read(k, coordinates_of(k), &h) && axes_even(&h, false) && fill(&h, out_new(k, h.dtype, h.n, h.size));
}

static bool k_histogramdd_edges(struct kernel_call *k)
{
	struct histogram h;
	int n;
	struct tensor **bins = arg_tensors(k, "bins", &n);
	if (!histogram_read(k, coordinates_of(k), &h))
		return false;
	if (n != h.n)
		return kernel_fail(k, "there are bins for %d dimensions of points of %d", n, h.n);
	for (int d = 0; d < n; d++)
		if (!bins[d] || !axis_read(&h, d, bins[d]))
			return false;
	return fill(&h, out_new(k, h.dtype, n, h.size));
}

const struct kernel_row histogram_kernels[] = {
	{ .name = "histogram.bin_ct", .run = k_histogram_even },
	{ .name = "histogram.bins_tensor", .run = k_histogram_edges },
	{ .name = "_histogramdd_bin_edges", .run = k_histogramdd_bin_edges },
	{ .name = "_histogramdd_from_bin_cts", .run = k_histogramdd_even },
	{ .name = "_histogramdd_from_bin_tensors", .run = k_histogramdd_edges },
	{ 0 }
};
