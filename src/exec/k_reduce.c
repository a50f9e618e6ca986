/*
 * Reductions to sums, norms and truth values
 * (aten/src/ATen/native/{ReduceOps,LinearAlgebra}.cpp, cpu/ReduceOpsKernel.cpp).
 * What is left of a tensor is contiguous.
 */
#include <math.h>
#include <string.h>

#include "exec/lanes.h"
#include "exec/layout.h"
#include "exec/pairs.h"

/* ---- Folding a lane ---- */

/* What is known of a lane so far. */
struct fold {
	double v, w, p;                  /* p: the operator's parameter */
	int64_t n;                       /* elements of the whole lane */
	enum dtype dtype;
};

struct reduction {
	double start;                    /* v */
	void (*first)(struct fold *f, const double *x, int64_t n);
	void (*turn)(struct fold *f);    /* between the passes */
	void (*second)(struct fold *f, const double *x, int64_t n);
	double (*result)(const struct fold *f); /* NULL: v */
};

struct work {
	const struct lanes *l;
	const struct reduction *r;
	double p, *out;
	int64_t *ints;
	bool product;
};

enum { CHUNK = 1024 };

static void pass(const struct lanes *l, int64_t lane, struct fold *f, void (*step)(struct fold *f, const double *x, int64_t n))
{
	double x[CHUNK];
	int64_t size = (int64_t)dtype_size(l->dtype);
	for (int64_t i = 0; i < l->length; i += CHUNK) {
		int64_t n = l->length - i < CHUNK ? l->length - i : CHUNK;
		elements_to_double(l->dtype, l->data + (lane * l->length + i) * size, 1, n, x);
		step(f, x, n);
	}
}

static void fold_lanes(int64_t from, int64_t to, void *data)
{
	const struct work *w = data;
	for (int64_t i = from; i < to; i++) {
		struct fold f = { .v = w->r->start, .p = w->p, .n = w->l->length, .dtype = w->l->dtype };
		pass(w->l, i, &f, w->r->first);
		if (w->r->second) {
			w->r->turn(&f);
			pass(w->l, i, &f, w->r->second);
		}
		w->out[i] = w->r->result ? w->r->result(&f) : f.v;
	}
}

static bool reduce(struct kernel_call *k, const struct lanes *l, const struct reduction *r, double p, enum dtype dtype)
{
	struct work w = { .l = l, .r = r, .p = p };
	struct tensor *out = out_new(k, dtype, l->ndim, l->size);
	if (!out || !(w.out = doubles_for(k, out)))
		return false;
	in_parallel(k, l->count, lanes_grain(l), fold_lanes, &w);
	return true;
}

/* ---- Sums and products ---- */

static void step_sum(struct fold *f, const double *x, int64_t n)
{
	double s[4] = { 0 };
	int64_t i = 0;
	for (; i + 4 <= n; i += 4)
		for (int j = 0; j < 4; j++)
			s[j] += x[i + j];
	for (; i < n; i++)
		s[0] += x[i];
	f->v += (s[0] + s[1]) + (s[2] + s[3]);
}

static void step_nansum(struct fold *f, const double *x, int64_t n)
{
	for (int64_t i = 0; i < n; i++)
		f->v += isnan(x[i]) ? 0 : x[i];
}

/* prod_kernel_impl(): without a wider accumulator */
static void step_prod(struct fold *f, const double *x, int64_t n)
{
	for (int64_t i = 0; i < n; i++)
		f->v = half_rounded(f->dtype, f->v * x[i]);
}

/* Integers wrap around. */
static void fold_whole_lanes(int64_t from, int64_t to, void *data)
{
	const struct work *w = data;
	const struct lanes *l = w->l;
	int64_t x[CHUNK], size = (int64_t)dtype_size(l->dtype);
	for (int64_t i = from; i < to; i++) {
		uint64_t v = w->product;
		for (int64_t at = 0; at < l->length; at += CHUNK) {
			int64_t n = l->length - at < CHUNK ? l->length - at : CHUNK;
			elements_to_int(l->dtype, l->data + (i * l->length + at) * size, 1, n, x);
			for (int64_t j = 0; j < n; j++)
				v = w->product ? v * (uint64_t)x[j] : v + (uint64_t)x[j];
		}
		w->ints[i] = (int64_t)v;
	}
}

