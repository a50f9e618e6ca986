/*
 * The fast executor: a plan whose steps were given to a backend, with weights
 * packed, layouts chosen and memory assigned.  It borrows the plan and what
 * the plan's constants lie in, and owns its backend, its primitives and the
 * memory of intermediate results; one run at a time.
 */
#ifndef EXEC_FAST_H
#define EXEC_FAST_H

#include "exec/memory.h"

struct fast_options {
	int threads;             /* 0: all */
	size_t memory;           /* bytes that it and the weights of the model may take; 0: any */
	bool deterministic;      /* choose algorithms by rule, not by measuring */
	bool half;               /* convolutions and matrix products in bfloat16 */
	bool (*progress)(size_t done, size_t total, void *data); /* between steps while the plan is made; false ends it */
	void *progress_data;
	bool visible;            /* every result is made a plain tensor, for struct fast_watch */
};

struct fast_plan;

bool fast_available(void);
bool fast_has_half(void);
struct fast_plan *fast_plan_new(const struct plan *p, const struct fast_options *o, nns_error *err);
void fast_plan_free(struct fast_plan *f);            /* NULL is allowed */
/*
 * A pass makes some weights as it needs them, in less time and memory than it takes to keep them.  Before the second pass: keeps
 * them, where the memory allows.
 */
void fast_plan_keep(struct fast_plan *f);

/* Called after the step; false ends the run. */
struct fast_watch {
	bool (*after)(size_t step, const struct run *r, void *data, nns_error *err);
	void *data;
};
/*
 * As run_execute(); w may be NULL. A pass that meets values which fast kernels would lose is made again by run_execute(),
 * and r->not_finite says where; w does not see that.
 */
bool fast_execute(struct fast_plan *f, struct run *r, const struct run_options *o, const struct fast_watch *w, nns_error *err);

/* fast_memory.c: what a fast plan will take, before it is made, and what one takes. */
bool fast_memory_estimate(const struct plan *p, int threads, struct memory_plan *m, nns_error *err);
bool fast_plan_memory(const struct fast_plan *f, struct memory_plan *m, nns_error *err);

#endif
