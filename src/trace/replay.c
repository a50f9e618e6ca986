#include "trace/replay.h"

#include <stdio.h>
#include <string.h>

#include "nn/runtime.h"
#include "trace/replayer.h"

/* ---- Calls ---- */

static bool begin_call(struct replayer *r, const struct program_frame *f)
{
	struct lang_args none = { 0 };
	const char **keys = arena_grow(r->model->arena, r->keys, r->n_keys, &r->cap_keys, sizeof *keys);
	struct call *c = keys ? call_new(r->rt, f->module, f->path, &none) : NULL;
	if (!c)
		return fail_memory(r->err);
	r->keys = keys;
	keys[r->n_keys++] = f->key;
	r->rt->recorder.call = c;
	struct call **calls = arena_grow(r->model->arena, r->calls, r->n_calls, &r->cap_calls, sizeof *calls);
	struct seq *leaving = calls ? arena_grow(r->model->arena, r->leaving, r->n_calls, &r->cap_leaving, sizeof *leaving) : NULL;
	if (!leaving)
		return fail_memory(r->err);
	r->calls = calls;
	r->leaving = leaving;
	calls[r->n_calls] = c;
	leaving[r->n_calls++] = (struct seq){ 0 };
	return true;
}

/* Whether the operator is in the call at work on that level.  The root is called once, by whatever keys it goes (L__self__L__self__). */
static bool is_within(const struct replayer *r, const struct program_node *n, size_t level)
{
	const struct program_frame *f = &n->frames[level];
	return strcmp(f->key, r->keys[level]) == 0 || (level == 0 && !*f->path);
}

/* Ends the calls that the operator is not in, and begins those that it is in and that have not begun. */
static bool enter(struct replayer *r, const struct program_node *n)
{
	size_t same = 0;
	while (same < n->n_frames && same < r->n_keys && is_within(r, n, same))
		same++;
	if (same == 0 && r->n_keys > 0 && n->n_frames == 0)
		same = 1;        /* an operator without a stack is the root's */
	for (; r->n_keys > same; r->n_keys--)
		r->rt->recorder.call = r->rt->recorder.call->parent;
	for (size_t i = same; i < n->n_frames; i++)
		if (!begin_call(r, &n->frames[i]))
			return false;
	return true;
}

/* What a call was given: the first tensor that an operator in it reads and that was made outside. */
static bool note_argument(struct replayer *r, struct datum d, int made_in)
{
	const struct value *v = d.kind == D_TENSOR ? d.u.p : NULL;
	if (!v || v->is_parameter || (made_in < 0 && !v->producer && v->storage))
		return true;
	for (struct call *c = r->rt->recorder.call; c; c = c->parent)
		if (made_in < c->serial && c->args.u.seq->n == 0 && !seq_push(r->model->arena, c->args.u.seq, d))
			return fail_memory(r->err);
	return true;
}

/*
 * The file does not say what a module returns.  It is what the outside reads of what was made inside: one tensor, or several,
 * and when nobody reads any, what was made last.
 */
static bool note_leaving(struct replayer *r, struct datum d, int made_in)
{
	const struct call *user = r->rt->recorder.call;
	struct call *maker = made_in >= 0 && (size_t)made_in < r->n_calls ? r->calls[made_in] : NULL;
	if (d.kind != D_TENSOR)
		return true;
	for (; maker; maker = maker->parent) {
		const struct call *at = user;
		while (at && at != maker)
			at = at->parent;
		if (at)
			return true;
		struct seq *out = &r->leaving[maker->serial];
		bool known = false;
		for (size_t i = 0; i < out->n; i++)
			known = known || out->items[i].u.p == d.u.p;
		if (!known && !seq_push(r->model->arena, out, d))
			return fail_memory(r->err);
	}
	return true;
}

