/* Inputs of a TorchScript model: what its forward takes, and the inputs of the graph in their places. */
#include <ctype.h>
#include <string.h>

#include "trace/script.h"

enum { MAX_TYPE_DEPTH = 20 };

static struct script_def *forward_of(const struct model *m)
{
	return script_forward(m->root->script);
}

bool script_signature(struct model *m, const struct signature **out, nns_error *err)
{
	struct script_def *d = forward_of(m);
	struct signature *behind = arena_alloc(m->arena, sizeof *behind);
	if (!d)
		return fail(err, NNS_MODEL, "%s has no forward", m->root->class_name);
	if (!script_parse(m->script, d, err))
		return false;
	if (!behind)
		return fail_memory(err);
	*behind = d->signature;
	if (behind->n) {
		behind->params++;
		behind->n--;
	}
	return *out = behind, true;
}

/* ---- Filling in arguments ---- */

struct filling {
	struct model *m;
	struct graph *g;
	bool *used;              /* inputs that have a place */
	bool *numbers;           /* those that stand for a number */
	size_t taken;            /* how many have a place */
	const char *parameter;
	bool missing;            /* there were no inputs left */
	nns_error *err;
};

static bool names_parameter(const struct filling *f, const char *name)
{
	const struct signature *sig;
	if (!name || !script_signature(f->m, &sig, NULL))
		return false;
	for (size_t i = 0; i < sig->n; i++)
		if (strcmp(sig->params[i].name, name) == 0)
			return true;
	return false;
}

/* The input of the parameter's name, or the next one that has no place and no other's name. */
static struct value *take(struct filling *f)
{
	for (int pass = 0; pass < 2; pass++)
		for (size_t i = 0; i < f->g->n_inputs; i++) {
			const struct graph_input *in = &f->g->inputs[i];
			bool own = in->name && strcmp(in->name, f->parameter) == 0;
			if (f->used[i] || (pass == 0 ? !own : names_parameter(f, in->name)))
				continue;
			f->used[i] = true;
			f->taken++;
			return in->value;
		}
	return NULL;
}

static bool starts(const char **p, const char *word)
{
	size_t n = strlen(word);
	if (strncmp(*p, word, n) != 0)
		return false;
	*p += n;
	return true;
}

/* To the end of one type: the comma or bracket behind it. */
static const char *type_end(const char *p)
{
	int depth = 0;
	for (; *p && (depth > 0 || (*p != ',' && *p != ']')); p++)
		depth += (*p == '[') - (*p == ']');
	return p;
}

static bool fill(struct filling *f, const char *type, int depth, struct datum *out);

/* As many items as take an input: those that may be None or empty never end by themselves. */
static bool fill_list(struct filling *f, const char *item, int depth, struct datum *out)
{
	if (!datum_seq(f->m->arena, D_LIST, f->g->n_inputs, out))
		return fail_memory(f->err);
	for (;;) {
		size_t before = f->taken;
		struct datum v;
		if (!fill(f, item, depth, &v))
			return false;
		if (f->missing || f->taken == before)
			break;
		if (!seq_push(f->m->arena, out->u.seq, v))
			return fail_memory(f->err);
	}
	f->missing = false;
	return true;
}

static bool fill_tuple(struct filling *f, const char *items, int depth, struct datum *out)
{
	if (!datum_seq(f->m->arena, D_TUPLE, 0, out))
		return fail_memory(f->err);
	for (const char *p = items; *p && *p != ']' && !f->missing; ) {
		struct datum v;
		while (isspace((unsigned char)*p) || *p == ',')
			p++;
		if (!fill(f, p, depth, &v))
			return false;
		if (!seq_push(f->m->arena, out->u.seq, v))
			return fail_memory(f->err);
		p = type_end(p);
	}
	return true;
}

static bool fail_type(struct filling *f, const char *type)
{
	return fail(f->err, NNS_UNSUPPORTED, "forward takes %s: %.*s, and inputs are tensors", f->parameter, (int)(type_end(type) - type), type);
}

/* --input sr=16000 for a parameter that is an int: the size is the number. */
static bool fill_int(struct filling *f, struct datum *out)
{
	f->missing = true;
	for (size_t i = 0; i < f->g->n_inputs && f->missing; i++) {
		const struct graph_input *in = &f->g->inputs[i];
		if (f->used[i] || !in->name || strcmp(in->name, f->parameter) != 0)
			continue;
		if (in->value->ndim != 1)
			return fail(f->err, NNS_USAGE, "input '%s': forward takes an int there: %s=3", in->name, in->name);
		f->used[i] = f->numbers[i] = true;
		f->taken++;
		f->missing = false;
		*out = datum_int(in->value->size[0]);
	}
	return true;
}

