#include "base/random.h"

#include <math.h>

#include "base/lanes.h"

enum { N = 624, M = 397, BLOCK = 16 };

#define PI 3.14159265358979323846

/* ---- The Mersenne Twister (Matsumoto, Nishimura) ---- */

void generator_seed(struct generator *g, uint64_t seed)
{
	*g = (struct generator){ .at = N };
	g->state[0] = (uint32_t)seed;
	for (int i = 1; i < N; i++)
		g->state[i] = 1812433253u * (g->state[i - 1] ^ g->state[i - 1] >> 30) + (uint32_t)i;
}

static inline uint32_t twist(uint32_t u, uint32_t v)
{
	return ((u & 0x80000000u) | (v & 0x7fffffffu)) >> 1 ^ (-(v & 1) & 0x9908b0dfu);
}

FOR_PROCESSORS
static void renew(struct generator *g)
{
	uint32_t *p = g->state;
	IN_LANES
	for (int i = 0; i < N - M; i++)
		p[i] = p[i + M] ^ twist(p[i], p[i + 1]);
	IN_LANES
	for (int i = N - M; i < N - 1; i++)          /* what it reads behind itself is further away than any vector is long */
		p[i] = p[i + M - N] ^ twist(p[i], p[i + 1]);
	p[N - 1] = p[M - 1] ^ twist(p[N - 1], p[0]);
	g->at = 0;
}

static inline uint32_t temper(uint32_t y)
{
	y ^= y >> 11;
	y ^= y << 7 & 0x9d2c5680u;
	y ^= y << 15 & 0xefc60000u;
	return y ^ y >> 18;
}

uint32_t generator_u32(struct generator *g)
{
	if (g->at >= N)
		renew(g);
	return temper(g->state[g->at++]);
}

void generator_skip(struct generator *g, size_t n)
{
	for (size_t there; n > 0; n -= there) {
		if (g->at >= N)
			renew(g);
		there = (size_t)(N - g->at) < n ? (size_t)(N - g->at) : n;
		g->at += (int)there;
	}
}

uint64_t generator_u64(struct generator *g)
{
	uint64_t high = generator_u32(g);
	return high << 32 | generator_u32(g);
}

/* ---- Uniform ---- */

static inline float float_of(uint32_t draw)
{
	return (float)(int32_t)(draw & 0xffffff) * 0x1p-24f;
}

float generator_float(struct generator *g)
{
	return float_of(generator_u32(g));
}

double generator_double(struct generator *g)
{
	return (double)(generator_u64(g) & ((UINT64_C(1) << 53) - 1)) * 0x1p-53;
}

/* PyTorch's kernels are compiled to add a product that is not rounded on its own: fma(). */
FOR_PROCESSORS
void random_uniform_float(struct generator *g, float *out, size_t n, double from, double to)
{
	float low = (float)from, width = (float)to - low;
	for (size_t done = 0; done < n; ) {
		if (g->at >= N)
			renew(g);
		const uint32_t *draws = g->state + g->at;
		size_t there = (size_t)(N - g->at), take = there < n - done ? there : n - done;
		float *to_here = out + done;
		IN_LANES
		for (size_t i = 0; i < take; i++)
			to_here[i] = fmaf(float_of(temper(draws[i])), width, low);
		g->at += (int)take;
		done += take;
	}
}

void random_uniform_double(struct generator *g, double *out, size_t n, double from, double to)
{
	for (size_t i = 0; i < n; i++)
		out[i] = fma(generator_double(g), to - from, from);
}

/* ---- Normal ---- */

double random_normal(struct generator *g, double mean, double std)
{
	if (g->has_next) {
		g->has_next = false;
		return g->next * std + mean;
	}
	double angle = 2 * PI * generator_double(g), radius = sqrt(-2 * log1p(-generator_double(g)));
	g->next = radius * sin(angle);
	g->has_next = true;
	return radius * cos(angle) * std + mean;
}

/* Of 16 uniform values the first eight become radii, the others angles (normal_fill_16). */
static void block_double(double *v, double mean, double std)
{
	for (int i = 0; i < BLOCK / 2; i++) {
		double radius = sqrt(-2 * log(1 - v[i])), angle = 2 * PI * v[i + BLOCK / 2];
		v[i] = fma(radius * cos(angle), std, mean);
		v[i + BLOCK / 2] = fma(radius * sin(angle), std, mean);
	}
}

/* All values are drawn uniform first; when the last block is not full, the last 16 values are drawn again. */
void random_normal_float(struct generator *g, float *out, size_t n, double mean, double std)
{
	if (n < BLOCK) {
		for (size_t i = 0; i < n; i++)
			out[i] = (float)random_normal(g, mean, std);
		return;
	}
	random_uniform_float(g, out, n, 0, 1);
	random_normal_blocks(out, n, mean, std);
	if (n % BLOCK) {
		random_uniform_float(g, out + n - BLOCK, BLOCK, 0, 1);
		random_normal_blocks(out + n - BLOCK, BLOCK, mean, std);
	}
}

void random_normal_double(struct generator *g, double *out, size_t n, double mean, double std)
{
	if (n < BLOCK) {
		for (size_t i = 0; i < n; i++)
			out[i] = random_normal(g, mean, std);
		return;
	}
	random_uniform_double(g, out, n, 0, 1);
	for (size_t i = 0; i + BLOCK <= n; i += BLOCK)
		block_double(out + i, mean, std);
	if (n % BLOCK) {
		random_uniform_double(g, out + n - BLOCK, BLOCK, 0, 1);
		block_double(out + n - BLOCK, mean, std);
	}
}

/* ---- Integers ---- */

/* random_from_to(): wide ranges take 64 bits, so that none is much likelier than another. */
void random_int(struct generator *g, int64_t *out, size_t n, int64_t low, int64_t high)
{
	uint64_t range = (uint64_t)high - (uint64_t)low;
	for (size_t i = 0; i < n; i++) {
		uint64_t draw = range >= UINT64_C(1) << 28 ? generator_u64(g) : generator_u32(g);
		out[i] = (int64_t)((uint64_t)low + draw % range);
	}
}

/* randperm_cpu(): Fisher and Yates from the front. */
void random_permutation(struct generator *g, int64_t *out, size_t n)
{
	for (size_t i = 0; i < n; i++)
		out[i] = (int64_t)i;
	for (size_t i = 0; i + 1 < n; i++) {
		size_t k = i + generator_u32(g) % (n - i);
		int64_t swap = out[i];
		out[i] = out[k];
		out[k] = swap;
	}
}
