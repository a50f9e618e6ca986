#include "trace/exporter.h"

#include <string.h>

/* ---- Looking at what was recorded ---- */

/* The operator that the file names as the maker of d, when it is called name; NULL otherwise. */
static const struct node *made_by(struct datum d, const char *name)
{
	const struct node *n = d.kind == D_TENSOR ? ((const struct value *)d.u.p)->producer : NULL;
	while (n && n->parent)
		n = n->parent;
	return n && strcmp(n->op->base_name, name) == 0 ? n : NULL;
}

/* Argument `name` of n; None when there is none. */
static struct datum arg_of(const struct node *n, const char *name)
{
	const struct datum *d = n ? node_arg(n, name) : NULL;
	return d ? *d : datum_none();
}

static const struct value *tensor_in(struct datum d)
{
	return d.kind == D_TENSOR ? d.u.p : NULL;
}

static struct datum *named(struct lang_args *args, const char *name)
{
	for (size_t i = 0; i < args->n_named; i++)
		if (strcmp(args->names[i], name) == 0)
			return &args->values[i];
	return NULL;
}

static void set_named(struct lang_args *args, const char *name, struct datum d)
{
	struct datum *at = named(args, name);
	if (!at) {
		args->names[args->n_named] = name;
		at = &args->values[args->n_named++];
	}
	*at = d;
}

static bool gives(struct exported_call *c, struct datum d)
{
	c->done = true;
	c->result = d;
	return true;
}

/* ---- Masks ---- */

/* Whether query i may look at key k: a bool, or a number that is added to the score. */
static bool allowed(const struct value *v, double x)
{
	return v->dtype == DT_BOOL ? x != 0 : x == 0;
}

static enum mask judge(const struct value *v, const double *x)
{
	int64_t q = v->size[v->ndim - 2], k = v->size[v->ndim - 1], n = value_numel(v);
	bool all = true, causal = q == k && q > 1;
	for (int64_t i = 0; i < n && (all || causal); i++) {
		bool now = i % k <= i / k % q;
		all = all && allowed(v, x[i]);
		causal = causal && allowed(v, x[i]) == now;
	}
	return n == 0 ? MASK_OTHER : all ? MASK_ALLOWS_ALL : causal ? MASK_CAUSAL : MASK_OTHER;
}

/*
 * The elements of a mask that is made of constants; in graphs of gradients also of inputs whose content is known, as the live model looks
 * at the padding that it is given.  Plans are for other inputs too.  NULL: not known.
 */
static const double *elements_of(struct exported_call *c, const struct value *v, struct arena *scratch)
{
	const struct recorder *r = &c->rt->recorder;
	const double *x = c->rt->content(v, scratch);
	struct value *made = (struct value *)v;
	const struct value *content;
	if (x || !v->producer || !r->grad_enabled || !r->compute || !r->graph || r->graph->n_contents == 0 || !r->compute(r->graph, &made, 1, &content))
		return x;
	return c->rt->content(content, scratch);
}

/* What is known of a mask; MASK_UNKNOWN, and an error, when there is no memory; MASK_UNKNOWN when its content is not known. */
static enum mask mask_of(struct exported_call *c, const struct value *v)
{
	struct exporter_memory *m = c->memory;
	size_t kept = sizeof m->masks / sizeof *m->masks;
	if (!v || v->ndim < 2 || !c->rt->content)
		return MASK_UNKNOWN;
	for (size_t i = 0; i < kept; i++)
		if (m->masks[i].value == v)
			return m->masks[i].mask;
	struct arena *scratch = arena_beside(c->rt->arena, NULL);
	const double *x = scratch ? elements_of(c, v, scratch) : NULL;
	enum mask mask = x ? judge(v, x) : MASK_UNKNOWN;
	if (!scratch || arena_failed(scratch)) {
		arena_free(scratch);
		fail_memory(c->err);
		return MASK_UNKNOWN;
	}
	arena_free(scratch);
	m->masks[m->n_masks].value = v;
	m->masks[m->n_masks].mask = mask;
	m->n_masks = (m->n_masks + 1) % kept;
	return mask;
}

/* ---- transformers ---- */

