/*
 * Exported programs: the PT2 archive of torch.export.save.
 *
 *     NAME.pt2                           a zip; NAME is its top folder, any name
 *       NAME/archive_format              "pt2"
 *       NAME/models/MODEL.json           the program (torch/_export/serde/schema.py: ExportedProgram)
 *       NAME/data/weights/MODEL_weights_config.json      state dict name -> file, TensorMeta
 *       NAME/data/weights/weight_0       the bytes of a storage
 *       NAME/data/constants/MODEL_constants_config.json  the same for constants
 *
 * Weight files may be missing: then there are shapes without bytes.
 */
#include "load/pt2.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "load/archive.h"
#include "nn/runtime.h"

enum { MAX_JSON = 1 << 30 };

/* ---- Tensors ---- */

enum dtype pt2_dtype(const cJSON *code)
{
	/* schema.py's ScalarType */
	static const enum dtype by_code[] = { [1] = DT_UINT8, [2] = DT_INT8, [3] = DT_INT16, [4] = DT_INT32, [5] = DT_INT64, [6] = DT_FLOAT16,
		[7] = DT_FLOAT32, [8] = DT_FLOAT64, [10] = DT_COMPLEX64, [11] = DT_COMPLEX128, [12] = DT_BOOL, [13] = DT_BFLOAT16, [28] = DT_UINT16,
		[29] = DT_FLOAT8_E4M3FN, [30] = DT_FLOAT8_E5M2, [34] = DT_UINT32, [35] = DT_UINT64 };
	double d = cJSON_IsNumber(code) ? code->valuedouble : 0;
	int i = d >= 1 && d < (double)(sizeof by_code / sizeof *by_code) ? (int)d : 0;
	return i == 0 || (by_code[i] == DT_BOOL && i != 12) ? DT_NONE : by_code[i];
}

/* False when it is a symbol. */
static bool known_int(const cJSON *v, int64_t *out)
{
	const cJSON *n = cJSON_GetObjectItemCaseSensitive(v, "as_int");
	if (!cJSON_IsNumber(n) || n->valuedouble >= 0x1p62 || n->valuedouble < 0)
		return false;
	*out = (int64_t)n->valuedouble;
	return true;
}

static int known_ints(const cJSON *list, int64_t *out, bool *known)
{
	int n = 0;
	*known = true;
	for (const cJSON *v = list ? list->child : NULL; v; v = v->next, n++) {
		if (n == MAX_DIMS)
			return -1;
		*known = known_int(v, &out[n]) && *known;
	}
	return n;
}

bool pt2_tensor(struct pt2 *p, const cJSON *meta, struct value **out)
{
	int64_t size[MAX_DIMS], stride[MAX_DIMS];
	bool sizes_known, strides_known;
	enum dtype dtype = pt2_dtype(cJSON_GetObjectItemCaseSensitive(meta, "dtype"));
	int n = known_ints(cJSON_GetObjectItemCaseSensitive(meta, "sizes"), size, &sizes_known);
	int m = known_ints(cJSON_GetObjectItemCaseSensitive(meta, "strides"), stride, &strides_known);
	*out = NULL;
	if (dtype == DT_NONE)
		return fail(p->err, NNS_FORMAT, "%s: a dtype that is not known", p->where);
	if (n < 0 || m != n)
		return fail(p->err, NNS_FORMAT, "%s: %d sizes and %d strides", p->where, n, m);
	if (!sizes_known || !strides_known)
		return true;
	if (!shape_fits(n, size, dtype))
		return fail(p->err, NNS_FORMAT, "%s: a tensor of more bytes than 63 bits can count", p->where);
	struct value *v = value_new(p->model->arena, dtype, n, size);
	if (!v)
		return fail_memory(p->err);
	memcpy(v->stride, stride, (size_t)n * sizeof *stride);
	known_int(cJSON_GetObjectItemCaseSensitive(meta, "storage_offset"), &v->offset);
	v->requires_grad = cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(meta, "requires_grad"));
	*out = v;
	return true;
}

/* ---- Modules ---- */

static bool add_child(struct pt2 *p, const char *path, struct module *m)
{
	const char *dot = strrchr(path, '.');
	char *parent_path = dot ? arena_strndup(p->model->arena, path, (size_t)(dot - path)) : arena_strdup(p->model->arena, "");
	struct module *parent = parent_path ? pt2_module(p, parent_path) : NULL;
	if (!parent)
		return false;
	return module_set_child(p->model->arena, parent, dot ? dot + 1 : path, m) || fail_memory(p->err);
}

