/*
 * What `torch`, `math` and `warnings` hold besides operators: small functions
 * that answer while tracing, contexts that switch gradients off, and the names
 * that every piece of forward code may use.
 */
#include <math.h>
#include <string.h>

#include "ops/namespace.h"
#include "ops/tensor.h"

typedef bool (*torch_call)(struct interp *in, const struct function *self, const struct lang_args *args, struct datum *out, nns_error *err);

static const struct host_object cpu = { "device", "cpu" };

/* ---- Constant answers ---- */

static bool always_false(struct interp *in, const struct function *self, const struct lang_args *args, struct datum *out, nns_error *err)
{
	(void)in, (void)self, (void)args, (void)err;
	*out = datum_bool(false);
	return true;
}

static bool always_true(struct interp *in, const struct function *self, const struct lang_args *args, struct datum *out, nns_error *err)
{
	(void)in, (void)self, (void)args, (void)err;
	*out = datum_bool(true);
	return true;
}

static bool nothing(struct interp *in, const struct function *self, const struct lang_args *args, struct datum *out, nns_error *err)
{
	(void)in, (void)self, (void)args, (void)err;
	*out = datum_none();
	return true;
}

static bool last_argument(struct interp *in, const struct function *self, const struct lang_args *args, struct datum *out, nns_error *err)
{
	(void)in;
	if (args->n == 0)
		return fail(err, NNS_MODEL, "%s takes an argument", self->name);
	*out = args->items[args->n - 1];
	return true;
}

static bool default_dtype(struct interp *in, const struct function *self, const struct lang_args *args, struct datum *out, nns_error *err)
{
	(void)in, (void)self, (void)args, (void)err;
	*out = (struct datum){ .kind = D_DTYPE, .u.i = DT_FLOAT32 };
	return true;
}

/* torch._assert(condition, message) */
static bool torch_assert(struct interp *in, const struct function *self, const struct lang_args *args, struct datum *out, nns_error *err)
{
	const struct datum *condition = arg_at(args, 0, "condition"), *message = arg_at(args, 1, "message");
	(void)in, (void)self;
	*out = datum_none();
	if (condition && (condition->kind == D_TENSOR || datum_truth(*condition)))
		return true;
	return fail(err, NNS_MODEL, "%s", message && message->kind == D_STR ? message->u.s : "torch._assert failed");
}

/* ---- Tensors and types ---- */

static bool is_tensor(struct interp *in, const struct function *self, const struct lang_args *args, struct datum *out, nns_error *err)
{
	(void)in, (void)self, (void)err;
	*out = datum_bool(args->n > 0 && args->items[0].kind == D_TENSOR);
	return true;
}

/* torch.numel(x), torch.is_complex(x): the method of the same name. */
static bool as_method(struct interp *in, const struct function *self, const struct lang_args *args, struct datum *out, nns_error *err)
{
	const char *name = strrchr(self->name, '.') + 1;
	const struct datum *x = arg_at(args, 0, "input");
	struct datum method;
	bool found = false;
	if (!x || x->kind != D_TENSOR)
		return fail(err, NNS_MODEL, "%s takes a tensor", self->name);
	if (!tensor_getattr(in, *x, name, &method, &found, err))
		return false;
	struct lang_args none = { 0 };
	return found ? lang_call(in, method, &none, out, err) : fail(err, NNS_MODEL, "no method %s", name);
}

static bool promote_types(struct interp *in, const struct function *self, const struct lang_args *args, struct datum *out, nns_error *err)
{
	(void)in, (void)self;
	if (args->n != 2 || args->items[0].kind != D_DTYPE || args->items[1].kind != D_DTYPE)
		return fail(err, NNS_MODEL, "promote_types takes two dtypes");
	*out = (struct datum){ .kind = D_DTYPE, .u.i = dtype_promote((enum dtype)args->items[0].u.i, (enum dtype)args->items[1].u.i) };
	return true;
}