/*
 * masking_utils.py, _ignore_causal_mask_sdpa() and _ignore_bidirectional_mask_sdpa(): a mask that forbids nothing, or just what lies
 * ahead, is not made unless exporting; sdpa_attention_forward() then passes is_causal.
 */
static void drop_mask(struct exported_call *c)
{
	struct datum *mask = named(c->args, "attn_mask");
	const struct value *v = mask ? tensor_in(*mask) : NULL;
	enum mask known = v && v->dtype == DT_BOOL ? mask_of(c, v) : MASK_UNKNOWN;
	if (known != MASK_ALLOWS_ALL && known != MASK_CAUSAL)
		return;
	*mask = datum_none();
	if (known == MASK_CAUSAL)
		set_named(c->args, "is_causal", datum_bool(true));
}

static bool call(struct exported_call *c, const char *name, struct datum *items, size_t n, struct datum *out)
{
	struct lang_args args = { .items = items, .n = n };
	return record_call(&c->rt->recorder, name, &args, out, c->err);
}

/*
 * create_position_bias_mask(): without a mask the bias alone, made contiguous, is what is added to the scores; with is_causal each
 * layer lays a mask of its own over it, for one sample and one head.
 */
static bool drop_mask_of_bias(struct exported_call *c)
{
	struct datum *mask = named(c->args, "attn_mask");
	const struct node *contiguous = mask ? made_by(*mask, "contiguous") : NULL;
	const struct node *where = mask ? made_by(contiguous ? arg_of(contiguous, "self") : *mask, "where") : NULL;
	struct datum condition = arg_of(where, "condition"), bias = arg_of(where, "self");
	enum mask known = tensor_in(bias) ? mask_of(c, tensor_in(condition)) : MASK_UNKNOWN;
	if (known != MASK_ALLOWS_ALL && known != MASK_CAUSAL)
		return true;
	if (known == MASK_CAUSAL) {
		struct datum first[] = { condition, datum_int(0), datum_int(0), datum_int(1) };
		struct datum laid[] = { condition, bias, arg_of(where, "other") };
		if (!call(c, "slice.Tensor", first, 4, &laid[0]) || !call(c, where->op->name, laid, 3, &bias))
			return false;
	}
	return call(c, "contiguous", &bias, 1, mask);
}

/* What repeat_kv() of integrations/sdpa_attention.py was given, when d came of it: reshape(expand(unsqueeze(x, 2))). */
static const struct value *before_repeat(struct datum d)
{
	const struct value *repeated = tensor_in(d);
	struct datum expanded = arg_of(made_by(d, "reshape"), "self");
	struct datum unsqueezed = arg_of(made_by(expanded, "expand"), "self");
	const struct node *unsqueeze = made_by(unsqueezed, "unsqueeze");
	const struct value *x = tensor_in(arg_of(unsqueeze, "self"));
	if (!x || x->ndim != 4 || repeated->ndim != 4 || !datum_is_int(arg_of(unsqueeze, "dim")) || datum_as_int(arg_of(unsqueeze, "dim")) != 2)
		return NULL;
	bool heads = x->size[1] > 0 && repeated->size[1] % x->size[1] == 0 && repeated->size[1] > x->size[1];
	return heads && x->size[0] == repeated->size[0] && x->size[2] == repeated->size[2] && x->size[3] == repeated->size[3] ? x : NULL;
}

/* use_gqa_in_sdpa(): without a mask, and with heads of one size up to 256, sdpa is told to repeat them itself. */
static void undo_repeat(struct exported_call *c)
{
	const struct datum *mask = named(c->args, "attn_mask");
	struct datum *key = named(c->args, "key"), *value = named(c->args, "value");
	const struct value *k = key ? before_repeat(*key) : NULL, *v = value ? before_repeat(*value) : NULL;
	if ((mask && mask->kind != D_NONE) || !k || !v || k->size[1] != v->size[1] || k->size[3] != v->size[3] || k->size[3] > 256)
		return;
	*key = datum_pointer(D_TENSOR, k);
	*value = datum_pointer(D_TENSOR, v);
	set_named(c->args, "enable_gqa", datum_bool(true));
}

