/* Atoms of expressions: names, literals, brackets, comprehensions, and the calls, attributes and subscripts that follow them. */
#include <string.h>

#include "lang/parse.h"

static struct ast *name_token(struct parser *p, enum ast_kind kind)
{
	if (p->tok.kind != T_NAME)
		return parse_fail(p, "a name");
	struct ast *e = ast_new(p, kind, &p->tok);
	if (!e || !(e->name = token_text(p, &p->tok)))
		return NULL;
	advance(p);
	return e;
}

/* ---- Comprehensions ---- */

/* for targets in sequence if condition ... */
static bool parse_clauses(struct parser *p, struct ast *comp)
{
	while (at(p, "for")) {
		struct ast *clause = ast_new(p, A_CLAUSE, &p->tok), *condition;
		advance(p);
		if (!clause || !(clause->a = parse_targets(p)) || !expect(p, "in") || !(clause->b = parse_or(p)))
			return false;
		while (accept(p, "if"))
			if (!(condition = parse_or(p)) || !ast_push(p, clause, condition))
				return false;
		if (!ast_push(p, comp, clause))
			return false;
	}
	return true;
}

static struct ast *comprehension(struct parser *p, enum ast_kind kind, struct ast *first, struct ast *second, const struct token *t)
{
	struct ast *e = ast_new(p, kind, t);
	if (!e)
		return NULL;
	e->a = first;
	e->b = second;
	return parse_clauses(p, e) ? e : NULL;
}

/* ---- Brackets ---- */

struct ast *star_or_expression(struct parser *p)
{
	struct token t = p->tok;
	if (!accept(p, "*"))
		return parse_expression(p);
	struct ast *e = ast_new(p, A_STAR, &t);
	return e && (e->a = parse_or(p)) ? e : NULL;
}

/* Items up to the closing bracket, which is consumed. */
static bool parse_items(struct parser *p, struct ast *list, const char *closing)
{
	while (!at(p, closing)) {
		struct ast *item = star_or_expression(p);
		if (!item || !ast_push(p, list, item))
			return false;
		if (!at(p, closing) && !expect(p, ","))
			return false;
	}
	return expect(p, closing);
}

static struct ast *parse_round(struct parser *p)
{
	struct token t = p->tok;
	advance(p);
	if (at(p, ")")) {
		advance(p);
		return ast_new(p, A_TUPLE, &t);
	}
	struct ast *first = star_or_expression(p);
	if (!first)
		return NULL;
	if (at(p, "for")) {
		struct ast *e = comprehension(p, A_LIST_COMP, first, NULL, &t);
		return e && expect(p, ")") ? e : NULL;
	}
	if (first->kind != A_STAR && !at(p, ","))
		return expect(p, ")") ? first : NULL;
	struct ast *e = ast_new(p, A_TUPLE, &t);
	if (!e || !ast_push(p, e, first) || (!at(p, ")") && !expect(p, ",")))
		return NULL;
	return parse_items(p, e, ")") ? e : NULL;
}

static struct ast *parse_square(struct parser *p)
{
	struct token t = p->tok;
	struct ast *e = ast_new(p, A_LIST, &t), *first;
	advance(p);
	if (!e || at(p, "]"))
		return e && expect(p, "]") ? e : NULL;
	if (!(first = star_or_expression(p)))
		return NULL;
	if (at(p, "for")) {
		e = comprehension(p, A_LIST_COMP, first, NULL, &t);
		return e && expect(p, "]") ? e : NULL;
	}
	if (!ast_push(p, e, first) || (!at(p, "]") && !expect(p, ",")))
		return NULL;
	return parse_items(p, e, "]") ? e : NULL;
}

/* After the first key of a dict; a set becomes a list. */
static struct ast *parse_curly_rest(struct parser *p, struct ast *e, struct ast *key, const struct token *t)
{
	struct ast *value = NULL;
	while (key || at(p, "**") || !at(p, "}")) {
		if (!key && accept(p, "**")) {
			if (!(value = parse_or(p)) || !ast_push(p, e, NULL) || !ast_push(p, e, value))
				return NULL;
		} else {
			if (!key && !(key = parse_expression(p)))
				return NULL;
			if (!expect(p, ":") || !(value = parse_expression(p)))
				return NULL;
			if (at(p, "for")) {
				e = comprehension(p, A_DICT_COMP, key, value, t);
				break;
			}
			if (!ast_push(p, e, key) || !ast_push(p, e, value))
				return NULL;
			key = NULL;
		}
		if (!at(p, "}") && !expect(p, ","))
			return NULL;
	}
	return e && expect(p, "}") ? e : NULL;
}

static struct ast *parse_curly(struct parser *p)
{
	struct token t = p->tok;
	struct ast *e = ast_new(p, A_DICT, &t), *key = NULL;
	advance(p);
	if (!e)
		return NULL;
	if (!at(p, "}") && !at(p, "**") && !(key = star_or_expression(p)))
		return NULL;
	if (!key || at(p, ":"))
		return parse_curly_rest(p, e, key, &t);
	e->kind = A_LIST;
	if (!ast_push(p, e, key) || (!at(p, "}") && !expect(p, ",")))
		return NULL;
	return parse_items(p, e, "}") ? e : NULL;
}

