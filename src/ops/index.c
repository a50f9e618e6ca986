/*
 * Operators that take or put elements by their indices, masks, and sorting
 * (aten/src/ATen/native/{TensorAdvancedIndexing,IndexingUtils,Sorting,
 * Bucketization,Unique,Onehot}.cpp).
 */
#include <string.h>

#include "ops/op.h"
#include "ops/shapes.h"

static bool is_index(const struct value *v)
{
	return v->dtype == DT_INT64 || v->dtype == DT_INT32;
}

static bool check_index(struct op_call *c, const struct value *index)
{
	return is_index(index) || op_fail(c, "expected int64 or int32 for index, got %s", dtype_name(index->dtype));
}

/* ---- Along one dimension ---- */

static bool shape_index_select(struct op_call *c)
{
	struct value *self = op_tensor(c, "self"), *index = op_tensor(c, "index");
	int64_t size[MAX_DIMS];
	int d;
	if (index->ndim == -1) /* as many as its values say */
		return out_unknown(c, self->dtype) != NULL;
	if (index->ndim > 1)
		return op_fail(c, "index is supposed to be a vector, got %V", index);
	if (!check_index(c, index) || !op_dim(c, op_int(c, "dim", 0), self->ndim, &d))
		return false;
	memcpy(size, self->size, (size_t)self->ndim * sizeof *size);
	if (self->ndim > 0)
		size[d] = value_numel(index);
	return op_out(c, self->dtype, self->ndim, size) != NULL;
}

/* index may be smaller than self everywhere but along dim; as in ScatterGatherChecks.h */
static bool fits_within(struct op_call *c, const struct value *index, const struct value *in, int d, const char *what)
{
	int n = in->ndim ? in->ndim : 1, m = index->ndim ? index->ndim : 1;
	if (value_numel(index) == 0)
		return true;
	if (n != m)
		return op_fail(c, "index %V must have the same number of dimensions as %s %V", index, what, in);
	for (int i = 0; i < in->ndim && i < index->ndim; i++)
		if (i != d && index->size[i] > in->size[i])
			return op_fail(c, "size does not match at dimension %d: expected index %V to be no larger than %s %V apart from dimension %d",
			               i, index, what, in, d);
	return true;
}

static bool shape_gather(struct op_call *c)
{
	struct value *self = op_tensor(c, "self"), *index = op_tensor(c, "index");
	int d;
	if (value_numel(index) > 0 && !check_index(c, index))
		return false;
	if (!op_dim(c, op_int(c, "dim", 0), self->ndim, &d) || !fits_within(c, index, self, d, "input"))
		return false;
	return op_out(c, self->dtype, index->ndim, index->size) != NULL;
}

static bool check_scatter(struct op_call *c)
{
	struct value *self = op_tensor(c, "self"), *index = op_tensor(c, "index"), *src = op_tensor(c, "src");
	int d;
	if (!check_index(c, index) || !op_dim(c, op_int(c, "dim", 0), self->ndim, &d) || !fits_within(c, index, self, d, "self"))
		return false;
	if (src && src->dtype != self->dtype)
		return op_fail(c, "expected self.dtype to be equal to src.dtype, got %s and %s", dtype_name(self->dtype), dtype_name(src->dtype));
	return !src || fits_within(c, index, src, -1, "src");
}

static bool shape_scatter(struct op_call *c)
{
	return check_scatter(c) && shape_same_contiguous(c);
}

static bool shape_scatter_inplace(struct op_call *c)
{
	return check_scatter(c) && shape_written(c);
}

