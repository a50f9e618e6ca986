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
/* The same of bytes, which must outlive the call only.  path NULL: what is no archive, pickle or array is not looked into.  False: no memory. */
bool audit_bytes(struct audit *a, const char *path, const unsigned char *data, size_t len);

/* What the files of the audit share; false: no memory.  Finding texts live in the arena. */
bool audit_add(struct audit *a, enum audit_level level, const char *rule, const char *entry, size_t at, const char *what, const char *why);
bool audit_is_pickle(const unsigned char *p, size_t n);
/* Pickles that stand one after the other, at byte base of an entry.  sure: it should be one, so that damage is a finding. */
bool audit_pickles(struct audit *a, const char *entry, const unsigned char *data, size_t len, size_t base, int nested, bool sure);
bool audit_content(struct audit *a, const char *entry, const unsigned char *data, size_t len);
struct archive;
bool audit_archive(struct audit *a, struct archive *z, const unsigned char *data, size_t len);
bool audit_is_tar(const unsigned char *data, size_t len);
bool audit_tar(struct audit *a, const unsigned char *data, size_t len);

/* audit_known.c: what is known of a global; *why says it.  attribute: the part behind its module, or NULL. */
enum audit_level audit_global(const char *name, const char *attribute, const char **why);
/* What is known of a word in TorchScript code, or NULL; walks: *i starts at 0. */
const char *audit_code_word(size_t i, enum audit_level *level, const char **why);

#endif
