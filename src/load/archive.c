/* APPNOTE.TXT of PKWARE, 4.3 (format), 4.5.3 (zip64). */
#include "load/archive.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "base/map.h"
#include "base/reader.h"

enum {
	LOCAL_MAGIC = 0x04034b50, CENTRAL_MAGIC = 0x02014b50, END_MAGIC = 0x06054b50, END64_MAGIC = 0x06064b50, LOCATOR64_MAGIC = 0x07064b50,
	LOCAL_SIZE = 30, CENTRAL_SIZE = 46, END_SIZE = 22, END64_SIZE = 56, LOCATOR64_SIZE = 20,
	MAX_COMMENT = 65535, MAX_ENTRIES = 4000000,
	MAX_RATIO = 1032         /* what deflate can pack at best */
};

struct archive {
	struct arena *arena;
	const unsigned char *data;
	uint64_t len;
	struct archive_entry *entries; size_t n;
	const unsigned char **unpacked;  /* by index: what was asked for before, NULL: nothing yet */
	struct map by_name;
	struct archive_entry **order;    /* as they lie in the file */
	uint64_t directory, directory_size, first, end, comment;
	uint64_t records;        /* where the end records begin */
	const char *disputed;    /* see archive_disputed() */
};

static bool inside(const struct archive *z, uint64_t at, uint64_t size)
{
	return at <= z->len && size <= z->len - at;
}

/* ---- The end record ---- */

static bool find_end(struct archive *z, uint64_t *at)
{
	if (z->len < END_SIZE)
		return false;
	uint64_t lowest = z->len > END_SIZE + MAX_COMMENT ? z->len - END_SIZE - MAX_COMMENT : 0;
	for (uint64_t i = z->len - END_SIZE + 1; i-- > lowest; )
		if (little_endian(z->data + i, 4) == END_MAGIC && little_endian(z->data + i + 20, 2) <= z->len - END_SIZE - i)
			return *at = i, true;
	return false;
}

/* A number of the end record, all ones in it: the zip64 record's.  Some readers take the one, some the other. */
static void take64(struct archive *z, uint64_t *out, uint64_t value, uint64_t unset)
{
	if (*out != unset && *out != value)
		z->disputed = "its two end records disagree";
	*out = value;
}

static bool read_end64(struct archive *z, uint64_t end, uint64_t *count, nns_error *err)
{
	const unsigned char *locator = end >= LOCATOR64_SIZE ? z->data + end - LOCATOR64_SIZE : NULL;
	if (!locator || little_endian(locator, 4) != LOCATOR64_MAGIC)
		return true;
	uint64_t at = little_endian(locator + 8, 8);
	if (!inside(z, at, END64_SIZE) || little_endian(z->data + at, 4) != END64_MAGIC)
		return fail(err, NNS_FORMAT, "byte %llu: the zip64 end record is not where its locator says", (unsigned long long)at);
	take64(z, count, little_endian(z->data + at + 32, 8), 0xffff);
	take64(z, &z->directory_size, little_endian(z->data + at + 40, 8), 0xffffffff);
	take64(z, &z->directory, little_endian(z->data + at + 48, 8), 0xffffffff);
	if (little_endian(z->data + at + 4, 8) + 12 != end - LOCATOR64_SIZE - at)
		z->disputed = "its zip64 end record does not stand before its locator";
	z->records = at;
	return true;
}

/* Python takes the directory to end where the end record begins, PyTorch where that says; both take the last end record. */
static void dispute_end(struct archive *z, uint64_t at)
{
	for (uint64_t i = at + 1; i + END_SIZE <= z->len; i++) {
		const unsigned char *hit = memchr(z->data + i, 'P', (size_t)(z->len - END_SIZE - i + 1));
		if (!hit)
			break;
		i = (uint64_t)(hit - z->data);
		if (little_endian(hit, 4) == END_MAGIC)
			z->disputed = "another end record follows its own";
	}
	if (z->directory + z->directory_size != z->records)
		z->disputed = "its directory does not end where its end record begins";
}

