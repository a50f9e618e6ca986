/*
 * Recurrent layers and their cells: torch/nn/modules/rnn.py.
 */
#include "nn/nn.h"

#include <stddef.h>

/* ---- Layers ---- */

#define CHECKS \
	"if isinstance(dropout, bool) or not isinstance(dropout, (int, float)) or not 0 <= dropout <= 1:\n" \
	"    raise ValueError('dropout should be a number in range [0, 1] representing the probability of an element being zeroed')\n" \
	"self.dropout = float(dropout)\n" \
	"if not isinstance(bias, bool):\n" \
	"    raise TypeError(f'bias should be of type bool, got: {type(bias).__name__}')\n" \
	"if not isinstance(batch_first, bool):\n" \
	"    raise TypeError(f'batch_first should be of type bool, got: {type(batch_first).__name__}')\n" \
	"if not isinstance(input_size, int):\n" \
	"    raise TypeError(f'input_size should be of type int, got: {type(input_size).__name__}')\n" \
	"if input_size <= 0:\n" \
	"    raise ValueError('input_size must be greater than zero')\n" \
	"if not isinstance(hidden_size, int):\n" \
	"    raise TypeError(f'hidden_size should be of type int, got: {type(hidden_size).__name__}')\n" \
	"if hidden_size <= 0:\n" \
	"    raise ValueError('hidden_size must be greater than zero')\n" \
	"if num_layers <= 0:\n" \
	"    raise ValueError('num_layers must be greater than zero')\n"

#define NO_PROJECTION "proj_size = 0\nself.proj_size = 0\n"

#define CHECK_PROJECTION \
	"if proj_size < 0:\n" \
	"    raise ValueError('proj_size should be a positive integer or zero to disable projections')\n" \
	"if proj_size >= hidden_size:\n" \
	"    raise ValueError('proj_size has to be smaller than hidden_size')\n"

/*
 * Needs mode.  A gate has hidden_size rows; what goes round, and up to the next layer, is the hidden state or its
 * projection.  `_flat_weights_names` names the parameters in the order in which the operators take them.
 */
#define WEIGHTS \
	"self.mode = mode\n" \
	"gates = {'LSTM': 4, 'GRU': 3, 'RNN_TANH': 1, 'RNN_RELU': 1}\n" \
	"if mode not in gates:\n" \
	"    raise ValueError('Unrecognized RNN mode: ' + mode)\n" \
	"rows = gates[mode] * hidden_size\n" \
	"state = proj_size if proj_size > 0 else hidden_size\n" \
	"ways = 2 if bidirectional else 1\n" \
	"names = []\n" \
	"for layer in range(num_layers):\n" \
	"    below = input_size if layer == 0 else state * ways\n" \
	"    for suffix in ['', '_reverse'][:ways]:\n" \
	"        end = f'_l{layer}{suffix}'\n" \
	"        self.register_parameter('weight_ih' + end, Parameter(torch.empty(rows, below, dtype=dtype)))\n" \
	"        self.register_parameter('weight_hh' + end, Parameter(torch.empty(rows, state, dtype=dtype)))\n" \
	"        names += ['weight_ih' + end, 'weight_hh' + end]\n" \
	"        if bias:\n" \
	"            self.register_parameter('bias_ih' + end, Parameter(torch.empty(rows, dtype=dtype)))\n" \
	"            self.register_parameter('bias_hh' + end, Parameter(torch.empty(rows, dtype=dtype)))\n" \
	"            names += ['bias_ih' + end, 'bias_hh' + end]\n" \
	"        if proj_size > 0:\n" \
	"            self.register_parameter('weight_hr' + end, Parameter(torch.empty(proj_size, hidden_size, dtype=dtype)))\n" \
	"            names += ['weight_hr' + end]\n" \
	"self._flat_weights_names = names\n"

