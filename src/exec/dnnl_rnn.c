/*
 * A layer of an LSTM in one direction.  Every thread takes samples of its own
 * through all steps, so that threads meet once a layer: it multiplies the
 * inputs of several steps at once, then goes through those steps.  Products
 * are oneDNN's, over weights packed once; cells are floats.h's.
 */
#include "exec/backend.h"

#ifdef HAVE_DNNL

#include <omp.h>
#include <stdlib.h>
#include <string.h>

#include "exec/dnnl_backend.h"
#include "exec/floats.h"

/* A product of [rows, p] and weights, as a primitive with its own arguments. */
struct product {
	dnnl_primitive_t code;
	dnnl_exec_arg_t args[5]; int n_args;     /* source, result, scratch first */
	void *scratch;
};

struct weights {
	dnnl_memory_desc_t md;
	dnnl_memory_t memory;
	void *data;
};

/* Samples that one thread takes through the steps. */
struct slice {
	int64_t first, rows;
	struct product inputs, last_inputs;      /* of chunk steps, and of those that remain */
	struct product states;
	void *x;                 /* [chunk, rows, in], the inputs of these samples alone */
	uint16_t *h;             /* [rows, n] in bfloat16, or NULL */
	float *gates;            /* [chunk, rows, 4 n] */
	bool failed;
};

struct lstm {
	struct lstm_shape shape;
	int64_t chunk;           /* steps whose inputs are multiplied at once */
	struct weights w_ih, w_hh;
	dnnl_memory_t bias; float *bias_data;
	struct slice *slices; int n_slices;
	bool half;
};

/* ---- Making ---- */

static bool make_weights(struct making *m, const float *data, int64_t wide, int64_t p, struct weights *w)
{
	dnnl_memory_desc_t from;
	w->data = onednn_aligned(dnnl_memory_desc_get_size(&w->md));
	return w->data && dnnl_memory_desc_init_by_strides(&from, 2, (dnnl_dims_t){ p, wide }, dnnl_f32, (dnnl_dims_t){ 1, p }) == dnnl_success &&
		onednn_reorder_now(m->b, &from, data, &w->md, w->data) &&
		dnnl_memory_create(&w->memory, &w->md, m->b->engine, w->data) == dnnl_success;
}

static bool add_arg(struct making *m, struct product *p, int which, const dnnl_memory_desc_t *md, void *data)
{
	dnnl_exec_arg_t *a = &p->args[p->n_args];
	a->arg = which;
	return dnnl_memory_create(&a->memory, md, m->b->engine, data) == dnnl_success && ++p->n_args;
}

static bool finish_product(struct making *m, struct product *p, const dnnl_memory_desc_t *src, const dnnl_memory_desc_t *dst)
{
	const dnnl_memory_desc_t *scratch = onednn_md_of(m, dnnl_query_scratchpad_md);
	size_t bytes = dnnl_memory_desc_get_size(scratch);
	p->scratch = onednn_aligned(bytes);
	m->p->ours.weights += bytes;
	return p->scratch && dnnl_primitive_create(&p->code, m->pd) == dnnl_success && add_arg(m, p, DNNL_ARG_SRC, src, DNNL_MEMORY_NONE) &&
		add_arg(m, p, DNNL_ARG_DST, dst, DNNL_MEMORY_NONE) && add_arg(m, p, DNNL_ARG_SCRATCHPAD, scratch, p->scratch);
}

