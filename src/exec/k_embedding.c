/* Embedding tables (aten/src/ATen/native/{Embedding,EmbeddingBag}.cpp). */
#include <math.h>
#include <string.h>

#include "exec/lanes.h"
#include "exec/positions.h"

/* The rows of a table one after the other. */
static bool open_table(struct kernel_call *k, const struct tensor *t, struct lanes *l)
{
	if (t->ndim != 2)
		return kernel_fail(k, "the table must be a matrix, got %d dimensions", t->ndim);
	return lanes_along(k, t, 1, false, DT_NONE, l);
}

static bool k_embedding(struct kernel_call *k)
{
	struct tensor *weight = arg_tensor(k, "weight"), *indices = arg_tensor(k, "indices"), *out;
	int64_t size[MAX_DIMS], n = tensor_numel(indices);
	struct lanes l;
	if (!open_table(k, weight, &l))
		return false;
	if (indices->ndim >= MAX_DIMS)
		return kernel_fail(k, "%d dimensions are too many", indices->ndim + 1);
	for (int i = 0; i < indices->ndim; i++)
		size[i] = indices->size[i];
	size[indices->ndim] = l.length;
	const int64_t *at = indices_of(k, indices, l.count, false);
	if (!at || !(out = out_new(k, weight->dtype, indices->ndim + 1, size)))
		return false;
	size_t row = (size_t)l.length * dtype_size(l.dtype);
	for (int64_t i = 0; i < n; i++)
		memcpy(tensor_data(out) + (size_t)i * row, l.data + (size_t)at[i] * row, row);
	return true;
}

static double norm_of_row(const double *x, int64_t n, double p)
{
	double sum = 0;
	for (int64_t i = 0; i < n; i++)
		sum = p == INFINITY ? fmax(sum, fabs(x[i])) : sum + pow(fabs(x[i]), p);
	return p == INFINITY ? sum : pow(sum, 1 / p);
}

/* Rows that are looked up are scaled down to a norm of max_norm, each once. */
static bool k_embedding_renorm(struct kernel_call *k)
{
	struct tensor *self = arg_tensor(k, "self"), *indices = arg_tensor(k, "indices"), *out;
	double limit = arg_real(k, "max_norm", 0), p = arg_real(k, "norm_type", 2);
	struct lanes l;
	if (!open_table(k, self, &l) || !(out = out_new(k, self->dtype, 2, self->size)))
		return false;
	const int64_t *at = indices_of(k, indices, l.count, false);
	bool *done = at ? scratch_alloc(k, l.count, sizeof *done) : NULL;
	double *x = done ? scratch_alloc(k, l.count * l.length, sizeof *x) : NULL;
	if (!x)
		return false;
	tensor_to_doubles(self, x);
	for (int64_t i = 0, n = tensor_numel(indices); i < n; i++) {
		double *row = x + at[i] * l.length, norm = norm_of_row(row, l.length, p);
		for (int64_t j = 0; !done[at[i]] && norm > limit && j < l.length; j++)
			row[j] *= limit / (norm + 1e-7);
		done[at[i]] = true;
	}
	tensor_from_doubles(out, x);
	return true;
}

/* ---- Bags ---- */

enum bag_mode { BAG_SUM, BAG_MEAN, BAG_MAX };

struct bags {
	enum bag_mode mode;
	struct lanes table;
	const double *weight;            /* the table's elements */
	const double *scale;             /* by index, for sum; or NULL */
	const int64_t *at, *from;        /* the rows, and where each bag begins, count + 1 */
	int64_t n, count, padding;
	double *out;
	int64_t *owner;                  /* the bag of each index; NULL when nobody asks */
	int64_t *sizes, *largest;        /* sizes: NULL for sum; largest: for max, by bag and column */
};

