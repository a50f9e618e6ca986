/* torch/_utils.py, torch/_weights_only_unpickler.py, torch/serialization.py (persistent ids). */
#include "load/torch_pickle.h"

#include <string.h>

#include "base/reader.h"

static bool torch_make(struct torch_pickle *t, struct pickled *call, const char *name, struct datum args, struct datum *out);

/* torch.float32 is a global: an argument of _rebuild_tensor_v3, of tensors without a storage. */
struct datum torch_argument(const struct pickled *call, size_t i)
{
	struct datum d = datum_is_seq(call->args) && i < call->args.u.seq->n ? call->args.u.seq->items[i] : datum_none();
	const struct pickled *p = pickled_of(d);
	enum dtype dtype = p && p->kind == PICKLED_GLOBAL && strncmp(p->name, "torch.", 6) == 0 ? dtype_from_name(p->name + 6) : DT_NONE;
	return dtype == DT_NONE ? d : (struct datum){ .kind = D_DTYPE, .u.i = dtype };
}

bool torch_spend(struct torch_pickle *t, uint64_t n)
{
	if (n > t->room)
		return fail(t->err, NNS_LIMIT, "its calls copy many times what the pickle holds");
	t->room -= n;
	return true;
}

/* ---- Storages ---- */

enum dtype torch_storage_dtype(const char *class_name)
{
	static const struct { const char *name; enum dtype dtype; } rows[] = {
		{ "Float", DT_FLOAT32 }, { "Double", DT_FLOAT64 }, { "Half", DT_FLOAT16 }, { "BFloat16", DT_BFLOAT16 }, { "Long", DT_INT64 },
		{ "Int", DT_INT32 }, { "Short", DT_INT16 }, { "Char", DT_INT8 }, { "Byte", DT_UINT8 }, { "Bool", DT_BOOL }, { "ComplexFloat", DT_COMPLEX64 },
		{ "ComplexDouble", DT_COMPLEX128 }, { "QInt8", DT_QINT8 }, { "QUInt8", DT_QUINT8 }, { "QInt32", DT_QINT32 }, { "QUInt4x2", DT_QUINT4X2 },
		{ "QUInt2x4", DT_QUINT2X4 }, { "Untyped", DT_UINT8 } };
	const char *dot = class_name && strncmp(class_name, "torch.", 6) == 0 ? strrchr(class_name, '.') : NULL, *name = dot ? dot + 1 : "";
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		size_t n = strlen(rows[i].name);
		if (strncmp(name, rows[i].name, n) == 0 && (strcmp(name + n, "Storage") == 0 || strcmp(name + n, "Tensor") == 0))
			return rows[i].dtype;
	}
	return DT_NONE;
}

struct torch_storage *torch_storage_of(struct torch_pickle *t, const char *key, enum dtype dtype, int64_t numel)
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

const char *torch_key(struct torch_pickle *t, struct datum key)
{
	return key.kind == D_STR ? key.u.s : key.kind == D_INT ? arena_printf(t->arena, "%lld", (long long)key.u.i) : NULL;
}

bool torch_raw_storage(struct torch_pickle *t, const unsigned char *data, size_t len, size_t *at, struct torch_storage *s)
{
	struct reader r = { data, len, *at, false };
	uint64_t n = reader_number(&r, 8);
	size_t size = dtype_size(s->dtype);
	if (n > reader_left(&r) / size || !(s->bytes = reader_bytes(&r, n * size)))
		return fail(t->err, NNS_FORMAT, "byte %zu: storage '%s' of %llu elements reaches beyond the end of the file", *at, s->key, (unsigned long long)n);
	s->n_bytes = (size_t)n * size;
	*at = r.at;
	return true;
}

