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
 * members of a member named in `later` (NULL-terminated, or NULL) are left as text, which is looked at when json_whole() reads it: cJSON_Raw.
 * NULL with an error that names the byte: "byte 17 of the JSON: a value is expected, found 'x'".
 */
cJSON *json_read(struct arena *a, const char *text, size_t len, const char *const *later, nns_error *err);

/* v itself, or what it is when it was left as text: read into scratch, which is cleared first and so holds one at a time. */
const cJSON *json_whole(const cJSON *v, struct arena *scratch, const char *const *later, nns_error *err);

#endif
