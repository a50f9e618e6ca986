#include "exec/recurrent.h"

#include "exec/product.h"

#if defined HAVE_DNNL && defined __x86_64__ && defined __GNUC__

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "exec/floats.h"

/* Samples that one thread takes through the steps. */
struct slice {
	int64_t first, rows;
	int64_t wide;            /* rows that gates have room for: not a multiple of what the cache takes for the same place */
	float *x;                /* inputs of some steps: groups of rows, each [vectors][rows][16] */
	float *gates;            /* [4 vectors][wide][16]; row i * rows + r is sample r in the chunk's step i */
	float *h, *c;            /* [vectors][rows][16] */
};

struct recurrent {
	struct lstm_shape shape;     /* without arrays */
	int64_t in, n;               /* vectors */
	int64_t chunk;               /* steps whose inputs are multiplied at once */
	float *w_ih, *w_hh, *bias;   /* the features of a gate fill vectors */
	struct slice *slices; int n_slices;
	size_t bytes;
};

/* ---- Running ---- */

/* Rows [batch, n] of the slice's samples to vectors, and back. */
static void to_vectors(const struct slice *s, int64_t n, const float *rows, float *to)
{
	for (int64_t r = 0; r < s->rows; r++)
		product_gather(to + r * LANES, s->rows * LANES, rows + (s->first + r) * n, n);
}

static void to_rows(const struct slice *s, int64_t n, const float *from, float *rows)
{
	for (int64_t k = 0; k < n; k += LANES, from += s->rows * LANES)
		for (int64_t r = 0; r < s->rows; r++)
			memcpy(rows + (s->first + r) * n + k, from + r * LANES, (size_t)(n - k < LANES ? n - k : LANES) * sizeof *rows);
}

/* The gates of steps [from, from + count) as the inputs alone make them. */
static void multiply_inputs(const struct recurrent *l, const struct slice *s, int64_t from, int64_t count, const float *x)
{
	int64_t n = count * s->rows, groups = (n + PRODUCT_ROWS - 1) / PRODUCT_ROWS, each = (n + groups - 1) / groups * LANES, vectors = 4 * l->n;
	for (int64_t i = 0; i < n; i++) {
		int64_t group = i * LANES / each;
		product_gather(s->x + group * l->in * each + i * LANES % each, each,
		               x + ((from + i / s->rows) * l->shape.batch + s->first + i % s->rows) * l->shape.in, l->shape.in);
	}
	for (int64_t c = 0; c < vectors; c += 2) {
		const struct ending e = { .bias = l->bias + c * LANES, .low = -INFINITY, .high = INFINITY };
		const float *u = l->w_ih + c * l->in * LANES * LANES;
		for (int64_t g = 0; g < groups; g++) {
			int64_t start = g * each, rest = n * LANES - start;
			const struct factors f = { .v = s->x + g * l->in * each, .v_step = each, .blocks = l->in, .u = u, .ahead = u + l->in * 2 * LANES * LANES,
				.m = s->gates + c * s->wide * LANES + start, .m_step = s->wide * LANES, .end = &e };
			product_rows(&f, (int)((rest < each ? rest : each) / LANES), true);
		}
	}
}

/* Plus what the states before make. */
static void multiply_states(const struct recurrent *l, const struct slice *s, float *gates)
{
	int64_t step = s->wide * LANES, groups = (s->rows + PRODUCT_ROWS - 1) / PRODUCT_ROWS, each = (s->rows + groups - 1) / groups;
	for (int64_t c = 0; c < 4 * l->n; c += 2) {
		const float *u = l->w_hh + c * l->n * LANES * LANES;
		for (int64_t r = 0; r < s->rows; r += each) {
			float *m = gates + c * step + r * LANES;
			const struct ending e = { .add = m, .low = -INFINITY, .high = INFINITY };
			const struct factors f = { .v = s->h + r * LANES, .v_step = s->rows * LANES, .blocks = l->n, .u = u, .ahead = u, .m = m, .m_step = step, .end = &e };
			product_rows(&f, (int)(s->rows - r < each ? s->rows - r : each), true);
		}
	}
}

static void run_slice(const struct recurrent *l, const struct slice *s, const float *x, float *all)
{
	const struct lstm_shape *shape = &l->shape;
	int64_t steps = shape->steps, part = s->rows * LANES;
	for (int64_t done = 0; done < steps; done += l->chunk) {
		int64_t count = steps - done < l->chunk ? steps - done : l->chunk, from = shape->reverse ? steps - done - count : done;
		multiply_inputs(l, s, from, count, x);
		for (int64_t i = 0; i < count; i++) {
			int64_t at = shape->reverse ? count - 1 - i : i;
			float *gates = s->gates + at * part;
			multiply_states(l, s, gates);
			for (int64_t j = 0; j < l->n; j++)
				floats_lstm_cell(gates + j * s->wide * LANES, l->n * s->wide * LANES, part, s->c + j * part, s->h + j * part);
			to_rows(s, shape->n, s->h, all + (from + at) * shape->batch * shape->n);
		}
	}
}

