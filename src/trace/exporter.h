/*
 * What libraries write otherwise while they are exported.  A file then holds operators that the live model never runs: masks that
 * it does not make, heads that it does not repeat.  The graph is to be that of the live model, so a program's operators are
 * put back before they are recorded.  A row of the table in exporter.c is one such habit: the library, whose modules alone it is
 * looked for in, the operator at which it ends, how it is recognised, and what eager mode does.
 */
#ifndef TRACE_EXPORTER_H
#define TRACE_EXPORTER_H

#include "nn/runtime.h"

/* What the content of an attention mask is. */
enum mask { MASK_UNKNOWN, MASK_OTHER, MASK_ALLOWS_ALL, MASK_CAUSAL };

/* What was met so far. */
struct exporter_memory {
	struct { const struct value *value; enum mask mask; } masks[8]; /* looked at last: all layers of a model share one */
	size_t n_masks;
	const struct value *unresized; /* what a resize to its own size handed on last */
};

/* An operator that is about to be recorded. */
struct exported_call {
	struct runtime *rt;
	const char *target;      /* "scaled_dot_product_attention"; may be replaced */
	struct lang_args *args;  /* as the file names them, with room for two more named ones; may be changed */
	bool done;               /* nothing is recorded: `result` is what it gives */
	struct datum result;
	struct exporter_memory *memory; /* one for a whole replay */
	nns_error *err;
};

/*
 * Puts back what the library of class ("transformers.models.bert.modeling_bert.BertSelfAttention"; NULL: no module) wrote
 * because it was exported.  Leaves other operators alone.
 */
bool exporter_undo(struct exported_call *c, const char *class);

#endif
