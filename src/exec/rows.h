/* Products of a batch with one matrix: the same with fewer, or larger, products. */
#ifndef EXEC_ROWS_H
#define EXEC_ROWS_H

#include "exec/backend.h"
#include "ir/graph.h"

/* How a product reads its first operand and writes its result: sizes are the work's but for the last of the operand. */
struct rows_view {
	int64_t in_size[BACKEND_ARRAY], in_stride[BACKEND_ARRAY], out_stride[BACKEND_ARRAY];
};

/*
 * Makes of w, which is in [.., rows, p] times weights [.., p, n], a product of two dimensions when the rows of in lie evenly
 * in memory, or else, of three, one over the dimension that has more rows.  The result lies row by row as before.
 */
void rows_gather(struct work *w, const struct value *in, struct rows_view *v);

#endif