struct module *pt2_module(struct pt2 *p, const char *path)
{
	struct module *m = map_get(&p->modules, path);
	if (m)
		return m;
	char *copy = arena_strdup(p->model->arena, path);
	m = copy ? module_new(runtime_of_model(p->model), NULL, NULL, p->err) : NULL;
	if (!m)
		return copy ? NULL : (fail_memory(p->err), NULL);
	if (!map_put(&p->modules, p->model->arena, copy, m))
		return fail_memory(p->err), NULL;
	if (!*copy)
		p->model->root = m;
	else if (!add_child(p, copy, m))
		return NULL;
	return m;
}

/* Every module of the program, called or not, in the order of named_modules(). */
static bool read_modules(struct pt2 *p, const cJSON *calls)
{
	if (!pt2_module(p, ""))
		return false;
	for (const cJSON *c = calls ? calls->child : NULL; c; c = c->next) {
		const cJSON *name = cJSON_GetObjectItemCaseSensitive(c, "fqn");
		if (cJSON_IsString(name) && !strchr(name->valuestring, '@') && !pt2_module(p, name->valuestring))
			return false;
	}
	return true;
}

/* Whether the children are called 0, 1, 2, ... */
static bool is_numbered(const struct module *m)
{
	for (size_t i = 0; i < m->n_children; i++) {
		char number[24];
		snprintf(number, sizeof number, "%zu", i);
		if (strcmp(m->children[i].name, number) != 0)
			return false;
	}
	return m->n_children > 0;
}

/* Modules that no operator ran in tell no class; those that only hold others are a ModuleList when these are numbered, else a ModuleDict. */
static bool name_classes(struct pt2 *p)
{
	for (size_t i = 0; i < p->modules.n; i++) {
		struct module *m = p->modules.entries[i].value;
		if (m->class_name)
			continue;
		m->class_name = is_numbered(m) ? "ModuleList" : m->n_children > 0 && m->n_parameters == 0 ? "ModuleDict" : "Module";
		if (m->n_children > 0 && m->n_parameters == 0)
			m->class = runtime_class(runtime_of_model(p->model), m->class_name);
	}
	return true;
}

/* ---- State ---- */

struct weights {
	struct archive *archive;
	const char *folder;      /* "NAME/data/weights/" */
	cJSON *config;           /* owned */
	struct map by_name;      /* state dict name -> entry of the config */
};

static cJSON *read_json(struct pt2 *p, struct archive *a, const struct archive_entry *e)
{
	const unsigned char *bytes;
	size_t len;
	if (!archive_content(a, e, MAX_JSON, &bytes, &len, p->err))
		return NULL;
	cJSON *json = cJSON_ParseWithLength((const char *)bytes, len);
	if (!json)
		fail(p->err, NNS_FORMAT, "%s: this is not JSON", e->name);
	return json;
}

static bool ends_with(const char *s, const char *end)
{
	size_t n = strlen(s), m = strlen(end);
	return n >= m && strcmp(s + n - m, end) == 0;
}

/* "full", "data/weights/", "model", "_weights_config.json"; a missing file is an empty config. */
static bool open_weights(struct pt2 *p, struct archive *a, const char *top, const char *folder, const char *model, const char *kind, struct weights *w)
{
	struct arena *m = p->model->arena;
	char *path = arena_printf(m, "%s%s%s%s", top, folder, model, kind);
	char *place = arena_printf(m, "%s%s", top, folder);
	*w = (struct weights){ .archive = a, .folder = place };
	if (!path || !place)
		return fail_memory(p->err);
	const struct archive_entry *e = archive_find(a, path);
	if (!e)
		return true;
	w->config = read_json(p, a, e);
	if (!w->config)
		return false;
	const cJSON *all = cJSON_GetObjectItemCaseSensitive(w->config, "config");
	for (const cJSON *t = all ? all->child : NULL; t; t = t->next)
		if (t->string && !map_put(&w->by_name, m, t->string, (void *)t))
			return fail_memory(p->err);
	return true;
}

/* Where the bytes are; none is no error. */
static bool find_bytes(struct pt2 *p, struct weights *w, const cJSON *entry, struct value *v)
{
	const cJSON *name = cJSON_GetObjectItemCaseSensitive(entry, "path_name");
	if (!cJSON_IsString(name) || cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(entry, "use_pickle")))
		return true;
	char *path = arena_printf(p->model->arena, "%s%s", w->folder, name->valuestring);
	if (!path)
		return fail_memory(p->err);
	const struct archive_entry *e = archive_find(w->archive, path);
	return !e || archive_bytes(w->archive, e, SIZE_MAX, &v->storage, &v->storage_bytes, p->err);
}

