/*
 * x[i, j] and masks (aten/src/ATen/native/TensorAdvancedIndexing.cpp,
 * IndexingUtils.h).
 */
#include <string.h>

#include "exec/pairs.h"
#include "exec/positions.h"

/* ---- Where a mask is true ---- */

/* Positions of what is not zero; p has one dimension then. */
static bool true_places(struct kernel_call *k, const struct tensor *t, struct positions *p)
{
	int64_t n = tensor_numel(t);
	const double *reals = dtype_is_float(t->dtype) ? doubles_of(k, t) : NULL;
	const int64_t *ints = dtype_is_float(t->dtype) ? NULL : ints_of(k, t);
	p->at = reals || ints ? scratch_alloc(k, n, sizeof *p->at) : NULL;
	p->n = 0;
	for (int64_t i = 0; p->at && i < n; i++)
		if (reals ? reals[i] != 0 : ints[i] != 0)
			p->at[p->n++] = i;
	p->ndim = 1;
	p->size[0] = p->n;
	return p->at != NULL;
}

static int64_t coordinate(int64_t position, const int64_t *size, int ndim, int d)
{
	return position / sizes_product(size, d + 1, ndim) % size[d];
}

/* ---- A list of indices by dimension ---- */

struct indexing {
	const struct tensor *self;
	int n;                                   /* dimensions; all of self's in the end */
	struct tensor *index[MAX_DIMS];          /* of integers; NULL: all of it */
	struct tensor *common[MAX_DIMS];         /* the same, of the shape below, contiguous */
	int ndim;                                /* the shape that the indices have together */
	int64_t size[MAX_DIMS];
	int first;                               /* result's dimension where they come */
	bool clamps;                             /* indices beyond the ends count as the ends */
};

/* A mask stands for an index in each of its dimensions. */
static bool add_mask(struct kernel_call *k, struct indexing *x, const struct tensor *mask)
{
	struct positions p;
	if (mask->ndim == 0 || x->n + mask->ndim > x->self->ndim)
		return kernel_fail(k, "a mask of %d dimensions does not fit a tensor of %d there", mask->ndim, x->self->ndim);
	for (int d = 0; d < mask->ndim; d++)
		if (mask->size[d] != x->self->size[x->n + d])
			return kernel_fail(k, "the mask has %lld elements in dimension %d, the tensor %lld", (long long)mask->size[d], d,
			                   (long long)x->self->size[x->n + d]);
	if (!true_places(k, mask, &p))
		return false;
	for (int d = 0; d < mask->ndim; d++) {
		struct tensor *t = temporary(k, DT_INT64, 1, &p.n);
		if (!t)
			return false;
		int64_t *v = (int64_t *)(void *)tensor_data(t);
		for (int64_t i = 0; i < p.n; i++)
			v[i] = coordinate(p.at[i], mask->size, mask->ndim, d);
		x->index[x->n++] = t;
	}
	return true;
}

static bool collect(struct kernel_call *k, struct indexing *x)
{
	int n;
	struct tensor **in = arg_tensors(k, "indices", &n);
	for (int i = 0; in && i < n; i++) {
		if (in[i] && (in[i]->dtype == DT_BOOL || in[i]->dtype == DT_UINT8)) {
			if (!add_mask(k, x, in[i]))
				return false;
			continue;
		}
		if (x->n >= x->self->ndim)
			return kernel_fail(k, "too many indices for a tensor of %d dimensions", x->self->ndim);
		x->index[x->n++] = in[i];
	}
	while (x->n < x->self->ndim)
		x->index[x->n++] = NULL;
	return in != NULL;
}

/* The indices come where the first of them is, or in front when the indexed dimensions are apart. */
static int place_of_indices(const struct indexing *x)
{
	int first = 0, last = x->n - 1;
	while (first < x->n && !x->index[first])
		first++;
	while (last >= 0 && !x->index[last])
		last--;
	for (int d = first; d <= last; d++)
		if (!x->index[d])
			return 0;
	return first;
}

static bool broadcast_indices(struct kernel_call *k, struct indexing *x)
{
	struct tensor *given[MAX_DIMS];
	int n = 0;
	for (int d = 0; d < x->n; d++)
		if (x->index[d])
			given[n++] = x->index[d];
	if (n == 0)
		return kernel_fail(k, "at least one index must be provided");
	if (!broadcast_shapes(k, given, n, &x->ndim, x->size))
		return false;
	for (int d = 0; d < x->n; d++)
		if (x->index[d]) {
			if (!dtype_is_integral(x->index[d]->dtype))
				return kernel_fail(k, "tensors used as indices must be integers or masks, got %s", dtype_name(x->index[d]->dtype));
			if (!(x->common[d] = temporary(k, DT_INT64, x->ndim, x->size)))
				return false;
			tensor_copy(x->common[d], x->index[d]);
		}
	x->first = place_of_indices(x);
	return true;
}

