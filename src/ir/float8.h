/* Floating-point numbers of 8 bits, as c10/util/Float8_*.h converts them.  Owns nothing. */
#ifndef IR_FLOAT8_H
#define IR_FLOAT8_H

#include <stdint.h>

#include "ir/dtype.h"

bool dtype_is_float8(enum dtype d);
float float8_to_float(enum dtype d, uint8_t code);
/* To nearest, ties to even; what is too large becomes what the type has for that: an infinity, or NaN. */
uint8_t float8_from_float(enum dtype d, float x);

#endif
