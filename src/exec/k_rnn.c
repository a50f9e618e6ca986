/* Recurrent layers that PyTorch hands to oneDNN (aten/src/ATen/native/mkldnn/RNN.cpp), computed in float32. */
#include <math.h>
#include <string.h>

#include "exec/gemm.h"
#include "exec/layout.h"

struct lstm {
	int64_t steps, batch, in, n;     /* n: hidden features */
	const float *x, *w_ih, *w_hh;    /* [steps, batch, in], [4 n, in], [4 n, n] */
	float *bias;                     /* [4 n]: the sum of both */
	float *gates;                    /* [steps, batch, 4 n]: input, forget, cell, output */
	float *h, *c;                    /* [batch, n], now */
	float *out;                      /* [steps, batch, n] */
};

static float sigmoid(float x)
{
	return 1 / (1 + expf(-x));
}

/* Gates of one sample to its new cell and hidden state. */
static void lstm_cell(const float *gate, int64_t n, float *c, float *h)
{
	for (int64_t i = 0; i < n; i++) {
		c[i] = sigmoid(gate[n + i]) * c[i] + sigmoid(gate[i]) * tanhf(gate[2 * n + i]);
		h[i] = sigmoid(gate[3 * n + i]) * tanhf(c[i]);
	}
}

/* The inputs of all steps are multiplied at once, then the states step by step. */
static void lstm_run(struct kernel_call *k, const struct lstm *l, bool reverse)
{
	int64_t wide = 4 * l->n, rows = l->steps * l->batch;
	for (int64_t i = 0; i < rows; i++)
		memcpy(l->gates + i * wide, l->bias, (size_t)wide * sizeof *l->bias);
	gemm_float(k, false, true, rows, wide, l->in, 1, l->x, l->in, l->w_ih, l->in, 1, l->gates, wide);
	for (int64_t i = 0; i < l->steps; i++) {
		int64_t t = reverse ? l->steps - 1 - i : i;
		float *gates = l->gates + t * l->batch * wide;
		gemm_float(k, false, true, l->batch, wide, l->n, 1, l->h, l->n, l->w_hh, l->n, 1, gates, wide);
		for (int64_t b = 0; b < l->batch; b++)
			lstm_cell(gates + b * wide, l->n, l->c + b * l->n, l->h + b * l->n);
		memcpy(l->out + t * l->batch * l->n, l->h, (size_t)(l->batch * l->n) * sizeof *l->h);
	}
}

static bool has_sizes(const struct tensor *t, int64_t rows, int64_t columns)
{
	return t->ndim == 2 && t->size[0] == rows && t->size[1] == columns;
}

static bool add_bias(struct kernel_call *k, const char *name, int64_t n, float *sum)
{
	struct tensor *t = arg_tensor(k, name);
	const float *v = floats_of(k, t);
	if (!v || tensor_numel(t) != n)
		return v && kernel_fail(k, "a bias of %lld elements; expected %lld", (long long)tensor_numel(t), (long long)n);
	for (int64_t i = 0; i < n; i++)
		sum[i] += v[i];
	return true;
}

static bool lstm_read(struct kernel_call *k, struct lstm *l)
{
	struct tensor *x = arg_tensor(k, "input"), *w_ih = arg_tensor(k, "weight0"), *w_hh = arg_tensor(k, "weight1");
	struct tensor *h = arg_tensor(k, "hx_"), *c = arg_tensor(k, "cx_");
	if (arg_int(k, "mode", 2) != 2)
		return kernel_fail(k, "there is no kernel for layers other than LSTMs");
	if (x->ndim != 3)
		return kernel_fail(k, "input has %d dimensions; expected 3", x->ndim);
	*l = (struct lstm){ .steps = x->size[0], .batch = x->size[1], .in = x->size[2], .n = arg_int(k, "hidden_size", 0) };
	if (l->n < 1 || l->n > INT32_MAX || !has_sizes(w_ih, 4 * l->n, l->in) || !has_sizes(w_hh, 4 * l->n, l->n) || !has_sizes(h, l->batch, l->n) ||
	    !has_sizes(c, l->batch, l->n))
		return kernel_fail(k, "weights or states do not fit %lld features and %lld hidden ones", (long long)l->in, (long long)l->n);
	l->x = floats_of(k, x);
	l->w_ih = floats_of(k, w_ih);
	l->w_hh = floats_of(k, w_hh);
	l->bias = scratch_alloc(k, 4 * l->n, sizeof *l->bias);
	l->gates = scratch_alloc(k, l->steps * l->batch, (size_t)(4 * l->n) * sizeof *l->gates);
	if (!l->x || !l->w_ih || !l->w_hh || !l->bias || !l->gates)
		return false;
	return !arg_bool(k, "has_biases", true) || (add_bias(k, "weight2", 4 * l->n, l->bias) && add_bias(k, "weight3", 4 * l->n, l->bias));
}

