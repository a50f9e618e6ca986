/*
 * Attention (aten/src/ATen/native/transformers/{attention,transformer}.cpp,
 * native/cpu/FlashAttentionKernel.cpp), computed in float64.
 */
#include <math.h>
#include <string.h>

#include "exec/gemm.h"
#include "exec/layout.h"

/* One head: queries [t, d], keys [s, d] and values [s, d] with rows ld elements apart. */
struct head {
	const double *query, *key, *value;
	int64_t t, s, d, ld, ld_key;
	double scale;
	bool causal;
	const double *mask;              /* is added; or NULL */
	int64_t mask_row, mask_column;   /* its steps */
	double *out;
	int64_t ld_out;
	double *log_sums;                /* or NULL; steps of log_step */
	int64_t log_step;
	double *weights;                 /* or NULL: where [t, s] weights are added ... */
	double share;                    /* ... times this */
};

enum { ROWS = 64 };                      /* queries at a time */

/* Softmax in place; a row of which all is masked gives zeros.  Returns the log of the sum. */
static double softmax_row(double *v, int64_t n)
{
	double most = -INFINITY, sum = 0;
	for (int64_t i = 0; i < n; i++)
		most = v[i] > most || isnan(v[i]) ? v[i] : most;
	if (most == -INFINITY) {
		memset(v, 0, (size_t)n * sizeof *v);
		return 0;
	}
	for (int64_t i = 0; i < n; i++)
		sum += v[i] = exp(v[i] - most);
	for (int64_t i = 0; i < n; i++)
		v[i] /= sum;
	return most + log(sum);
}

/* Queries [from, from + n); scores is [n, s]. */
static void attend_rows(struct kernel_call *k, const struct head *h, int64_t from, int64_t n, double *scores)
{
	gemm_double(k, false, true, n, h->s, h->d, h->scale, h->query + from * h->ld, h->ld, h->key, h->ld_key, 0, scores, h->s);
	for (int64_t i = 0; i < n; i++) {
		double *row = scores + i * h->s;
		for (int64_t j = 0; j < h->s && h->mask; j++)
			row[j] += h->mask[(from + i) * h->mask_row + j * h->mask_column];
		for (int64_t j = from + i + 1; j < h->s && h->causal; j++)
			row[j] = -INFINITY;
		double log_sum = softmax_row(row, h->s);
		if (h->log_sums)
			h->log_sums[(from + i) * h->log_step] = log_sum;
		for (int64_t j = 0; j < h->s && h->weights; j++)
			h->weights[(from + i) * h->s + j] += row[j] * h->share;
	}
	gemm_double(k, false, false, n, h->d, h->s, 1, scores, h->s, h->value, h->ld_key, 0, h->out + from * h->ld_out, h->ld_out);
}

/* scores: room for ROWS * s */
static void attend(struct kernel_call *k, const struct head *h, double *scores)
{
	for (int64_t i = 0; i < h->t && h->d > 0 && h->s > 0; i += ROWS)
		attend_rows(k, h, i, h->t - i < ROWS ? h->t - i : ROWS, scores);
}

/* ---- scaled_dot_product_attention() ---- */

static bool flash_fits(struct kernel_call *k, const struct tensor *q, const struct tensor *key, const struct tensor *v)
{
	if (q->ndim != 4 || key->ndim != 4 || v->ndim != 4)
		return kernel_fail(k, "query, key and value need 4 dimensions");
	bool fits = key->size[0] == q->size[0] && key->size[3] == q->size[3] && key->size[1] > 0 && q->size[1] % key->size[1] == 0;
	for (int i = 0; i < 4; i++)
		fits = fits && v->size[i] == key->size[i];
	if (!fits)
		return kernel_fail(k, "query, key and value do not fit each other");
	return arg_real(k, "dropout_p", 0) == 0 || kernel_fail(k, "this attention has no dropout");
}

/* The mask seen as [batch, heads, t, s], of float64. */
static bool mask_read(struct kernel_call *k, struct tensor *mask, const int64_t *size, struct window *w)
{
	int64_t shape[MAX_DIMS];
	int n;
	struct tensor full = { .ndim = 4, .size = (int64_t *)size };
	struct tensor *both[2] = { &full, mask }, *c = converted(k, mask, DT_FLOAT64);
	if (!c || !broadcast_shapes(k, both, 2, &n, shape))
		return false;
	if (n != 4 || memcmp(shape, size, 4 * sizeof *size) != 0)
		return kernel_fail(k, "the mask does not broadcast to the scores");
	window_of(w, c);
	window_expand(w, 4, size);
	return true;
}

