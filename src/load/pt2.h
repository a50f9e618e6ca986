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

/* A tensor by its name in the state dict. */
struct pt2_weight {
	const char *name;
	struct value *meta;      /* what the graph says of it, or NULL */
	struct value *value;     /* what the file of weights says, or NULL */
	bool in_state_dict;      /* it is there, whether the graph uses it or not */
	bool is_parameter, placed; /* as the file says; in a module, by the signature */
};

/* A file of them: a config beside the files that it names, or a dict of torch.save. */
struct pt2_weights {
	const struct archive_entry *entry; /* NULL: there is none */
	const char *folder;      /* "NAME/data/weights/"; NULL: a dict */
};

struct pt2_state {
	struct archive *archive;
	struct pt2_weights weights, constants;
	const struct archive_entry *examples; /* (args, kwargs), or NULL */
	struct map by_name;      /* name in the state dict -> struct pt2_weight * */
	struct value **by_entry; /* of the archive: the first tensor in it */
	struct map by_layout;    /* file and layout -> struct value *, of others than the first */
	size_t next_name, next_entry; /* where to look first, in by_name and in the archive */
};

/* TensorMeta of schema.py. */
struct tensor_meta {
	enum dtype dtype;
	int ndim;
	int64_t size[MAX_DIMS], stride[MAX_DIMS], offset;
	bool known;              /* false: a size is a symbol that the example inputs do not tell */
	bool requires_grad;
};

/* pt2.c */
/* In p->json.  The long lists of the program and of the weights' config stay text, for pt2_next(). */
cJSON *pt2_read_json(struct pt2 *p, struct archive *a, const struct archive_entry *e);
/* json_next() over such a list, or over one that was read. */
bool pt2_next(struct pt2 *p, struct json_members *m, struct arena *scratch, const cJSON **out);

/* pt2_tensor.c */
/* dtype of schema.py's ScalarType; DT_NONE when unknown */
enum dtype pt2_dtype(const cJSON *code);
bool pt2_read_meta(struct pt2 *p, const cJSON *json, struct tensor_meta *m);
/* Of known sizes; NULL: no memory. */
struct value *pt2_value_of(struct pt2 *p, const struct tensor_meta *m);
bool pt2_has_layout(const struct value *v, const struct tensor_meta *m);
/* The sizes as they are written, "s0 x 3", when one is a symbol; else NULL. */
bool pt2_symbols(struct pt2 *p, const cJSON *meta, const char **out);

/* pt2_modules.c */
/* The module at a dotted path, made with its parents when it is not there yet. */
struct module *pt2_module(struct pt2 *p, const char *path);
struct module *pt2_module_n(struct pt2 *p, const char *path, size_t n);  /* at its first n bytes */
bool pt2_read_modules(struct pt2 *p, const cJSON *calls);
bool pt2_merge_modules(struct pt2 *p, struct program *g);
bool pt2_name_classes(struct pt2 *p);

/* pt2_weights.c */
/* The tensor of that name, added when it is new; NULL: no memory. */
struct pt2_weight *pt2_weight(struct pt2 *p, struct pt2_state *s, const char *name);
/* One of which only the graph tells the shape; NULL with an error when it does not. */
struct value *pt2_untold_tensor(struct pt2 *p, const struct pt2_weight *w);
/* What the files tell of the tensors that have been named, and of those in the state dict that have not. */
bool pt2_read_weights(struct pt2 *p, struct pt2_state *s);

/* pt2_state.c */
/* Parameters, buffers, constants, inputs and outputs by the signature. */
bool pt2_bind_state(struct pt2 *p, struct pt2_state *s, struct program *g, const cJSON *signature);

/* pt2_examples.c: of the inputs that are not bound. */
bool pt2_read_examples(struct pt2 *p, struct pt2_state *s, struct program *g);

/* pt2_graph.c: `graph` of a GraphModule. */
struct program *pt2_program(struct pt2 *p, const cJSON *graph);
/* pt2_classes.c: attributes of the modules that one operator tells. */
bool pt2_construct_classes(struct pt2 *p, const struct program *g);

#endif
