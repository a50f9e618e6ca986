/* What the forward language asks about modules and classes; the rest goes to the host of tensors. */
#include <string.h>

#include "nn/runtime.h"
#include "ops/namespace.h"
#include "ops/tensor.h"

/* ---- Parameter and its kin ---- */

static bool parameter_new(struct interp *in, const struct function *self, const struct lang_args *args, struct datum *out, nns_error *err)
{
	(void)self;
	const struct datum *data = arg_at(args, 0, "data"), *grad = arg_at(args, 1, "requires_grad");
	struct value *v = arena_alloc(in->arena, sizeof *v);
	if (!v)
		return fail_memory(err);
	if (!data || data->kind != D_TENSOR)
		return fail(err, NNS_MODEL, "Parameter takes a tensor, not a %s", data ? datum_type_name(*data) : "None");
	*v = *(const struct value *)data->u.p;
	v->producer = NULL;
	v->base = NULL;
	v->version = 0;
	v->constant = NULL;
	v->is_scalar = false;
	v->is_parameter = true;
	v->requires_grad = grad ? datum_truth(*grad) : dtype_can_require_grad(v->dtype);
	*out = datum_pointer(D_TENSOR, v);
	struct runtime *rt = runtime_of(in);
	return rt->recorder.graph != rt->construction || record_made(&rt->recorder, "alias", data->u.p, v, err);
}

static bool uninitialized_new(struct interp *in, const struct function *self, const struct lang_args *args, struct datum *out, nns_error *err)
{
	const struct datum *dtype = arg_at(args, 2, "dtype");
	struct value *v = arena_alloc(in->arena, sizeof *v);
	if (!v)
		return fail_memory(err);
	v->ndim = -1;
	v->dtype = dtype && dtype->kind == D_DTYPE ? (enum dtype)dtype->u.i : DT_FLOAT32;
	v->is_parameter = v->requires_grad = strcmp(self->name, "UninitializedParameter") == 0;
	*out = datum_pointer(D_TENSOR, v);
	return true;
}

/* ---- init, copy, utilities ---- */

/* When construction is not recorded nothing is drawn: the tensor itself. */
static bool init_call(struct interp *in, const struct function *self, const struct lang_args *args, struct datum *out, nns_error *err)
{
	(void)in;
	if (args->n == 0)
		return fail(err, NNS_MODEL, "init.%s takes a tensor", self->name);
	*out = args->items[0];
	return true;
}

static bool calculate_gain(struct interp *in, const struct function *self, const struct lang_args *args, struct datum *out, nns_error *err)
{
	(void)in, (void)self, (void)args, (void)err;
	*out = datum_float(1.0);
	return true;
}

static bool deepcopy(struct interp *in, const struct function *self, const struct lang_args *args, struct datum *out, nns_error *err)
{
	(void)self;
	if (args->n != 1)
		return fail(err, NNS_MODEL, "deepcopy takes one argument");
	*out = args->items[0];
	if (out->kind != D_MODULE)
		return true;
	out->u.p = module_deepcopy(runtime_of(in), out->u.p, err);
	return out->u.p != NULL;
}

/* _pair(3) is (3, 3), _pair((1, 2)) is (1, 2): torch/nn/modules/utils.py. */
static bool ntuple(struct interp *in, const struct function *self, const struct lang_args *args, struct datum *out, nns_error *err)
{
	static const struct { const char *name; size_t n; } sizes[] = { { "_single", 1 }, { "_pair", 2 }, { "_triple", 3 }, { "_quadruple", 4 } };
	size_t n = 0;
	if (args->n != 1)
		return fail(err, NNS_MODEL, "%s takes one argument", self->name);
	for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
		if (strcmp(sizes[i].name, self->name) == 0)
			n = sizes[i].n;
	if (datum_is_seq(args->items[0])) {
		*out = args->items[0];
		out->kind = D_TUPLE;
		return true;
	}
	if (!datum_seq(in->arena, D_TUPLE, n, out))
		return fail_memory(err);
	for (size_t i = 0; i < n; i++)
		if (!seq_push(in->arena, out->u.seq, args->items[0]))
			return fail_memory(err);
	return true;
}