/* Of what one operator gave, in which place: LSTM's output comes before its state, whichever is read first. */
static int place_among(const struct replayer *r, struct datum d, const struct program_node **maker)
{
	char key[32];
	snprintf(key, sizeof key, "%p", d.u.p);
	const struct made *m = map_get(&r->made, key);
	*maker = m ? m->by : NULL;
	return m ? m->place : 0;
}

static void order_outputs(const struct replayer *r, struct seq *out)
{
	enum { MAX_ORDERED = 16 };       /* more is no tuple that a person wrote */
	for (size_t i = 1; i < out->n && out->n <= MAX_ORDERED; i++)
		for (size_t k = i; k > 0; k--) {
			const struct program_node *a, *b;
			int later = place_among(r, out->items[k - 1], &a), here = place_among(r, out->items[k], &b);
			if (!a || a != b || later <= here)
				continue;
			struct datum d = out->items[k];
			out->items[k] = out->items[k - 1];
			out->items[k - 1] = d;
		}
}

static bool settle_outputs(struct replayer *r)
{
	for (size_t i = 0; i < r->n_calls; i++) {
		struct seq *out = &r->leaving[i];
		order_outputs(r, out);
		if (r->calls[i]->returns_state)
			continue;        /* its operator's, all of it */
		if (out->n == 1)
			r->calls[i]->output = out->items[0];
		else if (out->n > 1)
			r->calls[i]->output = (struct datum){ .kind = D_TUPLE, .u.seq = &r->leaving[i] };
	}
	return true;
}

/* Recurrent modules return their state too, which the outside need not read. */
static bool returns_state(const char *target)
{
	static const char *const names[] = { "lstm", "gru", "rnn_tanh", "rnn_relu" };
	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		size_t n = strlen(names[i]);
		if (strncmp(target, names[i], n) == 0 && (target[n] == '.' || strncmp(target + n, "_cell", 5) == 0))
			return strncmp(target, "lstm", 4) == 0 || target[n] == '.';
	}
	return false;
}

static void note_result(struct replayer *r, struct datum result, const char *target)
{
	struct call *inner = r->rt->recorder.call;
	if (inner)
		inner->returns_state = returns_state(target);
	for (struct call *c = inner; c; c = c->parent)
		c->output = result;
}

/* ---- Values ---- */

/* d with the values in place of references. */
static bool resolve(struct replayer *r, const struct frame *f, struct datum d, struct datum *out, int depth)
{
	int i = program_index(d);
	*out = i >= 0 ? f->values[i] : d;
	if (i >= 0)
		return note_argument(r, *out, f->made_in[i]) && note_leaving(r, *out, f->made_in[i]);
	if (!datum_is_seq(d))
		return true;
	if (depth > 20)
		return fail(r->err, NNS_LIMIT, "lists are nested too deeply");
	if (!datum_seq(r->model->arena, d.kind, d.u.seq->n, out))
		return fail_memory(r->err);
	for (size_t k = 0; k < d.u.seq->n; k++) {
		struct datum item;
		if (!resolve(r, f, d.u.seq->items[k], &item, depth + 1))
			return false;
		if (!seq_push(r->model->arena, out->u.seq, item))
			return fail_memory(r->err);
	}
	return true;
}

/* A shape that no rule told is the one in the file. */
static bool adopt(struct replayer *r, struct value *v, const struct value *meta)
{
	if (v->ndim >= 0 || !meta || !r->as_saved)
		return true;
	struct value *known = value_new(r->model->arena, meta->dtype, meta->ndim, meta->size);
	if (!known)
		return fail_memory(r->err);
	memcpy(known->stride, meta->stride, (size_t)meta->ndim * sizeof *meta->stride);
	v->dtype = meta->dtype;
	v->ndim = meta->ndim;
	v->size = known->size;
	v->stride = known->stride;
	return true;
}

static bool writes_in_place(const char *target)
{
	size_t n = strcspn(target, ".");
	return n > 1 && target[n - 1] == '_';
}

static bool is_value(const struct frame *f, int k, struct datum d)
{
	return k >= 0 && f->values[k].kind == D_TENSOR && f->values[k].u.p == d.u.p;
}

