/* Reading steps as works of a backend: a row an operator. */
#include <math.h>
#include <string.h>

#include "exec/fuse.h"

/* ---- Arguments ---- */

bool step_is(const struct plan_step *s, const char *name)
{
	size_t n = strlen(name);
	const char *of = s->node->op->name;
	if (strncmp(of, name, n) != 0)
		return false;
	of += n;
	of += *of == '_' && s->node->op->inplace;
	return *of == 0 || (*of == '.' && !strchr(name, '.'));
}

const struct datum *step_arg(const struct plan_step *s, const char *name)
{
	const struct op *op = s->node->op;
	for (int i = 0; i < op->n_args; i++)
		if (strcmp(op->args[i].name, name) == 0)
			return &s->args[i];
	return NULL;
}

int step_slot(const struct plan_step *s, const char *name)
{
	const struct datum *d = step_arg(s, name);
	return d && d->kind == D_TENSOR ? (int)d->u.i : -1;
}

double step_number(const struct plan_step *s, const char *name, double none)
{
	const struct datum *d = step_arg(s, name);
	return d && datum_is_number(*d) ? datum_as_float(*d) : none;
}

/* A list of n numbers; one number, or none, comes n times. */
static bool numbers(const struct plan_step *s, const char *name, int n, int64_t none, int64_t *out)
{
	const struct datum *d = step_arg(s, name);
	if (!d || !datum_is_seq(*d) || d->u.seq->n == 0) {
		for (int i = 0; i < n; i++)
			out[i] = none;
		return true;
	}
	if (d->u.seq->n != 1 && d->u.seq->n != (size_t)n)
		return false;
	for (int i = 0; i < n; i++)
		out[i] = datum_as_int(d->u.seq->items[d->u.seq->n == 1 ? 0 : i]);
	return true;
}

const struct value *plain_value(const struct fusion *f, int slot, size_t step)
{
	const struct value *v = slot < 0 ? NULL : f->plan->values[slot];
	if (!v || v->dtype != DT_FLOAT32 || v->ndim < 1 || v->ndim > BACKEND_DIMS || value_numel(v) < 1 || f->plan->settled[slot] > step)
		return NULL;
	return v;
}

/* The kinds of work with several results, and those whose result may lie in memory in any order. */
static int results_of(enum work_kind k)
{
	return k == WORK_LSTM ? 3 : 1;
}

static bool any_order(enum work_kind k)
{
	return k == WORK_ATTENTION;
}

/* What the work makes; nobody wants more of the step's results. */
static bool set_results(struct fusion *f, size_t step, struct group *g)
{
	int n = results_of(g->work.kind);
	const struct plan_step *s = &f->plan->steps[step];
	g->out = s->n_outputs > 0 ? s->outputs[0] : -1;
	const struct value *v = plain_value(f, g->out, step);
	if (!v || (!any_order(g->work.kind) && !value_is_contiguous(v)) || s->n_outputs < n)
		return false;
	for (int i = 1; i < s->n_outputs; i++) {
		if (i >= n && s->outputs[i] >= 0 && used_after(f, s->outputs[i], step))
			return false;
		if (i < n && !plain_value(f, g->more[g->n_more++] = s->outputs[i], step))
			return false;
	}
	g->work.ndim = v->ndim;
	memcpy(g->work.size, v->size, (size_t)v->ndim * sizeof *v->size);
	return true;
}

static bool set_input(struct fusion *f, size_t step, struct group *g, int i, const char *name)
{
	g->in[i] = step_slot(&f->plan->steps[step], name);
	g->n_in = i + 1;
	return plain_value(f, g->in[i], step) != NULL;
}

/* A constant that the work takes from before the run; -1 is one too when it may be missing. */
static bool set_constant(struct fusion *f, size_t step, const char *name, int *slot)
{
	*slot = step_slot(&f->plan->steps[step], name);
	return *slot < 0 || (f->constant[*slot] && plain_value(f, *slot, step));
}

/* ---- Works ---- */

static bool read_activation(struct fusion *f, size_t step, struct group *g)
{
	struct work *w = &g->work;
	return post_read(&f->plan->steps[step], w->posts, &w->n_posts, &g->in[0]) && set_input(f, step, g, 0, "self");
}

