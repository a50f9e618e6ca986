#include "exec/stem.h"

#if defined HAVE_DNNL && defined __x86_64__ && defined __GNUC__

#include <immintrin.h>
#include <math.h>
#include <omp.h>
#include <stdlib.h>
#include <string.h>

#include "exec/floats.h"
#include "exec/product.h"

#define TILES __attribute__((target("avx512f,avx512bw,avx512vl,avx512bf16,amx-tile,amx-bf16")))
/* Instructions on tiles do not tell the compiler what they read. */
#define SETTLED __asm__ volatile("" ::: "memory")

enum { SIDE = 16, DEEP = 32, TILE = SIDE * DEEP, MOST_TILES = 4, PAIR = 32 };    /* rows, values of a row; pairs of vectors */

struct stem {
	struct stem_shape shape; /* without arrays */
	int64_t rows, columns;   /* of the convolution */
	int64_t strip, strips;   /* rows of the result at a time */
	int64_t wide;            /* values of a row of the picture: STEM_CHANNELS a pixel */
	int64_t high;            /* rows of the picture that a strip reads */
	int64_t row, ring;       /* values of a row of the convolution; how many are kept */
	uint16_t *weights;       /* [height][out / 16][16][16][2]: two values of a row of the picture for 16 channels */
	float *bias;
	int threads;
};

/* What a thread works in. */
struct task {
	const struct stem *s;
	uint16_t *picture;       /* [high][wide], from row top on; zeros around it */
	uint16_t *conv;          /* [ring][row], row y at y % ring */
	uint16_t *tallest;       /* [row] */
	float *sums;             /* [MOST_TILES][16][16] */
	int64_t top;             /* may be negative */
};

/* ---- The picture in bfloat16, channels side by side ---- */

TILES static __m512i half_lanes(const float *from, __mmask16 some)
{
	return _mm512_cvtepu16_epi32((__m256i)_mm512_cvtneps_pbh(_mm512_maskz_loadu_ps(some, from)));
}

TILES static void convert_row(const struct stem *s, const float *x, uint16_t *to)
{
	static const int32_t order[2][SIDE] = { { 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23 },
	                                       { 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31 } };
	const __m512i low = _mm512_loadu_si512(order[0]), high = _mm512_loadu_si512(order[1]);
	int64_t n = s->shape.size[1], step = s->shape.step[1];
	memset(to, 0, (size_t)s->wide * sizeof *to);
	to += s->shape.pad[1] * STEM_CHANNELS;
	for (int64_t i = 0; i < n; i += SIDE, to += SIDE * STEM_CHANNELS) {
		const __mmask16 some = n - i < SIDE ? (__mmask16)((1 << (n - i)) - 1) : (__mmask16)0xffff;
		__m512i pair[2] = { _mm512_setzero_si512(), _mm512_setzero_si512() };
		for (int64_t c = 0; c < s->shape.in; c++) {
			__m512i v = half_lanes(x + c * step + i, some);
			pair[c / 2] = _mm512_or_si512(pair[c / 2], c % 2 ? _mm512_slli_epi32(v, 16) : v);
		}
		_mm512_storeu_si512(to, _mm512_permutex2var_epi32(pair[0], low, pair[1]));
		_mm512_storeu_si512(to + DEEP, _mm512_permutex2var_epi32(pair[0], high, pair[1]));
	}
}

static void convert(struct task *t, const float *x, int64_t top, int64_t rows)
{
	const struct stem *s = t->s;
	t->top = top;
	for (int64_t y = top; y < top + rows; y++) {
		uint16_t *to = t->picture + (y - top) * s->wide;
		if (y < 0 || y >= s->shape.size[0])
			memset(to, 0, (size_t)s->wide * sizeof *to);
		else
			convert_row(s, x + y * s->shape.step[2], to);
	}
}

/* ---- The convolution ---- */

struct tile_shape {
	uint8_t palette, start, zeros[14];
	uint16_t bytes[16];
	uint8_t rows[16];
};

TILES static void set_tiles(struct tile_shape *before)
{
	struct tile_shape now = { .palette = 1 };
	for (int i = 0; i < 8; i++) {
		now.bytes[i] = DEEP * sizeof(uint16_t);
		now.rows[i] = SIDE;
	}
	_tile_storeconfig(before);
	SETTLED;
	_tile_loadconfig(&now);
}

