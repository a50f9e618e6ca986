/* The backend on oneDNN (its C interface of version 2). */
#include "exec/backend.h"

#ifdef HAVE_DNNL

#include <float.h>
#include <omp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <oneapi/dnnl/dnnl.h>

struct layout {
	dnnl_memory_desc_t md;
};

/* An algorithm and one of its implementations, found best before for a convolution of the same description and input. */
struct choice {
	dnnl_convolution_desc_t of;
	dnnl_memory_desc_t in;
	dnnl_alg_kind_t kind;
	char name[64];           /* of the implementation; other sizes may have them in another order */
	struct choice *next;
};

struct dnnl_backend {
	struct backend api;
	dnnl_engine_t engine;
	dnnl_stream_t stream;
	struct choice *choices;
};

enum { OWN = 4 }; /* weights, bias, mean and variance at most */

struct primitive {
	dnnl_primitive_t code;
	dnnl_memory_t *in; int n_in;
	dnnl_memory_t out, scratch, own[OWN];
	void *data[OWN];
	int n_own;
	dnnl_exec_arg_t *args; int n_args;
};

/* A primitive that is being made. */
struct making {
	struct dnnl_backend *b;
	struct arena *arena;
	const struct work *w;
	struct primitive *p;
	dnnl_primitive_attr_t attr;
	dnnl_primitive_desc_t pd;
};

static struct dnnl_backend *own(struct backend *b)
{
	return (struct dnnl_backend *)b;
}

/* ---- Layouts ---- */

static const struct layout *keep(struct arena *a, const dnnl_memory_desc_t *md)
{
	struct layout *l = arena_alloc(a, sizeof *l);
	if (l)
		l->md = *md;
	return l;
}

static const struct layout *plain(struct backend *b, struct arena *a, int ndim, const int64_t *size, const int64_t *stride)
{
	(void)b;
	dnnl_memory_desc_t md;
	if (ndim < 1 || ndim > BACKEND_DIMS)
		return NULL;
	for (int i = 0; i < ndim; i++)
		if (size[i] < 1 || (stride[i] < 1 && size[i] > 1))
			return NULL;
	dnnl_dims_t sizes, strides;
	memcpy(sizes, size, (size_t)ndim * sizeof *size);
	memcpy(strides, stride, (size_t)ndim * sizeof *stride);
	return dnnl_memory_desc_init_by_strides(&md, ndim, sizes, dnnl_f32, strides) == dnnl_success ? keep(a, &md) : NULL;
}

static const struct layout *blocked(struct backend *b, struct arena *a, int ndim, const int64_t *size, bool half)
{
	static const dnnl_format_tag_t tags[] = { dnnl_nCw16c, dnnl_nChw16c, dnnl_nCdhw16c };
	(void)b;
	dnnl_memory_desc_t md;
	if (ndim < 3 || ndim > 5)
		return NULL;
	dnnl_dims_t sizes;
	memcpy(sizes, size, (size_t)ndim * sizeof *size);
	return dnnl_memory_desc_init_by_tag(&md, ndim, sizes, half ? dnnl_bf16 : dnnl_f32, tags[ndim - 3]) == dnnl_success ? keep(a, &md) : NULL;
}

static bool same(const struct layout *x, const struct layout *y)
{
	return dnnl_memory_desc_equal(&x->md, &y->md);
}

static size_t bytes(const struct layout *l)
{
	return dnnl_memory_desc_get_size(&l->md);
}

static bool any_layout(dnnl_memory_desc_t *md, int ndim, const int64_t *size, dnnl_data_type_t type)
{
	return dnnl_memory_desc_init_by_tag(md, ndim, size, type, dnnl_format_tag_any) == dnnl_success;
}

/* ---- Weights ---- */

static void *aligned(size_t size)
{
	void *p;
	return posix_memalign(&p, 64, size ? size : 64) == 0 ? p : NULL;
}

