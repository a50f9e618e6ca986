/*
 * The facts name what a node saves: an argument ("dim:int"), an output
 * ("result1:Tensor"), or sizes and the like of an argument
 * ("self_sym_sizes:SymInt[]").
 */
#include "view/saved.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ops/record.h"

/* ---- One saved value ---- */

struct request {
	struct arena *arena;
	const struct backward *backward;
	const struct node *node;
	char name[64], type[64], guard[64]; /* guard: the input whose gradient needs it, or "" */
	struct saved *out;
};

static bool starts_with(const char *s, const char *prefix)
{
	return strncmp(s, prefix, strlen(prefix)) == 0;
}

static bool set_text(struct request *r, struct text *t)
{
	r->out->text = t->failed ? NULL : arena_strndup(r->arena, t->data ? t->data : "", t->len);
	text_release(t);
	return r->out->text != NULL;
}

static bool set_tensor(struct request *r, struct value *v)
{
	r->out->tensors = arena_array(r->arena, 1, sizeof *r->out->tensors);
	if (!r->out->tensors)
		return false;
	r->out->tensors[0] = v;
	r->out->n_tensors = v != NULL;
	r->out->text = v ? "[saved tensor]" : "None";
	return true;
}

static bool set_tensors(struct request *r, struct datum list)
{
	size_t n = datum_is_seq(list) ? list.u.seq->n : 0;
	r->out->tensors = arena_array(r->arena, n + 1, sizeof *r->out->tensors);
	if (!r->out->tensors)
		return false;
	for (size_t i = 0; i < n; i++)
		r->out->tensors[r->out->n_tensors++] = list.u.seq->items[i].kind == D_TENSOR ? list.u.seq->items[i].u.p : NULL;
	r->out->is_list = true;
	r->out->text = n ? "[saved tensors]" : "()";
	return true;
}

static bool set_ints(struct request *r, int n, const int64_t *v)
{
	struct text t;
	text_init(&t);
	text_addc(&t, '(');
	for (int i = 0; i < n; i++)
		text_addf(&t, "%s%lld", i ? ", " : "", (long long)v[i]);
	text_add(&t, n == 1 ? ",)" : ")");
	return set_text(r, &t);
}

/* Numbers and lists as Python prints them; a tuple where PyTorch's getter gives one. */
static bool set_datum(struct request *r, struct datum d)
{
	struct text t;
	text_init(&t);
	if (d.kind == D_LIST)
		d.kind = D_TUPLE;
	if (d.kind == D_STR)
		text_add(&t, d.u.s);
	else
		datum_repr(&t, d, NULL);
	return set_text(r, &t);
}

/* ---- Where it comes from ---- */

/* The place of an output of that name: "-> (Tensor values, Tensor indices)". */
static int named_output(const struct op *op, const char *name)
{
	const char *p = strstr(op->fact->schema, "-> ");
	size_t n = strlen(name);
	int index = 0;
	for (; p && *p; p++) {
		index += *p == ',';
		if (*p == ' ' && strncmp(p + 1, name, n) == 0 && (p[1 + n] == ',' || p[1 + n] == ')'))
			return index;
	}
	return -1;
}

static int output_index(const struct op *op, const char *name)
{
	if (strcmp(name, "result") == 0)
		return 0;
	if (starts_with(name, "result") && name[6] >= '0' && name[6] <= '9')
		return atoi(name + 6);
	return named_output(op, name);
}

/* S_sym_argsize_minus_1: the last size of an output of that name. */
static bool set_output_property(struct request *r, bool *found)
{
	static const char last[] = "_sym_argsize_minus_1";
	size_t n = strlen(r->name);
	char name[64];
	*found = false;
	if (n <= sizeof last - 1 || strcmp(r->name + n - (sizeof last - 1), last) != 0)
		return true;
	n -= sizeof last - 1;
	memcpy(name, r->name, n);
	name[n] = 0;
	int k = output_index(r->node->op, name);
	const struct value *v = k >= 0 && k < r->node->n_outputs ? r->node->outputs[k] : NULL;
	if (!v || v->ndim < 1)
		return true;
	*found = true;
	return set_datum(r, datum_int(v->size[v->ndim - 1]));
}

/* The dimension that "1" or "minus_2" names, -1 when there is none. */
static int argsize_dim(const char *text, int ndim)
{
	int dim = starts_with(text, "minus_") ? ndim - atoi(text + 6) : atoi(text);
	return dim < ndim ? dim : -1;
}

