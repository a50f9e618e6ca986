/*
 * Attention and what is built of it: torch/nn/modules/activation.py (MultiheadAttention), transformer.py.
 *
 * In evaluation and without gradients PyTorch has fused kernels for these; a graph that is exported or differentiated never
 * contains them, so they are not said here.
 */
#include "nn/nn.h"

#include <stddef.h>

/* A bool mask becomes one that is added: -inf where attention is forbidden. */
#define ADDED_MASK(mask, like) \
	"if " mask " is not None and not " mask ".is_floating_point():\n" \
	"    if " mask ".dtype != torch.bool:\n" \
	"        raise AssertionError('only bool and floating types of " mask " are supported')\n" \
	"    " mask " = torch.zeros_like(" mask ", dtype=" like ".dtype).masked_fill_(" mask ", -math.inf)\n"

/* ---- MultiheadAttention ---- */

static const char attention_build[] =
	"if embed_dim <= 0 or num_heads <= 0:\n"
	"    raise ValueError(f'embed_dim and num_heads must be greater than 0, got embed_dim={embed_dim} and num_heads={num_heads} instead')\n"
	"if embed_dim % num_heads != 0:\n"
	"    raise AssertionError('embed_dim must be divisible by num_heads')\n"
	"self.kdim = kdim if kdim is not None else embed_dim\n"
	"self.vdim = vdim if vdim is not None else embed_dim\n"
	"self.head_dim = embed_dim // num_heads\n"
	"self._qkv_same_embed_dim = self.kdim == embed_dim and self.vdim == embed_dim\n"
	"if self._qkv_same_embed_dim:\n"
	"    self.in_proj_weight = Parameter(torch.empty(3 * embed_dim, embed_dim, dtype=dtype))\n"
	"    self.register_parameter('q_proj_weight', None)\n"
	"    self.register_parameter('k_proj_weight', None)\n"
	"    self.register_parameter('v_proj_weight', None)\n"
	"else:\n"
	"    self.q_proj_weight = Parameter(torch.empty(embed_dim, embed_dim, dtype=dtype))\n"
	"    self.k_proj_weight = Parameter(torch.empty(embed_dim, self.kdim, dtype=dtype))\n"
	"    self.v_proj_weight = Parameter(torch.empty(embed_dim, self.vdim, dtype=dtype))\n"
	"    self.register_parameter('in_proj_weight', None)\n"
	"if bias:\n"
	"    self.in_proj_bias = Parameter(torch.empty(3 * embed_dim, dtype=dtype))\n"
	"else:\n"
	"    self.register_parameter('in_proj_bias', None)\n"
	"self.out_proj = nn.NonDynamicallyQuantizableLinear(embed_dim, embed_dim, bias=bias, dtype=dtype)\n"
	"if add_bias_kv:\n"
	"    self.bias_k = Parameter(torch.empty(1, 1, embed_dim, dtype=dtype))\n"
	"    self.bias_v = Parameter(torch.empty(1, 1, embed_dim, dtype=dtype))\n"
	"else:\n"
	"    self.bias_k = None\n"
	"    self.bias_v = None\n";

static const char attention_reset[] =
	"if self._qkv_same_embed_dim:\n"
	"    init.xavier_uniform_(self.in_proj_weight)\n"
	"else:\n"
	"    init.xavier_uniform_(self.q_proj_weight)\n"
	"    init.xavier_uniform_(self.k_proj_weight)\n"
	"    init.xavier_uniform_(self.v_proj_weight)\n"
	"if self.in_proj_bias is not None:\n"
	"    init.constant_(self.in_proj_bias, 0.0)\n"
	"    init.constant_(self.out_proj.bias, 0.0)\n"
	"if self.bias_k is not None:\n"
	"    init.xavier_normal_(self.bias_k)\n"
	"if self.bias_v is not None:\n"
	"    init.xavier_normal_(self.bias_v)\n";