/* What a state begins with, in a new output. */
static float *state(struct kernel_call *k, const char *name)
{
	struct tensor *from = arg_tensor(k, name), *out = out_new(k, from->dtype, from->ndim, from->size);
	float *v = out ? floats_for(k, out) : NULL;
	if (v)
		tensor_to_floats(from, v);
	return v;
}

/* One direction of one layer: the hidden states, the last h and c, and oneDNN's workspace, whose content is its own. */
static bool k_lstm_layer(struct kernel_call *k)
{
	struct lstm l = { .n = 0 };
	if (!lstm_read(k, &l))
		return false;
	enum dtype d = arg_tensor(k, "input")->dtype;
	int64_t size[3] = { l.steps, l.batch, l.n };
	int64_t bytes = (int64_t)lstm_workspace((double)l.steps, (double)l.batch, (double)l.in, (double)l.n);
	struct tensor *out = out_new(k, d, 3, size);
	l.out = out ? floats_for(k, out) : NULL;
	l.h = l.out ? state(k, "hx_") : NULL;
	l.c = l.h ? state(k, "cx_") : NULL;
	if (!l.c || !out_new(k, DT_UINT8, 1, &bytes))
		return false;
	lstm_run(k, &l, arg_bool(k, "reverse", false));
	return true;
}

/* The gates are given: their sum and the biases to h, c, and the gates after their functions. */
static bool k_fused_lstm_cell(struct kernel_call *k)
{
	struct tensor *gates = arg_tensor(k, "input_gates"), *more = arg_tensor(k, "hidden_gates"), *cx = arg_tensor(k, "cx");
	if (cx->ndim != 2 || !has_sizes(gates, cx->size[0], 4 * cx->size[1]) || !has_sizes(more, cx->size[0], 4 * cx->size[1]))
		return kernel_fail(k, "gates do not fit the cell state");
	int64_t n = cx->size[1], rows = cx->size[0];
	float *bias = scratch_alloc(k, 4 * n, sizeof *bias);
	struct tensor *out = out_new(k, cx->dtype, 2, cx->size);
	float *h = out ? floats_for(k, out) : NULL, *c = h ? state(k, "cx") : NULL;
	const float *a = c ? floats_of(k, gates) : NULL, *b = c ? floats_of(k, more) : NULL;
	struct tensor *saved = a && b ? out_new(k, gates->dtype, 2, gates->size) : NULL;
	float *g = saved ? floats_for(k, saved) : NULL;
	if (!bias || !g || (!arg_is_none(k, "input_bias") && !add_bias(k, "input_bias", 4 * n, bias)) ||
	    (!arg_is_none(k, "hidden_bias") && !add_bias(k, "hidden_bias", 4 * n, bias)))
		return false;
	for (int64_t i = 0; i < rows; i++) {
		float *row = g + i * 4 * n;
		for (int64_t j = 0; j < 4 * n; j++)
			row[j] = a[i * 4 * n + j] + b[i * 4 * n + j] + bias[j];
		lstm_cell(row, n, c + i * n, h + i * n);
		for (int64_t j = 0; j < 4 * n; j++)
			row[j] = j / n == 2 ? tanhf(row[j]) : sigmoid(row[j]);
	}
	return true;
}

const struct kernel_row rnn_kernels[] = {
	{ .name = "mkldnn_rnn_layer", .run = k_lstm_layer },
	{ .name = "_thnn_fused_lstm_cell", .run = k_fused_lstm_cell },
	{ 0 },
};
