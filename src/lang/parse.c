/* Statements, signatures, and what lang.h offers of parsing. */
#include <string.h>

#include "lang/parse.h"

/* ---- Signatures ---- */

static bool add_parameter(struct parser *p, struct signature *s, size_t *cap, struct lang_param v)
{
	struct lang_param *params = arena_grow(p->arena, s->params, s->n, cap, sizeof *params);
	if (!params)
		return fail_memory(p->err);
	s->params = params;
	params[s->n++] = v;
	return true;
}

static bool parse_fallback(struct parser *p, struct lang_param *v)
{
	struct code *c = arena_alloc(p->arena, sizeof *c);
	if (!c)
		return fail_memory(p->err);
	c->where = p->where;
	v->fallback = c;
	return (c->root = parse_expression(p)) != NULL;
}

/* `: Tensor` and `-> Tensor`: *type is what was written, NULL when there is none. */
static bool parse_annotation(struct parser *p, const char *mark, const char *closing, const char **type)
{
	const char *start = p->ahead.start;
	*type = NULL;
	if (strcmp(mark, closing) == 0 || !accept(p, mark))
		return true;
	if (!parse_expression(p))
		return false;
	*type = arena_strndup(p->arena, start, (size_t)(p->consumed - start));
	return *type || fail_memory(p->err);
}

static bool parse_parameter(struct parser *p, const char *closing, struct signature *s, size_t *cap, bool *keyword_only)
{
	struct lang_param v = { .keyword_only = *keyword_only };
	if (accept(p, "/"))
		return true;
	if (at(p, "*") && token_is(&p->ahead, ",")) {
		advance(p);
		*keyword_only = true;
		return true;
	}
	v.star = accept(p, "*");
	v.double_star = !v.star && accept(p, "**");
	*keyword_only = *keyword_only || v.star;
	if (p->tok.kind != T_NAME)
		return parse_fail(p, "the name of a parameter");
	if (!(v.name = token_text(p, &p->tok)))
		return false;
	for (size_t i = 0; i < s->n; i++)
		if (strcmp(s->params[i].name, v.name) == 0)
			return fail(p->err, NNS_FORMAT, "%s:%d:%d: duplicate parameter '%s'", p->where, p->tok.line, p->tok.col, v.name);
	advance(p);
	if (!parse_annotation(p, ":", closing, &v.type))
		return false;
	if (accept(p, "=") && !parse_fallback(p, &v))
		return false;
	return add_parameter(p, s, cap, v);
}

bool parse_parameters(struct parser *p, const char *closing, struct signature *out)
{
	const char *start = p->tok.start;
	size_t cap = 0;
	bool keyword_only = false;
	while (closing ? !at(p, closing) : p->tok.kind != T_END) {
		if (!parse_parameter(p, closing ? closing : "", out, &cap, &keyword_only))
			return false;
		if ((closing ? !at(p, closing) : p->tok.kind != T_END) && !expect(p, ","))
			return false;
	}
	out->text = arena_strndup(p->arena, start, p->consumed > start ? (size_t)(p->consumed - start) : 0);
	return out->text || fail_memory(p->err);
}

bool lang_parse_signature(struct arena *a, const char *text, const char *where, struct signature *out, nns_error *err)
{
	struct parser p;
	*out = (struct signature){ 0 };
	if (!parser_begin(&p, a, text, strlen(text), where, LEX_EXPRESSION, err))
		return false;
	return parse_parameters(&p, NULL, out);
}

/* ---- Blocks ---- */

static bool is_compound(const struct ast *s)
{
	return s->kind == A_IF || s->kind == A_FOR || s->kind == A_WHILE || s->kind == A_WITH || s->kind == A_DEF;
}

/* Statements up to the end of their block; a block that is one line may follow its colon. */
static struct ast *parse_suite(struct parser *p)
{
	struct ast *block, *s;
	if (!expect(p, ":"))
		return NULL;
	if (p->tok.kind != T_NEWLINE) {
		if (!(block = ast_new(p, A_BLOCK, &p->tok)))
			return NULL;
		do {
			if (!(s = parse_statement(p)) || !ast_push(p, block, s))
				return NULL;
		} while (accept(p, ";") && !at_line_end(p));
		return block;
	}
	while (p->tok.kind == T_NEWLINE)
		advance(p);
	if (p->tok.kind != T_INDENT)
		return parse_fail(p, "an indented block");
	if (++p->depth > MAX_NESTING / 4)
		return fail(p->err, NNS_LIMIT, "%s:%d: blocks are nested too deeply", p->where, p->tok.line), NULL;
	advance(p);
	if (!(block = ast_new(p, A_BLOCK, &p->tok)))
		return NULL;
	while (p->tok.kind != T_DEDENT && p->tok.kind != T_END) {
		if (p->tok.kind == T_NEWLINE || at(p, ";")) {
			advance(p);
			continue;
		}
		if (!(s = parse_statement(p)) || !ast_push(p, block, s))
			return NULL;
		if (!is_compound(s) && !at_line_end(p))
			return parse_fail(p, "the end of the line");
	}
	p->depth--;
	if (p->tok.kind == T_DEDENT)
		advance(p);
	return block;
}

