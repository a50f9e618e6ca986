/* What a file is: its kind and origin, what it holds, and which commands have something to say about it. */

#include "report/report.h"

struct tally {
	size_t tensors[2], modules;      /* parameters, buffers */
	int64_t elements[2], bytes;
	bool unknown;
	size_t dtypes[DT_COUNT];
	struct map layouts, seen;        /* tied tensors have their bytes once */
};

static bool tally_one(struct arena *a, struct tally *t, const struct value *v, int buffer)
{
	char *key = arena_printf(a, "%p", (const void *)v);
	int64_t n = value_numel(v);
	t->tensors[buffer]++;
	if (!key)
		return false;
	if (map_has(&t->seen, key))
		return true;
	if ((int)v->dtype >= 0 && v->dtype < DT_COUNT)
		t->dtypes[v->dtype]++;
	if (n < 0)
		t->unknown = true;
	else
		t->elements[buffer] += n, t->bytes += v->layout ? 0 : value_bytes(v);
	if (v->layout && !map_put(&t->layouts, a, v->layout, t))
		return false;
	return map_put(&t->seen, a, key, key);
}

static bool tally_module(struct arena *a, struct tally *t, const struct module *m)
{
	t->modules++;
	t->unknown = t->unknown || m->params_unknown;
	for (size_t i = 0; i < m->n_parameters; i++)
		if (m->parameters[i].value && !tally_one(a, t, m->parameters[i].value, 0))
			return false;
	for (size_t i = 0; i < m->n_buffers; i++)
		if (m->buffers[i].value && !tally_one(a, t, m->buffers[i].value, 1))
			return false;
	return true;
}

static bool tally_model(const struct model *m, struct tally *t)
{
	struct walk w;
	bool ok = true;
	for (walk_begin(&w, m->root, true); ok && walk_next(&w); )
		ok = tally_module(m->arena, t, w.module);
	ok = ok && !w.failed;
	walk_end(&w);
	return ok;
}

static void add_tensors(struct text *out, const char *title, size_t n, int64_t elements)
{
	text_addf(out, "  %-12s", title);
	text_add_grouped(out, (int64_t)n);
	if (n) {
		text_add(out, ", of ");
		text_add_grouped(out, elements);
		text_add(out, " elements");
	}
	text_addc(out, '\n');
}

static void add_dtypes(struct text *out, const struct tally *t)
{
	bool any = false;
	text_addf(out, "  %-12s", "dtypes");
	for (int d = 0; d < DT_COUNT; d++) {
		if (!t->dtypes[d])
			continue;
		text_addf(out, "%s%s (%zu)", any ? ", " : "", dtype_name((enum dtype)d), t->dtypes[d]);
		any = true;
	}
	for (size_t i = 0; i < t->layouts.n; i++)
		text_addf(out, ", %s", t->layouts.entries[i].key);
	text_add(out, any ? "\n" : "none\n");
}

/* Defaults; sizes that are free are shown as they are written, and what they were for the example inputs. */
static void add_inputs(struct text *out, const struct model *m)
{
	for (size_t i = 0; i < m->n_inputs; i++) {
		const struct graph_input *in = &m->inputs[i];
		text_addf(out, "  %-12s%s%s%s ", i ? "" : "inputs", in->name ? in->name : "", in->name ? ": " : "", dtype_name(in->value->dtype));
		if (in->symbols)
			text_addf(out, "[%s], for example ", in->symbols);
		shape_add_list(out, in->value);
		text_addc(out, '\n');
	}
}

static void add_commands(struct text *out, const struct model *m)
{
	text_addf(out, "  %-12s", "commands");
	if (m->program || m->script || (!m->state_only && m->root->class))
		text_addf(out, "tree, params, shapes, summary, flops, graph, run, weights, diff, get, check%s\n", m->script ? ", code, audit" : m->program ? ", audit" : "");
	else
		text_addf(out, "tree, params, weights, diff, get, check%s\n",
		          m->state_only ? "; there is no graph, run DESCRIPTION --weights FILE uses the tensors" : "; its class is unknown, so there is no graph");
}

bool report_overview(const struct model *m, struct text *out, nns_error *err)
{
	struct tally t = { 0 };
	if (!tally_model(m, &t))
		return fail_memory(err);
	text_addf(out, "%s: %s%s%s\n", m->name, m->kind, m->origin ? ", by " : "", m->origin ? m->origin : "");
	add_tensors(out, "parameters", t.tensors[0], t.elements[0]);
	add_tensors(out, "buffers", t.tensors[1], t.elements[1]);
	text_addf(out, "  %-12s", "bytes");
	text_add_grouped(out, t.bytes);
	text_add(out, t.unknown ? ", without what is not known\n" : "\n");
	add_dtypes(out, &t);
	text_addf(out, "  %-12s", "modules");
	text_add_grouped(out, (int64_t)t.modules);
	text_addc(out, '\n');
	add_inputs(out, m);
	add_commands(out, m);
	return !out->failed || fail_memory(err);
}
