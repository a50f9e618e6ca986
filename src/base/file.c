#ifndef _XOPEN_SOURCE
#define _XOPEN_SOURCE 700 /* realpath */
#endif

#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static bool fail_errno(nns_error *err, const char *doing, const char *path)
{
	return fail(err, NNS_IO, "cannot %s %s: %s", doing, path, strerror(errno));
}

/* ---- reading ---------------------------------------------------------------------- */

/* Room to read into: the size the file tells and one byte, so that its end is seen. */
static size_t first_room(const struct stat *st, size_t limit)
{
	size_t room = 65536;

	if (S_ISREG(st->st_mode) && st->st_size >= 0 && (uintmax_t)st->st_size < SIZE_MAX - 2)
		room = (size_t)st->st_size + 2;
	return limit < room - 2 ? limit + 2 : room;
}

/* Reads to the end; one byte over the limit is enough to know. */
static bool read_all(int fd, const char *name, size_t limit, size_t room, char **data, size_t *len, nns_error *err)
{
	char *buf = malloc(room);
	size_t n = 0;

	while (buf) {
		ssize_t got = read(fd, buf + n, room - n - 1);
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0) {
			free(buf);
			return fail_errno(err, "read", name);
		}
		n += (size_t)got;
		if (n > limit) {
			free(buf);
			return fail(err, NNS_LIMIT, "%s is larger than the limit of %zu bytes", name, limit);
		}
		if (got == 0) {
			buf[n] = '\0';
			*data = buf;
			*len = n;
			return true;
		}
		if (n + 1 == room) {
			char *more = room <= SIZE_MAX / 2 ? realloc(buf, room * 2) : NULL;
			if (!more)
				free(buf);
			buf = more;
			room *= 2;
		}
	}
	return fail_memory(err);
}

bool file_read(const char *path, size_t limit, char **data, size_t *len, nns_error *err)
{
	bool standard = strcmp(path, "-") == 0;
	const char *name = standard ? "standard input" : path;
	struct stat st;

	if (limit > SIZE_MAX / 4)
		limit = SIZE_MAX / 4;
	int fd = standard ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return fail_errno(err, "open", name);
	bool ok;
	if (fstat(fd, &st) != 0)
		ok = fail_errno(err, "read", name);
	else if (S_ISDIR(st.st_mode))
		ok = fail(err, NNS_IO, "%s is a directory, not a file", name);
	else
		ok = read_all(fd, name, limit, first_room(&st, limit), data, len, err);
	if (!standard)
		close(fd);
	return ok;
}

/* ---- writing ---------------------------------------------------------------------- */

static bool write_all(int fd, const char *data, size_t len)
{
	while (len) {
		ssize_t n = write(fd, data, len);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return false;
		data += n;
		len -= (size_t)n;
	}
	return true;
}

/* A pipe or a device cannot be replaced, only written to. */
static bool write_directly(const char *path, const void *data, size_t len, nns_error *err)
{
	bool is_stdout = strcmp(path, "/dev/stdout") == 0; /* opening it again would truncate what it leads to */
	int fd = is_stdout ? dup(STDOUT_FILENO) : open(path, O_WRONLY | O_CLOEXEC);

	if (fd < 0)
		return fail_errno(err, "write", path);
	bool ok = write_all(fd, data, len);
	int saved = errno;
	if (close(fd) != 0 && ok) {
		ok = false;
		saved = errno;
	}
	errno = saved;
	return ok || fail_errno(err, "write", path);
}

