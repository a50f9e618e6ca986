/* Products of which code of our own runs several: each a primitive with its arguments, over weights that they may share. */
#include "exec/backend.h"

#ifdef HAVE_DNNL

#include <stdlib.h>
#include <string.h>

#include "exec/dnnl_product.h"

static bool add_arg(struct making *m, struct product *p, int which, const dnnl_memory_desc_t *md, void *data)
{
	dnnl_exec_arg_t *a = &p->args[p->n_own];
	a->arg = which;
	return dnnl_memory_create(&a->memory, md, m->b->engine, data) == dnnl_success && ++p->n_own;
}

static bool pack_weights(struct making *m, const struct product_shape *s, struct weights *w)
{
	dnnl_memory_desc_t from;
	size_t bytes;
	w->md = *onednn_md_of(m, dnnl_query_weights_md);
	bytes = dnnl_memory_desc_get_size(&w->md);
	w->data = onednn_aligned(bytes);
	m->p->ours.weights += bytes;
	return w->data && dnnl_memory_desc_init_by_strides(&from, 2, (dnnl_dims_t){ s->p, s->n }, dnnl_f32, s->step) == dnnl_success &&
		onednn_reorder_now(m->b, &from, s->weights, &w->md, w->data) &&
		dnnl_memory_create(&w->memory, &w->md, m->b->engine, w->data) == dnnl_success;
}

static bool make_posts(struct making *m, const struct product_shape *s, const dnnl_memory_desc_t *dst)
{
	dnnl_post_ops_t ops = NULL;
	bool ok = dnnl_primitive_attr_create(&m->attr) == dnnl_success && dnnl_post_ops_create(&ops) == dnnl_success &&
		dnnl_primitive_attr_set_scratchpad_mode(m->attr, dnnl_scratchpad_mode_user) == dnnl_success;
	if (ok && s->sum)
		ok = dnnl_post_ops_append_sum(ops, 1) == dnnl_success;
	ok = ok && onednn_append_posts(ops, s->posts, s->n_posts, dst) && dnnl_primitive_attr_set_post_ops(m->attr, ops) == dnnl_success;
	dnnl_post_ops_destroy(ops);
	return ok;
}

/* The arguments, those that the product owns first. */
static bool bind(struct making *m, const struct product_shape *s, const struct weights *w, const dnnl_memory_desc_t *src, const dnnl_memory_desc_t *dst,
                 const dnnl_memory_desc_t *bias, struct product *p)
{
	const dnnl_memory_desc_t *scratch = onednn_md_of(m, dnnl_query_scratchpad_md);
	size_t bytes = dnnl_memory_desc_get_size(scratch), wide = (size_t)s->n * sizeof(float);
	p->scratch = onednn_aligned(bytes);
	p->bias = s->bias ? onednn_aligned(wide) : NULL;
	m->p->ours.weights += bytes + (s->bias ? wide : 0);
	if (!p->scratch || (s->bias && !p->bias) || dnnl_primitive_create(&p->code, m->pd) != dnnl_success || !add_arg(m, p, DNNL_ARG_SRC, src, DNNL_MEMORY_NONE) ||
	    !add_arg(m, p, DNNL_ARG_DST, dst, DNNL_MEMORY_NONE) || !add_arg(m, p, DNNL_ARG_SCRATCHPAD, scratch, p->scratch))
		return false;
	if (s->bias)
		memcpy(p->bias, s->bias, wide);
	if (s->bias && !add_arg(m, p, DNNL_ARG_BIAS, bias, p->bias))
		return false;
	for (int i = 0; i < s->n_posts; i++)
		if (s->posts[i].kind == POST_ADD) {
			p->other = p->n_own;
			if (!add_arg(m, p, DNNL_ARG_ATTR_MULTIPLE_POST_OP(i + s->sum) | DNNL_ARG_SRC_1, dst, DNNL_MEMORY_NONE))
				return false;
		}
	p->args[p->n_own] = (dnnl_exec_arg_t){ DNNL_ARG_WEIGHTS, w->memory };
	return true;
}

bool onednn_product_make(struct making *m, const struct product_shape *s, struct weights *w, struct product *p)
{
	dnnl_memory_desc_t src, dst, bias, any;
	dnnl_matmul_desc_t d;
	bool ok = dnnl_memory_desc_init_by_tag(&src, 2, (dnnl_dims_t){ s->rows, s->p }, s->in, dnnl_ab) == dnnl_success &&
		dnnl_memory_desc_init_by_tag(&dst, 2, (dnnl_dims_t){ s->rows, s->n }, s->out, dnnl_ab) == dnnl_success &&
		dnnl_memory_desc_init_by_tag(&bias, 2, (dnnl_dims_t){ 1, s->n }, dnnl_f32, dnnl_ab) == dnnl_success &&
		onednn_any_layout(&any, 2, (dnnl_dims_t){ s->p, s->n }, s->in) && make_posts(m, s, &dst) &&
		dnnl_matmul_desc_init(&d, &src, w->data ? &w->md : &any, s->bias ? &bias : NULL, &dst) == dnnl_success && onednn_make_pd(m, &d) &&
		(w->data || pack_weights(m, s, w)) && bind(m, s, w, &src, &dst, &bias, p);
	m->p->ours.name = ok ? arena_strdup(m->arena, onednn_name_of(m->pd)) : NULL;
	dnnl_primitive_desc_destroy(m->pd);
	dnnl_primitive_attr_destroy(m->attr);
	m->pd = NULL;
	m->attr = NULL;
	return ok && m->p->ours.name;
}

bool onednn_product_run(struct dnnl_backend *b, struct product *p, const void *from, void *to, const void *other)
{
	dnnl_memory_set_data_handle(p->args[0].memory, (void *)(uintptr_t)from);
	dnnl_memory_set_data_handle(p->args[1].memory, to);
	if (p->other)
		dnnl_memory_set_data_handle(p->args[p->other].memory, (void *)(uintptr_t)other);
	return dnnl_primitive_execute(p->code, b->stream, p->n_own + 1, p->args) == dnnl_success;
}

void onednn_product_drop(struct product *p)
{
	for (int i = 0; i < p->n_own; i++)
		dnnl_memory_destroy(p->args[i].memory);
	dnnl_primitive_destroy(p->code);
	free(p->scratch);
	free(p->bias);
}

void onednn_weights_drop(struct weights *w)
{
	dnnl_memory_destroy(w->memory);
	free(w->data);
}

#endif
