#include "load/class_rows.h"

#include <string.h>

/* An operator in a module of that class, and the constructor's call in terms of its arguments and of `one` below. */
struct class_row {
	const char *class, *op, *construct;
};

/* Classes with that in their name, which hold a weight and call the operator of the class, are taken to be derived from it. */
static const struct { const char *named, *class; } derived[] = {
	{ "Conv", "Conv1d" }, { "Conv", "Conv2d" }, { "Conv", "Conv3d" }, { "LayerNorm", "LayerNorm" },
};

#define CONV(n) { "Conv" n, "conv" n, \
	"Conv" n "(weight.size(1) * groups, weight.size(0), tuple(weight.shape[2:]), tuple(stride), tuple(padding), tuple(dilation), groups, bias is not None)" }
#define CONV_TRANSPOSE(n, op) { "ConvTranspose" n, op, \
	"ConvTranspose" n "(weight.size(0), weight.size(1) * groups, tuple(weight.shape[2:]), tuple(stride), tuple(padding), tuple(output_padding), " \
	                  "groups, bias is not None, tuple(dilation))" }
#define MAX_POOL(n) { "MaxPool" n, "max_pool" n, \
	"MaxPool" n "(one(kernel_size), one(stride) if len(stride) else None, one(padding), one(dilation), ceil_mode=ceil_mode)" }
#define AVG_POOL(n) { "AvgPool" n, "avg_pool" n, \
	"AvgPool" n "(one(kernel_size), one(stride) if len(stride) else None, one(padding), ceil_mode, count_include_pad)" }
#define BATCH_NORM(n) { "BatchNorm" n, "batch_norm", \
	"BatchNorm" n "((running_mean if weight is None else weight).size(0), eps, momentum, weight is not None, running_mean is not None)" }
#define RECURRENT(class, gates, more) class "(params[0].size(1), params[0].size(0) // " gates ", num_layers, bias=has_biases, batch_first=batch_first, " \
	"dropout=dropout, bidirectional=bidirectional" more ")"
#define PLAIN(class, op) { class, op, class "()" }, { class, op "_", class "(inplace=True)" }

static const struct class_row rows[] = {
	CONV("1d"), CONV("2d"), CONV("3d"),
	CONV_TRANSPOSE("1d", "conv_transpose1d"), CONV_TRANSPOSE("2d", "conv_transpose2d.input"), CONV_TRANSPOSE("3d", "conv_transpose3d.input"),
	{ "Linear", "linear", "Linear(weight.size(1), weight.size(0), bias is not None)" },
	{ "Bilinear", "bilinear", "Bilinear(weight.size(1), weight.size(2), weight.size(0), bias is not None)" },
	BATCH_NORM("1d"), BATCH_NORM("2d"), BATCH_NORM("3d"),
	{ "LayerNorm", "layer_norm", "LayerNorm(tuple(normalized_shape), eps, weight is not None, bias is not None)" },
	{ "GroupNorm", "group_norm", "GroupNorm(num_groups, input.size(1), eps, weight is not None)" },
	{ "Embedding", "embedding", "Embedding(weight.size(0), weight.size(1), padding_idx if padding_idx >= 0 else None)" },
	MAX_POOL("1d"), MAX_POOL("2d"), MAX_POOL("3d"), AVG_POOL("1d"), AVG_POOL("2d"), AVG_POOL("3d"),
	{ "AdaptiveAvgPool1d", "adaptive_avg_pool1d", "AdaptiveAvgPool1d(one(output_size))" },
	{ "AdaptiveAvgPool2d", "adaptive_avg_pool2d", "AdaptiveAvgPool2d(tuple(output_size))" },
	{ "AdaptiveAvgPool3d", "adaptive_avg_pool3d", "AdaptiveAvgPool3d(tuple(output_size))" },
	PLAIN("ReLU", "relu"), PLAIN("ReLU6", "relu6"), PLAIN("SiLU", "silu"), PLAIN("Hardswish", "hardswish"), PLAIN("Hardsigmoid", "hardsigmoid"),
	PLAIN("Mish", "mish"),
	{ "GELU", "gelu", "GELU(approximate)" }, { "Sigmoid", "sigmoid", "Sigmoid()" }, { "Tanh", "tanh", "Tanh()" },
	{ "LeakyReLU", "leaky_relu", "LeakyReLU(negative_slope)" }, { "LeakyReLU", "leaky_relu_", "LeakyReLU(negative_slope, inplace=True)" },
	{ "ELU", "elu", "ELU(alpha)" }, { "Softmax", "softmax.int", "Softmax(dim)" }, { "LogSoftmax", "log_softmax.int", "LogSoftmax(dim)" },
	{ "Dropout", "dropout", "Dropout(p)" }, { "Dropout", "dropout_", "Dropout(p, inplace=True)" },
	{ "Dropout2d", "feature_dropout", "Dropout2d(p)" }, { "PReLU", "prelu", "PReLU(weight.numel())" },
	{ "LSTM", "lstm.input", RECURRENT("LSTM", "4", "") }, { "GRU", "gru.input", RECURRENT("GRU", "3", "") },
	{ "RNN", "rnn_tanh.input", RECURRENT("RNN", "1", "") }, { "RNN", "rnn_relu.input", RECURRENT("RNN", "1", ", nonlinearity='relu'") },
	{ "Flatten", "flatten.using_ints", "Flatten(start_dim, end_dim)" }, { "PixelShuffle", "pixel_shuffle", "PixelShuffle(upscale_factor)" },
};

