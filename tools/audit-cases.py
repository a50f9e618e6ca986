#!/usr/bin/env python3
"""Makes tests/cases/*-audit-*: small files that hide what they would run.

usage: audit-cases.py tests/cases
"""
import io, os, struct, sys, tarfile, zipfile

EVIL = b"\x80\x02cposix\nsystem\n(X\x04\0\0\0truetR."
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


main(sys.argv[1])
