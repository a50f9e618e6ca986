/*
 * A depthwise convolution with the 1x1 convolutions before and after it, in
 * strips that stay in the cache: the inverted residuals of MobileNets.  For
 * processors with AVX-512; images are float32 in blocks of 16 channels
 * (nChw16c) with zeros in what a last block has more.  Owns its weights.
 */
#ifndef EXEC_SEPARABLE_H
#define EXEC_SEPARABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { EXPAND, DEPTH, PROJECT, SEPARABLE_STAGES };

struct separable_stage {
	bool there;                      /* DEPTH always is */
	const float *weights;            /* [out, in] or [middle, kernel, kernel], row by row */
	const float *bias;               /* NULL: none */
	float low, high;                 /* clip after it; 0 is within */
};

struct separable_shape {
	int64_t images, in, middle, out; /* the last three: channels; equal where a stage is missing */
	int64_t height, width;           /* of the input */
	int64_t kernel, stride, pad;     /* of DEPTH, in both directions; 3 or 5, 1 or 2, less than kernel */
	bool sum;                        /* add a tensor of the result's size before the last clip */
	struct separable_stage stages[SEPARABLE_STAGES];
};

struct separable;

bool separable_fits(const struct separable_shape *s);
/* NULL: no memory.  Weights and biases are copied. */
struct separable *separable_new(const struct separable_shape *s, int threads);
void separable_free(struct separable *s);        /* NULL is allowed */
size_t separable_weights(const struct separable *s);     /* bytes */
bool separable_adds(const struct separable *s);
size_t separable_scratch(const struct separable *s);     /* bytes, at a multiple of 64 */
/* add is NULL without sum, and may be in; out is neither. */
void separable_run(const struct separable *s, const float *in, const float *add, float *out, void *scratch);

#endif
