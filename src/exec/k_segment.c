/* Segments of a dimension reduced to one element each (aten/src/ATen/native/SegmentReduce.cpp). */
#include <math.h>
#include <string.h>

#include "exec/kernel.h"

enum segment_reduction { SEGMENT_MAX, SEGMENT_MEAN, SEGMENT_MIN, SEGMENT_SUM, SEGMENT_PROD };

struct segments {
	enum segment_reduction reduction;
	int axis;
	int64_t outer, count, length, inner; /* data: [outer, length, inner], segments: [outer, count] */
	const int64_t *marks;            /* lengths [outer, count], or offsets [outer, count + 1] */
	bool are_offsets;
	double start;
	bool has_start;                  /* given by the caller */
};

static bool reduction_named(struct kernel_call *k, enum segment_reduction *out)
{
	static const char *const names[] = { "max", "mean", "min", "sum", "prod" };
	const char *name = arg_str(k, "reduce");
	for (int i = 0; name && i < 5; i++)
		if (strcmp(name, names[i]) == 0)
			return *out = (enum segment_reduction)i, true;
	return kernel_fail(k, "unsupported reduction %s", name ? name : "None");
}

/* The last dimension of lengths or offsets lies along the axis; those before are data's. */
static bool segments_read(struct kernel_call *k, const struct tensor *data, struct segments *s)
{
	static const double starts[] = { -INFINITY, 0, INFINITY, 0, 1 };
	const struct tensor *lengths = arg_tensor(k, "lengths"), *offsets = arg_tensor(k, "offsets"), *marks = lengths ? lengths : offsets;
	if (!marks || !reduction_named(k, &s->reduction))
		return marks || kernel_fail(k, "either lengths or offsets must be given");
	s->axis = marks->ndim - 1;
	s->are_offsets = !lengths;
	if (s->axis < 0 || s->axis >= data->ndim || memcmp(marks->size, data->size, (size_t)s->axis * sizeof *data->size) != 0)
		return kernel_fail(k, "the segments do not fit the data");
	s->count = marks->size[s->axis] - s->are_offsets;
	if (s->count < 0)
		return kernel_fail(k, "there are no offsets");
	s->outer = sizes_product(data->size, 0, s->axis);
	s->length = data->size[s->axis];
	s->inner = sizes_product(data->size, s->axis + 1, data->ndim);
	s->has_start = !arg_is_none(k, "initial");
	s->start = arg_real(k, "initial", starts[s->reduction]);
	s->marks = ints_of(k, marks);
	return s->marks != NULL;
}

/* Segment i of row o: [*from, *to) of the axis; the rest of what is given is *from for lengths. */
static bool segment_bounds(struct kernel_call *k, const struct segments *s, int64_t o, int64_t i, int64_t *from, int64_t *to)
{
	const int64_t *marks = s->marks + o * (s->count + s->are_offsets) + i;
	int64_t length = s->are_offsets ? marks[1] - marks[0] : marks[0];
	*from = s->are_offsets ? marks[0] : *to;
	if (length < 0 || *from < 0 || *from > s->length || length > s->length - *from)
		return kernel_fail(k, "segment %lld of %lld elements does not lie within the %lld of its dimension", (long long)i, (long long)length, (long long)s->length);
	*to = *from + length;
	return true;
}

static double reduce_one(const struct segments *s, const double *x, int64_t n)
{
	double y = s->start;
	for (int64_t i = 0; i < n; i++) {
		double v = x[i * s->inner];
		switch (s->reduction) {
		case SEGMENT_MAX: y = isnan(v) || v > y ? v : y; break;
		case SEGMENT_MIN: y = isnan(v) || v < y ? v : y; break;
		case SEGMENT_PROD: y *= v; break;
		default: y += v; break;
		}
	}
	if (s->reduction != SEGMENT_MEAN)
		return y;
	return n > 0 ? y / (double)n : s->has_start ? y : NAN;
}

static bool k_segment_reduce(struct kernel_call *k)
{
	struct tensor *data = arg_tensor(k, "data");
	struct segments s = { .count = 0 };
	int64_t size[MAX_DIMS];
	if (!segments_read(k, data, &s))
		return false;
	memcpy(size, data->size, (size_t)data->ndim * sizeof *size);
	size[s.axis] = s.count;
	struct tensor *out = out_new(k, data->dtype, data->ndim, size);
	const double *x = out ? doubles_of(k, data) : NULL;
	double *y = x ? doubles_for(k, out) : NULL;
	for (int64_t o = 0; y && o < s.outer; o++)
		for (int64_t i = 0, from = 0, to = 0; i < s.count; i++) {
			if (!segment_bounds(k, &s, o, i, &from, &to))
				return false;
			for (int64_t j = 0; j < s.inner; j++)
				y[(o * s.count + i) * s.inner + j] = reduce_one(&s, x + (o * s.length + from) * s.inner + j, to - from);
		}
	return y != NULL;
}

const struct kernel_row segment_kernels[] = {
	{ .name = "segment_reduce", .run = k_segment_reduce },
	{ 0 }
};
