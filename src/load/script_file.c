/*
 * TorchScript archives (torch/csrc/jit/serialization/export_module.cpp):
 *
 *     NAME/data.pkl                 the root object; objects are __new__(class) with a dict of attributes
 *     NAME/data/KEY                 bytes of its storages
 *     NAME/constants.pkl            a tuple, CONSTANTS.c0, c1, ... in the code
 *     NAME/constants/KEY
 *     NAME/code/__torch__/....py    lang/script.h
 *     NAME/traced_inputs.pkl        what the model was traced with: {"forward": [tensor, ...]}, since 1.12
 */
#include "load/script_file.h"

#include <stdio.h>
#include <string.h>

#include "ir/elements.h"
#include "lang/script.h"
#include "nn/runtime.h"

enum {
	MAX_DEPTH = 200,         /* objects in objects */
	MAX_VISITS = 4000000,    /* few lists that hold one another can be entered in endlessly many ways */
	MAX_CODE = 64 << 20,     /* bytes of one file of code */
	MAX_KNOWN = 64           /* elements of a constant whose content the tracer may ask for */
};

struct builder {
	struct model *model;
	struct script *script;
	struct arena *arena;
	struct runtime *rt;
	struct map objects;      /* by address of what was unpickled: struct built * */
	struct map listed;       /* by class: struct listed * */
	struct map tensors;      /* by place in memory: struct value *, so that tied parameters are one */
	size_t visits;
	int depth;
	nns_error *err;
};

struct built {
	struct module *module;
	bool done;
};

/* ---- Code ---- */

static bool add_code(struct builder *b, struct archive *z, const struct archive_entry *e, size_t top)
{
	const unsigned char *bytes;
	size_t len, n = strlen(e->name + top) - strlen("code/.py");
	char *dotted = arena_strndup(b->arena, e->name + top + strlen("code/"), n);
	if (!dotted)
		return fail_memory(b->err);
	for (char *p = dotted; *p; p++)
		*p = *p == '/' ? '.' : *p;
	if (!archive_bytes(z, e, MAX_CODE, &bytes, &len, b->err))
		return fail_within(b->err, "%s: ", e->name);
	return script_add_file(b->script, dotted, e->name + top, (const char *)bytes, len, b->err);
}

static bool is_code(const char *name, const char *top)
{
	size_t n = strlen(name), m = strlen(top);
	return strncmp(name, top, m) == 0 && strncmp(name + m, "code/", 5) == 0 && n > m + 8 && strcmp(name + n - 3, ".py") == 0;
}

static bool add_all_code(struct builder *b, struct archive *z, const char *top)
{
	for (size_t i = 0; i < archive_count(z); i++)
		if (is_code(archive_at(z, i)->name, top) && !add_code(b, z, archive_at(z, i), strlen(top)))
			return false;
	return true;
}

/* ---- Constants and inputs ---- */

bool torch_give_bytes(struct torch_pickle *t, struct archive *z, const char *top, const char *folder, nns_error *err)
{
	for (size_t i = 0; i < t->storages.n; i++) {
		struct torch_storage *s = t->storages.entries[i].value;
		char *path = arena_printf(t->arena, "%s%s/%s", top, folder, s->key);
		if (!path)
			return fail_memory(err);
		const struct archive_entry *e = archive_find(z, path);
		if (!e)
			return fail(err, NNS_FORMAT, "there is no entry %s for a storage", path);
		if (!archive_bytes(z, e, SIZE_MAX, &s->bytes, &s->n_bytes, err))
			return false;
	}
	return true;
}

/* NAME.pkl, with the storages in NAME/; *out is None when there is no such entry. */
static bool read_pickle(struct builder *b, struct archive *z, const char *top, const char *name, bool with_bytes, struct datum *out)
{
	struct torch_pickle t = { .arena = b->arena, .err = b->err };
	char *path = arena_printf(b->arena, "%s%s.pkl", top, name);
	const struct archive_entry *e = path ? archive_find(z, path) : NULL;
	const unsigned char *bytes;
	size_t len, used;
	*out = datum_none();
	if (!path)
		return fail_memory(b->err);
	if (!e)
		return true;
	bool ok = archive_bytes(z, e, SIZE_MAX, &bytes, &len, b->err) && torch_pickle_read(&t, bytes, len, out, &used)
	       && (!with_bytes || (torch_give_bytes(&t, z, top, name, b->err) && torch_pickle_finish(&t)));
	return ok || fail_within(b->err, "%s: ", path);
}

