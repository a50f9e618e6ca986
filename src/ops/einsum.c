/*
 * einsum(): its parts (aten/src/ATen/native/Linear.cpp) and its multiply-adds, which fvcore asks numpy for
 * (fvcore/nn/jit_handles.py: einsum_flop_jit; numpy/_core/einsumfunc.py: einsum_path).
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ops/op.h"

/* ---- Its parts ---- */

/*
 * Parsed left to right: labels of each operand, '.' for an ellipsis.  Operands are permuted to (output labels, summed
 * labels) with 1 where a label is missing, then multiplied from the left, each pair by bmm() over
 * (both and output, left only, summed) x (both and output, summed, right only); the two are swapped when the right one's
 * labels come first in the output.  Linear.cpp: einsum, sumproduct_pair.
 */
static const char einsum_parts[] =
	"letters = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz'\n"
	"labels = [[]]\n"
	"out = []\n"
	"arrow = False\n"
	"dots = 0\n"
	"for ch in equation:\n"
	"    if ch == ' ' or ch == '-':\n"
	"        continue\n"
	"    if ch == '>':\n"
	"        arrow = True\n"
	"        continue\n"
	"    if ch == ',':\n"
	"        labels = labels + [[]]\n"
	"        continue\n"
	"    if ch == '.':\n"
	"        dots = dots + 1\n"
	"        if dots % 3 != 0:\n"
	"            continue\n"
	"    elif ch not in letters:\n"
	"        raise ValueError(f'einsum(): invalid subscript {ch!r} in {equation!r}; subscripts must be in [a-zA-Z]')\n"
	"    if arrow:\n"
	"        out = out + [ch]\n"
	"    else:\n"
	"        labels[len(labels) - 1] = labels[len(labels) - 1] + [ch]\n"
	"if len(labels) != len(tensors):\n"
	"    raise ValueError(f'einsum(): {equation!r} is for {len(labels)} operands, but {len(tensors)} were given')\n"
	"wide = 0\n"
	"count = {}\n"
	"for i in range(len(tensors)):\n"
	"    named = [s for s in labels[i] if s != '.']\n"
	"    n = tensors[i].dim()\n"
	"    if len(named) > n or (len(named) == len(labels[i]) and len(named) != n):\n"
	"        raise ValueError(f'einsum(): {equation!r} has {len(named)} subscripts for operand {i}, which has shape {list(tensors[i].shape)}')\n"
	"    if len(named) < len(labels[i]) and n - len(named) > wide:\n"
	"        wide = n - len(named)\n"
	"    for s in named:\n"
	"        count[s] = count[s] + 1 if s in count else 1\n"
	"place = {}\n"
	"at = 0\n"
	"ellipsis = 0\n"
	"shown = False\n"
	"if arrow:\n"
	"    for s in out:\n"
	"        if s == '.':\n"
	"            ellipsis = at\n"
	"            at = at + wide\n"
	"            shown = True\n"
	"        elif s in place or s not in count:\n"
	"            raise ValueError(f'einsum(): output subscript {s!r} of {equation!r} must be in one operand at least and once in the output')\n"
	"        else:\n"
	"            place[s] = at\n"
	"            at = at + 1\n"
	"else:\n"
	"    at = wide\n"
	"    shown = True\n"
	"    for s in letters:\n"
	"        if s in count and count[s] == 1:\n"
	"            place[s] = at\n"
	"            at = at + 1\n"
	"n_out = at\n"
	"if not shown:\n"
	"    ellipsis = at\n"
	"    at = at + wide\n"
	"for s in letters:\n"
	"    if s in count and s not in place:\n"
	"        place[s] = at\n"
	"        at = at + 1\n"
	"size = [1 for i in range(at)]\n"
	"uses = [0 for i in range(at)]\n"
	"ops = []\n"
	"for i in range(len(tensors)):\n"
	"    op = tensors[i]\n"
	"    perm = [-1 for j in range(at)]\n"
	"    covered = op.dim() - len(labels[i]) + 1\n"
	"    dim = 0\n"
	"    for s in labels[i]:\n"
	"        if s != '.' and perm[place[s]] != -1:\n"
	"            before = perm[place[s]]\n"
	"            if op.size(dim) != op.size(before):\n"
	"                raise ValueError(f'einsum(): subscript {s!r} is repeated for operand {i}, but the sizes {op.size(before)} and {op.size(dim)} differ')\n"
	"            op = aten.movedim.int(aten.diagonal(op, 0, before, dim), -1, before)\n"
	"            continue\n"
	"        for p in ([place[s]] if s != '.' else [ellipsis + wide - covered + k for k in range(covered)]):\n"
	"            if op.size(dim) != 1:\n"
	"                if size[p] != 1 and size[p] != op.size(dim):\n"
	"                    raise ValueError(f'einsum(): subscript {s!r} has size {op.size(dim)} for operand {i}, which does not broadcast with "
	"{size[p]} seen before')\n"
	"                size[p] = op.size(dim)\n"
	"                uses[p] = uses[p] + 1\n"
	"            perm[p] = dim\n"
	"            dim = dim + 1\n"
	"    for p in range(at):\n"
	"        if perm[p] == -1:\n"
	"            op = aten.unsqueeze(op, dim)\n"
	"            perm[p] = dim\n"
	"            dim = dim + 1\n"
	"    ops = ops + [aten.permute(op, perm)]\n"
	"step = 0\n"
	"while len(ops) > 1:\n"
	"    i, j = 0, 1\n"
	"    if path is not None:\n"
	"        i, j = path[step], path[step + 1]\n"
	"        step = step + 2\n"
	"        if j < i:\n"
	"            i, j = j, i\n"
	"    a, b = ops[i], ops[j]\n"
	"    ops = [ops[k] for k in range(len(ops)) if k != i and k != j]\n"
	"    summed = []\n"
	"    a_sum = []\n"
	"    b_sum = []\n"
	"    for d in range(n_out, at):\n"
	"        if a.size(d) != 1 and b.size(d) != 1:\n"
	"            uses[d] = uses[d] - 1\n"
	"            if uses[d] == 1:\n"
	"                summed = summed + [d]\n"
	"                uses[d] = 0\n"
	"        elif uses[d] == 1:\n"
	"            if a.size(d) != 1:\n"
	"                a_sum = a_sum + [d]\n"
	"                uses[d] = 0\n"
	"            elif b.size(d) != 1:\n"
	"                b_sum = b_sum + [d]\n"
	"                uses[d] = 0\n"
	"    if len(a_sum) > 0:\n"
	"        a = aten.sum.dim_IntList(a, a_sum, True)\n"
	"    if len(b_sum) > 0:\n"
	"        b = aten.sum.dim_IntList(b, b_sum, True)\n"
	"    if len(summed) == 0:\n"
	"        c = aten.mul.Tensor(a, b)\n"
	"    else:\n"
	"        kept = [d for d in range(at) if d not in summed]\n"
	"        both = [d for d in kept if a.size(d) != 1 and b.size(d) != 1]\n"
	"        left = [d for d in kept if a.size(d) != 1 and b.size(d) == 1]\n"
	"        right = [d for d in kept if a.size(d) == 1]\n"
	"        if len(left) > 0 and len(right) > 0 and right[len(right) - 1] < left[0]:\n"
	"            a, b = b, a\n"
	"            left, right = right, left\n"
	"        n_both, n_left, n_right, n_summed = 1, 1, 1, 1\n"
	"        for d in both:\n"
	"            n_both = n_both * a.size(d)\n"
	"        for d in left:\n"
	"            n_left = n_left * a.size(d)\n"
	"        for d in right:\n"
	"            n_right = n_right * b.size(d)\n"
	"        for d in summed:\n"
	"            n_summed = n_summed * a.size(d)\n"
	"        order = both + left + summed + right\n"
	"        shape = [a.size(d) for d in both + left] + [1 for d in summed] + [b.size(d) for d in right]\n"
	"        back = [0 for d in order]\n"
	"        for k in range(len(order)):\n"
	"            back[order[k]] = k\n"
	"        a = aten.reshape(aten.permute(a, order), [n_both, n_left, n_summed])\n"
	"        b = aten.reshape(aten.permute(b, both + summed + right + left), [n_both, n_summed, n_right])\n"
	"        c = aten.permute(aten.view.default(aten.bmm(a, b), shape), back)\n"
	"    ops = ops + [c] if path is not None else [c] + ops\n"
	"result = ops[0]\n"
	"if at > n_out:\n"
	"    if len(tensors) > 1:\n"
	"        return aten.view.default(result, [result.size(d) for d in range(n_out)])\n"
	"    return aten.sum.dim_IntList(result, [d for d in range(n_out, at)])\n"
	"return result\n";