/* Each part of complex numbers folded for itself: pairs, and the shape of the result with a last dimension of 2 in l. */
static double *fold_parts(struct kernel_call *k, struct tensor *self, const struct reduction *r, double p, enum dtype d, struct lanes *l)
{
	bool marked[MAX_DIMS] = { false };
	struct window w;
	if (self->ndim >= MAX_DIMS - 1 || !arg_dims(k, "dim", self->ndim, marked))
		return NULL;
	marked[self->ndim] = false;
	if (!lanes_over(k, window_of_parts(&w, self), marked, arg_bool(k, "keepdim", false), dtype_of_parts(d), l))
		return NULL;
	struct work all = { .l = l, .r = r, .p = p, .out = scratch_alloc(k, l->count, sizeof *all.out) };
	if (all.out)
		fold_lanes(0, l->count, &all);
	return all.out;
}

/* Complex numbers: the parts are summed, or averaged, each for itself. */
static bool reduce_parts(struct kernel_call *k, struct tensor *self, const struct reduction *r, enum dtype d)
{
	struct window to;
	struct lanes l;
	double *v = fold_parts(k, self, r, 0, d, &l);
	struct tensor *out = v ? out_new(k, d, l.ndim - 1, l.size) : NULL;
	if (out)
		tensor_from_doubles(window_of_parts(&to, out), v);
	return out != NULL;
}

/* The product of complex numbers: lanes of pairs. */
static bool multiply_pairs(struct kernel_call *k, struct tensor *self, enum dtype d)
{
	bool marked[MAX_DIMS] = { false };
	struct window w, to;
	struct lanes l;
	if (self->ndim >= MAX_DIMS - 1 || !arg_dims(k, "dim", self->ndim, marked))
		return false;
	marked[self->ndim] = true;
	bool keep = arg_bool(k, "keepdim", false);
	if (!lanes_over(k, window_of_parts(&w, self), marked, keep, dtype_of_parts(d), &l))
		return false;
	struct tensor *out = out_new(k, d, l.ndim - keep, l.size);
	double *x = out ? scratch_alloc(k, l.length, sizeof *x) : NULL, *v = x ? scratch_alloc(k, 2 * l.count, sizeof *v) : NULL;
	for (int64_t i = 0; v && i < l.count; i++) {
		elements_to_double(l.dtype, l.data + i * l.length * (int64_t)dtype_size(l.dtype), 1, l.length, x);
		v[2 * i] = 1;
		for (int64_t j = 0; j + 1 < l.length; j += 2) {
			double re = v[2 * i] * x[j] - v[2 * i + 1] * x[j + 1];
			v[2 * i + 1] = v[2 * i] * x[j + 1] + v[2 * i + 1] * x[j];
			v[2 * i] = re;
		}
	}
	if (v)
		tensor_from_doubles(window_of_parts(&to, out), v);
	return v != NULL;
}

/* Integers and bool are summed in int64; a dtype converts the elements first. */
static bool sum_or_product(struct kernel_call *k, const struct reduction *r, bool product)
{
	struct tensor *self = arg_tensor(k, "self");
	enum dtype d = arg_dtype(k, "dtype", dtype_is_float(self->dtype) ? self->dtype : DT_INT64);
	bool whole = !dtype_is_float(d);
	struct lanes l;
	if (dtype_is_complex(self->dtype) && r->first == step_sum)
		return reduce_parts(k, self, r, arg_dtype(k, "dtype", self->dtype));
	if (dtype_is_complex(self->dtype) && product && arg_dtype(k, "dtype", self->dtype) == self->dtype)
		return multiply_pairs(k, self, self->dtype);
	if (!lanes_of_call(k, self, whole && !dtype_is_float(self->dtype) ? DT_NONE : d, &l))
		return false;
	if (!whole)
		return reduce(k, &l, r, 0, d);
	struct tensor *out = out_new(k, d, l.ndim, l.size);
	struct work w = { .l = &l, .product = product };
	if (!out || !(w.ints = ints_for(k, out)))
		return false;
	in_parallel(k, l.count, lanes_grain(&l), fold_whole_lanes, &w);
	return true;
}