/* Numbers in tensors are what sizes and conditions are computed from. */
static bool know_content(struct builder *b, struct value *v)
{
	if (v->ndim != 0 || !v->storage || !dtype_has_elements(v->dtype))
		return true;
	struct datum *constant = arena_alloc(b->arena, sizeof *constant);
	if (!constant)
		return fail_memory(b->err);
	*constant = value_number(v, 0);
	v->constant = constant;
	return true;
}

static bool convert(struct builder *b, struct datum *d);

static bool read_constants(struct builder *b, struct archive *z, const char *top)
{
	struct datum all;
	if (!read_pickle(b, z, top, "constants", true, &all))
		return false;
	if (!datum_is_seq(all))
		return true;
	b->script->constants = all.u.seq->items;
	b->script->n_constants = all.u.seq->n;
	for (size_t i = 0; i < all.u.seq->n; i++) {
		struct datum *d = &all.u.seq->items[i];
		if (d->kind == D_TENSOR ? !know_content(b, d->u.p) : !convert(b, d))
			return false;
	}
	return true;
}

static bool add_input(struct value *v, void *data)
{
	struct builder *b = data;
	struct model *m = b->model;
	v->requires_grad = dtype_can_require_grad(v->dtype);
	v->storage = NULL;
	m->inputs[m->n_inputs++] = (struct graph_input){ .value = v, .is_default = true };
	return true;
}

/* The shapes that a model was traced with are its default inputs. */
static bool read_inputs(struct builder *b, struct archive *z, const char *top)
{
	struct datum all;
	nns_error ignored = { 0 }, *err = b->err;
	b->err = &ignored;
	bool ok = read_pickle(b, z, top, "traced_inputs", false, &all);
	b->err = err;
	const struct datum *forward = ok && all.kind == D_DICT ? dict_get(all.u.dict, datum_str("forward")) : NULL;
	if (!forward)
		return true;
	b->model->inputs = arena_array(b->arena, datum_count_tensors(*forward) + 1, sizeof *b->model->inputs);
	return b->model->inputs ? datum_each_tensor(*forward, add_input, b) : fail_memory(b->err);
}

/* ---- Objects ---- */

static bool is_object(struct datum d)
{
	const struct pickled *p = pickled_of(d);
	return p && p->kind == PICKLED_CALL && p->name && strncmp(p->name, "__torch__.", 10) == 0;
}

static struct module *object_module(struct builder *b, const struct pickled *p);

/* Objects within lists, tuples and dicts become modules, in place. */
static bool convert(struct builder *b, struct datum *d)
{
	bool dict = d->kind == D_DICT, ok = true;
	size_t n = dict ? d->u.dict->n : datum_is_seq(*d) ? d->u.seq->n : 0;
	if (++b->visits > MAX_VISITS || b->depth >= MAX_DEPTH)
		return fail(b->err, NNS_LIMIT, "the objects hold one another in too many ways, or more than %d deep", MAX_DEPTH);
	if (is_object(*d)) {
		struct module *m = object_module(b, pickled_of(*d));
		*d = m ? datum_pointer(D_MODULE, m) : datum_none();
		return m != NULL;
	}
	b->depth++;
	for (size_t i = 0; ok && i < n; i++)
		ok = convert(b, dict ? &d->u.dict->values[i] : &d->u.seq->items[i]);
	b->depth--;
	return ok;
}

/* What a class says of its attributes: "__parameters__" and "__buffers__". */
struct listed {
	struct map parameters, buffers;
};

static bool list_names(struct builder *b, const struct script_class *c, const char *list, struct map *out)
{
	struct scope empty = { 0 };
	for (size_t i = 0; i < c->n_values; i++) {
		struct datum names;
		if (strcmp(c->values[i].name, list) != 0 || !lang_eval(&b->rt->interp, c->values[i].code, &empty, &names, NULL) || !datum_is_seq(names))
			continue;
		for (size_t k = 0; k < names.u.seq->n; k++)
			if (names.u.seq->items[k].kind == D_STR && !map_put(out, b->arena, names.u.seq->items[k].u.s, out))
				return fail_memory(b->err);
	}
	return true;
}

