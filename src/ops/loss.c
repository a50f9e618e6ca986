/*
 * Losses (aten/src/ATen/native/{Loss,LossNLL,LossNLL2d,LossMultiMargin,
 * LossMultiLabelMargin,LossCTC}.cpp).
 */

#include "ops/op.h"
#include "ops/shapes.h"

enum reduction { NONE, MEAN, SUM }; /* aten/src/ATen/core/Reduction.h */

static enum reduction reduction_of(struct op_call *c)
{
	return (enum reduction)op_int(c, "reduction", MEAN);
}

/* Element-wise, then reduced to a number. */
static bool shape_elementwise_loss(struct op_call *c)
{
	struct value *in[2] = { op_tensor(c, "self"), op_tensor(c, "target") };
	enum dtype d = op_result_type(c, in, 2);
	int n;
	int64_t size[MAX_DIMS];
	if (reduction_of(c) == NONE)
		return op_out_pointwise(c, d, in, 2) != NULL;
	if (!op_broadcast(c, in[0]->ndim, in[0]->size, in[1]->ndim, in[1]->size, &n, size))
		return op_fail(c, "input %V and target %V cannot be broadcast together", in[0], in[1]);
	return op_out(c, d, 0, NULL) != NULL;
}

/* The result has the type of the input. */
static bool shape_huber(struct op_call *c)
{
	struct value *in[2] = { op_tensor(c, "self"), op_tensor(c, "target") };
	if (reduction_of(c) == NONE)
		return op_out_pointwise(c, in[0]->dtype, in, 2) != NULL;
	if (!shape_elementwise_loss(c))
		return false;
	c->outputs[0]->dtype = in[0]->dtype;
	return true;
}

static bool shape_cross_entropy(struct op_call *c)
{
	struct value *self = op_tensor(c, "self"), *target = op_tensor(c, "target");
	int n;
	int64_t size[MAX_DIMS];
	if (!op_broadcast(c, self->ndim, self->size, target->ndim, target->size, &n, size) || !sizes_equal(self, n, size))
		return op_fail(c, "target size %V does not fit input size %V", target, self);
	if (!dtype_is_float(self->dtype))
		return op_fail(c, "is not defined for %s", dtype_name(self->dtype));
	return reduction_of(c) == NONE ? op_out_like(c, self, self->dtype) != NULL : op_out(c, self->dtype, 0, NULL) != NULL;
}

/* ---- Class indices ---- */

static bool check_weight(struct op_call *c, const struct value *weight, int64_t classes)
{
	if (weight && (weight->ndim > 1 || value_numel(weight) != classes))
		return op_fail(c, "weight tensor should be defined either for all %lld classes or no classes but got weight tensor of shape %V",
		               (long long)classes, weight);
	return true;
}

/* [N, C] and [N], or [C] and []; the sum of the weights comes second. */
static bool shape_nll_loss(struct op_call *c)
{
	struct value *self = op_tensor(c, "self"), *target = op_tensor(c, "target");
	if (self->ndim < 1 || self->ndim > 2)
		return op_fail(c, "input tensor should be 1D or 2D, got %V", self);
	if (target->ndim > 1)
		return op_fail(c, "0D or 1D target tensor expected, multi-target not supported; got %V", target);
	bool batched = self->ndim == 2;
	if (batched && (target->ndim != 1 || self->size[0] != target->size[0]))
		return op_fail(c, "size mismatch (got input: %V, target: %V)", self, target);
	if (target->dtype != DT_INT64 && target->dtype != DT_UINT8)
		return op_fail(c, "expected class indices of type int64 but found %s", dtype_name(target->dtype));
	if (!check_weight(c, op_tensor(c, "weight"), self->size[self->ndim - 1]))
		return false;
	bool each = reduction_of(c) == NONE && batched;
	return op_out(c, self->dtype, each ? 1 : 0, self->size) && op_out(c, self->dtype, 0, NULL);
}

