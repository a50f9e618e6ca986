/*
 * The memory of a plan, known before any of it is taken.  Weights are what
 * parameters, buffers and constants hold; activations are the tensors and the
 * scratch memory of kernels at their worst moment, inputs too.  All in bytes.
 */
#ifndef EXEC_MEMORY_H
#define EXEC_MEMORY_H

#include "exec/plan.h"

struct memory_plan {
	size_t weights, activations;
	size_t packed;           /* a backend's own copies of weights */
	size_t workspace;        /* a backend's scratch memory, and what it took to be made when that is more */
};

/* On the reference kernels; values whose size depends on content count as nothing. */
bool memory_of_plan(const struct plan *p, int threads, struct memory_plan *m, nns_error *err);
size_t memory_total(const struct memory_plan *m);
/* An error when it is more than limit bytes (0: any will do). */
bool memory_allowed(const struct memory_plan *m, size_t limit, nns_error *err);


/* ---- Following tensors as they come and go ---- */

struct liveness {
	const struct plan *plan;
	int threads;
	int *owner;              /* by slot: the slot whose memory it lies in */
	int *users;              /* by owner: slots that hold on to it */
	bool *live;              /* by slot */
	bool *outside;           /* by owner: no memory of a run */
	size_t now, peak;
};

bool liveness_begin(struct liveness *l, struct arena *a, const struct plan *p, int threads, nns_error *err);
void liveness_come(struct liveness *l, int slot);
/* A step on its reference kernel: what it makes, and scratch memory while it runs. */
void liveness_step(struct liveness *l, const struct plan_step *s);
void liveness_go(struct liveness *l, int slot);

#endif
