/* What stands behind an nns_plan, shared by the files that run models. */
#ifndef API_RUN_H
#define API_RUN_H

#include "api/api.h"
#include "base/mapping.h"
#include "base/random.h"
#include "exec/fast.h"
#include "load/npy.h"
#include "save/save.h"

/* An open file of arrays; owns its arena and its mapping. */
struct arrays {
	const char *path;
	struct arena *arena;
	struct mapping file;
	struct npz_array *all; size_t n;
	struct model *model;     /* of a .safetensors, whose tensors they are */
};
bool arrays_open(struct arrays *f, const char *path, nns_error *err);
void arrays_close(struct arrays *f);     /* a zeroed struct is allowed */
/* The array of a name, or of PREFIX and a number ("in0"), or the only one without a name; NULL: none. */
const struct npz_array *arrays_find(const struct arrays *f, const char *name, const char *prefix, size_t index);
/* "in12" after "in": 12, "in" alone: 0.  -1: it is no such name. */
long numbered_name(const char *name, const char *prefix);

/* run_compare.c: where the fast executor leaves the reference. */
struct run_difference {
	size_t values;           /* compared */
	double largest;
	bool found;              /* a value beyond the tolerance */
	size_t step;             /* of the first */
	const char *buffer;      /* the first is in what this parameter or buffer holds after the pass; NULL: in what the step makes */
	int64_t at;
	double fast, reference;
};

struct nns_plan {
	struct nns_model *model;
	nns_run_options options;
	struct arena *arena;
	struct nns_graph graph;
	struct arrays inputs, expected;  /* the files of the options, when there are */
	struct plan *plan;
	struct fast_plan *fast;          /* NULL: the reference executor */
	struct memory_plan memory;
	double plan_ms;
	uint64_t seed;
	struct generator generator;
	int64_t *limits;                 /* of integer inputs: drawn below */
	/* of the last pass */
	struct run run;
	struct tensor **values;          /* of the inputs */
	struct run_difference difference;
	size_t pass, passes;             /* which it is, of how many: for progress */
	const char *stage;
	/* of all passes */
	double *times; size_t n_times, cap_times; /* ms */
};


/*
 * run_weights.c: content for parameters and buffers.  draws: numbers are drawn after the parameters, and what they are depends
 * on the draws before.  What weights_lax left out becomes the model's note.
 */
struct weights_request {
	struct model *model;
	const nns_run_options *options;
	const struct run_options *making;    /* generator, threads, progress */
	bool draws;
};
bool weights_give(const struct weights_request *r, nns_error *err);
uint64_t seed_of(const nns_run_options *o);
/* The tensors with content of a model, which they belong to, by name. */
bool arrays_of_model(struct arena *a, struct model *m, struct npz_array **out, size_t *n, nns_error *err);

/* run_inputs.c */
/* What the file of the options holds, as inputs for a trace. */
bool inputs_of_file(struct nns_plan *p, struct graph_input **out, size_t *n, nns_error *err);
/* Whether the file has what the traced graph takes, and nothing else. */
bool inputs_check(const struct nns_plan *p, nns_error *err);
/* Makes the tensors of a pass: from arrays, the file, or drawn. */
bool inputs_make(struct nns_plan *p, const nns_array *arrays, size_t n, nns_error *err);
void inputs_drop(struct nns_plan *p);
/* run_draw.c: the ranges of integers that are drawn; a drawn tensor. */
bool inputs_ranges(struct nns_plan *p, nns_error *err);
bool input_drawn(struct nns_plan *p, size_t index, struct tensor **out, nns_error *err);

/* run_report.c */
bool report_known(const nns_run_options *o, nns_error *err);   /* whether there is such a format */
bool run_report(struct nns_plan *p, struct text *out, bool *matches, nns_error *err);

bool run_compare(struct fast_plan *f, struct run *r, const struct run_options *o, double rtol, double atol, struct run_difference *result, nns_error *err);

/* run_profile.c: modules to a depth; JSON as the value of "profile" and a comma. */
bool run_profile_text(const struct run *r, int depth, struct text *out, nns_error *err);
bool run_profile_json(const struct run *r, struct text *out, nns_error *err);
/* run_trace.c: the whole text in Chrome's trace event format. */
bool run_profile_chrome(const struct run *r, const char *model, struct text *out, nns_error *err);

/* The element bytes of a tensor in one piece: its own, or a copy in the arena. */
const void *contiguous_bytes(struct arena *a, const struct tensor *t, nns_error *err);
/* run_weights.c: parameters and buffers as they are after a pass. */
bool weights_save_after(struct nns_plan *p, const char *path, struct file_pending *pending, nns_error *err);
/* Writes the outputs as out0, out1, ... */
bool run_save(const struct run *r, const char *path, struct file_pending *pending, nns_error *err);

#endif
