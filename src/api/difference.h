/* Where two tensors of one shape differ, as numpy.allclose(equal_nan=True) sees it.  Owns nothing. */
#ifndef API_DIFFERENCE_H
#define API_DIFFERENCE_H

#include "exec/layout.h"

struct difference {
	bool compared, equal;
	char problem[160];       /* another shape or dtype */
	double largest;
	int64_t at, beyond, n;   /* where the largest is; how many are beyond the tolerance */
	double got, want;
};

/* Two NaN are equal, and infinities of one sign. */
bool close_enough(double got, double want, double rtol, double atol);

/* Fills in all but `compared` and `problem`.  Reals and imaginary parts of complex numbers count by themselves. */
void difference_of(const struct tensor *got, const struct tensor *want, double rtol, double atol, struct difference *d);

/* Tensors are read in pieces: copies of them would be no part of a plan. */
enum { DIFFERENCE_PIECE = 512 };
/* The values of complex numbers are pairs, in a last dimension of 2. */
const struct tensor *difference_parts(const struct tensor *t, struct window *w);
void difference_piece(const struct tensor *t, const struct loop *l, int i, int64_t from, int64_t n, double *out);

#endif
