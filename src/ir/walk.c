#include "ir/module.h"

#include <stdint.h>
#include <stdlib.h>

/*
 * While a walk is at work, module->mark says that it has met the module (or,
 * with repeats, that the module is on the way from the root, which ends
 * cycles).  Each walk marks with a number of its own, the low bits of its
 * address, and remembers what stood there, so that walks can be nested.
 */
enum { MAX_VISITS = 1 << 24 }; /* modules that share modules can have endlessly many paths */

void walk_begin(struct walk *w, struct module *root, bool repeats)
{
	*w = (struct walk){ .root = root, .repeats = repeats };
	w->mark = (int)(((uintptr_t)w | 1) & INT32_MAX);
	w->path = w->name = "";
	text_init(&w->text);
}

static bool stop(struct walk *w)
{
	w->failed = true;
	return false;
}

static bool remember(struct walk *w, struct module *m)
{
	if (w->n_seen == w->cap_seen) {
		size_t cap = w->cap_seen ? w->cap_seen * 2 : 64;
		struct walk_seen *seen = cap <= SIZE_MAX / sizeof *seen ? realloc(w->seen, cap * sizeof *seen) : NULL;
		if (!seen)
			return false;
		w->seen = seen;
		w->cap_seen = cap;
	}
	w->seen[w->n_seen++] = (struct walk_seen){ m, m->mark };
	m->mark = w->mark;
	return true;
}

static bool push(struct walk *w, struct module *m)
{
	if (w->n == w->cap) {
		size_t cap = w->cap ? w->cap * 2 : 32;
		struct walk_frame *stack = cap <= SIZE_MAX / sizeof *stack ? realloc(w->stack, cap * sizeof *stack) : NULL;
		if (!stack)
			return false;
		w->stack = stack;
		w->cap = cap;
	}
	w->stack[w->n++] = (struct walk_frame){ m, 0, w->text.len };
	return true;
}

static bool visit(struct walk *w, struct module *m, const char *name)
{
	if (++w->n_visits > MAX_VISITS || w->text.failed || !remember(w, m) || !push(w, m))
		return stop(w);
	w->module = m;
	w->name = name;
	w->path = w->text.data ? w->text.data : "";
	w->depth = (int)w->n - 1;
	return true;
}

static void pop(struct walk *w)
{
	w->n--;
	if (w->repeats) { /* modules on the stack and in seen are the same ones */
		struct walk_seen last = w->seen[--w->n_seen];
		last.module->mark = last.mark;
	}
}

/* Cuts the path back to that of the frame at the top. */
static void cut_path(struct walk *w, size_t len)
{
	w->text.len = len;
	if (w->text.data)
		w->text.data[len] = '\0';
}

bool walk_next(struct walk *w)
{
	if (w->failed)
		return false;
	if (!w->started) {
		w->started = true;
		return w->root && visit(w, w->root, "");
	}
	while (w->n) {
		struct walk_frame *top = &w->stack[w->n - 1];
		cut_path(w, top->path_len);
		if (top->next == top->module->n_children) {
			pop(w);
			continue;
		}
		const struct child *c = &top->module->children[top->next++];
		if (!c->module || c->module->mark == w->mark)
			continue;
		if (w->n > 1)
			text_addc(&w->text, '.');
		text_add(&w->text, c->name);
		return visit(w, c->module, c->name);
	}
	return false;
}

void walk_end(struct walk *w)
{
	while (w->n_seen) {
		struct walk_seen *last = &w->seen[--w->n_seen];
		last->module->mark = last->mark;
	}
	free(w->seen);
	free(w->stack);
	text_release(&w->text);
	w->seen = NULL;
	w->stack = NULL;
	w->n = w->cap = w->cap_seen = 0;
	w->path = w->name = "";
	w->module = NULL;
}
