/*
 * Element-wise operators of one tensor (aten/src/ATen/native/UnaryOps.cpp,
 * cpu/UnaryOpsKernel.cpp, Math.h).  Integers that need no arithmetic of their
 * own become float32, as PyTorch's do.
 */
#include <math.h>

#include "exec/operands.h"
#include "exec/pairs.h"

#define PI 3.14159265358979323846

WHOLE(same, x)
WHOLE(zero, x - x)
REAL(neg, -x) WHOLE(neg, (int64_t)(0 - (uint64_t)x))
REAL(abs, fabs(x)) WHOLE(abs, x < 0 ? (int64_t)(0 - (uint64_t)x) : x)
REAL(sign, isnan(x) ? 0 : (x > 0) - (x < 0)) WHOLE(sign, (x > 0) - (x < 0))
REAL(ceil, ceil(x)) REAL(floor, floor(x)) REAL(trunc, trunc(x)) REAL(frac, x - trunc(x))
REAL(round, nearbyint(x))
REAL(positive, x)
REAL(angle, isnan(x) ? x : signbit(x) && x != 0 ? PI : 0)
REAL(acos, acos(x)) REAL(acosh, acosh(x)) REAL(asin, asin(x)) REAL(asinh, asinh(x)) REAL(atan, atan(x)) REAL(atanh, atanh(x))
REAL(cos, cos(x)) REAL(cosh, cosh(x)) REAL(sin, sin(x)) REAL(sinh, sinh(x)) REAL(tan, tan(x)) REAL(tanh, tanh(x))
REAL(exp, exp(x)) REAL(exp2, exp2(x)) REAL(expm1, expm1(x))
REAL(log, log(x)) REAL(log10, log10(x)) REAL(log1p, log1p(x)) REAL(log2, log2(x))
REAL(sqrt, sqrt(x)) REAL(rsqrt, 1 / sqrt(x)) REAL(reciprocal, 1 / x) REAL(square, x * x)
REAL(erf, erf(x)) REAL(erfc, erfc(x)) REAL(lgamma, lgamma(x))
REAL(sigmoid, 1 / (1 + exp(-x)))
REAL(sinc, x == 0 ? 1 : sin(PI * x) / (PI * x))
REAL(deg2rad, x * (PI / 180)) REAL(rad2deg, x * (180 / PI))
REAL(isnan, isnan(x) != 0) REAL(isinf, isinf(x) != 0) REAL(isfinite, isfinite(x) != 0) REAL(isposinf, x == INFINITY) REAL(isneginf, x == -INFINITY)
REAL(signbit, signbit(x) != 0) WHOLE(signbit, x < 0)
REAL(logical_not, x == 0) WHOLE(logical_not, x == 0)
WHOLE(bitwise_not, ~x)
REAL(entr, isnan(x) ? x : x > 0 ? -x * log(x) : x == 0 ? 0 : -INFINITY)

/* p[0]: eps; without it what lies outside of [0, 1] has no logit */
static void real_logit(double *out, const double *const *in, int64_t n, const double *p)
{
	for (int64_t i = 0; i < n; i++) {
		double x = in[0][i];
		if (!isnan(p[0]))
			x = x < p[0] ? p[0] : x > 1 - p[0] ? 1 - p[0] : x;
		out[i] = log(x / (1 - x));
	}
}

/* Decimals before the point when p[0] is negative (round_decimals_kernel). */
static void real_round_decimals(double *out, const double *const *in, int64_t n, const double *p)
{
	double scale = pow(10, fabs(p[0]));
	for (int64_t i = 0; i < n; i++)
		out[i] = p[0] < 0 ? nearbyint(in[0][i] / scale) * scale : nearbyint(in[0][i] * scale) / scale;
}

/* The same of what is float32 or less: the products are rounded to float32. */
static void real_round_narrow(double *out, const double *const *in, int64_t n, const double *p)
{
	float scale = (float)pow(10, fabs(p[0]));
	for (int64_t i = 0; i < n; i++) {
		float x = (float)in[0][i];
		out[i] = p[0] < 0 ? nearbyintf(x / scale) * scale : nearbyintf(x * scale) / scale;
	}
}

