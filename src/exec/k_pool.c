/*
 * Pooling: the largest or the mean element of windows.  The kinds differ in
 * where windows lie (aten/src/ATen/native/{Pool.h,AdaptivePooling.h,
 * FractionalMaxPooling.h}, cpu/{MaxPoolKernel,AvgPoolKernel,MaxUnpoolKernel}.cpp).
 */
#include <math.h>
#include <string.h>

#include "exec/spatial.h"
#include "ops/window.h"

/* A window along one axis: elements from, from + step, ... before to; its length with padding. */
struct span {
	int64_t from, to, step, padded;
};

struct pool {
	struct tensor *self;
	int spatial;
	struct image in, out, indices;
	int64_t extent[3];               /* of the output */
	struct span *spans[3];           /* [extent] each */
	bool largest, include_padding, whole;
	enum dtype steps;                /* a half in which adaptive means of volumes are summed and divided; any other type: none */
	int64_t divisor;                 /* 0: the size of the window */
};

static bool pool_read(struct kernel_call *k, struct pool *p, int spatial)
{
	p->self = arg_tensor(k, "self");
	p->spatial = spatial;
	int lead = p->self->ndim - spatial;
	if (lead != 1 && lead != 2)
		return kernel_fail(k, "input has %d dimensions; expected %d or %d", p->self->ndim, spatial + 1, spatial + 2);
	for (int i = lead - 1; i < p->self->ndim; i++)
		if (p->self->size[i] == 0)
			return kernel_fail(k, "input is empty in dimension %d", i);
	p->in = image_of(p->self, spatial);
	p->whole = !dtype_is_float(p->self->dtype);
	for (int a = 0; a < 3; a++)
		p->extent[a] = 1;
	return true;
}

static bool pool_spans(struct kernel_call *k, struct pool *p)
{
	for (int a = 0; a < 3; a++)
		if (!(p->spans[a] = scratch_alloc(k, p->extent[a], sizeof *p->spans[a])))
			return false;
	return true;
}

/* ---- One plane ---- */

static int64_t span_length(const struct span *s)
{
	return s->to > s->from ? (s->to - s->from + s->step - 1) / s->step : 0;
}

/* NaN wins, and the last of several. */
static int64_t largest_at(const struct pool *p, const double *in, const struct span *d, const struct span *h, const struct span *w)
{
	int64_t at = (d->from * p->in.extent[1] + h->from) * p->in.extent[2] + w->from;
	double most = -INFINITY;
	for (int64_t z = d->from; z < d->to; z += d->step)
		for (int64_t y = h->from; y < h->to; y += h->step)
			for (int64_t x = w->from; x < w->to; x += w->step) {
				int64_t i = (z * p->in.extent[1] + y) * p->in.extent[2] + x;
				if (in[i] > most || isnan(in[i])) {
					most = in[i];
					at = i;
				}
			}
	return at;
}

/* adaptive_avg_pool3d_out_frame(): a sum in the type of the input, divided by one extent after another */
static double mean_in_steps(const struct pool *p, const double *in, const struct span *d, const struct span *h, const struct span *w)
{
	const struct span *const spans[3] = { d, h, w };
	double v = 0;
	for (int64_t z = d->from; z < d->to; z++)
		for (int64_t y = h->from; y < h->to; y++)
			for (int64_t x = w->from; x < w->to; x++)
				v = half_rounded(p->steps, v + in[(z * p->in.extent[1] + y) * p->in.extent[2] + x]);
	for (int a = 0; a < 3; a++)
		v = half_rounded(p->steps, v / (double)span_length(spans[a]));
	return v;
}

static double mean_of(const struct pool *p, const double *in, const struct span *d, const struct span *h, const struct span *w)
{
	double sum = 0, n = (double)(span_length(d) * span_length(h) * span_length(w));
	if (n == 0)
		return 0;
	if (dtype_is_half(p->steps))
		return mean_in_steps(p, in, d, h, w);
	for (int64_t z = d->from; z < d->to; z++)
		for (int64_t y = h->from; y < h->to; y++)
			for (int64_t x = w->from; x < w->to; x++)
				sum += in[(z * p->in.extent[1] + y) * p->in.extent[2] + x];
	if (p->divisor)
		n = (double)p->divisor;
	else if (p->include_padding)
		n = (double)(d->padded * h->padded * w->padded);
	return p->whole ? trunc(sum / n) : sum / n;
}

