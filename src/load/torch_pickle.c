/* torch/_utils.py (the _rebuild functions), torch/serialization.py (persistent ids). */
#include "load/torch_pickle.h"

#include <string.h>

static bool is_storage(struct datum d, const struct torch_storage **out)
{
	const struct pickled *p = pickled_of(d);
	*out = p && p->kind == PICKLED_OTHER ? p->data : NULL;
	return *out != NULL;
}

static struct datum arg(const struct pickled *call, size_t i)
{
	return datum_is_seq(call->args) && i < call->args.u.seq->n ? call->args.u.seq->items[i] : datum_none();
}

/* ---- Storages ---- */

static enum dtype storage_dtype(const char *name)
{
	static const struct { const char *name; enum dtype dtype; } rows[] = {
		{ "torch.FloatStorage", DT_FLOAT32 }, { "torch.DoubleStorage", DT_FLOAT64 }, { "torch.HalfStorage", DT_FLOAT16 },
		{ "torch.BFloat16Storage", DT_BFLOAT16 }, { "torch.LongStorage", DT_INT64 }, { "torch.IntStorage", DT_INT32 },
		{ "torch.ShortStorage", DT_INT16 }, { "torch.CharStorage", DT_INT8 }, { "torch.ByteStorage", DT_UINT8 }, { "torch.BoolStorage", DT_BOOL },
		{ "torch.ComplexFloatStorage", DT_COMPLEX64 }, { "torch.ComplexDoubleStorage", DT_COMPLEX128 },
		{ "torch.QInt8Storage", DT_QINT8 }, { "torch.QUInt8Storage", DT_QUINT8 }, { "torch.QInt32Storage", DT_QINT32 },
		{ "torch.UntypedStorage", DT_UINT8 }, { "torch.storage.UntypedStorage", DT_UINT8 },
		{ "torch.cuda.FloatStorage", DT_FLOAT32 }, { "torch.cuda.HalfStorage", DT_FLOAT16 }, { "torch.cuda.LongStorage", DT_INT64 } };
	for (size_t i = 0; name && i < sizeof rows / sizeof *rows; i++)
		if (strcmp(rows[i].name, name) == 0)
			return rows[i].dtype;
	return DT_NONE;
}

static struct torch_storage *storage_of(struct torch_pickle *t, const char *key, enum dtype dtype, int64_t numel)
{
	struct torch_storage *s = map_get(&t->storages, key);
	if (s)
		return s;
	s = arena_alloc(t->arena, sizeof *s);
	char *copy = arena_strdup(t->arena, key);
	if (!s || !copy || !map_put(&t->storages, t->arena, copy, s))
		return fail_memory(t->err), NULL;
	*s = (struct torch_storage){ .key = copy, .dtype = dtype, .numel = numel };
	return s;
}

/* ('storage', class, key, location, numel[, view]) */
static bool load_persistent(void *maker, struct pickled *id, struct datum *out, nns_error *err)
{
	struct torch_pickle *t = maker;
	struct datum what = arg(id, 0), key = arg(id, 2), numel = arg(id, 4);
	const struct pickled *class = pickled_of(arg(id, 1));
	struct text number;
	(void)out;
	if (what.kind != D_STR || strcmp(what.u.s, "storage") != 0)
		return true;
	enum dtype d = class ? storage_dtype(class->name) : DT_NONE;
	if (d == DT_NONE)
		return fail(err, NNS_UNSUPPORTED, "a storage of class %s", class && class->name ? class->name : "that is not named");
	text_init(&number);
	if (key.kind == D_INT)
		text_addf(&number, "%lld", (long long)key.u.i);
	else if (key.kind == D_STR)
		text_add(&number, key.u.s);
	bool ok = number.data && datum_is_int(numel) && datum_as_int(numel) >= 0;
	struct torch_storage *s = ok ? storage_of(t, number.data, d, datum_as_int(numel)) : NULL;
	text_release(&number);
	if (!ok)
		return fail(err, NNS_FORMAT, "a storage without a key, or without a number of elements");
	id->kind = PICKLED_OTHER;
	id->data = s;
	return s != NULL;
}

/* ---- Tensors ---- */

static bool ints_of(struct datum d, int64_t *out, int *n, nns_error *err)
{
	*n = 0;
	if (!datum_is_seq(d) || d.u.seq->n > MAX_DIMS)
		return fail(err, NNS_FORMAT, "the sizes of a tensor are no tuple");
	for (; (size_t)*n < d.u.seq->n; ++*n) {
		struct datum item = d.u.seq->items[*n];
		if (!datum_is_int(item) || datum_as_int(item) < 0)
			return fail(err, NNS_FORMAT, "a size or stride of a tensor is no positive number");
		out[*n] = datum_as_int(item);
	}
	return true;
}

