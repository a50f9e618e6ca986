/* The graph of an exported program (torch/_export/serde/schema.py: Graph, Node, Argument). */
#include <math.h>
#include <string.h>

#include "load/pt2.h"
#include "load/state.h"

static bool pt2_argument(struct pt2 *p, struct program *g, const cJSON *arg, struct datum *out);

enum { MAX_NESTING = 20 };

static const char *text_of(const cJSON *object, const char *name)
{
	const cJSON *v = cJSON_GetObjectItemCaseSensitive(object, name);
	return cJSON_IsString(v) ? v->valuestring : NULL;
}

static bool fail_here(struct pt2 *p, const char *what)
{
	return fail(p->err, NNS_FORMAT, "%s: %s", p->where, what);
}

/* ---- Values ---- */

/* The number of a value of that name, which is most likely new. */
static int new_value(struct pt2 *p, struct program *g, const char *name)
{
	struct arena *a = p->model->arena;
	struct program_value *grown = arena_grow(a, g->values, g->n_values, &g->cap_values, sizeof *grown);
	struct map_entry *e = grown ? map_add(g->by_name, a, name) : NULL;
	if (e && e->value)
		return (int)(intptr_t)e->value - 1;
	if (!e || !(e->key = arena_strdup(a, name))) {
		fail_memory(p->err);
		return -1;
	}
	g->values = grown;
	grown[g->n_values] = (struct program_value){ .name = e->key };
	e->value = (void *)(intptr_t)(g->n_values + 1);
	return (int)g->n_values++;
}

/* The number of a value of that name, added when new; -1: no memory. */
static int pt2_value(struct pt2 *p, struct program *g, const char *name)
{
	intptr_t known = (intptr_t)map_get_next(g->by_name, name, &g->next_name);
	return known ? (int)known - 1 : new_value(p, g, name);
}

static bool reference(struct pt2 *p, struct program *g, const char *name, struct datum *out)
{
	if (!name)
		return fail_here(p, "a value without a name");
	int i = pt2_value(p, g, name);
	struct host_object *o = arena_alloc(p->model->arena, sizeof *o);
	if (i < 0 || !o)
		return fail_memory(p->err);
	*o = (struct host_object){ program_reference, (void *)(intptr_t)(i + 1) };
	*out = datum_pointer(D_HOST, o);
	return true;
}

/* ---- Arguments ---- */

static int64_t whole_of(const cJSON *v)
{
	double d = v->valuedouble;
	return d >= 0x1p63 ? INT64_MAX : d <= -0x1p63 ? INT64_MIN : (int64_t)d;
}

/* JSON has no infinity: it is written as a string. */
static bool real_of(const cJSON *v, double *out)
{
	if (cJSON_IsNumber(v))
		return *out = v->valuedouble, true;
	if (!cJSON_IsString(v))
		return false;
	*out = strcmp(v->valuestring, "Infinity") == 0 ? INFINITY : strcmp(v->valuestring, "-Infinity") == 0 ? -INFINITY : NAN;
	return true;
}

/* torch.channels_last and its kind. */
static bool of_torch(struct pt2 *p, const char *name, struct datum *out)
{
	struct runtime *rt = runtime_of_model(p->model);
	struct code *c = lang_parse_expression(p->model->arena, name, strlen(name), p->where, p->err);
	struct scope scope = { 0 };
	return c && lang_eval(&rt->interp, c, &scope, out, p->err);
}

static bool memory_format(struct pt2 *p, const cJSON *v, struct datum *out)
{
	static const char *const names[] = { NULL, "torch.contiguous_format", "torch.channels_last", "torch.channels_last_3d", "torch.preserve_format" };
	int64_t i = cJSON_IsNumber(v) ? whole_of(v) : 0;
	if (i < 1 || i > 4)
		return fail_here(p, "a memory format that is not known");
	return of_torch(p, names[i], out);
}

typedef bool item_fn(struct pt2 *p, struct program *g, const cJSON *v, struct datum *out);

static bool read_int(struct pt2 *p, struct program *g, const cJSON *v, struct datum *out)
{
	(void)g;
	*out = datum_int(cJSON_IsNumber(v) ? whole_of(v) : 0);
	return cJSON_IsNumber(v) || fail_here(p, "an integer is expected");
}

static bool read_float(struct pt2 *p, struct program *g, const cJSON *v, struct datum *out)
{
	double d;
	(void)g;
	if (!real_of(v, &d))
		return fail_here(p, "a number is expected");
	*out = datum_float(d);
	return true;
}

