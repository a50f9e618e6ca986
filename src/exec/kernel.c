#include "exec/kernel.h"

#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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

const struct kernel_row *kernel_find(const struct op *op)
{
	const struct kernel_row *row = row_of(op->base_name, op->overload);
	size_t n = strlen(op->base_name);
	if (row || !op->inplace || n < 2 || n >= 150 || op->base_name[n - 1] != '_')
		return row;
	char bare[150];
	memcpy(bare, op->base_name, n - 1);
	bare[n - 1] = 0;
	return row_of(bare, op->overload);
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
	va_start(ap, fmt);
	vsnprintf(message, sizeof message, fmt, ap);
	va_end(ap);
	return fail(k->err, NNS_MODEL, "%s", message);
}

/* ---- Arguments ---- */

static const struct datum none_datum = { .kind = D_NONE };

static const struct datum *arg(struct kernel_call *k, const char *name)
{
	int i = op_arg_index(k->op, name);
	return i < 0 ? &none_datum : &k->args[i];
}

struct tensor *arg_tensor(struct kernel_call *k, const char *name)
{
	const struct datum *d = arg(k, name);
	return d->kind == D_TENSOR ? d->u.p : NULL;
}

static struct tensor *tensor_of_number(struct kernel_call *k, struct datum d)
{
	struct tensor *t = temporary(k, d.kind == D_BOOL ? DT_BOOL : d.kind == D_INT ? DT_INT64 : DT_FLOAT64, 0, NULL);
	if (!t)
		return NULL;
	t->is_scalar = true;
	if (d.kind == D_FLOAT)
		elements_from_double(t->dtype, tensor_data(t), 1, 1, &d.u.f);
	else {
		int64_t i = datum_as_int(d);
		elements_from_int(t->dtype, tensor_data(t), 1, 1, &i);
	}
	return t;
}

struct tensor *arg_operand(struct kernel_call *k, const char *name)
{
	const struct datum *d = arg(k, name);
	if (d->kind == D_TENSOR)
		return d->u.p;
	if (datum_is_number(*d))
		return tensor_of_number(k, *d);
	kernel_fail(k, "the argument %s is neither a tensor nor a number", name);
	return NULL;
}

int64_t arg_int(struct kernel_call *k, const char *name, int64_t none)
{
	const struct datum *d = arg(k, name);
	if (d->kind == D_FLOAT)
		return d->u.f > -0x1p62 && d->u.f < 0x1p62 ? (int64_t)d->u.f : none;
	return datum_is_int(*d) ? datum_as_int(*d) : none;
}

double arg_real(struct kernel_call *k, const char *name, double none)
{
	const struct datum *d = arg(k, name);
	return datum_is_number(*d) ? datum_as_float(*d) : none;
}

bool arg_bool(struct kernel_call *k, const char *name, bool none)
{
	const struct datum *d = arg(k, name);
	return datum_is_number(*d) ? datum_as_float(*d) != 0 : none;
}

const char *arg_str(struct kernel_call *k, const char *name)
{
	const struct datum *d = arg(k, name);
	return d->kind == D_STR ? d->u.s : NULL;
}

enum dtype arg_dtype(struct kernel_call *k, const char *name, enum dtype none)
{
	const struct datum *d = arg(k, name);
	return d->kind == D_DTYPE ? (enum dtype)d->u.i : none;
}

bool arg_is_none(struct kernel_call *k, const char *name)
{
	return arg(k, name)->kind == D_NONE;
}

static struct datum item_of(const struct datum *d, int64_t i)
{
	return datum_is_seq(*d) ? d->u.seq->items[d->u.seq->n == 1 ? 0 : i] : *d;
}

/* How many items a list argument has; stride=(2,) and stride=2 count for every dimension of int[2]. */
static int list_length(struct kernel_call *k, const char *name)
{
	int i = op_arg_index(k->op, name);
	const struct datum *d = arg(k, name);
	if (d->kind == D_NONE)
		return -1;
	int fixed = i >= 0 ? k->op->args[i].list_size : 0, n = datum_is_seq(*d) ? (int)d->u.seq->n : 1;
	return n == 1 && fixed > 1 ? fixed : n;
}

const int64_t *arg_ints(struct kernel_call *k, const char *name, int *n)
{
	static const int64_t nothing[1];
	const struct datum *d = arg(k, name);
	*n = list_length(k, name);
	int64_t *v = *n > 0 ? scratch_alloc(k, *n, sizeof *v) : NULL;
	for (int i = 0; v && i < *n; i++) {
		struct datum item = item_of(d, i);
		v[i] = item.kind == D_FLOAT ? (int64_t)item.u.f : datum_is_int(item) ? datum_as_int(item) : 0;
	}
	return v ? v : nothing;
}

