/*
 * torch.nn.functional.multi_head_attention_forward (torch/nn/functional.py).  Inputs are [length, batch, features];
 * heads become batches: [batch * heads, length, head size].
 */
#include "ops/functional.h"

#define SIGNATURE \
	"query, key, value, embed_dim_to_check, num_heads, in_proj_weight, in_proj_bias, bias_k, bias_v, add_zero_attn, dropout_p, " \
	"out_proj_weight, out_proj_bias, training=True, key_padding_mask=None, need_weights=True, attn_mask=None, " \
	"use_separate_proj_weight=False, q_proj_weight=None, k_proj_weight=None, v_proj_weight=None, static_k=None, static_v=None, " \
	"average_attn_weights=True, is_causal=False"

#define CHECK_SHAPES \
	"if query.dim() not in (2, 3):\n" \
	"    raise ValueError(f'query should be unbatched 2D or batched 3D tensor but received {query.dim()}-D query tensor')\n" \
	"if key.dim() != query.dim() or value.dim() != query.dim():\n" \
	"    raise ValueError(f'query {list(query.shape)}, key {list(key.shape)} and value {list(value.shape)} must have the same number of dimensions')\n" \
	"if key_padding_mask is not None and key_padding_mask.dim() != query.dim() - 1:\n" \
	"    raise ValueError(f'key_padding_mask {list(key_padding_mask.shape)} must have {query.dim() - 1} dimensions')\n" \
	"if attn_mask is not None and attn_mask.dim() not in (2, 3):\n" \
	"    raise ValueError(f'attn_mask {list(attn_mask.shape)} must have 2 or 3 dimensions')\n"

/* A bool mask becomes one that is added: -inf where attention is forbidden. */
#define CANONICAL_MASK \
	"def canonical(mask, name):\n" \
	"    if mask is None or mask.is_floating_point():\n" \
	"        return mask\n" \
	"    if mask.dtype != torch.bool:\n" \
	"        raise ValueError(f'only bool and floating types of {name} are supported')\n" \
	"    return torch.zeros_like(mask, dtype=query.dtype).masked_fill_(mask, -math.inf)\n"

#define MASKS \
	"key_padding_mask = canonical(key_padding_mask, 'key_padding_mask')\n" \
	"if is_causal and attn_mask is None:\n" \
	"    raise ValueError('Need attn_mask if specifying the is_causal hint.')\n" \
	"if is_causal and key_padding_mask is None and not need_weights:\n" \
	"    attn_mask = None\n" \
	"else:\n" \
	"    attn_mask = canonical(attn_mask, 'attn_mask')\n" \
	"    if key_padding_mask is not None:\n" \
	"        is_causal = False\n"

/* One product for all three when they are one tensor, two when key is value, otherwise three. */
#define PROJECTIONS \
	"if use_separate_proj_weight:\n" \
	"    if list(key.shape)[:2] != list(value.shape)[:2]:\n" \
	"        raise ValueError(f'key {list(key.shape)} and value {list(value.shape)} differ in length or batch')\n" \
	"    b_q, b_k, b_v = (None, None, None) if in_proj_bias is None else in_proj_bias.chunk(3)\n" \
	"    q = F.linear(query, q_proj_weight, b_q)\n" \
	"    k = F.linear(key, k_proj_weight, b_k)\n" \
	"    v = F.linear(value, v_proj_weight, b_v)\n" \
	"else:\n" \
	"    if key.shape != value.shape:\n" \
	"        raise ValueError(f'key shape {list(key.shape)} does not match value shape {list(value.shape)}')\n" \
	"    if key is value and query is key:\n" \
	"        packed = F.linear(query, in_proj_weight, in_proj_bias).unflatten(-1, (3, embed_dim))\n" \
	"        packed = packed.unsqueeze(0).transpose(0, -2).squeeze(-2).contiguous()\n" \
	"        q, k, v = packed[0], packed[1], packed[2]\n" \
	"    elif key is value:\n" \
	"        w_q, w_kv = in_proj_weight.split([embed_dim, embed_dim * 2])\n" \
	"        b_q, b_kv = (None, None) if in_proj_bias is None else in_proj_bias.split([embed_dim, embed_dim * 2])\n" \
	"        q = F.linear(query, w_q, b_q)\n" \
	"        packed = F.linear(key, w_kv, b_kv).unflatten(-1, (2, embed_dim))\n" \
	"        packed = packed.unsqueeze(0).transpose(0, -2).squeeze(-2).contiguous()\n" \
	"        k, v = packed[0], packed[1]\n" \
	"    else:\n" \
	"        w_q, w_k, w_v = in_proj_weight.chunk(3)\n" \
	"        b_q, b_k, b_v = (None, None, None) if in_proj_bias is None else in_proj_bias.chunk(3)\n" \
	"        q = F.linear(query, w_q, b_q)\n" \
	"        k = F.linear(key, w_k, b_k)\n" \
	"        v = F.linear(value, w_v, b_v)\n"

#define MASK_SHAPE \
	"if attn_mask is not None:\n" \
	"    wanted = [tgt_len, src_len] if attn_mask.dim() == 2 else [bsz * num_heads, tgt_len, src_len]\n" \
	"    if list(attn_mask.shape) != wanted:\n" \
	"        raise ValueError(f'The shape of the attn_mask is {list(attn_mask.shape)}, but should be {wanted}.')\n" \
	"    if attn_mask.dim() == 2:\n" \
	"        attn_mask = attn_mask.unsqueeze(0)\n"

