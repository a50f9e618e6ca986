/*
 * Softmax and its logarithm (aten/src/ATen/native/SoftMax.cpp,
 * cpu/SoftMaxKernel.cpp).  The results are contiguous.
 */
#include <math.h>

#include "exec/lanes.h"

/* What is done to one lane of elements of type d, in place; masked elements are true in mask, which may be NULL. */
typedef void lane_fn(double *x, const bool *masked, int64_t n, enum dtype d);

static double largest(const double *x, const bool *masked, int64_t n)
{
	double m = -INFINITY;
	for (int64_t i = 0; i < n; i++)
		if (!(masked && masked[i]) && (x[i] > m || isnan(x[i])))
			m = x[i];
	return m;
}

static void softmax(double *x, const bool *masked, int64_t n, enum dtype d)
{
	double m = largest(x, NULL, n), sum = 0;
	(void)masked;
	(void)d;
	for (int64_t i = 0; i < n; i++)
		sum += x[i] = exp(x[i] - m);
	for (int64_t i = 0; i < n; i++)
		x[i] /= sum;
}

/* _vec_softmax(), along any dimension but the last: the exponentials wait in the result, in its type, for their sum. */
static void softmax_across(double *x, const bool *masked, int64_t n, enum dtype d)
{
	double m = largest(x, NULL, n), sum = 0;
	(void)masked;
	for (int64_t i = 0; i < n; i++) {
		double e = exp(x[i] - m);
		sum += e;
		x[i] = half_rounded(d, e);
	}
	for (int64_t i = 0; i < n; i++)
		x[i] *= 1 / sum;
}

/* A lane of nothing but -inf becomes zeros. */
static void safe_softmax(double *x, const bool *masked, int64_t n, enum dtype d)
{
	if (largest(x, NULL, n) != -INFINITY) {
		softmax(x, masked, n, d);
		return;
	}
	for (int64_t i = 0; i < n; i++)
		x[i] = 0;
}

/* _vec_log_softmax_lastdim() keeps the sum and its logarithm in the type of the result. */
static void log_softmax(double *x, const bool *masked, int64_t n, enum dtype d)
{
	double m = largest(x, NULL, n), sum = 0;
	(void)masked;
	for (int64_t i = 0; i < n; i++)
		sum += exp(x[i] - m);
	double shift = half_rounded(d, log(half_rounded(d, sum)));
	for (int64_t i = 0; i < n; i++)
		x[i] = x[i] - m - shift;
}

/* _vec_logsoftmax(), along any other dimension, does not. */
static void log_softmax_across(double *x, const bool *masked, int64_t n, enum dtype d)
{
	(void)d;
	log_softmax(x, masked, n, DT_FLOAT64);
}

/* Masked elements get 0; when all are, the result is NaN. */
static void masked_softmax(double *x, const bool *masked, int64_t n, enum dtype d)
{
	(void)d;
	double m = largest(x, masked, n), sum = 0;
	bool all = true;
	for (int64_t i = 0; i < n; i++) {
		all = all && masked[i];
		sum += x[i] = masked[i] ? 0 : exp(x[i] - m);
	}
	for (int64_t i = 0; i < n; i++)
		x[i] = all ? NAN : x[i] / sum;
}

struct work {
	const struct lanes *l;
	lane_fn *fn;
	enum dtype out;
	double *x;
	const bool *masked;
};

static void run_lanes(int64_t from, int64_t to, void *data)
{
	const struct work *w = data;
	int64_t n = w->l->length;
	for (int64_t i = from; i < to; i++) {
		elements_to_double(w->l->dtype, w->l->data + i * n * (int64_t)dtype_size(w->l->dtype), 1, n, w->x + i * n);
		w->fn(w->x + i * n, w->masked ? w->masked + i * n : NULL, n, w->out);
	}
}