static bool read_convolution(struct fusion *f, size_t step, struct group *g)
{
	const struct plan_step *s = &f->plan->steps[step];
	struct work *w = &g->work;
	int64_t more[BACKEND_ARRAY];
	int n = w->ndim - 2;
	if (n < 1 || n > 3 || !set_input(f, step, g, 0, "input") || !set_constant(f, step, "weight", &g->weights) || g->weights < 0 ||
	    !set_constant(f, step, "bias", &g->bias))
		return false;
	if (!numbers(s, "stride", n, 1, w->stride) || !numbers(s, "padding", n, 0, w->padding) || !numbers(s, "dilation", n, 1, w->dilation) ||
	    !numbers(s, "output_padding", n, 0, more))
		return false;
	w->kind = step_number(s, "transposed", 0) != 0 ? WORK_DECONVOLUTION : WORK_CONVOLUTION;
	w->groups = (int64_t)step_number(s, "groups", 1);
	for (int i = 0; i < n; i++) {
		w->kernel[i] = f->plan->values[g->weights]->size[i + 2];
		if (more[i] && w->kind == WORK_DECONVOLUTION)
			return false;
	}
	return f->plan->values[g->in[0]]->ndim == w->ndim && w->groups >= 1;
}

/* Running statistics that the step writes, and which are memory of their own. */
static bool set_running(struct fusion *f, size_t step, struct group *g)
{
	static const char *const names[] = { "running_mean", "running_var" };
	for (int i = 0; i < 2; i++) {
		if (!set_input(f, step, g, i + 1, names[i]))
			return false;
		const struct value *v = f->plan->values[g->in[i + 1]];
		if (v->ndim != 1 || v->size[0] != g->work.size[1] || !value_is_contiguous(v))
			return false;
	}
	const int *family = f->family;
	return g->updates = family[g->in[1]] != family[g->in[2]] && family[g->in[1]] != family[g->in[0]] && family[g->in[2]] != family[g->in[0]];
}

static bool read_training(struct fusion *f, size_t step, struct group *g)
{
	static const char *const numbers[] = { "eps", "momentum" }, *const constants[] = { "weight", "bias" };
	const struct plan_step *s = &f->plan->steps[step];
	int slot;
	g->work.kind = WORK_BATCH_STATS;
	for (int i = 0; i < 2; i++)
		if (!datum_is_number(*step_arg(s, numbers[i])) || !set_constant(f, step, constants[i], &slot))
			return false;
	if (g->work.ndim < 3 || g->work.ndim > 5 || g->work.size[1] < 8 || !set_input(f, step, g, 0, "input"))
		return false;
	g->work.epsilon = (float)step_number(s, "eps", 0);
	g->work.momentum = step_number(s, "momentum", 0);
	return (step_slot(s, "running_mean") < 0 && step_slot(s, "running_var") < 0) || set_running(f, step, g);
}

static bool read_norm(struct fusion *f, size_t step, struct group *g)
{
	static const char *const constants[] = { "weight", "bias", "running_mean", "running_var" };
	const struct plan_step *s = &f->plan->steps[step];
	if (step_number(s, "training", 0) != 0)
		return read_training(f, step, g);
	for (int i = 0; i < 4; i++) {
		int slot;
		if (!set_constant(f, step, constants[i], &slot) || (slot < 0 && i >= 2))
			return false;
	}
	g->norm = 0;
	return g->work.ndim >= 3 && set_input(f, step, g, 0, "input");
}

static bool read_pool(struct fusion *f, size_t step, struct group *g)
{
	const struct plan_step *s = &f->plan->steps[step];
	struct work *w = &g->work;
	int n = w->ndim - 2;
	if (n < 1 || n > 3 || !set_input(f, step, g, 0, "self"))
		return false;
	if (w->kind == WORK_AVERAGE_POOL && step_number(s, "count_include_pad", 1) != 0)
		w->kind = WORK_AVERAGE_POOL_PADDED;
	const struct datum *divisor = step_arg(s, "divisor_override"), *stride = step_arg(s, "stride");
	if ((divisor && datum_is_number(*divisor)) || (w->kind != WORK_MAX_POOL && step_number(s, "ceil_mode", 0) != 0))
		return false;
	if (!numbers(s, "kernel_size", n, 1, w->kernel) || !numbers(s, "padding", n, 0, w->padding) || !numbers(s, "dilation", n, 1, w->dilation))
		return false;
	if (stride && datum_is_seq(*stride) && stride->u.seq->n)
		return numbers(s, "stride", n, 1, w->stride);
	memcpy(w->stride, w->kernel, sizeof w->kernel);
	return true;
}

