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
bool map_has(const struct map *m, const char *key);
bool map_put(struct map *m, struct arena *a, const char *key, void *value); /* false: out of memory */
void map_clear(struct map *m);                             /* empty again, its room kept */

#endif
