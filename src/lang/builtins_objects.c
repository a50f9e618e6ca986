/* Built-in functions over objects and their types; exceptions. */
#include <string.h>

#include "lang/builtins.h"

static bool attribute_name(const struct function *self, const struct lang_args *args, const char **out, nns_error *err)
{
	if (args->items[1].kind != D_STR)
		return fail(err, NNS_MODEL, "%s() takes the name as a str", self->name);
	*out = args->items[1].u.s;
	return true;
}

BUILTIN(call_getattr)
{
	const char *name = "";
	bool found;
	if (!takes(self, args, 2, 3, err) || !attribute_name(self, args, &name, err) || !lang_getattr(in, args->items[0], name, out, &found, err))
		return false;
	if (!found && args->n == 3)
		*out = args->items[2];
	return found || args->n == 3 || fail(err, NNS_MODEL, "'%s' has no attribute '%s'", datum_type_name(args->items[0]), name);
}

BUILTIN(call_hasattr)
{
	const char *name = "";
	struct datum ignored;
	bool found;
	if (!takes(self, args, 2, 2, err) || !attribute_name(self, args, &name, err) || !lang_getattr(in, args->items[0], name, &ignored, &found, err))
		return false;
	*out = datum_bool(found);
	return true;
}

BUILTIN(call_setattr)
{
	const char *name = "";
	*out = datum_none();
	if (!takes(self, args, 3, 3, err) || !attribute_name(self, args, &name, err))
		return false;
	if (!is_host_kind(args->items[0]) || !in->host || !in->host->setattr)
		return fail(err, NNS_MODEL, "attributes of a '%s' cannot be set", datum_type_name(args->items[0]));
	return in->host->setattr(in, args->items[0], name, args->items[2], err);
}

BUILTIN(call_callable)
{
	(void)in;
	if (!takes(self, args, 1, 1, err))
		return false;
	enum datum_kind k = args->items[0].kind;
	*out = datum_bool(k == D_FUNCTION || k == D_MODULE || k == D_CLASS);
	return true;
}

static const struct { const char *name; enum datum_kind kind; } types[] = {
	{ "int", D_INT }, { "float", D_FLOAT }, { "bool", D_BOOL }, { "str", D_STR }, { "tuple", D_TUPLE }, { "list", D_LIST }, { "dict", D_DICT },
	{ "slice", D_SLICE }, { "set", D_LIST },
};

BUILTIN(call_type)
{
	bool found = false;
	if (!takes(self, args, 1, 1, err))
		return false;
	for (size_t i = 0; i < sizeof types / sizeof *types; i++)
		if (types[i].kind == args->items[0].kind)
			return *out = datum_pointer(D_FUNCTION, builtin_find(types[i].name)), true;
	if (!lang_getattr(in, args->items[0], "__class__", out, &found, err))
		return false;
	return found || fail(err, NNS_UNSUPPORTED, "type() of a '%s'", datum_type_name(args->items[0]));
}

static bool is_instance(struct interp *in, struct datum d, struct datum class, int depth, bool *out, nns_error *err)
{
	*out = false;
	if (depth > 100)
		return fail(err, NNS_LIMIT, "isinstance(): tuples of classes are nested too deep");
	if (datum_is_seq(class)) {
		for (size_t i = 0; i < class.u.seq->n && !*out; i++)
			if (!is_instance(in, d, class.u.seq->items[i], depth + 1, out, err))
				return false;
		return true;
	}
	const char *name = class.kind == D_FUNCTION ? ((const struct function *)class.u.p)->name : NULL;
	if (name && builtin_find(name) == class.u.p) {
		for (size_t i = 0; i < sizeof types / sizeof *types; i++)
			if (strcmp(types[i].name, name) == 0 && (d.kind == types[i].kind || (d.kind == D_BOOL && types[i].kind == D_INT)))
				*out = true;
		return true;
	}
	if (class.kind == D_NONE)
		return *out = d.kind == D_NONE, true;
	return !in->host || !in->host->isinstance || in->host->isinstance(in, d, class, out, err);
}

BUILTIN(call_isinstance)
{
	bool is;
	if (!takes(self, args, 2, 2, err) || !is_instance(in, args->items[0], args->items[1], 0, &is, err))
		return false;
	*out = datum_bool(is);
	return true;
}

BUILTIN(call_issubclass)
{
	(void)in;
	if (!takes(self, args, 2, 2, err))
		return false;
	*out = datum_bool(same_object(args->items[0], args->items[1]));
	return true;
}

BUILTIN(call_print)
{
	(void)in, (void)self, (void)args, (void)err;
	*out = datum_none();
	return true;
}

/* An exception is its text. */
BUILTIN(call_exception)
{
	const char *s = self->name;
	if (args->n && !to_str(in, args->items[0], false, &s, err))
		return false;
	*out = datum_str(s);
	return true;
}

const struct function builtins_objects[] = {
	{ .name = "getattr", .call = call_getattr }, { .name = "hasattr", .call = call_hasattr }, { .name = "setattr", .call = call_setattr },
	{ .name = "callable", .call = call_callable }, { .name = "type", .call = call_type }, { .name = "isinstance", .call = call_isinstance },
	{ .name = "issubclass", .call = call_issubclass }, { .name = "print", .call = call_print }, { .name = "ValueError", .call = call_exception },
	{ .name = "TypeError", .call = call_exception }, { .name = "RuntimeError", .call = call_exception },
	{ .name = "NotImplementedError", .call = call_exception }, { .name = "AssertionError", .call = call_exception },
	{ .name = "KeyError", .call = call_exception }, { .name = "IndexError", .call = call_exception },
	{ .name = "AttributeError", .call = call_exception }, { .name = "Exception", .call = call_exception },
	{ 0 }
};
