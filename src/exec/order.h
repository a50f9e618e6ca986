/*
 * Sorting and selecting as the C++ library of PyTorch's builds does
 * (libstdc++), because which of several equal elements comes first shows in
 * the indices that topk, mode and kthvalue return.  Owns nothing.
 */
#ifndef EXEC_ORDER_H
#define EXEC_ORDER_H

#include <stdint.h>

struct ranked {
	int64_t key, index;
};

/* All of these order by key alone, the least first. */
void order_stable(struct ranked *v, struct ranked *scratch, int64_t n);  /* std::stable_sort */
void order_sort(struct ranked *v, int64_t n);                            /* std::sort */
void order_select(struct ranked *v, int64_t nth, int64_t n);             /* std::nth_element */
void order_partial(struct ranked *v, int64_t middle, int64_t n);         /* std::partial_sort */
/* Hoare's selection with the median of three: element k of the order comes to its place. */
void order_quickselect(struct ranked *v, int64_t k, int64_t n);

#endif
