/* Losses of torch.nn.functional, down to their operators (torch/nn/functional.py, torch/nn/_reduction.py). */
#include "ops/functional.h"

/* kind: the operator's number for reduction */
#define KIND \
	"if reduction not in ('none', 'mean', 'sum'):\n" \
	"    raise ValueError(f'{reduction} is not a valid value for reduction')\n" \
	"kind = {'none': 0, 'mean': 1, 'sum': 2}[reduction]\n"

/* The older size_average and reduce take precedence. */
#define REDUCTION \
	"if size_average is not None or reduce is not None:\n" \
	"    reduction = 'none' if reduce is not None and not reduce else 'mean' if size_average is None or size_average else 'sum'\n" \
	KIND

#define LEGACY "size_average=None, reduce=None, reduction='mean'"

#define SAME_SIZES \
	"if target.shape != input.shape:\n" \
	"    raise ValueError(f'target size {list(target.shape)} must be the same as input size {list(input.shape)}')\n"

#define REDUCED(loss, mean) \
	"if reduction == 'none':\n" \
	"    return " loss "\n" \
	"if reduction == 'sum':\n" \
	"    return torch.sum(" loss ")\n" \
	"return " mean "\n"

/* A loss with a weight for each element; by the mean of the weights. */
#define WEIGHTED(error, mean) \
	"if weight is not None:\n" \
	"    if weight.shape != input.shape:\n" \
	"        raise ValueError('Weights and input must have the same size.')\n" \
	"    loss = " error " * weight\n" \
	"    if reduction == 'none':\n" \
	"        return loss\n" \
	"    if reduction == 'sum':\n" \
	"        return torch.sum(loss)\n" \
	"    return " mean "\n"

static const char kl_div_body[] =
	"if size_average is not None or reduce is not None:\n"
	"    reduction = 'none' if reduce is not None and not reduce else 'mean' if size_average is None or size_average else 'sum'\n"
	"batch = reduction == 'batchmean'\n"
	"if batch:\n"
	"    reduction = 'sum'\n"
	KIND
	"out = aten.kl_div(input, target, kind, log_target=log_target)\n"
	"return out / input.size(0) if batch and input.dim() != 0 else out\n";

static const char gaussian_nll_body[] =
	KIND
	"if isinstance(var, float):\n"
	"    var = var * torch.ones_like(input)\n"
	"if var.shape != input.shape:\n"
	"    if list(input.shape)[:-1] == list(var.shape):\n"
	"        var = torch.unsqueeze(var, -1)\n"
	"    else:\n"
	"        differing = [var.size(i) for i in range(var.dim()) if input.dim() != var.dim() or input.size(i) != var.size(i)]\n"
	"        if input.dim() != var.dim() or sum(differing) != 1:\n"
	"            raise ValueError('var is of incorrect size')\n"
	"var = var.clone()\n"
	"with torch.no_grad():\n"
	"    var.clamp_(min=eps)\n"
	"loss = 0.5 * (torch.log(var) + (input - target) ** 2 / var)\n"
	"if full:\n"
	"    loss += 0.5 * math.log(2 * math.pi)\n"
	"if reduction == 'mean':\n"
	"    return loss.mean()\n"
	"return loss.sum() if reduction == 'sum' else loss\n";

static const char multilabel_soft_margin_body[] =
	REDUCTION
	"loss = -(target * F.logsigmoid(input) + (1 - target) * F.logsigmoid(-input))\n"
	"if weight is not None:\n"
	"    loss = loss * weight\n"
	"last = input.dim() - 1\n"
	"loss = loss.sum(dim=last) / input.size(last)\n"
	"if reduction == 'mean':\n"
	"    return loss.mean()\n"
	"return loss.sum() if reduction == 'sum' else loss\n";

static const char triplet_distance_body[] =
	KIND
	"if margin <= 0:\n"
	"    raise ValueError(f'margin must be greater than 0, got {margin}')\n"
	"if not (anchor.dim() == positive.dim() and positive.dim() == negative.dim()):\n"
	"    raise ValueError('The anchor, positive, and negative tensors are expected to have the same number of dimensions')\n"
	"distance = torch.pairwise_distance if distance_function is None else distance_function\n"
	"near = distance(anchor, positive)\n"
	"far = distance(anchor, negative)\n"
	"if swap:\n"
	"    far = torch.minimum(far, distance(positive, negative))\n"
	"loss = torch.clamp_min(margin + near - far, 0)\n"
	REDUCED("loss", "torch.mean(loss)");

static const char linear_cross_entropy_body[] =
	"batch = list(input.shape)[:-1]\n"
	"classes = list(linear_weight.shape)[:-1]\n"
	"count = 1\n"
	"for n in classes:\n"
	"    count = count * n\n"
	"if len(classes) > 1:\n"
	"    linear_weight = linear_weight.reshape([count, input.size(-1)])\n"
	"    if linear_bias is not None:\n"
	"        linear_bias = linear_bias.reshape([count])\n"
	"logits = F.linear(input, linear_weight, linear_bias).reshape(batch + classes)\n"
	"return F.cross_entropy(logits, target, weight=weight, reduction=reduction,"
	" ignore_index=-100 if ignore_index is None else ignore_index, label_smoothing=label_smoothing)\n";

