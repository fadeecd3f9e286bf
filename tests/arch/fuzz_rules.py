# SPDX-License-Identifier: Apache-2.0
"""Every parser of what comes from outside has a fuzz target, as tests/fuzz/README.md lists them."""
import os
import re

from cmake_rules import without_comments
from tree import Finding

README, LISTS = "tests/fuzz/README.md", "tests/fuzz/CMakeLists.txt"
TARGET = re.compile(r"\bcomity_fuzz\s*\(([^)]*)\)")
QUOTED = re.compile(r"`([^`]+)`")
DECLARATION = re.compile(
    r"^\s*(?:static |virtual |inline )*[\w:]+(?:<.*>)?\s+(Parse\w*|FromProto)\(")
PRODUCTION = ("crypto", "policy", "services")


class Row:
    """One row of a table: its parsers as (header, name), and the other cells' quoted words."""

    def __init__(self, line, cells):
        self.line = line
        self.parsers, self.words = [], []
        for cell in cells:
            quoted = QUOTED.findall(cell)
            if quoted and quoted[0].endswith(".h"):
                self.parsers += pairs(quoted)
            else:
                self.words += quoted


def pairs(quoted):
    header = None
    for word in quoted:
        if word.endswith(".h"):
            header = word
        else:
            yield header, word


def rows_of(tree):
    """Rows with targets, and rows of what is reached through others."""
    with_target, through = [], []
    for number, line in enumerate(tree.lines(README), 1):
        if line.startswith("|"):
            row = Row(number, line.strip("|").split("|"))
            if row.parsers:
                (with_target if row.words else through).append(row)
    return with_target, through


def targets_of(tree):
    """Name -> (source, corpus folder) of each fuzz target."""
    targets = {}
    for match in TARGET.finditer(without_comments(tree.text(LISTS))):
        words = match.group(1).split()
        source = next((word for word in words if word.endswith(".cc")), "")
        corpus = next((word.split("}/")[-1] for word in words if "}/corpus/" in word), "")
        targets[words[1]] = (f"tests/fuzz/{source}", f"tests/fuzz/{corpus}")
    return targets


def check_fuzz_targets(tree, table):
    if README not in tree.files or LISTS not in tree.files:
        return
    with_target, through = rows_of(tree)
    targets = targets_of(tree)
    yield from check_rows(tree, with_target, targets)
    yield from check_targets(tree, with_target, targets)
    yield from check_headers(tree, with_target + through)
    yield from check_parsers(tree, with_target + through)


def check_rows(tree, rows, targets):
    files = set(tree.files)
    for row in rows:
        sources = [targets[name][0] for name in row.words if name in targets]
        for name in row.words:
            if name not in targets:
                yield Finding(README, row.line, f"{LISTS} has no target {name}")
        text = "".join(tree.text(source) for source in sources if source in files)
        for _, parser in row.parsers:
            if sources and not re.search(rf"\b{re.escape(parser)}\b", text):
                yield Finding(README, row.line, f"{' and '.join(row.words)} never names {parser}")


def check_targets(tree, rows, targets):
    known = {name for row in rows for name in row.words}
    for name, (_, corpus) in targets.items():
        if name not in known:
            yield Finding(LISTS, 0, f"{name} stands in no row of {README}")
        if not any(path.startswith(corpus + "/") for path in tree.files):
            yield Finding(LISTS, 0, f"{name} has no corpus in {corpus}")


def check_headers(tree, rows):
    files = set(tree.files)
    for row in rows:
        for header, parser in row.parsers:
            if header not in files:
                yield Finding(README, row.line, f"there is no {header}")
            elif parser != "*" and not re.search(rf"\b{parser}\b", tree.text(header)):
                yield Finding(README, row.line, f"{header} has no {parser}")


def check_parsers(tree, rows):
    listed = {pair for row in rows for pair in row.parsers}
    for path in tree.code(*PRODUCTION):
        if os.path.splitext(path)[1] != ".h":
            continue
        for number, line in enumerate(tree.lines(path), 1):
            match = DECLARATION.match(line)
            if match and not listed & {(path, match.group(1)), (path, "*")}:
                yield Finding(path, number, f"{match.group(1)} stands in no table of {README}: "
                              "name its fuzz target there, or what it is reached through")
