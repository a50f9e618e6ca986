/*
 * torch.special: Bessel and Airy functions, orthogonal polynomials, the incomplete gamma function and zeta
 * (aten/src/ATen/native/Math.h).  PyTorch has rational approximations for many; here stand series and integrals that
 * give the same to the last digits.
 */
#define _XOPEN_SOURCE 700 /* j0() and its kin */
#include <math.h>

#include "exec/operands.h"

#define PI 3.14159265358979323846

/* ---- Bessel and Airy functions, erfcx ---- */

/* exp(x) K_order(x): the integral of exp(-x (cosh t - 1)) cosh(order t) over t > 0 by the trapezoid rule. */
static double bessel_k_scaled(double order, double x)
{
	const double step = 1. / 32;
	if (isnan(x) || x < 0)
		return NAN;
	if (x == 0)
		return INFINITY;
	double sum = 0.5;
	for (int i = 1; i < 4000; i++) {
		double t = i * step, exponent = x * (cosh(t) - 1), term = exp(order * t - exponent) + exp(-order * t - exponent);
		sum += term / 2;
		if (exponent > order * t + 45)
			break;
	}
	return sum * step;
}

/* exp(-|x|) I_order(x): the power series, and from 20 on the asymptotic one. */
static double bessel_i_scaled(int order, double x)
{
	double a = fabs(x), sum = 1, term = 1, mu = 4. * order * order;
	if (a < 20) {
		for (int i = 1; i < 200 && term > sum * 1e-18; i++)
			sum += term *= a * a / 4 / (i * (double)(i + order));
		sum *= exp(-a) * (order ? a / 2 : 1);
	} else {
		for (int i = 1; i < 30 && fabs(term) > 1e-18; i++)
			sum += term *= -(mu - (2. * i - 1) * (2 * i - 1)) / (8 * a * i);
		sum /= sqrt(2 * PI * a);
	}
	return order && x < 0 ? -sum : sum;
}

/* exp(x^2) erfc(x); from 25 on erfc has no digits left, and three terms of the asymptotic series are enough. */
static double erfcx(double x)
{
	if (x < 25)
		return x < -26.7 ? INFINITY : exp(x * x) * erfc(x);
	return (1 - 0.5 / (x * x) + 0.75 / (x * x * x * x)) / (x * sqrt(PI));
}

/* Maclaurin's series; for large x through K_1/3, for large -x the asymptotic one. */
static double airy_ai(double x)
{
	if (isinf(x) || isnan(x))
		return isnan(x) || x < 0 ? NAN : 0;
	double z = fabs(x), zeta = 2. / 3 * z * sqrt(z);
	if (x > 103.892)
		return 0;
	if (x > 2)
		return sqrt(x / 3) / PI * bessel_k_scaled(1. / 3, zeta) * exp(-zeta);
	if (x < -9) {
		double square = 1 / (zeta * zeta), angle = zeta + PI / 4;
		double even = 1 - square * (385. / 10368), odd = 5. / 72 / zeta * (1 - square * (85085. / 746496 / (5. / 72)));
		return (sin(angle) * even - cos(angle) * odd) / (sqrt(PI) * sqrt(sqrt(z)));
	}
	double f = 1, g = x, a = 1, b = x, cube = x * x * x;
	for (int i = 1; i < 120; i++) {
		a *= cube / ((3. * i - 1) * (3. * i));
		b *= cube / ((3. * i) * (3. * i + 1));
		f += a;
		g += b;
	}
	return 0.355028053887817239 * f - 0.258819403792806798 * g;
}

REAL(bessel_j0, j0(x)) REAL(bessel_j1, j1(x))
REAL(bessel_y0, x < 0 ? NAN : y0(x)) REAL(bessel_y1, x < 0 ? NAN : y1(x))
REAL(i0, bessel_i_scaled(0, x) * exp(fabs(x))) REAL(i0e, bessel_i_scaled(0, x))
REAL(i1, bessel_i_scaled(1, x) * exp(fabs(x))) REAL(i1e, bessel_i_scaled(1, x))
REAL(modified_bessel_k0, bessel_k_scaled(0, x) * exp(-x)) REAL(modified_bessel_k1, bessel_k_scaled(1, x) * exp(-x))
REAL(scaled_modified_bessel_k0, bessel_k_scaled(0, x)) REAL(scaled_modified_bessel_k1, bessel_k_scaled(1, x))
REAL(spherical_bessel_j0, isinf(x) ? 0 : x == 0 ? 1 : sin(x) / x)
REAL(erfcx, erfcx(x))
REAL(airy_ai, airy_ai(x))

