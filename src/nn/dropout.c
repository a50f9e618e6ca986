/*
 * Dropout: torch/nn/modules/dropout.py.
 */
#include "nn/nn.h"

#include <stddef.h>

static const char probability[] =
	"if p < 0 or p > 1:\n"
	"    raise ValueError(f'dropout probability has to be between 0 and 1, but got {p}')\n";

/* Before 1.2 `inplace` was a word of its own, and only when set. */
#define REPR "f'p={p}, inplace={inplace}' if torch_version >= 102 else f'p={p}' + (', inplace' if inplace else '')"

#define DROPOUT(name_, call) \
	{ .name = name_, .signature = "p=0.5, inplace=False", .build = probability, .repr = REPR, \
	  .forward_signature = "input", .forward = "return F." call "\n" }

const struct nn_class dropout_classes[] = {
	DROPOUT("Dropout", "dropout(input, self.p, self.training, self.inplace)"),
	DROPOUT("Dropout1d", "dropout1d(input, self.p, self.training, self.inplace)"),
	DROPOUT("Dropout2d", "dropout2d(input, self.p, self.training, self.inplace)"),
	DROPOUT("Dropout3d", "dropout3d(input, self.p, self.training, self.inplace)"),
	/* These two never work in place, whatever they print. */
	DROPOUT("AlphaDropout", "alpha_dropout(input, self.p, self.training)"),
	DROPOUT("FeatureAlphaDropout", "feature_alpha_dropout(input, self.p, self.training)"),
	{ .name = NULL },
};
