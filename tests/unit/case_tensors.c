#include "case_tensors.h"

#include <string.h>

struct maker {
	const char *name;
	enum dtype dtype;
	bool requires_grad;
};

static const struct maker makers[] = { { "T", DT_FLOAT32, false }, { "G", DT_FLOAT32, true }, { "I", DT_INT64, false },
	{ "Z", DT_INT64, false }, { "B", DT_BOOL, false }, { "C", DT_COMPLEX64, false } };

static bool make_tensor(struct interp *in, const struct function *self, const struct lang_args *args, struct datum *out, nns_error *err)
{
	const struct maker *m = self->data;
	enum dtype dtype = m->dtype;
	int64_t size[MAX_DIMS];
	for (size_t i = 0; i < args->n && i < MAX_DIMS; i++)
		size[i] = datum_as_int(args->items[i]);
	for (size_t i = 0; i < args->n_named; i++)
		if (strcmp(args->names[i], "dtype") == 0)
			dtype = (enum dtype)args->values[i].u.i;
	struct value *v = value_new(in->arena, dtype, (int)args->n, size);
	if (!v)
		return fail_memory(err);
	v->requires_grad = m->requires_grad;
	*out = datum_pointer(D_TENSOR, v);
	return true;
}

bool case_add_makers(struct arena *a, struct scope *s)
{
	size_t n = sizeof makers / sizeof *makers;
	struct function *functions = arena_array(a, n, sizeof *functions);
	for (size_t i = 0; functions && i < n; i++) {
		functions[i] = (struct function){ .name = makers[i].name, .call = make_tensor, .data = &makers[i] };
		if (!scope_set(a, s, makers[i].name, datum_pointer(D_FUNCTION, &functions[i])))
			return false;
	}
	return functions != NULL;
}

void case_add_result(struct text *t, struct datum d, void (*tensor)(struct text *t, const struct value *v))
{
	if (datum_is_seq(d)) {
		for (size_t i = 0; i < d.u.seq->n; i++) {
			if (i)
				text_add(t, "; ");
			case_add_result(t, d.u.seq->items[i], tensor);
		}
		return;
	}
	if (d.kind == D_TENSOR)
		tensor(t, d.u.p);
	else
		datum_repr(t, d, NULL);
}

/* ---- Operators ---- */

static bool is_ignored(const char *name, size_t n, const char *next)
{
	size_t m = next ? strcspn(next, ". ") : 0;
	if (n == 6 && memcmp(name, "detach", n) == 0)
		return true;
	return n == 5 && memcmp(name, "clone", n) == 0 && m > 0 && next[m - 1] == '_';
}

static void add_operator(struct text *t, const char *name, size_t n, const char *next)
{
	if (is_ignored(name, n, next))
		return;
	if (t->len)
		text_addc(t, ' ');
	text_addn(t, name, n);
}

void case_add_operators(struct text *t, const struct graph *g)
{
	for (const struct node *n = graph_first(g); n; n = graph_next(n)) {
		const struct node *next = graph_next(n);
		if (n->op->parts && !n->parts)
			continue; /* a composite that had nothing to do: contiguous() of what is contiguous */
		/* below autograd, where PyTorch was listened to, _reshape_alias is a view */
		const char *name = strcmp(n->op->name, "_reshape_alias") == 0 ? "view" : n->op->name;
		add_operator(t, name, strlen(name), next ? next->op->name : NULL);
	}
}

void case_add_expected_operators(struct text *t, const char *names)
{
	for (const char *p = names; *p; ) {
		size_t n = strcspn(p, " ");
		const char *next = p[n] ? p + n + 1 : p + n;
		add_operator(t, p, n, *next ? next : NULL);
		p = next;
	}
}
