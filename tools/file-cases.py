#!/usr/bin/env python3
"""Makes tests/cases/*-file-*: small files as PyTorch, safetensors and NumPy write them, and what PyTorch finds in them.

usage: file-cases.py tests/cases     (needs torch, torchviz, safetensors, numpy)
"""
import zipfile
import json, os, pickle, re, sys, warnings
import numpy, torch, torchinfo
import torch.nn.functional as F
from torch import nn

warnings.filterwarnings("ignore")


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(3, 4, 3, padding=1, bias=False)
        self.norm = nn.BatchNorm2d(4)
        self.fc = nn.Linear(4, 2)

    def forward(self, x):
        return self.fc(torch.relu(self.norm(self.conv(x))).mean((2, 3)))


class Pieces(nn.Module):
    """Takes a transposed tensor, and a tensor that says where to split it."""
    def forward(self, x, where):
        return [x.contiguous() + 1, x.flatten(), x.as_strided((2, 2), (4, 1)), *torch.tensor_split(x, where)]


def forget_traces(path):
    """Stack traces name files of the machine that exported."""
    with zipfile.ZipFile(path) as z:
        entries = [(i.filename, z.read(i)) for i in z.infolist()]
    with zipfile.ZipFile(path, "w") as z:
        for name, data in entries:
            if name.endswith(".json"):
                data = json.dumps(json.loads(data, object_hook=lambda o: {k: "" if k == "stack_trace" else v for k, v in o.items()})).encode()
            z.writestr(zipfile.ZipInfo(name), data)


def add_module(path, name):
    """A module that nothing calls."""
    with zipfile.ZipFile(path) as z: entries = [(i.filename, z.read(i)) for i in z.infolist() if not i.filename.endswith(".pt")]
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as z:
        for entry, data in entries:
            if entry.endswith("/models/model.json"):
                program = json.loads(data)
                program["graph_module"]["module_call_graph"].append({"fqn": name, "signature": None})
                for node in program["graph_module"]["graph"]["nodes"]: node["metadata"] = {}
                data = json.dumps(program).encode()
            z.writestr(zipfile.ZipInfo(entry), data, zipfile.ZIP_DEFLATED)


def calls(root):
    """Calls within calls, and one list that is copied again and again."""
    def archive(path, body):
        with zipfile.ZipFile(path, "w") as z:
            z.writestr(zipfile.ZipInfo("a/data.pkl"), b"\x80\x02" + body + b".", zipfile.ZIP_DEFLATED)
            z.writestr(zipfile.ZipInfo("a/version"), b"3\n")
    n = 30000
    at = case(root, "bad-file-call-copies", ["params", "CASE/calls.pth"], status=1, message="copy many times what the pickle holds")
    archive(at("calls.pth"), b"ccollections\nOrderedDict\nq\x000](" + b"K\x01K\x02\x86" * n + b"eq\x020h\x02\x85q\x010](" + b"h\x00h\x01R" * n + b"e")
    case(root, "good-audit-packed", ["audit", "CASE/../bad-file-call-copies/calls.pth"], "CASE/../bad-file-call-copies/calls.pth: nothing found\n")
    at = case(root, "good-file-call-within-call", ["tree", "CASE/calls.pth"], "Module()\n")
    archive(at("calls.pth"), b"ccopyreg\n__newobj__\nq\x000ctorch._tensor\n_rebuild_from_type_v2\nq\x010)" + b"q\x020(h\x01h\x00Nh\x02t" * 300000 + b"q\x020h\x00h\x02R")


def renumbered(dot):
    """torchviz's text with the addresses of its nodes replaced by their order, as nnscope names them."""
    names = {}
    return re.sub(r"(?m)(?<=^\t)\d{10,}(?= \[| ->|\n)|(?<=-> )\d{10,}", lambda m: names.setdefault(m.group(0), f"n{len(names)}"), str(dot))


class PlainConv(nn.Conv2d):
    def __init__(self, channels_in, channels_out): super().__init__(channels_in, channels_out, 3, padding=1, bias=False)


