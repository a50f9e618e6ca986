/*
 * A datum is a value of the forward language: what Python would call an int, a
 * tuple or a tensor.  Module attributes, operator arguments and the results of
 * expressions are all datums.  Scalars are held in place; everything else is a
 * pointer into the arena of the model.  Lists and dicts are shared by
 * reference, as in Python.
 */
#ifndef BASE_DATUM_H
#define BASE_DATUM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/text.h"

enum datum_kind {
	D_NONE,
	D_BOOL,
	D_INT,
	D_FLOAT,
	D_STR,
	D_TUPLE,
	D_LIST,
	D_DICT,
	D_SLICE,
	D_ELLIPSIS,
	D_DTYPE,    /* torch.float32: i is an enum dtype */
	D_TENSOR,   /* struct value * of ir/ */
	D_MODULE,   /* struct module * of ir/ */
	D_CLASS,    /* a module class: struct nn_class * of nn/ */
	D_FUNCTION, /* something the host can call: struct function * */
	D_HOST      /* another object of the host, with a kind of its own: struct host_object * */
};

struct datum {
	enum datum_kind kind;
	union {
		bool b;
		int64_t i;
		double f;
		const char *s;
		struct seq *seq;      /* D_TUPLE, D_LIST */
		struct dict *dict;
		struct slice *slice;
		void *p;
	} u;
};

struct seq {
	size_t n, cap;
	struct datum *items;
};

struct slice {
	struct datum start, stop, step; /* D_NONE when left out */
};

/* An ordered dict; keys compare as Python's == does for str, int, bool, float and tuples. */
struct dict {
	size_t n, cap;
	struct datum *keys, *values;
	uint32_t *index; size_t index_cap, indexed; /* of the first `indexed` keys, by hash; made when there are many */
};

static inline struct datum datum_none(void) { return (struct datum){ .kind = D_NONE }; }
static inline struct datum datum_bool(bool b) { return (struct datum){ .kind = D_BOOL, .u.b = b }; }
static inline struct datum datum_int(int64_t i) { return (struct datum){ .kind = D_INT, .u.i = i }; }
static inline struct datum datum_float(double f) { return (struct datum){ .kind = D_FLOAT, .u.f = f }; }
static inline struct datum datum_str(const char *s) { return (struct datum){ .kind = D_STR, .u.s = s }; }
static inline struct datum datum_pointer(enum datum_kind k, const void *p)
{
	return (struct datum){ .kind = k, .u.p = (void *)p };
}

/* A new tuple or list with room for n items, none in use (n may be 0).  False: out of memory. */
bool datum_seq(struct arena *a, enum datum_kind kind, size_t n, struct datum *out);
bool seq_push(struct arena *a, struct seq *s, struct datum item);
/* A tuple (or list) of n ints. */
bool datum_ints(struct arena *a, enum datum_kind kind, const int64_t *v, size_t n, struct datum *out);

bool datum_dict(struct arena *a, struct datum *out);
bool dict_put(struct arena *a, struct dict *d, struct datum key, struct datum value);
void dict_remove(struct dict *d, size_t i);        /* the entry of that place */
const struct datum *dict_get(const struct dict *d, struct datum key); /* NULL when absent */

static inline bool datum_is_seq(struct datum d) { return d.kind == D_TUPLE || d.kind == D_LIST; }
/* int or bool as an integer, as Python's int arithmetic takes both. */
static inline bool datum_is_int(struct datum d) { return d.kind == D_INT || d.kind == D_BOOL; }
static inline int64_t datum_as_int(struct datum d) { return d.kind == D_BOOL ? d.u.b : d.u.i; }
static inline bool datum_is_number(struct datum d) { return datum_is_int(d) || d.kind == D_FLOAT; }
static inline double datum_as_float(struct datum d)
{
	return d.kind == D_FLOAT ? d.u.f : (double)datum_as_int(d);
}

/* Python's ==; host objects compare by identity.  Nested deeper than 200: unequal. */
bool datum_equal(struct datum a, struct datum b);
bool datum_truth(struct datum d);            /* Python's bool(d); host objects are true */
const char *datum_type_name(struct datum d); /* "int", "tuple", "Tensor", ... */
const char *datum_a(struct datum d);            /* "a" or "an", as the name of the type wants */

/*
 * Python's repr.  Host objects are written by host(t, d), which may be NULL
 * and then they are written as <Tensor>.
 */
void datum_repr(struct text *t, struct datum d, void (*host)(struct text *, struct datum));

#endif
