/*
 * Products of matrices and vectors (aten/src/ATen/native/{LinearAlgebra,Blas}.cpp).  Floating-point types below float64 are
 * computed in float32 and rounded once; integers are computed in int64 and wrap.
 */
#include <math.h>
#include <string.h>

#include "exec/gemm.h"
#include "exec/layout.h"

/* ---- Operands ---- */

/* A batch of matrices as gemm reads them: rows ld elements apart, or columns when transposed. */
struct matrix {
	const void *data;
	bool transposed;
	int64_t ld, batch_stride;
};

static enum dtype computed_in(enum dtype d)
{
	return d == DT_FLOAT64 ? DT_FLOAT64 : dtype_is_float(d) ? DT_FLOAT32 : DT_INT64;
}

static bool is_dense(int64_t size, int64_t stride)
{
	return size <= 1 || stride == 1;
}

/* In place when one of the last two dimensions is dense, as in the transposed weight of linear(); a copy otherwise. */
static bool matrix_of(struct kernel_call *k, struct tensor *t, enum dtype dtype, bool may_transpose, struct matrix *m)
{
	int r = t->ndim - 2, c = t->ndim - 1;
	bool by_row = is_dense(t->size[c], t->stride[c]) && (t->size[r] <= 1 || t->stride[r] >= t->size[c]);
	bool by_column = may_transpose && is_dense(t->size[r], t->stride[r]) && (t->size[c] <= 1 || t->stride[c] >= t->size[r]);
	if (t->dtype != dtype || (!by_row && !by_column)) {
		t = converted(k, t, dtype);
		if (!t)
			return false;
		by_row = true;
	}
	int64_t least = by_row ? t->size[c] : t->size[r], apart = by_row ? t->stride[r] : t->stride[c];
	if ((by_row ? t->size[r] : t->size[c]) <= 1)
		apart = least;
	*m = (struct matrix){ .data = tensor_data(t), .transposed = !by_row, .ld = apart > 1 ? apart : 1, .batch_stride = t->ndim == 3 ? t->stride[0] : 0 };
	return true;
}

struct product {
	int64_t m, n, p;                 /* [m, p] x [p, n] */
	int64_t batches;
	bool summed;                     /* all batches are added into one matrix */
	struct tensor *self;             /* is added, or NULL */
	struct tensor *a, *b;
};

/* ---- The product of two matrices, in each of the types ---- */

static void multiply_ints(const struct product *g, const int64_t *a, int64_t lda, const int64_t *b, int64_t ldb, int64_t alpha, int64_t beta,
                          int64_t *c)
{
	for (int64_t i = 0; i < g->m; i++)
		for (int64_t j = 0; j < g->n; j++) {
			uint64_t sum = 0;
			for (int64_t q = 0; q < g->p; q++)
				sum += (uint64_t)a[i * lda + q] * (uint64_t)b[q * ldb + j];
			uint64_t old = beta ? (uint64_t)beta * (uint64_t)c[i * g->n + j] : 0;
			c[i * g->n + j] = (int64_t)(old + (uint64_t)alpha * sum);
		}
}

