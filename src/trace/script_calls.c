/*
 * Operators as TorchScript code names them.  torch.NAME is aten::NAME, which is more than ATen: numbers, lists, strings and
 * dicts have operators of these names too (torch/csrc/jit/runtime/register_prim_ops.cpp).  Those over tensors go to the op table.
 */
#include <inttypes.h>
#include <string.h>

#include "lang/eval.h"
#include "ops/namespace.h"
#include "trace/script.h"

static bool needs(const struct function *self, const struct lang_args *args, size_t n, nns_error *err)
{
	return args->n >= n || fail(err, NNS_MODEL, "%s takes %zu arguments but %zu were given", self->name, n, args->n);
}

static const char *bare_name(const struct function *self)
{
	return self->data;
}

/* ---- Functions of the language itself ---- */

#define ROW(name) static bool name(struct interp *in, const struct function *self, const struct lang_args *args, struct datum *out, nns_error *err)

ROW(row_format)
{
	struct lang_args rest = *args;
	if (!needs(self, args, 1, err))
		return false;
	if (args->items[0].kind != D_STR)
		return fail(err, NNS_MODEL, "%s takes a str", self->name);
	rest.items++;
	rest.n--;
	return brace_format(in, args->items[0].u.s, &rest, out, err);
}

ROW(row_percent)
{
	struct datum tuple;
	if (!needs(self, args, 1, err))
		return false;
	if (args->items[0].kind != D_STR)
		return fail(err, NNS_MODEL, "%s takes a str", self->name);
	if (!datum_seq(in->arena, D_TUPLE, args->n, &tuple))
		return fail_memory(err);
	for (size_t i = 1; i < args->n; i++)
		if (!seq_push(in->arena, tuple.u.seq, args->items[i]))
			return fail_memory(err);
	return percent_format(in, args->items[0].u.s, tuple, out, err);
}

ROW(row_is)
{
	(void)in;
	if (!needs(self, args, 2, err))
		return false;
	bool same = same_object(args->items[0], args->items[1]);
	return *out = datum_bool(same == (strcmp(bare_name(self), "__is__") == 0)), true;
}

ROW(row_not)
{
	bool v;
	if (!needs(self, args, 1, err) || !truth_of(in, args->items[0], &v, err))
		return false;
	return *out = datum_bool(!v), true;
}

ROW(row_contains)
{
	bool v;
	if (!needs(self, args, 2, err) || !contains(in, args->items[0], args->items[1], &v, err))
		return false;
	return *out = datum_bool(v), true;
}

static bool call_builtin(struct interp *in, const char *name, const struct lang_args *args, struct datum *out, nns_error *err)
{
	return lang_call(in, datum_pointer(D_FUNCTION, builtin_find(name)), args, out, err);
}

ROW(row_list) { return needs(self, args, 1, err) && call_builtin(in, "list", args, out, err); }
ROW(row_dict) { return needs(self, args, 0, err) && call_builtin(in, "dict", args, out, err); }
ROW(row_len) { return needs(self, args, 1, err) && call_builtin(in, "len", args, out, err); }

ROW(row_slice)
{
	struct slice *s = arena_alloc(in->arena, sizeof *s);
	if (!needs(self, args, 1, err))
		return false;
	if (!s)
		return fail_memory(err);
	*s = (struct slice){ args->n > 1 ? args->items[1] : datum_none(), args->n > 2 ? args->items[2] : datum_none(), args->n > 3 ? args->items[3] : datum_none() };
	return get_item(in, args->items[0], datum_pointer(D_SLICE, s), out, err);
}

/* sort(list, reverse) */
ROW(row_sort)
{
	static const char *const names[] = { "reverse" };
	struct lang_args keywords = { .names = (const char **)names, .values = args->items + 1, .n_named = args->n > 1 };
	struct datum method;
	bool found;
	(void)self;
	return lang_getattr(in, args->items[0], "sort", &method, &found, err) && lang_call(in, method, &keywords, out, err);
}

ROW(row_set_item)
{
	*out = datum_none();
	return needs(self, args, 3, err) && set_item(in, args->items[0], args->items[1], args->items[2], err);
}

