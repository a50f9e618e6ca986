#include "base/text.h"

#include <float.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void text_init(struct text *t)
{
	*t = (struct text){ 0 };
}

void text_release(struct text *t)
{
	free(t->data);
	text_init(t);
}

/* A failure stays: what was lost before the clear is still lost. */
void text_clear(struct text *t)
{
	t->len = 0;
	if (t->data)
		t->data[0] = '\0';
}

/* Room for n more bytes and the NUL. */
static bool reserve(struct text *t, size_t n)
{
	if (t->failed)
		return false;
	if (n < t->cap - t->len)
		return true;
	if (n > SIZE_MAX / 2 - t->len - 1) {
		t->failed = true;
		return false;
	}
	size_t cap = t->len + n + 1;
	if (cap < t->cap * 2)
		cap = t->cap * 2;
	if (cap < 64)
		cap = 64;
	char *data = realloc(t->data, cap);
	if (!data) {
		t->failed = true;
		return false;
	}
	t->data = data;
	t->cap = cap;
	return true;
}

void text_addn(struct text *t, const char *s, size_t n)
{
	if (!reserve(t, n))
		return;
	if (n)
		memcpy(t->data + t->len, s, n);
	t->len += n;
	t->data[t->len] = '\0';
}

void text_add(struct text *t, const char *s)
{
	text_addn(t, s, strlen(s));
}

void text_addc(struct text *t, char c)
{
	text_addn(t, &c, 1);
}

void text_addf(struct text *t, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	int n = vsnprintf(NULL, 0, fmt, ap);
	va_end(ap);
	if (n < 0 || !reserve(t, (size_t)n))
		return;
	va_start(ap, fmt);
	vsnprintf(t->data + t->len, (size_t)n + 1, fmt, ap);
	va_end(ap);
	t->len += (size_t)n;
}

void text_fill(struct text *t, char c, size_t n)
{
	if (!reserve(t, n))
		return;
	memset(t->data + t->len, c, n);
	t->len += n;
	t->data[t->len] = '\0';
}

void text_pad(struct text *t, const char *s, int width)
{
	size_t used = utf8_length(s), wanted = width < 0 ? (size_t)-(long)width : (size_t)width;
	size_t gap = used < wanted ? wanted - used : 0;

	if (width < 0)
		text_fill(t, ' ', gap);
	text_add(t, s);
	if (width >= 0)
		text_fill(t, ' ', gap);
}

/* ---- numbers ---------------------------------------------------------------------- */

/* Writes x with n significant digits; true when they read back as x. */
static bool round_trips(double x, int n, char *out, size_t size)
{
	snprintf(out, size, "%.*e", n - 1, x);
	return strtod(out, NULL) == x;
}

/*
 * The fewest digits that read back as x, without trailing zeros, and the power
 * of ten of the first.  The decimal point is skipped rather than read: it is
 * the locale's.
 */
static int shortest_digits(double x, char digits[20], int *exponent)
{
	char buf[40];
	int n = 0, fewest = x < DBL_MIN ? 1 : 15; /* subnormals have fewer than 15 digits to give */

	while (fewest < 17 && !round_trips(x, fewest, buf, sizeof buf))
		fewest++;
	if (fewest == 17)
		round_trips(x, 17, buf, sizeof buf);
	const char *p = buf;
	for (; *p != 'e'; p++)
		if (*p >= '0' && *p <= '9')
			digits[n++] = *p;
	*exponent = atoi(p + 1);
	while (n > 1 && digits[n - 1] == '0')
		n--;
	return n;
}

static void add_plain(struct text *t, const char *digits, int n, int exponent)
{
	if (exponent < 0) {
		text_add(t, "0.");
		text_fill(t, '0', (size_t)(-exponent - 1));
		text_addn(t, digits, (size_t)n);
	} else if (n <= exponent + 1) {
		text_addn(t, digits, (size_t)n);
		text_fill(t, '0', (size_t)(exponent + 1 - n));
		text_add(t, ".0");
	} else {
		text_addn(t, digits, (size_t)exponent + 1);
		text_addc(t, '.');
		text_addn(t, digits + exponent + 1, (size_t)(n - exponent - 1));
	}
}

