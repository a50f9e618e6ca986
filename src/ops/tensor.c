/* What the forward language may do with tensors, dtypes and devices: attributes, length, truth, iteration, text. */
#include "ops/tensor.h"

#include <string.h>

#include "ops/namespace.h"
#include "ops/shapes.h"

/* ---- Helpers of this file and its neighbours ---- */

const struct datum *arg_at(const struct lang_args *args, size_t i, const char *name)
{
	for (size_t k = 0; k < args->n_named; k++)
		if (strcmp(args->names[k], name) == 0)
			return &args->values[k];
	return i < args->n ? &args->items[i] : NULL;
}

bool shape_is_known(const struct value *v, const char *what, nns_error *err)
{
	if (v->ndim >= 0)
		return true;
	const char *op = v->producer ? v->producer->op->name : "an input";
	return fail(err, NNS_UNSUPPORTED, "%s: the shape of a result of %s is not known", what, op);
}

bool record_unary(struct interp *in, const char *name, struct datum x, struct datum *out, nns_error *err)
{
	struct lang_args args = { .items = &x, .n = 1 };
	return record_call(recorder_of(in), name, &args, out, err);
}

/* Dimension `d` of v counted from either end. */
static bool one_dim(const struct value *v, struct datum d, const char *what, int *out, nns_error *err)
{
	int64_t i = datum_is_int(d) ? datum_as_int(d) : MAX_DIMS;
	int limit = v->ndim > 0 ? v->ndim : 1;
	if (!datum_is_int(d))
		return fail(err, NNS_MODEL, "%s: a dimension must be an int, not %s", what, datum_type_name(d));
	if (i < -limit || i >= limit || v->ndim == 0)
		return fail(err, NNS_MODEL, "%s: dimension %lld is out of range for %d dimensions", what, (long long)i, v->ndim);
	*out = (int)(i < 0 ? i + v->ndim : i);
	return true;
}

/* ---- Methods that answer without recording ---- */

typedef bool (*method)(struct interp *in, const struct function *self, const struct lang_args *args, struct datum *out, nns_error *err);

static struct value *self_of(const struct function *f)
{
	return f->self.u.p;
}

static bool ints_or_one(struct interp *in, const struct value *v, const int64_t *ints, const char *what,
                        const struct lang_args *args, struct datum *out, nns_error *err)
{
	const struct datum *dim = arg_at(args, 0, "dim");
	int i = 0;
	if (!shape_is_known(v, what, err))
		return false;
	if (!dim || dim->kind == D_NONE)
		return datum_ints(in->arena, D_TUPLE, ints, (size_t)v->ndim, out) || fail_memory(err);
	if (!one_dim(v, *dim, what, &i, err))
		return false;
	*out = datum_int(ints[i]);
	return true;
}

static bool method_size(struct interp *in, const struct function *self, const struct lang_args *args, struct datum *out, nns_error *err)
{
	return ints_or_one(in, self_of(self), self_of(self)->size, "size", args, out, err);
}

static bool method_stride(struct interp *in, const struct function *self, const struct lang_args *args, struct datum *out, nns_error *err)
{
	return ints_or_one(in, self_of(self), self_of(self)->stride, "stride", args, out, err);
}

static bool method_dim(struct interp *in, const struct function *self, const struct lang_args *args, struct datum *out, nns_error *err)
{
	(void)in, (void)args;
	*out = datum_int(self_of(self)->ndim);
	return shape_is_known(self_of(self), "dim", err);
}

static bool method_numel(struct interp *in, const struct function *self, const struct lang_args *args, struct datum *out, nns_error *err)
{
	(void)in, (void)args;
	*out = datum_int(value_numel(self_of(self)));
	return shape_is_known(self_of(self), "numel", err);
}

static bool method_element_size(struct interp *in, const struct function *self, const struct lang_args *args, struct datum *out, nns_error *err)
{
	(void)in, (void)args, (void)err;
	*out = datum_int((int64_t)dtype_size(self_of(self)->dtype));
	return true;
}

