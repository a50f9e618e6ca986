/* Built-in functions over sequences: making them, walking them, folding them. */
#include <string.h>

#include "lang/builtins.h"

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

const struct function builtins_items[] = {
	{ .name = "len", .call = call_len }, { .name = "range", .call = call_range }, { .name = "list", .call = call_list },
	{ .name = "tuple", .call = call_tuple }, { .name = "set", .call = call_set }, { .name = "frozenset", .call = call_set },
	{ .name = "dict", .call = call_dict }, { .name = "OrderedDict", .call = call_dict }, { .name = "zip", .call = call_zip },
	{ .name = "enumerate", .call = call_enumerate }, { .name = "reversed", .call = call_reversed }, { .name = "sorted", .call = call_sorted },
	{ .name = "map", .call = call_map }, { .name = "filter", .call = call_filter }, { .name = "iter", .call = call_iter },
	{ .name = "next", .call = call_next }, { .name = "sum", .call = call_sum }, { .name = "min", .call = call_min },
	{ .name = "max", .call = call_max }, { .name = "any", .call = call_any }, { .name = "all", .call = call_all },
	{ 0 }
};
