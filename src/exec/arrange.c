/*
 * Memory of the fast executor: places that never live at the same time share
 * it.  Actions are walked in order; a place takes the smallest hole that it
 * fits in, and gives it back after its last action.
 */
#include "exec/fast_plan.h"

enum { ALIGN = 64 };

struct hole {
	size_t offset, bytes;
};

struct holes {
	struct hole *items; size_t n;    /* by offset */
	size_t end;                      /* of all memory taken so far */
};

static void remove_hole(struct holes *h, size_t i)
{
	h->n--;
	for (; i < h->n; i++)
		h->items[i] = h->items[i + 1];
}

static size_t take_hole(struct holes *h, size_t bytes)
{
	size_t best = h->n;
	for (size_t i = 0; i < h->n; i++)
		if (h->items[i].bytes >= bytes && (best == h->n || h->items[i].bytes < h->items[best].bytes))
			best = i;
	if (best == h->n) {      /* at the end, over a hole there */
		bool last = h->n > 0 && h->items[h->n - 1].offset + h->items[h->n - 1].bytes == h->end;
		size_t at = last ? h->items[h->n - 1].offset : h->end;
		if (last)
			h->n--;
		h->end = at + bytes;
		return at;
	}
	size_t at = h->items[best].offset;
	h->items[best].offset += bytes;
	h->items[best].bytes -= bytes;
	if (h->items[best].bytes == 0)
		remove_hole(h, best);
	return at;
}

/* There is room for a hole more than there are places. */
static void give_back(struct holes *h, size_t offset, size_t bytes)
{
	size_t i = 0;
	while (i < h->n && h->items[i].offset < offset)
		i++;
	for (size_t k = h->n; k > i; k--)
		h->items[k] = h->items[k - 1];
	h->items[i] = (struct hole){ offset, bytes };
	h->n++;
	if (i + 1 < h->n && offset + bytes == h->items[i + 1].offset) {
		h->items[i].bytes += h->items[i + 1].bytes;
		remove_hole(h, i + 1);
	}
	if (i > 0 && h->items[i - 1].offset + h->items[i - 1].bytes == offset) {
		h->items[i - 1].bytes += h->items[i].bytes;
		remove_hole(h, i);
	}
}

bool arrange(struct fast_plan *f, nns_error *err)
{
	/* Chains of the places that end with an action; those that begin with it come in order. */
	size_t *ends = arena_array(f->arena, f->n_actions + 1, sizeof *ends);
	size_t *next = arena_array(f->arena, f->n_places + 2, sizeof *next);
	struct holes h = { .items = arena_array(f->arena, f->n_places + 2, sizeof *h.items) };
	if (!ends || !next || !h.items)
		return fail_memory(err);
	for (size_t i = 0; i < f->n_places; i++) {
		struct place *p = &f->places[i];
		p->bytes = (p->bytes + ALIGN - 1) / ALIGN * ALIGN;
		next[i + 1] = ends[p->last];
		ends[p->last] = i + 1;
	}
	for (size_t a = 0, begun = 0; a < f->n_actions; a++) {
		for (; begun < f->n_places && f->places[begun].first == a; begun++)
			f->places[begun].offset = take_hole(&h, f->places[begun].bytes);
		for (size_t i = ends[a]; i; i = next[i])
			give_back(&h, f->places[i - 1].offset, f->places[i - 1].bytes);
	}
	f->activations = h.end;
	return true;
}
