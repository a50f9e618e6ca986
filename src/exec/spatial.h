/*
 * Images in tensors: what the kernels of convolution, pooling and resizing
 * share.  An image has one to three dimensions and is treated as [depth,
 * height, width]; what stands before them in a tensor counts planes.  Owns
 * nothing: memory is the call's, as in kernel.h.
 */
#ifndef EXEC_SPATIAL_H
#define EXEC_SPATIAL_H

#include "exec/layout.h"

struct image {
	const struct tensor *t;
	int lead;                        /* dimensions before the image */
	int64_t planes, area;            /* how many; elements of one */
	int64_t extent[3], stride[3];    /* extent 1 and stride 0 for what is missing in front */
};
struct image image_of(const struct tensor *t, int spatial);

/* One plane, row by row, from and to doubles. */
void plane_read(const struct image *im, int64_t plane, double *out);
void plane_write(const struct image *im, int64_t plane, const double *in);
/* Calls fn for every plane, on several threads when planes * cost is worth it; each has room for that many doubles. */
bool each_plane(struct kernel_call *k, int64_t planes, int64_t cost, int64_t room, void (*fn)(int64_t plane, double *room, void *data), void *data);

/*
 * An int list argument for a [depth, height, width], in whose last `spatial` places it is put; one number counts for all.
 * Each is from `least` to 2^31.  When it is None or empty, out keeps what it holds.
 */
bool arg_extents(struct kernel_call *k, const char *name, int spatial, int64_t least, int64_t *out);

#endif
