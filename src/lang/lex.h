/*
 * Tokens of the forward language, made one at a time.  A token points into the
 * text; nothing is copied but numbers.  What cannot be a token is T_BAD, with
 * the reason in the lexer: an error only once the parser wants that token.
 */
#ifndef LANG_LEX_H
#define LANG_LEX_H

#include "base/datum.h"

enum token_kind { T_END, T_NEWLINE, T_INDENT, T_DEDENT, T_NAME, T_KEYWORD, T_NUMBER, T_STRING, T_SYMBOL, T_BAD };

struct token {
	enum token_kind kind;
	const char *start;
	size_t len;
	int line, col;        /* from 1; col in bytes */
	struct datum number;  /* T_NUMBER */
};

enum { MAX_NESTING = 200, MAX_INDENTS = 100 };

enum lex_mode {
	LEX_BLOCK,            /* lines and their indentation matter */
	LEX_LINE,             /* an expression that ends with its line */
	LEX_EXPRESSION        /* line breaks are blanks */
};

struct lexer {
	const char *p, *end, *line_start, *text;
	int line;
	enum lex_mode mode;
	bool at_line_start;
	int indents[MAX_INDENTS], n_indents, dedents;  /* dedents: still to be given out */
	struct { char c; int line, col; } open[MAX_NESTING]; /* brackets not yet closed */
	int n_open;
	const char *bad;      /* why T_BAD */
};

void lex_begin(struct lexer *l, const char *text, size_t n, enum lex_mode mode);
struct token lex_next(struct lexer *l);

bool token_is(const struct token *t, const char *text); /* a keyword or symbol of that text */

#endif
