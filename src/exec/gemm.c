/* Blocks of b are packed so that they stay in the cache, strips of a and b so that a tile of c stays in registers. */
#include "exec/gemm.h"

#include <string.h>

enum { DEPTH = 256, ROWS = 4, WORTH_A_THREAD = 200000 };

#define REAL float
#define NAME(x) x##_float
#define STRIP 8
#define COLUMNS 128
#include "exec/gemm.inc"
#undef REAL
#undef NAME
#undef STRIP
#undef COLUMNS

#define REAL double
#define NAME(x) x##_double
#define STRIP 4
#define COLUMNS 64
#include "exec/gemm.inc"
