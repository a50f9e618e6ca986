/* How large values can become, work by work, and what could be lost. */
#include "exec/guard.h"

#include <math.h>
#include <string.h>

/* Far from float32's 3.4e38, since sums of a Winograd convolution's tiles are larger than its results. */
static const double SAFE = 1e30;

/* A small one of several tensors is read as soon as this, so that not everything which is made of it is later. */
static const double EARLY = 1e15;

enum { WORKS = CHAIN_LINKS + 1 };

/* A work's result is at most what its rule says of gain and offset. */
struct stretch {
	enum work_kind kind;
	double gain, offset;
	struct post posts[BACKEND_POSTS]; int n_posts;
};

struct guard {
	struct stretch works[WORKS]; int n;
	bool spreads, keeps;     /* as of struct primitive_needs; the first work spreads */
	int n_in;                /* operands of the action that count */
	int last;                /* of them the one that is added last, -1: none */
	int add;                 /* a slot whose content is in the memory of the result and is added, -1: none */
};

/* ---- Rules ---- */

/* NaN when either is. */
static double larger(double x, double y)
{
	return x > y || isnan(x) ? x : y;
}

/* Infinities that meet may make NaN, and so may what overflows. */
static double safe(double x)
{
	return x <= SAFE ? x : NAN;
}

static double same(const struct stretch *s, double x, double y)
{
	(void)s;
	return larger(x, y);
}

static double grown(const struct stretch *s, double x, double y)
{
	return safe(s->gain * larger(x, y) + s->offset);
}

static double sum(const struct stretch *s, double x, double y)
{
	(void)s;
	return safe(x + y);
}

/* gain: how many products are added. */
static double product(const struct stretch *s, double x, double y)
{
	return safe(s->gain * x * y + s->offset);
}

/* As much, whatever finite values come. */
static double level(const struct stretch *s, double x, double y)
{
	return x < INFINITY && y < INFINITY ? safe(s->offset) : NAN;
}

static double unknown(const struct stretch *s, double x, double y)
{
	(void)s;
	(void)x;
	(void)y;
	return NAN;
}

static const struct {
	double (*most)(const struct stretch *s, double x, double y);
	bool loses;              /* NaN, and windows of nothing but -inf */
	bool keeps;              /* through its posts too: code of our own */
} rules[] = {
	[WORK_REORDER] = { .most = same },
	[WORK_CONVOLUTION] = { .most = grown }, [WORK_DECONVOLUTION] = { .most = grown },
	[WORK_MAX_POOL] = { .most = same, .loses = true },
	[WORK_AVERAGE_POOL] = { .most = grown }, [WORK_AVERAGE_POOL_PADDED] = { .most = grown },
	[WORK_MATMUL] = { .most = product }, [WORK_MLP] = { .most = product },
	[WORK_ELTWISE] = { .most = same },
	[WORK_ADD] = { .most = sum }, [WORK_SUB] = { .most = sum }, [WORK_MUL] = { .most = product }, [WORK_DIV] = { .most = unknown },
	[WORK_BATCH_NORM] = { .most = grown }, [WORK_BATCH_STATS] = { .most = level, .keeps = true }, [WORK_LAYER_NORM] = { .most = level },
	[WORK_SOFTMAX] = { .most = level },
	[WORK_CONCAT] = { .most = same },
	[WORK_LSTM] = { .most = unknown },
	[WORK_ATTENTION] = { .most = unknown },
};

static double post_relu(const struct post *p, double x)
{
	return x * larger(1, fabs((double)p->alpha));
}

static double post_clip(const struct post *p, double x)
{
	double low = fabs((double)p->alpha), high = fabs((double)p->beta), ends = larger(low < INFINITY ? low : 0, high < INFINITY ? high : 0);
	return low < INFINITY && high < INFINITY && !isnan(x) ? ends : larger(x, ends);
}

static double post_linear(const struct post *p, double x)
{
	return fabs((double)p->alpha) * x + fabs((double)p->beta);
}

static double post_elu(const struct post *p, double x)
{
	return larger(x, fabs((double)p->alpha));
}

static double post_one(const struct post *p, double x)
{
	(void)p;
	return isnan(x) ? x : 1;
}

static double post_abs(const struct post *p, double x)
{
	(void)p;
	return x;
}

/* Infinities times nothing are NaN. */
static double post_less(const struct post *p, double x)
{
	(void)p;
	return safe(x);
}

static double post_exp(const struct post *p, double x)
{
	(void)p;
	return isnan(x) ? x : INFINITY;
}

static double post_unknown(const struct post *p, double x)
{
	(void)p;
	(void)x;
	return NAN;
}

