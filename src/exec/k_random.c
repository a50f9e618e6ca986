/*
 * Operators that draw (aten/src/ATen/native/{Distributions,Dropout}.cpp,
 * cpu/DistributionTemplates.h).  The order of the draws is that of the
 * elements, row by row.
 */
#include <math.h>
#include <string.h>

#include "base/random.h"
#include "exec/layout.h"

typedef bool fill_fn(struct kernel_call *k, struct tensor *t, double a, double b);

static struct generator *generator_of(struct kernel_call *k)
{
	if (!k->generator)
		kernel_fail(k, "draws random numbers, and there is no generator");
	return k->generator;
}

/* float16 and bfloat16 are drawn as float and rounded. */
static bool is_reduced(enum dtype d)
{
	return d == DT_FLOAT16 || d == DT_BFLOAT16;
}

static float rounded(enum dtype d, float v)
{
	unsigned char element[8];
	elements_from_float(d, element, 1, 1, &v);
	elements_to_float(d, element, 1, 1, &v);
	return v;
}

/* What rounding carries up to the end of the range, which is no part of it, becomes its start. */
static void keep_below(struct tensor *t, float *v, double from, double to)
{
	float end = rounded(t->dtype, (float)to);
	for (int64_t i = 0, n = tensor_numel(t); i < n; i++)
		if (rounded(t->dtype, v[i]) >= end)
			v[i] = (float)from;
}

static bool fill_uniform(struct kernel_call *k, struct tensor *t, double from, double to)
{
	struct generator *g = generator_of(k);
	bool wide = t->dtype == DT_FLOAT64;
	double *d = g && wide ? doubles_for(k, t) : NULL;
	float *f = g && !wide ? floats_for(k, t) : NULL;
	if (d)
		random_uniform_double(g, d, (size_t)tensor_numel(t), from, to);
	else if (f)
		random_uniform_float(g, f, (size_t)tensor_numel(t), from, to);
	if (f && is_reduced(t->dtype))
		keep_below(t, f, from, to);
	return d || f;
}

/* normal_fill() of reduced types draws block by block, and for what is left the last 16 values only. */
static void normal_reduced(struct generator *g, float *v, size_t n, double mean, double std)
{
	random_normal_float(g, v, n / 16 * 16, mean, std);
	if (n % 16)
		random_normal_float(g, v + n - 16, 16, mean, std);
}

/* Blocks are for contiguous memory alone. */
static bool fill_normal(struct kernel_call *k, struct tensor *t, double mean, double std)
{
	struct generator *g = generator_of(k);
	size_t n = (size_t)tensor_numel(t);
	bool pairs = !tensor_is_contiguous(t) || n < 16, wide = pairs || t->dtype == DT_FLOAT64;
	double *d = g && wide ? doubles_for(k, t) : NULL;
	float *f = g && !wide ? floats_for(k, t) : NULL;
	if (std < 0)
		return kernel_fail(k, "the standard deviation %g is negative", std);
	for (size_t i = 0; d && pairs && i < n; i++)
		d[i] = random_normal(g, mean, std);
	if (d && !pairs)
		random_normal_double(g, d, n, mean, std);
	else if (f && is_reduced(t->dtype))
		normal_reduced(g, f, n, mean, std);
	else if (f)
		random_normal_float(g, f, n, mean, std);
	return d || f;
}

static bool fill_bernoulli(struct kernel_call *k, struct tensor *t, double p, double unused)
{
	struct generator *g = generator_of(k);
	int64_t *v = g ? ints_for(k, t) : NULL;
	(void)unused;
	if (!(p >= 0 && p <= 1))
		return kernel_fail(k, "a probability lies between 0 and 1, not at %g", p);
	for (int64_t i = 0, n = tensor_numel(t); v && i < n; i++)
		v[i] = generator_double(g) < p;
	return v != NULL;
}

