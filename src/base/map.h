/*
 * A map from strings to pointers that remembers insertion order.  It lives in
 * an arena and borrows its keys.
 */
#ifndef BASE_MAP_H
#define BASE_MAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"

struct map_entry {
	const char *key;
	void *value;
};

struct map_slot {
	uint32_t entry;            /* index + 1 into entries, 0 when free */
	uint32_t hash;             /* that entry's, so that others need not be looked at */
};

struct map {
	struct map_entry *entries; /* in insertion order */
	size_t n, cap;
	struct map_slot *slots;
	size_t n_slots;
};

void *map_get(const struct map *m, const char *key);      /* NULL when absent */
void *map_get_n(const struct map *m, const char *key, size_t n); /* key's first n bytes */
/* NULL when absent.  Entry *next is looked at first, where keys that come in the order of insertion are; it is then the one behind. */
void *map_get_next(const struct map *m, const char *key, size_t *next);
bool map_has(const struct map *m, const char *key);
bool map_put(struct map *m, struct arena *a, const char *key, void *value); /* false: out of memory */
/* The entry of key, added with a NULL value when absent; it moves when the map grows.  Its key may be replaced by an equal one.  NULL: out of memory. */
struct map_entry *map_add(struct map *m, struct arena *a, const char *key);
bool map_reserve(struct map *m, struct arena *a, size_t n); /* room for n entries in all; false: out of memory */
void map_clear(struct map *m);                             /* empty again, its room kept */

#endif
