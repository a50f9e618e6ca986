/* The content of values that hang on constants alone (attention masks), found by running what made them. */
#ifndef EXEC_CONTENT_H
#define EXEC_CONTENT_H

#include "exec/plan.h"

/*
 * The elements of v in row-major order, in arena a.  NULL: they hang on an input, a parameter or random numbers, something was
 * written in place on the way, bytes are missing, or it is too large; no error is set.  The operators that made v are recorded already.
 */
const double *value_content(const struct value *v, struct arena *a);

#endif
