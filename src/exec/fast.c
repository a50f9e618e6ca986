/* Making a fast plan and its backend; lower.h makes the actions. */
#include "exec/lower.h"

#include <stdlib.h>

bool fast_available(void)
{
	struct backend *b = backend_new(0, NULL);
	if (b)
		b->free(b);
	return b != NULL;
}

bool fast_has_half(void)
{
	return backend_has_half();
}

/* Constant slots get their tensors: parameters as they are, what is folded from its kernel. */
static bool make_constants(struct fast_plan *f, nns_error *err)
{
	const struct plan *p = f->plan;
	struct run_options o = { .threads = f->options.threads, .check = true };
	f->making = (struct run_options){ .progress = f->options.progress, .progress_data = f->options.progress_data };
	if (!run_init(&f->constants, p, err))
		return false;
	for (size_t i = 0; i < p->n_sources; i++)
		if (f->fusion.constant[p->sources[i].slot] && !run_source(&f->constants, &p->sources[i], &o, err))
			return false;
	for (size_t i = 0; i < p->n_steps; i++)
		if (f->fusion.folded[i] && !run_step(&f->constants, i, &o, err))
			return false;
	return true;
}

static bool refuse_size(const struct fast_plan *f, nns_error *err)
{
	struct memory_plan m;
	return fast_plan_memory(f, &m, err) && memory_allowed(&m, f->options.memory, err);
}

struct fast_plan *fast_plan_new(const struct plan *p, const struct fast_options *o, nns_error *err)
{
	nns_error local = { 0 };
	struct arena *a = arena_new(NULL, err);
	struct fast_plan *f = a ? arena_alloc(a, sizeof *f) : NULL;
	err = err ? err : &local;
	if (!f) {
		arena_free(a);
		return fail_memory(err), NULL;
	}
	*f = (struct fast_plan){ .arena = a, .plan = p, .options = *o, .backend = backend_new(o->threads, err) };
	if (f->backend && fuse(&f->fusion, p, a, err) && make_constants(f, err) && lower_plan(f, err) && refuse_size(f, err))
		return f;
	fast_plan_free(f);
	return NULL;
}

void fast_plan_keep(struct fast_plan *f)
{
	struct memory_plan m;
	nns_error refused = { 0 };
	if (f->kept || !fast_plan_memory(f, &m, &refused))
		return;
	f->kept = true;
	m.packed += f->later;
	for (size_t i = 0; i < f->n_actions && memory_allowed(&m, f->options.memory, &refused); i++)
		if (f->actions[i].primitive)
			f->weights += f->backend->keep(f->actions[i].primitive);
}

void fast_plan_free(struct fast_plan *f)
{
	if (!f)
		return;
	for (size_t i = 0; i < f->n_actions; i++)
		f->backend->drop(f->actions[i].primitive);
	if (f->constants.arena)
		run_release(&f->constants);
	if (f->backend)
		f->backend->free(f->backend);
	free(f->memory);
	pool_release(&f->pool);
	arena_free(f->arena);
}
