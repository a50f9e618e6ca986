/*
 * Making the actions of a fast plan, by subject: lower.c actions, places and
 * layouts, and steps on their reference kernels; lower_weights.c what
 * primitives are given of constants; lower_group.c groups, lower_product.c products, lower_chain.c
 * chains of them; lower_plan.c all steps in order.  Functions that return
 * false set err, but those of groups and chains may also mean that the backend
 * cannot.
 */
#ifndef EXEC_LOWER_H
#define EXEC_LOWER_H

#include "exec/fast_plan.h"

/* Where the content of a slot is, while the plan is made. */
struct whereabouts {
	int place;               /* -1: in none */
	bool plain;              /* in a tensor of the inferred strides */
};

struct lowering {
	struct fast_plan *f;
	struct whereabouts *slots;
	size_t step;             /* at work */
	nns_error *err;
};

const struct value *lower_value(const struct lowering *l, int slot);
/* Of a tensor with the slot's strides; NULL: there is none. */
const struct layout *lower_plain_layout(struct lowering *l, int slot);
/* A place that the next action fills; -1: no memory. */
int lower_add_place(struct lowering *l, const struct layout *layout);
/* The next action; takes the primitive. */
bool lower_add_primitive(struct lowering *l, struct primitive *p, const struct primitive_needs *needs, const struct operand *in, int n_in, struct operand out);
bool lower_add_reorder(struct lowering *l, struct operand from, const struct layout *from_layout, struct operand to, const struct layout *to_layout);
/* Brings the slot into a plain tensor, or into a layout; wherever it is. */
bool lower_need_plain(struct lowering *l, int slot);
bool lower_need_layout(struct lowering *l, int slot, const struct layout *wanted, struct operand *out);
/* The slot's content is there, and nowhere else. */
void lower_now_in(struct lowering *l, struct operand o);
/* The slot is written to: it, and what may share its memory, is in plain tensors only. */
void lower_forget_places(struct lowering *l, int slot);
/* The step on its reference kernel. */
bool lower_reference(struct lowering *l, size_t step);
/* Weights, bias and factors of the work, in the arena or borrowed from constants. */
bool lower_give_weights(struct lowering *l, struct arena *a, const struct group *g, struct work *w);
/* Where a result in a layout goes. */
bool lower_place_result(struct lowering *l, const struct group *g, const struct layout *layout, struct operand *out);
/* When results are to be seen, a step is done when its own is plain. */
bool lower_show(struct lowering *l, int slot);
/* Makes the primitive of a work of the group, and its action. */
bool lower_add_group(struct lowering *l, const struct group *g, const struct work *w, struct operand *in);
/* A copy of the operand in a layout that nobody else asks for. */
bool lower_bring_copy(struct lowering *l, struct operand *o, const struct layout *now, const struct layout *wanted);
const struct layout *lower_row_by_row(struct lowering *l, int ndim, const int64_t *size);
/* A product reads and writes plain tensors, in two dimensions when its rows share a matrix; they are copied when they lie unevenly. */
bool lower_product_layouts(struct lowering *l, const struct group *g, struct work *w, struct operand *in);
/* A product that takes its rows as they lie, unevenly; false when the backend does not. */
bool lower_uneven(struct lowering *l, const struct group *g, const struct work *w, struct operand *in);
/* A group and its second, which are of two dimensions, at once. */
bool lower_two(struct lowering *l, struct arena *scratch, const struct group *g);
bool lower_group(struct lowering *l, const struct group *g);
bool lower_chain(struct lowering *l, const struct chain *c);
/* All actions of the plan, and memory for them. */
bool lower_plan(struct fast_plan *f, nns_error *err);

#endif
