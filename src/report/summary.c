/* torchinfo's table. */
#include "report/report.h"

bool report_summary(const struct model *m, const struct graph *g, const struct report_options *o, struct text *out, nns_error *err)
{
	(void)m, (void)g, (void)o, (void)out;
	return fail(err, NNS_UNSUPPORTED, "summary is not there yet");
}
