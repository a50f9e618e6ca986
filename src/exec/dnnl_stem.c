/* The convolution that a network begins with, and the max pool after it, by stem.h. */
#include "exec/backend.h"

#ifdef HAVE_DNNL

#include <omp.h>

#include "exec/dnnl_backend.h"
#include "exec/stem.h"

static bool run_stem(struct dnnl_backend *b, void *self, void *const *in, void *const *out, void *scratch)
{
	(void)b;
	stem_run(self, in[0], out[0], scratch);
	return true;
}

static void free_stem(void *self)
{
	stem_free(self);
}

/* oneDNN has asked the system for the tiles then. */
static bool has_tiles(void)
{
	return (dnnl_get_effective_cpu_isa() & dnnl_cpu_isa_avx512_core_amx) == dnnl_cpu_isa_avx512_core_amx;
}

static bool goes_straight(const struct work *w)
{
	for (int i = 0; i < w->ndim - 2; i++)
		if (w->dilation[i] != 1)
			return false;
	return true;
}

static bool set_shape(const struct work *w, struct stem_shape *s)
{
	const dnnl_memory_desc_t *in = &w->in[0]->md;
	const struct work *pool = w->second, *last = pool ? pool : w;
	if (w->kind != WORK_CONVOLUTION || !w->half || w->ndim != 4 || w->groups != 1 || w->out || !goes_straight(w) || (pool && !goes_straight(pool)) ||
	    in->data_type != dnnl_f32 || onednn_in_blocks(in) || in->format_desc.blocking.strides[3] != 1
	    || !onednn_sum_and_clip(w, &s->pools, &s->low, &s->high) || s->pools)
		return false;
	s->images = in->dims[0];
	s->in = in->dims[1];
	s->out = w->size[1];
	s->pools = pool != NULL;
	for (int i = 0; i < 3; i++)
		s->step[i] = in->format_desc.blocking.strides[i];
	for (int i = 0; i < 4; i++)
		s->weights_step[i] = w->weights_stride[i];
	for (int i = 0; i < 2; i++) {
		s->size[i] = in->dims[i + 2];
		s->kernel[i] = w->kernel[i];
		s->stride[i] = w->stride[i];
		s->pad[i] = w->padding[i];
		s->result[i] = last->size[i + 2];
		s->pool_kernel[i] = pool ? pool->kernel[i] : 0;
		s->pool_stride[i] = pool ? pool->stride[i] : 0;
		s->pool_pad[i] = pool ? pool->padding[i] : 0;
	}
	s->weights = w->weights;
	s->scale = w->scale;
	s->bias = w->bias;
	return stem_fits(s);
}

bool onednn_make_stem(struct making *m)
{
	struct stem_shape s = { 0 };
	struct own_code *c = &m->p->ours;
	const struct work *last = m->w->second ? m->w->second : m->w;
	if (m->w->before || !has_tiles() || !set_shape(m->w, &s) || dnnl_memory_desc_init_by_tag(&c->out, 4, last->size, dnnl_bf16, dnnl_nhwc) != dnnl_success)
		return false;
	c->self = stem_new(&s, omp_get_max_threads());
	if (!c->self)
		return false;
	c->run = run_stem;
	c->free = free_stem;
	c->in = m->w->in[0]->md;
	c->spreads = true;       /* over what is beside a narrow kernel */
	c->scratch = stem_scratch(c->self);
	c->weights = stem_weights(c->self);
	c->name = m->w->second ? "convolution and pool:avx512_amx_bf16" : "convolution:avx512_amx_bf16";
	return true;
}

#endif
