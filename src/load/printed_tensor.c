/*
 * Lines of a printed ParameterList or ParameterDict:
 *
 *     (0): Parameter containing: [torch.float32 of size 2x3]
 *     (a): Parameter containing: [torch.cuda.FloatTensor of size 4 (GPU 0)]
 */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "load/printed.h"

static const char between[] = "): Parameter containing: [torch.", of_size[] = " of size ";

/* "float32", or "FloatTensor" as before there were dtypes, which may stand behind "cuda.". */
static enum dtype dtype_of(const char *s, size_t n)
{
	char name[32];
	if (n > 5 && memcmp(s, "cuda.", 5) == 0)
		s += 5, n -= 5;
	if (n > 6 && memcmp(s + n - 6, "Tensor", 6) == 0)
		n -= 6;
	if (n >= sizeof name)
		return DT_NONE;
	for (size_t i = 0; i < n; i++)
		name[i] = (char)tolower((unsigned char)s[i]);
	name[n] = 0;
	return dtype_from_name(strcmp(name, "byte") == 0 ? "uint8" : strcmp(name, "char") == 0 ? "int8" : name);
}

/* "2x3"; of a scalar nothing. */
static int sizes_of(const char *s, const char *end, int64_t *size)
{
	int n = 0;
	while (s < end && isdigit((unsigned char)*s) && n < MAX_DIMS) {
		char *after;
		size[n++] = strtoll(s, &after, 10);
		s = after + (*after == 'x');
		if (*after != 'x')
			break;
	}
	return n;
}

static struct value *read_tensor(struct arena *a, const char *s, const char *end)
{
	int64_t size[MAX_DIMS];
	const char *of = strstr(s, of_size);
	if (!of || of >= end)
		return NULL;
	enum dtype d = dtype_of(s, (size_t)(of - s));
	int n = sizes_of(of + strlen(of_size), end, size);
	if (d == DT_NONE || !shape_fits(n, size, d))
		return NULL;
	struct value *v = value_new(a, d, n, size);
	if (v) {
		v->is_parameter = true;
		v->requires_grad = dtype_can_require_grad(d);
	}
	return v;
}

bool printed_tensors(struct arena *a, struct module *m, const char *own, size_t *n_read, nns_error *err)
{
	struct datum names;
	*n_read = 0;
	if (!datum_seq(a, D_LIST, 4, &names))
		return fail_memory(err);
	for (const char *line = own; *line; line += strcspn(line, "\n"), line += *line == '\n') {
		const char *end = line + strcspn(line, "\n"), *open = line + strspn(line, " "), *close = strstr(open, between);
		if (*open != '(' || !close || close >= end)
			continue;
		struct value *v = read_tensor(a, close + strlen(between), end);
		char *name = arena_strndup(a, open + 1, (size_t)(close - open) - 1);
		if (!name)
			return fail_memory(err);
		if (!v)
			continue;
		v->name = name;
		if (!module_set_parameter(a, m, name, v) || !seq_push(a, names.u.seq, datum_str(name)))
			return fail_memory(err);
		++*n_read;
	}
	/* what such a list prints of itself, and in which order (nn/container.c) */
	return !*n_read || module_set_attribute(a, m, "_names", names) || fail_memory(err);
}
