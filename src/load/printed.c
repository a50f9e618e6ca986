/*
 * The text that print(model) wrote:
 *
 *     ResNet(
 *       (conv1): Conv2d(3, 64, kernel_size=(7, 7), bias=False)
 *       (layer1): Sequential(
 *         (0): BasicBlock(
 *           ...
 *         )
 *       )
 *     )
 *
 * Indentation is not needed: a line that opens a module ends with its bracket
 * and a line of one closing bracket ends it.  What stands in between and is no
 * child is what the module says of itself.
 */
#include <ctype.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "load/format.h"
#include "load/printed.h"

enum { MAX_TREE_DEPTH = 200, MAX_REPEATS = 1000000, MAX_OWN_LINES = 8 };

struct line {
	const char *s;          /* without blanks at both ends */
	size_t n, indent;       /* blanks before it */
	const char *at;         /* in the file */
};

struct tree {
	const struct load_file *file;
	struct model *model;
	struct line *lines; size_t n, at;
	int depth;
	nns_error *err;
};

/* ---- Lines ---- */

static const char no_break[] = "\xc2\xa0";     /* U+00A0, which pages put in place of blanks */

/* The bytes of the blank at the start of s, and at the end of it; 0: there is none. */
static size_t blank_at(const char *s, size_t n)
{
	return n >= 2 && memcmp(s, no_break, 2) == 0 ? 2 : n && (*s == ' ' || *s == '\t' || *s == '\r');
}

static size_t blank_before(const char *s, size_t n)
{
	return n >= 2 && memcmp(s + n - 2, no_break, 2) == 0 ? 2 : n && (s[n - 1] == ' ' || s[n - 1] == '\t' || s[n - 1] == '\r');
}

static struct line trimmed(const char *s, size_t n)
{
	size_t width, indent = 0;
	for (; (width = blank_at(s, n)); indent++) {
		s += width;
		n -= width;
	}
	while ((width = blank_before(s, n)))
		n -= width;
	return (struct line){ s, n, indent, s };
}

static struct line line_at(const char *data, size_t len, size_t *at)
{
	const char *end = memchr(data + *at, '\n', len - *at);
	size_t n = end ? (size_t)(end - data) - *at : len - *at;
	struct line l = trimmed(data + *at, n);
	*at += n + 1;
	return l;
}

static bool is_name_char(char c)
{
	return isalnum((unsigned char)c) || c == '_' || c == '.';
}

/* Where the class name starts that ends right before position n; n when there is none. */
static size_t name_before(struct line l, size_t n)
{
	size_t i = n;
	while (i > 0 && is_name_char(l.s[i - 1]))
		i--;
	return i < n && (isalpha((unsigned char)l.s[i]) || l.s[i] == '_') ? i : n;
}

/* "(name): " : the length of it, 0 when the line is no child. */
static size_t child_prefix(struct line l)
{
	const char *close;
	if (l.n < 4 || l.s[0] != '(')
		return 0;
	close = memchr(l.s, ')', l.n);
	if (!close || close == l.s + 1 || close + 1 >= l.s + l.n || close[1] != ':')
		return 0;
	size_t n = (size_t)(close - l.s) + 2;
	for (size_t width; (width = blank_at(l.s + n, l.n - n)); )
		n += width;
	return n;
}

static bool opens(struct line l)
{
	return l.n > 1 && l.s[l.n - 1] == '(' && name_before(l, l.n - 1) < l.n - 1;
}

static bool closes(struct line l)
{
	return l.n == 1 && l.s[0] == ')';
}

/*
 * Whether a tree starts here: a name and an open bracket, and a child or the end on the next line that is not empty.
 * Before its first child a module may say something of itself, on lines that are indented.
 */
static bool starts_tree(const char *data, size_t len, size_t at, struct line l)
{
	size_t n_own = 0;
	if (!opens(l) || child_prefix(l))
		return false;
	while (at < len && n_own <= MAX_OWN_LINES) {
		struct line next = line_at(data, len, &at);
		if (!next.n)
			continue;
		if (child_prefix(next) || closes(next))
			return n_own == 0 || !closes(next);
		if (next.indent <= l.indent || opens(next))
			return false;
		n_own++;
	}
	return false;
}

/* A whole module on one line: Linear(in_features=10, out_features=2, bias=True) */
static bool is_single(struct line l)
{
	size_t i = 0;
	while (i < l.n && is_name_char(l.s[i]))
		i++;
	return i > 0 && i < l.n && isupper((unsigned char)l.s[0]) && l.s[i] == '(' && l.s[l.n - 1] == ')';
}