struct state {
	struct weights weights, constants;
	struct map by_file;      /* file and layout -> struct value *, for tied parameters */
};

/* Two names for one file with one layout are one tensor. */
static struct value *known_tensor(struct pt2 *p, struct state *s, const cJSON *entry, struct value *v)
{
	const cJSON *name = cJSON_GetObjectItemCaseSensitive(entry, "path_name");
	struct text key;
	struct value *found = v;
	if (!cJSON_IsString(name))
		return v;
	text_init(&key);
	text_addf(&key, "%s %d %lld", name->valuestring, (int)v->dtype, (long long)v->offset);
	shape_add_list(&key, v);
	for (int i = 0; i < v->ndim; i++)
		text_addf(&key, " %lld", (long long)v->stride[i]);
	char *copy = key.failed ? NULL : arena_strdup(p->model->arena, key.data);
	text_release(&key);
	if (!copy)
		return fail_memory(p->err), NULL;
	if (map_has(&s->by_file, copy))
		found = map_get(&s->by_file, copy);
	else if (!map_put(&s->by_file, p->model->arena, copy, v))
		return fail_memory(p->err), NULL;
	return found;
}

/* The tensor of a state dict name: what the weights' config says, or the graph alone. */
static struct value *state_tensor(struct pt2 *p, struct state *s, const char *name, const struct value *meta)
{
	struct weights *w = map_has(&s->weights.by_name, name) ? &s->weights : &s->constants;
	const cJSON *entry = map_get(&w->by_name, name);
	struct value *v = NULL;
	if (entry && !pt2_tensor(p, cJSON_GetObjectItemCaseSensitive(entry, "tensor_meta"), &v))
		return fail_within(p->err, "%s: ", name), NULL;
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
	char *last = arena_strdup(a, dot ? dot + 1 : name);
	struct module *m = path && last ? pt2_module(p, path) : NULL;
	if (!path || !last)
		return fail_memory(p->err);
	if (!m)
		return false;
	v->is_parameter = parameter;
	return (parameter ? module_set_parameter(a, m, last, v) : module_set_buffer(a, m, last, v, persistent)) || fail_memory(p->err);
}

/* The kinds of an InputSpec that bring a tensor with them (torch/_export/serde/schema.py). */
static const struct input_kind {
	const char *kind, *name;         /* the member of the union, and the member that names the tensor */
	bool parameter, buffer;
} input_kinds[] = {
	{ "parameter", "parameter_name", true, false },
	{ "buffer", "buffer_name", false, true },
	{ "tensor_constant", "tensor_constant_name", false, false },
};

static const struct input_kind *input_kind(const cJSON *spec)
{
	for (size_t i = 0; spec && spec->child && spec->child->string && i < sizeof input_kinds / sizeof *input_kinds; i++)
		if (strcmp(input_kinds[i].kind, spec->child->string) == 0)
			return &input_kinds[i];
	return NULL;
}

static bool bind_input(struct pt2 *p, struct state *s, struct program *g, struct program_input *in, const cJSON *spec)
{
	const struct input_kind *kind = input_kind(spec);
	if (!kind || in->fixed)
		return true;
	const cJSON *body = spec->child, *name = cJSON_GetObjectItemCaseSensitive(body, kind->name);
	if (!cJSON_IsString(name))
		return fail(p->err, NNS_FORMAT, "%s: an input of the signature without a %s", p->where, kind->name);
	char *copy = arena_strdup(p->model->arena, name->valuestring);
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
	bool persistent = !cJSON_IsFalse(cJSON_GetObjectItemCaseSensitive(body, "persistent"));
	return place(p, copy, in->value, kind->parameter, persistent);
}

static bool read_signature(struct pt2 *p, struct state *s, struct program *g, const cJSON *specs)
{
	const cJSON *spec = specs ? specs->child : NULL;
	for (size_t i = 0; i < g->n_inputs; i++, spec = spec ? spec->next : NULL)
		if (!bind_input(p, s, g, &g->inputs[i], spec))
			return false;
	return true;
}

