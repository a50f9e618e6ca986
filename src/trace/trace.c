#include "trace/trace.h"

#include <string.h>

#include "base/nearest.h"
#include "ir/program.h"
#include "nn/runtime.h"
#include "trace/replay.h"
#include "trace/script.h"

/* ---- Inputs ---- */

/*
 * Whether strides, which a file may have set, can be taken as they are: a tensor of them needs no more than a few times
 * the memory of its elements.
 */
static bool value_is_compact(const struct value *v)
{
	int64_t last = 0, most = value_numel(v);
	for (int i = 0; i < v->ndim; i++) {
		int64_t reach;
		if (v->stride[i] < 0 || __builtin_mul_overflow(v->size[i] > 0 ? v->size[i] - 1 : 0, v->stride[i], &reach) || __builtin_add_overflow(last, reach, &last))
			return false;
	}
	return v->ndim > 0 && last / 16 <= most + 64;
}

static bool copy_input(struct arena *a, const struct graph_input *from, struct graph_input *to, nns_error *err)
{
	struct value *v = value_new(a, from->value->dtype, from->value->ndim, from->value->size);
	struct value *given = value_new(a, from->value->dtype, from->value->ndim, from->value->size);
	if (!v || !given)
		return fail_memory(err);
	if (value_is_compact(from->value)) {
		memcpy(v->stride, from->value->stride, (size_t)v->ndim * sizeof *v->stride);
		memcpy(given->stride, v->stride, (size_t)v->ndim * sizeof *v->stride);
	}
	v->requires_grad = from->value->requires_grad;
	v->name = from->name;
	*to = *from;
	to->value = v;
	to->given = given;
	return true;
}

static struct graph_input *find_input(struct graph_input *all, size_t n, const char *name)
{
	for (size_t i = 0; i < n; i++)
		if (all[i].name && strcmp(all[i].name, name) == 0)
			return &all[i];
	return NULL;
}

static bool fail_input(const struct model *m, const char *name, nns_error *err)
{
	const char *names[32];
	size_t n = 0;
	for (size_t i = 0; i < m->n_inputs && n < 32; i++)
		if (m->inputs[i].name)
			names[n++] = m->inputs[i].name;
	fail(err, NNS_MODEL, "the model has no input '%s'", name);
	const char *near = nearest_of(name, names, n);
	if (near)
		return fail_add(err, "; did you mean '%s'?", near);
	for (size_t i = 0; i < n; i++)
		fail_add(err, "%s'%s'", i ? ", " : "; it has ", names[i]);
	return false;
}

/* A list or a tuple takes several inputs. */
static bool is_one_tensor(const struct lang_param *p)
{
	return !p->type || strncmp(p->type, "Tensor", 6) == 0 || strncmp(p->type, "Optional[Tensor]", 16) == 0;
}

/* Whether forward of TorchScript has such a parameter, or several inputs may be one. */
static bool script_takes(struct model *m, const char *name)
{
	const struct signature *sig;
	if (!m->script || !script_signature(m, &sig, NULL))
		return true;
	for (size_t i = 0; i < sig->n; i++)
		if (strcmp(sig->params[i].name, name) == 0 || (!is_one_tensor(&sig->params[i]) && strcmp(sig->params[i].type, "int") != 0))
			return true;
	return false;
}

/* The model's default inputs, each replaced by what was given under its name or, without names, in its place. */
static bool choose_inputs(struct model *m, const struct trace_options *o, struct graph *g, nns_error *err)
{
	size_t most = m->n_inputs + o->n_inputs, position = 0;
	g->inputs = arena_array(m->arena, most + 1, sizeof *g->inputs);
	bool *given = arena_array(m->arena, most + 1, sizeof *given);
	if (!g->inputs || !given)
		return fail_memory(err);
	for (size_t i = 0; i < m->n_inputs; i++)
		if (!copy_input(m->arena, &m->inputs[i], &g->inputs[g->n_inputs++], err))
			return false;
	for (size_t i = 0; i < o->n_inputs; i++) {
		const struct graph_input *in = &o->inputs[i];
		struct graph_input *at = in->name ? find_input(g->inputs, m->n_inputs, in->name) : position < m->n_inputs ? &g->inputs[position++] : NULL;
		if (in->name && !at && m->n_inputs)
			return fail_input(m, in->name, err);
		if (in->name && !at && !script_takes(m, in->name)) {
			script_fail_inputs(m, err);
			return fail_within(err, "the model has no input '%s': ", in->name);
		}
		if (!at && m->program && m->n_inputs)
			return fail(err, NNS_USAGE, "an input is one too many: the model takes %zu", m->n_inputs);
		if (at ? given[at - g->inputs] : in->name && find_input(g->inputs, g->n_inputs, in->name))
			return fail(err, NNS_USAGE, "input '%s' is given twice", at && at->name ? at->name : in->name ? in->name : "0");
		const char *name = at ? at->name : in->name;
		if (!at)
			at = &g->inputs[g->n_inputs++];
		given[at - g->inputs] = true;
		if (!copy_input(m->arena, in, at, err))
			return false;
		at->name = at->value->name = name;
		at->is_default = false;
	}
	if (g->n_inputs == 0 && m->script)
		return script_wants_none(m) || script_fail_inputs(m, err);
	if (g->n_inputs == 0 && !m->program)
		return fail(err, NNS_USAGE, "the model has no default input; give its shape, such as 1x3x224x224"), fail_hint(err, NNS_HINT_INPUT);
	return true;
}

