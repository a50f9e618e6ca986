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

#include "exec/dnnl_product.h"
#include "exec/floats.h"
#include "exec/recurrent.h"

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
	struct slice *slices; int n_slices;
	bool half;
};

/* ---- Making ---- */

/* Rows of p times weights [4 n, p]: plus the biases for inputs, plus those sums for states. */
static bool make_product(struct making *m, const struct lstm *l, int64_t rows, int64_t p, const float *data, const float *bias, struct weights *w,
                         struct product *out)
{
	struct product_shape s = { .rows = rows, .p = p, .n = 4 * l->shape.n, .weights = data, .step = { 1, p }, .bias = bias, .sum = !bias,
	                           .in = onednn_type_of(m), .out = dnnl_f32 };
	return onednn_product_make(m, &s, w, out);
}

static bool make_slice(struct making *m, struct lstm *l, struct slice *s)
{
	const struct lstm_shape *shape = &l->shape;
	int64_t rows = l->chunk * s->rows, rest = shape->steps % l->chunk;
	size_t x = (size_t)(rows * shape->in) * sizeof(float), gates = (size_t)(rows * 4 * shape->n) * sizeof(float),
		h = l->half ? (size_t)(s->rows * shape->n) * sizeof *s->h : 0;
	s->x = onednn_aligned(x);
	s->gates = onednn_aligned(gates);
	s->h = l->half ? onednn_aligned(h) : NULL;
	m->p->ours.weights += x + gates + h;
	return s->x && s->gates && (s->h || !l->half) && make_product(m, l, rows, shape->in, shape->w_ih, shape->bias, &l->w_ih, &s->inputs) &&
		(rest == 0 || make_product(m, l, rest * s->rows, shape->in, shape->w_ih, shape->bias, &l->w_ih, &s->last_inputs)) &&
		make_product(m, l, s->rows, shape->n, shape->w_hh, NULL, &l->w_hh, &s->states);
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

static void drop_lstm(void *state)
{
	struct lstm *l = state;
	for (int i = 0; l->slices && i < l->n_slices; i++) {
		struct slice *s = &l->slices[i];
		onednn_product_drop(&s->inputs);
		onednn_product_drop(&s->last_inputs);
		onednn_product_drop(&s->states);
		free(s->x);
		free(s->h);
		free(s->gates);
	}
	onednn_weights_drop(&l->w_ih);
	onednn_weights_drop(&l->w_hh);
	free(l->slices);
	free(l);
}

/* ---- Running ---- */

/* The slice's inputs of steps [from, from + count), one after the other. */
static const void *gather(const struct lstm *l, struct slice *s, int64_t from, int64_t count, const float *x)
{
	int64_t each = s->rows * l->shape.in;
	if (s->rows == l->shape.batch && !l->half)
		return x + from * each;
	for (int64_t i = 0; i < count; i++) {
		const float *at = x + ((from + i) * l->shape.batch + s->first) * l->shape.in;
		if (l->half)
			floats_to_half((uint16_t *)s->x + i * each, at, each);
		else
			memcpy((float *)s->x + i * each, at, (size_t)each * sizeof *at);
	}
	return s->x;
}

/* Step t, whose gates hold what the inputs give. */
static bool step(struct dnnl_backend *b, const struct lstm *l, struct slice *s, int64_t t, const float *h0, float *gate, float *out, float *c)
{
	int64_t n = l->shape.n, batch = l->shape.batch, before = l->shape.reverse ? t + 1 : t - 1;
	float *now = out + (t * batch + s->first) * n;
	const float *h = before < 0 || before == l->shape.steps ? h0 + s->first * n : out + (before * batch + s->first) * n;
	if (s->h)
		floats_to_half(s->h, h, s->rows * n);
	if (!onednn_product_run(b, &s->states, s->h ? (const void *)s->h : h, gate, NULL))
		return false;
	for (int64_t r = 0; r < s->rows; r++)
		floats_lstm_cell(gate + r * 4 * n, n, n, c + (s->first + r) * n, now + r * n);
	return true;
}

static bool run_slice(struct dnnl_backend *b, const struct lstm *l, struct slice *s, void *const *in, float *out, float *c)
{
	int64_t steps = l->shape.steps, each = s->rows * 4 * l->shape.n;
	for (int64_t done = 0; done < steps; done += l->chunk) {
		int64_t count = steps - done < l->chunk ? steps - done : l->chunk, from = l->shape.reverse ? steps - done - count : done;
		const void *x = gather(l, s, from, count, in[0]);
		if (!onednn_product_run(b, count == l->chunk ? &s->inputs : &s->last_inputs, x, s->gates, NULL))
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

static bool run_recurrent(struct dnnl_backend *b, void *self, void *const *in, void *const *out, void *scratch)
{
	(void)b, (void)scratch;
	recurrent_run(self, in[0], in[1], in[2], out[0], out[1], out[2]);
	return true;
}

static void free_recurrent(void *self)
{
	recurrent_free(self);
}

static bool make_recurrent(struct making *m)
{
	struct recurrent *l = recurrent_new(&m->w->lstm, omp_get_max_threads());
	if (!l)
		return false;
	m->p->ours = (struct own_code){ .self = l, .run = run_recurrent, .free = free_recurrent, .in = m->w->in[0]->md, .out = m->w->out->md,
	                                .weights = recurrent_bytes(l), .name = "lstm:avx512" };
	return true;
}

bool onednn_make_lstm(struct making *m)
{
	const struct lstm_shape *s = &m->w->lstm;
	if (!m->w->half && recurrent_pays(s))
		return make_recurrent(m);
	struct lstm *l = calloc(1, sizeof *l);
	if (!l)
		return false;
	m->p->ours = (struct own_code){ .self = l, .run = run_lstm, .free = drop_lstm, .in = m->w->in[0]->md, .out = m->w->out->md };
	l->shape = *s;
	l->half = m->w->half;
	l->chunk = chunk_of(s, omp_get_max_threads());
	return make_slices(m, l);
}

#endif
