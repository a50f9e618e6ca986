/*
 * safetensors (github.com/huggingface/safetensors, README and safetensors/src/tensor.rs):
 *
 *     0  8 bytes: length n of the header, little-endian
 *     8  n bytes of JSON: {"NAME": {"dtype": "F32", "shape": [2, 3], "data_offsets": [0, 24]}, "__metadata__": {...}}
 *     8 + n  the bytes of the tensors, without gaps and without overlaps
 *
 * An index (NAME.safetensors.index.json) names the file of each tensor: {"weight_map": {"NAME": "model-00001-of-00002.safetensors"}}
 */
#ifndef _XOPEN_SOURCE
#define _XOPEN_SOURCE 700 /* realpath */
#endif

#include <cjson/cJSON.h>
#include <stdlib.h>
#include <string.h>

#include "base/reader.h"
#include "load/state.h"

enum { MAX_HEADER = 100000000 }; /* as the reference implementation */

static enum dtype dtype_of(const char *name)
{
	static const struct { const char *name; enum dtype dtype; } rows[] = {
		{ "BOOL", DT_BOOL }, { "U8", DT_UINT8 }, { "I8", DT_INT8 }, { "I16", DT_INT16 }, { "I32", DT_INT32 }, { "I64", DT_INT64 },
		{ "U16", DT_UINT16 }, { "U32", DT_UINT32 }, { "U64", DT_UINT64 }, { "F16", DT_FLOAT16 }, { "BF16", DT_BFLOAT16 }, { "F32", DT_FLOAT32 },
		{ "F64", DT_FLOAT64 }, { "C64", DT_COMPLEX64 }, { "F8_E4M3", DT_FLOAT8_E4M3FN }, { "F8_E5M2", DT_FLOAT8_E5M2 },
		{ "F8_E8M0", DT_FLOAT8_E8M0FNU }, { "F8_E4M3FNUZ", DT_FLOAT8_E4M3FNUZ }, { "F8_E5M2FNUZ", DT_FLOAT8_E5M2FNUZ } };
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
		if (strcmp(rows[i].name, name) == 0)
			return rows[i].dtype;
	return DT_NONE;
}

struct header_reader {
	struct state_tree *tree;
	const unsigned char *body; uint64_t n_body;
	struct span { uint64_t from, to; const char *name; } *spans; size_t n_spans, cap_spans;
	nns_error *err;
};

static bool whole(const cJSON *v, uint64_t *out)
{
	if (!cJSON_IsNumber(v) || v->valuedouble < 0 || v->valuedouble >= 0x1p53)
		return false;
	*out = (uint64_t)v->valuedouble;
	return (double)*out == v->valuedouble;
}

static bool read_shape(struct header_reader *r, const cJSON *json, int64_t *size, int *n)
{
	*n = 0;
	if (!cJSON_IsArray(json))
		return fail(r->err, NNS_FORMAT, "%s: the shape is no list", json && json->string ? json->string : "header");
	for (const cJSON *v = json->child; v; v = v->next) {
		uint64_t s;
		if (*n == MAX_DIMS || !whole(v, &s))
			return fail(r->err, NNS_FORMAT, "the shape has a size that is no number, or more than %d", MAX_DIMS);
		size[(*n)++] = (int64_t)s;
	}
	return true;
}

static bool read_tensor(struct header_reader *r, const cJSON *json)
{
	struct arena *a = r->tree->model->arena;
	const cJSON *dtype = cJSON_GetObjectItemCaseSensitive(json, "dtype"), *offsets = cJSON_GetObjectItemCaseSensitive(json, "data_offsets");
	int64_t size[MAX_DIMS];
	uint64_t from = 0, to = 0;
	int n = 0;
	enum dtype d = cJSON_IsString(dtype) ? dtype_of(dtype->valuestring) : DT_NONE;
	if (d == DT_NONE)
		return fail(r->err, NNS_UNSUPPORTED, "dtype '%.20s'", cJSON_IsString(dtype) ? dtype->valuestring : "");
	if (!read_shape(r, cJSON_GetObjectItemCaseSensitive(json, "shape"), size, &n))
		return false;
	if (cJSON_GetArraySize(offsets) != 2 || !whole(offsets->child, &from) || !whole(offsets->child->next, &to) || from > to || to > r->n_body)
		return fail(r->err, NNS_FORMAT, "data_offsets [%llu, %llu] do not lie in the %llu bytes after the header", (unsigned long long)from,
		            (unsigned long long)to, (unsigned long long)r->n_body);
	if (!shape_fits(n, size, d))
		return fail(r->err, NNS_FORMAT, "the shape has more bytes than 63 bits can count");
	struct value *v = value_new(a, d, n, size);
	struct span *grown = v ? arena_grow(a, r->spans, r->n_spans, &r->cap_spans, sizeof *grown) : NULL;
	if (!grown)
		return fail_memory(r->err);
	if ((uint64_t)value_bytes(v) != to - from)
		return fail(r->err, NNS_FORMAT, "data_offsets span %llu bytes, the shape takes %lld", (unsigned long long)(to - from), (long long)value_bytes(v));
	r->spans = grown;
	grown[r->n_spans++] = (struct span){ from, to, json->string };
	v->storage = r->body + from;
	v->storage_bytes = to - from;
	return state_add(r->tree, json->string, v, r->err);
}

