/*
 * What torch.save wrote before 0.1.10: a tar (torch/serialization.py: legacy_load) of
 *
 *     storages   pickles in a row: how many; for each (key, location, class), 8 bytes of element count and the bytes;
 *                then a list of (key, key of the root, offset, elements), the storages that are views
 *     tensors    how many; for each the pickle (key, key of the storage, class), then little-endian 4 bytes of dimensions,
 *                4 bytes unused, 8 for each size and each stride, 8 for the offset
 *     pickle     the object, whose persistent ids are keys of tensors and storages
 */
#include <string.h>

#include "base/reader.h"
#include "load/checkpoint.h"
#include "load/tar.h"
#include "load/torch_pickle.h"

struct part {
	const char *name;
	const unsigned char *data;
	size_t len, at;
};

struct tar {
	struct torch_pickle pickle;
	struct part storages, tensors, object;
	struct map values;       /* key -> struct value * */
};

static bool is_header(const struct load_file *f, size_t at)
{
	return tar_is_header((const unsigned char *)f->data + at, f->len - at);
}

static bool find_parts(struct tar *t, const struct load_file *f)
{
	struct part *all[] = { &t->storages, &t->tensors, &t->object };
	for (size_t at = 0; at < f->len && is_header(f, at); ) {
		const char *name = f->data + at;
		const unsigned char *header = (const unsigned char *)name;
		size_t size = tar_size(header), from = at + TAR_BLOCK;
		if (size > f->len - from)
			return fail(t->pickle.err, NNS_FORMAT, "%.99s: byte %zu: %zu bytes reach beyond the end of the file", name, from, size);
		for (size_t i = 0; i < sizeof all / sizeof *all; i++)
			if (strncmp(name, all[i]->name, TAR_NAME_LEN) == 0 && tar_is_file(header))
				*all[i] = (struct part){ all[i]->name, header + TAR_BLOCK, size, 0 };
		at = tar_next(from, size, f->len);
	}
	for (size_t i = 0; i < sizeof all / sizeof *all; i++)
		if (!all[i]->data)
			return fail(t->pickle.err, NNS_FORMAT, "there is no file '%s' in the archive", all[i]->name);
	return true;
}

static bool next_pickle(struct tar *t, struct part *p, struct datum *out)
{
	size_t used;
	if (!torch_pickle_read(&t->pickle, p->data + p->at, p->len - p->at, out, &used))
		return fail_within(t->pickle.err, "%s: pickle at byte %zu: ", p->name, p->at);
	p->at += used;
	return true;
}

/* A tuple of n. */
static bool next_tuple(struct tar *t, struct part *p, size_t n, const struct datum **items)
{
	struct datum d;
	if (!next_pickle(t, p, &d))
		return false;
	if (!datum_is_seq(d) || d.u.seq->n != n)
		return fail(t->pickle.err, NNS_FORMAT, "%s: byte %zu: a tuple of %zu is expected", p->name, p->at, n);
	*items = d.u.seq->items;
	return true;
}

static bool next_count(struct tar *t, struct part *p, int64_t *n)
{
	struct datum d;
	if (!next_pickle(t, p, &d))
		return false;
	*n = datum_is_int(d) ? datum_as_int(d) : -1;
	return *n >= 0 || fail(t->pickle.err, NNS_FORMAT, "%s: byte %zu: a count is expected", p->name, p->at);
}

static struct torch_storage *storage_by(struct tar *t, struct datum key)
{
	const char *name = torch_key(&t->pickle, key);
	return name ? map_get(&t->pickle.storages, name) : NULL;
}

static bool read_storages(struct tar *t)
{
	struct part *p = &t->storages;
	const struct datum *item;
	int64_t n;
	if (!next_count(t, p, &n))
		return false;
	for (int64_t i = 0; i < n; i++) {
		if (!next_tuple(t, p, 3, &item))
			return false;
		const struct pickled *class = pickled_of(item[2]);
		enum dtype d = class ? torch_storage_dtype(class->name) : DT_NONE;
		const char *key = torch_key(&t->pickle, item[0]);
		if (d == DT_NONE || !key)
			return fail(t->pickle.err, NNS_UNSUPPORTED, "%s: byte %zu: a storage of a class that is not known", p->name, p->at);
		struct torch_storage *s = torch_storage_of(&t->pickle, key, d, 0);
		if (!s || !torch_raw_storage(&t->pickle, p->data, p->len, &p->at, s))
			return s ? fail_within(t->pickle.err, "%s: ", p->name) : false;
		s->numel = (int64_t)(s->n_bytes / dtype_size(d));
	}
	return true;
}

