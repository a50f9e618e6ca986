#include "lang/lex.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

void lex_begin(struct lexer *l, const char *text, size_t n, enum lex_mode mode)
{
	*l = (struct lexer){ .p = text, .end = text + n, .line_start = text, .text = text, .line = 1, .mode = mode, .at_line_start = true };
	l->n_indents = 1;
}

bool token_is(const struct token *t, const char *text)
{
	return (t->kind == T_KEYWORD || t->kind == T_SYMBOL) && strlen(text) == t->len && memcmp(t->start, text, t->len) == 0;
}

static struct token token_at(const struct lexer *l, enum token_kind kind, const char *start)
{
	return (struct token){ .kind = kind, .start = start, .len = (size_t)(l->p - start), .line = l->line, .col = (int)(start - l->line_start) + 1 };
}

static struct token bad(struct lexer *l, const char *start, const char *why)
{
	l->bad = why;
	return token_at(l, T_BAD, start);
}

static int peek(const struct lexer *l, size_t i)
{
	return (size_t)(l->end - l->p) > i ? (unsigned char)l->p[i] : 0;
}

static void newline(struct lexer *l)
{
	l->p++;
	l->line++;
	l->line_start = l->p;
}

/* ---- Blanks, comments, indentation ---- */

/* Everything that means nothing, up to the end of the line when that means something. */
static void skip_blanks(struct lexer *l)
{
	bool joins = l->n_open > 0 || l->mode == LEX_EXPRESSION;
	while (l->p < l->end) {
		int c = peek(l, 0);
		if (c == '#')
			while (l->p < l->end && *l->p != '\n')
				l->p++;
		else if (c == '\\' && peek(l, 1) == '\n')
			l->p++, newline(l);
		else if (c == '\n' && joins)
			newline(l);
		else if (c == ' ' || c == '\t' || c == '\r' || c == '\f')
			l->p++;
		else
			return;
	}
}

/* Columns of the next line that holds something; a tab goes to the next multiple of 8. */
static int measure_indent(struct lexer *l)
{
	for (;;) {
		int column = 0;
		for (; peek(l, 0) == ' ' || peek(l, 0) == '\t' || peek(l, 0) == '\r'; l->p++)
			column = peek(l, 0) == '\t' ? (column / 8 + 1) * 8 : column + 1;
		if (peek(l, 0) == '#')
			while (l->p < l->end && *l->p != '\n')
				l->p++;
		if (l->p >= l->end)
			return 0;
		if (*l->p != '\n')
			return column;
		newline(l);
	}
}

/* Gives out indents and dedents at the start of a line; false: none. */
static bool indentation(struct lexer *l, struct token *t)
{
	if (l->at_line_start) {
		int column = measure_indent(l);
		l->at_line_start = false;
		if (column > l->indents[l->n_indents - 1]) {
			if (l->n_indents == MAX_INDENTS)
				return *t = bad(l, l->p, "indented too deeply"), true;
			l->indents[l->n_indents++] = column;
			return *t = token_at(l, T_INDENT, l->p), true;
		}
		while (l->n_indents > 1 && column < l->indents[l->n_indents - 1]) {
			l->n_indents--;
			l->dedents++;
		}
		if (column != l->indents[l->n_indents - 1])
			return *t = bad(l, l->p, "the indentation fits no line above"), true;
	}
	if (l->dedents == 0)
		return false;
	l->dedents--;
	*t = token_at(l, T_DEDENT, l->p);
	return true;
}

/* ---- Names, numbers, strings, symbols ---- */

static bool is_word(int c)
{
	return isalnum(c) || c == '_' || c >= 0x80;
}

static bool is_keyword(const char *s, size_t n)
{
	static const char *const words[] = { "and", "as", "assert", "break", "continue", "def", "del", "elif", "else", "for", "from", "if",
		"import", "in", "is", "lambda", "not", "or", "pass", "raise", "return", "while", "with", "None", "True", "False", "global",
		"nonlocal", "class", "try", "except", "finally", "yield", "async", "await" };
	for (size_t i = 0; i < sizeof words / sizeof *words; i++)
		if (strlen(words[i]) == n && memcmp(words[i], s, n) == 0)
			return true;
	return false;
}

/* Digits without their underscores, and where they end. */
static bool copy_digits(const char *s, size_t n, char *out, size_t size)
{
	size_t k = 0;
	for (size_t i = 0; i < n; i++) {
		if (s[i] == '_')
			continue;
		if (k + 1 >= size)
			return false;
		out[k++] = s[i];
	}
	out[k] = 0;
	return true;
}

static struct token integer(struct lexer *l, const char *start, int base, const char *digits)
{
	char text[128];
	struct token t = token_at(l, T_NUMBER, start);
	if (!copy_digits(digits, (size_t)(l->p - digits), text, sizeof text))
		return bad(l, start, "this number is too long");
	errno = 0;
	char *end;
	long long v = strtoll(text, &end, base);
	if (errno)
		return bad(l, start, "this integer does not fit 64 bits");
	if (*end || end == text)
		return bad(l, start, "this is not a number");
	t.number = datum_int(v);
	return t;
}

