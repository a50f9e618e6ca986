/*
 * A class of a description becomes a struct nn_class: the same thing as a row
 * of the module table.  Its modules, parameters and buffers are written out as
 * the statements of a constructor.
 */
#include <cjson/cJSON.h>
#include <string.h>

#include "base/nearest.h"
#include "load/format.h"

struct class_reader {
	struct model *model;
	const char *where;      /* "samples/x.json: BasicBlock" */
	struct nn_class *class;
	struct text build;
	nns_error *err;
};

/* ---- Text ---- */

static bool keep(struct class_reader *r, struct text *t, const char **out)
{
	char *s = t->failed ? NULL : arena_strndup(r->model->arena, t->data ? t->data : "", t->len);
	text_release(t);
	*out = s;
	return s || fail_memory(r->err);
}

/* A string, or an array of strings that are its lines. */
static bool add_lines(struct class_reader *r, const cJSON *v, const char *key, struct text *t)
{
	const cJSON *line;
	if (cJSON_IsString(v)) {
		text_addf(t, "%s\n", v->valuestring);
		return true;
	}
	if (!cJSON_IsArray(v))
		return fail(r->err, NNS_FORMAT, "%s: '%s' must be a line of code or an array of lines", r->where, key);
	cJSON_ArrayForEach(line, v) {
		if (!cJSON_IsString(line))
			return fail(r->err, NNS_FORMAT, "%s: '%s' holds something that is not a line of code", r->where, key);
		text_addf(t, "%s\n", line->valuestring);
	}
	return true;
}

static bool read_lines(struct class_reader *r, const cJSON *v, const char *key, const char **out)
{
	struct text t;
	text_init(&t);
	if (add_lines(r, v, key, &t))
		return keep(r, &t, out);
	text_release(&t);
	return false;
}

/* ---- Members ---- */

static bool add_module(struct class_reader *r, const cJSON *v)
{
	if (cJSON_IsNull(v)) {
		text_addf(&r->build, "self.add_module(");
		text_add_quoted(&r->build, v->string);
		text_add(&r->build, ", None)\n");
		return true;
	}
	if (!cJSON_IsString(v))
		return fail(r->err, NNS_FORMAT, "%s: module '%s' must be a constructor such as \"Linear(10, 20)\", or null", r->where, v->string);
	text_add(&r->build, "self.add_module(");
	text_add_quoted(&r->build, v->string);
	text_addf(&r->build, ", (%s))\n", v->valuestring);
	return true;
}

/* "w": [3, 4], "w": "torch.empty(3, 4)", "w": null */
static bool add_tensor(struct class_reader *r, const cJSON *v, bool parameter)
{
	const cJSON *size;
	text_addf(&r->build, "self.register_%s('%s', ", parameter ? "parameter" : "buffer", v->string);
	if (cJSON_IsNull(v)) {
		text_add(&r->build, "None)\n");
		return true;
	}
	text_add(&r->build, parameter ? "Parameter(" : "(");
	if (cJSON_IsString(v)) {
		text_add(&r->build, v->valuestring);
	} else if (cJSON_IsArray(v)) {
		text_add(&r->build, parameter ? "torch.empty([" : "torch.zeros([");
		cJSON_ArrayForEach(size, v)
			text_addf(&r->build, "%.0f, ", cJSON_IsNumber(size) ? size->valuedouble : -1.0);
		text_add(&r->build, "])");
	} else {
		return fail(r->err, NNS_FORMAT, "%s: '%s' must be a shape such as [3, 4], a call such as \"torch.empty(3, 4)\", or null", r->where, v->string);
	}
	text_add(&r->build, "))\n");
	return true;
}

static bool add_members(struct class_reader *r, const cJSON *members, const char *key)
{
	const cJSON *v;
	struct map seen = { 0 };
	if (!cJSON_IsObject(members))
		return fail(r->err, NNS_FORMAT, "%s: '%s' must be an object", r->where, key);
	cJSON_ArrayForEach(v, members) {
		if (map_has(&seen, v->string))
			return fail(r->err, NNS_FORMAT, "%s: '%s' has '%s' twice", r->where, key, v->string);
		if (!map_put(&seen, r->model->arena, v->string, r->class))
			return fail_memory(r->err);
		bool ok = strcmp(key, "modules") == 0 ? add_module(r, v) : add_tensor(r, v, strcmp(key, "parameters") == 0);
		if (!ok)
			return false;
	}
	return true;
}