/* Opens a new file in the folder of path, with permissions as the umask says. */
static int open_temporary(const char *path, char **name)
{
	const char *slash = strrchr(path, '/');
	int folder = slash ? (int)(slash - path) + 1 : 0;
	size_t size = (size_t)folder + 64;

	*name = malloc(size);
	if (!*name)
		return -1;
	for (int i = 0; i < 1000; i++) {
		snprintf(*name, size, "%.*s.nnscope-%ld-%d.tmp", folder, path, (long)getpid(), i);
		int fd = open(*name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
		if (fd >= 0 || errno != EEXIST)
			return fd;
	}
	return -1;
}

/* old: what is there, whose permissions stay; NULL when there is nothing. */
static bool stage_beside(const char *path, const struct stat *old, const void *data, size_t len, struct file_pending *pending, nns_error *err)
{
	char *name, *target = strdup(path);
	int fd = target ? open_temporary(path, &name) : -1;

	if (fd < 0) {
		bool memory = !target || !name;
		if (target)
			free(name);
		free(target);
		return memory ? fail_memory(err) : fail_errno(err, "write", path);
	}
	bool ok = write_all(fd, data, len) && (!old || fchmod(fd, old->st_mode & 07777) == 0);
	int saved = errno;
	if (close(fd) != 0 && ok) {
		ok = false;
		saved = errno;
	}
	*pending = (struct file_pending){ name, target };
	if (ok)
		return true;
	file_discard(pending);
	errno = saved;
	return fail_errno(err, "write", path);
}

static bool is_device(const char *path)
{
	return strncmp(path, "/dev/", 5) == 0 || strncmp(path, "/proc/", 6) == 0;
}

bool file_stage(const char *path, const void *data, size_t len, struct file_pending *pending, nns_error *err)
{
	struct stat st;

	*pending = (struct file_pending){ NULL, NULL };
	if (is_device(path))
		return write_directly(path, data, len, err);
	if (stat(path, &st) != 0) {
		if (errno != ENOENT)
			return fail_errno(err, "write", path);
		return stage_beside(path, NULL, data, len, pending, err);
	}
	if (S_ISDIR(st.st_mode))
		return fail(err, NNS_IO, "cannot write %s: it is a directory", path);
	if (!S_ISREG(st.st_mode))
		return write_directly(path, data, len, err);
	if (access(path, W_OK) != 0) /* a rename would replace a read-only file all the same */
		return fail_errno(err, "write", path);
	char *target = realpath(path, NULL); /* a link stays, the file it leads to changes */
	if (!target)
		return fail_errno(err, "write", path);
	bool ok = stage_beside(target, &st, data, len, pending, err);
	free(target);
	return ok;
}

bool file_commit(struct file_pending *pending, nns_error *err)
{
	bool ok = !pending->temporary || rename(pending->temporary, pending->target) == 0 || fail_errno(err, "write", pending->target);
	if (!ok)
		unlink(pending->temporary);
	free(pending->temporary);
	free(pending->target);
	*pending = (struct file_pending){ NULL, NULL };
	return ok;
}

void file_discard(struct file_pending *pending)
{
	if (pending->temporary)
		unlink(pending->temporary);
	free(pending->temporary);
	free(pending->target);
	*pending = (struct file_pending){ NULL, NULL };
}

bool file_write(const char *path, const void *data, size_t len, nns_error *err)
{
	struct file_pending pending;

	return file_stage(path, data, len, &pending, err) && file_commit(&pending, err);
}

/* Whether a new file can come to be beside path. */
static bool folder_writable(const char *path)
{
	const char *slash = strrchr(path, '/');
	char *folder = slash ? strndup(path, (size_t)(slash - path) + 1) : strdup(".");
	bool ok = folder && access(folder, W_OK | X_OK) == 0;

	free(folder);
	return ok;
}

bool file_writable(const char *path, nns_error *err)
{
	struct stat st;
	bool there = stat(path, &st) == 0;

	if (!there && (errno != ENOENT || is_device(path)))
		return fail_errno(err, "write", path);
	if (there && S_ISDIR(st.st_mode))
		return fail(err, NNS_IO, "cannot write %s: it is a directory", path);
	if (there && access(path, W_OK) != 0)
		return fail_errno(err, "write", path);
	if (there && (is_device(path) || !S_ISREG(st.st_mode)))
		return true;
	char *target = there ? realpath(path, NULL) : NULL;
	bool ok = folder_writable(target ? target : path) || fail_errno(err, "write", path);
	free(target);
	return ok;
}