ROW(row_delete)
{
	*out = datum_none();
	return needs(self, args, 2, err) && delete_item(in, args->items[0], args->items[1], err);
}

static bool three_ints(const struct function *self, const struct lang_args *args, int64_t *v, nns_error *err)
{
	if (!needs(self, args, 3, err))
		return false;
	for (size_t i = 0; i < 3; i++) {
		if (!datum_is_int(args->items[i]))
			return fail(err, NNS_MODEL, "%s takes ints", self->name);
		v[i] = datum_as_int(args->items[i]);
	}
	return true;
}

/* (low, high, step): how many numbers range() gives. */
ROW(row_range_length)
{
	int64_t v[3];
	(void)in;
	if (!three_ints(self, args, v, err))
		return false;
	if (v[2] == 0)
		return fail(err, NNS_MODEL, "range() arg 3 must not be zero");
	__int128 distance = v[2] > 0 ? (__int128)v[1] - v[0] : (__int128)v[0] - v[1], step = v[2] > 0 ? v[2] : -(__int128)v[2];
	__int128 n = distance > 0 ? (distance + step - 1) / step : 0;
	return *out = datum_int(n > INT64_MAX ? INT64_MAX : (int64_t)n), true;
}

/* (i, low, step): low + i * step */
ROW(row_derive_index)
{
	int64_t v[3], product;
	(void)in;
	if (!three_ints(self, args, v, err))
		return false;
	if (__builtin_mul_overflow(v[0], v[2], &product) || __builtin_add_overflow(v[1], product, &product))
		return fail(err, NNS_MODEL, "%s: the number does not fit 64 bits", self->name);
	return *out = datum_int(product), true;
}

ROW(row_nothing)
{
	(void)in, (void)self, (void)args, (void)err;
	return *out = datum_none(), true;
}

ROW(row_first)
{
	(void)in;
	return needs(self, args, 1, err) && (*out = args->items[0], true);
}

ROW(row_unwrap)
{
	if (!row_first(in, self, args, out, err))
		return false;
	return out->kind != D_NONE || fail(err, NNS_MODEL, "Unwrapping null optional");
}

ROW(row_raise)
{
	(void)in, (void)self, (void)out;
	bool text = args->n && args->items[0].kind == D_STR;
	return fail(err, NNS_MODEL, "the code raises an error: %.600s", text ? args->items[0].u.s : "");
}

ROW(row_false)
{
	(void)in, (void)self, (void)args, (void)err;
	return *out = datum_bool(false), true;
}

ROW(row_number)
{
	return needs(self, args, 1, err) && (args->items[0].kind == D_TENSOR ? (*out = args->items[0], true)
	                                     : script_number(script_run_of(in), args->items[0], out, err));
}

/* torch.tensor and its kin, which the op table does not have: as Python calls them, with dtypes for their numbers. */
ROW(row_python)
{
	struct interp *own = &script_run_of(in)->rt->interp;
	struct lang_args python = *args;
	struct datum f;
	bool found;
	python.values = arena_array(in->arena, args->n_named + 1, sizeof *python.values);
	if (!python.values)
		return fail_memory(err);
	for (size_t i = 0; i < args->n_named; i++) {
		struct datum v = args->values[i];
		bool code = strcmp(args->names[i], "dtype") == 0 && v.kind == D_INT;
		python.values[i] = code ? (struct datum){ .kind = D_DTYPE, .u.i = dtype_from_code(v.u.i) } : v;
		if (code && dtype_from_code(v.u.i) == DT_NONE)
			return fail(err, NNS_UNSUPPORTED, "%s: dtype number %" PRId64, self->name, v.u.i);
	}
	if (!namespace_getattr(own, "torch", bare_name(self), &f, &found, err))
		return false;
	return found ? lang_call(own, f, &python, out, err) : fail(err, NNS_UNSUPPORTED, "there is no %s", self->name);
}

/* ---- Of tensors: what is known without computing ---- */

