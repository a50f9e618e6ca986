#!/usr/bin/env python3
"""The executor beside its peers, in turns on the same machine: bench/executor.py NNSCOPE [MODEL...]

Needs torch and torchvision; torch.compile, onnxruntime and openvino take part when they are there
(pip install torch torchvision onnx onnxruntime openvino).  Times are the least of all passes, in ms, float32,
ten images of 3x224x224 (two for VGG-16); the last column is nnscope against the best of the others.
"""
import json
import os
import subprocess
import sys
import tempfile
import time

import torch
import torchvision

ROUNDS, PASSES = 4, 5
SAMPLES = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "samples")


def least(call):
    times = []
    for _ in range(PASSES):
        start = time.perf_counter()
        call()
        times.append((time.perf_counter() - start) * 1e3)
    return min(times)


def eager(model, x):
    return lambda: model(x)


def compiled(model, x):
    import torch._inductor.config as config
    config.freezing = True
    call = torch.compile(model)
    call(x)
    return lambda: call(x)


def onnx_runtime(model, x):
    import onnxruntime
    path = os.path.join(tempfile.mkdtemp(), "m.onnx")
    torch.onnx.export(model, x, path, dynamo=False)
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    feed = {session.get_inputs()[0].name: x.numpy()}
    return lambda: session.run(None, feed)


def open_vino(model, x):
    import openvino
    plan = openvino.compile_model(openvino.convert_model(model, example_input=x), "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
    data = x.numpy()
    return lambda: plan(data)


def nnscope(program, name, images):
    def call():
        out = subprocess.run([program, "run", os.path.join(SAMPLES, name + ".json"), "--seed", "0", "--input", f"{images}x3x224x224",
                              "--repeat", str(PASSES), "--format", "json"], capture_output=True, text=True, check=True)
        return json.loads(out.stdout)["run"]["min_ms"]
    return call


def main():
    program, names = sys.argv[1], sys.argv[2:] or ["resnet18", "resnet50", "vgg16_bn", "mobilenet_v2", "densenet121"]
    print(f"cores: {os.cpu_count()}; torch {torch.__version__}")
    for name in names:
        images = 2 if name.startswith("vgg") else 10
        model, x = getattr(torchvision.models, name)().eval(), torch.randn(images, 3, 224, 224)
        calls, best = {"nnscope": nnscope(program, name, images)}, {}
        with torch.no_grad():
            for make in (eager, compiled, onnx_runtime, open_vino):
                try:
                    calls[make.__name__] = make(model, x)
                except Exception as problem:  # not installed, or it cannot
                    print(f"  {make.__name__}: {str(problem).splitlines()[0][:80]}")
            for _ in range(ROUNDS):
                for who, call in calls.items():
                    ms = call() if who == "nnscope" else least(call)
                    best[who] = min(ms, best.get(who, ms))
        others = [ms for who, ms in best.items() if who != "nnscope"]
        print(f"{name:14}", "  ".join(f"{who} {ms:.1f}" for who, ms in best.items()), f"  {best['nnscope'] / min(others):.2f} times the best")


main()
