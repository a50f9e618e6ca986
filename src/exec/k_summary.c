/*
 * Traces, histograms and norms kept below a limit
 * (aten/src/ATen/native/{SummaryOps,Histogram,LinearAlgebra}.cpp,
 * cpu/{Histogram,Renorm}Kernel.cpp).
 */
#include <math.h>
#include <string.h>

#include "exec/lanes.h"

static bool trace_whole(struct kernel_call *k, const struct tensor *t, int64_t n)
{
	struct tensor *out = out_new(k, DT_INT64, 0, NULL);
	const int64_t *x = ints_of(k, t);
	int64_t *y = x ? ints_for(k, out) : NULL;
	for (int64_t i = 0; y && i < n; i++)
		*y = (int64_t)((uint64_t)*y + (uint64_t)x[i * t->size[1] + i]);
	return y != NULL;
}

/* Integers are summed in int64. */
static bool k_trace(struct kernel_call *k)
{
	struct tensor *t = arg_tensor(k, "self");
	if (t->ndim != 2)
		return kernel_fail(k, "expected a matrix, got a tensor of %d dimensions", t->ndim);
	int64_t n = t->size[0] < t->size[1] ? t->size[0] : t->size[1];
	if (!dtype_is_float(t->dtype))
		return trace_whole(k, t, n);
	struct tensor *out = out_new(k, t->dtype, 0, NULL);
	const double *x = doubles_of(k, t);
	double *y = x ? doubles_for(k, out) : NULL;
	for (int64_t i = 0; y && i < n; i++)
		*y += x[i * t->size[1] + i];
	return y != NULL;
}

/* Elements as 64 bits, the floating-point ones of float64, combined by exclusive or (ReduceOps.cpp, cpu/ReduceOpsKernel.cpp: xor_sum). */
static bool k_hash_tensor(struct kernel_call *k)
{
	struct lanes l;
	const struct tensor *self = arg_tensor(k, "self");
	bool real = dtype_is_float(self->dtype);
	if (!lanes_of_call(k, self, DT_NONE, &l))
		return false;
	int64_t n = l.count * l.length, *bits = scratch_alloc(k, n, sizeof *bits), *y = bits ? ints_for(k, out_new(k, DT_UINT64, l.ndim, l.size)) : NULL;
	double *x = y && real ? scratch_alloc(k, n, sizeof *x) : NULL;
	if (!y || (real && !x))
		return false;
	if (real) {
		elements_to_double(l.dtype, l.data, 1, n, x);
		memcpy(bits, x, (size_t)n * sizeof *x);
	} else {
		elements_to_int(l.dtype, l.data, 1, n, bits);
	}
	for (int64_t i = 0; i < n; i++)
		y[i / l.length] ^= bits[i];
	return true;
}

/* ---- Histograms ---- */

/* The range given, or that of the elements, or one around the only value. */
static bool histogram_range(struct kernel_call *k, const double *x, int64_t n, double *low, double *high)
{
	*low = arg_real(k, "min", 0);
	*high = arg_real(k, "max", 0);
	if (*low == *high && n > 0) {
		*low = *high = x[0];
		for (int64_t i = 0; i < n; i++) {
			*low = x[i] < *low || isnan(x[i]) ? x[i] : *low;
			*high = x[i] > *high || isnan(x[i]) ? x[i] : *high;
		}
	}
	if (!isfinite(*low) || !isfinite(*high))
		return kernel_fail(k, "the range of [%g, %g] is not finite", *low, *high);
	if (*low > *high)
		return kernel_fail(k, "max must be larger than min, got %g and %g", *high, *low);
	if (*low == *high) {
		*low -= 1;
		*high += 1;
	}
	return true;
}

/* As the type computes it: the borders between bins depend on it. */
static double in_type(enum dtype d, double x) { return d == DT_FLOAT64 ? x : (float)x; }

static int64_t bin_of(enum dtype d, double x, double low, double high, int64_t bins)
{
	double at = in_type(d, in_type(d, in_type(d, x - low) * (double)bins) / in_type(d, high - low));
	return at >= (double)bins ? bins - 1 : (int64_t)at;
}

static bool k_histc(struct kernel_call *k)
{
	struct tensor *t = arg_tensor(k, "self");
	int64_t bins = arg_int(k, "bins", 100), n = tensor_numel(t);
	double low, high;
	if (bins <= 0)
		return kernel_fail(k, "bins must be positive, got %lld", (long long)bins);
	if (!dtype_is_float(t->dtype))
		return kernel_fail(k, "is not implemented for %s", dtype_name(t->dtype));
	struct tensor *out = out_new(k, t->dtype, 1, &bins);
	const double *x = out ? doubles_of(k, t) : NULL;
	double *count = x ? doubles_for(k, out) : NULL;
	if (!count || !histogram_range(k, x, n, &low, &high))
		return false;
	low = in_type(t->dtype, low);
	high = in_type(t->dtype, high);
	for (int64_t i = 0; i < n; i++)
		if (x[i] >= low && x[i] <= high)
			count[bin_of(t->dtype, x[i], low, high, bins)]++;
	return true;
}

