/* What the files that replay a program share (replay.h); everything lives in the model's arena. */
#ifndef TRACE_REPLAYER_H
#define TRACE_REPLAYER_H

#include "ir/program.h"
#include "nn/runtime.h"
#include "trace/exporter.h"

/* A tensor that an operator gave with others. */
struct made {
	const struct program_node *by;
	int place;
};

struct replayer {
	struct model *model;
	struct runtime *rt;
	struct graph *graph;
	nns_error *err;
	struct exporter_memory exporter;
	size_t bodies;           /* of maps and scans, written out so far */
	bool as_saved;           /* the inputs have the shapes of the file, so that its other shapes hold too */
	const char **keys; size_t n_keys, cap_keys; /* of the calls at work, outermost first */
	struct seq *leaving; struct call **calls; size_t n_calls, cap_calls, cap_leaving; /* by serial: what each call gave to the outside */
	struct map made;         /* a tensor's address -> struct made */
};

/* The values of one program while it runs. */
struct frame {
	const struct program *program;
	struct datum *values;    /* by index; D_NONE: not made, or not known */
	int *made_in;            /* serial of the call that made it, -1 outside of all */
};

/* The body of a higher-order operator on its inputs; what it gives, one value or a tuple. */
bool replay_body(struct replayer *r, const struct program *body, const struct datum *inputs, size_t n, struct datum *out);
/* An operator that nobody knows: drawn and listed, its outputs of the shapes in the file. */
bool replay_unknown(struct replayer *r, const struct program_node *n, const struct lang_args *args, struct datum *out);

/* The only number in a tensor; None when it is not known. */
bool replay_number(const struct replayer *r, struct value *v, struct datum *out);

/* replay_content.c */
/* The numbers in a tensor of at most one dimension, as a list; None when they are not known. */
bool replay_numbers(const struct replayer *r, struct value *v, struct datum *out);
/* record_call() of an operator whose parts may read the numbers in a tensor argument (op_rule.reads). */
bool replay_with_numbers(struct replayer *r, const char *target, const struct lang_args *args, struct datum *out);

/* higher_order.c: whether there is a graph among the arguments; what the operator does with it. */
bool higher_order_takes(const struct lang_args *args);
bool higher_order_run(struct replayer *r, const struct program_node *n, const struct lang_args *args, struct datum *out);

#endif
