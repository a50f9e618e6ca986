/* DOT text, written as python-graphviz 0.21 does (graphviz/quoting.py, dot.py): a tab, then one statement a line. */
#include <ctype.h>
#include <string.h>

#include "render/render.h"

/* A name, or a number: what needs no quotes. */
static bool is_plain(const char *s)
{
	static const char *const keywords[] = { "node", "edge", "graph", "digraph", "subgraph", "strict" };
	for (size_t i = 0; i < sizeof keywords / sizeof *keywords; i++) {
		const char *k = keywords[i], *p = s;
		while (*k && tolower((unsigned char)*p) == *k)
			k++, p++;
		if (!*k && !*p)
			return false;
	}
	if (isalpha((unsigned char)*s) || *s == '_') {
		while (isalnum((unsigned char)*s) || *s == '_')
			s++;
		return !*s;
	}
	s += *s == '-';
	size_t whole = strspn(s, "0123456789"), fraction = s[whole] == '.' ? strspn(s + whole + 1, "0123456789") : 0;
	bool point = s[whole] == '.';
	return (whole || fraction) && !s[whole + point + fraction];
}

/* Quotes are escaped unless they are already; a backslash at the end is doubled.  s is visible. */
static void add_escaped(struct text *t, const char *s)
{
	bool escaped = false;
	if (is_plain(s)) {
		text_add(t, s);
		return;
	}
	text_addc(t, '"');
	for (; *s; s++) {
		if (*s == '"' && !escaped)
			text_addc(t, '\\');
		text_addc(t, *s);
		escaped = *s == '\\' && !escaped;
	}
	text_add(t, escaped ? "\\\"" : "\"");
}

/* Labels have names of files: no control characters, which XML has no way to say and terminals obey. */
static void add_quoted(struct text *t, const char *s)
{
	struct text shown;
	if (text_is_visible(s, "\n\t")) {
		add_escaped(t, s);
		return;
	}
	text_init(&shown);
	text_add_label(&shown, s, "\n\t");
	add_escaped(t, shown.data ? shown.data : "");
	t->failed = t->failed || shown.failed;
	text_release(&shown);
}

static void add_styles(struct text *t, const struct style *styles, size_t n)
{
	if (n == 0)
		return;
	text_add(t, " [");
	for (size_t i = 0; i < n; i++) {
		text_add(t, i ? " " : "");
		add_quoted(t, styles[i].key);
		text_addc(t, '=');
		add_quoted(t, styles[i].value);
	}
	text_addc(t, ']');
}

static void add_defaults(struct text *t, const char *what, const struct style *styles, size_t n)
{
	if (n == 0)
		return;
	text_addf(t, "\t%s", what);
	add_styles(t, styles, n);
	text_addc(t, '\n');
}

static void add_item(struct text *t, const struct drawing_item *item, size_t *depth)
{
	if (item->kind == DRAW_END && *depth > 1)
		--*depth;
	text_fill(t, '\t', *depth);
	switch (item->kind) {
	case DRAW_BOX:
		text_addf(t, "n%d", item->from);
		add_styles(t, item->styles, item->n_styles);
		break;
	case DRAW_ARROW:
		text_addf(t, "n%d -> n%d", item->from, item->to);
		add_styles(t, item->styles, item->n_styles);
		break;
	case DRAW_CLUSTER:
		text_addf(t, "subgraph cluster_%d {\n", item->from);
		++*depth;
		text_fill(t, '\t', *depth);
		text_add(t, "graph");
		add_styles(t, item->styles, item->n_styles);
		break;
	case DRAW_END:
		text_addc(t, '}');
		break;
	}
	text_addc(t, '\n');
}

bool render_dot(const struct drawing *d, struct text *out, nns_error *err)
{
	size_t depth = 1;
	if (d->failed)
		return fail_memory(err);
	text_add(out, "digraph {\n");
	add_defaults(out, "graph", d->graph_styles, d->n_graph_styles);
	add_defaults(out, "node", d->box_styles, d->n_box_styles);
	add_defaults(out, "edge", d->arrow_styles, d->n_arrow_styles);
	for (size_t i = 0; i < d->n; i++)
		add_item(out, &d->items[i], &depth);
	text_add(out, "}\n");
	return !out->failed || fail_memory(err);
}
