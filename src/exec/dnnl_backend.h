/*
 * The inside of the backend on oneDNN (its C interface of version 2), shared
 * by the files dnnl*.c alone.  A file a subject: dnnl.c layouts, making and
 * running; dnnl_weights.c arrays that a primitive owns; dnnl_attr.c posts and
 * descriptions; dnnl_reach.c how large values are; dnnl_conv.c convolutions; dnnl_own.c those
 * that code of our own does; dnnl_matmul.c products; dnnl_batch.c batch norm in train mode; dnnl_work.c
 * the rest.  A kind of work is a row of makers in dnnl.c.
 */
#ifndef EXEC_DNNL_BACKEND_H
#define EXEC_DNNL_BACKEND_H

#include <oneapi/dnnl/dnnl.h>

#include "exec/backend.h"

struct layout {
	dnnl_memory_desc_t md;
};

struct choice;               /* dnnl_conv.c */

struct dnnl_backend {
	struct backend api;
	dnnl_engine_t engine;
	dnnl_stream_t stream;
	struct choice *choices;
	int threads;             /* that primitives are made for; they must run on no other number */
};

enum { OWN = 4 }; /* weights, bias, mean and variance at most */

/* What is not a single primitive of oneDNN's runs by itself. */
struct own_code {
	void *self;              /* NULL: it is oneDNN's */
	bool (*run)(struct dnnl_backend *b, void *self, void *const *in, void *const *out, void *scratch);
	size_t (*keep)(void *self);  /* as of struct backend; NULL: nothing to */
	void (*free)(void *self);
	dnnl_memory_desc_t in, out;
	size_t scratch, weights, later; /* bytes */
	bool over;               /* as of struct primitive_needs */
	const char *name;
	bool spreads, keeps;     /* as in struct primitive_needs */
};

struct primitive {
	struct own_code ours;
	dnnl_primitive_t code;
	dnnl_memory_t *in; int n_in;
	dnnl_memory_t out, scratch, own[OWN];
	void *data[OWN];
	int n_own;
	dnnl_exec_arg_t *args; int n_args;
};

/* A primitive that is being made. */
struct making {
	struct dnnl_backend *b;
	struct arena *arena;
	const struct work *w;
	struct primitive *p;
	dnnl_primitive_attr_t attr;
	dnnl_primitive_desc_t pd;
	size_t tried;            /* bytes */
};

/* ---- dnnl.c ---- */

/* The layout that images are fastest in; dimensions from 3 to 5. */
bool onednn_block_layout(dnnl_memory_desc_t *md, int ndim, const int64_t *size, dnnl_data_type_t type);
bool onednn_in_blocks(const dnnl_memory_desc_t *md);
bool onednn_any_layout(dnnl_memory_desc_t *md, int ndim, const int64_t *size, dnnl_data_type_t type);

/* ---- dnnl_weights.c ---- */

/* Memory at a multiple of 64 bytes, for free(). */
void *onednn_aligned(size_t size);
/* Gives the primitive an argument of its own: data of one layout brought into another. */
bool onednn_pack(struct making *m, const dnnl_memory_desc_t *from, const float *data, int arg, const dnnl_memory_desc_t *to);
/* The same of n floats in a row, or of n times a value. */
bool onednn_add_array(struct making *m, int arg, const float *from, float value, int64_t n);

/* Brings data of one layout into another, now. */
bool onednn_reorder_now(struct dnnl_backend *b, const dnnl_memory_desc_t *from, const void *data, const dnnl_memory_desc_t *to, void *out);
/* The work with its weights row by row and multiplied by its scale, in memory that the caller frees; NULL: there is none. */
float *onednn_scale(struct work *w);

/* ---- dnnl_reach.c: the backend's functions of these names ---- */

double onednn_largest(struct backend *b, const struct layout *l, const void *data, size_t n);
double onednn_gain(struct backend *b, const struct work *w);

/* ---- dnnl_attr.c ---- */

dnnl_alg_kind_t onednn_eltwise_of(enum post_kind kind);
/* Scratch memory comes from the caller; posts from the first on become the attribute's. */
bool onednn_make_attr(struct making *m, int first);
/* dst: how the result, and what POST_ADD adds, lies. */
bool onednn_append_posts(dnnl_post_ops_t ops, const struct post *posts, int n, const dnnl_memory_desc_t *dst);
/* Makes m->pd of a description.  False too when only oneDNN's reference code would do it, which is slower than ours. */
bool onednn_make_pd(struct making *m, const void *desc);
/* Of an implementation; as long as the description lives. */
const char *onednn_name_of(const_dnnl_primitive_desc_t pd);
const dnnl_memory_desc_t *onednn_md_of(struct making *m, dnnl_query_t what);
/* Of what convolutions and products compute in. */
dnnl_data_type_t onednn_type_of(const struct making *m);

/* ---- Makers: each makes m->attr, m->pd and the arrays of m->p ---- */

bool onednn_make_convolution(struct making *m);
/* dnnl_own.c: fills m->p->ours instead.  False: none of our own is faster. */
bool onednn_make_own(struct making *m);
bool onednn_make_linear(struct making *m);
/* Posts as a sum before a clip, where 0 stays 0. */
bool onednn_sum_and_clip(const struct work *w, bool *sum, float *low, float *high);
/* dnnl_stem.c: the same, with the pool that is the work's second. */
bool onednn_make_stem(struct making *m);
void onednn_forget_choices(struct dnnl_backend *b);
bool onednn_make_matmul(struct making *m);
bool onednn_make_planes(struct making *m);
bool onednn_make_pool(struct making *m);
bool onednn_make_eltwise(struct making *m);
bool onednn_make_binary(struct making *m);
bool onednn_make_batch_norm(struct making *m);
bool onednn_make_batch_stats(struct making *m);
bool onednn_make_layer_norm(struct making *m);
bool onednn_make_softmax(struct making *m);
bool onednn_make_concat(struct making *m);
bool onednn_make_reorder(struct making *m);
bool onednn_make_mlp(struct making *m);
bool onednn_make_lstm(struct making *m);
bool onednn_make_attention(struct making *m);

#endif
