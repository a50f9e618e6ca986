/*
 * Normalisation (aten/src/ATen/native/{Normalization,layer_norm,group_norm,WeightNorm}.cpp).
 * Means and variances are summed in double.
 */
#include <math.h>

#include "exec/floats.h"
#include "exec/layout.h"

/* The element type of statistics: the parameters' where they are wider than the input (is_mixed_type). */
static enum dtype statistic(struct kernel_call *k, const struct tensor *input)
{
	static const char *const names[] = { "weight", "bias", "running_mean" };
	for (int i = 0; i < 3; i++) {
		const struct tensor *t = arg_tensor(k, names[i]);
		if (t)
			return dtype_promote(input->dtype, t->dtype);
	}
	return input->dtype;
}

/* ---- Batch norm: [N, C, *], each channel by itself ---- */

struct batch {
	struct kernel_call *k;
	const float *x;
	float *y;
	const double *weight, *bias;
	double *mean, *variance;         /* read when not training, else written; biased */
	double eps;
	bool training;
	enum dtype steps;                /* a half in which fresh statistics are kept; any other type: none */
	int64_t n, c, inner;
};

static double inverse_deviation(const struct batch *b, int64_t c)
{
	return half_rounded(b->steps, 1 / sqrt(b->variance[c] + b->eps));
}

enum { LANES = 16 };

/* One pass, over the distances from the first element: as accurate as two (floats_moments). */
static void measure(struct batch *b, int64_t c)
{
	int64_t packs = b->inner / LANES;
	float shift[LANES], first = b->n * b->inner > 0 ? b->x[c * b->inner] : 0;
	double sums[LANES] = { 0 }, squares[LANES] = { 0 }, sum = 0, square = 0, count = (double)(b->n * b->inner);
	first = isfinite(first) ? first : 0;
	for (int i = 0; i < LANES; i++)
		shift[i] = first;
	for (int64_t n = 0; n < b->n; n++) {
		const float *x = b->x + (n * b->c + c) * b->inner;
		if (packs)
			floats_moments(x, packs, shift, sums, squares);
		for (int64_t i = packs * LANES; i < b->inner; i++) {
			double d = (double)x[i] - first;
			sum += d;
			square += d * d;
		}
	}
	for (int i = 0; i < LANES; i++) {
		sum += sums[i];
		square += squares[i];
	}
	double variance = (square - sum * sum / count) / count;
	b->mean[c] = half_rounded(b->steps, first + sum / count);
	b->variance[c] = variance < 0 ? 0 : variance;
	if (b->steps == DT_BFLOAT16)     /* whose sum of squares is kept and divided in bfloat16; that of float16 is not */
		b->variance[c] = half_of(b->steps, half_of(b->steps, b->variance[c] * count) / half_of(b->steps, count));
}

static void normalise_channel(const struct batch *b, int64_t c)
{
	int64_t packs = b->inner / LANES;
	double factor = (b->weight ? b->weight[c] : 1) * inverse_deviation(b, c);
	float scale[LANES], shift[LANES];
	for (int i = 0; i < LANES; i++) {
		scale[i] = (float)factor;
		shift[i] = (float)((b->bias ? b->bias[c] : 0) - b->mean[c] * factor);
	}
	for (int64_t n = 0; n < b->n; n++) {
		const float *x = b->x + (n * b->c + c) * b->inner;
		float *y = b->y + (n * b->c + c) * b->inner;
		if (packs)
			floats_affine(y, x, packs, scale, shift, -INFINITY, INFINITY);
		for (int64_t i = packs * LANES; i < b->inner; i++)
			y[i] = x[i] * scale[0] + shift[0];
	}
}

static void normalise_channels(int64_t from, int64_t to, void *data)
{
	struct batch *b = data;
	for (int64_t c = from; c < to; c++) {
		if (b->training)
			measure(b, c);
		normalise_channel(b, c);
	}
}

