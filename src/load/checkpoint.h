/* From what was unpickled to a model: state dicts, checkpoints that nest them, whole modules, TorchScript's objects. */
#ifndef LOAD_CHECKPOINT_H
#define LOAD_CHECKPOINT_H

#include "load/pickle.h"
#include "load/state.h"

bool checkpoint_model(struct model *m, struct datum object, nns_error *err);

#endif
