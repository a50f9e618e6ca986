#!/usr/bin/env python3
"""Makes tests/cases/*-audit-*: small files that hide what they would run.

usage: audit-cases.py tests/cases
"""
import gzip, io, os, struct, sys, tarfile, zipfile

EVIL = b"\x80\x02cposix\nsystem\n(X\x04\0\0\0truetR."
EVIL0 = b"cposix\nsystem\n(S'true'\ntR."
GOOD = b"\x80\x02}X\x01\0\0\0aK\x01s."


def case(root, name, file, data, expected, status=1):
    d = os.path.join(root, name)
    os.makedirs(d, exist_ok=True)
    with open(os.path.join(d, file), "wb") as f: f.write(data)
    for n, text in (("args", f"audit\nCASE/{file}\n--format\njson\n"), ("status", f"{status}\n" if status else None)):
        if text:
            with open(os.path.join(d, n), "w") as f: f.write(text)
    rows = "".join(f"{',' if i else ''}\n    {{\"level\": \"{l}\", \"rule\": \"{r}\", \"entry\": \"{e}\", \"byte\": {b}, \"what\": \"{w}\", \"why\": \"{y}\"}}" for i, (l, r, e, b, w, y) in enumerate(expected))
    with open(os.path.join(d, "expected"), "w") as f:
        f.write(f"[\n  {{\"file\": \"CASE/{file}\", \"dangerous\": {'true' if status else 'false'}, \"findings\": [{rows}{chr(10) + '  ' if rows else ''}], \"dropped\": 0}}\n]\n")


def archive(entries, comment=b""):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as z:
        for name, data in entries: z.writestr(zipfile.ZipInfo(name), data)
        z.comment = comment
    return out.getvalue()


def shift(data, at, extra):
    """The archive with bytes put in before its entry at `at`; what the directory says of places moves along."""
    moved = bytearray(data[:at] + extra + data[at:])
    end = moved.rindex(b"PK\5\6")
    start = struct.unpack_from("<I", moved, end + 16)[0] + len(extra)
    struct.pack_into("<I", moved, end + 16, start)
    while moved[start:start + 4] == b"PK\1\2":
        n, x, c = struct.unpack_from("<HHH", moved, start + 28)
        local = struct.unpack_from("<I", moved, start + 42)[0]
        if local >= at: struct.pack_into("<I", moved, start + 42, local + len(extra))
        start += 46 + n + x + c
    return bytes(moved)


def packed(entries):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as z:
        for name, data in entries: z.writestr(zipfile.ZipInfo(name), data, zipfile.ZIP_DEFLATED)
    return out.getvalue()


def tar_of(entries):
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w:", format=tarfile.USTAR_FORMAT) as tar:
        for name, data in entries:
            info = tarfile.TarInfo(name)
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))
    return out.getvalue().rstrip(b"\0") + bytes(1024)


def seal(data, at):
    """The sum of a tar header, after changes to it."""
    data[at + 148:at + 156] = b" " * 8
    data[at + 148:at + 156] = b"%06o\0 " % sum(data[at:at + 512])


def old_headers(data):
    """Headers without the magic, as before POSIX."""
    data = bytearray(data)
    for at in range(0, len(data) - 511, 512):
        if data[at + 257:at + 262] == b"ustar":
            data[at + 257:at + 265] = bytes(8)
            seal(data, at)
    return bytes(data)


def npy(descr, size):
    """Magic and header of an array, of version 2 and of that many bytes."""
    head = f"{{'descr': {descr}, 'fortran_order': False, 'shape': (1,), }}".encode()
    head = head.ljust(max(size, len(head) + 1) - 1) + b"\n"
    return b"\x93NUMPY\x02\0" + struct.pack("<I", len(head)) + head


def with_two(root, name, data, second, inside):
    """Two archives, the later end record with a comment that reaches beyond the file."""
    rest = len(data) - second
    case(root, name, "model.pt", data, [("danger", "zip-directory", "", 0, "another end record follows its own", "readers disagree what the archive holds"),
         ("danger", "data-after-end", "", second, f"{rest} bytes follow the archive", "an entry that the directory does not name"),
         ("review", "zip-damaged", "", second, "cannot be read: the zip archive has no end record: it is cut off, or not an archive", "its entries were looked for without the directory")]
         + inside("m/data.pkl", 2, EVIL) + inside("m/data.pkl", 2, EVIL))


