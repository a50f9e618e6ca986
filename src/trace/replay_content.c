/* Numbers in a program that hang on the content of its inputs, when that is known (graph.contents). */
#include <string.h>

#include "ir/elements.h"
#include "trace/replayer.h"

enum { MOST_NUMBERS = 1 << 20 };

/* ---- Numbers ---- */

bool replay_numbers(const struct replayer *r, struct value *v, struct datum *out)
{
	const struct value *content;
	int64_t n = value_numel(v);
	*out = datum_none();
	if (!r->rt->recorder.compute || r->graph->n_contents == 0 || n < 0 || n > MOST_NUMBERS || (v->ndim > 1 && n != 1) || dtype_is_complex(v->dtype)
	    || !dtype_has_elements(v->dtype)
	    || !r->rt->recorder.compute(r->graph, &v, 1, &content))
		return true;
	if (!datum_seq(r->model->arena, D_LIST, (size_t)n, out))
		return fail_memory(r->err);
	for (int64_t i = 0; i < n; i++)
		if (!seq_push(r->model->arena, out->u.seq, value_number(content, content->ndim ? i * content->stride[0] : 0)))
			return fail_memory(r->err);
	return true;
}

/* ---- Parts that read them ---- */

static struct value *argument_named(const struct op *op, const struct lang_args *args, const char *name)
{
	for (size_t i = 0; i < args->n_named; i++)
		if (strcmp(args->names[i], name) == 0)
			return args->values[i].kind == D_TENSOR ? args->values[i].u.p : NULL;
	for (size_t i = 0; i < args->n && i < (size_t)op->n_args; i++)
		if (strcmp(op->args[i].name, name) == 0)
			return args->items[i].kind == D_TENSOR ? args->items[i].u.p : NULL;
	return NULL;
}

/* For the time of the call the tensor is a constant: that it is one says the graph alone, not the plans that are made of it. */
bool replay_with_numbers(struct replayer *r, const char *target, const struct lang_args *args, struct datum *out)
{
	struct recorder *recorder = &r->rt->recorder;
	const struct op *op = optable_get(recorder->table, target, NULL);
	struct value *v = op && op->rule && op->rule->reads ? argument_named(op, args, op->rule->reads) : NULL;
	struct datum numbers = datum_none();
	if (v && !v->constant && !replay_numbers(r, v, &numbers))
		return false;
	if (numbers.kind != D_LIST)
		return record_call(recorder, target, args, out, r->err);
	v->constant = v->ndim == 0 ? &numbers.u.seq->items[0] : &numbers;
	bool ok = record_call(recorder, target, args, out, r->err);
	v->constant = NULL;
	return ok;
}
