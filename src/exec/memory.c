#include "exec/memory.h"

#include <stdint.h>
#include <stdio.h>

static size_t plus(size_t x, size_t y)
{
	return x > SIZE_MAX - y ? SIZE_MAX : x + y;
}

static size_t times_size(int64_t n, size_t size)
{
	size_t bytes;
	return n < 0 ? 0 : __builtin_mul_overflow((size_t)n, size, &bytes) ? SIZE_MAX : bytes;
}

static size_t bytes_of(const struct value *v)
{
	return v->ndim < 0 || !dtype_size(v->dtype) ? 0 : times_size(value_numel(v), dtype_size(v->dtype));
}

/* ---- Scratch memory ---- */

struct scratch_count {
	const struct plan *plan;
	enum dtype type;         /* that a kernel computes in: what lies in it, row by row, is read where it is */
	size_t bytes;
};

static void count_copy(struct scratch_count *c, int slot, bool made)
{
	const struct value *v = c->plan->values[slot];
	if (v->ndim < 0 || (v->dtype == c->type && (made || value_is_contiguous(v))))
		return;
	c->bytes = plus(c->bytes, times_size(value_numel(v), dtype_size(c->type)));
}

static void count_read(struct datum d, struct scratch_count *c)
{
	if (d.kind == D_TENSOR)
		count_copy(c, (int)d.u.i, false);
	for (size_t i = 0; datum_is_seq(d) && i < d.u.seq->n; i++)
		count_read(d.u.seq->items[i], c);
}

static bool reads_float64(const struct plan *p, const struct plan_step *s)
{
	for (int i = 0; i < s->node->op->n_args; i++)
		if (s->args[i].kind == D_TENSOR && p->values[s->args[i].u.i]->dtype == DT_FLOAT64)
			return true;
	return false;
}

enum { A_THREAD = 1 << 20 }; /* what a thread of a matrix product or a convolution keeps at hand */

static size_t scratch_of(const struct plan *p, const struct plan_step *s, int threads)
{
	struct scratch_count c = { .plan = p, .type = DT_FLOAT64 };
	enum kernel_scratch kind = s->row ? s->row->scratch : SCRATCH_NONE;
	if (!s->row || !s->row->run || kind == SCRATCH_NONE || kernel_reshapes(s->row))
		return 0;
	if (kind == SCRATCH_OWN_TYPE && !reads_float64(p, s))
		c.type = DT_FLOAT32;
	for (int i = 0; i < s->node->op->n_args; i++)
		count_read(s->args[i], &c);
	for (int i = 0; i < s->n_outputs; i++)
		if (s->outputs[i] >= 0)
			count_copy(&c, s->outputs[i], true);
	return kind == SCRATCH_OWN_TYPE ? plus(c.bytes, (size_t)threads * A_THREAD) : c.bytes;
}

/* An in-place operator on the kernel of the other one makes its result beside what it is written to. */
static size_t beside(const struct plan *p, const struct plan_step *s)
{
	bool beside = s->node->op->inplace && s->row && !kernel_reshapes(s->row) && s->n_outputs > 0 && s->outputs[0] >= 0;
	return beside ? bytes_of(p->values[s->outputs[0]]) : 0;
}

/* ---- Tensors ---- */

static bool find_owners(struct liveness *l)
{
	const struct plan *p = l->plan;
	for (size_t i = 0; i < p->n_values; i++)
		p->values[i]->note = (void *)(intptr_t)(i + 1);
	for (size_t i = 0; i < p->n_values; i++) {
		const struct value *base = p->values[i]->base;
		l->owner[i] = base && base->note ? (int)(intptr_t)base->note - 1 : (int)i;
	}
	for (size_t i = 0; i < p->n_values; i++)
		p->values[i]->note = NULL;
	for (size_t i = 0; i < p->n_sources; i++)
		if (p->sources[i].input < 0 && !p->sources[i].written)
			l->outside[l->owner[p->sources[i].slot]] = true;
	return true;
}