/* The function wants [length, batch, features].  It looks whether the three are one tensor, so they stay one. */
static const char attention_forward[] =
	"if self.num_heads is None:\n"
	"    raise RuntimeError('the number of heads is not known: MultiheadAttention does not print it')\n"
	ADDED_MASK("key_padding_mask", "query")
	ADDED_MASK("attn_mask", "query")
	"swap = self.batch_first and query.dim() == 3\n"
	"if swap:\n"
	"    if key is value:\n"
	"        if query is key:\n"
	"            query = key = value = query.transpose(1, 0)\n"
	"        else:\n"
	"            query = query.transpose(1, 0)\n"
	"            key = value = key.transpose(1, 0)\n"
	"    else:\n"
	"        query = query.transpose(1, 0)\n"
	"        key = key.transpose(1, 0)\n"
	"        value = value.transpose(1, 0)\n"
	"out, weights = F.multi_head_attention_forward(query, key, value, self.embed_dim, self.num_heads, self.in_proj_weight,"
	" self.in_proj_bias, self.bias_k, self.bias_v, self.add_zero_attn, self.dropout, self.out_proj.weight, self.out_proj.bias,"
	" training=self.training, key_padding_mask=key_padding_mask, need_weights=need_weights, attn_mask=attn_mask,"
	" use_separate_proj_weight=not self._qkv_same_embed_dim, q_proj_weight=self.q_proj_weight, k_proj_weight=self.k_proj_weight,"
	" v_proj_weight=self.v_proj_weight, average_attn_weights=average_attn_weights, is_causal=is_causal)\n"
	"return (out.transpose(1, 0) if swap else out), weights\n";

/* Keys and values as wide as queries, no extra ones: the usual. */
static const char attention_adopt[] =
	"e = self.out_proj.in_features\n"
	"self.embed_dim = self.kdim = self.vdim = e\n"
	"self.num_heads = None\n"
	"self.dropout = 0.0\n"
	"self.batch_first = self.add_zero_attn = False\n"
	"self._qkv_same_embed_dim = True\n"
	"self.in_proj_weight = Parameter(torch.empty(3 * e, e))\n"
	"self.q_proj_weight = self.k_proj_weight = self.v_proj_weight = None\n"
	"self.in_proj_bias = Parameter(torch.empty(3 * e)) if self.out_proj.bias is not None else None\n"
	"self.bias_k = self.bias_v = None\n";

/* ---- Layers ---- */

#define LAYER_SIGNATURE \
	"d_model, nhead, dim_feedforward=2048, dropout=0.1, activation=F.relu, layer_norm_eps=1e-05, batch_first=False," \
	" norm_first=False, bias=True, device=None, dtype=None"

#define ATTENTION "nn.MultiheadAttention(d_model, nhead, dropout=dropout, bias=bias, batch_first=batch_first, dtype=dtype)\n"
#define NORM "nn.LayerNorm(d_model, eps=layer_norm_eps, bias=bias, dtype=dtype)\n"

#define FEED_FORWARD \
	"self.linear1 = nn.Linear(d_model, dim_feedforward, bias=bias, dtype=dtype)\n" \
	"self.dropout = nn.Dropout(dropout)\n" \
	"self.linear2 = nn.Linear(dim_feedforward, d_model, bias=bias, dtype=dtype)\n"

#define ACTIVATION \
	"if isinstance(activation, str):\n" \
	"    if activation not in ('relu', 'gelu'):\n" \
	"        raise RuntimeError(f'activation should be relu/gelu, not {activation}')\n" \
	"    self.activation = F.relu if activation == 'relu' else F.gelu\n" \
	"else:\n" \
	"    self.activation = activation\n"

static const char encoder_layer_build[] =
	"self.self_attn = " ATTENTION
	FEED_FORWARD
	"self.norm1 = " NORM
	"self.norm2 = " NORM
	"self.dropout1 = nn.Dropout(dropout)\n"
	"self.dropout2 = nn.Dropout(dropout)\n"
	ACTIVATION;

static const char decoder_layer_build[] =
	"self.self_attn = " ATTENTION
	"self.multihead_attn = " ATTENTION
	FEED_FORWARD
	"self.norm1 = " NORM
	"self.norm2 = " NORM
	"self.norm3 = " NORM
	"self.dropout1 = nn.Dropout(dropout)\n"
	"self.dropout2 = nn.Dropout(dropout)\n"
	"self.dropout3 = nn.Dropout(dropout)\n"
	ACTIVATION;

