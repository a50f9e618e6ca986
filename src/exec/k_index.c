/*
 * Elements by their indices along one dimension, or in the whole tensor
 * (aten/src/ATen/native/TensorAdvancedIndexing.cpp,
 * cpu/{ScatterGather,Index}Kernel.cpp).  A tensor without dimensions counts as
 * a vector of one element.
 */
#include "exec/positions.h"

/* self's sizes, at least one of them, and its strides row by row. */
struct grid {
	int ndim, dim;
	int64_t size[MAX_DIMS], stride[MAX_DIMS];
};

static bool grid_of(struct kernel_call *k, const struct tensor *self, struct grid *g)
{
	g->ndim = self->ndim ? self->ndim : 1;
	g->size[0] = 1;
	for (int i = 0; i < self->ndim; i++)
		g->size[i] = self->size[i];
	contiguous_strides(g->ndim, g->size, g->stride);
	return arg_dim(k, "dim", self->ndim, &g->dim);
}

/* ---- Slices: a vector of indices ---- */

/* All elements of the slices. */
static bool slices(struct kernel_call *k, const struct tensor *self, const struct tensor *index, bool negative, struct positions *p)
{
	struct grid g;
	int64_t n_outer, n_inner, n = tensor_numel(index);
	if (!grid_of(k, self, &g))
		return false;
	if (index->ndim > 1)
		return kernel_fail(k, "index is supposed to be a vector, got %d dimensions", index->ndim);
	if (self->ndim == 0 && n != 1)
		return kernel_fail(k, "one index is needed for a tensor without dimensions, got %lld", (long long)n);
	const int64_t *at = indices_of(k, index, g.size[g.dim], negative);
	int64_t *middle = at ? scratch_alloc(k, n, sizeof *middle) : NULL;
	for (int64_t i = 0; middle && i < n; i++)
		middle[i] = at[i] * g.stride[g.dim];
	int64_t *outer = middle ? offsets_of(k, g.dim, g.size, g.stride, &n_outer) : NULL;
	int64_t *inner = outer ? offsets_of(k, g.ndim - g.dim - 1, g.size + g.dim + 1, g.stride + g.dim + 1, &n_inner) : NULL;
	p->ndim = self->ndim;
	for (int i = 0; i < self->ndim; i++)
		p->size[i] = i == g.dim ? n : self->size[i];
	return inner && positions_join(k, p, outer, n_outer, middle, n, inner, n_inner);
}

static bool k_index_select(struct kernel_call *k)
{
	struct tensor *self = arg_tensor(k, "self");
	struct positions p;
	return slices(k, self, arg_tensor(k, "index"), false, &p) && positions_take(k, self, &p, out_new(k, self->dtype, p.ndim, p.size));
}

/* The source has the shape that the slices have together. */
static bool source_fits(struct kernel_call *k, const struct tensor *source, const struct positions *p)
{
	bool same = source->ndim == p->ndim;
	for (int i = 0; same && i < p->ndim; i++)
		same = source->size[i] == p->size[i];
	return same || (p->n == 1 && tensor_numel(source) == 1) || kernel_fail(k, "the source does not have the shape of the slices that are indexed");
}

static bool put_slices(struct kernel_call *k, bool negative, double factor, enum combine c, bool include_self)
{
	struct tensor *self = arg_tensor(k, "self"), *source = arg_tensor(k, "source");
	struct positions p;
	return slices(k, self, arg_tensor(k, "index"), negative, &p) && source_fits(k, source, &p) &&
		positions_put(k, self, &p, source, factor, c, include_self, out_new(k, self->dtype, self->ndim, self->size));
}

static bool k_index_add(struct kernel_call *k) { return put_slices(k, false, arg_real(k, "alpha", 1), COMBINE_SUM, true); }
static bool k_index_copy(struct kernel_call *k) { return put_slices(k, false, 1, COMBINE_SET, true); }

static bool k_index_reduce(struct kernel_call *k)
{
	enum combine c;
	return combine_named(k, arg_str(k, "reduce"), &c) && put_slices(k, false, 1, c, arg_bool(k, "include_self", true));
}

static bool k_index_fill(struct kernel_call *k)
{
	struct tensor *self = arg_tensor(k, "self"), *value = arg_operand(k, "value");
	struct positions p;
	if (!value || !slices(k, self, arg_tensor(k, "index"), true, &p))
		return false;
	if (value->ndim > 0)
		return kernel_fail(k, "the value must have no dimensions, got %d", value->ndim);
	return positions_put(k, self, &p, value, 1, COMBINE_SET, true, out_like(k, self, self->dtype));
}

/* ---- gather and scatter: an index for each element ---- */

