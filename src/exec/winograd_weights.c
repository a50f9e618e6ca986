#include "exec/winograd_weights.h"

#if defined HAVE_DNNL && defined __x86_64__ && defined __GNUC__

#include <immintrin.h>

#include "exec/avx512.h"
#include "exec/product.h"

#define P WINOGRAD_P
#define Q WINOGRAD_Q

enum { SIDE = WINOGRAD_SIDE, TAPS = 9 };

/* ---- Vectors of output channels ---- */

INLINE void transpose(__m512 r[LANES])
{
	__m512 t[LANES], u[LANES];
	UNROLL for (int i = 0; i < LANES; i += 2) {
		t[i] = _mm512_unpacklo_ps(r[i], r[i + 1]);
		t[i + 1] = _mm512_unpackhi_ps(r[i], r[i + 1]);
	}
	UNROLL for (int i = 0; i < LANES; i += 4)       /* u[i + k]: columns k, 4 + k, 8 + k and 12 + k of rows i to i + 3 */
		UNROLL for (int k = 0; k < 2; k++) {
			__m512d x = _mm512_castps_pd(t[i + k]), y = _mm512_castps_pd(t[i + 2 + k]);
			u[i + 2 * k] = _mm512_castpd_ps(_mm512_unpacklo_pd(x, y));
			u[i + 2 * k + 1] = _mm512_castpd_ps(_mm512_unpackhi_pd(x, y));
		}
	UNROLL for (int k = 0; k < 4; k++) {
		__m512 even[2], odd[2];
		UNROLL for (int h = 0; h < 2; h++) {
			even[h] = _mm512_shuffle_f32x4(u[8 * h + k], u[8 * h + 4 + k], 0x88);
			odd[h] = _mm512_shuffle_f32x4(u[8 * h + k], u[8 * h + 4 + k], 0xdd);
		}
		r[k] = _mm512_shuffle_f32x4(even[0], even[1], 0x88);
		r[4 + k] = _mm512_shuffle_f32x4(odd[0], odd[1], 0x88);
		r[8 + k] = _mm512_shuffle_f32x4(even[0], even[1], 0xdd);
		r[12 + k] = _mm512_shuffle_f32x4(odd[0], odd[1], 0xdd);
	}
}

static bool in_rows(const struct winograd_source *s)
{
	return s->stride[1] == TAPS && s->stride[2] == 3 && s->stride[3] == 1;
}

/* Weights of 16 input channels that lie side by side, [16 in][9 taps][16 out]. */
AVX512 static void gather_rows(const struct winograd_source *s, int64_t block, int64_t in, float *g)
{
	const float *from = s->weights + block * LANES * s->stride[0] + in * TAPS;
	for (int i = 0; i < TAPS; i++, from += LANES) {
		__m512 r[LANES];
		UNROLL for (int c = 0; c < LANES; c++)
			r[c] = _mm512_loadu_ps(from + c * s->stride[0]);
		transpose(r);
		UNROLL for (int c = 0; c < LANES; c++, g += LANES)
			_mm512_store_ps(g, r[c]);
	}
}

static void gather_each(const struct winograd_source *s, int64_t block, int64_t in, float *g)
{
	const int64_t *stride = s->stride;
	for (int64_t i = in; i < in + LANES; i++)
		for (int tap = 0; tap < TAPS; tap++)
			for (int64_t c = block * LANES; c < (block + 1) * LANES; c++, g++)
				*g = i < s->in && c < s->out ? s->weights[c * stride[0] + i * stride[1] + tap / 3 * stride[2] + tap % 3 * stride[3]] : 0;
}

/* ---- The transform ---- */

/* G, but that the factors of the points +-P and +-Q are left to the results */
INLINE void transform(const __m512 g[3], __m512 u[SIDE])
{
	__m512 even_p = _mm512_fmadd_ps(_mm512_set1_ps(P * P), g[2], g[0]), even_q = _mm512_fmadd_ps(_mm512_set1_ps(Q * Q), g[2], g[0]);
	u[0] = _mm512_mul_ps(_mm512_set1_ps(1 / (P * P * Q * Q)), g[0]);
	u[1] = _mm512_fmadd_ps(_mm512_set1_ps(P), g[1], even_p);
	u[2] = _mm512_fnmadd_ps(_mm512_set1_ps(P), g[1], even_p);
	u[3] = _mm512_fmadd_ps(_mm512_set1_ps(Q), g[1], even_q);
	u[4] = _mm512_fnmadd_ps(_mm512_set1_ps(Q), g[1], even_q);
	u[5] = g[2];
}

/* The nine taps of an input channel: a vector for each point, so many floats apart. */
AVX512 static void transform_channel(const float *g, __m512 scale, float *to, int64_t step)
{
	__m512 half[3][SIDE], u[SIDE];
	UNROLL for (int i = 0; i < 3; i++) {
		__m512 column[3];
		UNROLL for (int k = 0; k < 3; k++)
			column[k] = _mm512_mul_ps(scale, _mm512_load_ps(g + (3 * k + i) * LANES));
		transform(column, half[i]);
	}
	for (int i = 0; i < SIDE; i++) {
		const __m512 row[3] = { half[0][i], half[1][i], half[2][i] };
		transform(row, u);
		UNROLL for (int k = 0; k < SIDE; k++, to += step)
			_mm512_store_ps(to, u[k]);
	}
}

AVX512 void winograd_transform(const struct winograd_source *s, int64_t pair, int vectors, int64_t first, int64_t n, float *to)
{
	_Alignas(64) float g[LANES * TAPS * LANES];
	for (int v = 0; v < vectors; v++) {
		int64_t block = pair * 2 + v;
		const __m512 scale = _mm512_loadu_ps(s->scale + block * LANES);
		for (int64_t in = 0; in < n; in += LANES) {
			if (in_rows(s) && first + in + LANES <= s->in && (block + 1) * LANES <= s->out)
				gather_rows(s, block, first + in, g);
			else
				gather_each(s, block, first + in, g);
			for (int64_t i = 0; i < LANES; i++)
				transform_channel(g + i * TAPS * LANES, scale, to + ((in + i) * vectors + v) * LANES, n * vectors * LANES);
		}
	}
}

#endif
