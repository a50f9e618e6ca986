/* Classes by name, and their columns, parsed on first use. */
#include <string.h>

#include "nn/runtime.h"

static const struct nn_class *const families[] = {
#define NN_FAMILY(family) family##_classes,
#include "nn/families.def"
#undef NN_FAMILY
};

struct runtime *runtime_new(struct arena *a, nns_error *err)
{
	struct runtime *rt = arena_alloc(a, sizeof *rt);
	if (!rt)
		return fail_memory(err), NULL;
	rt->arena = a;
	rt->torch_version = TORCH_DEFAULT;
	rt->max_modules = 2000000;
	interp_init(&rt->interp, a, &nn_host, rt);
	return recorder_init(&rt->recorder, a, &rt->interp, err) ? rt : NULL;
}

bool runtime_add_class(struct runtime *rt, struct nn_class *c, nns_error *err)
{
	if (rt->adding_more && map_has(&rt->classes, c->name))
		return true;
	return map_put(&rt->classes, rt->arena, c->name, c) || fail_memory(err);
}

static void add_more(struct runtime *rt)
{
	bool (*add)(void *, nns_error *) = rt->add_more;
	if (!add)
		return;
	rt->add_more = NULL;
	rt->adding_more = true;
	add(rt->more_data, NULL);        /* what is built in has no errors but no memory, which the arena remembers */
	rt->adding_more = false;
}

/* "BasicBlock", "_DenseLayer", and not "F" or "x". */
static bool looks_like_class(const char *name)
{
	name += *name == '_';
	return *name >= 'A' && *name <= 'Z' && name[1];
}

/* Rows are shared by all models and stay as they are: what is filled in while running goes into a copy. */
static const struct nn_class *copy_row(struct runtime *rt, const struct nn_class *row)
{
	struct nn_class *c = arena_alloc(rt->arena, sizeof *c);
	if (!c)
		return NULL;
	*c = *row;
	return map_put(&rt->classes, rt->arena, c->name, c) ? c : NULL;
}

static const struct nn_class *find_class(struct runtime *rt, const char *name)
{
	const struct nn_class *c = map_get(&rt->classes, name);
	for (size_t f = 0; !c && f < sizeof families / sizeof *families; f++)
		for (const struct nn_class *row = families[f]; row->name && !c; row++)
			if (row->name[0] == name[0] && strcmp(row->name, name) == 0)
				c = copy_row(rt, row);
	return c;
}

const struct nn_class *runtime_class(struct runtime *rt, const char *name)
{
	const struct nn_class *c = find_class(rt, name);
	if (c || !rt->add_more || !looks_like_class(name))
		return c;
	add_more(rt);
	return find_class(rt, name);
}

const char *class_name_at(struct runtime *rt, size_t index)
{
	if (rt && index < rt->classes.n)
		return rt->classes.entries[index].key;
	index -= rt ? rt->classes.n : 0;
	for (size_t f = 0; f < sizeof families / sizeof *families; f++)
		for (const struct nn_class *row = families[f]; row->name; row++)
			if (index-- == 0)
				return row->name;
	return NULL;
}

/* ---- Columns ---- */

static const struct nn_class *base_of(struct runtime *rt, const struct nn_class *c)
{
	return c->base ? runtime_class(rt, c->base) : NULL;
}

static const char *column_of(const struct nn_class *c, enum column column)
{
	switch (column) {
	case COLUMN_BUILD: return c->build;
	case COLUMN_REPR: return c->repr;
	case COLUMN_FORWARD: return c->forward;
	case COLUMN_RESET: return c->reset;
	case COLUMN_INFER: return c->infer;
	case COLUMN_ADOPT: return c->adopt;
	case COLUMN_COUNT: break;
	}
	return NULL;
}

/* A column of the class, or of its base; NULL when neither has it. */
static const char *class_column(struct runtime *rt, const struct nn_class *c, enum column column, const struct nn_class **owner)
{
	for (int depth = 0; c && depth < 32; c = base_of(rt, c), depth++)
		if (column_of(c, column)) {
			*owner = c;
			return column_of(c, column);
		}
	return NULL;
}

bool class_is(struct runtime *rt, const struct nn_class *c, const char *name)
{
	for (int depth = 0; c && depth < 32; c = base_of(rt, c), depth++)
		if (strcmp(c->name, name) == 0)
			return true;
	return false;
}

static struct nn_parsed *parsed_of(struct runtime *rt, const struct nn_class *c)
{
	/* every class that is reached through the runtime is its own copy */
	struct nn_class *own = (struct nn_class *)c;
	if (!own->parsed)
		own->parsed = arena_alloc(rt->arena, sizeof *own->parsed);
	return own->parsed;
}

static const char *place(struct runtime *rt, const struct nn_class *c, const char *what)
{
	return arena_printf(rt->arena, "%s.%s", c->where ? c->where : c->name, what);
}

bool class_code(struct runtime *rt, const struct nn_class *c, enum column column, const struct code **out, nns_error *err)
{
	static const char *const names[] = { "__init__", "extra_repr", "forward", "reset_parameters", "infer", "adopt" };
	const struct nn_class *owner;
	const char *text = class_column(rt, c, column, &owner);
	*out = NULL;
	if (!text)
		return true;
	struct nn_parsed *p = parsed_of(rt, owner);
	const char *where = place(rt, owner, names[column]);
	if (!p || !where)
		return fail_memory(err);
	if (!p->code[column])
		p->code[column] = column == COLUMN_REPR ? lang_parse_expression(rt->arena, text, strlen(text), where, err)
		                                        : lang_parse_block(rt->arena, text, strlen(text), where, err);
	*out = p->code[column];
	return *out != NULL;
}

bool class_signature(struct runtime *rt, const struct nn_class *c, bool forward, const struct signature **out, nns_error *err)
{
	const struct nn_class *owner = c;
	for (int depth = 0; owner && depth < 32 && !(forward ? owner->forward_signature : owner->signature); depth++)
		owner = base_of(rt, owner);
	if (!owner)
		owner = c;
	const char *text = forward ? owner->forward_signature : owner->signature;
	struct nn_parsed *p = parsed_of(rt, owner);
	const char *where = place(rt, owner, forward ? "forward" : "__init__");
	if (!p || !where)
		return fail_memory(err);
	bool *has = forward ? &p->has_forward_signature : &p->has_signature;
	struct signature *s = forward ? &p->forward_signature : &p->signature;
	if (!*has && !lang_parse_signature(rt->arena, text ? text : "", where, s, err))
		return false;
	*has = true;
	*out = s;
	return true;
}
