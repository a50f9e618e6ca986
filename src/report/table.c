#include "report/table.h"

#include <stdio.h>
#include <string.h>

enum report_format report_format_from_name(const char *name)
{
	static const struct { const char *name; enum report_format format; } names[] = { { "table", FORMAT_TABLE }, { "tsv", FORMAT_TSV },
		{ "csv", FORMAT_CSV }, { "json", FORMAT_JSON }, { "markdown", FORMAT_MARKDOWN }, { "md", FORMAT_MARKDOWN } };
	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		if (strcmp(names[i].name, name) == 0)
			return names[i].format;
	return FORMAT_NONE;
}

void table_init(struct table *t, struct arena *a, const struct column *columns, size_t n)
{
	*t = (struct table){ .arena = a, .columns = columns, .n_columns = n };
}

static void push(struct table *t, const char *text)
{
	const char **cells = arena_grow(t->arena, t->cells, t->n_cells, &t->cap, sizeof *cells);
	if (!cells || !text) {
		t->failed = true;
		return;
	}
	t->cells = cells;
	cells[t->n_cells++] = text;
}

void table_word(struct table *t, const char *word)
{
	push(t, word);
}

/* A cell is one line, and steers no terminal, whatever its file holds. */
void table_cell(struct table *t, const char *text)
{
	struct text shown;
	if (!text || text_is_visible(text, "")) {
		push(t, text ? arena_strdup(t->arena, text) : "");
		return;
	}
	text_init(&shown);
	text_add_visible(&shown, text, strlen(text), "");
	push(t, shown.failed ? NULL : arena_strndup(t->arena, shown.data, shown.len));
	text_release(&shown);
}

void table_cellf(struct table *t, const char *fmt, ...)
{
	char text[512];
	va_list ap;
	va_start(ap, fmt);
	vsnprintf(text, sizeof text, fmt, ap);
	va_end(ap);
	table_cell(t, text);
}

const char *shape_cell(struct arena *a, const struct value *v)
{
	struct text t;
	if (!v || v->ndim < 0)
		return "?";
	text_init(&t);
	shape_add_x(&t, v);
	char *s = t.failed ? NULL : arena_strndup(a, t.data ? t.data : "", t.len);
	text_release(&t);
	return s;
}

/* ---- Columns on a terminal ---- */

static void measure(const struct table *t, size_t *width)
{
	for (size_t c = 0; c < t->n_columns; c++)
		width[c] = utf8_length(t->columns[c].name);
	for (size_t i = 0; i < t->n_cells; i++) {
		size_t n = utf8_length(t->cells[i]), c = i % t->n_columns;
		width[c] = n > width[c] ? n : width[c];
	}
}

/* Columns that may shrink give up what is too much, the widest first, down to eight characters. */
static void fit(const struct table *t, size_t *width, size_t wanted)
{
	size_t total = 2 * (t->n_columns - 1);
	for (size_t c = 0; c < t->n_columns; c++)
		total += width[c];
	while (total > wanted) {
		size_t widest = t->n_columns;
		for (size_t c = 0; c < t->n_columns; c++)
			if (t->columns[c].shrinks && width[c] > 8 && (widest == t->n_columns || width[c] > width[widest]))
				widest = c;
		if (widest == t->n_columns)
			return;
		width[widest]--;
		total--;
	}
}

static void add_padded(struct text *out, const char *s, size_t width, bool right, bool last)
{
	size_t n = utf8_length(s);
	if (n > width) {
		/* the end of a path says more than its beginning */
		const char *p = s;
		for (size_t skip = n - width + 1; skip > 0; p++)
			skip -= (p[1] & 0xc0) != 0x80;
		text_add(out, "…");
		text_add(out, p);
		return;
	}
	if (right)
		text_fill(out, ' ', width - n);
	text_add(out, s);
	if (!right && !last)
		text_fill(out, ' ', width - n);
}

static void write_columns(const struct table *t, const struct report_options *o, struct text *out)
{
	size_t width[32];
	measure(t, width);
	if (o->width > 0)
		fit(t, width, (size_t)o->width);
	if (o->colour)
		text_add(out, "\033[1m");
	for (size_t c = 0; c < t->n_columns; c++) {
		text_add(out, c ? "  " : "");
		add_padded(out, t->columns[c].name, width[c], t->columns[c].right, c + 1 == t->n_columns);
	}
	text_add(out, o->colour ? "\033[0m\n" : "\n");
	for (size_t i = 0; i < t->n_cells; i++) {
		size_t c = i % t->n_columns;
		text_add(out, c ? "  " : "");
		add_padded(out, t->cells[i], width[c], t->columns[c].right, c + 1 == t->n_columns);
		if (c + 1 == t->n_columns)
			text_addc(out, '\n');
	}
}

/* ---- Other formats ---- */

static void add_csv(struct text *out, const char *s)
{
	if (!strpbrk(s, ",\"\r\n")) {
		text_add(out, s);
		return;
	}
	text_addc(out, '"');
	for (; *s; s++) {
		text_addc(out, *s);
		if (*s == '"')
			text_addc(out, '"');
	}
	text_addc(out, '"');
}

static void add_markdown(struct text *out, const char *s)
{
	for (; *s; s++) {
		if (*s == '|')
			text_addc(out, '\\');
		text_addc(out, *s);
	}
}

static void write_separated(const struct table *t, bool csv, struct text *out)
{
	for (size_t c = 0; c < t->n_columns; c++)
		text_addf(out, "%s%s", c ? csv ? "," : "\t" : "", t->columns[c].name);
	text_addc(out, '\n');
	for (size_t i = 0; i < t->n_cells; i++) {
		size_t c = i % t->n_columns;
		text_add(out, c ? csv ? "," : "\t" : "");
		if (csv)
			add_csv(out, t->cells[i]);
		else
			text_add(out, t->cells[i]);
		if (c + 1 == t->n_columns)
			text_addc(out, '\n');
	}
}

static void write_markdown(const struct table *t, struct text *out)
{
	for (size_t c = 0; c < t->n_columns; c++)
		text_addf(out, "| %s ", t->columns[c].name);
	text_add(out, "|\n");
	for (size_t c = 0; c < t->n_columns; c++)
		text_add(out, t->columns[c].right ? "| ---: " : "| --- ");
	text_add(out, "|\n");
	for (size_t i = 0; i < t->n_cells; i++) {
		text_add(out, "| ");
		add_markdown(out, t->cells[i]);
		text_add(out, (i + 1) % t->n_columns ? " " : " |\n");
	}
}

static void write_json(const struct table *t, struct text *out)
{
	text_add(out, "[");
	for (size_t i = 0; i < t->n_cells; i++) {
		size_t c = i % t->n_columns;
		text_add(out, c ? ", " : i ? "},\n {" : "\n {");
		text_add_json(out, t->columns[c].name);
		text_add(out, ": ");
		if (t->columns[c].number && *t->cells[i])
			text_add(out, t->cells[i]);
		else
			text_add_json(out, t->cells[i]);
	}
	text_add(out, t->n_cells ? "}\n]\n" : "]\n");
}

bool table_write(const struct table *t, const struct report_options *o, struct text *out, nns_error *err)
{
	if (t->failed || t->n_columns > 32)
		return fail_memory(err);
	switch (o->format) {
	case FORMAT_TSV: write_separated(t, false, out); break;
	case FORMAT_CSV: write_separated(t, true, out); break;
	case FORMAT_JSON: write_json(t, out); break;
	case FORMAT_MARKDOWN: write_markdown(t, out); break;
	default: write_columns(t, o, out); break;
	}
	return !out->failed || fail_memory(err);
}
