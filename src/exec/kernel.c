#include "exec/kernel.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"

/* A block of memory of one call; with `to`, its content is stored there in the end. */
struct scratch {
	struct scratch *next;
	size_t size;
	struct tensor *to;
	enum { AS_DOUBLES, AS_FLOATS, AS_INTS } as;
	struct storage *storage;         /* of a temporary tensor, instead of the bytes */
	void *data;
};

/* ---- Table ---- */

#define KERNEL_FAMILY(family) family##_kernels,
static const struct kernel_row *const families[] = {
#include "exec/kernels.def"
};
#undef KERNEL_FAMILY

static const struct kernel_row *row_named(const char *name, size_t len)
{
	for (size_t f = 0; f < sizeof families / sizeof *families; f++)
		for (const struct kernel_row *row = families[f]; row->name; row++)
			if (strncmp(row->name, name, len) == 0 && row->name[len] == 0)
				return row;
	return NULL;
}

static const struct kernel_row *row_of(const char *base, const char *overload)
{
	char full[200];
	int n = snprintf(full, sizeof full, "%s.%s", base, overload);
	const struct kernel_row *row = n > 0 && (size_t)n < sizeof full ? row_named(full, (size_t)n) : NULL;
	return row ? row : row_named(base, strlen(base));
}

/* The row of the operator without the end of its name: add_ runs add, and unfold_copy runs unfold. */
static const struct kernel_row *row_without(const struct op *op, const char *end)
{
	char bare[150];
	size_t n = strlen(op->base_name) - strlen(end);
	if (n >= sizeof bare)
		return NULL;
	memcpy(bare, op->base_name, n);
	bare[n] = 0;
	return row_of(bare, op->overload);
}

const struct kernel_row *kernel_find(const struct op *op)
{
	if (op->unknown)
		return NULL;
	const struct kernel_row *row = row_of(op->base_name, op->overload);
	if (!row && op->inplace && text_ends_with(op->base_name, "_"))
		return row_without(op, "_");
	if (!row && text_ends_with(op->base_name, "_copy"))
		return row_without(op, "_copy");
	return row;
}

bool kernel_reshapes(const struct kernel_row *row)
{
	for (const struct kernel_row *view = view_kernels; view->name; view++)
		if (view == row)
			return true;
	return false;
}

/* ---- Errors ---- */

bool kernel_fail(struct kernel_call *k, const char *fmt, ...)
{
	char message[600];
	va_list ap;
	if (k->err && k->err->code != NNS_OK)
		return false;    /* what failed first is the cause */
	va_start(ap, fmt);
	vsnprintf(message, sizeof message, fmt, ap);
	va_end(ap);
	return fail(k->err, NNS_MODEL, "%s", message);
}

/* ---- Memory ---- */

static struct scratch *scratch_push(struct kernel_call *k, size_t size)
{
	struct scratch *s = calloc(1, sizeof *s);
	if (!s)
		return fail_memory(k->err), NULL;
	s->data = size ? heap_alloc(k->heap, size, k->err) : NULL;
	if (size && !s->data) {
		free(s);
		return NULL;
	}
	s->size = size;
	s->next = k->scratch;
	k->scratch = s;
	return s;
}

void *scratch_alloc(struct kernel_call *k, int64_t n, size_t size)
{
	size_t bytes;
	if (n < 0 || __builtin_mul_overflow((size_t)n, size, &bytes))
		return kernel_fail(k, "needs more memory than can be counted"), NULL;
	struct scratch *s = scratch_push(k, bytes ? bytes : 1);
	return s ? s->data : NULL;
}

void kernel_release(struct kernel_call *k)
{
	while (k->scratch) {
		struct scratch *s = k->scratch;
		k->scratch = s->next;
		heap_free(k->heap, s->data, s->size);
		storage_drop(s->storage);
		free(s);
	}
}

struct tensor *temporary(struct kernel_call *k, enum dtype dtype, int ndim, const int64_t *size)
{
	struct scratch *s = scratch_push(k, 0);
	struct tensor *t = s ? tensor_new(k->arena, k->heap, dtype, ndim, size, k->err) : NULL;
	if (t)
		s->storage = t->storage;
	return t;
}

bool kernel_reads(struct kernel_call *k, const struct tensor *t)
{
	if (dtype_has_elements(t->dtype))
		return true;
	return fail(k->err, NNS_UNSUPPORTED, "there is no kernel for %s", dtype_name(t->dtype));
}

#define DEFINE_OF(name, R, same, copy) \
	const R *name(struct kernel_call *k, const struct tensor *t) \
	{ \
		if (!kernel_reads(k, t)) \
			return NULL; \
		if (t->dtype == (same) && tensor_is_contiguous(t) && (uintptr_t)tensor_data(t) % sizeof(R) == 0) \
			return (const R *)(const void *)tensor_data(t); \
		R *v = scratch_alloc(k, tensor_numel(t), sizeof *v); \
		if (v) \
			copy(t, v); \
		return v; \
	}
DEFINE_OF(doubles_of, double, DT_FLOAT64, tensor_to_doubles)
DEFINE_OF(floats_of, float, DT_FLOAT32, tensor_to_floats)
DEFINE_OF(ints_of, int64_t, DT_INT64, tensor_to_ints)

