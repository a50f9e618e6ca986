/*
 * What a file would do to a program that trusts it: names that its pickles
 * import and call, TorchScript that reads files or memory, and what archives
 * hide.  Nothing is executed.  Findings live in the arena given.
 */
#ifndef LOAD_AUDIT_H
#define LOAD_AUDIT_H

#include <stdint.h>

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
	size_t depth;            /* of what is looked into: archives and pickles in one another */
	uint64_t room;           /* bytes that may still be unpacked, see audit_bytes() */
};

/* False: the file could not be read at all. */
bool audit_file(struct audit *a, const char *path, nns_error *err);
/* The same of bytes, which must outlive the call only.  path NULL: what is no archive, pickle or array is not looked into.  False: no memory. */
bool audit_bytes(struct audit *a, const char *path, const unsigned char *data, size_t len);

/* What the files of the audit share; false: no memory.  Finding texts live in the arena. */
bool audit_add(struct audit *a, enum audit_level level, const char *rule, const char *entry, size_t at, const char *what, const char *why);

/* What is known of bytes before they are looked at. */
enum audit_place {
	AUDIT_FILE,              /* the whole of a file */
	AUDIT_ENTRY,             /* an entry of an archive */
	AUDIT_HELD,              /* bytes in a pickle */
	AUDIT_HIDDEN             /* of no entry */
};
/* Whatever it is, by content: code, arrays, archives, pickles.  at: its byte in the entry. */
bool audit_look(struct audit *a, const char *entry, size_t at, const unsigned char *data, size_t len, enum audit_place place);

enum { AUDIT_ROOM = 1 << 30, AUDIT_MAX_UNPACKED = 256 << 20 }; /* bytes of all that is unpacked, and of one entry, that are looked at */

enum audit_pickles {
	AUDIT_MAYBE,             /* only names that Python could import are findings */
	AUDIT_SURE,              /* it should be one, so that damage, and what follows it, is a finding too */
	AUDIT_STORAGES, AUDIT_TENSORS /* with raw bytes between them: entries of the first PyTorch's tar */
};
/* Pickles that stand one after the other, at byte base of an entry. */
bool audit_pickles(struct audit *a, const char *entry, const unsigned char *data, size_t len, size_t base, enum audit_pickles kind);
bool audit_is_pickle(const unsigned char *p, size_t n);              /* by its mark, which protocols 0 and 1 need not have */
bool audit_may_import(const unsigned char *p, size_t n);             /* opcodes stand there, and one of them imports */

/* An archive in an entry of that name ("": it is the file), at byte `at` of it. */
bool audit_archive(struct audit *a, const char *within, size_t at, const unsigned char *data, size_t len);
bool audit_has_end_record(const unsigned char *data, size_t len);    /* of a zip */
bool audit_is_tar(const unsigned char *data, size_t len);
bool audit_tar(struct audit *a, const char *within, size_t at, const unsigned char *data, size_t len);
/* What gzip or zlib packed; nothing when it is neither. */
bool audit_packed(struct audit *a, const char *entry, size_t at, const unsigned char *data, size_t len);
bool audit_leaves_folder(const char *name);
/* "within!/name", the name alone in a file; NULL: no memory. */
const char *audit_name(struct arena *a, const char *within, const char *name);

/* audit_known.c: what is known of a global; *why says it.  attribute: the part behind its module, or NULL. */
enum audit_level audit_global(const char *name, const char *attribute, const char **why);
/* What is known of a word in TorchScript code, or NULL; walks: *i starts at 0. */
const char *audit_code_word(size_t i, enum audit_level *level, const char **why);

#endif
