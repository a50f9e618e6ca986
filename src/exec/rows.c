#include "exec/rows.h"

#include <string.h>

#include "ops/shapes.h"

/* One matrix for all: weights of size 1 in front. */
static bool one_matrix(const struct work *w)
{
	for (int i = 0; i < w->weights_ndim - 2; i++)
		if (w->weights_size[i] != 1)
			return false;
	return w->weights != NULL;
}

static bool even_rows(const struct rows_view *v, int ndim)
{
	int64_t expected = v->in_stride[ndim - 2];
	for (int i = ndim - 2; i >= 0; i--) {
		if (v->in_size[i] != 1 && v->in_stride[i] != expected)
			return false;
		expected *= v->in_size[i];
	}
	return true;
}

static void flatten(struct work *w, struct rows_view *v)
{
	int last = w->ndim - 1;
	int64_t rows = 1, step = v->in_stride[last - 1], p = v->in_size[last];
	for (int i = 0; i < last; i++)
		rows *= w->size[i];
	w->size[0] = v->in_size[0] = rows;
	w->size[1] = w->size[last];
	v->in_size[1] = p;
	v->in_stride[1] = v->in_stride[last];
	v->in_stride[0] = step;
	v->out_stride[0] = w->size[1];
	v->out_stride[1] = 1;
	for (int i = 0; i < 2; i++) {
		w->weights_size[i] = w->weights_size[w->weights_ndim - 2 + i];
		w->weights_stride[i] = w->weights_stride[w->weights_ndim - 2 + i];
	}
	w->ndim = w->weights_ndim = 2;
}

static void swap(int64_t *v)
{
	int64_t first = v[0];
	v[0] = v[1];
	v[1] = first;
}

void rows_gather(struct work *w, const struct value *in, struct rows_view *v)
{
	memcpy(v->in_size, in->size, (size_t)in->ndim * sizeof *in->size);
	memcpy(v->in_stride, in->stride, (size_t)in->ndim * sizeof *in->stride);
	contiguous_strides(w->ndim, w->size, v->out_stride);
	if (!one_matrix(w) || w->ndim < 3 || in->ndim != w->ndim)
		return;
	if (even_rows(v, w->ndim)) {
		flatten(w, v);
	} else if (w->ndim == 3 && w->size[0] > w->size[1]) {
		swap(w->size);
		swap(v->in_size);
		swap(v->in_stride);
		swap(v->out_stride);
	}
}
