/* What the files behind nns_run() share. */
#ifndef API_RUN_H
#define API_RUN_H

#include "api/api.h"
#include "base/mapping.h"
#include "exec/fast.h"
#include "load/npy.h"

/* An open file of arrays; owns its arena and its mapping. */
struct arrays {
	const char *path;
	struct arena *arena;
	struct mapping file;
	struct npz_array *all; size_t n;
};
bool arrays_open(struct arrays *f, const char *path, nns_error *err);
void arrays_close(struct arrays *f);     /* a zeroed struct is allowed */
const struct value *arrays_find(const struct arrays *f, const char *name, const char *prefix, size_t index);

/* run_inputs.c: weights and random inputs.  *generator is the model's arena's; the seed is drawn when none is given. */
bool run_weights(struct model *m, const nns_run_options *o, uint64_t *seed, struct generator **generator, nns_error *err);
bool run_random_input(const struct graph *g, size_t index, struct generator *generator, struct run *r, struct tensor **out, nns_error *err);

/* run_report.c */
struct run_report {
	const struct model *model;
	const nns_run_options *options;
	const struct run *run;
	const double *times; int n_times;    /* ms of every pass */
	double plan_ms;
	const struct fast_plan *fast;        /* NULL: the reference executor */
	const struct run_difference *difference; /* NULL: not compared */
	uint64_t seed;
	const struct arrays *expected;       /* NULL: nothing to compare with */
};
bool run_report(const struct run_report *r, struct text *out, bool *matches, nns_error *err);

/* run_compare.c: where the fast executor leaves the reference. */
struct run_difference {
	size_t values;           /* compared */
	double largest;
	bool found;              /* a value beyond the tolerance */
	size_t step;             /* of the first */
	int64_t at;
	double fast, reference;
};
bool run_compare(struct fast_plan *f, struct run *r, const struct run_options *o, double rtol, double atol, struct run_difference *result, nns_error *err);

/* run_profile.c: modules to a depth; JSON as the value of "profile" and a comma. */
bool run_profile_text(const struct run *r, int depth, struct text *out, nns_error *err);
bool run_profile_json(const struct run *r, struct text *out, nns_error *err);

/* Writes the outputs as out0, out1, ... */
bool run_save(const struct run *r, const char *path, nns_error *err);

#endif
