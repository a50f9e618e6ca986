/*
 * Operators run on real numbers and modules initialise as in PyTorch: the rows of tests/values (made by
 * tools/value-cases.py), in TAP.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mapping.h"
#include "exec/plan.h"
#include "load/npy.h"
#include "nnscope/nnscope.h"
#include "tap.h"

static void result(bool ok, const char *name, const char *why)
{
	if (!ok)
		tap_note("%s", why);
	tap(ok, "%s", name);
}

/* The next word of a row, cut off in place. */
static char *word(char **at, char end)
{
	char *start = *at, *stop = strchr(start, end);
	if (stop)
		*stop = 0;
	*at = stop ? stop + 1 : start + strlen(start);
	return start;
}

static void shape_text(const struct value *v, char *out, size_t size)
{
	*out = 0;
	for (int i = 0; i < v->ndim; i++)
		snprintf(out + strlen(out), size - strlen(out), "%s%lld", i ? "x" : "", (long long)v->size[i]);
}

/* The elements, for the caller to free, and the tensor's sizes; its bytes are given back.  NULL: an error. */
static double *doubles_of_value(struct arena *a, const struct value *v, struct tensor **t, nns_error *err)
{
	static struct heap heap;
	*t = tensor_of_value(a, &heap, v, err);
	double *x = *t ? malloc(((size_t)tensor_numel(*t) + 1) * sizeof *x) : NULL;
	if (x)
		tensor_to_doubles(*t, x);
	if (*t)
		storage_drop((*t)->storage);
	return x;
}

/* "float32 3x4 SUM ABS PLACES" against the array. */
static bool same_sums(struct arena *a, const struct value *v, char *expected, char *why, size_t size)
{
	nns_error err = { 0 };
	char shape[200];
	double sums[3] = { 0 };
	struct tensor *t = NULL;
	double *x = doubles_of_value(a, v, &t, &err);
	if (!x)
		return snprintf(why, size, "%.200s", err.message), false;
	for (int64_t i = 0; i < tensor_numel(t); i++) {
		sums[0] += x[i];
		sums[1] += fabs(x[i]);
		sums[2] += x[i] * (double)(i + 1);
	}
	double scale = sums[1] * (double)(tensor_numel(t) + 1);
	free(x);
	shape_text(v, shape, sizeof shape);
	const char *dtype = word(&expected, ' '), *want = word(&expected, ' ');
	if (strcmp(dtype, dtype_name(v->dtype)) != 0 || strcmp(want, shape) != 0)
		return snprintf(why, size, "%s [%s], expected %s [%s]", dtype_name(v->dtype), shape, dtype, want), false;
	for (int i = 0; i < 3; i++) {
		double number_wanted = strtod(word(&expected, ' '), NULL);
		if (!(fabs(sums[i] - number_wanted) <= 1e-5 + 2e-6 * scale))
			return snprintf(why, size, "sum %d is %.9g, expected %.9g", i, sums[i], number_wanted), false;
	}
	return true;
}

struct arrays {
	struct arena *arena;
	struct mapping file;
	struct npz_array *all; size_t n;
};

static bool arrays_open(struct arrays *f, const char *path, nns_error *err)
{
	*f = (struct arrays){ .arena = arena_new(NULL, err) };
	return f->arena && mapping_open(path, 1 << 20, &f->file, err)
	    && npz_read(f->arena, (const unsigned char *)f->file.data, f->file.len, &f->all, &f->n, err);
}

static void arrays_close(struct arrays *f)
{
	arena_free(f->arena);
	mapping_close(&f->file);
}

/* An expression is returned; statements are parted by "; ". */
static void add_statements(char *program, char *out, size_t size)
{
	if (!strstr(program, "return ")) {
		snprintf(out, size, "\"return %s\"", program);
		return;
	}
	for (char *next; program; program = next) {
		next = strstr(program, "; ");
		if (next) {
			*next = 0;
			next += 2;
		}
		snprintf(out + strlen(out), size - strlen(out), "%s\"%s\"", *out ? ", " : "", program);
	}
}