static bool device_new(struct interp *in, const struct function *self, const struct lang_args *args, struct datum *out, nns_error *err)
{
	(void)self;
	const struct datum *type = arg_at(args, 0, "type");
	if (type && type->kind == D_HOST)
		return *out = *type, true;
	if (!type || type->kind != D_STR)
		return fail(err, NNS_MODEL, "device takes a name such as 'cpu'");
	if (strncmp(type->u.s, "cpu", 3) == 0)
		return *out = datum_pointer(D_HOST, &cpu), true;
	return host_object_new(in->arena, "device", type->u.s, out, err);
}

static bool size_new(struct interp *in, const struct function *self, const struct lang_args *args, struct datum *out, nns_error *err)
{
	(void)self;
	if (!datum_seq(in->arena, D_TUPLE, 0, out))
		return fail_memory(err);
	for (size_t i = 0; args->n && datum_is_seq(args->items[0]) && i < args->items[0].u.seq->n; i++)
		if (!seq_push(in->arena, out->u.seq, args->items[0].u.seq->items[i]))
			return fail_memory(err);
	return true;
}

/* finfo and iinfo are dicts whose keys read as attributes. */
struct type_limits { enum dtype dtype; double min, max, eps, tiny; };
static const struct type_limits limits[] = {
	{ DT_FLOAT16, -65504, 65504, 0x1p-10, 0x1p-14 }, { DT_BFLOAT16, -0x1.fep127, 0x1.fep127, 0x1p-7, 0x1p-126 },
	{ DT_FLOAT32, -0x1.fffffep127, 0x1.fffffep127, 0x1p-23, 0x1p-126 },
	{ DT_FLOAT64, -0x1.fffffffffffffp1023, 0x1.fffffffffffffp1023, 0x1p-52, 0x1p-1022 },
	{ DT_UINT8, 0, 255, 0, 0 }, { DT_INT8, -128, 127, 0, 0 }, { DT_INT16, -32768, 32767, 0, 0 },
	{ DT_INT32, -2147483648.0, 2147483647.0, 0, 0 }, { DT_INT64, -0x1p63, 0x1p63, 0, 0 },
};

static bool type_info(struct interp *in, const struct function *self, const struct lang_args *args, struct datum *out, nns_error *err)
{
	(void)in;
	enum dtype d = args->n && args->items[0].kind == D_DTYPE ? (enum dtype)args->items[0].u.i : DT_FLOAT32;
	for (size_t i = 0; i < sizeof limits / sizeof *limits; i++)
		if (limits[i].dtype == d)
			return host_object_new(in->arena, "type_info", &limits[i], out, err);
	return fail(err, NNS_MODEL, "%s knows nothing of %s", self->name, dtype_name(d));
}

static bool type_info_getattr(const struct type_limits *l, const char *name, struct datum *out, bool *found)
{
	bool integral = dtype_is_integral(l->dtype);
	double v = strcmp(name, "min") == 0 ? l->min : strcmp(name, "max") == 0 ? l->max : strcmp(name, "eps") == 0 ? l->eps : l->tiny;
	*found = strcmp(name, "min") == 0 || strcmp(name, "max") == 0 || strcmp(name, "bits") == 0
	      || (!integral && (strcmp(name, "eps") == 0 || strcmp(name, "tiny") == 0 || strcmp(name, "smallest_normal") == 0));
	*out = datum_float(v);
	if (strcmp(name, "bits") == 0)
		*out = datum_int(8 * (int64_t)dtype_size(l->dtype));
	else if (integral)
		*out = datum_int(v >= 0x1p63 ? INT64_MAX : (int64_t)v);
	return true;
}

