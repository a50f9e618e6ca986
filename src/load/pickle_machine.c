/* The stack, the memo and the objects of the pickle machine; pickle.c has its opcodes. */
#include "load/pickle_machine.h"

#include <stdlib.h>
#include <string.h>

const char pickled_host[] = "pickled";

enum {
	MAX_STACK = 50000000,    /* also as many as the pickle has bytes: every opcode pushes one at most */
	MAX_MEMO = 50000000,
	FEW_KEYS = 16            /* without an index, base/datum.c */
};

bool machine_fail(struct machine *m, const char *what)
{
	return fail(m->err, NNS_FORMAT, "byte %zu of the pickle: %s", m->opcode_at, what);
}

struct pickled *pickled_of(struct datum d)
{
	struct pickled *p = d.kind == D_HOST ? d.u.p : NULL;
	return p && p->host.kind == pickled_host ? p : NULL;
}

bool pickled_is_result(struct datum d)
{
	enum { FAR = 100 };
	const struct pickled *p = pickled_of(d);
	int calls = 0;
	for (; p && p->kind == PICKLED_CALL && calls < FAR; calls++)
		p = pickled_of(p->callee);
	return calls > 0 && p && (p->kind == PICKLED_GLOBAL || calls == FAR);
}

/* ---- Reading ---- */

bool machine_take(struct machine *m, uint64_t n, const unsigned char **out)
{
	*out = reader_bytes(&m->in, n);
	return *out || machine_fail(m, "it ends in the middle of an opcode");
}

bool machine_take_number(struct machine *m, int bytes, uint64_t *out)
{
	*out = reader_number(&m->in, bytes);
	return !m->in.failed || machine_fail(m, "it ends in the middle of an opcode");
}

/* Up to a newline, which is not part of it. */
bool machine_take_line(struct machine *m, char **out, size_t *n)
{
	const unsigned char *start = m->in.data + m->in.at, *end = memchr(start, '\n', reader_left(&m->in));
	if (!end)
		return machine_fail(m, "a line without an end");
	*n = (size_t)(end - start);
	*out = arena_strndup(m->arena, (const char *)start, *n);
	m->in.at += *n + 1;
	return *out || fail_memory(m->err);
}

/* ---- The stack ---- */

bool machine_push(struct machine *m, struct datum d)
{
	if (m->n >= MAX_STACK)
		return fail(m->err, NNS_LIMIT, "byte %zu of the pickle: the stack is deeper than nnscope allows", m->opcode_at);
	struct datum *grown = arena_grow(m->arena, m->stack, m->n, &m->cap, sizeof *grown);
	if (!grown)
		return fail_memory(m->err);
	m->stack = grown;
	grown[m->n++] = d;
	return true;
}

size_t machine_floor(const struct machine *m)
{
	return m->n_marks ? m->marks[m->n_marks - 1] : 0;
}

bool machine_pop(struct machine *m, struct datum *out)
{
	if (m->n <= machine_floor(m))
		return machine_fail(m, "the stack is empty");
	*out = m->stack[--m->n];
	return true;
}

bool machine_top(struct machine *m, struct datum **out)
{
	if (m->n <= machine_floor(m))
		return machine_fail(m, "the stack is empty");
	*out = &m->stack[m->n - 1];
	return true;
}

bool machine_mark(struct machine *m)
{
	size_t *grown = arena_grow(m->arena, m->marks, m->n_marks, &m->cap_marks, sizeof *grown);
	if (!grown)
		return fail_memory(m->err);
	m->marks = grown;
	grown[m->n_marks++] = m->n;
	return true;
}

/* What lies above the last mark, which goes. */
bool machine_pop_mark(struct machine *m, struct datum **items, size_t *n)
{
	if (m->n_marks == 0)
		return machine_fail(m, "there is no mark");
	size_t from = m->marks[--m->n_marks];
	*items = m->stack + from;
	*n = m->n - from;
	m->n = from;
	return true;
}

bool machine_push_seq(struct machine *m, enum datum_kind kind, const struct datum *items, size_t n)
{
	struct datum d;
	if (!datum_seq(m->arena, kind, n, &d))
		return fail_memory(m->err);
	for (size_t i = 0; i < n; i++)
		if (!seq_push(m->arena, d.u.seq, items[i]))
			return fail_memory(m->err);
	return machine_push(m, d);
}

/* ---- Objects ---- */

struct pickled *machine_new_object(struct machine *m, enum pickled_kind kind)
{
	struct pickled *p = arena_alloc(m->arena, sizeof *p);
	if (!p)
		return fail_memory(m->err), NULL;
	*p = (struct pickled){ .host = { pickled_host, NULL }, .kind = kind, .at = m->opcode_at };
	return p;
}

