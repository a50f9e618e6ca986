/*
 * Draws whose values nobody reads.  Construction in PyTorch fills most weights
 * twice: by reset_parameters(), and by what the network itself asks for.  Of
 * the first only the generator's state is left.
 */
#include "exec/fuse.h"

enum { NOBODY = -1, SHARED = -2 };       /* no step fills it yet; someone else may see its memory */

struct fills {
	int *same;               /* by slot: the first that is the same tensor */
	long *last;              /* by those: the step that filled it last, and nobody has read it; or one of the above */
	int at, mentions;        /* the slot that a step fills, or is a view of, -1: none; how often the step names it */
};

static void see_mention(int slot, void *data)
{
	struct fills *f = data;
	if (slot != f->at || ++f->mentions > 1)
		f->last[f->same[slot]] = SHARED;
}

/* Its only result, when it makes one. */
static int result_of(const struct plan_step *s)
{
	return s->n_outputs == 1 ? s->outputs[0] : -1;
}

/* The slot that the step fills without reading it, -1: none. */
static int filled_by(const struct plan_step *s)
{
	bool fills = s->node->op->inplace && s->row && s->row->fills;
	int slot = fills ? step_slot(s, "self") : -1;
	return slot == result_of(s) ? slot : -1;
}

/* The slot that the result is the whole of, -1: none. */
static int seen_by(const struct plan_step *s)
{
	return s->row && s->row->whole_view && result_of(s) >= 0 ? step_slot(s, "self") : -1;
}

/* Memory of its own: made by an operator that reads no tensor. */
static bool makes_new(const struct plan_step *s)
{
	for (int i = 0; i < s->node->op->n_args; i++)
		if (datum_count_tensors(s->node->args[i]) > 0)
			return false;
	return true;
}

static void see_step(struct plan *p, struct fills *f, size_t step)
{
	struct plan_step *s = &p->steps[step];
	int filled = filled_by(s), seen = seen_by(s);
	f->at = filled >= 0 ? filled : seen;
	f->mentions = 0;
	step_each_slot(s, see_mention, f);
	if (seen >= 0)
		f->same[result_of(s)] = f->same[seen];
	if (filled >= 0 && f->last[f->same[filled]] != SHARED) {
		long *last = &f->last[f->same[filled]];
		if (*last != NOBODY)
			p->steps[*last].unread = true;
		*last = (long)step;
	}
	for (int i = 0; i < s->n_outputs && makes_new(s); i++)
		if (s->outputs[i] >= 0)
			f->last[s->outputs[i]] = NOBODY;
}

bool plan_find_unread(struct plan *p, nns_error *err)
{
	struct fills f = { .same = arena_array(p->arena, p->n_values + 1, sizeof *f.same), .last = arena_array(p->arena, p->n_values + 1, sizeof *f.last) };
	if (!f.same || !f.last)
		return fail_memory(err);
	for (size_t i = 0; i < p->n_values; i++) {
		f.same[i] = (int)i;
		f.last[i] = SHARED;
	}
	for (size_t i = 0; i < p->n_steps; i++)
		see_step(p, &f, i);
	return true;
}