/* Rows of p times weights [p, wide], plus a bias or, without one, plus what the result holds.  The first product of a weight packs it. */
static bool make_product(struct making *m, struct lstm *l, int64_t rows, int64_t p, const float *data, struct weights *w, bool biased, struct product *out)
{
	dnnl_memory_desc_t src, dst, bias, any;
	dnnl_matmul_desc_t d;
	dnnl_post_ops_t ops = NULL;
	int64_t wide = 4 * l->shape.n;
	dnnl_data_type_t type = onednn_type_of(m);
	bool ok = dnnl_memory_desc_init_by_tag(&src, 2, (dnnl_dims_t){ rows, p }, type, dnnl_ab) == dnnl_success &&
		dnnl_memory_desc_init_by_tag(&dst, 2, (dnnl_dims_t){ rows, wide }, dnnl_f32, dnnl_ab) == dnnl_success &&
		dnnl_memory_desc_init_by_tag(&bias, 2, (dnnl_dims_t){ 1, wide }, dnnl_f32, dnnl_ab) == dnnl_success &&
		onednn_any_layout(&any, 2, (dnnl_dims_t){ p, wide }, type) && onednn_make_attr(m, 0) && dnnl_post_ops_create(&ops) == dnnl_success &&
		(biased || (dnnl_post_ops_append_sum(ops, 1) == dnnl_success && dnnl_primitive_attr_set_post_ops(m->attr, ops) == dnnl_success)) &&
		dnnl_matmul_desc_init(&d, &src, w->data ? &w->md : &any, biased ? &bias : NULL, &dst) == dnnl_success && onednn_make_pd(m, &d);
	if (ok && !w->data) {
		w->md = *onednn_md_of(m, dnnl_query_weights_md);
		ok = make_weights(m, data, wide, p, w);
		m->p->ours.weights += dnnl_memory_desc_get_size(&w->md);
	}
	ok = ok && finish_product(m, out, &src, &dst);
	if (ok && biased && !l->bias)
		ok = dnnl_memory_create(&l->bias, &bias, m->b->engine, l->bias_data) == dnnl_success;
	out->args[out->n_args] = (dnnl_exec_arg_t){ DNNL_ARG_WEIGHTS, w->memory };
	out->args[out->n_args + 1] = (dnnl_exec_arg_t){ DNNL_ARG_BIAS, l->bias };
	out->n_args += biased ? 2 : 1;
	m->p->ours.name = ok ? arena_strdup(m->arena, onednn_name_of(m->pd)) : NULL;
	dnnl_post_ops_destroy(ops);
	dnnl_primitive_desc_destroy(m->pd);
	dnnl_primitive_attr_destroy(m->attr);
	m->pd = NULL;
	m->attr = NULL;
	return ok && m->p->ours.name;
}

static bool make_slice(struct making *m, struct lstm *l, struct slice *s)
{
	const struct lstm_shape *shape = &l->shape;
	int64_t rows = l->chunk * s->rows, rest = shape->steps % l->chunk;
	size_t x = (size_t)(rows * shape->in) * sizeof(float), gates = (size_t)(rows * 4 * shape->n) * sizeof(float), h = l->half ? (size_t)(s->rows * shape->n) * sizeof *s->h : 0;
	s->x = onednn_aligned(x);
	s->gates = onednn_aligned(gates);
	s->h = l->half ? onednn_aligned(h) : NULL;
	m->p->ours.weights += x + gates + h;
	return s->x && s->gates && (s->h || !l->half) && make_product(m, l, rows, shape->in, shape->w_ih, &l->w_ih, true, &s->inputs) &&
		(rest == 0 || make_product(m, l, rest * s->rows, shape->in, shape->w_ih, &l->w_ih, true, &s->last_inputs)) &&
		make_product(m, l, s->rows, shape->n, shape->w_hh, &l->w_hh, false, &s->states);
}

/* Their products run inside of a thread, each on its own. */
static bool make_slices(struct making *m, struct lstm *l)
{
	int threads = omp_get_max_threads();
	int64_t batch = l->shape.batch;
	l->n_slices = batch < threads ? (int)batch : threads;
	l->slices = calloc((size_t)l->n_slices, sizeof *l->slices);
	if (!l->slices)
		return false;
	bool ok = true;
	omp_set_num_threads(1);
	for (int i = 0; i < l->n_slices && ok; i++) {
		struct slice *s = &l->slices[i];
		s->first = batch * i / l->n_slices;
		s->rows = batch * (i + 1) / l->n_slices - s->first;
		ok = make_slice(m, l, s);
	}
	omp_set_num_threads(threads);
	return ok;
}

static void drop_product(struct product *p)
{
	for (int i = 0; i < p->n_args && i < 3; i++)
		dnnl_memory_destroy(p->args[i].memory);
	dnnl_primitive_destroy(p->code);
	free(p->scratch);
}

static void drop_lstm(void *state)
{
	struct lstm *l = state;
	for (int i = 0; l->slices && i < l->n_slices; i++) {
		struct slice *s = &l->slices[i];
		drop_product(&s->inputs);
		drop_product(&s->last_inputs);
		drop_product(&s->states);
		free(s->x);
		free(s->h);
		free(s->gates);
	}
	dnnl_memory_destroy(l->w_ih.memory);
	dnnl_memory_destroy(l->w_hh.memory);
	dnnl_memory_destroy(l->bias);
	free(l->w_ih.data);
	free(l->w_hh.data);
	free(l->bias_data);
	free(l->slices);
	free(l);
}

/* ---- Running ---- */

