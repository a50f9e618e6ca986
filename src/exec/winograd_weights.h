/* Weights of a 3x3 convolution as Winograd's F(4x4, 3x3) multiplies with them, for winograd.c. */
#ifndef EXEC_WINOGRAD_WEIGHTS_H
#define EXEC_WINOGRAD_WEIGHTS_H

#include <stdbool.h>
#include <stdint.h>

/* The points of interpolation are 0, +-P, +-Q and infinity. */
#define WINOGRAD_P 0.625f
#define WINOGRAD_Q 1.5f

enum { WINOGRAD_SIDE = 6, WINOGRAD_POINTS = WINOGRAD_SIDE * WINOGRAD_SIDE };

/* Borrowed: [out, in, 3, 3], strides in elements. */
struct winograd_source {
	const float *weights; int64_t stride[4];
	int64_t in, out;         /* channels that there are */
	const float *scale;      /* by output channel, in whole vectors */
};

/*
 * Input channels from `first` on, `n` of them (a multiple of 16), for a pair of vectors of output channels, or for one:
 * [36][n][vectors * 16].  Channels that there are not count as zero.
 */
void winograd_transform(const struct winograd_source *s, int64_t pair, int vectors, int64_t first, int64_t n, float *to);

#endif
