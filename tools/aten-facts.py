#!/usr/bin/env python3
"""Writes data/aten.tsv: what an installed PyTorch says of each of its operators.  Needs the torchgen package that comes with it.

    tools/aten-facts.py >data/aten.tsv

operator   base name and overload
schema     as in native_functions.yaml
kind       words: composite (it runs as other operators), out, inplace, view; plain when there is none.  Where only some of several outputs have a gradient,
           a word says which: native_layer_norm is "plain differentiable:0" (tools/autograd/gen_variable_type.py: gen_differentiable_outputs)
backward   the name of its backward node, from derivatives.yaml
edges      its differentiable inputs, in the order of the node's edges
saved      what the node keeps, with its type.  A value that only one input's derivative uses is kept only when that input requires
           grad, and has @INPUT behind its type: mul's self:Tensor@other (guard_for() in the same file)
"""
import os
import re

import torchgen
from torchgen.api.autograd import match_differentiability_info
from torchgen.gen import parse_native_yaml
from torchgen.model import SchemaKind
from torchgen.packaged.autograd.load_derivatives import load_derivatives

PYTHON_TYPES = {"at::Tensor": "Tensor", "at::TensorList": "Tensor[]", "::std::vector<at::Tensor>": "Tensor[]", "int64_t": "int",
                "c10::SymInt": "int", "double": "float", "c10::SymIntArrayRef": "int[]", "at::IntArrayRef": "int[]",
                "at::OptionalIntArrayRef": "int[]?", "at::ArrayRef<at::Scalar>": "Scalar[]", "c10::string_view": "str"}


def type_name(cpp):
    """The name in a schema of what generated code holds as this C++ type."""
    for outer, mark in (("::std::optional<", "?"), ("c10::List<", "[]"), ("::std::vector<", "[]")):
        if cpp.startswith(outer) and cpp not in PYTHON_TYPES:
            return type_name(cpp[len(outer):-1]) + mark
    return PYTHON_TYPES.get(cpp) or cpp.split("::")[-1]


def value_name(saved):
    return saved.nctype.name if isinstance(saved.nctype.name, str) else saved.nctype.name.name


def differentiable_outputs(info):
    """Which of several outputs have a gradient, "" when all do."""
    returns, which = info.func.func.returns, info.output_differentiability
    if not which and any(re.search(r"\bgrad\b", d.formula) for d in info.derivatives):
        which = [True] + [False] * (len(returns) - 1)
    if not info.op or not which or len(returns) <= 1 or all(which):
        return ""
    return ",".join(str(i) for i, here in enumerate(which) if here)


def guards(info):
    """The values that are kept only for one input's gradient: name -> that input."""
    lists = any(str(a.type).startswith("Tensor") and str(a.type).endswith("[]") for a in info.func.func.arguments.flat_all)
    if sum(len(d.var_names) for d in info.derivatives) <= 1 or lists or "backward" in info.name:
        return {}
    found = {}
    for saved in info.all_saved_inputs:
        used = [d for d in info.derivatives if saved in d.saved_inputs]
        if saved.nctype.type.cpp_type() == "at::Tensor" and len(used) == 1 and len(used[0].var_names) == 1:
            found[value_name(saved)] = used[0].var_names[0]
    return found


def kind_of(function):
    kind = function.func.kind()
    words = ["composite"] if function.has_composite_implicit_autograd_kernel else []
    if kind in (SchemaKind.out, SchemaKind.inplace):
        words.append(kind.name)
    elif function.is_view_op:
        words.append("view")
    return " ".join(words) or "plain"


def row(function, info):
    kind, backward, edges, saved = kind_of(function), "", [], []
    if info and info.op:
        only = differentiable_outputs(info)
        if only and "out" not in kind.split():
            kind += " differentiable:" + only
        backward, guarded = info.op, guards(info)
        inputs = [name for d in info.derivatives for name in d.var_names]
        order = {a.name: i for i, a in enumerate(function.func.arguments.flat_all)}
        edges = sorted(inputs, key=lambda name: order.get(name, len(order)))   # _foreach_lerp_ has lerp's names
        for value in [*info.all_saved_inputs, *info.all_saved_outputs]:
            name = value_name(value)
            saved.append(f"{name}:{type_name(value.nctype.type.cpp_type())}" + (f"@{guarded[name]}" if name in guarded else ""))
    if function.func.name.name.base.startswith("_foreach_"):
        saved.sort()                     # torchgen collects these in a set
    return str(function.func.name), str(function.func), kind, backward, ",".join(edges), ",".join(saved)


def main():
    packaged = os.path.join(os.path.dirname(torchgen.__file__), "packaged")
    native, tags = (os.path.join(packaged, "ATen", "native", name) for name in ("native_functions.yaml", "tags.yaml"))
    infos, _ = load_derivatives(os.path.join(packaged, "autograd", "derivatives.yaml"), native, tags)
    print("operator\tschema\tkind\tbackward\tedges\tsaved")
    for matched in match_differentiability_info(parse_native_yaml(native, tags).native_functions, infos):
        print("\t".join(row(matched.func, (matched.info or {}).get("Default"))))


if __name__ == "__main__":
    main()
