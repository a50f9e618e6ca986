#include "ops/record.h"

#include <string.h>

#include "ops/bind.h"
#include "ops/shapes.h"

bool recorder_init(struct recorder *r, struct arena *a, struct interp *in, nns_error *err)
{
	*r = (struct recorder){ .arena = a, .interp = in, .grad_enabled = true };
	r->table = optable_new(a, err);
	return r->table != NULL;
}

/* ---- Nodes ---- */

static struct node *node_add(struct recorder *r, const struct op *op, struct datum *args)
{
	struct node *n = arena_alloc(r->arena, sizeof *n);
	if (!n)
		return NULL;
	n->id = r->graph->n_nodes++;
	n->op = op;
	n->args = args;
	n->call = r->call;
	n->parent = r->parent;
	n->grad_enabled = r->grad_enabled;
	n->code_line = r->interp->line;
	struct node **first = r->parent ? &r->parent->parts : &r->graph->nodes;
	struct node **last = r->parent ? &r->parent->last_part : &r->graph->last;
	if (*last)
		(*last)->next = n;
	else
		*first = n;
	*last = n;
	return n;
}

struct collection {
	struct arena *arena;
	struct value **items;
	size_t n, cap;
};

static bool collect(struct value *v, void *data)
{
	struct collection *c = data;
	struct value **items = arena_grow(c->arena, c->items, c->n, &c->cap, sizeof *items);
	if (!items)
		return false;
	c->items = items;
	items[c->n++] = v;
	return true;
}

/* ---- Gradients ---- */

bool value_tracks_grad(const struct value *v)
{
	if (v->requires_grad)
		return true;
	return v->base && v->base->requires_grad && v->base->version > v->version && dtype_can_require_grad(v->dtype);
}

static bool tracks(struct value *v, void *data)
{
	(void)data;
	return !value_tracks_grad(v);
}

/* Whether one of the differentiable arguments named in the facts requires grad. */
static bool edges_require_grad(const struct op *op, const struct datum *args)
{
	const char *p = op->fact->edges;
	char name[64];
	while (*p) {
		size_t n = strcspn(p, ",");
		if (n < sizeof name) {
			memcpy(name, p, n);
			name[n] = 0;
			int i = op_arg_index(op, name);
			if (i >= 0 && !datum_each_tensor(args[i], tracks, NULL))
				return true;
		}
		p += n;
		p += *p == ',';
	}
	return false;
}

static bool is_differentiable(const struct op *op)
{
	return op->fact->backward[0] != 0;
}

/* PyTorch's check_inplace() in torch/csrc/autograd/VariableTypeUtils.h. */
static bool check_written(struct recorder *r, const struct op *op, const struct value *v, nns_error *err)
{
	const struct value *leaf = v->base ? v->base : v;
	if (!r->grad_enabled || !v->requires_grad || !leaf->requires_grad || leaf->producer || leaf->version > 0)
		return true;
	return fail(err, NNS_MODEL, "%s: a %sleaf Variable that requires grad is being used in an in-place operation",
	            r->label ? r->label : op->base_name, v->base ? "view of a " : "");
}

static bool mark_written(struct recorder *r, const struct op *op, struct value *v, bool grad, nns_error *err)
{
	struct value *owner = v->base ? v->base : v;
	if (!check_written(r, op, v, err))
		return false;
	owner->version++;
	v->version = owner->version;
	v->constant = NULL;
	if (grad && dtype_can_require_grad(v->dtype)) {
		v->requires_grad = true;
		owner->requires_grad = true;
	}
	return true;
}

/* ---- Leaves ---- */

static bool is_known(struct value *v, void *data)
{
	(void)data;
	return v->ndim >= 0;
}

static bool has_unknown(const struct op *op, const struct datum *args)
{
	for (int i = 0; i < op->n_args; i++)
		if (!datum_each_tensor(args[i], is_known, NULL))
			return true;
	return false;
}

