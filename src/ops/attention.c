/* Attention (aten/src/ATen/native/transformers/{attention,sdp_utils_cpp}.cpp). */

#include "ops/flops.h"
#include "ops/op.h"
#include "ops/shapes.h"

/* ---- scaled_dot_product_attention ---- */

static bool check_sdpa(struct op_call *c)
{
	struct value *q = op_tensor(c, "query"), *k = op_tensor(c, "key"), *v = op_tensor(c, "value"), *mask = op_tensor(c, "attn_mask");
	if (q->ndim < 2 || k->ndim < 2 || v->ndim < 2)
		return op_fail(c, "query %V, key %V and value %V need at least 2 dimensions", q, k, v);
	if (q->dtype != k->dtype || q->dtype != v->dtype)
		return op_fail(c, "query, key and value are %s, %s and %s; they must be of one type", dtype_name(q->dtype), dtype_name(k->dtype),
		               dtype_name(v->dtype));
	if (q->size[q->ndim - 1] != k->size[k->ndim - 1])
		return op_fail(c, "query %V and key %V differ in their last dimension", q, k);
	if (k->size[k->ndim - 2] != v->size[v->ndim - 2])
		return op_fail(c, "key %V and value %V are of different lengths", k, v);
	if (mask && op_bool(c, "is_causal", false))
		return op_fail(c, "attn_mask must not be given when is_causal is True");
	if (mask && mask->dtype != DT_BOOL && mask->dtype != q->dtype && mask->dtype != DT_FLOAT32)
		return op_fail(c, "attn_mask is %s; expected bool or the query's %s", dtype_name(mask->dtype), dtype_name(q->dtype));
	if (mask && mask->ndim < 2)
		return op_fail(c, "attn_mask %V has %d dimensions; expected at least 2", mask, mask->ndim);
	return true;
}

/*
 * On a CPU the flash kernel takes four dimensions of equal batch, heads (or a multiple of them, with enable_gqa) and
 * head size, without dropout, with a mask that needs no gradient and broadcasts (sdp_utils_cpp.cpp: use_flash_attention_cpp).
 */
static const char sdpa_parts[] =
	"flash = dropout_p == 0 and query.dim() == 4 and key.dim() == 4 and value.dim() == 4\n"
	"if flash:\n"
	"    flash = query.size(0) == key.size(0) and key.size(0) == value.size(0) and key.size(1) == value.size(1)\n"
	"    if enable_gqa:\n"
	"        flash = flash and key.size(1) > 0 and query.size(1) % key.size(1) == 0\n"
	"    else:\n"
	"        flash = flash and query.size(1) == key.size(1)\n"
	"    flash = flash and query.size(3) == key.size(3) and key.size(3) == value.size(3)\n"
	"    flash = flash and query.size(2) > 0 and key.size(2) > 0 and query.numel() > 0\n"
	"    flash = flash and query.stride(3) == 1 and key.stride(3) == 1 and value.stride(3) == 1\n"
	"    flash = flash and query.is_floating_point()\n"
	"if flash and attn_mask is not None:\n"
	"    n = attn_mask.dim()\n"
	"    flash = not attn_mask.requires_grad and (n == 2 or n == 4)\n"
	"    if flash:\n"
	"        flash = attn_mask.size(-2) in (1, query.size(2)) and attn_mask.size(-1) in (1, key.size(2))\n"
	"    if flash and n == 4:\n"
	"        flash = attn_mask.size(0) in (1, query.size(0)) and attn_mask.size(1) in (1, query.size(1))\n"
	"if attn_mask is not None and attn_mask.dtype == torch.bool:\n"
	"    attn_mask = aten.where.ScalarSelf(attn_mask, 0.0, aten.scalar_tensor(-math.inf, dtype=query.dtype))\n"
	"if flash:\n"
	"    return aten._scaled_dot_product_flash_attention_for_cpu(query, key, value, dropout_p, is_causal, attn_mask=attn_mask, scale=scale)[0]\n"
	"return aten._scaled_dot_product_attention_math(query, key, value, attn_mask, dropout_p, is_causal, None, scale=scale, enable_gqa=enable_gqa)[0]\n";