const double *arg_reals(struct kernel_call *k, const char *name, int *n)
{
	static const double nothing[1];
	const struct datum *d = arg(k, name);
	*n = list_length(k, name);
	double *v = *n > 0 ? scratch_alloc(k, *n, sizeof *v) : NULL;
	for (int i = 0; v && i < *n; i++) {
		struct datum item = item_of(d, i);
		v[i] = datum_is_number(item) ? datum_as_float(item) : 0;
	}
	return v ? v : nothing;
}

struct tensor **arg_tensors(struct kernel_call *k, const char *name, int *n)
{
	const struct datum *d = arg(k, name);
	*n = datum_is_seq(*d) ? (int)d->u.seq->n : 0;
	struct tensor **v = scratch_alloc(k, *n + 1, sizeof *v);
	for (int i = 0; v && i < *n; i++)
		v[i] = d->u.seq->items[i].kind == D_TENSOR ? d->u.seq->items[i].u.p : NULL;
	if (!v)
		*n = 0;
	return v;
}

static bool wrap_dim(struct kernel_call *k, int64_t dim, int ndim, int *out)
{
	int64_t n = ndim > 0 ? ndim : 1;
	if (dim < -n || dim >= n)
		return kernel_fail(k, "dimension %lld is out of range for %d dimensions", (long long)dim, ndim);
	*out = (int)(dim < 0 ? dim + n : dim);
	return true;
}

bool arg_dim(struct kernel_call *k, const char *name, int ndim, int *dim)
{
	return wrap_dim(k, arg_int(k, name, 0), ndim, dim);
}

