#include "exec/tensor.h"

#include <stdlib.h>
#include <string.h>

#include "base/machine.h"

/* ---- Memory ---- */

/* ---- The pool ---- */

static void *take_block(struct heap_pool *p, int i)
{
	void *data = p->blocks[i].data;
	p->bytes -= p->blocks[i].size;
	memmove(&p->blocks[i], &p->blocks[i + 1], (size_t)(--p->n - i) * sizeof *p->blocks);
	return data;
}

void pool_release(struct heap_pool *p)
{
	while (p->n)
		free(take_block(p, 0));
}

enum { SPARE = 1 << 24 };      /* bytes that the pool may keep beyond what was ever used: blocks of several sizes take turns */

/* Room for size bytes more than are used and kept. */
static void shrink_pool(struct heap_pool *p, size_t used, size_t size)
{
	while (p->n && used + size + p->bytes > p->peak + SPARE)
		free(take_block(p, 0));
}

enum { WORTH_KEEPING = 1 << 16 };        /* bytes */

static void *pool_take(struct heap *h, size_t size)
{
	for (int i = 0; i < h->pool->n; i++)
		if (h->pool->blocks[i].size == size)
			return take_block(h->pool, i);
	shrink_pool(h->pool, h->used, size);
	return NULL;
}

static bool pool_give(struct heap *h, void *data, size_t size)
{
	struct heap_pool *p = h->pool;
	if (size < WORTH_KEEPING)
		return false;
	if (p->n == POOL_BLOCKS)
		free(take_block(p, 0));
	shrink_pool(p, h->used, size);
	p->blocks[p->n].data = data;
	p->blocks[p->n++].size = size;
	p->bytes += size;
	return true;
}

/* ---- The heap ---- */

static void *heap_take(struct heap *h, size_t size, bool zeroed, nns_error *err)
{
	if (h->limit && (size > h->limit || h->used > h->limit - size))
		return fail(err, NNS_MEMORY, "needs %zu bytes more than the limit of %zu allows", size, h->limit), fail_hint(err, NNS_HINT_MEMORY), NULL;
	void *p = h->pool ? pool_take(h, size) : NULL;
	if (p && zeroed)
		memset(p, 0, size);
	if (!p) {
		p = zeroed ? calloc(1, size ? size : 1) : malloc(size ? size : 1);
		if (!p)
			return fail_memory(err), NULL;
		machine_large_pages(p, size);
	}
	h->used += size;
	h->peak = h->used > h->peak ? h->used : h->peak;
	if (h->pool && h->pool->peak < h->used)
		h->pool->peak = h->used;
	return p;
}

void *heap_alloc(struct heap *h, size_t size, nns_error *err)
{
	return heap_take(h, size, true, err);
}

void heap_free(struct heap *h, void *p, size_t size)
{
	if (!p)
		return;
	h->used -= size;
	if (!h->pool || !pool_give(h, p, size))
		free(p);
}

static struct tensor *tensor_shell(struct arena *a, enum dtype dtype, int ndim, const int64_t *size)
{
	struct tensor *t = arena_alloc(a, sizeof *t);
	if (!t)
		return NULL;
	*t = (struct tensor){ .dtype = dtype, .ndim = ndim };
	t->size = arena_array(a, (size_t)ndim + 1, sizeof *t->size);
	t->stride = arena_array(a, (size_t)ndim + 1, sizeof *t->stride);
	if (!t->size || !t->stride)
		return NULL;
	if (ndim)
		memcpy(t->size, size, (size_t)ndim * sizeof *size);
	return t;
}

/* Elements from the first to the last, both counted. */
static bool extent(int ndim, const int64_t *size, const int64_t *stride, int64_t *out)
{
	int64_t n = 1, step;
	for (int i = 0; i < ndim; i++) {
		if (size[i] == 0)
			return *out = 0, true;
		if (stride[i] < 0 || __builtin_mul_overflow(size[i] - 1, stride[i], &step) || __builtin_add_overflow(n, step, &n))
			return false;
	}
	return *out = n, true;
}

static struct tensor *new_tensor(struct arena *a, struct heap *h, enum dtype dtype, int ndim, const int64_t *size, const int64_t *stride,
                                 bool zeroed, nns_error *err)
{
	int64_t n, bytes;
	if (ndim > MAX_DIMS || !shape_fits(ndim, size, dtype) || !extent(ndim, size, stride, &n) || __builtin_mul_overflow(n, (int64_t)dtype_size(dtype), &bytes))
		return fail(err, NNS_LIMIT, "a tensor of more elements than can be counted"), NULL;
	struct tensor *t = tensor_shell(a, dtype, ndim, size);
	struct storage *s = arena_alloc(a, sizeof *s);
	if (!t || !s)
		return fail_memory(err), NULL;
	if (ndim)
		memcpy(t->stride, stride, (size_t)ndim * sizeof *stride);
	*s = (struct storage){ .size = (size_t)bytes, .users = 1, .heap = h };
	s->data = heap_take(h, s->size, zeroed, err);
	t->storage = s;
	return s->data ? t : NULL;
}

