/*
 * A tile of 4x4 results is At ((G g Gt) * (Bt d B)) A, summed over the input
 * channels, of the 6x6 inputs d that it sees and the 3x3 weights g: 36
 * products instead of 144.  The points of interpolation are 0, +-P, +-Q and
 * infinity; with 5/8 and 3/2 the results are off by a third of what 1 and 2
 * give.  Tiles are done in blocks: the inputs of a block are transformed, for
 * each of the 36 places one matrix product is taken over the channels, and
 * the products are transformed back.
 *
 * The inside is laid out in vectors of 16 channels:
 *     weights   [36][out / 32][in][32]   (the last 16 alone when out / 16 is odd)
 *     inputs    [36][in / 16][tiles of a block][16]
 *     products  [36][out / 16][tiles of a block][16]
 *
 * Transformed weights are four times as large as the others.  Where they
 * would not stay in the cache and are read by few tiles, transforming them
 * takes little longer than reading them, and much less than writing them to
 * new memory: until more runs follow they are not kept, but made in the cache
 * by every run, a pair of vectors of output channels after the other.
 */
#include "exec/winograd.h"

#if defined HAVE_DNNL && defined __x86_64__ && defined __GNUC__

#include <immintrin.h>
#include <omp.h>
#include <stdlib.h>

#include "exec/avx512.h"
#include "exec/product.h"
#include "exec/winograd_weights.h"

enum { SIDE = WINOGRAD_SIDE, POINTS = WINOGRAD_POINTS, STEP = 4 };

#define P WINOGRAD_P
#define Q WINOGRAD_Q

struct winograd {
	struct winograd_shape shape;             /* in and out in whole vectors */
	int64_t rows, columns, across, down;     /* of the result; tiles */
	int64_t tiles, block, blocks;            /* all, in a block, and so many of those */
	bool together;                           /* threads share a block, each with channels of its own */
	bool fresh;                              /* weights are transformed by every run, until they are kept */
	int64_t depth;                           /* then: of so many input channels at once */
	int threads;
	struct winograd_source source;
	float *weights, *bias, *scale;           /* the first NULL when fresh */
	size_t bytes, scratch;                   /* of weights when they are kept; of either way */
};

static int64_t ceil_div(int64_t x, int64_t y)
{
	return (x + y - 1) / y;
}

/* ---- Transforms of six vectors, or of three ---- */

/* Bt */
INLINE void transform_input(const __m512 d[SIDE], __m512 t[SIDE])
{
	const __m512 pp = _mm512_set1_ps(P * P), qq = _mm512_set1_ps(Q * Q), both = _mm512_set1_ps(P * P * Q * Q), sum = _mm512_set1_ps(P * P + Q * Q);
	__m512 even_p = _mm512_fnmadd_ps(qq, d[2], d[4]), odd_p = _mm512_fnmadd_ps(qq, d[1], d[3]);
	__m512 even_q = _mm512_fnmadd_ps(pp, d[2], d[4]), odd_q = _mm512_fnmadd_ps(pp, d[1], d[3]);
	t[0] = _mm512_fmadd_ps(both, d[0], _mm512_fnmadd_ps(sum, d[2], d[4]));
	t[1] = _mm512_fmadd_ps(_mm512_set1_ps(P), odd_p, even_p);
	t[2] = _mm512_fnmadd_ps(_mm512_set1_ps(P), odd_p, even_p);
	t[3] = _mm512_fmadd_ps(_mm512_set1_ps(Q), odd_q, even_q);
	t[4] = _mm512_fnmadd_ps(_mm512_set1_ps(Q), odd_q, even_q);
	t[5] = _mm512_fmadd_ps(both, d[1], _mm512_fnmadd_ps(sum, d[3], d[5]));
}

