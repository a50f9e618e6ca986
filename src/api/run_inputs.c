/* What a pass reads: arrays of the caller, of a file, or drawn numbers; and writing what it made. */
#include <stdlib.h>
#include <string.h>

#include "api/run.h"
#include "load/load.h"
#include "save/save.h"

/* ---- Files of arrays ---- */

static bool open_safetensors(struct arrays *f, nns_error *err)
{
	struct load_options o = { 0 };
	f->model = load_path(f->path, &o, err);
	return f->model && arrays_of_model(f->arena, f->model, &f->all, &f->n, err);
}

bool arrays_open(struct arrays *f, const char *path, nns_error *err)
{
	*f = (struct arrays){ .path = path, .arena = arena_new(NULL, err) };
	if (!f->arena)
		return false;
	if (!mapping_open(path, SIZE_MAX / 4, &f->file, err))
		return false;
	if (f->file.len > 8 && f->file.data[8] == '{')
		return open_safetensors(f, err);
	if (f->file.len < 6 || (memcmp(f->file.data, "PK", 2) != 0 && memcmp(f->file.data, "\x93NUMPY", 6) != 0))
		return fail(err, NNS_FORMAT, "%s: arrays are read from .npz, .npy and .safetensors", path);
	return npz_read(f->arena, (const unsigned char *)f->file.data, f->file.len, &f->all, &f->n, err) || fail_within(err, "%s: ", path);
}

void arrays_close(struct arrays *f)
{
	model_free(f->model);
	arena_free(f->arena);
	mapping_close(&f->file);
	*f = (struct arrays){ 0 };
}

long numbered_name(const char *name, const char *prefix)
{
	size_t n = strlen(prefix);
	if (strcmp(name, prefix) == 0)   /* the only one */
		return 0;
	if (strncmp(name, prefix, n) != 0 || strspn(name + n, "0123456789") != strlen(name + n) || strlen(name + n) > 6)
		return -1;
	return strtol(name + n, NULL, 10);
}

const struct npz_array *arrays_find(const struct arrays *f, const char *name, const char *prefix, size_t index)
{
	for (size_t i = 0; i < f->n; i++) {
		const char *is = f->all[i].name;
		if ((name && strcmp(is, name) == 0) || numbered_name(is, prefix) == (long)index || (f->n == 1 && !*is && index == 0))
			return &f->all[i];
	}
	return NULL;
}

/* ---- The inputs that a file makes ---- */

static void add_kind(struct text *t, const struct value *v)
{
	text_addf(t, "%s ", dtype_name(v->dtype));
	shape_add_list(t, v);
}

/*
 * NumPy has no bfloat16 and makes float64, so floating-point arrays become what the model takes.  What is an integer there
 * must be one here; an exported program takes its own dtypes alone.
 */
static bool dtype_serves(const struct model *m, enum dtype given, enum dtype wanted)
{
	if (given == wanted || (dtype_is_float(given) && dtype_is_float(wanted)))
		return true;
	return !m->program && dtype_is_integral(given) && dtype_is_integral(wanted);
}

/* The floating-point type of the model's parameters; that of v where it has none. */
static enum dtype dtype_of_model(const struct model *m, const struct value *v)
{
	struct walk w;
	enum dtype found = v->dtype;
	bool any = !dtype_is_float(v->dtype);
	for (walk_begin(&w, m->root, false); !any && walk_next(&w); )
		for (size_t i = 0; !any && i < w.module->n_parameters; i++) {
			const struct value *own = w.module->parameters[i].value;
			if ((any = own && dtype_is_float(own->dtype)))
				found = own->dtype;
		}
	walk_end(&w);
	return found;
}

