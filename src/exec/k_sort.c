/*
 * Sorting, searching what is sorted, and what is different
 * (aten/src/ATen/native/{Sorting,Bucketization,Unique}.cpp, TopKImpl.h).
 * NaN is larger than all numbers, and for unique no two are the same.
 */
#include <string.h>

#include "exec/lanes.h"
#include "exec/order.h"
#include "exec/positions.h"

/* ---- sort and topk ---- */

static void rank_lane(struct ranked *v, const int64_t *keys, int64_t n, bool descending)
{
	for (int64_t i = 0; i < n; i++)
		v[i] = (struct ranked){ .key = descending ? ~keys[i] : keys[i], .index = i };
}

/* Puts the first n of each lane into the two outputs, which are laid out as they like. */
struct ranking {
	struct lanes l;
	int dim;
	int64_t n;                       /* of each lane */
	int64_t *keys, *at;
	struct ranked *v, *room;
	struct tensor *values, *places, *sorted;
};

static bool open_ranking(struct kernel_call *k, struct ranking *r, const struct tensor *self)
{
	struct turned turned;
	if (!r->values || !(r->places) || !lanes_along(k, self, r->dim, true, DT_NONE, &r->l))
		return false;
	const struct tensor *shape = turn_dim_last(&turned, r->values, r->dim);
	return (r->sorted = temporary(k, self->dtype, shape->ndim, shape->size)) && (r->keys = keys_of(k, &r->l)) &&
		(r->at = scratch_alloc(k, r->l.count * r->n, sizeof *r->at)) && (r->v = scratch_alloc(k, r->l.length, sizeof *r->v)) &&
		(r->room = scratch_alloc(k, r->l.length, sizeof *r->room));
}

static void take_ranked(struct ranking *r, int64_t lane)
{
	for (int64_t j = 0; j < r->n; j++) {
		r->at[lane * r->n + j] = r->v[j].index;
		lanes_take(&r->l, lane * r->l.length + r->v[j].index, r->sorted, lane * r->n + j);
	}
}

static bool close_ranking(struct ranking *r)
{
	struct turned turned;
	tensor_copy(turn_dim_last(&turned, r->values, r->dim), r->sorted);
	tensor_from_ints(turn_dim_last(&turned, r->places, r->dim), r->at);
	return true;
}

/* Always stable; the layout stays. */
static bool k_sort(struct kernel_call *k)
{
	struct tensor *self = arg_tensor(k, "self");
	struct ranking r = { .n = 1 };
	bool descending = arg_bool(k, "descending", false);
	if (k->op && op_arg_index(k->op, "dim") >= 0 && arg_is_none(k, "dim"))
		r.dim = self->ndim ? self->ndim - 1 : 0;
	else if (!arg_dim(k, "dim", self->ndim, &r.dim))
		return false;
	r.n = self->ndim ? self->size[r.dim] : 1;
	r.values = out_like(k, self, self->dtype);
	r.places = r.values ? out_like(k, self, DT_INT64) : NULL;
	if (!open_ranking(k, &r, self))
		return false;
	for (int64_t i = 0; i < r.l.count; i++) {
		rank_lane(r.v, r.keys + i * r.l.length, r.l.length, descending);
		order_stable(r.v, r.room, r.l.length);
		take_ranked(&r, i);
	}
	return close_ranking(&r);
}

/* The way the elements are selected decides which of equal ones are taken. */
static void select_top(struct ranked *v, int64_t k, int64_t n, bool sorted)
{
	if (k * 64 <= n) {
		order_partial(v, k, n);
		return;
	}
	order_select(v, k - 1, n);
	if (sorted)
		order_sort(v, k - 1);
}

static bool k_topk(struct kernel_call *k)
{
	struct tensor *self = arg_tensor(k, "self");
	struct ranking r = { .n = arg_int(k, "k", 1) };
	bool largest = arg_bool(k, "largest", true), sorted = arg_bool(k, "sorted", true);
	int64_t size[MAX_DIMS];
	if (!arg_dim(k, "dim", self->ndim, &r.dim))
		return false;
	int64_t n = self->ndim ? self->size[r.dim] : 1;
	if (r.n < 0 || r.n > n)
		return kernel_fail(k, "k = %lld is out of range for a dimension of %lld elements", (long long)r.n, (long long)n);
	for (int i = 0; i < self->ndim; i++)
		size[i] = i == r.dim ? r.n : self->size[i];
	if (self->ndim == 0)
		r.n = 1;
	r.values = out_new(k, self->dtype, self->ndim, size);
	r.places = r.values ? out_new(k, DT_INT64, self->ndim, size) : NULL;
	if (!open_ranking(k, &r, self))
		return false;
	for (int64_t i = 0; r.n > 0 && i < r.l.count; i++) {
		rank_lane(r.v, r.keys + i * n, n, largest);
		select_top(r.v, r.n, n, sorted);
		take_ranked(&r, i);
	}
	return close_ranking(&r);
}

/* ---- searchsorted and bucketize ---- */

