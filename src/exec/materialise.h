/* Content for values that were made while modules were constructed (nn/nn.h: runtime.construction). */
#ifndef EXEC_MATERIALISE_H
#define EXEC_MATERIALISE_H

#include "exec/plan.h"

/*
 * Runs the graph g and gives each of the n values that it made its content: storage and storage_bytes.  Every piece of memory
 * that they lie in is handed to keep(), which owns it from then on, also when it fails; free() frees it.  Values that g
 * did not make are left alone; the array is reordered.  o: generator, threads, progress.
 */
bool graph_materialise(struct graph *g, struct value **values, size_t n, const struct run_options *o,
                       bool (*keep)(void *block, void *data, nns_error *err), void *data, nns_error *err);

/* The same for a few small values; their content lies in the arena of the graph. */
bool graph_evaluate(struct graph *g, struct value **values, size_t n, nns_error *err);

#endif
