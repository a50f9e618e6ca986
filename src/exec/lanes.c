#include "exec/lanes.h"

#include <math.h>
#include <string.h>

const struct tensor *turn_last(struct turned *to, const struct tensor *t, const bool *marked)
{
	int n = 0;
	to->t = *t;
	for (int pass = 0; pass < 2; pass++)
		for (int d = 0; d < t->ndim; d++)
			if (marked[d] == (pass == 1)) {
				to->size[n] = t->size[d];
				to->stride[n++] = t->stride[d];
			}
	to->t.size = to->size;
	to->t.stride = to->stride;
	return &to->t;
}

static void mark_one(const struct tensor *t, int dim, bool *marked)
{
	for (int d = 0; d < t->ndim; d++)
		marked[d] = d == dim;
}

const struct tensor *turn_dim_last(struct turned *to, const struct tensor *t, int dim)
{
	bool marked[MAX_DIMS];
	mark_one(t, dim, marked);
	return turn_last(to, t, marked);
}

static bool open_data(struct kernel_call *k, const struct tensor *t, struct lanes *l)
{
	if (!dtype_has_elements(t->dtype) || !dtype_has_elements(l->dtype))
		return fail(k->err, NNS_UNSUPPORTED, "there is no kernel for %s", dtype_name(t->dtype));
	if (l->dtype == t->dtype && tensor_is_contiguous(t)) {
		l->data = tensor_data(t);
		return true;
	}
	struct tensor *copy = temporary(k, l->dtype, t->ndim, t->size);
	if (!copy)
		return false;
	tensor_copy(copy, t);
	l->data = tensor_data(copy);
	return true;
}

bool lanes_over(struct kernel_call *k, const struct tensor *t, const bool *marked, bool keepdim, enum dtype dtype, struct lanes *l)
{
	struct turned turned;
	l->dtype = dtype == DT_NONE ? t->dtype : dtype;
	l->count = l->length = 1;
	l->ndim = 0;
	for (int d = 0; d < t->ndim; d++) {
		if (marked[d])
			l->length *= t->size[d];
		else
			l->count *= t->size[d];
		if (!marked[d] || keepdim)
			l->size[l->ndim++] = marked[d] ? 1 : t->size[d];
	}
	return open_data(k, turn_last(&turned, t, marked), l);
}

bool lanes_of_call(struct kernel_call *k, const struct tensor *t, enum dtype dtype, struct lanes *l)
{
	bool marked[MAX_DIMS];
	return arg_dims(k, "dim", t->ndim, marked) && lanes_over(k, t, marked, arg_bool(k, "keepdim", false), dtype, l);
}

bool lanes_along(struct kernel_call *k, const struct tensor *t, int dim, bool keepdim, enum dtype dtype, struct lanes *l)
{
	bool marked[MAX_DIMS];
	mark_one(t, dim, marked);
	return lanes_over(k, t, marked, keepdim, dtype, l);
}

bool lanes_not_empty(struct kernel_call *k, const struct lanes *l)
{
	return l->length > 0 || kernel_fail(k, "the dimensions to reduce have no elements, and nothing is the result of none");
}

int64_t lanes_grain(const struct lanes *l)
{
	return l->length >= 1 << 15 ? 1 : (1 << 15) / (l->length ? l->length : 1);
}

/* The bits of a double are ordered as integers, those of negative ones the other way round. */
static int64_t key_of_double(double x)
{
	int64_t bits;
	if (isnan(x))
		return NAN_KEY;
	x += 0.0;                                /* -0 becomes 0 */
	memcpy(&bits, &x, sizeof bits);
	return bits < 0 ? bits ^ INT64_MAX : bits;
}

int64_t *keys_of(struct kernel_call *k, const struct lanes *l)
{
	int64_t n = l->count * l->length, *keys = scratch_alloc(k, n, sizeof *keys);
	if (!keys)
		return NULL;
	if (!dtype_is_float(l->dtype)) {
		elements_to_int(l->dtype, l->data, 1, n, keys);
		for (int64_t i = 0; l->dtype == DT_UINT64 && i < n; i++)
			keys[i] ^= INT64_MIN;
		return keys;
	}
	double x[512];
	for (int64_t i = 0; i < n; i += 512) {
		int64_t m = n - i < 512 ? n - i : 512;
		elements_to_double(l->dtype, l->data + i * (int64_t)dtype_size(l->dtype), 1, m, x);
		for (int64_t j = 0; j < m; j++)
			keys[i + j] = key_of_double(x[j]);
	}
	return keys;
}

void lanes_take(const struct lanes *l, int64_t from, struct tensor *out, int64_t to)
{
	size_t size = dtype_size(l->dtype);
	memcpy(tensor_data(out) + to * (int64_t)size, l->data + from * (int64_t)size, size);
}
