/*
 * The example inputs of an exported program: what torch.save wrote of (args, kwargs).  Their leaves, in the order of
 * torch.utils._pytree, are the inputs that the caller gives.
 */
#include <string.h>

#include "load/pt2.h"
#include "load/torch_pickle.h"

enum { MOST_NESTED = 50, MOST_LEAVES = 100000 };

struct leaves {
	struct arena *arena;
	struct datum *all; size_t n, cap;
};

static bool add_leaves(struct leaves *l, struct datum d, int depth)
{
	size_t n = datum_is_seq(d) ? d.u.seq->n : d.kind == D_DICT ? d.u.dict->n : 0;
	if (!datum_is_seq(d) && d.kind != D_DICT) {
		struct datum *grown = l->n < MOST_LEAVES ? arena_grow(l->arena, l->all, l->n, &l->cap, sizeof *grown) : NULL;
		if (!grown)
			return false;
		l->all = grown;
		grown[l->n++] = d;
		return true;
	}
	for (size_t i = 0; i < n; i++)
		if (depth == MOST_NESTED || !add_leaves(l, datum_is_seq(d) ? d.u.seq->items[i] : d.u.dict->values[i], depth + 1))
			return false;
	return true;
}

static size_t count_given(const struct program *g)
{
	size_t n = 0;
	for (size_t i = 0; i < g->n_inputs; i++)
		n += !g->inputs[i].value;
	return n;
}

static const struct value *tensor_in(struct datum d)
{
	const struct value *v = d.kind == D_TENSOR ? d.u.p : NULL;
	return v && v->ndim >= 0 && !v->layout ? v : NULL;
}

/* Examples only help: one that cannot be read is as good as none. */
bool pt2_read_examples(struct pt2 *p, struct pt2_state *s, struct program *g)
{
	nns_error ignored = { 0 };
	struct torch_pickle t = { .arena = p->model->arena, .err = &ignored };
	struct leaves l = { .arena = p->json };
	const unsigned char *bytes;
	size_t len, next = 0;
	struct datum all;
	if (!s->examples || !archive_bytes(s->archive, s->examples, SIZE_MAX, &bytes, &len, &ignored) || !torch_saved_object(&t, bytes, len, &all)
	    || !add_leaves(&l, all, 0) || l.n != count_given(g))
		return true;
	for (size_t i = 0; i < g->n_inputs; i++) {
		struct program_input *in = &g->inputs[i];
		if (!in->value)
			in->example = in->fixed ? (next++, NULL) : tensor_in(l.all[next++]);
	}
	return true;
}
