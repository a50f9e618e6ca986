/*
 * What a library of fast kernels is asked for.  The fast executor knows
 * graphs, slots and memory; a backend knows layouts and primitives.
 * dnnl*.c is the one there is.
 *
 * Layouts live in the arena that they were asked for with.  A primitive owns
 * its packed weights, and may go on reading those that it was made of, which
 * outlive it; drop it before its backend is freed.
 */
#ifndef EXEC_BACKEND_H
#define EXEC_BACKEND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"

/* How a tensor lies in memory: strides, or blocks of channels; float32 or bfloat16. */
struct layout;
struct primitive;

/* Arrays are as long as oneDNN reads them; tensors have at most BACKEND_DIMS dimensions. */
enum { BACKEND_DIMS = 6, BACKEND_ARRAY = 12, BACKEND_POSTS = 3 };

enum work_kind {
	WORK_NONE,
	WORK_REORDER,            /* in[0] to out */
	WORK_CONVOLUTION,        /* in[0], weights, bias */
	WORK_DECONVOLUTION,      /* the same, transposed */
	WORK_MAX_POOL, WORK_AVERAGE_POOL, WORK_AVERAGE_POOL_PADDED, /* the last counts padding too */
	WORK_MATMUL,             /* in[0] and weights, or in[0] and in[1]; bias */
	WORK_ELTWISE,            /* in[0] through its posts */
	WORK_ADD, WORK_SUB, WORK_MUL, WORK_DIV, /* in[0] and in[1], which may be broadcast */
	WORK_BATCH_NORM,         /* in[0] * weights[c] + bias[c] */
	/* in[0], which is in blocks, by its own mean and variance, times weights[c], plus bias[c]; updates in[1] and in[2], the running ones, if they are there */
	WORK_BATCH_STATS,
	WORK_LAYER_NORM,         /* in[0], over its last dimension; weights and bias or neither */
	WORK_SOFTMAX,            /* in[0] along axis */
	WORK_CONCAT,             /* in[...] along axis */
	WORK_MLP,                /* two products: in[0] times weights through posts, times those of second through its posts */
	WORK_LSTM,               /* in[0] the sequence, in[1] and in[2] the states h and c; out the h of all steps, then the last h and c */
	WORK_ATTENTION           /* in[0] to in[2] queries, keys and values, in[3] a mask that is added, or none */
};

enum post_kind {
	POST_SUM,                /* plus what out held before, or with a work before, the last of in */
	POST_ADD,                /* plus the last of in, which lies as out does; products only */
	POST_RELU,               /* x > 0 ? x : alpha * x */
	POST_CLIP,               /* between alpha and beta */
	POST_LINEAR,             /* alpha * x + beta */
	POST_ELU, POST_TANH, POST_SIGMOID, POST_GELU, POST_GELU_TANH, POST_SWISH, POST_HARDSWISH, POST_MISH, POST_EXP, POST_SQRT, POST_ABS, POST_LOG
};

struct post {
	enum post_kind kind;
	float alpha, beta;
};

/* One direction of a layer; weights are rows of gates: input, forget, cell, output. */
struct lstm_shape {
	int64_t steps, batch, in, n;             /* n: hidden features */
	const float *w_ih, *w_hh, *bias;         /* [4 n, in], [4 n, n], [4 n]: both biases */
	bool reverse;
};

/* Operands are [batch, heads, length, features] by their strides, of which the last is 1 but for the mask's. */
struct attention_shape {
	int64_t batch, heads, heads_kv, t, s, d; /* t queries, s keys; heads_kv divides heads */
	int64_t q[4], k[4], v[4], mask[4], out[4]; /* strides */
	float scale;
	bool causal;
};