static bool read_end(struct archive *z, uint64_t *count, nns_error *err)
{
	uint64_t at;
	if (!find_end(z, &at))
		return fail(err, NNS_FORMAT, "the zip archive has no end record: it is cut off, or not an archive");
	*count = little_endian(z->data + at + 10, 2);
	z->directory_size = little_endian(z->data + at + 12, 4);
	z->directory = little_endian(z->data + at + 16, 4);
	z->comment = little_endian(z->data + at + 20, 2);
	z->end = at + END_SIZE + z->comment;
	z->records = at;
	if (!read_end64(z, at, count, err))
		return false;
	if (!inside(z, z->directory, z->directory_size) || z->directory + z->directory_size > at)
		return fail(err, NNS_FORMAT, "byte %llu: the zip directory of %llu bytes at %llu does not lie before its end record", (unsigned long long)at,
		            (unsigned long long)z->directory_size, (unsigned long long)z->directory);
	if (*count > MAX_ENTRIES || *count > z->directory_size / CENTRAL_SIZE)
		return fail(err, NNS_FORMAT, "byte %llu: %llu entries do not fit the zip directory", (unsigned long long)at, (unsigned long long)*count);
	return true;
}

/* ---- Entries ---- */

/* The zip64 extra field (0x0001) holds, in this order, what reads 0xffffffff. */
static bool read_extra(const unsigned char *p, uint64_t len, uint64_t *size, uint64_t *packed, uint64_t *local)
{
	uint64_t *wanted[3] = { size, packed, local };
	struct reader fields = { p, (size_t)len, 0, false };
	while (reader_left(&fields) >= 4) {
		uint64_t id = reader_number(&fields, 2), n = reader_number(&fields, 2);
		struct reader field = { reader_bytes(&fields, n), (size_t)n, 0, false };
		if (fields.failed)
			return true;     /* not a field: some writers pad */
		for (int i = 0; id == 1 && i < 3; i++)
			if (*wanted[i] == 0xffffffff)
				*wanted[i] = reader_number(&field, 8);
		if (field.failed)
			return false;
	}
	return true;
}

static bool locate_data(struct archive *z, struct archive_entry *e, uint64_t local, nns_error *err)
{
	if (!inside(z, local, LOCAL_SIZE) || little_endian(z->data + local, 4) != LOCAL_MAGIC)
		return fail(err, NNS_FORMAT, "%s: byte %llu: no entry starts where the zip directory says", e->name, (unsigned long long)local);
	uint64_t name = little_endian(z->data + local + 26, 2);
	e->local = local;
	e->offset = local + LOCAL_SIZE + name + little_endian(z->data + local + 28, 2);
	e->renamed = !inside(z, local + LOCAL_SIZE, name) || name != strlen(e->name) || memcmp(z->data + local + LOCAL_SIZE, e->name, name) != 0;
	if (!inside(z, e->offset, e->packed))
		return fail(err, NNS_FORMAT, "%s: byte %llu: %llu bytes reach beyond the end of the file", e->name, (unsigned long long)e->offset,
		            (unsigned long long)e->packed);
	z->first = local < z->first ? local : z->first;
	return true;
}

static bool check_sizes(const struct archive_entry *e, unsigned flags, nns_error *err)
{
	if (!(flags & 1) && e->method == 0 && e->packed != e->size)
		return fail(err, NNS_FORMAT, "%s: a stored entry of %llu bytes claims %llu", e->name, (unsigned long long)e->packed, (unsigned long long)e->size);
	return true;
}

