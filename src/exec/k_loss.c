/*
 * Losses (aten/src/ATen/native/{Loss,LossNLL,LossNLL2d,LossMultiMargin,
 * LossMultiLabelMargin,LossCTC}.cpp), computed and summed in float64.
 */
#include <math.h>

#include "exec/layout.h"

enum reduction { NONE, MEAN, SUM }; /* aten/src/ATen/core/Reduction.h */

static enum reduction reduction_of(struct kernel_call *k)
{
	return (enum reduction)arg_int(k, "reduction", MEAN);
}

/* Without elements the mean is NaN. */
static bool out_number(struct kernel_call *k, enum dtype d, double v)
{
	struct tensor *out = out_new(k, d, 0, NULL);
	double *p = out ? doubles_for(k, out) : NULL;
	if (p)
		*p = v;
	return p != NULL;
}

/* ---- Element by element ---- */

typedef double loss_fn(double x, double t, double p);

static double squared(double x, double t, double p)
{
	(void)p;
	return (x - t) * (x - t);
}

/* mse_kernel_impl() of halves: the difference rounds; p is the type. */
static double squared_half(double x, double t, double p)
{
	return pow(half_rounded((enum dtype)p, x - t), 2);
}

static double smooth_l1(double x, double t, double beta)
{
	double d = fabs(x - t);
	return d < beta ? 0.5 * d * d / beta : d - 0.5 * beta;
}

static double huber(double x, double t, double delta)
{
	double d = fabs(x - t);
	return d <= delta ? 0.5 * d * d : delta * (d - 0.5 * delta);
}

static double soft_margin(double x, double t, double p)
{
	(void)p;
	return log1p(exp(-t * x));
}

/* log of 0 counts as -100 */
static double cross_entropy(double x, double t, double p)
{
	(void)p;
	return (t - 1) * fmax(log1p(-x), -100) - t * fmax(log(x), -100);
}

/* x are logits; p weighs the positive ones */
static double cross_entropy_logits(double x, double t, double p)
{
	double log_sigmoid = fmin(x, 0) - log1p(exp(-fabs(x)));
	return (1 - t) * x - (1 + (p - 1) * t) * log_sigmoid;
}

/* All elements of t, broadcast to the shape; ones when it is None. */
static const double *broadcast(struct kernel_call *k, const struct tensor *t, int ndim, const int64_t *size)
{
	int64_t n = sizes_product(size, 0, ndim);
	struct window w;
	if (t) {
		window_of(&w, t);
		window_expand(&w, ndim, size);
		return doubles_of(k, &w.t);
	}
	double *ones = scratch_alloc(k, n, sizeof *ones);
	for (int64_t i = 0; ones && i < n; i++)
		ones[i] = 1;
	return ones;
}

static bool reduced(struct kernel_call *k, enum dtype d, const double *v, int64_t n)
{
	double sum = 0;
	for (int64_t i = 0; i < n; i++)
		sum += v[i];
	return out_number(k, d, reduction_of(k) == MEAN ? sum / (double)n : sum);
}

/* p: a tensor of parameters, or the number. */
static bool elementwise(struct kernel_call *k, loss_fn *fn, enum dtype d, double number, struct tensor *p, struct tensor *weight)
{
	struct tensor *in[4] = { arg_tensor(k, "self"), arg_tensor(k, "target") };
	int64_t size[MAX_DIMS], stride[MAX_DIMS];
	int ndim, n_in = 2;
	if (p)
		in[n_in++] = p;
	if (weight)
		in[n_in++] = weight;
	if (!broadcast_shapes(k, in, n_in, &ndim, size))
		return false;
	int64_t n = sizes_product(size, 0, ndim);
	const double *x = broadcast(k, in[0], ndim, size), *t = broadcast(k, in[1], ndim, size), *w = broadcast(k, weight, ndim, size);
	const double *each = p ? broadcast(k, p, ndim, size) : &number;
	double *v = scratch_alloc(k, n, sizeof *v);
	if (!x || !t || !w || !each || !v)
		return false;
	for (int64_t i = 0; i < n; i++)
		v[i] = half_rounded(d, fn(x[i], t[i], p ? each[i] : number) * w[i]); /* before it is summed, too */
	if (reduction_of(k) != NONE)
		return reduced(k, d, v, n);
	pointwise_strides(in, 2, ndim, size, stride);
	struct tensor *out = out_strided(k, d, ndim, size, stride);
	if (out)
		tensor_from_doubles(out, v);
	return out != NULL;
}

