/*
 * Eigenvalues of square matrices that are not symmetric, as LAPACK's geev finds them: balanced (gebal), reduced to Hessenberg form by
 * reflections (gehrd), and to quasi-triangular form by QR steps with two shifts (lahqr).  The order of the eigenvalues and the signs
 * of the vectors come out of these steps, so they are the same steps.
 */
#include <float.h>
#include <math.h>
#include <string.h>

#include "exec/decompose.h"

/* What is worked on: h becomes quasi-triangular, z gathers the transformations; both [n, n]. */
struct schur {
	double *h, *z, *wr, *wi, *scale;
	int64_t n, low, high;            /* balancing left rows and columns [low, high] to do */
	double eps, least;               /* of the type that is computed: how many steps are made depends on them, and signs on that */
};

#define H(r, c) s->h[(r) * s->n + (c)]

/* ---- Balancing ---- */

/* Row and column i change places with row and column j, which leaves the matrix similar. */
static void exchange(struct schur *s, int64_t i, int64_t j)
{
	for (int64_t c = 0; c < s->n && i != j; c++) {
		double t = H(i, c);
		H(i, c) = H(j, c);
		H(j, c) = t;
	}
	for (int64_t r = 0; r < s->n && i != j; r++) {
		double t = H(r, i);
		H(r, i) = H(r, j);
		H(r, j) = t;
	}
	s->scale[j] = (double)i;
}

/* Whether row (or column) i has nothing but its diagonal within [low, high]. */
static bool isolated(const struct schur *s, int64_t i, bool row)
{
	for (int64_t j = s->low; j <= s->high; j++)
		if (j != i && (row ? H(i, j) : H(j, i)) != 0)
			return false;
	return true;
}

/* Eigenvalues that stand alone go to the end and to the front. */
static void isolate(struct schur *s)
{
	for (int64_t i = s->high; i >= s->low && s->high > 0; i--)
		if (isolated(s, i, true)) {
			exchange(s, i, s->high--);
			i = s->high + 1;
		}
	for (int64_t i = s->low; i <= s->high; i++)
		if (isolated(s, i, false)) {
			exchange(s, i, s->low++);
			i = s->low - 1;
		}
}

/* Powers of two that bring the norms of row and column i together; false when they are close enough. */
static bool rescale(struct schur *s, int64_t i)
{
	double c = 0, r = 0, f = 1;
	for (int64_t j = s->low; j <= s->high; j++) {
		c = hypot(c, H(j, i));
		r = hypot(r, H(i, j));
	}
	if (c == 0 || r == 0 || !isfinite(c) || !isfinite(r))
		return false;
	double sum = c + r;
	for (double g = r / 2; c < g && f < 1e150; f *= 2, c *= 2, r /= 2, g /= 2)
		;
	for (double g = c / 2; g >= r && f > 1e-150; f /= 2, c /= 2, g /= 2, r *= 2)
		;
	if (c + r >= 0.95 * sum)
		return false;
	s->scale[i] *= f;
	for (int64_t j = 0; j < s->n; j++)
		H(i, j) /= f;
	for (int64_t j = 0; j < s->n; j++)
		H(j, i) *= f;
	return true;
}

static void balance(struct schur *s)
{
	enum { ROUNDS = 100 };
	s->low = 0;
	s->high = s->n - 1;
	isolate(s);
	for (int64_t i = s->low; i <= s->high; i++)
		s->scale[i] = 1;
	bool moved = true;
	for (int round = 0; round < ROUNDS && moved; round++) {
		moved = false;
		for (int64_t i = s->low; i <= s->high; i++)
			moved |= rescale(s, i);
	}
}

/* ---- Hessenberg form ---- */

/* v[0..n) becomes the reflection that leaves only its first element, which is returned (larfg); v[0] is 1 then. */
static double reflection(double *v, int64_t n, double *tau)
{
	double rest = 0, alpha = v[0];
	for (int64_t i = 1; i < n; i++)
		rest = hypot(rest, v[i]);
	*tau = 0;
	v[0] = 1;
	if (rest == 0)
		return alpha;
	double beta = -copysign(hypot(alpha, rest), alpha);
	for (int64_t i = 1; i < n; i++)
		v[i] /= alpha - beta;
	*tau = (beta - alpha) / beta;
	return beta;
}

