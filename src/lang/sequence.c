/* What sequences, dicts and strings can do: iteration, length, truth, `in`, subscripts. */
#include <string.h>

#include "lang/eval.h"

/* Keys cannot change, nor hold what can. */
static bool hashable(struct datum key, int depth)
{
	if (key.kind == D_LIST || key.kind == D_DICT || key.kind == D_SLICE || depth > 50)
		return false;
	for (size_t i = 0; key.kind == D_TUPLE && i < key.u.seq->n; i++)
		if (!hashable(key.u.seq->items[i], depth + 1))
			return false;
	return true;
}

bool dict_store(struct interp *in, struct dict *d, struct datum key, struct datum value, nns_error *err)
{
	if (!hashable(key, 0))
		return fail(err, NNS_MODEL, "unhashable type: '%s'", datum_type_name(key));
	return dict_put(in->arena, d, key, value) || fail_memory(err);
}

/* ---- Strings by code points ---- */

static size_t point_bytes(const char *s)
{
	size_t n = 1;
	while (((unsigned char)s[n] & 0xc0) == 0x80)
		n++;
	return n;
}

static bool characters(struct interp *in, const char *s, struct datum *out, nns_error *err)
{
	if (!datum_seq(in->arena, D_LIST, strlen(s), out))
		return fail_memory(err);
	for (size_t n; *s; s += n) {
		n = point_bytes(s);
		char *c = arena_strndup(in->arena, s, n);
		if (!c || !seq_push(in->arena, out->u.seq, datum_str(c)))
			return fail_memory(err);
	}
	return true;
}

/* ---- Iteration, length, truth ---- */

bool items_of(struct interp *in, struct datum d, struct seq **out, nns_error *err)
{
	struct datum list = d;
	switch (d.kind) {
	case D_TUPLE: case D_LIST:
		break;
	case D_STR:
		if (!characters(in, d.u.s, &list, err))
			return false;
		break;
	case D_DICT:
		if (!datum_seq(in->arena, D_LIST, d.u.dict->n, &list))
			return fail_memory(err);
		for (size_t i = 0; i < d.u.dict->n; i++)
			if (!seq_push(in->arena, list.u.seq, d.u.dict->keys[i]))
				return fail_memory(err);
		break;
	default:
		if (!is_host_kind(d) || !in->host || !in->host->items)
			return fail(err, NNS_MODEL, "'%s' is not iterable", datum_type_name(d));
		if (!in->host->items(in, d, &list, err))
			return false;
	}
	if (!datum_is_seq(list))
		return fail(err, NNS_MODEL, "'%s' is not iterable", datum_type_name(d));
	*out = list.u.seq;
	return true;
}

bool truth_of(struct interp *in, struct datum d, bool *out, nns_error *err)
{
	if (is_host_kind(d) && in->host && in->host->truth)
		return in->host->truth(in, d, out, err);
	*out = datum_truth(d);
	return true;
}

bool length_of(struct interp *in, struct datum d, int64_t *out, nns_error *err)
{
	switch (d.kind) {
	case D_TUPLE: case D_LIST: *out = (int64_t)d.u.seq->n; return true;
	case D_DICT: *out = (int64_t)d.u.dict->n; return true;
	case D_STR: *out = (int64_t)utf8_length(d.u.s); return true;
	default:
		if (is_host_kind(d) && in->host && in->host->length)
			return in->host->length(in, d, out, err);
		return fail(err, NNS_MODEL, "object of type '%s' has no len()", datum_type_name(d));
	}
}

bool contains(struct interp *in, struct datum container, struct datum item, bool *out, nns_error *err)
{
	struct seq *items;
	*out = false;
	if (container.kind == D_DICT)
		return *out = dict_get(container.u.dict, item) != NULL, true;
	if (container.kind == D_STR) {
		if (item.kind != D_STR)
			return fail(err, NNS_MODEL, "'in <string>' requires a string, not '%s'", datum_type_name(item));
		return *out = strstr(container.u.s, item.u.s) != NULL, true;
	}
	if (is_host_kind(container) && in->host && in->host->contains)
		return in->host->contains(in, container, item, out, err);
	if (!items_of(in, container, &items, err))
		return false;
	for (size_t i = 0; i < items->n && !*out; i++)
		*out = same_object(items->items[i], item) || datum_equal(items->items[i], item);
	return true;
}

/* ---- Subscripts ---- */

static bool slice_part(struct datum d, int64_t *out, nns_error *err)
{
	if (d.kind == D_NONE)
		return true;
	if (!datum_is_int(d))
		return fail(err, NNS_MODEL, "slice indices must be integers or None, not '%s'", datum_type_name(d));
	*out = datum_as_int(d);
	return true;
}

static int64_t clamp(int64_t i, int64_t n, int64_t low, int64_t high)
{
	if (i < 0)
		i += n;
	return i < low ? low : i > high ? high : i;
}