/* The state dict may hold what the graph does not use. */
static bool place_unused(struct pt2 *p, struct state *s)
{
	for (size_t i = 0; i < s->weights.by_name.n; i++) {
		const char *name = s->weights.by_name.entries[i].key, *dot = strrchr(name, '.');
		const cJSON *entry = s->weights.by_name.entries[i].value;
		char *path = dot ? arena_strndup(p->model->arena, name, (size_t)(dot - name)) : arena_strdup(p->model->arena, "");
		const struct module *m = path ? map_get(&p->modules, path) : NULL;
		if (!path)
			return fail_memory(p->err);
		const char *last = dot ? dot + 1 : name;
		if (m && (module_parameter(m, last) || module_buffer(m, last)))
			continue;
		struct value *v = state_tensor(p, s, name, NULL);
		if (!v || !place(p, name, v, cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(entry, "is_param")), true))
			return false;
	}
	return true;
}

/* ---- One module under several names ---- */

/* Whether b holds the very parameters that a holds, at least one, and is of its class. */
static bool same_module(const struct module *a, const struct module *b)
{
	if (a->n_parameters == 0 || a->n_parameters != b->n_parameters || a->n_children || b->n_children || a->n_buffers != b->n_buffers
	    || !a->class_name || !b->class_name || strcmp(a->class_name, b->class_name) != 0)
		return false;
	for (size_t i = 0; i < a->n_parameters; i++)
		if (strcmp(a->parameters[i].name, b->parameters[i].name) != 0 || a->parameters[i].value != b->parameters[i].value)
			return false;
	return true;
}

static void replace_module(struct pt2 *p, struct module *from, struct module *to)
{
	for (size_t i = 0; i < p->modules.n; i++) {
		struct module *m = p->modules.entries[i].value;
		for (size_t k = 0; k < m->n_children; k++)
			if (m->children[k].module == from)
				m->children[k].module = to;
	}
}

/*
 * torch.export tells names, not objects: a module that stands in two places is one when all its parameters are.  The
 * first parameter finds the candidate.
 */
static bool merge_modules(struct pt2 *p, struct program *g)
{
	struct { struct module *module; const char *path; } *first = arena_array(p->model->arena, p->modules.n + 1, sizeof *first);
	if (!first)
		return fail_memory(p->err);
	for (size_t i = 0; i < p->modules.n; i++) {
		struct module *m = p->modules.entries[i].value;
		struct value *v = m->n_parameters ? m->parameters[0].value : NULL;
		first[i].module = m;
		first[i].path = p->modules.entries[i].key;
		size_t k = v && v->note ? (size_t)(intptr_t)v->note - 1 : i;
		if (v && !v->note)
			v->note = (void *)(intptr_t)(i + 1);
		if (k == i || !same_module(first[k].module, m))
			continue;
		first[i].module = first[k].module;
		first[i].path = first[k].path;
		replace_module(p, m, first[k].module);
		m->mark = (int)i + 1;
	}
	for (size_t i = 0; i < g->n_nodes; i++)
		for (size_t f = 0; f < g->nodes[i].n_frames; f++) {
			struct program_frame *frame = &g->nodes[i].frames[f];
			int moved = frame->module->mark;
			if (moved) {
				frame->path = first[moved - 1].path;
				frame->module = first[moved - 1].module;
			}
		}
	for (size_t i = 0; i < p->modules.n; i++) {
		struct module *m = p->modules.entries[i].value;
		m->mark = 0;
		for (size_t k = 0; k < m->n_parameters; k++)
			if (m->parameters[k].value)
				m->parameters[k].value->note = NULL;
	}
	return true;
}

/* ---- Inputs and outputs ---- */

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
		m->inputs[m->n_inputs++] = (struct graph_input){ .name = v->name, .value = v->meta, .is_default = true };
	}
	return true;
}

/* Outputs that write state back (buffer_mutation) are not what the caller gets. */
static bool keep_user_outputs(struct pt2 *p, struct program *g, const cJSON *specs)
{
	struct datum kept, all = g->output;
	size_t i = 0;
	if (!datum_seq(p->model->arena, D_TUPLE, 0, &kept))
		return fail_memory(p->err);
	for (const cJSON *spec = specs ? specs->child : NULL; spec; spec = spec->next, i++) {
		struct datum d = all.kind == D_TUPLE ? (i < all.u.seq->n ? all.u.seq->items[i] : datum_none()) : all;
		bool user = spec->child && spec->child->string && strcmp(spec->child->string, "user_output") == 0;
		if (user && !seq_push(p->model->arena, kept.u.seq, d))
			return fail_memory(p->err);
	}
	g->output = kept.u.seq->n == 1 ? kept.u.seq->items[0] : kept;
	return true;
}

/*
 * Whether the model returns a dict (or a class of transformers that is one): the first type that out_spec names.  The specs
 * are JSON in a string (torch/utils/_pytree.py).
 */
