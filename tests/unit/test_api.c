/* The public interface as a program outside uses it: what it says of a model, errors without a struct, pictures from threads. */
#include <pthread.h>
#include <stdint.h>
#include <string.h>

#include "nnscope/nnscope.h"
#include "tap.h"

static const char description[] =
	"{ \"modules\": { \"fc\": \"Linear(3, 2)\", \"bn\": \"BatchNorm1d(2)\" }, \"forward(x)\": [\"return F.relu(self.bn(self.fc(x)))\"],"
	" \"inputs\": { \"x\": [4, 3] } }";

static nns_model *load(const nns_load_options *o)
{
	nns_error err = { 0 };
	nns_model *m = nns_model_load_memory(description, strlen(description), "folder/small.json", o, &err);
	if (!m)
		tap_bail("%s", err.message);
	return m;
}

static nns_graph *trace(nns_model *m)
{
	nns_error err = { 0 };
	nns_graph *g = nns_trace(m, NNS_TRAIN, NULL, 0, &err);
	if (!g)
		tap_bail("%s", err.message);
	return g;
}

/* ---- What a model is ---- */

struct seen {
	char text[1000];
	int left;                /* visits until it says stop */
};

static void see(struct seen *s, const char *name, int ndim, const int64_t *shape, const char *rest)
{
	size_t n = strlen(s->text);
	n += (size_t)snprintf(s->text + n, sizeof s->text - n, "%s", name);
	for (int i = 0; i < ndim && n < sizeof s->text; i++)
		n += (size_t)snprintf(s->text + n, sizeof s->text - n, "%s%lld", i ? "x" : " ", (long long)shape[i]);
	if (n < sizeof s->text)
		snprintf(s->text + n, sizeof s->text - n, "%s; ", rest);
}

static bool see_tensor(const nns_tensor_info *t, void *data)
{
	struct seen *s = data;
	see(s, t->name, t->ndim, t->shape, t->is_buffer ? " buffer" : t->requires_grad ? " grad" : "");
	return --s->left > 0;
}

static bool see_node(const nns_node_info *n, void *data)
{
	struct seen *s = data;
	see(s, n->op, n->ndim, n->shape, "");
	see(s, n->module, 0, NULL, "");
	return --s->left > 0;
}

static void same(const char *got, const char *want, const char *what)
{
	if (!tap(strcmp(got, want) == 0, "%s", what))
		tap_note("got      %s", got), tap_note("expected %s", want);
}

static void test_model(nns_model *m, nns_graph *g)
{
	struct seen all = { "", 99 }, two = { "", 2 }, nodes = { "", 99 };
	nns_error err = { 0 };
	same(nns_model_name(m), "small", "a model has the name of its file");
	tap(nns_model_note(m) == NULL, "and no note");
	nns_model_parameters(m, see_tensor, &all, &err);
	same(all.text, "fc.weight 2x3 grad; fc.bias 2 grad; bn.weight 2 grad; bn.bias 2 grad; bn.running_mean 2 buffer; "
	               "bn.running_var 2 buffer; bn.num_batches_tracked buffer; ", "parameters, then buffers");
	nns_model_parameters(m, see_tensor, &two, &err);
	same(two.text, "fc.weight 2x3 grad; fc.bias 2 grad; ", "a visit can stop");
	tap(nns_graph_nodes(g, see_node, &nodes), "every operator is seen");
	same(nodes.text, "linear.default 4x2; fc; add_.Tensor; bn; batch_norm.default 4x2; bn; relu.default 4x2; ; ",
	     "operators and the modules that called them");
	tap(!nns_graph_nodes(g, see_node, &(struct seen){ "", 1 }), "a visit of operators can stop");
}

/* ---- What is known ---- */

static void test_names(void)
{
	const char *pdf = nns_draw_format("a.b/c.PDF");
	tap(pdf && strcmp(pdf, "pdf") == 0 && !nns_draw_format("a.pdf/b") && !nns_draw_format("a.txt"), "formats by suffix");
	bool good = strcmp(nns_view_name(0), "autograd") == 0;
	size_t n = 0;
	for (; nns_view_name(n); n++)
		good = good && nns_view_help(n) && *nns_view_help(n);
	tap(good && n >= 2 && !nns_view_help(n), "views have names and explanations");
}

/* ---- Errors ---- */