/* index_add, index_copy, index_reduce: source has self's shape, with as many entries along dim as there are indices. */
static bool check_index_add(struct op_call *c)
{
	struct value *self = op_tensor(c, "self"), *index = op_tensor(c, "index"), *source = op_tensor(c, "source");
	int d;
	if (!check_index(c, index) || !op_dim(c, op_int(c, "dim", 0), self->ndim, &d))
		return false;
	if (index->ndim > 1)
		return op_fail(c, "index is supposed to be a vector, got %V", index);
	if (!source)
		return true;
	if (source->dtype != self->dtype)
		return op_fail(c, "self and source must have the same type, got %s and %s", dtype_name(self->dtype), dtype_name(source->dtype));
	for (int i = 0; i < self->ndim && i < source->ndim; i++)
		if (source->size[i] != (i == d ? value_numel(index) : self->size[i]))
			return op_fail(c, "source %V does not match input %V with %lld indices at dimension %d", source, self,
			               (long long)value_numel(index), d);
	return true;
}

static bool shape_index_add(struct op_call *c)
{
	return check_index_add(c) && shape_same_contiguous(c);
}

/* These write into a clone of self, which keeps its layout. */
static bool shape_index_fill(struct op_call *c)
{
	return check_index_add(c) && shape_same(c);
}

static bool shape_index_add_inplace(struct op_call *c)
{
	return check_index_add(c) && shape_written(c);
}

static bool shape_take(struct op_call *c)
{
	struct value *self = op_tensor(c, "self"), *index = op_tensor(c, "index");
	return check_index(c, index) && op_out(c, self->dtype, index->ndim, index->size);
}

static bool shape_put(struct op_call *c)
{
	return check_index(c, op_tensor(c, "index")) && shape_same(c);
}

static bool shape_put_inplace(struct op_call *c)
{
	return check_index(c, op_tensor(c, "index")) && shape_written(c);
}

/* ---- x[i, j]: aten/src/ATen/native/TensorAdvancedIndexing.cpp, AdvancedIndex ---- */

enum { MAX_INDICES = MAX_DIMS };

struct indexing {
	struct value *self;
	struct value *index[MAX_INDICES]; /* by dimension of self; NULL: all of it */
	int n;                            /* how many of them there are, NULL or not */
	bool masked;                      /* one is a mask: how many it selects is not known */
};

static bool collect_indices(struct op_call *c, struct indexing *x)
{
	int n;
	struct value **in = op_tensors(c, "indices", &n);
	x->self = op_tensor(c, "self");
	x->n = 0;
	x->masked = false;
	for (int i = 0; i < n; i++) {
		bool mask = in[i] && (in[i]->dtype == DT_BOOL || in[i]->dtype == DT_UINT8);
		int takes = mask ? in[i]->ndim : 1;
		if (in[i] && !mask && !is_index(in[i]) && in[i]->dtype != DT_INT8 && in[i]->dtype != DT_INT16)
			return op_fail(c, "tensors used as indices must be long, int, byte or bool tensors, got %s", dtype_name(in[i]->dtype));
		if (x->n + takes > x->self->ndim)
			return op_fail(c, "too many indices for tensor %V", x->self);
		for (int k = 0; mask && k < takes; k++)
			if (in[i]->size[k] != x->self->size[x->n + k])
				return op_fail(c, "the shape of the mask %V at index %d does not match the shape of the indexed tensor %V", in[i], k, x->self);
		x->masked = x->masked || mask || (in[i] && in[i]->ndim < 0);
		for (int k = 0; k < takes; k++)
			x->index[x->n++] = in[i];
	}
	while (x->n < x->self->ndim)
		x->index[x->n++] = NULL;
	return true;
}

/* Whether the indexed dimensions follow one another (hasContiguousSubspace). */
static bool indexed_adjacent(const struct indexing *x)
{
	int first = 0, last = x->n - 1;
	while (first < x->n && !x->index[first])
		first++;
	while (last >= 0 && !x->index[last])
		last--;
	for (int i = first; i <= last; i++)
		if (!x->index[i])
			return false;
	return true;
}

