/* Softmax along rows by code of our own: oneDNN's makes zeros of rows with NaN, and of those that are all -inf, where PyTorch makes NaN. */
#include "exec/backend.h"

#ifdef HAVE_DNNL

#include <stdlib.h>
#include <string.h>

#include "exec/dnnl_backend.h"
#include "exec/floats.h"

enum { WORTH_THREADS = 1 << 13 };        /* elements */

struct softmax {
	int64_t rows, n;         /* elements of a row */
};

static bool run_softmax(struct dnnl_backend *b, void *self, void *const *in, void *const *out, void *scratch)
{
	const struct softmax *s = self;
	(void)b;
	(void)scratch;
#pragma omp parallel for if (s->rows * s->n > WORTH_THREADS)
	for (int64_t i = 0; i < s->rows; i++) {
		float *to = (float *)out[0] + i * s->n;
		memcpy(to, (const float *)in[0] + i * s->n, (size_t)s->n * sizeof *to);
		floats_scale(to, to, s->n, 1 / floats_exp_row(to, FLOATS_ROW, s->n, 1, NULL, 0));
	}
	return true;
}

/* in[0] lies row by row. */
bool onednn_make_softmax(struct making *m)
{
	const struct work *w = m->w;
	struct softmax *s = calloc(1, sizeof *s);
	if (!s)
		return false;
	*s = (struct softmax){ .rows = 1, .n = w->size[w->ndim - 1] };
	for (int i = 0; i + 1 < w->ndim; i++)
		s->rows *= w->size[i];
	m->p->ours = (struct own_code){ .self = s, .run = run_softmax, .free = free, .in = w->in[0]->md, .out = w->in[0]->md, .name = "softmax by rows" };
	return true;
}

#endif
