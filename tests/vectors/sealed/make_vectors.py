#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes the vectors of profile sealed-v1 from its formulas: numpy integers, schoolbook products, hashlib.

Shares nothing with the C++ code. Run in this folder: python3 make_vectors.py
"""
import hashlib
import json
import math
import struct
from fractions import Fraction

import numpy as np

N, M = 1024, 1 << 24


def blake(data, key=b""):
    return hashlib.blake2b(data, key=key, digest_size=32).digest()


def le32(v):
    return struct.pack("<I", v)


def le64(v):
    return struct.pack("<Q", v)


def stream(key, label, index, size):
    """ChaCha20 of RFC 8439 from block 0, nonce LE32(label) | LE64(index)."""
    blocks = (size + 63) // 64
    state = [np.full(blocks, w, np.uint32) for w in
             struct.unpack("<4I", b"expand 32-byte k") + struct.unpack("<8I", key)]
    state.append(np.arange(blocks, dtype=np.uint32))
    state += [np.full(blocks, w, np.uint32) for w in struct.unpack("<3I", le32(label) + le64(index))]
    x = [w.copy() for w in state]

    def rotate(v, by):
        return (v << np.uint32(by)) | (v >> np.uint32(32 - by))

    def quarter(a, b, c, d):
        x[a] += x[b]; x[d] = rotate(x[d] ^ x[a], 16)
        x[c] += x[d]; x[b] = rotate(x[b] ^ x[c], 12)
        x[a] += x[b]; x[d] = rotate(x[d] ^ x[a], 8)
        x[c] += x[d]; x[b] = rotate(x[b] ^ x[c], 7)

    for _ in range(10):
        quarter(0, 4, 8, 12); quarter(1, 5, 9, 13); quarter(2, 6, 10, 14); quarter(3, 7, 11, 15)
        quarter(0, 5, 10, 15); quarter(1, 6, 11, 12); quarter(2, 7, 8, 13); quarter(3, 4, 9, 14)
    out = np.stack([a + b for a, b in zip(x, state)], axis=1).astype("<u4")
    return out.tobytes()[:size]


def public(seed, index):
    b = np.frombuffer(stream(seed, 1, index, 3 * N), np.uint8).astype(np.int64).reshape(N, 3)
    return b[:, 0] + 256 * b[:, 1] + 65536 * b[:, 2]


def ternary(key, label):
    out, index = [], 0
    while len(out) < N:
        for v in stream(key, label, index, 512):
            if v < 243:
                out += [v // 3 ** k % 3 - 1 for k in range(5)]
        index += 1
    return np.array(out[:N], np.int64)


def error(key, label, index):
    v = np.frombuffer(stream(key, label, index, 2 * N), "<u2").astype(np.int64)
    return (v & 31) - ((v >> 5) & 31)


def product(a, s):
    full = np.convolve(a, s)  # exact: below 2^34 in size
    full = np.concatenate([full, np.zeros(1, np.int64)])
    return (full[:N] - full[N:]) % M


def delta_of(d, tau_max, k=7, tau_min=2000, cos_min=-6500):
    room = 2 ** 23 - 2 ** (23 - k) - 2 ** 17
    return math.floor(Fraction(room * 121 * 10 ** 4, 64516 * d * max(tau_max - cos_min, 10200 - tau_min)))


def threshold_of(d, delta, tau):
    return math.floor(Fraction(tau * delta * 64516 * d, 121 * 10 ** 4) + Fraction(1, 2))


def signs(d, index):
    key = b"comity/sealed-v1/rotation".ljust(32, b"\0")
    bits = np.unpackbits(np.frombuffer(stream(key, 7, index, d // 8), np.uint8), bitorder="little")
    return 1.0 - 2.0 * bits.astype(np.float64)


def hadamard(y):
    stride = 1
    while stride < len(y):
        z = y.reshape(-1, 2, stride)
        y = np.stack([z[:, 0] + z[:, 1], z[:, 0] - z[:, 1]], axis=1).reshape(-1)
        stride *= 2
    return y


def quantise(v):
    v = v.astype(np.float64)
    d = len(v)
    squares = 0.0
    for x in v:
        squares += float(x) * float(x)
    y = hadamard(signs(d, 2) * hadamard(signs(d, 1) * v))
    alpha = 254.0 * math.sqrt(float(d)) / 11.0
    x = np.clip(np.rint(y * (alpha / (float(d) * math.sqrt(squares)))), -127, 127).astype(np.int8)
    norm = Fraction(int((x.astype(np.int64) ** 2).sum()))
    c = Fraction(64516 * d, 121)
    assert abs(norm - c) <= c / 50
    return x


def unit(rng, d):
    v = rng.standard_normal(d)
    return (v / np.linalg.norm(v)).astype(np.float32)


def write(name, value):
    about = "Profile sealed-v1; written by make_vectors.py, which shares nothing with the code under test."
    rows = [f" {json.dumps(k)}: {json.dumps(v)}" for k, v in {"about": about, **value}.items()]
    with open(name, "w") as out:
        out.write("{\n" + ",\n".join(rows) + "\n}\n")


def ends(a):
    return {"first": [int(v) for v in a[:8]], "last": [int(v) for v in a[-8:]]}


def quantiser_vectors():
    rng = np.random.default_rng(20261123)
    cases = []
    for d in (128, 256, 512, 1024):
        one_hot = np.zeros(d, np.float32)
        one_hot[d // 3] = 1
        equal = np.full(d, -1 / math.sqrt(d), np.float32)
        denormal = unit(rng, d)
        denormal[::2] = np.float32(1e-42)
        denormal[1] = np.float32(-1.4e-45)
        uneven = (unit(rng, d) / (1 + np.arange(d))).astype(np.float64)
        uneven = (1.9 * uneven / np.linalg.norm(uneven)).astype(np.float32)
        for name, v in (("gaussian", unit(rng, d)), ("one-hot", one_hot), ("all-equal", equal),
                        ("denormal", denormal), ("uneven", uneven)):
            cases.append({"d": d, "name": name, "float32_le": v.astype("<f4").tobytes().hex(),
                          "int8": quantise(v).tobytes().hex()})
    return {"cases": cases}


def scales_vectors():
    rows = []
    for d in (128, 256, 512, 1024):
        for tau_max in range(2000, 10001, 500):
            delta = delta_of(d, tau_max)
            taus = {str(t): threshold_of(d, delta, t) for t in range(2000, tau_max + 1, 500)}
            rows.append({"d": d, "tau_max": tau_max, "delta": delta, "thresholds": taus})
    return {"tau_min": 2000, "cos_min": -6500, "k": 7, "rows": rows}


def search_vectors():
    rng = np.random.default_rng(7)
    d, count, number, tau = 128, 37, 5, 4000
    seed, root, header, z = (bytes([b + i for i in range(32)]) for b in (0x10, 0x40, 0x80, 0xc0))
    probe = unit(rng, d)
    q = quantise(probe)
    entries = []
    for i in range(count):
        across = unit(rng, d)
        cosine = -0.6 + 1.6 * i / (count - 1)
        across = across - np.dot(across, probe) * probe
        v = cosine * probe + math.sqrt(max(0, 1 - cosine ** 2)) * across / np.linalg.norm(across)
        entries.append(quantise(v.astype(np.float32)))
    entries = np.stack(entries)
    delta = delta_of(d, 6000)
    contents = blake(entries.tobytes())
    key = blake(b"comity/sealed-v1/block" + header + le32(number) + le32(count) + contents, root)
    s = ternary(key, 2)
    a = [public(seed, j) for j in range(d + 1)]
    p = (product(a[0], s) + error(key, 3, 0)) % M
    b = np.stack([(product(a[j + 1], s) + error(key, 3, j + 1))[:count] + delta * entries[:, j].astype(np.int64)
                  for j in range(d)], axis=1) % M

    def octets(values):
        return np.stack([values & 255, values >> 8 & 255, values >> 16], axis=-1).astype(np.uint8).tobytes()

    encoding = le32(number) + le32(count) + le32(d) + octets(p) + octets(b)
    block_hash = blake(b"comity/sealed-v1/block-hash" + header + encoding)
    u = ternary(z, 4)
    c = sum(int(q[j]) * a[j + 1] for j in range(d)) + product(a[0], u) + error(z, 5, 0)
    c %= M
    share_b = ((b @ q.astype(np.int64)) + product(p, u)[:count]) % M
    t = (-product(c, s) % M)[:count]
    threshold = threshold_of(d, delta, tau)
    r = ((threshold + 2 ** 16 - share_b) % M) >> 17
    hit = ((t >> 17) - r) % 128 < 64
    session = bytes(range(32))
    return {
        "d": d, "count": count, "block": number, "delta": delta, "tau": tau, "threshold": threshold,
        "public_seed": seed.hex(), "root": root.hex(), "header_digest": header.hex(), "probe_seed": z.hex(),
        "entries_int8": entries.tobytes().hex(), "q_int8": q.tobytes().hex(), "contents": contents.hex(),
        "expansion_key": key.hex(), "a_0": ends(a[0]), "a_d": ends(a[d]), "s": s.tolist(),
        "e_0": error(key, 3, 0).tolist(), "e_d": error(key, 3, d).tolist(), "p": ends(p),
        "b_first_row": ends(b[0]), "b_last_row": ends(b[-1]), "block_hash": block_hash.hex(),
        "blinded_probe": octets(c).hex(), "t": t.tolist(), "r": r.tolist(), "hits": hit.astype(int).tolist(),
        "drawn_seed": {"fresh": root.hex(), "session": session.hex(), "number": 258,
                       "z": blake(session + le64(258) + q.tobytes(), root).hex()},
    }


def gf_multiply(a, b):
    r = 0
    for i in range(20):
        if b >> i & 1:
            r ^= a << i
    for i in range(39, 19, -1):
        if r >> i & 1:
            r ^= (1 << i) ^ (1 << (i - 17)) ^ (1 << (i - 20))
    return r


def sketch_vectors():
    z = bytes(range(0xc0, 0xe0))
    filled, withdrawn = [1024, 300, 0, 517], [1, 7, 1100, 3100]
    slots = [1024 * k + i + 1 for k, n in enumerate(filled) for i in range(n)]
    slots = [i for i in slots if i not in withdrawn]
    bits = np.unpackbits(np.frombuffer(stream(z, 6, 0, 512), np.uint8), bitorder="little")
    rho = [int(bits[i - 1]) for i in slots]
    rows = []
    for cap in range(1, 9):
        sums = []
        for j in range(1, cap + 3):
            total = 0
            for i, bit in zip(slots, rho):
                if bit:
                    power = i
                    for _ in range(2 * j - 2):
                        power = gf_multiply(power, i)
                    total ^= power
            sums.append(total)
        packed = sum(v << (20 * k) for k, v in enumerate(sums))
        rows.append({"cap": cap, "sums": sums,
                     "encoding": packed.to_bytes((20 * (cap + 2) + 7) // 8, "little").hex()})
    return {"probe_seed": z.hex(), "filled": filled, "withdrawn": withdrawn,
            "rho": "".join(map(str, rho)), "sketches": rows}


if __name__ == "__main__":
    write("scales.json", scales_vectors())
    write("quantiser.json", quantiser_vectors())
    write("search.json", search_vectors())
    write("sketch.json", sketch_vectors())
