/*
 * Pickles as data (Python's Lib/pickletools.py has the opcodes, protocols 0 to
 * 5).  Nothing is imported and nothing is called: a global is a name, a call
 * is an object that says what would have been called with what.  A maker may
 * turn calls that it knows into data.
 *
 * What comes out lives in the arena.  Python's None, bool, int, float, str,
 * tuple, list and dict are datums of that kind; everything else is a D_HOST
 * datum that points to a struct pickled.
 */
#ifndef LOAD_PICKLE_H
#define LOAD_PICKLE_H

#include "base/datum.h"
#include "lang/lang.h"

enum pickled_kind {
	PICKLED_GLOBAL,          /* name: "collections.OrderedDict" */
	PICKLED_CALL,            /* callee(args), and what BUILD gave it */
	PICKLED_BYTES,
	PICKLED_TEXT,            /* a string with NULs in it */
	PICKLED_INT,             /* one that does not fit 64 bits */
	PICKLED_SET,             /* items */
	PICKLED_PERSISTENT,      /* args: the persistent id */
	PICKLED_OTHER            /* what a maker made: data */
};

struct pickled {
	struct host_object host; /* host.kind is pickled_host; first, so that the datum is one of the language too */
	enum pickled_kind kind;
	const char *name;        /* of a global, or of the callee when that is one; NULL otherwise */
	const char *attribute;   /* of a global: the part of its name that is looked up in the module, dotted perhaps */
	struct datum callee, args, state;
	struct datum items;      /* list that APPENDS and SETITEMS filled: values, or key and value in turn */
	const unsigned char *bytes; size_t n_bytes;
	bool pairs;              /* items are keys and values */
	bool seen;               /* for its reader */
	size_t at;               /* byte of the pickle where it was made */
	const void *data;
};
extern const char pickled_host[];
struct pickled *pickled_of(struct datum d);  /* NULL when d is none */
bool pickled_is_result(struct datum d);      /* of a call of a global, or of what such a call returned */

enum pickle_event { PICKLE_IMPORTS, PICKLE_CALLS, PICKLE_SETS_STATE, PICKLE_HOLDS_BYTES };

struct pickle_options {
	/* Turns a call into data when it is known: sets *out.  False: an error. */
	bool (*make)(void *maker, struct pickled *call, struct datum *out, nns_error *err);
	/* The same for a persistent id. */
	bool (*load_persistent)(void *maker, struct pickled *id, struct datum *out, nns_error *err);
	/* BUILD on what is none of these objects any more: a tensor. */
	bool (*build)(void *maker, struct datum object, struct datum state, nns_error *err);
	void *maker;
	/* Told of every name that Python would import, every call that it would make, and every bytes object; may be NULL. */
	void (*saw)(void *watcher, enum pickle_event event, const struct pickled *what);
	void *watcher;
};

/* Reads one pickle from the start of data; *used is where the next begins. */
bool pickle_read(struct arena *a, const unsigned char *data, size_t len, const struct pickle_options *o, struct datum *out, size_t *used, nns_error *err);

/* As a pickle does: the last of equal keys counts. */
bool dict_set(struct arena *a, struct dict *d, struct datum key, struct datum value);

#endif
