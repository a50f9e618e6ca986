/*
 * Kernels of reductions, orders and indices, called by hand.  What they must
 * give was computed by PyTorch 2.13.
 */
#include <math.h>
#include <setjmp.h>
#include <string.h>

#include "exec/kernel.h"
#include "tap.h"

#define ANY (-12345.0)                   /* in what is expected: not compared */
#define LENGTH(v) ((int)(sizeof(v) / sizeof *(v)))

/* What a test needs: when it is not so, the test has failed and ends. */
#define CHECK(what) ((what) ? (void)0 : end_test(f, __LINE__, #what))

struct fixture {
	jmp_buf end;
	struct arena *arena;
	struct optable *ops;
	struct heap heap;
	nns_error err;
	struct kernel_call call;
	struct datum args[16];
	struct storage *made[128];
	int n_made;
};

static _Noreturn void end_test(struct fixture *f, int line, const char *what)
{
	tap_note("line %d: not so: %s%s%s", line, what, *f->err.message ? "; " : "", f->err.message);
	longjmp(f->end, 1);
}

static void set_up(struct fixture *f)
{
	*f = (struct fixture){ 0 };
	f->arena = arena_new(NULL, &f->err);
	f->ops = f->arena ? optable_new(f->arena, &f->err) : NULL;
	if (!f->ops)
		tap_bail("%s", f->err.message);
}

static void forget_call(struct fixture *f)
{
	kernel_release(&f->call);
	for (size_t i = 0; i < f->call.n_outputs; i++)
		storage_drop(f->call.outputs[i]->storage);
	f->call.n_outputs = 0;
}

/* Every byte must have been given back by then. */
static bool tear_down(struct fixture *f)
{
	forget_call(f);
	for (int i = 0; i < f->n_made; i++)
		storage_drop(f->made[i]);
	arena_free(f->arena);
	return f->heap.used == 0;
}

static struct tensor *make(struct fixture *f, enum dtype dtype, int ndim, const int64_t *size, const double *v)
{
	struct tensor *t = tensor_new(f->arena, &f->heap, dtype, ndim, size, &f->err);
	CHECK(t);
	CHECK(f->n_made < LENGTH(f->made));
	f->made[f->n_made++] = t->storage;
	if (v)
		tensor_from_doubles(t, v);
	return t;
}

static struct datum vector(struct fixture *f, enum dtype dtype, int64_t n, const double *v)
{
	return datum_pointer(D_TENSOR, make(f, dtype, 1, &n, v));
}

static struct datum matrix(struct fixture *f, enum dtype dtype, int64_t rows, int64_t columns, const double *v)
{
	return datum_pointer(D_TENSOR, make(f, dtype, 2, (int64_t[2]){ rows, columns }, v));
}

static struct datum list(struct fixture *f, int n, const struct datum *items)
{
	struct datum d;
	CHECK(datum_seq(f->arena, D_LIST, (size_t)n, &d));
	for (int i = 0; i < n; i++)
		CHECK(seq_push(f->arena, d.u.seq, items[i]));
	return d;
}

#define F(...) vector(f, DT_FLOAT32, LENGTH(((double[]){ __VA_ARGS__ })), (double[]){ __VA_ARGS__ })
#define I(...) vector(f, DT_INT64, LENGTH(((double[]){ __VA_ARGS__ })), (double[]){ __VA_ARGS__ })
#define B(...) vector(f, DT_BOOL, LENGTH(((double[]){ __VA_ARGS__ })), (double[]){ __VA_ARGS__ })
#define EMPTY vector(f, DT_FLOAT32, 0, NULL)

