/*
 * Complex numbers and Fourier transforms (aten/src/ATen/native/{SpectralOps,ComplexHelper}, mkl/SpectralOps.cpp).
 * A complex tensor is read and written as pairs of doubles (window_of_parts).  A transform is its sum, dimension by
 * dimension.
 */
#include <math.h>
#include <string.h>

#include "exec/layout.h"

#define PI 3.14159265358979323846

static enum dtype complex_of(enum dtype d)
{
	return d == DT_FLOAT64 || d == DT_COMPLEX128 ? DT_COMPLEX128 : DT_COMPLEX64;
}

/* ---- One dimension ---- */

/* A number of pairs of doubles in memory, row by row. */
struct signal {
	struct kernel_call *k;
	int ndim;
	int64_t size[MAX_DIMS];
	double *v;               /* 2 * product of size */
	bool forward;
};

/* Replaces every line along dim by its transform. */
static bool transform(struct signal *s, int dim)
{
	int64_t n = s->size[dim], outer = sizes_product(s->size, 0, dim), inner = sizes_product(s->size, dim + 1, s->ndim);
	double *wave = scratch_alloc(s->k, 2 * n, sizeof *wave), *line = wave ? scratch_alloc(s->k, 2 * n, sizeof *line) : NULL;
	if (!line)
		return false;
	for (int64_t i = 0; i < n; i++) {
		wave[2 * i] = cos(2 * PI * (double)i / (double)n);
		wave[2 * i + 1] = (s->forward ? -1 : 1) * sin(2 * PI * (double)i / (double)n);
	}
	for (int64_t at = 0; at < outer * inner; at++) {
		double *first = s->v + 2 * (at / inner * n * inner + at % inner);
		for (int64_t f = 0; f < n; f++) {
			double re = 0, im = 0;
			for (int64_t i = 0, w = 0; i < n; i++, w = w + f >= n ? w + f - n : w + f) {
				const double *x = first + 2 * i * inner;
				re += x[0] * wave[2 * w] - x[1] * wave[2 * w + 1];
				im += x[0] * wave[2 * w + 1] + x[1] * wave[2 * w];
			}
			line[2 * f] = re;
			line[2 * f + 1] = im;
		}
		for (int64_t f = 0; f < n; f++)
			memcpy(first + 2 * f * inner, line + 2 * f, 2 * sizeof *line);
	}
	return true;
}

static bool signal_read(struct kernel_call *k, struct tensor *self, bool forward, struct signal *s)
{
	struct window w;
	int64_t n = tensor_numel(self);
	*s = (struct signal){ .k = k, .ndim = self->ndim, .forward = forward, .v = scratch_alloc(k, 2 * n, sizeof(double)) };
	if (!s->v || self->ndim >= MAX_DIMS - 1)
		return false;
	memcpy(s->size, self->size, (size_t)self->ndim * sizeof *s->size);
	if (dtype_is_complex(self->dtype)) {
		tensor_to_doubles(window_of_parts(&w, self), s->v);
		return true;
	}
	const double *x = doubles_of(k, self);
	for (int64_t i = 0; x && i < n; i++)
		s->v[2 * i] = x[i];
	return x != NULL;
}

/* ---- Which dimensions, and how the result lies in memory ---- */

struct order {
	int n, dims[MAX_DIMS];
};

/* The last one given stays last when keep_last, the others come by falling stride. */
static bool order_of(struct kernel_call *k, const struct tensor *self, bool keep_last, struct order *o)
{
	const int64_t *given = arg_ints(k, "dim", &o->n);
	if (!given)
		return false;
	bool seen[MAX_DIMS] = { false };
	for (int i = 0; i < o->n; i++) {
		int64_t d = given[i] < 0 ? given[i] + self->ndim : given[i];
		if (d < 0 || d >= self->ndim || seen[d])
			return kernel_fail(k, "dimension %lld cannot be transformed", (long long)given[i]);
		seen[d] = true;
		int j = i;
		for (; j > 0 && !(keep_last && i == o->n - 1) && self->stride[o->dims[j - 1]] < self->stride[d]; j--)
			o->dims[j] = o->dims[j - 1];
		o->dims[j] = (int)d;
	}
	return o->n > 0 || kernel_fail(k, "there is no dimension to transform");
}

/* Batch dimensions by falling stride, then the transformed ones (_exec_fft). */
static void order_strides(const struct tensor *self, const int64_t *old, const struct order *o, const int64_t *size, int64_t *stride)
{
	int order[MAX_DIMS], k = 0;
	for (int d = 0; d < self->ndim; d++) {
		bool is_batch = true;
		for (int i = 0; i < o->n; i++)
			is_batch = is_batch && o->dims[i] != d;
		if (!is_batch)
			continue;
		int j = k++;
		for (; j > 0 && old[order[j - 1]] < old[d]; j--)
			order[j] = order[j - 1];
		order[j] = d;
	}
	memcpy(order + k, o->dims, (size_t)o->n * sizeof *o->dims);
	int64_t next = 1;
	for (int i = self->ndim - 1; i >= 0; i--) {
		stride[order[i]] = next;
		next *= size[order[i]] > 1 ? size[order[i]] : 1;
	}
}

