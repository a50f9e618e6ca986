/* What archives hide: zip, beside what their directory says, and tar. */
#include <string.h>

#include "base/text.h"
#include "load/archive.h"
#include "load/audit.h"
#include "load/tar.h"

enum { MAX_ENTRY = 256 << 20 };  /* bytes of an unpacked entry that are looked at */

static bool leaves_folder(const char *name)
{
	if (*name == '/' || *name == '\\' || strchr(name, '\\') || (*name && name[1] == ':'))
		return true;
	for (const char *p = name; (p = strstr(p, "..")); p += 2)
		if ((p == name || p[-1] == '/') && (p[2] == '/' || p[2] == 0))
			return true;
	return false;
}

/* ---- Entries of a zip ---- */

static bool add_at(struct audit *a, enum audit_level level, const char *rule, const struct archive_entry *e, const char *what, const char *why)
{
	return audit_add(a, level, rule, e->name, (size_t)e->offset, what, why);
}

/* What is strange about an entry, whatever it holds. */
static bool scan_header(struct audit *a, const struct archive_entry *e)
{
	return (!e->repeated || add_at(a, AUDIT_DANGER, "zip-duplicate", e, "another entry has this name", "readers disagree which of both counts"))
	    && (!e->overlaps || add_at(a, AUDIT_DANGER, "zip-overlap", e, "its bytes belong to another entry too", "one file hides in another"))
	    && (!e->renamed || add_at(a, AUDIT_DANGER, "zip-renamed", e, "its own header has another name than the directory", "readers disagree what it is"))
	    && (!e->encrypted || add_at(a, AUDIT_REVIEW, "zip-encrypted", e, "is marked as encrypted", "some readers ignore the mark"))
	    && (!leaves_folder(e->name) || add_at(a, AUDIT_DANGER, "zip-path", e, "its name leaves the folder", "unpacking writes outside"));
}

static bool scan_entry(struct audit *a, struct archive *z, const struct archive_entry *e)
{
	struct archive_entry plain = *e;
	const unsigned char *data;
	size_t len;
	nns_error err = { 0 };
	plain.encrypted = false;
	if (!scan_header(a, e))
		return false;
	if (e->method == 0 && e->size > MAX_ENTRY && !text_ends_with(e->name, ".pkl"))
		return true;
	if (archive_content(z, &plain, MAX_ENTRY, &data, &len, &err))
		return audit_content(a, e->name, data, len);
	if (err.code == NNS_MEMORY)
		return false;
	const char *what = arena_printf(a->arena, "cannot be unpacked: %.150s", err.message);
	bool bytes = e->method == 0 && e->packed == e->size && e->size <= MAX_ENTRY;
	return (e->encrypted || add_at(a, AUDIT_REVIEW, "zip-damaged", e, what, bytes ? "some readers do not compare sums" : "what it holds was not seen"))
	    && (!bytes || !archive_bytes(z, &plain, MAX_ENTRY, &data, &len, NULL) || audit_content(a, e->name, data, len));
}

/* ---- Beside the entries ---- */

/* Bytes that no entry has: nothing writes pickles or entries there. */
static bool scan_hidden(struct audit *a, const char *rule, const char *what, const unsigned char *data, size_t len, size_t at)
{
	bool entry = len > 4 && memcmp(data, "PK\3\4", 4) == 0, zeros = true;
	for (size_t i = 0; i < len && zeros; i++)
		zeros = data[i] == 0;
	if (zeros)
		return true;
	if (!audit_add(a, entry ? AUDIT_DANGER : AUDIT_REVIEW, rule, "", at, arena_printf(a->arena, "%zu bytes %s", len, what),
	         entry ? "an entry that the directory does not name" : "something is hidden there"))
		return false;
	for (size_t i = 0; i + 2 < len; i++) {
		const unsigned char *p = memchr(data + i, 0x80, len - i);
		if (!p)
			break;
		i = (size_t)(p - data);
		if (audit_is_pickle(p, len - i))
			return audit_pickles(a, "", p, len - i, at + i, 0, false);
	}
	return true;
}

static bool scan_gaps(struct audit *a, const struct archive *z, const unsigned char *data)
{
	uint64_t from, to;
	for (size_t i = 0; archive_gap(z, &i, &from, &to); )
		if (!scan_hidden(a, "zip-gap", "between two entries belong to neither", data + from, (size_t)(to - from), (size_t)from))
			return false;
	return true;
}

bool audit_archive(struct audit *a, struct archive *z, const unsigned char *data, size_t len)
{
	size_t comment, prefix = (size_t)archive_prefix(z), trailing = (size_t)archive_trailing(z);
	const unsigned char *text = archive_comment(z, &comment);
	if ((prefix && !scan_hidden(a, "data-before-start", "stand before the archive", data, prefix, 0))
	    || (trailing && !scan_hidden(a, "data-after-end", "follow the archive", data + (len - trailing), trailing, len - trailing))
	    || (comment && !scan_hidden(a, "zip-comment", "are a comment", text, comment, (size_t)(text - data))) || !scan_gaps(a, z, data))
		return false;
	for (size_t i = 0; i < archive_count(z); i++)
		if (!scan_entry(a, z, archive_at(z, i)))
			return false;
	return true;
}

/* ---- Tar ---- */

bool audit_is_tar(const unsigned char *data, size_t len)
{
	return tar_is_header(data, len);
}

bool audit_tar(struct audit *a, const unsigned char *data, size_t len)
{
	for (size_t at = 0; at < len && audit_is_tar(data + at, len - at); ) {
		const char *name = arena_strndup(a->arena, (const char *)data + at, strnlen((const char *)data + at, TAR_NAME_LEN));
		size_t size = tar_size(data + at), from = at + TAR_BLOCK, room = len - from;
		unsigned char type = data[at + TAR_TYPE_AT];
		if (!name)
			return false;
		if (leaves_folder(name) && !audit_add(a, AUDIT_DANGER, "tar-path", name, at, "its name leaves the folder", "unpacking writes outside"))
			return false;
		if ((type == '1' || type == '2') && !audit_add(a, AUDIT_REVIEW, "tar-link", name, at, "is a link", "unpacking may write outside"))
			return false;
		if (size > room)
			return audit_add(a, AUDIT_REVIEW, "damaged", name, at, "reaches beyond the end of the file", "what it holds was not seen");
		if (tar_is_file(data + at) && !audit_content(a, name, data + from, size))
			return false;
		at = tar_next(from, size, len);
	}
	return true;
}