static void test_errors(nns_model *m)
{
	const char *wrong = "4xthree";
	nns_error err = { 0 };
	tap(!nns_trace(m, 0, &wrong, 1, NULL) && !nns_model_from_expression("Nothing(", NULL, NULL) && !nns_model_load("no/such/file", NULL, NULL),
	    "the error may be NULL");
	tap(!nns_trace(m, 0, &wrong, 1, &err) && err.code == NNS_USAGE && err.hint == NNS_HINT_NONE && !strstr(err.message, "--"), "%s", err.message);
	nns_model *no_inputs = nns_model_from_expression("Linear(3, 2)", NULL, &err);
	tap(no_inputs && !nns_trace(no_inputs, 0, NULL, 0, &err) && err.hint == NNS_HINT_INPUT && !strstr(err.message, "--"), "%s", err.message);
	nns_model_free(no_inputs);
}

/* ---- Runs ---- */

static void test_run(nns_model *m)
{
	static const float x[12] = { 1, 2, 3 };
	static const int64_t shape[2] = { 4, 3 };
	nns_array in = { .name = "x", .dtype = "float32", .ndim = 2, .shape = shape, .data = x }, out = { 0 };
	nns_run_options o = { .seeded = true, .threads = 1 };
	nns_error err = { 0 };
	nns_plan *p = nns_plan_new(m, 0, NULL, 0, &o, &err);
	if (!p)
		tap_bail("%s", err.message);
	tap(nns_plan_outputs(p) == 0 && !nns_plan_output(p, 0, &out, &err), "before a pass there are no outputs");
	tap(nns_plan_run(p, &in, 1, &err) && nns_plan_outputs(p) == 1, "after it there is one");
	tap(nns_plan_output(p, 0, &out, &err) && strcmp(out.dtype, "float32") == 0 && out.ndim == 2 && out.shape[0] == 4 && out.shape[1] == 2,
	    "of the shape that was inferred");
	tap(!nns_plan_output(p, 1, &out, &err) && err.code == NNS_USAGE, "%s", err.message);
	nns_plan_free(p);
}

/* ---- Pictures ---- */

struct held {
	size_t blocks;
};

static void *counted(void *data, void *p, size_t size)
{
	struct held *h = data;
	h->blocks += size && !p;
	h->blocks -= !size && p;
	if (size)
		return realloc(p, size);
	free(p);
	return NULL;
}

static void test_memory(void)
{
	struct held held = { 0 };
	nns_load_options o = { .resize = counted, .allocator_data = &held };
	nns_draw_options forward = { .view = "forward" };
	nns_model *m = load(&o);
	nns_graph *g = trace(m);
	size_t before = held.blocks, len;
	bool good = true;
	for (int i = 0; i < 200 && good; i++) {
		void *dot = nns_draw(m, g, i % 2 ? &forward : NULL, "gv", &len, NULL);
		good = dot && len > 0;
		free(dot);
	}
	tap(good && held.blocks == before, "drawings keep no memory: %zu blocks before, %zu after", before, held.blocks);
	nns_model_free(m);
	tap(held.blocks == 0, "and the model gives back its own");
}

enum { THREADS = 3, PICTURES = 8 };

struct pictures {
	char *first;             /* SVG */
	size_t len;
	bool same;
};

static void *draw_some(void *data)
{
	struct pictures *p = data;
	nns_model *m = load(NULL);
	nns_graph *g = trace(m);
	p->first = nns_draw(m, g, NULL, "svg", &p->len, NULL);
	p->same = p->first != NULL;
	for (int i = 1; p->same && i < PICTURES; i++) {
		size_t len;
		char *next = nns_draw(m, g, NULL, "svg", &len, NULL);
		p->same = next && len == p->len && memcmp(next, p->first, len) == 0;
		free(next);
	}
	nns_model_free(m);
	return NULL;
}

static void test_threads(void)
{
	struct pictures all[THREADS] = { 0 };
	pthread_t threads[THREADS];
	int started = 0;
	while (started < THREADS && pthread_create(&threads[started], NULL, draw_some, &all[started]) == 0)
		started++;
	for (int i = 0; i < started; i++)
		pthread_join(threads[i], NULL);
	bool good = started == THREADS;
	for (int i = 0; i < started; i++) {
		good = good && all[i].same && all[i].len == all[0].len && memcmp(all[i].first, all[0].first, all[0].len) == 0;
		good = good && strstr(all[i].first, "</svg>");
	}
	for (int i = 0; i < started; i++)
		free(all[i].first);
	tap(good, "pictures from several threads are the same");
}

int main(void)
{
	nns_model *m = load(&(nns_load_options){ .initialise = true });
	nns_graph *g = trace(m);
	test_model(m, g);
	test_names();
	test_errors(m);
	test_run(m);
	nns_model_free(m);
	test_memory();
	test_threads();
	return tap_end();
}