static void clamp_indices(struct tensor *index, int64_t size)
{
	int64_t *v = (int64_t *)(void *)tensor_data(index), n = tensor_numel(index);
	for (int64_t i = 0; i < n; i++)
		v[i] = v[i] < -size ? -size : v[i] >= size ? size - 1 : v[i];
}

static int64_t *indexed_offsets(struct kernel_call *k, const struct indexing *x, const int64_t *stride)
{
	int64_t n = sizes_product(x->size, 0, x->ndim), *sum = scratch_alloc(k, n, sizeof *sum);
	for (int d = 0; sum && d < x->n; d++) {
		if (!x->index[d])
			continue;
		if (x->clamps)
			clamp_indices(x->common[d], x->self->size[d]);
		const int64_t *at = x->clamps && x->self->size[d] == 0 ? scratch_alloc(k, n, sizeof *at) : indices_of(k, x->common[d], x->self->size[d], true);
		if (!at)
			return NULL;
		for (int64_t i = 0; i < n; i++)
			sum[i] += at[i] * stride[d];
	}
	return sum;
}

/* The result: dimensions before the indices, theirs, dimensions after them. */
static bool indexed_places(struct kernel_call *k, struct indexing *x, struct positions *p)
{
	int64_t stride[MAX_DIMS], size[MAX_DIMS], step[MAX_DIMS], n_outer, n_inner;
	int rest = 0;
	x->self = arg_tensor(k, "self");
	if (!collect(k, x) || !broadcast_indices(k, x))
		return false;
	contiguous_strides(x->n, x->self->size, stride);
	for (int d = 0; d < x->n; d++)
		if (!x->index[d]) {
			size[rest] = x->self->size[d];
			step[rest++] = stride[d];
		}
	p->ndim = rest + x->ndim;
	if (p->ndim > MAX_DIMS)
		return kernel_fail(k, "%d dimensions are more than a tensor can have", p->ndim);
	memcpy(p->size, size, (size_t)x->first * sizeof *size);
	memcpy(p->size + x->first, x->size, (size_t)x->ndim * sizeof *size);
	memcpy(p->size + x->first + x->ndim, size + x->first, (size_t)(rest - x->first) * sizeof *size);
	int64_t *middle = indexed_offsets(k, x, stride);
	int64_t *outer = middle ? offsets_of(k, x->first, size, step, &n_outer) : NULL;
	int64_t *inner = outer ? offsets_of(k, rest - x->first, size + x->first, step + x->first, &n_inner) : NULL;
	return inner && positions_join(k, p, outer, n_outer, middle, sizes_product(x->size, 0, x->ndim), inner, n_inner);
}

/*
 * An operand of the element-wise copy that indexing is: its strides in the
 * dimensions of the indices are those of an index, 0 in self; elsewhere self's.
 */
static struct tensor *operand(struct kernel_call *k, const struct indexing *x, const struct positions *p, const struct tensor *index)
{
	int64_t none[MAX_DIMS] = { 0 };
	struct tensor *t = temporary(k, DT_BOOL, p->ndim, none);
	if (!t)
		return NULL;
	for (int d = 0, own = 0; d < p->ndim; d++) {
		int i = d - x->first;
		bool indexed = i >= 0 && i < x->ndim;
		t->size[d] = !index || indexed ? p->size[d] : 1;
		t->stride[d] = 0;
		if (index && indexed) {
			int skip = x->ndim - index->ndim;
			t->stride[d] = i < skip || index->size[i - skip] == 1 ? 0 : index->stride[i - skip];
		} else if (!index && !indexed) {
			while (x->index[own])
				own++;
			t->stride[d] = x->self->stride[own++];
		}
	}
	return t;
}

/* The layout follows from those operands. */
static struct tensor *out_indexed(struct kernel_call *k, const struct indexing *x, const struct positions *p)
{
	struct tensor *in[MAX_DIMS + 1];
	int64_t stride[MAX_DIMS];
	int n = 0;
	if (!(in[n++] = operand(k, x, p, NULL)))
		return NULL;
	for (int d = 0; d < x->n; d++)
		if (x->index[d] && !(in[n++] = operand(k, x, p, x->index[d])))
			return NULL;
	pointwise_strides(in, n, p->ndim, p->size, stride);
	return out_strided(k, x->self->dtype, p->ndim, p->size, stride);
}

static bool k_index(struct kernel_call *k)
{
	struct indexing x = { 0 };
	struct positions p;
	return indexed_places(k, &x, &p) && positions_take(k, x.self, &p, out_indexed(k, &x, &p));
}

