/*
 * A model made of named tensors: what state dicts, .safetensors and .npz hold.
 * Dots in names make modules, which have no class; what is no tensor (an
 * epoch, a learning rate) is an attribute of its module.
 */
#ifndef LOAD_STATE_H
#define LOAD_STATE_H

#include "base/map.h"
#include "load/format.h"

/* A name as it may be shown: itself, or with escapes in place of control characters.  NULL: no memory. */
const char *state_name(struct arena *a, const char *name);

struct state_tree {
	struct model *model;
	struct map modules;      /* dotted path -> struct module * */
	struct map names;        /* of all tensors */
	bool unique;             /* a second tensor of a name is an error */
};

/* An empty root. */
bool state_begin(struct state_tree *s, struct model *m, bool unique, nns_error *err);
/* The module at a path, made with its parents when it is not there. */
struct module *state_module(struct state_tree *s, const char *path, nns_error *err);
bool state_add(struct state_tree *s, const char *name, struct value *v, nns_error *err);
/* At the end: modules that have no class of their own show their tensors and attributes when they are printed. */
bool state_finish(struct state_tree *s, nns_error *err);
/* What was unpickled, in one line of bounded length however large it is. */
void state_short(struct text *t, struct datum d);

#endif