struct work {
	enum work_kind kind;
	const struct work *before;               /* what makes in[0]: all are done in one go.  in is then that of the first, and what POST_SUM adds after it */
	const struct layout **in; int n_in;      /* in[0] of a matmul of two dimensions may have three: runs of rows */
	int ndim; int64_t size[BACKEND_ARRAY];    /* of the result */
	const struct layout *out;                /* NULL: the backend chooses */
	int64_t kernel[BACKEND_ARRAY], stride[BACKEND_ARRAY], padding[BACKEND_ARRAY], dilation[BACKEND_ARRAY]; /* of ndim - 2 dimensions; dilation 1: none */
	int64_t groups;
	const float *weights;                    /* with strides */
	int weights_ndim; int64_t weights_size[BACKEND_ARRAY], weights_stride[BACKEND_ARRAY];
	const float *scale;                      /* by channel of the result: of convolutions, what the weights are to be multiplied by; NULL: nothing */
	const float *bias; int64_t bias_length;  /* NULL: none; of matmul: along its last dimension */
	float epsilon;
	double momentum;                         /* of running statistics: how much the new ones count */
	int64_t planes;                          /* of a matmul of two dimensions without POST_ADD: the result is [planes, rows, columns / planes]; 0: one */
	int64_t turn;                            /* of a product: row r of its result is row r % turn * (rows / turn) + r / turn in memory; 0: it is row r */
	bool norms;                              /* a product of two dimensions ends in a layer norm over its rows, with an epsilon */
	const float *norm_weights, *norm_bias;   /* of the norm */
	int axis;
	struct post posts[BACKEND_POSTS]; int n_posts;
	const struct work *second;               /* of an MLP: a product of which all but in[0] is as said here; of a convolution: a max pool of its result, or NULL */
	struct lstm_shape lstm;
	struct attention_shape attention;
	bool half;                               /* convolutions and matmul in bfloat16 */
	bool fixed;                              /* choose algorithms by rule, not by measuring */
};

/* What a primitive wants: its caller reads, and gives memory of that kind. */
struct primitive_needs {
	const struct layout *in;                 /* of in[0]; the others come as they were given */
	const struct layout *out;
	size_t scratch, weights;                 /* bytes */
	size_t tried;                            /* bytes that were taken at once while implementations were measured, and given back */
	size_t later;                            /* bytes that keep() takes for more weights */
	bool over;                               /* out may be in[0], when the layouts are the same */
	const char *name;                        /* of the implementation */
	bool spreads;                            /* what is not finite in in[0] may come out where it does not belong */
	bool keeps;                              /* NaN, through posts too */
};

struct backend {
	const char *name;
	/* A float32 tensor of strides.  NULL: there is no such layout, or no memory. */
	const struct layout *(*plain)(struct backend *b, struct arena *a, int ndim, const int64_t *size, const int64_t *stride);
	/* The layout that images are fastest in. */
	const struct layout *(*blocked)(struct backend *b, struct arena *a, int ndim, const int64_t *size, bool half);
	bool (*same)(const struct layout *x, const struct layout *y);
	size_t (*bytes)(const struct layout *l);
	/* The largest absolute value of a tensor in a layout, or, without one, of n floats in a row; NaN when one is. */
	double (*largest)(struct backend *b, const struct layout *l, const void *data, size_t n);
	/* How much larger than what a work reads its result can be, but for its bias: by its weights and their scale, or the sums of a product. */
	double (*gain)(struct backend *b, const struct work *w);
	/* NULL: the backend cannot, or there is no memory; either way something else must do it. */
	struct primitive *(*make)(struct backend *b, struct arena *a, const struct work *w, struct primitive_needs *needs);
	/* out: as many as the work has results, one for most. */
	bool (*run)(struct backend *b, struct primitive *p, void *const *in, void *const *out, void *scratch);
	/* More runs follow: what each would make of the weights is made once.  The bytes that took; 0: nothing, or there is no memory, and all stays as it is. */
	size_t (*keep)(struct primitive *p);
	void (*drop)(struct primitive *p);       /* NULL is allowed */
	void (*free)(struct backend *b);
};

/* Runs on that many threads.  NULL: nnscope was built without one, or there is no memory. */
struct backend *backend_new(int threads, nns_error *err);
/* Whether it computes in bfloat16 on this processor without emulating it. */
bool backend_has_half(void);

#endif