static bool fill_exponential(struct kernel_call *k, struct tensor *t, double lambda, double unused)
{
	struct generator *g = generator_of(k);
	double *v = g ? doubles_for(k, t) : NULL;
	(void)unused;
	for (int64_t i = 0, n = tensor_numel(t); v && i < n; i++)
		v[i] = -1 / lambda * log1p(-generator_double(g));
	return v != NULL;
}

static bool fill_integers(struct kernel_call *k, struct tensor *t, int64_t low, int64_t high)
{
	struct generator *g = generator_of(k);
	if (low >= high)
		return kernel_fail(k, "there is no integer from %lld to below %lld", (long long)low, (long long)high);
	int64_t *v = g ? ints_for(k, t) : NULL;
	if (v)
		random_int(g, v, (size_t)tensor_numel(t), low, high);
	return v != NULL;
}

/* ---- In place, and beside ---- */

static bool in_place(struct kernel_call *k, fill_fn *fill, double a, double b)
{
	struct tensor *self = arg_tensor(k, "self");
	struct tensor *t = k->op->inplace ? self : out_like(k, self, self->dtype);
	return t && fill(k, t, a, b) && (!k->op->inplace || out_same(k, t));
}

static bool k_uniform(struct kernel_call *k) { return in_place(k, fill_uniform, arg_real(k, "from", 0), arg_real(k, "to", 1)); }
static bool k_normal(struct kernel_call *k) { return in_place(k, fill_normal, arg_real(k, "mean", 0), arg_real(k, "std", 1)); }
static bool k_bernoulli_p(struct kernel_call *k) { return in_place(k, fill_bernoulli, arg_real(k, "p", 0.5), 0); }
static bool k_exponential(struct kernel_call *k) { return in_place(k, fill_exponential, arg_real(k, "lambd", 1), 0); }

/* ---- trunc_normal_ of torch/nn/init.py: draws until every value lies between a and b ---- */

struct truncated {
	enum dtype dtype;
	double mean, std, a, b;
	int64_t n;
	double *v, *fresh;
	float *narrow;           /* as drawn when the dtype is not float64 */
	bool *pending;
};

static bool any_pending(const struct truncated *t)
{
	for (int64_t i = 0; i < t->n; i++)
		if (t->pending[i])
			return true;
	return false;
}

/* A whole tensor, normal or between a and b. */
static void draw_all(struct generator *g, const struct truncated *t, bool normal, double *out)
{
	size_t n = (size_t)t->n;
	if (t->dtype == DT_FLOAT64) {
		if (normal)
			random_normal_double(g, out, n, t->mean, t->std);
		else
			random_uniform_double(g, out, n, t->a, t->b);
		return;
	}
	if (!normal)
		random_uniform_float(g, t->narrow, n, t->a, t->b);
	else if (is_reduced(t->dtype))
		normal_reduced(g, t->narrow, n, t->mean, t->std);
	else
		random_normal_float(g, t->narrow, n, t->mean, t->std);
	for (int64_t i = 0; i < t->n; i++)
		out[i] = rounded(t->dtype, t->narrow[i]);
}

static void take_pending(const struct truncated *t)
{
	for (int64_t i = 0; i < t->n; i++)
		t->v[i] = t->pending[i] ? t->fresh[i] : t->v[i];
}

/* Much of the distribution lies inside: whole tensors are drawn, and what fell outside is taken from the next. */
static void truncate_normal(struct generator *g, const struct truncated *t)
{
	bool wide = t->dtype == DT_FLOAT64;
	double low = wide ? t->a : rounded(t->dtype, (float)t->a), high = wide ? t->b : rounded(t->dtype, (float)t->b);
	draw_all(g, t, true, t->v);
	for (;;) {
		for (int64_t i = 0; i < t->n; i++)
			t->pending[i] = t->v[i] < low || t->v[i] > high;
		if (!any_pending(t))
			return;
		draw_all(g, t, true, t->fresh);
		take_pending(t);
	}
}

