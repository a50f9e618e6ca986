/*
 * A growing text.  It owns its bytes (malloc); a failed allocation sets
 * `failed` and makes every later call do nothing, so that a writer checks
 * once, at the end.  data is NUL-terminated, or NULL while empty.
 */
#ifndef BASE_TEXT_H
#define BASE_TEXT_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

struct text {
	char *data;
	size_t len, cap;
	bool failed;
};

void text_init(struct text *t);
void text_release(struct text *t);
void text_clear(struct text *t);

void text_add(struct text *t, const char *s);
void text_addn(struct text *t, const char *s, size_t n);
void text_addc(struct text *t, char c);
void text_addf(struct text *t, const char *fmt, ...) PRINTF_LIKE(2, 3);
void text_fill(struct text *t, char c, size_t n);         /* n times c */
void text_pad(struct text *t, const char *s, int width);  /* s, padded by code points: left when > 0, right aligned when < 0 */

/* A double as Python's repr: 1e-05, 3.5, 2.0, inf, nan. */
void text_add_float(struct text *t, double x);
/* 1234567 as 1,234,567. */
void text_add_grouped(struct text *t, int64_t n);
/* The same of a whole number beyond 64 bits. */
void text_add_grouped_float(struct text *t, double x);
/* A C string as Python's repr of a str: quotes chosen, escapes written. */
void text_add_quoted(struct text *t, const char *s);
/*
 * n bytes of a file's for a terminal: control characters, those that turn the direction of text, and what is no UTF-8 are
 * written as escapes of Python's.  keep: those that stay ("\n\t").  A NUL must follow s.
 */
void text_add_visible(struct text *t, const char *s, size_t n, const char *keep);
/* The same for a label that Graphviz reads: the backslashes of the escapes are doubled, others stay. */
void text_add_label(struct text *t, const char *s, const char *keep);
/* Whether text_add_visible() would change nothing. */
bool text_is_visible(const char *s, const char *keep);
/* The same of a whole text, in place. */
void text_make_visible(struct text *t, const char *keep);
/* A JSON string with its quotes. */
void text_add_json(struct text *t, const char *s);

/* Hands the bytes over to the caller, who frees them; never NULL unless failed. */
char *text_take(struct text *t);

/* Whether s ends with end. */
bool text_ends_with(const char *s, const char *end);
/* Number of Unicode code points in UTF-8 text. */
size_t utf8_length(const char *s);

#endif
