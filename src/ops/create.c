/*
 * Operators that make tensors, fill them, draw random numbers, and copy from
 * one type or layout into another (aten/src/ATen/native/{TensorFactories,
 * RangeFactories,Distributions,TensorConversions,Copy,Fill}.cpp).
 */
#include <math.h>
#include <string.h>

#include "ops/op.h"
#include "ops/shapes.h"

/* ---- From sizes ---- */

static bool out_sized(struct op_call *c, enum dtype d, const char *sizes)
{
	int n;
	const int64_t *size = op_ints(c, sizes, &n);
	return op_out_format(c, d, n, size, op_memory_format(c, "memory_format", FORMAT_CONTIGUOUS)) != NULL;
}

static bool shape_sized(struct op_call *c)
{
	return out_sized(c, op_dtype(c, "dtype", DT_FLOAT32), "size");
}

static bool shape_sized_long(struct op_call *c)
{
	return out_sized(c, op_dtype(c, "dtype", DT_INT64), "size");
}

/* The type of a Python number: bool, int64, or the default type (infer_full_options). */
static enum dtype number_type(struct op_call *c, const char *name)
{
	int i = op_arg_index(c->op, name);
	enum datum_kind kind = i < 0 ? D_FLOAT : c->args[i].kind;
	return kind == D_BOOL ? DT_BOOL : kind == D_INT ? DT_INT64 : DT_FLOAT32;
}

static bool shape_full(struct op_call *c)
{
	return out_sized(c, op_dtype(c, "dtype", number_type(c, "fill_value")), "size");
}

static bool shape_new(struct op_call *c)
{
	return out_sized(c, op_dtype(c, "dtype", op_tensor(c, "self")->dtype), "size");
}

static bool shape_sized_strided(struct op_call *c)
{
	struct value *self = op_tensor(c, "self");
	int n, m;
	const int64_t *size = op_ints(c, "size", &n), *stride = op_ints(c, "stride", &m);
	if (n != m)
		return op_fail(c, "%d sizes but %d strides", n, m);
	return op_out_strided(c, op_dtype(c, "dtype", self ? self->dtype : DT_FLOAT32), n, size, stride) != NULL;
}

/* The strides of a contiguous tensor whose dimensions lie in memory in the order of physical_layout. */
static bool shape_sized_permuted(struct op_call *c)
{
	int n, m, d;
	const int64_t *size = op_ints(c, "size", &n), *order = op_ints(c, "physical_layout", &m);
	int64_t stride[MAX_DIMS], next = 1;
	if (n != m || n > MAX_DIMS)
		return op_fail(c, "%d sizes but a layout of %d dimensions", n, m);
	memset(stride, 0, sizeof stride);
	for (int i = n - 1; i >= 0; i--) {
		if (!op_dim(c, order[i], n, &d))
			return false;
		stride[d] = next;
		if (__builtin_mul_overflow(next, size[d] > 1 ? size[d] : 1, &next))
			return op_fail(c, "the result has more elements than can be counted");
	}
	return op_out_strided(c, op_dtype(c, "dtype", DT_FLOAT32), n, size, stride) != NULL;
}

/* ---- Like another tensor ---- */

static bool shape_like(struct op_call *c)
{
	struct value *self = first_tensor(c);
	return self && out_in_format(c, self, op_dtype(c, "dtype", self->dtype), op_memory_format(c, "memory_format", FORMAT_PRESERVE));
}

/* Uniform and normal numbers are floating point. */
static bool shape_like_float(struct op_call *c)
{
	struct value *self = op_tensor(c, "self");
	enum dtype d = op_dtype(c, "dtype", self->dtype);
	if (!dtype_can_require_grad(d))
		return op_fail(c, "is not defined for %s", dtype_name(d));
	return shape_like(c);
}

/* ---- Sequences ---- */

static bool all_ints(struct op_call *c, const char *const *names, int n)
{
	for (int i = 0; i < n; i++) {
		int k = op_arg_index(c->op, names[i]);
		if (k >= 0 && !datum_is_int(c->args[k]))
			return false;
	}
	return true;
}