/* Methods that answer from the shape; tuples of sizes are lists here. */
ROW(row_method)
{
	struct lang_args rest = *args;
	struct datum method;
	bool found = false;
	if (!needs(self, args, 1, err) || !tensor_getattr(in, args->items[0], bare_name(self), &method, &found, err))
		return false;
	if (!found)
		return fail(err, NNS_MODEL, "%s of %s %s", self->name, datum_a(args->items[0]), datum_type_name(args->items[0]));
	rest.items++;
	rest.n--;
	if (!lang_call(in, method, &rest, out, err))
		return false;
	if (out->kind == D_TUPLE)
		out->kind = D_LIST;
	return true;
}

ROW(row_is_contiguous)
{
	static const char *const formats[] = { "contiguous_format", "preserve_format", "channels_last", "channels_last_3d" };
	struct datum items[2];
	struct lang_args two = { .items = items, .n = args->n < 2 ? args->n : 2 };
	for (size_t i = 0; i < two.n; i++)
		items[i] = args->items[i];
	for (size_t i = 0; i < args->n_named && two.n == 1; i++)
		items[two.n++] = args->values[i];
	if (two.n == 2 && items[1].kind == D_INT && items[1].u.i >= 0 && items[1].u.i < 4)
		items[1] = datum_str(formats[items[1].u.i]);
	return row_method(in, self, &two, out, err);
}

/* ops.prim.NAME(x): attribute NAME of x.  Dtypes and layouts are numbers. */
static bool tensor_attribute(struct interp *in, const struct function *self, struct datum x, struct datum *out, nns_error *err)
{
	bool found = false;
	if (!script_run_of(in)->rt->interp.host->getattr(&script_run_of(in)->rt->interp, x, bare_name(self), out, &found, err))
		return false;
	if (!found)
		return fail(err, NNS_UNSUPPORTED, "%s of %s %s", self->name, datum_a(x), datum_type_name(x));
	if (out->kind == D_DTYPE)
		*out = datum_int(dtype_code((enum dtype)out->u.i));
	else if (out->kind == D_TUPLE)
		out->kind = D_LIST;
	else if (strcmp(host_kind(*out), "layout") == 0)
		*out = datum_int(0);
	return true;
}

static const struct row { const char *name; script_fn *call; } rows[] = {
	{ "format", row_format }, { "percentFormat", row_percent }, { "__is__", row_is }, { "__isnot__", row_is }, { "__not__", row_not },
	{ "__contains__", row_contains }, { "list", row_list }, { "dict", row_dict }, { "len", row_len }, { "_set_item", row_set_item }, { "Delete", row_delete },
	{ "__range_length", row_range_length }, { "__derive_index", row_derive_index }, { "warn", row_nothing }, { "manual_seed", row_nothing },
	{ "wait", row_first }, { "_unwrap_optional", row_unwrap }, { "is_autocast_enabled", row_false }, { "is_autocast_cpu_enabled", row_false },
	{ "hash", row_nothing }, { "is_scripting", row_false },
	{ "tensor", row_python }, { "as_tensor", row_python }, { "device", row_python }, { "is_grad_enabled", row_python }, { "set_grad_enabled", row_python },
	{ "promote_types", row_python },
	{ "dim", row_method }, { "size", row_method }, { "stride", row_method }, { "numel", row_method }, { "item", row_method },
	{ "is_floating_point", row_method }, { "is_complex", row_method }, { "is_signed", row_method }, { "element_size", row_method },
	{ "storage_offset", row_method }, { "is_contiguous", row_is_contiguous }, { "requires_grad_", row_method }, { "is_inference", row_method },
	{ "is_conj", row_method }, { "is_neg", row_method }, { "retain_grad", row_method },
}, prim_rows[] = {
	{ "RaiseException", row_raise }, { "NumToTensor", row_number }, { "ImplicitTensorToNum", row_method }, { "unchecked_unwrap_optional", row_unwrap },
	{ "Print", row_nothing }, { "rangelist", row_list },
};

static script_fn *find_row(const struct row *all, size_t n, const char *name)
{
	for (size_t i = 0; i < n; i++)
		if (strcmp(all[i].name, name) == 0)
			return all[i].call;
	return NULL;
}

/* ---- Numbers, lists, strings, dicts ---- */

