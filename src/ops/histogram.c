/* Histograms (aten/src/ATen/native/{SummaryOps,Histogram}.cpp). */
#include "ops/op.h"
#include "ops/shapes.h"

static bool shape_histc(struct op_call *c)
{
	int64_t bins = op_int(c, "bins", 100);
	if (bins <= 0)
		return op_fail(c, "bins must be positive, got %lld", (long long)bins);
	return op_out(c, op_tensor(c, "self")->dtype, 1, &bins) != NULL;
}

static bool out_vector(struct op_call *c, int64_t n)
{
	enum dtype d = op_tensor(c, "self")->dtype;
	if (!dtype_is_float(d))
		return op_fail(c, "is not defined for %s", dtype_name(d));
	return n > 0 ? op_out(c, d, 1, &n) != NULL : op_fail(c, "bins must be > 0, but got %lld", (long long)n - 1);
}

static bool shape_histogram_even(struct op_call *c)
{
	int64_t bins = op_int(c, "bins", 100);
	return out_vector(c, bins) && bins < INT64_MAX && out_vector(c, bins + 1);
}

static bool shape_histogram_edges(struct op_call *c)
{
	const struct value *bins = op_tensor(c, "bins");
	if (bins->ndim != 1 || bins->size[0] < 2)
		return op_fail(c, "the borders of the bins must be a vector of two or more, got %V", bins);
	return out_vector(c, bins->size[0] - 1) && out_vector(c, bins->size[0]);
}

/* As many bins as the points have coordinates. */
static bool are_coordinates(struct op_call *c, int n)
{
	const struct value *self = op_tensor(c, "self");
	if (self->ndim < 2 || self->size[self->ndim - 1] != n || n > MAX_DIMS)
		return op_fail(c, "there are bins for %d dimensions of points %V", n, self);
	return true;
}

static bool shape_histogramdd_bin_edges(struct op_call *c)
{
	int n;
	const int64_t *bins = op_ints(c, "bins", &n);
	bool ok = are_coordinates(c, n);
	for (int i = 0; ok && i < n; i++)
		ok = bins[i] < INT64_MAX && out_vector(c, bins[i] + 1);
	return ok && op_return_list(c);
}

static bool shape_histogramdd_even(struct op_call *c)
{
	int n;
	const int64_t *bins = op_ints(c, "bins", &n);
	return are_coordinates(c, n) && op_out(c, op_tensor(c, "self")->dtype, n, bins);
}

static bool shape_histogramdd_edges(struct op_call *c)
{
	int n;
	struct value **bins = op_tensors(c, "bins", &n);
	int64_t size[MAX_DIMS];
	if (!are_coordinates(c, n))
		return false;
	for (int i = 0; i < n; i++) {
		if (!bins[i] || bins[i]->ndim != 1 || bins[i]->size[0] < 2)
			return op_fail(c, "the borders of the bins must be vectors of two or more");
		size[i] = bins[i]->size[0] - 1;
	}
	return op_out(c, op_tensor(c, "self")->dtype, n, size) != NULL;
}

#define HISTOGRAMDD(bins) \
	"edges = aten._histogramdd_bin_edges(self, " bins ", range=range, weight=weight, density=density)\n" \
	"return aten._histogramdd_from_bin_cts(self, " bins ", range=range, weight=weight, density=density), edges"

const struct op_rule histogram_rules[] = {
	{ .name = "histc", .shape = shape_histc },
	{ .name = "histogram.bin_ct", .shape = shape_histogram_even },
	{ .name = "histogram.bins_tensor", .shape = shape_histogram_edges },
	{ .name = "_histogramdd_bin_edges", .shape = shape_histogramdd_bin_edges },
	{ .name = "_histogramdd_from_bin_cts", .shape = shape_histogramdd_even },
	{ .name = "_histogramdd_from_bin_tensors", .shape = shape_histogramdd_edges },
	{ .name = "histogramdd", .parts = HISTOGRAMDD("bins") },
	{ .name = "histogramdd.int_bins", .parts = HISTOGRAMDD("[bins] * self.size(-1)") },
	{ .name = "histogramdd.TensorList_bins", .parts = "return aten._histogramdd_from_bin_tensors(self, bins, weight=weight, density=density), bins" },
	{ 0 },
};
