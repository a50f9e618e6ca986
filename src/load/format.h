/* What the readers of formats share; load.h says what they are for. */
#ifndef LOAD_FORMAT_H
#define LOAD_FORMAT_H

#include "load/load.h"
#include "nn/nn.h"

/* The runtime of the model that is being filled. */
static inline struct runtime *runtime_of_model(struct model *m) { return m->runtime; }

/* description.c */
int description_bid(const struct load_file *f);
bool description_load(const struct load_file *f, struct model *m, nns_error *err);
/* Adds the classes of a description, without its model.  path is for messages and for what it uses itself. */
bool description_add_classes(struct model *m, const char *text, size_t len, const char *path, nns_error *err);
/* The classes that come with nnscope, torchvision's, are added when one is asked for. */
void description_add_builtin(struct model *m);
extern const char builtin_classes[];    /* made from data/torchvision.json */

/* class.c: one class of a description, "Name(signature)" and its JSON body. */
struct cJSON;
bool class_from_json(struct model *m, const char *head, const struct cJSON *body, const char *path, nns_error *err);

/* printed.c */
int printed_bid(const struct load_file *f);
bool printed_load(const struct load_file *f, struct model *m, nns_error *err);

/* pt2.c */
int pt2_bid(const struct load_file *f);
bool pt2_load(const struct load_file *f, struct model *m, nns_error *err);

/* torch_file.c */
int torch_zip_bid(const struct load_file *f);
bool torch_zip_load(const struct load_file *f, struct model *m, nns_error *err);
int torch_legacy_bid(const struct load_file *f);
bool torch_legacy_load(const struct load_file *f, struct model *m, nns_error *err);

/* torch_tar.c */
int torch_tar_bid(const struct load_file *f);
bool torch_tar_load(const struct load_file *f, struct model *m, nns_error *err);

/* safetensors.c */
int safetensors_bid(const struct load_file *f);
bool safetensors_load(const struct load_file *f, struct model *m, nns_error *err);
int shards_bid(const struct load_file *f);
bool shards_load(const struct load_file *f, struct model *m, nns_error *err);

/* npz.c */
int npz_bid(const struct load_file *f);
bool npz_load(const struct load_file *f, struct model *m, nns_error *err);

/* foreign.c: files that are recognised and not read. */
int foreign_bid(const struct load_file *f);
bool foreign_load(const struct load_file *f, struct model *m, nns_error *err);

#endif