static bool read_bool(struct pt2 *p, struct program *g, const cJSON *v, struct datum *out)
{
	(void)g;
	*out = datum_bool(cJSON_IsTrue(v));
	return cJSON_IsBool(v) || fail_here(p, "true or false is expected");
}

static bool read_string(struct pt2 *p, struct program *g, const cJSON *v, struct datum *out)
{
	(void)g;
	char *s = cJSON_IsString(v) ? arena_strdup(p->model->arena, v->valuestring) : NULL;
	if (!cJSON_IsString(v))
		return fail_here(p, "a string is expected");
	*out = datum_str(s);
	return s || fail_memory(p->err);
}

static bool read_none(struct pt2 *p, struct program *g, const cJSON *v, struct datum *out)
{
	(void)p, (void)g, (void)v;
	*out = datum_none();
	return true;
}

/* Up to 2.3 an optional tensor is its name alone. */
static bool read_tensor(struct pt2 *p, struct program *g, const cJSON *v, struct datum *out)
{
	return reference(p, g, cJSON_IsString(v) ? v->valuestring : text_of(v, "name"), out);
}

/* A symbol, or what it is when it is known: {"as_name": "sym_size_int"}, {"as_int": 3} */
static bool read_symbol(struct pt2 *p, struct program *g, const cJSON *v, struct datum *out)
{
	const cJSON *only = v ? v->child : NULL;
	if (only && only->string && strcmp(only->string, "as_name") == 0 && cJSON_IsString(only))
		return reference(p, g, only->valuestring, out);
	return pt2_argument(p, g, v, out);
}

static bool read_dtype(struct pt2 *p, struct program *g, const cJSON *v, struct datum *out)
{
	enum dtype d = pt2_dtype(v);
	(void)g;
	*out = (struct datum){ .kind = D_DTYPE, .u.i = d };
	return d != DT_NONE || fail_here(p, "a dtype that is not known");
}

static bool read_memory_format(struct pt2 *p, struct program *g, const cJSON *v, struct datum *out)
{
	(void)g;
	return memory_format(p, v, out);
}

static bool read_layout(struct pt2 *p, struct program *g, const cJSON *v, struct datum *out)
{
	enum { STRIDED = 7 };
	(void)g;
	if (!cJSON_IsNumber(v) || whole_of(v) != STRIDED)
		return fail(p->err, NNS_UNSUPPORTED, "%s: a layout other than strided", p->where);
	return of_torch(p, "torch.strided", out);
}

static bool read_device(struct pt2 *p, struct program *g, const cJSON *v, struct datum *out)
{
	const char *type = text_of(v, "type");
	char *s = type ? arena_strdup(p->model->arena, type) : NULL;
	(void)g;
	if (!type)
		return fail_here(p, "a device without a type");
	*out = datum_str(s);
	return s || fail_memory(p->err);
}

static bool make_host(struct pt2 *p, const char *kind, void *data, struct datum *out)
{
	struct host_object *o = arena_alloc(p->model->arena, sizeof *o);
	if (!o)
		return fail_memory(p->err);
	*o = (struct host_object){ kind, data };
	*out = datum_pointer(D_HOST, o);
	return true;
}

static bool read_graph(struct pt2 *p, struct program *g, const cJSON *v, struct datum *out)
{
	struct program *body = pt2_program(p, cJSON_GetObjectItemCaseSensitive(v, "graph"));
	(void)g;
	return body && make_host(p, program_graph, body, out);
}

/* A complex number is a tensor without dimensions that promotes as a number: the language has no complex numbers. */
static bool read_complex(struct pt2 *p, struct program *g, const cJSON *v, struct datum *out)
{
	double *parts = arena_array(p->model->arena, 2, sizeof *parts);
	struct value *number = value_new(p->model->arena, DT_COMPLEX128, 0, NULL);
	(void)g;
	if (!parts || !number)
		return fail_memory(p->err);
	if (!real_of(cJSON_GetObjectItemCaseSensitive(v, "real"), &parts[0]) || !real_of(cJSON_GetObjectItemCaseSensitive(v, "imag"), &parts[1]))
		return fail_here(p, "a complex number is expected");
	number->is_scalar = true;
	number->storage = (const unsigned char *)parts;
	number->storage_bytes = 2 * sizeof *parts;
	*out = datum_pointer(D_TENSOR, number);
	return true;
}

/* Operators and lists of lists of tensors: there is no value for them, the operator is drawn without its rule. */
static bool read_opaque(struct pt2 *p, struct program *g, const cJSON *v, struct datum *out)
{
	(void)g, (void)v;
	return make_host(p, program_opaque, NULL, out);
}

