#include "load/npy_header.h"

#include <string.h>

struct cursor {
	const char *at, *end;
};

static char next(struct cursor *c)
{
	while (c->at < c->end && *c->at && strchr(" \t\r\n", *c->at))
		c->at++;
	return c->at < c->end ? *c->at : 0;
}

static bool take(struct cursor *c, char what)
{
	return next(c) == what && (c->at++, true);
}

static bool take_word(struct cursor *c, const char *word)
{
	size_t n = strlen(word);
	next(c);
	if ((size_t)(c->end - c->at) < n || memcmp(c->at, word, n) != 0)
		return false;
	c->at += n;
	return true;
}

/* Between quotes of one kind; none of the names that matter has an escape. */
static bool take_string(struct cursor *c, const char **s, size_t *n)
{
	char quote = next(c);
	const char *end = quote == '\'' || quote == '"' ? memchr(c->at + 1, quote, (size_t)(c->end - c->at - 1)) : NULL;
	if (!end)
		return false;
	*s = c->at + 1;
	*n = (size_t)(end - *s);
	c->at = end + 1;
	return true;
}

/* Python 2 wrote 3L. */
static bool take_size(struct cursor *c, int64_t *out)
{
	if (next(c) < '0' || *c->at > '9')
		return false;
	for (*out = 0; c->at < c->end && *c->at >= '0' && *c->at <= '9'; c->at++)
		if (__builtin_mul_overflow(*out, 10, out) || __builtin_add_overflow(*out, *c->at - '0', out))
			return false;
	take(c, 'L');
	return true;
}

static bool take_shape(struct cursor *c, struct npy_header *h)
{
	if (!take(c, '('))
		return false;
	for (h->ndim = 0; !take(c, ')'); h->ndim++) {
		if (h->ndim == MAX_DIMS || !take_size(c, &h->size[h->ndim]))
			return false;
		if (!take(c, ',') && next(c) != ')')
			return false;
	}
	return true;
}

/* The fields of a record, in brackets. */
static bool skip_list(struct cursor *c)
{
	int depth = 0;
	const char *s;
	size_t n;
	while (next(c)) {
		if (*c->at == '\'' || *c->at == '"') {
			if (!take_string(c, &s, &n))
				return false;
			continue;
		}
		depth += (*c->at == '[' || *c->at == '(') - (*c->at == ']' || *c->at == ')');
		c->at++;
		if (depth == 0)
			return true;
	}
	return false;
}

static bool take_descr(struct cursor *c, struct npy_header *h)
{
	const char *s;
	size_t n;
	if (next(c) == '[')
		return skip_list(c);
	if (!take_string(c, &s, &n))
		return false;
	n = n < sizeof h->descr ? n : sizeof h->descr - 1;
	memcpy(h->descr, s, n);
	h->descr[n] = 0;
	return true;
}

static bool take_entry(struct cursor *c, struct npy_header *h)
{
	const char *key;
	size_t n;
	if (!take_string(c, &key, &n) || !take(c, ':'))
		return false;
	if (n == 5 && memcmp(key, "descr", n) == 0)
		return h->has_descr = take_descr(c, h);
	if (n == 5 && memcmp(key, "shape", n) == 0)
		return h->has_shape = take_shape(c, h);
	if (n != 13 || memcmp(key, "fortran_order", n) != 0)
		return false;
	h->fortran = take_word(c, "True");
	return h->has_order = h->fortran || take_word(c, "False");
}

bool npy_header_read(const char *text, size_t n, struct npy_header *out, nns_error *err)
{
	struct cursor c = { text, text + n };
	bool ok = take(&c, '{');
	*out = (struct npy_header){ .descr = "" };
	while (ok && !take(&c, '}'))
		ok = take_entry(&c, out) && (take(&c, ',') || next(&c) == '}');
	if (!ok)
		return fail(err, NNS_FORMAT, "character %zu of the header: it is not the dict of literals that NumPy writes", (size_t)(c.at - text));
	return (out->has_descr && out->has_order && out->has_shape) || fail(err, NNS_FORMAT, "the header lacks descr, fortran_order or shape");
}
