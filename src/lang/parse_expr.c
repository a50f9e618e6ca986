/* Expressions, by precedence climbing over a table of operators. */
#include <string.h>

#include "lang/parse.h"

static struct ast *parse_unary(struct parser *p);

static struct ast *parse_power(struct parser *p)
{
	struct ast *base = parse_primary(p), *e;
	if (!base || !at(p, "**"))
		return base;
	if (!deeper(p) || !(e = ast_new(p, A_BINARY, &p->tok)))
		return NULL;
	advance(p);
	e->op = OP_POW;
	e->a = base;
	e->b = parse_unary(p);
	p->depth--;
	return e->b ? e : NULL;
}

static struct ast *parse_unary(struct parser *p)
{
	int op = at(p, "-") ? OP_NEG : at(p, "+") ? OP_POS : at(p, "~") ? OP_INVERT : -1;
	struct ast *e;
	if (op < 0)
		return parse_power(p);
	if (!deeper(p) || !(e = ast_new(p, A_UNARY, &p->tok)))
		return NULL;
	advance(p);
	e->op = op;
	e->a = parse_unary(p);
	p->depth--;
	return e->a ? e : NULL;
}

static const struct { const char *symbol; int op, level; } binaries[] = {
	{ "|", OP_OR, 1 }, { "^", OP_XOR, 2 }, { "&", OP_AND, 3 }, { "<<", OP_SHL, 4 }, { ">>", OP_SHR, 4 }, { "+", OP_ADD, 5 }, { "-", OP_SUB, 5 },
	{ "*", OP_MUL, 6 }, { "/", OP_DIV, 6 }, { "//", OP_FLOORDIV, 6 }, { "%", OP_MOD, 6 }, { "@", OP_MATMUL, 6 },
};

static int binary_at(const struct parser *p)
{
	for (size_t i = 0; p->tok.kind == T_SYMBOL && i < sizeof binaries / sizeof *binaries; i++)
		if (at(p, binaries[i].symbol))
			return (int)i;
	return -1;
}

static struct ast *parse_binary(struct parser *p, int level)
{
	struct ast *left = parse_unary(p), *e;
	int chain = 0;
	for (int i; left && (i = binary_at(p)) >= 0 && binaries[i].level >= level; left = e) {
		if (++chain > 4 * MAX_NESTING)
			return fail(p->err, NNS_LIMIT, "%s:%d:%d: too many operators in a row", p->where, p->tok.line, p->tok.col), NULL;
		if (!(e = ast_new(p, A_BINARY, &p->tok)))
			return NULL;
		advance(p);
		e->op = binaries[i].op;
		e->a = left;
		if (!(e->b = parse_binary(p, binaries[i].level + 1)))
			return NULL;
	}
	return left;
}

static int comparison_at(struct parser *p)
{
	static const struct { const char *symbol; int op; } rows[] = { { "==", OP_EQ }, { "!=", OP_NE }, { "<=", OP_LE }, { ">=", OP_GE },
		{ "<", OP_LT }, { ">", OP_GT }, { "in", OP_IN } };
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
		if (at(p, rows[i].symbol))
			return advance(p), rows[i].op;
	if (at(p, "not") && token_is(&p->ahead, "in"))
		return advance(p), advance(p), OP_NOT_IN;
	if (!accept(p, "is"))
		return -1;
	return accept(p, "not") ? OP_IS_NOT : OP_IS;
}

static struct ast *parse_comparison(struct parser *p)
{
	struct ast *left = parse_binary(p, 1), *e = NULL;
	int ops[64], n = 0, op;
	while (left) {
		struct token t = p->tok;
		if ((op = comparison_at(p)) < 0)
			break;
		if (n == 64)
			return fail(p->err, NNS_LIMIT, "%s:%d:%d: too many comparisons in a row", p->where, t.line, t.col), NULL;
		ops[n++] = op;
		if (!e && (!(e = ast_new(p, A_COMPARE, &t)) || !ast_push(p, e, left)))
			return NULL;
		struct ast *right = parse_binary(p, 1);
		if (!right || !ast_push(p, e, right))
			return NULL;
	}
	if (!e)
		return left;
	if (!(e->ops = arena_array(p->arena, (size_t)n, sizeof *e->ops)))
		return fail_memory(p->err), NULL;
	memcpy(e->ops, ops, (size_t)n * sizeof *ops);
	return e;
}

