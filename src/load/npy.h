/*
 * NumPy's files.  An array:
 *
 *     0  "\x93NUMPY"  6 major  7 minor  8 length of the header: 2 bytes, from version 2 on 4
 *     header: {'descr': '<f4', 'fortran_order': False, 'shape': (3, 4), } blanks, newline
 *     the elements
 *
 * .npz is a zip of such files, each named NAME.npy.  Values borrow the
 * file's bytes when those are stored, not deflated.
 */
#ifndef LOAD_NPY_H
#define LOAD_NPY_H

#include "ir/graph.h"

struct npz_array {
	const char *name;        /* without .npy */
	struct value *value;     /* with storage */
};

/* dtype of "<f4" or "f4"; *swapped: its bytes stand the other way round. */
bool npy_dtype(const char *descr, enum dtype *out, bool *swapped, nns_error *err);
/* Gives v a copy of its elements in the byte order of this machine (little-endian). */
bool npy_swap(struct arena *a, struct value *v, nns_error *err);
/* Strides of Fortran's order. */
void npy_column_major(struct value *v);

/* The header lies from *start on, *n bytes; those of version 1 count it in 2 bytes, later ones in 4. */
bool npy_header_length(const unsigned char *data, size_t len, size_t *start, size_t *n, nns_error *err);
/* A .npz, or a .npy as one array of the name "". */
bool npz_read(struct arena *a, const unsigned char *data, size_t len, struct npz_array **out, size_t *n, nns_error *err);

#endif
