#!/usr/bin/env python3
"""Makes tests/cases/*-program-*: exported programs of every layout and schema, with free sizes, nested graphs, several in one archive.

What older versions of PyTorch wrote is made from what this one writes, by the differences between their torch/_export/serde/schema.py.

usage: program-cases.py tests/cases     (needs torch, numpy)
"""
import io, json, logging, os, sys, warnings, zipfile

import numpy, torch
from torch import nn
from torch._higher_order_ops.map import map as map_rows
from torch._higher_order_ops.scan import scan
from torch._higher_order_ops.while_loop import while_loop
from torch.export import Dim, export, save
from torch.export.pt2_archive._package import package_pt2

warnings.filterwarnings("ignore")
logging.disable(logging.CRITICAL)


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv, self.norm = nn.Conv2d(3, 4, 3, bias=False), nn.BatchNorm2d(4)
        self.layers = nn.ModuleList([nn.Linear(4, 2)])
        self.register_buffer("scale", torch.randn(2))
        self.shift = torch.tensor([1.0, 2.0])

    def forward(self, x): return self.layers[0](torch.relu(self.norm(self.conv(x))).mean((2, 3))) * self.scale + self.shift


class Function(nn.Module):
    def __init__(self, function):
        super().__init__()
        self.fc, self.function = nn.Linear(4, 4), function

    def forward(self, *args): return self.function(self, *args)


def entries(program, examples=False):
    """Of the archive, without stack traces, which name files of the machine that exported."""
    out = io.BytesIO()
    save(program, out)
    with zipfile.ZipFile(out) as z: found = {n: z.read(n) for n in z.namelist() if examples or "sample_inputs" not in n}
    return {n: without_traces(d) if n.endswith(".json") else d for n, d in found.items()}


def without_traces(data):
    return json.dumps(json.loads(data, object_hook=lambda o: {k: "" if k == "stack_trace" else v for k, v in o.items()})).encode()


def write(path, found):
    with zipfile.ZipFile(path, "w") as z:
        for name, data in found.items(): z.writestr(zipfile.ZipInfo(name), data)


def saved(o):
    out = io.BytesIO()
    torch.save(o, out)
    return out.getvalue()


def older_stack(text, version):
    frames = [f.split(",") for f in text.split(";")]
    dynamo = lambda path: "L['self']" + "".join(f"[{p}]" if p.isdigit() else f".{p}" for p in path.split(".") if p)
    return ";".join(f"{k}:({dynamo(p)},{c})" if version == 1 else f"{k},{dynamo(p)},{c}" for k, p, c in frames)


def older_fields(o, version):
    if isinstance(o, list): return [older_fields(v, version) for v in o]
    if not isinstance(o, dict): return o
    if set(o) == {"as_none"} and version < 8: return {"as_none": []}
    o = {k: older_fields(v, version) for k, v in o.items() if k not in ("is_hop_single_tensor_return", "kind") and not (k == "name" and "target" in o)}
    if version <= 2 and "storage_offset" in o: o["storage_offset"] = o["storage_offset"]["as_int"]
    if version == 1 and isinstance(o.get("hint"), dict): o["hint"] = o["hint"].get("as_int")
    if version < 5 and "as_optional_tensors" in o: o["as_optional_tensors"] = [{"as_tensor": t["as_tensor"]["name"]} if "as_tensor" in t else t for t in o["as_optional_tensors"]]
    if version <= 2 and "nn_module_stack" in o: o["nn_module_stack"] = older_stack(o["nn_module_stack"], version)
    return o


def older_signature(signature):
    """Of schema 1: names in the graph to names of tensors."""
    old = {"inputs_to_parameters": {}, "inputs_to_buffers": {}, "user_inputs": [], "user_outputs": [], "buffers_to_mutate": {}, "backward_signature": None}
    for spec in signature["input_specs"]:
        (kind, body), = spec.items()
        name = body["arg"].get("name") or body["arg"]["as_tensor"]["name"]
        if kind == "user_input": old["user_inputs"].append(name)
        else: old["inputs_to_parameters" if kind == "parameter" else "inputs_to_buffers"][name] = body.get("parameter_name") or body.get("buffer_name") or body["tensor_constant_name"]
    old["user_outputs"] = [spec["user_output"]["arg"]["as_tensor"]["name"] for spec in signature["output_specs"]]
    return old