static void pool_plane(int64_t plane, double *room, void *data)
{
	const struct pool *p = data;
	double *in = room, *out = room + p->in.area, *indices = out + p->out.area;
	int64_t n = 0;
	plane_read(&p->in, plane, in);
	for (int64_t z = 0; z < p->extent[0]; z++)
		for (int64_t y = 0; y < p->extent[1]; y++)
			for (int64_t x = 0; x < p->extent[2]; x++, n++) {
				const struct span *d = &p->spans[0][z], *h = &p->spans[1][y], *w = &p->spans[2][x];
				int64_t at = p->largest ? largest_at(p, in, d, h, w) : 0;
				out[n] = p->largest ? in[at] : mean_of(p, in, d, h, w);
				indices[n] = (double)at;
			}
	plane_write(&p->out, plane, out);
	if (p->largest)
		plane_write(&p->indices, plane, indices);
}

/* Elements under all windows of a plane, for an idea of the cost. */
static int64_t pool_cost(const struct pool *p)
{
	int64_t cost = 1;
	for (int a = 0; a < 3; a++) {
		int64_t sum = 0;
		for (int64_t o = 0; o < p->extent[a]; o++)
			sum += span_length(&p->spans[a][o]);
		cost *= sum;
	}
	return cost + p->in.area;
}

static bool pool_run(struct kernel_call *k, struct pool *p, enum memory_format f)
{
	int64_t size[5];
	int lead = p->self->ndim - p->spatial;
	memcpy(size, p->self->size, (size_t)lead * sizeof *size);
	memcpy(size + lead, p->extent + 3 - p->spatial, (size_t)p->spatial * sizeof *size);
	struct tensor *out = out_format(k, p->self->dtype, p->self->ndim, size, f);
	struct tensor *indices = out && p->largest ? out_format(k, DT_INT64, p->self->ndim, size, f) : NULL;
	if (!out || (p->largest && !indices))
		return false;
	p->out = image_of(out, p->spatial);
	if (indices)
		p->indices = image_of(indices, p->spatial);
	return each_plane(k, p->in.planes, pool_cost(p), p->in.area + 2 * p->out.area, pool_plane, p);
}

/* ---- Windows of one size ---- */

static bool regular(struct kernel_call *k, struct pool *p)
{
	int64_t kernel[3] = { 1, 1, 1 }, stride[3], padding[3] = { 0 }, dilation[3] = { 1, 1, 1 };
	bool ceil_mode = arg_bool(k, "ceil_mode", false);
	if (!arg_extents(k, "kernel_size", p->spatial, 1, kernel))
		return false;
	memcpy(stride, kernel, sizeof stride);
	if (!arg_extents(k, "stride", p->spatial, 1, stride) || !arg_extents(k, "padding", p->spatial, 0, padding) ||
	    !arg_extents(k, "dilation", p->spatial, 1, dilation))
		return false;
	for (int a = 0; a < 3; a++) {
		p->extent[a] = window_extent(p->in.extent[a], kernel[a], padding[a], stride[a], dilation[a], ceil_mode);
		if (p->extent[a] < 1 || padding[a] > kernel[a] / 2)
			return kernel_fail(k, "no window of %lld fits %lld elements with padding %lld", (long long)kernel[a], (long long)p->in.extent[a],
			                   (long long)padding[a]);
	}
	if (!pool_spans(k, p))
		return false;
	for (int a = 0; a < 3; a++)
		for (int64_t o = 0; o < p->extent[a]; o++) {
			int64_t from = o * stride[a] - padding[a], to = from + (kernel[a] - 1) * dilation[a] + 1, in = p->in.extent[a];
			int64_t end = to < in + padding[a] ? to : in + padding[a], before = from < 0 ? (dilation[a] - 1 - from) / dilation[a] : 0;
			p->spans[a][o] = (struct span){ .from = from + before * dilation[a], .to = to < in ? to : in, .step = dilation[a], .padded = end - from };
		}
	return true;
}

static bool max_pool(struct kernel_call *k, int spatial)
{
	struct pool p = { .largest = true };
	return pool_read(k, &p, spatial) && regular(k, &p) && pool_run(k, &p, tensor_format(p.self));
}

/* avg_pool3d() and the other averages of volumes do not keep the layout. */
static bool avg_pool(struct kernel_call *k, int spatial)
{
	struct pool p = { .include_padding = arg_bool(k, "count_include_pad", true), .divisor = arg_int(k, "divisor_override", 0) };
	if (!arg_is_none(k, "divisor_override") && p.divisor == 0)
		return kernel_fail(k, "divisor_override must not be zero");
	return pool_read(k, &p, spatial) && regular(k, &p) && pool_run(k, &p, spatial == 2 ? tensor_format(p.self) : FORMAT_CONTIGUOUS);
}