static bool as_input(const nns_plan *p, const struct npz_array *array, const struct graph_input *own, struct graph_input *out, nns_error *err)
{
	struct model *m = p->model->model;
	struct value *v = value_new(m->arena, array->value->dtype, array->value->ndim, array->value->size);
	if (!v)
		return fail_memory(err);
	*out = (struct graph_input){ .content = array->value,
	                            .name = own ? own->name : numbered_name(array->name, "in") < 0 && *array->name ? arena_strdup(m->arena, array->name)
	    : NULL, .value = v };
	if (!own) {
		v->dtype = dtype_of_model(m, v);
		return true;
	}
	if (!dtype_serves(m, v->dtype, own->value->dtype))
		return fail(err, NNS_MODEL, "%s: %s is %s; the model takes %s%s%s", p->inputs.path, *array->name ? array->name : "the array", dtype_name(v->dtype),
		            dtype_name(own->value->dtype), own->name ? " for " : "", own->name ? own->name : "");
	if (dtype_is_float(v->dtype))
		v->dtype = own->value->dtype;
	/* of the shape that the model was made for, it lies in memory as it did then */
	if (own->value->ndim == v->ndim && (v->ndim == 0 || memcmp(own->value->size, v->size, (size_t)v->ndim * sizeof *v->size) == 0))
		memcpy(v->stride, own->value->stride, (size_t)v->ndim * sizeof *v->stride);
	return true;
}

static bool is_of_model(const struct model *m, const char *name)
{
	for (size_t i = 0; i < m->n_inputs; i++)
		if (m->inputs[i].name && strcmp(m->inputs[i].name, name) == 0)
			return true;
	return false;
}

/* The model's own inputs by name or number, then more by number, then what has a name of its own. */
bool inputs_of_file(struct nns_plan *p, struct graph_input **out, size_t *n, nns_error *err)
{
	struct model *m = p->model->model;
	const struct arrays *f = &p->inputs;
	const struct npz_array *a;
	*out = arena_array(m->arena, m->n_inputs + f->n + 1, sizeof **out);
	*n = 0;
	if (!*out)
		return fail_memory(err);
	for (size_t i = 0; i < m->n_inputs; i++) {
		if (!(a = arrays_find(f, m->inputs[i].name, "in", i)))
			return fail(err, NNS_MODEL, "%s: there is no array for input %zu%s%s%s; name it in%zu", f->path, i, m->inputs[i].name ? " (" : "",
			            m->inputs[i].name ? m->inputs[i].name : "", m->inputs[i].name ? ")" : "", i);
		if (!as_input(p, a, &m->inputs[i], &(*out)[(*n)++], err))
			return false;
	}
	if (m->n_inputs && m->inputs[0].name && arrays_find(f, NULL, "in", m->n_inputs))
		return fail(err, NNS_MODEL, "%s: in%zu is one input too many: the model takes %zu", f->path, m->n_inputs, m->n_inputs);
	for (size_t i = m->n_inputs; (a = arrays_find(f, NULL, "in", i)); i++)
		if (!as_input(p, a, NULL, &(*out)[(*n)++], err))
			return false;
	for (size_t i = 0; i < f->n; i++)
		if (*f->all[i].name && numbered_name(f->all[i].name, "in") < 0 && numbered_name(f->all[i].name, "out") < 0 && !is_of_model(m, f->all[i].name) &&
		    !as_input(p, &f->all[i], NULL, &(*out)[(*n)++], err))
			return false;
	if (*n > 0 || (m->program && m->n_inputs == 0))
		return true;
	return fail(err, NNS_MODEL, "%s: no array of it is an input of the model; name them as the inputs, or in0, in1, ...", f->path);
}

bool inputs_check(const struct nns_plan *p, nns_error *err)
{
	size_t inputs = p->graph.graph->n_inputs;
	for (size_t i = 0; i < p->inputs.n; i++)
		if (numbered_name(p->inputs.all[i].name, "in") >= (long)inputs)
			return fail(err, NNS_MODEL, "%s: %s is one input too many: the model takes %zu", p->inputs.path, p->inputs.all[i].name, inputs);
	return true;
}

/* ---- Tensors of a pass ---- */

static bool same_strides(int ndim, const int64_t *a, const int64_t *b)
{
	return ndim == 0 || memcmp(a, b, (size_t)ndim * sizeof *a) == 0;
}

