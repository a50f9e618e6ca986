/* Products: in as few dimensions as their operands allow, and two at a time. */
#include <string.h>

#include "exec/lower.h"
#include "exec/rows.h"

bool lower_bring_copy(struct lowering *l, struct operand *o, const struct layout *now, const struct layout *wanted)
{
	struct operand to = { o->slot, wanted ? lower_add_place(l, wanted) : -1 };
	if (to.place < 0 || !lower_add_reorder(l, *o, now, to, wanted))
		return false;
	*o = to;
	return true;
}

const struct layout *lower_row_by_row(struct lowering *l, int ndim, const int64_t *size)
{
	int64_t stride[BACKEND_ARRAY];
	contiguous_strides(ndim, size, stride);
	return l->f->backend->plain(l->f->backend, l->f->arena, ndim, size, stride);
}

bool lower_product_layouts(struct lowering *l, const struct group *g, struct work *w, struct operand *in)
{
	struct backend *b = l->f->backend;
	const struct value *x = lower_value(l, g->in[0]);
	int64_t size[BACKEND_ARRAY], stride[BACKEND_ARRAY];
	memcpy(size, x->size, (size_t)x->ndim * sizeof *size);
	memcpy(stride, x->stride, (size_t)x->ndim * sizeof *stride);
	if (rows_share(w) && x->ndim == w->ndim && w->ndim > 2) {
		if (!rows_even(x->ndim, size, stride)) {
			if (!lower_bring_copy(l, &in[0], lower_plain_layout(l, g->in[0]), lower_row_by_row(l, x->ndim, size)))
				return false;
			contiguous_strides(x->ndim, size, stride);
		}
		rows_flatten(w, size, stride);
	}
	w->in[0] = b->plain(b, l->f->arena, w->ndim, size, stride);
	w->out = lower_row_by_row(l, w->ndim, w->size);
	if (g->adds)
		w->in[g->n_in - 1] = w->out;
	return w->in[0] && w->out;
}

bool lower_uneven(struct lowering *l, const struct group *g, const struct work *w, struct operand *in)
{
	enum { INPUTS = 3 };
	const struct value *x = lower_value(l, g->in[0]);
	const struct layout *layouts[INPUTS] = { lower_plain_layout(l, g->in[0]) };
	struct work flat = *w;
	int64_t size[BACKEND_ARRAY], stride[BACKEND_ARRAY];
	if (w->ndim != 3 || x->ndim != 3 || w->n_in > INPUTS || !rows_share(w) || rows_even(3, x->size, x->stride) || !layouts[0])
		return false;
	memcpy(size, x->size, 3 * sizeof *size);
	memcpy(stride, x->stride, 3 * sizeof *stride);
	rows_flatten(&flat, size, stride);
	flat.in = layouts;
	flat.out = lower_row_by_row(l, 2, flat.size);
	if (g->adds)
		layouts[w->n_in - 1] = flat.out;
	return flat.out && lower_add_group(l, g, &flat, in);
}

bool lower_two(struct lowering *l, struct arena *scratch, const struct group *g)
{
	const struct group *next = g->second;
	struct work w = g->work, second = next->work;
	const struct layout *layouts[2];
	struct operand in[2] = { { g->in[0], -1 }, { next->in[next->n_in - 1], -1 } };
	int64_t size[BACKEND_ARRAY] = { 0 }, stride[BACKEND_ARRAY] = { 0 };
	w.in = layouts;
	w.half = l->f->options.half;
	if (!lower_give_weights(l, scratch, g, &w) || !lower_give_weights(l, scratch, next, &second) || !lower_need_plain(l, g->in[0]) ||
	    (next->adds && !lower_need_plain(l, in[1].slot)) || !rows_share(&second) || !lower_product_layouts(l, g, &w, in) || w.ndim != 2)
		return false;
	if (second.ndim > 2)
		rows_flatten(&second, size, stride);
	w.kind = WORK_MLP;
	w.n_in = next->adds ? 2 : 1;
	w.second = &second;
	w.out = lower_row_by_row(l, 2, second.size);
	return w.out && second.size[0] == w.size[0] && lower_add_group(l, next, &w, in);
}
