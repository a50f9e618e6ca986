/* Evaluation of tuples, lists, dicts and comprehensions. */

#include "lang/eval.h"

/* ---- Tuples, lists, dicts ---- */

bool push_spread(struct interp *in, const struct ast *item, struct scope *s, struct seq *to, nns_error *err)
{
	struct datum v;
	struct seq *items;
	if (!eval(in, item->a, s, &v, err) || !items_of(in, v, &items, err))
		return false;
	for (size_t i = 0, n = items->n; i < n; i++)
		if (!seq_push(in->arena, to, items->items[i]))
			return fail_memory(err);
	return true;
}

bool eval_seq(struct interp *in, const struct ast *e, struct scope *s, struct datum *out, nns_error *err)
{
	struct datum v;
	if (!datum_seq(in->arena, e->kind == A_LIST ? D_LIST : D_TUPLE, e->n, out))
		return fail_memory(err);
	for (size_t i = 0; i < e->n; i++) {
		if (e->items[i]->kind == A_STAR) {
			if (!push_spread(in, e->items[i], s, out->u.seq, err))
				return false;
			continue;
		}
		if (!eval(in, e->items[i], s, &v, err))
			return false;
		if (!seq_push(in->arena, out->u.seq, v))
			return fail_memory(err);
	}
	return true;
}

static bool merge(struct interp *in, const struct ast *e, struct datum from, struct dict *to, nns_error *err)
{
	if (from.kind != D_DICT)
		return fail_at(e, err, NNS_MODEL, "** needs a dict, not %s", datum_type_name(from));
	for (size_t i = 0; i < from.u.dict->n; i++)
		if (!dict_put(in->arena, to, from.u.dict->keys[i], from.u.dict->values[i]))
			return fail_memory(err);
	return true;
}

bool eval_dict(struct interp *in, const struct ast *e, struct scope *s, struct datum *out, nns_error *err)
{
	struct datum key, value;
	if (!datum_dict(in->arena, out))
		return fail_memory(err);
	for (size_t i = 0; i + 1 < e->n; i += 2) {
		if (e->items[i] && !eval(in, e->items[i], s, &key, err))
			return false;
		if (!eval(in, e->items[i + 1], s, &value, err))
			return false;
		if (!e->items[i]) {
			if (!merge(in, e, value, out->u.dict, err))
				return false;
		} else if (!dict_store(in, out->u.dict, key, value, err)) {
			return false;
		}
	}
	return true;
}

/* ---- Comprehensions ---- */

static bool put_result(struct interp *in, const struct ast *e, struct scope *s, struct datum *out, nns_error *err)
{
	struct datum key, value;
	if (!eval(in, e->a, s, &key, err))
		return false;
	if (e->kind == A_LIST_COMP)
		return seq_push(in->arena, out->u.seq, key) || fail_memory(err);
	return eval(in, e->b, s, &value, err) && dict_store(in, out->u.dict, key, value, err);
}

static bool conditions_hold(struct interp *in, const struct ast *clause, struct scope *s, bool *holds, nns_error *err)
{
	struct datum v;
	*holds = true;
	for (size_t i = 0; i < clause->n && *holds; i++)
		if (!eval(in, clause->items[i], s, &v, err) || !truth_of(in, v, holds, err))
			return false;
	return true;
}

static bool run_clause(struct interp *in, const struct ast *e, size_t i, struct scope *s, struct datum *out, nns_error *err)
{
	const struct ast *clause;
	struct datum from;
	struct seq *items;
	bool holds;
	if (i == e->n)
		return put_result(in, e, s, out, err);
	clause = e->items[i];
	if (!eval(in, clause->b, s, &from, err) || !items_of(in, from, &items, err))
		return false;
	for (size_t k = 0, n = items->n; k < n; k++) {
		if (!assign(in, clause->a, items->items[k], s, err) || !conditions_hold(in, clause, s, &holds, err))
			return false;
		if (holds && !run_clause(in, e, i + 1, s, out, err))
			return false;
	}
	return true;
}

bool eval_comprehension(struct interp *in, const struct ast *e, struct scope *s, struct datum *out, nns_error *err)
{
	struct scope inner = { .outer = s };
	bool made = e->kind == A_LIST_COMP ? datum_seq(in->arena, D_LIST, 0, out) : datum_dict(in->arena, out);
	return made ? run_clause(in, e, 0, &inner, out, err) : fail_memory(err);
}