/* At, times what winograd_weights.c leaves out */
INLINE void transform_output(const __m512 m[SIDE], __m512 y[STEP])
{
	const float p = 1 / (2 * P * P * (P * P - Q * Q)), q = 1 / (2 * Q * Q * (Q * Q - P * P));
	__m512 even_p = _mm512_add_ps(m[1], m[2]), odd_p = _mm512_sub_ps(m[1], m[2]);
	__m512 even_q = _mm512_add_ps(m[3], m[4]), odd_q = _mm512_sub_ps(m[3], m[4]);
	y[0] = _mm512_fmadd_ps(_mm512_set1_ps(p), even_p, _mm512_fmadd_ps(_mm512_set1_ps(q), even_q, m[0]));
	y[1] = _mm512_fmadd_ps(_mm512_set1_ps(P * p), odd_p, _mm512_mul_ps(_mm512_set1_ps(Q * q), odd_q));
	y[2] = _mm512_fmadd_ps(_mm512_set1_ps(P * P * p), even_p, _mm512_mul_ps(_mm512_set1_ps(Q * Q * q), even_q));
	y[3] = _mm512_fmadd_ps(_mm512_set1_ps(P * P * P * p), odd_p, _mm512_fmadd_ps(_mm512_set1_ps(Q * Q * Q * q), odd_q, m[5]));
}

/* ---- Weights ---- */

/* A pair of vectors, or one, for a vector of input channels: made in the cache, and from there to memory in long runs. */
AVX512 static void pack_strip(struct winograd *w, int64_t pair, int64_t in)
{
	_Alignas(64) float strip[POINTS * LANES * 2 * LANES];
	int vectors = pair * 2 + 1 < w->shape.out / LANES ? 2 : 1;
	int64_t run = LANES * vectors * LANES;
	winograd_transform(&w->source, pair, vectors, in, LANES, strip);
	float *to = w->weights + pair * w->shape.in * 2 * LANES + in * vectors * LANES;
	for (int64_t p = 0; p < POINTS; p++, to += w->shape.out * w->shape.in)
		for (int64_t i = 0; i < run; i += LANES)
			_mm512_stream_ps(to + i, _mm512_load_ps(strip + p * run + i));
	_mm_sfence();
}

enum { CACHE = 3 << 19 };    /* bytes of weights that stay there beside what they are multiplied with */

static bool pack_weights(struct winograd *w)
{
	int64_t in = w->shape.in, pairs = (w->shape.out / LANES + 1) / 2;
	w->weights = product_take((size_t)(w->shape.out * in * POINTS));
	if (!w->weights)
		return false;
#pragma omp parallel for collapse(2) num_threads(w->threads) if(w->bytes > CACHE)
	for (int64_t p = 0; p < pairs; p++)
		for (int64_t i = 0; i < in; i += LANES)
			pack_strip(w, p, i);
	return true;
}

/* n floats in whole vectors; none: NULL. */
static float *in_vectors(const float *from, int64_t n, float none)
{
	int64_t padded = product_vectors(n) * LANES;
	float *to = product_take((size_t)padded);
	for (int64_t i = 0; to && i < padded; i++)
		to[i] = i < n && from ? from[i] : none;
	return to;
}

/* ---- Inputs ---- */

struct tile {
	int64_t image, y, x;     /* of its first result */
};

static struct tile tile_at(const struct winograd *w, int64_t i)
{
	int64_t each = w->across * w->down;
	return (struct tile){ i / each, i % each / w->across * STEP, i % w->across * STEP };
}

/* The 6x6 inputs of a tile that reaches over the border, with zeros there. */
AVX512 static void fill_border(const struct winograd *w, const float *image, int64_t y, int64_t x, float *to)
{
	for (int i = 0; i < POINTS; i++) {
		int64_t row = y + i / SIDE, column = x + i % SIDE;
		bool inside = row >= 0 && row < w->shape.height && column >= 0 && column < w->shape.width;
		_mm512_store_ps(to + i * LANES, inside ? _mm512_loadu_ps(image + (row * w->shape.width + column) * LANES) : _mm512_setzero_ps());
	}
}

