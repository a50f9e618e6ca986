#include "base/error.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

/* The longest n' <= n at which s can be cut without splitting a UTF-8 sequence. */
static size_t utf8_cut(const char *s, size_t n)
{
	while (n > 0 && ((unsigned char)s[n] & 0xC0) == 0x80)
		n--;
	return n;
}

/* Names come from files: a control character must not reach a terminal. */
static void one_line(char *s)
{
	for (; *s; s++)
		if ((unsigned char)*s < 0x20 || *s == 0x7F)
			*s = ' ';
}

/* text goes through a buffer of its own, as the arguments may point into err->message. */
static void set_message(nns_error *err, const char *head, const char *tail)
{
	size_t room = sizeof err->message - 1;
	size_t n_head = strlen(head), n_tail = strlen(tail);

	if (n_head > room)
		n_head = utf8_cut(head, room);
	if (n_tail > room - n_head)
		n_tail = utf8_cut(tail, room - n_head);
	char joined[sizeof err->message];
	memcpy(joined, head, n_head);
	memcpy(joined + n_head, tail, n_tail);
	joined[n_head + n_tail] = '\0';
	one_line(joined);
	memcpy(err->message, joined, sizeof joined);
}

/* One byte more than a message holds, so that set_message sees where to cut. */
enum { FORMATTED = sizeof ((nns_error *)0)->message + 8 };

static void PRINTF_LIKE(2, 0) format(char *out, const char *fmt, va_list ap)
{
	if (vsnprintf(out, FORMATTED, fmt, ap) < 0)
		out[0] = '\0';
	out[FORMATTED - 1] = '\0';
}

bool fail(nns_error *err, enum nns_code code, const char *fmt, ...)
{
	if (!err)
		return false;
	char text[FORMATTED];
	va_list ap;
	va_start(ap, fmt);
	format(text, fmt, ap);
	va_end(ap);
	err->code = code;
	set_message(err, text, "");
	return false;
}

bool fail_memory(nns_error *err)
{
	return fail(err, NNS_MEMORY, "out of memory, or more than the 4 GiB that one model may take");
}

bool fail_within(nns_error *err, const char *fmt, ...)
{
	if (!err)
		return false;
	char text[FORMATTED];
	va_list ap;
	va_start(ap, fmt);
	format(text, fmt, ap);
	va_end(ap);
	set_message(err, text, err->message);
	return false;
}

bool fail_add(nns_error *err, const char *fmt, ...)
{
	if (!err)
		return false;
	char text[FORMATTED];
	va_list ap;
	va_start(ap, fmt);
	format(text, fmt, ap);
	va_end(ap);
	set_message(err, err->message, text);
	return false;
}

/* ---- the nearest name ------------------------------------------------------------ */

enum { LONGEST_WORD = 64 }; /* nobody mistypes a longer one by a letter or two */

static bool same_letter(char a, char b, bool any_case)
{
	if (any_case)
		return tolower((unsigned char)a) == tolower((unsigned char)b);
	return a == b;
}

static int least(int a, int b)
{
	return a < b ? a : b;
}

/* Insertions, deletions, replacements and swaps of neighbours that make a into b. */
static int distance(const char *a, size_t na, const char *b, size_t nb, bool any_case)
{
	int rows[3][LONGEST_WORD + 1];

	for (size_t j = 0; j <= nb; j++)
		rows[0][j] = (int)j;
	for (size_t i = 1; i <= na; i++) {
		int *row = rows[i % 3], *above = rows[(i + 2) % 3], *above2 = rows[(i + 1) % 3];
		row[0] = (int)i;
		for (size_t j = 1; j <= nb; j++) {
			bool same = same_letter(a[i - 1], b[j - 1], any_case);
			row[j] = least(least(above[j], row[j - 1]) + 1, above[j - 1] + !same);
			if (i > 1 && j > 1 && same_letter(a[i - 1], b[j - 2], any_case) &&
			    same_letter(a[i - 2], b[j - 1], any_case))
				row[j] = least(row[j], above2[j - 2] + 1);
		}
	}
	return rows[na % 3][nb];
}

const char *nearest(const char *word, const char *(*next)(void *state), void *state)
{
	size_t n = strlen(word);
	const char *best = NULL, *name;
	int limit = (int)(n + 2) / 3, best_any = limit + 1, best_exact = 0;

	if (n == 0 || n > LONGEST_WORD)
		return NULL;
	while ((name = next(state)) != NULL) {
		size_t len = strlen(name);
		if (len > LONGEST_WORD || len > n + (size_t)limit || n > len + (size_t)limit)
			continue;
		int any = distance(word, n, name, len, true);
		if (any > limit || any > best_any || any >= (int)n)
			continue;
		int exact = distance(word, n, name, len, false);
		if (any < best_any || exact < best_exact) {
			best = name;
			best_any = any;
			best_exact = exact;
		}
	}
	return best;
}

struct names {
	const char *const *next, *const *end;
};

static const char *next_name(void *state)
{
	struct names *names = state;

	return names->next < names->end ? *names->next++ : NULL;
}

const char *nearest_of(const char *word, const char *const *names, size_t n)
{
	struct names state = { names, names + n };

	return nearest(word, next_name, &state);
}
