/* Shape rules that several families share. */
#include <string.h>

#include "ops/shapes.h"

struct value *first_tensor(struct op_call *c)
{
	for (int i = 0; i < c->op->n_args; i++)
		if (c->op->args[i].type == ARG_TENSOR && c->args[i].kind == D_TENSOR)
			return c->args[i].u.p;
	op_fail(c, "expected a tensor");
	return NULL;
}

enum dtype as_float(enum dtype d)
{
	return dtype_can_require_grad(d) ? d : DT_FLOAT32;
}

enum dtype as_sum(enum dtype d)
{
	return dtype_can_require_grad(d) ? d : DT_INT64;
}

bool is_complex(const struct value *v)
{
	return dtype_is_complex(v->dtype);
}

bool sizes_equal(const struct value *v, int n, const int64_t *size)
{
	return value_has_sizes(v, n, size);
}

bool same_sizes(const struct value *a, const struct value *b)
{
	return sizes_equal(a, b->ndim, b->size);
}

bool shape_float_only(struct op_call *c)
{
	if (!shape_pointwise(c))
		return false;
	enum dtype d = c->outputs[0]->dtype;
	return dtype_can_require_grad(d) || op_fail(c, "is not defined for %s", dtype_name(d));
}

static struct value *written_argument(struct op_call *c)
{
	for (int i = 0; i < c->op->n_args; i++)
		if (c->op->args[i].writes && c->args[i].kind == D_TENSOR)
			return c->args[i].u.p;
	return NULL;
}

bool shape_written(struct op_call *c)
{
	struct value *self = written_argument(c);
	return self ? op_out_same(c, self) : op_fail(c, "expected a tensor to write into");
}

bool write_result(struct op_call *c)
{
	struct value *self = written_argument(c), *made = c->outputs[0];
	c->n_outputs = 0;
	if (!self)
		return op_fail(c, "expected a tensor to write into");
	if (!same_sizes(made, self))
		return op_fail(c, "output with shape %V doesn't match the broadcast shape %V", self, made);
	if (!dtype_can_cast(made->dtype, self->dtype))
		return op_fail(c, "result type %s can't be cast to the desired output type %s", dtype_name(made->dtype), dtype_name(self->dtype));
	return op_out_same(c, self);
}

bool shape_float_inplace(struct op_call *c)
{
	return shape_pointwise_float(c) && write_result(c);
}

bool shape_alias(struct op_call *c)
{
	struct value *v = first_tensor(c);
	return v && op_out_view(c, v, v->ndim, v->size, v->stride, v->offset);
}

bool shape_same_contiguous(struct op_call *c)
{
	struct value *v = first_tensor(c);
	return v && op_out(c, v->dtype, v->ndim, v->size);
}

struct value *out_unknown(struct op_call *c, enum dtype dtype)
{
	struct value *v = op_out(c, dtype, 0, NULL);
	if (v)
		v->ndim = -1;
	return v;
}

bool shape_unknown(struct op_call *c)
{
	struct value *v = first_tensor(c);
	return v && out_unknown(c, v->dtype);
}

bool dims_marked(struct op_call *c, const char *name, int ndim, bool empty_is_all, bool *marked)
{
	int n, d;
	const int64_t *dims = op_ints(c, name, &n);
	memset(marked, 0, MAX_DIMS * sizeof *marked);
	if (n < 0 || (n == 0 && empty_is_all))
		memset(marked, 1, (size_t)ndim * sizeof *marked);
	for (int i = 0; i < n; i++) {
		if (!op_dim(c, dims[i], ndim, &d))
			return false;
		if (marked[d])
			return op_fail(c, "dim %d appears multiple times in the list of dims", d);
		marked[d] = true;
	}
	return true;
}

struct value *out_reduced(struct op_call *c, const struct value *v, enum dtype dtype, const bool *marked, bool keepdim)
{
	int64_t size[MAX_DIMS];
	int n = 0;
	for (int i = 0; i < v->ndim; i++)
		if (!marked[i] || keepdim)
			size[n++] = marked[i] ? 1 : v->size[i];
	return op_out(c, dtype, n, size);
}
