/* What came out of a plan's passes: statistics, comparison with expected arrays, the report. */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/difference.h"
#include "api/run.h"
#include "exec/layout.h"

struct statistics {
	double min, max, mean;
	int64_t n, nan, infinite, first_bad; /* first_bad: of the values that are not finite, -1 */
};

struct outcome {
	const struct tensor *tensor;
	struct statistics statistics;
	struct difference difference;
};

struct report {
	struct nns_plan *plan;
	struct outcome *outputs; size_t n;
	double median, least;    /* ms */
	bool matches;
};

/* ---- Statistics, piece by piece: copies of tensors would be no part of the plan ---- */

static void measure_piece(const double *v, int64_t n, int64_t first, struct statistics *s)
{
	for (int64_t i = 0; i < n; i++) {
		s->nan += isnan(v[i]) != 0;
		s->infinite += isinf(v[i]) != 0;
		if (!isfinite(v[i])) {
			s->first_bad = s->first_bad < 0 ? first + i : s->first_bad;
			continue;
		}
		s->min = v[i] < s->min ? v[i] : s->min;
		s->max = v[i] > s->max ? v[i] : s->max;
		s->mean += v[i];
	}
}

static void measure(const struct tensor *t, struct statistics *s)
{
	struct loop l;
	struct window w;
	double v[DIFFERENCE_PIECE];
	int64_t done = 0;
	t = difference_parts(t, &w);
	*s = (struct statistics){ .min = INFINITY, .max = -INFINITY, .n = tensor_numel(t), .first_bad = -1 };
	loop_init(&l, t->ndim, t->size, 1);
	loop_operand(&l, 0, t);
	for (loop_begin(&l); l.left > 0; loop_next(&l))
		for (int64_t from = 0, n; from < l.run; from += n, done += n) {
			n = l.run - from < DIFFERENCE_PIECE ? l.run - from : DIFFERENCE_PIECE;
			difference_piece(t, &l, 0, from, n, v);
			measure_piece(v, n, done, s);
		}
	int64_t finite = s->n - s->nan - s->infinite;
	s->mean = finite ? s->mean / (double)finite : NAN;
	if (!finite)
		s->min = s->max = NAN;
}

/* ---- Comparing ---- */

static void shape_text(int ndim, const int64_t *size, struct text *t)
{
	text_addc(t, '[');
	for (int i = 0; i < ndim; i++)
		text_addf(t, "%s%" PRId64, i ? ", " : "", size[i]);
	text_addc(t, ']');
}

/* A number that was float16 or bfloat16 is often kept as float32. */
static bool dtypes_agree(enum dtype got, enum dtype want)
{
	return got == want || (dtype_is_float(got) && dtype_is_float(want));
}

static bool same_kind(const struct tensor *t, const struct value *v, struct difference *d)
{
	struct text got, want;
	bool same = t->ndim == v->ndim && (t->ndim == 0 || memcmp(t->size, v->size, (size_t)t->ndim * sizeof *t->size) == 0);
	if (same && dtypes_agree(t->dtype, v->dtype))
		return true;
	text_init(&got);
	text_init(&want);
	shape_text(t->ndim, t->size, &got);
	shape_text(v->ndim, v->size, &want);
	snprintf(d->problem, sizeof d->problem, "%s %.50s, expected %s %.50s", dtype_name(t->dtype), got.data ? got.data : "", dtype_name(v->dtype),
	         want.data ? want.data : "");
	text_release(&got);
	text_release(&want);
	return false;
}

static bool compare(struct nns_plan *p, size_t i, const struct tensor *t, struct difference *d, nns_error *err)
{
	char name[32];
	struct heap heap = { 0 };
	snprintf(name, sizeof name, "output%zu", i);
	*d = (struct difference){ 0 };
	const struct npz_array *a = p->options.expect ? arrays_find(&p->expected, name, "out", i) : NULL;
	if (!a)
		return true;
	d->compared = true;
	if (!same_kind(t, a->value, d))
		return true;
	struct tensor *want = tensor_of_value(p->run.arena, &heap, a->value, err);
	if (!want)
		return fail_within(err, "%s: ", p->expected.path);
	difference_of(t, want, p->options.rtol, p->options.atol, d);
	storage_drop(want->storage);
	return true;
}

