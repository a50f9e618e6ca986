/* Methods of every module: torch/nn/modules/module.py and container.py. */
#include <stdio.h>
#include <string.h>

#include "nn/runtime.h"

#define METHOD(name) static bool name(struct interp *in, const struct function *self, const struct lang_args *args, struct datum *out, nns_error *err)

static struct module *self_of(const struct function *f)
{
	return f->self.u.p;
}

static bool arena_of_walk(struct interp *in, const char *s, struct datum *out)
{
	char *copy = arena_strdup(in->arena, s);
	*out = datum_str(copy);
	return copy != NULL;
}

/* name, value -> value, or (name, value) */
static bool push_named(struct interp *in, struct datum list, const char *prefix, const char *name, struct datum v, bool named)
{
	struct datum pair, key;
	char full[600];
	if (!named)
		return seq_push(in->arena, list.u.seq, v);
	snprintf(full, sizeof full, "%s%s%s", prefix, *prefix && *name ? "." : "", name);
	return arena_of_walk(in, full, &key) && datum_seq(in->arena, D_TUPLE, 2, &pair) && seq_push(in->arena, pair.u.seq, key)
	    && seq_push(in->arena, pair.u.seq, v) && seq_push(in->arena, list.u.seq, pair);
}

/* ---- parameters(), buffers(), modules(), children() and their named_ forms ---- */

static bool seen_before(struct interp *in, struct map *seen, const struct value *v)
{
	char *key = arena_printf(in->arena, "%p", (const void *)v);
	if (!key || map_has(seen, key))
		return true;
	map_put(seen, in->arena, key, (void *)v);
	return false;
}

static bool list_tensors(struct interp *in, struct module *root, bool buffers, bool named, bool recurse, struct datum *out, nns_error *err)
{
	struct walk w;
	struct map seen = { 0 };
	bool ok = datum_seq(in->arena, D_LIST, 0, out);
	for (walk_begin(&w, root, false); ok && walk_next(&w); ) {
		const struct parameter *all = buffers ? w.module->buffers : w.module->parameters;
		size_t n = buffers ? w.module->n_buffers : w.module->n_parameters;
		for (size_t i = 0; ok && i < n; i++)
			if (all[i].value && !seen_before(in, &seen, all[i].value))
				ok = push_named(in, *out, w.path, all[i].name, datum_pointer(D_TENSOR, all[i].value), named);
		if (!recurse)
			break;
	}
	ok = ok && !w.failed;
	walk_end(&w);
	return ok || fail_memory(err);
}

static bool recurses(const struct lang_args *args)
{
	for (size_t i = 0; i < args->n_named; i++)
		if (strcmp(args->names[i], "recurse") == 0)
			return datum_truth(args->values[i]);
	return true;
}

METHOD(call_parameters) { return list_tensors(in, self_of(self), false, false, recurses(args), out, err); }
METHOD(call_named_parameters) { return list_tensors(in, self_of(self), false, true, recurses(args), out, err); }
METHOD(call_buffers) { return list_tensors(in, self_of(self), true, false, recurses(args), out, err); }
METHOD(call_named_buffers) { return list_tensors(in, self_of(self), true, true, recurses(args), out, err); }

static bool list_modules(struct interp *in, struct module *root, bool named, struct datum *out, nns_error *err)
{
	struct walk w;
	bool ok = datum_seq(in->arena, D_LIST, 0, out);
	for (walk_begin(&w, root, false); ok && walk_next(&w); )
		ok = push_named(in, *out, w.path, "", datum_pointer(D_MODULE, w.module), named);
	ok = ok && !w.failed;
	walk_end(&w);
	return ok || fail_memory(err);
}

METHOD(call_modules) { (void)args; return list_modules(in, self_of(self), false, out, err); }
METHOD(call_named_modules) { (void)args; return list_modules(in, self_of(self), true, out, err); }

