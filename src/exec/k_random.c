/*
 * Operators that draw one value after the other into a tensor
 * (aten/src/ATen/native/{Distributions,Dropout}.cpp, DistributionTemplates.h,
 * cpu/DistributionTemplates.h).  The order of the draws is that of the
 * elements in memory.
 */
#include <float.h>
#include <math.h>

#include "base/lanes.h"
#include "exec/draw.h"

#define PI 3.14159265358979323846

/* ---- Distributions of one value ---- */

typedef double draw_fn(struct generator *g, double a, double b);

static double draw_bernoulli(struct generator *g, double p, double unused)
{
	(void)unused;
	return generator_double(g) < p;
}

static double draw_exponential(struct generator *g, double lambda, double unused)
{
	(void)unused;
	return -1 / lambda * log1p(-generator_double(g));
}

static double draw_geometric(struct generator *g, double p, double unused)
{
	(void)unused;
	return ceil(log(generator_double(g)) / log1p(-p));
}

static double draw_cauchy(struct generator *g, double median, double sigma)
{
	return median + sigma * tan(PI * (generator_double(g) - 0.5));
}

static double draw_log_normal(struct generator *g, double mean, double std)
{
	return exp(random_normal(g, mean, std));
}

/* ---- Whole tensors ---- */

static struct tensor *in_order(struct kernel_call *k, struct tensor *t)
{
	int order[MAX_DIMS];
	draw_order(t, order);
	return draw_turned(k, t, order);
}

static bool fill_each(struct kernel_call *k, struct tensor *t, draw_fn *draw, double a, double b)
{
	struct generator *g = draw_generator(k);
	struct tensor *turned = g ? in_order(k, t) : NULL;
	double *v = turned ? doubles_for(k, turned) : NULL;
	for (int64_t i = 0, n = tensor_numel(t); v && i < n; i++)
		v[i] = draw(g, a, b);
	return v != NULL;
}

/* The elements of float32 row by row, which are drawn where they lie; NULL: it is not that. */
static float *floats_in_place(const struct tensor *t)
{
	bool plain = t->dtype == DT_FLOAT32 && tensor_is_contiguous(t) && (uintptr_t)tensor_data(t) % sizeof(float) == 0;
	return plain ? (float *)(void *)tensor_data(t) : NULL;
}

typedef void fill_fn(struct generator *g, float *v, size_t n, double a, double b);

static void uniforms(struct generator *g, float *v, size_t n, double from, double to)
{
	float low = (float)from, end = (float)to;
	random_uniform_float(g, v, n, from, to);
	IN_LANES
	for (size_t i = 0; i < n; i++)
		v[i] = v[i] == end ? low : v[i]; /* rounding carried it up to the end */
}

/* Whole blocks; what follows the last of them stays as it was drawn. */
static void normals(struct generator *g, float *v, size_t n, double mean, double std)
{
	random_uniform_float(g, v, n, 0, 1);
	random_normal_blocks(v, n, mean, std);
}

struct filling {
	float *v; int64_t n;
	double a, b;             /* from and to, or mean and standard deviation */
	fill_fn *fill;
	struct generator before, after;
};

enum { BLOCK = 16, CHUNK = 1 << 13, GRAIN = 1 << 15 };   /* draws; draws that stay in the cache; blocks worth a thread */

static void fill_piece(int64_t from, int64_t to, void *data)
{
	struct filling *f = data;
	struct generator g = f->before;
	int64_t end = (to + 1) * BLOCK > f->n ? f->n : to * BLOCK;
	generator_skip(&g, (size_t)(from * BLOCK));
	for (int64_t at = from * BLOCK; at < end; at += CHUNK)
		f->fill(&g, f->v + at, (size_t)(end - at < CHUNK ? end - at : CHUNK), f->a, f->b);
	if (end == f->n)
		f->after = g;
}

/* On all threads: each passes over the draws of those before it, which is quick. */
static void fill_in_place(struct kernel_call *k, struct generator *g, fill_fn *fill, float *v, int64_t n, double a, double b)
{
	struct filling f = { v, n, a, b, fill, *g, *g };
	if (k->unread) {
		generator_skip(g, (size_t)n);
		return;
	}
	in_parallel(k, n / BLOCK, GRAIN, fill_piece, &f);
	*g = f.after;
}

