/* The rows of torchinfo's table and what it counts: torchinfo/layer_info.py, torchinfo.py.  Everything lives in the model's arena. */
#ifndef REPORT_LAYERS_H
#define REPORT_LAYERS_H

#include "report/report.h"

struct layer {
	const char *name;              /* of the variable; the class's for the root */
	struct module *module;
	struct layer *parent;          /* by the module tree */
	int depth, index;              /* 1-3 is depth 1, index 3 */
	bool recursive, leaf;
	const struct value *input, *output;
	int64_t params, trainable, bytes, output_bytes, leftover, leftover_trainable;
	double macs;
	size_t end;                    /* the first row after this one that is not below it */
};

struct layers {
	struct layer **rows; size_t n, cap;
	int64_t params, trainable, param_bytes;
	double output_bytes, input_bytes; /* of large batches more than 63 bits count */
	double macs;
};

bool layers_collect(const struct model *m, const struct graph *g, struct layers *out, nns_error *err);

#endif