AVX512 static void input_tile(const struct winograd *w, const float *image, struct tile t, float *to, size_t stride)
{
	_Alignas(64) float border[POINTS * LANES];
	int64_t y = t.y - w->shape.pad[0], x = t.x - w->shape.pad[1], row = w->shape.width * LANES;
	const float *from = image + (y * w->shape.width + x) * LANES;
	__m512 half[SIDE][SIDE], d[SIDE];
	if (y < 0 || x < 0 || y + SIDE > w->shape.height || x + SIDE > w->shape.width) {
		fill_border(w, image, y, x, border);
		from = border;
		row = SIDE * LANES;
	}
	UNROLL for (int i = 0; i < SIDE; i++) {
		UNROLL for (int k = 0; k < SIDE; k++)
			d[k] = _mm512_loadu_ps(from + k * row + i * LANES);
		transform_input(d, half[i]);
	}
	UNROLL for (int i = 0; i < SIDE; i++) {
		__m512 across[SIDE];
		UNROLL for (int k = 0; k < SIDE; k++)
			across[k] = half[k][i];
		transform_input(across, d);
		UNROLL for (int k = 0; k < SIDE; k++, to += stride)
			_mm512_store_ps(to, d[k]);
	}
}

/* Tiles of a block, for some blocks of channels. */
static void inputs(const struct winograd *w, const float *in, float *v, int64_t first, int64_t n, int64_t begin, int64_t end)
{
	int64_t blocks = w->shape.in / LANES, plane = w->shape.height * w->shape.width * LANES;
	for (int64_t b = begin; b < end; b++)
		for (int64_t i = 0; i < n; i++) {
			struct tile t = tile_at(w, first + i);
			input_tile(w, in + (t.image * blocks + b) * plane, t, v + (b * w->block + i) * LANES, (size_t)(w->shape.in * w->block));
		}
}

/* ---- Products ---- */

/* The products of n tiles for the pairs of vectors of output channels from begin to end; m holds these alone. */
static void products(const struct winograd *w, const float *v, float *m, int64_t n, int64_t begin, int64_t end)
{
	int64_t in = w->shape.in, out = w->shape.out, of = out / LANES, step = w->block * LANES;
	int64_t vectors = (end * 2 < of ? end * 2 : of) - begin * 2;
	int64_t groups = (n + PRODUCT_ROWS - 1) / PRODUCT_ROWS, each = (n + groups - 1) / groups;
	for (int64_t p = 0; p < POINTS; p++)
		for (int64_t pair = begin; pair < end; pair++) {
			const float *u = w->weights + p * in * out + pair * in * 2 * LANES;
			float *to = m + (p * vectors + (pair - begin) * 2) * step;
			const float *next = pair + 1 < end ? u + in * 2 * LANES : p + 1 < POINTS ? w->weights + (p + 1) * in * out + begin * in * 2 * LANES : u;
			struct factors f = { .v_step = step, .blocks = in / LANES, .u = u, .m_step = step };
			for (int64_t t = 0; t < n; t += each) {
				f.v = v + p * in * w->block + t * LANES;
				f.m = to + t * LANES;
				f.ahead = t == 0 ? next : t == each ? next + in * LANES : u;   /* two rows of tiles fetch the two halves */
				product_rows(&f, (int)(n - t < each ? n - t : each), pair * 2 + 1 < of);
			}
		}
}

static int64_t depth_at(const struct winograd *w, int64_t in)
{
	return w->shape.in - in < w->depth ? w->shape.in - in : w->depth;
}

/* The same for one pair, or one vector, of which the weights [36][depth][vectors * 16] are those of the input channels from `in` on. */
static void pair_products(const struct winograd *w, const float *v, const float *u, float *m, int64_t n, int64_t in, int vectors)
{
	int64_t step = w->block * LANES, depth = depth_at(w, in);
	int64_t groups = (n + PRODUCT_ROWS - 1) / PRODUCT_ROWS, each = (n + groups - 1) / groups;
	for (int64_t p = 0; p < POINTS; p++, u += depth * vectors * LANES, m += vectors * step) {
		struct factors f = { .v_step = step, .blocks = depth / LANES, .u = u, .m_step = step, .more = in > 0 };
		const float *from = v + (p * w->shape.in + in) * w->block, *next = from + (p + 1 < POINTS ? w->shape.in * w->block : 0);
		for (int64_t t = 0, group = 0; t < n; t += each, group++) {
			f.v = from + t * LANES;
			f.m = m + t * LANES;
			f.ahead = next + group * depth * LANES;
			product_rows(&f, (int)(n - t < each ? n - t : each), vectors > 1);
		}
	}
}