static const char rnn_repr[] =
	"f'{input_size}, {hidden_size}'"
	" + (f', proj_size={proj_size}' if proj_size != 0 else '')"
	" + (f', num_layers={num_layers}' if num_layers != 1 else '')"
	" + (f', bias={bias}' if bias is not True else '')"
	" + (f', batch_first={batch_first}' if batch_first is not False else '')"
	" + (f', dropout={dropout}' if dropout != 0 else '')"
	" + (f', bidirectional={bidirectional}' if bidirectional is not False else '')";

static const char rnn_reset[] =
	"bound = 1.0 / math.sqrt(self.hidden_size) if self.hidden_size > 0 else 0\n"
	"for weight in self.parameters():\n"
	"    init.uniform_(weight, -bound, bound)\n";

/* Without a batch one is added for the while; `along` is where. */
#define INPUT(name) \
	"if input.dim() not in (2, 3):\n" \
	"    raise ValueError(f'" name ": Expected input to be 2D or 3D, got {input.dim()}D instead')\n" \
	"batched = input.dim() == 3\n" \
	"along = 0 if self.batch_first else 1\n" \
	"if not batched:\n" \
	"    input = input.unsqueeze(along)\n" \
	"batch = input.size(0) if self.batch_first else input.size(1)\n" \
	"layers = self.num_layers * (2 if self.bidirectional else 1)\n" \
	"weights = [getattr(self, name) for name in self._flat_weights_names]\n"

#define CHECK_INPUT \
	"if input.dtype != weights[0].dtype:\n" \
	"    raise ValueError(f'RNN input dtype ({input.dtype}) does not match weight dtype ({weights[0].dtype}).')\n" \
	"if self.input_size != input.size(-1):\n" \
	"    raise RuntimeError(f'input.size(-1) must be equal to input_size. Expected {self.input_size}, got {input.size(-1)}')\n"

#define CHECK_STATE(hidden, size, what) \
	"if tuple(" hidden ".size()) != (layers, batch, " size "):\n" \
	"    raise RuntimeError(f'Expected " what " size {(layers, batch, " size ")}, got {list(" hidden ".size())}')\n"

#define ONE_STATE(name) \
	INPUT(name) \
	"if hx is None:\n" \
	"    hx = torch.zeros(layers, batch, self.hidden_size, dtype=input.dtype, device=input.device)\n" \
	"elif batched and hx.dim() != 3:\n" \
	"    raise RuntimeError(f'For batched 3-D input, hx should also be 3-D but got {hx.dim()}-D tensor')\n" \
	"elif not batched:\n" \
	"    if hx.dim() != 2:\n" \
	"        raise RuntimeError(f'For unbatched 2-D input, hx should also be 2-D but got {hx.dim()}-D tensor')\n" \
	"    hx = hx.unsqueeze(1)\n" \
	CHECK_INPUT CHECK_STATE("hx", "self.hidden_size", "hidden")

#define CALL(op) \
	"torch." op "(input, hx, weights, self.bias, self.num_layers, self.dropout, self.training, self.bidirectional, self.batch_first)\n"

#define ONE_RESULT \
	"if not batched:\n" \
	"    return output.squeeze(along), hidden.squeeze(1)\n" \
	"return output, hidden\n"

static const char rnn_forward[] =
	ONE_STATE("RNN")
	"if self.mode == 'RNN_TANH':\n"
	"    output, hidden = " CALL("rnn_tanh")
	"else:\n"
	"    output, hidden = " CALL("rnn_relu")
	ONE_RESULT;

static const char gru_forward[] = ONE_STATE("GRU") "output, hidden = " CALL("gru") ONE_RESULT;

