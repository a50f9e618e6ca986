/*
 * The state of an exported program: which input of its graph is which parameter, buffer or constant (signature).
 */
#include <string.h>

#include "load/pt2.h"
#include "load/state.h"

/* ---- The signature ---- */

/* The kinds of an InputSpec that bring a tensor with them (torch/_export/serde/schema.py), and what torch 2.1 had in their place. */
static const struct input_kind {
	const char *kind, *name;         /* the member of the union, and the member that names the tensor */
	const char *older;               /* name in the graph -> name of the tensor */
	bool parameter, buffer;
} input_kinds[] = {
	{ "parameter", "parameter_name", "inputs_to_parameters", true, false },
	{ "buffer", "buffer_name", "inputs_to_buffers", false, true },
	{ "tensor_constant", "tensor_constant_name", "inputs_to_lifted_tensor_constants", false, false },
};

static const struct input_kind *input_kind(const cJSON *spec)
{
	for (size_t i = 0; spec && spec->child && spec->child->string && i < sizeof input_kinds / sizeof *input_kinds; i++)
		if (strcmp(input_kinds[i].kind, spec->child->string) == 0)
			return &input_kinds[i];
	return NULL;
}

/* What an input is; kind NULL: what the caller gives, or a constant. */
struct binding {
	const struct input_kind *kind;
	struct pt2_weight *weight;
	bool persistent;
};

static bool name_binding(struct pt2 *p, struct pt2_state *s, const struct program *g, const struct program_input *in, struct binding *b, const char *name)
{
	b->weight = pt2_weight(p, s, name);
	if (b->weight && !b->weight->meta)
		b->weight->meta = g->values[in->index].meta;
	return b->weight;
}

static bool name_input(struct pt2 *p, struct pt2_state *s, const struct program *g, const struct program_input *in, struct binding *b, const cJSON *spec)
{
	b->kind = in->fixed ? NULL : input_kind(spec);
	if (!b->kind)
		return true;
	const cJSON *body = spec->child, *name = cJSON_GetObjectItemCaseSensitive(body, b->kind->name);
	b->persistent = !cJSON_IsFalse(cJSON_GetObjectItemCaseSensitive(body, "persistent"));
	if (!cJSON_IsString(name))
		return fail(p->err, NNS_FORMAT, "%s: an input of the signature without a %s", p->where, b->kind->name);
	return name_binding(p, s, g, in, b, name->valuestring);
}

/* torch 2.1 (schema version 1) maps names in the graph to names of tensors. */
static bool name_older_inputs(struct pt2 *p, struct pt2_state *s, const struct program *g, struct binding *all, const cJSON *signature)
{
	struct map by_name = { 0 };
	for (size_t i = 0; i < g->n_inputs; i++)
		if (!g->inputs[i].fixed && !map_put(&by_name, p->json, g->values[g->inputs[i].index].name, &all[i]))
			return fail_memory(p->err);
	for (size_t k = 0; k < sizeof input_kinds / sizeof *input_kinds; k++) {
		const cJSON *names = cJSON_GetObjectItemCaseSensitive(signature, input_kinds[k].older);
		for (const cJSON *name = names ? names->child : NULL; name; name = name->next) {
			struct binding *b = cJSON_IsString(name) && name->string ? map_get(&by_name, name->string) : NULL;
			if (!b || b->kind)
				continue;
			*b = (struct binding){ .kind = &input_kinds[k], .persistent = true };
			if (!name_binding(p, s, g, &g->inputs[b - all], b, name->valuestring))
				return false;
		}
	}
	return true;
}

static bool name_inputs(struct pt2 *p, struct pt2_state *s, const struct program *g, struct binding *all, const cJSON *signature)
{
	const cJSON *specs = cJSON_GetObjectItemCaseSensitive(signature, "input_specs"), *spec;
	struct json_members members = json_members(specs);
	for (size_t i = 0; specs && i < g->n_inputs; i++)
		if (!pt2_next(p, &members, p->one, &spec) || !name_input(p, s, g, &g->inputs[i], &all[i], spec))
			return false;
	return specs || name_older_inputs(p, s, g, all, signature);
}

/* ---- Into the modules ---- */

static bool place(struct pt2 *p, const char *name, struct value *v, bool parameter, bool persistent)
{
	struct arena *a = p->model->arena;
	const char *dot = strrchr(name, '.'), *last = dot ? dot + 1 : name;
	struct module *m = pt2_module_n(p, name, dot ? (size_t)(dot - name) : 0);
	if (!m)
		return false;
	v->is_parameter = parameter;
	return (parameter ? module_set_parameter(a, m, last, v) : module_set_buffer(a, m, last, v, persistent)) || fail_memory(p->err);
}

