#include "save/save.h"

#include <stdlib.h>
#include <string.h>
#include <zip.h>

#include "base/text.h"

static size_t bytes_of(const struct named_tensor *t)
{
	size_t n = dtype_size(t->dtype);
	for (int i = 0; i < t->ndim; i++)
		n *= (size_t)t->size[i];
	return n;
}

/* ---- .npz: numpy/lib/format.py, version 1.0 ---- */

/* NumPy has no bfloat16 and no float8: those are refused. */
static const char *descr_of(enum dtype d)
{
	switch (d) {
	case DT_BOOL: return "|b1";
	case DT_UINT8: return "|u1";
	case DT_INT8: return "|i1";
	case DT_INT16: return "<i2";
	case DT_INT32: return "<i4";
	case DT_INT64: return "<i8";
	case DT_UINT16: return "<u2";
	case DT_UINT32: return "<u4";
	case DT_UINT64: return "<u8";
	case DT_FLOAT16: return "<f2";
	case DT_FLOAT32: return "<f4";
	case DT_FLOAT64: return "<f8";
	case DT_COMPLEX64: return "<c8";
	case DT_COMPLEX128: return "<c16";
	default: return NULL;
	}
}

static void add_header(struct text *out, const struct named_tensor *t)
{
	struct text h;
	text_init(&h);
	text_addf(&h, "{'descr': '%s', 'fortran_order': False, 'shape': (", descr_of(t->dtype));
	for (int i = 0; i < t->ndim; i++)
		text_addf(&h, "%s%lld", i ? ", " : "", (long long)t->size[i]);
	text_add(&h, t->ndim == 1 ? ",), }" : "), }");
	text_fill(&h, ' ', (64 - (10 + h.len + 1) % 64) % 64);   /* the elements start at a multiple of 64 */
	text_addc(&h, '\n');
	text_addn(out, "\x93NUMPY\x01\x00", 8);
	text_addc(out, (char)(h.len & 0xff));
	text_addc(out, (char)(h.len >> 8));
	text_addn(out, h.data ? h.data : "", h.len);
	out->failed = out->failed || h.failed;
	text_release(&h);
}

/* Whether an archive's entry of that name would be unpacked outside the folder: an absolute path, a drive, or a part that is "..". */
static bool leads_outside(const char *name)
{
	if (*name && name[1] == ':')
		return true;
	for (const char *p = name; ; p++) {
		size_t n = strcspn(p, "/\\");
		if ((p == name && n == 0 && *p) || (n == 2 && memcmp(p, "..", 2) == 0))
			return true;
		p += n;
		if (!*p)
			return false;
	}
}

/* libzip takes a name with control characters for the code page that zip began with, which agrees with UTF-8 on ASCII alone. */
static zip_int64_t add_entry(zip_t *zip, const char *name, zip_source_t *source)
{
	zip_int64_t index = zip_file_add(zip, name, source, ZIP_FL_ENC_UTF_8);
	bool ascii = true;
	for (const char *p = name; *p; p++)
		ascii = ascii && (unsigned char)*p < 0x80;
	return index < 0 && ascii ? zip_file_add(zip, name, source, ZIP_FL_ENC_GUESS) : index;
}

static bool fail_entry(zip_t *zip, const char *name, nns_error *err)
{
	int code = zip_error_code_zip(zip_get_error(zip));
	return code == ZIP_ER_EXISTS || code == ZIP_ER_INVAL
	    ? fail(err, NNS_UNSUPPORTED, "a tensor is called '%s', which %s; write .safetensors", name,
	           code == ZIP_ER_EXISTS ? "the archive has already" : ".npz cannot say") : fail_memory(err);
}

static bool add_array(zip_t *zip, const struct named_tensor *t, nns_error *err)
{
	struct text file, name;
	if (leads_outside(t->name))
		return fail(err, NNS_UNSUPPORTED, "a tensor is called '%s', which an archive would unpack outside its folder; write .safetensors", t->name);
	if (!descr_of(t->dtype))
		return fail(err, NNS_UNSUPPORTED, "%s is %s, which .npz cannot hold; write .safetensors", t->name, dtype_name(t->dtype));
	text_init(&file);
	text_init(&name);
	add_header(&file, t);
	text_addn(&file, t->data, bytes_of(t));
	text_addf(&name, "%s.npy", t->name);
	bool ok = !file.failed && !name.failed;
	size_t len = file.len;
	char *bytes = ok ? text_take(&file) : NULL;
	zip_source_t *source = bytes ? zip_source_buffer(zip, bytes, len, 1) : NULL;
	zip_int64_t index = source ? add_entry(zip, name.data, source) : -1;
	if (index < 0) {
		if (source)
			zip_source_free(source);
		else
			free(bytes);
	} else {
		zip_set_file_compression(zip, (zip_uint64_t)index, ZIP_CM_STORE, 0);
		zip_file_set_mtime(zip, (zip_uint64_t)index, 315532800, 0);  /* 1980: the same bytes whenever it is written */
	}
	text_release(&file);
	text_release(&name);
	return index >= 0 || (source ? fail_entry(zip, t->name, err) : fail_memory(err));
}

