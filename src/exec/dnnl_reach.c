/* How large the values of tensors are, and how much larger works make them; for guard.h. */
#include "exec/backend.h"

#ifdef HAVE_DNNL

#include <math.h>

#include "exec/dnnl_backend.h"
#include "exec/floats.h"

#pragma omp declare reduction(widest : double : omp_out = omp_out > omp_in || omp_out != omp_out ? omp_out : omp_in) initializer(omp_priv = 0)

/* NaN when either is. */
static double larger(double x, double y)
{
	return x > y || x != x ? x : y;
}

double onednn_largest(struct backend *b, const struct layout *l, const void *data, size_t n)
{
	enum { PIECE = 1 << 14 };
	const bool half = l && l->md.data_type == dnnl_bf16;
	const int64_t all = l ? (int64_t)(dnnl_memory_desc_get_size(&l->md) / (half ? 2 : 4)) : (int64_t)n;
	double most = 0;
	(void)b;
#pragma omp parallel for reduction(widest : most) if (all > PIECE)
	for (int64_t at = 0; at < all; at += PIECE) {
		int64_t some = all - at < PIECE ? all - at : PIECE;
		most = larger(most, half ? floats_largest_half((const uint16_t *)data + at, some) : floats_largest((const float *)data + at, some));
	}
	return most;
}

/* ---- Weights ---- */

/* The dimension of weights that counts features of the result. */
static int out_dimension(const struct work *w)
{
	return w->kind == WORK_CONVOLUTION ? 0 : w->kind == WORK_DECONVOLUTION ? 1 : w->weights_ndim - 1;
}

/* Whether everything but that dimension lies in one piece, whatever the order. */
static bool in_pieces(const struct work *w, int but)
{
	int64_t n = 1, reach = 1;
	for (int i = 0; i < w->weights_ndim; i++) {
		n *= i == but ? 1 : w->weights_size[i];
		reach += i == but ? 0 : (w->weights_size[i] - 1) * w->weights_stride[i];
	}
	return n == reach;
}

static int64_t elements(const struct work *w)
{
	int64_t n = 1;
	for (int i = 0; i < w->weights_ndim; i++)
		n *= w->weights_size[i];
	return n;
}

static double largest_scale(const struct work *w)
{
	return w->scale ? (double)floats_largest(w->scale, w->size[1]) : 1;
}

/* The largest sum of absolute weights that make one value of the result. */
static double largest_sum(const struct work *w, int out)
{
	int64_t n = w->weights_size[out], each = elements(w) / n;
	const bool scaled = w->scale && w->kind == WORK_CONVOLUTION;
	double most = 0;
#pragma omp parallel for reduction(widest : most)
	for (int64_t i = 0; i < n; i++) {
		double sum = (double)floats_total(w->weights + i * w->weights_stride[out], each) * (scaled ? fabs((double)w->scale[i]) : 1);
		most = larger(most, sum);
	}
	return scaled ? most : most * largest_scale(w);
}

double onednn_gain(struct backend *b, const struct work *w)
{
	if (!w->weights)
		return w->kind == WORK_MATMUL ? (double)w->in[0]->md.dims[w->in[0]->md.ndims - 1] : 1;
	if (w->weights_ndim == 0)        /* factors of channels */
		return floats_largest(w->weights, w->size[1]);
	int out = out_dimension(w);
	int64_t n = elements(w);
	if (in_pieces(w, out))
		return largest_sum(w, out);
	if (!in_pieces(w, -1))
		return NAN;
	return (double)n / (double)w->weights_size[out] * onednn_largest(b, NULL, w->weights, (size_t)n) * largest_scale(w);
}

#endif