/* The logarithm of a uniform draw exceeds that of the density, the peak's being 0. */
static bool is_rejected(struct generator *g, const struct truncated *t, double v, double peak)
{
	if (t->dtype == DT_FLOAT64)
		return log(generator_double(g)) > -0.5 * pow((v - t->mean) / t->std, 2) - peak;
	float density = -0.5f * powf(((float)v - (float)t->mean) / (float)t->std, 2) - (float)peak;
	return logf(generator_float(g)) > density;
}

/* Little does: uniform candidates are accepted as often as the density says. */
static void truncate_uniform(struct generator *g, const struct truncated *t)
{
	double mode = fmax(t->a, fmin(t->mean, t->b)), peak = -0.5 * pow((mode - t->mean) / t->std, 2);
	memset(t->pending, 1, (size_t)t->n);
	do {
		draw_all(g, t, false, t->fresh);
		take_pending(t);
		for (int64_t i = 0; i < t->n; i++)
			t->pending[i] = is_rejected(g, t, t->fresh[i], peak) && t->pending[i];
	} while (any_pending(t));
}

static bool k_trunc_normal(struct kernel_call *k)
{
	struct tensor *self = arg_tensor(k, "self");
	struct generator *g = generator_of(k);
	struct truncated t = { self->dtype, arg_real(k, "mean", 0), arg_real(k, "std", 1), arg_real(k, "a", -2), arg_real(k, "b", 2), tensor_numel(self), NULL, NULL, NULL, NULL };
	if (!(t.a < t.b) || !(t.std > 0))
		return kernel_fail(k, "a normal distribution of deviation %g cannot be cut to [%g, %g]", t.std, t.a, t.b);
	t.v = g ? doubles_for(k, self) : NULL;
	t.fresh = t.v ? scratch_alloc(k, t.n, sizeof *t.fresh) : NULL;
	t.narrow = t.fresh ? scratch_alloc(k, t.n, sizeof *t.narrow) : NULL;
	t.pending = t.narrow ? scratch_alloc(k, t.n, sizeof *t.pending) : NULL;
	if (!t.pending)
		return false;
	double inside = (erf((t.b - t.mean) / t.std / sqrt(2)) - erf((t.a - t.mean) / t.std / sqrt(2))) / 2;
	if (t.n > 0 && inside > 0.3)
		truncate_normal(g, &t);
	else if (t.n > 0)
		truncate_uniform(g, &t);
	return out_same(k, self);
}

/* A probability for each element; those of float32 are compared with 24 bits. */
static bool bernoulli_of(struct kernel_call *k, struct tensor *p, struct tensor *out)
{
	struct generator *g = generator_of(k);
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
	if (!p) {
		struct tensor *out = out_new(k, self->dtype, self->ndim, self->size);
		return out && bernoulli_of(k, self, out);
	}
	struct tensor *spread = temporary(k, p->dtype, self->ndim, self->size);
	if (!spread)
		return false;
	tensor_copy(spread, p);
	struct tensor *t = k->op->inplace ? self : out_new(k, self->dtype, self->ndim, self->size);
	return t && bernoulli_of(k, spread, t) && (!k->op->inplace || out_same(k, t));
}

/* ---- New tensors ---- */

static struct tensor *made(struct kernel_call *k, enum dtype fallback)
{
	struct tensor *self = arg_tensor(k, "self");
	int n = 0;
	if (self)
		return out_like(k, self, arg_dtype(k, "dtype", self->dtype));
	const int64_t *size = arg_ints(k, "size", &n);
	if (n < 0 || n > MAX_DIMS)
		return kernel_fail(k, "%d dimensions are not possible", n), NULL;
	return out_new(k, arg_dtype(k, "dtype", fallback), n, size);
}

static bool k_rand(struct kernel_call *k)
{
	struct tensor *t = made(k, DT_FLOAT32);
	return t && fill_uniform(k, t, 0, 1);
}

static bool k_randn(struct kernel_call *k)
{
	struct tensor *t = made(k, DT_FLOAT32);
	return t && fill_normal(k, t, arg_real(k, "mean", 0), arg_real(k, "std", 1));
}

