/*
 * What torch.save wrote, by torch/serialization.py.
 *
 * Since 1.6 a zip:   NAME/data.pkl      the object; storages by key
 *                    NAME/data/KEY      the bytes of a storage
 *                    NAME/constants.pkl and NAME/code/ in TorchScript, whose object has the modules
 *
 * Before that pickles in a row: a magic number, the protocol (1001), system information, the object, a list of keys; then for
 * each key 8 bytes of element count and the bytes.
 */
#include <string.h>

#include "base/text.h"
#include "load/archive.h"
#include "load/checkpoint.h"
#include "load/script_file.h"
#include "load/torch_pickle.h"

enum { MAX_OLD = 64 << 20 };     /* bytes of a pickle that is read to see whether it is one */

/* ---- Zip ---- */

static const struct archive_entry *find_pickle(const struct archive *z)
{
	for (size_t i = 0; i < archive_count(z); i++)
		if (text_ends_with(archive_at(z, i)->name, "/data.pkl"))
			return archive_at(z, i);
	return NULL;
}

/* NAME/version holds the version of the archive as text; only TorchScript has constants. */
static const char *origin_of(struct arena *a, struct archive *z, const struct archive_entry *object)
{
	int top = (int)(strlen(object->name) - strlen("data.pkl"));
	char *version = arena_printf(a, "%.*sversion", top, object->name), *constants = arena_printf(a, "%.*sconstants.pkl", top, object->name);
	const struct archive_entry *e = version ? archive_find(z, version) : NULL;
	const char *what = constants && archive_find(z, constants) ? "torch.jit.save()" : "torch.save()";
	const unsigned char *bytes;
	size_t len;
	if (!e || !archive_bytes(z, e, 20, &bytes, &len, NULL))
		return what;
	const unsigned char *end = len ? memchr(bytes, '\n', len) : NULL;
	return arena_printf(a, "%s, archive version %.*s", what, (int)(end ? (size_t)(end - bytes) : len), (const char *)bytes);
}

/* When the code cannot be read the tensors still can. */
static bool load_script(struct model *m, struct archive *z, const char *top, struct datum object, nns_error *err)
{
	nns_error why = { 0 };
	if (script_model(m, z, top, object, &why))
		return true;
	if (!checkpoint_model(m, object, err))
		return false;
	m->note = arena_printf(m->arena, "its code cannot be traced: %s", why.message);
	return m->note || fail_memory(err);
}

bool torch_saved_object(struct torch_pickle *t, const unsigned char *data, size_t len, struct datum *out)
{
	struct archive *z = archive_open(t->arena, data, len, t->err);
	const struct archive_entry *e = z ? find_pickle(z) : NULL;
	const unsigned char *bytes;
	size_t n, used;
	if (!z)
		return false;
	if (!e)
		return fail(t->err, NNS_FORMAT, "there is no data.pkl in the archive");
	char *top = arena_strndup(t->arena, e->name, strlen(e->name) - strlen("data.pkl"));
	if (!top)
		return fail_memory(t->err);
	if (!archive_content(z, e, SIZE_MAX, &bytes, &n, t->err))
		return false;
	if (!torch_pickle_read(t, bytes, n, out, &used))
		return fail_within(t->err, "%s: ", e->name);
	return torch_give_bytes(t, z, top, "data", t->err) && torch_pickle_finish(t);
}

static bool load_zip(const struct load_file *f, struct model *m, nns_error *err)
{
	struct torch_pickle t = { .arena = m->arena, .err = err };
	struct archive *z = archive_open(m->arena, (const unsigned char *)f->data, f->len, err);
	struct datum object;
	if (!z || !torch_saved_object(&t, (const unsigned char *)f->data, f->len, &object))
		return false;
	const struct archive_entry *e = find_pickle(z);
	m->origin = origin_of(m->arena, z, e);
	char *top = arena_strndup(m->arena, e->name, strlen(e->name) - strlen("data.pkl"));
	if (!top)
		return fail_memory(err);
	if (!script_is(z, top, object))
		return checkpoint_model(m, object, err);
	m->kind = "TorchScript archive";
	return load_script(m, z, top, object, err);
}

static bool is_pickle(const char *name, size_t n)
{
	return n >= 9 && memcmp(name + n - 9, "/data.pkl", 9) == 0;
}

int torch_zip_bid(const struct load_file *f)
{
	if (f->len < 4 || memcmp(f->data, "PK\x03\x04", 4) != 0)
		return 0;
	if (archive_begins(f->data, f->len, "/data.pkl"))
		return 88;
	return archive_has(f->data, f->len, is_pickle) ? 88 : 0;
}