/* ceil((end - start) / step) numbers, counted in integers when all three are. */
static bool counted(struct op_call *c, bool inclusive)
{
	static const char *const names[] = { "start", "end", "step" };
	double start = op_float(c, "start", 0), end = op_float(c, "end", 0), step = op_float(c, "step", 1);
	bool whole = all_ints(c, names, 3);
	enum dtype d = op_dtype(c, "dtype", whole && !inclusive ? DT_INT64 : DT_FLOAT32);
	if (step == 0 || !isfinite(start) || !isfinite(end) || !isfinite(step))
		return op_fail(c, step == 0 ? "step must be nonzero" : "unsupported range: %g -> %g", start, end);
	if ((step > 0 && end < start) || (step < 0 && end > start))
		return op_fail(c, "upper bound and lower bound inconsistent with step sign: %g to %g by %g", start, end, step);
	double count = inclusive ? floor((end - start) / step) + 1 : ceil((end - start) / step);
	if (count > 4e18)
		return op_fail(c, "the result has more elements than can be counted");
	int64_t n = (int64_t)count;
	return op_out(c, d, 1, &n) != NULL;
}

static bool shape_arange(struct op_call *c)
{
	return counted(c, false);
}

static bool shape_range(struct op_call *c)
{
	return counted(c, true);
}

static bool shape_linspace(struct op_call *c)
{
	int64_t n = op_int(c, "steps", 0);
	struct value *start = op_tensor(c, "start"), *end = op_tensor(c, "end");
	if (n < 0)
		return op_fail(c, "number of steps must be non-negative");
	if ((start && start->ndim > 0) || (end && end->ndim > 0))
		return op_fail(c, "only supports 0-dimensional start and end tensors");
	return op_out(c, op_dtype(c, "dtype", DT_FLOAT32), 1, &n) != NULL;
}

static bool shape_eye(struct op_call *c)
{
	int64_t size[2] = { op_int(c, "n", 0), op_int(c, "m", op_int(c, "n", 0)) };
	return op_out(c, op_dtype(c, "dtype", DT_FLOAT32), 2, size) != NULL;
}

static bool shape_scalar_tensor(struct op_call *c)
{
	return op_out(c, op_dtype(c, "dtype", DT_FLOAT32), 0, NULL) != NULL;
}

static bool shape_randperm(struct op_call *c)
{
	int64_t n = op_int(c, "n", 0);
	return op_out(c, op_dtype(c, "dtype", DT_INT64), 1, &n) != NULL;
}

/* Places on and below diagonal `offset` of row x col: row i has min(i + 1 + offset, col) of them. */
static int64_t below_diagonal(int64_t row, int64_t col, int64_t offset)
{
	int64_t first = offset < 0 ? -offset : 0;              /* the first row that has any */
	int64_t full = col - offset - 1;                       /* from this row on all col */
	if (row <= first || col <= 0)
		return 0;
	if (full < first)
		full = first;
	int64_t slope = (row < full ? row : full) - first, start = first + 1 + offset;
	int64_t n = slope > 0 ? slope * start + slope * (slope - 1) / 2 : 0;
	return row > full ? n + (row - full) * col : n;
}

static bool triangle_indices(struct op_call *c, bool lower)
{
	int64_t row = op_int(c, "row", 0), col = op_int(c, "col", 0), offset = op_int(c, "offset", 0), most = (int64_t)1 << 30;
	if (row < 0 || col < 0 || row > most || col > most || offset > most || offset < -most)
		return op_fail(c, "row and col must be non-negative and not too large, got %lld and %lld", (long long)row, (long long)col);
	int64_t size[2] = { 2, 0 };
	if (lower)
		size[1] = below_diagonal(row, col, offset);
	else
		size[1] = row * col - below_diagonal(row, col, offset - 1);
	return op_out(c, op_dtype(c, "dtype", DT_INT64), 2, size) != NULL;
}

static bool shape_tril_indices(struct op_call *c)
{
	return triangle_indices(c, true);
}

static bool shape_triu_indices(struct op_call *c)
{
	return triangle_indices(c, false);
}

static bool shape_window(struct op_call *c)
{
	int64_t n = op_int(c, "window_length", 0);
	if (n < 0)
		return op_fail(c, "requires non-negative window_length, got %lld", (long long)n);
	return op_out(c, op_dtype(c, "dtype", DT_FLOAT32), 1, &n) != NULL;
}

