#include "ir/program.h"

#include "lang/lang.h"

const char program_reference[] = "reference", program_graph[] = "graph", program_opaque[] = "opaque";

int program_index(struct datum d)
{
	const struct host_object *o = d.kind == D_HOST ? d.u.p : NULL;
	return o && o->kind == program_reference ? (int)(intptr_t)o->data - 1 : -1;
}

struct program *program_body(struct datum d)
{
	const struct host_object *o = d.kind == D_HOST ? d.u.p : NULL;
	return o && o->kind == program_graph ? (struct program *)o->data : NULL;
}
