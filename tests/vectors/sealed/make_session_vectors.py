#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes session.json: one sealed search from the list's header to the hits, message by message.

Computes everything from the formulas with make_vectors.py but what the oblivious transfer leaves, which
session_pads.json holds: the pads, the holder's choices, and the randomness that the requester draws after its
base OTs. Run in this folder: python3 make_session_vectors.py
"""
import json

import numpy as np

from make_vectors import (M, N, blake, delta_of, error, gf_multiply, le32, le64, product, public, quantise,
                          stream, ternary, threshold_of, unit, write)

D, TAU, CAP = 128, 4000, 5
BLOCKS = {0: 37, 2: 5}
WITHDRAWN = [3, 2 * N + 1]


def octets(values):
    return np.stack([values & 255, values >> 8 & 255, values >> 16], axis=-1).astype(np.uint8).tobytes()


def text(value):
    return bytes([len(value)]) + value.encode()


def list_header():
    delta = delta_of(D, 6000)
    return delta, (b"CSLH\x01" + text("landespolizei-nord") + text("kantonspolizei-sued") + text("nord-sued") + le32(2) +
                   b"\xaa" * 32 + text("missing-persons") + text("wanted") + le64(7) + text("facenet") +
                   text("2018-04 b") + le32(D) + le32(7) + le32(2000) + le32(6000) + le32(-6500 % 2 ** 32) + le32(delta) +
                   b"\x5a" * 32 + le64(1790000000) + le64(1790086400))


def entries():
    rng = np.random.default_rng(20261126)
    probe = unit(rng, D)
    blocks = {}
    for number, count in BLOCKS.items():
        rows = [quantise(unit(rng, D)) for _ in range(count)]
        for slot in (1, 2, count - 1):  # the last of the first three slots is withdrawn in block 0
            near = 0.85 * probe + 0.5 * unit(rng, D)
            rows[slot] = quantise((near / np.linalg.norm(near)).astype(np.float32))
        blocks[number] = np.stack(rows)
    return quantise(probe), blocks


def seal(header, delta, a, number, rows, root):
    key = blake(b"comity/sealed-v1/block" + header + le32(number) + le32(len(rows)) + blake(rows.tobytes()), root)
    s = ternary(key, 2)
    p = (product(a[0], s) + error(key, 3, 0)) % M
    b = np.stack([(product(a[j + 1], s) + error(key, 3, j + 1))[:len(rows)] + delta * rows[:, j].astype(np.int64)
                  for j in range(D)], axis=1) % M
    digest = blake(b"comity/sealed-v1/block-hash" + header + le32(number) + le32(len(rows)) + le32(D) + octets(p) + octets(b))
    return s, p, b, digest


def sketch_of(slots, bits):
    sums = []
    for j in range(CAP + 2):
        total = 0
        for slot, bit in zip(slots, bits):
            power = slot
            for _ in range(2 * j):
                power = gf_multiply(power, slot)
            total ^= power if bit else 0
        sums.append(total)
    return sum(v << (20 * k) for k, v in enumerate(sums)).to_bytes((20 * (CAP + 2) + 7) // 8, "little")


def session_vectors(ot):
    delta, encoded = list_header()
    header = blake(b"comity/sealed-v1/header" + encoded)
    a = [public(b"\x5a" * 32, j) for j in range(D + 1)]
    q, blocks = entries()
    sealed = {n: seal(header, delta, a, n, rows, stream(b"\x09" * 32, 0, k, 32))
              for k, (n, rows) in enumerate(blocks.items())}
    state = b"CSLS\x01" + header + le64(2) + le32(len(blocks))
    state += b"".join(le32(n) + le32(len(blocks[n])) + sealed[n][3] for n in blocks)
    state += le32(len(WITHDRAWN)) + b"".join(map(le32, WITHDRAWN))
    state_digest = blake(b"comity/sealed-v1/state" + state)
    sid = blake(b"comity/sealed-v1/session" + header + le32(TAU) + le32(CAP) + b"\x01" + b"\x01" * 32 + b"\x02" * 32 +
                b"\x03" * 32 + b"\x04" * 32)
    binding = blake(b"comity/sealed-v1/search" + sid + le64(0) + le64(0) + le32(0) + le64(2) + state_digest)

    z = blake(sid + le64(1) + q.tobytes(), bytes.fromhex(ot["fresh"]))
    u = ternary(z, 4)
    c = (sum(int(q[j]) * a[j + 1] for j in range(D)) + product(a[0], u) + error(z, 5, 0)) % M
    slots = [n * N + i + 1 for n in blocks for i in range(len(blocks[n])) if n * N + i + 1 not in WITHDRAWN]
    share_b, t = [], []
    for n, (s, p, b, _) in sealed.items():
        scores = (b @ q.astype(np.int64) + product(p, u)[:len(b)]) % M
        shares = -product(c, s) % M
        share_b += [int(scores[i]) for i in range(len(b)) if n * N + i + 1 in slots]
        t += [int(shares[i]) for i in range(len(b)) if n * N + i + 1 in slots]
    rho_bits = np.unpackbits(np.frombuffer(stream(z, 6, 0, (max(slots) + 7) // 8), np.uint8), bitorder="little")
    rho = [int(rho_bits[i - 1]) for i in slots]

    sigma, pads = bytes.fromhex(ot["choices"]), bytes.fromhex(ot["pads"])
    assert len(sigma) == len(slots)
    offsets = [((v >> 17) - sigma[i]) % 64 for i, v in enumerate(t)]
    packed = sum(v << (6 * i) for i, v in enumerate(offsets)).to_bytes((6 * len(slots) + 7) // 8, "little")
    threshold = threshold_of(D, delta, TAU)
    tables, opened = b"", []
    for i in range(len(slots)):
        r = ((threshold + 2 ** 16 - share_b[i]) % M) >> 17
        table = ((1 << (r % 64)) - 1) ^ ((2 ** 64 - 1) * (1 ^ r // 64 ^ rho[i]))
        turned = (table >> offsets[i] | table << (64 - offsets[i])) % 2 ** 64
        covered = turned ^ int.from_bytes(pads[8 * i:8 * i + 8], "little")
        tables += covered.to_bytes(8, "little")
        # What the holder reads is the table at lo(t), whatever the pad.
        opened.append(table >> ((t[i] >> 17) % 64) & 1 ^ t[i] >> 23)
    hits = [slot for slot, bit, mask in zip(slots, opened, rho) if bit ^ mask]
    exact = [slot for slot in slots
             if delta * int(blocks[(slot - 1) // N][(slot - 1) % N].astype(np.int64) @ q.astype(np.int64)) >= threshold]
    assert hits == exact and 0 < len(hits) <= CAP, (hits, exact)
    return {
        "entries_int8": {str(n): rows.tobytes().hex() for n, rows in blocks.items()}, "q_int8": q.tobytes().hex(),
        "withdrawn": WITHDRAWN, "header": encoded.hex(), "header_digest": header.hex(), "state": state.hex(),
        "state_digest": state_digest.hex(), "sid": sid.hex(), "binding": binding.hex(), "z": z.hex(),
        "blinded_probe": blake(octets(c)).hex(), "offsets": packed.hex(),
        "tables": tables.hex(), "sketch": sketch_of(slots, rho).hex(), "hits": hits}


if __name__ == "__main__":
    with open("session_pads.json") as source:
        write("session.json", session_vectors(json.load(source)))
