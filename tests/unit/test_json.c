/* JSON into an arena: what is read, what is refused and at which byte, and damaged texts beside cJSON's own reader.  Writes TAP. */
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "load/json.h"
#include "tap.h"

static const char *const later[] = { "nodes", "config", NULL };

static const struct { const char *text, *want, *error; } cases[] = {
	{ " {\"a\": [1, -2, 0.5, 1e3, -0], \"b\": {}, \"c\": []}\n", "{\"a\":[1,-2,0.5,1000,-0],\"b\":{},\"c\":[]}", NULL },
	{ "[true,false,null]", "[true,false,null]", NULL },
	{ "123456789012345678", "1.2345678901234568e+17", NULL },
	{ "\"tab\\t \\u00e9 \\ud83d\\ude00 \\/\"", "\"tab\\t \xc3\xa9 \xf0\x9f\x98\x80 /\"", NULL },
	{ "{\"k\\u0041\":\"\"}", "{\"kA\":\"\"}", NULL },
	{ "\xef\xbb\xbf[]", "[]", NULL },
	{ "{\"a\":1,\"a\":2}", "{\"a\":1,\"a\":2}", NULL },
	{ "", NULL, "byte 0 of the JSON: a value is expected, the text ends" },
	{ "[1, 2", NULL, "byte 5 of the JSON: ',' or ']' is expected, the text ends" },
	{ "[1 2]", NULL, "byte 3 of the JSON: ',' or ']' is expected, found '2'" },
	{ "{\"a\" 1}", NULL, "byte 5 of the JSON: ':' is expected, found '1'" },
	{ "{a: 1}", NULL, "byte 1 of the JSON: the name of a member is expected, found 'a'" },
	{ "{\"a\":1,}", NULL, "byte 7 of the JSON: the name of a member is expected, found '}'" },
	{ "[1,]", NULL, "byte 3 of the JSON: a value is expected, found ']'" },
	{ "[1}", NULL, "byte 2 of the JSON: ',' or ']' is expected, found '}'" },
	{ "[01]", NULL, "byte 1 of the JSON: a value is expected, found '0'" },
	{ "[1.]", NULL, "byte 3 of the JSON: a digit is expected, found ']'" },
	{ "[1e]", NULL, "byte 3 of the JSON: a digit is expected, found ']'" },
	{ "[NaN]", NULL, "byte 1 of the JSON: a value is expected, found 'N'" },
	{ "\"a", NULL, "byte 2 of the JSON: the end of a string is expected, the text ends" },
	{ "\"a\\\"", NULL, "byte 4 of the JSON: the end of a string is expected, the text ends" },
	{ "\"a\n\"", NULL, "byte 2 of the JSON: the end of a string is expected, found the byte 0x0a" },
	{ "\"\\x\"", NULL, "byte 2 of the JSON: an escape is expected, found 'x'" },
	{ "\"\\u12g4\"", NULL, "byte 3 of the JSON: the code of a character is expected, found '1'" },
	{ "\"\\u0000\"", NULL, "byte 3 of the JSON: the code of a character is expected, found '0'" },
	{ "\"\\ud83d.\"", NULL, "byte 7 of the JSON: the second half of a character is expected, found '.'" },
	{ "{} {}", NULL, "byte 3 of the JSON: nothing more is expected, found '{'" },
	{ "{\"nodes\": [{\"a\": \"]}", NULL, "byte 20 of the JSON: a closing bracket is expected, the text ends" },
};

static void test_cases(void)
{
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		nns_error err = { 0 };
		struct arena *a = arena_new(NULL, &err);
		cJSON *v = json_read(a, cases[i].text, strlen(cases[i].text), later, &err);
		char *got = v ? cJSON_PrintUnformatted(v) : NULL;
		bool ok = cases[i].want ? got && strcmp(got, cases[i].want) == 0 : !v && strcmp(err.message, cases[i].error) == 0;
		if (!ok)
			printf("# got %s\n", got ? got : err.message);
		tap(ok, "%s", cases[i].text[0] && !strchr(cases[i].text, '\n') ? cases[i].text : "white space, or nothing");
		free(got);
		arena_free(a);
	}
}

