/*
 * Broadcasting, type promotion and the memory layout of element-wise results:
 * the rules of aten/src/ATen/TensorIterator.cpp and
 * aten/src/ATen/native/TypeProperties.cpp, and the shape rules that whole
 * classes of operators share.
 */
#include <string.h>

#include "ops/op.h"
#include "ops/shapes.h"

bool op_broadcast(struct op_call *c, int na, const int64_t *a, int nb, const int64_t *b, int *n, int64_t *out)
{
	int ndim = na > nb ? na : nb;
	if (ndim > MAX_DIMS)
		return op_fail(c, "%d dimensions are more than the %d that a tensor can have", ndim, MAX_DIMS);
	int64_t result[MAX_DIMS];
	for (int i = 1; i <= ndim; i++) {
		int64_t x = i <= na ? a[na - i] : 1, y = i <= nb ? b[nb - i] : 1;
		if (x != y && x != 1 && y != 1)
			return op_fail(c, "sizes %lld and %lld at dimension %d do not match", (long long)x, (long long)y, ndim - i);
		result[ndim - i] = x == 1 ? y : x;
	}
	memcpy(out, result, (size_t)ndim * sizeof *out);
	*n = ndim;
	return true;
}

/* ---- Type promotion ---- */

static enum dtype promote_known(enum dtype a, enum dtype b)
{
	return a == DT_NONE ? b : b == DT_NONE ? a : dtype_promote(a, b);
}

static enum dtype combine(enum dtype higher, enum dtype lower)
{
	if (higher == DT_NONE)
		return lower;
	if (dtype_is_complex(higher))
		return higher;
	if (dtype_is_float(higher)) {
		if (lower != DT_NONE && dtype_is_complex(lower))
			return dtype_promote(higher, DT_COMPLEX64);
		return higher;
	}
	if (higher == DT_BOOL || (lower != DT_NONE && (dtype_is_float(lower) || dtype_is_complex(lower))))
		return promote_known(higher, lower);
	return higher;
}

/* A Python float or complex stands for the default dtype. */
static enum dtype as_default(const struct value *v)
{
	if (!v->is_scalar)
		return v->dtype;
	return dtype_is_complex(v->dtype) ? DT_COMPLEX64 : dtype_is_float(v->dtype) ? DT_FLOAT32 : v->dtype;
}

enum dtype op_result_type(struct op_call *c, struct value *const *in, int n)
{
	enum dtype with_dims = DT_NONE, without = DT_NONE, wrapped = DT_NONE;
	(void)c;
	for (int i = 0; i < n; i++) {
		if (!in[i])
			continue;
		enum dtype d = as_default(in[i]);
		if (in[i]->is_scalar)
			wrapped = promote_known(wrapped, d);
		else if (in[i]->ndim > 0)
			with_dims = promote_known(with_dims, d);
		else
			without = promote_known(without, d);
	}
	return combine(with_dims, combine(without, wrapped));
}

/* ---- Layout ---- */

static bool same_strides(const struct value *a, const struct value *b)
{
	return memcmp(a->stride, b->stride, (size_t)a->ndim * sizeof *a->stride) == 0;
}

/* Every element has a place of its own and no place is left out (is_non_overlapping_and_dense). */
static bool is_dense(const struct value *v)
{
	int order[MAX_DIMS];
	for (int i = 0; i < v->ndim; i++) {
		int j = i;
		for (; j > 0 && v->stride[order[j - 1]] > v->stride[i]; j--)
			order[j] = order[j - 1];
		order[j] = i;
	}
	int64_t expected = 1;
	for (int i = 0; i < v->ndim; i++) {
		int64_t size = v->size[order[i]];
		if (size < 2) {
			if (size == 0)
				return true;
			continue;
		}
		if (v->stride[order[i]] != expected)
			return false;
		expected *= size;
	}
	return true;
}

/* What TensorIterator steps by: 0 where the operand is broadcast, its own stride otherwise, for one element too. */
static int64_t iterator_stride(const struct value *v, int dim, int64_t size)
{
	return dim < 0 || (v->size[dim] == 1 && size != 1) ? 0 : v->stride[dim];
}

/*
 * Whether dimension b is to be inner to dimension a: -1 no, 1 yes, 0 no input
 * decides (TensorIteratorBase::reorder_dimensions).
 */
static int should_swap(struct value *const *in, int n, int ndim, const int64_t *shape, int a, int b)
{
	for (int i = 0; i < n; i++) {
		if (!in[i])
			continue;
		int skip = ndim - in[i]->ndim;
		int64_t sa = iterator_stride(in[i], a - skip, shape[a]), sb = iterator_stride(in[i], b - skip, shape[b]);
		if (sa == 0 || sb == 0)
			continue;
		if (sa != sb)
			return sa < sb ? -1 : 1;
		if (shape[a] > shape[b])
			return 1;
	}
	return 0;
}

static void output_strides(struct value *const *in, int n, int ndim, const int64_t *shape, int64_t *stride)
{
	int perm[MAX_DIMS]; /* innermost first */
	for (int i = 0; i < ndim; i++)
		perm[i] = ndim - 1 - i;
	for (int i = 1; i < ndim; i++) {
		int b = i;
		for (int a = i - 1; a >= 0; a--) {
			int order = should_swap(in, n, ndim, shape, perm[a], perm[b]);
			if (order > 0) {
				int held = perm[a];
				perm[a] = perm[b];
				perm[b] = held;
				b = a;
			} else if (order < 0) {
				break;
			}
		}
	}
	int64_t next = 1;
	for (int i = 0; i < ndim; i++) {
		stride[perm[i]] = next;
		next *= shape[perm[i]] > 1 ? shape[perm[i]] : 1;
	}
}

