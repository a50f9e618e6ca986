/* torch/csrc/jit/serialization/export_module.cpp writes ARCHIVE/code/__torch__/....py, one a Python module. */
#include "load/torch_code.h"

#include <string.h>

#include "base/mapping.h"
#include "load/archive.h"

enum { MAX_CODE = 64 << 20 };

static bool is_code(const char *name)
{
	size_t n = strlen(name);
	const char *code = strstr(name, "code/");
	return code && (code == name || code[-1] == '/') && n > 3 && strcmp(name + n - 3, ".py") == 0;
}

static bool add_entry(struct archive *z, const struct archive_entry *e, struct text *out, nns_error *err)
{
	const unsigned char *bytes;
	size_t len;
	if (!archive_bytes(z, e, MAX_CODE, &bytes, &len, err))
		return fail_within(err, "%s: ", e->name);
	text_addf(out, "%s# %s\n", out->len ? "\n" : "", strstr(e->name, "code/") + strlen("code/"));
	text_addn(out, (const char *)bytes, len);
	if (len == 0 || bytes[len - 1] != '\n')
		text_addc(out, '\n');
	return true;
}

/* Everything that torch.jit.save writes is a zip archive. */
static bool is_archive(const struct mapping *file)
{
	return file->len >= 4 && memcmp(file->data, "PK\3\4", 4) == 0;
}

static bool add_archive(struct arena *a, const struct mapping *file, const char *part, struct text *out, nns_error *err)
{
	struct archive *z = archive_open(a, (const unsigned char *)file->data, file->len, err);
	size_t files = 0;
	if (!z)
		return false;
	for (size_t i = 0; i < archive_count(z); i++) {
		const struct archive_entry *e = archive_at(z, i);
		files += is_code(e->name);
		if (is_code(e->name) && (!part || strstr(e->name, part)) && !add_entry(z, e, out, err))
			return false;
	}
	if (files == 0)
		return fail(err, NNS_MODEL, "there is no code in it; torch.jit.save writes files that have some");
	if (out->failed)
		return fail_memory(err);
	return out->len > 0 || !part || fail(err, NNS_MODEL, "none of its %zu files of code has '%s' in its name", files, part);
}

bool torch_code(const char *path, const char *part, struct text *out, nns_error *err)
{
	struct mapping file;
	struct arena *a = arena_new(NULL, err);
	if (!a)
		return false;
	bool ok = mapping_open(path, SIZE_MAX / 4, &file, err);
	if (ok) {
		ok = is_archive(&file) ? add_archive(a, &file, part, out, err) || fail_within(err, "%s: ", path)
		                       : fail(err, NNS_FORMAT, "%s: not a TorchScript file; those of torch.jit.save hold code", path);
		mapping_close(&file);
	}
	arena_free(a);
	return ok;
}
