/*
 * Writing tensors: .npz and .safetensors.  The whole file or nothing.  What is
 * written is borrowed.
 */
#ifndef SAVE_SAVE_H
#define SAVE_SAVE_H

#include <stdint.h>

#include "base/file.h"
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
/* By the suffix: .npz or .safetensors.  The file is there once *pending is committed. */
bool save_tensors(const char *path, const struct named_tensor *t, size_t n, struct file_pending *pending, nns_error *err);

#endif
