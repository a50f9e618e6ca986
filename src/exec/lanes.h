/*
 * A tensor seen as lanes: what is reduced, scanned or sorted together, one
 * lane after the other in memory.  The elements belong to the tensor, or to
 * the call when they had to be copied.
 */
#ifndef EXEC_LANES_H
#define EXEC_LANES_H

#include "exec/kernel.h"

struct lanes {
	enum dtype dtype;
	const unsigned char *data;       /* count lanes of length elements, without gaps */
	int64_t count, length;
	int ndim;                        /* shape of a result with one element a lane */
	int64_t size[MAX_DIMS];
};

/* The dimensions marked make the lanes, as dtype (DT_NONE: t's own). */
bool lanes_over(struct kernel_call *k, const struct tensor *t, const bool *marked, bool keepdim, enum dtype dtype, struct lanes *l);
/* The dimensions of the arguments "dim" and "keepdim". */
bool lanes_of_call(struct kernel_call *k, const struct tensor *t, enum dtype dtype, struct lanes *l);
/* One dimension. */
bool lanes_along(struct kernel_call *k, const struct tensor *t, int dim, bool keepdim, enum dtype dtype, struct lanes *l);
bool lanes_not_empty(struct kernel_call *k, const struct lanes *l);

/* t with another order of its dimensions: those marked last.  The struct must stay where it is. */
struct turned {
	struct tensor t;
	int64_t size[MAX_DIMS], stride[MAX_DIMS];
};
const struct tensor *turn_last(struct turned *to, const struct tensor *t, const bool *marked);
const struct tensor *turn_dim_last(struct turned *to, const struct tensor *t, int dim);

/* How many lanes are worth a thread. */
int64_t lanes_grain(const struct lanes *l);

/*
 * Integers in the order of the elements; equal elements (0 and -0, all NaNs)
 * have equal keys, and those of NaNs are larger than all others.
 */
int64_t *keys_of(struct kernel_call *k, const struct lanes *l);
#define NAN_KEY INT64_MAX
/* Copies element `from` of the lanes to element `to` of out, which is contiguous and of the same dtype. */
void lanes_take(const struct lanes *l, int64_t from, struct tensor *out, int64_t to);

#endif
