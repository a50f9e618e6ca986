#include "exec/layout.h"

/* ---- Memory formats ---- */

enum memory_format tensor_format(const struct tensor *t)
{
	struct value v = { .dtype = t->dtype, .ndim = t->ndim, .size = t->size, .stride = t->stride };
	return value_format(&v);
}

enum memory_format arg_format(struct kernel_call *k, enum memory_format none)
{
	struct op_call c = { .op = k->op, .args = k->args, .arena = k->arena, .err = k->err };
	return op_memory_format(&c, "memory_format", none);
}

struct tensor *out_format(struct kernel_call *k, enum dtype dtype, int ndim, const int64_t *size, enum memory_format f)
{
	static const int last[] = { 1, 3, 2, 0 }, last_3d[] = { 1, 4, 3, 2, 0 };  /* the innermost first */
	int64_t stride[MAX_DIMS], next = 1;
	if (f != FORMAT_CHANNELS_LAST && f != FORMAT_CHANNELS_LAST_3D)
		return out_new(k, dtype, ndim, size);
	bool flat = f == FORMAT_CHANNELS_LAST;
	if (ndim != (flat ? 4 : 5))
		return kernel_fail(k, "channels last needs %d dimensions, not %d", flat ? 4 : 5, ndim), NULL;
	for (int i = 0; i < ndim; i++) {
		int d = flat ? last[i] : last_3d[i];
		stride[d] = next;
		if (__builtin_mul_overflow(next, size[d] > 1 ? size[d] : 1, &next))
			return kernel_fail(k, "has more elements than can be counted"), NULL;
	}
	return out_strided(k, dtype, ndim, size, stride);
}

struct tensor *out_like_format(struct kernel_call *k, const struct tensor *t, enum dtype dtype, enum memory_format f)
{
	return f == FORMAT_PRESERVE ? out_like(k, t, dtype) : out_format(k, dtype, t->ndim, t->size, f);
}

/* ---- Windows ---- */

void window_of(struct window *w, const struct tensor *t)
{
	w->t = *t;
	for (int i = 0; i < t->ndim; i++) {
		w->size[i] = t->size[i];
		w->stride[i] = t->stride[i];
	}
	w->t.size = w->size;
	w->t.stride = w->stride;
}

void window_slice(struct window *w, int dim, int64_t start, int64_t length)
{
	w->t.offset += start * w->stride[dim];
	w->size[dim] = length;
}

static void remove_dim(struct window *w, int dim)
{
	w->t.ndim--;
	for (int i = dim; i < w->t.ndim; i++) {
		w->size[i] = w->size[i + 1];
		w->stride[i] = w->stride[i + 1];
	}
}

void window_select(struct window *w, int dim, int64_t index)
{
	w->t.offset += index * w->stride[dim];
	remove_dim(w, dim);
}

bool window_diagonal(struct window *w, int64_t offset, int dim1, int dim2)
{
	if (dim1 == dim2 || w->t.ndim < 2)
		return false;
	int64_t rows = w->size[dim1], columns = w->size[dim2], step = w->stride[dim1] + w->stride[dim2];
	int64_t down = offset < 0 ? -offset : 0, right = offset > 0 ? offset : 0;
	int64_t n = down >= rows || right >= columns ? 0 : rows - down < columns - right ? rows - down : columns - right;
	if (n > 0)
		w->t.offset += right * w->stride[dim2] + down * w->stride[dim1];
	remove_dim(w, dim1 > dim2 ? dim1 : dim2);
	remove_dim(w, dim1 > dim2 ? dim2 : dim1);
	w->size[w->t.ndim] = n;
	w->stride[w->t.ndim++] = step;
	return true;
}

void window_expand(struct window *w, int ndim, const int64_t *size)
{
	int lead = ndim - w->t.ndim;
	for (int i = ndim - 1; i >= 0; i--) {
		bool repeated = i < lead || (w->size[i - lead] == 1 && size[i] != 1);
		w->stride[i] = repeated ? 0 : w->stride[i - lead];
		w->size[i] = size[i];
	}
	w->t.ndim = ndim;
}

void window_flip(struct window *w, int dim)
{
	if (w->size[dim] > 0)
		w->t.offset += (w->size[dim] - 1) * w->stride[dim];
	w->stride[dim] = -w->stride[dim];
}

bool copy_into(struct kernel_call *k, const struct tensor *to, const struct tensor *from)
{
	struct window w, v;
	if (dtype_is_complex(to->dtype) && to->dtype != from->dtype && to->ndim < MAX_DIMS - 1) {
		const struct tensor *parts = window_of_parts(&w, to), *real = from;
		if (dtype_is_complex(from->dtype))
			return copy_into(k, parts, window_of_parts(&v, from));
		window_select(&w, to->ndim, 0);          /* a real number's other part stays 0 */
		return copy_into(k, parts, real);
	}
	if (dtype_is_complex(from->dtype) && !dtype_is_complex(to->dtype) && from->ndim < MAX_DIMS - 1) {
		const struct tensor *real = window_of_parts(&w, from);
		window_select(&w, from->ndim, 0);        /* the imaginary part is dropped */
		return copy_into(k, to, real);
	}
	if (to->dtype != from->dtype && (!dtype_converts(to->dtype) || !dtype_converts(from->dtype)))
		return kernel_fail(k, "cannot convert %s to %s", dtype_name(from->dtype), dtype_name(to->dtype));
	tensor_copy(to, from);
	return true;
}

struct tensor *converted(struct kernel_call *k, struct tensor *t, enum dtype dtype)
{
	if (t->dtype == dtype && tensor_is_contiguous(t))
		return t;
	struct tensor *c = temporary(k, dtype, t->ndim, t->size);
	return c && copy_into(k, c, t) ? c : NULL;
}

const struct tensor *window_of_parts(struct window *w, const struct tensor *t)
{
	if (!dtype_is_complex(t->dtype))
		return t;
	window_of(w, t);
	for (int i = 0; i < t->ndim; i++)
		w->stride[i] *= 2;
	w->size[t->ndim] = 2;
	w->stride[t->ndim] = 1;
	w->t.offset *= 2;
	w->t.ndim++;
	w->t.dtype = t->dtype == DT_COMPLEX128 ? DT_FLOAT64 : DT_FLOAT32;
	return &w->t;
}
