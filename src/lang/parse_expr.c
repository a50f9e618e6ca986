/* Expressions, by precedence climbing over a table of operators. */
#include <stdio.h>
#include <string.h>

#include "lang/parse.h"

/* ---- Tokens and nodes ---- */

void advance(struct parser *p)
{
	p->consumed = p->tok.start + p->tok.len;
	p->tok = p->ahead;
	p->ahead = lex_next(&p->lexer);
}

bool parser_begin(struct parser *p, struct arena *a, const char *text, size_t n, const char *where, enum lex_mode mode, nns_error *err)
{
	*p = (struct parser){ .arena = a, .err = err, .consumed = NULL };
	char *copy = arena_strndup(a, text, n);
	p->where = arena_strdup(a, where ? where : "<text>");
	if (!copy || !p->where)
		return fail_memory(err);
	lex_begin(&p->lexer, copy, n, mode);
	p->consumed = copy;
	p->tok = lex_next(&p->lexer);
	p->ahead = lex_next(&p->lexer);
	return true;
}

bool at(const struct parser *p, const char *text)
{
	return token_is(&p->tok, text);
}

bool accept(struct parser *p, const char *text)
{
	if (!at(p, text))
		return false;
	advance(p);
	return true;
}

bool expect(struct parser *p, const char *text)
{
	char wanted[32];
	snprintf(wanted, sizeof wanted, "'%s'", text);
	return accept(p, text) || parse_fail(p, wanted);
}

bool at_line_end(const struct parser *p)
{
	return p->tok.kind == T_END || p->tok.kind == T_NEWLINE || p->tok.kind == T_DEDENT || at(p, ";");
}

static struct ast *fail_open(struct parser *p)
{
	const struct lexer *l = &p->lexer;
	int i = l->n_open - 1;
	fail(p->err, NNS_FORMAT, "%s:%d:%d: '%c' is never closed", p->where, l->open[i].line, l->open[i].col, l->open[i].c);
	return NULL;
}

struct ast *parse_fail(struct parser *p, const char *expected)
{
	const struct token *t = &p->tok;
	int n = t->len > 40 ? 40 : (int)t->len;
	if (t->kind == T_BAD)
		fail(p->err, NNS_FORMAT, "%s:%d:%d: %s: %.*s", p->where, t->line, t->col, p->lexer.bad, n, t->start);
	else if (t->kind == T_END && p->lexer.n_open > 0)
		return fail_open(p);
	else if (t->kind == T_END)
		fail(p->err, NNS_FORMAT, "%s:%d:%d: expected %s, found the end", p->where, t->line, t->col, expected);
	else if (t->kind == T_NEWLINE || t->kind == T_INDENT || t->kind == T_DEDENT)
		fail(p->err, NNS_FORMAT, "%s:%d:%d: expected %s, found %s", p->where, t->line, t->col, expected,
		     t->kind == T_NEWLINE ? "the end of the line" : t->kind == T_INDENT ? "an indented line" : "the end of the block");
	else
		fail(p->err, NNS_FORMAT, "%s:%d:%d: expected %s, found '%.*s'", p->where, t->line, t->col, expected, n, t->start);
	return NULL;
}

struct ast *ast_new(struct parser *p, enum ast_kind kind, const struct token *t)
{
	struct ast *e = arena_alloc(p->arena, sizeof *e);
	if (!e)
		return fail_memory(p->err), NULL;
	*e = (struct ast){ .kind = kind, .line = t->line, .col = t->col, .where = p->where };
	return e;
}

bool ast_push(struct parser *p, struct ast *list, struct ast *item)
{
	struct ast **items = arena_grow(p->arena, list->items, list->n, &list->cap, sizeof *items);
	if (!items)
		return fail_memory(p->err);
	list->items = items;
	items[list->n++] = item;
	return true;
}

char *token_text(struct parser *p, const struct token *t)
{
	char *s = arena_strndup(p->arena, t->start, t->len);
	if (!s)
		fail_memory(p->err);
	return s;
}

static bool deeper(struct parser *p)
{
	if (++p->depth <= MAX_NESTING)
		return true;
	return fail(p->err, NNS_LIMIT, "%s:%d:%d: nested deeper than %d", p->where, p->tok.line, p->tok.col, MAX_NESTING);
}

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

static struct ast *parse_or(struct parser *p);

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

static struct ast *star_or_expression(struct parser *p)
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

static struct ast *parse_primary(struct parser *p)
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

/* ---- Operators ---- */

static struct ast *parse_unary(struct parser *p);

static struct ast *parse_power(struct parser *p)
{
	struct ast *base = parse_primary(p), *e;
	if (!base || !at(p, "**"))
		return base;
	if (!(e = ast_new(p, A_BINARY, &p->tok)))
		return NULL;
	advance(p);
	e->op = OP_POW;
	e->a = base;
	return (e->b = parse_unary(p)) ? e : NULL;
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

static struct ast *parse_or(struct parser *p)
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
