/* numpy/lib/format.py */
#include "load/npy.h"

#include <string.h>

#include "lang/lang.h"
#include "load/archive.h"

static const char magic[] = "\x93NUMPY";

/* ---- The header ---- */

bool npy_dtype(const char *descr, enum dtype *out, bool *swapped, nns_error *err)
{
	static const struct { const char *code; enum dtype dtype; } rows[] = {
		{ "b1", DT_BOOL }, { "u1", DT_UINT8 }, { "i1", DT_INT8 }, { "i2", DT_INT16 }, { "i4", DT_INT32 }, { "i8", DT_INT64 },
		{ "u2", DT_UINT16 }, { "u4", DT_UINT32 }, { "u8", DT_UINT64 }, { "f2", DT_FLOAT16 }, { "f4", DT_FLOAT32 }, { "f8", DT_FLOAT64 },
		{ "c8", DT_COMPLEX64 }, { "c16", DT_COMPLEX128 },
	};
	bool ordered = *descr && strchr("<>|=", *descr);
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
		if (strcmp(rows[i].code, descr + ordered) == 0) {
			*out = rows[i].dtype;
			*swapped = *descr == '>' && dtype_size(*out) > 1;
			return true;
		}
	if (strchr(descr, 'O'))
		return fail(err, NNS_UNSUPPORTED, "an array of Python objects, which would have to be run to be read");
	return fail(err, NNS_UNSUPPORTED, "an array of '%.20s'", descr);
}

bool npy_swap(struct arena *a, struct value *v, nns_error *err)
{
	size_t n = (size_t)value_bytes(v), width = dtype_size(v->dtype) / (dtype_is_complex(v->dtype) ? 2 : 1);
	unsigned char *out = arena_alloc(a, n + 1);
	if (!out)
		return fail_memory(err);
	for (size_t i = 0; i < n; i++)
		out[i] = v->storage[i - i % width + (width - 1 - i % width)];
	v->storage = out;
	v->storage_bytes = n;
	return true;
}

void npy_column_major(struct value *v)
{
	int64_t step = 1;
	for (int i = 0; i < v->ndim; i++) {
		v->stride[i] = step;
		step *= v->size[i] > 1 ? v->size[i] : 1;
	}
}

static const struct datum *item(struct datum header, const char *name)
{
	return header.kind == D_DICT ? dict_get(header.u.dict, datum_str(name)) : NULL;
}

/* Numbers, strings, True, False and brackets: nothing that could be called or computed. */
static bool is_literal(const char *text, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (text[i] == '\'' || text[i] == '"') {
			const char *end = memchr(text + i + 1, text[i], n - i - 1);
			if (!end)
				return false;
			i = (size_t)(end - text);
		} else if (n - i >= 4 && memcmp(text + i, "True", 4) == 0) {
			i += 3;
		} else if (n - i >= 5 && memcmp(text + i, "False", 5) == 0) {
			i += 4;
		} else if (!text[i] || !strchr("0123456789 \t\r\n{}[](),:L", text[i])) {
			return false;
		}
	}
	return true;
}

/* The header is a dict of Python, so Python's parser reads it. */
static bool parse_header(struct arena *a, const char *text, size_t n, struct datum *out, nns_error *err)
{
	static const struct lang_host nothing = { 0 };
	struct interp in;
	struct scope scope = { 0 };
	if (!is_literal(text, n))
		return fail(err, NNS_FORMAT, "the header is not a dict of literals");
	const struct code *code = lang_parse_expression(a, text, n, "header", err);
	interp_init(&in, a, &nothing, NULL);
	return code && lang_eval(&in, code, &scope, out, err);
}

static bool read_shape(const struct datum *shape, int64_t *size, int *ndim, nns_error *err)
{
	if (!shape || shape->kind != D_TUPLE || shape->u.seq->n > MAX_DIMS)
		return fail(err, NNS_FORMAT, "the header has no shape");
	*ndim = (int)shape->u.seq->n;
	for (int i = 0; i < *ndim; i++) {
		if (shape->u.seq->items[i].kind != D_INT || shape->u.seq->items[i].u.i < 0)
			return fail(err, NNS_FORMAT, "size %d of the shape is not a number", i);
		size[i] = shape->u.seq->items[i].u.i;
	}
	return true;
}