static bool shape_fftfreq(struct op_call *c)
{
	int64_t n = op_int(c, "n", 0);
	return op_out(c, op_dtype(c, "dtype", DT_FLOAT32), 1, &n) != NULL;
}

static bool shape_rfftfreq(struct op_call *c)
{
	int64_t n = op_int(c, "n", 0) / 2 + 1;
	return op_out(c, op_dtype(c, "dtype", DT_FLOAT32), 1, &n) != NULL;
}

/* ---- Random numbers ---- */

/* normal(mean, std): sizes of both, broadcast; contiguous. */
static bool shape_normal(struct op_call *c)
{
	struct value *mean = op_tensor(c, "mean"), *std = op_tensor(c, "std"), *one = mean ? mean : std;
	int n;
	int64_t size[MAX_DIMS];
	if (!mean || !std)
		return op_out(c, one->dtype, one->ndim, one->size) != NULL;
	return op_broadcast(c, mean->ndim, mean->size, std->ndim, std->size, &n, size) && op_out(c, mean->dtype, n, size);
}

static bool shape_multinomial(struct op_call *c)
{
	struct value *self = op_tensor(c, "self");
	int64_t n = op_int(c, "num_samples", 1), size[2];
	if (self->ndim != 1 && self->ndim != 2)
		return op_fail(c, "prob_dist must be 1 or 2 dim, got %V", self);
	if (n <= 0 || (!op_bool(c, "replacement", false) && n > self->size[self->ndim - 1]))
		return op_fail(c, "cannot sample %lld of %lld categories", (long long)n, (long long)self->size[self->ndim - 1]);
	size[0] = self->size[0];
	size[self->ndim - 1] = n;
	return op_out(c, DT_INT64, self->ndim, size) != NULL;
}

static bool shape_binomial(struct op_call *c)
{
	struct value *in[2] = { op_tensor(c, "count"), op_tensor(c, "prob") };
	return op_out_pointwise(c, in[0]->dtype, in, 2) != NULL;
}

/* ---- Copies ---- */

/* A copy takes any type, and broadcasts. */
static bool shape_copy_inplace(struct op_call *c)
{
	struct value *self = op_tensor(c, "self"), *src = op_tensor(c, "src");
	int n;
	int64_t size[MAX_DIMS];
	if (src->ndim < 0 || self->ndim < 0)
		return shape_written(c);
	if (!op_broadcast(c, self->ndim, self->size, src->ndim, src->size, &n, size) || !sizes_equal(self, n, size))
		return op_fail(c, "source %V cannot be broadcast to %V", src, self);
	return shape_written(c);
}

/* A check at run time: nothing comes out. */
static bool shape_nothing(struct op_call *c)
{
	return op_return(c, datum_none());
}

static bool shape_resize(struct op_call *c)
{
	return op_fail(c, "changes the storage of a tensor, which nnscope does not follow");
}

/* ---- Rows ---- */

