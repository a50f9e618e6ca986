/* Functions, methods and objects of a TorchScript archive while it is traced. */
#include <string.h>

#include "trace/script.h"

struct script_change {
	struct module *module;
	const char *name;
	bool was_there;
	struct datum before;
	struct script_change *next;
};

/* ---- Functions ---- */

/* The innermost line of the file is told once. */
static bool locate(struct script_run *run, const struct script_def *d, nns_error *err)
{
	if (!run->located && err && !strstr(err->message, d->file->where))
		fail_within(err, "%s:%d: ", d->file->where, run->interp.line);
	run->located = true;
	return false;
}

/* script_run.c: runs a function of the file; self is in args. */
static bool script_call(struct script_run *run, struct script_def *d, const struct lang_args *args, struct datum *out, nns_error *err)
{
	struct scope scope = { 0 };
	if (!script_parse(run->script, d, err) || !lang_bind(&run->interp, &d->signature, d->name, args, &scope, err))
		return locate(run, d, err);
	return lang_run(&run->interp, d->body, &scope, out, err) || locate(run, d, err);
}

static bool with_self(struct arena *a, struct datum self, const struct lang_args *args, struct lang_args *out)
{
	*out = *args;
	out->items = arena_array(a, args->n + 1, sizeof *out->items);
	if (!out->items)
		return false;
	out->items[0] = self;
	if (args->n)
		memcpy(out->items + 1, args->items, args->n * sizeof *args->items);
	out->n = args->n + 1;
	return true;
}

bool script_call_method(struct interp *in, const struct function *self, const struct lang_args *args, struct datum *out, nns_error *err)
{
	struct script_run *run = script_run_of(in);
	struct script_def *d = (struct script_def *)self->data;
	struct lang_args all = *args;
	const struct module *m = self->self.kind == D_MODULE ? self->self.u.p : NULL;
	const struct call *at = run->rt->recorder.call;
	if (m && script_is_forward(d) && strcmp(m->script->base, "Module") == 0 && (!at || at->module != m)) {
		int line = in->line;
		run->forward = d;
		bool ok = module_call(&run->rt->interp, self->self.u.p, args, out, err);
		in->line = line;
		return ok;
	}
	if (m && !with_self(in->arena, self->self, args, &all))
		return fail_memory(err);
	return script_call(run, d, &all, out, err);
}

/* The hook behind module_call(). */
static bool forward(struct runtime *rt, struct module *m, const struct lang_args *args, struct datum *out, nns_error *err)
{
	struct script_run *run = rt->script_run;
	struct script_def *d = run->forward ? run->forward : script_forward(m->script);
	struct lang_args all;
	run->forward = NULL;
	if (!d)
		return fail(err, NNS_MODEL, "%s has no forward and cannot be called", m->class_name);
	if (!with_self(rt->arena, datum_pointer(D_MODULE, m), args, &all))
		return fail_memory(err);
	return script_call(run, d, &all, out, err);
}

/* ---- Objects ---- */

struct module *script_object(struct script_run *run, const struct script_class *c, nns_error *err)
{
	struct module *m = module_new(run->rt, NULL, c->name, err);
	if (m)
		m->script = c;
	return m;
}

static bool remember(struct script_run *run, struct module *m, const char *name, nns_error *err)
{
	struct script_change *change = arena_alloc(run->rt->arena, sizeof *change);
	if (!change)
		return fail_memory(err);
	*change = (struct script_change){ .module = m, .name = name, .next = run->changes };
	change->was_there = module_member(m, name, &change->before);
	if (strcmp(name, "training") == 0) {
		change->was_there = true;
		change->before = datum_bool(m->training);
	}
	run->changes = change;
	return true;
}

/* An attribute keeps its place: a buffer stays a buffer whatever it is set to. */
static bool put(struct runtime *rt, struct module *m, const char *name, struct datum v)
{
	struct value *t = v.kind == D_TENSOR ? v.u.p : NULL;
	struct arena *a = rt->arena;
	if (strcmp(name, "training") == 0)
		return m->training = datum_truth(v), true;
	if (module_parameter(m, name) && (t || v.kind == D_NONE))
		return module_set_parameter(a, m, name, t);
	if (module_buffer(m, name) && (t || v.kind == D_NONE))
		return module_set_buffer(a, m, name, t, true);
	if (module_child(m, name) && v.kind == D_MODULE)
		return module_set_child(a, m, name, v.u.p);
	return module_set_attribute(a, m, name, v);
}

bool script_setattr(struct interp *in, struct datum obj, const char *name, struct datum v, nns_error *err)
{
	struct script_run *run = script_run_of(in);
	if (obj.kind != D_MODULE)
		return fail(err, NNS_UNSUPPORTED, "attribute '%s' of %s %s cannot be set", name, datum_a(obj), datum_type_name(obj));
	return remember(run, obj.u.p, name, err) && (put(run->rt, obj.u.p, name, v) || fail_memory(err));
}

/* ---- Begin and end ---- */

bool script_begin(struct model *m, struct script_run **out, nns_error *err)
{
	struct script_run *run = arena_alloc(m->arena, sizeof *run);
	struct runtime *rt = m->runtime;
	if (!run)
		return fail_memory(err);
	*run = (struct script_run){ .rt = rt, .script = m->script };
	interp_init(&run->interp, m->arena, &script_host, rt);
	rt->script_forward = forward;
	rt->script_run = run;
	*out = run;
	return true;
}

void script_end(struct script_run *run)
{
	for (const struct script_change *c = run->changes; c; c = c->next)
		if (c->was_there)
			put(run->rt, c->module, c->name, c->before);
		else
			module_remove(c->module, c->name);
	run->rt->script_forward = NULL;
	run->rt->script_run = NULL;
}