/* c = alpha a b + beta c for matrix i of the batch */
static void multiply_one(struct kernel_call *k, const struct product *g, const struct matrix *a, const struct matrix *b, int64_t i,
                         struct tensor *c, bool adds)
{
	double alpha = arg_real(k, "alpha", 1), beta = adds ? arg_real(k, "beta", 1) : 0;
	int64_t to = g->summed ? 0 : i * g->m * g->n, from_a = i * a->batch_stride, from_b = i * b->batch_stride, ldc = g->n > 1 ? g->n : 1;
	if (g->summed && i > 0)
		beta = 1;
	if (c->dtype == DT_FLOAT64)
		gemm_double(k, a->transposed, b->transposed, g->m, g->n, g->p, alpha, (const double *)a->data + from_a, a->ld,
		            (const double *)b->data + from_b, b->ld, beta, (double *)(void *)tensor_data(c) + to, ldc);
	else if (c->dtype == DT_FLOAT32)
		gemm_float(k, a->transposed, b->transposed, g->m, g->n, g->p, (float)alpha, (const float *)a->data + from_a, a->ld,
		           (const float *)b->data + from_b, b->ld, (float)beta, (float *)(void *)tensor_data(c) + to, ldc);
	else
		multiply_ints(g, (const int64_t *)a->data + from_a, a->ld, (const int64_t *)b->data + from_b, b->ld, arg_int(k, "alpha", 1),
		              g->summed && i > 0 ? 1 : adds ? arg_int(k, "beta", 1) : 0, (int64_t *)(void *)tensor_data(c) + to);
}

static bool added_fits(struct kernel_call *k, const struct product *g, int ndim, const int64_t *size)
{
	if (!g->self)
		return true;
	bool fits = g->self->ndim <= ndim;
	for (int i = 0; i < g->self->ndim && fits; i++) {
		int64_t own = g->self->size[i];
		fits = own == 1 || own == size[ndim - g->self->ndim + i];
	}
	return fits || kernel_fail(k, "what is added does not broadcast to the product");
}

/* ---- Complex numbers: sums of products as they are written ---- */

static double *pairs_of(struct kernel_call *k, const struct tensor *t)
{
	struct window w;
	double *v = scratch_alloc(k, 2 * tensor_numel(t), sizeof *v);
	if (v)
		tensor_to_doubles(window_of_parts(&w, t), v);
	return v;
}

static void multiply_pairs_one(const struct product *g, const double *a, const double *b, double alpha, double *c)
{
	for (int64_t i = 0; i < g->m; i++)
		for (int64_t j = 0; j < g->n; j++)
			for (int64_t q = 0; q < g->p; q++) {
				const double *x = a + 2 * (i * g->p + q), *y = b + 2 * (q * g->n + j);
				c[2 * (i * g->n + j)] += alpha * (x[0] * y[0] - x[1] * y[1]);
				c[2 * (i * g->n + j) + 1] += alpha * (x[0] * y[1] + x[1] * y[0]);
			}
}

static bool multiply_pairs(struct kernel_call *k, const struct product *g, enum dtype dtype, int ndim, const int64_t *size)
{
	double alpha = arg_real(k, "alpha", 1), beta = g->self ? arg_real(k, "beta", 1) : 0;
	struct tensor *out = added_fits(k, g, ndim, size) ? out_new(k, dtype, ndim, size) : NULL;
	struct window w;
	if (!out || (beta != 0 && !copy_into(k, out, g->self)))
		return false;
	const double *a = pairs_of(k, g->a), *b = a ? pairs_of(k, g->b) : NULL;
	double *c = b ? pairs_of(k, out) : NULL;
	for (int64_t i = 0; c && i < 2 * tensor_numel(out); i++)
		c[i] = beta == 0 ? 0 : beta * c[i];
	for (int64_t i = 0; c && i < g->batches; i++)
		multiply_pairs_one(g, a + 2 * i * g->m * g->p, b + 2 * i * g->p * g->n, alpha, c + (g->summed ? 0 : 2 * i * g->m * g->n));
	if (c)
		tensor_from_doubles(window_of_parts(&w, out), c);
	return c != NULL;
}

/* ---- The product ---- */

