#include "report/layers.h"

#include <string.h>

enum { MAX_PLACES = 4000000 };

struct collecting {
	struct arena *arena;
	struct map places;      /* a module's address -> its last place in the tree, as a layer */
	struct map seen;        /* modules that have a row */
	struct layers *out;
	size_t n_places;
	nns_error *err;
};

static const char *key_of(struct collecting *c, const void *p)
{
	return arena_printf(c->arena, "%p", p);
}

/* ---- Places in the tree ---- */

static bool add_places(struct collecting *c, struct module *m, const char *name, int depth, struct layer *parent)
{
	struct layer *l = arena_alloc(c->arena, sizeof *l);
	const char *key = key_of(c, m);
	if (!l || !key)
		return fail_memory(c->err);
	if (++c->n_places > MAX_PLACES || depth > 500)
		return fail(c->err, NNS_LIMIT, "the module tree is too large for a summary");
	*l = (struct layer){ .name = name, .module = m, .depth = depth, .parent = parent };
	if (!map_put(&c->places, c->arena, key, l))
		return fail_memory(c->err);
	for (size_t i = 0; i < m->n_children; i++)
		if (m->children[i].module && !add_places(c, m->children[i].module, m->children[i].name, depth + 1, l))
			return false;
	return true;
}

/* ---- Numbers of a row ---- */

static const struct value *first_tensor(struct datum d, int depth)
{
	if (d.kind == D_TENSOR)
		return d.u.p;
	if (d.kind == D_DICT && d.u.dict->n && depth < 50)
		return first_tensor(d.u.dict->values[depth == 0 ? d.u.dict->n - 1 : 0], depth + 1);
	if (datum_is_seq(d) && d.u.seq->n && depth < 50)
		return first_tensor(d.u.seq->items[0], depth + 1);
	return NULL;
}

static double product(const struct value *v, int from, int to)
{
	double p = 1;
	for (int i = from; i < to && i < v->ndim; i++)
		p *= (double)v->size[i];
	return p;
}

/* calculate_macs(): weight and bias of the module itself by its output, weights of other names by two dimensions of it. */
static double parameter_macs(const struct layer *l, const char *name, double count)
{
	const struct value *v = l->output;
	bool own = strcmp(name, "weight") == 0 || strcmp(name, "bias") == 0;
	if (!v || v->ndim < 0)
		return 0;
	if (own && strstr(l->module->class_name, "Conv"))
		return count * product(v, 0, 1) * product(v, 2, v->ndim);
	if (own)
		return v->ndim > 0 ? count * (double)v->size[0] : 0;
	return strstr(name, "weight") || strstr(name, "bias") ? count * product(v, 0, 2) : 0;
}

static bool count_parameters(struct collecting *c, struct layer *l)
{
	struct walk w;
	struct map seen = { 0 };
	bool ok = true;
	l->params = l->trainable = l->bytes = 0;
	for (walk_begin(&w, l->module, false); ok && walk_next(&w); )
		for (size_t i = 0; ok && i < w.module->n_parameters; i++) {
			const struct value *v = w.module->parameters[i].value;
			const char *key = v ? key_of(c, v) : "";
			int64_t n = v ? value_numel(v) : -1;
			if (n < 0 || !key || map_has(&seen, key))
				continue;
			ok = map_put(&seen, c->arena, key, l);
			l->params += n;
			l->bytes += value_bytes(v);
			l->trainable += v->requires_grad ? n : 0;
			const char *name = *w.path ? arena_printf(c->arena, "%s.%s", w.path, w.module->parameters[i].name) : w.module->parameters[i].name;
			l->macs += name ? parameter_macs(l, name, (double)n) : 0;
		}
	ok = ok && !w.failed;
	walk_end(&w);
	return ok || fail_memory(c->err);
}

/* ---- Rows ---- */

static bool push_at(struct collecting *c, size_t at, struct layer *l)
{
	struct layer **rows = arena_grow(c->arena, c->out->rows, c->out->n, &c->out->cap, sizeof *rows);
	if (!rows)
		return fail_memory(c->err);
	c->out->rows = rows;
	memmove(rows + at + 1, rows + at, (c->out->n++ - at) * sizeof *rows);
	rows[at] = l;
	return true;
}

static bool mark_seen(struct collecting *c, struct layer *l)
{
	const char *key = key_of(c, l->module);
	if (!key)
		return fail_memory(c->err);
	l->recursive = map_has(&c->seen, key);
	return map_put(&c->seen, c->arena, key, l) || fail_memory(c->err);
}

