#include "ops/namespace.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "ops/functional.h"

/* What stands behind a function datum: an operator, or a rule parsed on first use. */
struct rule_function {
	const char *base;             /* operator to call, when there is no rule */
	const struct function_rule *rule;
	struct signature signature;
	const struct code *body;
};

bool host_object_new(struct arena *a, const char *kind, const void *data, struct datum *out, nns_error *err)
{
	struct host_object *o = arena_alloc(a, sizeof *o);
	if (!o)
		return fail_memory(err);
	*o = (struct host_object){ kind, data };
	*out = datum_pointer(D_HOST, o);
	return true;
}

const char *host_kind(struct datum d)
{
	return d.kind == D_HOST ? ((const struct host_object *)d.u.p)->kind : "";
}

/* ---- Calling ---- */

static bool prepend(struct arena *a, const struct lang_args *args, struct datum first, struct lang_args *out)
{
	*out = *args;
	out->n = args->n + 1;
	out->items = arena_array(a, out->n, sizeof *out->items);
	if (!out->items)
		return false;
	out->items[0] = first;
	if (args->n)
		memcpy(out->items + 1, args->items, args->n * sizeof *args->items);
	return true;
}

static bool call_rule(struct interp *in, const struct rule_function *f, const struct lang_args *args, struct datum *out, nns_error *err)
{
	struct scope scope = { 0 };
	int line = in->line;
	if (!lang_bind(in, &f->signature, f->rule->name, args, &scope, err))
		return false;
	bool ok = lang_run(in, f->body, &scope, out, err);
	in->line = line;
	return ok;
}

static bool function_call(struct interp *in, const struct function *self, const struct lang_args *args, struct datum *out, nns_error *err)
{
	const struct rule_function *f = self->data;
	struct lang_args bound = *args;
	if (self->self.kind != D_NONE && !prepend(in->arena, args, self->self, &bound))
		return fail_memory(err);
	if (f->rule)
		return call_rule(in, f, &bound, out, err);
	return record_overload(recorder_of(in), f->base, &bound, out, err);
}

/* ---- Finding ---- */

static bool parse_rule(struct arena *a, const struct function_rule *rule, struct rule_function *f, nns_error *err)
{
	f->rule = rule;
	f->body = lang_parse_block(a, rule->body, strlen(rule->body), rule->name, err);
	return f->body && lang_parse_signature(a, rule->signature, rule->name, &f->signature, err);
}

/* torch.linalg.norm is the operator linalg_norm, torch.fft.fft fft_fft, torch.special.expit special_expit. */
static const char *operator_prefix(const char *space)
{
	static const char *const spaces[][2] = { { "torch.linalg", "linalg_" }, { "torch.fft", "fft_" }, { "torch.special", "special_" } };
	for (size_t i = 0; i < sizeof spaces / sizeof *spaces; i++)
		if (strcmp(space, spaces[i][0]) == 0)
			return spaces[i][1];
	return "";
}

static bool function_new(struct interp *in, const char *space, const char *name, const char *full, struct function **out, nns_error *err)
{
	struct recorder *r = recorder_of(in);
	const struct function_rule *rule = function_rule_find(full);
	const char *base = arena_printf(in->arena, "%s%s", operator_prefix(space), name);
	size_t n = 0;
	if (!base)
		return fail_memory(err);
	*out = NULL;
	if (!rule && (op_fact_overloads(base, &n), n == 0))
		return true;
	struct function *f = arena_alloc(in->arena, sizeof *f);
	struct rule_function *data = arena_alloc(in->arena, sizeof *data);
	const char *key = arena_strdup(in->arena, full);
	if (!f || !data || !key)
		return fail_memory(err);
	data->base = base;
	if (rule && !parse_rule(in->arena, rule, data, err))
		return false;
	*f = (struct function){ .name = key, .call = function_call, .data = data };
	*out = f;
	return map_put(&r->functions, in->arena, key, f) || fail_memory(err);
}

static bool lookup(struct interp *in, const char *space, const char *name, struct function **out, nns_error *err)
{
	char full[128];
	int n = snprintf(full, sizeof full, "%s.%s", space, name);
	*out = NULL;
	if (n < 0 || (size_t)n >= sizeof full)
		return true;
	*out = map_get(&recorder_of(in)->functions, full);
	return *out || function_new(in, space, name, full, out, err);
}

/*
 * What `space.name` is ("torch.relu", "F.relu", "aten.relu", "Tensor.relu"): a rule written in the forward language
 * when there is one, otherwise the operator of that name.  *found is false when there is neither.
 */
static bool namespace_function(struct interp *in, const char *space, const char *name, struct datum *out, bool *found, nns_error *err)
{
	struct function *f;
	if (!lookup(in, space, name, &f, err))
		return false;
	*found = f != NULL;
	*out = f ? datum_pointer(D_FUNCTION, f) : datum_none();
	return true;
}

bool bound_method(struct interp *in, struct datum self, const char *name, struct datum *out, bool *found, nns_error *err)
{
	struct function *f;
	if (!lookup(in, "Tensor", name, &f, err))
		return false;
	*found = f != NULL;
	if (!f)
		return true;
	struct function *bound = arena_alloc(in->arena, sizeof *bound);
	if (!bound)
		return fail_memory(err);
	*bound = *f;
	bound->self = self;
	*out = datum_pointer(D_FUNCTION, bound);
	return true;
}

/* ---- torch.ops.aten.NAME and torch.ops.aten.NAME.OVERLOAD ---- */