/* An operator without a rule, or with inputs of unknown shape, gives what its schema says, of unknown shape. */
static bool infer_unknown(const struct op *op, struct op_call *c)
{
	bool any = false;
	for (int i = 0; i < op->n_args; i++)
		any = any || c->args[i].kind == D_TENSOR;
	struct value *first = any ? first_tensor(c) : NULL;
	for (int i = 0; i < op->n_returns; i++) {
		if (op->returns[i].type != ARG_TENSOR)
			return fail(c->err, NNS_UNSUPPORTED, "%s: the result of aten.%s depends on the content of tensors", c->label ? c->label : op->base_name, op->name);
		for (int k = 0; op->returns[i].list && k + 1 < c->list_length; k++)
			if (!out_unknown(c, first ? first->dtype : DT_FLOAT32))
				return false;
		if (op->returns[i].writes && first ? !op_out_same(c, first) : !out_unknown(c, first ? first->dtype : DT_FLOAT32))
			return false;
	}
	return op->n_returns != 1 || !op->returns[0].list || op_return_list(c);
}

/* The views that the rule has made become tensors of their own. */
static bool copy_outputs(struct op_call *c)
{
	size_t n = c->n_outputs;
	struct value **views = c->outputs;
	c->outputs = NULL;
	c->n_outputs = c->cap_outputs = 0;
	for (size_t i = 0; i < n; i++)
		if (!op_out(c, views[i]->dtype, views[i]->ndim, views[i]->size))
			return false;
	return !c->has_result || op_return_list(c);
}

static bool infer(const struct op *op, struct op_call *c)
{
	bool (*shape)(struct op_call *) = op->rule ? op->rule->shape : NULL;
	if (!shape && op->inplace)
		shape = shape_inplace;
	if (!shape || has_unknown(op, c->args))
		return infer_unknown(op, c);
	return shape(c) && (!op->copies || copy_outputs(c));
}

static struct datum datum_of(struct value *v)
{
	return v ? datum_pointer(D_TENSOR, v) : datum_none();
}

static bool leaf_result(struct op_call *c, struct datum *out)
{
	if (c->has_result)
		return *out = c->result, true;
	if (c->n_outputs == 0)
		return *out = datum_none(), true;
	if (c->n_outputs == 1 && c->op->n_returns <= 1)
		return *out = datum_of(c->outputs[0]), true;
	if (!datum_seq(c->arena, D_TUPLE, c->n_outputs, out))
		return fail_memory(c->err);
	for (size_t i = 0; i < c->n_outputs; i++)
		if (!seq_push(c->arena, out->u.seq, datum_of(c->outputs[i])))
			return fail_memory(c->err);
	return true;
}

static bool is_written(const struct op *op, const struct datum *args, const struct value *v)
{
	for (int i = 0; i < op->n_args; i++)
		if (op->args[i].writes && args[i].kind == D_TENSOR && args[i].u.p == v)
			return true;
	return false;
}

static bool is_input(const struct op *op, const struct datum *args, const struct value *v)
{
	for (int i = 0; i < op->n_args; i++)
		if (args[i].kind == D_TENSOR && args[i].u.p == v)
			return true;
	return false;
}

/* Whether the operator hands argument a back; what it only writes beside that (running statistics) has no gradient. */
static bool is_returned(const struct op *op, const struct op_arg *a)
{
	for (int i = 0; i < op->n_returns; i++)
		if (op->returns[i].writes && op->returns[i].alias == a->alias)
			return true;
	return false;
}

static bool settle_written(struct recorder *r, const struct op *op, struct op_call *c, bool grad)
{
	for (int i = 0; i < op->n_args; i++)
		if (op->args[i].writes && c->args[i].kind == D_TENSOR && !mark_written(r, op, c->args[i].u.p, grad && is_returned(op, &op->args[i]), c->err))
			return false;
	return true;
}