void recurrent_run(struct recurrent *l, const float *x, const float *h, const float *c, float *all, float *last_h, float *last_c)
{
#pragma omp parallel for num_threads(l->n_slices) schedule(static, 1)
	for (int i = 0; i < l->n_slices; i++) {
		const struct slice *s = &l->slices[i];
		to_vectors(s, l->shape.n, h, s->h);
		to_vectors(s, l->shape.n, c, s->c);
		run_slice(l, s, x, all);
		to_rows(s, l->shape.n, s->h, last_h);
		to_rows(s, l->shape.n, s->c, last_c);
	}
}

/* ---- Making ---- */

bool recurrent_pays(const struct lstm_shape *s)
{
	return product_available() && s->n >= LANES;
}

static float *take(struct recurrent *l, size_t floats)
{
	l->bytes += floats * sizeof(float);
	return product_take(floats);
}

/* Weights [4 n, in]: the features of every gate are padded to whole vectors, of which a pair may belong to two gates. */
static float *pack(struct recurrent *l, const float *weights, int64_t in)
{
	int64_t n = l->shape.n, padded = l->n * LANES;
	float *even = calloc((size_t)(4 * padded * in) + 1, sizeof *even), *to = even ? take(l, product_weights(4 * padded, in)) : NULL;
	for (int64_t g = 0; to && g < 4; g++)
		memcpy(even + g * padded * in, weights + g * n * in, (size_t)(n * in) * sizeof *even);
	if (to)
		product_pack(to, even, (int64_t[]){ 1, in }, 4 * padded, in);
	free(even);
	return to;
}

static bool make_slice(struct recurrent *l, struct slice *s, int64_t first, int64_t after)
{
	*s = (struct slice){ .first = first, .rows = after - first };
	int64_t rows = l->chunk * s->rows;
	s->wide = rows | 1;
	s->x = take(l, (size_t)((rows + PRODUCT_ROWS) * l->in * LANES));
	s->gates = take(l, (size_t)(4 * l->n * s->wide * LANES));
	s->h = take(l, (size_t)(l->n * s->rows * LANES));
	s->c = take(l, (size_t)(l->n * s->rows * LANES));
	return s->x && s->gates && s->h && s->c;
}

/* So many steps that the weights of the inputs are worth loading, and the gates stay in the cache. */
static int64_t chunk_of(const struct lstm_shape *s, int threads)
{
	enum { ROWS = 14 * PRODUCT_ROWS };
	int64_t samples = (s->batch + threads - 1) / threads, chunk = (ROWS + samples - 1) / samples;
	return chunk < s->steps ? chunk : s->steps;
}

static bool make(struct recurrent *l, const struct lstm_shape *s, int threads)
{
	l->shape = *s;
	l->in = product_vectors(s->in);
	l->n = product_vectors(s->n);
	l->n_slices = s->batch < threads ? (int)s->batch : threads;
	l->chunk = chunk_of(s, threads);
	l->slices = calloc((size_t)l->n_slices, sizeof *l->slices);
	l->w_ih = pack(l, s->w_ih, s->in);
	l->w_hh = pack(l, s->w_hh, s->n);
	l->bias = take(l, (size_t)(4 * l->n * LANES));
	l->shape.w_ih = l->shape.w_hh = l->shape.bias = NULL;
	for (int64_t g = 0; l->bias && g < 4; g++)
		product_pad(l->bias + g * l->n * LANES, s->bias + g * s->n, s->n);
	bool ok = l->slices && l->w_ih && l->w_hh && l->bias;
	for (int i = 0; i < l->n_slices && ok; i++)
		ok = make_slice(l, &l->slices[i], s->batch * i / l->n_slices, s->batch * (i + 1) / l->n_slices);
	return ok;
}

struct recurrent *recurrent_new(const struct lstm_shape *s, int threads)
{
	struct recurrent *l = calloc(1, sizeof *l);
	if (l && make(l, s, threads < 1 ? 1 : threads))
		return l;
	recurrent_free(l);
	return NULL;
}

void recurrent_free(struct recurrent *l)
{
	if (!l)
		return;
	for (int i = 0; l->slices && i < l->n_slices; i++) {
		free(l->slices[i].x);
		free(l->slices[i].gates);
		free(l->slices[i].h);
		free(l->slices[i].c);
	}
	free(l->slices);
	free(l->w_ih);
	free(l->w_hh);
	free(l->bias);
	free(l);
}

size_t recurrent_bytes(const struct recurrent *l)
{
	return l->bytes;
}

#else

bool recurrent_pays(const struct lstm_shape *s)
{
	(void)s;
	return false;
}

struct recurrent *recurrent_new(const struct lstm_shape *s, int threads)
{
	(void)s, (void)threads;
	return NULL;
}

void recurrent_free(struct recurrent *l)
{
	(void)l;
}

size_t recurrent_bytes(const struct recurrent *l)
{
	(void)l;
	return 0;
}

void recurrent_run(struct recurrent *l, const float *x, const float *h, const float *c, float *all, float *last_h, float *last_c)
{
	(void)l, (void)x, (void)h, (void)c, (void)all, (void)last_h, (void)last_c;
}

#endif
