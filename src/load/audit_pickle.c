/* What pickles import and call: of entries that should be one, and of bytes that may be one. */
#include <stdio.h>
#include <string.h>

#include "load/audit.h"
#include "load/pickle.h"
#include "load/torch_pickle.h"

struct watcher {
	struct audit *audit;
	const char *entry;
	size_t base;             /* of the pickle in the entry */
	size_t names;            /* seen so far */
	bool sure, failed;
};

bool audit_is_pickle(const unsigned char *p, size_t n)
{
	return n > 2 && p[0] == 0x80 && p[1] <= 5;
}

/* A part of a dotted name of Python: letters, digits, underscores. */
static bool is_name(const char *s, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (!((s[i] >= 'a' && s[i] <= 'z') || (s[i] >= 'A' && s[i] <= 'Z') || (s[i] >= '0' && s[i] <= '9') || s[i] == '_' || s[i] == '.'))
			return false;
	return n > 0 && !(*s >= '0' && *s <= '9');
}

/* ---- A first look ---- */

/* Bytes that the arguments of an opcode take, whose own are p[0 .. n); SIZE_MAX: no opcode, or cut off. */
static size_t argument_size(unsigned char op, const unsigned char *p, size_t n)
{
	static const char none[] = "012(N)}]tldeuasoRbQ.", line[] = "FILSVPgp";
	int width = 0;           /* of the length that stands before the bytes */
	uint64_t size = 0;
	if ((op && strchr(none, op)) || (op >= 0x85 && op <= 0x89) || op == 0x81 || op == 0x8f || (op >= 0x90 && op <= 0x94) || op == 0x97 || op == 0x98)
		return 0;
	if (op && strchr(line, op)) {
		const unsigned char *end = memchr(p, '\n', n);
		return end ? (size_t)(end - p) + 1 : SIZE_MAX;
	}
	switch (op) {
	case 'K': case 'h': case 'q': case 0x80: case 0x82: return 1;
	case 'M': case 0x83: return 2;
	case 'J': case 'j': case 'r': case 0x84: return 4;
	case 'G': case 0x95: return 8;
	case 'U': case 'C': case 0x8a: case 0x8c: width = 1; break;
	case 'T': case 'X': case 'B': case 0x8b: width = 4; break;
	case 0x8d: case 0x8e: case 0x96: width = 8; break;
	default: return SIZE_MAX;
	}
	for (int i = width - 1; i >= 0; i--)
		size = size << 8 | ((size_t)i < n ? p[i] : 0);
	return size <= n ? (size_t)width + (size_t)size : SIZE_MAX;
}

/* Two lines, each a name: what GLOBAL and INST take.  0: others. */
static size_t named_lines(const unsigned char *p, size_t n)
{
	const unsigned char *first = memchr(p, '\n', n);
	size_t a = first ? (size_t)(first - p) + 1 : 0;
	const unsigned char *second = first ? memchr(p + a, '\n', n - a) : NULL;
	size_t b = second ? (size_t)(second - p) + 1 : 0;
	return b && is_name((const char *)p, a - 1) && is_name((const char *)p + a, b - a - 1) ? b : 0;
}

/*
 * Whether opcodes stand there up to one that imports.  Follows them without a stack, so that a look at gigabytes of weights takes no
 * memory; nearly all bytes that are no pickle end within a few.
 */
bool audit_may_import(const unsigned char *p, size_t n)
{
	for (size_t at = 0; at < n; ) {
		unsigned char op = p[at++];
		if (op == 0x93)
			return true;
		size_t size = op == 'c' || op == 'i' ? named_lines(p + at, n - at) : argument_size(op, p + at, n - at);
		if (op == 'c' || op == 'i')
			return size > 0;
		if (size == SIZE_MAX || size > n - at)
			return false;
		at += size;
	}
	return false;
}

/* ---- Names ---- */