static void skip_newlines_before(struct parser *p, const char *a, const char *b)
{
	while (p->tok.kind == T_NEWLINE && (token_is(&p->ahead, a) || token_is(&p->ahead, b)))
		advance(p);
}

static struct ast *parse_if(struct parser *p)
{
	struct ast *e = ast_new(p, A_IF, &p->tok);
	advance(p);
	if (!e || !(e->a = parse_expression(p)) || !(e->b = parse_suite(p)))
		return NULL;
	skip_newlines_before(p, "elif", "else");
	if (at(p, "elif"))
		return (e->c = parse_if(p)) ? e : NULL;
	if (accept(p, "else"))
		return (e->c = parse_suite(p)) ? e : NULL;
	return e;
}

static struct ast *parse_for(struct parser *p)
{
	struct ast *e = ast_new(p, A_FOR, &p->tok), *body, *other = NULL;
	advance(p);
	if (!e || !(e->a = parse_targets(p)) || !expect(p, "in") || !(e->b = parse_expressions(p)) || !(body = parse_suite(p)))
		return NULL;
	skip_newlines_before(p, "else", "else");
	if (accept(p, "else") && !(other = parse_suite(p)))
		return NULL;
	return ast_push(p, e, body) && ast_push(p, e, other) ? e : NULL;
}

static struct ast *parse_while(struct parser *p)
{
	struct ast *e = ast_new(p, A_WHILE, &p->tok);
	advance(p);
	return e && (e->a = parse_expression(p)) && (e->b = parse_suite(p)) ? e : NULL;
}

static struct ast *parse_with(struct parser *p)
{
	struct ast *e = ast_new(p, A_WITH, &p->tok);
	advance(p);
	if (!e || !(e->a = parse_expression(p)))
		return NULL;
	if (accept(p, "as") && !(e->c = parse_targets(p)))
		return NULL;
	return (e->b = parse_suite(p)) ? e : NULL;
}

struct ast *parse_def(struct parser *p)
{
	struct ast *e = ast_new(p, A_DEF, &p->tok);
	const char *result;
	advance(p);
	if (!e || !(e->signature = arena_alloc(p->arena, sizeof *e->signature)))
		return fail_memory(p->err), NULL;
	if (p->tok.kind != T_NAME)
		return parse_fail(p, "the name of a function");
	if (!(e->name = token_text(p, &p->tok)))
		return NULL;
	advance(p);
	if (!expect(p, "(") || !parse_parameters(p, ")", e->signature) || !expect(p, ")"))
		return NULL;
	return parse_annotation(p, "->", ":", &result) && (e->b = parse_suite(p)) ? e : NULL;
}

/* ---- Simple statements ---- */

static struct ast *parse_return(struct parser *p, enum ast_kind kind)
{
	struct ast *e = ast_new(p, kind, &p->tok);
	advance(p);
	if (e && !at_line_end(p) && !(e->a = parse_expressions(p)))
		return NULL;
	return e;
}

static struct ast *parse_assert(struct parser *p)
{
	struct ast *e = ast_new(p, A_ASSERT, &p->tok);
	advance(p);
	if (!e || !(e->a = parse_expression(p)))
		return NULL;
	return !accept(p, ",") || (e->b = parse_expression(p)) ? e : NULL;
}

static struct ast *parse_del(struct parser *p)
{
	struct ast *e = ast_new(p, A_DEL, &p->tok), *item;
	advance(p);
	do {
		if (!e || !(item = parse_expression(p)) || !ast_push(p, e, item))
			return NULL;
	} while (accept(p, ","));
	return e;
}

static bool is_target(const struct ast *e)
{
	if (e->kind == A_TUPLE || e->kind == A_LIST) {
		for (size_t i = 0; i < e->n; i++)
			if (!is_target(e->items[i]))
				return false;
		return true;
	}
	return e->kind == A_NAME || e->kind == A_ATTRIBUTE || e->kind == A_SUBSCRIPT || (e->kind == A_STAR && is_target(e->a));
}

static struct ast *fail_target(struct parser *p, const struct ast *e)
{
	fail(p->err, NNS_FORMAT, "%s:%d:%d: this cannot be assigned to", p->where, e->line, e->col);
	return NULL;
}

