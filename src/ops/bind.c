#include "ops/bind.h"
#include "base/nearest.h"

#include <string.h>

/* A Python number as the 0-d tensor that arithmetic makes of it; NULL: out of memory. */
static struct value *wrapped_number(struct arena *a, struct datum number)
{
	enum dtype d = number.kind == D_BOOL ? DT_BOOL : number.kind == D_INT ? DT_INT64 : DT_FLOAT64;
	struct value *v = value_new(a, d, 0, NULL);
	struct datum *constant = arena_alloc(a, sizeof *constant);
	if (!v || !constant)
		return NULL;
	*constant = number;
	v->constant = constant;
	v->is_scalar = true;
	return v;
}

/* ---- One argument ---- */

static bool in_list(const char *word, const char *const *list)
{
	for (; *list; list++)
		if (strcmp(word, *list) == 0)
			return true;
	return false;
}

/* should_allow_numbers_as_tensors() in torch/csrc/utils/python_arg_parser.cpp */
static bool takes_numbers_as_tensors(const char *base)
{
	static const char *const names[] = { "add", "add_", "sub", "sub_", "mul", "mul_", "div", "div_", "divide", "divide_",
		"multiply", "multiply_", "subtract", "subtract_", "true_divide", "true_divide_", "floor_divide", "floor_divide_", NULL };
	return in_list(base, names);
}

/* Overloads that the Python binding leaves out, so that x + 1 is add.Tensor (tools/autograd/gen_python_functions.py). */
static bool hidden_overload(const struct op *op)
{
	static const char *const names[] = { "add.Scalar", "add_.Scalar", "sub.Scalar", "sub_.Scalar", "mul.Scalar", "mul_.Scalar",
		"div.Scalar", "div_.Scalar", "div.Scalar_mode", "div_.Scalar_mode", NULL };
	return in_list(op->name, names);
}

static bool known_int(struct datum d, int64_t *out)
{
	if (d.kind == D_INT) {
		*out = d.u.i;
		return true;
	}
	const struct value *v = d.kind == D_TENSOR ? d.u.p : NULL;
	const struct datum *c = v ? v->constant : NULL;
	if (!c || v->ndim != 0 || c->kind != D_INT)
		return false;
	*out = c->u.i;
	return true;
}

/* The numbers of c10/core/Layout.h and c10/core/MemoryFormat.h. */
static const struct host_object layouts[] = { { "layout", "strided" }, { "layout", "sparse_coo" } };
static const struct host_object memory_formats[] = { { "memory_format", "contiguous_format" }, { "memory_format", "preserve_format" },
	{ "memory_format", "channels_last" }, { "memory_format", "channels_last_3d" } };

/* A tensor in the place of a number is the number that it holds (aten::ScalarImplicit), where that is known. */
static struct datum content_of(const struct value *v)
{
	const struct datum *c = v->ndim == 0 ? v->constant : NULL;
	return c ? *c : datum_pointer(D_TENSOR, v);
}

static bool from_number(enum arg_type type, int64_t i, struct datum *out)
{
	const struct host_object *all = type == ARG_LAYOUT ? layouts : memory_formats;
	int64_t n = type == ARG_LAYOUT ? 2 : 4;
	if (type == ARG_DTYPE)
		return *out = (struct datum){ .kind = D_DTYPE, .u.i = dtype_from_code(i) }, dtype_from_code(i) != DT_NONE;
	if ((type != ARG_LAYOUT && type != ARG_MEMORY_FORMAT) || i < 0 || i >= n)
		return false;
	*out = datum_pointer(D_HOST, &all[i]);
	return true;
}

static bool convert_item(struct recorder *r, const struct op *op, const struct op_arg *a, struct datum in, struct datum *out)
{
	int64_t i;
	*out = in;
	if (r->numbered && in.kind == D_INT && from_number(a->type, in.u.i, out))
		return true;
	if (r->numbered && a->type != ARG_TENSOR && in.kind == D_TENSOR)
		*out = in = content_of(in.u.p);
	switch (a->type) {
	case ARG_TENSOR:
		if (in.kind == D_TENSOR)
			return true;
		if (!datum_is_number(in) || a->list || !takes_numbers_as_tensors(op->base_name))
			return false;
		*out = datum_pointer(D_TENSOR, wrapped_number(r->arena, in));
		return out->u.p != NULL;
	case ARG_INT:
		if (!known_int(in, &i))
			return false;
		*out = datum_int(i);
		return true;
	case ARG_FLOAT:
		if (!datum_is_number(in))
			return false;
		*out = datum_float(datum_as_float(in));
		return true;
	case ARG_SCALAR: return datum_is_number(in);
	case ARG_BOOL: return in.kind == D_BOOL;
	case ARG_STR: return in.kind == D_STR;
	case ARG_DTYPE: return in.kind == D_DTYPE;
	case ARG_DEVICE: return in.kind == D_STR || in.kind == D_HOST;
	case ARG_LAYOUT: case ARG_MEMORY_FORMAT: case ARG_GENERATOR: return in.kind == D_HOST;
	case ARG_OTHER: break;
	}
	return false;
}

