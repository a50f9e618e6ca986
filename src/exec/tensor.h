/*
 * Tensors with content: what running a graph makes.  A storage counts its
 * users and is freed by the last storage_drop(); a tensor lives in the arena
 * of its run and holds one count on its storage.  Several tensors may share a
 * storage, as views do.
 */
#ifndef EXEC_TENSOR_H
#define EXEC_TENSOR_H

#include <stdint.h>

#include "base/arena.h"
#include "ir/elements.h"
#include "ir/graph.h"

/*
 * Blocks that were freed and may be wanted again in the same size: new pages cost more than many a kernel.  What is used and
 * what is kept stay within the most that was used.  Owned by who zeroed it.
 */
enum { POOL_BLOCKS = 64 };
struct heap_pool {
	struct { void *data; size_t size; } blocks[POOL_BLOCKS]; int n; /* the oldest first */
	size_t bytes, peak;
};
void pool_release(struct heap_pool *p);

/* Where storages come from: counts bytes and refuses beyond a limit. */
struct heap {
	size_t used, peak;       /* bytes */
	size_t limit;            /* 0: none */
	struct heap_pool *pool;       /* NULL: none */
};
void *heap_alloc(struct heap *h, size_t size, nns_error *err); /* zeroed; size 0 gives a pointer too */
void heap_free(struct heap *h, void *p, size_t size);

struct storage {
	unsigned char *data;
	size_t size;             /* bytes */
	int users;
	bool borrowed;           /* the bytes belong to a file or to the caller: not freed, not written */
	struct heap *heap;
};

struct tensor {
	enum dtype dtype;
	int ndim;
	int64_t *size, *stride;  /* ndim each; strides in elements */
	int64_t offset;          /* elements into the storage */
	struct storage *storage;
	bool is_scalar;          /* a Python number: promotes as numbers do */
};

/* A new contiguous tensor, zeroed.  NULL: no memory, or over the heap's limit. */
struct tensor *tensor_new(struct arena *a, struct heap *h, enum dtype dtype, int ndim, const int64_t *size, nns_error *err);
/* The same, not zeroed, with strides of the caller's (none negative). */
struct tensor *tensor_new_raw(struct arena *a, struct heap *h, enum dtype dtype, int ndim, const int64_t *size, const int64_t *stride, nns_error *err);
/* The same, zeroed. */
struct tensor *tensor_new_strided(struct arena *a, struct heap *h, enum dtype dtype, int ndim, const int64_t *size, const int64_t *stride, nns_error *err);
/* A tensor over a storage, which gets one more user. */
struct tensor *tensor_over(struct arena *a, struct storage *s, enum dtype dtype, int ndim, const int64_t *size, const int64_t *stride,
                           int64_t offset, nns_error *err);
/* A storage over bytes that outlive it. */
struct storage *storage_borrow(struct arena *a, const unsigned char *data, size_t size, nns_error *err);
void storage_drop(struct storage *s);    /* NULL is allowed */

int64_t tensor_numel(const struct tensor *t);
bool tensor_is_contiguous(const struct tensor *t);
/* Whether every element lies inside the storage. */
bool tensor_fits(const struct tensor *t);
static inline unsigned char *tensor_data(const struct tensor *t)
{
	return t->storage->data + t->offset * (int64_t)dtype_size(t->dtype);
}

/* ---- Loops over several tensors of one (broadcast) shape ---- */

enum { MAX_OPERANDS = 8 };

/*
 * Walks the elements of up to MAX_OPERANDS operands in runs along one
 * dimension; dimensions that can be are merged first, so that contiguous
 * operands make one run.
 *
 *     struct loop l;
 *     loop_init(&l, ndim, size, n);  loop_operand(&l, i, t) for each
 *     for (loop_begin(&l); l.left > 0; loop_next(&l))
 *             l.run elements at l.at[i], l.step[i] elements apart
 */
struct loop {
	int ndim, n;
	int64_t size[MAX_DIMS], stride[MAX_OPERANDS][MAX_DIMS], index[MAX_DIMS];
	int64_t run, step[MAX_OPERANDS];
	int64_t at[MAX_OPERANDS];        /* elements into the storage */
	int64_t left;                    /* runs still to come, this one too */
	int64_t start[MAX_OPERANDS];
};
void loop_init(struct loop *l, int ndim, const int64_t *size, int n);
/* t's shape must broadcast to the loop's. */
void loop_operand(struct loop *l, int i, const struct tensor *t);
void loop_begin(struct loop *l);
void loop_next(struct loop *l);

/* Contiguous copies of all elements, and back. */
void tensor_to_doubles(const struct tensor *t, double *out);
void tensor_to_floats(const struct tensor *t, float *out);
void tensor_to_ints(const struct tensor *t, int64_t *out);
void tensor_from_doubles(const struct tensor *t, const double *in);
void tensor_from_floats(const struct tensor *t, const float *in);
void tensor_from_ints(const struct tensor *t, const int64_t *in);
/* The elements of from, broadcast and converted; any dtype when both are the same. */
void tensor_copy(const struct tensor *to, const struct tensor *from);

#endif