static const char lstm_forward[] =
	INPUT("LSTM")
	"state = self.proj_size if self.proj_size > 0 else self.hidden_size\n"
	"if hx is None:\n"
	"    h = torch.zeros(layers, batch, state, dtype=input.dtype, device=input.device)\n"
	"    c = torch.zeros(layers, batch, self.hidden_size, dtype=input.dtype, device=input.device)\n"
	"    hx = (h, c)\n"
	"elif batched:\n"
	"    if hx[0].dim() != 3 or hx[1].dim() != 3:\n"
	"        raise RuntimeError(f'For batched 3-D input, hx and cx should also be 3-D but got ({hx[0].dim()}-D, {hx[1].dim()}-D) tensors')\n"
	"else:\n"
	"    if hx[0].dim() != 2 or hx[1].dim() != 2:\n"
	"        raise RuntimeError(f'For unbatched 2-D input, hx and cx should also be 2-D but got ({hx[0].dim()}-D, {hx[1].dim()}-D) tensors')\n"
	"    hx = (hx[0].unsqueeze(1), hx[1].unsqueeze(1))\n"
	CHECK_INPUT CHECK_STATE("hx[0]", "state", "hidden[0]") CHECK_STATE("hx[1]", "self.hidden_size", "hidden[1]")
	"output, h, c = " CALL("lstm")
	"if not batched:\n"
	"    return output.squeeze(along), (h.squeeze(1), c.squeeze(1))\n"
	"return output, (h, c)\n";

#define LAYER_ARGUMENTS "bias=True, batch_first=False, dropout=0.0, bidirectional=False"
#define FACTORY "device=None, dtype=None"

/* ---- Cells: one step ---- */

#define CELL_WEIGHTS(chunks) \
	"self.weight_ih = Parameter(torch.empty(" chunks " * hidden_size, input_size, dtype=dtype))\n" \
	"self.weight_hh = Parameter(torch.empty(" chunks " * hidden_size, hidden_size, dtype=dtype))\n" \
	"if bias:\n" \
	"    self.bias_ih = Parameter(torch.empty(" chunks " * hidden_size, dtype=dtype))\n" \
	"    self.bias_hh = Parameter(torch.empty(" chunks " * hidden_size, dtype=dtype))\n" \
	"else:\n" \
	"    self.register_parameter('bias_ih', None)\n" \
	"    self.register_parameter('bias_hh', None)\n"

#define CELL_REPR "f'{input_size}, {hidden_size}' + (f', bias={bias}' if bias is not True else '')"

#define CELL_INPUT(name) \
	"if input.dim() not in (1, 2):\n" \
	"    raise ValueError(f'" name ": Expected input to be 1D or 2D, got {input.dim()}D instead')\n" \
	"batched = input.dim() == 2\n"

#define CELL_STATE(name) \
	CELL_INPUT(name) \
	"if hx is not None and hx.dim() not in (1, 2):\n" \
	"    raise ValueError(f'" name ": Expected hidden to be 1D or 2D, got {hx.dim()}D instead')\n" \
	"if not batched:\n" \
	"    input = input.unsqueeze(0)\n" \
	"if hx is None:\n" \
	"    hx = torch.zeros(input.size(0), self.hidden_size, dtype=input.dtype, device=input.device)\n" \
	"elif not batched:\n" \
	"    hx = hx.unsqueeze(0)\n"

#define CELL_CALL(op) "torch." op "(input, hx, self.weight_ih, self.weight_hh, self.bias_ih, self.bias_hh)\n"

static const char rnn_cell_forward[] =
	CELL_STATE("RNNCell")
	"if self.nonlinearity == 'tanh':\n"
	"    out = " CELL_CALL("rnn_tanh_cell")
	"elif self.nonlinearity == 'relu':\n"
	"    out = " CELL_CALL("rnn_relu_cell")
	"else:\n"
	"    raise RuntimeError(f'Unknown nonlinearity: {self.nonlinearity}')\n"
	"return out if batched else out.squeeze(0)\n";

static const char gru_cell_forward[] =
	CELL_STATE("GRUCell")
	"out = " CELL_CALL("gru_cell")
	"return out if batched else out.squeeze(0)\n";

