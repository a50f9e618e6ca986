/*
 * Reference kernels: what an operator means, in plain C.  A kernel reads its
 * arguments by their name in the schema and makes its outputs, with a shape
 * worked out from the tensors it was given and not from what was inferred
 * while tracing; so comparing both proves the inference.
 *
 * Outputs, scratch memory and everything else a kernel gets here belong to
 * the call; a kernel frees nothing.  Every function returns NULL or false
 * after setting the call's error.
 */
#ifndef EXEC_KERNEL_H
#define EXEC_KERNEL_H

#include "exec/tensor.h"
#include "ops/op.h"

struct generator;

struct kernel_call {
	const struct op *op;
	const struct kernel_row *row;
	const struct datum *args;        /* op->n_args; a D_TENSOR is a struct tensor * */
	struct heap *heap;
	struct arena *arena;             /* tensors of the run */
	struct generator *generator;
	int threads;
	bool unread;                     /* nobody will read what an operator that fills its argument puts there: only its draws count */
	nns_error *err;
	struct tensor **outputs; size_t n_outputs, cap_outputs;
	/* private */
	struct scratch *scratch;
};

typedef bool kernel_fn(struct kernel_call *k);
/* Element-wise: n results from one array per operand; p are the scalars. */
typedef void real_fn(double *out, const double *const *in, int64_t n, const double *p);
/* The same over pairs of doubles, which are complex numbers. */
typedef void pair_fn(double *out, const double *const *in, int64_t n, const double *p);
typedef void whole_fn(int64_t *out, const int64_t *const *in, int64_t n, const int64_t *p);

/*
 * A row: an operator of its base name ("add", all overloads) or with one overload ("max.dim"), which goes first.  An in-place
 * operator without a row of its own runs the row without the underscore, and the result is written to its argument.
 * Element-wise operators need no run(): the type of their result is `result` of the operands named, comma between.
 */
struct kernel_row {
	const char *name;
	int variant;                     /* what a function tells its rows apart by: dimensions, or an enum of its file */
	kernel_fn *run;
	real_fn *real;                   /* for floating-point operands */
	real_fn *narrow;                 /* for those below float64, where rounding in between shows; NULL: real, rounded once */
	whole_fn *whole;                 /* for integers and bool; NULL: computed as real */
	pair_fn *pairs;                  /* for complex numbers (exec/pairs.h); NULL: no kernel */
	bool real_of_pairs;              /* of complex numbers the result is real: abs() */
	const char *operands;            /* tensors or numbers: "self,other"; NULL: "self" */
	const char *scalars;             /* become p[0], p[1], ...: "alpha"; None is NaN in p of real, 0 in p of whole */
	bool wide_scalars;               /* what has no dimensions keeps float32 beside tensors of half precision (opmath) */
	bool fills;                      /* in place: every element is written, and none was read */
	bool whole_view;                 /* the result is its argument, all of it */
	const char *writes;              /* arguments that it writes and the schema does not say so */
	enum { RESULT_PROMOTED, RESULT_FLOAT, RESULT_BOOL, RESULT_FIRST } result;
	/* Of run(), for planning memory: its tensors as doubles, what is not float32 row by row as such, or nothing. */
	enum kernel_scratch { SCRATCH_DOUBLES, SCRATCH_OWN_TYPE, SCRATCH_NONE } scratch;
};

/* A family file ends with its rows: const struct kernel_row conv_kernels[] = { ..., { 0 } }; */
#define KERNEL_FAMILY(family) extern const struct kernel_row family##_kernels[];
#include "exec/kernels.def"
#undef KERNEL_FAMILY

const struct kernel_row *kernel_find(const struct op *op); /* NULL: none */
/* Whether the row is a view, which in place changes the shape of its argument. */
bool kernel_reshapes(const struct kernel_row *row);
/* Runs op; for an in-place operator the output is its argument. */
bool kernel_run(struct kernel_call *k, const struct kernel_row *row);
void kernel_release(struct kernel_call *k);              /* scratch memory; the outputs stay */
bool kernel_fail(struct kernel_call *k, const char *fmt, ...) PRINTF_LIKE(2, 3);

/* ---- Arguments ---- */