/* The arguments given come first, the others have their defaults. */
static bool run(struct fixture *f, const char *name, int n, const struct datum *args)
{
	const struct op *op = optable_get(f->ops, name, &f->err);
	CHECK(op);
	CHECK(op->n_args <= LENGTH(f->args) && n <= op->n_args);
	for (int i = 0; i < op->n_args; i++)
		f->args[i] = i < n ? args[i] : op->args[i].has_default ? op->args[i].fallback : datum_none();
	forget_call(f);
	f->call = (struct kernel_call){ .op = op, .args = f->args, .heap = &f->heap, .arena = f->arena, .threads = 2, .err = &f->err };
	const struct kernel_row *row = kernel_find(op);
	CHECK(row);
	return kernel_run(&f->call, row);
}
#define RUN(name, ...) CHECK(run(f, name, LENGTH(((struct datum[]){ __VA_ARGS__ })), (struct datum[]){ __VA_ARGS__ }))
#define FAILS(name, ...) CHECK(!run(f, name, LENGTH(((struct datum[]){ __VA_ARGS__ })), (struct datum[]){ __VA_ARGS__ }))

static void compare(struct fixture *f, const struct tensor *t, enum dtype dtype, int n, const double *expected)
{
	double v[64];
	CHECK(t->dtype == dtype);
	CHECK(tensor_numel(t) == n);
	CHECK(n <= LENGTH(v));
	tensor_to_doubles(t, v);
	for (int i = 0; i < n; i++)
		if (isnan(expected[i]) ? !isnan(v[i]) : expected[i] != ANY && !(v[i] == expected[i] || fabs(v[i] - expected[i]) < 1e-4)) {
			tap_note("element %d is %g instead of %g", i, v[i], expected[i]);
			longjmp(f->end, 1);
		}
}
#define GIVES(output, dtype, ...) compare(f, f->call.outputs[output], dtype, LENGTH(((double[]){ __VA_ARGS__ })), (double[]){ __VA_ARGS__ })
#define GIVES_NOTHING(output) CHECK(tensor_numel(f->call.outputs[output]) == 0)

#define INT datum_int
#define YES datum_bool(true)
#define NO datum_bool(false)

/* ---- Reductions ---- */

static void test_sums(struct fixture *f)
{
	int64_t large = ((int64_t)1 << 62) + 1, two = 2;
	struct tensor *t = make(f, DT_INT64, 1, &two, NULL);
	tensor_from_ints(t, (int64_t[2]){ large, -2 });
	RUN("sum", datum_pointer(D_TENSOR, t));
	int64_t sum;
	tensor_to_ints(f->call.outputs[0], &sum);
	CHECK(sum == large - 2);           /* a double could not hold it */
	RUN("sum", B(1, 1, 0, 1));
	GIVES(0, DT_INT64, 3);
	RUN("sum.dim_IntList", matrix(f, DT_FLOAT32, 2, 3, (double[]){ 1, 2, 3, 4, 5, 6 }), INT(-1), YES);
	GIVES(0, DT_FLOAT32, 6, 15);
	CHECK(f->call.outputs[0]->ndim == 2);
	RUN("sum", EMPTY);
	GIVES(0, DT_FLOAT32, 0);
	RUN("mean", EMPTY);
	GIVES(0, DT_FLOAT32, NAN);
	FAILS("mean", I(1, 2));
	RUN("std.correction", F(1, 2, 4));
	GIVES(0, DT_FLOAT32, 1.5275);
	RUN("logsumexp", F(1, 2, 3), INT(0));
	GIVES(0, DT_FLOAT32, 3.4076);
	RUN("linalg_vector_norm", F(3, -4), datum_float(INFINITY));
	GIVES(0, DT_FLOAT32, 4);
	FAILS("linalg_vector_norm", EMPTY, datum_float(INFINITY));
}

static void test_zero_stays_zero(struct fixture *f)
{
	RUN("sum", vector(f, DT_FLOAT16, 2, (double[]){ 0, 0 }));
	GIVES(0, DT_FLOAT16, 0);
}

