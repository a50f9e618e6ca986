/*
 * A task is some rows of the results of an image.  It goes down the image in
 * strips: the strip's rows are expanded into `wide` [middle / 16][rows]
 * [width + 2 pad][16], where the last rows of the strip before are kept;
 * these go through the depthwise convolution into `deep` [middle / 16]
 * [rows * columns][16]; and that is projected into the result.
 */
#include "exec/separable.h"

#include "exec/product.h"

#if defined HAVE_DNNL && defined __x86_64__ && defined __GNUC__

#include <immintrin.h>
#include <omp.h>
#include <stdlib.h>
#include <string.h>

#include "exec/avx512.h"

struct separable {
	struct separable_shape shape;            /* its weights are not kept */
	int64_t in, middle, out;                 /* vectors of channels */
	int64_t rows, columns;                   /* of the result */
	int64_t strip, wide_rows, wide_columns;  /* rows of results in a strip; of `wide` */
	int64_t parts;                           /* tasks of an image */
	int threads;
	float *weights[SEPARABLE_STAGES], *bias[SEPARABLE_STAGES];
	size_t bytes;
};

static int64_t least(int64_t x, int64_t y)
{
	return x < y ? x : y;
}

bool separable_fits(const struct separable_shape *s)
{
	int64_t rows = s->height + 2 * s->pad - s->kernel, columns = s->width + 2 * s->pad - s->kernel;
	return product_available() && (s->kernel == 3 || s->kernel == 5) && (s->stride == 1 || s->stride == 2) && s->pad < s->kernel && rows >= 0 && columns >= 0 &&
		s->stages[DEPTH].there && (s->stages[EXPAND].there || s->stages[PROJECT].there);
}

/* ---- The depthwise convolution ---- */

/* n results side by side of a vector of channels. */
INLINE void deepen(const int kernel, const int stride, const int n, const float *x, int64_t row, const float *weights, const float *bias, __m512 low,
                   __m512 high, float *to)
{
	__m512 sum[8];
	UNROLL for (int i = 0; i < n; i++)
		sum[i] = _mm512_load_ps(bias);
	UNROLL for (int y = 0; y < kernel; y++)
		UNROLL for (int k = 0; k < kernel; k++) {
			__m512 w = _mm512_load_ps(weights + (y * kernel + k) * LANES);
			UNROLL for (int i = 0; i < n; i++)
				sum[i] = _mm512_fmadd_ps(_mm512_load_ps(x + y * row + (i * stride + k) * LANES), w, sum[i]);
		}
	UNROLL for (int i = 0; i < n; i++)
		_mm512_storeu_ps(to + i * LANES, _mm512_min_ps(high, _mm512_max_ps(low, sum[i])));
}

INLINE void deepen_row(const int kernel, const int stride, const float *x, int64_t row, const float *weights, const float *bias, const float *clip,
                       float *to, int64_t n)
{
	const __m512 low = _mm512_set1_ps(clip[0]), high = _mm512_set1_ps(clip[1]);
	int64_t i = 0;
	for (; i + 7 <= n; i += 7)
		deepen(kernel, stride, 7, x + i * stride * LANES, row, weights, bias, low, high, to + i * LANES);
	for (; i + 4 <= n; i += 4)
		deepen(kernel, stride, 4, x + i * stride * LANES, row, weights, bias, low, high, to + i * LANES);
	for (; i < n; i++)
		deepen(kernel, stride, 1, x + i * stride * LANES, row, weights, bias, low, high, to + i * LANES);
}

typedef void deepen_fn(const float *x, int64_t row, const float *weights, const float *bias, const float *clip, float *to, int64_t n);

#define DEEPEN(kernel, stride) \
	AVX512 static void deepen_##kernel##_##stride(const float *x, int64_t row, const float *weights, const float *bias, const float *clip, float *to, int64_t n) \
	{ \
		deepen_row(kernel, stride, x, row, weights, bias, clip, to, n); \
	}
DEEPEN(3, 1) DEEPEN(3, 2) DEEPEN(5, 1) DEEPEN(5, 2)

/* ---- Strips ---- */

struct task {
	const struct separable *s;
	const float *in, *add;   /* of the image */
	float *out;
	float *wide, *deep;
};

static int64_t plane_in(const struct separable *s)
{
	return s->shape.height * s->shape.width * LANES;
}

static int64_t plane_out(const struct separable *s)
{
	return s->rows * s->columns * LANES;
}

static float *wide_at(const struct task *t, int64_t vector, int64_t row)
{
	return t->wide + ((vector * t->s->wide_rows + row) * t->s->wide_columns) * LANES;
}

static void clear_columns(const struct task *t)
{
	const struct separable *s = t->s;
	size_t side = (size_t)(s->shape.pad * LANES) * sizeof(float);
	for (int64_t i = 0; i < s->middle * s->wide_rows; i++) {
		float *row = t->wide + i * s->wide_columns * LANES;
		memset(row, 0, side);
		memset(row + (s->shape.pad + s->shape.width) * LANES, 0, side);
	}
}

