/* What the parts of the parser share: tokens and nodes (parser.c), atoms (parse_atom.c), expressions (parse_expr.c), statements (parse.c). */
#ifndef LANG_PARSE_H
#define LANG_PARSE_H

#include "lang/ast.h"
#include "lang/lex.h"

struct parser {
	struct lexer lexer;
	struct token tok, ahead;     /* the token at work and the one after it */
	const char *consumed;        /* where the last consumed token ended */
	struct arena *arena;
	const char *where;
	nns_error *err;
	int depth;
};

bool parser_begin(struct parser *p, struct arena *a, const char *text, size_t n, const char *where, enum lex_mode mode, nns_error *err);
/*
 * The same in the middle of a text, whose lines are counted from `line`: text begins in column `col` of it, the indentation of its
 * block.  Neither text nor where is copied.
 */
bool parser_begin_at(struct parser *p, struct arena *a, const char *text, size_t n, const char *where, int line, int col, nns_error *err);
void advance(struct parser *p);
bool at(const struct parser *p, const char *text);
bool accept(struct parser *p, const char *text);
bool expect(struct parser *p, const char *text);
bool at_line_end(const struct parser *p);

/* Writes "where:line:col: ..., found ...", or why the token is none; returns NULL. */
struct ast *parse_fail(struct parser *p, const char *expected);

struct ast *ast_new(struct parser *p, enum ast_kind kind, const struct token *at);
bool ast_push(struct parser *p, struct ast *list, struct ast *item);
char *token_text(struct parser *p, const struct token *t);

/* One level deeper, which the caller takes back; false at the limit. */
bool deeper(struct parser *p);

struct ast *parse_primary(struct parser *p);           /* an atom, and what follows it */
struct ast *parse_or(struct parser *p);                /* without a condition or lambda */
struct ast *star_or_expression(struct parser *p);
struct ast *parse_expression(struct parser *p);        /* one expression, conditional or lambda */
struct ast *parse_expressions(struct parser *p);       /* with commas: a tuple */
struct ast *parse_targets(struct parser *p);           /* what `for` assigns to */
struct ast *parse_statement(struct parser *p);
struct ast *parse_def(struct parser *p);               /* from the word def on */
bool parse_parameters(struct parser *p, const char *closing, struct signature *out);

/* strings.c: the text of a string token (quotes, escapes), as A_CONST or A_JOINED. */
struct ast *parse_string(struct parser *p);

#endif