/* The mean over all of an image: an average pool of its size. */
static bool read_mean(struct fusion *f, size_t step, struct group *g)
{
	const struct plan_step *s = &f->plan->steps[step];
	const struct datum *dims = step_arg(s, "dim");
	struct work *w = &g->work;
	if (!set_input(f, step, g, 0, "self") || !dims || !datum_is_seq(*dims) || step_number(s, "keepdim", 0) == 0)
		return false;
	const struct value *v = f->plan->values[g->in[0]];
	unsigned marked = 0;
	if (v->ndim < 3 || v->ndim > 5 || dims->u.seq->n != (size_t)v->ndim - 2)
		return false;
	for (size_t i = 0; i < dims->u.seq->n; i++) {
		int64_t d = datum_as_int(dims->u.seq->items[i]);
		marked |= 1u << ((d < 0 ? d + v->ndim : d) & 7);
	}
	for (int i = 2; i < v->ndim; i++) {
		if (!(marked >> i & 1))
			return false;
		w->kernel[i - 2] = v->size[i];
		w->stride[i - 2] = w->dilation[i - 2] = 1;
	}
	return true;
}

static bool read_adaptive(struct fusion *f, size_t step, struct group *g)
{
	struct work *w = &g->work;
	if (!set_input(f, step, g, 0, "self") || w->ndim < 3 || w->ndim > 5)
		return false;
	const struct value *v = f->plan->values[g->in[0]];
	for (int i = 2; i < w->ndim; i++) {
		if (v->ndim != w->ndim || v->size[i] % w->size[i] != 0)
			return false;
		w->kernel[i - 2] = w->stride[i - 2] = v->size[i] / w->size[i];
		w->dilation[i - 2] = 1;
	}
	return true;
}

static bool read_matmul(struct fusion *f, size_t step, struct group *g)
{
	const struct plan_step *s = &f->plan->steps[step];
	bool has_bias = step_is(s, "addmm");
	if (!set_input(f, step, g, 0, has_bias ? "mat1" : "self"))
		return false;
	int second = step_slot(s, "mat2");
	if (!plain_value(f, second, step))
		return false;
	if (f->constant[second])
		g->weights = second;
	else
		g->in[g->n_in++] = second;
	if (!has_bias)
		return true;
	const struct value *bias = plain_value(f, step_slot(s, "self"), step);
	g->bias = step_slot(s, "self");
	return bias && f->constant[g->bias] && bias->ndim == 1 && bias->size[0] == g->work.size[1] && step_number(s, "beta", 1) == 1
	    && step_number(s, "alpha", 1) == 1;
}

static bool read_binary(struct fusion *f, size_t step, struct group *g)
{
	const struct plan_step *s = &f->plan->steps[step];
	if (!set_input(f, step, g, 0, "self") || !set_input(f, step, g, 1, "other") || step_number(s, "alpha", 1) != 1 || step_arg(s, "rounding_mode"))
		return false;
	const struct value *x = f->plan->values[g->in[0]], *y = f->plan->values[g->in[1]];
	bool commutes = g->work.kind == WORK_ADD || g->work.kind == WORK_MUL;
	if (value_numel(x) < value_numel(y) && commutes) {
		int other = g->in[0];
		g->in[0] = g->in[1];
		g->in[1] = other;
		x = y;
	}
	return x->ndim == g->work.ndim && memcmp(x->size, g->work.size, (size_t)x->ndim * sizeof *x->size) == 0;
}

/* oneDNN walks the rows of these as if nothing lay between them. */
static bool is_row_by_row(const struct fusion *f, int slot)
{
	return value_is_contiguous(f->plan->values[slot]);
}

static bool read_layer_norm(struct fusion *f, size_t step, struct group *g)
{
	const struct plan_step *s = &f->plan->steps[step];
	const struct datum *shape = step_arg(s, "normalized_shape");
	if (!shape || !datum_is_seq(*shape) || shape->u.seq->n != 1 || g->work.ndim < 2 || !set_input(f, step, g, 0, "input") ||
	    !set_constant(f, step, "weight", &g->weights) || !set_constant(f, step, "bias", &g->bias))
		return false;
	g->work.epsilon = (float)step_number(s, "eps", 1e-5);
	return is_row_by_row(f, g->in[0]) && (g->weights < 0) == (g->bias < 0);
}

