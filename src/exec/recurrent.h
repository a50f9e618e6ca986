/*
 * A layer of an LSTM in one direction, in float32, for processors with
 * AVX-512.  Every thread takes samples of its own through all steps: it
 * multiplies the inputs of several steps at once, then goes through those
 * steps.  Between products states and gates stay in vectors of 16 features.
 */
#ifndef EXEC_RECURRENT_H
#define EXEC_RECURRENT_H

#include "exec/backend.h"

struct recurrent;

/* Whether it is faster than oneDNN's products. */
bool recurrent_pays(const struct lstm_shape *s);
/* NULL: no memory.  All arrays are copied. */
struct recurrent *recurrent_new(const struct lstm_shape *s, int threads);
void recurrent_free(struct recurrent *l);        /* NULL is allowed */
size_t recurrent_bytes(const struct recurrent *l);       /* of weights and of what threads work in */
/* x [steps, batch, in], h and c [batch, n] the states before; all [steps, batch, n], last_h and last_c [batch, n]. */
void recurrent_run(struct recurrent *l, const float *x, const float *h, const float *c, float *all, float *last_h, float *last_c);

#endif