#define FEED(last) "self." last "(self.linear2(self.dropout(self.activation(self.linear1(x)))))\n"

static const char encoder_layer_forward[] =
	ADDED_MASK("src_key_padding_mask", "src")
	ADDED_MASK("src_mask", "src")
	"def attend(x):\n"
	"    x = self.self_attn(x, x, x, attn_mask=src_mask, key_padding_mask=src_key_padding_mask, need_weights=False, is_causal=is_causal)[0]\n"
	"    return self.dropout1(x)\n"
	"def feed(x):\n"
	"    return " FEED("dropout2")
	"if self.norm_first:\n"
	"    x = src + attend(self.norm1(src))\n"
	"    return x + feed(self.norm2(x))\n"
	"x = self.norm1(src + attend(src))\n"
	"return self.norm2(x + feed(x))\n";

static const char decoder_layer_forward[] =
	"def attend(x):\n"
	"    x = self.self_attn(x, x, x, attn_mask=tgt_mask, key_padding_mask=tgt_key_padding_mask, is_causal=tgt_is_causal,"
	" need_weights=False)[0]\n"
	"    return self.dropout1(x)\n"
	"def remember(x):\n"
	"    x = self.multihead_attn(x, memory, memory, attn_mask=memory_mask, key_padding_mask=memory_key_padding_mask,"
	" is_causal=memory_is_causal, need_weights=False)[0]\n"
	"    return self.dropout2(x)\n"
	"def feed(x):\n"
	"    return " FEED("dropout3")
	"if self.norm_first:\n"
	"    x = tgt + attend(self.norm1(tgt))\n"
	"    x = x + remember(self.norm2(x))\n"
	"    return x + feed(self.norm3(x))\n"
	"x = self.norm1(tgt + attend(tgt))\n"
	"x = self.norm2(x + remember(x))\n"
	"return self.norm3(x + feed(x))\n";

static const char layer_adopt[] = "self.norm_first = False\nself.activation = F.relu\n";

/* ---- Stacks of layers ---- */

#define CLONES(layer) \
	"self.layers = nn.ModuleList([copy.deepcopy(" layer ") for i in range(num_layers)])\n" \
	"self.norm = norm\n"

/* Whether a mask is the causal one would need its values; it is when the caller says so. */
static const char encoder_forward[] =
	ADDED_MASK("src_key_padding_mask", "src")
	ADDED_MASK("mask", "src")
	"x = src\n"
	"for layer in self.layers:\n"
	"    x = layer(x, src_mask=mask, is_causal=is_causal is True, src_key_padding_mask=src_key_padding_mask)\n"
	"return x if self.norm is None else self.norm(x)\n";

static const char decoder_forward[] =
	"x = tgt\n"
	"for layer in self.layers:\n"
	"    x = layer(x, memory, tgt_mask=tgt_mask, memory_mask=memory_mask, tgt_key_padding_mask=tgt_key_padding_mask,"
	" memory_key_padding_mask=memory_key_padding_mask, tgt_is_causal=tgt_is_causal is True, memory_is_causal=memory_is_causal)\n"
	"return x if self.norm is None else self.norm(x)\n";

static const char stack_adopt[] =
	"self.num_layers = len(self.layers)\n"
	"if not hasattr(self, 'norm'):\n"
	"    self.norm = None\n";

#define STACK(kind) \
	"    layer = nn.Transformer" kind "Layer(d_model, nhead, dim_feedforward, dropout, activation, layer_norm_eps, batch_first," \
	" norm_first, bias, dtype=dtype)\n" \
	"    norm = " NORM

static const char transformer_build[] =
	"if custom_encoder is not None:\n"
	"    self.encoder = custom_encoder\n"
	"else:\n"
	STACK("Encoder")
	"    self.encoder = nn.TransformerEncoder(layer, num_encoder_layers, norm)\n"
	"if custom_decoder is not None:\n"
	"    self.decoder = custom_decoder\n"
	"else:\n"
	STACK("Decoder")
	"    self.decoder = nn.TransformerDecoder(layer, num_decoder_layers, norm)\n";

