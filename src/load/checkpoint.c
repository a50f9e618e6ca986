/*
 * A state dict's names are kept as they are.  Keys of dicts around it are
 * joined in front of them with dots, and so are the places of lists.  A pickled module is
 * rebuilt from its __dict__ (torch/nn/modules/module.py): _parameters,
 * _buffers, _modules, and the rest as attributes.
 */
#include "load/checkpoint.h"

#include <stdio.h>
#include <string.h>

#include "nn/runtime.h"

enum {
	MAX_DEPTH = 200,
	MAX_VISITS = 64000000,   /* few lists that hold one another can be entered in endlessly many ways */
	OBJECT = 64, TENSOR = 4  /* visits that they count as */
};

struct builder {
	struct state_tree tree;
	struct runtime *rt;
	size_t tensors, attributes, visits;
	struct map barren;       /* addresses of lists */
	int depth;
	nns_error *err;
};

static bool add_object(struct builder *b, const char *path, struct datum d);
static bool add_entries(struct builder *b, const char *path, const struct datum *keys, const struct datum *values, size_t n, size_t step);

static const char *joined(struct builder *b, const char *path, const char *name)
{
	return arena_printf(b->rt->arena, "%s%s%s", path, *path && *name ? "." : "", name);
}

/* ---- Modules ---- */

static bool spend(struct builder *b, size_t n)
{
	b->visits += n;
	return b->visits <= MAX_VISITS || fail(b->err, NNS_LIMIT, "the objects hold one another in too many ways");
}

static const struct datum *entry(struct datum d, const char *name)
{
	for (size_t i = 0; d.kind == D_DICT && i < d.u.dict->n; i++)
		if (d.u.dict->keys[i].kind == D_STR && strcmp(d.u.dict->keys[i].u.s, name) == 0)
			return &d.u.dict->values[i];
	return NULL;
}

/* The __dict__ of an object, whose state may also be a tuple of it and slots. */
static struct datum state_of(const struct pickled *p)
{
	struct datum first = datum_is_seq(p->args) && p->args.u.seq->n ? p->args.u.seq->items[0] : datum_none();
	if (p->state.kind == D_NONE && entry(first, "_modules"))
		return first;    /* torch.fx: reduce_graph_module(__dict__, ...) */
	if (datum_is_seq(p->state) && p->state.u.seq->n > 0)
		return p->state.u.seq->items[0];
	return p->state;
}

static bool is_module(struct datum d)
{
	const struct pickled *p = pickled_of(d);
	if (!p || p->kind != PICKLED_CALL)
		return false;
	struct datum state = state_of(p);
	return entry(state, "_modules") && entry(state, "_parameters");
}

/* TorchScript names classes __torch__.torch.nn.modules.linear.___torch_mangle_3.Linear. */
static bool is_script(struct datum d)
{
	const struct pickled *p = pickled_of(d);
	return p && p->kind == PICKLED_CALL && p->name && strncmp(p->name, "__torch__.", 10) == 0;
}

/* copyreg._reconstructor(class, object, None) and copyreg.__newobj__(class) name the class in their arguments. */
static const char *class_of(const struct pickled *p)
{
	const struct pickled *first = datum_is_seq(p->args) && p->args.u.seq->n ? pickled_of(p->args.u.seq->items[0]) : NULL;
	bool by_registry = p->name && (strncmp(p->name, "copyreg.", 8) == 0 || strncmp(p->name, "copy_reg.", 9) == 0);
	const char *name = by_registry && first && first->name ? first->name : p->name;
	return name ? name : "object";
}

static const char *last_part(const char *dotted)
{
	const char *dot = strrchr(dotted, '.');
	return dot ? dot + 1 : dotted;
}

