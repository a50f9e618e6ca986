#include "exec/linear.h"

#include "exec/product.h"

#if defined HAVE_DNNL && defined __x86_64__ && defined __GNUC__

#include <immintrin.h>
#include <math.h>
#include <omp.h>
#include <stdlib.h>

#include "exec/avx512.h"

enum {
	HIDDEN = 32,             /* vectors of hidden features at a time; even */
	MOST_ROWS = 5 * PRODUCT_ROWS     /* at a time: few, so that a thread that was held up does fewer */
};

struct packed {
	int64_t in, out;         /* vectors */
	float *weights, *bias;
};

struct linear {
	struct linear_shape shape;   /* without arrays */
	struct packed layers[LINEAR_LAYERS];
	int64_t block, blocks;   /* rows of a thread at a time, at most; how often */
	size_t scratch;          /* floats of a thread */
	float *norm_weights, *norm_bias;     /* a vector more than whole ones; NULL: none */
	int threads;
	size_t bytes;
};

/* Rows at a time, in groups of as many as a product takes, or one fewer; each group is [vectors][each][16]. */
struct rows {
	int64_t first, n, groups, each;
	int64_t to[MOST_ROWS];       /* where they go in the result */
};

static void find_rows(const struct linear *l, int64_t first, int64_t n, struct rows *r)
{
	int64_t turn = l->shape.turn, groups = (n + PRODUCT_ROWS - 1) / PRODUCT_ROWS;
	r->first = first;
	r->n = n;
	r->groups = groups;
	r->each = (n + groups - 1) / groups;
	for (int64_t i = 0; i < n; i++)
		r->to[i] = turn ? (first + i) % turn * (l->shape.rows / turn) + (first + i) / turn : first + i;
}

static int64_t group_start(const struct rows *r, int64_t group)
{
	return r->n * group / r->groups;
}

/* ---- Running ---- */

static int64_t row_offset(const struct linear_shape *s, int64_t row)
{
	return row / s->run * s->row_step[0] + row % s->run * s->row_step[1];
}

static void gather(const struct linear *l, const struct rows *r, const float *x, float *to)
{
	int64_t each = r->each * LANES;
	for (int64_t g = 0; g < r->groups; g++, to += l->layers[0].in * each)
		for (int64_t i = group_start(r, g), at = 0; i < group_start(r, g + 1); i++, at += LANES)
			product_gather(to + at, each, x + row_offset(&l->shape, r->first + i), l->shape.layers[0].in);
}

/* A vector of some rows of the result. */
AVX512 static void place(const struct linear *l, const int64_t *to, int64_t rows, int64_t vector, const float *sums, const float *add, float *out)
{
	const struct linear_layer *last = &l->shape.layers[l->shape.n - 1];
	int64_t wide = last->out / l->shape.planes, column = vector * LANES, some = last->out - column;
	int64_t plane = column / wide * l->shape.rows * wide + column % wide;
	const __mmask16 mask = some < LANES ? (__mmask16)((1 << some) - 1) : (__mmask16)0xffff;
	const __m512 low = _mm512_set1_ps(last->low), high = _mm512_set1_ps(last->high);
	for (int64_t r = 0; r < rows; r++) {
		int64_t at = plane + to[r] * wide;
		__m512 v = _mm512_load_ps(sums + r * LANES);
		v = add ? _mm512_add_ps(v, _mm512_maskz_loadu_ps(mask, add + at)) : v;
		_mm512_mask_storeu_ps(out + at, mask, _mm512_min_ps(high, _mm512_max_ps(low, v)));
	}
}

/* Vectors [begin, end) of a layer's result, of the vectors [k, k + blocks) of what it reads. */
struct part {
	const struct packed *layer;
	int64_t begin, end, k, blocks;
	const float *from; float *to;    /* rows */
	bool once;               /* `to` is for two vectors of a group alone */
	bool more, last;         /* plus what `to` holds; it becomes the result */
	float low, high;
};

static const float *weights_at(const struct part *t, int64_t vector)
{
	const struct packed *p = t->layer;
	return p->weights + (vector * p->in + t->k * (vector + 1 < p->out ? 2 : 1)) * LANES * LANES;
}