static const struct listed *listed_of(struct builder *b, const struct script_class *c)
{
	struct listed *l = map_get(&b->listed, c->qualified);
	if (l)
		return l;
	l = arena_alloc(b->arena, sizeof *l);
	bool ok = l && list_names(b, c, "__parameters__", &l->parameters) && list_names(b, c, "__buffers__", &l->buffers)
	       && map_put(&b->listed, b->arena, c->qualified, l);
	return ok ? l : (fail_memory(b->err), NULL);
}

/* Parameters over the same memory are one parameter. */
static struct value *tied(struct builder *b, struct value *v)
{
	struct text key;
	text_init(&key);
	text_addf(&key, "%p %lld %d", (const void *)v->storage, (long long)v->offset, v->dtype);
	for (int i = 0; i < v->ndim; i++)
		text_addf(&key, " %lld/%lld", (long long)v->size[i], (long long)v->stride[i]);
	struct value *same = v->storage && key.data ? map_get(&b->tensors, key.data) : NULL;
	char *copy = same || !key.data || !v->storage ? NULL : arena_strdup(b->arena, key.data);
	if (copy && !map_put(&b->tensors, b->arena, copy, v))
		same = NULL;
	text_release(&key);
	return same ? same : v;
}

static bool set_tensor(struct builder *b, struct module *m, const struct script_class *c, const char *name, struct value *v)
{
	const struct listed *l = c ? listed_of(b, c) : NULL;
	if (c && !l)
		return false;
	if (!c || map_has(&l->parameters, name)) {
		if (v)
			v = tied(b, v);
		if (v)
			v->is_parameter = true;
		return module_set_parameter(b->arena, m, name, v) || fail_memory(b->err);
	}
	if (map_has(&l->buffers, name))
		return module_set_buffer(b->arena, m, name, v, true) || fail_memory(b->err);
	return module_set_attribute(b->arena, m, name, v ? datum_pointer(D_TENSOR, v) : datum_none()) || fail_memory(b->err);
}

static bool is_module_class(const struct script_class *c)
{
	return !c || strcmp(c->base, "Module") == 0;
}

static bool set_member(struct builder *b, struct module *m, const struct script_class *c, const char *name, struct datum v)
{
	if (strcmp(name, "training") == 0)
		return m->training = datum_truth(v), true;
	if (v.kind == D_TENSOR || v.kind == D_NONE)
		return set_tensor(b, m, c, name, v.kind == D_TENSOR ? v.u.p : NULL);
	if (!convert(b, &v))
		return false;
	struct module *child = v.kind == D_MODULE ? v.u.p : NULL;
	if (child && is_module_class(child->script))
		return module_set_child(b->arena, m, name, child) || fail_memory(b->err);
	if (pickled_of(v))
		v = datum_none();        /* an object of C++'s own */
	return module_set_attribute(b->arena, m, name, v) || fail_memory(b->err);
}

/* stride : Final[Tuple[int, int]] = (2, 2) */
static bool set_constants(struct builder *b, struct module *m, const struct script_class *c)
{
	struct scope names = { 0 };
	struct datum v;
	if (!scope_set(b->arena, &names, "inf", datum_float(__builtin_inf())) || !scope_set(b->arena, &names, "nan", datum_float(__builtin_nan(""))))
		return fail_memory(b->err);
	for (size_t i = 0; i < c->n_values; i++)
		if (strncmp(c->values[i].name, "__", 2) != 0 && lang_eval(&b->rt->interp, c->values[i].code, &names, &v, NULL)
		    && !module_set_attribute(b->arena, m, c->values[i].name, v))
			return fail_memory(b->err);
	return true;
}

/* A class of torch.nn prints as PyTorch prints it when the file tells all that takes: in the constants of scripted modules, in calls of traced ones. */
static bool choose_class(struct builder *b, struct module *m, const char *qualified)
{
	struct text printed;
	if (strncmp(qualified, "__torch__.torch.nn.", 19) != 0 || !(m->class = runtime_class(b->rt, m->class_name)))
		return true;
	text_init(&printed);
	bool prints = module_repr(b->rt, m, b->rt->torch_version, &printed, NULL);
	text_release(&printed);
	if (!prints)
		m->class = NULL;
	return prints || script_construct(b->script, b->rt, m, b->err);
}

