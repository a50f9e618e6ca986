/*
 * Tensors made from nothing: constants, sequences, windows
 * (aten/src/ATen/native/{TensorFactories,RangeFactories}.cpp,
 * native/cpu/RangeFactoriesKernel.cpp).  "Empty" ones are zeros.
 */
#include <math.h>
#include <string.h>

#include "exec/layout.h"

static const double pi = 3.14159265358979323846;

/* ---- From sizes ---- */

static const int64_t *checked_sizes(struct kernel_call *k, const char *name, int *n)
{
	const int64_t *size = arg_ints(k, name, n);
	if (!size)
		return NULL;
	if (*n < 0 || *n > MAX_DIMS)
		return kernel_fail(k, "%d dimensions are not possible", *n), NULL;
	for (int i = 0; i < *n; i++)
		if (size[i] < 0)
			return kernel_fail(k, "size %lld is negative", (long long)size[i]), NULL;
	return size;
}

/* Filled with the number v; false when out is NULL. */
static bool fill(struct kernel_call *k, struct tensor *out, double v)
{
	struct tensor *one = out && v != 0 ? temporary(k, DT_FLOAT64, 0, NULL) : NULL;
	if (!out || (v != 0 && !one))
		return false;
	if (v == 0)
		return true;
	memcpy(tensor_data(one), &v, sizeof v);
	return copy_into(k, out, one);
}

/* variant: the number that fills it.  zeros, ones, empty, and new_zeros ... which have the type of self */
static bool k_sized(struct kernel_call *k)
{
	struct tensor *self = arg_tensor(k, "self");
	int n;
	const int64_t *size = checked_sizes(k, "size", &n);
	if (!size)
		return false;
	enum dtype d = arg_dtype(k, "dtype", self ? self->dtype : DT_FLOAT32);
	return size && fill(k, out_format(k, d, n, size, arg_format(k, FORMAT_CONTIGUOUS)), k->row->variant);
}

static bool k_like(struct kernel_call *k)
{
	struct tensor *self = arg_tensor(k, "self");
	return fill(k, out_like_format(k, self, arg_dtype(k, "dtype", self->dtype), arg_format(k, FORMAT_PRESERVE)), k->row->variant);
}

static bool full(struct kernel_call *k, bool like)
{
	struct tensor *self = arg_tensor(k, "self"), *value = arg_operand(k, "fill_value");
	int n = 0;
	const int64_t *size = like ? self->size : checked_sizes(k, "size", &n);
	if (!size || !value)
		return false;
	enum dtype of_value = value->dtype == DT_FLOAT64 ? DT_FLOAT32 : value->dtype, d = arg_dtype(k, "dtype", self ? self->dtype : of_value);
	struct tensor *out = like ? out_like_format(k, self, d, arg_format(k, FORMAT_PRESERVE)) :
	                            out_format(k, d, n, size, arg_format(k, FORMAT_CONTIGUOUS));
	return out && copy_into(k, out, value);
}

static bool k_full(struct kernel_call *k)
{
	return full(k, false);
}

static bool k_full_like(struct kernel_call *k)
{
	return full(k, true);
}

static bool k_sized_strided(struct kernel_call *k)
{
	struct tensor *self = arg_tensor(k, "self");
	int n, m;
	const int64_t *size = checked_sizes(k, "size", &n), *stride = arg_ints(k, "stride", &m);
	if (!size || !stride)
		return false;
	if (size && n != m)
		return kernel_fail(k, "%d sizes but %d strides", n, m);
	return size && out_strided(k, arg_dtype(k, "dtype", self ? self->dtype : DT_FLOAT32), n, size, stride);
}

/* Dimensions lie in memory in the order of physical_layout. */
static bool k_sized_permuted(struct kernel_call *k)
{
	int n, m;
	const int64_t *size = checked_sizes(k, "size", &n), *order = arg_ints(k, "physical_layout", &m);
	if (!size || !order)
		return false;
	int64_t stride[MAX_DIMS] = { 0 }, next = 1;
	if (size && n != m)
		return kernel_fail(k, "%d sizes but a layout of %d dimensions", n, m);
	for (int i = n - 1; size && i >= 0; i--) {
		int64_t d = order[i] < 0 ? order[i] + n : order[i];
		if (d < 0 || d >= n || stride[d] != 0)
			return kernel_fail(k, "dimension %lld is out of range or named twice", (long long)order[i]);
		stride[d] = next;
		if (__builtin_mul_overflow(next, size[d] > 1 ? size[d] : 1, &next))
			return kernel_fail(k, "has more elements than can be counted");
	}
	return size && out_strided(k, arg_dtype(k, "dtype", DT_FLOAT32), n, size, stride);
}

