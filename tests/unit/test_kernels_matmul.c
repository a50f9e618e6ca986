/*
 * Kernels called by hand: products, joins, padding, losses and solvers, with
 * values that PyTorch computed, and arguments that must be refused with one
 * clear error.  Writes TAP.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "exec/kernel.h"
#include "ops/op.h"
#include "tap.h"

enum { MAX_CALL = 6, MAX_OUT = 4 };

/* A tensor is {rows, columns, values...} of float32, or of int64 as INDICES; rows of -1 make a vector. */
struct argument {
	const char *name;
	enum { TENSOR, TENSORS, INT, INTS, REAL, INDICES } kind;
	int n;
	const double *v;
};
#define NUMBERS(...) (int)(sizeof((double[]){ __VA_ARGS__ }) / sizeof(double)), (const double[]){ __VA_ARGS__ }

struct test {
	const char *op;
	struct argument args[MAX_CALL];
	int n;                           /* -1: must fail */
	const double *want;              /* the first output */
};
#define WANT(...) .n = (int)(sizeof((double[]){ __VA_ARGS__ }) / sizeof(double)), .want = (const double[]){ __VA_ARGS__ }
#define FAILS .n = -1

static const struct test tests[] = {
	{ "mm", { { "self", TENSOR, NUMBERS(2, 2, 1, 2, 3, 4) }, { "mat2", TENSOR, NUMBERS(2, 1, 5, 6) } }, WANT(17, 39) },
	{ "mm", { { "self", TENSOR, NUMBERS(2, 0) }, { "mat2", TENSOR, NUMBERS(0, 1) } }, WANT(0, 0) },
	{ "mm", { { "self", TENSOR, NUMBERS(2, 2, 1, 2, 3, 4) }, { "mat2", TENSOR, NUMBERS(1, 2, 5, 6) } }, FAILS },
	{ "mm", { { "self", TENSOR, NUMBERS(2, 2, 1, 2, 3, 4) }, { "mat2", INDICES, NUMBERS(2, 1, 5, 6) } }, FAILS },
	{ "mm", { { "self", TENSOR, NUMBERS(-1, 2, 1, 2) }, { "mat2", TENSOR, NUMBERS(2, 1, 5, 6) } }, FAILS },
	{ "addmm", { { "self", TENSOR, NUMBERS(-1, 1, (double)NAN) }, { "mat1", TENSOR, NUMBERS(2, 2, 1, 2, 3, 4) },
	             { "mat2", TENSOR, NUMBERS(2, 1, 5, 6) }, { "beta", INT, NUMBERS(0) }, { "alpha", REAL, NUMBERS(0.5) } }, WANT(8.5, 19.5) },
	{ "addmm", { { "self", TENSOR, NUMBERS(-1, 1, 2) }, { "mat1", TENSOR, NUMBERS(2, 0) }, { "mat2", TENSOR, NUMBERS(0, 1) },
	             { "beta", INT, NUMBERS(3) }, { "alpha", INT, NUMBERS(1) } }, WANT(6, 6) },
	{ "addmm", { { "self", TENSOR, NUMBERS(-1, 3, 1, 1, 1) }, { "mat1", TENSOR, NUMBERS(2, 1, 1, 2) }, { "mat2", TENSOR, NUMBERS(1, 2, 5, 6) } }, FAILS },
	{ "dot", { { "self", INDICES, NUMBERS(-1, 2, 3, 4) }, { "tensor", INDICES, NUMBERS(-1, 2, 5, 6) } }, WANT(39) },
	{ "dot", { { "self", TENSOR, NUMBERS(-1, 2, 3, 4) }, { "tensor", TENSOR, NUMBERS(-1, 1, 5) } }, FAILS },
	{ "mv", { { "self", TENSOR, NUMBERS(2, 2, 1, 2, 3, 4) }, { "vec", TENSOR, NUMBERS(-1, 2, 1, 1) } }, WANT(3, 7) },
	{ "linalg_cross", { { "self", TENSOR, NUMBERS(-1, 3, 1, 0, 0) }, { "other", TENSOR, NUMBERS(-1, 3, 0, 1, 0) }, { "dim", INT, NUMBERS(-1) } }, WANT(0, 0, 1) },
	{ "linalg_cross", { { "self", TENSOR, NUMBERS(-1, 2, 1, 0) }, { "other", TENSOR, NUMBERS(-1, 2, 0, 1) }, { "dim", INT, NUMBERS(-1) } }, FAILS },

	{ "cat", { { "tensors", TENSORS, NUMBERS(1, 2, 3, 4) }, { "dim", INT, NUMBERS(1) } }, WANT(1, 2, 3, 4, 1, 2, 3, 4) },
	{ "cat", { { "tensors", TENSORS, NUMBERS(1, 2, 3, 4) }, { "dim", INT, NUMBERS(2) } }, FAILS },
	{ "flip", { { "self", TENSOR, NUMBERS(2, 2, 1, 2, 3, 4) }, { "dims", INTS, NUMBERS(-1) } }, WANT(2, 1, 4, 3) },
	{ "flip", { { "self", TENSOR, NUMBERS(2, 2, 1, 2, 3, 4) }, { "dims", INTS, NUMBERS(5) } }, FAILS },
	{ "roll", { { "self", TENSOR, NUMBERS(2, 2, 1, 2, 3, 4) }, { "shifts", INTS, NUMBERS(1) }, { "dims", INTS, 0, NULL } }, WANT(4, 1, 2, 3) },
	{ "repeat", { { "self", TENSOR, NUMBERS(-1, 2, 1, 2) }, { "repeats", INTS, NUMBERS(2, 2) } }, WANT(1, 2, 1, 2, 1, 2, 1, 2) },
	{ "repeat", { { "self", TENSOR, NUMBERS(-1, 2, 1, 2) }, { "repeats", INTS, NUMBERS(-1) } }, FAILS },
	{ "tril", { { "self", TENSOR, NUMBERS(2, 2, 1, 2, 3, 4) }, { "diagonal", INT, NUMBERS(-1) } }, WANT(0, 0, 3, 0) },
	{ "select_scatter", { { "self", TENSOR, NUMBERS(2, 2, 1, 2, 3, 4) }, { "src", TENSOR, NUMBERS(-1, 2, 8, 9) },
	                      { "dim", INT, NUMBERS(1) }, { "index", INT, NUMBERS(-1) } }, WANT(1, 8, 3, 9) },
	{ "select_scatter", { { "self", TENSOR, NUMBERS(2, 2, 1, 2, 3, 4) }, { "src", TENSOR, NUMBERS(-1, 2, 8, 9) },
	                      { "dim", INT, NUMBERS(1) }, { "index", INT, NUMBERS(2) } }, FAILS },
	{ "as_strided_scatter", { { "self", TENSOR, NUMBERS(2, 2, 1, 2, 3, 4) }, { "src", TENSOR, NUMBERS(-1, 2, 8, 9) },
	                          { "size", INTS, NUMBERS(2) }, { "stride", INTS, NUMBERS(4) } }, FAILS },

	{ "arange.start_step", { { "start", INT, NUMBERS(5) }, { "end", INT, NUMBERS(0) }, { "step", INT, NUMBERS(-2) } }, WANT(5, 3, 1) },
	{ "arange.start_step", { { "start", INT, NUMBERS(5) }, { "end", INT, NUMBERS(0) }, { "step", INT, NUMBERS(0) } }, FAILS },
	{ "linspace", { { "start", INT, NUMBERS(0) }, { "end", INT, NUMBERS(1) }, { "steps", INT, NUMBERS(3) } }, WANT(0, 0.5, 1) },
	{ "linspace", { { "start", INT, NUMBERS(0) }, { "end", INT, NUMBERS(1) }, { "steps", INT, NUMBERS(-3) } }, FAILS },
	{ "zeros", { { "size", INTS, NUMBERS(-2) } }, FAILS },
	{ "hann_window", { { "window_length", INT, NUMBERS(4) } }, WANT(0, 0.5, 1, 0.5) },

	{ "reflection_pad1d", { { "self", TENSOR, NUMBERS(1, 3, 1, 2, 3) }, { "padding", INTS, NUMBERS(2, 1) } }, WANT(3, 2, 1, 2, 3, 2) },
	{ "reflection_pad1d", { { "self", TENSOR, NUMBERS(1, 3, 1, 2, 3) }, { "padding", INTS, NUMBERS(3, 1) } }, FAILS },
	{ "replication_pad1d", { { "self", TENSOR, NUMBERS(1, 3, 1, 2, 3) }, { "padding", INTS, NUMBERS(-1, 2) } }, WANT(2, 3, 3, 3) },
	{ "constant_pad_nd", { { "self", TENSOR, NUMBERS(-1, 2, 1, 2) }, { "pad", INTS, NUMBERS(1, -1) }, { "value", INT, NUMBERS(7) } }, WANT(7, 1) },
	{ "constant_pad_nd", { { "self", TENSOR, NUMBERS(-1, 2, 1, 2) }, { "pad", INTS, NUMBERS(1) }, { "value", INT, NUMBERS(7) } }, FAILS },
	{ "constant_pad_nd", { { "self", TENSOR, NUMBERS(-1, 2, 1, 2) }, { "pad", INTS, NUMBERS(-3, 4) }, { "value", INT, NUMBERS(7) } }, FAILS },

	{ "mse_loss", { { "self", TENSOR, NUMBERS(-1, 2, 1, 2) }, { "target", TENSOR, NUMBERS(-1, 2, 3, 5) }, { "reduction", INT, NUMBERS(1) } }, WANT(6.5) },
	{ "nll_loss_forward", { { "self", TENSOR, NUMBERS(2, 2, -1, -2, -3, -4) }, { "target", INDICES, NUMBERS(-1, 2, 1, 0) },
	                        { "reduction", INT, NUMBERS(2) }, { "ignore_index", INT, NUMBERS(-100) } }, WANT(5) },
	{ "nll_loss_forward", { { "self", TENSOR, NUMBERS(2, 2, -1, -2, -3, -4) }, { "target", INDICES, NUMBERS(-1, 2, 1, 2) },
	                        { "reduction", INT, NUMBERS(2) }, { "ignore_index", INT, NUMBERS(-100) } }, FAILS },
	{ "binary_cross_entropy", { { "self", TENSOR, NUMBERS(-1, 1, 1.5) }, { "target", TENSOR, NUMBERS(-1, 1, 1) } }, FAILS },

	{ "linalg_qr", { { "A", TENSOR, NUMBERS(2, 2, 3, 1, 4, 2) } }, WANT(-0.6, -0.8, -0.8, 0.6) },
	{ "linalg_inv_ex", { { "A", TENSOR, NUMBERS(2, 2, 1, 2, 3, 4) } }, WANT(-2, 1, 1.5, -0.5) },
	{ "linalg_inv_ex", { { "A", TENSOR, NUMBERS(2, 1, 1, 2) } }, FAILS },
	{ "linalg_inv_ex", { { "A", TENSOR, NUMBERS(2, 2, 1, 1, 1, 1) }, { "check_errors", INT, NUMBERS(1) } }, FAILS },
	{ "_linalg_det", { { "A", TENSOR, NUMBERS(2, 2, 1, 2, 3, 4) } }, WANT(-2) },
	{ "cholesky", { { "self", TENSOR, NUMBERS(2, 2, 1, 2, 2, 1) } }, FAILS },
	{ "_linalg_eigh", { { "A", TENSOR, NUMBERS(2, 2, 2, 1, 1, 2) } }, WANT(1, 3) },
};