/* The inverse of erf: Winitzki's estimate, then Newton's method on erf. */
static double erf_inverse(double y)
{
	if (isnan(y) || fabs(y) >= 1)
		return fabs(y) == 1 ? copysign(INFINITY, y) : NAN;
	double l = log1p(-y * y), a = 0.147, b = 2 / (PI * a) + l / 2, x = copysign(sqrt(sqrt(b * b - l / a) - b), y);
	for (int i = 0; i < 4; i++) {            /* erfc keeps the digits that erf loses near 1 */
		double beyond = fabs(y) < 0.5 ? erf(x) - y : y < 0 ? erfc(-x) - (1 + y) : (1 - y) - erfc(x);
		x -= beyond * sqrt(PI) / 2 * exp(x * x);
	}
	return x;
}
REAL(erfinv, erf_inverse(x))

/* The quantile of the normal distribution: the nearer tail's share is kept, and Newton's method runs on its logarithm. */
static double normal_quantile(double p)
{
	double tail = p < 0.5 ? p : 1 - p;
	if (!(tail > 0))
		return p == 0 || p == 1 ? copysign(INFINITY, p - 0.5) : NAN;
	double x = tail > 1e-10 ? sqrt(2) * erf_inverse(1 - 2 * tail) : sqrt(-2 * log(tail));
	for (int i = 0; i < 6; i++) {
		double share = erfc(x / sqrt(2)) / 2;
		x += share * log(share / tail) * sqrt(2 * PI) * exp(x * x / 2);
	}
	return p < 0.5 ? -x : x;
}
REAL(ndtri, normal_quantile(x))

/* Far below 0 by the asymptotic series of erfc. */
static double log_normal_share(double x)
{
	double z = 1 / (x * x);
	if (x < -20)
		return -x * x / 2 - log(-x * sqrt(2 * PI)) + log1p(-z * (1 - z * (3 - z * (15 - z * 105))));
	return x < -5 ? log(erfc(-x / sqrt(2)) / 2) : log1p(-erfc(x / sqrt(2)) / 2);
}
REAL(log_ndtr, log_normal_share(x))

/* ---- What element-wise rows cannot say ---- */

static bool k_bitwise_not(struct kernel_call *k)
{
	static const struct kernel_row of_bool = { .real = real_logical_not, .whole = whole_logical_not };
	static const struct kernel_row of_int = { .real = real_neg, .whole = whole_bitwise_not };
	return kernel_pointwise(k, arg_tensor(k, "self")->dtype == DT_BOOL ? &of_bool : &of_int);
}

static bool k_round_decimals(struct kernel_call *k)
{
	static const struct kernel_row wide = { .real = real_round_decimals, .whole = whole_same, .scalars = "decimals" };
	static const struct kernel_row narrow = { .real = real_round_narrow, .whole = whole_same, .scalars = "decimals" };
	return kernel_pointwise(k, arg_tensor(k, "self")->dtype == DT_FLOAT64 ? &wide : &narrow);
}

static double largest(enum dtype d)
{
	return d == DT_FLOAT64 ? 0x1.fffffffffffffp1023 : d == DT_FLOAT16 ? 65504 : d == DT_BFLOAT16 ? 0x1.fep127 : 0x1.fffffep127;
}

static bool k_nan_to_num(struct kernel_call *k)
{
	struct tensor *self = arg_tensor(k, "self"), *out = out_like(k, self, self->dtype);
	if (!out)
		return false;
	tensor_copy(out, self);
	if (!dtype_is_float(self->dtype))
		return true;
	double nan = arg_real(k, "nan", 0), high = arg_real(k, "posinf", largest(self->dtype)), low = arg_real(k, "neginf", -largest(self->dtype));
	const double *x = doubles_of(k, self);
	double *y = x ? doubles_for(k, out) : NULL;
	for (int64_t i = 0, n = tensor_numel(self); y && i < n; i++)
		y[i] = isnan(x[i]) ? nan : x[i] == INFINITY ? high : x[i] == -INFINITY ? low : x[i];
	return y != NULL;
}