/* ---- Its equation ---- */

enum { MAX_OPERANDS = 8, MAX_LABELS = 64, LETTERS = 52 }; /* the labels after the letters are dimensions of an ellipsis, the last one first */

typedef uint64_t labels;         /* a set of them, a bit each */

struct equation {
	int n;
	labels in[MAX_OPERANDS], out;
	labels twice[MAX_OPERANDS];      /* what an operand has more than once */
	double size[MAX_LABELS];         /* of each label */
	double largest;                  /* elements of the largest operand, and of the result */
};

static int label_of(char ch)
{
	if (ch >= 'A' && ch <= 'Z')
		return ch - 'A';
	return ch >= 'a' && ch <= 'z' ? ch - 'a' + 26 : -1;
}

static double product_of(const struct equation *e, labels set)
{
	double p = 1;
	for (int i = 0; i < MAX_LABELS; i++)
		if (set >> i & 1)
			p *= e->size[i];
	return p;
}

/* One more dimension of an operand; sizes of 1 give way to others. */
static void add_label(struct equation *e, int label, int64_t size)
{
	labels bit = (labels)1 << label;
	e->twice[e->n] |= e->in[e->n] & bit;
	e->in[e->n] |= bit;
	if (e->size[label] == 1)
		e->size[label] = (double)size;
}