/* ---- The three transforms ---- */

/* normalization: 0 none, 1 by the root of n, 2 by n */
static double factor(struct kernel_call *k, const struct signal *s, const struct order *o)
{
	int64_t how = arg_int(k, "normalization", 0);
	double n = 1;
	for (int i = 0; i < o->n; i++)
		n *= (double)s->size[o->dims[i]];
	return how == 0 || n == 0 ? 1 : how == 1 ? 1 / sqrt(n) : 1 / n;
}

/* The result: the first part of the signal along every dimension. */
static bool signal_write(struct kernel_call *k, const struct signal *s, struct tensor *out, double by)
{
	struct window w;
	double *v = out ? scratch_alloc(k, 2 * tensor_numel(out), sizeof *v) : NULL;
	bool pairs = out && dtype_is_complex(out->dtype);
	int64_t index[MAX_DIMS] = { 0 };
	for (int64_t i = 0, n = v ? tensor_numel(out) : 0; i < n; i++) {
		int64_t at = 0;
		for (int d = 0; d < s->ndim; d++)
			at = at * s->size[d] + index[d];
		v[pairs ? 2 * i : i] = s->v[2 * at] * by;
		if (pairs)
			v[2 * i + 1] = s->v[2 * at + 1] * by;
		for (int d = s->ndim - 1; d >= 0 && ++index[d] == out->size[d]; d--)
			index[d] = 0;
	}
	if (v)
		tensor_from_doubles(window_of_parts(&w, out), v);
	return v != NULL;
}

static bool to_complex(struct kernel_call *k, bool real)
{
	struct tensor *self = arg_tensor(k, "self");
	bool forward = real || arg_bool(k, "forward", true);
	struct order o;
	struct signal s;
	int64_t size[MAX_DIMS], stride[MAX_DIMS];
	if (real ? !dtype_is_float(self->dtype) : !dtype_is_complex(self->dtype))
		return kernel_fail(k, "%s is not what is transformed here", dtype_name(self->dtype));
	if (!order_of(k, self, real, &o) || !signal_read(k, self, forward, &s))
		return false;
	for (int i = 0; i < o.n; i++)
		if (!transform(&s, o.dims[i]))
			return false;
	memcpy(size, self->size, (size_t)self->ndim * sizeof *size);
	if (real && arg_bool(k, "onesided", true))
		size[o.dims[o.n - 1]] = size[o.dims[o.n - 1]] / 2 + 1;
	order_strides(self, self->stride, &o, size, stride);
	return signal_write(k, &s, out_strided(k, complex_of(self->dtype), self->ndim, size, stride), factor(k, &s, &o));
}

static bool k_real_to_complex(struct kernel_call *k)
{
	return to_complex(k, true);
}

static bool k_complex_to_complex(struct kernel_call *k)
{
	return to_complex(k, false);
}

/* The half that the last dimension lacks is the conjugate of the half that is there; the transform is then real. */
static bool complete_half(struct kernel_call *k, const struct signal *half, int dim, int64_t n, struct signal *whole)
{
	int64_t have = half->size[dim], outer = sizes_product(half->size, 0, dim), inner = sizes_product(half->size, dim + 1, half->ndim);
	*whole = *half;
	whole->size[dim] = n;
	whole->v = scratch_alloc(k, 2 * outer * n * inner, sizeof *whole->v);
	for (int64_t at = 0; whole->v && at < outer * inner; at++)
		for (int64_t f = 0; f < n; f++) {
			bool mirrored = f > n / 2;
			int64_t from = mirrored ? n - f : f;
			double *to = whole->v + 2 * ((at / inner * n + f) * inner + at % inner);
			if (from >= have)
				continue;
			const double *x = half->v + 2 * ((at / inner * have + from) * inner + at % inner);
			to[0] = x[0];
			to[1] = f == 0 || 2 * f == n ? 0 : mirrored ? -x[1] : x[1];
		}
	return whole->v != NULL;
}

static bool k_to_real(struct kernel_call *k)
{
	struct tensor *self = arg_tensor(k, "self");
	struct order o, last, rest;
	struct signal half, whole;
	int64_t size[MAX_DIMS], stride[MAX_DIMS], between[MAX_DIMS], n = arg_int(k, "last_dim_size", 0);
	if (!dtype_is_complex(self->dtype) || n < 1)
		return kernel_fail(k, "expected complex numbers and a size, not %s and %lld", dtype_name(self->dtype), (long long)n);
	if (!order_of(k, self, true, &o) || !signal_read(k, self, false, &half))
		return false;
	last = (struct order){ .n = 1, .dims = { o.dims[o.n - 1] } };
	rest = o;
	rest.n--;
	for (int i = 0; i < rest.n; i++)
		if (!transform(&half, o.dims[i]))
			return false;
	if (!complete_half(k, &half, last.dims[0], n, &whole) || !transform(&whole, last.dims[0]))
		return false;
	memcpy(between, self->stride, (size_t)self->ndim * sizeof *between);
	if (rest.n > 0)
		order_strides(self, self->stride, &rest, self->size, between);
	memcpy(size, self->size, (size_t)self->ndim * sizeof *size);
	size[last.dims[0]] = n;
	order_strides(self, between, &last, size, stride);
	enum dtype d = self->dtype == DT_COMPLEX128 ? DT_FLOAT64 : DT_FLOAT32;
	return signal_write(k, &whole, out_strided(k, d, self->ndim, size, stride), factor(k, &whole, &o));
}

