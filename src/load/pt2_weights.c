/*
 * Where the tensors of an exported program are: files of the archive, which a config describes, or dicts of torch.save.
 */
#include <string.h>

#include "load/pt2.h"
#include "load/torch_pickle.h"

struct pt2_weight *pt2_weight(struct pt2 *p, struct pt2_state *s, const char *name)
{
	struct pt2_weight *known = map_get_next(&s->by_name, name, &s->next_name);
	if (known)
		return known;
	struct pt2_weight *new = arena_alloc(p->json, sizeof *new);
	char *copy = new ? arena_strdup(p->model->arena, name) : NULL;
	if (!copy || !map_put(&s->by_name, p->json, copy, new))
		return fail_memory(p->err), NULL;
	new->name = copy;
	return new;
}

/* The tensor that a file of weights tells of; NULL: nobody asks for it, or another has told it. */
static bool wanted_weight(struct pt2 *p, struct pt2_state *s, const struct pt2_weights *w, const char *name, struct pt2_weight **out)
{
	bool all = w == &s->weights;
	*out = all ? pt2_weight(p, s, name) : map_get_next(&s->by_name, name, &s->next_name);
	if (!*out)
		return !all;
	if ((*out)->value)
		*out = NULL;
	else
		(*out)->in_state_dict = all;
	return true;
}

struct value *pt2_untold_tensor(struct pt2 *p, const struct pt2_weight *w)
{
	const struct value *meta = w->meta;
	if (!meta)
		return fail(p->err, NNS_FORMAT, "%s: nothing tells the shape of %s", p->where, w->name), NULL;
	struct value *v = value_new(p->model->arena, meta->dtype, meta->ndim, meta->size);
	if (!v)
		return fail_memory(p->err), NULL;
	v->requires_grad = meta->requires_grad;
	return v;
}

/* ---- Dicts by torch.save ---- */

/* What torch.save wrote into an entry. */
static bool read_pickle(struct pt2 *p, struct archive *a, const struct archive_entry *e, struct datum *out)
{
	const unsigned char *bytes;
	size_t len;
	struct torch_pickle t = { .arena = p->model->arena, .err = p->err };
	if (!archive_bytes(a, e, SIZE_MAX, &bytes, &len, p->err))
		return false;
	return torch_saved_object(&t, bytes, len, out) || fail_within(p->err, "%s: byte %llu: ", e->name, (unsigned long long)e->offset);
}

static bool read_pickled(struct pt2 *p, struct pt2_state *s, struct pt2_weights *w)
{
	struct datum all;
	if (!read_pickle(p, s->archive, w->entry, &all))
		return false;
	for (size_t i = 0; all.kind == D_DICT && i < all.u.dict->n; i++) {
		struct datum key = all.u.dict->keys[i], v = all.u.dict->values[i];
		struct pt2_weight *weight = NULL;
		if (key.kind == D_STR && v.kind == D_TENSOR && !wanted_weight(p, s, w, key.u.s, &weight))
			return false;
		if (!weight)
			continue;
		weight->value = v.u.p;
		weight->is_parameter = weight->value->is_parameter;
	}
	return true;
}

/* ---- A config and files ---- */

/* folder and name of an entry; NULL in *out when there is none. */
static bool find_entry(struct pt2 *p, struct pt2_state *s, const struct pt2_weights *w, const char *name, const struct archive_entry **out)
{
	char room[256];
	size_t n = strlen(w->folder), m = strlen(name);
	char *path = n + m < sizeof room ? room : arena_alloc(p->model->arena, n + m + 1);
	if (!path)
		return fail_memory(p->err);
	memcpy(path, w->folder, n);
	memcpy(path + n, name, m + 1);
	*out = archive_find_next(s->archive, path, &s->next_entry);
	return true;
}

/* Where the bytes are; none is no error. */
static bool find_bytes(struct pt2 *p, struct pt2_state *s, const struct archive_entry *e, bool pickled, struct value *v)
{
	struct datum d;
	if (!e || !pickled)
		return !e || archive_bytes(s->archive, e, SIZE_MAX, &v->storage, &v->storage_bytes, p->err);
	if (!read_pickle(p, s->archive, e, &d))
		return false;
	if (d.kind == D_TENSOR && ((struct value *)d.u.p)->ndim >= 0)
		*v = *(struct value *)d.u.p;
	return true;
}

