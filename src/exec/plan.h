/*
 * A plan is a graph made ready to run: its leaf operators in order, each with
 * its kernel, every tensor a numbered slot, and where each slot is needed
 * last.  It owns an arena; plan_free() frees it.  The graph must outlive it.
 *
 * A run owns the tensors it made; run_release() frees them.
 */
#ifndef EXEC_PLAN_H
#define EXEC_PLAN_H

#include "exec/kernel.h"

struct plan_step {
	const struct node *node;
	const struct kernel_row *row;
	struct datum *args;              /* D_TENSOR: u.i is a slot */
	int *outputs; int n_outputs;     /* slots; -1: nothing there */
	int *drop; int n_drop;           /* slots that nobody needs after it */
	bool unread;                     /* what it fills is filled again before anybody reads it */
};

/* Where the content of a slot comes from that no step makes. */
struct plan_source {
	int slot;
	int input;                       /* index among the graph's inputs, -1: a parameter, buffer or constant */
	bool written;                    /* some step writes to it or to a view of it */
};

struct plan {
	struct arena *arena;
	const struct graph *graph;
	struct plan_step *steps; size_t n_steps, cap_steps;
	struct value **values; size_t n_values, cap_values;   /* by slot */
	size_t *settled;                 /* by slot: the step from which on the value has the shape it is known by (transpose_ changes it) */
	struct plan_source *sources; size_t n_sources, cap_sources;
	int *outputs; size_t n_outputs;                       /* slots of the graph's output, in order */
};

/* unread.c: marks the steps that are. */
bool plan_find_unread(struct plan *p, nns_error *err);
struct plan *plan_new(const struct graph *g, nns_error *err);
void plan_free(struct plan *p);      /* NULL is allowed */
/* Whether the step changes its argument i: by its schema, or as running statistics do. */
bool step_writes_argument(const struct plan_step *s, int i);

struct run_options {
	struct tensor *const *inputs;    /* one for every input of the graph */
	struct generator *generator;     /* for operators that draw; NULL: those fail */
	int threads;                     /* 0: as many as the machine has */
	size_t memory;                   /* bytes that tensors may take at once; 0: any */
	bool check;                      /* compare every shape, stride and dtype with the inferred ones */
	bool timed;                      /* keep run.events */
	bool (*progress)(size_t done, size_t total, void *data); /* between actions; false ends the run with NNS_CANCELLED.  NULL: none */
	void *progress_data;
};

/* A step, or what was done of it or of several at once. */
struct run_event {
	size_t step, head;               /* the last and the first step of those done at once */
	const char *kernel;              /* what did it; NULL: the reference kernel */
	bool ends;                       /* the step is done after it; otherwise it moved a tensor into another layout */
	double start, ms;                /* start: since the run began */
};

struct run {
	struct arena *arena;
	struct heap heap;
	struct tensor **tensors;         /* by slot; NULL when dropped */
	size_t n_checked;                /* values compared */
	struct run_event *events; size_t n_events, cap_events; /* in the order of time, when timed */
	double began;                    /* ms */
	const struct plan_step *not_finite; /* where the fast executor would have lost NaN or an infinity, and gave the pass to the reference kernels; NULL: nowhere */
	const struct plan *plan;
};

/* An empty run to make inputs in. */
bool run_init(struct run *r, const struct plan *p, nns_error *err);
bool run_execute(struct run *r, const struct run_options *o, nns_error *err);
void run_release(struct run *r);

/* ---- Parts of a run, for fast.c ---- */

/* Fills in what the options leave open. */
void run_begin(struct run *r, struct run_options *o);
bool run_source(struct run *r, const struct plan_source *s, const struct run_options *o, nns_error *err);
/* A step on its reference kernel; an error names the operator and its module. */
bool run_step(struct run *r, size_t step, const struct run_options *o, nns_error *err);
void run_drop(struct run *r, int slot);
/* Whether the tensor lies in memory as the value says. */
bool run_fits(const struct tensor *t, const struct value *v);
double run_clock(void);          /* ms */
/* Keeps the event, which ends now, when the run is timed. */
bool run_record(struct run *r, const struct run_options *o, struct run_event e, nns_error *err);
/* Tells how far the run is; false: it shall end, and the error says so. */
bool run_progress(const struct run_options *o, size_t done, size_t total, nns_error *err);

/* A tensor over the content that a value has (storage, or a constant); an error names it when it has none. */
struct tensor *tensor_of_value(struct arena *a, struct heap *h, const struct value *v, nns_error *err);

#endif
