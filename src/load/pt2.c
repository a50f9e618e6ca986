/*
 * Exported programs: the PT2 archive of torch.export.save, a zip.
 *
 *     since 2.8                        NAME is its top folder, any name or none
 *       NAME/archive_format            "pt2"
 *       NAME/models/MODEL.json         the program (torch/_export/serde/schema.py: ExportedProgram); there may be several
 *       NAME/data/weights/MODEL_weights_config.json      state dict name -> file, TensorMeta
 *       NAME/data/weights/weight_0     the bytes of a storage
 *       NAME/data/constants/MODEL_constants_config.json  the same for constants
 *       NAME/data/sample_inputs/MODEL.pt         the example inputs (args, kwargs) by torch.save
 *     2.1 to 2.7
 *       serialized_exported_program.json      the same, of an older schema
 *       serialized_state_dict.pt, serialized_constants.pt       dicts by torch.save, named .json before 2.3
 *       serialized_example_inputs.pt   since 2.4
 *       version                        of the schema: "1" (2.1), "2", "5.1", ... "8.7" (2.7)
 *
 * Weight files may be missing: then there are shapes without bytes.
 */
#include "load/pt2.h"

#include <string.h>

#include "base/text.h"
#include "nn/runtime.h"

enum { MAX_JSON = 1 << 30, MAX_VERSION = 40 };

/* Lists of a program and of a weights' config that grow with the network; `inputs` of a graph, not those of a node. */
static const char *const long_lists[] = { "tensor_values", "nodes", "input_specs", "config", "inputs", "module_call_graph", NULL };
static const char *const lists_of_a_member[] = { "tensor_values", "nodes", NULL };

cJSON *pt2_read_json(struct pt2 *p, struct archive *a, const struct archive_entry *e)
{
	const unsigned char *bytes;
	size_t len;
	if (!archive_content(a, e, MAX_JSON, &bytes, &len, p->err))
		return NULL;
	cJSON *json = json_read(p->json, (const char *)bytes, len, long_lists, p->err);
	if (!json)
		fail_within(p->err, "%s: ", e->name);
	return json;
}

bool pt2_next(struct pt2 *p, struct json_members *m, struct arena *scratch, const cJSON **out)
{
	return json_next(m, scratch, lists_of_a_member, out, p->err) || fail_within(p->err, "%s: ", p->where);
}

/* ---- Programs ---- */

/*
 * Whether the model returns a dict (or a class of transformers that is one): the first type that out_spec names.  The specs
 * are JSON in a string (torch/utils/_pytree.py).
 */
static bool returns_dict(const cJSON *root_call)
{
	const cJSON *signature = cJSON_GetObjectItemCaseSensitive(root_call, "signature");
	const cJSON *spec = cJSON_GetObjectItemCaseSensitive(signature, "out_spec");
	const char *type = cJSON_IsString(spec) ? strstr(spec->valuestring, "\"type\": \"") : NULL;
	const char *first = cJSON_IsString(spec) ? strstr(spec->valuestring, "\"type\": ") : NULL;
	if (!type || type != first)      /* null: one tensor */
		return false;
	type += strlen("\"type\": \"");
	return strncmp(type, "builtins.tuple", 14) != 0 && strncmp(type, "builtins.list", 13) != 0 && strncmp(type, "collections.namedtuple", 22) != 0;
}

/* Whether the example was given by position: the first of the two that in_spec lists, a tuple and a dict, holds something. */
static bool takes_positional(const cJSON *root_call)
{
	static const char list[] = "\"children_spec\": [";
	const cJSON *signature = cJSON_GetObjectItemCaseSensitive(root_call, "signature");
	const cJSON *spec = cJSON_GetObjectItemCaseSensitive(signature, "in_spec");
	const char *both = cJSON_IsString(spec) ? strstr(spec->valuestring, list) : NULL;
	const char *args = both ? strstr(both + strlen(list), list) : NULL;
	return args && args[strlen(list)] == '{';
}

static bool read_program(struct pt2 *p, struct pt2_state *s, const cJSON *json)
{
	const cJSON *module = cJSON_GetObjectItemCaseSensitive(json, "graph_module"), *calls = cJSON_GetObjectItemCaseSensitive(module, "module_call_graph"), *root;
	const cJSON *version = cJSON_GetObjectItemCaseSensitive(json, "torch_version");
	struct json_members first = json_members(calls);
	if (!pt2_next(p, &first, p->one, &root))
		return false;
	bool dict = returns_dict(root), positional = takes_positional(root);
	if (!pt2_read_modules(p, calls))
		return false;
	struct program *g = pt2_program(p, cJSON_GetObjectItemCaseSensitive(module, "graph"));
	p->model->program = g;
	if (g) {
		g->returns_dict = dict;
		g->positional = positional;
	}
	if (g && cJSON_IsString(version) && !(p->model->origin = arena_printf(p->model->arena, "torch.export of PyTorch %.*s", MAX_VERSION, version->valuestring)))
		return fail_memory(p->err);
	return g && pt2_bind_state(p, s, g, cJSON_GetObjectItemCaseSensitive(module, "signature"))
	    && pt2_merge_modules(p, g) && pt2_construct_classes(p, g) && pt2_name_classes(p);
}

static bool read_entry(struct pt2 *p, struct archive *a, const struct archive_entry *e, struct pt2_state *s)
{
	p->where = e->name;
	cJSON *json = pt2_read_json(p, a, e);
	return json && read_program(p, s, json);
}

/* ---- Layouts ---- */

