/*
 * Products of float32 matrices that lie in vectors of 16 channels, for
 * processors with AVX-512: what Winograd's and pointwise convolutions have in
 * common.  Rows are points of an image or tiles; channels beyond those that
 * there are count as zero.
 */
#ifndef EXEC_PRODUCT_H
#define EXEC_PRODUCT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { LANES = 16, PRODUCT_ROWS = 14 };

/* What is done with sums before they are stored. */
struct ending {
	const float *bias;       /* a vector for each vector of the result; NULL: none */
	const float *add;        /* as long and as wide as the result; NULL: nothing */
	float low, high;         /* clip, last */
};

/* A step is the distance of vectors of channels, in floats; rows stand side by side. */
struct factors {
	const float *v; int64_t v_step, blocks;  /* [blocks][rows][16] */
	const float *u;                          /* [pairs of vectors][blocks * 16][32]; a last vector alone [blocks * 16][16] */
	const float *ahead;                      /* weights that are needed soon, [blocks * 16][16] of them are fetched */
	float *m; int64_t m_step;                /* [vectors][rows][16] */
	const struct ending *end;                /* NULL: stored as they are */
	bool more;                               /* add to what m holds */
};

/* Whether the processor can. */
bool product_available(void);
/* Up to 14 rows, for a pair of vectors, or one. */
void product_rows(const struct factors *f, int rows, bool pair);
/* n rows for all vectors of the result. */
void product_all(const struct factors *f, int64_t n, int64_t vectors);

/* n floats in vectors that lie a step apart; zeros fill the last. */
void product_gather(float *to, int64_t step, const float *from, int64_t n);

/* Floats that weights of so many channels take packed as u. */
size_t product_weights(int64_t out, int64_t in);
/* step: the distances of weights along in and out. */
void product_pack(float *to, const float *weights, const int64_t step[2], int64_t out, int64_t in);
/* n floats followed by zeros up to a whole vector; NULL: zeros. */
void product_pad(float *to, const float *from, int64_t n);
int64_t product_vectors(int64_t channels);
/* Memory for free(); large arrays ask for large pages, which are faster to get and to walk.  NULL: there is none. */
float *product_take(size_t floats);

#endif
