/* Inputs as text: [NAME=]SHAPE[:DTYPE] */
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "trace/trace.h"

static bool fail_shape(const char *text, nns_error *err)
{
	return fail(err, NNS_USAGE, "input '%s': expected [NAME=]SHAPE[:DTYPE], such as 10x3x224x224, x=10x3x224x224 or ids=2x7:int64", text);
}

/* AxBxC up to end, "scalar" or nothing for no dimensions. */
static bool parse_shape(const char *whole, const char *p, const char *end, int64_t *size, int *ndim, nns_error *err)
{
	*ndim = 0;
	if (p == end || (end - p == 6 && memcmp(p, "scalar", 6) == 0))
		return true;
	for (;;) {
		char *stop;
		errno = 0;
		if (!isdigit((unsigned char)*p) || *ndim == MAX_DIMS)
			return fail_shape(whole, err);
		long long v = strtoll(p, &stop, 10);
		if (errno)
			return fail(err, NNS_USAGE, "input '%s': a size does not fit 64 bits", whole);
		size[(*ndim)++] = v;
		if (stop == end)
			return true;
		if (*stop != 'x' && *stop != 'X' && *stop != ',')
			return fail_shape(whole, err);
		p = stop + 1;
	}
}

bool trace_parse_input(struct arena *a, const char *text, struct graph_input *out, nns_error *err)
{
	const char *equals = strchr(text, '='), *p = equals ? equals + 1 : text, *colon = strchr(p, ':');
	const char *end = colon ? colon : p + strlen(p);
	enum dtype dtype = colon ? dtype_from_name(strncmp(colon + 1, "torch.", 6) == 0 ? colon + 7 : colon + 1) : DT_FLOAT32;
	int64_t size[MAX_DIMS];
	int ndim;
	*out = (struct graph_input){ 0 };
	if (dtype == DT_NONE)
		return fail(err, NNS_USAGE, "input '%s': unknown dtype '%s'; float32, float64, float16, int64, bool, ... are known", text, colon + 1);
	if (equals && !(out->name = arena_strndup(a, text, (size_t)(equals - text))))
		return fail_memory(err);
	if (!parse_shape(text, p, end, size, &ndim, err))
		return false;
	if (!shape_fits(ndim, size, dtype))
		return fail(err, NNS_LIMIT, "input '%s': a tensor of that shape has more bytes than 63 bits can count", text);
	out->value = value_new(a, dtype, ndim, size);
	if (!out->value)
		return fail_memory(err);
	out->value->requires_grad = dtype_can_require_grad(dtype);
	return true;
}
