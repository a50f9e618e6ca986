/* Content for what a run reads: parameters and buffers, and inputs that nobody gave. */
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "api/run.h"
#include "exec/draw.h"
#include "exec/materialise.h"
#include "load/load.h"
#include "nn/nn.h"
#include "save/save.h"

/* ---- Every tensor of the modules ---- */

struct named {
	const char *name;
	struct value *value;
	bool persistent;         /* part of the state dict */
};

struct state {
	struct arena *arena;
	struct named *all; size_t n, cap;
	nns_error *err;
};

static bool add(struct state *s, const char *path, const char *name, struct value *v, bool persistent)
{
	struct named *grown = v ? arena_grow(s->arena, s->all, s->n, &s->cap, sizeof *grown) : NULL;
	if (!v)
		return true;
	if (!grown)
		return fail_memory(s->err);
	s->all = grown;
	grown[s->n++] = (struct named){ arena_printf(s->arena, "%s%s%s", path, *path ? "." : "", name), v, persistent };
	return grown[s->n - 1].name || fail_memory(s->err);
}

/* Parameters, buffers, and with `attributes` plain tensors too. */
static bool collect(struct state *s, struct module *root, bool attributes)
{
	struct walk w;
	bool ok = true;
	for (walk_begin(&w, root, true); ok && walk_next(&w); ) {
		const struct module *m = w.module;
		for (size_t i = 0; ok && i < m->n_parameters; i++)
			ok = add(s, w.path, m->parameters[i].name, m->parameters[i].value, true);
		for (size_t i = 0; ok && i < m->n_buffers; i++)
			ok = add(s, w.path, m->buffers[i].name, m->buffers[i].value, m->buffers[i].persistent);
		for (size_t i = 0; ok && attributes && i < m->n_attributes; i++)
			if (m->attributes[i].value.kind == D_TENSOR)
				ok = add(s, w.path, m->attributes[i].name, m->attributes[i].value.u.p, false);
	}
	ok = ok && (!w.failed || fail_memory(s->err));
	walk_end(&w);
	return ok;
}

/* ---- As constructors make them ---- */

static uint64_t drawn_seed(void)
{
	struct timespec t;
	clock_gettime(CLOCK_REALTIME, &t);
	return ((uint64_t)t.tv_nsec << 16 ^ (uint64_t)t.tv_sec ^ (uint64_t)getpid() << 7) & 0xffffffff;
}

static bool initialise(struct model *m, struct generator *g, nns_error *err)
{
	const struct runtime *rt = m->runtime;
	struct state s = { .arena = m->arena, .err = err };
	void *block;
	size_t n = 0;
	if (!rt->construction)
		return true;
	if (!collect(&s, m->root, true))
		return false;
	struct value **values = arena_array(m->arena, s.n + 1, sizeof *values);
	if (!values)
		return fail_memory(err);
	for (size_t i = 0; i < s.n; i++)
		if (!s.all[i].value->storage)
			values[n++] = s.all[i].value;
	if (!graph_materialise(rt->construction, values, n, g, &block, err))
		return fail_within(err, "initialisation: ");
	struct mapping kept = { .data = block };
	return !block || model_keep_file(m, &kept, err);
}

/* ---- From a file ---- */

static bool is_array_file(const char *data, size_t len)
{
	return (len > 6 && memcmp(data, "\x93NUMPY", 6) == 0) || (len > 4 && memcmp(data, "PK\x03\x04", 4) == 0);
}

/* The arrays of a .npz; *n stays 0 when it holds none, and is then something else. */
static bool weights_of_arrays(struct model *m, struct mapping *file, struct state *s)
{
	struct npz_array *all;
	size_t n;
	if (!npz_read(m->arena, (const unsigned char *)file->data, file->len, &all, &n, s->err))
		return false;
	for (size_t i = 0; i < n; i++)
		if (!add(s, "", all[i].name, all[i].value, true))
			return false;
	return true;
}

/* A file's tensors are another model's parameters and buffers; their bytes become ours. */
static bool weights_of_model(struct model *m, const char *path, struct state *s)
{
	struct load_options o = { 0 };
	struct model *from = load_path(path, &o, s->err);
	if (!from)
		return false;
	struct state own = { .arena = m->arena, .err = s->err };
	bool ok = collect(&own, from->root, false);
	for (size_t i = 0; ok && i < own.n; i++) {
		struct value *v = own.all[i].value, *copy = value_new(m->arena, v->dtype, v->ndim, v->size);
		if (!copy) {
			ok = fail_memory(s->err);
			break;
		}
		if (v->ndim > 0)
			memcpy(copy->stride, v->stride, (size_t)v->ndim * sizeof *v->stride);
		copy->offset = v->offset;
		copy->storage = v->storage;
		copy->storage_bytes = v->storage_bytes;
		ok = !v->storage || add(s, "", own.all[i].name, copy, true);
	}
	struct model **last = &m->lender;
	while (*last)
		last = &(*last)->lender;
	*last = from;            /* unpacked entries lie in its arena, the others in its files */
	return ok;
}

