/* What the names in a TorchScript file mean: torch, ops, __torch__, CONSTANTS, types, and the attributes of its objects. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "ops/namespace.h"
#include "trace/script.h"

static const char path_kind[] = "path", class_kind[] = "class", space_kind[] = "namespace of the file", constants_kind[] = "constants";

static bool is_kind(struct datum d, const char *kind)
{
	return d.kind == D_HOST && ((const struct host_object *)d.u.p)->kind == kind;
}

static const void *data_of(struct datum d)
{
	return ((const struct host_object *)d.u.p)->data;
}

/* ---- fork and wait ---- */

/* fork(f): f runs at once. */
static bool fork_call(struct interp *in, const struct function *self, const struct lang_args *args, struct datum *out, nns_error *err)
{
	struct lang_args rest = *args;
	(void)self;
	if (args->n == 0)
		return fail(err, NNS_MODEL, "fork takes a function");
	rest.items++;
	rest.n--;
	return lang_call(in, args->items[0], &rest, out, err);
}

/* ---- Globals ---- */

static bool script_global(struct interp *in, const char *name, struct datum *out, bool *found, nns_error *err)
{
	static const struct function functions[] = {
		{ .name = "annotate", .call = script_annotate }, { .name = "unchecked_cast", .call = script_cast },
		{ .name = "uninitialized", .call = script_uninitialized }, { .name = "isinstance", .call = script_isinstance },
		{ .name = "fork", .call = fork_call } };
	static const struct host_object spaces[] = { { space_kind, "torch" }, { space_kind, "ops" }, { path_kind, "__torch__" }, { constants_kind, "CONSTANTS" } };
	*found = true;
	for (size_t i = 0; i < sizeof spaces / sizeof *spaces; i++)
		if (strcmp(name, spaces[i].data) == 0)
			return *out = datum_pointer(D_HOST, &spaces[i]), true;
	for (size_t i = 0; i < sizeof functions / sizeof *functions; i++)
		if (strcmp(name, functions[i].name) == 0)
			return *out = datum_pointer(D_FUNCTION, &functions[i]), true;
	if (strcmp(name, "inf") == 0 || strcmp(name, "nan") == 0)
		return *out = datum_float(*name == 'i' ? INFINITY : NAN), true;
	return script_type(in, name, out, found, err);
}

/* ---- Classes, functions and what lies on the way to them ---- */

static bool function_datum(struct script_run *run, const char *key, script_fn *call, const void *data, struct datum *out, nns_error *err)
{
	struct function *f = map_get(&run->functions, key);
	if (f)
		return *out = datum_pointer(D_FUNCTION, f), true;
	f = arena_alloc(run->rt->arena, sizeof *f);
	if (!f || !map_put(&run->functions, run->rt->arena, key, f))
		return fail_memory(err);
	*f = (struct function){ .name = key, .call = call, .data = data };
	return *out = datum_pointer(D_FUNCTION, f), true;
}

static bool path_getattr(struct interp *in, const char *path, const char *name, struct datum *out, bool *found, nns_error *err)
{
	struct script_run *run = script_run_of(in);
	const struct script_name *n;
	const char *full = arena_printf(in->arena, "%s.%s", path, name);
	if (!full)
		return fail_memory(err);
	if (!script_find(run->script, full, &n, err))
		return false;
	*found = true;
	if (n && n->class)
		return host_object_new(in->arena, class_kind, n->class, out, err);
	if (n)
		return function_datum(run, full, script_call_method, n->def, out, err);
	*found = script_is_path(run->script, full);
	return !*found || host_object_new(in->arena, path_kind, full, out, err);
}

/* Class.__new__(Class) */
static bool object_new(struct interp *in, const struct function *self, const struct lang_args *args, struct datum *out, nns_error *err)
{
	(void)args;
	struct module *m = script_object(script_run_of(in), self->data, err);
	*out = datum_pointer(D_MODULE, m);
	return m != NULL;
}

