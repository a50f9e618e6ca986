/* Content for what a run reads: parameters and buffers, and inputs that nobody gave. */
#include "api/run.h"

bool run_weights(struct model *m, const nns_run_options *o, uint64_t *seed, struct generator **generator, nns_error *err)
{
	(void)m, (void)err;
	*seed = o->seed;
	*generator = NULL;
	return true;
}

bool run_random_input(const struct graph *g, size_t index, struct generator *generator, struct run *r, struct tensor **out, nns_error *err)
{
	(void)generator, (void)r, (void)out;
	return fail(err, NNS_USAGE, "input %s has no content; give --inputs", g->inputs[index].name ? g->inputs[index].name : "");
}

bool run_save(const struct run *r, const char *path, nns_error *err)
{
	(void)r;
	return fail(err, NNS_UNSUPPORTED, "%s: arrays cannot be written yet", path);
}
