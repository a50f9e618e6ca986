/*
 * A traced archive names the classes of its modules and not how they were constructed.  The code of one that calls a single
 * operator does: torch._convolution(input, weight, bias, [2, 2], ...).
 */
#include <string.h>

#include "lang/ast.h"
#include "load/class_rows.h"
#include "load/script_file.h"

static bool is_name(const struct ast *e, const char *name)
{
	return e && e->kind == A_NAME && strcmp(e->name, name) == 0;
}

static bool all_names(const struct ast *e)
{
	for (size_t i = 0; i < e->n; i++)
		if (e->items[i]->kind != A_NAME)
			return false;
	return true;
}

/* name = self.attribute, name = [name, ...]: what the arguments of the operator are made of. */
static bool note_name(struct runtime *rt, const struct module *m, const struct ast *st, struct scope *names, nns_error *err)
{
	struct datum v;
	bool named = st->kind == A_ASSIGN && st->n == 1 && st->items[0]->kind == A_NAME;
	if (named && st->a->kind == A_ATTRIBUTE && is_name(st->a->a, "self") && module_member(m, st->a->name, &v))
		return scope_set(rt->arena, names, st->items[0]->name, v) || fail_memory(err);
	struct code list = { named ? st->a : NULL, "list" };
	if (named && st->a->kind == A_LIST && all_names(st->a) && lang_eval(&rt->interp, &list, names, &v, NULL))
		return scope_set(rt->arena, names, st->items[0]->name, v) || fail_memory(err);
	return true;
}

static const char *operator_of(const struct ast *st)
{
	const struct ast *e = st->kind == A_ASSIGN || st->kind == A_RETURN || st->kind == A_EXPRESSION ? st->a : NULL;
	return e && e->kind == A_CALL && e->a->kind == A_ATTRIBUTE && is_name(e->a->a, "torch") ? e->a->name : NULL;
}

/* What is no constant and no attribute of the module, its input, is None. */
static bool bind(struct runtime *rt, const struct op *op, const struct ast *call, struct scope *names, struct scope *out, nns_error *err)
{
	for (size_t i = 0; i < call->n; i++) {
		const char *name = call->names[i] ? call->names[i] : i < (size_t)op->n_args ? op->args[i].name : NULL;
		struct code item = { call->items[i], "argument" };
		struct datum v;
		if (!name)
			return true;
		if (!lang_eval(&rt->interp, &item, names, &v, NULL))
			v = datum_none();
		if (!scope_set(rt->arena, out, name, v))
			return fail_memory(err);
	}
	return true;
}

/* The tracer writes every convolution as _convolution; the class says which it is. */
static const struct class_row *row_of(const char *class, const char *op, const char **schema)
{
	bool conv = strcmp(op, "_convolution") == 0;
	char base[40];
	const char *digit = class + strcspn(class, "0123456789");
	if (conv && strncmp(class, "Conv", 4) == 0 && strlen(digit) < 8) {
		bool transpose = strncmp(class, "ConvTranspose", 13) == 0;
		strcpy(base, transpose ? "conv_transpose" : "conv");
		strcat(base, digit);
	}
	const struct class_row *row = !conv ? class_row_find_base(class, op) : strncmp(class, "Conv", 4) == 0 && strlen(digit) < 8
	    ? class_row_find_base(class, base) : NULL;
	*schema = conv ? op : row ? class_row_operator(row) : op;
	return row;
}

bool script_construct(struct script *s, struct runtime *rt, struct module *m, nns_error *err)
{
	struct script_def *d = script_forward(m->script);
	struct scope names = { 0 }, given = { 0 };
	nns_error ignored = { 0 };
	if (!d || m->n_children > 0 || !script_parse(s, d, &ignored))
		return true;
	for (size_t i = 0; i < d->body->root->n; i++) {
		const struct ast *st = d->body->root->items[i];
		const char *op = operator_of(st), *schema = op;
		const struct class_row *row = op ? row_of(m->class_name, op, &schema) : NULL;
		const struct op *facts = row ? optable_get(rt->recorder.table, schema, err) : NULL;
		if (row && !facts)
			return false;
		if (row)
			return bind(rt, facts, st->a, &names, &given, err) && class_row_construct(rt, row, &given, m, err);
		if (!note_name(rt, m, st, &names, err))
			return false;
	}
	return true;
}