static bool settle_outputs(struct recorder *r, const struct op *op, struct op_call *c, struct node *n)
{
	bool grad = r->grad_enabled && is_differentiable(op) && edges_require_grad(op, c->args);
	if (!settle_written(r, op, c, grad))
		return false;
	for (size_t i = 0; i < c->n_outputs; i++) {
		struct value *v = c->outputs[i];
		if (!v || is_written(op, c->args, v) || is_input(op, c->args, v))
			continue;
		v->producer = n;
		v->output = (int)i;
		v->requires_grad = grad && dtype_can_require_grad(v->dtype) && !op_output_is_constant(op, i);
		if (v->base)
			v->version = v->base->version;
	}
	return true;
}

/* The tensor that an in-place operator writes, NULL when it is none. */
static const struct value *written(const struct op *op, const struct datum *args)
{
	for (int i = 0; op->inplace && i < op->n_args; i++)
		if (op->args[i].writes)
			return args[i].kind == D_TENSOR ? args[i].u.p : NULL;
	return NULL;
}

/* An operator that gives its argument other sizes keeps those that it had. */
static bool note_before(struct recorder *r, struct node *n, const struct value *now, const struct value *was)
{
	if (!now || now->size == was->size)
		return true;
	n->before = arena_alloc(r->arena, sizeof *n->before);
	if (n->before)
		*n->before = *was;
	return n->before != NULL;
}

enum { MOST_LEARNT = 64 };

static bool take_shape(struct recorder *r, struct value *v, const struct value *content)
{
	struct value *known = value_new(r->arena, content->dtype, content->ndim, content->size);
	if (!known)
		return false;
	if (content->ndim)
		memcpy(known->stride, content->stride, (size_t)content->ndim * sizeof *content->stride);
	v->dtype = content->dtype;
	v->ndim = content->ndim;
	v->size = known->size;
	v->stride = known->stride;
	return true;
}

/* Shapes that content alone tells, when inputs are known. */
static bool learn_shapes(struct recorder *r, const struct node *n, nns_error *err)
{
	struct value *all[MOST_LEARNT];
	const struct value *contents[MOST_LEARNT];
	size_t unknown = 0;
	if (!n || !r->compute || r->graph->n_contents == 0)
		return true;
	for (int i = 0; i < n->n_outputs; i++)
		if (n->outputs[i] && n->outputs[i]->ndim < 0 && unknown < MOST_LEARNT)
			all[unknown++] = n->outputs[i];
	if (unknown == 0 || !r->compute(r->graph, all, unknown, contents))
		return true;
	for (size_t i = 0; i < unknown; i++)
		if (!take_shape(r, all[i], contents[i]))
			return fail_memory(err);
	return true;
}

static bool record_leaf(struct recorder *r, const struct op *op, struct datum *bound, struct datum *out, nns_error *err)
{
	nns_error local = { 0 };
	struct op_call c = { .op = op, .args = bound, .arena = r->arena, .err = err ? err : &local, .training = r->training, .label = r->label,
		.list_length = r->list_length };
	struct node *n = NULL;
	const struct value *self = written(op, bound);
	struct value was = self ? *self : (struct value){ 0 };
	c.err->code = NNS_OK;
	if (!infer(op, &c) || c.err->code != NNS_OK)
		return c.err->code == NNS_OK ? fail(c.err, NNS_MODEL, "%s: wrong arguments", op->base_name) : false;
	if (!leaf_result(&c, out))
		return false;
	if (r->graph && (!(n = node_add(r, op, bound)) || !note_before(r, n, self, &was)))
		return fail_memory(err);
	if (n) {
		n->outputs = c.outputs;
		n->n_outputs = (int)c.n_outputs;
		n->result = *out;
	}
	return settle_outputs(r, op, &c, n) && learn_shapes(r, n, err);
}

