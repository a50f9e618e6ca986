/*
 * Element-wise functions of the operands x, y, z, written as an expression: REAL(sin, sin(x)) is real_sin() over doubles,
 * WHOLE2(sub, x - y) whole_sub() over integers, as a kernel row takes them.  NARROW2 computes in float32, for operators
 * that PyTorch rounds at each step.
 */
#ifndef EXEC_OPERANDS_H
#define EXEC_OPERANDS_H

#include "exec/kernel.h"

#define OPERANDS1(type) type x = (type)in[0][i];
#define OPERANDS2(type) type x = (type)in[0][i], y = (type)in[1][i];
#define OPERANDS3(type) type x = (type)in[0][i], y = (type)in[1][i], z = (type)in[2][i];
#define ELEMENTWISE(name, element, operands, expression) \
	static void name(element *out, const element *const *in, int64_t n, const element *p) \
	{ \
		(void)p; \
		for (int64_t i = 0; i < n; i++) { \
			operands \
			out[i] = (element)(expression); \
		} \
	}

#define REAL(name, expression) ELEMENTWISE(real_##name, double, OPERANDS1(double), expression)
#define REAL2(name, expression) ELEMENTWISE(real_##name, double, OPERANDS2(double), expression)
#define REAL3(name, expression) ELEMENTWISE(real_##name, double, OPERANDS3(double), expression)
#define NARROW2(name, expression) ELEMENTWISE(narrow_##name, double, OPERANDS2(float), expression)
#define WHOLE(name, expression) ELEMENTWISE(whole_##name, int64_t, OPERANDS1(int64_t), expression)
#define WHOLE2(name, expression) ELEMENTWISE(whole_##name, int64_t, OPERANDS2(int64_t), expression)
#define WHOLE3(name, expression) ELEMENTWISE(whole_##name, int64_t, OPERANDS3(int64_t), expression)

#endif
