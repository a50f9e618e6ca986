/*
 * NumPy's arrays and scalars in pickles (numpy/_core/src/multiarray/methods.c: array_reduce, array_setstate;
 * numpy/_core/numeric.py: _frombuffer).  An array comes empty, and BUILD gives it (version, shape, dtype, in Fortran's order, bytes).
 * One of a dtype that is no number keeps dtype DT_NONE and is not listed as a tensor.
 */
#include <string.h>

#include "load/npy.h"
#include "load/torch_pickle.h"

static const char unfinished[] = "ndarray";

static bool new_array(struct torch_pickle *t, int n, const int64_t *size, struct value **v)
{
	*v = value_new(t->arena, DT_NONE, n, size);
	return *v || fail_memory(t->err);
}

/* _reconstruct(class, shape, type) */
static bool make_array(struct torch_pickle *t, struct pickled *call, struct datum *out)
{
	struct value *v;
	(void)call;
	if (!new_array(t, -1, NULL, &v))
		return false;
	v->layout = unfinished;
	*out = datum_pointer(D_TENSOR, v);
	return true;
}

/* dtype('f4', False, True), whose state has the byte order.  False: not one of numbers. */
static bool dtype_of(struct datum d, enum dtype *out, bool *swapped)
{
	const struct pickled *p = pickled_of(d);
	const struct pickled *class = p && p->name && strcmp(p->name, "numpy.dtype") == 0 ? pickled_of(torch_argument(p, 0)) : NULL;
	struct datum code = p ? torch_argument(p, 0) : d;
	const struct seq *state = p && datum_is_seq(p->state) && p->state.u.seq->n > 1 ? p->state.u.seq : NULL;
	if (class && class->name && strncmp(class->name, "ml_dtypes.", 10) == 0) {
		*swapped = false;
		*out = dtype_from_name(class->name + 10);
		return *out != DT_NONE;
	}
	if (code.kind != D_STR || (p && (!p->name || strcmp(p->name, "numpy.dtype") != 0)) || !npy_dtype(code.u.s, out, swapped, NULL))
		return false;
	*swapped = dtype_size(*out) > 1 && state && state->items[1].kind == D_STR && strcmp(state->items[1].u.s, ">") == 0;
	return true;
}

static const unsigned char *bytes_of(struct datum d, size_t *n)
{
	const struct pickled *p = pickled_of(d);
	if (p && (p->kind == PICKLED_BYTES || p->kind == PICKLED_TEXT))
		return *n = p->n_bytes, p->bytes;
	if (p && p->kind == PICKLED_CALL && p->name && (strcmp(p->name, "__builtin__.bytes") == 0 || strcmp(p->name, "builtins.bytes") == 0))
		return *n = 0, (const unsigned char *)"";        /* bytes(), the empty one of protocol 2 */
	return d.kind == D_STR ? (*n = strlen(d.u.s), (const unsigned char *)d.u.s) : NULL;
}

/* Fills v; what is no array of numbers stays as it is. */
static bool fill(struct torch_pickle *t, struct value *v, struct datum shape, struct datum dtype, bool fortran, struct datum data)
{
	enum dtype d;
	bool swapped;
	int64_t size[MAX_DIMS];
	size_t n = 0;
	const unsigned char *bytes = bytes_of(data, &n);
	if (!dtype_of(dtype, &d, &swapped))
		return true;
	if (!datum_is_seq(shape) || shape.u.seq->n > MAX_DIMS || !bytes)
		return fail(t->err, NNS_FORMAT, "an array without a shape or without bytes");
	for (size_t i = 0; i < shape.u.seq->n; i++) {
		if (!datum_is_int(shape.u.seq->items[i]) || (size[i] = datum_as_int(shape.u.seq->items[i])) < 0)
			return fail(t->err, NNS_FORMAT, "a size of an array is no number");
	}
	if (!shape_fits((int)shape.u.seq->n, size, d))
		return fail(t->err, NNS_FORMAT, "an array of more bytes than 63 bits can count");
	struct value *full = value_new(t->arena, d, (int)shape.u.seq->n, size);
	if (!full)
		return fail_memory(t->err);
	if ((uint64_t)value_bytes(full) > n)
		return fail(t->err, NNS_FORMAT, "an array of %lld bytes over %zu", (long long)value_bytes(full), n);
	if (fortran)
		npy_column_major(full);
	full->storage = bytes;
	full->storage_bytes = n;
	*v = *full;
	return !swapped || (torch_spend(t, (uint64_t)value_bytes(v)) && npy_swap(t->arena, v, t->err));
}

bool numpy_set_state(struct torch_pickle *t, struct value *v, struct datum state)
{
	const struct seq *s = datum_is_seq(state) ? state.u.seq : NULL;
	size_t first = s && s->n == 5;   /* the version is missing in the oldest */
	if (!s || s->n < 4 || s->n > 5)
		return fail(t->err, NNS_FORMAT, "an array with a state of its own");
	return fill(t, v, s->items[first], s->items[first + 1], datum_truth(s->items[first + 2]), s->items[first + 3]);
}

/* scalar(dtype, bytes) */
static bool make_scalar(struct torch_pickle *t, struct pickled *call, struct datum *out)
{
	struct value *v;
	struct datum none;
	if (!datum_seq(t->arena, D_TUPLE, 0, &none))
		return fail_memory(t->err);
	if (!new_array(t, -1, NULL, &v) || !fill(t, v, none, torch_argument(call, 0), false, torch_argument(call, 1)))
		return false;
	if (v->dtype != DT_NONE)
		*out = datum_pointer(D_TENSOR, v);
	return true;
}

/* _frombuffer(bytes, dtype, shape, order) */
static bool make_from_buffer(struct torch_pickle *t, struct pickled *call, struct datum *out)
{
	struct value *v;
	struct datum order = torch_argument(call, 3);
	bool fortran = order.kind == D_STR && strcmp(order.u.s, "F") == 0;
	if (!new_array(t, -1, NULL, &v) || !fill(t, v, torch_argument(call, 2), torch_argument(call, 1), fortran, torch_argument(call, 0)))
		return false;
	*out = datum_pointer(D_TENSOR, v);
	return true;
}

/* NumPy 2 moved numpy.core to numpy._core. */
const struct torch_maker numpy_makers[] = {
	{ "numpy.core.multiarray._reconstruct", make_array },
	{ "numpy._core.multiarray._reconstruct", make_array },
	{ "numpy.core.multiarray.scalar", make_scalar },
	{ "numpy._core.multiarray.scalar", make_scalar },
	{ "numpy.core.numeric._frombuffer", make_from_buffer },
	{ "numpy._core.numeric._frombuffer", make_from_buffer },
	{ NULL, NULL }
};