static const struct {
	double (*most)(const struct post *p, double x); /* NULL: what is added counts beside */
	bool loses;
} posts[] = {
	[POST_SUM] = { 0 }, [POST_ADD] = { 0 },
	[POST_RELU] = { post_relu, .loses = true }, [POST_CLIP] = { post_clip, .loses = true }, [POST_LINEAR] = { .most = post_linear },
	[POST_ELU] = { .most = post_elu }, [POST_TANH] = { .most = post_one }, [POST_SIGMOID] = { .most = post_one },
	[POST_GELU] = { .most = post_less }, [POST_GELU_TANH] = { .most = post_less }, [POST_SWISH] = { .most = post_less },
	[POST_HARDSWISH] = { .most = post_less }, [POST_MISH] = { .most = post_less }, [POST_EXP] = { post_exp, .loses = true },
	[POST_SQRT] = { .most = post_unknown }, [POST_ABS] = { .most = post_abs }, [POST_LOG] = { .most = post_unknown },
};

/* ---- Making ---- */

static double largest_of(const float *v, int64_t n)
{
	double most = 0;
	for (int64_t i = 0; v && i < n; i++)
		most = larger(most, fabs((double)v[i]));
	return most;
}

/* What normed values of n at a time are at most: all but one equal. */
static double normed(const struct work *w, int64_t n)
{
	return sqrt((double)n) * (w->weights ? largest_of(w->weights, w->kind == WORK_LAYER_NORM ? w->size[w->ndim - 1] : w->size[1]) : 1);
}

static int64_t elements_of_channel(const struct work *w)
{
	int64_t n = w->size[0];
	for (int i = 2; i < w->ndim; i++)
		n *= w->size[i];
	return n;
}

static void set_stretch(struct lowering *l, const struct work *w, struct stretch *s)
{
	int64_t channels = w->ndim > 1 ? w->size[1] : 1;
	*s = (struct stretch){ .kind = w->kind, .gain = 1, .offset = 1, .n_posts = w->n_posts };
	memcpy(s->posts, w->posts, sizeof s->posts);
	if (rules[w->kind].most == level) {
		bool rows = w->kind == WORK_LAYER_NORM, softmax = w->kind == WORK_SOFTMAX;
		s->offset = softmax ? 1 : normed(w, rows ? w->size[w->ndim - 1] : elements_of_channel(w)) + largest_of(w->bias, rows ? w->size[w->ndim - 1] : channels);
	} else if (rules[w->kind].most == grown || rules[w->kind].most == product) {
		s->gain = l->f->backend->gain(l->f->backend, w);
		s->offset = w->kind == WORK_MATMUL || w->kind == WORK_MLP ? largest_of(w->bias, w->bias_length) : largest_of(w->bias, channels);
	}
}

bool guard_add(struct lowering *l, const struct work *const *works, int n, const struct primitive_needs *needs, int add, bool adds)
{
	struct action *a = &l->f->actions[l->f->n_actions - 1];
	struct guard *g = arena_alloc(l->f->arena, sizeof *g);
	if (!g || n > WORKS)
		return fail_memory(l->err);
	*g = (struct guard){ .n = n, .spreads = needs->spreads, .keeps = needs->keeps, .n_in = a->n_in, .last = adds ? a->n_in - 1 : -1, .add = add };
	if (works[0]->kind == WORK_BATCH_STATS)
		g->n_in = 1;     /* it writes the others */
	for (int i = 0; i < n; i++)
		set_stretch(l, works[i], &g->works[i]);
	a->guard = g;
	return true;
}

/* ---- Passes ---- */

void guard_begin(struct fast_plan *f)
{
	for (size_t i = 0; i < f->plan->n_values; i++)
		f->known[i] = (struct magnitude){ NAN, false };
}

static bool post_loses(const struct post *p)
{
	return posts[p->kind].loses && !(p->kind == POST_RELU && p->alpha != 0);
}

/* What a work makes is at most.  sure: whether what goes through kernels that lose something is known to be finite. */
static double stretched(const struct stretch *s, double x, double y, double added, bool keeps, bool *sure)
{
	x = rules[s->kind].most(s, x, y);
	*sure = *sure && (!rules[s->kind].loses || x <= SAFE);   /* of posts only NaN is lost */
	for (int i = 0; i < s->n_posts; i++) {
		const struct post *p = &s->posts[i];
		*sure = *sure && (!post_loses(p) || keeps || rules[s->kind].keeps || !isnan(x));
		x = posts[p->kind].most ? posts[p->kind].most(p, x) : safe(x + added);
	}
	return x;
}

static double most_of(const struct fast_plan *f, const struct action *a, bool *sure)
{
	const struct guard *g = a->guard;
	double x = 0, y = 0, added = g->add >= 0 ? f->known[g->add].most : g->last >= 0 ? f->known[a->in[g->last].slot].most : 0;
	int n = g->last >= 0 ? g->n_in - 1 : g->n_in;
	*sure = true;
	for (int i = 0; i < n; i++) {
		double most = f->known[a->in[i].slot].most;
		y = i > 0 ? larger(most, y) : y;
		x = i == 0 ? most : x;
	}
	for (int i = 0; i < g->n; i++) {
		bool alone = i > 0 || n < 2;     /* the other factors are in the gain */
		double before = larger(x, alone ? 0 : y);
		x = stretched(&g->works[i], x, alone && rules[g->works[i].kind].most == product ? 1 : alone ? 0 : y, added, g->keeps, sure);
		*sure = *sure && (!g->spreads || i > 0 || before <= SAFE);
	}
	return x;
}