/* (key, offset, number of elements): a part of the root, as PyTorch before 0.4 saved storages that shared memory. */
static struct torch_storage *view_of(struct torch_pickle *t, const struct torch_storage *root, struct datum view)
{
	const struct seq *v = datum_is_seq(view) && view.u.seq->n == 3 ? view.u.seq : NULL;
	const char *key = v ? torch_key(t, v->items[0]) : NULL;
	int64_t offset = v && datum_is_int(v->items[1]) ? datum_as_int(v->items[1]) : -1, n = v && datum_is_int(v->items[2]) ? datum_as_int(v->items[2]) : -1;
	if (!key || offset < 0 || n < 0 || offset > root->numel || n > root->numel - offset)
		return fail(t->err, NNS_FORMAT, "a view of storage '%s' that does not lie in it", root->key), NULL;
	char *name = arena_printf(t->arena, "view %s", key);     /* views and roots may have the same keys */
	struct torch_storage *s = name ? torch_storage_of(t, name, root->dtype, n) : (fail_memory(t->err), NULL);
	if (s) {
		s->root = root;
		s->offset = offset;
	}
	return s;
}

static bool load_storage(struct torch_pickle *t, struct pickled *id, nns_error *err)
{
	struct datum numel = torch_argument(id, 4), view = torch_argument(id, 5);
	const struct pickled *class = pickled_of(torch_argument(id, 1));
	enum dtype d = class ? torch_storage_dtype(class->name) : DT_NONE;
	if (d == DT_NONE)
		return fail(err, NNS_UNSUPPORTED, "a storage of class %s", class && class->name ? class->name : "that is not named");
	const char *key = torch_key(t, torch_argument(id, 2));
	if (!key || !datum_is_int(numel) || datum_as_int(numel) < 0 || datum_as_int(numel) > INT64_MAX / 16)
		return fail(err, NNS_FORMAT, "a storage without a key, or without a number of elements");
	struct torch_storage *s = torch_storage_of(t, key, d, datum_as_int(numel));
	if (s && view.kind != D_NONE)
		s = view_of(t, s, view);
	id->kind = PICKLED_OTHER;
	id->data = s;
	return s != NULL;
}

/* ('storage', class, key, location, numel[, view]), ('module', class, file, source) */
static bool load_persistent(void *maker, struct pickled *id, struct datum *out, nns_error *err)
{
	struct torch_pickle *t = maker;
	struct datum what = torch_argument(id, 0);
	if (t->persistent)
		return t->persistent(t, id->args, out);
	if (what.kind == D_STR && strcmp(what.u.s, "storage") == 0)
		return load_storage(t, id, err);
	if (what.kind == D_STR && strcmp(what.u.s, "module") == 0 && torch_argument(id, 1).kind == D_HOST)
		*out = torch_argument(id, 1);
	return true;
}

struct value *torch_tensor(struct torch_pickle *t, const struct torch_storage *s, enum dtype dtype, int ndim, const int64_t *size,
                           const int64_t *stride, int64_t offset)
{
	struct value *v = value_new(t->arena, dtype, ndim, size);
	struct pending *grown = v ? arena_grow(t->arena, t->pending, t->n_pending, &t->cap_pending, sizeof *grown) : NULL;
	if (!grown)
		return fail_memory(t->err), NULL;
	if (ndim)
		memcpy(v->stride, stride, (size_t)ndim * sizeof *stride);
	v->offset = offset;
	t->pending = grown;
	grown[t->n_pending++] = (struct pending){ v, s };
	return v;
}

/* ---- Calls ---- */

static bool make_dict(struct torch_pickle *t, struct pickled *call, struct datum *out)
{
	struct datum items = torch_argument(call, 0);
	if (items.kind == D_DICT)        /* Counter({...}) */
		return *out = items, true;
	if (datum_is_seq(items) && !torch_spend(t, items.u.seq->n))
		return false;
	if (!datum_dict(t->arena, out))
		return fail_memory(t->err);
	for (size_t i = 0; datum_is_seq(items) && i < items.u.seq->n; i++) {
		struct datum pair = items.u.seq->items[i];
		if (datum_is_seq(pair) && pair.u.seq->n == 2 && !dict_set(t->arena, out->u.dict, pair.u.seq->items[0], pair.u.seq->items[1]))
			return fail_memory(t->err);
	}
	return true;
}