struct tensor *tensor_new_strided(struct arena *a, struct heap *h, enum dtype dtype, int ndim, const int64_t *size, const int64_t *stride, nns_error *err)
{
	return new_tensor(a, h, dtype, ndim, size, stride, true, err);
}

struct tensor *tensor_new_raw(struct arena *a, struct heap *h, enum dtype dtype, int ndim, const int64_t *size, const int64_t *stride, nns_error *err)
{
	return new_tensor(a, h, dtype, ndim, size, stride, false, err);
}

struct tensor *tensor_new(struct arena *a, struct heap *h, enum dtype dtype, int ndim, const int64_t *size, nns_error *err)
{
	int64_t stride[MAX_DIMS];
	if (ndim > MAX_DIMS || !shape_fits(ndim, size, dtype))
		return fail(err, NNS_LIMIT, "a tensor of more elements than can be counted"), NULL;
	contiguous_strides(ndim, size, stride);
	return tensor_new_strided(a, h, dtype, ndim, size, stride, err);
}

struct tensor *tensor_over(struct arena *a, struct storage *s, enum dtype dtype, int ndim, const int64_t *size, const int64_t *stride,
                           int64_t offset, nns_error *err)
{
	struct tensor *t = tensor_shell(a, dtype, ndim, size);
	if (!t)
		return fail_memory(err), NULL;
	if (ndim)
		memcpy(t->stride, stride, (size_t)ndim * sizeof *stride);
	t->offset = offset;
	t->storage = s;
	if (!tensor_fits(t))
		return fail(err, NNS_FORMAT, "a tensor reaches beyond the %zu bytes of its storage", s->size), NULL;
	s->users++;
	return t;
}

struct storage *storage_borrow(struct arena *a, const unsigned char *data, size_t size, nns_error *err)
{
	struct storage *s = arena_alloc(a, sizeof *s);
	if (!s)
		return fail_memory(err), NULL;
	*s = (struct storage){ .data = (unsigned char *)data, .size = size, .borrowed = true };
	return s;
}

void storage_drop(struct storage *s)
{
	if (!s || --s->users > 0 || s->borrowed)
		return;
	heap_free(s->heap, s->data, s->size);
	s->data = NULL;
}

int64_t tensor_numel(const struct tensor *t)
{
	int64_t n = 1;
	for (int i = 0; i < t->ndim; i++)
		n *= t->size[i];
	return n;
}

bool tensor_is_contiguous(const struct tensor *t)
{
	int64_t expected = 1;
	for (int i = t->ndim - 1; i >= 0; i--) {
		if (t->size[i] == 0)
			return true;
		if (t->size[i] != 1 && t->stride[i] != expected)
			return false;
		expected *= t->size[i];
	}
	return true;
}

bool tensor_fits(const struct tensor *t)
{
	int64_t n, end;
	if (t->offset < 0 || !extent(t->ndim, t->size, t->stride, &n))
		return false;
	return n == 0 || (!__builtin_add_overflow(n, t->offset, &end) && (uint64_t)end <= t->storage->size / dtype_size(t->dtype));
}

/* ---- Loops ---- */

void loop_init(struct loop *l, int ndim, const int64_t *size, int n)
{
	*l = (struct loop){ .ndim = ndim, .n = n };
	for (int i = 0; i < ndim; i++)
		l->size[i] = size[i];
}

void loop_operand(struct loop *l, int i, const struct tensor *t)
{
	int lead = l->ndim - t->ndim;
	for (int d = 0; d < l->ndim; d++)
		l->stride[i][d] = d < lead || (t->size[d - lead] == 1 && l->size[d] != 1) ? 0 : t->stride[d - lead];
	l->start[i] = t->offset;
}

/* Whether dimension d continues in d + 1 for every operand. */
static bool merges(const struct loop *l, int d)
{
	for (int i = 0; i < l->n; i++)
		if (l->stride[i][d] != l->stride[i][d + 1] * l->size[d + 1])
			return false;
	return true;
}

static void remove_dimension(struct loop *l, int d)
{
	for (int e = d; e + 1 < l->ndim; e++) {
		l->size[e] = l->size[e + 1];
		for (int i = 0; i < l->n; i++)
			l->stride[i][e] = l->stride[i][e + 1];
	}
	l->ndim--;
}

static void coalesce(struct loop *l)
{
	for (int d = l->ndim - 1; d >= 0; d--)
		if (l->size[d] == 1)
			remove_dimension(l, d);
	for (int d = l->ndim - 2; d >= 0; d--)
		if (merges(l, d)) {
			l->size[d + 1] *= l->size[d];
			remove_dimension(l, d);
		}
}

