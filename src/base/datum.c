#include "base/datum.h"

#include <math.h>
#include <inttypes.h>
#include <string.h>

/*
 * Lists may hold one another many times over, so a small program can make one
 * that is deep or, written out, endless: both are bounded.
 */
enum { MAX_DEPTH = 200, MAX_VISITS = 1000000 };

bool datum_seq(struct arena *a, enum datum_kind kind, size_t n, struct datum *out)
{
	struct seq *s = arena_alloc(a, sizeof *s);

	if (!s)
		return false;
	if (n) {
		s->items = arena_array(a, n, sizeof *s->items);
		if (!s->items)
			return false;
		s->cap = n;
	}
	*out = (struct datum){ .kind = kind, .u.seq = s };
	return true;
}

bool seq_push(struct arena *a, struct seq *s, struct datum item)
{
	struct datum *items = arena_grow(a, s->items, s->n, &s->cap, sizeof *items);

	if (!items)
		return false;
	s->items = items;
	items[s->n++] = item;
	return true;
}

bool datum_ints(struct arena *a, enum datum_kind kind, const int64_t *v, size_t n, struct datum *out)
{
	if (!datum_seq(a, kind, n, out))
		return false;
	for (size_t i = 0; i < n; i++)
		out->u.seq->items[i] = datum_int(v[i]);
	out->u.seq->n = n;
	return true;
}

/* ---- dicts ------------------------------------------------------------------------ */

bool datum_dict(struct arena *a, struct datum *out)
{
	struct dict *d = arena_alloc(a, sizeof *d);

	if (!d)
		return false;
	*out = (struct datum){ .kind = D_DICT, .u.dict = d };
	return true;
}

enum { FEW_KEYS = 16 };      /* are looked through one by one */

/* Equal keys have equal hashes: numbers by their value as a double, tuples by their items, the rest by kind. */
static uint64_t hash_of(struct datum d, int depth)
{
	uint64_t h = 0xcbf29ce484222325u;
	double f;
	if (datum_is_number(d)) {
		f = datum_as_float(d) + 0.0;     /* -0.0 is 0.0 */
		memcpy(&h, &f, sizeof h);
		return (h ^ h >> 29) * 0xbf58476d1ce4e5b9u;
	}
	if (d.kind == D_STR) {
		for (const char *s = d.u.s; *s; s++)
			h = (h ^ (unsigned char)*s) * 0x100000001b3u;
		return h;
	}
	for (size_t i = 0; d.kind == D_TUPLE && depth < 4 && i < d.u.seq->n && i < 16; i++)
		h = (h ^ hash_of(d.u.seq->items[i], depth + 1)) * 0x100000001b3u;
	return h + (uint64_t)d.kind;
}

/* The place of a key in the index, or the empty place where it would be. */
static size_t index_place(const struct dict *d, struct datum key)
{
	uint64_t h = hash_of(key, 0);
	size_t at = (size_t)(h ^ h >> 32) & (d->index_cap - 1);
	while (d->index[at] && !datum_equal(d->keys[d->index[at] - 1], key))
		at = (at + 1) & (d->index_cap - 1);
	return at;
}

/* Brings the index up to date.  False: no memory, or too many keys; then they are looked through. */
static bool index_dict(struct arena *a, struct dict *d)
{
	if (d->n >= UINT32_MAX / 4)
		return false;
	if (!d->index || d->indexed > d->n || d->index_cap < d->n * 2 + 2) {
		size_t cap = 64;
		while (cap < d->n * 4)
			cap *= 2;
		uint32_t *index = arena_array(a, cap, sizeof *index);
		if (!index)
			return false;
		d->index = index;
		d->index_cap = cap;
		d->indexed = 0;
	}
	for (; d->indexed < d->n; d->indexed++)
		d->index[index_place(d, d->keys[d->indexed])] = (uint32_t)d->indexed + 1;
	return true;
}

static struct datum *dict_find(const struct dict *d, struct datum key)
{
	if (d->n > FEW_KEYS && d->index && d->indexed == d->n) {
		size_t at = index_place(d, key);
		return d->index[at] ? &d->values[d->index[at] - 1] : NULL;
	}
	for (size_t i = 0; i < d->n; i++)
		if (datum_equal(d->keys[i], key))
			return &d->values[i];
	return NULL;
}