static bool broadcast_indices(struct op_call *c, const struct indexing *x, int *ndim, int64_t *size)
{
	*ndim = 0;
	for (int i = 0; i < x->n; i++) {
		if (!x->index[i])
			continue;
		struct value so_far = { .ndim = *ndim, .size = size };
		if (!op_broadcast(c, *ndim, size, x->index[i]->ndim, x->index[i]->size, ndim, size))
			return op_fail(c, "shape mismatch: indexing tensors could not be broadcast together with shapes %V, %V", &so_far, x->index[i]);
	}
	return true;
}

/*
 * The operands of the element-wise copy that indexing is: self with the
 * indexed dimensions replaced by the indices' (stride 0), and the indices,
 * filled up with dimensions of size 1.  Their strides decide the layout of the
 * result.
 */
static struct value *restrided(struct op_call *c, const struct indexing *x, bool adjacent, int n, const int64_t *size)
{
	int64_t s[2 * MAX_DIMS], t[2 * MAX_DIMS];
	int k = 0;
	bool placed = false;
	for (int pass = adjacent ? 1 : 0; pass < 2; pass++) {
		for (int i = pass == 0 ? x->n : 0; i < x->n || (pass == 0 && !placed); i++) {
			if (pass == 1 && !x->index[i]) {
				s[k] = x->self->size[i];
				t[k++] = x->self->stride[i];
			} else if (!placed) {
				for (int j = 0; j < n; j++) {
					s[k] = size[j];
					t[k++] = 0;
				}
				placed = true;
			}
		}
	}
	if (k > MAX_DIMS) {
		op_fail(c, "%d dimensions are more than the %d that a tensor can have", k, MAX_DIMS);
		return NULL;
	}
	struct value *v = value_new(c->arena, x->self->dtype, k, s);
	if (!v)
		return fail_memory(c->err), NULL;
	memcpy(v->stride, t, (size_t)k * sizeof *t);
	return v;
}

/* An index of the broadcast shape, `after` dimensions of size 1 behind it. */
static struct value *padded_index(struct op_call *c, const struct value *index, int n, const int64_t *size, int after)
{
	int64_t s[MAX_DIMS], t[MAX_DIMS];
	int skip = n - index->ndim;
	for (int i = 0; i < n + after; i++) {
		bool given = i >= skip && i < n;
		s[i] = i < n ? size[i] : 1;
		t[i] = given && index->size[i - skip] != 1 ? index->stride[i - skip] : 0;
	}
	struct value *v = value_new(c->arena, index->dtype, n + after, s);
	if (!v)
		return fail_memory(c->err), NULL;
	memcpy(v->stride, t, (size_t)(n + after) * sizeof *t);
	return v;
}

static bool shape_index(struct op_call *c)
{
	struct indexing x;
	int n, k = 0, before = 0;
	int64_t size[MAX_DIMS];
	struct value *in[MAX_INDICES + 1];
	if (!collect_indices(c, &x))
		return false;
	if (x.masked)
		return out_unknown(c, x.self->dtype) != NULL;
	if (!broadcast_indices(c, &x, &n, size))
		return false;
	bool adjacent = indexed_adjacent(&x);
	if (!(in[k++] = restrided(c, &x, adjacent, n, size)))
		return false;
	while (adjacent && before < x.n && !x.index[before])
		before++;
	for (int i = 0; i < x.n; i++)
		if (x.index[i] && !(in[k++] = padded_index(c, x.index[i], n, size, in[0]->ndim - n - before)))
			return false;
	return op_out_pointwise(c, x.self->dtype, in, k) != NULL;
}

/* What is put there must fit what would be taken. */
static bool check_put(struct op_call *c)
{
	struct indexing x;
	struct value *values = op_tensor(c, "values"), *place;
	int n, m;
	int64_t size[MAX_DIMS];
	if (!collect_indices(c, &x))
		return false;
	if (values->dtype != x.self->dtype && !(values->ndim == 0 && values->is_scalar))
		return op_fail(c, "requires the source and destination dtypes match, got %s for the destination and %s for the source",
		               dtype_name(x.self->dtype), dtype_name(values->dtype));
	if (x.masked || values->ndim < 0)
		return true;
	if (!broadcast_indices(c, &x, &n, size) || !(place = restrided(c, &x, indexed_adjacent(&x), n, size)))
		return false;
	if (!op_broadcast(c, place->ndim, place->size, values->ndim, values->size, &m, size) || !sizes_equal(place, m, size))
		return op_fail(c, "shape mismatch: value tensor of shape %V cannot be broadcast to indexing result of shape %V", values, place);
	return true;
}

