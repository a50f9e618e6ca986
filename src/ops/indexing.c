/*
 * x[index] and x[index] = value, as torch/csrc/autograd/python_variable_indexing.cpp
 * and aten/src/ATen/TensorIndexing.h turn them into select, slice, unsqueeze
 * and index.
 */
#include <string.h>

#include "ops/namespace.h"
#include "ops/shapes.h"
#include "ops/tensor.h"

/* The index as a list of items, and where the work stands. */
struct indexing {
	struct interp *in;
	struct datum *items; size_t n;
	struct datum x;              /* what has been made so far */
	int dim;                     /* of x, the next item is for */
	struct datum *tensors; int n_tensors; /* tensor indices by dimension, None where there is none */
	bool has_tensors;
};

enum { MAX_ITEMS = 2 * MAX_DIMS };

static bool record_items(struct interp *in, const char *name, struct datum *items, size_t n, struct datum *out, nns_error *err)
{
	struct lang_args args = { .items = items, .n = n };
	return record_call(recorder_of(in), name, &args, out, err);
}

/* ---- What the items are ---- */

static const struct value *as_tensor(struct datum d)
{
	return d.kind == D_TENSOR ? d.u.p : NULL;
}

/* A tensor of no dimensions and integers selects, as an int does. */
static bool is_select(struct datum d)
{
	const struct value *v = as_tensor(d);
	return d.kind == D_INT || (v && v->ndim == 0 && dtype_is_integral(v->dtype));
}

static bool is_mask(const struct value *v)
{
	return v->dtype == DT_BOOL || v->dtype == DT_UINT8;
}

/* Dimensions of x that item takes. */
static int dims_taken(struct datum d)
{
	const struct value *v = as_tensor(d);
	if (d.kind == D_NONE || d.kind == D_ELLIPSIS || d.kind == D_BOOL)
		return 0;
	return v && is_mask(v) ? v->ndim : 1;
}

/* treatSequenceAsTuple(): a short list that holds slices, tensors or lists is a tuple. */
static bool is_tuple_like(struct datum d)
{
	if (d.kind == D_TUPLE)
		return true;
	if (d.kind != D_LIST || d.u.seq->n >= 32)
		return false;
	for (size_t i = 0; i < d.u.seq->n; i++) {
		enum datum_kind k = d.u.seq->items[i].kind;
		if (k == D_TENSOR || k == D_LIST || k == D_TUPLE || k == D_ELLIPSIS || k == D_SLICE || k == D_NONE)
			return true;
	}
	return false;
}

/* Sizes of nested lists of ints, as torch.tensor() finds them. */
static bool list_sizes(struct datum d, int64_t *size, int *ndim, bool *is_bool)
{
	for (*ndim = 0; datum_is_seq(d); d = d.u.seq->items[0]) {
		if (*ndim == MAX_DIMS)
			return false;
		size[(*ndim)++] = (int64_t)d.u.seq->n;
		if (d.u.seq->n == 0)
			return *is_bool = false, true;
	}
	*is_bool = d.kind == D_BOOL;
	return datum_is_int(d);
}

static bool list_to_tensor(struct interp *in, struct datum d, struct datum *out, nns_error *err)
{
	int64_t size[MAX_DIMS];
	int ndim;
	bool is_bool;
	if (!list_sizes(d, size, &ndim, &is_bool))
		return fail(err, NNS_MODEL, "an index must be made of integers, slices, None, ... and tensors, not %s", datum_type_name(d));
	struct value *v = value_new(in->arena, is_bool ? DT_BOOL : DT_INT64, ndim, size);
	struct datum *constant = arena_alloc(in->arena, sizeof *constant);
	if (!v || !constant)
		return fail_memory(err);
	*constant = d;
	v->constant = constant;
	*out = datum_pointer(D_TENSOR, v);
	return true;
}

static bool collect_items(struct indexing *x, struct datum index, nns_error *err)
{
	struct datum one = index;
	struct seq single = { .n = 1, .items = &one };
	const struct seq *s = is_tuple_like(index) ? index.u.seq : &single;
	if (s->n > MAX_ITEMS)
		return fail(err, NNS_MODEL, "an index of %zu items; %d is the most", s->n, MAX_ITEMS);
	x->n = s->n;
	x->items = arena_array(x->in->arena, s->n + 1, sizeof *x->items);
	if (!x->items)
		return fail_memory(err);
	for (size_t i = 0; i < s->n; i++) {
		x->items[i] = s->items[i];
		if (datum_is_seq(s->items[i]) && !list_to_tensor(x->in, s->items[i], &x->items[i], err))
			return false;
	}
	return true;
}

static bool count_dims(const struct indexing *x, int ndim, int *ellipsis, nns_error *err)
{
	int taken = 0;
	for (size_t i = 0; i < x->n; i++)
		taken += dims_taken(x->items[i]);
	if (taken > ndim)
		return fail(err, NNS_MODEL, "too many indices for tensor of dimension %d", ndim);
	*ellipsis = ndim - taken;
	return true;
}

