/* Evaluation of expressions. */
#include "lang/eval.h"
#include "base/nearest.h"

#include <stdio.h>
#include <string.h>

bool fail_at(const struct ast *e, nns_error *err, enum nns_code code, const char *fmt, ...)
{
	char message[900];
	va_list ap;
	va_start(ap, fmt);
	vsnprintf(message, sizeof message, fmt, ap);
	va_end(ap);
	return fail(err, code, "%s:%d:%d: %s", e->where, e->line, e->col, message);
}

void interp_init(struct interp *in, struct arena *a, const struct lang_host *host, void *data)
{
	*in = (struct interp){ .arena = a, .host = host, .data = data, .max_steps = MAX_STEPS };
}

/* ---- Scopes ---- */

bool scope_set(struct arena *a, struct scope *s, const char *name, struct datum v)
{
	for (size_t i = 0; i < s->n; i++)
		if (s->names[i] == name || strcmp(s->names[i], name) == 0)
			return s->values[i] = v, true;
	size_t cap = s->cap;
	const char **names = arena_grow(a, s->names, s->n, &s->cap, sizeof *names);
	struct datum *values = arena_grow(a, s->values, s->n, &cap, sizeof *values);
	if (!names || !values)
		return false;
	s->names = names;
	s->values = values;
	names[s->n] = name;
	values[s->n++] = v;
	return true;
}

struct datum *scope_get(const struct scope *s, const char *name)
{
	for (; s; s = s->outer)
		for (size_t i = 0; i < s->n; i++)
			if (s->names[i] == name || strcmp(s->names[i], name) == 0)
				return &s->values[i];
	return NULL;
}

/* ---- Names ---- */

struct candidates {
	struct interp *in;
	const struct scope *scope;
	size_t i, host, builtin;
};

static const char *next_name(void *state)
{
	struct candidates *c = state;
	for (; c->scope; c->scope = c->scope->outer, c->i = 0)
		if (c->i < c->scope->n)
			return c->scope->names[c->i++];
	const char *name = c->in->host && c->in->host->names ? c->in->host->names(c->in, datum_none(), c->host++) : NULL;
	return name ? name : builtin_name(c->builtin++);
}

static bool eval_name(struct interp *in, const struct ast *e, struct scope *s, struct datum *out, nns_error *err)
{
	const struct datum *v = scope_get(s, e->name);
	bool found = false;
	if (v)
		return *out = *v, true;
	if (in->host && in->host->global && !in->host->global(in, e->name, out, &found, err))
		return false;
	if (found)
		return true;
	const struct function *f = builtin_find(e->name);
	if (f)
		return *out = datum_pointer(D_FUNCTION, f), true;
	struct candidates c = { .in = in, .scope = s };
	fail_at(e, err, NNS_MODEL, "name '%s' is not defined", e->name);
	const char *near = nearest(e->name, next_name, &c);
	return near ? fail_add(err, "; did you mean '%s'?", near) : false;
}

/* ---- Attributes ---- */

bool is_host_kind(struct datum d)
{
	return d.kind == D_TENSOR || d.kind == D_MODULE || d.kind == D_CLASS || d.kind == D_DTYPE || d.kind == D_HOST;
}

bool lang_getattr(struct interp *in, struct datum obj, const char *name, struct datum *out, bool *found, nns_error *err)
{
	*found = false;
	if (is_host_kind(obj))
		return !in->host || !in->host->getattr || in->host->getattr(in, obj, name, out, found, err);
	if (obj.kind == D_FUNCTION && strcmp(name, "__name__") == 0) {
		*found = true;
		*out = datum_str(((const struct function *)obj.u.p)->name);
		return true;
	}
	return plain_method(in, obj, name, out, found, err);
}

struct attribute_candidates {
	struct interp *in;
	struct datum obj;
	size_t i;
};

static const char *next_attribute(void *state)
{
	struct attribute_candidates *c = state;
	if (!is_host_kind(c->obj))
		return plain_method_name(c->obj, c->i++);
	return c->in->host && c->in->host->names ? c->in->host->names(c->in, c->obj, c->i++) : NULL;
}

static bool eval_attribute(struct interp *in, const struct ast *e, struct scope *s, struct datum *out, nns_error *err)
{
	struct datum obj;
	bool found;
	if (!eval(in, e->a, s, &obj, err) || !lang_getattr(in, obj, e->name, out, &found, err))
		return false;
	if (found)
		return true;
	struct attribute_candidates c = { in, obj, 0 };
	fail_at(e, err, NNS_MODEL, "'%s' has no attribute '%s'", datum_type_name(obj), e->name);
	const char *near = nearest(e->name, next_attribute, &c);
	return near ? fail_add(err, "; did you mean '%s'?", near) : false;
}