/* What torch.nn.Module keeps for itself (torch/nn/modules/module.py: Module.__init__). */
static bool is_internal(const char *name)
{
	static const char *const names[] = { "_parameters", "_buffers", "_modules", "_non_persistent_buffers_set", "_is_full_backward_hook", "_backend", NULL };
	for (size_t i = 0; names[i]; i++)
		if (strcmp(names[i], name) == 0)
			return true;
	return name[0] == '_' && strstr(name, "_hooks");
}

/* TransformerEncoderLayer keeps its activation as a function. */
static bool named_function(struct builder *b, const char *name, struct datum *out)
{
	char text[80];
	int n = snprintf(text, sizeof text, "F.%s", name);
	struct scope scope = { 0 };
	struct code *c = n > 0 && (size_t)n < sizeof text ? lang_parse_expression(b->rt->arena, text, (size_t)n, name, NULL) : NULL;
	return c && lang_eval(&b->rt->interp, c, &scope, out, NULL);
}

/* Few lists that hold one another can print without end. */
static bool is_small(struct datum d, int *room, int depth)
{
	bool dict = d.kind == D_DICT, ok = --*room > 0 && depth < 50;
	size_t n = dict ? d.u.dict->n : datum_is_seq(d) ? d.u.seq->n : 0;
	for (size_t i = 0; ok && i < n; i++)
		ok = dict ? is_small(d.u.dict->keys[i], room, depth + 1) && is_small(d.u.dict->values[i], room, depth + 1)
		          : is_small(d.u.seq->items[i], room, depth + 1);
	return ok;
}

enum { ROOM = 100000 };      /* visits for one attribute */

static bool set_attributes(struct builder *b, struct module *m, struct datum state)
{
	for (size_t i = 0; state.kind == D_DICT && i < state.u.dict->n; i++) {
		struct datum key = state.u.dict->keys[i], v = state.u.dict->values[i];
		const struct pickled *p = pickled_of(v);
		int room = ROOM;
		if (key.kind != D_STR || is_internal(key.u.s))
			continue;
		bool small = !p && is_small(v, &room, 0);
		if (!spend(b, 1 + m->n_attributes + (size_t)(ROOM - room)))
			return false;
		if (strcmp(key.u.s, "training") == 0) {
			m->training = datum_truth(v);
			continue;
		}
		if (p && p->kind == PICKLED_GLOBAL && strncmp(p->name, "torch.", 6) == 0 && dtype_from_name(p->name + 6) != DT_NONE)
			v = (struct datum){ .kind = D_DTYPE, .u.i = dtype_from_name(p->name + 6) };
		else if (p && p->kind == PICKLED_GLOBAL && strncmp(p->name, "torch.nn.functional.", 20) == 0 && named_function(b, p->name + 20, &v))
			;
		else if (!small)
			continue;        /* an object of Python's: no attribute that forward code could use */
		if (!module_set_attribute(b->rt->arena, m, key.u.s, v))
			return fail_memory(b->err);
	}
	return true;
}

static bool set_tensors(struct builder *b, struct module *m, const struct datum *all, const struct datum *transient, bool parameters)
{
	const struct pickled *set = transient ? pickled_of(*transient) : NULL;
	for (size_t i = 0; all && all->kind == D_DICT && i < all->u.dict->n; i++) {
		struct datum key = all->u.dict->keys[i], v = all->u.dict->values[i];
		struct value *t = v.kind == D_TENSOR ? v.u.p : NULL;
		bool persistent = true;
		if (!spend(b, 1 + (set && datum_is_seq(set->items) ? set->items.u.seq->n : 0)))
			return false;
		if (key.kind != D_STR || (!t && v.kind != D_NONE))
			continue;
		for (size_t k = 0; set && datum_is_seq(set->items) && k < set->items.u.seq->n; k++)
			persistent = persistent && !datum_equal(set->items.u.seq->items[k], key);
		b->tensors += t != NULL;
		if (t)
			t->is_parameter = parameters;
		if (!(parameters ? module_set_parameter(b->rt->arena, m, key.u.s, t) : module_set_buffer(b->rt->arena, m, key.u.s, t, persistent)))
			return fail_memory(b->err);
	}
	return true;
}