/* The operand that text begins with, up to a comma, an arrow or the end; NULL when it does not fit v. */
static const char *read_operand(struct equation *e, const char *text, const struct value *v, int *seen)
{
	size_t length = strcspn(text, ",>"), letters = 0;
	int dim = 0;
	for (size_t i = 0; i < length; i++)
		letters += label_of(text[i]) >= 0;
	int covered = v->ndim - (int)letters;        /* dimensions of the ellipsis */
	bool ellipsis = false;
	for (size_t i = 0; i < length; i++) {
		int label = label_of(text[i]);
		if (label >= 0 && dim < v->ndim) {
			seen[label]++;
			add_label(e, label, v->size[dim++]);
		} else if (text[i] == '.' && !ellipsis && covered >= 0 && covered <= MAX_LABELS - LETTERS) {
			ellipsis = true;
			for (int d = covered; d-- > 0; )
				add_label(e, LETTERS + d, v->size[dim++]);
		} else if (text[i] != '.' || !ellipsis) {
			return NULL;
		}
	}
	e->n++;
	return dim == v->ndim ? text + length : NULL;
}

/* False for what fvcore does not get an answer for, and for more operands than are searched here. */
static bool equation_read(const char *text, const struct seq *operands, struct equation *e)
{
	int seen[LETTERS] = { 0 };
	labels letters = ((labels)1 << LETTERS) - 1, dots = 0;
	*e = (struct equation){ 0 };
	for (int i = 0; i < MAX_LABELS; i++)
		e->size[i] = 1;
	if (operands->n == 0 || operands->n > MAX_OPERANDS)
		return false;
	for (size_t i = 0; i < operands->n; i++) {
		text = read_operand(e, text + (i > 0), operands->items[i].u.p, seen);
		if (!text || (i + 1 < operands->n && *text != ','))
			return false;
		dots |= e->in[i] & ~letters;
	}
	if (*text == 0) {                        /* implicit: labels that occur once */
		e->out = dots;
		for (int i = 0; i < LETTERS; i++)
			e->out |= (labels)(seen[i] == 1) << i;
	} else if (*text != '>') {
		return false;
	} else {
		for (text++; *text; text++)
			e->out |= *text == '.' ? dots : label_of(*text) >= 0 ? (labels)1 << label_of(*text) : 0;
	}
	e->largest = product_of(e, e->out);
	for (int i = 0; i < e->n; i++)
		e->largest = fmax(e->largest, product_of(e, e->in[i]) * product_of(e, e->twice[i]));
	return true;
}

