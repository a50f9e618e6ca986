/* Readers below the formats: the pickle machine by its opcodes, the directory of zip archives.  One TAP line a row. */
#include <stdio.h>
#include <string.h>

#include "load/archive.h"
#include "load/pickle.h"
#include "tap.h"

/* ---- Pickles ---- */

struct pickle_row {
	const char *bytes; size_t n;
	const char *repr;        /* of what it gives; NULL: refused */
	const char *message;     /* a part of the error */
};

#define P(bytes) bytes, sizeof bytes - 1
static const struct pickle_row pickles[] = {
	{ P("\x80\x02N."), "None", NULL },
	{ P("I01\n."), "True", NULL },
	{ P("(t."), "()", NULL },                /* a mark at the bottom of the stack */
	{ P("S'a\\x41\\n\\'b'\n."), "\"aA\\n'b\"", NULL },
	{ P("Va\\u00e9\xe9\n."), "'a\xc3\xa9\xc3\xa9'", NULL },
	{ P("\x80\x02}(X\x01\0\0\0aK\x01X\x01\0\0\0aK\x02u."), "{'a': 2}", NULL },
	{ P("I-7\n."), "-7", NULL },
	{ P("L5L\n."), "5", NULL },
	{ P("F2.5\n."), "2.5", NULL },
	{ P("S'ab'\n."), "'ab'", NULL },
	{ P("(I1\nI2\nt."), "(1, 2)", NULL },
	{ P("(lp0\nI1\nag0\na."), NULL, NULL },          /* a list that holds itself: read, not printed */
	{ P("\x80\x02J\xff\xff\xff\xff."), "-1", NULL },
	{ P("\x80\x02M\x01\x02."), "513", NULL },
	{ P("\x80\x02\x8a\x02\x00\xff."), "-256", NULL },
	{ P("\x80\x02G\x3f\xf8\0\0\0\0\0\0."), "1.5", NULL },
	{ P("\x80\x02X\x02\0\0\0hi."), "'hi'", NULL },
	{ P("\x80\x02}(X\x01\0\0\0aK\x01X\x01\0\0\0bK\x02u."), "{'a': 1, 'b': 2}", NULL },
	{ P("\x80\x02](K\x01K\x02" "e."), "[1, 2]", NULL },
	{ P("\x80\x02K\x01q\x05h\x05\x86."), "(1, 1)", NULL },
	{ P("\x80\x04\x95\x06\0\0\0\0\0\0\0\x8c\x01x\x94."), "'x'", NULL },
	{ P("\x80\x02K\x01K\x02K\x03\x87."), "(1, 2, 3)", NULL },
	{ P("\x80\x02(K\x01K\x02" "1N."), "None", NULL },
	{ P("\x80\x02K\x01" "0."), NULL, "the stack is empty" },
	{ P("\x80\x02h\x00."), NULL, "never put into the memo" },
	{ P("\x80\x02Kx"), NULL, "ends without a STOP" },
	{ P("\x80\x02X\xff\xff\xff\x7f."), NULL, "longer than the pickle" },
	{ P("\x80\x02Nr\xff\xff\xff\xff."), "None", NULL },       /* a far index, as Python allows */
	{ P("Np9223372036854775808\n."), NULL, "too large" },
	{ P("\x80\x02u."), NULL, "there is no mark" },
	{ P("\x80\x02N(K\x01" "e."), NULL, "no list" },
	{ P("\x80\x02}(K\x01u."), NULL, "key without a value" },
	{ P("cposix\nsystem"), NULL, "a line without an end" },
	{ P("\x80\x02G\x3f"), NULL, "middle of an opcode" },
	{ P("\xfe"), NULL, "there is no opcode 0xfe" },
};

static bool run_pickle(const struct pickle_row *row)
{
	nns_error err = { 0 };
	struct arena *a = arena_new(NULL, &err);
	struct pickle_options o = { .make = NULL };
	struct datum d = datum_none();
	struct text t;
	size_t used = 0;
	text_init(&t);
	bool ok = a && pickle_read(a, (const unsigned char *)row->bytes, row->n, &o, &d, &used, &err), good;
	if (ok && row->repr)
		datum_repr(&t, d, NULL);
	if (row->repr)
		good = ok && t.data && strcmp(t.data, row->repr) == 0 && used == row->n;
	else
		good = row->message ? !ok && strstr(err.message, row->message) : ok;
	if (!good)
		printf("# got %s, %s\n", t.data ? t.data : "nothing", err.message);
	text_release(&t);
	arena_free(a);
	return good;
}

/* posix.system('true') is an object that says so. */
static bool run_call(void)
{
	static const char bytes[] = "cposix\nsystem\n(S'true'\ntR.";
	nns_error err = { 0 };
	struct arena *a = arena_new(NULL, &err);
	struct pickle_options o = { .make = NULL };
	struct datum d = datum_none();
	size_t used;
	bool ok = a && pickle_read(a, (const unsigned char *)bytes, sizeof bytes - 1, &o, &d, &used, &err);
	const struct pickled *p = ok ? pickled_of(d) : NULL;
	ok = p && p->kind == PICKLED_CALL && strcmp(p->name, "posix.system") == 0 && p->args.kind == D_TUPLE && p->args.u.seq->n == 1;
	arena_free(a);
	return ok;
}