/* Python's slice.indices(n). */
static bool slice_range(const struct slice *s, int64_t n, int64_t *start, int64_t *stop, int64_t *step, nns_error *err)
{
	*step = 1;
	if (!slice_part(s->step, step, err))
		return false;
	if (*step == 0 || *step == INT64_MIN)
		return fail(err, NNS_MODEL, "slice step cannot be zero");
	bool down = *step < 0;
	*start = down ? n - 1 : 0;
	*stop = down ? -1 : n;
	if (!slice_part(s->start, start, err) || (s->stop.kind != D_NONE && !slice_part(s->stop, stop, err)))
		return false;
	if (s->start.kind != D_NONE)
		*start = clamp(*start, n, down ? -1 : 0, down ? n - 1 : n);
	if (s->stop.kind != D_NONE)
		*stop = clamp(*stop, n, down ? -1 : 0, down ? n - 1 : n);
	return true;
}

static bool slice_of(struct interp *in, struct datum obj, const struct slice *s, struct datum *out, nns_error *err)
{
	int64_t start, stop, step;
	const struct seq *from = obj.u.seq;
	if (!slice_range(s, (int64_t)from->n, &start, &stop, &step, err))
		return false;
	if (!datum_seq(in->arena, obj.kind, 0, out))
		return fail_memory(err);
	for (int64_t i = start; step > 0 ? i < stop : i > stop; i += step) {
		if (!seq_push(in->arena, out->u.seq, from->items[i]))
			return fail_memory(err);
		if (step > 0 ? step >= stop - i : step <= stop - i)
			break;
	}
	return true;
}

static bool position(struct datum index, size_t n, const char *type, size_t *out, nns_error *err)
{
	if (!datum_is_int(index))
		return fail(err, NNS_MODEL, "%s indices must be integers or slices, not '%s'", type, datum_type_name(index));
	int64_t i = datum_as_int(index);
	if (i < -(int64_t)n || i >= (int64_t)n)
		return fail(err, NNS_MODEL, "%s index %lld is out of range for %zu item%s", type, (long long)i, n, n == 1 ? "" : "s");
	*out = (size_t)(i < 0 ? i + (int64_t)n : i);
	return true;
}

static bool string_item(struct interp *in, struct datum obj, struct datum index, struct datum *out, nns_error *err)
{
	struct datum list, part;
	struct text t;
	if (!characters(in, obj.u.s, &list, err) || !get_item(in, list, index, &part, err))
		return false;
	if (part.kind == D_STR)
		return *out = part, true;
	text_init(&t);
	for (size_t i = 0; i < part.u.seq->n; i++)
		text_add(&t, part.u.seq->items[i].u.s);
	return text_to_str(in, &t, out, err);
}

static bool fail_key(struct interp *in, struct datum key, nns_error *err)
{
	const char *text;
	return to_str(in, key, true, &text, err) && fail(err, NNS_MODEL, "the dict has no key %s", text);
}

bool get_item(struct interp *in, struct datum obj, struct datum index, struct datum *out, nns_error *err)
{
	size_t i;
	const struct datum *v;
	switch (obj.kind) {
	case D_TUPLE: case D_LIST:
		if (index.kind == D_SLICE)
			return slice_of(in, obj, index.u.slice, out, err);
		if (!position(index, obj.u.seq->n, datum_type_name(obj), &i, err))
			return false;
		*out = obj.u.seq->items[i];
		return true;
	case D_DICT:
		if (!(v = dict_get(obj.u.dict, index)))
			return fail_key(in, index, err);
		*out = *v;
		return true;
	case D_STR: return string_item(in, obj, index, out, err);
	default:
		if (is_host_kind(obj) && in->host && in->host->getitem)
			return in->host->getitem(in, obj, index, out, err);
		return fail(err, NNS_MODEL, "'%s' is not subscriptable", datum_type_name(obj));
	}
}

bool set_item(struct interp *in, struct datum obj, struct datum index, struct datum v, nns_error *err)
{
	size_t i;
	switch (obj.kind) {
	case D_LIST:
		if (!position(index, obj.u.seq->n, "list", &i, err))
			return false;
		obj.u.seq->items[i] = v;
		return true;
	case D_DICT: return dict_store(in, obj.u.dict, index, v, err);
	default:
		if (is_host_kind(obj) && in->host && in->host->setitem)
			return in->host->setitem(in, obj, index, v, err);
		return fail(err, NNS_MODEL, "items of a '%s' cannot be assigned", datum_type_name(obj));
	}
}

bool delete_item(struct interp *in, struct datum obj, struct datum index, nns_error *err)
{
	size_t i = 0;
	if (obj.kind == D_LIST) {
		struct seq *s = obj.u.seq;
		if (!position(index, s->n, "list", &i, err))
			return false;
		memmove(&s->items[i], &s->items[i + 1], (--s->n - i) * sizeof *s->items);
		return true;
	}
	if (obj.kind != D_DICT)
		return fail(err, NNS_MODEL, "items of a '%s' cannot be deleted", datum_type_name(obj));
	struct dict *d = obj.u.dict;
	const struct datum *v = dict_get(d, index);
	if (!v)
		return fail_key(in, index, err);
	i = (size_t)(v - d->values);
	dict_remove(d, i);
	return true;
}
