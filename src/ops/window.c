#include "ops/window.h"

bool times(int64_t a, int64_t b, int64_t *out)
{
	const int64_t most = (int64_t)1 << 62;
	int64_t size = a < 0 ? -(a + 1) : a;
	if (b > 0 && size > most / b)
		return false;
	*out = a * b;
	return true;
}

bool window_spread(struct op_call *c, const char *name, int spatial, int n, const int64_t **list)
{
	if (n == spatial)
		return true;
	if (n != 1)
		return op_fail(c, "%s has %d numbers; expected %d", name, n < 0 ? 0 : n, spatial);
	int64_t *all = arena_array(c->arena, (size_t)spatial, sizeof *all);
	if (!all)
		return fail_memory(c->err);
	for (int i = 0; i < spatial; i++)
		all[i] = (*list)[0];
	*list = all;
	return true;
}

bool window_numbers(struct op_call *c, const char *name, int spatial, const int64_t *list, int64_t least)
{
	for (int i = 0; i < spatial; i++) {
		if (list[i] < least)
			return op_fail(c, "%s %lld must be at least %lld", name, (long long)list[i], (long long)least);
		if (list[i] > INT32_MAX)
			return op_fail(c, "%s %lld is too large", name, (long long)list[i]);
	}
	return true;
}

int64_t window_extent(int64_t in, int64_t kernel, int64_t padding, int64_t stride, int64_t dilation, bool ceil_mode)
{
	int64_t room = in + 2 * padding - dilation * (kernel - 1) - 1 + (ceil_mode ? stride - 1 : 0);
	/* rounded towards minus infinity, as div_rtn() does */
	int64_t n = room / stride - (room % stride < 0) + 1;
	if (ceil_mode && (n - 1) * stride >= in + padding)
		n--;
	return n;
}