/* ---- Atoms and what follows them ---- */

static struct ast *constant(struct parser *p, struct datum v)
{
	struct ast *e = ast_new(p, A_CONST, &p->tok);
	if (e)
		e->value = v;
	advance(p);
	return e;
}

static struct ast *parse_atom(struct parser *p)
{
	static const struct { const char *word; struct datum value; } words[] = {
		{ "None", { .kind = D_NONE } }, { "True", { .kind = D_BOOL, .u.b = true } }, { "False", { .kind = D_BOOL } }, { "...", { .kind = D_ELLIPSIS } } };
	for (size_t i = 0; i < sizeof words / sizeof *words; i++)
		if (at(p, words[i].word))
			return constant(p, words[i].value);
	if (p->tok.kind == T_NUMBER)
		return constant(p, p->tok.number);
	if (p->tok.kind == T_STRING)
		return parse_string(p);
	if (p->tok.kind == T_NAME)
		return name_token(p, A_NAME);
	if (at(p, "("))
		return parse_round(p);
	if (at(p, "["))
		return parse_square(p);
	return at(p, "{") ? parse_curly(p) : parse_fail(p, "an expression");
}

static bool push_argument(struct parser *p, struct ast *call, const char *name, struct ast *value)
{
	const char **names = call->names;
	if (!value)
		return false;
	if (call->n % 8 == 0) {
		names = arena_array(p->arena, call->n + 9, sizeof *names);
		if (names && call->n)
			memcpy(names, call->names, call->n * sizeof *names);
		call->names = names;
	}
	if (!names)
		return fail_memory(p->err);
	call->names[call->n] = name;
	return ast_push(p, call, value);
}

static bool parse_argument(struct parser *p, struct ast *call)
{
	struct token t = p->tok;
	if (accept(p, "**"))
		return push_argument(p, call, "**", parse_or(p));
	if (p->tok.kind == T_NAME && token_is(&p->ahead, "=")) {
		char *name = token_text(p, &p->tok);
		advance(p);
		advance(p);
		return name && push_argument(p, call, name, parse_expression(p));
	}
	struct ast *value = star_or_expression(p);
	if (value && at(p, "for"))
		value = comprehension(p, A_LIST_COMP, value, NULL, &t);
	return push_argument(p, call, NULL, value);
}

static struct ast *parse_call(struct parser *p, struct ast *callee)
{
	struct ast *e = ast_new(p, A_CALL, &p->tok);
	if (!e)
		return NULL;
	e->line = callee->line;
	e->col = callee->col;
	e->a = callee;
	advance(p);
	while (!at(p, ")")) {
		if (!parse_argument(p, e))
			return NULL;
		if (!at(p, ")") && !expect(p, ","))
			return NULL;
	}
	return expect(p, ")") ? e : NULL;
}

static struct ast *parse_slice(struct parser *p)
{
	struct token t = p->tok;
	struct ast *first = NULL, *e;
	if (!at(p, ":") && !(first = star_or_expression(p)))
		return NULL;
	if (!at(p, ":"))
		return first;
	if (!(e = ast_new(p, A_SLICE, &t)))
		return NULL;
	advance(p);
	e->a = first;
	if (!at(p, ":") && !at(p, "]") && !at(p, ",") && !(e->b = parse_expression(p)))
		return NULL;
	if (accept(p, ":") && !at(p, "]") && !at(p, ",") && !(e->c = parse_expression(p)))
		return NULL;
	return e;
}

static struct ast *parse_subscript(struct parser *p, struct ast *object)
{
	struct token t = p->tok;
	struct ast *e = ast_new(p, A_SUBSCRIPT, &t), *tuple, *item;
	advance(p);
	if (!e || !(e->b = parse_slice(p)))
		return NULL;
	e->a = object;
	if (at(p, ",")) {
		if (!(tuple = ast_new(p, A_TUPLE, &t)) || !ast_push(p, tuple, e->b))
			return NULL;
		e->b = tuple;
		while (accept(p, ",") && !at(p, "]"))
			if (!(item = parse_slice(p)) || !ast_push(p, tuple, item))
				return NULL;
	}
	return expect(p, "]") ? e : NULL;
}

static struct ast *parse_attribute(struct parser *p, struct ast *object)
{
	advance(p);
	if (p->tok.kind == T_KEYWORD)
		p->tok.kind = T_NAME;
	struct ast *e = name_token(p, A_ATTRIBUTE);
	if (e)
		e->a = object;
	return e;
}

struct ast *parse_primary(struct parser *p)
{
	struct ast *e = parse_atom(p);
	int links = 0;
	while (e && (at(p, ".") || at(p, "(") || at(p, "["))) {
		if (++links > 4 * MAX_NESTING)
			return fail(p->err, NNS_LIMIT, "%s:%d:%d: too many calls in a row", p->where, p->tok.line, p->tok.col), NULL;
		e = at(p, ".") ? parse_attribute(p, e) : at(p, "(") ? parse_call(p, e) : parse_subscript(p, e);
	}
	return e;
}
