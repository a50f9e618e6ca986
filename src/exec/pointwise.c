/*
 * Element-wise operators: types and strides of the result, and the loop that
 * runs a row's function over the operands piece by piece.
 */
#include "exec/pairs.h"

#include <math.h>
#include <string.h>

/* ---- Shapes ---- */

enum dtype dtype_as_float(enum dtype d)
{
	return dtype_is_float(d) || dtype_is_complex(d) ? d : DT_FLOAT32;
}

static int dtype_category(enum dtype d)
{
	return dtype_is_complex(d) ? 3 : dtype_is_float(d) ? 2 : d == DT_BOOL ? 0 : 1;
}

/* toComplexType(): what is complex beside a floating-point tensor keeps the width of that */
static enum dtype complex_of(enum dtype d)
{
	return d == DT_FLOAT64 ? DT_COMPLEX128 : DT_COMPLEX64;
}

enum dtype tensors_result_type(struct tensor *const *t, int n)
{
	enum dtype by[3] = { DT_NONE, DT_NONE, DT_NONE }; /* of tensors with dimensions, without, of numbers */
	for (int i = 0; i < n; i++) {
		int level = t[i]->is_scalar ? 2 : t[i]->ndim == 0 ? 1 : 0;
		enum dtype d = t[i]->dtype;
		if (level == 2)          /* numbers of Python stand for the default dtype */
			d = d == DT_FLOAT64 ? DT_FLOAT32 : d == DT_COMPLEX128 ? DT_COMPLEX64 : d;
		by[level] = by[level] == DT_NONE ? d : dtype_promote(by[level], d);
	}
	enum dtype d = by[0];
	for (int i = 1; i < 3; i++)
		if (by[i] != DT_NONE && (d == DT_NONE || dtype_category(by[i]) > dtype_category(d)))
			d = d == DT_NONE ? by[i] : dtype_is_float(d) ? complex_of(d) : dtype_promote(d, by[i]);
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

/* ---- Running a row ---- */

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
	if (row->real_of_pairs && dtype_is_complex(d))
		return dtype_of_parts(d);
	switch (row->result) {
	case RESULT_BOOL: return DT_BOOL;
	case RESULT_FLOAT: return dtype_as_float(d);
	case RESULT_FIRST: return in[0]->dtype;
	default: return d;
	}
}

/* How many elements lie from the first to the last, both counted; 0: some share a place, or there are gaps. */
static int64_t dense_extent(const struct tensor *t)
{
	int64_t n = 1;
	for (int i = 0; i < t->ndim; i++)
		n += (t->size[i] - 1) * t->stride[i];
	return n == tensor_numel(t) ? n : 0;
}

static bool overlaps_partly(const struct tensor *a, const struct tensor *b)
{
	int64_t n = dense_extent(a), m = dense_extent(b);
	if (a->storage != b->storage || n == 0 || m == 0)
		return false;
	if (a->offset != b->offset || n != m)
		return a->offset < b->offset + m && b->offset < a->offset + n;
	return a->ndim != b->ndim || memcmp(a->stride, b->stride, (size_t)a->ndim * sizeof *a->stride) != 0;
}

bool can_overwrite(struct kernel_call *k, const struct tensor *to, struct tensor *const *operands, int n)
{
	for (int i = 0; i < to->ndim; i++)
		if (to->size[i] > 1 && to->stride[i] == 0)
			return kernel_fail(k, "unsupported operation: more than one element of the written-to tensor refers to a single memory location. "
			                      "Please clone() the tensor before performing the operation.");
	for (int i = 0; i < n; i++)
		if (overlaps_partly(to, operands[i]))
			return kernel_fail(k, "unsupported operation: some elements of the input tensor and the written-to tensor refer to a single memory location. "
			                      "Please clone() the tensor before performing the operation.");
	return true;
}

