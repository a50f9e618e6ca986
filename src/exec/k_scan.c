/*
 * Scans, and single elements of the order of a dimension
 * (aten/src/ATen/native/{ReduceOps,Sorting,TensorCompare}.cpp,
 * cpu/{ReduceOps,TensorCompare}Kernel.cpp).
 */
#include <math.h>

#include "exec/lanes.h"
#include "exec/layout.h"
#include "exec/order.h"
#include "exec/pairs.h"

/* ---- Running sums and products ---- */

static void scan_whole(int64_t *v, int64_t n, bool product)
{
	for (int64_t i = 1; i < n; i++)
		v[i] = (int64_t)(product ? (uint64_t)v[i - 1] * (uint64_t)v[i] : (uint64_t)v[i - 1] + (uint64_t)v[i]);
}

static void scan_sum(double *v, int64_t n)
{
	for (int64_t i = 1; i < n; i++)
		v[i] += v[i - 1];
}

static void scan_product(double *v, int64_t n)
{
	for (int64_t i = 1; i < n; i++)
		v[i] *= v[i - 1];
}

/* log(exp(a) + exp(b)); equal infinities stay what they are */
static void scan_logsumexp(double *v, int64_t n)
{
	for (int64_t i = 1; i < n; i++) {
		double a = v[i - 1], b = v[i], low = fmin(a, b), high = fmax(a, b);
		if (isnan(a) || isnan(b))
			v[i] = NAN;
		else
			v[i] = low != high || isfinite(low) ? log1p(exp(low - high)) + high : a;
	}
}

static bool scan_reals(struct kernel_call *k, const struct lanes *l, const struct tensor *out, int dim, void (*scan)(double *v, int64_t n))
{
	struct turned turned;
	double *v = scratch_alloc(k, l->count * l->length, sizeof *v);
	if (!v)
		return false;
	elements_to_double(l->dtype, l->data, 1, l->count * l->length, v);
	for (int64_t i = 0; i < l->count; i++)
		scan(v + i * l->length, l->length);
	tensor_from_doubles(turn_dim_last(&turned, out, dim), v);
	return true;
}

static bool scan_ints(struct kernel_call *k, const struct lanes *l, const struct tensor *out, int dim, bool product)
{
	struct turned turned;
	int64_t *v = scratch_alloc(k, l->count * l->length, sizeof *v);
	if (!v)
		return false;
	elements_to_int(l->dtype, l->data, 1, l->count * l->length, v);
	for (int64_t i = 0; i < l->count; i++)
		scan_whole(v + i * l->length, l->length, product);
	tensor_from_ints(turn_dim_last(&turned, out, dim), v);
	return true;
}

/* Complex numbers in a row, as pairs. */
static void scan_pairs(double *v, int64_t n, bool product)
{
	for (int64_t i = 2; i + 1 < n; i += 2) {
		const double a = v[i - 2], b = v[i - 1], c = v[i], d = v[i + 1];
		v[i] = product ? a * c - b * d : a + c;
		v[i + 1] = product ? a * d + b * c : b + d;
	}
}

static bool cumulate_pairs(struct kernel_call *k, struct tensor *self, int dim, bool product)
{
	bool marked[MAX_DIMS] = { false };
	struct window w, to;
	struct turned turned;
	struct lanes l;
	if (self->ndim >= MAX_DIMS - 1)
		return kernel_fail(k, "has too many dimensions");
	marked[self->ndim ? dim : 0] = marked[self->ndim] = true;
	struct tensor *out = out_new(k, self->dtype, self->ndim, self->size);
	if (!out || !lanes_over(k, window_of_parts(&w, self), marked, true, dtype_of_parts(self->dtype), &l))
		return false;
	double *v = scratch_alloc(k, l.count * l.length, sizeof *v);
	if (!v)
		return false;
	elements_to_double(l.dtype, l.data, 1, l.count * l.length, v);
	for (int64_t i = 0; i < l.count; i++)
		scan_pairs(v + i * l.length, l.length, product);
	tensor_from_doubles(turn_last(&turned, window_of_parts(&to, out), marked), v);
	return true;
}