static void multiply(const struct linear *l, const struct rows *r, const struct part *t, const float *add, float *out)
{
	int64_t each = r->each * LANES;
	for (int64_t c = t->begin; c < t->end; c += 2) {
		const bool pair = c + 1 < t->end;
		const float *next = weights_at(t, c + 2 < t->end ? c + 2 : t->begin);
		struct ending e = { .bias = t->more ? NULL : t->layer->bias + c * LANES, .low = t->low, .high = t->high };
		struct factors f = { .v_step = each, .blocks = t->blocks, .u = weights_at(t, c), .m_step = each, .end = &e };
		for (int64_t g = 0; g < r->groups; g++) {
			int64_t start = group_start(r, g), rows = group_start(r, g + 1) - start;
			f.v = t->from + g * t->blocks * each;
			f.m = t->once ? t->to : t->to + (g * (t->end - t->begin) + c - t->begin) * each;
			f.ahead = next + (g & 1) * t->blocks * LANES * LANES;    /* two groups fetch the two halves */
			e.add = t->more ? f.m : NULL;
			product_rows(&f, (int)rows, pair);
			for (int64_t k = 0; t->last && k <= pair; k++)
				place(l, r->to + start, rows, c + k, f.m + k * each, add, out);
		}
	}
}

/* Two layers, some hidden features at a time. */
static void run_two(const struct linear *l, const struct rows *r, const float *x, const float *add, float *out, float *scratch)
{
	const struct packed *first = &l->layers[0], *second = &l->layers[1];
	float *sums = scratch, *hidden = sums + second->out * l->block * LANES;
	for (int64_t h = 0; h < first->out; h += HIDDEN) {
		int64_t n = first->out - h < HIDDEN ? first->out - h : HIDDEN;
		const struct part a = { .layer = first, .begin = h, .end = h + n, .blocks = first->in, .from = x, .to = hidden, .low = l->shape.layers[0].low,
		                       .high = l->shape.layers[0].high };
		const struct part b = { .layer = second, .end = second->out, .k = h, .blocks = n, .from = hidden, .to = sums, .more = h > 0, .last = h + n == first->out,
			.low = -INFINITY, .high = INFINITY };
		multiply(l, r, &a, NULL, NULL);
		multiply(l, r, &b, add, out);
	}
}

static void run_one(const struct linear *l, const struct rows *r, const float *x, const float *add, float *out, float *scratch)
{
	const struct packed *p = &l->layers[0];
	const struct part t = { .layer = p, .end = p->out, .blocks = p->in, .from = x, .to = scratch, .once = true, .last = true, .low = -INFINITY, .high = INFINITY };
	multiply(l, r, &t, add, out);
}

/* A layer norm over a row that was made just now. */
AVX512 static void normalise(const struct linear *l, float *row)
{
	int64_t n = l->shape.layers[l->shape.n - 1].out, whole = n / LANES * LANES;
	const __mmask16 some = (__mmask16)((1 << (n - whole)) - 1);
	__m512 rest = _mm512_maskz_loadu_ps(some, row + whole), sum = rest, square = _mm512_setzero_ps();
	for (int64_t i = 0; i < whole; i += LANES)
		sum = _mm512_add_ps(sum, _mm512_loadu_ps(row + i));
	const __m512 mean = _mm512_set1_ps(_mm512_reduce_add_ps(sum) / (float)n);
	for (int64_t i = 0; i < whole; i += LANES) {
		__m512 v = _mm512_sub_ps(_mm512_loadu_ps(row + i), mean);
		square = _mm512_fmadd_ps(v, v, square);
	}
	rest = _mm512_maskz_sub_ps(some, rest, mean);
	square = _mm512_fmadd_ps(rest, rest, square);
	const __m512 scale = _mm512_set1_ps(1 / sqrtf(_mm512_reduce_add_ps(square) / (float)n + l->shape.epsilon));
	for (int64_t i = 0; i < whole; i += LANES) {
		__m512 v = _mm512_mul_ps(_mm512_sub_ps(_mm512_loadu_ps(row + i), mean), scale);
		_mm512_storeu_ps(row + i, _mm512_fmadd_ps(v, _mm512_load_ps(l->norm_weights + i), _mm512_load_ps(l->norm_bias + i)));
	}
	rest = _mm512_fmadd_ps(_mm512_mul_ps(rest, scale), _mm512_load_ps(l->norm_weights + whole), _mm512_load_ps(l->norm_bias + whole));
	_mm512_mask_storeu_ps(row + whole, some, rest);
}

static void run_rows(const struct linear *l, const struct rows *r, const float *x, const float *add, float *out, float *scratch)
{
	float *rest = scratch + l->layers[0].in * l->block * LANES;
	gather(l, r, x, scratch);
	(l->shape.n > 1 ? run_two : run_one)(l, r, scratch, add, out, rest);
	for (int64_t i = 0; l->norm_weights && i < r->n; i++)
		normalise(l, out + r->to[i] * l->shape.layers[l->shape.n - 1].out);
}

void linear_run(const struct linear *l, const float *x, const float *add, float *out, void *scratch)
{
	int64_t n = l->shape.rows;
#pragma omp parallel for schedule(dynamic) num_threads(l->threads)
	for (int64_t b = 0; b < l->blocks; b++) {
		int64_t first = n * b / l->blocks;
		struct rows r;
		find_rows(l, first, n * (b + 1) / l->blocks - first, &r);
		run_rows(l, &r, x, add, out, (float *)scratch + l->scratch * (size_t)omp_get_thread_num());
	}
}