/* dtype: what _rebuild_tensor_v3 says, or that of the storage */
static bool rebuild_tensor(struct torch_pickle *t, struct pickled *call, struct datum dtype, struct datum *out)
{
	const struct torch_storage *s;
	int64_t size[MAX_DIMS], stride[MAX_DIMS];
	int n = 0, m = 0;
	struct datum offset = arg(call, 1);
	if (!is_storage(arg(call, 0), &s))
		return fail(t->err, NNS_FORMAT, "a tensor over what is no storage");
	if (!ints_of(arg(call, 2), size, &n, t->err) || !ints_of(arg(call, 3), stride, &m, t->err))
		return false;
	if (n != m || !datum_is_int(offset) || datum_as_int(offset) < 0)
		return fail(t->err, NNS_FORMAT, "a tensor of %d sizes, %d strides", n, m);
	enum dtype d = dtype.kind == D_DTYPE ? (enum dtype)dtype.u.i : s->dtype;
	if (!shape_fits(n, size, d))
		return fail(t->err, NNS_FORMAT, "a tensor of more bytes than 63 bits can count");
	struct value *v = value_new(t->arena, d, n, size);
	struct pending *grown = v ? arena_grow(t->arena, t->pending, t->n_pending, &t->cap_pending, sizeof *grown) : NULL;
	if (!grown)
		return fail_memory(t->err);
	if (n)
		memcpy(v->stride, stride, (size_t)n * sizeof *stride);
	v->offset = datum_as_int(offset);
	v->requires_grad = datum_truth(arg(call, 4)) && dtype_can_require_grad(d);
	t->pending = grown;
	grown[t->n_pending++] = (struct pending){ v, s };
	*out = datum_pointer(D_TENSOR, v);
	return true;
}

static bool make_tensor(struct torch_pickle *t, struct pickled *call, struct datum *out)
{
	return rebuild_tensor(t, call, datum_none(), out);
}

static bool make_tensor_v3(struct torch_pickle *t, struct pickled *call, struct datum *out)
{
	return rebuild_tensor(t, call, arg(call, 6), out);
}

/* A tensor whose bytes lie nowhere: of the meta device, or one that has another layout. */
static bool without_storage(struct torch_pickle *t, enum dtype d, struct datum sizes, struct value **v)
{
	int64_t size[MAX_DIMS];
	int n = 0;
	if (!ints_of(sizes, size, &n, t->err))
		return false;
	if (!shape_fits(n, size, d))
		return fail(t->err, NNS_FORMAT, "a tensor of more bytes than 63 bits can count");
	*v = value_new(t->arena, d, n, size);
	return *v || fail_memory(t->err);
}

/* (dtype, size, stride, requires_grad) */
static bool make_meta(struct torch_pickle *t, struct pickled *call, struct datum *out)
{
	struct datum dtype = arg(call, 0);
	struct value *v = NULL;
	if (dtype.kind != D_DTYPE)
		return fail(t->err, NNS_FORMAT, "a tensor without storage has no dtype");
	if (!without_storage(t, (enum dtype)dtype.u.i, arg(call, 1), &v))
		return false;
	*out = datum_pointer(D_TENSOR, v);
	return true;
}

/* (layout, (indices, values, size, ...)), of the compressed layouts (layout, (indices, indices, values, size)) */
static bool make_sparse(struct torch_pickle *t, struct pickled *call, struct datum *out)
{
	struct datum layout = arg(call, 0), data = arg(call, 1);
	const struct pickled *name = pickled_of(layout);
	const char *full = layout.kind == D_STR ? layout.u.s : name && name->name ? name->name : "";
	const char *bare = strncmp(full, "torch.", 6) == 0 ? full + 6 : full;
	size_t at = strcmp(bare, "sparse_coo") == 0 ? 1 : 2;
	struct value *v = NULL;
	if (strncmp(bare, "sparse_", 7) != 0 || !datum_is_seq(data) || data.u.seq->n <= at + 1 || data.u.seq->items[at].kind != D_TENSOR)
		return fail(t->err, NNS_FORMAT, "a sparse tensor without layout or values");
	const struct value *values = data.u.seq->items[at].u.p;
	if (!without_storage(t, values->dtype, data.u.seq->items[at + 1], &v))
		return false;
	v->layout = bare;
	*out = datum_pointer(D_TENSOR, v);
	return true;
}

static bool make_parameter(struct torch_pickle *t, struct pickled *call, struct datum *out)
{
	struct datum data = arg(call, 0);
	(void)t;
	if (data.kind != D_TENSOR)
		return true;
	struct value *v = data.u.p;
	v->is_parameter = true;
	v->requires_grad = datum_truth(arg(call, 1)) && dtype_can_require_grad(v->dtype);
	*out = data;
	return true;
}

/* ---- Other known calls ---- */

static bool make_dict(struct torch_pickle *t, struct pickled *call, struct datum *out)
{
	struct datum items = arg(call, 0);
	if (!datum_dict(t->arena, out))
		return fail_memory(t->err);
	for (size_t i = 0; datum_is_seq(items) && i < items.u.seq->n; i++) {
		struct datum pair = items.u.seq->items[i];
		if (datum_is_seq(pair) && pair.u.seq->n == 2 && !dict_append(t->arena, out->u.dict, pair.u.seq->items[0], pair.u.seq->items[1]))
			return fail_memory(t->err);
	}
	return true;
}

