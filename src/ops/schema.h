/* Parses an operator's schema string into the arguments and returns of a struct op, all owned by the arena. */
#ifndef OPS_SCHEMA_H
#define OPS_SCHEMA_H

#include "ops/op.h"

/* False: out of memory.  The schemas are compiled in, so a malformed one is not an error of the user. */
bool schema_parse(struct arena *a, const char *schema, struct op *op);

#endif