/* float_repr of CPython: an exponent below 1e-4 and from 1e16 on. */
void text_add_float(struct text *t, double x)
{
	char digits[20];
	int exponent;

	if (isnan(x)) {
		text_add(t, "nan");
		return;
	}
	if (signbit(x)) {
		text_addc(t, '-');
		x = -x;
	}
	if (isinf(x)) {
		text_add(t, "inf");
		return;
	}
	int n = shortest_digits(x, digits, &exponent);
	if (exponent >= -4 && exponent < 16) {
		add_plain(t, digits, n, exponent);
		return;
	}
	text_addc(t, digits[0]);
	if (n > 1) {
		text_addc(t, '.');
		text_addn(t, digits + 1, (size_t)n - 1);
	}
	text_addf(t, "e%c%02d", exponent < 0 ? '-' : '+', abs(exponent));
}

static void add_groups(struct text *t, const char *digits)
{
	size_t len = strlen(digits);

	for (size_t i = 0; i < len; i++) {
		if (i && (len - i) % 3 == 0 && digits[0] <= '9')
			text_addc(t, ',');
		text_addc(t, digits[i]);
	}
}

void text_add_grouped(struct text *t, int64_t n)
{
	char digits[24];

	snprintf(digits, sizeof digits, "%" PRIu64, n < 0 ? -(uint64_t)n : (uint64_t)n);
	if (n < 0)
		text_addc(t, '-');
	add_groups(t, digits);
}

void text_add_grouped_float(struct text *t, double x)
{
	char digits[320]; /* the largest double has 309 */

	snprintf(digits, sizeof digits, "%.0f", fabs(x));
	if (x < 0)
		text_addc(t, '-');
	add_groups(t, digits);
}

/* ---- quoted text ------------------------------------------------------------------ */

/* Length of the valid UTF-8 sequence at s and its code point; 0 when it is not one. */
static size_t utf8_decode(const unsigned char *s, uint32_t *point)
{
	static const uint32_t least[] = { 0, 0, 0x80, 0x800, 0x10000 };
	size_t n = s[0] < 0x80 ? 1 : s[0] < 0xC2 ? 0 : s[0] < 0xE0 ? 2 : s[0] < 0xF0 ? 3 : s[0] < 0xF5 ? 4 : 0;

	if (n <= 1) {
		*point = s[0];
		return n;
	}
	uint32_t c = s[0] & (0x7Fu >> n);
	for (size_t i = 1; i < n; i++) {
		if ((s[i] & 0xC0) != 0x80)
			return 0;
		c = c << 6 | (s[i] & 0x3F);
	}
	if (c < least[n] || c > 0x10FFFF || (c >= 0xD800 && c < 0xE000))
		return 0;
	*point = c;
	return n;
}

/* str.isprintable() of Python, for the characters that are seen in the wild. */
static bool printable(uint32_t c)
{
	if (c < 0x20 || (c >= 0x7F && c <= 0xA0) || c == 0xAD)
		return false;
	if ((c >= 0x2000 && c <= 0x200F) || (c >= 0x2028 && c <= 0x202F) || (c >= 0x205F && c <= 0x206F))
		return false;
	return c != 0x1680 && c != 0x3000 && c != 0xFEFF && !(c >= 0xE000 && c < 0xF900) && c < 0xE0000;
}

static void add_escape(struct text *t, uint32_t c)
{
	if (c == '\n')
		text_add(t, "\\n");
	else if (c == '\r')
		text_add(t, "\\r");
	else if (c == '\t')
		text_add(t, "\\t");
	else if (c < 0x100)
		text_addf(t, "\\x%02" PRIx32, c);
	else if (c < 0x10000)
		text_addf(t, "\\u%04" PRIx32, c);
	else
		text_addf(t, "\\U%08" PRIx32, c);
}

/* What would move a terminal's cursor, change its colours or turn the direction of what follows. */
static bool steers(uint32_t c)
{
	return c < 0x20 || (c >= 0x7F && c < 0xA0) || (c >= 0x2028 && c <= 0x202E) || (c >= 0x2066 && c <= 0x2069);
}

