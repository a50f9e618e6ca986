/*
 * The backward graph: what autograd would build while the forward graph runs.
 * One rule makes all of it, from the facts of the operators (ops/op.h).  It
 * lives in the arena of the forward graph.
 */
#ifndef VIEW_BACKWARD_H
#define VIEW_BACKWARD_H

#include "ir/graph.h"
#include "ops/op.h"

/* A node of the backward graph: a grad_fn. */
struct backward {
	const char *name;             /* "AddmmBackward0", "AccumulateGrad", "CopySlices" */
	const struct node *node;      /* the operator it belongs to; NULL for the nodes that autograd adds itself */
	const struct value *variable; /* AccumulateGrad: the leaf whose gradient it collects */
	const struct value *view;     /* AsStridedBackward0 made anew for a view */
	struct backward **next;       /* next_functions; an item is NULL where no gradient flows */
	size_t n_next;
	int mark;                     /* for a walk over the graph */
	int box;                      /* for drawing: its number + 1 */
};

/* A forward pass that has been followed; values keep notes until backward_end(). */
struct following;
bool backward_follow(const struct graph *g, struct following **out, nns_error *err);
/* The grad_fn of v as PyTorch gives it after the pass; *out is NULL when v needs no gradient. */
bool backward_of(struct following *f, struct value *v, struct backward **out, nns_error *err);
void backward_end(struct following *f);

#endif