static void uniform_in_place(struct kernel_call *k, struct generator *g, float *v, int64_t n, double from, double to)
{
	fill_in_place(k, g, uniforms, v, n, from, to);
}

/* As random_normal_float(): the last 16 values are drawn again when they are no block. */
static void normal_in_place(struct kernel_call *k, struct generator *g, float *v, int64_t n, double mean, double std)
{
	fill_in_place(k, g, normals, v, n, mean, std);
	if (n % BLOCK)
		fill_in_place(k, g, normals, v + n - BLOCK, BLOCK, mean, std);
}

static bool fill_uniform(struct kernel_call *k, struct tensor *t, double from, double to)
{
	struct generator *g = draw_generator(k);
	if (!(from <= to) || !(to - from <= DBL_MAX))
		return kernel_fail(k, "uniform_ expects to return a [from, to) range, but found from=%g > to=%g", from, to);
	if (g && floats_in_place(t))
		return uniform_in_place(k, g, floats_in_place(t), tensor_numel(t), from, to), true;
	struct tensor *turned = g ? in_order(k, t) : NULL;
	double *v = turned ? doubles_for(k, turned) : NULL;
	for (int64_t i = 0, n = tensor_numel(t); v && i < n; i++)
		v[i] = draw_uniform(g, t->dtype, from, to);
	return v != NULL;
}

/* Blocks are for contiguous memory alone. */
static bool fill_normal(struct kernel_call *k, struct tensor *t, double mean, double std)
{
	struct generator *g = draw_generator(k);
	int64_t n = tensor_numel(t);
	if (!(std >= 0))
		return kernel_fail(k, "normal expects std >= 0.0, but found std %g", std);
	if (!tensor_is_contiguous(t) || n < 16)
		return fill_each(k, t, random_normal, mean, std);
	if (g && floats_in_place(t))
		return normal_in_place(k, g, floats_in_place(t), n, mean, std), true;
	float *work = g ? scratch_alloc(k, n, sizeof *work) : NULL;
	double *v = work ? doubles_for(k, t) : NULL;
	if (v)
		draw_normal(g, t->dtype, v, n, mean, std, work);
	return v != NULL;
}

/* ---- Integers ---- */

static int digits_of(enum dtype d)
{
	return d == DT_FLOAT64 ? DBL_MANT_DIG : d == DT_FLOAT32 ? FLT_MANT_DIG : d == DT_FLOAT16 ? 11 : 8;
}

/* The greatest integer that counts: of floating-point types the last below which none is missing. */
static int64_t greatest_int(enum dtype d)
{
	if (dtype_is_float(d))
		return INT64_C(1) << digits_of(d);
	if (d == DT_BOOL)
		return 1;
	int bits = 8 * (int)dtype_size(d) - (d == DT_UINT8 || d == DT_UINT16 || d == DT_UINT32 ? 0 : 1);
	return bits >= 63 ? INT64_MAX : (INT64_C(1) << bits) - 1;
}

static int64_t least_int(enum dtype d)
{
	bool sign = d == DT_INT8 || d == DT_INT16 || d == DT_INT32 || d == DT_INT64;
	return sign ? -greatest_int(d) - 1 : 0;
}

static int log2_of(int64_t v)
{
	uint64_t u = v < 0 ? -(uint64_t)v : (uint64_t)v;
	int n = 0;
	while (u >>= 1)
		n++;
	return n;
}

/* i as type d holds it */
static int64_t held(enum dtype d, int64_t i)
{
	double v = draw_rounded(d, (double)i);
	return v >= 0x1p63 || v < -0x1p63 ? INT64_MIN : (int64_t)v;
}

/* Bounds that rounding to a floating-point type would carry out of [from, to) move inwards (update_from(), update_to()). */
static void keep_inside(enum dtype d, int64_t *from, int64_t *to)
{
	int64_t above = held(d, (int64_t)((uint64_t)*from + 1)), below = held(d, (int64_t)((uint64_t)*to - 1));
	if (above < *from)
		*from = above + (INT64_C(1) << (log2_of((int64_t)((uint64_t)*from + 1)) - digits_of(d) + 1));
	if (below >= *to)
		*to = below - (INT64_C(1) << (log2_of(*to - 1) - digits_of(d) + 1));
}