/* [N, C, H, W] and [N, H, W] */
static bool shape_nll_loss2d(struct op_call *c)
{
	struct value *self = op_tensor(c, "self"), *target = op_tensor(c, "target");
	if (self->ndim != 4 || target->ndim != 3)
		return op_fail(c, "expected batches of spatial inputs (4D) and targets (3D), got input of size %V and target of size %V", self, target);
	int64_t size[3] = { self->size[0], self->size[2], self->size[3] };
	if (!sizes_equal(target, 3, size))
		return op_fail(c, "size mismatch (got input: %V, target: %V)", self, target);
	if (target->dtype != DT_INT64 && target->dtype != DT_UINT8)
		return op_fail(c, "expected class indices of type int64 but found %s", dtype_name(target->dtype));
	if (!check_weight(c, op_tensor(c, "weight"), self->size[1]))
		return false;
	return op_out(c, self->dtype, reduction_of(c) == NONE ? 3 : 0, size) && op_out(c, self->dtype, 0, NULL);
}

static bool shape_multi_margin(struct op_call *c)
{
	struct value *self = op_tensor(c, "self"), *target = op_tensor(c, "target");
	int64_t batch = self->ndim == 2 ? self->size[0] : 1;
	if (self->ndim > 2 || target->ndim > 1 || value_numel(target) != batch)
		return op_fail(c, "inconsistent target size: got %V for input %V", target, self);
	bool each = reduction_of(c) == NONE && target->ndim == 1;
	return op_out(c, self->dtype, each ? 1 : 0, target->size) != NULL;
}

/* Which classes are targets comes second. */
static bool shape_multilabel_margin(struct op_call *c)
{
	struct value *self = op_tensor(c, "self"), *target = op_tensor(c, "target");
	if (self->ndim > 2 || !same_sizes(self, target))
		return op_fail(c, "inconsistent target size: got %V for input %V", target, self);
	bool each = reduction_of(c) == NONE && self->ndim == 2;
	return op_out(c, self->dtype, each ? 1 : 0, self->size) && op_out(c, self->dtype, target->ndim, target->size);
}

/* The longest target: of a list of ints, or of a tensor whose values are known. */
static int64_t longest_target(struct op_call *c)
{
	int n;
	int64_t most = 0;
	if (op_tensor(c, "target_lengths"))
		return -1;
	const int64_t *lengths = op_ints(c, "target_lengths", &n);
	for (int i = 0; i < n; i++)
		most = lengths[i] > most ? lengths[i] : most;
	return most;
}

/* Losses [N], and the forward variables [N, T, 2 * longest target + 1]. */
static bool shape_ctc_loss(struct op_call *c)
{
	struct value *probs = op_tensor(c, "log_probs");
	int64_t longest = longest_target(c);
	if (probs->ndim != 3)
		return op_fail(c, "expected log_probs of 3 dimensions (time, batch, classes), got %V", probs);
	if (longest > INT32_MAX)
		return op_fail(c, "a target of %lld labels is too long", (long long)longest);
	int64_t size[3] = { probs->size[1], probs->size[0], 2 * longest + 1 };
	if (!op_out(c, probs->dtype, 1, size))
		return false;
	return (longest < 0 ? out_unknown(c, probs->dtype) : op_out(c, probs->dtype, 3, size)) != NULL;
}

/* ---- Rows ---- */

#define REDUCED(x) \
	"if reduction == 1:\n" \
	"    return aten.mean(" x ")\n" \
	"return aten.sum(" x ") if reduction == 2 else " x

/* number - tensor, as C++'s operator-(Scalar, Tensor) computes it */
#define FROM(number, x) "aten.sub_.Tensor(aten.fill_.Scalar(aten.empty_like(" x "), " number "), " x ")"