/* ---- Results ---- */

AVX512 static void output_tile(const struct winograd *w, const float *m, size_t stride, const float *bias, struct tile t, float *image)
{
	__m512 half[SIDE][STEP], column[SIDE], y[STEP];
	const __m512 low = _mm512_set1_ps(w->shape.low), high = _mm512_set1_ps(w->shape.high), more = _mm512_load_ps(bias);
	int rows = w->rows - t.y < STEP ? (int)(w->rows - t.y) : STEP, columns = w->columns - t.x < STEP ? (int)(w->columns - t.x) : STEP;
	UNROLL for (int i = 0; i < SIDE; i++) {
		UNROLL for (int k = 0; k < SIDE; k++)
			column[k] = _mm512_load_ps(m + (size_t)(i * SIDE + k) * stride);
		transform_output(column, half[i]);
	}
	UNROLL for (int i = 0; i < STEP; i++) {
		float *to = image + (t.y * w->columns + t.x + i) * LANES;
		UNROLL for (int k = 0; k < SIDE; k++)
			column[k] = half[k][i];
		transform_output(column, y);
		UNROLL for (int k = 0; k < STEP; k++, to += w->columns * LANES)
			if (i < columns && k < rows) {
				__m512 x = _mm512_add_ps(y[k], more);
				x = w->shape.sum ? _mm512_add_ps(x, _mm512_loadu_ps(to)) : x;
				_mm512_storeu_ps(to, _mm512_min_ps(high, _mm512_max_ps(low, x)));   /* NaN stays */
			}
	}
}

static void outputs(const struct winograd *w, const float *m, float *out, int64_t first, int64_t n, int64_t begin, int64_t end)
{
	int64_t of = w->shape.out / LANES, plane = w->rows * w->columns * LANES, last = end * 2 < of ? end * 2 : of, vectors = last - begin * 2;
	for (int64_t b = begin * 2; b < last; b++)
		for (int64_t i = 0; i < n; i++) {
			struct tile t = tile_at(w, first + i);
			output_tile(w, m + ((b - begin * 2) * w->block + i) * LANES, (size_t)(vectors * w->block * LANES), w->bias + b * LANES, t, out + (t.image * of + b) * plane);
		}
}

/* ---- Blocks and threads ---- */

static size_t inputs_bytes(const struct winograd *w)
{
	return (size_t)(POINTS * w->shape.in * w->block) * sizeof(float);
}

static size_t outputs_bytes(const struct winograd *w)
{
	return (size_t)(POINTS * w->shape.out * w->block) * sizeof(float);
}

/* Of a thread that transforms weights itself: those of a pair of vectors, and its products. */
static size_t strip_bytes(const struct winograd *w)
{
	return (size_t)(POINTS * w->depth * 2 * LANES) * sizeof(float);
}

static size_t pair_bytes(const struct winograd *w)
{
	return (size_t)(POINTS * w->block * 2 * LANES) * sizeof(float);
}

/*
 * While the weights stay in the cache beside them, blocks are small; else
 * they are large, since a block reads all weights, or makes them.  When there
 * are too few tiles for that, the threads share the tiles of a block and
 * divide the output channels, so that every weight is read, or made, once.
 */
static void divide(struct winograd *w, bool fresh)
{
	enum { SMALL = 28, LARGE = 84, SHARED = 176, BLOCKS = 8, DEPTH = 64 };
	int64_t bytes = POINTS * w->shape.in * w->shape.out * 4, threads = w->threads;
	w->fresh = fresh && bytes > CACHE && w->tiles <= BLOCKS * SHARED;
	w->depth = w->shape.in < DEPTH ? w->shape.in : DEPTH;
	w->together = w->fresh || (threads > 1 && bytes > CACHE && w->tiles < LARGE / 2 * threads);
	w->blocks = ceil_div(w->tiles, w->fresh ? SHARED : bytes <= CACHE ? SMALL : LARGE);
	if (!w->together)
		w->blocks = ceil_div(w->blocks, threads) * threads;
	w->block = ceil_div(w->tiles, w->blocks);
	w->blocks = ceil_div(w->tiles, w->block);
	size_t inputs = inputs_bytes(w), outputs = outputs_bytes(w);
	size_t all = w->fresh ? inputs + (strip_bytes(w) + pair_bytes(w)) * (size_t)threads : w->together ? inputs + outputs : (inputs + outputs) * (size_t)threads;
	w->scratch = all > w->scratch ? all : w->scratch;
}