static bool read_softmax(struct fusion *f, size_t step, struct group *g)
{
	double axis = step_number(&f->plan->steps[step], "dim", 0);
	g->work.axis = (int)(axis < 0 ? axis + g->work.ndim : axis);
	return g->work.axis == g->work.ndim - 1 && step_number(&f->plan->steps[step], "half_to_float", 0) == 0 && set_input(f, step, g, 0, "self") &&
	       is_row_by_row(f, g->in[0]);
}

static bool read_cat(struct fusion *f, size_t step, struct group *g)
{
	const struct plan_step *s = &f->plan->steps[step];
	const struct datum *list = step_arg(s, "tensors");
	double axis = step_number(s, "dim", 0);
	if (!list || !datum_is_seq(*list) || list->u.seq->n < 2)
		return false;
	g->work.axis = (int)(axis < 0 ? axis + g->work.ndim : axis);
	g->n_in = (int)list->u.seq->n;
	g->in = arena_array(f->arena, list->u.seq->n, sizeof *g->in);
	for (int i = 0; g->in && i < g->n_in; i++) {
		const struct datum *d = &list->u.seq->items[i];
		g->in[i] = d->kind == D_TENSOR ? (int)d->u.i : -1;
		const struct value *v = plain_value(f, g->in[i], step);
		if (!v || v->ndim != g->work.ndim)
			return false;
	}
	return g->in != NULL;
}

/* A copy into another order of memory. */
static bool read_clone(struct fusion *f, size_t step, struct group *g)
{
	return set_input(f, step, g, 0, "self");
}

static bool has_rows(const struct value *v, int64_t rows, int64_t columns)
{
	return v->ndim == 2 && v->size[0] == rows && v->size[1] == columns && value_is_contiguous(v);
}

static bool read_lstm(struct fusion *f, size_t step, struct group *g)
{
	static const char *const inputs[] = { "input", "hx_", "cx_" }, *const weights[] = { "weight0", "weight1", "weight2", "weight3" };
	const struct plan_step *s = &f->plan->steps[step];
	struct lstm_shape *l = &g->work.lstm;
	for (int i = 0; i < 3; i++)
		if (!set_input(f, step, g, i, inputs[i]) || !value_is_contiguous(f->plan->values[g->in[i]]))
			return false;
	bool biased = step_number(s, "has_biases", 1) != 0;
	for (int i = 0; i < 4; i++) {
		if (!set_constant(f, step, weights[i], &g->lstm[i]) || g->lstm[i] < 0)
			return false;
		if (i >= 2 && !biased)
			g->lstm[i] = -1;
	}
	const struct value *x = f->plan->values[g->in[0]], *w_ih = f->plan->values[g->lstm[0]], *w_hh = f->plan->values[g->lstm[1]];
	if (x->ndim != 3 || step_number(s, "mode", 2) != 2)
		return false;
	*l = (struct lstm_shape){ .steps = x->size[0], .batch = x->size[1], .in = x->size[2], .n = (int64_t)step_number(s, "hidden_size", 0),
	                          .reverse = step_number(s, "reverse", 0) != 0 };
	for (int i = 2; i < 4; i++)
		if (g->lstm[i] >= 0 && value_numel(f->plan->values[g->lstm[i]]) != 4 * l->n)
			return false;
	return w_ih->ndim == 2 && w_ih->size[0] == 4 * l->n && w_ih->size[1] == l->in && w_hh->ndim == 2 && w_hh->size[0] == 4 * l->n &&
		w_hh->size[1] == l->n && has_rows(f->plan->values[g->in[1]], l->batch, l->n) && has_rows(f->plan->values[g->in[2]], l->batch, l->n);
}

/* Steps of a mask that is broadcast to [batch, heads, t, s]. */
static bool mask_strides(const struct value *m, const int64_t *full, int64_t *stride)
{
	int missing = 4 - m->ndim;
	for (int i = 0; i < 4; i++) {
		int64_t size = i < missing ? 1 : m->size[i - missing];
		if (missing < 0 || (size != 1 && size != full[i]))
			return false;
		stride[i] = size == 1 ? 0 : m->stride[i - missing];
	}
	return true;
}

