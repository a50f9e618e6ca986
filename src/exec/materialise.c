#include "exec/materialise.h"

#include <stdlib.h>
#include <string.h>

/* The values become the outputs of the graph, so that a run keeps them. */
static bool set_outputs(struct graph *g, struct value **values, size_t n, nns_error *err)
{
	if (!datum_seq(g->arena, D_TUPLE, n, &g->output))
		return fail_memory(err);
	for (size_t i = 0; i < n; i++)
		if (!seq_push(g->arena, g->output.u.seq, datum_pointer(D_TENSOR, values[i])))
			return fail_memory(err);
	return true;
}

/* Of the values those that the graph made, in front; how many. */
static size_t made_by(const struct graph *g, struct value **values, size_t n)
{
	size_t made = 0;
	for (size_t i = 0; i < n; i++)
		values[i]->note = NULL;
	for (const struct node *at = graph_first(g); at; at = graph_next(at))
		for (int i = 0; i < at->n_outputs; i++)
			if (at->outputs[i])
				at->outputs[i]->note = at->outputs[i];
	for (size_t i = 0; i < n; i++)
		if (values[i]->note)
			values[made++] = values[i];
	for (const struct node *at = graph_first(g); at; at = graph_next(at))
		for (int i = 0; i < at->n_outputs; i++)
			if (at->outputs[i])
				at->outputs[i]->note = NULL;
	return made;
}

/* From here on the value is a leaf over memory of its own, or over that of a file. */
static void take(struct value *v, const struct tensor *t)
{
	v->storage = t->storage->data;
	v->storage_bytes = t->storage->size;
	v->offset = t->offset;
	if (t->ndim > 0)
		memcpy(v->stride, t->stride, (size_t)t->ndim * sizeof *t->stride);
	v->base = NULL;
	v->producer = NULL;
	v->constant = NULL;
	v->version = 0;
}

/* The tensors' memory is not copied but changes its owner: there is never more than one of all weights. */
static bool hand_over(const struct run *r, struct value **values, size_t n, bool (*keep)(void *block, void *data, nns_error *err), void *data, nns_error *err)
{
	for (size_t i = 0; i < n; i++) {
		const struct tensor *t = r->tensors[r->plan->outputs[i]];
		if (!t->storage->borrowed) {
			t->storage->borrowed = true;
			if (!keep(t->storage->data, data, err))
				return false;
		}
		take(values[i], t);
	}
	return true;
}

bool graph_materialise(struct graph *g, struct value **values, size_t n, const struct run_options *o,
                       bool (*keep)(void *block, void *data, nns_error *err), void *data, nns_error *err)
{
	struct run r = { 0 };
	n = made_by(g, values, n);
	if (n == 0)
		return true;
	if (!set_outputs(g, values, n, err))
		return false;
	struct plan *p = plan_new(g, err);
	bool ok = p && run_init(&r, p, err) && run_execute(&r, o, err) && hand_over(&r, values, n, keep, data, err);
	if (r.arena)
		run_release(&r);
	plan_free(p);
	return ok;
}

/* ---- A few values at once ---- */

struct kept {
	struct arena *arena;
	void **blocks; size_t n, cap;
};

static bool keep_for_now(void *block, void *data, nns_error *err)
{
	struct kept *k = data;
	void **grown = arena_grow(k->arena, k->blocks, k->n, &k->cap, sizeof *grown);
	if (!grown) {
		free(block);
		return fail_memory(err);
	}
	k->blocks = grown;
	grown[k->n++] = block;
	return true;
}

bool graph_evaluate(struct graph *g, struct value **values, size_t n, nns_error *err)
{
	struct kept k = { .arena = g->arena };
	struct run_options o = { 0 };
	bool ok = graph_materialise(g, values, n, &o, keep_for_now, &k, err);
	for (size_t i = 0; ok && k.n > 0 && i < n; i++) {
		unsigned char *own = values[i]->storage ? arena_alloc(g->arena, values[i]->storage_bytes + 1) : NULL;
		ok = own || !values[i]->storage || fail_memory(err);
		if (own)
			values[i]->storage = memcpy(own, values[i]->storage, values[i]->storage_bytes);
	}
	for (size_t i = 0; i < k.n; i++)
		free(k.blocks[i]);
	return ok;
}
