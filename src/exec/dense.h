/*
 * A 1x1 convolution of tensors that are concatenated, scaled, shifted and
 * clipped on the way in, a strip at a time: the dense layers of DenseNets.
 * For processors with AVX-512; images are float32 in blocks of 16 channels
 * (nChw16c), which all tensors but the last fill.  Owns its weights.
 */
#ifndef EXEC_DENSE_H
#define EXEC_DENSE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct dense_shape {
	int64_t images, pixels, out;             /* pixels of an image; channels of the result */
	const int64_t *in; int n_in;             /* channels of each tensor */
	const float *weights;                    /* [out, channels], row by row */
	const float *bias;                       /* NULL: none */
	const float *scale, *shift;              /* by channel; NULL: the tensors as they are */
	float in_low, in_high;                   /* clip before the convolution */
	float low, high;                         /* and after it; 0 is within */
};

struct dense;

bool dense_fits(const struct dense_shape *s);
/* NULL: no memory.  All arrays are copied. */
struct dense *dense_new(const struct dense_shape *s, int threads);
void dense_free(struct dense *p);        /* NULL is allowed */
size_t dense_weights(const struct dense *p);     /* bytes */
size_t dense_scratch(const struct dense *p);     /* bytes, at a multiple of 64 */
void dense_run(const struct dense *p, void *const *in, float *out, void *scratch);

#endif
