/* The inside of a fast plan: what fast.c and lower*.c make and fast_run.c runs. */
#ifndef EXEC_FAST_PLAN_H
#define EXEC_FAST_PLAN_H

#include "exec/fast.h"
#include "exec/fuse.h"

/* A tensor in the workspace, in a layout of the backend's. */
struct place {
	const struct layout *layout;
	size_t bytes, offset;
	size_t first, last;      /* actions */
};

struct operand {
	int slot;
	int place;               /* -1: the plain tensor of the slot */
};

/* What a slot holds in a pass. */
struct magnitude {
	double most;             /* absolute value; INFINITY: it may hold infinities, NaN: those and NaN */
	bool exact;              /* it was read */
};

struct guard;                /* guard.c */

struct action {
	size_t step, head;       /* of the plan: the last and the first that it does */
	struct primitive *primitive; /* NULL: the step on its reference kernel */
	const char *name;        /* of the backend's implementation */
	struct operand *in; int n_in;
	struct operand out;
	const int *more; int n_more;  /* slots of further results, plain tensors */
	bool ends;               /* the step is done after it */
	const struct guard *guard;    /* of what is not finite; NULL: it moves a tensor, or is on its reference kernel */
	int *drop; int n_drop;   /* slots whose plain tensor nobody needs after it */
};

struct fast_plan {
	struct arena *arena;
	const struct plan *plan;
	struct fast_options options;
	struct run_options making;   /* who is told of the progress while it is made */
	struct backend *backend;
	struct fusion fusion;
	struct magnitude *known; /* by slot */
	struct run constants;    /* the tensors of constant slots */
	bool *loaded;            /* by slot: a source, or constant, that is read as a plain tensor */
	struct action *actions; size_t n_actions, cap_actions;
	struct place *places; size_t n_places, cap_places;
	size_t activations, scratch, weights;    /* bytes */
	size_t later;            /* that fast_plan_keep() takes */
	bool kept;
	struct heap_pool pool;        /* of tensors between and during runs */
	size_t made;             /* bytes at most while it was made: packed weights, and what measuring took */
	unsigned char *memory;   /* of the activations and the scratch after it; NULL until the first run */
};

/* arrange.c: gives places their offsets, by the actions that they live in. */
bool arrange(struct fast_plan *f, nns_error *err);

#endif
