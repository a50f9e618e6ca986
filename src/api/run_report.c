/* What came out of a run: statistics, comparison with expected arrays, the report. */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/run.h"
#include "base/file.h"

struct statistics {
	double min, max, mean;
	int64_t n, nan, infinite, first_bad; /* first_bad: of the values that are not finite, -1 */
};

struct difference {
	bool compared, equal;
	char problem[160];       /* another shape or dtype */
	double largest;
	int64_t at, beyond, n;   /* where the largest is; how many are beyond the tolerance */
	double got, want;
};

static const struct tensor *output(const struct run_report *r, size_t i)
{
	return r->run->tensors[r->run->plan->outputs[i]];
}

static size_t n_outputs(const struct run_report *r)
{
	return r->run->plan->n_outputs;
}

static bool doubles(const struct tensor *t, double **out, nns_error *err)
{
	int64_t n = tensor_numel(t);
	*out = NULL;
	if (!dtype_has_elements(t->dtype))
		return fail(err, NNS_UNSUPPORTED, "an output of %s", dtype_name(t->dtype));
	*out = malloc(((size_t)n + 1) * sizeof **out);
	if (!*out)
		return fail_memory(err);
	tensor_to_doubles(t, *out);
	return true;
}

static bool measure(const struct tensor *t, struct statistics *s, nns_error *err)
{
	double *v, sum = 0;
	*s = (struct statistics){ .min = INFINITY, .max = -INFINITY, .n = tensor_numel(t), .first_bad = -1 };
	if (!doubles(t, &v, err))
		return false;
	for (int64_t i = 0; i < s->n; i++) {
		s->nan += isnan(v[i]) != 0;
		s->infinite += isinf(v[i]) != 0;
		if (!isfinite(v[i])) {
			s->first_bad = s->first_bad < 0 ? i : s->first_bad;
			continue;
		}
		s->min = v[i] < s->min ? v[i] : s->min;
		s->max = v[i] > s->max ? v[i] : s->max;
		sum += v[i];
	}
	int64_t finite = s->n - s->nan - s->infinite;
	s->mean = finite ? sum / (double)finite : NAN;
	if (!finite)
		s->min = s->max = NAN;
	free(v);
	return true;
}

/* ---- Comparing ---- */

/* numpy.allclose, NaN equal to NaN. */
static bool close_enough(double got, double want, double rtol, double atol)
{
	if (isnan(got) || isnan(want))
		return isnan(got) && isnan(want);
	if (isinf(got) || isinf(want))
		return got == want;
	return fabs(got - want) <= atol + rtol * fabs(want);
}

static void compare_values(const double *got, const double *want, int64_t n, const nns_run_options *o, struct difference *d)
{
	d->n = n;
	d->at = -1;
	for (int64_t i = 0; i < n; i++) {
		double by = fabs(got[i] - want[i]);
		bool close = close_enough(got[i], want[i], o->rtol, o->atol);
		d->beyond += !close;
		if (by > d->largest || (!close && isnan(by)) || d->at < 0) {
			d->largest = isnan(by) && close ? 0 : by;
			d->at = i;
			d->got = got[i];
			d->want = want[i];
			if (isnan(d->largest))
				break;
		}
	}
	d->equal = d->beyond == 0;
}

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
	snprintf(d->problem, sizeof d->problem, "%s %.50s, expected %s %.50s", dtype_name(t->dtype), got.data ? got.data : "", dtype_name(v->dtype), want.data ? want.data : "");
	text_release(&got);
	text_release(&want);
	return false;
}

static bool compare(const struct run_report *r, size_t i, struct difference *d, nns_error *err)
{
	char name[32];
	const struct tensor *t = output(r, i);
	snprintf(name, sizeof name, "output%zu", i);
	*d = (struct difference){ 0 };
	const struct value *v = r->expected ? arrays_find(r->expected, name, "out", i) : NULL;
	if (!v)
		return true;
	d->compared = true;
	if (!same_kind(t, v, d))
		return true;
	struct heap heap = { 0 };
	struct tensor *expected = tensor_of_value(r->run->arena, &heap, v, err);
	double *got = NULL, *want = NULL;
	bool ok = expected && doubles(t, &got, err) && doubles(expected, &want, err);
	if (ok)
		compare_values(got, want, tensor_numel(t), r->options, d);
	free(got);
	free(want);
	return ok;
}

/* ---- Text ---- */