static bool k_eye(struct kernel_call *k)
{
	int64_t n = arg_int(k, "n", 0), size[2] = { n, arg_int(k, "m", n) };
	if (size[0] < 0 || size[1] < 0)
		return kernel_fail(k, "sizes %lld and %lld must not be negative", (long long)size[0], (long long)size[1]);
	struct tensor *out = out_new(k, arg_dtype(k, "dtype", DT_FLOAT32), 2, size);
	struct window w;
	if (!out)
		return false;
	window_of(&w, out);
	return window_diagonal(&w, 0, 0, 1) && fill(k, &w.t, 1);
}

static bool k_scalar_tensor(struct kernel_call *k)
{
	struct tensor *value = arg_operand(k, "s");
	struct tensor *out = value ? out_new(k, arg_dtype(k, "dtype", DT_FLOAT32), 0, NULL) : NULL;
	return out && copy_into(k, out, value);
}

/* ---- Sequences ---- */

static bool is_whole(struct kernel_call *k, const char *name)
{
	int i = op_arg_index(k->op, name);
	return i < 0 || datum_is_int(k->args[i]);
}

static struct tensor *out_list(struct kernel_call *k, enum dtype d, double n)
{
	if (!(n >= 0 && n < 4e18))
		return kernel_fail(k, "has more elements than can be counted"), NULL;
	int64_t size = (int64_t)n;
	return out_new(k, d, 1, &size);
}

static bool range_fails(struct kernel_call *k, double start, double end, double step)
{
	if (step == 0 || !isfinite(start) || !isfinite(end) || !isfinite(step))
		return kernel_fail(k, "there is no range from %g to %g by %g", start, end, step), true;
	if ((step > 0 && end < start) || (step < 0 && end > start))
		return kernel_fail(k, "steps of %g do not lead from %g to %g", step, start, end), true;
	return false;
}

/* Whole numbers in whole arithmetic: beyond 2^53 too. */
static bool arange_ints(struct kernel_call *k, enum dtype d)
{
	int64_t start = arg_int(k, "start", 0), end = arg_int(k, "end", 0), step = arg_int(k, "step", 1);
	if (range_fails(k, (double)start, (double)end, (double)step))
		return false;
	int64_t span;
	if (__builtin_sub_overflow(end, start, &span))
		return kernel_fail(k, "has more elements than can be counted");
	double n = d == DT_INT64 ? ceil((double)span / (double)step)
	                         : ceil((arg_real(k, "end", 0) - arg_real(k, "start", 0)) / arg_real(k, "step", 1));
	struct tensor *out = out_list(k, d, n);
	int64_t *v = out ? ints_for(k, out) : NULL;
	for (int64_t i = 0; v && i < out->size[0]; i++)
		v[i] = start + i * step;
	return v != NULL;
}

static bool counted(struct kernel_call *k, bool inclusive)
{
	bool whole = is_whole(k, "start") && is_whole(k, "end") && is_whole(k, "step");
	double start = arg_real(k, "start", 0), end = arg_real(k, "end", 0), step = arg_real(k, "step", 1);
	enum dtype d = arg_dtype(k, "dtype", whole && !inclusive ? DT_INT64 : DT_FLOAT32);
	if (range_fails(k, start, end, step))
		return false;
	if (dtype_is_integral(d) && !inclusive)
		return arange_ints(k, d);
	struct tensor *out = out_list(k, d, inclusive ? floor((end - start) / step) + 1 : ceil((end - start) / step));
	double *v = out ? doubles_for(k, out) : NULL;
	for (int64_t i = 0; v && i < out->size[0]; i++)
		v[i] = start + (double)i * step;
	return v != NULL;
}

static bool k_arange(struct kernel_call *k)
{
	return counted(k, false);
}

static bool k_range(struct kernel_call *k)
{
	return counted(k, true);
}

