/* torchinfo's table: torchinfo/formatting.py and model_statistics.py. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/nearest.h"
#include "report/layers.h"

enum { COLUMN_WIDTH = 25, NAME_WIDTH = 40 };
enum cell { CELL_INPUT, CELL_OUTPUT, CELL_PARAMS, CELL_PERCENT, CELL_KERNEL, CELL_MACS, CELL_TRAINABLE, CELL_COUNT };

static const struct { const char *name, *title; } cells[] = {
	{ "input_size", "Input Shape" }, { "output_size", "Output Shape" }, { "num_params", "Param #" }, { "params_percent", "Param %" },
	{ "kernel_size", "Kernel Shape" }, { "mult_adds", "Mult-Adds" }, { "trainable", "Trainable" },
};

struct summary {
	const struct layers *layers;
	enum cell columns[16]; size_t n_columns;
	bool show_depth, show_names, ascii, hide_recursive;
	int max_depth;
	size_t name_width;
	struct text *out;
};

/* ---- Options ---- */

static bool next_word(const char **p, char *word, size_t size)
{
	*p += strspn(*p, ", ");
	size_t n = strcspn(*p, ", ");
	if (n == 0)
		return false;
	size_t kept = n < size ? n : size - 1;
	memcpy(word, *p, kept);
	word[kept] = 0;
	*p += n;
	return true;
}

static bool read_columns(struct summary *s, const char *names, nns_error *err)
{
	char word[40];
	const char *known[CELL_COUNT];
	for (size_t i = 0; i < CELL_COUNT; i++)
		known[i] = cells[i].name;
	for (const char *p = names ? names : "output_size,num_params"; next_word(&p, word, sizeof word); ) {
		size_t i = 0;
		while (i < CELL_COUNT && strcmp(known[i], word) != 0)
			i++;
		if (i == CELL_COUNT) {
			const char *near = nearest_of(word, known, CELL_COUNT);
			fail(err, NNS_USAGE, "unknown column '%s'", word);
			if (near)
				return fail_add(err, "; did you mean '%s'?", near);
			for (i = 0; i < CELL_COUNT; i++)
				fail_add(err, "%s%s", i ? ", " : "; there are ", known[i]);
			return false;
		}
		if (s->n_columns == sizeof s->columns / sizeof *s->columns)
			return fail(err, NNS_USAGE, "too many columns");
		s->columns[s->n_columns++] = (enum cell)i;
	}
	return true;
}

static bool read_rows(struct summary *s, const char *names, nns_error *err)
{
	const struct { const char *name; bool *flag; } known[] = { { "depth", &s->show_depth }, { "var_names", &s->show_names },
		{ "ascii_only", &s->ascii }, { "hide_recursive_layers", &s->hide_recursive } };
	char word[40];
	for (const char *p = names ? names : "depth"; next_word(&p, word, sizeof word); ) {
		size_t i = 0;
		while (i < 4 && strcmp(known[i].name, word) != 0)
			i++;
		if (i == 4)
			return fail(err, NNS_USAGE, "unknown row setting '%s'; depth, var_names, ascii_only and hide_recursive_layers are known", word);
		*known[i].flag = true;
	}
	return true;
}

/* ---- Cells ---- */

static void add_sizes(struct text *t, const struct value *v)
{
	if (!v || v->ndim <= 0)
		text_add(t, v && v->ndim < 0 ? "?" : "--");
	else
		shape_add_list(t, v);
}

static void add_kernel(struct text *t, const struct module *m)
{
	const struct datum *k = module_attribute(m, "kernel_size");
	struct datum list;
	if (!k || (datum_is_seq(*k) && k->u.seq->n == 0) || !datum_truth(*k)) {
		text_add(t, "--");
		return;
	}
	list = *k;
	if (list.kind == D_TUPLE)
		list.kind = D_LIST;
	datum_repr(t, list, NULL);
}

