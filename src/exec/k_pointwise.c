/*
 * Element-wise operators of two and three operands
 * (aten/src/ATen/native/cpu/{BinaryOps,PointwiseOps,TensorCompare,Lerp,Pow}Kernel.cpp).
 */
#include <math.h>
#include <string.h>

#include "exec/kernel.h"

#define REAL(name, expression) \
	static void real_##name(double *out, const double *const *in, int64_t n, const double *p) \
	{ \
		(void)p; \
		for (int64_t i = 0; i < n; i++) { \
			double x = in[0][i], y = in[1][i]; \
			out[i] = (expression); \
		} \
	}
#define WHOLE(name, expression) \
	static void whole_##name(int64_t *out, const int64_t *const *in, int64_t n, const int64_t *p) \
	{ \
		(void)p; \
		for (int64_t i = 0; i < n; i++) { \
			int64_t x = in[0][i], y = in[1][i]; \
			out[i] = (int64_t)(expression); \
		} \
	}
/* a third operand, z */
#define REAL3(name, expression) \
	static void real_##name(double *out, const double *const *in, int64_t n, const double *p) \
	{ \
		(void)p; \
		for (int64_t i = 0; i < n; i++) { \
			double x = in[0][i], y = in[1][i], z = in[2][i]; \
			out[i] = (expression); \
		} \
	}
#define WHOLE3(name, expression) \
	static void whole_##name(int64_t *out, const int64_t *const *in, int64_t n, const int64_t *p) \
	{ \
		(void)p; \
		for (int64_t i = 0; i < n; i++) { \
			int64_t x = in[0][i], y = in[1][i], z = in[2][i]; \
			out[i] = (int64_t)(expression); \
		} \
	}

/* ---- Arithmetic; integers wrap around ---- */

static int64_t times(int64_t a, int64_t b) { return (int64_t)((uint64_t)a * (uint64_t)b); }

REAL(add, x + p[0] * y) WHOLE(add, (uint64_t)x + (uint64_t)times(p[0], y))
REAL(sub, x - p[0] * y) WHOLE(sub, (uint64_t)x - (uint64_t)times(p[0], y))
REAL(rsub, y - p[0] * x) WHOLE(rsub, (uint64_t)y - (uint64_t)times(p[0], x))
REAL(mul, x * y) WHOLE(mul, times(x, y))
REAL(div, x / y)
REAL3(addcmul, x + p[0] * y * z) WHOLE3(addcmul, (uint64_t)x + (uint64_t)times(times(p[0], y), z))
REAL3(addcdiv, x + p[0] * y / z)
REAL3(lerp, fabs(z) < 0.5 ? x + z * (y - x) : y - (y - x) * (1 - z))

/* div_floor_floating() of c10/util/generic_math.h */
static double floor_div(double a, double b)
{
	if (b == 0)
		return a / b;
	double mod = fmod(a, b), div = (a - mod) / b;
	if (mod != 0 && (b < 0) != (mod < 0))
		div -= 1;
	if (div == 0)
		return copysign(0, a / b);
	double floored = floor(div);
	return div - floored > 0.5 ? floored + 1 : floored;
}

/* INT64_MIN / -1 wraps, as it does for smaller integers. */
static int64_t trunc_div_whole(int64_t a, int64_t b) { return b == -1 ? (int64_t)(0 - (uint64_t)a) : a / b; }
static int64_t mod_whole(int64_t a, int64_t b) { return b == -1 ? 0 : a % b; }

static int64_t floor_div_whole(int64_t a, int64_t b)
{
	int64_t q = trunc_div_whole(a, b), r = mod_whole(a, b);
	return r != 0 && (r < 0) != (b < 0) ? q - 1 : q;
}

static double python_mod(double a, double b)
{
	double m = fmod(a, b);
	return m != 0 && (b < 0) != (m < 0) ? m + b : m;
}

static int64_t python_mod_whole(int64_t a, int64_t b)
{
	int64_t m = mod_whole(a, b);
	return m != 0 && (b < 0) != (m < 0) ? m + b : m;
}

REAL(floor_divide, floor_div(x, y)) WHOLE(floor_divide, floor_div_whole(x, y))
REAL(trunc_divide, trunc(x / y)) WHOLE(trunc_divide, trunc_div_whole(x, y))
REAL(remainder, python_mod(x, y)) WHOLE(remainder, python_mod_whole(x, y))
REAL(fmod, fmod(x, y)) WHOLE(fmod, mod_whole(x, y))