/* An array of the primitive's own, of a layout; its content is the caller's to fill. */
static void *own_array(struct making *m, const dnnl_memory_desc_t *md, int arg)
{
	struct primitive *p = m->p;
	void *data = p->n_own < OWN ? aligned(dnnl_memory_desc_get_size(md)) : NULL;
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

/* Copies between two memories, now. */
static bool reorder_now(struct dnnl_backend *b, dnnl_memory_t from, const dnnl_memory_desc_t *from_md, dnnl_memory_t to, const dnnl_memory_desc_t *to_md)
{
	dnnl_primitive_desc_t pd = NULL;
	dnnl_primitive_t code = NULL;
	dnnl_exec_arg_t args[] = { { DNNL_ARG_FROM, from }, { DNNL_ARG_TO, to } };
	bool ok = dnnl_reorder_primitive_desc_create(&pd, from_md, b->engine, to_md, b->engine, NULL) == dnnl_success &&
		dnnl_primitive_create(&code, pd) == dnnl_success && dnnl_primitive_execute(code, b->stream, 2, args) == dnnl_success &&
		dnnl_stream_wait(b->stream) == dnnl_success;
	dnnl_primitive_destroy(code);
	dnnl_primitive_desc_destroy(pd);
	return ok;
}

static bool pack(struct making *m, const dnnl_memory_desc_t *from, const float *data, int arg, const dnnl_memory_desc_t *to)
{
	dnnl_memory_t user = NULL;
	if (!own_array(m, to, arg))
		return false;
	bool ok = dnnl_memory_create(&user, from, m->b->engine, (void *)(uintptr_t)data) == dnnl_success &&
		reorder_now(m->b, user, from, m->p->own[m->p->n_own - 1], to);
	dnnl_memory_destroy(user);
	return ok;
}

/* One array of floats, or n times a value. */
static bool add_array(struct making *m, int arg, const float *from, float value, int64_t n)
{
	dnnl_memory_desc_t md;
	if (dnnl_memory_desc_init_by_tag(&md, 1, (dnnl_dims_t){ n }, dnnl_f32, dnnl_a) != dnnl_success)
		return false;
	float *to = own_array(m, &md, arg);
	for (int64_t i = 0; to && i < n; i++)
		to[i] = from ? from[i] : value;
	return to != NULL;
}

/* ---- Attributes ---- */

static dnnl_alg_kind_t eltwise_of(enum post_kind kind)
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

/* Scratch memory comes from the caller; posts from the first on become the attribute's. */
static bool make_attr(struct making *m, int first)
{
	dnnl_post_ops_t ops = NULL;
	bool ok = dnnl_primitive_attr_create(&m->attr) == dnnl_success && dnnl_post_ops_create(&ops) == dnnl_success &&
		dnnl_primitive_attr_set_scratchpad_mode(m->attr, dnnl_scratchpad_mode_user) == dnnl_success;
	for (int i = first; ok && i < m->w->n_posts; i++) {
		const struct post *p = &m->w->posts[i];
		dnnl_status_t s = p->kind == POST_SUM ? dnnl_post_ops_append_sum(ops, 1) :
			dnnl_post_ops_append_eltwise(ops, 1, eltwise_of(p->kind), p->alpha, p->beta);
		ok = s == dnnl_success;
	}
	ok = ok && (m->w->n_posts <= first || dnnl_primitive_attr_set_post_ops(m->attr, ops) == dnnl_success);
	dnnl_post_ops_destroy(ops);
	return ok;
}

static const char *name_of(const_dnnl_primitive_desc_t pd)
{
	const char *name = NULL;
	dnnl_primitive_desc_query(pd, dnnl_query_impl_info_str, 0, &name);
	return name ? name : "";
}

/* oneDNN's own reference code is slower than ours. */
static bool make_pd(struct making *m, const void *desc)
{
	if (dnnl_primitive_desc_create(&m->pd, desc, m->attr, m->b->engine, NULL) != dnnl_success)
		return false;
	if (strncmp(name_of(m->pd), "ref", 3) != 0)
		return true;
	dnnl_primitive_desc_destroy(m->pd);
	m->pd = NULL;
	return false;
}

static const dnnl_memory_desc_t *md_of(struct making *m, dnnl_query_t what)
{
	return dnnl_primitive_desc_query_md(m->pd, what, 0);
}

static dnnl_data_type_t type_of(const struct making *m)
{
	return m->w->half ? dnnl_bf16 : dnnl_f32;
}

/* ---- Convolutions ---- */

static double seconds(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static bool add_memory(struct dnnl_backend *b, dnnl_exec_arg_t *arg, int which, const dnnl_memory_desc_t *md, void **data)
{
	*data = aligned(dnnl_memory_desc_get_size(md));
	*arg = (dnnl_exec_arg_t){ which, NULL };
	if (!*data)
		return false;
	memset(*data, 0, dnnl_memory_desc_get_size(md));
	return dnnl_memory_create(&arg->memory, md, b->engine, *data) == dnnl_success;
}

/* Seconds of a pass over zeros, a second one when it is short; a huge number when it fails. */
static double measure(struct dnnl_backend *b, const_dnnl_primitive_desc_t pd, bool has_bias)
{
	static const struct { dnnl_query_t what; int arg; } of[] = {
		{ dnnl_query_src_md, DNNL_ARG_SRC }, { dnnl_query_weights_md, DNNL_ARG_WEIGHTS }, { dnnl_query_dst_md, DNNL_ARG_DST },
		{ dnnl_query_scratchpad_md, DNNL_ARG_SCRATCHPAD }, { dnnl_query_weights_md, DNNL_ARG_BIAS },
	};
	enum { N = sizeof of / sizeof *of };
	dnnl_exec_arg_t args[N] = { 0 };
	void *data[N] = { 0 };
	dnnl_primitive_t code = NULL;
	int n = has_bias ? N : N - 1;
	bool ok = dnnl_primitive_create(&code, pd) == dnnl_success;
	for (int i = 0; ok && i < n; i++)
		ok = add_memory(b, &args[i], of[i].arg, dnnl_primitive_desc_query_md(pd, of[i].what, of[i].arg == DNNL_ARG_BIAS), &data[i]);
	double best = DBL_MAX;
	for (int i = 0; ok && i < 2 && (i == 0 || best < 1e-3); i++) {
		double start = seconds();
		ok = dnnl_primitive_execute(code, b->stream, n, args) == dnnl_success && dnnl_stream_wait(b->stream) == dnnl_success;
		best = ok ? seconds() - start : DBL_MAX;
	}
	for (int i = 0; i < n; i++) {
		dnnl_memory_destroy(args[i].memory);
		free(data[i]);
	}
	dnnl_primitive_destroy(code);
	return ok ? best : DBL_MAX;
}

static bool fits_winograd(const struct work *w)
{
	if (w->kind != WORK_CONVOLUTION || w->ndim != 4 || w->groups != 1 || w->half)
		return false;
	for (int i = 0; i < 2; i++)
		if (w->kernel[i] != 3 || w->stride[i] != 1 || w->dilation[i] != 1)
			return false;
	return w->weights_size[0] >= 16 && w->weights_size[1] >= 16;
}

static bool in_blocks(const dnnl_memory_desc_t *md)
{
	return md->format_kind == dnnl_blocked && md->format_desc.blocking.inner_nblks > 0;
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
	if (strncmp(name_of(pd), "ref", 3) == 0)
		return DBL_MAX;
	double cost = m->w->fixed ? rank * 1e-9 : measure(m->b, pd, m->w->bias != NULL);
	if (in_blocks(src) != in_blocks(&m->w->in[0]->md) || src->data_type != m->w->in[0]->md.data_type)
		cost += reorder_cost(src);
	return in_blocks(dst) ? cost : cost + reorder_cost(dst);
}

enum { TRIED = 2 };          /* implementations of an algorithm */

static void try_algorithm(struct making *m, const dnnl_convolution_desc_t *d, double *best, struct choice *chosen)
{
	dnnl_primitive_desc_iterator_t it = NULL;
	if (dnnl_primitive_desc_iterator_create(&it, d, m->attr, m->b->engine, NULL) != dnnl_success)
		return;
	for (int i = 0; i < TRIED; i++) {
		dnnl_primitive_desc_t pd = dnnl_primitive_desc_iterator_fetch(it);
		if (!pd)
			break;
		double cost = cost_of(m, pd, d->alg_kind == dnnl_convolution_winograd ? -TRIED : i);
		if (cost < *best) {
			*best = cost;
			chosen->kind = d->alg_kind;
			snprintf(chosen->name, sizeof chosen->name, "%s", name_of(pd));
		}
		dnnl_primitive_desc_destroy(pd);
		if (dnnl_primitive_desc_iterator_next(it) != dnnl_success)
			break;
	}
	dnnl_primitive_desc_iterator_destroy(it);
}

static struct choice choose(struct making *m, const dnnl_convolution_desc_t *d)
{
	struct dnnl_backend *b = m->b;
	const dnnl_memory_desc_t *in = &m->w->in[0]->md;
	for (const struct choice *c = b->choices; c; c = c->next)
		if (memcmp(&c->of, d, sizeof *d) == 0 && dnnl_memory_desc_equal(&c->in, in))
			return *c;
	struct choice chosen = { .of = *d, .in = *in,  .kind = d->alg_kind, .next = b->choices };
	double best = DBL_MAX;
	try_algorithm(m, d, &best, &chosen);
	if (fits_winograd(m->w)) {
		dnnl_convolution_desc_t winograd = *d;
		winograd.alg_kind = dnnl_convolution_winograd;
		try_algorithm(m, &winograd, &best, &chosen);
	}
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
	dnnl_convolution_desc_t of = *d;
	dnnl_primitive_desc_iterator_t it = NULL;
	of.alg_kind = c.kind;
	if (!*c.name || dnnl_primitive_desc_iterator_create(&it, &of, m->attr, m->b->engine, NULL) != dnnl_success)
		return false;
	while ((m->pd = dnnl_primitive_desc_iterator_fetch(it)) && strcmp(name_of(m->pd), c.name) != 0) {
		dnnl_primitive_desc_destroy(m->pd);
		m->pd = NULL;
		if (dnnl_primitive_desc_iterator_next(it) != dnnl_success)
			break;
	}
	dnnl_primitive_desc_iterator_destroy(it);
	return m->pd || make_pd(m, d);
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

static bool make_convolution(struct making *m)
{
	const struct work *w = m->w;
	dnnl_memory_desc_t src, user, weights, bias, dst;
	dnnl_dims_t dilation;
	dnnl_convolution_desc_t d;
	if (!make_attr(m, 0) || !weights_layout(w, &user) || !any_layout(&src, w->in[0]->md.ndims, w->in[0]->md.dims, type_of(m)) ||
	    !any_layout(&weights, user.ndims, user.dims, type_of(m)) || !any_layout(&dst, w->ndim, w->size, type_of(m)))
		return false;
	if (w->out)
		dst = w->out->md;
	for (int i = 0; i < w->ndim - 2; i++)
		dilation[i] = w->dilation[i] - 1;
	dnnl_memory_desc_init_by_tag(&bias, 1, (dnnl_dims_t){ w->size[1] }, dnnl_f32, dnnl_a);
	dnnl_status_t s = w->kind == WORK_CONVOLUTION ?
		dnnl_dilated_convolution_forward_desc_init(&d, dnnl_forward_inference, dnnl_convolution_direct, &src, &weights, w->bias ? &bias : NULL, &dst,
			w->stride, dilation, w->padding, w->padding) :
		dnnl_dilated_deconvolution_forward_desc_init(&d, dnnl_forward_inference, dnnl_deconvolution_direct, &src, &weights, w->bias ? &bias : NULL, &dst,
			w->stride, dilation, w->padding, w->padding);
	if (s != dnnl_success)
		return false;
	if (w->kind == WORK_CONVOLUTION ? !make_chosen(m, &d) : !make_pd(m, &d))
		return false;
	return pack(m, &user, w->weights, DNNL_ARG_WEIGHTS, md_of(m, dnnl_query_weights_md)) &&
		(!w->bias || add_array(m, DNNL_ARG_BIAS, w->bias, 0, w->size[1]));
}

/* ---- The other works ---- */

static bool make_pool(struct making *m)
{
	const struct work *w = m->w;
	const dnnl_memory_desc_t *src = &w->in[0]->md;
	dnnl_alg_kind_t alg = w->kind == WORK_MAX_POOL ? dnnl_pooling_max : w->kind == WORK_AVERAGE_POOL ? dnnl_pooling_avg_exclude_padding : dnnl_pooling_avg_include_padding;
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
	return make_attr(m, 0) && any_layout(&dst, w->ndim, w->size, src->data_type) &&
		dnnl_pooling_v2_forward_desc_init(&d, dnnl_forward_inference, alg, src, &dst, w->stride, w->kernel, dilation, w->padding, right) == dnnl_success &&
		make_pd(m, &d);
}

static bool make_matmul(struct making *m)
{
	const struct work *w = m->w;
	dnnl_memory_desc_t user, src = w->in[0]->md, weights, bias, dst = w->out->md;
	dnnl_dims_t ones;
	dnnl_matmul_desc_t d;
	for (int i = 0; i < w->ndim; i++)
		ones[i] = i == w->ndim - 1 ? w->bias_length : 1;
	if (!make_attr(m, 0) || (w->half && !any_layout(&src, src.ndims, src.dims, dnnl_bf16)))
		return false;
	if (w->weights) {
		if (dnnl_memory_desc_init_by_strides(&user, w->weights_ndim, w->weights_size, dnnl_f32, w->weights_stride) != dnnl_success ||
		    !any_layout(&weights, w->weights_ndim, w->weights_size, type_of(m)))
			return false;
	} else {
		weights = w->in[1]->md;
	}
	if (w->bias && dnnl_memory_desc_init_by_strides(&bias, w->ndim, ones, dnnl_f32, NULL) != dnnl_success)
		return false;
	if (dnnl_matmul_desc_init(&d, &src, &weights, w->bias ? &bias : NULL, &dst) != dnnl_success || !make_pd(m, &d))
		return false;
	if (w->weights && !pack(m, &user, w->weights, DNNL_ARG_WEIGHTS, md_of(m, dnnl_query_weights_md)))
		return false;
	return !w->bias || pack(m, &bias, w->bias, DNNL_ARG_BIAS, &bias);
}

static bool make_eltwise(struct making *m)
{
	const struct post *p = &m->w->posts[0];
	dnnl_eltwise_desc_t d;
	return make_attr(m, 1) && dnnl_eltwise_forward_desc_init(&d, dnnl_forward_inference, eltwise_of(p->kind), &m->w->in[0]->md, p->alpha, p->beta) == dnnl_success &&
		make_pd(m, &d);
}

static bool make_binary(struct making *m)
{
	static const dnnl_alg_kind_t kinds[] = { dnnl_binary_add, dnnl_binary_sub, dnnl_binary_mul, dnnl_binary_div };
	const struct work *w = m->w;
	dnnl_memory_desc_t dst;
	dnnl_binary_desc_t d;
	if (!make_attr(m, 0) || !any_layout(&dst, w->ndim, w->size, w->in[0]->md.data_type))
		return false;
	return dnnl_binary_desc_init(&d, kinds[w->kind - WORK_ADD], &w->in[0]->md, &w->in[1]->md, w->out ? &w->out->md : &dst) == dnnl_success && make_pd(m, &d);
}

static bool make_batch_norm(struct making *m)
{
	const struct work *w = m->w;
	int64_t n = w->size[1];
	bool relu = w->n_posts > 0 && w->posts[0].kind == POST_RELU && w->posts[0].alpha == 0;
	unsigned flags = dnnl_use_global_stats | dnnl_use_scale | dnnl_use_shift | (relu ? dnnl_fuse_norm_relu : 0);
	dnnl_batch_normalization_desc_t d;
	if (!make_attr(m, relu ? 1 : 0) ||
	    dnnl_batch_normalization_forward_desc_init(&d, dnnl_forward_inference, &w->in[0]->md, 0, flags) != dnnl_success || !make_pd(m, &d))
		return false;
	return add_array(m, DNNL_ARG_MEAN, NULL, 0, n) && add_array(m, DNNL_ARG_VARIANCE, NULL, 1, n) && add_array(m, DNNL_ARG_SCALE, w->weights, 0, n) &&
		add_array(m, DNNL_ARG_SHIFT, w->bias, 0, n);
}

static bool make_layer_norm(struct making *m)
{
	const struct work *w = m->w;
	int64_t n = w->size[w->ndim - 1];
	dnnl_layer_normalization_desc_t d;
	unsigned flags = w->weights ? dnnl_use_scale | dnnl_use_shift : 0;
	if (!make_attr(m, 0) ||
	    dnnl_layer_normalization_forward_desc_init(&d, dnnl_forward_inference, &w->in[0]->md, NULL, w->epsilon, flags) != dnnl_success || !make_pd(m, &d))
		return false;
	return !w->weights || (add_array(m, DNNL_ARG_SCALE, w->weights, 0, n) && add_array(m, DNNL_ARG_SHIFT, w->bias, 0, n));
}

static bool make_softmax(struct making *m)
{
	dnnl_softmax_desc_t d;
	return make_attr(m, 0) && dnnl_softmax_forward_desc_init(&d, dnnl_forward_inference, &m->w->in[0]->md, m->w->axis) == dnnl_success && make_pd(m, &d);
}

static bool make_concat(struct making *m)
{
	const struct work *w = m->w;
	dnnl_memory_desc_t *src = arena_array(m->arena, (size_t)w->n_in, sizeof *src);
	for (int i = 0; src && i < w->n_in; i++)
		src[i] = w->in[i]->md;
	return src && make_attr(m, 0) &&
		dnnl_concat_primitive_desc_create(&m->pd, w->out ? &w->out->md : NULL, w->n_in, w->axis, src, m->attr, m->b->engine) == dnnl_success;
}

static bool make_reorder(struct making *m)
{
	return make_attr(m, 0) &&
		dnnl_reorder_primitive_desc_create(&m->pd, &m->w->in[0]->md, m->b->engine, &m->w->out->md, m->b->engine, m->attr) == dnnl_success;
}

static bool make_kind(struct making *m)
{
	switch (m->w->kind) {
	case WORK_REORDER: return make_reorder(m);
	case WORK_CONVOLUTION: case WORK_DECONVOLUTION: return make_convolution(m);
	case WORK_MAX_POOL: case WORK_AVERAGE_POOL: case WORK_AVERAGE_POOL_PADDED: return make_pool(m);
	case WORK_MATMUL: return make_matmul(m);
	case WORK_ELTWISE: return make_eltwise(m);
	case WORK_ADD: case WORK_SUB: case WORK_MUL: case WORK_DIV: return make_binary(m);
	case WORK_BATCH_NORM: return make_batch_norm(m);
	case WORK_LAYER_NORM: return make_layer_norm(m);
	case WORK_SOFTMAX: return make_softmax(m);
	case WORK_CONCAT: return make_concat(m);
	case WORK_NONE: break;
	}
	return false;
}

/* ---- Making and running ---- */

static bool add_operand(struct making *m, dnnl_memory_t *memory, int arg, const dnnl_memory_desc_t *md)
{
	if (dnnl_memory_create(memory, md, m->b->engine, DNNL_MEMORY_NONE) != dnnl_success)
		return false;
	m->p->args[m->p->n_args++] = (dnnl_exec_arg_t){ arg, *memory };
	return true;
}

static int input_arg(const struct work *w, int i)
{
	if (w->kind == WORK_CONCAT)
		return DNNL_ARG_MULTIPLE_SRC + i;
	if (i == 0)
		return DNNL_ARG_SRC_0;
	return w->kind == WORK_MATMUL ? DNNL_ARG_WEIGHTS : DNNL_ARG_SRC_1;
}

static bool finish(struct making *m, struct primitive_needs *needs)
{
	const struct work *w = m->w;
	struct primitive *p = m->p;
	bool own_layout = w->kind == WORK_CONVOLUTION || w->kind == WORK_DECONVOLUTION || w->kind == WORK_MATMUL;
	const dnnl_memory_desc_t *first = own_layout ? md_of(m, dnnl_query_src_md) : &w->in[0]->md;
	const dnnl_memory_desc_t *out = md_of(m, dnnl_query_dst_md), *scratch = md_of(m, dnnl_query_scratchpad_md);
	for (int i = 0; i < w->n_in; i++, p->n_in++)
		if (!add_operand(m, &p->in[i], input_arg(w, i), i == 0 ? first : &w->in[i]->md))
			return false;
	if (!add_operand(m, &p->out, DNNL_ARG_DST, out) || !add_operand(m, &p->scratch, DNNL_ARG_SCRATCHPAD, scratch))
		return false;
	*needs = (struct primitive_needs){ .in = keep(m->arena, first), .out = keep(m->arena, out), .scratch = dnnl_memory_desc_get_size(scratch), .name = name_of(m->pd) };
	for (int i = 0; i < p->n_own; i++) {
		const dnnl_memory_desc_t *md;
		dnnl_memory_get_memory_desc(p->own[i], &md);
		needs->weights += dnnl_memory_desc_get_size(md);
	}
	return needs->in && needs->out && dnnl_primitive_create(&p->code, m->pd) == dnnl_success;
}

static void drop(struct primitive *p)
{
	if (!p)
		return;
	for (int i = 0; i < p->n_in; i++)
		dnnl_memory_destroy(p->in[i]);
	for (int i = 0; i < p->n_own; i++) {
		dnnl_memory_destroy(p->own[i]);
		free(p->data[i]);
	}
	dnnl_memory_destroy(p->out);
	dnnl_memory_destroy(p->scratch);
	dnnl_primitive_destroy(p->code);
	p->n_in = p->n_own = 0;
}

static struct primitive *make(struct backend *b, struct arena *a, const struct work *w, struct primitive_needs *needs)
{
	struct making m = { .b = own(b), .arena = a, .w = w, .p = arena_alloc(a, sizeof *m.p) };
	if (!m.p)
		return NULL;
	*m.p = (struct primitive){ .in = arena_array(a, (size_t)w->n_in + 1, sizeof *m.p->in), .args = arena_array(a, (size_t)w->n_in + OWN + 2, sizeof *m.p->args) };
	bool ok = m.p->in && m.p->args && make_kind(&m) && finish(&m, needs);
	if (m.pd && ok) {        /* the name belongs to the description, which goes */
		char *name = arena_strdup(a, needs->name);
		needs->name = name ? name : "onednn";
	}
	dnnl_primitive_attr_destroy(m.attr);
	dnnl_primitive_desc_destroy(m.pd);
	if (ok)
		return m.p;
	drop(m.p);
	return NULL;
}

static bool run(struct backend *b, struct primitive *p, void *const *in, void *out, void *scratch)
{
	struct dnnl_backend *d = own(b);
	for (int i = 0; i < p->n_in; i++)
		dnnl_memory_set_data_handle(p->in[i], in[i]);
	dnnl_memory_set_data_handle(p->out, out);
	dnnl_memory_set_data_handle(p->scratch, scratch);
	return dnnl_primitive_execute(p->code, d->stream, p->n_args, p->args) == dnnl_success && dnnl_stream_wait(d->stream) == dnnl_success;
}

static void free_backend(struct backend *b)
{
	struct dnnl_backend *d = own(b);
	for (struct choice *c = d->choices, *next; c; c = next) {
		next = c->next;
		free(c);
	}
	dnnl_stream_destroy(d->stream);
	dnnl_engine_destroy(d->engine);
	free(d);
}

struct backend *backend_new(int threads)
{
	struct dnnl_backend *d = calloc(1, sizeof *d);
	if (!d)
		return NULL;
	if (threads > 0)
		omp_set_num_threads(threads);
	d->api = (struct backend){ "oneDNN", plain, blocked, same, bytes, make, run, drop, free_backend };
	if (dnnl_engine_create(&d->engine, dnnl_cpu, 0) == dnnl_success && dnnl_stream_create(&d->stream, d->engine, dnnl_stream_default_flags) == dnnl_success)
		return &d->api;
	free_backend(&d->api);
	return NULL;
}

bool backend_has_half(void)
{
	dnnl_cpu_isa_t isa = dnnl_get_effective_cpu_isa();
	return (isa & dnnl_cpu_isa_avx512_core_bf16) == dnnl_cpu_isa_avx512_core_bf16;
}

#else

struct backend *backend_new(int threads)
{
	(void)threads;
	return NULL;
}

bool backend_has_half(void)
{
	return false;
}

#endif