/* Every array that is expected must have come. */
static bool all_came(const struct nns_plan *p, nns_error *err)
{
	size_t n = p->plan->n_outputs, compared = 0;
	for (size_t i = 0; p->options.expect && i < p->expected.n; i++) {
		const char *name = p->expected.all[i].name;
		long number = numbered_name(name, "out");
		if (number < 0)
			number = numbered_name(name, "output");
		if (number < 0)
			continue;
		compared++;
		if (number >= (long)n)
			return fail(err, NNS_MODEL, "%s: %s is expected, the model returns %zu tensors", p->expected.path, name, n);
	}
	if (p->options.expect && compared == 0 && !(p->expected.n == 1 && !*p->expected.all[0].name))
		return fail(err, NNS_MODEL, "%s: no array is named out0, out1, ...: there is nothing to compare with", p->expected.path);
	return true;
}

/* ---- Gathering ---- */

static int by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;
	return x < y ? -1 : x > y;
}

static bool gather_times(struct report *r, nns_error *err)
{
	size_t n = r->plan->n_times;
	double *sorted = arena_array(r->plan->run.arena, n + 1, sizeof *sorted);
	if (!sorted || n == 0)
		return fail_memory(err);
	memcpy(sorted, r->plan->times, n * sizeof *sorted);
	qsort(sorted, n, sizeof *sorted, by_value);
	r->least = sorted[0];
	r->median = (sorted[(n - 1) / 2] + sorted[n / 2]) / 2;
	return true;
}

static bool gather(struct report *r, nns_error *err)
{
	struct nns_plan *p = r->plan;
	struct window w;
	r->n = p->plan->n_outputs;
	r->outputs = arena_array(p->run.arena, r->n + 1, sizeof *r->outputs);
	r->matches = !(p->options.compare && p->difference.found);
	if (!r->outputs)
		return fail_memory(err);
	for (size_t i = 0; i < r->n; i++) {
		struct outcome *o = &r->outputs[i];
		o->tensor = p->run.tensors[p->plan->outputs[i]];
		if (!dtype_converts(difference_parts(o->tensor, &w)->dtype))
			return fail(err, NNS_UNSUPPORTED, "out%zu is %s, which has no numbers to show", i, dtype_name(o->tensor->dtype));
		measure(o->tensor, &o->statistics);
		if (!compare(p, i, o->tensor, &o->difference, err))
			return false;
		r->matches = r->matches && (!o->difference.compared || o->difference.equal);
	}
	return gather_times(r, err) && all_came(p, err);
}

/* ---- Text ---- */

/* [3, 17] of element i */
static void add_index(struct text *t, const struct tensor *of, int64_t i)
{
	int64_t index[MAX_DIMS];
	struct window w;
	of = difference_parts(of, &w);
	for (int d = of->ndim - 1; d >= 0; d--) {
		index[d] = i % of->size[d];
		i /= of->size[d];
	}
	shape_text(of->ndim, index, t);
}

static void text_difference(struct text *t, const nns_run_options *o, const struct outcome *of)
{
	const struct difference *d = &of->difference;
	if (*d->problem) {
		text_addf(t, "  differs: %s\n", d->problem);
		return;
	}
	if (d->equal) {
		text_addf(t, "  as expected: the largest difference is %.3g\n", d->n ? d->largest : 0);
		return;
	}
	text_addf(t, "  differs: %" PRId64 " of %" PRId64 " values are beyond rtol %g, atol %g; the largest difference is %.6g at ", d->beyond, d->n,
	          o->rtol, o->atol, d->largest);
	add_index(t, of->tensor, d->at);
	text_addf(t, ": %.9g, expected %.9g\n", d->got, d->want);
}

static void text_output(struct text *out, const struct report *r, size_t i)
{
	const struct outcome *o = &r->outputs[i];
	const struct statistics *s = &o->statistics;
	text_addf(out, "out%zu  %s ", i, dtype_name(o->tensor->dtype));
	shape_text(o->tensor->ndim, o->tensor->size, out);
	if (s->n > s->nan + s->infinite)
		text_addf(out, "  min %.6g  mean %.6g  max %.6g", s->min, s->mean, s->max);
	text_addc(out, '\n');
	if (s->nan + s->infinite) {
		text_addf(out, "  not finite: %" PRId64 " NaN, %" PRId64 " infinite, the first at ", s->nan, s->infinite);
		add_index(out, o->tensor, s->first_bad);
		text_addc(out, '\n');
	}
	if (o->difference.compared)
		text_difference(out, &r->plan->options, o);
}

/* "layer1.0.relu: relu" */
static void add_place(const struct node *n, struct text *out)
{
	text_addf(out, "%s%s%s", n->call ? n->call->path : "", n->call && *n->call->path ? ": " : "", n->op->name);
}

