#include "view/drawing.h"

#include <string.h>

struct drawing *drawing_new(struct arena *a)
{
	struct drawing *d = arena_alloc(a, sizeof *d);
	if (d)
		d->arena = a;
	return d;
}

static void push_style(struct drawing *d, struct style **all, size_t *n, size_t *cap, const char *key, const char *value)
{
	struct style *moved = arena_grow(d->arena, *all, *n, cap, sizeof *moved);
	if (!moved) {
		d->failed = true;
		return;
	}
	*all = moved;
	moved[(*n)++] = (struct style){ key, value };
}

void drawing_graph_style(struct drawing *d, const char *key, const char *value)
{
	push_style(d, &d->graph_styles, &d->n_graph_styles, &d->cap_graph_styles, key, value);
}

void drawing_box_style(struct drawing *d, const char *key, const char *value)
{
	push_style(d, &d->box_styles, &d->n_box_styles, &d->cap_box_styles, key, value);
}

void drawing_arrow_style(struct drawing *d, const char *key, const char *value)
{
	push_style(d, &d->arrow_styles, &d->n_arrow_styles, &d->cap_arrow_styles, key, value);
}

int drawing_reserve(struct drawing *d)
{
	return d->n_boxes++;
}

static void push_item(struct drawing *d, struct drawing_item item, const struct style *styles)
{
	struct drawing_item *items = arena_grow(d->arena, d->items, d->n, &d->cap, sizeof *items);
	while (styles && styles[item.n_styles].key)
		item.n_styles++;
	item.styles = item.n_styles ? arena_array(d->arena, item.n_styles, sizeof *item.styles) : NULL;
	if (!items || (item.n_styles && !item.styles)) {
		d->failed = true;
		return;
	}
	if (item.n_styles)
		memcpy(item.styles, styles, item.n_styles * sizeof *styles);
	d->items = items;
	items[d->n++] = item;
}

void drawing_box(struct drawing *d, int number, const struct style *styles)
{
	push_item(d, (struct drawing_item){ .kind = DRAW_BOX, .from = number }, styles);
}

void drawing_arrow(struct drawing *d, int from, int to, const struct style *styles)
{
	push_item(d, (struct drawing_item){ .kind = DRAW_ARROW, .from = from, .to = to }, styles);
}

void drawing_begin_cluster(struct drawing *d, const struct style *styles)
{
	push_item(d, (struct drawing_item){ .kind = DRAW_CLUSTER, .from = d->n_clusters++ }, styles);
}

void drawing_end_cluster(struct drawing *d)
{
	push_item(d, (struct drawing_item){ .kind = DRAW_END }, NULL);
}