def write_older(path, program, version):
    data = next(d for n, d in entries(program).items() if n.endswith("models/model.json"))
    body = older_fields(json.loads(data), version)
    state, constants = dict(program.state_dict), dict(program.constants)
    body.pop("torch_version")
    if version == 1:
        graph = body["graph_module"]["graph"]
        graph["tensor_values"] = {k: {"meta": v} for k, v in graph["tensor_values"].items()}
        body["graph_module"]["signature"] = older_signature(body["graph_module"]["signature"])
        state, constants = {**constants, **state}, None
    if version >= 7: body["torch_version"] = "2.5.1"
    suffix = "json" if version <= 2 else "pt"
    found = {"serialized_exported_program.json": json.dumps(body).encode(), f"serialized_state_dict.{suffix}": saved(state)}
    if constants is not None: found[f"serialized_constants.{suffix}"] = saved(constants)
    write(path, {**found, "version": {1: b"1", 2: b"2", 5: b"5.3", 7: b"7.3", 8: b"8.7"}[version]})


def case(root, name, args, expected=None, message=None, status=1):
    d = os.path.join(root, name)
    os.makedirs(d, exist_ok=True)
    for file, text in (("args", "\n".join(args) + "\n"), ("expected", expected), ("message", message), ("status", f"{status}\n" if message else None)):
        if text is not None:
            with open(os.path.join(d, file), "w") as f: f.write(text)
    return lambda file: os.path.join(d, file)


RUN = ["run", "CASE/model.pt2", "--inputs", "CASE/io.npz", "--expect", "CASE/io.npz", "--rtol", "1e-4", "--atol", "1e-5"]


def numbers(path, program, *args):
    outputs = [t for t in torch.utils._pytree.tree_flatten(program.module()(*args))[0] if isinstance(t, torch.Tensor)]
    numpy.savez(path, **{f"in{i}": t.numpy() for i, t in enumerate(args)}, **{f"out{i}": t.detach().numpy() for i, t in enumerate(outputs)})


def number_in(t, least, most):
    n = t.item()
    torch._check(n >= least)
    torch._check(n <= most)
    return n


def content_cases(root):
    """Sizes that hang on the content of the example inputs."""
    rows, functions = torch.randn(6, 4), {
        "mask": (lambda m, x: m.fc(torch.relu(m.fc(x))[x[:, 0] > 0]), ()),
        "written": (lambda m, x: torch.masked_select(x, x.clone().relu_() > 0.5), ()),
        "number": (lambda m, x, n: x[number_in(n, 2, 6):], (torch.tensor(4),)),
        "repeats": (lambda m, x, r: torch.repeat_interleave(x, r, dim=0), (torch.tensor([1, 0, 2, 3, 1, 1]),)),
        "unique": (lambda m, x, i: x[torch.unique(i)], (torch.tensor([3, 1, 3, 0]),)),
        "split": (lambda m, x, w: torch.tensor_split(x, w, dim=1)[1], (torch.tensor([1, 3]),)),
        "twice": (lambda m, x: x[x > 0][x[x > 0] > 0.5], ()),
    }
    for name, (function, more) in functions.items():
        model = Function(function).eval()
        program = export(model, (rows, *more), strict=False)
        at = case(root, f"good-program-content-{name}", ["check", "CASE/model.pt2", f"output.shape == {tuple(model(rows, *more).shape)}"], f"ok      output.shape == {tuple(model(rows, *more).shape)}\n")
        write(at("model.pt2"), entries(program, examples=True))
        if name == "mask":
            run = case(root, "good-program-content-run", [w.replace("CASE/model", f"CASE/../good-program-content-{name}/model") for w in RUN])
            numbers(run("io.npz"), program, torch.randn(6, 4))
    case(root, "bad-program-content-other-input", ["get", "CASE/../good-program-content-mask/model.pt2", "--input", "6x4", "output.shape"], message="shape: the shape of a result of linear is not known")


