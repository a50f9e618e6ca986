#!/usr/bin/env python3
"""Makes tests/cases/*-script-*: small TorchScript archives, and what PyTorch answers for them.

usage: script-cases.py tests/cases     (needs torch, numpy)
"""
import enum, os, sys, typing, warnings, zipfile
import numpy, torch
import torch.nn.functional as F
from torch import nn

warnings.filterwarnings("ignore")


def case(root, name, args, expected=None, status=0, message=None):
    d = os.path.join(root, name)
    os.makedirs(d, exist_ok=True)
    for file, text in (("args", "\n".join(args) + "\n"), ("expected", expected), ("status", f"{status}\n" if status else None), ("message", message)):
        if text is not None:
            with open(os.path.join(d, file), "w") as f: f.write(text)
    return lambda file: os.path.join(d, file)


def save(module, path, change=lambda name, code: code):
    """Without the source ranges, which name files of the machine; change(entry, code) may write other code."""
    module.save(path)
    with zipfile.ZipFile(path) as z:
        entries = [(i.filename, z.read(i)) for i in z.infolist() if not i.filename.endswith(".debug_pkl")]
    with zipfile.ZipFile(path, "w") as z:
        for name, data in entries:
            if name.endswith(".py"): data = change(name, data.decode()).encode()
            z.writestr(zipfile.ZipInfo(name), data)


def flat(y):
    if isinstance(y, torch.Tensor): return [y]
    return [t for v in (y.values() if isinstance(y, dict) else y) for t in flat(v)]


def run_case(root, name, module, inputs, kind=torch.jit.script):
    at = case(root, name, ["run", "CASE/model.pt", "--inputs", "CASE/io.npz", "--expect", "CASE/io.npz", "--rtol", "1e-4", "--atol", "1e-5"])
    module = module.eval()
    with torch.no_grad(): outputs = flat(module(*inputs))
    numpy.savez(at("io.npz"), **{f"in{i}": x.numpy() for i, x in enumerate(flat(inputs))}, **{f"out{i}": y.numpy() for i, y in enumerate(outputs)})
    save(kind(module), at("model.pt"))


class Pair(typing.NamedTuple):
    left: torch.Tensor
    right: torch.Tensor


@torch.jit.script
class Counter:
    def __init__(self, start: int):
        self.n = start

    def step(self) -> int:
        self.n += 2
        return self.n