bool torch_zip_load(const struct load_file *f, struct model *m, nns_error *err)
{
	return load_zip(f, m, err) || fail_within(err, "%s: ", f->path);
}

/* ---- Pickles in a row ---- */

/* The magic number 0x1950a86a20f9469cfc6c is the first pickle: of protocol 2 on LONG1, before that a line; 4 and 5 frame it. */
static bool has_magic(const struct load_file *f)
{
	static const unsigned char binary[] = { 0x8a, 0x0a, 0x6c, 0xfc, 0x9c, 0x46, 0xf9, 0x20, 0x6a, 0xa8, 0x50, 0x19, '.' };
	static const char line[] = "L119547037146038801333356L\n.";
	size_t at = f->len > 12 && (unsigned char)f->data[0] == 0x80 ? (unsigned char)f->data[2] == 0x95 ? 11 : 2 : 0;
	if (at == 0)
		return f->len > sizeof line && memcmp(f->data, line, sizeof line - 1) == 0;
	return f->len > at + sizeof binary && memcmp(f->data + at, binary, sizeof binary) == 0;
}

static bool next_pickle(struct torch_pickle *t, const struct load_file *f, size_t *at, struct datum *out)
{
	size_t used;
	if (!torch_pickle_read(t, (const unsigned char *)f->data + *at, f->len - *at, out, &used))
		return fail_within(t->err, "pickle at byte %zu: ", *at);
	*at += used;
	return true;
}

static bool read_storage(struct torch_pickle *t, const struct load_file *f, size_t *at, struct datum key)
{
	const char *name = torch_key(t, key);
	struct torch_storage *s = name ? map_get(&t->storages, name) : NULL;
	if (!s)
		return fail(t->err, NNS_FORMAT, "byte %zu: bytes for a storage that no tensor uses", *at);
	return torch_raw_storage(t, (const unsigned char *)f->data, f->len, at, s);
}

static bool load_legacy(const struct load_file *f, struct model *m, nns_error *err)
{
	struct torch_pickle t = { .arena = m->arena, .err = err };
	struct datum ignored, object, keys;
	size_t at = 0;
	for (int i = 0; i < 3; i++)
		if (!next_pickle(&t, f, &at, &ignored))
			return false;
	if (!next_pickle(&t, f, &at, &object) || !next_pickle(&t, f, &at, &keys))
		return false;
	for (size_t i = 0; datum_is_seq(keys) && i < keys.u.seq->n; i++)
		if (!read_storage(&t, f, &at, keys.u.seq->items[i]))
			return false;
	m->origin = "torch.save() before 1.6";
	return torch_pickle_finish(&t) && checkpoint_model(m, object, err);
}

/* A pickle of protocol 0 or 1 has no mark of its own: it is one when all of it reads as one. */
static bool is_old_pickle(const struct load_file *f)
{
	struct pickle_options o = { .make = NULL };
	nns_error ignored = { 0 };
	struct datum d;
	size_t used = 0;
	if (f->len < 2 || f->len > MAX_OLD || !strchr("c(]}", f->data[0]) || !f->data[0] || !memchr(f->data, '.', f->len))
		return false;
	struct arena *scratch = arena_new(NULL, &ignored);
	bool whole = scratch && pickle_read(scratch, (const unsigned char *)f->data, f->len, &o, &d, &used, &ignored) && used + 1 >= f->len;
	arena_free(scratch);
	return whole;
}

/* One pickle of anything. */
static bool load_pickle(const struct load_file *f, struct model *m, nns_error *err)
{
	struct torch_pickle t = { .arena = m->arena, .err = err };
	struct datum object;
	size_t at = 0;
	return next_pickle(&t, f, &at, &object) && torch_pickle_finish(&t) && checkpoint_model(m, object, err);
}

int torch_legacy_bid(const struct load_file *f)
{
	if (has_magic(f))
		return 95;
	if (f->len > 2 && (unsigned char)f->data[0] == 0x80 && f->data[1] >= 2 && f->data[1] <= 5)
		return 65;
	return is_old_pickle(f) ? 30 : 0;
}

bool torch_legacy_load(const struct load_file *f, struct model *m, nns_error *err)
{
	return (has_magic(f) ? load_legacy(f, m, err) : load_pickle(f, m, err)) || fail_within(err, "%s: ", f->path);
}
