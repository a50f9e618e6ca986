/*
 * The state of an exported program: which input of its graph is which parameter, buffer or constant (signature), and where the
 * bytes of these are: a file of the archive, or a pickle of torch.save.
 */
#include <string.h>

#include "load/pt2.h"
#include "load/state.h"
#include "load/torch_pickle.h"

/* ---- Where tensors are ---- */

/* "full", "data/weights/", "model", "_weights_config.json"; a missing file is an empty config. */
bool pt2_open_weights(struct pt2 *p, struct archive *a, const char *top, const char *folder, const char *config, struct pt2_weights *w)
{
	struct arena *m = p->model->arena;
	char *path = arena_printf(m, "%s%s%s", top, folder, config), *place = arena_printf(m, "%s%s", top, folder);
	*w = (struct pt2_weights){ .archive = a, .folder = place };
	if (!path || !place)
		return fail_memory(p->err);
	const struct archive_entry *e = archive_find(a, path);
	if (!e)
		return true;
	const cJSON *json = pt2_read_json(p, a, e), *all = cJSON_GetObjectItemCaseSensitive(json, "config");
	if (!json)
		return false;
	for (const cJSON *t = all ? all->child : NULL; t; t = t->next)
		if (t->string && !map_put(&w->by_name, m, t->string, (void *)t))
			return fail_memory(p->err);
	return true;
}

/* What torch.save wrote into an entry. */
static bool read_pickle(struct pt2 *p, struct archive *a, const struct archive_entry *e, struct datum *out)
{
	const unsigned char *bytes;
	size_t len;
	struct torch_pickle t = { .arena = p->model->arena, .err = p->err };
	if (!archive_bytes(a, e, SIZE_MAX, &bytes, &len, p->err))
		return false;
	return torch_saved_object(&t, bytes, len, out) || fail_within(p->err, "%s: byte %llu: ", e->name, (unsigned long long)e->offset);
}

bool pt2_open_pickled(struct pt2 *p, struct archive *a, const char *name, struct pt2_weights *w)
{
	const struct archive_entry *e = archive_find(a, name);
	struct datum all;
	if (!e || e->size == 0)          /* 2.2 wrote nothing when there was nothing */
		return true;
	if (!read_pickle(p, a, e, &all))
		return false;
	for (size_t i = 0; all.kind == D_DICT && i < all.u.dict->n; i++) {
		struct datum key = all.u.dict->keys[i], v = all.u.dict->values[i];
		if (key.kind == D_STR && v.kind == D_TENSOR && !map_put(&w->pickled, p->model->arena, key.u.s, v.u.p))
			return fail_memory(p->err);
	}
	return true;
}

/* Where the bytes are; none is no error. */
static bool find_bytes(struct pt2 *p, struct pt2_weights *w, const cJSON *entry, struct value *v)
{
	const cJSON *name = cJSON_GetObjectItemCaseSensitive(entry, "path_name");
	if (!cJSON_IsString(name))
		return true;
	char *path = arena_printf(p->model->arena, "%s%s", w->folder, name->valuestring);
	if (!path)
		return fail_memory(p->err);
	const struct archive_entry *e = archive_find(w->archive, path);
	if (!e || !cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(entry, "use_pickle")))
		return !e || archive_bytes(w->archive, e, SIZE_MAX, &v->storage, &v->storage_bytes, p->err);
	struct datum d;
	if (!read_pickle(p, w->archive, e, &d))
		return false;
	if (d.kind == D_TENSOR && ((struct value *)d.u.p)->ndim >= 0)
		*v = *(struct value *)d.u.p;
	return true;
}

