#include "exec/floats.h"

#include <math.h>
#include <stdbool.h>
#include <string.h>

#include "base/lanes.h"

enum { WIDE = 16 };

/* GNU C's vectors keep these loops from depending on the optimiser's mood; a processor without such vectors gets several smaller ones. */
typedef float pack __attribute__((vector_size(WIDE * sizeof(float)), may_alias));
typedef int32_t bits __attribute__((vector_size(WIDE * sizeof(int32_t)), may_alias));

INLINE pack load(const float *p)
{
	pack v;
	memcpy(&v, p, sizeof v);
	return v;
}

INLINE void store(float *p, pack v)
{
	memcpy(p, &v, sizeof v);
}

/* The first n, and `rest` after them. */
INLINE pack load_some(const float *p, int64_t n, float rest)
{
	float v[WIDE];
	for (int i = 0; i < WIDE; i++)
		v[i] = i < n ? p[i] : rest;
	return load(v);
}

INLINE void store_some(float *p, pack v, int64_t n)
{
	memcpy(p, &v, (size_t)n * sizeof *p);
}

INLINE pack choose(bits mask, pack yes, pack no)
{
	return (pack)((mask & (bits)yes) | (~mask & (bits)no));
}

INLINE pack larger(pack x, pack y)
{
	return choose(x > y, x, y);
}

/*
 * 2^n e^r of x between -87 and 88, with r at most log(2) / 2 (the polynomial is Cephes').  Adding 1.5 * 2^23 rounds, and
 * leaves n in the last bits, which become the exponent.
 */
INLINE pack exp_pack(pack x)
{
	const float round = 12582912.0f;
	pack shifted = x * 1.44269504f + round, n = shifted - round;
	pack r = x - n * 0.693359375f + n * 2.12194440e-4f, p = (pack){ 0 } + 1.9875691500e-4f;
	p = p * r + 1.3981999507e-3f;
	p = p * r + 8.3334519073e-3f;
	p = p * r + 4.1665795894e-2f;
	p = p * r + 1.6666665459e-1f;
	p = p * r + 5.0000001201e-1f;
	p = p * r * r + r + 1;
	return p * (pack)(((bits)shifted << 23) + (127 << 23));
}

/* x is at most 0, or NaN; what would be less than the least normal number is 0. */
INLINE pack exp_below(pack x)
{
	const pack least = (pack){ 0 } - 87.0f;
	bits tiny = x < least;
	return (pack)((bits)exp_pack(choose(tiny, least, x)) & ~tiny);
}

/* 1 + exp(-x), at most so large that three of them multiply. */
INLINE pack one_and_exp(pack x)
{
	const pack least = (pack){ 0 } - 28.0f, most = (pack){ 0 } + 87.0f;
	return 1 + exp_pack(-choose(x < least, least, choose(x > most, most, x)));
}

/* tanh(x) is over / under: (1 - exp(-2 x)) / (1 + exp(-2 x)), or near 0 a polynomial (Cephes). */
INLINE pack tanh_over(pack x, pack *under)
{
	pack z = x * x, p = (pack){ 0 } - 5.70498872745e-3f, one = (pack){ 0 } + 1.0f;
	p = p * z + 2.06390887954e-2f;
	p = p * z - 5.37397155531e-2f;
	p = p * z + 1.33314422036e-1f;
	p = p * z - 3.33332819422e-1f;
	bits near = z < 0.390625f;
	*under = one_and_exp(2 * x);
	pack over = choose(near, x + x * z * p, 2 - *under);
	*under = choose(near, one, *under);
	return over;
}

/* sigmoid(x) is 1 / (1 + exp(-x)); all is brought over one denominator, since divisions are what takes long. */
INLINE void cell(pack in, pack forget, pack new, pack out, pack *c, pack *h)
{
	pack i = one_and_exp(in), f = one_and_exp(forget), under, over = tanh_over(new, &under);
	*c = (*c * i * under + over * f) / (f * i * under);
	over = tanh_over(*c, &under);
	*h = over / (under * one_and_exp(out));
}