static bool make_first(struct torch_pickle *t, struct pickled *call, struct datum *out)
{
	(void)t;
	*out = torch_argument(call, 0);
	return true;
}

/* encode('text', 'latin1'): how protocol 2 writes bytes.  The text is UTF-8 of the code points 0 to 255. */
static bool make_bytes(struct torch_pickle *t, struct pickled *call, struct datum *out)
{
	struct datum text = torch_argument(call, 0), how = torch_argument(call, 1);
	const struct pickled *held = pickled_of(text);
	const unsigned char *from = held && held->kind == PICKLED_TEXT ? held->bytes : text.kind == D_STR ? (const unsigned char *)text.u.s : NULL;
	size_t n = held ? held->n_bytes : from ? strlen(text.u.s) : 0, to = 0;
	if (!from || how.kind != D_STR || (strcmp(how.u.s, "latin1") != 0 && strcmp(how.u.s, "latin-1") != 0))
		return true;
	if (!torch_spend(t, n))
		return false;
	unsigned char *bytes = arena_alloc(t->arena, n + 1);
	if (!bytes)
		return fail_memory(t->err);
	for (size_t i = 0; i < n; to++) {
		bool two = (from[i] == 0xc2 || from[i] == 0xc3) && i + 1 < n;
		bytes[to] = two ? (unsigned char)(from[i] << 6 | (from[i + 1] & 0x3f)) : from[i];
		i += two ? 2 : 1;
	}
	call->kind = PICKLED_BYTES;
	call->bytes = bytes;
	call->n_bytes = to;
	(void)out;
	return true;
}

/* copyreg.__newobj__(class, ...) is what NEWOBJ does. */
static bool make_new_object(struct torch_pickle *t, struct pickled *call, struct datum *out)
{
	const struct pickled *class = pickled_of(torch_argument(call, 0));
	struct datum rest;
	if (!class || class->kind != PICKLED_GLOBAL)
		return true;
	if (!torch_spend(t, call->args.u.seq->n))
		return false;
	if (!datum_seq(t->arena, D_TUPLE, 0, &rest))
		return fail_memory(t->err);
	for (size_t i = 1; i < call->args.u.seq->n; i++)
		if (!seq_push(t->arena, rest.u.seq, call->args.u.seq->items[i]))
			return fail_memory(t->err);
	return torch_make(t, call, class->name, rest, out);
}

/* _rebuild_from_type_v2(function, type, args, state): what the function would make. */
static bool make_from_type(struct torch_pickle *t, struct pickled *call, struct datum *out)
{
	const struct pickled *function = pickled_of(torch_argument(call, 0));
	if (!function || function->kind != PICKLED_GLOBAL)
		return true;
	return torch_make(t, call, function->name, torch_argument(call, 2), out);
}

/* getattr(Net, 'Block'): how protocols below 4 name a class within a class (Lib/pickle.py: save_global). */
static bool make_nested_name(struct torch_pickle *t, struct pickled *call, struct datum *out)
{
	const struct pickled *outer = pickled_of(torch_argument(call, 0));
	struct datum inner = torch_argument(call, 1);
	(void)out;
	if (!outer || outer->kind != PICKLED_GLOBAL || inner.kind != D_STR)
		return true;
	if (!torch_spend(t, strlen(outer->name) + strlen(inner.u.s)))
		return false;
	const char *name = arena_printf(t->arena, "%s.%s", outer->name, inner.u.s);
	if (!name)
		return fail_memory(t->err);
	call->kind = PICKLED_GLOBAL;
	call->name = name;
	call->attribute = name + strlen(name) - strlen(inner.u.s);
	return true;
}

