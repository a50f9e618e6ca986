/* Where the time of a run went: by operator and kernel, and by module. */
#include <stdlib.h>
#include <string.h>

#include "api/run.h"

enum { SHOWN = 40 };         /* modules in the text */

struct line {
	const char *operator, *kernel;
	size_t calls;
	double ms;
	int64_t bytes;           /* read and written */
};

struct profile {
	const struct run *run;
	struct line *lines; size_t n;
	double *module_ms;       /* by the serial number of a call, with what it calls */
	double total;
};

static void add_bytes(struct datum d, const struct plan *p, int64_t *sum)
{
	if (d.kind == D_TENSOR && p->values[d.u.i]->ndim >= 0)
		*sum += value_bytes(p->values[d.u.i]);
	for (size_t i = 0; datum_is_seq(d) && i < d.u.seq->n; i++)
		add_bytes(d.u.seq->items[i], p, sum);
}

static int64_t bytes_of(const struct plan_step *s, const struct plan *p)
{
	int64_t sum = 0;
	for (int i = 0; i < s->node->op->n_args; i++)
		add_bytes(s->args[i], p, &sum);
	for (int i = 0; i < s->n_outputs; i++)
		if (s->outputs[i] >= 0 && p->values[s->outputs[i]]->ndim >= 0)
			sum += value_bytes(p->values[s->outputs[i]]);
	return sum;
}

static struct line *line_of(struct profile *p, const char *operator, const char *kernel)
{
	for (size_t i = 0; i < p->n; i++)
		if (strcmp(p->lines[i].operator, operator) == 0 && strcmp(p->lines[i].kernel, kernel) == 0)
			return &p->lines[i];
	p->lines[p->n] = (struct line){ .operator = operator, .kernel = kernel };
	return &p->lines[p->n++];
}

static int by_time(const void *a, const void *b)
{
	const struct line *x = a, *y = b;
	return (x->ms < y->ms) - (x->ms > y->ms);
}

static bool measure(struct profile *p, const struct run *r, nns_error *err)
{
	const struct plan *plan = r->plan;
	*p = (struct profile){ .run = r, .lines = arena_array(r->arena, plan->n_steps + 1, sizeof *p->lines),
		.module_ms = arena_array(r->arena, (size_t)plan->graph->n_calls + 2, sizeof *p->module_ms) };
	if (!p->lines || !p->module_ms)
		return fail_memory(err);
	for (size_t i = 0; i < plan->n_steps; i++) {
		const struct plan_step *head = &plan->steps[r->head[i]];
		if (r->ms[i] <= 0)
			continue;
		struct line *l = line_of(p, head->node->op->name, r->kernel[i] ? r->kernel[i] : "reference");
		l->calls++;
		l->ms += r->ms[i];
		l->bytes += bytes_of(head, plan);
		p->total += r->ms[i];
		for (const struct call *c = head->node->call; c; c = c->parent)
			if (c->serial >= 0 && c->serial <= plan->graph->n_calls)
				p->module_ms[c->serial] += r->ms[i];
	}
	qsort(p->lines, p->n, sizeof *p->lines, by_time);
	return true;
}

static double share(const struct profile *p, double ms)
{
	return p->total > 0 ? 100 * ms / p->total : 0;
}

/* ---- Text ---- */

static void module_text(struct profile *p, const struct call *c, int depth, int *shown, struct text *out)
{
	for (; c && *shown < SHOWN; c = c->next) {
		double ms = p->module_ms[c->serial];
		if (ms <= 0 && c->depth > 0)
			continue;
		text_addf(out, "%10.3f  %5.1f %%  %*s%s%s%s\n", ms, share(p, ms), 2 * c->depth, "", *c->path ? c->path : "", *c->path ? ": " : "", c->module->class_name);
		++*shown;
		if (c->depth < depth)
			module_text(p, c->children, depth, shown, out);
	}
}

bool run_profile_text(const struct run *r, int depth, struct text *out, nns_error *err)
{
	struct profile p;
	int shown = 0;
	if (!measure(&p, r, err))
		return false;
	text_addf(out, "\n%10s  %7s  %5s  %8s  %s\n", "ms", "share", "calls", "GB/s", "operator, kernel");
	for (size_t i = 0; i < p.n; i++)
		text_addf(out, "%10.3f  %5.1f %%  %5zu  %8.1f  %s, %s\n", p.lines[i].ms, share(&p, p.lines[i].ms), p.lines[i].calls, (double)p.lines[i].bytes / p.lines[i].ms / 1e6,
		          p.lines[i].operator, p.lines[i].kernel);
	text_addf(out, "\n%10s  %7s  module\n", "ms", "share");
	module_text(&p, r->plan->graph->root, depth, &shown, out);
	if (shown == SHOWN)
		text_add(out, "            ...      --depth 1 folds them\n");
	return true;
}

/* ---- JSON ---- */

static void module_json(struct profile *p, const struct call *c, bool *first, struct text *out)
{
	for (; c; c = c->next) {
		text_addf(out, "%s\n      {\"path\": \"%s\", \"class\": \"%s\", \"ms\": %.4f}", *first ? "" : ",", c->path, c->module->class_name, p->module_ms[c->serial]);
		*first = false;
		module_json(p, c->children, first, out);
	}
}

bool run_profile_json(const struct run *r, struct text *out, nns_error *err)
{
	struct profile p;
	bool first = true;
	if (!measure(&p, r, err))
		return false;
	text_addf(out, "  \"profile\": {\"ms\": %.4f,\n    \"operators\": [", p.total);
	for (size_t i = 0; i < p.n; i++)
		text_addf(out, "%s\n      {\"operator\": \"%s\", \"kernel\": \"%s\", \"calls\": %zu, \"ms\": %.4f, \"bytes\": %lld}", i ? "," : "", p.lines[i].operator, p.lines[i].kernel,
		          p.lines[i].calls, p.lines[i].ms, (long long)p.lines[i].bytes);
	text_add(out, "],\n    \"modules\": [");
	module_json(&p, r->plan->graph->root, &first, out);
	text_add(out, "]},\n");
	return true;
}