static bool method_offset(struct interp *in, const struct function *self, const struct lang_args *args, struct datum *out, nns_error *err)
{
	(void)in, (void)args, (void)err;
	*out = datum_int(self_of(self)->offset);
	return true;
}

static bool method_is_complex(struct interp *in, const struct function *self, const struct lang_args *args, struct datum *out, nns_error *err)
{
	(void)in, (void)args, (void)err;
	*out = datum_bool(dtype_is_complex(self_of(self)->dtype));
	return true;
}

static bool method_is_float(struct interp *in, const struct function *self, const struct lang_args *args, struct datum *out, nns_error *err)
{
	(void)in, (void)args, (void)err;
	*out = datum_bool(dtype_is_float(self_of(self)->dtype));
	return true;
}

static bool method_is_signed(struct interp *in, const struct function *self, const struct lang_args *args, struct datum *out, nns_error *err)
{
	enum dtype d = self_of(self)->dtype;
	(void)in, (void)args, (void)err;
	*out = datum_bool(d != DT_BOOL && d != DT_UINT8 && d != DT_UINT16 && d != DT_UINT32 && d != DT_UINT64);
	return true;
}

static enum memory_format format_of(const struct datum *d, enum memory_format none)
{
	static const struct { const char *name; enum memory_format format; } formats[] = {
		{ "channels_last", FORMAT_CHANNELS_LAST }, { "channels_last_3d", FORMAT_CHANNELS_LAST_3D },
		{ "preserve_format", FORMAT_PRESERVE }, { "contiguous_format", FORMAT_CONTIGUOUS } };
	const char *name = !d ? NULL : d->kind == D_STR ? d->u.s : d->kind == D_HOST ? ((const struct host_object *)d->u.p)->data : NULL;
	for (size_t i = 0; name && i < sizeof formats / sizeof *formats; i++)
		if (strcmp(name, formats[i].name) == 0)
			return formats[i].format;
	return none;
}

static bool method_is_contiguous(struct interp *in, const struct function *self, const struct lang_args *args, struct datum *out, nns_error *err)
{
	enum memory_format f = format_of(arg_at(args, 0, "memory_format"), FORMAT_CONTIGUOUS);
	(void)in;
	*out = datum_bool(value_is_in_format(self_of(self), f));
	return shape_is_known(self_of(self), "is_contiguous", err);
}

/* For parts: suggest_memory_format() == format. */
static bool method_suggests(struct interp *in, const struct function *self, const struct lang_args *args, struct datum *out, nns_error *err)
{
	(void)in;
	enum memory_format wanted = format_of(arg_at(args, 0, "memory_format"), FORMAT_PRESERVE);
	*out = datum_bool(wanted == FORMAT_PRESERVE || value_format(self_of(self)) == wanted);
	return shape_is_known(self_of(self), "memory format", err);
}

/* The sizes and strides that x.view(sizes) would have; *fits is false when it needs a copy. */
static bool viewed(struct interp *in, const struct function *self, const struct lang_args *args,
                   int64_t *size, int64_t *stride, int *n, bool *fits, nns_error *err)
{
	const struct recorder *r = recorder_of(in);
	struct op_call c = { .arena = in->arena, .err = err, .label = r->label ? r->label : "view" };
	const struct datum *sizes = arg_at(args, 0, "size");
	int64_t wanted[MAX_DIMS];
	if (!sizes || !datum_is_seq(*sizes) || sizes->u.seq->n > MAX_DIMS)
		return fail(err, NNS_MODEL, "%s takes a list of sizes", self->name);
	*n = (int)sizes->u.seq->n;
	for (int i = 0; i < *n; i++) {
		if (!datum_is_int(sizes->u.seq->items[i]))
			return fail(err, NNS_MODEL, "%s takes a list of sizes", self->name);
		wanted[i] = datum_as_int(sizes->u.seq->items[i]);
	}
	if (!shape_is_known(self_of(self), "view", err) || !infer_sizes(&c, self_of(self), *n, wanted, size))
		return false;
	*fits = view_strides(self_of(self), *n, size, stride);
	return true;
}