static void text_compared(const struct nns_plan *p, struct text *out)
{
	const struct run_difference *d = &p->difference;
	if (!d->found) {
		text_addf(out, "both executors agree on %zu values: the largest difference is %.3g\n", d->values, d->largest);
		return;
	}
	if (d->buffer) {
		text_addf(out, "the executors leave other values in %s: value %" PRId64 " is %.9g, %.9g on the reference kernels; the largest difference of all is %.3g\n",
		          d->buffer, d->at, d->fast, d->reference, d->largest);
		return;
	}
	text_add(out, "the executors differ first at ");
	add_place(p->plan->steps[d->step].node, out);
	text_addf(out, ": value %" PRId64 " is %.9g, %.9g on the reference kernels; the largest difference of all is %.3g\n", d->at, d->fast, d->reference,
	          d->largest);
}

static void text_not_finite(const struct run *r, struct text *out)
{
	if (!r->not_finite)
		return;
	text_add(out, "values that are not finite come to ");
	add_place(r->not_finite->node, out);
	text_add(out, ", and a fast kernel would lose them: the pass was made on the reference kernels\n");
}

static void text_memory(const struct memory_plan *m, struct text *out)
{
	text_addf(out, "%.1f MB of weights, %.1f of activations", (double)m->weights / 1e6, (double)m->activations / 1e6);
	if (m->packed)
		text_addf(out, ", %.1f of packed weights", (double)m->packed / 1e6);
	if (m->workspace)
		text_addf(out, ", %.1f of workspace", (double)m->workspace / 1e6);
}

static bool report_text(const struct report *r, struct text *out, nns_error *err)
{
	const struct nns_plan *p = r->plan;
	for (size_t i = 0; i < r->n; i++)
		text_output(out, r, i);
	if (p->options.no_check)
		text_addf(out, "%zu operators\n", p->plan->n_steps);
	else
		text_addf(out, "%zu operator%s; %zu value%s the shapes, strides and dtypes that were inferred\n", p->plan->n_steps,
		          p->plan->n_steps == 1 ? "" : "s", p->run.n_checked, p->run.n_checked == 1 ? " has" : "s have");
	text_not_finite(&p->run, out);
	if (p->options.compare)
		text_compared(p, out);
	text_addf(out, "%.1f ms", r->median);
	if (p->n_times > 1)
		text_addf(out, " in the middle of %zu, %.1f at least", p->n_times, r->least);
	text_add(out, "; ");
	text_memory(&p->memory, out);
	text_addf(out, "; seed %" PRIu64 "\n", p->seed);
	int depth = p->options.profile_depth;
	return !p->options.profile || run_profile_text(&p->run, depth > 0 ? depth : depth < 0 ? 0 : 2, out, err);
}

/* ---- JSON ---- */

/* JSON has no NaN. */
static void add_number(struct text *t, const char *name, double x)
{
	if (isfinite(x))
		text_addf(t, "\"%s\": %.9g", name, x);
	else
		text_addf(t, "\"%s\": null", name);
}

static void json_finite(const struct report *r, struct text *out)
{
	bool first = true;
	text_add(out, "\"not_finite\": [");
	for (size_t i = 0; i < r->n; i++) {
		const struct statistics *s = &r->outputs[i].statistics;
		if (s->nan + s->infinite == 0)
			continue;
		text_addf(out, "%s{\"name\": \"out%zu\", \"nan\": %" PRId64 ", \"infinite\": %" PRId64 ", \"first\": ", first ? "" : ", ", i, s->nan, s->infinite);
		add_index(out, r->outputs[i].tensor, s->first_bad);
		text_addc(out, '}');
		first = false;
	}
	text_addc(out, ']');
	if (r->plan->run.not_finite) {
		const struct node *n = r->plan->run.not_finite->node;
		text_add(out, ", \"reference_kernels_for\": {\"module\": ");
		text_add_json(out, n->call ? n->call->path : "");
		text_add(out, ", \"operator\": ");
		text_add_json(out, n->op->name);
		text_addc(out, '}');
	}
}

static void json_expected(const struct report *r, struct text *out)
{
	bool first = true;
	text_add(out, ", \"expect\": [");
	for (size_t i = 0; i < r->n; i++) {
		const struct difference *d = &r->outputs[i].difference;
		if (!d->compared)
			continue;
		text_addf(out, "%s{\"name\": \"out%zu\", \"equal\": %s", first ? "" : ", ", i, d->equal ? "true" : "false");
		if (*d->problem) {
			text_add(out, ", \"problem\": ");
			text_add_json(out, d->problem);
		} else {
			text_addf(out, ", \"beyond\": %" PRId64 ", ", d->beyond);
			add_number(out, "largest_difference", d->n ? d->largest : 0);
			text_add(out, ", \"at\": ");
			if (d->n)
				add_index(out, r->outputs[i].tensor, d->at);
			else
				text_add(out, "null");
		}
		text_addc(out, '}');
		first = false;
	}
	text_addc(out, ']');
}

