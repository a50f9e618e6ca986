/* Methods of tensors that answer without recording an operator: sizes, types, memory formats, and what does nothing here. */
#include <string.h>

#include "ops/namespace.h"
#include "ops/shapes.h"
#include "ops/tensor.h"

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

bool tensor_method(struct interp *in, struct datum self, const char *name, struct datum *out, bool *found, nns_error *err)
{
	for (size_t i = 0; i < sizeof methods / sizeof *methods; i++) {
		if (strcmp(name, methods[i].name) != 0)
			continue;
		return *found = lang_function(in->arena, (struct function){ .name = methods[i].name, .call = methods[i].call, .self = self }, out, err);
	}
	return true;
}

size_t tensor_method_count(void)
{
	return sizeof methods / sizeof *methods;
}

const char *tensor_method_name(size_t i)
{
	return methods[i].name;
}