/* A union whose one member says its kind (optional tensors). */
static bool read_union(struct pt2 *p, struct program *g, const cJSON *v, struct datum *out)
{
	return pt2_argument(p, g, v, out);
}

static bool read_ints(struct pt2 *p, struct program *g, const cJSON *v, struct datum *out);
static bool read_floats(struct pt2 *p, struct program *g, const cJSON *v, struct datum *out);

/* The members of schema.py's union Argument. */
static const struct argument_kind {
	const char *name;
	item_fn *read;
	bool list;
} argument_kinds[] = {
	{ "as_tensor", read_tensor, false }, { "as_tensors", read_tensor, true },
	{ "as_optional_tensor", read_union, false }, { "as_optional_tensors", read_union, true },
	{ "as_int", read_int, false }, { "as_ints", read_int, true }, { "as_int_lists", read_ints, true },
	{ "as_float", read_float, false }, { "as_floats", read_float, true },
	{ "as_bool", read_bool, false }, { "as_bools", read_bool, true },
	{ "as_string", read_string, false }, { "as_strings", read_string, true },
	{ "as_sym_int", read_symbol, false }, { "as_sym_ints", read_symbol, true },
	{ "as_sym_float", read_symbol, false }, { "as_sym_floats", read_symbol, true },
	{ "as_sym_bool", read_symbol, false }, { "as_sym_bools", read_symbol, true },
	{ "as_none", read_none, false }, { "as_graph", read_graph, false },
	{ "as_complex", read_complex, false }, { "as_custom_obj", read_opaque, false }, { "as_operator", read_opaque, false },
	{ "as_nested_tensors", read_opaque, false }, { "as_float_lists", read_floats, true }, { "as_string_to_argument", read_opaque, false },
	{ "as_scalar_type", read_dtype, false }, { "as_memory_format", read_memory_format, false },
	{ "as_layout", read_layout, false }, { "as_device", read_device, false },
};

static bool read_list(struct pt2 *p, struct program *g, item_fn *read, const cJSON *v, struct datum *out)
{
	if (!cJSON_IsArray(v))
		return fail_here(p, "a list is expected");
	if (!datum_seq(p->model->arena, D_LIST, 0, out))
		return fail_memory(p->err);
	for (const cJSON *item = v->child; item; item = item->next) {
		struct datum d;
		if (!read(p, g, item, &d))
			return false;
		if (!seq_push(p->model->arena, out->u.seq, d))
			return fail_memory(p->err);
	}
	return true;
}

static bool read_ints(struct pt2 *p, struct program *g, const cJSON *v, struct datum *out)
{
	return read_list(p, g, read_int, v, out);
}

static bool read_floats(struct pt2 *p, struct program *g, const cJSON *v, struct datum *out)
{
	return read_list(p, g, read_float, v, out);
}

/* One Argument of schema.py as a datum; names become references. */
static bool pt2_argument(struct pt2 *p, struct program *g, const cJSON *arg, struct datum *out)
{
	const cJSON *only = cJSON_IsObject(arg) ? arg->child : NULL;
	if (!only || !only->string)
		return fail_here(p, "an argument of no kind");
	for (size_t i = 0; i < sizeof argument_kinds / sizeof *argument_kinds; i++) {
		const struct argument_kind *k = &argument_kinds[i];
		if (strcmp(k->name, only->string) == 0)
			return k->list ? read_list(p, g, k->read, only, out) : k->read(p, g, only, out);
	}
	return fail(p->err, NNS_UNSUPPORTED, "%s: an argument of the kind '%.40s'", p->where, only->string);
}

/* ---- nn_module_stack ---- */

/* The next of the pieces that c divides. */
static char *piece(struct pt2 *p, const char **at, char c)
{
	const char *end = strchr(*at, c);
	size_t n = end ? (size_t)(end - *at) : strlen(*at);
	char *s = arena_strndup(p->model->arena, *at, n);
	*at += n + (end != NULL);
	return s;
}

static const char *last_part(const char *dotted)
{
	const char *dot = strrchr(dotted, '.');
	return dot ? dot + 1 : dotted;
}

/* Dynamo's names of torch 2.1 and 2.2: "L['self'].layers['0'].fc" -> "layers.0.fc"; in place. */
static void plain_path(char *path)
{
	static const char self[] = "L['self']";
	char *to = path;
	if (strncmp(path, self, sizeof self - 1) != 0)
		return;
	for (const char *s = path + sizeof self - 1; *s; s++) {
		if (*s == '[')
			*to++ = '.';
		else if (!strchr("]'\"", *s))
			*to++ = *s;
	}
	*to = 0;
	if (*path == '.')
		memmove(path, path + 1, strlen(path));
}