/* Rows [begin, end) of `wide`; the first of all is row `top` of the image. */
static void widen(const struct task *t, int64_t top, int64_t begin, int64_t end)
{
	const struct separable *s = t->s;
	const struct separable_stage *stage = &s->shape.stages[EXPAND];
	int64_t inner = s->shape.width * LANES, step = s->wide_rows * s->wide_columns * LANES;
	for (int64_t c = 0; c < s->middle; c += 2)
		for (int64_t r = begin; r < end; r++) {
			int64_t y = top + r, n = least(2, s->middle - c);
			float *to = wide_at(t, c, r) + s->shape.pad * LANES;
			const struct ending e = { .bias = s->bias[EXPAND] + c * LANES, .low = stage->low, .high = stage->high };
			const float *u = s->weights[EXPAND] + c * LANES * s->in * LANES;
			if (y >= 0 && y < s->shape.height && stage->there) {
				const struct factors f = { t->in + y * inner, plane_in(s), s->in, u, u, to, step, &e, false };
				product_all(&f, s->shape.width, n);
				continue;
			}
			for (int64_t i = 0; i < n; i++, to += step)
				if (y < 0 || y >= s->shape.height)
					memset(to, 0, (size_t)inner * sizeof(float));
				else
					memcpy(to, t->in + (c + i) * plane_in(s) + y * inner, (size_t)inner * sizeof(float));
		}
}

/* The rows that the next strip begins with. */
static void keep_rows(const struct task *t, int64_t from, int64_t n)
{
	for (int64_t c = 0; c < t->s->middle; c++)
		memmove(wide_at(t, c, 0), wide_at(t, c, from), (size_t)(n * t->s->wide_columns * LANES) * sizeof(float));
}

static void deepen_strip(const struct task *t, float *to, int64_t step, int64_t rows)
{
	static deepen_fn *const of[2][2] = { { deepen_3_1, deepen_3_2 }, { deepen_5_1, deepen_5_2 } };
	const struct separable *s = t->s;
	const struct separable_stage *stage = &s->shape.stages[DEPTH];
	deepen_fn *fn = of[s->shape.kernel == 5][s->shape.stride == 2];
	const float clip[] = { stage->low, stage->high };
	int64_t taps = s->shape.kernel * s->shape.kernel;
	for (int64_t c = 0; c < s->middle; c++, to += step)
		for (int64_t r = 0; r < rows; r++)
			fn(wide_at(t, c, r * s->shape.stride), s->wide_columns * LANES, s->weights[DEPTH] + c * taps * LANES, s->bias[DEPTH] + c * LANES, clip,
				to + r * s->columns * LANES, s->columns);
}

static void run_strip(const struct task *t, int64_t first, int64_t rows)
{
	const struct separable *s = t->s;
	const struct separable_stage *stage = &s->shape.stages[PROJECT];
	int64_t step = s->strip * s->columns * LANES, at = first * s->columns * LANES;
	if (!stage->there) {
		deepen_strip(t, t->out + at, plane_out(s), rows);
		return;
	}
	deepen_strip(t, t->deep, step, rows);
	const struct ending e = { s->bias[PROJECT], t->add ? t->add + at : NULL, stage->low, stage->high };
	const struct factors f = { t->deep, step, s->middle, s->weights[PROJECT], s->weights[PROJECT], t->out + at, plane_out(s), &e, false };
	product_all(&f, rows * s->columns, s->out);
}

static void run_rows(const struct task *t, int64_t begin, int64_t end)
{
	const struct separable *s = t->s;
	int64_t kernel = s->shape.kernel, stride = s->shape.stride, kept = 0;
	clear_columns(t);
	for (int64_t y = begin; y < end; y += s->strip) {
		int64_t rows = least(s->strip, end - y), all = (rows - 1) * stride + kernel;
		widen(t, y * stride - s->shape.pad, kept, all);
		run_strip(t, y, rows);
		kept = kernel - stride;
		if (y + rows < end)
			keep_rows(t, rows * stride, kept);
	}
}

static size_t wide_floats(const struct separable *s)
{
	return (size_t)(s->middle * s->wide_rows * s->wide_columns * LANES);
}

static size_t deep_floats(const struct separable *s)
{
	return s->shape.stages[PROJECT].there ? (size_t)(s->middle * s->strip * s->columns * LANES) : 0;
}

