/* numpy/lib/format.py */
#include "load/npy.h"

#include <string.h>

#include "load/archive.h"
#include "load/npy_header.h"

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
	return *descr ? fail(err, NNS_UNSUPPORTED, "an array of '%.20s'", descr) : fail(err, NNS_UNSUPPORTED, "an array of records");
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

bool npy_header_length(const unsigned char *data, size_t len, size_t *start, size_t *n, nns_error *err)
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

static bool npy_read(struct arena *a, const unsigned char *data, size_t len, struct value **out, nns_error *err)
{
	size_t start = 0, n = 0;
	struct npy_header h;
	enum dtype dtype = DT_NONE;
	bool swapped = false;
	if (!npy_header_length(data, len, &start, &n, err))
		return false;
	if (!npy_header_read((const char *)data + start, n, &h, err) || !npy_dtype(h.descr, &dtype, &swapped, err))
		return fail_within(err, "byte %zu: ", start);
	if (!shape_fits(h.ndim, h.size, dtype))
		return fail(err, NNS_FORMAT, "byte %zu: a shape of more bytes than 63 bits can count", start);
	struct value *v = value_new(a, dtype, h.ndim, h.size);
	if (!v)
		return fail_memory(err);
	v->storage = data + start + n;
	v->storage_bytes = len - start - n;
	if ((uint64_t)value_bytes(v) > v->storage_bytes)
		return fail(err, NNS_FORMAT, "byte %zu: %lld bytes of elements are missing", len, (long long)value_bytes(v) - (long long)v->storage_bytes);
	if (h.fortran)
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
