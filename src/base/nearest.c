#include "base/nearest.h"

#include <ctype.h>
#include <stdbool.h>
#include <string.h>

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
