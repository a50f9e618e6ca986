/* Making modules: calling classes, constructor expressions. */
#include <string.h>

#include "nn/runtime.h"

enum { MAX_CONSTRUCT_DEPTH = 100 };

struct module *module_new(struct runtime *rt, const struct nn_class *c, const char *name, nns_error *err)
{
	if (rt->n_modules >= rt->max_modules)
		return fail(err, NNS_LIMIT, "more than %zu modules", rt->max_modules), NULL;
	struct module *m = arena_alloc(rt->arena, sizeof *m);
	if (!m)
		return fail_memory(err), NULL;
	rt->n_modules++;
	m->class_name = name;
	m->class = c;
	m->training = true;
	m->serial = rt->serial++;
	return m;
}

/* Of all constructors of a model; each module has a budget of its own besides. */
static const long MAX_CONSTRUCT_STEPS = 200000000;

static bool is_factory_argument(const char *name)
{
	return strcmp(name, "device") == 0 || strcmp(name, "dtype") == 0;
}

static bool set_arguments(struct runtime *rt, struct module *m, const struct scope *s, nns_error *err)
{
	for (size_t i = 0; i < s->n; i++)
		if (!is_factory_argument(s->names[i]) && !module_set_attribute(rt->arena, m, s->names[i], s->values[i]))
			return fail_memory(err);
	return true;
}

/* Construction is no part of what is being traced: it makes shapes only, or is recorded in a graph of its own. */
static bool run_into(struct runtime *rt, struct graph *graph, bool (*run)(struct interp *, const struct code *, struct scope *, struct datum *, nns_error *),
                      const struct code *code, struct scope *scope, struct datum *out, nns_error *err)
{
	struct recorder before = rt->recorder;
	int line = rt->interp.line;
	rt->recorder.graph = graph;
	rt->recorder.call = NULL;
	rt->recorder.parent = NULL;
	rt->recorder.label = NULL;
	rt->recorder.grad_enabled = false;
	bool ok = run(&rt->interp, code, scope, out, err);
	rt->recorder.graph = before.graph;
	rt->recorder.call = before.call;
	rt->recorder.parent = before.parent;
	rt->recorder.label = before.label;
	rt->recorder.grad_enabled = before.grad_enabled;
	rt->interp.line = line;
	return ok;
}

static bool run_apart(struct runtime *rt, bool (*run)(struct interp *, const struct code *, struct scope *, struct datum *, nns_error *),
                      const struct code *code, struct scope *scope, struct datum *out, nns_error *err)
{
	const struct graph *before = rt->recorder.graph;
	return run_into(rt, !before || before == rt->construction ? rt->construction : NULL, run, code, scope, out, err);
}

bool runtime_record_construction(struct runtime *rt, nns_error *err)
{
	rt->construction = arena_alloc(rt->arena, sizeof *rt->construction);
	if (!rt->construction)
		return fail_memory(err);
	rt->construction->arena = rt->arena;
	return true;
}

/* reset_parameters(), which ends a constructor; lazy modules have nothing to draw for yet. */
static bool reset(struct runtime *rt, struct module *m, const struct nn_class *c, nns_error *err)
{
	const struct code *code;
	struct scope scope = { 0 };
	struct datum ignored;
	if (!rt->construction || c->becomes)
		return true;
	if (!class_code(rt, c, COLUMN_RESET, &code, err))
		return false;
	if (!scope_set(rt->arena, &scope, "self", datum_pointer(D_MODULE, m)))
		return fail_memory(err);
	return !code || run_apart(rt, lang_run, code, &scope, &ignored, err);
}

bool module_infer(struct runtime *rt, struct module *m, struct scope *scope, nns_error *err)
{
	const struct code *code;
	struct scope own = { 0 };
	struct datum ignored;
	if (!class_code(rt, m->class, COLUMN_INFER, &code, err))
		return false;
	if (!code || !m->class->becomes)
		return true;
	if (!run_into(rt, rt->construction, lang_run, code, scope, &ignored, err))
		return false;
	m->class = runtime_class(rt, m->class->becomes);
	if (!m->class || !scope_set(rt->arena, &own, "self", datum_pointer(D_MODULE, m)))
		return fail_memory(err);
	m->class_name = m->class->name;
	if (!rt->construction)
		return true;
	return class_code(rt, m->class, COLUMN_RESET, &code, err) && (!code || run_into(rt, rt->construction, lang_run, code, &own, &ignored, err));
}

