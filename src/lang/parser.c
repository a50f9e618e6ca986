/* What every part of the parser works with: the token at work, new nodes, errors. */
#include <stdio.h>

#include "lang/parse.h"

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

bool parser_begin_at(struct parser *p, struct arena *a, const char *text, size_t n, const char *where, int line, int col, nns_error *err)
{
	*p = (struct parser){ .arena = a, .err = err, .where = where, .consumed = text };
	lex_begin(&p->lexer, text, n, LEX_BLOCK);
	p->lexer.line = line;
	p->lexer.line_start = text - (col - 1);
	p->lexer.indents[0] = col - 1;
	p->lexer.at_line_start = false;
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

bool deeper(struct parser *p)
{
	if (++p->depth <= MAX_NESTING)
		return true;
	return fail(p->err, NNS_LIMIT, "%s:%d:%d: nested deeper than %d", p->where, p->tok.line, p->tok.col, MAX_NESTING);
}
