/* Statements. */
#include <string.h>

#include "lang/eval.h"

/* ---- Assignment ---- */

static bool assign_attribute(struct interp *in, const struct ast *target, struct datum v, struct scope *s, nns_error *err)
{
	struct datum obj;
	if (!eval(in, target->a, s, &obj, err))
		return false;
	if (!is_host_kind(obj) || !in->host || !in->host->setattr)
		return fail_at(target, err, NNS_MODEL, "attributes of %s %s cannot be set", datum_a(obj), datum_type_name(obj));
	return in->host->setattr(in, obj, target->name, v, err);
}

static bool assign_subscript(struct interp *in, const struct ast *target, struct datum v, struct scope *s, nns_error *err)
{
	struct datum obj, index;
	return eval(in, target->a, s, &obj, err) && eval(in, target->b, s, &index, err) && set_item(in, obj, index, v, err);
}

static bool assign_rest(struct interp *in, const struct ast *target, const struct seq *items, size_t from, size_t n, struct scope *s, nns_error *err)
{
	struct datum list;
	if (!datum_seq(in->arena, D_LIST, n, &list))
		return fail_memory(err);
	for (size_t i = 0; i < n; i++)
		if (!seq_push(in->arena, list.u.seq, items->items[from + i]))
			return fail_memory(err);
	return assign(in, target->a, list, s, err);
}

static bool unpack(struct interp *in, const struct ast *target, struct datum v, struct scope *s, nns_error *err)
{
	struct seq *items;
	size_t star = target->n;
	if (!items_of(in, v, &items, err))
		return false;
	for (size_t i = 0; i < target->n; i++)
		if (target->items[i]->kind == A_STAR)
			star = i;
	size_t needed = target->n - (star < target->n);
	if (items->n < needed)
		return fail_at(target, err, NNS_MODEL, "not enough values to unpack (expected %s%zu, got %zu)", star < target->n ? "at least " : "", needed, items->n);
	if (star == target->n && items->n > needed)
		return fail_at(target, err, NNS_MODEL, "too many values to unpack (expected %zu, got %zu)", needed, items->n);
	for (size_t i = 0, k = 0; i < target->n; i++) {
		size_t taken = i == star ? items->n - needed : 1;
		bool ok = i == star ? assign_rest(in, target->items[i], items, k, taken, s, err) : assign(in, target->items[i], items->items[k], s, err);
		if (!ok)
			return false;
		k += taken;
	}
	return true;
}

bool assign(struct interp *in, const struct ast *target, struct datum v, struct scope *s, nns_error *err)
{
	switch (target->kind) {
	case A_NAME: return scope_set(in->arena, s, target->name, v) || fail_memory(err);
	case A_ATTRIBUTE: return assign_attribute(in, target, v, s, err);
	case A_SUBSCRIPT: return assign_subscript(in, target, v, s, err);
	case A_TUPLE: case A_LIST: return unpack(in, target, v, s, err);
	default: return fail_at(target, err, NNS_MODEL, "this cannot be assigned to");
	}
}

static bool run_assign(struct interp *in, const struct ast *st, struct scope *s, nns_error *err)
{
	struct datum v;
	if (!eval(in, st->a, s, &v, err))
		return false;
	for (size_t i = 0; i < st->n; i++)
		if (!assign(in, st->items[i], v, s, err))
			return false;
	return true;
}

/* The object and index of the target are evaluated once. */
static bool run_augmented(struct interp *in, const struct ast *st, struct scope *s, nns_error *err)
{
	const struct ast *target = st->a;
	struct datum obj = datum_none(), index, old, v;
	if (target->kind == A_SUBSCRIPT) {
		if (!eval(in, target->a, s, &obj, err) || !eval(in, target->b, s, &index, err) || !get_item(in, obj, index, &old, err))
			return false;
		return eval(in, st->b, s, &v, err) && augmented(in, (enum lang_op)st->op, old, v, &old, err) && set_item(in, obj, index, old, err);
	}
	if (target->kind == A_ATTRIBUTE) {
		if (!eval(in, target, s, &old, err))
			return false;
		if (!eval(in, st->b, s, &v, err) || !augmented(in, (enum lang_op)st->op, old, v, &v, err))
			return false;
		return same_object(old, v) || assign(in, target, v, s, err);
	}
	return eval(in, target, s, &old, err) && eval(in, st->b, s, &v, err) && augmented(in, (enum lang_op)st->op, old, v, &v, err)
	    && assign(in, target, v, s, err);
}

