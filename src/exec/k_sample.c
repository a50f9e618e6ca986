/*
 * Operators that draw a value for each value of a tensor of parameters
 * (aten/src/ATen/native/Distributions.{cpp,h}, DistributionTemplates.h,
 * cpu/MultinomialKernel.cpp).
 */
#include <math.h>
#include <stdlib.h>

#include "exec/draw.h"
#include "exec/layout.h"

/* ---- Bernoulli ---- */

/* Probabilities below float64 are compared with 24 bits. */
static bool draw_bernoulli(struct kernel_call *k, struct tensor *p, struct tensor *out)
{
	struct generator *g = draw_generator(k);
	const double *from = g ? doubles_of(k, p) : NULL;
	int64_t *v = from ? ints_for(k, out) : NULL;
	for (int64_t i = 0, n = tensor_numel(out); v && i < n; i++) {
		if (!(from[i] >= 0 && from[i] <= 1))
			return kernel_fail(k, "a probability lies between 0 and 1, not at %g", from[i]);
		v[i] = (p->dtype == DT_FLOAT64 ? generator_double(g) : (double)generator_float(g)) < from[i];
	}
	return v != NULL;
}

static bool k_bernoulli(struct kernel_call *k)
{
	struct tensor *self = arg_tensor(k, "self"), *p = arg_tensor(k, "p");
	struct tensor *out = k->op->inplace ? self : out_new(k, self->dtype, self->ndim, self->size);
	struct window spread;
	int order[MAX_DIMS];
	if (!out)
		return false;
	draw_order(out, order);
	window_of(&spread, p ? p : self);
	window_expand(&spread, out->ndim, out->size);
	struct tensor *to = draw_turned(k, out, order), *from = to ? draw_turned(k, &spread.t, order) : NULL;
	return from && draw_bernoulli(k, from, to) && (!k->op->inplace || out_same(k, self));
}

/* ---- Poisson ---- */

/* Hoermann 1993: transformed rejection, "PTRS". */
static double poisson_wide(struct generator *g, double rate)
{
	double b = 0.931 + 2.53 * sqrt(rate), a = -0.059 + 0.02483 * b;
	double alpha = 1.1239 + 1.1328 / (b - 3.4), tight = 0.9277 - 3.6224 / (b - 2);
	for (;;) {
		double u = generator_double(g) - 0.5, v = generator_double(g), s = 0.5 - fabs(u);
		double n = floor((2 * a / s + b) * u + rate + 0.43);
		if (s >= 0.07 && v <= tight)
			return n;
		if (n < 0 || (s < 0.013 && v > s))
			continue;
		if (log(v) + log(alpha) - log(a / (s * s) + b) <= -rate + n * log(rate) - lgamma(n + 1))
			return n;
	}
}

/* Knuth: uniform values are multiplied until their product falls below exp(-rate). */
static double poisson(struct generator *g, double rate)
{
	if (rate >= 10)
		return poisson_wide(g, rate);
	double end = exp(-rate), product = 1;
	for (double n = 0; rate > 0; n++)
		if ((product *= generator_double(g)) <= end)
			return n;
	return 0;
}

static bool k_poisson(struct kernel_call *k)
{
	struct tensor *self = arg_tensor(k, "self"), *out = out_new(k, self->dtype, self->ndim, self->size);
	struct generator *g = out ? draw_generator(k) : NULL;
	const double *rate = g ? doubles_of(k, self) : NULL;
	double *v = rate ? doubles_for(k, out) : NULL;
	for (int64_t i = 0, n = tensor_numel(self); v && i < n; i++) {
		if (!(rate[i] >= 0))
			return kernel_fail(k, "invalid Poisson rate, expected rate to be non-negative, not %g", rate[i]);
		v[i] = poisson(g, rate[i]);
	}
	return v != NULL;
}

/* ---- Binomial ---- */

/* ln(k!) - Stirling's formula at k */
static double stirling_tail(double k)
{
	double square = (k + 1) * (k + 1);
	if (k < 10)
		return lgamma(k + 1) - ((k + 0.5) * log(k + 1) - (k + 1) + 0.91893853320467274);
	return (1. / 12 - (1. / 360 - 1. / 1260 / square) / square) / (k + 1);
}

