/* Plans and their passes. */
#include <stdlib.h>
#include <string.h>

#include "api/run.h"
#include "base/machine.h"
#include "trace/trace.h"

/* Tells the caller how far things are; data is the nns_plan, or what begins like it. */
static bool plan_tells(size_t done, size_t total, void *data)
{
	const nns_plan *p = data;
	const nns_run_options *o = &p->options;
	bool repeats = p->passes > 1 && strcmp(p->stage, "run") == 0;
	return !o->progress || o->progress(o->progress_data, p->stage, (repeats ? p->pass * total : 0) + done, repeats ? p->passes * total : total);
}

/* ---- Making a plan ---- */

static bool trace_plan(nns_plan *p, unsigned flags, const char *const *texts, size_t n_texts, nns_error *err)
{
	struct model *m = p->model->model;
	struct trace_options t = { .training = flags & NNS_TRAIN, .no_grad = true, .drawn = true };
	struct graph_input *inputs;
	if (p->options.inputs) {
		if (!inputs_of_file(p, &inputs, &t.n_inputs, err))
			return false;
	} else {
		inputs = arena_array(m->arena, n_texts + 1, sizeof *inputs);
		if (!inputs)
			return fail_memory(err);
		for (; t.n_inputs < n_texts; t.n_inputs++)
			if (!trace_parse_input(m->arena, texts[t.n_inputs], &inputs[t.n_inputs], err))
				return false;
	}
	t.inputs = inputs;
	p->graph.graph = trace(m, &t, err);
	return p->graph.graph && inputs_check(p, err) && inputs_ranges(p, err);
}

/* The fast executor where there is one, unless the reference was asked for. */
static bool choose_executor(const nns_run_options *o, bool *fast, nns_error *err)
{
	bool asked = o->compare || (o->executor && strcmp(o->executor, "fast") == 0), half;
	if (o->executor && strcmp(o->executor, "fast") != 0 && strcmp(o->executor, "reference") != 0)
		return fail(err, NNS_USAGE, "there is no executor '%s': fast, reference", o->executor);
	if (o->precision && strcmp(o->precision, "float32") != 0 && strcmp(o->precision, "bf16") != 0)
		return fail(err, NNS_USAGE, "there is no precision '%s': float32, bf16", o->precision);
	if (o->compare && o->executor && strcmp(o->executor, "fast") != 0)
		return fail(err, NNS_USAGE, "compare runs both executors, fast against reference: the reference alone cannot be chosen with it");
	half = o->precision && strcmp(o->precision, "bf16") == 0;
	if (half && o->executor && !asked)
		return fail(err, NNS_USAGE, "precision bf16 is for the fast executor");
	if (half && !fast_has_half())
		return fail(err, NNS_UNSUPPORTED, "precision bf16 needs a processor with AVX-512 BF16 and an nnscope with oneDNN");
	*fast = asked || half || (!o->executor && fast_available());
	return true;
}

static size_t memory_limit(const nns_run_options *o)
{
	size_t machine = o->memory ? o->memory : machine_memory();
	return machine ? machine : 1;    /* 0 stands for any */
}

/* Comparing, the reference runs beside the fast executor. */
static bool add_reference(nns_plan *p, nns_error *err)
{
	struct memory_plan beside;
	if (!p->options.compare)
		return true;
	if (!memory_of_plan(p->plan, p->options.threads, &beside, err))
		return false;
	p->memory.activations += beside.activations < SIZE_MAX - p->memory.activations ? beside.activations : SIZE_MAX - p->memory.activations;
	return true;
}

static bool within_memory(nns_plan *p, bool fast, nns_error *err)
{
	int threads = p->options.threads;
	bool known = fast ? fast_memory_estimate(p->plan, threads, &p->memory, err) && add_reference(p, err) : memory_of_plan(p->plan, threads, &p->memory, err);
	return known && memory_allowed(&p->memory, p->options.memory, err);
}