static bool count_values(struct kernel_call *k, const int64_t *x, int64_t n, int64_t bins)
{
	int64_t *count = ints_for(k, out_new(k, DT_INT64, 1, &bins));
	for (int64_t i = 0; count && i < n; i++)
		count[x[i]]++;
	return count != NULL;
}

/* Weights of float32 are summed as they are, all others as float64. */
static bool add_weights(struct kernel_call *k, const int64_t *x, int64_t n, int64_t bins, const struct tensor *weights)
{
	struct tensor *out = out_new(k, weights->dtype == DT_FLOAT32 ? DT_FLOAT32 : DT_FLOAT64, 1, &bins);
	const double *w = out ? doubles_of(k, weights) : NULL;
	double *sum = w ? doubles_for(k, out) : NULL;
	for (int64_t i = 0; sum && i < n; i++)
		sum[x[i]] += w[i];
	return sum != NULL;
}

static bool k_bincount(struct kernel_call *k)
{
	struct tensor *t = arg_tensor(k, "self"), *weights = arg_tensor(k, "weights");
	int64_t n = tensor_numel(t), bins = arg_int(k, "minlength", 0);
	if (t->ndim != 1 || dtype_is_float(t->dtype))
		return kernel_fail(k, "expected a vector of integers");
	if (bins < 0)
		return kernel_fail(k, "minlength should be >= 0");
	if (weights && (weights->ndim != 1 || weights->size[0] != n))
		return kernel_fail(k, "weights should be a vector of %lld elements", (long long)n);
	const int64_t *x = ints_of(k, t);
	for (int64_t i = 0; x && i < n; i++) {
		if (x[i] < 0 || x[i] == INT64_MAX)
			return kernel_fail(k, "cannot count the value %lld", (long long)x[i]);
		bins = x[i] >= bins ? x[i] + 1 : bins;
	}
	if (n == 0)                              /* then the weights do not count */
		weights = NULL;
	return x && (weights ? add_weights(k, x, n, bins, weights) : count_values(k, x, n, bins));
}

/* ---- renorm ---- */

static double norm_of(const double *x, int64_t n, double p)
{
	double sum = 0;
	for (int64_t i = 0; i < n; i++)
		if (p == INFINITY)
			sum = fabs(x[i]) > sum || isnan(x[i]) ? fabs(x[i]) : sum;
		else
			sum += p == 1 ? fabs(x[i]) : p == 2 ? x[i] * x[i] : pow(fabs(x[i]), p);
	return p == 2 ? sqrt(sum) : p == 1 || p == INFINITY ? sum : pow(sum, 1 / p);
}

/* Each slice along dim is scaled down to the norm that it may have. */
static bool k_renorm(struct kernel_call *k)
{
	struct tensor *self = arg_tensor(k, "self"), *out;
	double p = arg_real(k, "p", 2), limit = arg_real(k, "maxnorm", 0);
	bool marked[MAX_DIMS];
	struct turned turned;
	struct lanes l;
	int dim;
	if (!arg_dim(k, "dim", self->ndim, &dim))
		return false;
	if (self->ndim < 2 || !(p > 0) || !(limit >= 0))
		return kernel_fail(k, "expected a tensor of 2 or more dimensions, a positive p and a maxnorm that is not negative");
	for (int i = 0; i < self->ndim; i++)
		marked[i] = i != dim;
	if (!lanes_over(k, self, marked, false, DT_NONE, &l) || !(out = out_new(k, self->dtype, self->ndim, self->size)))
		return false;
	double *x = scratch_alloc(k, l.count * l.length, sizeof *x);
	if (!x)
		return false;
	elements_to_double(l.dtype, l.data, 1, l.count * l.length, x);
	for (int64_t i = 0; i < l.count; i++) {
		double norm = norm_of(x + i * l.length, l.length, p), factor = norm > limit ? limit / (norm + 1e-7) : 1;
		for (int64_t j = 0; j < l.length; j++)
			x[i * l.length + j] *= factor;
	}
	tensor_from_doubles(turn_last(&turned, out, marked), x);
	return true;
}

const struct kernel_row summary_kernels[] = {
	{ .name = "trace", .run = k_trace },
	{ .name = "hash_tensor", .run = k_hash_tensor },
	{ .name = "histc", .run = k_histc },
	{ .name = "bincount", .run = k_bincount },
	{ .name = "renorm", .run = k_renorm },
	{ 0 }
};
