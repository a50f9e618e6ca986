/*
 * A printed module becomes a constructor call where its class is known:
 * Conv2d(3, 64, kernel_size=(7, 7)) is one already.  Words that Python would
 * not know are strings (mode=nearest), and `inplace` alone is inplace=True, as
 * PyTorch printed it until 1.1.
 */
#include "load/printed.h"

#include <ctype.h>
#include <string.h>

#include "nn/runtime.h"

/* ---- Arguments as Python ---- */

static bool is_word(const char *s, size_t n)
{
	if (!n || !(isalpha((unsigned char)*s) || *s == '_'))
		return false;
	for (size_t i = 0; i < n; i++)
		if (!isalnum((unsigned char)s[i]) && s[i] != '_' && !(s[i] == '-' && i + 1 < n && isalpha((unsigned char)s[i + 1])))
			return false; /* nearest-exact is one word */
	return !(n == 4 && (memcmp(s, "None", 4) == 0 || memcmp(s, "True", 4) == 0)) && !(n == 5 && memcmp(s, "False", 5) == 0);
}

static void add_value(struct text *t, const char *s, size_t n)
{
	if (n == 3 && (memcmp(s, "inf", 3) == 0 || memcmp(s, "nan", 3) == 0)) {
		text_addf(t, "float('%.3s')", s);
		return;
	}
	const char *quote = is_word(s, n) ? "'" : "";
	text_add(t, quote);
	text_addn(t, s, n);
	text_add(t, quote);
}

static void add_argument(struct text *t, const char *s, size_t n)
{
	size_t name = 0;
	while (n && isspace((unsigned char)*s))
		s++, n--;
	while (n && isspace((unsigned char)s[n - 1]))
		n--;
	while (name < n && (isalnum((unsigned char)s[name]) || s[name] == '_'))
		name++;
	if (n == 7 && memcmp(s, "inplace", 7) == 0) {
		text_add(t, "inplace=True");
	} else if (name > 0 && name < n && s[name] == '=' && s[name + 1] != '=') {
		text_addn(t, s, name + 1);
		add_value(t, s + name + 1, n - name - 1);
	} else {
		add_value(t, s, n);
	}
}

/* Splits at commas that stand outside of brackets and strings. */
static void add_arguments(struct text *t, const char *s, size_t n)
{
	size_t start = 0;
	int depth = 0;
	char quote = 0;
	for (size_t i = 0; i <= n; i++) {
		char c = i < n ? s[i] : ',';
		if (quote && i < n) {
			quote = c == quote ? 0 : quote;
		} else if (c == '\'' || c == '"') {
			quote = c;
		} else if (strchr("([{", c) && c) {
			depth++;
		} else if (strchr(")]}", c) && c) {
			depth--;
		} else if ((c == ',' && depth == 0) || i == n) {
			if (i > start) {
				text_add(t, t->len ? ", " : "");
				add_argument(t, s + start, i - start);
			}
			start = i + 1;
		}
	}
}

/* ---- Construction ---- */

static bool printed_args(struct runtime *rt, const char *own, size_t n, struct lang_args *args, nns_error *err)
{
	struct text t, call;
	text_init(&t);
	text_init(&call);
	add_arguments(&t, own, n);
	text_addf(&call, "_(%s)", t.data ? t.data : "");
	const struct code *code = call.failed || t.failed ? NULL : lang_parse_expression(rt->arena, call.data, call.len, "printed", err);
	text_release(&t);
	text_release(&call);
	return code && lang_eval_args(&rt->interp, code, NULL, args, err);
}

/* The names that the constructor has, out of the signature of the printed text. */
static bool constructor_args(struct runtime *rt, const struct nn_class *c, const struct lang_args *printed, struct lang_args *out, nns_error *err)
{
	struct signature sig;
	const struct signature *own;
	struct scope scope = { 0 };
	if (!lang_parse_signature(rt->arena, c->printed, c->name, &sig, err) || !lang_bind(&rt->interp, &sig, c->name, printed, &scope, err)
	    || !class_signature(rt, c, false, &own, err))
		return false;
	out->names = arena_array(rt->arena, own->n + 1, sizeof *out->names);
	out->values = arena_array(rt->arena, own->n + 1, sizeof *out->values);
	if (!out->names || !out->values)
		return fail_memory(err);
	for (size_t i = 0; i < own->n; i++) {
		const struct datum *v = scope_get(&scope, own->params[i].name);
		if (!v)
			continue;
		out->names[out->n_named] = own->params[i].name;
		out->values[out->n_named++] = *v;
	}
	return true;
}

static struct module *construct(struct runtime *rt, const struct nn_class *c, const char *own, size_t n)
{
	struct lang_args printed = { 0 }, args = { 0 };
	nns_error ignored = { 0 };
	if (!printed_args(rt, own, n, &printed, &ignored))
		return NULL;
	if (!c->printed)
		return class_construct(rt, c, &printed, &ignored);
	return constructor_args(rt, c, &printed, &args, &ignored) ? class_construct(rt, c, &args, &ignored) : NULL;
}

static bool move_children(struct runtime *rt, struct module *m, const struct module *holder)
{
	for (size_t i = 0; i < holder->n_children; i++)
		if (!module_set_child(rt->arena, m, holder->children[i].name, holder->children[i].module))
			return false;
	return true;
}

/* A class that prints its children: made of them, by its `adopt`. */
static struct module *assemble(struct runtime *rt, const struct nn_class *c, const char *name, const struct module *holder, nns_error *err)
{
	nns_error ignored = { 0 };
	struct module *m = module_new(rt, c, name, err);
	if (!m)
		return NULL;
	if (!move_children(rt, m, holder))
		return fail_memory(err), NULL;
	if (c && !class_adopt(rt, m, &ignored)) {
		m->class = NULL;
		m->params_unknown = true;
	}
	return m;
}

struct module *printed_module(struct model *m, const char *name, const char *own, size_t n, const struct module *holder, nns_error *err)
{
	struct runtime *rt = m->runtime;
	const struct nn_class *c = runtime_class(rt, name);
	struct module *made = NULL;
	if (c && !c->adopt && (holder->n_children == 0 || (c->repr && n > 0))) {
		made = construct(rt, c, own, n);
		if (made && !move_children(rt, made, holder))
			return fail_memory(err), NULL;
	}
	if (!made) {
		bool whole = c && (holder->n_children || c->container || n == 0);
		if (!(made = assemble(rt, whole ? c : NULL, name, holder, err)))
			return NULL;
		made->params_unknown = made->params_unknown || !whole;
	}
	if (!(made->printed = arena_strndup(rt->arena, own, n)))
		return fail_memory(err), NULL;
	size_t n_tensors;
	if (!printed_tensors(rt->arena, made, made->printed, &n_tensors, err))
		return NULL;
	if (n_tensors && c && strncmp(name, "Parameter", 9) == 0) {
		made->class = c;
		made->params_unknown = false;
	}
	return made;
}
