/*
 * What a file would do to a program that trusts it: names that its pickles
 * import and call, TorchScript that reads files or memory, and what archives
 * hide.  Nothing is executed.  Findings live in the arena given.
 */
#ifndef LOAD_AUDIT_H
#define LOAD_AUDIT_H

#include "base/arena.h"
#include "nnscope/error.h"

enum audit_level {
	AUDIT_NOTE,              /* worth knowing */
	AUDIT_REVIEW,            /* not known to be harmless, or a sign of tampering */
	AUDIT_DANGER             /* runs code, or touches files, network or memory */
};

struct audit_finding {
	enum audit_level level;
	const char *rule;        /* "pickle-call", "zip-duplicate", ... */
	const char *entry;       /* of the archive, "" for the file itself */
	size_t at;               /* byte within the entry */
	const char *what, *why;
};

struct audit {
	struct arena *arena;
	struct audit_finding *all; size_t n, cap;
	size_t dropped;          /* beyond the most that are kept */
};

/* False: the file could not be read at all. */
bool audit_file(struct audit *a, const char *path, nns_error *err);

/* audit_known.c: what is known of a global; *why says it. */
enum audit_level audit_global(const char *name, const char **why);
/* What is known of a word in TorchScript code, or NULL; walks: *i starts at 0. */
const char *audit_code_word(size_t i, enum audit_level *level, const char **why);

#endif