static bool find_tree(const char *data, size_t len, size_t *start)
{
	for (size_t at = 0; at < len; ) {
		size_t here = at;
		struct line l = line_at(data, len, &at);
		if (starts_tree(data, len, at, l))
			return *start = here, true;
	}
	for (size_t at = 0; at < len; ) {
		size_t here = at;
		if (is_single(line_at(data, len, &at)))
			return *start = here, true;
	}
	return false;
}

int printed_bid(const struct load_file *f)
{
	size_t start;
	if (memchr(f->data, 0, f->len))
		return 0;
	return find_tree(f->data, f->len, &start) ? 70 : 0;
}

/* ---- Modules ---- */

static bool fail_line(struct tree *t, const char *what)
{
	size_t i = t->at < t->n ? t->at : t->n - 1, line = 1;
	for (const char *p = t->file->data; p < t->lines[i].at; p++)
		line += *p == '\n';
	return fail(t->err, NNS_FORMAT, "%s:%zu: %s", t->file->path, line, what);
}

static struct module *parse_module(struct tree *t, struct line head);

/* "0-2" and "3 x Linear(...)": one name and copy for each. */
static bool add_repeated(struct tree *t, struct module *parent, struct line name, struct line head, size_t prefix, long count)
{
	struct line rest = { .s = head.s + prefix, .n = head.n - prefix };
	char *dash, *end;
	long first = strtol(name.s, &dash, 10), last = *dash == '-' ? strtol(dash + 1, &end, 10) : -1;
	size_t at = t->at;
	if (rest.n == 0)
		return fail_line(t, "no module stands after the 'x'");
	if (first < 0 || last < first || *end || last >= INT_MAX || count != last - first + 1)
		return fail_line(t, "the range of names and the number of repeats do not agree");
	if (count > MAX_REPEATS)
		return fail_line(t, "too many repeats");
	for (long i = 0; i < count; i++) {
		t->at = at;
		struct module *m = parse_module(t, rest);
		char *key = m ? arena_printf(t->model->arena, "%ld", first + i) : NULL;
		if (!m)
			return false;
		if (!key || !module_set_child(t->model->arena, parent, key, m))
			return fail_memory(t->err);
	}
	return true;
}

static bool add_child(struct tree *t, struct module *parent, struct line l)
{
	size_t prefix = child_prefix(l), name_n = (size_t)((const char *)memchr(l.s, ')', l.n) - l.s) - 1;
	struct line rest = { .s = l.s + prefix, .n = l.n - prefix };
	char *name = arena_strndup(t->model->arena, l.s + 1, name_n), *end = NULL;
	if (!name)
		return fail_memory(t->err);
	long count = rest.n && isdigit((unsigned char)*rest.s) ? strtol(rest.s, &end, 10) : 0;
	if (count > 0 && end && rest.n >= (size_t)(end + 3 - rest.s) && strncmp(end, " x ", 3) == 0 && strchr(name, '-'))
		return add_repeated(t, parent, (struct line){ .s = name, .n = name_n }, rest, (size_t)(end + 3 - rest.s), count);
	if (rest.n == 4 && memcmp(rest.s, "None", 4) == 0)
		return t->at++, module_set_child(t->model->arena, parent, name, NULL) || fail_memory(t->err);
	struct module *m = parse_module(t, rest);
	return m && (module_set_child(t->model->arena, parent, name, m) || fail_memory(t->err));
}

/* "(0): Parameter containing: [torch.FloatTensor of size 3]" is a line of a ParameterList, not a module. */
static bool is_tensor_line(struct line l, size_t prefix)
{
	static const char *const words[] = { "Parameter containing", "Buffer containing", "Object of type" };
	for (size_t i = 0; i < sizeof words / sizeof *words; i++)
		if (l.n - prefix > strlen(words[i]) && memcmp(l.s + prefix, words[i], strlen(words[i])) == 0)
			return true;
	return false;
}

/* Whether the lines from a and from b, up to end, say the same but for the names at their start. */
static bool same_lines(const struct tree *t, size_t a, size_t b, size_t end)
{
	if (b - a != end - b)
		return false;
	for (size_t i = 0; i < end - b; i++) {
		struct line x = t->lines[a + i], y = t->lines[b + i];
		size_t px = i ? 0 : child_prefix(x), py = i ? 0 : child_prefix(y);
		if (x.n - px != y.n - py || memcmp(x.s + px, y.s + py, x.n - px) != 0)
			return false;
	}
	return true;
}