/* ---- Gamma's derivatives and its incomplete integrals, zeta ---- */

/* psi(x): recurrence up to 10, then the asymptotic series; poles as calc_digamma() has them. */
static double digamma(double x)
{
	double shift = 0;
	if (x == 0)
		return copysign(INFINITY, -x);
	if (x < 0 && x == trunc(x))
		return NAN;
	if (x < 0)
		return digamma(1 - x) - PI / tan(PI * fmod(x, 1));
	for (; x < 10; x++)
		shift -= 1 / x;
	double z = 1 / (x * x);
	return shift + log(x) - 0.5 / x - z * (1. / 12 - z * (1. / 120 - z * (1. / 252 - z * (1. / 240 - z * (1. / 132 - z * (691. / 32760 - z / 12))))));
}
REAL(digamma, digamma(x))

/* Hurwitz's zeta by Euler and Maclaurin; the poles are those of Cephes' zeta(). */
static double zeta(double s, double q)
{
	static const double b[] = { 1. / 12, -1. / 720, 1. / 30240, -1. / 1209600, 1. / 47900160 };
	double sum = 0, rising = s;
	if (s == 1)
		return INFINITY;
	if (isnan(s) || isnan(q) || s < 1)
		return NAN;
	if (q <= 0 && (q == floor(q) || s != floor(s)))
		return q == floor(q) ? INFINITY : NAN;
	for (int i = 0; (i < 16 || q < 9) && i < 1 << 20; i++, q++)
		sum += pow(q, -s);
	sum += pow(q, 1 - s) / (s - 1) + pow(q, -s) / 2;
	for (int i = 0; i < 5; i++) {
		sum += b[i] * rising * pow(q, -s - 1 - 2 * i);
		rising *= (s + 1 + 2 * i) * (s + 2 + 2 * i);
	}
	return sum;
}

/* The lower (or upper) part of gamma's integral, over the whole: a series below a + 1, a continued fraction above. */
static double incomplete_gamma(double a, double x, bool upper)
{
	double sum = 1 / a, term = sum, b = x + 1 - a, c = 1e300, d = 1 / b, h = d;
	if (isnan(a) || isnan(x) || a < 0 || x < 0)
		return NAN;
	if (a == 0)
		return x > 0 ? !upper : NAN;
	if (x == 0)
		return upper;
	if (isinf(a))
		return isinf(x) ? NAN : upper;
	if (isinf(x))
		return !upper;
	double front = exp(a * log(x) - x - lgamma(a));
	if (x < a + 1) {
		for (int i = 1; i < 20000 && term > sum * 1e-17; i++)
			sum += term *= x / (a + i);
		return upper ? 1 - sum * front : sum * front;
	}
	for (int i = 1; i < 20000; i++) {                /* Lentz's method */
		double an = -i * (i - a);
		b += 2;
		d = 1 / (an * d + b);
		c = b + an / c;
		h *= d * c;
		if (fabs(d * c - 1) < 1e-16)
			break;
	}
	return upper ? front * h : 1 - front * h;
}

/* trigamma() of aten/src/ATen/native/Math.h: reflected below 1/2 */
static double trigamma(double x)
{
	double s = sin(PI * x), reflected = x < 0.5 ? PI * PI / (s * s) : 0, sum = 0, at = x < 0.5 ? 1 - x : x;
	for (int i = 0; i < 6; i++, at++)
		sum += 1 / (at * at);
	double z = 1 / (at * at);
	sum += (1 + 1 / (2 * at) + z * (1. / 6 - z * (1. / 30 - z * (1. / 42)))) / at;
	return x < 0.5 ? reflected - sum : sum;
}

