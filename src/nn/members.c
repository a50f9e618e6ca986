/* Members of modules: parameters, buffers, children, attributes, and items of containers. */
#include <string.h>

#include "nn/runtime.h"

static struct datum value_datum(struct value *v)
{
	return v ? datum_pointer(D_TENSOR, v) : datum_none();
}

static struct datum child_datum(struct module *m)
{
	return m ? datum_pointer(D_MODULE, m) : datum_none();
}

bool module_member(const struct module *m, const char *name, struct datum *out)
{
	const struct parameter *p = module_parameter(m, name);
	const struct child *c;
	const struct datum *a;
	if (p || (p = module_buffer(m, name)))
		return *out = value_datum(p->value), true;
	if ((c = module_child(m, name)))
		return *out = child_datum(c->module), true;
	if ((a = module_attribute(m, name)))
		return *out = *a, true;
	return false;
}

const char *module_member_name(const struct module *m, size_t i)
{
	if (i < m->n_attributes)
		return m->attributes[i].name;
	if ((i -= m->n_attributes) < m->n_parameters)
		return m->parameters[i].name;
	if ((i -= m->n_parameters) < m->n_buffers)
		return m->buffers[i].name;
	i -= m->n_buffers;
	return i < m->n_children ? m->children[i].name : NULL;
}

static bool bind_method(struct interp *in, struct module *m, const struct function *method, struct datum *out, nns_error *err)
{
	struct function f = *method;
	f.self = datum_pointer(D_MODULE, m);
	return lang_function(in->arena, f, out, err);
}

bool module_getattr(struct interp *in, struct module *m, const char *name, struct datum *out, bool *found, nns_error *err)
{
	const struct function *method;
	*found = true;
	if (strcmp(name, "training") == 0)
		return *out = datum_bool(m->training), true;
	if (module_member(m, name, out))
		return true;
	if (strcmp(name, "__class__") == 0 && m->class)
		return *out = datum_pointer(D_CLASS, m->class), true;
	if ((method = module_method(name)))
		return bind_method(in, m, method, out, err);
	*found = false;
	return true;
}

/* ---- Assignment: torch.nn.Module.__setattr__ ---- */

static bool set_parameter(struct runtime *rt, struct module *m, const char *name, struct value *v, nns_error *err)
{
	if (!module_parameter(m, name))
		module_remove(m, name);
	return module_set_parameter(rt->arena, m, name, v) || fail_memory(err);
}

static bool set_tensor(struct runtime *rt, struct module *m, const char *name, struct value *v, nns_error *err)
{
	const struct parameter *b = module_buffer(m, name);
	if (v->is_parameter)
		return set_parameter(rt, m, name, v, err);
	if (module_parameter(m, name))
		return fail(err, NNS_MODEL, "cannot assign a Tensor as parameter '%s'; Parameter(...) or None is expected", name);
	if (b)
		return module_set_buffer(rt->arena, m, name, v, b->persistent) || fail_memory(err);
	return module_set_attribute(rt->arena, m, name, datum_pointer(D_TENSOR, v)) || fail_memory(err);
}

static bool set_none(struct runtime *rt, struct module *m, const char *name, nns_error *err)
{
	const struct parameter *b = module_buffer(m, name);
	bool ok = module_parameter(m, name) ? module_set_parameter(rt->arena, m, name, NULL)
	        : b ? module_set_buffer(rt->arena, m, name, NULL, b->persistent)
	        : module_child(m, name) ? module_set_child(rt->arena, m, name, NULL)
	        : module_set_attribute(rt->arena, m, name, datum_none());
	return ok || fail_memory(err);
}

bool module_setattr(struct interp *in, struct module *m, const char *name, struct datum v, nns_error *err)
{
	struct runtime *rt = runtime_of(in);
	if (strcmp(name, "training") == 0)
		return m->training = datum_truth(v), true;
	if (v.kind == D_NONE)
		return set_none(rt, m, name, err);
	if (v.kind == D_TENSOR)
		return set_tensor(rt, m, name, v.u.p, err);
	if (v.kind == D_MODULE) {
		if (!module_child(m, name))
			module_remove(m, name);
		return module_set_child(rt->arena, m, name, v.u.p) || fail_memory(err);
	}
	if (module_parameter(m, name) || module_child(m, name) || module_buffer(m, name))
		return fail(err, NNS_MODEL, "'%s' of a %s is a %s and cannot become a %s", name, m->class_name,
		            module_child(m, name) ? "module" : "tensor", datum_type_name(v));
	return module_set_attribute(rt->arena, m, name, v) || fail_memory(err);
}