/* ---- Making ---- */

/* A few rows read the weights once for each, which oneDNN's products of one row do too. */
bool linear_pays(const struct linear_shape *s, int threads)
{
	enum { LEAST = 32, MOST = 1 << 13 };     /* features */
	for (int i = 0; i < s->n; i++)
		if (s->layers[i].in < LEAST || s->layers[i].out < LEAST || s->layers[i].in > MOST)
			return false;
	return product_available() && s->rows >= threads * PRODUCT_ROWS && (s->planes == 1 || s->layers[s->n - 1].out / s->planes % LANES == 0);
}

static bool pack(struct linear *l, int i, const struct linear_layer *layer)
{
	struct packed *p = &l->layers[i];
	size_t size = product_weights(layer->out, layer->in);
	*p = (struct packed){ product_vectors(layer->in), product_vectors(layer->out), product_take(size), product_take((size_t)product_vectors(layer->out) * LANES) };
	if (!p->weights || !p->bias)
		return false;
	product_pack(p->weights, layer->weights, layer->step, layer->out, layer->in);
	product_pad(p->bias, layer->bias, layer->out);
	l->bytes += (size + (size_t)(p->out * LANES)) * sizeof(float);
	l->shape.layers[i].weights = l->shape.layers[i].bias = NULL;
	return true;
}

static bool pack_norm(struct linear *l, const struct linear_shape *s)
{
	int64_t n = s->layers[s->n - 1].out, room = (n / LANES + 1) * LANES;
	l->norm_weights = product_take((size_t)room);
	l->norm_bias = product_take((size_t)room);
	if (!l->norm_weights || !l->norm_bias)
		return false;
	for (int64_t i = 0; i < room; i++) {
		l->norm_weights[i] = i < n ? s->norm_weights[i] : 0;
		l->norm_bias[i] = i < n ? s->norm_bias[i] : 0;
	}
	l->bytes += (size_t)(2 * room) * sizeof(float);
	l->shape.norm_weights = l->shape.norm_bias = NULL;
	return true;
}

/* Rows of which the input, some hidden features and the sums stay in the cache together with the weights at work. */
static void divide(struct linear *l)
{
	enum { CACHE = 5 << 16 };        /* floats */
	int64_t wide = (l->layers[0].in + (l->shape.n > 1 ? HIDDEN + l->layers[1].out : 2)) * LANES, rows = CACHE / wide / PRODUCT_ROWS * PRODUCT_ROWS;
	rows = rows < PRODUCT_ROWS ? PRODUCT_ROWS : rows > MOST_ROWS ? MOST_ROWS : rows;
	l->blocks = (l->shape.rows + rows * l->threads - 1) / (rows * l->threads) * l->threads;
	l->block = rows;
	l->scratch = (size_t)(rows * wide);
}

struct linear *linear_new(const struct linear_shape *s, int threads)
{
	struct linear *l = calloc(1, sizeof *l);
	bool ok = l != NULL;
	if (!l)
		return NULL;
	l->shape = *s;
	l->threads = threads < 1 ? 1 : threads;
	for (int i = 0; i < s->n && ok; i++)
		ok = pack(l, i, &s->layers[i]);
	if (ok && (!s->norm_weights || pack_norm(l, s)))
		return divide(l), l;
	linear_free(l);
	return NULL;
}

void linear_free(struct linear *l)
{
	for (int i = 0; l && i < LINEAR_LAYERS; i++) {
		free(l->layers[i].weights);
		free(l->layers[i].bias);
	}
	if (l) {
		free(l->norm_weights);
		free(l->norm_bias);
	}
	free(l);
}

bool linear_adds(const struct linear *l)
{
	return l->shape.adds;
}

size_t linear_weights(const struct linear *l)
{
	return l->bytes;
}

size_t linear_scratch(const struct linear *l)
{
	return l->scratch * sizeof(float) * (size_t)l->threads;
}

#else

bool linear_pays(const struct linear_shape *s, int threads)
{
	(void)s, (void)threads;
	return false;
}

struct linear *linear_new(const struct linear_shape *s, int threads)
{
	(void)s, (void)threads;
	return NULL;
}

void linear_free(struct linear *l)
{
	(void)l;
}

bool linear_adds(const struct linear *l)
{
	(void)l;
	return false;
}

size_t linear_weights(const struct linear *l)
{
	(void)l;
	return 0;
}

size_t linear_scratch(const struct linear *l)
{
	(void)l;
	return 0;
}

void linear_run(const struct linear *l, const float *x, const float *add, float *out, void *scratch)
{
	(void)l, (void)x, (void)add, (void)out, (void)scratch;
}

#endif
