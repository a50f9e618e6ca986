/* Multiply-adds by fvcore's rules (fvcore/nn/jit_handles.py), where several families share one.  Owns nothing. */
#ifndef OPS_FLOPS_H
#define OPS_FLOPS_H

#include "ops/op.h"

/*
 * For composite operators that fvcore sees whole and does not count, though it would count their parts (the trace it
 * reads records lstm and not the addmm below it).
 */
bool flops_uncounted(const struct node *n, double *out);

/* The elements of the first output, times 1 or 4. */
bool flops_output(const struct node *n, double *out);
bool flops_output_4(const struct node *n, double *out);

/*
 * What n counts, and fvcore's name of it; counted: fvcore counts such operators.  False: its parts are to be asked, since
 * the trace that fvcore reads holds them in its place.
 */
bool flops_of(const struct node *n, double *count, bool *counted, const char **name);

#endif
