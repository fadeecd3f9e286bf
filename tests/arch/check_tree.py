#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Checks those rules of the house that a machine can check; prints file:line of each break.

usage: check_tree.py [ROOT]      exit 0: all hold, 1: something is broken, 2: wrong usage
"""
import sys
from pathlib import Path

import cmake_rules
import evidence_rules
import fuzz_rules
import include_rules
import text_rules
from tree import Table, Tree

RULES = (
    include_rules.check_table,
    include_rules.check_includes,
    cmake_rules.check_listed,
    cmake_rules.check_dependencies,
    text_rules.check_licence,
    text_rules.check_lengths,
    text_rules.check_words,
    text_rules.check_pure_text,
    text_rules.check_names,
    text_rules.check_links,
    text_rules.check_mentions,
    text_rules.check_events,
    fuzz_rules.check_fuzz_targets,
    evidence_rules.check_evidence,
)


def check(root):
    """All findings of all rules for the tree at `root`, which holds its own include table."""
    tree = Tree(root)
    table = Table(tree.root / "tests/arch/include_table.json")
    return [finding for rule in RULES for finding in rule(tree, table)]


def main(arguments):
    if len(arguments) > 1 or any(argument.startswith("-") for argument in arguments):
        print(__doc__, file=sys.stderr)
        return 2
    root = Path(arguments[0]) if arguments else Path(__file__).resolve().parents[2]
    if not (root / "tests/arch/include_table.json").is_file():
        print(f"{root}: no tests/arch/include_table.json there", file=sys.stderr)
        return 2
    findings = check(root)
    for finding in findings:
        print(finding)
    print(f"{len(RULES)} rules, {len(findings)} findings")
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