/* A number, or a tensor without dimensions, in the type that the sequence is computed in. */
static bool bound(struct kernel_call *k, const char *name, enum dtype d, double *out)
{
	struct tensor *t = arg_operand(k, name);
	if (!t)
		return false;
	if (t->ndim > 0)
		return kernel_fail(k, "%s has %d dimensions; expected none", name, t->ndim);
	const double *v = doubles_of(k, t);
	if (v)
		*out = d == DT_FLOAT64 ? v[0] : dtype_is_float(d) ? (float)v[0] : trunc(v[0]);
	return v != NULL;
}

/* Counted from the nearer end; logspace: powers of base. */
static bool spaced(struct kernel_call *k, bool powers)
{
	int64_t n = arg_int(k, "steps", 0);
	enum dtype d = arg_dtype(k, "dtype", DT_FLOAT32);
	double start, end, base = arg_real(k, "base", 10);
	if (n < 0)
		return kernel_fail(k, "the number of steps must not be negative");
	if (!bound(k, "start", d, &start) || !bound(k, "end", d, &end))
		return false;
	struct tensor *out = out_list(k, d, (double)n);
	double *v = out ? doubles_for(k, out) : NULL, step = n > 1 ? (end - start) / (double)(n - 1) : 0;
	if (d != DT_FLOAT64 && (powers || dtype_is_float(d)))
		step = (float)step;
	for (int64_t i = 0; v && i < n; i++) {
		v[i] = i < n / 2 || n == 1 ? start + step * (double)i : end - step * (double)(n - 1 - i);
		v[i] = powers ? pow(base, v[i]) : v[i];
	}
	return v != NULL;
}

static bool k_linspace(struct kernel_call *k)
{
	return spaced(k, false);
}

static bool k_logspace(struct kernel_call *k)
{
	return spaced(k, true);
}

/* Rows and columns of the places on one side of diagonal `offset`, row by row. */
static bool triangle_indices(struct kernel_call *k, bool lower)
{
	int64_t row = arg_int(k, "row", 0), col = arg_int(k, "col", 0), offset = arg_int(k, "offset", 0), most = (int64_t)1 << 30;
	int64_t size[2] = { 2, 0 };
	if (row < 0 || col < 0 || row > most || col > most || offset > most || offset < -most)
		return kernel_fail(k, "%lld rows, %lld columns and offset %lld are not possible", (long long)row, (long long)col, (long long)offset);
	for (int64_t i = 0; i < row; i++) {
		int64_t edge = i + offset + (lower ? 1 : 0);    /* the first column that is not below */
		edge = edge < 0 ? 0 : edge > col ? col : edge;
		size[1] += lower ? edge : col - edge;
	}
	struct tensor *out = out_new(k, arg_dtype(k, "dtype", DT_INT64), 2, size);
	int64_t *v = out ? ints_for(k, out) : NULL, n = 0;
	for (int64_t i = 0; v && i < row; i++)
		for (int64_t j = lower ? 0 : i + offset < 0 ? 0 : i + offset; j < col && (!lower || j <= i + offset); j++, n++) {
			v[n] = i;
			v[size[1] + n] = j;
		}
	return v != NULL;
}

static bool k_tril_indices(struct kernel_call *k)
{
	return triangle_indices(k, true);
}

static bool k_triu_indices(struct kernel_call *k)
{
	return triangle_indices(k, false);
}

static bool frequencies(struct kernel_call *k, bool half)
{
	int64_t n = arg_int(k, "n", 0);
	double d = arg_real(k, "d", 1);
	if (n <= 0 && !(half && n == 0))
		return kernel_fail(k, "%lld frequencies are not possible", (long long)n);
	struct tensor *out = out_list(k, arg_dtype(k, "dtype", DT_FLOAT32), (double)(half ? n / 2 + 1 : n));
	double *v = out ? doubles_for(k, out) : NULL;
	for (int64_t i = 0; v && i < out->size[0]; i++)
		v[i] = (double)(half || i < (n + 1) / 2 ? i : i - n) * (1.0 / ((double)n * d));
	return v != NULL;
}

static bool k_fftfreq(struct kernel_call *k)
{
	return frequencies(k, false);
}

static bool k_rfftfreq(struct kernel_call *k)
{
	return frequencies(k, true);
}

/* ---- Windows ---- */

/* The Bessel function of order 0, by its series (its terms are positive). */
static double bessel_i0(double x)
{
	double term = 1, sum = 1;
	for (int i = 1; i < 1000 && term > sum * 1e-17; i++) {
		term *= (x / 2 / i) * (x / 2 / i);
		sum += term;
	}
	return sum;
}