/* ---- Calls, subscripts, strings ---- */

static bool push_named(struct interp *in, struct lang_args *to, const char *name, struct datum v, nns_error *err)
{
	size_t cap = to->cap_named;
	const char **names = arena_grow(in->arena, to->names, to->n_named, &to->cap_named, sizeof *names);
	struct datum *values = arena_grow(in->arena, to->values, to->n_named, &cap, sizeof *values);
	if (!names || !values)
		return fail_memory(err);
	to->names = names;
	to->values = values;
	names[to->n_named] = name;
	values[to->n_named++] = v;
	return true;
}

static bool push_keywords(struct interp *in, const struct ast *e, struct datum from, struct lang_args *to, nns_error *err)
{
	if (from.kind != D_DICT)
		return fail_at(e, err, NNS_MODEL, "** needs a dict, not %s", datum_type_name(from));
	for (size_t i = 0; i < from.u.dict->n; i++) {
		if (from.u.dict->keys[i].kind != D_STR)
			return fail_at(e, err, NNS_MODEL, "keywords must be strings");
		if (!push_named(in, to, from.u.dict->keys[i].u.s, from.u.dict->values[i], err))
			return false;
	}
	return true;
}

static bool eval_arguments(struct interp *in, const struct ast *call, struct scope *s, struct lang_args *out, nns_error *err)
{
	struct datum list, v;
	*out = (struct lang_args){ 0 };
	if (!datum_seq(in->arena, D_LIST, call->n, &list))
		return fail_memory(err);
	for (size_t i = 0; i < call->n; i++) {
		const struct ast *a = call->items[i];
		const char *name = call->names[i];
		if (a->kind == A_STAR) {
			if (!push_spread(in, a, s, list.u.seq, err))
				return false;
			continue;
		}
		if (!eval(in, a, s, &v, err))
			return false;
		if (!name && out->n_named)
			return fail_at(a, err, NNS_MODEL, "a positional argument follows a keyword argument");
		bool pushed = !name ? seq_push(in->arena, list.u.seq, v) || fail_memory(err)
		            : strcmp(name, "**") == 0 ? push_keywords(in, a, v, out, err) : push_named(in, out, name, v, err);
		if (!pushed)
			return false;
	}
	out->items = list.u.seq->items;
	out->n = list.u.seq->n;
	return true;
}

/* What a built-in function costs: it may walk what it is given. */
static bool charge(struct interp *in, const struct function *f, const struct lang_args *args, nns_error *err)
{
	size_t n = datum_is_seq(f->self) ? f->self.u.seq->n : 0;
	for (size_t i = 0; i < args->n; i++)
		n += datum_is_seq(args->items[i]) ? args->items[i].u.seq->n : args->items[i].kind == D_DICT ? args->items[i].u.dict->n : 0;
	in->steps += (long)(n / 8);
	return in->steps <= in->max_steps || fail(err, NNS_LIMIT, "the code takes more than %ld steps", in->max_steps);
}

bool lang_call(struct interp *in, struct datum callee, const struct lang_args *args, struct datum *out, nns_error *err)
{
	if (callee.kind == D_FUNCTION) {
		const struct function *f = callee.u.p;
		return charge(in, f, args, err) && f->call(in, f, args, out, err);
	}
	if (is_host_kind(callee) && in->host && in->host->call)
		return in->host->call(in, callee, args, out, err);
	return fail(err, NNS_MODEL, "'%s' is not callable", datum_type_name(callee));
}

static bool eval_call(struct interp *in, const struct ast *e, struct scope *s, struct datum *out, nns_error *err)
{
	struct datum callee;
	struct lang_args args;
	int line = in->line;
	if (!eval(in, e->a, s, &callee, err) || !eval_arguments(in, e, s, &args, err))
		return false;
	if (callee.kind != D_FUNCTION && !is_host_kind(callee))
		return fail_at(e, err, NNS_MODEL, "'%s' is not callable", datum_type_name(callee));
	bool ok = lang_call(in, callee, &args, out, err);
	in->line = line;
	return ok;
}

static bool eval_slice(struct interp *in, const struct ast *e, struct scope *s, struct datum *out, nns_error *err)
{
	struct slice *v = arena_alloc(in->arena, sizeof *v);
	if (!v)
		return fail_memory(err);
	*out = datum_pointer(D_SLICE, v);
	return (!e->a || eval(in, e->a, s, &v->start, err)) && (!e->b || eval(in, e->b, s, &v->stop, err))
	    && (!e->c || eval(in, e->c, s, &v->step, err));
}

