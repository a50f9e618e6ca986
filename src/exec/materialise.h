/* Content for values that were made while modules were constructed (nn/nn.h: runtime.construction). */
#ifndef EXEC_MATERIALISE_H
#define EXEC_MATERIALISE_H

#include "exec/plan.h"

/*
 * Runs the graph g and gives each of the n values that it made its content: storage and storage_bytes, which lie in one block
 * of memory that the caller frees with free() when the values are no longer used.  Values that g did not make are left
 * alone; the array is reordered.
 */
bool graph_materialise(struct graph *g, struct value **values, size_t n, struct generator *generator, void **block, nns_error *err);

/* The same for a few small values; their content lies in the arena of the graph. */
bool graph_evaluate(struct graph *g, struct value **values, size_t n, nns_error *err);

#endif