class Flow(nn.Module):
    """Control flow, lists, dicts, tuples, strings, objects, casts: what is known while tracing decides."""
    names: typing.List[str]

    def __init__(self):
        super().__init__()
        self.layers = nn.ModuleList([nn.Linear(4, 4) for _ in range(3)])
        self.names = ["sum", "mean"]
        self.scale = 0.5

    def pair(self, x: torch.Tensor, n: int) -> Pair:
        return Pair(x[:n], x[n:])

    def forward(self, x: torch.Tensor, mask: typing.Optional[torch.Tensor] = None, parts: typing.Optional[typing.List[torch.Tensor]] = None):
        if x.dim() == 3:
            x = x.flatten(0, 1)
        for i, layer in enumerate(self.layers):
            x = layer(x)
            if i % 2 == 0 and i != 4 // 3:
                x = F.relu(x)
        rows: typing.List[torch.Tensor] = []
        k, counter = 0, Counter(1)
        while True:
            rows.append(x[k] * counter.step())
            k += 1
            if k >= x.size(0) or len(rows) > 5:
                break
        y = torch.stack(rows[::-1])
        if mask is not None:
            y = y + mask
        if self.training:
            y = F.dropout(y, 0.5)
        two = self.pair(y, y.shape[0] // 2)
        out: typing.Dict[str, torch.Tensor] = {}
        for name in self.names:
            out[name] = two.left.sum(0) * self.scale if name == "sum" else two.right.mean(0)
        if "sum" not in out or f"{k}" == "":
            raise ValueError("nothing was summed")
        if parts is not None:
            for p in parts:
                y = y + p
        return y, out, [two.left, two.right]


class Kind(enum.Enum):
    PLAIN = 1
    SHIFTED = 2


class Objects(nn.Module):
    """Enums, contexts, forks, dicts of modules, methods of lists and strings."""
    sizes: typing.Dict[str, int]

    def __init__(self):
        super().__init__()
        self.sizes = {"a": 1, "b": 2}
        self.kind = Kind.SHIFTED
        self.first = nn.Linear(4, 4)
        self.rest = nn.ModuleDict({"p": nn.Linear(4, 4), "q": nn.ReLU()})

    @torch.jit.export
    def twice(self, x: torch.Tensor) -> torch.Tensor:
        return x * 2

    def forward(self, x: torch.Tensor):
        total = 0
        for _, size in self.sizes.items():
            total += size
        if self.kind == Kind.SHIFTED:
            x = x + total
        for _, layer in self.rest.items():
            x = layer(x)
        with torch.no_grad():
            z = self.first(x)
        numbers = list(range(3))
        numbers.reverse()
        numbers.extend([7, 5])
        numbers.sort()
        rows = [x[i] + 1 for i in range(x.size(0))]
        rows.insert(0, x[0])
        last = rows.pop()
        name = "abc".upper() + str(total)
        y = torch.jit.wait(torch.jit.fork(self.twice, x + z))
        return y.view(x.shape[0], -1) * float(numbers[-1]) / min(len(name), 3), last, torch.stack(rows), z


class Sizes(nn.Module):
    """What a tracer writes: sizes as tensors."""

    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(2, 4, 3, padding=1)
        self.register_buffer("position", torch.arange(16.0).reshape(1, 4, 4))

    def forward(self, x):
        y = self.conv(x)
        b, c, h, w = y.shape
        y = y.reshape(b, c * (h // 2), 2 * w).transpose(1, 2)
        return y[:, :, : c + 1] / (c ** 0.5), F.interpolate(x, size=(h * 2, w + 1)), y[:, -1].softmax(-1), self.position[:, : h - 2, 1] + torch.arange(w, dtype=torch.float32).mean()


class Indexed(nn.Module):
    """Python leaves out slices of whole dimensions; the tracer writes them."""

    def forward(self, x):
        return x[0], x[:, :, :], x[:, 1:2, :], x[:, None], x[:, :, torch.tensor([1, 0])].transpose(0, 1)[:2, :].transpose(0, 1).expand(2, 2, 2).reshape(2, 2, 2).repeat(1, 1, 2)


class NamedSlice(nn.Module):
    """A slice of everything that is read again beside what is taken of it."""

    def forward(self, x):
        y = x[:]
        z = y.select(1, 0)
        return z + y


class Twice(nn.Module):
    def __init__(self):
        super().__init__()
        self.layer = nn.Linear(4, 4)

    def forward(self, x):
        return self.layer(torch.relu(self.layer(x)))


class Sum(nn.Module):
    """Lists of what may be None, or be empty."""

    def forward(self, x: typing.List[typing.Optional[torch.Tensor]], y: typing.List[typing.List[torch.Tensor]]):
        total = torch.zeros(2)
        for t in x:
            if t is not None:
                total = total + t
        for l in y:
            for t in l:
                total = total * t
        return total


class Repeat(nn.Module):
    def forward(self, x: torch.Tensor, n: int) -> torch.Tensor:
        return x.to(x.device).repeat(n)


class Content(nn.Module):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        if bool(x.sum() > 0):
            return x + 1
        return x


class Checked(nn.Module):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        if x.dim() != 2:
            raise ValueError(f"expected a matrix, got {x.dim()} dimensions")
        return x * 2


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.body = nn.Sequential(nn.Conv2d(3, 4, 3, stride=2, bias=False), nn.BatchNorm2d(4), nn.ReLU(inplace=True), nn.MaxPool2d(2), nn.Dropout(0.2))
        self.embedding = nn.Embedding(5, 4, padding_idx=0)
        self.rnn = nn.LSTM(4, 4, 2, batch_first=True, bidirectional=True)
        self.norm = nn.LayerNorm(8)
        self.fc = nn.Linear(8, 2)

    def forward(self, x: torch.Tensor, ids: torch.Tensor) -> torch.Tensor:
        y, _ = self.rnn(self.body(x).flatten(2).transpose(1, 2) + self.embedding(ids))
        return self.fc(self.norm(y).mean(1))


def main(root):
    torch.manual_seed(0)
    run_case(root, "good-script-flow", Flow(), [torch.randn(2, 2, 4)])
    run_case(root, "good-script-list", Flow(), [torch.randn(2, 2, 4), torch.randn(4), [torch.randn(4), torch.randn(4, 4)]])
    run_case(root, "good-script-list-of-optional", Sum(), [[torch.randn(2), torch.randn(2)], []])
    run_case(root, "good-script-objects", Objects(), [torch.randn(3, 4)])
    run_case(root, "good-script-trace", Sizes(), [torch.randn(2, 2, 6, 4)], lambda m: torch.jit.trace(m, torch.zeros(1, 2, 8, 8)))
    run_case(root, "good-script-frozen", nn.Sequential(nn.Conv2d(2, 3, 3), nn.BatchNorm2d(3), nn.ReLU()), [torch.randn(1, 2, 5, 5)], lambda m: torch.jit.freeze(torch.jit.script(m)))
    run_case(root, "good-script-attention", nn.MultiheadAttention(8, 2, batch_first=True), [torch.randn(2, 3, 8)] * 3)
    net, inputs = Net().eval(), [torch.randn(2, 3, 7, 7), torch.tensor([[1], [4]])]
    run_case(root, "good-script-net", net, inputs)
    case(root, "good-script-tree", ["tree", "CASE/../good-script-net/model.pt"], str(net) + "\n")
    at = case(root, "good-script-traced-tree", ["tree", "CASE/model.pt"], str(net) + "\n"); save(torch.jit.trace(net, tuple(inputs)), at("model.pt"))
    at = case(root, "good-script-called-twice", ["shapes", "CASE/model.pt", "--format", "tsv"], "module\tclass\toutput\nlayer\tLinear\t2x4\nlayer\tLinear\t2x4\n\tTwice\t2x4\n")
    save(torch.jit.trace(Twice(), torch.zeros(2, 4)), at("model.pt"))
    rows = [f"{n}\tparameter\t{str(p.dtype)[6:]}\t{'x'.join(map(str, p.shape))}\t1" for n, p in net.named_parameters()]
    rows += [f"{n}\tbuffer\t{str(p.dtype)[6:]}\t{'x'.join(map(str, p.shape))}\t0" for n, p in net.named_buffers()]
    case(root, "good-script-params", ["params", "CASE/../good-script-net/model.pt", "--format", "tsv"], "name\tkind\tdtype\tshape\trequires_grad\n" + "\n".join(rows) + "\n")
    case(root, "bad-script-no-input", ["graph", "CASE/../good-script-flow/model.pt"], status=2, message="forward wants x: Tensor, mask: Optional[Tensor] (optional), parts: Optional[List[Tensor]] (optional); give shapes with --input")
    case(root, "bad-script-too-many", ["graph", "CASE/../good-script-net/model.pt"] + ["--input", "2x3x7x7"] * 3, status=2, message="is one too many: forward takes (")
    indexed = torch.jit.trace(Indexed(), torch.zeros(2, 3, 4))
    at = case(root, "good-script-slices", ["shapes", "CASE/model.pt", "--format", "tsv"], "module\tclass\toutput\n\tIndexed\t3x4 2x3x4 2x1x4 2x1x3x4 2x2x4\n".replace(" ", ","))
    save(indexed, at("model.pt"))
    at = case(root, "good-script-slices-autograd", ["graph", "CASE/../good-script-slices/model.pt", "--view", "autograd", "-o", "OUT.gv"])
    at = case(root, "good-script-named-slice", ["run", "CASE/model.pt", "--inputs", "CASE/io.npz", "--expect", "CASE/io.npz"]); save(torch.jit.script(NamedSlice()), at("model.pt"))
    x = torch.arange(16.0).view(4, 4)
    numpy.savez(at("io.npz"), in0=x.numpy(), out0=NamedSlice()(x).numpy())
    at = case(root, "good-script-int", ["shapes", "CASE/model.pt", "--input", "x=3", "--input", "n=4", "--format", "tsv"], "module\tclass\toutput\n\tRepeat\t12\n"); save(torch.jit.script(Repeat()), at("model.pt"))
    case(root, "bad-script-no-int", ["shapes", "CASE/../good-script-int/model.pt", "--input", "x=3"], status=2, message="forward wants x: Tensor, n: int;")
    at = case(root, "bad-script-content", ["shapes", "CASE/model.pt", "--input", "3"], status=1, message="code/__torch__.py:8: the value of a tensor decides which way to go; it is not known while tracing")
    save(torch.jit.script(Content()), at("model.pt"))
    at = case(root, "bad-script-raises", ["shapes", "CASE/model.pt", "--input", "3"], status=1, message="the code raises an error: expected a matrix, got 1 dimensions")
    save(torch.jit.script(Checked()), at("model.pt"))
    linear = torch.jit.script(nn.Linear(3, 2))
    at = case(root, "bad-script-calls-itself", ["shapes", "CASE/model.pt", "--input", "1x3"], status=1, message="calls are nested deeper than nnscope allows")
    save(linear, at("model.pt"), lambda name, code: code.replace("    weight = self.weight\n", "    _9 = (self).again(input, )\n    weight = self.weight\n")
         + "  def again(self, x: Tensor) -> Tensor:\n    return (self).again(x, )\n")
    at = case(root, "good-script-broken-code", ["params", "CASE/model.pt", "--format", "tsv"], "name\tkind\tdtype\tshape\trequires_grad\nweight\tparameter\tfloat32\t2x3\t1\nbias\tparameter\tfloat32\t2\t1\n")
    save(linear, at("model.pt"), lambda name, code: code.replace("class Linear(Module):", "class Linear(Module:"))
    at = case(root, "bad-script-broken-function", ["shapes", "CASE/model.pt", "--input", "1x3"], status=1, message="14:46: expected ',', found the end of the line")
    save(linear, at("model.pt"), lambda name, code: code.replace("return torch.linear(", "return torch.linear(("))


if __name__ == "__main__":
    main(sys.argv[1])
