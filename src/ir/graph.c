#include "ir/graph.h"

#include <inttypes.h>
#include <string.h>

#include "ir/elements.h"

/* ---- nodes ------------------------------------------------------------------------ */

static struct node *first_leaf(struct node *n)
{
	while (n && n->parts)
		n = n->parts;
	return n;
}

struct node *graph_first(const struct graph *g)
{
	return first_leaf(g->nodes);
}

struct node *graph_next(const struct node *n)
{
	while (n && !n->next)
		n = n->parent;
	return n ? first_leaf(n->next) : NULL;
}

/* ---- values ----------------------------------------------------------------------- */

/* Saturates instead of overflowing: such a shape is refused by shape_fits. */
static int64_t multiply(int64_t a, int64_t b)
{
	int64_t product;

	return __builtin_mul_overflow(a, b, &product) ? INT64_MAX : product;
}

/* TensorImpl::empty_tensor_restride: an empty dimension counts as one. */
void contiguous_strides(int ndim, const int64_t *size, int64_t *stride)
{
	int64_t step = 1;

	for (int i = ndim - 1; i >= 0; i--) {
		stride[i] = step;
		step = multiply(step, size[i] > 1 ? size[i] : 1);
	}
}

struct value *value_new(struct arena *a, enum dtype dtype, int ndim, const int64_t *size)
{
	struct value *v = arena_alloc(a, sizeof *v);

	if (!v)
		return NULL;
	v->dtype = dtype;
	v->ndim = ndim;
	if (ndim < 0)
		return v;
	v->size = arena_array(a, (size_t)ndim, sizeof *v->size);
	v->stride = arena_array(a, (size_t)ndim, sizeof *v->stride);
	if (!v->size || !v->stride)
		return NULL;
	for (int i = 0; i < ndim; i++)
		v->size[i] = size[i];
	contiguous_strides(ndim, size, v->stride);
	return v;
}

/* c10/core/Contiguity.h: dimensions of one element may have any stride, empty tensors too. */
bool value_is_contiguous(const struct value *v)
{
	int64_t step = 1;

	for (int i = 0; i < v->ndim; i++)
		if (v->size[i] == 0)
			return true;
	for (int i = v->ndim - 1; i >= 0; i--) {
		if (v->size[i] == 1)
			continue;
		if (v->stride[i] != step)
			return false;
		step = multiply(step, v->size[i]);
	}
	return v->ndim >= 0;
}

int64_t value_numel(const struct value *v)
{
	int64_t n = 1;

	if (v->ndim < 0)
		return -1;
	for (int i = 0; i < v->ndim; i++)
		if (v->size[i] == 0)
			return 0;
	for (int i = 0; i < v->ndim; i++)
		n = multiply(n, v->size[i]);
	return n;
}

int64_t value_bytes(const struct value *v)
{
	int64_t n = value_numel(v);

	return n < 0 ? -1 : multiply(n, (int64_t)dtype_size(v->dtype));
}

bool shape_fits(int ndim, const int64_t *size, enum dtype dtype)
{
	int64_t n = (int64_t)dtype_size(dtype);

	for (int i = 0; i < ndim; i++)
		if (size[i] < 0 || __builtin_mul_overflow(n, size[i] > 1 ? size[i] : 1, &n))
			return false;
	return true;
}

/* ---- tensors in datums ------------------------------------------------------------ */

enum { MAX_DEPTH = 200, MAX_VISITS = 1 << 24 }; /* lists may hold themselves, and one another in many ways */

static bool each_tensor(struct datum d, bool (*fn)(struct value *v, void *data), void *data, int depth, long *left)
{
	size_t n = 0;
	const struct datum *items = NULL;

	if (d.kind == D_TENSOR)
		return fn(d.u.p, data);
	if (datum_is_seq(d)) {
		items = d.u.seq->items;
		n = d.u.seq->n;
	} else if (d.kind == D_DICT) {
		items = d.u.dict->values;
		n = d.u.dict->n;
	}
	for (size_t i = 0; i < n && depth < MAX_DEPTH && *left > 0; i++, --*left)
		if (!each_tensor(items[i], fn, data, depth + 1, left))
			return false;
	return true;
}

bool datum_each_tensor(struct datum d, bool (*fn)(struct value *v, void *data), void *data)
{
	long left = MAX_VISITS;
	return each_tensor(d, fn, data, 0, &left);
}

static bool count_one(struct value *v, void *data)
{
	(void)v;
	++*(size_t *)data;
	return true;
}

size_t datum_count_tensors(struct datum d)
{
	size_t n = 0;

	datum_each_tensor(d, count_one, &n);
	return n;
}

/* ---- shapes as text --------------------------------------------------------------- */

static void add_sizes(struct text *t, const struct value *v, const char *between)
{
	for (int i = 0; i < v->ndim; i++) {
		if (i)
			text_add(t, between);
		text_addf(t, "%" PRId64, v->size[i]);
	}
	if (v->ndim < 0)
		text_addc(t, '?');
}

void shape_add_x(struct text *t, const struct value *v)
{
	add_sizes(t, v, "x");
}

void shape_add_list(struct text *t, const struct value *v)
{
	text_addc(t, '[');
	add_sizes(t, v, ", ");
	text_addc(t, ']');
}

void shape_add_tuple(struct text *t, const struct value *v)
{
	text_addc(t, '(');
	add_sizes(t, v, ", ");
	text_add(t, v->ndim == 1 ? ",)" : ")");
}

struct datum value_number(const struct value *v, int64_t i)
{
	const unsigned char *at = v->storage + (v->offset + i) * (int64_t)dtype_size(v->dtype);
	int64_t whole;
	double real;
	if (dtype_is_float(v->dtype)) {
		elements_to_double(v->dtype, at, 1, 1, &real);
		return datum_float(real);
	}
	elements_to_int(v->dtype, at, 1, 1, &whole);
	return v->dtype == DT_BOOL ? datum_bool(whole != 0) : datum_int(whole);
}

bool value_has_sizes(const struct value *v, int n, const int64_t *size)
{
	return v->ndim == n && (n <= 0 || memcmp(v->size, size, (size_t)n * sizeof *size) == 0);
}
