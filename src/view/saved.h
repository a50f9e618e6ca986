/* What a backward node saves: torch's _saved_ attributes.  Results live in the arena. */
#ifndef VIEW_SAVED_H
#define VIEW_SAVED_H

#include "view/backward.h"

struct saved {
	const char *name;             /* "self", "result1", "dim" */
	const char *text;             /* what Python's str() shows; "[saved tensor]" and so on for tensors */
	struct value **tensors; size_t n_tensors; /* an item may be NULL */
	bool is_list;                 /* tensors come as a tuple */
	bool is_own;                  /* a box of its own: an output, of which each look makes a new tensor, or a clone */
};

/* All of them, sorted by name. */
bool saved_of(struct arena *a, const struct backward *b, struct saved **out, size_t *n);

/* The label with --show-attrs: name, a line of dashes, one row each. */
bool saved_label(struct arena *a, const struct backward *b, int max_chars, struct text *out);

#endif