/* to is the end of a range of 2^64 integers at most, and wraps there. */
static bool fill_range(struct kernel_call *k, struct tensor *t, int64_t from, int64_t to)
{
	struct generator *g = draw_generator(k);
	struct tensor *turned = g ? in_order(k, t) : NULL;
	int64_t *v = turned ? ints_for(k, turned) : NULL;
	if (v)
		random_int(g, v, (size_t)tensor_numel(t), from, to);
	return v != NULL;
}

static bool fill_integers(struct kernel_call *k, struct tensor *t, int64_t from, int64_t to)
{
	if (from >= to)
		return kernel_fail(k, "random_ expects 'from' to be less than 'to', but got from=%lld >= to=%lld", (long long)from, (long long)to);
	if (dtype_is_float(t->dtype)) {
		keep_inside(t->dtype, &from, &to);
		if (from >= to)
			return kernel_fail(k, "random_ expects 'from' casted to dtype to be less than 'to' casted to dtype, but got from=%lld >= to=%lld",
			                   (long long)from, (long long)to);
		if (t->dtype == DT_FLOAT16 && (from < -65504 || to - 1 > 65504))
			return kernel_fail(k, "from or to - 1 is out of bounds for float16");
	} else if (from < least_int(t->dtype) || to - 1 > greatest_int(t->dtype))
		return kernel_fail(k, "from or to - 1 is out of bounds for %s", dtype_name(t->dtype));
	return fill_range(k, t, from, to);
}

/* Without bounds: from 0 to the greatest integer. */
static bool fill_any(struct kernel_call *k, struct tensor *t)
{
	struct generator *g = draw_generator(k);
	struct tensor *turned = g ? in_order(k, t) : NULL;
	int64_t *v = turned ? ints_for(k, turned) : NULL;
	uint64_t range = (uint64_t)greatest_int(t->dtype) + 1;
	bool wide = t->dtype == DT_INT64 || t->dtype == DT_FLOAT64;
	for (int64_t i = 0, n = tensor_numel(t); v && i < n; i++)
		v[i] = (int64_t)((wide ? generator_u64(g) : generator_u32(g)) % range);
	return v != NULL;
}

/* From a bound on, without an end: random_(from, None). */
static bool fill_from(struct kernel_call *k, struct tensor *t, int64_t from)
{
	int64_t greatest = greatest_int(t->dtype), end = greatest;
	struct generator *g = draw_generator(k);
	if (from == INT64_MIN) {
		struct tensor *turned = g ? in_order(k, t) : NULL;
		int64_t *v = turned ? ints_for(k, turned) : NULL;
		for (int64_t i = 0, n = tensor_numel(t); v && i < n; i++)
			v[i] = (int64_t)generator_u64(g);
		return v != NULL;
	}
	if (dtype_is_float(t->dtype))
		keep_inside(t->dtype, &from, &end);
	if (from >= greatest && dtype_is_float(t->dtype))
		return kernel_fail(k, "random_ expects 'from' casted to dtype to be less than or equal to 'to_inc' casted to dtype, but got from=%lld > "
		                      "to_inc=%lld", (long long)from, (long long)greatest);
	if (from > greatest || (!dtype_is_float(t->dtype) && from < least_int(t->dtype)))
		return kernel_fail(k, "from is out of bounds for %s", dtype_name(t->dtype));
	return fill_range(k, t, from, (int64_t)((uint64_t)greatest + 1));
}

/* ---- In place, and beside ---- */

/* self, or for an operator that is not in place a new tensor like it. */
static struct tensor *target(struct kernel_call *k)
{
	struct tensor *self = arg_tensor(k, "self");
	return k->op->inplace ? self : out_like(k, self, self->dtype);
}

static bool drawn(struct kernel_call *k, struct tensor *t, bool ok)
{
	return ok && (!k->op->inplace || out_same(k, t));
}

static bool k_uniform(struct kernel_call *k)
{
	struct tensor *t = target(k);
	return t && drawn(k, t, fill_uniform(k, t, arg_real(k, "from", 0), arg_real(k, "to", 1)));
}

static bool k_normal(struct kernel_call *k)
{
	struct tensor *t = target(k);
	return t && drawn(k, t, fill_normal(k, t, arg_real(k, "mean", 0), arg_real(k, "std", 1)));
}