/* x's rows [at, at + m), columns [from, to), are reflected. */
static void reflect_rows(double *x, int64_t n, int64_t at, int64_t m, const double *v, double tau, int64_t from, int64_t to)
{
	for (int64_t c = from; c < to; c++) {
		double sum = 0;
		for (int64_t i = 0; i < m; i++)
			sum += v[i] * x[(at + i) * n + c];
		for (int64_t i = 0; i < m; i++)
			x[(at + i) * n + c] -= tau * sum * v[i];
	}
}

static void reflect_columns(double *x, int64_t n, int64_t at, int64_t m, const double *v, double tau, int64_t from, int64_t to)
{
	for (int64_t r = from; r < to; r++) {
		double sum = 0;
		for (int64_t i = 0; i < m; i++)
			sum += v[i] * x[r * n + at + i];
		for (int64_t i = 0; i < m; i++)
			x[r * n + at + i] -= tau * sum * v[i];
	}
}

static void to_hessenberg(struct schur *s, double *v)
{
	for (int64_t i = 0; i < s->n * s->n; i++)
		s->z[i] = i % (s->n + 1) == 0;
	for (int64_t k = s->low; k + 1 < s->high; k++) {
		int64_t m = s->high - k;
		double tau;
		for (int64_t i = 0; i < m; i++)
			v[i] = H(k + 1 + i, k);
		double first = reflection(v, m, &tau);
		reflect_columns(s->h, s->n, k + 1, m, v, tau, 0, s->high + 1);
		reflect_rows(s->h, s->n, k + 1, m, v, tau, k + 1, s->n);
		reflect_columns(s->z, s->n, k + 1, m, v, tau, 0, s->n);
		H(k + 1, k) = first;
		for (int64_t i = 1; i < m; i++)
			H(k + 1 + i, k) = 0;
	}
}

/* ---- QR steps ---- */

/* The first row of the last block that nothing connects with what is before: [L, i]. */
static int64_t block_start(const struct schur *s, int64_t i)
{
	int64_t k = i;
	for (; k > s->low; k--) {
		double sub = fabs(H(k, k - 1)), tst = fabs(H(k - 1, k - 1)) + fabs(H(k, k));
		if (sub <= s->least)
			break;
		if (tst == 0)
			tst = (k - 2 >= s->low ? fabs(H(k - 1, k - 2)) : 0) + (k + 1 <= s->high ? fabs(H(k + 1, k)) : 0);
		if (sub > s->eps * tst)
			continue;
		double up = fabs(H(k - 1, k)), d = fabs(H(k - 1, k - 1) - H(k, k)), own = fabs(H(k, k));
		double ab = fmax(sub, up), ba = fmin(sub, up), aa = fmax(own, d), bb = fmin(own, d), sum = aa + ab;
		if (ba * (ab / sum) <= fmax(s->least, s->eps * (bb * (aa / sum))))
			break;
	}
	return k;
}

struct shifts { double r1, r2, i1, i2; };

/* The eigenvalues of the last two rows; now and then others, lest the steps go round in circles. */
static struct shifts choose_shifts(const struct schur *s, int64_t l, int64_t i, int round)
{
	double a = H(i - 1, i - 1), b = H(i - 1, i), c = H(i, i - 1), d = H(i, i);
	if (round % 20 == 0 || round % 10 == 0) {
		bool at_end = round % 20 == 0;
		c = at_end ? fabs(H(i, i - 1)) + fabs(H(i - 1, i - 2)) : fabs(H(l + 1, l)) + fabs(H(l + 2, l + 1));
		a = d = 0.75 * c + (at_end ? H(i, i) : H(l, l));
		b = -0.4375 * c;
	}
	double sum = fabs(a) + fabs(b) + fabs(c) + fabs(d);
	if (sum == 0)
		return (struct shifts){ 0 };
	a /= sum, b /= sum, c /= sum, d /= sum;
	double tr = (a + d) / 2, det = (a - tr) * (d - tr) - b * c, root = sqrt(fabs(det));
	if (det >= 0)
		return (struct shifts){ tr * sum, tr * sum, root * sum, -root * sum };
	double near = fabs(tr + root - d) <= fabs(tr - root - d) ? tr + root : tr - root;
	return (struct shifts){ near * sum, near * sum, 0, 0 };
}