static const struct reduction sum_reduction = { .first = step_sum }, nansum_reduction = { .first = step_nansum },
	prod_reduction = { .start = 1, .first = step_prod };

static bool k_sum(struct kernel_call *k) { return sum_or_product(k, &sum_reduction, false); }
static bool k_nansum(struct kernel_call *k) { return sum_or_product(k, &nansum_reduction, false); }
static bool k_prod(struct kernel_call *k) { return sum_or_product(k, &prod_reduction, true); }

/* ---- Mean and variance ---- */

static double mean_of(const struct fold *f) { return f->v / (double)f->n; }
static const struct reduction mean_reduction = { .first = step_sum, .result = mean_of };

static bool is_real(struct kernel_call *k, enum dtype d)
{
	return dtype_is_float(d) || kernel_fail(k, "expected a floating-point tensor, got %s", dtype_name(d));
}

static bool k_mean(struct kernel_call *k)
{
	struct tensor *self = arg_tensor(k, "self");
	enum dtype d = arg_dtype(k, "dtype", self->dtype);
	struct lanes l;
	if (dtype_is_complex(self->dtype) && dtype_is_complex(d))
		return reduce_parts(k, self, &mean_reduction, d);
	return is_real(k, d) && lanes_of_call(k, self, DT_NONE, &l) && reduce(k, &l, &mean_reduction, 0, d);
}

static void turn_to_mean(struct fold *f)
{
	f->w = mean_of(f);
	f->v = 0;
}

static void step_square(struct fold *f, const double *x, int64_t n)
{
	for (int64_t i = 0; i < n; i++)
		f->v += (x[i] - f->w) * (x[i] - f->w);
}

/* p is the correction: the n of the mean is smaller by it, but never below 0 (WelfordOps, SharedReduceOps.h). */
static double var_of(const struct fold *f) { return f->v / fmax((double)f->n - f->p, 0); }
static double std_of(const struct fold *f) { return sqrt(var_of(f)); }

static const struct reduction var_reduction = { .first = step_sum, .turn = turn_to_mean, .second = step_square, .result = var_of };
static const struct reduction std_reduction = { .first = step_sum, .turn = turn_to_mean, .second = step_square, .result = std_of };

/* Of complex numbers it is that of both parts, added (std_var_out() in ReduceOps.cpp). */
static bool variance_of_pairs(struct kernel_call *k, struct tensor *self, bool root, bool with_mean)
{
	struct lanes l;
	double *v = fold_parts(k, self, &var_reduction, arg_real(k, "correction", 1), self->dtype, &l);
	struct tensor *out = v ? out_new(k, dtype_of_parts(self->dtype), l.ndim - 1, l.size) : NULL;
	if (!out)
		return false;
	for (int64_t i = 0; i < l.count / 2; i++)
		v[i] = root ? sqrt(v[2 * i] + v[2 * i + 1]) : v[2 * i] + v[2 * i + 1];
	tensor_from_doubles(out, v);
	return !with_mean || reduce_parts(k, self, &mean_reduction, self->dtype);
}

static bool variance(struct kernel_call *k, const struct reduction *r, bool with_mean)
{
	struct tensor *self = arg_tensor(k, "self");
	struct lanes l;
	if (dtype_is_complex(self->dtype))
		return variance_of_pairs(k, self, r == &std_reduction, with_mean);
	if (!is_real(k, self->dtype) || !lanes_of_call(k, self, DT_NONE, &l) || !reduce(k, &l, r, arg_real(k, "correction", 1), self->dtype))
		return false;
	return !with_mean || reduce(k, &l, &mean_reduction, 0, self->dtype);
}

