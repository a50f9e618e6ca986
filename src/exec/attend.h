/*
 * Scaled dot product attention in float32 for processors with AVX-512: keys
 * and values of a head are packed once, then some queries at a time go
 * through both products; their scores stay in the cache.
 */
#ifndef EXEC_ATTEND_H
#define EXEC_ATTEND_H

#include "exec/backend.h"

struct attend;

/* Whether it is faster than oneDNN's products. */
bool attend_pays(const struct attention_shape *a);
/* NULL: no memory. */
struct attend *attend_new(const struct attention_shape *a, int threads);
void attend_free(struct attend *p);      /* NULL is allowed */
size_t attend_scratch(const struct attend *p);   /* bytes, at a multiple of 64 */
/* mask may be NULL. */
void attend_run(const struct attend *p, const float *q, const float *k, const float *v, const float *mask, float *out, void *scratch);

#endif