static void json_output(const struct report *r, size_t i, struct text *out)
{
	const struct outcome *o = &r->outputs[i];
	text_addf(out, "%s\n    {\"name\": \"out%zu\", \"shape\": ", i ? "," : "", i);
	shape_text(o->tensor->ndim, o->tensor->size, out);
	text_addf(out, ", \"dtype\": \"%s\", ", dtype_name(o->tensor->dtype));
	add_number(out, "min", o->statistics.min);
	text_add(out, ", ");
	add_number(out, "mean", o->statistics.mean);
	text_add(out, ", ");
	add_number(out, "max", o->statistics.max);
	text_addc(out, '}');
}

static void json_memory(const struct nns_plan *p, struct text *out)
{
	const struct memory_plan *m = &p->memory;
	text_addf(out, "  \"plan\": {\"ms\": %.3f, \"weights_bytes\": %zu, \"activation_bytes\": %zu, \"workspace_bytes\": %zu},\n", p->plan_ms, m->weights,
	          m->activations,
	          m->workspace + m->packed);
	text_addf(out, "  \"memory\": {\"total_bytes\": %zu, \"packed_bytes\": %zu, \"limit_bytes\": %zu},\n", memory_total(m), m->packed, p->options.memory);
}

static void json_compared(const struct run_difference *d, struct text *out)
{
	text_addf(out, "  \"compare\": {\"values\": %zu, \"equal\": %s, \"largest_difference\": %.9g", d->values, d->found ? "false" : "true", d->largest);
	if (d->buffer) {
		text_add(out, ", \"buffer\": ");
		text_add_json(out, d->buffer);
	}
	text_add(out, "},\n");
}

static bool report_json(const struct report *r, struct text *out, nns_error *err)
{
	const struct nns_plan *p = r->plan;
	text_addf(out, "{\n  \"run\": {\"repeat\": %zu, \"median_ms\": %.3f, \"min_ms\": %.3f},\n", p->n_times, r->median, r->least);
	json_memory(p, out);
	text_addf(out, "  \"seed\": %" PRIu64 ",\n", p->seed);
	if (p->options.compare)
		json_compared(&p->difference, out);
	if (p->options.profile && !run_profile_json(&p->run, out, err))
		return false;
	text_addf(out, "  \"check\": {\"enabled\": %s, \"values\": %zu, ", p->options.no_check ? "false" : "true", p->run.n_checked);
	json_finite(r, out);
	if (p->options.expect)
		json_expected(r, out);
	text_add(out, "},\n  \"outputs\": [");
	for (size_t i = 0; i < r->n; i++)
		json_output(r, i, out);
	text_add(out, "\n  ]\n}\n");
	return true;
}

static bool is_format(const nns_run_options *o, const char *name)
{
	return o->format && strcmp(o->format, name) == 0;
}

bool report_known(const nns_run_options *o, nns_error *err)
{
	if (is_format(o, "chrome"))
		return o->profile || fail(err, NNS_USAGE, "format chrome is for a profile") || fail_hint(err, NNS_HINT_PROFILE);
	return !o->format || is_format(o, "table") || is_format(o, "json")
	       || fail(err, NNS_USAGE, "run writes table, json or, of a profile, chrome, not '%s'", o->format);
}

/* The first thing that differs, for those whose report has no place for it. */
static void tell_difference(const struct report *r, nns_error *err)
{
	struct text t;
	text_init(&t);
	for (size_t i = 0; i < r->n && t.len == 0; i++)
		if (r->outputs[i].difference.compared && !r->outputs[i].difference.equal) {
			text_addf(&t, "out%zu", i);
			text_difference(&t, &r->plan->options, &r->outputs[i]);
		}
	if (t.len == 0)
		text_compared(r->plan, &t);
	fail(err, NNS_MODEL, "%.*s", t.len ? (int)t.len - 1 : 0, t.data ? t.data : "");
	text_release(&t);
}

bool run_report(struct nns_plan *p, struct text *out, bool *matches, nns_error *err)
{
	struct report r = { .plan = p };
	if (!gather(&r, err))
		return false;
	*matches = r.matches;
	if (!r.matches)
		tell_difference(&r, err);
	if (is_format(&p->options, "chrome"))
		return run_profile_chrome(&p->run, p->model->model->name, out, err);
	return is_format(&p->options, "json") ? report_json(&r, out, err) : report_text(&r, out, err);
}