static bool forget_name(struct scope *s, const char *name)
{
	for (size_t i = 0; i < s->n; i++)
		if (strcmp(s->names[i], name) == 0) {
			s->n--;
			memmove(&s->names[i], &s->names[i + 1], (s->n - i) * sizeof *s->names);
			memmove(&s->values[i], &s->values[i + 1], (s->n - i) * sizeof *s->values);
			return true;
		}
	return false;
}

static bool run_del(struct interp *in, const struct ast *st, struct scope *s, nns_error *err)
{
	struct datum obj, index;
	for (size_t i = 0; i < st->n; i++) {
		const struct ast *t = st->items[i];
		if (t->kind == A_SUBSCRIPT) {
			if (!eval(in, t->a, s, &obj, err) || !eval(in, t->b, s, &index, err) || !delete_item(in, obj, index, err))
				return false;
		} else if (t->kind == A_NAME) {
			if (!forget_name(s, t->name))
				return fail_at(t, err, NNS_MODEL, "name '%s' is not defined", t->name);
		} else {
			return fail_at(t, err, NNS_UNSUPPORTED, "only names and items can be deleted");
		}
	}
	return true;
}

/* ---- Errors that code raises ---- */

static bool run_raise(struct interp *in, const struct ast *st, struct scope *s, nns_error *err)
{
	struct datum v;
	const char *text;
	if (!st->a)
		return fail_at(st, err, NNS_MODEL, "raised an error");
	if (!eval(in, st->a, s, &v, err) || !to_str(in, v, false, &text, err))
		return false;
	return fail(err, NNS_MODEL, "%s", v.kind == D_FUNCTION ? ((const struct function *)v.u.p)->name : text);
}

static bool run_assert(struct interp *in, const struct ast *st, struct scope *s, nns_error *err)
{
	struct datum v;
	bool holds;
	const char *text;
	if (!eval(in, st->a, s, &v, err) || !truth_of(in, v, &holds, err))
		return false;
	if (holds)
		return true;
	if (!st->b)
		return fail_at(st, err, NNS_MODEL, "an assertion does not hold");
	if (!eval(in, st->b, s, &v, err) || !to_str(in, v, false, &text, err))
		return false;
	return fail(err, NNS_MODEL, "%s", text);
}

/* ---- Flow ---- */

static enum flow run_if(struct interp *in, const struct ast *st, struct scope *s, struct datum *out, nns_error *err)
{
	for (; st; st = st->c) {
		struct datum v;
		bool holds;
		if (st->kind == A_BLOCK)
			return execute(in, st, s, out, err);
		if (!eval(in, st->a, s, &v, err) || !truth_of(in, v, &holds, err))
			return FLOW_ERROR;
		if (holds)
			return execute(in, st->b, s, out, err);
	}
	return FLOW_NEXT;
}

static enum flow run_for(struct interp *in, const struct ast *st, struct scope *s, struct datum *out, nns_error *err)
{
	struct datum from;
	struct seq *items;
	if (!eval(in, st->b, s, &from, err) || !items_of(in, from, &items, err))
		return FLOW_ERROR;
	for (size_t i = 0; i < items->n; i++) {
		if (!assign(in, st->a, items->items[i], s, err))
			return FLOW_ERROR;
		enum flow f = execute(in, st->items[0], s, out, err);
		if (f == FLOW_BREAK)
			return FLOW_NEXT;
		if (f == FLOW_ERROR || f == FLOW_RETURN)
			return f;
	}
	return st->items[1] ? execute(in, st->items[1], s, out, err) : FLOW_NEXT;
}

