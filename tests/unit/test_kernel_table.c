/*
 * Every rule is for an operator of ATen and says something; every operator that runs as itself has a kernel, or stands
 * in tests/values/without-kernel.list; every row of that list and of the kernels is needed.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "exec/kernel.h"
#include "tap.h"

static const struct op_rule *const families[] = {
#define OP_FAMILY(family, kind) family##_rules,
#include "ops/families.def"
#undef OP_FAMILY
};

static const struct kernel_row *const kernels[] = {
#define KERNEL_FAMILY(family) family##_kernels,
#include "exec/kernels.def"
#undef KERNEL_FAMILY
};

static char list[100000];

static bool listed(const char *name)
{
	char line[200];
	snprintf(line, sizeof line, "\n%s\n", name);
	return strstr(list, line);
}

static bool read_list(void)
{
	const char *folder = getenv("srcdir");
	char path[500];
	snprintf(path, sizeof path, "%s/tests/values/without-kernel.list", folder ? folder : ".");
	FILE *f = fopen(path, "r");
	list[0] = '\n';
	size_t n = f ? fread(list + 1, 1, sizeof list - 2, f) : 0;
	if (f)
		fclose(f);
	list[n + 1] = 0;
	return f && n > 0;
}

/* A rule is for an operator of ATen, and says something: the shape, or what it is made of. */
static bool check_rule(const struct op_rule *r, const struct op *op)
{
	if (!op)
		tap_note("rule %s is for no operator of ATen", r->name);
	else if (!r->shape && !r->parts && !r->flops)
		tap_note("rule %s says nothing", r->name);
	return op && (r->shape || r->parts || r->flops);
}

/* Has a kernel or is listed, and not both. */
static bool check_kernel(const struct op_rule *r, const struct op *op)
{
	bool has = op && kernel_find(op);
	if (r->parts || !op || has != listed(r->name))
		return true;
	tap_note("%s %s", r->name, has ? "has a kernel: take it off the list" : "has no kernel");
	return false;
}

static void check_rules(struct optable *t)
{
	bool rules = true, have = true;
	for (size_t f = 0; f < sizeof families / sizeof *families; f++)
		for (const struct op_rule *r = families[f]; r->name; r++) {
			nns_error err = { 0 };
			const struct op *op = optable_get(t, r->name, &err);
			rules = check_rule(r, op) && rules;
			have = check_kernel(r, op) && have;
		}
	tap(rules, "rules are for operators of ATen, and say something");
	tap(have, "operators have kernels, or are listed");
}

static bool has_rule(const char *name)
{
	for (size_t f = 0; f < sizeof families / sizeof *families; f++)
		for (const struct op_rule *r = families[f]; r->name; r++)
			if (strcmp(r->name, name) == 0)
				return !r->parts;
	return false;
}

/* What is listed for want of a kernel has a rule, and no parts to run instead. */
static void check_list(void)
{
	bool good = true;
	for (char *line = strtok(list, "\n"); line; line = strtok(NULL, "\n"))
		if (*line != '#' && !has_rule(line)) {
			tap_note("%s is listed and has no rule that needs a kernel", line);
			good = false;
		}
	tap(good, "what is listed needs a kernel");
}

/* A row for an operator that ATen does not have is a slip of the pen. */
static void check_rows(void)
{
	bool good = true;
	for (size_t f = 0; f < sizeof kernels / sizeof *kernels; f++)
		for (const struct kernel_row *r = kernels[f]; r->name; r++) {
			char base[100];
			size_t count, n = strcspn(r->name, ".");
			snprintf(base, sizeof base, "%.*s", (int)n, r->name);
			op_fact_overloads(base, &count);
			bool known = r->name[n] ? op_fact_find(r->name) != NULL : count > 0;
			if (!known || (!r->run && !r->real)) {
				tap_note("row %s %s", r->name, known ? "does nothing" : "is for no operator of ATen");
				good = false;
			}
		}
	tap(good, "kernels are for operators of ATen");
}

int main(void)
{
	nns_error err = { 0 };
	struct arena *a = arena_new(NULL, &err);
	struct optable *t = a ? optable_new(a, &err) : NULL;
	if (!t || !read_list())
		tap_bail("no list, or no memory");
	check_rules(t);
	check_rows();
	check_list();
	arena_free(a);
	return tap_end();
}