static bool cumulate(struct kernel_call *k, bool product)
{
	struct tensor *self = arg_tensor(k, "self"), *out;
	enum dtype d = arg_dtype(k, "dtype", dtype_is_float(self->dtype) ? self->dtype : DT_INT64);
	struct lanes l;
	int dim;
	if (dtype_is_complex(self->dtype) && arg_dtype(k, "dtype", self->dtype) == self->dtype)
		return arg_dim(k, "dim", self->ndim, &dim) && cumulate_pairs(k, self, dim, product);
	if (!arg_dim(k, "dim", self->ndim, &dim) || !lanes_along(k, self, dim, true, d, &l) || !(out = out_new(k, d, self->ndim, self->size)))
		return false;
	return dtype_is_float(d) ? scan_reals(k, &l, out, dim, product ? scan_product : scan_sum) : scan_ints(k, &l, out, dim, product);
}

static bool k_cumsum(struct kernel_call *k) { return cumulate(k, false); }
static bool k_cumprod(struct kernel_call *k) { return cumulate(k, true); }

static bool k_logcumsumexp(struct kernel_call *k)
{
	struct tensor *self = arg_tensor(k, "self"), *out;
	struct lanes l;
	int dim;
	return arg_dim(k, "dim", self->ndim, &dim) && lanes_along(k, self, dim, true, DT_NONE, &l) &&
		(out = out_new(k, self->dtype, self->ndim, self->size)) && scan_reals(k, &l, out, dim, scan_logsumexp);
}

/* ---- Running extremes: the last of equal ones, the last NaN from the first on ---- */

static void scan_extreme(const int64_t *keys, int64_t n, bool least, bool real, int64_t *at)
{
	int64_t best = 0;
	for (int64_t i = 0; i < n; i++) {
		bool nan = real && keys[i] == NAN_KEY, found = real && keys[best] == NAN_KEY;
		if (nan || (!found && (least ? keys[i] <= keys[best] : keys[i] >= keys[best])))
			best = i;
		at[i] = best;
	}
}

static bool running_extreme(struct kernel_call *k, bool least)
{
	struct tensor *self = arg_tensor(k, "self");
	struct turned turned;
	struct lanes l;
	int dim;
	if (!arg_dim(k, "dim", self->ndim, &dim) || !lanes_along(k, self, dim, true, DT_NONE, &l))
		return false;
	const struct tensor *shape = turn_dim_last(&turned, self, dim);
	struct tensor *values = out_new(k, self->dtype, self->ndim, self->size), *places = values ? out_new(k, DT_INT64, self->ndim, self->size) : NULL;
	struct tensor *sorted = places ? temporary(k, self->dtype, shape->ndim, shape->size) : NULL;
	int64_t *keys = sorted ? keys_of(k, &l) : NULL, *at = keys ? scratch_alloc(k, l.count * l.length, sizeof *at) : NULL;
	if (!at)
		return false;
	for (int64_t i = 0; i < l.count; i++) {
		int64_t start = i * l.length;
		scan_extreme(keys + start, l.length, least, dtype_is_float(l.dtype), at + start);
		for (int64_t j = 0; j < l.length; j++)
			lanes_take(&l, start + at[start + j], sorted, start + j);
	}
	tensor_copy(turn_dim_last(&turned, values, dim), sorted);
	tensor_from_ints(turn_dim_last(&turned, places, dim), at);
	return true;
}

static bool k_cummax(struct kernel_call *k) { return running_extreme(k, false); }
static bool k_cummin(struct kernel_call *k) { return running_extreme(k, true); }

/* ---- One element of each lane's order ---- */

struct picker {
	struct ranked *v, *room;         /* of a lane */
	const int64_t *keys;
	int64_t n;
	bool real;
	int64_t rank;                    /* kthvalue's k, counted from 0 */
};
typedef int64_t pick_fn(struct picker *p);

static void rank_lane(struct picker *p)
{
	for (int64_t i = 0; i < p->n; i++)
		p->v[i] = (struct ranked){ .key = p->keys[i], .index = i };
}

static int64_t count_nans(const struct picker *p, int64_t *first)
{
	int64_t count = 0;
	for (int64_t i = p->n - 1; p->real && i >= 0; i--)
		if (p->keys[i] == NAN_KEY) {
			count++;
			*first = i;
		}
	return count;
}

/* The lower of the two in the middle; the first NaN when there is one. */
static int64_t pick_median(struct picker *p)
{
	int64_t nan;
	if (count_nans(p, &nan))
		return nan;
	rank_lane(p);
	order_stable(p->v, p->room, p->n);
	return p->v[(p->n - 1) / 2].index;
}

static int64_t pick_nanmedian(struct picker *p)
{
	int64_t nan, n = p->n - count_nans(p, &nan);
	if (n == 0)
		return 0;
	rank_lane(p);
	order_stable(p->v, p->room, p->n);
	return p->v[(n - 1) / 2].index;
}

