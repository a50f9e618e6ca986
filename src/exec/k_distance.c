/*
 * Distances between rows, products of three operands, cross products
 * (aten/src/ATen/native/{Distance,Linear,Cross}.cpp).
 */
#include <math.h>
#include <string.h>

#include "exec/layout.h"

/* ---- Distances ---- */

static double distance(const double *a, const double *b, int64_t n, double p)
{
	double sum = 0;
	for (int64_t i = 0; i < n; i++) {
		double d = fabs(a[i] - b[i]);
		if (isinf(p))
			sum = d > sum || isnan(d) ? d : sum;
		else
			sum += p == 0 ? d != 0 : p == 1 ? d : p == 2 ? d * d : pow(d, p);
	}
	return p == 0 || p == 1 || isinf(p) ? sum : p == 2 ? sqrt(sum) : pow(sum, 1 / p);
}

/* Batches of [P, M] and [R, M] -> [P, R] */
static bool k_cdist(struct kernel_call *k)
{
	struct tensor *x1 = arg_tensor(k, "x1"), *x2 = arg_tensor(k, "x2");
	struct window b1, b2;
	int64_t size[MAX_DIMS];
	int n;
	double p = op_arg_index(k->op, "p") >= 0 ? arg_real(k, "p", 2) : 2;
	if (x1->ndim < 2 || x2->ndim < 2 || x1->size[x1->ndim - 1] != x2->size[x2->ndim - 1])
		return kernel_fail(k, "both operands need the same number of columns");
	window_of(&b1, x1);
	window_of(&b2, x2);
	b1.t.ndim -= 2;
	b2.t.ndim -= 2;
	if (!broadcast_shapes(k, (struct tensor *[]){ &b1.t, &b2.t }, 2, &n, size))
		return false;
	int64_t rows = x1->size[x1->ndim - 2], columns = x2->size[x2->ndim - 2], m = x1->size[x1->ndim - 1], all = sizes_product(size, 0, n);
	enum dtype d = dtype_promote(x1->dtype, x2->dtype);
	window_of(&b1, x1);
	window_of(&b2, x2);
	size[n + 1] = m;
	size[n] = rows;
	window_expand(&b1, n + 2, size);
	size[n] = columns;
	window_expand(&b2, n + 2, size);
	size[n] = rows;
	size[n + 1] = columns;
	struct tensor *out = out_new(k, d, n + 2, size);
	const double *a = doubles_of(k, &b1.t), *b = doubles_of(k, &b2.t);
	double *v = out && a && b ? doubles_for(k, out) : NULL;
	for (int64_t i = 0; v && i < all * rows; i++)
		for (int64_t j = 0; j < columns; j++)
			v[i * columns + j] = distance(a + i * m, b + (i / rows * columns + j) * m, m, p);
	return v != NULL;
}

/* The distances between all pairs of rows, each pair once. */
static bool k_pdist(struct kernel_call *k)
{
	struct tensor *self = arg_tensor(k, "self");
	if (self->ndim != 2 || self->size[0] > INT32_MAX)
		return kernel_fail(k, "distances are between the rows of a matrix");
	int64_t n = self->size[0], m = self->size[1], pairs = n > 0 ? n * (n - 1) / 2 : 0;
	struct tensor *out = out_new(k, self->dtype, 1, &pairs);
	const double *a = doubles_of(k, self);
	double *v = out && a ? doubles_for(k, out) : NULL, p = arg_real(k, "p", 2);
	for (int64_t i = 0, at = 0; v && i < n; i++)
		for (int64_t j = i + 1; j < n; j++)
			v[at++] = distance(a + i * m, a + j * m, m, p);
	return v != NULL;
}

/* ---- More than two operands, cross products ---- */

static bool mark(struct kernel_call *k, const char *name, int total, bool *set)
{
	int n;
	n = arg_count(k, name);
	memset(set, 0, MAX_DIMS * sizeof *set);
	return n <= 0 || arg_dims(k, name, total, set);
}

