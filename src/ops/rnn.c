/*
 * Recurrent networks (aten/src/ATen/native/RNN.cpp and native/mkldnn/RNN.cpp).  Parameters come as w_ih, w_hh and, with
 * biases, b_ih, b_hh, and w_hr with projections, for each layer and direction.
 */
#include <math.h>
#include <string.h>

#include "ops/flops.h"
#include "ops/op.h"
#include "ops/shapes.h"

/* ---- Checks ---- */

/* hx is one tensor, or (h, c) for an LSTM. */
static struct value *hidden(struct op_call *c)
{
	struct value *h = op_tensor(c, "hx");
	int n;
	if (h)
		return h;
	struct value **both = op_tensors(c, "hx", &n);
	if (n == 2)
		return both[0];
	op_fail(c, "expected two hidden states, not %d", n);
	return NULL;
}

static bool check_layers(struct op_call *c)
{
	struct value *input = op_tensor(c, "input"), *h = hidden(c);
	int n;
	struct value **params = op_tensors(c, "params", &n);
	int64_t layers = op_int(c, "num_layers", 1) * (op_bool(c, "bidirectional", false) ? 2 : 1);
	int64_t batch = op_bool(c, "batch_first", false) ? 0 : 1;
	if (!h)
		return false;
	if (layers < 1 || n < 2 * layers)
		return op_fail(c, "%d parameters are too few for %lld layers", n, (long long)layers);
	if (input->ndim != 3)
		return op_fail(c, "input %V has %d dimensions; expected 3", input, input->ndim);
	if (params[0]->ndim != 2 || input->size[2] != params[0]->size[1])
		return op_fail(c, "input %V has %lld features, weight %V expects %lld", input, (long long)input->size[2], params[0],
		               (long long)params[0]->size[params[0]->ndim - 1]);
	if (h->ndim != 3 || h->size[0] != layers || h->size[1] != input->size[batch])
		return op_fail(c, "hidden state %V does not fit %lld layers and directions and a batch of %lld", h, (long long)layers,
		               (long long)input->size[batch]);
	return input->size[1 - batch] > 0 || op_fail(c, "input %V has no steps", input);
}

static bool check_cell(struct op_call *c)
{
	struct value *input = op_tensor(c, "input"), *h = hidden(c), *w_ih = op_tensor(c, "w_ih"), *w_hh = op_tensor(c, "w_hh");
	if (!h)
		return false;
	if (input->ndim != 2 || input->size[1] != w_ih->size[w_ih->ndim - 1])
		return op_fail(c, "input %V does not fit weight %V, which expects %lld features", input, w_ih, (long long)w_ih->size[w_ih->ndim - 1]);
	if (h->ndim != 2 || h->size[0] != input->size[0] || h->size[1] != w_hh->size[w_hh->ndim - 1])
		return op_fail(c, "hidden state %V does not fit input %V and weight %V", h, input, w_hh);
	return true;
}

/* ---- Cells: one step ---- */

#define LSTM_STEP(gates_ih) \
	"gates = aten.add_.Tensor(aten.linear(h, w_hh, b_hh), " gates_ih ")\n" \
	"i, f, g, o = aten.unsafe_chunk(gates, 4, 1)\n" \
	"i, f, g, o = aten.sigmoid_(i), aten.sigmoid_(f), aten.tanh_(g), aten.sigmoid_(o)\n" \
	"c = aten.add_.Tensor(aten.mul.Tensor(f, c), aten.mul.Tensor(i, g))\n" \
	"h = aten.mul.Tensor(o, aten.tanh(c))\n"

static const char lstm_cell_parts[] =
	"h, c = hx\n"
	LSTM_STEP("aten.linear(input, w_ih, b_ih)")
	"return h, c\n";

static const char gru_cell_parts[] =
	"i_r, i_z, i_n = aten.unsafe_chunk(aten.linear(input, w_ih, b_ih), 3, 1)\n"
	"h_r, h_z, h_n = aten.unsafe_chunk(aten.linear(hx, w_hh, b_hh), 3, 1)\n"
	"r = aten.sigmoid_(aten.add_.Tensor(h_r, i_r))\n"
	"z = aten.sigmoid_(aten.add_.Tensor(h_z, i_z))\n"
	"n = aten.tanh_(aten.add.Tensor(i_n, aten.mul_.Tensor(h_n, r)))\n"
	"return aten.add_.Tensor(aten.mul_.Tensor(aten.sub.Tensor(hx, n), z), n)\n";

static const char rnn_tanh_cell_parts[] =
	"return aten.tanh(aten.add_.Tensor(aten.linear(hx, w_hh, b_hh), aten.linear(input, w_ih, b_ih)))\n";

static const char rnn_relu_cell_parts[] =
	"return aten.relu(aten.add_.Tensor(aten.linear(hx, w_hh, b_hh), aten.linear(input, w_ih, b_ih)))\n";

/* ---- Layers ---- */

/*
 * Every layer multiplies the whole sequence by w_ih first, then steps.  What a kind of network adds: STATES, the hidden
 * states by layer; BEGIN, FIRST and STEP, which go from h (and c) and the prepared x to the new h; END, what is kept.
 */
