/* What shape rules work with: arguments by name, outputs, errors. */
#include <stdarg.h>
#include <string.h>

#include "ops/op.h"

/* ---- Arguments ---- */

static const struct datum none_datum = { .kind = D_NONE };

static const struct datum *arg(struct op_call *c, const char *name, const struct op_arg **as)
{
	int i = op_arg_index(c->op, name);
	if (as)
		*as = i < 0 ? NULL : &c->op->args[i];
	return i < 0 ? &none_datum : &c->args[i];
}

struct value *op_tensor(struct op_call *c, const char *name)
{
	const struct datum *d = arg(c, name, NULL);
	return d->kind == D_TENSOR ? d->u.p : NULL;
}

int64_t op_int(struct op_call *c, const char *name, int64_t none)
{
	const struct datum *d = arg(c, name, NULL);
	if (d->kind == D_FLOAT)
		return (int64_t)d->u.f;
	return datum_is_int(*d) ? datum_as_int(*d) : none;
}

double op_float(struct op_call *c, const char *name, double none)
{
	const struct datum *d = arg(c, name, NULL);
	return datum_is_number(*d) ? datum_as_float(*d) : none;
}

bool op_bool(struct op_call *c, const char *name, bool none)
{
	const struct datum *d = arg(c, name, NULL);
	return datum_is_int(*d) ? datum_as_int(*d) != 0 : none;
}

const char *op_str(struct op_call *c, const char *name)
{
	const struct datum *d = arg(c, name, NULL);
	return d->kind == D_STR ? d->u.s : NULL;
}

enum dtype op_dtype(struct op_call *c, const char *name, enum dtype none)
{
	const struct datum *d = arg(c, name, NULL);
	return d->kind == D_DTYPE ? (enum dtype)d->u.i : none;
}

bool op_is_none(struct op_call *c, const char *name)
{
	return arg(c, name, NULL)->kind == D_NONE;
}

const int64_t *op_ints(struct op_call *c, const char *name, int *n)
{
	static const int64_t nothing[1];
	const struct op_arg *as;
	const struct datum *d = arg(c, name, &as);
	*n = -1;
	if (d->kind == D_NONE)
		return nothing;
	size_t count = datum_is_seq(*d) ? d->u.seq->n : as && as->list_size ? (size_t)as->list_size : 1;
	/* stride=(2,) counts for every dimension, as expand_param_if_needed() in Convolution.cpp has it */
	bool spread = datum_is_seq(*d) && count == 1 && as && as->list_size > 1;
	size_t total = spread ? (size_t)as->list_size : count;
	int64_t *v = arena_array(c->arena, total ? total : 1, sizeof *v);
	if (!v)
		return fail_memory(c->err), nothing;
	for (size_t i = 0; i < total; i++) {
		struct datum item = datum_is_seq(*d) ? d->u.seq->items[spread ? 0 : i] : *d;
		v[i] = item.kind == D_FLOAT ? (int64_t)item.u.f : datum_as_int(item);
	}
	*n = (int)total;
	return v;
}

struct value **op_tensors(struct op_call *c, const char *name, int *n)
{
	const struct datum *d = arg(c, name, NULL);
	*n = 0;
	if (!datum_is_seq(*d))
		return NULL;
	struct value **v = arena_array(c->arena, d->u.seq->n + 1, sizeof *v);
	if (!v)
		return fail_memory(c->err), NULL;
	*n = (int)d->u.seq->n;
	for (int i = 0; i < *n; i++)
		v[i] = d->u.seq->items[i].kind == D_TENSOR ? d->u.seq->items[i].u.p : NULL;
	return v;
}

struct datum *node_arg(const struct node *n, const char *name)
{
	int i = op_arg_index(n->op, name);
	return i < 0 ? NULL : &n->args[i];
}

struct value *node_tensor(const struct node *n, const char *name)
{
	struct datum *d = node_arg(n, name);
	return d && d->kind == D_TENSOR ? d->u.p : NULL;
}

/* ---- Outputs ---- */

static struct value *push(struct op_call *c, struct value *v)
{
	struct value **outputs = arena_grow(c->arena, c->outputs, c->n_outputs, &c->cap_outputs, sizeof *outputs);
	if (!outputs)
		return fail_memory(c->err), NULL;
	c->outputs = outputs;
	outputs[c->n_outputs++] = v;
	return v;
}

