/*
 * What the test programs print: the Test Anything Protocol, a line for each test and the number of tests last.
 * A program has one such count; its main() ends with `return tap_end();`.
 */
#ifndef TAP_H
#define TAP_H

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/error.h"

static int tap_count, tap_failures;

/* Something to know about the test that comes next: "# ...". */
static inline void PRINTF_LIKE(1, 2) tap_note(const char *fmt, ...)
{
	va_list ap;
	fputs("# ", stdout);
	va_start(ap, fmt);
	vprintf(fmt, ap);
	va_end(ap);
	putchar('\n');
}

/* A test with a name.  Returns good. */
static inline bool PRINTF_LIKE(2, 3) tap(bool good, const char *fmt, ...)
{
	va_list ap;
	tap_failures += !good;
	printf("%s %d - ", good ? "ok" : "not ok", ++tap_count);
	va_start(ap, fmt);
	vprintf(fmt, ap);
	va_end(ap);
	putchar('\n');
	fflush(stdout);          /* what a crash leaves tells where it was */
	return good;
}

/* The tests cannot go on. */
static inline _Noreturn void PRINTF_LIKE(1, 2) tap_bail(const char *fmt, ...)
{
	va_list ap;
	fputs("Bail out! ", stdout);
	va_start(ap, fmt);
	vprintf(fmt, ap);
	va_end(ap);
	putchar('\n');
	exit(99);
}

/* The plan, and what main() returns: a program without tests has failed. */
static inline int tap_end(void)
{
	printf("1..%d\n", tap_count);
	return tap_failures > 0 || tap_count == 0;
}

#endif
