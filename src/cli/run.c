/* run */
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/cli.h"

static bool tolerance(const char *name, const char *text, double fallback, double *out)
{
	char *end;
	*out = fallback;
	if (!text)
		return true;
	*out = strtod(text, &end);
	if (end == text || *end || !(*out >= 0) || isinf(*out))
		return complain_usage("--%s %s: expected a number that is not negative, such as 1e-5", name, text), false;
	return true;
}

/* What digits behind a point are of a number of that factor. */
static unsigned long long part_of(const char *digits, unsigned long long factor)
{
	unsigned long long sum = 0;
	for (; *digits >= '0' && *digits <= '9'; digits++) {
		factor /= 10;
		sum += (unsigned long long)(*digits - '0') * factor;
	}
	return sum;
}

/* Digits with a factor: 500M, 1.5g, 2GB. */
static bool amount(const char *name, const char *text, unsigned long long most, unsigned long long *out)
{
	static const char factors[] = "kKmMgGtT";
	char *end;
	*out = 0;
	if (!text)
		return true;
	errno = 0;
	unsigned long long v = strtoull(text, &end, 10), factor = 1, part = 0;
	const char *point = *end == '.' && most > 1000000 ? end : NULL;
	if (point)
		end += 1 + strspn(end + 1, "0123456789");
	const char *f = *end && most > 1000000 ? strchr(factors, *end) : NULL;
	for (const char *p = factors; f && p <= f; p += 2)
		factor *= 1000;
	bool whole = !point || (f && end > point + 1);
	if (point)
		part = part_of(point + 1, factor);
	end += f != NULL;
	end += f && (*end == 'B' || *end == 'b');
	if (text[0] < '0' || text[0] > '9' || *end || errno || !whole || v > (most - part) / factor)
		return (most > 1000000
		            ? complain_usage("--%s %s: expected a number of bytes, such as 500M or 1.5G; k, M, G and T, large or small, may be followed by B", name, text)
		            : complain_usage("--%s %s: expected a whole number from 0 to %llu", name, text, most)), false;
	*out = v * factor + part;
	return true;
}

/* Any number of 64 bits, as torch.manual_seed() takes it: a negative one is what it is as an unsigned number. */
static bool read_seed(const char *text, uint64_t *out)
{
	char *end;
	*out = 0;
	if (!text)
		return true;
	errno = 0;
	*out = text[0] == '-' ? (uint64_t)strtoll(text, &end, 10) : strtoull(text, &end, 10);
	if (text[text[0] == '-'] < '0' || text[text[0] == '-'] > '9' || *end || errno)
		return complain_usage("--seed %s: expected a whole number from -2^63 to 2^64 - 1", text), false;
	return true;
}

static bool read_options(const struct options *o, nns_run_options *r)
{
	unsigned long long threads, memory, repeat;
	*r = (nns_run_options){ .weights = o->weights, .inputs = o->inputs_file, .expect = o->expect, .save = o->save, .save_weights = o->save_weights,
	                       .no_check = o->no_check, .format = o->format,
		.executor = o->executor, .precision = o->precision, .deterministic = o->deterministic, .compare = o->compare,
		.profile = o->profile, .profile_depth = depth_given(o) };
	if (!read_seed(o->seed_text, &r->seed) || !amount("threads", o->threads_text, 64, &threads)
	    || !amount("memory", o->memory_text, UINT64_MAX, &memory) || !amount("repeat", o->repeat_text, 1000000, &repeat)
	    || !tolerance("rtol", o->rtol_text, o->compare ? 1e-3 : 1e-5, &r->rtol) || !tolerance("atol", o->atol_text, o->compare ? 1e-3 : 1e-8, &r->atol))
		return false;
	if (o->weights_strict && strcmp(o->weights_strict, "yes") != 0 && strcmp(o->weights_strict, "no") != 0)
		return complain_usage("--weights-strict %s: expected yes or no", o->weights_strict), false;
	if (o->inputs.n && o->inputs_file)
		return complain_usage("--input and --inputs exclude each other: a file has shapes of its own"), false;
	r->seeded = o->seed_text;
	r->threads = (int)threads;
	r->memory = (size_t)memory;
	r->repeat = (int)repeat;
	r->weights_lax = o->weights_strict && strcmp(o->weights_strict, "no") == 0;
	return true;
}

/* What the library wants to be told that it did not know when the model was opened. */
static void put_news(const nns_model *m, const char *before)
{
	const char *now = nns_model_note(m);
	if (now && now != before)
		say("%s", now);
}

