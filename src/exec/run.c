/* Running a plan step by step on the reference kernels. */
#include <inttypes.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "exec/plan.h"

/* ---- Content from outside ---- */

static bool fill_constant(const struct datum *d, enum dtype dtype, unsigned char **at, nns_error *err)
{
	if (datum_is_seq(*d)) {
		for (size_t i = 0; i < d->u.seq->n; i++)
			if (!fill_constant(&d->u.seq->items[i], dtype, at, err))
				return false;
		return true;
	}
	if (!datum_is_number(*d))
		return fail(err, NNS_UNSUPPORTED, "a constant tensor made of %s", datum_type_name(*d));
	if (d->kind == D_FLOAT)
		elements_from_double(dtype, *at, 1, 1, &d->u.f);
	else
		elements_from_int(dtype, *at, 1, 1, &(int64_t){ datum_as_int(*d) });
	*at += dtype_size(dtype);
	return true;
}

static int64_t count_numbers(const struct datum *d)
{
	int64_t n = 0;
	if (!datum_is_seq(*d))
		return 1;
	for (size_t i = 0; i < d->u.seq->n; i++)
		n += count_numbers(&d->u.seq->items[i]);
	return n;
}

static struct tensor *tensor_of_constant(struct arena *a, struct heap *h, const struct value *v, nns_error *err)
{
	struct tensor *t = tensor_new(a, h, v->dtype, v->ndim, v->size, err);
	unsigned char *at = t ? tensor_data(t) : NULL;
	if (!t)
		return NULL;
	if (count_numbers(v->constant) != tensor_numel(t))
		return fail(err, NNS_MODEL, "a constant tensor has other than its %" PRId64 " values", tensor_numel(t)), NULL;
	t->is_scalar = v->is_scalar;
	return fill_constant(v->constant, v->dtype, &at, err) ? t : NULL;
}

/* Files may put elements at any byte; kernels read them as what they are. */
static struct tensor *aligned(struct arena *a, struct heap *h, struct tensor *t, nns_error *err)
{
	size_t size = t ? dtype_size(t->dtype) : 0, unit = size >= 8 ? 8 : size ? size : 1;
	if (!t || (uintptr_t)tensor_data(t) % unit == 0)
		return t;
	struct tensor *copy = tensor_new_strided(a, h, t->dtype, t->ndim, t->size, t->stride, err);
	if (copy)
		tensor_copy(copy, t);
	return copy;
}

struct tensor *tensor_of_value(struct arena *a, struct heap *h, const struct value *v, nns_error *err)
{
	if (v->ndim < 0)
		return fail(err, NNS_MODEL, "the shape of %s is unknown", v->name ? v->name : "a tensor"), NULL;
	if (v->storage) {
		struct storage *s = storage_borrow(a, v->storage, v->storage_bytes, err);
		struct tensor *t = s ? aligned(a, h, tensor_over(a, s, v->dtype, v->ndim, v->size, v->stride, v->offset, err), err) : NULL;
		if (!t)
			fail_within(err, "%s: ", v->name ? v->name : "a constant");
		else
			t->is_scalar = v->is_scalar;
		return t;
	}
	if (v->constant) {
		struct tensor *t = tensor_of_constant(a, h, v, err);
		if (t)
			t->is_scalar = v->is_scalar;
		return t;
	}
	fail(err, NNS_MODEL, "%s has no content, and only parameters of descriptions are drawn: give the weights",
	     v->name ? v->name : "a tensor that the graph reads");
	return fail_hint(err, NNS_HINT_WEIGHTS), NULL;
}

static struct tensor *own_copy(struct run *r, const struct tensor *t, nns_error *err)
{
	struct tensor *copy = tensor_new_strided(r->arena, &r->heap, t->dtype, t->ndim, t->size, t->stride, err);
	if (copy)
		tensor_copy(copy, t);
	return copy;
}

