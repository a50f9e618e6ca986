#include "ir/dtype.h"

#include <string.h>

enum family { QUANTIZED, BOOLEAN, INTEGRAL, FLOATING, COMPLEX };

static const struct {
	const char *name, *alias; /* as torch.NAME */
	size_t size;
	enum family family;
} types[DT_COUNT] = {
	[DT_BOOL] = { "bool", NULL, 1, BOOLEAN },
	[DT_UINT8] = { "uint8", NULL, 1, INTEGRAL },
	[DT_INT8] = { "int8", NULL, 1, INTEGRAL },
	[DT_INT16] = { "int16", "short", 2, INTEGRAL },
	[DT_INT32] = { "int32", "int", 4, INTEGRAL },
	[DT_INT64] = { "int64", "long", 8, INTEGRAL },
	[DT_FLOAT16] = { "float16", "half", 2, FLOATING },
	[DT_BFLOAT16] = { "bfloat16", NULL, 2, FLOATING },
	[DT_FLOAT32] = { "float32", "float", 4, FLOATING },
	[DT_FLOAT64] = { "float64", "double", 8, FLOATING },
	[DT_COMPLEX64] = { "complex64", "cfloat", 8, COMPLEX },
	[DT_COMPLEX128] = { "complex128", "cdouble", 16, COMPLEX },
	[DT_UINT16] = { "uint16", NULL, 2, INTEGRAL },
	[DT_UINT32] = { "uint32", NULL, 4, INTEGRAL },
	[DT_UINT64] = { "uint64", NULL, 8, INTEGRAL },
	[DT_FLOAT8_E4M3FN] = { "float8_e4m3fn", NULL, 1, FLOATING },
	[DT_FLOAT8_E5M2] = { "float8_e5m2", NULL, 1, FLOATING },
	[DT_FLOAT8_E4M3FNUZ] = { "float8_e4m3fnuz", NULL, 1, FLOATING },
	[DT_FLOAT8_E5M2FNUZ] = { "float8_e5m2fnuz", NULL, 1, FLOATING },
	[DT_FLOAT8_E8M0FNU] = { "float8_e8m0fnu", NULL, 1, FLOATING },
	[DT_FLOAT4_E2M1FN_X2] = { "float4_e2m1fn_x2", NULL, 1, FLOATING },
	[DT_COMPLEX32] = { "complex32", "chalf", 4, COMPLEX },
	[DT_QINT8] = { "qint8", NULL, 1, QUANTIZED },
	[DT_QUINT8] = { "quint8", NULL, 1, QUANTIZED },
	[DT_QINT32] = { "qint32", NULL, 4, QUANTIZED },
	[DT_QUINT4X2] = { "quint4x2", NULL, 1, QUANTIZED },
	[DT_QUINT2X4] = { "quint2x4", NULL, 1, QUANTIZED },
	[DT_BITS8] = { "bits8", NULL, 1, QUANTIZED },
	[DT_BITS16] = { "bits16", NULL, 2, QUANTIZED },
	[DT_BITS1X8] = { "bits1x8", NULL, 1, QUANTIZED },
	[DT_BITS2X4] = { "bits2x4", NULL, 1, QUANTIZED },
	[DT_BITS4X2] = { "bits4x2", NULL, 1, QUANTIZED },
};

static bool known(enum dtype d)
{
	return (int)d >= 0 && d < DT_COUNT;
}

const char *dtype_name(enum dtype d)
{
	return known(d) ? types[d].name : "unknown";
}

size_t dtype_size(enum dtype d)
{
	return known(d) ? types[d].size : 0;
}

/* c10/core/ScalarType.h: the place in AT_FORALL_SCALAR_TYPES_WITH_COMPLEX_AND_QINTS. */
static const enum dtype by_code[] = { DT_UINT8, DT_INT8, DT_INT16, DT_INT32, DT_INT64, DT_FLOAT16, DT_FLOAT32, DT_FLOAT64, DT_COMPLEX32,
	DT_COMPLEX64, DT_COMPLEX128, DT_BOOL, DT_QINT8, DT_QUINT8, DT_QINT32, DT_BFLOAT16, DT_NONE, DT_NONE, DT_NONE, DT_NONE, DT_NONE, DT_NONE, DT_NONE,
	DT_FLOAT8_E5M2, DT_FLOAT8_E4M3FN, DT_FLOAT8_E5M2FNUZ, DT_FLOAT8_E4M3FNUZ, DT_UINT16, DT_UINT32, DT_UINT64 };

int dtype_code(enum dtype d)
{
	for (size_t i = 0; i < sizeof by_code / sizeof *by_code; i++)
		if (by_code[i] == d && d != DT_NONE)
			return (int)i;
	return -1;
}

enum dtype dtype_from_code(int64_t code)
{
	return code >= 0 && code < (int64_t)(sizeof by_code / sizeof *by_code) ? by_code[code] : DT_NONE;
}

enum dtype dtype_from_name(const char *name)
{
	for (int d = 0; d < DT_COUNT; d++)
		if (strcmp(types[d].name, name) == 0 || (types[d].alias && strcmp(types[d].alias, name) == 0))
			return (enum dtype)d;
	return DT_NONE;
}

bool dtype_is_float(enum dtype d)
{
	return known(d) && types[d].family == FLOATING;
}

bool dtype_is_complex(enum dtype d)
{
	return known(d) && types[d].family == COMPLEX;
}

bool dtype_is_integral(enum dtype d)
{
	return known(d) && types[d].family == INTEGRAL;
}

/* Types that c10 knows how to store, but promotes with little or nothing. */
static bool barebones(enum dtype d)
{
	return d >= DT_UINT16;
}

static enum dtype promote_barebones(enum dtype a, enum dtype b)
{
	if (barebones(a) && barebones(b))
		return DT_NONE;
	enum dtype bare = barebones(a) ? a : b, other = barebones(a) ? b : a;
	return dtype_is_integral(bare) && dtype_is_float(other) ? other : DT_NONE;
}

/* Of one family the wider wins; two of a size (int8 with uint8, the halves) meet in the next size up. */
static enum dtype promote_within(enum dtype a, enum dtype b)
{
	if (types[a].size != types[b].size)
		return types[a].size > types[b].size ? a : b;
	return types[a].family == FLOATING ? DT_FLOAT32 : DT_INT16;
}

/* c10::promoteTypes (c10/core/ScalarType.cpp); DT_NONE where it refuses. */
enum dtype dtype_promote(enum dtype a, enum dtype b)
{
	if (!known(a) || !known(b))
		return DT_NONE;
	if (a == b)
		return a;
	if (barebones(a) || barebones(b))
		return promote_barebones(a, b);
	if (types[a].family == types[b].family)
		return promote_within(a, b);
	enum dtype wide = types[a].family > types[b].family ? a : b, narrow = wide == a ? b : a;
	if (wide == DT_COMPLEX64 && narrow == DT_FLOAT64)
		return DT_COMPLEX128;
	return wide;
}

/* c10::canCast (c10/core/ScalarType.h) */
bool dtype_can_cast(enum dtype from, enum dtype to)
{
	if (dtype_is_complex(from) && !dtype_is_complex(to))
		return false;
	if (dtype_can_require_grad(from) && !dtype_can_require_grad(to))
		return false;
	return from == DT_BOOL || to != DT_BOOL;
}