/* ---- Complex numbers ---- */

/* torch.conj() is a view that says so; here it is a tensor with the other sign. */
static bool k_conj(struct kernel_call *k)
{
	struct tensor *self = arg_tensor(k, "self"), *out = out_strided(k, self->dtype, self->ndim, self->size, self->stride);
	struct window w;
	if (!out)
		return false;
	tensor_copy(out, self);
	int64_t n = tensor_numel(out);
	double *v = dtype_is_complex(self->dtype) ? scratch_alloc(k, 2 * n, sizeof *v) : NULL;
	if (!v)
		return !dtype_is_complex(self->dtype);
	tensor_to_doubles(window_of_parts(&w, out), v);
	for (int64_t i = 0; i < n; i++)
		v[2 * i + 1] = -v[2 * i + 1];
	tensor_from_doubles(window_of_parts(&w, out), v);
	return true;
}

static bool k_view_as_real(struct kernel_call *k)
{
	struct tensor *self = arg_tensor(k, "self");
	struct window w;
	const struct tensor *parts = window_of_parts(&w, self);
	if (parts == self)
		return kernel_fail(k, "%s is not complex", dtype_name(self->dtype));
	return out_view(k, parts, parts->ndim, parts->size, parts->stride, parts->offset) != NULL;
}

static bool k_view_as_complex(struct kernel_call *k)
{
	struct tensor *self = arg_tensor(k, "self");
	int64_t stride[MAX_DIMS];
	int n = self->ndim - 1;
	if (n < 0 || self->size[n] != 2 || self->stride[n] != 1 || (self->dtype != DT_FLOAT32 && self->dtype != DT_FLOAT64))
		return kernel_fail(k, "the last dimension does not hold pairs of float32 or float64");
	for (int i = 0; i < n; i++)
		stride[i] = self->stride[i] / 2;
	struct tensor pairs = *self;
	pairs.dtype = complex_of(self->dtype);
	return out_view(k, &pairs, n, self->size, stride, self->offset / 2) != NULL;
}

/* complex(real, imag) and polar(abs, angle) */
static bool complex_of_two(struct kernel_call *k, bool polar)
{
	struct tensor *in[2] = { arg_tensor(k, polar ? "abs" : "real"), arg_tensor(k, polar ? "angle" : "imag") };
	int64_t size[MAX_DIMS], stride[MAX_DIMS];
	int ndim;
	if (!broadcast_shapes(k, in, 2, &ndim, size))
		return false;
	pointwise_strides(in, 2, ndim, size, stride);
	struct tensor *out = out_strided(k, complex_of(in[0]->dtype), ndim, size, stride);
	struct window a, b, parts;
	window_of(&a, in[0]);
	window_expand(&a, ndim, size);
	window_of(&b, in[1]);
	window_expand(&b, ndim, size);
	const double *x = out ? doubles_of(k, &a.t) : NULL, *y = x ? doubles_of(k, &b.t) : NULL;
	int64_t n = y ? tensor_numel(out) : 0;
	double *v = y ? scratch_alloc(k, 2 * n, sizeof *v) : NULL;
	for (int64_t i = 0; v && i < n; i++) {
		v[2 * i] = polar ? x[i] * cos(y[i]) : x[i];
		v[2 * i + 1] = polar ? x[i] * sin(y[i]) : y[i];
	}
	if (v)
		tensor_from_doubles(window_of_parts(&parts, out), v);
	return v != NULL;
}

static bool k_complex(struct kernel_call *k)
{
	return complex_of_two(k, false);
}

static bool k_polar(struct kernel_call *k)
{
	return complex_of_two(k, true);
}

const struct kernel_row fft_kernels[] = {
	{ .name = "_fft_r2c", .run = k_real_to_complex },
	{ .name = "_fft_c2c", .run = k_complex_to_complex },
	{ .name = "_fft_c2r", .run = k_to_real },
	{ .name = "_conj", .run = k_conj },
	{ .name = "conj_physical", .run = k_conj },
	{ .name = "_conj_physical", .run = k_conj },
	{ .name = "view_as_real", .run = k_view_as_real },
	{ .name = "view_as_complex", .run = k_view_as_complex },
	{ .name = "complex", .run = k_complex },
	{ .name = "polar", .run = k_polar },
	{ 0 }
};
