/*
 * Losses: torch/nn/modules/loss.py.  They print no arguments.
 */
#include "nn/nn.h"

#include <stddef.h>

/* The two old flags, when one is given, stand for a reduction (torch/nn/_reduction.py). */
#define LEGACY "size_average=None, reduce=None, reduction='mean'"
#define REDUCTION \
	"if size_average is not None or reduce is not None:\n" \
	"    average = True if size_average is None else size_average\n" \
	"    self.reduction = 'none' if reduce is False else 'mean' if average else 'sum'\n"

#define WEIGHT REDUCTION "self.register_buffer('weight', weight)\n"

/* What has no arguments beside the reduction. */
#define PLAIN(name_, function) \
	{ .name = name_, .signature = LEGACY, .build = REDUCTION, .forward_signature = "input, target", \
	  .forward = "return F." function "(input, target, reduction=self.reduction)\n" }

static const char linear_cross_entropy_build[] =
	"if weight is not None and tuple(weight.shape) != (num_classes,):\n"
	"    raise RuntimeError(f'expected weight shape to be {(num_classes,)}, got {tuple(weight.shape)}')\n"
	"if label_smoothing < 0 or label_smoothing > 1.0:\n"
	"    raise RuntimeError(f'expected label_smoothing to be in range [0, 1], got {label_smoothing}')\n"
	"self.register_buffer('weight', weight)\n"
	"width = num_classes\n"
	"for n in out_features:\n"
	"    width = width * n\n"
	"self.linear = nn.Linear(in_features, width, bias=bias, dtype=dtype)\n";

static const char linear_cross_entropy_forward[] =
	"weight = self.linear.weight.reshape((self.num_classes,) + tuple(self.out_features) + (self.linear.in_features,))\n"
	"bias = None\n"
	"if self.linear.bias is not None:\n"
	"    bias = self.linear.bias.reshape((self.num_classes,) + tuple(self.out_features))\n"
	"return F.linear_cross_entropy(input, weight, target, linear_bias=bias, weight=self.weight, reduction=self.reduction,"
	" ignore_index=self.ignore_index, label_smoothing=self.label_smoothing, options=self.options)\n";

static const char linear_cross_entropy_repr[] =
	"f'in_features={linear.in_features}, num_classes={num_classes}, out_features={out_features}, bias={linear.bias is not None},"
	" reduction={reduction}, ignore_index={ignore_index}, label_smoothing={label_smoothing}, options={options}'";

