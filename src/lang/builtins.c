/* Python's builtin functions, types and exceptions: what their families share, and finding them. */
#include <string.h>

#include "lang/builtins.h"

bool takes(const struct function *self, const struct lang_args *args, size_t least, size_t most, nns_error *err)
{
	if (args->n >= least && args->n <= most)
		return true;
	return fail(err, NNS_MODEL, "%s() takes %zu to %zu arguments but %zu were given", self->name, least, most, args->n);
}

const struct datum *named(const struct lang_args *args, const char *name)
{
	for (size_t i = 0; i < args->n_named; i++)
		if (strcmp(args->names[i], name) == 0)
			return &args->values[i];
	return NULL;
}

bool call_one(struct interp *in, struct datum f, struct datum x, struct datum *out, nns_error *err)
{
	struct lang_args args = { .items = &x, .n = 1 };
	return lang_call(in, f, &args, out, err);
}

bool push_tuple(struct interp *in, struct datum list, const struct datum *items, size_t n, nns_error *err)
{
	struct datum tuple;
	if (!datum_seq(in->arena, D_TUPLE, n, &tuple))
		return fail_memory(err);
	for (size_t i = 0; i < n; i++)
		if (!seq_push(in->arena, tuple.u.seq, items[i]))
			return fail_memory(err);
	return seq_push(in->arena, list.u.seq, tuple) || fail_memory(err);
}

static const struct function *const families[] = { builtins_items, builtins_numbers, builtins_objects };
enum { FAMILIES = sizeof families / sizeof *families };

const struct function *builtin_find(const char *name)
{
	for (size_t k = 0; k < FAMILIES; k++)
		for (const struct function *f = families[k]; f->name; f++)
			if (f->name[0] == name[0] && strcmp(f->name, name) == 0)
				return f;
	return NULL;
}

const char *builtin_name(size_t index)
{
	for (size_t k = 0; k < FAMILIES; k++)
		for (const struct function *f = families[k]; f->name; f++)
			if (index-- == 0)
				return f->name;
	return NULL;
}