/* Of bytes that need not be a pickle, only what Python could import counts. */
static bool counts(const struct watcher *w, enum pickle_event event, const struct pickled *what)
{
	if (w->sure)
		return true;
	const struct pickled *global = event == PICKLE_CALLS ? pickled_of(what->callee) : what;
	return global && global->kind == PICKLED_GLOBAL && (strcmp(what->name, "(computed)") == 0 || is_name(what->name, strlen(what->name)));
}

static bool saw_state(struct watcher *w, const struct pickled *what)
{
	struct audit *a = w->audit;
	return what->kind != PICKLED_GLOBAL ||
		audit_add(a, AUDIT_DANGER, "pickle-state", w->entry, w->base + what->at, arena_printf(a->arena, "changes attributes of %.200s", what->name),
		          "replaces parts of a module or class");
}

/* What calls returned, called in turn: none of PyTorch's or NumPy's pickles does that. */
static bool saw_computed_call(struct watcher *w, const struct pickled *what)
{
	const struct pickled *callee = pickled_of(what->callee);
	if (!callee || callee->kind != PICKLED_CALL || !pickled_is_result(what->callee))
		return true;
	const char *text = arena_printf(w->audit->arena, "calls what %.200s returned", callee->name ? callee->name : "another call");
	return audit_add(w->audit, AUDIT_DANGER, "pickle-call", w->entry, w->base + what->at, text, "computes what it calls");
}

static void saw(void *data, enum pickle_event event, const struct pickled *what)
{
	struct watcher *w = data;
	struct audit *a = w->audit;
	const char *why = NULL;
	size_t at = w->base + what->at;
	if (event == PICKLE_HOLDS_BYTES)
		w->failed |= !audit_look(a, w->entry, at, what->bytes, what->n_bytes, AUDIT_HELD);
	else if (event == PICKLE_SETS_STATE)
		w->failed |= !saw_state(w, what);
	else if (event == PICKLE_CALLS && !what->name)
		w->failed |= !saw_computed_call(w, what);
	if (event == PICKLE_HOLDS_BYTES || event == PICKLE_SETS_STATE || !what->name || !counts(w, event, what))
		return;
	w->names++;
	const struct pickled *global = event == PICKLE_CALLS ? pickled_of(what->callee) : what;
	enum audit_level level = audit_global(what->name, global ? global->attribute : NULL, &why);
	if (level == AUDIT_NOTE)
		return;
	const char *text = arena_printf(a->arena, event == PICKLE_CALLS ? "calls %.200s" : "imports %.200s", what->name);
	w->failed |= !audit_add(a, level, event == PICKLE_CALLS ? "pickle-call" : "pickle-import", w->entry, at, text, why);
}

/* ---- Pickles ---- */

/* PyTorch before 1.6: a magic number, the protocol, the system, the object and the keys of storages, which follow raw. */
static bool is_legacy_magic(struct datum d)
{
	static const unsigned char magic[] = { 0x6c, 0xfc, 0x9c, 0x46, 0xf9, 0x20, 0x6a, 0xa8, 0x50, 0x19 };
	const struct pickled *p = pickled_of(d);
	return p && p->kind == PICKLED_INT && p->n_bytes >= sizeof magic && memcmp(p->bytes, magic, sizeof magic) == 0;
}

struct row {
	struct watcher watcher;
	struct arena *arena;     /* of one pickle at a time */
	const unsigned char *data;
	size_t len, base, at;
	bool sure;
};

enum outcome { READ, NO_PICKLE, NO_MEMORY };

static enum outcome next_pickle(struct row *r, struct datum *d, nns_error *err)
{
	struct pickle_options o = { .saw = saw, .watcher = &r->watcher };
	size_t used = 0;
	arena_clear(r->arena);
	r->watcher.base = r->base + r->at;
	bool ok = pickle_read(r->arena, r->data + r->at, r->len - r->at, &o, d, &used, err);
	if (err->code == NNS_MEMORY || r->watcher.failed)
		return NO_MEMORY;
	r->at += ok ? used : 0;
	return ok && used > 0 ? READ : NO_PICKLE;
}