#define FLOAT_ROW(f) { .name = #f, .real = real_##f, .result = RESULT_FLOAT }
#define FLOAT_PAIRS(f) { .name = #f, .real = real_##f, .pairs = pairs_##f, .result = RESULT_FLOAT }
#define SAME_ROW(f) { .name = #f, .real = real_##f, .whole = whole_same }
#define BOOL_ROW(f) { .name = #f, .real = real_##f, .result = RESULT_BOOL }
#define BOOL_PAIRS(f) { .name = #f, .real = real_##f, .pairs = pairs_##f, .result = RESULT_BOOL }
#define SPECIAL_ROW(f) { .name = "special_" #f, .real = real_##f, .result = RESULT_FLOAT }

const struct kernel_row unary_kernels[] = {
	{ .name = "neg", .real = real_neg, .whole = whole_neg, .pairs = pairs_neg },
	{ .name = "abs", .real = real_abs, .whole = whole_abs, .pairs = pairs_abs, .real_of_pairs = true },
	{ .name = "sign", .real = real_sign, .whole = whole_sign },
	{ .name = "sgn", .real = real_sign, .whole = whole_sign, .pairs = pairs_sgn },
	SAME_ROW(ceil), SAME_ROW(floor), SAME_ROW(trunc), SAME_ROW(round),
	{ .name = "positive", .real = real_positive, .whole = whole_same, .pairs = pairs_positive },
	{ .name = "round.decimals", .run = k_round_decimals },
	{ .name = "frac", .real = real_frac, .whole = whole_zero },
	{ .name = "bitwise_not", .run = k_bitwise_not },
	{ .name = "nan_to_num", .run = k_nan_to_num },
	{ .name = "angle", .real = real_angle, .pairs = pairs_angle, .real_of_pairs = true, .result = RESULT_FLOAT },
	FLOAT_PAIRS(acos), FLOAT_PAIRS(acosh), FLOAT_PAIRS(asin), FLOAT_PAIRS(asinh), FLOAT_PAIRS(atan), FLOAT_PAIRS(atanh),
	FLOAT_PAIRS(cos), FLOAT_PAIRS(cosh), FLOAT_PAIRS(sin), FLOAT_PAIRS(sinh), FLOAT_PAIRS(tan), FLOAT_PAIRS(tanh),
	FLOAT_PAIRS(exp), FLOAT_PAIRS(exp2), FLOAT_PAIRS(expm1), FLOAT_PAIRS(log), FLOAT_PAIRS(log10), FLOAT_PAIRS(log1p), FLOAT_PAIRS(log2),
	FLOAT_PAIRS(sqrt), FLOAT_PAIRS(rsqrt), FLOAT_PAIRS(reciprocal),
	{ .name = "square", .real = real_square, .pairs = pairs_square },
	FLOAT_ROW(erf), FLOAT_ROW(erfc), FLOAT_ROW(erfinv), FLOAT_ROW(lgamma), FLOAT_PAIRS(sinc),
	FLOAT_PAIRS(sigmoid), FLOAT_ROW(deg2rad), FLOAT_ROW(rad2deg),
	{ .name = "logit", .real = real_logit, .scalars = "eps", .result = RESULT_FLOAT },
	SPECIAL_ROW(entr), SPECIAL_ROW(ndtri), SPECIAL_ROW(log_ndtr),
	BOOL_PAIRS(isnan), BOOL_PAIRS(isinf), BOOL_ROW(isfinite), BOOL_ROW(isposinf), BOOL_ROW(isneginf),
	{ .name = "signbit", .real = real_signbit, .whole = whole_signbit, .result = RESULT_BOOL },
	{ .name = "logical_not", .real = real_logical_not, .whole = whole_logical_not, .pairs = pairs_logical_not, .result = RESULT_BOOL },
	{ 0 }
};
