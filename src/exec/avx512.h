/* How code for AVX-512 is marked; it runs only where product_available(). */
#ifndef EXEC_AVX512_H
#define EXEC_AVX512_H

#define AVX512 __attribute__((target("avx512f")))
#define INLINE __attribute__((always_inline, target("avx512f"))) static inline
#define UNROLL _Pragma("GCC unroll 16")

#endif