static bool undo_sdpa(struct exported_call *c)
{
	drop_mask(c);
	if (!drop_mask_of_bias(c))
		return false;
	undo_repeat(c);
	return true;
}

/*
 * A bidirectional mask that forbids nothing is not made unless exporting, and then nothing is added to the scores or to a bias of
 * theirs.  It is of bools, or eager_mask()'s where(allowed, 0, the least float).
 */
static bool undo_added_mask(struct exported_call *c)
{
	struct datum *self = named(c->args, "self"), *other = named(c->args, "other");
	const struct value *scores = self ? tensor_in(*self) : NULL, *mask = other ? tensor_in(*other) : NULL;
	if (!scores || scores->ndim != 4 || scores->size[2] < 2 || !mask || mask->ndim != 4 || mask->size[3] != scores->size[3])
		return true;
	if (mask->dtype != DT_BOOL && !made_by(*other, "where"))
		return true;
	return mask_of(c, mask) != MASK_ALLOWS_ALL || gives(c, *self);
}

/* integrations/moe.py, _can_use_grouped_mm(): torch's own operator, except in float32 while exporting. */
static bool undo_grouped_mm(struct exported_call *c)
{
	struct lang_args *a = c->args;
	for (size_t i = 0; i < a->n_named; i++)
		a->items[a->n++] = a->values[i];
	a->n_named = 0;
	c->target = "_grouped_mm";
	return true;
}

/*
 * chunk_gated_delta_rule() of qwen3_next and its like: live, solve_triangular(); exported, the inverse of I + L is built row by row in
 * place, -L.tril(-1) being what it starts from, and multiplied with.
 */
static bool undo_substitution(struct exported_call *c)
{
	const struct datum *inverse = named(c->args, "self"), *other = named(c->args, "other");
	const struct node *plus = inverse ? made_by(*inverse, "add") : NULL;
	const struct node *neg = made_by(arg_of(plus, "self"), "neg"), *tril = made_by(arg_of(neg, "self"), "tril");
	struct datum diagonal = arg_of(tril, "diagonal");
	if (!other || !datum_is_int(diagonal) || datum_as_int(diagonal) != -1 || !tensor_in(arg_of(plus, "self"))->version || !made_by(arg_of(plus, "other"), "eye"))
		return true;
	struct datum items[] = { arg_of(tril, "self"), *other };
	const char *names[] = { "upper", "unitriangular" };
	struct datum flags[] = { datum_bool(false), datum_bool(true) };
	struct lang_args args = { .items = items, .n = 2, .names = names, .values = flags, .n_named = 2 };
	c->done = true;
	return record_call(&c->rt->recorder, "linalg_solve_triangular", &args, &c->result, c->err);
}

/* ---- timm ---- */

/*
 * layers/pos_embed.py, resample_abs_pos_embed() and its like: positions that fit are handed on as they are, unless exporting: then
 * they are resized to the size that they have.  First the resize is taken back, then the layout around it, then the split.
 */
static bool undo_resize(struct exported_call *c)
{
	const struct datum *input = named(c->args, "input"), *size = named(c->args, "output_size");
	const struct value *v = input ? tensor_in(*input) : NULL;
	if (!v || v->ndim != 4 || !size || !datum_is_seq(*size) || size->u.seq->n != 2)
		return true;
	for (int i = 0; i < 2; i++)
		if (!datum_is_int(size->u.seq->items[i]) || datum_as_int(size->u.seq->items[i]) != v->size[2 + i])
			return true;
	c->memory->unresized = v;
	return gives(c, *input);
}

/* The tensor behind d that only operators of layout and dtype and the resize lie between; None when the resize does not. */
static struct datum before_resize(const struct exported_call *c, struct datum d)
{
	static const char *const names[] = { "to", "reshape", "permute" };
	bool resized = false;
	for (int depth = 0; depth < 16; depth++) {
		const struct node *n = NULL;
		resized = resized || (tensor_in(d) && tensor_in(d) == c->memory->unresized);
		for (size_t i = 0; i < sizeof names / sizeof *names && !n; i++)
			n = made_by(d, names[i]);
		if (!n)
			break;
		d = arg_of(n, "self");
	}
	return resized ? d : datum_none();
}

