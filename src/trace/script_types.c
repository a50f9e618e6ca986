/* Types in TorchScript code.  A value carries no type while tracing; casts believe the file, tests look at the value. */
#include <string.h>

#include "ops/namespace.h"
#include "trace/script.h"

/* Lists may hold one list many times over: what is looked at is counted. */
struct test {
	int depth;
	long left;
};

static bool script_is_instance(struct datum v, struct datum type, struct test *test);

static const char type_kind[] = "type of the file";

struct script_type {
	const char *name;        /* "List" */
	struct datum arguments;  /* what stands between the brackets, None: nothing */
};

static const struct script_type *type_of(struct datum d)
{
	const struct host_object *o = d.kind == D_HOST ? d.u.p : NULL;
	return o && o->kind == type_kind ? o->data : NULL;
}

static bool type_new(struct interp *in, const char *name, struct datum arguments, struct datum *out, nns_error *err)
{
	struct script_type *t = arena_alloc(in->arena, sizeof *t);
	if (!t)
		return fail_memory(err);
	*t = (struct script_type){ name, arguments };
	return host_object_new(in->arena, type_kind, t, out, err);
}

/* torch/csrc/jit/frontend/script_type_parser.cpp; int, float, bool and str are functions as well. */
bool script_type(struct interp *in, const char *name, struct datum *out, bool *found, nns_error *err)
{
	static const char *const names[] = { "Tensor", "List", "Dict", "Tuple", "Optional", "Union", "Any", "NoneType", "Final", "number", "Scalar",
		"complex", "Device", "Generator", "Stream", "Future", "Await", "RRef", "Storage", "Layout", "QScheme", "Capsule" };
	*found = false;
	for (size_t i = 0; i < sizeof names / sizeof *names && !*found; i++)
		if (strcmp(name, names[i]) == 0) {
			*found = true;
			if (!type_new(in, names[i], datum_none(), out, err))
				return false;
		}
	return true;
}

bool script_subscript_type(struct interp *in, struct datum type, struct datum index, struct datum *out, nns_error *err)
{
	const struct script_type *t = type_of(type);
	if (!t)
		return fail(err, NNS_MODEL, "a %s has no items", host_kind(type));
	return type_new(in, t->name, index, out, err);
}

static struct datum argument(const struct script_type *t, size_t i)
{
	struct datum d = t->arguments;
	if (d.kind != D_TUPLE)
		return i == 0 ? d : datum_none();
	return i < d.u.seq->n ? d.u.seq->items[i] : datum_none();
}

static bool all_are(const struct datum *items, size_t n, struct datum type, struct test *test)
{
	for (size_t i = 0; i < n; i++)
		if (type.kind != D_NONE && !script_is_instance(items[i], type, test))
			return false;
	return true;
}

static bool is_named(struct datum v, const struct script_type *t, struct test *test)
{
	if (strcmp(t->name, "Any") == 0)
		return true;
	if (strcmp(t->name, "Tensor") == 0)
		return v.kind == D_TENSOR;
	if (strcmp(t->name, "NoneType") == 0)
		return v.kind == D_NONE;
	if (strcmp(t->name, "number") == 0 || strcmp(t->name, "Scalar") == 0)
		return datum_is_number(v);
	if (strcmp(t->name, "List") == 0)
		return v.kind == D_LIST && all_are(v.u.seq->items, v.u.seq->n, argument(t, 0), test);
	if (strcmp(t->name, "Dict") == 0)
		return v.kind == D_DICT && all_are(v.u.dict->keys, v.u.dict->n, argument(t, 0), test) && all_are(v.u.dict->values, v.u.dict->n, argument(t, 1), test);
	if (strcmp(t->name, "Tuple") == 0) {
		bool fits = v.kind == D_TUPLE;
		for (size_t i = 0; fits && i < v.u.seq->n; i++)
			fits = all_are(&v.u.seq->items[i], 1, argument(t, i), test);
		return fits;
	}
	if (strcmp(t->name, "Optional") == 0 && v.kind == D_NONE)
		return true;
	if (strcmp(t->name, "Optional") == 0 || strcmp(t->name, "Union") == 0)
		return script_is_instance(v, t->arguments, test);
	return false;
}

static bool is_function_type(struct datum v, const char *name)
{
	return (strcmp(name, "int") == 0 && v.kind == D_INT) || (strcmp(name, "float") == 0 && v.kind == D_FLOAT)
	    || (strcmp(name, "bool") == 0 && v.kind == D_BOOL) || (strcmp(name, "str") == 0 && v.kind == D_STR)
	    || (strcmp(name, "list") == 0 && v.kind == D_LIST) || (strcmp(name, "tuple") == 0 && v.kind == D_TUPLE)
	    || (strcmp(name, "dict") == 0 && v.kind == D_DICT);
}

static bool is_any_of(struct datum v, const struct seq *types, struct test *test)
{
	for (size_t i = 0; i < types->n; i++)
		if (script_is_instance(v, types->items[i], test))
			return true;
	return false;
}

static bool script_is_instance(struct datum v, struct datum type, struct test *test)
{
	const struct module *m = v.kind == D_MODULE ? v.u.p : NULL;
	if (test->depth > 50 || --test->left <= 0)
		return false;
	if (type.kind == D_TUPLE || type_of(type)) {
		test->depth++;
		bool is = type.kind == D_TUPLE ? is_any_of(v, type.u.seq, test) : is_named(v, type_of(type), test);
		test->depth--;
		return is;
	}
	if (type.kind == D_FUNCTION)
		return is_function_type(v, ((const struct function *)type.u.p)->name);
	return m && type.kind == D_HOST && m->script == ((const struct host_object *)type.u.p)->data;
}

static bool takes_two(const struct function *self, const struct lang_args *args, nns_error *err)
{
	return args->n == 2 || fail(err, NNS_MODEL, "%s takes a type and a value", self->name);
}

/* A tensor becomes the number that it holds: aten::IntImplicit and its kin. */
bool script_annotate(struct interp *in, const struct function *self, const struct lang_args *args, struct datum *out, nns_error *err)
{
	if (!takes_two(self, args, err))
		return false;
	struct datum type = args->items[0];
	const struct script_type *t = type_of(type);
	bool number = type.kind == D_FUNCTION || (t && (strcmp(t->name, "number") == 0 || strcmp(t->name, "Scalar") == 0));
	*out = args->items[1];
	if (!number || out->kind != D_TENSOR)
		return true;
	struct datum item;
	struct lang_args none = { 0 };
	bool found;
	return lang_getattr(in, *out, "item", &item, &found, err) && lang_call(in, item, &none, out, err);
}

bool script_cast(struct interp *in, const struct function *self, const struct lang_args *args, struct datum *out, nns_error *err)
{
	(void)in;
	return takes_two(self, args, err) && (*out = args->items[1], true);
}

bool script_uninitialized(struct interp *in, const struct function *self, const struct lang_args *args, struct datum *out, nns_error *err)
{
	(void)in, (void)self, (void)args, (void)err;
	return *out = datum_none(), true;
}

bool script_isinstance(struct interp *in, const struct function *self, const struct lang_args *args, struct datum *out, nns_error *err)
{
	enum { MOST_VALUES = 1000000 };
	struct test test = { .left = MOST_VALUES };
	(void)in;
	if (!takes_two(self, args, err))
		return false;
	*out = datum_bool(script_is_instance(args->items[0], args->items[1], &test));
	return test.left > 0 || fail(err, NNS_LIMIT, "isinstance: more than %d values are looked at", MOST_VALUES);
}