/* ---- Its multiply-adds ---- */

/* A state of the search: the operands that are left, and what it cost to come here. */
struct contraction {
	double cost;
	int n;
	labels left[MAX_OPERANDS];
};

/* Contracts the operands of s that chosen names, a bit each; the result comes last.  Returns its labels. */
static labels contract(const struct equation *e, const struct contraction *s, unsigned chosen, struct contraction *out)
{
	labels all = 0, kept = e->out;
	int count = 0, n = 0;
	for (int i = 0; i < s->n; i++) {
		if (chosen >> i & 1) {
			all |= s->left[i];
			count++;
		} else {
			kept |= s->left[i];
			out->left[n++] = s->left[i];
		}
	}
	labels result = all & kept;
	out->left[n++] = result;
	out->n = n;
	out->cost = s->cost + product_of(e, all) * ((count > 2 ? count - 1 : 1) + (result != all));
	return result;
}

/*
 * The cheapest order of pairs, among those whose results are no larger than the largest operand; best[k] is the first
 * of the cheapest states with k operands left.  As deep as there are operands.
 */
static void search(const struct equation *e, const struct contraction *s, struct contraction *best)
{
	if (best[s->n].n == 0 || s->cost < best[s->n].cost)
		best[s->n] = *s;
	for (int i = 0; i < s->n; i++)
		for (int j = i + 1; j < s->n; j++) {
			struct contraction next;
			if (product_of(e, contract(e, s, 1U << i | 1U << j, &next)) <= e->largest)
				search(e, &next, best);
		}
}

static double path_cost(const struct equation *e)
{
	struct contraction first = { .n = e->n }, best[MAX_OPERANDS + 1] = { 0 }, last;
	labels all = 0;
	memcpy(first.left, e->in, sizeof first.left);
	for (int i = 0; i < e->n; i++)
		all |= e->in[i];
	if (e->n > 2 && all != e->out)
		search(e, &first, best);
	else
		best[e->n] = first;
	int least = 1;
	while (best[least].n == 0)
		least++;
	if (least == 1 && e->n > 1)
		return best[1].cost;
	contract(e, &best[least], (1U << least) - 1, &last);     /* no pair is small enough: the rest at once */
	return last.cost;
}

/* Two batched products fvcore counts itself, once it has renamed the letters a, b, c in order of appearance. */
static bool counted_by_fvcore(const char *equation)
{
	char name[16], renamed[LETTERS] = { 0 }, next = 'a';
	size_t n = strlen(equation);
	if (n >= sizeof name)
		return false;
	for (size_t i = 0; i <= n; i++) {
		int label = label_of(equation[i]);
		if (label >= 0 && !renamed[label])
			renamed[label] = next++;
		name[i] = label >= 0 ? renamed[label] : equation[i];
	}
	return strcmp(name, "abc,abd>acd") == 0 || strcmp(name, "abc,adc>adb") == 0;
}

/* numpy prints its count, and one, with four digits; fvcore halves that and rounds down. */
static bool flops_einsum(const struct node *n, double *out)
{
	struct datum *text = node_arg(n, "equation"), *list = node_arg(n, "tensors");
	struct equation e;
	char equation[512], digits[40];
	size_t length = 0;
	if (!text || text->kind != D_STR || !list || !datum_is_seq(*list))
		return false;
	for (const char *p = text->u.s; *p; p++) {
		if (length + 1 >= sizeof equation)
			return false;
		if (*p != ' ' && *p != '-')
			equation[length++] = *p;
	}
	equation[length] = 0;
	if (!equation_read(equation, list->u.seq, &e))
		return false;
	if (counted_by_fvcore(equation)) {
		*out = product_of(&e, e.in[0] | e.in[1]);
		return true;
	}
	snprintf(digits, sizeof digits, "%.3e", path_cost(&e) + 1);
	*out = floor(strtod(digits, NULL) / 2);
	return true;
}

const struct op_rule einsum_rules[] = {
	{ .name = "einsum", .flops = flops_einsum, .flops_name = "einsum", .parts = einsum_parts },
	{ 0 },
};