static bool make_first(struct torch_pickle *t, struct pickled *call, struct datum *out)
{
	(void)t;
	*out = arg(call, 0);
	return true;
}

/* _rebuild_from_type_v2(function, type, args, state): what the function would make. */
static bool make(void *maker, struct pickled *call, struct datum *out, nns_error *err);
static bool make_from_type(struct torch_pickle *t, struct pickled *call, struct datum *out)
{
	struct pickled inner = *call;
	const struct pickled *function = pickled_of(arg(call, 0));
	if (!function || function->kind != PICKLED_GLOBAL)
		return true;
	inner.name = function->name;
	inner.args = arg(call, 2);
	return strstr(function->name, "_rebuild_from_type") != NULL || make(t, &inner, out, t->err);
}

static const struct maker {
	const char *name;
	bool (*make)(struct torch_pickle *t, struct pickled *call, struct datum *out);
} makers[] = {
	{ "torch._utils._rebuild_tensor", make_tensor },
	{ "torch._utils._rebuild_tensor_v2", make_tensor },
	{ "torch._utils._rebuild_tensor_v3", make_tensor_v3 },
	{ "torch._utils._rebuild_parameter", make_parameter },
	{ "torch._utils._rebuild_parameter_with_state", make_parameter },
	{ "torch._tensor._rebuild_from_type_v2", make_from_type },
	{ "torch._utils._rebuild_qtensor", make_tensor },
	{ "torch._utils._rebuild_sparse_tensor", make_sparse },
	{ "torch._utils._rebuild_meta_tensor_no_storage", make_meta },
	{ "torch._utils._rebuild_device_tensor_from_cpu_tensor", make_first },
	{ "torch.serialization._get_layout", make_first },
	{ "torch.Size", make_first },
	{ "torch.jit._pickle.build_intlist", make_first },
	{ "torch.jit._pickle.build_doublelist", make_first },
	{ "torch.jit._pickle.build_boollist", make_first },
	{ "torch.jit._pickle.build_tensorlist", make_first },
	{ "torch.jit._pickle.restore_type_tag", make_first },
	{ "collections.OrderedDict", make_dict },
	{ "collections.defaultdict", make_dict },
	{ "collections.Counter", make_dict },
};

static bool make(void *maker, struct pickled *call, struct datum *out, nns_error *err)
{
	(void)err;
	for (size_t i = 0; call->name && i < sizeof makers / sizeof *makers; i++)
		if (strcmp(makers[i].name, call->name) == 0)
			return makers[i].make(maker, call, out);
	return true;
}

/* torch.float32 is a global: an argument of _rebuild_tensor_v3, an attribute of modules. */
static void name_dtypes(struct datum *d)
{
	const struct pickled *p = pickled_of(*d);
	if (p && p->kind == PICKLED_GLOBAL && strncmp(p->name, "torch.", 6) == 0 && dtype_from_name(p->name + 6) != DT_NONE)
		*d = (struct datum){ .kind = D_DTYPE, .u.i = dtype_from_name(p->name + 6) };
}

static bool make_named(void *maker, struct pickled *call, struct datum *out, nns_error *err)
{
	for (size_t i = 0; datum_is_seq(call->args) && i < call->args.u.seq->n; i++)
		name_dtypes(&call->args.u.seq->items[i]);
	return make(maker, call, out, err);
}

/* ---- Reading ---- */

bool torch_pickle_read(struct torch_pickle *t, const unsigned char *data, size_t len, struct datum *out, size_t *used)
{
	struct pickle_options o = { .make = make_named, .load_persistent = load_persistent, .maker = t };
	return pickle_read(t->arena, data, len, &o, out, used, t->err);
}

/* Elements from the first to the last. */
static bool reaches(const struct value *v, uint64_t *end)
{
	int64_t last = v->offset, step;
	*end = 0;
	if (value_numel(v) == 0)
		return true;
	for (int i = 0; i < v->ndim; i++)
		if (__builtin_mul_overflow(v->size[i] - 1, v->stride[i], &step) || __builtin_add_overflow(last, step, &last))
			return false;
	*end = (uint64_t)last + 1;
	return true;
}

bool torch_pickle_finish(struct torch_pickle *t)
{
	for (size_t i = 0; i < t->n_pending; i++) {
		struct value *v = t->pending[i].value;
		const struct torch_storage *s = t->pending[i].storage;
		uint64_t end, room = s->bytes ? s->n_bytes : (uint64_t)s->numel * dtype_size(s->dtype);
		if (!reaches(v, &end) || end > room / dtype_size(v->dtype))
			return fail(t->err, NNS_FORMAT, "a tensor reaches beyond its storage '%s' of %llu bytes", s->key, (unsigned long long)room);
		v->storage = s->bytes;
		v->storage_bytes = s->n_bytes;
	}
	return true;
}
