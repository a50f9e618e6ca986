/*
 * What all indexing comes down to: a list of positions in a tensor, counted
 * row by row, from which elements are taken or to which they are put.  The
 * lists belong to the call.
 */
#ifndef EXEC_POSITIONS_H
#define EXEC_POSITIONS_H

#include "exec/kernel.h"

struct positions {
	int64_t n, *at;
	int ndim;                        /* the shape that they make; their product is n */
	int64_t size[MAX_DIMS];
};

/* Offsets of all coordinates, row by row, where a step in dimension d counts stride[d]; *n of them. */
int64_t *offsets_of(struct kernel_call *k, int ndim, const int64_t *size, const int64_t *stride, int64_t *n);
/* Sums of one offset each: outer, middle, inner, the last the fastest. */
bool positions_join(struct kernel_call *k, struct positions *p, const int64_t *outer, int64_t n_outer, const int64_t *middle, int64_t n_middle,
                    const int64_t *inner, int64_t n_inner);

/* Indices in [0, size), or from the end when negative ones are allowed. */
const int64_t *indices_of(struct kernel_call *k, const struct tensor *index, int64_t size, bool negative);

/* self's elements at these positions. */
bool positions_take(struct kernel_call *k, const struct tensor *self, const struct positions *p, struct tensor *out);

enum combine { COMBINE_SET, COMBINE_SUM, COMBINE_PRODUCT, COMBINE_MEAN, COMBINE_MAX, COMBINE_MIN };
/* The name of a reduction: sum, add, prod, multiply, mean, amax, amin. */
bool combine_named(struct kernel_call *k, const char *name, enum combine *out);

/*
 * out becomes self with n elements put to their positions, one after the
 * other; source has n elements or one for all.  When self is not included,
 * what is put forgets what was there.
 */
bool positions_put(struct kernel_call *k, const struct tensor *self, const struct positions *p, const struct tensor *source, double factor,
                   enum combine combine, bool include_self, struct tensor *out);

#endif
