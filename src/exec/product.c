#include "exec/product.h"

#if defined HAVE_DNNL && defined __x86_64__ && defined __GNUC__

#include <immintrin.h>
#include <stdlib.h>

#include "base/machine.h"
#include "exec/avx512.h"

bool product_available(void)
{
	return __builtin_cpu_supports("avx512f");
}

int64_t product_vectors(int64_t channels)
{
	return (channels + LANES - 1) / LANES;
}

/* ---- Rows in registers ---- */

INLINE void finish(const int rows, const int vectors, const struct factors *f, __m512 sum[PRODUCT_ROWS][2])
{
	const struct ending *e = f->end;
	const __m512 low = _mm512_set1_ps(e->low), high = _mm512_set1_ps(e->high);
	UNROLL for (int c = 0; c < vectors; c++) {
		const __m512 bias = e->bias ? _mm512_loadu_ps(e->bias + c * LANES) : _mm512_setzero_ps();
		UNROLL for (int r = 0; r < rows; r++) {
			sum[r][c] = _mm512_add_ps(sum[r][c], bias);
			if (e->add)
				sum[r][c] = _mm512_add_ps(sum[r][c], _mm512_loadu_ps(e->add + c * f->m_step + r * LANES));
			sum[r][c] = _mm512_min_ps(high, _mm512_max_ps(low, sum[r][c]));      /* NaN stays */
		}
	}
}

enum { SOON = 24 };         /* channels; their weights are brought from the second cache to the first */

INLINE void product(const int rows, const int vectors, const struct factors *f)
{
	const float *v = f->v, *u = f->u, *ahead = f->ahead;
	__m512 sum[PRODUCT_ROWS][2];
	UNROLL for (int r = 0; r < rows; r++)
		UNROLL for (int c = 0; c < vectors; c++)
			sum[r][c] = f->more ? _mm512_loadu_ps(f->m + c * f->m_step + r * LANES) : _mm512_setzero_ps();
	for (int64_t b = 0; b < f->blocks; b++, v += f->v_step)
		for (int k = 0; k < LANES; k++, u += vectors * LANES, ahead += LANES) {
			_mm_prefetch(ahead, _MM_HINT_T1);
			UNROLL for (int c = 0; c < vectors; c++)
				_mm_prefetch(u + (SOON * vectors + c) * LANES, _MM_HINT_T0);
			__m512 x = _mm512_load_ps(u), y = vectors > 1 ? _mm512_load_ps(u + LANES) : x;
			UNROLL for (int r = 0; r < rows; r++) {
				__m512 d = _mm512_set1_ps(v[r * LANES + k]);
				sum[r][0] = _mm512_fmadd_ps(d, x, sum[r][0]);
				if (vectors > 1)
					sum[r][1] = _mm512_fmadd_ps(d, y, sum[r][1]);
			}
		}
	if (f->end)
		finish(rows, vectors, f, sum);
	UNROLL for (int r = 0; r < rows; r++)
		UNROLL for (int c = 0; c < vectors; c++)
			_mm512_storeu_ps(f->m + c * f->m_step + r * LANES, sum[r][c]);
}

typedef void product_fn(const struct factors *f);

#define PRODUCT(rows) \
	AVX512 static void product1_##rows(const struct factors *f) \
	{ \
		product(rows, 1, f); \
	} \
	AVX512 static void product2_##rows(const struct factors *f) \
	{ \
		product(rows, 2, f); \
	}
PRODUCT(1) PRODUCT(2) PRODUCT(3) PRODUCT(4) PRODUCT(5) PRODUCT(6) PRODUCT(7)
PRODUCT(8) PRODUCT(9) PRODUCT(10) PRODUCT(11) PRODUCT(12) PRODUCT(13) PRODUCT(14)

static product_fn *const products_of[2][PRODUCT_ROWS] = {
	{ product1_1, product1_2, product1_3, product1_4, product1_5, product1_6, product1_7,
	  product1_8, product1_9, product1_10, product1_11, product1_12, product1_13, product1_14 },
	{ product2_1, product2_2, product2_3, product2_4, product2_5, product2_6, product2_7,
	  product2_8, product2_9, product2_10, product2_11, product2_12, product2_13, product2_14 },
};

void product_rows(const struct factors *f, int rows, bool pair)
{
	products_of[pair][rows - 1](f);
}

/* ---- Whole matrices ---- */

void product_all(const struct factors *f, int64_t n, int64_t vectors)
{
	int64_t groups = (n + PRODUCT_ROWS - 1) / PRODUCT_ROWS, each = (n + groups - 1) / groups;
	for (int64_t c = 0; c < vectors; c += 2) {
		struct factors part = *f;
		struct ending end;
		part.u += c * LANES * f->blocks * LANES;
		part.ahead = part.u;
		if (f->end) {
			end = *f->end;
			end.bias += c * LANES;
			part.end = &end;
		}
		for (int64_t r = 0; r < n; r += each) {
			part.v = f->v + r * LANES;
			part.m = f->m + c * f->m_step + r * LANES;
			if (f->end && f->end->add)
				end.add = f->end->add + c * f->m_step + r * LANES;
			product_rows(&part, (int)(n - r < each ? n - r : each), c + 1 < vectors);
		}
	}
}

AVX512 void product_gather(float *to, int64_t step, const float *from, int64_t n)
{
	for (int64_t k = 0; k < n; k += LANES, to += step) {
		__mmask16 some = n - k < LANES ? (__mmask16)((1 << (n - k)) - 1) : (__mmask16)0xffff;
		_mm512_store_ps(to, _mm512_maskz_loadu_ps(some, from + k));
	}
}

/* ---- Weights ---- */

size_t product_weights(int64_t out, int64_t in)
{
	return (size_t)(product_vectors(out) * product_vectors(in) * LANES * LANES);
}

void product_pack(float *to, const float *weights, const int64_t step[2], int64_t out, int64_t in)
{
	int64_t vectors = product_vectors(out), padded = product_vectors(in) * LANES;
#pragma omp parallel for
	for (int64_t c = 0; c < vectors; c += 2) {
		int64_t wide = c + 1 < vectors ? 2 * LANES : LANES, there = out - c * LANES < wide ? out - c * LANES : wide;
		float *at = to + c * LANES * padded;
		for (int64_t k = 0; k < padded; k++)
			for (int64_t i = 0; i < wide; i++)
				*at++ = k < in && i < there ? weights[(c * LANES + i) * step[1] + k * step[0]] : 0;
	}
}

void product_pad(float *to, const float *from, int64_t n)
{
	for (int64_t i = 0; i < product_vectors(n) * LANES; i++)
		to[i] = from && i < n ? from[i] : 0;
}

float *product_take(size_t floats)
{
	enum { LARGE = 1 << 21, PAGE = 4096 };
	size_t bytes = floats * sizeof(float), large = bytes / LARGE;
	void *p;
	if (posix_memalign(&p, large > 1 ? LARGE : 64, bytes ? bytes : 64) != 0)
		return NULL;
	if (large < 2)
		return p;
	machine_large_pages(p, bytes);
#pragma omp parallel for
	for (size_t i = 0; i < large; i++)       /* all threads wait for their pages at the same time */
		for (size_t k = 0; k < LARGE; k += PAGE)
			*((volatile char *)p + i * LARGE + k) = 0;
	return p;
}

#else

bool product_available(void)
{
	return false;
}

#endif
