/* Operators on plain values, as Python defines them. */
#include <math.h>
#include <string.h>

#include "lang/eval.h"

static const char *const symbols[] = { "+", "-", "*", "/", "//", "%", "**", "@", "&", "|", "^", "<<", ">>", "-", "+", "~", "==", "!=", "<", "<=", ">", ">=" };

static bool fail_types(enum lang_op op, struct datum a, struct datum b, nns_error *err)
{
	return fail(err, NNS_MODEL, "unsupported operand types for %s: '%s' and '%s'", symbols[op], datum_type_name(a), datum_type_name(b));
}

static bool overflow(enum lang_op op, nns_error *err)
{
	return fail(err, NNS_LIMIT, "the result of %s does not fit 64 bits", symbols[op]);
}

/* ---- Integers ---- */

static bool int_power(int64_t base, int64_t n, struct datum *out, nns_error *err)
{
	int64_t v = 1;
	if (n < 0) {
		*out = datum_float(pow((double)base, (double)n));
		return base != 0 || fail(err, NNS_MODEL, "0 cannot be raised to a negative power");
	}
	while (n > 0) {
		if ((n & 1) && __builtin_mul_overflow(v, base, &v))
			return overflow(OP_POW, err);
		n >>= 1;
		if (n > 0 && __builtin_mul_overflow(base, base, &base))
			return overflow(OP_POW, err);
	}
	*out = datum_int(v);
	return true;
}

static bool int_divide(enum lang_op op, int64_t a, int64_t b, struct datum *out, nns_error *err)
{
	if (b == 0)
		return fail(err, NNS_MODEL, "division by zero");
	if (op == OP_DIV)
		return *out = datum_float((double)a / (double)b), true;
	if (b == -1)
		return op == OP_MOD ? (*out = datum_int(0), true) : a == INT64_MIN ? overflow(op, err) : (*out = datum_int(-a), true);
	int64_t q = a / b, r = a % b;
	if (r != 0 && (r < 0) != (b < 0)) {
		q--;
		r += b;
	}
	*out = datum_int(op == OP_MOD ? r : q);
	return true;
}

static bool int_shift(enum lang_op op, int64_t a, int64_t n, struct datum *out, nns_error *err)
{
	int64_t v;
	if (n < 0)
		return fail(err, NNS_MODEL, "negative shift count");
	if (op == OP_SHR)
		return *out = datum_int(a >> (n > 63 ? 63 : n)), true;
	if (a != 0 && (n > 62 || __builtin_mul_overflow(a, (int64_t)1 << n, &v)))
		return overflow(op, err);
	*out = datum_int(a == 0 ? 0 : v);
	return true;
}

static bool int_binary(enum lang_op op, int64_t a, int64_t b, struct datum *out, nns_error *err)
{
	int64_t v = 0;
	bool over = false;
	switch (op) {
	case OP_ADD: over = __builtin_add_overflow(a, b, &v); break;
	case OP_SUB: over = __builtin_sub_overflow(a, b, &v); break;
	case OP_MUL: over = __builtin_mul_overflow(a, b, &v); break;
	case OP_DIV: case OP_FLOORDIV: case OP_MOD: return int_divide(op, a, b, out, err);
	case OP_POW: return int_power(a, b, out, err);
	case OP_SHL: case OP_SHR: return int_shift(op, a, b, out, err);
	case OP_AND: v = a & b; break;
	case OP_OR: v = a | b; break;
	case OP_XOR: v = a ^ b; break;
	default: return fail_types(op, datum_int(a), datum_int(b), err);
	}
	*out = datum_int(v);
	return !over || overflow(op, err);
}

/* ---- Floats ---- */

static double float_mod(double a, double b)
{
	double r = fmod(a, b);
	return r != 0 && (r < 0) != (b < 0) ? r + b : r;
}

static bool float_binary(enum lang_op op, double a, double b, struct datum *out, nns_error *err)
{
	if (b == 0 && (op == OP_DIV || op == OP_FLOORDIV || op == OP_MOD))
		return fail(err, NNS_MODEL, "float division by zero");
	switch (op) {
	case OP_ADD: *out = datum_float(a + b); return true;
	case OP_SUB: *out = datum_float(a - b); return true;
	case OP_MUL: *out = datum_float(a * b); return true;
	case OP_DIV: *out = datum_float(a / b); return true;
	case OP_FLOORDIV: *out = datum_float(floor((a - float_mod(a, b)) / b + 0.5)); return true;
	case OP_MOD: *out = datum_float(float_mod(a, b)); return true;
	case OP_POW: *out = datum_float(pow(a, b)); return true;
	default: return fail_types(op, datum_float(a), datum_float(b), err);
	}
}

