/* Evaluation of operators and comparisons. */
#include "lang/eval.h"

bool eval_binary(struct interp *in, const struct ast *e, struct scope *s, struct datum *out, nns_error *err)
{
	struct datum a, b;
	return eval(in, e->a, s, &a, err) && eval(in, e->b, s, &b, err) && lang_binary(in, (enum lang_op)e->op, a, b, out, err);
}

bool eval_unary(struct interp *in, const struct ast *e, struct scope *s, struct datum *out, nns_error *err)
{
	struct datum a;
	if (!eval(in, e->a, s, &a, err))
		return false;
	if (is_host_kind(a) && in->host && in->host->unary)
		return in->host->unary(in, (enum lang_op)e->op, a, out, err);
	return plain_unary(in, (enum lang_op)e->op, a, out, err);
}

bool eval_not(struct interp *in, const struct ast *e, struct scope *s, struct datum *out, nns_error *err)
{
	bool v;
	if (!eval(in, e->a, s, out, err) || !truth_of(in, *out, &v, err))
		return false;
	*out = datum_bool(!v);
	return true;
}

bool eval_logic(struct interp *in, const struct ast *e, struct scope *s, struct datum *out, nns_error *err)
{
	bool v;
	if (!eval(in, e->a, s, out, err) || !truth_of(in, *out, &v, err))
		return false;
	return v == (e->kind == A_OR) || eval(in, e->b, s, out, err);
}

bool same_object(struct datum a, struct datum b)
{
	if (a.kind != b.kind)
		return false;
	switch (a.kind) {
	case D_TUPLE: case D_LIST: case D_DICT: case D_SLICE: case D_TENSOR: case D_MODULE: case D_CLASS: case D_FUNCTION: case D_HOST:
		return a.u.p == b.u.p;
	default:
		return datum_equal(a, b);
	}
}

static bool compare(struct interp *in, int op, struct datum a, struct datum b, struct datum *out, nns_error *err)
{
	bool v;
	if (op == OP_IS || op == OP_IS_NOT)
		return *out = datum_bool(same_object(a, b) == (op == OP_IS)), true;
	if (op != OP_IN && op != OP_NOT_IN)
		return lang_binary(in, (enum lang_op)op, a, b, out, err);
	if (!contains(in, b, a, &v, err))
		return false;
	*out = datum_bool(v == (op == OP_IN));
	return true;
}

bool eval_compare(struct interp *in, const struct ast *e, struct scope *s, struct datum *out, nns_error *err)
{
	struct datum left, right;
	bool v = true;
	if (!eval(in, e->items[0], s, &left, err))
		return false;
	for (size_t i = 1; i < e->n; i++, left = right) {
		if (!eval(in, e->items[i], s, &right, err) || !compare(in, e->ops[i - 1], left, right, out, err))
			return false;
		if (i + 1 == e->n)
			return true;
		if (!truth_of(in, *out, &v, err))
			return false;
		if (!v)
			return true;
	}
	return true;
}

bool eval_conditional(struct interp *in, const struct ast *e, struct scope *s, struct datum *out, nns_error *err)
{
	struct datum condition;
	bool v;
	if (!eval(in, e->b, s, &condition, err) || !truth_of(in, condition, &v, err))
		return false;
	return eval(in, v ? e->a : e->c, s, out, err);
}
