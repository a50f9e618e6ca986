/* Memory formats, and whether a tensor can be seen with other sizes. */
#include <string.h>

#include "ops/shapes.h"

enum memory_format op_memory_format(struct op_call *c, const char *name, enum memory_format none)
{
	int i = op_arg_index(c->op, name);
	const char *s = NULL;
	if (i >= 0 && c->args[i].kind == D_HOST)
		s = ((const struct host_object *)c->args[i].u.p)->data;
	else if (i >= 0 && c->args[i].kind == D_STR)
		s = c->args[i].u.s;
	if (!s)
		return none;
	if (strcmp(s, "channels_last") == 0)
		return FORMAT_CHANNELS_LAST;
	if (strcmp(s, "channels_last_3d") == 0)
		return FORMAT_CHANNELS_LAST_3D;
	return strcmp(s, "preserve_format") == 0 ? FORMAT_PRESERVE : FORMAT_CONTIGUOUS;
}

/* Dimensions of a channels-last tensor from the innermost outwards. */
static const int last_2d[] = { 1, 3, 2, 0 }, last_3d[] = { 1, 4, 3, 2, 0 };

/* is_channels_last_strides_2d() and _3d(): strides grow in channels-last order, ambiguous ones do not count. */
static bool looks_channels_last(const struct value *v, const int *order, int n)
{
	int64_t least = 0;
	if (v->ndim != n || v->stride[1] == 0)
		return false;
	for (int i = 0; i < n; i++) {
		int d = order[i];
		if (v->size[d] == 0 || v->stride[d] < least || (d == 0 && least == v->stride[1]))
			return false;
		least = v->stride[d] * (v->size[d] > 1 ? v->size[d] : 1);
	}
	return true;
}

enum memory_format value_format(const struct value *v)
{
	if (looks_channels_last(v, last_2d, 4))
		return FORMAT_CHANNELS_LAST;
	return looks_channels_last(v, last_3d, 5) ? FORMAT_CHANNELS_LAST_3D : FORMAT_CONTIGUOUS;
}

static void format_strides(enum memory_format f, int ndim, const int64_t *size, int64_t *stride)
{
	const int *order = f == FORMAT_CHANNELS_LAST ? last_2d : last_3d;
	int64_t next = 1;
	for (int i = 0; i < ndim; i++) {
		stride[order[i]] = next;
		next *= size[order[i]] > 1 ? size[order[i]] : 1;
	}
}

static bool fits_format(enum memory_format f, int ndim)
{
	return (f == FORMAT_CHANNELS_LAST && ndim == 4) || (f == FORMAT_CHANNELS_LAST_3D && ndim == 5);
}

bool value_is_in_format(const struct value *v, enum memory_format f)
{
	int64_t stride[MAX_DIMS];
	if (f == FORMAT_PRESERVE)
		return true;
	if (!fits_format(f, v->ndim))
		return f == FORMAT_CONTIGUOUS && value_is_contiguous(v);
	format_strides(f, v->ndim, v->size, stride);
	for (int i = 0; i < v->ndim; i++)
		if (v->size[i] != 1 && v->stride[i] != stride[i])
			return false;
	return true;
}

struct value *op_out_format(struct op_call *c, enum dtype dtype, int ndim, const int64_t *size, enum memory_format f)
{
	int64_t stride[MAX_DIMS];
	if (f == FORMAT_CONTIGUOUS || f == FORMAT_PRESERVE)
		return op_out(c, dtype, ndim, size);
	if (!fits_format(f, ndim)) {
		op_fail(c, "required rank %d tensor to use channels_last format", f == FORMAT_CHANNELS_LAST ? 4 : 5);
		return NULL;
	}
	format_strides(f, ndim, size, stride);
	return op_out_strided(c, dtype, ndim, size, stride);
}

struct value *out_in_format(struct op_call *c, const struct value *v, enum dtype dtype, enum memory_format f)
{
	return f == FORMAT_PRESERVE ? op_out_like(c, v, dtype) : op_out_format(c, dtype, v->ndim, v->size, f);
}

/* ---- Views with other sizes ---- */

bool view_strides(const struct value *v, int ndim, const int64_t *size, int64_t *stride)
{
	if (value_numel(v) == 0) {
		if (sizes_equal(v, ndim, size))
			memcpy(stride, v->stride, (size_t)ndim * sizeof *stride);
		else
			contiguous_strides(ndim, size, stride);
		return true;
	}
	if (v->ndim == 0) {
		for (int i = 0; i < ndim; i++)
			stride[i] = 1;
		return true;
	}
	/* chunks of old dimensions that lie together in memory are filled with new dimensions, from the back */
	int d = ndim - 1;
	int64_t base = v->stride[v->ndim - 1], old = 1, new = 1;
	for (int i = v->ndim - 1; i >= 0; i--) {
		old *= v->size[i];
		if (i > 0 && (v->size[i - 1] == 1 || v->stride[i - 1] == old * base))
			continue;
		while (d >= 0 && (new < old || size[d] == 1)) {
			stride[d] = new * base;
			new *= size[d];
			d--;
		}
		if (new != old)
			return false;
		if (i > 0) {
			base = v->stride[i - 1];
			old = new = 1;
		}
	}
	return d == -1;
}

static bool sizes_fail(struct op_call *c, const struct value *v, int ndim, const int64_t *in)
{
	struct value shown = { .ndim = ndim, .size = (int64_t *)in };
	return op_fail(c, "shape %V is invalid for input of size %lld, %V", &shown, (long long)value_numel(v), v);
}

bool infer_sizes(struct op_call *c, const struct value *v, int ndim, const int64_t *in, int64_t *out)
{
	int unknown = -1;
	int64_t product = 1, numel = value_numel(v);
	if (ndim > MAX_DIMS)
		return op_fail(c, "%d dimensions are more than the %d that a tensor can have", ndim, MAX_DIMS);
	for (int i = 0; i < ndim; i++) {
		out[i] = in[i];
		if (in[i] == -1 && unknown >= 0)
			return op_fail(c, "only one dimension can be inferred");
		if (in[i] < -1)
			return op_fail(c, "invalid shape dimension %lld", (long long)in[i]);
		if (in[i] == -1)
			unknown = i;
		else if (__builtin_mul_overflow(product, in[i], &product))
			return sizes_fail(c, v, ndim, in);
	}
	if (unknown >= 0 ? (product == 0 || numel % product != 0) : product != numel)
		return sizes_fail(c, v, ndim, in);
	if (unknown >= 0)
		out[unknown] = numel / product;
	return true;
}
