/* Calling modules, and what they print between their brackets. */
#include <string.h>

#include "nn/runtime.h"

/* ---- Records of calls ---- */

static const char *path_of(const struct runtime *rt, const struct module *m)
{
	const char *path = (size_t)m->serial < rt->n_paths ? rt->paths[m->serial] : NULL;
	return path ? path : "";
}

struct call *call_new(struct runtime *rt, struct module *m, const char *path, const struct lang_args *args)
{
	struct graph *g = rt->recorder.graph;
	struct call *c = arena_alloc(rt->arena, sizeof *c), *parent = rt->recorder.call;
	if (!c || !datum_seq(rt->arena, D_TUPLE, args->n, &c->args))
		return NULL;
	for (size_t i = 0; i < args->n; i++)
		if (!seq_push(rt->arena, c->args.u.seq, args->items[i]))
			return NULL;
	c->module = m;
	c->path = path;
	c->parent = parent;
	c->depth = parent ? parent->depth + 1 : 0;
	c->serial = g->n_calls++;
	if (!parent) {
		g->root = g->root ? g->root : c;
		return c;
	}
	if (parent->last_child)
		parent->last_child->next = c;
	else
		parent->children = c;
	parent->last_child = c;
	return c;
}

/* ---- Forward ---- */

static bool fail_unknown(const struct module *m, nns_error *err)
{
	if (!m->class)
		return fail(err, NNS_UNSUPPORTED, "what the forward of class %s does is not known; describe the class in a file", m->class_name),
		       fail_hint(err, NNS_HINT_CLASSES);
	return fail(err, NNS_MODEL, "%s has no forward and cannot be called", m->class_name);
}

static bool run_forward(struct runtime *rt, struct module *m, const struct lang_args *args, struct datum *out, nns_error *err)
{
	const struct signature *sig;
	const struct code *code;
	struct scope scope = { 0 };
	if (!m->class)
		return fail_unknown(m, err);
	if (!class_signature(rt, m->class, true, &sig, err) || !class_code(rt, m->class, COLUMN_FORWARD, &code, err))
		return false;
	if (!code)
		return fail_unknown(m, err);
	const char *what = arena_printf(rt->arena, "%s.forward", m->class->name);
	if (!what)
		return fail_memory(err);
	if (!lang_bind(&rt->interp, sig, what, args, &scope, err))
		return false;
	if (!scope_set(rt->arena, &scope, "self", datum_pointer(D_MODULE, m)))
		return fail_memory(err);
	if (module_infer(rt, m, &scope, err) && lang_run(&rt->interp, code, &scope, out, err))
		return true;
	/* of the user's own code the line is told, unless what failed is a module that it calls */
	if (m->class->where && !rt->placed && err && !strstr(err->message, what))
		fail_within(err, "%s:%d: ", what, rt->interp.line);
	return false;
}

bool module_call(struct interp *in, struct module *m, const struct lang_args *args, struct datum *out, nns_error *err)
{
	struct runtime *rt = runtime_of(in);
	struct call *before = rt->recorder.call, *c = NULL;
	int line = in->line;
	if (in->depth > 1400)
		return fail(err, NNS_LIMIT, "modules call each other too deeply; does a module call itself?");
	if (rt->recorder.graph && !(c = call_new(rt, m, path_of(rt, m), args)))
		return fail_memory(err);
	if (c)
		rt->recorder.call = c;
	in->depth += 4;
	bool ok = m->script && rt->script_forward ? rt->script_forward(rt, m, args, out, err) : run_forward(rt, m, args, out, err);
	in->depth -= 4;
	rt->recorder.call = before;
	in->line = line;
	if (c && ok)
		c->output = *out;
	if (!ok && !rt->placed) {
		rt->placed = true;
		if (*path_of(rt, m))
			fail_within(err, "%s: ", path_of(rt, m));
	}
	return ok;
}

/* ---- Printing ---- */

static bool repr_scope(struct runtime *rt, const struct module *m, int torch_version, struct scope *s)
{
	struct datum v;
	const char *name;
	for (size_t i = 0; (name = module_member_name(m, i)); i++)
		if (module_member(m, name, &v) && !scope_set(rt->arena, s, name, v))
			return false;
	return scope_set(rt->arena, s, "torch_version", datum_int(torch_version))
	    && scope_set(rt->arena, s, "self", datum_pointer(D_MODULE, m));
}

bool module_repr(struct runtime *rt, const struct module *m, int torch_version, struct text *out, nns_error *err)
{
	const struct code *code = NULL;
	struct scope scope = { 0 };
	struct datum v;
	if (!m->class) {
		text_add(out, m->printed ? m->printed : "");
		return true;
	}
	if (!class_code(rt, m->class, COLUMN_REPR, &code, err))
		return false;
	if (!code)
		return true;
	if (!repr_scope(rt, m, torch_version, &scope))
		return fail_memory(err);
	if (!lang_eval(&rt->interp, code, &scope, &v, err))
		return false;
	if (v.kind != D_STR)
		return fail(err, NNS_MODEL, "%s: the repr gives %s %s, not a str", m->class_name, datum_a(v), datum_type_name(v));
	text_add(out, v.u.s);
	return true;
}