static bool k_flash(struct kernel_call *k)
{
	struct tensor *q = arg_tensor(k, "query"), *key = arg_tensor(k, "key"), *v = arg_tensor(k, "value"), *mask = arg_tensor(k, "attn_mask");
	struct window m;
	if (!flash_fits(k, q, key, v))
		return false;
	int64_t b = q->size[0], heads = q->size[1], t = q->size[2], d = q->size[3], s = key->size[2], shared = heads / key->size[1];
	int64_t scores_size[4] = { b, heads, t, s }, log_size[3] = { b, heads, t }, log_stride[3] = { t * heads, 1, heads };
	if (mask && !mask_read(k, mask, scores_size, &m))
		return false;
	struct tensor *out = out_like(k, q, q->dtype);
	struct tensor *logs = out ? out_strided(k, q->dtype == DT_FLOAT64 ? DT_FLOAT64 : DT_FLOAT32, 3, log_size, log_stride) : NULL;
	const double *from = logs ? doubles_of(k, q) : NULL, *keys = from ? doubles_of(k, key) : NULL, *values = keys ? doubles_of(k, v) : NULL;
	double *scores = values ? scratch_alloc(k, ROWS * s, sizeof *scores) : NULL;
	double *to = scores ? doubles_for(k, out) : NULL, *sums = to ? doubles_for(k, logs) : NULL;
	for (int64_t i = 0; sums && i < b * heads; i++) {
		int64_t pair = i / heads * key->size[1] + i % heads / shared;
		struct head h = { .query = from + i * t * d, .key = keys + pair * s * d, .value = values + pair * s * d, .t = t, .s = s, .d = d,
		                  .ld = d, .ld_key = d, .scale = arg_real(k, "scale", 1 / sqrt((double)d)), .causal = arg_bool(k, "is_causal", false),
		                  .out = to + i * t * d, .ld_out = d, .log_sums = sums + i * t, .log_step = 1 };
		if (mask) {
			h.mask = (const double *)(const void *)tensor_data(&m.t) + i / heads * m.stride[0] + i % heads * m.stride[1];
			h.mask_row = m.stride[2];
			h.mask_column = m.stride[3];
		}
		attend(k, &h, scores);
	}
	return sums != NULL;
}

/* ---- Attention with its projections, and the whole encoder layer ---- */

/* x weight^T + bias: [rows, in] -> [rows, out]; weight is rows of in */
static bool project(struct kernel_call *k, const double *x, int64_t rows, int64_t in, const struct tensor *weight, const struct tensor *bias,
                    int64_t first, int64_t out, double *y, int64_t ld)
{
	if (weight->ndim != 2 || weight->size[1] != in || weight->size[0] < first + out || (bias && tensor_numel(bias) < first + out))
		return kernel_fail(k, "a weight does not fit %lld features", (long long)in);
	const double *w = doubles_of(k, weight), *b = w && bias ? doubles_of(k, bias) : NULL;
	if (!w || (bias && !b))
		return false;
	for (int64_t i = 0; i < rows; i++)
		for (int64_t j = 0; j < out; j++)
			y[i * ld + j] = b ? b[first + j] : 0;
	if (rows > 0 && out > 0)
		gemm_double(k, false, true, rows, out, in, 1, x, in, w + first * in, in, 1, y, ld);
	return true;
}

struct attention {
	int64_t batch, t, s, width, heads;
	const double *query, *key, *value;       /* [batch, t or s, width] */
	const double *mask;                      /* [batch, heads, t, s] of 0 and -inf, by the strides; or NULL */
	int64_t mask_stride[4];
	double *weights;                         /* [batch, heads or 1, t, s], or NULL */
	bool averaged;
};

/* True means "not seen": [t, s], [batch, s] or all, by mask_type (masked_softmax in native/cpu/SoftMaxKernel.cpp). */
static bool attention_mask(struct kernel_call *k, struct attention *a)
{
	struct tensor *mask = arg_tensor(k, "mask");
	int64_t type = arg_int(k, "mask_type", 2), size[4] = { a->batch, a->heads, a->t, a->s };
	struct window w;
	if (!mask)
		return true;
	window_of(&w, mask);
	if (type == 1 && mask->ndim == 2) {      /* [batch, s] -> [batch, 1, 1, s] */
		w.t.ndim = 4;
		w.size[3] = mask->size[1];
		w.stride[3] = mask->stride[1];
		w.size[1] = w.size[2] = 1;
	}
	if (mask->dtype != DT_BOOL)
		return kernel_fail(k, "the mask is %s; expected bool", dtype_name(mask->dtype));
	struct window full;
	if (!mask_read(k, &w.t, size, &full))
		return false;
	for (int i = 0; i < 4; i++)
		a->mask_stride[i] = full.stride[i];
	double *v = scratch_alloc(k, tensor_numel(mask), sizeof *v);
	const double *hidden = (const double *)(const void *)tensor_data(&full.t);
	for (int64_t i = 0; v && i < tensor_numel(mask); i++)
		v[i] = hidden[i] != 0 ? -INFINITY : 0;
	a->mask = v;
	return v != NULL;
}