static bool partial_call(struct interp *in, const struct function *self, const struct lang_args *args, struct datum *out, nns_error *err)
{
	const struct lang_args *held = self->data;
	struct lang_args all = { .n = held->n - 1 + args->n, .n_named = held->n_named + args->n_named };
	all.items = arena_array(in->arena, all.n + 1, sizeof *all.items);
	all.names = arena_array(in->arena, all.n_named + 1, sizeof *all.names);
	all.values = arena_array(in->arena, all.n_named + 1, sizeof *all.values);
	if (!all.items || !all.names || !all.values)
		return fail_memory(err);
	for (size_t i = 0; i < all.n; i++)
		all.items[i] = i < held->n - 1 ? held->items[i + 1] : args->items[i - (held->n - 1)];
	size_t k = 0;
	for (size_t i = 0; i < held->n_named; i++)
		if (!arg_at(args, SIZE_MAX, held->names[i])) {
			all.names[k] = held->names[i];
			all.values[k++] = held->values[i];
		}
	for (size_t i = 0; i < args->n_named; i++) {
		all.names[k] = args->names[i];
		all.values[k++] = args->values[i];
	}
	all.n_named = k;
	return lang_call(in, held->items[0], &all, out, err);
}

/* functools.partial(f, ...) */
static bool partial_new(struct interp *in, const struct function *self, const struct lang_args *args, struct datum *out, nns_error *err)
{
	(void)self;
	struct lang_args *held = arena_alloc(in->arena, sizeof *held);
	if (!held)
		return fail_memory(err);
	if (args->n == 0)
		return fail(err, NNS_MODEL, "partial takes what it is to call");
	*held = *args;
	return lang_function(in->arena, (struct function){ .name = "partial", .call = partial_call, .data = held }, out, err);
}

static const struct function functions[] = {
	{ .name = "Parameter", .call = parameter_new }, { .name = "UninitializedParameter", .call = uninitialized_new },
	{ .name = "UninitializedBuffer", .call = uninitialized_new }, { .name = "deepcopy", .call = deepcopy }, { .name = "partial", .call = partial_new },
	{ .name = "_single", .call = ntuple }, { .name = "_pair", .call = ntuple }, { .name = "_triple", .call = ntuple }, { .name = "_quadruple", .call = ntuple },
};

static const struct function init_functions[] = {
	{ .name = "calculate_gain", .call = calculate_gain },
	{ .name = "uniform_", .call = init_call }, { .name = "normal_", .call = init_call }, { .name = "trunc_normal_", .call = init_call },
	{ .name = "constant_", .call = init_call }, { .name = "ones_", .call = init_call }, { .name = "zeros_", .call = init_call },
	{ .name = "eye_", .call = init_call }, { .name = "dirac_", .call = init_call }, { .name = "xavier_uniform_", .call = init_call },
	{ .name = "xavier_normal_", .call = init_call }, { .name = "kaiming_uniform_", .call = init_call }, { .name = "kaiming_normal_", .call = init_call },
	{ .name = "orthogonal_", .call = init_call }, { .name = "sparse_", .call = init_call },
};

static const struct function *function_find(const struct function *all, size_t n, const char *name)
{
	for (size_t i = 0; i < n; i++)
		if (strcmp(all[i].name, name) == 0)
			return &all[i];
	return NULL;
}

/* ---- Names ---- */

static const struct host_object nn_space = { "namespace", "torch.nn" }, init_space = { "namespace", "torch.nn.init" }, copy_space = { "namespace", "copy" };

static bool nn_name(struct interp *in, const char *name, struct datum *out)
{
	const struct function *f = function_find(functions, sizeof functions / sizeof *functions, name);
	const struct nn_class *c;
	if (f)
		return *out = datum_pointer(D_FUNCTION, f), true;
	if ((c = runtime_class(runtime_of(in), name)))
		return *out = datum_pointer(D_CLASS, c), true;
	return false;
}

static bool nn_global(struct interp *in, const char *name, struct datum *out, bool *found, nns_error *err)
{
	struct runtime *rt = runtime_of(in);
	static const struct { const char *name; const struct host_object *object; } spaces[] = {
		{ "nn", &nn_space }, { "init", &init_space }, { "copy", &copy_space }, { "functools", &copy_space } };
	*found = true;
	if (rt->root && module_getattr(in, rt->root, name, out, found, err) && *found)
		return true;
	*found = true;
	for (size_t i = 0; i < sizeof spaces / sizeof *spaces; i++)
		if (strcmp(name, spaces[i].name) == 0)
			return *out = datum_pointer(D_HOST, spaces[i].object), true;
	if (nn_name(in, name, out))
		return true;
	return tensor_global(in, name, out, found, err);
}

