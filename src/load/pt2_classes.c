/*
 * A .pt2 names the classes of its modules and not how they were constructed.
 * Where one operator tells that, the module is constructed again from the
 * operator's arguments, so that it prints as it did.
 */
#include "load/class_rows.h"
#include "load/pt2.h"

/* A tensor argument stands for its shape. */
static struct datum known(const struct program *g, struct datum d)
{
	int i = program_index(d);
	if (i < 0)
		return d;
	return g->values[i].meta ? datum_pointer(D_TENSOR, g->values[i].meta) : datum_none();
}

static bool construct(struct pt2 *p, const struct program *g, const struct program_node *n, struct module *m, const struct class_row *row)
{
	struct scope given = { 0 };
	for (size_t i = 0; i < n->n_args; i++)
		if (n->names[i] && !scope_set(p->model->arena, &given, n->names[i], known(g, n->args[i])))
			return fail_memory(p->err);
	return class_row_construct(runtime_of_model(p->model), row, &given, m, p->err);
}

bool pt2_construct_classes(struct pt2 *p, const struct program *g)
{
	for (size_t i = 0; i < g->n_nodes; i++) {
		const struct program_node *n = &g->nodes[i];
		struct module *m = n->n_frames ? n->frames[n->n_frames - 1].module : NULL;
		bool unknown = m && !m->class && m->class_name && m->n_children == 0;
		const struct class_row *row = unknown ? class_row_find(m->class_name, n->target) : NULL;
		if (unknown && !row)
			row = class_row_find_derived(m, n->target);
		if (row && !construct(p, g, n, m, row))
			return false;
	}
	return true;
}
