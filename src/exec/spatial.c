#include "exec/spatial.h"

/* ---- Planes ---- */

struct image image_of(const struct tensor *t, int spatial)
{
	struct image im = { .t = t, .lead = t->ndim - spatial, .extent = { 1, 1, 1 } };
	im.planes = sizes_product(t->size, 0, im.lead);
	im.area = sizes_product(t->size, im.lead, t->ndim);
	for (int i = 0; i < spatial; i++) {
		im.extent[3 - spatial + i] = t->size[im.lead + i];
		im.stride[3 - spatial + i] = t->stride[im.lead + i];
	}
	return im;
}

/* Elements into the storage. */
static int64_t plane_start(const struct image *im, int64_t plane)
{
	int64_t at = im->t->offset;
	for (int i = im->lead - 1; i >= 0; i--) {
		at += plane % im->t->size[i] * im->t->stride[i];
		plane /= im->t->size[i];
	}
	return at;
}

/* A plane as count runs of elements that are step apart; channels-last planes are one run too. */
struct runs {
	int64_t count, length, step;
};

static struct runs plane_runs(const struct image *im)
{
	struct runs r = { .count = im->extent[0] * im->extent[1], .length = im->extent[2], .step = im->stride[2] };
	bool rows = im->extent[1] == 1 || im->stride[1] == im->stride[2] * im->extent[2];
	bool slices = im->extent[0] == 1 || im->stride[0] == im->stride[2] * im->extent[2] * im->extent[1];
	return rows && slices ? (struct runs){ .count = 1, .length = im->area, .step = im->extent[2] == 1 && im->area > 1 ? im->stride[1] : r.step } : r;
}

static unsigned char *run_start(const struct image *im, int64_t plane, int64_t run)
{
	int64_t at = plane_start(im, plane) + run / im->extent[1] * im->stride[0] + run % im->extent[1] * im->stride[1];
	return im->t->storage->data + at * (int64_t)dtype_size(im->t->dtype);
}

void plane_read(const struct image *im, int64_t plane, double *out)
{
	struct runs r = plane_runs(im);
	for (int64_t i = 0; i < r.count && im->area > 0; i++)
		elements_to_double(im->t->dtype, run_start(im, plane, i), r.step, r.length, out + i * r.length);
}

void plane_write(const struct image *im, int64_t plane, const double *in)
{
	struct runs r = plane_runs(im);
	for (int64_t i = 0; i < r.count && im->area > 0; i++)
		elements_from_double(im->t->dtype, run_start(im, plane, i), r.step, r.length, in + i * r.length);
}

struct plane_work {
	int64_t planes, workers, room;
	double *rooms;
	void (*fn)(int64_t plane, double *room, void *data);
	void *data;
};

static void work_on_planes(int64_t from, int64_t to, void *data)
{
	const struct plane_work *w = data;
	for (int64_t i = from; i < to; i++)
		for (int64_t plane = w->planes * i / w->workers; plane < w->planes * (i + 1) / w->workers; plane++)
			w->fn(plane, w->rooms + i * w->room, w->data);
}

bool each_plane(struct kernel_call *k, int64_t planes, int64_t cost, int64_t room, void (*fn)(int64_t plane, double *room, void *data), void *data)
{
	struct plane_work w = { .planes = planes, .workers = 1, .room = room, .fn = fn, .data = data };
	int64_t total;
	if ((double)planes * (double)cost > 1e5 && k->threads > 1)
		w.workers = k->threads < planes ? k->threads : planes;
	if (__builtin_mul_overflow(w.workers, room, &total))
		return kernel_fail(k, "needs more memory than can be counted");
	if (!(w.rooms = scratch_alloc(k, total, sizeof *w.rooms)))
		return false;
	in_parallel(k, w.workers, 1, work_on_planes, &w);
	return true;
}

/* ---- Arguments ---- */

bool arg_extents(struct kernel_call *k, const char *name, int spatial, int64_t least, int64_t *out)
{
	int n;
	const int64_t *list = arg_ints(k, name, &n);
	if (!list)
		return false;
	if (n <= 0)
		return true;
	if (n != 1 && n != spatial)
		return kernel_fail(k, "%s has %d numbers; expected %d", name, n, spatial);
	for (int i = 0; i < spatial; i++) {
		int64_t v = list[n == 1 ? 0 : i];
		if (v < least || v > INT32_MAX)
			return kernel_fail(k, "%s must be at least %lld and fit 32 bits, not %lld", name, (long long)least, (long long)v);
		out[3 - spatial + i] = v;
	}
	return true;
}
