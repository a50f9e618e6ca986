/* get and check: expressions of the forward language over a model. */
#include <ctype.h>
#include <string.h>

#include "nn/nn.h"
#include "trace/trace.h"

static bool uses_word(const char *text, const char *word)
{
	size_t n = strlen(word);
	for (const char *p = text; (p = strstr(p, word)); p += n) {
		bool starts = p == text || (!isalnum((unsigned char)p[-1]) && p[-1] != '_' && p[-1] != '.');
		if (starts && !isalnum((unsigned char)p[n]) && p[n] != '_')
			return true;
	}
	return false;
}

static bool push_inputs(struct model *m, const struct graph *g, struct datum *out)
{
	const struct graph_input *in = g ? g->inputs : m->inputs;
	size_t n = g ? g->n_inputs : m->n_inputs;
	if (!datum_seq(m->arena, D_LIST, n, out))
		return false;
	for (size_t i = 0; i < n; i++)
		if (!seq_push(m->arena, out->u.seq, datum_pointer(D_TENSOR, in[i].value)))
			return false;
	return true;
}

/* model, input, inputs, output; a member of the model of the same name comes first. */
static bool make_scope(struct model *m, struct graph *g, const char *expression, struct scope *s, nns_error *err)
{
	struct trace_options o = { .no_grad = true };
	struct datum inputs;
	bool taken = module_child(m->root, "output") != NULL;
	if (!g && !taken && uses_word(expression, "output") && !(g = trace(m, &o, err)))
		return false;
	if (!push_inputs(m, g, &inputs) || !scope_set(m->arena, s, "model", datum_pointer(D_MODULE, m->root)) || !scope_set(m->arena, s, "inputs", inputs))
		return fail_memory(err);
	if (inputs.u.seq->n && !module_child(m->root, "input") && !scope_set(m->arena, s, "input", inputs.u.seq->items[0]))
		return fail_memory(err);
	return !g || taken || scope_set(m->arena, s, "output", g->output) || fail_memory(err);
}

static bool evaluate(struct model *m, const struct code *code, struct scope *s, struct datum *out, nns_error *err)
{
	struct runtime *rt = m->runtime;
	rt->root = m->root;
	rt->interp.steps = 0;
	bool ok = lang_eval(&rt->interp, code, s, out, err);
	rt->root = NULL;
	return ok;
}

static bool write_repr(struct model *m, struct datum v, struct text *out, nns_error *err)
{
	struct runtime *rt = m->runtime;
	const struct module *module = v.kind == D_MODULE ? v.u.p : NULL;
	if (!module) {
		datum_repr(out, v, rt->interp.host->repr);
		return true;
	}
	text_addf(out, "%s(", module->class_name);
	bool ok = module_repr(rt, module, rt->torch_version, out, err);
	text_add(out, ")");
	return ok;
}

static struct code *parse(struct model *m, const char *expression, nns_error *err)
{
	return lang_parse_expression(m->arena, expression, strlen(expression), expression, err);
}

/* "layer1.0.conv1" as an expression: "model.layer1[0].conv1". */
static bool by_items(const char *path, struct text *out)
{
	text_add(out, "model");
	for (const char *p = path; ; p++) {
		size_t n = strcspn(p, "."), digits = strspn(p, "0123456789");
		text_addf(out, digits == n ? "[%.*s]" : ".%.*s", (int)n, p);
		p += n;
		if (n == 0 || !*p)
			return n > 0 && !out->failed;
	}
}

/* The same where modules have no items: "getattr(model.get_submodule('0'), 'weight')". */
static bool by_names(const char *path, struct text *out)
{
	const char *dot = strrchr(path, '.');
	if (dot)
		text_addf(out, "getattr(model.get_submodule('%.*s'), '%s')", (int)(dot - path), path, dot + 1);
	else
		text_addf(out, "getattr(model, '%s')", path);
	return !out->failed;
}

/* The names that params and tree print are not all expressions.  Always false. */
static bool add_hint(struct model *m, const char *expression, nns_error *err)
{
	static bool (*const ways[])(const char *path, struct text *out) = { by_items, by_names };
	bool found = expression[strspn(expression, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.")] || strncmp(expression, "model", 5) == 0;
	for (size_t i = 0; i < 2 && !found; i++) {
		struct text t;
		struct scope s = { 0 };
		struct datum v;
		const struct code *code = NULL;
		text_init(&t);
		found = ways[i](expression, &t) && (code = parse(m, t.data, NULL)) && make_scope(m, NULL, t.data, &s, NULL) && evaluate(m, code, &s, &v, NULL);
		if (found)
			fail_add(err, "; here it is %s", t.data);
		text_release(&t);
	}
	return false;
}

bool query_get(struct model *m, struct graph *g, const char *expression, const struct module **module, struct text *out, nns_error *err)
{
	struct scope s = { 0 };
	struct datum v;
	const struct code *code = parse(m, expression, err);
	if (!code || !make_scope(m, g, expression, &s, err) || !evaluate(m, code, &s, &v, err))
		return add_hint(m, expression, err);
	*module = v.kind == D_MODULE ? v.u.p : NULL;
	if (!*module && !write_repr(m, v, out, err))
		return false;
	return !out->failed || fail_memory(err);
}

bool query_check(struct model *m, struct graph *g, const char *expression, bool *holds, struct text *left, struct text *right, nns_error *err)
{
	struct runtime *rt = m->runtime;
	struct scope s = { 0 };
	struct datum v, a, b;
	const struct code *code = parse(m, expression, err), *x, *y;
	const char *op;
	if (!code || !make_scope(m, g, expression, &s, err) || !evaluate(m, code, &s, &v, err))
		return false;
	if (v.kind == D_TENSOR ? !rt->interp.host->truth(&rt->interp, v, holds, err) : (*holds = datum_truth(v), false))
		return false;
	if (*holds || !lang_comparison_sides(code, &x, &op, &y))
		return true;
	return evaluate(m, x, &s, &a, err) && evaluate(m, y, &s, &b, err) && write_repr(m, a, left, err) && write_repr(m, b, right, err);
}
