/*
 * PyTorch's random numbers on a CPU: the Mersenne Twister and the
 * distributions over it, drawn in the same order, so that torch.manual_seed(n)
 * and generator_seed(&g, n) give the same values
 * (aten/src/ATen/core/{MT19937RNGEngine,TransformationHelper,DistributionsHelper}.h,
 * aten/src/ATen/native/cpu/DistributionTemplates.h).
 *
 * A generator is plain data: it may live on the stack and be copied.
 */
#ifndef BASE_RANDOM_H
#define BASE_RANDOM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct generator {
	uint32_t state[624];
	int at;                  /* the next of them; 624: make new ones first */
	bool has_next;           /* the sine half of a pair of normal values */
	double next;
};

void generator_seed(struct generator *g, uint64_t seed);   /* the low 32 bits count */
uint32_t generator_u32(struct generator *g);
uint64_t generator_u64(struct generator *g);               /* the first draw is the high half */
void generator_skip(struct generator *g, size_t n);        /* as n calls of generator_u32() leave it */

/* [0, 1) with as many bits as the mantissa has: 24, and 53. */
float generator_float(struct generator *g);
double generator_double(struct generator *g);

/* n values of uniform_(from, to). */
void random_uniform_float(struct generator *g, float *out, size_t n, double from, double to);
void random_uniform_double(struct generator *g, double *out, size_t n, double from, double to);
/* n values of normal_(mean, std) on a contiguous tensor: pairs under 16 values, blocks of 16 from there on. */
void random_normal_float(struct generator *g, float *out, size_t n, double mean, double std);
void random_normal_double(struct generator *g, double *out, size_t n, double mean, double std);
/* The second half of that: n values of [0, 1), a multiple of 16, become normal ones, block by block. */
void random_normal_blocks(float *v, size_t n, double mean, double std);
/* One value of the pairs. */
double random_normal(struct generator *g, double mean, double std);
/* n integers of [low, high), high > low. */
void random_int(struct generator *g, int64_t *out, size_t n, int64_t low, int64_t high);
/* A permutation of 0 .. n - 1. */
void random_permutation(struct generator *g, int64_t *out, size_t n);

#endif