static struct tensor *tensor_make(struct kernel_call *k, const struct argument *a)
{
	int64_t size[2] = { (int64_t)a->v[0], (int64_t)a->v[1] };
	int ndim = a->v[0] == -1 ? 1 : 2;
	struct tensor *t = temporary(k, a->kind == INDICES ? DT_INT64 : DT_FLOAT32, ndim, ndim == 1 ? size + 1 : size);
	if (t)
		tensor_from_doubles(t, a->v + 2);
	return t;
}

/* [2, 2] twice */
static struct datum list_make(struct kernel_call *k, const struct argument *a)
{
	double v[6] = { 1, 4 };
	struct datum d = { .kind = D_NONE };
	memcpy(v + 2, a->v, 4 * sizeof *v);
	struct argument one = { .kind = TENSOR, .n = 6, .v = v };
	if (!datum_seq(k->arena, D_LIST, 0, &d))
		return d;
	for (int i = 0; i < 2; i++)
		seq_push(k->arena, d.u.seq, (struct datum){ .kind = D_TENSOR, .u.p = tensor_make(k, &one) });
	return d;
}

static struct datum argument_make(struct kernel_call *k, const struct argument *a)
{
	struct datum d = { .kind = D_NONE };
	int64_t ints[MAX_CALL];
	switch (a->kind) {
	case INT: return (struct datum){ .kind = D_INT, .u.i = (int64_t)a->v[0] };
	case REAL: return (struct datum){ .kind = D_FLOAT, .u.f = a->v[0] };
	case TENSORS: return list_make(k, a);
	case INTS:
		for (int i = 0; i < a->n; i++)
			ints[i] = (int64_t)a->v[i];
		datum_ints(k->arena, D_LIST, ints, (size_t)a->n, &d);
		return d;
	default: return (struct datum){ .kind = D_TENSOR, .u.p = tensor_make(k, a) };
	}
}

