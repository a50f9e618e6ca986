/* nns_audit(): findings as text, JSON or SARIF. */
#include <string.h>

#include "api/api.h"
#include "load/audit.h"

static const char *const levels[] = { "note", "review", "danger" };

static bool is_dangerous(const struct audit *a)
{
	for (size_t i = 0; i < a->n; i++)
		if (a->all[i].level == AUDIT_DANGER)
			return true;
	return false;
}

static void file_text(struct text *t, const char *path, const struct audit *a)
{
	text_addf(t, "%s: %s\n", path, is_dangerous(a) ? "dangerous" : a->n ? "to be reviewed" : "nothing found");
	for (size_t i = 0; i < a->n; i++) {
		const struct audit_finding *f = &a->all[i];
		text_addf(t, "  %-6s  %s%sbyte %zu: %s%s%s\n", levels[f->level], f->entry, *f->entry ? ", " : "", f->at, f->what, *f->why ? "\n          " : "", f->why);
	}
	if (a->dropped)
		text_addf(t, "  and %zu more\n", a->dropped);
}

static void file_json(struct text *t, const char *path, const struct audit *a)
{
	text_add(t, "  {\"file\": ");
	text_add_json(t, path);
	text_addf(t, ", \"dangerous\": %s, \"findings\": [", is_dangerous(a) ? "true" : "false");
	for (size_t i = 0; i < a->n; i++) {
		const struct audit_finding *f = &a->all[i];
		text_addf(t, "%s\n    {\"level\": \"%s\", \"rule\": \"%s\", \"entry\": ", i ? "," : "", levels[f->level], f->rule);
		text_add_json(t, f->entry);
		text_addf(t, ", \"byte\": %zu, \"what\": ", f->at);
		text_add_json(t, f->what);
		text_add(t, ", \"why\": ");
		text_add_json(t, f->why);
		text_addc(t, '}');
	}
	text_addf(t, "%s], \"dropped\": %zu}", a->n ? "\n  " : "", a->dropped);
}

/* RFC 3986: what is not unreserved or a slash is written as %XX. */
static void add_uri(struct text *t, const char *path)
{
	text_addc(t, '"');
	for (; *path; path++) {
		bool plain = (*path >= 'a' && *path <= 'z') || (*path >= 'A' && *path <= 'Z') || (*path >= '0' && *path <= '9') || strchr("-._~/", *path);
		if (plain)
			text_addc(t, *path);
		else
			text_addf(t, "%%%02X", (unsigned char)*path);
	}
	text_addc(t, '"');
}

/* SARIF 2.1.0: https://docs.oasis-open.org/sarif/sarif/v2.1.0 */
static void file_sarif(struct text *t, const char *path, const struct audit *a, bool *first)
{
	static const char *const sarif_levels[] = { "note", "warning", "error" };
	for (size_t i = 0; i < a->n; i++) {
		const struct audit_finding *f = &a->all[i];
		struct text message;
		text_init(&message);
		text_addf(&message, "%s%s%s%s%s", f->entry, *f->entry ? ": " : "", f->what, *f->why ? ": " : "", f->why);
		text_addf(t, "%s\n      {\"ruleId\": \"%s\", \"level\": \"%s\", \"message\": {\"text\": ", *first ? "" : ",", f->rule, sarif_levels[f->level]);
		text_add_json(t, message.data ? message.data : "");
		text_add(t, "}, \"locations\": [{\"physicalLocation\": {\"artifactLocation\": {\"uri\": ");
		add_uri(t, path);
		text_addf(t, "}, \"region\": {\"byteOffset\": %zu}}}]}", f->at);
		text_release(&message);
		*first = false;
	}
}

static bool audit_one(const char *path, const char *format, bool *first, bool *dangerous, struct text *out, nns_error *err)
{
	struct audit a = { .arena = arena_new(NULL, err) };
	if (!a.arena)
		return false;
	bool ok = audit_file(&a, path, err);
	if (ok && strcmp(format, "sarif") == 0)
		file_sarif(out, path, &a, first);
	else if (ok && strcmp(format, "json") == 0) {
		text_add(out, *first ? "" : ",\n");
		*first = false;
		file_json(out, path, &a);
	} else if (ok)
		file_text(out, path, &a);
	*dangerous = *dangerous || (ok && is_dangerous(&a));
	arena_free(a.arena);
	return ok;
}

char *nns_audit(const char *const *paths, size_t n, const char *format, void (*unread)(void *data, const nns_error *why), void *data, bool *dangerous,
                nns_error *err)
{
	struct text out;
	bool first = true, ok = true;
	format = format ? format : "table";
	*dangerous = false;
	if (strcmp(format, "table") != 0 && strcmp(format, "json") != 0 && strcmp(format, "sarif") != 0)
		return fail(err, NNS_USAGE, "audit writes table, json or sarif, not '%s'", format), NULL;
	text_init(&out);
	if (strcmp(format, "json") == 0)
		text_add(&out, "[\n");
	if (strcmp(format, "sarif") == 0)
		text_add(&out, "{\n  \"$schema\": \"https://json.schemastore.org/sarif-2.1.0.json\",\n  \"version\": \"2.1.0\",\n"
		               "  \"runs\": [{\n    \"tool\": {\"driver\": {\"name\": \"nnscope\", \"version\": \"" PACKAGE_VERSION "\"}},\n    \"results\": [");
	for (size_t i = 0; ok && i < n; i++) {
		nns_error why = { 0 };
		ok = audit_one(paths[i], format, &first, dangerous, &out, &why);
		if (!ok && unread && why.code != NNS_MEMORY) {
			unread(data, &why);
			ok = true;
		} else if (!ok) {
			fail(err, why.code, "%s", why.message);
		}
	}
	if (strcmp(format, "json") == 0)
		text_add(&out, "\n]\n");
	if (strcmp(format, "sarif") == 0)
		text_add(&out, "\n    ]\n  }]\n}\n");
	return api_take_text(&out, ok, err);
}