static bool header_length(const unsigned char *data, size_t len, size_t *start, size_t *n, nns_error *err)
{
	if (len < 10 || memcmp(data, magic, 6) != 0)
		return fail(err, NNS_FORMAT, "not a NumPy array");
	*start = data[6] == 1 ? 10 : 12;
	*n = (size_t)data[8] | (size_t)data[9] << 8;
	if (data[6] > 1 && len >= 12)
		*n |= (size_t)data[10] << 16 | (size_t)data[11] << 24;
	if (data[6] < 1 || data[6] > 3 || len < *start || *n > len - *start)
		return fail(err, NNS_FORMAT, "byte 8: the header of %zu bytes reaches beyond the end", *n);
	return true;
}

bool npy_read(struct arena *a, const unsigned char *data, size_t len, struct value **out, nns_error *err)
{
	size_t start = 0, n = 0;
	struct datum header;
	int64_t size[MAX_DIMS];
	int ndim = 0;
	enum dtype dtype = DT_NONE;
	bool swapped = false;
	if (!header_length(data, len, &start, &n, err))
		return false;
	if (!parse_header(a, (const char *)data + start, n, &header, err))
		return fail_within(err, "byte %zu: ", start);
	const struct datum *descr = item(header, "descr"), *fortran = item(header, "fortran_order");
	if (!descr || descr->kind != D_STR || !fortran)
		return fail(err, NNS_FORMAT, "byte %zu: the header lacks descr or fortran_order", start);
	if (!npy_dtype(descr->u.s, &dtype, &swapped, err) || !read_shape(item(header, "shape"), size, &ndim, err))
		return false;
	if (!shape_fits(ndim, size, dtype))
		return fail(err, NNS_FORMAT, "byte %zu: a shape of more bytes than 63 bits can count", start);
	struct value *v = value_new(a, dtype, ndim, size);
	if (!v)
		return fail_memory(err);
	v->storage = data + start + n;
	v->storage_bytes = len - start - n;
	if ((uint64_t)value_bytes(v) > v->storage_bytes)
		return fail(err, NNS_FORMAT, "byte %zu: %lld bytes of elements are missing", len, (long long)value_bytes(v) - (long long)v->storage_bytes);
	if (datum_truth(*fortran))
		npy_column_major(v);
	*out = v;
	return !swapped || npy_swap(a, v, err);
}

/* ---- Archives ---- */

static bool read_entries(struct arena *a, struct archive *z, struct npz_array *all, size_t *n, nns_error *err)
{
	for (size_t i = 0; i < archive_count(z); i++) {
		const struct archive_entry *e = archive_at(z, i);
		const unsigned char *bytes;
		size_t len, name = strlen(e->name);
		if (name < 4 || strcmp(e->name + name - 4, ".npy") != 0)
			continue;
		if (!archive_bytes(z, e, SIZE_MAX, &bytes, &len, err))
			return false;
		if (!npy_read(a, bytes, len, &all[*n].value, err))
			return fail_within(err, "%s: ", e->name);
		all[*n].name = arena_strndup(a, e->name, name - 4);
		if (!all[(*n)++].name)
			return fail_memory(err);
	}
	return true;
}

bool npz_read(struct arena *a, const unsigned char *data, size_t len, struct npz_array **out, size_t *n, nns_error *err)
{
	bool single = len >= 6 && memcmp(data, magic, 6) == 0;
	struct archive *z = single ? NULL : archive_open(a, data, len, err);
	if (!single && !z)
		return false;
	*n = 0;
	*out = arena_array(a, single ? 1 : archive_count(z) + 1, sizeof **out);
	if (!*out)
		return fail_memory(err);
	if (!single)
		return read_entries(a, z, *out, n, err);
	(*out)[0].name = "";
	*n = 1;
	return npy_read(a, data, len, &(*out)[0].value, err);
}
