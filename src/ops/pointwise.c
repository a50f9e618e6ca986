/*
 * Element-wise operators of two and three tensors
 * (aten/src/ATen/native/{BinaryOps,PointwiseOps,TensorCompare,Lerp,Pow}.cpp).
 */
#include <string.h>

#include "ops/op.h"
#include "ops/shapes.h"

/* ---- Two tensors ---- */

static bool shape_sub(struct op_call *c)
{
	struct value *self = op_tensor(c, "self"), *other = op_tensor(c, "other");
	if (self->dtype == DT_BOOL && other && other->dtype == DT_BOOL)
		return op_fail(c, "subtraction of two bool tensors is not defined; use ^ or logical_xor()");
	return shape_pointwise(c);
}

/* Bit operations and gcd: neither floating point nor complex. */
static bool shape_integers(struct op_call *c)
{
	if (!shape_pointwise(c))
		return false;
	enum dtype d = c->outputs[0]->dtype;
	if (dtype_can_require_grad(d))
		return op_fail(c, "is not defined for %s", dtype_name(d));
	return true;
}

/* An integer to the power of a negative number would not be an integer. */
static bool shape_pow(struct op_call *c)
{
	if (!shape_pointwise(c))
		return false;
	const struct datum *e = &c->args[1];
	if (c->outputs[0]->dtype == DT_BOOL)
		return op_fail(c, "is not defined for bool");
	if (datum_is_int(*e) && datum_as_int(*e) < 0 && !dtype_can_require_grad(c->outputs[0]->dtype))
		return op_fail(c, "integers to negative integer powers are not allowed");
	return true;
}

static bool shape_heaviside(struct op_call *c)
{
	struct value *self = op_tensor(c, "self"), *values = op_tensor(c, "values");
	if (self->dtype != values->dtype)
		return op_fail(c, "tensors of different types, %s and %s", dtype_name(self->dtype), dtype_name(values->dtype));
	return shape_pointwise(c);
}

/* True division without a rounding mode; with one, integers stay integers. */
static bool shape_div_mode(struct op_call *c)
{
	const char *mode = op_str(c, "rounding_mode");
	if (!mode)
		return shape_pointwise_float(c);
	if (strcmp(mode, "floor") != 0 && strcmp(mode, "trunc") != 0)
		return op_fail(c, "expected rounding_mode to be one of None, 'trunc', or 'floor' but found '%s'", mode);
	return shape_pointwise(c);
}

static bool shape_isin(struct op_call *c)
{
	struct value *elements = op_tensor(c, "elements");
	return op_out(c, DT_BOOL, elements->ndim, elements->size) != NULL;
}

static bool shape_isin_scalar(struct op_call *c)
{
	return op_out(c, DT_BOOL, 0, NULL) != NULL;
}

/* A Python bool whose value only execution knows. */
static bool shape_equal(struct op_call *c)
{
	return op_fail(c, "the result depends on the values of the tensors, which are not known while tracing");
}

/* ---- Three tensors ---- */

/* value does not take part in promotion. */
static bool shape_addc(struct op_call *c)
{
	struct value *in[3] = { op_tensor(c, "self"), op_tensor(c, "tensor1"), op_tensor(c, "tensor2") };
	return op_out_pointwise(c, op_result_type(c, in, 3), in, 3) != NULL;
}

static bool shape_addcdiv(struct op_call *c)
{
	if (!dtype_can_require_grad(op_tensor(c, "tensor1")->dtype) && !dtype_can_require_grad(op_tensor(c, "tensor2")->dtype))
		return op_fail(c, "integer division is not supported");
	return shape_addc(c);
}

static bool shape_clamp(struct op_call *c)
{
	static const char *const limits[] = { "min", "max" };
	bool any = false;
	for (int i = 0; i < 2; i++)
		any = any || (op_arg_index(c->op, limits[i]) >= 0 && !op_is_none(c, limits[i]));
	if (!any)
		return op_fail(c, "at least one of min or max must not be None");
	return shape_pointwise(c);
}

