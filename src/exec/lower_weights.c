/* What primitives are given of constants. */
#include "exec/lower.h"

#include <math.h>
#include <string.h>

static const struct tensor *constant(struct lowering *l, int slot)
{
	return slot < 0 ? NULL : l->f->constants.tensors[slot];
}

static float *floats(struct lowering *l, struct arena *a, int slot, float none, int64_t n)
{
	const struct tensor *t = constant(l, slot);
	float *out = arena_array(a, (size_t)n + 1, sizeof *out);
	if (!out || (t && tensor_numel(t) != n))
		return NULL;
	if (t)
		tensor_to_floats(t, out);
	for (int64_t i = 0; !t && i < n; i++)
		out[i] = none;
	return out;
}

/* A batch norm in eval mode is x * scale + shift. */
static bool norm_factors(struct lowering *l, struct arena *a, const struct plan_step *s, int64_t n, float **scale, float **shift)
{
	const struct datum *eps = step_arg(s, "eps");
	*scale = floats(l, a, step_slot(s, "weight"), 1, n);
	*shift = floats(l, a, step_slot(s, "bias"), 0, n);
	const float *mean = floats(l, a, step_slot(s, "running_mean"), 0, n), *var = floats(l, a, step_slot(s, "running_var"), 1, n);
	if (!*scale || !*shift || !mean || !var)
		return false;
	for (int64_t i = 0; i < n; i++) {
		double factor = (*scale)[i] / sqrt((double)var[i] + (eps ? datum_as_float(*eps) : 0));
		(*scale)[i] = (float)factor;
		(*shift)[i] = (float)((*shift)[i] - mean[i] * factor);
	}
	return true;
}

static void set_weights(struct work *w, const struct tensor *t)
{
	w->weights = (const float *)(const void *)tensor_data(t);
	w->weights_ndim = t->ndim;
	memcpy(w->weights_size, t->size, (size_t)t->ndim * sizeof *t->size);
	memcpy(w->weights_stride, t->stride, (size_t)t->ndim * sizeof *t->stride);
	for (int i = 0; i < t->ndim - 2; i++)    /* one matrix for a whole batch */
		if (w->weights_stride[i] == 0)
			w->weights_size[i] = w->weights_stride[i] = 1;
}

/* The norm's factors scale what makes a channel of the result. */
static bool fold_norm(struct lowering *l, struct arena *a, const struct group *g, struct work *w)
{
	int64_t n = w->size[1];
	float *scale, *shift, *bias = floats(l, a, g->bias, 0, n);
	if (!bias || !norm_factors(l, a, &l->f->plan->steps[g->steps[g->norm]], n, &scale, &shift))
		return false;
	for (int64_t i = 0; i < n; i++)
		bias[i] = bias[i] * scale[i] + shift[i];
	w->scale = scale;
	w->bias = bias;
	return true;
}

static bool give_lstm(struct lowering *l, struct arena *a, const struct group *g, struct lstm_shape *s)
{
	int64_t wide = 4 * s->n;
	float *b_ih = floats(l, a, g->lstm[2], 0, wide), *b_hh = floats(l, a, g->lstm[3], 0, wide);
	s->w_ih = floats(l, a, g->lstm[0], 0, wide * s->in);
	s->w_hh = floats(l, a, g->lstm[1], 0, wide * s->n);
	for (int64_t i = 0; b_ih && b_hh && i < wide; i++)
		b_ih[i] += b_hh[i];
	s->bias = b_ih;
	return s->w_ih && s->w_hh && b_ih && b_hh;
}

bool lower_give_weights(struct lowering *l, struct arena *a, const struct group *g, struct work *w)
{
	float *scale, *shift;
	bool ok = true;
	if (w->kind == WORK_LSTM)
		return give_lstm(l, a, g, &w->lstm);
	if (w->kind == WORK_BATCH_STATS) {
		w->weights = floats(l, a, step_slot(&l->f->plan->steps[g->steps[0]], "weight"), 1, w->size[1]);
		w->bias = floats(l, a, step_slot(&l->f->plan->steps[g->steps[0]], "bias"), 0, w->size[1]);
		return w->weights && w->bias;
	}
	if (w->kind == WORK_BATCH_NORM) {
		ok = norm_factors(l, a, &l->f->plan->steps[g->steps[0]], w->size[1], &scale, &shift);
		w->weights = scale;
		w->bias = shift;
		return ok;
	}
	if (w->norms) {
		w->norm_weights = floats(l, a, g->norm_weights, 1, w->size[w->ndim - 1]);
		w->norm_bias = floats(l, a, g->norm_bias, 0, w->size[w->ndim - 1]);
		if (!w->norm_weights || !w->norm_bias)
			return false;
	}
	if (g->weights >= 0)
		set_weights(w, constant(l, g->weights));
	if (g->bias >= 0) {
		w->bias_length = value_numel(lower_value(l, g->bias));
		w->bias = floats(l, a, g->bias, 0, w->bias_length);
		ok = w->bias != NULL;
	}
	return ok && (g->norm < 0 || fold_norm(l, a, g, w));
}