/* In which call the result of n was made: that of its argument when it hands this on (to() without anything to do, broadcast_tensors()). */
static int made_where(const struct replayer *r, const struct frame *f, const struct program_node *n, struct datum result)
{
	int here = r->rt->recorder.call ? r->rt->recorder.call->serial : -1;
	for (size_t i = 0; result.kind == D_TENSOR && i < n->n_args && !writes_in_place(n->target); i++) {
		const struct datum *list = datum_is_seq(n->args[i]) ? n->args[i].u.seq->items : &n->args[i];
		size_t n_list = datum_is_seq(n->args[i]) ? n->args[i].u.seq->n : 1;
		for (size_t k = 0; k < n_list; k++)
			if (is_value(f, program_index(list[k]), result))
				return f->made_in[program_index(list[k])];
	}
	return here;
}

static bool note_place(struct replayer *r, const struct program_node *n, struct datum d, int place)
{
	if (d.kind != D_TENSOR)
		return true;
	const char *key = arena_printf(r->model->arena, "%p", d.u.p);
	struct made *m = arena_alloc(r->model->arena, sizeof *m);
	if (!key || !m)
		return fail_memory(r->err);
	*m = (struct made){ n, place };
	return map_put(&r->made, r->model->arena, key, m) || fail_memory(r->err);
}

/* Gives the references in `names` what `result` has in their place. */
static bool assign(struct replayer *r, struct frame *f, const struct program_node *n, struct datum names, struct datum result, int depth)
{
	int i = program_index(names);
	if (i >= 0) {
		f->made_in[i] = made_where(r, f, n, result);
		f->values[i] = result;
		return result.kind != D_TENSOR || adopt(r, result.u.p, f->program->values[i].meta);
	}
	if (!datum_is_seq(names) || depth > 20)
		return true;
	for (size_t k = 0; k < names.u.seq->n; k++) {
		bool there = datum_is_seq(result) && k < result.u.seq->n;
		if (there && !note_place(r, n, result.u.seq->items[k], (int)k))
			return false;
		if (!assign(r, f, n, names.u.seq->items[k], there ? result.u.seq->items[k] : datum_none(), depth + 1))
			return false;
	}
	return true;
}

/* ---- Operators ---- */

/* Python's operators over sizes: the targets that torch.export writes for symbolic ones. */
static const struct symbol_op {
	const char *target;
	enum lang_op op;
} symbol_ops[] = {
	{ "_operator.add", OP_ADD }, { "_operator.sub", OP_SUB }, { "_operator.mul", OP_MUL }, { "_operator.truediv", OP_DIV },
	{ "_operator.floordiv", OP_FLOORDIV }, { "_operator.mod", OP_MOD }, { "_operator.pow", OP_POW },
	{ "_operator.eq", OP_EQ }, { "_operator.ne", OP_NE }, { "_operator.lt", OP_LT }, { "_operator.le", OP_LE },
	{ "_operator.gt", OP_GT }, { "_operator.ge", OP_GE }, { "_operator.and_", OP_AND }, { "_operator.or_", OP_OR },
};

static const struct symbol_op *symbol_op(const char *target)
{
	for (size_t i = 0; i < sizeof symbol_ops / sizeof *symbol_ops; i++)
		if (strcmp(symbol_ops[i].target, target) == 0)
			return &symbol_ops[i];
	return NULL;
}

enum { SPARE_ARGS = 2 }; /* what exporter_undo() may add */

