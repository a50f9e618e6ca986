/*
 * A drawing: boxes, arrows and clusters with labels and colours.  It knows
 * nothing of neural networks.  A view makes it, render/ draws it.  Statements
 * keep the order in which they were added, because layout and readers of the
 * DOT text depend on it.  The drawing owns everything, through its arena.
 */
#ifndef VIEW_DRAWING_H
#define VIEW_DRAWING_H

#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"

/* An attribute in Graphviz's names: fillcolor, label, tooltip, id, URL, ... */
struct style {
	const char *key, *value;
};

enum drawing_kind { DRAW_BOX, DRAW_ARROW, DRAW_CLUSTER, DRAW_END /* of the innermost cluster */ };

struct drawing_item {
	enum drawing_kind kind;
	int from, to;            /* box: from is its number; arrow: both; cluster: from is its number */
	struct style *styles;
	size_t n_styles;
};

struct drawing {
	struct arena *arena;
	struct style *graph_styles;  size_t n_graph_styles, cap_graph_styles;
	struct style *box_styles;    size_t n_box_styles, cap_box_styles;    /* defaults of boxes */
	struct style *arrow_styles;  size_t n_arrow_styles, cap_arrow_styles;
	struct drawing_item *items;  size_t n, cap;
	int n_boxes, n_clusters;
	bool failed;                 /* out of memory; sticky */
};

struct drawing *drawing_new(struct arena *a);  /* NULL: out of memory */

void drawing_graph_style(struct drawing *d, const char *key, const char *value);
void drawing_box_style(struct drawing *d, const char *key, const char *value);
void drawing_arrow_style(struct drawing *d, const char *key, const char *value);

/* A number for a box that may be named by arrows before its own statement comes. */
int drawing_reserve(struct drawing *d);

/* styles end with a NULL key; keys and values are borrowed and must live in the arena or be literals. */
void drawing_box(struct drawing *d, int number, const struct style *styles);
/* styles as for boxes */
void drawing_arrow(struct drawing *d, int from, int to, const struct style *styles);
void drawing_begin_cluster(struct drawing *d, const struct style *styles);
void drawing_end_cluster(struct drawing *d);

#endif