static enum dtype promoted(struct kernel_call *k)
{
	struct tensor *in[2] = { arg_tensor(k, "self"), arg_tensor(k, "target") };
	return tensors_result_type(in, 2);
}

static bool k_mse(struct kernel_call *k)
{
	enum dtype d = promoted(k);
	return elementwise(k, dtype_is_half(d) ? squared_half : squared, d, d, NULL, NULL);
}

static bool k_smooth_l1(struct kernel_call *k)
{
	double beta = arg_real(k, "beta", 1);
	if (beta < 0)
		return kernel_fail(k, "beta %g must not be negative", beta);
	return elementwise(k, smooth_l1, promoted(k), beta, NULL, NULL);
}

static bool k_huber(struct kernel_call *k)
{
	double delta = arg_real(k, "delta", 1);
	if (!(delta > 0))
		return kernel_fail(k, "delta %g must be positive", delta);
	return elementwise(k, huber, arg_tensor(k, "self")->dtype, delta, NULL, NULL);
}

static bool k_soft_margin(struct kernel_call *k)
{
	return elementwise(k, soft_margin, promoted(k), 0, NULL, NULL);
}

static bool k_cross_entropy(struct kernel_call *k)
{
	struct tensor *self = arg_tensor(k, "self");
	const double *x = doubles_of(k, self);
	for (int64_t i = 0; x && i < tensor_numel(self); i++)
		if (!(x[i] >= 0 && x[i] <= 1))
			return kernel_fail(k, "all elements of input should be between 0 and 1, not %g", x[i]);
	return x && elementwise(k, cross_entropy, self->dtype, 0, NULL, arg_tensor(k, "weight"));
}

static bool k_cross_entropy_logits(struct kernel_call *k)
{
	return elementwise(k, cross_entropy_logits, promoted(k), 1, arg_tensor(k, "pos_weight"), arg_tensor(k, "weight"));
}

/* ---- Class indices ---- */

struct classes {
	const double *x, *weight;        /* weight: one per class, or NULL */
	const int64_t *target;
	int64_t samples, n, inner;       /* x is [samples, n, inner], target [samples, inner] */
	int64_t ignored;
};

static bool classes_read(struct kernel_call *k, struct classes *c, int64_t samples, int64_t n, int64_t inner)
{
	struct tensor *self = arg_tensor(k, "self"), *target = arg_tensor(k, "target"), *weight = arg_tensor(k, "weight");
	*c = (struct classes){ .samples = samples, .n = n, .inner = inner, .ignored = arg_int(k, "ignore_index", -100) };
	if (tensor_numel(target) != samples * inner)
		return kernel_fail(k, "%lld targets for %lld samples", (long long)tensor_numel(target), (long long)(samples * inner));
	if (!dtype_is_integral(target->dtype))
		return kernel_fail(k, "targets are class indices, not %s", dtype_name(target->dtype));
	if (weight && (weight->ndim > 1 || tensor_numel(weight) != n))
		return kernel_fail(k, "%lld weights for %lld classes", (long long)tensor_numel(weight), (long long)n);
	c->weight = weight ? doubles_of(k, weight) : NULL;
	c->x = doubles_of(k, self);
	c->target = ints_of(k, target);
	return c->x && c->target && (!weight || c->weight);
}

/* The losses of all targets, and the sum of their weights; false for an index that is no class. */
static bool likelihoods(struct kernel_call *k, const struct classes *c, double *loss, double *total)
{
	*total = 0;
	for (int64_t i = 0; i < c->samples * c->inner; i++) {
		int64_t t = c->target[i];
		if (t == c->ignored)
			continue;
		if (t < 0 || t >= c->n)
			return kernel_fail(k, "target %lld is out of bounds for %lld classes", (long long)t, (long long)c->n);
		double w = c->weight ? c->weight[t] : 1;
		loss[i] = -w * c->x[(i / c->inner * c->n + t) * c->inner + i % c->inner];
		*total += w;
	}
	return true;
}

