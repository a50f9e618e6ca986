#!/usr/bin/env python3
"""Reading tables of contents: bench/files.py NNSCOPE [FOLDER]

Files of 100 GB (holes on disk), of 100,000 tensors, and programs of 2,000 operators, which it makes itself in FOLDER (or a
temporary one).  `nnscope params` beside torch.load(mmap=True) and safetensors.safe_open, in turns in the same run; least of
all rounds.  nnscope's time is a whole process, the others' is the call alone.  Exit 1 when a limit of the README is broken.
Needs torch, safetensors and numpy.
"""
import collections, io, json, os, pickle, struct, subprocess, sys, tempfile, time, zipfile, zlib

import numpy
import torch
from safetensors import safe_open

ROUNDS, HUGE, MANY, NODES = 7, 100 << 30, 100000, 2000
SLICES = 10  # tensors of a huge file


# ---- Making files -----------------------------------------------------------------

class Hole:
    """Bytes that are not on disk."""
    def __init__(self, size): self.size = size


def put(f, data):
    if isinstance(data, Hole): f.seek(data.size, 1)
    else: f.write(data)


def write_zip(path, entries):
    """Stored entries as torch.save and NumPy write them, with zip64 where it is needed."""
    directory, count = [], 0
    with open(path, "wb") as f:
        for name, data in entries:
            at, size = f.tell(), data.size if isinstance(data, Hole) else len(data)
            crc = 0 if isinstance(data, Hole) else zlib.crc32(data)
            wide = struct.pack("<HHQQQ", 1, 24, size, size, at)
            f.write(struct.pack("<IHHHHHIIIHH", 0x04034b50, 45, 0, 0, 0, 0, crc, 0xffffffff, 0xffffffff, len(name), len(wide)) + name.encode() + wide)
            put(f, data)
            directory.append(struct.pack("<IHHHHHHIIIHHHHHII", 0x02014b50, 45, 45, 0, 0, 0, 0, crc, 0xffffffff, 0xffffffff, len(name), len(wide), 0, 0, 0, 0, 0xffffffff) + name.encode() + wide)
            count += 1
        at, whole = f.tell(), b"".join(directory)
        f.write(whole)
        f.write(struct.pack("<IQHHIIQQQQ", 0x06064b50, 44, 45, 45, 0, 0, count, count, len(whole), at) + struct.pack("<IIQI", 0x07064b50, 0, at + len(whole), 1))
        f.write(struct.pack("<IHHHHIIH", 0x06054b50, 0, 0, 0xffff, 0xffff, 0xffffffff, 0xffffffff, 0))


class Storage:
    def __init__(self, key, n): self.key, self.n = key, n


class Tensor:
    def __init__(self, key, n): self.storage = Storage(key, n)
    def __reduce__(self): return torch._utils._rebuild_tensor_v2, (self.storage, 0, (self.storage.n,), (1,), False, collections.OrderedDict())


class Pickler(pickle.Pickler):
    def persistent_id(self, o): return ("storage", torch.FloatStorage, o.key, "cpu", o.n) if isinstance(o, Storage) else None


def pickled(o):
    out = io.BytesIO()
    Pickler(out, 2).dump(o)
    return out.getvalue()


def names(count): return [f"layers.{i // 4}.weight_{i % 4}" for i in range(count)]


def floats(n): return Hole(4 * n) if n > 1000 else bytes(4 * n)


def make_zip(path, count, n):
    state = {name: Tensor(str(i), n) for i, name in enumerate(names(count))}
    write_zip(path, [("m/data.pkl", pickled(state)), ("m/byteorder", b"little")] + [(f"m/data/{i}", floats(n)) for i in range(count)] + [("m/version", b"3\n")])


def make_legacy(path, count, n):
    with open(path, "wb") as f:
        for o in (0x1950a86a20f9469cfc6c, 1001, {"protocol_version": 1001, "little_endian": True, "type_sizes": {"short": 2, "int": 4, "long": 4}}): pickle.dump(o, f, 2)
        f.write(pickled({name: Tensor(str(i), n) for i, name in enumerate(names(count))}))
        pickle.dump([str(i) for i in range(count)], f, 2)
        for _ in range(count):
            f.write(struct.pack("<q", n))
            put(f, floats(n))
        f.truncate(f.tell())