const struct op_rule create_rules[] = {
	{ .name = "zeros", .shape = shape_sized },
	{ .name = "ones", .shape = shape_sized },
	{ .name = "empty.memory_format", .shape = shape_sized },
	{ .name = "rand", .shape = shape_sized },
	{ .name = "rand.generator", .shape = shape_sized },
	{ .name = "randn", .shape = shape_sized },
	{ .name = "randn.generator", .shape = shape_sized },
	{ .name = "normal.float_float", .shape = shape_sized },
	{ .name = "_efficientzerotensor", .shape = shape_sized },
	{ .name = "randint", .shape = shape_sized_long },
	{ .name = "randint.generator", .shape = shape_sized_long },
	{ .name = "randint.low", .shape = shape_sized_long },
	{ .name = "randint.low_generator", .shape = shape_sized_long },
	{ .name = "full", .shape = shape_full },
	{ .name = "new_zeros", .shape = shape_new },
	{ .name = "new_ones", .shape = shape_new },
	{ .name = "new_empty", .shape = shape_new },
	{ .name = "new_full", .shape = shape_new },
	{ .name = "new_empty_strided", .shape = shape_sized_strided },
	{ .name = "empty_strided", .shape = shape_sized_strided },
	{ .name = "empty_permuted", .shape = shape_sized_permuted },

	{ .name = "zeros_like", .shape = shape_like },
	{ .name = "ones_like", .shape = shape_like },
	{ .name = "empty_like", .shape = shape_like },
	{ .name = "full_like", .shape = shape_like },
	{ .name = "rand_like", .shape = shape_like_float },
	{ .name = "randn_like", .shape = shape_like_float },
	{ .name = "randint_like", .shape = shape_like },
	{ .name = "randint_like.low_dtype", .shape = shape_like },

	{ .name = "arange", .shape = shape_arange },
	{ .name = "arange.start", .shape = shape_arange },
	{ .name = "arange.start_step", .shape = shape_arange },
	{ .name = "range", .shape = shape_range },
	{ .name = "range.step", .shape = shape_range },
	{ .name = "linspace", .shape = shape_linspace },
	{ .name = "linspace.Tensor_Tensor", .shape = shape_linspace },
	{ .name = "linspace.Tensor_Scalar", .shape = shape_linspace },
	{ .name = "linspace.Scalar_Tensor", .shape = shape_linspace },
	{ .name = "logspace", .shape = shape_linspace },
	{ .name = "logspace.Tensor_Tensor", .shape = shape_linspace },
	{ .name = "logspace.Tensor_Scalar", .shape = shape_linspace },
	{ .name = "logspace.Scalar_Tensor", .shape = shape_linspace },
	{ .name = "eye", .shape = shape_eye },
	{ .name = "eye.m", .shape = shape_eye },
	{ .name = "scalar_tensor", .shape = shape_scalar_tensor },
	{ .name = "randperm", .shape = shape_randperm },
	{ .name = "randperm.generator", .shape = shape_randperm },
	{ .name = "tril_indices", .shape = shape_tril_indices },
	{ .name = "triu_indices", .shape = shape_triu_indices },
	{ .name = "bartlett_window", .shape = shape_window },
	{ .name = "bartlett_window.periodic", .shape = shape_window },
	{ .name = "blackman_window", .shape = shape_window },
	{ .name = "blackman_window.periodic", .shape = shape_window },
	{ .name = "hann_window", .shape = shape_window },
	{ .name = "hann_window.periodic", .shape = shape_window },
	{ .name = "hamming_window", .shape = shape_window },
	{ .name = "hamming_window.periodic", .shape = shape_window },
	{ .name = "hamming_window.periodic_alpha", .shape = shape_window },
	{ .name = "hamming_window.periodic_alpha_beta", .shape = shape_window },
	{ .name = "kaiser_window", .shape = shape_window },
	{ .name = "kaiser_window.periodic", .shape = shape_window },
	{ .name = "kaiser_window.beta", .shape = shape_window },
	{ .name = "fft_fftfreq", .shape = shape_fftfreq },
	{ .name = "fft_rfftfreq", .shape = shape_rfftfreq },

	{ .name = "bernoulli", .shape = shape_same_contiguous },
	{ .name = "bernoulli.p", .shape = shape_same_contiguous },
	{ .name = "bernoulli.Tensor", .shape = shape_same },
	{ .name = "bernoulli_.Tensor", .shape = shape_inplace },
	{ .name = "bernoulli_.float", .shape = shape_written },
	{ .name = "uniform_", .shape = shape_written },
	{ .name = "normal_", .shape = shape_written },
	{ .name = "_nns_trunc_normal_", .shape = shape_written },
	{ .name = "exponential_", .shape = shape_written },
	{ .name = "cauchy_", .shape = shape_written },
	{ .name = "log_normal_", .shape = shape_written },
	{ .name = "geometric_", .shape = shape_written },
	{ .name = "random_", .shape = shape_written },
	{ .name = "random_.from", .shape = shape_written },
	{ .name = "random_.to", .shape = shape_written },
	{ .name = "uniform", .shape = shape_same },
	{ .name = "normal_functional", .shape = shape_same },
	{ .name = "exponential", .shape = shape_same },
	{ .name = "normal.Tensor_float", .shape = shape_normal },
	{ .name = "normal.float_Tensor", .shape = shape_normal },
	{ .name = "normal.Tensor_Tensor", .shape = shape_normal },
	{ .name = "multinomial", .shape = shape_multinomial },
	{ .name = "binomial", .shape = shape_binomial },
	{ .name = "poisson", .shape = shape_same_contiguous },

	{ .name = "clone", .shape = shape_like },
	{ .name = "_to_copy", .shape = shape_like },
	{ .name = "lift_fresh_copy", .shape = shape_same },
	{ .name = "alias_copy", .shape = shape_same },
	{ .name = "detach_copy", .shape = shape_same },
	{ .name = "copy", .shape = shape_same },
	{ .name = "copy_", .shape = shape_copy_inplace },
	{ .name = "fill.Scalar", .shape = shape_same },
	{ .name = "fill.Tensor", .shape = shape_same },
	{ .name = "fill_.Scalar", .shape = shape_written },
	{ .name = "fill_.Tensor", .shape = shape_written },
	{ .name = "zero", .shape = shape_same },
	{ .name = "zero_", .shape = shape_written },
	{ .name = "_assert_async", .shape = shape_nothing },
	{ .name = "_assert_async.msg", .shape = shape_nothing },
	{ .name = "_assert_scalar", .shape = shape_nothing },
	{ .name = "_assert_tensor_metadata", .shape = shape_nothing },
	{ .name = "resize_", .shape = shape_resize },
	{ .name = "resize_as_", .shape = shape_resize },
	{ .name = "set_", .shape = shape_resize },
	{ .name = "set_.source_Tensor", .shape = shape_resize },

	/* composites: a conversion to what self already is returns self (to_will_alias in TensorConversions.cpp) */
	{ .name = "to.dtype_layout", .parts =
		"d = self.dtype if dtype is None else dtype\n"
		"if not copy and d == self.dtype and self._suggests(memory_format):\n"
		"    return self\n"
		"return aten._to_copy(self, dtype=d, memory_format=memory_format)" },
	{ .name = "to.dtype", .parts =
		"if not copy and dtype == self.dtype and self._suggests(memory_format):\n"
		"    return self\n"
		"return aten._to_copy(self, dtype=dtype, memory_format=memory_format)" },
	{ .name = "to.device", .parts =
		"if not copy and dtype == self.dtype and self._suggests(memory_format):\n"
		"    return self\n"
		"return aten._to_copy(self, dtype=dtype, memory_format=memory_format)" },
	{ .name = "to.other", .parts =
		"if not copy and other.dtype == self.dtype and self._suggests(memory_format):\n"
		"    return self\n"
		"return aten._to_copy(self, dtype=other.dtype, memory_format=memory_format)" },
	{ .name = "type_as", .parts = "return self if self.dtype == other.dtype else aten._to_copy(self, dtype=other.dtype)" },
	{ .name = "contiguous", .parts =
		"if self.is_contiguous(memory_format=memory_format):\n"
		"    return self\n"
		"return aten.clone(self, memory_format=torch.contiguous_format if memory_format is None else memory_format)" },
	{ .name = "_cast_Float", .parts = "return aten.to.dtype(self, torch.float32)" },
	{ .name = "_cast_Double", .parts = "return aten.to.dtype(self, torch.float64)" },
	{ .name = "_cast_Half", .parts = "return aten.to.dtype(self, torch.float16)" },
	{ .name = "_cast_Long", .parts = "return aten.to.dtype(self, torch.int64)" },
	{ .name = "_cast_Int", .parts = "return aten.to.dtype(self, torch.int32)" },
	{ .name = "_cast_Byte", .parts = "return aten.to.dtype(self, torch.uint8)" },
	{ .name = "_cast_Char", .parts = "return aten.to.dtype(self, torch.int8)" },
	{ .name = "_cast_Short", .parts = "return aten.to.dtype(self, torch.int16)" },
	{ .name = "fill_diagonal_", .parts =
		"if self.dim() < 2:\n"
		"    raise ValueError('dimensions must larger than 1')\n"
		"step = 0\n"
		"for d in range(self.dim()):\n"
		"    step = step + self.stride(d)\n"
		"size = min(self.shape)\n"
		"if wrap and self.dim() == 2 and self.size(0) > self.size(1) + 1:\n"
		"    size = (self.numel() + step - 1) // step\n"
		"aten.fill_.Scalar(aten.as_strided(self, [size], [step]), fill_value)\n"
		"return self" },
	{ 0 },
};
