#!/usr/bin/env python3
"""Fills in what PyTorch answers to the module cases of tests/nn/*.txt.

Run by hand, in a Python that has torch, after adding expressions:

    tools/module-cases.py tests/nn/*.txt

A line has six columns, divided by tabs:

    Conv2d(3, 8, 3)    the expression
    Conv2d(3, 8, ...)  what it prints, line breaks as \\n
    weight:8x3x3x3 bias:8 running_mean=8    parameters with ":" ("!" when frozen),
                       buffers with "=" ("~" when not in the state dict); a number
                       alone has size "1[]", other types than float32 follow: "=1[]int64"
    T(2, 3, 8, 8)      the arguments of a call in training mode, "-" for none
    float32 2x8x6x6    the results, joined by "; ", "!" when PyTorch raises an error
    convolution        the operators that autograd sees; a "-" is kept: not compared

The second, third, fifth and sixth are written by this program; the first and the
fourth are yours.  A second column that starts with "!" is yours too: the
constructor raises an error whose message contains the words after it, and so it
does in PyTorch.  Lines that start with # are comments.

T(2, 3) is a float tensor, I(2, 3) int64 ones, Z(2, 3) zeros, B(2, 3) bool.
"""
import sys
import warnings
from collections import OrderedDict

import torch
import torch.nn as nn
import torch.nn.functional as F
from torch.utils._python_dispatch import TorchDispatchMode

warnings.simplefilter("ignore")


class Recorder(TorchDispatchMode):
    def __init__(self):
        super().__init__()
        self.names = []

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        self.names.append(str(func).removeprefix("aten.").removesuffix(".default"))
        return func(*args, **(kwargs or {}))


def scope():
    names = {name: getattr(nn, name) for name in dir(nn) if name[0].isupper()}
    names.update(
        torch=torch, F=F, nn=nn, OrderedDict=OrderedDict,
        NonDynamicallyQuantizableLinear=nn.modules.linear.NonDynamicallyQuantizableLinear,
        T=lambda *size, dtype=torch.float32: torch.rand(size, dtype=dtype),
        I=lambda *size: torch.ones(size, dtype=torch.int64),
        Z=lambda *size: torch.zeros(size, dtype=torch.int64),
        B=lambda *size: torch.zeros(size, dtype=torch.bool))
    return names


def size_of(tensor):
    text = "x".join(str(n) for n in tensor.shape) if tensor.dim() else "1[]"
    return text if tensor.dtype == torch.float32 else text + str(tensor.dtype).removeprefix("torch.")


def state(module):
    words = []
    kept = module.state_dict()
    for name, p in module.named_parameters(remove_duplicate=False):
        if isinstance(p, nn.UninitializedParameter):
            words.append(f"{name}:?")
        else:
            words.append(f"{name}:{size_of(p)}" + ("" if p.requires_grad else "!"))
    for name, b in module.named_buffers(remove_duplicate=False):
        lazy = isinstance(b, nn.parameter.UninitializedBuffer)
        words.append(f"{name}={'?' if lazy else size_of(b)}" + ("" if name in kept else "~"))
    return " ".join(words)


def result(value):
    if isinstance(value, torch.Tensor):
        return str(value.dtype).removeprefix("torch.") + " " + ("x".join(str(n) for n in value.shape) or "()")
    if isinstance(value, (tuple, list)):
        return "; ".join(result(v) for v in value)
    return str(value)


def answer(line, where):
    columns = (line.split("\t") + [""] * 5)[:6]
    expression, tree, _, call, _, operators = columns
    names = scope()
    if tree.startswith("!"):
        try:
            eval(expression, names)
        except Exception as e:
            if tree[1:] not in str(e):
                sys.exit(f"{where}: PyTorch says: {e}")
            return f"{expression}\t{tree}"
        sys.exit(f"{where}: PyTorch takes {expression}")
    module = eval(expression, names)
    columns[1] = str(module).replace("\n", "\\n")
    columns[2] = state(module)
    columns[3] = call or "-"
    columns[4] = ""
    if columns[3] != "-":
        recorder = Recorder()
        try:
            args, kwargs = eval(f"(lambda *a, **k: (a, k))({call})", names)
            with recorder:
                columns[4] = result(module(*args, **kwargs))
            columns[5] = operators if operators == "-" else " ".join(recorder.names)
        except Exception as e:
            print(f"{where}: {e}", file=sys.stderr)
            columns[4:] = "!", "-"
    return "\t".join(columns).rstrip("\t")


for path in sys.argv[1:]:
    with open(path) as f:
        lines = f.read().splitlines()
    lines = [l if not l or l.startswith("#") else answer(l, f"{path}:{i + 1}") for i, l in enumerate(lines)]
    with open(path, "w") as f:
        f.write("\n".join(lines) + "\n")
