#include "ir/elements.h"

#include <math.h>
#include <string.h>

#include "ir/float8.h"

/* ---- Half precision ---- */

static float half_to_float(uint16_t h)
{
	uint32_t sign = (uint32_t)(h & 0x8000) << 16, exponent = (h >> 10) & 31, fraction = h & 0x3ff;
	float f;
	if (exponent == 0)
		f = ldexpf((float)fraction, -24);
	else if (exponent == 31)
		f = fraction ? NAN : INFINITY;
	else
		f = ldexpf((float)(fraction | 0x400), (int)exponent - 25);
	return sign ? -f : f;
}

/* Round to nearest, ties to even, as IEEE 754's conversion. */
static uint16_t half_from_double(double d)
{
	uint16_t sign = signbit(d) ? 0x8000 : 0;
	double a = fabs(d);
	if (isnan(d))
		return sign | 0x7e00;
	if (a >= 65520)
		return sign | 0x7c00;
	if (a == 0)
		return sign;
	int e;
	frexp(a, &e);
	int shift = e - 11 < -24 ? -24 : e - 11;     /* the weight of the last bit */
	uint32_t m = (uint32_t)nearbyint(ldexp(a, -shift));
	return sign | (uint16_t)(m + ((uint32_t)(shift + 24) << 10));
}

static float bfloat_to_float(uint16_t h)
{
	uint32_t u = (uint32_t)h << 16;
	float f;
	memcpy(&f, &u, sizeof f);
	return f;
}

static uint16_t bfloat_from_float(float f)
{
	uint32_t u;
	memcpy(&u, &f, sizeof u);
	if (isnan(f))
		return 0x7fc0;
	return (uint16_t)((u + 0x7fff + ((u >> 16) & 1)) >> 16);
}

/* ---- Elements ---- */

bool dtype_has_elements(enum dtype d)
{
	return (d >= DT_BOOL && d <= DT_FLOAT64) || (d >= DT_UINT16 && d <= DT_UINT64);
}

bool dtype_converts(enum dtype d)
{
	return dtype_has_elements(d) || dtype_is_float8(d);
}

#define SAME(x) (x)
#define IS_TRUE(x) ((x) != 0)
#define LOAD(T, convert) \
	for (int64_t i = 0; i < n; i++) { \
		T x; \
		memcpy(&x, p + i * stride * (int64_t)sizeof(T), sizeof x); \
		out[i] = convert(x); \
	} \
	break

#define DEFINE_TO(name, R) \
	void name(enum dtype d, const unsigned char *p, int64_t stride, int64_t n, R *out) \
	{ \
		switch (d) { \
		case DT_BOOL: LOAD(uint8_t, (R)IS_TRUE); \
		case DT_UINT8: LOAD(uint8_t, (R)SAME); \
		case DT_INT8: LOAD(int8_t, (R)SAME); \
		case DT_INT16: LOAD(int16_t, (R)SAME); \
		case DT_UINT16: LOAD(uint16_t, (R)SAME); \
		case DT_INT32: LOAD(int32_t, (R)SAME); \
		case DT_UINT32: LOAD(uint32_t, (R)SAME); \
		case DT_INT64: LOAD(int64_t, (R)SAME); \
		case DT_UINT64: LOAD(uint64_t, (R)SAME); \
		case DT_FLOAT16: LOAD(uint16_t, (R)half_to_float); \
		case DT_BFLOAT16: LOAD(uint16_t, (R)bfloat_to_float); \
		case DT_FLOAT32: LOAD(float, FROM_REAL); \
		case DT_FLOAT64: LOAD(double, FROM_REAL); \
		default: \
			for (int64_t i = 0; i < n; i++) \
				out[i] = dtype_is_float8(d) ? (R)FROM_REAL(float8_to_float(d, p[i * stride])) : 0; \
		} \
	}

/* C leaves a float that no int64 can hold undefined; x86 gives the lowest, and so does PyTorch there. */
static inline int64_t real_to_int(double x)
{
	return x >= -0x1p63 && x < 0x1p63 ? (int64_t)x : INT64_MIN;
}

/* Types of 32 bits and fewer, uint8 apart, are reached through int32, and keep its low bits. */
static inline int32_t real_to_int32(double x)
{
	return x > -0x1p31 - 1 && x < 0x1p31 ? (int32_t)x : INT32_MIN;
}

#define FROM_REAL (double)SAME
DEFINE_TO(elements_to_double, double)
#undef FROM_REAL
#define FROM_REAL (float)SAME
DEFINE_TO(elements_to_float, float)
#undef FROM_REAL
#define FROM_REAL real_to_int
DEFINE_TO(elements_to_int, int64_t)
#undef FROM_REAL

#define STORE(T, convert) \
	for (int64_t i = 0; i < n; i++) { \
		T x = convert(in[i]); \
		memcpy(p + i * stride * (int64_t)sizeof(T), &x, sizeof x); \
	} \
	break

#define DEFINE_FROM(name, R, as_int, as_int32) \
	void name(enum dtype d, unsigned char *p, int64_t stride, int64_t n, const R *in) \
	{ \
		switch (d) { \
		case DT_BOOL: STORE(uint8_t, IS_TRUE); \
		case DT_UINT8: STORE(uint8_t, (uint8_t)as_int); \
		case DT_INT8: STORE(int8_t, (int8_t)as_int32); \
		case DT_INT16: STORE(int16_t, (int16_t)as_int32); \
		case DT_UINT16: STORE(uint16_t, (uint16_t)as_int32); \
		case DT_INT32: STORE(int32_t, (int32_t)as_int32); \
		case DT_UINT32: STORE(uint32_t, (uint32_t)as_int); \
		case DT_INT64: STORE(int64_t, (int64_t)as_int); \
		case DT_UINT64: STORE(uint64_t, (uint64_t)as_int); \
		case DT_FLOAT16: STORE(uint16_t, half_from_double); \
		case DT_BFLOAT16: STORE(uint16_t, bfloat_from_float); \
		case DT_FLOAT32: STORE(float, (float)SAME); \
		case DT_FLOAT64: STORE(double, (double)SAME); \
		default: \
			for (int64_t i = 0; dtype_is_float8(d) && i < n; i++) \
				p[i * stride] = float8_from_float(d, (float)in[i]); \
		} \
	}

DEFINE_FROM(elements_from_double, double, real_to_int, real_to_int32)
DEFINE_FROM(elements_from_float, float, real_to_int, real_to_int32)
DEFINE_FROM(elements_from_int, int64_t, SAME, SAME)

double half_of(enum dtype d, double v)
{
	unsigned char element[2];
	float f = (float)v;
	elements_from_float(d, element, 1, 1, &f);
	elements_to_float(d, element, 1, 1, &f);
	return f;
}
