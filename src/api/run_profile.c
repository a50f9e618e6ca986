/* Where the time of a run went: by operator and kernel, and by module. */
#include "api/run_profile.h"

#include <stdlib.h>
#include <string.h>

enum { SHOWN = 40 };         /* modules in the text */

/* ---- Events ---- */

static const struct plan_step *head_of(const struct run *r, const struct run_event *e)
{
	return &r->plan->steps[e->head];
}

const char *event_name(const struct run *r, const struct run_event *e)
{
	return e->ends ? head_of(r, e)->node->op->name : "reorder";
}

const char *event_kernel(const struct run_event *e)
{
	return e->kernel ? e->kernel : "reference";
}

const struct call *event_call(const struct run *r, const struct run_event *e)
{
	return head_of(r, e)->node->call;
}

double event_flops(const struct run *r, const struct run_event *e)
{
	const struct node *n = head_of(r, e)->node;
	double count = 0;
	return e->ends && n->op->rule && n->op->rule->flops && n->op->rule->flops(n, &count) ? 2 * count : 0;
}

static void add_bytes(struct datum d, const struct plan *p, int64_t *sum)
{
	if (d.kind == D_TENSOR && p->values[d.u.i]->ndim >= 0)
		*sum += value_bytes(p->values[d.u.i]);
	for (size_t i = 0; datum_is_seq(d) && i < d.u.seq->n; i++)
		add_bytes(d.u.seq->items[i], p, sum);
}

int64_t event_bytes(const struct run *r, const struct run_event *e)
{
	const struct plan *p = r->plan;
	const struct plan_step *head = head_of(r, e), *last = &p->steps[e->step];
	int64_t sum = 0;
	for (int i = 0; e->ends && i < head->node->op->n_args; i++)
		add_bytes(head->args[i], p, &sum);
	for (int i = 0; e->ends && i < last->n_outputs; i++)
		if (last->outputs[i] >= 0 && p->values[last->outputs[i]]->ndim >= 0)
			sum += value_bytes(p->values[last->outputs[i]]);
	return sum;
}

/* ---- Adding up ---- */

static void add(struct tally *t, const struct run *r, const struct run_event *e)
{
	t->calls += e->ends;
	t->ms += e->ms;
	t->flops += event_flops(r, e);
	t->bytes += event_bytes(r, e);
	if (e->ms > t->most) {
		t->most = e->ms;
		t->kernel = event_kernel(e);
	}
}

static struct tally *operator_tally(struct profile *p, const char *name, const char *kernel)
{
	for (size_t i = 0; i < p->n_operators; i++)
		if (strcmp(p->operators[i].name, name) == 0 && strcmp(p->operators[i].kernel, kernel) == 0)
			return &p->operators[i];
	p->operators[p->n_operators] = (struct tally){ .name = name, .kernel = kernel };
	return &p->operators[p->n_operators++];
}

static int by_time(const void *a, const void *b)
{
	const struct tally *x = a, *y = b;
	return (x->ms < y->ms) - (x->ms > y->ms);
}

static bool profile_measure(struct profile *p, const struct run *r, nns_error *err)
{
	int calls = r->plan->graph->n_calls;
	*p = (struct profile){ .run = r, .operators = arena_array(r->arena, r->n_events + 1, sizeof *p->operators),
		.modules = arena_array(r->arena, (size_t)calls + 2, sizeof *p->modules) };
	if (!p->operators || !p->modules)
		return fail_memory(err);
	for (size_t i = 0; i < r->n_events; i++) {
		const struct run_event *e = &r->events[i];
		add(operator_tally(p, event_name(r, e), event_kernel(e)), r, e);
		p->ms += e->ms;
		for (const struct call *c = event_call(r, e); c; c = c->parent)
			if (c->serial >= 0 && c->serial <= calls)
				add(&p->modules[c->serial], r, e);
	}
	qsort(p->operators, p->n_operators, sizeof *p->operators, by_time);
	return true;
}

/* percent */
static double profile_share(const struct profile *p, double ms)
{
	return p->ms > 0 ? 100 * ms / p->ms : 0;
}

/* ---- Text ---- */

