/*
 * Allocation failures are errors.  Everything from loading to drawing runs
 * again and again with an allocator that gives out after n blocks, until it
 * gets through; each failure must be NNS_MEMORY.  Writes TAP.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "nnscope/nnscope.h"
#include "tap.h"

struct budget {
	long blocks;             /* still to be given out */
	size_t held;             /* not yet given back */
};

static void *resize(void *data, void *p, size_t size)
{
	struct budget *b = data;
	if (size == 0) {
		b->held -= p != NULL;
		free(p);
		return NULL;
	}
	if (b->blocks-- <= 0)
		return NULL;
	b->held += p == NULL;
	return realloc(p, size);
}

static const char description[] =
	"{ \"classes\": { \"Block(n)\": { \"modules\": { \"conv\": \"Conv2d(n, n, 3, padding=1)\", \"bn\": \"BatchNorm2d(n)\" },"
	" \"forward\": [\"return x + F.relu(self.bn(self.conv(x)))\"] } },"
	" \"model\": \"Sequential(Conv2d(3, 8, 3), *[Block(8) for i in range(60)], Flatten(), LazyLinear(10))\","
	" \"inputs\": { \"x\": [2, 3, 16, 16] } }";

/* What is done with a model once it is read; false: an error. */
struct use {
	nns_model *model;
	nns_graph *graph;
};

static bool keep_none(char *text)
{
	free(text);
	return text != NULL;
}

static bool trace_it(struct use *u, nns_error *err)
{
	return u->graph || (u->graph = nns_trace(u->model, NNS_TRAIN, NULL, 0, err));
}

static bool use_tree(struct use *u, nns_error *err) { return keep_none(nns_report(u->model, NULL, "tree", NULL, err)); }
static bool use_params(struct use *u, nns_error *err) { return keep_none(nns_report(u->model, NULL, "params", NULL, err)); }
static bool use_shapes(struct use *u, nns_error *err) { return trace_it(u, err) && keep_none(nns_report(u->model, u->graph, "shapes", NULL, err)); }
static bool use_summary(struct use *u, nns_error *err) { return trace_it(u, err) && keep_none(nns_report(u->model, u->graph, "summary", NULL, err)); }

static bool draw(struct use *u, const char *view, nns_error *err)
{
	nns_draw_options o = { .view = view };
	size_t len;
	return trace_it(u, err) && keep_none(nns_draw(u->model, u->graph, &o, "gv", &len, err));
}

static bool use_autograd(struct use *u, nns_error *err) { return draw(u, "autograd", err); }
static bool use_forward(struct use *u, nns_error *err) { return draw(u, "forward", err); }
static bool use_set(struct use *u, nns_error *err) { return nns_model_set(u->model, "0=Conv2d(3, 8, 5)", err); }

/* A file of tests/cases (NULL: the description above), and what is done with it. */
struct row {
	const char *file;
	bool (*uses[6])(struct use *u, nns_error *err);
};

static const struct row rows[] = {
	{ NULL, { use_summary, use_tree, use_autograd, use_forward, use_set } },
	{ "good-file-pt2-tree/model.pt2", { use_tree, use_params, use_shapes, use_autograd, use_forward } },
	{ "good-script-net/model.pt", { use_tree, use_params } },
	{ "good-checkpoint-kinds/kinds.pth", { use_tree, use_params } },
	{ "good-file-legacy/state.pth", { use_tree, use_params } },
	{ "good-file-npz/arrays.npz", { use_tree, use_params } },
	{ "good-file-safetensors/model.safetensors", { use_tree, use_params } },
};

static bool all_steps(const struct row *row, const char *data, size_t len, struct budget *b, nns_error *err)
{
	nns_load_options o = { .resize = resize, .allocator_data = b };
	struct use u = { .model = nns_model_load_memory(data, len, "alloc", &o, err) };
	bool ok = u.model != NULL;
	for (size_t i = 0; ok && i < sizeof row->uses / sizeof *row->uses && row->uses[i]; i++)
		ok = row->uses[i](&u, err);
	nns_model_free(u.model);
	return ok;
}

static char *read_case(const char *name, size_t *len)
{
	const char *folder = getenv("srcdir");
	char path[1000];
	snprintf(path, sizeof path, "%s/tests/cases/%s", folder ? folder : ".", name);
	FILE *f = fopen(path, "rb");
	char *data = f ? malloc(1 << 20) : NULL;
	*len = data ? fread(data, 1, 1 << 20, f) : 0;
	if (f)
		fclose(f);
	return data;
}

/* Again and again, with one block more each time, until it gets through. */
static void test_row(const struct row *row)
{
	enum { MOST = 5000 };
	size_t len = strlen(description);
	char *file = row->file ? read_case(row->file, &len) : NULL;
	int wrong = 0, failures = 0;
	bool done = false;
	for (long n = 0; n < MOST && !done && (file || !row->file); n++) {
		struct budget b = { .blocks = n };
		nns_error err = { 0 };
		done = all_steps(row, file ? file : description, len, &b, &err);
		failures += !done;
		if ((!done && err.code != NNS_MEMORY) || b.held != 0) {
			tap_note("after %ld blocks: code %d, %zu blocks held: %s", n, (int)err.code, b.held, err.message);
			wrong++;
		}
		if (wrong > 3)
			break;
	}
	free(file);
	tap_note("%d failures provoked", failures);
	tap(wrong == 0 && done && failures > 1, "%s: failing allocations are errors and leak nothing", row->file ? row->file : "a description");
}

int main(void)
{
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
		test_row(&rows[i]);
	return tap_end();
}