/* The tensor in the dtype of the input, and lying in memory as it does. */
static struct tensor *converted(struct nns_plan *p, struct tensor *t, const struct value *v, nns_error *err)
{
	if (!t || (t->dtype == v->dtype && same_strides(t->ndim, t->stride, v->stride)))
		return t;
	struct tensor *copy = tensor_new_strided(p->run.arena, &p->run.heap, v->dtype, t->ndim, t->size, v->stride, err);
	if (copy)
		tensor_copy(copy, t);
	storage_drop(t->storage);
	return copy;
}

static bool input_from_file(struct nns_plan *p, size_t i, nns_error *err)
{
	const struct graph_input *in = &p->graph.graph->inputs[i];
	const struct npz_array *a = arrays_find(&p->inputs, in->name, "in", i);
	if (!a)
		return fail(err, NNS_MODEL, "%s: there is no array for input %zu (%s)", p->inputs.path, i, in->name ? in->name : "without a name");
	p->values[i] = converted(p, tensor_of_value(p->run.arena, &p->run.heap, a->value, err), in->given, err);
	return p->values[i] || fail_within(err, "%s: ", p->inputs.path);
}

static const nns_array *find_array(const nns_array *arrays, size_t n, const char *name, size_t index)
{
	for (size_t i = 0; i < n; i++)
		if (arrays[i].name && ((name && strcmp(arrays[i].name, name) == 0) || numbered_name(arrays[i].name, "in") == (long)index))
			return &arrays[i];
	return index < n && !arrays[index].name ? &arrays[index] : NULL;
}

static bool input_from_caller(struct nns_plan *p, size_t i, const nns_array *arrays, size_t n, nns_error *err)
{
	const struct graph_input *in = &p->graph.graph->inputs[i];
	const struct value *v = in->given;
	const nns_array *a = find_array(arrays, n, in->name, i);
	if (!a || !a->data)
		return fail(err, NNS_USAGE, "there is no array for input %zu (%s)", i, in->name ? in->name : "without a name");
	bool same = a->dtype && dtype_from_name(a->dtype) == v->dtype && a->ndim == v->ndim
	    && (v->ndim == 0 || memcmp(a->shape, v->size, (size_t)v->ndim * sizeof *v->size) == 0);
	if (!same) {
		struct text t;
		text_init(&t);
		add_kind(&t, v);
		fail(err, NNS_USAGE, "input %zu (%s) has another shape or dtype than the plan was made for: %s", i, in->name ? in->name : "without a name",
		     t.data ? t.data : "");
		text_release(&t);
		return false;
	}
	struct storage *s = storage_borrow(p->run.arena, a->data, (size_t)value_bytes(v), err);
	int64_t stride[MAX_DIMS];
	contiguous_strides(v->ndim, v->size, stride);
	p->values[i] = converted(p, s ? tensor_over(p->run.arena, s, v->dtype, v->ndim, v->size, stride, 0, err) : NULL, v, err);
	return p->values[i] != NULL;
}

bool inputs_make(struct nns_plan *p, const nns_array *arrays, size_t n, nns_error *err)
{
	const struct graph *g = p->graph.graph;
	p->values = arena_array(p->run.arena, g->n_inputs + 1, sizeof *p->values);
	if (!p->values)
		return fail_memory(err);
	if (n > 0 && n != g->n_inputs)
		return fail(err, NNS_USAGE, "the plan takes %zu inputs, not %zu", g->n_inputs, n);
	for (size_t i = 0; i < g->n_inputs; i++)
		if (n > 0 ? !input_from_caller(p, i, arrays, n, err) : p->options.inputs ? !input_from_file(p, i, err)
		    : !input_drawn(p, i, &p->values[i], err))
			return false;
	return true;
}

void inputs_drop(struct nns_plan *p)
{
	for (size_t i = 0; p->values && i < p->graph.graph->n_inputs; i++)
		if (p->values[i])
			storage_drop(p->values[i]->storage);
	p->values = NULL;
}

/* ---- Writing ---- */

const void *contiguous_bytes(struct arena *a, const struct tensor *t, nns_error *err)
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

bool run_save(const struct run *r, const char *path, struct file_pending *pending, nns_error *err)
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
	return save_tensors(path, all, n, pending, err);
}