/* Targets are probabilities of the classes (cross_entropy_loss_prob_target). */
#define CROSS_ENTROPY_OF_PROBABILITIES \
	"d = 0 if self.dim() == 1 else 1\n" \
	"if list(self.shape) == list(target.shape):\n" \
	"    if not target.is_floating_point():\n" \
	"        raise ValueError(f'Expected floating point type for target with class probabilities, got {target.dtype}')\n" \
	"    if ignore_index >= 0:\n" \
	"        raise ValueError('ignore_index is not supported for floating point target')\n" \
	"    n = self.size(d)\n" \
	"    x = aten.log_softmax(self, d, self.dtype)\n" \
	"    t = target\n" \
	"    if label_smoothing > 0:\n" \
	"        t = aten.add.Scalar(aten.mul.Scalar(t, 1 - label_smoothing), label_smoothing / n)\n" \
	"    w = None\n" \
	"    if weight is not None:\n" \
	"        w = aten.view(weight, [weight.size(0) if i == d else 1 for i in range(x.dim())])\n" \
	"    t = aten.mul.Tensor(x, t)\n" \
	"    if w is not None:\n" \
	"        t = aten.mul.Tensor(t, w)\n" \
	"    if reduction == 0:\n" \
	"        return aten.neg(aten.sum.dim_IntList(t, [d]))\n" \
	"    t = aten.neg(aten.sum(t))\n" \
	"    return t if reduction == 2 else aten.div.Scalar(t, max(x.numel() // n, 1))\n"

/* Part of each target's probability is spread over all classes (cross_entropy_loss_label_smoothing). */
#define CROSS_ENTROPY_SMOOTHED \
	"if label_smoothing > 0:\n" \
	"    x = aten.log_softmax(self, d, self.dtype)\n" \
	"    nll = aten.nll_loss_nd(x, target, weight, reduction, ignore_index)\n" \
	"    s = x\n" \
	"    if weight is not None:\n" \
	"        s = aten.mul.Tensor(x, aten.view(weight, [weight.size(0) if i == d else 1 for i in range(x.dim())]))\n" \
	"    s = aten.neg(aten.sum.dim_IntList(s, [d]))\n" \
	"    ignored = aten.eq.Scalar(target, ignore_index)\n" \
	"    s = aten.masked_fill_.Scalar(s, ignored, 0.0)\n" \
	"    if reduction == 1 and weight is not None:\n" \
	"        t = aten.masked_fill.Scalar(target, ignored, 0)\n" \
	"        if t.dim() > 1:\n" \
	"            w = aten.view(aten.gather(weight, 0, aten.flatten(t)), t.shape)\n" \
	"        else:\n" \
	"            w = aten.gather(weight, 0, t)\n" \
	"        w = aten.masked_fill_.Scalar(w, ignored, 0)\n" \
	"        total = aten.sum(s)\n" \
	"        s = aten.div.Tensor(total, aten.sum(w))\n" \
	"    elif reduction == 1:\n" \
	"        count = aten.sum(aten.bitwise_not(ignored))\n" \
	"        s = aten.div.Tensor(aten.sum(s), count)\n" \
	"    elif reduction == 2:\n" \
	"        s = aten.sum(s)\n" \
	"    s = aten.mul.Scalar(s, label_smoothing / x.size(d))\n" \
	"    return aten.add.Tensor(aten.mul.Scalar(nll, 1 - label_smoothing), s)\n"

#define CTC(lengths) \
	"x = log_probs if log_probs.dim() == 3 else aten.unsqueeze(log_probs, 1)\n" \
	"loss = aten._ctc_loss(x, aten.to.dtype(targets, torch.int64), input_lengths, target_lengths, blank, zero_infinity)[0]\n" \
	"if zero_infinity:\n" \
	"    zero = aten.zeros([], dtype=loss.dtype)\n" \
	"    loss = aten.where.self(aten.eq.Scalar(loss, math.inf), zero, loss)\n" \
	"if reduction == 1:\n" \
	"    return aten.mean(aten.div.Tensor(loss, aten.clamp_min(" lengths ", 1)))\n" \
	"if reduction == 2:\n" \
	"    return aten.sum(loss)\n" \
	"return loss if log_probs.dim() == 3 else aten.squeeze.dim(loss, 0)"

