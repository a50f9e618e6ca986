/*
 * Reading large JSON texts into cJSON's tree: its nodes are in an arena, freed together, and what is not needed at once stays
 * text.  Nodes and strings belong to the arena, deferred ones point into the text; never cJSON_Delete() them.
 */
#ifndef LOAD_JSON_H
#define LOAD_JSON_H

#include <cjson/cJSON.h>

#include "base/arena.h"

/*
 * The value that text is (RFC 8259; a byte order mark is passed over), nested at most 1,000 deep.  Objects and lists that are
 * named in `later` (NULL-terminated, or NULL) are left as text, cJSON_Raw, which is looked at when json_next() goes through it.
 * NULL with an error that names the byte: "byte 17 of the JSON: a value is expected, found 'x'".
 */
cJSON *json_read(struct arena *a, const char *text, size_t len, const char *const *later, nns_error *err);

/* A place in an object or list, at the beginning of a member. */
struct json_members {
	const cJSON *tree;       /* of one that was read: the next member */
	const char *start, *at, *end; /* of one that stayed text; start is where the bytes of messages are counted from */
	bool object, first;
};

/* v may be NULL or no list at all: it has no members then. */
struct json_members json_members(const cJSON *v);
/*
 * The next member, with its name in an object; NULL: there is none left.  One that was text is read into scratch, which is cleared
 * first and so holds one at a time.  What `later` names within it stays text.
 */
bool json_next(struct json_members *m, struct arena *scratch, const char *const *later, const cJSON **out, nns_error *err);

#endif
