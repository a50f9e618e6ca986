/*
 * Operators whose arguments are graphs (torch/_higher_order_ops): those that only run one; cond, whose predicate may be known
 * while tracing, or else both branches run and the predicate chooses between what they give; map and scan, written out.
 * A while_loop has as many rounds as its tensors say: it is written out when their content is known, else an unknown operator.
 */
#include <string.h>

#include "trace/replayer.h"

enum { MAX_ROUNDS = 256, MAX_BODIES = 4096 };    /* of a map or scan that is written out; of a program, since they nest */

static struct datum argument(const struct lang_args *args, size_t i)
{
	return i < args->n ? args->items[i] : i - args->n < args->n_named ? args->values[i - args->n] : datum_none();
}

static size_t graph_at(const struct lang_args *args, size_t from)
{
	while (from < args->n + args->n_named && !program_body(argument(args, from)))
		from++;
	return from;
}

bool higher_order_takes(const struct lang_args *args)
{
	return graph_at(args, 0) < args->n + args->n_named;
}

static bool push(struct replayer *r, struct seq *to, struct datum d)
{
	return seq_push(r->model->arena, to, d) || fail_memory(r->err);
}

static bool push_all(struct replayer *r, struct seq *to, struct datum d)
{
	if (!datum_is_seq(d))
		return d.kind == D_NONE || push(r, to, d);
	for (size_t i = 0; i < d.u.seq->n; i++)
		if (!push(r, to, d.u.seq->items[i]))
			return false;
	return true;
}

/* An operator of ATen's on positional arguments. */
static bool call(struct replayer *r, const char *name, struct datum *items, size_t n, struct datum *out)
{
	struct lang_args args = { .items = items, .n = n };
	return record_call(&r->rt->recorder, name, &args, out, r->err);
}

/* ---- One graph that runs once: wrap_with_set_grad_enabled(enabled, graph, *inputs), invoke_subgraph(graph, "name", *inputs) ---- */

static bool run_once(struct replayer *r, const struct program_node *n, const struct lang_args *args, struct datum *out)
{
	struct recorder *recorder = &r->rt->recorder;
	bool before = recorder->grad_enabled;
	size_t at = graph_at(args, 0);
	struct seq inputs = { 0 };
	for (size_t i = at + 1; i < args->n + args->n_named; i++)
		if (argument(args, i).kind != D_STR && !push(r, &inputs, argument(args, i)))
			return false;
	if (strcmp(n->target, "wrap_with_set_grad_enabled") == 0)
		recorder->grad_enabled = before && datum_truth(argument(args, 0));
	bool ok = replay_body(r, program_body(argument(args, at)), inputs.items, inputs.n, out);
	recorder->grad_enabled = before;
	return ok;
}

/* ---- cond(predicate, graph, graph, inputs) ---- */

static bool same_kind(struct datum a, struct datum b)
{
	const struct value *x = a.kind == D_TENSOR ? a.u.p : NULL, *y = b.kind == D_TENSOR ? b.u.p : NULL;
	return x && y && x->dtype == y->dtype && x->ndim >= 0 && x->ndim == y->ndim
	    && (x->ndim == 0 || memcmp(x->size, y->size, (size_t)x->ndim * sizeof *x->size) == 0);
}

/* Both branches have run: what the predicate chooses. */
static bool choose(struct replayer *r, const struct program_node *n, const struct lang_args *args, struct datum yes, struct datum no, struct datum *out)
{
	struct seq a = { 0 }, b = { 0 };
	if (!push_all(r, &a, yes) || !push_all(r, &b, no) || !datum_seq(r->model->arena, D_TUPLE, 0, out))
		return r->err->code ? false : fail_memory(r->err);
	bool same = a.n == b.n;
	for (size_t i = 0; same && i < a.n; i++)
		same = same_kind(a.items[i], b.items[i]);
	if (!same)
		return replay_unknown(r, n, args, out);
	for (size_t i = 0; i < a.n; i++) {
		struct datum three[] = { argument(args, 0), a.items[i], b.items[i] }, chosen;
		if (!call(r, "where.self", three, 3, &chosen) || !push(r, out->u.seq, chosen))
			return false;
	}
	if (out->u.seq->n == 1)
		*out = out->u.seq->items[0];
	return true;
}

/* Whether it holds, an int; None when that is not known. */
static bool predicate_of(struct replayer *r, struct datum d, struct datum *out)
{
	*out = datum_is_int(d) ? d : datum_none();
	return d.kind != D_TENSOR || replay_number(r, d.u.p, out);
}

static bool run_cond(struct replayer *r, const struct program_node *n, const struct lang_args *args, struct datum *out)
{
	struct datum predicate = argument(args, 0), known, yes, no;
	const struct program *bodies[] = { program_body(argument(args, 2)), program_body(argument(args, 1)) };
	struct seq inputs = { 0 };
	if (!bodies[0] || !bodies[1])
		return replay_unknown(r, n, args, out);
	if (!push_all(r, &inputs, argument(args, 3)))
		return false;
	if (!predicate_of(r, predicate, &known))
		return false;
	if (known.kind != D_NONE)
		return replay_body(r, bodies[datum_truth(known)], inputs.items, inputs.n, out);
	if (predicate.kind != D_TENSOR)
		return replay_unknown(r, n, args, out);
	return replay_body(r, bodies[1], inputs.items, inputs.n, &yes) && replay_body(r, bodies[0], inputs.items, inputs.n, &no) && choose(r, n, args, yes, no, out);
}

/* ---- map_impl(graph, rows, others), scan(graph, carried, rows, others) ---- */

