/* Elements of tensors in memory: conversion between the dtypes and what code computes with.  Owns nothing. */
#ifndef IR_ELEMENTS_H
#define IR_ELEMENTS_H

#include <stdint.h>

#include "ir/dtype.h"

/* What is computed with: every number but complex ones and those of fewer than 16 bits. */
bool dtype_has_elements(enum dtype d);
/* Those and float8, whose elements become others and are made of others. */
bool dtype_converts(enum dtype d);

/*
 * n elements from or to p, stride elements apart.  Floats become integers as on x86 (out of range: the lowest), integers wrap.
 */
void elements_to_double(enum dtype d, const unsigned char *p, int64_t stride, int64_t n, double *out);
void elements_to_float(enum dtype d, const unsigned char *p, int64_t stride, int64_t n, float *out);
void elements_to_int(enum dtype d, const unsigned char *p, int64_t stride, int64_t n, int64_t *out);
void elements_from_double(enum dtype d, unsigned char *p, int64_t stride, int64_t n, const double *in);
void elements_from_float(enum dtype d, unsigned char *p, int64_t stride, int64_t n, const float *in);
void elements_from_int(enum dtype d, unsigned char *p, int64_t stride, int64_t n, const int64_t *in);

/* v as float16 or bfloat16 holds it, by way of float32. */
double half_of(enum dtype d, double v);
/* The same where PyTorch rounds halves between steps; v itself in other types. */
static inline double half_rounded(enum dtype d, double v) { return dtype_is_half(d) ? half_of(d, v) : v; }

#endif