/* ---- One key of the body ---- */

static const char *const keys[] = { "base", "modules", "parameters", "buffers", "build", "forward", "forward(...)", "init", "repr", "adopt", "comment" };

static bool read_forward(struct class_reader *r, const cJSON *v)
{
	const char *open = strchr(v->string, '('), *close = strrchr(v->string, ')');
	r->class->forward_signature = "x";
	if (open) {
		if (!close || close < open || close[1])
			return fail(r->err, NNS_FORMAT, "%s: '%s': expected forward(arguments)", r->where, v->string);
		r->class->forward_signature = arena_strndup(r->model->arena, open + 1, (size_t)(close - open - 1));
		if (!r->class->forward_signature)
			return fail_memory(r->err);
	}
	return read_lines(r, v, "forward", &r->class->forward);
}

static bool read_string(struct class_reader *r, const cJSON *v, const char **out)
{
	if (!cJSON_IsString(v))
		return fail(r->err, NNS_FORMAT, "%s: '%s' must be a string", r->where, v->string);
	*out = arena_strdup(r->model->arena, v->valuestring);
	return *out || fail_memory(r->err);
}

static bool read_key(struct class_reader *r, const cJSON *v)
{
	const char *key = v->string;
	if (strcmp(key, "modules") == 0 || strcmp(key, "parameters") == 0 || strcmp(key, "buffers") == 0)
		return add_members(r, v, key);
	if (strcmp(key, "build") == 0)
		return add_lines(r, v, key, &r->build);
	if (strcmp(key, "forward") == 0 || strncmp(key, "forward(", 8) == 0)
		return r->class->forward ? fail(r->err, NNS_FORMAT, "%s: there are two forwards", r->where) : read_forward(r, v);
	if (strcmp(key, "init") == 0)
		return read_lines(r, v, key, &r->class->reset);
	if (strcmp(key, "adopt") == 0)
		return read_lines(r, v, key, &r->class->adopt);
	if (strcmp(key, "base") == 0)
		return read_string(r, v, &r->class->base);
	if (strcmp(key, "repr") == 0)
		return read_string(r, v, &r->class->repr);
	if (strcmp(key, "comment") == 0)
		return true;
	fail(r->err, NNS_FORMAT, "%s: unknown key '%s'", r->where, key);
	const char *near = nearest_of(key, keys, sizeof keys / sizeof *keys);
	return near ? fail_add(r->err, "; did you mean '%s'?", near)
	    : fail_add(r->err, "; a class has modules, parameters, buffers, build, forward, init, repr, base");
}

/* ---- The class ---- */

static bool read_head(struct class_reader *r, const char *head)
{
	const char *open = strchr(head, '('), *close = strrchr(head, ')');
	size_t n = open ? (size_t)(open - head) : strlen(head);
	while (n > 0 && head[n - 1] == ' ')
		n--;
	if (n == 0 || (open && (!close || close[1])))
		return fail(r->err, NNS_FORMAT, "%s: '%s': expected a class such as Block(channels, stride=1)", r->where, head);
	r->class->name = arena_strndup(r->model->arena, head, n);
	r->class->signature = open ? arena_strndup(r->model->arena, open + 1, (size_t)(close - open - 1)) : "";
	return (r->class->name && r->class->signature) || fail_memory(r->err);
}

/* Statements and members run in the order of the file. */
static bool read_body(struct class_reader *r, const cJSON *body)
{
	const cJSON *v;
	bool ok = true;
	cJSON_ArrayForEach(v, body)
		if (ok)
			ok = read_key(r, v);
	return ok;
}

bool class_from_json(struct model *m, const char *head, const struct cJSON *body, const char *path, nns_error *err)
{
	struct class_reader r = { .model = m, .where = path, .err = err };
	r.class = arena_alloc(m->arena, sizeof *r.class);
	if (!r.class)
		return fail_memory(err);
	if (!read_head(&r, head))
		return false;
	r.class->where = r.where = arena_printf(m->arena, "%s: %s", path, r.class->name);
	if (!r.where)
		return fail_memory(err);
	if (!cJSON_IsObject(body))
		return fail(err, NNS_FORMAT, "%s: a class must be an object", r.where);
	text_init(&r.build);
	if (!read_body(&r, body)) {
		text_release(&r.build);
		return false;
	}
	return keep(&r, &r.build, &r.class->build) && runtime_add_class(m->runtime, r.class, err);
}
