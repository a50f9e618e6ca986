/*
 * Element-wise operators of two and three operands
 * (aten/src/ATen/native/cpu/{BinaryOps,PointwiseOps,TensorCompare,Lerp,Pow}Kernel.cpp).
 */
#include <math.h>
#include <string.h>

#include "exec/layout.h"
#include "exec/operands.h"
#include "exec/pairs.h"

/* ---- Arithmetic; integers wrap around ---- */

static int64_t times(int64_t a, int64_t b) { return (int64_t)((uint64_t)a * (uint64_t)b); }

REAL2(add, x + p[0] * y) WHOLE2(add, (uint64_t)x + (uint64_t)times(p[0], y))
REAL2(sub, x - p[0] * y) WHOLE2(sub, (uint64_t)x - (uint64_t)times(p[0], y))
REAL2(rsub, y - p[0] * x) WHOLE2(rsub, (uint64_t)y - (uint64_t)times(p[0], x))
REAL2(mul, x * y) WHOLE2(mul, times(x, y))
REAL2(div, x / y)
REAL3(addcmul, x + p[0] * y * z) WHOLE3(addcmul, (uint64_t)x + (uint64_t)times(times(p[0], y), z))
REAL3(addcdiv, x + p[0] * y / z) REAL3(addcdivf, (float)x + (float)p[0] * (float)y / (float)z)
/* lerp_vec(): from the nearer end, fused; the difference rounds to the type */
REAL3(lerp, fma(fabs(z) < 0.5 ? z : z - 1, y - x, fabs(z) < 0.5 ? x : y))
REAL3(lerpf, fma(fabs(z) < 0.5 ? z : (double)((float)z - 1), (double)((float)y - (float)x), fabs(z) < 0.5 ? x : y))

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

