/*
 * Element-wise functions of one operand x, written as an expression: REAL(sin, sin(x)) is real_sin() over doubles, WHOLE(neg, -x)
 * whole_neg() over integers, as a kernel row takes them.
 */
#ifndef EXEC_ONE_OPERAND_H
#define EXEC_ONE_OPERAND_H

#include "exec/kernel.h"

#define REAL(name, expression) \
	static void real_##name(double *out, const double *const *in, int64_t n, const double *p) \
	{ \
		(void)p; \
		for (int64_t i = 0; i < n; i++) { \
			double x = in[0][i]; \
			out[i] = (expression); \
		} \
	}
#define WHOLE(name, expression) \
	static void whole_##name(int64_t *out, const int64_t *const *in, int64_t n, const int64_t *p) \
	{ \
		(void)p; \
		for (int64_t i = 0; i < n; i++) { \
			int64_t x = in[0][i]; \
			out[i] = (expression); \
		} \
	}

#endif
