/* Arrays that a primitive on oneDNN owns: packed weights, biases, factors. */
#include "exec/backend.h"

#ifdef HAVE_DNNL

#include <stdlib.h>

#include "base/machine.h"
#include "exec/dnnl_backend.h"

void *onednn_aligned(size_t size)
{
	enum { LARGE = 1 << 21 };
	void *p;
	if (posix_memalign(&p, size >= 2 * LARGE ? LARGE : 64, size ? size : 64) != 0)
		return NULL;
	machine_large_pages(p, size);
	return p;
}

/* An array of the primitive's own, of a layout; its content is the caller's to fill. */
static void *own_array(struct making *m, const dnnl_memory_desc_t *md, int arg)
{
	struct primitive *p = m->p;
	void *data = p->n_own < OWN ? onednn_aligned(dnnl_memory_desc_get_size(md)) : NULL;
	if (!data)
		return NULL;
	p->data[p->n_own] = data;
	if (dnnl_memory_create(&p->own[p->n_own], md, m->b->engine, data) != dnnl_success) {
		free(data);
		return NULL;
	}
	p->args[p->n_args++] = (dnnl_exec_arg_t){ arg, p->own[p->n_own++] };
	return data;
}

/* What oneDNN would keep for itself between calls, as large as the largest weights, is given back instead. */
static bool run_with_scratch(struct dnnl_backend *b, dnnl_primitive_desc_t pd, dnnl_exec_arg_t *args, int n)
{
	const dnnl_memory_desc_t *md = dnnl_primitive_desc_query_md(pd, dnnl_query_scratchpad_md, 0);
	void *data = onednn_aligned(dnnl_memory_desc_get_size(md));
	dnnl_primitive_t code = NULL;
	args[n] = (dnnl_exec_arg_t){ DNNL_ARG_SCRATCHPAD, NULL };
	bool ok = data && dnnl_memory_create(&args[n].memory, md, b->engine, data) == dnnl_success && dnnl_primitive_create(&code, pd) == dnnl_success &&
		dnnl_primitive_execute(code, b->stream, n + 1, args) == dnnl_success && dnnl_stream_wait(b->stream) == dnnl_success;
	dnnl_primitive_destroy(code);
	dnnl_memory_destroy(args[n].memory);
	free(data);
	return ok;
}

bool onednn_reorder_now(struct dnnl_backend *b, const dnnl_memory_desc_t *from, const void *data, const dnnl_memory_desc_t *to, void *out)
{
	dnnl_primitive_desc_t pd = NULL;
	dnnl_primitive_attr_t attr = NULL;
	dnnl_exec_arg_t args[3] = { { DNNL_ARG_FROM, NULL }, { DNNL_ARG_TO, NULL } };
	bool ok = dnnl_memory_create(&args[0].memory, from, b->engine, (void *)(uintptr_t)data) == dnnl_success &&
		dnnl_memory_create(&args[1].memory, to, b->engine, out) == dnnl_success && dnnl_primitive_attr_create(&attr) == dnnl_success &&
		dnnl_primitive_attr_set_scratchpad_mode(attr, dnnl_scratchpad_mode_user) == dnnl_success &&
		dnnl_reorder_primitive_desc_create(&pd, from, b->engine, to, b->engine, attr) == dnnl_success && run_with_scratch(b, pd, args, 2);
	dnnl_primitive_desc_destroy(pd);
	dnnl_primitive_attr_destroy(attr);
	dnnl_memory_destroy(args[0].memory);
	dnnl_memory_destroy(args[1].memory);
	return ok;
}

bool onednn_pack(struct making *m, const dnnl_memory_desc_t *from, const float *data, int arg, const dnnl_memory_desc_t *to)
{
	void *out = own_array(m, to, arg);
	return out && onednn_reorder_now(m->b, from, data, to, out);
}

/* Weights of one channel of the result, n rows of `wide` in the order of their sizes. */
static void scale_channel(const struct work *w, int64_t channel, int64_t n, int64_t wide, float *to)
{
	int64_t at[BACKEND_ARRAY] = { 0 }, last = w->weights_ndim - 1, step = w->weights_stride[last];
	const float scale = w->scale[channel];
	for (int64_t i = 0; i < n; i++) {
		const float *from = w->weights + channel * w->weights_stride[0];
		for (int64_t k = 1; k < last; k++)
			from += at[k] * w->weights_stride[k];
		for (int64_t k = 0; k < wide; k++)
			*to++ = from[k * step] * scale;
		for (int64_t k = last - 1; k > 0 && ++at[k] == w->weights_size[k]; k--)
			at[k] = 0;
	}
}

float *onednn_scale(struct work *w)
{
	int64_t n = 1, channels = w->weights_size[0], wide = w->weights_size[w->weights_ndim - 1];
	for (int i = 1; i + 1 < w->weights_ndim; i++)
		n *= w->weights_size[i];
	float *to = onednn_aligned((size_t)(channels * n * wide) * sizeof *to);
	if (!to)
		return NULL;
#pragma omp parallel for
	for (int64_t c = 0; c < channels; c++)
		scale_channel(w, c, n, wide, to + c * n * wide);
	for (int i = w->weights_ndim; i-- > 0; )
		w->weights_stride[i] = i + 1 == w->weights_ndim ? 1 : w->weights_stride[i + 1] * w->weights_size[i + 1];
	w->weights = to;
	w->scale = NULL;
	return to;
}

/* One array of floats, or n times a value. */
bool onednn_add_array(struct making *m, int arg, const float *from, float value, int64_t n)
{
	dnnl_memory_desc_t md;
	if (dnnl_memory_desc_init_by_tag(&md, 1, (dnnl_dims_t){ n }, dnnl_f32, dnnl_a) != dnnl_success)
		return false;
	float *to = own_array(m, &md, arg);
	for (int64_t i = 0; to && i < n; i++)
		to[i] = from ? from[i] : value;
	return to != NULL;
}

#endif
