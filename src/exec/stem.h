/*
 * The convolution that a network begins with, of pictures of few channels,
 * in bfloat16 on tiles (AMX), and the max pool after it if there is one:
 * pictures are read as they lie, in float32, and what is between the two
 * stays in the cache.  The result is [images, rows, columns, channels] in
 * bfloat16.
 */
#ifndef EXEC_STEM_H
#define EXEC_STEM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { STEM_CHANNELS = 4, STEM_WIDTH = 8, STEM_POOL = 8 };   /* most of a picture, of a kernel, and of one of a pool */

/* Heights and widths in this order. */
struct stem_shape {
	int64_t images, in, out;                 /* channels */
	int64_t size[2], step[3];                /* of the input; its steps of images, channels and rows in floats */
	int64_t kernel[2], stride[2], pad[2];
	float low, high;                         /* clip after it */
	int64_t result[2];                       /* of the pool when there is one, or of the convolution */
	bool pools;
	int64_t pool_kernel[2], pool_stride[2], pool_pad[2];
	const float *weights; int64_t weights_step[4];   /* [out, in, height, width] */
	const float *scale, *bias;               /* by channel; NULL: none */
};

struct stem;

/* Whether it can; the processor must have AVX-512, its bfloat16, and tiles. */
bool stem_fits(const struct stem_shape *s);
/* NULL: no memory.  All arrays are copied. */
struct stem *stem_new(const struct stem_shape *s, int threads);
void stem_free(struct stem *s);          /* NULL is allowed */
size_t stem_weights(const struct stem *s);       /* bytes */
size_t stem_scratch(const struct stem *s);       /* bytes, at a multiple of 64 */
void stem_run(const struct stem *s, const float *x, uint16_t *out, void *scratch);

#endif
