/*
 * A file seen as memory: mapped when it is a regular one, read otherwise
 * (standard input, a pipe).  One NUL follows the last byte.  The holder of the
 * struct closes it; whatever points into it must not outlive it.  A file that
 * somebody shortens meanwhile is beyond what a program can catch.
 */
#ifndef BASE_MAPPING_H
#define BASE_MAPPING_H

#include <stddef.h>

#include "base/error.h"

struct mapping {
	const char *data;
	size_t len;
	size_t reserved;         /* bytes of address space; 0: on the heap */
};

/* "-" is standard input.  limit counts for what cannot be mapped. */
bool mapping_open(const char *path, size_t limit, struct mapping *m, nns_error *err);
/* A copy of bytes, with the NUL. */
bool mapping_copy(const char *data, size_t len, struct mapping *m, nns_error *err);
void mapping_close(struct mapping *m);   /* a zeroed struct is allowed */

#endif