static int augmented_at(const struct parser *p)
{
	static const struct { const char *symbol; int op; } rows[] = { { "+=", OP_ADD }, { "-=", OP_SUB }, { "*=", OP_MUL }, { "/=", OP_DIV },
		{ "//=", OP_FLOORDIV }, { "%=", OP_MOD }, { "**=", OP_POW }, { "@=", OP_MATMUL }, { "&=", OP_AND }, { "|=", OP_OR }, { "^=", OP_XOR },
		{ "<<=", OP_SHL }, { ">>=", OP_SHR } };
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
		if (at(p, rows[i].symbol))
			return rows[i].op;
	return -1;
}

static struct ast *parse_assignment(struct parser *p)
{
	struct token t = p->tok;
	struct ast *first = parse_expressions(p), *e;
	if (!first)
		return NULL;
	if (at(p, ":") && first->kind != A_TUPLE && !(advance(p), parse_expression(p)))
		return NULL;
	int op = augmented_at(p);
	if (!(e = ast_new(p, op >= 0 ? A_AUGMENTED : at(p, "=") ? A_ASSIGN : A_EXPRESSION, &t)))
		return NULL;
	if (e->kind == A_EXPRESSION)
		return e->a = first, e;
	if (!is_target(first))
		return fail_target(p, first);
	if (op >= 0) {
		advance(p);
		e->op = op;
		e->a = first;
		return (e->b = parse_expressions(p)) ? e : NULL;
	}
	for (e->a = first; accept(p, "="); ) {
		if (!is_target(e->a))
			return fail_target(p, e->a);
		if (!ast_push(p, e, e->a) || !(e->a = parse_expressions(p)))
			return NULL;
	}
	return e;
}

static struct ast *parse_word(struct parser *p, enum ast_kind kind)
{
	struct ast *e = ast_new(p, kind, &p->tok);
	advance(p);
	return e;
}

struct ast *parse_statement(struct parser *p)
{
	static const char *const never[] = { "import", "from", "class", "try", "except", "finally", "yield", "global", "nonlocal", "async", "await" };
	static const struct { const char *word; struct ast *(*parse)(struct parser *p); } rows[] = {
		{ "if", parse_if }, { "for", parse_for }, { "while", parse_while }, { "with", parse_with }, { "def", parse_def },
		{ "assert", parse_assert }, { "del", parse_del } };
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
		if (at(p, rows[i].word))
			return rows[i].parse(p);
	if (at(p, "return") || at(p, "raise"))
		return parse_return(p, at(p, "return") ? A_RETURN : A_RAISE);
	if (at(p, "pass") || at(p, "break") || at(p, "continue"))
		return parse_word(p, at(p, "pass") ? A_PASS : at(p, "break") ? A_BREAK : A_CONTINUE);
	for (size_t i = 0; i < sizeof never / sizeof *never; i++)
		if (at(p, never[i]))
			return fail(p->err, NNS_UNSUPPORTED, "%s:%d:%d: '%s' is not part of the forward language", p->where, p->tok.line, p->tok.col, never[i]), NULL;
	return parse_assignment(p);
}

/* ---- What lang.h offers ---- */

static struct code *code_new(struct parser *p, struct ast *root)
{
	struct code *c = root ? arena_alloc(p->arena, sizeof *c) : NULL;
	if (root && !c)
		fail_memory(p->err);
	if (c)
		*c = (struct code){ root, p->where };
	return c;
}

struct code *lang_parse_block(struct arena *a, const char *text, size_t n, const char *where, nns_error *err)
{
	struct parser p;
	struct ast *block, *s;
	if (!parser_begin(&p, a, text, n, where, LEX_BLOCK, err) || !(block = ast_new(&p, A_BLOCK, &p.tok)))
		return NULL;
	while (p.tok.kind != T_END) {
		if (p.tok.kind == T_NEWLINE || at(&p, ";")) {
			advance(&p);
			continue;
		}
		if (p.tok.kind == T_INDENT)
			return parse_fail(&p, "a statement"), NULL;
		if (!(s = parse_statement(&p)) || !ast_push(&p, block, s))
			return NULL;
		if (!is_compound(s) && !at_line_end(&p))
			return parse_fail(&p, "the end of the line"), NULL;
	}
	return code_new(&p, block);
}

struct code *lang_parse_expression(struct arena *a, const char *text, size_t n, const char *where, nns_error *err)
{
	struct parser p;
	if (!parser_begin(&p, a, text, n, where, LEX_EXPRESSION, err))
		return NULL;
	struct ast *e = parse_expressions(&p);
	if (e && p.tok.kind != T_END)
		return parse_fail(&p, "the end of the expression"), NULL;
	return code_new(&p, e);
}

