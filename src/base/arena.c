#ifndef _DEFAULT_SOURCE
#define _DEFAULT_SOURCE /* madvise */
#endif

#include "base/arena.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

/*
 * Blocks double from 4 KiB to 16 MiB.  What would waste the rest of a block gets
 * one of its own, put behind the current block so that this goes on being filled.
 */
enum { FIRST_BLOCK = 4096, LARGEST_BLOCK = 1 << 24, HUGE_PAGE = 1 << 21 };

struct block {
	struct block *next;
	size_t size, used; /* bytes after the header */
	max_align_t start[];
};

/* What one model may take: more is treated as memory that is not there. */
static const size_t ARENA_LIMIT = (size_t)1 << (sizeof(size_t) > 4 ? 32 : 30);

struct arena {
	struct allocator from;
	struct block *blocks; /* the one being filled first */
	size_t next_size;
	size_t used;
	bool failed;          /* an allocation failed once */
};

static void *resize_malloc(void *data, void *p, size_t size)
{
	(void)data;
	if (size == 0) {
		free(p);
		return NULL;
	}
	return realloc(p, size);
}

struct arena *arena_new(const struct allocator *from, nns_error *err)
{
	static const struct allocator standard = { resize_malloc, NULL };

	if (!from)
		from = &standard;
	struct arena *a = from->resize(from->data, NULL, sizeof *a);
	if (!a) {
		fail_memory(err);
		return NULL;
	}
	*a = (struct arena){ .from = *from, .next_size = FIRST_BLOCK };
	return a;
}

struct arena *arena_beside(const struct arena *a, nns_error *err)
{
	return arena_new(&a->from, err);
}

void arena_free(struct arena *a)
{
	if (!a)
		return;
	struct allocator from = a->from;
	struct block *next;
	for (struct block *b = a->blocks; b; b = next) {
		next = b->next;
		from.resize(from.data, b, 0);
	}
	from.resize(from.data, a, 0);
}

void arena_clear(struct arena *a)
{
	struct block *next, *kept = a->blocks;
	for (struct block *b = kept ? kept->next : NULL; b; b = next) {
		next = b->next;
		a->from.resize(a->from.data, b, 0);
	}
	if (kept) {
		kept->next = NULL;
		kept->used = 0;
	}
	a->used = 0;
	a->failed = false;
}

/* Whole huge pages in a large block are asked for as such: one page fault in place of 512. */
static void use_huge_pages(void *block, size_t size)
{
#ifdef MADV_HUGEPAGE
	size_t skip = (HUGE_PAGE - (uintptr_t)block % HUGE_PAGE) % HUGE_PAGE;
	if (size >= skip + HUGE_PAGE)
		madvise((char *)block + skip, (size - skip) / HUGE_PAGE * HUGE_PAGE, MADV_HUGEPAGE);
#else
	(void)block, (void)size;
#endif
}

static struct block *block_new(struct arena *a, size_t size)
{
	if (size > SIZE_MAX - sizeof(struct block))
		return NULL;
	struct block *b = a->from.resize(a->from.data, NULL, sizeof *b + size);
	if (!b)
		return NULL;
	use_huge_pages(b, sizeof *b + size);
	b->next = NULL;
	b->size = size;
	b->used = 0;
	return b;
}

static struct block *own_block(struct arena *a, size_t size)
{
	struct block *b = block_new(a, size);

	if (b && a->blocks) {
		b->next = a->blocks->next;
		a->blocks->next = b;
	} else if (b) {
		a->blocks = b;
	}
	return b;
}

static struct block *fresh_block(struct arena *a)
{
	struct block *b = block_new(a, a->next_size);

	if (!b)
		return NULL;
	b->next = a->blocks;
	a->blocks = b;
	if (a->next_size < LARGEST_BLOCK)
		a->next_size *= 2;
	return b;
}

void *arena_alloc(struct arena *a, size_t size)
{
	const size_t align = _Alignof(max_align_t);
	struct block *b = a->blocks;

	if (size > ARENA_LIMIT)
		return NULL;
	size = (size + align - 1) & ~(align - 1);
	if (a->used > ARENA_LIMIT - size) {
		a->failed = true;
		return NULL;
	}
	if (!b || size > b->size - b->used) {
		b = size > a->next_size / 4 ? own_block(a, size) : fresh_block(a);
		if (!b) {
			a->failed = true;
			return NULL;
		}
	}
	void *p = (char *)b->start + b->used;
	b->used += size;
	a->used += size;
	return memset(p, 0, size);
}

bool arena_failed(const struct arena *a)
{
	return a->failed;
}

void *arena_array(struct arena *a, size_t n, size_t size)
{
	if (size && n > SIZE_MAX / size)
		return NULL;
	return arena_alloc(a, n * size);
}

char *arena_strndup(struct arena *a, const char *s, size_t n)
{
	if (n == SIZE_MAX)
		return NULL;
	char *copy = arena_alloc(a, n + 1);
	if (copy && n)
		memcpy(copy, s, n);
	return copy;
}

char *arena_strdup(struct arena *a, const char *s)
{
	return arena_strndup(a, s, strlen(s));
}

char *arena_printf(struct arena *a, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	int n = vsnprintf(NULL, 0, fmt, ap);
	va_end(ap);
	if (n < 0)
		return NULL;
	char *s = arena_alloc(a, (size_t)n + 1);
	if (!s)
		return NULL;
	va_start(ap, fmt);
	vsnprintf(s, (size_t)n + 1, fmt, ap);
	va_end(ap);
	return s;
}

void *arena_grow(struct arena *a, void *items, size_t n, size_t *cap, size_t size)
{
	if (items && n < *cap)
		return items;
	size_t wanted = *cap < 4 ? 4 : *cap;
	if (wanted <= n) {
		if (n > SIZE_MAX / 2)
			return NULL;
		wanted = n * 2 < 4 ? 4 : n * 2;
	}
	void *moved = arena_array(a, wanted, size);
	if (!moved)
		return NULL;
	if (n && items)
		memcpy(moved, items, n * size);
	*cap = wanted;
	return moved;
}