/* Sizes of nested lists: those of the first items (compute_sizes() in tensor_new.cpp).  False: deeper than a tensor can be. */
static bool first_sizes(struct datum d, int64_t *size, int *ndim)
{
	for (*ndim = 0; datum_is_seq(d); d = d.u.seq->items[0]) {
		if (*ndim == MAX_DIMS)
			return false;
		size[(*ndim)++] = (int64_t)d.u.seq->n;
		if (d.u.seq->n == 0)
			break;
	}
	return true;
}

/* Whether all lists have those sizes, and the type of what they hold. */
static bool data_fits(struct datum d, const int64_t *size, int ndim, enum dtype *dtype, int depth)
{
	if (!datum_is_seq(d)) {
		enum dtype own = d.kind == D_BOOL ? DT_BOOL : d.kind == D_INT ? DT_INT64 : DT_FLOAT32;
		*dtype = *dtype == DT_NONE ? own : dtype_promote(*dtype, own);
		return depth == ndim && datum_is_number(d);
	}
	if (depth == ndim || size[depth] != (int64_t)d.u.seq->n)
		return false;
	for (size_t i = 0; i < d.u.seq->n; i++)
		if (!data_fits(d.u.seq->items[i], size, ndim, dtype, depth + 1))
			return false;
	return true;
}

/* A new tensor of known content, as internal_new_from_data() in torch/csrc/utils/tensor_new.cpp records it. */
static bool tensor_new(struct interp *in, const struct function *self, const struct lang_args *args, struct datum *out, nns_error *err)
{
	const struct datum *data = arg_at(args, 0, "data"), *type = arg_at(args, 1, "dtype"), *grad = arg_at(args, 3, "requires_grad");
	bool copies = strcmp(self->name, "torch.tensor") == 0;
	enum dtype dtype = DT_NONE;
	int64_t size[MAX_DIMS];
	int ndim = 0;
	if (!data)
		return fail(err, NNS_MODEL, "%s: missing argument 'data'", self->name);
	if (data->kind == D_TENSOR)
		return copies ? record_unary(in, "clone", *data, out, err) : (*out = *data, true);
	bool fits = first_sizes(*data, size, &ndim), empty = fits && ndim > 0 && size[ndim - 1] == 0;
	if (!fits || (!empty && !data_fits(*data, size, ndim, &dtype, 0)))   /* PyTorch looks into no list when there is nothing to store */
		return fail(err, NNS_MODEL, "%s: data must be numbers in lists of equal lengths", self->name);
	if (type && type->kind == D_DTYPE)
		dtype = (enum dtype)type->u.i;
	struct value *v = value_new(in->arena, dtype == DT_NONE ? DT_FLOAT32 : dtype, ndim, size);
	struct datum *constant = arena_alloc(in->arena, sizeof *constant);
	if (!v || !constant)
		return fail_memory(err);
	*constant = *data;
	v->constant = constant;
	if (!record_unary(in, "lift_fresh", datum_pointer(D_TENSOR, v), out, err))
		return false;
	((struct value *)out->u.p)->constant = constant;
	return !grad || !datum_truth(*grad) || tensor_require_grad(out->u.p, true, err);
}

/* ---- Contexts ---- */

struct grad_context {
	bool enabled, before;
	bool switched;           /* when it was made: before is what was then */
};

static bool context_new(struct interp *in, bool enabled, struct datum *out, nns_error *err)
{
	struct grad_context *c = arena_alloc(in->arena, sizeof *c);
	if (!c)
		return fail_memory(err);
	c->enabled = enabled;
	return host_object_new(in->arena, "context", c, out, err);
}

static bool no_grad(struct interp *in, const struct function *self, const struct lang_args *args, struct datum *out, nns_error *err)
{
	(void)self, (void)args;
	return context_new(in, false, out, err);
}

static bool enable_grad(struct interp *in, const struct function *self, const struct lang_args *args, struct datum *out, nns_error *err)
{
	(void)self, (void)args;
	return context_new(in, true, out, err);
}

