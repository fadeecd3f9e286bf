# SPDX-License-Identifier: Apache-2.0
"""The threat model names tests and places that exist, and its two lists of tests say the same."""
import re

from tree import Finding

MODEL = "docs/threat_model.md"
EVIDENCE = "## Evidence"
QUOTED = re.compile(r"`([^`]+)`")
PLACE = re.compile(r"(?:crypto|deploy|policy|services|tests)/\S+\.\w+")
NAME = re.compile(r"(?:\w+/)?(\w+)\.(\w+)(?:/\w+)?")  # prefix and parameter of a suite left out
CONTROL, TEST, COLUMNS = 4, 6, 8


def cells_of(line):
    return line.strip().strip("|").split("|")


def check_evidence(tree, table):
    if MODEL not in tree.files:
        return
    lines = tree.lines(MODEL)
    if EVIDENCE not in lines:
        yield Finding(MODEL, 0, f"there is no {EVIDENCE}")
        return
    begin = lines.index(EVIDENCE)
    named, listed = {}, {}
    for number, line in enumerate(lines[:begin], 1):
        if line.startswith("|") and len(cells_of(line)) == COLUMNS:
            yield from check_places(tree, number, cells_of(line)[CONTROL])
            for name in NAME.findall(" ".join(QUOTED.findall(cells_of(line)[TEST]))):
                named.setdefault(".".join(name), number)
    for number, line in enumerate(lines[begin:], begin + 1):
        if line.startswith("| `"):
            yield from check_file(tree, number, cells_of(line), listed)
    yield from differences(named, listed)


def check_places(tree, number, control):
    files = set(tree.files)
    for word in QUOTED.findall(control):
        if PLACE.fullmatch(word) and word not in files:
            yield Finding(MODEL, number, f"there is no {word}")


def check_file(tree, number, cells, listed):
    path = QUOTED.findall(cells[0])[0]
    if path not in tree.files:
        yield Finding(MODEL, number, f"there is no {path}")
        return
    text = tree.text(path)
    for part in cells[1].split(";"):
        suite, *tests = QUOTED.findall(part)
        for test in tests:
            listed.setdefault(f"{suite}.{test}", number)
            if not re.search(rf"\(\s*{re.escape(suite)}\s*,\s*{re.escape(test)}\s*\)", text):
                yield Finding(MODEL, number, f"{path} has no test {suite}.{test}")


def differences(named, listed):
    for name in sorted(named.keys() - listed.keys()):
        yield Finding(MODEL, named[name], f"{name} stands in no row of {EVIDENCE}")
    for name in sorted(listed.keys() - named.keys()):
        yield Finding(MODEL, listed[name], f"no row on a threat names {name}")