bool record_made(struct recorder *r, const char *name, struct value *from, struct value *to, nns_error *err)
{
	const struct op *op = r->graph ? optable_get(r->table, name, err) : NULL;
	if (!r->graph)
		return true;
	struct datum *args = op ? arena_array(r->arena, (size_t)op->n_args, sizeof *args) : NULL;
	struct value **outputs = args ? arena_alloc(r->arena, sizeof *outputs) : NULL;
	struct node *n = outputs ? node_add(r, op, args) : NULL;
	if (!n)
		return op ? fail_memory(err) : false;
	args[0] = datum_pointer(D_TENSOR, from);
	outputs[0] = to;
	n->outputs = outputs;
	n->n_outputs = 1;
	n->result = datum_pointer(D_TENSOR, to);
	return true;
}

/* ---- Composites ---- */

static bool check_composite(struct recorder *r, const struct op *op, const struct datum *bound, nns_error *err)
{
	struct op_call c = { .op = op, .args = bound, .arena = r->arena, .err = err, .training = r->training, .label = r->label };
	return !op->rule->shape || op->rule->shape(&c);
}

static bool run_parts(struct recorder *r, const struct op *op, struct datum *bound, struct datum *out, nns_error *err)
{
	struct scope scope = { 0 };
	for (int i = 0; i < op->n_args; i++)
		if (!scope_set(r->arena, &scope, op->args[i].name, bound[i]))
			return fail_memory(err);
	return lang_run(r->interp, op->parts, &scope, out, err);
}

static bool record_composite(struct recorder *r, const struct op *op, struct datum *bound, struct datum *out, nns_error *err)
{
	struct node *n = NULL, *parent = r->parent;
	const char *label = r->label;
	int line = r->interp->line;
	if (r->graph && !(n = node_add(r, op, bound)))
		return fail_memory(err);
	r->parent = n ? n : parent;
	r->label = label ? label : op->base_name;
	if (n)
		n->composite = true;
	bool ok = check_composite(r, op, bound, err) && run_parts(r, op, bound, out, err);
	r->parent = parent;
	r->label = label;
	r->interp->line = line;
	if (!ok || !n)
		return ok;
	struct collection c = { .arena = r->arena };
	if (!datum_each_tensor(*out, collect, &c))
		return fail_memory(err);
	n->outputs = c.items;
	n->n_outputs = (int)c.n;
	n->result = *out;
	return true;
}

/* ---- Calls ---- */

/* What the parts read of the content of an argument is not known. */
static bool lacks_numbers(const struct op *op, const struct datum *bound)
{
	const char *reads = op->rule ? op->rule->reads : NULL;
	for (int i = 0; reads && i < op->n_args; i++)
		if (strcmp(op->args[i].name, reads) == 0)
			return bound[i].kind == D_TENSOR && !((const struct value *)bound[i].u.p)->constant;
	return false;
}

/* More operators than any network has: code that never ends is stopped before memory is. */
enum { MAX_NODES = 2000000 };

/* Calls op with arguments that are bound already. */
static bool record_op(struct recorder *r, const struct op *op, struct datum *bound, struct datum *out, nns_error *err)
{
	if (r->graph && r->graph->n_nodes >= MAX_NODES)
		return fail(err, NNS_LIMIT, "%s: more than %d operators", op->base_name, MAX_NODES);
	if (op->parts && !has_unknown(op, bound) && !lacks_numbers(op, bound))
		return record_composite(r, op, bound, out, err);
	return record_leaf(r, op, bound, out, err);
}

static bool require_grad(struct value *v, void *data)
{
	(void)data;
	v->requires_grad = true;
	return true;
}

/* torch.zeros(3, requires_grad=True) */
static void apply_requires_grad(const struct lang_args *args, struct datum result)
{
	for (size_t i = 0; i < args->n_named; i++)
		if (strcmp(args->names[i], "requires_grad") == 0 && datum_truth(args->values[i]))
			datum_each_tensor(result, require_grad, NULL);
}

