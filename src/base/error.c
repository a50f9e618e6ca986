#include "base/error.h"

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
	err->hint = NNS_HINT_NONE;
	set_message(err, text, "");
	return false;
}

bool fail_hint(nns_error *err, enum nns_hint hint)
{
	if (err)
		err->hint = hint;
	return false;
}

bool fail_memory(nns_error *err)
{
	return fail(err, NNS_MEMORY, "out of memory");
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
