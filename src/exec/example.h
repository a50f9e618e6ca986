/*
 * What inputs that are known while tracing (the examples in a .pt2, arrays of the caller) tell of values that hang on their
 * content: the part of the graph that makes them runs on the reference kernels.
 */
#ifndef EXEC_EXAMPLE_H
#define EXEC_EXAMPLE_H

#include "exec/plan.h"

/*
 * The content of values that g made, n at most 64, each of its real shape and strides, in g's arena; g->contents keeps them.
 * False: it hangs on what is not known (an input or parameter without content, random numbers, an operator without kernel),
 * or all such computation for g together takes more than 2^29 multiply-adds and elements, or 256 MB.
 */
bool graph_compute(struct graph *g, struct value *const *values, size_t n, const struct value **contents);

#endif