/* What json_next() gives of v, one member after the other: "x=[1] y=2", or the message. */
static void list_members(const cJSON *v, struct arena *scratch, char *out, size_t size)
{
	struct json_members members = json_members(v);
	const cJSON *at;
	nns_error err = { 0 };
	size_t n = 0;
	for (*out = 0; ; ) {
		if (!json_next(&members, scratch, later, &at, &err)) {
			snprintf(out, size, "%s", err.message);
			return;
		}
		if (!at)
			return;
		char *text = cJSON_IsRaw(at->child) ? NULL : cJSON_PrintUnformatted(at);
		n += (size_t)snprintf(out + n, n < size ? size - n : 0, "%s%s%s%s", n ? " " : "", at->string ? at->string : "", at->string ? "=" : "",
		                      text ? text : "(text)");
		free(text);
	}
}

/* Objects and lists of these names stay text until they are gone through. */
static const struct { const char *name, *text, *members; } lists[] = {
	{ "a list", "{\"nodes\": [{\"x\": [7]}, 3, [\"a\"]]}", "{\"x\":[7]} 3 [\"a\"]" },
	{ "an object", "{\"config\": {\"k\": {\"p\": \"\\\"}\"}, \"l\": null}}", "k={\"p\":\"\\\"}\"} l=null" },
	{ "lists within it stay text again", "{\"nodes\": [{\"x\": 1}, {\"nodes\": [[7]]}]}", "{\"x\":1} (text)" },
	{ "lists of other names are read at once", "{\"other\": [[1], 2]}", "[1] 2" },
	{ "nothing in it", "{\"nodes\": [ ]}", "" },
	{ "a scalar has no members", "{\"nodes\": 7}", "" },
	{ "the byte in the whole", "{\"nodes\": [{\"a\": [1 2]}]}", "byte 20 of the JSON: ',' or ']' is expected, found '2'" },
	{ "no comma", "{\"nodes\": [1 2]}", "byte 13 of the JSON: ',' or ']' is expected, found '2'" },
	{ "another bracket", "{\"nodes\": [1}}", "byte 12 of the JSON: ',' or ']' is expected, found '}'" },
	{ "no name", "{\"config\": {1}}", "byte 12 of the JSON: the name of a member is expected, found '1'" },
};

static void test_later(void)
{
	for (size_t i = 0; i < sizeof lists / sizeof *lists; i++) {
		char got[1100];
		nns_error err = { 0 };
		struct arena *a = arena_new(NULL, &err), *scratch = arena_new(NULL, &err);
		cJSON *all = json_read(a, lists[i].text, strlen(lists[i].text), later, &err);
		bool text = all && cJSON_IsRaw(all->child), other = strstr(lists[i].text, "other") || strstr(lists[i].text, ": 7}");
		list_members(all ? all->child : NULL, scratch, got, sizeof got);
		bool ok = text != other && strcmp(got, lists[i].members) == 0;
		if (!ok)
			printf("# got %s\n", all ? got : err.message);
		tap(ok, "%s", lists[i].name);
		arena_free(a);
		arena_free(scratch);
	}
}

