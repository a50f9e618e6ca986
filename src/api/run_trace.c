/*
 * A pass in Chrome's trace event format ("Trace Event Format", the JSON object form): one process, one track; modules and
 * the operators in them are complete events (ph "X"), in microseconds since the pass began.
 *
 * Slices of a track must nest, and those that begin at the same time come with the outer one first.  An operator that was
 * done late, with one behind it, belongs to a module that was left meanwhile: such a module has several slices.
 */
#include <math.h>

#include "api/run_profile.h"

struct span {
	const struct call *call;         /* a module; NULL: an operator */
	const struct run_event *event;
	int64_t start, end;              /* ns */
};

struct spans {
	struct arena *arena;
	struct span *items; size_t n, cap;
	const struct call **path; int depth;   /* modules that are open, the root first */
	size_t *open;                    /* the slice of each */
};

static bool add_slice(struct spans *s, struct span slice)
{
	struct span *grown = arena_grow(s->arena, s->items, s->n, &s->cap, sizeof *grown);
	if (!grown)
		return false;
	s->items = grown;
	grown[s->n++] = slice;
	return true;
}

static int depth_of(const struct call *c)
{
	int n = 0;
	for (; c; c = c->parent)
		n++;
	return n;
}

static int deepest(const struct run *r)
{
	int most = 0;
	for (size_t i = 0; i < r->n_events; i++) {
		int n = depth_of(event_call(r, &r->events[i]));
		most = n > most ? n : most;
	}
	return most;
}

/* Leaves what the call is not in, and enters what it is in. */
static bool enter(struct spans *s, const struct call *c, int64_t start)
{
	int depth = depth_of(c), shared = 0;
	const struct call **path = arena_array(s->arena, (size_t)depth + 1, sizeof *path);
	if (!path)
		return false;
	for (int i = depth - 1; i >= 0; i--, c = c->parent)
		path[i] = c;
	while (shared < depth && shared < s->depth && path[shared] == s->path[shared])
		shared++;
	for (s->depth = shared; s->depth < depth; s->depth++) {
		s->path[s->depth] = path[s->depth];
		s->open[s->depth] = s->n;
		if (!add_slice(s, (struct span){ .call = path[s->depth], .start = start, .end = start }))
			return false;
	}
	return true;
}

static bool find_slices(struct spans *s, const struct run *r)
{
	int most = deepest(r);
	*s = (struct spans){ .arena = r->arena, .path = arena_array(r->arena, (size_t)most + 1, sizeof *s->path),
	                    .open = arena_array(r->arena, (size_t)most + 1, sizeof *s->open) };
	if (!s->path || !s->open)
		return false;
	for (size_t i = 0; i < r->n_events; i++) {
		const struct run_event *e = &r->events[i];
		int64_t start = llround(e->start * 1e6), end = llround((e->start + e->ms) * 1e6);
		if (!enter(s, event_call(r, e), start) || !add_slice(s, (struct span){ .event = e, .start = start, .end = end }))
			return false;
		for (int k = 0; k < s->depth; k++)
			s->items[s->open[k]].end = end;
	}
	return true;
}

/* ---- Writing ---- */

static void add_micro(struct text *t, const char *name, int64_t ns)
{
	text_addf(t, "\"%s\": %lld.%03d", name, (long long)(ns / 1000), (int)(ns % 1000));
}

static void add_meta(struct text *t, const char *kind, const char *name)
{
	text_addf(t, "  {\"name\": \"%s\", \"ph\": \"M\", \"ts\": 0, \"pid\": 1, \"tid\": 1, \"args\": {\"name\": ", kind);
	text_add_json(t, name);
	text_add(t, "}},\n");
}

static void add_operator_args(struct text *t, const struct run *r, const struct run_event *e)
{
	double flops = event_flops(r, e);
	int64_t bytes = event_bytes(r, e);
	const struct plan_step *last = &r->plan->steps[e->step];
	text_add(t, "\"kernel\": ");
	text_add_json(t, event_kernel(e));
	if (flops > 0 && e->ms > 0)
		text_addf(t, ", \"GFLOP/s\": %.3f", flops / e->ms / 1e6);
	if (bytes > 0)
		text_addf(t, ", \"bytes\": %lld", (long long)bytes);
	if (e->head != e->step) {
		text_add(t, ", \"with\": ");
		text_add_json(t, last->node->op->name);
	}
	if (e->ends && last->n_outputs > 0 && last->outputs[0] >= 0 && r->plan->values[last->outputs[0]]->ndim >= 0) {
		text_add(t, ", \"shape\": \"");
		shape_add_list(t, r->plan->values[last->outputs[0]]);
		text_addc(t, '"');
	}
}

static void add_event(struct text *t, const struct run *r, const struct span *s, bool last)
{
	const char *name = s->event ? event_name(r, s->event) : *s->call->path ? s->call->path : s->call->module->class_name;
	text_add(t, "  {\"name\": ");
	text_add_json(t, name);
	text_addf(t, ", \"cat\": \"%s\", \"ph\": \"X\", \"pid\": 1, \"tid\": 1, ", s->event ? "operator" : "module");
	add_micro(t, "ts", s->start);
	text_add(t, ", ");
	add_micro(t, "dur", s->end - s->start);
	text_add(t, ", \"args\": {");
	if (s->event) {
		add_operator_args(t, r, s->event);
	} else {
		text_add(t, "\"class\": ");
		text_add_json(t, s->call->module->class_name);
	}
	text_addf(t, "}}%s\n", last ? "" : ",");
}

bool run_profile_chrome(const struct run *r, const char *model, struct text *out, nns_error *err)
{
	struct spans s;
	if (!find_slices(&s, r))
		return fail_memory(err);
	text_add(out, "{\"displayTimeUnit\": \"ms\",\n \"traceEvents\": [\n");
	add_meta(out, "process_name", model);
	add_meta(out, "thread_name", "forward pass");
	for (size_t i = 0; i < s.n; i++)
		add_event(out, r, &s.items[i], i + 1 == s.n);
	if (s.n == 0)            /* no comma after the last */
		text_add(out, "  {\"name\": \"empty\", \"cat\": \"module\", \"ph\": \"X\", \"pid\": 1, \"tid\": 1, \"ts\": 0.000, \"dur\": 0.000, \"args\": {}}\n");
	text_add(out, "]}\n");
	return true;
}
