/* Running a fast plan. */
#include <stdlib.h>

#include "base/machine.h"
#include "base/random.h"
#include "exec/guard.h"

static bool take_memory(struct fast_plan *f, nns_error *err)
{
	void *p;
	size_t bytes = f->activations + f->scratch + 64;
	if (f->memory)
		return true;
	if (posix_memalign(&p, 64, bytes) != 0)
		return fail_memory(err);
	machine_large_pages(p, bytes);
	f->memory = p;
	return true;
}

static bool load(struct fast_plan *f, struct run *r, const struct run_options *o, nns_error *err)
{
	const struct plan *p = f->plan;
	for (size_t i = 0; i < p->n_values; i++)
		if (f->fusion.constant[i] && f->loaded[i] && f->constants.tensors[i]) {
			r->tensors[i] = f->constants.tensors[i];
			r->tensors[i]->storage->users++;
		}
	for (size_t i = 0; i < p->n_sources; i++) {
		const struct plan_source *s = &p->sources[i];
		if (!r->tensors[s->slot] && (f->loaded[s->slot] || s->written) && !run_source(r, s, o, err))
			return false;
	}
	return true;
}

static void *operand_memory(const struct fast_plan *f, const struct run *r, struct operand o)
{
	if (o.place >= 0)
		return f->memory + f->places[o.place].offset;
	const struct tensor *t = r->tensors[o.slot];
	return t && run_fits(t, f->plan->values[o.slot]) ? tensor_data(t) : NULL;
}

static bool make_result(struct fast_plan *f, struct run *r, int slot, nns_error *err)
{
	const struct value *v = f->plan->values[slot];
	struct tensor *t = tensor_new_raw(r->arena, &r->heap, v->dtype, v->ndim, v->size, v->stride, err);
	if (!t)
		return false;
	if (r->tensors[slot])
		storage_drop(r->tensors[slot]->storage);
	r->tensors[slot] = t;
	return true;
}

static bool run_primitive(struct fast_plan *f, struct run *r, const struct action *a, nns_error *err)
{
	enum { FEW = 16 };
	void *few[FEW] = { NULL }, **in = a->n_in <= FEW ? few : arena_array(r->arena, (size_t)a->n_in, sizeof *in);
	struct tensor *before = a->out.place < 0 ? r->tensors[a->out.slot] : NULL;
	if (!in)
		return fail_memory(err);
	if (before)
		before->storage->users++;     /* it may be read by this very primitive */
	bool ok = true;
	for (int i = 0; i < a->n_in && ok; i++) {
		in[i] = operand_memory(f, r, a->in[i]);
		ok = in[i] || fail(err, NNS_MODEL, "a tensor has another layout than was inferred");
	}
	ok = ok && (a->out.place >= 0 || make_result(f, r, a->out.slot, err));
	void *out[GROUP_RESULTS] = { ok ? operand_memory(f, r, a->out) : NULL };
	for (int i = 0; i < a->n_more && ok; i++) {
		ok = make_result(f, r, a->more[i], err);
		out[i + 1] = ok ? operand_memory(f, r, (struct operand){ a->more[i], -1 }) : NULL;
	}
	ok = ok && (f->backend->run(f->backend, a->primitive, in, out, f->memory + f->activations) ||
		fail(err, NNS_MODEL, "%s failed", f->backend->name));
	if (before)
		storage_drop(before->storage);
	if (ok && a->ends)
		r->n_checked++;
	return ok;
}

/* *lost: an action would lose what is not finite; the run ends before it. */
static bool execute(struct fast_plan *f, struct run *r, const struct run_options *options, const struct fast_watch *w, const struct action **lost,
                    nns_error *err)
{
	struct run_options o = *options;
	run_begin(r, &o);
	guard_begin(f);
	if (!take_memory(f, err) || !load(f, r, &o, err))
		return false;
	for (size_t i = 0; i < f->n_actions; i++) {
		const struct action *a = &f->actions[i];
		struct run_event e = { .step = a->step, .head = a->primitive ? a->head : a->step, .kernel = a->primitive ? a->name : NULL, .ends = a->ends,
			.start = run_clock() - r->began };
		double most;
		if (!run_progress(&o, i, f->n_actions, err))
			return false;
		if (!guard_before(f, r, a, &most)) {
			*lost = a;
			return true;
		}
		if (!a->primitive ? !run_step(r, a->step, &o, err) : !run_primitive(f, r, a, err))
			return a->primitive ? fail_within(err, "%s: ", f->plan->steps[a->step].node->op->name) : false;
		if (!run_record(r, &o, e, err))
			return false;
		guard_after(f, a, most);
		if (w && a->ends && !w->after(a->step, r, w->data, err))
			return false;
		for (int k = 0; k < a->n_drop; k++)
			run_drop(r, a->drop[k]);
	}
	return true;
}

/* The reference kernels keep what is not finite.  They get the memory that the pass so far had taken. */
static bool begin_again(struct fast_plan *f, struct run *r, const struct run_options *o, const struct action *lost, nns_error *err)
{
	for (size_t i = 0; i < f->plan->n_values; i++)
		run_drop(r, (int)i);
	pool_release(&f->pool);
	free(f->memory);
	f->memory = NULL;
	r->n_events = r->n_checked = 0;
	r->not_finite = &f->plan->steps[lost->head];
	return run_execute(r, o, err);
}

/* What the run keeps after it is freed without the pool, which may be gone then. */
bool fast_execute(struct fast_plan *f, struct run *r, const struct run_options *options, const struct fast_watch *w, nns_error *err)
{
	const struct action *lost = NULL;
	nns_error local = { 0 };
	struct generator *g = options->generator, first = g ? *g : (struct generator){ 0 };
	err = err ? err : &local;
	r->heap.pool = &f->pool;
	bool ok = execute(f, r, options, w, &lost, err);
	if (lost && g)
		*g = first;
	ok = ok && (!lost || begin_again(f, r, options, lost, err));
	r->heap.pool = NULL;
	return ok;
}