/* The loss of each target, or their sum or mean by weight; then the sum of the weights. */
static bool nll(struct kernel_call *k, const struct classes *c, enum dtype d, bool each, int ndim, const int64_t *size)
{
	int64_t n = c->samples * c->inner;
	double total, sum = 0, *loss = scratch_alloc(k, n, sizeof *loss);
	if (!loss || !likelihoods(k, c, loss, &total))
		return false;
	if (each) {
		struct tensor *out = out_new(k, d, ndim, size);
		if (out)
			tensor_from_doubles(out, loss);
		return out && out_number(k, d, 0);
	}
	for (int64_t i = 0; i < n; i++)
		sum += loss[i];
	return out_number(k, d, reduction_of(k) == MEAN ? sum / total : sum) && out_number(k, d, total);
}

static bool k_nll_loss(struct kernel_call *k)
{
	struct tensor *self = arg_tensor(k, "self");
	struct classes c = { .n = 0 };
	if (self->ndim != 1 && self->ndim != 2)
		return kernel_fail(k, "input has %d dimensions; expected 1 or 2", self->ndim);
	int64_t samples = self->ndim == 2 ? self->size[0] : 1;
	return classes_read(k, &c, samples, self->size[self->ndim - 1], 1) &&
	       nll(k, &c, self->dtype, reduction_of(k) == NONE && self->ndim == 2, 1, &samples);
}

static bool k_nll_loss2d(struct kernel_call *k)
{
	struct tensor *self = arg_tensor(k, "self"), *target = arg_tensor(k, "target");
	struct classes c = { .n = 0 };
	if (self->ndim != 4 || target->ndim != 3 || target->size[0] != self->size[0] || target->size[1] != self->size[2] ||
	    target->size[2] != self->size[3])
		return kernel_fail(k, "input and target must be [N, C, H, W] and [N, H, W]");
	return classes_read(k, &c, self->size[0], self->size[1], self->size[2] * self->size[3]) &&
	       nll(k, &c, self->dtype, reduction_of(k) == NONE, 3, target->size);
}

/* ---- Margins ---- */

/* Samples and classes of [N, C], [C] or []. */
static void rows_of(const struct tensor *t, int64_t *samples, int64_t *n)
{
	*samples = t->ndim == 2 ? t->size[0] : 1;
	*n = t->ndim == 0 ? 1 : t->size[t->ndim - 1];
}

static bool out_losses(struct kernel_call *k, enum dtype d, const double *loss, int64_t n, bool each)
{
	if (!each)
		return reduced(k, d, loss, n);
	struct tensor *out = out_new(k, d, 1, &n);
	if (out)
		tensor_from_doubles(out, loss);
	return out != NULL;
}

static bool k_multi_margin(struct kernel_call *k)
{
	struct tensor *self = arg_tensor(k, "self"), *target = arg_tensor(k, "target");
	double p = arg_real(k, "p", 1), margin = arg_real(k, "margin", 1);
	int64_t samples, n;
	struct classes c = { .n = 0 };
	if (self->ndim > 2 || target->ndim > 1 || (p != 1 && p != 2))
		return kernel_fail(k, "expected [N, C] and [N], and p of 1 or 2");
	rows_of(self, &samples, &n);
	double *loss = classes_read(k, &c, samples, n, 1) ? scratch_alloc(k, samples, sizeof *loss) : NULL;
	for (int64_t i = 0; loss && i < samples; i++) {
		int64_t t = c.target[i];
		if (t < 0 || t >= n)
			return kernel_fail(k, "target %lld is out of bounds for %lld classes", (long long)t, (long long)n);
		for (int64_t j = 0; j < n; j++) {
			double z = margin - c.x[i * n + t] + c.x[i * n + j];
			if (j != t && z > 0)
				loss[i] += (p == 1 ? z : z * z) * (c.weight ? c.weight[t] : 1) / (double)n;
		}
	}
	return loss && out_losses(k, self->dtype, loss, samples, reduction_of(k) == NONE && target->ndim == 1);
}