/* What tracing may know of the content of inputs. */
static bool know_inputs(const struct trace_options *o, struct graph *g, nns_error *err)
{
	g->contents = arena_array(g->arena, g->n_inputs + 1, sizeof *g->contents);
	g->cap_contents = g->n_inputs + 1;
	for (size_t i = 0; g->contents && i < g->n_inputs; i++) {
		struct value *v = g->inputs[i].value;
		const struct value *content = o->drawn && g->inputs[i].is_default ? NULL : g->inputs[i].content;
		bool fits = content && content->dtype == v->dtype && content->ndim == v->ndim
		    && (v->ndim == 0 || memcmp(content->size, v->size, (size_t)v->ndim * sizeof *v->size) == 0);
		if (fits)
			g->contents[g->n_contents++] = (struct graph_content){ v, content, 0 };
	}
	return g->contents || fail_memory(err);
}

/* Inputs without a name go by that of the parameter of forward which they become. */
static bool name_inputs(struct model *m, struct graph *g, nns_error *err)
{
	const struct signature *sig;
	if (m->program || (!m->root->class && !m->script))
		return true;
	if (m->script ? !script_signature(m, &sig, err) : !class_signature(m->runtime, m->root->class, true, &sig, err))
		return false;
	for (size_t i = 0; i < g->n_inputs && i < sig->n && is_one_tensor(&sig->params[i]); i++)
		if (!g->inputs[i].name && !sig->params[i].star && !sig->params[i].double_star)
			g->inputs[i].name = g->inputs[i].value->name = sig->params[i].name;
	return true;
}

/* ---- Modules and parameters before the pass ---- */

static void clean(struct value *v)
{
	v->version = 0;
	v->producer = NULL;
	v->note = NULL;
}

static bool name_parameters(struct arena *a, struct parameter *all, size_t n, const char *path, bool parameters, nns_error *err)
{
	for (size_t i = 0; i < n; i++) {
		struct value *v = all[i].value;
		if (!v)
			continue;
		clean(v);
		if (!parameters)
			v->requires_grad = false;
		if (v->name)
			continue;
		v->name = arena_printf(a, "%s%s%s", path, *path ? "." : "", all[i].name);
		if (!v->name)
			return fail_memory(err);
	}
	return true;
}

static void forget_names(struct module *m)
{
	for (size_t i = 0; i < m->n_parameters; i++)
		if (m->parameters[i].value)
			m->parameters[i].value->name = NULL;
}

/* Mode, paths, and a clean state for everything that an earlier trace may have touched. */
static bool prepare_modules(struct model *m, bool training, nns_error *err)
{
	struct runtime *rt = m->runtime;
	struct walk w;
	bool ok = true;
	rt->n_paths = (size_t)rt->serial;
	rt->paths = arena_array(m->arena, rt->n_paths + 1, sizeof *rt->paths);
	if (!rt->paths)
		return fail_memory(err);
	for (walk_begin(&w, m->root, false); walk_next(&w); )
		forget_names(w.module);
	walk_end(&w);
	for (walk_begin(&w, m->root, false); ok && walk_next(&w); ) {
		struct module *at = w.module;
		at->training = training;
		char *path = arena_strdup(m->arena, w.path);
		if ((size_t)at->serial < rt->n_paths)
			rt->paths[at->serial] = path;
		ok = path && name_parameters(m->arena, at->parameters, at->n_parameters, path, true, err)
		  && name_parameters(m->arena, at->buffers, at->n_buffers, path, false, err);
	}
	ok = ok && !w.failed;
	walk_end(&w);
	return ok || fail_memory(err);
}

/* ---- The pass ---- */

