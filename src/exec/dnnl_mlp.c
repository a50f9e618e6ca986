/*
 * Two products with an activation between them, over some hidden features at
 * a time: those stay in the cache, and products of that size are fastest.
 */
#include "exec/backend.h"

#ifdef HAVE_DNNL

#include <stdlib.h>

#include "exec/dnnl_product.h"

enum { FEATURES = 512 };     /* hidden ones at a time */

struct part {
	struct weights w1, w2;
	struct product first, second;
};

struct mlp {
	struct part *parts; int n;
};

static void free_mlp(void *self)
{
	struct mlp *p = self;
	for (int i = 0; p->parts && i < p->n; i++) {
		onednn_product_drop(&p->parts[i].first);
		onednn_product_drop(&p->parts[i].second);
		onednn_weights_drop(&p->parts[i].w1);
		onednn_weights_drop(&p->parts[i].w2);
	}
	free(p->parts);
	free(p);
}

static bool run_mlp(struct dnnl_backend *b, void *self, void *const *in, void *const *out, void *scratch)
{
	struct mlp *p = self;
	bool ok = true;
	for (int i = 0; i < p->n && ok; i++)
		ok = onednn_product_run(b, &p->parts[i].first, in[0], scratch, NULL) && onednn_product_run(b, &p->parts[i].second, scratch, out[0], in[1]);
	return ok && dnnl_stream_wait(b->stream) == dnnl_success;
}

/* Hidden features [from, from + n); what is added, and the biases, come with the first part, activations with the last. */
static bool make_part(struct making *m, int64_t from, int64_t n, bool last, struct part *part)
{
	const struct work *w = m->w, *second = w->second;
	bool once = from == 0, adds = second->n_posts > 0 && second->posts[0].kind == POST_ADD;
	const struct post *posts = second->posts + (adds && !once);
	int n_posts = last ? second->n_posts - (adds && !once) : once && adds;
	struct product_shape a = { .rows = w->size[0], .p = w->weights_size[0], .n = n, .weights = w->weights + from * w->weights_stride[1],
	                           .step = { w->weights_stride[0], w->weights_stride[1] }, .bias = w->bias ? w->bias + from : NULL, .posts = w->posts,
	                           .n_posts = w->n_posts, .in = onednn_type_of(m), .out = onednn_type_of(m) };
	struct product_shape b = { .rows = w->size[0], .p = n, .n = second->size[1], .weights = second->weights + from * second->weights_stride[0],
	                           .step = { second->weights_stride[0], second->weights_stride[1] }, .bias = once ? second->bias : NULL, .posts = posts,
	                           .n_posts = n_posts, .sum = !once, .in = onednn_type_of(m), .out = dnnl_f32 };
	return onednn_product_make(m, &a, &part->w1, &part->first) && onednn_product_make(m, &b, &part->w2, &part->second);
}

bool onednn_make_mlp(struct making *m)
{
	const struct work *w = m->w;
	int64_t hidden = w->size[1];
	if (onednn_make_linear(m))
		return true;
	if (m->w->second->norms)
		return false;
	struct mlp *p = calloc(1, sizeof *p);
	if (!p)
		return false;
	m->p->ours = (struct own_code){ .self = p, .run = run_mlp, .free = free_mlp, .in = w->in[0]->md, .out = w->out->md };
	p->n = (int)((hidden + FEATURES - 1) / FEATURES);
	p->parts = calloc((size_t)p->n, sizeof *p->parts);
	m->p->ours.scratch = (size_t)(w->size[0] * FEATURES) * sizeof(float);
	if (!p->parts || (w->half && dnnl_memory_desc_init_by_tag(&m->p->ours.in, 2, w->in[0]->md.dims, dnnl_bf16, dnnl_ab) != dnnl_success))
		return false;
	for (int i = 0; i < p->n; i++) {
		int64_t from = (int64_t)i * FEATURES;
		if (!make_part(m, from, hidden - from < FEATURES ? hidden - from : FEATURES, i == p->n - 1, &p->parts[i]))
			return false;
	}
	return true;
}

#endif
