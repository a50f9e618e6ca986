/*
 * Writing tensors: .npz and .safetensors.  The whole file or nothing; "-" is
 * standard output.  What is written is borrowed.
 */
#ifndef SAVE_SAVE_H
#define SAVE_SAVE_H

#include <stdint.h>

#include "base/error.h"
#include "ir/dtype.h"

struct named_tensor {
	const char *name;
	enum dtype dtype;
	int ndim;
	const int64_t *size;
	const void *data;        /* contiguous, little-endian */
};

/* Whether the suffix is one of those. */
bool save_known(const char *path, nns_error *err);
/* By the suffix: .npz or .safetensors. */
bool save_tensors(const char *path, const struct named_tensor *t, size_t n, nns_error *err);

#endif