static bool convert_list(struct recorder *r, const struct op *op, const struct op_arg *a, struct datum in, struct datum *out)
{
	if (!datum_seq(r->arena, D_LIST, datum_is_seq(in) ? in.u.seq->n : 1, out))
		return false;
	if (!datum_is_seq(in)) {
		struct datum item;
		/* a single int stands for N times itself in int[N], a single number in float[N] */
		bool spreads = a->list_size > 0 && (a->type == ARG_INT || a->type == ARG_FLOAT);
		if (!spreads || !convert_item(r, op, a, in, &item))
			return false;
		for (int i = 0; i < a->list_size; i++)
			if (!seq_push(r->arena, out->u.seq, item))
				return false;
		return true;
	}
	for (size_t i = 0; i < in.u.seq->n; i++) {
		struct datum item = in.u.seq->items[i];
		if (!(item.kind == D_NONE && a->optional_items) && !convert_item(r, op, a, item, &item))
			return false;
		if (!seq_push(r->arena, out->u.seq, item))
			return false;
	}
	return true;
}

static bool convert(struct recorder *r, const struct op *op, const struct op_arg *a, struct datum in, struct datum *out)
{
	*out = in;
	if (in.kind == D_NONE)
		return a->optional || (a->has_default && a->fallback.kind == D_NONE);
	return a->list ? convert_list(r, op, a, in, out) : convert_item(r, op, a, in, out);
}

/* ---- A whole call ---- */

static const char *type_words(const struct op_arg *a)
{
	static const char *const one[] = { "a Tensor", "an int", "a float", "a bool", "a str", "a number", "a dtype",
		"a layout", "a device", "a memory format", "a generator", "a value" };
	static const char *const many[] = { "a list of Tensors", "a list of ints", "a list of floats", "a list of bools", "a list of strs",
		"a list of numbers", "a list of dtypes", "layouts", "devices", "memory formats", "generators", "values" };
	return a->list ? many[a->type] : one[a->type];
}

static bool bind_one(struct recorder *r, const struct op *op, int i, struct datum in, struct datum *bound, nns_error *err)
{
	if (convert(r, op, &op->args[i], in, &bound[i]))
		return true;
	return fail(err, NNS_MODEL, "%s: argument '%s' must be %s, not %s", op->base_name, op->args[i].name,
	            type_words(&op->args[i]), datum_type_name(in));
}

/* torch.cat(input=...), sum(axis=...): names that Python's binding knows besides the schema's. */
static int named_index(const struct op *op, const char *name)
{
	static const char *const other[][2] = { { "input", "self" }, { "axis", "dim" }, { "keepdims", "keepdim" }, { "x", "self" } };
	int i = op_arg_index(op, name);
	for (size_t k = 0; i < 0 && k < sizeof other / sizeof *other; k++)
		if (strcmp(name, other[k][0]) == 0)
			i = op_arg_index(op, other[k][1]);
	return i;
}

static int count_positional(const struct op *op)
{
	int n = 0;
	while (n < op->n_args && !op->args[n].keyword_only)
		n++;
	return n;
}

/* x.view(2, 3), torch.zeros(2, 3): the only list of ints may be given as single ints. */
static bool bind_varargs(struct recorder *r, const struct op *op, const struct lang_args *args, struct datum *bound, size_t *used)
{
	int n = count_positional(op), at = n - 1;
	if (at < 0 || at > 1 || (at == 1 && op->args[0].type != ARG_TENSOR))
		return false;
	if (op->args[at].type != ARG_INT || !op->args[at].list || args->n <= (size_t)at || args->items[at].kind != D_INT)
		return false;
	if (op->args[at].list_size > 0 && args->n == (size_t)at + 1)
		return false; /* stands for all of int[N] */
	struct datum list;
	if (!datum_seq(r->arena, D_LIST, args->n, &list))
		return false;
	for (size_t i = (size_t)at; i < args->n; i++)
		if (!seq_push(r->arena, list.u.seq, args->items[i]))
			return false;
	*used = (size_t)at;
	return convert(r, op, &op->args[at], list, &bound[at]);
}

static bool fill_defaults(const struct op *op, const bool *set, struct datum *bound, nns_error *err)
{
	for (int i = 0; i < op->n_args; i++) {
		if (set[i])
			continue;
		if (!op->args[i].has_default)
			return fail(err, NNS_MODEL, "%s: missing argument '%s'", op->base_name, op->args[i].name);
		bound[i] = op->args[i].fallback;
	}
	return true;
}

/* Arguments of Python's factory functions that no schema has. */
static bool is_python_only(const char *name)
{
	return strcmp(name, "requires_grad") == 0 || strcmp(name, "out") == 0;
}

