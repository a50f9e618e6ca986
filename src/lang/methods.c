/* Methods of plain values: str, list, dict, tuple, numbers. */
#include <ctype.h>
#include <math.h>
#include <string.h>

#include "lang/eval.h"

#define METHOD(name) static bool name(struct interp *in, const struct function *self, const struct lang_args *args, struct datum *out, nns_error *err)

static struct datum argument(const struct lang_args *args, size_t i, struct datum none)
{
	return i < args->n ? args->items[i] : none;
}

static bool one_str(const struct function *self, const struct lang_args *args, const char **out, nns_error *err)
{
	if (args->n < 1 || args->items[0].kind != D_STR)
		return fail(err, NNS_MODEL, "%s() takes a str", self->name);
	*out = args->items[0].u.s;
	return true;
}

static bool new_str(struct interp *in, const char *s, size_t n, struct datum *out, nns_error *err)
{
	char *copy = arena_strndup(in->arena, s, n);
	*out = datum_str(copy);
	return copy || fail_memory(err);
}

/* ---- str ---- */

METHOD(str_format)
{
	return brace_format(in, self->self.u.s, args, out, err);
}

METHOD(str_join)
{
	struct seq *items;
	struct text t;
	if (args->n != 1)
		return fail(err, NNS_MODEL, "join() takes one argument");
	if (!items_of(in, args->items[0], &items, err))
		return false;
	text_init(&t);
	for (size_t i = 0; i < items->n; i++) {
		if (items->items[i].kind != D_STR) {
			text_release(&t);
			return fail(err, NNS_MODEL, "join(): item %zu is a '%s', not a str", i, datum_type_name(items->items[i]));
		}
		if (i)
			text_add(&t, self->self.u.s);
		text_add(&t, items->items[i].u.s);
	}
	return text_to_str(in, &t, out, err);
}

METHOD(str_split)
{
	struct datum separator = argument(args, 0, datum_none()), part;
	const char *s = self->self.u.s;
	if (!datum_seq(in->arena, D_LIST, 0, out))
		return fail_memory(err);
	if (separator.kind == D_STR && !*separator.u.s)
		return fail(err, NNS_MODEL, "empty separator");
	while (separator.kind != D_STR) {
		s += strspn(s, " \t\r\n\f\v");
		size_t n = strcspn(s, " \t\r\n\f\v");
		if (!n)
			return true;
		if (!new_str(in, s, n, &part, err) || !seq_push(in->arena, out->u.seq, part))
			return fail_memory(err);
		s += n;
	}
	for (const char *next; ; s = next + strlen(separator.u.s)) {
		next = strstr(s, separator.u.s);
		if (!new_str(in, s, next ? (size_t)(next - s) : strlen(s), &part, err) || !seq_push(in->arena, out->u.seq, part))
			return fail_memory(err);
		if (!next)
			return true;
	}
}

static bool has_affix(const char *s, struct datum affix, bool end)
{
	size_t n = strlen(s), m = affix.kind == D_STR ? strlen(affix.u.s) : n + 1;
	return m <= n && memcmp(end ? s + n - m : s, affix.u.s, m) == 0;
}

static bool any_affix(const struct function *self, const struct lang_args *args, bool end, struct datum *out)
{
	struct datum affix = argument(args, 0, datum_none());
	bool found = has_affix(self->self.u.s, affix, end);
	for (size_t i = 0; affix.kind == D_TUPLE && i < affix.u.seq->n; i++)
		found = found || has_affix(self->self.u.s, affix.u.seq->items[i], end);
	*out = datum_bool(found);
	return true;
}

METHOD(str_startswith)
{
	(void)in, (void)err;
	return any_affix(self, args, false, out);
}

METHOD(str_endswith)
{
	(void)in, (void)err;
	return any_affix(self, args, true, out);
}

static bool change_case(struct interp *in, const char *s, int (*change)(int), struct datum *out, nns_error *err)
{
	char *copy = arena_strdup(in->arena, s);
	for (char *p = copy; p && *p; p++)
		*p = (char)change((unsigned char)*p);
	*out = datum_str(copy);
	return copy || fail_memory(err);
}

METHOD(str_upper)
{
	(void)args;
	return change_case(in, self->self.u.s, toupper, out, err);
}