/* out = beta self + alpha a b; with beta 0 what self holds does not count, be it NaN. */
static bool multiply(struct kernel_call *k, const struct product *g, enum dtype dtype, int ndim, const int64_t *size)
{
	enum dtype work = computed_in(g->a->dtype == DT_FLOAT64 ? DT_FLOAT64 : dtype);
	bool adds = g->self && arg_real(k, "beta", 1) != 0;
	struct matrix a, b;
	if (g->a->dtype != g->b->dtype || g->a->dtype == DT_BOOL)
		return kernel_fail(k, "there is no product of %s and %s", dtype_name(g->a->dtype), dtype_name(g->b->dtype));
	if (dtype_is_complex(g->a->dtype))
		return multiply_pairs(k, g, dtype, ndim, size);
	if (!added_fits(k, g, ndim, size) || !matrix_of(k, g->a, work, work != DT_INT64, &a) || !matrix_of(k, g->b, work, work != DT_INT64, &b))
		return false;
	struct tensor *out = out_new(k, dtype, ndim, size);
	struct tensor *c = out && out->dtype != work ? temporary(k, work, ndim, size) : out;
	if (!c || (adds && !copy_into(k, c, g->self)))
		return false;
	for (int64_t i = 0; i < g->batches && tensor_numel(c) > 0; i++) {
		multiply_one(k, g, &a, &b, i, c, adds);
		if (g->summed && c != out && !(copy_into(k, out, c) && copy_into(k, c, out)))
			return false;                    /* addbmm is one addmm after another, each of which rounds */
	}
	if (g->summed && g->batches == 0 && adds)        /* nothing to sum */
		multiply_one(k, &(struct product){ .m = g->m, .n = g->n, .summed = true }, &a, &b, 0, c, true);
	return c == out || copy_into(k, out, c);
}

/* ---- Matrices ---- */

static bool fits(struct kernel_call *k, const struct tensor *a, const struct tensor *b, int ndim)
{
	if (a->ndim != ndim || b->ndim != ndim)
		return kernel_fail(k, "operands have %d and %d dimensions; expected %d", a->ndim, b->ndim, ndim);
	if (ndim == 3 && a->size[0] != b->size[0])
		return kernel_fail(k, "batches of %lld and %lld matrices", (long long)a->size[0], (long long)b->size[0]);
	if (a->size[ndim - 1] != b->size[ndim - 2])
		return kernel_fail(k, "%lld columns cannot be multiplied with %lld rows", (long long)a->size[ndim - 1], (long long)b->size[ndim - 2]);
	return true;
}

static bool matrices(struct kernel_call *k, struct tensor *self, struct tensor *a, struct tensor *b)
{
	if (!fits(k, a, b, 2))
		return false;
	struct product g = { .m = a->size[0], .n = b->size[1], .p = a->size[1], .batches = 1, .self = self, .a = a, .b = b };
	return multiply(k, &g, arg_dtype(k, "out_dtype", a->dtype), 2, (int64_t[]){ g.m, g.n });
}

static bool batches(struct kernel_call *k, struct tensor *self, struct tensor *a, struct tensor *b, bool summed)
{
	if (!fits(k, a, b, 3))
		return false;
	struct product g = { .m = a->size[1], .n = b->size[2], .p = a->size[2], .batches = a->size[0], .summed = summed, .self = self, .a = a, .b = b };
	int64_t size[3] = { g.batches, g.m, g.n };
	return multiply(k, &g, arg_dtype(k, "out_dtype", a->dtype), summed ? 2 : 3, summed ? size + 1 : size);
}

static bool k_mm(struct kernel_call *k)
{
	return matrices(k, NULL, arg_tensor(k, "self"), arg_tensor(k, "mat2"));
}

static bool k_addmm(struct kernel_call *k)
{
	return matrices(k, arg_tensor(k, "self"), arg_tensor(k, "mat1"), arg_tensor(k, "mat2"));
}

static bool k_addmm_activation(struct kernel_call *k)
{
	if (!k_addmm(k))
		return false;
	struct tensor *out = k->outputs[k->n_outputs - 1];
	const double *v = doubles_of(k, out);
	double *r = scratch_alloc(k, tensor_numel(out), sizeof *r);
	if (!v || !r)
		return false;
	for (int64_t i = 0; i < tensor_numel(out); i++)
		r[i] = arg_bool(k, "use_gelu", false) ? v[i] * 0.5 * (1 + erf(v[i] * sqrt(0.5))) : v[i] < 0 ? 0 : v[i];
	tensor_from_doubles(out, r);
	return true;
}

