/* Built-in functions that make numbers and text. */
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lang/builtins.h"

/* What is neither number nor text may answer item(): tensors whose content is known. */
static bool item_of(struct interp *in, struct datum d, struct datum *out, nns_error *err)
{
	struct datum f;
	bool found = false;
	struct lang_args none = { 0 };
	if (is_host_kind(d) && !lang_getattr(in, d, "item", &f, &found, err))
		return false;
	*out = d;
	return !found || lang_call(in, f, &none, out, err);
}

BUILTIN(call_int)
{
	struct datum d = args->n ? args->items[0] : datum_int(0);
	char *end = NULL;
	if (!takes(self, args, 0, 2, err) || !item_of(in, d, &d, err))
		return false;
	if (datum_is_int(d))
		return *out = datum_int(datum_as_int(d)), true;
	if (d.kind == D_STR) {
		int64_t base = args->n < 2 ? 10 : datum_is_int(args->items[1]) ? datum_as_int(args->items[1]) : -1;
		if (base < 0 || base == 1 || base > 36)
			return fail(err, NNS_MODEL, "int() base must be >= 2 and <= 36, or 0");
		errno = 0;
		long long v = strtoll(d.u.s, &end, (int)base);
		*out = datum_int(v);
		return (*d.u.s && !*end && !errno) || fail(err, NNS_MODEL, "int(): '%.100s' is not an integer", d.u.s);
	}
	if (d.kind != D_FLOAT)
		return fail(err, NNS_MODEL, "int() takes a number or a str, not '%s'", datum_type_name(d));
	if (!(fabs(d.u.f) < 0x1p63))
		return fail(err, NNS_MODEL, "int(): the number is too large");
	*out = datum_int((int64_t)d.u.f);
	return true;
}

BUILTIN(call_float)
{
	struct datum d = args->n ? args->items[0] : datum_float(0);
	char *end = NULL;
	if (!takes(self, args, 0, 1, err) || !item_of(in, d, &d, err))
		return false;
	if (datum_is_number(d))
		return *out = datum_float(datum_as_float(d)), true;
	if (d.kind != D_STR)
		return fail(err, NNS_MODEL, "float() takes a number or a str, not '%s'", datum_type_name(d));
	*out = datum_float(strtod(d.u.s, &end));
	return (*d.u.s && !*end) || fail(err, NNS_MODEL, "float(): '%.100s' is not a number", d.u.s);
}

BUILTIN(call_bool)
{
	bool v = false;
	if (!takes(self, args, 0, 1, err) || (args->n && !truth_of(in, args->items[0], &v, err)))
		return false;
	*out = datum_bool(v);
	return true;
}

BUILTIN(call_str)
{
	const char *s = "";
	if (!takes(self, args, 0, 1, err) || (args->n && !to_str(in, args->items[0], false, &s, err)))
		return false;
	*out = datum_str(s);
	return true;
}

BUILTIN(call_repr)
{
	const char *s;
	if (!takes(self, args, 1, 1, err) || !to_str(in, args->items[0], true, &s, err))
		return false;
	*out = datum_str(s);
	return true;
}

BUILTIN(call_abs)
{
	struct datum d = args->n ? args->items[0] : datum_none(), f;
	bool found = false;
	if (!takes(self, args, 1, 1, err))
		return false;
	if (d.kind == D_FLOAT)
		return *out = datum_float(fabs(d.u.f)), true;
	if (datum_is_int(d))
		return datum_as_int(d) < 0 ? plain_unary(in, OP_NEG, d, out, err) : (*out = datum_int(datum_as_int(d)), true);
	struct lang_args none = { 0 };
	if (!lang_getattr(in, d, "abs", &f, &found, err))
		return false;
	return found ? lang_call(in, f, &none, out, err) : fail(err, NNS_MODEL, "abs() takes a number, not '%s'", datum_type_name(d));
}

/* Halves go to the even neighbour. */
/* To 10^-places, halves to even; what does not fit into 64 bits stays. */
static int64_t round_int(int64_t v, int64_t places)
{
	int64_t unit = 1;
	if (places >= 0)
		return v;
	if (places < -18)
		return 0;
	for (; places < 0; places++)
		unit *= 10;
	int64_t low = v - (v % unit + unit) % unit, rest = v - low, half = unit / 2;
	bool up = rest > half || (rest == half && low / unit % 2 != 0);
	return up && low <= INT64_MAX - unit ? low + unit : low;
}

BUILTIN(call_round)
{
	char text[400];
	if (!takes(self, args, 1, 2, err))
		return false;
	struct datum d = args->items[0], n = args->n == 2 ? args->items[1] : datum_none();
	(void)in;
	if (datum_is_int(d) && (n.kind == D_NONE || datum_is_int(n)))
		return *out = datum_int(round_int(datum_as_int(d), n.kind == D_NONE ? 0 : datum_as_int(n))), true;
	if (d.kind != D_FLOAT || (n.kind != D_NONE && !datum_is_int(n)))
		return fail(err, NNS_MODEL, "round() takes a number, not '%s'", datum_type_name(d));
	if (n.kind == D_NONE) {
		double v = nearbyint(d.u.f);
		*out = datum_int(fabs(v) < 0x1p63 ? (int64_t)v : 0);
		return fabs(v) < 0x1p63 || fail(err, NNS_MODEL, "round(): the number is too large");
	}
	int64_t places = datum_as_int(n);
	if (places < 0 && places > -300) {
		double unit = pow(10, (double)-places);
		return *out = datum_float(nearbyint(d.u.f / unit) * unit), true;
	}
	snprintf(text, sizeof text, "%.*f", places < 0 ? 0 : places > 60 ? 60 : (int)places, d.u.f);
	*out = datum_float(strtod(text, NULL));
	return true;
}

BUILTIN(call_divmod)
{
	struct datum pair[2], list;
	if (!takes(self, args, 2, 2, err) || !lang_binary(in, OP_FLOORDIV, args->items[0], args->items[1], &pair[0], err)
	    || !lang_binary(in, OP_MOD, args->items[0], args->items[1], &pair[1], err) || !datum_seq(in->arena, D_LIST, 1, &list)
	    || !push_tuple(in, list, pair, 2, err))
		return false;
	*out = list.u.seq->items[0];
	return true;
}

BUILTIN(call_pow)
{
	return takes(self, args, 2, 2, err) && lang_binary(in, OP_POW, args->items[0], args->items[1], out, err);
}

BUILTIN(call_slice)
{
	struct slice *s = arena_alloc(in->arena, sizeof *s);
	if (!takes(self, args, 1, 3, err) || !s)
		return false;
	s->start = args->n > 1 ? args->items[0] : datum_none();
	s->stop = args->items[args->n > 1];
	s->step = args->n > 2 ? args->items[2] : datum_none();
	*out = datum_pointer(D_SLICE, s);
	return true;
}

const struct function builtins_numbers[] = {
	{ .name = "int", .call = call_int }, { .name = "float", .call = call_float }, { .name = "bool", .call = call_bool },
	{ .name = "str", .call = call_str }, { .name = "repr", .call = call_repr }, { .name = "abs", .call = call_abs },
	{ .name = "round", .call = call_round }, { .name = "divmod", .call = call_divmod }, { .name = "pow", .call = call_pow },
	{ .name = "slice", .call = call_slice },
	{ 0 }
};
