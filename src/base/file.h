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

/*
 * The same in two steps, so that several files come to be together or not at all.  A pipe or a device has its bytes with the
 * first step.  Nothing is pending after a failure, a commit or a discard, nor in a zeroed struct.
 */
struct file_pending {
	char *temporary, *target;
};
bool file_stage(const char *path, const void *data, size_t len, struct file_pending *pending, nns_error *err);
bool file_commit(struct file_pending *pending, nns_error *err);
void file_discard(struct file_pending *pending);

/* Whether file_write() could begin: nothing is made or changed. */
bool file_writable(const char *path, nns_error *err);

#endif