/* ---- Items of containers ---- */

bool module_items(struct interp *in, struct module *m, struct datum *out, nns_error *err)
{
	const struct datum *names = module_attribute(m, "_names");
	bool keys = class_is(runtime_of(in), m->class, "ModuleDict") || class_is(runtime_of(in), m->class, "ParameterDict");
	if (!datum_seq(in->arena, D_LIST, m->n_children, out))
		return fail_memory(err);
	for (size_t i = 0; names && datum_is_seq(*names) && i < names->u.seq->n; i++) {
		struct datum v = names->u.seq->items[i];
		if (v.kind != D_STR)
			return fail(err, NNS_MODEL, "_names of a %s holds a '%s'; they are names of its members", m->class_name, datum_type_name(v));
		if (!keys && !module_member(m, v.u.s, &v))
			continue;
		if (!seq_push(in->arena, out->u.seq, v))
			return fail_memory(err);
	}
	for (size_t i = 0; !names && i < m->n_children; i++)
		if (!seq_push(in->arena, out->u.seq, keys ? datum_str(m->children[i].name) : child_datum(m->children[i].module)))
			return fail_memory(err);
	return true;
}

/* seq[1:3] is a new container of the same class. */
static bool module_slice(struct interp *in, struct module *m, struct datum items, struct datum index, struct datum *out, nns_error *err)
{
	struct runtime *rt = runtime_of(in);
	const struct slice *s = index.u.slice;
	int64_t n = (int64_t)items.u.seq->n, start = datum_is_int(s->start) ? datum_as_int(s->start) : 0, stop = datum_is_int(s->stop) ? datum_as_int(s->stop) : n;
	int64_t step = datum_is_int(s->step) ? datum_as_int(s->step) : 1;
	struct datum chosen, list;
	if (step <= 0)
		return fail(err, NNS_UNSUPPORTED, "slices of modules go forwards");
	start = start < 0 ? start + n : start;
	stop = stop < 0 ? stop + n : stop > n ? n : stop;
	step = step > n ? n + 1 : step;          /* so that no sum overflows */
	if (!datum_seq(rt->arena, D_LIST, 0, &chosen) || !datum_seq(rt->arena, D_LIST, 0, &list))
		return fail_memory(err);
	for (int64_t i = start < 0 ? 0 : start; i < stop; i += step)
		if (!seq_push(rt->arena, chosen.u.seq, items.u.seq->items[i]))
			return fail_memory(err);
	struct lang_args spread = { .items = chosen.u.seq->items, .n = chosen.u.seq->n }, one = { .items = &chosen, .n = 1 };
	struct module *made = class_construct(rt, m->class, class_is(rt, m->class, "Sequential") ? &spread : &one, err);
	*out = datum_pointer(D_MODULE, made);
	return made != NULL;
}

bool module_getitem(struct interp *in, struct module *m, struct datum index, struct datum *out, nns_error *err)
{
	struct datum items;
	if (index.kind == D_STR)
		return module_member(m, index.u.s, out) || fail(err, NNS_MODEL, "%s has no item '%s'", m->class_name, index.u.s);
	if (!module_items(in, m, &items, err))
		return false;
	if (index.kind == D_SLICE)
		return module_slice(in, m, items, index, out, err);
	if (!datum_is_int(index))
		return fail(err, NNS_MODEL, "%s is indexed by numbers and slices, not '%s'", m->class_name, datum_type_name(index));
	int64_t i = datum_as_int(index), n = (int64_t)items.u.seq->n;
	if (i < -n || i >= n)
		return fail(err, NNS_MODEL, "index %lld is out of range for a %s of %lld", (long long)i, m->class_name, (long long)n);
	*out = items.u.seq->items[i < 0 ? i + n : i];
	return true;
}