static float floor_divf(float a, float b)
{
	if (b == 0)
		return a / b;
	float mod = fmodf(a, b), div = (a - mod) / b;
	if (mod != 0 && (b < 0) != (mod < 0))
		div -= 1;
	if (div == 0)
		return copysignf(0, a / b);
	float floored = floorf(div);
	return div - floored > 0.5f ? floored + 1 : floored;
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

REAL2(floor_divide, floor_div(x, y)) NARROW2(floor_divide, floor_divf(x, y)) WHOLE2(floor_divide, floor_div_whole(x, y))
REAL2(trunc_divide, trunc(x / y)) NARROW2(trunc_divide, truncf(x / y)) WHOLE2(trunc_divide, trunc_div_whole(x, y))
REAL2(remainder, python_mod(x, y)) WHOLE2(remainder, python_mod_whole(x, y))
REAL2(fmod, fmod(x, y)) WHOLE2(fmod, mod_whole(x, y))

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
REAL2(ldexp, ldexp(x, (int)fmax(fmin(y, 5000), -5000)))
REAL2(pow, pow(x, y)) WHOLE2(pow, power_whole(x, y))

static void real_root(double *out, const double *const *in, int64_t n, const double *p)
{
	(void)p;
	for (int64_t i = 0; i < n; i++)
		out[i] = sqrt(in[0][i]);
}

/* ---- Choices; a NaN wins, but with fmax and fmin ---- */

REAL2(maximum, isnan(x) || isnan(y) ? NAN : x > y ? x : y) WHOLE2(maximum, x > y ? x : y)
REAL2(minimum, isnan(x) || isnan(y) ? NAN : x < y ? x : y) WHOLE2(minimum, x < y ? x : y)
REAL2(fmax, fmax(x, y)) REAL2(fmin, fmin(x, y))
/* the limits of clamp: high wins over low */
REAL3(clamp, isnan(x) || isnan(y) || isnan(z) ? NAN : fmin(fmax(x, y), z)) WHOLE3(clamp, (x < y ? y : x) > z ? z : x < y ? y : x)
REAL2(heaviside, x == 0 ? y : x > 0) WHOLE2(heaviside, x == 0 ? y : x > 0)
REAL3(where, x != 0 ? y : z) WHOLE3(where, x != 0 ? y : z)

/* ---- Functions ---- */

REAL2(atan2, atan2(x, y)) REAL2(hypot, hypot(x, y)) REAL2(copysign, copysign(x, y))
REAL2(xlogy, isnan(y) ? NAN : x == 0 ? 0 : x * log(y)) REAL2(xlog1py, isnan(y) ? NAN : x == 0 ? 0 : x * log1p(y))
REAL2(logaddexp, isinf(x) && x == y ? x : fmax(x, y) + log1p(exp(-fabs(x - y))))
REAL2(logaddexp2, isinf(x) && x == y ? x : fmax(x, y) + log1p(exp2(-fabs(x - y))) / log(2))

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
WHOLE2(gcd, gcd(x, y)) WHOLE2(lcm, lcm(x, y))
REAL2(nextafter, nextafter(x, y)) NARROW2(nextafter, nextafterf(x, y))

/* ---- Comparisons and logic ---- */

REAL2(eq, x == y) WHOLE2(eq, x == y) REAL2(ne, x != y) WHOLE2(ne, x != y)
REAL2(lt, x < y) WHOLE2(lt, x < y) REAL2(le, x <= y) WHOLE2(le, x <= y)
REAL2(gt, x > y) WHOLE2(gt, x > y) REAL2(ge, x >= y) WHOLE2(ge, x >= y)
REAL2(logical_and, x != 0 && y != 0) WHOLE2(logical_and, x != 0 && y != 0)
REAL2(logical_or, x != 0 || y != 0) WHOLE2(logical_or, x != 0 || y != 0)
REAL2(logical_xor, (x != 0) != (y != 0)) WHOLE2(logical_xor, (x != 0) != (y != 0))
WHOLE2(and, x & y) WHOLE2(or, x | y) WHOLE2(xor, x ^ y)
/* BinaryOpsKernel.cpp: a shift by more bits than there are leaves nothing, or the sign */
WHOLE2(shift_left, y < 0 || y > 63 ? 0 : (int64_t)((uint64_t)x << y))
WHOLE2(shift_right, x >> (y < 0 || y > 63 ? 63 : y))

/* ---- What rows alone cannot say ---- */

#define ROW(f) { .real = real_##f, .whole = whole_##f, .operands = "self,other" }
#define ROW_NARROW(f) { .wide_scalars = true, .real = real_##f, .narrow = narrow_##f, .whole = whole_##f, .operands = "self,other" }

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

static const struct kernel_row floor_row = ROW_NARROW(floor_divide), trunc_row = ROW_NARROW(trunc_divide), remainder_row = ROW(remainder), fmod_row = ROW(fmod);
static bool k_floor_divide(struct kernel_call *k) { return divide(k, &floor_row); }
static bool k_remainder(struct kernel_call *k) { return divide(k, &remainder_row); }
static bool k_fmod(struct kernel_call *k) { return divide(k, &fmod_row); }

/* The quotient is rounded to the operands' type before it is truncated: -10.9999999 is -11 in float32. */
REAL2(trunc_float, truncf((float)(x / y)))
REAL2(trunc_half, trunc(half_rounded(DT_FLOAT16, x / y)))
REAL2(trunc_bfloat, trunc(half_rounded(DT_BFLOAT16, x / y)))

/* div_trunc_kernel(): a divisor without dimensions stays in float32, and the quotient too */
static const struct kernel_row *trunc_row_for(struct tensor *const in[2])
{
	static const struct kernel_row narrow_row = { .wide_scalars = true, .real = real_trunc_float, .whole = whole_trunc_divide, .operands = "self,other" };
	static const struct kernel_row half_row = { .real = real_trunc_half, .operands = "self,other" };
	static const struct kernel_row bfloat_row = { .real = real_trunc_bfloat, .operands = "self,other" };
	enum dtype d = tensors_result_type(in, 2);
	if (d == DT_FLOAT64)
		return &trunc_row;
	if (!dtype_is_half(d) || in[1]->ndim == 0)
		return &narrow_row;
	return d == DT_FLOAT16 ? &half_row : &bfloat_row;
}

static bool k_div_mode(struct kernel_call *k)
{
	static const struct kernel_row true_row = { .real = real_div, .operands = "self,other", .result = RESULT_FLOAT, .wide_scalars = true };
	const char *mode = arg_str(k, "rounding_mode");
	struct tensor *in[2] = { arg_operand(k, "self"), arg_operand(k, "other") };
	if (!in[0] || !in[1])
		return false;
	if (!mode)
		return kernel_pointwise(k, &true_row);
	return divide(k, strcmp(mode, "floor") == 0 ? &floor_row : trunc_row_for(in));
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
	static const struct kernel_row row = { .real = real_where, .whole = whole_where, .pairs = pairs_where };
	struct tensor *in[3] = { arg_tensor(k, "condition"), arg_operand(k, "self"), arg_operand(k, "other") };
	int64_t size[MAX_DIMS], stride[MAX_DIMS];
	int ndim;
	if (!in[0] || !in[1] || !in[2] || !broadcast_shapes(k, in, 3, &ndim, size))
		return false;
	enum dtype dtype = tensors_result_type(in + 1, 2);
	if (!dtype_has_elements(dtype) && !dtype_is_complex(dtype))
		return fail(k->err, NNS_UNSUPPORTED, "there is no kernel for %s", dtype_name(dtype));
	pointwise_strides(in, 3, ndim, size, stride);
	struct tensor *out = out_strided(k, dtype, ndim, size, stride);
	return out && pointwise_run(k, &row, out, in, 3, dtype);
}

/* The neighbour in 16 bits: the pattern is a sign and a magnitude that counts. */
static double next_reduced(enum dtype d, double x, double y)
{
	uint16_t bits;
	if (isnan(x) || isnan(y))
		return NAN;
	if (x == y)
		return y;
	elements_from_double(d, (unsigned char *)&bits, 1, 1, &x);
	if (x == 0)
		bits = y < 0 ? 0x8001 : 1;
	else
		bits = (uint16_t)((x < y) == (x > 0) ? bits + 1 : bits - 1);
	elements_to_double(d, (const unsigned char *)&bits, 1, 1, &x);
	return x;
}

static void real_next_half(double *out, const double *const *in, int64_t n, const double *p)
{
	(void)p;
	for (int64_t i = 0; i < n; i++)
		out[i] = next_reduced(DT_FLOAT16, in[0][i], in[1][i]);
}

static void real_next_bfloat(double *out, const double *const *in, int64_t n, const double *p)
{
	(void)p;
	for (int64_t i = 0; i < n; i++)
		out[i] = next_reduced(DT_BFLOAT16, in[0][i], in[1][i]);
}

static bool k_nextafter(struct kernel_call *k)
{
	static const struct kernel_row row = { .real = real_nextafter, .narrow = narrow_nextafter, .operands = "self,other" };
	static const struct kernel_row half = { .real = real_next_half, .operands = "self,other" }, bfloat = { .real = real_next_bfloat, .operands = "self,other" };
	struct tensor *in[2] = { arg_tensor(k, "self"), arg_tensor(k, "other") };
	enum dtype d = tensors_result_type(in, 2);
	return kernel_pointwise(k, d == DT_FLOAT16 ? &half : d == DT_BFLOAT16 ? &bfloat : &row);
}

/* f(a, b) into a new tensor of the sizes of both, which goes on in an operation of several steps. */
static struct tensor *step(struct kernel_call *k, const struct kernel_row *row, struct tensor *a, struct tensor *b, enum dtype d)
{
	struct tensor *in[2] = { a, b };
	int64_t size[MAX_DIMS];
	int ndim;
	struct tensor *t = broadcast_shapes(k, in, 2, &ndim, size) ? temporary(k, d, ndim, size) : NULL;
	return t && pointwise_run(k, row, t, in, 2, d) ? t : NULL;
}

static const struct kernel_row mul_row = ROW(mul), div_row = { .real = real_div, .wide_scalars = true },
	pow_row = { .wide_scalars = true, .real = real_pow, .whole = whole_pow, .pairs = pairs_pow, .operands = "self,exponent" };

static struct tensor *number_of(struct kernel_call *k, double v)
{
	struct tensor *t = temporary(k, DT_FLOAT64, 0, NULL);
	if (t)
		tensor_from_doubles(t, &v);
	return t;
}

/* pow_tensor_scalar_optimized_kernel(): some exponents are products, each of which rounds; not so for float16. */
static bool k_pow_scalar(struct kernel_call *k)
{
	struct tensor *self = arg_tensor(k, "self"), *both[2] = { self, arg_operand(k, "exponent") }, *t = self, *one;
	double e = arg_real(k, "exponent", 1);
	if (!both[1])
		return false;
	enum dtype d = tensors_result_type(both, 2);
	if (!dtype_is_float(d) || d == DT_FLOAT16 || (e != 0.5 && e != 3 && e != -2))
		return kernel_pointwise(k, &pow_row);
	if (e != 0.5 && !(t = step(k, &mul_row, self, self, d)))
		return false;
	struct tensor *out = out_like(k, self, d);
	if (!out)
		return false;
	if (e == 3)
		return pointwise_run(k, &mul_row, out, (struct tensor *[]){ t, self }, 2, d);
	if (e == -2)
		return (one = number_of(k, 1)) && pointwise_run(k, &div_row, out, (struct tensor *[]){ one, t }, 2, d);
	static const struct kernel_row root = { .real = real_root };
	return pointwise_run(k, &root, out, &t, 1, d);
}

/* self * 2 ** other: exact for integers, otherwise the power rounds to the type of other. */
static bool k_ldexp(struct kernel_call *k)
{
	static const struct kernel_row exact = { .real = real_ldexp, .operands = "self,other", .result = RESULT_FLOAT };
	if (!dtype_is_float(arg_tensor(k, "other")->dtype))
		return kernel_pointwise(k, &exact);
	struct tensor *self = arg_tensor(k, "self"), *other = arg_tensor(k, "other"), *two = number_of(k, 2);
	struct tensor *power = two ? step(k, &pow_row, two, other, dtype_as_float(other->dtype)) : NULL, *in[2] = { self, power };
	int64_t size[MAX_DIMS], stride[MAX_DIMS];
	int ndim;
	if (!power || !broadcast_shapes(k, in, 2, &ndim, size))
		return false;
	pointwise_strides((struct tensor *[]){ self, other }, 2, ndim, size, stride);
	enum dtype d = tensors_result_type(in, 2);
	struct tensor *out = out_strided(k, d, ndim, size, stride);
	return out && pointwise_run(k, &mul_row, out, in, 2, d);
}

static bool k_isin(struct kernel_call *k)
{
	struct tensor *e = arg_operand(k, k->op->args[0].name), *among = arg_operand(k, k->op->args[1].name);
	if (!e || !among)
		return false;
	enum dtype d = tensors_result_type((struct tensor *[]){ e, among }, 2);
	struct tensor *out = out_new(k, DT_BOOL, e->ndim, e->size);
	const double *x = out && (e = converted(k, e, d)) ? doubles_of(k, e) : NULL, *set = x && (among = converted(k, among, d)) ? doubles_of(k, among) : NULL;
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
#define TWO_BOOL_PAIRS(f) { .name = #f, .real = real_##f, .whole = whole_##f, .pairs = pairs_##f, .operands = "self,other", .result = RESULT_BOOL }
#define TWO_WHOLE(n, f) { .name = n, .real = real_ne, .whole = whole_##f, .operands = "self,other" }

const struct kernel_row pointwise_kernels[] = {
	{ .name = "add", .pairs = pairs_add, .real = real_add, .whole = whole_add, .operands = "self,other", .scalars = "alpha" },
	{ .name = "sub", .pairs = pairs_sub, .real = real_sub, .whole = whole_sub, .operands = "self,other", .scalars = "alpha" },
	{ .name = "rsub", .pairs = pairs_rsub, .real = real_rsub, .whole = whole_rsub, .operands = "self,other", .scalars = "alpha" },
	{ .name = "mul", .pairs = pairs_mul, .real = real_mul, .whole = whole_mul, .operands = "self,other", .wide_scalars = true },
	{ .name = "div", .pairs = pairs_div, .real = real_div, .operands = "self,other", .result = RESULT_FLOAT, .wide_scalars = true },
	{ .name = "div.Tensor_mode", .run = k_div_mode },
	{ .name = "div.Scalar_mode", .run = k_div_mode },
	{ .name = "floor_divide", .run = k_floor_divide },
	{ .name = "remainder", .run = k_remainder },
	{ .name = "fmod", .run = k_fmod },
	{ .name = "pow.Tensor_Scalar", .run = k_pow_scalar },
	{ .name = "pow", .pairs = pairs_pow, .wide_scalars = true, .real = real_pow, .whole = whole_pow, .operands = "self,exponent" },
	{ .name = "addcmul", .pairs = pairs_addcmul, .real = real_addcmul, .whole = whole_addcmul, .operands = "self,tensor1,tensor2", .scalars = "value" },
	{ .name = "addcdiv", .pairs = pairs_addcdiv, .real = real_addcdiv, .narrow = real_addcdivf, .operands = "self,tensor1,tensor2", .scalars = "value" },
	{ .name = "lerp", .pairs = pairs_lerp, .wide_scalars = true, .real = real_lerp, .narrow = real_lerpf, .operands = "self,end,weight" },
	TWO(maximum), TWO(minimum),
	{ .name = "fmax", .real = real_fmax, .whole = whole_maximum, .operands = "self,other" },
	{ .name = "fmin", .real = real_fmin, .whole = whole_minimum, .operands = "self,other" },
	{ .name = "clamp", .run = k_clamp },
	{ .name = "clamp_min", .real = real_maximum, .whole = whole_maximum, .operands = "self,min" },
	{ .name = "clamp_max", .real = real_minimum, .whole = whole_minimum, .operands = "self,max" },
	{ .name = "where.self", .run = k_where },
	{ .name = "heaviside", .real = real_heaviside, .whole = whole_heaviside, .operands = "self,values" },
	TWO_FLOAT(atan2), TWO_FLOAT(copysign), TWO_FLOAT(xlogy),
	{ .name = "ldexp", .run = k_ldexp },
	{ .name = "special_xlog1py", .real = real_xlog1py, .operands = "self,other", .result = RESULT_FLOAT },
	{ .name = "hypot", .real = real_hypot, .operands = "self,other" },
	{ .name = "logaddexp", .real = real_logaddexp, .pairs = pairs_logaddexp, .operands = "self,other" },
	{ .name = "logaddexp2", .real = real_logaddexp2, .operands = "self,other" },
	TWO_WHOLE("gcd", gcd), TWO_WHOLE("lcm", lcm),
	{ .name = "nextafter", .run = k_nextafter },
	TWO_BOOL_PAIRS(eq), TWO_BOOL_PAIRS(ne), TWO_BOOL(lt), TWO_BOOL(le), TWO_BOOL(gt), TWO_BOOL(ge),
	TWO_BOOL_PAIRS(logical_and), TWO_BOOL_PAIRS(logical_or), TWO_BOOL_PAIRS(logical_xor),
	TWO_WHOLE("bitwise_and", and), TWO_WHOLE("bitwise_or", or), TWO_WHOLE("bitwise_xor", xor),
	TWO_WHOLE("bitwise_left_shift", shift_left), TWO_WHOLE("bitwise_right_shift", shift_right),
	TWO_WHOLE("__lshift__", shift_left), TWO_WHOLE("__rshift__", shift_right),
	TWO_WHOLE("__ilshift__", shift_left), TWO_WHOLE("__irshift__", shift_right),
	{ .name = "isin", .run = k_isin },
	{ 0 }
};
