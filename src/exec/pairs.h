/*
 * Element-wise operators on complex numbers: the column `pairs` of kernel rows, functions over pairs of doubles
 * (aten/src/ATen/native/cpu/zmath.h, ComplexKernel.cpp).
 */
#ifndef EXEC_PAIRS_H
#define EXEC_PAIRS_H

#include "exec/kernel.h"

/* As pointwise_run(), for a complex common type; out is complex too, or takes the first of each pair. */
bool pairs_run(struct kernel_call *k, const struct kernel_row *row, struct tensor *out, struct tensor *const *in, int n, enum dtype common);
/* The type of the parts: float32 for complex64. */
enum dtype dtype_of_parts(enum dtype d);

pair_fn pairs_add, pairs_sub, pairs_rsub, pairs_mul, pairs_div, pairs_pow, pairs_addcmul, pairs_addcdiv, pairs_where, pairs_eq, pairs_ne;
pair_fn pairs_neg, pairs_abs, pairs_angle, pairs_sgn, pairs_square, pairs_reciprocal, pairs_sqrt, pairs_rsqrt, pairs_exp, pairs_log, pairs_sigmoid;
pair_fn pairs_sin, pairs_cos, pairs_tan, pairs_sinh, pairs_cosh, pairs_tanh, pairs_asin, pairs_acos, pairs_atan, pairs_asinh, pairs_acosh, pairs_atanh;
pair_fn pairs_exp2, pairs_expm1, pairs_log10, pairs_log1p, pairs_log2, pairs_sinc, pairs_silu, pairs_isnan, pairs_isinf, pairs_logical_not, pairs_positive;
pair_fn pairs_lerp, pairs_logaddexp, pairs_logical_and, pairs_logical_or, pairs_logical_xor;

#endif