static bool run_product(struct dnnl_backend *b, struct product *p, const void *from, float *to)
{
	dnnl_memory_set_data_handle(p->args[0].memory, (void *)(uintptr_t)from);
	dnnl_memory_set_data_handle(p->args[1].memory, to);
	return dnnl_primitive_execute(p->code, b->stream, p->n_args, p->args) == dnnl_success;
}

/* The slice's inputs of steps [from, from + count), one after the other. */
static void gather(const struct lstm *l, struct slice *s, int64_t from, int64_t count, const float *x)
{
	int64_t each = s->rows * l->shape.in;
	for (int64_t i = 0; i < count; i++) {
		const float *at = x + ((from + i) * l->shape.batch + s->first) * l->shape.in;
		if (l->half)
			floats_to_half((uint16_t *)s->x + i * each, at, each);
		else
			memcpy((float *)s->x + i * each, at, (size_t)each * sizeof *at);
	}
}

/* Step t, whose gates hold what the inputs give. */
static bool step(struct dnnl_backend *b, const struct lstm *l, struct slice *s, int64_t t, const float *h0, float *gate, float *out, float *c)
{
	int64_t n = l->shape.n, batch = l->shape.batch, before = l->shape.reverse ? t + 1 : t - 1;
	float *now = out + (t * batch + s->first) * n;
	const float *h = before < 0 || before == l->shape.steps ? h0 + s->first * n : out + (before * batch + s->first) * n;
	if (s->h)
		floats_to_half(s->h, h, s->rows * n);
	if (!run_product(b, &s->states, s->h ? (const void *)s->h : h, gate))
		return false;
	for (int64_t r = 0; r < s->rows; r++)
		floats_lstm_cell(gate + r * 4 * n, n, c + (s->first + r) * n, now + r * n);
	return true;
}

static bool run_slice(struct dnnl_backend *b, const struct lstm *l, struct slice *s, void *const *in, float *out, float *c)
{
	int64_t steps = l->shape.steps, each = s->rows * 4 * l->shape.n;
	for (int64_t done = 0; done < steps; done += l->chunk) {
		int64_t count = steps - done < l->chunk ? steps - done : l->chunk, from = l->shape.reverse ? steps - done - count : done;
		gather(l, s, from, count, in[0]);
		if (!run_product(b, count == l->chunk ? &s->inputs : &s->last_inputs, s->x, s->gates))
			return false;
		for (int64_t i = 0; i < count; i++) {
			int64_t at = l->shape.reverse ? count - 1 - i : i;
			if (!step(b, l, s, from + at, in[1], s->gates + at * each, out, c))
				return false;
		}
	}
	return true;
}

static bool run_lstm(struct dnnl_backend *b, void *state, void *const *in, void *const *out, void *scratch)
{
	struct lstm *l = state;
	int64_t each = l->shape.batch * l->shape.n;
	float *h = out[0];
	bool ok = true;
	(void)scratch;
	memcpy(out[2], in[2], (size_t)each * sizeof *h);
#pragma omp parallel for num_threads(l->n_slices) schedule(static, 1)
	for (int i = 0; i < l->n_slices; i++)
		l->slices[i].failed = !run_slice(b, l, &l->slices[i], in, h, out[2]);
	for (int i = 0; i < l->n_slices; i++)
		ok = ok && !l->slices[i].failed;
	memcpy(out[1], h + (l->shape.reverse ? 0 : l->shape.steps - 1) * each, (size_t)each * sizeof *h);
	return ok;
}

/* So many steps that the weights of the inputs are worth loading, and the gates stay in the cache. */
static int64_t chunk_of(const struct lstm_shape *s, int threads)
{
	enum { ROWS = 192 };
	int64_t samples = (s->batch + threads - 1) / threads, chunk = (ROWS + samples - 1) / samples;
	return chunk < s->steps ? chunk : s->steps;
}

bool onednn_make_lstm(struct making *m)
{
	const struct lstm_shape *s = &m->w->lstm;
	size_t wide = (size_t)(4 * s->n) * sizeof(float);
	struct lstm *l = calloc(1, sizeof *l);
	if (!l)
		return false;
	m->p->ours = (struct own_code){ .self = l, .run = run_lstm, .free = drop_lstm, .in = m->w->in[0]->md, .out = m->w->out->md };
	l->shape = *s;
	l->half = m->w->half;
	l->chunk = chunk_of(s, omp_get_max_threads());
	l->bias_data = onednn_aligned(wide);
	if (!l->bias_data)
		return false;
	memcpy(l->bias_data, s->bias, wide);
	return make_slices(m, l);
}

#endif
