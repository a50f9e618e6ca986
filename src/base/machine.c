#ifndef _DEFAULT_SOURCE
#define _DEFAULT_SOURCE /* madvise */
#endif

#include "base/machine.h"

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "base/file.h"

enum { MOST = 1 << 16 };     /* bytes of such a file */
enum { LARGE_PAGE = 1 << 21 };

void machine_large_pages(void *p, size_t size)
{
#ifdef MADV_HUGEPAGE
	uintptr_t from = ((uintptr_t)p + LARGE_PAGE - 1) / LARGE_PAGE * LARGE_PAGE, to = ((uintptr_t)p + size) / LARGE_PAGE * LARGE_PAGE;
	if (size >= LARGE_PAGE && from < to)
		(void)madvise((char *)p + (from - (uintptr_t)p), to - from, MADV_HUGEPAGE);
#else
	(void)p, (void)size;
#endif
}

static size_t least(size_t x, size_t y)
{
	return x < y ? x : y;
}

/* ---- Texts ---- */

static size_t number_at(const char *s)
{
	char *end;
	s += strspn(s, " \t");
	errno = 0;
	unsigned long long v = strtoull(s, &end, 10);
	return end == s || *s == '-' || errno || v > SIZE_MAX ? SIZE_MAX : (size_t)v;
}

size_t meminfo_available(const char *text)
{
	const char *at = strstr(text, "MemAvailable:");
	size_t kilobytes = at ? number_at(at + strlen("MemAvailable:")) : SIZE_MAX;
	return kilobytes > SIZE_MAX / 1024 ? SIZE_MAX : kilobytes * 1024;
}

size_t group_amount(const char *text)
{
	return number_at(text);
}

size_t group_idle(const char *text, int unified)
{
	const char *name = unified ? "inactive_file " : "total_inactive_file ";
	for (const char *line = text; *line; line += strcspn(line, "\n"), line += *line == '\n')
		if (strncmp(line, name, strlen(name)) == 0) {
			size_t idle = number_at(line + strlen(name));
			return idle == SIZE_MAX ? 0 : idle;
		}
	return 0;
}

/* "0::/a/b" is version 2, "5:memory:/a/b" version 1 (cgroups(7)), which goes first where both are there. */
char *group_path(const char *text, int *unified)
{
	const char *found = NULL;
	*unified = 0;
	for (const char *line = text; *line; line += strcspn(line, "\n"), line += *line == '\n') {
		const char *names = strchr(line, ':'), *path = names ? strchr(names + 1, ':') : NULL;
		size_t n = path ? (size_t)(path - names - 1) : 0;
		if (!path || path > line + strcspn(line, "\n"))
			continue;
		if (n == 6 && strncmp(names + 1, "memory", n) == 0)
			return *unified = 0, strndup(path + 1, strcspn(path + 1, "\n"));
		if (n == 0 && !found)
			found = path + 1;
	}
	*unified = found != NULL;
	return found ? strndup(found, strcspn(found, "\n")) : NULL;
}

/* ---- Files ---- */

static char *read_text(const char *path)
{
	char *text;
	size_t len;
	return file_read(path, MOST, &text, &len, NULL) ? text : NULL;
}

static char *read_in(const char *folder, const char *path, const char *name)
{
	char full[4096];
	int n = snprintf(full, sizeof full, "%s%s/%s", folder, path, name);
	return n > 0 && (size_t)n < sizeof full ? read_text(full) : NULL;
}

static size_t amount_in(const char *folder, const char *path, const char *name)
{
	char *text = read_in(folder, path, name);
	size_t amount = text ? group_amount(text) : SIZE_MAX;
	free(text);
	return amount;
}

/* Pages of files that nobody reads are given up when memory runs short. */
static size_t idle_in(const char *folder, const char *path, int unified)
{
	char *text = read_in(folder, path, "memory.stat");
	size_t idle = text ? group_idle(text, unified) : 0;
	free(text);
	return idle;
}

/* What a group and those around it leave. */
static size_t groups_leave(char *path, int unified)
{
	const char *folder = unified ? "/sys/fs/cgroup" : "/sys/fs/cgroup/memory";
	size_t left = SIZE_MAX;
	for (;;) {
		size_t most = amount_in(folder, path, unified ? "memory.max" : "memory.limit_in_bytes");
		size_t used = amount_in(folder, path, unified ? "memory.current" : "memory.usage_in_bytes");
		if (most != SIZE_MAX && used != SIZE_MAX) {
			used -= least(used, idle_in(folder, path, unified));
			left = least(left, most > used ? most - used : 0);
		}
		char *slash = strrchr(path, '/');
		if (!slash)
			return left;
		*slash = 0;
	}
}

size_t machine_memory(void)
{
	char *meminfo = read_text("/proc/meminfo"), *groups = read_text("/proc/self/cgroup");
	int unified;
	size_t left = meminfo ? meminfo_available(meminfo) : SIZE_MAX;
	char *path = groups ? group_path(groups, &unified) : NULL;
	if (path)
		left = least(left, groups_leave(path, unified));
	free(path);
	free(groups);
	free(meminfo);
	return left;
}