def main(root):
    runs = "runs commands or programs"
    two = archive([("m/data.pkl", GOOD), ("m/version", b"3\n")])
    second = two.index(b"PK\3\4", 4)
    pad = b"some padding of forty bytes, at least so"
    where = second + len(pad)
    case(root, "bad-audit-between-entries", "gap.pt", shift(two, second, pad + EVIL), [
        ("review", "zip-gap", "", second, f"{len(pad + EVIL)} bytes between two entries belong to neither", "something is hidden there"),
        ("danger", "pickle-import", "", where + 2, "imports posix.system", runs), ("danger", "pickle-call", "", where + 2 + 25, "calls posix.system", runs)])
    said = archive([("m/data.pkl", GOOD)], EVIL)
    at = said.index(EVIL)
    case(root, "bad-audit-comment", "comment.pt", said, [
        ("review", "zip-comment", "", at, f"{len(EVIL)} bytes are a comment", "something is hidden there"),
        ("danger", "pickle-import", "", at + 2, "imports posix.system", runs), ("danger", "pickle-call", "", at + 27, "calls posix.system", runs)])
    hidden = archive([("x.pkl", EVIL)])
    entry = hidden[:hidden.index(b"PK\1\2")]
    found = shift(two, second, entry)
    case(root, "bad-audit-unnamed-entry", "unnamed.pt", found, [
        ("danger", "zip-gap", "", second, f"{len(entry)} bytes between two entries belong to neither", "an entry that the directory does not name"),
        ("danger", "pickle-import", "", second + 35 + 2, "imports posix.system", runs), ("danger", "pickle-call", "", second + 35 + 27, "calls posix.system", runs)])
    renamed = bytearray(two)
    renamed[second + 30] = ord("n")
    case(root, "bad-audit-renamed", "renamed.pt", bytes(renamed), [("danger", "zip-renamed", "m/version", second + 39, "its own header has another name than the directory", "readers disagree what it is")])
    marked = bytearray(archive([("m/data.pkl", EVIL)]))
    marked[6] |= 1
    marked[marked.index(b"PK\1\2") + 8] |= 1
    case(root, "bad-audit-marked-as-encrypted", "marked.pt", bytes(marked), [
        ("review", "zip-encrypted", "m/data.pkl", 40, "is marked as encrypted", "some readers ignore the mark"),
        ("danger", "pickle-import", "m/data.pkl", 2, "imports posix.system", runs), ("danger", "pickle-call", "m/data.pkl", 27, "calls posix.system", runs)])
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w:", format=tarfile.USTAR_FORMAT) as tar:
        info = tarfile.TarInfo("../storages")
        info.size = len(EVIL)
        tar.addfile(info, io.BytesIO(EVIL))
    case(root, "bad-audit-tar", "model.tar", out.getvalue(), [
        ("danger", "tar-path", "../storages", 0, "its name leaves the folder", "unpacking writes outside"),
        ("danger", "pickle-import", "../storages", 2, "imports posix.system", runs), ("danger", "pickle-call", "../storages", 27, "calls posix.system", runs)])
    walk = "walks through attributes into another module"
    case(root, "bad-audit-walk", "walk.pkl", b"\x80\x04\x8c\x05torch\x8c\x09os.system\x93\x8c\x04true\x85R.", [
        ("danger", "pickle-import", "", 20, "imports torch.os.system", walk), ("danger", "pickle-call", "", 28, "calls torch.os.system", walk)])
    case(root, "bad-audit-state-of-module", "state.pkl", b"\x80\x02ctorch\nnn\n}X\x01\0\0\0aK\x01sb.", [
        ("danger", "pickle-state", "", 2, "changes attributes of torch.nn", "replaces parts of a module or class")])
    case(root, "good-audit-extension", "extension.pkl", b"\x80\x02\x82\x05.", [
        ("review", "pickle-import", "", 2, "imports (extension).5", "reaches a function by a number that only the reader knows")], 0)
    case(root, "good-audit-7z", "model.7z", b"7z\xbc\xaf\x27\x1c\0\4" + bytes(24), [
        ("review", "archive-unread", "", 0, "is a 7z archive, which is not looked into", "what it holds was not seen: unpack it first")], 0)
    def inside(entry, at=0, evil=EVIL0):
        return [("danger", "pickle-import", entry, at, "imports posix.system", runs), ("danger", "pickle-call", entry, at + evil.index(b"R.") - evil.index(b"c"), "calls posix.system", runs)]
    torch_save = archive([("m/data.pkl", EVIL), ("m/version", b"3\n")])
    case(root, "bad-audit-pt2-nested", "program.pt2", archive([("p/archive_format", b"pt2"), ("p/models/model.json", b"{}"), ("p/data/sample_inputs/model.pt", torch_save)]),
         inside("p/data/sample_inputs/model.pt!/m/data.pkl", 2, EVIL))
    case(root, "bad-audit-pt2-old-nested", "program.pt2", archive([("serialized_exported_program.json", b"{}"), ("serialized_state_dict.pt", torch_save)]),
         inside("serialized_state_dict.pt!/m/data.pkl", 2, EVIL))
    case(root, "bad-audit-tar-nested", "model.tar", tar_of([("weights/model.pt", torch_save)]), inside("weights/model.pt!/m/data.pkl", 2, EVIL))
    case(root, "bad-audit-gzip", "model.bin", gzip.compress(EVIL, mtime=0), inside("", 2, EVIL))
    case(root, "bad-audit-tar-0.1", "old.tar", tar_of([("sys_info", b"}."), ("pickle", b"N0" + EVIL0), ("tensors", b"K\0."), ("storages", b"K\0.].")]), inside("pickle", 2))
    storage = b"K\1.(S'0'\nS'cpu'\nctorch\nFloatStorage\nt." + struct.pack("<q", 2) + b"Rb.N" * 2
    parts = [("sys_info", b"}."), ("storages", storage + EVIL0), ("tensors", b"K\1.(S'0'\nS'0'\nctorch\nFloatTensor\nt." + struct.pack("<iiqqq", 1, 0, 2, 1, 0)), ("pickle", b"}.")]
    case(root, "bad-audit-tar-0.1-storages", "old.tar", tar_of(parts), inside("storages", len(storage)))
    case(root, "good-audit-tar-0.1", "old.tar", tar_of([(n, storage + b"].") if n == "storages" else (n, d) for n, d in parts]), [], 0)
    case(root, "bad-audit-tar-v7", "old.tar", old_headers(tar_of([("sys_info", b"}."), ("pickle", EVIL0)])), inside("pickle"))
    link = bytearray(tar_of([("folder", b""), ("pickle", EVIL0)]))
    link[156:157], link[124:136] = b"5", b"00000010000\0"
    seal(link, 0)
    case(root, "bad-audit-tar-folder-with-size", "old.tar", bytes(link), inside("pickle"))
    for name, start in (("none", b"N0"), ("number", b"I1\n0"), ("frame", b"\x95" + struct.pack("<Q", len(EVIL0))), ("far-memo", b"Np100000000\n0"), ("nul", b"S'a\0b'\n0"),
                        ("empty-append", b"N(e0"), ("empty-update", b"N(u0"), ("empty-add", b"N(\x900"), ("after-3000", b"N." * 3000)):
        case(root, f"bad-audit-begins-{name}", "model.bin", start + EVIL0, inside("", len(start)))
    memo = b"\x80\x04\x8c\x05posixq\x05\x8c\x06system\x940h\x05h\x01\x93\x8c\x04true\x85R."
    case(root, "bad-audit-memo-count", "model.bin", memo, [("danger", "pickle-import", "", 25, "imports posix.system", runs), ("danger", "pickle-call", "", 33, "calls posix.system", runs)])
    memo = b"S'posix'\np1_0\n0S'system'\np11\n0g10\ng11\n\x93(S'true'\ntR."
    case(root, "bad-audit-memo-underscore", "model.bin", memo, [("danger", "pickle-import", "", 38, "imports posix.system", runs), ("danger", "pickle-call", "", 49, "calls posix.system", runs)])
    named = b"ctorch._utils\n_import_dotted_name\n(S'os.system'\ntR(S'true'\ntR."
    finds = "reaches any function by its name"
    case(root, "bad-audit-calls-result", "model.bin", named, [("danger", "pickle-import", "", 0, "imports torch._utils._import_dotted_name", finds),
         ("danger", "pickle-call", "", 49, "calls torch._utils._import_dotted_name", finds),
         ("danger", "pickle-call", "", 60, "calls what torch._utils._import_dotted_name returned", "computes what it calls")])
    for name, array in (("named-object", npy("'object'", 0)), ("escaped-object", npy("'\\x4f'", 0))):
        case(root, f"bad-audit-npy-{name}", "array.npy", array + EVIL0, inside("", len(array)))
    case(root, "bad-audit-npz-long-header", "arrays.npz", packed([("x.npy", npy("'|O'", 65536) + EVIL0)]),
         [("review", "npy-objects", "x.npy", 12, "an array of Python objects", "its elements are a pickle")] + inside("x.npy", 12 + 65536))
    case(root, "good-audit-npy-damaged", "array.npy", b"\x93NUMPY\x09\0" + bytes(80), [
        ("review", "npy-damaged", "", 0, "cannot be read: byte 8: the header of 0 bytes reaches beyond the end", "what it holds is not known")], 0)
    sums = bytearray(packed([("m/data.pkl", EVIL + b" " * 99)]))
    at = sums.rindex(b"PK\1\2") + 16
    right, = struct.unpack_from("<I", sums, at)
    struct.pack_into("<I", sums, at, right ^ 1)
    case(root, "bad-audit-packed-sum", "model.pt", bytes(sums), [
        ("review", "zip-damaged", "m/data.pkl", 40, f"is damaged: m/data.pkl: byte 40: the CRC-32 of its {len(EVIL) + 99} bytes is {right:08x}, the zip directory says {right ^ 1:08x}: the entry is damaged",
         "some readers do not compare sums")] + inside("m/data.pkl", 2, EVIL) + [("review", "data-after-end", "m/data.pkl", len(EVIL), "99 bytes follow the last pickle", "something is hidden there, or the file was damaged")])
    size = bytearray(archive([("m/data.pkl", EVIL)]))
    size[size.rindex(b"PK\1\2") + 24] += 1
    case(root, "bad-audit-size", "model.pt", bytes(size), [
        ("review", "zip-damaged", "", 0, f"cannot be read: m/data.pkl: a stored entry of {len(EVIL)} bytes claims {len(EVIL) + 1}", "its entries were looked for without the directory")] + inside("m/data.pkl", 2, EVIL))
    good, evil = archive([("m/data.pkl", GOOD)]), bytearray(archive([("m/data.pkl", EVIL)]))
    end, central = evil.rindex(b"PK\5\6"), evil.rindex(b"PK\1\2")
    struct.pack_into("<I", evil, end + 16, central + len(good))
    struct.pack_into("<I", evil, central + 42, len(good))
    struct.pack_into("<H", evil, end + 20, 99)
    with_two(root, "bad-audit-two-ends", good + bytes(evil) + b"xx", len(good), inside)
    case(root, "bad-audit-before-start", "model.pt", EVIL0 + good, [
        ("review", "zip-damaged", "", 0, f"cannot be read: byte {good.rindex(b'PK' + bytes((1, 2)))}: the zip directory is damaged", "its entries were looked for without the directory")] + inside(""))
    # elements that read as opcodes: bytes for a name, a call of a number, a registry number
    weights = archive([("m/data.pkl", GOOD), ("m/data/0", b"C\1aC\1b\x93" + bytes(9)), ("m/data/1", b"K\1)R)R0C\1aN\x93" + bytes(4)), ("m/data/2", b"\x82\5." + bytes(5))])
    case(root, "good-audit-weights", "model.pt", weights, [], 0)


main(sys.argv[1])