/* torch.set_grad_enabled() switches at once, and back when it is used as a context. */
static bool set_grad_enabled(struct interp *in, const struct function *self, const struct lang_args *args, struct datum *out, nns_error *err)
{
	(void)self;
	const struct datum *mode = arg_at(args, 0, "mode");
	bool on = !mode || datum_truth(*mode);
	if (!context_new(in, on, out, err))
		return false;
	struct grad_context *c = (void *)((struct host_object *)out->u.p)->data;
	c->before = recorder_of(in)->grad_enabled;
	c->switched = true;
	recorder_of(in)->grad_enabled = on;
	return true;
}

static bool is_grad_enabled(struct interp *in, const struct function *self, const struct lang_args *args, struct datum *out, nns_error *err)
{
	(void)self, (void)args, (void)err;
	*out = datum_bool(recorder_of(in)->grad_enabled);
	return true;
}

static bool null_context(struct interp *in, const struct function *self, const struct lang_args *args, struct datum *out, nns_error *err)
{
	(void)self, (void)args;
	return context_new(in, recorder_of(in)->grad_enabled, out, err);
}

bool context_enter(struct interp *in, struct datum obj, struct datum *out, nns_error *err)
{
	if (strcmp(host_kind(obj), "context") != 0)
		return fail(err, NNS_MODEL, "%s %s cannot be used with `with`", datum_a(obj), datum_type_name(obj));
	struct grad_context *c = (void *)((const struct host_object *)obj.u.p)->data;
	if (!c->switched)
		c->before = recorder_of(in)->grad_enabled;
	c->switched = false;
	recorder_of(in)->grad_enabled = c->enabled;
	*out = obj;
	return true;
}

void context_leave(struct interp *in, struct datum obj)
{
	const struct grad_context *c = ((const struct host_object *)obj.u.p)->data;
	recorder_of(in)->grad_enabled = c->before;
}

/* ---- math ---- */

static double math_apply(const char *name, double x, double y)
{
	static const struct { const char *name; double (*one)(double); } functions[] = {
		{ "sqrt", sqrt }, { "exp", exp }, { "log2", log2 }, { "log10", log10 }, { "log1p", log1p }, { "sin", sin }, { "cos", cos },
		{ "tan", tan }, { "tanh", tanh }, { "atan", atan }, { "fabs", fabs }, { "erf", erf }, { "expm1", expm1 } };
	for (size_t i = 0; i < sizeof functions / sizeof *functions; i++)
		if (strcmp(name, functions[i].name) == 0)
			return functions[i].one(x);
	return strcmp(name, "pow") == 0 ? pow(x, y) : NAN;
}

static bool math_float(struct interp *in, const struct function *self, const struct lang_args *args, struct datum *out, nns_error *err)
{
	(void)in;
	for (size_t i = 0; i < args->n; i++)
		if (!datum_is_number(args->items[i]))
			return fail(err, NNS_MODEL, "%s takes numbers, not %s", self->name, datum_type_name(args->items[i]));
	if (args->n == 0)
		return fail(err, NNS_MODEL, "%s takes a number", self->name);
	double y = args->n > 1 ? datum_as_float(args->items[1]) : 0;
	double v = math_apply(strchr(self->name, '.') + 1, datum_as_float(args->items[0]), y);
	*out = datum_float(v);
	return !isnan(v) || fail(err, NNS_MODEL, "%s: math domain error", self->name);
}

static bool math_log(struct interp *in, const struct function *self, const struct lang_args *args, struct datum *out, nns_error *err)
{
	(void)in, (void)self;
	for (size_t i = 0; i < args->n; i++)
		if (!datum_is_number(args->items[i]) || datum_as_float(args->items[i]) <= 0)
			return fail(err, NNS_MODEL, "math.log: math domain error");
	if (args->n == 0)
		return fail(err, NNS_MODEL, "math.log takes a number");
	double v = log(datum_as_float(args->items[0]));
	*out = datum_float(args->n > 1 ? v / log(datum_as_float(args->items[1])) : v);
	return true;
}