static bool read_attention(struct fusion *f, size_t step, struct group *g)
{
	static const char *const inputs[] = { "query", "key", "value", "attn_mask" };
	const struct plan_step *s = &f->plan->steps[step];
	const struct value *v[4] = { NULL };
	g->in = arena_array(f->arena, 4, sizeof *g->in);
	int n = step_slot(s, "attn_mask") >= 0 ? 4 : 3;
	for (int i = 0; i < n; i++) {
		if (!g->in || !set_input(f, step, g, i, inputs[i]))
			return false;
		v[i] = f->plan->values[g->in[i]];
		if (i < 3 && (v[i]->ndim != 4 || (v[i]->stride[3] != 1 && v[i]->size[3] > 1) || v[i]->size[0] != v[0]->size[0] || v[i]->size[3] != v[0]->size[3]))
			return false;
	}
	const struct value *out = f->plan->values[g->out];
	struct attention_shape *a = &g->work.attention;
	*a = (struct attention_shape){ .batch = v[0]->size[0], .heads = v[0]->size[1], .heads_kv = v[1]->size[1], .t = v[0]->size[2], .s = v[1]->size[2],
	                              .d = v[0]->size[3],
	                               .scale = (float)step_number(s, "scale", 1 / sqrt((double)v[0]->size[3])), .causal = step_number(s, "is_causal", 0) != 0 };
	for (int i = 0; i < 4; i++) {
		a->q[i] = v[0]->stride[i];
		a->k[i] = v[1]->stride[i];
		a->v[i] = v[2]->stride[i];
		a->out[i] = out->stride[i];
	}
	int64_t full[4] = { a->batch, a->heads, a->t, a->s };
	return v[2]->size[1] == a->heads_kv && v[2]->size[2] == a->s && a->heads % a->heads_kv == 0 && out->ndim == 4 && out->stride[3] == 1 &&
		step_number(s, "dropout_p", 0) == 0 && (n == 3 || mask_strides(v[3], full, a->mask));
}

static const struct {
	const char *name;
	enum work_kind kind;
	bool (*read)(struct fusion *f, size_t step, struct group *g);
} rows[] = {
	{ "convolution", WORK_CONVOLUTION, read_convolution },
	{ "native_batch_norm", WORK_BATCH_NORM, read_norm },
	{ "_native_batch_norm_legit_no_training", WORK_BATCH_NORM, read_norm },
	{ "max_pool2d_with_indices", WORK_MAX_POOL, read_pool },
	{ "max_pool3d_with_indices", WORK_MAX_POOL, read_pool },
	{ "avg_pool2d", WORK_AVERAGE_POOL, read_pool },
	{ "avg_pool3d", WORK_AVERAGE_POOL, read_pool },
	{ "mean.dim", WORK_AVERAGE_POOL, read_mean },
	{ "_adaptive_avg_pool2d", WORK_AVERAGE_POOL, read_adaptive },
	{ "_adaptive_avg_pool3d", WORK_AVERAGE_POOL, read_adaptive },
	{ "addmm", WORK_MATMUL, read_matmul },
	{ "mm", WORK_MATMUL, read_matmul },
	{ "bmm", WORK_MATMUL, read_matmul },
	{ "add.Tensor", WORK_ADD, read_binary },
	{ "add_.Tensor", WORK_ADD, read_binary },
	{ "sub.Tensor", WORK_SUB, read_binary },
	{ "mul.Tensor", WORK_MUL, read_binary },
	{ "mul_.Tensor", WORK_MUL, read_binary },
	{ "div.Tensor", WORK_DIV, read_binary },
	{ "native_layer_norm", WORK_LAYER_NORM, read_layer_norm },
	{ "_softmax", WORK_SOFTMAX, read_softmax },
	{ "cat", WORK_CONCAT, read_cat },
	{ "clone", WORK_REORDER, read_clone },
	{ "mkldnn_rnn_layer", WORK_LSTM, read_lstm },
	{ "_scaled_dot_product_flash_attention_for_cpu", WORK_ATTENTION, read_attention },
};

bool group_known(const struct plan_step *s)
{
	struct post posts[2];
	int n, slot;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
		if (step_is(s, rows[i].name))
			return true;
	return post_read(s, posts, &n, &slot);
}

bool group_read(struct fusion *f, size_t step, struct group *g)
{
	const struct plan_step *s = &f->plan->steps[step];
	*g = (struct group){ .add = -1, .weights = -1, .bias = -1, .norm = -1, .steps = { step }, .n_steps = 1 };
	g->in = arena_array(f->arena, 3, sizeof *g->in);
	if (!g->in)
		return false;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
		if (step_is(s, rows[i].name)) {
			g->work.kind = rows[i].kind;
			return set_results(f, step, g) && rows[i].read(f, step, g);
		}
	g->work.kind = WORK_ELTWISE;
	return set_results(f, step, g) && read_activation(f, step, g);
}