static bool read_entry(struct archive *z, uint64_t *at, uint64_t end, nns_error *err)
{
	const unsigned char *p = z->data + *at;
	if (end - *at < CENTRAL_SIZE || little_endian(p, 4) != CENTRAL_MAGIC)
		return fail(err, NNS_FORMAT, "byte %llu: the zip directory is damaged", (unsigned long long)*at);
	uint64_t name = little_endian(p + 28, 2), extra = little_endian(p + 30, 2), comment = little_endian(p + 32, 2), local = little_endian(p + 42, 4);
	if (end - *at - CENTRAL_SIZE < name + extra + comment)
		return fail(err, NNS_FORMAT, "byte %llu: an entry reaches beyond the zip directory", (unsigned long long)*at);
	struct archive_entry e = { .packed = little_endian(p + 20, 4), .size = little_endian(p + 24, 4), .method = (int)little_endian(p + 10, 2),
	                          .crc = (uint32_t)little_endian(p + 16, 4),
		.encrypted = p[8] & 1 };
	e.name = arena_strndup(z->arena, (const char *)p + CENTRAL_SIZE, name);
	if (!e.name)
		return fail_memory(err);
	if (memchr(p + CENTRAL_SIZE, 0, name))
		return fail(err, NNS_FORMAT, "byte %llu: the name of an entry holds a NUL", (unsigned long long)*at);
	if (!read_extra(p + CENTRAL_SIZE + name, extra, &e.size, &e.packed, &local))
		return fail(err, NNS_FORMAT, "%s: its zip64 field is cut off", e.name);
	if (!locate_data(z, &e, local, err) || !check_sizes(&e, (unsigned)little_endian(p + 8, 2), err))
		return false;
	struct map_entry *named = map_add(&z->by_name, z->arena, e.name);
	if (!named)
		return fail_memory(err);
	e.repeated = named->value != NULL;
	e.index = z->n;
	z->entries[z->n++] = e;
	if (!e.repeated)
		named->value = (void *)(uintptr_t)z->n;
	*at += CENTRAL_SIZE + name + extra + comment;
	return true;
}

static int by_offset(const void *a, const void *b)
{
	const struct archive_entry *x = *(struct archive_entry *const *)a, *y = *(struct archive_entry *const *)b;
	return x->offset < y->offset ? -1 : x->offset > y->offset;
}

static bool mark_overlaps(struct archive *z, nns_error *err)
{
	struct archive_entry **order = arena_array(z->arena, z->n + 1, sizeof *order);
	z->unpacked = arena_array(z->arena, z->n + 1, sizeof *z->unpacked);
	if (!order || !z->unpacked)
		return fail_memory(err);
	z->order = order;
	for (size_t i = 0; i < z->n; i++)
		order[i] = &z->entries[i];
	qsort(order, z->n, sizeof *order, by_offset);
	for (size_t i = 0; i < z->n; i++) {
		uint64_t next = i + 1 < z->n ? order[i + 1]->offset : z->directory;
		if (order[i]->packed > 0 && order[i]->offset + order[i]->packed > next)
			order[i]->overlaps = true;
	}
	return true;
}

bool archive_begins(const char *data, size_t len, const char *end)
{
	const unsigned char *p = (const unsigned char *)data;
	size_t n = strlen(end), name = len >= LOCAL_SIZE && little_endian(p, 4) == LOCAL_MAGIC ? (size_t)little_endian(p + 26, 2) : 0;
	return name >= n && name <= len - LOCAL_SIZE && memcmp(p + LOCAL_SIZE + name - n, end, n) == 0;
}

bool archive_has(const char *data, size_t len, bool (*test)(const char *name, size_t n))
{
	struct archive z = { .data = (const unsigned char *)data, .len = len };
	uint64_t count;
	if (!read_end(&z, &count, NULL))
		return false;
	uint64_t at = z.directory, end = z.directory + z.directory_size;
	for (uint64_t i = 0; i < count && end - at >= CENTRAL_SIZE && little_endian(z.data + at, 4) == CENTRAL_MAGIC; i++) {
		const unsigned char *p = z.data + at;
		uint64_t name = little_endian(p + 28, 2), size = CENTRAL_SIZE + name + little_endian(p + 30, 2) + little_endian(p + 32, 2);
		if (end - at < size)
			return false;
		if (test((const char *)p + CENTRAL_SIZE, name))
			return true;
		at += size;
	}
	return false;
}

struct archive *archive_open(struct arena *a, const unsigned char *data, size_t len, nns_error *err)
{
	struct archive *z = arena_alloc(a, sizeof *z);
	uint64_t count = 0;
	if (!z)
		return fail_memory(err), NULL;
	*z = (struct archive){ .arena = a, .data = data, .len = len, .first = len };
	if (!read_end(z, &count, err))
		return NULL;
	z->entries = arena_array(a, count, sizeof *z->entries);
	if (!z->entries || !map_reserve(&z->by_name, a, count))
		return fail_memory(err), NULL;
	uint64_t at = z->directory, end = z->directory + z->directory_size;
	for (uint64_t i = 0; i < count; i++)
		if (!read_entry(z, &at, end, err))
			return NULL;
	dispute_end(z, z->end - z->comment - END_SIZE);
	if (at != end)
		z->disputed = "its directory holds more than its end record counts";
	return mark_overlaps(z, err) ? z : NULL;
}

