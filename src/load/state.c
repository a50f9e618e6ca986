#include "load/state.h"

#include <string.h>

#include "nn/runtime.h"

bool state_begin(struct state_tree *s, struct model *m, nns_error *err)
{
	*s = (struct state_tree){ .model = m };
	m->root = state_module(s, "", err);
	return m->root != NULL;
}

struct module *state_module(struct state_tree *s, const char *path, nns_error *err)
{
	struct arena *a = s->model->arena;
	struct module *m = map_get(&s->modules, path);
	if (m)
		return m;
	char *copy = arena_strdup(a, path);
	m = copy ? module_new(runtime_of_model(s->model), NULL, "Module", err) : NULL;
	if (!m)
		return copy ? NULL : (fail_memory(err), NULL);
	if (!map_put(&s->modules, a, copy, m))
		return fail_memory(err), NULL;
	if (!*copy)
		return m;
	char *dot = strrchr(copy, '.'), *parent_path = dot ? arena_strndup(a, copy, (size_t)(dot - copy)) : arena_strdup(a, "");
	struct module *parent = parent_path ? state_module(s, parent_path, err) : NULL;
	if (!parent)
		return parent_path ? NULL : (fail_memory(err), NULL);
	return module_set_child(a, parent, dot ? dot + 1 : copy, m) ? m : (fail_memory(err), NULL);
}

bool state_add(struct state_tree *s, const char *name, struct value *v, nns_error *err)
{
	struct arena *a = s->model->arena;
	const char *dot = strrchr(name, '.');
	char *path = dot ? arena_strndup(a, name, (size_t)(dot - name)) : arena_strdup(a, "");
	char *last = arena_strdup(a, dot ? dot + 1 : name);
	if (!path || !last)
		return fail_memory(err);
	struct module *m = state_module(s, path, err);
	if (!m)
		return false;
	if (m->n_parameters > 0 && module_parameter(m, last))
		return fail(err, NNS_FORMAT, "%s is there twice", name);
	v->is_parameter = true;
	return module_set_parameter(a, m, last, v) || fail_memory(err);
}