static bool k_max_pool2d(struct kernel_call *k) { return max_pool(k, 2); }
static bool k_max_pool3d(struct kernel_call *k) { return max_pool(k, 3); }
static bool k_avg_pool2d(struct kernel_call *k) { return avg_pool(k, 2); }
static bool k_avg_pool3d(struct kernel_call *k) { return avg_pool(k, 3); }

/* ---- Adaptive: as many windows as asked for, from floor(o in / out) to ceil((o + 1) in / out) ---- */

static bool adaptive(struct kernel_call *k, int spatial, bool largest)
{
	struct pool p = { .largest = largest };
	if (spatial == 3 && !largest && dtype_is_half(arg_tensor(k, "self")->dtype))
		p.steps = arg_tensor(k, "self")->dtype;
	if (!pool_read(k, &p, spatial) || !arg_extents(k, "output_size", spatial, 0, p.extent) || !pool_spans(k, &p))
		return false;
	for (int a = 0; a < 3; a++)
		for (int64_t o = 0, in = p.in.extent[a], out = p.extent[a]; o < out; o++) {
			int64_t from = o / out * in + o % out * in / out, to = ((o + 1) * in + out - 1) / out;
			p.spans[a][o] = (struct span){ .from = from, .to = to, .step = 1, .padded = to - from };
		}
	return pool_run(k, &p, spatial == 2 ? tensor_format(p.self) : FORMAT_CONTIGUOUS);
}

static bool k_adaptive_avg_pool2d(struct kernel_call *k) { return adaptive(k, 2, false); }
static bool k_adaptive_avg_pool3d(struct kernel_call *k) { return adaptive(k, 3, false); }
static bool k_adaptive_max_pool2d(struct kernel_call *k) { return adaptive(k, 2, true); }
static bool k_adaptive_max_pool3d(struct kernel_call *k) { return adaptive(k, 3, true); }

/* ---- Fractional: windows at pseudo-random places, others for each plane ---- */

struct fractional {
	struct pool pool;
	int64_t kernel[3];
	const double *samples;           /* [planes, spatial]: width, height in 2-D; depth, height, width in 3-D */
};

/* generate_intervals(), rounded as the input's type rounds */
static void fractional_spans(const struct fractional *f, int a, double sample, struct span *spans)
{
	int64_t out = f->pool.extent[a], room = f->pool.in.extent[a] - f->kernel[a];
	bool wide = f->pool.self->dtype == DT_FLOAT64;
	for (int64_t o = 0; o < out; o++) {
		int64_t from = room;
		if (o < out - 1 && wide) {
			double alpha = (double)room / (double)(out - 1);
			from = (int64_t)(((double)o + sample) * alpha) - (int64_t)(sample * alpha);
		} else if (o < out - 1) {
			float alpha = (float)room / (float)(out - 1), s = (float)sample;
			from = (int64_t)(((float)o + s) * alpha) - (int64_t)(s * alpha);
		}
		from = from < 0 ? 0 : from > room ? room : from;
		spans[o] = (struct span){ .from = from, .to = from + f->kernel[a], .step = 1, .padded = f->kernel[a] };
	}
}

static void fractional_plane(int64_t plane, double *room, void *data)
{
	struct fractional f = *(const struct fractional *)data;
	int spatial = f.pool.spatial;
	struct span *spans = (struct span *)(void *)(room + f.pool.in.area + 2 * f.pool.out.area);
	for (int a = 0; a < 3; a++) {
		int i = spatial == 3 ? a : 2 - a;
		fractional_spans(&f, a, i < spatial ? f.samples[plane * spatial + i] : 0, spans);
		f.pool.spans[a] = spans;
		spans += f.pool.extent[a];
	}
	pool_plane(plane, room, &f.pool);
}

