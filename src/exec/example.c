#include "exec/example.h"

#include <string.h>

enum { MOST_VALUES = 64, MOST_WORK = 1 << 29, MOST_MEMORY = 1 << 28, MOST_KEPT = 1 << 24 };

/* ---- What is known ---- */

static struct value *owner_of(struct value *v)
{
	return v->base ? v->base : v;
}

/* Its content, when nobody wrote to its memory since. */
static const struct value *known_content(const struct graph *g, struct value *v)
{
	for (size_t i = 0; i < g->n_contents; i++)
		if (g->contents[i].value == v && g->contents[i].version == owner_of(v)->version)
			return g->contents[i].content;
	return NULL;
}

/* Inputs are known as they were given; a step that writes to one does so again. */
static const struct value *source_content(const struct graph *g, struct value *v)
{
	const struct value *known = known_content(g, v);
	for (size_t i = 0; !known && !v->producer && i < g->n_contents; i++)
		known = g->contents[i].value == v ? g->contents[i].content : NULL;
	return known;
}

/* ---- The part of a graph that makes some values ---- */

struct part {
	struct graph *g;
	struct arena *arena;
	struct node **leaves; size_t n_leaves;
	struct lent { struct value *value, was; } *lent; size_t n_lent, cap_lent; /* values that carry their content for the time */
	struct graph graph;
	char marks[4];           /* while leaves are chosen, the note of a value points to the one of its marks */
	double work;
	bool failed;
};

enum { READ = 1, MEMORY = 2 };   /* a value that something reads; one whose memory something reads */

static bool is_marked(const struct part *p, const struct value *v, int mark)
{
	return v->note && ((const char *)v->note - p->marks) & mark;
}

static void set_mark(struct part *p, struct value *v, int mark)
{
	int marks = v->note ? (int)((const char *)v->note - p->marks) : 0;
	v->note = &p->marks[marks | mark];
}

static bool list_leaves(struct part *p)
{
	size_t n = 0;
	for (struct node *l = graph_first(p->g); l; l = graph_next(l))
		n++;
	p->leaves = arena_array(p->arena, n + 1, sizeof *p->leaves);
	for (struct node *l = graph_first(p->g); p->leaves && l; l = graph_next(l))
		p->leaves[p->n_leaves++] = l;
	return p->leaves;
}

static void lend(struct part *p, struct value *v, const struct value *content)
{
	struct lent *grown = arena_grow(p->arena, p->lent, p->n_lent, &p->cap_lent, sizeof *grown);
	if (!grown) {
		p->failed = true;
		return;
	}
	p->lent = grown;
	grown[p->n_lent++] = (struct lent){ v, *v };
	v->storage = content->storage;
	v->storage_bytes = content->storage_bytes;
	v->offset = content->offset;
	v->stride = content->stride;
}

static void take_back(struct part *p)
{
	while (p->n_lent > 0) {
		struct lent *l = &p->lent[--p->n_lent];
		l->value->storage = l->was.storage;
		l->value->storage_bytes = l->was.storage_bytes;
		l->value->offset = l->was.offset;
		l->value->stride = l->was.stride;
	}
}

/* What is known carries its content; all else is to be made. */
static bool need(struct value *v, void *data)
{
	struct part *p = data;
	const struct value *content = is_marked(p, v, READ) ? NULL : source_content(p->g, v);
	if (is_marked(p, v, READ))
		return true;
	set_mark(p, v, READ);
	if (content)
		lend(p, v, content);
	if (!content || !v->producer)
		set_mark(p, owner_of(v), MEMORY);
	return !p->failed;
}

static bool is_known(const struct part *p, const struct value *v)
{
	for (size_t i = 0; i < p->n_lent; i++)
		if (p->lent[i].value == v && v->producer)
			return true;
	return false;
}

static bool makes_needed(const struct part *p, const struct node *l)
{
	for (int i = 0; i < l->n_outputs; i++)
		if (l->outputs[i] && is_marked(p, owner_of(l->outputs[i]), MEMORY) && !is_known(p, l->outputs[i]))
			return true;
	return false;
}

static double work_of(const struct node *l)
{
	double work = 0, flops = 0;
	bool known = true;
	for (int i = 0; i < l->n_outputs; i++) {
		int64_t n = l->outputs[i] ? value_numel(l->outputs[i]) : 0;
		known = known && n >= 0;
		work += n > 0 ? (double)n : 0;
	}
	if (known && l->op->rule && l->op->rule->flops && l->op->rule->flops(l, &flops))
		work += flops;
	return work;
}

/* Backwards: what makes, or writes to, what is needed; its arguments are needed then. */
static bool choose_leaves(struct part *p)
{
	for (size_t i = p->n_leaves; i-- > 0; ) {
		struct node *l = p->leaves[i];
		if (!makes_needed(p, l)) {
			p->leaves[i] = NULL;
			continue;
		}
		p->work += work_of(l);
		for (int a = 0; a < l->op->n_args; a++)
			if (!datum_each_tensor(l->args[a], need, p))
				return false;
	}
	return p->g->work + p->work <= MOST_WORK;
}