/* powi() of aten/src/ATen/native/Pow.h; negative exponents leave 1 and -1 whole. */
static int64_t power_whole(int64_t x, int64_t y)
{
	if (y < 0)
		return x == 1 ? 1 : x == -1 ? (y % 2 ? -1 : 1) : 0;
	int64_t r = 1;
	for (; y; y >>= 1, x = times(x, x))
		if (y & 1)
			r = times(r, x);
	return r;
}
REAL(pow, pow(x, y)) WHOLE(pow, power_whole(x, y))

/* ---- Choices; a NaN wins, but with fmax and fmin ---- */

REAL(maximum, isnan(x) || isnan(y) ? NAN : x > y ? x : y) WHOLE(maximum, x > y ? x : y)
REAL(minimum, isnan(x) || isnan(y) ? NAN : x < y ? x : y) WHOLE(minimum, x < y ? x : y)
REAL(fmax, fmax(x, y)) REAL(fmin, fmin(x, y))
/* the limits of clamp: high wins over low */
REAL3(clamp, isnan(x) || isnan(y) || isnan(z) ? NAN : fmin(fmax(x, y), z)) WHOLE3(clamp, (x < y ? y : x) > z ? z : x < y ? y : x)
REAL(heaviside, isnan(x) ? x : x == 0 ? y : x > 0)
REAL3(where, x != 0 ? y : z) WHOLE3(where, x != 0 ? y : z)

/* ---- Functions ---- */

REAL(atan2, atan2(x, y)) REAL(hypot, hypot(x, y)) REAL(copysign, copysign(x, y))
REAL(xlogy, isnan(y) ? NAN : x == 0 ? 0 : x * log(y)) REAL(xlog1py, isnan(y) ? NAN : x == 0 ? 0 : x * log1p(y))
REAL(logaddexp, isinf(x) && x == y ? x : fmax(x, y) + log1p(exp(-fabs(x - y))))
REAL(logaddexp2, isinf(x) && x == y ? x : fmax(x, y) + log1p(exp2(-fabs(x - y))) / log(2))
REAL(ldexp, x * exp2(y))

static int64_t gcd(int64_t a, int64_t b)
{
	while (b) {
		int64_t r = mod_whole(a, b);
		a = b;
		b = r;
	}
	return a < 0 ? (int64_t)(0 - (uint64_t)a) : a;
}
static int64_t lcm(int64_t a, int64_t b)
{
	int64_t g = gcd(a, b), m = g ? times(trunc_div_whole(a, g), b) : 0;
	return m < 0 ? (int64_t)(0 - (uint64_t)m) : m;
}
WHOLE(gcd, gcd(x, y)) WHOLE(lcm, lcm(x, y))
REAL(nextafter, nextafter(x, y)) REAL(nextafterf, nextafterf((float)x, (float)y))

/* ---- Comparisons and logic ---- */

REAL(eq, x == y) WHOLE(eq, x == y) REAL(ne, x != y) WHOLE(ne, x != y)
REAL(lt, x < y) WHOLE(lt, x < y) REAL(le, x <= y) WHOLE(le, x <= y)
REAL(gt, x > y) WHOLE(gt, x > y) REAL(ge, x >= y) WHOLE(ge, x >= y)
REAL(logical_and, x != 0 && y != 0) WHOLE(logical_and, x != 0 && y != 0)
REAL(logical_or, x != 0 || y != 0) WHOLE(logical_or, x != 0 || y != 0)
REAL(logical_xor, (x != 0) != (y != 0)) WHOLE(logical_xor, (x != 0) != (y != 0))
WHOLE(and, x & y) WHOLE(or, x | y) WHOLE(xor, x ^ y)
/* BinaryOpsKernel.cpp: a shift by more bits than there are leaves nothing, or the sign */
WHOLE(shift_left, y < 0 || y > 63 ? 0 : (int64_t)((uint64_t)x << y))
WHOLE(shift_right, x >> (y < 0 || y > 63 ? 63 : y))

/* ---- What rows alone cannot say ---- */

#define ROW(f) { .real = real_##f, .whole = whole_##f, .operands = "self,other" }

