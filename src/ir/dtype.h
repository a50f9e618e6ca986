/* Element types, in PyTorch's names and order of promotion facts (c10/core/ScalarType.h). */
#ifndef IR_DTYPE_H
#define IR_DTYPE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum dtype {
	DT_BOOL, DT_UINT8, DT_INT8, DT_INT16, DT_INT32, DT_INT64,
	DT_FLOAT16, DT_BFLOAT16, DT_FLOAT32, DT_FLOAT64,
	DT_COMPLEX64, DT_COMPLEX128,
	DT_UINT16, DT_UINT32, DT_UINT64, DT_FLOAT8_E4M3FN, DT_FLOAT8_E5M2,
	/* only stored: nothing computes with these */
	DT_FLOAT8_E4M3FNUZ, DT_FLOAT8_E5M2FNUZ, DT_FLOAT8_E8M0FNU, DT_FLOAT4_E2M1FN_X2, DT_COMPLEX32, DT_QINT8, DT_QUINT8, DT_QINT32,
	DT_QUINT4X2, DT_QUINT2X4, DT_BITS8, DT_BITS16, DT_BITS1X8, DT_BITS2X4, DT_BITS4X2,
	DT_COUNT,
	DT_NONE = -1
};

const char *dtype_name(enum dtype d);          /* "float32" */
size_t dtype_size(enum dtype d);               /* bytes of one element */
enum dtype dtype_from_name(const char *name);  /* "float32", "float", "half", "long", ...; DT_NONE when unknown */
/* The number that TorchScript writes for it, and back; -1 and DT_NONE when there is none. */
int dtype_code(enum dtype d);
enum dtype dtype_from_code(int64_t code);
bool dtype_is_float(enum dtype d);             /* half to double, bfloat16, float8 */
bool dtype_is_complex(enum dtype d);
bool dtype_is_integral(enum dtype d);          /* integers, without bool */
static inline bool dtype_is_half(enum dtype d) { return d == DT_FLOAT16 || d == DT_BFLOAT16; }
static inline bool dtype_can_require_grad(enum dtype d) { return dtype_is_float(d) || dtype_is_complex(d); }
/* torch.promote_types(a, b). */
enum dtype dtype_promote(enum dtype a, enum dtype b);
/* torch.can_cast(from, to): whether a result of type from may be written into a tensor of type to. */
bool dtype_can_cast(enum dtype from, enum dtype to);

#endif
