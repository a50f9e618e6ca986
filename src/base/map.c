#include "base/map.h"

#include <string.h>

/* FNV-1a, 32 bits. */
static uint32_t hash_of(const char *s, size_t n)
{
	uint32_t h = 2166136261u;

	for (size_t i = 0; i < n; i++)
		h = (h ^ (unsigned char)s[i]) * 16777619u;
	return h;
}

/* The entry of key, or NULL; *slot is then the free slot where it would go. */
static struct map_entry *find(const struct map *m, const char *key, size_t n, uint32_t hash, size_t *slot)
{
	size_t mask = m->n_slots - 1;

	for (size_t i = hash & mask;; i = (i + 1) & mask) {
		*slot = i;
		if (m->slots[i].entry == 0)
			return NULL;
		struct map_entry *e = &m->entries[m->slots[i].entry - 1];
		if (m->slots[i].hash == hash && strncmp(e->key, key, n) == 0 && e->key[n] == '\0')
			return e;
	}
}

static struct map_entry *entry_of(const struct map *m, const char *key, size_t n)
{
	size_t slot;

	return m->n ? find(m, key, n, hash_of(key, n), &slot) : NULL;
}

void *map_get_n(const struct map *m, const char *key, size_t n)
{
	struct map_entry *e = entry_of(m, key, n);

	return e ? e->value : NULL;
}

void *map_get(const struct map *m, const char *key)
{
	return map_get_n(m, key, strlen(key));
}

void *map_get_next(const struct map *m, const char *key, size_t *next)
{
	const struct map_entry *e = *next < m->n && strcmp(m->entries[*next].key, key) == 0 ? &m->entries[*next] : entry_of(m, key, strlen(key));

	if (e)
		*next = (size_t)(e - m->entries) + 1;
	return e ? e->value : NULL;
}

bool map_has(const struct map *m, const char *key)
{
	return entry_of(m, key, strlen(key)) != NULL;
}

/* Slots stay at most half full. */
static bool set_slots(struct map *m, struct arena *a, size_t n_slots)
{
	if (n_slots > UINT32_MAX)
		return false;
	struct map_slot *slots = arena_array(a, n_slots, sizeof *slots);
	if (!slots)
		return false;
	for (size_t k = 0; k < m->n_slots; k++) {
		size_t i = m->slots[k].hash & (n_slots - 1);
		while (slots[i].entry)
			i = (i + 1) & (n_slots - 1);
		if (m->slots[k].entry)
			slots[i] = m->slots[k];
	}
	m->slots = slots;
	m->n_slots = n_slots;
	return true;
}

bool map_reserve(struct map *m, struct arena *a, size_t n)
{
	size_t n_slots = m->n_slots ? m->n_slots : 8;
	while (n_slots / 2 < n && n_slots <= UINT32_MAX)
		n_slots *= 2;
	if (n_slots > m->n_slots && !set_slots(m, a, n_slots))
		return false;
	if (n <= m->cap)
		return true;
	struct map_entry *entries = arena_array(a, n, sizeof *entries);
	if (!entries)
		return false;
	if (m->n)
		memcpy(entries, m->entries, m->n * sizeof *entries);
	m->entries = entries;
	m->cap = n;
	return true;
}

struct map_entry *map_add(struct map *m, struct arena *a, const char *key)
{
	size_t n = strlen(key), slot;
	uint32_t hash = hash_of(key, n);

	if ((m->n + 1) * 2 > m->n_slots && !set_slots(m, a, m->n_slots ? m->n_slots * 2 : 8))
		return NULL;
	struct map_entry *e = find(m, key, n, hash, &slot);
	if (e)
		return e;
	struct map_entry *entries = arena_grow(a, m->entries, m->n, &m->cap, sizeof *entries);
	if (!entries)
		return NULL;
	m->entries = entries;
	entries[m->n] = (struct map_entry){ key, NULL };
	m->slots[slot] = (struct map_slot){ (uint32_t)++m->n, hash };
	return &entries[m->n - 1];
}

bool map_put(struct map *m, struct arena *a, const char *key, void *value)
{
	struct map_entry *e = map_add(m, a, key);

	if (e)
		e->value = value;
	return e != NULL;
}

void map_clear(struct map *m)
{
	m->n = 0;
	if (m->slots)
		memset(m->slots, 0, m->n_slots * sizeof *m->slots);
}