static bool shape_lerp(struct op_call *c)
{
	struct value *in[3] = { op_tensor(c, "self"), op_tensor(c, "end"), op_tensor(c, "weight") };
	if (in[0]->dtype != in[1]->dtype)
		return op_fail(c, "expected %s for end, got %s", dtype_name(in[0]->dtype), dtype_name(in[1]->dtype));
	if (in[2] && in[2]->ndim > 0 && in[2]->dtype != in[0]->dtype)
		return op_fail(c, "expected %s for weight, got %s", dtype_name(in[0]->dtype), dtype_name(in[2]->dtype));
	if (!dtype_can_require_grad(in[0]->dtype))
		return op_fail(c, "is not defined for %s", dtype_name(in[0]->dtype));
	return op_out_pointwise(c, in[0]->dtype, in, 3) != NULL;
}

static bool shape_where(struct op_call *c)
{
	struct value *in[3] = { op_tensor(c, "condition"), op_tensor(c, "self"), op_tensor(c, "other") };
	if (in[0]->dtype != DT_BOOL && in[0]->dtype != DT_UINT8)
		return op_fail(c, "expected condition to be a boolean tensor, but got a tensor with dtype %s", dtype_name(in[0]->dtype));
	return op_out_pointwise(c, op_result_type(c, in + 1, 2), in, 3) != NULL;
}

static bool shape_complex(struct op_call *c)
{
	struct value *a = op_tensor(c, c->op->args[0].name), *b = op_tensor(c, c->op->args[1].name), *in[2] = { a, b };
	if (a->dtype != b->dtype || (a->dtype != DT_FLOAT32 && a->dtype != DT_FLOAT64))
		return op_fail(c, "expected both to be float32 or float64, got %s and %s", dtype_name(a->dtype), dtype_name(b->dtype));
	return op_out_pointwise(c, a->dtype == DT_FLOAT64 ? DT_COMPLEX128 : DT_COMPLEX64, in, 2) != NULL;
}

/* ---- In place: the result must fit into self ---- */

static bool write_addc(struct op_call *c)
{
	return shape_addc(c) && write_result(c);
}

static bool write_addcdiv(struct op_call *c)
{
	return shape_addcdiv(c) && write_result(c);
}

static bool write_clamp(struct op_call *c)
{
	return shape_clamp(c) && write_result(c);
}

static bool write_div_mode(struct op_call *c)
{
	return shape_div_mode(c) && write_result(c);
}

static bool write_float_only(struct op_call *c)
{
	return shape_float_only(c) && write_result(c);
}

static bool write_heaviside(struct op_call *c)
{
	return shape_heaviside(c) && write_result(c);
}

static bool write_integers(struct op_call *c)
{
	return shape_integers(c) && write_result(c);
}

static bool write_lerp(struct op_call *c)
{
	return shape_lerp(c) && write_result(c);
}

static bool write_pointwise(struct op_call *c)
{
	return shape_pointwise(c) && write_result(c);
}

static bool write_pointwise_bool(struct op_call *c)
{
	return shape_pointwise_bool(c) && write_result(c);
}

static bool write_pointwise_float(struct op_call *c)
{
	return shape_pointwise_float(c) && write_result(c);
}

static bool write_pow(struct op_call *c)
{
	return shape_pow(c) && write_result(c);
}

static bool write_sub(struct op_call *c)
{
	return shape_sub(c) && write_result(c);
}

/* ---- Rows ---- */

#define WIDE_BASE \
	"if self.dtype != torch.float64 and self.dtype != torch.complex128:\n" \
	"    raise ValueError(f'the base given to float_power_ has dtype {self.dtype} but the operation\\'s result requires dtype torch.float64')\n"


