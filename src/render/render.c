/* Pictures through libgvc: the only file that includes its header. */
#include "render/render.h"

#include <ctype.h>
#include <graphviz/cgraph.h>
#include <graphviz/gvc.h>
#include <pthread.h>
#include <string.h>

const char *const render_formats[] = { "pdf", "svg", "png", "dot", "gv", NULL };

static bool same_word(const char *a, const char *b)
{
	for (; *a && tolower((unsigned char)*a) == tolower((unsigned char)*b); a++, b++)
		;
	return !*a && !*b;
}

static const char *format_find(const char *name)
{
	for (size_t i = 0; render_formats[i]; i++)
		if (same_word(render_formats[i], name))
			return render_formats[i];
	return NULL;
}

const char *render_format_of(const char *path)
{
	const char *slash = strrchr(path, '/'), *dot = strrchr(slash ? slash : path, '.');
	return dot ? format_find(dot + 1) : NULL;
}

/* ---- What Graphviz complains about ---- */

static char complaint[300];          /* of the drawing at work */

static int keep_complaint(char *message)
{
	if (!complaint[0] && message[strspn(message, " \n")])
		strncat(complaint, message, sizeof complaint - 1);
	return 0;
}

static bool fail_graphviz(const char *what, nns_error *err)
{
	complaint[strcspn(complaint, "\n")] = 0;
	return fail(err, NNS_UNSUPPORTED, "Graphviz could not %s%s%s", what, complaint[0] ? ": " : "", complaint);
}

/* ---- The same bytes every time ---- */

/* cairo writes when a PDF was made: "/CreationDate (D:20261124...". */
static void forget_date(char *data, size_t len)
{
	static const char key[] = "/CreationDate (D:";
	size_t n = sizeof key - 1;
	for (size_t i = 0; i + n < len; i++) {
		if (data[i] != '/' || memcmp(data + i, key, n) != 0)
			continue;
		const char *date = "19700101000000";
		for (i += n; i < len && isdigit((unsigned char)data[i]) && *date; i++)
			data[i] = *date++;
	}
}

/*
 * A graph without a name is called by a number, which counts those of the process; SVG says it in a comment and in the first
 * title.  It gets that of the first: "%3".
 */
static void add_svg(struct text *out, const char *data, size_t len, const char *name)
{
	const char *end = data + len, *at = data;
	for (int i = 0; i < 2 && (at = strstr(at, i ? "<title>" : "<!-- Title: ")); i++) {
		at += i ? 7 : 12;
		if (strncmp(at, name, strlen(name)) != 0)
			break;
		text_addn(out, data, (size_t)(at - data));
		text_add(out, "%3");
		data = at += strlen(name);
	}
	text_addn(out, data, (size_t)(end - data));
}

static bool draw(GVC_t *gvc, Agraph_t *g, const char *format, struct text *out, nns_error *err)
{
	char *data = NULL;
	unsigned len = 0;
	if (gvLayout(gvc, g, "dot") != 0)
		return fail_graphviz("lay the graph out", err);
	bool ok = gvRenderData(gvc, g, format, &data, &len) == 0 && data;
	if (ok) {
		if (strcmp(format, "pdf") == 0)
			forget_date(data, len);
		if (strcmp(format, "svg") == 0)
			add_svg(out, data, len, agnameof(g));
		else
			text_addn(out, data, len);
	}
	gvFreeRenderData(data);
	gvFreeLayout(gvc, g);
	return ok ? !out->failed || fail_memory(err) : fail_graphviz("write the picture", err);
}

/*
 * gvc is made once and kept: the plugin that measures texts remembers the font of the last one, which would go with the
 * context and be read by the next drawing.
 */
static bool draw_alone(const char *dot, const char *format, struct text *out, nns_error *err)
{
	static GVC_t *gvc;
	complaint[0] = 0;
	agseterr(AGWARN);
	agusererrf before = agseterrf(keep_complaint);
	gvc = gvc ? gvc : gvContext();
	Agraph_t *g = gvc ? agmemread(dot) : NULL;
	bool ok = g ? draw(gvc, g, format, out, err) : gvc ? fail_graphviz("read the graph", err) : fail_memory(err);
	if (g)
		agclose(g);
	agseterrf(before);
	return ok;
}

/* libcgraph's parser and error function are of the whole process: one picture is drawn at a time. */
bool render_picture(const char *dot, const char *format, struct text *out, nns_error *err)
{
	static pthread_mutex_t one = PTHREAD_MUTEX_INITIALIZER;
	pthread_mutex_lock(&one);
	bool ok = draw_alone(dot, format, out, err);
	pthread_mutex_unlock(&one);
	return ok;
}

bool render_is_text(const char *format)
{
	return strcmp(format, "dot") == 0 || strcmp(format, "gv") == 0;
}

const char *render_known(const char *format, nns_error *err)
{
	const char *known = format_find(format);
	if (!known)
		fail(err, NNS_USAGE, "unknown picture format '%s'; pdf, svg, png, dot and gv are known", format);
	return known;
}

bool render(const struct drawing *d, const char *format, struct text *out, nns_error *err)
{
	const char *known = render_known(format, err);
	struct text dot;
	if (!known)
		return false;
	if (render_is_text(known))
		return render_dot(d, out, err);
	text_init(&dot);
	bool ok = render_dot(d, &dot, err) && render_picture(dot.data, known, out, err);
	text_release(&dot);
	return ok;
}
