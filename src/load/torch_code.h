/* The code in a TorchScript archive, as text; it is not run. */
#ifndef LOAD_TORCH_CODE_H
#define LOAD_TORCH_CODE_H

#include "base/text.h"
#include "nnscope/error.h"

/* Every file of code whose name has `part` in it (NULL: all), each under a line with its name. */
bool torch_code(const char *path, const char *part, struct text *out, nns_error *err);

#endif
