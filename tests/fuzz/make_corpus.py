#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes the seeds of those fuzz targets whose corpora are made, not collected.

usage: make_corpus.py [--check]     --check: writes nothing; exit 1 if a seed is not as committed

What a fuzzer found lies beside the seeds, under a name that says what it was; it is not made here.
No seed holds anything about a person.
"""
import struct
import sys
from pathlib import Path

CORPUS = Path(__file__).resolve().parent / "corpus"
DOCUMENT = CORPUS / "agreement_yaml" / "base.yaml"

STATEMENT = (
    '{"agreement":{"id":"northshire-eastvale-2026","sha256":"' + "72" * 32 + '","version":1},'
    '"at":"2026-01-15T12:00:00Z","kind":"%s","party":"eastvale-council",%s'
    '"post":"Chief Executive","schema":"comity/statement/1","text":"%s"}')
CONFIGURATION = """[agency]
id = "northshire-police"
name = "Northshire Police"
trust_domain = "northshire-police.example"
[data]
directory = "data"
erasure_ledger = "/var/ledger"
[listen]
federation = "0.0.0.0:17443"
agency = "[::1]:17444"
web = "localhost:0"
[keys]
tls = "keys/gateway.pem"
roots = "pki/ca.pem"
signing = "keys/signing.key"
log = "keys/log.key"
key_encryption = "keys/kek.key"
[[administrator]]
id = "admin-1"
post = "First administrator"
certificate = "a1.crt"
signing_key_file = "a1.pub"
[[administrator]]
id = "admin-2"
post = "Second administrator"
certificate = "a2.crt"
signing_key_file = "a2.pub"
[limits]
max_streams = 3
peer_deadline = 5
"""
DEPLOYMENT = (
    '{"agreements":["northshire-eastvale-2026"],"case_ref":"NP-2026-0042",'
    '"ends_at":"2026-11-25T16:00:00Z","engine":{"dimension":128,"name":"example-engine",'
    '"version":"1.0"},"engine_name":"bridge-cameras","expected_faces":8000,'
    '"faces_per_false_alert":1000,"false_match_rate":"1e-06",'
    '"list_categories":["wanted-by-courts"],"mode":"direct","place":"High Street bridge",'
    '"purpose":"court-order-arrest","reason":"warrants of the crown court",'
    '"starts_at":"2026-11-25T08:00:00Z","test_report":"engine test 2026-03","threshold":"0.6"}')
PROPOSAL = (
    '{"definition":' + DEPLOYMENT + ',"deployment":"d-' + "a" * 26 + '","holders":['
    '{"agency":"northshire-police","categories":{"wanted-by-courts":40},"decision":"permit",'
    '"entries":40,"reached":true,"threshold_floor":"0.5"}]}')
ALERT = (
    '{"acknowledgement":{"at":"2026-11-25T08:10:00Z","by":"person-1","note":"seen",'
    '"outcome":"not-a-match"},"agreement":{"id":"northshire-eastvale-2026","sha256":"'
    + "22" * 32 + '","version":1},"engine":{"dimension":128,"name":"example-engine",'
    '"version":"1.0"},"entry_note":{"at":"2026-11-25T08:05:00Z","change":"withdrawn"},'
    '"exchange_id":"' + "a" * 26 + '","expires_at":"2026-11-26T08:00:00Z",'
    '"first_seen":"2026-11-25T08:00:00Z","frame_count":1,"frames":[{"camera":"hall",'
    '"capture_ref":"f-1","captured_at":"2026-11-25T08:00:00Z","exchange_id":"' + "a" * 26 + '"}],'
    '"hit":{"category":"wanted-by-courts","reference":"ns-1","response_code":"detain",'
    '"similarity":"0.75"},"holder":"northshire-police","id":"a-' + "a" * 26 + '",'
    '"last_seen":"2026-11-25T08:00:00Z","openings":[{"exchange_id":"' + "a" * 26 + '",'
    '"sealed":"AAAA"}],"releases":[{"item":"category","roles":["operator"]}],'
    '"state":"acknowledged","threshold":"0.6"}')
PROFILE = """gateway = "gateway.example:7444"
spiffe_id = "spiffe://eastvale.example/gateway"
identity = "people/ada.pem"
roots = "ca/ca.pem"
signing_key = "people/ada.key"
"""


def varint(number):
    octets = b""
    while number > 127:
        octets += bytes([number & 127 | 128])
        number >>= 7
    return octets + bytes([number])


def message(**fields):
    """A protobuf message; each argument is f<number>: int, float, text or octets, or a list."""
    encoded = b""
    for name, values in fields.items():
        for value in values if isinstance(values, list) else [values]:
            encoded += field(int(name[1:]), value)
    return encoded


def field(number, value):
    if isinstance(value, int):
        return varint(number << 3) + varint(value)
    if isinstance(value, float):
        return varint(number << 3 | 1) + struct.pack("<d", value)
    octets = value.encode() if isinstance(value, str) else value
    return varint(number << 3 | 2) + varint(len(octets)) + octets


def npy(rows, columns):
    shape = f"({rows}, {columns})"
    head = "{'descr': '<f4', 'fortran_order': False, 'shape': " + shape + ", }"
    head = head.ljust(117) + "\n"
    elements = struct.pack("<" + "f" * rows * columns, *([1.0] + [0.0] * (columns - 1)) * rows)
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(head)) + head.encode() + elements


ENGINE = message(f1="facenet", f2="20180402", f3=32)
REF = message(f1="northshire-eastvale-2026", f2=1, f3=b"\x22" * 32)
TERMS = message(f1=REF, f2="court-order-arrest", f3=1, f4=1, f5=1,
                f6=["wanted-by-courts", "victim"], f7=ENGINE, f8=0.9, f9=2)
TIME = message(f1=1_795_600_000)
COMMITMENTS = message(f1=b"\x01" * 32, f2=b"\x02" * 32)
LIST_REF = message(f1=b"\x03" * 32, f2=4, f3=b"\x05" * 32)
DECISION = message(f1=1, f2=REF, f3=["p1"])


def signed_messages():
    """By the number of their type in signed_message_fuzz.cc."""
    hit = message(f1="ns-1", f2="wanted-by-courts", f3="detain", f4=b"")
    probe = message(f1=1, f2=REF, f3=COMMITMENTS, f4=b"\x06" * 16, f5=[b"\x07" * 3072])
    return {
        "partner_message": (9, message(f2="abcdefghijklmnopqrstuvwxya", f3="entry-change",
                                       f4="{}", f5=TIME)),
        "list_sealed": (15, message(f2=REF, f3="court-order-arrest", f4=ENGINE, f5=[LIST_REF])),
        "sealed_open": (18, message(f2=TERMS, f4=TIME, f5=COMMITMENTS, f6=b"\x08" * 32,
                                    f7=[LIST_REF], f8=b"\x09" * 32)),
        "sealed_probes": (22, message(f3=[probe], f4=[b"\x0a" * 32], f5=[LIST_REF])),
        "sealed_answers": (23, message(f3=[message(f1=1, f2=DECISION, f3=[hit])])),
    }


def sealed_part(data, offset=0):
    return message(f1=3, f3=bytes(32), f4=7, f6=offset, f7=40, f8=data)


def counted(octets):
    return bytes([len(octets)]) + octets


def requests():
    """What clients of the web port send, and what attackers do."""
    get = "GET %s HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"
    return {
        "checkpoint": get % "/log/checkpoint",
        "tile": get % "/log/tile/0/000",
        "health": get % "/healthz",
        "metrics": get % "/metrics",
        "climb": get % "/log/tile/../../secret",
        "climb_encoded": get % "/log/tile/%2e%2e/%2e%2e/secret",
        "beside": get % "/log/secret",
        "two": (get % "/healthz").replace("close", "keep-alive") + get % "/metrics",
        "post": "POST /healthz HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\nabcd",
        "chunked": "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nffffffff\r\n",
        "range": "GET /log/checkpoint HTTP/1.1\r\nRange: bytes=-1,0-,5-2\r\n\r\n",
        "no_end": "GET /healthz HTTP/1.1\r\nHost: a",
        "nothing": "",
    }


def small_documents():
    return {
        "base": DOCUMENT.read_text(encoding="utf-8"),
        "flow": 'a: {b: [c, "d: e"], \'f\': {}}\ng: []\n',
        "quotes": "a: \"x\\\"y\\\\z\"\nb: 'it''s'\nc: plain text # comment\n",
        "nested": "a:\n  - b: c\n    d: e\n  - - f\n    - g\n",
        "words": "a: yes\nb: 012\nc: 1e3\nd: null-like\n",
        "colon": "a: b:c\nd: http://e\n",
        "null": "a: ~\nb:\n",
    }


def seeds():
    """Target's corpus -> seed -> octets."""
    statement = {kind: STATEMENT % (kind, "", "") for kind in ("signature", "suspension")}
    statement["advice"] = STATEMENT.replace('"post"', '"position":"for","post"') % (
        "advice", "", "Adequate.")
    lifts = '"lifts":"' + "ab" * 32 + '","party"'
    statement["resumption"] = STATEMENT.replace('"party"', lifts) % ("resumption", "", "")
    digests = bytes(range(32)) * 4
    merkle = {f"{kind}_{size}_{place}": bytes([op, size - 1, place])
              for kind, op in (("inclusion", 0), ("consistency", 1))
              for size, place in ((1, 0), (7, 6), (64, 31), (80, 78))}
    merkle |= {
        "inclusion_one_bit": bytes([0, 6, 3, 1, 5, 0, 1]),
        "inclusion_longer": bytes([0, 6, 3, 2, 32, 0]),
        "consistency_shorter": bytes([1, 6, 3, 2]) + struct.pack("<h", -32),
        "inclusion_huge": bytes([2]) + struct.pack("<QQ", 2**63, 2**64 - 1) + digests,
        "consistency_huge": bytes([3]) + struct.pack("<QQ", 2**63 + 1, 2**64 - 1) + digests,
        "consistency_empty": bytes([3]) + struct.pack("<QQ", 0, 5) + digests[:64],
    }
    part = sealed_part(b"x" * 40)
    return {
        "merkle_proof": merkle,
        "yaml_tree": small_documents(),
        "canonical_json": {
            "whole": '{"a":[1,-2,true,"x"],"b":{"c":""}}', "large": "[9007199254740991]",
            "too_large": "[9007199254740992]", "escapes": '["\\u0000\\n\\"\\\\/"]',
            "twice": '{"a":1,"a":2}', "order": '{"b":1,"a":2}', "deep": "[" * 16 + "]" * 16,
            "too_deep": "[" * 17 + "]" * 17, "fraction": "[1.0]", "negative_zero": "[-0]",
            "no_utf8": b'["\xff"]', "surrogate": '["\\ud800"]'},
        "statement": statement,
        "key_text": {
            "public": "ed25519:11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=",
            "small_order": "ed25519:AQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=",
            "file": "comity-ed25519-private-v1\n" + "B" * 42 + "A=\n", "hex": "ab" * 32},
        "log_export": {
            "honest": b"\x00", "checkpoint_bit": bytes([0, 1, 9, 0, 1]),
            "vkey_longer": bytes([1, 2, 1, 0]), "tile_bit": bytes([2, 1, 40, 0, 128]),
            "entries_shorter": bytes([5, 2]) + struct.pack("<h", -1),
            "added": bytes([8]) + b"tile/0/001.p/2", "climbing": bytes([8]) + b"../x"},
        "configuration": {
            "whole": CONFIGURATION, "unknown": CONFIGURATION.replace("max_streams", "max_stream"),
            "one_administrator": CONFIGURATION.split("[[administrator]]\nid = \"admin-2\"")[0],
            "endpoint": "[::1]:7443", "no_toml": "[agency\n", "types": "[agency]\nid = 3\n"},
        "stored_text": {
            "deployment": DEPLOYMENT, "proposal": PROPOSAL, "alert": ALERT,
            "deployment_negative_faces": DEPLOYMENT.replace('faces":8000', 'faces":-1'),
            "proposal_negative_entries": PROPOSAL.replace('"entries":40', '"entries":-1'),
            "proposal_negative_category": PROPOSAL.replace('courts":40', 'courts":-40'),
            "content": '{"agency":"northshire-police","reason":"r"}',
            "salted": '{"a":"b","salt":"' + "0" * 32 + '"}'},
        "sealed_offer": {
            "honest": b"\x00", "honest_state": b"\x01", "header_bit": bytes([0, 1, 20, 0, 1]),
            "header_longer": bytes([0, 2, 1, 0]), "state_bit": bytes([1, 1, 3, 0, 1]),
            "state_shorter": bytes([1, 2]) + struct.pack("<h", -1), "envelope": b"\x02{}"},
        "sealed_part": {
            "cut": bytes([0, 8, 31, 1]), "cut_wrong": bytes([0, 8, 33, 65, 97, 129, 31, 1]),
            "any": b"\x01" + counted(part), "offsets": b"\x02\x03" + counted(part),
            "refused": bytes([2, 0, 4, 8]),
            "answered": b"\x02\x03" + counted(part) + b"\x02\x01\x05"},
        "agency_request": {
            "deployment": b"\x00" + message(
                f1=["northshire-eastvale-2026"], f2="court-order-arrest", f3=["wanted-by-courts"],
                f4=ENGINE, f5="bridge-cameras", f6=0.9, f7="North bridge", f8="Court warrants",
                f9="NP-1", f10=TIME, f11=message(f1=1_795_620_000), f12=1, f13=5000, f14=1e-6,
                f15="engine test", f16=1000, f17=message(f1="theft", f2=7)),
            "filter": b"\x01" + message(f1="northshire-eastvale-2026"),
            "explain": b"\x02" + message(f1="eastvale-council", f2="northshire-police", f3=TERMS)},
        "signed_message": {name: bytes([number]) + octets
                           for name, (number, octets) in signed_messages().items()},
        "cli_text": {
            "profile": PROFILE, "profile_unknown": PROFILE + 'x = "y"\n',
            "engine": "facenet/20180402/128", "agreement": "northshire-eastvale-2026@3",
            "milliseconds": "20ms", "outcome": "true-match", "mode": "sealed",
            "npy": npy(2, 32), "npy_cut": npy(2, 32)[:-1]},
        "web_request": requests(),
    }


def main(arguments):
    if arguments not in ([], ["--check"]):
        print(__doc__, file=sys.stderr)
        return 2
    stale = 0
    for corpus, files in seeds().items():
        for name, content in files.items():
            octets = content.encode() if isinstance(content, str) else content
            path = CORPUS / corpus / name
            if path.is_file() and path.read_bytes() == octets:
                continue
            if arguments:
                print(f"{path.relative_to(CORPUS.parents[2])}: not as make_corpus.py makes it")
                stale += 1
            else:
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(octets)
    return 1 if stale else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