/* Whether reshape's `shape`, where -1 is open, or permute's `dims` of v, is the shape of p. */
static bool becomes(struct exported_call *c, const struct value *v, const struct value *p)
{
	const struct datum *shape = named(c->args, "shape"), *dims = named(c->args, "dims"), *list = shape ? shape : dims;
	if (!list || !datum_is_seq(*list) || list->u.seq->n != (size_t)p->ndim)
		return false;
	for (int i = 0; i < p->ndim; i++) {
		struct datum d = list->u.seq->items[i];
		int64_t n = datum_is_int(d) ? datum_as_int(d) : -2;
		if (dims && (n < 0 || n >= v->ndim))
			return false;
		if ((dims ? v->size[n] : n) != p->size[i] && (dims || n != -1))
			return false;
	}
	return true;
}

static bool undo_layout(struct exported_call *c)
{
	const struct datum *self = named(c->args, "self");
	struct datum from = self ? before_resize(c, *self) : datum_none();
	return !tensor_in(from) || !becomes(c, tensor_in(*self), tensor_in(from)) || gives(c, from);
}

/* cat([positions[:, :n], positions[:, n:]]) */
static bool undo_split(struct exported_call *c)
{
	const struct datum *all = named(c->args, "tensors");
	if (!c->memory->unresized || !all || !datum_is_seq(*all) || all->u.seq->n != 2)
		return true;
	const struct node *a = made_by(all->u.seq->items[0], "slice"), *b = made_by(all->u.seq->items[1], "slice");
	const struct value *from = tensor_in(arg_of(a, "self"));
	if (!from || from != tensor_in(arg_of(b, "self")) || !datum_equal(arg_of(a, "end"), arg_of(b, "start")))
		return true;
	return gives(c, arg_of(a, "self"));
}

/* ---- The table ---- */

/*
 * x[:n] and x[n:] with a symbolic n: torch.export writes None for the end that Python fills in (unpackSlice() in
 * torch/csrc/autograd/python_variable_indexing.cpp), which the gradient's node shows.  Without either end the operator was called by its name.
 */
static bool undo_open_slice(struct exported_call *c)
{
	const struct datum *start = named(c->args, "start"), *end = named(c->args, "end"), *step = named(c->args, "step");
	bool from = start && start->kind != D_NONE, to = end && end->kind != D_NONE;
	if (!named(c->args, "self") || (!from && !to) || (step && (!datum_is_int(*step) || datum_as_int(*step) < 1)))
		return true;
	if (!from)
		set_named(c->args, "start", datum_int(0));
	if (!to)
		set_named(c->args, "end", datum_int(INT64_MAX));
	return true;
}

static const struct habit {
	const char *library;     /* the first part of a module's class; NULL: any */
	const char *target;
	bool (*undo)(struct exported_call *c);
} habits[] = {
	{ "transformers", "scaled_dot_product_attention", undo_sdpa },
	{ "transformers", "add.Tensor", undo_added_mask },
	{ "transformers", "transformers::grouped_mm_fallback", undo_grouped_mm },
	{ "transformers", "matmul", undo_substitution },
	{ "timm", "_upsample_bicubic2d_aa.vec", undo_resize },
	{ "timm", "_upsample_bilinear2d_aa.vec", undo_resize },
	{ "timm", "reshape", undo_layout },
	{ "timm", "permute", undo_layout },
	{ "timm", "cat", undo_split },
	{ NULL, "slice.Tensor", undo_open_slice },
};

static bool is_of(const char *class, const char *library)
{
	size_t n = strlen(library);
	return strncmp(class, library, n) == 0 && class[n] == '.';
}

bool exporter_undo(struct exported_call *c, const char *class)
{
	for (size_t i = 0; !c->done && i < sizeof habits / sizeof *habits; i++) {
		const char *library = habits[i].library;
		if (strcmp(habits[i].target, c->target) == 0 && (!library || (class && is_of(class, library))) && (!habits[i].undo(c) || c->err->code == NNS_MEMORY))
			return false;
	}
	return true;
}
