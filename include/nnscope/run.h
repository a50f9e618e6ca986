/*
 * Running a model on real numbers.  A plan is made once and run many times;
 * it belongs to the caller, borrows the model, and goes before it.  Plans of
 * one model are made one at a time; after that each may run in a thread of
 * its own, at the same time as the others.
 */
#ifndef NNSCOPE_RUN_H
#define NNSCOPE_RUN_H

#include "nnscope/nnscope.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Strings are borrowed for as long as the plan lives. */
typedef struct nns_run_options {
	bool seeded;                      /* seed is given; otherwise one is drawn */
	uint64_t seed;                    /* as torch.manual_seed(seed) before the model is built */
	const char *weights;              /* any file with tensors, for parameters and buffers by name: .npz, .safetensors, of torch.save, ... */
	bool weights_lax;                 /* names that are missing or too many are no error */
	const char *inputs;               /* .npz: in0, in1, ... or the names of the inputs; NULL: drawn */
	const char *expect;               /* .npz: out0, out1, ... to compare with */
	double rtol, atol;                /* numpy.allclose(equal_nan=True): |out - expected| <= atol + rtol * |expected|; not set they are 0: equal */
	const char *save;                 /* .npz to write the outputs to */
	const char *save_weights;         /* .safetensors or .npz to write parameters and buffers to, as they are after the pass */
	int threads;                      /* 0: all */
	size_t memory;                    /* bytes that it may take, weights too; 0: what the machine has left */
	bool no_check;                    /* do not compare shapes, strides and dtypes with the inferred ones */
	int repeat;                       /* passes of nns_run(), all of the same drawn numbers; 0 is 1 */
	const char *format;               /* "table" (NULL), "json"; with profile "chrome" too */
	const char *executor;             /* "fast" (NULL, where it was built) or "reference" */
	const char *precision;            /* "float32" (NULL) or "bf16": convolutions and matrix products of the fast executor */
	bool deterministic;               /* choose algorithms by rule, not by measuring */
	bool profile;                     /* say where the time went, by operator and by module */
	int profile_depth;                /* of modules in the text; 0: 2; -1: the model alone */
	bool compare;                     /* run both executors and report the first operator that differs by rtol and atol */
	/*
	 * Called between operators, by the thread that makes the plan or runs it; stage is "weights", "plan", "run" or "save".
	 * When it returns false the work ends with NNS_CANCELLED, with nothing written and all memory given back.  NULL: none.
	 */
	bool (*progress)(void *data, const char *stage, size_t done, size_t total);
	void *progress_data;
} nns_run_options;

/* ---- Plans ---- */

/*
 * Traces the model with the inputs (as nns_trace() takes them), refuses what needs more memory than allowed before any of it
 * is taken, and gives the parameters their content.  options may be NULL.
 */
NNS_API nns_plan *nns_plan_new(nns_model *m, unsigned flags, const char *const *inputs, size_t n_inputs, const nns_run_options *options, nns_error *err);
NNS_API void nns_plan_free(nns_plan *p);   /* NULL is allowed */

/* A tensor in memory, row by row. */
typedef struct nns_array {
	const char *name;                 /* of the input, or "in0", ...; NULL: by its place */
	const char *dtype;                /* "float32", "int64", ... */
	int ndim;
	const int64_t *shape;             /* ndim sizes */
	const void *data;                 /* little-endian, aligned as its type is */
} nns_array;

/*
 * One pass.  inputs: all that the plan takes, of its shapes and dtypes, borrowed until the call returns; n_inputs 0: from the
 * file of the options, or drawn, other numbers in each pass.  Outputs of the pass before are gone.
 */
NNS_API bool nns_plan_run(nns_plan *p, const nns_array *inputs, size_t n_inputs, nns_error *err);

/* After a pass; borrowed until the next one. */
NNS_API size_t nns_plan_outputs(const nns_plan *p);
NNS_API bool nns_plan_output(nns_plan *p, size_t index, nns_array *out, nns_error *err);

typedef struct nns_plan_sizes {           /* bytes */
	size_t weights, packed;           /* parameters, buffers and constants; the fast executor's own copies of them */
	size_t activations, workspace;    /* at the worst moment of a pass; scratch memory of the fast executor */
} nns_plan_sizes;
/* What a plan has and its next pass takes.  The second pass packs more weights, for all that follow, where options.memory allows. */
NNS_API nns_plan_sizes nns_plan_memory(const nns_plan *p);

/* The graph that it runs, for nns_report() and nns_draw(); owned by the model. */
NNS_API nns_graph *nns_plan_graph(nns_plan *p);

/* What came out of the passes, as the options say.  *matches: whether what was expected came out; when not, err says what differs. */
NNS_API char *nns_plan_report(nns_plan *p, bool *matches, nns_error *err);

/* ---- In one call ---- */

/* A plan, its passes, what the options say is to be saved, and the report. */
NNS_API char *nns_run(nns_model *m, unsigned flags, const char *const *inputs, size_t n_inputs, const nns_run_options *options, bool *matches, nns_error *err);

/* Writes the state dict (options: seed, weights) to a .safetensors or .npz file; *seed is the one used, *drawn whether any number came of it. */
NNS_API bool nns_save_weights(nns_model *m, const nns_run_options *options, const char *path, uint64_t *seed, bool *drawn, nns_error *err);

#ifdef __cplusplus
}
#endif
#endif
