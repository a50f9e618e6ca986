/*
 * Element-wise operators of one tensor (aten/src/ATen/native/UnaryOps.cpp).
 * Which of them turn integers into floating point follows
 * build_borrowing_unary_float_op() there.
 */
#include "ops/op.h"
#include "ops/shapes.h"

static enum dtype real_part(enum dtype d)
{
	return d == DT_COMPLEX64 ? DT_FLOAT32 : d == DT_COMPLEX128 ? DT_FLOAT64 : d;
}

/* The magnitude of a complex number is real. */
static bool shape_abs(struct op_call *c)
{
	struct value *self = op_tensor(c, "self");
	if (self->dtype == DT_BOOL)
		return op_fail(c, "is not defined for bool tensors");
	return op_out_pointwise(c, real_part(self->dtype), &self, 1) != NULL;
}

static bool shape_angle(struct op_call *c)
{
	struct value *self = op_tensor(c, "self");
	enum dtype d = dtype_can_require_grad(self->dtype) ? real_part(self->dtype) : DT_FLOAT32;
	return op_out_pointwise(c, d, &self, 1) != NULL;
}

/* Negation and rounding: any type but bool. */
static bool shape_number(struct op_call *c)
{
	struct value *self = op_tensor(c, "self");
	if (self->dtype == DT_BOOL)
		return op_fail(c, "is not defined for bool tensors");
	return shape_pointwise(c);
}

static bool shape_bitwise_not(struct op_call *c)
{
	struct value *self = op_tensor(c, "self");
	if (dtype_can_require_grad(self->dtype))
		return op_fail(c, "is not defined for %s", dtype_name(self->dtype));
	return c->op->inplace ? shape_inplace(c) : shape_pointwise(c);
}

enum { MAX_ORDER = 1 << 20 };    /* of the multivariate log-gamma function */

static bool shape_mvlgamma(struct op_call *c)
{
	struct value *self = op_tensor(c, "self");
	if (self->dtype == DT_BOOL)
		return op_fail(c, "the input tensor may not be a boolean tensor");
	int64_t p = op_int(c, "p", 1);
	if (p < 1 || p > MAX_ORDER)          /* PyTorch makes a tensor of p times the elements */
		return op_fail(c, "p must be from 1 to %d, got %lld", MAX_ORDER, (long long)p);
	return c->op->inplace ? shape_float_inplace(c) : op_out(c, as_float(self->dtype), self->ndim, self->size) != NULL;
}

/* Mantissa and a 32-bit exponent. */
static bool shape_frexp(struct op_call *c)
{
	struct value *self = op_tensor(c, "self");
	if (!dtype_is_float(self->dtype))
		return op_fail(c, "expected a floating-point tensor, got %s", dtype_name(self->dtype));
	return op_out_pointwise(c, self->dtype, &self, 1) && op_out_pointwise(c, DT_INT32, &self, 1);
}

/* The conjugate is a view with a flag. */
static bool shape_conj_view(struct op_call *c)
{
	struct value *self = op_tensor(c, "self");
	if (!is_complex(self))
		return op_fail(c, "is not defined for %s", dtype_name(self->dtype));
	return op_out_view(c, self, self->ndim, self->size, self->stride, self->offset) != NULL;
}

/* ---- Rows ---- */