/* Two names for one file with one layout are one tensor. */
static struct value *known_tensor(struct pt2 *p, struct pt2_state *s, const cJSON *entry, struct value *v)
{
	const cJSON *name = cJSON_GetObjectItemCaseSensitive(entry, "path_name");
	struct text key;
	struct value *found;
	if (!cJSON_IsString(name))
		return v;
	text_init(&key);
	text_add(&key, name->valuestring);
	text_addf(&key, " %d %lld", (int)v->dtype, (long long)v->offset);
	shape_add_list(&key, v);
	for (int i = 0; i < v->ndim; i++)
		text_addf(&key, " %lld", (long long)v->stride[i]);
	char *copy = key.failed ? NULL : arena_strdup(p->model->arena, key.data);
	text_release(&key);
	if (!copy)
		return fail_memory(p->err), NULL;
	found = map_get(&s->by_file, copy);
	if (!found && !map_put(&s->by_file, p->model->arena, copy, v))
		return fail_memory(p->err), NULL;
	return found ? found : v;
}

/* What the weights' config says; what is pickled is itself. */
static struct value *config_tensor(struct pt2 *p, const cJSON *entry, const char *name)
{
	const cJSON *meta = cJSON_GetObjectItemCaseSensitive(entry, "tensor_meta");
	struct value *v = NULL;
	if (cJSON_IsObject(meta) && !pt2_tensor(p, meta, &v))
		return fail_within(p->err, "%s: ", name), NULL;
	return v;
}

/* The tensor of a state dict name: of the pickle, of the weights' config, or the graph alone. */
static struct value *state_tensor(struct pt2 *p, struct pt2_state *s, const char *name, const struct value *meta)
{
	struct value *pickled = map_get(&s->weights.pickled, name);
	const cJSON *entry = map_get(&s->weights.by_name, name);
	struct pt2_weights *w = entry ? &s->weights : &s->constants;
	if (!entry)
		entry = map_get(&w->by_name, name);
	struct value *v = pickled ? pickled : map_get(&s->constants.pickled, name);
	if (v)
		return v;
	if (entry && !(entry = pt2_whole(p, entry, p->one)))
		return NULL;
	if (entry && !(v = config_tensor(p, entry, name)) && p->err->code)
		return NULL;
	if (!v && meta) {
		v = value_new(p->model->arena, meta->dtype, meta->ndim, meta->size);
		if (v)
			v->requires_grad = meta->requires_grad;
	}
	if (!v)
		return fail(p->err, NNS_FORMAT, "%s: nothing tells the shape of %s", p->where, name), NULL;
	if (!entry)
		return v;
	struct value *known = w == &s->weights ? known_tensor(p, s, entry, v) : v;
	return !known || !find_bytes(p, w, entry, known) ? NULL : known;
}

static bool place(struct pt2 *p, const char *name, struct value *v, bool parameter, bool persistent)
{
	struct arena *a = p->model->arena;
	const char *dot = strrchr(name, '.');
	char *path = dot ? arena_strndup(a, name, (size_t)(dot - name)) : arena_strdup(a, "");
	const char *last = state_name(a, dot ? dot + 1 : name);
	struct module *m = path && last ? pt2_module(p, path) : NULL;
	if (!path || !last)
		return fail_memory(p->err);
	if (!m)
		return false;
	v->is_parameter = parameter;
	return (parameter ? module_set_parameter(a, m, last, v) : module_set_buffer(a, m, last, v, persistent)) || fail_memory(p->err);
}

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

static bool bind(struct pt2 *p, struct pt2_state *s, struct program *g, struct program_input *in, const struct input_kind *kind, const char *name, bool persistent)
{
	char *copy = arena_strdup(p->model->arena, name);
	if (!copy)
		return fail_memory(p->err);
	const struct value *meta = g->values[in->index].meta;
	in->value = state_tensor(p, s, copy, meta);
	if (!in->value)
		return false;
	if (meta)
		in->value->requires_grad = meta->requires_grad && kind->parameter;
	if (!kind->parameter && !kind->buffer) {
		in->value->name = copy;
		return true;
	}
	return place(p, copy, in->value, kind->parameter, persistent);
}

