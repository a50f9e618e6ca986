/* NumPy's archives and arrays as a model. */
#include <string.h>

#include "load/npy.h"
#include "load/archive.h"
#include "load/state.h"

static bool is_array(const char *name, size_t n)
{
	return n > 4 && memcmp(name + n - 4, ".npy", 4) == 0;
}

int npz_bid(const struct load_file *f)
{
	if (f->len > 6 && memcmp(f->data, "\x93NUMPY", 6) == 0)
		return 90;
	if (f->len == 22 && memcmp(f->data, "PK\x05\x06", 4) == 0)
		return 85;               /* the end record alone: of no arrays */
	if (f->len < 4 || memcmp(f->data, "PK\x03\x04", 4) != 0 || archive_begins(f->data, f->len, "/data.pkl"))
		return 0;
	return archive_has(f->data, f->len, is_array) ? 85 : 0;
}

bool npz_load(const struct load_file *f, struct model *m, nns_error *err)
{
	struct state_tree tree;
	struct npz_array *all;
	size_t n = 0;
	if (!state_begin(&tree, m, true, err) || !npz_read(m->arena, (const unsigned char *)f->data, f->len, &all, &n, err))
		return fail_within(err, "%s: ", f->path);
	for (size_t i = 0; i < n; i++)
		if (!state_add(&tree, *all[i].name ? all[i].name : "array", all[i].value, err))
			return fail_within(err, "%s: ", f->path);
	return state_finish(&tree, err);
}
