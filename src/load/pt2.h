/* What the files of the .pt2 reader share; everything lives in the model's arena. */
#ifndef LOAD_PT2_H
#define LOAD_PT2_H

#include <cjson/cJSON.h>

#include "base/map.h"
#include "ir/program.h"
#include "load/archive.h"
#include "load/format.h"
#include "load/json.h"

struct pt2 {
	struct model *model;
	struct map modules;      /* path -> struct module * */
	const char *where;       /* file and entry, for messages */
	const char *wanted;      /* the program to read when there are several, or NULL */
	const char *stack_text;  /* the nn_module_stack parsed last, and its frames */
	struct program_frame *stack; size_t n_stack;
	int depth;               /* of nested graphs */
	struct arena *json;      /* what the files' JSON is read into */
	struct arena *one;       /* one tensor of the weights' config at a time */
	nns_error *err;
};

/* Tensors by their name in the state dict. */
struct pt2_weights {
	struct archive *archive;
	const char *folder;      /* "NAME/data/weights/" */
	struct map by_name;      /* -> entry of the config, for pt2_whole() */
	struct map pickled;      /* -> struct value *, in the older layout */
};

struct pt2_state {
	struct pt2_weights weights, constants;
	struct map by_file;      /* file and layout -> struct value *, for tied parameters */
};

/* pt2.c */
/* In p->json.  The long lists of the program and of the weights' config hold their members as text, for pt2_whole(). */
cJSON *pt2_read_json(struct pt2 *p, struct archive *a, const struct archive_entry *e);
/* json_whole() of a member of such a list. */
const cJSON *pt2_whole(struct pt2 *p, const cJSON *v, struct arena *scratch);

/* pt2_tensor.c */
/* dtype of schema.py's ScalarType; DT_NONE when unknown */
enum dtype pt2_dtype(const cJSON *code);
/* A value of a TensorMeta's dtype, sizes and strides; NULL without an error when a size is a symbol that the example inputs do not tell. */
bool pt2_tensor(struct pt2 *p, const cJSON *meta, struct value **out);
/* Its sizes as they are written, "s0 x 3", when one is a symbol; else NULL. */
bool pt2_symbols(struct pt2 *p, const cJSON *meta, const char **out);

/* pt2_modules.c */
/* The module at a dotted path, made with its parents when it is not there yet. */
struct module *pt2_module(struct pt2 *p, const char *path);
bool pt2_read_modules(struct pt2 *p, const cJSON *calls);
bool pt2_merge_modules(struct pt2 *p, struct program *g);
bool pt2_name_classes(struct pt2 *p);

/* pt2_state.c: config is the name of a file in folder; a missing one is an empty config.  Or an entry that torch.save wrote. */
bool pt2_open_weights(struct pt2 *p, struct archive *a, const char *top, const char *folder, const char *config, struct pt2_weights *w);
bool pt2_open_pickled(struct pt2 *p, struct archive *a, const char *name, struct pt2_weights *w);
/* Parameters, buffers, constants, inputs and outputs by the signature. */
bool pt2_bind_state(struct pt2 *p, struct pt2_state *s, struct program *g, const cJSON *signature);

/* pt2_graph.c: `graph` of a GraphModule. */
struct program *pt2_program(struct pt2 *p, const cJSON *graph);
/* pt2_classes.c: attributes of the modules that one operator tells. */
bool pt2_construct_classes(struct pt2 *p, const struct program *g);
/* The number of a value of that name, added when new; -1: no memory. */
int pt2_value(struct pt2 *p, struct program *g, const char *name);
/* One Argument of schema.py as a datum; names become references. */
bool pt2_argument(struct pt2 *p, struct program *g, const cJSON *arg, struct datum *out);

#endif