/* The row where the step may begin, and the first column of its reflection. */
static int64_t step_start(const struct schur *s, int64_t l, int64_t i, const struct shifts *t, double v[3])
{
	for (int64_t m = i - 2;; m--) {
		double sum = fabs(H(m, m) - t->r2) + fabs(t->i2) + fabs(H(m + 1, m)), sub = H(m + 1, m) / sum;
		v[0] = sub * H(m, m + 1) + (H(m, m) - t->r1) * ((H(m, m) - t->r2) / sum) - t->i1 * (t->i2 / sum);
		v[1] = sub * (H(m, m) + H(m + 1, m + 1) - t->r1 - t->r2);
		v[2] = sub * H(m + 2, m + 1);
		sum = fabs(v[0]) + fabs(v[1]) + fabs(v[2]);
		for (int j = 0; j < 3; j++)
			v[j] /= sum;
		if (m <= l || fabs(H(m, m - 1)) * (fabs(v[1]) + fabs(v[2])) <=
		    s->eps * fabs(v[0]) * (fabs(H(m - 1, m - 1)) + fabs(H(m, m)) + fabs(H(m + 1, m + 1))))
			return m;
	}
}

/* One step with two shifts over rows [l, i]. */
static void qr_step(struct schur *s, int64_t l, int64_t i, int round)
{
	struct shifts t = choose_shifts(s, l, i, round);
	double v[3], tau;
	int64_t m = step_start(s, l, i, &t, v);
	for (int64_t k = m; k < i; k++) {
		int64_t n = i - k + 1 < 3 ? i - k + 1 : 3;
		for (int64_t j = 0; j < n && k > m; j++)
			v[j] = H(k + j, k - 1);
		double first = reflection(v, n, &tau);
		if (k > m) {
			H(k, k - 1) = first;
			for (int64_t j = 1; j < n; j++)
				H(k + j, k - 1) = 0;
		} else if (m > l) {
			H(k, k - 1) *= 1 - tau;
		}
		reflect_rows(s->h, s->n, k, n, v, tau, k, s->n);
		reflect_columns(s->h, s->n, k, n, v, tau, 0, (k + 3 < i ? k + 3 : i) + 1);
		reflect_columns(s->z, s->n, k, n, v, tau, 0, s->n);
	}
}

/* ---- Blocks of two ---- */

struct pair { double a, b, c, d, cos, sin; };

/* The rotation that makes a 2x2 block triangular, or its diagonal equal where its eigenvalues are complex (lanv2). */
static void standardise(struct pair *p, double eps)
{
	double half = (p->a - p->d) / 2, most = fmax(fabs(p->b), fabs(p->c)), least = fmin(fabs(p->b), fabs(p->c)) * copysign(1, p->b) * copysign(1, p->c);
	double scale = fmax(fabs(half), most), z = half / scale * half + most / scale * least;
	if (z >= 4 * eps) {
		z = half + copysign(sqrt(scale) * sqrt(z), half);
		double tau = hypot(p->c, z);
		*p = (struct pair){ p->d + z, p->b - p->c, 0, p->d - most / z * least, z / tau, p->c / tau };
		return;
	}
	double sigma = p->b + p->c, tau = hypot(sigma, p->a - p->d), cs = sqrt((1 + fabs(sigma) / tau) / 2), sn = -(half / (tau * cs)) * copysign(1, sigma);
	double aa = p->a * cs + p->b * sn, bb = -p->a * sn + p->b * cs, cc = p->c * cs + p->d * sn, dd = -p->c * sn + p->d * cs;
	*p = (struct pair){ aa * cs + cc * sn, bb * cs + dd * sn, -aa * sn + cc * cs, -bb * sn + dd * cs, cs, sn };
	p->a = p->d = (p->a + p->d) / 2;
	if (p->c == 0)
		return;
	if (p->b == 0) {
		*p = (struct pair){ p->a, -p->c, 0, p->d, -sn, cs };
	} else if ((p->b < 0) == (p->c < 0)) {
		double sab = sqrt(fabs(p->b)), sac = sqrt(fabs(p->c)), root = copysign(sab * sac, p->c), by = 1 / sqrt(fabs(p->b + p->c));
		double c1 = sab * by, s1 = sac * by;
		*p = (struct pair){ p->a + root, p->b - p->c, 0, p->d - root, cs * c1 - sn * s1, cs * s1 + sn * c1 };
	}
}

static void rotate_columns(double *x, int64_t n, int64_t i, int64_t rows, double c, double s)
{
	for (int64_t r = 0; r < rows; r++) {
		double p = x[r * n + i - 1], q = x[r * n + i];
		x[r * n + i - 1] = c * p + s * q;
		x[r * n + i] = c * q - s * p;
	}
}