/* The same in double, for float64. */
static void normalise_doubles(struct batch *b, const double *x, double *y)
{
	double count = (double)(b->n * b->inner);
	for (int64_t c = 0; c < b->c; c++) {
		double sum = 0, square = 0;
		for (int64_t n = 0; b->training && n < b->n; n++)
			for (int64_t i = 0; i < b->inner; i++)
				sum += x[(n * b->c + c) * b->inner + i];
		if (b->training)
			b->mean[c] = sum / count;
		for (int64_t n = 0; b->training && n < b->n; n++)
			for (int64_t i = 0; i < b->inner; i++)
				square += pow(x[(n * b->c + c) * b->inner + i] - b->mean[c], 2);
		if (b->training)
			b->variance[c] = square / count;
		double scale = (b->weight ? b->weight[c] : 1) / sqrt(b->variance[c] + b->eps), shift = b->bias ? b->bias[c] : 0;
		for (int64_t n = 0; n < b->n; n++)
			for (int64_t i = 0; i < b->inner; i++) {
				int64_t at = (n * b->c + c) * b->inner + i;
				y[at] = (x[at] - b->mean[c]) * scale + shift;
			}
	}
}

/* running = (1 - momentum) * running + momentum * new; variances without bias */
static bool update(struct batch *b, struct tensor *running, const double *fresh, double momentum, bool is_variance)
{
	double count = (double)(b->n * b->inner), *v = scratch_alloc(b->k, b->c, sizeof *v);
	if (!v)
		return false;
	tensor_to_doubles(running, v);
	for (int64_t c = 0; c < b->c; c++)
		v[c] = (1 - momentum) * v[c] + momentum * fresh[c] * (is_variance ? count / (count - 1) : 1);
	tensor_from_doubles(running, v);
	return true;
}

static bool statistics_out(struct batch *b, enum dtype dtype)
{
	int64_t n = b->training ? b->c : 0;
	struct tensor *mean = out_new(b->k, dtype, 1, &n), *inverse = mean ? out_new(b->k, dtype, 1, &n) : NULL;
	double *m = inverse ? doubles_for(b->k, mean) : NULL, *v = m ? doubles_for(b->k, inverse) : NULL;
	for (int64_t c = 0; v && c < n; c++) {
		m[c] = b->mean[c];
		v[c] = inverse_deviation(b, c);
	}
	return v != NULL;
}

static bool optional(struct kernel_call *k, const char *name, int64_t c, const double **out)
{
	struct tensor *t = arg_tensor(k, name);
	*out = NULL;
	if (!t)
		return true;
	if (tensor_numel(t) != c)
		return kernel_fail(k, "%s has %lld elements for %lld channels", name, (long long)tensor_numel(t), (long long)c);
	return (*out = doubles_of(k, t)) != NULL;
}

static bool run_batch(struct batch *b, const struct tensor *input, struct tensor *out)
{
	if (input->dtype == DT_FLOAT64) {
		const double *x = doubles_of(b->k, input);
		double *y = x ? doubles_for(b->k, out) : NULL;
		if (y)
			normalise_doubles(b, x, y);
		return y != NULL;
	}
	b->x = floats_of(b->k, input);
	b->y = b->x ? floats_for(b->k, out) : NULL;
	if (b->y)
		in_parallel(b->k, b->c, b->n * b->inner > 1 << 14 ? 1 : b->c, normalise_channels, b);
	return b->y != NULL;
}

/* Which of the operators it is: they differ in what they return beside the result, and in what they write. */
enum { NORM_TRAINS = 1, NORM_RESERVES = 2, NORM_RETURNS_RUNNING = 4 };

/* Running statistics, or what is returned in their place. */
static struct tensor *running(struct batch *b, const char *name, int variant)
{
	struct tensor *t = arg_tensor(b->k, name), *fresh = t && variant & NORM_RETURNS_RUNNING ? out_new(b->k, t->dtype, t->ndim, t->size) : NULL;
	if (fresh)
		tensor_copy(fresh, t);
	return variant & NORM_RETURNS_RUNNING ? fresh : t;
}

static bool write_running(struct batch *b, int variant)
{
	double momentum = arg_real(b->k, "momentum", 0.1);
	struct tensor *mean = running(b, "running_mean", variant), *variance = running(b, "running_var", variant);
	if (variant & NORM_RETURNS_RUNNING && (!mean || !variance))
		return false;
	return !b->training || ((!mean || update(b, mean, b->mean, momentum, false)) && (!variance || update(b, variance, b->variance, momentum, true)));
}