void loop_begin(struct loop *l)
{
	coalesce(l);
	l->left = 1;
	for (int d = 0; d + 1 < l->ndim; d++) {
		l->left *= l->size[d];
		l->index[d] = 0;
	}
	l->run = l->ndim ? l->size[l->ndim - 1] : 1;
	if (l->run == 0)
		l->left = 0;
	for (int i = 0; i < l->n; i++) {
		l->at[i] = l->start[i];
		l->step[i] = l->ndim ? l->stride[i][l->ndim - 1] : 1;
	}
}

void loop_next(struct loop *l)
{
	l->left--;
	for (int d = l->ndim - 2; d >= 0; d--) {
		l->index[d]++;
		for (int i = 0; i < l->n; i++)
			l->at[i] += l->stride[i][d];
		if (l->index[d] < l->size[d])
			return;
		for (int i = 0; i < l->n; i++)
			l->at[i] -= l->stride[i][d] * l->size[d];
		l->index[d] = 0;
	}
}

/* ---- Whole tensors ---- */

#define DEFINE_COPY_OUT(name, R, convert) \
	void name(const struct tensor *t, R *out) \
	{ \
		struct loop l; \
		loop_init(&l, t->ndim, t->size, 1); \
		loop_operand(&l, 0, t); \
		for (loop_begin(&l); l.left > 0; loop_next(&l), out += l.run) \
			convert(t->dtype, t->storage->data + l.at[0] * (int64_t)dtype_size(t->dtype), l.step[0], l.run, out); \
	}
DEFINE_COPY_OUT(tensor_to_doubles, double, elements_to_double)
DEFINE_COPY_OUT(tensor_to_floats, float, elements_to_float)
DEFINE_COPY_OUT(tensor_to_ints, int64_t, elements_to_int)

#define DEFINE_COPY_IN(name, R, convert) \
	void name(const struct tensor *t, const R *in) \
	{ \
		struct loop l; \
		loop_init(&l, t->ndim, t->size, 1); \
		loop_operand(&l, 0, t); \
		for (loop_begin(&l); l.left > 0; loop_next(&l), in += l.run) \
			convert(t->dtype, t->storage->data + l.at[0] * (int64_t)dtype_size(t->dtype), l.step[0], l.run, in); \
	}
DEFINE_COPY_IN(tensor_from_doubles, double, elements_from_double)
DEFINE_COPY_IN(tensor_from_floats, float, elements_from_float)
DEFINE_COPY_IN(tensor_from_ints, int64_t, elements_from_int)

static void copy_same(const struct tensor *to, const struct tensor *from, const struct loop *l)
{
	size_t size = dtype_size(to->dtype);
	unsigned char *p = to->storage->data + l->at[0] * (int64_t)size;
	const unsigned char *q = from->storage->data + l->at[1] * (int64_t)size;
	if (l->step[0] == 1 && l->step[1] == 1) {
		memmove(p, q, (size_t)l->run * size);
		return;
	}
	for (int64_t i = 0; i < l->run; i++)
		memmove(p + i * l->step[0] * (int64_t)size, q + i * l->step[1] * (int64_t)size, size);
}

static void copy_converted(const struct tensor *to, const struct tensor *from, const struct loop *l)
{
	enum { CHUNK = 512 };
	bool whole = !dtype_is_float(from->dtype);
	unsigned char *p = to->storage->data + l->at[0] * (int64_t)dtype_size(to->dtype);
	const unsigned char *q = from->storage->data + l->at[1] * (int64_t)dtype_size(from->dtype);
	for (int64_t i = 0; i < l->run; i += CHUNK) {
		int64_t n = l->run - i < CHUNK ? l->run - i : CHUNK, ints[CHUNK];
		double reals[CHUNK];
		unsigned char *out = p + i * l->step[0] * (int64_t)dtype_size(to->dtype);
		const unsigned char *in = q + i * l->step[1] * (int64_t)dtype_size(from->dtype);
		if (whole) {
			elements_to_int(from->dtype, in, l->step[1], n, ints);
			elements_from_int(to->dtype, out, l->step[0], n, ints);
		} else {
			elements_to_double(from->dtype, in, l->step[1], n, reals);
			elements_from_double(to->dtype, out, l->step[0], n, reals);
		}
	}
}

void tensor_copy(const struct tensor *to, const struct tensor *from)
{
	struct loop l;
	loop_init(&l, to->ndim, to->size, 2);
	loop_operand(&l, 0, to);
	loop_operand(&l, 1, from);
	for (loop_begin(&l); l.left > 0; loop_next(&l))
		if (to->dtype == from->dtype)
			copy_same(to, from, &l);
		else
			copy_converted(to, from, &l);
}