static bool shape_index_put(struct op_call *c)
{
	return check_put(c) && shape_same(c);
}

static bool shape_index_put_inplace(struct op_call *c)
{
	return check_put(c) && shape_written(c);
}

/* What is indexed, and the mask, broadcast to each other. */
static bool shape_masked_index(struct op_call *c)
{
	if (!shape_index(c))
		return false;
	const struct value *taken = c->outputs[--c->n_outputs], *mask = op_tensor(c, "mask");
	int64_t size[MAX_DIMS];
	int n;
	if (taken->ndim < 0)
		return out_unknown(c, taken->dtype) != NULL;
	if (!op_broadcast(c, taken->ndim, taken->size, mask->ndim, mask->size, &n, size))
		return op_fail(c, "mask %V does not fit what is indexed, %V", mask, taken);
	return op_out(c, taken->dtype, n, size) != NULL;
}

/* ---- Masks ---- */

static bool check_mask(struct op_call *c, const struct value *mask)
{
	return mask->dtype == DT_BOOL || op_fail(c, "only supports boolean masks, but got mask with dtype %s", dtype_name(mask->dtype));
}

/* A contiguous clone of self, expanded when the mask is larger. */
static bool shape_masked(struct op_call *c)
{
	struct value *in[2] = { op_tensor(c, "self"), op_tensor(c, "mask") }, *value = op_tensor(c, "value");
	int n;
	int64_t size[MAX_DIMS];
	if (!check_mask(c, in[1]))
		return false;
	if (value && value->ndim > 0)
		return op_fail(c, "only supports a 0-dimensional value tensor, but got tensor %V", value);
	if (!op_broadcast(c, in[0]->ndim, in[0]->size, in[1]->ndim, in[1]->size, &n, size))
		return op_fail(c, "mask %V cannot be broadcast with input %V", in[1], in[0]);
	return op_out(c, in[0]->dtype, n, size) != NULL;
}

static bool shape_masked_inplace(struct op_call *c)
{
	struct value *self = op_tensor(c, "self"), *mask = op_tensor(c, "mask");
	int n;
	int64_t size[MAX_DIMS];
	if (!check_mask(c, mask))
		return false;
	if (!op_broadcast(c, self->ndim, self->size, mask->ndim, mask->size, &n, size) || !sizes_equal(self, n, size))
		return op_fail(c, "mask %V cannot be broadcast to input %V", mask, self);
	return shape_written(c);
}

static bool shape_nonzero(struct op_call *c)
{
	return out_unknown(c, DT_INT64) != NULL;
}

static bool shape_nonzero_static(struct op_call *c)
{
	int64_t size[2] = { op_int(c, "size", 0), op_tensor(c, "self")->ndim };
	return op_out(c, DT_INT64, 2, size) != NULL;
}

/* The different values, where each went, how often each came. */
static bool shape_unique(struct op_call *c)
{
	struct value *self = op_tensor(c, "self");
	int64_t none = 0;
	if (!out_unknown(c, self->dtype))
		return false;
	bool inverse = op_bool(c, "return_inverse", false), counts = op_bool(c, "return_counts", false);
	if (!(inverse ? op_out(c, DT_INT64, self->ndim, self->size) : op_out(c, DT_INT64, 1, &none)))
		return false;
	return (counts ? out_unknown(c, DT_INT64) : op_out(c, DT_INT64, 1, &none)) != NULL;
}

