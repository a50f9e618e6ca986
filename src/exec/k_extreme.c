/*
 * The largest and the least, and where they are
 * (aten/src/ATen/native/cpu/{ReduceAllOps,ReduceOps,TensorCompare}Kernel.cpp).
 * A NaN is both; of equal elements the first is meant.
 */
#include "exec/lanes.h"

/* For the least, keys in reverse; NaNs stay above all. */
static void reverse_keys(const struct lanes *l, int64_t *keys)
{
	bool real = dtype_is_float(l->dtype);
	for (int64_t i = 0, n = l->count * l->length; i < n; i++)
		if (!real || keys[i] != NAN_KEY)
			keys[i] = ~keys[i];
}

/* Where the extreme is in each lane. */
static int64_t *find(struct kernel_call *k, const struct lanes *l, bool least)
{
	if (!lanes_not_empty(k, l))
		return NULL;
	int64_t *keys = keys_of(k, l), *at = keys ? scratch_alloc(k, l->count, sizeof *at) : NULL;
	if (at && least)
		reverse_keys(l, keys);
	for (int64_t i = 0; at && i < l->count; i++)
		for (int64_t j = 1; j < l->length; j++)
			if (keys[i * l->length + j] > keys[i * l->length + at[i]])
				at[i] = j;
	return at;
}

static bool out_values(struct kernel_call *k, const struct lanes *l, const int64_t *at)
{
	struct tensor *out = out_new(k, l->dtype, l->ndim, l->size);
	for (int64_t i = 0; out && i < l->count; i++)
		lanes_take(l, i * l->length + at[i], out, i);
	return out != NULL;
}

static bool out_places(struct kernel_call *k, const struct lanes *l, const int64_t *at)
{
	struct tensor *out = out_new(k, DT_INT64, l->ndim, l->size);
	int64_t *v = ints_for(k, out);
	for (int64_t i = 0; v && i < l->count; i++)
		v[i] = at[i];
	return v != NULL;
}

static bool extreme(struct kernel_call *k, bool least, bool values, bool places)
{
	struct lanes l;
	int64_t *at = lanes_of_call(k, arg_tensor(k, "self"), DT_NONE, &l) ? find(k, &l, least) : NULL;
	return at && (!values || out_values(k, &l, at)) && (!places || out_places(k, &l, at));
}

static bool k_max(struct kernel_call *k) { return extreme(k, false, true, false); }
static bool k_min(struct kernel_call *k) { return extreme(k, true, true, false); }
static bool k_aminmax(struct kernel_call *k) { return k_min(k) && k_max(k); }
static bool k_max_dim(struct kernel_call *k) { return extreme(k, false, true, true); }
static bool k_min_dim(struct kernel_call *k) { return extreme(k, true, true, true); }
static bool k_argmax(struct kernel_call *k) { return extreme(k, false, false, true); }
static bool k_argmin(struct kernel_call *k) { return extreme(k, true, false, true); }

const struct kernel_row extreme_kernels[] = {
	{ .name = "max.dim", .run = k_max_dim },
	{ .name = "min.dim", .run = k_min_dim },
	{ .name = "max", .run = k_max },
	{ .name = "min", .run = k_min },
	{ .name = "amax", .run = k_max },
	{ .name = "amin", .run = k_min },
	{ .name = "aminmax", .run = k_aminmax },
	{ .name = "argmax", .run = k_argmax },
	{ .name = "argmin", .run = k_argmin },
	{ 0 }
};