static bool open_weights(struct model *m, const char *path, struct state *s)
{
	struct mapping file;
	if (!mapping_open(path, SIZE_MAX / 4, &file, s->err))
		return false;
	if (is_array_file(file.data, file.len)) {
		if (!weights_of_arrays(m, &file, s)) {
			mapping_close(&file);
			return fail_within(s->err, "%s: ", path);
		}
		if (s->n > 0)
			return model_keep_file(m, &file, s->err);
	}
	mapping_close(&file);
	if (!weights_of_model(m, path, s))
		return false;
	return s->n > 0 || fail(s->err, NNS_MODEL, "%s: there are no tensors with content in it", path);
}

struct problems {
	struct text text;
	int count;
};

static void problem(struct problems *p, const char *what, const char *name)
{
	if (p->count < 8)
		text_addf(&p->text, "%s%s %s", p->count ? ", " : "", what, name);
	p->count++;
}

static bool same_tensor(const struct value *a, const struct value *b)
{
	return a->dtype == b->dtype && a->ndim == b->ndim && (a->ndim <= 0 || memcmp(a->size, b->size, (size_t)a->ndim * sizeof *a->size) == 0);
}

static void misfit(struct problems *p, const struct named *own, const struct value *given)
{
	struct text t;
	text_init(&t);
	text_addf(&t, "%s (%s ", own->name, dtype_name(given->dtype));
	shape_add_list(&t, given);
	text_addf(&t, ", the model has %s ", dtype_name(own->value->dtype));
	shape_add_list(&t, own->value);
	text_addc(&t, ')');
	problem(p, "unfit", t.data ? t.data : own->name);
	text_release(&t);
}

/* Whether every name fits; all that does not is listed at once, and nothing is taken before that is known. */
static bool check_weights(struct model *m, const struct state *own, const struct state *given, const struct map *by_name, const nns_run_options *o, nns_error *err)
{
	struct problems p = { .count = 0 };
	struct map known = { 0 };
	text_init(&p.text);
	for (size_t i = 0; i < own->n; i++) {
		const struct value *v = map_get(by_name, own->all[i].name);
		if (!map_put(&known, m->arena, own->all[i].name, (void *)own->all[i].name))
			return text_release(&p.text), fail_memory(err);
		if (v && !same_tensor(v, own->all[i].value))
			misfit(&p, &own->all[i], v);
		else if (!v && own->all[i].persistent && !o->weights_lax)
			problem(&p, "missing", own->all[i].name);
	}
	for (size_t i = 0; i < given->n && !o->weights_lax; i++)
		if (!map_has(&known, given->all[i].name))
			problem(&p, "unexpected", given->all[i].name);
	if (p.count) {
		fail(err, NNS_MODEL, "%s does not fit: %s%s", o->weights, p.text.data ? p.text.data : "", p.count > 8 ? ", ..." : "");
		if (p.count > 8)
			fail_add(err, " (%d in all)", p.count);
	}
	text_release(&p.text);
	return p.count == 0;
}

static bool load_weights(struct model *m, const nns_run_options *o, nns_error *err)
{
	struct state own = { .arena = m->arena, .err = err }, given = { .arena = m->arena, .err = err };
	struct map by_name = { 0 };
	if (!collect(&own, m->root, false) || !open_weights(m, o->weights, &given))
		return false;
	for (size_t i = 0; i < given.n; i++)
		if (!map_put(&by_name, m->arena, given.all[i].name, given.all[i].value))
			return fail_memory(err);
	if (!check_weights(m, &own, &given, &by_name, o, err))
		return false;
	for (size_t i = 0; i < own.n; i++) {
		const struct value *v = map_get(&by_name, own.all[i].name);
		struct value *to = own.all[i].value;
		if (!v)
			continue;
		to->storage = v->storage;
		to->storage_bytes = v->storage_bytes;
		to->offset = v->offset;
		if (to->ndim > 0)
			memcpy(to->stride, v->stride, (size_t)to->ndim * sizeof *to->stride);
	}
	return true;
}

bool run_weights(struct model *m, const nns_run_options *o, uint64_t *seed, struct generator **generator, nns_error *err)
{
	struct generator *g = arena_alloc(m->arena, sizeof *g);
	if (!g)
		return fail_memory(err);
	*seed = o->seeded ? o->seed : drawn_seed();
	*generator = g;
	generator_seed(g, *seed);
	return initialise(m, g, err) && (!o->weights || load_weights(m, o, err));
}