/* The same of the slices along dim; all three results come always. */
static bool shape_unique_slices(struct op_call *c)
{
	struct value *self = op_tensor(c, "self");
	int d;
	if (self->ndim == 0)
		return op_fail(c, "expected a tensor with dimensions");
	return op_dim(c, op_int(c, "dim", 0), self->ndim, &d) && out_unknown(c, self->dtype) && op_out(c, DT_INT64, 1, &self->size[d]) &&
		out_unknown(c, DT_INT64);
}

static bool shape_unique_consecutive(struct op_call *c)
{
	return op_is_none(c, "dim") || op_tensor(c, "self")->ndim == 1 ? shape_unique(c) : shape_unique_slices(c);
}

/* ---- Order ---- */

/* The layout is kept when the memory is dense; indices likewise. */
static bool shape_sort(struct op_call *c)
{
	struct value *self = op_tensor(c, "self");
	int d;
	return op_dim(c, op_int(c, "dim", -1), self->ndim, &d) && op_out_like(c, self, self->dtype) && op_out_like(c, self, DT_INT64);
}

static bool shape_topk(struct op_call *c)
{
	struct value *self = op_tensor(c, "self");
	int64_t k = op_int(c, "k", 1), size[MAX_DIMS];
	int d;
	if (!op_dim(c, op_int(c, "dim", -1), self->ndim, &d))
		return false;
	int64_t extent = self->ndim ? self->size[d] : 1;
	if (k < 0 || k > extent)
		return op_fail(c, "selected index k = %lld out of range for dimension %d of %V", (long long)k, d, self);
	memcpy(size, self->size, (size_t)self->ndim * sizeof *size);
	if (self->ndim)
		size[d] = k;
	return op_out(c, self->dtype, self->ndim, size) && op_out(c, DT_INT64, self->ndim, size);
}

static bool shape_searchsorted(struct op_call *c)
{
	struct value *self = op_tensor(c, "self");
	enum dtype d = op_bool(c, "out_int32", false) ? DT_INT32 : DT_INT64;
	return self ? op_out(c, d, self->ndim, self->size) != NULL : op_out(c, d, 0, NULL) != NULL;
}

/* ---- Rows ---- */

