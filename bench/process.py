#!/usr/bin/env python3
"""Whole processes beside Python, in turns on the same machine: bench/process.py NNSCOPE [ROUNDS]

1. Build ResNet-18 with the parameters of seed 0, run ten images of 3x224x224, draw the executed graph as a PDF; Python does the
   same with torchvision and torchviz.  Wanted: at most 0.1 of its time.
2. Weights from a .safetensors file that is mapped: from the start of the process to the first output, beside making the plan and the
   pass, which do not depend on where weights come from.  Wanted: 60 ms for 45 MB.

Times are the least of all rounds; ratios are of both sides of a round.  Needs torch, torchvision, torchviz and Graphviz's dot.
"""
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time

SAMPLE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "samples", "resnet18.json")
ORIGINAL = """
import sys, torch
from torchvision import models
from torchviz import make_dot
torch.manual_seed(0)
model = models.resnet18()
x = torch.randn(10, 3, 224, 224)
make_dot(model(x), params=dict(model.named_parameters())).render(sys.argv[1], format="pdf")
"""


def seconds(command):
    start = time.perf_counter()
    out = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    return time.perf_counter() - start, out


def in_turns(rounds, *commands):
    """Seconds of each command in each round."""
    return zip(*[[seconds(command)[0] for command in commands] for _ in range(rounds)])


def whole_process(program, rounds, folder):
    ours = [program, "graph", SAMPLE, "--run", "--seed", "0", "--input", "10x3x224x224", "-o", os.path.join(folder, "a.pdf")]
    theirs = [sys.executable, "-c", ORIGINAL, os.path.join(folder, "b")]
    a, b = in_turns(rounds, ours, theirs)
    ratios = sorted(x / y for x, y in zip(a, b))
    print(f"whole process, seed 0, 10x3x224x224, PDF: nnscope {min(a) * 1e3:.0f} ms, Python {min(b) * 1e3:.0f} ms, "
          f"ratio {statistics.median(ratios):.3f} ({ratios[0]:.3f} to {ratios[-1]:.3f})")


def mapped_weights(program, rounds, folder):
    """The time of the process less that of the pass and of making the plan, which do not depend on where weights come from."""
    path, best = os.path.join(folder, "w.safetensors"), float("inf")
    subprocess.run([program, "weights", SAMPLE, "--seed", "0", "-o", path], check=True)
    run = [program, "run", SAMPLE, "--weights", path, "--input", "1x3x224x224", "--deterministic", "--format", "json"]
    for _ in range(rounds):
        took, out = seconds(run)
        report = json.loads(out)
        best = min(best, took * 1e3 - report["run"]["median_ms"] - report["plan"]["ms"])
    print(f"weights from a mapped file of {os.path.getsize(path) / 1e6:.0f} MB: {best:.0f} ms beside the plan and the pass")


def main():
    program, rounds = os.path.abspath(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 5
    with tempfile.TemporaryDirectory() as folder:
        whole_process(program, rounds, folder)
        mapped_weights(program, rounds, folder)


main()
