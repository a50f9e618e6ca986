/*
 * Loops over float32 that decide how long a run takes.  Each is compiled for
 * several processors and chosen when the program starts; errors are a few
 * units in the last place.  Nothing is allocated, arrays are the caller's.
 */
#ifndef EXEC_FLOATS_H
#define EXEC_FLOATS_H

#include <stdint.h>

/*
 * One step of an LSTM for n features: gate has their input, forget, cell and output sums, each a step after the other; c [n]
 * is the cell state before and after, h [n] the new hidden state.
 */
void floats_lstm_cell(const float *gate, int64_t step, int64_t n, float *c, float *h);
/*
 * v[i] = exp(scale * v[i] + mask[i * mask_step] - m) with m the largest of the sums; returns the sum of all v.  mask may be
 * NULL.  Every 16 of v lie a step after those before; 16: in a row.  0 when every sum is -inf: v is all zeros then.  NaN
 * anywhere makes the sum NaN.
 */
enum { FLOATS_ROW = 16 };
float floats_exp_row(float *v, int64_t step, int64_t n, float scale, const float *mask, int64_t mask_step);
/* to[i] = from[i] * factor */
void floats_scale(float *to, const float *from, int64_t n, float factor);
/* Nearest bfloat16, ties to even, as PyTorch rounds. */
void floats_to_half(uint16_t *to, const float *from, int64_t n);
/*
 * x is [n, 16]: adds to sum[16] and square[16] what x - shift[16] and its square sum to, in double.  With an element of each
 * channel as its shift, the variance (square - sum^2 / n) / n has an error of n units in the last place of a double at most.
 */
void floats_moments(const float *x, int64_t n, const float *shift, double *sum, double *square);
/* The same order: to = from * scale[16] + shift[16], at least low and at most high; NaN stays. */
void floats_affine(float *to, const float *from, int64_t n, const float *scale, const float *shift, float low, float high);
/* The largest absolute value, NaN when one is. */
float floats_largest(const float *v, int64_t n);
/* The same of bfloat16. */
float floats_largest_half(const uint16_t *v, int64_t n);
/* The sum of absolute values. */
float floats_total(const float *v, int64_t n);

#endif
