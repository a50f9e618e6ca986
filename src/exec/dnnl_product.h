/*
 * Products of [rows, p] and constant weights [p, n] for code of our own
 * (dnnl_rnn.c, dnnl_mlp.c, dnnl_planes.c).  Zeroed structs may be dropped.
 */
#ifndef EXEC_DNNL_PRODUCT_H
#define EXEC_DNNL_PRODUCT_H

#include "exec/dnnl_backend.h"

/* Packed once; shared by products of any number of rows. */
struct weights {
	dnnl_memory_desc_t md;
	dnnl_memory_t memory;
	void *data;
};

struct product {
	dnnl_primitive_t code;
	dnnl_exec_arg_t args[6]; int n_own;      /* source, result, scratch, ..., and the weights after them */
	int other;               /* which of args POST_ADD adds, 0: none */
	void *scratch; float *bias;
};

struct product_shape {
	int64_t rows, p, n;
	const float *weights; int64_t step[BACKEND_ARRAY]; /* strides along p and n */
	const float *bias;                       /* [n], or NULL */
	const struct post *posts; int n_posts;
	bool sum;                                /* plus what the result held, before the posts */
	dnnl_data_type_t in, out;
};

/* For the threads that OpenMP has now.  Packs w unless it is packed; sets the name of m's code. */
bool onednn_product_make(struct making *m, const struct product_shape *s, struct weights *w, struct product *p);
/* other: what POST_ADD adds, or NULL. */
bool onednn_product_run(struct dnnl_backend *b, struct product *p, const void *from, void *to, const void *other);
void onednn_product_drop(struct product *p);
void onednn_weights_drop(struct weights *w);

#endif
