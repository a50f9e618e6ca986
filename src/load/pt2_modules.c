/* The modules of an exported program: their tree, their classes, and one that stands under several names. */
#include <stdio.h>
#include <string.h>

#include "load/pt2.h"
#include "load/state.h"
#include "nn/runtime.h"

enum { MAX_NESTED = 200 };   /* dots in a name */

static bool add_child(struct pt2 *p, const char *path, struct module *m)
{
	const char *dot = strrchr(path, '.');
	struct module *parent = pt2_module_n(p, path, dot ? (size_t)(dot - path) : 0);
	return parent && (module_set_child(p->model->arena, parent, dot ? dot + 1 : path, m) || fail_memory(p->err));
}

/* Parents are made first, each by its own call. */
static bool is_deep(const char *path)
{
	int dots = 0;
	for (; *path && dots < MAX_NESTED; path++)
		dots += *path == '.';
	return *path;
}

struct module *pt2_module(struct pt2 *p, const char *path)
{
	struct module *m = map_get(&p->modules, path);
	if (m)
		return m;
	if (is_deep(path))
		return fail(p->err, NNS_LIMIT, "the name '%.60s...' nests more than %d modules", path, MAX_NESTED), NULL;
	const char *copy = arena_strdup(p->model->arena, path);
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

struct module *pt2_module_n(struct pt2 *p, const char *path, size_t n)
{
	struct module *m = map_get_n(&p->modules, path, n);
	char *copy = m ? NULL : arena_strndup(p->model->arena, path, n);
	return m ? m : copy ? pt2_module(p, copy) : (fail_memory(p->err), NULL);
}

/* Every module of the program, called or not, in the order of named_modules(). */
bool pt2_read_modules(struct pt2 *p, const cJSON *calls)
{
	if (!pt2_module(p, ""))
		return false;
	struct json_members all = json_members(calls);
	for (const cJSON *c; ; ) {
		if (!pt2_next(p, &all, p->one, &c))
			return false;
		if (!c)
			return true;
		const cJSON *name = cJSON_GetObjectItemCaseSensitive(c, "fqn");
		if (cJSON_IsString(name) && !strchr(name->valuestring, '@') && !pt2_module(p, name->valuestring))
			return false;
	}
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

struct place {
	struct module *module;
	const char *path;
};

/* Modules that turned out to be others; a module's mark is the number of its place + 1. */
struct merging {
	struct pt2 *p;
	struct place *places; size_t n, cap;
	struct map first;        /* what a module holds first -> its entry among the modules */
	bool changed;
};

/* What a module turned out to be. */
static struct module *settled(const struct merging *m, struct module *at)
{
	while (at && at->mark)
		at = m->places[at->mark - 1].module;
	return at;
}

/* A module that no operator ran in by that name has no class name yet. */
static bool may_be_one_class(const struct module *a, const struct module *b)
{
	return !a->class_name || !b->class_name || strcmp(a->class_name, b->class_name) == 0;
}

/* Whether b holds the very parameters that a holds. */
static bool same_parameters(const struct module *a, const struct module *b)
{
	if (a->n_parameters != b->n_parameters || a->n_children != b->n_children || a->n_buffers != b->n_buffers || !may_be_one_class(a, b))
		return false;
	for (size_t i = 0; i < a->n_parameters; i++)
		if (strcmp(a->parameters[i].name, b->parameters[i].name) != 0 || a->parameters[i].value != b->parameters[i].value)
			return false;
	return true;
}

/* An activation or a dropout: nothing in it tells whether it is one with another. */
static bool holds_nothing(const struct module *m)
{
	return m && m->n_parameters == 0 && m->n_buffers == 0 && m->n_children == 0;
}

/* Whether a and b are one module, as all that they hold is; they hold something. */
static bool same_module(const struct merging *m, const struct module *a, const struct module *b)
{
	bool something = a->n_parameters > 0, classes_known = a->class_name && b->class_name;
	if (!same_parameters(a, b))
		return false;
	if (!classes_known && a->n_children == 0 && a->n_parameters < 2)
		return false;    /* one tied weight is no sign of one module */
	for (size_t i = 0; i < a->n_children; i++) {
		const struct module *x = settled(m, a->children[i].module), *y = settled(m, b->children[i].module);
		if (strcmp(a->children[i].name, b->children[i].name) != 0 || (x != y && !(holds_nothing(x) && holds_nothing(y) && may_be_one_class(x, y))))
			return false;
		something = something || x == y;
	}
	return something;
}

/* Calls of a module that stands elsewhere too are calls of the first. */
static void move_frames(struct program *g, const struct merging *m)
{
	for (size_t i = 0; i < g->n_nodes; i++)
		for (size_t f = 0; f < g->nodes[i].n_frames; f++) {
			struct program_frame *frame = &g->nodes[i].frames[f];
			while (frame->module->mark) {
				const struct place *to = &m->places[frame->module->mark - 1];
				frame->path = to->path;
				frame->module = to->module;
			}
		}
}

static void settle_children(const struct merging *m)
{
	for (size_t i = 0; i < m->p->modules.n; i++) {
		struct module *at = m->p->modules.entries[i].value;
		for (size_t k = 0; k < at->n_children; k++)
			at->children[k].module = settled(m, at->children[k].module);
	}
}

static bool take_place(struct merging *m, struct module *from, struct module *to, const char *path)
{
	struct place *grown = arena_grow(m->p->model->arena, m->places, m->n, &m->cap, sizeof *grown);
	if (!grown)
		return fail_memory(m->p->err);
	m->places = grown;
	grown[m->n++] = (struct place){ to, path };
	from->mark = (int)m->n;
	to->class_name = to->class_name ? to->class_name : from->class_name;
	return true;
}

static bool merge(struct merging *m, struct module *from, const struct map_entry *to)
{
	struct module *first = to->value;
	for (size_t i = 0; i < from->n_children; i++) {
		struct module *x = settled(m, from->children[i].module), *y = settled(m, first->children[i].module);
		const char *path = x == y ? NULL : arena_printf(m->p->model->arena, "%s.%s", to->key, from->children[i].name);
		if (x != y && (!path || !take_place(m, x, y, path)))
			return fail_memory(m->p->err);
	}
	m->changed = true;
	return take_place(m, from, first, to->key);
}

/* The address of the first thing in a module that can tell it from others, as text; NULL: there is none, or no memory. */
static char *first_content(const struct merging *m, const struct module *at)
{
	const void *what = at->n_parameters ? (const void *)at->parameters[0].value : NULL;
	for (size_t i = 0; i < at->n_children && !what; i++)
		what = holds_nothing(at->children[i].module) ? NULL : settled(m, at->children[i].module);
	return what ? arena_printf(m->p->model->arena, "%p", what) : NULL;
}

static bool merge_once(struct merging *m)
{
	map_clear(&m->first);
	m->changed = false;
	for (size_t i = 0; i < m->p->modules.n; i++) {
		struct map_entry *at = &m->p->modules.entries[i];
		struct module *module = at->value;
		char *key = module->mark ? NULL : first_content(m, module);
		const struct map_entry *known = key ? map_get(&m->first, key) : NULL;
		if (key && !known && !map_put(&m->first, m->p->model->arena, key, at))
			return fail_memory(m->p->err);
		if (known && same_module(m, known->value, module) && !merge(m, module, known))
			return false;
	}
	return true;
}

/*
 * torch.export tells names, not objects: a module that stands in two places is one when all its parameters are, and then so is
 * what holds nothing but such modules.  Each round finds those one level up.
 */
bool pt2_merge_modules(struct pt2 *p, struct program *g)
{
	enum { MAX_ROUNDS = 16 };
	struct merging m = { .p = p, .changed = true };
	for (int round = 0; round < MAX_ROUNDS && m.changed; round++)
		if (!merge_once(&m))
			return false;
	move_frames(g, &m);
	settle_children(&m);
	for (size_t i = 0; i < p->modules.n; i++)
		((struct module *)p->modules.entries[i].value)->mark = 0;
	return true;
}