static bool build(struct runtime *rt, struct module *m, const struct nn_class *c, const struct lang_args *args, nns_error *err)
{
	const struct signature *sig;
	const struct code *code;
	struct scope scope = { 0 };
	struct datum ignored;
	if (!class_signature(rt, c, false, &sig, err) || !lang_bind(&rt->interp, sig, c->name, args, &scope, err))
		return false;
	if (!set_arguments(rt, m, &scope, err))
		return false;
	if (!scope_set(rt->arena, &scope, "self", datum_pointer(D_MODULE, m)))
		return fail_memory(err);
	if (!class_code(rt, c, COLUMN_BUILD, &code, err))
		return false;
	return !code || run_apart(rt, lang_run, code, &scope, &ignored, err);
}

static bool check_base(struct runtime *rt, const struct nn_class *c, nns_error *err)
{
	const struct nn_class *at = c;
	for (int i = 0; at->base; i++) {
		const struct nn_class *base = runtime_class(rt, at->base);
		if (!base)
			return fail(err, NNS_MODEL, "%s: its base %s is not a known class", at->where ? at->where : at->name, at->base);
		if (i > MAX_CONSTRUCT_DEPTH || base == c)
			return fail(err, NNS_MODEL, "%s: it is a base of itself", c->where ? c->where : c->name);
		at = base;
	}
	return true;
}

struct module *class_construct(struct runtime *rt, const struct nn_class *c, const struct lang_args *args, nns_error *err)
{
	if (rt->construct_depth >= MAX_CONSTRUCT_DEPTH)
		return fail(err, NNS_LIMIT, "%s: classes construct each other more than %d deep; does a class contain itself?", c->name, MAX_CONSTRUCT_DEPTH), NULL;
	struct module *m = check_base(rt, c, err) ? module_new(rt, c, c->name, err) : NULL;
	if (!m)
		return NULL;
	/* each module has its own budget of steps; how many there may be is limited too */
	long steps = rt->interp.steps;
	rt->construct_depth++;
	bool ok = build(rt, m, c, args, err) && reset(rt, m, c, err);
	rt->construct_depth--;
	rt->construct_steps += rt->interp.steps - steps;
	rt->interp.steps = steps;
	if (ok && rt->construct_steps > MAX_CONSTRUCT_STEPS)
		return fail(err, NNS_LIMIT, "%s: the constructors of this model take more than %ld steps", c->name, MAX_CONSTRUCT_STEPS), NULL;
	if (!ok && !c->where && err && !strstr(err->message, c->name))
		fail_within(err, "%s: ", c->name);
	if (!ok && c->where && err && !strstr(err->message, c->where))
		fail_within(err, "%s: ", c->where);
	return ok ? m : NULL;
}

bool class_adopt(struct runtime *rt, struct module *m, nns_error *err)
{
	const struct code *code;
	struct scope scope = { 0 };
	struct datum ignored;
	if (!class_code(rt, m->class, COLUMN_ADOPT, &code, err))
		return false;
	if (!scope_set(rt->arena, &scope, "self", datum_pointer(D_MODULE, m)))
		return fail_memory(err);
	return !code || run_apart(rt, lang_run, code, &scope, &ignored, err);
}

struct module *runtime_construct(struct runtime *rt, const char *expression, const char *where, struct scope *scope, nns_error *err)
{
	struct datum v;
	const struct code *code = lang_parse_expression(rt->arena, expression, strlen(expression), where, err);
	if (!code || !run_apart(rt, lang_eval, code, scope, &v, err))
		return NULL;
	if (v.kind == D_CLASS)
		fail(err, NNS_MODEL, "%s: '%s' names a class; write its arguments too: %s(...)", where, expression, expression);
	else if (v.kind != D_MODULE)
		fail(err, NNS_MODEL, "%s: '%s' gives %s %s, not a module", where, expression, datum_a(v), datum_type_name(v));
	return v.kind == D_MODULE ? v.u.p : NULL;
}