/* How many rows all of them have; -1: that is not known, or too many to write out. */
static int64_t rounds_of(struct datum rows)
{
	int64_t n = -1;
	for (size_t i = 0; datum_is_seq(rows) && i < rows.u.seq->n; i++) {
		const struct value *v = rows.u.seq->items[i].kind == D_TENSOR ? rows.u.seq->items[i].u.p : NULL;
		if (!v || v->ndim < 1 || (n >= 0 && v->size[0] != n))
			return -1;
		n = v->size[0];
	}
	return n > 0 && n <= MAX_ROUNDS ? n : -1;
}

static bool push_rows(struct replayer *r, struct seq *to, struct datum rows, int64_t i)
{
	for (size_t k = 0; k < rows.u.seq->n; k++) {
		struct datum three[] = { rows.u.seq->items[k], datum_int(0), datum_int(i) }, row;
		if (!call(r, "select.int", three, 3, &row) || !push(r, to, row))
			return false;
	}
	return true;
}

/* carry: those that the next round gets; the rest of what a round gives is a row of the results. */
static bool write_out(struct replayer *r, const struct program *body, struct seq *carry, struct datum rows, struct datum others, int64_t rounds,
                      struct datum *out)
{
	struct seq *given = arena_array(r->model->arena, (size_t)rounds, sizeof *given);
	size_t carried = carry->n;
	if (!given)
		return fail_memory(r->err);
	for (int64_t i = 0; i < rounds; i++) {
		struct seq inputs = { 0 };
		struct datum result;
		for (size_t k = 0; k < carried; k++)
			if (!push(r, &inputs, carry->items[k]))
				return false;
		if (!push_rows(r, &inputs, rows, i) || !push_all(r, &inputs, others) || !replay_body(r, body, inputs.items, inputs.n, &result)
		    || !push_all(r, &given[i], result))
			return false;
		if (given[i].n < carried || given[i].n != given[0].n)
			return fail(r->err, NNS_FORMAT, "round %lld of a scan gives %zu values", (long long)i, given[i].n);
		carry = &given[i];
	}
	if (!datum_seq(r->model->arena, D_TUPLE, 0, out))
		return fail_memory(r->err);
	for (size_t k = 0; k < given[0].n; k++) {
		struct datum column, stacked = carry->items[k];
		if (!datum_seq(r->model->arena, D_LIST, 0, &column))
			return fail_memory(r->err);
		for (int64_t i = 0; k >= carried && i < rounds; i++)
			if (!push(r, column.u.seq, given[i].items[k]))
				return false;
		struct datum two[] = { column, datum_int(0) };
		if ((k >= carried && !call(r, "stack", two, 2, &stacked)) || !push(r, out->u.seq, stacked))
			return false;
	}
	if (out->u.seq->n == 1)
		*out = out->u.seq->items[0];
	return true;
}

static bool run_rounds(struct replayer *r, const struct program_node *n, const struct lang_args *args, struct datum *out)
{
	bool carries = strcmp(n->target, "scan") == 0;
	const struct program *body = program_body(argument(args, 0));
	struct datum rows = argument(args, 1 + carries), others = argument(args, 2 + carries);
	int64_t rounds = rounds_of(rows);
	struct seq carry = { 0 };
	if (!body || rounds < 0 || (r->bodies += (size_t)rounds) > MAX_BODIES)
		return replay_unknown(r, n, args, out);
	return (!carries || push_all(r, &carry, argument(args, 1))) && write_out(r, body, &carry, rows, others, rounds, out);
}

/* ---- while_loop(graph, graph, carried, others) ---- */

/* carried and others; what a round of the second graph gives is carried by the next, while the first says so. */
static bool run_while(struct replayer *r, const struct program_node *n, const struct lang_args *args, struct datum *out)
{
	const struct program *goes_on = program_body(argument(args, 0)), *body = program_body(argument(args, 1));
	struct datum carried = argument(args, 2), holds, known;
	bool more = goes_on && body && datum_is_seq(carried);
	for (int round = 0; more; round++) {
		struct seq inputs = { 0 };
		if (!push_all(r, &inputs, carried) || !push_all(r, &inputs, argument(args, 3)) || !replay_body(r, goes_on, inputs.items, inputs.n, &holds)
		    || !predicate_of(r, holds, &known))
			return false;
		if (known.kind != D_NONE && !datum_truth(known))
			return *out = carried.u.seq->n == 1 ? carried.u.seq->items[0] : carried, true;
		more = known.kind != D_NONE && round < MAX_ROUNDS && ++r->bodies <= MAX_BODIES;
		if (more && !replay_body(r, body, inputs.items, inputs.n, &carried))
			return false;
		if (more && !datum_is_seq(carried)) {
			struct datum one = carried;
			if (!datum_seq(r->model->arena, D_TUPLE, 1, &carried) || !push(r, carried.u.seq, one))
				return fail_memory(r->err);
		}
	}
	return replay_unknown(r, n, args, out);
}

/* ---- Which ---- */

static const struct {
	const char *target;
	bool (*run)(struct replayer *r, const struct program_node *n, const struct lang_args *args, struct datum *out);
} rows[] = {
	{ "cond", run_cond }, { "map_impl", run_rounds }, { "scan", run_rounds }, { "while_loop", run_while },
	{ "wrap_with_set_grad_enabled", run_once }, { "wrap_with_autocast", run_once }, { "wrap", run_once }, { "invoke_subgraph", run_once },
	{ "strict_mode", run_once }, { "wrap_activation_checkpoint", run_once }, { "tag_activation_checkpoint", run_once },
};

bool higher_order_run(struct replayer *r, const struct program_node *n, const struct lang_args *args, struct datum *out)
{
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
		if (strcmp(rows[i].target, n->target) == 0)
			return rows[i].run(r, n, args, out);
	return replay_unknown(r, n, args, out);
}
