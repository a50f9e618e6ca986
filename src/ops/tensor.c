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
	ok = tensor_method(in, obj, name, out, found, err);
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
	size_t n = sizeof attributes / sizeof *attributes;
	(void)in;
	if (obj.kind == D_TENSOR && index < n)
		return attributes[index];
	size_t m = tensor_method_count();
	if (obj.kind == D_TENSOR && index < n + m)
		return tensor_method_name(index - n);
	return namespace_names(obj, obj.kind == D_TENSOR ? index - n - m : index);
}

/* ---- The host ---- */

const struct lang_host tensor_host = {
	.global = tensor_global, .getattr = tensor_getattr, .setattr = tensor_setattr, .call = tensor_call,
	.binary = tensor_binary, .unary = tensor_unary, .getitem = tensor_getitem, .setitem = tensor_setitem,
	.length = tensor_length, .items = tensor_items, .truth = tensor_truth, .isinstance = tensor_isinstance,
	.enter = context_enter, .leave = context_leave, .repr = tensor_repr, .names = tensor_names,
};