/* NAME/models/MODEL.json: the length of "NAME/", and MODEL; -1: none. */
static ptrdiff_t program_at(const char *name, const char **model)
{
	const char *at = strncmp(name, "models/", 7) == 0 ? name : strstr(name, "/models/");
	if (!at || !text_ends_with(name, ".json"))
		return -1;
	at += *at == '/';
	*model = at + strlen("models/");
	return strchr(*model, '/') ? -1 : at - name;
}

/* The program asked for, or the first; the others are told. */
static bool choose_program(struct pt2 *p, struct archive *a, const struct archive_entry **found, char **model)
{
	struct text others;
	size_t n = 0;
	text_init(&others);
	*found = NULL;
	for (size_t i = 0; i < archive_count(a); i++) {
		const char *name, *wanted = p->wanted;
		if (program_at(archive_at(a, i)->name, &name) < 0)
			continue;
		size_t len = strlen(name) - strlen(".json");
		text_addf(&others, "%s%.*s", n++ ? ", " : "", (int)(len < 200 ? len : 200), name);
		if (*found || (wanted && (strlen(wanted) != len || memcmp(wanted, name, len) != 0)))
			continue;
		*found = archive_at(a, i);
		*model = arena_strndup(p->model->arena, name, len);
	}
	const char *list = others.data ? others.data : "";
	bool ok = *found && *model && !others.failed;
	if (*found && !ok)
		fail_memory(p->err);
	else if (!ok && n)
		fail(p->err, NNS_USAGE, "there is no program '%s'; there are: %.300s", p->wanted ? p->wanted : "", list);
	else if (!ok)
		fail(p->err, NNS_UNSUPPORTED, "an archive of compiled code without a graph (AOTInductor); save the program with torch.export.save");
	if (ok && n > 1 && !p->wanted)
		p->model->note = arena_printf(p->model->arena, "%s holds the programs %.300s; %s is shown, --program NAME chooses another", p->model->source, list, *model);
	text_release(&others);
	return ok;
}

/* "full/data/weights/model_weights_config.json"; a missing file is an empty config. */
static bool open_config(struct pt2 *p, struct archive *a, const char *top, const char *folder, const char *model, const char *config, struct pt2_weights *w)
{
	char *place = arena_printf(p->model->arena, "%s%s", top, folder), *path = arena_printf(p->model->arena, "%s%s%s_%s", top, folder, model, config);
	if (!place || !path)
		return fail_memory(p->err);
	*w = (struct pt2_weights){ archive_find(a, path), place };
	return true;
}

static bool load(struct pt2 *p, struct archive *a, struct pt2_state *s)
{
	char *model = NULL;
	const char *ignored;
	const struct archive_entry *e;
	if (!choose_program(p, a, &e, &model))
		return false;
	struct arena *m = p->model->arena;
	char *top = arena_strndup(m, e->name, (size_t)program_at(e->name, &ignored));
	char *examples = top ? arena_printf(m, "%sdata/sample_inputs/%s.pt", top, model) : NULL;
	s->examples = examples ? archive_find(a, examples) : NULL;
	return examples ? open_config(p, a, top, "data/weights/", model, "weights_config.json", &s->weights)
	    && open_config(p, a, top, "data/constants/", model, "constants_config.json", &s->constants)
	    && read_entry(p, a, e, s) : fail_memory(p->err);
}

static const struct archive_entry *find_either(const struct archive *a, const char *name, const char *older)
{
	const struct archive_entry *e = archive_find(a, name);
	return e ? e : archive_find(a, older);
}

static bool load_older(struct pt2 *p, struct archive *a, const struct archive_entry *e, struct pt2_state *s)
{
	const struct archive_entry *version = archive_find(a, "version");
	const unsigned char *text;
	size_t len;
	if (version && archive_content(a, version, MAX_VERSION, &text, &len, NULL)
	    && !(p->model->origin = arena_printf(p->model->arena, "torch.export, schema %.*s", (int)len, (const char *)text)))
		return fail_memory(p->err);
	s->weights.entry = find_either(a, "serialized_state_dict.pt", "serialized_state_dict.json");
	s->examples = archive_find(a, "serialized_example_inputs.pt");
	s->constants.entry = find_either(a, "serialized_constants.pt", "serialized_constants.json");
	return read_entry(p, a, e, s);
}

static const char older_program[] = "serialized_exported_program.json";

static bool is_mark(const char *name, size_t n)
{
	static const char mark[] = "archive_format";
	const size_t older = sizeof older_program - 1, m = sizeof mark - 1;
	return (n == older && memcmp(name, older_program, older) == 0) || (n >= m && memcmp(name + n - m, mark, m) == 0 && (n == m || name[n - m - 1] == '/'));
}

int pt2_bid(const struct load_file *f)
{
	if (f->len < 4 || memcmp(f->data, "PK\x03\x04", 4) != 0 || archive_begins(f->data, f->len, "/data.pkl"))
		return 0;
	return archive_has(f->data, f->len, is_mark) ? 95 : 0;
}

bool pt2_load(const struct load_file *f, struct model *m, nns_error *err)
{
	nns_error local = { 0 };
	struct pt2 p = { .model = m, .err = err ? err : &local, .where = f->path, .wanted = f->options ? f->options->program : NULL };
	struct pt2_state s = { 0 };
	struct archive *a = archive_open(m->arena, (const unsigned char *)f->data, f->len, p.err);
	s.archive = a;
	const struct archive_entry *older = a ? archive_find(a, older_program) : NULL;
	p.json = a ? arena_beside(m->arena, p.err) : NULL;
	p.one = p.json ? arena_beside(m->arena, p.err) : NULL;
	bool ok = p.one && (older ? load_older(&p, a, older, &s) : load(&p, a, &s));
	arena_free(p.json);
	arena_free(p.one);
	return ok || fail_within(p.err, "%s: ", f->path);
}
