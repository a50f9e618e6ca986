/* str(model), as torch/nn/modules/module.py's __repr__ and container.py's ModuleList write it. */
#include <string.h>

#include "report/report.h"

enum { MAX_TREE_DEPTH = 500, MAX_PRINTED = 2000000 }; /* modules; shared ones count each time */

struct printer {
	const struct report_source *source;
	struct text *out;
	nns_error *err;
	int depth;
	long printed;
};

static bool print_module(struct printer *p, const struct module *m, size_t indent, struct text *out);

/* Text with `indent` more blanks after each line break. */
static void add_indented(struct text *out, const char *s, size_t n, size_t indent)
{
	for (size_t i = 0; i < n; i++) {
		text_addc(out, s[i]);
		if (s[i] == '\n')
			text_fill(out, ' ', indent);
	}
}

static void new_line(struct text *out, size_t indent)
{
	text_addc(out, '\n');
	text_fill(out, ' ', indent);
}

/* A name that breaks no line. */
static void add_visible(struct text *out, const char *name)
{
	text_add_visible(out, name, strlen(name), "");
}

static void add_child_name(struct text *out, const char *name)
{
	text_addc(out, '(');
	add_visible(out, name);
	text_add(out, "): ");
}

static bool print_child(struct printer *p, const struct child *c, size_t indent)
{
	new_line(p->out, indent);
	add_child_name(p->out, c->name);
	return print_module(p, c->module, indent, p->out);
}

/* ---- Repeated children ---- */

static bool repr_of(struct printer *p, const struct module *m, struct text *out)
{
	if (m)
		return print_module(p, m, 0, out);
	text_add(out, "None");
	return true;
}

static void print_run(struct printer *p, const struct module *m, size_t first, size_t last, const struct text *text, size_t indent)
{
	new_line(p->out, indent);
	if (first == last)
		add_child_name(p->out, m->children[first].name);
	else
		text_addf(p->out, "(%zu-%zu): %zu x ", first, last, last - first + 1);
	add_indented(p->out, text->data ? text->data : "", text->len, indent);
}

/* Runs of children that print alike become one line: (0-2): 3 x Linear(...). */
static bool print_folded(struct printer *p, const struct module *m, size_t indent)
{
	struct text last, now;
	size_t first = 0;
	bool ok = true;
	text_init(&last);
	text_init(&now);
	for (size_t i = 0; ok && i < m->n_children; i++) {
		text_clear(&now);
		ok = repr_of(p, m->children[i].module, &now);
		if (ok && i > 0 && (now.len != last.len || memcmp(now.data, last.data, now.len) != 0)) {
			print_run(p, m, first, i - 1, &last, indent);
			first = i;
		}
		struct text swap = last;
		last = now;
		now = swap;
	}
	if (ok && m->n_children)
		print_run(p, m, first, m->n_children - 1, &last, indent);
	text_release(&last);
	text_release(&now);
	return ok;
}

static bool print_children(struct printer *p, const struct module *m, size_t indent)
{
	if (p->source->folds && p->source->folds(p->source->data, m))
		return print_folded(p, m, indent);
	for (size_t i = 0; i < m->n_children; i++)
		if (m->children[i].module && !print_child(p, &m->children[i], indent))
			return false;
	return true;
}

static size_t count_children(const struct module *m)
{
	size_t n = 0;
	for (size_t i = 0; i < m->n_children; i++)
		n += m->children[i].module != NULL;
	return n;
}

/* One line of its own and no children stay on the line; otherwise everything stands below, two blanks further in. */
static bool print_parts(struct printer *p, const struct module *m, const struct text *own, size_t indent)
{
	bool inside = count_children(m) > 0 || (own->len && memchr(own->data, '\n', own->len));
	if (!inside) {
		text_addn(p->out, own->data ? own->data : "", own->len);
		text_addc(p->out, ')');
		return true;
	}
	if (own->len) {
		new_line(p->out, indent + 2);
		add_indented(p->out, own->data, own->len, indent + 2);
	}
	if (!print_children(p, m, indent + 2))
		return false;
	new_line(p->out, indent);
	text_addc(p->out, ')');
	return true;
}

static bool print_module(struct printer *p, const struct module *m, size_t indent, struct text *out)
{
	struct text own, *before = p->out;
	if (++p->printed > MAX_PRINTED)
		return fail(p->err, NNS_LIMIT, "the tree has more than %d lines of modules: some hold the same ones in many ways", MAX_PRINTED);
	if (p->depth >= MAX_TREE_DEPTH)
		return fail(p->err, NNS_LIMIT, "modules are nested deeper than %d", MAX_TREE_DEPTH);
	text_init(&own);
	add_visible(out, m->class_name);
	text_addc(out, '(');
	p->out = out;
	p->depth++;
	bool ok = p->source->repr(p->source->data, m, &own, p->err) && print_parts(p, m, &own, indent);
	p->depth--;
	p->out = before;
	text_release(&own);
	return ok;
}

bool report_tree(const struct model *m, const struct report_source *s, struct text *out, nns_error *err)
{
	struct printer p = { .source = s, .out = out, .err = err };
	if (!print_module(&p, m->root, 0, out))
		return false;
	text_addc(out, '\n');
	return !out->failed || fail_memory(err);
}
