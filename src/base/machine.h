/* What the machine has left, and how its memory is taken.  Nothing here is kept. */
#ifndef BASE_MACHINE_H
#define BASE_MACHINE_H

#include <stddef.h>

/*
 * Bytes of memory that may still be taken: the least of what the kernel calls available and what the control groups of
 * the process leave.  SIZE_MAX when nothing tells.
 */
size_t machine_memory(void);

/*
 * Asks for large pages below memory that was just taken and is still untouched, where it is long enough for them: a first
 * write to 512 small pages costs more than the work on them.  It is a wish; nothing fails.
 */
void machine_large_pages(void *p, size_t size);

/* The parts, over the text of the files.  SIZE_MAX: it does not say. */
size_t meminfo_available(const char *text);          /* /proc/meminfo */
size_t group_amount(const char *text);               /* memory.max and its like: "max" is none */
size_t group_idle(const char *text, int unified);    /* memory.stat: pages of files that nobody reads; 0 when it does not say */
/* The path of the process in the hierarchy of /proc/self/cgroup that rules memory; *unified: of version 2.  NULL: none; the caller frees it. */
char *group_path(const char *text, int *unified);

#endif
