/*
 * The schema language of native_functions.yaml
 * (aten/src/ATen/native/README.md), as far as ATen's own operators use it:
 *
 *     name.overload(Tensor(a!) self, int[2] stride=1, *, ScalarType? dtype=None) -> (Tensor(a!), Tensor[])
 */
#include "ops/schema.h"

#include <stdlib.h>
#include <string.h>

struct cursor {
	struct arena *arena;
	const char *p;
};

static void skip_blanks(struct cursor *c)
{
	while (*c->p == ' ')
		c->p++;
}

static bool accept(struct cursor *c, const char *word)
{
	skip_blanks(c);
	size_t n = strlen(word);
	if (strncmp(c->p, word, n) != 0)
		return false;
	c->p += n;
	return true;
}

static bool is_word(char ch)
{
	return (ch >= 'a' && ch <= 'z') || (ch >= 'A' && ch <= 'Z') || (ch >= '0' && ch <= '9') || ch == '_';
}

static size_t word_length(const char *p)
{
	size_t n = 0;
	while (is_word(p[n]))
		n++;
	return n;
}

static enum arg_type type_of(const char *p, size_t n)
{
	static const struct { const char *name; enum arg_type type; } types[] = {
		{ "Tensor", ARG_TENSOR }, { "int", ARG_INT }, { "SymInt", ARG_INT }, { "float", ARG_FLOAT },
		{ "bool", ARG_BOOL }, { "SymBool", ARG_BOOL }, { "str", ARG_STR }, { "Scalar", ARG_SCALAR }, { "ScalarType", ARG_DTYPE },
		{ "Layout", ARG_LAYOUT }, { "Device", ARG_DEVICE }, { "MemoryFormat", ARG_MEMORY_FORMAT },
		{ "Generator", ARG_GENERATOR },
	};
	for (size_t i = 0; i < sizeof types / sizeof *types; i++)
		if (strlen(types[i].name) == n && memcmp(types[i].name, p, n) == 0)
			return types[i].type;
	return ARG_OTHER;
}

/* "(a! -> *)" behind Tensor: the alias set and whether it is written. */
static void parse_alias(struct cursor *c, char *alias, bool *writes)
{
	if (*c->p != '(')
		return;
	*alias = c->p[1];
	for (; *c->p && *c->p != ')'; c->p++)
		if (*c->p == '!')
			*writes = true;
	if (*c->p)
		c->p++;
}

static void parse_type(struct cursor *c, struct op_arg *a)
{
	skip_blanks(c);
	size_t n = word_length(c->p);
	a->type = type_of(c->p, n);
	c->p += n;
	parse_alias(c, &a->alias, &a->writes);
	bool optional = *c->p == '?';
	c->p += optional;
	if (*c->p != '[') {
		a->optional = optional;
		return;
	}
	a->list = true;
	a->optional_items = optional;
	a->list_size = atoi(c->p + 1);
	c->p += strcspn(c->p, "]");
	c->p += *c->p == ']';
	if (*c->p == '(')
		parse_alias(c, &a->alias, &a->writes);
	if (*c->p == '?') {
		a->optional = true;
		c->p++;
	}
}

static bool parse_number(struct cursor *c, enum arg_type type, struct datum *out)
{
	char *end;
	long long i = strtoll(c->p, &end, 10);
	if (*end != '.' && *end != 'e') {
		*out = type == ARG_FLOAT ? datum_float((double)i) : datum_int(i);
	} else {
		*out = datum_float(strtod(c->p, &end));
	}
	bool any = end != c->p;
	c->p = end;
	return any;
}

static bool parse_string(struct cursor *c, struct datum *out)
{
	char quote = *c->p++;
	size_t cap = strlen(c->p), n = 0;
	char *s = arena_alloc(c->arena, cap + 1);
	if (!s)
		return false;
	for (; *c->p && *c->p != quote; c->p++) {
		if (*c->p == '\\' && c->p[1])
			c->p++;
		s[n++] = *c->p;
	}
	c->p += *c->p == quote;
	*out = datum_str(s);
	return true;
}

