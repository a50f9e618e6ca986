/*
 * Distances: torch/nn/modules/distance.py.  They print no arguments.
 */
#include "nn/nn.h"

#include <stddef.h>

const struct nn_class distance_classes[] = {
	{ .name = "PairwiseDistance",
	  .signature = "p=2.0, eps=1e-06, keepdim=False",
	  .build = "self.norm = p\n",
	  .forward_signature = "x1, x2",
	  .forward = "return F.pairwise_distance(x1, x2, self.norm, self.eps, self.keepdim)\n" },
	{ .name = "CosineSimilarity",
	  .signature = "dim=1, eps=1e-08",
	  .forward_signature = "x1, x2",
	  .forward = "return F.cosine_similarity(x1, x2, self.dim, self.eps)\n" },
	{ .name = NULL },
};
