/*
 * Descriptions: JSON, read with cJSON.
 *
 *     { "uses": ["other.json"], "classes": { "Block(n)": {...} },
 *       "model": "Net(10)",  or  "modules": {...}, "forward": [...],
 *       "inputs": { "x": [10, 3, 224, 224], "ids": { "shape": [2, 7], "dtype": "int64" } } }
 */
#include <cjson/cJSON.h>
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/nearest.h"
#include "load/format.h"

enum { MAX_DEPTH = 100, MAX_USES = 64 };

struct description_reader {
	struct model *model;
	const char *path;
	struct map *files;      /* read already, or being read */
	int depth;
	nns_error *err;
};

static size_t skip_blank(const char *s, size_t n)
{
	size_t i = n >= 3 && memcmp(s, "\xef\xbb\xbf", 3) == 0 ? 3 : 0;
	while (i < n && isspace((unsigned char)s[i]))
		i++;
	return i;
}

int description_bid(const struct load_file *f)
{
	size_t i = skip_blank(f->data, f->len);
	return i < f->len && f->data[i] == '{' ? 80 : 0;
}

/* ---- JSON ---- */

static void position(const char *text, const char *at, int *line, int *column)
{
	*line = *column = 1;
	for (const char *p = text; p < at; p++) {
		++*column;
		if (*p == '\n') {
			++*line;
			*column = 1;
		}
	}
}

/* cJSON recurses into brackets: their depth is known before it is asked. */
static bool check_depth(const char *text, size_t len, const char *path, nns_error *err)
{
	int depth = 0, line, column;
	bool in_string = false;
	for (size_t i = 0; i < len; i++) {
		char c = text[i];
		if (in_string) {
			i += c == '\\';
			in_string = c != '"';
		} else if (c == '"') {
			in_string = true;
		} else if (c == '{' || c == '[') {
			if (++depth > MAX_DEPTH) {
				position(text, text + i, &line, &column);
				return fail(err, NNS_LIMIT, "%s:%d:%d: brackets are nested deeper than %d", path, line, column, MAX_DEPTH);
			}
		} else if (c == '}' || c == ']') {
			depth--;
		}
	}
	return true;
}

static cJSON *parse_json(const char *text, size_t len, const char *path, nns_error *err)
{
	const char *end = NULL;
	int line, column;
	size_t start = skip_blank(text, len);
	if (!check_depth(text, len, path, err))
		return NULL;
	cJSON *json = cJSON_ParseWithLengthOpts(text + start, len - start, &end, 0);
	if (!json) {
		position(text, end ? end : text + len, &line, &column);
		return fail(err, NNS_FORMAT, "%s:%d:%d: this is not JSON: expected a value, ',' or a closing bracket", path, line, column), NULL;
	}
	while (end < text + len && isspace((unsigned char)*end))
		end++;
	if (end < text + len && *end) {
		position(text, end, &line, &column);
		fail(err, NNS_FORMAT, "%s:%d:%d: something follows the end of the description", path, line, column);
		cJSON_Delete(json);
		return NULL;
	}
	return json;
}

/* ---- uses ---- */

static bool add_document(struct description_reader *r, const cJSON *json);

static bool read_file(struct description_reader *r, const char *path)
{
	char *data;
	size_t len;
	if (map_has(r->files, path))
		return true;
	if (r->depth >= MAX_USES)
		return fail(r->err, NNS_LIMIT, "%s: files use each other more than %d deep", path, MAX_USES);
	if (!map_put(r->files, r->model->arena, path, (void *)path))
		return fail_memory(r->err);
	if (!file_read(path, 1 << 28, &data, &len, r->err))
		return fail_within(r->err, "%s: uses: ", r->path);
	cJSON *json = parse_json(data, len, path, r->err);
	struct description_reader inner = { r->model, path, r->files, r->depth + 1, r->err };
	bool ok = json && add_document(&inner, json);
	cJSON_Delete(json);
	free(data);
	return ok;
}

static bool read_use(struct description_reader *r, const cJSON *v)
{
	const char *slash = strrchr(r->path, '/');
	if (!cJSON_IsString(v))
		return fail(r->err, NNS_FORMAT, "%s: 'uses' must name files", r->path);
	if (strcmp(v->valuestring, "torchvision") == 0)
		return true;
	char *path = v->valuestring[0] == '/' || !slash ? arena_strdup(r->model->arena, v->valuestring)
	           : arena_printf(r->model->arena, "%.*s/%s", (int)(slash - r->path), r->path, v->valuestring);
	return path ? read_file(r, path) : fail_memory(r->err);
}