/* ---- Sequences ---- */

static bool concatenate(struct interp *in, struct datum a, struct datum b, struct datum *out, nns_error *err)
{
	if (a.u.seq->n + b.u.seq->n > MAX_SEQUENCE)
		return fail(err, NNS_LIMIT, "a sequence of more than %d items", MAX_SEQUENCE);
	if (!datum_seq(in->arena, a.kind, a.u.seq->n + b.u.seq->n, out))
		return fail_memory(err);
	for (size_t i = 0; i < a.u.seq->n; i++)
		if (!seq_push(in->arena, out->u.seq, a.u.seq->items[i]))
			return fail_memory(err);
	for (size_t i = 0; i < b.u.seq->n; i++)
		if (!seq_push(in->arena, out->u.seq, b.u.seq->items[i]))
			return fail_memory(err);
	return true;
}

static bool repeat(struct interp *in, struct datum a, int64_t n, struct datum *out, nns_error *err)
{
	size_t len = a.kind == D_STR ? strlen(a.u.s) : a.u.seq->n;
	if (n < 0)
		n = 0;
	if (len > 0 && (uint64_t)n > MAX_SEQUENCE / len)
		return fail(err, NNS_LIMIT, "a sequence of more than %d items", MAX_SEQUENCE);
	if (a.kind == D_STR) {
		struct text t;
		text_init(&t);
		for (int64_t i = 0; i < n && len; i++)
			text_addn(&t, a.u.s, len);
		return text_to_str(in, &t, out, err);
	}
	if (!datum_seq(in->arena, a.kind, len * (size_t)n, out))
		return fail_memory(err);
	for (int64_t i = 0; i < n && len; i++)
		for (size_t k = 0; k < len; k++)
			if (!seq_push(in->arena, out->u.seq, a.u.seq->items[k]))
				return fail_memory(err);
	return true;
}

static bool sequence_binary(struct interp *in, enum lang_op op, struct datum a, struct datum b, struct datum *out, nns_error *err)
{
	bool sa = datum_is_seq(a) || a.kind == D_STR, sb = datum_is_seq(b) || b.kind == D_STR;
	if (op == OP_MOD && a.kind == D_STR)
		return percent_format(in, a.u.s, b, out, err);
	if (op == OP_ADD && a.kind == D_STR && b.kind == D_STR) {
		if (strlen(a.u.s) + strlen(b.u.s) > MAX_SEQUENCE)
			return fail(err, NNS_LIMIT, "a string of more than %d bytes", MAX_SEQUENCE);
		char *s = arena_printf(in->arena, "%s%s", a.u.s, b.u.s);
		*out = datum_str(s);
		return s || fail_memory(err);
	}
	if (op == OP_ADD && datum_is_seq(a) && a.kind == b.kind)
		return concatenate(in, a, b, out, err);
	if (op == OP_MUL && sa && datum_is_int(b))
		return repeat(in, a, datum_as_int(b), out, err);
	if (op == OP_MUL && sb && datum_is_int(a))
		return repeat(in, b, datum_as_int(a), out, err);
	return fail_types(op, a, b, err);
}

/* ---- Comparisons ---- */

static bool ordered(enum lang_op op, int sign)
{
	return op == OP_LT ? sign < 0 : op == OP_LE ? sign <= 0 : op == OP_GT ? sign > 0 : sign >= 0;
}

enum { MAX_ORDER_DEPTH = 200 };

static int number_sign(struct datum a, struct datum b)
{
	if (datum_is_int(a) && datum_is_int(b))
		return (datum_as_int(a) > datum_as_int(b)) - (datum_as_int(a) < datum_as_int(b));
	return (datum_as_float(a) > datum_as_float(b)) - (datum_as_float(a) < datum_as_float(b));
}

/* Goes down to the first items that differ, in place of comparing the lists around them. */
static bool first_difference(struct datum *a, struct datum *b)
{
	for (int depth = 0; depth < MAX_ORDER_DEPTH && datum_is_seq(*a) && a->kind == b->kind; depth++) {
		const struct seq *x = a->u.seq, *y = b->u.seq;
		size_t i = 0;
		while (i < x->n && i < y->n && datum_equal(x->items[i], y->items[i]))
			i++;
		if (i == x->n || i == y->n) {
			*a = datum_int((int64_t)x->n);
			*b = datum_int((int64_t)y->n);
			return true;
		}
		*a = x->items[i];
		*b = y->items[i];
	}
	return !datum_is_seq(*a) || a->kind != b->kind;
}

