#include "exec/batches.h"

#include <string.h>

bool batch_read(struct kernel_call *k, struct tensor *t, bool square, struct batch *b)
{
	if (t->ndim < 2 || !dtype_is_float(t->dtype) || !dtype_has_elements(t->dtype))
		return kernel_fail(k, "expected matrices of floating point, not %d dimensions of %s", t->ndim, dtype_name(t->dtype));
	*b = (struct batch){ .t = t, .count = sizes_product(t->size, 0, t->ndim - 2), .m = t->size[t->ndim - 2], .n = t->size[t->ndim - 1] };
	if (square && b->m != b->n)
		return kernel_fail(k, "%lld x %lld matrices are not square", (long long)b->m, (long long)b->n);
	b->v = doubles_of(k, t);
	return b->v != NULL;
}

struct tensor *batch_out(struct kernel_call *k, const struct tensor *t, enum dtype d, int64_t rows, int64_t columns, bool by_column)
{
	int64_t size[MAX_DIMS], stride[MAX_DIMS];
	int n = t->ndim - 2;
	memcpy(size, t->size, (size_t)n * sizeof *size);
	size[n++] = rows;
	if (columns < 0)
		return out_new(k, d, n, size);
	size[n++] = columns;
	contiguous_strides(n, size, stride);
	if (by_column) {
		stride[n - 2] = 1;
		stride[n - 1] = rows > 1 ? rows : 1;
	}
	return out_strided(k, d, n, size, stride);
}

struct tensor *batch_numbers(struct kernel_call *k, const struct tensor *t, enum dtype d)
{
	return out_new(k, d, t->ndim - 2, t->size);
}

double *batch_room(struct kernel_call *k, int64_t n)
{
	return scratch_alloc(k, n, sizeof(double));
}

void matrix_transpose(const double *from, int64_t m, int64_t n, double *to)
{
	for (int64_t i = 0; i < m; i++)
		for (int64_t j = 0; j < n; j++)
			to[j * m + i] = from[i * n + j];
}

bool batches_broadcast(struct kernel_call *k, struct tensor *a, struct tensor *b, struct window *wa, struct window *wb, int *ndim, int64_t *size)
{
	struct tensor batch_a = *a, batch_b = *b;
	batch_a.ndim -= 2;
	batch_b.ndim -= 2;
	if (!broadcast_shapes(k, (struct tensor *[]){ &batch_a, &batch_b }, 2, ndim, size))
		return false;
	window_of(wa, a);
	window_of(wb, b);
	memcpy(size + *ndim, a->size + a->ndim - 2, 2 * sizeof *size);
	window_expand(wa, *ndim + 2, size);
	memcpy(size + *ndim, b->size + b->ndim - 2, 2 * sizeof *size);
	window_expand(wb, *ndim + 2, size);
	*ndim += 2;
	return true;
}

struct tensor *batch_solution(struct kernel_call *k, enum dtype d, int ndim, const int64_t *size, bool by_column)
{
	int64_t stride[MAX_DIMS];
	contiguous_strides(ndim, size, stride);
	if (by_column && ndim >= 2) {
		stride[ndim - 2] = 1;
		stride[ndim - 1] = size[ndim - 2] > 1 ? size[ndim - 2] : 1;
	}
	return out_strided(k, d, ndim, size, stride);
}