static bool copy_leaves(struct part *p)
{
	struct node *copies = arena_array(p->arena, p->n_leaves + 1, sizeof *copies), *last = NULL;
	for (size_t i = 0; copies && i < p->n_leaves; i++) {
		if (!p->leaves[i])
			continue;
		struct node *n = &copies[i];
		*n = *p->leaves[i];
		n->parent = n->next = NULL;
		if (last)
			last->next = n;
		else
			p->graph.nodes = n;
		last = n;
	}
	return copies;
}

static bool clean(struct value *v, void *data)
{
	(void)data;
	v->note = NULL;
	owner_of(v)->note = NULL;
	return true;
}

static void clean_notes(const struct graph *g, struct value *const *values, size_t n)
{
	for (size_t i = 0; i < n; i++)
		clean(values[i], NULL);
	for (const struct node *l = graph_first(g); l; l = graph_next(l)) {
		for (int a = 0; a < l->op->n_args; a++)
			datum_each_tensor(l->args[a], clean, NULL);
		for (int i = 0; i < l->n_outputs; i++)
			if (l->outputs[i])
				clean(l->outputs[i], NULL);
	}
}

/* ---- Running it ---- */

/* A tensor as a value of its shape and strides. */
static struct value *value_of(struct arena *a, const struct tensor *t)
{
	struct value *v = value_new(a, t->dtype, t->ndim, t->size);
	size_t unit = dtype_size(t->dtype);
	int64_t last = 0;
	for (int i = 0; i < t->ndim; i++)
		last += t->size[i] > 0 ? (t->size[i] - 1) * t->stride[i] : 0;
	size_t bytes = tensor_numel(t) == 0 ? 0 : (size_t)(last + 1) * unit;
	unsigned char *own = v && bytes <= MOST_KEPT ? arena_alloc(a, bytes + 1) : NULL;
	if (!own)
		return NULL;
	memcpy(own, tensor_data(t), bytes);
	if (t->ndim)
		memcpy(v->stride, t->stride, (size_t)t->ndim * sizeof *t->stride);
	v->storage = own;
	v->storage_bytes = bytes;
	return v;
}

static bool keep(struct graph *g, struct value *v, const struct value *content)
{
	struct graph_content *grown = arena_grow(g->arena, g->contents, g->n_contents, &g->cap_contents, sizeof *grown);
	if (!grown)
		return false;
	g->contents = grown;
	grown[g->n_contents++] = (struct graph_content){ v, content, owner_of(v)->version };
	return true;
}

static bool run_part(struct part *p, struct value *const *values, size_t n, const struct value **contents)
{
	nns_error ignored = { 0 };
	struct run r = { 0 };
	struct run_options options = { .threads = 1, .memory = MOST_MEMORY };
	struct plan *plan = plan_new(&p->graph, &ignored);
	bool ok = plan && plan->n_outputs == n && run_init(&r, plan, &ignored) && run_execute(&r, &options, &ignored);
	for (size_t i = 0; ok && i < n; i++) {
		contents[i] = value_of(p->g->arena, r.tensors[plan->outputs[i]]);
		ok = contents[i] != NULL;
	}
	if (r.arena)
		run_release(&r);
	plan_free(plan);
	for (size_t i = 0; ok && i < n; i++)
		ok = keep(p->g, values[i], contents[i]);
	return ok;
}

static bool make_part(struct part *p, struct value *const *values, size_t n)
{
	struct datum all;
	if (!datum_seq(p->arena, D_TUPLE, n, &all))
		return false;
	for (size_t i = 0; i < n; i++)
		if (!seq_push(p->arena, all.u.seq, datum_pointer(D_TENSOR, values[i])) || !need(values[i], p))
			return false;
	p->graph = (struct graph){ .arena = p->arena, .output = all };
	if (!list_leaves(p))
		return false;
	p->work = (double)p->n_leaves;   /* looking at them counts too */
	return choose_leaves(p) && copy_leaves(p);
}

bool graph_compute(struct graph *g, struct value *const *values, size_t n, const struct value **contents)
{
	size_t known = 0;
	g->content_used = g->content_used || g->n_contents > 0;
	while (known < n && (contents[known] = known_content(g, values[known])))
		known++;
	if (known == n || g->n_contents == 0 || n > MOST_VALUES || g->work > MOST_WORK)
		return known == n;
	struct part p = { .g = g, .arena = arena_beside(g->arena, NULL) };
	if (!p.arena)
		return false;
	clean_notes(g, values, n);
	bool made = make_part(&p, values, n);
	clean_notes(g, values, n);
	bool ok = made && run_part(&p, values, n, contents);
	g->work += p.work;
	take_back(&p);
	arena_free(p.arena);
	return ok;
}