static bool k_var(struct kernel_call *k) { return variance(k, &var_reduction, false); }
static bool k_std(struct kernel_call *k) { return variance(k, &std_reduction, false); }
static bool k_var_mean(struct kernel_call *k) { return variance(k, &var_reduction, true); }
static bool k_std_mean(struct kernel_call *k) { return variance(k, &std_reduction, true); }

/* ---- Norms ---- */

static void step_norm0(struct fold *f, const double *x, int64_t n)
{
	for (int64_t i = 0; i < n; i++)
		f->v += x[i] != 0;
}

static void step_norm1(struct fold *f, const double *x, int64_t n)
{
	for (int64_t i = 0; i < n; i++)
		f->v += fabs(x[i]);
}

static void step_normp(struct fold *f, const double *x, int64_t n)
{
	for (int64_t i = 0; i < n; i++)
		f->v += pow(fabs(x[i]), f->p);
}

static void step_largest(struct fold *f, const double *x, int64_t n)
{
	for (int64_t i = 0; i < n; i++)
		if (fabs(x[i]) > f->v || isnan(x[i]))
			f->v = fabs(x[i]);
}

static void step_least(struct fold *f, const double *x, int64_t n)
{
	for (int64_t i = 0; i < n; i++)
		if (fabs(x[i]) < f->v || isnan(x[i]))
			f->v = fabs(x[i]);
}

static double root(const struct fold *f) { return sqrt(f->v); }
static double root_p(const struct fold *f) { return pow(f->v, 1 / f->p); }

static const struct reduction *norm_reduction(double p)
{
	static const struct reduction zero = { .first = step_norm0 }, one = { .first = step_norm1 },
		two = { .first = step_square, .result = root }, other = { .first = step_normp, .result = root_p },
		largest = { .first = step_largest }, least = { .start = INFINITY, .first = step_least };
	return p == 0 ? &zero : p == 1 ? &one : p == 2 ? &two : p == INFINITY ? &largest : p == -INFINITY ? &least : &other;
}

static bool norm(struct kernel_call *k, const struct tensor *t, double p)
{
	enum dtype d = arg_dtype(k, "dtype", t->dtype);
	struct lanes l;
	if (!is_real(k, t->dtype) || !is_real(k, d) || !lanes_of_call(k, t, d, &l))
		return false;
	if ((p < 0 || p == INFINITY) && !lanes_not_empty(k, &l))
		return false;
	return reduce(k, &l, norm_reduction(p), p, d);
}

/* Complex numbers count by their magnitudes; NULL: an error. */
static struct tensor *magnitudes(struct kernel_call *k, struct tensor *self)
{
	static const struct kernel_row row = { .pairs = pairs_abs };
	if (!dtype_is_complex(self->dtype))
		return self;
	struct tensor *t = temporary(k, dtype_of_parts(self->dtype), self->ndim, self->size);
	return t && pointwise_run(k, &row, t, &self, 1, self->dtype) ? t : NULL;
}

static bool norm_of_magnitudes(struct kernel_call *k, const char *order)
{
	struct tensor *t = magnitudes(k, arg_tensor(k, "self"));
	return t && norm(k, t, arg_real(k, order, 2));
}

static bool k_vector_norm(struct kernel_call *k) { return norm_of_magnitudes(k, "ord"); }
static bool k_norm(struct kernel_call *k) { return norm_of_magnitudes(k, "p"); }

static void subtract(double *x, const double *y, int64_t n)
{
	for (int64_t i = 0; i < n; i++)
		x[i] -= y[i];
}

/* The norm of a difference. */
static bool k_dist(struct kernel_call *k)
{
	struct tensor *in[2] = { arg_tensor(k, "self"), arg_tensor(k, "other") };
	int64_t size[MAX_DIMS];
	int ndim;
	if (!broadcast_shapes(k, in, 2, &ndim, size))
		return false;
	enum dtype d = tensors_result_type(in, 2);
	struct tensor *x = is_real(k, d) ? temporary(k, DT_FLOAT64, ndim, size) : NULL, *y = x ? temporary(k, DT_FLOAT64, ndim, size) : NULL;
	struct lanes l;
	if (!y)
		return false;
	tensor_copy(x, in[0]);
	tensor_copy(y, in[1]);
	subtract((double *)(void *)tensor_data(x), (const double *)(const void *)tensor_data(y), tensor_numel(x));
	return lanes_of_call(k, x, DT_NONE, &l) && reduce(k, &l, norm_reduction(arg_real(k, "p", 2)), arg_real(k, "p", 2), d);
}