static void run_operator(char *row, const char *path)
{
	char *expression = word(&row, '\t'), *shapes = word(&row, '\t'), description[2000], statements[800] = "", inputs[200] = "", names[20] = "", why[300] = "";
	char title[800];
	nns_load_options load = { .initialise = true };
	nns_run_options o = { .seeded = true, .seed = 0, .save = path };
	nns_error err = { 0 };
	bool matches, ok = false;
	for (int i = 0; *shapes; i++) {
		char *shape = word(&shapes, ' ');
		snprintf(names + strlen(names), sizeof names - strlen(names), "%s%c", i ? ", " : "", 'x' + i);
		snprintf(inputs + strlen(inputs), sizeof inputs - strlen(inputs), "%s\"%c\": [", i ? ", " : "", 'x' + i);
		for (char *p = shape; *p; p++)
			*p = *p == 'x' ? ',' : *p;
		snprintf(inputs + strlen(inputs), sizeof inputs - strlen(inputs), "%s]", shape);
	}
	snprintf(title, sizeof title, "%s", expression);
	add_statements(expression, statements, sizeof statements);
	snprintf(description, sizeof description, "{\"modules\": {}, \"forward(%s)\": [%s], \"inputs\": {%s}}", names, statements, inputs);
	nns_model *m = nns_model_load_memory(description, strlen(description), "values", &load, &err);
	char *report = m ? nns_run(m, 0, NULL, 0, &o, &matches, &err) : NULL;
	struct arrays f = { 0 };
	if (*row == '!')
		ok = !report || (snprintf(why, sizeof why, "runs, and must not"), false);
	else if (report && arrays_open(&f, path, &err))
		ok = f.n == 1 ? same_sums(f.arena, f.all[0].value, row, why, sizeof why) : (snprintf(why, sizeof why, "%zu outputs", f.n), false);
	result(ok, title, *why ? why : err.message);
	arrays_close(&f);
	free(report);
	nns_model_free(m);
}

static const struct value *named(const struct arrays *f, const char *name)
{
	for (size_t i = 0; i < f->n; i++)
		if (strcmp(f->all[i].name, name) == 0)
			return f->all[i].value;
	return NULL;
}

static void run_module(char *row, const char *path)
{
	char *expression = word(&row, '\t'), why[300] = "";
	nns_load_options load = { .initialise = true };
	nns_run_options o = { .seeded = true, .seed = 0 };
	nns_error err = { 0 };
	uint64_t seed;
	nns_model *m = nns_model_from_expression(expression, &load, &err);
	struct arrays f = { 0 };
	bool ok = m && nns_save_weights(m, &o, path, &seed, &(bool){ false }, &err) && arrays_open(&f, path, &err);
	size_t n = 0;
	for (; ok && *row; n++) {
		char *cell = word(&row, '\t'), *name = word(&cell, ' ');
		const struct value *v = named(&f, name);
		ok = v ? same_sums(f.arena, v, cell, why, sizeof why) : (snprintf(why, sizeof why, "there is no %s", name), false);
	}
	if (ok && n != f.n)
		ok = (snprintf(why, sizeof why, "%zu tensors, expected %zu", f.n, n), false);
	result(ok, expression, *why ? why : err.message);
	arrays_close(&f);
	nns_model_free(m);
}

/* "float32 3x4 V V ...": up to 16 values, evenly spread. */
static bool same_values(struct arena *a, const struct value *v, char *expected, double tolerance, char *why, size_t size)
{
	nns_error err = { 0 };
	char shape[200];
	struct tensor *t = NULL;
	double *x = doubles_of_value(a, v, &t, &err);
	bool ok = x != NULL;
	if (!ok)
		return snprintf(why, size, "%.200s", err.message), false;
	int64_t n = tensor_numel(t), shown = n < 16 ? n : 16;
	shape_text(v, shape, sizeof shape);
	const char *dtype = word(&expected, ' '), *want = word(&expected, ' ');
	if (strcmp(dtype, dtype_name(v->dtype)) != 0 || strcmp(want, shape) != 0)
		ok = (snprintf(why, size, "%s [%s], expected %s [%s]", dtype_name(v->dtype), shape, dtype, want), false);
	for (int64_t i = 0; ok && i < shown; i++) {
		int64_t at = n > 1 ? i * (n - 1) / (shown - 1) : 0;
		double number_wanted = strtod(word(&expected, ' '), NULL);
		if (!(fabs(x[at] - number_wanted) <= tolerance * (1 + fabs(number_wanted))) && x[at] != number_wanted)
			ok = (snprintf(why, size, "value %lld is %.9g, expected %.9g", (long long)at, x[at], number_wanted), false);
	}
	free(x);
	return ok;
}

