/* String literals: quotes, escapes, f-strings. */
#include <stdlib.h>
#include <string.h>

#include "lang/parse.h"

struct literal {
	const char *body;
	size_t n;
	bool raw, formatted;
};

static struct literal literal_of(const struct token *t)
{
	struct literal l = { .body = t->start };
	const char *end = t->start + t->len;
	for (; *l.body != '\'' && *l.body != '"'; l.body++) {
		l.raw = l.raw || *l.body == 'r' || *l.body == 'R';
		l.formatted = l.formatted || *l.body == 'f' || *l.body == 'F';
	}
	size_t quotes = end - l.body >= 6 && l.body[1] == l.body[0] && l.body[2] == l.body[0] ? 3 : 1;
	l.body += quotes;
	l.n = (size_t)(end - l.body) - quotes;
	return l;
}

/* ---- Escapes ---- */

static size_t put_utf8(unsigned long c, char *out)
{
	if (c < 0x80)
		return out[0] = (char)c, 1;
	if (c < 0x800)
		return out[0] = (char)(0xc0 | c >> 6), out[1] = (char)(0x80 | (c & 63)), 2;
	if (c < 0x10000)
		return out[0] = (char)(0xe0 | c >> 12), out[1] = (char)(0x80 | (c >> 6 & 63)), out[2] = (char)(0x80 | (c & 63)), 3;
	out[0] = (char)(0xf0 | c >> 18);
	out[1] = (char)(0x80 | (c >> 12 & 63));
	out[2] = (char)(0x80 | (c >> 6 & 63));
	out[3] = (char)(0x80 | (c & 63));
	return 4;
}

/* \xhh, \uhhhh, \Uhhhhhhhh, \ooo: how many bytes of s they take, 0 when it is none. */
static size_t numeric_escape(const char *s, size_t n, unsigned long *out)
{
	char digits[9] = "";
	size_t wanted = s[0] == 'x' ? 2 : s[0] == 'u' ? 4 : s[0] == 'U' ? 8 : 0, k = 0;
	if (!wanted) {
		while (k < 3 && k < n && s[k] >= '0' && s[k] <= '7')
			digits[k] = s[k], k++;
		*out = strtoul(digits, NULL, 8);
		return k;
	}
	while (k < wanted && k + 1 < n && strchr("0123456789abcdefABCDEF", s[k + 1]))
		digits[k] = s[k + 1], k++;
	*out = strtoul(digits, NULL, 16);
	return k == wanted && *out <= 0x10ffff ? k + 1 : 0;
}

/* One escape after its backslash: writes to out, returns how many bytes of s it took. */
static size_t escape(const char *s, size_t n, char *out, size_t *written)
{
	static const char from[] = "ntr\\'\"abfv", to[] = "\n\t\r\\'\"\a\b\f\v";
	const char *p = n && s[0] ? strchr(from, s[0]) : NULL;
	unsigned long c;
	size_t used;
	*written = 0;
	if (n && s[0] == '\n')
		return 1;
	if (p)
		return out[(*written)++] = to[p - from], 1;
	used = n ? numeric_escape(s, n, &c) : 0;
	if (used && c) {
		*written = put_utf8(c, out);
		return used;
	}
	out[(*written)++] = '\\';
	return 0;
}

static char *decode(struct parser *p, const char *s, size_t n, bool raw)
{
	char *out = arena_alloc(p->arena, 2 * n + 8);
	size_t k = 0, written;
	if (!out)
		return fail_memory(p->err), NULL;
	for (size_t i = 0; i < n; ) {
		if (s[i] != '\\' || raw) {
			out[k++] = s[i++];
			continue;
		}
		i += 1 + escape(s + i + 1, n - i - 1, out + k, &written);
		k += written;
	}
	return out;
}

/* ---- f-strings ---- */

static bool push_text(struct parser *p, struct ast *joined, const struct token *t, const char *text)
{
	struct ast *part = ast_new(p, A_CONST, t);
	if (!part || !text)
		return false;
	part->value = datum_str(text);
	return ast_push(p, joined, part);
}