/* ---- log(sum(exp(x))): the largest element is taken out first, unless it is infinite ---- */

static void step_max(struct fold *f, const double *x, int64_t n)
{
	for (int64_t i = 0; i < n; i++)
		if (x[i] > f->v || isnan(x[i]))
			f->v = x[i];
}

static void turn_to_max(struct fold *f)
{
	f->w = isinf(f->v) ? 0 : f->v;
	f->v = 0;
}

static void step_exp(struct fold *f, const double *x, int64_t n)
{
	for (int64_t i = 0; i < n; i++)
		f->v += exp(x[i] - f->w);
}

static double log_of(const struct fold *f) { return log(f->v) + f->w; }

static bool k_logsumexp(struct kernel_call *k)
{
	static const struct reduction r = { .start = -INFINITY, .first = step_max, .turn = turn_to_max, .second = step_exp, .result = log_of };
	struct tensor *self = arg_tensor(k, "self");
	struct lanes l;
	return lanes_of_call(k, self, DT_NONE, &l) && reduce(k, &l, &r, 0, dtype_as_float(self->dtype));
}

/* ---- Truth; uint8 stays uint8 ---- */

static void step_all(struct fold *f, const double *x, int64_t n)
{
	for (int64_t i = 0; i < n && f->v != 0; i++)
		f->v = x[i] != 0;
}

static void step_any(struct fold *f, const double *x, int64_t n)
{
	for (int64_t i = 0; i < n && f->v == 0; i++)
		f->v = x[i] != 0;
}

/* Only here an empty list of dimensions means none. */
static bool truth(struct kernel_call *k, const struct reduction *r)
{
	struct tensor *self = arg_tensor(k, "self");
	bool marked[MAX_DIMS];
	struct lanes l;
	int n;
	n = arg_count(k, "dim");
	if (!arg_dims(k, "dim", self->ndim, marked))
		return false;
	if (n == 0)
		memset(marked, 0, sizeof marked);
	return lanes_over(k, self, marked, arg_bool(k, "keepdim", false), DT_NONE, &l) &&
		reduce(k, &l, r, 0, self->dtype == DT_UINT8 ? DT_UINT8 : DT_BOOL);
}

static bool k_all(struct kernel_call *k)
{
	static const struct reduction r = { .start = 1, .first = step_all };
	return truth(k, &r);
}

static bool k_any(struct kernel_call *k)
{
	static const struct reduction r = { .first = step_any };
	return truth(k, &r);
}

static bool k_count_nonzero(struct kernel_call *k)
{
	struct lanes l;
	return lanes_of_call(k, arg_tensor(k, "self"), DT_NONE, &l) && reduce(k, &l, norm_reduction(0), 0, DT_INT64);
}

const struct kernel_row reduce_kernels[] = {
	{ .name = "sum", .run = k_sum },
	{ .name = "nansum", .run = k_nansum },
	{ .name = "prod", .run = k_prod },
	{ .name = "mean", .run = k_mean },
	{ .name = "var.correction", .run = k_var },
	{ .name = "std.correction", .run = k_std },
	{ .name = "var_mean.correction", .run = k_var_mean },
	{ .name = "std_mean.correction", .run = k_std_mean },
	{ .name = "linalg_vector_norm", .run = k_vector_norm },
	{ .name = "norm", .run = k_norm },
	{ .name = "dist", .run = k_dist },
	{ .name = "logsumexp", .run = k_logsumexp },
	{ .name = "all", .run = k_all },
	{ .name = "any", .run = k_any },
	{ .name = "count_nonzero", .run = k_count_nonzero },
	{ 0 }
};
