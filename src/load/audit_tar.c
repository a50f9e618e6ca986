/* Entries of tar archives, those of the first PyTorch's files above all. */
#include <string.h>

#include "load/audit.h"
#include "load/tar.h"

bool audit_is_tar(const unsigned char *data, size_t len)
{
	return tar_is_header(data, len);
}

/* Entries of the first PyTorch's files; the rest is what its content is. */
static bool scan_content(struct audit *a, const char *name, const char *full, const unsigned char *data, size_t len)
{
	static const struct { const char *name; enum audit_pickles kind; } rows[] = {
		{ "pickle", AUDIT_SURE }, { "sys_info", AUDIT_SURE }, { "storages", AUDIT_STORAGES }, { "tensors", AUDIT_TENSORS } };
	const char *last = strrchr(name, '/') ? strrchr(name, '/') + 1 : name;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
		if (strcmp(last, rows[i].name) == 0)
			return audit_pickles(a, full, data, len, 0, rows[i].kind);
	return audit_look(a, full, 0, data, len, AUDIT_ENTRY);
}

static bool scan_header(struct audit *a, const char *name, const char *full, unsigned char type, size_t at)
{
	if (audit_leaves_folder(name) && !audit_add(a, AUDIT_DANGER, "tar-path", full, at, "its name leaves the folder", "unpacking writes outside"))
		return false;
	return (type != '1' && type != '2') || audit_add(a, AUDIT_REVIEW, "tar-link", full, at, "is a link", "unpacking may write outside");
}

/* Blocks of zeros end an archive; what is no header and not zero was put there. */
static bool scan_rest(struct audit *a, const char *within, size_t at, const unsigned char *data, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (data[i])
			return audit_add(a, AUDIT_REVIEW, "data-after-end", within, at + i / TAR_BLOCK * TAR_BLOCK,
			                 arena_printf(a->arena, "%zu bytes follow the last entry", len - i / TAR_BLOCK * TAR_BLOCK),
			                 "something is hidden there") && audit_look(a, within, at + i / TAR_BLOCK * TAR_BLOCK, data + i / TAR_BLOCK * TAR_BLOCK,
			                                                            len - i / TAR_BLOCK * TAR_BLOCK, AUDIT_HIDDEN);
	return true;
}

static bool scan_entry(struct audit *a, const char *within, const unsigned char *data, size_t len, size_t *at, struct arena *scratch)
{
	const char *name = arena_strndup(scratch, (const char *)data + *at, strnlen((const char *)data + *at, TAR_NAME_LEN));
	const char *full = name ? audit_name(scratch, within, name) : NULL;
	size_t size = tar_size(data + *at), from = *at + TAR_BLOCK, room = len - from;
	if (!full || !scan_header(a, name, full, data[*at + TAR_TYPE_AT], *at))
		return false;
	if (size > room) {
		*at = len;
		return audit_add(a, AUDIT_REVIEW, "damaged", full, from - TAR_BLOCK, "reaches beyond the end of the file", "it was looked at up to there")
		    && scan_content(a, name, full, data + from, room);
	}
	*at = tar_next(from, size, len);
	return size == 0 || scan_content(a, name, full, data + from, size);
}

bool audit_tar(struct audit *a, const char *within, size_t base, const unsigned char *data, size_t len)
{
	struct arena *scratch = arena_new(NULL, NULL);
	bool ok = scratch != NULL;
	size_t at = 0;
	while (ok && at < len && audit_is_tar(data + at, len - at)) {
		arena_clear(scratch);
		ok = scan_entry(a, within, data, len, &at, scratch);
	}
	arena_free(scratch);
	return ok && (at >= len || scan_rest(a, within, base + at, data + at, len - at));
}