METHOD(str_lower)
{
	(void)args;
	return change_case(in, self->self.u.s, tolower, out, err);
}

static bool strip(struct interp *in, const struct function *self, const struct lang_args *args, int sides, struct datum *out, nns_error *err)
{
	struct datum set = argument(args, 0, datum_str(" \t\r\n\f\v"));
	const char *s = self->self.u.s;
	if (set.kind != D_STR)
		return fail(err, NNS_MODEL, "%s() takes a str", self->name);
	if (sides & 1)
		s += strspn(s, set.u.s);
	size_t n = strlen(s);
	while ((sides & 2) && n > 0 && strchr(set.u.s, s[n - 1]))
		n--;
	return new_str(in, s, n, out, err);
}

METHOD(str_strip) { return strip(in, self, args, 3, out, err); }
METHOD(str_lstrip) { return strip(in, self, args, 1, out, err); }
METHOD(str_rstrip) { return strip(in, self, args, 2, out, err); }

METHOD(str_replace)
{
	const char *from = "", *s = self->self.u.s;
	struct text t;
	if (!one_str(self, args, &from, err))
		return false;
	if (args->n < 2 || args->items[1].kind != D_STR || !*from)
		return fail(err, NNS_MODEL, "replace() takes two strs");
	text_init(&t);
	for (const char *next; (next = strstr(s, from)); s = next + strlen(from)) {
		text_addn(&t, s, (size_t)(next - s));
		text_add(&t, args->items[1].u.s);
	}
	text_add(&t, s);
	return text_to_str(in, &t, out, err);
}

METHOD(str_isdigit)
{
	const char *s = self->self.u.s;
	(void)in, (void)args, (void)err;
	*out = datum_bool(*s && strspn(s, "0123456789") == strlen(s));
	return true;
}

METHOD(str_find)
{
	const char *what = "", *p;
	(void)in;
	if (!one_str(self, args, &what, err))
		return false;
	p = strstr(self->self.u.s, what);
	*out = datum_int(p ? p - self->self.u.s : -1);
	return true;
}

METHOD(str_count)
{
	const char *what = "";
	int64_t n = 0;
	(void)in;
	if (!one_str(self, args, &what, err))
		return false;
	for (const char *p = self->self.u.s; *what && (p = strstr(p, what)); p += strlen(what))
		n++;
	*out = datum_int(n);
	return true;
}

/* ---- list, tuple ---- */

METHOD(list_append)
{
	*out = datum_none();
	if (args->n != 1)
		return fail(err, NNS_MODEL, "append() takes one argument");
	return seq_push(in->arena, self->self.u.seq, args->items[0]) || fail_memory(err);
}

METHOD(list_extend)
{
	if (args->n != 1)
		return fail(err, NNS_MODEL, "extend() takes one argument");
	bool ok = augmented(in, OP_ADD, self->self, args->items[0], out, err);
	*out = datum_none();
	return ok;
}

static int64_t clamped(int64_t i, int64_t n)
{
	i = i < 0 ? i + n : i;
	return i < 0 ? 0 : i > n ? n : i;
}

METHOD(list_insert)
{
	struct seq *s = self->self.u.seq;
	if (args->n != 2 || !datum_is_int(args->items[0]))
		return fail(err, NNS_MODEL, "insert() takes an index and an item");
	size_t i = (size_t)clamped(datum_as_int(args->items[0]), (int64_t)s->n);
	if (!seq_push(in->arena, s, args->items[1]))
		return fail_memory(err);
	memmove(&s->items[i + 1], &s->items[i], (s->n - 1 - i) * sizeof *s->items);
	s->items[i] = args->items[1];
	*out = datum_none();
	return true;
}

METHOD(list_pop)
{
	struct datum index = argument(args, 0, datum_int(-1));
	return get_item(in, self->self, index, out, err) && delete_item(in, self->self, index, err);
}

METHOD(seq_index)
{
	const struct seq *s = self->self.u.seq;
	(void)in;
	for (size_t i = 0; args->n && i < s->n; i++)
		if (datum_equal(s->items[i], args->items[0]))
			return *out = datum_int((int64_t)i), true;
	return fail(err, NNS_MODEL, "index(): the item is not there");
}