static bool returns_dict(const cJSON *calls)
{
	const cJSON *signature = cJSON_GetObjectItemCaseSensitive(calls ? calls->child : NULL, "signature");
	const cJSON *spec = cJSON_GetObjectItemCaseSensitive(signature, "out_spec");
	const char *type = cJSON_IsString(spec) ? strstr(spec->valuestring, "\"type\": \"") : NULL;
	const char *first = cJSON_IsString(spec) ? strstr(spec->valuestring, "\"type\": ") : NULL;
	if (!type || type != first)      /* null: one tensor */
		return false;
	type += strlen("\"type\": \"");
	return strncmp(type, "builtins.tuple", 14) != 0 && strncmp(type, "builtins.list", 13) != 0 && strncmp(type, "collections.namedtuple", 22) != 0;
}

/* ---- The file ---- */

static bool read_program(struct pt2 *p, struct state *s, const cJSON *json)
{
	const cJSON *module = cJSON_GetObjectItemCaseSensitive(json, "graph_module");
	const cJSON *signature = cJSON_GetObjectItemCaseSensitive(module, "signature");
	if (!read_modules(p, cJSON_GetObjectItemCaseSensitive(module, "module_call_graph")))
		return false;
	struct program *g = pt2_program(p, cJSON_GetObjectItemCaseSensitive(module, "graph"));
	p->model->program = g;
	if (g)
		g->returns_dict = returns_dict(cJSON_GetObjectItemCaseSensitive(module, "module_call_graph"));
	return g && read_signature(p, s, g, cJSON_GetObjectItemCaseSensitive(signature, "input_specs"))
	    && place_unused(p, s) && add_user_inputs(p, g)
	    && keep_user_outputs(p, g, cJSON_GetObjectItemCaseSensitive(signature, "output_specs"))
	    && merge_modules(p, g) && pt2_construct_classes(p, g) && name_classes(p);
}

/* The first of NAME/models/MODEL.json: its top folder with a slash, and MODEL. */
static const struct archive_entry *find_program(struct pt2 *p, struct archive *a, char **top, char **model)
{
	for (size_t i = 0; i < archive_count(a); i++) {
		const struct archive_entry *e = archive_at(a, i);
		const char *at = strstr(e->name, "/models/");
		if (!at || !ends_with(e->name, ".json") || strchr(at + 8, '/'))
			continue;
		*top = arena_strndup(p->model->arena, e->name, (size_t)(at + 1 - e->name));
		*model = arena_strndup(p->model->arena, at + 8, strlen(at + 8) - 5);
		if (*top && *model)
			return e;
		return fail_memory(p->err), NULL;
	}
	fail(p->err, NNS_UNSUPPORTED, "%s: an archive of compiled code without a graph (AOTInductor); save the program with torch.export.save", p->model->source);
	return NULL;
}

static bool load(struct pt2 *p, struct archive *a, struct state *s)
{
	char *top, *model;
	const struct archive_entry *e = find_program(p, a, &top, &model);
	if (!e)
		return false;
	p->where = arena_strdup(p->model->arena, e->name);
	if (!p->where)
		return fail_memory(p->err);
	if (!open_weights(p, a, top, "data/weights/", model, "_weights_config.json", &s->weights)
	    || !open_weights(p, a, top, "data/constants/", model, "_constants_config.json", &s->constants))
		return false;
	cJSON *json = read_json(p, a, e);
	bool ok = json && read_program(p, s, json);
	cJSON_Delete(json);
	return ok;
}

int pt2_bid(const struct load_file *f)
{
	nns_error ignored;
	struct arena *scratch;
	if (f->len < 4 || memcmp(f->data, "PK\x03\x04", 4) != 0 || archive_begins(f->data, f->len, "/data.pkl") || !(scratch = arena_new(NULL, &ignored)))
		return 0;
	int bid = 0;
	struct archive *a = archive_open(scratch, (const unsigned char *)f->data, f->len, &ignored);
	for (size_t i = 0; a && i < archive_count(a) && !bid; i++)
		bid = ends_with(archive_at(a, i)->name, "/archive_format") ? 95 : 0;
	arena_free(scratch);
	return bid;
}

bool pt2_load(const struct load_file *f, struct model *m, nns_error *err)
{
	struct pt2 p = { .model = m, .err = err, .where = f->path };
	struct state s = { 0 };
	struct archive *a = archive_open(m->arena, (const unsigned char *)f->data, f->len, err);
	bool ok = a && load(&p, a, &s);
	cJSON_Delete(s.weights.config);
	cJSON_Delete(s.constants.config);
	return ok || fail_within(err, "%s: ", f->path);
}