/* What is wrong, or NULL. */
static const char *compare(const struct kernel_call *k, const struct test *t)
{
	double *v = k->n_outputs ? calloc((size_t)tensor_numel(k->outputs[0]) + 1, sizeof *v) : NULL;
	const char *problem = NULL;
	if (!v)
		return "there is no output";
	if (tensor_numel(k->outputs[0]) != t->n)
		problem = "the output has another size";
	tensor_to_doubles(k->outputs[0], v);
	for (int i = 0; i < t->n && !problem; i++)
		if (!(fabs(v[i] - t->want[i]) <= 1e-6 * (1 + fabs(t->want[i]))))
			problem = "a value differs";
	free(v);
	return problem;
}

static const char *run(struct arena *a, struct optable *ops, const struct test *t)
{
	nns_error err = { 0 };
	struct heap heap = { 0 };
	const struct op *op = optable_get(ops, t->op, &err);
	const struct kernel_row *row = op ? kernel_find(op) : NULL;
	struct datum *args = row ? arena_array(a, (size_t)op->n_args, sizeof *args) : NULL;
	struct kernel_call k = { .op = op, .args = args, .heap = &heap, .arena = a, .threads = 1, .err = &err };
	if (!args)
		return "there is no kernel";
	for (int i = 0; i < op->n_args; i++)
		args[i] = op->args[i].has_default ? op->args[i].fallback : (struct datum){ .kind = D_NONE };
	for (int i = 0; i < MAX_CALL && t->args[i].name; i++) {
		int at = op_arg_index(op, t->args[i].name);
		if (at < 0)
			return "there is no such argument";
		args[at] = argument_make(&k, &t->args[i]);
	}
	bool ok = kernel_run(&k, row);
	const char *problem = t->n < 0 ? (ok ? "it did not fail" : err.message[0] ? NULL : "the error says nothing") : ok ? compare(&k, t) : err.message;
	if (problem)
		printf("# %s\n", problem);
	for (size_t i = 0; i < k.n_outputs; i++)
		storage_drop(k.outputs[i]->storage);
	kernel_release(&k);
	return problem ? "wrong" : heap.used ? "memory is left" : NULL;
}

int main(void)
{
	nns_error err = { 0 };
	struct arena *a = arena_new(NULL, &err);
	struct optable *ops = a ? optable_new(a, &err) : NULL;
	if (!ops)
		tap_bail("%s", err.message);
	for (size_t i = 0; i < sizeof tests / sizeof *tests; i++) {
		const char *problem = run(a, ops, &tests[i]);
		tap(!problem, "%s%s%s%s", tests[i].op, tests[i].n < 0 ? " refuses" : "", problem ? ": " : "", problem ? problem : "");
	}
	arena_free(a);
	return tap_end();
}
