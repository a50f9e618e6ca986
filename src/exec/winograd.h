/*
 * Convolutions of 3x3 with stride 1 by Winograd's F(4x4, 3x3), for processors
 * with AVX-512.  Images are float32 in blocks of 16 channels (nChw16c); what a
 * last block has more than there are channels is zero, and is left zero.  A
 * winograd owns its transformed weights, and borrows those that it was made of.
 */
#ifndef EXEC_WINOGRAD_H
#define EXEC_WINOGRAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct winograd_shape {
	int64_t images, in, out;         /* the last two: channels */
	int64_t height, width;           /* of the input */
	int64_t pad[2];                  /* of zeros above and left, and as many below and right */
	bool sum;                        /* add what the result held before */
	float low, high;                 /* and clip, last; 0 is within */
};

struct winograd;

/* Whether the processor can, and needs less time for it than for the plain convolution, by a rule. */
bool winograd_pays(const struct winograd_shape *s, int threads);
/*
 * Weights [out, in, 3, 3] with strides in elements; what they are multiplied by, and bias [out], or NULL.  Runs on that many
 * threads.  NULL: no memory.
 */
struct winograd *winograd_new(const struct winograd_shape *s, const float *weights, const int64_t stride[4], const float *scale, const float *bias,
                              int threads);
void winograd_free(struct winograd *w);  /* NULL is allowed */
size_t winograd_weights(const struct winograd *w);   /* bytes */
/* Many weights are transformed by every run.  Bytes that it takes to do so once, for more runs than one; 0: it was done. */
size_t winograd_later(const struct winograd *w);
/* Does it: the bytes it took, 0 when there is no memory. */
size_t winograd_keep(struct winograd *w);
size_t winograd_scratch(const struct winograd *w);   /* bytes, at a multiple of 64 */
void winograd_run(const struct winograd *w, const float *in, float *out, void *scratch);

#endif
