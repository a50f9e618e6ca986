#include <stdlib.h>
#include <string.h>

#include "api/api.h"
#include "exec/content.h"
#include "exec/example.h"
#include "exec/materialise.h"
#include "ops/op.h"
#include "load/load.h"
#include "nn/nn.h"
#include "trace/trace.h"

const char *nns_version(void)
{
	return PACKAGE_VERSION;
}

/* ---- Loading ---- */

static nns_model *wrapper_new(const nns_load_options *o, struct load_options *out, nns_error *err)
{
	nns_model *m = calloc(1, sizeof *m);
	if (!m)
		return fail_memory(err), NULL;
	*out = (struct load_options){ 0 };
	if (!o)
		return m;
	if (o->resize) {
		m->allocator = (struct allocator){ o->resize, o->allocator_data };
		out->allocator = &m->allocator;
	}
	out->class_files = o->class_files;
	out->n_class_files = o->n_class_files;
	out->max_modules = o->max_modules;
	out->program = o->program;
	out->initialise = o->initialise;
	return m;
}

static nns_model *finish(nns_model *m, struct model *loaded)
{
	if (!loaded) {
		free(m);
		return NULL;
	}
	m->model = loaded;
	((struct runtime *)loaded->runtime)->recorder.evaluate = graph_evaluate;
	((struct runtime *)loaded->runtime)->content = value_content;
	((struct runtime *)loaded->runtime)->recorder.compute = graph_compute;
	return m;
}

nns_model *nns_model_load(const char *path, const nns_load_options *options, nns_error *err)
{
	struct load_options o;
	nns_model *m = wrapper_new(options, &o, err);
	return m ? finish(m, load_path(path, &o, err)) : NULL;
}

nns_model *nns_model_load_memory(const void *data, size_t len, const char *name, const nns_load_options *options, nns_error *err)
{
	struct load_options o;
	nns_model *m = wrapper_new(options, &o, err);
	return m ? finish(m, load_memory(data, len, name, &o, err)) : NULL;
}

nns_model *nns_model_from_expression(const char *expression, const nns_load_options *options, nns_error *err)
{
	struct load_options o;
	nns_model *m = wrapper_new(options, &o, err);
	return m ? finish(m, load_expression(expression, &o, err)) : NULL;
}

void nns_model_free(nns_model *m)
{
	if (!m)
		return;
	model_free(m->model);
	free(m);
}

const char *nns_model_name(const nns_model *m)
{
	return m->model->name;
}

const char *nns_model_note(const nns_model *m)
{
	return m->model->note;
}

/* ---- Changing ---- */

bool nns_model_set(nns_model *m, const char *assignment, nns_error *err)
{
	return model_set(m->model, assignment, err);
}

bool nns_model_set_torch(nns_model *m, const char *version, nns_error *err)
{
	char *end;
	m->torch_version = 0;
	if (!version)
		return true;
	long major = strtol(version, &end, 10), minor = *end == '.' ? strtol(end + 1, &end, 10) : 0;
	if (end == version || (*end && *end != '.') || major < 0 || major > 9 || minor < 0 || minor > 99)
		return fail(err, NNS_USAGE, "'%s' is not a PyTorch version; write it as 2.13, 1.13 or 0.4", version);
	if (100 * major + minor > TORCH_DEFAULT)
		return fail(err, NNS_USAGE, "there is no PyTorch %s yet: nnscope knows the versions up to 2.13", version);
	m->torch_version = (int)(100 * major + minor);
	return true;
}

/* ---- Parameters ---- */

static bool visit_tensors(const struct walk *w, bool buffers, bool (*visit)(const nns_tensor_info *t, void *data), void *data, bool *go, nns_error *err)
{
	const struct parameter *all = buffers ? w->module->buffers : w->module->parameters;
	size_t n = buffers ? w->module->n_buffers : w->module->n_parameters;
	struct text name;
	text_init(&name);
	for (size_t i = 0; i < n && *go; i++) {
		const struct value *v = all[i].value;
		if (!v)
			continue;
		text_clear(&name);
		text_addf(&name, "%s%s%s", w->path, *w->path ? "." : "", all[i].name);
		if (name.failed)
			break;
		nns_tensor_info info = { name.data, dtype_name(v->dtype), buffers, v->requires_grad, v->ndim, v->size };
		*go = visit(&info, data);
	}
	bool failed = name.failed;
	text_release(&name);
	return !failed || fail_memory(err);
}

bool nns_model_parameters(nns_model *m, bool (*visit)(const nns_tensor_info *t, void *data), void *data, nns_error *err)
{
	bool ok = true, go = true;
	for (int buffers = 0; buffers < 2 && ok && go; buffers++) {
		struct walk w;
		for (walk_begin(&w, m->model->root, true); ok && go && walk_next(&w); )
			ok = visit_tensors(&w, buffers, visit, data, &go, err);
		ok = ok && (!w.failed || fail_memory(err));
		walk_end(&w);
	}
	return ok;
}

/* ---- Tracing ---- */

nns_graph *nns_trace(nns_model *m, unsigned flags, const char *const *inputs, size_t n_inputs, nns_error *err)
{
	struct arena *a = m->model->arena;
	struct graph_input *all = arena_array(a, n_inputs + 1, sizeof *all);
	nns_graph *g = arena_alloc(a, sizeof *g);
	if (!all || !g)
		return fail_memory(err), NULL;
	for (size_t i = 0; i < n_inputs; i++)
		if (!trace_parse_input(a, inputs[i], &all[i], err))
			return NULL;
	struct trace_options o = { .training = flags & NNS_TRAIN, .no_grad = flags & NNS_NO_GRAD, .inputs = all, .n_inputs = n_inputs };
	g->graph = trace(m->model, &o, err);
	return g->graph ? g : NULL;
}

bool nns_graph_nodes(const nns_graph *g, bool (*visit)(const nns_node_info *n, void *data), void *data)
{
	char name[200];
	for (const struct node *n = g->graph->nodes; n; n = n->next) {
		const struct value *v = n->n_outputs ? n->outputs[0] : NULL;
		size_t len = strlen(n->op->base_name);
		memcpy(name, n->op->base_name, len < 100 ? len : 100);
		name[len < 100 ? len : 100] = '.';
		strncpy(name + (len < 100 ? len : 100) + 1, n->op->overload, 90);
		name[199] = 0;
		nns_node_info info = { name, n->call ? n->call->path : "", n->n_outputs, v ? v->ndim : -1, v ? v->size : NULL };
		if (!visit(&info, data))
			return false;
	}
	return true;
}