static void add_params(struct text *t, const struct layer *l, bool deepest)
{
	if (l->params == 0) {
		text_add(t, "--");
	} else if (l->recursive) {
		text_add(t, "(recursive)");
	} else if (deepest || l->leaf) {
		text_add(t, l->trainable ? "" : "(");
		text_add_grouped(t, l->params);
		text_add(t, l->trainable ? "" : ")");
	} else if (l->leftover > 0) {
		text_add_grouped(t, l->leftover);
	} else {
		text_add(t, "--");
	}
}

static void add_percent(struct text *t, const struct layer *l, bool deepest, int64_t total)
{
	int64_t n = deepest || l->leaf ? l->params : l->leftover;
	if (total == 0 || (n == 0 && !l->recursive))
		text_add(t, "     --");
	else if (l->recursive)
		text_add(t, "(recursive)");
	else
		text_addf(t, "%6.2f%%", 100.0 * (double)n / (double)total);
}

static void add_macs(const struct summary *s, struct text *t, const struct layer *l, bool deepest, size_t row)
{
	double below = 0;
	for (size_t i = row + 1; i < l->end; i++)
		below += s->layers->rows[i]->leaf ? s->layers->rows[i]->macs : 0;
	if (l->macs <= 0 || (!l->leaf && !deepest))
		text_add(t, "--");
	else
		text_add_grouped_float(t, l->leaf ? l->macs : below);
}

static const char *trainable(const struct layer *l)
{
	return l->params == 0 ? "--" : l->trainable == 0 ? "False" : l->trainable == l->params ? "True" : "Partial";
}

static void add_cell(const struct summary *s, struct text *t, enum cell cell, size_t row, bool deepest)
{
	const struct layer *l = s->layers->rows[row];
	switch (cell) {
	case CELL_INPUT: add_sizes(t, l->input); break;
	case CELL_OUTPUT: add_sizes(t, l->output); break;
	case CELL_PARAMS: add_params(t, l, deepest); break;
	case CELL_PERCENT: add_percent(t, l, deepest, s->layers->params); break;
	case CELL_KERNEL: add_kernel(t, l->module); break;
	case CELL_MACS: add_macs(s, t, l, deepest, row); break;
	default: text_add(t, trainable(l)); break;
	}
}

/* ---- Lines ---- */

/* Trailing blanks go. */
static void end_line(struct text *out)
{
	while (out->len && out->data[out->len - 1] == ' ')
		out->data[--out->len] = 0;
	text_addc(out, '\n');
}

static void add_title(const struct summary *s, struct text *t, const struct layer *l)
{
	text_add(t, l->module->class_name);
	if (s->show_names && *l->name)
		text_addf(t, " (%s)", l->name);
	if (s->show_depth && l->depth > 0)
		text_addf(t, ": %d-%d", l->depth, l->index);
}

static void add_start(const struct summary *s, struct text *t, int depth)
{
	if (depth == 1)
		text_add(t, s->ascii ? "+ " : "├─");
	for (int i = 1; depth > 1 && i < depth; i++)
		text_add(t, s->ascii ? "|    " : "│    ");
	if (depth > 1)
		text_add(t, s->ascii ? "+ " : "└─");
}

static void add_row(const struct summary *s, size_t row)
{
	const struct layer *l = s->layers->rows[row];
	struct text t;
	text_init(&t);
	add_start(s, &t, l->depth);
	add_title(s, &t, l);
	text_pad(s->out, t.data ? t.data : "", (int)s->name_width);
	text_addc(s->out, ' ');
	for (size_t c = 0; c < s->n_columns; c++) {
		text_clear(&t);
		add_cell(s, &t, s->columns[c], row, l->depth == s->max_depth);
		text_pad(s->out, t.data ? t.data : "", COLUMN_WIDTH);
		text_addc(s->out, ' ');
	}
	end_line(s->out);
	text_release(&t);
}

static void add_divider(const struct summary *s)
{
	text_fill(s->out, '=', s->n_columns * COLUMN_WIDTH + s->name_width);
}

