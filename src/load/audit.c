#include "load/audit.h"

#include <string.h>

#include "base/mapping.h"
#include "base/text.h"
#include "load/archive.h"
#include "load/load.h"
#include "load/pickle.h"

enum {
	MAX_FINDINGS = 2000,
	MAX_NESTED = 4,          /* pickles in the bytes of pickles */
	MAX_STACKED = 1000       /* pickles one after the other */
};

bool audit_add(struct audit *a, enum audit_level level, const char *rule, const char *entry, size_t at, const char *what, const char *why)
{
	if (a->n == MAX_FINDINGS)
		return a->dropped++, true;
	struct audit_finding *grown = arena_grow(a->arena, a->all, a->n, &a->cap, sizeof *grown);
	if (!grown || !what)
		return false;
	a->all = grown;
	grown[a->n++] = (struct audit_finding){ level, rule, entry, at, what, why ? why : "" };
	return true;
}

/* ---- Pickles ---- */

struct watcher {
	struct audit *audit;
	const char *entry;
	size_t base;             /* of the pickle in the entry */
	int nested;
	size_t names;            /* seen so far */
	bool failed;
};

bool audit_is_pickle(const unsigned char *p, size_t n)
{
	return n > 2 && p[0] == 0x80 && p[1] >= 2 && p[1] <= 5;
}

static void saw(void *data, enum pickle_event event, const struct pickled *what)
{
	struct watcher *w = data;
	struct audit *a = w->audit;
	const char *why = NULL;
	size_t at = w->base + what->at;
	if (event == PICKLE_HOLDS_BYTES) {
		if (w->nested < MAX_NESTED && audit_is_pickle(what->bytes, what->n_bytes))
			w->failed |= !audit_pickles(a, w->entry, what->bytes, what->n_bytes, at, w->nested + 1, false);
		return;
	}
	if (event == PICKLE_SETS_STATE && what->kind == PICKLED_GLOBAL)
		w->failed |= !audit_add(a, AUDIT_DANGER, "pickle-state", w->entry, at, arena_printf(a->arena, "changes attributes of %.200s", what->name), "replaces parts of a module or class");
	if (event == PICKLE_SETS_STATE || (event == PICKLE_CALLS && !what->name))
		return;
	w->names++;
	const struct pickled *global = event == PICKLE_CALLS ? pickled_of(what->callee) : what;
	enum audit_level level = audit_global(what->name, global ? global->attribute : NULL, &why);
	if (level == AUDIT_NOTE)
		return;
	const char *text = arena_printf(a->arena, event == PICKLE_CALLS ? "calls %.200s" : "imports %.200s", what->name);
	w->failed |= !audit_add(a, level, event == PICKLE_CALLS ? "pickle-call" : "pickle-import", w->entry, at, text, why);
}

/* PyTorch before 1.6: a magic number, the protocol, the system, the object and the keys of storages, which follow raw. */
static bool is_legacy_magic(struct datum d)
{
	static const unsigned char magic[] = { 0x6c, 0xfc, 0x9c, 0x46, 0xf9, 0x20, 0x6a, 0xa8, 0x50, 0x19 };
	const struct pickled *p = pickled_of(d);
	return p && p->kind == PICKLED_INT && p->n_bytes >= sizeof magic && memcmp(p->bytes, magic, sizeof magic) == 0;
}

/* Pickles that stand one after the other.  sure: the entry should be one, so that damage and what follows is a finding. */
bool audit_pickles(struct audit *a, const char *entry, const unsigned char *data, size_t len, size_t base, int nested, bool sure)
{
	struct watcher w = { .audit = a, .entry = entry, .nested = nested };
	struct pickle_options o = { .saw = saw, .watcher = &w };
	size_t at = 0;
	bool legacy = false;
	for (int i = 0; i < MAX_STACKED && at < len; i++) {
		struct datum d = datum_none();
		nns_error err = { 0 };
		size_t used = 0, names = w.names;
		w.base = base + at;
		bool ok = pickle_read(a->arena, data + at, len - at, &o, &d, &used, &err);
		if (err.code == NNS_MEMORY || w.failed)
			return false;
		if (!ok && i == 0 && (sure || w.names > names))
			return audit_add(a, AUDIT_REVIEW, "pickle-damaged", entry, base + at, arena_printf(a->arena, "is not a whole pickle: %.150s", err.message), "Python runs what stands before the damage");
		if (!ok || used == 0) {
			if (sure && !legacy)
				return audit_add(a, AUDIT_REVIEW, "data-after-end", entry, base + at, arena_printf(a->arena, "%zu bytes follow the last pickle", len - at), "something is hidden there, or the file was damaged");
			return true;
		}
		if (i == 1 && sure && !legacy && !audit_add(a, AUDIT_REVIEW, "pickle-stacked", entry, base + at, "another pickle follows the first", "readers see only the first"))
			return false;
		legacy = legacy || (i == 0 && is_legacy_magic(d));
		at += used;
		if (legacy && i == 4)
			return true;
	}
	return true;
}

/* ---- Code of TorchScript ---- */