/* Argument i as it was given: positional ones, then named ones. */
static struct datum given(const struct lang_args *args, size_t i, const char **name)
{
	*name = i < args->n ? NULL : args->names[i - args->n];
	return i < args->n ? args->items[i] : args->values[i - args->n];
}

static const char *schema_type(struct datum d)
{
	switch (d.kind) {
	case D_TENSOR: return "Tensor";
	case D_BOOL: return "bool";
	case D_INT: return "int";
	case D_FLOAT: return "float";
	case D_STR: return "str";
	case D_TUPLE: case D_LIST: return datum_count_tensors(d) ? "Tensor[]" : "int[]";
	default: return "Tensor?";
	}
}

/* A schema that fits what was given: "vision::nms(Tensor boxes, Tensor scores, float iou) -> Tensor". */
static const char *schema_for(struct recorder *r, const char *name, const struct lang_args *args, int n)
{
	struct text t;
	text_init(&t);
	text_addf(&t, "%s(", name);
	for (size_t i = 0; i < args->n + args->n_named; i++) {
		const char *own;
		struct datum d = given(args, i, &own);
		text_addf(&t, "%s%s ", i ? ", " : "", schema_type(d));
		if (own)
			text_add(&t, own);
		else
			text_addf(&t, "arg%zu", i);
	}
	text_add(&t, n == 1 ? ") -> Tensor" : ") -> (Tensor");
	for (int i = 1; i < n; i++)
		text_add(&t, ", Tensor");
	text_add(&t, n == 1 ? "" : ")");
	const char *s = t.failed ? NULL : arena_strndup(r->arena, t.data, t.len);
	text_release(&t);
	return s;
}

bool record_unknown(struct recorder *r, const char *name, const struct lang_args *args, int n, struct datum *out, nns_error *err)
{
	struct op_fact *fact = arena_alloc(r->arena, sizeof *fact);
	size_t count = args->n + args->n_named;
	struct datum *bound = arena_array(r->arena, count + 1, sizeof *bound);
	const char *own;
	if (!fact || !bound)
		return fail_memory(err);
	*fact = (struct op_fact){ .name = arena_strdup(r->arena, name), .kind = "unknown", .backward = "", .edges = "", .saved = "" };
	fact->schema = schema_for(r, name, args, n);
	const struct op *op = fact->name && fact->schema ? optable_make(r->table, fact) : NULL;
	if (!op)
		return fail_memory(err);
	for (size_t i = 0; i < count; i++)
		bound[i] = given(args, i, &own);
	return record_leaf(r, op, bound, out, err);
}

/* An argument that found no memory looks like one of a wrong type. */
static bool fail_binding(const struct recorder *r, nns_error *err)
{
	return arena_failed(r->arena) ? fail_memory(err) : false;
}

bool record_call(struct recorder *r, const char *name, const struct lang_args *args, struct datum *out, nns_error *err)
{
	const struct op *op = optable_get(r->table, name, err);
	if (!op)
		return false;
	struct datum *bound = arena_array(r->arena, (size_t)op->n_args + 1, sizeof *bound);
	if (!bound)
		return fail_memory(err);
	if (!bind_args(r, op, args, bound, err))
		return fail_binding(r, err);
	if (!record_op(r, op, bound, out, err))
		return false;
	apply_requires_grad(args, *out);
	return true;
}

bool record_script(struct recorder *r, const char *base, const struct lang_args *args, struct datum *out, nns_error *err)
{
	struct datum *bound;
	r->numbered = true;
	const struct op *op = bind_overload(r, base, args, &bound, err);
	r->numbered = false;
	return op ? record_op(r, op, bound, out, err) : fail_binding(r, err);
}

bool record_overload(struct recorder *r, const char *base, const struct lang_args *args, struct datum *out, nns_error *err)
{
	struct datum *bound;
	const struct op *op = bind_overload(r, base, args, &bound, err);
	if (!op)
		return fail_binding(r, err);
	if (!record_op(r, op, bound, out, err))
		return false;
	apply_requires_grad(args, *out);
	return true;
}