/* Value i of a symmetric window over m steps; a and b are its parameters. */
typedef double window_fn(double i, double m, double a, double b);

static double cosine_window(double i, double m, double a, double b)
{
	return a - b * cos(2 * pi * i / m);
}

static double blackman_window(double i, double m, double a, double b)
{
	double x = 2 * pi * i / m;
	(void)a, (void)b;
	return 0.42 - 0.5 * cos(x) + 0.08 * cos(2 * x);
}

static double bartlett_window(double i, double m, double a, double b)
{
	(void)a, (void)b;
	return 1 - fabs(2 * i / m - 1);
}

static double kaiser_window(double i, double m, double beta, double b)
{
	double r = 2 * i / m - 1;
	(void)b;
	return bessel_i0(beta * sqrt(fmax(0, 1 - r * r))) / bessel_i0(beta);
}

/* A periodic window is the symmetric one of a point more, without its last. */
static bool window(struct kernel_call *k, window_fn *value, double a, double b)
{
	int64_t n = arg_int(k, "window_length", 0), m = n - (arg_bool(k, "periodic", true) ? 0 : 1);
	enum dtype d = arg_dtype(k, "dtype", DT_FLOAT32);
	if (n < 0 || !dtype_is_float(d))
		return kernel_fail(k, "a window of %lld values of %s is not possible", (long long)n, dtype_name(d));
	struct tensor *out = out_list(k, d, (double)n);
	double *v = out ? doubles_for(k, out) : NULL;
	for (int64_t i = 0; v && i < n; i++)
		v[i] = n == 1 ? 1 : value((double)i, (double)m, a, b);
	return v != NULL;
}

static bool k_bartlett(struct kernel_call *k)
{
	return window(k, bartlett_window, 0, 0);
}

static bool k_blackman(struct kernel_call *k)
{
	return window(k, blackman_window, 0, 0);
}

static bool k_hann(struct kernel_call *k)
{
	return window(k, cosine_window, 0.5, 0.5);
}

static bool k_hamming(struct kernel_call *k)
{
	return window(k, cosine_window, arg_real(k, "alpha", 0.54), arg_real(k, "beta", 0.46));
}

static bool k_kaiser(struct kernel_call *k)
{
	return window(k, kaiser_window, arg_real(k, "beta", 12), 0);
}

const struct kernel_row create_kernels[] = {
	{ .name = "zeros", .run = k_sized },
	{ .name = "ones", .variant = 1, .run = k_sized },
	{ .name = "empty.memory_format", .run = k_sized },
	{ .name = "_efficientzerotensor", .run = k_sized },
	{ .name = "new_zeros", .run = k_sized },
	{ .name = "new_ones", .variant = 1, .run = k_sized },
	{ .name = "new_empty", .run = k_sized },
	{ .name = "zeros_like", .run = k_like },
	{ .name = "ones_like", .variant = 1, .run = k_like },
	{ .name = "empty_like", .run = k_like },
	{ .name = "full", .run = k_full },
	{ .name = "new_full", .run = k_full },
	{ .name = "full_like", .run = k_full_like },
	{ .name = "empty_strided", .run = k_sized_strided },
	{ .name = "new_empty_strided", .run = k_sized_strided },
	{ .name = "empty_permuted", .run = k_sized_permuted },
	{ .name = "eye", .run = k_eye },
	{ .name = "scalar_tensor", .run = k_scalar_tensor },
	{ .name = "arange", .run = k_arange },
	{ .name = "range", .run = k_range },
	{ .name = "linspace", .run = k_linspace },
	{ .name = "logspace", .run = k_logspace },
	{ .name = "tril_indices", .run = k_tril_indices },
	{ .name = "triu_indices", .run = k_triu_indices },
	{ .name = "fft_fftfreq", .run = k_fftfreq },
	{ .name = "fft_rfftfreq", .run = k_rfftfreq },
	{ .name = "bartlett_window", .run = k_bartlett },
	{ .name = "blackman_window", .run = k_blackman },
	{ .name = "hann_window", .run = k_hann },
	{ .name = "hamming_window", .run = k_hamming },
	{ .name = "kaiser_window", .run = k_kaiser },
	{ 0 },
};