/* Hoermann 1993: "BTRS", without the logarithm that the paper has once more; p <= 0.5, count * p >= 10. */
static double binomial_wide(struct generator *g, double count, double p)
{
	double deviation = sqrt(count * p * (1 - p)), b = 1.15 + 2.53 * deviation, a = -0.0873 + 0.0248 * b + 0.01 * p;
	double centre = count * p + 0.5, tight = 0.92 - 4.2 / b, odds = p / (1 - p), alpha = (2.83 + 5.1 / b) * deviation, m = floor((count + 1) * p);
	for (;;) {
		double u = generator_double(g) - 0.5, v = generator_double(g), s = 0.5 - fabs(u);
		double n = floor((2 * a / s + b) * u + centre);
		if (n < 0 || n > count)
			continue;
		if (s >= 0.07 && v <= tight)
			return n;
		double most = (m + 0.5) * log((m + 1) / (odds * (count - m + 1))) + (count + 1) * log((count - m + 1) / (count - n + 1))
		            + (n + 0.5) * log(odds * (count - n + 1) / (n + 1))
		            + stirling_tail(m) + stirling_tail(count - m) - stirling_tail(n) - stirling_tail(count - n);
		if (log(v * alpha / (a / (s * s) + b)) <= most)
			return n;
	}
}

/* Waiting times of successes are summed until they exceed count. */
static double binomial_narrow(struct generator *g, double count, double p)
{
	double sum = 0, n = 0;
	while ((sum += ceil(log(generator_double(g)) / log1p(-p))) <= count)
		n++;
	return n;
}

static double binomial(struct generator *g, double count, double p)
{
	if (count <= 0 || p <= 0)
		return 0;
	if (p >= 1)
		return count;
	if (isnan(p) || isnan(count))
		return NAN;
	double rare = p <= 0.5 ? p : 1 - p, n = count * rare >= 10 ? binomial_wide(g, count, rare) : binomial_narrow(g, count, rare);
	return p <= 0.5 ? n : count - n;
}

static bool k_binomial(struct kernel_call *k)
{
	struct tensor *count = arg_tensor(k, "count"), *prob = arg_tensor(k, "prob");
	struct window spread;
	struct tensor *out = out_new(k, count->dtype, count->ndim, count->size);
	struct generator *g = out ? draw_generator(k) : NULL;
	if (!g)
		return false;
	window_of(&spread, prob);
	window_expand(&spread, count->ndim, count->size);
	const double *n = doubles_of(k, count), *p = n ? doubles_of(k, &spread.t) : NULL;
	double *v = p ? doubles_for(k, out) : NULL;
	for (int64_t i = 0; v && i < tensor_numel(count); i++)
		v[i] = binomial(g, n[i], p[i]);
	return v != NULL;
}

/* ---- Multinomial ---- */

struct category {
	double weight;
	int64_t index;
};

/* The greatest first; NaN counts as greatest. */
static int compare_categories(const void *a, const void *b)
{
	const struct category *x = a, *y = b;
	bool nan_x = isnan(x->weight), nan_y = isnan(y->weight);
	if (nan_x != nan_y)
		return nan_x ? -1 : 1;
	if (x->weight != y->weight)
		return x->weight > y->weight ? -1 : 1;
	return x->index < y->index ? -1 : x->index > y->index;
}

/* All at once: p / q with q of exponential_(1), drawn as p lies, and the greatest of them. */
static bool without_replacement(struct kernel_call *k, struct generator *g, enum dtype d, bool by_column, const double *p, int64_t rows, int64_t n,
                                int64_t samples, int64_t *out)
{
	struct category *c = scratch_alloc(k, n, sizeof *c);
	double *q = c ? scratch_alloc(k, rows * n, sizeof *q) : NULL;
	for (int64_t i = 0; q && i < rows * n; i++)
		q[by_column ? i % rows * n + i / rows : i] = draw_rounded(d, -log1p(-generator_double(g)));
	for (int64_t row = 0; q && row < rows; row++) {
		for (int64_t i = 0; i < n; i++)
			c[i] = (struct category){ .weight = draw_rounded(d, p[row * n + i] / q[row * n + i]), .index = i };
		qsort(c, (size_t)n, sizeof *c, compare_categories);
		for (int64_t i = 0; i < samples; i++)
			out[row * samples + i] = c[i].index;
	}
	return q != NULL;
}

/* The sums of probabilities, in float32 unless they are float64, are searched for a uniform value. */
static bool with_replacement(struct kernel_call *k, struct generator *g, enum dtype d, const double *p, int64_t rows, int64_t n, int64_t samples, int64_t *out)
{
	enum dtype sums = d == DT_FLOAT64 ? d : DT_FLOAT32;
	double *upto = scratch_alloc(k, n, sizeof *upto);
	for (int64_t row = 0; upto && row < rows; row++) {
		double sum = 0;
		for (int64_t i = 0; i < n; i++)
			upto[i] = sum = draw_rounded(sums, sum + p[row * n + i]);
		for (int64_t i = 0; i < n; i++)
			upto[i] = i == n - 1 ? 1 : draw_rounded(sums, upto[i] / sum);
		for (int64_t i = 0; i < samples; i++) {
			double u = generator_double(g);
			int64_t low = 0, high = n;
			while (low < high) {
				int64_t middle = low + (high - low) / 2;
				if (upto[middle] < u)
					low = middle + 1;
				else
					high = middle;
			}
			out[row * samples + i] = low;
		}
	}
	return upto != NULL;
}