static void drop_numbers(struct filling *f)
{
	size_t n = 0;
	for (size_t i = 0; i < f->g->n_inputs; i++)
		if (!f->numbers[i])
			f->g->inputs[n++] = f->g->inputs[i];
	f->g->n_inputs = n;
}

/* One argument of a type, which may be followed by others. */
static bool fill(struct filling *f, const char *type, int depth, struct datum *out)
{
	*out = datum_none();
	if (depth > MAX_TYPE_DEPTH)
		return fail_type(f, type);
	if (starts(&type, "Tensor")) {
		struct value *v = take(f);
		*out = v ? datum_pointer(D_TENSOR, v) : datum_none();
		f->missing = !v;
		return true;
	}
	if (starts(&type, "int"))
		return fill_int(f, out);
	if (starts(&type, "Optional[")) {
		bool ok = fill(f, type, depth + 1, out);
		f->missing = false;
		return ok;
	}
	if (starts(&type, "List["))
		return fill_list(f, type, depth + 1, out);
	if (starts(&type, "Tuple["))
		return fill_tuple(f, type, depth + 1, out);
	return fail_type(f, type);
}

static bool fill_all(struct filling *f, const struct signature *sig, struct lang_args *args)
{
	for (size_t i = 0; i < sig->n; i++) {
		const struct lang_param *p = &sig->params[i];
		const char *type = p->type ? p->type : "Tensor";
		struct datum v;
		f->parameter = p->name;
		f->missing = false;
		if (!fill(f, type, 0, &v)) {
			if (p->fallback && (!f->err || f->err->code == NNS_UNSUPPORTED))
				continue;
			return false;
		}
		if (f->missing && !p->fallback)
			return script_fail_inputs(f->m, f->err);
		if (f->missing || (v.kind == D_NONE && p->fallback))
			continue;
		args->names[args->n_named] = p->name;
		args->values[args->n_named++] = v;
	}
	return true;
}

static void add_parameters(struct text *t, const struct signature *sig)
{
	for (size_t i = 0; i < sig->n; i++)
		text_addf(t, "%s%s: %s%s", i ? ", " : "", sig->params[i].name, sig->params[i].type ? sig->params[i].type : "Tensor",
		          sig->params[i].fallback ? " (optional)" : "");
}

static bool fail_too_many(const struct graph *g, size_t i, const struct signature *sig, nns_error *err)
{
	struct text t;
	text_init(&t);
	add_parameters(&t, sig);
	fail(err, NNS_USAGE, "input %zu%s%s is one too many: forward takes (%s)", i, g->inputs[i].name ? " " : "",
	     g->inputs[i].name ? g->inputs[i].name : "", t.data ? t.data : "");
	text_release(&t);
	return false;
}

bool script_arguments(struct model *m, struct graph *g, struct lang_args *args, nns_error *err)
{
	const struct signature *sig;
	nns_error local = { 0 };
	struct filling f = { .m = m, .g = g, .err = err ? err : &local };
	if (!script_signature(m, &sig, err))
		return false;
	f.used = arena_array(m->arena, g->n_inputs + 1, sizeof *f.used);
	f.numbers = arena_array(m->arena, g->n_inputs + 1, sizeof *f.numbers);
	args->names = arena_array(m->arena, sig->n + 1, sizeof *args->names);
	args->values = arena_array(m->arena, sig->n + 1, sizeof *args->values);
	if (!f.used || !f.numbers || !args->names || !args->values)
		return fail_memory(err);
	if (!fill_all(&f, sig, args))
		return false;
	for (size_t i = 0; i < g->n_inputs; i++)
		if (!f.used[i])
			return fail_too_many(g, i, sig, err);
	drop_numbers(&f);
	return f.err->code = NNS_OK, true;
}

bool script_fail_inputs(struct model *m, nns_error *err)
{
	const struct signature *sig;
	struct text t;
	if (!script_signature(m, &sig, err))
		return false;
	text_init(&t);
	add_parameters(&t, sig);
	fail(err, NNS_USAGE, "forward wants %s; give shapes, such as %s=1x3x224x224 or, of indices, %s=2x7:int64, or arrays to run it on",
	     t.len ? t.data : "nothing", sig->n ? sig->params[0].name : "x", sig->n ? sig->params[0].name : "x");
	text_release(&t);
	return fail_hint(err, NNS_HINT_INPUT);
}

bool script_wants_none(struct model *m)
{
	const struct signature *sig;
	if (!script_signature(m, &sig, NULL))
		return false;
	for (size_t i = 0; i < sig->n; i++)
		if (!sig->params[i].fallback)
			return false;
	return true;
}
