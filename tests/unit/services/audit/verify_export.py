#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Verifies an exported log from the C2SP texts and RFC 8032 alone; shares no code with the gateway.

usage: verify_export.py DIR      exit 0: the log is whole; 1: it is not, with the reason
"""
import base64
import hashlib
import json
import sys
from pathlib import Path

P = 2**255 - 19
L = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, P - 2, P) % P


def recover_x(y, sign):
    x2 = (y * y - 1) * pow(D * y * y + 1, P - 2, P) % P
    x = pow(x2, (P + 3) // 8, P)
    if (x * x - x2) % P:
        x = x * pow(2, (P - 1) // 4, P) % P
    if (x * x - x2) % P:
        raise ValueError("not a point of the curve")
    return P - x if x & 1 != sign else x


def add(a, b):
    t = D * a[0] * b[0] * a[1] * b[1]
    x = (a[0] * b[1] + b[0] * a[1]) * pow(1 + t, P - 2, P)
    y = (a[1] * b[1] + a[0] * b[0]) * pow(1 - t, P - 2, P)
    return x % P, y % P


def multiply(scalar, point):
    result = (0, 1)
    while scalar:
        if scalar & 1:
            result = add(result, point)
        point = add(point, point)
        scalar >>= 1
    return result


BASE_Y = 4 * pow(5, P - 2, P) % P
BASE = (recover_x(BASE_Y, 0), BASE_Y)


def decode_point(octets):
    number = int.from_bytes(octets, "little")
    y = number & (2**255 - 1)
    return recover_x(y, number >> 255), y


def ed25519_holds(public, message, signature):
    scalar = int.from_bytes(signature[32:], "little")
    digest = hashlib.sha512(signature[:32] + public + message).digest()
    k = int.from_bytes(digest, "little") % L
    right = add(decode_point(signature[:32]), multiply(k, decode_point(public)))
    return scalar < L and multiply(scalar, BASE) == right


def require(condition, reason):
    if not condition:
        sys.exit(f"not a whole log: {reason}")


def read_checkpoint(folder):
    name, key_id, key = (folder / "log.vkey").read_text().rstrip("\n").split("+", 2)
    key = base64.b64decode(key, validate=True)
    require(key[0] == 1 and len(key) == 33, "log.vkey: not an Ed25519 key")
    expected = hashlib.sha256(name.encode() + b"\n" + key).digest()[:4]
    require(bytes.fromhex(key_id) == expected, "log.vkey: key id")
    text, signatures = (folder / "checkpoint").read_text().rsplit("\n\n", 1)
    text += "\n"
    dash, signer, value = signatures.rstrip("\n").split(" ")
    value = base64.b64decode(value, validate=True)
    require(dash == "\u2014" and signer == name and value[:4] == expected, "checkpoint: signer")
    require(ed25519_holds(key[1:], text.encode(), value[4:]), "checkpoint: signature")
    origin, size, root = text.splitlines()
    require(origin == name, "checkpoint: origin")
    return int(size), base64.b64decode(root, validate=True)


def tile_name(index, width):
    groups = [f"{index % 1000:03}"]
    while index >= 1000:
        index //= 1000
        groups.insert(0, f"x{index % 1000:03}")
    return "/".join(groups) + (f".p/{width}" if width < 256 else "")


def tiles(count):
    """(index, width) of each tile over `count` items."""
    for index in range((count + 255) // 256):
        yield index, min(256, count - 256 * index)


def node(left, right):
    return hashlib.sha256(b"\1" + left + right).digest()


def root_of(hashes):
    if not hashes:
        return hashlib.sha256(b"").digest()
    if len(hashes) == 1:
        return hashes[0]
    split = 1 << (len(hashes) - 1).bit_length() - 1
    return node(root_of(hashes[:split]), root_of(hashes[split:]))


def split_bundle(bundle, width, path):
    entries = []
    for _ in range(width):
        length = int.from_bytes(bundle[:2], "big")
        require(len(bundle) >= 2 + length, f"{path}: cut short")
        entries.append(bundle[2:2 + length])
        bundle = bundle[2 + length:]
    require(not bundle, f"{path}: too long")
    return entries


def read_entries(folder, size, seen):
    for index, width in tiles(size):
        path = "tile/entries/" + tile_name(index, width)
        seen.add(path)
        yield from split_bundle((folder / path).read_bytes(), width, path)


def check_tiles(folder, hashes, seen):
    level = 0
    while hashes:
        for index, width in tiles(len(hashes)):
            path = f"tile/{level}/" + tile_name(index, width)
            seen.add(path)
            expected = b"".join(hashes[256 * index:256 * index + width])
            require((folder / path).read_bytes() == expected, path)
        full = len(hashes) // 256
        hashes = [root_of(hashes[256 * i:256 * i + 256]) for i in range(full)]
        level += 1


def main(folder):
    size, root = read_checkpoint(folder)
    seen = {"checkpoint", "log.vkey"}
    leaves = []
    for number, entry in enumerate(read_entries(folder, size, seen)):
        canonical = json.dumps(json.loads(entry), sort_keys=True, separators=(",", ":"))
        require(canonical.encode() == entry, f"entry {number}: not canonical JSON")
        leaves.append(hashlib.sha256(b"\0" + entry).digest())
    check_tiles(folder, leaves, seen)
    require(root_of(leaves) == root, "the root is not the signed one")
    present = {str(p.relative_to(folder)) for p in folder.rglob("*") if p.is_file()}
    require(present == seen, f"files: {sorted(present ^ seen)}")
    print(f"{size} entries, root {root.hex()}")


if __name__ == "__main__":
    try:
        main(Path(sys.argv[1]))
    except (ValueError, OSError) as error:
        sys.exit(f"not a whole log: {error}")
