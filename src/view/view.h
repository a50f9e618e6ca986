/*
 * Views: ways to look at a model, each making a drawing.  A view is one row
 * of views[].  The drawing lives in the arena that it is given.
 */
#ifndef VIEW_VIEW_H
#define VIEW_VIEW_H

#include "ir/module.h"
#include "view/drawing.h"

struct view_options {
	bool show_attrs, show_saved;  /* autograd: torchviz's */
	int max_attr_chars;           /* autograd: torchviz's, 50 */
	int depth;                    /* forward: modules deeper than this fold into one box; -1: none */
	const char *direction;        /* forward: "TB", "LR", ...; NULL: TB */
	const double *times;          /* forward: ms of every node by its id, negative where there is none; NULL: colours by kind */
};

struct view {
	const char *name, *help;
	/* g: a traced graph, requires_grad of its values set. */
	bool (*draw)(const struct model *m, const struct graph *g, const struct view_options *o, struct drawing *d, nns_error *err);
};
extern const struct view views[];       /* ends with a NULL name */

bool view_autograd(const struct model *m, const struct graph *g, const struct view_options *o, struct drawing *d, nns_error *err);
bool view_forward(const struct model *m, const struct graph *g, const struct view_options *o, struct drawing *d, nns_error *err);

#endif