void dict_remove(struct dict *d, size_t i)
{
	d->n--;
	memmove(&d->keys[i], &d->keys[i + 1], (d->n - i) * sizeof *d->keys);
	memmove(&d->values[i], &d->values[i + 1], (d->n - i) * sizeof *d->values);
	d->index = NULL;         /* places have moved */
	d->indexed = 0;
}

bool dict_put(struct arena *a, struct dict *d, struct datum key, struct datum value)
{
	struct datum *old = dict_find(d, key);

	if (old) {
		*old = value;
		return true;
	}
	size_t key_cap = d->cap, value_cap = d->cap;
	struct datum *keys = arena_grow(a, d->keys, d->n, &key_cap, sizeof *keys);
	struct datum *values = arena_grow(a, d->values, d->n, &value_cap, sizeof *values);
	if (!keys || !values)
		return false;
	d->keys = keys;
	d->values = values;
	d->cap = key_cap;
	keys[d->n] = key;
	values[d->n++] = value;
	if (d->n > FEW_KEYS)
		index_dict(a, d);
	return true;
}

const struct datum *dict_get(const struct dict *d, struct datum key)
{
	return dict_find(d, key);
}

/* ---- equality --------------------------------------------------------------------- */

static bool equal(struct datum a, struct datum b, int depth, int *visits);

static bool equal_seqs(const struct seq *a, const struct seq *b, int depth, int *visits)
{
	if (a == b)
		return true;
	if (a->n != b->n)
		return false;
	for (size_t i = 0; i < a->n; i++)
		if (!equal(a->items[i], b->items[i], depth + 1, visits))
			return false;
	return true;
}

static bool equal_dicts(const struct dict *a, const struct dict *b, int depth, int *visits)
{
	if (a == b)
		return true;
	if (a->n != b->n)
		return false;
	for (size_t i = 0; i < a->n; i++) {
		const struct datum *other = dict_find(b, a->keys[i]);
		if (!other || !equal(a->values[i], *other, depth + 1, visits))
			return false;
	}
	return true;
}

/* Exact, where a cast of the int to double would round. */
static bool int_equals_float(int64_t i, double f)
{
	if (!(f >= -9223372036854775808.0 && f < 9223372036854775808.0))
		return false;
	return f == floor(f) && (int64_t)f == i;
}

static bool equal_numbers(struct datum a, struct datum b)
{
	if (a.kind == D_FLOAT && b.kind == D_FLOAT)
		return a.u.f == b.u.f;
	if (a.kind == D_FLOAT)
		return int_equals_float(datum_as_int(b), a.u.f);
	if (b.kind == D_FLOAT)
		return int_equals_float(datum_as_int(a), b.u.f);
	return datum_as_int(a) == datum_as_int(b);
}

static bool equal(struct datum a, struct datum b, int depth, int *visits)
{
	if (depth > MAX_DEPTH || ++*visits > MAX_VISITS)
		return false;
	if (datum_is_number(a) && datum_is_number(b))
		return equal_numbers(a, b);
	if (a.kind != b.kind)
		return false;
	switch (a.kind) {
	case D_NONE:
	case D_ELLIPSIS:
		return true;
	case D_STR:
		return strcmp(a.u.s, b.u.s) == 0;
	case D_TUPLE:
	case D_LIST:
		return equal_seqs(a.u.seq, b.u.seq, depth, visits);
	case D_DICT:
		return equal_dicts(a.u.dict, b.u.dict, depth, visits);
	case D_SLICE:
		return equal(a.u.slice->start, b.u.slice->start, depth + 1, visits) &&
		       equal(a.u.slice->stop, b.u.slice->stop, depth + 1, visits) &&
		       equal(a.u.slice->step, b.u.slice->step, depth + 1, visits);
	case D_DTYPE:
		return a.u.i == b.u.i;
	default:
		return a.u.p == b.u.p;
	}
}

bool datum_equal(struct datum a, struct datum b)
{
	int visits = 0;

	return equal(a, b, 0, &visits);
}

