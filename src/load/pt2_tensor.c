/* Tensors of an exported program (torch/_export/serde/schema.py: ScalarType, SymInt, TensorMeta). */
#include <string.h>

#include "load/pt2.h"

enum dtype pt2_dtype(const cJSON *code)
{
	/* schema.py's ScalarType */
	static const enum dtype by_code[] = { [1] = DT_UINT8, [2] = DT_INT8, [3] = DT_INT16, [4] = DT_INT32, [5] = DT_INT64, [6] = DT_FLOAT16,
		[7] = DT_FLOAT32, [8] = DT_FLOAT64, [9] = DT_COMPLEX32, [10] = DT_COMPLEX64, [11] = DT_COMPLEX128, [12] = DT_BOOL, [13] = DT_BFLOAT16, [28] = DT_UINT16,
		[29] = DT_FLOAT8_E4M3FN, [30] = DT_FLOAT8_E5M2, [31] = DT_FLOAT8_E4M3FNUZ, [32] = DT_FLOAT8_E5M2FNUZ,
		[33] = DT_FLOAT8_E8M0FNU, [34] = DT_UINT32, [35] = DT_UINT64 };
	double d = cJSON_IsNumber(code) ? code->valuedouble : 0;
	int i = d >= 1 && d < (double)(sizeof by_code / sizeof *by_code) ? (int)d : 0;
	return i == 0 || (by_code[i] == DT_BOOL && i != 12) ? DT_NONE : by_code[i];
}

/*
 * A SymInt of schema.py: {"as_int": 3}, {"as_expr": {"expr_str": "s0", "hint": {"as_int": 3}}}; torch 2.1 wrote plain numbers and
 * plain hints.  False when it is a symbol without a hint, which is what it was for the example inputs.
 */
static bool known_int(const cJSON *v, int64_t *out)
{
	const cJSON *hint = cJSON_GetObjectItemCaseSensitive(cJSON_GetObjectItemCaseSensitive(v, "as_expr"), "hint");
	const cJSON *n = hint ? hint : v;
	if (cJSON_IsObject(n))
		n = cJSON_GetObjectItemCaseSensitive(n, "as_int");
	if (!cJSON_IsNumber(n) || n->valuedouble >= 0x1p62 || n->valuedouble < 0)
		return false;
	*out = (int64_t)n->valuedouble;
	return true;
}

static int known_ints(const cJSON *list, int64_t *out, bool *known)
{
	int n = 0;
	*known = true;
	for (const cJSON *v = list ? list->child : NULL; v; v = v->next, n++) {
		if (n == MAX_DIMS)
			return -1;
		*known = known_int(v, &out[n]) && *known;
	}
	return n;
}

bool pt2_read_meta(struct pt2 *p, const cJSON *json, struct tensor_meta *m)
{
	bool sizes_known, strides_known;
	m->dtype = pt2_dtype(cJSON_GetObjectItemCaseSensitive(json, "dtype"));
	m->ndim = known_ints(cJSON_GetObjectItemCaseSensitive(json, "sizes"), m->size, &sizes_known);
	int strides = known_ints(cJSON_GetObjectItemCaseSensitive(json, "strides"), m->stride, &strides_known);
	if (m->dtype == DT_NONE)
		return fail(p->err, NNS_FORMAT, "%s: a dtype that is not known", p->where);
	if (m->ndim < 0 || strides != m->ndim)
		return fail(p->err, NNS_FORMAT, "%s: %d sizes and %d strides", p->where, m->ndim, strides);
	m->known = sizes_known && strides_known;
	m->offset = 0;
	known_int(cJSON_GetObjectItemCaseSensitive(json, "storage_offset"), &m->offset);
	m->requires_grad = cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(json, "requires_grad"));
	return !m->known || shape_fits(m->ndim, m->size, m->dtype)
	    || fail(p->err, NNS_FORMAT, "%s: a tensor of more bytes than 63 bits can count", p->where);
}

struct value *pt2_value_of(struct pt2 *p, const struct tensor_meta *m)
{
	struct value *v = value_new(p->model->arena, m->dtype, m->ndim, m->size);
	if (!v)
		return fail_memory(p->err), NULL;
	memcpy(v->stride, m->stride, (size_t)m->ndim * sizeof *m->stride);
	v->offset = m->offset;
	v->requires_grad = m->requires_grad;
	return v;
}

bool pt2_has_layout(const struct value *v, const struct tensor_meta *m)
{
	size_t bytes = (size_t)m->ndim * sizeof *m->size;
	return v->dtype == m->dtype && v->ndim == m->ndim && v->offset == m->offset && memcmp(v->size, m->size, bytes) == 0
	    && memcmp(v->stride, m->stride, bytes) == 0;
}

/* srepr() of sympy writes Symbol('s77', positive=True, integer=True) and Integer(2): the name and the number alone. */
static void add_expression(struct text *t, const char *e)
{
	const char *closing = strrchr(e, ')');
	while (*e) {
		bool symbol = strncmp(e, "Symbol('", 8) == 0, integer = strncmp(e, "Integer(", 8) == 0;
		size_t n = symbol ? strcspn(e + 8, "')") : integer ? strcspn(e + 8, ")") : 0;
		const char *end = (symbol || integer) && closing && e + 8 <= closing ? strchr(e + 8, ')') : NULL;
		if (end) {
			text_add_visible(t, e + 8, n, "");
			e = end + 1;
		} else {
			text_add_visible(t, e, 1, "");
			e++;
		}
	}
}

static const char *expression_of(const cJSON *size)
{
	const cJSON *e = cJSON_GetObjectItemCaseSensitive(cJSON_GetObjectItemCaseSensitive(size, "as_expr"), "expr_str");
	return cJSON_IsString(e) ? e->valuestring : NULL;
}

/* "s0 x 3 x 224" */
bool pt2_symbols(struct pt2 *p, const cJSON *meta, const char **out)
{
	const cJSON *sizes = cJSON_GetObjectItemCaseSensitive(meta, "sizes");
	struct text t;
	bool any = false;
	*out = NULL;
	for (const cJSON *v = sizes ? sizes->child : NULL; v; v = v->next)
		any = any || expression_of(v);
	if (!any)
		return true;
	text_init(&t);
	for (const cJSON *v = sizes->child; v; v = v->next) {
		const char *e = expression_of(v);
		int64_t n = 0;
		text_add(&t, v == sizes->child ? "" : " x ");
		if (e)
			add_expression(&t, e);
		else if (known_int(v, &n))
			text_addf(&t, "%lld", (long long)n);
	}
	*out = t.failed ? NULL : arena_strndup(p->model->arena, t.data, t.len);
	text_release(&t);
	return *out || fail_memory(p->err);
}