static bool gather(struct replayer *r, struct frame *f, const struct program_node *n, struct lang_args *args)
{
	*args = (struct lang_args){ 0 };
	args->items = arena_array(r->model->arena, n->n_args + 1, sizeof *args->items);
	args->names = arena_array(r->model->arena, n->n_args + SPARE_ARGS, sizeof *args->names);
	args->values = arena_array(r->model->arena, n->n_args + SPARE_ARGS, sizeof *args->values);
	if (!args->items || !args->names || !args->values)
		return fail_memory(r->err);
	for (size_t i = 0; i < n->n_args; i++) {
		struct datum d;
		if (!resolve(r, f, n->args[i], &d, 0))
			return false;
		if (n->names[i]) {
			args->names[args->n_named] = n->names[i];
			args->values[args->n_named++] = d;
		} else {
			args->items[args->n++] = d;
		}
	}
	return true;
}

static struct datum argument(const struct lang_args *args, size_t i)
{
	return i < args->n ? args->items[i] : i - args->n < args->n_named ? args->values[i - args->n] : datum_none();
}

static bool run_program(struct replayer *r, struct frame *f, struct datum *out);

static bool frame_init(struct replayer *r, struct frame *f, const struct program *p)
{
	f->program = p;
	f->values = arena_array(r->model->arena, p->n_values + 1, sizeof *f->values);
	f->made_in = arena_array(r->model->arena, p->n_values + 1, sizeof *f->made_in);
	if (!f->values || !f->made_in)
		return fail_memory(r->err);
	for (size_t i = 0; i < p->n_values; i++)
		f->made_in[i] = -1;
	return true;
}

bool replay_body(struct replayer *r, const struct program *body, const struct datum *inputs, size_t n, struct datum *out)
{
	struct frame inner;
	if (!frame_init(r, &inner, body))
		return false;
	for (size_t i = 0; i < body->n_inputs && i < n; i++)
		if (body->inputs[i].index >= 0)
			inner.values[body->inputs[i].index] = inputs[i];
	return run_program(r, &inner, out);
}

static bool is_unknown_symbol(const struct lang_args *args)
{
	for (size_t i = 0; i < args->n + args->n_named; i++)
		if (argument(args, i).kind == D_NONE)
			return true;
	return false;
}

/* A size of a tensor whose shape only execution tells, and what is computed and asserted of it, are not known either. */
static bool skips(const struct replayer *r, const struct program_node *n, const struct lang_args *args)
{
	struct datum first = argument(args, 0);
	/* ranges that torch.export reckons for symbols of content: of masked_select with a mask to be broadcast one too small */
	if (strcmp(n->target, "_assert_scalar.default") == 0 && r->graph->content_used)
		return true;
	if (strncmp(n->target, "_assert_", 8) == 0 || symbol_op(n->target))
		return is_unknown_symbol(args);
	if (strncmp(n->target, "sym_", 4) != 0)
		return false;
	return first.kind != D_TENSOR || ((const struct value *)first.u.p)->ndim < 0;
}

/* What torch.export asks of tensors whose shape is known by now. */
static bool size_of(const struct program_node *n, const struct lang_args *args, struct datum *out)
{
	const struct value *v = argument(args, 0).kind == D_TENSOR ? argument(args, 0).u.p : NULL;
	struct datum dim = argument(args, 1);
	int64_t d = datum_is_int(dim) ? datum_as_int(dim) : 0;
	if (!v || v->ndim < 0)
		return false;
	if (strncmp(n->target, "sym_numel", 9) == 0)
		return *out = datum_int(value_numel(v)), true;
	if (strncmp(n->target, "sym_storage_offset", 18) == 0)
		return *out = datum_int(v->offset), true;
	bool size = strcmp(n->target, "sym_size.int") == 0;
	d += d < 0 ? v->ndim : 0;
	if ((!size && strcmp(n->target, "sym_stride.int") != 0) || d < 0 || d >= v->ndim)
		return false;
	*out = datum_int(size ? v->size[d] : v->stride[d]);
	return true;
}

