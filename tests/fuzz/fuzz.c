/*
 * Damaged files through every reader and the audit: fuzz ROUNDS FILE...  Each file is changed in a way that its number and the
 * round decide, so that a failure comes again.  For libFuzzer (--enable-fuzzers, tests/fuzz/run) LLVMFuzzerTestOneInput() is
 * the entry and main() is left out (-DLIBFUZZER).
 */
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "load/audit.h"
#include "nnscope/nnscope.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void audit(const uint8_t *data, size_t size)
{
	nns_error err = { 0 };
	struct audit a = { .arena = arena_new(NULL, &err) };
	if (a.arena)
		audit_bytes(&a, NULL, data, size);
	arena_free(a.arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const reports[] = { "overview", "tree", "params" };
	nns_error err = { 0 };
	nns_load_options options = { .max_modules = 20000 };
	nns_model *m = nns_model_load_memory(data, size, "fuzz", &options, &err);
	for (size_t i = 0; m && i < sizeof reports / sizeof *reports; i++)
		free(nns_report(m, NULL, reports[i], NULL, &err));
	if (m && size < 10000) {
		static const char *const given[] = { "2x3x4", "2x4" };
		nns_graph *g = nns_trace(m, 0, NULL, 0, &err);
		for (size_t n = 1; !g && n <= 2; n++)
			g = nns_trace(m, 0, given, n, &err);
		if (g)
			free(nns_report(m, g, "shapes", NULL, &err));
	}
	nns_model_free(m);
	audit(data, size);
	return 0;
}

#ifndef LIBFUZZER

enum { SECONDS = 60, GROWTH = 64 }; /* of one input at most; bytes that it may grow by */

static uint64_t next_random(uint64_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	return *state ^= *state << 17;
}

static unsigned char *read_whole(const char *path, size_t *n)
{
	FILE *f = fopen(path, "rb");
	unsigned char *data = f ? malloc(1 << 20) : NULL;
	*n = data ? fread(data, 1, (1 << 20) - GROWTH, f) : 0;
	if (f)
		fclose(f);
	return data;
}

/* Bytes replaced, numbers made extreme, pieces repeated, cut out, or copied elsewhere. */
static size_t mutate(unsigned char *d, size_t n, uint64_t *state)
{
	static const unsigned char odd[] = { 0, 1, 0x7f, 0x80, 0xff, '(', '[', '{', '"', '.', '-', '9', 'R', 0x93 };
	size_t changes = 1 + next_random(state) % 4;
	for (size_t i = 0; i < changes && n > 8; i++) {
		size_t at = next_random(state) % n, len = 1 + next_random(state) % 16;
		len = len < n - at ? len : n - at;
		switch (next_random(state) % 5) {
		case 0: d[at] = (unsigned char)next_random(state); break;
		case 1: memset(d + at, odd[next_random(state) % sizeof odd], len); break;
		case 2: memmove(d + at, d + at + len, n - at - len); n -= len; break;
		case 3: memmove(d + at + len, d + at, n - at); n += len; break;
		case 4: memmove(d + at, d + next_random(state) % (n - len + 1), len); break;
		}
	}
	return next_random(state) % 8 ? n : next_random(state) % (n + 1);
}

static bool fuzz_file(const char *path, long rounds, uint64_t seed)
{
	size_t n;
	unsigned char *original = read_whole(path, &n), *changed = malloc(n + GROWTH + 1);
	uint64_t state = seed * 0x9e3779b97f4a7c15u + 1;
	for (long i = 0; original && changed && i < rounds; i++) {
		memcpy(changed, original, n);
		size_t len = i ? mutate(changed, n, &state) : n;
		unsigned char *exact = malloc(len + 1);  /* so that a byte too far is noticed */
		if (!exact)
			break;
		memcpy(exact, changed, len);
		alarm(SECONDS);
		LLVMFuzzerTestOneInput(exact, len);
		free(exact);
	}
	alarm(0);
	bool ok = original && changed;
	free(original);
	free(changed);
	return ok;
}

int main(int argc, char **argv)
{
	long rounds = argc > 1 ? strtol(argv[1], NULL, 10) : 0;
	printf("1..%d\n", argc - 2);
	for (int i = 2; i < argc; i++) {
		printf("%s %d - %s\n", fuzz_file(argv[i], rounds, (uint64_t)i) ? "ok" : "not ok", i - 1, strrchr(argv[i], '/') ? strrchr(argv[i], '/') + 1 : argv[i]);
		fflush(stdout);
	}
	return 0;
}

#endif