/* Integers have no division by zero. */
static bool nonzero_divisor(struct kernel_call *k)
{
	struct tensor *in[2] = { arg_operand(k, "self"), arg_operand(k, "other") };
	if (!in[0] || !in[1])
		return false;
	if (!dtype_has_elements(in[1]->dtype) || dtype_is_float(tensors_result_type(in, 2)))
		return true;
	const int64_t *v = ints_of(k, in[1]);
	for (int64_t i = 0, n = tensor_numel(in[1]); v && i < n; i++)
		if (v[i] == 0)
			return kernel_fail(k, "a division of integers by zero");
	return v != NULL;
}

static bool divide(struct kernel_call *k, const struct kernel_row *row)
{
	return nonzero_divisor(k) && kernel_pointwise(k, row);
}

static const struct kernel_row floor_row = ROW(floor_divide), trunc_row = ROW(trunc_divide), remainder_row = ROW(remainder), fmod_row = ROW(fmod);
static bool k_floor_divide(struct kernel_call *k) { return divide(k, &floor_row); }
static bool k_remainder(struct kernel_call *k) { return divide(k, &remainder_row); }
static bool k_fmod(struct kernel_call *k) { return divide(k, &fmod_row); }

/* The quotient is rounded to the operands' type before it is truncated: -10.9999999 is -11 in float32. */
static void real_trunc_float(double *out, const double *const *in, int64_t n, const double *p)
{
	(void)p;
	for (int64_t i = 0; i < n; i++)
		out[i] = truncf((float)(in[0][i] / in[1][i]));
}

static bool k_div_mode(struct kernel_call *k)
{
	static const struct kernel_row true_row = { .real = real_div, .operands = "self,other", .result = RESULT_FLOAT };
	static const struct kernel_row narrow_row = { .real = real_trunc_float, .whole = whole_trunc_divide, .operands = "self,other" };
	const char *mode = arg_str(k, "rounding_mode");
	struct tensor *in[2] = { arg_operand(k, "self"), arg_operand(k, "other") };
	if (!in[0] || !in[1])
		return false;
	if (!mode)
		return kernel_pointwise(k, &true_row);
	const struct kernel_row *trunc = tensors_result_type(in, 2) == DT_FLOAT64 ? &trunc_row : &narrow_row;
	return divide(k, strcmp(mode, "floor") == 0 ? &floor_row : trunc);
}

static bool k_clamp(struct kernel_call *k)
{
	static const struct kernel_row both = { .real = real_clamp, .whole = whole_clamp, .operands = "self,min,max" };
	static const struct kernel_row low = { .real = real_maximum, .whole = whole_maximum, .operands = "self,min" };
	static const struct kernel_row high = { .real = real_minimum, .whole = whole_minimum, .operands = "self,max" };
	if (arg_is_none(k, "min") && arg_is_none(k, "max"))
		return kernel_fail(k, "at least one of min and max must be given");
	return kernel_pointwise(k, arg_is_none(k, "max") ? &low : arg_is_none(k, "min") ? &high : &both);
}

/* The condition does not count for the type of the result. */
static bool k_where(struct kernel_call *k)
{
	static const struct kernel_row row = { .real = real_where, .whole = whole_where };
	struct tensor *in[3] = { arg_tensor(k, "condition"), arg_operand(k, "self"), arg_operand(k, "other") };
	int64_t size[MAX_DIMS], stride[MAX_DIMS];
	int ndim;
	if (!in[0] || !in[1] || !in[2] || !broadcast_shapes(k, in, 3, &ndim, size))
		return false;
	enum dtype dtype = tensors_result_type(in + 1, 2);
	if (!dtype_has_elements(dtype))
		return fail(k->err, NNS_UNSUPPORTED, "there is no kernel for %s", dtype_name(dtype));
	pointwise_strides(in, 3, ndim, size, stride);
	struct tensor *out = out_strided(k, dtype, ndim, size, stride);
	return out && pointwise_run(k, &row, out, in, 3, dtype);
}

static bool k_nextafter(struct kernel_call *k)
{
	static const struct kernel_row narrow = { .real = real_nextafterf, .operands = "self,other" };
	static const struct kernel_row wide = { .real = real_nextafter, .operands = "self,other" };
	return kernel_pointwise(k, arg_tensor(k, "self")->dtype == DT_FLOAT64 ? &wide : &narrow);
}

