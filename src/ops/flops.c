#include "ops/flops.h"

bool flops_uncounted(const struct node *n, double *out)
{
	(void)n;
	*out = 0;
	return false;
}

bool flops_output(const struct node *n, double *out)
{
	if (n->n_outputs < 1 || value_numel(n->outputs[0]) < 0)
		return false;
	*out = (double)value_numel(n->outputs[0]);
	return true;
}

bool flops_output_4(const struct node *n, double *out)
{
	if (!flops_output(n, out))
		return false;
	*out *= 4;
	return true;
}

bool flops_of(const struct node *n, double *count, bool *counted, const char **name)
{
	const struct op_rule *rule = n->op->rule;
	*counted = false;
	*name = rule && rule->flops_name ? rule->flops_name : n->op->base_name;
	if (rule && rule->flops) {
		*counted = rule->flops(n, count);
		return true;
	}
	return !n->parts;
}
