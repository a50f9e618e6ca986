/*
 * Normal values by Box and Muller's method, eight pairs a block, to the last bit as PyTorch computes them on processors
 * with AVX2 (aten/src/ATen/native/cpu/DistributionTemplates.h: normal_fill_16_AVX2): with the Cephes library's logarithm
 * and sine in float32, where a product that is added to something is not rounded on its own.
 */
#include <math.h>
#include <string.h>

#include "base/lanes.h"
#include "base/random.h"

enum { BLOCK = 16, PAIRS = BLOCK / 2 };

/* log(x), x > 0 and normal: x = m 2^e with m between sqrt(1/2) and sqrt(2), and a polynomial of m - 1. */
INLINE float cephes_log(float x)
{
	uint32_t bits;
	memcpy(&bits, &x, sizeof bits);
	float e = (float)((int32_t)(bits >> 23) - 126), m;
	bits = (bits & 0x007fffffu) | 0x3f000000u;
	memcpy(&m, &bits, sizeof m);
	float low = m < 0.707106781186547524f ? m : 0, less = m < 0.707106781186547524f ? 1 : 0;
	float y = m - 1 + low, square = y * y, p = 7.0376836292e-2f;
	e -= less;
	p = fmaf(p, y, -1.1514610310e-1f);
	p = fmaf(p, y, 1.1676998740e-1f);
	p = fmaf(p, y, -1.2420140846e-1f);
	p = fmaf(p, y, 1.4249322787e-1f);
	p = fmaf(p, y, -1.6668057665e-1f);
	p = fmaf(p, y, 2.0000714765e-1f);
	p = fmaf(p, y, -2.4999993993e-1f);
	p = fmaf(p, y, 3.3333331174e-1f) * y;
	p = fmaf(p, square, e * -2.12194440e-4f) - square * 0.5f;
	return fmaf(e, 0.693359375f, y + p);         /* log(2) in two parts */
}

/* The sine and cosine of x >= 0: what is left of x after multiples of pi/2, and a polynomial for each. */
INLINE void cephes_sincos(float x, float *sine, float *cosine)
{
	int32_t octant = ((int32_t)(x * 1.27323954473516f) + 1) & ~1;
	float turns = (float)octant;
	x = fmaf(turns, -0.78515625f, x);            /* pi/4 in three parts */
	x = fmaf(turns, -2.4187564849853515625e-4f, x);
	x = fmaf(turns, -3.77489497744594108e-8f, x);
	float square = x * x, c = 2.443315711809948e-5f, s = -1.9515295891e-4f;
	c = fmaf(c, square, -1.388731625493765e-3f);
	c = fmaf(c, square, 4.166664568298827e-2f) * square;
	c = fmaf(c, square, -(square * 0.5f)) + 1;
	s = fmaf(s, square, 8.3321608736e-3f);
	s = fmaf(s, square, -1.6666654611e-1f) * square;
	s = fmaf(s, x, x);
	float a = octant & 2 ? c : s, b = octant & 2 ? s : c;
	*sine = octant & 4 ? -a : a;
	*cosine = (octant + 2) & 4 ? -b : b;
}

/* Of 16 uniform values the first eight become radii, the others angles. */
INLINE void fill_block(float *v, float mean, float std)
{
	const float two_pi = (float)(2 * 3.14159265358979323846);
	IN_LANES
	for (int i = 0; i < PAIRS; i++) {
		float radius = sqrtf(-2 * cephes_log(1 - v[i])), s, c;
		cephes_sincos(two_pi * v[i + PAIRS], &s, &c);
		v[i] = fmaf(radius * c, std, mean);
		v[i + PAIRS] = fmaf(radius * s, std, mean);
	}
}

FOR_PROCESSORS
void random_normal_blocks(float *v, size_t n, double mean, double std)
{
	for (size_t i = 0; i + BLOCK <= n; i += BLOCK)
		fill_block(v + i, (float)mean, (float)std);
}