struct value *op_out_pointwise(struct op_call *c, enum dtype dtype, struct value *const *in, int n)
{
	int ndim = 0;
	int64_t shape[MAX_DIMS], stride[MAX_DIMS];
	bool uniform = true, contiguous = true;
	const struct value *first = NULL;
	for (int i = 0; i < n; i++) {
		if (!in[i])
			continue;
		if (!op_broadcast(c, ndim, shape, in[i]->ndim, in[i]->size, &ndim, shape)) {
			op_fail(c, "shapes %V and %V cannot be broadcast together", first, in[i]);
			return NULL;
		}
		if (!first)
			first = in[i];
		uniform = uniform && same_sizes(first, in[i]);
		contiguous = contiguous && value_is_contiguous(in[i]);
	}
	if (!first || (uniform && contiguous))
		return op_out(c, dtype, ndim, shape);
	bool alike = uniform && is_dense(first);
	for (int i = 0; i < n && alike; i++)
		alike = !in[i] || same_strides(first, in[i]);
	if (alike)
		return op_out_strided(c, dtype, ndim, shape, first->stride);
	output_strides(in, n, ndim, shape, stride);
	return op_out_strided(c, dtype, ndim, shape, stride);
}

struct value *op_out_like(struct op_call *c, const struct value *v, enum dtype dtype)
{
	/* also the strides of dimensions of size 1, which may be any */
	if (value_is_contiguous(v) || is_dense(v))
		return op_out_strided(c, dtype, v->ndim, v->size, v->stride);
	int64_t stride[MAX_DIMS];
	struct value *in[1] = { (struct value *)v };
	output_strides(in, 1, v->ndim, v->size, stride);
	return op_out_strided(c, dtype, v->ndim, v->size, stride);
}

/* ---- Rules shared by many operators ---- */

enum { MAX_OPERANDS = 16 };

/* The tensors among the arguments, and numbers of type Scalar as wrapped tensors. */
static int operands(struct op_call *c, struct value **in)
{
	int n = 0;
	for (int i = 0; i < c->op->n_args && n < MAX_OPERANDS; i++)
		if (c->args[i].kind == D_TENSOR && c->op->args[i].type == ARG_TENSOR)
			in[n++] = c->args[i].u.p;
	return n;
}

/* A Scalar argument named other, self or exponent takes part in promotion. */
static int scalar_operands(struct op_call *c, struct value **in, struct value *storage)
{
	static const char *const names[] = { "other", "self", "exponent", "value", "min", "max" };
	int n = 0;
	for (size_t k = 0; k < sizeof names / sizeof *names; k++) {
		int i = op_arg_index(c->op, names[k]);
		if (i < 0 || c->op->args[i].type != ARG_SCALAR || !datum_is_number(c->args[i]))
			continue;
		enum datum_kind kind = c->args[i].kind;
		storage[n] = (struct value){ .is_scalar = true,
			.dtype = kind == D_BOOL ? DT_BOOL : kind == D_INT ? DT_INT64 : DT_FLOAT64 };
		in[n] = &storage[n];
		n++;
	}
	return n;
}

static enum dtype promoted(struct op_call *c, struct value **in, int n)
{
	struct value *all[MAX_OPERANDS + 8], storage[8];
	memcpy(all, in, (size_t)n * sizeof *in);
	int m = scalar_operands(c, all + n, storage);
	return op_result_type(c, all, n + m);
}

bool shape_pointwise(struct op_call *c)
{
	struct value *in[MAX_OPERANDS];
	int n = operands(c, in);
	return op_out_pointwise(c, promoted(c, in, n), in, n) != NULL;
}

bool shape_pointwise_float(struct op_call *c)
{
	struct value *in[MAX_OPERANDS];
	int n = operands(c, in);
	enum dtype d = promoted(c, in, n);
	if (!dtype_can_require_grad(d))
		d = DT_FLOAT32;
	return op_out_pointwise(c, d, in, n) != NULL;
}

bool shape_pointwise_bool(struct op_call *c)
{
	struct value *in[MAX_OPERANDS];
	int n = operands(c, in);
	return op_out_pointwise(c, DT_BOOL, in, n) != NULL;
}

bool shape_same(struct op_call *c)
{
	struct value *in[MAX_OPERANDS];
	if (operands(c, in) == 0)
		return op_fail(c, "expected a tensor");
	return op_out_like(c, in[0], in[0]->dtype) != NULL;
}

bool shape_inplace(struct op_call *c)
{
	struct value *in[MAX_OPERANDS], *written = NULL;
	int n = operands(c, in), ndim = 0;
	int64_t shape[MAX_DIMS];
	for (int i = 0; i < c->op->n_args && !written; i++)
		if (c->op->args[i].writes && c->args[i].kind == D_TENSOR)
			written = c->args[i].u.p;
	if (!written)
		return op_fail(c, "expected a tensor to write into");
	for (int i = 0; i < n; i++)
		if (!op_broadcast(c, ndim, shape, in[i]->ndim, in[i]->size, &ndim, shape))
			return op_fail(c, "shapes %V and %V cannot be broadcast together", written, in[i]);
	if (ndim != written->ndim || memcmp(shape, written->size, (size_t)ndim * sizeof *shape) != 0)
		return op_fail(c, "the result does not fit into %V, which is written in place", written);
	enum dtype d = promoted(c, in, n);
	if (d != DT_NONE && n > 1 && !dtype_can_cast(d, written->dtype) && strcmp(c->op->base_name, "copy_") != 0)
		return op_fail(c, "a result of type %s cannot be written into %s", dtype_name(d), dtype_name(written->dtype));
	return op_out_same(c, written);
}
