/*
 * Contractions: einsum(), tensordot(), bilinear(), chains of matrices, outer products
 * (aten/src/ATen/native/{Linear,LinearAlgebra,Cross}.cpp).
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ops/flops.h"
#include "ops/op.h"
#include "ops/shapes.h"

/* ---- einsum ---- */

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
	"                    raise ValueError(f'einsum(): subscript {s!r} has size {op.size(dim)} for operand {i}, which does not broadcast with {size[p]} seen before')\n"
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

/* ---- einsum's multiply-adds ---- */

enum { MAX_LABELS = 128 };

struct equation {
	double size[MAX_LABELS];        /* by letter, 0 when absent */
	bool in[2][MAX_LABELS], out[MAX_LABELS];
};

/* False for what is not counted: an ellipsis, no arrow, more than two operands. */
static bool equation_read(const char *text, struct value *const *in, size_t n, struct equation *e)
{
	size_t operand = 0;
	int dim = 0;
	bool arrow = false;
	memset(e, 0, sizeof *e);
	for (const char *p = text; *p; p++) {
		if (*p == ' ' || *p == '-')
			continue;
		if (*p == '>') {
			arrow = true;
		} else if (*p == ',') {
			operand++;
			dim = 0;
		} else if (*p == '.' || (unsigned char)*p >= MAX_LABELS) {
			return false;
		} else if (arrow) {
			e->out[(unsigned char)*p] = true;
		} else {
			if (operand >= n || operand >= 2 || dim >= in[operand]->ndim)
				return false;
			e->in[operand][(unsigned char)*p] = true;
			double size = (double)in[operand]->size[dim++];
			if (size > e->size[(unsigned char)*p])
				e->size[(unsigned char)*p] = size;
		}
	}
	return arrow && operand + 1 == n;
}

/* The equation without blanks, its letters renamed a, b, c in order of appearance; false when it is long. */
static bool canonical(const char *text, char *out, size_t cap)
{
	char name[MAX_LABELS] = { 0 }, next = 'a';
	size_t n = 0;
	for (const char *p = text; *p; p++) {
		unsigned char ch = (unsigned char)*p;
		if (ch == ' ')
			continue;
		if (n + 1 >= cap || ch >= MAX_LABELS)
			return false;
		bool letter = (ch >= 'a' && ch <= 'z') || (ch >= 'A' && ch <= 'Z');
		if (letter && !name[ch])
			name[ch] = next++;
		out[n++] = letter ? name[ch] : (char)ch;
	}
	out[n] = 0;
	return true;
}

/*
 * Two batched products fvcore counts itself.  For the others it asks numpy.einsum_path: the product of all sizes, twice
 * when something is summed, and one, printed with four digits; fvcore halves that and rounds down.  Contractions of
 * three and more operands would need numpy's search for the best order: unknown here.
 */
static bool flops_einsum(const struct node *n, double *out)
{
	struct datum *text = node_arg(n, "equation"), *list = node_arg(n, "tensors");
	struct value *in[2];
	struct equation e;
	char name[64], digits[40];
	if (!text || text->kind != D_STR || !list || !datum_is_seq(*list) || list->u.seq->n > 2)
		return false;
	for (size_t i = 0; i < list->u.seq->n; i++)
		in[i] = list->u.seq->items[i].u.p;
	if (!equation_read(text->u.s, in, list->u.seq->n, &e))
		return false;
	double total = 1;
	bool summed = false;
	for (int i = 0; i < MAX_LABELS; i++) {
		if (!e.in[0][i] && !e.in[1][i])
			continue;
		total *= e.size[i];
		summed = summed || !e.out[i];
	}
	*out = total;
	if (canonical(text->u.s, name, sizeof name) && (strcmp(name, "abc,abd->acd") == 0 || strcmp(name, "abc,adc->adb") == 0))
		return true;
	snprintf(digits, sizeof digits, "%.3e", total * (summed ? 2 : 1) + 1);
	*out = floor(strtod(digits, NULL) / 2);
	return true;
}

/* ---- tensordot, inner ---- */