static const char transformer_reset[] =
	"for p in self.parameters():\n"
	"    if p.dim() > 1:\n"
	"        init.xavier_uniform_(p)\n";

static const char transformer_forward[] =
	"batch = 0 if self.batch_first else 1\n"
	"if src.dim() == 3 and src.size(batch) != tgt.size(batch):\n"
	"    raise RuntimeError('the batch number of src and tgt must be equal')\n"
	"if src.size(-1) != self.d_model or tgt.size(-1) != self.d_model:\n"
	"    raise RuntimeError('the feature number of src and tgt must be equal to d_model')\n"
	"memory = self.encoder(src, mask=src_mask, src_key_padding_mask=src_key_padding_mask, is_causal=src_is_causal)\n"
	"return self.decoder(tgt, memory, tgt_mask=tgt_mask, memory_mask=memory_mask, tgt_key_padding_mask=tgt_key_padding_mask,"
	" memory_key_padding_mask=memory_key_padding_mask, tgt_is_causal=tgt_is_causal, memory_is_causal=memory_is_causal)\n";

const struct nn_class transformer_classes[] = {
	{ .name = "MultiheadAttention",
	  .signature = "embed_dim, num_heads, dropout=0.0, bias=True, add_bias_kv=False, add_zero_attn=False, kdim=None, vdim=None,"
	  " batch_first=False, device=None, dtype=None",
	  .build = attention_build,
	  .forward_signature = "query, key, value, key_padding_mask=None, need_weights=True, attn_mask=None, average_attn_weights=True,"
	  " is_causal=False",
	  .forward = attention_forward,
	  .reset = attention_reset,
	  .adopt = attention_adopt },
	{ .name = "TransformerEncoderLayer",
	  .signature = LAYER_SIGNATURE,
	  .build = encoder_layer_build,
	  .forward_signature = "src, src_mask=None, src_key_padding_mask=None, is_causal=False",
	  .forward = encoder_layer_forward,
	  .adopt = layer_adopt },
	{ .name = "TransformerDecoderLayer",
	  .signature = LAYER_SIGNATURE,
	  .build = decoder_layer_build,
	  .forward_signature = "tgt, memory, tgt_mask=None, memory_mask=None, tgt_key_padding_mask=None, memory_key_padding_mask=None,"
	  " tgt_is_causal=False, memory_is_causal=False",
	  .forward = decoder_layer_forward,
	  .adopt = layer_adopt },
	{ .name = "TransformerEncoder",
	  .signature = "encoder_layer, num_layers, norm=None, enable_nested_tensor=True, mask_check=True",
	  .build = CLONES("encoder_layer"),
	  .forward_signature = "src, mask=None, src_key_padding_mask=None, is_causal=None",
	  .forward = encoder_forward,
	  .adopt = stack_adopt },
	{ .name = "TransformerDecoder",
	  .signature = "decoder_layer, num_layers, norm=None",
	  .build = CLONES("decoder_layer"),
	  .forward_signature = "tgt, memory, tgt_mask=None, memory_mask=None, tgt_key_padding_mask=None, memory_key_padding_mask=None,"
	  " tgt_is_causal=None, memory_is_causal=False",
	  .forward = decoder_forward,
	  .adopt = stack_adopt },
	{ .name = "Transformer",
	  .signature = "d_model=512, nhead=8, num_encoder_layers=6, num_decoder_layers=6, dim_feedforward=2048, dropout=0.1,"
	  " activation=F.relu, custom_encoder=None, custom_decoder=None, layer_norm_eps=1e-05, batch_first=False, norm_first=False,"
	  " bias=True, device=None, dtype=None",
	  .build = transformer_build,
	  .forward_signature = "src, tgt, src_mask=None, tgt_mask=None, memory_mask=None, src_key_padding_mask=None,"
	  " tgt_key_padding_mask=None, memory_key_padding_mask=None, src_is_causal=None, tgt_is_causal=None, memory_is_causal=False",
	  .forward = transformer_forward,
	  .reset = transformer_reset,
	  .adopt = "self.d_model = self.encoder.layers[0].linear1.in_features\nself.batch_first = False\n" },
	{ .name = NULL },
};
