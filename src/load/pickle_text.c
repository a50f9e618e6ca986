/*
 * Strings of protocol 0: repr() of Python 2's str (CPython: Objects/stringobject.c, PyString_DecodeEscape) and raw-unicode-escape
 * (Objects/unicodeobject.c, _PyUnicode_DecodeRawUnicodeEscape).
 */
#include <string.h>

#include "load/pickle_machine.h"

static int digit(char c)
{
	return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : c >= 'A' && c <= 'F' ? c - 'A' + 10 : 99;
}

/* Up to most digits of the base from s; how many there are. */
static size_t digits(const char *s, size_t n, size_t most, int base, uint32_t *out)
{
	size_t i = 0;
	for (*out = 0; i < n && i < most && digit(s[i]) < base; i++)
		*out = *out * (uint32_t)base + (uint32_t)digit(s[i]);
	return i;
}

/* The byte that stands after a backslash, and how many characters say it; 0: none. */
static size_t escaped(const char *s, size_t n, char *out)
{
	static const char names[] = "\\'\"abfnrtv", bytes[] = "\\'\"\a\b\f\n\r\t\v";
	const char *known = n && *s ? strchr(names, *s) : NULL;
	uint32_t v;
	if (known)
		return *out = bytes[known - names], 1;
	size_t used = n && *s == 'x' ? digits(s + 1, n - 1, 2, 16, &v) : digits(s, n, 3, 8, &v);
	if (n && *s == 'x' && used != 2)
		return 0;
	*out = (char)v;
	return n && *s == 'x' ? 3 : used;
}

ptrdiff_t pickle_unescape(char *s, size_t n)
{
	size_t to = 0;
	for (size_t i = 0; i < n; i++) {
		size_t used = 0;
		if (s[i] != '\\') {
			s[to++] = s[i];
			continue;
		}
		char c = 0;
		used = escaped(s + i + 1, n - i - 1, &c);
		if (used == 0 && i + 1 == n)
			return -1;
		s[to++] = used ? c : '\\';      /* an escape that Python does not know stays as it is */
		i += used;
	}
	s[to] = 0;
	return (ptrdiff_t)to;
}

static size_t add_utf8(char *to, uint32_t c)
{
	if (c < 0x80)
		return to[0] = (char)c, 1;
	size_t n = c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
	for (size_t i = n; i-- > 1; c >>= 6)
		to[i] = (char)(0x80 | (c & 0x3f));
	to[0] = (char)((0xf00 >> n & 0xf0) | c);
	return n;
}

char *pickle_unescape_unicode(struct arena *a, const char *s, size_t *n)
{
	char *out = *n <= SIZE_MAX / 2 - 1 ? arena_alloc(a, *n * 2 + 1) : NULL; /* a byte of Latin-1 takes two */
	size_t to = 0;
	for (size_t i = 0; out && i < *n; ) {
		uint32_t c = (unsigned char)s[i];
		size_t wide = s[i] == '\\' && i + 1 < *n ? s[i + 1] == 'u' ? 4 : s[i + 1] == 'U' ? 8 : 0 : 0;
		uint32_t v = 0;
		bool coded = wide && digits(s + i + 2, *n - i - 2, wide, 16, &v) == wide && v <= 0x10ffff;
		to += add_utf8(out + to, coded ? v : c);
		i += coded ? 2 + wide : 1;
	}
	*n = to;
	return out;
}