size_t archive_count(const struct archive *z) { return z->n; }
const struct archive_entry *archive_at(const struct archive *z, size_t i) { return &z->entries[i]; }
uint64_t archive_prefix(const struct archive *z) { return z->n ? z->first : 0; }
uint64_t archive_trailing(const struct archive *z) { return z->len - z->end; }

const struct archive_entry *archive_find(const struct archive *z, const char *name)
{
	uintptr_t i = (uintptr_t)map_get(&z->by_name, name);
	return i ? &z->entries[i - 1] : NULL;
}

const struct archive_entry *archive_find_next(const struct archive *z, const char *name, size_t *next)
{
	uintptr_t i = (uintptr_t)map_get_next(&z->by_name, name, next);
	return i ? &z->entries[i - 1] : NULL;
}

/* ---- Contents ---- */

/* A deflate stream without a head; it must fill the size that the directory says. */
static bool unpack(const struct archive *z, const struct archive_entry *e, unsigned char *out, nns_error *err)
{
	z_stream s = { .next_in = (unsigned char *)z->data + e->offset };
	uint64_t in = e->packed, room = e->size;
	int got = inflateInit2(&s, -MAX_WBITS);
	if (got == Z_MEM_ERROR)
		return fail_memory(err);
	s.next_out = out;
	while (got == Z_OK) {
		s.avail_in = in < UINT_MAX / 2 ? (unsigned)in : UINT_MAX / 2;
		s.avail_out = room < UINT_MAX / 2 ? (unsigned)room : UINT_MAX / 2;
		uint64_t had_in = s.avail_in, had_out = s.avail_out;
		got = inflate(&s, Z_NO_FLUSH);
		in -= had_in - s.avail_in;
		room -= had_out - s.avail_out;
		if (had_in == s.avail_in && had_out == s.avail_out)
			break;
	}
	inflateEnd(&s);
	if (got == Z_STREAM_END && room == 0)
		return true;
	return fail(err, NNS_FORMAT, "%s: byte %llu: its compressed bytes are damaged", e->name, (unsigned long long)(e->offset + (e->packed - in)));
}

static bool compare_sum(const struct archive_entry *e, const unsigned char *bytes, size_t len, nns_error *err)
{
	uint32_t sum = (uint32_t)crc32_z(0, bytes, len);
	return sum == e->crc || fail(err, NNS_FORMAT, "%s: byte %llu: the CRC-32 of its %zu bytes is %08x, the zip directory says %08x: the entry is damaged", e->name,
	                             (unsigned long long)e->offset, len, (unsigned)sum, (unsigned)e->crc);
}

bool archive_bytes(struct archive *z, const struct archive_entry *e, size_t limit, const unsigned char **bytes, size_t *len, nns_error *err)
{
	if (e->size > limit)
		return fail(err, NNS_LIMIT, "%s: %llu bytes are more than the %zu that nnscope reads here", e->name, (unsigned long long)e->size, limit);
	*len = (size_t)e->size;
	if (e->encrypted)
		return fail(err, NNS_UNSUPPORTED, "%s: byte %llu: the entry is encrypted", e->name, (unsigned long long)e->offset);
	if (e->method == 0)
		return *bytes = z->data + e->offset, true;
	if (e->method != 8)
		return fail(err, NNS_UNSUPPORTED, "%s: compression method %d", e->name, e->method);
	if (e->overlaps)         /* many entries that unpack the same bytes */
		return fail(err, NNS_FORMAT, "%s: byte %llu: its compressed bytes are another entry's too (a zip bomb?)", e->name, (unsigned long long)e->offset);
	if (e->size / MAX_RATIO > e->packed)
		return fail(err, NNS_FORMAT, "%s: %llu bytes cannot hold %llu (a zip bomb?)", e->name, (unsigned long long)e->packed, (unsigned long long)e->size);
	if (z->unpacked[e->index])
		return *bytes = z->unpacked[e->index], true;
	unsigned char *out = arena_alloc(z->arena, e->size + 1);
	if (!out)
		return fail_memory(err);
	if (!unpack(z, e, out, err) || !compare_sum(e, out, (size_t)e->size, err))
		return false;
	z->unpacked[e->index] = *bytes = out;
	return true;
}