static bool operator_of(const char *name, enum lang_op *op, size_t *operands)
{
	static const struct { const char *name; enum lang_op op; size_t operands; } operators[] = {
		{ "add", OP_ADD, 2 }, { "sub", OP_SUB, 2 }, { "mul", OP_MUL, 2 }, { "div", OP_DIV, 2 }, { "floordiv", OP_FLOORDIV, 2 },
		{ "remainder", OP_MOD, 2 }, { "pow", OP_POW, 2 }, { "eq", OP_EQ, 2 }, { "ne", OP_NE, 2 }, { "lt", OP_LT, 2 }, { "le", OP_LE, 2 },
		{ "gt", OP_GT, 2 }, { "ge", OP_GE, 2 }, { "__and__", OP_AND, 2 }, { "__or__", OP_OR, 2 }, { "__xor__", OP_XOR, 2 },
		{ "__lshift__", OP_SHL, 2 }, { "__rshift__", OP_SHR, 2 }, { "add_", OP_ADD, 2 }, { "neg", OP_NEG, 1 }, { "bitwise_not", OP_INVERT, 1 } };
	for (size_t i = 0; i < sizeof operators / sizeof *operators; i++)
		if (strcmp(operators[i].name, name) == 0)
			return *op = operators[i].op, *operands = operators[i].operands, true;
	return false;
}

static bool has_tensor(const struct lang_args *args)
{
	for (size_t i = 0; i < args->n; i++)
		if (args->items[i].kind == D_TENSOR)
			return true;
	return false;
}

static bool is_builtin(const char *name)
{
	static const char *const names[] = { "sum", "min", "max", "any", "all", "abs", "round", "sorted", "ord", "chr", "divmod", "str", "int", "float",
	                                    "bool", NULL };
	for (size_t i = 0; names[i]; i++)
		if (strcmp(name, names[i]) == 0)
			return builtin_find(name) != NULL;
	return false;
}

static const struct torch_function *math_function(const char *name)
{
	for (const struct torch_function *t = torch_functions; t->name; t++)
		if (strncmp(t->name, "math.", 5) == 0 && strcmp(t->name + 5, name) == 0)
			return t;
	return NULL;
}

static bool all_numbers(const struct lang_args *args)
{
	for (size_t i = 0; i < args->n; i++)
		if (!datum_is_number(args->items[i]))
			return false;
	return args->n > 0;
}

/* l.append(x), s.split(), d.keys(): torch.append(l, x) */
static bool call_plain_method(struct interp *in, const char *name, const struct lang_args *args, struct datum *out, bool *found, nns_error *err)
{
	struct lang_args rest = *args;
	struct datum method;
	*found = false;
	if (args->n == 0 || args->items[0].kind == D_TENSOR || is_host_kind(args->items[0]))
		return true;
	if (!plain_method(in, args->items[0], name, &method, found, err))
		return false;
	if (!*found)
		return true;
	rest.items++;
	rest.n--;
	return lang_call(in, method, &rest, out, err);
}

/* What no tensor takes part in; *found is false when this knows nothing of that name. */
static bool call_plain(struct interp *in, const struct function *self, const struct lang_args *args, struct datum *out, bool *found, nns_error *err)
{
	const char *name = bare_name(self);
	enum lang_op op = OP_ADD;
	size_t operands;
	*found = true;
	if (operator_of(name, &op, &operands) && args->n == operands && operands == 2)
		return lang_binary(in, op, args->items[0], args->items[1], out, err);
	if (operator_of(name, &op, &operands) && args->n == operands)
		return plain_unary(in, op, args->items[0], out, err);
	if (strcmp(name, "slice") == 0 && args->n && (datum_is_seq(args->items[0]) || args->items[0].kind == D_STR))
		return row_slice(in, self, args, out, err);
	if (strcmp(name, "sort") == 0 && args->n && args->items[0].kind == D_LIST)
		return row_sort(in, self, args, out, err);
	if (is_builtin(name) && args->n > 0 && !datum_count_tensors(args->items[0]))
		return call_builtin(in, name, args, out, err);
	*found = false;
	const struct torch_function *m = all_numbers(args) ? math_function(name) : NULL;
	if (m) {
		struct function f = { .name = m->name, .call = m->call };
		return *found = true, m->call(in, &f, args, out, err);
	}
	return call_plain_method(in, name, args, out, found, err);
}