static bool space_getattr(struct interp *in, const char *space, const char *name, struct datum *out, bool *found, nns_error *err)
{
	const struct function *f;
	*found = true;
	if (strcmp(space, "torch") == 0 && strcmp(name, "nn") == 0)
		return *out = datum_pointer(D_HOST, &nn_space), true;
	if (strcmp(space, "torch.nn") == 0 && strcmp(name, "init") == 0)
		return *out = datum_pointer(D_HOST, &init_space), true;
	if (strcmp(space, "torch.nn") == 0 && (strcmp(name, "modules") == 0 || strcmp(name, "parameter") == 0 || strcmp(name, "utils") == 0))
		return *out = datum_pointer(D_HOST, &nn_space), true;
	if ((strcmp(space, "torch.nn") == 0 || strcmp(space, "copy") == 0) && nn_name(in, name, out))
		return true;
	if (strcmp(space, "torch.nn.init") == 0 && runtime_of(in)->construction)
		return namespace_getattr(in, "init", name, out, found, err);
	f = strcmp(space, "torch.nn.init") == 0 ? function_find(init_functions, sizeof init_functions / sizeof *init_functions, name) : NULL;
	if (f)
		return *out = datum_pointer(D_FUNCTION, f), true;
	return namespace_getattr(in, space, name, out, found, err);
}

static bool nn_getattr(struct interp *in, struct datum obj, const char *name, struct datum *out, bool *found, nns_error *err)
{
	if (obj.kind == D_MODULE)
		return module_getattr(in, obj.u.p, name, out, found, err);
	if (obj.kind == D_CLASS) {
		*found = strcmp(name, "__name__") == 0;
		*out = datum_str(((const struct nn_class *)obj.u.p)->name);
		return true;
	}
	if (obj.kind == D_HOST && strcmp(host_kind(obj), "namespace") == 0)
		return space_getattr(in, ((const struct host_object *)obj.u.p)->data, name, out, found, err);
	return tensor_getattr(in, obj, name, out, found, err);
}

/* ---- The other questions ---- */

static bool nn_setattr(struct interp *in, struct datum obj, const char *name, struct datum v, nns_error *err)
{
	return obj.kind == D_MODULE ? module_setattr(in, obj.u.p, name, v, err) : tensor_setattr(in, obj, name, v, err);
}

static bool nn_call(struct interp *in, struct datum callee, const struct lang_args *args, struct datum *out, nns_error *err)
{
	if (callee.kind == D_MODULE)
		return module_call(in, callee.u.p, args, out, err);
	if (callee.kind != D_CLASS)
		return tensor_call(in, callee, args, out, err);
	struct module *m = class_construct(runtime_of(in), callee.u.p, args, err);
	*out = datum_pointer(D_MODULE, m);
	return m != NULL;
}

static bool is_container(struct interp *in, const struct module *m)
{
	static const char *const names[] = { "Sequential", "ModuleList", "ModuleDict", "ParameterList", "ParameterDict" };
	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		if (m->class && class_is(runtime_of(in), m->class, names[i]))
			return true;
	return false;
}

static bool nn_items(struct interp *in, struct datum obj, struct datum *out, nns_error *err)
{
	if (obj.kind != D_MODULE)
		return tensor_items(in, obj, out, err);
	if (!is_container(in, obj.u.p))
		return fail(err, NNS_MODEL, "a %s cannot be iterated over", ((struct module *)obj.u.p)->class_name);
	return module_items(in, obj.u.p, out, err);
}

static bool nn_length(struct interp *in, struct datum obj, int64_t *out, nns_error *err)
{
	struct datum items;
	if (obj.kind != D_MODULE)
		return tensor_length(in, obj, out, err);
	if (!nn_items(in, obj, &items, err))
		return false;
	*out = (int64_t)items.u.seq->n;
	return true;
}

static bool nn_truth(struct interp *in, struct datum obj, bool *out, nns_error *err)
{
	int64_t n = 1;
	if (obj.kind != D_MODULE)
		return tensor_truth(in, obj, out, err);
	if (is_container(in, obj.u.p) && !nn_length(in, obj, &n, err))
		return false;
	*out = n > 0;
	return true;
}

