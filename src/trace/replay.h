/* Replaying the program that a file holds (ir/program.h) through the op table. */
#ifndef TRACE_REPLAY_H
#define TRACE_REPLAY_H

#include "ir/module.h"
#include "base/error.h"

/* Records m's program into g, whose inputs are chosen; sets g->output. */
bool replay(struct model *m, struct graph *g, nns_error *err);

#endif
