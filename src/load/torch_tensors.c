/* Calls that rebuild tensors: torch/_utils.py, torch/nn/parameter.py, torch/_tensor.py (Tensor.__setstate__). */
#include <string.h>

#include "load/torch_pickle.h"

static bool is_storage(struct datum d, const struct torch_storage **out)
{
	const struct pickled *p = pickled_of(d);
	*out = p && p->kind == PICKLED_OTHER ? p->data : NULL;
	return *out != NULL;
}

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

/* Strides and requires_grad of a tensor, over nothing yet. */
struct layout {
	int n;
	int64_t size[MAX_DIMS], stride[MAX_DIMS], offset;
	const struct torch_storage *storage;
	enum dtype dtype;
};

/* dtype: what _rebuild_tensor_v3 says, or that of the storage */
static bool read_layout(struct torch_pickle *t, struct datum storage, struct datum offset, struct datum size, struct datum stride,
                        struct datum dtype, struct layout *l)
{
	int m = 0;
	if (!is_storage(storage, &l->storage))
		return fail(t->err, NNS_FORMAT, "a tensor over what is no storage");
	if (!ints_of(size, l->size, &l->n, t->err) || !ints_of(stride, l->stride, &m, t->err))
		return false;
	if (l->n != m || !datum_is_int(offset) || datum_as_int(offset) < 0)
		return fail(t->err, NNS_FORMAT, "a tensor of %d sizes, %d strides", l->n, m);
	l->offset = datum_as_int(offset);
	l->dtype = dtype.kind == D_DTYPE ? (enum dtype)dtype.u.i : l->storage->dtype;
	if (dtype.kind != D_DTYPE && dtype.kind != D_NONE)
		return fail(t->err, NNS_UNSUPPORTED, "a tensor of dtype %s", pickled_of(dtype) && pickled_of(dtype)->name ? pickled_of(dtype)->name : "that is not named");
	return shape_fits(l->n, l->size, l->dtype) || fail(t->err, NNS_FORMAT, "a tensor of more bytes than 63 bits can count");
}

static bool rebuild_tensor(struct torch_pickle *t, struct pickled *call, struct datum dtype, struct datum *out)
{
	struct layout l;
	if (!read_layout(t, torch_argument(call, 0), torch_argument(call, 1), torch_argument(call, 2), torch_argument(call, 3), dtype, &l))
		return false;
	struct value *v = torch_tensor(t, l.storage, l.dtype, l.n, l.size, l.stride, l.offset);
	if (!v)
		return false;
	*out = datum_pointer(D_TENSOR, v);
	return true;
}

static bool set_grad(struct datum d, struct datum grad)
{
	struct value *v = d.u.p;
	v->requires_grad = datum_truth(grad) && dtype_can_require_grad(v->dtype);
	return true;
}

static bool make_tensor(struct torch_pickle *t, struct pickled *call, struct datum *out)
{
	return rebuild_tensor(t, call, datum_none(), out) && set_grad(*out, torch_argument(call, 4));
}

static bool make_tensor_v3(struct torch_pickle *t, struct pickled *call, struct datum *out)
{
	return rebuild_tensor(t, call, torch_argument(call, 6), out) && set_grad(*out, torch_argument(call, 4));
}

