/* Python's builtin functions, types and exceptions. */
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lang/eval.h"

#define BUILTIN(name) static bool name(struct interp *in, const struct function *self, const struct lang_args *args, struct datum *out, nns_error *err)

static bool takes(const struct function *self, const struct lang_args *args, size_t least, size_t most, nns_error *err)
{
	if (args->n >= least && args->n <= most)
		return true;
	return fail(err, NNS_MODEL, "%s() takes %zu to %zu arguments but %zu were given", self->name, least, most, args->n);
}

static const struct datum *named(const struct lang_args *args, const char *name)
{
	for (size_t i = 0; i < args->n_named; i++)
		if (strcmp(args->names[i], name) == 0)
			return &args->values[i];
	return NULL;
}

static bool call_one(struct interp *in, struct datum f, struct datum x, struct datum *out, nns_error *err)
{
	struct lang_args args = { .items = &x, .n = 1 };
	return lang_call(in, f, &args, out, err);
}

/* ---- Sequences ---- */

BUILTIN(call_len)
{
	int64_t n;
	if (!takes(self, args, 1, 1, err) || !length_of(in, args->items[0], &n, err))
		return false;
	*out = datum_int(n);
	return true;
}

BUILTIN(call_range)
{
	int64_t v[3] = { 0, 0, 1 };
	if (!takes(self, args, 1, 3, err) || !datum_seq(in->arena, D_LIST, 0, out))
		return false;
	for (size_t i = 0; i < args->n; i++) {
		if (!datum_is_int(args->items[i]))
			return fail(err, NNS_MODEL, "range() takes integers, not '%s'", datum_type_name(args->items[i]));
		v[args->n == 1 ? 1 : i] = datum_as_int(args->items[i]);
	}
	if (v[2] == 0)
		return fail(err, NNS_MODEL, "range() step must not be zero");
	for (int64_t i = v[0]; v[2] > 0 ? i < v[1] : i > v[1]; ) {
		if (out->u.seq->n == MAX_SEQUENCE)
			return fail(err, NNS_LIMIT, "range() of more than %d items", MAX_SEQUENCE);
		if (!seq_push(in->arena, out->u.seq, datum_int(i)))
			return fail_memory(err);
		if (__builtin_add_overflow(i, v[2], &i))
			break;
	}
	return true;
}

static bool copy_items(struct interp *in, enum datum_kind kind, const struct lang_args *args, struct datum *out, nns_error *err)
{
	struct seq *items = &(struct seq){ 0 };
	if (args->n && !items_of(in, args->items[0], &items, err))
		return false;
	if (!datum_seq(in->arena, kind, items->n, out))
		return fail_memory(err);
	for (size_t i = 0; i < items->n; i++)
		if (!seq_push(in->arena, out->u.seq, items->items[i]))
			return fail_memory(err);
	return true;
}

BUILTIN(call_list) { return takes(self, args, 0, 1, err) && copy_items(in, D_LIST, args, out, err); }
BUILTIN(call_tuple) { return takes(self, args, 0, 1, err) && copy_items(in, D_TUPLE, args, out, err); }

/* A set is a list without repeats. */
BUILTIN(call_set)
{
	struct datum all;
	bool there;
	if (!takes(self, args, 0, 1, err) || !copy_items(in, D_LIST, args, &all, err) || !datum_seq(in->arena, D_LIST, 0, out))
		return false;
	for (size_t i = 0; i < all.u.seq->n; i++)
		if (!contains(in, *out, all.u.seq->items[i], &there, err) || (!there && !seq_push(in->arena, out->u.seq, all.u.seq->items[i])))
			return fail_memory(err);
	return true;
}

