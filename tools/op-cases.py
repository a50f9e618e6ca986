#!/usr/bin/env python3
"""Fills in what PyTorch answers to the operator cases of tests/ops/*.txt.

Run by hand, in a Python that has torch, after adding expressions:

    tools/op-cases.py tests/ops/*.txt

A line is an expression, a tab, the results, a tab, and the operators that
autograd sees:

    aten.square(G(2, 3))    float32 [2, 3] strides [3, 1]    pow.Tensor_Scalar

Results of several tensors are joined by "; ". "!" means that PyTorch raises an
error. "?" instead of sizes: they depend on values. A third column of "-" is
kept: the operators are not compared. Lines that start with # are comments.

In an expression T(2, 3) is a tensor that needs no gradient, G(2, 3) one that
does, I(2, 3) int64 ones, Z(2, 3) int64
zeros, B(2, 3) bool, C(2, 3) complex; dtype= chooses another type.
"""
import sys
import warnings

import torch
import torch.nn.functional as F  # noqa: F401, for the expressions
from torch.utils._python_dispatch import TorchDispatchMode

VALUE_DEPENDENT = {"nonzero", "masked_select", "_unique2", "unique_consecutive", "unique_dim", "bincount", "repeat_interleave.Tensor"}


class Recorder(TorchDispatchMode):
    def __init__(self):
        super().__init__()
        self.names = []
        self.muted = False

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        if not self.muted:
            name = str(func)
            self.names.append(name.removeprefix("aten.").removesuffix(".default"))
        return func(*args, **(kwargs or {}))


recorder = Recorder()


def tensor(size, dtype, grad=False, fill=1):
    recorder.muted = True
    if dtype.is_floating_point or dtype.is_complex:
        t = torch.rand(size, dtype=dtype)
    else:
        t = torch.full(size, fill, dtype=dtype)
    t.requires_grad_(grad)
    recorder.muted = False
    return t


def T(*size, dtype=torch.float32):
    return tensor(size, dtype)


def G(*size, dtype=torch.float32):
    return tensor(size, dtype, True)


def I(*size):
    return tensor(size, torch.int64)


def Z(*size):
    return tensor(size, torch.int64, fill=0)


def B(*size):
    return tensor(size, torch.bool)


def C(*size):
    return tensor(size, torch.complex64)


aten = torch.ops.aten


def describe(value, unknown):
    if torch.is_tensor(value):
        dtype = str(value.dtype).removeprefix("torch.")
        if unknown:
            return f"{dtype} ?"
        return f"{dtype} {list(value.shape)} strides {list(value.stride())}"
    if isinstance(value, (tuple, list)):
        return "; ".join(describe(v, unknown) for v in value)
    return repr(value)


def answer(expression):
    recorder.names = []
    torch.manual_seed(0)
    try:
        with recorder:
            result = eval(expression)
    except Exception as error:
        print(f"{expression}: {str(error).splitlines()[0][:110]}", file=sys.stderr)
        return "!", "-"
    names = [n for n in recorder.names if n != "detach"]
    unknown = (any(n in VALUE_DEPENDENT for n in names) and "output_size" not in expression) or ("index.Tensor" in names and "B(" in expression)
    return describe(result, unknown), " ".join(names)


def refill(path):
    lines = []
    for line in open(path):
        columns = line.rstrip("\n").split("\t")
        if line.strip() and not line.startswith("#"):
            expected, names = answer(columns[0])
            if len(columns) > 2 and columns[2] == "-":
                names = "-"
            columns = [columns[0], expected, names]
        lines.append("\t".join(columns) + "\n")
    with open(path, "w") as f:
        f.writelines(lines)


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    for path in sys.argv[1:]:
        refill(path)
