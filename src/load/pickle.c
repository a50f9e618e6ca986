#include "load/pickle.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "load/pickle_machine.h"

static bool op_text(struct machine *m, int size)
{
	uint64_t n = 0;
	return machine_take_number(m, size, &n) && (n <= m->in.len || machine_fail(m, "a string that is longer than the pickle")) && machine_push_text(m, (size_t)n);
}

static bool op_bytes(struct machine *m, int size)
{
	uint64_t n = 0;
	return machine_take_number(m, size, &n) && (n <= m->in.len || machine_fail(m, "bytes that are longer than the pickle")) && machine_push_bytes(m, (size_t)n);
}

static bool op_get(struct machine *m, int size)
{
	uint64_t i = 0;
	return machine_take_number(m, size, &i) && machine_get(m, i);
}

static bool op_put(struct machine *m, int size)
{
	uint64_t i = 0;
	return machine_take_number(m, size, &i) && machine_put(m, i);
}

static bool op_int(struct machine *m, int size)
{
	uint64_t v = 0;
	return machine_take_number(m, size, &v) && machine_push(m, datum_int(size == 4 ? (int32_t)v : (int64_t)v));
}

static bool op_long(struct machine *m, int size)
{
	uint64_t n = 0;
	return machine_take_number(m, size, &n) && machine_push_long(m, n);
}

static bool op_global(struct machine *m)
{
	char *module, *name;
	size_t n;
	return machine_take_line(m, &module, &n) && machine_take_line(m, &name, &n) && machine_push_global(m, module, name);
}

static bool op_stack_global(struct machine *m)
{
	struct datum name, module;
	if (!machine_pop(m, &name) || !machine_pop(m, &module))
		return false;
	if (name.kind != D_STR || module.kind != D_STR) {
		bool object = pickled_is_result(name) || pickled_is_result(module);   /* Python refuses the others */
		machine_tell(m, PICKLE_IMPORTS, &(struct pickled){ .kind = object ? PICKLED_GLOBAL : PICKLED_OTHER, .name = "(computed)", .at = m->opcode_at });
		return machine_fail(m, "the name of a global is no string");
	}
	return machine_push_global(m, module.u.s, name.u.s);
}

/* A number of copyreg's registry stands for a name that only the reader knows. */
static bool op_extension(struct machine *m, int size)
{
	uint64_t code = 0;
	char name[24];
	if (!machine_take_number(m, size, &code))
		return false;
	snprintf(name, sizeof name, "%llu", (unsigned long long)code);
	return machine_push_global(m, "(extension)", name);
}

/* A buffer that travels beside the pickle: there is none in a file. */
static bool op_next_buffer(struct machine *m)
{
	struct pickled *p = machine_new_object(m, PICKLED_OTHER);
	return p && machine_push(m, datum_pointer(D_HOST, p));
}

/* callee and args; NEWOBJ_EX has keyword arguments on top, which are kept beside. */
static bool op_call(struct machine *m, bool keywords)
{
	struct datum callee, args, named;
	return (!keywords || machine_pop(m, &named)) && machine_pop(m, &args) && machine_pop(m, &callee) && machine_push_call(m, callee, args);
}

/* mark, class, arguments (OBJ); INST has the class in lines. */
static bool op_object(struct machine *m, bool inst)
{
	struct datum *items = NULL, callee, args;
	size_t n = 0;
	if (inst && !op_global(m))
		return false;
	if (inst && !machine_pop(m, &callee))
		return false;
	if (!machine_pop_mark(m, &items, &n))
		return false;
	if (!inst && n == 0)
		return machine_fail(m, "an object without a class");
	if (!inst)
		callee = items[0];
	if (!machine_push_seq(m, D_TUPLE, items + !inst, n - !inst) || !machine_pop(m, &args))
		return false;
	return machine_push_call(m, callee, args);
}

static bool op_build(struct machine *m)
{
	struct datum state, *object;
	if (!machine_pop(m, &state) || !machine_top(m, &object))
		return false;
	struct pickled *p = pickled_of(*object);
	if (p) {
		p->state = state;
		machine_tell(m, PICKLE_SETS_STATE, p);
	}
	if (!m->options->build || p)
		return true;
	return m->options->build(m->options->maker, *object, state, m->err) || fail_within(m->err, "byte %zu of the pickle: ", m->opcode_at);
}

static bool op_container(struct machine *m, enum datum_kind kind, bool marked)
{
	struct datum *items = NULL;
	size_t n = 0;
	if (marked && !machine_pop_mark(m, &items, &n))
		return false;
	return kind == D_DICT ? machine_push_dict(m, items, n) : machine_push_seq(m, kind, items, n);
}

static bool op_tuple(struct machine *m, size_t n)
{
	if (m->n < n || m->n - n < machine_floor(m))
		return machine_fail(m, "the stack is empty");
	m->n -= n;
	return machine_push_seq(m, D_TUPLE, m->stack + m->n, n);
}

static bool op_set(struct machine *m, bool marked)
{
	struct datum *items = NULL;
	size_t n = 0;
	if (marked && !machine_pop_mark(m, &items, &n))
		return false;
	struct pickled *p = machine_new_object(m, PICKLED_SET);
	struct datum d = datum_pointer(D_HOST, p);
	return p && machine_append(m, d, items, n) && machine_push(m, d);
}

