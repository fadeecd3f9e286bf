# SPDX-License-Identifier: Apache-2.0
"""What CMake builds: every source is listed, and DEPS are the rows of the include table."""
import os
import re

from tree import Finding

KEYWORDS = {"NAME", "SRCS", "HDRS", "DEPS", "PRIVATE_DEPS", "ALONE"}
LIBRARY = re.compile(r"\bcomity_library\s*\(([^)]*)\)")
TOKEN = re.compile(r'[^\s()"]+')
ROOT_VARIABLES = ("${CMAKE_SOURCE_DIR}/", "${PROJECT_SOURCE_DIR}/")


def cmake_files(tree):
    return [path for path in tree.files if path.endswith(("CMakeLists.txt", ".cmake"))]


def without_comments(text):
    """The text with comments blanked, so that offsets and line numbers stay."""
    return re.sub(r"#[^\n]*", lambda match: " " * len(match.group()), text)


def listed_sources(tree):
    listed = set()
    for path in cmake_files(tree):
        folder = os.path.dirname(path)
        for token in TOKEN.findall(without_comments(tree.text(path))):
            if token.endswith((".cc", ".h")):
                listed.add(resolve(folder, token))
    return listed


def resolve(folder, token):
    for variable in ROOT_VARIABLES:
        if token.startswith(variable):
            return os.path.normpath(token[len(variable):])
    token = token.replace("${CMAKE_CURRENT_SOURCE_DIR}/", "")
    return os.path.normpath(os.path.join(folder, token))


def check_listed(tree, table):
    """A source that no CMakeLists.txt names is never compiled, so its tests never run."""
    listed = listed_sources(tree)
    for path in tree.code():
        header_of_tests = path.startswith("tests/") and path.endswith(".h")
        if path not in listed and not header_of_tests:
            yield Finding(path, 0, "is in no CMakeLists.txt")


def check_dependencies(tree, table):
    for path in cmake_files(tree):
        text = without_comments(tree.text(path))
        for match in LIBRARY.finditer(text):
            line = text.count("\n", 0, match.start()) + 1
            arguments = parse_arguments(match.group(1))
            yield from check_library(table, path, line, arguments)


def parse_arguments(text):
    arguments, keyword = {}, None
    for token in TOKEN.findall(text):
        if token in KEYWORDS:
            keyword = token
            arguments.setdefault(keyword, [])
        elif keyword:
            arguments[keyword].append(token)
    return arguments


def check_library(table, path, line, arguments):
    name = "".join(arguments.get("NAME", []))
    if name not in table.rows:
        yield Finding(path, line, f"library {name} has no row in the include table")
        return
    wanted, found = set(table.rows[name]), set(arguments.get("DEPS", []))
    for extra in sorted(found - wanted):
        yield Finding(path, line, f"{name}: {extra} in DEPS is not in its row of the include table")
    for lacking in sorted(wanted - found):
        yield Finding(path, line, f"{name}: DEPS lack {lacking} of its row of the include table")
