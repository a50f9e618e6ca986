/* The tables of functions that PyTorch writes in Python, one for each file; record.h tells what a row is. */
#ifndef OPS_FUNCTIONAL_H
#define OPS_FUNCTIONAL_H

#include "ops/record.h"

/* Each ends with { 0 }; functional_rules of record.h is the first. */
extern const struct function_rule functional_loss_rules[];
extern const struct function_rule functional_attention_rules[];
extern const struct function_rule functional_torch_rules[];
extern const struct function_rule functional_init_rules[];

/* The rule of that name ("F.relu", "torch.norm", "Tensor.split") in any of them or in method_rules; NULL: none. */
const struct function_rule *function_rule_find(const char *name);

#endif
