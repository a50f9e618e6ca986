/* Content for parameters and buffers: as constructors make them, or from a file. */
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "api/run.h"
#include "base/machine.h"
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

bool arrays_of_model(struct arena *a, struct model *m, struct npz_array **out, size_t *n, nns_error *err)
{
	struct state s = { .arena = a, .err = err };
	*n = 0;
	if (!collect(&s, m->root, false))
		return false;
	*out = arena_array(a, s.n + 1, sizeof **out);
	for (size_t i = 0; *out && i < s.n; i++)
		if (s.all[i].value->storage)
			(*out)[(*n)++] = (struct npz_array){ s.all[i].name, s.all[i].value };
	return *out || fail_memory(err);
}

/* ---- As constructors make them ---- */

static uint64_t drawn_seed(void)
{
	struct timespec t;
	clock_gettime(CLOCK_REALTIME, &t);
	return ((uint64_t)t.tv_nsec << 16 ^ (uint64_t)t.tv_sec ^ (uint64_t)getpid() << 7) & 0xffffffff;
}

uint64_t seed_of(const nns_run_options *o)
{
	return o->seeded ? o->seed : drawn_seed();
}

static bool keep_block(void *block, void *data, nns_error *err)
{
	struct mapping kept = { .data = block };
	return model_keep_file(data, &kept, err);
}

/* What has no content yet gets it; drawing goes through all of construction, in its order. */
static bool initialise(struct model *m, const struct run_options *making, nns_error *err)
{
	const struct runtime *rt = m->runtime;
	struct state s = { .arena = m->arena, .err = err };
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
	if (graph_materialise(rt->construction, values, n, making, keep_block, m, err))
		return true;
	return err && err->code == NNS_CANCELLED ? false : fail_within(err, "initialisation: ");
}

/* ---- From a file ---- */

static bool is_array_file(const char *data, size_t len)
{
	return (len > 6 && memcmp(data, "\x93NUMPY", 6) == 0) || (len > 4 && memcmp(data, "PK\x03\x04", 4) == 0);
}

/* A zip of no entries is its end record. */
static bool is_empty_archive(const char *data, size_t len)
{
	return len >= 22 && memcmp(data, "PK\x05\x06", 4) == 0;
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
	bool empty = is_empty_archive(file.data, file.len);
	mapping_close(&file);
	return empty || weights_of_model(m, path, s);
}

/* ---- What does not fit ---- */

struct problems {
	struct text list[4];     /* a kind each, comma between names */
	size_t count[4];
	size_t n;
};

enum problem { MISSING, UNEXPECTED, SHAPE, DTYPE };

static void problem(struct problems *p, enum problem kind, const char *name, const struct value *given, const struct value *own)
{
	struct text *t = &p->list[kind];
	enum { SHOWN = 5 };
	p->n++;
	if (p->count[kind]++ >= SHOWN)
		return;
	text_addf(t, "%s%s", t->len ? ", " : "", *name ? name : "an array without a name");
	if (kind == SHAPE) {
		text_add(t, " ");
		shape_add_list(t, given);
		text_add(t, " for ");
		shape_add_list(t, own);
	} else if (kind == DTYPE) {
		text_addf(t, " %s for %s", dtype_name(given->dtype), dtype_name(own->dtype));
	}
}

/* "missing: a, b; wrong shape: c [3] for [4] and 2 more" */
static void list_problems(const struct problems *p, struct text *out)
{
	static const char *const names[] = { "missing", "unexpected", "wrong shape", "wrong dtype" };
	for (int kind = 0; kind < 4; kind++) {
		if (!p->count[kind])
			continue;
		text_addf(out, "%s%s: %s", out->len ? "; " : "", names[kind], p->list[kind].data ? p->list[kind].data : "");
		if (p->count[kind] > 5)
			text_addf(out, " and %zu more", p->count[kind] - 5);
	}
}

static bool same_shape(const struct value *a, const struct value *b)
{
	return a->ndim == b->ndim && (a->ndim <= 0 || memcmp(a->size, b->size, (size_t)a->ndim * sizeof *a->size) == 0);
}

/* NULL: the file has nothing that fits. */
static const struct value *fitting(const struct map *by_name, const struct named *own)
{
	const struct value *v = map_get(by_name, own->name);
	return v && v->dtype == own->value->dtype && same_shape(v, own->value) ? v : NULL;
}

