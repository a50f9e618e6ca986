#ifndef _DEFAULT_SOURCE
#define _DEFAULT_SOURCE /* MAP_ANONYMOUS */
#endif

#include "base/mapping.h"

#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"

/* Anonymous pages first, one more than needed, and the file over them: so that a NUL follows. */
static bool map_over(int fd, size_t len, struct mapping *m)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE), reserved = (len / page + 2) * page;
	char *at = mmap(NULL, reserved, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (at == MAP_FAILED)
		return false;
	if (mmap(at, len, PROT_READ, MAP_PRIVATE | MAP_FIXED, fd, 0) == MAP_FAILED) {
		munmap(at, reserved);
		return false;
	}
	*m = (struct mapping){ at, len, reserved };
	return true;
}

static bool map_file(const char *path, struct mapping *m)
{
	struct stat st;
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0)
		return false;
	bool ok = fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_size > 0 && (uintmax_t)st.st_size < SIZE_MAX / 2
	       && map_over(fd, (size_t)st.st_size, m);
	close(fd);
	return ok;
}

bool mapping_open(const char *path, size_t limit, struct mapping *m, nns_error *err)
{
	char *data;
	*m = (struct mapping){ 0 };
	if (strcmp(path, "-") != 0 && map_file(path, m))
		return true;
	if (!file_read(path, limit, &data, &m->len, err))
		return false;
	m->data = data;
	return true;
}

bool mapping_copy(const char *data, size_t len, struct mapping *m, nns_error *err)
{
	char *copy = len < SIZE_MAX ? malloc(len + 1) : NULL;
	if (!copy)
		return fail_memory(err);
	memcpy(copy, data, len);
	copy[len] = 0;
	*m = (struct mapping){ copy, len, 0 };
	return true;
}

void mapping_close(struct mapping *m)
{
	if (m->reserved)
		munmap((void *)m->data, m->reserved);
	else
		free((void *)m->data);
	*m = (struct mapping){ 0 };
}