static bool math_round(struct interp *in, const struct function *self, const struct lang_args *args, struct datum *out, nns_error *err)
{
	(void)in;
	char which = self->name[5];
	if (args->n != 1 || !datum_is_number(args->items[0]))
		return fail(err, NNS_MODEL, "%s takes a number", self->name);
	if (datum_is_int(args->items[0]))
		return *out = datum_int(datum_as_int(args->items[0])), true;
	double x = args->items[0].u.f, v = which == 'f' ? floor(x) : which == 'c' ? ceil(x) : trunc(x);
	if (!(fabs(v) < 0x1p63))
		return fail(err, NNS_MODEL, "%s: cannot convert to an integer", self->name);
	*out = datum_int((int64_t)v);
	return true;
}

static bool math_prod(struct interp *in, const struct function *self, const struct lang_args *args, struct datum *out, nns_error *err)
{
	(void)self;
	*out = datum_int(1);
	if (args->n != 1 || !datum_is_seq(args->items[0]))
		return fail(err, NNS_MODEL, "math.prod takes a sequence");
	for (size_t i = 0; i < args->items[0].u.seq->n; i++)
		if (!lang_binary(in, OP_MUL, *out, args->items[0].u.seq->items[i], out, err))
			return false;
	return true;
}

static bool math_is(struct interp *in, const struct function *self, const struct lang_args *args, struct datum *out, nns_error *err)
{
	(void)in;
	if (args->n != 1 || !datum_is_number(args->items[0]))
		return fail(err, NNS_MODEL, "%s takes a number", self->name);
	double x = datum_as_float(args->items[0]);
	*out = datum_bool(strcmp(self->name, "math.isnan") == 0 ? isnan(x) : strcmp(self->name, "math.isinf") == 0 ? isinf(x) : isfinite(x));
	return true;
}

static bool math_gcd(struct interp *in, const struct function *self, const struct lang_args *args, struct datum *out, nns_error *err)
{
	(void)in;
	if (args->n != 2 || !datum_is_int(args->items[0]) || !datum_is_int(args->items[1]))
		return fail(err, NNS_MODEL, "%s takes two integers", self->name);
	int64_t a = datum_as_int(args->items[0]), b = datum_as_int(args->items[1]);
	for (int64_t t; b; a = t)
		t = b, b = b == -1 ? 0 : a % b;
	if (a == INT64_MIN)
		return fail(err, NNS_LIMIT, "%s: the result does not fit 64 bits", self->name);
	*out = datum_int(a < 0 ? -a : a);
	return true;
}