/* Where a text that is passed over ends does not depend on where its quotes, escapes and brackets stand in a stretch of 64 bytes. */
static void test_passing(void)
{
	static const char *const middles[] = { "]", "\"]\"", "\"\\\"]\"", "\"\\\\\"", "{\"[\": \"}\"}", "\"\\\\\\\"]\", [\"", "[[[[[[[[]]]]]]]]" };
	bool ok = true;
	for (size_t m = 1; m < sizeof middles / sizeof *middles; m++)
		for (int before = 0; before < 140; before++) {
			char text[400];
			nns_error err = { 0 };
			struct arena *a = arena_new(NULL, &err);
			int n = snprintf(text, sizeof text, "{\"nodes\": [%*s%s], \"z\": \"%*s\"}", before, "", middles[m], 70, "");
			cJSON *all = json_read(a, text, (size_t)n, later, &err), *plain = json_read(a, text, (size_t)n, NULL, NULL);
			const cJSON *list = all ? all->child : NULL, *z = list ? list->next : NULL;
			bool same = !plain || (list && z && list->valuedouble == (double)(before + 2) + (double)strlen(middles[m]) && cJSON_IsString(z));
			if (!same)
				printf("# %s\n", text);
			ok = ok && same;
			arena_free(a);
		}
	tap(ok, "texts of every place in a stretch end where they end");
}

static void test_depth(void)
{
	enum { DEPTH = 1000 };
	char text[2 * DEPTH + 3];
	nns_error err = { 0 };
	struct arena *a = arena_new(NULL, &err);
	memset(text, '[', DEPTH);
	memset(text + DEPTH, ']', DEPTH);
	tap(json_read(a, text, (size_t)2 * DEPTH, NULL, &err) != NULL, "1,000 lists in one another");
	memset(text, '[', DEPTH + 1);
	memset(text + DEPTH + 1, ']', DEPTH + 1);
	tap(!json_read(a, text, (size_t)2 * DEPTH + 2, NULL, &err) && err.code == NNS_LIMIT, "1,001 are too many");
	arena_free(a);
}

/* What is read of a damaged text is what cJSON, which refuses less, reads of it. */
static bool agrees(const char *text, size_t len)
{
	nns_error err = { 0 };
	struct arena *a = arena_new(NULL, &err);
	cJSON *ours = json_read(a, text, len, NULL, &err), *theirs = ours ? cJSON_ParseWithLength(text, len) : NULL;
	char *x = ours ? cJSON_PrintUnformatted(ours) : NULL, *y = theirs ? cJSON_PrintUnformatted(theirs) : NULL;
	bool ok = !ours || (x && y && strcmp(x, y) == 0);
	nns_error same = { 0 };
	struct arena *b = arena_new(NULL, &same);
	bool deferred = json_read(b, text, len, later, &same) != NULL;
	ok = ok && (deferred || !ours);  /* what stays text is looked at when it is read */
	free(x);
	free(y);
	cJSON_Delete(theirs);
	arena_free(a);
	arena_free(b);
	return ok;
}

static void test_damage(void)
{
	static const char seed[] = "{\"nodes\": [{\"target\": \"a\\u00e9\\n\", \"inputs\": [{\"arg\": {\"as_int\": -12}}, {\"as_float\": 1.5e-3}]}, "
	                           "null], \"config\": {\"w.0\": {\"is_param\": true, \"sizes\": [{\"as_int\": 3}]}}}";
	static const char likely[] = "{}[],:\"\\0123456789eE+-.u \ntfn";
	char text[sizeof seed];
	uint32_t state = 1;
	int bad = 0;
	for (int i = 0; i < 20000; i++) {
		size_t len = sizeof seed - 1;
		memcpy(text, seed, sizeof seed);
		for (int k = 0; k <= i % 3; k++) {
			state = state * 1664525u + 1013904223u;
			text[(state >> 8) % len] = (char)(i % 7 ? likely[(state >> 24) % (sizeof likely - 1)] : (int)(state >> 24));
		}
		if (i % 5 == 0)
			len = (state >> 8) % len;
		if (!agrees(text, len) && bad++ < 3)
			printf("# %.*s\n", (int)len, text);
	}
	tap(bad == 0, "20,000 damaged texts");
}

int main(void)
{
	test_cases();
	test_later();
	test_passing();
	test_depth();
	test_damage();
	return tap_end();
}
