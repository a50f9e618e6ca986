#include "exec/draw.h"

#include "exec/layout.h"

struct generator *draw_generator(struct kernel_call *k)
{
	if (!k->generator)
		kernel_fail(k, "draws random numbers, and there is no generator");
	return k->generator;
}

/* The greatest stride outermost, wherever it is named (TensorIteratorBase::reorder_dimensions()). */
void draw_order(const struct tensor *t, int *order)
{
	for (int i = 0; i < t->ndim; i++) {
		int at = i;
		for (; at > 0 && t->size[i] != 1 && t->stride[order[at - 1]] < t->stride[i]; at--)
			order[at] = order[at - 1];
		order[at] = i;
	}
}

struct tensor *draw_turned(struct kernel_call *k, const struct tensor *t, const int *order)
{
	struct window *w = scratch_alloc(k, 1, sizeof *w);
	if (!w)
		return NULL;
	window_of(w, t);
	for (int i = 0; i < t->ndim; i++) {
		w->size[i] = t->size[order[i]];
		w->stride[i] = t->stride[order[i]];
	}
	return &w->t;
}

double draw_rounded(enum dtype d, double v)
{
	unsigned char element[8];
	float f = (float)v;
	if (d == DT_FLOAT64)
		return v;
	elements_from_float(d, element, 1, 1, &f);
	elements_to_float(d, element, 1, 1, &f);
	return f;
}

/* What rounding carries up to the end of the range, which is no part of it, becomes its start. */
double draw_uniform(struct generator *g, enum dtype d, double from, double to)
{
	double v;
	float f;
	if (d == DT_FLOAT64)
		random_uniform_double(g, &v, 1, from, to);
	else {
		random_uniform_float(g, &f, 1, from, to);
		v = draw_rounded(d, f);
	}
	return v == draw_rounded(d, to) ? draw_rounded(d, from) : v;
}

/* normal_fill() of types below float32 draws block by block, and for what is left the last 16 values only. */
static void normal_reduced(struct generator *g, float *v, int64_t n, double mean, double std)
{
	random_normal_float(g, v, (size_t)(n < 16 ? n : n / 16 * 16), mean, std);
	if (n > 16 && n % 16)
		random_normal_float(g, v + n - 16, 16, mean, std);
}

void draw_normal(struct generator *g, enum dtype d, double *out, int64_t n, double mean, double std, float *work)
{
	if (d == DT_FLOAT64) {
		random_normal_double(g, out, (size_t)n, mean, std);
		return;
	}
	if (d == DT_FLOAT32)
		random_normal_float(g, work, (size_t)n, mean, std);
	else
		normal_reduced(g, work, n, mean, std);
	for (int64_t i = 0; i < n; i++)
		out[i] = draw_rounded(d, work[i]);
}