/* Operand t seen with all dimensions, steps of 0 in those it lacks. */
static bool spread(struct kernel_call *k, struct tensor *t, const char *expand, int total, struct window *w, int64_t *size)
{
	bool set[MAX_DIMS];
	struct tensor *c = converted(k, t, DT_FLOAT64);
	if (!c || !mark(k, expand, total, set))
		return false;
	w->t = *c;
	int d = 0;
	for (int i = 0; i < total; i++) {
		if (!set[i] && d >= c->ndim)
			return kernel_fail(k, "an operand has too few dimensions");
		w->stride[i] = set[i] ? 0 : c->stride[d];
		w->size[i] = set[i] ? 1 : c->size[d++];
		if (w->size[i] != 1)
			size[i] = w->size[i];
	}
	w->t.ndim = total;
	w->t.size = w->size;
	w->t.stride = w->stride;
	return d == c->ndim || kernel_fail(k, "an operand has too many dimensions");
}

/* w[0] += w[1] w[2] w[3] */
static void trilinear_sum(struct window *w, int total, const int64_t *size)
{
	struct loop l;
	loop_init(&l, total, size, 4);
	for (int i = 0; i < 4; i++)
		loop_operand(&l, i, &w[i].t);
	double *out = (double *)(void *)w[0].t.storage->data;
	const double *in[3];
	for (int i = 0; i < 3; i++)
		in[i] = (const double *)(void *)w[i + 1].t.storage->data;
	for (loop_begin(&l); l.left > 0; loop_next(&l))
		for (int64_t i = 0; i < l.run; i++)
			out[l.at[0] + i * l.step[0]] += in[0][l.at[1] + i * l.step[1]] * in[1][l.at[2] + i * l.step[2]] * in[2][l.at[3] + i * l.step[3]];
}

/*
 * The product of the first two, summed over what the third lacks, is a tensor of the operands' type (_trilinear() in
 * Linear.cpp): for halves it takes the place of both.
 */
static bool multiply_first(struct kernel_call *k, struct window *w, int total, int64_t *size, const bool *sum, enum dtype d)
{
	bool lacks[MAX_DIMS];
	int64_t pair[MAX_DIMS];
	struct window *first = scratch_alloc(k, 4, sizeof *first);
	struct tensor *one = temporary(k, DT_FLOAT64, 0, NULL);
	if (!first || !one || !mark(k, "expand3", total, lacks))
		return false;
	*(double *)(void *)tensor_data(one) = 1;
	for (int i = 0; i < total; i++) {
		pair[i] = w[1].size[i] != 1 ? w[1].size[i] : w[2].size[i];
		first[0].size[i] = sum[i] && lacks[i] ? 1 : pair[i];
		size[i] = sum[i] && lacks[i] ? 1 : size[i];
	}
	struct tensor *product = temporary(k, DT_FLOAT64, total, first[0].size);
	if (!product)
		return false;
	window_of(&first[0], product);
	window_of(&first[1], &w[1].t);
	window_of(&first[2], &w[2].t);
	window_of(&first[3], one);
	window_expand(&first[3], total, pair);
	trilinear_sum(first, total, pair);
	double *v = (double *)(void *)tensor_data(product);
	for (int64_t i = 0, n = tensor_numel(product); i < n; i++)
		v[i] = half_rounded(d, v[i]);
	window_of(&w[1], product);
	window_of(&w[2], one);
	window_expand(&w[2], total, pair);
	return true;
}

/* The three operands with their missing dimensions, multiplied, and summed over sumdim. */
static bool k_trilinear(struct kernel_call *k)
{
	static const char *const names[] = { "i1", "i2", "i3" }, *const expands[] = { "expand1", "expand2", "expand3" };
	int64_t size[MAX_DIMS], kept[MAX_DIMS];
	bool sum[MAX_DIMS];
	int n, ndim = 0;
	n = arg_count(k, "expand1");
	int total = arg_tensor(k, "i1")->ndim + (n > 0 ? n : 0);
	struct window *w = scratch_alloc(k, 4, sizeof *w);
	if (!w || total > MAX_DIMS || !mark(k, "sumdim", total, sum))
		return w && kernel_fail(k, "has too many dimensions");
	for (int i = 0; i < total; i++)
		size[i] = 1;
	for (int i = 0; i < 3; i++)
		if (!spread(k, arg_tensor(k, names[i]), expands[i], total, &w[i + 1], size))
			return false;
	for (int i = 0; i < total; i++) {
		w[0].size[i] = sum[i] ? 1 : size[i];
		for (int j = 1; j < 4; j++)
			if (w[j].size[i] != 1 && w[j].size[i] != size[i])
				return kernel_fail(k, "sizes %lld and %lld do not fit", (long long)w[j].size[i], (long long)size[i]);
		if (!sum[i])
			kept[ndim++] = size[i];
	}
	struct tensor *all = temporary(k, DT_FLOAT64, total, w[0].size), *out = out_new(k, arg_tensor(k, "i1")->dtype, ndim, kept);
	if (!all || !out)
		return false;
	window_of(&w[0], all);
	if (dtype_is_half(out->dtype) && !multiply_first(k, w, total, size, sum, out->dtype))
		return false;
	trilinear_sum(w, total, size);
	tensor_from_doubles(out, (const double *)(const void *)tensor_data(all));
	return true;
}

