/*
 * Bytes of a file, read from front to back and never beyond their end: what does not fit gives 0 or NULL and sets `failed`,
 * which stays set, so that a run of reads is checked once.  Borrows the bytes.
 */
#ifndef BASE_READER_H
#define BASE_READER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct reader {
	const unsigned char *data;
	size_t len, at;
	bool failed;
};

/* Of `bytes` bytes at most 8, little-endian; all of them must be there. */
static inline uint64_t little_endian(const unsigned char *p, int bytes)
{
	uint64_t v = 0;
	for (int i = bytes - 1; i >= 0; i--)
		v = v << 8 | p[i];
	return v;
}

static inline size_t reader_left(const struct reader *r)
{
	return r->len - r->at;
}

/* The next n bytes. */
static inline const unsigned char *reader_bytes(struct reader *r, uint64_t n)
{
	if (r->failed || n > reader_left(r)) {
		r->failed = true;
		return NULL;
	}
	const unsigned char *p = r->data + r->at;
	r->at += (size_t)n;
	return p;
}

static inline uint64_t reader_number(struct reader *r, int bytes)
{
	const unsigned char *p = reader_bytes(r, (uint64_t)bytes);
	return p ? little_endian(p, bytes) : 0;
}

#endif