/* Of constants alone, or of inputs that are known. */
bool replay_number(const struct replayer *r, struct value *v, struct datum *out)
{
	bool asks = r->rt->content && value_numel(v) == 1 && !dtype_is_complex(v->dtype);
	struct arena *scratch = asks ? arena_beside(r->rt->arena, NULL) : NULL;
	const double *x = scratch ? r->rt->content(v, scratch) : NULL;
	struct datum list;
	*out = datum_none();
	if (x)
		*out = v->dtype == DT_BOOL ? datum_bool(*x != 0) : dtype_is_float(v->dtype) ? datum_float(*x) : datum_int((int64_t)*x);
	bool no_memory = asks && (!scratch || arena_failed(scratch));
	arena_free(scratch);
	if (no_memory)
		return fail_memory(r->err);
	if (x || value_numel(v) != 1)
		return true;
	if (!replay_numbers(r, v, &list))
		return false;
	if (list.kind == D_LIST)
		*out = list.u.seq->items[0];
	return true;
}

/* What is asserted of one that is not known is skipped, and what needs it fails. */
static bool item_of(const struct replayer *r, const struct program_node *n, const struct lang_args *args, struct datum *out)
{
	struct value *v = argument(args, 0).kind == D_TENSOR ? argument(args, 0).u.p : NULL;
	return strcmp(n->target, "item.default") == 0 && v && !v->constant && replay_number(r, v, out);
}

static int count_outputs(struct datum outputs)
{
	return datum_is_seq(outputs) ? (int)outputs.u.seq->n : 1;
}

/* A complex number where the operator does not take a tensor for it. */
static bool is_complex_scalar(const struct op *op, const struct lang_args *args, size_t i)
{
	const struct value *v = argument(args, i).kind == D_TENSOR ? argument(args, i).u.p : NULL;
	int at = i < args->n ? (int)i : op_arg_index(op, args->names[i - args->n]);
	return v && v->is_scalar && v->dtype == DT_COMPLEX128 && v->storage && at >= 0 && at < op->n_args && op->args[at].type != ARG_TENSOR;
}

/* What there is no value for (a list of lists of tensors): named, so that the operator stays unknown. */
static bool is_opaque(struct replayer *r, const char *name, const struct lang_args *args)
{
	const struct op *op = optable_get(r->rt->recorder.table, name, NULL);
	for (size_t i = 0; i < args->n + args->n_named; i++) {
		const struct host_object *o = argument(args, i).kind == D_HOST ? argument(args, i).u.p : NULL;
		if ((o && o->kind == program_opaque) || (op && is_complex_scalar(op, args, i)))
			return true;
	}
	return false;
}

bool replay_unknown(struct replayer *r, const struct program_node *n, const struct lang_args *args, struct datum *out)
{
	return record_unknown(&r->rt->recorder, n->target, args, count_outputs(n->outputs), out, r->err);
}

static bool call_operator(struct replayer *r, const struct program_node *n, struct lang_args *args, struct datum *out)
{
	struct interp *in = &r->rt->interp;
	char name[160];
	const struct symbol_op *s = symbol_op(n->target);
	if (s)
		return lang_binary(in, s->op, argument(args, 0), argument(args, 1), out, r->err);
	size_t len = strlen(n->target);
	if (len >= sizeof name)
		return fail(r->err, NNS_LIMIT, "the name of operator %.60s... is too long", n->target);
	memcpy(name, n->target, len + 1);
	if (len > 8 && strcmp(name + len - 8, ".default") == 0)
		name[len - 8] = 0;
	struct exported_call c = { .rt = r->rt, .target = name, .args = args, .memory = &r->exporter, .err = r->err };
	if (!exporter_undo(&c, n->n_frames ? n->frames[n->n_frames - 1].class : NULL))
		return false;
	if (c.done)
		return *out = c.result, true;
	if (!op_fact_find(c.target) || is_opaque(r, c.target, args))
		return record_unknown(&r->rt->recorder, c.target, args, count_outputs(n->outputs), out, r->err);
	r->rt->recorder.list_length = count_outputs(n->outputs);
	bool ok = replay_with_numbers(r, c.target, args, out);
	r->rt->recorder.list_length = 0;
	return ok;
}