struct value *op_out(struct op_call *c, enum dtype dtype, int ndim, const int64_t *size)
{
	if (ndim > MAX_DIMS) {
		op_fail(c, "%d dimensions are more than the %d that a tensor can have", ndim, MAX_DIMS);
		return NULL;
	}
	for (int i = 0; i < ndim; i++)
		if (size[i] < 0) {
			op_fail(c, "dimension %d of the result would be %lld", i, (long long)size[i]);
			return NULL;
		}
	if (!shape_fits(ndim, size, dtype)) {
		op_fail(c, "the result has more elements than can be counted");
		return NULL;
	}
	struct value *v = value_new(c->arena, dtype, ndim, size);
	if (!v)
		return fail_memory(c->err), NULL;
	return push(c, v);
}

struct value *op_out_strided(struct op_call *c, enum dtype dtype, int ndim, const int64_t *size, const int64_t *stride)
{
	struct value *v = op_out(c, dtype, ndim, size);
	if (v && ndim > 0)
		memcpy(v->stride, stride, (size_t)ndim * sizeof *stride);
	return v;
}

struct value *op_out_view(struct op_call *c, struct value *of, int ndim, const int64_t *size, const int64_t *stride, int64_t offset)
{
	struct value *v = op_out_strided(c, of->dtype, ndim, size, stride);
	if (!v)
		return NULL;
	v->base = of->base ? of->base : of;
	v->offset = offset;
	return v;
}

bool op_out_same(struct op_call *c, struct value *v)
{
	return push(c, v) != NULL;
}

bool op_return(struct op_call *c, struct datum d)
{
	c->result = d;
	c->has_result = true;
	return true;
}

bool op_return_list(struct op_call *c)
{
	struct datum list;
	if (!datum_seq(c->arena, D_LIST, c->n_outputs, &list))
		return fail_memory(c->err);
	for (size_t i = 0; i < c->n_outputs; i++)
		if (!seq_push(c->arena, list.u.seq, datum_pointer(D_TENSOR, c->outputs[i])))
			return fail_memory(c->err);
	return op_return(c, list);
}

/* ---- Errors ---- */

/* One conversion of fmt, from '%' to its letter, written with the next argument. */
static const char *add_conversion(struct text *t, const char *p, va_list *ap)
{
	char spec[16];
	size_t n = strcspn(p + 1, "dsguzlV%c") + 1;
	while (p[n] == 'l' || p[n] == 'z')
		n++;
	n++;
	if (n >= sizeof spec)
		return p + n;
	memcpy(spec, p, n);
	spec[n] = 0;
	bool wide = strchr(spec, 'l') || strchr(spec, 'z');
	switch (spec[n - 1]) {
	case 'V': shape_add_list(t, va_arg(*ap, struct value *)); break;
	case 's': text_add(t, va_arg(*ap, const char *)); break;
	case 'g': text_addf(t, "%g", va_arg(*ap, double)); break;
	case 'c': text_addc(t, (char)va_arg(*ap, int)); break;
	case 'd': case 'u':
		if (wide)
			text_addf(t, "%lld", va_arg(*ap, long long));
		else
			text_addf(t, "%d", va_arg(*ap, int));
		break;
	default: text_addc(t, '%'); break;
	}
	return p + n;
}

bool op_fail(struct op_call *c, const char *fmt, ...)
{
	struct text t;
	va_list ap;
	text_init(&t);
	va_start(ap, fmt);
	for (const char *p = fmt; *p; ) {
		if (*p == '%') {
			p = add_conversion(&t, p, &ap);
			continue;
		}
		text_addc(&t, *p++);
	}
	va_end(ap);
	if (t.failed)
		fail_memory(c->err);
	else
		fail(c->err, NNS_MODEL, "%s: %s", c->label ? c->label : c->op->base_name, t.data ? t.data : "");
	text_release(&t);
	return false;
}

bool op_dim(struct op_call *c, int64_t dim, int ndim, int *out)
{
	int range = ndim == 0 ? 1 : ndim; /* a scalar has dimension 0 and -1 (c10/core/WrapDimMinimal.h) */
	if (dim < -range || dim >= range)
		return op_fail(c, "dimension %lld is out of range; expected %d to %d", (long long)dim, -range, range - 1);
	*out = (int)(dim < 0 ? dim + range : dim);
	return true;
}
