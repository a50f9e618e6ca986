/* What zip archives hold and hide, and what gzip and zlib packed. */
#include <string.h>

#include "base/reader.h"
#include "load/archive.h"
#include "load/audit.h"

bool audit_leaves_folder(const char *name)
{
	if (*name == '/' || *name == '\\' || strchr(name, '\\') || (*name && name[1] == ':'))
		return true;
	for (const char *p = name; (p = strstr(p, "..")); p += 2)
		if ((p == name || p[-1] == '/') && (p[2] == '/' || p[2] == 0))
			return true;
	return false;
}

const char *audit_name(struct arena *a, const char *within, const char *name)
{
	return *within ? arena_printf(a, "%s!/%s", within, name) : name;
}

static const unsigned char *hit_of(const unsigned char *data, size_t len, const char *magic)
{
	for (size_t i = 0; i + 4 <= len; i++) {
		const unsigned char *p = memchr(data + i, *magic, len - i - 3);
		if (!p || memcmp(p, magic, 4) == 0)
			return p;
		i = (size_t)(p - data);
	}
	return NULL;
}

bool audit_has_end_record(const unsigned char *data, size_t len)
{
	enum { END_SIZE = 22, FAR = 65535 + END_SIZE };
	size_t from = len > FAR ? len - FAR : 0;
	return len >= END_SIZE && hit_of(data + from, len - from, "PK\5\6");
}

/* ---- Entries of a zip ---- */

/* An archive at work: its entries have the name of the one that it stands in before theirs. */
struct zip {
	struct audit *audit;
	struct archive *archive;
	struct arena *arena;     /* of the directory */
	const char *within;
	size_t at;               /* where it begins in that entry */
	const unsigned char *data;
	size_t len;
};

/* What is strange about an entry, whatever it holds. */
static bool scan_header(struct zip *z, const struct archive_entry *e, const char *name)
{
	struct { bool is; enum audit_level level; const char *rule, *what, *why; } rows[] = {
		{ e->repeated, AUDIT_DANGER, "zip-duplicate", "another entry has this name", "readers disagree which of both counts" },
		{ e->overlaps, AUDIT_DANGER, "zip-overlap", "its bytes belong to another entry too", "one file hides in another" },
		{ e->renamed, AUDIT_DANGER, "zip-renamed", "its own header has another name than the directory", "readers disagree what it is" },
		{ e->encrypted, AUDIT_REVIEW, "zip-encrypted", "is marked as encrypted", "some readers ignore the mark" },
		{ audit_leaves_folder(e->name), AUDIT_DANGER, "zip-path", "its name leaves the folder", "unpacking writes outside" } };
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
		if (rows[i].is && !audit_add(z->audit, rows[i].level, rows[i].rule, name, (size_t)e->offset, rows[i].what, rows[i].why))
			return false;
	return true;
}

/* Bytes that are kept for as long as they are looked at. */
static bool look_at(struct audit *a, const char *name, const unsigned char *data, size_t len, bool packed)
{
	a->room -= packed ? (len < a->room ? len : a->room) : 0;
	return audit_look(a, name, 0, data, len, AUDIT_ENTRY);
}

static bool scan_content(struct zip *z, const struct archive_entry *e, const char *name, struct arena *scratch)
{
	struct audit *a = z->audit;
	const unsigned char *data = NULL;
	size_t len = 0, limit = a->room < AUDIT_MAX_UNPACKED ? (size_t)a->room : AUDIT_MAX_UNPACKED;
	nns_error err = { 0 };
	bool some = archive_salvage(z->archive, e, scratch, limit, &data, &len, &err);
	if (err.code == NNS_MEMORY)
		return false;
	const char *what = err.code && !e->encrypted ? arena_printf(a->arena, some ? "is damaged: %.150s" : "cannot be unpacked: %.150s", err.message) : NULL;
	const char *why = some ? "some readers do not compare sums" : "what it holds was not seen";
	if (err.code && !e->encrypted && !audit_add(a, AUDIT_REVIEW, "zip-damaged", name, (size_t)e->offset, what, why))
		return false;
	return !some || look_at(a, name, data, len, e->method != 0);
}

