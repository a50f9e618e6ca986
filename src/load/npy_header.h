/* The header of a NumPy array: a dict of Python's literals (numpy/lib/format.py), read without anything that could be called. */
#ifndef LOAD_NPY_HEADER_H
#define LOAD_NPY_HEADER_H

#include "ir/graph.h"

struct npy_header {
	char descr[24];          /* "<f4"; "" for what is no string: records */
	bool has_descr, has_order, has_shape, fortran;
	int ndim;
	int64_t size[MAX_DIMS];
};

bool npy_header_read(const char *text, size_t n, struct npy_header *out, nns_error *err);

#endif
