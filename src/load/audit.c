#include "load/audit.h"

#include <string.h>

#include "base/mapping.h"
#include "base/reader.h"
#include "base/text.h"
#include "load/load.h"
#include "load/npy.h"
#include "load/npy_header.h"
#include "load/pickle.h"

enum {
	MAX_FINDINGS = 2000,
	MAX_DEPTH = 8            /* of archives, and of pickles in the bytes of pickles */
};

/* What is dangerous takes the place of what is not, when there are too many. */
static size_t place_of(struct audit *a, enum audit_level level)
{
	for (size_t i = level == AUDIT_DANGER ? a->n : 0; i-- > 0; )
		if (a->all[i].level != AUDIT_DANGER)
			return i;
	return a->n;
}

bool audit_add(struct audit *a, enum audit_level level, const char *rule, const char *entry, size_t at, const char *what, const char *why)
{
	size_t i = a->n == MAX_FINDINGS ? place_of(a, level) : a->n;
	a->dropped += a->n == MAX_FINDINGS;
	if (i == MAX_FINDINGS)
		return true;
	struct audit_finding *grown = i == a->n ? arena_grow(a->arena, a->all, a->n, &a->cap, sizeof *grown) : a->all;
	const char *name = arena_strdup(a->arena, entry);
	if (!grown || !what || !name)
		return false;
	a->all = grown;
	a->n += i == a->n;
	grown[i] = (struct audit_finding){ level, rule, name, at, what, why ? why : "" };
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

/*
 * NumPy unpickles what follows the header when its descr names objects, in whatever way ('O', 'object', '\\x4f', in a record); what
 * follows is looked at in any case.
 */
static bool scan_array(struct audit *a, const char *entry, size_t at, const unsigned char *data, size_t len)
{
	size_t start = 0, n = 0;
	struct npy_header header;
	nns_error err = { 0 };
	bool whole = npy_header_length(data, len, &start, &n, &err);
	if ((!whole || !npy_header_read((const char *)data + start, n, &header, &err))
	    && !audit_add(a, AUDIT_REVIEW, "npy-damaged", entry, at, arena_printf(a->arena, "cannot be read: %.150s", err.message), "what it holds is not known"))
		return false;
	if (!whole)
		return true;
	const unsigned char *rest = data + start + n;
	size_t left = len - start - n;
	bool objects = memchr(data + start, 'O', n) != NULL;
	if (objects && !audit_add(a, AUDIT_REVIEW, "npy-objects", entry, at + start, "an array of Python objects", "its elements are a pickle"))
		return false;
	bool pickle = objects || audit_is_pickle(rest, left) || audit_may_import(rest, left);
	return !pickle || audit_pickles(a, entry, rest, left, at + start + n, objects ? AUDIT_SURE : AUDIT_MAYBE);
}

/* Archives that are named and not looked into. */
static const char *other_archive(const unsigned char *p, size_t n)
{
	static const struct { const char *magic; size_t n; const char *what; } rows[] = {
		{ "7z\xbc\xaf\x27\x1c", 6, "a 7z archive" }, { "BZh", 3, "a bzip2 archive" }, { "\xfd" "7zXZ", 5, "an xz archive" },
		{ "Rar!", 4, "a rar archive" }, { "\x28\xb5\x2f\xfd", 4, "a zstandard archive" }, { "\x04\x22\x4d\x18", 4, "an lz4 archive" },
		{ "\x5d\0\0\x80\0", 5, "an lzma archive" } };
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
		if (n > 12 && memcmp(p, rows[i].magic, rows[i].n) == 0)
			return rows[i].what;
	return NULL;
}

/* ELF, Windows and macOS: what loading a compiled package (AOTInductor's) gives the processor. */
static bool is_native(const unsigned char *p, size_t n)
{
	static const char *const magics[] = { "\177ELF", "\xcf\xfa\xed\xfe", "\xca\xfe\xba\xbe" };
	for (size_t i = 0; n >= 64 && i < sizeof magics / sizeof *magics; i++)
		if (memcmp(p, magics[i], 4) == 0)
			return true;
	size_t pe = n >= 64 && memcmp(p, "MZ", 2) == 0 ? (size_t)little_endian(p + 60, 4) : n;
	return pe < n && n - pe > 4 && memcmp(p + pe, "PE\0\0", 4) == 0;
}

/* A pickle by its name, or a whole file by its mark. */
static enum audit_pickles kind_of(const char *entry, const unsigned char *data, size_t len, enum audit_place place)
{
	static const char *const ends[] = { ".pkl", ".pickle", ".p" };
	for (size_t i = 0; i < sizeof ends / sizeof *ends && place <= AUDIT_ENTRY; i++)
		if (text_ends_with(entry, ends[i]))
			return AUDIT_SURE;
	return place == AUDIT_FILE && audit_is_pickle(data, len) && data[1] >= 2 ? AUDIT_SURE : AUDIT_MAYBE;
}

static bool look(struct audit *a, const char *entry, size_t at, const unsigned char *data, size_t len, enum audit_place place)
{
	const char *within = place == AUDIT_FILE ? "" : entry, *other = other_archive(data, len);
	if (place == AUDIT_ENTRY && text_ends_with(entry, ".py") && !scan_code(a, entry, data, len))
		return false;
	if (len > 6 && memcmp(data, "\x93NUMPY", 6) == 0)
		return scan_array(a, within, at, data, len);
	bool tar = audit_is_tar(data, len), zip = audit_has_end_record(data, len) && (!tar || memcmp(data, "PK", 2) == 0);
	if ((zip && !audit_archive(a, within, at, data, len)) || (tar && !audit_tar(a, within, at, data, len)))
		return false;
	if (!audit_packed(a, within, at, data, len))
		return false;
	if (other && !audit_add(a, AUDIT_REVIEW, "archive-unread", within, at, arena_printf(a->arena, "is %s, which is not looked into", other),
	                        "what it holds was not seen: unpack it first"))
		return false;
	if (is_native(data, len) && !audit_add(a, AUDIT_REVIEW, "native-code", within, at, "a compiled library or program", "runs when a compiled package is loaded"))
		return false;
	enum audit_pickles kind = kind_of(entry, data, len, place);
	return (zip && memcmp(data, "PK", 2) == 0) || (kind == AUDIT_MAYBE && !audit_may_import(data, len)) || audit_pickles(a, within, data, len, at, kind);
}

bool audit_look(struct audit *a, const char *entry, size_t at, const unsigned char *data, size_t len, enum audit_place place)
{
	if (a->depth == MAX_DEPTH)
		return !(audit_has_end_record(data, len) || audit_is_tar(data, len) || audit_may_import(data, len)) ||
			audit_add(a, AUDIT_REVIEW, "nested", entry, at, "stands in too many archives or pickles", "what it holds was not seen");
	a->depth++;
	bool ok = look(a, entry, at, data, len, place);
	a->depth--;
	return ok;
}

/* ---- Files ---- */

/* The finding names the file already. */
static const char *without_path(const char *message, const char *path)
{
	size_t n = path ? strlen(path) : 0;
	return n && strncmp(message, path, n) == 0 && message[n] == ':' ? message + n + 1 + strspn(message + n + 1, " ") : message;
}

/* What is neither archive, array nor pickle is read as it always is; what its reader refuses is a finding. */
static bool scan_other(struct audit *a, const char *path)
{
	struct load_options o = { 0 };
	nns_error err = { 0 };
	struct model *m = load_path(path, &o, &err);
	model_free(m);
	if (m)
		return true;
	const char *why = arena_printf(a->arena, "cannot be read: %.200s", without_path(err.message, path));
	return err.code != NNS_MEMORY && audit_add(a, AUDIT_REVIEW, "damaged", "", 0, why, "what it holds was not seen");
}

/* Formats of their own: a pickle of protocol 0 or 1 has no mark, and is what its reader can read. */
static bool is_known(const unsigned char *data, size_t len, const char *path)
{
	return audit_has_end_record(data, len) || audit_is_tar(data, len) || audit_is_pickle(data, len) || (len > 6 && memcmp(data, "\x93NUMPY", 6) == 0) ||
		text_ends_with(path, ".pkl") || text_ends_with(path, ".pickle");
}

/* A pickle of protocol 0 or 1 without a name: whole, and nothing in it. */
static bool is_old_pickle(const unsigned char *data, size_t len)
{
	struct arena *scratch = arena_new(NULL, NULL);
	struct pickle_options o = { 0 };
	struct datum d;
	size_t used = 0;
	bool ok = scratch && pickle_read(scratch, data, len, &o, &d, &used, NULL);
	arena_free(scratch);
	return ok;
}

bool audit_bytes(struct audit *a, const char *path, const unsigned char *data, size_t len)
{
	size_t had = a->n + a->dropped;
	a->room = AUDIT_ROOM + (uint64_t)len * 8;
	if (!audit_look(a, path ? path : "", 0, data, len, AUDIT_FILE))
		return false;
	if (!path || is_known(data, len, path) || a->n + a->dropped > had)
		return true;
	return is_old_pickle(data, len) || scan_other(a, path);
}

bool audit_file(struct audit *a, const char *path, nns_error *err)
{
	struct mapping file;
	if (!mapping_open(path, SIZE_MAX / 4, &file, err))
		return false;
	bool ok = file.len > 0 ? audit_bytes(a, path, (const unsigned char *)file.data, file.len)
	    : audit_add(a, AUDIT_REVIEW, "damaged", "", 0, "the file is empty", "");
	mapping_close(&file);    /* findings are texts of their own */
	return ok || fail_memory(err);
}