/* For parts: whether x.view(sizes) would work without a copy. */
static bool method_can_view(struct interp *in, const struct function *self, const struct lang_args *args, struct datum *out, nns_error *err)
{
	int64_t size[MAX_DIMS], stride[MAX_DIMS];
	bool fits = false;
	int n;
	if (!viewed(in, self, args, size, stride, &n, &fits, err))
		return false;
	*out = datum_bool(fits);
	return true;
}

/* For parts: its sizes and strides then. */
static bool method_viewed(struct interp *in, const struct function *self, const struct lang_args *args, struct datum *out, nns_error *err)
{
	int64_t size[MAX_DIMS], stride[MAX_DIMS];
	struct datum sizes, strides;
	bool fits = false;
	int n = 0;
	if (!viewed(in, self, args, size, stride, &n, &fits, err))
		return false;
	if (!datum_seq(in->arena, D_TUPLE, 2, out) || !datum_ints(in->arena, D_LIST, size, (size_t)n, &sizes)
	    || !datum_ints(in->arena, D_LIST, stride, (size_t)n, &strides) || !seq_push(in->arena, out->u.seq, sizes) || !seq_push(in->arena, out->u.seq, strides))
		return fail_memory(err);
	return fits || fail(err, NNS_MODEL, "view: the sizes do not fit the strides");
}

static bool method_item(struct interp *in, const struct function *self, const struct lang_args *args, struct datum *out, nns_error *err)
{
	const struct datum *constant = self_of(self)->constant;
	(void)in, (void)args;
	if (!constant)
		return fail(err, NNS_UNSUPPORTED, "item: the value of a tensor is not known while tracing; use a number that follows from shapes");
	*out = *constant;
	return true;
}

static bool method_requires_grad(struct interp *in, const struct function *self, const struct lang_args *args, struct datum *out, nns_error *err)
{
	const struct datum *on = arg_at(args, 0, "requires_grad");
	(void)in;
	*out = self->self;
	return tensor_require_grad(self_of(self), !on || datum_truth(*on), err);
}

static bool method_false(struct interp *in, const struct function *self, const struct lang_args *args, struct datum *out, nns_error *err)
{
	(void)in, (void)self, (void)args, (void)err;
	*out = datum_bool(false);
	return true;
}

static bool method_none(struct interp *in, const struct function *self, const struct lang_args *args, struct datum *out, nns_error *err)
{
	(void)in, (void)self, (void)args, (void)err;
	*out = datum_none();
	return true;
}

static bool method_is_view(struct interp *in, const struct function *self, const struct lang_args *args, struct datum *out, nns_error *err)
{
	(void)in, (void)args, (void)err;
	*out = datum_bool(self_of(self)->base != NULL);
	return true;
}

static const struct { const char *name; method call; } methods[] = {
	{ "size", method_size }, { "stride", method_stride }, { "dim", method_dim }, { "ndimension", method_dim },
	{ "numel", method_numel }, { "nelement", method_numel }, { "element_size", method_element_size },
	{ "storage_offset", method_offset }, { "is_complex", method_is_complex }, { "is_floating_point", method_is_float },
	{ "is_signed", method_is_signed }, { "is_contiguous", method_is_contiguous }, { "_suggests", method_suggests },
	{ "_can_view", method_can_view }, { "_viewed", method_viewed }, { "item", method_item }, { "tolist", method_item },
	{ "requires_grad_", method_requires_grad }, { "is_inference", method_false }, { "is_conj", method_false },
	{ "is_neg", method_false }, { "is_shared", method_false }, { "_is_view", method_is_view },
	{ "retain_grad", method_none }, { "register_hook", method_none }, { "backward", method_none },
};