/* Rows i - 1 and i are a block of their own. */
static void finish_pair(struct schur *s, int64_t i)
{
	struct pair p = { H(i - 1, i - 1), H(i - 1, i), H(i, i - 1), H(i, i), 1, 0 };
	if (p.c != 0 && p.b == 0)
		p = (struct pair){ p.d, -p.c, 0, p.a, 0, 1 };
	else if (p.c != 0 && (p.a - p.d != 0 || (p.b < 0) == (p.c < 0)))
		standardise(&p, s->eps);
	H(i - 1, i - 1) = p.a;
	H(i - 1, i) = p.b;
	H(i, i - 1) = p.c;
	H(i, i) = p.d;
	s->wr[i - 1] = p.a;
	s->wr[i] = p.d;
	s->wi[i - 1] = p.c == 0 ? 0 : sqrt(fabs(p.b)) * sqrt(fabs(p.c));
	s->wi[i] = -s->wi[i - 1];
	for (int64_t c = i + 1; c < s->n; c++) {
		double x = H(i - 1, c), y = H(i, c);
		H(i - 1, c) = p.cos * x + p.sin * y;
		H(i, c) = p.cos * y - p.sin * x;
	}
	rotate_columns(s->h, s->n, i, i - 1, p.cos, p.sin);
	rotate_columns(s->z, s->n, i, s->n, p.cos, p.sin);
}

static bool to_triangular(struct schur *s)
{
	for (int64_t i = 0; i < s->n; i++) {
		s->wr[i] = H(i, i);
		s->wi[i] = 0;
	}
	for (int64_t i = s->high, l; i >= s->low; i = l - 1) {
		int rounds = 30 * (s->n > 10 ? (int)(s->n < 100000 ? s->n : 100000) : 10), round = 0;
		while ((l = block_start(s, i)) < i - 1 && round < rounds) {
			if (l > s->low)
				H(l, l - 1) = 0;
			qr_step(s, l, i, ++round);
		}
		if (l < i - 1)
			return false;
		if (l > s->low)
			H(l, l - 1) = 0;
		if (l == i)
			s->wr[i] = H(i, i);
		else
			finish_pair(s, i);
	}
	return true;
}

/* ---- Vectors ---- */

struct number { double re, im; };

static struct number times(struct number a, struct number b) { return (struct number){ a.re * b.re - a.im * b.im, a.re * b.im + a.im * b.re }; }

static struct number minus(struct number a, struct number b) { return (struct number){ a.re - b.re, a.im - b.im }; }

/* A divisor that is 0 counts as the least that shows. */
static struct number over(struct number a, struct number b, double least)
{
	if (fabs(b.re) + fabs(b.im) < least)
		b = (struct number){ least, 0 };
	double d = hypot(b.re, b.im), c = b.re / d, s = b.im / d;
	return (struct number){ (a.re * c + a.im * s) / d, (a.im * c - a.re * s) / d };
}

/* Rows above j of (T - w) x = 0, from below; x holds its last elements and 0. */
static void substitute(const struct schur *s, int64_t j, struct number w, struct number *x, double least)
{
	for (int64_t c = j + (w.im != 0); c > j - 1; c--)
		for (int64_t r = 0; r < j; r++)
			x[r] = minus(x[r], times(x[c], (struct number){ H(r, c), 0 }));
	for (int64_t i = j - 1; i >= 0; i--) {
		bool two = i > 0 && H(i, i - 1) != 0;
		struct number d = { H(i, i) - w.re, -w.im }, low = x[i];
		if (two) {
			struct number a = { H(i - 1, i - 1) - w.re, -w.im }, b = { H(i - 1, i), 0 }, c = { H(i, i - 1), 0 }, high = x[i - 1];
			struct number det = minus(times(a, d), times(b, c));
			x[i - 1] = over(minus(times(high, d), times(b, low)), det, least * least);
			x[i] = over(minus(times(a, low), times(c, high)), det, least * least);
		} else {
			x[i] = over(low, d, least);
		}
		for (int64_t r = 0; r < i - two; r++) {
			x[r] = minus(x[r], times(x[i], (struct number){ H(r, i), 0 }));
			if (two)
				x[r] = minus(x[r], times(x[i - 1], (struct number){ H(r, i - 1), 0 }));
		}
		i -= two;
	}
}

/*
 * Length 1.  The largest element of a complex one becomes real: by a rotation (lartg) that keeps the sign of its real part in float32, and
 * in float64 only where that is the larger part, as the library does that PyTorch is built with.
 */
