/* What the cases of operators and modules share: the tensors they are given, and what came out as text. */
#ifndef CASE_TENSORS_H
#define CASE_TENSORS_H

#include "ops/record.h"

/* T(2, 3), G(2, 3), I(2, 3), Z(2, 3), B(2, 3), C(2, 3): new tensors; G requires grad.  False: no memory. */
bool case_add_makers(struct arena *a, struct scope *s);

/* Results with "; " between them; tensor adds the text of one. */
void case_add_result(struct text *t, struct datum d, void (*tensor)(struct text *t, const struct value *v));

/*
 * The operators that autograd sees, and those of PyTorch's list ("conv2d relu_ add").  Both leave out what autograd does for
 * itself: detach of what it saves, a copy of what the next operator writes into.
 */
void case_add_operators(struct text *t, const struct graph *g);
void case_add_expected_operators(struct text *t, const char *names);

#endif