/* meta, which is what the graph says of the tensor, when it is of that layout, so that there is one of them; or NULL or a new one. */
static struct value *tensor_of(struct pt2 *p, const struct tensor_meta *m, struct value *meta)
{
	return meta && pt2_has_layout(meta, m) ? meta : pt2_value_of(p, m);
}

/* The tensor of that layout in a file that has another first, or that is missing. */
static struct value *other_layout(struct pt2 *p, struct pt2_state *s, const char *file, const struct tensor_meta *m, struct value *meta)
{
	struct text key;
	text_init(&key);
	text_addf(&key, "%s %d %lld", file, (int)m->dtype, (long long)m->offset);
	for (int i = 0; i < m->ndim; i++)
		text_addf(&key, " %lld,%lld", (long long)m->size[i], (long long)m->stride[i]);
	char *copy = key.failed ? NULL : arena_strdup(p->json, key.data);
	text_release(&key);
	struct value *found = copy ? map_get(&s->by_layout, copy) : NULL, *v = copy && !found ? tensor_of(p, m, meta) : found;
	if (!v || (!found && !map_put(&s->by_layout, p->json, copy, v)))
		return fail_memory(p->err), NULL;
	return v;
}

/* Two names for one file with one layout are one tensor. */
static struct value *tied_tensor(struct pt2 *p, struct pt2_state *s, const struct archive_entry *e, const char *file, const struct tensor_meta *m,
                                 struct value *meta)
{
	struct value **first = e ? &s->by_entry[e->index] : NULL;
	if (first && !*first)
		return *first = tensor_of(p, m, meta);
	return first && pt2_has_layout(*first, m) ? *first : other_layout(p, s, file, m, meta);
}

static bool read_config_entry(struct pt2 *p, struct pt2_state *s, struct pt2_weights *w, const cJSON *entry)
{
	struct pt2_weight *weight;
	const cJSON *described = cJSON_GetObjectItemCaseSensitive(entry, "tensor_meta"), *file = cJSON_GetObjectItemCaseSensitive(entry, "path_name");
	const char *path = cJSON_IsString(file) ? file->valuestring : NULL;
	const struct archive_entry *e = NULL;
	struct tensor_meta m = { .known = false };
	if (!wanted_weight(p, s, w, entry->string, &weight))
		return false;
	if (!weight)
		return true;
	weight->is_parameter = cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(entry, "is_param"));
	if (cJSON_IsObject(described) && !pt2_read_meta(p, described, &m))
		return fail_within(p->err, "%s: ", weight->name);
	if (path && !find_entry(p, s, w, path, &e))
		return false;
	if (m.known)
		weight->value = path && w == &s->weights ? tied_tensor(p, s, e, path, &m, weight->meta) : tensor_of(p, &m, weight->meta);
	else
		weight->value = pt2_untold_tensor(p, weight);
	return weight->value && find_bytes(p, s, e, cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(entry, "use_pickle")), weight->value);
}

static bool read_config(struct pt2 *p, struct pt2_state *s, struct pt2_weights *w)
{
	const cJSON *json = pt2_read_json(p, s->archive, w->entry), *entry;
	struct json_members all = json_members(cJSON_GetObjectItemCaseSensitive(json, "config"));
	if (!json)
		return false;
	do
		if (!json_next(&all, p->one, NULL, &entry, p->err))
			return fail_within(p->err, "%s: ", w->entry->name);
	while (entry && (!entry->string || read_config_entry(p, s, w, entry)));
	return !entry;
}

static bool read_weights(struct pt2 *p, struct pt2_state *s, struct pt2_weights *w)
{
	if (!w->entry || w->entry->size == 0)    /* 2.2 wrote nothing when there was nothing */
		return true;
	return w->folder ? read_config(p, s, w) : read_pickled(p, s, w);
}

bool pt2_read_weights(struct pt2 *p, struct pt2_state *s)
{
	s->next_name = 0;
	s->by_entry = arena_array(p->json, archive_count(s->archive) + 1, sizeof *s->by_entry);
	return (s->by_entry || fail_memory(p->err)) && read_weights(p, s, &s->weights) && read_weights(p, s, &s->constants);
}