/* Takes the archive; its bytes are the caller's to free. */
static bool close_archive(zip_t *zip, zip_source_t *source, char **bytes, size_t *len, nns_error *err)
{
	zip_stat_t st;
	static const char empty[22] = "PK\5\6"; /* the end record of a zip; libzip makes none where there are no entries */
	*bytes = NULL;
	if (zip_get_num_entries(zip, 0) == 0) {
		zip_discard(zip);
		*len = sizeof empty;
		if (!(*bytes = malloc(sizeof empty)))
			return fail_memory(err);
		memcpy(*bytes, empty, sizeof empty);
		return true;
	}
	if (zip_close(zip) != 0) {
		zip_discard(zip);
		return fail_memory(err);
	}
	if (zip_source_stat(source, &st) != 0 || !(*bytes = malloc(st.size + 1)))
		return fail_memory(err);
	*len = st.size;
	bool ok = zip_source_open(source) == 0 && zip_source_read(source, *bytes, st.size) == (zip_int64_t)st.size;
	zip_source_close(source);
	return ok || fail(err, NNS_IO, "the archive cannot be read back");
}

static bool save_npz(const char *path, const struct named_tensor *t, size_t n, struct file_pending *pending, nns_error *err)
{
	zip_error_t error;
	char *bytes = NULL;
	size_t len = 0;
	zip_error_init(&error);
	zip_source_t *source = zip_source_buffer_create(NULL, 0, 0, &error);
	if (source)
		zip_source_keep(source);
	zip_t *zip = source ? zip_open_from_source(source, ZIP_TRUNCATE, &error) : NULL;
	zip_error_fini(&error);
	if (!zip) {
		zip_source_free(source);
		return fail_memory(err);
	}
	bool ok = true;
	for (size_t i = 0; ok && i < n; i++)
		ok = add_array(zip, &t[i], err);
	if (!ok)
		zip_discard(zip);
	ok = ok && close_archive(zip, source, &bytes, &len, err) && file_stage(path, bytes, len, pending, err);
	zip_source_free(source);
	free(bytes);
	return ok;
}

/* ---- .safetensors: 8 bytes of length, a JSON header, the bytes ---- */

static const char *safe_name(enum dtype d)
{
	static const char *const names[DT_COUNT] = { [DT_BOOL] = "BOOL", [DT_UINT8] = "U8", [DT_INT8] = "I8", [DT_INT16] = "I16", [DT_INT32] = "I32",
		[DT_INT64] = "I64", [DT_FLOAT16] = "F16", [DT_BFLOAT16] = "BF16", [DT_FLOAT32] = "F32", [DT_FLOAT64] = "F64", [DT_COMPLEX64] = "C64",
		[DT_UINT16] = "U16", [DT_UINT32] = "U32", [DT_UINT64] = "U64", [DT_FLOAT8_E4M3FN] = "F8_E4M3", [DT_FLOAT8_E5M2] = "F8_E5M2" };
	return d >= 0 && d < DT_COUNT ? names[d] : NULL;
}

static bool save_safetensors(const char *path, const struct named_tensor *t, size_t n, struct file_pending *pending, nns_error *err)
{
	struct text header, file;
	size_t at = 0;
	text_init(&header);
	text_init(&file);
	text_addc(&header, '{');
	for (size_t i = 0; i < n; i++) {
		if (!safe_name(t[i].dtype)) {
			text_release(&header);
			return fail(err, NNS_UNSUPPORTED, "%s is %s, which .safetensors cannot hold", t[i].name, dtype_name(t[i].dtype));
		}
		text_add(&header, i ? "," : "");
		text_add_json(&header, t[i].name);
		text_addf(&header, ":{\"dtype\":\"%s\",\"shape\":[", safe_name(t[i].dtype));
		for (int k = 0; k < t[i].ndim; k++)
			text_addf(&header, "%s%lld", k ? "," : "", (long long)t[i].size[k]);
		text_addf(&header, "],\"data_offsets\":[%zu,%zu]}", at, at + bytes_of(&t[i]));
		at += bytes_of(&t[i]);
	}
	text_addc(&header, '}');
	text_fill(&header, ' ', (8 - header.len % 8) % 8);
	for (int i = 0; i < 8; i++)
		text_addc(&file, (char)(header.len >> 8 * i & 0xff));
	text_addn(&file, header.data ? header.data : "", header.len);
	for (size_t i = 0; i < n; i++)
		text_addn(&file, t[i].data, bytes_of(&t[i]));
	bool ok = header.failed || file.failed ? fail_memory(err) : file_stage(path, file.data, file.len, pending, err);
	text_release(&header);
	text_release(&file);
	return ok;
}

bool save_known(const char *path, nns_error *err)
{
	return text_ends_with(path, ".npz") || text_ends_with(path, ".safetensors") || fail(err, NNS_USAGE, "%s: tensors are written as .npz or .safetensors", path);
}

bool save_tensors(const char *path, const struct named_tensor *t, size_t n, struct file_pending *pending, nns_error *err)
{
	*pending = (struct file_pending){ NULL, NULL };
	if (!save_known(path, err))
		return false;
	return text_ends_with(path, ".npz") ? save_npz(path, t, n, pending, err) : save_safetensors(path, t, n, pending, err);
}