static bool run_node(struct replayer *r, struct frame *f, const struct program_node *n)
{
	struct lang_args args;
	struct datum result = datum_none();
	if (!enter(r, n) || !gather(r, f, n, &args))
		return false;
	bool ok = higher_order_takes(&args) ? higher_order_run(r, n, &args, &result)
	    : size_of(n, &args, &result) || item_of(r, n, &args, &result) || skips(r, n, &args) || call_operator(r, n, &args, &result);
	if (!ok) {
		const char *path = r->rt->recorder.call ? r->rt->recorder.call->path : "";
		return fail_within(r->err, "%s%s", path, *path ? ": " : "");
	}
	note_result(r, result, n->target);
	return assign(r, f, n, n->outputs, result, 0);
}

static bool run_nodes(struct replayer *r, struct frame *f)
{
	for (size_t i = 0; i < f->program->n_nodes; i++)
		if (!run_node(r, f, &f->program->nodes[i]))
			return false;
	return true;
}

static bool run_program(struct replayer *r, struct frame *f, struct datum *out)
{
	return run_nodes(r, f) && resolve(r, f, f->program->output, out, 0);
}

/* ---- Inputs ---- */

static bool same_shape(const struct value *a, const struct value *b)
{
	return a->dtype == b->dtype && value_has_sizes(a, b->ndim, b->size);
}

static bool bind_inputs(struct replayer *r, struct frame *f)
{
	size_t next = 0;
	r->as_saved = true;
	for (size_t i = 0; i < f->program->n_inputs; i++) {
		const struct program_input *in = &f->program->inputs[i];
		if (in->fixed)
			continue;
		struct value *v = in->value;
		if (!v && next < r->graph->n_inputs)
			v = r->graph->inputs[next++].value;
		if (!v)
			return fail(r->err, NNS_USAGE, "the program takes more inputs than the %zu given", r->graph->n_inputs);
		const struct value *meta = f->program->values[in->index].meta;
		r->as_saved = r->as_saved && meta && same_shape(v, meta);
		f->values[in->index] = datum_pointer(D_TENSOR, v);
	}
	return true;
}

/* The items under their numbers. */
static bool make_dict(struct replayer *r, struct datum *output)
{
	struct datum d;
	if (!datum_is_seq(*output))
		return true;
	if (!datum_dict(r->model->arena, &d))
		return fail_memory(r->err);
	for (size_t i = 0; i < output->u.seq->n; i++)
		if (!dict_put(r->model->arena, d.u.dict, datum_int((int64_t)i), output->u.seq->items[i]))
			return fail_memory(r->err);
	return *output = d, true;
}

/* The root is given the first input, whatever is read first. */
static bool give_root(struct replayer *r)
{
	struct call *root = r->calls[0];
	root->args.u.seq->n = 0;
	return r->graph->n_inputs == 0 || seq_push(r->model->arena, root->args.u.seq, datum_pointer(D_TENSOR, r->graph->inputs[0].value)) || fail_memory(r->err);
}

bool replay(struct model *m, struct graph *g, nns_error *err)
{
	nns_error local = { 0 };
	struct replayer r = { .model = m, .rt = m->runtime, .graph = g, .err = err ? err : &local };
	struct program_frame root = { .key = "L__self__", .path = "", .module = m->root };
	struct frame f;
	if (!frame_init(&r, &f, m->program) || !bind_inputs(&r, &f))
		return false;
	if (m->program->n_nodes > 0 && m->program->nodes[0].n_frames > 0)
		root = m->program->nodes[0].frames[0];
	if (!begin_call(&r, &root) || !run_nodes(&r, &f))
		return false;
	r.rt->recorder.call = NULL;      /* the caller reads what the program gives */
	if (!resolve(&r, &f, m->program->output, &g->output, 0) || !settle_outputs(&r)
	    || (m->program->returns_dict && !make_dict(&r, &g->output)))
		return false;
	r.calls[0]->output = g->output;
	return !m->program->positional || give_root(&r);
}
