/* Convolutions on oneDNN, and which of its algorithms each takes. */
#include "exec/backend.h"

#ifdef HAVE_DNNL

#include <float.h>
#include <omp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "exec/dnnl_backend.h"

/* The implementation that was found best before for a convolution of the same description and input. */
struct choice {
	dnnl_convolution_desc_t of;
	dnnl_memory_desc_t in;
	char name[64];           /* of the implementation; other sizes may have them in another order */
	struct choice *next;
};

static double seconds(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static bool add_memory(struct dnnl_backend *b, dnnl_exec_arg_t *arg, int which, const dnnl_memory_desc_t *md, void **data)
{
	*data = onednn_aligned(dnnl_memory_desc_get_size(md));
	*arg = (dnnl_exec_arg_t){ which, NULL };
	if (!*data)
		return false;
	memset(*data, 0, dnnl_memory_desc_get_size(md));
	return dnnl_memory_create(&arg->memory, md, b->engine, *data) == dnnl_success;
}

/* Seconds of the best of a few passes over zeros; a huge number when it fails. */
static double measure(struct making *m, const_dnnl_primitive_desc_t pd)
{
	struct dnnl_backend *b = m->b;
	static const struct { dnnl_query_t what; int arg; } of[] = {
		{ dnnl_query_src_md, DNNL_ARG_SRC }, { dnnl_query_weights_md, DNNL_ARG_WEIGHTS }, { dnnl_query_dst_md, DNNL_ARG_DST },
		{ dnnl_query_scratchpad_md, DNNL_ARG_SCRATCHPAD }, { dnnl_query_weights_md, DNNL_ARG_BIAS },
	};
	enum { N = sizeof of / sizeof *of };
	dnnl_exec_arg_t args[N] = { 0 };
	void *data[N] = { 0 };
	dnnl_primitive_t code = NULL;
	size_t taken = 0;
	int n = m->w->bias ? N : N - 1;
	bool ok = dnnl_primitive_create(&code, pd) == dnnl_success;
	for (int i = 0; ok && i < n; i++) {
		const dnnl_memory_desc_t *md = dnnl_primitive_desc_query_md(pd, of[i].what, of[i].arg == DNNL_ARG_BIAS);
		ok = add_memory(b, &args[i], of[i].arg, md, &data[i]);
		taken += dnnl_memory_desc_get_size(md);
	}
	m->tried = taken > m->tried ? taken : m->tried;
	double best = DBL_MAX;
	for (int i = 0; ok && i < 3; i++) {
		double start = seconds();
		ok = dnnl_primitive_execute(code, b->stream, n, args) == dnnl_success && dnnl_stream_wait(b->stream) == dnnl_success;
		double took = seconds() - start;
		best = !ok ? DBL_MAX : took < best ? took : best;
	}
	for (int i = 0; i < n; i++) {
		dnnl_memory_destroy(args[i].memory);
		free(data[i]);
	}
	dnnl_primitive_destroy(code);
	return ok ? best : DBL_MAX;
}

/* Seconds that bringing a tensor into another layout takes, about. */
static double reorder_cost(const dnnl_memory_desc_t *md)
{
	return 2 * (double)dnnl_memory_desc_get_size(md) / 16e9;
}

/* What an implementation costs: measured, or a rank; and the reorders that its layouts bring. */
static double cost_of(struct making *m, const_dnnl_primitive_desc_t pd, int rank)
{
	const dnnl_memory_desc_t *src = dnnl_primitive_desc_query_md(pd, dnnl_query_src_md, 0), *dst = dnnl_primitive_desc_query_md(pd, dnnl_query_dst_md, 0);
	if (strncmp(onednn_name_of(pd), "ref", 3) == 0)
		return DBL_MAX;
	double cost = m->w->fixed ? rank * 1e-9 : measure(m, pd);
	if (onednn_in_blocks(src) != onednn_in_blocks(&m->w->in[0]->md) || src->data_type != m->w->in[0]->md.data_type)
		cost += reorder_cost(src);
	return onednn_in_blocks(dst) ? cost : cost + reorder_cost(dst);
}

enum { TRIED = 2 };          /* implementations */

static void try_each(struct making *m, const dnnl_convolution_desc_t *d, double *best, struct choice *chosen)
{
	dnnl_primitive_desc_iterator_t it = NULL;
	if (dnnl_primitive_desc_iterator_create(&it, d, m->attr, m->b->engine, NULL) != dnnl_success)
		return;
	for (int i = 0; i < TRIED; i++) {
		dnnl_primitive_desc_t pd = dnnl_primitive_desc_iterator_fetch(it);
		if (!pd)
			break;
		double cost = cost_of(m, pd, i);
		if (cost < *best) {
			*best = cost;
			snprintf(chosen->name, sizeof chosen->name, "%s", onednn_name_of(pd));
		}
		dnnl_primitive_desc_destroy(pd);
		if (dnnl_primitive_desc_iterator_next(it) != dnnl_success)
			break;
	}
	dnnl_primitive_desc_iterator_destroy(it);
}

/* A few images tell which implementation is faster. */
static void take_images(dnnl_memory_desc_t *md)
{
	int64_t most = omp_get_max_threads();
	if (md->format_kind == dnnl_format_kind_any && md->dims[0] > most)
		md->dims[0] = md->padded_dims[0] = most;
}

static struct choice choose(struct making *m, const dnnl_convolution_desc_t *d)
{
	struct dnnl_backend *b = m->b;
	const dnnl_memory_desc_t *in = &m->w->in[0]->md;
	for (const struct choice *c = b->choices; c; c = c->next)
		if (memcmp(&c->of, d, sizeof *d) == 0 && dnnl_memory_desc_equal(&c->in, in))
			return *c;
	struct choice chosen = { .of = *d, .in = *in, .next = b->choices };
	dnnl_convolution_desc_t few = *d;
	double best = DBL_MAX;
	take_images(&few.src_desc);
	take_images(&few.dst_desc);
	try_each(m, &few, &best, &chosen);
	struct choice *kept = malloc(sizeof *kept);
	if (kept) {
		*kept = chosen;
		b->choices = kept;
	}
	return chosen;
}

static bool make_chosen(struct making *m, const dnnl_convolution_desc_t *d)
{
	struct choice c = choose(m, d);
	dnnl_primitive_desc_iterator_t it = NULL;
	if (!*c.name || dnnl_primitive_desc_iterator_create(&it, d, m->attr, m->b->engine, NULL) != dnnl_success)
		return false;
	while ((m->pd = dnnl_primitive_desc_iterator_fetch(it)) && strcmp(onednn_name_of(m->pd), c.name) != 0) {
		dnnl_primitive_desc_destroy(m->pd);
		m->pd = NULL;
		if (dnnl_primitive_desc_iterator_next(it) != dnnl_success)
			break;
	}
	dnnl_primitive_desc_iterator_destroy(it);
	return m->pd || onednn_make_pd(m, d);
}

/* PyTorch's [out, in / groups, ...] or, transposed, [in, out / groups, ...] as oneDNN's [groups, out, in, ...]. */
static bool weights_layout(const struct work *w, dnnl_memory_desc_t *md)
{
	dnnl_dims_t size, stride;
	int n = 0;
	if (w->weights_ndim > BACKEND_DIMS - 1)
		return false;
	if (w->groups > 1) {
		size[n] = w->groups;
		stride[n++] = w->weights_size[0] / w->groups * w->weights_stride[0];
	}
	int first = w->kind == WORK_DECONVOLUTION;
	for (int i = 0; i < 2; i++) {
		int from = first ? 1 - i : i;
		size[n] = from == 0 ? w->weights_size[0] / w->groups : w->weights_size[1];
		stride[n++] = w->weights_stride[from];
	}
	for (int i = 2; i < w->weights_ndim; i++) {
		size[n] = w->weights_size[i];
		stride[n++] = w->weights_stride[i];
	}
	return dnnl_memory_desc_init_by_strides(md, n, size, dnnl_f32, stride) == dnnl_success;
}

/* A convolution whose layouts are those of src and dst; weights in any. */
static bool describe(const struct work *w, const dnnl_memory_desc_t *src, const dnnl_memory_desc_t *user, const dnnl_memory_desc_t *dst,
                     dnnl_convolution_desc_t *d)
{
	dnnl_memory_desc_t weights, bias;
	dnnl_dims_t dilation;
	if (!onednn_any_layout(&weights, user->ndims, user->dims, src->data_type) ||
	    dnnl_memory_desc_init_by_tag(&bias, 1, (dnnl_dims_t){ w->size[1] }, dnnl_f32, dnnl_a) != dnnl_success)
		return false;
	for (int i = 0; i < w->ndim - 2; i++)
		dilation[i] = w->dilation[i] - 1;
	return (w->kind == WORK_CONVOLUTION ?
		dnnl_dilated_convolution_forward_desc_init(d, dnnl_forward_inference, dnnl_convolution_direct, src, &weights, w->bias ? &bias : NULL, dst,
			w->stride, dilation, w->padding, w->padding) :
		dnnl_dilated_deconvolution_forward_desc_init(d, dnnl_forward_inference, dnnl_deconvolution_direct, src, &weights, w->bias ? &bias : NULL, dst,
			w->stride, dilation, w->padding, w->padding)) == dnnl_success;
}

/*
 * Blocks of channels in and out, which every layer around takes without a
 * reorder.  Few channels, as of a picture, lie better as they are.
 */
static bool make_in_blocks(struct making *m, const dnnl_memory_desc_t *user)
{
	enum { FEW = 8 };
	const struct work *w = m->w;
	const dnnl_memory_desc_t *in = &w->in[0]->md;
	dnnl_memory_desc_t src, dst;
	dnnl_convolution_desc_t d;
	if (w->half || w->out || in->dims[1] < FEW || w->size[1] < FEW)
		return false;
	return onednn_block_layout(&src, in->ndims, in->dims, dnnl_f32) && onednn_block_layout(&dst, w->ndim, w->size, dnnl_f32) &&
		describe(w, &src, user, &dst, &d) && onednn_make_pd(m, &d);
}

static bool make_in_any(struct making *m, const dnnl_memory_desc_t *user)
{
	const struct work *w = m->w;
	const dnnl_memory_desc_t *in = &w->in[0]->md;
	dnnl_memory_desc_t src, dst;
	dnnl_convolution_desc_t d;
	if (!onednn_any_layout(&src, in->ndims, in->dims, onednn_type_of(m)) || !onednn_any_layout(&dst, w->ndim, w->size, onednn_type_of(m)))
		return false;
	if (w->out)
		dst = w->out->md;
	return describe(w, &src, user, &dst, &d) && (w->kind == WORK_CONVOLUTION ? make_chosen(m, &d) : onednn_make_pd(m, &d));
}

static bool make_convolution(struct making *m)
{
	const struct work *w = m->w;
	dnnl_memory_desc_t user;
	if (!onednn_make_attr(m, 0) || !weights_layout(w, &user) || (!make_in_blocks(m, &user) && !make_in_any(m, &user)))
		return false;
	return onednn_pack(m, &user, w->weights, DNNL_ARG_WEIGHTS, onednn_md_of(m, dnnl_query_weights_md)) &&
		(!w->bias || onednn_add_array(m, DNNL_ARG_BIAS, w->bias, 0, w->size[1]));
}

bool onednn_make_convolution(struct making *m)
{
	if (onednn_make_stem(m) || (!m->w->second && onednn_make_own(m)))
		return true;
	if (m->w->before || m->w->second)
		return false;
	const struct work *w = m->w;
	struct work scaled = *w;
	float *weights = w->scale ? onednn_scale(&scaled) : NULL;
	if (w->scale && !weights)
		return false;
	m->w = &scaled;
	bool ok = make_convolution(m);
	m->w = w;
	free(weights);
	return ok;
}

void onednn_forget_choices(struct dnnl_backend *b)
{
	for (struct choice *c = b->choices, *next; c; c = next) {
		next = c->next;
		free(c);
	}
	b->choices = NULL;
}

#endif
