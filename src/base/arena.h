/*
 * An arena owns everything allocated from it and frees it in one call; single
 * allocations are never freed.  All memory is zeroed and aligned for any type.
 * A function that gets NULL from the arena returns fail_memory(err).
 */
#ifndef BASE_ARENA_H
#define BASE_ARENA_H

#include <stdarg.h>
#include <stddef.h>

#include "base/error.h"

/*
 * Where an arena takes its blocks from.  resize(data, p, 0) frees, otherwise
 * it behaves as realloc does.  NULL in place of an allocator means malloc.
 */
struct allocator {
	void *(*resize)(void *data, void *p, size_t size);
	void *data;
};

struct arena;

struct arena *arena_new(const struct allocator *from, nns_error *err);
struct arena *arena_beside(const struct arena *a, nns_error *err); /* takes its blocks from where a does */
void arena_free(struct arena *a);                        /* NULL is allowed */

void *arena_alloc(struct arena *a, size_t size);         /* NULL: out of memory */
void *arena_array(struct arena *a, size_t n, size_t size); /* n * size, overflow checked */
char *arena_strdup(struct arena *a, const char *s);
char *arena_strndup(struct arena *a, const char *s, size_t n);
char *arena_printf(struct arena *a, const char *fmt, ...) PRINTF_LIKE(2, 3);

/*
 * Room for one more item in a growing array of the arena: returns items,
 * moved when it had to grow, or NULL.  n is the count in use, *cap the room.
 */
void *arena_grow(struct arena *a, void *items, size_t n, size_t *cap, size_t size);

/* Whether an allocation has failed: for those who learn of it as something else. */
bool arena_failed(const struct arena *a);

/* Empty again, its newest block kept: all that was allocated is gone. */
void arena_clear(struct arena *a);

#endif