static bool k_randint(struct kernel_call *k)
{
	struct tensor *t = made(k, DT_INT64);
	return t && fill_integers(k, t, arg_int(k, "low", 0), arg_int(k, "high", 0));
}

static bool k_randperm(struct kernel_call *k)
{
	struct generator *g = generator_of(k);
	int64_t n = arg_int(k, "n", 0);
	if (n < 0)
		return kernel_fail(k, "n is negative: %lld", (long long)n);
	struct tensor *t = g ? out_new(k, arg_dtype(k, "dtype", DT_INT64), 1, &n) : NULL;
	int64_t *v = t ? ints_for(k, t) : NULL;
	if (v)
		random_permutation(g, v, (size_t)n);
	return v != NULL;
}

/* ---- Noise ---- */

/* native_dropout_cpu(): the result and the mask. */
static bool k_native_dropout(struct kernel_call *k)
{
	struct tensor *input = arg_tensor(k, "input");
	double p = arg_real(k, "p", 0.5);
	struct tensor *out = out_like(k, input, input->dtype), *mask = out ? out_like(k, input, DT_BOOL) : NULL;
	struct generator *g = mask ? generator_of(k) : NULL;
	const double *x = g ? doubles_of(k, input) : NULL;
	double *y = x ? doubles_for(k, out) : NULL;
	int64_t *m = y ? ints_for(k, mask) : NULL;
	bool train = arg_bool(k, "train", true);
	for (int64_t i = 0, n = tensor_numel(input); m && i < n; i++) {
		m[i] = !train || generator_double(g) < 1 - p;
		y[i] = !train ? x[i] : m[i] && p < 1 ? x[i] / (1 - p) : 0;
	}
	return m != NULL;
}

/* _rrelu_with_noise_train(): a slope for each negative element. */
static bool k_rrelu(struct kernel_call *k)
{
	struct tensor *self = arg_tensor(k, "self"), *noise = arg_tensor(k, "noise"), *out = out_like(k, self, self->dtype);
	double low = arg_real(k, "lower", 0.125), high = arg_real(k, "upper", 1. / 3);
	bool training = arg_bool(k, "training", false);
	struct generator *g = out && training ? generator_of(k) : NULL;
	const double *x = out ? doubles_of(k, self) : NULL;
	double *y = x ? doubles_for(k, out) : NULL, *slopes = y && training ? doubles_for(k, noise) : NULL;
	if (!y || (training && (!g || !slopes)))
		return false;
	for (int64_t i = 0, n = tensor_numel(self); i < n; i++) {
		double slope = x[i] > 0 ? 1 : training ? generator_double(g) * (high - low) + low : (low + high) / 2;
		y[i] = x[i] * slope;
		if (slopes)
			slopes[i] = slope;
	}
	return true;
}

const struct kernel_row random_kernels[] = {
	{ .name = "uniform", .run = k_uniform }, { .name = "uniform_", .run = k_uniform },
	{ .name = "normal_", .run = k_normal }, { .name = "normal_functional", .run = k_normal }, { .name = "normal.float_float", .run = k_randn },
	{ .name = "_nns_trunc_normal_", .run = k_trunc_normal },
	{ .name = "bernoulli.p", .run = k_bernoulli_p }, { .name = "bernoulli_.float", .run = k_bernoulli_p },
	{ .name = "bernoulli", .run = k_bernoulli }, { .name = "bernoulli_.Tensor", .run = k_bernoulli },
	{ .name = "exponential", .run = k_exponential }, { .name = "exponential_", .run = k_exponential },
	{ .name = "rand", .run = k_rand }, { .name = "rand_like", .run = k_rand },
	{ .name = "randn", .run = k_randn }, { .name = "randn_like", .run = k_randn },
	{ .name = "randint", .run = k_randint }, { .name = "randint_like", .run = k_randint },
	{ .name = "randperm", .run = k_randperm },
	{ .name = "native_dropout", .run = k_native_dropout },
	{ .name = "rrelu_with_noise", .run = k_rrelu }, { .name = "rrelu_with_noise_", .run = k_rrelu },
	{ 0 }
};
