/* Python's operators on tensors, as torch/_tensor.py and python_variable_methods.cpp map them to ATen's. */

#include "ops/namespace.h"
#include "ops/tensor.h"

/*
 * name: the operator for `tensor op other`; reversed: for `number op tensor`
 * when it isn't name with the sides exchanged.  swaps: whether the sides are
 * exchanged then.
 */
struct operator_row {
	enum lang_op op;
	const char *name, *reversed, *inplace;
	bool swaps;
};

static const struct operator_row operators[] = {
	{ OP_ADD, "add", "add", "add_", true },
	{ OP_SUB, "sub", "rsub", "sub_", true },
	{ OP_MUL, "mul", "mul", "mul_", true },
	{ OP_DIV, "div", NULL, "div_", false },
	{ OP_FLOORDIV, "floor_divide", "floor_divide", "floor_divide_", false },
	{ OP_MOD, "remainder", "remainder", "remainder_", false },
	{ OP_POW, "pow", "pow", "pow_", false },
	{ OP_MATMUL, "matmul", "matmul", NULL, false },
	{ OP_AND, "__and__", "__and__", "__iand__", true },
	{ OP_OR, "__or__", "__or__", "__ior__", true },
	{ OP_XOR, "__xor__", "__xor__", "__ixor__", true },
	{ OP_SHL, "__lshift__", "bitwise_left_shift", "__ilshift__", false },
	{ OP_SHR, "__rshift__", "bitwise_right_shift", "__irshift__", false },
	{ OP_EQ, "eq", "eq", NULL, true },
	{ OP_NE, "ne", "ne", NULL, true },
	{ OP_LT, "lt", "gt", NULL, true },
	{ OP_LE, "le", "ge", NULL, true },
	{ OP_GT, "gt", "lt", NULL, true },
	{ OP_GE, "ge", "le", NULL, true },
};

static const struct operator_row *operator_find(enum lang_op op)
{
	for (size_t i = 0; i < sizeof operators / sizeof *operators; i++)
		if (operators[i].op == op)
			return &operators[i];
	return NULL;
}

static bool record_two(struct interp *in, const char *base, struct datum a, struct datum b, struct datum *out, nns_error *err)
{
	struct datum items[2] = { a, b };
	struct lang_args args = { .items = items, .n = 2 };
	return record_overload(recorder_of(in), base, &args, out, err);
}

/* number op tensor */
static bool reversed(struct interp *in, const struct operator_row *row, struct datum a, struct datum b, struct datum *out, nns_error *err)
{
	struct datum inverse;
	if (row->reversed)
		return row->swaps ? record_two(in, row->reversed, b, a, out, err) : record_two(in, row->reversed, a, b, out, err);
	return record_unary(in, "reciprocal", b, &inverse, err) && record_two(in, "mul", inverse, a, out, err);
}

bool tensor_binary(struct interp *in, enum lang_op op, struct datum a, struct datum b, bool inplace, struct datum *out, nns_error *err)
{
	const struct operator_row *row = operator_find(op);
	bool tensors = a.kind == D_TENSOR || b.kind == D_TENSOR;
	struct datum other = a.kind == D_TENSOR ? b : a;
	bool usable = other.kind == D_TENSOR || datum_is_number(other);
	if ((op == OP_EQ || op == OP_NE) && (!tensors || !usable))
		return *out = datum_bool(datum_equal(a, b) == (op == OP_EQ)), true;
	if (!row || !tensors || !usable)
		return fail(err, NNS_MODEL, "unsupported operands: %s and %s", datum_type_name(a), datum_type_name(b));
	if (a.kind != D_TENSOR)
		return reversed(in, row, a, b, out, err);
	return record_two(in, inplace && row->inplace ? row->inplace : row->name, a, b, out, err);
}

bool tensor_unary(struct interp *in, enum lang_op op, struct datum a, struct datum *out, nns_error *err)
{
	const char *name = op == OP_NEG ? "neg" : op == OP_INVERT ? "bitwise_not" : op == OP_POS ? "positive" : NULL;
	if (!name || a.kind != D_TENSOR)
		return fail(err, NNS_MODEL, "bad operand for a unary operator: %s", datum_type_name(a));
	return record_unary(in, name, a, out, err);
}