static void real_polygamma(double *out, const double *const *in, int64_t n, const double *p)
{
	for (int64_t i = 0; i < n; i++)
		out[i] = p[0] == 0 ? digamma(in[0][i]) : p[0] == 1 ? trigamma(in[0][i]) : (fmod(p[0], 2) != 0 ? 1 : -1) * tgamma(p[0] + 1) * zeta(p[0] + 1, in[0][i]);
}

REAL2(zeta, zeta(x, y))
REAL2(igamma, incomplete_gamma(x, y, false)) REAL2(igammac, incomplete_gamma(x, y, true))

/* p[0]: the dimension */
static void real_mvlgamma(double *out, const double *const *in, int64_t n, const double *p)
{
	for (int64_t i = 0; i < n; i++) {
		out[i] = p[0] * (p[0] - 1) / 4 * log(PI);
		for (int k = 0; k < p[0]; k++)
			out[i] += lgamma(in[0][i] - k / 2.);
	}
}

/* ---- Orthogonal polynomials ---- */

static double sign_of(int64_t n)
{
	return n % 2 ? -1 : 1;
}

/* From degrees 0 (which is 1) and 1 (first) by p[k + 1] = 2 x p[k] - p[k - 1]; kind tells how the first one ends. */
enum chebyshev { FIRST, SECOND, THIRD, FOURTH };

/* At 1 and -1, where cosines do not tell. */
static double chebyshev_end(enum chebyshev kind, bool positive, int64_t n)
{
	double wide = kind == SECOND ? (double)n + 1 : 2 * (double)n + 1;
	bool is_wide = kind == SECOND || (kind == THIRD && !positive) || (kind == FOURTH && positive);
	return (positive ? 1 : sign_of(n)) * (is_wide ? wide : 1);
}

static double chebyshev(enum chebyshev kind, double x, double degree)
{
	int64_t n = (int64_t)degree;
	double before = 1, at = kind == FIRST ? x : kind == SECOND ? 2 * x : kind == THIRD ? 2 * x - 1 : 2 * x + 1;
	if (isnan(degree) || n < 0)
		return 0;
	if (fabs(x) == 1)
		return chebyshev_end(kind, x > 0, n);
	if (n > 8 && fabs(x) < 1) {
		double t = acos(x);
		return kind == FIRST ? cos((double)n * t) : kind == SECOND ? sin(((double)n + 1) * t) / sin(t)
			: kind == THIRD ? cos(((double)n + 0.5) * t) / cos(t / 2) : sin(((double)n + 0.5) * t) / sin(t / 2);
	}
	if (n == 0)
		return 1;
	for (int64_t k = 1; k < n && isfinite(at); k++) {
		double next = 2 * x * at - before;
		before = at;
		at = next;
	}
	return at;
}

REAL2(chebyshev_t, chebyshev(FIRST, x, y)) REAL2(chebyshev_u, chebyshev(SECOND, x, y))
REAL2(chebyshev_v, chebyshev(THIRD, x, y)) REAL2(chebyshev_w, chebyshev(FOURTH, x, y))
REAL2(shifted_t, chebyshev(FIRST, 2 * x - 1, y)) REAL2(shifted_u, chebyshev(SECOND, 2 * x - 1, y))
REAL2(shifted_v, chebyshev(THIRD, 2 * x - 1, y)) REAL2(shifted_w, chebyshev(FOURTH, 2 * x - 1, y))

enum { MOST_DEGREES = 1 << 16 };

/* p[k + 1] = (a x + b) p[k] - c p[k - 1], with the coefficients of each family. */
static double hermite(double x, double degree, double factor)
{
	int64_t n = (int64_t)degree;
	double before = 1, at = factor * x;
	if (n <= 0)
		return n == 0;
	if (n > 512)
		return NAN;
	for (int64_t k = 1; k < n; k++) {
		double next = factor * x * at - factor * (double)k * before;
		before = at;
		at = next;
	}
	return at;
}

static double laguerre(double x, double degree)
{
	int64_t n = (int64_t)degree;
	double before = 1, at = 1 - x;
	if (n <= 0 || x == 0)
		return n >= 0;
	for (int64_t k = 1; k < n && k < MOST_DEGREES; k++) {
		double next = ((2 * (double)k + 1 - x) * at - (double)k * before) / ((double)k + 1);
		before = at;
		at = next;
	}
	return at;
}