static bool fractional(struct kernel_call *k, int spatial)
{
	struct fractional f = { .pool = { .largest = true }, .kernel = { 1, 1, 1 } };
	struct pool *p = &f.pool;
	struct tensor *samples = arg_tensor(k, "random_samples");
	if (!pool_read(k, p, spatial) || !arg_extents(k, "output_size", spatial, 1, p->extent) || !arg_extents(k, "kernel_size", spatial, 1, f.kernel))
		return false;
	int64_t size[5], spans = 0;
	memcpy(size, p->self->size, (size_t)p->in.lead * sizeof *size);
	for (int a = 0; a < 3; a++) {
		if (p->extent[a] + f.kernel[a] - 1 > p->in.extent[a])
			return kernel_fail(k, "an output of %lld by windows of %lld is too large for %lld elements", (long long)p->extent[a],
			                   (long long)f.kernel[a], (long long)p->in.extent[a]);
		spans += p->extent[a] * (int64_t)(sizeof(struct span) / sizeof(double));
	}
	memcpy(size + p->in.lead, p->extent + 3 - spatial, (size_t)spatial * sizeof *size);
	if (tensor_numel(samples) < p->in.planes * spatial)
		return kernel_fail(k, "random_samples has too few elements");
	f.samples = doubles_of(k, samples);
	struct tensor *out = out_new(k, p->self->dtype, p->self->ndim, size), *indices = out ? out_new(k, DT_INT64, p->self->ndim, size) : NULL;
	if (!f.samples || !indices)
		return false;
	p->out = image_of(out, spatial);
	p->indices = image_of(indices, spatial);
	return each_plane(k, p->in.planes, p->in.area, p->in.area + 2 * p->out.area + spans, fractional_plane, &f);
}

static bool k_fractional_max_pool2d(struct kernel_call *k) { return fractional(k, 2); }
static bool k_fractional_max_pool3d(struct kernel_call *k) { return fractional(k, 3); }

/* ---- Un-pooling: every element goes to the place that its index says ---- */

struct unpool {
	struct image in, indices, out;
};

static void unpool_plane(int64_t plane, double *room, void *data)
{
	const struct unpool *u = data;
	double *in = room, *indices = room + u->in.area, *out = indices + u->in.area;
	plane_read(&u->in, plane, in);
	plane_read(&u->indices, plane, indices);
	memset(out, 0, (size_t)u->out.area * sizeof *out);
	for (int64_t i = 0; i < u->in.area; i++)
		out[(int64_t)indices[i]] = in[i];
	plane_write(&u->out, plane, out);
}

static bool max_unpool(struct kernel_call *k, int spatial)
{
	struct tensor *self = arg_tensor(k, "self"), *indices = arg_tensor(k, "indices");
	int64_t extent[3] = { 1, 1, 1 }, size[5];
	int lead = self->ndim - spatial;
	if (lead < 1 || lead > 2 || indices->ndim != self->ndim || memcmp(indices->size, self->size, (size_t)self->ndim * sizeof *size) != 0)
		return kernel_fail(k, "input and indices must have one shape of %d or %d dimensions", spatial + 1, spatial + 2);
	if (!arg_extents(k, "output_size", spatial, 0, extent))
		return false;
	memcpy(size, self->size, (size_t)lead * sizeof *size);
	memcpy(size + lead, extent + 3 - spatial, (size_t)spatial * sizeof *size);
	struct tensor *out = out_format(k, self->dtype, self->ndim, size, spatial == 2 ? tensor_format(self) : FORMAT_CONTIGUOUS);
	const int64_t *at = ints_of(k, indices);
	if (!out || !at)
		return false;
	struct unpool u = { .in = image_of(self, spatial), .indices = image_of(indices, spatial), .out = image_of(out, spatial) };
	for (int64_t i = 0; i < tensor_numel(indices); i++)
		if (at[i] < 0 || at[i] >= u.out.area)
			return kernel_fail(k, "index %lld is outside of an output of %lld elements", (long long)at[i], (long long)u.out.area);
	return each_plane(k, u.in.planes, u.out.area, 2 * u.in.area + u.out.area, unpool_plane, &u);
}

static bool k_max_unpool2d(struct kernel_call *k) { return max_unpool(k, 2); }
static bool k_max_unpool3d(struct kernel_call *k) { return max_unpool(k, 3); }

const struct kernel_row pool_kernels[] = {
	{ .name = "max_pool2d_with_indices", .run = k_max_pool2d },
	{ .name = "max_pool3d_with_indices", .run = k_max_pool3d },
	{ .name = "avg_pool2d", .run = k_avg_pool2d },
	{ .name = "avg_pool3d", .run = k_avg_pool3d },
	{ .name = "_adaptive_avg_pool2d", .run = k_adaptive_avg_pool2d },
	{ .name = "_adaptive_avg_pool3d", .run = k_adaptive_avg_pool3d },
	{ .name = "adaptive_max_pool2d", .run = k_adaptive_max_pool2d },
	{ .name = "adaptive_max_pool3d", .run = k_adaptive_max_pool3d },
	{ .name = "fractional_max_pool2d", .run = k_fractional_max_pool2d },
	{ .name = "fractional_max_pool3d", .run = k_fractional_max_pool3d },
	{ .name = "max_unpool2d", .run = k_max_unpool2d },
	{ .name = "max_unpool3d", .run = k_max_unpool3d },
	{ 0 },
};