static void test_extremes(struct fixture *f)
{
	RUN("max.dim", F(1, 5, 5, 2), INT(0));
	GIVES(0, DT_FLOAT32, 5);
	GIVES(1, DT_INT64, 1);                   /* the first of equal ones */
	RUN("min.dim", F(1, NAN, 0, NAN), INT(0));
	GIVES(0, DT_FLOAT32, NAN);
	GIVES(1, DT_INT64, 1);
	RUN("argmax", matrix(f, DT_INT64, 2, 2, (double[]){ 1, 2, 9, 3 }));
	GIVES(0, DT_INT64, 2);
	FAILS("amax", EMPTY);
	RUN("cummax", F(1, 3, 3, NAN, 2, NAN), INT(0));
	GIVES(0, DT_FLOAT32, 1, 3, 3, NAN, NAN, NAN);
	GIVES(1, DT_INT64, 0, 1, 2, 3, 3, 5);
}

static void test_histogram(struct fixture *f)
{
	RUN("histc", F(0, .1, .2, .3, .4, .5, .6, .7, .8, .9, 1), INT(5), INT(0), INT(1));
	GIVES(0, DT_FLOAT32, 2, 2, 2, 2, 3);
	RUN("bincount", I(1, 3, 3), datum_none(), INT(5));
	GIVES(0, DT_INT64, 0, 1, 0, 2, 0);
	FAILS("bincount", I(1, -3));
}

static void test_softmax(struct fixture *f)
{
	RUN("_softmax", F(1, 2, 3), INT(0), NO);
	GIVES(0, DT_FLOAT32, .0900306, .2447285, .6652410);
	RUN("_safe_softmax", F(-INFINITY, -INFINITY), INT(0));
	GIVES(0, DT_FLOAT32, 0, 0);
	RUN("_masked_softmax", matrix(f, DT_FLOAT32, 2, 3, (double[]){ 1, 1, 1, 1, 1, 1 }), matrix(f, DT_BOOL, 2, 3, (double[]){ 1, 0, 0, 1, 1, 1 }), INT(1), INT(2));
	GIVES(0, DT_FLOAT32, 0, .5, .5, NAN, NAN, NAN);
}

/* ---- Order: which of equal elements is named ---- */

#define TIES F(3, 1, 3, 0, 1, 3, 2, 2, 0, 3, 1, 2, 0, 3, 1, 1, 2, 3, 0, 2)

static void test_ties(struct fixture *f)
{
	RUN("topk", TIES, INT(5));
	GIVES(0, DT_FLOAT32, 3, 3, 3, 3, 3);
	GIVES(1, DT_INT64, 13, 9, 0, 5, 17);
	RUN("topk", TIES, INT(9), INT(-1), NO);
	GIVES(0, DT_FLOAT32, 0, 0, 0, 0, 1, 1, 1, 1, 1);
	GIVES(1, DT_INT64, 18, 3, 12, 8, 1, 15, 14, 10, 4);
	RUN("kthvalue", TIES, INT(11));
	GIVES(0, DT_FLOAT32, 2);
	GIVES(1, DT_INT64, 16);
	RUN("mode", TIES);
	GIVES(0, DT_FLOAT32, 3);
	GIVES(1, DT_INT64, 0);
	RUN("median.dim", TIES, INT(0));
	GIVES(0, DT_FLOAT32, 2);
	GIVES(1, DT_INT64, 6);
	FAILS("topk", TIES, INT(21));
}

static void test_heap(struct fixture *f)
{
	double v[200];
	for (int i = 0; i < 200; i++)
		v[i] = i * 37 % 7;
	RUN("topk", vector(f, DT_FLOAT32, 200, v), INT(3));
	GIVES(0, DT_FLOAT32, 6, 6, 6);
	GIVES(1, DT_INT64, 17, 3, 10);
	RUN("kthvalue", vector(f, DT_FLOAT32, 200, v), INT(100));
	GIVES(0, DT_FLOAT32, 3);
	GIVES(1, DT_INT64, 12);
}

static void test_sort(struct fixture *f)
{
	RUN("sort", F(2, NAN, 1, NAN, 2), INT(0), YES);
	GIVES(0, DT_FLOAT32, NAN, NAN, 2, 2, 1);
	GIVES(1, DT_INT64, 1, 3, 0, 4, 2);
	RUN("searchsorted.Tensor", F(1, 3, 5), F(3, NAN), NO, YES);
	GIVES(0, DT_INT64, 2, 3);
	RUN("bucketize.Scalar", INT(3), F(1, 3, 5));
	GIVES(0, DT_INT64, 1);
}

