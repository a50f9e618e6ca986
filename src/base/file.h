/*
 * Whole files.  Reading is bounded; writing is all or nothing: the bytes go to
 * a temporary name beside the target, which is then renamed over it.
 */
#ifndef BASE_FILE_H
#define BASE_FILE_H

#include <stddef.h>

#include "base/error.h"

/*
 * Reads path ("-": standard input) up to limit bytes.  The caller frees *data,
 * which is NUL-terminated beyond *len.  A directory, a missing file and a file
 * over the limit are errors that name it.
 */
bool file_read(const char *path, size_t limit, char **data, size_t *len, nns_error *err);

/* Writes len bytes to path, or leaves what was there. */
bool file_write(const char *path, const void *data, size_t len, nns_error *err);

#endif