static bool scan_code(struct audit *a, const char *entry, const unsigned char *data, size_t len)
{
	enum audit_level level;
	const char *why, *word;
	for (size_t i = 0; (word = audit_code_word(i, &level, &why)); i++) {
		size_t n = strlen(word);
		for (size_t at = 0; at + n <= len; at++) {
			const unsigned char *hit = memchr(data + at, *word, len - at);
			if (!hit || (size_t)(hit - data) + n > len)
				break;
			at = (size_t)(hit - data);
			if (memcmp(hit, word, n) != 0)
				continue;
			if (!audit_add(a, level, "script-operator", entry, at, arena_printf(a->arena, "uses %s", word), why))
				return false;
			break;
		}
	}
	return true;
}

/* ---- Content ---- */

bool audit_content(struct audit *a, const char *entry, const unsigned char *data, size_t len)
{
	bool named = text_ends_with(entry, ".pkl") || text_ends_with(entry, ".pickle") || text_ends_with(entry, ".p");
	if (text_ends_with(entry, ".py"))
		return scan_code(a, entry, data, len);
	if (len > 10 && memcmp(data, "\x93NUMPY", 6) == 0) {
		size_t start = data[6] == 1 ? 10 : 12, n = (size_t)data[8] | (size_t)data[9] << 8;
		if (start + n >= len || !memchr(data + start, 'O', n))
			return true;
		return audit_add(a, AUDIT_REVIEW, "npy-objects", entry, start, "an array of Python objects", "its elements are a pickle") &&
			audit_pickles(a, entry, data + start + n, len - start - n, start + n, 0, true);
	}
	return named || audit_is_pickle(data, len) ? audit_pickles(a, entry, data, len, 0, 0, named) : true;
}

/* ---- Files ---- */

static bool is_text(const unsigned char *p, size_t n)
{
	for (size_t i = 0; i < n && i < 64; i++)
		if (p[i] != '\n' && p[i] != '\t' && p[i] != '\r' && (p[i] < 32 || p[i] > 126))
			return false;
	return n > 0;
}

/* A pickle of protocol 0 or 1 has no mark of its own: a global, a mark or a container at the start. */
static bool may_be_old_pickle(const unsigned char *p, size_t n)
{
	return n > 1 && strchr("c(]}li\x8c", p[0]) && memchr(p, '.', n);
}

static bool has_end_record(const unsigned char *data, size_t len)
{
	size_t from = len > 66000 ? len - 66000 : 0;
	for (size_t i = from; i + 22 <= len; i++)
		if (memcmp(data + i, "PK\5\6", 4) == 0)
			return true;
	return false;
}

/* Archives that are named and not looked into. */
static const char *other_archive(const unsigned char *p, size_t n)
{
	static const struct { const char *magic; size_t n; const char *what; } rows[] = {
		{ "7z\xbc\xaf\x27\x1c", 6, "a 7z archive" }, { "\x1f\x8b", 2, "a gzip archive" }, { "BZh", 3, "a bzip2 archive" },
		{ "\xfd" "7zXZ", 5, "an xz archive" }, { "Rar!", 4, "a rar archive" }, { "\x28\xb5\x2f\xfd", 4, "a zstandard archive" } };
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
		if (n > rows[i].n && memcmp(p, rows[i].magic, rows[i].n) == 0)
			return rows[i].what;
	return NULL;
}

/* Other kinds are read as they always are; what their readers refuse is a finding. */
static bool scan_other(struct audit *a, const char *path)
{
	if (!path)
		return true;
	struct load_options o = { 0 };
	nns_error err = { 0 };
	struct model *m = load_path(path, &o, &err);
	model_free(m);
	if (m)
		return true;
	return audit_add(a, AUDIT_REVIEW, "damaged", "", 0, arena_printf(a->arena, "cannot be read: %.200s", err.message), "what it holds was not seen");
}

bool audit_bytes(struct audit *a, const char *path, const unsigned char *data, size_t len)
{
	nns_error err = { 0 };
	bool pickle = path && (text_ends_with(path, ".pkl") || text_ends_with(path, ".pickle"));
	if (has_end_record(data, len)) {
		struct archive *z = archive_open(a->arena, data, len, &err);
		if (z)
			return audit_archive(a, z, data, len);
		if (!audit_add(a, AUDIT_REVIEW, "zip-damaged", "", 0, arena_printf(a->arena, "cannot be read: %.200s", err.message), "what it holds was not seen"))
			return false;
	}
	if (len > 10 && memcmp(data, "\x93NUMPY", 6) == 0)
		return audit_content(a, "", data, len);
	if (audit_is_tar(data, len))
		return audit_tar(a, data, len);
	if (other_archive(data, len))
		return audit_add(a, AUDIT_REVIEW, "archive-unread", "", 0, arena_printf(a->arena, "is %s, which is not looked into", other_archive(data, len)), "what it holds was not seen: unpack it first");
	if (pickle || audit_is_pickle(data, len) || (may_be_old_pickle(data, len) && !(is_text(data, len) && *data == '{')))
		return audit_pickles(a, "", data, len, 0, 0, true);
	return scan_other(a, path);
}

bool audit_file(struct audit *a, const char *path, nns_error *err)
{
	struct mapping file;
	if (!mapping_open(path, SIZE_MAX / 4, &file, err))
		return false;
	bool ok = file.len > 0 ? audit_bytes(a, path, (const unsigned char *)file.data, file.len) : audit_add(a, AUDIT_REVIEW, "damaged", "", 0, "the file is empty", "");
	mapping_close(&file);    /* findings are texts of their own */
	return ok || fail_memory(err);
}
