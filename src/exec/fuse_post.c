/* Reading steps as activations, alone or behind another work: a row an operator. */
#include <math.h>
#include <string.h>

#include "exec/fuse.h"

struct activation {
	const char *name;
	enum post_kind kind;
	const char *alpha, *beta;    /* arguments; NULL: the numbers after them */
	float alpha_is, beta_is;     /* also when the argument is None */
};

static const struct activation activations[] = {
	{ "relu", POST_RELU, NULL, NULL, 0, 0 },
	{ "leaky_relu", POST_RELU, "negative_slope", NULL, 0.01f, 0 },
	{ "hardtanh", POST_CLIP, "min_val", "max_val", -1, 1 },
	{ "relu6", POST_CLIP, NULL, NULL, 0, 6 },
	{ "clamp", POST_CLIP, "min", "max", -INFINITY, INFINITY },
	{ "clamp_min", POST_CLIP, "min", NULL, 0, INFINITY },
	{ "elu", POST_ELU, "alpha", NULL, 1, 0 },
	{ "tanh", POST_TANH, NULL, NULL, 0, 0 },
	{ "sigmoid", POST_SIGMOID, NULL, NULL, 0, 0 },
	{ "gelu", POST_GELU, NULL, NULL, 0, 0 },
	{ "silu", POST_SWISH, NULL, NULL, 1, 0 },
	{ "hardswish", POST_HARDSWISH, NULL, NULL, 0, 0 },
	{ "hardsigmoid", POST_LINEAR, NULL, NULL, 1.0f / 6, 0.5f },
	{ "mish", POST_MISH, NULL, NULL, 0, 0 },
	{ "exp", POST_EXP, NULL, NULL, 0, 0 },
	{ "sqrt", POST_SQRT, NULL, NULL, 0, 0 },
	{ "abs", POST_ABS, NULL, NULL, 0, 0 },
	{ "log", POST_LOG, NULL, NULL, 0, 0 },
};

static bool is_tensor_overload(const struct plan_step *s)
{
	return strstr(s->node->op->name, ".Tensor") != NULL;
}

bool post_read(const struct plan_step *s, struct post *posts, int *n, int *slot)
{
	const struct activation *a = NULL;
	for (size_t i = 0; i < sizeof activations / sizeof *activations && !a; i++)
		if (step_is(s, activations[i].name))
			a = &activations[i];
	if (!a || is_tensor_overload(s) || s->n_outputs != 1)
		return false;
	*slot = step_slot(s, "self");
	posts[0] = (struct post){ a->kind, a->alpha ? (float)step_number(s, a->alpha, a->alpha_is) : a->alpha_is,
	                         a->beta ? (float)step_number(s, a->beta, a->beta_is) : a->beta_is };
	*n = 1;
	const struct datum *kind = step_arg(s, "approximate");
	if (kind && kind->kind == D_STR && strcmp(kind->u.s, "tanh") == 0)
		posts[0].kind = POST_GELU_TANH;
	if (a->kind == POST_LINEAR)
		posts[(*n)++] = (struct post){ POST_CLIP, 0, 1 };
	return *slot >= 0 && step_number(s, "scale", 1) == 1 && step_number(s, "input_scale", 1) == 1;
}
