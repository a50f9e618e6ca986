/*
 * Loops that run in vector lanes: IN_LANES stands before one whose turns do not depend on one another, and FOR_PROCESSORS
 * before a function that is compiled once for each kind of vectors, the fitting one being taken when the program starts.
 */
#ifndef BASE_LANES_H
#define BASE_LANES_H

#ifdef _OPENMP
#define IN_LANES _Pragma("omp simd")
#else
#define IN_LANES
#endif

#define INLINE static inline __attribute__((always_inline))      /* into the copies that FOR_PROCESSORS makes */

#if defined __x86_64__ && defined __GNUC__ && !defined __clang__ && !defined __SANITIZE_ADDRESS__
#define FOR_PROCESSORS __attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default")))
#else
#define FOR_PROCESSORS
#endif

#endif
