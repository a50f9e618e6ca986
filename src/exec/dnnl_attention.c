/*
 * Scaled dot product attention, some queries of one head at a time: their
 * scores stay in the cache between the two products, and threads take
 * queries of their own.  Operands are read where they lie, by their strides.
 */
#include "exec/backend.h"

#ifdef HAVE_DNNL

#include <omp.h>
#include <stdlib.h>

#include "exec/attend.h"
#include "exec/dnnl_backend.h"
#include "exec/floats.h"

enum { ROWS = 64 };          /* queries at a time */

struct attention {
	struct attention_shape shape;
	int64_t blocks;          /* of queries of a head */
	size_t scratch;          /* floats of a thread */
};

/* With a causal mask a query sees the keys up to its own place. */
static int64_t keys_seen(const struct attention_shape *a, int64_t query)
{
	return a->causal && query + 1 < a->s ? query + 1 : a->s;
}

/* Queries [from, from + n) of one head; scores is [n, s], sums [n, d]. */
static bool attend(const struct attention_shape *a, const float *q, const float *k, const float *v, const float *mask, float *out, int64_t from,
                   int64_t n, float *scores)
{
	int64_t s = keys_seen(a, from + n - 1), d = a->d;
	float *sums = scores + n * a->s;
	if (dnnl_sgemm('N', 'T', n, s, d, 1, q + from * a->q[2], a->q[2], k, a->k[2], 0, scores, s) != dnnl_success)
		return false;
	float totals[ROWS];
	for (int64_t i = 0; i < n; i++) {
		int64_t seen = keys_seen(a, from + i);
		totals[i] = floats_exp_row(scores + i * s, FLOATS_ROW, seen, a->scale, mask ? mask + (from + i) * a->mask[2] : NULL, a->mask[3]);
		for (int64_t j = seen; j < s; j++)
			scores[i * s + j] = 0;
	}
	if (dnnl_sgemm('N', 'N', n, d, s, 1, scores, s, v, a->v[2], 0, sums, d) != dnnl_success)
		return false;
	for (int64_t i = 0; i < n; i++)  /* a row of which all is masked gives zeros */
		floats_scale(out + (from + i) * a->out[2], sums + i * d, d, totals[i] == 0 ? 0 : 1 / totals[i]);
	return true;
}

static bool run_attention(struct dnnl_backend *b, void *state, void *const *in, void *const *out, void *scratch)
{
	const struct attention *at = state;
	const struct attention_shape *a = &at->shape;
	int64_t n = a->batch * a->heads * at->blocks, shared = a->heads / a->heads_kv;
	bool ok = true, masked = in[3] != NULL;
	(void)b;
#pragma omp parallel for schedule(dynamic, 1) reduction(&& : ok)
	for (int64_t i = 0; i < n; i++) {
		int64_t from = i % at->blocks * ROWS, head = i / at->blocks % a->heads, batch = i / at->blocks / a->heads, pair = head / shared;
		const float *q = (const float *)in[0] + batch * a->q[0] + head * a->q[1], *k = (const float *)in[1] + batch * a->k[0] + pair * a->k[1];
		const float *v = (const float *)in[2] + batch * a->v[0] + pair * a->v[1];
		const float *mask = masked ? (const float *)in[3] + batch * a->mask[0] + head * a->mask[1] : NULL;
		ok = ok && attend(a, q, k, v, mask, (float *)out[0] + batch * a->out[0] + head * a->out[1], from, a->t - from < ROWS ? a->t - from : ROWS,
		                  (float *)scratch + (size_t)omp_get_thread_num() * at->scratch);
	}
	return ok;
}

/* A single row says nothing with its stride; rows that overlap are not for a product. */
static bool mend_rows(int64_t *stride, int64_t rows, int64_t d)
{
	stride[2] = rows == 1 && stride[2] < d ? d : stride[2];
	return stride[2] >= d;
}

static bool run_own(struct dnnl_backend *b, void *state, void *const *in, void *const *out, void *scratch)
{
	(void)b;
	attend_run(state, in[0], in[1], in[2], in[3], out[0], scratch);
	return true;
}

static void free_own(void *state)
{
	attend_free(state);
}

static bool make_own(struct making *m)
{
	struct attend *p = attend_new(&m->w->attention, omp_get_max_threads());
	if (!p)
		return false;
	m->p->ours = (struct own_code){ .self = p, .run = run_own, .free = free_own, .in = m->w->in[0]->md, .out = m->w->out->md, .scratch = attend_scratch(p),
	                                .name = "attention:avx512" };
	return true;
}

bool onednn_make_attention(struct making *m)
{
	if (attend_pays(&m->w->attention))
		return make_own(m);
	struct attention *at = calloc(1, sizeof *at);
	if (!at)
		return false;
	struct attention_shape *a = &at->shape;
	m->p->ours = (struct own_code){ .self = at, .run = run_attention, .free = free, .in = m->w->in[0]->md, .out = m->w->out->md, .name = "sgemm" };
	*a = m->w->attention;
	at->blocks = (a->t + ROWS - 1) / ROWS;
	at->scratch = ((size_t)ROWS * (size_t)(a->s + a->d) + 15) / 16 * 16;
	m->p->ours.scratch = at->scratch * sizeof(float) * (size_t)omp_get_max_threads();
	return mend_rows(a->q, a->t, a->d) && mend_rows(a->k, a->s, a->d) && mend_rows(a->v, a->s, a->d);
}

#endif