bool arg_dims(struct kernel_call *k, const char *name, int ndim, bool *marked)
{
	int n, dim = 0;
	const int64_t *dims = arg_ints(k, name, &n);
	for (int i = 0; i < ndim; i++)
		marked[i] = n <= 0;
	for (int i = 0; i < n; i++) {
		if (!wrap_dim(k, dims[i], ndim, &dim))
			return false;
		if (ndim > 0)
			marked[dim] = true;
	}
	return true;
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

static bool readable(struct kernel_call *k, const struct tensor *t)
{
	if (dtype_has_elements(t->dtype))
		return true;
	return fail(k->err, NNS_UNSUPPORTED, "there is no kernel for %s", dtype_name(t->dtype));
}

#define DEFINE_OF(name, R, same, copy) \
	const R *name(struct kernel_call *k, const struct tensor *t) \
	{ \
		if (!readable(k, t)) \
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
	if (!t || !readable(k, t))
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

bool kernel_run(struct kernel_call *k, const struct kernel_row *row)
{
	bool ok = row->run ? row->run(k) : kernel_pointwise(k, row);
	if (!ok)
		return false;
	store_outputs(k);
	return !k->op->inplace || write_back(k);
}

/* ---- Element-wise operators ---- */

/* The next of the names in a list with commas. */
static bool next_name(const char **list, char *out, size_t size)
{
	size_t n = *list ? strcspn(*list, ",") : 0;
	if (n == 0 || n >= size)
		return false;
	memcpy(out, *list, n);
	out[n] = 0;
	*list += n + ((*list)[n] == ',');
	return true;
}

static enum dtype result_dtype(const struct kernel_row *row, struct tensor *const *in, int n)
{
	enum dtype d = tensors_result_type(in, n);
	switch (row->result) {
	case RESULT_BOOL: return DT_BOOL;
	case RESULT_FLOAT: return dtype_as_float(d);
	case RESULT_FIRST: return in[0]->dtype;
	default: return d;
	}
}

/* Numbers take the type that the operation computes in: 0.1 beside a float32 tensor is float32's 0.1. */
static bool round_number(struct kernel_call *k, struct tensor **t, enum dtype common)
{
	if (common == DT_FLOAT64 || !dtype_is_float(common) || (*t)->ndim > 0 || (*t)->dtype != DT_FLOAT64)
		return true;
	struct tensor *rounded = temporary(k, DT_FLOAT32, 0, NULL);
	if (!rounded)
		return false;
	tensor_copy(rounded, *t);
	*t = rounded;
	return true;
}

bool kernel_pointwise(struct kernel_call *k, const struct kernel_row *row)
{
	struct tensor *in[MAX_OPERANDS - 1];
	int n = 0, ndim;
	char name[40];
	int64_t size[MAX_DIMS], stride[MAX_DIMS];
	for (const char *list = row->operands ? row->operands : "self"; next_name(&list, name, sizeof name) && n < MAX_OPERANDS - 1; n++)
		if (!(in[n] = arg_operand(k, name)) || !readable(k, in[n]))
			return false;
	if (!broadcast_shapes(k, in, n, &ndim, size))
		return false;
	enum dtype common = tensors_result_type(in, n), dtype = result_dtype(row, in, n);
	pointwise_strides(in, n, ndim, size, stride);
	for (int i = 0; i < n; i++)
		if (!round_number(k, &in[i], common))
			return false;
	struct tensor *out = out_strided(k, dtype, ndim, size, stride);
	return out && pointwise_run(k, row, out, in, n, common);
}

enum { CHUNK = 512, MAX_SCALARS = 4 };

struct pointwise_work {
	const struct kernel_row *row;
	struct tensor *out;
	struct tensor *const *in;
	const struct loop *loop;
	double p[MAX_SCALARS];
	int64_t q[MAX_SCALARS];
	bool whole;
};

static void run_reals(const struct pointwise_work *w, int64_t from, int64_t n)
{
	double in[MAX_OPERANDS - 1][CHUNK], out[CHUNK];
	const double *at[MAX_OPERANDS];
	const struct loop *l = w->loop;
	for (int i = 0; i + 1 < l->n; i++) {
		int64_t e = l->at[i + 1] + from * l->step[i + 1];
		elements_to_double(w->in[i]->dtype, w->in[i]->storage->data + e * (int64_t)dtype_size(w->in[i]->dtype), l->step[i + 1], n, in[i]);
		at[i] = in[i];
	}
	w->row->real(out, at, n, w->p);
	elements_from_double(w->out->dtype, w->out->storage->data + (l->at[0] + from * l->step[0]) * (int64_t)dtype_size(w->out->dtype), l->step[0], n, out);
}

static void run_wholes(const struct pointwise_work *w, int64_t from, int64_t n)
{
	int64_t in[MAX_OPERANDS - 1][CHUNK], out[CHUNK];
	const int64_t *at[MAX_OPERANDS];
	const struct loop *l = w->loop;
	for (int i = 0; i + 1 < l->n; i++) {
		int64_t e = l->at[i + 1] + from * l->step[i + 1];
		elements_to_int(w->in[i]->dtype, w->in[i]->storage->data + e * (int64_t)dtype_size(w->in[i]->dtype), l->step[i + 1], n, in[i]);
		at[i] = in[i];
	}
	w->row->whole(out, at, n, w->q);
	elements_from_int(w->out->dtype, w->out->storage->data + (l->at[0] + from * l->step[0]) * (int64_t)dtype_size(w->out->dtype), l->step[0], n, out);
}

static void pointwise_piece(int64_t from, int64_t to, void *data)
{
	const struct pointwise_work *w = data;
	for (int64_t i = from; i < to; i += CHUNK) {
		int64_t n = to - i < CHUNK ? to - i : CHUNK;
		if (w->whole)
			run_wholes(w, i, n);
		else
			run_reals(w, i, n);
	}
}

bool pointwise_run(struct kernel_call *k, const struct kernel_row *row, struct tensor *out, struct tensor *const *in, int n, enum dtype common)
{
	struct loop l;
	struct pointwise_work w = { .row = row, .out = out, .in = in, .loop = &l, .whole = row->whole && !dtype_is_float(common) };
	char name[40];
	int i = 0;
	for (const char *list = row->scalars; i < MAX_SCALARS && next_name(&list, name, sizeof name); i++) {
		w.p[i] = arg_real(k, name, NAN);
		if (common != DT_FLOAT64)
			w.p[i] = (float)w.p[i];
		w.q[i] = arg_int(k, name, 0);
	}
	loop_init(&l, out->ndim, out->size, n + 1);
	loop_operand(&l, 0, out);
	for (i = 0; i < n; i++)
		loop_operand(&l, i + 1, in[i]);
	for (loop_begin(&l); l.left > 0; loop_next(&l))
		in_parallel(k, l.run, 1 << 15, pointwise_piece, &w);
	return true;
}

/* ---- Shapes ---- */

enum dtype dtype_as_float(enum dtype d)
{
	return dtype_is_float(d) || dtype_is_complex(d) ? d : DT_FLOAT32;
}

static int dtype_category(enum dtype d)
{
	return dtype_is_complex(d) ? 3 : dtype_is_float(d) ? 2 : d == DT_BOOL ? 0 : 1;
}

enum dtype tensors_result_type(struct tensor *const *t, int n)
{
	enum dtype by[3] = { DT_NONE, DT_NONE, DT_NONE }; /* of tensors with dimensions, without, of numbers */
	for (int i = 0; i < n; i++) {
		int level = t[i]->is_scalar ? 2 : t[i]->ndim == 0 ? 1 : 0;
		enum dtype d = level == 2 && t[i]->dtype == DT_FLOAT64 ? DT_FLOAT32 : t[i]->dtype;
		by[level] = by[level] == DT_NONE ? d : dtype_promote(by[level], d);
	}
	enum dtype d = by[0];
	for (int i = 1; i < 3; i++)
		if (by[i] != DT_NONE && (d == DT_NONE || dtype_category(by[i]) > dtype_category(d)))
			d = d == DT_NONE ? by[i] : dtype_promote(d, by[i]);
	return d;
}

bool broadcast_shapes(struct kernel_call *k, struct tensor *const *t, int n, int *ndim, int64_t *size)
{
	*ndim = 0;
	for (int i = 0; i < n; i++)
		*ndim = t[i]->ndim > *ndim ? t[i]->ndim : *ndim;
	for (int d = 0; d < *ndim; d++)
		size[d] = 1;
	for (int i = 0; i < n; i++)
		for (int d = 0; d < t[i]->ndim; d++) {
			int64_t *s = &size[d + *ndim - t[i]->ndim], own = t[i]->size[d];
			if (own != 1 && *s != 1 && own != *s)
				return kernel_fail(k, "sizes %lld and %lld do not broadcast", (long long)*s, (long long)own);
			*s = own != 1 ? own : *s;
		}
	return true;
}

/* Stride of operand t in dimension d of an ndim-dimensional result; 0 where it is broadcast. */
static int64_t broadcast_stride(const struct tensor *t, int ndim, const int64_t *size, int d)
{
	int own = d - (ndim - t->ndim);
	return own < 0 || (t->size[own] == 1 && size[d] != 1) ? 0 : t->stride[own];
}

/* Whether dimension a should be outside of b: 1 when b goes inside, -1 when it must not, 0 undecided. */
static int compare_dims(struct tensor *const *t, int n, int ndim, const int64_t *size, int a, int b)
{
	for (int i = 0; i < n; i++) {
		int64_t sa = broadcast_stride(t[i], ndim, size, a), sb = broadcast_stride(t[i], ndim, size, b);
		if (sa == 0 || sb == 0)
			continue;
		if (sa != sb)
			return sa < sb ? -1 : 1;
		if (size[a] > size[b])
			return 1;
	}
	return 0;
}

static bool covers(const struct tensor *t, int ndim, const int64_t *size)
{
	return t->ndim == ndim && (ndim == 0 || memcmp(t->size, size, (size_t)ndim * sizeof *size) == 0);
}

/* aten/src/ATen/TensorIterator.cpp: compute_fast_setup_type() and reorder_dimensions(). */
void pointwise_strides(struct tensor *const *t, int n, int ndim, const int64_t *size, int64_t *stride)
{
	int order[MAX_DIMS];
	bool contiguous = true;
	for (int i = 0; i < n; i++)
		contiguous = contiguous && covers(t[i], ndim, size) && tensor_is_contiguous(t[i]);
	contiguous_strides(ndim, size, stride);
	if (contiguous)
		return;
	for (int i = 0; i < ndim; i++)
		order[i] = ndim - 1 - i;                 /* the innermost first */
	for (int i = 1; i < ndim; i++)
		for (int at = i, before = i - 1; before >= 0; before--) {
			int c = compare_dims(t, n, ndim, size, order[before], order[at]);
			if (c < 0)
				break;
			if (c > 0) {
				int swap = order[before];
				order[before] = order[at];
				order[at] = swap;
				at = before;
			}
		}
	int64_t next = 1;
	for (int i = 0; i < ndim; i++) {
		stride[order[i]] = next;
		next *= size[order[i]] ? size[order[i]] : 1;
	}
}

int64_t sizes_product(const int64_t *size, int from, int to)
{
	int64_t n = 1;
	for (int i = from; i < to; i++)
		n *= size[i];
	return n;
}

/* ---- Threads ---- */

enum { MAX_THREADS = 64 };

struct piece {
	int64_t from, to;
	void (*work)(int64_t from, int64_t to, void *data);
	void *data;
	pthread_t thread;
	bool started;
};

static void *piece_run(void *p)
{
	struct piece *piece = p;
	piece->work(piece->from, piece->to, piece->data);
	return NULL;
}

void in_parallel(struct kernel_call *k, int64_t n, int64_t grain, void (*work)(int64_t from, int64_t to, void *data), void *data)
{
	struct piece pieces[MAX_THREADS];
	int64_t count = grain > 0 ? n / grain : n;
	count = count > k->threads ? k->threads : count;
	count = count > MAX_THREADS ? MAX_THREADS : count;
	if (count <= 1) {
		work(0, n, data);
		return;
	}
	for (int64_t i = 0; i < count; i++) {
		pieces[i] = (struct piece){ .from = n * i / count, .to = n * (i + 1) / count, .work = work, .data = data };
		pieces[i].started = i > 0 && pthread_create(&pieces[i].thread, NULL, piece_run, &pieces[i]) == 0;
	}
	for (int64_t i = 0; i < count; i++)
		if (!pieces[i].started)
			piece_run(&pieces[i]);
	for (int64_t i = 0; i < count; i++)
		if (pieces[i].started)
			pthread_join(pieces[i].thread, NULL);
}