static int by_start(const void *a, const void *b)
{
	const struct span *x = a, *y = b;
	return x->from != y->from ? (x->from < y->from ? -1 : 1) : x->to < y->to ? -1 : x->to > y->to;
}

/* No byte belongs to two tensors, and none to no tensor. */
static bool check_spans(struct header_reader *r)
{
	uint64_t at = 0;
	if (r->n_spans)
		qsort(r->spans, r->n_spans, sizeof *r->spans, by_start);
	for (size_t i = 0; i < r->n_spans; i++) {
		const struct span *s = &r->spans[i];
		if (s->from < at)
			return fail(r->err, NNS_FORMAT, "%s: its bytes [%llu, %llu] overlap those of another tensor", s->name, (unsigned long long)s->from,
			            (unsigned long long)s->to);
		if (s->from > at)
			return fail(r->err, NNS_FORMAT, "%s: %llu bytes before it belong to no tensor", s->name, (unsigned long long)(s->from - at));
		at = s->to;
	}
	if (at != r->n_body)
		return fail(r->err, NNS_FORMAT, "%llu bytes at the end belong to no tensor", (unsigned long long)(r->n_body - at));
	return true;
}

static bool read_file(struct state_tree *tree, const unsigned char *data, size_t len, nns_error *err)
{
	uint64_t n = len >= 8 ? little_endian(data, 8) : 0;
	if (len < 8 || n > len - 8)
		return fail(err, NNS_FORMAT, "the header of %llu bytes reaches beyond the end of the file", (unsigned long long)n);
	if (n > MAX_HEADER)
		return fail(err, NNS_LIMIT, "the header of %llu bytes is larger than the %d that are allowed", (unsigned long long)n, MAX_HEADER);
	struct header_reader r = { .tree = tree, .body = data + 8 + n, .n_body = len - 8 - n, .err = err };
	cJSON *json = cJSON_ParseWithLength((const char *)data + 8, n);
	if (!cJSON_IsObject(json)) {
		cJSON_Delete(json);
		return fail(err, NNS_FORMAT, "the header is not a JSON object");
	}
	const cJSON *by = cJSON_GetObjectItemCaseSensitive(cJSON_GetObjectItemCaseSensitive(json, "__metadata__"), "format");
	bool ok = true;
	if (cJSON_IsString(by) && !(tree->model->origin = arena_printf(tree->model->arena, "'%.40s' as its metadata says", by->valuestring)))
		ok = fail_memory(err);
	for (const cJSON *t = json->child; ok && t; t = t->next)
		if (strcmp(t->string, "__metadata__") != 0 && !read_tensor(&r, t))
			ok = fail_within(err, "%s: ", t->string);
	ok = ok && check_spans(&r);
	cJSON_Delete(json);
	return ok;
}

int safetensors_bid(const struct load_file *f)
{
	uint64_t n = f->len > 9 ? little_endian((const unsigned char *)f->data, 8) : 0;
	return n > 1 && f->data[8] == '{' && n < ((uint64_t)1 << 40) ? 90 : 0;
}

bool safetensors_load(const struct load_file *f, struct model *m, nns_error *err)
{
	struct state_tree tree;
	return (state_begin(&tree, m, true, err) && read_file(&tree, (const unsigned char *)f->data, f->len, err) && state_finish(&tree, err))
	    || fail_within(err, "%s: ", f->path);
}

/* ---- Shards ---- */

