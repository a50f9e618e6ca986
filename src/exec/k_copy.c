/*
 * Copies, conversions and constants
 * (aten/src/ATen/native/{Copy,TensorConversions,TensorFactories,Fill}.cpp).
 */
#include "exec/layout.h"

/* clone(), _to_copy(): strides kept when memory_format does not say otherwise */
static bool k_clone(struct kernel_call *k)
{
	struct tensor *self = arg_tensor(k, "self");
	struct tensor *out = out_like_format(k, self, arg_dtype(k, "dtype", self->dtype), arg_format(k, FORMAT_PRESERVE));
	return out && copy_into(k, out, self);
}

static bool broadcasts_to(struct kernel_call *k, const struct tensor *self, struct tensor *from)
{
	struct tensor *both[2] = { (struct tensor *)self, from };
	int64_t size[MAX_DIMS];
	int ndim;
	if (!broadcast_shapes(k, both, 2, &ndim, size))
		return false;
	bool same = ndim == self->ndim;
	for (int i = 0; i < ndim && same; i++)
		same = size[i] == self->size[i];
	return same || kernel_fail(k, "what is copied does not fit into the tensor written");
}

static bool k_copy(struct kernel_call *k)
{
	struct tensor *self = arg_tensor(k, "self"), *from = arg_tensor(k, "src");
	if (!broadcasts_to(k, self, from) || (k->op->inplace && !can_overwrite(k, self, &from, 1)))
		return false;
	struct tensor *out = k->op->inplace ? self : out_like(k, self, self->dtype);
	return out && copy_into(k, out, from) && (!k->op->inplace || out_same(k, self));
}

/* The number or tensor without dimensions in every element. */
static bool fill_with(struct kernel_call *k, struct tensor *from)
{
	struct tensor *self = arg_tensor(k, "self");
	if (!from)
		return false;
	if (from->ndim > 0)
		return kernel_fail(k, "a tensor is filled with one value, not with %d dimensions", from->ndim);
	struct tensor *out = k->op->inplace ? self : out_like(k, self, self->dtype);
	return out && copy_into(k, out, from) && (!k->op->inplace || out_same(k, self));
}

static bool k_fill(struct kernel_call *k)
{
	return fill_with(k, arg_operand(k, "value"));
}

static bool k_zero(struct kernel_call *k)
{
	return fill_with(k, temporary(k, arg_tensor(k, "self")->dtype, 0, NULL));
}

/* ---- Assertions ---- */

static bool k_assert_async(struct kernel_call *k)
{
	struct tensor *self = arg_tensor(k, "self");
	const char *message = arg_str(k, "assert_msg");
	if (tensor_numel(self) != 1)
		return kernel_fail(k, "a condition is one value, not %lld", (long long)tensor_numel(self));
	const double *v = doubles_of(k, self);
	if (!v)
		return false;
	return v[0] != 0 || kernel_fail(k, "%s", message ? message : "the condition does not hold");
}

static bool k_assert_scalar(struct kernel_call *k)
{
	const char *message = arg_str(k, "assert_msg");
	return arg_bool(k, "self", true) || kernel_fail(k, "%s", message ? message : "the condition does not hold");
}

static bool k_assert_metadata(struct kernel_call *k)
{
	struct tensor *a = arg_tensor(k, "a");
	enum dtype d = arg_dtype(k, "dtype", a->dtype);
	int n, m;
	const int64_t *size = arg_ints(k, "size", &n), *stride = arg_ints(k, "stride", &m);
	if (!size || !stride)
		return false;
	if (d != a->dtype)
		return kernel_fail(k, "the tensor is %s; expected %s", dtype_name(a->dtype), dtype_name(d));
	if ((n >= 0 && n != a->ndim) || (m >= 0 && m != a->ndim))
		return kernel_fail(k, "the tensor has %d dimensions; expected %d", a->ndim, n >= 0 ? n : m);
	for (int i = 0; i < a->ndim; i++)
		if ((n >= 0 && size[i] != a->size[i]) || (m >= 0 && stride[i] != a->stride[i]))
			return kernel_fail(k, "dimension %d of the tensor is not as expected", i);
	return true;
}

const struct kernel_row copy_kernels[] = {
	{ .name = "clone", .run = k_clone },
	{ .name = "_to_copy", .run = k_clone },
	{ .name = "lift_fresh_copy", .run = k_clone },
	{ .name = "alias_copy", .run = k_clone },
	{ .name = "detach_copy", .run = k_clone },
	{ .name = "copy", .run = k_copy },
	{ .name = "fill", .run = k_fill, .fills = true },
	{ .name = "zero", .run = k_zero, .fills = true },
	{ .name = "_assert_async", .run = k_assert_async },
	{ .name = "_assert_scalar", .run = k_assert_scalar },
	{ .name = "_assert_tensor_metadata", .run = k_assert_metadata },
	{ 0 },
};
