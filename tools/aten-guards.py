#!/usr/bin/env python3
"""Says for which gradient a value is saved, and which outputs have one: rewrites two columns of data/aten.tsv.

A value that only one input's derivative uses is saved only when that input requires grad
(guard_for() in PyTorch's tools/autograd/gen_variable_type.py); such a value gets @INPUT behind its type:
mul's self:Tensor@other.  Where only some of several outputs have a gradient, the kind ends in a word that says which:
native_layer_norm's is "plain differentiable:0" (gen_differentiable_outputs() in the same file).  Needs the torchgen package that an installed PyTorch brings.

    tools/aten-guards.py data/aten.tsv >data/aten.tsv.new
"""
import os
import re
import sys

import torchgen
from torchgen.api.autograd import match_differentiability_info  # noqa: F401  (fails early on a torchgen without autograd)
from torchgen.packaged.autograd.load_derivatives import load_derivatives

packaged = os.path.join(os.path.dirname(torchgen.__file__), "packaged")
infos, _ = load_derivatives(os.path.join(packaged, "autograd", "derivatives.yaml"),
                            os.path.join(packaged, "ATen", "native", "native_functions.yaml"),
                            os.path.join(packaged, "ATen", "native", "tags.yaml"))
guards, differentiable = {}, {}
for by_key in infos.values():
    info = by_key.get("Default") or next(iter(by_key.values()))
    returns = info.func.func.returns
    which = info.output_differentiability
    if not which and any(re.search(r"\bgrad\b", d.formula) for d in info.derivatives):
        which = [True] + [False] * (len(returns) - 1)
    if info.op and which and len(returns) > 1 and not all(which):
        differentiable[info.op] = ",".join(str(i) for i, here in enumerate(which) if here)
    lists = any(str(a.type).startswith("Tensor") and str(a.type).endswith("[]") for a in info.func.func.arguments.flat_all)
    if sum(len(d.var_names) for d in info.derivatives) <= 1 or lists or "backward" in info.name:
        continue
    for saved in info.all_saved_inputs:
        used = [d for d in info.derivatives if saved in d.saved_inputs]
        if saved.nctype.type.cpp_type() != "at::Tensor" or len(used) != 1 or len(used[0].var_names) != 1:
            continue
        name = saved.nctype.name if isinstance(saved.nctype.name, str) else saved.nctype.name.name
        guards.setdefault(info.op, {})[name] = used[0].var_names[0]

for line in open(sys.argv[1]):
    row = line.rstrip("\n").split("\t")
    if row[3] in differentiable and "out" not in row[2].split():
        row[2] = row[2].split(" differentiable:")[0] + " differentiable:" + differentiable[row[3]]
    mine = guards.get(row[3], {})
    if mine and row[5]:
        items = [item.split("@")[0] for item in row[5].split(",")]
        row[5] = ",".join(f"{item}@{mine[item.split(':')[0]]}" if item.split(":")[0] in mine else item for item in items)
    print("\t".join(row))