/* "key,path,class"; torch 2.1: "key:(path,class)" */
static bool read_frame(struct pt2 *p, const char *text, struct program_frame *out)
{
	const char *colon = strstr(text, ":("), *comma = strchr(text, ',');
	bool older = colon && comma && colon < comma;
	char *key = piece(p, &text, older ? ':' : ',');
	text += older;
	char *path = key ? piece(p, &text, ',') : NULL;
	if (!path)
		return fail_memory(p->err);
	plain_path(path);
	struct module *m = pt2_module(p, path);
	if (!m)
		return false;
	size_t n = strlen(last_part(text));
	if (!m->class_name && *text) {
		char *class = arena_strndup(p->model->arena, last_part(text), older && n ? n - 1 : n);
		m->class_name = class ? state_name(p->model->arena, class) : NULL;
		if (!m->class_name)
			return fail_memory(p->err);
	}
	const char *class = arena_strdup(p->model->arena, text);
	if (!class)
		return fail_memory(p->err);
	*out = (struct program_frame){ key, path, m, class };
	return true;
}

/* "L__self__,,small.Net;L__self__fc,fc,torch.nn.modules.linear.Linear": key, path, class; outermost first. */
static bool read_stack(struct pt2 *p, const char *text)
{
	struct program_frame *frames = NULL;
	size_t n = 0, cap = 0;
	if (p->stack_text && strcmp(text, p->stack_text) == 0)
		return true;
	p->stack_text = arena_strdup(p->model->arena, text);
	if (!p->stack_text)
		return fail_memory(p->err);
	while (*text) {
		char *one = piece(p, &text, ';');
		if (one && strstr(one, "_empty_nn_module_stack_from_metadata_hook"))
			continue;        /* what torch.export writes where it lost the stack */
		frames = one ? arena_grow(p->model->arena, frames, n, &cap, sizeof *frames) : NULL;
		if (!frames)
			return fail_memory(p->err);
		if (!read_frame(p, one, &frames[n]))
			return false;
		n++;
	}
	p->stack = frames;
	p->n_stack = n;
	return true;
}

/* ---- Nodes ---- */

/* "torch.ops.aten.conv2d.default" -> "conv2d.default"; what is not ATen's keeps its namespace: "vision::nms". */
static const char *target_of(struct pt2 *p, const char *target)
{
	if (strncmp(target, "torch.ops.aten.", 15) == 0)
		return arena_strdup(p->model->arena, target + 15);
	if (strncmp(target, "torch.ops.higher_order.", 23) == 0)
		return arena_strdup(p->model->arena, target + 23);
	if (strncmp(target, "torch.ops.", 10) == 0 && strchr(target + 10, '.')) {
		const char *dot = strchr(target + 10, '.');
		return arena_printf(p->model->arena, "%.*s::%s", (int)(dot - target - 10), target + 10, dot + 1);
	}
	return arena_strdup(p->model->arena, target);
}

static bool read_arguments(struct pt2 *p, struct program *g, const cJSON *inputs, struct program_node *n)
{
	size_t count = (size_t)cJSON_GetArraySize(inputs);
	n->names = arena_array(p->model->arena, count + 1, sizeof *n->names);
	n->args = arena_array(p->model->arena, count + 1, sizeof *n->args);
	if (!n->names || !n->args)
		return fail_memory(p->err);
	for (const cJSON *in = inputs ? inputs->child : NULL; in; in = in->next, n->n_args++) {
		const char *name = text_of(in, "name");
		if (name && *name && !(n->names[n->n_args] = arena_strdup(p->model->arena, name)))
			return fail_memory(p->err);
		if (!pt2_argument(p, g, cJSON_GetObjectItemCaseSensitive(in, "arg"), &n->args[n->n_args]))
			return false;
	}
	return true;
}

/* One output is itself, several are a tuple. */
static bool read_outputs(struct pt2 *p, struct program *g, const cJSON *outputs, struct datum *out)
{
	if (!datum_seq(p->model->arena, D_TUPLE, 0, out))
		return fail_memory(p->err);
	for (const cJSON *o = outputs ? outputs->child : NULL; o; o = o->next) {
		struct datum d;
		if (!pt2_argument(p, g, o, &d))
			return false;
		if (!seq_push(p->model->arena, out->u.seq, d))
			return fail_memory(p->err);
	}
	if (out->u.seq->n == 1)
		*out = out->u.seq->items[0];
	return true;
}

