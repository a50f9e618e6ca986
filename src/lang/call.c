/* Python's calling rules: arguments to parameters; lambdas and nested functions. */
#include <stdio.h>
#include <string.h>

#include "base/nearest.h"
#include "lang/eval.h"

/* ---- Binding ---- */

static bool fail_call(const struct signature *sig, const char *what, nns_error *err, const char *fmt, ...) PRINTF_LIKE(4, 5);
static bool fail_call(const struct signature *sig, const char *what, nns_error *err, const char *fmt, ...)
{
	struct text t;
	va_list ap;
	char message[400];
	va_start(ap, fmt);
	vsnprintf(message, sizeof message, fmt, ap);
	va_end(ap);
	text_init(&t);
	text_addf(&t, "%s() %s; the signature is %s(%s)", what, message, what, sig->text);
	fail(err, NNS_MODEL, "%s", t.data ? t.data : message);
	text_release(&t);
	return false;
}

static size_t count_positional(const struct signature *sig)
{
	size_t n = 0;
	while (n < sig->n && !sig->params[n].star && !sig->params[n].double_star && !sig->params[n].keyword_only)
		n++;
	return n;
}

static const struct lang_param *star_param(const struct signature *sig, bool two, size_t *index)
{
	for (size_t i = 0; i < sig->n; i++)
		if (two ? sig->params[i].double_star : sig->params[i].star)
			return *index = i, &sig->params[i];
	return NULL;
}

static bool bind_positional(struct interp *in, const struct signature *sig, const char *what, const struct lang_args *args,
                            struct datum *values, bool *set, nns_error *err)
{
	size_t n = count_positional(sig), star, given = args->n < n ? args->n : n;
	for (size_t i = 0; i < given; i++) {
		values[i] = args->items[i];
		set[i] = true;
	}
	if (star_param(sig, false, &star)) {
		if (!datum_seq(in->arena, D_TUPLE, args->n - given, &values[star]))
			return fail_memory(err);
		for (size_t i = given; i < args->n; i++)
			if (!seq_push(in->arena, values[star].u.seq, args->items[i]))
				return fail_memory(err);
		set[star] = true;
	} else if (args->n > n) {
		return fail_call(sig, what, err, "takes %zu positional argument%s but %zu %s given", n, n == 1 ? "" : "s", args->n, args->n == 1 ? "was" : "were");
	}
	return true;
}

struct parameter_names {
	const struct signature *sig;
	size_t i;
};

static const char *next_parameter(void *state)
{
	struct parameter_names *p = state;
	return p->i < p->sig->n ? p->sig->params[p->i++].name : NULL;
}

static bool fail_keyword(const struct signature *sig, const char *what, const char *name, nns_error *err)
{
	struct parameter_names names = { sig, 0 };
	fail_call(sig, what, err, "got an unexpected keyword argument '%s'", name);
	const char *near = nearest(name, next_parameter, &names);
	return near ? fail_add(err, "; did you mean '%s'?", near) : false;
}

static bool bind_keyword(struct interp *in, const struct signature *sig, const char *what, const char *name, struct datum v,
                         struct datum *values, bool *set, nns_error *err)
{
	size_t rest;
	for (size_t i = 0; i < sig->n; i++) {
		if (sig->params[i].star || sig->params[i].double_star || strcmp(sig->params[i].name, name) != 0)
			continue;
		if (set[i])
			return fail_call(sig, what, err, "got multiple values for argument '%s'", name);
		values[i] = v;
		set[i] = true;
		return true;
	}
	if (!star_param(sig, true, &rest))
		return fail_keyword(sig, what, name, err);
	return dict_put(in->arena, values[rest].u.dict, datum_str(name), v) || fail_memory(err);
}

/* Defaults are evaluated in the scope made so far; they are literals nearly always. */
static bool bind_defaults(struct interp *in, const struct signature *sig, const char *what, struct datum *values, const bool *set, nns_error *err)
{
	struct scope empty = { 0 };
	for (size_t i = 0; i < sig->n; i++) {
		if (set[i])
			continue;
		if (!sig->params[i].fallback)
			return fail_call(sig, what, err, "missing 1 required argument: '%s'", sig->params[i].name);
		if (!eval(in, sig->params[i].fallback->root, &empty, &values[i], err))
			return false;
	}
	return true;
}

bool lang_bind(struct interp *in, const struct signature *sig, const char *what, const struct lang_args *args, struct scope *out, nns_error *err)
{
	struct datum *values = arena_array(in->arena, sig->n + 1, sizeof *values);
	bool *set = arena_array(in->arena, sig->n + 1, sizeof *set);
	size_t rest;
	if (!values || !set)
		return fail_memory(err);
	if (star_param(sig, true, &rest)) {
		if (!datum_dict(in->arena, &values[rest]))
			return fail_memory(err);
		set[rest] = true;
	}
	if (!bind_positional(in, sig, what, args, values, set, err))
		return false;
	for (size_t i = 0; i < args->n_named; i++)
		if (!bind_keyword(in, sig, what, args->names[i], args->values[i], values, set, err))
			return false;
	if (!bind_defaults(in, sig, what, values, set, err))
		return false;
	for (size_t i = 0; i < sig->n; i++)
		if (!scope_set(in->arena, out, sig->params[i].name, values[i]))
			return fail_memory(err);
	return true;
}

/* ---- Lambdas and nested functions ---- */

struct closure {
	const struct ast *code;    /* A_LAMBDA or A_DEF */
	struct scope *outer;
};

static bool closure_call(struct interp *in, const struct function *self, const struct lang_args *args, struct datum *out, nns_error *err)
{
	const struct closure *c = self->data;
	struct scope scope = { .outer = c->outer };
	if (!lang_bind(in, c->code->signature, self->name, args, &scope, err))
		return false;
	if (c->code->kind == A_LAMBDA)
		return eval(in, c->code->a, &scope, out, err);
	if (in->depth >= MAX_EVAL_DEPTH)
		return fail_at(c->code, err, NNS_LIMIT, "calls are nested deeper than nnscope allows; does '%s' call itself?", self->name);
	in->depth++;
	enum flow f = execute(in, c->code->b, &scope, out, err);
	in->depth--;
	if (f == FLOW_NEXT)
		*out = datum_none();
	return f != FLOW_ERROR;
}

/* Scopes may live on the stack of the call at work: a function that outlives it keeps copies, which share their variables. */
static struct scope *keep_scopes(struct arena *a, const struct scope *s)
{
	struct scope *first = NULL, **link = &first;
	for (; s; s = s->outer, link = &(*link)->outer) {
		if (!(*link = arena_alloc(a, sizeof **link)))
			return NULL;
		**link = *s;
		(*link)->outer = NULL;
	}
	return first;
}

bool lang_function(struct arena *a, struct function f, struct datum *out, nns_error *err)
{
	struct function *copy = arena_alloc(a, sizeof *copy);
	if (!copy)
		return fail_memory(err);
	*copy = f;
	*out = datum_pointer(D_FUNCTION, copy);
	return true;
}

bool closure_new(struct interp *in, const struct ast *e, const struct scope *s, struct datum *out, nns_error *err)
{
	struct closure *c = arena_alloc(in->arena, sizeof *c);
	struct scope *kept = keep_scopes(in->arena, s);
	if (!c || !kept)
		return fail_memory(err);
	*c = (struct closure){ e, kept };
	return lang_function(in->arena, (struct function){ .name = e->kind == A_DEF ? e->name : "<lambda>", .call = closure_call, .data = c }, out, err);
}