static bool give_weights(nns_plan *p, nns_error *err)
{
	struct run_options making = { .generator = &p->generator, .threads = p->options.threads, .progress = plan_tells, .progress_data = p };
	struct weights_request r = { p->model->model, &p->options, &making, .draws = p->options.seeded && !p->options.inputs && p->graph.graph->n_inputs > 0 };
	p->stage = "weights";
	p->seed = seed_of(&p->options);
	generator_seed(&p->generator, p->seed);
	return weights_give(&r, err);
}

static bool make_fast(nns_plan *p, nns_error *err)
{
	const nns_run_options *o = &p->options;
	struct fast_options f = { .threads = o->threads, .memory = o->memory, .deterministic = o->deterministic, .visible = o->compare,
		.half = o->precision && strcmp(o->precision, "bf16") == 0, .progress = plan_tells, .progress_data = p };
	p->stage = "plan";
	p->fast = fast_plan_new(p->plan, &f, err);
	return p->fast && fast_plan_memory(p->fast, &p->memory, err) && add_reference(p, err);
}

static bool destination_known(const char *path, nns_error *err)
{
	return !path || (save_known(path, err) && file_writable(path, err));
}

static bool prepare(nns_plan *p, unsigned flags, const char *const *inputs, size_t n_inputs, nns_error *err)
{
	nns_run_options *o = &p->options;
	bool fast = false;
	if (!destination_known(o->save, err) || !destination_known(o->save_weights, err) || !report_known(o, err)
	    || !choose_executor(o, &fast, err) || (o->inputs && !arrays_open(&p->inputs, o->inputs, err)) || (o->expect && !arrays_open(&p->expected, o->expect, err)))
		return false;
	o->memory = memory_limit(o);
	if (!trace_plan(p, flags, inputs, n_inputs, err))
		return false;
	double start = run_clock(), weights;
	p->plan = plan_new(p->graph.graph, err);
	if (!p->plan || !within_memory(p, fast, err))
		return false;
	weights = run_clock();
	if (!give_weights(p, err))
		return false;
	start += run_clock() - weights;
	if (fast && !make_fast(p, err))
		return false;
	p->plan_ms = run_clock() - start;
	return true;
}

nns_plan *nns_plan_new(nns_model *m, unsigned flags, const char *const *inputs, size_t n_inputs, const nns_run_options *options, nns_error *err)
{
	nns_error local = { 0 };
	nns_plan *p = calloc(1, sizeof *p);
	err = err ? err : &local;
	if (!p)
		return fail_memory(err), NULL;
	p->model = m;
	if (options)
		p->options = *options;
	p->arena = arena_new(NULL, err);
	if (p->arena && prepare(p, flags, inputs, n_inputs, err))
		return p;
	nns_plan_free(p);
	return NULL;
}

static void forget_pass(nns_plan *p)
{
	inputs_drop(p);
	if (p->run.arena)
		run_release(&p->run);
}

void nns_plan_free(nns_plan *p)
{
	if (!p)
		return;
	forget_pass(p);
	fast_plan_free(p->fast);
	plan_free(p->plan);
	arrays_close(&p->inputs);
	arrays_close(&p->expected);
	arena_free(p->arena);
	free(p);
}

nns_plan_sizes nns_plan_memory(const nns_plan *p)
{
	const struct memory_plan *m = &p->memory;
	return (nns_plan_sizes){ .weights = m->weights, .packed = m->packed, .activations = m->activations, .workspace = m->workspace };
}

nns_graph *nns_plan_graph(nns_plan *p)
{
	return &p->graph;
}

/* ---- Passes ---- */

static bool pass(nns_plan *p, const struct run_options *o, nns_error *err)
{
	if (!p->fast)
		return run_execute(&p->run, o, err);
	if (p->options.compare)
		return run_compare(p->fast, &p->run, o, p->options.rtol, p->options.atol, &p->difference, err);
	return fast_execute(p->fast, &p->run, o, NULL, err);
}

static bool keep_time(nns_plan *p, double ms, nns_error *err)
{
	double *grown = arena_grow(p->arena, p->times, p->n_times, &p->cap_times, sizeof *grown);
	if (!grown)
		return fail_memory(err);
	p->times = grown;
	grown[p->n_times++] = ms;
	return true;
}