static bool list_children(struct interp *in, const struct module *m, bool names, bool modules, struct datum *out, nns_error *err)
{
	bool ok = datum_seq(in->arena, D_LIST, m->n_children, out);
	for (size_t i = 0; ok && i < m->n_children; i++) {
		struct datum child = datum_pointer(D_MODULE, m->children[i].module);
		if (m->children[i].module)
			ok = modules ? push_named(in, *out, "", m->children[i].name, child, names) : seq_push(in->arena, out->u.seq, datum_str(m->children[i].name));
	}
	return ok || fail_memory(err);
}

METHOD(call_children) { (void)args; return list_children(in, self_of(self), false, true, out, err); }
METHOD(call_named_children) { (void)args; return list_children(in, self_of(self), true, true, out, err); }
METHOD(call_keys) { (void)args; return list_children(in, self_of(self), false, false, out, err); }

/* ---- Registration ---- */

static bool name_and_value(const struct function *self, const struct lang_args *args, const char **name, struct datum *v, nns_error *err)
{
	if (args->n < 1 || args->items[0].kind != D_STR)
		return fail(err, NNS_MODEL, "%s() takes a name and a value", self->name);
	*name = args->items[0].u.s;
	*v = args->n > 1 ? args->items[1] : args->n_named ? args->values[0] : datum_none();
	if (!**name || strchr(*name, '.'))
		return fail(err, NNS_MODEL, "%s(): '%s' is not a name", self->name, *name);
	return true;
}

METHOD(call_add_module)
{
	const char *name = "";
	struct datum v;
	*out = datum_none();
	if (!name_and_value(self, args, &name, &v, err))
		return false;
	if (v.kind != D_MODULE && v.kind != D_NONE)
		return fail(err, NNS_MODEL, "%s is not a Module subclass (add_module: '%s')", datum_type_name(v), name);
	if (!module_child(self_of(self), name))
		module_remove(self_of(self), name);
	return module_set_child(in->arena, self_of(self), name, v.kind == D_MODULE ? v.u.p : NULL) || fail_memory(err);
}

METHOD(call_register_parameter)
{
	const char *name = "";
	struct datum v;
	*out = datum_none();
	if (!name_and_value(self, args, &name, &v, err))
		return false;
	if (v.kind != D_TENSOR && v.kind != D_NONE)
		return fail(err, NNS_MODEL, "register_parameter(): '%s' is %s %s, not a tensor", name, datum_a(v), datum_type_name(v));
	if (!module_parameter(self_of(self), name))
		module_remove(self_of(self), name);
	return module_set_parameter(in->arena, self_of(self), name, v.kind == D_TENSOR ? v.u.p : NULL) || fail_memory(err);
}

METHOD(call_register_buffer)
{
	const char *name = "";
	struct datum v;
	bool persistent = args->n < 3 || datum_truth(args->items[2]);
	*out = datum_none();
	if (!name_and_value(self, args, &name, &v, err))
		return false;
	for (size_t i = 0; i < args->n_named; i++)
		if (strcmp(args->names[i], "persistent") == 0)
			persistent = datum_truth(args->values[i]);
	if (v.kind != D_TENSOR && v.kind != D_NONE)
		return fail(err, NNS_MODEL, "register_buffer(): '%s' is %s %s, not a tensor", name, datum_a(v), datum_type_name(v));
	module_remove(self_of(self), name);
	return module_set_buffer(in->arena, self_of(self), name, v.kind == D_TENSOR ? v.u.p : NULL, persistent) || fail_memory(err);
}

METHOD(call_append)
{
	char *name = arena_printf(in->arena, "%zu", self_of(self)->n_children);
	*out = self->self;
	if (args->n != 1 || args->items[0].kind != D_MODULE)
		return fail(err, NNS_MODEL, "append() takes a module");
	return name && module_set_child(in->arena, self_of(self), name, args->items[0].u.p) ? true : fail_memory(err);
}