/* Where the forward of m takes an argument of that name; SIZE_MAX when it does not. */
static size_t forward_position(struct model *m, const char *name)
{
	const struct signature *sig;
	if (!name || !m->root->class || !class_signature(m->runtime, m->root->class, true, &sig, NULL))
		return SIZE_MAX;
	for (size_t i = 0; i < sig->n; i++)
		if (strcmp(sig->params[i].name, name) == 0 && !sig->params[i].star && !sig->params[i].double_star)
			return i;
	return SIZE_MAX;
}

static bool make_arguments(struct model *m, const struct graph *g, struct lang_args *args, nns_error *err)
{
	args->items = arena_array(m->arena, g->n_inputs, sizeof *args->items);
	args->names = arena_array(m->arena, g->n_inputs, sizeof *args->names);
	args->values = arena_array(m->arena, g->n_inputs, sizeof *args->values);
	if (!args->items || !args->names || !args->values)
		return fail_memory(err);
	for (size_t i = 0; i < g->n_inputs; i++) {
		struct datum v = datum_pointer(D_TENSOR, g->inputs[i].value);
		size_t position = forward_position(m, g->inputs[i].name);
		if (position != SIZE_MAX && position != args->n) {
			args->names[args->n_named] = g->inputs[i].name;
			args->values[args->n_named++] = v;
		} else {
			args->items[args->n++] = v;
		}
	}
	return true;
}

static bool call_root(struct model *m, struct graph *g, nns_error *err)
{
	struct runtime *rt = m->runtime;
	struct lang_args args = { 0 };
	return make_arguments(m, g, &args, err) && module_call(&rt->interp, m->root, &args, &g->output, err);
}

static bool call_script(struct model *m, struct graph *g, nns_error *err)
{
	struct runtime *rt = m->runtime;
	struct lang_args args = { 0 };
	struct script_run *run;
	if (!script_begin(m, &run, err))
		return false;
	bool ok = script_arguments(m, g, &args, err) && module_call(&rt->interp, m->root, &args, &g->output, err);
	script_end(run);
	return ok;
}

static bool run(struct model *m, bool grad, struct graph *g, nns_error *err)
{
	struct runtime *rt = m->runtime;
	rt->recorder.graph = g;
	rt->recorder.call = NULL;
	rt->recorder.parent = NULL;
	rt->recorder.label = NULL;
	rt->recorder.training = g->training;
	rt->recorder.grad_enabled = grad;
	rt->placed = false;
	rt->interp.steps = 0;
	rt->interp.depth = 0;
	bool ok = m->program ? replay(m, g, err) : m->script ? call_script(m, g, err) : call_root(m, g, err);
	rt->recorder.graph = NULL;
	rt->recorder.call = NULL;
	rt->n_paths = 0;
	return ok;
}

static bool fail_no_graph(const struct model *m, nns_error *err)
{
	fail(err, NNS_UNSUPPORTED, "%s holds tensors (nnscope tree and params list them) and no graph; there are two ways to one: export the model with "
	     "torch.export.save(torch.export.export(model, inputs), 'model.pt2') and give nnscope that, or describe the network (JSON) and take its weights from %s",
	     m->source, m->source);
	return fail_hint(err, NNS_HINT_WEIGHTS);
}

/* An input of a program whose sizes are fixed, and which was given others. */
static bool explain_sizes(const struct model *m, const struct graph *g, nns_error *err)
{
	for (size_t i = 0; m->program && i < m->n_inputs && i < g->n_inputs; i++) {
		const struct value *made = m->inputs[i].value, *given = g->inputs[i].given;
		struct text t;
		if (m->inputs[i].symbols || (made->ndim == given->ndim && (made->ndim == 0 || memcmp(made->size, given->size, (size_t)made->ndim * sizeof *made->size) == 0)))
			continue;
		text_init(&t);
		shape_add_list(&t, made);
		fail_add(err, "; the program was exported for %s %s (dynamic_shapes of torch.export.export() would allow other sizes)",
		         m->inputs[i].name ? m->inputs[i].name : "an input of", t.data ? t.data : "");
		text_release(&t);
		return false;
	}
	return false;
}

struct graph *trace(struct model *m, const struct trace_options *o, nns_error *err)
{
	struct graph *g = arena_alloc(m->arena, sizeof *g);
	if (!g)
		return fail_memory(err), NULL;
	g->arena = m->arena;
	g->training = o->training;
	if (m->state_only && !m->program)
		return fail_no_graph(m, err), NULL;
	if (!choose_inputs(m, o, g, err) || !know_inputs(o, g, err) || !name_inputs(m, g, err) || !prepare_modules(m, o->training, err))
		return NULL;
	return run(m, !o->no_grad, g, err) || explain_sizes(m, g, err) ? g : NULL;
}