static void add_header(const struct summary *s)
{
	struct text t;
	text_init(&t);
	text_addf(&t, "Layer (type%s%s)", s->show_names ? " (var_name)" : "", s->show_depth ? ":depth-idx" : "");
	text_pad(s->out, t.data ? t.data : "", (int)s->name_width);
	text_addc(s->out, ' ');
	for (size_t c = 0; c < s->n_columns; c++) {
		text_pad(s->out, cells[s->columns[c]].title, COLUMN_WIDTH);
		text_addc(s->out, ' ');
	}
	end_line(s->out);
	text_release(&t);
}

/* The longest title of any depth, rounded up to a multiple of five. */
static size_t measure_names(const struct summary *s)
{
	size_t most = 0;
	struct text t;
	text_init(&t);
	for (size_t i = 0; i < s->layers->n; i++) {
		const struct layer *l = s->layers->rows[i];
		text_clear(&t);
		add_title(s, &t, l);
		size_t n = utf8_length(t.data ? t.data : "") + (size_t)l->depth * 5 + 1;
		most = n > most ? n : most;
	}
	text_release(&t);
	return most >= NAME_WIDTH ? (most + 4) / 5 * 5 : NAME_WIDTH;
}

/* ---- Totals ---- */

static void add_count(struct text *out, const char *name, int64_t n)
{
	text_addf(out, "%s: ", name);
	text_add_grouped(out, n);
	text_addc(out, '\n');
}

static void add_total_macs(struct text *out, double macs)
{
	const char *unit = macs >= 1e12 ? "TERABYTES" : macs >= 1e9 ? "GIGABYTES" : "MEGABYTES";
	double n = macs / (macs >= 1e12 ? 1e12 : macs >= 1e9 ? 1e9 : 1e6);
	text_addf(out, "Total mult-adds (Units.%s): ", unit);
	char digits[40];
	bool whole = n == floor(n);  /* as every double from 2^53 on is */
	snprintf(digits, sizeof digits, "%.2f", whole ? 0 : n);
	text_add_grouped_float(out, whole ? n : strtod(digits, NULL) - fmod(strtod(digits, NULL), 1));
	if (!whole)
		text_add(out, strchr(digits, '.'));
	text_addc(out, '\n');
}

static void add_totals(const struct summary *s)
{
	const struct layers *x = s->layers;
	add_count(s->out, "Total params", x->params);
	add_count(s->out, "Trainable params", x->trainable);
	add_count(s->out, "Non-trainable params", x->params - x->trainable);
	add_total_macs(s->out, x->macs);
	add_divider(s);
	text_addf(s->out, "\nInput size (MB): %.2f\n", x->input_bytes / 1e6);
	text_addf(s->out, "Forward/backward pass size (MB): %.2f\n", x->output_bytes / 1e6);
	text_addf(s->out, "Params size (MB): %.2f\n", (double)x->param_bytes / 1e6);
	text_addf(s->out, "Estimated Total Size (MB): %.2f\n", (x->input_bytes + x->output_bytes + (double)x->param_bytes) / 1e6);
	add_divider(s);
	text_addc(s->out, '\n');
}

bool report_summary(const struct model *m, const struct graph *g, const struct report_options *o, struct text *out, nns_error *err)
{
	struct layers layers;
	struct summary s = { .layers = &layers, .max_depth = o->depth, .out = out };
	if (!read_columns(&s, o->columns, err) || !read_rows(&s, o->rows, err) || !layers_collect(m, g, &layers, err))
		return false;
	s.name_width = measure_names(&s);
	add_divider(&s);
	text_addc(out, '\n');
	add_header(&s);
	add_divider(&s);
	text_addc(out, '\n');
	for (size_t i = 0; i < layers.n; i++)
		if (layers.rows[i]->depth <= s.max_depth && !(s.hide_recursive && layers.rows[i]->recursive))
			add_row(&s, i);
	add_divider(&s);
	text_addc(out, '\n');
	add_totals(&s);
	return !out->failed || fail_memory(err);
}