/* [3, 17] of element i */
static void add_index(struct text *t, const struct tensor *of, int64_t i)
{
	int64_t index[MAX_DIMS];
	for (int d = of->ndim - 1; d >= 0; d--) {
		index[d] = i % of->size[d];
		i /= of->size[d];
	}
	shape_text(of->ndim, index, t);
}

static void add_difference(struct text *t, const struct run_report *r, const struct tensor *of, const struct difference *d)
{
	if (*d->problem) {
		text_addf(t, "  differs: %s\n", d->problem);
		return;
	}
	if (d->equal) {
		text_addf(t, "  as expected: the largest difference is %.3g\n", d->n ? d->largest : 0);
		return;
	}
	text_addf(t, "  differs: %" PRId64 " of %" PRId64 " values are beyond rtol %g, atol %g; the largest difference is %.6g at ", d->beyond, d->n, r->options->rtol,
	          r->options->atol, d->largest);
	add_index(t, of, d->at);
	text_addf(t, ": %.9g, expected %.9g\n", d->got, d->want);
}

static int by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;
	return x < y ? -1 : x > y;
}

static bool times_of(const struct run_report *r, double *median, double *least, nns_error *err)
{
	double *sorted = malloc((size_t)r->n_times * sizeof *sorted);
	if (!sorted)
		return fail_memory(err);
	memcpy(sorted, r->times, (size_t)r->n_times * sizeof *sorted);
	qsort(sorted, (size_t)r->n_times, sizeof *sorted, by_value);
	*least = sorted[0];
	*median = (sorted[(r->n_times - 1) / 2] + sorted[r->n_times / 2]) / 2;
	free(sorted);
	return true;
}

static size_t weight_bytes(const struct run_report *r)
{
	const struct plan *p = r->run->plan;
	size_t n = 0;
	for (size_t i = 0; i < p->n_sources; i++)
		if (p->sources[i].input < 0)
			n += (size_t)value_bytes(p->values[p->sources[i].slot]);
	return n;
}

static bool add_output(const struct run_report *r, size_t i, struct text *out, bool *matches, nns_error *err)
{
	struct statistics s;
	struct difference d;
	const struct tensor *t = output(r, i);
	if (!measure(t, &s, err) || !compare(r, i, &d, err))
		return false;
	text_addf(out, "out%zu  %s ", i, dtype_name(t->dtype));
	shape_text(t->ndim, t->size, out);
	if (s.n > s.nan + s.infinite)
		text_addf(out, "  min %.6g  mean %.6g  max %.6g", s.min, s.mean, s.max);
	text_addc(out, '\n');
	if (s.nan + s.infinite) {
		text_addf(out, "  not finite: %" PRId64 " NaN, %" PRId64 " infinite, the first at ", s.nan, s.infinite);
		add_index(out, t, s.first_bad);
		text_addc(out, '\n');
	}
	if (d.compared)
		add_difference(out, r, t, &d);
	*matches = *matches && (!d.compared || d.equal);
	return true;
}

static void add_compared(const struct run_report *r, struct text *out)
{
	const struct run_difference *d = r->difference;
	if (!d->found) {
		text_addf(out, "both executors agree on %zu values: the largest difference is %.3g\n", d->values, d->largest);
		return;
	}
	const struct node *n = r->run->plan->steps[d->step].node;
	text_addf(out, "the executors differ first at %s%s%s: value %" PRId64 " is %.9g, %.9g on the reference kernels; the largest difference of all is %.3g\n",
	          n->call ? n->call->path : "", n->call && *n->call->path ? ": " : "", n->op->name, d->at, d->fast, d->reference, d->largest);
}

static size_t activation_bytes(const struct run_report *r)
{
	return r->run->heap.peak + (r->fast ? fast_plan_sizes(r->fast).activations : 0);
}