static const char tensordot_parts[] =
	"t1, t2 = self, other\n"
	"n1, n2 = self.dim(), other.dim()\n"
	"if len(dims_self) != len(dims_other):\n"
	"    raise ValueError('tensordot: both dimension lists should have the same length')\n"
	"if self.dtype != other.dtype:\n"
	"    raise ValueError('tensordot: both inputs should have the same dtype')\n"
	"d1 = [d + n1 if d < 0 else d for d in dims_self]\n"
	"d2 = [d + n2 if d < 0 else d for d in dims_other]\n"
	"inner = 1\n"
	"for i in range(len(d1)):\n"
	"    s1, s2 = self.size(d1[i]), other.size(d2[i])\n"
	"    if s2 == 1:\n"
	"        t1 = aten.sum.dim_IntList(t1, [dims_self[i]], True)\n"
	"    elif s1 == 1:\n"
	"        t2 = aten.sum.dim_IntList(t2, [dims_other[i]], True)\n"
	"    elif s1 != s2:\n"
	"        raise ValueError(f'tensordot: dimension {d1[i]} of {list(self.shape)} and dimension {d2[i]} of {list(other.shape)} have {s1} and {s2} elements')\n"
	"    else:\n"
	"        inner = inner * s1\n"
	"free1 = [i for i in range(n1) if i not in d1]\n"
	"free2 = [i for i in range(n2) if i not in d2]\n"
	"shape = [t1.size(i) for i in free1] + [t2.size(i) for i in free2]\n"
	"rows, columns = 1, 1\n"
	"for i in free1:\n"
	"    rows = rows * t1.size(i)\n"
	"for i in free2:\n"
	"    columns = columns * t2.size(i)\n"
	"t1 = aten.permute(t1, free1 + dims_self)\n"
	"t2 = aten.permute(t2, dims_other + free2)\n"
	"if rows == 1 and columns == 1:\n"
	"    if t1.is_contiguous() and t2.is_contiguous():\n"
	"        return aten.reshape(aten.dot(aten.flatten(t1), aten.flatten(t2)), shape)\n"
	"    return aten.reshape(aten.sum(aten.mul.Tensor(aten.squeeze(t1), aten.squeeze(t2))), shape)\n"
	"product = aten.mm(aten.reshape(t1, [rows, inner]), aten.reshape(t2, [inner, columns]))\n"
	"return aten.reshape(product, shape)\n";

static const char inner_parts[] =
	"if self.dim() == 0 or other.dim() == 0:\n"
	"    return aten.mul.Tensor(self, other)\n"
	"if self.size(-1) != other.size(-1):\n"
	"    raise ValueError(f'inner: the last dimensions of {list(self.shape)} and {list(other.shape)} must match')\n"
	"return aten.tensordot(self, other, [-1], [-1])\n";

/* ---- Outer products ---- */

static bool check_outer(struct op_call *c)
{
	struct value *a = op_tensor(c, "self"), *b = op_tensor(c, "vec2");
	return (a->ndim == 1 && b->ndim == 1) || op_fail(c, "expected two vectors, not %V and %V", a, b);
}

static const char outer_parts[] = "return aten.mul.Tensor(aten.reshape(self, [self.size(0), 1]), vec2)\n";

static const char kron_parts[] =
	"n = self.dim() if self.dim() > other.dim() else other.dim()\n"
	"s1 = [1 for i in range(n - self.dim())] + list(self.shape)\n"
	"s2 = [1 for i in range(n - other.dim())] + list(other.shape)\n"
	"a = aten._unsafe_view(self, [s1[i // 2] if i % 2 == 0 else 1 for i in range(2 * n)])\n"
	"b = aten._unsafe_view(other, [s2[i // 2] if i % 2 == 1 else 1 for i in range(2 * n)])\n"
	"return aten._unsafe_view(aten.mul.Tensor(a, b), [s1[i] * s2[i] for i in range(n)])\n";

/* ---- Chains of matrices ---- */