static bool add_view(struct tar *t, struct datum view)
{
	const struct seq *v = datum_is_seq(view) && view.u.seq->n == 4 ? view.u.seq : NULL;
	const struct torch_storage *root = v ? storage_by(t, v->items[1]) : NULL;
	const char *key = v ? torch_key(&t->pickle, v->items[0]) : NULL;
	int64_t offset = v && datum_is_int(v->items[2]) ? datum_as_int(v->items[2]) : -1, n = v && datum_is_int(v->items[3]) ? datum_as_int(v->items[3]) : -1;
	if (!root || root->root || !key || offset < 0 || n < 0 || offset > root->numel || n > root->numel - offset)
		return fail(t->pickle.err, NNS_FORMAT, "%s: byte %zu: a view of a storage that does not lie in it", t->storages.name, t->storages.at);
	struct torch_storage *s = torch_storage_of(&t->pickle, key, root->dtype, n);
	if (!s)
		return false;
	if (s == root)
		return true;
	s->root = root;
	s->offset = offset;
	return true;
}

static bool read_views(struct tar *t)
{
	struct datum views;
	if (!next_pickle(t, &t->storages, &views))
		return false;
	for (size_t i = 0; datum_is_seq(views) && i < views.u.seq->n; i++)
		if (!add_view(t, views.u.seq->items[i]))
			return false;
	return true;
}

static bool read_tensor(struct tar *t)
{
	struct part *p = &t->tensors;
	const struct datum *item;
	int64_t size[MAX_DIMS], stride[MAX_DIMS];
	if (!next_tuple(t, p, 3, &item))
		return false;
	const struct torch_storage *s = storage_by(t, item[1]);
	const char *key = torch_key(&t->pickle, item[0]);
	if (!s || !key)
		return fail(t->pickle.err, NNS_FORMAT, "%s: byte %zu: a tensor over a storage that is not there", p->name, p->at);
	int64_t n = p->len - p->at >= 8 ? (int64_t)little_endian(p->data + p->at, 4) : -1;
	if (n < 0 || n > MAX_DIMS || (size_t)n * 16 + 16 > p->len - p->at)
		return fail(t->pickle.err, NNS_FORMAT, "%s: byte %zu: a tensor of %lld dimensions", p->name, p->at, (long long)n);
	for (int64_t i = 0; i < n; i++) {
		size[i] = (int64_t)little_endian(p->data + p->at + 8 + i * 8, 8);
		stride[i] = (int64_t)little_endian(p->data + p->at + 8 + (n + i) * 8, 8);
	}
	int64_t offset = (int64_t)little_endian(p->data + p->at + 8 + n * 16, 8);
	p->at += 16 + (size_t)n * 16;
	bool good = offset >= 0;
	for (int64_t i = 0; i < n; i++)
		good = good && size[i] >= 0 && stride[i] >= 0;
	if (!good || !shape_fits((int)n, size, s->dtype))
		return fail(t->pickle.err, NNS_FORMAT, "%s: byte %zu: sizes or strides that are no numbers of elements", p->name, p->at);
	struct value *v = torch_tensor(&t->pickle, s, s->dtype, (int)n, size, stride, offset);
	char *copy = v ? arena_strdup(t->pickle.arena, key) : NULL;
	return v && ((copy && map_put(&t->values, t->pickle.arena, copy, v)) || fail_memory(t->pickle.err));
}

static bool read_tensors(struct tar *t)
{
	int64_t n;
	if (!next_count(t, &t->tensors, &n))
		return false;
	for (int64_t i = 0; i < n; i++)
		if (!read_tensor(t))
			return false;
	return true;
}

/* A key of a tensor or storage; (class, file, source) for a module. */
static bool persistent(struct torch_pickle *pickle, struct datum id, struct datum *out)
{
	struct tar *t = pickle->owner;
	const char *key = torch_key(pickle, id);
	if (datum_is_seq(id) && id.u.seq->n > 0)
		return *out = id.u.seq->items[0], true;
	struct value *v = key ? map_get(&t->values, key) : NULL;
	if (v)
		*out = datum_pointer(D_TENSOR, v);
	return true;             /* storages stay what they are: named */
}

int torch_tar_bid(const struct load_file *f)
{
	static const char *const names[] = { "sys_info", "pickle", "tensors", "storages" };
	for (size_t i = 0; f->len >= TAR_BLOCK && is_header(f, 0) && i < sizeof names / sizeof *names; i++)
		if (strncmp(f->data, names[i], 100) == 0)
			return 90;
	return 0;
}

bool torch_tar_load(const struct load_file *f, struct model *m, nns_error *err)
{
	struct tar t = { .pickle = { .arena = m->arena, .err = err }, .storages.name = "storages", .tensors.name = "tensors", .object.name = "pickle" };
	struct datum object;
	bool ok = find_parts(&t, f) && read_storages(&t) && read_views(&t) && read_tensors(&t);
	t.pickle.persistent = persistent;
	t.pickle.owner = &t;
	m->origin = "torch.save() before 0.1.10";
	return (ok && next_pickle(&t, &t.object, &object) && torch_pickle_finish(&t.pickle) && checkpoint_model(m, object, err)) || fail_within(err, "%s: ", f->path);
}
