/*
 * A model made of named tensors: what state dicts, .safetensors and .npz hold.
 * Dots in names make modules, which have no class.
 */
#ifndef LOAD_STATE_H
#define LOAD_STATE_H

#include "base/map.h"
#include "load/format.h"

struct state_tree {
	struct model *model;
	struct map modules;      /* dotted path -> struct module * */
};

/* An empty root. */
bool state_begin(struct state_tree *s, struct model *m, nns_error *err);
/* The module at a path, made with its parents when it is not there. */
struct module *state_module(struct state_tree *s, const char *path, nns_error *err);
bool state_add(struct state_tree *s, const char *name, struct value *v, nns_error *err);

#endif
