#include "load/pickle.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char pickled_host[] = "pickled";

enum {
	MAX_STACK = 50000000,    /* also as many as the pickle has bytes: every opcode pushes one at most */
	MAX_MEMO = 50000000
};

struct machine {
	struct arena *arena;
	const unsigned char *data;
	size_t len, at, opcode_at;
	const struct pickle_options *options;
	struct datum *stack; size_t n, cap;
	size_t *marks; size_t n_marks, cap_marks;
	struct datum *memo; size_t n_memo, cap_memo;
	nns_error *err;
};

static bool fail_at(struct machine *m, const char *what)
{
	return fail(m->err, NNS_FORMAT, "byte %zu of the pickle: %s", m->opcode_at, what);
}

struct pickled *pickled_of(struct datum d)
{
	struct pickled *p = d.kind == D_HOST ? d.u.p : NULL;
	return p && p->host.kind == pickled_host ? p : NULL;
}

/* ---- Reading ---- */

static bool take(struct machine *m, size_t n, const unsigned char **out)
{
	if (n > m->len - m->at)
		return fail_at(m, "it ends in the middle of an opcode");
	*out = m->data + m->at;
	m->at += n;
	return true;
}

static bool take_number(struct machine *m, int bytes, uint64_t *out)
{
	const unsigned char *p = NULL;
	if (!take(m, (size_t)bytes, &p))
		return false;
	*out = 0;
	for (int i = bytes - 1; i >= 0; i--)
		*out = *out << 8 | p[i];
	return true;
}

/* Up to a newline, which is not part of it. */
static bool take_line(struct machine *m, char **out)
{
	const unsigned char *start = m->data + m->at, *end = memchr(start, '\n', m->len - m->at);
	if (!end)
		return fail_at(m, "a line without an end");
	*out = arena_strndup(m->arena, (const char *)start, (size_t)(end - start));
	m->at += (size_t)(end - start) + 1;
	return *out || fail_memory(m->err);
}

/* ---- The stack ---- */

static bool push(struct machine *m, struct datum d)
{
	if (m->n >= MAX_STACK)
		return fail_at(m, "the stack is deeper than nnscope allows");
	struct datum *grown = arena_grow(m->arena, m->stack, m->n, &m->cap, sizeof *grown);
	if (!grown)
		return fail_memory(m->err);
	m->stack = grown;
	grown[m->n++] = d;
	return true;
}

static size_t floor_of(const struct machine *m)
{
	return m->n_marks ? m->marks[m->n_marks - 1] : 0;
}

static bool pop(struct machine *m, struct datum *out)
{
	if (m->n <= floor_of(m))
		return fail_at(m, "the stack is empty");
	*out = m->stack[--m->n];
	return true;
}

static bool top(struct machine *m, struct datum **out)
{
	if (m->n <= floor_of(m))
		return fail_at(m, "the stack is empty");
	*out = &m->stack[m->n - 1];
	return true;
}

static bool mark(struct machine *m)
{
	size_t *grown = arena_grow(m->arena, m->marks, m->n_marks, &m->cap_marks, sizeof *grown);
	if (!grown)
		return fail_memory(m->err);
	m->marks = grown;
	grown[m->n_marks++] = m->n;
	return true;
}

/* What lies above the last mark, which goes. */
static bool pop_mark(struct machine *m, struct datum **items, size_t *n)
{
	if (m->n_marks == 0)
		return fail_at(m, "there is no mark");
	size_t from = m->marks[--m->n_marks];
	*items = m->stack + from;
	*n = m->n - from;
	m->n = from;
	return true;
}

static bool pushed_seq(struct machine *m, enum datum_kind kind, const struct datum *items, size_t n)
{
	struct datum d;
	if (!datum_seq(m->arena, kind, n, &d))
		return fail_memory(m->err);
	for (size_t i = 0; i < n; i++)
		if (!seq_push(m->arena, d.u.seq, items[i]))
			return fail_memory(m->err);
	return push(m, d);
}

/* ---- Objects ---- */