/* (storage, offset, size, stride, quantizer, requires_grad, hooks) */
static bool make_qtensor(struct torch_pickle *t, struct pickled *call, struct datum *out)
{
	return rebuild_tensor(t, call, datum_none(), out);
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

/* One whose shape the pickle does not say. */
static bool without_shape(struct torch_pickle *t, enum dtype d, const char *layout, struct datum *out)
{
	struct value *v = value_new(t->arena, d, 0, NULL);
	if (!v)
		return fail_memory(t->err);
	v->ndim = -1;
	v->layout = layout;
	*out = datum_pointer(D_TENSOR, v);
	return true;
}

/* dtype and size at places of the arguments */
static bool make_described(struct torch_pickle *t, struct pickled *call, size_t dtype_at, size_t grad_at, struct datum *out)
{
	struct datum dtype = torch_argument(call, dtype_at);
	struct value *v = NULL;
	if (dtype.kind != D_DTYPE)
		return fail(t->err, NNS_FORMAT, "a tensor without storage has no dtype");
	if (!without_storage(t, (enum dtype)dtype.u.i, torch_argument(call, dtype_at + 1), &v))
		return false;
	*out = datum_pointer(D_TENSOR, v);
	return set_grad(*out, torch_argument(call, grad_at));
}

/* (dtype, size, stride, requires_grad) */
static bool make_meta(struct torch_pickle *t, struct pickled *call, struct datum *out)
{
	return make_described(t, call, 0, 3, out);
}

/* (class, dtype, size, stride, offset, layout, device, requires_grad): what the class keeps is its state, and its own matter. */
static bool make_wrapper(struct torch_pickle *t, struct pickled *call, struct datum *out)
{
	return make_described(t, call, 1, 7, out);
}

/* (layout, (indices, values, size, ...)), of the compressed layouts (layout, (indices, indices, values, size)) */
static bool make_sparse(struct torch_pickle *t, struct pickled *call, struct datum *out)
{
	struct datum layout = torch_argument(call, 0), data = torch_argument(call, 1);
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

/* (buffer, sizes, strides, offsets): how many tensors of which sizes stands in the bytes of `sizes`. */
static bool make_nested(struct torch_pickle *t, struct pickled *call, struct datum *out)
{
	struct datum buffer = torch_argument(call, 0);
	if (buffer.kind != D_TENSOR)
		return fail(t->err, NNS_FORMAT, "a nested tensor without a buffer");
	return without_shape(t, ((const struct value *)buffer.u.p)->dtype, "nested", out);
}

/* _rebuild_njt({"values": ..., "offsets": ..., ...}), torch/nested/_internal/nested_tensor.py: the ragged size has no number. */
static bool make_jagged(struct torch_pickle *t, struct pickled *call, struct datum *out)
{
	struct datum inner = torch_argument(call, 0);
	const struct datum *values = inner.kind == D_DICT ? dict_get(inner.u.dict, datum_str("values")) : NULL;
	if (!values || values->kind != D_TENSOR)
		return true;
	return without_shape(t, ((const struct value *)values->u.p)->dtype, "jagged", out);
}

static bool make_parameter(struct torch_pickle *t, struct pickled *call, struct datum *out)
{
	struct datum data = torch_argument(call, 0);
	(void)t;
	if (data.kind != D_TENSOR)
		return true;
	struct value *v = data.u.p;
	v->is_parameter = true;
	*out = data;
	return set_grad(data, torch_argument(call, 1));
}

/* Parameter(data) of PyTorch before 0.4, whose state says requires_grad (BUILD, below). */
static bool make_variable(struct torch_pickle *t, struct pickled *call, struct datum *out)
{
	struct datum data = torch_argument(call, 0), grad = torch_argument(call, 1);
	(void)t;
	if (data.kind != D_TENSOR)
		return true;
	((struct value *)data.u.p)->is_parameter = strstr(call->name, "Parameter") != NULL;
	*out = data;
	return set_grad(data, grad.kind == D_NONE ? datum_bool(strstr(call->name, "Parameter") != NULL) : grad);
}

/* UninitializedParameter(requires_grad): lazy modules that have not seen an input. */
static bool make_uninitialised(struct torch_pickle *t, struct pickled *call, struct datum *out)
{
	if (!without_shape(t, DT_FLOAT32, NULL, out))
		return false;
	((struct value *)out->u.p)->is_parameter = strstr(call->name, "Parameter") != NULL;
	return set_grad(*out, torch_argument(call, 0));
}

/* FloatTensor() of PyTorch before 0.2, whose state is (storage, offset, size, stride). */
static bool make_typed(struct torch_pickle *t, struct pickled *call, struct datum *out)
{
	enum dtype d = torch_storage_dtype(call->name);
	return (datum_is_seq(call->args) && call->args.u.seq->n > 0) || without_shape(t, d == DT_NONE ? DT_FLOAT32 : d, NULL, out);
}

/* ---- State ---- */

static bool set_layout(struct torch_pickle *t, struct value *v, const struct datum *state)
{
	struct layout l;
	if (!read_layout(t, state[0], state[1], state[2], state[3], datum_none(), &l))
		return false;
	struct value *full = torch_tensor(t, l.storage, l.dtype, l.n, l.size, l.stride, l.offset);
	if (!full)
		return false;
	*v = *full;
	t->pending[t->n_pending - 1].value = v;
	return true;
}

bool torch_set_state(struct torch_pickle *t, struct value *v, struct datum state)
{
	const struct seq *s = datum_is_seq(state) ? state.u.seq : NULL;
	const struct torch_storage *storage;
	if (v->layout && strcmp(v->layout, "ndarray") == 0)
		return numpy_set_state(t, v, state);
	if (s && s->n == 4 && is_storage(s->items[0], &storage))
		return set_layout(t, v, s->items);
	if (s && s->n == 3 && s->items[0].kind == D_BOOL)        /* requires_grad, volatile, hooks */
		return set_grad(datum_pointer(D_TENSOR, v), s->items[0]);
	if (s && s->n == 5 && s->items[0].kind == D_TENSOR) {    /* data, gradient, hooks, requires_grad, volatile */
		bool parameter = v->is_parameter;
		*v = *(struct value *)s->items[0].u.p;
		v->is_parameter = parameter;
		for (size_t i = t->n_pending; i-- > 0; )
			if (t->pending[i].value == s->items[0].u.p) {
				t->pending[i].value = v;
				break;
			}
		return set_grad(datum_pointer(D_TENSOR, v), s->items[3]);
	}
	return true;             /* attributes of a tensor's own */
}

const struct torch_maker torch_tensor_makers[] = {
	{ "torch._utils._rebuild_tensor_v2", make_tensor },
	{ "torch._utils._rebuild_tensor", make_tensor },
	{ "torch._utils._rebuild_tensor_v3", make_tensor_v3 },
	{ "torch._utils._rebuild_parameter", make_parameter },
	{ "torch._utils._rebuild_parameter_with_state", make_parameter },
	{ "torch._utils._rebuild_qtensor", make_qtensor },
	{ "torch._utils._rebuild_sparse_tensor", make_sparse },
	{ "torch._utils._rebuild_sparse_csr_tensor", make_sparse },  /* 1.9 to 1.12 */
	{ "torch._utils._rebuild_meta_tensor_no_storage", make_meta },
	{ "torch._utils._rebuild_wrapper_subclass", make_wrapper },
	{ "torch._utils._rebuild_nested_tensor", make_nested },
	{ "torch.nested._internal.nested_tensor._rebuild_njt", make_jagged },
	{ "torch.nn.parameter.Parameter", make_variable },
	{ "torch.nn.parameter.Buffer", make_variable },
	{ "torch.autograd.variable.Variable", make_variable },
	{ "torch.nn.parameter.UninitializedParameter", make_uninitialised },
	{ "torch.nn.parameter.UninitializedBuffer", make_uninitialised },
	{ "torch.Tensor", make_typed }, { "torch.FloatTensor", make_typed }, { "torch.DoubleTensor", make_typed }, { "torch.HalfTensor", make_typed },
	{ "torch.LongTensor", make_typed }, { "torch.IntTensor", make_typed }, { "torch.ShortTensor", make_typed }, { "torch.CharTensor", make_typed },
	{ "torch.ByteTensor", make_typed }, { "torch.BoolTensor", make_typed }, { "torch.BFloat16Tensor", make_typed },
	{ "torch.cuda.FloatTensor", make_typed }, { "torch.cuda.DoubleTensor", make_typed }, { "torch.cuda.HalfTensor", make_typed },
	{ "torch.cuda.LongTensor", make_typed }, { "torch.cuda.IntTensor", make_typed }, { "torch.cuda.ByteTensor", make_typed },
	{ NULL, NULL }
};
