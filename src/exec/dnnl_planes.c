/* A product whose result is planes of columns: a product of oneDNN's for each. */
#include "exec/backend.h"

#ifdef HAVE_DNNL

#include <stdlib.h>

#include "exec/dnnl_product.h"

struct plane {
	struct weights weights;
	struct product product;
};

struct planes {
	struct plane *of; int n;
	size_t floats;           /* of one in the result */
};

static void free_planes(void *self)
{
	struct planes *p = self;
	for (int i = 0; p->of && i < p->n; i++) {
		onednn_product_drop(&p->of[i].product);
		onednn_weights_drop(&p->of[i].weights);
	}
	free(p->of);
	free(p);
}

static bool run_planes(struct dnnl_backend *b, void *self, void *const *in, void *const *out, void *scratch)
{
	struct planes *p = self;
	bool ok = true;
	(void)scratch;
	for (int i = 0; i < p->n && ok; i++)
		ok = onednn_product_run(b, &p->of[i].product, in[0], (float *)out[0] + (size_t)i * p->floats, NULL);
	return ok && dnnl_stream_wait(b->stream) == dnnl_success;
}

bool onednn_make_planes(struct making *m)
{
	const struct work *w = m->w;
	int64_t rows = w->size[0], wide = w->size[1] / w->planes;
	struct planes *p = w->ndim == 2 && w->weights ? calloc(1, sizeof *p) : NULL;
	if (!p)
		return false;
	m->p->ours = (struct own_code){ .self = p, .run = run_planes, .free = free_planes, .in = w->in[0]->md, .out = w->out->md };
	p->n = (int)w->planes;
	p->floats = (size_t)(rows * wide);
	p->of = calloc((size_t)p->n, sizeof *p->of);
	if (!p->of || dnnl_memory_desc_init_by_tag(&m->p->ours.in, 2, w->in[0]->md.dims, onednn_type_of(m), dnnl_ab) != dnnl_success)
		return false;
	for (int i = 0; i < p->n; i++) {
		struct product_shape s = { .rows = rows, .p = w->weights_size[0], .n = wide, .weights = w->weights + i * wide * w->weights_stride[1],
		                           .step = { w->weights_stride[0], w->weights_stride[1] }, .bias = w->bias ? w->bias + i * wide : NULL, .posts = w->posts,
		                           .n_posts = w->n_posts, .in = onednn_type_of(m), .out = dnnl_f32 };
		if (!onednn_product_make(m, &s, &p->of[i].weights, &p->of[i].product))
			return false;
	}
	return true;
}

#endif
