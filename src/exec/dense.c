#include "exec/dense.h"

#include "exec/product.h"

#if defined HAVE_DNNL && defined __x86_64__ && defined __GNUC__

#include <immintrin.h>
#include <omp.h>
#include <stdlib.h>

#include "exec/avx512.h"

struct dense {
	int64_t images, pixels, strip, strips;
	int64_t *in; int n_in;                   /* vectors of channels of each tensor */
	int64_t all, out;                        /* vectors */
	float *weights, *bias, *scale, *shift;
	float in_low, in_high;
	struct ending end;
	int threads;
	size_t bytes;
};

bool dense_fits(const struct dense_shape *s)
{
	for (int i = 0; i + 1 < s->n_in; i++)
		if (s->in[i] % LANES)
			return false;
	return product_available() && s->n_in > 0;
}

/* A vector of channels of a strip, scaled, shifted and clipped. */
AVX512 static void prepare(const struct dense *p, int64_t vector, const float *from, float *to, int64_t n)
{
	const __m512 scale = _mm512_load_ps(p->scale + vector * LANES), shift = _mm512_load_ps(p->shift + vector * LANES);
	const __m512 low = _mm512_set1_ps(p->in_low), high = _mm512_set1_ps(p->in_high);
	for (int64_t i = 0; i < n * LANES; i += LANES) {
		__m512 x = _mm512_fmadd_ps(_mm512_loadu_ps(from + i), scale, shift);
		_mm512_store_ps(to + i, _mm512_min_ps(high, _mm512_max_ps(low, x)));
	}
}

static void run_strip(const struct dense *p, void *const *in, float *out, float *strip, int64_t image, int64_t first)
{
	int64_t n = p->pixels - first < p->strip ? p->pixels - first : p->strip, plane = p->pixels * LANES, vector = 0;
	for (int t = 0; t < p->n_in; t++)
		for (int64_t c = 0; c < p->in[t]; c++, vector++)
			prepare(p, vector, (const float *)in[t] + (image * p->in[t] + c) * plane + first * LANES, strip + vector * p->strip * LANES, n);
	const struct factors f = { strip, p->strip * LANES, p->all, p->weights, p->weights, out + image * p->out * plane + first * LANES, plane, &p->end, false };
	product_all(&f, n, p->out);
}

void dense_run(const struct dense *p, void *const *in, float *out, void *scratch)
{
	int64_t n = p->images * p->strips;
#pragma omp parallel for schedule(dynamic) num_threads(p->threads)
	for (int64_t i = 0; i < n; i++)
		run_strip(p, in, out, (float *)scratch + p->all * p->strip * LANES * omp_get_thread_num(), i / p->strips, i % p->strips * p->strip);
}

/* A strip takes half a megabyte at most, and is a number of full products. */
static void divide(struct dense *p)
{
	enum { CACHE = 1 << 16, MOST = 8 * PRODUCT_ROWS };       /* floats; pixels */
	int64_t each = CACHE / (p->all * LANES) / PRODUCT_ROWS * PRODUCT_ROWS;
	each = each < PRODUCT_ROWS ? PRODUCT_ROWS : each > MOST ? MOST : each;
	p->strips = (p->pixels + each - 1) / each;
	p->strip = (p->pixels + p->strips - 1) / p->strips;
	p->strips = (p->pixels + p->strip - 1) / p->strip;
}

static bool pack(struct dense *p, const struct dense_shape *s, int64_t channels)
{
	int64_t padded = p->all * LANES;
	size_t size = product_weights(s->out, channels);
	p->bytes = (size + (size_t)(2 * padded)) * sizeof(float);
	p->weights = product_take(size);
	p->bias = product_take((size_t)(p->out * LANES));
	p->scale = product_take((size_t)padded);
	p->shift = product_take((size_t)padded);
	if (!p->weights || !p->bias || !p->scale || !p->shift)
		return false;
	product_pack(p->weights, s->weights, (int64_t[]){ 1, channels }, s->out, channels);
	product_pad(p->bias, s->bias, s->out);
	product_pad(p->scale, s->scale, channels);
	product_pad(p->shift, s->shift, channels);
	for (int64_t i = 0; !s->scale && i < padded; i++)
		p->scale[i] = 1;
	p->end = (struct ending){ .bias = p->bias, .low = s->low, .high = s->high };
	return true;
}

struct dense *dense_new(const struct dense_shape *s, int threads)
{
	struct dense *p = calloc(1, sizeof *p);
	int64_t channels = 0;
	if (!p)
		return NULL;
	*p = (struct dense){ .images = s->images, .pixels = s->pixels, .n_in = s->n_in, .out = product_vectors(s->out), .in_low = s->in_low, .in_high = s->in_high,
		.threads = threads < 1 ? 1 : threads, .in = calloc((size_t)s->n_in, sizeof *p->in) };
	for (int i = 0; p->in && i < s->n_in; i++) {
		p->in[i] = product_vectors(s->in[i]);
		p->all += p->in[i];
		channels += s->in[i];
	}
	if (p->in) {
		divide(p);
		if (pack(p, s, channels))
			return p;
	}
	dense_free(p);
	return NULL;
}

void dense_free(struct dense *p)
{
	if (!p)
		return;
	free(p->in);
	free(p->weights);
	free(p->bias);
	free(p->scale);
	free(p->shift);
	free(p);
}

size_t dense_weights(const struct dense *p)
{
	return p->bytes;
}

size_t dense_scratch(const struct dense *p)
{
	return (size_t)(p->all * p->strip * LANES * p->threads) * sizeof(float);
}

#else

bool dense_fits(const struct dense_shape *s)
{
	(void)s;
	return false;
}

struct dense *dense_new(const struct dense_shape *s, int threads)
{
	(void)s, (void)threads;
	return NULL;
}

void dense_free(struct dense *p)
{
	(void)p;
}

size_t dense_weights(const struct dense *p)
{
	(void)p;
	return 0;
}

size_t dense_scratch(const struct dense *p)
{
	(void)p;
	return 0;
}

void dense_run(const struct dense *p, void *const *in, float *out, void *scratch)
{
	(void)p, (void)in, (void)out, (void)scratch;
}

#endif