static struct token number(struct lexer *l)
{
	const char *start = l->p;
	bool is_float = false;
	char text[400];
	if (peek(l, 0) == '0' && strchr("xXbBoO", peek(l, 1)) && peek(l, 1)) {
		int c = tolower(peek(l, 1));
		l->p += 2;
		while (isxdigit(peek(l, 0)) || peek(l, 0) == '_')
			l->p++;
		return integer(l, start, c == 'x' ? 16 : c == 'b' ? 2 : 8, start + 2);
	}
	while (isdigit(peek(l, 0)) || peek(l, 0) == '_' || peek(l, 0) == '.') {
		is_float = is_float || peek(l, 0) == '.';
		l->p++;
	}
	int sign = peek(l, 1) == '+' || peek(l, 1) == '-';
	if ((peek(l, 0) == 'e' || peek(l, 0) == 'E') && isdigit(peek(l, 1 + (size_t)sign))) {
		is_float = true;
		for (l->p += 1 + sign; isdigit(peek(l, 0)); l->p++)
			;
	}
	if (is_word(peek(l, 0)))
		return bad(l, start, "this is not a number");
	if (!is_float)
		return integer(l, start, 10, start);
	struct token t = token_at(l, T_NUMBER, start);
	char *end;
	if (!copy_digits(start, t.len, text, sizeof text))
		return bad(l, start, "this number is too long");
	t.number = datum_float(strtod(text, &end));
	return *end ? bad(l, start, "this is not a number") : t;
}

/* From the opening quote; the token covers the prefix as well. */
static struct token string(struct lexer *l, const char *start)
{
	char quote = *l->p;
	bool triple = peek(l, 1) == quote && peek(l, 2) == quote;
	struct token t = token_at(l, T_STRING, start);
	l->p += triple ? 3 : 1;
	while (l->p < l->end) {
		if (*l->p == '\\' && l->end - l->p > 1) {
			if (l->p[1] == '\n')
				l->p++, newline(l);
			else
				l->p += 2;
		} else if (*l->p == quote && (!triple || (peek(l, 1) == quote && peek(l, 2) == quote))) {
			l->p += triple ? 3 : 1;
			t.len = (size_t)(l->p - start);
			return t;
		} else if (*l->p == '\n') {
			if (!triple)
				break;
			newline(l);
		} else {
			l->p++;
		}
	}
	l->bad = "this string is never closed";
	t.kind = T_BAD;
	return t;
}

static bool is_string_prefix(const struct lexer *l, size_t n)
{
	if (n > 2 || (peek(l, n) != '\'' && peek(l, n) != '"'))
		return false;
	for (size_t i = 0; i < n; i++)
		if (!strchr("rRfFuUbB", l->p[i]))
			return false;
	return true;
}

static struct token word(struct lexer *l)
{
	const char *start = l->p;
	size_t n = 0;
	while (is_word(peek(l, n)))
		n++;
	bool quoted = is_string_prefix(l, n);
	l->p += n;
	if (quoted)
		return string(l, start);
	return token_at(l, is_keyword(start, n) ? T_KEYWORD : T_NAME, start);
}

static bool bracket(struct lexer *l, char c, int col)
{
	if (strchr("([{", c)) {
		if (l->n_open == MAX_NESTING)
			return false;
		l->open[l->n_open].c = c;
		l->open[l->n_open].line = l->line;
		l->open[l->n_open++].col = col;
	} else if (strchr(")]}", c) && l->n_open > 0) {
		l->n_open--;
	}
	return true;
}

static struct token symbol(struct lexer *l)
{
	/* the longest first */
	static const char *const symbols[] = { "**=", "//=", ">>=", "<<=", "...", "==", "!=", "<=", ">=", "->", "+=", "-=", "*=", "/=", "%=", "@=",
		"&=", "|=", "^=", "**", "//", "<<", ">>", ":=", "+", "-", "*", "/", "%", "@", "&", "|", "^", "~", "<", ">", "(", ")", "[", "]",
		"{", "}", ",", ":", ".", ";", "=" };
	const char *start = l->p;
	for (size_t i = 0; i < sizeof symbols / sizeof *symbols; i++) {
		size_t n = strlen(symbols[i]);
		if ((size_t)(l->end - l->p) < n || memcmp(l->p, symbols[i], n) != 0)
			continue;
		l->p += n;
		if (n == 1 && !bracket(l, *start, (int)(start - l->line_start) + 1))
			return bad(l, start, "brackets are nested too deeply (200 is the most)");
		return token_at(l, T_SYMBOL, start);
	}
	l->p++;
	return bad(l, start, "this character has no meaning here");
}

struct token lex_next(struct lexer *l)
{
	struct token t;
	if (l->mode == LEX_BLOCK && l->n_open == 0 && indentation(l, &t))
		return t;
	skip_blanks(l);
	if (l->p >= l->end) {
		if (l->mode == LEX_BLOCK && l->n_indents > 1) {
			l->dedents = l->n_indents - 1;
			l->n_indents = 1;
			return token_at(l, T_NEWLINE, l->p);
		}
		return token_at(l, T_END, l->p);
	}
	if (*l->p == '\n') {
		t = token_at(l, T_NEWLINE, l->p);
		newline(l);
		l->at_line_start = true;
		return t;
	}
	if (isdigit(peek(l, 0)) || (*l->p == '.' && isdigit(peek(l, 1))))
		return number(l);
	if (*l->p == '\'' || *l->p == '"')
		return string(l, l->p);
	return is_word(peek(l, 0)) ? word(l) : symbol(l);
}
