#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes the vectors of the base oblivious transfer from its formulas, with a ristretto255 of its own (RFC 9496).

Shares nothing with the C++ code or its libraries. Run in this folder: python3 make_base_ot_vectors.py
"""
import hashlib
import json

from make_vectors import blake, le32, le64, stream

P = 2**255 - 19
ORDER = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, -1, P) % P
COUNT = 128


def is_negative(x):
    return x % P & 1


def magnitude(x):
    x %= P
    return P - x if x & 1 else x


SQRT_M1 = magnitude(pow(2, (P - 1) // 4, P))


def sqrt_ratio(u, v):
    """(whether u/v is a square, the non-negative root of u/v or of SQRT_M1 u/v): RFC 9496, 4.2."""
    r = u * pow(v, 3, P) * pow(u * pow(v, 7, P), (P - 5) // 8, P) % P
    check = v * r * r % P
    if check in (-u % P, -u * SQRT_M1 % P):
        r = r * SQRT_M1 % P
    return check in (u % P, -u % P), magnitude(r)


INVSQRT_A_MINUS_D = sqrt_ratio(1, (-1 - D) % P)[1]
SQRT_AD_MINUS_ONE = 25063068953384623474111414158702152701244531502492656460079210482610430750235
assert SQRT_AD_MINUS_ONE**2 % P == (-D - 1) % P


class Point:
    """Affine on the curve -x^2 + y^2 = 1 + d x^2 y^2: slow and plain."""

    def __init__(self, x, y):
        self.x, self.y = x % P, y % P

    def __add__(self, other):
        product = D * self.x * other.x * self.y * other.y % P
        return Point((self.x * other.y + self.y * other.x) * pow(1 + product, -1, P),
                     (self.y * other.y + self.x * other.x) * pow(1 - product, -1, P))

    def __neg__(self):
        return Point(-self.x, self.y)

    def __rmul__(self, scalar):
        result, power = Point(0, 1), self
        while scalar:
            if scalar & 1:
                result = result + power
            power, scalar = power + power, scalar >> 1
        return result


GENERATOR = Point(15112221349535400772501151409588531511454012693041857206046113283949847762202,
                  46316835694926478169428394003475163141307993866256225615783033603165251855960)


def encode(point):
    """RFC 9496, 4.3.2, with z = 1."""
    x, y = point.x, point.y
    u1, u2 = (1 + y) * (1 - y) % P, x * y % P
    invsqrt = sqrt_ratio(1, u1 * u2 * u2 % P)[1]
    den1, den2 = invsqrt * u1 % P, invsqrt * u2 % P
    z_inv = den1 * den2 * u2 % P
    den = den2
    if is_negative(x * y * z_inv):
        x, y, den = y * SQRT_M1 % P, x * SQRT_M1 % P, den1 * INVSQRT_A_MINUS_D % P
    if is_negative(x * z_inv):
        y = -y % P
    return magnitude(den * (1 - y)).to_bytes(32, "little")


def map_to_curve(t):
    """RFC 9496, 4.3.4, MAP."""
    r = SQRT_M1 * t * t % P
    u = (r + 1) * (1 - D * D) % P
    v = (-1 - r * D) * (r + D) % P
    was_square, s = sqrt_ratio(u, v)
    c = -1 % P
    if not was_square:
        s, c = -magnitude(s * t) % P, r
    n = (c * (r - 1) * (D - 1) ** 2 - v) % P
    w0, w1, w2, w3 = 2 * s * v, n * SQRT_AD_MINUS_ONE, 1 - s * s, 1 + s * s
    return Point(w0 * pow(w1, -1, P), w2 * pow(w3, -1, P))


def from_hash(octets):
    halves = [int.from_bytes(octets[i:i + 32], "little") & (2**255 - 1) for i in (0, 32)]
    return map_to_curve(halves[0]) + map_to_curve(halves[1])


class SeededRandom:
    """The n-th draw is the ChaCha20 stream of index n under the number, as in the tests."""

    def __init__(self, seed):
        self.key, self.next = le64(seed).ljust(32, b"\0"), 0

    def fill(self, size):
        self.next += 1
        return stream(self.key, 0x74657374, self.next - 1, size)

    def scalar(self):
        return int.from_bytes(self.fill(64), "little") % ORDER


def hash_to_point(sid, i, c, phi):
    return from_hash(hashlib.blake2b(b"comity/sealed-v1/base-ot/hg" + sid + le32(i) + bytes([c]) + phi).digest())


def key_of(sid, offer, i, c, phis, product):
    return blake(b"comity/sealed-v1/base-ot/key" + sid + le32(i) + bytes([c]) + offer + phis + encode(product))


def main():
    sid = SeededRandom(99).fill(32)
    scalar = SeededRandom(8).scalar()
    big_a = scalar * GENERATOR
    offer = encode(big_a)

    requester = SeededRandom(9)
    choices = bytes(octet & 1 for octet in requester.fill(COUNT))
    answer, receiver_keys, sender_keys = b"", [], []
    for i, c in enumerate(choices):
        other = from_hash(requester.fill(64))
        b = requester.scalar()
        chosen = b * GENERATOR + -hash_to_point(sid, i, c, encode(other))
        points = [other, chosen] if c else [chosen, other]
        phis = encode(points[0]) + encode(points[1])
        receiver_keys.append(key_of(sid, offer, i, c, phis, b * big_a))
        for k in (0, 1):
            mask = hash_to_point(sid, i, k, phis[32 * (1 - k):][:32])
            sender_keys.append(key_of(sid, offer, i, k, phis, scalar * (points[k] + mask)))
        assert receiver_keys[i] == sender_keys[2 * i + c]
        answer += phis

    vectors = {
        "about": "The whole base OT of 128 transfers; scalars, points and choices are drawn as README.md says. "
                 "Made by make_base_ot_vectors.py.",
        "sid": sid.hex(),
        "offer": offer.hex(),
        "answer_first": answer[:64].hex(),
        "answer_blake2b256": blake(answer).hex(),
        "first_choices": choices[:8].hex(),
        "choices_blake2b256": blake(choices).hex(),
        "sender_keys_0": [key.hex() for key in sender_keys[:2]],
        "sender_keys_blake2b256": blake(b"".join(sender_keys)).hex(),
        "receiver_keys_blake2b256": blake(b"".join(receiver_keys)).hex(),
        "transcript": blake(b"comity/sealed-v1/base-ot/transcript" + sid + offer + answer).hex(),
    }
    with open("base_ot.json", "w", encoding="ascii") as out:
        json.dump(vectors, out, indent=2, sort_keys=True)
        out.write("\n")


if __name__ == "__main__":
    main()
