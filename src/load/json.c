#include "load/json.h"

#include <limits.h>
#include <locale.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_DEPTH = 1000 };

/* An object or list that is being read. */
struct level {
	cJSON *node, *last;
	bool object;
};

struct reader {
	const char *start, *at, *end;
	struct arena *arena;
	const char *const *later;
	nns_error *err;
	int depth;
	bool deferred;           /* the member to come is named in `later`: it stays text */
	struct level levels[MAX_DEPTH];
};

/* ---- Characters ---- */

static bool wrong(struct reader *r, const char *what)
{
	unsigned long long byte = (unsigned long long)(r->at - r->start);
	if (r->at >= r->end)
		return fail(r->err, NNS_FORMAT, "byte %llu of the JSON: %s is expected, the text ends", byte, what);
	unsigned char c = (unsigned char)*r->at;
	if (c > ' ' && c < 0x7f)
		return fail(r->err, NNS_FORMAT, "byte %llu of the JSON: %s is expected, found '%c'", byte, what, c);
	return fail(r->err, NNS_FORMAT, "byte %llu of the JSON: %s is expected, found the byte 0x%02x", byte, what, c);
}

static char peek(const struct reader *r)
{
	return r->at < r->end ? *r->at : '\0';
}

static char next_visible(struct reader *r)
{
	while (r->at < r->end && (*r->at == ' ' || *r->at == '\n' || *r->at == '\t' || *r->at == '\r'))
		r->at++;
	return peek(r);
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* ---- Strings ---- */

/* Four of them; -1: they are not. */
static int hex_digits(const char *s)
{
	int n = 0;
	for (int i = 0; i < 4; i++) {
		char c = s[i], low = (char)(c | 0x20);
		if (!is_digit(c) && (low < 'a' || low > 'f'))
			return -1;
		n = n * 16 + (is_digit(c) ? c - '0' : low - 'a' + 10);
	}
	return n;
}

/* The character of \uXXXX, two of them for a surrogate pair; at is behind the u.  Half a pair is no character, and text here ends at 0. */
static bool read_code(struct reader *r, uint32_t *out)
{
	int high = r->end - r->at >= 4 ? hex_digits(r->at) : -1, low;
	if (high <= 0 || (high >= 0xdc00 && high < 0xe000))
		return wrong(r, "the code of a character");
	r->at += 4;
	*out = (uint32_t)high;
	if (high < 0xd800 || high >= 0xdc00)
		return true;
	low = r->end - r->at >= 6 && r->at[0] == '\\' && r->at[1] == 'u' ? hex_digits(r->at + 2) : -1;
	if (low < 0xdc00 || low >= 0xe000)
		return wrong(r, "the second half of a character");
	r->at += 6;
	*out = 0x10000 + ((uint32_t)(high - 0xd800) << 10) + (uint32_t)(low - 0xdc00);
	return true;
}

static char *put_utf8(char *to, uint32_t c)
{
	int more = c < 0x80 ? 0 : c < 0x800 ? 1 : c < 0x10000 ? 2 : 3;
	static const unsigned char lead[] = { 0, 0xc0, 0xe0, 0xf0 };
	*to++ = (char)(lead[more] | c >> (6 * more));
	while (more-- > 0)
		*to++ = (char)(0x80 | (c >> (6 * more) & 0x3f));
	return to;
}

/* at is behind the backslash; an escape is never shorter than what it stands for. */
static bool read_escape(struct reader *r, char **to)
{
	static const char names[] = "\"\\/bfnrt", chars[] = "\"\\/\b\f\n\r\t";
	uint32_t code = 0;
	char c = peek(r);
	const char *known = c ? strchr(names, c) : NULL;
	if (!known && c != 'u')
		return wrong(r, "an escape");
	r->at++;
	if (!known && !read_code(r, &code))
		return false;
	*to = put_utf8(*to, known ? (uint32_t)(unsigned char)chars[known - names] : code);
	return true;
}

/* To the quote that ends the string, past escapes; at is behind the first quote. */
static bool string_end(struct reader *r, const char **end, bool *escaped)
{
	const char *s = r->at;
	*escaped = false;
	while (s < r->end && *s != '"' && (unsigned char)*s >= ' ') {
		bool escape = *s == '\\';
		*escaped |= escape;
		s += escape && r->end - s > 1 ? 2 : 1;
	}
	*end = s;
	if (s < r->end && *s == '"')
		return true;
	r->at = s;
	return wrong(r, "the end of a string");
}

static bool unescape(struct reader *r, const char *end, char *to)
{
	while (r->at < end)
		if (*r->at != '\\')
			*to++ = *r->at++;
		else if (r->at++, !read_escape(r, &to))
			return false;
	return true;
}

static bool read_string(struct reader *r, char **out)
{
	const char *end;
	bool escaped;
	r->at++;
	if (!string_end(r, &end, &escaped))
		return false;
	size_t n = (size_t)(end - r->at);
	*out = escaped ? arena_alloc(r->arena, n + 1) : arena_strndup(r->arena, r->at, n);
	if (!*out)
		return fail_memory(r->err);
	if (escaped && !unescape(r, end, *out))
		return false;
	r->at = end + 1;
	return true;
}

/* ---- Numbers and words ---- */

static size_t digits(struct reader *r)
{
	const char *from = r->at;
	while (is_digit(peek(r)))
		r->at++;
	return (size_t)(r->at - from);
}

/* What strtod, which goes by the locale, makes of it. */
static bool real_of(struct reader *r, const char *from, size_t n, double *out)
{
	enum { MAX_NUMBER = 4096 };
	char text[MAX_NUMBER];
	if (n >= sizeof text)
		return r->at = from, wrong(r, "a number of less than 4,096 characters");
	memcpy(text, from, n);
	text[n] = '\0';
	char *point = strchr(text, '.');
	if (point)
		*point = *localeconv()->decimal_point;
	*out = strtod(text, NULL);
	return true;
}

static bool read_number(struct reader *r, double *out)
{
	const char *from = r->at;
	r->at += *r->at == '-';
	const char *first = r->at;
	size_t whole = digits(r);
	bool plain = peek(r) != '.' && (peek(r) | 0x20) != 'e';
	if (whole == 0 || (whole > 1 && *first == '0'))
		return r->at = from, wrong(r, "a value");
	if (peek(r) == '.' && (r->at++, digits(r) == 0))
		return wrong(r, "a digit");
	if ((peek(r) | 0x20) == 'e') {
		r->at++;
		r->at += peek(r) == '+' || peek(r) == '-';
		if (digits(r) == 0)
			return wrong(r, "a digit");
	}
	if (!plain || whole > 15)
		return real_of(r, from, (size_t)(r->at - from), out);
	int64_t n = 0;           /* fits a double exactly */
	for (const char *s = first; s < r->at; s++)
		n = n * 10 + (*s - '0');
	*out = first > from ? -(double)n : (double)n;
	return true;
}

static bool read_word(struct reader *r, int *type)
{
	static const struct { const char *word; size_t n; int type; } words[] = { { "true", 4, cJSON_True }, { "false", 5, cJSON_False }, { "null", 4, cJSON_NULL } };
	for (size_t i = 0; i < sizeof words / sizeof *words; i++)
		if ((size_t)(r->end - r->at) >= words[i].n && memcmp(r->at, words[i].word, words[i].n) == 0) {
			r->at += words[i].n;
			*type = words[i].type;
			return true;
		}
	return wrong(r, "a value");
}

static bool read_scalar(struct reader *r, cJSON *v)
{
	int type = 0;
	char *string;
	double number = 0;
	char c = peek(r);
	if (c == '"') {
		if (!read_string(r, &string))
			return false;
		v->type = cJSON_String;
		v->valuestring = string;
		return true;
	}
	if (c != '-' && !is_digit(c)) {
		if (!read_word(r, &type))
			return false;
		v->type = type;
		return true;
	}
	if (!read_number(r, &number))
		return false;
	v->type = cJSON_Number;
	v->valuedouble = number;
	v->valueint = number >= INT_MAX ? INT_MAX : number <= INT_MIN ? INT_MIN : (int)number;
	return true;
}

/* ---- Objects and lists ---- */

static bool is_later(const struct reader *r, const char *key)
{
	for (const char *const *name = r->later; key && name && *name; name++)
		if (**name == *key && strcmp(*name, key) == 0)
			return true;
	return false;
}

/* "key": */
static bool read_key(struct reader *r, char **key)
{
	if (next_visible(r) != '"')
		return wrong(r, "the name of a member");
	if (!read_string(r, key))
		return false;
	if (next_visible(r) != ':')
		return wrong(r, "':'");
	r->at++;
	r->deferred = is_later(r, *key);
	return true;
}

/* A node for the value to come, at the end of the object or list that is being read. */
static bool add_node(struct reader *r, cJSON **out)
{
	struct level *l = &r->levels[r->depth - 1];
	char *key = NULL;
	r->deferred = false;
	if (l->object && !read_key(r, &key))
		return false;
	cJSON *v = arena_alloc(r->arena, sizeof *v);
	if (!v)
		return fail_memory(r->err);
	v->string = key;
	v->prev = l->last;
	if (l->last)
		l->last->next = v;
	else
		l->node->child = v;
	l->last = v;
	*out = v;
	return true;
}

/* The 8 bytes of w that are c, as bits. */
static uint64_t bytes_that_are(uint64_t w, char c)
{
	const uint64_t low = 0x7f7f7f7f7f7f7f7f, each = 0x0101010101010101;
	uint64_t x = w ^ each * (unsigned char)c, zero = ~(((x & low) + low) | x | low);
	return (zero >> 7) * 0x0102040810204080 >> 56;
}

/* The least significant byte is the first one. */
static uint64_t word_at(const char *s)
{
	uint64_t w;
	memcpy(&w, s, sizeof w);
#if defined(__BYTE_ORDER__) && __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
	w = __builtin_bswap64(w);
#endif
	return w;
}

/* Bit i: an odd number of bits of m up to the i-th are set. */
static uint64_t parity_up_to(uint64_t m)
{
	for (int i = 1; i < 64; i *= 2)
		m ^= m << i;
	return m;
}

/* Where a text that is passed over stands between two stretches of 64 bytes. */
struct passing {
	size_t open;             /* brackets */
	bool inside, escaped;    /* a string; behind a backslash in it */
};

/* Of n bytes, at most 64; the number of them up to and with the bracket that closes all, or 0. */
static int pass_slowly(struct passing *p, const char *s, int n)
{
	for (int i = 0; i < n; i++) {
		if (p->escaped || (p->inside && s[i] == '\\')) {
			p->escaped = !p->escaped;
		} else if (s[i] == '"') {
			p->inside = !p->inside;
		} else if (!p->inside && (s[i] | 0x20) == '{') {
			p->open++;
		} else if (!p->inside && (s[i] | 0x20) == '}' && --p->open == 0) {
			return i + 1;
		}
	}
	return 0;
}

/* The place behind the closing bracket at which none is open any more. */
static int closing_place(struct passing *p, uint64_t opening, uint64_t closing)
{
	for (uint64_t left = opening | closing; left; left &= left - 1) {
		p->open += (opening & left & -left) != 0;
		p->open -= (closing & left & -left) != 0;
		if (p->open == 0)
			return __builtin_ctzll(left) + 1;
	}
	return 0;
}

/* Brackets outside of strings are counted as bits; a backslash, which is rare, makes that uncertain. */
static int pass_stretch(struct passing *p, const char *s)
{
	uint64_t quotes = 0, escapes = 0, opening = 0, closing = 0;
	for (int i = 0; i < 64; i += 8) {
		uint64_t w = word_at(s + i), folded = w | 0x2020202020202020;    /* [ and { differ in this bit alone, ] and } too */
		quotes |= bytes_that_are(w, '"') << i;
		escapes |= bytes_that_are(w, '\\');
		opening |= bytes_that_are(folded, '{') << i;
		closing |= bytes_that_are(folded, '}') << i;
	}
	if (escapes || p->escaped)
		return pass_slowly(p, s, 64);
	uint64_t in_string = parity_up_to(quotes) ^ (p->inside ? ~(uint64_t)0 : 0);
	opening &= ~in_string;
	closing &= ~in_string;
	p->inside = in_string >> 63;
	if ((size_t)__builtin_popcountll(closing) >= p->open)
		return closing_place(p, opening, closing);
	p->open += (size_t)__builtin_popcountll(opening);
	p->open -= (size_t)__builtin_popcountll(closing);
	return 0;
}

/* To behind the bracket that closes the one at `at`; which kind it is, and all between them, is looked at when it is read. */
static bool skip_text(struct reader *r)
{
	struct passing p = { .open = 0 };
	int last = 0;
	while (last == 0 && r->at < r->end) {
		bool whole = r->end - r->at >= 64;
		int n = whole ? 64 : (int)(r->end - r->at);
		last = whole ? pass_stretch(&p, r->at) : pass_slowly(&p, r->at, n);
		r->at += last ? last : n;
	}
	return last || wrong(r, "a closing bracket");
}

/* Its length and its place in the whole are kept in the node's numbers. */
static bool keep_text(struct reader *r, cJSON *v)
{
	const char *from = r->at;
	v->type = cJSON_Raw;
	v->valuestring = (char *)from;
	if (!skip_text(r))
		return false;
	v->valuedouble = (double)(r->at - from);
	v->valueint = from - r->start < INT_MAX ? (int)(from - r->start) : 0;
	return true;
}

static bool open_level(struct reader *r, cJSON *v)
{
	bool object = *r->at == '{';
	if (r->depth == MAX_DEPTH)
		return fail(r->err, NNS_LIMIT, "byte %llu of the JSON: it is nested more than %d deep", (unsigned long long)(r->at - r->start), MAX_DEPTH);
	v->type = object ? cJSON_Object : cJSON_Array;
	r->levels[r->depth++] = (struct level){ .node = v, .object = object };
	r->at++;
	return true;
}

/* A scalar, a text, or the beginning of an object or list: *opened. */
static bool begin_value(struct reader *r, cJSON *v, bool *opened)
{
	char c = next_visible(r);
	bool container = c == '{' || c == '[', text = container && r->deferred;
	*opened = container && !text;
	return text ? keep_text(r, v) : container ? open_level(r, v) : read_scalar(r, v);
}

static bool read_value(struct reader *r, cJSON *v)
{
	bool first;
	if (!begin_value(r, v, &first))
		return false;
	while (r->depth > 0) {
		bool object = r->levels[r->depth - 1].object;
		char c = next_visible(r);
		if (c == (object ? '}' : ']')) {
			r->depth--;
			r->at++;
			first = false;
			continue;
		}
		if (!first && c != ',')
			return wrong(r, object ? "',' or '}'" : "',' or ']'");
		r->at += !first;
		if (!add_node(r, &v) || !begin_value(r, v, &first))
			return false;
	}
	return true;
}

/* start: where the bytes of messages are counted from.  The levels are set as they are opened. */
static void begin_reading(struct reader *r, struct arena *a, const char *start, const char *text, const char *end, const char *const *later, nns_error *err)
{
	r->start = start;
	r->at = text;
	r->end = end;
	r->arena = a;
	r->later = later;
	r->err = err;
	r->depth = 0;
	r->deferred = false;
}

cJSON *json_read(struct arena *a, const char *text, size_t len, const char *const *later, nns_error *err)
{
	struct reader r;
	begin_reading(&r, a, text, text, text + len, later, err);
	cJSON *v = arena_alloc(a, sizeof *v);
	if (!v)
		return fail_memory(err), NULL;
	if (len >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0)
		r.at += 3;
	if (!read_value(&r, v))
		return NULL;
	next_visible(&r);
	return r.at == r.end ? v : (wrong(&r, "nothing more"), NULL);
}

/* ---- The members of what stayed text ---- */

struct json_members json_members(const cJSON *v)
{
	if (!cJSON_IsRaw(v))
		return (struct json_members){ .tree = v ? v->child : NULL };
	return (struct json_members){ .start = v->valuestring - v->valueint, .at = v->valuestring + 1, .end = v->valuestring + (size_t)v->valuedouble,
		.object = *v->valuestring == '{', .first = true };
}

/* To the next member's name or value, when one is left. */
static bool to_member(struct json_members *m, struct reader *r, bool *left)
{
	char c = next_visible(r);
	*left = c != (m->object ? '}' : ']');
	if (*left && !m->first && c != ',')
		return wrong(r, m->object ? "',' or '}'" : "',' or ']'");
	r->at += *left && !m->first;
	m->first = false;
	return *left || r->at + 1 == r->end || wrong(r, "nothing more");
}

bool json_next(struct json_members *m, struct arena *scratch, const char *const *later, const cJSON **out, nns_error *err)
{
	struct reader r;
	bool left;
	*out = m->tree;
	if (!m->at) {
		m->tree = m->tree ? m->tree->next : NULL;
		return true;
	}
	*out = NULL;
	arena_clear(scratch);
	begin_reading(&r, scratch, m->start, m->at, m->end, later, err);
	if (!to_member(m, &r, &left))
		return false;
	if (!left)
		return true;
	cJSON *v = arena_alloc(scratch, sizeof *v);
	if (!v)
		return fail_memory(err);
	if ((m->object && !read_key(&r, &v->string)) || !read_value(&r, v))
		return false;
	m->at = r.at;
	*out = v;
	return true;
}