/* ---- Inputs ---- */

/* How many rows the tables have that this input indexes; 10 when none does. */
static int64_t index_limit(const struct graph *g, const struct value *input)
{
	int64_t least = 0;
	for (const struct node *n = graph_first(g); n; n = graph_next(n)) {
		const struct value *indices = node_tensor(n, "indices"), *weight = node_tensor(n, "weight");
		if (indices == input && weight && weight->ndim > 0 && (!least || weight->size[0] < least))
			least = weight->size[0];
	}
	return least ? least : 10;
}

/* torch.randn(shape), and torch.randint() for integers. */
bool run_random_input(const struct graph *g, size_t index, struct generator *generator, struct run *r, struct tensor **out, nns_error *err)
{
	const struct value *v = g->inputs[index].value;
	struct tensor *t = tensor_new_strided(r->arena, &r->heap, v->dtype, v->ndim, v->size, v->stride, err);
	size_t n = t ? (size_t)tensor_numel(t) : 0;
	if (!t)
		return false;
	*out = t;
	if (!dtype_has_elements(v->dtype))
		return fail(err, NNS_UNSUPPORTED, "an input of %s cannot be drawn; give --inputs", dtype_name(v->dtype));
	void *values = calloc(n + 1, sizeof(double) + sizeof(float));
	if (!values)
		return fail_memory(err);
	if (dtype_is_float(v->dtype)) {
		draw_normal(generator, v->dtype, values, (int64_t)n, 0, 1, (float *)((double *)values + n + 1));
		tensor_from_doubles(t, values);
	} else {
		random_int(generator, values, n, 0, v->dtype == DT_BOOL ? 2 : index_limit(g, v));
		tensor_from_ints(t, values);
	}
	free(values);
	return true;
}

/* ---- Writing ---- */

/* The element bytes of a tensor in one piece, in the arena. */
static const void *contiguous_bytes(struct arena *a, const struct tensor *t, nns_error *err)
{
	struct heap heap = { 0 };
	struct storage s = { .users = 1, .size = (size_t)tensor_numel(t) * dtype_size(t->dtype), .heap = &heap };
	int64_t stride[MAX_DIMS];
	struct tensor to = *t;
	if (tensor_is_contiguous(t))
		return tensor_data(t);
	s.data = arena_alloc(a, s.size + 1);
	if (!s.data)
		return fail_memory(err), NULL;
	contiguous_strides(t->ndim, t->size, stride);
	to.stride = stride;
	to.offset = 0;
	to.storage = &s;
	tensor_copy(&to, t);
	return s.data;
}

bool run_save(const struct run *r, const char *path, nns_error *err)
{
	size_t n = r->plan->n_outputs;
	struct named_tensor *all = arena_array(r->arena, n + 1, sizeof *all);
	if (!all)
		return fail_memory(err);
	for (size_t i = 0; i < n; i++) {
		const struct tensor *t = r->tensors[r->plan->outputs[i]];
		all[i] = (struct named_tensor){ arena_printf(r->arena, "out%zu", i), t->dtype, t->ndim, t->size, contiguous_bytes(r->arena, t, err) };
		if (!all[i].data || !all[i].name)
			return all[i].name ? false : fail_memory(err);
	}
	return save_tensors(path, all, n, err);
}

static bool save_state(struct model *m, const char *path, nns_error *err)
{
	struct state s = { .arena = m->arena, .err = err };
	struct heap heap = { 0 };
	size_t n = 0;
	struct named_tensor *all = collect(&s, m->root, false) ? arena_array(m->arena, s.n + 1, sizeof *all) : NULL;
	if (!all)
		return fail_memory(err);
	for (size_t i = 0; i < s.n; i++) {
		if (!s.all[i].persistent)
			continue;
		struct tensor *t = tensor_of_value(m->arena, &heap, s.all[i].value, err);
		const void *data = t ? contiguous_bytes(m->arena, t, err) : NULL;
		if (!data)
			return fail_within(err, "%s: ", s.all[i].name);
		all[n++] = (struct named_tensor){ s.all[i].name, t->dtype, t->ndim, t->size, data };
	}
	return save_tensors(path, all, n, err);
}

bool nns_save_weights(nns_model *m, const nns_run_options *options, const char *path, uint64_t *seed, nns_error *err)
{
	static const nns_run_options defaults = { 0 };
	struct generator *g;
	return run_weights(m->model, options ? options : &defaults, seed, &g, err) && save_state(m->model, path, err);
}