bool kernel_pointwise(struct kernel_call *k, const struct kernel_row *row)
{
	struct tensor *in[MAX_OPERANDS - 1];
	int n = 0, ndim;
	char name[40];
	int64_t size[MAX_DIMS], stride[MAX_DIMS];
	for (const char *list = row->operands ? row->operands : "self"; next_name(&list, name, sizeof name) && n < MAX_OPERANDS - 1; n++)
		if (!(in[n] = arg_operand(k, name)) || (!dtype_is_complex(in[n]->dtype) && !kernel_reads(k, in[n])))
			return false;
	if (!broadcast_shapes(k, in, n, &ndim, size))
		return false;
	if (k->op->inplace && !can_overwrite(k, in[0], in, n))
		return false;
	enum dtype common = tensors_result_type(in, n), dtype = result_dtype(row, in, n);
	if (row->result == RESULT_FLOAT)
		common = dtype_as_float(common);
	pointwise_strides(in, n, ndim, size, stride);
	struct tensor *out = out_strided(k, dtype, ndim, size, stride);
	return out && pointwise_run(k, row, out, in, n, common);
}

enum { CHUNK = 512, MAX_SCALARS = 4 };

struct pointwise_work {
	const struct kernel_row *row;
	struct tensor *out;
	struct tensor *const *in;
	const struct loop *loop;
	real_fn *real;
	enum dtype cast[MAX_OPERANDS];   /* of each operand; DT_NONE: it has the type already */
	double p[MAX_SCALARS];
	int64_t q[MAX_SCALARS];
	bool whole;
};

/* The type that an operand takes before anything is computed. */
static enum dtype cast_of(const struct kernel_row *row, const struct tensor *t, enum dtype common)
{
	bool reduced = common == DT_FLOAT16 || common == DT_BFLOAT16;
	enum dtype d = reduced && row->wide_scalars && t->ndim == 0 ? DT_FLOAT32 : common;
	return d == t->dtype || (dtype_is_float(d) && d == DT_FLOAT64) ? DT_NONE : d;
}

static void run_reals(const struct pointwise_work *w, int64_t from, int64_t n)
{
	double in[MAX_OPERANDS - 1][CHUNK], out[CHUNK];
	unsigned char element[CHUNK * sizeof(double)];
	const double *at[MAX_OPERANDS];
	const struct loop *l = w->loop;
	for (int i = 0; i + 1 < l->n; i++) {
		int64_t e = l->at[i + 1] + from * l->step[i + 1];
		elements_to_double(w->in[i]->dtype, w->in[i]->storage->data + e * (int64_t)dtype_size(w->in[i]->dtype), l->step[i + 1], n, in[i]);
		if (w->cast[i] != DT_NONE) {
			elements_from_double(w->cast[i], element, 1, n, in[i]);
			elements_to_double(w->cast[i], element, 1, n, in[i]);
		}
		at[i] = in[i];
	}
	w->real(out, at, n, w->p);
	elements_from_double(w->out->dtype, w->out->storage->data + (l->at[0] + from * l->step[0]) * (int64_t)dtype_size(w->out->dtype), l->step[0], n, out);
}

static void run_wholes(const struct pointwise_work *w, int64_t from, int64_t n)
{
	int64_t in[MAX_OPERANDS - 1][CHUNK], out[CHUNK];
	unsigned char element[CHUNK * sizeof(int64_t)];
	const int64_t *at[MAX_OPERANDS];
	const struct loop *l = w->loop;
	for (int i = 0; i + 1 < l->n; i++) {
		int64_t e = l->at[i + 1] + from * l->step[i + 1];
		elements_to_int(w->in[i]->dtype, w->in[i]->storage->data + e * (int64_t)dtype_size(w->in[i]->dtype), l->step[i + 1], n, in[i]);
		if (w->cast[i] != DT_NONE) {
			elements_from_int(w->cast[i], element, 1, n, in[i]);
			elements_to_int(w->cast[i], element, 1, n, in[i]);
		}
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
	if (dtype_is_complex(common))
		return pairs_run(k, row, out, in, n, common);
	struct loop l;
	struct pointwise_work w = { .row = row, .out = out, .in = in, .loop = &l, .whole = row->whole && !dtype_is_float(common) };
	w.real = row->narrow && common != DT_FLOAT64 ? row->narrow : row->real;
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
	for (i = 0; i < n; i++) {
		loop_operand(&l, i + 1, in[i]);
		w.cast[i] = cast_of(row, in[i], common);
	}
	for (loop_begin(&l); l.left > 0; loop_next(&l))
		in_parallel(k, l.run, 1 << 15, pointwise_piece, &w);
	return true;
}