static bool name_class(struct builder *b, struct module *m, const char *full)
{
	m->class_name = state_name(b->rt->arena, last_part(full));
	if (!m->class_name)
		return fail_memory(b->err);
	if (strncmp(full, "torch.nn.", 9) == 0)
		m->class = runtime_class(b->rt, m->class_name);
	return true;
}

/* A ParameterList is its parameters, and prints them; the names are kept as torch.nn's row keeps them. */
static bool name_parameters(struct builder *b, struct module *m)
{
	struct datum names;
	if (!m->class || strncmp(m->class_name, "Parameter", 9) != 0 || module_attribute(m, "_names"))
		return true;
	bool ok = datum_seq(b->rt->arena, D_LIST, m->n_parameters, &names);
	for (size_t i = 0; ok && i < m->n_parameters; i++)
		ok = seq_push(b->rt->arena, names.u.seq, datum_str(m->parameters[i].name));
	return (ok && module_set_attribute(b->rt->arena, m, "_names", names)) || fail_memory(b->err);
}

static bool add_children(struct builder *b, const char *path, struct module *m, const struct datum *all)
{
	for (size_t i = 0; all && all->kind == D_DICT && i < all->u.dict->n; i++) {
		struct datum key = all->u.dict->keys[i], v = all->u.dict->values[i];
		if (!spend(b, 1))
			return false;
		if (key.kind != D_STR)
			continue;
		if (v.kind == D_NONE && !module_set_child(b->rt->arena, m, key.u.s, NULL))
			return fail_memory(b->err);
		const char *child = joined(b, path, key.u.s);
		if (!child)
			return fail_memory(b->err);
		if (v.kind != D_NONE && !add_object(b, child, v))
			return false;
	}
	return true;
}

/* torchvision's classes are described; as in printed trees, they are made of their children. */
static bool adopt(struct builder *b, struct module *m, const char *full)
{
	nns_error ignored = { 0 };
	if (strncmp(full, "torchvision.", 12) != 0 || !(m->class = runtime_class(b->rt, m->class_name)))
		return true;
	if (!class_adopt(b->rt, m, &ignored))
		m->class = NULL;
	return true;
}

static bool add_module(struct builder *b, const char *path, const struct pickled *p)
{
	struct datum state = state_of(p);
	struct module *m = state_module(&b->tree, path, b->err);
	const struct datum *named = entry(state, "_graphmodule_cls_name");
	const char *class = named && named->kind == D_STR ? named->u.s : class_of(p);
	return m && name_class(b, m, class) && set_attributes(b, m, state)
	    && set_tensors(b, m, entry(state, "_parameters"), NULL, true) && name_parameters(b, m)
	    && set_tensors(b, m, entry(state, "_buffers"), entry(state, "_non_persistent_buffers_set"), false)
	    && add_children(b, path, m, entry(state, "_modules")) && adopt(b, m, class);
}

/* The attributes of a script's object: its tensors and its modules; the rest stays unread. */
static bool add_script(struct builder *b, const char *path, const struct pickled *p)
{
	struct datum state = state_of(p);
	struct module *m = state_module(&b->tree, path, b->err);
	if (!m || !name_class(b, m, p->name))
		return false;
	for (size_t i = 0; state.kind == D_DICT && i < state.u.dict->n; i++) {
		struct datum key = state.u.dict->keys[i], v = state.u.dict->values[i];
		if (!spend(b, 1))
			return false;
		if (key.kind != D_STR)
			continue;
		const char *name = joined(b, path, key.u.s);
		if (!name)
			return fail_memory(b->err);
		if (v.kind == D_TENSOR && (b->tensors++, !module_set_parameter(b->rt->arena, m, key.u.s, v.u.p)))
			return fail_memory(b->err);
		if (is_script(v) && !add_object(b, name, v))
			return false;
	}
	return true;
}

