/* What code of our own does faster than oneDNN, beside it and in its layouts. */
#include "exec/backend.h"

#ifdef HAVE_DNNL

#include <math.h>
#include <omp.h>
#include <stdlib.h>

#include "exec/dnnl_backend.h"
#include "exec/dense.h"
#include "exec/linear.h"
#include "exec/separable.h"
#include "exec/winograd.h"

/* Posts as a sum, of that kind, before a clip. */
static bool add_and_clip(const struct work *w, enum post_kind kind, bool *sum, float *low, float *high)
{
	*sum = w->n_posts > 0 && w->posts[0].kind == kind;
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
	return p->kind == POST_CLIP;
}

bool onednn_sum_and_clip(const struct work *w, bool *sum, float *low, float *high)
{
	return add_and_clip(w, POST_SUM, sum, low, high) && *low <= 0 && *high >= 0;
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

static size_t keep_winograd(void *self)
{
	return winograd_keep(self);
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
	if (!is_3x3(w) || w->out || !onednn_sum_and_clip(w, &s.sum, &s.low, &s.high) || !winograd_pays(&s, omp_get_max_threads()) ||
	    !onednn_block_layout(&c->in, 4, size, dnnl_f32) || !onednn_block_layout(&c->out, 4, w->size, dnnl_f32))
		return false;
	struct winograd *made = winograd_new(&s, w->weights, w->weights_stride, w->scale, w->bias, omp_get_max_threads());
	if (!made)
		return false;
	c->self = made;
	c->run = run_winograd;
	c->keep = keep_winograd;
	c->free = free_winograd;
	c->scratch = winograd_scratch(made);
	c->weights = winograd_weights(made);
	c->later = winograd_later(made);
	c->name = "winograd 4x3:avx512";
	c->spreads = true;       /* over a tile */
	return true;
}

/* ---- Chains ---- */

enum { LINKS = 3 };

/* The works of a chain from the first on, with weights row by row. */
struct links {
	struct work of[LINKS]; int n;
	float *scaled[LINKS];    /* weights that were multiplied, to be freed */
};

static bool gather_links(struct links *l, const struct work *last)
{
	*l = (struct links){ .n = 0 };
	for (const struct work *w = last; w; w = w->before)
		l->n++;
	for (int i = l->n; i > 0 && l->n <= LINKS; last = last->before)
		l->of[--i] = *last;
	return l->n <= LINKS;
}

static bool lies_row_by_row(const struct work *w)
{
	int64_t step = 1;
	for (int i = w->weights_ndim; i-- > 0; step *= w->weights_size[i])
		if (w->weights_size[i] > 1 && w->weights_stride[i] != step)
			return false;
	return true;
}

static bool bring_weights(struct links *l)
{
	for (int i = 0; i < l->n; i++) {
		if (l->of[i].scale && !(l->scaled[i] = onednn_scale(&l->of[i])))
			return false;
		if (!lies_row_by_row(&l->of[i]))
			return false;
	}
	return true;
}

static void release_links(struct links *l)
{
	for (int i = 0; i < LINKS; i++)
		free(l->scaled[i]);
}

static bool run_separable(struct dnnl_backend *b, void *self, void *const *in, void *const *out, void *scratch)
{
	(void)b;
	separable_run(self, in[0], separable_adds(self) ? in[1] : NULL, out[0], scratch);
	return true;
}

static void free_separable(void *self)
{
	separable_free(self);
}

/* A channel of the input for each of the result. */
static bool is_depthwise(const struct work *w)
{
	return w->kind == WORK_CONVOLUTION && w->groups > 1 && w->groups == w->size[1] && w->weights_size[1] == 1;
}

/* A square kernel that goes the same way in both directions. */
static bool is_even(const struct work *w)
{
	return w->kernel[0] == w->kernel[1] && w->stride[0] == w->stride[1] && w->padding[0] == w->padding[1] && w->dilation[0] == 1 && w->dilation[1] == 1;
}

static bool set_stages(struct separable_shape *s, const struct links *l, int depth)
{
	for (int i = 0; i < l->n; i++) {
		const struct work *w = &l->of[i];
		struct separable_stage *stage = &s->stages[DEPTH - depth + i];
		if (!onednn_sum_and_clip(w, &s->sum, &stage->low, &stage->high) || (s->sum && i + 1 < l->n))
			return false;
		stage->there = true;
		stage->weights = w->weights;
		stage->bias = w->bias;
	}
	return true;
}

/* It pays when what is between the convolutions would not stay in the cache by itself. */
static bool make_separable(struct making *m, struct links *l)
{
	enum { CACHE = 1 << 17 };                /* floats of an image */
	int depth = is_depthwise(&l->of[0]) ? 0 : 1;
	const struct work *w = &l->of[depth], *last = &l->of[l->n - 1];
	const int64_t *size = l->of[0].in[0]->md.dims, *before = depth ? l->of[0].size : size;
	struct own_code *c = &m->p->ours;
	if (depth >= l->n || !is_depthwise(w) || !is_even(w) || w->size[1] * before[2] * before[3] < CACHE || !bring_weights(l))
		return false;
	struct separable_shape s = { .images = size[0], .in = size[1], .middle = w->size[1], .out = last->size[1], .height = before[2], .width = before[3],
		.kernel = w->kernel[0], .stride = w->stride[0], .pad = w->padding[0] };
	if (!set_stages(&s, l, depth) || !separable_fits(&s))
		return false;
	c->self = separable_new(&s, omp_get_max_threads());
	if (!c->self)
		return false;
	c->run = run_separable;
	c->free = free_separable;
	c->scratch = separable_scratch(c->self);
	c->weights = separable_weights(c->self);
	c->name = "separable:avx512";
	return true;
}

static bool run_dense(struct dnnl_backend *b, void *self, void *const *in, void *const *out, void *scratch)
{
	(void)b;
	dense_run(self, in, out[0], scratch);
	return true;
}

static void free_dense(void *self)
{
	dense_free(self);
}

static bool make_dense(struct making *m, struct links *l)
{
	const struct work *first = &l->of[0], *last = &l->of[l->n - 1], *norm = l->of[l->n - 2].kind == WORK_BATCH_NORM ? &l->of[l->n - 2] : NULL;
	struct own_code *c = &m->p->ours;
	int64_t *in = arena_array(m->arena, (size_t)first->n_in, sizeof *in);
	bool sum;
	struct dense_shape s = { .images = last->size[0], .pixels = last->size[2] * last->size[3], .out = last->size[1], .in = in, .n_in = first->n_in,
		.bias = last->bias, .scale = norm ? norm->weights : NULL, .shift = norm ? norm->bias : NULL,
		.in_low = norm && norm->n_posts ? 0 : -INFINITY, .in_high = INFINITY };
	for (int i = 0; in && i < first->n_in; i++)
		in[i] = first->in[i]->md.dims[1];
	if (!in || !onednn_sum_and_clip(last, &sum, &s.low, &s.high) || sum || !dense_fits(&s) || !bring_weights(l))
		return false;
	s.weights = last->weights;
	c->self = dense_new(&s, omp_get_max_threads());
	if (!c->self)
		return false;
	c->run = run_dense;
	c->free = free_dense;
	c->scratch = dense_scratch(c->self);
	c->weights = dense_weights(c->self);
	c->name = "dense layer:avx512";
	return true;
}

static bool make_chain(struct making *m)
{
	struct links l;
	struct own_code *c = &m->p->ours;
	if (m->w->half || !gather_links(&l, m->w))
		return false;
	c->in = l.of[0].in[0]->md;
	bool dense = l.of[0].kind == WORK_CONCAT || l.of[0].kind == WORK_BATCH_NORM;
	bool ok = onednn_block_layout(&c->out, m->w->ndim, m->w->size, dnnl_f32) && (dense ? make_dense(m, &l) : make_separable(m, &l));
	release_links(&l);
	return ok;
}

/* ---- Products ---- */

static bool run_linear(struct dnnl_backend *b, void *self, void *const *in, void *const *out, void *scratch)
{
	(void)b;
	linear_run(self, in[0], linear_adds(self) ? in[1] : NULL, out[0], scratch);
	return true;
}

static void free_linear(void *self)
{
	linear_free(self);
}

static bool set_layer(const struct work *w, struct linear_layer *l, bool *adds)
{
	*l = (struct linear_layer){ .in = w->weights_size[0], .out = w->weights_size[1], .weights = w->weights,
	                           .step = { w->weights_stride[0], w->weights_stride[1] }, .bias = w->bias };
	return w->weights_ndim == 2 && w->weights && (!w->bias || w->bias_length == l->out) && add_and_clip(w, POST_ADD, adds, &l->low, &l->high);
}

bool onednn_make_linear(struct making *m)
{
	const struct work *w = m->w;
	struct own_code *c = &m->p->ours;
	struct linear_shape s = { .n = w->second ? 2 : 1, .planes = w->planes > 1 ? w->planes : 1 };
	bool first_adds = false;
	if (w->half || w->ndim != 2 || !set_layer(w, &s.layers[0], w->second ? &first_adds : &s.adds) || first_adds ||
	    (w->second && !set_layer(w->second, &s.layers[1], &s.adds)))
		return false;
	const struct work *end = w->second ? w->second : w;
	const dnnl_memory_desc_t *in = &w->in[0]->md;
	s.turn = end->turn;
	s.norm_weights = end->norms ? end->norm_weights : NULL;
	s.norm_bias = end->norm_bias;
	s.epsilon = end->epsilon;
	const int64_t *step = in->format_desc.blocking.strides;
	int last = in->ndims - 1;
	s.rows = w->size[0];
	s.run = last > 1 ? in->dims[1] : s.rows;
	s.row_step[0] = step[0];
	s.row_step[1] = step[last - 1];
	if (last > 2 || step[last] != 1 || !linear_pays(&s, omp_get_max_threads()) || !(c->self = linear_new(&s, omp_get_max_threads())))
		return false;
	c->run = run_linear;
	c->free = free_linear;
	c->in = *in;
	c->out = w->out->md;
	c->scratch = linear_scratch(c->self);
	c->weights = linear_weights(c->self);
	c->keeps = true;
	c->name = "product:avx512";
	return true;
}

bool onednn_make_own(struct making *m)
{
	return m->w->before ? make_chain(m) : make_winograd(m);
}

#endif
