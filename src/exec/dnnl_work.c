/* Works on oneDNN that have no weights to pack: pools, norms, element-wise ones, concatenation, reorders. */
#include "exec/backend.h"

#ifdef HAVE_DNNL

#include "exec/dnnl_backend.h"

bool onednn_make_pool(struct making *m)
{
	const struct work *w = m->w;
	const dnnl_memory_desc_t *src = &w->in[0]->md;
	dnnl_alg_kind_t alg = w->kind == WORK_MAX_POOL ? dnnl_pooling_max : w->kind == WORK_AVERAGE_POOL ? dnnl_pooling_avg_exclude_padding
	    : dnnl_pooling_avg_include_padding;
	dnnl_memory_desc_t dst;
	dnnl_pooling_v2_desc_t d;
	dnnl_dims_t dilation, right;
	for (int i = 0; i < w->ndim - 2; i++) {
		int64_t kernel = (w->kernel[i] - 1) * w->dilation[i] + 1;
		dilation[i] = w->dilation[i] - 1;
		right[i] = w->padding[i];
		if ((src->dims[i + 2] - kernel + 2 * w->padding[i]) / w->stride[i] + 1 != w->size[i + 2])   /* rounded up */
			right[i] = (w->size[i + 2] - 1) * w->stride[i] + kernel - src->dims[i + 2] - w->padding[i];
	}
	return onednn_make_attr(m, 0) && onednn_any_layout(&dst, w->ndim, w->size, src->data_type) &&
		dnnl_pooling_v2_forward_desc_init(&d, dnnl_forward_inference, alg, src, &dst, w->stride, w->kernel, dilation, w->padding, right) == dnnl_success &&
		onednn_make_pd(m, &d);
}

bool onednn_make_eltwise(struct making *m)
{
	const struct post *p = &m->w->posts[0];
	dnnl_eltwise_desc_t d;
	return onednn_make_attr(m, 1) && dnnl_eltwise_forward_desc_init(&d, dnnl_forward_inference, onednn_eltwise_of(p->kind), &m->w->in[0]->md, p->alpha,
	                                                                p->beta) == dnnl_success &&
		onednn_make_pd(m, &d);
}

bool onednn_make_binary(struct making *m)
{
	static const dnnl_alg_kind_t kinds[] = { dnnl_binary_add, dnnl_binary_sub, dnnl_binary_mul, dnnl_binary_div };
	const struct work *w = m->w;
	dnnl_memory_desc_t dst;
	dnnl_binary_desc_t d;
	if (!onednn_make_attr(m, 0) || !onednn_any_layout(&dst, w->ndim, w->size, w->in[0]->md.data_type))
		return false;
	return dnnl_binary_desc_init(&d, kinds[w->kind - WORK_ADD], &w->in[0]->md, &w->in[1]->md, w->out ? &w->out->md : &dst) == dnnl_success
	    && onednn_make_pd(m, &d);
}

bool onednn_make_batch_norm(struct making *m)
{
	const struct work *w = m->w;
	int64_t n = w->size[1];
	bool relu = w->n_posts > 0 && w->posts[0].kind == POST_RELU && w->posts[0].alpha == 0;
	unsigned flags = dnnl_use_global_stats | dnnl_use_scale | dnnl_use_shift | (relu ? dnnl_fuse_norm_relu : 0);
	/* Mean 0, variance 1.  Lanes that fill the last block have variance 0: without an epsilon they become NaN, which convolutions read. */
	const float nothing_beside_one = 1e-12F;
	dnnl_batch_normalization_desc_t d;
	if (!onednn_make_attr(m, relu ? 1 : 0) ||
	    dnnl_batch_normalization_forward_desc_init(&d, dnnl_forward_inference, &w->in[0]->md, nothing_beside_one, flags) != dnnl_success || !onednn_make_pd(m, &d))
		return false;
	return onednn_add_array(m, DNNL_ARG_MEAN, NULL, 0, n) && onednn_add_array(m, DNNL_ARG_VARIANCE, NULL, 1, n)
	    && onednn_add_array(m, DNNL_ARG_SCALE, w->weights, 0, n) &&
		onednn_add_array(m, DNNL_ARG_SHIFT, w->bias, 0, n);
}

bool onednn_make_layer_norm(struct making *m)
{
	const struct work *w = m->w;
	int64_t n = w->size[w->ndim - 1];
	dnnl_layer_normalization_desc_t d;
	unsigned flags = w->weights ? dnnl_use_scale | dnnl_use_shift : 0;
	if (!onednn_make_attr(m, 0) ||
	    dnnl_layer_normalization_forward_desc_init(&d, dnnl_forward_inference, &w->in[0]->md, NULL, w->epsilon, flags) != dnnl_success || !onednn_make_pd(m, &d))
		return false;
	return !w->weights || (onednn_add_array(m, DNNL_ARG_SCALE, w->weights, 0, n) && onednn_add_array(m, DNNL_ARG_SHIFT, w->bias, 0, n));
}

bool onednn_make_concat(struct making *m)
{
	const struct work *w = m->w;
	dnnl_memory_desc_t *src = arena_array(m->arena, (size_t)w->n_in, sizeof *src);
	for (int i = 0; src && i < w->n_in; i++)
		src[i] = w->in[i]->md;
	return src && onednn_make_attr(m, 0) &&
		dnnl_concat_primitive_desc_create(&m->pd, w->out ? &w->out->md : NULL, w->n_in, w->axis, src, m->attr, m->b->engine) == dnnl_success;
}

bool onednn_make_reorder(struct making *m)
{
	return onednn_make_attr(m, 0) &&
		dnnl_reorder_primitive_desc_create(&m->pd, &m->w->in[0]->md, m->b->engine, &m->w->out->md, m->b->engine, m->attr) == dnnl_success;
}

#endif
