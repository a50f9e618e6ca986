#include "ops/op.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/nearest.h"
#include "ops/schema.h"

struct optable {
	struct arena *arena;
	struct map ops;       /* name -> struct op * */
};

/* ---- Facts and rules ---- */

const struct op_fact *op_fact_find(const char *name)
{
	size_t low = 0, high = op_facts_count;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		int order = strcmp(name, op_facts[middle].name);
		if (order == 0)
			return &op_facts[middle];
		if (order < 0)
			high = middle;
		else
			low = middle + 1;
	}
	return NULL;
}

/* "add.Tensor" is an overload of "add"; the dot sorts before every letter and '_', so overloads stand together. */
size_t op_fact_overloads(const char *base, size_t *count)
{
	size_t n = strlen(base), low = 0, high = op_facts_count;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (strcmp(op_facts[middle].name, base) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	*count = 0;
	for (size_t i = low; i < op_facts_count && strncmp(op_facts[i].name, base, n) == 0; i++) {
		char end = op_facts[i].name[n];
		if (end != 0 && end != '.')
			break;
		++*count;
	}
	return low;
}

static const struct family { const struct op_rule *rules; enum op_kind kind; } families[] = {
#define OP_FAMILY(family, kind) { family##_rules, OP_##kind },
#include "ops/families.def"
#undef OP_FAMILY
};

const struct op_rule *op_rule_find(const char *name)
{
	for (size_t f = 0; f < sizeof families / sizeof *families; f++)
		for (const struct op_rule *r = families[f].rules; r->name; r++)
			if (strcmp(r->name, name) == 0)
				return r;
	return NULL;
}

enum op_kind op_kind(const struct op *op)
{
	for (size_t f = 0; op->rule && !op->rule->kind && f < sizeof families / sizeof *families; f++)
		for (const struct op_rule *r = families[f].rules; r->name; r++)
			if (r == op->rule)
				return families[f].kind;
	return op->rule ? op->rule->kind : OP_OTHER;
}

/* ---- The operators of one model ---- */

struct optable *optable_new(struct arena *a, nns_error *err)
{
	struct optable *t = arena_alloc(a, sizeof *t);
	if (!t)
		return fail_memory(err), NULL;
	t->arena = a;
	return t;
}

static bool has_word(const char *words, const char *word)
{
	const char *at = strstr(words, word);
	size_t n = strlen(word);
	return at && (at == words || at[-1] == ' ') && (at[n] == 0 || at[n] == ' ');
}

/* "plain differentiable:0,2": all outputs but the first and the third. */
static uint64_t constant_outputs(const char *kind)
{
	static const char word[] = "differentiable:";
	const char *at = strstr(kind, word);
	uint64_t differentiable = 0;
	if (!at)
		return 0;
	for (char *end = (char *)at + sizeof word - 2; *end == ':' || *end == ','; )
		differentiable |= (uint64_t)1 << (strtoul(end + 1, &end, 10) & 63);
	return ~differentiable;
}

/* "unbind.int" for base "unbind_copy" and overload "int", in buf; false when base does not end in _copy. */
static bool op_copied_name(const char *base, const char *overload, char *buf, size_t size)
{
	size_t n = strlen(base);
	if (n <= 5 || strcmp(base + n - 5, "_copy") != 0)
		return false;
	bool plain = strcmp(overload, "default") == 0;
	int len = snprintf(buf, size, "%.*s%s%s", (int)(n - 5), base, plain ? "" : ".", plain ? "" : overload);
	return len > 0 && (size_t)len < size;
}

/* A *_copy operator without a rule of its own has that of the view which it copies. */
static void find_copied(struct op *op)
{
	char name[200];
	if (op->rule || !op_copied_name(op->base_name, op->overload, name, sizeof name))
		return;
	op->rule = op_rule_find(name);
	if (op->rule && !op->rule->shape)
		op->rule = NULL;
	op->copies = op->rule != NULL;
}

const struct op *optable_make(struct optable *t, const struct op_fact *fact)
{
	struct op *op = arena_alloc(t->arena, sizeof *op);
	if (!op)
		return NULL;
	const char *dot = strchr(fact->name, '.');
	op->name = fact->name;
	op->base_name = dot ? arena_strndup(t->arena, fact->name, (size_t)(dot - fact->name)) : fact->name;
	op->overload = dot ? dot + 1 : "default";
	op->fact = fact;
	op->unknown = has_word(fact->kind, "unknown");
	op->rule = op->unknown ? NULL : op_rule_find(fact->name);
	op->composite = has_word(fact->kind, "composite");
	op->view = has_word(fact->kind, "view");
	op->inplace = has_word(fact->kind, "inplace");
	op->function = has_word(fact->kind, "function");
	op->constant = constant_outputs(fact->kind);
	if (!op->base_name || !schema_parse(t->arena, fact->schema, op))
		return NULL;
	find_copied(op);
	return op;
}

static const char *next_fact(void *state)
{
	size_t *i = state;
	return *i < op_facts_count ? op_facts[(*i)++].name : NULL;
}

static bool fail_unknown(const char *name, nns_error *err)
{
	size_t i = 0;
	fail(err, NNS_MODEL, "there is no operator '%s' in ATen", name);
	const char *near = nearest(name, next_fact, &i);
	return near ? fail_add(err, "; did you mean '%s'?", near) : false;
}

const struct op *optable_get(struct optable *t, const char *name, nns_error *err)
{
	struct op *op = map_get(&t->ops, name);
	if (op)
		return op;
	const struct op_fact *fact = op_fact_find(name);
	if (!fact)
		return fail_unknown(name, err), NULL;
	op = (struct op *)optable_make(t, fact);
	if (!op)
		return fail_memory(err), NULL;
	if (op->rule && op->rule->parts) {
		op->parts = lang_parse_block(t->arena, op->rule->parts, strlen(op->rule->parts), fact->name, err);
		if (!op->parts)
			return NULL;
	}
	if (!map_put(&t->ops, t->arena, fact->name, op))
		return fail_memory(err), NULL;
	return op;
}

int op_arg_index(const struct op *op, const char *name)
{
	for (int i = 0; i < op->n_args; i++)
		if (strcmp(op->args[i].name, name) == 0)
			return i;
	return -1;
}
