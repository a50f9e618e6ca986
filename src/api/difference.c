#include "api/difference.h"

#include <math.h>

const struct tensor *difference_parts(const struct tensor *t, struct window *w)
{
	return t->ndim < MAX_DIMS - 1 ? window_of_parts(w, t) : t;
}

void difference_piece(const struct tensor *t, const struct loop *l, int i, int64_t from, int64_t n, double *out)
{
	int64_t at = l->at[i] + from * l->step[i];
	elements_to_double(t->dtype, t->storage->data + at * (int64_t)dtype_size(t->dtype), l->step[i], n, out);
}

bool close_enough(double got, double want, double rtol, double atol)
{
	if (isnan(got) || isnan(want))
		return isnan(got) && isnan(want);
	if (isinf(got) || isinf(want))
		return got == want;
	return fabs(got - want) <= atol + rtol * fabs(want);
}

/* A value that is no number where one was expected, or the other way round, is the largest difference there is. */
static double distance(double got, double want)
{
	if (got == want || (isnan(got) && isnan(want)))
		return 0;
	return isnan(got) || isnan(want) ? INFINITY : fabs(got - want);
}

static void compare_piece(const double *got, const double *want, int64_t n, int64_t first, double rtol, double atol, struct difference *d)
{
	for (int64_t i = 0; i < n; i++) {
		double by = distance(got[i], want[i]);
		d->beyond += !close_enough(got[i], want[i], rtol, atol);
		if (by > d->largest || d->at < 0) {
			d->largest = by;
			d->at = first + i;
			d->got = got[i];
			d->want = want[i];
		}
	}
}

void difference_of(const struct tensor *got, const struct tensor *want, double rtol, double atol, struct difference *d)
{
	struct loop l;
	struct window w, v;
	double x[DIFFERENCE_PIECE], y[DIFFERENCE_PIECE];
	int64_t done = 0;
	got = difference_parts(got, &w);
	want = difference_parts(want, &v);
	d->n = tensor_numel(got);
	d->at = -1;
	loop_init(&l, got->ndim, got->size, 2);
	loop_operand(&l, 0, got);
	loop_operand(&l, 1, want);
	for (loop_begin(&l); l.left > 0; loop_next(&l))
		for (int64_t from = 0, n; from < l.run; from += n, done += n) {
			n = l.run - from < DIFFERENCE_PIECE ? l.run - from : DIFFERENCE_PIECE;
			difference_piece(got, &l, 0, from, n, x);
			difference_piece(want, &l, 1, from, n, y);
			compare_piece(x, y, n, done, rtol, atol, d);
		}
	d->equal = d->beyond == 0;
}