/* The value that comes most often, of several the least; NaNs are all different. */
static int64_t pick_mode(struct picker *p)
{
	int64_t best = 0, most = 0, times = 0;
	rank_lane(p);
	order_sort(p->v, p->n);
	for (int64_t i = 0; i < p->n; i++) {
		bool nan = p->real && p->v[i].key == NAN_KEY;
		times++;
		if (i + 1 < p->n && p->v[i].key == p->v[i + 1].key && !nan)
			continue;
		if (times > most) {
			most = times;
			best = p->v[i].index;
		}
		times = 0;
	}
	return best;
}

static int64_t pick_kth(struct picker *p)
{
	rank_lane(p);
	order_quickselect(p->v, p->rank, p->n);
	return p->v[p->rank].index;
}

static bool pick(struct kernel_call *k, const struct lanes *l, pick_fn *fn, int64_t rank, bool places)
{
	struct picker p = { .n = l->length, .rank = rank, .real = dtype_is_float(l->dtype) };
	struct tensor *out = out_new(k, l->dtype, l->ndim, l->size), *at = out && places ? out_new(k, DT_INT64, l->ndim, l->size) : NULL;
	int64_t *keys = out ? keys_of(k, l) : NULL, *v = places ? ints_for(k, at) : NULL;
	p.v = keys ? scratch_alloc(k, l->length, sizeof *p.v) : NULL;
	p.room = p.v ? scratch_alloc(k, l->length, sizeof *p.room) : NULL;
	if (!p.room || (places && !v))
		return false;
	for (int64_t i = 0; i < l->count; i++) {
		p.keys = keys + i * l->length;
		int64_t found = fn(&p);
		lanes_take(l, i * l->length + found, out, i);
		if (v)
			v[i] = found;
	}
	return true;
}

static bool pick_along(struct kernel_call *k, pick_fn *fn, int64_t rank)
{
	struct lanes l;
	return lanes_of_call(k, arg_tensor(k, "self"), DT_NONE, &l) && lanes_not_empty(k, &l) && pick(k, &l, fn, rank, true);
}

/* Of no elements at all it is NaN. */
static bool pick_all(struct kernel_call *k, pick_fn *fn)
{
	struct lanes l;
	if (!lanes_of_call(k, arg_tensor(k, "self"), DT_NONE, &l))
		return false;
	if (l.length > 0)
		return pick(k, &l, fn, 0, false);
	double *v = doubles_for(k, out_new(k, l.dtype, 0, NULL));
	if (v)
		*v = dtype_is_float(l.dtype) ? NAN : 0;
	return v != NULL;
}

static bool k_median(struct kernel_call *k) { return pick_all(k, pick_median); }
static bool k_nanmedian(struct kernel_call *k) { return pick_all(k, pick_nanmedian); }
static bool k_median_dim(struct kernel_call *k) { return pick_along(k, pick_median, 0); }
static bool k_nanmedian_dim(struct kernel_call *k) { return pick_along(k, pick_nanmedian, 0); }
static bool k_mode(struct kernel_call *k) { return pick_along(k, pick_mode, 0); }

static bool k_kthvalue(struct kernel_call *k)
{
	struct tensor *self = arg_tensor(k, "self");
	int64_t rank = arg_int(k, "k", 1);
	int dim;
	if (!arg_dim(k, "dim", self->ndim, &dim))
		return false;
	int64_t n = self->ndim ? self->size[dim] : 1;
	if (rank < 1 || rank > n)
		return kernel_fail(k, "k = %lld is out of range for a dimension of %lld elements", (long long)rank, (long long)n);
	return pick_along(k, pick_kth, rank - 1);
}

const struct kernel_row scan_kernels[] = {
	{ .name = "cumsum", .run = k_cumsum },
	{ .name = "cumprod", .run = k_cumprod },
	{ .name = "logcumsumexp", .run = k_logcumsumexp },
	{ .name = "cummax", .run = k_cummax },
	{ .name = "cummin", .run = k_cummin },
	{ .name = "median.dim", .run = k_median_dim },
	{ .name = "nanmedian.dim", .run = k_nanmedian_dim },
	{ .name = "median", .run = k_median },
	{ .name = "nanmedian", .run = k_nanmedian },
	{ .name = "mode", .run = k_mode },
	{ .name = "kthvalue", .run = k_kthvalue },
	{ 0 }
};
