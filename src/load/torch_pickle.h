/*
 * What torch.save pickles: tensors over storages whose bytes lie elsewhere.
 * torch_pickle_read() turns the calls that rebuild them into values; once the
 * storages have their bytes, torch_pickle_finish() gives those to the values.
 */
#ifndef LOAD_TORCH_PICKLE_H
#define LOAD_TORCH_PICKLE_H

#include "base/map.h"
#include "ir/graph.h"
#include "load/pickle.h"

struct torch_storage {
	const char *key;
	enum dtype dtype;        /* DT_UINT8 for an untyped one */
	int64_t numel;
	const unsigned char *bytes; size_t n_bytes; /* NULL: not there */
};

struct torch_pickle {
	struct arena *arena;
	struct map storages;     /* key -> struct torch_storage * */
	struct pending { struct value *value; const struct torch_storage *storage; } *pending; size_t n_pending, cap_pending;
	nns_error *err;
};

bool torch_pickle_read(struct torch_pickle *t, const unsigned char *data, size_t len, struct datum *out, size_t *used);
bool torch_pickle_finish(struct torch_pickle *t);

#endif