FOR_PROCESSORS void floats_lstm_cell(const float *gate, int64_t step, int64_t n, float *c, float *h)
{
	int64_t i = 0;
	pack now, new;
	for (; i + WIDE <= n; i += WIDE) {
		now = load(c + i);
		cell(load(gate + i), load(gate + step + i), load(gate + 2 * step + i), load(gate + 3 * step + i), &now, &new);
		store(c + i, now);
		store(h + i, new);
	}
	if (i == n)
		return;
	int64_t some = n - i;
	now = load_some(c + i, some, 0);
	cell(load_some(gate + i, some, 0), load_some(gate + step + i, some, 0), load_some(gate + 2 * step + i, some, 0),
	     load_some(gate + 3 * step + i, some, 0), &now, &new);
	store_some(c + i, now, some);
	store_some(h + i, new, some);
}

/* Element i and that n further on, around. */
INLINE pack turned(pack v, int n)
{
#ifdef __clang__                         /* has no shuffle by a variable */
	float twice[2 * WIDE];
	memcpy(twice, &v, sizeof v);
	memcpy(twice + WIDE, &v, sizeof v);
	return load(twice + n);
#else
	const bits place = { 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15 };
	return __builtin_shuffle(v, (place + n) & (WIDE - 1));
#endif
}

INLINE float largest(pack v)
{
	for (int n = WIDE / 2; n > 0; n /= 2)
		v = larger(turned(v, n), v);
	return v[0];
}

INLINE float total(pack v)
{
	for (int n = WIDE / 2; n > 0; n /= 2)
		v += turned(v, n);
	return v[0];
}

/* v = scale * v + mask; returns the largest, by which NaNs do not count. */
INLINE float scores(float *v, int64_t step, int64_t n, float scale, const float *mask, int64_t mask_step)
{
	pack most = (pack){ 0 } - INFINITY;
	bool by_pack = mask && mask_step == 1;
	float factor = mask && !by_pack ? 1 : scale;
	for (int64_t j = 0; mask && !by_pack && j < n; j++) {
		float *at = v + j / WIDE * step + j % WIDE;
		*at = scale * *at + mask[j * mask_step];
	}
	int64_t i = 0;
	for (; i + WIDE <= n; i += WIDE, v += step) {
		pack s = load(v) * factor;
		if (by_pack)
			s += load(mask + i);
		most = larger(s, most);
		store(v, s);
	}
	if (i < n) {
		pack s = load_some(v, n - i, -INFINITY) * factor;
		if (by_pack)
			s += load_some(mask + i, n - i, -INFINITY);
		most = larger(s, most);
		store_some(v, s, n - i);
	}
	return largest(most);
}

FOR_PROCESSORS float floats_exp_row(float *v, int64_t step, int64_t n, float scale, const float *mask, int64_t mask_step)
{
	float most = scores(v, step, n, scale, mask, mask_step);
	pack sum = { 0 };
	int64_t i = 0;
	most = most == -INFINITY ? 0 : most;
	for (; i + WIDE <= n; i += WIDE, v += step) {
		pack e = exp_below(load(v) - most);
		sum += e;
		store(v, e);
	}
	if (i < n) {
		pack e = exp_below(load_some(v, n - i, -INFINITY) - most);
		sum += e;
		store_some(v, e, n - i);
	}
	return total(sum);
}

FOR_PROCESSORS void floats_scale(float *to, const float *from, int64_t n, float factor)
{
	int64_t i = 0;
	for (; i + WIDE <= n; i += WIDE)
		store(to + i, load(from + i) * factor);
	for (; i < n; i++)
		to[i] = from[i] * factor;
}

FOR_PROCESSORS void floats_to_half(uint16_t *to, const float *from, int64_t n)
{
	for (int64_t i = 0; i < n; i++) {
		uint32_t u;
		memcpy(&u, from + i, sizeof u);
		to[i] = from[i] != from[i] ? 0x7fc0 : (uint16_t)((u + 0x7fff + (u >> 16 & 1)) >> 16);
	}
}

