#include "exec/positions.h"

#include <math.h>
#include <string.h>

int64_t *offsets_of(struct kernel_call *k, int ndim, const int64_t *size, const int64_t *stride, int64_t *n)
{
	*n = sizes_product(size, 0, ndim);
	int64_t *v = scratch_alloc(k, *n + 1, sizeof *v), done = 1;
	/* each dimension, from the last, repeats what is there already, shifted */
	for (int d = ndim - 1; v && *n > 0 && d >= 0; d--) {
		for (int64_t i = 1; i < size[d]; i++)
			for (int64_t j = 0; j < done; j++)
				v[i * done + j] = v[j] + i * stride[d];
		done *= size[d];
	}
	return v;
}

bool positions_join(struct kernel_call *k, struct positions *p, const int64_t *outer, int64_t n_outer, const int64_t *middle, int64_t n_middle,
                    const int64_t *inner, int64_t n_inner)
{
	int64_t rows;
	if (__builtin_mul_overflow(n_outer, n_middle, &rows) || __builtin_mul_overflow(rows, n_inner, &p->n))
		return kernel_fail(k, "needs more memory than can be counted");
	int64_t *at = p->at = scratch_alloc(k, p->n, sizeof *at);
	for (int64_t o = 0; at && o < n_outer; o++)
		for (int64_t m = 0; m < n_middle; m++)
			for (int64_t i = 0; i < n_inner; i++)
				*at++ = outer[o] + middle[m] + inner[i];
	return p->at != NULL;
}

const int64_t *indices_of(struct kernel_call *k, const struct tensor *index, int64_t size, bool negative)
{
	int64_t n = tensor_numel(index), *v = scratch_alloc(k, n, sizeof *v);
	if (!v)
		return NULL;
	if (!dtype_is_integral(index->dtype)) {
		kernel_fail(k, "expected integers for indices, got %s", dtype_name(index->dtype));
		return NULL;
	}
	tensor_to_ints(index, v);
	for (int64_t i = 0; i < n; i++) {
		if (v[i] < (negative ? -size : 0) || v[i] >= size) {
			kernel_fail(k, "index %lld is out of bounds for a dimension of %lld elements", (long long)v[i], (long long)size);
			return NULL;
		}
		v[i] += v[i] < 0 ? size : 0;
	}
	return v;
}

/* self row by row, in its own type. */
static const unsigned char *rows_of(struct kernel_call *k, const struct tensor *self)
{
	if (tensor_is_contiguous(self))
		return tensor_data(self);
	struct tensor *copy = temporary(k, self->dtype, self->ndim, self->size);
	if (!copy)
		return NULL;
	tensor_copy(copy, self);
	return tensor_data(copy);
}

bool positions_take(struct kernel_call *k, const struct tensor *self, const struct positions *p, struct tensor *out)
{
	const unsigned char *from = out ? rows_of(k, self) : NULL;
	struct tensor *rows = !from ? NULL : tensor_is_contiguous(out) ? out : temporary(k, self->dtype, p->ndim, p->size);
	size_t size = dtype_size(self->dtype);
	if (!rows)
		return false;
	unsigned char *to = tensor_data(rows);
	for (int64_t i = 0; i < p->n; i++, to += size)
		memcpy(to, from + (size_t)p->at[i] * size, size);
	if (rows != out)
		tensor_copy(out, rows);
	return true;
}

/* ---- Putting ---- */

bool combine_named(struct kernel_call *k, const char *name, enum combine *out)
{
	static const struct { const char *name; enum combine combine; } names[] = {
		{ "sum", COMBINE_SUM }, { "add", COMBINE_SUM }, { "prod", COMBINE_PRODUCT }, { "multiply", COMBINE_PRODUCT },
		{ "mean", COMBINE_MEAN }, { "amax", COMBINE_MAX }, { "amin", COMBINE_MIN } };
	for (size_t i = 0; name && i < sizeof names / sizeof *names; i++)
		if (strcmp(name, names[i].name) == 0)
			return *out = names[i].combine, true;
	return kernel_fail(k, "there is no reduction '%s'", name ? name : "None");
}