static bool scan_entry(struct zip *z, const struct archive_entry *e)
{
	struct arena *scratch = e->method || *z->within ? arena_new(NULL, NULL) : NULL;
	const char *name = scratch ? audit_name(scratch, z->within, e->name) : e->name;
	bool ok = name && (scratch || !e->method) && scan_header(z, e, name) && scan_content(z, e, name, scratch);
	arena_free(scratch);
	return ok;
}

/* ---- Beside the entries ---- */

/* Bytes that no entry has: nothing writes pickles or entries there. */
static bool scan_hidden(struct zip *z, const char *rule, const char *what, size_t from, size_t len)
{
	enum { MAX_MARKS = 1000 };
	struct audit *a = z->audit;
	const unsigned char *data = z->data + from;
	bool entry = len > 4 && memcmp(data, "PK\3\4", 4) == 0, zeros = true;
	for (size_t i = 0; i < len && zeros; i++)
		zeros = data[i] == 0;
	if (zeros)
		return true;
	if (!audit_add(a, entry ? AUDIT_DANGER : AUDIT_REVIEW, rule, z->within, z->at + from, arena_printf(a->arena, "%zu bytes %s", len, what),
	         entry ? "an entry that the directory does not name" : "something is hidden there"))
		return false;
	size_t had = a->n + a->dropped, marks = 0;
	if (!audit_look(a, z->within, z->at + from, data, len, AUDIT_HIDDEN))
		return false;
	for (size_t i = 1; i + 2 < len && a->n + a->dropped == had && marks < MAX_MARKS; i++) {
		const unsigned char *p = memchr(data + i, 0x80, len - i);
		if (!p)
			break;
		i = (size_t)(p - data);
		bool mark = audit_is_pickle(p, len - i) && p[1] >= 2;
		marks += mark;
		if (mark && audit_may_import(p, len - i) && !audit_pickles(a, z->within, p, len - i, z->at + from + i, AUDIT_MAYBE))
			return false;
	}
	return true;
}

static bool scan_gaps(struct zip *z)
{
	uint64_t from, to;
	for (size_t i = 0; archive_gap(z->archive, &i, &from, &to); )
		if (!scan_hidden(z, "zip-gap", "between two entries belong to neither", (size_t)from, (size_t)(to - from)))
			return false;
	return true;
}

static bool scan_beside(struct zip *z)
{
	size_t comment, prefix = (size_t)archive_prefix(z->archive), trailing = (size_t)archive_trailing(z->archive);
	const unsigned char *text = archive_comment(z->archive, &comment);
	const char *disputed = archive_disputed(z->archive);
	return (!disputed || audit_add(z->audit, AUDIT_DANGER, "zip-directory", z->within, z->at, disputed, "readers disagree what the archive holds"))
	    && (!prefix || scan_hidden(z, "data-before-start", "stand before the archive", 0, prefix))
	    && (!trailing || scan_hidden(z, "data-after-end", "follow the archive", z->len - trailing, trailing))
	    && (!comment || scan_hidden(z, "zip-comment", "are a comment", (size_t)(text - z->data), comment))
	    && scan_gaps(z);
}

/* ---- Archives whose directory cannot be used, or need not be the one that counts ---- */

enum { LOCAL_SIZE = 30 };