/* Where the expression in braces ends: at !, : or }, outside of brackets and strings. */
static size_t field_end(const char *s, size_t n)
{
	int depth = 0;
	char quote = 0;
	for (size_t i = 0; i < n; i++) {
		char c = s[i];
		if (quote) {
			quote = c == quote ? 0 : quote;
		} else if (c == '\'' || c == '"') {
			quote = c;
		} else if (strchr("([{", c)) {
			depth++;
		} else if (c == '!' && i + 1 < n && s[i + 1] == '=') {
			i++;
		} else if (depth == 0 && (c == '}' || c == ':' || c == '!')) {
			return i;
		} else if (strchr(")]}", c)) {
			depth--;
		}
	}
	return n;
}

static bool fail_field(struct parser *p, const struct token *t, const char *why)
{
	return fail(p->err, NNS_FORMAT, "%s:%d:%d: f-string: %s", p->where, t->line, t->col, why);
}

/* After the opening brace; *used: up to and with the closing one. */
static bool push_field(struct parser *p, struct ast *joined, const struct token *t, const char *s, size_t n, size_t *used)
{
	struct parser inner;
	size_t end = field_end(s, n), spec = 0;
	struct ast *part = ast_new(p, A_FORMATTED, t);
	if (!part || !parser_begin(&inner, p->arena, s, end, p->where, LEX_EXPRESSION, p->err))
		return false;
	inner.lexer.line = t->line;
	inner.depth = p->depth + 10;
	if (!(part->a = parse_expressions(&inner)))
		return false;
	if (inner.tok.kind != T_END)
		return parse_fail(&inner, "the end of the field");
	if (end + 1 < n && s[end] == '!') {
		part->op = s[end + 1];
		end += 2;
	}
	if (end < n && s[end] == ':') {
		for (spec = ++end; end < n && s[end] != '}'; end++)
			;
		part->name = decode(p, s + spec, end - spec, false);
	}
	if (end >= n || s[end] != '}')
		return fail_field(p, t, "'{' is never closed");
	*used = end + 1;
	return ast_push(p, joined, part);
}

static bool push_parts(struct parser *p, struct ast *joined, const struct token *t, struct literal l)
{
	size_t start = 0, used;
	char *buffer = arena_alloc(p->arena, l.n + 1);
	size_t k = 0;
	if (!buffer)
		return fail_memory(p->err);
	for (size_t i = start; i < l.n; ) {
		char c = l.body[i];
		if ((c == '{' || c == '}') && i + 1 < l.n && l.body[i + 1] == c) {
			buffer[k++] = c;
			i += 2;
		} else if (c == '}') {
			return fail_field(p, t, "single '}'");
		} else if (c != '{') {
			buffer[k++] = c;
			i++;
		} else {
			if (!push_text(p, joined, t, decode(p, buffer, k, l.raw)) || !push_field(p, joined, t, l.body + i + 1, l.n - i - 1, &used))
				return false;
			k = 0;
			i += 1 + used;
		}
	}
	return push_text(p, joined, t, decode(p, buffer, k, l.raw));
}

/* ---- Adjacent literals are one string ---- */

struct ast *parse_string(struct parser *p)
{
	struct token first = p->tok;
	struct ast *joined = ast_new(p, A_JOINED, &first);
	bool formatted = false;
	if (!joined)
		return NULL;
	while (p->tok.kind == T_STRING) {
		struct literal l = literal_of(&p->tok);
		formatted = formatted || l.formatted;
		bool ok = l.formatted ? push_parts(p, joined, &p->tok, l) : push_text(p, joined, &p->tok, decode(p, l.body, l.n, l.raw));
		if (!ok)
			return NULL;
		advance(p);
	}
	if (formatted)
		return joined;
	size_t n = 0;
	for (size_t i = 0; i < joined->n; i++)
		n += strlen(joined->items[i]->value.u.s);
	char *all = arena_alloc(p->arena, n + 1), *at_end = all;
	if (!all)
		return fail_memory(p->err), NULL;
	for (size_t i = 0; i < joined->n; i++) {
		size_t len = strlen(joined->items[i]->value.u.s);
		memcpy(at_end, joined->items[i]->value.u.s, len);
		at_end += len;
	}
	joined->kind = A_CONST;
	joined->value = datum_str(all);
	return joined;
}
