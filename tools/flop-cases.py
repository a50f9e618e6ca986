#!/usr/bin/env python3
"""Fills in what fvcore counts for the cases of tests/flops/*.txt.

Run by hand, in a Python that has torch and fvcore, after adding expressions:

    tools/flop-cases.py tests/flops/*.txt

A line is an expression as in tests/ops (tools/op-cases.py explains the tensors), a tab, and the multiply-adds by operator:

    F.linear(T(2, 3), T(4, 3))    linear 24

"-": nothing is counted. "?": fvcore cannot count it. Operators are sorted by name and joined by "; ". Lines that start with # are comments.
"""
import logging
import sys
import warnings

import torch
import torch.nn.functional as F  # noqa: F401, for the expressions
from fvcore.nn import FlopCountAnalysis

aten = torch.ops.aten
made = []


def tensor(size, dtype, grad=False):
    t = torch.rand(size).to(dtype)
    made.append(t)
    return t


class Expression(torch.nn.Module):
    """The expression over tensors that come in as inputs, in the order in which it makes them."""

    def __init__(self, text):
        super().__init__()
        self.text = text

    def forward(self, *inputs):
        left = list(inputs)
        take = lambda *size, **options: left.pop(0)  # noqa: E731
        return eval(self.text, globals(), dict.fromkeys("TGIZBC", take))


def answer(text):
    made.clear()
    makers = {"T": torch.float32, "G": torch.float32, "I": torch.int64, "Z": torch.int64, "B": torch.bool, "C": torch.complex64}
    eval(text, globals(), {name: (lambda *size, dtype=dtype: tensor(size, dtype)) for name, dtype in makers.items()})
    try:
        counted = FlopCountAnalysis(Expression(text), tuple(made)).unsupported_ops_warnings(False).by_operator()
    except Exception as error:
        print(f"{text}: {str(error).splitlines()[0][:110]}", file=sys.stderr)
        return "?"
    return "; ".join(f"{name} {count:.0f}" for name, count in sorted(counted.items())) or "-"


def refill(path):
    lines = []
    for line in open(path):
        if line.strip() and not line.startswith("#"):
            text = line.rstrip("\n").split("\t")[0]
            line = f"{text}\t{answer(text)}\n"
        lines.append(line)
    with open(path, "w") as f:
        f.writelines(lines)


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    logging.disable(logging.CRITICAL)
    for path in sys.argv[1:]:
        refill(path)
