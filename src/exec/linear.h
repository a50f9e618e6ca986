/*
 * Products of rows of float32 and constant weights, one or two after each
 * other, for processors with AVX-512.  Threads take rows of their own, some
 * at a time: these stay in the cache from the input to the result, and
 * threads meet once.
 */
#ifndef EXEC_LINEAR_H
#define EXEC_LINEAR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { LINEAR_LAYERS = 2 };

struct linear_layer {
	int64_t in, out;
	const float *weights; int64_t step[2];   /* its strides along in and out */
	const float *bias;                       /* [out]; NULL: none */
	float low, high;                         /* clip, last */
};

struct linear_shape {
	int64_t rows;
	int64_t run, row_step[2];                /* input: steps from one run of so many rows to the next, and from row to row; columns lie side by side */
	struct linear_layer layers[LINEAR_LAYERS]; int n;
	int64_t planes;                          /* the result is [planes, rows, out / planes] */
	int64_t turn;                            /* row r of the result goes to row r % turn * (rows / turn) + r / turn; 0: it stays */
	const float *norm_weights, *norm_bias;   /* of a layer norm over each row of the result; NULL: none */
	float epsilon;
	bool adds;                               /* something that lies as the result does is added before the last clip */
};

struct linear;

/* Whether it is faster than oneDNN. */
bool linear_pays(const struct linear_shape *s, int threads);
/* NULL: no memory.  All arrays are copied. */
struct linear *linear_new(const struct linear_shape *s, int threads);
void linear_free(struct linear *l);      /* NULL is allowed */
size_t linear_weights(const struct linear *l);   /* bytes */
size_t linear_scratch(const struct linear *l);   /* bytes, at a multiple of 64 */
bool linear_adds(const struct linear *l);
/* add: NULL unless it adds. */
void linear_run(const struct linear *l, const float *x, const float *add, float *out, void *scratch);

#endif