/* A Ctrl-C that came after the last look at it. */
static int stopped(void)
{
	fputs("nnscope: stopped\n", stderr);
	return EXIT_STOPPED;
}

static unsigned mode_flags(const struct options *o)
{
	return o->mode && strcmp(o->mode, "train") == 0 ? NNS_TRAIN : 0;
}

static int run_model(const struct options *o, nns_model *m, nns_run_options *r)
{
	struct progress p;
	nns_error err = { 0 };
	bool matches = true;
	const char *note = nns_model_note(m);
	progress_begin(&p, r);
	char *text = nns_run(m, mode_flags(o), o->inputs.items, o->inputs.n, r, &matches, &err);
	bool late = progress_end(&p) && text && !o->save && !o->save_weights;
	put_news(m, note);
	int status = late ? stopped() : text ? put(text) : complain(&err);
	free(text);
	if (status == EXIT_OK && !matches && o->format && strcmp(o->format, "chrome") == 0)
		return complain(&err);   /* a trace does not say it */
	return status ? status : matches ? EXIT_OK : EXIT_WRONG_MODEL;
}

int run_run(const struct options *given)
{
	struct options with = *given, *o = &with;
	with.initialise = true;
	nns_run_options r;
	size_t used;
	int status = EXIT_OK;
	if (!read_options(o, &r))
		return EXIT_WRONG_USAGE;
	if (o->depth_text && !o->profile)
		return complain_usage("--depth is for a profile: add --profile");
	if (!files_apart(o, NULL))
		return EXIT_WRONG_USAGE;
	if ((status = files_writable(o, NULL)) != EXIT_OK)
		return status;
	nns_model *m = open_model(o, &used, &status);
	if (!m)
		return status;
	if (o->operands.n > used)
		status = complain_usage("run takes one model; what is '%s'?", o->operands.items[used]);
	else
		status = run_model(o, m, &r);
	nns_model_free(m);
	return status;
}

nns_plan *run_before(const struct options *o, nns_model *m, unsigned flags, int *status)
{
	nns_run_options r;
	struct progress p;
	nns_error err = { 0 };
	bool matches;
	const char *note = nns_model_note(m);
	*status = EXIT_WRONG_USAGE;
	if (!read_options(o, &r))
		return NULL;
	r.format = NULL;
	r.deterministic = true; /* one pass is over before measured choices pay */
	progress_begin(&p, &r);
	nns_plan *plan = nns_plan_new(m, flags, o->inputs.items, o->inputs.n, &r, &err);
	bool ok = plan && nns_plan_run(plan, NULL, 0, &err);
	bool late = progress_end(&p) && ok;
	put_news(m, note);
	char *text = ok && !late ? nns_plan_report(plan, &matches, &err) : NULL;
	*status = late ? stopped() : text ? EXIT_OK : complain(&err);
	if (text)
		fputs(text, stderr);
	free(text);
	if (*status == EXIT_OK)
		return plan;
	nns_plan_free(plan);
	return NULL;
}

static int write_weights(const struct options *o, nns_model *m, nns_run_options *r)
{
	struct progress p;
	nns_error err = { 0 };
	uint64_t seed;
	bool drawn;
	const char *note = nns_model_note(m);
	progress_begin(&p, r);
	bool ok = nns_save_weights(m, r, o->output, &seed, &drawn, &err);
	progress_end(&p);
	put_news(m, note);
	if (!ok)
		return complain(&err);
	if (!r->seeded && drawn)
		printf("seed %llu\n", (unsigned long long)seed);
	return put("");
}

int run_weights_command(const struct options *given)
{
	struct options with = *given, *o = &with;
	nns_run_options r;
	size_t used;
	int status = EXIT_OK;
	with.initialise = true;
	if (!read_options(o, &r))
		return EXIT_WRONG_USAGE;
	if (!o->output)
		return complain_usage("where to? Give --output w.safetensors or w.npz");
	if (!files_apart(o, o->output))
		return EXIT_WRONG_USAGE;
	if ((status = files_writable(o, o->output)) != EXIT_OK)
		return status;
	nns_model *m = open_model(o, &used, &status);
	if (!m)
		return status;
	if (o->operands.n > used)
		status = complain_usage("weights takes one model; what is '%s'?", o->operands.items[used]);
	else
		status = write_weights(o, m, &r);
	nns_model_free(m);
	return status;
}