BUILTIN(call_dict)
{
	struct seq *items = &(struct seq){ 0 }, *pair;
	if (!takes(self, args, 0, 1, err))
		return false;
	if (!datum_dict(in->arena, out))
		return fail_memory(err);
	if (args->n && args->items[0].kind == D_DICT) {
		const struct dict *d = args->items[0].u.dict;
		for (size_t i = 0; i < d->n; i++)
			if (!dict_put(in->arena, out->u.dict, d->keys[i], d->values[i]))
				return fail_memory(err);
	} else if (args->n && !items_of(in, args->items[0], &items, err)) {
		return false;
	}
	for (size_t i = 0; i < items->n; i++) {
		if (!items_of(in, items->items[i], &pair, err))
			return false;
		if (pair->n != 2)
			return fail(err, NNS_MODEL, "dict() takes pairs");
		if (!dict_store(in, out->u.dict, pair->items[0], pair->items[1], err))
			return false;
	}
	for (size_t i = 0; i < args->n_named; i++)
		if (!dict_put(in->arena, out->u.dict, datum_str(args->names[i]), args->values[i]))
			return fail_memory(err);
	return true;
}

static bool push_tuple(struct interp *in, struct datum list, const struct datum *items, size_t n, nns_error *err)
{
	struct datum tuple;
	if (!datum_seq(in->arena, D_TUPLE, n, &tuple))
		return fail_memory(err);
	for (size_t i = 0; i < n; i++)
		if (!seq_push(in->arena, tuple.u.seq, items[i]))
			return fail_memory(err);
	return seq_push(in->arena, list.u.seq, tuple) || fail_memory(err);
}

BUILTIN(call_zip)
{
	struct seq *from[8];
	struct datum row[8];
	size_t shortest = SIZE_MAX;
	if (!takes(self, args, 1, 8, err) || !datum_seq(in->arena, D_LIST, 0, out))
		return false;
	for (size_t i = 0; i < args->n; i++) {
		if (!items_of(in, args->items[i], &from[i], err))
			return false;
		shortest = from[i]->n < shortest ? from[i]->n : shortest;
	}
	for (size_t k = 0; k < shortest; k++) {
		for (size_t i = 0; i < args->n; i++)
			row[i] = from[i]->items[k];
		if (!push_tuple(in, *out, row, args->n, err))
			return false;
	}
	return true;
}

BUILTIN(call_enumerate)
{
	struct seq *items;
	const struct datum *start = named(args, "start");
	if (!takes(self, args, 1, 2, err) || !items_of(in, args->items[0], &items, err) || !datum_seq(in->arena, D_LIST, items->n, out))
		return false;
	struct datum from = args->n == 2 ? args->items[1] : start ? *start : datum_int(0);
	if (!datum_is_int(from) || datum_as_int(from) > INT64_MAX - MAX_SEQUENCE)
		return fail(err, NNS_MODEL, "enumerate() starts at an integer, not '%s'", datum_type_name(from));
	int64_t first = datum_as_int(from);
	for (size_t i = 0; i < items->n; i++) {
		struct datum pair[2] = { datum_int(first + (int64_t)i), items->items[i] };
		if (!push_tuple(in, *out, pair, 2, err))
			return false;
	}
	return true;
}

BUILTIN(call_reversed)
{
	if (!takes(self, args, 1, 1, err) || !copy_items(in, D_LIST, args, out, err))
		return false;
	struct seq *s = out->u.seq;
	for (size_t i = 0; i < s->n / 2; i++) {
		struct datum d = s->items[i];
		s->items[i] = s->items[s->n - 1 - i];
		s->items[s->n - 1 - i] = d;
	}
	return true;
}

/* Stable, by merging runs of growing length. */
static bool merge_runs(struct interp *in, const struct datum *keys, size_t *order, size_t *spare, size_t n, bool reverse, nns_error *err)
{
	for (size_t run = 1; run < n; run *= 2) {
		for (size_t low = 0; low < n; low += 2 * run) {
			size_t mid = low + run < n ? low + run : n, high = mid + run < n ? mid + run : n, a = low, b = mid;
			for (size_t k = low; k < high; k++) {
				struct datum less = datum_bool(false);
				if (a < mid && b < high && !lang_binary(in, OP_LT, reverse ? keys[order[a]] : keys[order[b]], reverse ? keys[order[b]] : keys[order[a]], &less, err))
					return false;
				spare[k] = a < mid && (b >= high || !datum_truth(less)) ? order[a++] : order[b++];
			}
		}
		memcpy(order, spare, n * sizeof *order);
	}
	return true;
}