static bool batch_norm(struct kernel_call *k, int variant)
{
	struct tensor *input = arg_tensor(k, "input");
	struct batch b = { .k = k, .training = variant & NORM_TRAINS || arg_bool(k, "training", false), .eps = arg_real(k, "eps", 1e-5) };
	const double *mean, *variance;
	int64_t none = 0;
	if (input->ndim < 2)
		return kernel_fail(k, "an input of %d dimensions has no channels", input->ndim);
	b.n = input->size[0];
	b.c = input->size[1];
	b.inner = sizes_product(input->size, 2, input->ndim);
	struct tensor *out = out_format(k, input->dtype, input->ndim, input->size, tensor_format(input));
	if (!out || !optional(k, "weight", b.c, &b.weight) || !optional(k, "bias", b.c, &b.bias)
	    || !optional(k, "running_mean", b.c, &mean) || !optional(k, "running_var", b.c, &variance))
		return false;
	if (!b.training && (!mean || !variance))
		return kernel_fail(k, "there are no running statistics to use");
	if (b.training && dtype_is_half(statistic(k, input)))
		b.steps = input->dtype;
	b.mean = scratch_alloc(k, b.c, sizeof *b.mean);
	b.variance = b.mean ? scratch_alloc(k, b.c, sizeof *b.variance) : NULL;
	if (!b.variance)
		return false;
	for (int64_t c = 0; !b.training && c < b.c; c++) {
		b.mean[c] = mean[c];
		b.variance[c] = variance[c];
	}
	return run_batch(&b, input, out) && statistics_out(&b, statistic(k, input)) && (!(variant & NORM_RESERVES) || out_new(k, DT_UINT8, 1, &none)) &&
	       write_running(&b, variant);
}

static bool k_batch_norm(struct kernel_call *k)
{
	return batch_norm(k, 0);
}

static bool k_batch_norm_functional(struct kernel_call *k)
{
	return batch_norm(k, NORM_RETURNS_RUNNING);
}

static bool k_batch_norm_update(struct kernel_call *k)
{
	return batch_norm(k, NORM_TRAINS | NORM_RESERVES);
}

static bool k_batch_norm_update_functional(struct kernel_call *k)
{
	return batch_norm(k, NORM_TRAINS | NORM_RESERVES | NORM_RETURNS_RUNNING);
}

static bool k_batch_norm_no_update(struct kernel_call *k)
{
	return batch_norm(k, NORM_RESERVES);
}

/* ---- Rows: mean and variance of each, then weight and bias ---- */

struct rows {
	const double *x, *weight, *bias;
	double *y, *mean, *inverse, eps;
	int64_t width, repeat;           /* elements of a row; how many of them share one weight */
	int64_t groups, channels;        /* of group norm: the row's weights start at (row % groups) * channels */
};

static void normalise_rows(int64_t from, int64_t to, void *data)
{
	const struct rows *r = data;
	for (int64_t row = from; row < to; row++) {
		const double *x = r->x + row * r->width;
		double *y = r->y + row * r->width, sum = 0, square = 0;
		for (int64_t i = 0; i < r->width; i++)
			sum += x[i];
		double mean = sum / (double)r->width;
		for (int64_t i = 0; i < r->width; i++)
			square += (x[i] - mean) * (x[i] - mean);
		double inverse = 1 / sqrt(square / (double)r->width + r->eps);
		int64_t first = row % r->groups * r->channels;
		for (int64_t i = 0; i < r->width; i++) {
			int64_t at = first + i / r->repeat;
			y[i] = (x[i] - mean) * inverse * (r->weight ? r->weight[at] : 1) + (r->bias ? r->bias[at] : 0);
		}
		r->mean[row] = mean;
		r->inverse[row] = inverse;
	}
}

static bool run_rows(struct kernel_call *k, struct rows *r, const struct tensor *input, struct tensor *out, int ndim, const int64_t *size, int64_t count)
{
	enum dtype d = statistic(k, input);
	struct tensor *mean = out_new(k, d, ndim, size), *inverse = mean ? out_new(k, d, ndim, size) : NULL;
	r->x = inverse ? doubles_of(k, input) : NULL;
	r->y = r->x ? doubles_for(k, out) : NULL;
	r->mean = r->y ? doubles_for(k, mean) : NULL;
	r->inverse = r->mean ? doubles_for(k, inverse) : NULL;
	if (r->inverse)
		in_parallel(k, count, r->width ? (1 << 14) / r->width + 1 : 1, normalise_rows, r);
	return r->inverse != NULL;
}