const struct op_rule unary_rules[] = {
	/* one tensor, its type kept */
	{ .name = "neg", .shape = shape_number },
	{ .name = "sign", .shape = shape_pointwise },
	{ .name = "ceil", .shape = shape_number },
	{ .name = "floor", .shape = shape_number },
	{ .name = "trunc", .shape = shape_number },
	{ .name = "round", .shape = shape_number },
	{ .name = "round.decimals", .shape = shape_float_only },
	{ .name = "bitwise_not", .shape = shape_bitwise_not },
	{ .name = "nan_to_num", .shape = shape_pointwise },
	{ .name = "_conj_physical", .shape = shape_pointwise },
	{ .name = "conj_physical", .parts = "return aten._conj_physical(self) if self.is_complex() else self" },
	{ .name = "sgn", .shape = shape_pointwise },
	{ .name = "frac", .shape = shape_float_only },
	{ .name = "neg_", .shape = shape_inplace },
	{ .name = "sign_", .shape = shape_inplace },
	{ .name = "ceil_", .shape = shape_inplace },
	{ .name = "floor_", .shape = shape_inplace },
	{ .name = "trunc_", .shape = shape_inplace },
	{ .name = "round_", .shape = shape_inplace },
	{ .name = "round_.decimals", .shape = shape_float_inplace },
	{ .name = "bitwise_not_", .shape = shape_bitwise_not },
	{ .name = "nan_to_num_", .shape = shape_inplace },
	{ .name = "conj_physical_", .shape = shape_inplace },
	{ .name = "sgn_", .shape = shape_inplace },
	{ .name = "frac_", .shape = shape_float_inplace },
	{ .name = "abs", .shape = shape_abs },
	{ .name = "abs_", .shape = shape_inplace },
	{ .name = "angle", .shape = shape_angle },
	{ .name = "_conj", .shape = shape_conj_view },

	/* one tensor; integers become floating point */
	{ .name = "acos", .shape = shape_pointwise_float },
	{ .name = "acosh", .shape = shape_pointwise_float },
	{ .name = "asin", .shape = shape_pointwise_float },
	{ .name = "asinh", .shape = shape_pointwise_float },
	{ .name = "atan", .shape = shape_pointwise_float },
	{ .name = "atanh", .shape = shape_pointwise_float },
	{ .name = "cos", .shape = shape_pointwise_float },
	{ .name = "cosh", .shape = shape_pointwise_float },
	{ .name = "sin", .shape = shape_pointwise_float },
	{ .name = "sinh", .shape = shape_pointwise_float },
	{ .name = "tan", .shape = shape_pointwise_float },
	{ .name = "tanh", .kind = OP_ACTIVATION, .shape = shape_pointwise_float },
	{ .name = "exp", .shape = shape_pointwise_float },
	{ .name = "exp2", .shape = shape_pointwise_float },
	{ .name = "expm1", .shape = shape_pointwise_float },
	{ .name = "log", .shape = shape_pointwise_float },
	{ .name = "log10", .shape = shape_pointwise_float },
	{ .name = "log1p", .shape = shape_pointwise_float },
	{ .name = "log2", .shape = shape_pointwise_float },
	{ .name = "sqrt", .shape = shape_pointwise_float },
	{ .name = "rsqrt", .shape = shape_pointwise_float },
	{ .name = "reciprocal", .shape = shape_pointwise_float },
	{ .name = "erf", .shape = shape_pointwise_float },
	{ .name = "erfc", .shape = shape_pointwise_float },
	{ .name = "erfinv", .shape = shape_pointwise_float },
	{ .name = "lgamma", .shape = shape_pointwise_float },
	{ .name = "digamma", .shape = shape_pointwise_float },
	{ .name = "i0", .shape = shape_pointwise_float },
	{ .name = "sinc", .shape = shape_pointwise_float },
	{ .name = "sigmoid", .kind = OP_ACTIVATION, .shape = shape_pointwise_float },
	{ .name = "logit", .shape = shape_pointwise_float },
	{ .name = "deg2rad", .shape = shape_pointwise_float },
	{ .name = "rad2deg", .shape = shape_pointwise_float },
	{ .name = "acos_", .shape = shape_float_inplace },
	{ .name = "acosh_", .shape = shape_float_inplace },
	{ .name = "asin_", .shape = shape_float_inplace },
	{ .name = "asinh_", .shape = shape_float_inplace },
	{ .name = "atan_", .shape = shape_float_inplace },
	{ .name = "atanh_", .shape = shape_float_inplace },
	{ .name = "cos_", .shape = shape_float_inplace },
	{ .name = "cosh_", .shape = shape_float_inplace },
	{ .name = "sin_", .shape = shape_float_inplace },
	{ .name = "sinh_", .shape = shape_float_inplace },
	{ .name = "tan_", .shape = shape_float_inplace },
	{ .name = "tanh_", .kind = OP_ACTIVATION, .shape = shape_float_inplace },
	{ .name = "exp_", .shape = shape_float_inplace },
	{ .name = "exp2_", .shape = shape_float_inplace },
	{ .name = "expm1_", .shape = shape_float_inplace },
	{ .name = "log_", .shape = shape_float_inplace },
	{ .name = "log10_", .shape = shape_float_inplace },
	{ .name = "log1p_", .shape = shape_float_inplace },
	{ .name = "log2_", .shape = shape_float_inplace },
	{ .name = "sqrt_", .shape = shape_float_inplace },
	{ .name = "rsqrt_", .shape = shape_float_inplace },
	{ .name = "reciprocal_", .shape = shape_float_inplace },
	{ .name = "erf_", .shape = shape_float_inplace },
	{ .name = "erfc_", .shape = shape_float_inplace },
	{ .name = "erfinv_", .shape = shape_float_inplace },
	{ .name = "lgamma_", .shape = shape_float_inplace },
	{ .name = "digamma_", .shape = shape_float_inplace },
	{ .name = "i0_", .shape = shape_float_inplace },
	{ .name = "sinc_", .shape = shape_float_inplace },
	{ .name = "sigmoid_", .kind = OP_ACTIVATION, .shape = shape_float_inplace },
	{ .name = "logit_", .shape = shape_float_inplace },
	{ .name = "deg2rad_", .shape = shape_float_inplace },
	{ .name = "rad2deg_", .shape = shape_float_inplace },
	{ .name = "polygamma", .shape = shape_pointwise_float },
	{ .name = "mvlgamma", .shape = shape_mvlgamma },
	{ .name = "polygamma_", .shape = shape_float_inplace },
	{ .name = "mvlgamma_", .shape = shape_mvlgamma },
	{ .name = "special_entr", .shape = shape_pointwise_float },
	{ .name = "special_ndtri", .shape = shape_pointwise_float },
	{ .name = "special_log_ndtr", .shape = shape_pointwise_float },
	{ .name = "special_erfcx", .shape = shape_pointwise_float },
	{ .name = "special_i0e", .shape = shape_pointwise_float },
	{ .name = "special_i1", .shape = shape_pointwise_float },
	{ .name = "special_i1e", .shape = shape_pointwise_float },
	{ .name = "special_airy_ai", .shape = shape_pointwise_float },
	{ .name = "special_bessel_j0", .shape = shape_pointwise_float },
	{ .name = "special_bessel_j1", .shape = shape_pointwise_float },
	{ .name = "special_bessel_y0", .shape = shape_pointwise_float },
	{ .name = "special_bessel_y1", .shape = shape_pointwise_float },
	{ .name = "special_modified_bessel_i0", .shape = shape_pointwise_float },
	{ .name = "special_modified_bessel_i1", .shape = shape_pointwise_float },
	{ .name = "special_modified_bessel_k0", .shape = shape_pointwise_float },
	{ .name = "special_modified_bessel_k1", .shape = shape_pointwise_float },
	{ .name = "special_scaled_modified_bessel_k0", .shape = shape_pointwise_float },
	{ .name = "special_scaled_modified_bessel_k1", .shape = shape_pointwise_float },
	{ .name = "special_spherical_bessel_j0", .shape = shape_pointwise_float },
	{ .name = "frexp.Tensor", .shape = shape_frexp },

	/* one tensor, a truth value */
	{ .name = "logical_not", .shape = shape_pointwise_bool },
	{ .name = "isnan", .shape = shape_pointwise_bool },
	{ .name = "isinf", .shape = shape_pointwise_bool },
	{ .name = "isposinf", .shape = shape_pointwise_bool },
	{ .name = "isneginf", .shape = shape_pointwise_bool },
	{ .name = "signbit", .shape = shape_pointwise_bool },
	{ .name = "logical_not_", .shape = shape_inplace },

	/* composites (UnaryOps.cpp) */
	{ .name = "square", .parts = "return aten.pow.Tensor_Scalar(self, 2)" },
	{ .name = "square_", .parts = "return aten.pow_.Scalar(self, 2)" },
	{ .name = "positive", .parts =
		"if self.dtype == torch.bool:\n"
		"    raise ValueError('The `+` operator, on a bool tensor is not supported.')\n"
		"return self" },
	{ .name = "conj", .parts = "return aten._conj(self) if self.is_complex() else self" },
	{ .name = "resolve_conj", .parts = "return self" },
	{ .name = "resolve_neg", .parts = "return self" },
	{ .name = "real", .parts = "return aten.select.int(aten.view_as_real(self), self.dim(), 0) if self.is_complex() else self" },
	{ .name = "imag", .parts = "return aten.select.int(aten.view_as_real(self), self.dim(), 1)" },
	{ .name = "special_ndtr", .parts = "x = aten.mul.Scalar(self, 0.7071067811865476)\nreturn aten.mul.Scalar(aten.add.Scalar(aten.erf(x), 1), 0.5)" },
	{ .name = "special_round", .parts = "return aten.round.decimals(self, decimals=decimals)" },
	{ .name = "isreal", .parts = "return aten.eq.Scalar(aten.imag(self), 0) if self.is_complex() else aten.ones_like(self, dtype=torch.bool)" },
	{ .name = "isfinite", .parts =
		"if not (self.is_floating_point() or self.is_complex()):\n"
		"    return aten.ones_like(self, dtype=torch.bool)\n"
		"finite = aten.ne.Scalar(aten.abs(self), math.inf)\n"
		"return aten.mul.Tensor(aten.eq.Tensor(self, self), finite)" },
	{ 0 },
};