/* Children and other lines, up to the closing bracket.  A list that repeats itself was printed before lists were folded. */
static bool parse_inside(struct tree *t, size_t indent, bool is_list, struct module *holder, struct text *own)
{
	size_t before = 0, here = 0;
	for (;;) {
		if (t->at >= t->n)
			return fail_line(t, "the printed tree ends before its brackets are closed");
		struct line l = t->lines[t->at];
		size_t prefix = child_prefix(l);
		if (closes(l)) {
			t->at++;
			return true;
		}
		if (prefix && !is_tensor_line(l, prefix)) {
			before = here;
			here = t->at;
			if (!add_child(t, holder, l))
				return false;
			if (is_list && before && same_lines(t, before, here, t->at))
				t->model->unfolded = true;
			continue;
		}
		if (l.n) {
			text_add(own, own->len ? "\n" : "");
			text_fill(own, ' ', l.indent > indent + 2 ? l.indent - indent - 2 : 0);
			text_addn(own, l.s, l.n);
		}
		t->at++;
	}
}

/* head is the class and what follows; t->at is the line it stands on. */
static struct module *parse_module(struct tree *t, struct line head)
{
	size_t i = 0;
	struct text own;
	struct module holder = { 0 }, *m = NULL;
	while (i < head.n && head.s[i] != '(')
		i++;
	char *class = arena_strndup(t->model->arena, head.s, i);
	if (!class)
		return fail_memory(t->err), NULL;
	if (i == head.n || i == 0)
		return fail_line(t, "expected a module such as Linear(...)"), NULL;
	if (++t->depth > MAX_TREE_DEPTH)
		return fail_line(t, "modules are nested too deeply"), NULL;
	text_init(&own);
	size_t indent = t->lines[t->at++].indent;
	bool ok = true;
	if (i + 1 == head.n)
		ok = parse_inside(t, indent, strcmp(class, "ModuleList") == 0, &holder, &own);
	else
		text_addn(&own, head.s + i + 1, head.n - i - 1 - (head.s[head.n - 1] == ')'));
	if (ok && own.failed)
		ok = fail_memory(t->err);
	if (ok)
		m = printed_module(t->model, class, own.data ? own.data : "", own.len, &holder, t->err);
	text_release(&own);
	t->depth--;
	return m;
}

/* ---- The file ---- */

/* The line in plain blanks. */
static bool plain_blanks(struct tree *t, struct line *l)
{
	struct text s;
	bool any = false;
	for (size_t i = 0; !any && i + 1 < l->n; i++)
		any = memcmp(l->s + i, no_break, 2) == 0;
	if (!any)
		return true;
	text_init(&s);
	for (size_t i = 0; i < l->n; i++) {
		bool one = i + 1 < l->n && memcmp(l->s + i, no_break, 2) == 0;
		text_addc(&s, one ? ' ' : l->s[i]);
		i += one;
	}
	l->n = s.len;
	l->s = s.failed ? NULL : arena_strndup(t->model->arena, s.data, s.len);
	text_release(&s);
	return l->s || fail_memory(t->err);
}

static bool read_lines(struct tree *t, size_t start)
{
	size_t cap = 0;
	for (size_t at = start; at < t->file->len; ) {
		struct line *lines = arena_grow(t->model->arena, t->lines, t->n, &cap, sizeof *lines);
		if (!lines)
			return fail_memory(t->err);
		t->lines = lines;
		lines[t->n] = line_at(t->file->data, t->file->len, &at);
		if (!plain_blanks(t, &lines[t->n++]))
			return false;
	}
	return true;
}

static bool only_blanks(const char *s, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (!isspace((unsigned char)s[i]))
			return false;
	return true;
}

static bool note_other_text(struct tree *t, size_t start)
{
	bool other = !only_blanks(t->file->data, start);
	for (size_t i = t->at; i < t->n && !other; i++)
		other = t->lines[i].n > 0;
	if (!other)
		return true;
	size_t line = 1;
	for (size_t i = 0; i < start; i++)
		line += t->file->data[i] == '\n';
	t->model->note = arena_printf(t->model->arena, "%s: the tree that starts on line %zu is read; the other text is not", t->file->path, line);
	return t->model->note || fail_memory(t->err);
}

bool printed_load(const struct load_file *f, struct model *m, nns_error *err)
{
	struct tree t = { .file = f, .model = m, .err = err };
	size_t start = 0;
	if (!find_tree(f->data, f->len, &start) || !read_lines(&t, start))
		return false;
	struct line head = t.lines[0];
	if (opens(head))
		head = (struct line){ .s = head.s + name_before(head, head.n - 1), .n = head.n - name_before(head, head.n - 1) };
	m->root = parse_module(&t, head);
	return m->root && note_other_text(&t, start);
}
