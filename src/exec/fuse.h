/*
 * Which steps of a plan a backend could do, and which of them together: a
 * convolution with the batch norm, the sum and the activation after it.  The
 * steps of a group run where its last step stands.  Owned by the arena given.
 */
#ifndef EXEC_FUSE_H
#define EXEC_FUSE_H

#include "exec/backend.h"
#include "exec/plan.h"

enum { GROUP_STEPS = 10, GROUP_RESULTS = 3 };

/* Part of what a group does: a group, or a step by itself. */
struct stage {
	struct group *group;     /* NULL: the step */
	size_t step;
};

struct group {
	struct stage *instead; int n_instead;    /* what does the same when the backend cannot do all at once; none: its steps */
	struct group *second;    /* of two products, or a convolution and a pool: the one that takes this one's result further, or NULL */
	struct work work;        /* without layouts and weights */
	size_t steps[GROUP_STEPS]; int n_steps;
	int *in, n_in;           /* slots */
	int add;                 /* the slot that is added to the result, -1: none */
	int out;                 /* slot */
	int more[GROUP_RESULTS - 1], n_more; /* slots of further results */
	int weights, bias;       /* slots of constants, -1: none */
	int norm_weights, norm_bias; /* slots of the layer norm after a product */
	int lstm[4];             /* slots of w_ih, w_hh and, or -1, b_ih and b_hh */
	bool updates;            /* it writes to all of in but the first */
	bool adds;               /* the last of in is added, by a POST_ADD */
	int norm;                /* which of steps is a batch norm that is folded into the weights, -1: none */
};

/* Groups each of which reads what the one before makes, and which nobody else reads; a backend may do them in one go. */
enum { CHAIN_LINKS = 3 };

struct chain {
	struct group *links[CHAIN_LINKS]; int n;
};

struct fusion {
	const struct plan *plan;
	struct arena *arena;
	struct group **at;       /* by step: the group that ends there */
	struct chain **chain;    /* by step: the chain that the group which ends there is part of */
	bool *absorbed;          /* by step: part of a group */
	bool *constant;          /* by slot: known before any run */
	bool *folded;            /* by step: makes constants only */
	bool *written;           /* by slot: some step writes to it, or to what may share its memory */
	int *family;             /* by slot: equal for those that may share memory */
	bool *alone;             /* by slot: nothing else may share its memory, and it does not come from outside */
	size_t *first_use, *uses; /* by slot: first_use[slot] to first_use[slot + 1] in uses, the steps that mention it, in order */
};

bool fuse(struct fusion *f, const struct plan *p, struct arena *a, nns_error *err);

/* The argument of a step by its name; a D_TENSOR is a slot.  NULL: the schema has none. */
const struct datum *step_arg(const struct plan_step *s, const char *name);
int step_slot(const struct plan_step *s, const char *name);  /* -1: None, or no tensor */
double step_number(const struct plan_step *s, const char *name, double none);  /* none: when it is no number, or the schema has none */
/* Whether the step changes a tensor that it was given, in any family (-1) or in one. */
bool step_writes(const struct fusion *f, size_t step, int family);
/* Whether a later step or the caller wants the slot as it is after the step. */
bool used_after(const struct fusion *f, int slot, size_t step);
/* The first step after one that mentions the slot; SIZE_MAX: none. */
size_t step_next_use(const struct fusion *f, int slot, size_t after);
/* Whether the group may run as late as at the step: nobody in between writes what it reads, or reads what it writes in place. */
bool group_may_wait(const struct fusion *f, const struct group *g, size_t until);
/* Calls fn for every slot that a step reads. */
void step_each_slot(const struct plan_step *s, void (*fn)(int slot, void *data), void *data);

/* fuse_further.c: views of the group's result that pull planes of columns apart, and the copy of them. */
bool take_planes(struct fusion *f, struct group *g, size_t step);
/* The turning and adding of a product's rows, and a layer norm over them.  False: no memory. */
bool take_rows(struct fusion *f, struct group *g);
/* A max pool, which becomes the group's second. */
bool take_pool(struct fusion *f, struct group *g);
/* chain.c: fills chain.  False: no memory. */
bool find_chains(struct fusion *f);

/* fuse_read.c: the group that a step alone makes.  False: no backend does it. */
bool group_read(struct fusion *f, size_t step, struct group *g);
/* Whether the operator is one that a backend may do. */
bool group_known(const struct plan_step *s);
/* fuse_post.c: the activation that a step is; its argument in *slot. */
bool post_read(const struct plan_step *s, struct post *posts, int *n, int *slot);
/* The name of the operator without overload and underscore. */
bool step_is(const struct plan_step *s, const char *name);
/* A tensor of float32 that has elements, is settled at the step, and is within the backend's dimensions. */
const struct value *plain_value(const struct fusion *f, int slot, size_t step);

#endif