static const struct torch_maker makers[] = {
	{ "torch._tensor._rebuild_from_type_v2", make_from_type },
	{ "torch.tensor._rebuild_from_type_v2", make_from_type },    /* before 1.9 */
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
	{ "_codecs.encode", make_bytes },
	{ "__builtin__.getattr", make_nested_name },
	{ "builtins.getattr", make_nested_name },
	{ "copyreg.__newobj__", make_new_object },
	{ "copy_reg.__newobj__", make_new_object },
	{ NULL, NULL }
};

static const struct torch_maker *find_maker(const char *name)
{
	static const struct torch_maker *const tables[] = { makers, torch_tensor_makers, numpy_makers };
	for (size_t k = 0; name && k < sizeof tables / sizeof *tables; k++)
		for (const struct torch_maker *row = tables[k]; row->name; row++)
			if (strcmp(row->name, name) == 0)
				return row;
	return NULL;
}

/* The maker's work as if the name and arguments were others. */
static bool torch_make(struct torch_pickle *t, struct pickled *call, const char *name, struct datum args, struct datum *out)
{
	struct pickled inner = *call;
	const struct torch_maker *row = find_maker(name);
	bool calls = row && (row->make == make_new_object || row->make == make_from_type);     /* what calls another once more: a file could nest it at will */
	inner.name = name;
	inner.args = args;
	return !row || calls || row->make(t, &inner, out);
}

static bool make(void *maker, struct pickled *call, struct datum *out, nns_error *err)
{
	const struct torch_maker *row = find_maker(call->name);
	(void)err;
	return !row || row->make(maker, call, out);
}

static bool build(void *maker, struct datum object, struct datum state, nns_error *err)
{
	(void)err;
	return object.kind != D_TENSOR || torch_set_state(maker, object.u.p, state);
}

/* ---- Reading ---- */

bool torch_pickle_read(struct torch_pickle *t, const unsigned char *data, size_t len, struct datum *out, size_t *used)
{
	enum { COPIES = 4 };     /* of a byte: text becomes bytes, and these another order of bytes */
	t->room += COPIES * (uint64_t)len;
	struct pickle_options o = { .make = make, .load_persistent = load_persistent, .build = build, .maker = t };
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

/* Elements of a byte, for those that are smaller than one. */
static uint64_t packed(enum dtype d)
{
	return d == DT_QUINT4X2 ? 2 : d == DT_QUINT2X4 ? 4 : 1;
}

/* The bytes of a storage; of a view the part of its root. */
static bool bytes_of(const struct torch_storage *s, const unsigned char **bytes, uint64_t *n)
{
	const struct torch_storage *root = s->root ? s->root : s;
	uint64_t skip = (uint64_t)s->offset * dtype_size(root->dtype), own = (uint64_t)s->numel * dtype_size(s->dtype);
	*bytes = NULL;
	*n = own;
	if (!root->bytes)
		return true;
	if (skip > root->n_bytes || (s->root && own > root->n_bytes - skip))
		return false;
	*bytes = root->bytes + skip;
	*n = s->root ? own : root->n_bytes;
	return true;
}

bool torch_pickle_finish(struct torch_pickle *t)
{
	for (size_t i = 0; i < t->n_pending; i++) {
		struct value *v = t->pending[i].value;
		const struct torch_storage *s = t->pending[i].storage;
		const unsigned char *bytes;
		uint64_t end, room;
		if (!bytes_of(s, &bytes, &room) || !reaches(v, &end) || end > room / dtype_size(v->dtype) * packed(v->dtype))
			return fail(t->err, NNS_FORMAT, "a tensor reaches beyond its storage '%s' of %llu bytes", s->key,
			            (unsigned long long)(s->bytes ? s->n_bytes : (uint64_t)s->numel * dtype_size(s->dtype)));
		v->storage = bytes;
		v->storage_bytes = bytes ? (size_t)room : 0;
	}
	return true;
}
