/*
 * The syntax tree.  One struct serves all kinds; the comment beside a kind says
 * which members it uses.  It lives in the arena of the code and is immutable.
 */
#ifndef LANG_AST_H
#define LANG_AST_H

#include "lang/lang.h"

enum ast_kind {
	/* expressions */
	A_CONST,        /* value */
	A_NAME,         /* name */
	A_TUPLE,        /* items */
	A_LIST,         /* items */
	A_DICT,         /* items: key, value, key, value, ...; a NULL key spreads the value */
	A_CALL,         /* a(items); names: NULL for a positional one, "**" for a spread dict */
	A_ATTRIBUTE,    /* a.name */
	A_SUBSCRIPT,    /* a[b] */
	A_SLICE,        /* a:b:c, any of them NULL */
	A_BINARY,       /* a op b */
	A_UNARY,        /* op a */
	A_NOT,          /* a */
	A_AND, A_OR,    /* a, b */
	A_COMPARE,      /* items[0] ops[0] items[1] ops[1] items[2] ... */
	A_CONDITIONAL,  /* a if b else c */
	A_LAMBDA,       /* signature, a */
	A_LIST_COMP,    /* a; items: the clauses */
	A_DICT_COMP,    /* a: b; items */
	A_CLAUSE,       /* for a in b; items: conditions */
	A_STAR,         /* *a */
	A_JOINED,       /* an f-string: items, A_CONST or A_FORMATTED */
	A_FORMATTED,    /* a; name: the format; op: conversion 'r', 's' or 0 */
	/* statements */
	A_EXPRESSION,   /* a */
	A_ASSIGN,       /* items: targets; a: the value */
	A_AUGMENTED,    /* a op= b */
	A_IF,           /* a; b: block; c: block or NULL */
	A_FOR,          /* a in b: items[0]; else items[1] or NULL */
	A_WHILE,        /* a; b */
	A_WITH,         /* a as c (or NULL); b: block */
	A_DEF,          /* name, signature, b: block */
	A_RETURN,       /* a or NULL */
	A_RAISE,        /* a or NULL */
	A_ASSERT,       /* a; b or NULL */
	A_DEL,          /* items */
	A_PASS, A_BREAK, A_CONTINUE,
	A_BLOCK         /* items */
};

/* Comparisons that only the language itself knows. */
enum { OP_IS = 100, OP_IS_NOT, OP_IN, OP_NOT_IN };

struct ast {
	enum ast_kind kind;
	int op;
	int line, col;
	const char *where;
	const char *name;
	struct datum value;
	struct ast *a, *b, *c;
	struct ast **items; size_t n, cap;
	const char **names;
	int *ops;
	struct signature *signature;
};

struct code {
	struct ast *root;     /* A_BLOCK or an expression */
	const char *where;
};

#endif