/* One sample: every target, up to the first -1, against every class that is none. */
static bool multilabel(struct kernel_call *k, const double *x, const int64_t *target, int64_t n, double *is_target, double *loss)
{
	int64_t count = 0;
	for (; count < n && target[count] >= 0; count++) {
		if (target[count] >= n)
			return kernel_fail(k, "target %lld is out of bounds for %lld classes", (long long)target[count], (long long)n);
		is_target[target[count]] = 1;
	}
	if (count < n && target[count] < -1)
		return kernel_fail(k, "target %lld is no class", (long long)target[count]);
	for (int64_t i = 0; i < count; i++)
		for (int64_t j = 0; j < n; j++) {
			double z = 1 - x[target[i]] + x[j];
			if (is_target[j] == 0 && z > 0)
				*loss += z / (double)n;
		}
	return true;
}

/* Targets are lists of classes; which classes are targets comes second. */
static bool k_multilabel_margin(struct kernel_call *k)
{
	struct tensor *self = arg_tensor(k, "self"), *target = arg_tensor(k, "target");
	int64_t samples, n;
	if (self->ndim > 2 || target->ndim != self->ndim || tensor_numel(target) != tensor_numel(self))
		return kernel_fail(k, "expected input and target of the same sizes, of two dimensions at most");
	rows_of(self, &samples, &n);
	const double *x = doubles_of(k, self);
	const int64_t *t = ints_of(k, target);
	double *loss = scratch_alloc(k, samples, sizeof *loss), *is_target = scratch_alloc(k, samples * n, sizeof *is_target);
	if (!x || !t || !loss || !is_target)
		return false;
	for (int64_t i = 0; i < samples; i++)
		if (!multilabel(k, x + i * n, t + i * n, n, is_target + i * n, &loss[i]))
			return false;
	if (!out_losses(k, self->dtype, loss, samples, reduction_of(k) == NONE && self->ndim == 2))
		return false;
	struct tensor *out = out_new(k, self->dtype, target->ndim, target->size);
	if (out)
		tensor_from_doubles(out, is_target);
	return out != NULL;
}

/* ---- Connectionist temporal classification ---- */

struct ctc {
	const double *x;                 /* [T, N, C] */
	int64_t steps, batch, classes, blank, longest;
	const int64_t *input_length, *target_length, *target;
	int64_t *first;                  /* where the target of each sample begins */
	double *alpha;                   /* [N, T, 2 * longest + 1] */
};

static const int64_t *lengths(struct kernel_call *k, const char *name, int64_t batch)
{
	struct tensor *t = arg_tensor(k, name);
	int n;
	const int64_t *v = t ? ints_of(k, t) : arg_ints(k, name, &n);
	if (!v)
		return NULL;
	if (v && (t ? tensor_numel(t) : n) != batch)
		return kernel_fail(k, "%s must be as many as the batch, %lld", name, (long long)batch), NULL;
	return v;
}

/* Where the targets begin: rows of [N, S], or one after the other. */
static bool ctc_targets(struct kernel_call *k, struct ctc *c, const struct tensor *targets)
{
	int64_t at = 0, width = targets->ndim == 2 ? targets->size[1] : 0, all = tensor_numel(targets);
	c->first = scratch_alloc(k, c->batch, sizeof *c->first);
	if (!c->first)
		return false;
	for (int64_t i = 0; i < c->batch; i++) {
		int64_t n = c->target_length[i];
		c->first[i] = targets->ndim == 2 ? i * width : at;
		if (n < 0 || n > all - c->first[i] || (targets->ndim == 2 && n > width))
			return kernel_fail(k, "a target of %lld labels is longer than the targets", (long long)n);
		if (c->input_length[i] < 0 || c->input_length[i] > c->steps)
			return kernel_fail(k, "an input of %lld steps is longer than the %lld there are", (long long)c->input_length[i], (long long)c->steps);
		for (int64_t j = 0; j < n; j++)
			if (c->target[c->first[i] + j] < 0 || c->target[c->first[i] + j] >= c->classes)
				return kernel_fail(k, "target %lld is out of bounds for %lld classes", (long long)c->target[c->first[i] + j], (long long)c->classes);
		c->longest = n > c->longest ? n : c->longest;
		at += n;
	}
	return true;
}