static bool k_layer_norm(struct kernel_call *k)
{
	struct tensor *input = arg_tensor(k, "input");
	int n, lead;
	int64_t size[MAX_DIMS];
	n = arg_count(k, "normalized_shape");
	lead = input->ndim - n;
	if (n < 0 || lead < 0)
		return kernel_fail(k, "%d dimensions cannot be normalised of %d", n, input->ndim);
	struct rows r = { .eps = arg_real(k, "eps", 1e-5), .repeat = 1, .groups = 1, .width = sizes_product(input->size, lead, input->ndim) };
	r.channels = r.width;
	for (int i = 0; i < input->ndim; i++)
		size[i] = i < lead ? input->size[i] : 1;
	struct tensor *out = out_new(k, input->dtype, input->ndim, input->size);
	return out && optional(k, "weight", r.width, &r.weight) && optional(k, "bias", r.width, &r.bias)
	    && run_rows(k, &r, input, out, input->ndim, size, sizes_product(input->size, 0, lead));
}

static bool k_group_norm(struct kernel_call *k)
{
	struct tensor *input = arg_tensor(k, "input");
	int64_t n = arg_int(k, "N", 0), c = arg_int(k, "C", 0), area = arg_int(k, "HxW", 0), groups = arg_int(k, "group", 1), size[2] = { n, groups };
	if (groups <= 0 || c % groups || n < 0 || area < 0 || tensor_numel(input) != n * c * area)
		return kernel_fail(k, "%lld channels do not divide into %lld groups", (long long)c, (long long)groups);
	struct rows r = { .eps = arg_real(k, "eps", 1e-5), .repeat = area ? area : 1, .groups = groups, .channels = c / groups, .width = c / groups * area };
	struct tensor *out = out_like(k, input, input->dtype);
	return out && optional(k, "weight", c, &r.weight) && optional(k, "bias", c, &r.bias) && run_rows(k, &r, input, out, 2, size, n * groups);
}

/* w = v * g / |v|, the norm over all dimensions but dim; and the norms. */
static bool k_weight_norm(struct kernel_call *k)
{
	struct tensor *v = arg_tensor(k, "v"), *g = arg_tensor(k, "g");
	int dim;
	if (!arg_dim(k, "dim", v->ndim, &dim))
		return false;
	struct tensor *out = out_like(k, v, v->dtype),
		*norm = out ? out_new(k, g->dtype == DT_FLOAT16 || g->dtype == DT_BFLOAT16 ? DT_FLOAT32 : g->dtype, g->ndim, g->size) : NULL;
	const double *x = norm ? doubles_of(k, v) : NULL, *scale = x ? doubles_of(k, g) : NULL;
	double *y = scale ? doubles_for(k, out) : NULL, *length = y ? doubles_for(k, norm) : NULL;
	int64_t outer = sizes_product(v->size, 0, dim), n = v->size[dim], inner = sizes_product(v->size, dim + 1, v->ndim);
	if (!length)
		return false;
	if (tensor_numel(g) != n)
		return kernel_fail(k, "%lld lengths for %lld vectors", (long long)tensor_numel(g), (long long)n);
	for (int64_t c = 0; c < n; c++) {
		double square = 0;
		for (int64_t i = 0; i < outer; i++)
			for (int64_t j = 0; j < inner; j++)
				square += pow(x[(i * n + c) * inner + j], 2);
		length[c] = sqrt(square);
		for (int64_t i = 0; i < outer; i++)
			for (int64_t j = 0; j < inner; j++)
				y[(i * n + c) * inner + j] = x[(i * n + c) * inner + j] * scale[c] / length[c];
	}
	return true;
}

const struct kernel_row norm_kernels[] = {
	{ .name = "native_batch_norm", .run = k_batch_norm, .writes = "running_mean,running_var" },
	{ .name = "_native_batch_norm_legit", .run = k_batch_norm },
	{ .name = "_native_batch_norm_legit_no_training", .run = k_batch_norm },
	{ .name = "_native_batch_norm_legit_functional", .run = k_batch_norm_functional },
	{ .name = "_batch_norm_with_update", .run = k_batch_norm_update },
	{ .name = "_batch_norm_with_update_functional", .run = k_batch_norm_update_functional },
	{ .name = "_batch_norm_no_update", .run = k_batch_norm_no_update },
	{ .name = "native_layer_norm", .run = k_layer_norm },
	{ .name = "native_group_norm", .run = k_group_norm },
	{ .name = "_weight_norm_interface", .run = k_weight_norm },
	{ 0 }
};
