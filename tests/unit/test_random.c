/*
 * Random numbers: what PyTorch 2.13 drew on a CPU after torch.manual_seed().
 * Writes TAP.
 */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>

#include "base/random.h"
#include "tap.h"

static void check_reals(const char *what, const double *got, const double *want, int n, double tolerance)
{
	int bad = 0;
	for (int i = 0; i < n; i++)
		if (!(fabs(got[i] - want[i]) <= tolerance)) {
			printf("# %s: value %d is %.9g, not %.9g\n", what, i, got[i], want[i]);
			bad = 1;
		}
	tap(!bad, "%s", what);
}

static void check_floats(const char *what, const float *got, const double *want, int n)
{
	double wide[32];
	for (int i = 0; i < n; i++)
		wide[i] = got[i];
	check_reals(what, wide, want, n, 1e-6);
}

static void check_ints(const char *what, const int64_t *got, const int64_t *want, int n)
{
	int bad = 0;
	for (int i = 0; i < n; i++)
		if (got[i] != want[i]) {
			printf("# %s: value %d is %" PRId64 ", not %" PRId64 "\n", what, i, got[i], want[i]);
			bad = 1;
		}
	tap(!bad, "%s", what);
}

/* FNV-1a of the bytes that numpy's tobytes() gives: every bit counts. */
static void check_digest(const char *what, const void *bytes, size_t n, uint64_t want)
{
	const unsigned char *p = bytes;
	uint64_t h = UINT64_C(0xcbf29ce484222325);
	for (size_t i = 0; i < n; i++)
		h = (h ^ p[i]) * UINT64_C(0x100000001b3);
	tap(h == want, "%s", what);
}

static void test_bits(void)
{
	static float f[10007];
	static double d[1007];
	const double bound = 0.57735026918962584;
	struct generator g;
	generator_seed(&g, 7);
	random_uniform_float(&g, f, 10007, -bound, bound);
	check_digest("uniform_(), every bit", f, sizeof f, UINT64_C(0x23af23cd022659c7));
	generator_seed(&g, 7);
	random_normal_float(&g, f, 10007, 0.1, 0.7);
	check_digest("normal_(), every bit", f, sizeof f, UINT64_C(0xd62f56b3497552d4));
	generator_seed(&g, 7);
	random_uniform_double(&g, d, 1007, -bound, bound);
	check_digest("uniform_() of float64, every bit", d, sizeof d, UINT64_C(0xd3bf15fa7d628f0b));
}

static void test_uniform(void)
{
	struct generator g;
	float f[5];
	double d[4];
	generator_seed(&g, 0);
	random_uniform_float(&g, f, 5, 0, 1);
	check_floats("torch.rand(5)", f, (const double[]){ 0.49625659, 0.768221796, 0.0884774327, 0.132030487, 0.307422817 }, 5);
	generator_seed(&g, 0);
	random_uniform_float(&g, f, 4, -3, 5);
	check_floats("uniform_(-3, 5)", f, (const double[]){ 0.970052719, 3.14577436, -2.29218054, -1.9437561 }, 4);
	generator_seed(&g, 0);
	random_uniform_double(&g, d, 4, 0, 1);
	check_reals("torch.rand(4, dtype=torch.float64)", d, (const double[]){ 0.970053002, 0.707819864, 0.459382943, 0.920747684 }, 4, 1e-9);
	generator_seed(&g, (UINT64_C(1) << 40) + 5);
	random_uniform_float(&g, f, 2, 0, 1);
	check_floats("the low half of a seed counts", f, (const double[]){ 0.830251873, 0.126110911 }, 2);
}

static void test_normal(void)
{
	static const double blocks[] = { -1.12583983, -1.1523602, -0.250578582, 0.793508351, 0.598839462, -1.55509508, -0.34136039, 1.85300612,
		0.468096405, -0.157712445, 1.44366014, 0.183477938, 1.38936615, 1.58633423, 0.946298361, -0.843676746, 0.931826591, 1.25900924,
		2.00498056 };
	static const double wide[] = { -0.217748792, 1.06388529, -2.22363656, -0.4724361, -1.34643569, -0.284169259, 0.167944751, 0.758057329,
		1.07843524, 0.625871321, 1.00379372, -0.221396374, -0.58400988, -1.22498537, -0.269718737, 0.203668634, 0.0287528679 };
	static const double pairs[] = { 1.54099607, -0.293428898, -2.17878938, 0.568431258, -1.08452237, -1.39859545, 0.403346837 };
	struct generator g;
	float f[19];
	double d[17];
	generator_seed(&g, 0);
	random_normal_float(&g, f, 7, 0, 1);
	check_floats("torch.randn(7): pairs", f, pairs, 7);
	generator_seed(&g, 0);
	random_normal_float(&g, f, 3, 0, 1);
	random_normal_float(&g, f + 3, 2, 0, 1);
	check_floats("half of a pair waits for the next call", f, pairs, 5);
	generator_seed(&g, 0);
	random_normal_float(&g, f, 19, 0, 1);
	check_floats("torch.randn(19): blocks, the last drawn again", f, blocks, 19);
	generator_seed(&g, 3);
	random_normal_double(&g, d, 17, 0, 1);
	check_reals("torch.randn(17, dtype=torch.float64)", d, wide, 17, 1e-8);
}

static void test_integers(void)
{
	static const struct { int64_t high, want[2]; } ranges[] = {
		{ 268435455, { 209652404, 130329144 } }, { 268435456, { 130329135, 136432832 } }, { INT64_C(1) << 31, { 398764591, 1478610112 } },
		{ INT64_C(4294967295), { 608416988, 2402841398 } }, { INT64_C(1) << 32, { 2546248239, 3626093760 } },
		{ INT64_C(1) << 33, { 2546248239, 7921061056 } } };
	struct generator g;
	int64_t v[10];
	char what[60];
	generator_seed(&g, 0);
	random_int(&g, v, 8, 0, 10);
	check_ints("torch.randint(0, 10, (8,))", v, (const int64_t[]){ 4, 9, 3, 0, 3, 9, 7, 3 }, 8);
	for (size_t i = 0; i < sizeof ranges / sizeof *ranges; i++) {
		generator_seed(&g, 0);
		random_int(&g, v, 2, 0, ranges[i].high);
		snprintf(what, sizeof what, "torch.randint(0, %" PRId64 ", (2,))", ranges[i].high);
		check_ints(what, v, ranges[i].want, 2);
	}
	generator_seed(&g, 0);
	random_permutation(&g, v, 10);
	check_ints("torch.randperm(10)", v, (const int64_t[]){ 4, 1, 7, 5, 3, 9, 0, 8, 6, 2 }, 10);
}

int main(void)
{
	test_uniform();
	test_normal();
	test_bits();
	test_integers();
	return tap_end();
}