static struct ast *parse_not(struct parser *p)
{
	struct ast *e;
	if (!at(p, "not"))
		return parse_comparison(p);
	if (!deeper(p) || !(e = ast_new(p, A_NOT, &p->tok)))
		return NULL;
	advance(p);
	e->a = parse_not(p);
	p->depth--;
	return e->a ? e : NULL;
}

static struct ast *parse_logic(struct parser *p, const char *word, enum ast_kind kind, struct ast *(*operand)(struct parser *))
{
	struct ast *left = operand(p), *e;
	int chain = 0;
	for (; left && at(p, word); left = e) {
		if (++chain > 4 * MAX_NESTING)
			return fail(p->err, NNS_LIMIT, "%s:%d:%d: too many '%s' in a row", p->where, p->tok.line, p->tok.col, word), NULL;
		if (!(e = ast_new(p, kind, &p->tok)))
			return NULL;
		advance(p);
		e->a = left;
		if (!(e->b = operand(p)))
			return NULL;
	}
	return left;
}

static struct ast *parse_and(struct parser *p)
{
	return parse_logic(p, "and", A_AND, parse_not);
}

struct ast *parse_or(struct parser *p)
{
	return parse_logic(p, "or", A_OR, parse_and);
}

static struct ast *parse_lambda(struct parser *p)
{
	struct ast *e = ast_new(p, A_LAMBDA, &p->tok);
	advance(p);
	if (!e || !(e->signature = arena_alloc(p->arena, sizeof *e->signature)))
		return fail_memory(p->err), NULL;
	if (!parse_parameters(p, ":", e->signature) || !expect(p, ":"))
		return NULL;
	return (e->a = parse_expression(p)) ? e : NULL;
}

static struct ast *parse_conditional(struct parser *p)
{
	struct ast *value = parse_or(p), *e;
	if (!value || !at(p, "if"))
		return value;
	if (!(e = ast_new(p, A_CONDITIONAL, &p->tok)))
		return NULL;
	advance(p);
	e->a = value;
	if (!(e->b = parse_or(p)) || !expect(p, "else"))
		return NULL;
	return (e->c = parse_expression(p)) ? e : NULL;
}

struct ast *parse_expression(struct parser *p)
{
	if (!deeper(p))
		return NULL;
	struct ast *e = at(p, "lambda") ? parse_lambda(p) : parse_conditional(p);
	p->depth--;
	return e;
}

static bool ends_expressions(const struct parser *p)
{
	return at_line_end(p) || at(p, "=") || at(p, ")") || at(p, ":") || at(p, "in");
}

static struct ast *tuple_of(struct parser *p, struct ast *(*item)(struct parser *))
{
	struct token t = p->tok;
	struct ast *first = item(p), *tuple;
	if (!first || (!at(p, ",") && first->kind != A_STAR))
		return first;
	if (!(tuple = ast_new(p, A_TUPLE, &t)) || !ast_push(p, tuple, first))
		return NULL;
	while (accept(p, ",") && !ends_expressions(p)) {
		struct ast *next = item(p);
		if (!next || !ast_push(p, tuple, next))
			return NULL;
	}
	return tuple;
}

struct ast *parse_expressions(struct parser *p)
{
	return tuple_of(p, star_or_expression);
}

static struct ast *target(struct parser *p)
{
	struct token t = p->tok;
	if (!accept(p, "*"))
		return parse_primary(p);
	struct ast *e = ast_new(p, A_STAR, &t);
	return e && (e->a = parse_primary(p)) ? e : NULL;
}

struct ast *parse_targets(struct parser *p)
{
	return tuple_of(p, target);
}
