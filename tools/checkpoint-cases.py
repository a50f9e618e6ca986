#!/usr/bin/env python3
"""Makes tests/cases/*-checkpoint-*: what pickles hold besides plain tensors, in every protocol, and what PyTorch finds in them.

usage: checkpoint-cases.py tests/cases     (needs torch, numpy)
"""
import collections, io, os, pickle, struct, sys, tarfile, warnings, zipfile

import numpy, torch
from torch import nn

warnings.filterwarnings("ignore")
Pair = collections.namedtuple("Pair", "first second")


class Wrapped(torch.Tensor):
    """A tensor that wraps others, as torchao's quantised weights do."""
    __torch_function__ = torch._C._disabled_torch_function_impl

    @staticmethod
    def __new__(cls, inner): return torch.Tensor._make_wrapper_subclass(cls, inner.shape, dtype=torch.bfloat16, strides=inner.stride())
    def __init__(self, inner): self.inner = inner
    @classmethod
    def __torch_dispatch__(cls, function, types, args=(), kwargs=None): return NotImplemented


def rows(found):
    return "name\tkind\tdtype\tshape\trequires_grad\n" + "".join(f"{n}\tparameter\t{d}\t{s}\t{g}\n" for n, d, s, g in found)


def of(tensors):
    return [(n, str(t.dtype).replace("torch.", ""), "x".join(map(str, t.shape)), int(getattr(t, "requires_grad", False))) for n, t in tensors.items()]


def case(root, name, args, expected=None, message=None):
    d = os.path.join(root, name)
    os.makedirs(d, exist_ok=True)
    for file, text in (("args", "\n".join(args) + "\n"), ("expected", expected), ("message", message), ("status", "1\n" if message else None)):
        if text is not None:
            with open(os.path.join(d, file), "w") as f: f.write(text)
    return lambda file: os.path.join(d, file)