static bool read_node(struct pt2 *p, struct program *g, const cJSON *json)
{
	const char *target = text_of(json, "target");
	const char *stack = text_of(cJSON_GetObjectItemCaseSensitive(json, "metadata"), "nn_module_stack");
	struct program_node *grown = arena_grow(p->model->arena, g->nodes, g->n_nodes, &g->cap_nodes, sizeof *grown);
	if (!grown)
		return fail_memory(p->err);
	g->nodes = grown;
	struct program_node *n = &grown[g->n_nodes];
	*n = (struct program_node){ .target = target ? target_of(p, target) : NULL };
	if (!target)
		return fail_here(p, "a node without a target");
	if (!n->target)
		return fail_memory(p->err);
	if (!read_arguments(p, g, cJSON_GetObjectItemCaseSensitive(json, "inputs"), n)
	    || !read_outputs(p, g, cJSON_GetObjectItemCaseSensitive(json, "outputs"), &n->outputs)
	    || !read_stack(p, stack ? stack : ""))
		return fail_within(p->err, "node %zu (%.100s): ", g->n_nodes, target);
	n->frames = p->stack;
	n->n_frames = p->n_stack;
	g->n_nodes++;
	return true;
}

static bool read_tensor_value(struct pt2 *p, struct program *g, const cJSON *t)
{
	const cJSON *older = cJSON_GetObjectItemCaseSensitive(t, "meta"), *meta = older ? older : t;       /* 2.1 */
	struct tensor_meta m;
	int i = t->string ? new_value(p, g, t->string) : -1;
	if (i < 0)
		return t->string ? false : fail_here(p, "a tensor without a name");
	if (!pt2_read_meta(p, meta, &m) || !pt2_symbols(p, meta, &g->values[i].symbols))
		return fail_within(p->err, "tensor %.100s: ", t->string);
	g->values[i].meta = m.known ? pt2_value_of(p, &m) : NULL;
	return !m.known || g->values[i].meta;
}

/* An input: a value, or a constant in its place. */
static bool read_placeholder(struct pt2 *p, struct program *g, const cJSON *in)
{
	const cJSON *tensor = in->child && in->child->string && strcmp(in->child->string, "as_tensor") == 0 ? in->child : NULL;
	const char *name = text_of(tensor, "name");
	struct program_input *grown = arena_grow(p->model->arena, g->inputs, g->n_inputs, &g->cap_inputs, sizeof *grown);
	struct datum d = datum_none();
	if (!grown)
		return fail_memory(p->err);
	g->inputs = grown;
	if (!name && !pt2_argument(p, g, in, &d))
		return false;
	int index = name ? pt2_value(p, g, name) : program_index(d);
	grown[g->n_inputs++] = (struct program_input){ .index = index, .fixed = index < 0, .constant = d };
	return !name || index >= 0;
}

/* One list of the graph after the other, member by member. */
static bool read_members(struct pt2 *p, struct program *g, const cJSON *list, struct arena *scratch,
                         bool (*read)(struct pt2 *p, struct program *g, const cJSON *member))
{
	struct json_members all = json_members(list);
	for (const cJSON *member; ; )
		if (!pt2_next(p, &all, scratch, &member))
			return false;
		else if (!member)
			return true;
		else if (!read(p, g, member))
			return false;
}

struct program *pt2_program(struct pt2 *p, const cJSON *graph)
{
	struct program *g = arena_alloc(p->model->arena, sizeof *g);
	struct map *names = arena_alloc(p->model->arena, sizeof *names);
	if (!g || !names)
		return fail_memory(p->err), NULL;
	if (!cJSON_IsObject(graph))
		return fail_here(p, "there is no graph"), NULL;
	if (++p->depth > MAX_NESTING)
		return fail(p->err, NNS_LIMIT, "%s: graphs are nested more than %d deep", p->where, MAX_NESTING), NULL;
	g->by_name = names;
	struct arena *scratch = arena_beside(p->model->arena, p->err);
	bool ok = scratch && read_members(p, g, cJSON_GetObjectItemCaseSensitive(graph, "tensor_values"), scratch, read_tensor_value)
	       && read_members(p, g, cJSON_GetObjectItemCaseSensitive(graph, "inputs"), scratch, read_placeholder)
	       && read_members(p, g, cJSON_GetObjectItemCaseSensitive(graph, "nodes"), scratch, read_node)
	       && read_outputs(p, g, cJSON_GetObjectItemCaseSensitive(graph, "outputs"), &g->output);
	arena_free(scratch);
	p->depth--;
	return ok ? g : NULL;
}