/* Seed, expression, and each of its tensors in order. */
static void run_draws(char *row, const char *path)
{
	char *seed = word(&row, '\t'), *expression = word(&row, '\t'), why[300] = "";
	nns_load_options load = { .initialise = true };
	nns_run_options o = { .seeded = true, .seed = *seed == '-' ? (uint64_t)strtoll(seed, NULL, 10) : strtoull(seed, NULL, 10) };
	nns_error err = { 0 };
	uint64_t used;
	nns_model *m = nns_model_from_expression(expression, &load, &err);
	struct arrays f = { 0 };
	bool ok = m && nns_save_weights(m, &o, path, &used, &(bool){ false }, &err) && arrays_open(&f, path, &err);
	size_t n = 0;
	for (; ok && *row; n++)
		ok = n < f.n ? same_values(f.arena, f.all[n].value, word(&row, '\t'), 1e-6, why, sizeof why) : (snprintf(why, sizeof why, "only %zu tensors", f.n), false);
	if (ok && n != f.n)
		ok = (snprintf(why, sizeof why, "%zu tensors, expected %zu", f.n, n), false);
	result(ok, expression, *why ? why : err.message);
	arrays_close(&f);
	nns_model_free(m);
}

static nns_model *open_run(const char *name, nns_error *err)
{
	const char *folder = getenv("srcdir");
	nns_load_options load = { .initialise = true };
	char path[500];
	if (strchr(name, '('))
		return nns_model_from_expression(name, &load, err);
	snprintf(path, sizeof path, "%s/samples/%s.json", folder ? folder : ".", name);
	return nns_model_load(path, &load, err);
}

static void run_once(const char *name, const char *mode, const char *const *inputs, size_t n_inputs, char *cells, const char *executor, const char *path)
{
	nns_run_options o = { .seeded = true, .seed = 0, .save = path, .executor = executor };
	nns_error err = { 0 };
	struct arrays f = { 0 };
	bool matches, ok;
	char title[700], why[300] = "";
	size_t n = 0;
	nns_model *m = open_run(name, &err);
	char *report = m ? nns_run(m, strcmp(mode, "train") == 0 ? NNS_TRAIN : 0, inputs, n_inputs, &o, &matches, &err) : NULL;
	for (ok = report && arrays_open(&f, path, &err); ok && *cells; n++)
		ok = n < f.n ? same_values(f.arena, f.all[n].value, word(&cells, '\t'), 1e-4, why, sizeof why) : (snprintf(why, sizeof why, "only %zu outputs", f.n), false);
	if (ok && n != f.n)
		ok = (snprintf(why, sizeof why, "%zu outputs, expected %zu", f.n, n), false);
	snprintf(title, sizeof title, "%s, %s%s%s", name, mode, executor ? ", " : "", executor ? executor : "");
	result(ok, title, *why ? why : err.message);
	arrays_close(&f);
	free(report);
	nns_model_free(m);
}

/* Model, mode, shapes, and each output; on the executor that is chosen without a word, and on the reference. */
static void run_model(char *row, const char *path)
{
	char *name = word(&row, '\t'), *mode = word(&row, '\t'), *shapes = word(&row, '\t'), again[4000];
	const char *inputs[8];
	size_t n = 0;
	while (*shapes && n < 8)
		inputs[n++] = word(&shapes, ' ');
	snprintf(again, sizeof again, "%s", row);
	run_once(name, mode, inputs, n, row, NULL, path);
	run_once(name, mode, inputs, n, again, "reference", path);
}

static bool each_row(const char *file, const char *path, void (*run)(char *row, const char *path))
{
	const char *folder = getenv("srcdir");
	char name[500], row[20000];
	snprintf(name, sizeof name, "%s/tests/values/%s", folder ? folder : ".", file);
	FILE *f = fopen(name, "r");
	if (!f)
		return printf("Bail out! %s cannot be read\n", name), false;
	while (fgets(row, sizeof row, f)) {
		row[strcspn(row, "\n")] = 0;
		run(row, path);
	}
	fclose(f);
	return true;
}

int main(void)
{
	char path[] = "values-test.npz";
	bool ok = each_row("operators.tsv", path, run_operator) && each_row("modules.tsv", path, run_module) && each_row("draws.tsv", path, run_draws)
	    && each_row("runs.tsv", path, run_model);
	remove(path);
	return tap_end() || !ok;
}