static bool k_index_put(struct kernel_call *k)
{
	struct tensor *self = arg_tensor(k, "self"), *values = arg_tensor(k, "values"), *all;
	struct tensor shape = { 0 }, *both[2] = { &shape, values };
	struct indexing x = { 0 };
	struct positions p;
	int64_t size[MAX_DIMS];
	int ndim;
	if (!indexed_places(k, &x, &p))
		return false;
	shape.ndim = p.ndim;
	shape.size = p.size;
	if (!broadcast_shapes(k, both, 2, &ndim, size))
		return false;
	if (ndim != p.ndim || memcmp(size, p.size, (size_t)ndim * sizeof *size) != 0)
		return kernel_fail(k, "the values do not broadcast to the shape of what is indexed");
	if (!(all = temporary(k, values->dtype, p.ndim, p.size)))
		return false;
	tensor_copy(all, values);
	return positions_put(k, self, &p, all, 1, arg_bool(k, "accumulate", false) ? COMBINE_SUM : COMBINE_SET, true, out_like(k, self, self->dtype));
}

/* ---- Indices that count where a mask is true (_unsafe_masked_index, _unsafe_masked_index_put_accumulate) ---- */

/* The mask in the shape of what is indexed. */
static struct tensor *mask_of_places(struct kernel_call *k, const struct positions *p)
{
	struct tensor *mask = arg_tensor(k, "mask"), shape = { .ndim = p->ndim, .size = (int64_t *)p->size }, *both[2] = { &shape, mask };
	int64_t size[MAX_DIMS];
	int ndim;
	if (!broadcast_shapes(k, both, 2, &ndim, size))
		return NULL;
	if (mask->dtype != DT_BOOL || ndim != p->ndim || memcmp(size, p->size, (size_t)ndim * sizeof *size) != 0)
		return kernel_fail(k, "the mask must be of bool, and broadcast to the shape of what is indexed"), NULL;
	struct tensor *all = temporary(k, DT_BOOL, p->ndim, p->size);
	if (all)
		tensor_copy(all, mask);
	return all;
}

/* Elements under the mask come from `from`, the others are `value`, a tensor without dimensions. */
static bool take_masked(struct kernel_call *k, const struct tensor *from, const struct tensor *mask, const struct tensor *value, struct tensor *out)
{
	struct tensor *filler = temporary(k, out->dtype, 0, NULL);
	const unsigned char *keep = tensor_data(mask);
	size_t size = dtype_size(out->dtype);
	if (!filler)
		return false;
	tensor_copy(filler, value);
	for (int64_t i = 0, n = tensor_numel(out); i < n; i++)
		memcpy(tensor_data(out) + (size_t)i * size, keep[i] ? tensor_data(from) + (size_t)i * size : tensor_data(filler), size);
	return true;
}

static bool k_masked_index(struct kernel_call *k)
{
	struct indexing x = { .clamps = true };
	struct positions p;
	struct tensor *fill = arg_operand(k, "fill"), *mask = fill && indexed_places(k, &x, &p) ? mask_of_places(k, &p) : NULL;
	struct tensor *taken = mask ? temporary(k, x.self->dtype, p.ndim, p.size) : NULL;
	if (!taken)
		return false;
	if (tensor_numel(x.self) == 0)                   /* nothing can be taken */
		memset(tensor_data(mask), 0, (size_t)tensor_numel(mask));
	else if (!positions_take(k, x.self, &p, taken))
		return false;
	struct tensor *out = out_new(k, x.self->dtype, p.ndim, p.size);
	return out && take_masked(k, taken, mask, fill, out);
}

static bool k_masked_index_put(struct kernel_call *k)
{
	struct indexing x = { .clamps = true };
	struct positions p;
	struct tensor *self = arg_tensor(k, "self"), *values = arg_tensor(k, "values"), *zero = temporary(k, values->dtype, 0, NULL);
	if (!zero || tensor_numel(self) == 0)
		return zero && out_like(k, self, self->dtype);
	struct tensor *mask = indexed_places(k, &x, &p) ? mask_of_places(k, &p) : NULL, *all = mask ? temporary(k, values->dtype, p.ndim, p.size) : NULL;
	if (!all)
		return false;
	struct tensor *both[2] = { all, values };
	int64_t size[MAX_DIMS];
	int ndim;
	if (!broadcast_shapes(k, both, 2, &ndim, size))
		return false;
	if (ndim != p.ndim || memcmp(size, p.size, (size_t)ndim * sizeof *size) != 0)
		return kernel_fail(k, "the values do not broadcast to the shape of what is indexed");
	tensor_copy(all, values);
	return take_masked(k, all, mask, zero, all) && positions_put(k, self, &p, all, 1, COMBINE_SUM, true, out_like(k, self, self->dtype));
}

/* ---- Masks ---- */

