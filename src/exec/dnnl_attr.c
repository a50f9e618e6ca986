/* What primitives on oneDNN have in common: posts, descriptions and their implementations. */
#include "exec/backend.h"

#ifdef HAVE_DNNL

#include <string.h>

#include "exec/dnnl_backend.h"

dnnl_alg_kind_t onednn_eltwise_of(enum post_kind kind)
{
	static const dnnl_alg_kind_t kinds[] = {
		[POST_RELU] = dnnl_eltwise_relu, [POST_CLIP] = dnnl_eltwise_clip, [POST_LINEAR] = dnnl_eltwise_linear, [POST_ELU] = dnnl_eltwise_elu,
		[POST_TANH] = dnnl_eltwise_tanh, [POST_SIGMOID] = dnnl_eltwise_logistic, [POST_GELU] = dnnl_eltwise_gelu_erf,
		[POST_GELU_TANH] = dnnl_eltwise_gelu_tanh, [POST_SWISH] = dnnl_eltwise_swish, [POST_HARDSWISH] = dnnl_eltwise_hardswish,
		[POST_MISH] = dnnl_eltwise_mish, [POST_EXP] = dnnl_eltwise_exp, [POST_SQRT] = dnnl_eltwise_sqrt, [POST_ABS] = dnnl_eltwise_abs,
		[POST_LOG] = dnnl_eltwise_log,
	};
	return kinds[kind];
}

bool onednn_append_posts(dnnl_post_ops_t ops, const struct post *posts, int n, const dnnl_memory_desc_t *dst)
{
	for (const struct post *p = posts; p < posts + n; p++) {
		dnnl_status_t s = p->kind == POST_SUM ? dnnl_post_ops_append_sum(ops, 1) :
			p->kind == POST_ADD ? dnnl_post_ops_append_binary(ops, dnnl_binary_add, dst) :
			dnnl_post_ops_append_eltwise(ops, 1, onednn_eltwise_of(p->kind), p->alpha, p->beta);
		if (s != dnnl_success)
			return false;
	}
	return true;
}

/* Scratch memory comes from the caller; posts from the first on become the attribute's. */
bool onednn_make_attr(struct making *m, int first)
{
	dnnl_post_ops_t ops = NULL;
	bool ok = dnnl_primitive_attr_create(&m->attr) == dnnl_success && dnnl_post_ops_create(&ops) == dnnl_success &&
		dnnl_primitive_attr_set_scratchpad_mode(m->attr, dnnl_scratchpad_mode_user) == dnnl_success;
	ok = ok && (m->w->n_posts <= first || onednn_append_posts(ops, m->w->posts + first, m->w->n_posts - first, m->w->out ? &m->w->out->md : NULL));
	ok = ok && (m->w->n_posts <= first || dnnl_primitive_attr_set_post_ops(m->attr, ops) == dnnl_success);
	dnnl_post_ops_destroy(ops);
	return ok;
}

const char *onednn_name_of(const_dnnl_primitive_desc_t pd)
{
	const char *name = NULL;
	dnnl_primitive_desc_query(pd, dnnl_query_impl_info_str, 0, &name);
	return name ? name : "";
}

/* oneDNN's own reference code is slower than ours. */
bool onednn_make_pd(struct making *m, const void *desc)
{
	if (dnnl_primitive_desc_create(&m->pd, desc, m->attr, m->b->engine, NULL) != dnnl_success)
		return false;
	if (strncmp(onednn_name_of(m->pd), "ref", 3) != 0)
		return true;
	dnnl_primitive_desc_destroy(m->pd);
	m->pd = NULL;
	return false;
}

const dnnl_memory_desc_t *onednn_md_of(struct making *m, dnnl_query_t what)
{
	return dnnl_primitive_desc_query_md(m->pd, what, 0);
}

dnnl_data_type_t onednn_type_of(const struct making *m)
{
	return m->w->half ? dnnl_bf16 : dnnl_f32;
}

#endif