/* All heads, then the projection of what they give: y is [batch, t, width]. */
static bool attention_run(struct kernel_call *k, const struct attention *a, double *y)
{
	struct tensor *weight = arg_tensor(k, "qkv_weight"), *bias = arg_tensor(k, "qkv_bias");
	int64_t n = a->batch * a->t, m = a->batch * a->s, e = a->width, d = e / a->heads;
	double *q = scratch_alloc(k, n * e, sizeof *q), *kv = scratch_alloc(k, m * 2 * e, sizeof *kv), *o = scratch_alloc(k, n * e, sizeof *o);
	double *scores = scratch_alloc(k, ROWS * a->s, sizeof *scores);
	if (!q || !kv || !o || !scores || !project(k, a->query, n, e, weight, bias, 0, e, q, e) ||
	    !project(k, a->key, m, e, weight, bias, e, e, kv, 2 * e) || !project(k, a->value, m, e, weight, bias, 2 * e, e, kv + e, 2 * e))
		return false;
	for (int64_t i = 0; i < a->batch * a->heads; i++) {
		int64_t batch = i / a->heads, at = i % a->heads * d, place = a->averaged ? batch : i;
		struct head h = { .query = q + batch * a->t * e + at, .key = kv + batch * a->s * 2 * e + at, .value = kv + batch * a->s * 2 * e + e + at,
		                  .t = a->t, .s = a->s, .d = d, .ld = e, .ld_key = 2 * e, .scale = 1 / sqrt((double)d),
		                  .mask = a->mask ? a->mask + batch * a->mask_stride[0] + i % a->heads * a->mask_stride[1] : NULL,
		                  .mask_row = a->mask_stride[2], .mask_column = a->mask_stride[3],
		                  .out = o + batch * a->t * e + at, .ld_out = e, .weights = a->weights ? a->weights + place * a->t * a->s : NULL,
		                  .share = a->averaged ? 1 / (double)a->heads : 1 };
		attend(k, &h, scores);
	}
	return project(k, o, n, e, arg_tensor(k, "proj_weight"), arg_tensor(k, "proj_bias"), 0, e, y, e);
}

static bool attention_fits(struct kernel_call *k, struct attention *a, const struct tensor *q, const struct tensor *key, const char *heads)
{
	if (q->ndim != 3 || key->ndim != 3 || key->size[0] != q->size[0] || key->size[2] != q->size[2])
		return kernel_fail(k, "query and key must be [batch, length, features] and fit each other");
	*a = (struct attention){ .batch = q->size[0], .t = q->size[1], .s = key->size[1], .width = q->size[2], .heads = arg_int(k, heads, 1) };
	if (a->heads < 1 || a->width % a->heads)
		return kernel_fail(k, "%lld features do not divide into %lld heads", (long long)a->width, (long long)a->heads);
	return attention_mask(k, a);
}

/* The weights: averaged over the heads, of each, or none. */
static bool k_native_attention(struct kernel_call *k)
{
	struct tensor *q = arg_tensor(k, "query"), *key = arg_tensor(k, "key"), *value = arg_tensor(k, "value");
	struct attention a;
	if (!attention_fits(k, &a, q, key, "num_head"))
		return false;
	if (value->ndim != 3 || memcmp(value->size, key->size, 3 * sizeof *key->size) != 0)
		return kernel_fail(k, "key and value must have the same sizes");
	bool wanted = arg_bool(k, "need_weights", true);
	a.averaged = arg_bool(k, "average_attn_weights", true);
	int64_t each[4] = { a.batch, a.heads, a.t, a.s }, average[3] = { a.batch, a.t, a.s }, none = 0;
	struct tensor *out = out_new(k, q->dtype, 3, q->size);
	struct tensor *weights = !out ? NULL : !wanted ? out_new(k, q->dtype, 1, &none) :
	                         a.averaged ? out_new(k, q->dtype, 3, average) : out_new(k, q->dtype, 4, each);
	double *y = weights ? doubles_for(k, out) : NULL;
	a.weights = y && wanted ? doubles_for(k, weights) : NULL;
	a.query = y ? doubles_of(k, q) : NULL;
	a.key = y ? doubles_of(k, key) : NULL;
	a.value = y ? doubles_of(k, value) : NULL;
	return a.query && a.key && a.value && (!wanted || a.weights) && attention_run(k, &a, y);
}