/* An entry by its own header; one whose size stands behind it reaches to what comes next. */
static bool scan_local(struct zip *z, const unsigned char *p, size_t len, struct arena *scratch)
{
	size_t name = (size_t)little_endian(p + 26, 2), from = LOCAL_SIZE + name + (size_t)little_endian(p + 28, 2),
		size = (size_t)little_endian(p + 18, 4), method = (size_t)little_endian(p + 8, 2);
	if (from > len)
		return true;
	const unsigned char *next = hit_of(p + from, len - from, "PK\3\4"), *directory = hit_of(p + from, len - from, "PK\1\2");
	const unsigned char *end = next && (!directory || next < directory) ? next : directory;
	size_t room = end ? (size_t)(end - p) - from : len - from, limit = z->audit->room < AUDIT_MAX_UNPACKED ? (size_t)z->audit->room : AUDIT_MAX_UNPACKED;
	const char *own = arena_strndup(scratch, (const char *)p + LOCAL_SIZE, name), *full = own ? audit_name(scratch, z->within, own) : NULL;
	unsigned char *out = NULL;
	bool whole;
	if (!full)
		return false;
	size = size && size <= len - from ? size : room;
	if (method != 8)
		return look_at(z->audit, full, p + from, size, false);
	return archive_inflate(scratch, p + from, size, 0, limit, &out, &size, &whole) && look_at(z->audit, full, out, size, true);
}

static bool scan_locals(struct zip *z)
{
	struct arena *scratch = arena_new(NULL, NULL);
	bool ok = scratch != NULL;
	for (size_t at = 0; ok && at < z->len && z->audit->room > 0; at++) {
		const unsigned char *hit = hit_of(z->data + at, z->len - at, "PK\3\4");
		if (!hit)
			break;
		at = (size_t)(hit - z->data);
		arena_clear(scratch);
		ok = z->len - at < LOCAL_SIZE || scan_local(z, z->data + at, z->len - at, scratch);
		z->audit->room -= z->audit->room > 0;
	}
	arena_free(scratch);
	return ok;
}

bool audit_archive(struct audit *a, const char *within, size_t at, const unsigned char *data, size_t len)
{
	struct zip z = { a, NULL, arena_new(NULL, NULL), within, at, data, len };
	nns_error err = { 0 };
	z.archive = z.arena ? archive_open(z.arena, data, len, &err) : NULL;
	bool ok = z.arena && err.code != NNS_MEMORY;
	if (ok && !z.archive)
		ok = audit_add(a, AUDIT_REVIEW, "zip-damaged", within, at, arena_printf(a->arena, "cannot be read: %.200s", err.message),
		               "its entries were looked for without the directory");
	if (ok && z.archive)
		ok = scan_beside(&z);
	for (size_t i = 0; ok && z.archive && i < archive_count(z.archive); i++)
		ok = scan_entry(&z, archive_at(z.archive, i));
	if (ok && (!z.archive || archive_disputed(z.archive)))
		ok = scan_locals(&z);
	arena_free(z.arena);
	return ok;
}

/* ---- Streams ---- */

bool audit_packed(struct audit *a, const char *entry, size_t at, const unsigned char *data, size_t len)
{
	bool gzip = len > 18 && memcmp(data, "\x1f\x8b\x08", 3) == 0, zlib = len > 8 && data[0] == 0x78 && (data[0] * 256 + data[1]) % 31 == 0 && !(data[1] & 0x20);
	struct arena *scratch = gzip || zlib ? arena_new(NULL, NULL) : NULL;
	size_t limit = a->room < AUDIT_MAX_UNPACKED ? (size_t)a->room : AUDIT_MAX_UNPACKED, n = 0;
	unsigned char *out = NULL;
	bool whole = false, ok = !gzip && !zlib;
	if (scratch && archive_inflate(scratch, data, len, 32, limit, &out, &n, &whole)) {
		a->room -= n < a->room ? n : a->room;
		ok = (whole || !gzip || audit_add(a, AUDIT_REVIEW, "archive-unread", entry, at, "is packed by gzip, and larger than what is looked at, or damaged",
		                                  "not all that it holds was seen"))
		    && audit_look(a, entry, 0, out, n, AUDIT_HELD);
	}
	arena_free(scratch);
	return ok;
}