static double largest_apart(const float *data, int64_t n, int64_t step)
{
	double most = 0;
	for (int64_t i = 0; i < n; i++)
		most = larger(most, fabs((double)data[i * step]));
	return most;
}

static double largest_of_tensor(struct fast_plan *f, const struct tensor *t)
{
	struct loop l;
	double most = 0;
	if (!t || t->dtype != DT_FLOAT32)
		return NAN;
	const float *data = (const float *)(const void *)t->storage->data;
	loop_init(&l, t->ndim, t->size, 1);
	loop_operand(&l, 0, t);
	for (loop_begin(&l); l.left > 0; loop_next(&l))
		most = larger(most, l.step[0] == 1 ? f->backend->largest(f->backend, NULL, data + l.at[0], (size_t)l.run) : largest_apart(data + l.at[0], l.run, l.step[0]));
	return most;
}

static void look(struct fast_plan *f, const struct run *r, int slot, struct operand at)
{
	const struct place *p = at.place < 0 ? NULL : &f->places[at.place];
	double most = p ? f->backend->largest(f->backend, p->layout, f->memory + p->offset, 0) : largest_of_tensor(f, r->tensors[at.slot]);
	f->known[slot] = (struct magnitude){ most, true };
}

/* Of slots that were not read the one that may be largest. */
static void suggest(const struct fast_plan *f, int slot, struct operand at, int *best, struct operand *where)
{
	double most = f->known[slot].most, before = *best < 0 ? -1 : f->known[*best].most;
	if (f->known[slot].exact || isnan(before) || most <= before)
		return;
	*best = slot;
	*where = at;
}

static int64_t elements(const struct fast_plan *f, int slot)
{
	return value_numel(f->plan->values[slot]);
}

/* Whether the slot is less than a quarter of what the action reads. */
static bool is_small(const struct fast_plan *f, const struct action *a, int slot)
{
	int64_t all = 0;
	for (int i = 0; i < a->n_in; i++)
		all += elements(f, a->in[i].slot);
	return elements(f, slot) < all / 4;
}

/* False: there is nothing left to read. */
static bool look_further(struct fast_plan *f, const struct run *r, const struct action *a, bool small)
{
	const struct guard *g = a->guard;
	struct operand where = { -1, -1 };
	int best = -1;
	for (int i = 0; i < g->n_in; i++)
		suggest(f, a->in[i].slot, a->in[i], &best, &where);
	if (g->add >= 0)
		suggest(f, g->add, a->out, &best, &where);
	if (best < 0 || (small && !is_small(f, a, best)))
		return false;
	look(f, r, best, where);
	return true;
}

bool guard_before(struct fast_plan *f, const struct run *r, const struct action *a, double *most)
{
	bool sure;
	*most = NAN;
	if (!a->guard)
		return true;
	while (*most = most_of(f, a, &sure), !sure)
		if (!look_further(f, r, a, false))
			return false;
	if (a->guard->n_in > 1 && *most > EARLY && look_further(f, r, a, true))
		*most = most_of(f, a, &sure);
	return true;
}

/* What shares memory with an argument that the step writes to is not known any more. */
static void forget_written(struct fast_plan *f, const struct plan_step *s)
{
	const int *family = f->fusion.family;
	for (int i = 0; i < s->node->op->n_args; i++)
		if (s->args[i].kind == D_TENSOR && step_writes_argument(s, i))
			for (size_t k = 0; k < f->plan->n_values; k++)
				if (family[k] == family[s->args[i].u.i])
					f->known[k] = (struct magnitude){ NAN, false };
}

static void first_slot(int slot, void *data)
{
	int *first = data;
	*first = *first < 0 ? slot : *first;
}

/* A view holds nothing but what it is of. */
static struct magnitude of_view(const struct fast_plan *f, const struct plan_step *s)
{
	int from = -1;
	step_each_slot(s, first_slot, &from);
	bool same_numbers = kernel_reshapes(s->row) && from >= 0 && f->plan->values[from]->dtype == DT_FLOAT32;
	return (struct magnitude){ same_numbers ? f->known[from].most : NAN, false };
}

void guard_after(struct fast_plan *f, const struct action *a, double most)
{
	const struct plan_step *s = &f->plan->steps[a->step];
	struct magnitude m = a->primitive ? (struct magnitude){ most, false } : of_view(f, s);
	if (a->primitive && !a->guard)
		return;
	for (size_t i = a->head; i <= a->step; i++)
		forget_written(f, &f->plan->steps[i]);
	for (int i = 0; i < s->n_outputs && !a->primitive; i++)
		if (s->outputs[i] >= 0)
			f->known[s->outputs[i]] = m;
	for (int i = 0; i < a->n_more; i++)
		f->known[a->more[i]] = (struct magnitude){ NAN, false };
	if (a->primitive)
		f->known[a->out.slot] = m;
}
