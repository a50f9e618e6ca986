/* The backend on oneDNN: layouts, making primitives by their kind, and running them. */
#include "exec/backend.h"

#ifdef HAVE_DNNL

#include <omp.h>
#include <stdlib.h>
#include <string.h>

#include "exec/dnnl_backend.h"

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
	int64_t next = 1;
	memcpy(sizes, size, (size_t)ndim * sizeof *size);
	for (int i = ndim - 1; i >= 0; i--) {    /* the stride of one element says nothing, and yet oneDNN adds wrongly when it is odd */
		strides[i] = size[i] == 1 ? next : stride[i];
		next = size[i] * strides[i];
	}
	return dnnl_memory_desc_init_by_strides(&md, ndim, sizes, dnnl_f32, strides) == dnnl_success ? keep(a, &md) : NULL;
}

bool onednn_block_layout(dnnl_memory_desc_t *md, int ndim, const int64_t *size, dnnl_data_type_t type)
{
	static const dnnl_format_tag_t tags[] = { dnnl_nCw16c, dnnl_nChw16c, dnnl_nCdhw16c };
	dnnl_dims_t sizes;
	if (ndim < 3 || ndim > 5)
		return false;
	memcpy(sizes, size, (size_t)ndim * sizeof *size);
	return dnnl_memory_desc_init_by_tag(md, ndim, sizes, type, tags[ndim - 3]) == dnnl_success;
}

bool onednn_in_blocks(const dnnl_memory_desc_t *md)
{
	return md->format_kind == dnnl_blocked && md->format_desc.blocking.inner_nblks > 0;
}

static const struct layout *blocked(struct backend *b, struct arena *a, int ndim, const int64_t *size, bool half)
{
	dnnl_memory_desc_t md;
	(void)b;
	return onednn_block_layout(&md, ndim, size, half ? dnnl_bf16 : dnnl_f32) ? keep(a, &md) : NULL;
}

static bool same(const struct layout *x, const struct layout *y)
{
	return dnnl_memory_desc_equal(&x->md, &y->md);
}

static size_t bytes(const struct layout *l)
{
	return dnnl_memory_desc_get_size(&l->md);
}

bool onednn_any_layout(dnnl_memory_desc_t *md, int ndim, const int64_t *size, dnnl_data_type_t type)
{
	return dnnl_memory_desc_init_by_tag(md, ndim, size, type, dnnl_format_tag_any) == dnnl_success;
}

/* ---- Making and running ---- */

static bool (*const makers[])(struct making *m) = {
	[WORK_REORDER] = onednn_make_reorder,
	[WORK_CONVOLUTION] = onednn_make_convolution, [WORK_DECONVOLUTION] = onednn_make_convolution,
	[WORK_MAX_POOL] = onednn_make_pool, [WORK_AVERAGE_POOL] = onednn_make_pool, [WORK_AVERAGE_POOL_PADDED] = onednn_make_pool,
	[WORK_MATMUL] = onednn_make_matmul,
	[WORK_ELTWISE] = onednn_make_eltwise,
	[WORK_ADD] = onednn_make_binary, [WORK_SUB] = onednn_make_binary, [WORK_MUL] = onednn_make_binary, [WORK_DIV] = onednn_make_binary,
	[WORK_BATCH_NORM] = onednn_make_batch_norm, [WORK_BATCH_STATS] = onednn_make_batch_stats, [WORK_LAYER_NORM] = onednn_make_layer_norm,
	[WORK_SOFTMAX] = onednn_make_softmax,
	[WORK_CONCAT] = onednn_make_concat,
	[WORK_MLP] = onednn_make_mlp,
	[WORK_LSTM] = onednn_make_lstm,
	[WORK_ATTENTION] = onednn_make_attention,
};

static bool make_kind(struct making *m)
{
	size_t kind = m->w->kind;
	return kind < sizeof makers / sizeof *makers && makers[kind] && makers[kind](m);
}

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
	for (int k = 0; k < w->n_posts && i == w->n_in - 1; k++)
		if (w->posts[k].kind == POST_ADD)
			return DNNL_ARG_ATTR_MULTIPLE_POST_OP(k) | DNNL_ARG_SRC_1;
	return w->kind == WORK_MATMUL ? DNNL_ARG_WEIGHTS : DNNL_ARG_SRC_1;
}

static bool finish_own(struct making *m, struct primitive_needs *needs)
{
	const struct own_code *c = &m->p->ours;
	*needs = (struct primitive_needs){ .in = keep(m->arena, &c->in), .out = keep(m->arena, &c->out), .scratch = c->scratch, .weights = c->weights,
		.later = c->later, .over = c->over, .name = c->name, .spreads = c->spreads, .keeps = c->keeps };
	return needs->in && needs->out;
}