void separable_run(const struct separable *s, const float *in, const float *add, float *out, void *scratch)
{
	int64_t rows = (s->rows + s->parts - 1) / s->parts, n = s->shape.images * s->parts;
#pragma omp parallel for schedule(dynamic) num_threads(s->threads)
	for (int64_t i = 0; i < n; i++) {
		float *own = (float *)scratch + (wide_floats(s) + deep_floats(s)) * (size_t)omp_get_thread_num();
		int64_t image = i / s->parts, begin = i % s->parts * rows, size = image * s->out * plane_out(s);
		const struct task t = { s, in + image * s->in * plane_in(s), add ? add + size : NULL, out + size, own, own + wide_floats(s) };
		run_rows(&t, begin, least(begin + rows, s->rows));
	}
}

/* ---- Making ---- */

/* Strips as high as half of a cache of 1 MB likes; images in parts when there are too few for the threads. */
static void divide(struct separable *s)
{
	enum { CACHE = 1 << 17 };        /* floats */
	int64_t kernel = s->shape.kernel, stride = s->shape.stride, threads = s->threads, images = s->shape.images;
	s->wide_columns = s->shape.width + 2 * s->shape.pad;
	s->parts = images % threads == 0 || images > 4 * threads ? 1 : least(threads, (s->rows + 3) / 4);
	int64_t rows = (s->rows + s->parts - 1) / s->parts, row = s->middle * LANES * s->wide_columns;
	s->strip = (CACHE / row - kernel) / stride + 1;
	s->strip = least(s->strip < 1 ? 1 : s->strip, rows);
	int64_t strips = (rows + s->strip - 1) / s->strip;
	s->strip = (rows + strips - 1) / strips;
	s->wide_rows = (s->strip - 1) * stride + kernel;
}

static bool pack_depth(struct separable *s, const float *weights)
{
	int64_t taps = s->shape.kernel * s->shape.kernel;
	float *to = s->weights[DEPTH] = product_take((size_t)(s->middle * taps * LANES));
	for (int64_t c = 0; to && c < s->middle * LANES; c++)
		for (int64_t i = 0; i < taps; i++)
			to[(c / LANES * taps + i) * LANES + c % LANES] = c < s->shape.middle ? weights[c * taps + i] : 0;
	s->bytes += (size_t)(s->middle * taps * LANES) * sizeof(float);
	return to != NULL;
}

static bool pack_stage(struct separable *s, int stage, int64_t out, int64_t in)
{
	const struct separable_stage *of = &s->shape.stages[stage];
	if (!of->there)
		return true;
	s->bias[stage] = product_take((size_t)product_vectors(out) * LANES);
	if (!s->bias[stage])
		return false;
	product_pad(s->bias[stage], of->bias, out);
	if (stage == DEPTH)
		return pack_depth(s, of->weights);
	s->weights[stage] = product_take(product_weights(out, in));
	if (s->weights[stage])
		product_pack(s->weights[stage], of->weights, (int64_t[]){ 1, in }, out, in);
	s->bytes += product_weights(out, in) * sizeof(float);
	return s->weights[stage] != NULL;
}

struct separable *separable_new(const struct separable_shape *shape, int threads)
{
	struct separable *s = calloc(1, sizeof *s);
	if (!s)
		return NULL;
	*s = (struct separable){ .shape = *shape, .threads = threads < 1 ? 1 : threads };
	s->in = product_vectors(shape->in);
	s->middle = product_vectors(shape->middle);
	s->out = product_vectors(shape->out);
	s->rows = (shape->height + 2 * shape->pad - shape->kernel) / shape->stride + 1;
	s->columns = (shape->width + 2 * shape->pad - shape->kernel) / shape->stride + 1;
	divide(s);
	if (pack_stage(s, EXPAND, shape->middle, shape->in) && pack_stage(s, DEPTH, shape->middle, 1) && pack_stage(s, PROJECT, shape->out, shape->middle))
		return s;
	separable_free(s);
	return NULL;
}

void separable_free(struct separable *s)
{
	for (int i = 0; s && i < SEPARABLE_STAGES; i++) {
		free(s->weights[i]);
		free(s->bias[i]);
	}
	free(s);
}

size_t separable_weights(const struct separable *s)
{
	return s->bytes;
}

bool separable_adds(const struct separable *s)
{
	return s->shape.sum;
}

size_t separable_scratch(const struct separable *s)
{
	return (wide_floats(s) + deep_floats(s)) * (size_t)s->threads * sizeof(float);
}

#else

bool separable_fits(const struct separable_shape *s)
{
	(void)s;
	return false;
}

struct separable *separable_new(const struct separable_shape *s, int threads)
{
	(void)s, (void)threads;
	return NULL;
}

void separable_free(struct separable *s)
{
	(void)s;
}

size_t separable_weights(const struct separable *s)
{
	(void)s;
	return 0;
}

bool separable_adds(const struct separable *s)
{
	(void)s;
	return false;
}

size_t separable_scratch(const struct separable *s)
{
	(void)s;
	return 0;
}

void separable_run(const struct separable *s, const float *in, const float *add, float *out, void *scratch)
{
	(void)s, (void)in, (void)add, (void)out, (void)scratch;
}

#endif