const struct torch_function torch_functions[] = {
	{ "torch.tensor", tensor_new }, { "torch.as_tensor", tensor_new }, { "torch.is_tensor", is_tensor },
	{ "torch.numel", as_method }, { "torch.is_complex", as_method }, { "torch.is_floating_point", as_method },
	{ "torch.promote_types", promote_types }, { "torch.device", device_new }, { "torch.Size", size_new },
	{ "torch.finfo", type_info }, { "torch.iinfo", type_info }, { "torch.get_default_dtype", default_dtype },
	{ "torch.no_grad", no_grad }, { "torch.inference_mode", no_grad }, { "torch.enable_grad", enable_grad },
	{ "torch.set_grad_enabled", set_grad_enabled }, { "torch.is_grad_enabled", is_grad_enabled },
	{ "torch.autocast", null_context }, { "torch.is_autocast_enabled", always_false }, { "torch.is_inference_mode_enabled", always_false },
	{ "torch._assert", torch_assert }, { "torch._check", nothing }, { "torch.manual_seed", nothing },
	{ "torch.jit.is_scripting", always_false }, { "torch.jit.is_tracing", always_false }, { "torch.jit.annotate", last_argument },
	{ "torch._C._get_tracing_state", nothing }, { "torch._jit_internal.is_scripting", always_false },
	{ "torch.overrides.has_torch_function", always_false }, { "torch.overrides.has_torch_function_unary", always_false },
	{ "torch.overrides.has_torch_function_variadic", always_false }, { "torch.overrides.is_tensor_like", is_tensor },
	{ "torch.compiler.is_compiling", always_false }, { "torch.compiler.is_dynamo_compiling", always_false },
	{ "torch.backends.mha.get_fastpath_enabled", always_false }, { "torch.cuda.is_available", always_false },
	{ "torch.is_storage", always_false }, { "torch.are_deterministic_algorithms_enabled", always_false }, { "torch.is_same", always_true },
	{ "warnings.warn", nothing },
	{ "math.sqrt", math_float }, { "math.exp", math_float }, { "math.pow", math_float }, { "math.log2", math_float },
	{ "math.log10", math_float }, { "math.log1p", math_float }, { "math.sin", math_float }, { "math.cos", math_float },
	{ "math.tan", math_float }, { "math.tanh", math_float }, { "math.atan", math_float }, { "math.fabs", math_float },
	{ "math.erf", math_float }, { "math.expm1", math_float }, { "math.log", math_log },
	{ "math.floor", math_round }, { "math.ceil", math_round }, { "math.trunc", math_round }, { "math.prod", math_prod },
	{ "math.isnan", math_is }, { "math.isinf", math_is }, { "math.isfinite", math_is }, { "math.gcd", math_gcd },
	{ NULL, NULL }
};

/* ---- Globals, attributes of host objects, calls ---- */

static const struct { const char *name; struct host_object object; } globals[] = {
	{ "torch", { "namespace", "torch" } }, { "F", { "namespace", "F" } }, { "aten", { "namespace", "aten" } },
	{ "math", { "namespace", "math" } }, { "warnings", { "namespace", "warnings" } }, { "Tensor", { "type", "Tensor" } },
};

bool tensor_global(struct interp *in, const char *name, struct datum *out, bool *found, nns_error *err)
{
	(void)in, (void)err;
	*found = false;
	for (size_t i = 0; i < sizeof globals / sizeof *globals && !*found; i++)
		if (strcmp(name, globals[i].name) == 0) {
			*out = datum_pointer(D_HOST, &globals[i].object);
			*found = true;
		}
	return true;
}

bool host_getattr(struct interp *in, struct datum obj, const char *name, struct datum *out, bool *found, nns_error *err)
{
	const struct host_object *o = obj.u.p;
	if (strcmp(o->kind, "type_info") == 0)
		return type_info_getattr(o->data, name, out, found);
	if (strcmp(o->kind, "device") == 0) {
		*found = strcmp(name, "type") == 0 || strcmp(name, "index") == 0;
		*out = strcmp(name, "type") == 0 ? datum_str(o->data) : datum_none();
		return true;
	}
	return namespace_object_getattr(in, obj, name, out, found, err);
}

bool tensor_call(struct interp *in, struct datum callee, const struct lang_args *args, struct datum *out, nns_error *err)
{
	const struct host_object *o = callee.kind == D_HOST ? callee.u.p : NULL;
	if (o && strcmp(o->kind, "packet") == 0)
		return record_overload(recorder_of(in), o->data, args, out, err);
	if (o && strcmp(o->kind, "type") == 0 && strcmp(o->data, "Size") == 0)
		return size_new(in, NULL, args, out, err);
	return fail(err, NNS_MODEL, "%s %s is not callable", datum_a(callee), datum_type_name(callee));
}

/* Base names of operators stand once for each overload; the first of a run is enough. */
const char *namespace_names(struct datum obj, size_t index)
{
	size_t n = sizeof globals / sizeof *globals;
	if (obj.kind == D_NONE)
		return index < n ? globals[index].name : NULL;
	if (obj.kind != D_TENSOR && strcmp(host_kind(obj), "namespace") != 0)
		return NULL;
	return index < op_facts_count ? op_facts[index].name : NULL;
}