def main(root):
    torch.manual_seed(1)
    content_cases(root)
    torch.manual_seed(0)
    net, x = Net().eval(), torch.randn(2, 3, 8, 8)
    program = export(net, (x,), strict=False)
    for version in (1, 2, 5, 7, 8):
        at = case(root, f"good-program-schema{version}", RUN); write_older(at("model.pt2"), program, version); numbers(at("io.npz"), program, x)
        case(root, f"good-program-schema{version}-tree", ["tree", f"CASE/../good-program-schema{version}/model.pt2"], str(net) + "\n")
    free = export(net, (x,), dynamic_shapes=({0: Dim("b", min=2, max=16), 2: Dim.AUTO, 3: Dim.AUTO},), strict=False)
    at = case(root, "good-program-free-sizes", RUN); write(at("model.pt2"), entries(free)); numbers(at("io.npz"), free, torch.randn(5, 3, 12, 9))
    at = case(root, "good-program-free-sizes-schema1", RUN); write_older(at("model.pt2"), free, 1); numbers(at("io.npz"), free, torch.randn(3, 3, 6, 7))

    rows = torch.randn(3, 4)
    functions = {
        "cond": lambda m, x: torch.cond(x.sum() > 0, lambda x: m.fc(x).sin(), lambda x: x.cos() - 1, (x,)),
        "map": lambda m, x: map_rows(lambda r, w: r * 2 + w, x, torch.ones(4)),
        "scan": lambda m, x: scan(lambda c, r: (c + r, c * r), torch.zeros(4), x),
        "nested-outputs": lambda m, x: {"a": [x, m.fc(x)], "b": (None, x.sum(), {"z": x + 1}), "c": 3},
    }
    for name, function in functions.items():
        one = export(Function(function).eval(), (rows,))
        at = case(root, f"good-program-{name}", RUN); write(at("model.pt2"), entries(one)); numbers(at("io.npz"), one, rows)
    by_size = export(Function(lambda m, x: torch.cond(x.shape[0] > 4, lambda x: m.fc(x).sin(), lambda x: x.cos(), (x,))).eval(), (rows,), dynamic_shapes=(({0: Dim.DYNAMIC},),))
    at = case(root, "good-program-cond-by-size", RUN); write(at("model.pt2"), entries(by_size)); numbers(at("io.npz"), by_size, torch.randn(6, 4))
    loop = export(Function(lambda m, x: while_loop(lambda i, x: i < 5, lambda i, x: (i + 1, x * 1.1), (torch.tensor(0), x))).eval(), (rows,))
    at = case(root, "good-program-while", RUN); write(at("model.pt2"), entries(loop)); numbers(at("io.npz"), loop, rows)
    until = export(Function(lambda m, x, n: while_loop(lambda n, x: x.sum() < n, lambda n, x: (n.clone(), m.fc(x).abs() + x.abs()), (n, x))).eval(), (rows, torch.tensor(100.0)))
    at = case(root, "good-program-while-by-content", RUN); write(at("model.pt2"), entries(until)); numbers(at("io.npz"), until, rows, torch.tensor(100.0))
    branch = export(Function(lambda m, x: torch.cond(x.sum() > 0, lambda x: m.fc(x), lambda x: x.sin(), (x,))).eval(), (torch.ones(3, 4),))
    whole = export(Function(lambda m, x: torch.ops.aten.slice.Tensor(m.fc(x))).eval(), (rows,), strict=False)
    at = case(root, "good-program-slice-by-name", ["graph", "CASE/model.pt2", "--mode", "train", "--show-attrs", "-o", "OUT.gv"]); write(at("model.pt2"), entries(whole))
    at = case(root, "good-program-cond-by-example", ["flops", "CASE/model.pt2", "--format", "json"]); write(at("model.pt2"), entries(branch, examples=True))

    at = case(root, "good-program-of-two", ["tree", "CASE/model.pt2", "--program", "second"], "Sequential(\n  (0): Linear(in_features=3, out_features=2, bias=True)\n)\n")
    package_pt2(at("model.pt2"), exported_programs={"first": export(nn.Sequential(nn.Linear(4, 4)), (rows,)), "second": export(nn.Sequential(nn.Linear(3, 2)), (torch.randn(1, 3),))})
    with zipfile.ZipFile(at("model.pt2")) as z: found = {n: without_traces(z.read(n)) if n.endswith(".json") else z.read(n) for n in z.namelist() if "sample_inputs" not in n}
    write(at("model.pt2"), found)
    case(root, "bad-program-of-two", ["tree", "CASE/../good-program-of-two/model.pt2", "--program", "third"], message="there is no program 'third'; there are: first, second", status=2)
    at = case(root, "bad-program-compiled", ["tree", "CASE/model.pt2"], message="compiled code without a graph (AOTInductor)")
    write(at("model.pt2"), {"version": b"0", "archive_format": b"pt2", "data/aotinductor/model/x.so": b"\x7fELF"})


main(sys.argv[1])