bool run_source(struct run *r, const struct plan_source *s, const struct run_options *o, nns_error *err)
{
	struct tensor *t;
	if (s->input >= 0) {
		t = o->inputs[s->input];
		t->storage->users++;
	} else {
		t = tensor_of_value(r->arena, &r->heap, r->plan->values[s->slot], err);
	}
	if (t && s->written) {
		struct tensor *copy = own_copy(r, t, err);
		storage_drop(t->storage);
		t = copy;
	}
	r->tensors[s->slot] = t;
	return t != NULL;
}

/* ---- Steps ---- */

static bool bind(struct run *r, struct datum from, struct datum *to, nns_error *err)
{
	*to = from;
	if (from.kind == D_TENSOR) {
		to->u.p = r->tensors[from.u.i];
		return to->u.p || fail(err, NNS_MODEL, "a tensor is read before it is made");
	}
	if (!datum_is_seq(from))
		return true;
	if (!datum_seq(r->arena, from.kind, from.u.seq->n, to))
		return fail_memory(err);
	for (size_t i = 0; i < from.u.seq->n; i++) {
		struct datum item;
		if (!bind(r, from.u.seq->items[i], &item, err))
			return false;
		if (!seq_push(r->arena, to->u.seq, item))
			return fail_memory(err);
	}
	return true;
}

void run_drop(struct run *r, int slot)
{
	if (r->tensors[slot])
		storage_drop(r->tensors[slot]->storage);
	r->tensors[slot] = NULL;
}

static void add_layout(struct text *t, enum dtype dtype, int ndim, const int64_t *size, const int64_t *stride)
{
	text_addf(t, "%s [", dtype_name(dtype));
	for (int i = 0; i < ndim; i++)
		text_addf(t, "%s%" PRId64, i ? ", " : "", size[i]);
	text_add(t, "] strides [");
	for (int i = 0; i < ndim; i++)
		text_addf(t, "%s%" PRId64, i ? ", " : "", stride[i]);
	text_addc(t, ']');
}

/* Strides of dimensions of one element, and of empty tensors, say nothing. */
bool run_fits(const struct tensor *t, const struct value *v)
{
	if (t->dtype != v->dtype || t->ndim != v->ndim)
		return false;
	bool empty = false;
	for (int i = 0; i < t->ndim; i++) {
		if (t->size[i] != v->size[i])
			return false;
		empty = empty || t->size[i] == 0;
	}
	for (int i = 0; i < t->ndim && !empty; i++)
		if (t->size[i] > 1 && t->stride[i] != v->stride[i])
			return false;
	return true;
}

static bool check_value(struct run *r, const struct tensor *t, const struct value *v, nns_error *err)
{
	if (v->ndim < 0)
		return true;
	r->n_checked++;
	if (run_fits(t, v))
		return true;
	struct text text;
	text_init(&text);
	text_add(&text, "made ");
	add_layout(&text, t->dtype, t->ndim, t->size, t->stride);
	text_add(&text, ", inferred ");
	add_layout(&text, v->dtype, v->ndim, v->size, v->stride);
	text.failed ? fail_memory(err) : fail(err, NNS_MODEL, "%s", text.data);
	text_release(&text);
	return false;
}

static bool keep_outputs(struct run *r, const struct plan_step *s, struct kernel_call *k, bool check, nns_error *err)
{
	size_t expected = (size_t)s->n_outputs;
	bool ok = k->n_outputs == expected || fail(err, NNS_MODEL, "the kernel made %zu results, the graph has %zu", k->n_outputs, expected);
	for (size_t i = 0; i < k->n_outputs; i++) {
		int slot = i < expected ? s->outputs[i] : -1;
		if (!ok || slot < 0) {
			storage_drop(k->outputs[i]->storage);
			continue;
		}
		struct tensor *before = r->tensors[slot];
		r->tensors[slot] = k->outputs[i];
		if (before)
			storage_drop(before->storage);
		ok = !check || (size_t)(s - r->plan->steps) < r->plan->settled[slot] || check_value(r, k->outputs[i], r->plan->values[slot], err);
	}
	return ok;
}

/* What the user wrote: the outermost operator. */
static const struct node *outermost(const struct node *n)
{
	while (n->parent)
		n = n->parent;
	return n;
}

