#include "exec/attend.h"

#include "exec/product.h"

#if defined HAVE_DNNL && defined __x86_64__ && defined __GNUC__

#include <immintrin.h>
#include <math.h>
#include <omp.h>
#include <stdlib.h>
#include <string.h>

#include "exec/avx512.h"
#include "exec/floats.h"

struct attend {
	struct attention_shape shape;
	int64_t s, d;            /* vectors of keys, of features */
	int64_t part, parts;     /* queries that a thread takes at a time; of a head */
	int threads;
};

/* What a thread works in. */
struct desk {
	float *keys;             /* [pairs of vectors of keys][d * 16][32] */
	float *values;           /* [pairs of vectors of features][s * 16][32] */
	float *queries;          /* [d][14][16] */
	float *scores;           /* [s][14][16] */
	float *sums;             /* [d][14][16] */
};

static size_t desk_floats(const struct attend *p)
{
	return (size_t)(2 * p->s * p->d * LANES * LANES + (2 * p->d + p->s) * PRODUCT_ROWS * LANES);
}

static struct desk desk_in(const struct attend *p, float *memory)
{
	struct desk d = { .keys = memory };
	d.values = d.keys + p->s * p->d * LANES * LANES;
	d.queries = d.values + p->s * p->d * LANES * LANES;
	d.scores = d.queries + p->d * PRODUCT_ROWS * LANES;
	d.sums = d.scores + p->s * PRODUCT_ROWS * LANES;
	return d;
}

/* ---- Packing ---- */

/* 16 rows of at most 16 columns, turned: column i to row i of `to`, rows of which lie a step apart. */
AVX512 static void turn(const float *from, int64_t row, int64_t rows, int64_t columns, float *to, int64_t step)
{
	const __mmask16 some = columns < LANES ? (__mmask16)((1 << columns) - 1) : (__mmask16)0xffff;
	const __m512i low = _mm512_setr_epi32(0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23),
		high = _mm512_setr_epi32(8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31);
	__m512 x[LANES], y[LANES];
	UNROLL for (int i = 0; i < LANES; i++)
		x[i] = i < rows ? _mm512_maskz_loadu_ps(some, from + i * row) : _mm512_setzero_ps();
	UNROLL for (int times = 0; times < 4; times++) {  /* rows i and i + 8, element by element: four times this turns all */
		UNROLL for (int i = 0; i < LANES / 2; i++) {
			y[2 * i] = _mm512_permutex2var_ps(x[i], low, x[i + LANES / 2]);
			y[2 * i + 1] = _mm512_permutex2var_ps(x[i], high, x[i + LANES / 2]);
		}
		UNROLL for (int i = 0; i < LANES; i++)
			x[i] = y[i];
	}
	UNROLL for (int i = 0; i < LANES; i++)
		_mm512_store_ps(to + i * step, x[i]);
}

static void pack_keys(const struct attend *p, const float *k, float *to)
{
	const struct attention_shape *a = &p->shape;
	for (int64_t c = 0; c < p->s; c++) {
		bool pair = c % 2 || c + 1 < p->s;
		float *panel = to + c / 2 * 2 * p->d * LANES * LANES + c % 2 * LANES;
		for (int64_t i = 0; i < p->d; i++)
			turn(k + c * LANES * a->k[2] + i * LANES, a->k[2], a->s - c * LANES, a->d - i * LANES, panel + i * LANES * LANES * (1 + pair), LANES * (1 + pair));
	}
}

static void pack_values(const struct attend *p, const float *v, float *to)
{
	const struct attention_shape *a = &p->shape;
	for (int64_t c = 0; c < p->d; c += 2) {
		int64_t wide = c + 1 < p->d ? 2 : 1, n = a->d - c * LANES < wide * LANES ? a->d - c * LANES : wide * LANES;
		for (int64_t i = 0; i < p->s * LANES; i++, to += wide * LANES)
			if (i < a->s)
				product_gather(to, LANES, v + i * a->v[2] + c * LANES, n);
			else
				memset(to, 0, (size_t)(wide * LANES) * sizeof *to);
	}
}

/* ---- Running ---- */

/* Rows of [blocks][rows][16] times packed weights to [vectors][rows][16]. */
static void multiply(const float *from, int64_t blocks, const float *weights, int64_t depth, float *to, int64_t vectors, int rows)
{
	for (int64_t c = 0; c < vectors; c += 2) {
		const float *u = weights + c * depth * LANES * LANES;
		const struct factors f = { .v = from, .v_step = rows * LANES, .blocks = blocks, .u = u, .ahead = u, .m = to + c * rows * LANES, .m_step = rows * LANES };
		product_rows(&f, rows, c + 1 < vectors);
	}
}

/* With a causal mask a query sees the keys up to its own place. */
static int64_t keys_seen(const struct attention_shape *a, int64_t query)
{
	return a->causal && query + 1 < a->s ? query + 1 : a->s;
}