static bool normalise(struct kernel_call *k, double *x, int64_t rows, int64_t n, const char *weight, const char *bias)
{
	struct tensor *scale = arg_tensor(k, weight), *shift = arg_tensor(k, bias);
	const double *w = doubles_of(k, scale), *b = doubles_of(k, shift);
	if (!w || !b || tensor_numel(scale) != n || tensor_numel(shift) != n)
		return w && b && kernel_fail(k, "a norm does not fit %lld features", (long long)n);
	for (; rows > 0; rows--, x += n) {
		double mean = 0, square = 0;
		for (int64_t i = 0; i < n; i++)
			mean += x[i] / (double)n;
		for (int64_t i = 0; i < n; i++)
			square += (x[i] - mean) * (x[i] - mean) / (double)n;
		double rstd = 1 / sqrt(square + arg_real(k, "eps", 1e-5));
		for (int64_t i = 0; i < n; i++)
			x[i] = (x[i] - mean) * rstd * w[i] + b[i];
	}
	return true;
}

/* x through the two layers of the feed-forward network */
static bool feed_forward(struct kernel_call *k, const double *x, int64_t rows, int64_t n, double *y)
{
	struct tensor *first = arg_tensor(k, "ffn_weight_1");
	int64_t hidden = first->ndim == 2 ? first->size[0] : 0;
	bool gelu = arg_bool(k, "use_gelu", false);
	double *h = scratch_alloc(k, rows * hidden, sizeof *h);
	if (!h || !project(k, x, rows, n, first, arg_tensor(k, "ffn_bias_1"), 0, hidden, h, hidden))
		return false;
	for (int64_t i = 0; i < rows * hidden; i++)
		h[i] = gelu ? h[i] * 0.5 * (1 + erf(h[i] * sqrt(0.5))) : h[i] < 0 ? 0 : h[i];
	return project(k, h, rows, hidden, arg_tensor(k, "ffn_weight_2"), arg_tensor(k, "ffn_bias_2"), 0, n, y, n);
}

static void add(double *y, const double *x, int64_t n)
{
	for (int64_t i = 0; i < n; i++)
		y[i] += x[i];
}

/* Norms come before attention and feed-forward with norm_first, after the sums without. */
static bool k_encoder_layer(struct kernel_call *k)
{
	struct tensor *src = arg_tensor(k, "src");
	struct attention a;
	bool before = arg_bool(k, "norm_first", false);
	if (!attention_fits(k, &a, src, src, "num_heads"))
		return false;
	int64_t rows = a.batch * a.t, e = a.width, n = rows * e;
	struct tensor *out = out_new(k, src->dtype, 3, src->size);
	const double *from = out ? doubles_of(k, src) : NULL;
	double *x = scratch_alloc(k, n, sizeof *x), *y = scratch_alloc(k, n, sizeof *y), *z = from ? doubles_for(k, out) : NULL;
	if (!x || !y || !z)
		return false;
	memcpy(x, from, (size_t)n * sizeof *x);
	a.query = a.key = a.value = x;
	if ((before && !normalise(k, x, rows, e, "norm_weight_1", "norm_bias_1")) || !attention_run(k, &a, y))
		return false;
	add(y, from, n);
	if (!before && !normalise(k, y, rows, e, "norm_weight_1", "norm_bias_1"))
		return false;
	memcpy(x, y, (size_t)n * sizeof *x);
	if ((before && !normalise(k, x, rows, e, "norm_weight_2", "norm_bias_2")) || !feed_forward(k, x, rows, e, z))
		return false;
	add(z, y, n);
	return before || normalise(k, z, rows, e, "norm_weight_2", "norm_bias_2");
}

const struct kernel_row attention_kernels[] = {
	{ .name = "_scaled_dot_product_flash_attention_for_cpu", .run = k_flash },
	{ .name = "_native_multi_head_attention", .run = k_native_attention },
	{ .name = "_transformer_encoder_layer_fwd", .run = k_encoder_layer },
	{ 0 },
};