#define LAYERS(states, first, begin, step, end, result) \
	"directions = 2 if bidirectional else 1\n" \
	"per = len(params) // (num_layers * directions)\n" \
	"x = aten.transpose.int(input, 0, 1) if batch_first else input\n" \
	states \
	"for layer in range(num_layers):\n" \
	"    outs = []\n" \
	"    for direction in range(directions):\n" \
	"        at = layer * directions + direction\n" \
	"        p = params[at * per:(at + 1) * per]\n" \
	"        w_hh = p[1]\n" \
	"        b_ih = p[2] if has_biases else None\n" \
	"        b_hh = p[3] if has_biases else None\n" \
	first \
	"        steps = list(aten.unbind.int(aten.linear(x, p[0], b_ih), 0))\n" \
	"        n_steps = len(steps)\n" \
	begin \
	"        seen = []\n" \
	"        for t in range(n_steps):\n" \
	"            u = steps[n_steps - 1 - t] if direction == 1 else steps[t]\n" \
	step \
	"            seen = seen + [h]\n" \
	end \
	"        if direction == 1:\n" \
	"            seen = [seen[n_steps - 1 - t] for t in range(n_steps)]\n" \
	"        outs = outs + [aten.stack(seen, 0)]\n" \
	"    x = aten.cat(outs, outs[0].dim() - 1) if bidirectional else outs[0]\n" \
	"    if dropout != 0 and train and layer < num_layers - 1:\n" \
	"        x = aten.dropout(x, dropout, True)\n" \
	result

#define ONE_STATE(step) \
	LAYERS("states = aten.unbind.int(hx, 0)\nlasts = []\n", "", "        h = states[at]\n", step, "        lasts = lasts + [h]\n", \
	       "if batch_first:\n    x = aten.transpose_(x, 0, 1)\nreturn x, aten.stack(lasts, 0)\n")

static const char rnn_tanh_parts[] =
	ONE_STATE("            h = aten.tanh(aten.add_.Tensor(aten.linear(h, w_hh, b_hh), u))\n");

static const char rnn_relu_parts[] =
	ONE_STATE("            h = aten.relu(aten.add_.Tensor(aten.linear(h, w_hh, b_hh), u))\n");

static const char gru_parts[] = ONE_STATE(
	"            i_r, i_z, i_n = aten.unsafe_chunk(u, 3, 1)\n"
	"            h_r, h_z, h_n = aten.unsafe_chunk(aten.linear(h, w_hh, b_hh), 3, 1)\n"
	"            r = aten.sigmoid_(aten.add_.Tensor(h_r, i_r))\n"
	"            z = aten.sigmoid_(aten.add_.Tensor(h_z, i_z))\n"
	"            n = aten.tanh_(aten.add.Tensor(i_n, aten.mul_.Tensor(h_n, r)))\n"
	"            h = aten.add_.Tensor(aten.mul_.Tensor(aten.sub.Tensor(h, n), z), n)\n");

/* float32, bfloat16 and float16 without projections run layer by layer in oneDNN, with gradients too. */
static const char lstm_parts[] =
	"fast = input.dtype == torch.float32 or input.dtype == torch.bfloat16 or input.dtype == torch.float16\n"
	"if fast and input.numel() > 0 and hx[0].size(2) == hx[1].size(2):\n"
	"    directions = 2 if bidirectional else 1\n"
	"    per = len(params) // (num_layers * directions)\n"
	"    x = aten.contiguous(aten.transpose.int(input, 0, 1) if batch_first else input)\n"
	"    h0, c0 = aten.contiguous(hx[0]), aten.contiguous(hx[1])\n"
	"    hs = []\n"
	"    cs = []\n"
	"    for layer in range(num_layers):\n"
	"        outs = []\n"
	"        for direction in range(directions):\n"
	"            at = layer * directions + direction\n"
	"            p = params[at * per:(at + 1) * per]\n"
	"            b_ih = p[2] if has_biases else aten.zeros(list(p[0].shape), dtype=p[0].dtype)\n"
	"            b_hh = p[3] if has_biases else aten.zeros(list(p[1].shape), dtype=p[1].dtype)\n"
	"            h = aten.select.int(h0, 0, at)\n"
	"            c = aten.select.int(c0, 0, at)\n"
	"            out, h, c, workspace = aten.mkldnn_rnn_layer(x, p[0], p[1], b_ih, b_hh, h, c, direction > 0, [], 2,"
	" hx[0].size(2), num_layers, has_biases, bidirectional, batch_first, train)\n"
	"            outs = outs + [out]\n"
	"            hs = hs + [h]\n"
	"            cs = cs + [c]\n"
	"        x = aten.cat(outs, -1) if bidirectional else outs[0]\n"
	"        if dropout != 0 and train and layer < num_layers - 1:\n"
	"            x = aten.dropout(x, dropout, True)\n"
	"    h, c = aten.stack(hs, 0), aten.stack(cs, 0)\n"
	"    return aten.transpose.int(x, 0, 1) if batch_first else x, h, c\n"
	LAYERS("hs, cs = aten.unbind.int(hx[0], 0), aten.unbind.int(hx[1], 0)\nh_lasts = []\nc_lasts = []\n"
	       "projects = hx[0].size(2) != hx[1].size(2)\n",
	       "        w_hr = p[per - 1]\n",
	       "        h, c = hs[at], cs[at]\n",
	       "            gates = aten.add_.Tensor(aten.linear(h, w_hh, b_hh), u)\n"
	       "            i, f, g, o = aten.unsafe_chunk(gates, 4, 1)\n"
	       "            i, f, g, o = aten.sigmoid_(i), aten.sigmoid_(f), aten.tanh_(g), aten.sigmoid_(o)\n"
	       "            c = aten.add_.Tensor(aten.mul.Tensor(f, c), aten.mul.Tensor(i, g))\n"
	       "            h = aten.mul.Tensor(o, aten.tanh(c))\n"
	       "            if projects:\n"
	       "                h = aten.matmul(h, aten.t(w_hr))\n",
	       "        h_lasts = h_lasts + [h]\n        c_lasts = c_lasts + [c]\n",
	       "h, c = aten.stack(h_lasts, 0), aten.stack(c_lasts, 0)\n"
	       "return aten.transpose.int(x, 0, 1) if batch_first else x, h, c\n");

