/* The model that a TorchScript archive holds: its objects as modules, its code to be traced. */
#ifndef LOAD_SCRIPT_FILE_H
#define LOAD_SCRIPT_FILE_H

#include "load/archive.h"
#include "load/torch_pickle.h"
#include "ir/module.h"
#include "lang/script.h"
#include "nn/nn.h"

/* The folder that a zip entry lies in, and what torch.save and TorchScript keep in it; t's storages get their bytes from `folder`. */
bool torch_give_bytes(struct torch_pickle *t, struct archive *z, const char *top, const char *folder, nns_error *err);

/*
 * Fills m from the object that data.pkl holds, with the code and the constants beside it; top is the archive's folder ("model/").
 * m->script is set when the file has code for its root object.
 */
bool script_model(struct model *m, struct archive *z, const char *top, struct datum object, nns_error *err);

/* script_classes.c: the class and the constructor's arguments of a traced module that calls one operator. */
bool script_construct(struct script *s, struct runtime *rt, struct module *m, nns_error *err);

/* Whether the object is one of TorchScript's, and the archive has code. */
bool script_is(struct archive *z, const char *top, struct datum object);

#endif