/* ---- Dicts and lists ---- */

/* str(key) */
static const char *key_text(struct builder *b, struct datum key)
{
	const struct pickled *p = pickled_of(key);
	struct text t;
	if (key.kind == D_STR)
		return key.u.s;
	text_init(&t);
	if (p && (p->kind == PICKLED_TEXT || p->kind == PICKLED_BYTES)) {
		text_add(&t, p->kind == PICKLED_BYTES ? "b'" : "");
		text_add_visible(&t, (const char *)p->bytes, p->n_bytes, "");
		text_add(&t, p->kind == PICKLED_BYTES ? "'" : "");
	} else if (p && p->kind == PICKLED_GLOBAL && strncmp(p->name, "torch.", 6) == 0)
		text_add_visible(&t, p->name, strlen(p->name), "");      /* dtypes are written so */
	else
		state_short(&t, key);
	char *s = t.failed ? NULL : arena_strndup(b->rt->arena, t.data ? t.data : "", t.len);
	text_release(&t);
	if (!s)
		fail_memory(b->err);
	return s;
}

/* What a call was given, when it stays an object: a named tuple's items. */
static bool args_hold(struct builder *b, const struct pickled *p);

static bool is_array_of_objects(struct datum d)
{
	return d.kind == D_TENSOR && ((const struct value *)d.u.p)->dtype == DT_NONE;
}

/* Whether there can be tensors in it. */
static bool holds(struct datum d)
{
	const struct pickled *p = pickled_of(d);
	return d.kind == D_TENSOR || d.kind == D_DICT || datum_is_seq(d) || (p && p->kind == PICKLED_CALL);
}

/* (0.9, 0.999) is one value, not two. */
static bool is_value(struct builder *b, struct datum d)
{
	const struct pickled *p = pickled_of(d);
	bool plain = datum_is_seq(d);
	if (!plain)
		return !holds(d) || is_array_of_objects(d) || (p && p->state.kind == D_NONE && p->items.kind == D_NONE && !args_hold(b, p));
	for (size_t i = 0; plain && i < d.u.seq->n && b->visits <= MAX_VISITS; i++, b->visits++)
		plain = !holds(d.u.seq->items[i]);
	return plain && b->visits <= MAX_VISITS;
}

enum { MAX_ARGUMENTS = 6 };      /* levels of lists in which tensors are looked for */

static bool has_tensor(struct builder *b, struct datum d, int depth)
{
	const struct pickled *p = pickled_of(d);
	if (d.kind == D_TENSOR)
		return !is_array_of_objects(d);
	if (depth == 0 || ++b->visits > MAX_VISITS)
		return false;
	if (p)
		return p->kind == PICKLED_CALL && (has_tensor(b, p->args, depth - 1) || has_tensor(b, p->state, depth - 1) || has_tensor(b, p->items, depth - 1));
	size_t n = d.kind == D_DICT ? d.u.dict->n : datum_is_seq(d) ? d.u.seq->n : 0;
	const struct datum *items = d.kind == D_DICT ? d.u.dict->values : n ? d.u.seq->items : NULL;
	for (size_t i = 0; i < n; i++)
		if (has_tensor(b, items[i], depth - 1))
			return true;
	return false;
}

static bool args_hold(struct builder *b, const struct pickled *p)
{
	return p->kind == PICKLED_CALL && has_tensor(b, p->args, MAX_ARGUMENTS);
}

/* Lists in which there was nothing are not entered again. */
static bool is_barren(struct builder *b, struct datum d)
{
	char key[32];
	snprintf(key, sizeof key, "%p", d.u.p);
	return map_has(&b->barren, key);
}

