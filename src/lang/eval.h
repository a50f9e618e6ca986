/* What the files of the evaluator share. */
#ifndef LANG_EVAL_H
#define LANG_EVAL_H

#include "lang/ast.h"

enum { MAX_EVAL_DEPTH = 1500, MAX_STEPS = 20000000, MAX_SEQUENCE = 10000000 };

/* "where:line:col: " and the message. */
bool fail_at(const struct ast *e, nns_error *err, enum nns_code code, const char *fmt, ...) PRINTF_LIKE(4, 5);

bool eval(struct interp *in, const struct ast *e, struct scope *s, struct datum *out, nns_error *err);
/* Kinds of expressions that have files of their own: eval_items.c, eval_ops.c. */
typedef bool eval_fn(struct interp *in, const struct ast *e, struct scope *s, struct datum *out, nns_error *err);
eval_fn eval_seq, eval_dict, eval_comprehension;
eval_fn eval_binary, eval_unary, eval_not, eval_logic, eval_compare, eval_conditional;
/* *item: what iterating over it yields. */
bool push_spread(struct interp *in, const struct ast *item, struct scope *s, struct seq *to, nns_error *err);
bool assign(struct interp *in, const struct ast *target, struct datum v, struct scope *s, nns_error *err);

enum flow { FLOW_ERROR, FLOW_NEXT, FLOW_BREAK, FLOW_CONTINUE, FLOW_RETURN };
enum flow execute(struct interp *in, const struct ast *s, struct scope *scope, struct datum *out, nns_error *err);

/* A lambda or nested function as a function datum; it keeps a copy of the scopes around it. */
bool closure_new(struct interp *in, const struct ast *e, const struct scope *s, struct datum *out, nns_error *err);

/* What iterating over d yields: a borrowed tuple or list, or a new list. */
bool items_of(struct interp *in, struct datum d, struct seq **out, nns_error *err);
bool truth_of(struct interp *in, struct datum d, bool *out, nns_error *err);
bool length_of(struct interp *in, struct datum d, int64_t *out, nns_error *err);
bool contains(struct interp *in, struct datum container, struct datum item, bool *out, nns_error *err);
bool same_object(struct datum a, struct datum b);
bool is_host_kind(struct datum d);

bool plain_unary(struct interp *in, enum lang_op op, struct datum a, struct datum *out, nns_error *err);
bool get_item(struct interp *in, struct datum obj, struct datum index, struct datum *out, nns_error *err);
bool set_item(struct interp *in, struct datum obj, struct datum index, struct datum v, nns_error *err);
bool delete_item(struct interp *in, struct datum obj, struct datum index, nns_error *err);
/* a op= b */
bool augmented(struct interp *in, enum lang_op op, struct datum a, struct datum b, struct datum *out, nns_error *err);

/* Methods of str, list, dict, ... */
bool plain_method(struct interp *in, struct datum obj, const char *name, struct datum *out, bool *found, nns_error *err);
const char *plain_method_name(struct datum obj, size_t index); /* NULL at the end */

/* Builtin functions by name; NULL: none. */
const struct function *builtin_find(const char *name);
const char *builtin_name(size_t index);

/* str(d), repr(d); allocated in the arena. */
bool to_str(struct interp *in, struct datum d, bool repr, const char **out, nns_error *err);
/* format(d, spec), and "..." % args. */
bool format_datum(struct interp *in, struct datum d, const char *spec, struct text *out, nns_error *err);
bool percent_format(struct interp *in, const char *format, struct datum args, struct datum *out, nns_error *err);
/* "{} {name!r:>5}".format(...) */
bool brace_format(struct interp *in, const char *format, const struct lang_args *args, struct datum *out, nns_error *err);
bool text_to_str(struct interp *in, struct text *t, struct datum *out, nns_error *err); /* releases t */

/* d[key] = value; a list or dict cannot be a key. */
bool dict_store(struct interp *in, struct dict *d, struct datum key, struct datum value, nns_error *err);

#endif