/* Keys and values that are added to those of the input; the masks grow by as many. */
#define EXTRA_KEYS \
	"if bias_k is not None and bias_v is not None:\n" \
	"    k = torch.cat([k, bias_k.repeat(1, bsz, 1)])\n" \
	"    v = torch.cat([v, bias_v.repeat(1, bsz, 1)])\n" \
	"    if attn_mask is not None:\n" \
	"        attn_mask = F.pad(attn_mask, (0, 1))\n" \
	"    if key_padding_mask is not None:\n" \
	"        key_padding_mask = F.pad(key_padding_mask, (0, 1))\n"

#define HEADS \
	"q = q.view(tgt_len, bsz * num_heads, head_dim).transpose(0, 1)\n" \
	"k = k.view(k.size(0), bsz * num_heads, head_dim).transpose(0, 1) if static_k is None else static_k\n" \
	"v = v.view(v.size(0), bsz * num_heads, head_dim).transpose(0, 1) if static_v is None else static_v\n" \
	"if add_zero_attn:\n" \
	"    k = torch.cat([k, torch.zeros((bsz * num_heads, 1, head_dim), dtype=k.dtype)], dim=1)\n" \
	"    v = torch.cat([v, torch.zeros((bsz * num_heads, 1, head_dim), dtype=v.dtype)], dim=1)\n" \
	"    if attn_mask is not None:\n" \
	"        attn_mask = F.pad(attn_mask, (0, 1))\n" \
	"    if key_padding_mask is not None:\n" \
	"        key_padding_mask = F.pad(key_padding_mask, (0, 1))\n" \
	"src_len = k.size(1)\n"

#define MERGE_MASKS \
	"if key_padding_mask is not None:\n" \
	"    if list(key_padding_mask.shape) != [bsz, src_len]:\n" \
	"        raise ValueError(f'Expected key_padding_mask of shape {[bsz, src_len]}, but got {list(key_padding_mask.shape)}')\n" \
	"    key_padding_mask = key_padding_mask.view(bsz, 1, 1, src_len).expand(-1, num_heads, -1, -1).reshape(bsz * num_heads, 1, src_len)\n" \
	"    attn_mask = key_padding_mask if attn_mask is None else attn_mask + key_padding_mask\n"

#define WITH_WEIGHTS \
	"if need_weights:\n" \
	"    if is_causal and attn_mask is None:\n" \
	"        raise ValueError('is_causal without attn_mask is not implemented for need_weights')\n" \
	"    scaled = q * math.sqrt(1.0 / float(q.size(2)))\n" \
	"    if attn_mask is not None:\n" \
	"        weights = torch.baddbmm(attn_mask, scaled, k.transpose(-2, -1))\n" \
	"    else:\n" \
	"        weights = torch.bmm(scaled, k.transpose(-2, -1))\n" \
	"    weights = F.softmax(weights, dim=-1)\n" \
	"    if dropout_p > 0.0:\n" \
	"        weights = F.dropout(weights, p=dropout_p)\n" \
	"    out = torch.bmm(weights, v).transpose(0, 1).reshape(tgt_len * bsz, embed_dim)\n" \
	"    out = F.linear(out, out_proj_weight, out_proj_bias)\n" \
	"    out = out.view(tgt_len, bsz, out.size(1))\n" \
	"    weights = weights.view(bsz, num_heads, tgt_len, src_len)\n" \
	"    if average_attn_weights:\n" \
	"        weights = weights.mean(dim=1)\n" \
	"    if unbatched:\n" \
	"        out, weights = out.squeeze(1), weights.squeeze(0)\n" \
	"    return out, weights\n"

#define WITHOUT_WEIGHTS \
	"if attn_mask is not None:\n" \
	"    if attn_mask.size(0) == 1 and attn_mask.dim() == 3:\n" \
	"        attn_mask = attn_mask.unsqueeze(0)\n" \
	"    else:\n" \
	"        attn_mask = attn_mask.view(bsz, num_heads, -1, src_len)\n" \
	"q = q.view(bsz, num_heads, tgt_len, head_dim)\n" \
	"k = k.view(bsz, num_heads, src_len, head_dim)\n" \
	"v = v.view(bsz, num_heads, src_len, head_dim)\n" \
	"out = F.scaled_dot_product_attention(q, k, v, attn_mask, dropout_p, is_causal)\n" \
	"out = out.permute(2, 0, 1, 3).reshape(bsz * tgt_len, embed_dim)\n" \
	"out = F.linear(out, out_proj_weight, out_proj_bias)\n" \
	"out = out.view(tgt_len, bsz, out.size(1))\n" \
	"return out.squeeze(1) if unbatched else out, None\n"

static const char body[] =
	CHECK_SHAPES
	"unbatched = query.dim() == 2\n"
	"if unbatched:\n"
	"    query, key, value = query.unsqueeze(1), key.unsqueeze(1), value.unsqueeze(1)\n"
	"    if key_padding_mask is not None:\n"
	"        key_padding_mask = key_padding_mask.unsqueeze(0)\n"
	"tgt_len, bsz, embed_dim = query.shape\n"
	"src_len = key.size(0)\n"
	CANONICAL_MASK
	MASKS
	"if embed_dim != embed_dim_to_check:\n"
	"    raise ValueError(f'was expecting embedding dimension of {embed_dim_to_check}, but got {embed_dim}')\n"
	"head_dim = embed_dim // num_heads\n"
	"if head_dim * num_heads != embed_dim:\n"
	"    raise ValueError(f'embed_dim {embed_dim} not divisible by num_heads {num_heads}')\n"
	PROJECTIONS
	MASK_SHAPE
	EXTRA_KEYS
	HEADS
	MERGE_MASKS
	"if not training:\n"
	"    dropout_p = 0.0\n"
	WITH_WEIGHTS
	WITHOUT_WEIGHTS;

const struct function_rule functional_attention_rules[] = {
	{ "F.multi_head_attention_forward", SIGNATURE, body },
	{ 0 },
};