static bool read_uses(struct description_reader *r, const cJSON *v)
{
	const cJSON *item;
	if (cJSON_IsString(v))
		return read_use(r, v);
	if (v && !cJSON_IsArray(v))
		return fail(r->err, NNS_FORMAT, "%s: 'uses' must be an array of files", r->path);
	cJSON_ArrayForEach(item, v)
		if (!read_use(r, item))
			return false;
	return true;
}

/* ---- The document ---- */

static const char *const document_keys[] = { "$schema", "name", "comment", "uses", "classes", "model", "inputs", "modules", "parameters", "buffers",
                                            "build", "forward", "init", "repr" };

static bool is_document_key(const char *key)
{
	for (size_t i = 0; i < sizeof document_keys / sizeof *document_keys; i++)
		if (strcmp(key, document_keys[i]) == 0)
			return true;
	return strncmp(key, "forward(", 8) == 0;
}

static bool check_keys(struct description_reader *r, const cJSON *json)
{
	const cJSON *v, *w;
	cJSON_ArrayForEach(v, json) {
		if (!is_document_key(v->string)) {
			fail(r->err, NNS_FORMAT, "%s: unknown key '%s'", r->path, v->string);
			const char *near = nearest_of(v->string, document_keys, sizeof document_keys / sizeof *document_keys);
			return near ? fail_add(r->err, "; did you mean '%s'?", near) : false;
		}
		for (w = v->next; w; w = w->next)
			if (strcmp(v->string, w->string) == 0)
				return fail(r->err, NNS_FORMAT, "%s: '%s' is there twice", r->path, v->string);
	}
	return true;
}

static bool add_document(struct description_reader *r, const cJSON *json)
{
	const cJSON *classes = cJSON_GetObjectItemCaseSensitive(json, "classes"), *v;
	struct map seen = { 0 };
	if (!cJSON_IsObject(json))
		return fail(r->err, NNS_FORMAT, "%s: a description must be an object", r->path);
	if (!check_keys(r, json) || !read_uses(r, cJSON_GetObjectItemCaseSensitive(json, "uses")))
		return false;
	if (classes && !cJSON_IsObject(classes))
		return fail(r->err, NNS_FORMAT, "%s: 'classes' must be an object", r->path);
	cJSON_ArrayForEach(v, classes) {
		if (map_has(&seen, v->string))
			return fail(r->err, NNS_FORMAT, "%s: class '%s' is there twice", r->path, v->string);
		if (!map_put(&seen, r->model->arena, v->string, r->model) || !class_from_json(r->model, v->string, v, r->path, r->err))
			return false;
	}
	return true;
}

/* ---- Inputs ---- */

static bool read_shape(struct description_reader *r, const char *name, const cJSON *shape, enum dtype dtype, struct value **out)
{
	int64_t size[MAX_DIMS];
	int n = 0;
	const cJSON *v;
	if (!cJSON_IsArray(shape))
		return fail(r->err, NNS_FORMAT, "%s: input '%s' must be a shape such as [10, 3, 224, 224]", r->path, name);
	cJSON_ArrayForEach(v, shape) {
		if (!cJSON_IsNumber(v) || v->valuedouble < 0 || v->valuedouble > 9e15 || v->valuedouble != (double)(int64_t)v->valuedouble)
			return fail(r->err, NNS_FORMAT, "%s: input '%s': sizes must be whole numbers from 0", r->path, name);
		if (n == MAX_DIMS)
			return fail(r->err, NNS_LIMIT, "%s: input '%s' has more than %d dimensions", r->path, name, MAX_DIMS);
		size[n++] = (int64_t)v->valuedouble;
	}
	if (!shape_fits(n, size, dtype))
		return fail(r->err, NNS_LIMIT, "%s: input '%s': a tensor of that shape has more bytes than 63 bits can count", r->path, name);
	*out = value_new(r->model->arena, dtype, n, size);
	return *out || fail_memory(r->err);
}

static bool read_input(struct description_reader *r, const cJSON *v, struct graph_input *out)
{
	const cJSON *type = cJSON_GetObjectItemCaseSensitive(v, "dtype"), *grad = cJSON_GetObjectItemCaseSensitive(v, "requires_grad");
	const cJSON *shape = cJSON_IsObject(v) ? cJSON_GetObjectItemCaseSensitive(v, "shape") : v;
	enum dtype dtype = DT_FLOAT32;
	if (type && (!cJSON_IsString(type) || (dtype = dtype_from_name(type->valuestring)) == DT_NONE))
		return fail(r->err, NNS_FORMAT, "%s: input '%s': unknown dtype%s%s", r->path, v->string, cJSON_IsString(type) ? " " : "",
		            cJSON_IsString(type) ? type->valuestring : "");
	if (!read_shape(r, v->string, shape, dtype, &out->value))
		return false;
	out->name = out->value->name = arena_strdup(r->model->arena, v->string);
	out->value->requires_grad = grad ? cJSON_IsTrue(grad) : dtype_can_require_grad(dtype);
	out->is_default = true;
	return out->name || fail_memory(r->err);
}

