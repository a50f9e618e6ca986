#include "ir/float8.h"

#include <math.h>

/* A sign, exponent and fraction bits; codes without the sign. */
static const struct format {
	int fraction, bias;
	uint8_t most;            /* the largest number */
	uint8_t over, nan;       /* what is larger, and NaN */
	bool unsigned_zero;      /* "uz": there is no -0, its code is NaN */
	bool powers;             /* of 2 alone, without a sign */
} formats[DT_COUNT] = {
	[DT_FLOAT8_E4M3FN] = { .fraction = 3, .bias = 7, .most = 0x7e, .over = 0x7e, .nan = 0x7f },
	[DT_FLOAT8_E5M2] = { .fraction = 2, .bias = 15, .most = 0x7b, .over = 0x7c, .nan = 0x7f },
	[DT_FLOAT8_E4M3FNUZ] = { .fraction = 3, .bias = 8, .most = 0x7f, .over = 0x80, .nan = 0x80, .unsigned_zero = true },
	[DT_FLOAT8_E5M2FNUZ] = { .fraction = 2, .bias = 16, .most = 0x7f, .over = 0x80, .nan = 0x80, .unsigned_zero = true },
	[DT_FLOAT8_E8M0FNU] = { .bias = 127, .most = 0xfe, .over = 0xff, .nan = 0xff, .powers = true },
};

bool dtype_is_float8(enum dtype d)
{
	return (int)d >= 0 && d < DT_COUNT && formats[d].most;
}

float float8_to_float(enum dtype d, uint8_t code)
{
	const struct format *f = &formats[d];
	if (f->powers)
		return code == f->nan ? NAN : ldexpf(1, code - f->bias);
	uint8_t magnitude = code & 0x7f;
	float sign = code & 0x80 ? -1 : 1;
	if (f->unsigned_zero ? code == f->nan : magnitude > f->most)
		return magnitude == f->over ? sign * INFINITY : NAN;
	int exponent = magnitude >> f->fraction, fraction = magnitude & ((1 << f->fraction) - 1);
	if (exponent > 0)
		fraction |= 1 << f->fraction;
	return sign * ldexpf((float)fraction, (exponent > 0 ? exponent : 1) - f->bias - f->fraction);
}

/* The exponent, rounded by the bits behind it; ties go up, but from 2^-127, which is the least. */
static uint8_t power_from_float(const struct format *f, float x)
{
	int e;
	if (!isfinite(x))
		return f->nan;
	float half = frexpf(fabsf(x), &e);          /* in [0.5, 1) */
	int code = e - 1 + f->bias;
	if (x == 0 || code < 0)
		return 0;
	code += code == 0 ? half > 0.5f : half >= 0.75f;
	return code > f->most ? f->over : (uint8_t)code;
}

uint8_t float8_from_float(enum dtype d, float x)
{
	const struct format *f = &formats[d];
	if (f->powers)
		return power_from_float(f, x);
	uint8_t sign = signbit(x) ? 0x80 : 0;
	if (isnan(x))
		return f->unsigned_zero ? f->nan : sign | f->nan;
	if (x == 0)
		return f->unsigned_zero ? 0 : sign;
	int e, least = 1 - f->bias - f->fraction;   /* of the last bit of the smallest numbers */
	frexpf(x, &e);
	int last = e - 1 - f->fraction < least ? least : e - 1 - f->fraction;
	double m = isinf(x) ? 256 : nearbyint(ldexp(fabs((double)x), -last));
	double code = m + ldexp(last - least, f->fraction);
	if (!(code <= f->most))
		return f->unsigned_zero ? f->over : sign | f->over;
	return (uint8_t)code == 0 && f->unsigned_zero ? 0 : sign | (uint8_t)code;
}
