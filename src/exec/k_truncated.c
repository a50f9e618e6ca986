/*
 * trunc_normal_() of torch/nn/init.py: draws until every value lies between a
 * and b.  It is one operator here, since how often it draws depends on what
 * was drawn.
 */
#include <math.h>
#include <string.h>

#include "exec/draw.h"

struct truncated {
	enum dtype dtype;
	double mean, std, a, b;
	int64_t n;
	double *v, *fresh;
	float *work;
	bool *pending;
};

static bool any_pending(const struct truncated *t)
{
	for (int64_t i = 0; i < t->n; i++)
		if (t->pending[i])
			return true;
	return false;
}

static void take_pending(const struct truncated *t)
{
	for (int64_t i = 0; i < t->n; i++)
		t->v[i] = t->pending[i] ? t->fresh[i] : t->v[i];
}

/* Much of the distribution lies inside: whole tensors are drawn, and what fell outside is taken from the next. */
static void truncate_normal(struct generator *g, const struct truncated *t)
{
	double low = draw_rounded(t->dtype, t->a), high = draw_rounded(t->dtype, t->b);
	draw_normal(g, t->dtype, t->v, t->n, t->mean, t->std, t->work);
	for (;;) {
		for (int64_t i = 0; i < t->n; i++)
			t->pending[i] = t->v[i] < low || t->v[i] > high;
		if (!any_pending(t))
			return;
		draw_normal(g, t->dtype, t->fresh, t->n, t->mean, t->std, t->work);
		take_pending(t);
	}
}

/* The logarithm of a uniform draw exceeds that of the density, the peak's being 0; each operation rounds to the tensor's type. */
static bool is_rejected(struct generator *g, const struct truncated *t, double v, double peak)
{
	enum dtype d = t->dtype, scalars = d == DT_FLOAT64 ? d : DT_FLOAT32;
	double x = draw_rounded(d, draw_rounded(d, v - draw_rounded(scalars, t->mean)) / draw_rounded(scalars, t->std));
	double density = draw_rounded(d, draw_rounded(d, draw_rounded(d, x * x) * -0.5) - draw_rounded(scalars, peak)), u = draw_uniform(g, d, 0, 1);
	return draw_rounded(d, d == DT_FLOAT64 ? log(u) : (double)logf((float)u)) > density;
}

/* Little does: uniform candidates are accepted as often as the density says. */
static void truncate_uniform(struct generator *g, const struct truncated *t)
{
	double mode = fmax(t->a, fmin(t->mean, t->b)), peak = -0.5 * pow((mode - t->mean) / t->std, 2);
	memset(t->pending, 1, (size_t)t->n);
	do {
		for (int64_t i = 0; i < t->n; i++)
			t->fresh[i] = draw_uniform(g, t->dtype, t->a, t->b);
		take_pending(t);
		for (int64_t i = 0; i < t->n; i++)
			t->pending[i] = is_rejected(g, t, t->fresh[i], peak) && t->pending[i];
	} while (any_pending(t));
}

static bool k_trunc_normal(struct kernel_call *k)
{
	struct tensor *self = arg_tensor(k, "self");
	struct generator *g = draw_generator(k);
	struct truncated t = { .dtype = self->dtype, .mean = arg_real(k, "mean", 0), .std = arg_real(k, "std", 1),
		.a = arg_real(k, "a", -2), .b = arg_real(k, "b", 2), .n = tensor_numel(self) };
	if (!(t.a < t.b) || !(t.std > 0))
		return kernel_fail(k, "a normal distribution of deviation %g cannot be cut to [%g, %g]", t.std, t.a, t.b);
	t.v = g ? doubles_for(k, self) : NULL;
	t.fresh = t.v ? scratch_alloc(k, t.n, sizeof *t.fresh) : NULL;
	t.work = t.fresh ? scratch_alloc(k, t.n, sizeof *t.work) : NULL;
	t.pending = t.work ? scratch_alloc(k, t.n, sizeof *t.pending) : NULL;
	if (!t.pending)
		return false;
	double inside = (erf((t.b - t.mean) / t.std / sqrt(2)) - erf((t.a - t.mean) / t.std / sqrt(2))) / 2;
	if (t.n > 0 && inside > 0.3)
		truncate_normal(g, &t);
	else if (t.n > 0)
		truncate_uniform(g, &t);
	return out_same(k, self);
}

const struct kernel_row truncated_kernels[] = {
	{ .name = "_nns_trunc_normal_", .run = k_trunc_normal },
	{ 0 }
};