/* ---- Magnitudes ---- */

/* Without its sign a float orders as an integer does, NaNs after infinity. */
FOR_PROCESSORS float floats_largest(const float *v, int64_t n)
{
	const bits magnitude = (bits){ 0 } + 0x7fffffff;
	bits most[2] = { { 0 }, { 0 } };
	int64_t i = 0;
	for (; i + 2 * WIDE <= n; i += 2 * WIDE)
		for (int k = 0; k < 2; k++) {
			bits x = (bits)load(v + i + k * WIDE) & magnitude, larger = x > most[k];
			most[k] = (x & larger) | (most[k] & ~larger);
		}
	int32_t all = 0;
	for (int k = 0; k < 2 * WIDE; k++)
		all = most[k / WIDE][k % WIDE] > all ? most[k / WIDE][k % WIDE] : all;
	for (; i < n; i++) {
		int32_t x;
		memcpy(&x, v + i, sizeof x);
		all = (x & 0x7fffffff) > all ? x & 0x7fffffff : all;
	}
	float out;
	memcpy(&out, &all, sizeof out);
	return out;
}

FOR_PROCESSORS float floats_largest_half(const uint16_t *v, int64_t n)
{
	uint16_t most = 0;
	for (int64_t i = 0; i < n; i++)
		most = (v[i] & 0x7fff) > most ? v[i] & 0x7fff : most;
	uint32_t all = (uint32_t)most << 16;
	float out;
	memcpy(&out, &all, sizeof out);
	return out;
}

FOR_PROCESSORS float floats_total(const float *v, int64_t n)
{
	const bits magnitude = (bits){ 0 } + 0x7fffffff;
	pack sum[2] = { { 0 }, { 0 } };
	int64_t i = 0;
	for (; i + 2 * WIDE <= n; i += 2 * WIDE) {
		sum[0] += (pack)((bits)load(v + i) & magnitude);
		sum[1] += (pack)((bits)load(v + i + WIDE) & magnitude);
	}
	float all = total(sum[0] + sum[1]);
	for (; i < n; i++)
		all += fabsf(v[i]);
	return all;
}

/* ---- Channels: 16 sums side by side ---- */

enum { PART = WIDE / 2 };

typedef float part __attribute__((vector_size(PART * sizeof(float)), may_alias));
typedef double wide_part __attribute__((vector_size(PART * sizeof(double)), may_alias));

INLINE wide_part load_wide(const float *p)
{
	part v;
	memcpy(&v, p, sizeof v);
	return __builtin_convertvector(v, wide_part);
}

INLINE void add_wide(double *to, wide_part v)
{
	for (int i = 0; i < PART; i++)
		to[i] += v[i];
}

FOR_PROCESSORS void floats_moments(const float *x, int64_t n, const float *shift, double *sum, double *square)
{
	const wide_part low = load_wide(shift), high = load_wide(shift + PART), zero = { 0 };
	wide_part s[2] = { zero, zero }, q[2] = { zero, zero };
	for (int64_t i = 0; i < n * WIDE; i += WIDE) {
		wide_part a = load_wide(x + i) - low, b = load_wide(x + i + PART) - high;
		s[0] += a;
		s[1] += b;
		q[0] += a * a;
		q[1] += b * b;
	}
	for (int i = 0; i < 2; i++) {
		add_wide(sum + i * PART, s[i]);
		add_wide(square + i * PART, q[i]);
	}
}

FOR_PROCESSORS void floats_affine(float *to, const float *from, int64_t n, const float *scale, const float *shift, float low, float high)
{
	const pack a = load(scale), b = load(shift), least = (pack){ 0 } + low, most = (pack){ 0 } + high;
	for (int64_t i = 0; i < n * WIDE; i += WIDE) {
		pack y = load(from + i) * a + b;
		y = choose(y < least, least, y);
		store(to + i, choose(y > most, most, y));
	}
}