const struct op_rule pointwise_rules[] = {
	/* two tensors */
	{ .name = "add.Tensor", .shape = shape_pointwise },
	{ .name = "add.Scalar", .shape = shape_pointwise },
	{ .name = "sub.Tensor", .shape = shape_sub },
	{ .name = "sub.Scalar", .shape = shape_sub },
	{ .name = "rsub.Tensor", .shape = shape_sub },
	{ .name = "rsub.Scalar", .shape = shape_sub },
	{ .name = "mul.Tensor", .shape = shape_pointwise },
	{ .name = "mul.Scalar", .shape = shape_pointwise },
	{ .name = "remainder.Tensor", .shape = shape_pointwise },
	{ .name = "remainder.Scalar", .shape = shape_pointwise },
	{ .name = "fmod.Tensor", .shape = shape_pointwise },
	{ .name = "fmod.Scalar", .shape = shape_pointwise },
	{ .name = "floor_divide", .shape = shape_pointwise },
	{ .name = "floor_divide.Scalar", .shape = shape_pointwise },
	{ .name = "pow.Tensor_Tensor", .shape = shape_pow },
	{ .name = "pow.Tensor_Scalar", .shape = shape_pow },
	{ .name = "pow.Scalar", .shape = shape_pow },
	{ .name = "maximum", .shape = shape_pointwise },
	{ .name = "minimum", .shape = shape_pointwise },
	{ .name = "fmax", .shape = shape_pointwise },
	{ .name = "fmin", .shape = shape_pointwise },
	{ .name = "hypot", .shape = shape_float_only },
	{ .name = "gcd", .shape = shape_integers },
	{ .name = "lcm", .shape = shape_integers },
	{ .name = "nextafter", .shape = shape_float_only },
	{ .name = "heaviside", .shape = shape_heaviside },
	{ .name = "logaddexp", .shape = shape_float_only },
	{ .name = "logaddexp2", .shape = shape_float_only },
	{ .name = "igamma", .shape = shape_float_only },
	{ .name = "igammac", .shape = shape_float_only },
	{ .name = "bitwise_and.Tensor", .shape = shape_integers },
	{ .name = "bitwise_and.Scalar", .shape = shape_integers },
	{ .name = "bitwise_or.Tensor", .shape = shape_integers },
	{ .name = "bitwise_or.Scalar", .shape = shape_integers },
	{ .name = "bitwise_xor.Tensor", .shape = shape_integers },
	{ .name = "bitwise_xor.Scalar", .shape = shape_integers },
	{ .name = "bitwise_left_shift.Tensor", .shape = shape_integers },
	{ .name = "bitwise_left_shift.Tensor_Scalar", .shape = shape_integers },
	{ .name = "bitwise_right_shift.Tensor", .shape = shape_integers },
	{ .name = "bitwise_right_shift.Tensor_Scalar", .shape = shape_integers },
	{ .name = "remainder.Scalar_Tensor", .shape = shape_pointwise },
	{ .name = "bitwise_and.Scalar_Tensor", .shape = shape_integers },
	{ .name = "bitwise_or.Scalar_Tensor", .shape = shape_integers },
	{ .name = "bitwise_xor.Scalar_Tensor", .shape = shape_integers },
	{ .name = "bitwise_left_shift.Scalar_Tensor", .shape = shape_integers },
	{ .name = "bitwise_right_shift.Scalar_Tensor", .shape = shape_integers },
	{ .name = "add_.Tensor", .shape = write_pointwise },
	{ .name = "add_.Scalar", .shape = write_pointwise },
	{ .name = "sub_.Tensor", .shape = write_sub },
	{ .name = "sub_.Scalar", .shape = write_sub },
	{ .name = "mul_.Tensor", .shape = write_pointwise },
	{ .name = "mul_.Scalar", .shape = write_pointwise },
	{ .name = "remainder_.Tensor", .shape = write_pointwise },
	{ .name = "remainder_.Scalar", .shape = write_pointwise },
	{ .name = "fmod_.Tensor", .shape = write_pointwise },
	{ .name = "fmod_.Scalar", .shape = write_pointwise },
	{ .name = "floor_divide_.Scalar", .shape = write_pointwise },
	{ .name = "hypot_", .shape = write_float_only },
	{ .name = "gcd_", .shape = write_integers },
	{ .name = "lcm_", .shape = write_integers },
	{ .name = "nextafter_", .shape = write_float_only },
	{ .name = "heaviside_", .shape = write_heaviside },
	{ .name = "igamma_", .shape = write_float_only },
	{ .name = "igammac_", .shape = write_float_only },
	{ .name = "bitwise_and_.Tensor", .shape = write_integers },
	{ .name = "bitwise_and_.Scalar", .shape = write_integers },
	{ .name = "bitwise_or_.Tensor", .shape = write_integers },
	{ .name = "bitwise_or_.Scalar", .shape = write_integers },
	{ .name = "bitwise_xor_.Tensor", .shape = write_integers },
	{ .name = "bitwise_xor_.Scalar", .shape = write_integers },
	{ .name = "bitwise_left_shift_.Tensor", .shape = write_integers },
	{ .name = "bitwise_left_shift_.Tensor_Scalar", .shape = write_integers },
	{ .name = "bitwise_right_shift_.Tensor", .shape = write_integers },
	{ .name = "bitwise_right_shift_.Tensor_Scalar", .shape = write_integers },
	{ .name = "floor_divide_.Tensor", .shape = write_pointwise },
	{ .name = "pow_.Scalar", .shape = write_pow },
	{ .name = "pow_.Tensor", .shape = write_pow },

	/* two tensors; integers become floating point */
	{ .name = "div.Tensor", .shape = shape_pointwise_float },
	{ .name = "div.Scalar", .shape = shape_pointwise_float },
	{ .name = "atan2", .shape = shape_pointwise_float },
	{ .name = "copysign.Tensor", .shape = shape_pointwise_float },
	{ .name = "copysign.Scalar", .shape = shape_pointwise_float },
	{ .name = "xlogy.Tensor", .shape = shape_pointwise_float },
	{ .name = "xlogy.Scalar_Other", .shape = shape_pointwise_float },
	{ .name = "xlogy.Scalar_Self", .shape = shape_pointwise_float },
	{ .name = "special_xlog1py", .shape = shape_pointwise_float },
	{ .name = "special_xlog1py.self_scalar", .shape = shape_pointwise_float },
	{ .name = "special_xlog1py.other_scalar", .shape = shape_pointwise_float },
	{ .name = "special_zeta", .shape = shape_pointwise_float },
	{ .name = "special_zeta.self_scalar", .shape = shape_pointwise_float },
	{ .name = "special_zeta.other_scalar", .shape = shape_pointwise_float },
	{ .name = "div_.Tensor", .shape = write_pointwise_float },
	{ .name = "div_.Scalar", .shape = write_pointwise_float },
	{ .name = "atan2_", .shape = write_pointwise_float },
	{ .name = "copysign_.Tensor", .shape = write_pointwise_float },
	{ .name = "copysign_.Scalar", .shape = write_pointwise_float },
	{ .name = "xlogy_.Tensor", .shape = write_pointwise_float },
	{ .name = "xlogy_.Scalar_Other", .shape = write_pointwise_float },
	{ .name = "special_chebyshev_polynomial_t", .shape = shape_pointwise_float },
	{ .name = "special_chebyshev_polynomial_t.n_scalar", .shape = shape_pointwise_float },
	{ .name = "special_chebyshev_polynomial_t.x_scalar", .shape = shape_pointwise_float },
	{ .name = "special_chebyshev_polynomial_u", .shape = shape_pointwise_float },
	{ .name = "special_chebyshev_polynomial_u.n_scalar", .shape = shape_pointwise_float },
	{ .name = "special_chebyshev_polynomial_u.x_scalar", .shape = shape_pointwise_float },
	{ .name = "special_chebyshev_polynomial_v", .shape = shape_pointwise_float },
	{ .name = "special_chebyshev_polynomial_v.n_scalar", .shape = shape_pointwise_float },
	{ .name = "special_chebyshev_polynomial_v.x_scalar", .shape = shape_pointwise_float },
	{ .name = "special_chebyshev_polynomial_w", .shape = shape_pointwise_float },
	{ .name = "special_chebyshev_polynomial_w.n_scalar", .shape = shape_pointwise_float },
	{ .name = "special_chebyshev_polynomial_w.x_scalar", .shape = shape_pointwise_float },
	{ .name = "special_hermite_polynomial_h", .shape = shape_pointwise_float },
	{ .name = "special_hermite_polynomial_h.n_scalar", .shape = shape_pointwise_float },
	{ .name = "special_hermite_polynomial_h.x_scalar", .shape = shape_pointwise_float },
	{ .name = "special_hermite_polynomial_he", .shape = shape_pointwise_float },
	{ .name = "special_hermite_polynomial_he.n_scalar", .shape = shape_pointwise_float },
	{ .name = "special_hermite_polynomial_he.x_scalar", .shape = shape_pointwise_float },
	{ .name = "special_laguerre_polynomial_l", .shape = shape_pointwise_float },
	{ .name = "special_laguerre_polynomial_l.n_scalar", .shape = shape_pointwise_float },
	{ .name = "special_laguerre_polynomial_l.x_scalar", .shape = shape_pointwise_float },
	{ .name = "special_legendre_polynomial_p", .shape = shape_pointwise_float },
	{ .name = "special_legendre_polynomial_p.n_scalar", .shape = shape_pointwise_float },
	{ .name = "special_legendre_polynomial_p.x_scalar", .shape = shape_pointwise_float },
	{ .name = "special_shifted_chebyshev_polynomial_t", .shape = shape_pointwise_float },
	{ .name = "special_shifted_chebyshev_polynomial_t.n_scalar", .shape = shape_pointwise_float },
	{ .name = "special_shifted_chebyshev_polynomial_t.x_scalar", .shape = shape_pointwise_float },
	{ .name = "special_shifted_chebyshev_polynomial_u", .shape = shape_pointwise_float },
	{ .name = "special_shifted_chebyshev_polynomial_u.n_scalar", .shape = shape_pointwise_float },
	{ .name = "special_shifted_chebyshev_polynomial_u.x_scalar", .shape = shape_pointwise_float },
	{ .name = "special_shifted_chebyshev_polynomial_v", .shape = shape_pointwise_float },
	{ .name = "special_shifted_chebyshev_polynomial_v.n_scalar", .shape = shape_pointwise_float },
	{ .name = "special_shifted_chebyshev_polynomial_v.x_scalar", .shape = shape_pointwise_float },
	{ .name = "special_shifted_chebyshev_polynomial_w", .shape = shape_pointwise_float },
	{ .name = "special_shifted_chebyshev_polynomial_w.n_scalar", .shape = shape_pointwise_float },
	{ .name = "special_shifted_chebyshev_polynomial_w.x_scalar", .shape = shape_pointwise_float },
	{ .name = "div.Tensor_mode", .shape = shape_div_mode },
	{ .name = "div.Scalar_mode", .shape = shape_div_mode },
	{ .name = "div_.Tensor_mode", .shape = write_div_mode },
	{ .name = "div_.Scalar_mode", .shape = write_div_mode },
	{ .name = "ldexp.Tensor", .shape = shape_pointwise_float },
	{ .name = "ldexp_", .shape = write_pointwise_float },

	/* two tensors, a truth value */
	{ .name = "eq.Tensor", .shape = shape_pointwise_bool },
	{ .name = "eq.Scalar", .shape = shape_pointwise_bool },
	{ .name = "ne.Tensor", .shape = shape_pointwise_bool },
	{ .name = "ne.Scalar", .shape = shape_pointwise_bool },
	{ .name = "lt.Tensor", .shape = shape_pointwise_bool },
	{ .name = "lt.Scalar", .shape = shape_pointwise_bool },
	{ .name = "le.Tensor", .shape = shape_pointwise_bool },
	{ .name = "le.Scalar", .shape = shape_pointwise_bool },
	{ .name = "gt.Tensor", .shape = shape_pointwise_bool },
	{ .name = "gt.Scalar", .shape = shape_pointwise_bool },
	{ .name = "ge.Tensor", .shape = shape_pointwise_bool },
	{ .name = "ge.Scalar", .shape = shape_pointwise_bool },
	{ .name = "logical_and", .shape = shape_pointwise_bool },
	{ .name = "logical_or", .shape = shape_pointwise_bool },
	{ .name = "logical_xor", .shape = shape_pointwise_bool },
	{ .name = "eq_.Tensor", .shape = write_pointwise_bool },
	{ .name = "eq_.Scalar", .shape = write_pointwise_bool },
	{ .name = "ne_.Tensor", .shape = write_pointwise_bool },
	{ .name = "ne_.Scalar", .shape = write_pointwise_bool },
	{ .name = "lt_.Tensor", .shape = write_pointwise_bool },
	{ .name = "lt_.Scalar", .shape = write_pointwise_bool },
	{ .name = "le_.Tensor", .shape = write_pointwise_bool },
	{ .name = "le_.Scalar", .shape = write_pointwise_bool },
	{ .name = "gt_.Tensor", .shape = write_pointwise_bool },
	{ .name = "gt_.Scalar", .shape = write_pointwise_bool },
	{ .name = "ge_.Tensor", .shape = write_pointwise_bool },
	{ .name = "ge_.Scalar", .shape = write_pointwise_bool },
	{ .name = "logical_and_", .shape = write_pointwise_bool },
	{ .name = "logical_or_", .shape = write_pointwise_bool },
	{ .name = "logical_xor_", .shape = write_pointwise_bool },
	{ .name = "isin.Tensor_Tensor", .shape = shape_isin },
	{ .name = "isin.Tensor_Scalar", .shape = shape_isin },
	{ .name = "isin.Scalar_Tensor", .shape = shape_isin_scalar },
	{ .name = "equal", .shape = shape_equal },
	{ .name = "allclose", .shape = shape_equal },

	/* three tensors */
	{ .name = "addcmul", .shape = shape_addc },
	{ .name = "addcdiv", .shape = shape_addcdiv },
	{ .name = "addcmul_", .shape = write_addc },
	{ .name = "addcdiv_", .shape = write_addcdiv },
	{ .name = "clamp", .shape = shape_clamp },
	{ .name = "clamp.Tensor", .shape = shape_clamp },
	{ .name = "clamp_min", .shape = shape_clamp },
	{ .name = "clamp_min.Tensor", .shape = shape_clamp },
	{ .name = "clamp_max", .shape = shape_clamp },
	{ .name = "clamp_max.Tensor", .shape = shape_clamp },
	{ .name = "clamp_", .shape = write_clamp },
	{ .name = "clamp_.Tensor", .shape = write_clamp },
	{ .name = "clamp_min_", .shape = write_clamp },
	{ .name = "clamp_min_.Tensor", .shape = write_clamp },
	{ .name = "clamp_max_", .shape = write_clamp },
	{ .name = "clamp_max_.Tensor", .shape = write_clamp },
	{ .name = "lerp.Tensor", .shape = shape_lerp },
	{ .name = "lerp.Scalar", .shape = shape_lerp },
	{ .name = "lerp_.Tensor", .shape = write_lerp },
	{ .name = "lerp_.Scalar", .shape = write_lerp },
	{ .name = "where.self", .shape = shape_where },

	/* complex numbers */
	{ .name = "complex", .shape = shape_complex },
	{ .name = "polar", .shape = shape_complex },

	/* composites (BinaryOps.cpp, TensorCompare.cpp, Pow.cpp) */
	{ .name = "max.other", .parts = "return aten.maximum(self, other)" },
	{ .name = "min.other", .parts = "return aten.minimum(self, other)" },
	{ .name = "float_power.Tensor_Scalar", .parts =
		"d = torch.complex128 if self.is_complex() else torch.float64\n"
		"return aten.pow.Tensor_Scalar(aten.to.dtype(self, d), exponent)" },
	{ .name = "float_power.Tensor_Tensor", .parts =
		"d = torch.complex128 if self.is_complex() or exponent.is_complex() else torch.float64\n"
		"return aten.pow.Tensor_Tensor(aten.to.dtype(self, d), aten.to.dtype(exponent, d))" },
	{ .name = "float_power.Scalar", .parts =
		"d = torch.complex128 if exponent.is_complex() else torch.float64\n"
		"return aten.pow.Scalar(self, aten.to.dtype(exponent, d))" },
	{ .name = "float_power_.Scalar", .parts =
		WIDE_BASE
		"return aten.pow_.Scalar(self, exponent)" },
	{ .name = "float_power_.Tensor", .parts =
		WIDE_BASE
		"return aten.pow_.Tensor(self, aten.to.dtype(exponent, torch.float64))" },
	{ .name = "isclose", .parts =
		"if self.dtype != other.dtype:\n"
		"    raise ValueError(f'{self.dtype} did not match {other.dtype}')\n"
		"close = aten.eq.Tensor(self, other)\n"
		"floating = self.is_floating_point() or self.is_complex()\n"
		"if equal_nan and floating:\n"
		"    nan = aten.isnan(self)\n"
		"    close = aten.bitwise_or_.Tensor(close, aten.bitwise_and.Tensor(nan, aten.isnan(other)))\n"
		"if rtol == 0 and atol == 0:\n"
		"    return close\n"
		"a = aten.to.dtype(self, torch.float32) if self.dtype == torch.bool else self\n"
		"b = other if floating else aten.to.dtype(other, torch.float32)\n"
		"allowed = aten.add.Scalar(aten.abs(aten.mul.Scalar(b, rtol)), atol)\n"
		"actual = aten.abs(aten.sub.Tensor(a, b))\n"
		"near = aten.bitwise_and_.Tensor(aten.isfinite(actual), aten.le.Tensor(actual, allowed))\n"
		"return aten.bitwise_or_.Tensor(close, near)" },
	{ .name = "where.ScalarSelf", .parts =
		"d = other.dtype\n"
		"if isinstance(self, float) and not (other.is_floating_point() or other.is_complex()):\n"
		"    d = torch.float32\n"
		"elif d == torch.bool and not isinstance(self, bool):\n"
		"    d = torch.int64\n"
		"return aten.where.self(condition, aten.scalar_tensor(self, dtype=d), aten.to.dtype(other, d))" },
	{ .name = "where.ScalarOther", .parts =
		"d = self.dtype\n"
		"if isinstance(other, float) and not (self.is_floating_point() or self.is_complex()):\n"
		"    d = torch.float32\n"
		"elif d == torch.bool and not isinstance(other, bool):\n"
		"    d = torch.int64\n"
		"n = aten.scalar_tensor(other, dtype=d)\n"
		"return aten.where.self(condition, aten.to.dtype(self, d), n)" },
	{ .name = "where.Scalar", .parts =
		"d = torch.float32 if isinstance(self, float) or isinstance(other, float) else torch.int64\n"
		"if isinstance(self, bool) and isinstance(other, bool):\n"
		"    d = torch.bool\n"
		"return aten.where.self(condition, aten.scalar_tensor(self, dtype=d), aten.scalar_tensor(other, dtype=d))" },
	{ .name = "where", .parts = "return aten.nonzero_numpy(condition)" },
	{ 0 },
};