static bool order(struct interp *in, enum lang_op op, struct datum a, struct datum b, struct datum *out, nns_error *err)
{
	bool nan = (a.kind == D_FLOAT && isnan(a.u.f)) || (b.kind == D_FLOAT && isnan(b.u.f));
	if (datum_is_number(a) && datum_is_number(b))
		return *out = datum_bool(!nan && ordered(op, number_sign(a, b))), true;
	if (a.kind == D_STR && b.kind == D_STR)
		return *out = datum_bool(ordered(op, strcmp(a.u.s, b.u.s))), true;
	if (!datum_is_seq(a) || a.kind != b.kind)
		return fail(err, NNS_MODEL, "'%s' is not supported between '%s' and '%s'", symbols[op], datum_type_name(a), datum_type_name(b));
	if (!first_difference(&a, &b))
		return fail(err, NNS_LIMIT, "lists nested deeper than %d cannot be ordered", MAX_ORDER_DEPTH);
	return lang_binary(in, op, a, b, out, err);
}

/* ---- All together ---- */

static bool plain_binary(struct interp *in, enum lang_op op, struct datum a, struct datum b, struct datum *out, nns_error *err)
{
	if (op == OP_EQ || op == OP_NE)
		return *out = datum_bool(datum_equal(a, b) == (op == OP_EQ)), true;
	if (op >= OP_LT)
		return order(in, op, a, b, out, err);
	if (a.kind == D_BOOL && b.kind == D_BOOL && (op == OP_AND || op == OP_OR || op == OP_XOR))
		return *out = datum_bool(op == OP_AND ? a.u.b && b.u.b : op == OP_OR ? a.u.b || b.u.b : a.u.b != b.u.b), true;
	if (datum_is_int(a) && datum_is_int(b))
		return int_binary(op, datum_as_int(a), datum_as_int(b), out, err);
	if (datum_is_number(a) && datum_is_number(b))
		return float_binary(op, datum_as_float(a), datum_as_float(b), out, err);
	return sequence_binary(in, op, a, b, out, err);
}

static bool any_binary(struct interp *in, enum lang_op op, struct datum a, struct datum b, bool inplace, struct datum *out, nns_error *err)
{
	/* [x] * 3 and str % x keep their own meaning whatever they hold; the host takes what it knows */
	if ((is_host_kind(a) || is_host_kind(b)) && !(op == OP_MOD && a.kind == D_STR) && in->host && in->host->binary)
		return in->host->binary(in, op, a, b, inplace, out, err);
	return plain_binary(in, op, a, b, out, err);
}

bool lang_binary(struct interp *in, enum lang_op op, struct datum a, struct datum b, struct datum *out, nns_error *err)
{
	return any_binary(in, op, a, b, false, out, err);
}

bool augmented(struct interp *in, enum lang_op op, struct datum a, struct datum b, struct datum *out, nns_error *err)
{
	struct seq *items;
	if (op != OP_ADD || a.kind != D_LIST)
		return any_binary(in, op, a, b, true, out, err);
	if (!items_of(in, b, &items, err))
		return false;
	if (a.u.seq->n + items->n > MAX_SEQUENCE)
		return fail(err, NNS_LIMIT, "a sequence of more than %d items", MAX_SEQUENCE);
	for (size_t i = 0, n = items->n; i < n; i++)
		if (!seq_push(in->arena, a.u.seq, items->items[i]))
			return fail_memory(err);
	*out = a;
	return true;
}

bool plain_unary(struct interp *in, enum lang_op op, struct datum a, struct datum *out, nns_error *err)
{
	(void)in;
	if (op == OP_NEG && a.kind == D_FLOAT)
		return *out = datum_float(-a.u.f), true;
	if (op == OP_POS && a.kind == D_FLOAT)
		return *out = a, true;
	if (!datum_is_int(a))
		return fail(err, NNS_MODEL, "bad operand type for unary %s: '%s'", symbols[op], datum_type_name(a));
	int64_t i = datum_as_int(a);
	if (op == OP_NEG && i == INT64_MIN)
		return overflow(op, err);
	*out = datum_int(op == OP_NEG ? -i : op == OP_INVERT ? ~i : i);
	return true;
}
