/*
 * Allocation failures are errors.  Everything from loading to drawing runs
 * again and again with an allocator that gives out after n blocks, until it
 * gets through; each failure must be NNS_MEMORY.  Writes TAP.
 */
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

static bool all_steps(struct budget *b, nns_error *err)
{
	nns_load_options o = { .resize = resize, .allocator_data = b };
	nns_draw_options forward = { .view = "forward" };
	size_t len;
	nns_model *m = nns_model_load_memory(description, strlen(description), "alloc", &o, err);
	nns_graph *g = m ? nns_trace(m, NNS_TRAIN, NULL, 0, err) : NULL;
	char *summary = g ? nns_report(m, g, "summary", NULL, err) : NULL;
	char *tree = summary ? nns_report(m, g, "tree", NULL, err) : NULL;
	void *dot = tree ? nns_draw(m, g, NULL, "gv", &len, err) : NULL;
	void *picture = dot ? nns_draw(m, g, &forward, "gv", &len, err) : NULL;
	bool ok = picture && nns_model_set(m, "0=Conv2d(3, 8, 5)", err);
	free(picture);
	free(dot);
	free(tree);
	free(summary);
	nns_model_free(m);
	return ok;
}

int main(void)
{
	enum { MOST = 5000 };
	int wrong = 0, failures = 0;
	bool done = false;
	for (long n = 0; n < MOST && !done; n++) {
		struct budget b = { .blocks = n };
		nns_error err = { 0 };
		done = all_steps(&b, &err);
		failures += !done;
		if ((!done && err.code != NNS_MEMORY) || b.held != 0) {
			tap_note("after %ld blocks: code %d, %zu blocks held: %s", n, (int)err.code, b.held, err.message);
			wrong++;
		}
	}
	tap_note("%d failures provoked", failures);
	tap(wrong == 0 && done && failures > 5, "failing allocations are errors and leak nothing");
	return tap_end();
}