/* ---- Outputs ---- */

static struct tensor *push_output(struct kernel_call *k, struct tensor *t)
{
	if (!t)
		return NULL;
	struct tensor **grown = arena_grow(k->arena, k->outputs, k->n_outputs, &k->cap_outputs, sizeof *grown);
	if (!grown) {
		storage_drop(t->storage);
		return fail_memory(k->err), NULL;
	}
	k->outputs = grown;
	return grown[k->n_outputs++] = t;
}

struct tensor *out_new(struct kernel_call *k, enum dtype dtype, int ndim, const int64_t *size)
{
	return push_output(k, tensor_new(k->arena, k->heap, dtype, ndim, size, k->err));
}

struct tensor *out_strided(struct kernel_call *k, enum dtype dtype, int ndim, const int64_t *size, const int64_t *stride)
{
	return push_output(k, tensor_new_strided(k->arena, k->heap, dtype, ndim, size, stride, k->err));
}

struct tensor *out_like(struct kernel_call *k, const struct tensor *t, enum dtype dtype)
{
	int64_t stride[MAX_DIMS];
	struct tensor *one[1] = { (struct tensor *)t };
	pointwise_strides(one, 1, t->ndim, t->size, stride);
	return out_strided(k, dtype, t->ndim, t->size, stride);
}

struct tensor *out_view(struct kernel_call *k, const struct tensor *t, int ndim, const int64_t *size, const int64_t *stride, int64_t offset)
{
	return push_output(k, tensor_over(k->arena, t->storage, t->dtype, ndim, size, stride, offset, k->err));
}

bool out_same(struct kernel_call *k, struct tensor *t)
{
	t->storage->users++;
	return push_output(k, t) != NULL;
}

static void *room_for(struct kernel_call *k, struct tensor *t, int as, enum dtype same, size_t size)
{
	if (!t || !kernel_reads(k, t))
		return NULL;
	if (t->dtype == same && tensor_is_contiguous(t))
		return tensor_data(t);
	size_t bytes;
	if (__builtin_mul_overflow((size_t)tensor_numel(t), size, &bytes))
		return kernel_fail(k, "needs more memory than can be counted"), NULL;
	struct scratch *s = scratch_push(k, bytes ? bytes : 1);
	if (!s)
		return NULL;
	s->to = t;
	s->as = as;
	return s->data;
}

double *doubles_for(struct kernel_call *k, struct tensor *t) { return room_for(k, t, AS_DOUBLES, DT_FLOAT64, sizeof(double)); }
float *floats_for(struct kernel_call *k, struct tensor *t) { return room_for(k, t, AS_FLOATS, DT_FLOAT32, sizeof(float)); }
int64_t *ints_for(struct kernel_call *k, struct tensor *t) { return room_for(k, t, AS_INTS, DT_INT64, sizeof(int64_t)); }

static void store_outputs(struct kernel_call *k)
{
	for (struct scratch *s = k->scratch; s; s = s->next)
		if (s->to && s->as == AS_DOUBLES)
			tensor_from_doubles(s->to, s->data);
		else if (s->to && s->as == AS_FLOATS)
			tensor_from_floats(s->to, s->data);
		else if (s->to)
			tensor_from_ints(s->to, s->data);
}

/* ---- Running ---- */

/* The result of an out-of-place row goes into the written argument. */
static bool write_back(struct kernel_call *k)
{
	struct tensor *result = k->n_outputs ? k->outputs[0] : NULL, *self = NULL;
	for (int i = 0; i < k->op->n_args && !self; i++)
		if (k->op->args[i].writes && k->args[i].kind == D_TENSOR)
			self = k->args[i].u.p;
	if (!result || !self || result == self)
		return true;
	if (result->storage == self->storage) {  /* a view in place: unsqueeze_ */
		self->ndim = result->ndim;
		self->size = result->size;
		self->stride = result->stride;
		self->offset = result->offset;
		return k->outputs[0] = self, true;
	}
	if (!dtype_has_elements(self->dtype) && self->dtype != result->dtype)
		return kernel_fail(k, "cannot convert %s to %s", dtype_name(result->dtype), dtype_name(self->dtype));
	tensor_copy(self, result);
	storage_drop(result->storage);
	self->storage->users++;
	k->outputs[0] = self;
	return true;
}

/* What unfold_copy() gives is what unfold() gives, row by row in memory of its own. */
static bool copy_outputs(struct kernel_call *k)
{
	for (size_t i = 0; i < k->n_outputs; i++) {
		struct tensor *view = k->outputs[i], *copy = tensor_new(k->arena, k->heap, view->dtype, view->ndim, view->size, k->err);
		if (!copy)
			return false;
		tensor_copy(copy, view);
		storage_drop(view->storage);
		k->outputs[i] = copy;
	}
	return true;
}

bool kernel_run(struct kernel_call *k, const struct kernel_row *row)
{
	k->row = row;
	bool ok = row->run ? row->run(k) : kernel_pointwise(k, row);
	if (!ok)
		return false;
	store_outputs(k);
	if (text_ends_with(k->op->base_name, "_copy") && !text_ends_with(row->name, "_copy"))
		return copy_outputs(k);
	return !k->op->inplace || write_back(k);
}
