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
	const struct torch_storage *root; /* a view of another storage, from element `offset` on; NULL: itself */
	int64_t offset;
};

struct torch_pickle {
	struct arena *arena;
	struct map storages;     /* key -> struct torch_storage * */
	struct pending { struct value *value; const struct torch_storage *storage; } *pending; size_t n_pending, cap_pending;
	/* Persistent ids that are no tuple: the tar files of the oldest PyTorch.  May be NULL. */
	bool (*persistent)(struct torch_pickle *t, struct datum id, struct datum *out);
	void *owner;             /* of that function */
	uint64_t room;           /* items and bytes that calls may still copy: a pickle names one list, or text, as often as it likes */
	nns_error *err;
};

bool torch_pickle_read(struct torch_pickle *t, const unsigned char *data, size_t len, struct datum *out, size_t *used);
bool torch_pickle_finish(struct torch_pickle *t);

/* torch_file.c: a whole zip that torch.save wrote; tensors have their bytes. */
bool torch_saved_object(struct torch_pickle *t, const unsigned char *data, size_t len, struct datum *out);

/* The storage of that key, made when it is new; NULL: no memory. */
struct torch_storage *torch_storage_of(struct torch_pickle *t, const char *key, enum dtype dtype, int64_t numel);
/* dtype of "torch.FloatStorage", "torch.cuda.FloatStorage", "torch.FloatTensor"; DT_NONE when unknown. */
enum dtype torch_storage_dtype(const char *class_name);
/* The bytes of a storage at *at, which moves behind them: a count of elements in 8 bytes, then these. */
bool torch_raw_storage(struct torch_pickle *t, const unsigned char *data, size_t len, size_t *at, struct torch_storage *s);
/* Text of a key, which is a string or a number; NULL: neither, or no memory. */
const char *torch_key(struct torch_pickle *t, struct datum key);
/* A value over a storage. */
struct value *torch_tensor(struct torch_pickle *t, const struct torch_storage *s, enum dtype dtype, int ndim, const int64_t *size,
                           const int64_t *stride, int64_t offset);
/* Argument i of a call, None when there are fewer. */
struct datum torch_argument(const struct pickled *call, size_t i);
/* Before a call copies n items or bytes. */
bool torch_spend(struct torch_pickle *t, uint64_t n);

/* A row says what a call makes: sets *out, or leaves it. */
struct torch_maker {
	const char *name;
	bool (*make)(struct torch_pickle *t, struct pickled *call, struct datum *out);
};
extern const struct torch_maker torch_tensor_makers[];  /* torch_tensors.c; both end with a NULL name */
extern const struct torch_maker numpy_makers[];         /* numpy_pickle.c */
/* BUILD on a tensor: the __setstate__ of old tensors and Parameters (torch_tensors.c), of arrays (numpy_pickle.c). */
bool torch_set_state(struct torch_pickle *t, struct value *v, struct datum state);
bool numpy_set_state(struct torch_pickle *t, struct value *v, struct datum state);

#endif