/* Three are multiplied in the cheaper of two orders, more in the order that dynamic programming finds. */
static const char multi_dot_parts[] =
	"n = len(tensors)\n"
	"if n < 2:\n"
	"    raise ValueError('multi_dot: expected at least 2 tensors')\n"
	"shape = []\n"
	"ts = list(tensors)\n"
	"if ts[0].dim() == 1:\n"
	"    ts[0] = aten.unsqueeze(ts[0], 0)\n"
	"else:\n"
	"    shape = shape + [ts[0].size(0)]\n"
	"if ts[n - 1].dim() == 1:\n"
	"    ts[n - 1] = aten.unsqueeze(ts[n - 1], -1)\n"
	"else:\n"
	"    shape = shape + [ts[n - 1].size(1)]\n"
	"for t in ts:\n"
	"    if t.dim() != 2:\n"
	"        raise ValueError(f'multi_dot: expected matrices, not a tensor of shape {list(t.shape)}')\n"
	"if n == 2:\n"
	"    return aten.view.default(aten.mm(ts[0], ts[1]), shape)\n"
	"if n == 3:\n"
	"    a, b, c, d = ts[0].size(0), ts[1].size(0), ts[2].size(0), ts[2].size(1)\n"
	"    if (a * c) * (b + d) > (b * d) * (a + c):\n"
	"        return aten.view.default(aten.mm(ts[0], aten.mm(ts[1], ts[2])), shape)\n"
	"    return aten.view.default(aten.mm(aten.mm(ts[0], ts[1]), ts[2]), shape)\n"
	"p = [t.size(0) for t in ts] + [ts[n - 1].size(1)]\n"
	"cost = [[0 for j in range(n)] for i in range(n)]\n"
	"cut = [[0 for j in range(n)] for i in range(n)]\n"
	"for length in range(1, n):\n"
	"    for i in range(n - length):\n"
	"        j = i + length\n"
	"        best = -1\n"
	"        for k in range(i, j):\n"
	"            q = cost[i][k] + cost[k + 1][j] + p[i] * p[k + 1] * p[j + 1]\n"
	"            if best < 0 or q < best:\n"
	"                best = q\n"
	"                cut[i][j] = k\n"
	"        cost[i][j] = best\n"
	"def multiply(i, j):\n"
	"    if i == j:\n"
	"        return ts[i]\n"
	"    left = multiply(i, cut[i][j])\n"
	"    return aten.mm(left, multiply(cut[i][j] + 1, j))\n"
	"return aten.view.default(multiply(0, n - 1), shape)\n";

static const char chain_matmul_parts[] =
	"for t in matrices:\n"
	"    if t.dim() != 2:\n"
	"        raise ValueError(f'chain_matmul: expected matrices, not a tensor of shape {list(t.shape)}')\n"
	"if len(matrices) == 1:\n"
	"    return aten.clone(matrices[0])\n"
	"return aten.linalg_multi_dot(matrices)\n";

/* ---- bilinear ---- */

static bool check_bilinear(struct op_call *c)
{
	struct value *a = op_tensor(c, "input1"), *b = op_tensor(c, "input2"), *w = op_tensor(c, "weight"), *bias = op_tensor(c, "bias");
	if (a->ndim != b->ndim || a->ndim < 1)
		return op_fail(c, "inputs %V and %V have different dimensions", a, b);
	if (w->ndim != 3)
		return op_fail(c, "weight %V has %d dimensions; expected 3", w, w->ndim);
	for (int i = 0; i < a->ndim - 1; i++)
		if (a->size[i] != b->size[i])
			return op_fail(c, "inputs %V and %V do not match in dimension %d", a, b, i);
	if (a->size[a->ndim - 1] != w->size[1] || b->size[b->ndim - 1] != w->size[2])
		return op_fail(c, "inputs %V and %V do not fit weight %V, which expects %lld and %lld features", a, b, w, (long long)w->size[1],
		               (long long)w->size[2]);
	if (bias && (bias->ndim != 1 || bias->size[0] != w->size[0]))
		return op_fail(c, "bias %V does not fit weight %V", bias, w);
	return true;
}

static const char bilinear_parts[] =
	"shape = list(input1.shape)[:-1] + [weight.size(0)]\n"
	"a = aten.reshape(input1, [-1, input1.size(-1)])\n"
	"b = aten.reshape(input2, [-1, input2.size(-1)])\n"
	"out = aten.reshape(aten._trilinear(a, weight, b, [1, 3], [0], [1, 2], [2, 3]), shape)\n"
	"if bias is not None:\n"
	"    out = aten.add.Tensor(out, bias)\n"
	"return out\n";