bool liveness_begin(struct liveness *l, struct arena *a, const struct plan *p, int threads, nns_error *err)
{
	size_t n = p->n_values + 1;
	*l = (struct liveness){ .plan = p, .threads = threads, .owner = arena_array(a, n, sizeof *l->owner), .users = arena_array(a, n, sizeof *l->users),
		.live = arena_array(a, n, sizeof *l->live), .outside = arena_array(a, n, sizeof *l->outside) };
	if (!l->owner || !l->users || !l->live || !l->outside)
		return fail_memory(err);
	find_owners(l);
	for (size_t i = 0; i < p->graph->n_inputs; i++)      /* held until the pass is over */
		l->now = plus(l->now, bytes_of(p->graph->inputs[i].value));
	l->peak = l->now;
	for (size_t i = 0; i < p->n_sources; i++)
		if (p->sources[i].written)
			liveness_come(l, p->sources[i].slot);
		else if (p->sources[i].input >= 0)
			l->outside[l->owner[p->sources[i].slot]] = true;
	return true;
}

static void see_peak(struct liveness *l, size_t more)
{
	size_t total = plus(l->now, more);
	l->peak = total > l->peak ? total : l->peak;
}

void liveness_come(struct liveness *l, int slot)
{
	int owner = l->owner[slot];
	if (l->live[slot])
		return;
	l->live[slot] = true;
	if (l->users[owner]++ == 0 && !l->outside[owner])
		l->now = plus(l->now, bytes_of(l->plan->values[owner]));
	see_peak(l, 0);
}

void liveness_step(struct liveness *l, const struct plan_step *s)
{
	for (int i = 0; i < s->n_outputs; i++)
		if (s->outputs[i] >= 0)
			liveness_come(l, s->outputs[i]);
	see_peak(l, plus(scratch_of(l->plan, s, l->threads), beside(l->plan, s)));
}

void liveness_go(struct liveness *l, int slot)
{
	int owner = l->owner[slot];
	if (!l->live[slot])
		return;
	l->live[slot] = false;
	if (--l->users[owner] == 0 && !l->outside[owner] && l->now != SIZE_MAX)
		l->now -= bytes_of(l->plan->values[owner]);
}

/* ---- A plan ---- */

static size_t weights_of(const struct plan *p)
{
	size_t n = 0;
	for (size_t i = 0; i < p->n_sources; i++)
		if (p->sources[i].input < 0)
			n = plus(n, bytes_of(p->values[p->sources[i].slot]));
	return n;
}

bool memory_of_plan(const struct plan *p, int threads, struct memory_plan *m, nns_error *err)
{
	struct arena *a = arena_new(NULL, err);
	struct liveness l;
	bool ok = a && liveness_begin(&l, a, p, threads, err);
	for (size_t i = 0; ok && i < p->n_steps; i++) {
		liveness_step(&l, &p->steps[i]);
		for (int k = 0; k < p->steps[i].n_drop; k++)
			liveness_go(&l, p->steps[i].drop[k]);
	}
	*m = (struct memory_plan){ 0 };
	if (ok)
		*m = (struct memory_plan){ .weights = weights_of(p), .activations = l.peak };
	arena_free(a);
	return ok;
}

size_t memory_total(const struct memory_plan *m)
{
	return plus(plus(m->weights, m->activations), plus(m->packed, m->workspace));
}

/* "12.3 MB"; room for n bytes. */
static const char *memory_amount(char *out, size_t n, size_t bytes)
{
	double b = (double)bytes;
	if (bytes < 1000)
		snprintf(out, n, "%zu bytes", bytes);
	else
		snprintf(out, n, "%.1f %s", b < 1e6 ? b / 1e3 : b < 1e9 ? b / 1e6 : b / 1e9, b < 1e6 ? "kB" : b < 1e9 ? "MB" : "GB");
	return out;
}

bool memory_allowed(const struct memory_plan *m, size_t limit, nns_error *err)
{
	const size_t parts[] = { memory_total(m), m->weights, m->activations, m->packed, m->workspace, limit };
	char text[6][32];
	if (!limit || parts[0] <= limit)
		return true;
	for (int i = 0; i < 6; i++)
		memory_amount(text[i], sizeof text[i], parts[i]);
	fail(err, NNS_MEMORY, "needs %s of memory (weights %s, activations %s, packed weights %s, workspace %s), more than the %s that it may take",
	     text[0], text[1], text[2], text[3], text[4], text[5]);
	return fail_hint(err, NNS_HINT_MEMORY);
}
