#include "exec/materialise.h"

#include <stdlib.h>
#include <string.h>

enum { ALIGNMENT = 64 };

static size_t padded(size_t bytes)
{
	return (bytes + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
}

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

/* From here on the value is a leaf with bytes of its own. */
static void take(struct value *v, const struct tensor *t, unsigned char *at)
{
	struct storage s = { .data = at, .size = t->storage->size, .users = 1, .borrowed = true };
	struct tensor own = *t;
	own.storage = &s;
	own.offset = 0;
	tensor_copy(&own, t);
	v->storage = at;
	v->storage_bytes = t->storage->size;
	v->offset = 0;
	v->base = NULL;
	v->producer = NULL;
	v->constant = NULL;
	v->version = 0;
}

static bool copy_out(const struct run *r, struct value **values, size_t n, void **block, nns_error *err)
{
	size_t total = ALIGNMENT, at = 0;
	for (size_t i = 0; i < n; i++)
		total += padded(r->tensors[r->plan->outputs[i]]->storage->size);
	unsigned char *bytes = aligned_alloc(ALIGNMENT, total);
	if (!bytes)
		return fail_memory(err);
	memset(bytes, 0, total);
	for (size_t i = 0; i < n; i++) {
		const struct tensor *t = r->tensors[r->plan->outputs[i]];
		take(values[i], t, bytes + at);
		at += padded(t->storage->size);
	}
	*block = bytes;
	return true;
}

bool graph_evaluate(struct graph *g, struct value **values, size_t n, nns_error *err)
{
	void *block;
	if (!graph_materialise(g, values, n, NULL, &block, err))
		return false;
	bool ok = true;
	for (size_t i = 0; block && i < n; i++) {
		unsigned char *own = values[i]->storage ? arena_alloc(g->arena, values[i]->storage_bytes + 1) : NULL;
		ok = ok && (own || !values[i]->storage);
		if (own)
			values[i]->storage = memcpy(own, values[i]->storage, values[i]->storage_bytes);
	}
	free(block);
	return ok || fail_memory(err);
}

bool graph_materialise(struct graph *g, struct value **values, size_t n, struct generator *generator, void **block, nns_error *err)
{
	struct run r = { 0 };
	struct run_options o = { .generator = generator };
	*block = NULL;
	n = made_by(g, values, n);
	if (n == 0)
		return true;
	if (!set_outputs(g, values, n, err))
		return false;
	struct plan *p = plan_new(g, err);
	bool ok = p && run_init(&r, p, err) && run_execute(&r, &o, err) && copy_out(&r, values, n, block, err);
	if (r.arena)
		run_release(&r);
	plan_free(p);
	return ok;
}