static bool nn_getitem(struct interp *in, struct datum obj, struct datum index, struct datum *out, nns_error *err)
{
	if (obj.kind != D_MODULE)
		return tensor_getitem(in, obj, index, out, err);
	if (!is_container(in, obj.u.p))
		return fail(err, NNS_MODEL, "a %s is not subscriptable", ((struct module *)obj.u.p)->class_name);
	return module_getitem(in, obj.u.p, index, out, err);
}

static bool nn_setitem(struct interp *in, struct datum obj, struct datum index, struct datum v, nns_error *err)
{
	struct module *m = obj.u.p;
	if (obj.kind != D_MODULE)
		return tensor_setitem(in, obj, index, v, err);
	if (index.kind == D_STR)
		return module_setattr(in, m, index.u.s, v, err);
	if (!datum_is_int(index) || datum_as_int(index) < 0 || (size_t)datum_as_int(index) >= m->n_children)
		return fail(err, NNS_MODEL, "%s has no such item", m->class_name);
	return module_setattr(in, m, m->children[datum_as_int(index)].name, v, err);
}

static bool nn_contains(struct interp *in, struct datum obj, struct datum item, bool *out, nns_error *err)
{
	struct datum items;
	if (obj.kind == D_MODULE && item.kind == D_STR)
		return *out = module_child(obj.u.p, item.u.s) != NULL || module_parameter(obj.u.p, item.u.s) != NULL, true;
	if (!nn_items(in, obj, &items, err))
		return false;
	*out = false;
	for (size_t i = 0; i < items.u.seq->n; i++)
		*out = *out || datum_equal(items.u.seq->items[i], item);
	return true;
}

static bool nn_isinstance(struct interp *in, struct datum obj, struct datum class, bool *out, nns_error *err)
{
	const struct module *m = obj.kind == D_MODULE ? obj.u.p : NULL;
	const struct value *v = obj.kind == D_TENSOR ? obj.u.p : NULL;
	*out = false;
	if (class.kind == D_CLASS) {
		const char *name = ((const struct nn_class *)class.u.p)->name;
		*out = m && (strcmp(name, "Module") == 0 || (m->class ? class_is(runtime_of(in), m->class, name) : strcmp(m->class_name, name) == 0));
		return true;
	}
	if (class.kind == D_FUNCTION) {
		const char *name = ((const struct function *)class.u.p)->name;
		*out = v && ((strcmp(name, "Parameter") == 0 && v->is_parameter) || (strcmp(name, "UninitializedParameter") == 0 && v->is_parameter && v->ndim < 0));
		return true;
	}
	return tensor_isinstance(in, obj, class, out, err);
}

static void nn_repr(struct text *t, struct datum obj)
{
	if (obj.kind == D_MODULE)
		text_addf(t, "%s(...)", ((const struct module *)obj.u.p)->class_name);
	else if (obj.kind == D_CLASS)
		text_addf(t, "<class '%s'>", ((const struct nn_class *)obj.u.p)->name);
	else
		tensor_repr(t, obj);
}

static const char *nn_names(struct interp *in, struct datum obj, size_t index)
{
	struct runtime *rt = runtime_of(in);
	const char *name;
	if (obj.kind == D_MODULE)
		return module_member_name(obj.u.p, index);
	if (obj.kind != D_NONE && obj.kind != D_HOST)
		return tensor_names(in, obj, index);
	if (obj.kind == D_HOST && strcmp(host_kind(obj), "namespace") == 0 && strcmp(((const struct host_object *)obj.u.p)->data, "torch.nn") != 0)
		return tensor_names(in, obj, index);
	if (rt->root && index < 1000)
		return (name = module_member_name(rt->root, index)) ? name : class_name_at(rt, 0);
	index -= rt->root ? 1000 : 0;
	return class_name_at(rt, index);
}

const struct lang_host nn_host = {
	.global = nn_global, .getattr = nn_getattr, .setattr = nn_setattr, .call = nn_call, .binary = tensor_binary, .unary = tensor_unary,
	.getitem = nn_getitem, .setitem = nn_setitem, .length = nn_length, .items = nn_items, .truth = nn_truth, .contains = nn_contains,
	.isinstance = nn_isinstance, .enter = context_enter, .leave = context_leave, .repr = nn_repr, .names = nn_names,
};