static bool k_bmm(struct kernel_call *k)
{
	return batches(k, NULL, arg_tensor(k, "self"), arg_tensor(k, "mat2"), false);
}

static bool k_baddbmm(struct kernel_call *k)
{
	return batches(k, arg_tensor(k, "self"), arg_tensor(k, "batch1"), arg_tensor(k, "batch2"), false);
}

static bool k_addbmm(struct kernel_call *k)
{
	return batches(k, arg_tensor(k, "self"), arg_tensor(k, "batch1"), arg_tensor(k, "batch2"), true);
}

/* ---- Vectors ---- */

/* A vector is a matrix of one column. */
static bool with_vector(struct kernel_call *k, struct tensor *self, struct tensor *a, struct tensor *v)
{
	if (a->ndim != 2 || v->ndim != 1 || a->size[1] != v->size[0])
		return kernel_fail(k, "a matrix of %lld columns cannot be multiplied with %lld elements", (long long)(a->ndim == 2 ? a->size[1] : -1),
		                   (long long)(v->ndim == 1 ? v->size[0] : -1));
	struct window column, added;
	window_of(&column, v);
	column.t.ndim = 2;
	column.size[1] = column.stride[1] = 1;
	struct product g = { .m = a->size[0], .n = 1, .p = a->size[1], .batches = 1, .self = self, .a = a, .b = &column.t };
	if (self && self->ndim > 1)
		return kernel_fail(k, "what is added has %d dimensions; expected a vector", self->ndim);
	if (self) {
		window_of(&added, self);
		added.size[self->ndim] = added.stride[self->ndim] = 1;
		added.t.ndim++;
		g.self = &added.t;
	}
	if (!multiply(k, &g, a->dtype, 2, (int64_t[]){ g.m, 1 }))
		return false;
	k->outputs[k->n_outputs - 1]->ndim = 1;
	k->outputs[k->n_outputs - 1]->stride[0] = 1;
	return true;
}

static bool k_mv(struct kernel_call *k)
{
	return with_vector(k, NULL, arg_tensor(k, "self"), arg_tensor(k, "vec"));
}

static bool k_addmv(struct kernel_call *k)
{
	return with_vector(k, arg_tensor(k, "self"), arg_tensor(k, "mat"), arg_tensor(k, "vec"));
}

static bool dot_ints(struct kernel_call *k, const struct tensor *a, const struct tensor *b, struct tensor *out)
{
	const int64_t *u = ints_of(k, a), *v = ints_of(k, b);
	int64_t *r = u && v ? ints_for(k, out) : NULL;
	uint64_t sum = 0;
	for (int64_t i = 0; r && i < a->size[0]; i++)
		sum += (uint64_t)u[i] * (uint64_t)v[i];
	if (r)
		*r = (int64_t)sum;
	return r != NULL;
}

/* vdot() takes the conjugate of the first. */
static bool dot_pairs(struct kernel_call *k, const struct tensor *a, const struct tensor *b, struct tensor *out)
{
	const double *u = pairs_of(k, a), *v = u ? pairs_of(k, b) : NULL;
	double r[2] = { 0 }, sign = strcmp(k->op->base_name, "vdot") == 0 ? -1 : 1;
	struct window w;
	for (int64_t i = 0; v && i < a->size[0]; i++) {
		r[0] += u[2 * i] * v[2 * i] - sign * u[2 * i + 1] * v[2 * i + 1];
		r[1] += u[2 * i] * v[2 * i + 1] + sign * u[2 * i + 1] * v[2 * i];
	}
	if (v)
		tensor_from_doubles(window_of_parts(&w, out), r);
	return v != NULL;
}