bool datum_truth(struct datum d)
{
	switch (d.kind) {
	case D_NONE:
		return false;
	case D_BOOL:
		return d.u.b;
	case D_INT:
		return d.u.i != 0;
	case D_FLOAT:
		return d.u.f != 0; /* nan is true */
	case D_STR:
		return d.u.s[0] != '\0';
	case D_TUPLE:
	case D_LIST:
		return d.u.seq->n != 0;
	case D_DICT:
		return d.u.dict->n != 0;
	default:
		return true;
	}
}

const char *datum_type_name(struct datum d)
{
	static const char *const names[] = {
		[D_NONE] = "NoneType", [D_BOOL] = "bool", [D_INT] = "int", [D_FLOAT] = "float",
		[D_STR] = "str", [D_TUPLE] = "tuple", [D_LIST] = "list", [D_DICT] = "dict",
		[D_SLICE] = "slice", [D_ELLIPSIS] = "ellipsis", [D_DTYPE] = "dtype",
		[D_TENSOR] = "Tensor", [D_MODULE] = "Module", [D_CLASS] = "class",
		[D_FUNCTION] = "function", [D_HOST] = "object",
	};

	return names[d.kind];
}

const char *datum_a(struct datum d)
{
	return strchr("aeio", datum_type_name(d)[0]) ? "an" : "a";
}

/* ---- repr ------------------------------------------------------------------------- */

struct writer {
	struct text *t;
	void (*host)(struct text *, struct datum);
	int visits;
};

static void write_datum(struct writer *w, struct datum d, int depth);

static void write_seq(struct writer *w, struct datum d, int depth)
{
	const struct seq *s = d.u.seq;

	text_addc(w->t, d.kind == D_TUPLE ? '(' : '[');
	for (size_t i = 0; i < s->n && w->visits <= MAX_VISITS; i++) {
		if (i)
			text_add(w->t, ", ");
		write_datum(w, s->items[i], depth + 1);
	}
	if (d.kind == D_TUPLE && s->n == 1)
		text_addc(w->t, ',');
	text_addc(w->t, d.kind == D_TUPLE ? ')' : ']');
}

static void write_dict(struct writer *w, const struct dict *d, int depth)
{
	text_addc(w->t, '{');
	for (size_t i = 0; i < d->n && w->visits <= MAX_VISITS; i++) {
		if (i)
			text_add(w->t, ", ");
		write_datum(w, d->keys[i], depth + 1);
		text_add(w->t, ": ");
		write_datum(w, d->values[i], depth + 1);
	}
	text_addc(w->t, '}');
}

static void write_slice(struct writer *w, const struct slice *s, int depth)
{
	text_add(w->t, "slice(");
	write_datum(w, s->start, depth + 1);
	text_add(w->t, ", ");
	write_datum(w, s->stop, depth + 1);
	text_add(w->t, ", ");
	write_datum(w, s->step, depth + 1);
	text_addc(w->t, ')');
}

static void write_datum(struct writer *w, struct datum d, int depth)
{
	if (depth > MAX_DEPTH || ++w->visits > MAX_VISITS) {
		text_add(w->t, "...");
		return;
	}
	switch (d.kind) {
	case D_NONE:
		text_add(w->t, "None");
		break;
	case D_BOOL:
		text_add(w->t, d.u.b ? "True" : "False");
		break;
	case D_INT:
		text_addf(w->t, "%" PRId64, d.u.i);
		break;
	case D_FLOAT:
		text_add_float(w->t, d.u.f);
		break;
	case D_STR:
		text_add_quoted(w->t, d.u.s);
		break;
	case D_TUPLE:
	case D_LIST:
		write_seq(w, d, depth);
		break;
	case D_DICT:
		write_dict(w, d.u.dict, depth);
		break;
	case D_SLICE:
		write_slice(w, d.u.slice, depth);
		break;
	case D_ELLIPSIS:
		text_add(w->t, "Ellipsis");
		break;
	default:
		if (w->host)
			w->host(w->t, d);
		else
			text_addf(w->t, "<%s>", datum_type_name(d));
	}
}

void datum_repr(struct text *t, struct datum d, void (*host)(struct text *, struct datum))
{
	struct writer w = { t, host, 0 };

	write_datum(&w, d, 0);
}