static void normalise(struct number *v, int64_t n, bool is_complex, bool single)
{
	double length = 0, most = -1;
	struct number turn = { 1, 0 };
	for (int64_t i = 0; i < n; i++)
		length = hypot(length, hypot(v[i].re, v[i].im));
	for (int64_t i = 0; i < n && is_complex; i++)
		if (v[i].re * v[i].re + v[i].im * v[i].im > most) {
			most = v[i].re * v[i].re + v[i].im * v[i].im;
			turn = (struct number){ v[i].re, -v[i].im };
		}
	double size = hypot(turn.re, turn.im), sign = is_complex && turn.re < 0 && (single || fabs(turn.re) > fabs(turn.im)) ? -1 : 1;
	for (int64_t i = 0; i < n; i++) {
		struct number x = size > 0 ? times(v[i], turn) : v[i];
		v[i] = (struct number){ sign * x.re / (size > 0 ? size : 1) / length, sign * x.im / (size > 0 ? size : 1) / length };
	}
}

/* Vector j of the matrix as it came: back from the triangular form, and from the balanced one. */
static void back(const struct schur *s, const struct number *x, struct number *v)
{
	int64_t n = s->n;
	for (int64_t r = 0; r < n; r++) {
		v[r] = (struct number){ 0, 0 };
		for (int64_t c = 0; c < n; c++) {
			v[r].re += s->z[r * n + c] * x[c].re;
			v[r].im += s->z[r * n + c] * x[c].im;
		}
	}
	for (int64_t i = s->low; i <= s->high; i++)
		v[i] = (struct number){ v[i].re * s->scale[i], v[i].im * s->scale[i] };
	for (int64_t i = s->low - 1; i >= 0; i--) {
		struct number t = v[i];
		v[i] = v[(int64_t)s->scale[i]];
		v[(int64_t)s->scale[i]] = t;
	}
	for (int64_t i = s->high + 1; i < n; i++) {
		struct number t = v[i];
		v[i] = v[(int64_t)s->scale[i]];
		v[(int64_t)s->scale[i]] = t;
	}
}

/* Vector j into v[n, n] of complex numbers, by column; the second of a pair is the other's conjugate. */
static void make_vector(const struct schur *s, int64_t j, struct number *x, struct number *v, double *out, double least)
{
	bool two = s->wi[j] != 0;
	memset(x, 0, (size_t)s->n * sizeof *x);
	x[j].re = 1;
	if (two && fabs(H(j, j + 1)) >= fabs(H(j + 1, j))) {
		x[j + 1].im = s->wi[j] / H(j, j + 1);
	} else if (two) {
		x[j].re = -s->wi[j] / H(j + 1, j);
		x[j + 1].im = 1;
	}
	substitute(s, j, (struct number){ s->wr[j], s->wi[j] }, x, least);
	back(s, x, v);
	normalise(v, s->n, two, s->eps > DBL_EPSILON);
	for (int64_t r = 0; r < s->n; r++) {
		out[2 * (r * s->n + j)] = v[r].re;
		out[2 * (r * s->n + j) + 1] = v[r].im;
		if (two) {
			out[2 * (r * s->n + j + 1)] = v[r].re;
			out[2 * (r * s->n + j + 1) + 1] = -v[r].im;
		}
	}
}

bool eigen_general(double *a, int64_t n, bool single, double *w, double *v, double *work)
{
	struct schur s = { .h = a, .n = n, .z = work, .wr = work + n * n, .wi = work + n * n + n, .scale = work + n * n + 2 * n };
	struct number *x = (struct number *)(void *)(work + n * n + 3 * n), *y = x + n;
	double most = 0;
	s.eps = single ? FLT_EPSILON : DBL_EPSILON;
	s.least = single ? FLT_MIN : DBL_MIN;
	if (n == 0)
		return true;
	balance(&s);
	to_hessenberg(&s, (double *)(void *)x);
	if (!to_triangular(&s))
		return false;
	for (int64_t i = 0; i < n; i++) {
		w[2 * i] = s.wr[i];
		w[2 * i + 1] = s.wi[i];
		for (int64_t j = i; j < n; j++)
			most = fmax(most, fabs(a[i * n + j]));
	}
	for (int64_t j = 0; v && j < n; j += 1 + (s.wi[j] != 0))
		make_vector(&s, j, x, y, v, fmax(s.eps * most, s.least));
	return true;
}
