/* The name that was meant: for "did you mean". */
#ifndef BASE_NEAREST_H
#define BASE_NEAREST_H

#include <stddef.h>

/*
 * The candidate nearest to word by edit distance, or NULL when none is near
 * enough to be worth suggesting.  next(state) yields the candidates and NULL
 * at the end.
 */
const char *nearest(const char *word, const char *(*next)(void *state), void *state);

/* The same over an array of n strings. */
const char *nearest_of(const char *word, const char *const *names, size_t n);

#endif
