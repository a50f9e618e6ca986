/*
 * A program: the graph that a file holds (torch.export), as it was read and
 * before it is run.  Its operators are still names with arguments; trace()
 * replays them through the op table, so that a file and a description of the
 * same network give the same graph.  Owned by the arena of the model.
 */
#ifndef IR_PROGRAM_H
#define IR_PROGRAM_H

#include "ir/module.h"

/*
 * In arguments and outputs a D_HOST datum whose object has this kind stands
 * for a value of the program; its data is the index + 1.
 */
extern const char program_reference[];
/* A graph as an argument of a higher-order operator (its data), and an argument of a kind that nothing reads (its name). */
extern const char program_graph[], program_opaque[];

struct program_value {
	const char *name;        /* "p_conv1_weight", "linear_1" */
	struct value *meta;      /* dtype, sizes and strides that the file gives, for its example inputs; NULL: not a tensor, or not told */
	const char *symbols;     /* "s0 x 3" when sizes depend on the input or on content, or NULL */
};

/* One level of the modules that an operator was called in. */
struct program_frame {
	const char *key;         /* tells calls of one module apart: "L__self__f@1" */
	const char *path;
	struct module *module;
	const char *class;       /* with its package: "torch.nn.modules.linear.Linear"; "" when the file does not say */
};

struct program_node {
	const char *target;      /* "conv2d.default", "_operator.ge", "wrap_with_set_grad_enabled" */
	const char **names;      /* of the arguments; NULL for positional ones */
	struct datum *args; size_t n_args;
	struct datum outputs;    /* references in tuples and lists */
	struct program_frame *frames; size_t n_frames; /* outermost first */
};

struct program_input {
	int index;               /* among the values */
	struct value *value;     /* a parameter, buffer or constant; NULL: the caller gives it */
	bool fixed;              /* not a tensor: `constant` */
	struct datum constant;
	const struct value *example; /* of what the caller gives, as it was when the program was made, with its bytes; NULL: not there */
};

struct program {
	struct program_value *values; size_t n_values, cap_values;
	struct program_node *nodes; size_t n_nodes, cap_nodes;
	struct program_input *inputs; size_t n_inputs, cap_inputs;
	struct datum output;     /* with references */
	bool positional;         /* the model was called with arguments, not by name alone */
	bool returns_dict;       /* the output's items are values of a dict, whose keys are not kept */
	struct map *by_name;     /* while reading: name -> index + 1 */
	size_t next_name;        /* where to look first in it */
};

/* The index that d refers to, or -1. */
int program_index(struct datum d);
/* The graph that d is, or NULL. */
struct program *program_body(struct datum d);

#endif