static bool is_distribution(struct kernel_call *k, const double *p, int64_t rows, int64_t n)
{
	for (int64_t row = 0; row < rows; row++) {
		double sum = 0;
		for (int64_t i = 0; i < n; i++, sum += *p++)
			if (!(*p >= 0) || isinf(*p))
				return kernel_fail(k, "invalid multinomial distribution: a probability is %g", *p);
		if (!(sum > 0))
			return kernel_fail(k, "invalid multinomial distribution (sum of probabilities <= 0)");
	}
	return true;
}

static bool k_multinomial(struct kernel_call *k)
{
	struct tensor *self = arg_tensor(k, "self");
	int64_t samples = arg_int(k, "num_samples", 1), size[2];
	bool again = arg_bool(k, "replacement", false);
	if (self->ndim < 1 || self->ndim > 2 || !dtype_is_float(self->dtype))
		return kernel_fail(k, "probabilities are floating-point numbers in one or two dimensions, not %s in %d", dtype_name(self->dtype), self->ndim);
	int64_t n = self->size[self->ndim - 1], rows = self->ndim == 2 ? self->size[0] : 1;
	if (samples <= 0 || (!again && samples > n))
		return kernel_fail(k, "cannot sample %lld of %lld categories", (long long)samples, (long long)n);
	size[0] = rows;
	size[self->ndim - 1] = samples;
	struct tensor *out = out_new(k, DT_INT64, self->ndim, size);
	struct generator *g = out ? draw_generator(k) : NULL;
	const double *p = g ? doubles_of(k, self) : NULL;
	int64_t *v = p ? ints_for(k, out) : NULL;
	if (!v || !is_distribution(k, p, rows, n))
		return false;
	if (again)
		return with_replacement(k, g, self->dtype, p, rows, n, samples, v);
	int order[MAX_DIMS];
	draw_order(self, order);
	return without_replacement(k, g, self->dtype, order[0] == 1, p, rows, n, samples, v);
}

/* ---- Normal, of tensors ---- */

/* normal_() of a new tensor, times std, plus mean; each step rounds, and so does a mean that is a number. */
static bool k_normal_of(struct kernel_call *k)
{
	struct tensor *in[2], *mean = arg_tensor(k, "mean"), *std = arg_tensor(k, "std"), *first = mean ? mean : std;
	struct window spread[2];
	int64_t size[MAX_DIMS];
	int ndim;
	if (!(in[0] = arg_operand(k, "mean")) || !(in[1] = arg_operand(k, "std")) || !broadcast_shapes(k, in, 2, &ndim, size))
		return false;
	struct tensor *out = out_new(k, first->dtype, ndim, size);
	struct generator *g = out ? draw_generator(k) : NULL;
	int64_t n = g ? tensor_numel(out) : 0;
	float *work = g ? scratch_alloc(k, n, sizeof *work) : NULL;
	double *v = work ? doubles_for(k, out) : NULL;
	const double *by[2] = { NULL, NULL };
	for (int i = 0; v && i < 2; i++) {
		window_of(&spread[i], in[i]);
		window_expand(&spread[i], ndim, size);
		if (!(by[i] = doubles_of(k, &spread[i].t)))
			return false;
	}
	for (int64_t i = 0; v && i < n; i++)
		if (!(by[1][i] >= 0))
			return kernel_fail(k, "normal expects all elements of std >= 0.0, not %g", by[1][i]);
	if (v)
		draw_normal(g, out->dtype, v, n, 0, std || n == 0 ? 1 : by[1][0], work);
	for (int64_t i = 0; v && i < n; i++) {
		if (std)
			v[i] = draw_rounded(out->dtype, v[i] * by[1][i]);
		v[i] = draw_rounded(out->dtype, v[i] + (mean ? by[0][i] : draw_rounded(out->dtype, by[0][i])));
	}
	return v != NULL;
}

const struct kernel_row sample_kernels[] = {
	{ .name = "bernoulli", .run = k_bernoulli }, { .name = "bernoulli_.Tensor", .run = k_bernoulli },
	{ .name = "poisson", .run = k_poisson },
	{ .name = "binomial", .run = k_binomial },
	{ .name = "multinomial", .run = k_multinomial },
	{ .name = "normal.Tensor_float", .run = k_normal_of }, { .name = "normal.float_Tensor", .run = k_normal_of },
	{ .name = "normal.Tensor_Tensor", .run = k_normal_of },
	{ 0 }
};