static struct pickled *pickled_new(struct machine *m, enum pickled_kind kind)
{
	struct pickled *p = arena_alloc(m->arena, sizeof *p);
	if (!p)
		return fail_memory(m->err), NULL;
	*p = (struct pickled){ .host = { pickled_host, NULL }, .kind = kind, .at = m->opcode_at };
	return p;
}

static void tell(struct machine *m, enum pickle_event event, const struct pickled *what)
{
	if (m->options->saw)
		m->options->saw(m->options->watcher, event, what);
}

static bool push_bytes(struct machine *m, size_t n)
{
	const unsigned char *bytes = NULL;
	struct pickled *p = take(m, n, &bytes) ? pickled_new(m, PICKLED_BYTES) : NULL;
	if (!p)
		return false;
	p->bytes = bytes;
	p->n_bytes = n;
	tell(m, PICKLE_HOLDS_BYTES, p);
	return push(m, datum_pointer(D_HOST, p));
}

static bool push_text(struct machine *m, size_t n)
{
	const unsigned char *bytes = NULL;
	if (!take(m, n, &bytes))
		return false;
	char *s = arena_strndup(m->arena, (const char *)bytes, n);
	return s ? push(m, datum_str(s)) : fail_memory(m->err);
}

static bool push_global(struct machine *m, const char *module, const char *name)
{
	struct pickled *p = pickled_new(m, PICKLED_GLOBAL);
	if (!p)
		return false;
	p->name = arena_printf(m->arena, "%s.%s", module, name);
	if (!p->name)
		return fail_memory(m->err);
	tell(m, PICKLE_IMPORTS, p);
	return push(m, datum_pointer(D_HOST, p));
}

static bool push_call(struct machine *m, struct datum callee, struct datum args)
{
	struct pickled *p = pickled_new(m, PICKLED_CALL);
	const struct pickled *global = pickled_of(callee);
	if (!p)
		return false;
	p->callee = callee;
	p->args = args;
	p->name = global && global->kind == PICKLED_GLOBAL ? global->name : NULL;
	tell(m, PICKLE_CALLS, p);
	struct datum made = datum_pointer(D_HOST, p);
	if (m->options->make && !m->options->make(m->options->maker, p, &made, m->err))
		return fail_within(m->err, "byte %zu of the pickle: ", m->opcode_at);
	return push(m, made);
}

static bool push_persistent(struct machine *m, struct datum id)
{
	struct pickled *p = pickled_new(m, PICKLED_PERSISTENT);
	if (!p)
		return false;
	p->args = id;
	struct datum made = datum_pointer(D_HOST, p);
	if (m->options->load_persistent && !m->options->load_persistent(m->options->maker, p, &made, m->err))
		return fail_within(m->err, "byte %zu of the pickle: ", m->opcode_at);
	return push(m, made);
}

/* ---- Containers ---- */

