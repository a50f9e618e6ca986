/* Multiply-adds by fvcore's rules: in all, by operator, by module, and what was not counted. */
#include <string.h>

#include "report/table.h"

struct tally {
	const char *name;
	double count;
	long calls;
};

struct tallies {
	struct arena *arena;
	struct map map;          /* name -> struct tally */
	bool failed;
};

struct counting {
	const struct report_source *source;
	struct tallies operators, modules, uncounted;
	double total;
};

static void add(struct tallies *t, const char *name, double count)
{
	struct tally *x = map_get(&t->map, name);
	if (!x) {
		x = arena_alloc(t->arena, sizeof *x);
		if (!x || !map_put(&t->map, t->arena, name, x)) {
			t->failed = true;
			return;
		}
		x->name = name;
	}
	x->count += count;
	x->calls++;
}

/* fvcore counts for a module and all that own it, called or not: "a.b.c", "a.b", "a", "". */
static void add_owners(struct counting *c, const char *path, double count)
{
	struct arena *a = c->modules.arena;
	size_t n = strlen(path);
	for (;;) {
		char *owner = arena_strndup(a, path, n);
		c->modules.failed = c->modules.failed || !owner;
		if (owner)
			add(&c->modules, owner, count);
		if (n == 0)
			return;
		while (n > 0 && path[n - 1] != '.')
			n--;
		n -= n > 0;
	}
}

static void count_node(struct counting *c, const struct node *n, int depth)
{
	double count = 0;
	bool counted = false;
	const char *name = NULL;
	bool settled = c->source->flops(c->source->data, n, &count, &counted, &name);
	if (!settled && n->parts && depth < 200) {
		for (const struct node *p = n->parts; p; p = p->next)
			count_node(c, p, depth + 1);
		return;
	}
	if (!counted) {
		add(&c->uncounted, name, 0);
		return;
	}
	c->total += count;
	add(&c->operators, name, count);
	add_owners(c, n->call ? n->call->path : "", count);
}

/* ---- What nobody needs ---- */

/*
 * fvcore counts in a trace of torch.jit, out of which what no output hangs on is taken (torch/csrc/jit/passes/dead_code_elimination.cpp).
 * A value is needed as a whole: with all views of its memory.
 */
static struct value *whole(struct value *v)
{
	return v->base ? v->base : v;
}

static bool need(struct value *v, void *mark)
{
	whole(v)->note = mark;
	return true;
}

static bool forget(struct value *v, void *unused)
{
	(void)unused;
	whole(v)->note = NULL;
	return true;
}

/* What is written into an input or a parameter stays there. */
static bool is_needed(const struct node *n)
{
	bool needed = n->n_outputs == 0;
	for (int i = 0; i < n->n_outputs && !needed; i++)
		needed = whole(n->outputs[i])->note || !whole(n->outputs[i])->producer;
	return needed;
}

static void each_argument(const struct report_source *s, const struct node *n, bool (*fn)(struct value *v, void *data), void *data)
{
	for (int i = 0; i < s->n_args(n); i++)
		datum_each_tensor(n->args[i], fn, data);
}

/* The operators of the top level in their order, those that nobody needs left out; their number.  NULL: no memory. */
static const struct node **needed_nodes(const struct report_source *s, const struct graph *g, struct arena *a, size_t *out)
{
	size_t n = 0, kept = 0;
	static char mark;
	for (const struct node *x = g->nodes; x; x = x->next)
		n++;
	const struct node **all = arena_array(a, n + 1, sizeof *all);
	if (!all)
		return NULL;
	for (const struct node *x = g->nodes; x; x = x->next)
		all[kept++] = x;
	datum_each_tensor(g->output, need, &mark);
	for (size_t i = n; i-- > 0; ) {
		if (is_needed(all[i]))
			each_argument(s, all[i], need, &mark);
		else
			all[i] = NULL;
	}
	datum_each_tensor(g->output, forget, NULL);
	for (const struct node *x = g->nodes; x; x = x->next)
		each_argument(s, x, forget, NULL);
	for (size_t i = kept = 0; i < n; i++)
		if (all[i])
			all[kept++] = all[i];
	return *out = kept, all;
}

/* ---- The report ---- */

static bool list_modules(struct counting *c, const struct model *m)
{
	struct walk w;
	for (walk_begin(&w, m->root, false); walk_next(&w); ) {
		char *path = arena_strdup(m->arena, w.path);
		if (path)
			add(&c->modules, path, 0);
		c->modules.failed = c->modules.failed || !path;
	}
	bool failed = w.failed;
	walk_end(&w);
	return !failed;
}

static void json_tallies(struct text *out, const char *key, const struct tallies *t, bool calls)
{
	text_addf(out, ",\n \"%s\": {", key);
	for (size_t i = 0; i < t->map.n; i++) {
		const struct tally *x = t->map.entries[i].value;
		text_add(out, i ? ",\n  " : "\n  ");
		text_add_json(out, x->name);
		text_addf(out, ": %.0f", calls ? (double)x->calls : x->count);
	}
	text_add(out, t->map.n ? "\n }" : "}");
}

static void write_json(const struct counting *c, struct text *out)
{
	text_addf(out, "{\n \"total\": %.0f", c->total);
	json_tallies(out, "by_operator", &c->operators, false);
	json_tallies(out, "by_module", &c->modules, false);
	json_tallies(out, "not_counted", &c->uncounted, true);
	text_add(out, "\n}\n");
}

static const struct column columns[] = { { "section", false, false, false }, { "name", false, false, true }, { "multiply-adds", true, true, false } };

static void table_tallies(struct table *t, const char *section, const struct tallies *x, bool calls, const struct report_options *o)
{
	for (size_t i = 0; i < x->map.n; i++) {
		const struct tally *row = x->map.entries[i].value;
		struct text n;
		text_init(&n);
		if (o->format == FORMAT_TABLE || o->format == FORMAT_MARKDOWN)
			text_add_grouped_float(&n, row->count);
		else
			text_addf(&n, "%.0f", row->count);
		table_cell(t, section);
		if (calls)
			table_cellf(t, "%s (%ld call%s)", row->name, row->calls, row->calls == 1 ? "" : "s");
		else
			table_cell(t, row->name);
		table_cell(t, calls ? "" : n.data);
		text_release(&n);
	}
}

bool report_flops(const struct model *m, const struct graph *g, const struct report_source *s, const struct report_options *o, struct text *out, nns_error *err)
{
	struct counting c = { .source = s, .operators.arena = m->arena, .modules.arena = m->arena, .uncounted.arena = m->arena };
	struct tallies total = { .arena = m->arena };
	struct table t;
	if (!list_modules(&c, m))
		return fail_memory(err);
	size_t n_nodes = 0;
	const struct node **nodes = needed_nodes(s, g, m->arena, &n_nodes);
	if (!nodes)
		return fail_memory(err);
	for (size_t i = 0; i < n_nodes; i++)
		count_node(&c, nodes[i], 0);
	add(&total, "", c.total);
	if (c.operators.failed || c.modules.failed || c.uncounted.failed || total.failed)
		return fail_memory(err);
	if (o->format == FORMAT_JSON) {
		write_json(&c, out);
		return !out->failed || fail_memory(err);
	}
	table_init(&t, m->arena, columns, sizeof columns / sizeof *columns);
	table_tallies(&t, "total", &total, false, o);
	table_tallies(&t, "operator", &c.operators, false, o);
	table_tallies(&t, "module", &c.modules, false, o);
	table_tallies(&t, "not counted", &c.uncounted, true, o);
	return table_write(&t, o, out, err);
}