/* before: what stands before each escape */
static void add_shown(struct text *t, const char *s, size_t n, const char *keep, const char *before)
{
	uint32_t c;
	for (size_t i = 0; i < n; ) {
		size_t used = utf8_decode((const unsigned char *)s + i, &c);
		bool plain = used && c && (!steers(c) || (c < 0x80 && strchr(keep, (char)c)));
		if (plain)
			text_addn(t, s + i, used);
		else
			text_add(t, before);
		if (used == 0)
			text_addf(t, "\\x%02x", (unsigned char)s[i]);
		else if (!c)
			text_add(t, "\\x00");
		else if (!plain)
			add_escape(t, c);
		i += used ? used : 1;
	}
}

void text_add_visible(struct text *t, const char *s, size_t n, const char *keep)
{
	add_shown(t, s, n, keep, "");
}

void text_add_label(struct text *t, const char *s, const char *keep)
{
	add_shown(t, s, strlen(s), keep, "\\");
}

bool text_is_visible(const char *s, const char *keep)
{
	uint32_t c;
	for (size_t used; *s; s += used) {
		used = (unsigned char)*s < 0x80 && *s >= 0x20 && *s != 0x7F ? (c = ' ', 1) : utf8_decode((const unsigned char *)s, &c);
		if (used == 0 || (steers(c) && !(c < 0x80 && strchr(keep, (char)c))))
			return false;
	}
	return true;
}

void text_make_visible(struct text *t, const char *keep)
{
	struct text shown;
	if (t->failed || !t->data || text_is_visible(t->data, keep))
		return;
	text_init(&shown);
	text_add_visible(&shown, t->data, t->len, keep);
	text_release(t);
	*t = shown;
}

/* unicode_repr of CPython: single quotes unless the text has one and no double quote. */
void text_add_quoted(struct text *t, const char *s)
{
	char quote = strchr(s, '\'') && !strchr(s, '"') ? '"' : '\'';
	uint32_t c;

	text_addc(t, quote);
	while (*s) {
		size_t n = utf8_decode((const unsigned char *)s, &c);
		if (n == 0) {
			text_addf(t, "\\udc%02x", (unsigned char)*s); /* as surrogateescape */
			n = 1;
		} else if (*s == quote || *s == '\\') {
			text_addc(t, '\\');
			text_addc(t, *s);
		} else if (printable(c)) {
			text_addn(t, s, n);
		} else {
			add_escape(t, c);
		}
		s += n;
	}
	text_addc(t, quote);
}

/* RFC 8259; bytes that are not UTF-8 become U+FFFD, as JSON has no way to say them. */
void text_add_json(struct text *t, const char *s)
{
	uint32_t c;

	text_addc(t, '"');
	while (*s) {
		size_t n = utf8_decode((const unsigned char *)s, &c);
		if (n == 0) {
			text_add(t, "\\ufffd");
			n = 1;
		} else if (c == '"' || c == '\\') {
			text_addc(t, '\\');
			text_addc(t, *s);
		} else if (c == '\n') {
			text_add(t, "\\n");
		} else if (c == '\t') {
			text_add(t, "\\t");
		} else if (steers(c)) {
			text_addf(t, "\\u%04" PRIx32, c);
		} else {
			text_addn(t, s, n);
		}
		s += n;
	}
	text_addc(t, '"');
}

char *text_take(struct text *t)
{
	text_addn(t, "", 0); /* an empty text becomes a string too */
	char *data = t->data;
	if (t->failed) {
		free(data);
		data = NULL;
	}
	text_init(t);
	return data;
}

size_t utf8_length(const char *s)
{
	size_t n = 0;

	for (; *s; s++)
		n += ((unsigned char)*s & 0xC0) != 0x80;
	return n;
}

bool text_ends_with(const char *s, const char *end)
{
	size_t n = strlen(s), m = strlen(end);
	return n >= m && strcmp(s + n - m, end) == 0;
}
