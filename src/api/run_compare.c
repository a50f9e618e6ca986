/* Both executors side by side: the first operator whose values differ. */
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>

#include "api/difference.h"
#include "api/run.h"
#include "base/random.h"

struct comparison {
	struct run *reference;
	const struct run_options *options;
	double rtol, atol;
	size_t next;             /* step of the reference run */
	const char *buffer;      /* that is compared, NULL: what a step made */
	struct run_difference *result;
};

static void compare_tensors(struct comparison *c, size_t step, const double *fast, const double *want, int64_t n)
{
	struct run_difference *d = c->result;
	d->values += (size_t)n;
	for (int64_t i = 0; i < n; i++) {
		bool both_nan = isnan(fast[i]) && isnan(want[i]);
		double by = both_nan || fast[i] == want[i] ? 0 : fabs(fast[i] - want[i]);
		if (by > d->largest)
			d->largest = by;
		if (!d->found && !close_enough(fast[i], want[i], c->rtol, c->atol)) {
			d->found = true;
			d->step = step;
			d->buffer = c->buffer;
			d->at = i;
			d->fast = fast[i];
			d->reference = want[i];
		}
	}
}

static bool compare_slot(struct comparison *c, size_t step, const struct tensor *fast, const struct tensor *want, nns_error *err)
{
	int64_t n = tensor_numel(want);
	if (tensor_numel(fast) != n)
		return fail(err, NNS_MODEL, "the executors made %" PRId64 " and %" PRId64 " values", tensor_numel(fast), n);
	double *x = malloc(((size_t)n + 1) * sizeof *x), *y = malloc(((size_t)n + 1) * sizeof *y);
	bool ok = (x && y) || fail_memory(err);
	if (ok) {
		tensor_to_doubles(fast, x);
		tensor_to_doubles(want, y);
		compare_tensors(c, step, x, y, n);
	}
	free(x);
	free(y);
	return ok;
}

static bool catch_up(struct comparison *c, const struct plan *p, size_t step, nns_error *err)
{
	for (; c->next <= step; c->next++) {
		if (!run_step(c->reference, c->next, c->options, err))
			return fail_within(err, "reference: ");
		for (int k = 0; c->next < step && k < p->steps[c->next].n_drop; k++)
			run_drop(c->reference, p->steps[c->next].drop[k]);
	}
	return true;
}

/* The reference run comes up to the step that the fast one has just done. */
static bool after(size_t step, const struct run *r, void *data, nns_error *err)
{
	struct comparison *c = data;
	const struct plan *p = r->plan;
	bool ahead = c->next > step;
	if (!catch_up(c, p, step, err))
		return false;
	const struct plan_step *s = &p->steps[step];
	for (int k = 0; k < s->n_outputs && !ahead; k++) {
		int slot = s->outputs[k];
		const struct tensor *x = slot < 0 ? NULL : r->tensors[slot], *y = slot < 0 ? NULL : c->reference->tensors[slot];
		if (x && y && dtype_converts(y->dtype) && !compare_slot(c, step, x, y, err))
			return false;
	}
	for (int k = 0; k < s->n_drop && !ahead; k++)
		run_drop(c->reference, s->drop[k]);
	return true;
}

/* What the pass wrote to parameters, buffers and inputs. */
static bool compare_written(struct comparison *c, const struct run *r, nns_error *err)
{
	const struct plan *p = r->plan;
	if (p->n_steps > 0 && !catch_up(c, p, p->n_steps - 1, err))
		return false;
	for (size_t i = 0; i < p->n_sources; i++) {
		int slot = p->sources[i].slot;
		const struct tensor *x = r->tensors[slot], *y = c->reference->tensors[slot];
		c->buffer = p->values[slot]->name ? p->values[slot]->name : "a tensor without a name";
		if (p->sources[i].written && x && y && dtype_converts(y->dtype) && !compare_slot(c, 0, x, y, err))
			return false;
	}
	return true;
}

bool run_compare(struct fast_plan *f, struct run *r, const struct run_options *o, double rtol, double atol, struct run_difference *result, nns_error *err)
{
	struct run reference;
	struct generator *copy = o->generator;
	struct run_options mine = *o;
	if (!run_init(&reference, r->plan, err))
		return false;
	if (copy) {              /* both draw the same numbers */
		mine.generator = arena_alloc(reference.arena, sizeof *copy);
		if (!mine.generator)
			return run_release(&reference), fail_memory(err);
		*mine.generator = *copy;
	}
	struct comparison c = { .reference = &reference, .options = &mine, .rtol = rtol, .atol = atol, .result = result };
	struct fast_watch watch = { after, &c };
	run_begin(&reference, &mine);
	*result = (struct run_difference){ 0 };
	bool ok = true;
	for (size_t i = 0; ok && i < r->plan->n_sources; i++)
		ok = run_source(&reference, &r->plan->sources[i], &mine, err);
	ok = ok && fast_execute(f, r, o, &watch, err) && (r->not_finite || compare_written(&c, r, err));
	run_release(&reference);
	return ok;
}