struct tensor *arg_tensor(struct kernel_call *k, const char *name);      /* NULL when None, without an error */
/* The same; a number becomes a tensor without dimensions that promotes as a number. */
struct tensor *arg_operand(struct kernel_call *k, const char *name);
int64_t arg_int(struct kernel_call *k, const char *name, int64_t none);
double arg_real(struct kernel_call *k, const char *name, double none);
bool arg_bool(struct kernel_call *k, const char *name, bool none);
const char *arg_str(struct kernel_call *k, const char *name);            /* NULL when None */
enum dtype arg_dtype(struct kernel_call *k, const char *name, enum dtype none);
bool arg_is_none(struct kernel_call *k, const char *name);
/* Items of a list, -1 when None; a single int comes as often as int[N] says. */
int arg_count(struct kernel_call *k, const char *name);
/* NULL: no memory, the error is set and *n 0. */
const int64_t *arg_ints(struct kernel_call *k, const char *name, int *n);
const double *arg_reals(struct kernel_call *k, const char *name, int *n); /* float[]; *n = -1 when None */
struct tensor **arg_tensors(struct kernel_call *k, const char *name, int *n); /* items may be NULL */
/* A dimension argument made positive; false when out of range.  A tensor without dimensions has one. */
bool arg_dim(struct kernel_call *k, const char *name, int ndim, int *dim);
/* Marks the dimensions of an int list; all when it is None or empty. */
bool arg_dims(struct kernel_call *k, const char *name, int ndim, bool *marked);

/* ---- Memory and contents ---- */

void *scratch_alloc(struct kernel_call *k, int64_t n, size_t size);      /* n * size bytes, zeroed */
/* Whether kernels can read its elements; an error when not. */
bool kernel_reads(struct kernel_call *k, const struct tensor *t);
/* All elements, row by row: the tensor's own memory when it is that already, or a copy. */
const double *doubles_of(struct kernel_call *k, const struct tensor *t);
const float *floats_of(struct kernel_call *k, const struct tensor *t);
const int64_t *ints_of(struct kernel_call *k, const struct tensor *t);

/* ---- Outputs, in the order that the operator returns them ---- */

struct tensor *out_new(struct kernel_call *k, enum dtype dtype, int ndim, const int64_t *size);
struct tensor *out_strided(struct kernel_call *k, enum dtype dtype, int ndim, const int64_t *size, const int64_t *stride);
/* t's sizes, and its strides when it is dense (torch.empty_like). */
struct tensor *out_like(struct kernel_call *k, const struct tensor *t, enum dtype dtype);
/* A view of t's storage. */
struct tensor *out_view(struct kernel_call *k, const struct tensor *t, int ndim, const int64_t *size, const int64_t *stride, int64_t offset);
bool out_same(struct kernel_call *k, struct tensor *t);                  /* t itself */
/* Room for all elements, row by row, zeroed; written to t when the kernel has returned true. */
double *doubles_for(struct kernel_call *k, struct tensor *t);
float *floats_for(struct kernel_call *k, struct tensor *t);
int64_t *ints_for(struct kernel_call *k, struct tensor *t);
/* A tensor for the kernel's own use. */
struct tensor *temporary(struct kernel_call *k, enum dtype dtype, int ndim, const int64_t *size);

/* ---- Shapes ---- */

/* float32 for integers and bool, d otherwise. */
enum dtype dtype_as_float(enum dtype d);
/* torch.result_type: tensors with dimensions, those without, and numbers weigh differently (TypeProperties.cpp). */
enum dtype tensors_result_type(struct tensor *const *t, int n);
bool broadcast_shapes(struct kernel_call *k, struct tensor *const *t, int n, int *ndim, int64_t *size);
/* Strides of a new element-wise result (TensorIterator). */
void pointwise_strides(struct tensor *const *t, int n, int ndim, const int64_t *size, int64_t *stride);
/* product of the sizes [from, to) */
int64_t sizes_product(const int64_t *size, int from, int to);

/* Whether to can be written while the operands are read: each of its elements has a place of its own, and none shares it partly (MemoryOverlap.cpp). */
bool can_overwrite(struct kernel_call *k, const struct tensor *to, struct tensor *const *operands, int n);
/* Runs an element-wise row: its operands, its result. */
bool kernel_pointwise(struct kernel_call *k, const struct kernel_row *row);
/* Runs its function over the operands given into out; common is the type that they are converted to and computed in. */
bool pointwise_run(struct kernel_call *k, const struct kernel_row *row, struct tensor *out, struct tensor *const *in, int n, enum dtype common);

/* ---- Threads ---- */

/* Calls work(from, to, data) over [0, n) in pieces, on k->threads threads when n is worth it (at least 2 * grain). */
void in_parallel(struct kernel_call *k, int64_t n, int64_t grain, void (*work)(int64_t from, int64_t to, void *data), void *data);

#endif