class ChannelLayerNorm(nn.LayerNorm):
    def forward(self, x): return super().forward(x.permute(0, 2, 3, 1)).permute(0, 3, 1, 2)


class Attention(nn.Module):
    """Grouped attention; exported, it writes masks and repeats heads as transformers does."""

    def __init__(self, causal, always=False):
        super().__init__()
        self.always = always  # writes them when it is not exported too
        self.causal, self.q, self.kv = causal, nn.Linear(16, 16, bias=False), nn.Linear(16, 16, bias=False)

    def forward(self, x):
        n, t, _ = x.shape
        q = self.q(x).view(n, t, 4, 4).transpose(1, 2)
        k, v = self.kv(x).view(n, t, 2, 8).transpose(1, 2).chunk(2, 3)
        if not torch.compiler.is_exporting() and not self.always:
            return F.scaled_dot_product_attention(q, k, v, is_causal=self.causal, enable_gqa=True).transpose(1, 2).reshape(n, t, 16)
        at = torch.arange(t)
        mask = at[None, None, None, :] <= at[None, None, :, None] if self.causal else at[None, None, :, None] >= 0
        k, v = (z[:, :, None, :, :].expand(n, 2, 2, t, 4).reshape(n, 4, t, 4) for z in (k, v))
        return F.scaled_dot_product_attention(q, k, v, attn_mask=mask.expand(n, 1, t, t)).transpose(1, 2).reshape(n, t, 16)


class BiasedAttention(nn.Module):
    """Scores with a learnt bias; exported, a mask that forbids nothing is laid over the bias, or added to the scores."""

    def __init__(self, added, causal=False):
        super().__init__()
        self.causal = causal
        self.added, self.qkv, self.bias = added, nn.Linear(8, 24), nn.Parameter(torch.zeros(1, 2, 5, 5))

    def forward(self, x):
        n, t, _ = x.shape
        q, k, v = self.qkv(x).view(n, t, 3, 2, 4).permute(2, 0, 3, 1, 4)
        at, mask = torch.arange(t), None
        if torch.compiler.is_exporting():
            mask = (at[None, None, None, :] <= at[None, None, :, None] if self.causal else at[None, None, :, None] >= 0).expand(n, 1, t, t)
        elif self.causal:
            mask = (at[:, None] >= at[None, :]).view(1, 1, t, t)
        least = torch.finfo(x.dtype).min
        if not self.added:
            bias = (self.bias if mask is None else torch.where(mask, self.bias, least)).contiguous()
            return F.scaled_dot_product_attention(q, k, v, attn_mask=bias)
        scores = q @ k.transpose(2, 3) + self.bias
        if mask is not None:
            scores = scores + torch.where(mask, torch.zeros(()), least)
        return scores.softmax(3) @ v


class Positions(nn.Module):
    """Learnt positions of a grid; exported, they are resized to the size they have, as timm does."""

    def __init__(self, prefix):
        super().__init__()
        self.prefix, self.positions = prefix, nn.Parameter(torch.zeros(1, prefix + 4, 3))

    def forward(self, x):
        p = self.positions
        if torch.compiler.is_exporting():
            if self.prefix:
                head, p = p[:, :self.prefix], p[:, self.prefix:]
            p = p.float().reshape(1, 2, 2, -1).permute(0, 3, 1, 2)
            p = F.interpolate(p, size=(2, 2), mode="bicubic", antialias=True)
            p = p.permute(0, 2, 3, 1).reshape(1, -1, 3)
            p = torch.cat([head, p], 1) if self.prefix else p
        return x + p


class SavedOutput(nn.Module):
    """What the product keeps is returned as well."""

    def __init__(self):
        super().__init__()
        self.fc = nn.Linear(3, 4)

    def forward(self, x):
        y = self.fc(x)
        return y * y, y