/* Query and key are each scaled by the root of the scale; half precision is computed in float32. */
static const char sdpa_math_parts[] =
	"origin = query.dtype\n"
	"if origin == torch.float16 or origin == torch.bfloat16:\n"
	"    query, key, value = aten.to.dtype(query, torch.float32), aten.to.dtype(key, torch.float32), aten.to.dtype(value, torch.float32)\n"
	"    if attn_mask is not None and attn_mask.dtype == origin:\n"
	"        attn_mask = aten.to.dtype(attn_mask, torch.float32)\n"
	"negative = scale is not None and scale < 0\n"
	"factor = abs(scale) if scale is not None else 1.0 / math.sqrt(query.size(-1))\n"
	"factor = math.sqrt(factor)\n"
	"if is_causal:\n"
	"    allowed = aten.tril(aten.ones([query.size(-2), key.size(-2)], dtype=torch.bool))\n"
	"    attn_mask = aten.where.ScalarSelf(allowed, 0.0, aten.scalar_tensor(-math.inf, dtype=query.dtype))\n"
	"query = aten.mul.Scalar(query, -factor if negative else factor)\n"
	"if enable_gqa:\n"
	"    key = aten.repeat_interleave.self_int(key, query.size(-3) // key.size(-3), -3)\n"
	"    value = aten.repeat_interleave.self_int(value, query.size(-3) // value.size(-3), -3)\n"
	"attn = aten.matmul(query, aten.mul.Scalar(aten.transpose.int(key, -2, -1), factor))\n"
	"if attn_mask is not None:\n"
	"    attn = aten.add_.Tensor(attn, attn_mask)\n"
	"attn = aten._safe_softmax(attn, -1)\n"
	"if dropout_p > 0:\n"
	"    if dropout_mask is not None:\n"
	"        attn = aten.masked_fill.Scalar(attn, aten.logical_not(dropout_mask), 0.0)\n"
	"        value = aten.mul.Scalar(value, 1.0 / (1 - dropout_p))\n"
	"    else:\n"
	"        attn = aten.dropout(attn, dropout_p, True)\n"
	"out = aten.matmul(attn, value)\n"
	"if out.dtype != origin:\n"
	"    out, attn = aten.to.dtype(out, origin), aten.to.dtype(attn, origin)\n"
	"return out, attn\n";

/* The log of the sums lies in memory as [batch, query, heads]. */
static bool shape_flash(struct op_call *c)
{
	struct value *q = op_tensor(c, "query");
	if (q->ndim != 4)
		return op_fail(c, "query %V has %d dimensions; expected 4", q, q->ndim);
	int64_t size[3] = { q->size[0], q->size[1], q->size[2] };
	int64_t stride[3] = { q->size[1] * q->size[2], 1, q->size[1] };
	enum dtype d = q->dtype == DT_FLOAT64 ? DT_FLOAT64 : DT_FLOAT32;
	return op_out_like(c, q, q->dtype) && op_out_strided(c, d, 3, size, stride);
}

/* ---- The fused encoder layer and attention, which run without gradients only ---- */

static bool shape_native_attention(struct op_call *c)
{
	struct value *q = op_tensor(c, "query"), *k = op_tensor(c, "key");
	if (q->ndim != 3 || k->ndim != 3)
		return op_fail(c, "query %V and key %V; expected 3 dimensions", q, k);
	int64_t size[4] = { q->size[0], op_int(c, "num_head", 1), q->size[1], k->size[1] };
	if (!op_out(c, q->dtype, 3, q->size))
		return false;
	if (!op_bool(c, "need_weights", true))
		return op_out(c, q->dtype, 1, (int64_t[]){ 0 }) != NULL;
	if (!op_bool(c, "average_attn_weights", true))
		return op_out(c, q->dtype, 4, size) != NULL;
	size[1] = size[2];
	size[2] = size[3];
	return op_out(c, q->dtype, 3, size) != NULL;
}

const struct op_rule attention_rules[] = {
	{ .name = "scaled_dot_product_attention", .shape = check_sdpa, .flops = flops_uncounted, .parts = sdpa_parts },
	{ .name = "_scaled_dot_product_attention_math", .shape = check_sdpa, .flops = flops_uncounted, .parts = sdpa_math_parts },
	{ .name = "_scaled_dot_product_flash_attention_for_cpu", .shape = shape_flash },
	{ .name = "_native_multi_head_attention", .shape = shape_native_attention },
	{ .name = "_transformer_encoder_layer_fwd", .shape = shape_same_contiguous },
	{ 0 },
};
