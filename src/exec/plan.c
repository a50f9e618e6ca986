#include "exec/plan.h"

#include <string.h>

/* While a plan is made, a value's note is its slot + 1. */
static int slot_of(const struct value *v)
{
	return (int)(intptr_t)v->note - 1;
}

static bool add_slot(struct plan *p, struct value *v, nns_error *err)
{
	struct value **grown = arena_grow(p->arena, p->values, p->n_values, &p->cap_values, sizeof *grown);
	if (!grown)
		return fail_memory(err);
	p->values = grown;
	grown[p->n_values++] = v;
	v->note = (void *)(intptr_t)p->n_values;
	return true;
}

static int input_index(const struct graph *g, const struct value *v)
{
	for (size_t i = 0; i < g->n_inputs; i++)
		if (g->inputs[i].value == v)
			return (int)i;
	return -1;
}

static bool add_source(struct plan *p, struct value *v, nns_error *err)
{
	struct plan_source *grown = arena_grow(p->arena, p->sources, p->n_sources, &p->cap_sources, sizeof *grown);
	if (!grown)
		return fail_memory(err);
	p->sources = grown;
	if (!add_slot(p, v, err))
		return false;
	grown[p->n_sources++] = (struct plan_source){ .slot = slot_of(v), .input = input_index(p->graph, v) };
	return true;
}

struct building {
	struct plan *plan;
	nns_error *err;
};

/* What an operator reads and no step before it made comes from outside. */
static bool see_argument(struct value *v, void *data)
{
	struct building *b = data;
	return v->note || add_source(b->plan, v, b->err);
}

static bool copy_args(struct plan *p, struct datum from, struct datum *to, nns_error *err)
{
	*to = from;
	if (from.kind == D_TENSOR)
		to->u.i = slot_of(from.u.p);
	if (!datum_is_seq(from))
		return true;
	if (!datum_seq(p->arena, from.kind, from.u.seq->n, to))
		return fail_memory(err);
	for (size_t i = 0; i < from.u.seq->n; i++) {
		struct datum item;
		if (!copy_args(p, from.u.seq->items[i], &item, err) || !seq_push(p->arena, to->u.seq, item))
			return err && err->code ? false : fail_memory(err);
	}
	return true;
}

static bool add_step(struct plan *p, const struct node *n, nns_error *err)
{
	struct building b = { p, err };
	struct plan_step s = { .node = n, .row = kernel_find(n->op), .n_outputs = n->n_outputs };
	for (int i = 0; i < n->op->n_args; i++)
		if (!datum_each_tensor(n->args[i], see_argument, &b))
			return false;
	s.args = arena_array(p->arena, (size_t)n->op->n_args + 1, sizeof *s.args);
	s.outputs = arena_array(p->arena, (size_t)n->n_outputs + 1, sizeof *s.outputs);
	if (!s.args || !s.outputs)
		return fail_memory(err);
	for (int i = 0; i < n->op->n_args; i++)
		if (!copy_args(p, n->args[i], &s.args[i], err))
			return false;
	for (int i = 0; i < n->n_outputs; i++) {
		struct value *v = n->outputs[i];
		if (v && !v->note && !add_slot(p, v, err))
			return false;
		s.outputs[i] = v ? slot_of(v) : -1;
	}
	struct plan_step *grown = arena_grow(p->arena, p->steps, p->n_steps, &p->cap_steps, sizeof *grown);
	if (!grown)
		return fail_memory(err);
	p->steps = grown;
	grown[p->n_steps++] = s;
	return true;
}

/* A composite operator that had nothing to do (dropout in eval mode) hands its argument on. */
static bool hands_on(const struct node *n)
{
	return n->composite && !n->parts;
}

static void mark_written(struct plan *p, const struct value *v)
{
	const struct value *owner = v->base ? v->base : v;
	for (size_t i = 0; i < p->n_sources; i++) {
		const struct value *source = p->values[p->sources[i].slot];
		if (source == owner || source == v)
			p->sources[i].written = true;
	}
}

/* Running statistics change in training only, whatever the schema of batch norm leaves open. */
static bool trains(const struct plan_step *s)
{
	const struct op *op = s->node->op;
	for (int i = 0; i < op->n_args; i++)
		if (strcmp(op->args[i].name, "training") == 0 && datum_is_int(s->args[i]))
			return datum_as_int(s->args[i]);
	return true;
}

bool step_writes_argument(const struct plan_step *s, int i)
{
	const struct op_arg *a = &s->node->op->args[i];
	const char *also = s->row && s->row->writes && trains(s) ? s->row->writes : NULL;
	size_t n = strlen(a->name);
	for (const char *at = also; at && (at = strstr(at, a->name)); at += n)
		if ((at == also || at[-1] == ',') && (at[n] == ',' || at[n] == 0))
			return true;
	return a->writes;
}