size_t winograd_scratch(const struct winograd *w)
{
	return w->scratch;
}

size_t winograd_weights(const struct winograd *w)
{
	return w->fresh ? 0 : w->bytes;
}

size_t winograd_later(const struct winograd *w)
{
	return w->fresh ? w->bytes : 0;
}

size_t winograd_keep(struct winograd *w)
{
	if (!w->fresh || !pack_weights(w))
		return 0;
	divide(w, false);
	return w->bytes;
}

static int64_t in_block(const struct winograd *w, int64_t block)
{
	int64_t left = w->tiles - block * w->block;
	return left < w->block ? left : w->block;
}

static void run_apart(const struct winograd *w, const float *in, float *out, float *scratch)
{
	int64_t pairs = (w->shape.out / LANES + 1) / 2;
#pragma omp parallel for schedule(dynamic) num_threads(w->threads)
	for (int64_t b = 0; b < w->blocks; b++) {
		float *v = scratch + (inputs_bytes(w) + outputs_bytes(w)) / sizeof(float) * (size_t)omp_get_thread_num(), *m = v + inputs_bytes(w) / sizeof(float);
		int64_t first = b * w->block, n = in_block(w, b);
		inputs(w, in, v, first, n, 0, w->shape.in / LANES);
		products(w, v, m, n, 0, pairs);
		outputs(w, m, out, first, n, 0, pairs);
	}
}

static void run_together(const struct winograd *w, const float *in, float *out, float *scratch)
{
	int64_t pairs = (w->shape.out / LANES + 1) / 2, blocks = w->shape.in / LANES;
	float *v = scratch, *m = scratch + inputs_bytes(w) / sizeof(float);
#pragma omp parallel num_threads(w->threads)
	{
		int64_t n_threads = omp_get_num_threads(), me = omp_get_thread_num(), begin = pairs * me / n_threads, end = pairs * (me + 1) / n_threads;
		float *own = m + begin * 2 * LANES * POINTS * w->block;
		for (int64_t b = 0; b < w->blocks; b++) {
			int64_t first = b * w->block, n = in_block(w, b);
			inputs(w, in, v, first, n, blocks * me / n_threads, blocks * (me + 1) / n_threads);
#pragma omp barrier
			products(w, v, own, n, begin, end);
#pragma omp barrier
			outputs(w, own, out, first, n, begin, end);
		}
	}
}

static void run_pair(const struct winograd *w, const float *v, float *scratch, float *out, int64_t first, int64_t n, int64_t pair)
{
	float *strip = scratch, *m = scratch + strip_bytes(w) / sizeof(float);
	int vectors = pair * 2 + 1 < w->shape.out / LANES ? 2 : 1;
	for (int64_t in = 0; in < w->shape.in; in += w->depth) {
		winograd_transform(&w->source, pair, vectors, in, depth_at(w, in), strip);
		pair_products(w, v, strip, m, n, in, vectors);
	}
	outputs(w, m, out, first, n, pair, pair + 1);
}

static void run_fresh(const struct winograd *w, const float *in, float *out, float *scratch)
{
	int64_t pairs = (w->shape.out / LANES + 1) / 2, blocks = w->shape.in / LANES;
	float *v = scratch, *parts = scratch + inputs_bytes(w) / sizeof(float);
#pragma omp parallel num_threads(w->threads)
	{
		float *own = parts + (strip_bytes(w) + pair_bytes(w)) / sizeof(float) * (size_t)omp_get_thread_num();
		for (int64_t b = 0; b < w->blocks; b++) {
			int64_t first = b * w->block, n = in_block(w, b);
#pragma omp for schedule(static)
			for (int64_t i = 0; i < blocks; i++)
				inputs(w, in, v, first, n, i, i + 1);
#pragma omp for schedule(dynamic)
			for (int64_t pair = 0; pair < pairs; pair++)
				run_pair(w, v, own, out, first, n, pair);
		}
	}
}