/* ---- One item ---- */

static bool slice_bound(struct datum d, int64_t none, int64_t *out, nns_error *err)
{
	const struct value *v = as_tensor(d);
	const struct datum *constant = v ? v->constant : NULL;
	if (constant && constant->kind == D_INT)
		d = *constant;
	if (d.kind != D_NONE && !datum_is_int(d))
		return fail(err, NNS_MODEL, "slice indices must be integers or None, not %s", datum_type_name(d));
	*out = d.kind == D_NONE ? none : datum_as_int(d);
	return true;
}

/* Slices that take everything are left out, except alone: applySlice(). */
static bool apply_slice(struct indexing *x, const struct slice *s, bool always, nns_error *err)
{
	const struct value *v = x->x.u.p;
	int64_t start, stop, step;
	if (!slice_bound(s->step, 1, &step, err) || !slice_bound(s->start, 0, &start, err) || !slice_bound(s->stop, INT64_MAX, &stop, err))
		return false;
	if (step <= 0)
		return fail(err, NNS_MODEL, "slice step must be positive");
	int dim = x->dim++;
	if (!always && start == 0 && step == 1 && stop >= v->size[dim])
		return true;
	struct datum args[] = { x->x, datum_int(dim), datum_int(start), datum_int(stop), datum_int(step) };
	return record_items(x->in, "slice.Tensor", args, 5, &x->x, err);
}

static bool apply_select(struct indexing *x, struct datum item, nns_error *err)
{
	const struct value *v = x->x.u.p, *t = as_tensor(item);
	const struct datum *constant = t ? t->constant : NULL;
	int64_t i = constant ? datum_as_int(*constant) : item.kind == D_INT ? item.u.i : 0;
	int64_t n = v->size[x->dim];
	if (i < -n || i >= n)
		return fail(err, NNS_MODEL, "index %lld is out of bounds for dimension %d with size %lld", (long long)i, x->dim, (long long)n);
	struct datum args[] = { x->x, datum_int(x->dim), datum_int(i) };
	return record_items(x->in, "select.int", args, 3, &x->x, err);
}

static bool apply_unsqueeze(struct indexing *x, nns_error *err)
{
	struct datum args[] = { x->x, datum_int(x->dim) };
	return record_items(x->in, "unsqueeze", args, 2, &x->x, err);
}

static bool keep_tensor(struct indexing *x, int dim, struct datum t, nns_error *err)
{
	if (dim >= MAX_ITEMS)
		return fail(err, NNS_MODEL, "too many indices");
	for (; x->n_tensors < dim; x->n_tensors++)
		x->tensors[x->n_tensors] = datum_none();
	x->tensors[dim] = t;
	x->n_tensors = dim + 1;
	x->has_tensors = true;
	return true;
}

/* x[True]: a new dimension, indexed with a mask of one element. */
static bool apply_bool(struct indexing *x, bool on, nns_error *err)
{
	int64_t one = on, zero = 0;
	struct value *v = value_new(x->in->arena, DT_INT64, 1, &one);
	struct datum *constant = arena_alloc(x->in->arena, sizeof *constant);
	if (!v || !constant || !datum_ints(x->in->arena, D_LIST, &zero, (size_t)one, constant))
		return fail_memory(err);
	v->constant = constant;
	if (!apply_unsqueeze(x, err))
		return false;
	return keep_tensor(x, x->dim++, datum_pointer(D_TENSOR, v), err);
}

static bool apply_tensor(struct indexing *x, struct datum item, nns_error *err)
{
	const struct value *v = item.u.p;
	if (v->ndim < 0)
		return shape_is_known(v, "an index", err);
	if (!dtype_is_integral(v->dtype) && v->dtype != DT_BOOL)
		return fail(err, NNS_MODEL, "tensors used as indices must be long, int, byte or bool tensors, not %s", dtype_name(v->dtype));
	int at = x->dim;
	x->dim += is_mask(v) ? v->ndim : 1;
	return keep_tensor(x, at, item, err);
}

static bool apply_item(struct indexing *x, struct datum item, int ellipsis, nns_error *err)
{
	switch (item.kind) {
	case D_SLICE: return apply_slice(x, item.u.slice, x->n == 1, err);
	case D_ELLIPSIS: x->dim += ellipsis; return true;
	case D_NONE: return apply_unsqueeze(x, err) && (x->dim++, true);
	case D_BOOL: return apply_bool(x, item.u.b, err);
	case D_INT: return apply_select(x, item, err);
	case D_TENSOR: return is_select(item) ? apply_select(x, item, err) : apply_tensor(x, item, err);
	default: return fail(err, NNS_MODEL, "an index must be made of integers, slices, None, ... and tensors, not %s", datum_type_name(item));
	}
}