static void find_written(struct plan *p)
{
	for (size_t i = 0; i < p->n_steps; i++) {
		const struct node *n = p->steps[i].node;
		for (int a = 0; a < n->op->n_args; a++)
			if (n->args[a].kind == D_TENSOR && step_writes_argument(&p->steps[i], a))
				mark_written(p, n->args[a].u.p);
	}
}

static bool find_settled(struct plan *p, nns_error *err)
{
	p->settled = arena_array(p->arena, p->n_values + 1, sizeof *p->settled);
	if (!p->settled)
		return fail_memory(err);
	for (size_t i = 0; i < p->n_steps; i++) {
		const struct plan_step *s = &p->steps[i];
		for (int k = 0; k < s->n_outputs && s->node->op->inplace; k++)
			if (s->outputs[k] >= 0 && kernel_reshapes(s->row))
				p->settled[s->outputs[k]] = i;
	}
	return true;
}

/* ---- Where slots are needed last ---- */

struct last_uses {
	size_t *step;            /* by slot: 1 + the step, 0: none */
	size_t at;
};

static void see_use(struct datum d, struct last_uses *u)
{
	if (d.kind == D_TENSOR)
		u->step[d.u.i] = u->at + 1;
	for (size_t i = 0; datum_is_seq(d) && i < d.u.seq->n; i++)
		see_use(d.u.seq->items[i], u);
}

static bool find_last_uses(struct plan *p, nns_error *err)
{
	struct last_uses u = { .step = arena_array(p->arena, p->n_values + 1, sizeof *u.step) };
	if (!u.step)
		return fail_memory(err);
	for (u.at = 0; u.at < p->n_steps; u.at++) {
		const struct plan_step *s = &p->steps[u.at];
		for (int i = 0; i < s->node->op->n_args; i++)
			see_use(s->args[i], &u);
		for (int i = 0; i < s->n_outputs; i++)
			if (s->outputs[i] >= 0)
				u.step[s->outputs[i]] = u.at + 1;
	}
	for (size_t i = 0; i < p->n_outputs; i++)
		u.step[p->outputs[i]] = 0;
	for (size_t i = 0; i < p->n_sources; i++)    /* what was written stays, to be asked for */
		if (p->sources[i].written)
			u.step[p->sources[i].slot] = 0;
	for (size_t i = 0; i < p->n_values; i++)
		if (u.step[i])
			p->steps[u.step[i] - 1].n_drop++;
	for (size_t i = 0; i < p->n_steps; i++) {
		p->steps[i].drop = arena_array(p->arena, (size_t)p->steps[i].n_drop + 1, sizeof *p->steps[i].drop);
		if (!p->steps[i].drop)
			return fail_memory(err);
		p->steps[i].n_drop = 0;
	}
	for (size_t i = 0; i < p->n_values; i++)
		if (u.step[i]) {
			struct plan_step *s = &p->steps[u.step[i] - 1];
			s->drop[s->n_drop++] = (int)i;
		}
	return true;
}

static bool add_output(struct value *v, void *data)
{
	struct building *b = data;
	struct plan *p = b->plan;
	if (!v->note && !add_source(p, v, b->err))
		return false;
	p->outputs[p->n_outputs++] = slot_of(v);
	return true;
}

static bool build(struct plan *p, nns_error *err)
{
	struct building b = { p, err };
	for (const struct node *n = graph_first(p->graph); n; n = graph_next(n))
		if (!hands_on(n) && !add_step(p, n, err))
			return false;
	p->outputs = arena_array(p->arena, datum_count_tensors(p->graph->output) + 1, sizeof *p->outputs);
	if (!p->outputs)
		return fail_memory(err);
	if (!datum_each_tensor(p->graph->output, add_output, &b))
		return false;
	find_written(p);
	return find_settled(p, err) && find_last_uses(p, err) && plan_find_unread(p, err);
}

static bool forget_note(struct value *v, void *data)
{
	(void)data;
	v->note = NULL;
	return true;
}

/* Notes of an earlier stage would read as slots. */
static void forget_notes(const struct graph *g)
{
	for (const struct node *n = graph_first(g); n; n = graph_next(n)) {
		for (int i = 0; i < n->op->n_args; i++)
			datum_each_tensor(n->args[i], forget_note, NULL);
		for (int i = 0; i < n->n_outputs; i++)
			if (n->outputs[i])
				n->outputs[i]->note = NULL;
	}
	datum_each_tensor(g->output, forget_note, NULL);
}

struct plan *plan_new(const struct graph *g, nns_error *err)
{
	struct arena *a = arena_new(NULL, err);
	struct plan *p = a ? arena_alloc(a, sizeof *p) : NULL;
	if (!p) {
		arena_free(a);
		return fail_memory(err), NULL;
	}
	*p = (struct plan){ .arena = a, .graph = g };
	forget_notes(g);
	bool ok = build(p, err);
	for (size_t i = 0; i < p->n_values; i++)
		p->values[i]->note = NULL;
	if (ok)
		return p;
	plan_free(p);
	return NULL;
}

void plan_free(struct plan *p)
{
	if (p)
		arena_free(p->arena);
}
