/* What the files of the .pt2 reader share; everything lives in the model's arena. */
#ifndef LOAD_PT2_H
#define LOAD_PT2_H

#include <cjson/cJSON.h>

#include "base/map.h"
#include "ir/program.h"
#include "load/format.h"

struct pt2 {
	struct model *model;
	struct map modules;      /* path -> struct module * */
	const char *where;       /* file and entry, for messages */
	const char *stack_text;  /* the nn_module_stack parsed last, and its frames */
	struct program_frame *stack; size_t n_stack;
	int depth;               /* of nested graphs */
	nns_error *err;
};

/* The module at a dotted path, made with its parents when it is not there yet. */
struct module *pt2_module(struct pt2 *p, const char *path);
/* dtype of schema.py's ScalarType; DT_NONE when unknown */
enum dtype pt2_dtype(const cJSON *code);
/* A value of a TensorMeta's dtype, sizes and strides; NULL without an error when a size is symbolic. */
bool pt2_tensor(struct pt2 *p, const cJSON *meta, struct value **out);

/* pt2_graph.c: `graph` of a GraphModule. */
struct program *pt2_program(struct pt2 *p, const cJSON *graph);
/* pt2_classes.c: attributes of the modules that one operator tells. */
bool pt2_construct_classes(struct pt2 *p, const struct program *g);
/* The number of a value of that name, added when new; -1: no memory. */
int pt2_value(struct pt2 *p, struct program *g, const char *name);
/* One Argument of schema.py as a datum; names become references. */
bool pt2_argument(struct pt2 *p, struct program *g, const cJSON *arg, struct datum *out, struct program **body);

#endif