/* Features of a query's result. */
AVX512 static void place(const struct attend *p, const float *sums, int64_t step, float factor, float *out)
{
	const __m512 by = _mm512_set1_ps(factor);
	for (int64_t i = 0; i < p->shape.d; i += LANES, sums += step) {
		const __mmask16 some = p->shape.d - i < LANES ? (__mmask16)((1 << (p->shape.d - i)) - 1) : (__mmask16)0xffff;
		_mm512_mask_storeu_ps(out + i, some, _mm512_mul_ps(by, _mm512_load_ps(sums)));
	}
}

/* Queries [from, from + n) of one head. */
static void attend(const struct attend *p, const struct desk *d, const float *q, const float *mask, float *out, int64_t from, int64_t n)
{
	const struct attention_shape *a = &p->shape;
	int64_t step = n * LANES, vectors = (keys_seen(a, from + n - 1) + LANES - 1) / LANES, even = vectors + (vectors % 2 && vectors < p->s);
	float totals[PRODUCT_ROWS];
	for (int64_t i = 0; i < n; i++)
		product_gather(d->queries + i * LANES, step, q + (from + i) * a->q[2], a->d);
	multiply(d->queries, p->d, d->keys, p->d, d->scores, even, (int)n);
	for (int64_t i = 0; i < n; i++) {
		int64_t seen = keys_seen(a, from + i);
		totals[i] = floats_exp_row(d->scores + i * LANES, step, seen, a->scale, mask ? mask + (from + i) * a->mask[2] : NULL, a->mask[3]);
		for (int64_t j = seen; j < vectors * LANES; j++)
			d->scores[j / LANES * step + i * LANES + j % LANES] = 0;
	}
	multiply(d->scores, vectors, d->values, p->s, d->sums, p->d, (int)n);
	for (int64_t i = 0; i < n; i++)  /* a row of which all is masked gives zeros */
		place(p, d->sums + i * LANES, step, totals[i] == 0 ? 0 : 1 / totals[i], out + (from + i) * a->out[2]);
}

void attend_run(const struct attend *p, const float *q, const float *k, const float *v, const float *mask, float *out, void *scratch)
{
	const struct attention_shape *a = &p->shape;
	int64_t n = a->batch * a->heads * p->parts, shared = a->heads / a->heads_kv;
#pragma omp parallel for schedule(dynamic) num_threads(p->threads)
	for (int64_t i = 0; i < n; i++) {
		int64_t part = i % p->parts, head = i / p->parts % a->heads, batch = i / p->parts / a->heads, pair = head / shared;
		int64_t begin = part * p->part, end = begin + p->part < a->t ? begin + p->part : a->t, groups = (end - begin + PRODUCT_ROWS - 1) / PRODUCT_ROWS;
		const struct desk d = desk_in(p, (float *)scratch + desk_floats(p) * (size_t)omp_get_thread_num());
		pack_keys(p, k + batch * a->k[0] + pair * a->k[1], d.keys);
		pack_values(p, v + batch * a->v[0] + pair * a->v[1], d.values);
		for (int64_t g = 0; g < groups; g++) {
			int64_t from = begin + (end - begin) * g / groups, to = begin + (end - begin) * (g + 1) / groups;
			attend(p, &d, q + batch * a->q[0] + head * a->q[1], mask ? mask + batch * a->mask[0] + head * a->mask[1] : NULL,
			       out + batch * a->out[0] + head * a->out[1], from, to - from);
		}
	}
}

/* ---- Making ---- */

/* Packing takes as long as a few queries; keys and values of a head are to stay in the cache. */
bool attend_pays(const struct attention_shape *a)
{
	enum { QUERIES = 2 * PRODUCT_ROWS, CACHE = 1 << 18 };    /* floats */
	return product_available() && a->t >= QUERIES && a->d <= CACHE && a->s <= CACHE / a->d;
}

struct attend *attend_new(const struct attention_shape *a, int threads)
{
	enum { MOST = 20 * PRODUCT_ROWS };
	struct attend *p = calloc(1, sizeof *p);
	if (!p)
		return NULL;
	*p = (struct attend){ *a, product_vectors(a->s), product_vectors(a->d), .threads = threads < 1 ? 1 : threads };
	int64_t heads = a->batch * a->heads, wanted = heads < p->threads ? (p->threads + heads - 1) / heads : 1, least = (a->t + MOST - 1) / MOST;
	p->parts = wanted > least ? wanted : least;
	p->part = (a->t + p->parts - 1) / p->parts;
	p->parts = (a->t + p->part - 1) / p->part;
	return p;
}

void attend_free(struct attend *p)
{
	free(p);
}

size_t attend_scratch(const struct attend *p)
{
	return desk_floats(p) * sizeof(float) * (size_t)p->threads;
}

#else

bool attend_pays(const struct attention_shape *a)
{
	(void)a;
	return false;
}

struct attend *attend_new(const struct attention_shape *a, int threads)
{
	(void)a, (void)threads;
	return NULL;
}

void attend_free(struct attend *p)
{
	(void)p;
}

size_t attend_scratch(const struct attend *p)
{
	(void)p;
	return 0;
}

void attend_run(const struct attend *p, const float *q, const float *k, const float *v, const float *mask, float *out, void *scratch)
{
	(void)p, (void)q, (void)k, (void)v, (void)mask, (void)out, (void)scratch;
}

#endif