static bool op_fill(struct machine *m, bool pairs)
{
	struct datum *items = NULL, *to = NULL;
	size_t n = 0;
	return machine_pop_mark(m, &items, &n) && machine_top(m, &to) && (pairs ? machine_set_items(m, *to, items, n) : machine_append(m, *to, items, n));
}

static bool op_fill_one(struct machine *m, size_t n)
{
	struct datum items[2], *to;
	for (size_t i = n; i-- > 0; )
		if (!machine_pop(m, &items[i]))
			return false;
	return machine_top(m, &to) && (n == 2 ? machine_set_items(m, *to, items, n) : machine_append(m, *to, items, n));
}

static bool op_persistent(struct machine *m, bool line)
{
	struct datum id;
	char *text;
	size_t n;
	if (line)
		return machine_take_line(m, &text, &n) && machine_push_persistent(m, datum_str(text));
	return machine_pop(m, &id) && machine_push_persistent(m, id);
}

/* A quoted string of protocol 0. */
static bool op_string(struct machine *m)
{
	char *line;
	size_t n;
	if (!machine_take_line(m, &line, &n))
		return false;
	if (n < 2 || line[0] != line[n - 1])
		return machine_fail(m, "a string without quotes");
	ptrdiff_t len = pickle_unescape(line + 1, n - 2);
	return len < 0 ? machine_fail(m, "a string that ends in the middle of an escape") : machine_push_string(m, line + 1, (size_t)len);
}

static bool op_line_text(struct machine *m)
{
	char *line;
	size_t n;
	if (!machine_take_line(m, &line, &n))
		return false;
	char *s = pickle_unescape_unicode(m->arena, line, &n);
	return s ? machine_push_string(m, s, n) : fail_memory(m->err);
}

/* As Python's int() reads one: blanks, a sign, underscores between the digits. */
static bool line_index(const char *s, uint64_t *out)
{
	bool some = false;
	*out = 0;
	for (s += strspn(s, " \t\r\f\v+"); (*s >= '0' && *s <= '9') || (some && *s == '_'); s++) {
		if (*s == '_')
			continue;
		if (__builtin_mul_overflow(*out, 10, out) || __builtin_add_overflow(*out, (uint64_t)(*s - '0'), out))
			return false;
		some = true;
	}
	return some;
}

static bool op_line_index(struct machine *m, bool store)
{
	char *line;
	size_t n;
	if (!machine_take_line(m, &line, &n))
		return false;
	uint64_t i = 0;
	if (!line_index(line, &i))
		return machine_fail(m, "a memo index that is no number");
	return store ? machine_put(m, i) : machine_get(m, i);
}

static bool op_pop(struct machine *m)
{
	struct datum ignored;
	if (m->n == machine_floor(m) && m->n_marks > 0)
		return m->n_marks--, true;
	return machine_pop(m, &ignored);
}

static bool op_duplicate(struct machine *m)
{
	struct datum *d = NULL;
	return machine_top(m, &d) && machine_push(m, *d);
}

static bool op_skip(struct machine *m, size_t n)
{
	const unsigned char *ignored;
	return machine_take(m, n, &ignored);
}

static bool op_pop_mark(struct machine *m)
{
	struct datum *items;
	size_t n = 0;
	return machine_pop_mark(m, &items, &n);
}

static bool step(struct machine *m, unsigned char op)
{
	switch (op) {
	case 0x80: return op_skip(m, 1);             /* PROTO */
	case 0x95: return op_skip(m, 8);             /* FRAME */
	case '0': return op_pop(m);
	case '1': return op_pop_mark(m);
	case '2': return op_duplicate(m);
	case '(': return machine_mark(m);
	case 'N': return machine_push(m, datum_none());
	case 0x88: return machine_push(m, datum_bool(true));
	case 0x89: return machine_push(m, datum_bool(false));
	case 'F': return machine_push_line_number(m, true);
	case 'I': case 'L': return machine_push_line_number(m, false);
	case 'G': return machine_push_double(m);
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
	case 0x94: return machine_memoize(m);         /* MEMOIZE */
	case 0x82: return op_extension(m, 1);
	case 0x83: return op_extension(m, 2);
	case 0x84: return op_extension(m, 4);
	case 0x97: return op_next_buffer(m);
	case 0x98: return true;                      /* READONLY_BUFFER */
	default: break;
	}
	char text[60];
	snprintf(text, sizeof text, "there is no opcode 0x%02x", op);
	return machine_fail(m, text);
}

bool pickle_read(struct arena *a, const unsigned char *data, size_t len, const struct pickle_options *o, struct datum *out, size_t *used, nns_error *err)
{
	nns_error local = { 0 };
	struct machine m = { .arena = a, .in = { .data = data, .len = len }, .options = o, .err = err ? err : &local };
	m.stack = arena_grow(a, NULL, 0, &m.cap, sizeof *m.stack);       /* a place to point at, even while it is empty */
	if (!m.stack)
		return fail_memory(m.err);
	while (m.in.at < len) {
		m.opcode_at = m.in.at;
		unsigned char op = data[m.in.at++];
		if (op == '.') {
			*used = m.in.at;
			return machine_pop(&m, out);
		}
		if (!step(&m, op))
			return false;
	}
	m.opcode_at = m.in.at;
	return machine_fail(&m, "it ends without a STOP");
}