/* A new tensor lies row by row. */
static bool k_bernoulli_p(struct kernel_call *k)
{
	struct tensor *self = arg_tensor(k, "self"), *t = k->op->inplace ? self : out_new(k, self->dtype, self->ndim, self->size);
	double p = arg_real(k, "p", 0.5);
	if (!(p >= 0 && p <= 1))
		return kernel_fail(k, "a probability lies between 0 and 1, not at %g", p);
	return t && drawn(k, t, fill_each(k, t, draw_bernoulli, p, 0));
}

static bool k_exponential(struct kernel_call *k)
{
	struct tensor *t = target(k);
	double lambda = arg_real(k, "lambd", 1);
	if (!(lambda > 0))
		return kernel_fail(k, "exponential_ expects lambda > 0.0, but found lambda=%g", lambda);
	return t && drawn(k, t, fill_each(k, t, draw_exponential, lambda, 0));
}

static bool k_geometric(struct kernel_call *k)
{
	struct tensor *t = target(k);
	double p = arg_real(k, "p", 0.5);
	if (!(p > 0 && p < 1))
		return kernel_fail(k, "geometric_ expects p to be in (0, 1), but got p=%g", p);
	return t && drawn(k, t, fill_each(k, t, draw_geometric, p, 0));
}

static bool k_cauchy(struct kernel_call *k)
{
	struct tensor *t = target(k);
	double sigma = arg_real(k, "sigma", 1);
	if (!(sigma > 0))
		return kernel_fail(k, "cauchy_ expects sigma > 0.0, but found sigma=%g", sigma);
	return t && drawn(k, t, fill_each(k, t, draw_cauchy, arg_real(k, "median", 0), sigma));
}

static bool k_log_normal(struct kernel_call *k)
{
	struct tensor *t = target(k);
	double std = arg_real(k, "std", 2);
	if (!(std > 0))
		return kernel_fail(k, "log_normal_ expects std > 0.0, but found std=%g", std);
	return t && drawn(k, t, fill_each(k, t, draw_log_normal, arg_real(k, "mean", 1), std));
}

static bool k_random(struct kernel_call *k)
{
	struct tensor *t = target(k);
	return t && drawn(k, t, fill_any(k, t));
}

static bool k_random_range(struct kernel_call *k)
{
	struct tensor *t = target(k);
	int64_t from = arg_int(k, "from", 0);
	return t && drawn(k, t, arg_is_none(k, "to") ? fill_from(k, t, from) : fill_integers(k, t, from, arg_int(k, "to", 0)));
}

/* ---- New tensors ---- */

static struct tensor *made(struct kernel_call *k, enum dtype fallback)
{
	struct tensor *self = arg_tensor(k, "self");
	int n = 0;
	if (self)
		return out_like(k, self, arg_dtype(k, "dtype", self->dtype));
	const int64_t *size = arg_ints(k, "size", &n);
	if (!size)
		return NULL;
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
	struct generator *g = draw_generator(k);
	int64_t n = arg_int(k, "n", 0);
	enum dtype d = arg_dtype(k, "dtype", DT_INT64);
	if (n < 0 || d == DT_BOOL || n - 1 > greatest_int(d))
		return kernel_fail(k, "there is no permutation of %lld numbers of %s", (long long)n, dtype_name(d));
	struct tensor *t = g ? out_new(k, d, 1, &n) : NULL;
	int64_t *v = t ? ints_for(k, t) : NULL;
	if (v)
		random_permutation(g, v, (size_t)n);
	return v != NULL;
}

/* ---- Noise ---- */