def save_tar(tensors, path):
    """As PyTorch 0.1.9 did; the classes are written by name, since they are no more."""
    def item(values, kind): return b"\x80\x02(" + b"".join(pickle.dumps(v, 2)[2:-1] for v in values) + b"ctorch\n" + kind + b"\nt."
    class Pickler(pickle._Pickler):
        def persistent_id(self, o): return str(1000 + list(map(id, tensors.values())).index(id(o))) if isinstance(o, torch.Tensor) else None
    parts = {n: io.BytesIO() for n in ("storages", "tensors", "pickle")}
    roots = {t.untyped_storage().data_ptr(): t for t in tensors.values()}
    for name, n in (("storages", len(roots)), ("tensors", len(tensors))): pickle.dump(n, parts[name], 2)
    for i, t in enumerate(roots.values()):
        raw = bytes(t.untyped_storage().tolist())
        parts["storages"].write(item([i, "cpu"], b"FloatStorage") + struct.pack("<q", len(raw) // 4) + raw)
    pickle.dump([], parts["storages"], 2)
    for i, t in enumerate(tensors.values()):
        n, key = t.dim(), list(roots).index(t.untyped_storage().data_ptr())
        parts["tensors"].write(item([1000 + i, key], b"FloatTensor") + struct.pack(f"<ii{2 * n + 1}q", n, 0, *t.shape, *t.stride(), t.storage_offset()))
    Pickler(parts["pickle"], 2).dump(collections.OrderedDict(tensors))
    parts["sys_info"] = io.BytesIO()
    pickle.dump({"protocol_version": 1000, "little_endian": True}, parts["sys_info"], 2)
    with tarfile.open(path, "w:", format=tarfile.PAX_FORMAT) as tar:
        for name in "sys_info", "pickle", "tensors", "storages":
            data = parts[name]
            info = tarfile.TarInfo(name)
            info.size = data.tell()
            data.seek(0)
            tar.addfile(info, data)


def main(root):
    torch.manual_seed(0)
    params = lambda f: ["params", "CASE/" + f, "--format", "tsv"]
    x = torch.randn(2, 3)
    state = {"b": torch.zeros(4, dtype=torch.int64), "a.weight": x, "a.bias": x[1]}

    for protocol in (1, 4, 5):
        at = case(root, f"good-checkpoint-legacy-protocol{protocol}", params("state.pth"), rows(of(state)))
        torch.save(state, at("state.pth"), _use_new_zipfile_serialization=False, pickle_protocol=protocol)
    tar = {"turned": x.t(), "conv.weight": x, "conv.bias": x[1]}
    at = case(root, "good-checkpoint-tar", params("model.tar"), rows(of(tar))); save_tar(tar, at("model.tar"))
    with open(at("model.tar"), "rb") as f: whole = f.read()
    at = case(root, "bad-checkpoint-tar-cut", params("model.tar"), message="reach beyond the end of the file")
    with open(at("model.tar"), "wb") as f: f.write(whole[:560])

    arrays = {"f": numpy.zeros((2, 3), "f4"), "turned": numpy.asfortranarray(numpy.arange(6.0).reshape(2, 3)), "empty": numpy.zeros((0, 4)), "big": numpy.ones(3, ">i4"),
              "half": numpy.zeros(2, "f2"), "flag": numpy.array([True]), "z": numpy.zeros(1, "c8"), "scalar": numpy.float64(0.5), "point": numpy.array(3)}
    found = [(n, str(a.dtype.newbyteorder("=")), "x".join(map(str, a.shape)), 0) for n, a in arrays.items()]
    arrays = {**arrays, "text": numpy.array(["ab"]), "objects": numpy.array([None], dtype=object), "when": numpy.array(["2020-01-01"], "M8[D]")}
    for protocol in range(6):
        at = case(root, f"good-checkpoint-numpy-protocol{protocol}", params("arrays.pkl"), rows(found))
        with open(at("arrays.pkl"), "wb") as f: pickle.dump(arrays, f, protocol)
    at = case(root, "good-checkpoint-numpy-bytes", ["diff", "CASE/../good-checkpoint-numpy-protocol2/arrays.pkl", "CASE/../good-checkpoint-numpy-protocol5/arrays.pkl"], "")

    grad = nn.Parameter(x.clone())
    grad.note = {"inner": x}
    kinds = {"attributes": grad, "buffer": nn.Buffer(torch.zeros(3)), "frozen": nn.Parameter(torch.zeros(2), requires_grad=False), "meta": nn.Parameter(torch.empty(5, device="meta")),
             "quint4x2": torch.quantize_per_channel(x, torch.ones(2), torch.zeros(2), 0, torch.quint4x2), "bits": torch.empty(3, dtype=torch.bits16),
             "u16": torch.zeros(2, dtype=torch.uint16), "wrapped": Wrapped(x), "conj": torch.zeros(2, dtype=torch.complex64).conj()}
    special = of(kinds) + [("nested", "float32 nested", "?", 0), ("later", "float32", "?", 1), ("pair.0", "float32", "2x3", 0)]
    at = case(root, "good-checkpoint-kinds", params("kinds.pth"), rows(special))
    torch.save({**kinds, "nested": torch.nested.nested_tensor([x, x[:1]]), "later": nn.UninitializedParameter(), "pair": Pair(x, 3)}, at("kinds.pth"))

    names = {"a.b": x, 1: x, (1, "a"): x, None: x, 2.5: x, b"by": x, torch.float32: x, "ünï": x, "new\nline": x, "red\x1b[31m": x, "nul\0": x, "\u202eturned": x}
    shown = {"red\x1b[31m": "red\\x1b[31m", "new\nline": "new\\nline", "nul\0": "nul\\x00", "\u202eturned": "\\u202eturned"}
    order = sorted(names, key=lambda k: "." in str(k))  # those with a dot stand in modules, which come later
    at = case(root, "good-checkpoint-names", params("names.pth"), rows(of({shown.get(k, str(k)): names[k] for k in order}))); torch.save(names, at("names.pth"))

    raw = b"\x80\x02}(X\x01\0\0\0aK\x01X\x01\0\0\0aK\x02u."
    at = case(root, "good-checkpoint-last-of-equal-keys", ["tree", "CASE/twice.pkl"], "Module(a: 2)\n")
    with open(at("twice.pkl"), "wb") as f: f.write(raw)

    at = case(root, "bad-checkpoint-crc", params("state.pth"), message="state/data.pkl: byte 64: the CRC-32 of its")
    torch.save({"a.weight": x}, at("state.pth"))
    with open(at("state.pth"), "rb") as f: data = bytearray(f.read())
    data[data.index(b"a.weight")] ^= 1
    with open(at("state.pth"), "wb") as f: f.write(data)


main(sys.argv[1])
