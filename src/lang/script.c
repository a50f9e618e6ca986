#include "lang/script.h"

#include <string.h>

#include "lang/parse.h"

enum { MAX_PARTS = 200 };    /* of a file's name */

/* ---- Files ---- */

bool script_add_file(struct script *s, const char *dotted, const char *where, const char *text, size_t n, nns_error *err)
{
	struct script_file *f = arena_alloc(s->arena, sizeof *f);
	if (!f)
		return fail_memory(err);
	*f = (struct script_file){ .where = where, .text = text, .n = n };
	if (!map_put(&s->files, s->arena, dotted, f))
		return fail_memory(err);
	int parts = 0;
	for (const char *dot = strchr(dotted, '.'); dot; dot = strchr(dot + 1, '.')) {
		if (++parts > MAX_PARTS)
			return fail(err, NNS_LIMIT, "the name '%.60s...' has more than %d parts", dotted, MAX_PARTS);
		char *prefix = map_get_n(&s->prefixes, dotted, (size_t)(dot - dotted)) ? NULL : arena_strndup(s->arena, dotted, (size_t)(dot - dotted));
		if (prefix && !map_put(&s->prefixes, s->arena, prefix, f))
			return fail_memory(err);
	}
	return !arena_failed(s->arena) || fail_memory(err);
}

bool script_is_path(const struct script *s, const char *dotted)
{
	return map_has(&s->prefixes, dotted) || map_has(&s->files, dotted);
}

/* ---- Splitting a file into its classes and functions ---- */

struct splitter {
	struct parser p;
	struct script *script;
	const struct script_file *file;
	const char *dotted;
};

/* Everything of a function; *end is where its last line ends. */
static bool skip_function(struct parser *p, const char **end)
{
	int depth = 0;
	while (p->tok.kind != T_NEWLINE && p->tok.kind != T_END)
		advance(p);
	*end = p->consumed;
	while (p->tok.kind == T_NEWLINE)
		advance(p);
	if (p->tok.kind != T_INDENT)
		return p->tok.kind != T_BAD || parse_fail(p, "a function");
	do {
		depth += p->tok.kind == T_INDENT;
		depth -= p->tok.kind == T_DEDENT;
		if (p->tok.kind == T_BAD)
			return parse_fail(p, "a function");
		if (p->tok.kind != T_NEWLINE && p->tok.kind != T_INDENT && p->tok.kind != T_DEDENT)
			*end = p->tok.start + p->tok.len;
		if (depth > 0)
			advance(p);
	} while (depth > 0 && p->tok.kind != T_END);
	if (p->tok.kind == T_DEDENT)
		advance(p);
	return true;
}

static struct script_def *split_def(struct splitter *s)
{
	struct parser *p = &s->p;
	struct script_def *d = arena_alloc(p->arena, sizeof *d);
	struct token start = p->tok;
	const char *end;
	if (!d)
		return fail_memory(p->err), NULL;
	if (p->ahead.kind != T_NAME)
		return advance(p), parse_fail(p, "the name of a function"), NULL;
	*d = (struct script_def){ .name = token_text(p, &p->ahead), .file = s->file, .text = start.start, .line = start.line, .column = start.col };
	if (!d->name || !skip_function(p, &end))
		return NULL;
	d->n = (size_t)(end - start.start);
	return d;
}

static bool put_name(struct splitter *s, const char *name, const struct script_class *class, struct script_def *def)
{
	struct script_name *n = arena_alloc(s->p.arena, sizeof *n);
	const char *qualified = class ? class->qualified : arena_printf(s->p.arena, "%s.%s", s->dotted, name);
	if (!n || !qualified)
		return fail_memory(s->p.err);
	*n = (struct script_name){ class, def };
	return map_put(&s->script->names, s->p.arena, qualified, n) || fail_memory(s->p.err);
}

static bool add_field(struct splitter *s, struct script_class *c, const char *name)
{
	const char **fields = arena_grow(s->p.arena, c->fields, c->n_fields, &c->cap_fields, sizeof *fields);
	if (!fields)
		return fail_memory(s->p.err);
	c->fields = fields;
	fields[c->n_fields++] = name;
	return true;
}

static bool add_value(struct splitter *s, struct script_class *c, const char *name, struct ast *value)
{
	struct script_value *values = arena_grow(s->p.arena, c->values, c->n_values, &c->cap_values, sizeof *values);
	struct code *code = arena_alloc(s->p.arena, sizeof *code);
	if (!values || !code)
		return fail_memory(s->p.err);
	*code = (struct code){ value, s->p.where };
	c->values = values;
	values[c->n_values++] = (struct script_value){ name, code };
	return true;
}

/* name : type, name : Final[type] = value, name = value; __annotations__["0"] = type tells nothing that is needed. */
static bool add_statement(struct splitter *s, struct script_class *c, const struct ast *st)
{
	if (st->kind == A_EXPRESSION && st->a->kind == A_NAME)
		return add_field(s, c, st->a->name);
	if (st->kind == A_ASSIGN && st->n == 1 && st->items[0]->kind == A_NAME)
		return add_value(s, c, st->items[0]->name, st->a);
	return true;
}

