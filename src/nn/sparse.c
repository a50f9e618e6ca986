/*
 * Tables that are looked up: torch/nn/modules/sparse.py.
 */
#include "nn/nn.h"

#include <stddef.h>

/* A negative padding_idx counts from the end. */
#define PADDING \
	"if padding_idx is not None:\n" \
	"    if padding_idx >= num_embeddings or padding_idx < -num_embeddings:\n" \
	"        raise AssertionError('padding_idx must be within num_embeddings')\n" \
	"    if padding_idx < 0:\n" \
	"        self.padding_idx = num_embeddings + padding_idx\n"

#define WEIGHT(requires_grad) \
	"if _weight is None:\n" \
	"    self.weight = Parameter(torch.empty(num_embeddings, embedding_dim, dtype=dtype)" requires_grad ")\n" \
	"else:\n" \
	"    if list(_weight.shape) != [num_embeddings, embedding_dim]:\n" \
	"        raise AssertionError('Shape of weight does not match num_embeddings and embedding_dim')\n" \
	"    self.weight = Parameter(_weight" requires_grad ")\n"

/* A weight that was given stays. */
static const char reset[] =
	"if self._weight is None:\n"
	"    init.normal_(self.weight)\n"
	"    if self.padding_idx is not None:\n"
	"        init.zeros_(self.weight[self.padding_idx])\n";

#define NORMS \
	" + (f', max_norm={max_norm}' if max_norm is not None else '')" \
	" + (f', norm_type={norm_type}' if norm_type != 2 else '')" \
	" + (f', scale_grad_by_freq={scale_grad_by_freq}' if scale_grad_by_freq is not False else '')"

const struct nn_class sparse_classes[] = {
	{ .name = "Embedding",
	  .signature = "num_embeddings, embedding_dim, padding_idx=None, max_norm=None, norm_type=2.0, scale_grad_by_freq=False,"
	  " sparse=False, _weight=None, _freeze=False, device=None, dtype=None",
	  .build = PADDING WEIGHT(", requires_grad=not _freeze"),
	  .repr = "f'{num_embeddings}, {embedding_dim}' + (f', padding_idx={padding_idx}' if padding_idx is not None else '')" NORMS
	  " + (', sparse=True' if sparse is not False else '')",
	  .forward_signature = "input",
	  .forward = "return F.embedding(input, self.weight, self.padding_idx, self.max_norm, self.norm_type, self.scale_grad_by_freq,"
	  " self.sparse)\n",
	  .reset = reset },
	{ .name = "EmbeddingBag", /* the mode has quotes since 2.0 */
	  .signature = "num_embeddings, embedding_dim, max_norm=None, norm_type=2.0, scale_grad_by_freq=False, mode='mean', sparse=False,"
	  " _weight=None, include_last_offset=False, padding_idx=None, device=None, dtype=None",
	  .build = PADDING WEIGHT(""),
	  .repr = "f'{num_embeddings}, {embedding_dim}'" NORMS " + f', mode={repr(mode) if torch_version >= 200 else mode}'"
	  " + (f', padding_idx={padding_idx}' if padding_idx is not None else '')",
	  .forward_signature = "input, offsets=None, per_sample_weights=None",
	  .forward = "return F.embedding_bag(input, self.weight, offsets, self.max_norm, self.norm_type, self.scale_grad_by_freq,"
	  " self.mode, self.sparse, per_sample_weights, self.include_last_offset, self.padding_idx)\n",
	  .reset = reset },
	{ .name = NULL },
};