METHOD(call_extend)
{
	struct datum list = args->n ? args->items[0] : datum_none();
	if (list.kind == D_MODULE && !module_items(in, list.u.p, &list, err))
		return false;
	if (!datum_is_seq(list))
		return fail(err, NNS_MODEL, "extend() takes a list of modules");
	for (size_t i = 0; i < list.u.seq->n; i++) {
		struct lang_args one = { .items = &list.u.seq->items[i], .n = 1 };
		if (!call_append(in, self, &one, out, err))
			return false;
	}
	*out = self->self;
	return true;
}

/* ---- State ---- */

static bool set_training(struct module *root, bool on, nns_error *err)
{
	struct walk w;
	for (walk_begin(&w, root, false); walk_next(&w); )
		w.module->training = on;
	bool failed = w.failed;
	walk_end(&w);
	return !failed || fail_memory(err);
}

METHOD(call_train)
{
	(void)in;
	*out = self->self;
	return set_training(self_of(self), args->n == 0 || datum_truth(args->items[0]), err);
}

METHOD(call_eval)
{
	(void)in, (void)args;
	*out = self->self;
	return set_training(self_of(self), false, err);
}

METHOD(call_requires_grad)
{
	struct datum list;
	bool on = args->n ? datum_truth(args->items[0]) : !args->n_named || datum_truth(args->values[0]);
	if (!list_tensors(in, self_of(self), false, false, true, &list, err))
		return false;
	for (size_t i = 0; i < list.u.seq->n; i++)
		((struct value *)list.u.seq->items[i].u.p)->requires_grad = on;
	*out = self->self;
	return true;
}

METHOD(call_itself)
{
	(void)in, (void)args, (void)err;
	*out = self->self;
	return true;
}

METHOD(call_forward)
{
	return module_call(in, self_of(self), args, out, err);
}

METHOD(call_get_name)
{
	(void)in, (void)args, (void)err;
	*out = datum_str(self_of(self)->class_name);
	return true;
}

METHOD(call_get_submodule)
{
	struct module *m = args->n && args->items[0].kind == D_STR ? module_at(self_of(self), args->items[0].u.s) : NULL;
	(void)in;
	*out = datum_pointer(D_MODULE, m);
	return m || fail(err, NNS_MODEL, "get_submodule(): there is no such module");
}

static const struct function methods[] = {
	{ .name = "parameters", .call = call_parameters }, { .name = "named_parameters", .call = call_named_parameters },
	{ .name = "buffers", .call = call_buffers }, { .name = "named_buffers", .call = call_named_buffers },
	{ .name = "modules", .call = call_modules }, { .name = "named_modules", .call = call_named_modules },
	{ .name = "children", .call = call_children }, { .name = "named_children", .call = call_named_children },
	{ .name = "keys", .call = call_keys }, { .name = "values", .call = call_children }, { .name = "items", .call = call_named_children },
	{ .name = "add_module", .call = call_add_module }, { .name = "register_module", .call = call_add_module },
	{ .name = "register_parameter", .call = call_register_parameter }, { .name = "register_buffer", .call = call_register_buffer },
	{ .name = "append", .call = call_append }, { .name = "extend", .call = call_extend },
	{ .name = "train", .call = call_train }, { .name = "eval", .call = call_eval }, { .name = "requires_grad_", .call = call_requires_grad },
	{ .name = "to", .call = call_itself }, { .name = "float", .call = call_itself }, { .name = "cpu", .call = call_itself },
	{ .name = "cuda", .call = call_itself }, { .name = "reset_parameters", .call = call_itself }, { .name = "apply", .call = call_itself },
	{ .name = "zero_grad", .call = call_itself }, { .name = "forward", .call = call_forward }, { .name = "__call__", .call = call_forward },
	{ .name = "_get_name", .call = call_get_name }, { .name = "get_submodule", .call = call_get_submodule },
};

const struct function *module_method(const char *name)
{
	for (size_t i = 0; i < sizeof methods / sizeof *methods; i++)
		if (strcmp(methods[i].name, name) == 0)
			return &methods[i];
	return NULL;
}
