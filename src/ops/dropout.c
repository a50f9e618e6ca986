/*
 * Dropout as it runs without a fused kernel (aten/src/ATen/native/Dropout.cpp):
 * noise is drawn, scaled and multiplied in.  Without training, and for p = 0,
 * the input itself is returned.
 */
#include "ops/op.h"

static bool shape_native_dropout(struct op_call *c)
{
	struct value *self = op_tensor(c, "input");
	return op_out_like(c, self, self->dtype) && op_out_like(c, self, DT_BOOL);
}

#define CHECK_P(x) \
	"if p < 0 or p > 1:\n" \
	"    raise ValueError(f'dropout probability has to be between 0 and 1, but got {p}')\n" \
	"if p == 0 or not train or " x ".numel() == 0:\n" \
	"    return " x "\n"

#define ALL_DROPPED(x, mul) \
	"if p == 1:\n" \
	"    return " mul "(" x ", aten.zeros([], dtype=" x ".dtype))\n"

/* One draw for each element, or one for each channel. */
#define NOISE(x) "noise = aten.empty_like(" x ")\n"
#define CHANNEL_NOISE(x) \
	"if " x ".dim() < 2:\n" \
	"    raise ValueError('Feature dropout requires at least 2 dimensions in the input')\n" \
	"noise = aten.new_empty(" x ", list(" x ".shape[:2]) + [1] * (" x ".dim() - 2))\n"

#define SCALED(x, mul) \
	"noise = aten.div_.Scalar(aten.bernoulli_.float(noise, 1 - p), 1 - p)\n" \
	"return " mul "(" x ", noise)"

/* Alpha dropout keeps mean and variance: dropped values become -alpha', then a * x + b. */
#define ALPHA(x, mul) \
	"noise = aten.bernoulli_.float(noise, 1 - p)\n" \
	"alpha = 1.7580993408473766\n" \
	"a = 1 / math.sqrt((alpha * alpha * p + 1) * (1 - p))\n" \
	"b = aten.add_.Scalar(aten.mul_.Scalar(aten.add.Scalar(noise, -1), alpha * a), alpha * a * p)\n" \
	"noise = aten.mul_.Scalar(noise, a)\n" \
	"return aten.add_.Tensor(" mul "(" x ", noise), b)"

#define DROPOUT(x, mul, noise, scale) CHECK_P(x) ALL_DROPPED(x, mul) noise(x) scale(x, mul)

const struct op_rule dropout_rules[] = {
	{ .name = "native_dropout", .shape = shape_native_dropout },
	{ .name = "dropout", .parts = DROPOUT("input", "aten.mul.Tensor", NOISE, SCALED) },
	{ .name = "dropout_", .parts = DROPOUT("self", "aten.mul_.Tensor", NOISE, SCALED) },
	{ .name = "feature_dropout", .parts = DROPOUT("input", "aten.mul.Tensor", CHANNEL_NOISE, SCALED) },
	{ .name = "feature_dropout_", .parts = DROPOUT("self", "aten.mul_.Tensor", CHANNEL_NOISE, SCALED) },
	{ .name = "alpha_dropout", .parts = DROPOUT("input", "aten.mul.Tensor", NOISE, ALPHA) },
	{ .name = "alpha_dropout_", .parts = DROPOUT("self", "aten.mul_.Tensor", NOISE, ALPHA) },
	{ .name = "feature_alpha_dropout", .parts = DROPOUT("input", "aten.mul.Tensor", CHANNEL_NOISE, ALPHA) },
	{ .name = "feature_alpha_dropout_", .parts = DROPOUT("self", "aten.mul_.Tensor", CHANNEL_NOISE, ALPHA) },
	{ 0 },
};