/* Whether the object of JSON has the key, itself and not something in it. */
static bool has_key(const char *json, size_t n, const char *key)
{
	size_t depth = 0, len = strlen(key);
	for (size_t i = 0; i < n; i++) {
		if (json[i] == '{' || json[i] == '[')
			depth++;
		if ((json[i] == '}' || json[i] == ']') && --depth == 0)
			return false;
		if (json[i] != '"')
			continue;
		size_t from = i + 1;
		for (i = from; i < n && json[i] != '"'; i++)
			i += json[i] == '\\';
		if (depth != 1 || i >= n || i - from != len || memcmp(json + from, key, len) != 0)
			continue;
		size_t after = i + 1;
		while (after < n && strchr(" \t\r\n", json[after]) && json[after])
			after++;
		if (after < n && json[after] == ':')
			return true;
	}
	return false;
}

int shards_bid(const struct load_file *f)
{
	size_t start = strspn(f->data, " \t\r\n");
	if (start >= f->len || f->data[start] != '{')
		return 0;
	return has_key(f->data + start, f->len - start, "weight_map") ? 95 : 0;
}

/* The folder of a path, with links followed; freed by the caller. */
static char *real_folder(const char *path)
{
	char *real = realpath(path, NULL), *slash = real ? strrchr(real, '/') : NULL;
	if (slash)
		*slash = 0;
	return real;
}

/*
 * A shard may be a link within the folder of the index, or into the folder where the index itself really lies: download
 * caches keep all files of a model in one place and link to them.
 */
static bool lies_beside(const char *index, const char *shard)
{
	char *real = realpath(index, NULL), *beside = real_folder(shard), *links = NULL;
	const char *slash = strrchr(index, '/');
	char *folder = slash ? strdup(index) : strdup(".");
	if (slash && folder)
		folder[slash == index ? 1 : slash - index] = 0;
	links = folder ? realpath(folder, NULL) : NULL;
	char *last = real ? strrchr(real, '/') : NULL;
	if (last)
		*last = 0;
	bool ok = !beside || (links && strcmp(beside, links) == 0) || (real && strcmp(beside, real) == 0);   /* what is not there fails to open */
	free(real);
	free(beside);
	free(links);
	free(folder);
	return ok;
}

static bool read_shard(struct state_tree *tree, const struct load_file *f, const char *name, nns_error *err)
{
	const char *slash = strrchr(f->path, '/');
	struct mapping file;
	if (strchr(name, '/') || strcmp(name, "..") == 0 || !*name)
		return fail(err, NNS_FORMAT, "%s: shard '%s' does not lie beside the index", f->path, name);
	char *path = slash ? arena_printf(tree->model->arena, "%.*s/%s", (int)(slash - f->path), f->path, name) : arena_strdup(tree->model->arena, name);
	if (!path)
		return fail_memory(err);
	if (!lies_beside(f->path, path))
		return fail(err, NNS_FORMAT, "%s: shard '%s' is a link to another folder", f->path, name);
	if (!mapping_open(path, 1 << 30, &file, err))
		return false;
	const unsigned char *data = (const unsigned char *)file.data;
	size_t len = file.len;
	return model_keep_file(tree->model, &file, err) && (read_file(tree, data, len, err) || fail_within(err, "%s: ", path));
}

bool shards_load(const struct load_file *f, struct model *m, nns_error *err)
{
	struct state_tree tree;
	struct map seen = { 0 };
	cJSON *json = cJSON_ParseWithLength(f->data, f->len);
	const cJSON *names = cJSON_GetObjectItemCaseSensitive(json, "weight_map");
	bool ok = state_begin(&tree, m, true, err);
	if (ok && !cJSON_IsObject(names))
		ok = fail(err, NNS_FORMAT, "%s: not an index of safetensors: there is no weight_map", f->path);
	for (const cJSON *t = names ? names->child : NULL; ok && t; t = t->next) {
		if (!cJSON_IsString(t)) {
			ok = fail(err, NNS_FORMAT, "%s: %s has no file", f->path, t->string);
			break;
		}
		if (map_has(&seen, t->valuestring))
			continue;
		char *copy = arena_strdup(m->arena, t->valuestring);
		ok = (copy && map_put(&seen, m->arena, copy, copy)) ? read_shard(&tree, f, copy, err) : fail_memory(err);
	}
	cJSON_Delete(json);
	return ok && state_finish(&tree, err);
}