const struct op_rule loss_rules[] = {
	{ .name = "mse_loss", .shape = shape_elementwise_loss },
	{ .name = "smooth_l1_loss", .shape = shape_elementwise_loss },
	{ .name = "huber_loss", .shape = shape_huber },
	{ .name = "soft_margin_loss", .shape = shape_elementwise_loss },
	{ .name = "binary_cross_entropy", .shape = shape_cross_entropy },
	{ .name = "binary_cross_entropy_with_logits", .shape = shape_elementwise_loss },
	{ .name = "nll_loss_forward", .shape = shape_nll_loss },
	{ .name = "nll_loss2d_forward", .shape = shape_nll_loss2d },
	{ .name = "multi_margin_loss", .shape = shape_multi_margin },
	{ .name = "multilabel_margin_loss_forward", .shape = shape_multilabel_margin },
	{ .name = "_ctc_loss", .shape = shape_ctc_loss },
	{ .name = "_ctc_loss.Tensor", .shape = shape_ctc_loss },

	/* composites */
	{ .name = "l1_loss", .parts = "loss = aten.abs(aten.sub.Tensor(self, target))\n" REDUCED("loss") },
	{ .name = "kl_div", .parts =
		"if log_target:\n"
		"    d = aten.sub.Tensor(target, self)\n"
		"    loss = aten.mul.Tensor(aten.exp(target), d)\n"
		"else:\n"
		"    m = aten.mul.Tensor(target, self)\n"
		"    loss = aten.sub.Tensor(aten.xlogy.Tensor(target, target), m)\n"
		REDUCED("loss") },
	{ .name = "nll_loss", .parts = "return aten.nll_loss_forward(self, target, weight, reduction, ignore_index)[0]" },
	{ .name = "nll_loss2d", .parts = "return aten.nll_loss2d_forward(self, target, weight, reduction, ignore_index)[0]" },
	{ .name = "nll_loss_nd", .parts =
		"if self.dim() < 1:\n"
		"    raise ValueError(f'Expected 1 or more dimensions (got {self.dim()})')\n"
		"if self.dim() != 1 and (target.dim() == 0 or self.size(0) != target.size(0)):\n"
		"    raise ValueError(f'Expected input batch_size ({self.size(0)}) to match target batch_size ({target.size(0) if target.dim() else 0}).')\n"
		"if self.dim() <= 2:\n"
		"    return aten.nll_loss(self, target, weight, reduction, ignore_index)\n"
		"if self.dim() == 4:\n"
		"    return aten.nll_loss2d(self, target, weight, reduction, ignore_index)\n"
		"size = [self.size(0)] + list(self.shape[2:])\n"
		"if list(target.shape) != size:\n"
		"    raise ValueError(f'Expected target size {size}, got {list(target.shape)}')\n"
		"x = aten.view(aten.contiguous(self), [self.size(0), self.size(1), 1, -1])\n"
		"t = aten.view(aten.contiguous(target), [self.size(0), 1, -1])\n"
		"loss = aten.nll_loss2d(x, t, weight, reduction, ignore_index)\n"
		"return aten.view(loss, size) if reduction == 0 else loss" },
	{ .name = "cross_entropy_loss", .parts =
		CROSS_ENTROPY_OF_PROBABILITIES
		CROSS_ENTROPY_SMOOTHED
		"return aten.nll_loss_nd(aten.log_softmax(self, d, self.dtype), target, weight, reduction, ignore_index)" },
	{ .name = "multilabel_margin_loss", .parts = "return aten.multilabel_margin_loss_forward(self, target, reduction)[0]" },
	{ .name = "ctc_loss.IntList", .parts = CTC("aten.empty([len(target_lengths)], dtype=loss.dtype)") },
	{ .name = "ctc_loss.Tensor", .parts = CTC("target_lengths") },
	{ .name = "cosine_embedding_loss", .parts =
		"d = target.dim()\n"
		"if d > 1:\n"
		"    raise ValueError('0D or 1D target tensor expected, multi-target not supported')\n"
		"if input1.dim() != d + 1:\n"
		"    raise ValueError(f'{d}D target tensor expects {d + 1}D input tensors, but found inputs with sizes {list(input1.shape)} and {list(input2.shape)}.')\n"
		"dot = aten.sum.dim_IntList(aten.mul.Tensor(input1, input2), [d])\n"
		"m1 = aten.add.Scalar(aten.sum.dim_IntList(aten.mul.Tensor(input1, input1), [d]), 1e-12)\n"
		"m2 = aten.add.Scalar(aten.sum.dim_IntList(aten.mul.Tensor(input2, input2), [d]), 1e-12)\n"
		"cos = aten.div.Tensor(dot, aten.sqrt_(aten.mul.Tensor(m1, m2)))\n"
		"zeros = aten.zeros_like(cos)\n"
		"pos = " FROM("1", "cos") "\n"
		"neg = aten.clamp_min_(aten.sub.Scalar(cos, margin), 0)\n"
		"pos = aten.where.self(aten.eq.Scalar(target, 1), pos, zeros)\n"
		"neg = aten.where.self(aten.eq.Scalar(target, -1), neg, zeros)\n"
		"loss = aten.add.Tensor(pos, neg)\n"
		REDUCED("loss") },
	{ .name = "margin_ranking_loss", .parts =
		"d = aten.sub.Tensor(input1, input2)\n"
		"loss = aten.clamp_min_(aten.add.Scalar(aten.mul.Tensor(aten.neg(target), d), margin), 0)\n"
		REDUCED("loss") },
	{ .name = "hinge_embedding_loss", .parts =
		"zeros = aten.zeros_like(self)\n"
		"m = aten.clamp_min_(" FROM("margin", "self") ", 0)\n"
		"m = aten.where.self(aten.ne.Scalar(target, 1), m, zeros)\n"
		"s = aten.where.self(aten.ne.Scalar(target, -1), self, zeros)\n"
		"loss = aten.add.Tensor(m, s)\n"
		REDUCED("loss") },
	{ .name = "triplet_margin_loss", .parts =
		"if anchor.dim() != positive.dim() or anchor.dim() != negative.dim():\n"
		"    raise ValueError(f'All inputs should have same dimension but got {anchor.dim()}D, {positive.dim()}D and {negative.dim()}D inputs.')\n"
		"pos = aten.pairwise_distance(anchor, positive, p, eps)\n"
		"neg = aten.pairwise_distance(anchor, negative, p, eps)\n"
		"if swap:\n"
		"    neg = aten.min.other(neg, aten.pairwise_distance(positive, negative, p, eps))\n"
		"loss = aten.clamp_min(aten.sub.Tensor(aten.add.Scalar(pos, margin), neg), 0)\n"
		REDUCED("loss") },
	{ .name = "poisson_nll_loss", .parts =
		"if log_input:\n"
		"    m = aten.mul.Tensor(target, input)\n"
		"    loss = aten.sub.Tensor(aten.exp(input), m)\n"
		"else:\n"
		"    loss = aten.sub.Tensor(input, aten.mul.Tensor(target, aten.log(aten.add.Scalar(input, eps))))\n"
		"if full:\n"
		"    half = aten.mul.Scalar(aten.log(aten.mul.Scalar(target, 2 * math.pi)), 0.5)\n"
		"    term = aten.add.Tensor(aten.sub.Tensor(aten.mul.Tensor(target, aten.log(target)), target), half)\n"
		"    loss = aten.add_.Tensor(loss, aten.masked_fill.Scalar(term, aten.le.Scalar(target, 1), 0))\n"
		REDUCED("loss") },
	{ 0 },
};
