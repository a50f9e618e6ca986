/* Running a model: inputs, the pass, what came out of it. */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "api/run.h"
#include "base/mapping.h"
#include "load/npy.h"
#include "trace/trace.h"

/* ---- Files of arrays ---- */

bool arrays_open(struct arrays *f, const char *path, nns_error *err)
{
	*f = (struct arrays){ .path = path, .arena = arena_new(NULL, err) };
	if (!f->arena)
		return false;
	if (!mapping_open(path, SIZE_MAX / 4, &f->file, err))
		return false;
	return npz_read(f->arena, (const unsigned char *)f->file.data, f->file.len, &f->all, &f->n, err) || fail_within(err, "%s: ", path);
}

void arrays_close(struct arrays *f)
{
	arena_free(f->arena);
	mapping_close(&f->file);
	*f = (struct arrays){ 0 };
}

/* The array of a name, or of PREFIX and a number ("in0"), or NULL. */
const struct value *arrays_find(const struct arrays *f, const char *name, const char *prefix, size_t index)
{
	char numbered[40];
	snprintf(numbered, sizeof numbered, "%s%zu", prefix, index);
	for (size_t i = 0; i < f->n; i++)
		if ((name && strcmp(f->all[i].name, name) == 0) || strcmp(f->all[i].name, numbered) == 0 || (f->n == 1 && !*f->all[i].name && index == 0))
			return f->all[i].value;
	return NULL;
}

/* ---- Tracing with the shapes of the inputs ---- */

struct session {
	nns_model *model;
	const nns_run_options *options;
	nns_error *err;
	struct arrays inputs, expected;
	struct graph *graph;
	struct plan *plan;
	struct fast_plan *fast;          /* NULL: the reference executor */
	struct run_difference difference;
	struct run run;
	struct tensor **values;  /* of the inputs */
	double plan_ms, *times;
	uint64_t seed;
	struct generator *generator;
};