bool dict_append(struct arena *a, struct dict *d, struct datum key, struct datum value)
{
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
static bool append(struct machine *m, struct datum to, const struct datum *items, size_t n)
{
	struct pickled *p = pickled_of(to);
	if (p && p->items.kind == D_NONE && !datum_seq(m->arena, D_LIST, n, &p->items))
		return fail_memory(m->err);
	struct seq *seq = to.kind == D_LIST ? to.u.seq : p ? p->items.u.seq : NULL;
	if (!seq)
		return fail_at(m, "items for what is no list");
	for (size_t i = 0; i < n; i++)
		if (!seq_push(m->arena, seq, items[i]))
			return fail_memory(m->err);
	return true;
}

static bool set_items(struct machine *m, struct datum to, const struct datum *items, size_t n)
{
	if (n % 2)
		return fail_at(m, "a key without a value");
	if (to.kind != D_DICT) {
		if (pickled_of(to))
			pickled_of(to)->pairs = true;
		return append(m, to, items, n);
	}
	for (size_t i = 0; i < n; i += 2)
		if (!dict_append(m->arena, to.u.dict, items[i], items[i + 1]))
			return fail_memory(m->err);
	return true;
}

static bool push_dict(struct machine *m, const struct datum *items, size_t n)
{
	struct datum d;
	if (!datum_dict(m->arena, &d))
		return fail_memory(m->err);
	return set_items(m, d, items, n) && push(m, d);
}

/* ---- The memo ---- */

static bool put(struct machine *m, uint64_t index)
{
	struct datum *d = NULL;
	if (!top(m, &d))
		return false;
	if (index >= MAX_MEMO || index > m->len)
		return fail_at(m, "a memo index that is too large");
	while (m->n_memo <= index) {
		struct datum *grown = arena_grow(m->arena, m->memo, m->n_memo, &m->cap_memo, sizeof *grown);
		if (!grown)
			return fail_memory(m->err);
		m->memo = grown;
		grown[m->n_memo++] = (struct datum){ .kind = D_ELLIPSIS };  /* nothing put yet */
	}
	m->memo[index] = *d;
	return true;
}

static bool get(struct machine *m, uint64_t index)
{
	if (index >= m->n_memo || m->memo[index].kind == D_ELLIPSIS)
		return fail_at(m, "what it gets was never put into the memo");
	return push(m, m->memo[index]);
}

/* ---- Numbers ---- */

/* Little-endian two's complement of any length. */
static bool push_long(struct machine *m, uint64_t n)
{
	const unsigned char *p = NULL;
	if (n > m->len || !take(m, (size_t)n, &p))
		return m->err && m->err->code ? false : fail_at(m, "a number that is longer than the pickle");
	if (n <= 8) {
		uint64_t v = n && p[n - 1] & 0x80 ? ~(uint64_t)0 : 0;
		for (size_t i = (size_t)n; i-- > 0; )
			v = v << 8 | p[i];
		return push(m, datum_int((int64_t)v));
	}
	struct pickled *big = pickled_new(m, PICKLED_INT);
	if (!big)
		return false;
	big->bytes = p;
	big->n_bytes = (size_t)n;
	return push(m, datum_pointer(D_HOST, big));
}

static bool push_line_number(struct machine *m, bool real)
{
	char *line;
	if (!take_line(m, &line))
		return false;
	if (real)
		return push(m, datum_float(strtod(line, NULL)));
	if (strcmp(line, "00") == 0 || strcmp(line, "01") == 0)
		return push(m, datum_bool(line[1] == '1'));
	return push(m, datum_int(strtoll(line, NULL, 10)));
}

static bool push_double(struct machine *m)
{
	const unsigned char *p = NULL;
	uint64_t bits = 0;
	double d;
	if (!take(m, 8, &p))
		return false;
	for (int i = 0; i < 8; i++)
		bits = bits << 8 | p[i];
	memcpy(&d, &bits, sizeof d);
	return push(m, datum_float(d));
}

/* ---- Opcodes ---- */

static bool op_text(struct machine *m, int size)
{
	uint64_t n = 0;
	return take_number(m, size, &n) && (n <= m->len || fail_at(m, "a string that is longer than the pickle")) && push_text(m, (size_t)n);
}

static bool op_bytes(struct machine *m, int size)
{
	uint64_t n = 0;
	return take_number(m, size, &n) && (n <= m->len || fail_at(m, "bytes that are longer than the pickle")) && push_bytes(m, (size_t)n);
}

static bool op_get(struct machine *m, int size)
{
	uint64_t i = 0;
	return take_number(m, size, &i) && get(m, i);
}

static bool op_put(struct machine *m, int size)
{
	uint64_t i = 0;
	return take_number(m, size, &i) && put(m, i);
}

static bool op_int(struct machine *m, int size)
{
	uint64_t v = 0;
	return take_number(m, size, &v) && push(m, datum_int(size == 4 ? (int32_t)v : (int64_t)v));
}

static bool op_long(struct machine *m, int size)
{
	uint64_t n = 0;
	return take_number(m, size, &n) && push_long(m, n);
}

static bool op_global(struct machine *m)
{
	char *module, *name;
	return take_line(m, &module) && take_line(m, &name) && push_global(m, module, name);
}

static bool op_stack_global(struct machine *m)
{
	struct datum name, module;
	if (!pop(m, &name) || !pop(m, &module))
		return false;
	if (name.kind != D_STR || module.kind != D_STR) {
		tell(m, PICKLE_IMPORTS, &(struct pickled){ .kind = PICKLED_GLOBAL, .name = "(computed)", .at = m->opcode_at });
		return fail_at(m, "the name of a global is no string");
	}
	return push_global(m, module.u.s, name.u.s);
}

/* callee and args; NEWOBJ_EX has keyword arguments on top, which are kept beside. */
static bool op_call(struct machine *m, bool keywords)
{
	struct datum callee, args, named;
	return (!keywords || pop(m, &named)) && pop(m, &args) && pop(m, &callee) && push_call(m, callee, args);
}

/* mark, class, arguments (OBJ); INST has the class in lines. */
static bool op_object(struct machine *m, bool inst)
{
	struct datum *items = NULL, callee, args;
	size_t n = 0;
	if (inst && !op_global(m))
		return false;
	if (inst && !pop(m, &callee))
		return false;
	if (!pop_mark(m, &items, &n))
		return false;
	if (!inst && n == 0)
		return fail_at(m, "an object without a class");
	if (!inst)
		callee = items[0];
	if (!pushed_seq(m, D_TUPLE, items + !inst, n - !inst) || !pop(m, &args))
		return false;
	return push_call(m, callee, args);
}

static bool op_build(struct machine *m)
{
	struct datum state, *object;
	if (!pop(m, &state) || !top(m, &object))
		return false;
	struct pickled *p = pickled_of(*object);
	if (p) {
		p->state = state;
		tell(m, PICKLE_SETS_STATE, p);
	}
	return true;
}

static bool op_container(struct machine *m, enum datum_kind kind, bool marked)
{
	struct datum *items = NULL;
	size_t n = 0;
	if (marked && !pop_mark(m, &items, &n))
		return false;
	return kind == D_DICT ? push_dict(m, items, n) : pushed_seq(m, kind, items, n);
}

static bool op_tuple(struct machine *m, size_t n)
{
	if (m->n < n || m->n - n < floor_of(m))
		return fail_at(m, "the stack is empty");
	m->n -= n;
	return pushed_seq(m, D_TUPLE, m->stack + m->n, n);
}

static bool op_set(struct machine *m, bool marked)
{
	struct datum *items = NULL;
	size_t n = 0;
	if (marked && !pop_mark(m, &items, &n))
		return false;
	struct pickled *p = pickled_new(m, PICKLED_SET);
	struct datum d = datum_pointer(D_HOST, p);
	return p && append(m, d, items, n) && push(m, d);
}

static bool op_fill(struct machine *m, bool pairs)
{
	struct datum *items = NULL, *to = NULL;
	size_t n = 0;
	return pop_mark(m, &items, &n) && top(m, &to) && (pairs ? set_items(m, *to, items, n) : append(m, *to, items, n));
}

static bool op_fill_one(struct machine *m, size_t n)
{
	struct datum items[2], *to;
	for (size_t i = n; i-- > 0; )
		if (!pop(m, &items[i]))
			return false;
	return top(m, &to) && (n == 2 ? set_items(m, *to, items, n) : append(m, *to, items, n));
}

static bool op_persistent(struct machine *m, bool line)
{
	struct datum id;
	char *text;
	if (line)
		return take_line(m, &text) && push_persistent(m, datum_str(text));
	return pop(m, &id) && push_persistent(m, id);
}

/* A quoted string of protocol 0. */
static bool op_string(struct machine *m)
{
	char *line;
	if (!take_line(m, &line))
		return false;
	size_t n = strlen(line);
	if (n < 2 || line[0] != line[n - 1])
		return fail_at(m, "a string without quotes");
	line[n - 1] = 0;
	return push(m, datum_str(line + 1));
}

static bool op_line_text(struct machine *m)
{
	char *line;
	return take_line(m, &line) && push(m, datum_str(line));
}

static bool op_line_index(struct machine *m, bool store)
{
	char *line, *end;
	if (!take_line(m, &line))
		return false;
	unsigned long long i = strtoull(line, &end, 10);
	if (end == line)
		return fail_at(m, "a memo index that is no number");
	return store ? put(m, i) : get(m, i);
}

static bool op_pop(struct machine *m)
{
	struct datum ignored;
	if (m->n == floor_of(m) && m->n_marks > 0)
		return m->n_marks--, true;
	return pop(m, &ignored);
}

static bool op_duplicate(struct machine *m)
{
	struct datum *d = NULL;
	return top(m, &d) && push(m, *d);
}

static bool op_skip(struct machine *m, size_t n)
{
	const unsigned char *ignored;
	return take(m, n, &ignored);
}

static bool op_pop_mark(struct machine *m)
{
	struct datum *items;
	size_t n = 0;
	return pop_mark(m, &items, &n);
}

static bool step(struct machine *m, unsigned char op)
{
	switch (op) {
	case 0x80: return op_skip(m, 1);             /* PROTO */
	case 0x95: return op_skip(m, 8);             /* FRAME */
	case '0': return op_pop(m);
	case '1': return op_pop_mark(m);
	case '2': return op_duplicate(m);
	case '(': return mark(m);
	case 'N': return push(m, datum_none());
	case 0x88: return push(m, datum_bool(true));
	case 0x89: return push(m, datum_bool(false));
	case 'F': return push_line_number(m, true);
	case 'I': case 'L': return push_line_number(m, false);
	case 'G': return push_double(m);
	case 'J': return op_int(m, 4);
	case 'K': return op_int(m, 1);
	case 'M': return op_int(m, 2);
	case 0x8a: return op_long(m, 1);
	case 0x8b: return op_long(m, 4);
	case 'S': return op_string(m);
	case 'V': return op_line_text(m);
	case 'T': case 'X': return op_text(m, 4);
	case 'U': case 0x8c: return op_text(m, 1);
	case 0x8d: return op_text(m, 8);
	case 'B': return op_bytes(m, 4);
	case 'C': return op_bytes(m, 1);
	case 0x8e: case 0x96: return op_bytes(m, 8);
	case 'c': return op_global(m);
	case 0x93: return op_stack_global(m);
	case 'P': return op_persistent(m, true);
	case 'Q': return op_persistent(m, false);
	case 'R': case 0x81: return op_call(m, false);
	case 0x92: return op_call(m, true);
	case 'i': return op_object(m, true);
	case 'o': return op_object(m, false);
	case 'b': return op_build(m);
	case ')': return op_container(m, D_TUPLE, false);
	case ']': return op_container(m, D_LIST, false);
	case '}': return op_container(m, D_DICT, false);
	case 't': return op_container(m, D_TUPLE, true);
	case 'l': return op_container(m, D_LIST, true);
	case 'd': return op_container(m, D_DICT, true);
	case 0x85: return op_tuple(m, 1);
	case 0x86: return op_tuple(m, 2);
	case 0x87: return op_tuple(m, 3);
	case 0x8f: return op_set(m, false);
	case 0x91: return op_set(m, true);
	case 'e': case 0x90: return op_fill(m, false);
	case 'u': return op_fill(m, true);
	case 'a': return op_fill_one(m, 1);
	case 's': return op_fill_one(m, 2);
	case 'g': return op_line_index(m, false);
	case 'h': return op_get(m, 1);
	case 'j': return op_get(m, 4);
	case 'p': return op_line_index(m, true);
	case 'q': return op_put(m, 1);
	case 'r': return op_put(m, 4);
	case 0x94: return put(m, m->n_memo);         /* MEMOIZE */
	case 0x98: return true;                      /* READONLY_BUFFER */
	default: break;
	}
	char text[60];
	snprintf(text, sizeof text, "there is no opcode 0x%02x", op);
	return fail_at(m, text);
}

bool pickle_read(struct arena *a, const unsigned char *data, size_t len, const struct pickle_options *o, struct datum *out, size_t *used, nns_error *err)
{
	nns_error local = { 0 };
	struct machine m = { .arena = a, .data = data, .len = len, .options = o, .err = err ? err : &local };
	while (m.at < len) {
		m.opcode_at = m.at;
		unsigned char op = data[m.at++];
		if (op == '.') {
			*used = m.at;
			return pop(&m, out);
		}
		if (!step(&m, op))
			return false;
	}
	m.opcode_at = m.at;
	return fail_at(&m, "it ends without a STOP");
}
