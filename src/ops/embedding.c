/* Embedding tables (aten/src/ATen/native/{Embedding,EmbeddingBag}.cpp). */
#include <string.h>

#include "ops/op.h"
#include "ops/shapes.h"

static bool check_indices(struct op_call *c, const struct value *indices)
{
	if (indices->dtype != DT_INT64 && indices->dtype != DT_INT32)
		return op_fail(c, "expected indices of type int64 or int32, got %s", dtype_name(indices->dtype));
	return true;
}

/* One row of weight for each index. */
static bool shape_embedding(struct op_call *c)
{
	struct value *weight = op_tensor(c, "weight"), *indices = op_tensor(c, "indices");
	int64_t size[MAX_DIMS];
	if (weight->ndim != 2)
		return op_fail(c, "'weight' must be 2-D, got %V", weight);
	if (!check_indices(c, indices))
		return false;
	if (indices->ndim >= MAX_DIMS)
		return op_fail(c, "a tensor cannot have more than %d dimensions", MAX_DIMS);
	memcpy(size, indices->size, (size_t)indices->ndim * sizeof *size);
	size[indices->ndim] = weight->size[1];
	return op_out(c, weight->dtype, indices->ndim + 1, size) != NULL;
}

static bool shape_renorm_rows(struct op_call *c)
{
	return check_indices(c, op_tensor(c, "indices")) && shape_written(c);
}

/*
 * Bags of rows: [B, D], then what the backward pass needs on a CPU: the bag of
 * each index (none for sum), the bags' sizes, the largest rows' indices for max.
 */
static bool embedding_bag(struct op_call *c, bool forward_only)
{
	struct value *weight = op_tensor(c, "weight"), *indices = op_tensor(c, "indices"), *offsets = op_tensor(c, "offsets");
	int64_t mode = op_int(c, "mode", 0), padding = op_int(c, "padding_idx", -1);
	if (weight->ndim != 2 || indices->ndim != 1 || offsets->ndim != 1)
		return op_fail(c, "expected weight of 2 dimensions, indices and offsets of 1, got %V, %V and %V", weight, indices, offsets);
	if (!check_indices(c, indices) || !check_indices(c, offsets))
		return false;
	bool narrow = weight->dtype == DT_FLOAT32 || weight->dtype == DT_FLOAT16 || weight->dtype == DT_BFLOAT16;
	bool fast_sum = mode == 0 && padding < 0 && weight->stride[1] == 1 && narrow;
	int64_t bags = offsets->size[0] - (op_bool(c, "include_last_offset", false) ? 1 : 0);
	int64_t out[2] = { bags, weight->size[1] }, owner = fast_sum ? 0 : indices->size[0];
	/* whoever needs no gradient leaves the sizes of a sum as long as the offsets */
	int64_t sizes = mode == 0 && forward_only ? offsets->size[0] : bags;
	if (!op_out(c, weight->dtype, 2, out) || !op_out(c, DT_INT64, 1, &owner) || !op_out(c, DT_INT64, 1, &sizes))
		return false;
	return mode == 2 ? op_out(c, DT_INT64, 2, out) != NULL : op_out(c, DT_INT64, 1, &sizes) != NULL;
}

static bool shape_embedding_bag(struct op_call *c)
{
	return embedding_bag(c, false);
}

static bool shape_embedding_bag_forward(struct op_call *c)
{
	return embedding_bag(c, true);
}

/* The same operator twice: the one that remembers nothing is taken when no gradient is needed. */
#define BAG(padding) \
	"if weight.requires_grad or (per_sample_weights is not None and per_sample_weights.requires_grad):\n" \
	"    return aten._embedding_bag(weight, indices, offsets, scale_grad_by_freq, mode, sparse, per_sample_weights, include_last_offset, " padding ")\n" \
	"return aten._embedding_bag_forward_only(weight, indices, offsets, scale_grad_by_freq, mode, sparse, per_sample_weights, include_last_offset, " padding ")"

const struct op_rule embedding_rules[] = {
	{ .name = "embedding", .shape = shape_embedding },
	{ .name = "embedding_renorm_", .shape = shape_renorm_rows },
	{ .name = "embedding_renorm", .shape = shape_same_contiguous },
	{ .name = "_embedding_bag", .shape = shape_embedding_bag },
	{ .name = "_embedding_bag_forward_only", .shape = shape_embedding_bag_forward },
	{ .name = "embedding_bag", .parts = BAG("-1") },
	{ .name = "embedding_bag.padding_idx", .parts =
		"p = -1 if padding_idx is None else padding_idx + weight.size(0) if padding_idx < 0 else padding_idx\n"
		BAG("p") },
	{ 0 },
};
