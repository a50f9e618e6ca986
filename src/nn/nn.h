/*
 * The module table.  A row is a class of torch.nn, written as data: its
 * constructor signature and small pieces of the forward language that say what
 * construction makes, how it prints, how it initialises and what its forward
 * calls.  A class of a description is the same struct, made while loading; so
 * everything below treats both alike.
 *
 * Every constructor argument but device and dtype becomes an attribute of the
 * same name before `build` runs; build may replace it.
 *
 * What the snippets of torch.nn's rows rely on, besides the language: the globals torch, F, math, init, copy.deepcopy, nn,
 * Parameter(t, requires_grad=True), UninitializedParameter(dtype=None), UninitializedBuffer(dtype=None) (tensors without a
 * shape: ndim -1); the builtins isinstance, getattr, hasattr, type(x).__name__, len, range, min, sorted, str, repr, int, float,
 * list, tuple, dict; of modules add_module, register_parameter, register_buffer, parameters, iteration, len and [i]; in a repr
 * also `self`.  An argument that is a module is an attribute only, and becomes a child when build assigns it.
 */
#ifndef NN_NN_H
#define NN_NN_H

#include "ir/module.h"
#include "lang/lang.h"
#include "ops/record.h"

/* A torch version as 100 * major + minor: 213 is 2.13, 4 is 0.4. */
enum { TORCH_DEFAULT = 213 };

struct nn_class {
	const char *name;
	const char *base;        /* a class whose columns stand in for those that are NULL here */
	const char *signature;   /* without brackets: "in_features, out_features, bias=True, device=None, dtype=None" */
	const char *build;       /* statements; names: the arguments and self.  NULL: nothing to do */
	/*
	 * What stands between the brackets of the printed module: an expression
	 * over the module's attributes and `torch_version` (an int as above),
	 * that gives a str.  NULL: nothing, "ReLU()".
	 */
	const char *repr;
	const char *forward;     /* statements of forward */
	const char *forward_signature; /* "x", "input, hx=None"; without self */
	const char *reset;       /* statements of reset_parameters, in terms of `init`; NULL: draws nothing */
	/*
	 * Lazy classes (torch/nn/modules/lazy.py): statements that run before the first forward, with self and its arguments
	 * and recording nothing; they find the missing sizes and make the parameters.  The module then is of class `becomes`.
	 */
	const char *infer, *becomes;
	/*
	 * For reading printed trees, where a class prints what its constructor does not take (ZeroPad2d of 1.9 printed `value`,
	 * lazy classes print the size they lack): the signature of the text.  Names the constructor has are passed to it.
	 * In any class a bare `inplace` (0.4) stands for inplace=True, other unknown bare words are strings (mode=nearest).
	 */
	const char *printed;
	/*
	 * For classes that print their children and not their arguments: statements that make self, which has its children and
	 * nothing else, into what the children tell.
	 */
	const char *adopt;
	const char *where;       /* what errors call it: NULL for torch.nn's, else "samples/x.json: BasicBlock" */
	bool container;          /* children print folded (ModuleList, since 2.0) */
	/* filled in on first use */
	struct nn_parsed *parsed;
};

#define NN_FAMILY(family) extern const struct nn_class family##_classes[];
#include "nn/families.def"
#undef NN_FAMILY

/*
 * Everything that running module code needs; one per model, in its arena.
 * It begins with the recorder, so that recorder_of() finds it.
 */
struct runtime {
	struct recorder recorder;
	struct interp interp;
	struct arena *arena;
	struct map classes;      /* name -> struct nn_class *, the model's own and those of torch.nn used so far */
	/*
	 * Adds classes that are known and seldom needed: called once, when a name that looks like a class is not found.  What is
	 * there already by then keeps its name.
	 */
	bool (*add_more)(void *data, nns_error *err);
	void *more_data;
	bool adding_more;
	int torch_version;       /* whose printing: TORCH_DEFAULT */
	size_t n_modules, max_modules;
	int construct_depth;
	long construct_steps;           /* spent by all constructors */
	int serial;
	struct module *root;     /* its members are global names in expressions; may be NULL */
	const char **paths; size_t n_paths; /* dotted paths by a module's serial, while a trace is at work */
	/*
	 * What constructing modules did, in order: how parameters and buffers are made and initialised.  NULL: nobody wants to know,
	 * tensors are shapes alone and reset columns do not run.
	 */
	struct graph *construction;
	/* Runs the forward of a module whose code came in a TorchScript archive; NULL when there is none. */
	bool (*script_forward)(struct runtime *rt, struct module *m, const struct lang_args *args, struct datum *out, nns_error *err);
	void *script_run;        /* what that is at work with */
	/* The elements of a value that hangs on constants alone, in an arena; NULL: not known.  May be NULL itself. */
	const double *(*content)(const struct value *v, struct arena *a);
	bool placed;             /* the error at work already says in which module */
};

struct runtime *runtime_new(struct arena *a, nns_error *err);
/* Adds a class; a second one of the same name replaces the first. */
bool runtime_add_class(struct runtime *rt, struct nn_class *c, nns_error *err);
/* From now on construction is recorded. */
bool runtime_record_construction(struct runtime *rt, nns_error *err);
/* NULL when unknown. */
const struct nn_class *runtime_class(struct runtime *rt, const char *name);

/* Evaluates a constructor expression; scope may be NULL.  It must give a module. */
struct module *runtime_construct(struct runtime *rt, const char *expression, const char *where, struct scope *scope, nns_error *err);
/* Calls a class. */
struct module *class_construct(struct runtime *rt, const struct nn_class *c, const struct lang_args *args, nns_error *err);
/* Makes m, which has its children and no attributes, what they tell, by the `adopt` of its class. */
bool class_adopt(struct runtime *rt, struct module *m, nns_error *err);
/* A lazy module finds its sizes in the arguments of its first call, in scope, and becomes what it stands for; its construction ends here. */
bool module_infer(struct runtime *rt, struct module *m, struct scope *scope, nns_error *err);
/* Calls a module's forward with a call record below the one at work. */
bool module_call(struct interp *in, struct module *m, const struct lang_args *args, struct datum *out, nns_error *err);

/* What prints between the brackets, for torch_version; a module of an unknown class gives what was printed. */
bool module_repr(struct runtime *rt, const struct module *m, int torch_version, struct text *out, nns_error *err);

/* Changes the tree: "fc=Linear(fc.in_features, 100)". */
bool model_set(struct model *m, const char *assignment, nns_error *err);

#endif
