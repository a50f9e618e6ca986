#!/usr/bin/env python3
"""The executor beside its peers, in turns on the same machine: bench/executor.py [--threads N] [--rounds N] NNSCOPE [ROW...]

Needs torch and torchvision; torch.compile, onnxruntime and openvino take part when they are there
(pip install torch torchvision onnx onnxruntime openvino).  Times are the least of all passes, in ms; the last column is
nnscope against the best of the others.  Rows are float32 on every side, but those that end in -bf16: there nnscope runs
with --precision bf16 and OpenVINO with its default, and the top-1 agreement of nnscope's two precisions over random images follows.
"""
import argparse
import json
import os
import subprocess
import sys
import tempfile
import time

import numpy
import torch
import torchvision

PASSES, IMAGES = 5, 1000
SAMPLES = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "samples")


class LSTMClassifier(torch.nn.Module):
    """samples/lstm.json"""

    def __init__(self):
        super().__init__()
        self.embedding = torch.nn.Embedding(10000, 128)
        self.lstm = torch.nn.LSTM(128, 256, num_layers=2, batch_first=True, dropout=0.3, bidirectional=True)
        self.dropout = torch.nn.Dropout(0.3)
        self.fc = torch.nn.Linear(512, 5)

    def forward(self, tokens):
        output, (hidden, cell) = self.lstm(self.embedding(tokens))
        return self.fc(self.dropout(torch.cat([hidden[-2], hidden[-1]], dim=1)))


def encoder():
    """samples/transformer_encoder.json"""
    return torch.nn.TransformerEncoder(torch.nn.TransformerEncoderLayer(512, 8, batch_first=True), 6)


def images(n):
    return lambda: torch.randn(n, 3, 224, 224)


def vision(name):
    return getattr(torchvision.models, name)


ROWS = {  # name: sample, model, input, what --input says
    "resnet18": ("resnet18", vision("resnet18"), images(10), "10x3x224x224"),
    "resnet50": ("resnet50", vision("resnet50"), images(10), "10x3x224x224"),
    "vgg16_bn": ("vgg16_bn", vision("vgg16_bn"), images(2), "2x3x224x224"),
    "mobilenet_v2": ("mobilenet_v2", vision("mobilenet_v2"), images(10), "10x3x224x224"),
    "densenet121": ("densenet121", vision("densenet121"), images(10), "10x3x224x224"),
    "lstm": ("lstm", LSTMClassifier, lambda: torch.randint(0, 10000, (16, 128)), "16x128:int64"),
    "transformer_encoder": ("transformer_encoder", encoder, lambda: torch.randn(8, 128, 512), "8x128x512"),
    "resnet18-bf16": ("resnet18", vision("resnet18"), images(10), "10x3x224x224"),
    "lstm-bf16": ("lstm", LSTMClassifier, lambda: torch.randint(0, 10000, (16, 128)), "16x128:int64"),
    "transformer_encoder-bf16": ("transformer_encoder", encoder, lambda: torch.randn(8, 128, 512), "8x128x512"),
}


def least(call):
    times = []
    for _ in range(PASSES):
        start = time.perf_counter()
        call()
        times.append((time.perf_counter() - start) * 1e3)
    return min(times)


def eager(model, x, threads):
    return lambda: model(x)


def compiled(model, x, threads):
    import torch._inductor.config as config
    config.freezing = True
    call = torch.compile(model)
    call(x)
    return lambda: call(x)


def onnx_runtime(model, x, threads):
    import onnxruntime
    path = os.path.join(tempfile.mkdtemp(), "m.onnx")
    torch.backends.mha.set_fastpath_enabled(False)  # its operator has no ONNX
    torch.onnx.export(model, x, path, dynamo=False)
    torch.backends.mha.set_fastpath_enabled(True)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    feed = {session.get_inputs()[0].name: x.numpy()}
    return lambda: session.run(None, feed)


def open_vino(model, x, threads, config={"INFERENCE_PRECISION_HINT": "f32"}):
    import openvino
    plan = openvino.compile_model(openvino.convert_model(model, example_input=x), "CPU", {**config, "INFERENCE_NUM_THREADS": threads})
    data = x.numpy()
    return lambda: plan(data)


def open_vino_default(model, x, threads):
    return open_vino(model, x, threads, {})


def nnscope(program, sample, size, threads, half):
    def call():
        out = subprocess.run([program, "run", os.path.join(SAMPLES, sample + ".json"), "--seed", "0", "--input", size, "--threads", str(threads),
                              "--precision", "bf16" if half else "float32", "--repeat", str(PASSES), "--format", "json"], capture_output=True, text=True, check=True)
        return json.loads(out.stdout)["run"]["min_ms"]
    return call


def agreement(program, sample):
    """Of how many random images bf16 and float32 name the same class."""
    same = 0
    with tempfile.TemporaryDirectory() as d:
        for first in range(0, IMAGES, 50):
            numpy.savez(f"{d}/in.npz", in0=torch.randn(50, 3, 224, 224).numpy())
            top = []
            for precision in "float32", "bf16":
                subprocess.run([program, "run", os.path.join(SAMPLES, sample + ".json"), "--seed", "0", "--inputs", f"{d}/in.npz", "--save", f"{d}/out.npz",
                                "--precision", precision], capture_output=True, check=True)
                top.append(numpy.load(f"{d}/out.npz")["out0"].argmax(1))
            same += int((top[0] == top[1]).sum())
    return f"top-1 of bf16 as of float32 on {same} of {IMAGES} random images"


def main():
    p = argparse.ArgumentParser()
    p.add_argument("--threads", type=int, default=os.cpu_count())
    p.add_argument("--rounds", type=int, default=4)
    p.add_argument("program")
    p.add_argument("rows", nargs="*", metavar="ROW")
    a = p.parse_args()
    torch.set_num_threads(a.threads)
    print(f"threads: {a.threads}; torch {torch.__version__}")
    for name in a.rows or ROWS:
        sample, build, make_input, size = ROWS[name]
        half = name.endswith("-bf16")
        model, x = build().eval(), make_input()
        calls, best = {"nnscope": nnscope(a.program, sample, size, a.threads, half)}, {}
        with torch.no_grad():
            for make in (open_vino_default,) if half else (eager, compiled, onnx_runtime, open_vino):
                try:
                    calls[make.__name__] = make(model, x, a.threads)
                except Exception as problem:  # not installed, or it cannot
                    print(f"  {make.__name__}: {str(problem).splitlines()[0][:80]}")
            for _ in range(a.rounds):
                for who, call in calls.items():
                    ms = call() if who == "nnscope" else least(call)
                    best[who] = min(ms, best.get(who, ms))
        others = [ms for who, ms in best.items() if who != "nnscope"]
        print(f"{name:14}", "  ".join(f"{who} {ms:.1f}" for who, ms in best.items()), f"  {best['nnscope'] / min(others):.2f} times the best", flush=True)
        if half and sample.startswith("resnet"):
            print(" ", agreement(a.program, sample))


main()
