/* What every module returned, in the order of the calls. */

#include "report/table.h"

static const struct column columns[] = { { "module", false, false, true }, { "class", false, false, false }, { "output", false, false, true } };

static bool add_shape(struct value *v, void *data)
{
	struct text *t = data;
	if (t->len)
		text_addc(t, ',');
	if (v->ndim < 0)
		text_addc(t, '?');
	else
		shape_add_x(t, v);
	return !t->failed;
}

static bool first_shape(struct value *v, void *data)
{
	add_shape(v, data);
	return false;
}

static void add_call(struct table *t, const struct call *c, bool leaf)
{
	struct text shape;
	text_init(&shape);
	datum_each_tensor(c->output, leaf ? first_shape : add_shape, &shape);
	table_cell(t, c->path);
	table_cell(t, c->module->class_name);
	table_cell(t, shape.data ? shape.data : "");
	text_release(&shape);
}

/* The root stands last, as its forward ends last.  A program of a file does not tell which of several tensors a module returned. */
static void add_calls(struct table *t, const struct call *root, bool from_file)
{
	const struct call *c = root;
	while (c) {
		if (c->children) {
			c = c->children;
			continue;
		}
		while (c) {
			bool single = c->output.kind == D_TENSOR || !from_file;
			if ((c->module->n_children == 0 && single) || c == root)
				add_call(t, c, c != root);
			if (c == root)
				return;
			if (c->next) {
				c = c->next;
				break;
			}
			c = c->parent;
		}
	}
}

bool report_shapes(const struct model *m, const struct graph *g, const struct report_options *o, struct text *out, nns_error *err)
{
	struct table t;
	table_init(&t, m->arena, columns, sizeof columns / sizeof *columns);
	if (g->root)
		add_calls(&t, g->root, m->program != NULL);
	return table_write(&t, o, out, err);
}