static const char lstm_cell_forward[] =
	CELL_INPUT("LSTMCell")
	"if hx is not None:\n"
	"    for i in range(len(hx)):\n"
	"        if hx[i].dim() not in (1, 2):\n"
	"            raise ValueError(f'LSTMCell: Expected hx[{i}] to be 1D or 2D, got {hx[i].dim()}D instead')\n"
	"if not batched:\n"
	"    input = input.unsqueeze(0)\n"
	"if hx is None:\n"
	"    zeros = torch.zeros(input.size(0), self.hidden_size, dtype=input.dtype, device=input.device)\n"
	"    hx = (zeros, zeros)\n"
	"elif not batched:\n"
	"    hx = (hx[0].unsqueeze(0), hx[1].unsqueeze(0))\n"
	"h, c = " CELL_CALL("lstm_cell")
	"if not batched:\n"
	"    return h.squeeze(0), c.squeeze(0)\n"
	"return h, c\n";

const struct nn_class rnn_classes[] = {
	{ .name = "RNNBase", /* has parameters, and no forward of its own */
	  .signature = "mode, input_size, hidden_size, num_layers=1, " LAYER_ARGUMENTS ", proj_size=0, " FACTORY,
	  .build = CHECKS CHECK_PROJECTION WEIGHTS,
	  .repr = rnn_repr, .reset = rnn_reset,
	  .printed = "input_size, hidden_size, proj_size=0, num_layers=1, " LAYER_ARGUMENTS },
	{ .name = "RNN", .base = "RNNBase",
	  .signature = "input_size, hidden_size, num_layers=1, nonlinearity='tanh', " LAYER_ARGUMENTS ", " FACTORY,
	  .build =
	  "if nonlinearity not in ('tanh', 'relu'):\n"
	  "    raise ValueError(f\"Unknown nonlinearity '{nonlinearity}'. Select from 'tanh' or 'relu'.\")\n"
	  "mode = 'RNN_TANH' if nonlinearity == 'tanh' else 'RNN_RELU'\n"
	  NO_PROJECTION CHECKS WEIGHTS,
	  .forward_signature = "input, hx=None", .forward = rnn_forward },
	{ .name = "LSTM", .base = "RNNBase",
	  .signature = "input_size, hidden_size, num_layers=1, " LAYER_ARGUMENTS ", proj_size=0, " FACTORY,
	  .build = "mode = 'LSTM'\n" CHECKS CHECK_PROJECTION WEIGHTS,
	  .forward_signature = "input, hx=None", .forward = lstm_forward },
	{ .name = "GRU", .base = "RNNBase",
	  .signature = "input_size, hidden_size, num_layers=1, " LAYER_ARGUMENTS ", " FACTORY,
	  .build = "mode = 'GRU'\n" NO_PROJECTION CHECKS WEIGHTS,
	  .forward_signature = "input, hx=None", .forward = gru_forward },
	{ .name = "RNNCellBase",
	  .signature = "input_size, hidden_size, bias, num_chunks, " FACTORY,
	  .build = CELL_WEIGHTS("num_chunks"), .repr = CELL_REPR, .reset = rnn_reset },
	{ .name = "RNNCell", .base = "RNNCellBase",
	  .signature = "input_size, hidden_size, bias=True, nonlinearity='tanh', " FACTORY,
	  .build = CELL_WEIGHTS("1"),
	  .repr = CELL_REPR " + (f', nonlinearity={nonlinearity}' if nonlinearity != 'tanh' else '')",
	  .forward_signature = "input, hx=None", .forward = rnn_cell_forward },
	{ .name = "LSTMCell", .base = "RNNCellBase",
	  .signature = "input_size, hidden_size, bias=True, " FACTORY,
	  .build = CELL_WEIGHTS("4"),
	  .forward_signature = "input, hx=None", .forward = lstm_cell_forward },
	{ .name = "GRUCell", .base = "RNNCellBase",
	  .signature = "input_size, hidden_size, bias=True, " FACTORY,
	  .build = CELL_WEIGHTS("3"),
	  .forward_signature = "input, hx=None", .forward = gru_cell_forward },
	{ .name = NULL },
};
