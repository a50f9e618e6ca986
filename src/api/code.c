/* nns_code(): the code of TorchScript. */
#include "api/api.h"
#include "load/torch_code.h"

char *nns_code(const char *path, const char *part, nns_error *err)
{
	struct text out;
	text_init(&out);
	return api_take_text(&out, torch_code(path, part, &out, err), err);
}
