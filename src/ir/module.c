#include "ir/module.h"

#include <stdint.h>
#include <string.h>

/* From this many children or parameters on they are found through an index. */
enum { INDEX_FROM = 16 };

/* ---- attributes ------------------------------------------------------------------- */

static struct attribute *find_attribute(const struct module *m, const char *name)
{
	for (size_t i = 0; i < m->n_attributes; i++)
		if (strcmp(m->attributes[i].name, name) == 0)
			return &m->attributes[i];
	return NULL;
}

const struct datum *module_attribute(const struct module *m, const char *name)
{
	const struct attribute *found = find_attribute(m, name);

	return found ? &found->value : NULL;
}

bool module_set_attribute(struct arena *a, struct module *m, const char *name, struct datum v)
{
	struct attribute *old = find_attribute(m, name);

	if (old) {
		old->value = v;
		return true;
	}
	return module_add_attribute(a, m, name, v);
}

bool module_add_attribute(struct arena *a, struct module *m, const char *name, struct datum v)
{
	struct attribute *all = arena_grow(a, m->attributes, m->n_attributes, &m->cap_attributes, sizeof *all);
	if (!all)
		return false;
	m->attributes = all;
	all[m->n_attributes++] = (struct attribute){ name, v };
	return true;
}

/* ---- children --------------------------------------------------------------------- */

/* The index holds positions + 1, as the array moves when it grows. */
static void *index_value(size_t position)
{
	return (void *)(uintptr_t)(position + 1);
}

static struct child *child_n(const struct module *m, const char *name, size_t n)
{
	if (m->index) {
		uintptr_t at = (uintptr_t)map_get_n(m->index, name, n);
		return at ? &m->children[at - 1] : NULL;
	}
	for (size_t i = 0; i < m->n_children; i++)
		if (strncmp(m->children[i].name, name, n) == 0 && m->children[i].name[n] == '\0')
			return &m->children[i];
	return NULL;
}

struct child *module_child(const struct module *m, const char *name)
{
	return child_n(m, name, strlen(name));
}

static bool make_index(struct arena *a, struct module *m)
{
	struct map *index = arena_alloc(a, sizeof *index);

	if (!index)
		return false;
	for (size_t i = 0; i < m->n_children; i++)
		if (!map_put(index, a, m->children[i].name, index_value(i)))
			return false;
	m->index = index;
	return true;
}

bool module_set_child(struct arena *a, struct module *m, const char *name, struct module *child)
{
	struct child *old = module_child(m, name);

	if (old) {
		old->module = child;
		return true;
	}
	struct child *all = arena_grow(a, m->children, m->n_children, &m->cap_children, sizeof *all);
	if (!all)
		return false;
	m->children = all;
	if (m->index && !map_put(m->index, a, name, index_value(m->n_children)))
		return false;
	all[m->n_children++] = (struct child){ name, child };
	return m->index || m->n_children < INDEX_FROM || make_index(a, m);
}

/* The map keeps its room, so that filling it again cannot fail. */
static void remove_child(struct module *m, struct child *c)
{
	size_t at = (size_t)(c - m->children);

	memmove(c, c + 1, (m->n_children - at - 1) * sizeof *c);
	m->n_children--;
	if (!m->index)
		return;
	map_clear(m->index);
	for (size_t i = 0; i < m->n_children; i++)
		map_put(m->index, NULL, m->children[i].name, index_value(i));
}

/* ---- parameters and buffers ------------------------------------------------------- */

static struct parameter *find_parameter(struct parameter *all, size_t n, const struct map *index, const char *name)
{
	if (index) {
		uintptr_t at = (uintptr_t)map_get(index, name);
		return at ? &all[at - 1] : NULL;
	}
	for (size_t i = 0; i < n; i++)
		if (strcmp(all[i].name, name) == 0)
			return &all[i];
	return NULL;
}

struct parameter *module_parameter(const struct module *m, const char *name)
{
	return find_parameter(m->parameters, m->n_parameters, m->parameter_index, name);
}

struct parameter *module_buffer(const struct module *m, const char *name)
{
	return find_parameter(m->buffers, m->n_buffers, m->buffer_index, name);
}

/* Those that have no index, or not all in it, get one when there are many. */
static bool index_parameters(struct arena *a, const struct parameter *all, size_t n, struct map **index)
{
	struct map *new = *index || n < INDEX_FROM ? *index : arena_alloc(a, sizeof *new);

	if (n < INDEX_FROM)
		return true;
	for (size_t i = new ? new->n : n; i < n; i++) {
		struct map_entry *e = map_add(new, a, all[i].name);
		if (!e)
			return false;
		e->value = e->value ? e->value : index_value(i);
	}
	*index = new;
	return new != NULL;
}

static bool add_parameter(struct arena *a, struct parameter **all, size_t *n, size_t *cap, struct parameter p)
{
	struct parameter *moved = arena_grow(a, *all, *n, cap, sizeof *moved);

	if (!moved)
		return false;
	*all = moved;
	moved[(*n)++] = p;
	return true;
}

static bool put_parameter(struct arena *a, struct parameter **all, size_t *n, size_t *cap, struct map **index, struct parameter p)
{
	struct parameter *old = find_parameter(*all, *n, *index, p.name);

	if (old) {
		*old = p;
		return true;
	}
	return add_parameter(a, all, n, cap, p) && index_parameters(a, *all, *n, index);
}

bool module_set_parameter(struct arena *a, struct module *m, const char *name, struct value *v)
{
	struct parameter p = { name, v, true };

	return put_parameter(a, &m->parameters, &m->n_parameters, &m->cap_parameters, &m->parameter_index, p);
}

bool module_set_buffer(struct arena *a, struct module *m, const char *name, struct value *v, bool persistent)
{
	struct parameter p = { name, v, persistent };

	return put_parameter(a, &m->buffers, &m->n_buffers, &m->cap_buffers, &m->buffer_index, p);
}

bool module_add_parameter(struct arena *a, struct module *m, const char *name, struct value *v)
{
	m->parameter_index = NULL;       /* nothing is looked up while they are added */
	return add_parameter(a, &m->parameters, &m->n_parameters, &m->cap_parameters, (struct parameter){ name, v, true });
}

static void remove_parameter(struct parameter *all, size_t *n, struct map **index, struct parameter *p)
{
	memmove(p, p + 1, (*n - (size_t)(p - all) - 1) * sizeof *p);
	--*n;
	*index = NULL;
}

void module_remove(struct module *m, const char *name)
{
	struct child *c = module_child(m, name);
	struct parameter *p = module_parameter(m, name), *b = module_buffer(m, name);
	struct attribute *t = find_attribute(m, name);

	if (c)
		remove_child(m, c);
	if (p)
		remove_parameter(m->parameters, &m->n_parameters, &m->parameter_index, p);
	if (b)
		remove_parameter(m->buffers, &m->n_buffers, &m->buffer_index, b);
	if (t) {
		memmove(t, t + 1, (m->n_attributes - (size_t)(t - m->attributes) - 1) * sizeof *t);
		m->n_attributes--;
	}
}

/* ---- paths ------------------------------------------------------------------------ */

struct module *module_at(struct module *root, const char *path)
{
	struct module *m = root;

	if (*path == '\0')
		return m;
	for (;;) {
		size_t n = strcspn(path, ".");
		const struct child *c = child_n(m, path, n);
		if (!c || !c->module)
			return NULL;
		m = c->module;
		if (path[n] == '\0')
			return m;
		path += n + 1;
	}
}