/* ---- Leaves ---- */

/* A leading dimension as oneDNN's get_good_ld() pads it: whole cache lines, and no multiple of 256 elements. */
static double padded(double elements)
{
	double line = 16, n = ceil(elements / line) * line;
	return fmod(n, 256) == 0 ? n + line : n;
}

static double pages(double elements)
{
	return ceil(elements * 4 / 4096) * 4096;
}

/*
 * oneDNN's workspace in bytes, as a float32 LSTM layer saves it for the backward pass: gates and hidden states of every
 * step, three areas of states in and out, two of cells, each on pages of its own (rnn_utils.cpp: set_workspace_sizes).
 */
double lstm_workspace(double steps, double batch, double in, double hidden_size)
{
	double states = 2 * (steps + 1) * batch;
	return pages(steps * batch * padded(4 * hidden_size)) + pages(steps * batch * padded(hidden_size)) +
	       3 * pages(states * padded(in > hidden_size ? in : hidden_size)) + 2 * pages(states * hidden_size);
}

static bool shape_mkldnn_rnn_layer(struct op_call *c)
{
	struct value *input = op_tensor(c, "input"), *hx = op_tensor(c, "hx_"), *cx = op_tensor(c, "cx_");
	if (input->ndim != 3 || hx->ndim != 2)
		return op_fail(c, "input %V and hidden state %V; expected 3 and 2 dimensions", input, hx);
	int64_t size[3] = { input->size[0], input->size[1], op_int(c, "hidden_size", 0) };
	if (!op_out(c, input->dtype, 3, size) || !op_out(c, hx->dtype, hx->ndim, hx->size) || !op_out(c, cx->dtype, cx->ndim, cx->size))
		return false;
	double bytes = lstm_workspace((double)size[0], (double)size[1], (double)input->size[2], (double)size[2]);
	if (input->dtype != DT_FLOAT32 || bytes > 1e18)
		return out_unknown(c, DT_UINT8) != NULL;
	int64_t n = (int64_t)bytes;
	return op_out(c, DT_UINT8, 1, &n) != NULL;
}

static bool shape_fused_lstm_cell(struct op_call *c)
{
	struct value *gates = op_tensor(c, "input_gates"), *cx = op_tensor(c, "cx");
	return op_out(c, cx->dtype, cx->ndim, cx->size) && op_out(c, cx->dtype, cx->ndim, cx->size) && op_out(c, gates->dtype, gates->ndim, gates->size);
}

const struct op_rule rnn_rules[] = {
	{ .name = "lstm.input", .shape = check_layers, .flops = flops_uncounted, .parts = lstm_parts },
	{ .name = "gru.input", .shape = check_layers, .flops = flops_uncounted, .parts = gru_parts },
	{ .name = "rnn_tanh.input", .shape = check_layers, .flops = flops_uncounted, .parts = rnn_tanh_parts },
	{ .name = "rnn_relu.input", .shape = check_layers, .flops = flops_uncounted, .parts = rnn_relu_parts },
	/* the cells are traced as their parts, which fvcore counts */
	{ .name = "lstm_cell", .shape = check_cell, .parts = lstm_cell_parts },
	{ .name = "gru_cell", .shape = check_cell, .parts = gru_cell_parts },
	{ .name = "rnn_tanh_cell", .shape = check_cell, .parts = rnn_tanh_cell_parts },
	{ .name = "rnn_relu_cell", .shape = check_cell, .parts = rnn_relu_cell_parts },
	{ .name = "mkldnn_rnn_layer", .shape = shape_mkldnn_rnn_layer },
	{ .name = "_thnn_fused_lstm_cell", .shape = shape_fused_lstm_cell },
	{ 0 },
};
