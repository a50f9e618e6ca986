#include "load/load.h"

#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "load/format.h"

enum { MAX_FILE = 1 << 30 };

const struct load_format load_formats[] = {
	{ "description", "a JSON description of classes, modules and forward code", false, description_bid, description_load },
	{ "printed tree", "the text that print(model) wrote, of any PyTorch version", false, printed_bid, printed_load },
	{ "exported program", "what torch.export.save() wrote (.pt2)", true, pt2_bid, pt2_load },
	{ "PyTorch checkpoint", "what torch.save() wrote, and TorchScript (.pth, .pt, .bin, .ckpt)", true, torch_zip_bid, torch_zip_load },
	{ "older PyTorch checkpoint", "what torch.save() wrote before 1.6, and other pickles", true, torch_legacy_bid, torch_legacy_load },
	{ "oldest PyTorch checkpoint", "what torch.save() wrote before 0.1.10 (.tar)", true, torch_tar_bid, torch_tar_load },
	{ "safetensors", "tensors by name (.safetensors)", true, safetensors_bid, safetensors_load },
	{ "safetensors index", "tensors in several files (.safetensors.index.json)", false, shards_bid, shards_load },
	{ "NumPy arrays", "arrays by name (.npz), or one (.npy)", true, npz_bid, npz_load },
	{ "foreign", "files that are recognised, to say what they are", true, foreign_bid, foreign_load },
	{ NULL, NULL, false, NULL, NULL }
};

/* ---- Models ---- */

static struct model *model_new(const struct load_options *o, const char *name, const char *source, const char *kind, nns_error *err)
{
	struct arena *a = arena_new(o ? o->allocator : NULL, err);
	struct model *m = a ? arena_alloc(a, sizeof *m) : NULL;
	if (!m) {
		arena_free(a);
		return fail_memory(err), NULL;
	}
	m->arena = a;
	m->name = arena_strdup(a, name);
	m->source = arena_strdup(a, source);
	m->kind = kind;
	struct runtime *rt = runtime_new(a, err);
	m->runtime = rt;
	if (!rt || !m->name || !m->source) {
		fail_memory(err);
		model_free(m);
		return NULL;
	}
	if (o && o->max_modules)
		rt->max_modules = o->max_modules;
	if (!o || !o->initialise || runtime_record_construction(rt, err))
		return m;
	model_free(m);
	return NULL;
}

void model_free(struct model *m)
{
	if (!m)
		return;
	while (m) {
		struct model *lender = m->lender;
		for (size_t i = 0; i < m->n_files; i++)
			mapping_close(&m->files[i]);
		arena_free(m->arena);
		m = lender;
	}
}

bool model_keep_file(struct model *m, struct mapping *file, nns_error *err)
{
	struct mapping *grown = arena_grow(m->arena, m->files, m->n_files, &m->cap_files, sizeof *grown);
	if (!grown) {
		mapping_close(file);
		return fail_memory(err);
	}
	m->files = grown;
	grown[m->n_files++] = *file;
	return true;
}

static bool add_class_files(struct model *m, const struct load_options *o, nns_error *err)
{
	for (size_t i = 0; o && i < o->n_class_files; i++) {
		char *data;
		size_t len;
		if (!file_read(o->class_files[i], MAX_FILE, &data, &len, err))
			return false;
		bool ok = description_add_classes(m, data, len, o->class_files[i], err);
		free(data);
		if (!ok)
			return false;
	}
	return true;
}

/* ---- Formats ---- */

static const struct load_format *best_format(const struct load_file *f)
{
	const struct load_format *best = NULL;
	int highest = 0;
	for (const struct load_format *row = load_formats; row->name; row++) {
		int bid = row->bid(f);
		if (bid > highest) {
			highest = bid;
			best = row;
		}
	}
	return best;
}

static bool no_program(const struct load_options *o, const char *path, nns_error *err)
{
	return !o || !o->program || fail(err, NNS_USAGE, "%s: program '%s' was asked for, and only an exported program (.pt2) holds several", path, o->program);
}

static bool fill(struct model *m, const struct load_format *format, const struct load_file *f, nns_error *err)
{
	if (!format->binary && f->len > MAX_FILE)
		return fail(err, NNS_LIMIT, "%s is larger than the limit of %zu bytes", f->path, (size_t)MAX_FILE);
	if (format->load != pt2_load && !no_program(f->options, f->path, err))
		return false;
	description_add_builtin(m);
	return add_class_files(m, f->options, err) && format->load(f, m, err);
}

/* Takes the file, whatever happens. */
static struct model *load_file(struct mapping *bytes, const struct load_file *f, nns_error *err)
{
	const struct load_format *format = best_format(f);
	struct model *m = NULL;
	if (!format)
		fail(err, NNS_FORMAT, f->len == 0 ? "%s: the file is empty"
		     : "%s: not a file that nnscope reads; it reads descriptions (JSON), the text of print(model) and PyTorch's files", f->path);
	else
		m = model_new(f->options, f->name, f->path, format->name, err);
	if (!m) {
		mapping_close(bytes);
		return NULL;
	}
	if (model_keep_file(m, bytes, err) && fill(m, format, f, err))
		return m;
	if (arena_failed(m->arena))      /* whatever it looked like further down */
		fail_memory(err);
	model_free(m);
	return NULL;
}

/* "a/resnet18.json" -> "resnet18" */
static void bare_name(const char *path, char *out, size_t size)
{
	const char *slash = strrchr(path, '/');
	const char *start = slash ? slash + 1 : path, *dot = strrchr(start, '.');
	size_t n = dot && dot > start ? (size_t)(dot - start) : strlen(start);
	n = n < size ? n : size - 1;
	memcpy(out, start, n);
	out[n] = 0;
}

struct model *load_memory(const char *data, size_t len, const char *name, const struct load_options *o, nns_error *err)
{
	char bare[256];
	struct mapping copy;
	bare_name(name, bare, sizeof bare);
	if (!mapping_copy(data, len, &copy, err))
		return NULL;
	struct load_file f = { .path = name, .name = bare, .data = copy.data, .len = copy.len, .options = o };
	return load_file(&copy, &f, err);
}

struct model *load_path(const char *path, const struct load_options *o, nns_error *err)
{
	char bare[256];
	struct mapping file;
	bool standard = strcmp(path, "-") == 0;
	if (!mapping_open(path, MAX_FILE, &file, err))
		return NULL;
	bare_name(standard ? "model" : path, bare, sizeof bare);
	struct load_file f = { .path = standard ? "<stdin>" : path, .name = bare, .data = file.data, .len = file.len, .options = o };
	return load_file(&file, &f, err);
}

struct model *load_expression(const char *expression, const struct load_options *o, nns_error *err)
{
	struct model *m = no_program(o, "--expr", err) ? model_new(o, "model", "<expr>", "expression", err) : NULL;
	if (!m)
		return NULL;
	description_add_builtin(m);
	if (add_class_files(m, o, err)
	    && (m->root = runtime_construct(m->runtime, expression, "expression", NULL, err)))
		return m;
	model_free(m);
	return NULL;
}
