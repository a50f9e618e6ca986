/*
 * Windows that slide over images, and their columns: the matrix with one
 * column for each position of the window and one row for each element under
 * it.  Memory is the call's.
 */
#ifndef EXEC_SLIDE_H
#define EXEC_SLIDE_H

#include "exec/spatial.h"

struct slide {
	int64_t in[3], out[3], kernel[3], stride[3], padding[3], dilation[3]; /* depth, height, width */
	bool transposed;
	int64_t taps, in_area, out_area;
	const int64_t *source[3];        /* [kernel][out]: the index of the input, -1 outside */
};

/* Works out source from the rest; in, out and kernel are those of existing or checked tensors. */
bool slide_prepare(struct kernel_call *k, struct slide *s);

/* Columns [from, to) of channels images: out is [channels * taps, to - from]. */
void unfold_float(const struct slide *s, int64_t channels, const float *image, int64_t from, int64_t to, float *out);
void unfold_double(const struct slide *s, int64_t channels, const double *image, int64_t from, int64_t to, double *out);
/* Adds all columns to the images that they were taken from. */
void fold_double(const struct slide *s, int64_t channels, const double *columns, double *image);

#endif