/* What pays from the second pass on, which is part of making the plan. */
static bool expect_more(nns_plan *p, nns_error *err)
{
	if (!p->fast || p->n_times != 1)
		return true;
	double start = run_clock();
	fast_plan_keep(p->fast);
	p->plan_ms += run_clock() - start;
	return fast_plan_memory(p->fast, &p->memory, err) && add_reference(p, err);
}

bool nns_plan_run(nns_plan *p, const nns_array *inputs, size_t n_inputs, nns_error *err)
{
	nns_error local = { 0 };
	struct run_options o = { .generator = &p->generator, .threads = p->options.threads, .memory = p->options.memory,
		.check = !p->options.no_check, .timed = true, .progress = plan_tells, .progress_data = p };
	err = err ? err : &local;
	forget_pass(p);
	if (n_inputs > 0 && p->graph.graph->content_used)
		return fail(err, NNS_UNSUPPORTED, "sizes in this plan hang on the content of the inputs that it was made with: make one for others");
	p->stage = "run";
	if (!expect_more(p, err) || !run_init(&p->run, p->plan, err) || !inputs_make(p, inputs, n_inputs, err))
		return false;
	o.inputs = p->values;
	double start = run_clock();
	bool ok = pass(p, &o, err);
	double ms = run_clock() - start;
	if (ok && keep_time(p, ms, err))
		return true;
	forget_pass(p);
	return false;
}

size_t nns_plan_outputs(const nns_plan *p)
{
	return p->run.arena ? p->plan->n_outputs : 0;
}

bool nns_plan_output(nns_plan *p, size_t index, nns_array *out, nns_error *err)
{
	if (index >= nns_plan_outputs(p))
		return fail(err, NNS_USAGE, "there is no output %zu: the plan has %zu, after a pass", index, nns_plan_outputs(p));
	const struct tensor *t = p->run.tensors[p->plan->outputs[index]];
	*out = (nns_array){ .name = arena_printf(p->run.arena, "out%zu", index), .dtype = dtype_name(t->dtype), .ndim = t->ndim, .shape = t->size,
		.data = contiguous_bytes(p->run.arena, t, err) };
	return out->data && (out->name || fail_memory(err));
}

char *nns_plan_report(nns_plan *p, bool *matches, nns_error *err)
{
	struct text text;
	text_init(&text);
	*matches = true;
	bool ok = p->run.arena ? run_report(p, &text, matches, err) : fail(err, NNS_USAGE, "the plan has not run");
	return api_take_text(&text, ok, err);
}

/* ---- In one call ---- */

/* What the options say is to be saved: all of it, or nothing. */
static bool save_results(nns_plan *p, nns_error *err)
{
	const nns_run_options *o = &p->options;
	struct file_pending outputs = { 0 }, weights = { 0 };
	p->stage = "save";
	bool ok = (!o->save || run_save(&p->run, o->save, &outputs, err)) && (!o->save_weights || weights_save_after(p, o->save_weights, &weights, err))
	    && (!(o->save || o->save_weights) || plan_tells(1, 1, p) || fail(err, NNS_CANCELLED, "stopped"))
	    && file_commit(&outputs, err) && file_commit(&weights, err);
	file_discard(&outputs);
	file_discard(&weights);
	return ok;
}

char *nns_run(nns_model *m, unsigned flags, const char *const *inputs, size_t n_inputs, const nns_run_options *options, bool *matches, nns_error *err)
{
	nns_plan *p = nns_plan_new(m, flags, inputs, n_inputs, options, err);
	char *text = NULL;
	bool ok = p != NULL;
	if (ok)
		p->passes = p->options.repeat > 1 ? (size_t)p->options.repeat : 1;
	struct generator first = ok ? p->generator : (struct generator){ 0 };
	for (; ok && p->pass < p->passes; p->pass++) {
		p->generator = first;    /* every pass is the one that the seed gives */
		ok = nns_plan_run(p, NULL, 0, err);
	}
	if (ok)
		text = nns_plan_report(p, matches, err);
	if (text && !save_results(p, err)) {
		free(text);
		text = NULL;
	}
	nns_plan_free(p);
	return text;
}