def make_safetensors(path, count, n):
    header = json.dumps({name: {"dtype": "F32", "shape": [n], "data_offsets": [4 * n * i, 4 * n * (i + 1)]} for i, name in enumerate(names(count))}).encode()
    with open(path, "wb") as f:
        f.write(len(header).to_bytes(8, "little") + header)
        f.truncate(8 + len(header) + 4 * n * count)


def make_index(path, count, n):
    folder, all_names, part = os.path.dirname(path), names(count), (count + SLICES - 1) // SLICES
    where = {}
    for i in range(SLICES):
        mine, file = all_names[i * part:(i + 1) * part], f"model-{i:05}.safetensors"
        header = json.dumps({name: {"dtype": "F32", "shape": [n], "data_offsets": [4 * n * k, 4 * n * (k + 1)]} for k, name in enumerate(mine)}).encode()
        with open(os.path.join(folder, file), "wb") as f:
            f.write(len(header).to_bytes(8, "little") + header)
            f.truncate(8 + len(header) + 4 * n * len(mine))
        where.update({name: file for name in mine})
    with open(path, "w") as f: json.dump({"metadata": {"total_size": 4 * n * count}, "weight_map": where}, f)


def npy_header(n):
    out = io.BytesIO()
    numpy.lib.format.write_array_header_1_0(out, {"descr": "<f4", "fortran_order": False, "shape": (n,)})
    return out.getvalue()


def make_npy(path, count, n):
    with open(path, "wb") as f:
        f.write(npy_header(n * count))
        f.truncate(f.tell() + 4 * n * count)


class Array(Hole):
    """A header and a hole."""
    def __init__(self, n):
        self.header = npy_header(n)
        super().__init__(len(self.header) + 4 * n)


def make_npz(path, count, n):
    if n <= 1000: return write_zip(path, [(name + ".npy", npy_header(n) + bytes(4 * n)) for name in names(count)])
    write_zip(path, [(name + ".npy", Array(n)) for name in names(count)])
    with zipfile.ZipFile(path) as z: offsets = [i.header_offset + 30 + len(i.filename) + 28 for i in z.infolist()]
    with open(path, "r+b") as f:
        for at in offsets:
            f.seek(at)
            f.write(npy_header(n))


def exported(count):
    """The JSON of a program with that many parameters."""
    class Sum(torch.nn.Module):
        def __init__(self):
            super().__init__()
            for i in range(2): self.register_parameter(f"w{i}", torch.nn.Parameter(torch.zeros(4)))
        def forward(self, x): return x + self.w0 + self.w1
    out = io.BytesIO()
    torch.export.save(torch.export.export(Sum(), (torch.zeros(4),)), out)
    with zipfile.ZipFile(out) as z: return {i.filename.split("/", 1)[1]: z.read(i) for i in z.infolist()}


def set_sizes(meta, n): return {**meta, "sizes": [{"as_int": n}]}


def make_pt2(path, count, n):
    parts = exported(count)
    program = json.loads(parts["models/model.json"])
    graph, signature = program["graph_module"]["graph"], program["graph_module"]["signature"]
    first, meta = graph["inputs"][0]["as_tensor"]["name"], None
    meta = graph["tensor_values"][first]
    spec = json.dumps(signature["input_specs"][0])
    graph["inputs"], signature["input_specs"] = graph["inputs"][2:], signature["input_specs"][2:]
    graph["nodes"] = [{**node, "inputs": node["inputs"][:1] + [{**node["inputs"][0], "name": "other"}]} for node in graph["nodes"][:1]]
    graph["outputs"] = graph["nodes"][0]["outputs"]
    signature["output_specs"] = json.loads(json.dumps(signature["output_specs"]).replace(json.dumps(program["graph_module"]["graph"]["outputs"][0])[1:-1], ""))
    signature["output_specs"][0] = {"user_output": {"arg": graph["outputs"][0]}}
    config = {}
    weight = json.loads(parts["data/weights/model_weights_config.json"])["config"]
    described = next(iter(weight.values()))
    for i, name in enumerate(names(count)):
        value = f"p_{i}"
        graph["tensor_values"][value] = set_sizes(meta, n)
        graph["inputs"].insert(i, {"as_tensor": {"name": value}})
        signature["input_specs"].insert(i, json.loads(spec.replace(f'"{first}"', f'"{value}"').replace('"w0"', f'"{name}"')))
        config[name] = {**described, "path_name": f"weight_{i}", "tensor_meta": set_sizes(described["tensor_meta"], n)}
    parts["models/model.json"] = json.dumps(program).encode()
    parts["data/weights/model_weights_config.json"] = json.dumps({"config": config}).encode()
    kept = [(f"m/{k}", v) for k, v in parts.items() if not k.startswith("data/weights/weight_")]
    write_zip(path, kept + [(f"m/data/weights/weight_{i}", floats(n)) for i in range(count)])