/* ---- Tensors ---- */

/*
 * The tracer of PyTorch writes convolutions as _convolution with four flags of their backends, which autograd knows by another
 * name than the convolution that the traced module ran.
 */
static const char *as_called(const char *name, struct lang_args *args)
{
	if (strcmp(name, "_convolution") != 0 || args->n < 9)
		return name;
	args->n = 9;
	return "convolution";
}

static bool call_tensors(struct interp *in, const char *name, const struct lang_args *args, struct datum *out, nns_error *err)
{
	struct script_run *run = script_run_of(in);
	struct recorder *r = &run->rt->recorder;
	struct lang_args own = *args;
	size_t n;
	run->rt->interp.line = in->line;
	if (script_is_whole(name, args))
		return script_whole_slice(run, args, out, err);
	script_index_further(run, name, &own);
	if (r->evaluate && script_is_known(args))
		return script_compute(run, name, args, out, err);
	name = as_called(name, &own);
	op_fact_overloads(name, &n);
	return n ? record_script(r, name, &own, out, err) : record_unknown(r, name, &own, 1, out, err);
}

/*
 * to(x, device, dtype=None, non_blocking, copy) and to(x, dtype=None, ...), which only TorchScript has (register_special_ops.cpp):
 * what is left out is as it was.
 */
static bool call_to(struct interp *in, const struct lang_args *args, struct datum *out, nns_error *err)
{
	const struct value *v = script_first(args);
	struct datum items[6];
	struct lang_args own = { .items = items };
	size_t next = 1;
	bool device = args->n > 1 && strcmp(host_kind(args->items[1]), "device") == 0;
	bool partial = v && args->n_named == 0 && args->n <= 5
	    && (device ? args->n == 2 || args->items[2].kind != D_INT : args->n > 1 && args->items[1].kind == D_NONE);
	if (!partial)
		return call_tensors(in, "to", args, out, err);
	items[own.n++] = args->items[0];
	if (device)
		items[own.n++] = args->items[next++];
	items[own.n++] = datum_int(dtype_code(v->dtype));
	next += next < args->n && args->items[next].kind == D_NONE;
	for (; next < args->n && own.n < 6; next++)
		items[own.n++] = args->items[next];
	return call_tensors(in, "to", &own, out, err);
}

bool script_call_torch(struct interp *in, const struct function *self, const struct lang_args *args, struct datum *out, nns_error *err)
{
	script_fn *row = find_row(rows, sizeof rows / sizeof *rows, bare_name(self));
	bool found = false, ok;
	if (row)
		return row(in, self, args, out, err);
	if (strcmp(bare_name(self), "to") == 0)
		return call_to(in, args, out, err);
	ok = has_tensor(args) ? call_plain_method(in, bare_name(self), args, out, &found, err) : call_plain(in, self, args, out, &found, err);
	return found || !ok ? ok : call_tensors(in, bare_name(self), args, out, err);
}

bool script_call_prim(struct interp *in, const struct function *self, const struct lang_args *args, struct datum *out, nns_error *err)
{
	script_fn *row = find_row(prim_rows, sizeof prim_rows / sizeof *prim_rows, bare_name(self));
	if (row)
		return row(in, self, args, out, err);
	if (is_builtin(bare_name(self)))
		return call_builtin(in, bare_name(self), args, out, err);
	if (args->n != 1)
		return fail(err, NNS_UNSUPPORTED, "%s is not known", self->name);
	return tensor_attribute(in, self, args->items[0], out, err);
}

/* Operators of other libraries: ops.torchvision.nms */
bool script_call_other(struct interp *in, const struct function *self, const struct lang_args *args, struct datum *out, nns_error *err)
{
	struct recorder *r = &script_run_of(in)->rt->recorder;
	const char *space = self->name + strlen("ops."), *dot = strchr(space, '.');
	const char *name = arena_printf(in->arena, "%.*s::%s", (int)(dot - space), space, dot + 1);
	return name ? record_unknown(r, name, args, 1, out, err) : fail_memory(err);
}