/* native_dropout_cpu(): the mask lies and is drawn as the input; the result is input * mask, scaled. */
static bool k_native_dropout(struct kernel_call *k)
{
	struct tensor *input = arg_tensor(k, "input");
	double keep = 1 - arg_real(k, "p", 0.5), scale = keep == 0 ? 0 : 1 / keep;
	struct tensor *out = out_like(k, input, input->dtype), *mask = out ? out_like(k, input, DT_BOOL) : NULL;
	bool train = arg_bool(k, "train", true);
	struct generator *g = mask && train ? draw_generator(k) : NULL;
	int order[MAX_DIMS];
	if (!mask || (train && !g))
		return false;
	draw_order(mask, order);
	struct tensor *x_turned = draw_turned(k, input, order), *y_turned = draw_turned(k, out, order), *m_turned = draw_turned(k, mask, order);
	const double *x = x_turned && y_turned && m_turned ? doubles_of(k, x_turned) : NULL;
	double *y = x ? doubles_for(k, y_turned) : NULL;
	int64_t *m = y ? ints_for(k, m_turned) : NULL;
	scale = draw_rounded(input->dtype, scale);
	for (int64_t i = 0, n = tensor_numel(input); m && i < n; i++) {
		m[i] = !train || generator_double(g) < keep;
		y[i] = train ? x[i] * (double)m[i] * scale : x[i];
	}
	return m != NULL;
}

/* _rrelu_with_noise_train(): a slope for each element that is not positive. */
static bool rrelu(struct kernel_call *k, struct tensor *out, struct tensor *noise)
{
	struct tensor *self = arg_tensor(k, "self");
	double low = arg_real(k, "lower", 0.125), high = arg_real(k, "upper", 1. / 3);
	enum dtype scalars = self->dtype == DT_FLOAT64 ? DT_FLOAT64 : DT_FLOAT32;
	bool training = arg_bool(k, "training", false);
	struct generator *g = out && training ? draw_generator(k) : NULL;
	const double *x = out ? doubles_of(k, self) : NULL;
	double *y = x ? doubles_for(k, out) : NULL, *slopes = y && training ? doubles_for(k, noise) : NULL, slope;
	if (!y || (training && (!g || !slopes)))
		return false;
	if (training) {
		low = draw_rounded(scalars, low);
		high = draw_rounded(scalars, high);
	}
	for (int64_t i = 0, n = tensor_numel(self); i < n; i++) {
		if (training)
			slope = slopes[i] = x[i] <= 0 ? draw_rounded(scalars, generator_double(g) * (high - low) + low) : 1;
		else
			slope = x[i] <= 0 ? draw_rounded(scalars, (low + high) / 2) : 1;
		y[i] = x[i] * slope;
	}
	return true;
}

static bool k_rrelu(struct kernel_call *k)
{
	struct tensor *self = arg_tensor(k, "self"), *out = out_like(k, self, self->dtype);
	return out && rrelu(k, out, arg_tensor(k, "noise"));
}

/* The noise is returned, and what was given stays as it was. */
static bool k_rrelu_functional(struct kernel_call *k)
{
	struct tensor *self = arg_tensor(k, "self"), *given = arg_tensor(k, "noise"), *out = out_like(k, self, self->dtype);
	struct tensor *noise = out ? out_new(k, given->dtype, given->ndim, given->size) : NULL;
	if (!noise)
		return false;
	tensor_copy(noise, given);
	return rrelu(k, out, noise);
}

const struct kernel_row random_kernels[] = {
	{ .name = "uniform", .run = k_uniform }, { .name = "uniform_", .run = k_uniform, .fills = true },
	{ .name = "normal_", .run = k_normal, .fills = true }, { .name = "normal_functional", .run = k_normal }, { .name = "normal.float_float", .run = k_randn },
	{ .name = "bernoulli.p", .run = k_bernoulli_p }, { .name = "bernoulli_.float", .run = k_bernoulli_p },
	{ .name = "exponential", .run = k_exponential },
	{ .name = "geometric", .run = k_geometric },
	{ .name = "cauchy", .run = k_cauchy },
	{ .name = "log_normal", .run = k_log_normal },
	{ .name = "random", .run = k_random }, { .name = "random.from", .run = k_random_range }, { .name = "random.to", .run = k_random_range },
	{ .name = "rand", .run = k_rand }, { .name = "rand_like", .run = k_rand },
	{ .name = "randn", .run = k_randn }, { .name = "randn_like", .run = k_randn },
	{ .name = "randint", .run = k_randint }, { .name = "randint_like", .run = k_randint },
	{ .name = "randperm", .run = k_randperm },
	{ .name = "native_dropout", .run = k_native_dropout },
	{ .name = "rrelu_with_noise", .run = k_rrelu }, { .name = "rrelu_with_noise_", .run = k_rrelu },
	{ .name = "rrelu_with_noise_functional", .run = k_rrelu_functional },
	{ 0 }
};
