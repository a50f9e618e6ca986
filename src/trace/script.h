/* Tracing the code of a TorchScript archive (lang/script.h): the same recorder, another host of the language. */
#ifndef TRACE_SCRIPT_H
#define TRACE_SCRIPT_H

#include "ir/module.h"
#include "lang/script.h"
#include "nn/runtime.h"

/* What a trace of such code works with, for as long as it lasts. */
struct script_run {
	struct interp interp;    /* first: the host's functions find the run by it.  Operators and their parts run on the runtime's own. */
	struct runtime *rt;
	struct script *script;
	struct map functions;    /* "torch.add" -> struct function * */
	struct script_whole { struct value *value, *whole; int64_t dim; struct node *before; } last_whole; /* the last slice of a whole dimension */
	struct script_change *changes; /* attributes that the code has set, to be put back */
	struct script_def *forward; /* the overload that is being called; NULL: whichever */
	bool located;            /* the error at work names its line */
};

/* Between both, modules that have a class in the script run it; what the code set in modules is as it was in the end. */
bool script_begin(struct model *m, struct script_run **out, nns_error *err);
void script_end(struct script_run *run);

/* The parameters of the root's forward behind self. */
bool script_signature(struct model *m, const struct signature **out, nns_error *err);
/* The arguments of forward: inputs of the graph by name and in order, in the lists and tuples that its types ask for. */
bool script_arguments(struct model *m, struct graph *g, struct lang_args *args, nns_error *err);
/* Whether forward can be called without any. */
bool script_wants_none(struct model *m);
/* Without inputs: which are wanted. */
bool script_fail_inputs(struct model *m, nns_error *err);

/* ---- Between the files of the tracer ---- */

static inline struct script_run *script_run_of(struct interp *in) { return (struct script_run *)in; }

typedef bool script_fn(struct interp *in, const struct function *self, const struct lang_args *args, struct datum *out, nns_error *err);

script_fn script_call_method;    /* data: a struct script_def, self: the object */
struct module *script_object(struct script_run *run, const struct script_class *c, nns_error *err);
bool script_setattr(struct interp *in, struct datum obj, const char *name, struct datum v, nns_error *err);

/* script_names.c: what names and attributes mean. */
extern const struct lang_host script_host;

/* script_types.c: types as datums, and what is done with them. */
bool script_type(struct interp *in, const char *name, struct datum *out, bool *found, nns_error *err);
bool script_subscript_type(struct interp *in, struct datum type, struct datum index, struct datum *out, nns_error *err);
script_fn script_annotate, script_cast, script_uninitialized, script_isinstance;

/* script_calls.c: torch.NAME(...), ops.SPACE.NAME(...); data is NAME, or SPACE.NAME. */
script_fn script_call_torch, script_call_prim, script_call_other;

/* script_index.c */
const struct value *script_first(const struct lang_args *args);  /* the first argument when it is a tensor, or NULL */
bool script_is_whole(const char *name, const struct lang_args *args);
bool script_whole_slice(struct script_run *run, const struct lang_args *args, struct datum *out, nns_error *err);
/* Before another operator over what script_whole_slice() gave: args may get what that was made of. */
void script_index_further(struct script_run *run, const char *name, struct lang_args *args);

/* script_content.c */
/* A tensor without dimensions whose content is known: a number of the code. */
bool script_number(struct script_run *run, struct datum number, struct datum *out, nns_error *err);
/* Whether an operator over these arguments is better computed than recorded: all tensors in them are such. */
bool script_is_known(const struct lang_args *args);
/* Computes it. */
bool script_compute(struct script_run *run, const char *name, const struct lang_args *args, struct datum *out, nns_error *err);

#endif