/* self and mask, both of the shape that they broadcast to; the places that the mask names. */
static bool masked_places(struct kernel_call *k, struct tensor **self, struct positions *p)
{
	struct tensor *in[2] = { arg_tensor(k, "self"), arg_tensor(k, "mask") }, *wide[2];
	int64_t size[MAX_DIMS];
	int ndim;
	if (in[1]->dtype != DT_BOOL && in[1]->dtype != DT_UINT8)
		return kernel_fail(k, "only boolean masks are supported, got %s", dtype_name(in[1]->dtype));
	if (!broadcast_shapes(k, in, 2, &ndim, size))
		return false;
	for (int i = 0; i < 2; i++) {
		if (!(wide[i] = temporary(k, in[i]->dtype, ndim, size)))
			return false;
		tensor_copy(wide[i], in[i]);
	}
	*self = wide[0];
	return true_places(k, wide[1], p);
}

/* The result is contiguous, however self is laid out. */
static bool k_masked_fill(struct kernel_call *k)
{
	static const struct kernel_row of_complex = { .pairs = pairs_where };
	struct tensor *self = arg_tensor(k, "self"), *value = arg_operand(k, "value");
	struct positions p;
	if (!value)
		return false;
	if (value->ndim > 0)
		return kernel_fail(k, "the value must have no dimensions, got %d", value->ndim);
	if (dtype_is_complex(self->dtype)) {
		struct tensor *out = out_new(k, self->dtype, self->ndim, self->size);
		return out && pointwise_run(k, &of_complex, out, (struct tensor *[]){ arg_tensor(k, "mask"), value, self }, 3, self->dtype);
	}
	if (!masked_places(k, &self, &p))
		return false;
	return positions_put(k, self, &p, value, 1, COMBINE_SET, true, out_new(k, self->dtype, self->ndim, self->size));
}

/* The elements of source one after the other, as many as the mask needs. */
static bool k_masked_scatter(struct kernel_call *k)
{
	struct tensor *self, *source = arg_tensor(k, "source"), *front;
	struct positions p, all = { 0 };
	if (!masked_places(k, &self, &p))
		return false;
	if (tensor_numel(source) < p.n)
		return kernel_fail(k, "the mask takes %lld elements, the source has %lld", (long long)p.n, (long long)tensor_numel(source));
	all = (struct positions){ .n = p.n, .ndim = 1, .size = { p.n }, .at = scratch_alloc(k, p.n, sizeof *all.at) };
	for (int64_t i = 0; all.at && i < p.n; i++)
		all.at[i] = i;
	return all.at && (front = temporary(k, source->dtype, 1, &p.n)) && positions_take(k, source, &all, front) &&
		positions_put(k, self, &p, front, 1, COMBINE_SET, true, out_new(k, self->dtype, self->ndim, self->size));
}

static bool k_masked_select(struct kernel_call *k)
{
	struct tensor *self;
	struct positions p;
	return masked_places(k, &self, &p) && positions_take(k, self, &p, out_new(k, self->dtype, 1, p.size));
}

/* A row of coordinates for each element that is not zero; rows that are left over are filled. */
static bool coordinates(struct kernel_call *k, int64_t rows, int64_t fill)
{
	struct tensor *self = arg_tensor(k, "self");
	struct positions p;
	if (!true_places(k, self, &p))
		return false;
	int64_t size[2] = { rows < 0 ? p.n : rows, self->ndim }, *v = ints_for(k, out_new(k, DT_INT64, 2, size));
	for (int64_t i = 0; v && i < size[0]; i++)
		for (int d = 0; d < self->ndim; d++)
			v[i * self->ndim + d] = i < p.n ? coordinate(p.at[i], self->size, self->ndim, d) : fill;
	return v != NULL;
}

static bool k_nonzero(struct kernel_call *k) { return coordinates(k, -1, 0); }

static bool k_nonzero_static(struct kernel_call *k)
{
	int64_t rows = arg_int(k, "size", 0);
	return rows < 0 ? kernel_fail(k, "size must not be negative") : coordinates(k, rows, arg_int(k, "fill_value", -1));
}

const struct kernel_row indexing_kernels[] = {
	{ .name = "index.Tensor", .run = k_index },
	{ .name = "_unsafe_index.Tensor", .run = k_index },
	{ .name = "index_put", .run = k_index_put },
	{ .name = "_unsafe_index_put", .run = k_index_put },
	{ .name = "_unsafe_masked_index", .run = k_masked_index },
	{ .name = "_unsafe_masked_index_put_accumulate", .run = k_masked_index_put },
	{ .name = "masked_fill", .run = k_masked_fill },
	{ .name = "masked_scatter", .run = k_masked_scatter },
	{ .name = "masked_select", .run = k_masked_select },
	{ .name = "nonzero", .run = k_nonzero },
	{ .name = "nonzero_static", .run = k_nonzero_static },
	{ 0 }
};
