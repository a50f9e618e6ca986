/*
 * The code of a TorchScript archive: files of classes and functions in a
 * superset of the forward language (torch/csrc/jit/serialization/python_print.cpp
 * writes it).
 *
 *     class Linear(Module):              a module's class
 *       __parameters__ = ["weight", ]    which attributes are parameters, which buffers
 *       __buffers__ = []
 *       weight : Tensor                  attributes
 *       in_features : Final[int] = 16    constants
 *       __annotations__["0"] = ...       attributes whose name is no word
 *       def forward(self: ..., input: Tensor) -> Tensor:
 *     class Pair(NamedTuple): | Name(Enum): | Name(Interface): | Name(ModuleInterface): | Name:
 *     def relu(input: Tensor, inplace: bool=False) -> Tensor:
 *
 * A file is split into classes and functions when something of it is asked
 * for, and the body of a function is parsed when it is called.  Everything
 * lives in the arena; the text of files is the caller's.
 */
#ifndef LANG_SCRIPT_H
#define LANG_SCRIPT_H

#include "lang/lang.h"

struct script_file {
	const char *where;             /* "code/__torch__/torch/nn/functional.py", for messages */
	const char *text; size_t n;
	bool split;
};

/* A function, or a method of a class. */
struct script_def {
	const char *name;              /* "forward" */
	const struct script_file *file;
	const char *text; size_t n;    /* from `def` to the end of its block */
	int line, column;              /* of `def` in its file */
	struct signature signature;
	const struct code *body;       /* NULL until script_parse() */
};

struct script_class {
	const char *name;              /* "Linear" */
	const char *qualified;         /* "__torch__.torch.nn.modules.linear.___torch_mangle_0.Linear" */
	const char *base;              /* "Module", "NamedTuple", "Enum", "Interface", "ModuleInterface", "" */
	struct script_def **methods; size_t n_methods, cap_methods;
	const char **fields; size_t n_fields, cap_fields;                       /* names that have a type and no value */
	struct script_value { const char *name; const struct code *code; } *values; size_t n_values, cap_values; /* names that have one */
};

/* What a qualified name stands for: one of them is not NULL. */
struct script_name {
	const struct script_class *class;
	struct script_def *def;
};

struct script {
	struct arena *arena;
	struct map files;              /* "__torch__.torch.nn.functional" -> struct script_file * */
	struct map prefixes;           /* of those: "__torch__.torch.nn" */
	struct map names;              /* qualified name -> struct script_name * */
	struct map members;            /* of its enums, for whoever makes objects of them: "__torch__.Color.RED" -> what stands for it */
	struct datum *constants; size_t n_constants; /* CONSTANTS.c0, c1, ... */
};

/* dotted: the file's name without "code/" and ".py", dots between; text lives as long as the script. */
bool script_add_file(struct script *s, const char *dotted, const char *where, const char *text, size_t n, nns_error *err);

/* *out is NULL when there is no such name. */
bool script_find(struct script *s, const char *qualified, const struct script_name **out, nns_error *err);

/* Whether a longer name than this one may be found. */
bool script_is_path(const struct script *s, const char *dotted);

/* NULL when the class has none of that name. */
struct script_def *script_method(const struct script_class *c, const char *name);

/*
 * Its forward, or the first of several.  Overloaded ones are named forward__0, forward__1 (torch/jit/_recursive.py); the tracer writes
 * forward1, forward2 for further calls of a module.  NULL: none.
 */
struct script_def *script_forward(const struct script_class *c);
bool script_is_forward(const struct script_def *d);

/* Parses signature and body when that has not been done. */
bool script_parse(struct script *s, struct script_def *d, nns_error *err);

#endif
