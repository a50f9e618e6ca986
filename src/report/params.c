/* Parameters and buffers, and their totals. */

#include "report/table.h"

struct totals {
	int64_t trainable, frozen, buffers, bytes;
	bool unknown;            /* of some class, or some shape, nobody knows */
};

static const struct column columns[] = {
	{ "name", false, false, true }, { "kind", false, false, false }, { "dtype", false, false, false }, { "shape", false, false, true },
	{ "requires_grad", true, true, false },
};

/* Tied tensors count once: their note says that they have been. */
static void count(struct totals *t, struct value *v, bool buffer)
{
	int64_t n = value_numel(v);
	if (v->note == t)
		return;
	v->note = t;
	if (n < 0)
		t->unknown = true;
	else
		*(buffer ? &t->buffers : v->requires_grad ? &t->trainable : &t->frozen) += n, t->bytes += value_bytes(v);
}

static bool add_tensors(struct table *t, struct totals *totals, const struct walk *w, bool buffers)
{
	const struct parameter *all = buffers ? w->module->buffers : w->module->parameters;
	size_t n = buffers ? w->module->n_buffers : w->module->n_parameters;
	for (size_t i = 0; i < n; i++) {
		struct value *v = all[i].value;
		if (!v)
			continue;
		table_cellf(t, "%s%s%s", w->path, *w->path ? "." : "", all[i].name);
		table_word(t, buffers ? "buffer" : "parameter");
		if (v->layout)
			table_cellf(t, "%s %s", dtype_name(v->dtype), v->layout);
		else
			table_word(t, dtype_name(v->dtype));
		table_word(t, shape_cell(t->arena, v));
		table_word(t, v->requires_grad ? "1" : "0");
		count(totals, v, buffers);
	}
	return !t->failed;
}

static bool add_all(struct table *t, struct totals *totals, const struct model *m, bool buffers)
{
	struct walk w;
	bool ok = true;
	for (walk_begin(&w, m->root, true); ok && walk_next(&w); ) {
		ok = add_tensors(t, totals, &w, buffers);
		totals->unknown = totals->unknown || w.module->params_unknown;
	}
	ok = ok && !w.failed;
	walk_end(&w);
	return ok;
}

static void forget_counted(const struct model *m)
{
	struct walk w;
	for (walk_begin(&w, m->root, false); walk_next(&w); ) {
		for (size_t i = 0; i < w.module->n_parameters; i++)
			if (w.module->parameters[i].value)
				w.module->parameters[i].value->note = NULL;
		for (size_t i = 0; i < w.module->n_buffers; i++)
			if (w.module->buffers[i].value)
				w.module->buffers[i].value->note = NULL;
	}
	walk_end(&w);
}

static void add_total(struct text *out, const char *name, int64_t n)
{
	text_addf(out, "%s: ", name);
	text_add_grouped(out, n);
	text_addc(out, '\n');
}

static void add_totals(struct text *out, const struct totals *t)
{
	text_addc(out, '\n');
	add_total(out, "Trainable parameters", t->trainable);
	add_total(out, "Frozen parameters", t->frozen);
	add_total(out, "Elements of buffers", t->buffers);
	add_total(out, "Bytes", t->bytes);
	if (t->unknown)
		text_add(out, "Some classes are unknown or not initialised: what they hold is not counted.\n");
}

bool report_params(const struct model *m, const struct report_options *o, struct text *out, nns_error *err)
{
	struct table t;
	struct totals totals = { 0 };
	table_init(&t, m->arena, columns, sizeof columns / sizeof *columns);
	bool all = add_all(&t, &totals, m, false) && add_all(&t, &totals, m, true);
	forget_counted(m);
	if (!all)
		return fail_memory(err);
	if (!table_write(&t, o, out, err))
		return false;
	if (o->format == FORMAT_TABLE || o->format == FORMAT_MARKDOWN)
		add_totals(out, &totals);
	return !out->failed || fail_memory(err);
}