/* ---- Attributes ---- */

static const struct host_object cpu = { "device", "cpu" }, strided = { "layout", "strided" };

static bool plain_attribute(struct interp *in, const struct value *v, const char *name, struct datum *out, bool *found, nns_error *err)
{
	static const char *const no[] = { "is_cuda", "is_nested", "is_sparse", "is_quantized", "is_meta", "is_mkldnn", "is_mps", "is_xpu", "is_sparse_csr" };
	*found = true;
	if (strcmp(name, "shape") == 0)
		return shape_is_known(v, name, err) && (datum_ints(in->arena, D_TUPLE, v->size, (size_t)v->ndim, out) || fail_memory(err));
	if (strcmp(name, "ndim") == 0)
		return *out = datum_int(v->ndim), shape_is_known(v, name, err);
	if (strcmp(name, "dtype") == 0)
		return *out = (struct datum){ .kind = D_DTYPE, .u.i = v->dtype }, true;
	if (strcmp(name, "requires_grad") == 0)
		return *out = datum_bool(value_tracks_grad(v)), true;
	if (strcmp(name, "is_leaf") == 0)
		return *out = datum_bool(!value_tracks_grad(v) || (!v->producer && v->version == 0)), true;
	if (strcmp(name, "device") == 0)
		return *out = datum_pointer(D_HOST, &cpu), true;
	if (strcmp(name, "layout") == 0)
		return *out = datum_pointer(D_HOST, &strided), true;
	if (strcmp(name, "itemsize") == 0)
		return *out = datum_int((int64_t)dtype_size(v->dtype)), true;
	if (strcmp(name, "nbytes") == 0)
		return *out = datum_int(value_bytes(v)), shape_is_known(v, name, err);
	if (strcmp(name, "grad") == 0 || strcmp(name, "names") == 0 || strcmp(name, "name") == 0)
		return *out = datum_none(), true;
	for (size_t i = 0; i < sizeof no / sizeof *no; i++)
		if (strcmp(name, no[i]) == 0)
			return *out = datum_bool(false), true;
	*found = false;
	return true;
}

/* Attributes that call an operator. */
static const char *attribute_operator(const struct value *v, const char *name)
{
	static const char *const names[][2] = { { "T", "numpy_T" }, { "mT", "mT" }, { "H", "matrix_H" }, { "mH", "mH" }, { "data", "detach" } };
	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		if (strcmp(name, names[i][0]) == 0)
			return names[i][1];
	if (strcmp(name, "real") == 0 || strcmp(name, "imag") == 0)
		return dtype_is_complex(v->dtype) ? name : NULL;
	return NULL;
}

static bool bind_native(struct interp *in, struct datum self, const char *name, struct datum *out, bool *found, nns_error *err)
{
	for (size_t i = 0; i < sizeof methods / sizeof *methods; i++) {
		if (strcmp(name, methods[i].name) != 0)
			continue;
		struct function *f = arena_alloc(in->arena, sizeof *f);
		if (!f)
			return fail_memory(err);
		*f = (struct function){ .name = methods[i].name, .call = methods[i].call, .self = self };
		*out = datum_pointer(D_FUNCTION, f);
		*found = true;
		return true;
	}
	return true;
}

static bool value_getattr(struct interp *in, struct datum obj, const char *name, struct datum *out, bool *found, nns_error *err)
{
	const struct value *v = obj.u.p;
	bool ok = plain_attribute(in, v, name, out, found, err);
	if (!ok || *found)
		return ok;
	const char *op = attribute_operator(v, name);
	if (op)
		return *found = true, record_unary(in, op, obj, out, err);
	if (strcmp(name, "real") == 0)
		return *found = true, *out = obj, true;
	ok = bind_native(in, obj, name, out, found, err);
	if (!ok || *found)
		return ok;
	return bound_method(in, obj, name, out, found, err);
}