BUILTIN(call_sorted)
{
	struct datum all;
	const struct datum *key = named(args, "key"), *reverse = named(args, "reverse");
	if (!takes(self, args, 1, 1, err) || !copy_items(in, D_LIST, args, &all, err))
		return false;
	size_t n = all.u.seq->n;
	struct datum *keys = arena_array(in->arena, n + 1, sizeof *keys);
	size_t *order = arena_array(in->arena, n + 1, sizeof *order), *spare = arena_array(in->arena, n + 1, sizeof *spare);
	if (!keys || !order || !spare || !datum_seq(in->arena, D_LIST, n, out))
		return fail_memory(err);
	for (size_t i = 0; i < n; i++) {
		order[i] = i;
		keys[i] = all.u.seq->items[i];
		if (key && key->kind != D_NONE && !call_one(in, *key, all.u.seq->items[i], &keys[i], err))
			return false;
	}
	if (!merge_runs(in, keys, order, spare, n, reverse && datum_truth(*reverse), err))
		return false;
	for (size_t i = 0; i < n; i++)
		if (!seq_push(in->arena, out->u.seq, all.u.seq->items[order[i]]))
			return fail_memory(err);
	return true;
}

static bool map_or_filter(struct interp *in, const struct lang_args *args, bool maps, struct datum *out, nns_error *err)
{
	struct seq *items;
	struct datum v;
	bool keep = true;
	if (!items_of(in, args->items[1], &items, err))
		return false;
	if (!datum_seq(in->arena, D_LIST, items->n, out))
		return fail_memory(err);
	for (size_t i = 0; i < items->n; i++) {
		v = items->items[i];
		if ((maps || args->items[0].kind != D_NONE) && !call_one(in, args->items[0], v, &v, err))
			return false;
		if (!maps && !truth_of(in, v, &keep, err))
			return false;
		if (keep && !seq_push(in->arena, out->u.seq, maps ? v : items->items[i]))
			return fail_memory(err);
	}
	return true;
}

BUILTIN(call_map) { return takes(self, args, 2, 2, err) && map_or_filter(in, args, true, out, err); }
BUILTIN(call_filter) { return takes(self, args, 2, 2, err) && map_or_filter(in, args, false, out, err); }

BUILTIN(call_iter)
{
	return takes(self, args, 1, 1, err) && copy_items(in, D_LIST, args, out, err);
}

/* Generators are lists here: the first item. */
BUILTIN(call_next)
{
	struct seq *items;
	if (!takes(self, args, 1, 2, err) || !items_of(in, args->items[0], &items, err))
		return false;
	if (items->n == 0 && args->n < 2)
		return fail(err, NNS_MODEL, "next(): there is nothing left");
	*out = items->n ? items->items[0] : args->items[1];
	return true;
}

/* ---- Folds ---- */

static bool fold_items(struct interp *in, const struct lang_args *args, struct seq **out, nns_error *err)
{
	if (args->n == 1)
		return items_of(in, args->items[0], out, err);
	*out = arena_alloc(in->arena, sizeof **out);
	if (!*out)
		return fail_memory(err);
	**out = (struct seq){ .n = args->n, .items = args->items };
	return true;
}

BUILTIN(call_sum)
{
	struct seq *items;
	if (!takes(self, args, 1, 2, err) || !items_of(in, args->items[0], &items, err))
		return false;
	const struct datum *start = named(args, "start");
	*out = args->n == 2 ? args->items[1] : start ? *start : datum_int(0);
	for (size_t i = 0; i < items->n; i++)
		if (!lang_binary(in, OP_ADD, *out, items->items[i], out, err))
			return false;
	return true;
}

static bool extreme(struct interp *in, const struct function *self, const struct lang_args *args, enum lang_op op, struct datum *out, nns_error *err)
{
	struct seq *items;
	const struct datum *key = named(args, "key"), *none = named(args, "default");
	struct datum best_key = datum_none(), k, better;
	if (!takes(self, args, 1, 1000, err) || !fold_items(in, args, &items, err))
		return false;
	if (items->n == 0)
		return none ? (*out = *none, true) : fail(err, NNS_MODEL, "%s() of nothing", self->name);
	for (size_t i = 0; i < items->n; i++) {
		bool is = i == 0;
		k = items->items[i];
		if (key && !call_one(in, *key, k, &k, err))
			return false;
		if (i && (!lang_binary(in, op, k, best_key, &better, err) || !truth_of(in, better, &is, err)))
			return false;
		if (is) {
			*out = items->items[i];
			best_key = k;
		}
	}
	return true;
}