const struct function_rule functional_loss_rules[] = {
	{ "F.ctc_loss", "log_probs, targets, input_lengths, target_lengths, blank=0, reduction='mean', zero_infinity=False",
	  KIND "return aten.ctc_loss(log_probs, targets, input_lengths, target_lengths, blank, kind, zero_infinity)\n" },
	{ "F.nll_loss", "input, target, weight=None, size_average=None, ignore_index=-100, reduce=None, reduction='mean'",
	  REDUCTION "return aten.nll_loss_nd(input, target, weight, kind, ignore_index)\n" },
	{ "F.cross_entropy", "input, target, weight=None, size_average=None, ignore_index=-100, reduce=None, reduction='mean', label_smoothing=0.0",
	  REDUCTION "return aten.cross_entropy_loss(input, target, weight, kind, ignore_index, label_smoothing)\n" },
	{ "F.linear_cross_entropy",
	  "input, linear_weight, target, *, linear_bias=None, weight=None, reduction='mean', ignore_index=None, label_smoothing=0.0, options=None",
	  linear_cross_entropy_body },
	{ "F.poisson_nll_loss", "input, target, log_input=True, full=False, size_average=None, eps=1e-08, reduce=None, reduction='mean'",
	  REDUCTION "return aten.poisson_nll_loss(input, target, log_input, full, eps, kind)\n" },
	{ "F.gaussian_nll_loss", "input, target, var, full=False, eps=1e-06, reduction='mean'", gaussian_nll_body },
	{ "F.kl_div", "input, target, size_average=None, reduce=None, reduction='mean', log_target=False", kl_div_body },
	{ "F.binary_cross_entropy", "input, target, weight=None, " LEGACY,
	  REDUCTION SAME_SIZES
	  "if weight is not None:\n"
	  "    weight = weight.expand(torch.broadcast_shapes(target.shape, weight.shape))\n"
	  "return aten.binary_cross_entropy(input, target, weight, kind)\n" },
	{ "F.binary_cross_entropy_with_logits", "input, target, weight=None, " LEGACY ", pos_weight=None",
	  REDUCTION SAME_SIZES "return aten.binary_cross_entropy_with_logits(input, target, weight, pos_weight, kind)\n" },
	{ "F.smooth_l1_loss", "input, target, " LEGACY ", beta=1.0",
	  REDUCTION
	  "a, b = torch.broadcast_tensors(input, target)\n"
	  "return aten.l1_loss(a, b, kind) if beta == 0.0 else aten.smooth_l1_loss(a, b, kind, beta)\n" },
	{ "F.huber_loss", "input, target, reduction='mean', delta=1.0, weight=None",
	  KIND "a, b = torch.broadcast_tensors(input, target)\n"
	  WEIGHTED("aten.huber_loss(a, b, 0, delta)", "loss.mean()")
	  "return aten.huber_loss(a, b, kind, delta)\n" },
	{ "F.l1_loss", "input, target, " LEGACY ", weight=None",
	  REDUCTION "a, b = torch.broadcast_tensors(input, target)\n"
	  WEIGHTED("torch.abs(a - b)", "torch.sum(loss) / torch.sum(weight)")
	  "return aten.l1_loss(a, b, kind)\n" },
	{ "F.mse_loss", "input, target, " LEGACY ", weight=None",
	  REDUCTION "a, b = torch.broadcast_tensors(input, target)\n"
	  WEIGHTED("torch.pow(a - b, 2)", "torch.sum(loss) / torch.sum(weight)")
	  "return aten.mse_loss(a, b, kind)\n" },
	{ "F.margin_ranking_loss", "input1, input2, target, margin=0, " LEGACY,
	  REDUCTION
	  "if input1.dim() != input2.dim() or input1.dim() != target.dim():\n"
	  "    raise ValueError(f'margin_ranking_loss: inputs {list(input1.shape)}, {list(input2.shape)} and target {list(target.shape)} should "
	  "have the same dimensions')\n"
	  "return aten.margin_ranking_loss(input1, input2, target, margin, kind)\n" },
	{ "F.hinge_embedding_loss", "input, target, margin=1.0, " LEGACY, REDUCTION "return aten.hinge_embedding_loss(input, target, margin, kind)\n" },
	{ "F.multilabel_margin_loss", "input, target, " LEGACY, REDUCTION "return aten.multilabel_margin_loss(input, target, kind)\n" },
	{ "F.soft_margin_loss", "input, target, " LEGACY, REDUCTION "return aten.soft_margin_loss(input, target, kind)\n" },
	{ "F.multilabel_soft_margin_loss", "input, target, weight=None, " LEGACY, multilabel_soft_margin_body },
	{ "F.cosine_embedding_loss", "input1, input2, target, margin=0, " LEGACY,
	  REDUCTION "return aten.cosine_embedding_loss(input1, input2, target, margin, kind)\n" },
	{ "F.multi_margin_loss", "input, target, p=1, margin=1.0, weight=None, " LEGACY,
	  REDUCTION
	  "if p != 1 and p != 2:\n"
	  "    raise ValueError('only p == 1 and p == 2 supported')\n"
	  "return aten.multi_margin_loss(input, target, p, margin, weight, kind)\n" },
	{ "F.triplet_margin_loss", "anchor, positive, negative, margin=1.0, p=2, eps=1e-06, swap=False, " LEGACY,
	  REDUCTION
	  "if margin <= 0:\n"
	  "    raise ValueError(f'margin must be greater than 0, got {margin}')\n"
	  "return aten.triplet_margin_loss(anchor, positive, negative, margin, p, eps, swap, kind)\n" },
	{ "F.triplet_margin_with_distance_loss",
	  "anchor, positive, negative, *, distance_function=None, margin=1.0, swap=False, reduction='mean'", triplet_distance_body },
	{ 0 },
};