const struct nn_class loss_classes[] = {
	PLAIN("L1Loss", "l1_loss"),
	PLAIN("MSELoss", "mse_loss"),
	PLAIN("MultiLabelMarginLoss", "multilabel_margin_loss"),
	PLAIN("SoftMarginLoss", "soft_margin_loss"),
	{ .name = "NLLLoss",
	  .signature = "weight=None, size_average=None, ignore_index=-100, reduce=None, reduction='mean'",
	  .build = WEIGHT,
	  .forward_signature = "input, target",
	  .forward = "return F.nll_loss(input, target, weight=self.weight, ignore_index=self.ignore_index, reduction=self.reduction)\n" },
	{ .name = "NLLLoss2d", .base = "NLLLoss" },
	{ .name = "PoissonNLLLoss",
	  .signature = "log_input=True, full=False, size_average=None, eps=1e-08, reduce=None, reduction='mean'",
	  .build = REDUCTION,
	  .forward_signature = "log_input, target",
	  .forward = "return F.poisson_nll_loss(log_input, target, log_input=self.log_input, full=self.full, eps=self.eps,"
	  " reduction=self.reduction)\n" },
	{ .name = "GaussianNLLLoss",
	  .signature = "*, full=False, eps=1e-06, reduction='mean'",
	  .forward_signature = "input, target, var",
	  .forward = "return F.gaussian_nll_loss(input, target, var, full=self.full, eps=self.eps, reduction=self.reduction)\n" },
	{ .name = "KLDivLoss",
	  .signature = LEGACY ", log_target=False",
	  .build = REDUCTION,
	  .forward_signature = "input, target",
	  .forward = "return F.kl_div(input, target, reduction=self.reduction, log_target=self.log_target)\n" },
	{ .name = "BCELoss",
	  .signature = "weight=None, " LEGACY,
	  .build = WEIGHT,
	  .forward_signature = "input, target",
	  .forward = "return F.binary_cross_entropy(input, target, weight=self.weight, reduction=self.reduction)\n" },
	{ .name = "BCEWithLogitsLoss",
	  .signature = "weight=None, " LEGACY ", pos_weight=None",
	  .build = WEIGHT "self.register_buffer('pos_weight', pos_weight)\n",
	  .forward_signature = "input, target",
	  .forward = "return F.binary_cross_entropy_with_logits(input, target, self.weight, pos_weight=self.pos_weight,"
	  " reduction=self.reduction)\n" },
	{ .name = "HingeEmbeddingLoss",
	  .signature = "margin=1.0, " LEGACY,
	  .build = REDUCTION,
	  .forward_signature = "input, target",
	  .forward = "return F.hinge_embedding_loss(input, target, margin=self.margin, reduction=self.reduction)\n" },
	{ .name = "SmoothL1Loss",
	  .signature = LEGACY ", beta=1.0",
	  .build = REDUCTION,
	  .forward_signature = "input, target",
	  .forward = "return F.smooth_l1_loss(input, target, reduction=self.reduction, beta=self.beta)\n" },
	{ .name = "HuberLoss",
	  .signature = "reduction='mean', delta=1.0",
	  .build =
	  "if not isinstance(delta, (float, int)):\n"
	  "    raise TypeError(f'delta must be a float or int, got: {type(delta).__name__}')\n",
	  .forward_signature = "input, target",
	  .forward = "return F.huber_loss(input, target, reduction=self.reduction, delta=self.delta)\n" },
	{ .name = "CrossEntropyLoss",
	  .signature = "weight=None, size_average=None, ignore_index=-100, reduce=None, reduction='mean', label_smoothing=0.0",
	  .build = WEIGHT,
	  .forward_signature = "input, target",
	  .forward = "return F.cross_entropy(input, target, weight=self.weight, ignore_index=self.ignore_index, reduction=self.reduction,"
	  " label_smoothing=self.label_smoothing)\n" },
	{ .name = "LinearCrossEntropyLoss",
	  .signature = "in_features, num_classes, *, out_features=(), bias=False, device=None, dtype=None, reduction='mean', weight=None,"
	  " ignore_index=None, label_smoothing=0.0, options=None",
	  .build = linear_cross_entropy_build,
	  .repr = linear_cross_entropy_repr,
	  .forward_signature = "input, target",
	  .forward = linear_cross_entropy_forward },
	{ .name = "MultiLabelSoftMarginLoss",
	  .signature = "weight=None, " LEGACY,
	  .build = WEIGHT,
	  .forward_signature = "input, target",
	  .forward = "return F.multilabel_soft_margin_loss(input, target, weight=self.weight, reduction=self.reduction)\n" },
	{ .name = "CosineEmbeddingLoss",
	  .signature = "margin=0.0, " LEGACY,
	  .build = REDUCTION,
	  .forward_signature = "input1, input2, target",
	  .forward = "return F.cosine_embedding_loss(input1, input2, target, margin=self.margin, reduction=self.reduction)\n" },
	{ .name = "MarginRankingLoss",
	  .signature = "margin=0.0, " LEGACY,
	  .build = REDUCTION,
	  .forward_signature = "input1, input2, target",
	  .forward = "return F.margin_ranking_loss(input1, input2, target, margin=self.margin, reduction=self.reduction)\n" },
	{ .name = "MultiMarginLoss",
	  .signature = "p=1, margin=1.0, weight=None, " LEGACY,
	  .build =
	  "if p != 1 and p != 2:\n"
	  "    raise ValueError('only p == 1 and p == 2 supported')\n"
	  "if weight is not None and weight.dim() != 1:\n"
	  "    raise ValueError(f'MultiMarginLoss: expected weight to be None or 1D tensor, got {weight.dim()}D instead')\n"
	  WEIGHT,
	  .forward_signature = "input, target",
	  .forward = "return F.multi_margin_loss(input, target, p=self.p, margin=self.margin, weight=self.weight,"
	  " reduction=self.reduction)\n" },
	{ .name = "TripletMarginLoss",
	  .signature = "margin=1.0, p=2.0, eps=1e-06, swap=False, " LEGACY,
	  .build =
	  "if margin <= 0:\n"
	  "    raise ValueError(f'TripletMarginLoss: expected margin to be greater than 0, got {margin} instead')\n"
	  REDUCTION,
	  .forward_signature = "anchor, positive, negative",
	  .forward = "return F.triplet_margin_loss(anchor, positive, negative, margin=self.margin, p=self.p, eps=self.eps, swap=self.swap,"
	  " reduction=self.reduction)\n" },
	{ .name = "TripletMarginWithDistanceLoss",
	  .signature = "*, distance_function=None, margin=1.0, swap=False, reduction='mean'",
	  .build =
	  "if margin <= 0:\n"
	  "    raise ValueError(f'TripletMarginWithDistanceLoss: expected margin to be greater than 0, got {margin} instead')\n"
	  "self.distance_function = nn.PairwiseDistance() if distance_function is None else distance_function\n",
	  .forward_signature = "anchor, positive, negative",
	  .forward = "return F.triplet_margin_with_distance_loss(anchor, positive, negative, distance_function=self.distance_function,"
	  " margin=self.margin, swap=self.swap, reduction=self.reduction)\n" },
	{ .name = "CTCLoss",
	  .signature = "blank=0, reduction='mean', zero_infinity=False",
	  .forward_signature = "log_probs, targets, input_lengths, target_lengths",
	  .forward = "return F.ctc_loss(log_probs, targets, input_lengths, target_lengths, self.blank, self.reduction, self.zero_infinity)\n" },
	{ .name = NULL },
};