static bool has_children(const struct module *m)
{
	for (size_t i = 0; i < m->n_children; i++)
		if (m->children[i].module)
			return true;
	return false;
}

static bool add_call(struct collecting *c, const struct call *call)
{
	const char *key = key_of(c, call->module);
	const struct layer *place = key ? map_get(&c->places, key) : NULL;
	struct layer *l = arena_alloc(c->arena, sizeof *l);
	if (!key || !l)
		return fail_memory(c->err);
	if (!place)
		return true;
	*l = *place;
	l->leaf = !has_children(l->module);
	l->input = first_tensor(call->args, 1);
	l->output = first_tensor(call->output, 0);
	l->output_bytes = l->output && l->output->ndim >= 0 ? value_bytes(l->output) : 0;
	return mark_seen(c, l) && count_parameters(c, l) && push_at(c, c->out->n, l);
}

/* Calls in the order they began. */
static bool add_calls(struct collecting *c, const struct call *root)
{
	for (const struct call *at = root; at; ) {
		if (!add_call(c, at))
			return false;
		if (at->children) {
			at = at->children;
			continue;
		}
		while (at && at != root && !at->next)
			at = at->parent;
		at = at && at != root ? at->next : NULL;
	}
	return true;
}

/* add_missing_container_layers(): containers that are not called themselves stand above what they hold. */
static bool add_containers(struct collecting *c)
{
	struct layer *current[512] = { NULL };
	for (size_t i = 0; i < c->out->n; i++) {
		struct layer *l = c->out->rows[i], *above[512] = { NULL };
		for (struct layer *p = l->parent; p && p->depth > 0; p = p->parent)
			above[p->depth] = p;
		for (int d = 1; d < l->depth; d++) {
			if ((current[d] && current[d]->module == above[d]->module) || (i > 0 && above[d] == c->out->rows[i - 1]))
				continue;
			if (!mark_seen(c, above[d]) || !count_parameters(c, above[d]) || !push_at(c, i, above[d]))
				return false;
			above[d]->macs = 0;
			current[d] = above[d];
			i++;
		}
		current[l->depth] = l;
		for (int d = l->depth + 1; d < 512 && current[d]; d++)
			current[d] = NULL;
	}
	return true;
}

/* ---- Totals ---- */

static void settle_rows(struct layers *x)
{
	int index[512] = { 0 };
	for (size_t i = 0; i < x->n; i++)
		x->rows[i]->index = ++index[x->rows[i]->depth];
	for (size_t i = x->n; i-- > 0; ) {
		struct layer *l = x->rows[i];
		l->leftover = l->params;
		l->leftover_trainable = l->trainable;
		for (l->end = i + 1; l->end < x->n && x->rows[l->end]->depth > l->depth; l->end++) {
			const struct layer *below = x->rows[l->end];
			if (below->recursive)
				continue;
			l->leftover -= below->leaf ? below->params : below->leftover;
			l->leftover_trainable -= below->leaf ? below->trainable : below->leftover_trainable;
		}
	}
}

static int64_t at_least_zero(int64_t n)
{
	return n > 0 ? n : 0;
}

static void add_totals(struct layers *x, const struct graph *g)
{
	for (size_t i = 0; i < x->n; i++) {
		const struct layer *l = x->rows[i];
		if (l->leaf) {
			x->macs += l->macs;
			x->output_bytes += l->params > 0 ? 2.0 * (double)l->output_bytes : 0;
		}
		if (l->recursive)
			continue;
		x->params += at_least_zero(l->leaf ? l->params : l->leftover);
		x->trainable += at_least_zero(l->leaf ? l->trainable : l->leftover_trainable);
		x->param_bytes += l->leaf ? l->bytes : 0;
	}
	/* torchinfo adds the size of Python's storage object */
	for (size_t i = 0; i < g->n_inputs; i++)
		x->input_bytes += (double)value_bytes(g->inputs[i].value) + 56;
}

bool layers_collect(const struct model *m, const struct graph *g, struct layers *out, nns_error *err)
{
	struct collecting c = { .arena = m->arena, .out = out, .err = err };
	*out = (struct layers){ 0 };
	if (!add_places(&c, m->root, m->root->class_name, 0, NULL) || !add_calls(&c, g->root) || !add_containers(&c))
		return false;
	settle_rows(out);
	add_totals(out, g);
	return true;
}