static void test_unique(struct fixture *f)
{
	RUN("_unique2", F(NAN, 1, NAN), YES, YES, YES);
	GIVES(0, DT_FLOAT32, 1, NAN, NAN);
	GIVES(1, DT_INT64, 1, 0, 2);
	GIVES(2, DT_INT64, 1, 1, 1);
	RUN("unique_dim", matrix(f, DT_INT64, 3, 2, (double[]){ 2, 1, 2, 1, 1, 3 }), INT(0));
	GIVES(0, DT_INT64, 1, 3, 2, 1);
	GIVES(1, DT_INT64, 1, 1, 0);
	GIVES(2, DT_INT64, 1, 2);
	RUN("unique_consecutive", I(1, 1, 2, 1));
	GIVES(0, DT_INT64, 1, 2, 1);
	GIVES_NOTHING(1);
}

/* ---- Indices ---- */

static void test_scatter(struct fixture *f)
{
	RUN("scatter_reduce.two", I(1, 1, 1), INT(0), I(1, 1, 1), I(-4, -2, -3), datum_str("mean"));
	GIVES(0, DT_INT64, 1, -2, 1);
	RUN("scatter_reduce.two", F(1, 1, 1), INT(0), I(1, 1, 1), F(4, 2, 3), datum_str("mean"), NO);
	GIVES(0, DT_FLOAT32, 1, 3, 1);
	RUN("index_reduce", I(1, 1), INT(0), I(1, 1), I(-4, -2), datum_str("mean"));
	GIVES(0, DT_INT64, 1, -2);               /* floor(-5 / 3) */
	FAILS("scatter.value", F(1, 1, 1), INT(0), I(-1), INT(1));
	FAILS("gather", F(1, 1, 1), INT(0), I(3));
	FAILS("index_select", F(1, 1, 1), INT(0), I(-1));
	RUN("index_fill.int_Scalar", F(1, 1, 1), INT(0), I(-1), INT(7));
	GIVES(0, DT_FLOAT32, 1, 1, 7);
	RUN("put", matrix(f, DT_FLOAT32, 2, 2, NULL), I(-1, 0, 0), F(5, 6, 7), YES);
	GIVES(0, DT_FLOAT32, 13, 0, 0, 5);
}

static void test_index(struct fixture *f)
{
	struct datum x = matrix(f, DT_FLOAT32, 2, 3, (double[]){ 0, 1, 2, 3, 4, 5 });
	RUN("index.Tensor", x, list(f, 2, (struct datum[]){ datum_none(), I(-1, 0) }));
	GIVES(0, DT_FLOAT32, 2, 0, 5, 3);
	struct tensor *turned = make(f, DT_INT64, 2, (int64_t[]){ 2, 3 }, (double[]){ 0, 1, 2, 2, 1, 0 });
	memcpy(turned->size, (int64_t[]){ 3, 2 }, 2 * sizeof *turned->size);
	memcpy(turned->stride, (int64_t[]){ 1, 3 }, 2 * sizeof *turned->stride);
	RUN("index.Tensor", F(5, 6, 7), list(f, 1, (struct datum[]){ datum_pointer(D_TENSOR, turned) }));
	GIVES(0, DT_FLOAT32, 5, 7, 6, 6, 7, 5);
	CHECK(f->call.outputs[0]->stride[0] == 1); /* laid out as the index */
	RUN("index.Tensor", x, list(f, 2, (struct datum[]){ B(0, 1), I(0, 2) }));
	GIVES(0, DT_FLOAT32, 3, 5);
	FAILS("index.Tensor", x, list(f, 1, (struct datum[]){ I(2) }));
	FAILS("index.Tensor", x, list(f, 1, (struct datum[]){ B(1, 0, 1) }));
}