const struct op_rule index_rules[] = {
	{ .name = "index_select", .shape = shape_index_select },
	{ .name = "gather", .shape = shape_gather },
	{ .name = "scatter.src", .shape = shape_scatter },
	{ .name = "scatter.value", .shape = shape_scatter },
	{ .name = "scatter.reduce", .shape = shape_scatter },
	{ .name = "scatter.value_reduce", .shape = shape_scatter },
	{ .name = "scatter_add", .shape = shape_scatter },
	{ .name = "scatter_reduce.two", .shape = shape_scatter },
	{ .name = "scatter_.src", .shape = shape_scatter_inplace },
	{ .name = "scatter_.value", .shape = shape_scatter_inplace },
	{ .name = "scatter_.reduce", .shape = shape_scatter_inplace },
	{ .name = "scatter_.value_reduce", .shape = shape_scatter_inplace },
	{ .name = "scatter_add_", .shape = shape_scatter_inplace },
	{ .name = "scatter_reduce_.two", .shape = shape_scatter_inplace },
	{ .name = "index_add", .shape = shape_index_add },
	{ .name = "index_copy", .shape = shape_index_add },
	{ .name = "index_reduce", .shape = shape_index_add },
	{ .name = "index_fill.int_Scalar", .shape = shape_index_fill },
	{ .name = "index_fill.int_Tensor", .shape = shape_index_fill },
	{ .name = "index_add_", .shape = shape_index_add_inplace },
	{ .name = "index_copy_", .shape = shape_index_add_inplace },
	{ .name = "index_reduce_", .shape = shape_index_add_inplace },
	{ .name = "index_fill_.int_Scalar", .shape = shape_index_add_inplace },
	{ .name = "index_fill_.int_Tensor", .shape = shape_index_add_inplace },
	{ .name = "take", .shape = shape_take },
	{ .name = "put", .shape = shape_put },
	{ .name = "put_", .shape = shape_put_inplace },
	{ .name = "index.Tensor", .shape = shape_index },
	{ .name = "_unsafe_index.Tensor", .shape = shape_index },
	{ .name = "index_put", .shape = shape_index_put },
	{ .name = "_unsafe_index_put", .shape = shape_index_put },
	{ .name = "_unsafe_masked_index", .shape = shape_masked_index },
	{ .name = "_unsafe_masked_index_put_accumulate", .shape = shape_same },
	{ .name = "index_put_", .shape = shape_index_put_inplace },

	{ .name = "masked_fill.Scalar", .shape = shape_masked },
	{ .name = "masked_fill.Tensor", .shape = shape_masked },
	{ .name = "masked_scatter", .shape = shape_masked },
	{ .name = "masked_fill_.Scalar", .shape = shape_masked_inplace },
	{ .name = "masked_fill_.Tensor", .shape = shape_masked_inplace },
	{ .name = "masked_scatter_", .shape = shape_masked_inplace },
	{ .name = "masked_select", .shape = shape_unknown },
	{ .name = "nonzero", .shape = shape_nonzero },
	{ .name = "nonzero_static", .shape = shape_nonzero_static },
	{ .name = "_unique2", .shape = shape_unique },
	{ .name = "unique_consecutive", .shape = shape_unique_consecutive },
	{ .name = "unique_dim", .shape = shape_unique_slices },
	{ .name = "unique_dim_consecutive", .shape = shape_unique_slices },

	{ .name = "sort", .shape = shape_sort },
	{ .name = "sort.stable", .shape = shape_sort },
	{ .name = "topk", .shape = shape_topk },
	{ .name = "searchsorted.Tensor", .shape = shape_searchsorted },
	{ .name = "searchsorted.Scalar", .shape = shape_searchsorted },
	{ .name = "bucketize.Tensor", .shape = shape_searchsorted },
	{ .name = "bucketize.Scalar", .shape = shape_searchsorted },

	/* composites */
	{ .name = "argsort", .parts = "return aten.sort(self, dim, descending)[1]" },
	{ .name = "argsort.stable", .parts = "return aten.sort.stable(self, stable=stable, dim=dim, descending=descending)[1]" },
	{ .name = "msort", .parts = "return aten.sort(self, 0, False)[0]" },
	{ .name = "argwhere", .parts = "return aten.nonzero(self)" },
	{ .name = "nonzero_numpy", .parts = "return aten.unbind.int(aten.nonzero(aten.unsqueeze(self, 0) if self.dim() == 0 else self), 1)" },
	{ .name = "take_along_dim", .parts =
		"if dim is None:\n"
		"    return aten.gather(aten.view(self, [-1]), 0, aten.view(indices, [-1]))\n"
		"if self.dim() != indices.dim():\n"
		"    raise ValueError(f'take_along_dim(): input and indices should have the same number of dimensions, but got {self.dim()} dimensions for input, "
		"and {indices.dim()} dimensions for indices')\n"
		"d = dim % self.dim()\n"
		"size = [max(a, b) if min(a, b) else 0 for a, b in zip(self.shape, indices.shape)]\n"
		"x = aten.expand(self, size[:d] + [self.size(d)] + size[d + 1:])\n"
		"i = aten.expand(indices, size[:d] + [indices.size(d)] + size[d + 1:])\n"
		"return aten.gather(x, d, aten.remainder.Scalar(i, self.size(d)))" },
	{ .name = "one_hot", .parts =
		"if self.dtype != torch.int64:\n"
		"    raise ValueError('one_hot is only applicable to index tensor.')\n"
		"if num_classes <= 0:\n"
		"    raise ValueError('one_hot: num_classes must be given, because the values of the indices are not known')\n"
		"zeros = aten.zeros(list(self.shape) + [num_classes], dtype=torch.int64)\n"
		"return aten.scatter_.value(zeros, -1, aten.unsqueeze(self, -1), 1)" },
	{ 0 },
};