/* Others in this thread find the tiles as they left them. */
TILES static void restore_tiles(const struct tile_shape *before)
{
	_tile_loadconfig(before);
}

/* 16 points of a row for 64 channels, or 32. */
TILES static void multiply(const struct stem *s, const uint16_t *a, const uint16_t *b, const float *bias, bool four, float *sums)
{
	int64_t a_step = s->shape.stride[1] * STEM_CHANNELS * (int64_t)sizeof *a, b_step = DEEP * (int64_t)sizeof *b, next = s->shape.out / SIDE * TILE;
	_tile_loadd(0, bias, 0);                 /* every row the same */
	_tile_loadd(1, bias + SIDE, 0);
	if (four) {
		_tile_loadd(2, bias + 2 * SIDE, 0);
		_tile_loadd(3, bias + 3 * SIDE, 0);
	}
	for (int64_t y = 0; y < s->shape.kernel[0]; y++, a += s->wide, b += next) {
		_tile_loadd(4, a, a_step);
		_tile_loadd(5, b, b_step);
		_tile_dpbf16ps(0, 4, 5);
		_tile_loadd(6, b + TILE, b_step);
		_tile_dpbf16ps(1, 4, 6);
		if (four) {
			_tile_loadd(7, b + 2 * TILE, b_step);
			_tile_dpbf16ps(2, 4, 7);
			_tile_loadd(5, b + 3 * TILE, b_step);
			_tile_dpbf16ps(3, 4, 5);
		}
	}
	_tile_stored(0, sums, b_step);
	_tile_stored(1, sums + SIDE * SIDE, b_step);
	if (four) {
		_tile_stored(2, sums + 2 * SIDE * SIDE, b_step);
		_tile_stored(3, sums + 3 * SIDE * SIDE, b_step);
	}
	SETTLED;
}

/* n points for 32 channels.  What is pooled is not negative: without their sign NaNs are the largest integers. */
TILES static void finish(const struct stem *s, const float *sums, int64_t n, uint16_t *to)
{
	const __m512 low = _mm512_set1_ps(s->shape.low), high = _mm512_set1_ps(s->shape.high);
	const __m512i keep = _mm512_set1_epi16(s->shape.pools ? 0x7fff : -1);
	const bool ends = s->shape.high < INFINITY;
	for (int64_t i = 0; i < n; i++, sums += SIDE, to += s->shape.out) {
		__m512 v[2];
		for (int k = 0; k < 2; k++) {
			v[k] = _mm512_max_ps(low, _mm512_load_ps(sums + k * SIDE * SIDE));       /* NaN stays */
			v[k] = ends ? _mm512_min_ps(high, v[k]) : v[k];
		}
		_mm512_storeu_si512(to, _mm512_and_si512(keep, (__m512i)_mm512_cvtne2ps_pbh(v[1], v[0])));
	}
}

static void convolve_row(const struct task *t, int64_t y, uint16_t *to)
{
	const struct stem *s = t->s;
	const uint16_t *from = t->picture + (y * s->shape.stride[0] - s->shape.pad[0] - t->top) * s->wide;
	for (int64_t x = 0; x < s->columns; x += SIDE) {
		int64_t n = s->columns - x < SIDE ? s->columns - x : SIDE;
		for (int64_t c = 0; c < s->shape.out; c += MOST_TILES * SIDE) {
			bool four = s->shape.out - c >= MOST_TILES * SIDE;
			multiply(s, from + x * s->shape.stride[1] * STEM_CHANNELS, s->weights + c / SIDE * TILE, s->bias + c, four, t->sums);
			for (int k = 0; k <= four; k++)
				finish(s, t->sums + k * 2 * SIDE * SIDE, n, to + x * s->shape.out + c + k * PAIR);
		}
	}
}

/* ---- The pool: numbers that are not negative have the order of their bits ---- */

struct window {
	int64_t from, to;
};

static struct window window_of(int64_t at, int64_t kernel, int64_t stride, int64_t pad, int64_t size)
{
	int64_t from = at * stride - pad, to = from + kernel;
	return (struct window){ from < 0 ? 0 : from, to > size ? size : to };
}