/* self_sym_sizes, self_sym_strides, self_sym_sizes_1d, self_numel, self_dim ...: what follows the name of an argument. */
static bool set_property(struct request *r, bool *found)
{
	static const int64_t none = 0;
	for (int i = 0; i < r->node->op->n_args; i++) {
		const struct op_arg *a = &r->node->op->args[i];
		size_t n = strlen(a->name);
		const struct value *v = r->node->args[i].kind == D_TENSOR ? r->node->args[i].u.p : NULL;
		if (a->writes && r->node->before)
			v = r->node->before;
		if (strncmp(r->name, a->name, n) != 0 || r->name[n] != '_')
			continue;
		const char *what = r->name + n;
		*found = true;
		if (!v && strcmp(what, "_sym_sizes_opt") == 0)
			return set_ints(r, 1, &none);
		*found = v && v->ndim >= 0;
		if (!*found)
			continue;
		if (starts_with(what, "_sym_sizes"))
			return set_ints(r, v->ndim, v->size);
		/* strides_or_error() in VariableTypeUtils: none when the gradient is not wanted */
		if (starts_with(what, "_sym_strides"))
			return set_ints(r, value_tracks_grad(v) ? v->ndim : 0, v->stride);
		int dim = starts_with(what, "_sym_argsize_") ? argsize_dim(what + 13, v->ndim) : -1;
		if (dim >= 0)
			return set_datum(r, datum_int(v->size[dim]));
		if (starts_with(what, "_sym_numel"))
			return set_datum(r, datum_int(value_numel(v)));
		if (strcmp(what, "_dim") == 0)
			return set_datum(r, datum_int(v->ndim));
		*found = false;
	}
	return true;
}

/* Whether gradient flows to input `name`: its edges stand in the order of the facts. */
static bool gradient_flows(const struct backward *b, const char *name)
{
	size_t at = 0;
	for (const char *p = b->node->op->fact->edges; *p; ) {
		size_t len = strcspn(p, ",");
		bool here = strlen(name) == len && strncmp(p, name, len) == 0;
		char own[64] = "";
		memcpy(own, p, len < sizeof own ? len : sizeof own - 1);
		int i = op_arg_index(b->node->op, own);
		size_t n = i < 0 ? 0 : datum_count_tensors(b->node->args[i]);
		n = n ? n : 1;
		for (size_t k = 0; here && k < n; k++)
			if (at + k < b->n_next && b->next[at + k])
				return true;
		if (here)
			return false;
		at += n;
		p += len;
		p += *p == ',';
	}
	return true;
}

static bool resolve(struct request *r, bool *found)
{
	const struct node *n = r->node;
	int i = op_arg_index(n->op, r->name), k = output_index(n->op, r->name);
	*found = true;
	if (*r->guard && !gradient_flows(r->backward, r->guard))
		return set_tensor(r, NULL);
	if (i >= 0 && n->args[i].kind == D_TENSOR) {
		/* what is written over is saved as a clone (gen_variable_type.py: original_self) */
		r->out->is_own = n->op->inplace && n->op->args[i].writes;
		return set_tensor(r, n->args[i].u.p);
	}
	if (i >= 0 && n->op->args[i].type == ARG_TENSOR)
		return n->op->args[i].list ? set_tensors(r, n->args[i]) : set_tensor(r, NULL);
	if (i >= 0)
		return set_datum(r, n->args[i]);
	if (k >= 0 && k < n->n_outputs) {
		/* what has no gradient (indices) is kept as it is, not as a copy of its own (saved_variable.cpp: is_leaf_) */
		r->out->is_own = value_tracks_grad(n->outputs[k]);
		return set_tensor(r, n->outputs[k]);
	}
	*found = false;
	if (!set_property(r, found))
		return false;
	return *found || set_output_property(r, found);
}

/* Types whose values have no getter in Python (tools/autograd/gen_autograd_functions.py). */
static bool has_getter(const char *type)
{
	static const char *const none[] = { "ScalarType", "Layout", "TensorOptions", "MemoryFormat", "Device", "TypeAndSize", "TensorGeometry", "Generator", NULL };
	for (size_t i = 0; none[i]; i++)
		if (strstr(type, none[i]))
			return false;
	return true;
}

static bool next_saved(const char **p, struct request *r)
{
	size_t n = strcspn(*p, ","), colon = strcspn(*p, ":");
	if (n == 0 || colon >= n || colon >= sizeof r->name || n - colon - 1 >= sizeof r->type)
		return false;
	memcpy(r->name, *p, colon);
	r->name[colon] = 0;
	memcpy(r->type, *p + colon + 1, n - colon - 1);
	r->type[n - colon - 1] = 0;
	char *guard = strchr(r->type, '@');
	memset(r->guard, 0, sizeof r->guard);
	if (guard) {
		strcpy(r->guard, guard + 1);
		*guard = 0;
	}
	*p += n + ((*p)[n] == ',');
	return true;
}

