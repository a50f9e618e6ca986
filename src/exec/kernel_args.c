/* Arguments of a call, by their name in the schema. */
#include "exec/kernel.h"

static const struct datum none_datum = { .kind = D_NONE };

static const struct datum *arg(struct kernel_call *k, const char *name)
{
	int i = op_arg_index(k->op, name);
	return i < 0 ? &none_datum : &k->args[i];
}

struct tensor *arg_tensor(struct kernel_call *k, const char *name)
{
	const struct datum *d = arg(k, name);
	return d->kind == D_TENSOR ? d->u.p : NULL;
}

static struct tensor *tensor_of_number(struct kernel_call *k, struct datum d)
{
	struct tensor *t = temporary(k, d.kind == D_BOOL ? DT_BOOL : d.kind == D_INT ? DT_INT64 : DT_FLOAT64, 0, NULL);
	if (!t)
		return NULL;
	t->is_scalar = true;
	if (d.kind == D_FLOAT)
		elements_from_double(t->dtype, tensor_data(t), 1, 1, &d.u.f);
	else {
		int64_t i = datum_as_int(d);
		elements_from_int(t->dtype, tensor_data(t), 1, 1, &i);
	}
	return t;
}

struct tensor *arg_operand(struct kernel_call *k, const char *name)
{
	const struct datum *d = arg(k, name);
	if (d->kind == D_TENSOR)
		return d->u.p;
	if (datum_is_number(*d))
		return tensor_of_number(k, *d);
	kernel_fail(k, "the argument %s is neither a tensor nor a number", name);
	return NULL;
}

static int64_t whole(double d, int64_t none)
{
	return d > -0x1p62 && d < 0x1p62 ? (int64_t)d : none;
}

int64_t arg_int(struct kernel_call *k, const char *name, int64_t none)
{
	const struct datum *d = arg(k, name);
	if (d->kind == D_FLOAT)
		return whole(d->u.f, none);
	return datum_is_int(*d) ? datum_as_int(*d) : none;
}

double arg_real(struct kernel_call *k, const char *name, double none)
{
	const struct datum *d = arg(k, name);
	return datum_is_number(*d) ? datum_as_float(*d) : none;
}

bool arg_bool(struct kernel_call *k, const char *name, bool none)
{
	const struct datum *d = arg(k, name);
	return datum_is_number(*d) ? datum_as_float(*d) != 0 : none;
}

const char *arg_str(struct kernel_call *k, const char *name)
{
	const struct datum *d = arg(k, name);
	return d->kind == D_STR ? d->u.s : NULL;
}

enum dtype arg_dtype(struct kernel_call *k, const char *name, enum dtype none)
{
	const struct datum *d = arg(k, name);
	return d->kind == D_DTYPE ? (enum dtype)d->u.i : none;
}

bool arg_is_none(struct kernel_call *k, const char *name)
{
	return arg(k, name)->kind == D_NONE;
}

static struct datum item_of(const struct datum *d, int64_t i)
{
	return datum_is_seq(*d) ? d->u.seq->items[d->u.seq->n == 1 ? 0 : i] : *d;
}

/* stride=(2,) and stride=2 count for every dimension of int[2]. */
int arg_count(struct kernel_call *k, const char *name)
{
	int i = op_arg_index(k->op, name);
	const struct datum *d = arg(k, name);
	if (d->kind == D_NONE)
		return -1;
	int fixed = i >= 0 ? k->op->args[i].list_size : 0, n = datum_is_seq(*d) ? (int)d->u.seq->n : 1;
	return n == 1 && fixed > 1 ? fixed : n;
}

const int64_t *arg_ints(struct kernel_call *k, const char *name, int *n)
{
	static const int64_t nothing[1];
	const struct datum *d = arg(k, name);
	*n = arg_count(k, name);
	if (*n <= 0)
		return nothing;
	int64_t *v = scratch_alloc(k, *n, sizeof *v);
	*n = v ? *n : 0;
	for (int i = 0; i < *n; i++) {
		struct datum item = item_of(d, i);
		v[i] = item.kind == D_FLOAT ? whole(item.u.f, 0) : datum_is_int(item) ? datum_as_int(item) : 0;
	}
	return v;
}

const double *arg_reals(struct kernel_call *k, const char *name, int *n)
{
	static const double nothing[1];
	const struct datum *d = arg(k, name);
	*n = arg_count(k, name);
	if (*n <= 0)
		return nothing;
	double *v = scratch_alloc(k, *n, sizeof *v);
	*n = v ? *n : 0;
	for (int i = 0; i < *n; i++) {
		struct datum item = item_of(d, i);
		v[i] = datum_is_number(item) ? datum_as_float(item) : 0;
	}
	return v;
}

struct tensor **arg_tensors(struct kernel_call *k, const char *name, int *n)
{
	const struct datum *d = arg(k, name);
	*n = datum_is_seq(*d) ? (int)d->u.seq->n : 0;
	struct tensor **v = scratch_alloc(k, *n + 1, sizeof *v);
	for (int i = 0; v && i < *n; i++)
		v[i] = d->u.seq->items[i].kind == D_TENSOR ? d->u.seq->items[i].u.p : NULL;
	if (!v)
		*n = 0;
	return v;
}

static bool wrap_dim(struct kernel_call *k, int64_t dim, int ndim, int *out)
{
	int64_t n = ndim > 0 ? ndim : 1;
	if (dim < -n || dim >= n)
		return kernel_fail(k, "dimension %lld is out of range for %d dimensions", (long long)dim, ndim);
	*out = (int)(dim < 0 ? dim + n : dim);
	return true;
}

bool arg_dim(struct kernel_call *k, const char *name, int ndim, int *dim)
{
	return wrap_dim(k, arg_int(k, name, 0), ndim, dim);
}

bool arg_dims(struct kernel_call *k, const char *name, int ndim, bool *marked)
{
	int n, dim = 0;
	const int64_t *dims = arg_ints(k, name, &n);
	if (!dims)
		return false;
	for (int i = 0; i < ndim; i++)
		marked[i] = n <= 0;
	for (int i = 0; i < n; i++) {
		if (!wrap_dim(k, dims[i], ndim, &dim))
			return false;
		if (ndim > 0)
			marked[dim] = true;
	}
	return true;
}