static void tally_text(const struct profile *p, const struct tally *t, struct text *out)
{
	text_addf(out, "%10.3f  %5.1f %%", t->ms, profile_share(p, t->ms));
	if (t->flops > 0 && t->ms > 0)
		text_addf(out, "  %8.1f", t->flops / t->ms / 1e6);
	else
		text_addf(out, "  %8s", "");
	if (t->bytes > 0)
		text_addf(out, "  %8.2f", (double)t->bytes / 1e6);
	else
		text_addf(out, "  %8s", "");
}

static void module_text(const struct profile *p, const struct call *c, int depth, int *shown, struct text *out)
{
	for (; c && *shown < SHOWN; c = c->next) {
		const struct tally *t = &p->modules[c->serial];
		if (t->ms <= 0 && c->depth > 0)
			continue;
		tally_text(p, t, out);
		text_addf(out, "  %*s", 2 * c->depth, "");
		text_add_visible(out, c->path, strlen(c->path), "");
		text_addf(out, "%s%s%s%s\n", *c->path ? ": " : "", c->module->class_name, t->kernel ? ", " : "",
		          t->kernel ? t->kernel : "");
		++*shown;
		if (c->depth < depth)
			module_text(p, c->children, depth, shown, out);
	}
}

bool run_profile_text(const struct run *r, int depth, struct text *out, nns_error *err)
{
	struct profile p;
	int shown = 0;
	if (!profile_measure(&p, r, err))
		return false;
	text_addf(out, "\n%10s  %7s  %8s  %8s  %5s  %s\n", "ms", "share", "GFLOP/s", "MB", "calls", "operator, kernel");
	for (size_t i = 0; i < p.n_operators; i++) {
		tally_text(&p, &p.operators[i], out);
		text_addf(out, "  %5zu  %s, %s\n", p.operators[i].calls, p.operators[i].name, p.operators[i].kernel);
	}
	text_addf(out, "\n%10s  %7s  %8s  %8s  module, its longest kernel\n", "ms", "share", "GFLOP/s", "MB");
	module_text(&p, r->plan->graph->root, depth, &shown, out);
	if (shown == SHOWN)
		text_add(out, "       ...   a depth of 1 folds them\n");
	return true;
}

/* ---- JSON ---- */

static void tally_json(const struct tally *t, struct text *out)
{
	text_addf(out, "\"ms\": %.4f, \"gflops\": ", t->ms);
	if (t->flops > 0 && t->ms > 0)
		text_addf(out, "%.3f", t->flops / t->ms / 1e6);
	else
		text_add(out, "null");
	text_addf(out, ", \"bytes\": %lld", (long long)t->bytes);
}

static void module_json(const struct profile *p, const struct call *c, bool *first, struct text *out)
{
	for (; c; c = c->next) {
		const struct tally *t = &p->modules[c->serial];
		text_addf(out, "%s\n      {\"path\": ", *first ? "" : ",");
		text_add_json(out, c->path);
		text_add(out, ", \"class\": ");
		text_add_json(out, c->module->class_name);
		text_addf(out, ", \"share\": %.4f, ", profile_share(p, t->ms) / 100);
		tally_json(t, out);
		text_add(out, ", \"kernel\": ");
		if (t->kernel)
			text_add_json(out, t->kernel);
		else
			text_add(out, "null");
		text_addc(out, '}');
		*first = false;
		module_json(p, c->children, first, out);
	}
}

bool run_profile_json(const struct run *r, struct text *out, nns_error *err)
{
	struct profile p;
	bool first = true;
	if (!profile_measure(&p, r, err))
		return false;
	text_addf(out, "  \"profile\": {\"ms\": %.4f,\n    \"operators\": [", p.ms);
	for (size_t i = 0; i < p.n_operators; i++) {
		const struct tally *t = &p.operators[i];
		text_addf(out, "%s\n      {\"operator\": ", i ? "," : "");
		text_add_json(out, t->name);
		text_add(out, ", \"kernel\": ");
		text_add_json(out, t->kernel);
		text_addf(out, ", \"calls\": %zu, \"share\": %.4f, ", t->calls, profile_share(&p, t->ms) / 100);
		tally_json(t, out);
		text_addc(out, '}');
	}
	text_add(out, "],\n    \"modules\": [");
	module_json(&p, r->plan->graph->root, &first, out);
	text_add(out, "]},\n");
	return true;
}