/* dot(), and vdot(), which is the same for numbers that are not complex */
static bool k_dot(struct kernel_call *k)
{
	struct tensor *a = arg_tensor(k, "self"), *b = arg_tensor(k, op_arg_index(k->op, "other") >= 0 ? "other" : "tensor");
	if (a->ndim != 1 || b->ndim != 1 || a->size[0] != b->size[0] || a->dtype != b->dtype)
		return kernel_fail(k, "operands must be vectors of one length and type");
	struct tensor *out = out_new(k, a->dtype, 0, NULL);
	if (out && dtype_is_complex(a->dtype))
		return dot_pairs(k, a, b, out);
	if (!out || !dtype_is_float(a->dtype))
		return out && dot_ints(k, a, b, out);
	const double *u = doubles_of(k, a), *v = doubles_of(k, b);
	double *r = u && v ? doubles_for(k, out) : NULL;
	for (int64_t i = 0; r && i < a->size[0]; i++)
		*r += u[i] * v[i];
	return r != NULL;
}

static void addr_real(double *out, const double *const *in, int64_t n, const double *p)
{
	for (int64_t i = 0; i < n; i++)
		out[i] = (p[0] == 0 ? 0 : p[0] * in[0][i]) + p[1] * in[1][i] * in[2][i];
}

static void addr_whole(int64_t *out, const int64_t *const *in, int64_t n, const int64_t *p)
{
	for (int64_t i = 0; i < n; i++)
		out[i] = (int64_t)((uint64_t)p[0] * (uint64_t)in[0][i] + (uint64_t)p[1] * (uint64_t)in[1][i] * (uint64_t)in[2][i]);
}

/* beta self + alpha vec1 vec2^T, element by element; of bool it is "or" and "and", which storing as bool makes of it */
static bool k_addr(struct kernel_call *k)
{
	static const struct kernel_row row = { .name = "addr", .real = addr_real, .whole = addr_whole, .scalars = "beta,alpha" };
	struct tensor *self = arg_tensor(k, "self"), *u = arg_tensor(k, "vec1"), *v = arg_tensor(k, "vec2");
	struct window column;
	if (u->ndim != 1 || v->ndim != 1)
		return kernel_fail(k, "the outer product is of two vectors");
	window_of(&column, u);
	column.t.ndim = 2;
	column.size[1] = column.stride[1] = 1;
	struct tensor *in[3] = { self, &column.t, v };
	int64_t size[MAX_DIMS], stride[MAX_DIMS];
	int ndim;
	if (!broadcast_shapes(k, in, 3, &ndim, size))
		return false;
	if (ndim != 2 || size[0] != u->size[0] || size[1] != v->size[0])
		return kernel_fail(k, "what is added does not broadcast to the product");
	enum dtype d = tensors_result_type(in, 3);
	pointwise_strides(in, 3, 2, size, stride);
	struct tensor *out = out_strided(k, d, 2, size, stride);
	return out && pointwise_run(k, &row, out, in, 3, d);
}

const struct kernel_row matmul_kernels[] = {
	{ .name = "mm", .run = k_mm, .scratch = SCRATCH_OWN_TYPE },
	{ .name = "addmm", .run = k_addmm, .scratch = SCRATCH_OWN_TYPE },
	{ .name = "_addmm_activation", .run = k_addmm_activation },
	{ .name = "bmm", .run = k_bmm, .scratch = SCRATCH_OWN_TYPE },
	{ .name = "baddbmm", .run = k_baddbmm, .scratch = SCRATCH_OWN_TYPE },
	{ .name = "addbmm", .run = k_addbmm },
	{ .name = "mv", .run = k_mv },
	{ .name = "addmv", .run = k_addmv },
	{ .name = "dot", .run = k_dot },
	{ .name = "vdot", .run = k_dot },
	{ .name = "addr", .run = k_addr },
	{ 0 },
};
