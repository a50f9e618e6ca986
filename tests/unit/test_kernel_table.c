/*
 * Every operator that runs as itself has a kernel, or stands in tests/values/without-kernel.list; and every row of
 * that list and of the kernels is needed.  TAP.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "exec/kernel.h"

static const struct op_rule *const families[] = {
#define OP_FAMILY(family) family##_rules,
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

/* Operators without a kernel that the list lacks, and those of the list that have one by now. */
static int check_rules(struct optable *t)
{
	int wrong = 0;
	for (size_t f = 0; f < sizeof families / sizeof *families; f++)
		for (const struct op_rule *r = families[f]; r->name; r++) {
			nns_error err = { 0 };
			const struct op *op = r->parts ? NULL : optable_get(t, r->name, &err);
			bool has = op && kernel_find(op);
			if (op && has == listed(r->name)) {
				printf("# %s %s\n", r->name, has ? "has a kernel: take it off the list" : "has no kernel");
				wrong++;
			}
		}
	return wrong;
}

/* A row for an operator that ATen does not have is a slip of the pen. */
static int check_rows(void)
{
	int wrong = 0;
	for (size_t f = 0; f < sizeof kernels / sizeof *kernels; f++)
		for (const struct kernel_row *r = kernels[f]; r->name; r++) {
			char base[100];
			size_t count, n = strcspn(r->name, ".");
			snprintf(base, sizeof base, "%.*s", (int)n, r->name);
			op_fact_overloads(base, &count);
			bool known = r->name[n] ? op_fact_find(r->name) != NULL : count > 0;
			if (!known || (!r->run && !r->real)) {
				printf("# row %s %s\n", r->name, known ? "does nothing" : "is for no operator of ATen");
				wrong++;
			}
		}
	return wrong;
}

int main(void)
{
	nns_error err = { 0 };
	struct arena *a = arena_new(NULL, &err);
	struct optable *t = a ? optable_new(a, &err) : NULL;
	if (!t || !read_list())
		return printf("Bail out! no list, or no memory\n"), 1;
	int rules = check_rules(t), rows = check_rows();
	printf("%s 1 - operators have kernels\n%s 2 - kernels have operators\n1..2\n", rules ? "not ok" : "ok", rows ? "not ok" : "ok");
	arena_free(a);
	return 0;
}
