/*
 * The header of a file in a tar as Python's tarfile takes it (Lib/tarfile.py: frombuf, nti, _proc_builtin), TAR_BLOCK bytes:
 *
 *       0  name of 100 bytes, ends early at a NUL
 *     124  size in bytes: octal digits, or base 256 when the first byte has its high bit set
 *     148  sum of all bytes, these 8 taken as blanks
 *     156  type: '0' or NUL a file, '1' and '2' links
 *     257  "ustar", from POSIX 1003.1 on
 *
 * Its bytes follow, filled up to a whole block.
 */
#ifndef LOAD_TAR_H
#define LOAD_TAR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

enum { TAR_BLOCK = 512, TAR_NAME_LEN = 100, TAR_SIZE_AT = 124, TAR_SIZE_LEN = 12, TAR_SUM_AT = 148, TAR_SUM_LEN = 8, TAR_TYPE_AT = 156, TAR_MAGIC_AT = 257 };

static inline size_t tar_number(const unsigned char *s, size_t n)
{
	size_t v = 0, i = 0;
	if (s[0] & 0x80) {
		for (i = 1; i < n; i++)
			v = v > SIZE_MAX >> 10 ? SIZE_MAX >> 2 : v << 8 | s[i];
		return v;
	}
	while (i < n && (s[i] == ' ' || s[i] == 0))
		i++;
	for (; i < n && s[i] >= '0' && s[i] <= '7'; i++)
		v = v * 8 + (size_t)(s[i] - '0');
	return v;
}

/* Whether a header stands at the start of len bytes: by its magic, or, as before that, by its sum. */
static inline bool tar_is_header(const unsigned char *data, size_t len)
{
	size_t sum = 0, high = 0;
	if (len < TAR_BLOCK || *data == 0)
		return false;
	if (memcmp(data + TAR_MAGIC_AT, "ustar", 5) == 0)
		return true;
	for (size_t i = 0; i < TAR_BLOCK; i++) {
		unsigned char c = i >= TAR_SUM_AT && i < TAR_SUM_AT + TAR_SUM_LEN ? ' ' : data[i];
		sum += c;
		high += c >> 7;
	}
	size_t said = tar_number(data + TAR_SUM_AT, TAR_SUM_LEN);
	return said == sum || said == sum - high * 256;  /* some writers took bytes as signed */
}

/* Bytes of the file behind a header; nothing says that they are there.  Behind links, devices and folders is nothing, whatever they say. */
static inline size_t tar_size(const unsigned char *header)
{
	bool none = header[TAR_TYPE_AT] >= '1' && header[TAR_TYPE_AT] <= '6';
	return none ? 0 : tar_number(header + TAR_SIZE_AT, TAR_SIZE_LEN);
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