static bool split_member(struct splitter *s, struct script_class *c)
{
	struct parser *p = &s->p;
	if (at(p, "def")) {
		struct script_def *d = split_def(s), **methods = d ? arena_grow(p->arena, c->methods, c->n_methods, &c->cap_methods, sizeof *methods) : NULL;
		if (!methods)
			return d ? fail_memory(p->err) : false;
		c->methods = methods;
		methods[c->n_methods++] = d;
		return true;
	}
	struct ast *st = parse_statement(p);
	if (!st || !add_statement(s, c, st))
		return false;
	return at_line_end(p) || parse_fail(p, "the end of the line");
}

static bool split_members(struct splitter *s, struct script_class *c)
{
	struct parser *p = &s->p;
	while (p->tok.kind == T_NEWLINE)
		advance(p);
	if (p->tok.kind != T_INDENT)
		return p->tok.kind != T_BAD || parse_fail(p, "members of a class");
	advance(p);
	while (p->tok.kind != T_DEDENT && p->tok.kind != T_END)
		if (p->tok.kind == T_NEWLINE)
			advance(p);
		else if (!split_member(s, c))
			return false;
	if (p->tok.kind == T_DEDENT)
		advance(p);
	return true;
}

static bool split_class(struct splitter *s)
{
	struct parser *p = &s->p;
	struct script_class *c = arena_alloc(p->arena, sizeof *c);
	if (!c)
		return fail_memory(p->err);
	advance(p);
	if (p->tok.kind != T_NAME)
		return parse_fail(p, "the name of a class");
	*c = (struct script_class){ .name = token_text(p, &p->tok), .base = "" };
	c->qualified = c->name ? arena_printf(p->arena, "%s.%s", s->dotted, c->name) : NULL;
	if (!c->qualified)
		return fail_memory(p->err);
	advance(p);
	if (accept(p, "(")) {
		if (p->tok.kind != T_NAME)
			return parse_fail(p, "what the class is based on");
		if (!(c->base = token_text(p, &p->tok)))
			return false;
		advance(p);
		if (!expect(p, ")"))
			return false;
	}
	return expect(p, ":") && split_members(s, c) && put_name(s, c->name, c, NULL);
}

static bool split_function(struct splitter *s)
{
	struct script_def *d = split_def(s);
	return d && put_name(s, d->name, NULL, d);
}

static bool split_file(struct script *script, const char *dotted, struct script_file *file, nns_error *err)
{
	struct splitter s = { .script = script, .file = file, .dotted = dotted };
	if (!parser_begin(&s.p, script->arena, file->text, file->n, file->where, LEX_BLOCK, err))
		return false;
	file->split = true;
	while (s.p.tok.kind != T_END) {
		bool ok = true;
		if (s.p.tok.kind == T_NEWLINE)
			advance(&s.p);
		else if (at(&s.p, "class"))
			ok = split_class(&s);
		else if (at(&s.p, "def"))
			ok = split_function(&s);
		else
			ok = parse_fail(&s.p, "a class or a function");
		if (!ok)
			return false;
	}
	return true;
}

/* ---- Names ---- */

bool script_find(struct script *s, const char *qualified, const struct script_name **out, nns_error *err)
{
	const char *dot = strrchr(qualified, '.');
	*out = map_get(&s->names, qualified);
	struct script_file *f = !*out && dot ? map_get_n(&s->files, qualified, (size_t)(dot - qualified)) : NULL;
	if (!f || f->split)
		return true;
	char *dotted = arena_strndup(s->arena, qualified, (size_t)(dot - qualified));
	if (!dotted)
		return fail_memory(err);
	if (!split_file(s, dotted, f, err))
		return false;
	*out = map_get(&s->names, qualified);
	return true;
}

struct script_def *script_method(const struct script_class *c, const char *name)
{
	for (size_t i = 0; i < c->n_methods; i++)
		if (strcmp(c->methods[i]->name, name) == 0)
			return c->methods[i];
	return NULL;
}

struct script_def *script_forward(const struct script_class *c)
{
	struct script_def *d = c ? script_method(c, "forward") : NULL;
	return d || !c ? d : script_method(c, "forward__0");
}

bool script_is_forward(const struct script_def *d)
{
	const char *rest = strncmp(d->name, "forward", 7) == 0 ? d->name + 7 : "no";
	rest += strncmp(rest, "__", 2) == 0 ? 2 : 0;
	return strspn(rest, "0123456789") == strlen(rest);
}

bool script_parse(struct script *s, struct script_def *d, nns_error *err)
{
	struct parser p;
	struct code *body = d->body ? NULL : arena_alloc(s->arena, sizeof *body);
	if (d->body)
		return true;
	if (!body)
		return fail_memory(err);
	if (!parser_begin_at(&p, s->arena, d->text, d->n, d->file->where, d->line, d->column, err))
		return false;
	struct ast *e = parse_def(&p);
	if (!e)
		return false;
	*body = (struct code){ e->b, p.where };
	d->signature = *e->signature;
	d->body = body;
	return true;
}