METHOD(seq_count)
{
	const struct seq *s = self->self.u.seq;
	int64_t n = 0;
	(void)in, (void)err;
	for (size_t i = 0; args->n && i < s->n; i++)
		n += datum_equal(s->items[i], args->items[0]);
	*out = datum_int(n);
	return true;
}

METHOD(list_reverse)
{
	struct seq *s = self->self.u.seq;
	(void)in, (void)args, (void)err;
	for (size_t i = 0; i < s->n / 2; i++) {
		struct datum d = s->items[i];
		s->items[i] = s->items[s->n - 1 - i];
		s->items[s->n - 1 - i] = d;
	}
	*out = datum_none();
	return true;
}

METHOD(list_sort)
{
	struct lang_args sorted = *args;
	sorted.items = (struct datum *)&self->self;
	sorted.n = 1;
	struct datum f = datum_pointer(D_FUNCTION, builtin_find("sorted")), all;
	if (args->n > 0)
		return fail(err, NNS_MODEL, "sort() takes keywords only");
	if (!lang_call(in, f, &sorted, &all, err))
		return false;
	for (size_t i = 0; i < self->self.u.seq->n && i < all.u.seq->n; i++)
		self->self.u.seq->items[i] = all.u.seq->items[i];
	return *out = datum_none(), true;
}

METHOD(list_remove)
{
	struct datum i;
	*out = datum_none();
	return seq_index(in, self, args, &i, err) && delete_item(in, self->self, i, err);
}

METHOD(list_clear)
{
	(void)in, (void)args, (void)err;
	self->self.u.seq->n = 0;
	return *out = datum_none(), true;
}

METHOD(list_copy)
{
	struct slice all = { 0 };
	(void)args;
	return get_item(in, self->self, datum_pointer(D_SLICE, &all), out, err);
}

METHOD(tuple_numel)
{
	*out = datum_int(1);
	(void)args;
	for (size_t i = 0; i < self->self.u.seq->n; i++)
		if (!lang_binary(in, OP_MUL, *out, self->self.u.seq->items[i], out, err))
			return false;
	return true;
}

/* ---- dict ---- */

METHOD(dict_get_method)
{
	const struct datum *v = args->n ? dict_get(self->self.u.dict, args->items[0]) : NULL;
	(void)in, (void)err;
	*out = v ? *v : argument(args, 1, datum_none());
	return true;
}

METHOD(dict_keys)
{
	struct seq *keys;
	(void)args;
	if (!items_of(in, self->self, &keys, err))
		return false;
	*out = datum_pointer(D_LIST, keys);
	return true;
}

METHOD(dict_values)
{
	const struct dict *d = self->self.u.dict;
	(void)args;
	if (!datum_seq(in->arena, D_LIST, d->n, out))
		return fail_memory(err);
	for (size_t i = 0; i < d->n; i++)
		if (!seq_push(in->arena, out->u.seq, d->values[i]))
			return fail_memory(err);
	return true;
}

METHOD(dict_items)
{
	const struct dict *d = self->self.u.dict;
	struct datum pair;
	(void)args;
	if (!datum_seq(in->arena, D_LIST, d->n, out))
		return fail_memory(err);
	for (size_t i = 0; i < d->n; i++)
		if (!datum_seq(in->arena, D_TUPLE, 2, &pair) || !seq_push(in->arena, pair.u.seq, d->keys[i])
		    || !seq_push(in->arena, pair.u.seq, d->values[i]) || !seq_push(in->arena, out->u.seq, pair))
			return fail_memory(err);
	return true;
}

METHOD(dict_pop)
{
	const struct datum *v = args->n ? dict_get(self->self.u.dict, args->items[0]) : NULL;
	if (!v && args->n == 2)
		return *out = args->items[1], true;
	*out = v ? *v : datum_none();
	return delete_item(in, self->self, argument(args, 0, datum_none()), err);
}

METHOD(dict_update)
{
	struct datum from = argument(args, 0, datum_none());
	*out = datum_none();
	if (from.kind != D_DICT && args->n)
		return fail(err, NNS_MODEL, "update() takes a dict");
	for (size_t i = 0; args->n && i < from.u.dict->n; i++)
		if (!dict_put(in->arena, self->self.u.dict, from.u.dict->keys[i], from.u.dict->values[i]))
			return fail_memory(err);
	for (size_t i = 0; i < args->n_named; i++)
		if (!dict_put(in->arena, self->self.u.dict, datum_str(args->names[i]), args->values[i]))
			return fail_memory(err);
	return true;
}