/* All items but tensors are applied to x; those are left in x->tensors. */
static bool apply_items(struct indexing *x, struct interp *in, struct datum obj, struct datum index, nns_error *err)
{
	const struct value *v = obj.u.p;
	int ellipsis = 0;
	*x = (struct indexing){ .in = in, .x = obj, .tensors = arena_array(in->arena, MAX_ITEMS, sizeof *x->tensors) };
	if (!x->tensors)
		return fail_memory(err);
	if (!shape_is_known(v, "an indexed tensor", err) || !collect_items(x, index, err) || !count_dims(x, v->ndim, &ellipsis, err))
		return false;
	for (size_t i = 0; i < x->n; i++)
		if (!apply_item(x, x->items[i], ellipsis, err))
			return false;
	return true;
}

static bool tensor_list(struct indexing *x, struct datum *out, nns_error *err)
{
	if (!datum_seq(x->in->arena, D_LIST, (size_t)x->n_tensors, out))
		return fail_memory(err);
	for (int i = 0; i < x->n_tensors; i++)
		if (!seq_push(x->in->arena, out->u.seq, x->tensors[i]))
			return fail_memory(err);
	return true;
}

/* ---- x[index] ---- */

static bool getitem_host(struct interp *in, struct datum obj, nns_error *err)
{
	(void)in;
	return fail(err, NNS_MODEL, "%s %s is not subscriptable", datum_a(obj), datum_type_name(obj));
}

bool tensor_getitem(struct interp *in, struct datum obj, struct datum index, struct datum *out, nns_error *err)
{
	struct indexing x;
	struct datum list;
	if (obj.kind != D_TENSOR)
		return getitem_host(in, obj, err);
	if (!apply_items(&x, in, obj, index, err))
		return false;
	if (x.has_tensors) {
		if (!tensor_list(&x, &list, err))
			return false;
		struct datum args[] = { x.x, list };
		return record_items(in, "index.Tensor", args, 2, out, err);
	}
	*out = x.x;
	return x.x.u.p != obj.u.p || record_unary(in, "alias", obj, out, err);
}

/* ---- x[index] = value ---- */

static bool number_tensor(struct interp *in, struct datum number, enum dtype dtype, struct datum *out, nns_error *err)
{
	struct value *v = value_new(in->arena, dtype, 0, NULL);
	struct datum *constant = arena_alloc(in->arena, sizeof *constant);
	if (!v || !constant)
		return fail_memory(err);
	*constant = number;
	v->constant = constant;
	*out = datum_pointer(D_TENSOR, v);
	return true;
}

/* slicePrefix1sSize(): sizes without the ones in front. */
static bool strip_ones(struct interp *in, struct datum *src, nns_error *err)
{
	const struct value *v = src->u.p;
	int first = 0;
	struct datum sizes;
	while (first < v->ndim && v->size[first] == 1)
		first++;
	if (first == 0)
		return true;
	if (!datum_ints(in->arena, D_LIST, v->size + first, (size_t)(v->ndim - first), &sizes))
		return fail_memory(err);
	struct datum args[] = { *src, sizes };
	return record_items(in, "view", args, 2, src, err);
}

static bool expand_to(struct interp *in, struct datum dst, struct datum *src, nns_error *err)
{
	const struct value *v = dst.u.p;
	struct datum sizes;
	if (!datum_ints(in->arena, D_LIST, v->size, (size_t)v->ndim, &sizes))
		return fail_memory(err);
	struct datum args[] = { *src, sizes };
	return record_items(in, "expand", args, 2, src, err);
}

/* copy_to() in TensorIndexing.h */
static bool copy_into(struct interp *in, struct datum dst, struct datum src, nns_error *err)
{
	const struct value *d = dst.u.p, *s = src.u.p;
	struct datum ignored, args[2] = { dst, src };
	if (!shape_is_known(s, "the value of an assignment", err))
		return false;
	if (same_sizes(d, s))
		return record_items(in, "copy_", args, 2, &ignored, err);
	if (s->ndim == 0)
		return record_items(in, "fill_.Tensor", args, 2, &ignored, err);
	if (!strip_ones(in, &args[1], err) || !expand_to(in, dst, &args[1], err))
		return false;
	return record_items(in, "copy_", args, 2, &ignored, err);
}

bool tensor_setitem(struct interp *in, struct datum obj, struct datum index, struct datum value, nns_error *err)
{
	struct indexing x;
	struct datum list, ignored;
	if (obj.kind != D_TENSOR)
		return fail(err, NNS_MODEL, "%s %s does not take assignments to items", datum_a(obj), datum_type_name(obj));
	const struct value *v = obj.u.p;
	if (datum_is_number(value) && !number_tensor(in, value, v->dtype, &value, err))
		return false;
	if (value.kind != D_TENSOR)
		return fail(err, NNS_MODEL, "%s %s cannot be assigned to items of a tensor", datum_a(value), datum_type_name(value));
	if (!apply_items(&x, in, obj, index, err))
		return false;
	if (!x.has_tensors)
		return copy_into(in, x.x, value, err);
	if (!strip_ones(in, &value, err) || !tensor_list(&x, &list, err))
		return false;
	struct datum args[] = { x.x, list, value };
	return record_items(in, "index_put_", args, 3, &ignored, err);
}