/* The default of an argument; words of C++ become what Python would pass. */
static bool parse_default(struct cursor *c, const struct op_arg *a, struct datum *out)
{
	if (*c->p == '[') {
		if (!datum_seq(c->arena, D_LIST, 0, out))
			return false;
		c->p++;
		while (*c->p && *c->p != ']') {
			struct datum item;
			skip_blanks(c);
			if (!parse_default(c, a, &item) || !seq_push(c->arena, out->u.seq, item))
				return false;
			skip_blanks(c);
			c->p += *c->p == ',';
		}
		c->p += *c->p == ']';
		return true;
	}
	if (*c->p == '\'' || *c->p == '"')
		return parse_string(c, out);
	if (accept(c, "None"))
		return *out = datum_none(), true;
	if (accept(c, "True"))
		return *out = datum_bool(true), true;
	if (accept(c, "False"))
		return *out = datum_bool(false), true;
	if (accept(c, "Mean"))            /* at::Reduction::Mean */
		return *out = datum_int(1), true;
	if (accept(c, "long")) {
		*out = (struct datum){ .kind = D_DTYPE, .u.i = DT_INT64 };
		return true;
	}
	if (parse_number(c, a->type, out))
		return true;
	size_t n = word_length(c->p);     /* contiguous_format */
	const char *word = arena_strndup(c->arena, c->p, n);
	c->p += n ? n : (*c->p != 0);
	*out = datum_none();
	return word != NULL;
}

/* int[2] stride=1 stands for [1, 1]. */
static bool spread_default(struct cursor *c, struct op_arg *a)
{
	struct datum item = a->fallback;
	if (!a->list || a->list_size == 0 || !datum_is_number(item))
		return true;
	if (!datum_seq(c->arena, D_LIST, (size_t)a->list_size, &a->fallback))
		return false;
	for (int i = 0; i < a->list_size; i++)
		if (!seq_push(c->arena, a->fallback.u.seq, item))
			return false;
	return true;
}

static bool parse_arg(struct cursor *c, struct op_arg *a)
{
	parse_type(c, a);
	skip_blanks(c);
	size_t n = word_length(c->p);
	if (!(a->name = arena_strndup(c->arena, c->p, n)))
		return false;
	c->p += n;
	if (*c->p != '=')
		return true;
	c->p++;
	a->has_default = true;
	return parse_default(c, a, &a->fallback) && spread_default(c, a);
}

static bool parse_args(struct cursor *c, struct op *op)
{
	size_t cap = 0;
	bool keyword_only = false;
	if (!accept(c, "("))
		return true;
	while (*c->p && !accept(c, ")")) {
		if (accept(c, "*,") || accept(c, "* ,")) {
			keyword_only = true;
			continue;
		}
		struct op_arg *args = arena_grow(c->arena, op->args, (size_t)op->n_args, &cap, sizeof *args);
		if (!args)
			return false;
		op->args = args;
		args[op->n_args] = (struct op_arg){ .keyword_only = keyword_only };
		if (!parse_arg(c, &args[op->n_args++]))
			return false;
		accept(c, ",");
	}
	return true;
}

static bool parse_returns(struct cursor *c, struct op *op)
{
	size_t cap = 0;
	if (!accept(c, "->"))
		return true;
	bool bracket = accept(c, "(");
	for (;;) {
		skip_blanks(c);
		if (*c->p == 0 || *c->p == ')')
			return true;
		struct op_return *returns = arena_grow(c->arena, op->returns, (size_t)op->n_returns, &cap, sizeof *returns);
		if (!returns)
			return false;
		op->returns = returns;
		struct op_arg a = { 0 };
		parse_type(c, &a);
		skip_blanks(c);
		c->p += word_length(c->p);
		returns[op->n_returns++] = (struct op_return){ .type = a.type, .list = a.list, .writes = a.writes, .alias = a.alias };
		if (!bracket || !accept(c, ","))
			return true;
	}
}

bool schema_parse(struct arena *a, const char *schema, struct op *op)
{
	struct cursor c = { a, schema };
	c.p += strcspn(c.p, "(");
	return parse_args(&c, op) && parse_returns(&c, op);
}