static bool fill(struct builder *b, struct module *m, const struct pickled *p)
{
	const struct script_name *name;
	struct datum state = p->state;
	if (!script_find(b->script, p->name, &name, b->err))
		return false;
	const struct script_class *c = name ? name->class : NULL;
	m->script = c;
	for (size_t i = 0; state.kind == D_DICT && i < state.u.dict->n; i++)
		if (state.u.dict->keys[i].kind == D_STR && !set_member(b, m, c, state.u.dict->keys[i].u.s, state.u.dict->values[i]))
			return false;
	if (c && !set_constants(b, m, c))
		return false;
	return choose_class(b, m, p->name);
}

/* An enum's member is one object wherever it stands: Color(2) is the member whose value is 2. */
static struct module *enum_member(struct builder *b, const struct script_class *c, const struct pickled *p)
{
	struct scope empty = { 0 };
	struct datum wanted = datum_is_seq(p->args) && p->args.u.seq->n ? p->args.u.seq->items[0] : p->args, v;
	for (size_t i = 0; i < c->n_values; i++) {
		const char *name = c->values[i].name, *key = arena_printf(b->arena, "%s.%s", c->qualified, name);
		if (!key)
			return fail_memory(b->err), NULL;
		if (!lang_eval(&b->rt->interp, c->values[i].code, &empty, &v, NULL) || !datum_equal(v, wanted))
			continue;
		struct module *m = map_get(&b->script->members, key);
		if (m || !(m = module_new(b->rt, NULL, c->name, b->err)))
			return m;
		m->script = c;
		bool ok = module_set_attribute(b->arena, m, "name", datum_str(name)) && module_set_attribute(b->arena, m, "value", v)
		       && map_put(&b->script->members, b->arena, key, m);
		return ok ? m : (fail_memory(b->err), NULL);
	}
	return fail(b->err, NNS_FORMAT, "the enum %s has no such member", c->qualified), NULL;
}

static struct module *object_module(struct builder *b, const struct pickled *p)
{
	const struct script_name *found;
	if (!script_find(b->script, p->name, &found, b->err))
		return NULL;
	if (found && found->class && strcmp(found->class->base, "Enum") == 0)
		return enum_member(b, found->class, p);
	char key[32];
	snprintf(key, sizeof key, "%p", (const void *)p);
	struct built *known = map_get(&b->objects, key);
	if (known && known->done)
		return known->module;
	if (known || b->depth >= MAX_DEPTH)
		return fail(b->err, NNS_LIMIT, "an object of class %s holds itself, or objects are nested more than %d deep", p->name, MAX_DEPTH), NULL;
	const char *dot = strrchr(p->name, '.'), *class_name = arena_strdup(b->arena, dot ? dot + 1 : p->name);
	struct built *made = arena_alloc(b->arena, sizeof *made);
	char *copy = arena_strdup(b->arena, key);
	if (!made || !copy || !class_name || !map_put(&b->objects, b->arena, copy, made))
		return fail_memory(b->err), NULL;
	struct module *m = module_new(b->rt, NULL, class_name, b->err);
	if (!m)
		return NULL;
	*made = (struct built){ .module = m };
	b->depth++;
	bool ok = fill(b, m, p);
	b->depth--;
	made->done = true;
	return ok ? m : NULL;
}

/* ---- The model ---- */

bool script_is(struct archive *z, const char *top, struct datum object)
{
	for (size_t i = 0; is_object(object) && i < archive_count(z); i++)
		if (is_code(archive_at(z, i)->name, top))
			return true;
	return false;
}

bool script_model(struct model *m, struct archive *z, const char *top, struct datum object, nns_error *err)
{
	nns_error local = { 0 };
	struct script *s = arena_alloc(m->arena, sizeof *s);
	struct builder b = { .model = m, .script = s, .arena = m->arena, .rt = m->runtime, .err = err ? err : &local };
	if (!s)
		return fail_memory(err);
	s->arena = m->arena;
	if (!add_all_code(&b, z, top) || !read_constants(&b, z, top))
		return false;
	m->root = object_module(&b, pickled_of(object));
	if (!m->root)
		return false;
	m->state_only = !script_forward(m->root->script);
	m->script = m->state_only ? NULL : s;
	return m->state_only || read_inputs(&b, z, top);
}