static bool fail_at(const struct plan_step *s, nns_error *err)
{
	const struct node *n = s->node, *top = outermost(n);
	const char *path = n->call ? n->call->path : "";
	if (top == n)
		return fail_within(err, "%s%s%s: ", path, *path ? ": " : "", n->op->name);
	return fail_within(err, "%s%s%s (in %s): ", path, *path ? ": " : "", n->op->name, top->op->name);
}

static bool call_kernel(struct run *r, const struct plan_step *s, const struct run_options *o, nns_error *err)
{
	struct kernel_call k = { .op = s->node->op, .heap = &r->heap, .arena = r->arena, .generator = o->generator, .threads = o->threads, .unread = s->unread,
		.err = err };
	if (!s->row)
		return fail(err, NNS_UNSUPPORTED, "there is no kernel for this operator");
	struct datum *args = arena_array(r->arena, (size_t)k.op->n_args + 1, sizeof *args);
	if (!args)
		return fail_memory(err);
	for (int i = 0; i < k.op->n_args; i++)
		if (!bind(r, s->args[i], &args[i], err))
			return false;
	k.args = args;
	bool ok = kernel_run(&k, s->row);
	kernel_release(&k);
	if (ok)
		return keep_outputs(r, s, &k, o->check, err);
	for (size_t i = 0; i < k.n_outputs; i++)
		storage_drop(k.outputs[i]->storage);
	return err && err->code ? false : fail(err, NNS_MODEL, "wrong arguments");
}

bool run_step(struct run *r, size_t step, const struct run_options *o, nns_error *err)
{
	const struct plan_step *s = &r->plan->steps[step];
	return call_kernel(r, s, o, err) || fail_at(s, err);
}

double run_clock(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

static int machine_threads(void)
{
	long n = sysconf(_SC_NPROCESSORS_ONLN);
	return n < 1 ? 1 : n > 64 ? 64 : (int)n;
}

/* ---- Runs ---- */

bool run_init(struct run *r, const struct plan *p, nns_error *err)
{
	*r = (struct run){ .arena = arena_new(NULL, err), .plan = p };
	r->tensors = r->arena ? arena_array(r->arena, p->n_values + 1, sizeof *r->tensors) : NULL;
	if (r->tensors)
		return true;
	run_release(r);
	return fail_memory(err);
}

void run_begin(struct run *r, struct run_options *o)
{
	o->threads = o->threads > 0 ? o->threads : machine_threads();
	r->heap.limit = o->memory;
	r->began = run_clock();
}

bool run_record(struct run *r, const struct run_options *o, struct run_event e, nns_error *err)
{
	if (!o->timed)
		return true;
	struct run_event *grown = arena_grow(r->arena, r->events, r->n_events, &r->cap_events, sizeof *grown);
	if (!grown)
		return fail_memory(err);
	e.ms = run_clock() - r->began - e.start;
	r->events = grown;
	grown[r->n_events++] = e;
	return true;
}

bool run_progress(const struct run_options *o, size_t done, size_t total, nns_error *err)
{
	return !o->progress || o->progress(done, total, o->progress_data) || fail(err, NNS_CANCELLED, "stopped");
}

bool run_execute(struct run *r, const struct run_options *options, nns_error *err)
{
	struct run_options o = *options;
	nns_error local = { 0 };
	err = err ? err : &local;
	run_begin(r, &o);
	for (size_t i = 0; i < r->plan->n_sources; i++)
		if (!run_source(r, &r->plan->sources[i], &o, err))
			return false;
	for (size_t i = 0; i < r->plan->n_steps; i++) {
		const struct plan_step *s = &r->plan->steps[i];
		double start = run_clock() - r->began;
		if (!run_progress(&o, i, r->plan->n_steps, err) || !run_step(r, i, &o, err) ||
		    !run_record(r, &o, (struct run_event){ .step = i, .head = i, .ends = true, .start = start }, err))
			return false;
		for (int j = 0; j < s->n_drop; j++)
			run_drop(r, s->drop[j]);
	}
	return true;
}

void run_release(struct run *r)
{
	for (size_t i = 0; r->tensors && i < r->plan->n_values; i++)
		run_drop(r, (int)i);
	arena_free(r->arena);
	*r = (struct run){ 0 };
}