/* ---- Archives ---- */

struct built {
	unsigned char bytes[4096];
	size_t n;
};

static void put(struct built *b, unsigned long long v, int bytes)
{
	for (int i = 0; i < bytes; i++, v >>= 8)
		b->bytes[b->n++] = (unsigned char)v;
}

static void put_text(struct built *b, const char *s)
{
	memcpy(b->bytes + b->n, s, strlen(s));
	b->n += strlen(s);
}

/* A stored entry "a" with the content "hello", and its directory, whose fields the rows spoil. */
struct archive_row {
	const char *what;
	unsigned long long local, packed, size, directory, count;
	int method, flags, copies;
	const char *message;     /* NULL: opens, and the content is read */
};

static const struct archive_row archives[] = {
	{ "one entry", 0, 5, 5, 36, 1, 0, 0, 1, NULL },
	{ "two of a name", 0, 5, 5, 36, 2, 0, 0, 2, NULL },
	{ "data beyond the file", 0, 5000, 5000, 36, 1, 0, 0, 1, "beyond the end of the file" },
	{ "an entry elsewhere", 7, 5, 5, 36, 1, 0, 0, 1, "no entry starts" },
	{ "an entry far away", 0xfffffff0, 5, 5, 36, 1, 0, 0, 1, "no entry starts" },
	{ "stored, of two sizes", 0, 5, 6, 36, 1, 0, 0, 1, "claims" },
	{ "encrypted", 0, 5, 5, 36, 1, 0, 1, 1, "encrypted" },
	{ "a directory beyond the file", 0, 5, 5, 90000, 1, 0, 0, 1, "does not lie before" },
	{ "more entries than there are", 0, 5, 5, 36, 60000, 0, 0, 1, "do not fit" },
	{ "another method", 0, 5, 5, 36, 1, 93, 0, 1, "compression method 93" },
	{ "a bomb", 0, 5, 100000, 36, 1, 8, 0, 1, "zip bomb" },
	{ "two that unpack the same bytes", 0, 5, 10, 36, 2, 8, 0, 2, "another entry's too" },
	{ "damaged", 0, 5, 10, 36, 1, 8, 0, 1, "a:" },
};

static void build(struct built *b, const struct archive_row *row)
{
	b->n = 0;
	put(b, 0x04034b50, 4);
	put(b, 0, 22);
	put(b, 1, 2);
	put(b, 0, 2);
	put_text(b, "ahello");
	size_t directory = b->n;
	for (int i = 0; i < row->copies; i++) {
		put(b, 0x02014b50, 4);
		put(b, 0, 4);
		put(b, (unsigned long long)row->flags, 2);
		put(b, (unsigned long long)row->method, 2);
		put(b, 0, 8);
		put(b, row->packed, 4);
		put(b, row->size, 4);
		put(b, 1, 2);
		put(b, 0, 12);
		put(b, row->local, 4);
		put_text(b, "a");
	}
	size_t size = b->n - directory;
	put(b, 0x06054b50, 4);
	put(b, 0, 4);
	put(b, row->count, 2);
	put(b, row->count, 2);
	put(b, size, 4);
	put(b, row->directory, 4);
	put(b, 0, 2);
}

static bool run_archive(const struct archive_row *row)
{
	static struct built b;
	nns_error err = { 0 };
	struct arena *a = arena_new(NULL, &err);
	const unsigned char *bytes = NULL;
	size_t len = 0;
	build(&b, row);
	struct archive *z = a ? archive_open(a, b.bytes, b.n, &err) : NULL;
	const struct archive_entry *e = z ? archive_find(z, "a") : NULL;
	bool ok = e && archive_bytes(z, e, 1 << 20, &bytes, &len, &err), good;
	if (row->message)
		good = !ok && strstr(err.message, row->message);
	else
		good = ok && len == 5 && memcmp(bytes, "hello", 5) == 0 && archive_count(z) == (size_t)row->copies
		    && archive_at(z, archive_count(z) - 1)->repeated == (row->copies > 1);
	if (!good)
		printf("# %s\n", err.message);
	arena_free(a);
	return good;
}

int main(void)
{
	for (size_t i = 0; i < sizeof pickles / sizeof *pickles; i++)
		tap(run_pickle(&pickles[i]), "pickle %zu: %s", i, pickles[i].repr ? pickles[i].repr : pickles[i].message ? pickles[i].message : "read");
	tap(run_call(), "a call is not made");
	for (size_t i = 0; i < sizeof archives / sizeof *archives; i++)
		tap(run_archive(&archives[i]), "archive: %s", archives[i].what);
	return tap_end();
}
