#include "exec/slide.h"

/* The input under tap t of window o; a transposed convolution spreads the input stride elements apart first. */
static int64_t source_of(const struct slide *s, int axis, int64_t o, int64_t t)
{
	int64_t stride = s->stride[axis], at;
	if (!s->transposed) {
		at = o * stride - s->padding[axis] + t * s->dilation[axis];
	} else {
		at = o + s->padding[axis] - t * s->dilation[axis];
		if (at % stride != 0)
			return -1;
		at /= stride;
	}
	return at >= 0 && at < s->in[axis] ? at : -1;
}

bool slide_prepare(struct kernel_call *k, struct slide *s)
{
	s->taps = sizes_product(s->kernel, 0, 3);
	s->in_area = sizes_product(s->in, 0, 3);
	s->out_area = sizes_product(s->out, 0, 3);
	for (int a = 0; a < 3; a++) {
		int64_t n, *source;
		if (__builtin_mul_overflow(s->kernel[a], s->out[a], &n))
			return kernel_fail(k, "needs more memory than can be counted");
		if (!(source = scratch_alloc(k, n, sizeof *source)))
			return false;
		for (int64_t t = 0; t < s->kernel[a]; t++)
			for (int64_t o = 0; o < s->out[a]; o++)
				source[t * s->out[a] + o] = source_of(s, a, o, t);
		s->source[a] = source;
	}
	return true;
}

/* Where a run of columns comes from: row is the start of the input's row, -1 outside; columns[i] the place in the row. */
struct column_run {
	int64_t row, length;
	const int64_t *columns;
};

static struct column_run run_from(const struct slide *s, int64_t tap, int64_t from, int64_t to)
{
	int64_t ow = from % s->out[2], oh = from / s->out[2] % s->out[1], od = from / s->out[2] / s->out[1];
	int64_t kw = tap % s->kernel[2], kh = tap / s->kernel[2] % s->kernel[1], kd = tap / s->kernel[2] / s->kernel[1];
	int64_t d = s->source[0][kd * s->out[0] + od], h = s->source[1][kh * s->out[1] + oh], left = s->out[2] - ow;
	return (struct column_run){ .row = d < 0 || h < 0 ? -1 : (d * s->in[1] + h) * s->in[2], .length = left < to - from ? left : to - from,
	                            .columns = s->source[2] + kw * s->out[2] + ow };
}

#define DEFINE_UNFOLD(name, R) \
	void name(const struct slide *s, int64_t channels, const R *image, int64_t from, int64_t to, R *out) \
	{ \
		for (int64_t row = 0; row < channels * s->taps; row++) \
			for (int64_t p = from; p < to;) { \
				struct column_run r = run_from(s, row % s->taps, p, to); \
				const R *line = image + row / s->taps * s->in_area + (r.row < 0 ? 0 : r.row); \
				for (int64_t i = 0; i < r.length; i++) \
					*out++ = r.row >= 0 && r.columns[i] >= 0 ? line[r.columns[i]] : 0; \
				p += r.length; \
			} \
	}
DEFINE_UNFOLD(unfold_float, float)
DEFINE_UNFOLD(unfold_double, double)

void fold_double(const struct slide *s, int64_t channels, const double *columns, double *image)
{
	for (int64_t row = 0; row < channels * s->taps; row++)
		for (int64_t p = 0; p < s->out_area;) {
			struct column_run r = run_from(s, row % s->taps, p, s->out_area);
			double *line = image + row / s->taps * s->in_area + (r.row < 0 ? 0 : r.row);
			for (int64_t i = 0; i < r.length; i++, columns++)
				if (r.row >= 0 && r.columns[i] >= 0)
					line[r.columns[i]] += *columns;
			p += r.length;
		}
}