const struct class_row *class_row_find(const char *class, const char *op)
{
	size_t n = strlen(op);
	n = n > 8 && strcmp(op + n - 8, ".default") == 0 ? n - 8 : n;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
		if (strcmp(rows[i].class, class) == 0 && strlen(rows[i].op) == n && strncmp(rows[i].op, op, n) == 0)
			return &rows[i];
	return NULL;
}

const struct class_row *class_row_find_derived(const struct module *m, const char *op)
{
	const struct class_row *row = NULL;
	for (size_t i = 0; !row && i < sizeof derived / sizeof *derived; i++)
		if (strstr(m->class_name, derived[i].named))
			row = class_row_find(derived[i].class, op);
	return row && module_parameter(m, "weight") ? row : NULL;
}

const struct class_row *class_row_find_base(const char *class, const char *base)
{
	size_t n = strlen(base);
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
		if (strcmp(rows[i].class, class) == 0 && strncmp(rows[i].op, base, n) == 0 && (rows[i].op[n] == 0 || rows[i].op[n] == '.'))
			return &rows[i];
	return NULL;
}

const char *class_row_operator(const struct class_row *row)
{
	return row->op;
}

/* one((3, 3)) is 3, as most people write it; one((3, 5)) stays. */
static bool define_one(struct runtime *rt, struct scope *s, nns_error *err)
{
	static const char text[] = "lambda v: v[0] if all(x == v[0] for x in v) else tuple(v)";
	struct code *c = lang_parse_expression(rt->arena, text, sizeof text - 1, "one", err);
	struct datum f;
	if (!c || !lang_eval(&rt->interp, c, s, &f, err))
		return false;
	return scope_set(rt->arena, s, "one", f) || fail_memory(err);
}

static bool take_attributes(struct runtime *rt, struct module *m, const struct module *from, nns_error *err)
{
	for (size_t i = 0; i < from->n_attributes; i++)
		if (!module_set_attribute(rt->arena, m, from->attributes[i].name, from->attributes[i].value))
			return fail_memory(err);
	for (size_t i = 0; i < from->n_parameters; i++)  /* bias=False is registered as None */
		if (!from->parameters[i].value && !module_parameter(m, from->parameters[i].name)
		    && !module_set_parameter(rt->arena, m, from->parameters[i].name, NULL))
			return fail_memory(err);
	m->class = from->class;
	return true;
}

static bool fill_defaults(struct runtime *rt, const struct op *op, const struct scope *given, struct scope *s, nns_error *err)
{
	for (int i = 0; i < op->n_args; i++)
		if (!scope_set(rt->arena, s, op->args[i].name, op->args[i].fallback))
			return fail_memory(err);
	for (size_t i = 0; i < given->n; i++)
		if (!scope_set(rt->arena, s, given->names[i], given->values[i]))
			return fail_memory(err);
	return true;
}

bool class_row_construct(struct runtime *rt, const struct class_row *row, struct scope *arguments, struct module *m, nns_error *err)
{
	struct scope s = { 0 };
	const struct op *op = optable_get(rt->recorder.table, row->op, err);
	int serial = rt->serial;
	size_t n_modules = rt->n_modules;
	if (!op || !define_one(rt, &s, err) || !fill_defaults(rt, op, arguments, &s, err))
		return false;
	nns_error ignored = { 0 };
	struct module *again = runtime_construct(rt, row->construct, row->class, &s, &ignored);
	rt->serial = serial;
	rt->n_modules = n_modules;
	if (!again)      /* arguments that the constructor would not take: somebody called the operator otherwise */
		return true;
	return take_attributes(rt, m, again, err);
}
