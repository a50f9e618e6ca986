#include "exec/pairs.h"

#include <complex.h>
#include <math.h>

#include "exec/layout.h"

typedef double complex pair;

#ifndef CMPLX                            /* C11's, which glibc defines for GCC alone */
#define CMPLX(real, imaginary) __builtin_complex((double)(real), (double)(imaginary))
#endif

/* ---- Functions ---- */

/* An expression of the operands x, y, z and the scalars p. */
#define PAIRS(name, operands, expression) \
	void pairs_##name(double *out, const double *const *in, int64_t n, const double *p) \
	{ \
		(void)p; \
		for (int64_t i = 0; i < n; i++) { \
			operands \
			pair r = expression; \
			out[2 * i] = creal(r); \
			out[2 * i + 1] = cimag(r); \
		} \
	}
#define OPERAND(name, j) pair name = CMPLX(in[j][2 * i], in[j][2 * i + 1]);
#define PAIRS1(name, expression) PAIRS(name, OPERAND(x, 0), expression)
#define PAIRS2(name, expression) PAIRS(name, OPERAND(x, 0) OPERAND(y, 1), expression)
#define PAIRS3(name, expression) PAIRS(name, OPERAND(x, 0) OPERAND(y, 1) OPERAND(z, 2), expression)

static pair power(pair x, pair y)
{
	return y == 0 ? 1 : y == 1 ? x : y == 2 ? x * x : x == 0 ? 0 : cpow(x, y);
}

/* _log_add_exp_helper() of LogAddExp.h: from the one of the larger real part */
static pair log_sum(pair x, pair y)
{
	pair larger = creal(x) < creal(y) ? y : x, smaller = creal(x) < creal(y) ? x : y;
	if (isnan(creal(x + y)) || isnan(cimag(x + y)))
		return CMPLX(NAN, NAN);
	if (isinf(creal(larger)) && creal(larger) == creal(smaller))
		return creal(larger) < 0 ? larger : clog(cexp(smaller) + cexp(larger));
	return larger + clog(1 + cexp(smaller - larger));
}

static const double PI = 3.14159265358979323846;

PAIRS2(add, x + p[0] * y) PAIRS2(sub, x - p[0] * y) PAIRS2(rsub, y - p[0] * x)
PAIRS2(mul, x * y) PAIRS2(div, x / y) PAIRS2(pow, power(x, y))
PAIRS2(eq, x == y) PAIRS2(ne, x != y)
PAIRS3(addcmul, x + p[0] * y * z) PAIRS3(addcdiv, x + p[0] * y / z) PAIRS3(where, x != 0 ? y : z)

PAIRS3(lerp, cabs(z) < 0.5 ? x + z * (y - x) : y - (y - x) * (1 - z)) PAIRS2(logaddexp, log_sum(x, y))
PAIRS2(logical_and, x != 0 && y != 0) PAIRS2(logical_or, x != 0 || y != 0) PAIRS2(logical_xor, (x != 0) != (y != 0))

PAIRS1(positive, x) PAIRS1(exp2, cexp(x * log(2))) PAIRS1(expm1, cexp(x) - 1)
PAIRS1(log10, clog(x) / log(10)) PAIRS1(log1p, clog(1 + x)) PAIRS1(log2, clog(x) / log(2))
PAIRS1(sinc, x == 0 ? 1 : csin(PI * x) / (PI * x)) PAIRS1(silu, x / (1 + cexp(-x)))
PAIRS1(isnan, isnan(creal(x)) || isnan(cimag(x))) PAIRS1(isinf, isinf(creal(x)) || isinf(cimag(x))) PAIRS1(logical_not, x == 0)
PAIRS1(neg, -x) PAIRS1(abs, cabs(x)) PAIRS1(angle, carg(x)) PAIRS1(sgn, x == 0 ? 0 : x / cabs(x))
PAIRS1(square, x * x) PAIRS1(reciprocal, 1 / x) PAIRS1(sqrt, csqrt(x)) PAIRS1(rsqrt, 1 / csqrt(x))
PAIRS1(exp, cexp(x)) PAIRS1(log, clog(x)) PAIRS1(sigmoid, 1 / (1 + cexp(-x)))
PAIRS1(sin, csin(x)) PAIRS1(cos, ccos(x)) PAIRS1(tan, ctan(x)) PAIRS1(sinh, csinh(x)) PAIRS1(cosh, ccosh(x)) PAIRS1(tanh, ctanh(x))
PAIRS1(asin, casin(x)) PAIRS1(acos, cacos(x)) PAIRS1(atan, catan(x)) PAIRS1(asinh, casinh(x)) PAIRS1(acosh, cacosh(x)) PAIRS1(atanh, catanh(x))

/* ---- Running them ---- */

enum dtype dtype_of_parts(enum dtype d)
{
	return d == DT_COMPLEX128 ? DT_FLOAT64 : d == DT_COMPLEX64 ? DT_FLOAT32 : d;
}

/* The operand broadcast to out's sizes, rounded to the common type, as pairs. */
static const double *operand_pairs(struct kernel_call *k, const struct tensor *out, const struct tensor *t, enum dtype common)
{
	struct window w, parts;
	window_of(&w, t);
	window_expand(&w, out->ndim, out->size);
	struct tensor *same = temporary(k, common, out->ndim, out->size);
	double *v = same && copy_into(k, same, &w.t) ? scratch_alloc(k, 2 * tensor_numel(out), sizeof *v) : NULL;
	if (v)
		tensor_to_doubles(window_of_parts(&parts, same), v);
	return v;
}

static void write_pairs(struct tensor *out, double *v)
{
	struct window parts;
	int64_t n = tensor_numel(out);
	if (!dtype_is_complex(out->dtype))
		for (int64_t i = 1; i < n; i++)
			v[i] = v[2 * i];
	tensor_from_doubles(window_of_parts(&parts, out), v);
}

enum { MAX_SCALARS = 1 };

bool pairs_run(struct kernel_call *k, const struct kernel_row *row, struct tensor *out, struct tensor *const *in, int n, enum dtype common)
{
	const double *at[MAX_OPERANDS];
	double p[MAX_SCALARS] = { row->scalars ? arg_real(k, row->scalars, NAN) : 0 };
	if (!row->pairs || out->ndim >= MAX_DIMS - 1)
		return fail(k->err, NNS_UNSUPPORTED, "there is no kernel for %s", dtype_name(common));
	for (int i = 0; i < n; i++)
		if (!(at[i] = operand_pairs(k, out, in[i], common)))
			return false;
	double *v = scratch_alloc(k, 2 * tensor_numel(out), sizeof *v);
	if (!v)
		return false;
	row->pairs(v, at, tensor_numel(out), p);
	write_pairs(out, v);
	return true;
}
