/* copy.deepcopy of a module: modules and parameters that stand in it twice are one object in the copy as well. */

#include "nn/runtime.h"

/* Originals leave a number in `mark` and their copy in `note`; both are put back at the end. */
struct copying {
	struct runtime *rt;
	struct module **from, **to; size_t n, cap;
	struct value **values; size_t n_values, cap_values;
	int depth;
};

static struct module *copy_module(struct copying *c, struct module *m, nns_error *err);

static bool remember(struct copying *c, struct module *from, struct module *to)
{
	size_t cap = c->cap;
	struct module **f = arena_grow(c->rt->arena, c->from, c->n, &c->cap, sizeof *f);
	struct module **t = arena_grow(c->rt->arena, c->to, c->n, &cap, sizeof *t);
	if (!f || !t)
		return false;
	c->from = f;
	c->to = t;
	f[c->n] = from;
	t[c->n] = to;
	from->mark = (int)++c->n;
	return true;
}

static bool copy_value(struct copying *c, struct value *v, struct value **out, nns_error *err)
{
	*out = v ? v->note : NULL;
	if (!v || *out)
		return true;
	struct value *copy = arena_alloc(c->rt->arena, sizeof *copy);
	struct value **all = arena_grow(c->rt->arena, c->values, c->n_values, &c->cap_values, sizeof *all);
	if (!copy || !all)
		return fail_memory(err);
	c->values = all;
	all[c->n_values++] = v;
	*copy = *v;
	v->note = *out = copy;
	struct runtime *rt = c->rt;
	return rt->recorder.graph != rt->construction || record_made(&rt->recorder, "clone", v, copy, err);
}

static bool copy_parameters(struct copying *c, const struct module *m, struct module *to, nns_error *err)
{
	struct value *v;
	for (size_t i = 0; i < m->n_parameters; i++)
		if (!copy_value(c, m->parameters[i].value, &v, err) || !module_set_parameter(c->rt->arena, to, m->parameters[i].name, v))
			return fail_memory(err);
	for (size_t i = 0; i < m->n_buffers; i++)
		if (!copy_value(c, m->buffers[i].value, &v, err) || !module_set_buffer(c->rt->arena, to, m->buffers[i].name, v, m->buffers[i].persistent))
			return fail_memory(err);
	return true;
}

static bool copy_members(struct copying *c, const struct module *m, struct module *to, nns_error *err)
{
	struct module *child;
	for (size_t i = 0; i < m->n_attributes; i++) {
		struct datum v = m->attributes[i].value;
		if (v.kind == D_MODULE && !(v.u.p = copy_module(c, v.u.p, err)))
			return false;
		if (!module_set_attribute(c->rt->arena, to, m->attributes[i].name, v))
			return fail_memory(err);
	}
	if (!copy_parameters(c, m, to, err))
		return false;
	for (size_t i = 0; i < m->n_children; i++) {
		child = m->children[i].module;
		if ((child && !(child = copy_module(c, child, err))) || !module_set_child(c->rt->arena, to, m->children[i].name, child))
			return child ? fail_memory(err) : false;
	}
	return true;
}

static struct module *copy_module(struct copying *c, struct module *m, nns_error *err)
{
	if (m->mark > 0)
		return c->to[m->mark - 1];
	if (c->depth > 200)
		return fail(err, NNS_LIMIT, "copy.deepcopy: modules are nested too deeply"), NULL;
	struct module *to = module_new(c->rt, m->class, m->class_name, err);
	if (!to)
		return NULL;
	to->training = m->training;
	to->printed = m->printed;
	to->params_unknown = m->params_unknown;
	if (!remember(c, m, to))
		return fail_memory(err), NULL;
	c->depth++;
	bool ok = copy_members(c, m, to, err);
	c->depth--;
	return ok ? to : NULL;
}

struct module *module_deepcopy(struct runtime *rt, struct module *m, nns_error *err)
{
	struct copying c = { .rt = rt };
	struct module *copy = copy_module(&c, m, err);
	for (size_t i = 0; i < c.n; i++)
		c.from[i]->mark = 0;
	for (size_t i = 0; i < c.n_values; i++)
		c.values[i]->note = NULL;
	return copy;
}