static double combine_reals(enum combine c, double a, double b)
{
	switch (c) {
	case COMBINE_SUM: case COMBINE_MEAN: return a + b;
	case COMBINE_PRODUCT: return a * b;
	case COMBINE_MAX: return isnan(a) || a > b ? a : b;
	case COMBINE_MIN: return isnan(a) || a < b ? a : b;
	default: return b;
	}
}

static int64_t combine_ints(enum combine c, int64_t a, int64_t b)
{
	switch (c) {
	case COMBINE_SUM: case COMBINE_MEAN: return (int64_t)((uint64_t)a + (uint64_t)b);
	case COMBINE_PRODUCT: return (int64_t)((uint64_t)a * (uint64_t)b);
	case COMBINE_MAX: return a > b ? a : b;
	case COMBINE_MIN: return a < b ? a : b;
	default: return b;
	}
}

/* How often something was put to each place, for those that count or forget. */
static int64_t *count_places(struct kernel_call *k, const struct positions *p, int64_t n)
{
	int64_t *count = scratch_alloc(k, n, sizeof *count);
	for (int64_t i = 0; count && i < p->n; i++)
		count[p->at[i]]++;
	return count;
}

struct put {
	const struct positions *p;
	enum combine combine;
	bool include_self;
	int64_t n;                       /* elements of self */
	int64_t step;                    /* 0: one source element for all */
	int64_t *count;                  /* by place; NULL when it does not matter */
};

/* The first element put to a place where self is forgotten replaces it; count turns negative then. */
static void put_reals(const struct put *w, double *x, const double *source, double factor)
{
	bool forget = w->count && !w->include_self;
	for (int64_t i = 0; i < w->p->n; i++) {
		int64_t at = w->p->at[i];
		double y = source[i * w->step] * factor;
		bool first = forget && w->count[at] > 0;
		x[at] = first ? y : combine_reals(w->combine, x[at], y);
		if (first)
			w->count[at] = -w->count[at];
	}
	for (int64_t i = 0; w->count && w->combine == COMBINE_MEAN && i < w->n; i++)
		if (w->count[i])
			x[i] /= (double)(forget ? -w->count[i] : w->count[i] + 1);
}

static int64_t floor_divide(int64_t a, int64_t b)
{
	return a / b - (a % b < 0);
}

static void put_ints(const struct put *w, int64_t *x, const int64_t *source, int64_t factor)
{
	bool forget = w->count && !w->include_self;
	for (int64_t i = 0; i < w->p->n; i++) {
		int64_t at = w->p->at[i], y = (int64_t)((uint64_t)source[i * w->step] * (uint64_t)factor);
		bool first = forget && w->count[at] > 0;
		x[at] = first ? y : combine_ints(w->combine, x[at], y);
		if (first)
			w->count[at] = -w->count[at];
	}
	for (int64_t i = 0; w->count && w->combine == COMBINE_MEAN && i < w->n; i++)
		if (w->count[i])
			x[i] = floor_divide(x[i], forget ? -w->count[i] : w->count[i] + 1);
}

bool positions_put(struct kernel_call *k, const struct tensor *self, const struct positions *p, const struct tensor *source, double factor,
                   enum combine combine, bool include_self, struct tensor *out)
{
	struct put w = { .p = p, .combine = combine, .include_self = include_self, .n = tensor_numel(self), .step = tensor_numel(source) != 1 };
	bool real = dtype_is_float(self->dtype), counted = combine != COMBINE_SET && (combine == COMBINE_MEAN || !include_self);
	if (!out || (counted && !(w.count = count_places(k, p, w.n))))
		return false;
	if (!dtype_has_elements(self->dtype))
		return fail(k->err, NNS_UNSUPPORTED, "there is no kernel for %s", dtype_name(self->dtype));
	if (real) {
		const double *s = doubles_of(k, source);
		double *x = s ? scratch_alloc(k, w.n, sizeof *x) : NULL;
		if (!x)
			return false;
		tensor_to_doubles(self, x);
		put_reals(&w, x, s, factor);
		tensor_from_doubles(out, x);
		return true;
	}
	const int64_t *s = ints_of(k, source);
	int64_t *x = s ? scratch_alloc(k, w.n, sizeof *x) : NULL;
	if (!x)
		return false;
	tensor_to_ints(self, x);
	put_ints(&w, x, s, (int64_t)factor);
	tensor_from_ints(out, x);
	return true;
}
