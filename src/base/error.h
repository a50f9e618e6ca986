/*
 * Filling in an nns_error.  All functions accept err == NULL and then only
 * return; fail() and its kin always return false, so that a caller can write
 * `return fail(err, ...)`.
 */
#ifndef BASE_ERROR_H
#define BASE_ERROR_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>

#include "nnscope/error.h"

#if defined(__GNUC__)
#define PRINTF_LIKE(fmt, args) __attribute__((format(printf, fmt, args)))
#else
#define PRINTF_LIKE(fmt, args)
#endif

/* Sets code and message; newlines in the message become spaces. */
bool fail(nns_error *err, enum nns_code code, const char *fmt, ...) PRINTF_LIKE(3, 4);
bool fail_memory(nns_error *err);

/* What would help, of an error that is already set.  The message does not say how one gives it: that is for the program. */
bool fail_hint(nns_error *err, enum nns_hint hint);

/* Puts context in front of an error that is already set: "layer1.0: " + message. */
bool fail_within(nns_error *err, const char *fmt, ...) PRINTF_LIKE(2, 3);

/* Adds to the end of an error that is already set: message + "; did you mean 'fc'?" */
bool fail_add(nns_error *err, const char *fmt, ...) PRINTF_LIKE(2, 3);

#endif