void winograd_run(const struct winograd *w, const float *in, float *out, void *scratch)
{
	(w->fresh ? run_fresh : w->together ? run_together : run_apart)(w, in, out, scratch);
}

static void set_sizes(struct winograd *w, const struct winograd_shape *s, int threads)
{
	*w = (struct winograd){ .shape = *s, .threads = threads < 1 ? 1 : threads };
	w->shape.in = product_vectors(s->in) * LANES;
	w->shape.out = product_vectors(s->out) * LANES;
	w->rows = s->height + 2 * s->pad[0] - 2;
	w->columns = s->width + 2 * s->pad[1] - 2;
	w->down = ceil_div(w->rows, STEP);
	w->across = ceil_div(w->columns, STEP);
	w->tiles = s->images * w->down * w->across;
}

/* In products: what cannot be less for the multiplications, for reading weights, and for the transforms. */
bool winograd_pays(const struct winograd_shape *s, int threads)
{
	enum { READ = 36, TRANSFORM = 16 };      /* products in the time that a weight is read in, and that a value of a point takes */
	struct winograd w;
	set_sizes(&w, s, threads);
	if (!product_available() || w.rows < 1 || w.columns < 1)
		return false;
	double weights = (double)w.shape.in * (double)w.shape.out, channels = (double)(w.shape.in + w.shape.out);
	double plain = 9 * weights * (double)(s->images * w.rows * w.columns), plain_read = 9 * weights * READ;
	double own = POINTS * weights * (double)w.tiles, own_read = POINTS * weights * READ;
	own = (own > own_read ? own : own_read) + POINTS * channels * (double)w.tiles * TRANSFORM;
	return own < (plain > plain_read ? plain : plain_read);
}

struct winograd *winograd_new(const struct winograd_shape *s, const float *weights, const int64_t stride[4], const float *scale, const float *bias, int threads)
{
	struct winograd *w = calloc(1, sizeof *w);
	if (!w)
		return NULL;
	set_sizes(w, s, threads);
	w->bytes = (size_t)(w->shape.out * w->shape.in * POINTS) * sizeof(float);
	divide(w, false);
	divide(w, true);
	w->bias = in_vectors(bias, s->out, 0);
	w->scale = in_vectors(scale, s->out, 1);
	w->source = (struct winograd_source){ weights, { stride[0], stride[1], stride[2], stride[3] }, s->in, s->out, w->scale };
	if (w->bias && w->scale && (w->fresh || pack_weights(w)))
		return w;
	winograd_free(w);
	return NULL;
}

void winograd_free(struct winograd *w)
{
	if (!w)
		return;
	free(w->weights);
	free(w->scale);
	free(w->bias);
	free(w);
}

#else

bool winograd_pays(const struct winograd_shape *s, int threads)
{
	(void)s, (void)threads;
	return false;
}

struct winograd *winograd_new(const struct winograd_shape *s, const float *weights, const int64_t stride[4], const float *scale, const float *bias, int threads)
{
	(void)s, (void)weights, (void)stride, (void)scale, (void)bias, (void)threads;
	return NULL;
}

void winograd_free(struct winograd *w)
{
	(void)w;
}

size_t winograd_weights(const struct winograd *w)
{
	(void)w;
	return 0;
}

size_t winograd_scratch(const struct winograd *w)
{
	(void)w;
	return 0;
}

size_t winograd_later(const struct winograd *w)
{
	(void)w;
	return 0;
}

size_t winograd_keep(struct winograd *w)
{
	(void)w;
	return 0;
}

void winograd_run(const struct winograd *w, const float *in, float *out, void *scratch)
{
	(void)w, (void)in, (void)out, (void)scratch;
}

#endif
