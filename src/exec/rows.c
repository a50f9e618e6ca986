#include "exec/rows.h"

bool rows_share(const struct work *w)
{
	for (int i = 0; i < w->weights_ndim - 2; i++)
		if (w->weights_size[i] != 1)
			return false;
	return w->weights != NULL;
}

bool rows_even(int ndim, const int64_t *size, const int64_t *stride)
{
	int64_t expected = stride[ndim - 2];
	for (int i = ndim - 2; i >= 0; i--) {
		if (size[i] != 1 && stride[i] != expected)
			return false;
		expected *= size[i];
	}
	return true;
}

void rows_flatten(struct work *w, int64_t *size, int64_t *stride)
{
	int last = w->ndim - 1;
	int64_t rows = 1;
	for (int i = 0; i < last; i++)
		rows *= w->size[i];
	stride[0] = stride[last - 1];
	stride[1] = stride[last];
	size[1] = size[last];
	w->size[1] = w->size[last];
	w->size[0] = size[0] = rows;
	for (int i = 0; i < 2; i++) {
		w->weights_size[i] = w->weights_size[w->weights_ndim - 2 + i];
		w->weights_stride[i] = w->weights_stride[w->weights_ndim - 2 + i];
	}
	w->ndim = w->weights_ndim = 2;
}
