/* Convolutions that code of our own does faster than oneDNN, beside it and in its layouts. */
#include "exec/backend.h"

#ifdef HAVE_DNNL

#include <math.h>
#include <omp.h>

#include "exec/dnnl_backend.h"
#include "exec/winograd.h"

/* Posts as a sum before a clip, where 0 stays 0. */
static bool sum_and_clip(const struct work *w, bool *sum, float *low, float *high)
{
	*sum = w->n_posts > 0 && w->posts[0].kind == POST_SUM;
	*low = -INFINITY;
	*high = INFINITY;
	if (w->n_posts > *sum + 1)
		return false;
	if (w->n_posts == *sum)
		return true;
	const struct post *p = &w->posts[*sum];
	if (p->kind == POST_RELU && p->alpha == 0)
		return *low = 0, true;
	*low = p->alpha;
	*high = p->beta;
	return p->kind == POST_CLIP && *low <= 0 && *high >= 0;
}

static bool is_3x3(const struct work *w)
{
	if (w->kind != WORK_CONVOLUTION || w->ndim != 4 || w->groups != 1 || w->half)
		return false;
	for (int i = 0; i < 2; i++)
		if (w->kernel[i] != 3 || w->stride[i] != 1 || w->dilation[i] != 1)
			return false;
	return true;
}

static bool run_winograd(struct dnnl_backend *b, void *self, void *const *in, void *const *out, void *scratch)
{
	(void)b;
	winograd_run(self, in[0], out[0], scratch);
	return true;
}

static void free_winograd(void *self)
{
	winograd_free(self);
}

static bool make_winograd(struct making *m)
{
	const struct work *w = m->w;
	const int64_t *size = w->in[0]->md.dims;
	struct winograd_shape s = { size[0], size[1], w->size[1], size[2], size[3], { w->padding[0], w->padding[1] }, false, 0, 0 };
	struct own_code *c = &m->p->ours;
	if (!is_3x3(w) || w->out || !sum_and_clip(w, &s.sum, &s.low, &s.high) || !winograd_pays(&s, omp_get_max_threads()) ||
	    !onednn_block_layout(&c->in, 4, size, dnnl_f32) || !onednn_block_layout(&c->out, 4, w->size, dnnl_f32))
		return false;
	struct winograd *made = winograd_new(&s, w->weights, w->weights_stride, w->bias, omp_get_max_threads());
	if (!made)
		return false;
	c->self = made;
	c->run = run_winograd;
	c->free = free_winograd;
	c->scratch = winograd_scratch(made);
	c->weights = winograd_weights(made);
	c->name = "winograd 4x3:avx512";
	return true;
}

bool onednn_make_own(struct making *m)
{
	return make_winograd(m);
}

#endif