static bool dtype_getattr(enum dtype d, const char *name, struct datum *out, bool *found)
{
	*found = true;
	if (strcmp(name, "is_floating_point") == 0)
		*out = datum_bool(dtype_is_float(d));
	else if (strcmp(name, "is_complex") == 0)
		*out = datum_bool(dtype_is_complex(d));
	else if (strcmp(name, "itemsize") == 0)
		*out = datum_int((int64_t)dtype_size(d));
	else
		*found = false;
	return true;
}

bool tensor_getattr(struct interp *in, struct datum obj, const char *name, struct datum *out, bool *found, nns_error *err)
{
	*found = false;
	switch (obj.kind) {
	case D_TENSOR: return value_getattr(in, obj, name, out, found, err);
	case D_DTYPE: return dtype_getattr((enum dtype)obj.u.i, name, out, found);
	case D_HOST: return host_getattr(in, obj, name, out, found, err);
	default: return true;
	}
}

bool tensor_require_grad(struct value *v, bool on, nns_error *err)
{
	if (on && !dtype_can_require_grad(v->dtype))
		return fail(err, NNS_MODEL, "only tensors of floating point and complex dtype can require gradients, not %s", dtype_name(v->dtype));
	if (!on && v->producer)
		return fail(err, NNS_MODEL, "requires_grad can only be changed for leaf tensors; use detach()");
	v->requires_grad = on;
	return true;
}

bool tensor_setattr(struct interp *in, struct datum obj, const char *name, struct datum v, nns_error *err)
{
	(void)in;
	if (obj.kind == D_TENSOR && strcmp(name, "requires_grad") == 0)
		return tensor_require_grad(obj.u.p, datum_truth(v), err);
	return fail(err, NNS_UNSUPPORTED, "attribute '%s' of %s %s cannot be set", name, datum_a(obj), datum_type_name(obj));
}

/* ---- Length, iteration, truth ---- */

bool tensor_length(struct interp *in, struct datum obj, int64_t *out, nns_error *err)
{
	(void)in;
	const struct value *v = obj.kind == D_TENSOR ? obj.u.p : NULL;
	if (!v)
		return fail(err, NNS_MODEL, "%s %s has no len()", datum_a(obj), datum_type_name(obj));
	if (!shape_is_known(v, "len", err))
		return false;
	if (v->ndim == 0)
		return fail(err, NNS_MODEL, "len() of a 0-d tensor");
	*out = v->size[0];
	return true;
}

/* Iterating over a tensor is unbind(0) (torch/_tensor.py, __iter__). */
bool tensor_items(struct interp *in, struct datum obj, struct datum *out, nns_error *err)
{
	if (obj.kind != D_TENSOR)
		return fail(err, NNS_MODEL, "%s %s cannot be iterated over", datum_a(obj), datum_type_name(obj));
	const struct value *v = obj.u.p;
	if (!shape_is_known(v, "iteration", err))
		return false;
	if (v->ndim == 0)
		return fail(err, NNS_MODEL, "iteration over a 0-d tensor");
	struct datum items[2] = { obj, datum_int(0) };
	struct lang_args args = { .items = items, .n = 2 };
	return record_call(recorder_of(in), "unbind.int", &args, out, err);
}

bool tensor_truth(struct interp *in, struct datum obj, bool *out, nns_error *err)
{
	(void)in;
	const struct value *v = obj.kind == D_TENSOR ? obj.u.p : NULL;
	if (!v)
		return *out = true, true;
	const struct datum *constant = v->constant;
	if (constant && datum_is_number(*constant))
		return *out = datum_truth(*constant), true;
	if (v->ndim >= 0 && value_numel(v) != 1)
		return fail(err, NNS_MODEL, "the truth value of a tensor with more than one element is ambiguous");
	return fail(err, NNS_UNSUPPORTED, "the value of a tensor decides which way to go; it is not known while tracing");
}

/* ---- isinstance and text ---- */