static bool add_here(struct row *r, enum audit_level level, const char *rule, const char *what, const char *why)
{
	return audit_add(r->watcher.audit, level, rule, r->watcher.entry, r->base + r->at, what, why);
}

static bool add_damaged(struct row *r, const nns_error *err)
{
	const char *text = arena_printf(r->watcher.audit->arena, "is not a whole pickle: %.150s", err->message);
	return add_here(r, err->code == NNS_LIMIT ? AUDIT_DANGER : AUDIT_REVIEW, "pickle-damaged", text, "Python runs what stands before the damage");
}

static bool read_row(struct row *r)
{
	bool legacy = false;
	for (size_t i = 0; r->at < r->len; i++) {
		struct datum d = datum_none();
		nns_error err = { 0 };
		size_t names = r->watcher.names, from = r->at;
		enum outcome got = next_pickle(r, &d, &err);
		if (got == NO_MEMORY)
			return false;
		if (got == NO_PICKLE && ((i == 0 && r->sure) || r->watcher.names > names || err.code == NNS_LIMIT))
			return add_damaged(r, &err);
		if (got == NO_PICKLE)
			return !r->sure || legacy || add_here(r, AUDIT_REVIEW, "data-after-end",
			                                      arena_printf(r->watcher.audit->arena, "%zu bytes follow the last pickle", r->len - r->at),
			                                      "something is hidden there, or the file was damaged");
		if (i == 1 && r->sure && !legacy && !audit_add(r->watcher.audit, AUDIT_REVIEW, "pickle-stacked", r->watcher.entry, r->base + from,
		                                               "another pickle follows the first", "readers see only the first"))
			return false;
		legacy = legacy || (i == 0 && is_legacy_magic(d));
		if (legacy && i == 4)
			return true;
	}
	return true;
}

/*
 * A count, then as many pickles with raw bytes behind each, as load/torch_tar.c has it: of a storage 8 bytes of its length
 * and its elements, of a tensor its sizes and strides.
 */
static bool read_tar_part(struct row *r, bool storages)
{
	for (size_t i = 0; r->at < r->len; i++) {
		struct datum d = datum_none();
		nns_error err = { 0 };
		enum outcome got = next_pickle(r, &d, &err);
		if (got == NO_MEMORY)
			return false;
		if (got == NO_PICKLE)
			return add_damaged(r, &err);
		const struct pickled *class = datum_is_seq(d) && d.u.seq->n == 3 ? pickled_of(d.u.seq->items[2]) : NULL;
		size_t width = storages ? dtype_size(class ? torch_storage_dtype(class->name) : DT_NONE) : 16, head = storages ? 0 : 8;
		if (!class)
			continue;
		uint64_t n = 0;
		for (size_t k = 0; k < (storages ? 8 : 4) && k < r->len - r->at; k++)
			n |= (uint64_t)r->data[r->at + k] << 8 * k;
		if (r->len - r->at < 8 + head || n > (r->len - r->at - 8 - head) / (width ? width : 1))
			return add_here(r, AUDIT_REVIEW, "damaged", "its bytes reach beyond the end", "what it holds was not seen");
		r->at += 8 + head + (size_t)n * width;
	}
	return true;
}

bool audit_pickles(struct audit *a, const char *entry, const unsigned char *data, size_t len, size_t base, enum audit_pickles kind)
{
	bool sure = kind != AUDIT_MAYBE;
	struct row r = { { .audit = a, .entry = entry, .sure = sure }, arena_new(NULL, NULL), data, len, base, 0, sure };
	bool ok = r.arena && (kind <= AUDIT_SURE ? read_row(&r) : read_tar_part(&r, kind == AUDIT_STORAGES));
	arena_free(r.arena);
	return ok;
}
