/*
 * Traced code computes sizes with tensors: NumToTensor(size), mul, int().  Operators over such numbers alone are computed
 * while tracing; they are no part of the graph, as they are none of a pass without a tracer.
 */

#include "ir/elements.h"
#include "trace/script.h"

static const struct value *number_of(struct datum d)
{
	const struct value *v = d.kind == D_TENSOR ? d.u.p : NULL;
	return v && v->constant && v->ndim == 0 && v->version == 0 && !v->requires_grad ? v : NULL;
}

bool script_number(struct script_run *run, struct datum number, struct datum *out, nns_error *err)
{
	struct arena *a = run->rt->arena;
	enum dtype d = number.kind == D_BOOL ? DT_BOOL : number.kind == D_INT ? DT_INT64 : DT_FLOAT64;
	if (!datum_is_number(number))
		return fail(err, NNS_MODEL, "NumToTensor takes a number, not %s %s", datum_a(number), datum_type_name(number));
	struct value *v = value_new(a, d, 0, NULL);
	struct datum *constant = arena_alloc(a, sizeof *constant);
	unsigned char *bytes = arena_alloc(a, 8);
	if (!v || !constant || !bytes)
		return fail_memory(err);
	if (d == DT_FLOAT64)
		elements_from_double(d, bytes, 1, 1, &number.u.f);
	else
		elements_from_int(d, bytes, 1, 1, &(int64_t){ datum_as_int(number) });
	*constant = number;
	v->constant = constant;
	v->storage = bytes;
	v->storage_bytes = dtype_size(d);
	*out = datum_pointer(D_TENSOR, v);
	return true;
}

static bool is_known(struct value *v, void *data)
{
	++*(size_t *)data;
	return number_of(datum_pointer(D_TENSOR, v)) != NULL;
}

bool script_is_known(const struct lang_args *args)
{
	size_t n = 0;
	for (size_t i = 0; i < args->n; i++)
		if (!datum_each_tensor(args->items[i], is_known, &n))
			return false;
	for (size_t i = 0; i < args->n_named; i++)
		if (!datum_each_tensor(args->values[i], is_known, &n))
			return false;
	return n > 0;
}

struct results {
	struct value *all[16];
	size_t n;
};

static bool collect(struct value *v, void *data)
{
	struct results *r = data;
	if (r->n == sizeof r->all / sizeof *r->all)
		return false;
	r->all[r->n++] = v;
	return true;
}

static bool know(struct arena *a, struct value *v, nns_error *err)
{
	struct datum *constant = v->ndim == 0 && v->storage && dtype_has_elements(v->dtype) ? arena_alloc(a, sizeof *constant) : NULL;
	if (!constant)
		return v->ndim != 0 || !v->storage || !dtype_has_elements(v->dtype) || fail_memory(err);
	*constant = value_number(v, 0);
	v->constant = constant;
	return true;
}

/* Recorded into a graph of its own, which is evaluated at once. */
bool script_compute(struct script_run *run, const char *name, const struct lang_args *args, struct datum *out, nns_error *err)
{
	struct recorder *r = &run->rt->recorder;
	struct graph *g = r->graph, *own = arena_alloc(run->rt->arena, sizeof *own);
	struct call *call = r->call;
	struct results made = { .n = 0 };
	if (!own)
		return fail_memory(err);
	own->arena = run->rt->arena;
	r->graph = own;
	r->call = NULL;
	bool ok = record_script(r, name, args, out, err);
	r->graph = g;
	r->call = call;
	if (!ok)
		return false;
	if (!datum_each_tensor(*out, collect, &made))
		return fail(err, NNS_LIMIT, "%s gives too many numbers", name);
	if (!r->evaluate(own, made.all, made.n, err))
		return false;
	for (size_t i = 0; i < made.n; i++)
		if (!know(run->rt->arena, made.all[i], err))
			return false;
	return true;
}