static bool run(struct kernel_call *k, const struct tensor *self, int dim, lane_fn *fn, const bool *masked, enum dtype dtype)
{
	struct turned turned;
	struct lanes l;
	struct work w = { .l = &l, .fn = fn, .out = dtype, .masked = masked };
	if (!dtype_is_float(dtype))
		return kernel_fail(k, "is not defined for %s", dtype_name(dtype));
	struct tensor *out = lanes_along(k, self, dim, true, DT_NONE, &l) ? out_new(k, dtype, self->ndim, self->size) : NULL;
	if (!out || !(w.x = scratch_alloc(k, l.count * l.length, sizeof *w.x)))
		return false;
	in_parallel(k, l.count, lanes_grain(&l), run_lanes, &w);
	tensor_from_doubles(turn_dim_last(&turned, out, dim), w.x);
	return true;
}

static bool along_dim(struct kernel_call *k, lane_fn *last, lane_fn *across)
{
	struct tensor *self = arg_tensor(k, "self");
	enum dtype d = arg_bool(k, "half_to_float", false) ? DT_FLOAT32 : arg_dtype(k, "dtype", self->dtype);
	int dim;
	return arg_dim(k, "dim", self->ndim, &dim) && run(k, self, dim, dim >= self->ndim - 1 ? last : across, NULL, d);
}

static bool k_softmax(struct kernel_call *k) { return along_dim(k, softmax, softmax_across); }
static bool k_log_softmax(struct kernel_call *k) { return along_dim(k, log_softmax, log_softmax_across); }
static bool k_safe_softmax(struct kernel_call *k) { return along_dim(k, safe_softmax, safe_softmax); }

/*
 * The mask has self's shape; or, for attention weights [B, heads, L, S], it is
 * [L, S] (mask_type 0) or [B, S] (mask_type 1).
 */
static bool place_mask(struct kernel_call *k, const struct tensor *self, const struct tensor *mask, struct turned *to)
{
	int64_t type = arg_int(k, "mask_type", 2);
	const int64_t *s = self->size;
	to->t = *mask;
	to->t.size = to->size;
	to->t.stride = to->stride;
	to->t.ndim = self->ndim;
	bool same = mask->ndim == self->ndim;
	for (int i = 0; i < self->ndim; i++) {
		same = same && mask->size[i] == s[i];
		to->size[i] = s[i];
		to->stride[i] = same ? mask->stride[i] : 0;
	}
	if (same)
		return true;
	int outer = type == 0 ? 2 : 0;
	if (self->ndim != 4 || mask->ndim != 2 || type > 1 || mask->size[0] != s[outer] || mask->size[1] != s[3])
		return kernel_fail(k, "the mask does not have the shape that it is said to have");
	for (int i = 0; i < 4; i++)
		to->stride[i] = i == 3 ? mask->stride[1] : i == outer ? mask->stride[0] : 0;
	return true;
}

static bool k_masked_softmax(struct kernel_call *k)
{
	struct tensor *self = arg_tensor(k, "self"), *mask = arg_tensor(k, "mask");
	struct turned placed, turned;
	int dim = self->ndim - 1;
	if (mask->dtype != DT_BOOL)
		return kernel_fail(k, "the mask should be boolean, got %s", dtype_name(mask->dtype));
	if (!arg_is_none(k, "dim") && !arg_dim(k, "dim", self->ndim, &dim))
		return false;
	if (!place_mask(k, self, mask, &placed))
		return false;
	const struct tensor *last = turn_dim_last(&turned, &placed.t, dim);
	int64_t n = tensor_numel(self), *v = scratch_alloc(k, n, sizeof *v);
	bool *masked = v ? scratch_alloc(k, n, sizeof *masked) : NULL;
	if (!masked)
		return false;
	tensor_to_ints(last, v);
	for (int64_t i = 0; i < n; i++)
		masked[i] = v[i] != 0;
	return run(k, self, dim, masked_softmax, masked, self->dtype);
}

const struct kernel_row softmax_kernels[] = {
	{ .name = "_softmax", .run = k_softmax },
	{ .name = "_log_softmax", .run = k_log_softmax },
	{ .name = "_safe_softmax", .run = k_safe_softmax },
	{ .name = "_masked_softmax", .run = k_masked_softmax },
	{ 0 }
};