BUILTIN(call_min) { return extreme(in, self, args, OP_LT, out, err); }
BUILTIN(call_max) { return extreme(in, self, args, OP_GT, out, err); }

static bool any_or_all(struct interp *in, const struct lang_args *args, bool any, struct datum *out, nns_error *err)
{
	struct seq *items;
	bool v = !any;
	if (!items_of(in, args->items[0], &items, err))
		return false;
	for (size_t i = 0; i < items->n && v != any; i++)
		if (!truth_of(in, items->items[i], &v, err))
			return false;
	*out = datum_bool(v);
	return true;
}

BUILTIN(call_any) { return takes(self, args, 1, 1, err) && any_or_all(in, args, true, out, err); }
BUILTIN(call_all) { return takes(self, args, 1, 1, err) && any_or_all(in, args, false, out, err); }

/* ---- Numbers and text ---- */

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

/* ---- Objects ---- */

static bool attribute_name(const struct function *self, const struct lang_args *args, const char **out, nns_error *err)
{
	if (args->items[1].kind != D_STR)
		return fail(err, NNS_MODEL, "%s() takes the name as a str", self->name);
	*out = args->items[1].u.s;
	return true;
}

BUILTIN(call_getattr)
{
	const char *name = "";
	bool found;
	if (!takes(self, args, 2, 3, err) || !attribute_name(self, args, &name, err) || !lang_getattr(in, args->items[0], name, out, &found, err))
		return false;
	if (!found && args->n == 3)
		*out = args->items[2];
	return found || args->n == 3 || fail(err, NNS_MODEL, "'%s' has no attribute '%s'", datum_type_name(args->items[0]), name);
}

BUILTIN(call_hasattr)
{
	const char *name = "";
	struct datum ignored;
	bool found;
	if (!takes(self, args, 2, 2, err) || !attribute_name(self, args, &name, err) || !lang_getattr(in, args->items[0], name, &ignored, &found, err))
		return false;
	*out = datum_bool(found);
	return true;
}

BUILTIN(call_setattr)
{
	const char *name = "";
	*out = datum_none();
	if (!takes(self, args, 3, 3, err) || !attribute_name(self, args, &name, err))
		return false;
	if (!is_host_kind(args->items[0]) || !in->host || !in->host->setattr)
		return fail(err, NNS_MODEL, "attributes of a '%s' cannot be set", datum_type_name(args->items[0]));
	return in->host->setattr(in, args->items[0], name, args->items[2], err);
}

BUILTIN(call_callable)
{
	(void)in;
	if (!takes(self, args, 1, 1, err))
		return false;
	enum datum_kind k = args->items[0].kind;
	*out = datum_bool(k == D_FUNCTION || k == D_MODULE || k == D_CLASS);
	return true;
}

static const struct { const char *name; enum datum_kind kind; } types[] = {
	{ "int", D_INT }, { "float", D_FLOAT }, { "bool", D_BOOL }, { "str", D_STR }, { "tuple", D_TUPLE }, { "list", D_LIST }, { "dict", D_DICT },
	{ "slice", D_SLICE }, { "set", D_LIST },
};

BUILTIN(call_type)
{
	bool found = false;
	if (!takes(self, args, 1, 1, err))
		return false;
	for (size_t i = 0; i < sizeof types / sizeof *types; i++)
		if (types[i].kind == args->items[0].kind)
			return *out = datum_pointer(D_FUNCTION, builtin_find(types[i].name)), true;
	if (!lang_getattr(in, args->items[0], "__class__", out, &found, err))
		return false;
	return found || fail(err, NNS_UNSUPPORTED, "type() of a '%s'", datum_type_name(args->items[0]));
}

