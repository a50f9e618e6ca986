/*
 * Zip archives in memory, as PyTorch and NumPy write them.  Only the central
 * directory counts: torch's local headers carry zero sizes.
 *
 *     [local header | name | extra | data] ...     where the directory says
 *     central directory: one record an entry
 *     [zip64 end record, zip64 locator]            from 4 GiB or 65,535 entries on
 *     end record: where the directory is, comment
 *
 * Numbers are little-endian.  Names and stored data point into the caller's
 * bytes or the arena, and live as long as both.
 */
#ifndef LOAD_ARCHIVE_H
#define LOAD_ARCHIVE_H

#include <stdint.h>

#include "base/arena.h"

struct archive;

struct archive_entry {
	const char *name;
	uint64_t offset;         /* of the data in the file */
	uint64_t packed, size;   /* bytes in the file, and unpacked */
	int method;              /* 0: stored, 8: deflated */
	uint32_t crc;
	uint64_t local;          /* where its local header is */
	bool encrypted;          /* by its flag, which may lie */
	bool renamed;            /* the local header has another name than the directory */
	bool repeated;           /* an earlier entry has this name */
	bool overlaps;           /* its bytes are another entry's, or the directory's, too */
	size_t index;            /* its place in the directory, which copies of it keep */
};

/* Whether the first entry in the file, which need not be the directory's, has a name that ends so: a quick first look. */
bool archive_begins(const char *data, size_t len, const char *end);

/*
 * Whether an entry has a name that test agrees to.  Walks the directory alone, and keeps nothing: for a reader's bid.  False too when
 * the directory is damaged before it.
 */
bool archive_has(const char *data, size_t len, bool (*test)(const char *name, size_t n));

/* data must live as long as the archive.  A damaged directory, or an entry outside of the file, is an error. */
struct archive *archive_open(struct arena *a, const unsigned char *data, size_t len, nns_error *err);
size_t archive_count(const struct archive *z);
const struct archive_entry *archive_at(const struct archive *z, size_t i);
const struct archive_entry *archive_find(const struct archive *z, const char *name); /* NULL when absent; the first of that name */
/* The same for names in the order of the directory: *next is where to look first (map_get_next()). */
const struct archive_entry *archive_find_next(const struct archive *z, const char *name, size_t *next);
/*
 * The bytes of an entry: the file's own when stored, unpacked into the arena when deflated.  More than limit, or
 * more than deflate can pack (1,032 times), is refused.
 */
bool archive_bytes(struct archive *z, const struct archive_entry *e, size_t limit, const unsigned char **bytes, size_t *len, nns_error *err);
/* The same for what is read whole (pickles, JSON): its CRC-32 is compared. */
bool archive_content(struct archive *z, const struct archive_entry *e, size_t limit, const unsigned char **bytes, size_t *len, nns_error *err);
/*
 * Whatever can be had of an entry, up to limit bytes, for those who look for what is hidden: marks of encryption, sums, and what of
 * packed bytes is damaged do not matter.  Unpacked into the arena given.  err: what is wrong, when something is; false: nothing could be had.
 */
bool archive_salvage(const struct archive *z, const struct archive_entry *e, struct arena *a, size_t limit, const unsigned char **bytes, size_t *len,
                     nns_error *err);
/* Unpacks as many as limit bytes of a deflate stream (head 0: without one, 32: gzip's or zlib's); *whole: to its end.  False: no memory. */
bool archive_inflate(struct arena *a, const unsigned char *data, size_t len, int head, size_t limit, unsigned char **bytes, size_t *n, bool *whole);
/* What readers may disagree on about the directory (NULL: nothing): which one counts, and what is in it. */
const char *archive_disputed(const struct archive *z);
/* The next stretch from entry *i on (in the order of the file) that no entry has; false: no more. */
bool archive_gap(const struct archive *z, size_t *i, uint64_t *from, uint64_t *to);
const unsigned char *archive_comment(const struct archive *z, size_t *n);
/* Bytes before the first entry and after the end record. */
uint64_t archive_prefix(const struct archive *z);
uint64_t archive_trailing(const struct archive *z);

#endif