void machine_tell(struct machine *m, enum pickle_event event, const struct pickled *what)
{
	if (m->options->saw)
		m->options->saw(m->options->watcher, event, what);
}

bool machine_push_bytes(struct machine *m, size_t n)
{
	const unsigned char *bytes = NULL;
	struct pickled *p = machine_take(m, n, &bytes) ? machine_new_object(m, PICKLED_BYTES) : NULL;
	if (!p)
		return false;
	p->bytes = bytes;
	p->n_bytes = n;
	machine_tell(m, PICKLE_HOLDS_BYTES, p);
	return machine_push(m, datum_pointer(D_HOST, p));
}

/* A string of Python may hold NULs, one of the language may not. */
bool machine_push_string(struct machine *m, const char *s, size_t n)
{
	if (!memchr(s, 0, n))
		return machine_push(m, datum_str(s));
	struct pickled *p = machine_new_object(m, PICKLED_TEXT);
	if (!p)
		return false;
	p->bytes = (const unsigned char *)s;
	p->n_bytes = n;
	return machine_push(m, datum_pointer(D_HOST, p));
}

bool machine_push_text(struct machine *m, size_t n)
{
	const unsigned char *bytes = NULL;
	if (!machine_take(m, n, &bytes))
		return false;
	char *s = arena_strndup(m->arena, (const char *)bytes, n);
	return s ? machine_push_string(m, s, n) : fail_memory(m->err);
}

bool machine_push_global(struct machine *m, const char *module, const char *name)
{
	struct pickled *p = machine_new_object(m, PICKLED_GLOBAL);
	if (!p)
		return false;
	p->name = arena_printf(m->arena, "%s.%s", module, name);
	if (!p->name)
		return fail_memory(m->err);
	p->attribute = p->name + strlen(module) + 1;
	machine_tell(m, PICKLE_IMPORTS, p);
	return machine_push(m, datum_pointer(D_HOST, p));
}

bool machine_push_call(struct machine *m, struct datum callee, struct datum args)
{
	struct pickled *p = machine_new_object(m, PICKLED_CALL);
	const struct pickled *global = pickled_of(callee);
	if (!p)
		return false;
	p->callee = callee;
	p->args = args;
	p->name = global && global->kind == PICKLED_GLOBAL ? global->name : NULL;
	machine_tell(m, PICKLE_CALLS, p);
	struct datum made = datum_pointer(D_HOST, p);
	if (m->options->make && !m->options->make(m->options->maker, p, &made, m->err))
		return fail_within(m->err, "byte %zu of the pickle: ", m->opcode_at);
	return machine_push(m, made);
}

bool machine_push_persistent(struct machine *m, struct datum id)
{
	struct pickled *p = machine_new_object(m, PICKLED_PERSISTENT);
	if (!p)
		return false;
	p->args = id;
	struct datum made = datum_pointer(D_HOST, p);
	if (m->options->load_persistent && !m->options->load_persistent(m->options->maker, p, &made, m->err))
		return fail_within(m->err, "byte %zu of the pickle: ", m->opcode_at);
	return machine_push(m, made);
}

/* ---- Containers ---- */

/* Keys that are no string, number or None are not compared: each is one of its own, and so is what follows in a large dict. */
bool dict_set(struct arena *a, struct dict *d, struct datum key, struct datum value)
{
	if (key.kind <= D_STR && (d->n <= FEW_KEYS || d->indexed == d->n))
		return dict_put(a, d, key, value);
	size_t cap = d->cap;
	struct datum *keys = arena_grow(a, d->keys, d->n, &cap, sizeof *keys);
	cap = d->cap;
	struct datum *values = keys ? arena_grow(a, d->values, d->n, &cap, sizeof *values) : NULL;
	if (!values)
		return false;
	d->keys = keys;
	d->values = values;
	d->cap = cap;
	keys[d->n] = key;
	values[d->n++] = value;
	return true;
}

/* Items of a subclass of list or dict stay with the object. */
bool machine_append(struct machine *m, struct datum to, const struct datum *items, size_t n)
{
	struct pickled *p = pickled_of(to);
	if (n == 0)
		return true;     /* Python does not look at what it is */
	if (p && p->items.kind == D_NONE && !datum_seq(m->arena, D_LIST, n, &p->items))
		return fail_memory(m->err);
	struct seq *seq = to.kind == D_LIST ? to.u.seq : p ? p->items.u.seq : NULL;
	if (!seq)
		return machine_fail(m, "items for what is no list");
	for (size_t i = 0; i < n; i++)
		if (!seq_push(m->arena, seq, items[i]))
			return fail_memory(m->err);
	return true;
}