METHOD(dict_setdefault)
{
	const struct datum *v = args->n ? dict_get(self->self.u.dict, args->items[0]) : NULL;
	*out = v ? *v : argument(args, 1, datum_none());
	return v || !args->n || dict_store(in, self->self.u.dict, args->items[0], *out, err);
}

/* ---- numbers ---- */

METHOD(int_bit_length)
{
	int64_t i = datum_as_int(self->self), n = 0;
	(void)in, (void)args, (void)err;
	for (uint64_t u = i < 0 ? 0 - (uint64_t)i : (uint64_t)i; u; u >>= 1)
		n++;
	*out = datum_int(n);
	return true;
}

METHOD(float_is_integer)
{
	(void)in, (void)args, (void)err;
	*out = datum_bool(floor(self->self.u.f) == self->self.u.f);
	return true;
}

static const struct { enum datum_kind kind; struct function f; } rows[] = {
	{ D_STR, { .name = "format", .call = str_format } }, { D_STR, { .name = "join", .call = str_join } }, { D_STR, { .name = "split", .call = str_split } },
	{ D_STR, { .name = "startswith", .call = str_startswith } }, { D_STR, { .name = "endswith", .call = str_endswith } },
	{ D_STR, { .name = "upper", .call = str_upper } },
	{ D_STR, { .name = "lower", .call = str_lower } }, { D_STR, { .name = "strip", .call = str_strip } },
	{ D_STR, { .name = "lstrip", .call = str_lstrip } }, { D_STR, { .name = "rstrip", .call = str_rstrip } },
	{ D_STR, { .name = "replace", .call = str_replace } }, { D_STR, { .name = "isdigit", .call = str_isdigit } },
	{ D_STR, { .name = "find", .call = str_find } }, { D_STR, { .name = "count", .call = str_count } },
	{ D_LIST, { .name = "append", .call = list_append } }, { D_LIST, { .name = "extend", .call = list_extend } },
	{ D_LIST, { .name = "insert", .call = list_insert } },
	{ D_LIST, { .name = "pop", .call = list_pop } }, { D_LIST, { .name = "index", .call = seq_index } }, { D_LIST, { .name = "count", .call = seq_count } },
	{ D_LIST, { .name = "reverse", .call = list_reverse } }, { D_LIST, { .name = "copy", .call = list_copy } }, { D_LIST, { .name = "sort", .call = list_sort } },
	{ D_LIST, { .name = "remove", .call = list_remove } }, { D_LIST, { .name = "clear", .call = list_clear } },
	{ D_TUPLE, { .name = "index", .call = seq_index } }, { D_TUPLE, { .name = "count", .call = seq_count } },
	{ D_TUPLE, { .name = "numel", .call = tuple_numel } },
	{ D_DICT, { .name = "get", .call = dict_get_method } }, { D_DICT, { .name = "keys", .call = dict_keys } },
	{ D_DICT, { .name = "values", .call = dict_values } },
	{ D_DICT, { .name = "items", .call = dict_items } }, { D_DICT, { .name = "pop", .call = dict_pop } }, { D_DICT, { .name = "update", .call = dict_update } },
	{ D_DICT, { .name = "setdefault", .call = dict_setdefault } },
	{ D_INT, { .name = "bit_length", .call = int_bit_length } }, { D_FLOAT, { .name = "is_integer", .call = float_is_integer } },
};

bool plain_method(struct interp *in, struct datum obj, const char *name, struct datum *out, bool *found, nns_error *err)
{
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		if (rows[i].kind != obj.kind || strcmp(rows[i].f.name, name) != 0)
			continue;
		struct function f = rows[i].f;
		f.self = obj;
		return *found = lang_function(in->arena, f, out, err);
	}
	return true;
}

const char *plain_method_name(struct datum obj, size_t index)
{
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
		if (rows[i].kind == obj.kind && index-- == 0)
			return rows[i].f.name;
	return NULL;
}