static bool open_bags(struct kernel_call *k, struct bags *b)
{
	struct tensor *indices = arg_tensor(k, "indices"), *offsets = arg_tensor(k, "offsets"), *scale = arg_tensor(k, "per_sample_weights");
	b->mode = arg_int(k, "mode", 0) == 2 ? BAG_MAX : arg_int(k, "mode", 0) == 1 ? BAG_MEAN : BAG_SUM;
	b->padding = arg_int(k, "padding_idx", -1);
	b->n = tensor_numel(indices);
	bool ends = arg_bool(k, "include_last_offset", false);
	if (indices->ndim != 1 || offsets->ndim != 1 || (ends && offsets->size[0] < 1))
		return kernel_fail(k, "indices and offsets must be vectors, got %d and %d dimensions", indices->ndim, offsets->ndim);
	if (scale && (b->mode != BAG_SUM || tensor_numel(scale) != b->n))
		return kernel_fail(k, "per_sample_weights are for mode 'sum', one for each index");
	b->count = offsets->size[0] - ends;
	int64_t *from = scratch_alloc(k, b->count + 1, sizeof *from);
	const int64_t *given = from ? ints_of(k, offsets) : NULL;
	if (!given || !open_table(k, arg_tensor(k, "weight"), &b->table) || !(b->at = indices_of(k, indices, b->table.count, false)))
		return false;
	for (int64_t i = 0; i <= b->count; i++) {
		from[i] = i < b->count ? given[i] : b->n;
		if (from[i] < (i ? from[i - 1] : 0) || from[i] > b->n || (i == 0 && b->count && from[0] != 0))
			return kernel_fail(k, "offset %lld of bag %lld: offsets begin with 0, do not fall and end within %lld indices", (long long)from[i],
			                   (long long)i, (long long)b->n);
	}
	if (ends && given[b->count] >= 0 && given[b->count] <= b->n && (b->count == 0 || given[b->count] >= from[b->count - 1]))
		from[b->count] = given[b->count];
	b->from = from;
	b->weight = doubles_of(k, arg_tensor(k, "weight"));
	return b->weight && (!scale || (b->scale = doubles_of(k, scale)));
}

static void add_row(struct bags *b, int64_t bag, int64_t i, bool first)
{
	int64_t width = b->table.length;
	const double *row = b->weight + b->at[i] * width;
	double *out = b->out + bag * width;
	for (int64_t j = 0; j < width; j++) {
		if (b->mode != BAG_MAX) {
			out[j] += row[j] * (b->scale ? b->scale[i] : 1);
		} else if (first || row[j] > out[j]) {
			out[j] = row[j];
			b->largest[bag * width + j] = b->at[i];
		}
	}
}

/* Padding counts for nothing but the owner. */
static void fill_bag(struct bags *b, int64_t bag)
{
	int64_t used = 0, width = b->table.length;
	for (int64_t i = b->from[bag]; i < b->from[bag + 1]; i++) {
		if (b->owner)
			b->owner[i] = bag;
		if (b->at[i] != b->padding)
			add_row(b, bag, i, used++ == 0);
	}
	if (b->sizes)
		b->sizes[bag] = used;
	for (int64_t j = 0; b->mode == BAG_MEAN && used > 1 && j < width; j++)
		b->out[bag * width + j] /= (double)used;
}

/*
 * Besides the bags come what the backward pass needs: each index's bag (none
 * when the sum has a fast way: is_fast_path()), the sizes of the bags (0 for
 * sum), and for max where the largest were, otherwise the sizes again.
 */
static bool embedding_bag(struct kernel_call *k, bool forward_only)
{
	struct tensor *weight = arg_tensor(k, "weight"), *out;
	struct bags b = { 0 };
	if (!open_bags(k, &b))
		return false;
	bool narrow = weight->dtype == DT_FLOAT32 || weight->dtype == DT_FLOAT16 || weight->dtype == DT_BFLOAT16;
	bool fast = b.mode == BAG_SUM && b.padding < 0 && weight->stride[1] == 1 && narrow;
	int64_t size[2] = { b.count, b.table.length }, none = 0;
	/* whoever needs no gradient leaves the sizes of a sum as long as the offsets */
	int64_t n_sizes = forward_only && b.mode == BAG_SUM ? tensor_numel(arg_tensor(k, "offsets")) : b.count;
	if (!(out = out_new(k, weight->dtype, 2, size)) || !(b.out = doubles_for(k, out)))
		return false;
	int64_t *owner = ints_for(k, out_new(k, DT_INT64, 1, fast ? &none : &b.n));
	int64_t *sizes = owner ? ints_for(k, out_new(k, DT_INT64, 1, &n_sizes)) : NULL;
	b.largest = sizes ? ints_for(k, b.mode == BAG_MAX ? out_new(k, DT_INT64, 2, size) : out_new(k, DT_INT64, 1, &n_sizes)) : NULL;
	if (!b.largest)
		return false;
	b.owner = fast ? NULL : owner;
	b.sizes = b.mode == BAG_SUM ? NULL : sizes;
	for (int64_t i = 0; i < b.count; i++)
		fill_bag(&b, i);
	if (b.mode == BAG_MEAN)
		memcpy(b.largest, sizes, (size_t)b.count * sizeof *sizes);
	return true;
}

static bool k_embedding_bag(struct kernel_call *k)
{
	return embedding_bag(k, false);
}

static bool k_embedding_bag_forward(struct kernel_call *k)
{
	return embedding_bag(k, true);
}

const struct kernel_row embedding_kernels[] = {
	{ .name = "embedding", .run = k_embedding },
	{ .name = "embedding_renorm", .run = k_embedding_renorm },
	{ .name = "_embedding_bag", .run = k_embedding_bag },
	{ .name = "_embedding_bag_forward_only", .run = k_embedding_bag_forward },
	{ 0 }
};