static bool report_text(const struct run_report *r, struct text *out, bool *matches, nns_error *err)
{
	double median, least;
	if (!times_of(r, &median, &least, err))
		return false;
	for (size_t i = 0; i < n_outputs(r); i++)
		if (!add_output(r, i, out, matches, err))
			return false;
	if (r->options->no_check)
		text_addf(out, "%zu operators\n", r->run->plan->n_steps);
	else
		text_addf(out, "%zu operators; %zu values have the shapes, strides and dtypes that were inferred\n", r->run->plan->n_steps, r->run->n_checked);
	if (r->difference)
		add_compared(r, out);
	*matches = *matches && !(r->difference && r->difference->found);
	text_addf(out, "%.1f ms", median);
	if (r->n_times > 1)
		text_addf(out, " in the middle of %d, %.1f at least", r->n_times, least);
	text_addf(out, "; %.1f MB of weights, %.1f MB at most while running; seed %" PRIu64 "\n", (double)weight_bytes(r) / 1e6, (double)activation_bytes(r) / 1e6, r->seed);
	return !r->options->profile || run_profile_text(r->run, r->options->profile_depth > 0 ? r->options->profile_depth : 2, out, err);
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

static bool json_output(const struct run_report *r, size_t i, struct text *out, bool *matches, nns_error *err)
{
	struct statistics s;
	struct difference d;
	const struct tensor *t = output(r, i);
	if (!measure(t, &s, err) || !compare(r, i, &d, err))
		return false;
	text_addf(out, "%s\n    {\"name\": \"out%zu\", \"shape\": ", i ? "," : "", i);
	shape_text(t->ndim, t->size, out);
	text_addf(out, ", \"dtype\": \"%s\", ", dtype_name(t->dtype));
	add_number(out, "min", s.min);
	text_add(out, ", ");
	add_number(out, "mean", s.mean);
	text_add(out, ", ");
	add_number(out, "max", s.max);
	text_addf(out, ", \"nan\": %" PRId64 ", \"infinite\": %" PRId64, s.nan, s.infinite);
	if (d.compared) {
		text_addf(out, ", \"equal\": %s, \"beyond\": %" PRId64 ", ", d.equal ? "true" : "false", d.beyond);
		add_number(out, "largest_difference", d.largest);
	}
	text_addc(out, '}');
	*matches = *matches && (!d.compared || d.equal);
	return true;
}

static bool report_json(const struct run_report *r, struct text *out, bool *matches, nns_error *err)
{
	double median, least;
	if (!times_of(r, &median, &least, err))
		return false;
	text_addf(out, "{\n  \"run\": {\"repeat\": %d, \"median_ms\": %.3f, \"min_ms\": %.3f, \"seed\": %" PRIu64 "},\n", r->n_times, median, least, r->seed);
	text_addf(out, "  \"plan\": {\"ms\": %.3f, \"weights_bytes\": %zu, \"activation_bytes\": %zu, \"workspace_bytes\": %zu},\n", r->plan_ms, weight_bytes(r), activation_bytes(r),
	          r->fast ? fast_plan_sizes(r->fast).workspace + fast_plan_sizes(r->fast).weights : 0);
	*matches = *matches && !(r->difference && r->difference->found);
	if (r->difference)
		text_addf(out, "  \"compare\": {\"values\": %zu, \"equal\": %s, \"largest_difference\": %.9g},\n", r->difference->values, r->difference->found ? "false" : "true", r->difference->largest);
	if (r->options->profile && !run_profile_json(r->run, out, err))
		return false;
	text_addf(out, "  \"check\": {\"enabled\": %s, \"values\": %zu},\n  \"outputs\": [", r->options->no_check ? "false" : "true", r->run->n_checked);
	for (size_t i = 0; i < n_outputs(r); i++)
		if (!json_output(r, i, out, matches, err))
			return false;
	text_add(out, "\n  ]\n}\n");
	return true;
}

/* What is expected and never came. */
static bool expects_more(const struct run_report *r, nns_error *err)
{
	size_t compared = 0;
	for (size_t i = 0; r->expected && i < r->expected->n; i++) {
		const char *name = r->expected->all[i].name;
		if (strncmp(name, "out", 3) != 0 || strspn(name + 3, "0123456789") != strlen(name + 3))
			continue;
		compared++;
		if (strtoul(name + 3, NULL, 10) >= n_outputs(r))
			return !fail(err, NNS_MODEL, "%s: %s is expected, the model returns %zu tensors", r->expected->path, name, n_outputs(r));
	}
	if (r->expected && compared == 0 && r->expected->n > 1)
		return !fail(err, NNS_MODEL, "%s: no array is named out0, out1, ...: there is nothing to compare with", r->expected->path);
	return false;
}

bool run_report(const struct run_report *r, struct text *out, bool *matches, nns_error *err)
{
	const char *format = r->options->format;
	if (expects_more(r, err))
		return false;
	if (format && strcmp(format, "json") == 0)
		return report_json(r, out, matches, err);
	if (format && strcmp(format, "table") != 0)
		return fail(err, NNS_USAGE, "run writes table or json, not '%s'", format);
	return report_text(r, out, matches, err);
}