/* Color.RED: one object for each, with name and value. */
static bool enum_member(struct interp *in, const struct script_class *c, const char *name, struct datum *out, bool *found, nns_error *err)
{
	struct script_run *run = script_run_of(in);
	struct scope empty = { 0 };
	struct datum value;
	const char *key = arena_printf(in->arena, "%s.%s", c->qualified, name);
	struct module *m = key ? map_get(&run->script->members, key) : NULL;
	for (size_t i = 0; key && !m && i < c->n_values; i++) {
		if (strcmp(c->values[i].name, name) != 0)
			continue;
		if (!lang_eval(in, c->values[i].code, &empty, &value, err) || !(m = script_object(run, c, err)))
			return false;
		if (!module_set_attribute(in->arena, m, "name", datum_str(c->values[i].name)) || !module_set_attribute(in->arena, m, "value", value)
		    || !map_put(&run->script->members, in->arena, key, m))
			return fail_memory(err);
	}
	*found = m != NULL;
	*out = datum_pointer(D_MODULE, m);
	return key || fail_memory(err);
}

static bool class_getattr(struct interp *in, const struct script_class *c, const char *name, struct datum *out, bool *found, nns_error *err)
{
	if (strcmp(c->base, "Enum") == 0)
		return enum_member(in, c, name, out, found, err);
	*found = strcmp(name, "__new__") == 0;
	return !*found || function_datum(script_run_of(in), c->qualified, object_new, c, out, err);
}

/* A NamedTuple is its tuple. */
static bool class_call(struct interp *in, const struct script_class *c, const struct lang_args *args, struct datum *out, nns_error *err)
{
	struct script_def *init = script_method(c, "__init__");
	struct datum ignored;
	if (strcmp(c->base, "NamedTuple") == 0) {
		if (!datum_seq(in->arena, D_TUPLE, args->n, out))
			return fail_memory(err);
		for (size_t i = 0; i < args->n; i++)
			if (!seq_push(in->arena, out->u.seq, args->items[i]))
				return fail_memory(err);
		return true;
	}
	struct module *m = script_object(script_run_of(in), c, err);
	*out = datum_pointer(D_MODULE, m);
	struct function f = { .name = "__init__", .call = script_call_method, .data = init, .self = *out };
	return m && (!init || script_call_method(in, &f, args, &ignored, err));
}

/* ---- torch.NAME, ops.SPACE.NAME, CONSTANTS.cN ---- */

static bool space_getattr(struct interp *in, const char *space, const char *name, struct datum *out, bool *found, nns_error *err)
{
	struct script_run *run = script_run_of(in);
	bool aten = strcmp(space, "torch") == 0 || strcmp(space, "ops.aten") == 0, prim = strcmp(space, "ops.prim") == 0;
	char *full = arena_printf(in->arena, "%s.%s", space, name);
	*found = true;
	if (!full)
		return fail_memory(err);
	if (strcmp(space, "ops") == 0)
		return host_object_new(in->arena, space_kind, full, out, err);
	return function_datum(run, full, aten ? script_call_torch : prim ? script_call_prim : script_call_other, strrchr(full, '.') + 1, out, err);
}

static bool constant_getattr(const struct script *s, const char *name, struct datum *out, bool *found)
{
	char *end;
	unsigned long i = name[0] == 'c' && name[1] >= '0' && name[1] <= '9' ? strtoul(name + 1, &end, 10) : s->n_constants;
	*found = i < s->n_constants && !*end;
	if (*found)
		*out = s->constants[i];
	return true;
}

/* ---- Objects ---- */

static bool object_getattr(struct interp *in, struct module *m, const char *name, struct datum *out, bool *found, nns_error *err)
{
	struct script_def *d = m->script ? script_method(m->script, name) : NULL;
	if (!d && !m->script && strcmp(name, "forward") == 0)
		return *found = true, *out = datum_pointer(D_MODULE, m), true;   /* a module of the user's, set in its place */
	if (!d)
		return nn_host.getattr(in, datum_pointer(D_MODULE, m), name, out, found, err);
	struct function f = { .name = d->name, .call = script_call_method, .data = d, .self = datum_pointer(D_MODULE, m) };
	return *found = lang_function(in->arena, f, out, err);
}