static bool eval_subscript(struct interp *in, const struct ast *e, struct scope *s, struct datum *out, nns_error *err)
{
	struct datum obj, index;
	if (!eval(in, e->a, s, &obj, err) || !eval(in, e->b, s, &index, err))
		return false;
	return get_item(in, obj, index, out, err);
}

static bool eval_joined(struct interp *in, const struct ast *e, struct scope *s, struct datum *out, nns_error *err)
{
	struct text t;
	bool ok = true;
	text_init(&t);
	for (size_t i = 0; ok && i < e->n; i++) {
		const struct ast *part = e->items[i];
		struct datum v;
		const char *text;
		if (part->kind == A_CONST)
			text_add(&t, part->value.u.s);
		else if (!(ok = eval(in, part->a, s, &v, err)))
			break;
		else if (part->op && (ok = to_str(in, v, part->op == 'r', &text, err)))
			ok = format_datum(in, datum_str(text), part->name, &t, err);
		else if (ok)
			ok = format_datum(in, v, part->name, &t, err);
	}
	if (ok)
		return text_to_str(in, &t, out, err);
	text_release(&t);
	return false;
}

static bool dispatch(struct interp *in, const struct ast *e, struct scope *s, struct datum *out, nns_error *err)
{
	switch (e->kind) {
	case A_CONST: *out = e->value; return true;
	case A_NAME: return eval_name(in, e, s, out, err);
	case A_TUPLE: case A_LIST: return eval_seq(in, e, s, out, err);
	case A_DICT: return eval_dict(in, e, s, out, err);
	case A_CALL: return eval_call(in, e, s, out, err);
	case A_ATTRIBUTE: return eval_attribute(in, e, s, out, err);
	case A_SUBSCRIPT: return eval_subscript(in, e, s, out, err);
	case A_SLICE: return eval_slice(in, e, s, out, err);
	case A_BINARY: return eval_binary(in, e, s, out, err);
	case A_UNARY: return eval_unary(in, e, s, out, err);
	case A_NOT: return eval_not(in, e, s, out, err);
	case A_AND: case A_OR: return eval_logic(in, e, s, out, err);
	case A_COMPARE: return eval_compare(in, e, s, out, err);
	case A_CONDITIONAL: return eval_conditional(in, e, s, out, err);
	case A_LAMBDA: return closure_new(in, e, s, out, err);
	case A_LIST_COMP: case A_DICT_COMP: return eval_comprehension(in, e, s, out, err);
	case A_JOINED: return eval_joined(in, e, s, out, err);
	default: return fail_at(e, err, NNS_MODEL, "this is not an expression");
	}
}

bool eval(struct interp *in, const struct ast *e, struct scope *s, struct datum *out, nns_error *err)
{
	if (++in->steps > in->max_steps)
		return fail_at(e, err, NNS_LIMIT, "more than %ld steps; the code may never end", in->max_steps);
	if (in->depth >= MAX_EVAL_DEPTH)
		return fail_at(e, err, NNS_LIMIT, "calls are nested deeper than nnscope allows; does something call itself?");
	in->depth++;
	bool ok = dispatch(in, e, s, out, err);
	in->depth--;
	return ok;
}

bool lang_eval(struct interp *in, const struct code *code, struct scope *scope, struct datum *out, nns_error *err)
{
	struct scope empty = { 0 };
	return eval(in, code->root, scope ? scope : &empty, out, err);
}

/* ---- Looking into code ---- */

bool lang_comparison_sides(const struct code *code, const struct code **left, const char **op, const struct code **right)
{
	static const struct { int op; const char *text; } names[] = { { OP_EQ, "==" }, { OP_NE, "!=" }, { OP_LT, "<" }, { OP_LE, "<=" },
		{ OP_GT, ">" }, { OP_GE, ">=" }, { OP_IS, "is" }, { OP_IS_NOT, "is not" }, { OP_IN, "in" }, { OP_NOT_IN, "not in" } };
	const struct ast *e = code->root;
	if (e->kind != A_COMPARE || e->n != 2)
		return false;
	/* a code begins with its root, so an item's address serves as the code of that item */
	*left = (const struct code *)&e->items[0];
	*right = (const struct code *)&e->items[1];
	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		if (names[i].op == e->ops[0])
			*op = names[i].text;
	return true;
}

bool lang_eval_args(struct interp *in, const struct code *code, struct scope *scope, struct lang_args *out, nns_error *err)
{
	struct scope empty = { 0 };
	if (code->root->kind != A_CALL)
		return fail_at(code->root, err, NNS_MODEL, "expected a call");
	return eval_arguments(in, code->root, scope ? scope : &empty, out, err);
}