/* The three components of each, as [outer, 3, inner] elements; integers wrap around, and products of halves round (CrossKernel.cpp). */
#define CROSS(name, type, times) \
	static void name(enum dtype d, type *out, const type *a, const type *b, int64_t outer, int64_t inner) \
	{ \
		(void)d; \
		for (int64_t o = 0; o < outer; o++, out += 3 * inner, a += 3 * inner, b += 3 * inner) \
			for (int64_t i = 0; i < inner; i++) { \
				const type *u = a + i, *v = b + i; \
				out[i] = times(u[inner], v[2 * inner]) - times(u[2 * inner], v[inner]); \
				out[inner + i] = times(u[2 * inner], v[0]) - times(u[0], v[2 * inner]); \
				out[2 * inner + i] = times(u[0], v[inner]) - times(u[inner], v[0]); \
			} \
	}
#define TIMES_REAL(a, b) half_rounded(d, (a) * (b))
#define TIMES_WHOLE(a, b) ((a) * (b))
CROSS(cross_reals, double, TIMES_REAL)
CROSS(cross_wholes, uint64_t, TIMES_WHOLE)

static bool k_cross(struct kernel_call *k)
{
	struct tensor *in[2] = { arg_tensor(k, "self"), arg_tensor(k, "other") };
	struct window a, b;
	int64_t size[MAX_DIMS];
	int n, dim;
	if (in[0]->ndim != in[1]->ndim || in[0]->ndim == 0 || !arg_dim(k, "dim", in[0]->ndim, &dim))
		return kernel_fail(k, "operands must have the same number of dimensions");
	if (in[0]->size[dim] != 3 || in[1]->size[dim] != 3)
		return kernel_fail(k, "operands must have 3 elements in dimension %d", dim);
	if (!broadcast_shapes(k, in, 2, &n, size))
		return false;
	enum dtype d = tensors_result_type(in, 2);
	struct tensor *out = out_new(k, d, n, size);
	window_of(&a, in[0]);
	window_of(&b, in[1]);
	window_expand(&a, n, size);
	window_expand(&b, n, size);
	int64_t outer = sizes_product(size, 0, dim), inner = sizes_product(size, dim + 1, n);
	if (out && dtype_is_float(d)) {
		const double *u = doubles_of(k, &a.t), *v = doubles_of(k, &b.t);
		double *r = u && v ? doubles_for(k, out) : NULL;
		if (r)
			cross_reals(d, r, u, v, outer, inner);
		return r != NULL;
	}
	const int64_t *u = out ? ints_of(k, &a.t) : NULL, *v = out ? ints_of(k, &b.t) : NULL;
	int64_t *r = u && v ? ints_for(k, out) : NULL;
	if (r)
		cross_wholes(d, (uint64_t *)r, (const uint64_t *)u, (const uint64_t *)v, outer, inner);
	return r != NULL;
}

const struct kernel_row distance_kernels[] = {
	{ .name = "_cdist_forward", .run = k_cdist },
	{ .name = "_euclidean_dist", .run = k_cdist },
	{ .name = "_pdist_forward", .run = k_pdist },
	{ .name = "_trilinear", .run = k_trilinear },
	{ .name = "linalg_cross", .run = k_cross },
	{ 0 },
};