TILES static void pool_row(const struct task *t, struct window rows, uint16_t *out)
{
	const struct stem *s = t->s;
	int64_t channels = s->shape.out;
	const uint16_t *row[STEM_POOL];
	int n = (int)(rows.to - rows.from);
	for (int y = 0; y < STEM_POOL; y++)      /* the last one fills the rest up to 3, so that most pools have no loop */
		row[y] = t->conv + (rows.from + (y < n ? y : n - 1)) % s->ring * s->row;
	for (int64_t i = 0; i < s->row; i += PAIR) {
		__m512i most = _mm512_max_epi16(_mm512_loadu_si512(row[0] + i), _mm512_loadu_si512(row[1] + i));
		most = _mm512_max_epi16(most, _mm512_loadu_si512(row[2] + i));
		for (int y = 3; y < n; y++)
			most = _mm512_max_epi16(most, _mm512_loadu_si512(row[y] + i));
		_mm512_storeu_si512(t->tallest + i, most);
	}
	for (int64_t x = 0; x < s->shape.result[1]; x++) {
		const struct window w = window_of(x, s->shape.pool_kernel[1], s->shape.pool_stride[1], s->shape.pool_pad[1], s->columns);
		for (int64_t c = 0; c < channels; c += PAIR) {
			__m512i most = _mm512_setzero_si512();
			for (int64_t i = w.from; i < w.to; i++)
				most = _mm512_max_epi16(most, _mm512_loadu_si512(t->tallest + i * channels + c));
			_mm512_storeu_si512(out + x * channels + c, most);
		}
	}
}

/* ---- Strips ---- */

/* The rows of the convolution that rows [from, to) of the result take. */
static struct window rows_read(const struct stem *s, int64_t from, int64_t to)
{
	const struct stem_shape *shape = &s->shape;
	if (!shape->pools)
		return (struct window){ from, to };
	return (struct window){ window_of(from, shape->pool_kernel[0], shape->pool_stride[0], shape->pool_pad[0], s->rows).from,
		window_of(to - 1, shape->pool_kernel[0], shape->pool_stride[0], shape->pool_pad[0], s->rows).to };
}

static void run_strip(struct task *t, const float *x, uint16_t *out, int64_t from, int64_t to)
{
	const struct stem *s = t->s;
	const struct window all = rows_read(s, from, to);
	int64_t done = all.from, wide = s->shape.result[1] * s->shape.out;
	convert(t, x, all.from * s->shape.stride[0] - s->shape.pad[0], (all.to - all.from - 1) * s->shape.stride[0] + s->shape.kernel[0]);
	SETTLED;
	for (int64_t y = from; y < to; y++) {
		if (!s->shape.pools) {
			convolve_row(t, y, out + y * wide);
			continue;
		}
		const struct window rows = rows_read(s, y, y + 1);
		for (done = done < rows.from ? rows.from : done; done < rows.to; done++)
			convolve_row(t, done, t->conv + done % s->ring * s->row);
		pool_row(t, rows, out + y * wide);
	}
}

static size_t whole_lines(int64_t values)
{
	return ((size_t)values + PAIR - 1) / PAIR * PAIR;
}

/* bfloat16 values that a thread takes. */
static size_t task_values(const struct stem *s)
{
	return whole_lines(s->high * s->wide) + whole_lines(s->ring * s->row) + whole_lines(s->row) + (size_t)(MOST_TILES * SIDE * SIDE * 2);
}

static struct task task_in(const struct stem *s, uint16_t *memory)
{
	struct task t = { .s = s, .picture = memory };
	t.conv = t.picture + whole_lines(s->high * s->wide);
	t.tallest = t.conv + whole_lines(s->ring * s->row);
	t.sums = (float *)(void *)(t.tallest + whole_lines(s->row));
	return t;
}

void stem_run(const struct stem *s, const float *x, uint16_t *out, void *scratch)
{
	const int64_t *result = s->shape.result, n = s->shape.images * s->strips;
#pragma omp parallel num_threads(s->threads)
	{
		struct tile_shape before;
		struct task t = task_in(s, (uint16_t *)scratch + task_values(s) * (size_t)omp_get_thread_num());
		set_tiles(&before);
#pragma omp for schedule(dynamic)
		for (int64_t i = 0; i < n; i++) {
			int64_t image = i / s->strips, from = i % s->strips * s->strip, to = from + s->strip < result[0] ? from + s->strip : result[0];
			run_strip(&t, x + image * s->shape.step[0], out + image * result[0] * result[1] * s->shape.out, from, to);
		}
		restore_tiles(&before);
	}
}

/* ---- Making ---- */

