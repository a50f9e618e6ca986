/*
 * Products of groups of rows or columns, each with a matrix of its own, as mixtures of experts use them
 * (aten/src/ATen/native/{GroupedMMUtils.h,Blas.cpp}: _grouped_mm_fallback).  offs[i] is where group i ends; what lies behind the last
 * group is left at zero.
 */

#include "exec/kernel.h"

/* A batch of matrices, or one matrix in parts: along rows, columns, or what is summed over. */
struct side {
	const double *data;
	int64_t rows, columns;
	bool is_batch;
};

static bool open_side(struct kernel_call *k, const char *name, struct side *s)
{
	const struct tensor *t = arg_tensor(k, name);
	if (t->ndim != 2 && t->ndim != 3)
		return kernel_fail(k, "%s has %d dimensions; expected 2 or 3", name, t->ndim);
	s->is_batch = t->ndim == 3;
	s->rows = t->size[t->ndim - 2];
	s->columns = t->size[t->ndim - 1];
	s->data = doubles_of(k, t);
	return s->data != NULL;
}

/* What is multiplied in one group: rows [m0, m1) of a, columns [n0, n1) of b, summed over [p0, p1). */
struct part {
	int64_t m0, m1, n0, n1, p0, p1;
};

static void multiply_part(const struct side *a, const struct side *b, int64_t group, const struct part *p, double *out, int64_t ldc)
{
	const double *x = a->data + (a->is_batch ? group * a->rows * a->columns : 0);
	const double *y = b->data + (b->is_batch ? group * b->rows * b->columns : 0);
	for (int64_t i = p->m0; i < p->m1; i++)
		for (int64_t q = p->p0; q < p->p1; q++)
			for (int64_t j = p->n0; j < p->n1; j++)
				out[i * ldc + j] += x[i * a->columns + q] * y[q * b->columns + j];
}

/* Where the groups end, checked; NULL after an error.  Without offs each matrix of a batch is a group of its own. */
static const int64_t *ends_of(struct kernel_call *k, int64_t limit, int64_t *groups)
{
	const struct tensor *offs = arg_tensor(k, "offs");
	const int64_t *ends = offs ? ints_of(k, offs) : NULL;
	*groups = offs ? tensor_numel(offs) : 0;
	for (int64_t i = 0; ends && i < *groups; i++)
		if (ends[i] < (i ? ends[i - 1] : 0) || ends[i] > limit)
			return kernel_fail(k, "group %lld ends at %lld; expected up to %lld, not before the one ahead of it", (long long)i,
			                   (long long)ends[i], (long long)limit), NULL;
	return ends;
}

/* Rows of 16 bytes and more, as create_grouped_gemm_output_tensor() lays them out. */
static struct tensor *make_output(struct kernel_call *k, enum dtype d, int ndim, const int64_t *size)
{
	int64_t unit = 16 / (int64_t)dtype_size(d), row = (size[ndim - 1] + unit - 1) / unit * unit;
	int64_t stride[3] = { ndim == 3 ? size[1] * row : row, ndim == 3 ? row : 1, 1 };
	return out_strided(k, d, ndim, size, stride);
}

static bool k_grouped_mm(struct kernel_call *k)
{
	struct side a, b;
	if (!open_side(k, "self", &a) || !open_side(k, "mat2", &b))
		return false;
	bool rows = !a.is_batch && b.is_batch, columns = a.is_batch && !b.is_batch, sums = !a.is_batch && !b.is_batch;
	int64_t groups, limit = rows ? a.rows : columns ? b.columns : a.columns;
	const int64_t *ends = ends_of(k, limit, &groups);
	if (!ends && (rows || columns || sums))
		return kernel_fail(k, "offs must say where the groups end");
	const struct tensor *batch = arg_tensor(k, a.is_batch ? "self" : "mat2");
	groups = ends ? groups : batch->size[0];
	if ((batch->ndim == 3 && groups != batch->size[0]) || a.columns != b.rows)
		return kernel_fail(k, "%lld groups, %lld columns and %lld rows do not fit", (long long)groups, (long long)a.columns, (long long)b.rows);
	int64_t size[3] = { groups, a.rows, b.columns };
	bool flat = rows || columns;
	struct tensor *out = make_output(k, arg_dtype(k, "out_dtype", arg_tensor(k, "self")->dtype), flat ? 2 : 3, flat ? size + 1 : size);
	double *to = out ? doubles_for(k, out) : NULL;
	for (int64_t i = 0, from = 0; to && i < groups; from = ends ? ends[i] : 0, i++) {
		struct part p = { 0, a.rows, 0, b.columns, 0, a.columns };
		if (rows)
			p.m0 = from, p.m1 = ends[i];
		else if (columns)
			p.n0 = from, p.n1 = ends[i];
		else if (sums)
			p.p0 = from, p.p1 = ends[i];
		multiply_part(&a, &b, i, &p, flat ? to : to + i * a.rows * b.columns, b.columns);
	}
	return to != NULL;
}

const struct kernel_row grouped_kernels[] = {
	{ .name = "_grouped_mm", .run = k_grouped_mm },
	{ 0 },
};