static enum flow run_while(struct interp *in, const struct ast *st, struct scope *s, struct datum *out, nns_error *err)
{
	for (;;) {
		struct datum v;
		bool holds;
		if (!eval(in, st->a, s, &v, err) || !truth_of(in, v, &holds, err))
			return FLOW_ERROR;
		if (!holds)
			return FLOW_NEXT;
		enum flow f = execute(in, st->b, s, out, err);
		if (f == FLOW_BREAK)
			return FLOW_NEXT;
		if (f == FLOW_ERROR || f == FLOW_RETURN)
			return f;
	}
}

static enum flow run_with(struct interp *in, const struct ast *st, struct scope *s, struct datum *out, nns_error *err)
{
	struct datum context, entered;
	if (!eval(in, st->a, s, &context, err))
		return FLOW_ERROR;
	if (!in->host || !in->host->enter) {
		fail_at(st, err, NNS_MODEL, "%s %s cannot be used with `with`", datum_a(context), datum_type_name(context));
		return FLOW_ERROR;
	}
	if (!in->host->enter(in, context, &entered, err))
		return FLOW_ERROR;
	enum flow f = FLOW_ERROR;
	if (!st->c || assign(in, st->c, entered, s, err))
		f = execute(in, st->b, s, out, err);
	if (in->host->leave)
		in->host->leave(in, context);
	return f;
}

static bool run_def(struct interp *in, const struct ast *st, struct scope *s, nns_error *err)
{
	struct datum f;
	/* the name stands in the scope that the function keeps, so that it can call itself */
	if (!scope_set(in->arena, s, st->name, datum_none()))
		return fail_memory(err);
	return closure_new(in, st, s, &f, err) && (scope_set(in->arena, s, st->name, f) || fail_memory(err));
}

static enum flow run_block(struct interp *in, const struct ast *block, struct scope *s, struct datum *out, nns_error *err)
{
	for (size_t i = 0; i < block->n; i++) {
		enum flow f = execute(in, block->items[i], s, out, err);
		if (f != FLOW_NEXT)
			return f;
	}
	return FLOW_NEXT;
}

static enum flow flow_of(bool ok)
{
	return ok ? FLOW_NEXT : FLOW_ERROR;
}

enum flow execute(struct interp *in, const struct ast *st, struct scope *s, struct datum *out, nns_error *err)
{
	struct datum ignored;
	if (++in->steps > in->max_steps)
		return fail_at(st, err, NNS_LIMIT, "more than %ld steps; the code may never end", in->max_steps), FLOW_ERROR;
	if (st->kind != A_BLOCK)
		in->line = st->line;
	switch (st->kind) {
	case A_BLOCK: return run_block(in, st, s, out, err);
	case A_EXPRESSION: return flow_of(eval(in, st->a, s, &ignored, err));
	case A_ASSIGN: return flow_of(run_assign(in, st, s, err));
	case A_AUGMENTED: return flow_of(run_augmented(in, st, s, err));
	case A_IF: return run_if(in, st, s, out, err);
	case A_FOR: return run_for(in, st, s, out, err);
	case A_WHILE: return run_while(in, st, s, out, err);
	case A_WITH: return run_with(in, st, s, out, err);
	case A_DEF: return flow_of(run_def(in, st, s, err));
	case A_RETURN:
		if (st->a && !eval(in, st->a, s, out, err))
			return FLOW_ERROR;
		if (!st->a)
			*out = datum_none();
		return FLOW_RETURN;
	case A_RAISE: return flow_of(run_raise(in, st, s, err));
	case A_ASSERT: return flow_of(run_assert(in, st, s, err));
	case A_DEL: return flow_of(run_del(in, st, s, err));
	case A_PASS: return FLOW_NEXT;
	case A_BREAK: return FLOW_BREAK;
	case A_CONTINUE: return FLOW_CONTINUE;
	default: return flow_of(fail_at(st, err, NNS_MODEL, "this is not a statement"));
	}
}

bool lang_run(struct interp *in, const struct code *code, struct scope *scope, struct datum *out, nns_error *err)
{
	enum flow f = execute(in, code->root, scope, out, err);
	if (f == FLOW_BREAK || f == FLOW_CONTINUE)
		return fail_at(code->root, err, NNS_MODEL, "break or continue outside of a loop");
	if (f == FLOW_NEXT)
		*out = datum_none();
	return f != FLOW_ERROR;
}