/* Marks dims in a set of total dimensions. */
static bool mark(struct op_call *c, const char *name, int total, bool *set)
{
	int n, d;
	const int64_t *dims = op_ints(c, name, &n);
	memset(set, 0, MAX_DIMS * sizeof *set);
	for (int i = 0; i < n; i++) {
		if (!op_dim(c, dims[i], total, &d))
			return false;
		set[d] = true;
	}
	return true;
}

/* The three operands unsqueezed at their expanded dimensions, multiplied, and summed over sumdim. */
static bool shape_trilinear(struct op_call *c)
{
	static const char *const operands[] = { "i1", "i2", "i3" }, *const expands[] = { "expand1", "expand2", "expand3" };
	bool expand[MAX_DIMS], sum[MAX_DIMS];
	int64_t size[MAX_DIMS], out[MAX_DIMS];
	int n, total, kept = 0;
	op_ints(c, "expand1", &n);
	total = op_tensor(c, "i1")->ndim + n;
	if (total > MAX_DIMS || !mark(c, "sumdim", total, sum))
		return op_fail(c, "too many dimensions");
	for (int k = 0; k < 3; k++) {
		struct value *v = op_tensor(c, operands[k]);
		if (!mark(c, expands[k], total, expand))
			return false;
		for (int i = 0, d = 0; i < total; i++) {
			if (expand[i])
				continue;
			if (d >= v->ndim)
				return op_fail(c, "operand %V has too few dimensions", v);
			size[i] = v->size[d++];
		}
	}
	for (int i = 0; i < total; i++)
		if (!sum[i])
			out[kept++] = size[i];
	return op_out(c, op_tensor(c, "i1")->dtype, kept, out) != NULL;
}

/* ---- Vectors ---- */

static bool shape_cross(struct op_call *c)
{
	struct value *a = op_tensor(c, "self"), *b = op_tensor(c, "other"), *in[2] = { a, b };
	int dim;
	if (a->ndim != b->ndim)
		return op_fail(c, "%V and %V must have the same number of dimensions", a, b);
	if (!op_dim(c, op_int(c, "dim", -1), a->ndim, &dim))
		return false;
	if (a->ndim == 0 || a->size[dim] != 3 || b->size[dim] != 3)
		return op_fail(c, "%V and %V must have 3 elements in dimension %d", a, b, dim);
	int64_t size[MAX_DIMS];
	int n;
	return op_broadcast(c, a->ndim, a->size, b->ndim, b->size, &n, size) && op_out(c, op_result_type(c, in, 2), n, size);
}

/* Without dim: the first dimension of 3 elements. */
static const char cross_parts[] =
	"if dim is None:\n"
	"    for i in range(self.dim() - 1, -1, -1):\n"
	"        if self.size(i) == 3:\n"
	"            dim = i\n"
	"    if dim is None:\n"
	"        raise ValueError(f'cross: no dimension of size 3 in {list(self.shape)}')\n"
	"return aten.linalg_cross(self, other, dim=dim)\n";

static const char vecdot_parts[] =
	"if x.dim() == 1 and y.dim() == 1:\n"
	"    return aten.vdot(x, y)\n"
	"return aten.sum.dim_IntList(aten.mul.Tensor(x, y), [dim])\n";

const struct op_rule contract_rules[] = {
	{ .name = "einsum", .flops = flops_einsum, .flops_name = "einsum", .parts = einsum_parts },
	{ .name = "tensordot", .flops = flops_uncounted, .parts = tensordot_parts },
	{ .name = "inner", .flops = flops_uncounted, .parts = inner_parts },
	{ .name = "outer", .shape = check_outer, .parts = outer_parts },
	{ .name = "ger", .shape = check_outer, .parts = outer_parts },
	{ .name = "kron", .parts = kron_parts },
	{ .name = "linalg_multi_dot", .flops = flops_uncounted, .parts = multi_dot_parts },
	{ .name = "chain_matmul", .flops = flops_uncounted, .parts = chain_matmul_parts },
	{ .name = "bilinear", .shape = check_bilinear, .parts = bilinear_parts },
	{ .name = "_trilinear", .shape = shape_trilinear },
	{ .name = "linalg_cross", .shape = shape_cross },
	{ .name = "cross", .parts = cross_parts },
	{ .name = "linalg_vecdot", .parts = vecdot_parts },
	{ 0 },
};
