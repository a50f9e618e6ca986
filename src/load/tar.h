/*
 * The header of a file in a tar (POSIX 1003.1, ustar): TAR_BLOCK bytes, of which those that are read here are
 *
 *       0  name of 100 bytes, ends early at a NUL
 *     124  size in bytes: octal digits
 *     156  type: '0' or NUL a file, '1' and '2' links
 *     257  "ustar"
 *
 * Its bytes follow, filled up to a whole block.
 */
#ifndef LOAD_TAR_H
#define LOAD_TAR_H

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

enum { TAR_BLOCK = 512, TAR_NAME_LEN = 100, TAR_SIZE_AT = 124, TAR_SIZE_LEN = 12, TAR_TYPE_AT = 156, TAR_MAGIC_AT = 257 };

/* Whether a header stands at the start of len bytes. */
static inline bool tar_is_header(const unsigned char *data, size_t len)
{
	return len >= TAR_BLOCK && memcmp(data + TAR_MAGIC_AT, "ustar", 5) == 0;
}

/* Bytes of the file behind a header; nothing says that they are there. */
static inline size_t tar_size(const unsigned char *header)
{
	size_t v = 0;
	for (size_t i = TAR_SIZE_AT; i < TAR_SIZE_AT + TAR_SIZE_LEN && header[i] >= '0' && header[i] <= '7'; i++)
		v = v * 8 + (size_t)(header[i] - '0');
	return v;
}

static inline bool tar_is_file(const unsigned char *header)
{
	return header[TAR_TYPE_AT] == '0' || header[TAR_TYPE_AT] == 0;
}

/* Where the next header is, of a file of size bytes that begin at from and end before len; len when there is none. */
static inline size_t tar_next(size_t from, size_t size, size_t len)
{
	size_t blocks = size / TAR_BLOCK + (size % TAR_BLOCK != 0);
	return blocks > (len - from) / TAR_BLOCK ? len : from + blocks * TAR_BLOCK;
}

#endif