/* Of torch.empty(a, b), whose sizes are one argument: what is no size. */
static bool fail_positional(const struct op *op, const struct lang_args *args, nns_error *err)
{
	for (size_t i = 0; count_positional(op) == 1 && i < args->n; i++) {
		struct text t;
		if (args->items[i].kind != D_STR && args->items[i].kind != D_FLOAT && args->items[i].kind != D_NONE)
			continue;
		text_init(&t);
		datum_repr(&t, args->items[i], NULL);
		fail(err, NNS_MODEL, "%s: a size is an int, not %s", op->base_name, t.data ? t.data : "");
		text_release(&t);
		return false;
	}
	return fail(err, NNS_MODEL, "%s: takes %d positional arguments but %zu were given", op->base_name, count_positional(op), args->n);
}

enum { MAX_ARGS = 64 };

bool bind_args(struct recorder *r, const struct op *op, const struct lang_args *args, struct datum *bound, nns_error *err)
{
	bool set[MAX_ARGS] = { false };
	size_t positional = args->n, used;
	if (op->n_args > MAX_ARGS)
		return fail(err, NNS_UNSUPPORTED, "%s: more than %d arguments", op->name, MAX_ARGS);
	if (bind_varargs(r, op, args, bound, &used)) {
		set[used] = true;
		positional = used;
	}
	if (positional > (size_t)count_positional(op))
		return fail_positional(op, args, err);
	for (size_t i = 0; i < positional; i++) {
		if (!bind_one(r, op, (int)i, args->items[i], bound, err))
			return false;
		set[i] = true;
	}
	for (size_t k = 0; k < args->n_named; k++) {
		int i = named_index(op, args->names[k]);
		if (i < 0 && is_python_only(args->names[k]))
			continue;
		if (i < 0)
			return fail(err, NNS_MODEL, "%s: unexpected keyword argument '%s'; schema: %s", op->base_name, args->names[k], op->fact->schema);
		if (set[i])
			return fail(err, NNS_MODEL, "%s: multiple values for argument '%s'", op->base_name, args->names[k]);
		if (!bind_one(r, op, i, args->values[k], bound, err))
			return false;
		set[i] = true;
	}
	return fill_defaults(op, set, bound, err);
}

/* ---- Overloads ---- */

static bool is_candidate(const struct op_fact *f)
{
	return strstr(f->kind, "out") == NULL;
}

static const char *next_base(void *state)
{
	size_t *i = state;
	while (*i < op_facts_count && strchr(op_facts[*i].name, '.'))
		++*i;
	return *i < op_facts_count ? op_facts[(*i)++].name : NULL;
}

static void describe_call(struct text *t, const struct lang_args *args)
{
	text_addc(t, '(');
	for (size_t i = 0; i < args->n; i++)
		text_addf(t, "%s%s", i ? ", " : "", datum_type_name(args->items[i]));
	for (size_t i = 0; i < args->n_named; i++)
		text_addf(t, "%s%s=%s", i || args->n ? ", " : "", args->names[i], datum_type_name(args->values[i]));
	text_addc(t, ')');
}

static bool fail_overload(const char *base, const struct lang_args *args, size_t first, size_t n, nns_error *err)
{
	struct text t;
	text_init(&t);
	text_addf(&t, "%s: no overload takes ", base);
	describe_call(&t, args);
	text_add(&t, "; there is");
	for (size_t i = first, shown = 0; i < first + n && shown < 3; i++) {
		if (!is_candidate(&op_facts[i]))
			continue;
		text_addf(&t, "%s %s", shown ? "," : "", op_facts[i].schema);
		shown++;
	}
	if (t.failed)
		fail_memory(err);
	else
		fail(err, NNS_MODEL, "%s", t.data);
	text_release(&t);
	return false;
}

static bool fail_no_operator(const char *base, nns_error *err)
{
	size_t i = 0;
	fail(err, NNS_MODEL, "torch has no operator '%s'", base);
	const char *near = nearest(base, next_base, &i);
	return near ? fail_add(err, "; did you mean '%s'?", near) : false;
}

const struct op *bind_overload(struct recorder *r, const char *base, const struct lang_args *args, struct datum **bound, nns_error *err)
{
	size_t n, first = op_fact_overloads(base, &n), candidates = 0;
	const struct op *last = NULL;
	if (n == 0)
		return fail_no_operator(base, err), NULL;
	for (size_t i = first; i < first + n; i++) {
		if (!is_candidate(&op_facts[i]))
			continue;
		const struct op *op = optable_get(r->table, op_facts[i].name, err);
		if (!op)
			return NULL;
		if (hidden_overload(op))
			continue;
		candidates++;
		last = op;
		*bound = arena_array(r->arena, (size_t)op->n_args + 1, sizeof **bound);
		if (!*bound)
			return fail_memory(err), NULL;
		if (bind_args(r, op, args, *bound, NULL))
			return op;
	}
	if (candidates == 1)
		bind_args(r, last, args, *bound, err);
	else
		fail_overload(base, args, first, n, err);
	return NULL;
}
