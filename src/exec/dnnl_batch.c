/*
 * Batch norm by the statistics of the batch, on images in blocks of 16
 * channels, and the ReLU or clip after it.  Sums are kept by image and added in their
 * order, so that results do not depend on the number of threads.
 */
#include "exec/backend.h"

#ifdef HAVE_DNNL

#include <math.h>
#include <omp.h>
#include <stdlib.h>

#include "exec/dnnl_backend.h"
#include "exec/floats.h"

enum { LANES = 16, WORTH_THREADS = 1 << 15 };   /* floats */

struct batch_stats {
	int64_t images, blocks, pixels, channels;
	float *weight, *bias;    /* [blocks, 16], zeros after the channels */
	double epsilon, momentum;
	float low, high;         /* of the result; 0 is between them, as channels that fill a block must be */
	bool updates;
	int threads;
};

/* What one run works on. */
struct pass {
	const struct batch_stats *s;
	const float *x;
	float *y, *running_mean, *running_var;
	double *sums;            /* [blocks, images, 2, 16]: of distances from the shift, and of their squares */
	float *factors;          /* [blocks, 2, 16]: scale and shift */
};

static int64_t place_of(const struct pass *p, int64_t block, int64_t image)
{
	return (image * p->s->blocks + block) * p->s->pixels * LANES;
}

static void first_pixel(const struct pass *p, int64_t block, float *shift)
{
	const float *x = p->x + place_of(p, block, 0);
	for (int i = 0; i < LANES; i++)
		shift[i] = isfinite(x[i]) ? x[i] : 0;
}

static void measure(const struct pass *p, int64_t block, int64_t image)
{
	double *sums = p->sums + (block * p->s->images + image) * 2 * LANES;
	float shift[LANES];
	first_pixel(p, block, shift);
	for (int i = 0; i < 2 * LANES; i++)
		sums[i] = 0;
	floats_moments(p->x + place_of(p, block, image), p->s->pixels, shift, sums, sums + LANES);
}

/* running = (1 - momentum) * running + momentum * new */
static void update(const struct batch_stats *s, float *running, double fresh)
{
	*running = (float)((1 - s->momentum) * *running + s->momentum * fresh);
}

/* Of all images: the factors of a block's channels, and the running statistics, of which the variance is without bias. */
static void settle(const struct pass *p, int64_t block)
{
	const struct batch_stats *s = p->s;
	const double *sums = p->sums + block * s->images * 2 * LANES;
	float *factors = p->factors + block * 2 * LANES, shift[LANES];
	double count = (double)(s->images * s->pixels);
	first_pixel(p, block, shift);
	for (int i = 0; i < LANES; i++) {
		int64_t c = block * LANES + i;
		double sum = 0, square = 0;
		for (int64_t image = 0; image < s->images; image++) {
			sum += sums[image * 2 * LANES + i];
			square += sums[image * 2 * LANES + LANES + i];
		}
		double mean = shift[i] + sum / count, variance = (square - sum * sum / count) / count;
		variance = variance < 0 ? 0 : variance;
		double factor = s->weight[c] / sqrt(variance + s->epsilon);
		factors[i] = (float)factor;
		factors[LANES + i] = (float)(s->bias[c] - mean * factor);
		if (!s->updates || c >= s->channels)
			continue;
		update(s, p->running_mean + c, mean);
		update(s, p->running_var + c, variance * (count / (count - 1)));
	}
}

static void normalise(const struct pass *p, int64_t block, int64_t image)
{
	const float *factors = p->factors + block * 2 * LANES;
	int64_t at = place_of(p, block, image);
	floats_affine(p->y + at, p->x + at, p->s->pixels, factors, factors + LANES, p->s->low, p->s->high);
}

/* A block at a time may still be in the cache when it is read again. */
static void run_blocks(const struct pass *p)
{
	int64_t images = p->s->images;
#pragma omp parallel for schedule(dynamic, 1) num_threads(p->s->threads)
	for (int64_t b = 0; b < p->s->blocks; b++) {
		for (int64_t i = 0; i < images; i++)
			measure(p, b, i);
		settle(p, b);
		for (int64_t i = images; i-- > 0;)
			normalise(p, b, i);
	}
}

/* Too few blocks for the threads: they share out the images of each. */
static void run_images(const struct pass *p)
{
	int64_t images = p->s->images, blocks = p->s->blocks;
#pragma omp parallel num_threads(p->s->threads)
	{
#pragma omp for schedule(static)
		for (int64_t i = 0; i < images * blocks; i++)
			measure(p, i / images, i % images);
#pragma omp for schedule(static)
		for (int64_t b = 0; b < blocks; b++)
			settle(p, b);
#pragma omp for schedule(static)
		for (int64_t i = 0; i < images * blocks; i++)
			normalise(p, i / images, i % images);
	}
}

static bool run_batch(struct dnnl_backend *b, void *self, void *const *in, void *const *out, void *scratch)
{
	const struct batch_stats *s = self;
	struct pass p = { .s = s, .x = in[0], .y = out[0], .sums = scratch };
	(void)b;
	p.factors = (float *)(p.sums + s->blocks * s->images * 2 * LANES);
	p.running_mean = s->updates ? in[1] : NULL;
	p.running_var = s->updates ? in[2] : NULL;
	if (s->blocks % s->threads == 0 || s->blocks >= 4 * s->threads)
		run_blocks(&p);
	else
		run_images(&p);
	return true;
}

static void drop_batch(void *self)
{
	struct batch_stats *s = self;
	free(s->weight);
	free(s->bias);
	free(s);
}

static float *padded(const float *from, int64_t n, int64_t blocks)
{
	float *to = calloc((size_t)blocks * LANES, sizeof *to);
	for (int64_t i = 0; to && i < n; i++)
		to[i] = from[i];
	return to;
}

static void set_limits(struct batch_stats *s, const struct work *w)
{
	const struct post *p = w->n_posts ? &w->posts[0] : NULL;
	bool clips = p && p->kind == POST_CLIP;
	s->low = clips ? p->alpha : p ? 0 : -INFINITY;
	s->high = clips ? p->beta : INFINITY;
}

bool onednn_make_batch_stats(struct making *m)
{
	const struct work *w = m->w;
	struct own_code *c = &m->p->ours;
	struct batch_stats *s = calloc(1, sizeof *s);
	if (!s)
		return false;
	*c = (struct own_code){ .self = s, .run = run_batch, .free = drop_batch, .over = true, .name = "batch statistics" };
	*s = (struct batch_stats){ .images = w->size[0], .channels = w->size[1], .blocks = (w->size[1] + LANES - 1) / LANES, .pixels = 1, .epsilon = w->epsilon,
		.momentum = w->momentum, .updates = w->n_in == 3, .threads = omp_get_max_threads() };
	set_limits(s, w);
	for (int i = 2; i < w->ndim; i++)
		s->pixels *= w->size[i];
	if (s->images * s->blocks * s->pixels < WORTH_THREADS / LANES)
		s->threads = 1;
	s->weight = padded(w->weights, s->channels, s->blocks);
	s->bias = padded(w->bias, s->channels, s->blocks);
	c->weights = (size_t)s->blocks * 2 * LANES * sizeof(float);
	c->scratch = (size_t)(s->blocks * 2 * LANES) * ((size_t)s->images * sizeof(double) + sizeof(float));
	return s->weight && s->bias && onednn_block_layout(&c->in, w->ndim, w->size, dnnl_f32) && onednn_block_layout(&c->out, w->ndim, w->size, dnnl_f32);
}

#endif