/* The place that each index names, where all other coordinates are its own. */
static bool named_places(struct kernel_call *k, const struct tensor *self, const struct tensor *index, struct positions *p)
{
	struct grid g;
	int64_t size[MAX_DIMS] = { 1 }, stride[MAX_DIMS] = { 0 };
	p->ndim = index->ndim;
	if (!grid_of(k, self, &g))
		return false;
	bool empty = tensor_numel(index) == 0;
	if (!empty && (index->ndim ? index->ndim : 1) != g.ndim)
		return kernel_fail(k, "the index must have the same number of dimensions as the tensor, got %d and %d", index->ndim, self->ndim);
	for (int i = 0; i < index->ndim; i++) {
		p->size[i] = size[i] = index->size[i];
		stride[i] = i == g.dim || empty ? 0 : g.stride[i];
		if (!empty && i != g.dim && size[i] > g.size[i])
			return kernel_fail(k, "the index has %lld elements in dimension %d, the tensor only %lld", (long long)size[i], i, (long long)g.size[i]);
	}
	const int64_t *at = indices_of(k, index, g.size[g.dim], false);
	p->at = at ? offsets_of(k, index->ndim, size, stride, &p->n) : NULL;
	for (int64_t i = 0; p->at && i < p->n; i++)
		p->at[i] += at[i] * g.stride[g.dim];
	return p->at != NULL;
}

static bool k_gather(struct kernel_call *k)
{
	struct tensor *self = arg_tensor(k, "self");
	struct positions p;
	return named_places(k, self, arg_tensor(k, "index"), &p) && positions_take(k, self, &p, out_new(k, self->dtype, p.ndim, p.size));
}

/* The part of the source that has indices. */
static bool indexed_part(struct kernel_call *k, const struct tensor *src, const struct positions *p, struct tensor *part)
{
	static const int64_t one = 1, none = 0;
	*part = *src;
	if (p->n == 0) {
		part->ndim = 1;
		part->size = (int64_t *)&none;
		part->stride = (int64_t *)&one;
		return true;
	}
	part->ndim = p->ndim;
	part->size = (int64_t *)p->size;
	if (src->ndim == 0)
		part->stride = (int64_t *)&one;
	for (int i = 0; i < p->ndim; i++) {
		int64_t has = src->ndim == 0 ? 1 : i < src->ndim ? src->size[i] : 0;
		if (p->size[i] > has)
			return kernel_fail(k, "the index has %lld elements in dimension %d, the source only %lld", (long long)p->size[i], i, (long long)has);
	}
	return (p->ndim ? p->ndim : 1) == (src->ndim ? src->ndim : 1) ||
		kernel_fail(k, "the index must have the same number of dimensions as the source, got %d and %d", p->ndim, src->ndim);
}

static bool scatter(struct kernel_call *k, enum combine c, bool include_self)
{
	struct tensor *self = arg_tensor(k, "self"), *src = arg_tensor(k, "src"), *value = src ? NULL : arg_operand(k, "value"), part;
	struct positions p;
	if ((!src && !value) || !named_places(k, self, arg_tensor(k, "index"), &p))
		return false;
	if (src && !indexed_part(k, src, &p, &part))
		return false;
	return positions_put(k, self, &p, src ? &part : value, 1, c, include_self, out_new(k, self->dtype, self->ndim, self->size));
}

static bool k_scatter(struct kernel_call *k) { return scatter(k, COMBINE_SET, true); }
static bool k_scatter_add(struct kernel_call *k) { return scatter(k, COMBINE_SUM, true); }

static bool k_scatter_reduce(struct kernel_call *k)
{
	enum combine c;
	return combine_named(k, arg_str(k, "reduce"), &c) && scatter(k, c, arg_bool(k, "include_self", true));
}

/* ---- take and put: the tensor as if it were a vector ---- */

static bool flat_places(struct kernel_call *k, const struct tensor *self, const struct tensor *index, struct positions *p)
{
	p->n = tensor_numel(index);
	p->ndim = index->ndim;
	for (int i = 0; i < index->ndim; i++)
		p->size[i] = index->size[i];
	p->at = (int64_t *)indices_of(k, index, tensor_numel(self), true);
	return p->at != NULL;
}

static bool k_take(struct kernel_call *k)
{
	struct tensor *self = arg_tensor(k, "self");
	struct positions p;
	return flat_places(k, self, arg_tensor(k, "index"), &p) && positions_take(k, self, &p, out_new(k, self->dtype, p.ndim, p.size));
}

static bool k_put(struct kernel_call *k)
{
	struct tensor *self = arg_tensor(k, "self"), *source = arg_tensor(k, "source");
	struct positions p;
	if (!flat_places(k, self, arg_tensor(k, "index"), &p))
		return false;
	if (tensor_numel(source) != p.n)
		return kernel_fail(k, "as many indices as elements are needed, got %lld and %lld", (long long)p.n, (long long)tensor_numel(source));
	return positions_put(k, self, &p, source, 1, arg_bool(k, "accumulate", false) ? COMBINE_SUM : COMBINE_SET, true, out_like(k, self, self->dtype));
}

const struct kernel_row index_kernels[] = {
	{ .name = "index_select", .run = k_index_select },
	{ .name = "index_add", .run = k_index_add },
	{ .name = "index_copy", .run = k_index_copy },
	{ .name = "index_reduce", .run = k_index_reduce },
	{ .name = "index_fill", .run = k_index_fill },
	{ .name = "gather", .run = k_gather },
	{ .name = "scatter.reduce", .run = k_scatter_reduce },
	{ .name = "scatter.value_reduce", .run = k_scatter_reduce },
	{ .name = "scatter", .run = k_scatter },
	{ .name = "scatter_add", .run = k_scatter_add },
	{ .name = "scatter_reduce", .run = k_scatter_reduce },
	{ .name = "take", .run = k_take },
	{ .name = "put", .run = k_put },
	{ 0 }
};
