/*
 * What kernels that draw random numbers share: which element is drawn first,
 * how the types below float32 round, and the values of uniform_() and normal_().
 */
#ifndef EXEC_DRAW_H
#define EXEC_DRAW_H

#include "base/random.h"
#include "exec/kernel.h"

/* The generator of the run; NULL after an error when there is none. */
struct generator *draw_generator(struct kernel_call *k);
/* The dimensions of t in the order that its elements are drawn in, outermost first: ndim of them. */
void draw_order(const struct tensor *t, int *order);
/* t with its dimensions in that order, in scratch memory. */
struct tensor *draw_turned(struct kernel_call *k, const struct tensor *t, const int *order);
/* The value that an element of type d holds after it took v. */
double draw_rounded(enum dtype d, double v);
/* One value of uniform_(from, to) on type d. */
double draw_uniform(struct generator *g, enum dtype d, double from, double to);
/* n values of normal_() on contiguous memory of type d; work has room for n floats. */
void draw_normal(struct generator *g, enum dtype d, double *out, int64_t n, double mean, double std, float *work);

#endif