struct search {
	bool real, right;
	const int64_t *keys, *order;     /* of a sorted row; order: where its elements are, or NULL */
	int64_t n;
};

/* A NaN in the row is passed, and a NaN that is looked for passes all. */
static int64_t find(const struct search *s, int64_t key)
{
	int64_t low = 0, high = s->n;
	while (low < high) {
		int64_t middle = low + (high - low) / 2, there = s->keys[s->order ? s->order[middle] : middle];
		bool nan = s->real && (there == NAN_KEY || key == NAN_KEY);
		if (nan || (s->right ? there <= key : there < key))
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static int64_t *keys_as(struct kernel_call *k, const struct tensor *t, enum dtype dtype)
{
	bool none[MAX_DIMS] = { false };
	struct lanes l;
	return lanes_over(k, t, none, false, dtype, &l) ? keys_of(k, &l) : NULL;
}

static bool search_rows(struct kernel_call *k, struct tensor *rows, struct tensor *self, bool right)
{
	struct tensor *in[2] = { rows, self }, *sorter = arg_tensor(k, "sorter");
	int64_t n = tensor_numel(self), last = rows->ndim ? rows->size[rows->ndim - 1] : 0, width = self->ndim ? self->size[self->ndim - 1] : 1;
	bool fits = rows->ndim == 1 || (rows->ndim > 1 && rows->ndim == self->ndim), whole = rows->ndim == 1;
	for (int i = 0; fits && !whole && i + 1 < rows->ndim; i++)
		fits = rows->size[i] == self->size[i];
	if (!fits)
		return kernel_fail(k, "the sorted sequence should be a vector, or all but its last dimension as in the input");
	enum dtype common = tensors_result_type(in, 2);
	struct search s = { .real = dtype_is_float(common), .right = right, .n = last };
	struct tensor *out = out_new(k, arg_bool(k, "out_int32", false) ? DT_INT32 : DT_INT64, self->ndim, self->size);
	int64_t *y = ints_for(k, out), *keys = y ? keys_as(k, rows, common) : NULL, *of = keys ? keys_as(k, self, common) : NULL;
	if (!of)
		return false;
	if (sorter && tensor_numel(sorter) != tensor_numel(rows))
		return kernel_fail(k, "the sorter should have the shape of the sequence");
	const int64_t *order = sorter ? indices_of(k, sorter, last, false) : NULL;
	if (sorter && !order)
		return false;
	for (int64_t i = 0; i < n; i++) {
		int64_t row = whole ? 0 : i / width * last;
		s.keys = keys + row;
		s.order = order ? order + row : NULL;
		y[i] = find(&s, of[i]);
	}
	return true;
}

static bool k_searchsorted(struct kernel_call *k)
{
	struct tensor *self = arg_operand(k, "self");
	const char *side = arg_str(k, "side");
	bool right = arg_bool(k, "right", false);
	if (side && strcmp(side, "left") != 0 && strcmp(side, "right") != 0)
		return kernel_fail(k, "side can only be 'left' or 'right', got '%s'", side);
	if (side && right && strcmp(side, "left") == 0)
		return kernel_fail(k, "side and right are opposites");
	return self && search_rows(k, arg_tensor(k, "sorted_sequence"), self, right || (side && strcmp(side, "right") == 0));
}

static bool k_bucketize(struct kernel_call *k)
{
	struct tensor *self = arg_operand(k, "self"), *boundaries = arg_tensor(k, "boundaries");
	if (boundaries->ndim != 1)
		return kernel_fail(k, "the boundaries must be a vector, got %d dimensions", boundaries->ndim);
	return self && search_rows(k, boundaries, self, arg_bool(k, "right", false));
}

/* ---- What is different: rows of keys, in order or one after the other ---- */

struct distinct {
	bool real;
	int64_t n, width;                /* rows, and keys in each */
	const int64_t *keys;
	struct ranked *v, *room;
	int64_t *group, *first, *times;  /* by row; by group: a row of it, how many */
	int64_t groups;
};

static bool same_rows(const struct distinct *u, int64_t a, int64_t b)
{
	for (int64_t j = 0; j < u->width; j++) {
		int64_t key = u->keys[a * u->width + j];
		if (key != u->keys[b * u->width + j] || (u->real && key == NAN_KEY))
			return false;
	}
	return true;
}

/* By the last column first: later ones keep the order of those before. */
static void order_rows(struct distinct *u, bool sort)
{
	for (int64_t i = 0; i < u->n; i++)
		u->v[i].index = i;
	for (int64_t j = u->width - 1; sort && j >= 0; j--) {
		for (int64_t i = 0; i < u->n; i++)
			u->v[i].key = u->keys[u->v[i].index * u->width + j];
		order_stable(u->v, u->room, u->n);
	}
}

static bool find_distinct(struct kernel_call *k, struct distinct *u, const struct lanes *l, bool sort)
{
	u->real = dtype_is_float(l->dtype);
	u->keys = keys_of(k, l);
	u->v = u->keys ? scratch_alloc(k, u->n, sizeof *u->v) : NULL;
	u->room = u->v ? scratch_alloc(k, u->n, sizeof *u->room) : NULL;
	int64_t *all = u->room ? scratch_alloc(k, 3 * u->n, sizeof *all) : NULL;
	if (!all)
		return false;
	u->group = all;
	u->first = all + u->n;
	u->times = all + 2 * u->n;
	order_rows(u, sort);
	for (int64_t i = 0; i < u->n; i++) {
		int64_t row = u->v[i].index;
		if (i == 0 || !same_rows(u, u->first[u->groups - 1], row))
			u->first[u->groups++] = row;
		u->group[row] = u->groups - 1;
		u->times[u->groups - 1]++;
	}
	return true;
}

static bool out_ints(struct kernel_call *k, int ndim, const int64_t *size, const int64_t *v)
{
	int64_t none = 0, *y = ints_for(k, v ? out_new(k, DT_INT64, ndim, size) : out_new(k, DT_INT64, 1, &none));
	if (y && v)
		memcpy(y, v, (size_t)sizes_product(size, 0, ndim) * sizeof *v);
	return y != NULL;
}

/* Of all elements; what is not asked for comes empty. */
static bool unique_elements(struct kernel_call *k, bool sort)
{
	struct tensor *self = arg_tensor(k, "self"), *out;
	bool none[MAX_DIMS] = { false };
	struct distinct u = { .n = tensor_numel(self), .width = 1 };
	struct lanes l;
	if (!lanes_over(k, self, none, false, DT_NONE, &l) || !find_distinct(k, &u, &l, sort) || !(out = out_new(k, self->dtype, 1, &u.groups)))
		return false;
	for (int64_t i = 0; i < u.groups; i++)
		lanes_take(&l, u.first[i], out, i);
	return out_ints(k, self->ndim, self->size, arg_bool(k, "return_inverse", false) ? u.group : NULL) &&
		out_ints(k, 1, &u.groups, arg_bool(k, "return_counts", false) ? u.times : NULL);
}

/* The result is a view of the rows with dim in front. */
static struct tensor *out_rows(struct kernel_call *k, const struct tensor *self, int dim, int64_t rows)
{
	int64_t size[MAX_DIMS], stride[MAX_DIMS], step = 1;
	for (int i = self->ndim - 1; i >= 0; i--) {
		size[i] = i == dim ? rows : self->size[i];
		if (i == dim)
			continue;
		stride[i] = step;
		step *= size[i];
	}
	stride[dim] = step;
	return out_strided(k, self->dtype, self->ndim, size, stride);
}

/* Of the slices along dim; all three results come always. */
static bool unique_slices(struct kernel_call *k, bool sort)
{
	struct tensor *self = arg_tensor(k, "self"), *out;
	struct distinct u = { .n = 1 };
	bool marked[MAX_DIMS];
	struct lanes l;
	int dim;
	if (!arg_dim(k, "dim", self->ndim, &dim))
		return false;
	if (self->ndim == 0)
		return kernel_fail(k, "expected a tensor with dimensions");
	for (int i = 0; i < self->ndim; i++)
		marked[i] = i != dim;
	if (!lanes_over(k, self, marked, false, DT_NONE, &l))
		return false;
	u.n = l.count;
	u.width = l.length;
	if (u.n > 0 && u.width == 0)
		return kernel_fail(k, "there are dimensions of no elements, and they are not the one selected");
	if (!find_distinct(k, &u, &l, sort) || !(out = out_rows(k, self, dim, u.groups)))
		return false;
	size_t row = (size_t)u.width * dtype_size(l.dtype);
	for (int64_t i = 0; i < u.groups; i++) /* the rows lie one after the other in memory */
		memcpy(tensor_data(out) + (size_t)i * row, l.data + (size_t)u.first[i] * row, row);
	return out_ints(k, 1, &u.n, u.group) && out_ints(k, 1, &u.groups, u.times);
}

static bool k_unique2(struct kernel_call *k) { return unique_elements(k, true); }
static bool k_unique_dim(struct kernel_call *k) { return unique_slices(k, true); }
static bool k_unique_dim_consecutive(struct kernel_call *k) { return unique_slices(k, false); }

static bool k_unique_consecutive(struct kernel_call *k)
{
	bool vector = arg_tensor(k, "self")->ndim == 1;
	return arg_is_none(k, "dim") || vector ? unique_elements(k, false) : unique_slices(k, false);
}

const struct kernel_row sort_kernels[] = {
	{ .name = "sort", .run = k_sort },
	{ .name = "topk", .run = k_topk },
	{ .name = "searchsorted", .run = k_searchsorted },
	{ .name = "bucketize", .run = k_bucketize },
	{ .name = "_unique2", .run = k_unique2 },
	{ .name = "unique_consecutive", .run = k_unique_consecutive },
	{ .name = "unique_dim", .run = k_unique_dim },
	{ .name = "unique_dim_consecutive", .run = k_unique_dim_consecutive },
	{ 0 }
};