static bool names_getattr(struct interp *in, struct datum obj, const char *name, struct datum *out, bool *found, nns_error *err)
{
	*found = false;
	if (obj.kind == D_MODULE)
		return object_getattr(in, obj.u.p, name, out, found, err);
	if (is_kind(obj, path_kind))
		return path_getattr(in, data_of(obj), name, out, found, err);
	if (is_kind(obj, class_kind))
		return class_getattr(in, data_of(obj), name, out, found, err);
	if (is_kind(obj, space_kind))
		return space_getattr(in, data_of(obj), name, out, found, err);
	if (is_kind(obj, constants_kind))
		return constant_getattr(script_run_of(in)->script, name, out, found);
	return nn_host.getattr(in, obj, name, out, found, err);
}

static bool names_call(struct interp *in, struct datum callee, const struct lang_args *args, struct datum *out, nns_error *err)
{
	if (is_kind(callee, class_kind))
		return class_call(in, data_of(callee), args, out, err);
	if (callee.kind == D_MODULE)
		return module_call(&script_run_of(in)->rt->interp, callee.u.p, args, out, err);
	return nn_host.call(in, callee, args, out, err);
}

static bool names_getitem(struct interp *in, struct datum obj, struct datum index, struct datum *out, nns_error *err)
{
	if (obj.kind == D_HOST)
		return script_subscript_type(in, obj, index, out, err);
	return nn_host.getitem(in, obj, index, out, err);
}

static bool names_setitem(struct interp *in, struct datum obj, struct datum index, struct datum v, nns_error *err)
{
	return nn_host.setitem(in, obj, index, v, err);
}

static bool names_binary(struct interp *in, enum lang_op op, struct datum a, struct datum b, bool inplace, struct datum *out, nns_error *err)
{
	return nn_host.binary(in, op, a, b, inplace, out, err);
}

static bool names_unary(struct interp *in, enum lang_op op, struct datum a, struct datum *out, nns_error *err)
{
	return nn_host.unary(in, op, a, out, err);
}

static bool names_items(struct interp *in, struct datum obj, struct datum *out, nns_error *err)
{
	return nn_host.items(in, obj, out, err);
}

static bool names_length(struct interp *in, struct datum obj, int64_t *out, nns_error *err)
{
	return nn_host.length(in, obj, out, err);
}

static bool names_truth(struct interp *in, struct datum obj, bool *out, nns_error *err)
{
	return nn_host.truth(in, obj, out, err);
}

/* ---- with obj: ... ---- */

static bool call_named(struct interp *in, struct datum obj, const char *name, size_t n_none, struct datum *out, nns_error *err)
{
	struct datum none[3] = { datum_none(), datum_none(), datum_none() };
	struct lang_args args = { .items = none, .n = n_none };
	struct module *m = obj.kind == D_MODULE ? obj.u.p : NULL;
	struct script_def *d = m && m->script ? script_method(m->script, name) : NULL;
	if (!d)
		return fail(err, NNS_MODEL, "%s %s cannot be used with `with`", datum_a(obj), datum_type_name(obj));
	struct function f = { .name = name, .call = script_call_method, .data = d, .self = obj };
	return script_call_method(in, &f, &args, out, err);
}

static bool names_enter(struct interp *in, struct datum obj, struct datum *out, nns_error *err)
{
	return call_named(in, obj, "__enter__", 0, out, err);
}

static void names_leave(struct interp *in, struct datum obj)
{
	struct datum ignored;
	call_named(in, obj, "__exit__", 3, &ignored, NULL);
}

static void names_repr(struct text *t, struct datum obj)
{
	nn_host.repr(t, obj);
}

const struct lang_host script_host = {
	.global = script_global, .getattr = names_getattr, .setattr = script_setattr, .call = names_call,
	.binary = names_binary, .unary = names_unary, .getitem = names_getitem, .setitem = names_setitem,
	.length = names_length, .items = names_items, .truth = names_truth, .enter = names_enter, .leave = names_leave, .repr = names_repr,
};
