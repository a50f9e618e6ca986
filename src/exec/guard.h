/*
 * Values that are not finite.  Some fast kernels lose them: oneDNN's ReLU,
 * clip, exp and max pool make a number of NaN, and Winograd's convolutions
 * spread an infinity over a tile.  A pass therefore knows of every slot how
 * large its values are at most, from what each work can make of what it reads;
 * only where a kernel could lose something and that is not known, or too much
 * to exclude an overflow, is a tensor read.
 */
#ifndef EXEC_GUARD_H
#define EXEC_GUARD_H

#include "exec/lower.h"

/*
 * What the action that was added last does to what it reads: works one after the other. needs: of its primitive. add: the
 * slot that POST_SUM adds, -1: none; adds: the last of in is added.
 */
bool guard_add(struct lowering *l, const struct work *const *works, int n, const struct primitive_needs *needs, int add, bool adds);

/* Nothing is known of any slot. */
void guard_begin(struct fast_plan *f);
/* Before an action; *most of what it will make, for guard_after().  False: it would lose something that is not finite. */
bool guard_before(struct fast_plan *f, const struct run *r, const struct action *a, double *most);
void guard_after(struct fast_plan *f, const struct action *a, double most);

#endif
