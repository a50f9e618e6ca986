#include "exec/order.h"

#include <stdbool.h>
#include <string.h>

static bool less(const struct ranked *a, const struct ranked *b)
{
	return a->key < b->key;
}

static void swap(struct ranked *a, struct ranked *b)
{
	struct ranked t = *a;
	*a = *b;
	*b = t;
}

/* ---- Merging ---- */

static void merge(const struct ranked *from, struct ranked *to, int64_t low, int64_t middle, int64_t high)
{
	for (int64_t i = low, j = middle, n = low; n < high; n++)
		to[n] = i < middle && (j >= high || !less(&from[j], &from[i])) ? from[i++] : from[j++];
}

void order_stable(struct ranked *v, struct ranked *scratch, int64_t n)
{
	struct ranked *from = v, *to = scratch;
	for (int64_t run = 1; run < n; run *= 2) {
		for (int64_t low = 0; low < n; low += 2 * run) {
			int64_t middle = low + run < n ? low + run : n, high = low + 2 * run < n ? low + 2 * run : n;
			merge(from, to, low, middle, high);
		}
		struct ranked *t = from;
		from = to;
		to = t;
	}
	if (from != v)
		memcpy(v, from, (size_t)n * sizeof *v);
}

/* ---- Heaps: the largest on top ---- */

/* The hole sinks to a leaf, then the value rises from there. */
static void heap_put(struct ranked *v, int64_t hole, int64_t n, struct ranked value)
{
	int64_t top = hole, child = hole;
	while (child < (n - 1) / 2) {
		child = 2 * (child + 1);
		if (less(&v[child], &v[child - 1]))
			child--;
		v[hole] = v[child];
		hole = child;
	}
	if (n % 2 == 0 && child == (n - 2) / 2) {
		child = 2 * child + 1;
		v[hole] = v[child];
		hole = child;
	}
	for (int64_t parent = (hole - 1) / 2; hole > top && less(&v[parent], &value); parent = (hole - 1) / 2) {
		v[hole] = v[parent];
		hole = parent;
	}
	v[hole] = value;
}

/* The top changes places with *to, which is put into the heap of n. */
static void heap_exchange(struct ranked *v, int64_t n, struct ranked *to)
{
	struct ranked value = *to;
	*to = v[0];
	heap_put(v, 0, n, value);
}

/* The least `middle` elements become a heap at the front. */
static void heap_select(struct ranked *v, int64_t middle, int64_t n)
{
	for (int64_t parent = (middle - 2) / 2; middle >= 2 && parent >= 0; parent--)
		heap_put(v, parent, middle, v[parent]);
	for (int64_t i = middle; i < n; i++)
		if (less(&v[i], &v[0]))
			heap_exchange(v, middle, &v[i]);
}

void order_partial(struct ranked *v, int64_t middle, int64_t n)
{
	if (middle <= 0)
		return;
	heap_select(v, middle, n);
	for (int64_t last = middle - 1; last > 0; last--)
		heap_exchange(v, last, &v[last]);
}

/* ---- Partitions ---- */

static void insertion_sort(struct ranked *v, int64_t n)
{
	for (int64_t i = 1; i < n; i++) {
		struct ranked value = v[i];
		int64_t at = i;
		for (; at > 0 && less(&value, &v[at - 1]); at--)
			v[at] = v[at - 1];
		v[at] = value;
	}
}

static void median_to(struct ranked *to, struct ranked *a, struct ranked *b, struct ranked *c)
{
	if (less(a, b))
		swap(to, less(b, c) ? b : less(a, c) ? c : a);
	else
		swap(to, less(a, c) ? a : less(b, c) ? c : b);
}

/* Around the median of three, which comes first; where the larger ones begin. */
static int64_t partition(struct ranked *v, int64_t n)
{
	int64_t low = 1, high = n;
	median_to(&v[0], &v[1], &v[n / 2], &v[n - 1]);
	for (;; low++) {
		while (less(&v[low], &v[0]))
			low++;
		high--;
		while (less(&v[0], &v[high]))
			high--;
		if (low >= high)
			return low;
		swap(&v[low], &v[high]);
	}
}

static int depth_limit(int64_t n)
{
	int lg = 0;
	for (; n > 1; n >>= 1)
		lg++;
	return 2 * lg;
}

void order_select(struct ranked *v, int64_t nth, int64_t n)
{
	int depth = depth_limit(n);
	if (n <= 0 || nth >= n)
		return;
	while (n > 3) {
		if (depth-- == 0) {
			heap_select(v, nth + 1, n);
			swap(&v[0], &v[nth]);
			return;
		}
		int64_t cut = partition(v, n);
		if (cut <= nth) {
			v += cut;
			nth -= cut;
			n -= cut;
		} else {
			n = cut;
		}
	}
	insertion_sort(v, n);
}

/* Leaves pieces of up to 16 elements; recursion no deeper than depth. */
static void sort_roughly(struct ranked *v, int64_t n, int depth)
{
	while (n > 16) {
		if (depth-- == 0) {
			order_partial(v, n, n);
			return;
		}
		int64_t cut = partition(v, n);
		sort_roughly(v + cut, n - cut, depth);
		n = cut;
	}
}

void order_sort(struct ranked *v, int64_t n)
{
	sort_roughly(v, n, depth_limit(n));
	insertion_sort(v, n);
}

/* ---- aten/src/ATen/native/Sorting.cpp: quick_select_template() ---- */

static void swap_when_greater(struct ranked *a, struct ranked *b)
{
	if (less(b, a))
		swap(a, b);
}

void order_quickselect(struct ranked *v, int64_t k, int64_t n)
{
	int64_t low = 0, high = n - 1;
	while (high > low + 1) {
		swap(&v[low + (high - low) / 2], &v[low + 1]);
		swap_when_greater(&v[low + 1], &v[high]);
		swap_when_greater(&v[low], &v[high]);
		swap_when_greater(&v[low + 1], &v[low]);
		int64_t i = low + 1, j = high;
		struct ranked pivot = v[low];
		for (;;) {
			do
				i++;
			while (less(&v[i], &pivot));
			do
				j--;
			while (less(&pivot, &v[j]));
			if (j < i)
				break;
			swap(&v[i], &v[j]);
		}
		swap(&v[low], &v[j]);
		if (j <= k)
			low = i;
		if (j >= k)
			high = j - 1;
	}
	if (high == low + 1)
		swap_when_greater(&v[low], &v[high]);
}