bool machine_set_items(struct machine *m, struct datum to, const struct datum *items, size_t n)
{
	if (n % 2)
		return machine_fail(m, "a key without a value");
	if (to.kind != D_DICT) {
		if (pickled_of(to))
			pickled_of(to)->pairs = true;
		return machine_append(m, to, items, n);
	}
	for (size_t i = 0; i < n; i += 2)
		if (!dict_set(m->arena, to.u.dict, items[i], items[i + 1]))
			return fail_memory(m->err);
	return true;
}

bool machine_push_dict(struct machine *m, const struct datum *items, size_t n)
{
	struct datum d;
	if (!datum_dict(m->arena, &d))
		return fail_memory(m->err);
	return machine_set_items(m, d, items, n) && machine_push(m, d);
}

/* ---- The memo ---- */

/* The place of an index that is larger than the pickle is long, as Python allows: they are few, and kept apart. */
static struct datum *far_place(struct machine *m, uint64_t index, bool add)
{
	char *key = arena_printf(m->arena, "%llu", (unsigned long long)index);
	struct datum *d = key ? map_get(&m->far, key) : NULL;
	if (!d && key && add) {
		d = arena_alloc(m->arena, sizeof *d);
		if (!d || !map_put(&m->far, m->arena, key, d))
			return NULL;
		d->kind = D_ELLIPSIS;
	}
	return d;
}

/* D_ELLIPSIS: nothing put yet. */
static struct datum *near_place(struct machine *m, uint64_t index)
{
	while (m->n_memo <= index) {
		struct datum *grown = arena_grow(m->arena, m->memo, m->n_memo, &m->cap_memo, sizeof *grown);
		if (!grown)
			return NULL;
		m->memo = grown;
		grown[m->n_memo++] = (struct datum){ .kind = D_ELLIPSIS };
	}
	return &m->memo[index];
}

bool machine_put(struct machine *m, uint64_t index)
{
	struct datum *d = NULL;
	if (!machine_top(m, &d))
		return false;
	if (index > INT64_MAX)
		return machine_fail(m, "a memo index that is too large");
	struct datum *place = index > m->in.len || index >= MAX_MEMO ? far_place(m, index, true) : near_place(m, index);
	if (!place)
		return fail_memory(m->err);
	m->n_put += place->kind == D_ELLIPSIS;
	*place = *d;
	return true;
}

/* CPython (Modules/_pickle.c, load_memoize): the index is the count of those that are put, not the one after the largest. */
bool machine_memoize(struct machine *m)
{
	return machine_put(m, m->n_put);
}

bool machine_get(struct machine *m, uint64_t index)
{
	struct datum *place = index < m->n_memo ? &m->memo[index] : far_place(m, index, false);
	if (!place || place->kind == D_ELLIPSIS)
		return machine_fail(m, "what it gets was never put into the memo");
	return machine_push(m, *place);
}

/* ---- Numbers ---- */

/* Little-endian two's complement of any length. */
bool machine_push_long(struct machine *m, uint64_t n)
{
	const unsigned char *p = NULL;
	if (!machine_take(m, n, &p))
		return false;
	if (n <= 8) {
		uint64_t v = n && p[n - 1] & 0x80 ? ~(uint64_t)0 : 0;
		for (size_t i = (size_t)n; i-- > 0; )
			v = v << 8 | p[i];
		return machine_push(m, datum_int((int64_t)v));
	}
	struct pickled *big = machine_new_object(m, PICKLED_INT);
	if (!big)
		return false;
	big->bytes = p;
	big->n_bytes = (size_t)n;
	return machine_push(m, datum_pointer(D_HOST, big));
}

bool machine_push_line_number(struct machine *m, bool real)
{
	char *line;
	size_t n;
	if (!machine_take_line(m, &line, &n))
		return false;
	if (real)
		return machine_push(m, datum_float(strtod(line, NULL)));
	if (strcmp(line, "00") == 0 || strcmp(line, "01") == 0)
		return machine_push(m, datum_bool(line[1] == '1'));
	return machine_push(m, datum_int(strtoll(line, NULL, 10)));
}

bool machine_push_double(struct machine *m)
{
	const unsigned char *p = NULL;
	uint64_t bits = 0;
	double d;
	if (!machine_take(m, 8, &p))
		return false;
	for (int i = 0; i < 8; i++)
		bits = bits << 8 | p[i];
	memcpy(&d, &bits, sizeof d);
	return machine_push(m, datum_float(d));
}