/* torch.save leaves the sum out when it is told to (set_crc32_options); that of packed entries has been compared. */
bool archive_content(struct archive *z, const struct archive_entry *e, size_t limit, const unsigned char **bytes, size_t *len, nns_error *err)
{
	return archive_bytes(z, e, limit, bytes, len, err) && (e->method != 0 || !e->crc || compare_sum(e, *bytes, *len, err));
}

/* ---- What can be had of damaged ones ---- */

bool archive_inflate(struct arena *a, const unsigned char *data, size_t len, int head, size_t limit, unsigned char **bytes, size_t *n, bool *whole)
{
	z_stream s = { .next_in = (unsigned char *)data };
	size_t cap = limit < 65536 ? limit : 65536, in = len, had = 0;
	unsigned char *out = arena_alloc(a, cap + 1);
	int got = out ? inflateInit2(&s, head ? MAX_WBITS + head : -MAX_WBITS) : Z_MEM_ERROR;
	*n = 0;
	while (got == Z_OK && (*n < cap || cap < limit)) {
		size_t larger = cap < limit / 4 ? cap * 4 : limit;
		unsigned char *grown = *n == cap ? arena_alloc(a, larger + 1) : NULL;
		if (*n == cap && !grown)
			got = Z_MEM_ERROR;
		if (grown) {
			memcpy(grown, out, *n);
			out = grown;
			cap = larger;
		}
		s.next_out = out + *n;
		s.avail_in = in < UINT_MAX / 2 ? (unsigned)in : UINT_MAX / 2;
		s.avail_out = cap - *n < UINT_MAX / 2 ? (unsigned)(cap - *n) : UINT_MAX / 2;
		had = s.avail_in;
		size_t room = s.avail_out;
		got = got == Z_OK ? inflate(&s, Z_NO_FLUSH) : got;
		in -= had - s.avail_in;
		*n += room - s.avail_out;
	}
	inflateEnd(&s);
	*bytes = out;
	*whole = got == Z_STREAM_END;
	return out && got != Z_MEM_ERROR;
}

bool archive_salvage(const struct archive *z, const struct archive_entry *e, struct arena *a, size_t limit, const unsigned char **bytes, size_t *len,
                     nns_error *err)
{
	unsigned char *out = NULL;
	bool whole = true;
	*bytes = z->data + e->offset;
	*len = (size_t)e->packed;
	if (e->method == 8 && e->overlaps)
		return fail(err, NNS_FORMAT, "its compressed bytes are another entry's too (a zip bomb?)");
	if (e->method != 0 && e->method != 8)
		return fail(err, NNS_UNSUPPORTED, "compression method %d", e->method);
	if (e->method == 8) {
		limit = e->size < limit ? (size_t)e->size : limit;
		if (!archive_inflate(a, *bytes, *len, 0, limit, &out, len, &whole))
			return fail_memory(err);
		*bytes = out;
		if (*len == limit && limit < e->size)
			return fail(err, NNS_LIMIT, "only the first %zu of %llu bytes are looked at", limit, (unsigned long long)e->size), true;
	}
	if (*len != e->size)
		return fail(err, NNS_FORMAT, "byte %llu: its bytes are damaged", (unsigned long long)e->offset), true;
	if (*len <= limit && (e->crc || e->method == 8))
		compare_sum(e, *bytes, *len, err);
	return true;
}

const char *archive_disputed(const struct archive *z) { return z->disputed; }

/* ---- What the directory does not name ---- */

/* Behind the data may stand 12 to 24 bytes that repeat its sizes. */
bool archive_gap(const struct archive *z, size_t *i, uint64_t *from, uint64_t *to)
{
	enum { DESCRIPTOR = 24 };
	for (; *i < z->n; ++*i) {
		const struct archive_entry *e = z->order[*i];
		*from = e->offset + e->packed;
		*to = *i + 1 < z->n ? z->order[*i + 1]->local : z->directory;
		if (*to > *from && *to - *from > DESCRIPTOR)
			return ++*i, true;
	}
	return false;
}

const unsigned char *archive_comment(const struct archive *z, size_t *n)
{
	*n = (size_t)z->comment;
	return z->data + z->end - z->comment;
}