static bool k_isin(struct kernel_call *k)
{
	struct tensor *e = arg_operand(k, k->op->args[0].name), *among = arg_operand(k, k->op->args[1].name);
	struct tensor *out = e && among ? out_new(k, DT_BOOL, e->ndim, e->size) : NULL;
	const double *x = out ? doubles_of(k, e) : NULL, *set = x ? doubles_of(k, among) : NULL;
	int64_t *y = set ? ints_for(k, out) : NULL, n = y ? tensor_numel(e) : 0, m = y ? tensor_numel(among) : 0;
	bool invert = arg_bool(k, "invert", false);
	for (int64_t i = 0; i < n; i++) {
		bool found = false;
		for (int64_t j = 0; j < m && !found; j++)
			found = x[i] == set[j];
		y[i] = found != invert;
	}
	return y != NULL;
}

#define TWO(f) { .name = #f, .real = real_##f, .whole = whole_##f, .operands = "self,other" }
#define TWO_FLOAT(f) { .name = #f, .real = real_##f, .operands = "self,other", .result = RESULT_FLOAT }
#define TWO_BOOL(f) { .name = #f, .real = real_##f, .whole = whole_##f, .operands = "self,other", .result = RESULT_BOOL }
#define TWO_WHOLE(n, f) { .name = n, .real = real_ne, .whole = whole_##f, .operands = "self,other" }

const struct kernel_row pointwise_kernels[] = {
	{ .name = "add", .real = real_add, .whole = whole_add, .operands = "self,other", .scalars = "alpha" },
	{ .name = "sub", .real = real_sub, .whole = whole_sub, .operands = "self,other", .scalars = "alpha" },
	{ .name = "rsub", .real = real_rsub, .whole = whole_rsub, .operands = "self,other", .scalars = "alpha" },
	TWO(mul), TWO_FLOAT(div),
	{ .name = "div.Tensor_mode", .run = k_div_mode },
	{ .name = "div.Scalar_mode", .run = k_div_mode },
	{ .name = "floor_divide", .run = k_floor_divide },
	{ .name = "remainder", .run = k_remainder },
	{ .name = "fmod", .run = k_fmod },
	{ .name = "pow", .real = real_pow, .whole = whole_pow, .operands = "self,exponent" },
	{ .name = "addcmul", .real = real_addcmul, .whole = whole_addcmul, .operands = "self,tensor1,tensor2", .scalars = "value" },
	{ .name = "addcdiv", .real = real_addcdiv, .operands = "self,tensor1,tensor2", .scalars = "value" },
	{ .name = "lerp", .real = real_lerp, .operands = "self,end,weight" },
	TWO(maximum), TWO(minimum),
	{ .name = "fmax", .real = real_fmax, .whole = whole_maximum, .operands = "self,other" },
	{ .name = "fmin", .real = real_fmin, .whole = whole_minimum, .operands = "self,other" },
	{ .name = "clamp", .run = k_clamp },
	{ .name = "clamp_min", .real = real_maximum, .whole = whole_maximum, .operands = "self,min" },
	{ .name = "clamp_max", .real = real_minimum, .whole = whole_minimum, .operands = "self,max" },
	{ .name = "where.self", .run = k_where },
	{ .name = "heaviside", .real = real_heaviside, .operands = "self,values" },
	TWO_FLOAT(atan2), TWO_FLOAT(copysign), TWO_FLOAT(xlogy), TWO_FLOAT(ldexp),
	{ .name = "special_xlog1py", .real = real_xlog1py, .operands = "self,other", .result = RESULT_FLOAT },
	{ .name = "hypot", .real = real_hypot, .operands = "self,other" },
	{ .name = "logaddexp", .real = real_logaddexp, .operands = "self,other" },
	{ .name = "logaddexp2", .real = real_logaddexp2, .operands = "self,other" },
	TWO_WHOLE("gcd", gcd), TWO_WHOLE("lcm", lcm),
	{ .name = "nextafter", .run = k_nextafter },
	TWO_BOOL(eq), TWO_BOOL(ne), TWO_BOOL(lt), TWO_BOOL(le), TWO_BOOL(gt), TWO_BOOL(ge),
	TWO_BOOL(logical_and), TWO_BOOL(logical_or), TWO_BOOL(logical_xor),
	TWO_WHOLE("bitwise_and", and), TWO_WHOLE("bitwise_or", or), TWO_WHOLE("bitwise_xor", xor),
	TWO_WHOLE("bitwise_left_shift", shift_left), TWO_WHOLE("bitwise_right_shift", shift_right),
	TWO_WHOLE("__lshift__", shift_left), TWO_WHOLE("__rshift__", shift_right),
	{ .name = "isin", .run = k_isin },
	{ 0 }
};