static double now_ms(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

/*
 * An array as an input: NumPy has no bfloat16, so floating-point arrays become what the model takes.  One of the shape that
 * the model was made for lies in memory as it did then.  NULL: no memory.
 */
static struct value *as_input(struct arena *a, const struct value *array, const struct graph_input *own)
{
	struct value *v = value_new(a, array->dtype, array->ndim, array->size);
	if (v && own && dtype_is_float(array->dtype) && dtype_is_float(own->value->dtype))
		v->dtype = own->value->dtype;
	if (v && own && own->value->ndim == v->ndim && (v->ndim == 0 || memcmp(own->value->size, v->size, (size_t)v->ndim * sizeof *v->size) == 0))
		memcpy(v->stride, own->value->stride, (size_t)v->ndim * sizeof *v->stride);
	return v;
}

static bool is_number_after(const char *name, const char *prefix)
{
	size_t n = strlen(prefix);
	return strncmp(name, prefix, n) == 0 && name[n] && strspn(name + n, "0123456789") == strlen(name + n);
}

/* The shapes in the file: by the model's own names for its inputs, or in0, in1, ... */
static bool inputs_of_file(struct session *s, struct graph_input **out, size_t *n)
{
	struct model *m = s->model->model;
	*out = arena_array(m->arena, s->inputs.n + 1, sizeof **out);
	*n = 0;
	if (!*out)
		return fail_memory(s->err);
	for (size_t i = 0; i < s->inputs.n; i++) {
		const struct npz_array *a = &s->inputs.all[i];
		for (size_t k = 0; k < m->n_inputs; k++)
			if (m->inputs[k].name && strcmp(m->inputs[k].name, a->name) == 0)
				(*out)[(*n)++] = (struct graph_input){ .name = a->name, .value = as_input(m->arena, a->value, &m->inputs[k]) };
	}
	for (size_t i = 0; *n <= i && i < s->inputs.n; i++) {
		const struct value *v = arrays_find(&s->inputs, NULL, "in", i);
		if (!v)
			break;
		(*out)[(*n)++] = (struct graph_input){ .value = as_input(m->arena, v, i < m->n_inputs ? &m->inputs[i] : NULL) };
	}
	for (size_t i = 0; i < *n; i++)
		if (!(*out)[i].value)
			return fail_memory(s->err);
	if (*n > 0 || (m->program && m->n_inputs == 0))
		return true;
	return fail(s->err, NNS_MODEL, "%s: no array of it is an input of the model; name them as the inputs, or in0, in1, ...", s->inputs.path);
}

static bool check_names(struct session *s)
{
	size_t inputs = s->graph->n_inputs;
	for (size_t i = 0; i < s->inputs.n; i++)
		if (is_number_after(s->inputs.all[i].name, "in") && strtoul(s->inputs.all[i].name + 2, NULL, 10) >= inputs)
			return fail(s->err, NNS_MODEL, "%s: %s is one input too many: the model takes %zu", s->inputs.path, s->inputs.all[i].name, inputs);
	return true;
}

static bool trace_session(struct session *s, unsigned flags, const char *const *texts, size_t n_texts)
{
	struct model *m = s->model->model;
	struct trace_options t = { .training = flags & NNS_TRAIN, .no_grad = true };
	struct graph_input *inputs;
	if (s->options->inputs) {
		if (!inputs_of_file(s, &inputs, &t.n_inputs))
			return false;
	} else {
		inputs = arena_array(m->arena, n_texts + 1, sizeof *inputs);
		if (!inputs)
			return fail_memory(s->err);
		for (; t.n_inputs < n_texts; t.n_inputs++)
			if (!trace_parse_input(m->arena, texts[t.n_inputs], &inputs[t.n_inputs], s->err))
				return false;
	}
	t.inputs = inputs;
	s->graph = trace(m, &t, s->err);
	return s->graph && check_names(s);
}

/* ---- Inputs ---- */

static bool input_from_file(struct session *s, size_t i)
{
	const struct graph_input *in = &s->graph->inputs[i];
	const struct value *v = arrays_find(&s->inputs, in->name, "in", i);
	if (!v)
		return fail(s->err, NNS_MODEL, "%s: there is no array for input %zu (%s)", s->inputs.path, i, in->name ? in->name : "without a name");
	struct tensor *t = tensor_of_value(s->run.arena, &s->run.heap, v, s->err);
	if (!t)
		return fail_within(s->err, "%s: ", s->inputs.path);
	s->values[i] = t;
	if (t->dtype == in->value->dtype && (t->ndim == 0 || memcmp(t->stride, in->value->stride, (size_t)t->ndim * sizeof *t->stride) == 0))
		return true;
	s->values[i] = tensor_new_strided(s->run.arena, &s->run.heap, in->value->dtype, t->ndim, t->size, in->value->stride, s->err);
	if (s->values[i])
		tensor_copy(s->values[i], t);
	storage_drop(t->storage);
	return s->values[i] != NULL;
}

static bool make_inputs(struct session *s)
{
	s->values = arena_array(s->run.arena, s->graph->n_inputs + 1, sizeof *s->values);
	if (!s->values)
		return fail_memory(s->err);
	for (size_t i = 0; i < s->graph->n_inputs; i++)
		if (s->options->inputs ? !input_from_file(s, i) : !run_random_input(s->graph, i, s->generator, &s->run, &s->values[i], s->err))
			return false;
	return true;
}

static void drop_inputs(struct session *s)
{
	for (size_t i = 0; s->values && i < s->graph->n_inputs; i++)
		if (s->values[i])
			storage_drop(s->values[i]->storage);
	s->values = NULL;
}

/* ---- The pass ---- */

static bool pass(struct session *s, const struct run_options *o)
{
	if (!s->fast)
		return run_execute(&s->run, o, s->err);
	if (s->options->compare)
		return run_compare(s->fast, &s->run, o, s->options->rtol, s->options->atol, &s->difference, s->err);
	return fast_execute(s->fast, &s->run, o, NULL, s->err);
}

static bool execute_once(struct session *s, int i)
{
	struct run_options o = { .generator = s->generator, .threads = s->options->threads, .memory = s->options->memory,
		.check = !s->options->no_check, .timed = true };
	if (i > 0) {
		drop_inputs(s);
		run_release(&s->run);
	}
	if (!run_init(&s->run, s->plan, s->err) || !make_inputs(s))
		return false;
	o.inputs = s->values;
	double start = now_ms();
	bool ok = pass(s, &o);
	s->times[i] = now_ms() - start;
	return ok;
}

/* The fast executor where there is one, unless the reference was asked for. */
static bool choose_executor(struct session *s)
{
	const nns_run_options *o = s->options;
	struct fast_options f = { .threads = o->threads, .memory = o->memory, .deterministic = o->deterministic, .visible = o->compare };
	bool asked = o->compare || (o->executor && strcmp(o->executor, "fast") == 0);
	if (o->executor && !asked && strcmp(o->executor, "reference") != 0)
		return fail(s->err, NNS_USAGE, "there is no executor '%s': fast, reference", o->executor);
	if (o->precision && strcmp(o->precision, "float32") != 0 && strcmp(o->precision, "bf16") != 0)
		return fail(s->err, NNS_USAGE, "there is no precision '%s': float32, bf16", o->precision);
	f.half = o->precision && strcmp(o->precision, "bf16") == 0;
	if (f.half && !fast_has_half())
		return fail(s->err, NNS_UNSUPPORTED, "--precision bf16 needs a processor with AVX-512 BF16 and an nnscope with oneDNN");
	if (!asked && !f.half && (o->executor || !fast_available()))
		return true;
	s->fast = fast_plan_new(s->plan, &f, s->err);
	return s->fast != NULL;
}

static bool prepare(struct session *s, unsigned flags, const char *const *inputs, size_t n_inputs)
{
	const nns_run_options *o = s->options;
	struct model *m = s->model->model;
	if (!run_weights(m, o, &s->seed, &s->generator, s->err))
		return false;
	if (o->inputs && !arrays_open(&s->inputs, o->inputs, s->err))
		return false;
	if (o->expect && !arrays_open(&s->expected, o->expect, s->err))
		return false;
	if (!trace_session(s, flags, inputs, n_inputs))
		return false;
	double start = now_ms();
	s->plan = plan_new(s->graph, s->err);
	if (!s->plan || !choose_executor(s))
		return false;
	s->plan_ms = now_ms() - start;
	s->times = arena_array(m->arena, (size_t)(o->repeat > 1 ? o->repeat : 1), sizeof *s->times);
	return s->times || fail_memory(s->err);
}

static bool session_run(struct session *s, unsigned flags, const char *const *inputs, size_t n_inputs, bool *matches, struct text *out)
{
	const nns_run_options *o = s->options;
	int times = o->repeat > 1 ? o->repeat : 1;
	if (!prepare(s, flags, inputs, n_inputs))
		return false;
	for (int i = 0; i < times; i++)
		if (!execute_once(s, i))
			return false;
	if (o->save && !run_save(&s->run, o->save, s->err))
		return false;
	struct run_report r = { .model = s->model->model, .options = o, .run = &s->run, .times = s->times, .n_times = times, .plan_ms = s->plan_ms,
		.fast = s->fast, .difference = o->compare ? &s->difference : NULL,
		.seed = s->seed, .expected = o->expect ? &s->expected : NULL };
	return run_report(&r, out, matches, s->err);
}

char *nns_run(nns_model *m, unsigned flags, const char *const *inputs, size_t n_inputs, const nns_run_options *options, bool *matches, nns_error *err)
{
	static const nns_run_options defaults = { 0 };
	struct session s = { .model = m, .options = options ? options : &defaults, .err = err };
	struct text text;
	text_init(&text);
	*matches = true;
	bool ok = session_run(&s, flags, inputs, n_inputs, matches, &text);
	drop_inputs(&s);
	if (s.run.arena)
		run_release(&s.run);
	fast_plan_free(s.fast);
	plan_free(s.plan);
	arrays_close(&s.inputs);
	arrays_close(&s.expected);
	return api_take(&text, ok, err);
}