/* Every name and what is wrong with it; buffers that are no part of the state dict may be missing. */
static bool find_problems(struct model *m, const struct state *own, const struct state *given, const struct map *by_name, struct problems *p, nns_error *err)
{
	struct map known = { 0 };
	for (size_t i = 0; i < own->n; i++) {
		const struct named *o = &own->all[i];
		const struct value *v = map_get(by_name, o->name);
		if (!map_put(&known, m->arena, o->name, (void *)o->name))
			return fail_memory(err);
		if (!v && o->persistent)
			problem(p, MISSING, o->name, NULL, NULL);
		else if (v && !same_shape(v, o->value))
			problem(p, SHAPE, o->name, v, o->value);
		else if (v && v->dtype != o->value->dtype)
			problem(p, DTYPE, o->name, v, o->value);
	}
	for (size_t i = 0; i < given->n; i++)
		if (!map_has(&known, given->all[i].name))
			problem(p, UNEXPECTED, given->all[i].name, NULL, NULL);
	return true;
}

/*
 * All that does not fit is said at once, and nothing is taken before it is known.  As with load_state_dict(strict=False),
 * names that are missing or too many may be forgiven, and are told as a note; shapes and dtypes are not.
 */
static bool check_weights(struct model *m, const struct state *own, const struct state *given, const struct map *by_name, const nns_run_options *o,
                          nns_error *err)
{
	struct problems p = { .n = 0 };
	struct text text;
	text_init(&text);
	for (int i = 0; i < 4; i++)
		text_init(&p.list[i]);
	bool ok = find_problems(m, own, given, by_name, &p, err), fatal = p.count[SHAPE] + p.count[DTYPE] > 0 || !o->weights_lax;
	list_problems(&p, &text);
	for (int i = 0; i < 4; i++)
		text_release(&p.list[i]);
	if (ok && p.n > 0 && fatal)
		ok = fail(err, NNS_MODEL, "%s does not fit: %s", o->weights, text.data ? text.data : "");
	else if (ok && p.n > 0)
		ok = (m->note = arena_printf(m->arena, "%s: skipped what is %s", o->weights, text.data ? text.data : "")) || fail_memory(err);
	text_release(&text);
	return ok;
}

/* ---- Taking it ---- */

static bool same_strides(const struct value *a, const struct value *b)
{
	return a->ndim <= 0 || memcmp(a->stride, b->stride, (size_t)a->ndim * sizeof *a->stride) == 0;
}

/* load_state_dict() copies into the parameter: what lies otherwise in the file is brought into its strides. */
static bool take_copy(struct model *m, struct value *to, const struct value *from, nns_error *err)
{
	struct heap heap = { 0 };
	struct tensor *t = tensor_of_value(m->arena, &heap, from, err);
	struct tensor *copy = t ? tensor_new_strided(m->arena, &heap, to->dtype, to->ndim, to->size, to->stride, err) : NULL;
	if (copy)
		tensor_copy(copy, t);
	if (t)
		storage_drop(t->storage);
	if (!copy)
		return false;
	to->storage = copy->storage->data;
	to->storage_bytes = copy->storage->size;
	to->offset = 0;
	return keep_block(copy->storage->data, m, err);
}

static bool take(struct model *m, struct value *to, const struct value *from, nns_error *err)
{
	if (!same_strides(to, from))
		return take_copy(m, to, from, err);
	to->storage = from->storage;
	to->storage_bytes = from->storage_bytes;
	to->offset = from->offset;
	return true;
}

static bool load_weights(struct model *m, const nns_run_options *o, nns_error *err)
{
	struct state own = { .arena = m->arena, .err = err }, given = { .arena = m->arena, .err = err };
	struct map by_name = { 0 };
	if (!collect(&own, m->root, false) || !open_weights(m, o->weights, &given))
		return false;
	if (given.n == 0 && own.n > 0)
		return fail(err, NNS_MODEL, "%s: there are no tensors with content in it", o->weights);
	for (size_t i = 0; i < given.n; i++)
		if (!map_put(&by_name, m->arena, given.all[i].name, given.all[i].value))
			return fail_memory(err);
	if (!check_weights(m, &own, &given, &by_name, o, err))
		return false;
	for (size_t i = 0; i < own.n; i++) {
		const struct value *v = fitting(&by_name, &own.all[i]);
		if (v && !take(m, own.all[i].value, v, err))
			return false;
	}
	return true;
}

/*
 * With a file, construction draws only for what the file leaves open, or when numbers after it were asked for by seed.
 */
bool weights_give(const struct weights_request *r, nns_error *err)
{
	struct model *m = r->model;
	if (r->draws && !initialise(m, r->making, err))
		return false;
	return (!r->options->weights || load_weights(m, r->options, err)) && (r->draws || initialise(m, r->making, err));
}

/* ---- Writing ---- */

/* What the pass left in the slot of a value that it wrote to; NULL: it is as it was. */
static struct tensor *left_by(const struct run *r, const struct value *v)
{
	for (size_t i = 0; r && i < r->plan->n_sources; i++) {
		const struct plan_source *s = &r->plan->sources[i];
		if (s->written && r->plan->values[s->slot] == v)
			return r->tensors[s->slot];
	}
	return NULL;
}

