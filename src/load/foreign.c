/* Files that are recognised by their first bytes and not read yet: what they are, and what to do. */
#include <string.h>

#include "load/archive.h"
#include "load/format.h"

struct signature_row {
	size_t offset;
	const char *bytes;
	size_t n;
	const char *what;
};

static const struct signature_row rows[] = {
	{ 0, "PK\x03\x04", 4, "a zip archive that is none of PyTorch's or NumPy's" },
	{ 0, "GGUF", 4, "a GGUF file" },
	{ 0, "\x89HDF\r\n\x1a\n", 8, "an HDF5 file (Keras)" },
	{ 4, "TFL3", 4, "a TensorFlow Lite model" },
	{ 0, "version https://git-lfs", 23, "a git-lfs pointer, not the file itself" },
	{ 0, "\x1f\x8b", 2, "a gzip archive" },
	{ 0, "\x08", 1, "an ONNX model or another protocol buffer" },
};

static const char *what_is(const struct load_file *f)
{
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
		if (f->len >= rows[i].offset + rows[i].n && memcmp(f->data + rows[i].offset, rows[i].bytes, rows[i].n) == 0)
			return rows[i].what;
	return NULL;
}

int foreign_bid(const struct load_file *f)
{
	return what_is(f) ? 60 : 0;
}

bool foreign_load(const struct load_file *f, struct model *m, nns_error *err)
{
	if (memcmp(f->data, "PK\x03\x04", f->len < 4 ? f->len : 4) == 0 && !archive_open(m->arena, (const unsigned char *)f->data, f->len, err))
		return fail_within(err, "%s: ", f->path);
	return fail(err, NNS_UNSUPPORTED, "%s is %s, which nnscope does not read; save the text of print(model), or the program with "
	                                  "torch.export.save(), and give it that", f->path, what_is(f));
}
