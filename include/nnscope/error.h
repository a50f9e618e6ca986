/*
 * Errors are values.  A function that can fail takes a pointer to an
 * nns_error last and returns false or NULL after filling it in.  The pointer
 * may be NULL where the reason does not matter.  What a call that succeeds
 * leaves in the struct means nothing.  The struct owns no memory: it may
 * live on the stack and be copied or dropped freely.
 */
#ifndef NNSCOPE_ERROR_H
#define NNSCOPE_ERROR_H

#if defined(__GNUC__) && !defined(NNS_API)
#define NNS_API __attribute__((visibility("default")))
#elif !defined(NNS_API)
#define NNS_API
#endif

enum nns_code {
	NNS_OK,
	NNS_USAGE,       /* the call itself is wrong: an unknown option or view */
	NNS_IO,          /* a file could not be read or written */
	NNS_FORMAT,      /* the bytes of a file are not what they should be */
	NNS_MODEL,       /* the model is wrong: a class, a shape, its code */
	NNS_UNSUPPORTED, /* understood, but nnscope cannot do it */
	NNS_LIMIT,       /* larger, deeper or longer than nnscope allows */
	NNS_MEMORY,      /* an allocation failed, or a plan needs more than it may take */
	NNS_CANCELLED    /* the progress callback said to stop */
};

/* What the caller could give, so that it works: for a program to say how one gives it there. */
enum nns_hint {
	NNS_HINT_NONE,
	NNS_HINT_INPUT,  /* shapes of inputs, the argument of nns_trace(), nns_plan_new() and nns_run() */
	NNS_HINT_ARRAYS, /* nns_run_options.inputs */
	NNS_HINT_WEIGHTS, /* nns_run_options.weights */
	NNS_HINT_MEMORY, /* nns_run_options.memory */
	NNS_HINT_PROFILE, /* nns_run_options.profile */
	NNS_HINT_CLASSES /* nns_load_options.class_files */
};

typedef struct nns_error {
	enum nns_code code;
	char message[1000]; /* one line, UTF-8, NUL-terminated, no "error:" prefix */
	enum nns_hint hint;
} nns_error;

#endif
