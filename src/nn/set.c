/* --set 'fc=Linear(fc.in_features, 100)': an assignment to a member of the model. */
#include <ctype.h>
#include <string.h>

#include "base/nearest.h"
#include "nn/runtime.h"

/* "features[3].weight" becomes "features.3.weight"; blanks go. */
static char *dotted_path(struct arena *a, const char *text, size_t n)
{
	char *out = arena_alloc(a, n + 2);
	size_t k = 0;
	for (size_t i = 0; out && i < n; i++) {
		if (text[i] == '[')
			out[k++] = '.';
		else if (!isspace((unsigned char)text[i]) && !strchr("]'\"", text[i]))
			out[k++] = text[i];
	}
	return out;
}

/* The first '=' that is an assignment; NULL when there is none. */
static const char *find_equals(const char *text)
{
	for (const char *p = text; *p; p++) {
		if (*p == '(')
			return NULL;
		if (*p == '=' && p[1] != '=' && p > text && !strchr("<>!=", p[-1]))
			return p;
	}
	return NULL;
}

struct member_names {
	const struct module *m;
	size_t i;
};

static const char *next_member(void *state)
{
	struct member_names *n = state;
	return module_member_name(n->m, n->i++);
}

static bool fail_member(const struct module *m, const char *path, const char *name, nns_error *err)
{
	struct member_names names = { m, 0 };
	fail(err, NNS_MODEL, "%s (%s) has no member '%s'", *path ? path : "the model", m->class_name, name);
	const char *near = nearest(name, next_member, &names);
	return near ? fail_add(err, "; did you mean '%s%s%s'?", path, *path ? "." : "", near) : false;
}

/* The module that holds the last name of the path. */
static struct module *holder(struct module *root, char *path, char **name, nns_error *err)
{
	char *part = path, *dot;
	struct module *m = root;
	while ((dot = strchr(part, '.'))) {
		*dot = 0;
		const struct child *c = module_child(m, part);
		struct datum member;
		if (!c && module_member(m, part, &member) && member.kind == D_TENSOR) {
			*dot = '.';
			*name = part;
			return m;
		}
		if (!c || !c->module) {
			const char *before = part > path ? (part[-1] = 0, path) : "";
			return fail_member(m, before, part, err), NULL;
		}
		m = c->module;
		*dot = '.';
		part = dot + 1;
	}
	*name = part;
	return m;
}

/* fc.weight.requires_grad=False */
static bool set_of_tensor(struct interp *in, struct module *m, char *name, struct datum v, nns_error *err)
{
	char *dot = strchr(name, '.');
	struct datum tensor;
	*dot++ = 0;
	return module_member(m, name, &tensor) && tensor_setattr(in, tensor, dot, v, err);
}

bool model_set(struct model *m, const char *assignment, nns_error *err)
{
	struct runtime *rt = m->runtime;
	const char *equals = find_equals(assignment);
	struct datum v, old;
	char *name;
	if (!equals)
		return fail(err, NNS_USAGE, "expected PATH=VALUE, such as 'fc=Linear(fc.in_features, 100)'");
	char *path = dotted_path(rt->arena, assignment, (size_t)(equals - assignment));
	if (!path)
		return fail_memory(err);
	struct module *at = holder(m->root, path, &name, err);
	if (!at)
		return false;
	rt->root = m->root;
	const struct code *code = lang_parse_expression(rt->arena, equals + 1, strlen(equals + 1), "value", err);
	bool ok = code && lang_eval(&rt->interp, code, NULL, &v, err);
	rt->root = NULL;
	if (!ok)
		return false;
	if (strchr(name, '.'))
		return set_of_tensor(&rt->interp, at, name, v, err);
	if (!module_member(at, name, &old) && at->class) {
		if (name > path)
			name[-1] = 0;
		return fail_member(at, name > path ? path : "", name, err);
	}
	if (v.kind == D_CLASS)
		return fail(err, NNS_MODEL, "%s names a class; write its arguments too", equals + 1);
	return module_setattr(&rt->interp, at, name, v, err);
}
