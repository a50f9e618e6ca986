/* Matrix products on oneDNN. */
#include "exec/backend.h"

#ifdef HAVE_DNNL

#include "exec/dnnl_backend.h"

bool onednn_make_matmul(struct making *m)
{
	const struct work *w = m->w;
	dnnl_memory_desc_t user, src = w->in[0]->md, weights, bias, dst = w->out->md;
	dnnl_dims_t ones;
	dnnl_matmul_desc_t d;
	if (onednn_make_linear(m))
		return true;
	if (src.ndims != w->ndim || w->turn || w->norms)  /* rows that lie unevenly, and what is done to them */
		return false;
	if (w->planes > 1)
		return onednn_make_planes(m);
	for (int i = 0; i < w->ndim; i++)
		ones[i] = i == w->ndim - 1 ? w->bias_length : 1;
	if (!onednn_make_attr(m, 0) || (w->half && !onednn_any_layout(&src, src.ndims, src.dims, dnnl_bf16)))
		return false;
	if (w->weights) {
		if (dnnl_memory_desc_init_by_strides(&user, w->weights_ndim, w->weights_size, dnnl_f32, w->weights_stride) != dnnl_success ||
		    !onednn_any_layout(&weights, w->weights_ndim, w->weights_size, onednn_type_of(m)))
			return false;
	} else {
		weights = w->in[1]->md;
	}
	if (w->bias && dnnl_memory_desc_init_by_strides(&bias, w->ndim, ones, dnnl_f32, NULL) != dnnl_success)
		return false;
	if (dnnl_matmul_desc_init(&d, &src, &weights, w->bias ? &bias : NULL, &dst) != dnnl_success || !onednn_make_pd(m, &d))
		return false;
	if (w->weights && !onednn_pack(m, &user, w->weights, DNNL_ARG_WEIGHTS, onednn_md_of(m, dnnl_query_weights_md)))
		return false;
	return !w->bias || onednn_pack(m, &bias, w->bias, DNNL_ARG_BIAS, &bias);
}

#endif