bool stem_fits(const struct stem_shape *s)
{
	if (s->in > STEM_CHANNELS || s->out % PAIR || s->kernel[1] > STEM_WIDTH || s->stride[0] > s->kernel[0])
		return false;
	for (int i = 0; s->pools && i < 2; i++)
		if (s->pool_pad[i] >= s->pool_kernel[i] || s->pool_kernel[i] > STEM_POOL)
			return false;
	return !s->pools || s->low >= 0;
}

static void divide(struct stem *s)
{
	enum { MOST = 16, EACH = 4 };            /* rows of a strip; strips of a thread */
	const struct stem_shape *shape = &s->shape;
	int64_t wanted = (EACH * s->threads + shape->images - 1) / shape->images, rows = (shape->result[0] + wanted - 1) / wanted;
	s->strip = rows > MOST ? MOST : rows;
	s->strips = (shape->result[0] + s->strip - 1) / s->strip;
	int64_t conv = shape->pools ? (s->strip - 1) * shape->pool_stride[0] + shape->pool_kernel[0] : s->strip;
	int64_t read = ((s->columns + SIDE - 1) / SIDE * SIDE - 1) * shape->stride[1] + STEM_WIDTH, there = shape->pad[1] + shape->size[1];
	s->high = (conv - 1) * shape->stride[0] + shape->kernel[0];
	s->wide = (int64_t)whole_lines(((read > there ? read : there) + SIDE) * STEM_CHANNELS);
	s->row = shape->pools ? s->columns * shape->out : 0;
	s->ring = shape->pools ? shape->pool_kernel[0] : 0;
}

static void pack(struct stem *s, const struct stem_shape *of)
{
	uint16_t *to = s->weights;
	for (int64_t y = 0; y < of->kernel[0]; y++)
		for (int64_t c = 0; c < of->out; c += SIDE)
			for (int64_t k = 0; k < DEEP; k += 2)
				for (int64_t i = 0; i < SIDE * 2; i++, to++) {
					int64_t channel = c + i / 2, x = (k + i % 2) / STEM_CHANNELS, in = (k + i % 2) % STEM_CHANNELS;
					const int64_t *step = of->weights_step;
					float v = x < of->kernel[1] && in < of->in ? of->weights[channel * step[0] + in * step[1] + y * step[2] + x * step[3]] : 0;
					v *= of->scale ? of->scale[channel] : 1;
					floats_to_half(to, &v, 1);
				}
}

size_t stem_weights(const struct stem *s)
{
	return (size_t)(s->shape.kernel[0] * s->shape.out * DEEP) * sizeof *s->weights + (size_t)s->shape.out * sizeof *s->bias;
}

struct stem *stem_new(const struct stem_shape *shape, int threads)
{
	struct stem *s = calloc(1, sizeof *s);
	if (!s)
		return NULL;
	s->shape = *shape;
	s->threads = threads < 1 ? 1 : threads;
	s->rows = (shape->size[0] + 2 * shape->pad[0] - shape->kernel[0]) / shape->stride[0] + 1;
	s->columns = (shape->size[1] + 2 * shape->pad[1] - shape->kernel[1]) / shape->stride[1] + 1;
	divide(s);
	s->weights = (uint16_t *)(void *)product_take((size_t)(shape->kernel[0] * shape->out * DEEP) / 2);
	s->bias = product_take((size_t)shape->out);
	if (!s->weights || !s->bias) {
		stem_free(s);
		return NULL;
	}
	pack(s, shape);
	product_pad(s->bias, shape->bias, shape->out);
	s->shape.weights = s->shape.scale = s->shape.bias = NULL;
	return s;
}

void stem_free(struct stem *s)
{
	if (!s)
		return;
	free(s->weights);
	free(s->bias);
	free(s);
}

size_t stem_scratch(const struct stem *s)
{
	return task_values(s) * sizeof(uint16_t) * (size_t)s->threads;
}

#else

bool stem_fits(const struct stem_shape *s)
{
	(void)s;
	return false;
}

struct stem *stem_new(const struct stem_shape *s, int threads)
{
	(void)s, (void)threads;
	return NULL;
}

void stem_free(struct stem *s)
{
	(void)s;
}

size_t stem_weights(const struct stem *s)
{
	(void)s;
	return 0;
}

size_t stem_scratch(const struct stem *s)
{
	(void)s;
	return 0;
}

void stem_run(const struct stem *s, const float *x, uint16_t *out, void *scratch)
{
	(void)s, (void)x, (void)out, (void)scratch;
}

#endif