static bool add_list(struct builder *b, const char *path, const struct seq *all)
{
	size_t tensors = b->tensors, attributes = b->attributes;
	if (!add_entries(b, path, NULL, all->items, all->n, 1))
		return false;
	if (b->tensors != tensors || b->attributes != attributes)
		return true;
	char *key = arena_printf(b->rt->arena, "%p", (const void *)all);
	return (key && map_put(&b->barren, b->rt->arena, key, b)) || fail_memory(b->err);
}

static bool add_entry(struct builder *b, const char *path, const char *name, struct datum value)
{
	if (!name)
		return fail_memory(b->err);
	if (is_value(b, value)) {
		struct module *m = state_module(&b->tree, path, b->err);
		b->attributes++;
		return m && (module_add_attribute(b->rt->arena, m, name, value) || fail_memory(b->err));
	}
	const char *full = joined(b, path, name);
	return full ? add_object(b, full, value) : fail_memory(b->err);
}

/* values of a dict, or of a list when keys is NULL; step 2: key and value in turn */
static bool add_entries(struct builder *b, const char *path, const struct datum *keys, const struct datum *values, size_t n, size_t step)
{
	if (!spend(b, n))
		return false;
	for (size_t i = 0; i < n; i += step) {
		if (!keys && (!holds(values[i]) || is_value(b, values[i]) || (datum_is_seq(values[i]) && is_barren(b, values[i]))))
			continue;        /* only what is named is shown */
		const char *name = keys ? key_text(b, keys[i]) : arena_printf(b->rt->arena, "%zu", i);
		if (!add_entry(b, path, name, values[i]))
			return false;
	}
	return true;
}

/* An object of a class of the user's: what it holds, once. */
static bool add_other(struct builder *b, const char *path, struct pickled *p)
{
	struct datum state = state_of(p);
	if (p->seen)
		return true;
	p->seen = true;
	if (args_hold(b, p) && !add_entries(b, path, NULL, p->args.u.seq->items, p->args.u.seq->n, 1))
		return false;
	if (state.kind == D_DICT && !add_object(b, path, state))
		return false;
	if (p->items.kind != D_LIST)
		return true;
	const struct seq *all = p->items.u.seq;
	return p->pairs ? add_entries(b, path, all->items, all->items + 1, all->n, 2) : add_entries(b, path, NULL, all->items, all->n, 1);
}

static bool add_tensor(struct builder *b, const char *path, struct value *v)
{
	b->tensors++;
	return state_add(&b->tree, path, v, b->err);
}

static bool add_object(struct builder *b, const char *path, struct datum d)
{
	if (b->depth >= MAX_DEPTH)
		return fail(b->err, NNS_LIMIT, "objects are nested more than %d deep", MAX_DEPTH);
	if (!spend(b, 2 * strlen(path) + (d.kind == D_TENSOR ? TENSOR : OBJECT)))
		return false;
	b->depth++;
	bool ok = true;
	struct pickled *p = pickled_of(d);
	if (d.kind == D_TENSOR)
		ok = is_array_of_objects(d) || add_tensor(b, path, d.u.p);
	else if (d.kind == D_DICT)
		ok = add_entries(b, path, d.u.dict->keys, d.u.dict->values, d.u.dict->n, 1);
	else if (datum_is_seq(d))
		ok = add_list(b, path, d.u.seq);
	else if (is_module(d))
		ok = add_module(b, path, p);
	else if (is_script(d))
		ok = add_script(b, path, p);
	else if (p && p->kind == PICKLED_CALL)
		ok = add_other(b, path, p);
	b->depth--;
	return ok;
}

bool checkpoint_model(struct model *m, struct datum object, nns_error *err)
{
	struct builder b = { .rt = m->runtime, .err = err };
	if (!state_begin(&b.tree, m, false, err) || !add_object(&b, "", object) || !state_finish(&b.tree, err))
		return false;
	m->state_only = !is_module(object);
	if (b.tensors == 0 && !is_module(object) && !is_script(object))
		m->note = "the file holds no tensors";
	return true;
}