static bool read_inputs(struct description_reader *r, const cJSON *inputs)
{
	struct model *m = r->model;
	const cJSON *v;
	int n = cJSON_GetArraySize(inputs);
	if (inputs && !cJSON_IsObject(inputs))
		return fail(r->err, NNS_FORMAT, "%s: 'inputs' must be an object of names and shapes", r->path);
	m->inputs = arena_array(m->arena, (size_t)n + 1, sizeof *m->inputs);
	if (!m->inputs)
		return fail_memory(r->err);
	cJSON_ArrayForEach(v, inputs)
		if (!read_input(r, v, &m->inputs[m->n_inputs++]))
			return false;
	return true;
}

/* ---- The model ---- */

/* The file's name as a class: my-net.json is a my_net. */
static const char *class_of_file(const struct model *m)
{
	char *class = arena_printf(m->arena, "%s%s", isdigit((unsigned char)*m->name) ? "_" : "", m->name);
	for (char *p = class; p && *p; p++)
		if (!isalnum((unsigned char)*p))
			*p = '_';
	return class;
}

/* A description that is itself one class: its modules stand at the top. */
static bool read_own_class(struct description_reader *r, const cJSON *json, const char **expression)
{
	static const char *const own[] = { "modules", "parameters", "buffers", "build", "init", "repr" };
	const cJSON *name = cJSON_GetObjectItemCaseSensitive(json, "name"), *v;
	const char *class = cJSON_IsString(name) ? name->valuestring : class_of_file(r->model);
	if (!class)
		return fail_memory(r->err);
	cJSON *body = cJSON_CreateObject();
	bool ok = body != NULL;
	cJSON_ArrayForEach(v, json) {
		bool is_own = strncmp(v->string, "forward", 7) == 0;
		for (size_t i = 0; i < sizeof own / sizeof *own; i++)
			is_own = is_own || strcmp(v->string, own[i]) == 0;
		if (ok && is_own)
			ok = cJSON_AddItemReferenceToObject(body, v->string, (cJSON *)v);
	}
	if (!ok)
		fail_memory(r->err);
	ok = ok && class_from_json(r->model, class, body, r->path, r->err);
	cJSON_Delete(body);
	*expression = ok ? arena_printf(r->model->arena, "%.*s()", (int)strcspn(class, "("), class) : NULL;
	return ok && (*expression || fail_memory(r->err));
}

static bool read_model(struct description_reader *r, const cJSON *json)
{
	const cJSON *model = cJSON_GetObjectItemCaseSensitive(json, "model");
	const char *expression = NULL;
	if (!add_document(r, json) || !read_inputs(r, cJSON_GetObjectItemCaseSensitive(json, "inputs")))
		return false;
	if (cJSON_IsString(model))
		expression = arena_strdup(r->model->arena, model->valuestring);
	else if (model)
		return fail(r->err, NNS_FORMAT, "%s: 'model' must be a constructor such as \"ResNet(BasicBlock, [2, 2, 2, 2])\"", r->path);
	else if (!cJSON_GetObjectItemCaseSensitive(json, "modules"))
		return fail(r->err, NNS_FORMAT, "%s: there is neither 'model' nor 'modules'; say what the model is, such as \"model\": \"Net(10)\"", r->path);
	else if (!read_own_class(r, json, &expression))
		return false;
	if (!expression)
		return fail_memory(r->err);
	r->model->root = runtime_construct(r->model->runtime, expression, arena_printf(r->model->arena, "%s: model", r->path), NULL, r->err);
	return r->model->root != NULL;
}

bool description_load(const struct load_file *f, struct model *m, nns_error *err)
{
	struct map files = { 0 };
	struct description_reader r = { m, m->source, &files, 0, err };
	cJSON *json = parse_json(f->data, f->len, f->path, err);
	bool ok = json && (map_put(&files, m->arena, m->source, m) || fail_memory(err)) && read_model(&r, json);
	cJSON_Delete(json);
	return ok;
}

bool description_add_classes(struct model *m, const char *text, size_t len, const char *path, nns_error *err)
{
	struct map files = { 0 };
	struct description_reader r = { m, path, &files, 0, err };
	cJSON *json = parse_json(text, len, path, err);
	bool ok = json && add_document(&r, json);
	cJSON_Delete(json);
	return ok;
}

static bool add_torchvision(void *data, nns_error *err)
{
	return description_add_classes(data, builtin_classes, strlen(builtin_classes), "torchvision", err);
}

void description_add_builtin(struct model *m)
{
	struct runtime *rt = m->runtime;
	rt->add_more = add_torchvision;
	rt->more_data = m;
}
