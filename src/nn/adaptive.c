/*
 * Softmax over many classes, the rare ones in clusters with smaller projections: torch/nn/modules/adaptive.py.
 */
#include "nn/nn.h"

#include <stddef.h>

static const char build[] =
	"cutoffs = list(cutoffs)\n"
	"if len(cutoffs) == 0:\n"
	"    raise ValueError('cutoffs should be a sequence of length larger than 0')\n"
	"before = 0\n"
	"for c in cutoffs + [n_classes]:\n"
	"    if int(c) != c or c <= before:\n"
	"        raise ValueError('cutoffs should be a sequence of unique, positive integers sorted in an increasing order,"
	" where each value is between 1 and n_classes-1')\n"
	"    before = c\n"
	"self.cutoffs = cutoffs + [n_classes]\n"
	"self.shortlist_size = cutoffs[0]\n"
	"self.n_clusters = len(cutoffs)\n"
	"self.head_size = self.shortlist_size + self.n_clusters\n"
	"self.head = nn.Linear(in_features, self.head_size, bias=head_bias, dtype=dtype)\n"
	"clusters = []\n"
	"for i in range(self.n_clusters):\n"
	"    inner = int(in_features // div_value ** (i + 1))\n"
	"    outer = self.cutoffs[i + 1] - self.cutoffs[i]\n"
	"    clusters.append(nn.Sequential(nn.Linear(in_features, inner, bias=False, dtype=dtype),"
	" nn.Linear(inner, outer, bias=False, dtype=dtype)))\n"
	"self.tail = nn.ModuleList(clusters)\n";

/*
 * Which rows a cluster gets depends on the values of target, which a graph does not know.  Said here for all rows: every
 * cluster computes each row, and the one its target belongs to is kept; the results are the same.
 */
static const char forward[] =
	"if target_.dim() == 1:\n"
	"    if input_.size(0) != target_.size(0):\n"
	"        raise RuntimeError('Input and target should have the same size in the batch dimension.')\n"
	"    if input_.dim() != 2:\n"
	"        raise RuntimeError(f'1D target tensor expects 2D input tensors, but found inputs with size {list(input_.shape)}')\n"
	"elif target_.dim() == 0:\n"
	"    if input_.dim() != 1:\n"
	"        raise RuntimeError(f'0D target tensor expects 1D input tensors, but found inputs with size {list(input_.shape)}')\n"
	"else:\n"
	"    raise RuntimeError('0D or 1D target tensor expected, multi-target not supported')\n"
	"lone = target_.dim() == 0\n"
	"input = input_.unsqueeze(0) if lone else input_\n"
	"target = target_.unsqueeze(0) if lone else target_\n"
	"head = F.log_softmax(self.head(input), dim=1)\n"
	"chosen = target.clamp(max=self.shortlist_size - 1)\n"
	"output = head.gather(1, chosen.unsqueeze(1)).squeeze(1)\n"
	"for i in range(self.n_clusters):\n"
	"    low = self.cutoffs[i]\n"
	"    high = self.cutoffs[i + 1]\n"
	"    inside = (target >= low) & (target < high)\n"
	"    rest = F.log_softmax(self.tail[i](input), dim=1)\n"
	"    local = rest.gather(1, (target - low).clamp(0, high - low - 1).unsqueeze(1)).squeeze(1)\n"
	"    output = torch.where(inside, head[:, self.shortlist_size + i] + local, output)\n"
	"loss = (-output).mean()\n"
	"return (output.squeeze(0) if lone else output), loss\n";

/* The sizes of the clusters are those of their last layers. */
static const char adopt[] =
	"self.in_features = self.head.in_features\n"
	"self.n_clusters = len(self.tail)\n"
	"self.head_size = self.head.out_features\n"
	"self.shortlist_size = self.head_size - self.n_clusters\n"
	"self.cutoffs = [self.shortlist_size]\n"
	"for cluster in self.tail:\n"
	"    self.cutoffs = self.cutoffs + [self.cutoffs[-1] + cluster[1].out_features]\n"
	"self.n_classes = self.cutoffs[-1]\n";

const struct nn_class adaptive_classes[] = {
	{ .name = "AdaptiveLogSoftmaxWithLoss",
	  .signature = "in_features, n_classes, cutoffs, div_value=4.0, head_bias=False, device=None, dtype=None",
	  .build = build,
	  .forward_signature = "input_, target_",
	  .forward = forward,
	  .adopt = adopt },
	{ .name = NULL },
};