static double legendre(double x, double degree)
{
	int64_t n = (int64_t)degree;
	double before = 1, at = x;
	if (n <= 0)
		return n == 0;
	if (fabs(x) == 1)
		return x > 0 ? 1 : sign_of(n);
	for (int64_t k = 1; k < n && k < MOST_DEGREES; k++) {
		double next = ((2 * (double)k + 1) * x * at - (double)k * before) / ((double)k + 1);
		before = at;
		at = next;
	}
	return at;
}

REAL2(hermite_h, hermite(x, y, 2)) REAL2(hermite_he, hermite(x, y, 1))
REAL2(laguerre, laguerre(x, y)) REAL2(legendre, legendre(x, y))

/* ---- Mantissa and exponent ---- */

static bool k_frexp(struct kernel_call *k)
{
	struct tensor *self = arg_tensor(k, "self"), *mantissa = out_like(k, self, self->dtype), *exponent = mantissa ? out_like(k, self, DT_INT32) : NULL;
	const double *x = exponent ? doubles_of(k, self) : NULL;
	double *m = x ? doubles_for(k, mantissa) : NULL;
	int64_t *e = m ? ints_for(k, exponent) : NULL;
	for (int64_t i = 0, n = tensor_numel(self); e && i < n; i++) {
		int power = 0;
		m[i] = isfinite(x[i]) ? frexp(x[i], &power) : x[i];
		e[i] = power;
	}
	return e != NULL;
}

#define ONE(f) { .name = "special_" #f, .real = real_##f, .result = RESULT_FLOAT }
#define ONE_X(f) { .name = "special_" #f, .real = real_##f, .operands = "x", .result = RESULT_FLOAT }
#define POLYNOMIAL(n, f) { .name = "special_" n, .real = real_##f, .operands = "x,n", .result = RESULT_FLOAT }

const struct kernel_row special_kernels[] = {
	{ .name = "i0", .real = real_i0, .result = RESULT_FLOAT },
	{ .name = "digamma", .real = real_digamma, .result = RESULT_FLOAT },
	{ .name = "polygamma", .real = real_polygamma, .scalars = "n", .result = RESULT_FLOAT },
	{ .name = "special_modified_bessel_i0", .real = real_i0, .result = RESULT_FLOAT },
	{ .name = "special_modified_bessel_i1", .real = real_i1, .result = RESULT_FLOAT },
	ONE(i0e), ONE(i1), ONE(i1e), ONE(bessel_j0), ONE(bessel_j1), ONE(bessel_y0), ONE(bessel_y1), ONE(modified_bessel_k0), ONE(modified_bessel_k1),
	ONE(erfcx), ONE_X(scaled_modified_bessel_k0), ONE_X(scaled_modified_bessel_k1), ONE_X(spherical_bessel_j0), ONE_X(airy_ai),
	{ .name = "special_zeta", .real = real_zeta, .operands = "self,other", .result = RESULT_FLOAT },
	{ .name = "igamma", .real = real_igamma, .operands = "self,other" },
	{ .name = "igammac", .real = real_igammac, .operands = "self,other" },
	{ .name = "mvlgamma", .real = real_mvlgamma, .scalars = "p", .result = RESULT_FLOAT },
	POLYNOMIAL("chebyshev_polynomial_t", chebyshev_t), POLYNOMIAL("chebyshev_polynomial_u", chebyshev_u),
	POLYNOMIAL("chebyshev_polynomial_v", chebyshev_v), POLYNOMIAL("chebyshev_polynomial_w", chebyshev_w),
	POLYNOMIAL("shifted_chebyshev_polynomial_t", shifted_t), POLYNOMIAL("shifted_chebyshev_polynomial_u", shifted_u),
	POLYNOMIAL("shifted_chebyshev_polynomial_v", shifted_v), POLYNOMIAL("shifted_chebyshev_polynomial_w", shifted_w),
	POLYNOMIAL("hermite_polynomial_h", hermite_h), POLYNOMIAL("hermite_polynomial_he", hermite_he),
	POLYNOMIAL("laguerre_polynomial_l", laguerre), POLYNOMIAL("legendre_polynomial_p", legendre),
	{ .name = "frexp", .run = k_frexp },
	{ 0 }
};