/* An in-place operator writes through a view: every second element of a row. */
static void test_put_in_place(struct fixture *f)
{
	struct tensor *base = make(f, DT_FLOAT32, 1, (int64_t[]){ 6 }, NULL), *view;
	view = tensor_over(f->arena, base->storage, DT_FLOAT32, 1, (int64_t[]){ 3 }, (int64_t[]){ 2 }, 1, &f->err);
	CHECK(view);
	f->made[f->n_made++] = view->storage;
	RUN("index_put_", datum_pointer(D_TENSOR, view), list(f, 1, (struct datum[]){ I(0, 0, -1) }), F(1, 2, 4), YES);
	compare(f, base, DT_FLOAT32, 6, (double[]){ 0, 3, 0, 0, 0, 4 });
	CHECK(f->call.outputs[0] == view);
}

static void test_masks(struct fixture *f)
{
	RUN("masked_fill.Scalar", I(1, 2, 3), B(1, 0, 1), datum_float(1.5));
	GIVES(0, DT_INT64, 1, 2, 1);
	RUN("masked_scatter", F(0, 0, 0), B(1, 0, 1), F(8, 9, 10));
	GIVES(0, DT_FLOAT32, 8, 0, 9);
	FAILS("masked_scatter", F(0, 0, 0), B(1, 0, 1), F(8));
	RUN("masked_select", F(1, 2, 3), B(0, 1, 1));
	GIVES(0, DT_FLOAT32, 2, 3);
	RUN("nonzero", matrix(f, DT_FLOAT32, 2, 2, (double[]){ 0, NAN, 1, 0 }));
	GIVES(0, DT_INT64, 0, 1, 1, 0);
	RUN("nonzero_static", I(1, 0, 2), INT(3), INT(-7));
	GIVES(0, DT_INT64, 0, 2, -7);
}

static void test_embedding(struct fixture *f)
{
	struct datum table = matrix(f, DT_FLOAT32, 3, 2, (double[]){ 0, 1, 2, 3, 4, 5 });
	RUN("embedding", table, I(2, 0));
	GIVES(0, DT_FLOAT32, 4, 5, 0, 1);
	FAILS("embedding", table, I(3));
	RUN("_embedding_bag", table, I(0, 1, 2, 0), I(0, 0, 3), NO, INT(1), NO, datum_none(), NO, INT(0));
	GIVES(0, DT_FLOAT32, 0, 0, 3, 4, 0, 0);
	GIVES(1, DT_INT64, 1, 1, 1, 2);
	GIVES(2, DT_INT64, 0, 2, 0);
	RUN("_embedding_bag", table, I(0, 1, 2, 0), I(0, 0, 3), NO, INT(2));
	GIVES(0, DT_FLOAT32, 0, 0, 4, 5, 0, 1);
	GIVES(3, DT_INT64, 0, 0, 2, 2, 0, 0);
	FAILS("_embedding_bag", table, I(0, 1), I(0, 3));
	RUN("embedding_renorm_", table, I(1, 1), datum_float(1), datum_float(2));
	GIVES(0, DT_FLOAT32, 0, 1, .5547, .8321, 4, 5);
}

static void run_test(const char *name, void (*test)(struct fixture *f))
{
	static struct fixture f;
	set_up(&f);
	bool done = setjmp(f.end) == 0 && (test(&f), true);
	tap(tear_down(&f) && done, "%s", name);
}

int main(void)
{
	static const struct {
		const char *name;
		void (*run)(struct fixture *f);
	} tests[] = {
#define TEST(name) { #name, test_##name }
		TEST(sums), TEST(zero_stays_zero), TEST(extremes), TEST(histogram), TEST(softmax), TEST(ties), TEST(heap), TEST(sort),
		TEST(unique), TEST(scatter), TEST(index), TEST(put_in_place), TEST(masks), TEST(embedding),
	};
	for (size_t i = 0; i < sizeof tests / sizeof *tests; i++)
		run_test(tests[i].name, tests[i].run);
	return tap_end();
}