static bool bind(struct pt2 *p, struct program *g, struct program_input *in, const struct binding *b)
{
	const struct value *meta = g->values[in->index].meta;
	bool requires_grad = meta && meta->requires_grad && b->kind->parameter;
	struct pt2_weight *w = b->weight;
	in->value = w->value ? w->value : pt2_untold_tensor(p, w);
	if (!in->value)
		return false;
	if (meta)
		in->value->requires_grad = requires_grad;
	if (!b->kind->parameter && !b->kind->buffer) {
		in->value->name = w->name;
		return true;
	}
	w->placed = true;
	return place(p, w->name, in->value, b->kind->parameter, b->persistent);
}

static bool bind_inputs(struct pt2 *p, struct program *g, const struct binding *all)
{
	for (size_t i = 0; i < g->n_inputs; i++)
		if (all[i].kind && !bind(p, g, &g->inputs[i], &all[i]))
			return false;
	return true;
}

/* The state dict may hold what the graph does not use. */
static bool place_unused(struct pt2 *p, struct pt2_state *s)
{
	for (size_t i = 0; i < s->by_name.n; i++) {
		struct pt2_weight *w = s->by_name.entries[i].value;
		if (w->in_state_dict && !w->placed && !place(p, w->name, w->value, w->is_parameter, true))
			return false;
	}
	return true;
}

/* ---- What the caller gives and gets ---- */

static bool add_user_inputs(struct pt2 *p, struct program *g)
{
	struct model *m = p->model;
	m->inputs = arena_array(m->arena, g->n_inputs + 1, sizeof *m->inputs);
	if (!m->inputs)
		return fail_memory(p->err);
	for (size_t i = 0; i < g->n_inputs; i++) {
		const struct program_input *in = &g->inputs[i];
		if (in->value || in->fixed)
			continue;
		struct program_value *v = &g->values[in->index];
		const struct value *e = in->example;
		if (!v->meta && e && !(v->meta = value_new(m->arena, e->dtype, e->ndim, e->size)))    /* the graph has symbols alone */
			return fail_memory(p->err);
		if (!v->meta)
			continue;
		v->meta->requires_grad = dtype_can_require_grad(v->meta->dtype);
		m->inputs[m->n_inputs++] = (struct graph_input){ .name = v->name, .value = v->meta, .is_default = true, .symbols = v->symbols, .content = in->example };
	}
	return true;
}

/* How many outputs come before those of the user: torch 2.1 puts buffers that were written first, and says only which. */
static size_t older_mutations(const cJSON *signature)
{
	return (size_t)cJSON_GetArraySize(cJSON_GetObjectItemCaseSensitive(signature, "buffers_to_mutate"));
}

/* Outputs that write state back (buffer_mutation) are not what the caller gets. */
static bool keep_user_outputs(struct pt2 *p, struct program *g, const cJSON *signature)
{
	const cJSON *specs = cJSON_GetObjectItemCaseSensitive(signature, "output_specs"), *spec = specs ? specs->child : NULL;
	struct datum kept, all = g->output;
	size_t first = specs ? 0 : older_mutations(signature), n = all.kind == D_TUPLE ? all.u.seq->n : 1;
	if (!datum_seq(p->model->arena, D_TUPLE, 0, &kept))
		return fail_memory(p->err);
	for (size_t i = first; i < n && (spec || !specs); i++, spec = spec ? spec->next : NULL) {
		bool user = !specs || (spec->child && spec->child->string && strcmp(spec->child->string, "user_output") == 0);
		if (user && !seq_push(p->model->arena, kept.u.seq, all.kind == D_TUPLE ? all.u.seq->items[i] : all))
			return fail_memory(p->err);
	}
	g->output = kept.u.seq->n == 1 ? kept.u.seq->items[0] : kept;
	return true;
}

bool pt2_bind_state(struct pt2 *p, struct pt2_state *s, struct program *g, const cJSON *signature)
{
	struct binding *all = arena_array(p->json, g->n_inputs + 1, sizeof *all);
	if (!all)
		return fail_memory(p->err);
	return name_inputs(p, s, g, all, signature) && pt2_read_weights(p, s) && bind_inputs(p, g, all) && place_unused(p, s)
	    && pt2_read_examples(p, s, g) && add_user_inputs(p, g) && keep_user_outputs(p, g, signature);
}