static int by_name(const void *a, const void *b)
{
	return strcmp(((const struct saved *)a)->name, ((const struct saved *)b)->name);
}

/* AsStridedBackward0 of a view that was regenerated saves the view's geometry. */
static bool saved_of_view(struct arena *a, const struct value *v, struct saved **out, size_t *n)
{
	struct saved *all = arena_array(a, 3, sizeof *all);
	struct request r = { .arena = a };
	if (!all)
		return false;
	all[0].name = "size";
	r.out = &all[0];
	if (!set_ints(&r, v->ndim, v->size))
		return false;
	all[1].name = "storage_offset";
	r.out = &all[1];
	if (!set_datum(&r, datum_int(v->offset)))
		return false;
	all[2].name = "stride";
	r.out = &all[2];
	*out = all;
	*n = 3;
	return set_ints(&r, v->ndim, v->stride);
}

bool saved_of(struct arena *a, const struct backward *b, struct saved **out, size_t *n)
{
	*out = NULL;
	*n = 0;
	if (b->view)
		return saved_of_view(a, b->view, out, n);
	if (!b->node || !*b->node->op->fact->saved)
		return true;
	size_t most = 1;
	for (const char *p = b->node->op->fact->saved; *p; p++)
		most += *p == ',';
	struct saved *all = arena_array(a, most, sizeof *all);
	if (!all)
		return false;
	struct request r = { .arena = a, .backward = b, .node = b->node };
	for (const char *p = b->node->op->fact->saved; *p && next_saved(&p, &r); ) {
		bool found;
		r.out = &all[*n];
		*r.out = (struct saved){ .name = arena_strdup(a, r.name) };
		if (!r.out->name || !resolve(&r, &found))
			return false;
		*n += found && has_getter(r.type);
	}
	qsort(all, *n, sizeof *all, by_name);
	*out = all;
	return true;
}

/* ---- The label ---- */

/*
 * torchviz prints sizes as C++ holds them, a negative one as 2^64 - k, and cuts what is then too long.  Here -k is
 * written, and the cut is where torchviz has it.
 */
static bool is_negative_int(const char *at, const char *start)
{
	size_t n = strspn(at + 1, "0123456789");
	bool begins = at == start || at[-1] == '(' || at[-1] == ' ';
	return *at == '-' && begins && n > 0 && n < 19 && (at[1 + n] == ',' || at[1 + n] == ')' || at[1 + n] == 0);
}

/* Bytes of value that stay when its wide spelling is cut to `room`; what is left of a number that is cut goes to tail. */
static size_t cut_wide(const char *value, size_t room, char *tail, size_t size)
{
	size_t wide = 0;
	const char *p = value;
	*tail = 0;
	while (*p && wide < room) {
		if (!is_negative_int(p, value)) {
			wide += ((unsigned char)*p & 0xc0) != 0x80;
			p++;
			continue;
		}
		char number[24];
		int n = snprintf(number, sizeof number, "%llu", (unsigned long long)strtoll(p, NULL, 10));
		if (wide + (size_t)n > room) {
			snprintf(tail, size, "%.*s", (int)(room - wide), number);
			break;
		}
		wide += (size_t)n;
		p += 1 + strspn(p + 1, "0123456789");
	}
	return (size_t)(p - value);
}

static void add_row(struct text *out, const char *name, const char *value, size_t width1, size_t width2, size_t most)
{
	char tail[24];
	size_t n = utf8_length(value);
	text_add(out, "\n");
	text_pad(out, name, (int)width1);
	text_add(out, ": ");
	if (n <= width2 && !value[cut_wide(value, most, tail, sizeof tail)]) {
		text_fill(out, ' ', width2 - n);
		text_add(out, value);
	} else {
		text_addn(out, value, cut_wide(value, most - 3, tail, sizeof tail));
		text_addf(out, "%s...", tail);
	}
}

bool saved_label(struct arena *a, const struct backward *b, int max_chars, struct text *out)
{
	struct saved *all;
	size_t n, width1 = 0, width2 = 0, most = max_chars < 3 ? 3 : (size_t)max_chars, name = strlen(b->name);
	if (!saved_of(a, b, &all, &n))
		return false;
	text_add(out, b->name);
	if (n == 0)
		return true;
	for (size_t i = 0; i < n; i++) {
		width1 = strlen(all[i].name) > width1 ? strlen(all[i].name) : width1;
		width2 = utf8_length(all[i].text) > width2 ? utf8_length(all[i].text) : width2;
	}
	width2 = width2 < most ? width2 : most;
	text_add(out, "\n");
	text_fill(out, '-', width1 + width2 + 2 > name ? width1 + width2 + 2 : name);
	for (size_t i = 0; i < n; i++)
		add_row(out, all[i].name, all[i].text, width1, width2, most);
	return true;
}