bool tensor_isinstance(struct interp *in, struct datum obj, struct datum class, bool *out, nns_error *err)
{
	(void)in, (void)err;
	const char *type = strcmp(host_kind(class), "type") == 0 ? ((const struct host_object *)class.u.p)->data : "";
	const struct value *v = obj.kind == D_TENSOR ? obj.u.p : NULL;
	*out = (strcmp(type, "Tensor") == 0 && v) || (strcmp(type, "Parameter") == 0 && v && v->is_parameter)
	    || (strcmp(type, "FloatTensor") == 0 && v && v->dtype == DT_FLOAT32) || (strcmp(type, "LongTensor") == 0 && v && v->dtype == DT_INT64)
	    || (strcmp(type, "dtype") == 0 && obj.kind == D_DTYPE) || (strcmp(type, "Size") == 0 && obj.kind == D_TUPLE);
	return true;
}

static void value_repr(struct text *t, const struct value *v)
{
	const struct datum *constant = v->constant;
	text_add(t, v->is_parameter ? "Parameter(" : "tensor(");
	if (constant && datum_is_number(*constant)) {
		datum_repr(t, *constant, NULL);
	} else {
		text_add(t, "..., size=");
		if (v->ndim < 0)
			text_add(t, "?");
		else
			shape_add_tuple(t, v);
	}
	if (v->dtype != DT_FLOAT32 && !constant)
		text_addf(t, ", dtype=torch.%s", dtype_name(v->dtype));
	if (v->requires_grad)
		text_add(t, ", requires_grad=True");
	text_addc(t, ')');
}

static void object_repr(struct text *t, const struct host_object *o)
{
	if (strcmp(o->kind, "device") == 0)
		text_addf(t, "device(type='%s')", (const char *)o->data);
	else if (strcmp(o->kind, "memory_format") == 0 || strcmp(o->kind, "layout") == 0)
		text_addf(t, "torch.%s", (const char *)o->data);
	else if (strcmp(o->kind, "type") == 0)
		text_addf(t, "<class 'torch.%s'>", (const char *)o->data);
	else if (strcmp(o->kind, "namespace") == 0)
		text_addf(t, "<module '%s'>", (const char *)o->data);
	else
		text_addf(t, "<%s>", o->kind);
}

void tensor_repr(struct text *t, struct datum obj)
{
	switch (obj.kind) {
	case D_TENSOR: value_repr(t, obj.u.p); break;
	case D_DTYPE: text_addf(t, "torch.%s", dtype_name((enum dtype)obj.u.i)); break;
	case D_HOST: object_repr(t, obj.u.p); break;
	case D_FUNCTION: text_addf(t, "<function %s>", ((const struct function *)obj.u.p)->name); break;
	default: text_addf(t, "<%s>", datum_type_name(obj)); break;
	}
}

/* ---- Names, for suggestions ---- */

const char *tensor_names(struct interp *in, struct datum obj, size_t index)
{
	static const char *const attributes[] = { "shape", "ndim", "dtype", "requires_grad", "device", "T", "mT", "data", "real", "imag" };
	size_t n = sizeof attributes / sizeof *attributes, m = sizeof methods / sizeof *methods;
	(void)in;
	if (obj.kind == D_TENSOR && index < n)
		return attributes[index];
	if (obj.kind == D_TENSOR && index < n + m)
		return methods[index - n].name;
	return namespace_names(obj, obj.kind == D_TENSOR ? index - n - m : index);
}

/* ---- The host ---- */

const struct lang_host tensor_host = {
	.global = tensor_global, .getattr = tensor_getattr, .setattr = tensor_setattr, .call = tensor_call,
	.binary = tensor_binary, .unary = tensor_unary, .getitem = tensor_getitem, .setitem = tensor_setitem,
	.length = tensor_length, .items = tensor_items, .truth = tensor_truth, .isinstance = tensor_isinstance,
	.enter = context_enter, .leave = context_leave, .repr = tensor_repr, .names = tensor_names,
};