static bool is_instance(struct interp *in, struct datum d, struct datum class, int depth, bool *out, nns_error *err)
{
	*out = false;
	if (depth > 100)
		return fail(err, NNS_LIMIT, "isinstance(): tuples of classes are nested too deep");
	if (datum_is_seq(class)) {
		for (size_t i = 0; i < class.u.seq->n && !*out; i++)
			if (!is_instance(in, d, class.u.seq->items[i], depth + 1, out, err))
				return false;
		return true;
	}
	const char *name = class.kind == D_FUNCTION ? ((const struct function *)class.u.p)->name : NULL;
	if (name && builtin_find(name) == class.u.p) {
		for (size_t i = 0; i < sizeof types / sizeof *types; i++)
			if (strcmp(types[i].name, name) == 0 && (d.kind == types[i].kind || (d.kind == D_BOOL && types[i].kind == D_INT)))
				*out = true;
		return true;
	}
	if (class.kind == D_NONE)
		return *out = d.kind == D_NONE, true;
	return !in->host || !in->host->isinstance || in->host->isinstance(in, d, class, out, err);
}

BUILTIN(call_isinstance)
{
	bool is;
	if (!takes(self, args, 2, 2, err) || !is_instance(in, args->items[0], args->items[1], 0, &is, err))
		return false;
	*out = datum_bool(is);
	return true;
}

BUILTIN(call_issubclass)
{
	(void)in;
	if (!takes(self, args, 2, 2, err))
		return false;
	*out = datum_bool(same_object(args->items[0], args->items[1]));
	return true;
}

BUILTIN(call_print)
{
	(void)in, (void)self, (void)args, (void)err;
	*out = datum_none();
	return true;
}

/* An exception is its text. */
BUILTIN(call_exception)
{
	const char *s = self->name;
	if (args->n && !to_str(in, args->items[0], false, &s, err))
		return false;
	*out = datum_str(s);
	return true;
}

static const struct function builtins[] = {
	{ .name = "len", .call = call_len }, { .name = "range", .call = call_range }, { .name = "list", .call = call_list },
	{ .name = "tuple", .call = call_tuple }, { .name = "set", .call = call_set }, { .name = "frozenset", .call = call_set },
	{ .name = "dict", .call = call_dict }, { .name = "OrderedDict", .call = call_dict }, { .name = "zip", .call = call_zip },
	{ .name = "enumerate", .call = call_enumerate }, { .name = "reversed", .call = call_reversed }, { .name = "sorted", .call = call_sorted },
	{ .name = "map", .call = call_map }, { .name = "filter", .call = call_filter }, { .name = "iter", .call = call_iter }, { .name = "next", .call = call_next },
	{ .name = "sum", .call = call_sum }, { .name = "min", .call = call_min }, { .name = "max", .call = call_max },
	{ .name = "any", .call = call_any }, { .name = "all", .call = call_all },
	{ .name = "int", .call = call_int }, { .name = "float", .call = call_float }, { .name = "bool", .call = call_bool },
	{ .name = "str", .call = call_str }, { .name = "repr", .call = call_repr }, { .name = "abs", .call = call_abs }, { .name = "round", .call = call_round },
	{ .name = "divmod", .call = call_divmod }, { .name = "pow", .call = call_pow }, { .name = "slice", .call = call_slice },
	{ .name = "getattr", .call = call_getattr }, { .name = "hasattr", .call = call_hasattr }, { .name = "setattr", .call = call_setattr },
	{ .name = "callable", .call = call_callable }, { .name = "type", .call = call_type }, { .name = "isinstance", .call = call_isinstance },
	{ .name = "issubclass", .call = call_issubclass }, { .name = "print", .call = call_print },
	{ .name = "ValueError", .call = call_exception }, { .name = "TypeError", .call = call_exception }, { .name = "RuntimeError", .call = call_exception },
	{ .name = "NotImplementedError", .call = call_exception }, { .name = "AssertionError", .call = call_exception },
	{ .name = "KeyError", .call = call_exception }, { .name = "IndexError", .call = call_exception }, { .name = "AttributeError", .call = call_exception },
	{ .name = "Exception", .call = call_exception },
};

const struct function *builtin_find(const char *name)
{
	for (size_t i = 0; i < sizeof builtins / sizeof *builtins; i++)
		if (builtins[i].name[0] == name[0] && strcmp(builtins[i].name, name) == 0)
			return &builtins[i];
	return NULL;
}

const char *builtin_name(size_t index)
{
	return index < sizeof builtins / sizeof *builtins ? builtins[index].name : NULL;
}
