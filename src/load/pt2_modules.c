/* The modules of an exported program: their tree, their classes, and one that stands under several names. */
#include <stdio.h>
#include <string.h>

#include "load/pt2.h"
#include "load/state.h"
#include "nn/runtime.h"

static bool add_child(struct pt2 *p, const char *path, struct module *m)
{
	const char *dot = strrchr(path, '.');
	char *parent_path = dot ? arena_strndup(p->model->arena, path, (size_t)(dot - path)) : arena_strdup(p->model->arena, "");
	struct module *parent = parent_path ? pt2_module(p, parent_path) : NULL;
	if (!parent)
		return false;
	return module_set_child(p->model->arena, parent, dot ? dot + 1 : path, m) || fail_memory(p->err);
}

struct module *pt2_module(struct pt2 *p, const char *path)
{
	struct module *m = map_get(&p->modules, path);
	if (m)
		return m;
	const char *copy = state_name(p->model->arena, path);
	copy = copy ? arena_strdup(p->model->arena, copy) : NULL;
	m = copy ? module_new(runtime_of_model(p->model), NULL, NULL, p->err) : NULL;
	if (!m)
		return copy ? NULL : (fail_memory(p->err), NULL);
	if (!map_put(&p->modules, p->model->arena, copy, m))
		return fail_memory(p->err), NULL;
	if (!*copy)
		p->model->root = m;
	else if (!add_child(p, copy, m))
		return NULL;
	return m;
}

/* Every module of the program, called or not, in the order of named_modules(). */
bool pt2_read_modules(struct pt2 *p, const cJSON *calls)
{
	if (!pt2_module(p, ""))
		return false;
	for (const cJSON *c = calls ? calls->child : NULL; c; c = c->next) {
		const cJSON *name = cJSON_GetObjectItemCaseSensitive(c, "fqn");
		if (cJSON_IsString(name) && !strchr(name->valuestring, '@') && !pt2_module(p, name->valuestring))
			return false;
	}
	return true;
}

/* Whether the children are called 0, 1, 2, ... */
static bool is_numbered(const struct module *m)
{
	for (size_t i = 0; i < m->n_children; i++) {
		char number[24];
		snprintf(number, sizeof number, "%zu", i);
		if (strcmp(m->children[i].name, number) != 0)
			return false;
	}
	return m->n_children > 0;
}

/* Modules that no operator ran in tell no class; those that only hold others are a ModuleList when these are numbered, else a ModuleDict. */
bool pt2_name_classes(struct pt2 *p)
{
	for (size_t i = 0; i < p->modules.n; i++) {
		struct module *m = p->modules.entries[i].value;
		if (m->class_name)
			continue;
		m->class_name = is_numbered(m) ? "ModuleList" : m->n_children > 0 && m->n_parameters == 0 ? "ModuleDict" : "Module";
		if (m->n_children > 0 && m->n_parameters == 0)
			m->class = runtime_class(runtime_of_model(p->model), m->class_name);
	}
	return true;
}

/* ---- One module under several names ---- */

/* Whether b holds the very parameters that a holds, at least one, and is of its class. */
static bool same_module(const struct module *a, const struct module *b)
{
	if (a->n_parameters == 0 || a->n_parameters != b->n_parameters || a->n_children || b->n_children || a->n_buffers != b->n_buffers
	    || !a->class_name || !b->class_name || strcmp(a->class_name, b->class_name) != 0)
		return false;
	for (size_t i = 0; i < a->n_parameters; i++)
		if (strcmp(a->parameters[i].name, b->parameters[i].name) != 0 || a->parameters[i].value != b->parameters[i].value)
			return false;
	return true;
}

struct place {
	struct module *module;
	const char *path;
};

/* Calls of a module that stands elsewhere too are calls of the first. */
static void move_frames(struct program *g, const struct place *first)
{
	for (size_t i = 0; i < g->n_nodes; i++)
		for (size_t f = 0; f < g->nodes[i].n_frames; f++) {
			struct program_frame *frame = &g->nodes[i].frames[f];
			int moved = frame->module->mark;
			if (moved) {
				frame->path = first[moved - 1].path;
				frame->module = first[moved - 1].module;
			}
		}
}

static void replace_module(struct pt2 *p, struct module *from, struct module *to)
{
	for (size_t i = 0; i < p->modules.n; i++) {
		struct module *m = p->modules.entries[i].value;
		for (size_t k = 0; k < m->n_children; k++)
			if (m->children[k].module == from)
				m->children[k].module = to;
	}
}

/*
 * torch.export tells names, not objects: a module that stands in two places is one when all its parameters are.  The
 * first parameter finds the candidate.
 */
bool pt2_merge_modules(struct pt2 *p, struct program *g)
{
	struct place *first = arena_array(p->model->arena, p->modules.n + 1, sizeof *first);
	if (!first)
		return fail_memory(p->err);
	for (size_t i = 0; i < p->modules.n; i++) {
		struct module *m = p->modules.entries[i].value;
		struct value *v = m->n_parameters ? m->parameters[0].value : NULL;
		first[i].module = m;
		first[i].path = p->modules.entries[i].key;
		size_t k = v && v->note ? (size_t)(intptr_t)v->note - 1 : i;
		if (v && !v->note)
			v->note = (void *)(intptr_t)(i + 1);
		if (k == i || !same_module(first[k].module, m))
			continue;
		first[i].module = first[k].module;
		first[i].path = first[k].path;
		replace_module(p, m, first[k].module);
		m->mark = (int)i + 1;
	}
	move_frames(g, first);
	for (size_t i = 0; i < p->modules.n; i++) {
		struct module *m = p->modules.entries[i].value;
		m->mark = 0;
		for (size_t k = 0; k < m->n_parameters; k++)
			if (m->parameters[k].value)
				m->parameters[k].value->note = NULL;
	}
	return true;
}