static bool bind_input(struct pt2 *p, struct pt2_state *s, struct program *g, struct program_input *in, const cJSON *spec)
{
	const struct input_kind *kind = input_kind(spec);
	if (!kind || in->fixed)
		return true;
	const cJSON *body = spec->child, *name = cJSON_GetObjectItemCaseSensitive(body, kind->name);
	if (!cJSON_IsString(name))
		return fail(p->err, NNS_FORMAT, "%s: an input of the signature without a %s", p->where, kind->name);
	return bind(p, s, g, in, kind, name->valuestring, !cJSON_IsFalse(cJSON_GetObjectItemCaseSensitive(body, "persistent")));
}

/* torch 2.1 (schema version 1) maps names in the graph to names of tensors. */
static bool bind_older_input(struct pt2 *p, struct pt2_state *s, struct program *g, struct program_input *in, const cJSON *signature)
{
	for (size_t i = 0; !in->fixed && i < sizeof input_kinds / sizeof *input_kinds; i++) {
		const cJSON *name = cJSON_GetObjectItemCaseSensitive(cJSON_GetObjectItemCaseSensitive(signature, input_kinds[i].older), g->values[in->index].name);
		if (cJSON_IsString(name))
			return bind(p, s, g, in, &input_kinds[i], name->valuestring, true);
	}
	return true;
}

static bool bind_inputs(struct pt2 *p, struct pt2_state *s, struct program *g, const cJSON *signature, struct arena *scratch)
{
	const cJSON *specs = cJSON_GetObjectItemCaseSensitive(signature, "input_specs"), *spec = specs ? specs->child : NULL;
	for (size_t i = 0; i < g->n_inputs; i++, spec = spec ? spec->next : NULL) {
		const cJSON *whole = spec ? pt2_whole(p, spec, scratch) : NULL;
		if (spec && !whole)
			return false;
		if (!(specs ? bind_input(p, s, g, &g->inputs[i], whole) : bind_older_input(p, s, g, &g->inputs[i], signature)))
			return false;
	}
	return true;
}

static bool is_there(struct pt2 *p, const char *name)
{
	const char *dot = strrchr(name, '.');
	const struct module *m = map_get_n(&p->modules, name, dot ? (size_t)(dot - name) : 0);
	const char *last = dot ? dot + 1 : name;
	return m && (module_parameter(m, last) || module_buffer(m, last));
}

/* The state dict may hold what the graph does not use. */
static bool place_unused(struct pt2 *p, struct pt2_state *s)
{
	for (size_t i = 0; i < s->weights.by_name.n; i++) {
		const char *name = s->weights.by_name.entries[i].key;
		if (is_there(p, name))
			continue;
		if (!(name = arena_strdup(p->model->arena, name)))       /* modules borrow it */
			return fail_memory(p->err);
		struct value *v = state_tensor(p, s, name, NULL);
		const cJSON *entry = v ? pt2_whole(p, s->weights.by_name.entries[i].value, p->one) : NULL;
		if (!entry || !place(p, name, v, cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(entry, "is_param")), true))
			return false;
	}
	for (size_t i = 0; i < s->weights.pickled.n; i++) {
		const char *name = s->weights.pickled.entries[i].key;
		struct value *v = s->weights.pickled.entries[i].value;
		if (!is_there(p, name) && !place(p, name, v, v->is_parameter, true))
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
		if (!v->meta)
			continue;
		v->meta->requires_grad = dtype_can_require_grad(v->meta->dtype);
		m->inputs[m->n_inputs++] = (struct graph_input){ .name = v->name, .value = v->meta, .is_default = true, .symbols = v->symbols };
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
	struct arena *scratch = arena_new(NULL, p->err);
	bool ok = scratch && bind_inputs(p, s, g, signature, scratch) && place_unused(p, s) && add_user_inputs(p, g) && keep_user_outputs(p, g, signature);
	arena_free(scratch);
	return ok;
}