def make_chain(path, nodes, unused):
    """A program of that many operators, and values that none of them uses."""
    class Chain(torch.nn.Module):
        def forward(self, x):
            for _ in range(nodes // 2): x = torch.relu(x + 1)
            return x
    out = io.BytesIO()
    torch.export.save(torch.export.export(Chain(), (torch.zeros(4, 4),)), out)
    with zipfile.ZipFile(out) as z: parts = {i.filename: z.read(i) for i in z.infolist()}
    file = next(k for k in parts if k.endswith("models/model.json"))
    program = json.loads(parts[file])
    values = program["graph_module"]["graph"]["tensor_values"]
    for i in range(unused): values[f"unused_{i}"] = next(iter(values.values()))
    parts[file] = json.dumps(program).encode()
    write_zip(path, list(parts.items()))


# ---- Measuring ----------------------------------------------------------------------

def own(words):
    """Milliseconds of a process, and its megabytes when GNU time is there: a child of Python's would count Python's own."""
    start = time.perf_counter()
    if subprocess.run(words, stdout=subprocess.DEVNULL).returncode: sys.exit(f"{' '.join(words)} failed")
    return (time.perf_counter() - start) * 1e3


def peak(words):
    if not os.path.exists("/usr/bin/time"): return None
    return int(subprocess.run(["/usr/bin/time", "-f", "%M", *words], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True).stderr.split()[-1]) / 1e3


def torch_load(path): return len(torch.load(path, mmap=True, weights_only=True))


def safetensors_open(path):
    with safe_open(path, "pt") as f: return [f.get_slice(k).get_shape() for k in f.keys()]


FORMATS = [("safetensors", "m.safetensors", make_safetensors, safetensors_open), ("zip .pth", "m.pth", make_zip, torch_load), ("legacy .pth", "old.pth", make_legacy, None),
           ("npz", "m.npz", make_npz, None), ("npy", "m.npy", make_npy, None), (".pt2", "m.pt2", make_pt2, None), ("sharded index", "m.safetensors.index.json", make_index, None)]
failed = []


def row(what, words, beside=None, most_ms=None, most_mb=None):
    ms, mb, other, problem = [], peak(words), [], None
    for _ in range(ROUNDS):
        ms.append(own(words))
        if beside and not problem:
            start = time.perf_counter()
            try: beside()
            except Exception as e: problem = "cannot: " + str(e).splitlines()[0][:60]
            other.append((time.perf_counter() - start) * 1e3)
    broken = (most_ms and min(ms) > most_ms) or (most_mb and mb and mb > most_mb)
    if broken: failed.append(what)
    against = problem or f"{min(other):.1f} ms, {min(other) / min(ms):.1f} times nnscope" if other else ""
    print(f"| {what:34} | {min(ms):7.1f} ms | {f'{mb:6.1f} MB' if mb else '-':9} | {against:32} |{' over the limit' if broken else ''}", flush=True)


def main():
    program = os.path.abspath(sys.argv[1])
    with tempfile.TemporaryDirectory(dir=sys.argv[2] if len(sys.argv) > 2 else None) as folder:
        print(f"torch {torch.__version__}; the other side is torch.load(mmap=True) or safe_open, without starting Python")
        for what, count, n, ms, mb in (("100 GB", SLICES, HUGE // 4 // SLICES, 30, 30), ("100,000 tensors", MANY, 2, 500, None)):
            for name, file, make, beside in FORMATS:
                if name == "npy" and count == MANY: continue
                os.makedirs(os.path.join(folder, what), exist_ok=True)
                path = os.path.join(folder, what, file)
                make(path, count, n)
                row(f"{what}, {name}", [program, "params", path], beside and (lambda: beside(path)), ms, mb)
        path = os.path.join(folder, "chain.pt2")
        make_chain(path, NODES, 0)
        row(f"{NODES:,} operators, graph x.gv", [program, "graph", path, "-o", os.path.join(folder, "x.gv")], None, 50)
        for unused in (50000, 100000):
            make_chain(path, 10, unused)
            row(f"{unused:,} unused values, params", [program, "params", path])
    if failed: sys.exit("over the limit: " + "; ".join(failed))


main()