static bool overload_call(struct interp *in, const struct function *self, const struct lang_args *args, struct datum *out, nns_error *err)
{
	return record_call(recorder_of(in), self->name, args, out, err);
}

static bool packet_getattr(struct interp *in, const char *base, const char *overload, struct datum *out, bool *found, nns_error *err)
{
	const char *name = strcmp(overload, "default") == 0 ? base : arena_printf(in->arena, "%s.%s", base, overload);
	if (!name)
		return fail_memory(err);
	if (!lang_function(in->arena, (struct function){ .name = name, .call = overload_call }, out, err))
		return false;
	*found = op_fact_find(name) != NULL;
	return true;
}

/* ---- Attributes ---- */

static bool torch_constant(const char *name, struct datum *out)
{
	static const struct { const char *name; double value; } constants[] = {
		{ "pi", 3.141592653589793 }, { "e", 2.718281828459045 }, { "inf", INFINITY }, { "nan", NAN } };
	for (size_t i = 0; i < sizeof constants / sizeof *constants; i++)
		if (strcmp(name, constants[i].name) == 0)
			return *out = datum_float(constants[i].value), true;
	enum dtype d = dtype_from_name(name);
	if (d != DT_NONE)
		return *out = (struct datum){ .kind = D_DTYPE, .u.i = d }, true;
	return false;
}

static const struct host_object torch_objects[] = {
	{ "memory_format", "contiguous_format" }, { "memory_format", "channels_last" }, { "memory_format", "channels_last_3d" },
	{ "memory_format", "preserve_format" }, { "layout", "strided" }, { "layout", "sparse_coo" },
	{ "type", "Tensor" }, { "type", "dtype" }, { "type", "FloatTensor" }, { "type", "LongTensor" },
};

static const struct host_object torch_spaces[] = {
	{ "namespace", "torch.linalg" }, { "namespace", "torch.fft" }, { "namespace", "torch.special" }, { "namespace", "torch.jit" },
	{ "namespace", "torch.ops" }, { "namespace", "torch.overrides" }, { "namespace", "torch.compiler" }, { "namespace", "torch.backends" },
	{ "namespace", "torch._C" }, { "namespace", "torch.backends.mha" }, { "namespace", "torch.cuda" }, { "namespace", "torch._VF" },
	{ "namespace", "torch.utils" },
};

static bool torch_object(const char *space, const char *name, struct datum *out)
{
	char full[64];
	for (size_t i = 0; i < sizeof torch_objects / sizeof *torch_objects && strcmp(space, "torch") == 0; i++)
		if (strcmp(name, torch_objects[i].data) == 0)
			return *out = datum_pointer(D_HOST, &torch_objects[i]), true;
	snprintf(full, sizeof full, "%.20s.%.40s", space, name);
	for (size_t i = 0; i < sizeof torch_spaces / sizeof *torch_spaces; i++)
		if (strcmp(full, torch_spaces[i].data) == 0)
			return *out = datum_pointer(D_HOST, &torch_spaces[i]), true;
	return false;
}

static bool torch_function(struct interp *in, const char *space, const char *name, struct datum *out, bool *found, nns_error *err)
{
	for (const struct torch_function *t = torch_functions; t->name; t++) {
		size_t n = strlen(space);
		if (strncmp(t->name, space, n) != 0 || t->name[n] != '.' || strcmp(t->name + n + 1, name) != 0)
			continue;
		return *found = lang_function(in->arena, (struct function){ .name = t->name, .call = t->call }, out, err);
	}
	return true;
}

static bool packet(struct interp *in, const char *name, struct datum *out, bool *found, nns_error *err)
{
	size_t n;
	op_fact_overloads(name, &n);
	*found = n > 0;
	const char *copy = n ? arena_strdup(in->arena, name) : NULL;
	if (n && !copy)
		return fail_memory(err);
	return !n || host_object_new(in->arena, "packet", copy, out, err);
}

bool namespace_getattr(struct interp *in, const char *space, const char *name, struct datum *out, bool *found, nns_error *err)
{
	static const struct host_object aten = { "namespace", "aten" }, functional = { "namespace", "F" };
	*found = true;
	if (strcmp(space, "aten") == 0)
		return packet(in, name, out, found, err);
	if (strcmp(space, "torch.ops") == 0 && strcmp(name, "aten") == 0)
		return *out = datum_pointer(D_HOST, &aten), true;
	if (strcmp(space, "torch._C") == 0 && (strcmp(name, "_nn") == 0 || strcmp(name, "_VariableFunctions") == 0))
		return *out = datum_pointer(D_HOST, &aten), true;
	if (strcmp(space, "torch.nn") == 0 && strcmp(name, "functional") == 0)
		return *out = datum_pointer(D_HOST, &functional), true;
	if ((strcmp(space, "torch") == 0 || strcmp(space, "math") == 0) && torch_constant(name, out))
		return true;
	if (torch_object(space, name, out))
		return true;
	*found = false;
	if (!torch_function(in, space, name, out, found, err) || *found)
		return *found;
	if (strcmp(space, "torch._VF") == 0)
		space = "torch";
	return namespace_function(in, space, name, out, found, err);
}

bool namespace_object_getattr(struct interp *in, struct datum obj, const char *name, struct datum *out, bool *found, nns_error *err)
{
	const struct host_object *o = obj.u.p;
	*found = false;
	if (strcmp(o->kind, "namespace") == 0)
		return namespace_getattr(in, o->data, name, out, found, err);
	if (strcmp(o->kind, "packet") == 0)
		return packet_getattr(in, o->data, name, out, found, err);
	return true;
}
