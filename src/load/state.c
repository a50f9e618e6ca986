#include "load/state.h"

#include <string.h>

#include "load/pickle.h"
#include "nn/runtime.h"

enum {
	MAX_NESTED = 200,        /* dots in a name */
	MAX_SHOWN = 100,         /* attributes of a module */
	MAX_TEXT = 72            /* bytes of one that is shown */
};

static const char no_class[] = "Module";

const char *state_name(struct arena *a, const char *name)
{
	struct text t;
	if (text_is_visible(name, ""))
		return name;
	text_init(&t);
	text_add_visible(&t, name, strlen(name), "");
	char *s = t.failed ? NULL : arena_strndup(a, t.data, t.len);
	text_release(&t);
	return s;
}

bool state_begin(struct state_tree *s, struct model *m, bool unique, nns_error *err)
{
	*s = (struct state_tree){ .model = m, .unique = unique };
	m->state_only = true;
	m->root = state_module(s, "", err);
	return m->root != NULL;
}

static struct module *add_module(struct state_tree *s, const char *path, size_t n, nns_error *err)
{
	struct arena *a = s->model->arena;
	char *copy = arena_strndup(a, path, n);
	struct module *m = copy ? module_new(runtime_of_model(s->model), NULL, no_class, err) : NULL;
	if (!copy || (m && !map_put(&s->modules, a, copy, m)))
		return fail_memory(err), NULL;
	return m;
}

/* From the root down, so that nothing recurs. */
static struct module *module_n(struct state_tree *s, const char *path, size_t n, nns_error *err)
{
	struct arena *a = s->model->arena;
	struct module *m = map_get_n(&s->modules, path, n), *parent;
	int depth = 0;
	if (m)
		return m;
	if (n == 0)
		return add_module(s, path, 0, err);
	parent = map_get_n(&s->modules, path, 0);
	for (size_t from = 0, end; from <= n; from = end + 1, parent = m) {
		const char *dot = memchr(path + from, '.', n - from);
		end = dot ? (size_t)(dot - path) : n;
		if (++depth > MAX_NESTED)
			return fail(err, NNS_LIMIT, "the name '%.60s...' nests more than %d modules", path, MAX_NESTED), NULL;
		if (end > 0 && (m = map_get_n(&s->modules, path, end)))
			continue;
		char *name = arena_strndup(a, path + from, end - from);
		m = name ? add_module(s, path, end, err) : (fail_memory(err), NULL);
		if (!m)
			return NULL;
		if (!module_set_child(a, parent, name, m))
			return fail_memory(err), NULL;
	}
	return m;
}

struct module *state_module(struct state_tree *s, const char *path, nns_error *err)
{
	return module_n(s, path, strlen(path), err);
}

bool state_add(struct state_tree *s, const char *name, struct value *v, nns_error *err)
{
	struct arena *a = s->model->arena;
	char *copy = arena_strdup(a, name), *dot = copy ? strrchr(copy, '.') : NULL;
	if (!copy)
		return fail_memory(err);
	struct module *m = module_n(s, copy, dot ? (size_t)(dot - copy) : 0, err);
	if (!m)
		return false;
	if (s->unique && map_has(&s->names, copy))
		return fail(err, NNS_FORMAT, "%s is there twice", name);
	v->is_parameter = true;
	return (map_put(&s->names, a, copy, v) && module_add_parameter(a, m, dot ? dot + 1 : copy, v)) || fail_memory(err);
}

/* ---- What is shown ---- */

static void add_object(struct text *t, const struct pickled *p)
{
	switch (p ? p->kind : PICKLED_OTHER) {
	case PICKLED_GLOBAL: text_addf(t, "<%.60s>", p->name); break;
	case PICKLED_CALL: text_addf(t, "<%.60s object>", p->name ? p->name : "unnamed"); break;
	case PICKLED_BYTES: text_addf(t, "<%zu bytes>", p->n_bytes); break;
	case PICKLED_TEXT: text_addf(t, "<str of %zu bytes>", p->n_bytes); break;
	case PICKLED_INT: text_addf(t, "<int of %zu bytes>", p->n_bytes); break;
	case PICKLED_SET: text_addf(t, "<set of %zu>", p->items.kind == D_LIST ? p->items.u.seq->n : 0); break;
	default: text_add(t, "<object>"); break;
	}
}

static void add_one(struct text *t, struct datum d)
{
	struct text whole;
	if (d.kind == D_HOST) {
		add_object(t, pickled_of(d));
		return;
	}
	if (d.kind == D_TENSOR) {
		text_add(t, "<array>");          /* one of no numbers: others are listed */
		return;
	}
	text_init(&whole);
	if (d.kind == D_DICT)
		text_addf(&whole, "<dict of %zu>", d.u.dict->n);
	else
		datum_repr(&whole, d, NULL);
	size_t n = whole.len < MAX_TEXT ? whole.len : MAX_TEXT;
	while (n < whole.len && ((unsigned char)whole.data[n] & 0xc0) == 0x80)
		n--;             /* not in the middle of a character */
	text_addn(t, whole.data ? whole.data : "", n);
	text_add(t, whole.len > n ? "..." : "");
	t->failed = t->failed || whole.failed;
	text_release(&whole);
}

static void add_short(struct text *t, struct datum d, int depth)
{
	if (!datum_is_seq(d)) {
		add_one(t, d);
		return;
	}
	text_addc(t, d.kind == D_LIST ? '[' : '(');
	for (size_t i = 0; i < d.u.seq->n; i++) {
		text_add(t, i ? ", " : "");
		if (i == 8 || depth == 2) {
			text_add(t, "...");
			break;
		}
		add_short(t, d.u.seq->items[i], depth + 1);
	}
	text_add(t, d.kind == D_LIST ? "]" : d.u.seq->n == 1 ? ",)" : ")");
}

void state_short(struct text *t, struct datum d)
{
	add_short(t, d, 0);
}

static void add_line(struct text *t, const char *name)
{
	text_add(t, t->len ? "\n" : "");
	text_add_visible(t, name, strlen(name), "");
	text_add(t, ": ");
}

static void describe(struct text *t, const struct module *m)
{
	for (size_t i = 0; i < m->n_parameters; i++) {
		const struct value *v = m->parameters[i].value;
		add_line(t, m->parameters[i].name);
		text_addf(t, "%s%s%s ", dtype_name(v->dtype), v->layout ? " " : "", v->layout ? v->layout : "");
		shape_add_list(t, v);
	}
	for (size_t i = 0; i < m->n_attributes && i < MAX_SHOWN; i++) {
		add_line(t, m->attributes[i].name);
		add_short(t, m->attributes[i].value, 0);
	}
	if (m->n_attributes > MAX_SHOWN)
		text_addf(t, "\n... and %zu more", m->n_attributes - MAX_SHOWN);
}

bool state_finish(struct state_tree *s, nns_error *err)
{
	struct text t;
	bool ok = true;
	text_init(&t);
	for (size_t i = 0; ok && i < s->modules.n; i++) {
		struct module *m = s->modules.entries[i].value;
		if (m->class_name != no_class)
			continue;
		text_clear(&t);
		describe(&t, m);
		m->printed = t.failed ? NULL : arena_strndup(s->model->arena, t.data ? t.data : "", t.len);
		ok = m->printed != NULL;
	}
	text_release(&t);
	return ok || fail_memory(err);
}