/* Element by element. */
static bool writes_over(const struct work *w)
{
	return w->kind == WORK_ELTWISE || w->kind == WORK_BATCH_NORM || (w->kind >= WORK_ADD && w->kind <= WORK_DIV);
}

static bool finish(struct making *m, struct primitive_needs *needs)
{
	const struct work *w = m->w;
	struct primitive *p = m->p;
	if (p->ours.self)
		return finish_own(m, needs);
	bool own_layout = w->kind == WORK_CONVOLUTION || w->kind == WORK_DECONVOLUTION || w->kind == WORK_MATMUL;
	const dnnl_memory_desc_t *first = own_layout ? onednn_md_of(m, dnnl_query_src_md) : &w->in[0]->md;
	const dnnl_memory_desc_t *out = onednn_md_of(m, dnnl_query_dst_md), *scratch = onednn_md_of(m, dnnl_query_scratchpad_md);
	for (int i = 0; i < w->n_in; i++, p->n_in++)
		if (!add_operand(m, &p->in[i], input_arg(w, i), i == 0 ? first : &w->in[i]->md))
			return false;
	if (!add_operand(m, &p->out, DNNL_ARG_DST, out) || !add_operand(m, &p->scratch, DNNL_ARG_SCRATCHPAD, scratch))
		return false;
	*needs = (struct primitive_needs){ .in = keep(m->arena, first), .out = keep(m->arena, out), .scratch = dnnl_memory_desc_get_size(scratch),
	                                  .name = onednn_name_of(m->pd),
		.tried = m->tried, .over = writes_over(w), .spreads = strstr(onednn_name_of(m->pd), "wino") != NULL };
	for (int i = 0; i < p->n_own; i++) {
		const dnnl_memory_desc_t *md;
		dnnl_memory_get_memory_desc(p->own[i], &md);
		needs->weights += dnnl_memory_desc_get_size(md);
	}
	return needs->in && needs->out && dnnl_primitive_create(&p->code, m->pd) == dnnl_success;
}

static size_t keep_more(struct primitive *p)
{
	return p->ours.self && p->ours.keep ? p->ours.keep(p->ours.self) : 0;
}

static void drop(struct primitive *p)
{
	if (!p)
		return;
	if (p->ours.self)
		p->ours.free(p->ours.self);
	p->ours.self = NULL;
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

static bool run(struct backend *b, struct primitive *p, void *const *in, void *const *out, void *scratch)
{
	struct dnnl_backend *d = own(b);
	omp_set_num_threads(d->threads);  /* of the calling thread, which need not be the one that made the plan */
	if (p->ours.self)
		return p->ours.run(d, p->ours.self, in, out, scratch);
	for (int i = 0; i < p->n_in; i++)
		dnnl_memory_set_data_handle(p->in[i], in[i]);
	dnnl_memory_set_data_handle(p->out, out[0]);
	dnnl_memory_set_data_handle(p->scratch, scratch);
	return dnnl_primitive_execute(p->code, d->stream, p->n_args, p->args) == dnnl_success && dnnl_stream_wait(d->stream) == dnnl_success;
}

static void free_backend(struct backend *b)
{
	struct dnnl_backend *d = own(b);
	onednn_forget_choices(d);
	dnnl_stream_destroy(d->stream);
	dnnl_engine_destroy(d->engine);
	free(d);
}

struct backend *backend_new(int threads, nns_error *err)
{
	struct dnnl_backend *d = calloc(1, sizeof *d);
	if (!d)
		return fail_memory(err), NULL;
	d->threads = threads > 0 ? threads : omp_get_max_threads();
	omp_set_num_threads(d->threads);
	d->api = (struct backend){ "oneDNN", plain, blocked, same, bytes, onednn_largest, onednn_gain, make, run, keep_more, drop, free_backend };
	if (dnnl_engine_create(&d->engine, dnnl_cpu, 0) == dnnl_success && dnnl_stream_create(&d->stream, d->engine, dnnl_stream_default_flags) == dnnl_success)
		return &d->api;
	free_backend(&d->api);
	return fail(err, NNS_UNSUPPORTED, "oneDNN does not run on this processor, or has no memory"), NULL;
}

bool backend_has_half(void)
{
	dnnl_cpu_isa_t isa = dnnl_get_effective_cpu_isa();
	return (isa & dnnl_cpu_isa_avx512_core_bf16) == dnnl_cpu_isa_avx512_core_bf16;
}

#else

struct backend *backend_new(int threads, nns_error *err)
{
	(void)threads;
	return fail(err, NNS_UNSUPPORTED, "this nnscope was built without oneDNN"), NULL;
}

bool backend_has_half(void)
{
	return false;
}

#endif
