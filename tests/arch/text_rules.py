# SPDX-License-Identifier: Apache-2.0
"""What stands in the files: licence line, lengths, words, names, and the list of audit events."""
import posixpath
import re
from pathlib import Path

from tree import CODE_SUFFIXES, Finding, within

LICENCE = "SPDX-License-Identifier: Apache-2.0"
# Kinds of file that carry the licence line; data and prose do not.
LICENSED_SUFFIXES = CODE_SUFFIXES | {".proto", ".cmake", ".py", ".sh", ".sql"}
LINK = re.compile(r"\]\((?![a-z]+:|#)([^)#\s]+)")
DOCUMENT = re.compile(r"\bdocs/[\w/-]+\.(?:md|yaml)\b")
EVENT_CONSTANT = re.compile(r'string_view\s+k\w+\s*=\s*"([^"]+)"')
EVENTS, EVENT_CATALOGUE = "services/audit/events.h", "docs/audit_events.md"


def is_script(tree, path):
    if Path(path).suffix or not path.startswith(("deploy/", ".ci/", "tests/")):
        return False
    return tree.text(path).startswith("#!")


def licensed_files(tree, table):
    for path in tree.files:
        name = Path(path)
        kind = name.suffix in LICENSED_SUFFIXES or name.name == "CMakeLists.txt"
        if (kind or is_script(tree, path)) and not within(path, table["data_folders"]):
            yield path


def check_licence(tree, table):
    for path in licensed_files(tree, table):
        lines = tree.lines(path)
        if lines and lines[0].startswith("#!"):
            lines = lines[1:]
        if not lines or LICENCE not in lines[0]:
            yield Finding(path, 1, f"the first line must say {LICENCE}")


def check_lengths(tree, table):
    for path in licensed_files(tree, table):
        lines = tree.lines(path)
        if len(lines) > table["file_line_limit"]:
            yield Finding(path, 0, f"{len(lines)} lines; the limit is {table['file_line_limit']}")
        limit = table["column_limits"].get(Path(path).suffix)
        if limit:
            yield from check_columns(path, lines, limit)


def check_columns(path, lines, limit):
    for number, line in enumerate(lines, 1):
        # A long literal or address may not be cut; what has blanks can be broken.
        if len(line) > limit and " " in line.strip().removeprefix("//").strip():
            yield Finding(path, number, f"{len(line)} columns; the limit is {limit}")


def word_pattern(word):
    """A whole word, or with a final underscore the beginning of one."""
    return rf"\b{re.escape(word)}" + ("" if word.endswith("_") else r"\b")


def check_words(tree, table):
    words = re.compile("|".join(word_pattern(word) for word in table["banned_text"]))
    for path in licensed_files(tree, table):
        if within(path, ["tests/arch"]):  # the rules name the words
            continue
        for number, line in enumerate(tree.lines(path), 1):
            match = words.search(line)
            if match:
                yield Finding(path, number, f"banned word {match.group()}")


def check_pure_text(tree, table):
    pure = table["pure"]
    for path in tree.code(*pure["folders"]):
        for number, line in enumerate(tree.lines(path), 1):
            code = line.split("//")[0]
            for text in pure["banned_text"]:
                if text in code:
                    yield Finding(path, number, f"{text}: a pure folder reads no clock, no file, "
                                                "no environment")


def check_names(tree, table):
    banned = set(table["banned_file_names"])
    for path in tree.code():
        for part in Path(path).with_suffix("").parts:
            found = banned & set(part.split("_"))
            if found:
                yield Finding(path, 0, f"the name says nothing: {found.pop()}")


def check_links(tree, table):
    """A link in prose to a file of this tree leads somewhere."""
    files = set(tree.files)
    folders = {parent.as_posix() for path in tree.files for parent in Path(path).parents}
    for path in tree.files:
        if not path.endswith(".md") or within(path, table["data_folders"]):
            continue
        for number, line in enumerate(tree.lines(path), 1):
            for target in LINK.findall(line):
                place = posixpath.normpath(posixpath.join(posixpath.dirname(path), target))
                if place not in files and place not in folders:
                    yield Finding(path, number, f"the link leads nowhere: {target}")


def check_mentions(tree, table):
    """A document that a comment points to is there."""
    files = set(tree.files)
    for path in tree.files:
        if path.endswith((".cc", ".h", ".proto")):
            for number, line in enumerate(tree.lines(path), 1):
                for target in DOCUMENT.findall(line):
                    if target not in files:
                        yield Finding(path, number, f"there is no {target}")


def check_events(tree, table):
    """Each audit event that the code can write is explained to the people who read the log."""
    if EVENTS not in tree.files:
        return
    catalogue = tree.text(EVENT_CATALOGUE) if EVENT_CATALOGUE in tree.files else ""
    for number, line in enumerate(tree.lines(EVENTS), 1):
        for event in EVENT_CONSTANT.findall(line):
            if f"`{event}`" not in catalogue:
                yield Finding(EVENTS, number, f"{EVENT_CATALOGUE} has no row for `{event}`")
