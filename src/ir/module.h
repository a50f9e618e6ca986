/*
 * The module tree and the model that holds it.  Modules, their attributes and
 * parameters are owned by the arena of the model; a module or parameter may
 * stand in several places (tied weights), and then it is one object.
 */
#ifndef IR_MODULE_H
#define IR_MODULE_H

#include "base/datum.h"
#include "base/map.h"
#include "base/mapping.h"
#include "ir/graph.h"

struct nn_class;
struct program;
struct script;
struct script_class;

struct attribute {
	const char *name;
	struct datum value;
};

struct child {
	const char *name;
	struct module *module;   /* NULL for an attribute that was set to None (downsample=None) */
};

struct parameter {
	const char *name;
	struct value *value;     /* NULL when registered as None (bias=False) */
	bool persistent;         /* buffers: part of the state dict */
};

struct module {
	const char *class_name;
	const struct nn_class *class; /* its row or description; NULL when the class is unknown */
	struct attribute *attributes; size_t n_attributes, cap_attributes;
	struct child *children;       size_t n_children, cap_children;
	struct parameter *parameters; size_t n_parameters, cap_parameters;
	struct parameter *buffers;    size_t n_buffers, cap_buffers;
	const struct script_class *script; /* its class in the code of a TorchScript archive, NULL otherwise */
	bool training;
	const char *printed;     /* what a printed tree showed between the brackets, NULL otherwise */
	bool params_unknown;     /* an unknown class: it may have parameters nobody told us of */
	int serial;              /* order in which construction ended: the order of reset_parameters */
	int mark;                /* for the traversal at work, which restores it; 0 between traversals */
	struct map *index;       /* children by name once there are many, NULL before */
	struct map *parameter_index, *buffer_index; /* the same; NULL also when they have to be made again */
};

struct model {
	struct arena *arena;
	struct mapping *files; size_t n_files, cap_files; /* that tensors' bytes lie in; owned */
	struct module *root;
	const char *name;        /* of the file without folders and suffix: "resnet18" */
	const char *source;      /* what to call it in messages: the path, "<expr>", "<stdin>" */
	const char *kind;        /* "description", "printed tree", "expression" */
	struct graph_input *inputs; size_t n_inputs; /* default inputs; value->requires_grad set */
	const char *note;        /* something the user should be told, or NULL */
	bool state_only;         /* tensors by name: neither code nor a graph comes with them */
	const char *origin;      /* what wrote the file, as far as it says, or NULL */
	bool unfolded;           /* a printed tree whose repeated children were not folded */
	size_t n_modules;
	struct model *lender;    /* a model whose memory the content of some tensors lies in; owned */
	struct program *program; /* the graph that the file holds, NULL: forward code is traced */
	struct script *script;   /* the code of a TorchScript archive, which its modules run; NULL otherwise */
	void *runtime;           /* struct runtime * of nn/: classes known to this model, the interpreter */
};

/* Setters replace; they return false when out of memory. */
bool module_set_attribute(struct arena *a, struct module *m, const char *name, struct datum v);
bool module_set_child(struct arena *a, struct module *m, const char *name, struct module *child);
bool module_set_parameter(struct arena *a, struct module *m, const char *name, struct value *v);
bool module_set_buffer(struct arena *a, struct module *m, const char *name, struct value *v, bool persistent);

/* The same for names that are known to be new: nothing is looked up. */
bool module_add_parameter(struct arena *a, struct module *m, const char *name, struct value *v);
bool module_add_attribute(struct arena *a, struct module *m, const char *name, struct datum v);

/* Removes a child, parameter, buffer or attribute of that name, if there is one. */
void module_remove(struct module *m, const char *name);

const struct datum *module_attribute(const struct module *m, const char *name); /* NULL when absent */
struct child *module_child(const struct module *m, const char *name);           /* NULL when absent; its module may be NULL */
struct parameter *module_parameter(const struct module *m, const char *name);
struct parameter *module_buffer(const struct module *m, const char *name);

/* The module at a dotted path ("" is the root), or NULL. */
struct module *module_at(struct module *root, const char *path);

/*
 * Depth-first traversal without recursion, in registration order.  A module
 * met a second time is visited again only when `repeats` is set.  path is
 * valid until the next call; out of memory, or more than 2^24 visits, end the
 * walk and set failed.  walk_end is called however the loop ended.
 *
 *     struct walk w;
 *     for (walk_begin(&w, root, false); walk_next(&w); )
 *             use(w.module, w.path, w.depth);
 *     walk_end(&w);
 */
struct walk {
	struct module *module;
	const char *path;        /* "" for the root */
	const char *name;        /* last part of the path */
	int depth;
	bool failed;
	/* private */
	struct module *root;
	bool repeats, started;
	struct walk_frame { struct module *module; size_t next, path_len; } *stack;
	size_t n, cap;
	struct text text;
	struct walk_seen { struct module *module; int mark; } *seen; size_t n_seen, cap_seen;
	size_t n_visits;
	int mark;
};
void walk_begin(struct walk *w, struct module *root, bool repeats);
bool walk_next(struct walk *w);
void walk_end(struct walk *w);

#endif