/* Tensors hold on to their content until they are dropped. */
struct saving {
	struct arena *arena;
	struct heap heap;
	const struct run *after; /* NULL: no pass */
	struct named_tensor *all; size_t n;
	struct tensor **tensors; size_t made;
	nns_error *err;
};

static bool add_saved(struct saving *s, const struct named *of)
{
	struct tensor *left = left_by(s->after, of->value), *t = left ? left : tensor_of_value(s->arena, &s->heap, of->value, s->err);
	if (t && !left)
		s->tensors[s->made++] = t;
	const void *data = t ? contiguous_bytes(s->arena, t, s->err) : NULL;
	if (!data)
		return fail_within(s->err, "%s: ", of->name);
	s->all[s->n++] = (struct named_tensor){ of->name, t->dtype, t->ndim, t->size, data };
	return true;
}

/* In an arena that is freed after writing: copies are no part of the model. */
static bool save_state(struct model *m, const struct run *after, struct arena *a, const char *path, struct file_pending *pending, nns_error *err)
{
	struct state s = { .arena = a, .err = err };
	bool ok = collect(&s, m->root, false);
	struct saving w = { .arena = a, .after = after, .err = err };
	w.all = ok ? arena_array(a, s.n + 1, sizeof *w.all) : NULL;
	w.tensors = w.all ? arena_array(a, s.n + 1, sizeof *w.tensors) : NULL;
	if (!w.tensors)
		return ok ? fail_memory(err) : false;
	for (size_t i = 0; ok && i < s.n; i++)
		ok = !s.all[i].persistent || add_saved(&w, &s.all[i]);
	ok = ok && save_tensors(path, w.all, w.n, pending, err);
	for (size_t i = 0; i < w.made; i++)
		storage_drop(w.tensors[i]->storage);
	return ok;
}

static bool save_weights(struct model *m, const struct run *after, const char *path, struct file_pending *pending, nns_error *err)
{
	struct arena *a = arena_new(NULL, err);
	bool ok = a && save_state(m, after, a, path, pending, err);
	arena_free(a);
	return ok;
}

bool weights_save_after(struct nns_plan *p, const char *path, struct file_pending *pending, nns_error *err)
{
	return save_weights(p->model->model, &p->run, path, pending, err);
}

struct telling {
	const nns_run_options *options;
};

static bool tell(size_t done, size_t total, void *data)
{
	const nns_run_options *o = ((const struct telling *)data)->options;
	return !o->progress || o->progress(o->progress_data, "weights", done, total);
}

/* The file takes its place unless the caller has come to want it no more. */
static bool finish_weights(struct model *m, const char *path, const struct telling *t, nns_error *err)
{
	struct file_pending pending;
	if (!save_weights(m, NULL, path, &pending, err))
		return false;
	if (tell(1, 1, (void *)t))
		return file_commit(&pending, err);
	file_discard(&pending);
	return fail(err, NNS_CANCELLED, "stopped");
}

/* What is drawn, and the file, whose bytes are made before it is written. */
static bool weights_allowed(struct model *m, size_t limit, nns_error *err)
{
	struct state s = { .arena = m->arena, .err = err };
	size_t bytes = 0;
	if (!collect(&s, m->root, false))
		return false;
	limit = limit ? limit : machine_memory();
	for (size_t i = 0; i < s.n; i++) {
		size_t n = (size_t)value_bytes(s.all[i].value), both = s.all[i].value->storage ? n : n > SIZE_MAX / 2 ? SIZE_MAX : 2 * n;
		bytes = bytes > SIZE_MAX - both ? SIZE_MAX : bytes + both;
	}
	if (!limit || bytes <= limit)
		return true;
	fail(err, NNS_MEMORY, "parameters, buffers and the file need %zu bytes of memory, more than the %zu that they may take", bytes, limit);
	return fail_hint(err, NNS_HINT_MEMORY);
}

bool nns_save_weights(nns_model *m, const nns_run_options *options, const char *path, uint64_t *seed, bool *drawn, nns_error *err)
{
	static const nns_run_options defaults = { 0 };
	struct telling t = { options ? options : &defaults };
	struct generator g;
	struct run_options making = { .generator = &g, .threads = t.options->threads, .progress = tell, .progress_data = &t };
	struct weights_request r = { .model = m->model, .options = t.options, .making = &making };
	*seed = seed_of(t.options);
	generator_seed(&g, *seed);
	const struct generator first = g;
	bool ok = save_known(path, err) && file_writable(path, err) && weights_allowed(m->model, t.options->memory, err) && weights_give(&r, err);
	*drawn = memcmp(&g, &first, sizeof g) != 0;
	return ok && finish_weights(m->model, path, &t, err);
}