static bool ctc_read(struct kernel_call *k, struct ctc *c)
{
	struct tensor *probs = arg_tensor(k, "log_probs"), *targets = arg_tensor(k, "targets");
	if (probs->ndim != 3 || targets->ndim < 1 || targets->ndim > 2)
		return kernel_fail(k, "expected log_probs of 3 dimensions and targets of 1 or 2");
	*c = (struct ctc){ .steps = probs->size[0], .batch = probs->size[1], .classes = probs->size[2], .blank = arg_int(k, "blank", 0) };
	if (c->blank < 0 || c->blank >= c->classes)
		return kernel_fail(k, "the blank %lld is no class", (long long)c->blank);
	if (targets->ndim == 2 && targets->size[0] != c->batch)
		return kernel_fail(k, "%lld targets for a batch of %lld", (long long)targets->size[0], (long long)c->batch);
	c->input_length = lengths(k, "input_lengths", c->batch);
	c->target_length = c->input_length ? lengths(k, "target_lengths", c->batch) : NULL;
	c->x = c->target_length ? doubles_of(k, probs) : NULL;
	c->target = c->x ? ints_of(k, targets) : NULL;
	return c->target && ctc_targets(k, c, targets);
}

static double log_add(double a, double b)
{
	double most = fmax(a, b);
	return most == -INFINITY ? most : most + log(exp(a - most) + exp(b - most));
}

/* Label s of a target with blanks between its labels and around them. */
static int64_t ctc_label(const struct ctc *c, int64_t sample, int64_t s)
{
	return s % 2 ? c->target[c->first[sample] + s / 2] : c->blank;
}

/* alpha[t, s]: the log of the probability of all ways to the first s + 1 labels in t + 1 steps (Graves et al., eq. 6). */
static double ctc_sample(const struct ctc *c, int64_t i)
{
	int64_t width = 2 * c->longest + 1, n = 2 * c->target_length[i] + 1;
	double *alpha = c->alpha + i * c->steps * width;
	if (c->input_length[i] == 0)
		return c->target_length[i] == 0 ? 0 : INFINITY;
	for (int64_t t = 0; t < c->steps; t++)
		for (int64_t s = 0; s < width; s++)
			alpha[t * width + s] = -INFINITY;
	for (int64_t t = 0; t < c->input_length[i]; t++)
		for (int64_t s = 0; s < n; s++) {
			const double *row = c->x + (t * c->batch + i) * c->classes, *before = alpha + (t > 0 ? t - 1 : 0) * width;
			int64_t label = ctc_label(c, i, s);
			double sum = s < 2 ? 0 : -INFINITY;
			if (t > 0) {
				sum = before[s];
				if (s > 0)
					sum = log_add(sum, before[s - 1]);
				if (s > 1 && label != c->blank && label != ctc_label(c, i, s - 2))
					sum = log_add(sum, before[s - 2]);
			}
			alpha[t * width + s] = sum + row[label];
		}
	const double *last = alpha + (c->input_length[i] - 1) * width;
	return -log_add(last[n - 1], n > 1 ? last[n - 2] : -INFINITY);
}

static bool k_ctc(struct kernel_call *k)
{
	struct ctc c = { .steps = 0 };
	if (!ctc_read(k, &c))
		return false;
	enum dtype d = arg_tensor(k, "log_probs")->dtype;
	int64_t size[3] = { c.batch, c.steps, 2 * c.longest + 1 };
	struct tensor *loss = out_new(k, d, 1, size), *alpha = loss ? out_new(k, d, 3, size) : NULL;
	double *v = alpha ? doubles_for(k, loss) : NULL;
	c.alpha = v ? doubles_for(k, alpha) : NULL;
	for (int64_t i = 0; c.alpha && i < c.batch; i++)
		v[i] = ctc_sample(&c, i);
	return c.alpha != NULL;
}

const struct kernel_row loss_kernels[] = {
	{ .name = "mse_loss", .run = k_mse },
	{ .name = "smooth_l1_loss", .run = k_smooth_l1 },
	{ .name = "huber_loss", .run = k_huber },
	{ .name = "soft_margin_loss", .run = k_soft_margin },
	{ .name = "binary_cross_entropy", .run = k_cross_entropy },
	{ .name = "binary_cross_entropy_with_logits", .run = k_cross_entropy_logits },
	{ .name = "nll_loss_forward", .run = k_nll_loss },
	{ .name = "nll_loss2d_forward", .run = k_nll_loss2d },
	{ .name = "multi_margin_loss", .run = k_multi_margin },
	{ .name = "multilabel_margin_loss_forward", .run = k_multilabel_margin },
	{ .name = "_ctc_loss", .run = k_ctc },
	{ 0 },
};