class Block(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc, self.act = nn.Linear(4, 4), nn.ReLU()

    def forward(self, x):
        return self.act(self.fc(x))


class Shared(nn.Module):
    """A block that runs under other names than the one it is registered by first, and a number that only an assertion needs."""

    def __init__(self):
        super().__init__()
        self.block = Block()
        self.layers = nn.ModuleList([nn.Sequential(self.block, nn.LayerNorm(4)) for _ in range(2)])

    def forward(self, x):
        torch._check(x.max().int().item() <= 1000)
        for layer in self.layers:
            x = layer(x)
        return x


def shapes_of(module, x):
    """Rows of `shapes`: what every leaf module returned, by a hook, and the root last."""
    rows = ["module\tclass\toutput"]
    hooks = [m.register_forward_hook(lambda m, _, y, n=n: rows.append(f"{n}\t{type(m).__name__}\t{'x'.join(map(str, y.shape))}"))
             for n, m in module.named_modules() if n == "" or not list(m.children())]
    module(x)
    for h in hooks: h.remove()
    return "\n".join(rows) + "\n"


def library_case(root, name, library, module, x, attrs=True, saved=False):
    """A module that says it is of that library: its exported file gives the graph of the live module."""
    from torchviz import make_dot
    cls = type(module)
    own, cls.__module__ = cls.__module__, library + ".models.modeling"
    try:
        ep = torch.export.export(module.eval(), (x,), strict=False)
    finally:
        cls.__module__ = own
    x = x.clone().requires_grad_()
    dot = make_dot(module(x), params={**dict(module.named_parameters()), "x": x}, show_attrs=attrs, show_saved=saved)
    at = case(root, name, ["graph", "CASE/model.pt2", "--mode", "eval", *["--show-attrs"] * attrs, *["--show-saved"] * saved, "-o", "OUT.gv"], renumbered(dot))
    torch.export.save(ep, at("model.pt2"))
    forget_traces(at("model.pt2"))


def library_cases(root):
    x = torch.randn(2, 5, 16)
    library_case(root, "good-file-pt2-causal-attention", "transformers", Attention(True), x)
    library_case(root, "good-file-pt2-plain-attention", "transformers", Attention(False), x)
    library_case(root, "good-file-pt2-own-attention", "mine", Attention(True, always=True), x)
    library_case(root, "good-file-pt2-bias-of-attention", "transformers", BiasedAttention(False), torch.randn(2, 5, 8), attrs=False)
    library_case(root, "good-file-pt2-causal-bias", "transformers", BiasedAttention(False, causal=True), torch.randn(2, 5, 8), attrs=False, saved=True)
    library_case(root, "good-file-pt2-saved-output", "mine", SavedOutput(), torch.randn(2, 3), saved=True)
    shared, y = Shared(), torch.randn(2, 4)
    at = case(root, "good-file-pt2-shared-block", ["shapes", "CASE/model.pt2", "--format", "tsv"], shapes_of(shared, y))
    torch.export.save(torch.export.export(shared, (y,), strict=False), at("model.pt2"))
    forget_traces(at("model.pt2"))
    library_case(root, "good-file-pt2-added-mask", "transformers", BiasedAttention(True), torch.randn(2, 5, 8))
    library_case(root, "good-file-pt2-positions", "timm", Positions(1), torch.randn(2, 5, 3))
    library_case(root, "good-file-pt2-positions-of-grid", "timm", Positions(0), torch.randn(2, 4, 3))


def state_rows(state, frozen):
    rows = ["name\tkind\tdtype\tshape\trequires_grad"]
    for name, t in state.items():
        rows.append(f"{name}\tparameter\t{str(t.dtype)[6:]}\t{'x'.join(map(str, t.shape))}\t{0 if frozen else int(t.requires_grad)}")
    return "\n".join(rows) + "\n"


def by_module(header):
    """The names of a header module by module, each where its first tensor stands: as a tree lists them."""
    names = [k for k in header if k != "__metadata__"]
    modules = list(dict.fromkeys(k.rpartition(".")[0] for k in names))
    return sorted(names, key=lambda k: (modules.index(k.rpartition(".")[0]), names.index(k)))


def case(root, name, args, expected=None, status=0, message=None):
    d = os.path.join(root, name)
    os.makedirs(d, exist_ok=True)
    with open(os.path.join(d, "args"), "w") as f: f.write("\n".join(args) + "\n")
    if expected is not None:
        with open(os.path.join(d, "expected"), "w") as f: f.write(expected)
    if status:
        with open(os.path.join(d, "status"), "w") as f: f.write(f"{status}\n")
    if message:
        with open(os.path.join(d, "message"), "w") as f: f.write(message)
    return lambda file: os.path.join(d, file)


def main(root):
    torch.manual_seed(0)
    net = Net().eval()
    x = torch.randn(2, 3, 5, 5)
    state = net.state_dict()
    params = lambda f: ["params", "CASE/" + f, "--format", "tsv"]

    at = case(root, "good-file-state", params("state.pth"), state_rows(state, True)); torch.save(state, at("state.pth"))
    at = case(root, "good-file-legacy", params("state.pth"), state_rows(state, True)); torch.save(state, at("state.pth"), _use_new_zipfile_serialization=False)
    nested = {"model": {k: v for k, v in state.items()}, "epoch": 3, "history": [torch.zeros(2), torch.ones(3, dtype=torch.int32)]}
    flat = {**{"model." + k: v for k, v in state.items()}, "history.0": nested["history"][0], "history.1": nested["history"][1]}
    at = case(root, "good-file-nested", params("checkpoint.pth"), state_rows(flat, True)); torch.save(nested, at("checkpoint.pth"))
    base = torch.arange(12.0).reshape(3, 4)
    shared = {"whole": base, "part": base[1:], "turned": base.t(), "half": torch.zeros(2, dtype=torch.float16), "flag": torch.tensor(True)}
    at = case(root, "good-file-shared", params("shared.pth"), state_rows(shared, True)); torch.save(shared, at("shared.pth"))
    seq = nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.ReLU(inplace=True), nn.Flatten(), nn.Linear(36, 2))
    at = case(root, "good-file-module", ["tree", "CASE/module.pth"], str(seq) + "\n"); torch.save(seq, at("module.pth"))

    from safetensors.torch import save_file
    at = case(root, "good-file-safetensors", params("model.safetensors"))
    save_file(state, at("model.safetensors"))
    with open(at("model.safetensors"), "rb") as f: header = json.loads(f.read(int.from_bytes(f.read(8), "little")))
    with open(at("expected"), "w") as f: f.write(state_rows({k: state[k] for k in by_module(header)}, True))
    at = case(root, "good-file-shards", params("model.safetensors.index.json"), state_rows({"a.weight": torch.zeros(2, 3), "b.weight": torch.zeros(4)}, True))
    save_file({"a.weight": torch.zeros(2, 3)}, at("one.safetensors")); save_file({"b.weight": torch.zeros(4)}, at("two.safetensors"))
    with open(at("model.safetensors.index.json"), "w") as f: json.dump({"metadata": {}, "weight_map": {"a.weight": "one.safetensors", "b.weight": "two.safetensors"}}, f)
    case(root, "bad-file-shard-outside", params("model.safetensors.index.json"), status=1, message="does not lie beside the index")
    with open(os.path.join(root, "bad-file-shard-outside", "model.safetensors.index.json"), "w") as f: json.dump({"weight_map": {"a": "../good-file-shards/one.safetensors"}}, f)
    at = case(root, "bad-file-overlap", params("model.safetensors"), status=1, message="overlap")
    header = json.dumps({"a": {"dtype": "F32", "shape": [2], "data_offsets": [0, 8]}, "b": {"dtype": "F32", "shape": [2], "data_offsets": [4, 12]}}).encode()
    with open(at("model.safetensors"), "wb") as f: f.write(len(header).to_bytes(8, "little") + header + bytes(12))
    at = case(root, "good-file-npz", params("arrays.npz"), state_rows({"w": torch.zeros(2, 3), "n": torch.zeros(4, dtype=torch.int64)}, True))
    numpy.savez(at("arrays.npz"), w=numpy.zeros((2, 3), "f4"), n=numpy.zeros(4, "i8"))
    at = case(root, "bad-file-objects", params("arrays.npz"), status=1, message="Python objects")
    numpy.savez(at("arrays.npz"), w=numpy.array([{"a": 1}], dtype=object))

    class Evil:
        def __reduce__(self): return (os.system, ("true",))
    at = case(root, "good-file-pickle-runs-nothing", params("evil.pth"), state_rows({"w": torch.zeros(3)}, True))
    torch.save({"w": torch.zeros(3), "evil": Evil()}, at("evil.pth"))
    at = case(root, "bad-file-cut", params("state.pth"), status=1, message="no end record")
    with open(os.path.join(root, "good-file-state", "state.pth"), "rb") as f: whole = f.read()
    with open(at("state.pth"), "wb") as f: f.write(whole[: len(whole) // 2])
    at = case(root, "bad-file-pickle", params("broken.pkl"), status=1, message="byte 2 of the pickle: there is no opcode 0xff")
    with open(at("broken.pkl"), "wb") as f: f.write(b"\x80\x02\xff.")

    # What is named, and what is no tensor
    special = {"coo": torch.eye(3).to_sparse(), "q": torch.quantize_per_tensor(torch.zeros(2, 3), 0.1, 0, torch.qint8), "e8": torch.empty(2, dtype=torch.float8_e8m0fnu),
               "meta": torch.empty(5, device="meta"), "c": torch.empty(2, dtype=torch.complex32)}
    rows = state_rows(special, True).replace("coo\tparameter\tfloat32", "coo\tparameter\tfloat32 sparse_coo")
    at = case(root, "good-file-dtypes", params("special.pth"), rows); torch.save(special, at("special.pth"))
    step = {"epoch": 3, "model": {"fc.weight": torch.zeros(2, 3)}, "optimizer": {"state": {0: {"step": torch.tensor(1.0)}}, "param_groups": [{"lr": 0.001, "betas": (0.9, 0.999), "params": [0]}]}}
    tree = ("Module(\n  epoch: 3\n  (model): Module(\n    (fc): Module(weight: float32 [2, 3])\n  )\n  (optimizer): Module(\n    (state): Module(\n      (0): Module(step: float32 [])\n    )\n"
            "    (param_groups): Module(\n      (0): Module(\n        lr: 0.001\n        betas: (0.9, 0.999)\n        params: [0]\n      )\n    )\n  )\n)\n")
    at = case(root, "good-file-tree-of-keys", ["tree", "CASE/step.pth"], tree); torch.save(step, at("step.pth"))
    case(root, "good-file-diff", ["diff", "CASE/../good-file-state/state.pth", "CASE/../good-file-state/state.pth"], "")
    case(root, "bad-file-no-graph", ["graph", "CASE/../good-file-state/state.pth"], status=1, message="and no graph; there are two ways to one")
    overview = ("checkpoint: PyTorch checkpoint, by torch.save(), archive version 3\n  parameters  10, of 140 elements\n  buffers     0\n  bytes       564\n"
                "  dtypes      int32 (1), int64 (1), float32 (8)\n  modules     6\n  commands    tree, params, diff, get, check; there is no graph, run DESCRIPTION --weights FILE uses the tensors\n")
    case(root, "good-file-overview", ["CASE/../good-file-nested/checkpoint.pth"], overview)
    deep = []
    for _ in range(100): deep = [deep, deep]
    at = case(root, "good-file-lists-in-lists", params("lists.pkl"), state_rows({}, True))
    with open(at("lists.pkl"), "wb") as f: pickle.dump({"a": deep}, f, 2)
    many = [torch.zeros(1)]
    for _ in range(100): many = [many, many]
    at = case(root, "bad-file-endless-lists", params("lists.pth"), status=1, message="hold one another in too many ways"); torch.save(many, at("lists.pth"))
    calls(root)
    header = json.dumps({"a" + ".a" * 300: {"dtype": "F32", "shape": [1], "data_offsets": [0, 4]}}).encode()
    at = case(root, "bad-file-deep-name", params("model.safetensors"), status=1, message="nests more than 200 modules")
    with open(at("model.safetensors"), "wb") as f: f.write(len(header).to_bytes(8, "little") + header + bytes(4))

    ep = torch.export.export(net, (x,), strict=False)
    at = case(root, "bad-file-pt2-deep-name", ["tree", "CASE/model.pt2"], status=1, message="nests more than 200 modules")
    torch.export.save(torch.export.export(nn.ReLU(), (x,)), at("model.pt2")); add_module(at("model.pt2"), "a" + ".a" * 30000)
    at = case(root, "good-file-pt2-tree", ["tree", "CASE/model.pt2"], str(net) + "\n"); torch.export.save(ep, at("model.pt2")); forget_traces(at("model.pt2"))
    derived = nn.Sequential(PlainConv(3, 4), ChannelLayerNorm(4, eps=1e-6)).eval()
    at = case(root, "good-file-pt2-derived", ["summary", "CASE/model.pt2", "--columns", "output_size,kernel_size"])
    torch.export.save(torch.export.export(derived, (torch.randn(1, 3, 6, 6),), strict=False), at("model.pt2")); forget_traces(at("model.pt2"))
    with open(at("expected"), "w") as f: f.write(str(torchinfo.summary(derived, (1, 3, 6, 6), col_names=("output_size", "kernel_size"), verbose=0)) + "\n")
    with torch.no_grad(): y = net(x)
    at = case(root, "good-file-pt2-run", ["run", "CASE/model.pt2", "--inputs", "CASE/io.npz", "--expect", "CASE/io.npz", "--rtol", "1e-4", "--atol", "1e-5", "--seed", "0", "--format", "json", "--save", "OUT.npz"])
    os.remove(at("args"))
    with open(at("args"), "w") as f: f.write("\n".join(["run", "CASE/../good-file-pt2-tree/model.pt2", "--inputs", "CASE/io.npz", "--expect", "CASE/io.npz", "--rtol", "1e-4", "--atol", "1e-5"]) + "\n")
    numpy.savez(at("io.npz"), in0=x.numpy(), out0=y.numpy())
    at = case(root, "good-file-pt2-strides", ["run", "CASE/model.pt2", "--inputs", "CASE/io.npz", "--expect", "CASE/io.npz"])
    pieces, turned, where = Pieces(), torch.arange(12.0).view(3, 4).t(), torch.tensor([1, -1])
    torch.export.save(torch.export.export(pieces, (turned, where), strict=False), at("model.pt2")); forget_traces(at("model.pt2"))
    numpy.savez(at("io.npz"), in0=turned.numpy(), in1=where.numpy(), **{f"out{i}": t.numpy() for i, t in enumerate(pieces(turned, where))})
    at = case(root, "bad-file-pt2-other-output", ["run", "CASE/../good-file-pt2-tree/model.pt2", "--inputs", "CASE/io.npz", "--expect", "CASE/io.npz"], status=1)
    numpy.savez(at("io.npz"), in0=x.numpy(), out0=y.numpy() + 1)
    at = case(root, "good-file-weights", ["run", "CASE/net.json", "--weights", "CASE/../good-file-state/state.pth", "--inputs", "CASE/../good-file-pt2-run/io.npz",
              "--expect", "CASE/../good-file-pt2-run/io.npz", "--rtol", "1e-4", "--atol", "1e-5"])
    with open(at("net.json"), "w") as f:
        json.dump({"modules": {"conv": "Conv2d(3, 4, 3, padding=1, bias=False)", "norm": "BatchNorm2d(4)", "fc": "Linear(4, 2)"},
                   "forward": ["return self.fc(torch.relu(self.norm(self.conv(x))).mean((2, 3)))"], "inputs": {"x": [2, 3, 5, 5]}}, f, indent=1)
    case(root, "bad-file-weights", ["run", "--expr", "Linear(4, 3)", "--input", "1x4", "--weights", "CASE/../good-file-state/state.pth"], status=1,
         message="missing weight, missing bias, unexpected conv.weight")


if __name__ == "__main__":
    main(sys.argv[1])
    library_cases(sys.argv[1])
