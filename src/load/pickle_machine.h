/*
 * What the files of the pickle machine share: the bytes, the stack with its
 * marks, the memo.  Everything lives in the arena.  A function that returns
 * false has set the error, which names the byte of the opcode at work.
 */
#ifndef LOAD_PICKLE_MACHINE_H
#define LOAD_PICKLE_MACHINE_H

#include "base/map.h"
#include "base/reader.h"
#include "load/pickle.h"

struct machine {
	struct arena *arena;
	struct reader in;
	size_t opcode_at;
	const struct pickle_options *options;
	struct datum *stack; size_t n, cap;
	size_t *marks; size_t n_marks, cap_marks;
	struct datum *memo; size_t n_memo, cap_memo;
	struct map far;          /* memo indices beyond these -> struct datum * */
	size_t n_put;            /* places of the memo that hold something */
	nns_error *err;
};

bool machine_fail(struct machine *m, const char *what);

/* The next n bytes, a little-endian number, or a line without its newline. */
bool machine_take(struct machine *m, uint64_t n, const unsigned char **out);
bool machine_take_number(struct machine *m, int bytes, uint64_t *out);
bool machine_take_line(struct machine *m, char **out, size_t *n);      /* it may hold NULs */

size_t machine_floor(const struct machine *m);   /* what lies below belongs to an outer mark */
bool machine_push(struct machine *m, struct datum d);
bool machine_pop(struct machine *m, struct datum *out);
bool machine_top(struct machine *m, struct datum **out);
bool machine_mark(struct machine *m);
/* What lies above the last mark, which goes. */
bool machine_pop_mark(struct machine *m, struct datum **items, size_t *n);

struct pickled *machine_new_object(struct machine *m, enum pickled_kind kind);
void machine_tell(struct machine *m, enum pickle_event event, const struct pickled *what);

bool machine_push_seq(struct machine *m, enum datum_kind kind, const struct datum *items, size_t n);
bool machine_push_dict(struct machine *m, const struct datum *items, size_t n);
bool machine_push_bytes(struct machine *m, size_t n);                    /* n bytes of the pickle follow */
bool machine_push_text(struct machine *m, size_t n);                     /* the same as a string */
bool machine_push_string(struct machine *m, const char *s, size_t n);    /* n bytes of the arena, which a NUL follows */
bool machine_push_global(struct machine *m, const char *module, const char *name);
bool machine_push_call(struct machine *m, struct datum callee, struct datum args);
bool machine_push_persistent(struct machine *m, struct datum id);
bool machine_push_long(struct machine *m, uint64_t n);                   /* n bytes of two's complement follow */
bool machine_push_line_number(struct machine *m, bool real);
bool machine_push_double(struct machine *m);

bool machine_append(struct machine *m, struct datum to, const struct datum *items, size_t n);
bool machine_set_items(struct machine *m, struct datum to, const struct datum *items, size_t n); /* key and value in turn */

bool machine_put(struct machine *m, uint64_t index);
bool machine_memoize(struct machine *m);
bool machine_get(struct machine *m, uint64_t index);

/*
 * pickle_text.c: what stands between the quotes of a string of protocol 0, and a line of raw-unicode-escape.  In place;
 * the new length, which is never larger, or -1 for an escape that is none.
 */
ptrdiff_t pickle_unescape(char *s, size_t n);
char *pickle_unescape_unicode(struct arena *a, const char *s, size_t *n);

#endif
